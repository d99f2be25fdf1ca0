//! A real Prometheus with back-filled data on a free port of this host.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A running (or killed) server and its data; everything goes when it is dropped.
pub struct Prometheus {
    pub port: u16,
    folder: tempfile::TempDir,
    child: Option<Child>,
}

/// Whether the programs are there; if not, says so, or fails where they are required.
pub fn is_installed() -> bool {
    let there = |name: &str| Command::new(name).arg("--version").output().is_ok_and(|output| output.status.success());
    let is_there = there("prometheus") && there("promtool");
    assert!(
        is_there || std::env::var("WARROOM_REQUIRE_SERVERS").as_deref() != Ok("1"),
        "prometheus and promtool are required and not installed"
    );
    if !is_there {
        eprintln!("skipped: prometheus and promtool are not installed");
    }
    is_there
}

impl Prometheus {
    /// Starts a server that holds these samples (OpenMetrics text, ending in `# EOF`) and waits until it answers.
    pub fn start(open_metrics: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let input = folder.path().join("samples.om");
        std::fs::write(&input, open_metrics).unwrap();
        let made = Command::new("promtool")
            .args(["tsdb", "create-blocks-from", "openmetrics"])
            .arg(&input)
            .arg(folder.path().join("data"))
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        Self::configured("global:\n  scrape_interval: 1h\n", folder)
    }

    /// Starts a server that scrapes these addresses each second; `keep` is a pattern of the metrics that are kept.
    pub fn scraping(targets: &[(&str, &str)]) -> Self {
        let mut config = "global:\n  scrape_interval: 1s\nscrape_configs:\n".to_owned();
        for (place, (address, keep)) in targets.iter().enumerate() {
            config += &format!(
                "  - job_name: target-{place}\n    static_configs: [{{targets: ['{address}']}}]\n    metric_relabel_configs:\n      \
                 - {{source_labels: [__name__], regex: '{keep}', action: keep}}\n"
            );
        }
        Self::configured(&config, tempfile::tempdir().unwrap())
    }

    /// Starts a server that scrapes an address each second, with a label for all its targets and rules of its own.
    pub fn ruled(address: &str, (label, value): (&str, &str), rules: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("rules.yml"), rules).unwrap();
        let config = format!(
            "global:\n  scrape_interval: 1s\n  evaluation_interval: 1s\nrule_files: [rules.yml]\nscrape_configs:\n  - job_name: service\n    \
             static_configs: [{{targets: ['{address}'], labels: {{{label}: '{value}'}}}}]\n"
        );
        Self::configured(&config, folder)
    }

    fn configured(config: &str, folder: tempfile::TempDir) -> Self {
        std::fs::write(folder.path().join("prometheus.yml"), config).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut server = Self { port, folder, child: None };
        server.restart();
        server
    }

    /// The address of its root.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Kills it as a crash would.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Starts it again on the same port and data, and waits until it is ready.
    pub fn restart(&mut self) {
        self.kill();
        let child = Command::new("prometheus")
            .arg(format!("--web.listen-address=127.0.0.1:{}", self.port))
            .arg(format!("--config.file={}", self.path("prometheus.yml").display()))
            .arg(format!("--storage.tsdb.path={}", self.path("data").display()))
            .args(["--storage.tsdb.retention.time=30d", "--log.level=warn"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        self.child = Some(child);
        let patience = Duration::from_secs(30);
        let begun = now();
        while get(self.port, "/-/ready").is_none_or(|(status, _)| status != 200) {
            assert!(begun.elapsed() < patience, "prometheus does not become ready");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Asks its HTTP API without any of the code under test; gives the JSON of `data`.
    pub fn ask(&self, path_and_query: &str) -> serde_json::Value {
        let (status, body) = get(self.port, path_and_query).unwrap();
        assert_eq!(status, 200, "{body}");
        let mut answer: serde_json::Value = serde_json::from_str(&body).unwrap();
        answer["data"].take()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A test waits for a real process, so that it needs a real clock.
#[expect(clippy::disallowed_methods, reason = "the patience of a test with a real server")]
fn now() -> Instant {
    Instant::now()
}

/// Encodes a parameter of a query.
pub fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric();
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// Asks over plain HTTP; gives the status and the body.
pub fn get(port: u16, path: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n").ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
}
