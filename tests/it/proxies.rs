//! Systems that are behind a proxy: named by a section or by the environment, with credentials or without, in plain text and through a tunnel.

use warroom::source::Endpoint;

use crate::doctor::{doctor, host};

use crate::plain::Host;
use crate::reach_story::SECRETS;
use crate::sources::{failure, watchlist};
use crate::support::http::{Reply, Server, refused_port};
use crate::support::proxy::ProxyServer;
use crate::support::pty::code;
use crate::support::source::Seat;
use crate::support::tls::{Authority, TlsServer};

const NONE: &str = "[]";

fn secret(folder: &tempfile::TempDir, text: &str) -> std::path::PathBuf {
    let file = folder.path().join("proxy-password");
    std::fs::write(&file, text).unwrap();
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    file
}

fn signed_in(endpoint: &Endpoint, file: &std::path::Path) -> Endpoint {
    let (user, file) = (Some("bot".to_owned()), Some(file.to_owned()));
    Endpoint { proxy_user: user, proxy_password_file: file, ..endpoint.clone() }
}

#[tokio::test]
async fn a_proxy_that_wants_a_password_gets_the_one_that_stands_in_a_file_and_is_named_without() {
    let folder = tempfile::tempdir().unwrap();
    let plain = Server::start(|_| Reply::json(NONE)).await;
    let authority = Authority::new();
    let tls = TlsServer::start(&authority, false, NONE).await;
    for (backend, url, first) in [
        (plain.port, "http://alerts.example:9093".to_owned(), "GET http://alerts.example:9093/api/v2/alerts"),
        (tls.port, tls.url(), "CONNECT localhost:"),
    ] {
        let proxy = ProxyServer::start(Some("bot:hunter two"), backend).await;
        let base = Endpoint {
            ca_file: Some(authority.file()),
            allow_plain_http: true,
            proxy: Some(proxy.url()),
            ..Endpoint::at(url)
        };
        let said = failure("alertmanager", &base).await;
        let wanted = format!("was not reached: the proxy {} wants credentials (407): set proxy-user", proxy.url());
        assert!(said.contains(&wanted), "{said}");
        let wrong = secret(&folder, "other\n");
        let said = failure("alertmanager", &signed_in(&base, &wrong)).await;
        let refused = format!("the proxy {} refuses the credentials of bot (407): check the file", proxy.url());
        assert!(said.contains(&refused) && !said.contains("other"), "{said}");
        let right = secret(&folder, "hunter two\n");
        let (findings, ended) = Seat::start("alertmanager", &signed_in(&base, &right), watchlist()).poll().await;
        assert_eq!(ended, Ok(()), "{findings:?}");
        let asked = proxy.asked();
        assert!(
            asked.iter().all(|(line, _)| line.starts_with("GET http") || line.starts_with("CONNECT ")),
            "{asked:?}"
        );
        assert!(asked.iter().any(|(line, _)| line.starts_with(first)), "{asked:?}");
        assert!(!warroom::vault::mask().mask("it says hunter two to it").contains("hunter two"));
    }
    let through = plain.requests();
    assert!(!through.is_empty());
    assert!(through.iter().all(|request| request.header("authorization").is_none()), "{through:?}");
}

#[tokio::test]
async fn a_proxy_password_that_is_replaced_counts_from_the_next_request_on() {
    use warroom::source::http::{Limits, Site};
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(|_| Reply::json(NONE)).await;
    let proxy = ProxyServer::start(Some("bot:new"), server.port).await;
    let file = secret(&folder, "old");
    let url = "http://alerts.example";
    let base = Endpoint { allow_plain_http: true, proxy: Some(proxy.url()), ..Endpoint::at(url) };
    let site = Site::open("alertmanager", &signed_in(&base, &file), Limits::default()).unwrap();
    site.ask(site.get("x").unwrap().send()).await.unwrap_err();
    secret(&folder, "new");
    site.ask(site.get("x").unwrap().send()).await.unwrap_err();
    assert_eq!(site.ask(site.get("x").unwrap().send()).await.unwrap().status, 200);
}

#[tokio::test]
async fn what_a_proxy_does_is_said_of_the_proxy_and_what_the_server_does_of_the_server() {
    let authority = Authority::new();
    let tls = TlsServer::start(&authority, false, NONE).await;
    let proxy = ProxyServer::start(None, tls.port).await;
    let at = |url: &str, proxy: String| Endpoint { proxy: Some(proxy), ..Endpoint::at(url) };
    let said = failure("alertmanager", &at("https://forbidden.example", proxy.url())).await;
    assert!(said.contains(&format!("the proxy {} (its `proxy`) does not let it through", proxy.url())), "{said}");
    let dead = format!("http://127.0.0.1:{}", refused_port().await);
    let said = failure("alertmanager", &at("https://alerts.example", dead.clone())).await;
    assert!(said.contains(&format!("the proxy {dead} (its `proxy`) refused the connection")), "{said}");
    // Behind the tunnel the server's own certificate is looked at.
    let said = failure("alertmanager", &at(&tls.url(), proxy.url())).await;
    assert!(said.contains("cannot be trusted") && said.contains("ca-file"), "{said}");
}

#[tokio::test]
async fn a_proxy_that_says_401_of_its_own_is_not_taken_for_the_server_alone() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(|_| Reply::json(NONE)).await;
    let proxy = ProxyServer::start(Some("tiny:right"), server.port).await;
    let file = secret(&folder, "wrong");
    for (url, wanted) in [
        ("http://alerts.example", "or the proxy {} does not believe its own: check the file"),
        (
            "https://alerts.example",
            "the proxy {} (its `proxy`) does not let it through: is that server allowed there, and are its credentials right (the file",
        ),
    ] {
        let base = Endpoint { allow_plain_http: true, proxy: Some(proxy.url()), ..Endpoint::at(url) };
        let endpoint = Endpoint { proxy_user: Some("tiny".to_owned()), ..signed_in(&base, &file) };
        let said = failure("alertmanager", &endpoint).await;
        assert!(said.contains(&wanted.replace("{}", &proxy.url())), "{said}");
    }
}

/// Doctor with variables of its own.
async fn with(host: &Host, arguments: &[&str], variables: &[(&str, &str)]) -> (i32, String) {
    let mut command = host.command(&[&["doctor"], arguments].concat());
    command.envs(SECRETS).envs(variables.iter().copied());
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let said = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    (code(output.status), said)
}

#[tokio::test]
async fn the_environments_proxies_are_used_and_doctor_says_which_way_each_system_is_asked() {
    let server = Server::start(|request| match request.path.as_str() {
        "/api/v2/status" => {
            Reply::json("{\"versionInfo\":{\"version\":\"0.27.0\"},\"cluster\":{\"status\":\"ready\"}}")
        }
        _ => Reply::json(NONE),
    })
    .await;
    let proxy = ProxyServer::start(Some("bot:hunter2"), server.port).await;
    let host = host(
        "[alertmanager]\nurl = 'http://alerts.example:9093'\nallow-plain-http = true\n\
         [jaeger]\nurl = 'http://127.0.0.1:1'\n\
         [grafana]\nurl = 'https://grafana.corp.example'\nbearer-env = 'X_TOKEN'\n",
    );
    let variables = format!("http://bot:hunter2@127.0.0.1:{}", proxy.port);
    let variables = [
        ("http_proxy", variables.as_str()),
        ("HTTPS_PROXY", "http://other.proxy.example:8080"),
        ("NO_PROXY", "corp.example"),
        ("X_TOKEN", "t0ken"),
    ];
    let (_, said) = with(&host, &[], &variables).await;
    assert!(said.contains("ok    alertmanager: 0.27.0"), "{said}");
    assert!(said.contains(&format!("ok    proxy: {} ($http_proxy): alertmanager\n", proxy.url())), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
    let (_, said) = with(&host, &["--explain"], &variables).await;
    let (_, ways) = said.split_once("# Ways\n").unwrap();
    let wanted = format!(
        "\n| system | way | because |\n| --- | --- | --- |\n\
         | alertmanager | through {} | $http_proxy |\n\
         | jaeger | directly | it is on this machine |\n\
         | grafana | directly | $NO_PROXY names it |\n",
        proxy.url()
    );
    assert_eq!(ways, wanted);
    let socks = [("ALL_PROXY", "socks5://proxy:1080"), ("NO_PROXY", "example"), ("X_TOKEN", "t0ken")];
    let (_, said) = with(&host, &[], &socks).await;
    assert!(said.contains("warn  proxy: $ALL_PROXY is a proxy of socks5, which warroom does not speak"), "{said}");
    let (status, said) =
        doctor(&crate::doctor::host("[slack]\nurl = 'https://slack.com/api'\nproxy = 'http://a:b@c'\n"), &[]).await;
    assert_ne!(status, 0);
    assert!(said.contains("holds credentials: set `proxy-user`") && !said.contains("a:b"), "{said}");
}
