//! Where a ticket goes when it is over, and with which resolution.
//!
//! Hides that every workflow has its own words, that several statuses mean "done" to Jira, one of which is "cancelled", and that there may be no direct
//! way.
//!
//! Invariant: the company's own words come first; of several that could be meant none is guessed: a person is asked, once for an incident.

use std::collections::BTreeSet;

use serde_json::Value;

use super::answers::Transition;
use super::words::TicketEnds;
use crate::incident::Way;
use crate::text::CleanStr;

/// Statuses and resolutions that mean that it was done.
const DONE: &[&str] = &[
    "done",
    "resolved",
    "fixed",
    "complete",
    "completed",
    "closed",
    "finished",
    "erledigt",
    "fertig",
    "gelöst",
    "behoben",
    "geschlossen",
    "abgeschlossen",
    "terminé",
    "résolu",
    "hecho",
    "resuelto",
    "gereed",
    "opgelost",
    "concluído",
];
/// Parts of words that mean that it was not.
const DROPPED: &[&str] = &[
    "cancel",
    "reject",
    "declin",
    "duplicate",
    "won't",
    "wont",
    "won’t",
    "invalid",
    "abandon",
    "drop",
    "discard",
    "obsolete",
    "not reproduc",
    "cannot reproduce",
    "not a bug",
    "abgebrochen",
    "abgelehnt",
    "verworfen",
    "storniert",
    "nicht",
    "annulé",
    "rejeté",
    "rechazad",
    "cancelad",
    "geannuleerd",
    "withdrawn",
];
/// So many ways out are offered.
const MOST_WAYS: usize = 8;

/// How something ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// It was done.
    Done,
    /// It was a false alarm, or is not done after all.
    Dropped,
}

/// What is next for a ticket that is to end.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// This transition, with this resolution where its screen has one.
    Go { id: String, resolution: Option<String>, is_end: bool, status: String },
    /// Somebody must say which.
    Ask { why: CleanStr, ways: Vec<Way> },
    /// No way leads on.
    Nowhere,
}

/// Who decides: the configuration, then what people chose, then words that are the same in many companies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deciding<'a> {
    /// The ticket's project.
    pub project: &'a str,
    /// The ticket.
    pub key: &'a str,
    /// How it ended.
    pub ending: Ending,
    /// The company's own words.
    pub ends: &'a TicketEnds,
    /// What people chose in this incident.
    pub choices: &'a BTreeSet<CleanStr>,
}

impl Deciding<'_> {
    /// The next step; `been` holds the statuses that it was moved through already.
    pub(super) fn next(&self, transitions: &[Transition], been: &BTreeSet<String>) -> Next {
        let ends: Vec<&Transition> = transitions.iter().filter(|one| one.to.status_category.key == "done").collect();
        if ends.is_empty() {
            // Through what is under way, if that is where the way begins.
            let is_on = |one: &&Transition| {
                one.to.status_category.key == "indeterminate"
                    && !been.contains(&one.to.name)
                    && !is_dropped(&one.to.name)
            };
            let Some(on) = transitions.iter().find(is_on) else { return Next::Nowhere };
            return self.go(on, false);
        }
        let names: Vec<&str> = ends.iter().map(|one| one.to.name.as_str()).collect();
        let wanted = match self.ending {
            Ending::Done => &self.ends.done_status,
            Ending::Dropped => &self.ends.dropped_status,
        };
        match self.pick("status", wanted.as_deref(), &names, true) {
            Ok(Some(name)) => {
                ends.iter().find(|one| one.to.name == name).map_or(Next::Nowhere, |one| self.go(one, true))
            }
            Ok(None) => Next::Nowhere,
            Err(ask) => ask,
        }
    }

    fn go(&self, way: &Transition, is_end: bool) -> Next {
        let resolution = match self.resolution(&way.fields) {
            Ok(resolution) => resolution,
            Err(ask) => return ask,
        };
        Next::Go { id: way.id.clone(), resolution, is_end, status: way.to.name.clone() }
    }

    /// The resolution, wherever the screen has one: a ticket without any counts as unresolved.
    fn resolution(&self, fields: &Value) -> Result<Option<String>, Next> {
        let Some(field) = fields.get("resolution") else { return Ok(None) };
        let allowed = field.get("allowedValues").and_then(Value::as_array);
        let names: Vec<&str> = allowed.into_iter().flatten().filter_map(|value| value.get("name")?.as_str()).collect();
        let wanted = match self.ending {
            Ending::Done => &self.ends.done_resolution,
            Ending::Dropped => &self.ends.dropped_resolution,
        };
        let is_required = field.get("required").and_then(Value::as_bool).unwrap_or(false);
        self.pick("resolution", wanted.as_deref(), &names, is_required)
    }

    /// One of some names: the configured one, else the chosen one, else the only one that can be meant.
    fn pick(&self, what: &str, wanted: Option<&str>, names: &[&str], is_needed: bool) -> Result<Option<String>, Next> {
        let key = |name: &str| {
            let how = match self.ending {
                Ending::Done => "done",
                Ending::Dropped => "dropped",
            };
            format!("jira/{}/{how}/{what}/{name}", self.project)
        };
        if let Some(name) = wanted.and_then(|wanted| names.iter().find(|name| is_same(name, wanted))) {
            return Ok(Some((*name).to_owned()));
        }
        if let Some(name) = names.iter().find(|name| self.choices.iter().any(|choice| **choice == *key(name))) {
            return Ok(Some((*name).to_owned()));
        }
        let (dropped, done): (Vec<&str>, Vec<&str>) = names.iter().copied().partition(|name| is_dropped(name));
        let found = match self.ending {
            Ending::Done => usual(&done).or(if done.len() == 1 { done.first().copied() } else { None }),
            // Where a workflow has one end only, that is the end.
            Ending::Dropped if dropped.is_empty() && what == "status" => {
                usual(&done).or(if done.len() == 1 { done.first().copied() } else { None })
            }
            Ending::Dropped => {
                if dropped.len() == 1 {
                    dropped.first().copied()
                } else {
                    None
                }
            }
        };
        if let Some(name) = found {
            return Ok(Some(name.to_owned()));
        }
        if names.is_empty() && !is_needed {
            return Ok(None);
        }
        let how = match self.ending {
            Ending::Done => "done",
            Ending::Dropped => "not done after all",
        };
        let set = match (self.ending, what) {
            (Ending::Done, "status") => "done-status",
            (Ending::Dropped, "status") => "dropped-status",
            (Ending::Done, _) => "done-resolution",
            (Ending::Dropped, _) => "dropped-resolution",
        };
        let why = format!(
            "which {what} means `{how}` in {} is not clear for {}: choose, or set `{set}` in [jira-project]",
            self.project, self.key
        );
        let ways = names.iter().take(MOST_WAYS).map(|name| Way::new(&format!("{what} {name}"), &key(name)));
        Err(Next::Ask { why: CleanStr::new(&why), ways: ways.collect() })
    }
}

fn is_same(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

/// The one of some names that means in many companies that it was done.
fn usual<'a>(names: &[&'a str]) -> Option<&'a str> {
    DONE.iter().find_map(|word| names.iter().find(|name| is_same(name, word)).copied())
}

fn is_dropped(name: &str) -> bool {
    let name = name.to_lowercase();
    DROPPED.iter().any(|part| name.contains(part))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ways(all: &[(&str, &str, Value)]) -> Vec<Transition> {
        let way = |(place, (name, category, fields)): (usize, &(&str, &str, Value))| {
            let to = json!({ "name": name, "statusCategory": { "key": category } });
            serde_json::from_value(json!({ "id": place.to_string(), "name": "x", "to": to, "fields": fields })).unwrap()
        };
        all.iter().enumerate().map(way).collect()
    }

    fn next(ending: Ending, ends: &TicketEnds, choices: &BTreeSet<CleanStr>, all: &[(&str, &str, Value)]) -> Next {
        let deciding = Deciding { project: "OPS", key: "OPS-2", ending, ends, choices };
        deciding.next(&ways(all), &BTreeSet::new())
    }

    fn went(next: Next) -> (String, Option<String>) {
        match next {
            Next::Go { status, resolution, .. } => (status, resolution),
            other => panic!("{other:?}"),
        }
    }

    fn offers(names: &[&str], is_required: bool) -> Value {
        let names: Vec<_> = names.iter().map(|name| json!({ "name": name })).collect();
        json!({ "resolution": { "required": is_required, "allowedValues": names } })
    }

    #[test]
    fn what_was_done_is_never_cancelled_and_what_was_dropped_is_never_done() {
        let (ends, none) = (TicketEnds::default(), BTreeSet::new());
        let two =
            [("In Progress", "indeterminate", json!({})), ("Canceled", "done", json!({})), ("Done", "done", json!({}))];
        assert_eq!(went(next(Ending::Done, &ends, &none, &two)).0, "Done");
        assert_eq!(went(next(Ending::Dropped, &ends, &none, &two)).0, "Canceled");
        let german = [("Abgebrochen", "done", json!({})), ("Erledigt", "done", json!({}))];
        assert_eq!(went(next(Ending::Done, &ends, &none, &german)).0, "Erledigt");
        let one = [("Done", "done", json!({}))];
        assert_eq!(went(next(Ending::Dropped, &ends, &none, &one)).0, "Done");
        let only = [("Cancelled", "done", json!({}))];
        assert!(matches!(next(Ending::Done, &ends, &none, &only), Next::Ask { .. }));
    }

    #[test]
    fn a_resolution_is_given_wherever_the_screen_has_one() {
        let (ends, none) = (TicketEnds::default(), BTreeSet::new());
        let of = |names: &[&str], is_required| [("Done", "done", offers(names, is_required))];
        let required = of(&["Won't Fix", "Duplicate", "Fixed", "Cannot Reproduce"], true);
        assert_eq!(went(next(Ending::Done, &ends, &none, &required)).1.as_deref(), Some("Fixed"));
        let optional = of(&["Done", "Won't Do"], false);
        assert_eq!(went(next(Ending::Done, &ends, &none, &optional)).1.as_deref(), Some("Done"));
        assert_eq!(went(next(Ending::Dropped, &ends, &none, &optional)).1.as_deref(), Some("Won't Do"));
        assert_eq!(went(next(Ending::Done, &ends, &none, &of(&[], false))).1, None);
    }

    #[test]
    fn of_several_none_is_guessed_and_a_word_or_the_configuration_decides() {
        let (ends, none) = (TicketEnds::default(), BTreeSet::new());
        let odd = [("Shipped", "done", json!({})), ("Archived", "done", json!({}))];
        let Next::Ask { why, ways } = next(Ending::Done, &ends, &none, &odd) else { panic!() };
        assert!(why.contains("`done-status` in [jira-project]"), "{why}");
        let chosen = BTreeSet::from([ways[0].choice.clone()]);
        assert_eq!(went(next(Ending::Done, &ends, &chosen, &odd)).0, "Shipped");
        let ends = TicketEnds { done_status: Some("archived".into()), ..ends };
        assert_eq!(went(next(Ending::Done, &ends, &none, &odd)).0, "Archived");
    }

    #[test]
    fn where_no_direct_way_leads_it_goes_through_what_is_under_way() {
        let (ends, none) = (TicketEnds::default(), BTreeSet::new());
        let on = [("In Progress", "indeterminate", json!({})), ("Review", "indeterminate", json!({}))];
        assert_eq!(went(next(Ending::Done, &ends, &none, &on)).0, "In Progress");
        let deciding = Deciding { project: "OPS", key: "OPS-2", ending: Ending::Done, ends: &ends, choices: &none };
        let been = BTreeSet::from(["In Progress".to_owned()]);
        assert_eq!(went(deciding.next(&ways(&on), &been)).0, "Review");
        let been = BTreeSet::from(["In Progress".to_owned(), "Review".to_owned()]);
        assert_eq!(deciding.next(&ways(&on), &been), Next::Nowhere);
    }
}
