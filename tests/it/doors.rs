//! Every door by which a text comes in, and every secret that may be in it: none reaches a file of the state folder, and none another system.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use crate::plain::{Host, Plain, SOON};
use crate::support::http::{Reply, Server};
use crate::support::pty::{self, Pty};
use crate::support::until;

const BINARY: &str = env!("CARGO_BIN_EXE_warroom");
/// A token without any form of one: it is known because this process has read it.
const BEARER: &str = "wallaby-by-value-only";
/// Each secret as it is typed, and a piece of it that must be nowhere.
const SECRETS: [(&str, &str); 6] = [
    ("4111 1111 1111 1111", "4111 1111"),
    ("5105.1051.0510.5100", "5105.1051"),
    ("ghp_0123456789abcdefghijABCDEFGHIJ012345", "ghp_0123456789"),
    ("password: Tr0ub4dor&3", "Tr0ub4dor"),
    ("xoxb-123456789012-1234567890123-AbCdEfGhIjKlMnOpQrStUvWx", "AbCdEfGhIjKlMnOp"),
    (BEARER, BEARER),
];

fn files_below(folder: &Path, all: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() { files_below(&path, all) } else { all.push(path) }
    }
}

/// Where a piece of a secret stands.
fn found(host: &Host, server: &Server) -> Vec<String> {
    let mut files = Vec::new();
    files_below(&host.home.path().join("state"), &mut files);
    assert!(files.len() > 3, "{files:?}");
    let mut found = Vec::new();
    for (_, piece) in SECRETS {
        let is_in = |bytes: &[u8]| bytes.windows(piece.len()).any(|window| window == piece.as_bytes());
        found.extend(
            files
                .iter()
                .filter(|file| is_in(&fs::read(file).unwrap()))
                .map(|file| format!("{piece} in {}", file.display())),
        );
        let asked = server.requests();
        found.extend(
            asked
                .iter()
                .filter(|asked| is_in(asked.body.as_bytes()) || is_in(asked.path.as_bytes()))
                .map(|asked| format!("{piece} in {asked:?}")),
        );
    }
    found
}

fn terminal(host: &Host, arguments: &[&str]) -> Pty {
    let command = host.command(&[]);
    let text = |text: &OsStr| text.to_str().unwrap().to_owned();
    let env: Vec<(String, String)> =
        command.get_envs().filter_map(|(name, value)| Some((text(name), text(value?)))).collect();
    let mut env: Vec<_> = env.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    env.push(("TOKEN", BEARER));
    let mut console = pty::spawn(OsStr::new(BINARY), arguments, &env, (140, 44));
    console.wait_for("payments", SOON);
    console
}

/// Types as a person does, so that nothing is taken for a paste.
fn types(console: &Pty, text: &str) {
    for piece in text.as_bytes().chunks(4) {
        console.send(piece);
        std::thread::sleep(Duration::from_millis(25));
    }
}

/// What is typed at the shell, in commands that end at once.
fn shell(host: &Host, secret: &str) {
    let says = |arguments: &[&str]| {
        let output = host.command(arguments).env("TOKEN", BEARER).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    says(&["note", "-i", "INC-1", &format!("seen: {secret} in a log")]);
    says(&["note", "-i", "INC-1", "--kind", "todo", &format!("ask the owner of {secret}")]);
    says(&["change", "--service", "alipay", &format!("deployed with {secret}")]);
    // Both what runs and what it prints, also in two pieces.
    let (head, tail) = secret.split_at(secret.len() / 2);
    says(&[
        "run",
        "-i",
        "INC-1",
        "--",
        "sh",
        "-c",
        &format!("printf '%s' '{head}'; sleep 0.1; printf '%s\\n' '{tail}'; echo '{secret}'"),
    ]);
}

#[tokio::test]
async fn no_secret_comes_through_any_door_into_a_file_or_to_another_system() {
    // A server that quotes what it was told, and with whose token.
    let server = Server::start(|request| {
        let quoted = format!("{} {}", request.header("authorization").unwrap_or_default(), request.body);
        let said =
            serde_json::json!({ "ok": false, "error": format!("cannot take {quoted}"), "message": quoted }).to_string();
        if request.method == "GET" {
            Reply::json(r#"{"ok":true,"channel":{"id":"C012345678","name":"status"}}"#)
        } else {
            Reply::status(400, said)
        }
    })
    .await;
    let host = Host::new();
    let config = host.home.path().join("config/warroom");
    fs::create_dir_all(&config).unwrap();
    let url = server.url();
    let text =
        format!("[slack]\nurl = \"{url}/api\"\nbearer-env = \"TOKEN\"\n[slack-channels]\nstatus = \"C012345678\"\n");
    fs::write(config.join("config.toml"), text).unwrap();
    let all: Vec<&str> = SECRETS.iter().map(|(secret, _)| *secret).collect();
    let host = tokio::task::spawn_blocking(move || {
        let title = format!("payments fail: {}", all.join(", "));
        let declared =
            host.command(&["declare", "-s", "alipay", "--severity", "sev2", &title]).env("TOKEN", BEARER).output();
        assert!(declared.unwrap().status.success());
        for secret in &all {
            shell(&host, secret);
        }
        // Line mode.
        let mut plain =
            Plain::spawn(host.command(&["open", "INC-1", "--plain"]).env("TOKEN", BEARER).stdin(Stdio::piped()));
        plain.ready();
        plain.type_in(":take ic\n:ack\n");
        for secret in &all {
            plain.type_in(&format!(
                "a line with {secret}\n@leila look for {secret} 3m\n:propose drop {secret} | it is {secret} | keep {secret}\n\
                 :article https://wiki/{}\n:update we saw {secret} in the logs\n",
                secret.replace(' ', "-")
            ));
        }
        plain.type_in(":phase triage\n:outbox\n:quit\n");
        plain.wait_exit(SOON);
        // The screen: a line, a form, an update, and a draft that is never finished.
        let mut console = terminal(&host, &["open", "INC-1", "--as", "dana"]);
        console.send("\x1b");
        std::thread::sleep(Duration::from_millis(300));
        for secret in &all {
            console.send("n");
            std::thread::sleep(Duration::from_millis(60));
            types(&console, &format!("on the screen {secret}\r"));
            console.send("\x1b");
            std::thread::sleep(Duration::from_millis(120));
        }
        console.wait_for("on the screen", SOON);
        console.send("n");
        std::thread::sleep(Duration::from_millis(100));
        types(&console, &format!("half typed {} and", all.join(" / ")));
        console.wait_for("half typed", SOON);
        // Long enough for the draft to be on disk.
        std::thread::sleep(Duration::from_secs(2));
        drop(console);
        host
    });
    let host = host.await.unwrap();
    until("the update was tried", || server.requests().iter().any(|asked| asked.method == "POST"));
    let left = found(&host, &server);
    assert!(left.is_empty(), "{}", left.join("\n"));
    let (_, shown) = host.run(&["show", "INC-1"]);
    assert!(shown.contains("[card …1111]") && shown.contains("[secret]"), "{shown}");
}
