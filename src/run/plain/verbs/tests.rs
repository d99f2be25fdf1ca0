use std::collections::BTreeSet;

use super::*;
use crate::console::actions::{self, Scope};

/// Actions of the screen whose name means nothing without a selected row, and the commands that do the same to a numbered one.
const ELSEWHERE: [(&str, &[&str]); 5] = [
    ("alerts.act", &["link", "declare-from"]),
    ("timeline.write", &["note"]),
    ("next.satisfy", &["acknowledge", "update", "decide", "approve", "call-back", "told", "accept-role", "review"]),
    ("work.act", &["call-back", "decide", "object", "eliminated", "confirmed", "approve", "accept-role", "follow-up"]),
    ("work.follow-up", &["follow-up"]),
];

#[test]
fn every_action_that_the_domain_names_is_a_key_or_a_name_on_the_screen_and_a_command_here() {
    let sources = [
        include_str!("../../../incident/command.rs"),
        include_str!("../../../incident/command/after.rs"),
        include_str!("../../../incident/command/run.rs"),
        include_str!("../../../incident/command/tell.rs"),
        include_str!("../../../incident/command/work.rs"),
        include_str!("../../../incident/gate.rs"),
        include_str!("../../../console.rs"),
        include_str!("../../../console/runs.rs"),
    ];
    let mut named = 0;
    for source in sources {
        let code = source.split("#[cfg(test)]").next().unwrap_or_default();
        for name in code.split("By(\"").skip(1).filter_map(|rest| rest.split('"').next()) {
            named += 1;
            assert!(all().any(|verb| verb.is_called(name)), "line mode has no :{name}");
            assert!(actions::all().iter().any(|action| action.name == name), "the screen has no {name}");
        }
        // A clock time without its zone, or a key, in the middle of words.
        for line in code.lines().filter(|line| line.contains("refuse(") || line.contains("want_reason(")) {
            assert!(!line.contains("%H:%M") && !line.contains(" (:"), "{line}");
        }
    }
    assert!(named > 15, "{named}");
    assert_eq!(as_command("reopen"), ":reopen N");
    assert_eq!(as_command("acknowledge"), ":acknowledge");
}

#[test]
fn everything_that_changes_the_record_on_the_screen_is_a_command_of_the_same_name() {
    let has = |name: &str| all().any(|verb| verb.is_called(name));
    for action in actions::all().into_iter().filter(|action| action.writes) {
        let full = action.full_name();
        let own = [action.name];
        let names = ELSEWHERE.iter().find(|(name, _)| *name == full).map_or(&own[..], |(_, names)| *names);
        for name in names {
            assert!(has(name), "the screen has {full}, but line mode has no :{name}");
        }
        // An action of a pane may be called what another one is called everywhere.
        assert!(matches!(action.scope, Scope::Everywhere | Scope::Pane(_)));
    }
}

#[test]
fn a_name_means_one_command() {
    let mut known = BTreeSet::new();
    for verb in all() {
        for name in [verb.name].iter().chain(verb.aliases) {
            assert!(known.insert(*name), ":{name} means two commands");
            assert!(!name.contains(' ') && *name == name.to_lowercase(), "{name}");
        }
        assert!(!verb.help.is_empty() && !verb.help.ends_with('.'), "{}", verb.name);
    }
}
