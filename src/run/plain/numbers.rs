//! Numbers by which line mode names what is in the record: tasks, proposals, texts, lines.
//!
//! Hides which entry a number stands for. What gets a number keeps it until another record opens, so that nothing shifts under a person who has just
//! read it; only lines of the timeline are numbered anew by each list of them.
//!
//! Invariant: a number never comes to mean something else.

use chrono::TimeDelta;

use crate::change::Change;
use crate::incident::{Duty, EntryId};
use crate::pane::Cx;
use crate::pane::due::grouped;
use crate::text::CleanStr;

/// Older changes are not offered as a cause.
pub(super) const LATELY: TimeDelta = TimeDelta::hours(2);

/// Things of one kind, in the order in which they got their numbers.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Numbered<K> {
    known: Vec<K>,
    name: &'static str,
    list: &'static str,
}

impl<K: Clone + PartialEq> Numbered<K> {
    /// None yet; `name` is what one of them is called, `list` the command that lists them.
    fn none(name: &'static str, list: &'static str) -> Self {
        Self { known: Vec::new(), name, list }
    }

    /// The number of a thing, which it gets now if it has none.
    pub(super) fn of(&mut self, thing: &K) -> usize {
        let place = self.known.iter().position(|known| known == thing).unwrap_or_else(|| {
            self.known.push(thing.clone());
            self.known.len() - 1
        });
        place + 1
    }

    fn all<'a>(&mut self, things: impl IntoIterator<Item = &'a K>)
    where
        K: 'a,
    {
        for thing in things {
            self.of(thing);
        }
    }

    /// What a typed number stands for.
    pub(super) fn get(&self, word: &str) -> Result<K, String> {
        let Self { known, name, list } = self;
        let Ok(number) = word.parse::<usize>() else {
            return Err(format!("`{}` is no number of a {name}: {list} lists them", CleanStr::new(word)));
        };
        let found = number.checked_sub(1).and_then(|place| known.get(place));
        found.cloned().ok_or_else(|| format!("there is no {name} {number}: {list} lists them"))
    }

    /// Numbers these from 1, and forgets all others.
    pub(super) fn renew(&mut self, things: Vec<K>) {
        self.known = things;
    }
}

/// All numbers of a session.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Numbers {
    pub(super) tasks: Numbered<EntryId>,
    pub(super) decisions: Numbered<EntryId>,
    pub(super) theories: Numbered<EntryId>,
    pub(super) drafts: Numbered<EntryId>,
    pub(super) offers: Numbered<EntryId>,
    pub(super) follow_ups: Numbered<EntryId>,
    pub(super) duties: Numbered<Duty>,
    pub(super) positions: Numbered<CleanStr>,
    /// By their fingerprints.
    pub(super) alerts: Numbered<CleanStr>,
    pub(super) changes: Numbered<Change>,
    pub(super) lines: Numbered<EntryId>,
}

impl Default for Numbers {
    fn default() -> Self {
        Self {
            tasks: Numbered::none("task", ":tasks"),
            decisions: Numbered::none("proposal", ":decisions"),
            theories: Numbered::none("theory", ":theories"),
            drafts: Numbered::none("text", ":drafts"),
            offers: Numbered::none("offer", ":offers"),
            follow_ups: Numbered::none("follow-up", ":follow-ups"),
            duties: Numbered::none("obligation", ":due"),
            positions: Numbered::none("position", ":told"),
            alerts: Numbered::none("alert", ":alerts"),
            changes: Numbered::none("change", ":changes"),
            lines: Numbered::none("line", ":log"),
        }
    }
}

impl Numbers {
    /// Gives everything that has no number yet the next one, in the order of the lists: a script may name what it never listed.
    pub(super) fn learn(&mut self, cx: &Cx<'_>) {
        let incident = cx.incident;
        self.tasks.all(incident.tasks.iter().map(|task| &task.id));
        self.decisions.all(incident.decisions.iter().map(|decision| &decision.id));
        self.theories.all(incident.hypotheses.iter().map(|theory| &theory.id));
        self.drafts.all(incident.drafts.iter().map(|draft| &draft.id));
        self.offers.all(incident.offers.iter().map(|offer| &offer.id));
        self.follow_ups.all(incident.follow_ups.iter().map(|item| &item.id));
        self.duties.all(grouped(&cx.obligations()).iter().map(|(_, one)| &one.duty));
        self.positions.all(&cx.to_tell());
        self.alerts.all(cx.live.alerts(cx.wall).iter().map(|live| &live.alert.fingerprint));
        self.changes.all(cx.live.changes_since(cx.wall - LATELY));
    }
}
