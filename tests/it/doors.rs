//! The whole tables of secrets and of harmless texts through every door by which text comes in: nothing secret reaches a file of the state folder or
//! another system, and nothing harmless is changed on its way.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use warroom::clock;
use warroom::text::mask::Mask;

use crate::plain::{Host, Plain};
use crate::reach_story::{SECRETS, Systems};
use crate::support::http::{Reply, Request, Server};
use crate::support::pty::{self, Pty};
use crate::support::until;

const SOON: Duration = Duration::from_secs(60);
/// A text of a table stands between two of these.
const BETWEEN: &str = " ~ ";
/// Longer than keys count as a part of the paste before them.
const GUARD: Duration = Duration::from_millis(300);

/// The texts of one of the tables, with its escapes undone.
fn texts(table: &str) -> Vec<String> {
    let lines = table.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let undone = |line: &str| {
        let line = line.replace("\\\\", "\u{0}");
        let line = line.replace("\\n", "\n").replace("\\r", "\r").replace("\\t", "\t").replace("\\e", "\u{1b}");
        line.replace('\u{0}', "\\")
    };
    lines.map(undone).collect()
}

/// What is typed at the doors, and what of it must not be found behind them.
struct Table {
    /// Lines that hold every text without a line end of its own, and how each is written down.
    lines: Vec<(String, String)>,
    /// Texts with line ends.
    pieces: Vec<String>,
    /// What must be nowhere.
    secrets: Vec<String>,
}

impl Table {
    fn read() -> Self {
        let marked = texts(include_str!("../../src/text/mask/samples/secrets.txt"));
        let harmless = texts(include_str!("../../src/text/mask/samples/harmless.txt"));
        assert!(marked.len() >= 200 && harmless.len() >= 100, "{} and {}", marked.len(), harmless.len());
        let secrets = marked.iter().flat_map(|text| text.split('⟦').skip(1));
        let mut secrets: Vec<String> = secrets.map(|rest| rest.split('⟧').next().unwrap().to_owned()).collect();
        secrets.sort();
        secrets.dedup();
        let bare: Vec<String> = marked.iter().map(|text| text.replace(['⟦', '⟧'], "")).collect();
        // What line mode takes for an end of a line or of a field cuts a text in two.
        let is_line =
            |text: &String| !text.contains(['\n', '\r', '\u{1b}']) && !text.contains("\\n") && !text.contains(" | ");
        let (single, pieces): (Vec<String>, Vec<String>) = bare.into_iter().partition(is_line);
        let mut lines: Vec<(String, String)> = batches(&single);
        let shown: String = pieces.iter().map(|text| Mask::default().mask(text)).collect();
        let harmless = batches(&harmless);
        assert!(harmless.iter().all(|(line, shown)| line == shown));
        lines.extend(harmless);
        // What also stands where it is none, or in a hash by chance, cannot be told from a secret in a file.
        let open: String = lines.iter().map(|(_, shown)| shown.as_str()).chain([shown.as_str()]).collect();
        let is_short = |secret: &str| secret.len() < 12 && secret.chars().all(|letter| letter.is_ascii_hexdigit());
        secrets.retain(|secret| secret.len() >= 6 && !is_short(secret) && !open.contains(secret.as_str()));
        assert!(secrets.len() >= 130, "{}", secrets.len());
        Self { lines, pieces, secrets }
    }

    /// What somebody types at a door: with its name, so that what came through can be told.
    fn at(&self, door: &str) -> impl Iterator<Item = String> {
        self.lines.iter().map(move |(line, _)| format!("{door} {line}"))
    }
}

/// Texts one behind the other, as many as are masked together as each is alone; and what that is.
fn batches(texts: &[String]) -> Vec<(String, String)> {
    let alone: Vec<String> = texts.iter().map(|text| Mask::default().mask(text)).collect();
    let (mut batches, mut begin) = (Vec::new(), 0);
    while begin < texts.len() {
        // Mostly all that is left, or all but a few at the end.
        let mut end = (begin + 60).min(texts.len());
        loop {
            let (line, shown) = (texts[begin..end].join(BETWEEN), alone[begin..end].join(BETWEEN));
            if end == begin + 1 || Mask::default().mask(&line) == shown {
                batches.push((line, shown));
                break;
            }
            end -= 1.max((end - begin) / 3);
        }
        begin = end;
    }
    batches
}

/// What is behind the doors: every byte of the folders, and all that other systems got.
struct Behind {
    /// The texts that files hold, JSON undone.
    texts: String,
}

impl Behind {
    fn look(host: &Host, table: &Table, asked: &[Request]) -> Self {
        let (exported, mut texts) = (host.run(&["journal", "export", "INC-1"]).1, String::new());
        for line in exported.lines() {
            strings(&serde_json::from_str(line).unwrap(), &mut texts);
        }
        let db = rusqlite::Connection::open(journal(host)).unwrap();
        let mut drafts = db.prepare("SELECT text FROM draft").unwrap();
        let rows = drafts.query_map([], |row| row.get::<_, String>(0)).unwrap();
        texts.extend(rows.map(|draft| draft.unwrap() + "\n"));
        let mut found = Vec::new();
        let mut search = |place: &str, text: &str| {
            for secret in &table.secrets {
                let quoted = serde_json::to_string(secret).unwrap();
                if text.contains(secret.as_str()) || text.contains(quoted.trim_matches('"')) {
                    found.push(format!("{secret:?} in {place}"));
                }
            }
        };
        search("the texts", &texts);
        for file in files(host.home.path()) {
            let text = String::from_utf8_lossy(&fs::read(&file).unwrap()).into_owned();
            search(&file.display().to_string(), &text);
            for line in text.lines() {
                match serde_json::from_str(line) {
                    Ok(value) => strings(&value, &mut texts),
                    Err(_) => texts.push_str(line),
                }
                texts.push('\n');
            }
        }
        for request in asked {
            let text = format!("{:?} {:?} {}", request.query, request.headers, request.body);
            search(&format!("{} {}", request.method, request.path), &text);
        }
        assert!(found.is_empty(), "{} leaked:\n{}", found.len(), found.join("\n"));
        Self { texts: spaced(&texts) }
    }

    /// Fails for each door at which something was typed that did not come through as it should.
    #[track_caller]
    fn holds<'a>(&self, table: &Table, doors: impl IntoIterator<Item = &'a str>) {
        let mut missing = Vec::new();
        for door in doors {
            for (_, shown) in &table.lines {
                let line = spaced(&format!("{door} {shown}"));
                if !self.texts.contains(&line) {
                    missing.push(line.chars().take(160).collect::<String>());
                }
            }
        }
        assert!(missing.is_empty(), "{} did not come through:\n{}", missing.len(), missing.join("\n"));
    }
}

/// A text with one blank where there are several.
fn spaced(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn strings(value: &Value, all: &mut String) {
    match value {
        Value::String(text) => {
            all.push_str(text);
            all.push('\n');
        }
        Value::Array(list) => list.iter().for_each(|one| strings(one, all)),
        Value::Object(map) => map.values().for_each(|one| strings(one, all)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path());
    entries
        .flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] })
        .filter(|path| path.is_file())
        .collect()
}

/// What is typed in line mode, for each door with `{}` in place of the words and `<n>` of a number. Lists give their numbers from the first on, and what
/// was settled keeps its own.
const LINES: [(&str, &str); 17] = [
    ("line-note", "{}\n"),
    ("line-todo", "action: {}\n"),
    ("line-amend", "to be amended\n:log 1\n:amend 1 {}\n"),
    ("line-strike", "to be struck\n:log 1\n:strike 1 {}\n"),
    ("line-title", ":title {}\n"),
    ("line-severity", ":sev 3 {}\n:sev 2 up again\n"),
    ("line-cadence", ":cadence <n>h {}\n"),
    ("line-task", ":assign @bob {} 5m\n"),
    ("line-blocked", ":assign @bob look 5m\n:tasks\n:blocked <n> {}\n"),
    ("line-propose", ":propose {} | fees | route back\n"),
    ("line-object", ":propose route to backup | fees | route back\n:decisions\n:object <n> {}\n"),
    ("line-theory", ":theory {} | bob | way back\n"),
    ("line-eliminated", ":theory the pool | bob | way back\n:theories\n:eliminated <n> {}\n"),
    ("line-skip", ":skip 1 {}\n:reopen 1\n"),
    ("line-brief", ":handover ic bob {}\n:offers\n:decline <n> nobody is there\n"),
    ("line-review", ":review playbook alipay {}\n"),
    // A card number and what is not filled in is no text to send: the check of the text refuses it.
    (UPDATE, ":update! {}\n"),
];
const UPDATE: &str = "line-update";

fn console(host: &Host) -> Plain {
    let mut dana = Plain::spawn(host.command(&["open", "INC-1", "--plain"]).envs(SECRETS).stdin(Stdio::piped()));
    dana.ready();
    dana.type_in(":take ic\n:ack\n");
    dana.wait_for("ACK", SOON);
    dana
}

fn type_lines(host: &Host, table: &Table) {
    let mut dana = console(host);
    for (door, line) in LINES {
        for (number, words) in table.at(door).enumerate() {
            dana.type_in(&line.replace("<n>", &(number + 1).to_string()).replace("{}", &words));
        }
    }
    dana.type_in("all doors are through\n");
    dana.wait_for("all doors are through", SOON * 5);
    // What was sent is one thing, and what still waits to be is another.
    dana.signal(rustix::process::Signal::KILL);
    dana.wait_exit(SOON);
}

/// A host with a configuration that leads to every system and to what else is said.
fn leading(systems: &Systems, prometheus: &str, more: &str) -> Host {
    let host = Host::new();
    let folder = host.home.path().join("config/warroom");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("config.toml"), systems.config(NOWHERE, prometheus) + more).unwrap();
    host
}

/// Nobody listens there.
const NOWHERE: &str = "http://127.0.0.1:9";

#[tokio::test]
async fn nothing_of_the_table_gets_through_line_mode_and_all_that_is_harmless_does() {
    let systems = Systems::start().await;
    let hook = Server::start(|_| Reply::status(204, "")).await;
    let host = leading(&systems, NOWHERE, &format!("[webhook]\nurl = \"{}\"\nbearer-env = \"SP\"\n", hook.url()));
    let played = tokio::task::spawn_blocking(move || {
        let table = Table::read();
        host.declare();
        type_lines(&host, &table);
        let asked: Vec<Request> = systems.servers.iter().chain([&hook]).flat_map(Server::requests).collect();
        assert!(asked.iter().filter(|request| request.method == "POST").count() > 5, "{}", asked.len());
        let behind = Behind::look(&host, &table, &asked);
        behind.holds(&table, LINES.iter().map(|(door, _)| *door).filter(|door| *door != UPDATE));
    });
    played.await.unwrap();
}

#[test]
fn nothing_of_the_table_gets_through_the_shell_and_all_that_is_harmless_does() {
    let (host, table) = (Host::new(), Table::read());
    let says = |arguments: &[&str]| {
        let output = host.command(&[&["--as", "dana"], arguments].concat()).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    host.declare();
    let printed = tempfile::NamedTempFile::new().unwrap();
    let all = table.at("printed").chain(table.pieces.iter().cloned()).collect::<Vec<_>>().join("\n\n");
    fs::write(printed.path(), all).unwrap();
    says(&["run", "-i", "INC-1", "--", "cat", printed.path().to_str().unwrap()]);
    for (door, arguments) in [
        ("shell-note", &["note", "-i", "INC-1", "--"][..]),
        ("shell-todo", &["note", "-i", "INC-1", "--kind", "todo", "--"]),
        ("shell-declare", &["declare", "--anyway", "-s", "blubank", "--severity", "sev3", "--"]),
        ("shell-change", &["change", "-s", "alipay", "--"]),
        ("shell-way-back", &["change", "-s", "alipay", "a deploy", "--rollback"]),
        ("shell-run", &["run", "-i", "INC-1", "--", "true"]),
        ("shell-reason", &["amend-time", "INC-1", "detected", "-1m", "--reason"]),
    ] {
        for words in table.at(door) {
            says(&[arguments, &[words.as_str()]].concat());
        }
    }
    for piece in &table.pieces {
        says(&["note", "-i", "INC-1", "--", piece]);
        says(&["change", "--", piece]);
    }
    let out = host.home.path().join("out");
    fs::create_dir(&out).unwrap();
    says(&["postmortem", "INC-1", "--out", out.to_str().unwrap()]);
    let behind = Behind::look(&host, &table, &[]);
    behind.holds(&table, ["shell-note", "shell-todo", "shell-change", "shell-way-back", "shell-run", "shell-reason"]);
    behind.holds(&table, ["printed"]);
}

/// What is pasted into each form of the screen, in place of `{}`: the key that opens it and what it shows, the fields before, and the end.
const FORMS: [(&str, &str, &str, &str); 5] = [
    ("screen-task", "@", "hand work to a named person", "bob\t{}\t\x13"),
    ("screen-propose", "V", "propose what to do", "{}\tfees\tback\x13"),
    ("screen-theory", "Y", "a theory about the cause", "{}\x13"),
    ("screen-note", "n", "", "{}\r"),
    (SCREEN_UPDATE, "u", "", "{}\x13"),
];

/// What holds a card number is no text to send: the check of the text refuses it.
const SCREEN_UPDATE: &str = "screen-update";

/// The file of the record.
fn journal(host: &Host) -> PathBuf {
    host.home.path().join("state/warroom/journal/INC-1.db")
}

/// A console on a terminal, which takes keys as actions.
fn screen(host: &Host) -> Pty {
    let command = host.command(&[]);
    let text = |text: &OsStr| text.to_str().unwrap().to_owned();
    let env: Vec<(String, String)> =
        command.get_envs().filter_map(|(name, value)| Some((text(name), text(value?)))).collect();
    let env: Vec<_> = env.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let binary = OsStr::new(env!("CARGO_BIN_EXE_warroom"));
    let mut console = pty::spawn(binary, &["open", "INC-1", "--as", "dana"], &env, (120, 40));
    console.wait_for("payments are slow", SOON);
    console
}

/// Esc as the newer key protocols send it: unlike the lone byte it needs no pause behind it.
const ESC: &str = "\x1b[27u";

fn pasted(words: &str) -> String {
    format!("\x1b[200~{words}\x1b[201~")
}

#[test]
fn nothing_of_the_table_gets_through_the_forms_of_a_screen_and_all_that_is_harmless_does() {
    let (host, table) = (Host::new(), Table::read());
    host.declare();
    let mut console = screen(&host);
    console.send(ESC);
    console.send("R1\r");
    let db = rusqlite::Connection::open(journal(&host)).unwrap();
    let kept = |door: &str| {
        let count = "SELECT count(*) FROM ev WHERE entry LIKE ?1";
        db.query_row(count, [format!("%{door} %")], |row| row.get::<_, u32>(0)).unwrap()
    };
    for (door, key, shows, keys) in FORMS {
        for (words, number) in table.at(door).zip(1..) {
            console.send(key);
            console.wait_for(shows, SOON);
            let (before, after) = keys.split_once("{}").unwrap();
            console.send(before);
            console.send(pasted(&words));
            // Keys right behind a paste are taken for a part of it.
            console.watch(GUARD);
            console.send(after);
            let mut tries = 0;
            while door != SCREEN_UPDATE && kept(door) < number {
                tries += 1;
                assert!(tries < 400, "{door} takes nothing: {}", console.contents());
                console.watch(Duration::from_millis(40));
                if kept(door) < number && tries % 20 == 0 {
                    console.send(&after[after.len() - 1..]);
                }
            }
            console.send(ESC);
            console.watch(Duration::from_millis(60));
        }
    }
    until("the last note", || host.run(&["show", "INC-1"]).1.contains("screen-note"));
    drop(console);
    let behind = Behind::look(&host, &table, &[]);
    behind.holds(&table, ["screen-task", "screen-propose", "screen-theory", "screen-note"]);
}

#[test]
fn a_half_typed_draft_of_a_killed_console_holds_nothing_of_the_table() {
    let (host, table) = (Host::new(), Table::read());
    host.declare();
    let mut console = screen(&host);
    let all = table.at("draft").chain(table.pieces.iter().cloned()).collect::<Vec<_>>().join("\n\n");
    console.send(ESC);
    console.send("n");
    console.send(pasted(&all));
    let is_kept = || {
        let db = rusqlite::Connection::open(journal(&host)).unwrap();
        let kept = db.query_row("SELECT length(text) FROM draft", [], |row| row.get::<_, u32>(0));
        kept.is_ok_and(|length| length > 1_000)
    };
    until("the draft is kept", is_kept);
    console.kill(rustix::process::Signal::KILL);
    console.wait_exit(SOON);
    Behind::look(&host, &table, &[]).holds(&table, ["draft"]);
}

/// Jaeger's answer to a search: a span for each text, which failed with it.
fn traces(errors: &[String]) -> String {
    let at = clock::wall().timestamp_micros() - 20_000_000;
    let spans = errors.iter().enumerate().map(|(place, error)| {
        json!({
            "traceID": format!("{:032x}", place + 1), "spanID": format!("{:016x}", place + 1), "operationName": format!("pay-{place}"),
            "references": [], "startTime": at, "duration": 1500, "processID": "p1",
            "tags": [{"key": "error", "value": true}],
            "logs": [{"timestamp": at, "fields": [{"key": "event", "value": "exception"}, {"key": "exception.message", "value": error}]}],
        })
    });
    let trace = |span: Value| {
        let (id, processes) = (span["traceID"].clone(), json!({ "p1": { "serviceName": "alipay-gateway" } }));
        json!({ "traceID": id, "spans": [span], "processes": processes })
    };
    json!({ "data": spans.map(trace).collect::<Vec<_>>(), "total": 0, "errors": null }).to_string()
}

/// Alertmanager's answer: an alert for each text, which sums it up.
fn alerts(summaries: &[String]) -> String {
    let begun = (clock::wall() - chrono::TimeDelta::minutes(2)).to_rfc3339();
    let alert = |(place, summary): (usize, &String)| {
        json!({
            "annotations": { "summary": summary, "description": summary }, "startsAt": begun, "updatedAt": begun,
            "endsAt": "0001-01-01T00:00:00Z", "fingerprint": format!("{:016x}", place + 1), "receivers": [],
            "status": { "inhibitedBy": [], "silencedBy": [], "state": "active" }, "generatorURL": "http://vm/g",
            "labels": { "alertname": format!("A{place:02}"), "service": "alipay", "severity": "critical", "said": summary },
        })
    };
    Value::from(summaries.iter().enumerate().map(alert).collect::<Vec<_>>()).to_string()
}

#[tokio::test]
async fn nothing_of_the_table_comes_in_with_pinned_messages_traces_alerts_and_what_a_pager_says() {
    let (systems, table) = (Systems::start().await, Table::read());
    let (failed, firing) = (table.at("traced").collect::<Vec<_>>(), table.at("firing").collect::<Vec<_>>());
    let (found, told, count) = (traces(&failed), alerts(&firing), firing.len());
    let outside = Server::start(move |request| match request.path.as_str() {
        "/api/services" => Reply::json(r#"{"data":["alipay-gateway"],"total":1,"limit":0,"offset":0,"errors":null}"#),
        path if path.starts_with("/api/traces") => Reply::json(found.clone()),
        "/api/v2/alerts" => Reply::json(told.clone()),
        _ => Reply::status(404, "404 page not found\n"),
    })
    .await;
    let jaeger = format!("[jaeger]\nurl = \"{}\"\nevery = \"1s\"\n", outside.url());
    let host = leading(&systems, &outside.url(), &jaeger);
    let played = tokio::task::spawn_blocking(move || {
        host.declare();
        let mut dana = console(&host);
        let opened = dana.said_or_says("out SENT to pagerduty: open the incident as ", SOON);
        let number = opened.split("incident as ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap();
        let room = systems.slack.opened(&format!("inc-{number}"), clock::wall().timestamp());
        until("the pinned message", || systems.slack.0.lock().unwrap().pins.len() == 1);
        for (place, words) in table.at("pinned").enumerate() {
            let ts = format!("{}.{:06}", clock::wall().timestamp(), 900 + place);
            systems.slack.kept(&room, &ts, &words.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"));
            systems.pagerduty.logged(&format!("logged{}", &words["pinned".len()..]), "Eve Stone", "website");
        }
        dana.type_in(":spans\n:alerts\n");
        for number in 1..=count {
            dana.type_in(&format!(":pin trace {number}\n:link {number}\n"));
        }
        let mut heard = 0;
        while heard < 2 * count {
            let line = dana.wait_for("in ", SOON);
            heard += usize::from(line.contains("in slack: pinned") || line.contains("in pagerduty: logged"));
        }
        dana.type_in("all that was said is there\n");
        dana.wait_for("all that was said is there", SOON);
        dana.signal(rustix::process::Signal::KILL);
        dana.wait_exit(SOON);
        let asked: Vec<Request> = systems.servers.iter().flat_map(Server::requests).collect();
        let behind = Behind::look(&host, &table, &asked);
        behind.holds(&table, ["pinned", "logged", "firing"]);
        // Of a long error only the beginning is evidence.
        assert!(behind.texts.matches("traced ").count() >= count);
    });
    played.await.unwrap();
}
