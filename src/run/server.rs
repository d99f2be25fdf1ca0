//! A small HTTP server on this machine's own address: for pipelines that post changes, and for a drill's world that others look at.
//!
//! Hides the protocol (hyper's) and what a client may cost: bodies, headers, connections and patience all have a limit.
//!
//! Invariant: it listens on a loopback address only; who wants it further away puts a proxy with its own rules in front.

use std::collections::HashMap;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

/// A body is no longer.
const BODY_BYTES: usize = 1 << 20;
/// How long a client may take.
#[derive(Clone, Copy, Debug)]
struct Limits {
    /// The headers of a request arrive within this time, and its body within as much again, or its connection ends.
    patience: Duration,
    /// A connection is over after this, whoever is slow: with its one answer it ends anyway.
    longest: Duration,
}

/// What everybody gets.
const LIMITS: Limits = Limits { patience: Duration::from_secs(10), longest: Duration::from_secs(30) };
/// So many clients at once; more wait.
const CONNECTIONS: usize = 64;
/// So many of them are of one account; more are turned away, so that one account's leave room for the others'.
const OF_ONE_ACCOUNT: usize = 16;

/// What was asked.
#[derive(Debug)]
pub struct Asked {
    /// The method.
    pub method: Method,
    /// The path.
    pub path: String,
    /// What follows the question mark.
    pub query: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

/// An answer: its status, its type and its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The type of the body.
    pub kind: &'static str,
    /// The body.
    pub body: String,
}

impl Answer {
    /// Plain words.
    pub fn words(status: StatusCode, words: impl Into<String>) -> Self {
        Self { status, kind: "text/plain; charset=utf-8", body: words.into() + "\n" }
    }

    /// JSON.
    pub fn json(status: StatusCode, body: &serde_json::Value) -> Self {
        Self { status, kind: "application/json", body: body.to_string() }
    }
}

/// A listener on a loopback address; anything else is refused with a sentence.
pub async fn listen(address: SocketAddr) -> Result<TcpListener, String> {
    if !address.ip().is_loopback() {
        return Err(format!("{address} is not of this machine alone: listen on 127.0.0.1 and put a proxy in front"));
    }
    TcpListener::bind(address).await.map_err(|error| format!("{address}: {error}"))
}

/// Answers until it is dropped.
pub async fn serve<A, F>(listener: TcpListener, answer: A)
where
    A: Fn(Asked) -> F + Send + Sync + 'static,
    F: Future<Output = Answer> + Send + 'static,
{
    serve_within(LIMITS, listener, answer).await;
}

async fn serve_within<A, F>(limits: Limits, listener: TcpListener, answer: A)
where
    A: Fn(Asked) -> F + Send + Sync + 'static,
    F: Future<Output = Answer> + Send + 'static,
{
    let (answer, places) = (Arc::new(answer), Arc::new(Semaphore::new(CONNECTIONS)));
    let mut accounts: HashMap<Option<u32>, Arc<Semaphore>> = HashMap::new();
    loop {
        let Ok(place) = places.clone().acquire_owned().await else { return };
        // A client that is gone before it was taken, or no descriptors left: a little later it may go on.
        let Ok((stream, peer)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let own = accounts.entry(account(peer)).or_insert_with(|| Arc::new(Semaphore::new(OF_ONE_ACCOUNT))).clone();
        let Ok(of_account) = own.try_acquire_owned() else { continue };
        let answer = answer.clone();
        tokio::spawn(async move {
            let service = service_fn(|request| respond(limits, request, answer.clone()));
            let mut server = hyper::server::conn::http1::Builder::new();
            server.timer(TokioTimer::new()).header_read_timeout(limits.patience).keep_alive(false);
            // Who goes away in the middle, or never reads, is no trouble of ours.
            let _ = tokio::time::timeout(limits.longest, server.serve_connection(TokioIo::new(stream), service)).await;
            drop((place, of_account));
        });
    }
}

/// The account at the other end of a connection of this machine, as the kernel lists it.
fn account(peer: SocketAddr) -> Option<u32> {
    let (list, address) = match peer.ip() {
        IpAddr::V4(ip) => ("/proc/net/tcp", format!("{:08X}", u32::from_ne_bytes(ip.octets()))),
        IpAddr::V6(ip) => {
            let parts = ip.octets();
            let words = parts.chunks_exact(4).map(|part| u32::from_ne_bytes([part[0], part[1], part[2], part[3]]));
            ("/proc/net/tcp6", words.map(|word| format!("{word:08X}")).collect())
        }
    };
    let local = format!("{address}:{:04X}", peer.port());
    let text = std::fs::read_to_string(list).ok()?;
    let line = text.lines().find(|line| line.split_whitespace().nth(1) == Some(local.as_str()))?;
    line.split_whitespace().nth(7)?.parse().ok()
}

async fn respond<A, F>(
    limits: Limits,
    request: Request<Incoming>,
    answer: Arc<A>,
) -> Result<Response<Full<Bytes>>, hyper::Error>
where
    A: Fn(Asked) -> F,
    F: Future<Output = Answer>,
{
    let (parts, body) = request.into_parts();
    let read = tokio::time::timeout(limits.patience, Limited::new(body, BODY_BYTES).collect()).await;
    let said = match read {
        Ok(Ok(body)) => {
            let asked = Asked {
                method: parts.method,
                path: parts.uri.path().to_owned(),
                query: parts.uri.query().unwrap_or_default().to_owned(),
                headers: parts.headers,
                body: body.to_bytes(),
            };
            answer(asked).await
        }
        Ok(Err(_)) => Answer::words(StatusCode::PAYLOAD_TOO_LARGE, "the body is over 1 MB or broke off"),
        Err(_) => Answer::words(StatusCode::REQUEST_TIMEOUT, "the body did not arrive in time"),
    };
    let mut response = Response::new(Full::new(Bytes::from(said.body)));
    *response.status_mut() = said.status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(said.kind));
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_client_s_account_is_known_and_one_account_s_clients_leave_room() {
        let listener = listen("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = listener.local_addr().unwrap();
        let client = tokio::net::TcpStream::connect(address).await.unwrap();
        let own = rustix::process::getuid().as_raw();
        assert_eq!(account(client.local_addr().unwrap()), Some(own));
        let server = tokio::spawn(serve(listener, |_| async { Answer::words(StatusCode::OK, "here") }));
        let mut many = vec![client];
        for _ in 0..OF_ONE_ACCOUNT {
            many.push(tokio::net::TcpStream::connect(address).await.unwrap());
        }
        use tokio::io::AsyncReadExt;
        let mut last = many.pop().unwrap();
        let read = tokio::time::timeout(Duration::from_secs(5), last.read(&mut [0; 1])).await;
        assert!(matches!(read, Ok(Ok(0) | Err(_))), "one too many is turned away: {read:?}");
        server.abort();
    }

    /// Limits that a test need not wait for.
    const SHORT: Limits = Limits { patience: Duration::from_millis(200), longest: Duration::from_millis(700) };
    const SOON: Duration = Duration::from_secs(10);

    /// A server with short limits and a client of it.
    async fn pair(length: usize) -> (tokio::task::JoinHandle<()>, tokio::net::TcpStream) {
        let listener = listen("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = listener.local_addr().unwrap();
        let answer = move |_| async move { Answer::words(StatusCode::OK, "x".repeat(length)) };
        let server = tokio::spawn(serve_within(SHORT, listener, answer));
        (server, tokio::net::TcpStream::connect(address).await.unwrap())
    }

    /// All that a client hears until its connection ends.
    async fn heard(client: &mut tokio::net::TcpStream) -> String {
        use tokio::io::AsyncReadExt;
        let mut all = Vec::new();
        // A connection that is reset has ended, too.
        let _ = tokio::time::timeout(SOON, client.read_to_end(&mut all)).await.expect("it ends");
        String::from_utf8_lossy(&all).into_owned()
    }

    #[tokio::test]
    async fn a_client_that_sends_its_headers_or_its_body_by_the_letter_is_let_go() {
        use tokio::io::AsyncWriteExt;
        for (begin, says) in [
            ("GET / HTTP/1.1\r\n", ""),
            ("", ""),
            ("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5000\r\n\r\n", "408"),
            ("POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n5000\r\n", "408"),
        ] {
            let (server, mut client) = pair(4).await;
            client.write_all(begin.as_bytes()).await.unwrap();
            let (mut reading, mut writing) = client.into_split();
            let trickle = tokio::spawn(async move {
                while writing.write_all(b"x").await.is_ok() {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            });
            let mut all = Vec::new();
            let end = tokio::time::timeout(SOON, tokio::io::AsyncReadExt::read_to_end(&mut reading, &mut all));
            let _ = end.await.expect("it ends");
            assert!(String::from_utf8_lossy(&all).contains(says), "{begin:?}");
            assert!(!String::from_utf8_lossy(&all).contains("200 OK"), "{begin:?}");
            trickle.abort();
            server.abort();
        }
    }

    #[tokio::test]
    async fn a_client_that_never_reads_its_answer_is_let_go_and_its_place_is_free_again() {
        use tokio::io::AsyncWriteExt;
        // More than the kernel keeps of what nobody reads.
        let (server, first) = pair(64 << 20).await;
        let address = first.peer_addr().unwrap();
        let mut slow = vec![first];
        for _ in 1..OF_ONE_ACCOUNT {
            slow.push(tokio::net::TcpStream::connect(address).await.unwrap());
        }
        for client in &mut slow {
            client.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        }
        tokio::time::sleep(SHORT.longest * 2).await;
        let mut next = tokio::net::TcpStream::connect(address).await.unwrap();
        next.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        let said = heard(&mut next).await;
        assert!(said.starts_with("HTTP/1.1 200 OK"), "{}", said.len());
        for mut client in slow {
            assert!(heard(&mut client).await.len() < 64 << 20, "what it did not take in time is lost");
        }
        server.abort();
    }

    #[tokio::test]
    async fn a_connection_ends_with_its_answer() {
        use tokio::io::AsyncWriteExt;
        let (server, mut client) = pair(4).await;
        client.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: keep-alive\r\n\r\n").await.unwrap();
        assert!(heard(&mut client).await.ends_with("xxxx\n"));
        server.abort();
    }
}
