//! No event, whatever it is, carries a secret into a file.

use std::collections::BTreeSet;
use std::fs;

use super::*;
use crate::incident::event::fake::Filling;
use crate::incident::{Series, Via};
use crate::vault;

/// What stands in every text, each with the piece that must be in no file.
const SECRETS: [(&str, &str); 5] = [
    ("card 4111 1111 1111 1111 declined", "4111 1111"),
    ("with ghp_0123456789abcdefghijABCDEFGHIJ012345 in it", "ghp_0123456789"),
    ("password: Tr0ub4dor&3", "Tr0ub4dor"),
    ("\u{1b}[31m5105\u{1b}[0m 1051 0510 5100", "1051 0510"),
    ("the gateway says wallaby/by+value is unknown", "wallaby/by+value"),
];

/// Files that an incident goes by are kept byte for byte, by their digest; whoever keeps them keeps secrets out of them.
const FILES: [&str; 2] = ["playbook-frozen", "drill-started"];

#[test]
fn no_text_of_any_event_carries_a_secret_into_a_file() {
    vault::remember("wallaby/by+value");
    let home = tempfile::tempdir().unwrap();
    let dir = JournalDir::open(home.path().join("journal"), Sharing::Private).unwrap();
    let mut journal = dir.journal(dir.create(Series::Incident).unwrap(), Via::default()).unwrap();
    let mut without_text: BTreeSet<&str> = Event::KINDS.iter().copied().collect();
    for (text, piece) in SECRETS {
        let mut entries = Vec::new();
        for kind in Event::KINDS.iter().filter(|kind| !FILES.contains(kind)) {
            // Many enough that every variant of every body is among them.
            for seed in 0..24 {
                let event = Event::fake(kind, &Filling { texts: &[text], seed }).expect(kind);
                if format!("{event:?}").contains(piece) {
                    without_text.remove(kind);
                }
                entries.push(NewEntry::new("dana".into(), event));
            }
        }
        for piece in entries.chunks(200) {
            journal.append(piece).unwrap();
        }
    }
    let without_text: Vec<&str> = without_text.into_iter().filter(|kind| !FILES.contains(kind)).collect();
    assert_eq!(without_text, WITHOUT_TEXT, "an event that takes texts now, or none any more");
    for file in fs::read_dir(dir.directory()).unwrap().flatten().filter(|file| file.path().is_file()) {
        let bytes = fs::read(file.path()).unwrap();
        for (_, piece) in SECRETS {
            let is_there = bytes.windows(piece.len()).any(|window| window == piece.as_bytes());
            assert!(!is_there, "{piece} stands in {}", file.path().display());
        }
    }
}

/// Events that say all with their kind, an id, a time or a number.
const WITHOUT_TEXT: &[&str] = &[
    "acknowledged",
    "clock-jumped",
    "command-remarked",
    "drill-paused",
    "drill-resumed",
    "handover-accepted",
    "privacy-set",
    "task-read-back",
];
