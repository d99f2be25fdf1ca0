//! Where one side speaks TLS: certificates that say who asks, on a server that demands them, and ports that are taken for what they are not.

use warroom::source::Endpoint;

use crate::doctor::{doctor, host};
use crate::sources::{failure, watchlist};
use crate::support::http::{Reply, Server};
use crate::support::source::Seat;
use crate::support::tls::{Authority, TlsServer};

/// No alerts, as Alertmanager says it.
const NONE: &str = "[]";

fn endpoint(server: &TlsServer, authority: &Authority) -> Endpoint {
    Endpoint { ca_file: Some(authority.file()), ..Endpoint::at(server.url()) }
}

fn with_certificate(endpoint: Endpoint, (certificate, key): (std::path::PathBuf, std::path::PathBuf)) -> Endpoint {
    Endpoint { client_cert_file: Some(certificate), client_key_file: Some(key), ..endpoint }
}

#[tokio::test]
async fn a_server_that_demands_a_certificate_answers_who_shows_the_right_one_and_nobody_else() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let server = TlsServer::start(&authority, true, NONE).await;
    let ours = with_certificate(endpoint(&server, &authority), authority.signs("warroom"));
    let (findings, ended) = Seat::start("alertmanager", &ours, watchlist()).poll().await;
    assert_eq!(ended, Ok(()), "{findings:?}");
    let said = failure("alertmanager", &endpoint(&server, &authority)).await;
    assert!(said.contains("wants a certificate that says who asks: set client-cert-file"), "{said}");
    let theirs = with_certificate(endpoint(&server, &authority), stranger.signs("warroom"));
    let said = failure("alertmanager", &theirs).await;
    assert!(said.contains("refuses the certificate that says who asks") && said.contains("client-cert-file"), "{said}");
    let unknown = with_certificate(Endpoint::at(server.url()), authority.signs("warroom"));
    let unknown = Endpoint { ca_file: Some(stranger.file()), ..unknown };
    let said = failure("alertmanager", &unknown).await;
    assert!(said.contains("cannot be trusted") && said.contains("name that certificate in ca-file"), "{said}");
    let by_number = Endpoint { url: format!("https://127.0.0.1:{}", server.port), ..ours };
    let said = failure("alertmanager", &by_number).await;
    assert!(said.contains("is for another name: is the host in the address right?"), "{said}");
}

/// The port of a server without TLS, which takes a greeting of TLS for a bad request as they all do.
async fn plain_port() -> (u16, tokio::task::JoinHandle<()>) {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let task = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n400 Bad Request").await;
        }
    });
    (port, task)
}

#[tokio::test]
async fn tls_to_a_plain_port_and_plain_text_to_a_port_with_tls_are_said_in_words_with_the_way_out() {
    let (port, _plain) = plain_port().await;
    let said = failure("alertmanager", &Endpoint::at(format!("https://127.0.0.1:{port}"))).await;
    assert!(said.contains("does not speak TLS there") && said.contains("write http:// in its address"), "{said}");
    let authority = Authority::new();
    let server = TlsServer::start(&authority, false, NONE).await;
    let said = failure("alertmanager", &Endpoint::at(format!("http://127.0.0.1:{}", server.port))).await;
    assert!(said.contains("speaks TLS, write https:// in its address"), "{said}");
    // Servers that answer in plain text say it themselves.
    for words in [
        "Client sent an HTTP request to an HTTPS server.\n",
        "<html><head><title>400 The plain HTTP request was sent to HTTPS port</title></head></html>",
        "<p>Reason: You're speaking plain HTTP to an SSL-enabled server port.</p>",
    ] {
        let server = Server::start(move |_| Reply::status(400, words)).await;
        let said = failure("alertmanager", &Endpoint::at(server.url())).await;
        assert!(said.contains("write https:// in its address"), "{said}");
    }
}

#[tokio::test]
async fn doctor_says_it_in_the_same_words_and_has_a_green_line_for_a_certificate_that_is_taken() {
    let authority = Authority::new();
    let server = TlsServer::start(&authority, true, NONE).await;
    let (port, _plain) = plain_port().await;
    let (certificate, key) = authority.signs("warroom");
    let config = format!(
        "[alertmanager]\nurl = '{}'\nca-file = '{}'\nclient-cert-file = '{}'\nclient-key-file = '{}'\n\
         [prometheus]\nurl = 'https://127.0.0.1:{}'\n",
        server.url(),
        authority.file().display(),
        certificate.display(),
        key.display(),
        port
    );
    let (_, said) = doctor(&host(&config), &[]).await;
    let line = |name: &str| said.lines().filter(|line| line.contains(name)).collect::<Vec<_>>().join("\n");
    assert!(line("prometheus").contains("does not speak TLS there"), "{said}");
    assert!(!line("alertmanager").contains("certificate"), "{said}");
}

#[tokio::test]
async fn checking_the_configuration_finds_an_address_with_the_wrong_scheme_and_leaves_the_rest_to_doctor() {
    let authority = Authority::new();
    let server = TlsServer::start(&authority, false, NONE).await;
    let (port, _plain) = plain_port().await;
    let plain = Server::start(|_| Reply::json("{}")).await;
    let said = async |prometheus: String, alertmanager: String| {
        let config = format!("[prometheus]\nurl = '{prometheus}'\n[alertmanager]\nurl = '{alertmanager}'\n");
        let host = host(&config);
        let mut command = host.command(&["config", "check"]);
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        (output.status.success(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
    };
    let at = |scheme: &str, port: u16| format!("{scheme}://127.0.0.1:{port}");
    let (is_right, text) = said(at("https", port), at("http", server.port)).await;
    assert!(!is_right, "{text}");
    assert!(text.contains("[prometheus]") && text.contains("does not speak TLS there"), "{text}");
    assert!(text.contains("[alertmanager]") && text.contains("write https:// in its address"), "{text}");
    // Whether it is there and trusted is what doctor asks.
    let (is_right, text) = said(at("http", plain.port), at("https", server.port)).await;
    assert!(is_right, "{text}");
}
