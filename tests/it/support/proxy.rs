//! A proxy of HTTP inside the test's process, as companies have them: it may want to know who asks, resolves names by itself, and tunnels what is TLS.

use std::sync::{Arc, Mutex};

use base64::Engine as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What a proxy was asked: the first line of each request, and who asked.
type Asked = Arc<Mutex<Vec<(String, Option<String>)>>>;

/// A listening proxy; it ends when it is dropped.
pub struct ProxyServer {
    pub port: u16,
    asked: Asked,
    task: JoinHandle<()>,
}

impl ProxyServer {
    /// One that wants these credentials (`user:password`), if any, and leads every name to `backend`, a port of this host.
    pub async fn start(credentials: Option<&str>, backend: u16) -> Self {
        Self::to(credentials, vec![(String::new(), backend)]).await
    }

    /// The same, where each name has a port of its own; the empty name is every one.
    pub async fn to(credentials: Option<&str>, places: Vec<(String, u16)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let encode = |text: &str| format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(text));
        let wanted = credentials.map(encode);
        let asked = Asked::default();
        let kept = asked.clone();
        let task = tokio::spawn(async move {
            let mut open = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                open.spawn(serve(stream, wanted.clone(), places.clone(), kept.clone()));
            }
        });
        Self { port, asked, task }
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What it was asked so far.
    pub fn asked(&self) -> Vec<(String, Option<String>)> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for ProxyServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Whether these are the credentials of a proxy that says 401 to wrong ones: those of the user `tiny`.
fn is_tiny(wanted: &str) -> bool {
    wanted.starts_with("Basic dGlue")
}

async fn serve(mut stream: TcpStream, wanted: Option<String>, places: Vec<(String, u16)>, asked: Asked) -> Option<()> {
    let mut head = Vec::new();
    while !head.windows(4).any(|four| four == b"\r\n\r\n") {
        if stream.read_buf(&mut head).await.ok()? == 0 {
            return None;
        }
    }
    let text = String::from_utf8_lossy(&head).into_owned();
    let first = text.lines().next()?.to_owned();
    let who = text.lines().find_map(|line| line.strip_prefix("proxy-authorization: ")).map(str::to_owned);
    let who =
        who.or_else(|| text.lines().find_map(|line| line.strip_prefix("Proxy-Authorization: ")).map(str::to_owned));
    asked.lock().unwrap().push((first.clone(), who.clone()));
    if wanted.is_some() && who != wanted {
        // As tinyproxy has it: who says nothing is asked, who says something wrong is turned away like by a server.
        if who.is_some() && places.iter().any(|(name, _)| name.is_empty()) && wanted.as_deref().is_some_and(is_tiny) {
            let refusal = b"HTTP/1.0 401 Unauthorized\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            return stream.write_all(refusal).await.ok();
        }
        let refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\nproxy-authenticate: Basic realm=\"corp\"\r\n\
                        content-length: 0\r\nconnection: close\r\n\r\n";
        return stream.write_all(refusal).await.ok();
    }
    if first.contains("forbidden.example") {
        let refusal = b"HTTP/1.1 403 Filtered\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        return stream.write_all(refusal).await.ok();
    }
    let backend = places.iter().find(|(name, _)| first.contains(name.as_str()))?.1;
    let mut behind = TcpStream::connect(("127.0.0.1", backend)).await.ok()?;
    if first.starts_with("CONNECT ") {
        stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.ok()?;
    } else {
        // The absolute address becomes a path, as the server wants it.
        let mut words = first.split(' ');
        let (method, address) = (words.next()?, words.next()?);
        let path = address.splitn(4, '/').nth(3).unwrap_or_default();
        let rest = text.split_once("\r\n")?.1;
        behind.write_all(format!("{method} /{path} HTTP/1.1\r\n{rest}").as_bytes()).await.ok()?;
    }
    tokio::io::copy_bidirectional(&mut stream, &mut behind).await.ok().map(|_| ())
}
