//! A server of HTTP inside the test's process: answers are closures, requests are kept, and it can misbehave in every way a server does.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    pub path: String,
    /// The decoded pairs of the query and of a form in the body.
    pub query: Vec<(String, String)>,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Request {
    /// The first value of a parameter.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// What the server does with a request.
#[derive(Clone, Debug)]
pub enum Reply {
    /// Answers.
    Answer { status: u16, headers: Vec<(String, String)>, body: Vec<u8> },
    /// Takes the request and says nothing, for ever.
    Hang,
    /// Sends a head and then one byte a second, for ever.
    Trickle,
    /// Sends a head and then a body without end; compressed if asked for.
    Endless,
    /// Sends this many bytes of zeros, gzipped to a thousandth.
    GzipBomb(usize),
    /// Promises more than it sends, then closes.
    Truncated(Vec<u8>),
    /// Closes without a word.
    Reset,
    /// Answers after a while; what it does is done at once.
    After(Duration, Box<Reply>),
}

impl Reply {
    /// A success in JSON.
    pub fn json(body: impl Into<Vec<u8>>) -> Self {
        Self::status(200, body)
    }

    /// A status with a body.
    pub fn status(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self::Answer { status, headers: Vec::new(), body: body.into() }
    }

    /// With one more header.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        if let Self::Answer { headers, .. } = &mut self {
            headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }
}

type Handler = Arc<dyn Fn(&Request) -> Reply + Send + Sync>;

/// A listening server; it ends when it is dropped.
pub struct Server {
    pub port: u16,
    requests: Arc<Mutex<Vec<Request>>>,
    handler: Arc<Mutex<Handler>>,
    task: JoinHandle<()>,
}

impl Server {
    /// Starts one on a free port of this host.
    pub async fn start(handler: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let handler: Arc<Mutex<Handler>> = Arc::new(Mutex::new(Arc::new(handler)));
        let (kept, asked) = (requests.clone(), handler.clone());
        let task = tokio::spawn(async move {
            // Dropping the set ends what hangs.
            let mut open = tokio::task::JoinSet::new();
            loop {
                let Ok((stream, _)) = listener.accept().await else { return };
                open.spawn(serve(stream, kept.clone(), asked.clone()));
                while open.try_join_next().is_some() {}
            }
        });
        Self { port, requests, handler, task }
    }

    /// The address of its root, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What arrived so far.
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// Answers differently from now on.
    pub fn change(&self, handler: impl Fn(&Request) -> Reply + Send + Sync + 'static) {
        *self.handler.lock().unwrap() = Arc::new(handler);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A port on which nobody listens.
pub async fn refused_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port()
}

async fn serve(mut stream: TcpStream, requests: Arc<Mutex<Vec<Request>>>, handler: Arc<Mutex<Handler>>) {
    let mut buffer = Vec::new();
    while let Some(request) = read(&mut stream, &mut buffer).await {
        requests.lock().unwrap().push(request.clone());
        let handler = handler.lock().unwrap().clone();
        let reply = handler(&request);
        if write(&mut stream, reply).await.is_none() {
            return;
        }
    }
}

async fn read(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<Request> {
    let head_end = loop {
        if let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&buffer[..head_end]).into_owned();
    let mut lines = head.split("\r\n");
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length").and_then(|(_, value)| value.parse().ok());
    let end = head_end + 4 + length.unwrap_or(0);
    while buffer.len() < end {
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
    let body = String::from_utf8_lossy(&buffer[head_end + 4..end]).into_owned();
    buffer.drain(..end);
    // A server takes the whole address, too, as a proxy hands it on.
    let target = match target.strip_prefix("http://") {
        Some(rest) => rest.find('/').map_or("/", |place| &rest[place..]),
        None => target.as_str(),
    };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let query = pairs(query).chain(pairs(&body)).collect();
    Some(Request { method, path: path.to_owned(), query, headers, body: body.clone() })
}

fn pairs(text: &str) -> impl Iterator<Item = (String, String)> + '_ {
    text.split('&').filter_map(|pair| pair.split_once('=')).map(|(key, value)| (decoded(key), decoded(value)))
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [rest.next().unwrap_or(b'0'), rest.next().unwrap_or(b'0')];
                u8::from_str_radix(std::str::from_utf8(&digits).unwrap_or("00"), 16).unwrap_or(b'?')
            }
            byte => byte,
        });
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Answers; `None` ends the connection.
async fn write(stream: &mut TcpStream, reply: Reply) -> Option<()> {
    const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
    match reply {
        Reply::Answer { status, headers, body } => {
            let mut head = format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\n", body.len());
            for (name, value) in headers {
                head.push_str(&format!("{name}: {value}\r\n"));
            }
            stream.write_all(format!("{head}\r\n").as_bytes()).await.ok()?;
            stream.write_all(&body).await.ok()
        }
        Reply::Hang => std::future::pending().await,
        Reply::Trickle => {
            stream.write_all(format!("{HEAD}content-length: 100000\r\n\r\n").as_bytes()).await.ok()?;
            loop {
                stream.write_all(b" ").await.ok()?;
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
        Reply::Endless => {
            stream.write_all(format!("{HEAD}connection: close\r\n\r\n[").as_bytes()).await.ok()?;
            let chunk = b"0,".repeat(32 * 1024);
            loop {
                stream.write_all(&chunk).await.ok()?;
            }
        }
        Reply::GzipBomb(bytes) => {
            let head = format!("{HEAD}content-encoding: gzip\r\nconnection: close\r\n\r\n");
            stream.write_all(head.as_bytes()).await.ok()?;
            stream.write_all(&gzip_of_zeros(bytes)).await.ok()?;
            None
        }
        Reply::Truncated(body) => {
            let head = format!("{HEAD}content-length: {}\r\n\r\n", body.len() + 1000);
            stream.write_all(head.as_bytes()).await.ok()?;
            stream.write_all(&body).await.ok()?;
            None
        }
        Reply::Reset => None,
        Reply::After(pause, reply) => {
            tokio::time::sleep(pause).await;
            Box::pin(write(stream, *reply)).await
        }
    }
}

/// A gzip stream that expands to at least so many zero bytes, in deflate's fixed code: each 258 bytes are 13 bits. Its checksum is left out, because
/// nobody should read so far.
pub fn gzip_of_zeros(bytes: usize) -> Vec<u8> {
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let (mut held, mut count) = (0_u32, 0_u32);
    let mut put = |value: u32, bits: u32| {
        held |= value << count;
        count += bits;
        while count >= 8 {
            out.push(held as u8);
            held >>= 8;
            count -= 8;
        }
    };
    put(0b011, 3); // The last block, in the fixed code.
    put(0b0000_1100, 8); // The literal 0 is 00110000, sent from its first bit on.
    for _ in 0..bytes / 258 + 1 {
        put(0b1010_0011, 8); // Length 258 is 11000101.
        put(0, 5); // Distance 1.
    }
    put(0, 7); // The end of the block.
    put(0, 7);
    out
}
