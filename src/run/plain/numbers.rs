//! Numbers and words by which line mode and a shell name what is in the record: tasks, proposals, texts, lines.
//!
//! Hides which entry a number stands for. A task, a proposal, a theory, a text, an offer, a follow-up has its place among all that the record ever had
//! of its kind: every console and every shell has the same number for it, today and tomorrow. What is no entry, an obligation or a position, is named
//! by a word. Alerts and changes, which no record counts, keep their number as long as a console is open; lines of the timeline are numbered anew by
//! each list of them, and have their number in the record besides (`#17`).
//!
//! Invariant: a number never comes to mean something else.

use crate::change::Change;
use crate::console::overlay;
use crate::incident::{Channel, Duty, EntryId, Event, Incident, ReviewOf};
use crate::pane::Cx;
use crate::text::{CleanStr, folded, is_invisible};

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
            alerts: Numbered::none("alert", ":alerts"),
            changes: Numbered::none("change", ":changes"),
            lines: Numbered::none("line", ":log"),
        }
    }
}

impl Numbers {
    /// Gives everything its number: a script may name what it never listed.
    pub(super) fn learn(&mut self, cx: &Cx<'_>) {
        let incident = cx.incident;
        self.tasks.renew(incident.tasks.iter().map(|task| task.id).collect());
        self.decisions.renew(incident.decisions.iter().map(|decision| decision.id).collect());
        self.theories.renew(incident.hypotheses.iter().map(|theory| theory.id).collect());
        self.follow_ups.renew(incident.follow_ups.iter().map(|item| item.id).collect());
        // What was approved or accepted is no draft and no offer any more, and keeps its number.
        self.drafts.renew(entries(incident, |event| matches!(event, Event::UpdateDrafted(_))));
        self.offers.renew(entries(incident, |event| matches!(event, Event::HandoverOffered(_))));
        self.alerts.all(cx.live.alerts(cx.wall).iter().map(|live| &live.alert.fingerprint));
        let (ours, others) = overlay::lately(cx);
        self.changes.all(ours.into_iter().chain(others));
    }

    /// The change that has a number as long as this console is open, or a word for ever.
    pub(super) fn change(&self, typed: &str) -> Result<Change, String> {
        let named = self.changes.known.iter().find(|one| one.word().eq_ignore_ascii_case(typed.trim()));
        named.cloned().map_or_else(|| self.changes.get(typed), Ok)
    }

    /// The word by which an obligation is named: what it is, and of what.
    pub(super) fn word_of(&mut self, duty: &Duty) -> String {
        match duty {
            Duty::Acknowledge => "acknowledge".to_owned(),
            Duty::TakeCommand => "take-command".to_owned(),
            Duty::Accept(id) => format!("accept-{}", self.offers.of(id)),
            Duty::Decide(id) => format!("decide-{}", self.decisions.of(id)),
            Duty::Approve(id) => format!("approve-{}", self.drafts.of(id)),
            Duty::CallBack(id) => format!("call-back-{}", self.tasks.of(id)),
            Duty::Tell(position) => format!("tell-{}", key(position)),
            Duty::Update(channel) => format!("update-{}", key(channel_word(*channel))),
            Duty::Postmortem => "postmortem".to_owned(),
            Duty::Article => "article".to_owned(),
            Duty::Review(ReviewOf::Playbook(service)) => format!("review-{}", key(service)),
            Duty::Review(ReviewOf::Matrix) => "review-matrix".to_owned(),
            Duty::Review(ReviewOf::Templates) => "review-templates".to_owned(),
            Duty::FollowUp(id) => format!("follow-up-{}", self.follow_ups.of(id)),
            Duty::TakeBack(step) => format!("take-back-{}", key(&step.step)),
        }
    }
}

fn entries(incident: &Incident, is_one: fn(&Event) -> bool) -> Vec<EntryId> {
    incident.entries().filter(|entry| is_one(&entry.event)).map(|entry| entry.id).collect()
}

/// The entry that has a number in the record (`#17`, as `show` has it); where several journal files met, only a whole id is plain.
pub(super) fn entry_numbered(incident: &Incident, word: &str) -> Result<EntryId, String> {
    if let Ok(id) = word.parse::<EntryId>() {
        return Ok(id);
    }
    let id = incident.id();
    let Ok(number) = word.trim_start_matches('#').parse::<u64>() else {
        return Err(format!("`{}` is no number of a line: warroom show {id} has them at the end", CleanStr::new(word)));
    };
    let mut found = incident.entries().map(|entry| entry.id).filter(|entry| entry.rseq == number);
    match (found.next(), found.next()) {
        (Some(only), None) => Ok(only),
        (None, _) => Err(format!("{id} has no line #{number}: warroom show {id} has the numbers at the end")),
        (Some(one), Some(other)) => Err(format!("several entries have this number: name {one} or {other}")),
    }
}

fn channel_word(channel: Channel) -> &'static str {
    match channel {
        Channel::IncidentChannel => "channel",
        Channel::StatusSlack => "status",
        Channel::InternalPage => "internal",
        Channel::ExternalPage => "external",
    }
}

/// Several words as one that is easily typed: small letters and digits with hyphens between them.
pub(super) fn key(words: &str) -> String {
    let words: String = words.chars().filter(|letter| !is_invisible(*letter)).collect();
    let words = words.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect::<Vec<_>>().join("-")
}

/// The thing that a typed word names: by the whole of its word, or by a beginning that no other one has.
pub(super) fn named<T>(typed: &str, all: Vec<(String, T)>, name: &str, list: &str) -> Result<T, String> {
    let wanted = folded(&key(typed));
    let is_whole = all.iter().any(|(word, _)| folded(word) == wanted);
    let begins = |word: &str| !wanted.is_empty() && folded(word).starts_with(&wanted);
    let fits = |word: &str| if is_whole { folded(word) == wanted } else { begins(word) };
    let (mut fit, mut others) = (all.into_iter().filter(|(word, _)| fits(word)), 0);
    let found = fit.next();
    others += fit.count();
    match (found, others) {
        (Some((_, thing)), 0) => Ok(thing),
        (Some(_), _) => Err(format!("`{}` may be several {name}s: write more of it ({list})", CleanStr::new(typed))),
        (None, _) => Err(format!("there is no {name} `{}`: {list} lists them", CleanStr::new(typed))),
    }
}
