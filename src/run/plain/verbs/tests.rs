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
fn every_key_that_a_refusal_names_has_its_command_here() {
    let refusals = [
        include_str!("../../../incident/command.rs"),
        include_str!("../../../incident/command/after.rs"),
        include_str!("../../../incident/command/tell.rs"),
        include_str!("../../../incident/command/work.rs"),
        include_str!("../../../console.rs"),
    ]
    .concat();
    for (key, _) in HINTS {
        assert!(refusals.contains(key), "no refusal says {key:?} any more");
    }
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
