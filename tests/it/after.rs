//! The subcommands for what follows an incident, as a person calls them.

use std::path::Path;
use std::process::{Command, Output};

/// What confirms the merge of these tests.
const MERGE: &str = "merge:INC-2-into-INC-1";

struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn run(&self, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_warroom"));
        let home = self.path();
        command.env("HOME", home).env("XDG_CONFIG_HOME", home.join("config")).env("XDG_STATE_HOME", home.join("state"));
        command.env_remove("WARROOM_CONFIG").env("TZ", "UTC").current_dir(home);
        command.args(["--as", "dana", "--journal"]).arg(home.join("journal")).args(args);
        command.output().unwrap()
    }

    fn says(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn refuses(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert!(!output.status.success(), "{args:?}");
        String::from_utf8(output.stderr).unwrap()
    }

    fn declare(&self, more: &[&str]) -> String {
        let args = [&["declare", "--anyway", "-s", "alipay", "--severity", "sev1"], more, &["p99 over 2 s"]].concat();
        self.says(&args).trim().to_owned()
    }
}

#[test]
fn a_postmortem_that_somebody_edited_is_never_overwritten() {
    let desk = Desk::new();
    desk.declare(&["--at", "-20m", "--reporter", "support", "--link", "https://tickets.example/88"]);
    let printed = desk.says(&["postmortem", "INC-1", "--out", "-"]);
    assert!(printed.starts_with("# Postmortem INC-1: p99 over 2 s"), "{printed}");
    assert!(printed.contains("reported by support") && printed.contains("<https://tickets.example/88>"), "{printed}");
    assert!(!desk.path().join("INC-1-postmortem.md").exists());
    let first = desk.says(&["postmortem", "1"]);
    assert_eq!(first.trim(), "./INC-1-postmortem.md", "no calendar before it is resolved");
    assert_eq!(desk.says(&["postmortem", "1"]), first);
    let path = desk.path().join("INC-1-postmortem.md");
    let edited = std::fs::read_to_string(&path).unwrap().replace("_To be filled in._", "We drank coffee.");
    std::fs::write(&path, &edited).unwrap();
    assert_eq!(desk.says(&["postmortem", "1"]).trim(), "./INC-1-postmortem-2.md");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), edited);
}

#[test]
fn a_duplicate_goes_on_in_the_other_record_and_a_half_done_merge_is_finished() {
    let desk = Desk::new();
    desk.declare(&["--at", "-20m"]);
    desk.declare(&["--at", "-30m"]);
    desk.says(&["note", "-i", "2", "-k", "finding", "pool exhausted"]);
    assert!(desk.refuses(&["merge", "2", "--into", "2"]).contains("itself"));
    let saved = desk.path().join("journal/INC-2.db");
    let before = std::fs::read(&saved).unwrap();
    assert!(
        desk.says(&["merge", "INC-2", "--into", "INC-1", "--yes", MERGE])
            .contains("its lines and earliest clocks are there")
    );
    // The head counts seconds.
    let lines = || desk.says(&["show", "1"]).lines().skip(1).map(str::to_owned).collect::<Vec<_>>().join("\n");
    let shown = lines();
    assert_eq!(shown.matches("pool exhausted").count(), 1, "{shown}");
    let json: serde_json::Value = serde_json::from_str(&desk.says(&["show", "1", "--json"])).unwrap();
    let other: serde_json::Value = serde_json::from_str(&desk.says(&["show", "2", "--json"])).unwrap();
    assert_eq!(json["detected_at"], other["detected_at"], "the earliest clock counts");
    assert_eq!(other["phase"], "closed");
    assert!(desk.says(&["merge", "2", "--into", "1"]).contains("nothing is left to do"));
    // As if the second step had never happened.
    std::fs::write(&saved, before).unwrap();
    assert!(desk.says(&["merge", "2", "--into", "1", "--yes", MERGE]).contains("the merge is finished"));
    assert_eq!(lines(), shown, "no line twice");
    assert!(desk.says(&["list"]).lines().all(|line| !line.contains("INC-2")));
    assert!(desk.refuses(&["merge", "1", "--into", "2"]).contains("goes on in INC-1"));
}

#[test]
fn a_line_is_redacted_by_its_number_and_verify_says_so() {
    let desk = Desk::new();
    desk.declare(&[]);
    desk.says(&["note", "the customer is Jane 4111 Doe"]);
    let listed = desk.says(&["redact", "1"]);
    let line = listed.lines().find(|line| line.contains("Jane 4111")).unwrap();
    let number = line.split_whitespace().next().unwrap();
    assert_eq!(listed.lines().count(), 2, "the title is words too: {listed}");
    assert!(desk.refuses(&["redact", "1", number]).contains("--reason"));
    assert!(
        desk.says(&["redact", "1", number, "--reason", "card data", "--yes", &format!("redact:INC-1#{number}")])
            .contains("its words are out of the file")
    );
    assert!(desk.says(&["redact", "1", number, "--reason", "again"]).contains("was redacted before"));
    for args in [&["show", "1"][..], &["journal", "export", "1"], &["postmortem", "1", "--out", "-"], &["brief", "1"]] {
        assert!(!desk.says(args).contains("4111"), "{args:?}");
    }
    let verified = desk.says(&["journal", "verify"]);
    assert!(verified.contains("sound") && verified.contains("1 redacted"), "{verified}");
}

#[test]
fn a_time_is_amended_with_a_reason_and_the_measures_follow() {
    let desk = Desk::new();
    desk.declare(&[]);
    assert!(desk.refuses(&["amend-time", "1", "resolved", "-5m", "--reason", "x"]).contains("it is not resolved"));
    assert!(
        desk.refuses(&["amend-time", "1", "detected", "soon", "--reason", "x"])
            .contains("`soon` is no time: write now, -5m, 14:10")
    );
    let said = desk.says(&["amend-time", "1", "detected", "-45m", "--reason", "the log says so"]);
    assert!(said.starts_with("INC-1: detected is ") && said.contains("(before: "), "{said}");
    let text = desk.says(&["postmortem", "1", "--out", "-"]);
    assert!(text.contains("## Amended times") && text.contains("the log says so"), "{text}");
}

#[test]
fn briefs_follow_ups_and_the_report_answer_on_an_empty_journal_and_on_a_live_one() {
    let desk = Desk::new();
    assert!(desk.says(&["report"]).contains(": 0 incidents"));
    assert!(desk.says(&["followups"]).contains("no follow-up is open"));
    assert!(desk.refuses(&["brief", "1"]).contains("there is no INC-1"));
    desk.declare(&["--at", "-20m"]);
    desk.says(&["note", "-k", "todo", "grow the pool"]);
    assert!(desk.says(&["brief", "1"]).contains("INC-1, SEV1: p99 over 2 s"));
    assert!(desk.says(&["brief", "1", "--since", "-10m"]).contains("Since "));
    assert!(desk.says(&["brief", "1", "--handover"]).contains("acknowledge: nobody, OVERDUE by 15 min"));
    assert!(desk.says(&["followups"]).contains("no owner     grow the pool"));
    let json: serde_json::Value = serde_json::from_str(&desk.says(&["followups", "--json"])).unwrap();
    assert_eq!(
        (&json["follow_ups"][0]["what"], &json["follow_ups"][0]["state"]),
        (&"grow the pool".into(), &"open".into())
    );
    let json: serde_json::Value = serde_json::from_str(&desk.says(&["report", "--since", "30d", "--json"])).unwrap();
    assert_eq!(json["incidents"][0]["acknowledge"], serde_json::json!({ "state": "not-recorded", "seconds": null }));
    assert_eq!(json["gameday"]["state"], "not-recorded");
    assert!(desk.says(&["report", "--since", "2026-05-01"]).contains("1 without owner or day"));
    assert!(desk.refuses(&["report", "--since", "lately"]).contains("`lately` is no time"));
}
