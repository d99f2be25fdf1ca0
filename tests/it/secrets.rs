//! No secret reaches a file: through every door by which text comes in, looked for in the bytes of all files of the state folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const CARD: &str = "4111 1111 1111 1111";
const TOKEN: &str = "ghp_0123456789abcdefghijABCDEFGHIJ012345";
const PASSWORD: &str = "password: Tr0ub4dor&3";

struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn warroom(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_warroom"));
        command.args(arguments).env_clear().env("HOME", self.0.path()).env("PATH", "/usr/bin:/bin").env("USER", "dana");
        command
    }

    /// Runs a command that must succeed; gives what it printed.
    fn says(&self, arguments: &[&str]) -> String {
        let output = self.warroom(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn files(&self) -> Vec<PathBuf> {
        fn below(folder: &Path, all: &mut Vec<PathBuf>) {
            for entry in fs::read_dir(folder).unwrap().flatten() {
                let path = entry.path();
                if path.is_dir() { below(&path, all) } else { all.push(path) }
            }
        }
        let mut all = Vec::new();
        below(self.0.path(), &mut all);
        all
    }

    fn assert_clean(&self) {
        let files = self.files();
        assert!(!files.is_empty());
        for file in files {
            let bytes = fs::read(&file).unwrap();
            for secret in ["4111 1111", "4111111111111111", TOKEN, "Tr0ub4dor"] {
                let is_there = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
                assert!(!is_there, "{secret} stands in {}", file.display());
            }
        }
    }
}

#[test]
fn no_secret_that_is_typed_at_the_shell_reaches_a_file() {
    let home = Home::new();
    let title = format!("payments fail for {CARD}");
    home.says(&["declare", "-s", "alipay", "--severity", "sev2", &title]);
    home.says(&["note", "-i", "INC-1", &format!("{PASSWORD} and {TOKEN}")]);
    home.says(&["note", "-i", "INC-1", "--kind", "todo", &format!("call the owner of {CARD}")]);
    home.says(&["change", "--service", "alipay", &format!("deploy with {TOKEN}")]);
    home.says(&[
        "run",
        "-i",
        "INC-1",
        "--",
        "sh",
        "-c",
        "printf 'ghp_%s 4111 ' 0123456789abcdefghijABCDEFGHIJ012345; echo 1111 1111 1111",
    ]);
    let shown = home.says(&["show", "INC-1"]);
    assert!(shown.contains("[card …1111]") && shown.contains("[secret]"), "{shown}");
    home.assert_clean();
}

#[test]
fn a_line_that_its_writer_vouches_for_is_kept_as_typed() {
    let home = Home::new();
    home.says(&["declare", "-s", "alipay", "--severity", "sev2", "payments fail"]);
    home.says(&["note", "-i", "INC-1", &format!("as-typed: {CARD} is the network's test card")]);
    assert!(home.says(&["show", "INC-1"]).contains(CARD));
}

#[test]
fn whatever_stands_in_a_line_can_be_redacted_out_of_every_file() {
    let home = Home::new();
    home.says(&["declare", "-s", "alipay", "--severity", "sev2", "payments of kangaroo fail"]);
    home.says(&["note", "-i", "INC-1", "kangaroo called"]);
    home.says(&["note", "-i", "INC-1", "--kind", "todo", "call kangaroo back"]);
    home.says(&["run", "-i", "INC-1", "--", "sh", "-c", "echo kanga''roo"]);
    let listed = home.says(&["redact", "INC-1"]);
    let numbers: Vec<&str> = listed.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert!(numbers.len() >= 4, "{listed}");
    for number in numbers {
        let word = format!("redact:INC-1#{number}");
        home.says(&["redact", "INC-1", number, "--reason", "personal data", "--yes", &word]);
    }
    assert!(!home.says(&["show", "INC-1"]).contains("kangaroo"));
    assert!(!home.says(&["list"]).contains("kangaroo"), "the title of the list is that of the record");
    for file in home.files() {
        let bytes = fs::read(&file).unwrap();
        assert!(!bytes.windows(8).any(|window| window == b"kangaroo"), "it stands in {}", file.display());
    }
    assert!(home.says(&["journal", "verify", "INC-1"]).contains("INC-1"));
}

#[tokio::test]
async fn whatever_a_server_quotes_of_a_token_is_masked_wherever_its_words_are_shown() {
    use warroom::source::Endpoint;

    use crate::sources::watchlist;
    use crate::support::http::{Reply, Server};
    use crate::support::source::Seat;

    let said = format!("bad request with {TOKEN}");
    let bodies = [
        serde_json::json!({ "status": "error", "errorType": said, "error": said }),
        serde_json::json!({ "status": "success", "warnings": [said], "infos": [said], "data":
            { "resultType": "vector", "result": [], "alerts": [], "groups": [] } }),
        serde_json::json!({ "status": "success", "data": { "resultType": said, "result": [] } }),
        serde_json::json!({ "data": [], "errors": [{ "code": 400, "msg": said }] }),
        serde_json::json!({ "error": { "message": said } }),
        serde_json::json!({ "message": said }),
        serde_json::json!([said]),
        serde_json::json!(said),
    ];
    for source in ["prometheus", "alertmanager", "jaeger"] {
        for body in &bodies {
            for status in [200, 400, 403, 500] {
                let body = body.to_string();
                let server = Server::start(move |request| match request.path.as_str() {
                    "/api/v3/services" => Reply::json(r#"{"services":["alipay"]}"#),
                    _ => Reply::status(status, body.clone()),
                })
                .await;
                let mut seat = Seat::start(source, &Endpoint::at(server.url()), watchlist());
                let told = format!("{:?}", seat.poll().await);
                assert!(!told.contains(TOKEN), "{source} {status} {}: {told}", server.requests().len());
            }
        }
    }
}
