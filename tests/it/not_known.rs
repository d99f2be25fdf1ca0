//! What could not be read is not told as if there were nothing.

use serde_json::Value;

use crate::plain::Host;
use crate::support::pty::code;

fn shell(host: &Host, words: &[&str]) -> (i32, String, String) {
    let output = host.command(words).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (code(output.status), text(output.stdout), text(output.stderr))
}

fn spoil(host: &Host, name: &str) {
    for suffix in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(host.home.path().join(format!("state/warroom/journal/{name}.db{suffix}")));
    }
    std::fs::write(host.home.path().join(format!("state/warroom/journal/{name}.db")), "no record at all").unwrap();
}

#[test]
fn earlier_incidents_that_cannot_be_read_are_not_none() {
    let host = Host::new();
    host.declare();
    let words = ["false-alarm", "it was a test", "--yes", "false-alarm:INC-1"];
    assert_eq!(shell(&host, &words).0, 0);
    host.run(&["declare", "-s", "alipay", "--severity", "sev2", "again"]);
    assert!(shell(&host, &["past"]).1.contains("INC-1 payments are slow: false alarm"), "it was looked for first");
    spoil(&host, "INC-1");
    let (status, said, complaint) = shell(&host, &["past", "-i", "INC-2"]);
    assert_eq!((status, said.as_str()), (1, ""), "{complaint}");
    assert!(complaint.contains("which incidents there were before is not known: INC-1 cannot be read"), "{complaint}");
    let (_, line) = host.script(&["open", "INC-2", "--plain"], ":past\n");
    assert!(line.contains("! which incidents there were before is not known"), "{line}");
    // Beside what is known the gap is named.
    let words = ["false-alarm", "a test, too", "-i", "INC-2", "--yes", "false-alarm:INC-2"];
    assert_eq!(shell(&host, &words).0, 0);
    host.run(&["declare", "-s", "alipay", "--severity", "sev2", "and again"]);
    let (status, said, _) = shell(&host, &["past", "-i", "INC-3"]);
    assert!(status == 0 && said.contains("INC-2 again") && said.contains("not all is known: INC-1"), "{said}");
}

#[test]
fn drills_and_records_that_cannot_be_read_are_not_none() {
    let host = Host::new();
    assert_eq!(host.script(&["gameday", "--plain"], "").0, 0);
    host.declare();
    spoil(&host, "DRILL-1");
    spoil(&host, "INC-1");
    let (_, said, complaint) = shell(&host, &["gameday", "list"]);
    assert!(said.contains("not known whether it was practised") && !said.contains("never practised"), "{said}");
    assert!(complaint.contains("DRILL-1 is left out"), "{complaint}");
    let (status, _, complaint) = shell(&host, &["gameday", "teams"]);
    assert!(status == 1 && complaint.contains("which drills are recorded here is not known"), "{complaint}");
    let (status, _, complaint) = shell(&host, &["gameday", "teams", "DRILL-1"]);
    assert!(status == 1 && complaint.contains("DRILL-1 is not among the records that can be read"), "{complaint}");
    let (status, _, complaint) = shell(&host, &["gameday", "debrief"]);
    assert!(status == 1 && !complaint.contains("no drill is recorded"), "{complaint}");
    assert!(shell(&host, &["followups"]).1.contains("which follow-ups are open is not known"));
    let said = shell(&host, &["report"]).1;
    assert!(said.contains("NOT WHOLE: 0 incidents could be read") && said.contains("INC-1 is left out"), "{said}");
    for words in
        [&["list", "--json"][..], &["followups", "--json"], &["report", "--json"], &["gameday", "list", "--json"]]
    {
        let json: Value = serde_json::from_str(&shell(&host, words).1).unwrap();
        assert!(!json["not_read"].as_array().unwrap().is_empty(), "{words:?}: {json}");
    }
    // A declaration is hindered by nothing, and says what it could not look at.
    let (status, id, complaint) = shell(&host, &["declare", "-s", "alipay", "--severity", "sev2", "slow"]);
    assert_eq!((status, id.trim()), (0, "INC-2"), "{complaint}");
    assert!(
        complaint.contains("whether another incident is open on alipay is not known of all records"),
        "{complaint}"
    );
    let (_, line) = host.script(&["open", "--plain"], ":declare ledger 2 slow, too\n");
    assert!(line.contains("open on ledger is not known of all records: INC-1 cannot be read"), "{line}");
    let (_, line) = host.script(&["open", "--plain"], ":report\n:all-follow-ups\n");
    assert!(line.contains("NOT WHOLE") && line.contains("which follow-ups are open is not known"), "{line}");
}

#[test]
fn line_mode_tells_nothing_of_a_record_that_it_could_not_open() {
    let host = Host::new();
    host.declare();
    spoil(&host, "INC-1");
    let asked = ":log\n:steps\n:past\n:due\n:work\n:who\n:follow-ups\n:slo\n:lamps\n:runs\n:tasks\n";
    let (_, said) = host.script(&["open", "INC-1", "--plain"], asked);
    let refused = said.matches("! no record is open here: :open ID opens one, :list tells which there are").count();
    assert_eq!(refused, asked.lines().count(), "{said}");
    for claim in ["timeline: empty", "no service", "nothing is due", "nobody", "no follow-up", "no task"] {
        assert!(!said.contains(claim), "{claim}: {said}");
    }
}

#[test]
fn doctor_says_one_thing_of_a_journal_that_it_cannot_open() {
    let host = Host::new();
    let folder = host.home.path().join("state/warroom");
    std::fs::create_dir_all(&folder).unwrap();
    assert!(shell(&host, &["doctor"]).1.contains("skip  journal: not there yet"));
    std::fs::write(folder.join("journal"), "").unwrap();
    let (status, said, _) = shell(&host, &["doctor"]);
    let lines: Vec<_> = said.lines().filter(|line| line.contains("warroom/journal")).collect();
    assert!(status == 1 && lines.len() == 1 && lines[0].starts_with("FAIL  journal: "), "{said}");
    assert!(!said.contains("not there yet"), "{said}");
    // What is not known twice is told once.
    let (status, _, complaint) = shell(&host, &["declare", "-s", "alipay", "--severity", "sev2", "slow"]);
    assert_eq!((status, complaint.matches("is not a directory").count()), (1, 1), "{complaint}");
}
