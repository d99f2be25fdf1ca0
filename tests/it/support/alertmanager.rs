//! A real Alertmanager on a free port of this host, and a real Prometheus with a rule that fires.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::prometheus::get;

/// A running server and its data; everything goes when it is dropped.
pub struct Running {
    pub port: u16,
    _folder: tempfile::TempDir,
    child: Child,
}

/// Debian's name of the program, or the project's own.
fn program() -> Option<&'static str> {
    let there = |name: &&str| Command::new(name).arg("--version").output().is_ok_and(|output| output.status.success());
    ["prometheus-alertmanager", "alertmanager"].into_iter().find(there)
}

/// Whether Alertmanager is there; if not, says so, or fails where it is required.
pub fn is_installed() -> bool {
    let is_there = program().is_some();
    assert!(
        is_there || std::env::var("WARROOM_REQUIRE_SERVERS").as_deref() != Ok("1"),
        "alertmanager is required and not installed"
    );
    if !is_there {
        eprintln!("skipped: alertmanager is not installed");
    }
    is_there
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Running {
    /// Starts an Alertmanager that tells nobody, and waits until it answers.
    pub fn alertmanager() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = "route:\n  receiver: nobody\n  group_wait: 0s\nreceivers:\n  - name: nobody\n\
                      inhibit_rules:\n  - source_matchers: ['alertname=\"Outage\"']\n    target_matchers: ['alertname=\"Symptom\"']\n";
        std::fs::write(folder.path().join("alertmanager.yml"), config).unwrap();
        let port = free_port();
        let mut command = Command::new(program().unwrap());
        command
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .arg(format!("--config.file={}", folder.path().join("alertmanager.yml").display()))
            .arg(format!("--storage.path={}", folder.path().join("data").display()))
            .args(["--cluster.listen-address=", "--log.level=warn"]);
        Self::start(command, port, folder)
    }

    /// Starts a Prometheus with these rules, which it evaluates each second; it passes its alerts on to an Alertmanager, with an external label.
    pub fn prometheus(rules: &str, alertmanager: u16) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("rules.yml"), rules).unwrap();
        let config = format!(
            "global:\n  evaluation_interval: 1s\n  external_labels:\n    cluster: one\nrule_files: [rules.yml]\n\
             alerting:\n  alertmanagers:\n    - static_configs:\n        - targets: ['127.0.0.1:{alertmanager}']\n"
        );
        std::fs::write(folder.path().join("prometheus.yml"), config).unwrap();
        let port = free_port();
        let mut command = Command::new("prometheus");
        command
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .arg(format!("--config.file={}", folder.path().join("prometheus.yml").display()))
            .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
            // It may fire before it has found the Alertmanager: it tells it again.
            .args(["--rules.alert.resend-delay=1s", "--log.level=warn"]);
        Self::start(command, port, folder)
    }

    fn start(mut command: Command, port: u16, folder: tempfile::TempDir) -> Self {
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let server = Self { port, _folder: folder, child };
        let begun = now();
        while get(port, "/-/ready").is_none_or(|(status, _)| status != 200) {
            assert!(begun.elapsed() < Duration::from_secs(30), "{command:?} does not become ready");
            std::thread::sleep(Duration::from_millis(20));
        }
        server
    }

    /// The address of its root.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Posts JSON; gives the status and the answer.
    pub fn post(&self, path: &str, body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let length = body.len();
        let head = format!(
            "POST {path} HTTP/1.0\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {length}"
        );
        write!(stream, "{head}\r\n\r\n{body}").unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A test waits for a real process, so that it needs a real clock.
#[expect(clippy::disallowed_methods, reason = "the patience of a test with a real server")]
fn now() -> Instant {
    Instant::now()
}
