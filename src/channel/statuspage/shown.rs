//! What the parts of a page are to show: the worst of all that is open, and at the end what stood before.
//!
//! Hides how what a component shows is put together from our incident, other incidents of ours, the page's own incidents and its maintenances, and
//! how a change by hand is told apart from what those explain.
//!
//! Invariant: what is written is never better than the worst that is known to be open; where the page and the records disagree, a person decides.

use std::collections::{BTreeMap, BTreeSet};

use super::answers::{Component, Incident};
use crate::incident::{PageStatus, Parcel, Publication, Severity, Way};
use crate::text::CleanStr;

/// What a component shows, from good to bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Operational,
    UnderMaintenance,
    DegradedPerformance,
    PartialOutage,
    MajorOutage,
}

impl Level {
    const ALL: [Self; 5] =
        [Self::Operational, Self::UnderMaintenance, Self::DegradedPerformance, Self::PartialOutage, Self::MajorOutage];

    /// By the page's word.
    pub(super) fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.word() == word)
    }

    /// The page's word.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Operational => "operational",
            Self::UnderMaintenance => "under_maintenance",
            Self::DegradedPerformance => "degraded_performance",
            Self::PartialOutage => "partial_outage",
            Self::MajorOutage => "major_outage",
        }
    }

    /// As people read it on the page.
    fn said(self) -> String {
        self.word().replace('_', " ")
    }

    /// What an incident makes of what it affects.
    fn by(severity: Severity) -> Self {
        match severity {
            Severity::Sev0 => Self::MajorOutage,
            Severity::Sev1 => Self::PartialOutage,
            Severity::Sev2 | Severity::Sev3 => Self::DegradedPerformance,
        }
    }
}

/// The page, as it was read right before something is written.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// All its parts.
    pub components: Vec<Component>,
    /// The incidents that are open there, ours among them.
    pub unresolved: Vec<Incident>,
    /// The maintenances that are being done.
    pub maintenances: Vec<Incident>,
}

/// What is written of components.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Shown {
    /// What each is set to; what is not here is left as it stands.
    pub set: BTreeMap<String, Level>,
    /// What this incident says of each, for whoever computes the worst next.
    pub claims: BTreeMap<String, Level>,
    /// What each showed before this incident.
    pub before: BTreeMap<String, Level>,
}

/// What a person must decide first.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Question {
    /// What is the matter, in a sentence.
    pub why: CleanStr,
    /// The ways out, the safest first.
    pub ways: Vec<Way>,
}

impl Question {
    /// A question with its ways out, each with what is remembered of it.
    pub(super) fn new(why: &str, ways: &[(String, String)]) -> Self {
        Self { why: why.into(), ways: ways.iter().map(|(words, choice)| Way::new(words, choice)).collect() }
    }
}

/// Computes what is shown, or what a person must decide before.
pub(super) fn shown(
    parcel: &Parcel,
    said: &Publication,
    own: Option<&Incident>,
    seen: &Seen,
) -> Result<Shown, Question> {
    let mut shown = Shown::default();
    let own_before = own.map(Incident::before).unwrap_or_default();
    // What was affected once is put back when the incident no longer affects it.
    let named: BTreeSet<&str> = said.components.iter().map(CleanStr::as_str).collect();
    for id in own_before.keys().map(String::as_str).chain(named.iter().copied()).collect::<BTreeSet<_>>() {
        let desk = Desk { parcel, own, seen, id, is_named: named.contains(id) };
        let Some(part) = desk.part()? else { continue };
        let others = desk.others();
        let now = Level::of(&part.status).unwrap_or(Level::Operational);
        let is_over = said.status == PageStatus::Resolved || !desk.is_named;
        let before = match (own_before.get(id).copied(), own) {
            (Some(before), _) => before,
            // It was published by a warroom that did not keep this.
            (None, Some(own)) if own.claim(id).is_some() => Level::Operational,
            (None, _) => desk.inherited().unwrap_or(if now == others { Level::Operational } else { now }),
        };
        let before = if is_over { desk.back(part, before)? } else { before };
        let claim = (!is_over).then(|| Level::by(said.severity));
        let target = claim.unwrap_or(before).max(before).max(others);
        let target = desk.hidden(part, target, is_over)?;
        let level = match desk.unread(part, now, target)? {
            Some(target) => desk.unless_changed(part, now, target, before.max(others), is_over)?,
            None => None,
        };
        if let Some(level) = level {
            shown.set.insert(id.to_owned(), level);
        }
        if let Some(claim) = claim {
            shown.claims.insert(id.to_owned(), claim);
            shown.before.insert(id.to_owned(), before);
        }
    }
    Ok(shown)
}

/// What components should show for all that was read, where what was written a moment ago is better than that.
pub(super) fn too_good(written: &Shown, own: &str, seen: &[Incident]) -> BTreeMap<String, Level> {
    let worse = written.set.iter().filter_map(|(id, level)| {
        let worst = claims(seen, own, id).max()?;
        (worst > *level).then(|| (id.clone(), worst))
    });
    worse.collect()
}

/// What other incidents say of a component.
fn claims<'a>(all: &'a [Incident], own: &'a str, id: &'a str) -> impl Iterator<Item = Level> + 'a {
    let others = all.iter().filter(move |one| one.id != own && !one.is_over());
    others.filter_map(move |one| one.claim(id))
}

/// One component, with all that bears on it.
struct Desk<'a> {
    parcel: &'a Parcel,
    own: Option<&'a Incident>,
    seen: &'a Seen,
    id: &'a str,
    /// The incident affects it still.
    is_named: bool,
}

impl<'a> Desk<'a> {
    fn own_id(&self) -> &str {
        self.own.map_or("", |own| &own.id)
    }

    fn key(&self, what: &str) -> String {
        format!("page/{}/{}/{what}", self.parcel.target, self.id)
    }

    fn is_chosen(&self, choice: &str) -> bool {
        self.parcel.choices.iter().any(|taken| **taken == *choice)
    }

    /// The component, unless a person said that the text goes without it.
    fn part(&self) -> Result<Option<&'a Component>, Question> {
        let (id, found) = (self.id, self.seen.components.iter().find(|part| part.id == self.id));
        let why = match found {
            Some(part) if !part.group => return Ok(Some(part)),
            Some(part) => format!("{} is a group of components, and only its parts can be set", called(part)),
            None if !self.is_named => return Ok(None),
            None => format!("the page has no component {id}: it was deleted there, or the configuration is wrong"),
        };
        let choice = self.key("without");
        if self.is_chosen(&choice) {
            return Ok(None);
        }
        Err(Question::new(&why, &[("send it without that component".to_owned(), choice)]))
    }

    /// What everything else on the page says of it.
    fn said_by_others(&self) -> impl Iterator<Item = Level> {
        let is_here = |one: &&Incident| one.components.iter().any(|part| part.id == self.id);
        let all = self.seen.maintenances.iter().chain(self.seen.unresolved.iter().filter(|one| one.is_maintenance()));
        let maintained = all.filter(is_here).map(|_| Level::UnderMaintenance);
        claims(&self.seen.unresolved, self.own_id(), self.id).chain(maintained)
    }

    /// The worst of that.
    fn others(&self) -> Level {
        self.said_by_others().max().unwrap_or(Level::Operational)
    }

    /// Whether something else on the page is why it shows this.
    fn explains(&self, now: Level) -> bool {
        self.said_by_others().any(|level| level == now)
    }

    /// What it showed before another incident of ours that is still open: before this one it was that already.
    fn inherited(&self) -> Option<Level> {
        let others = self.seen.unresolved.iter().filter(|one| one.id != self.own_id());
        others.filter_map(|one| one.before().get(self.id).copied()).max()
    }

    /// What stood before is put back; an outage that nobody explains is a person's business.
    fn back(&self, part: &Component, before: Level) -> Result<Level, Question> {
        if before <= Level::UnderMaintenance {
            return Ok(before);
        }
        let key = |way: &str| self.key(&format!("end/before/{}/{way}", before.word()));
        let (back, good) = (key("back"), key("operational"));
        if self.is_chosen(&back) {
            return Ok(before);
        }
        if self.is_chosen(&good) {
            return Ok(Level::Operational);
        }
        let (name, was) = (called(part), before.said());
        let why = format!("{name} showed {was} before this incident, and no incident on the page says why");
        Err(Question::new(
            &why,
            &[
                (format!("send it, and show {was} again"), back),
                (format!("send it, and show {}", Level::Operational.said()), good),
            ],
        ))
    }

    /// What is open here and not on the page is never covered up in silence, nor told to customers without a person's word.
    fn hidden(&self, part: &Component, target: Level, is_over: bool) -> Result<Level, Question> {
        let is_there = |id: &CleanStr| self.seen.unresolved.iter().any(|one| *one.id == **id);
        let hidden = self.parcel.beside.iter().filter(|beside| {
            beside.components.iter().any(|id| **id == *self.id) && !beside.on_page.as_ref().is_some_and(is_there)
        });
        let hidden = hidden.filter_map(|beside| Some((Level::by(beside.severity?), beside.severity?, beside)));
        let Some((level, severity, beside)) = hidden.max_by_key(|one| one.0) else { return Ok(target) };
        if level <= target {
            return Ok(target);
        }
        let (at, inc) = (if is_over { "end" } else { "open" }, beside.incident);
        let key = |shown: Level| self.key(&format!("{at}/{inc}/{}/{}", level.word(), shown.word()));
        if let Some(chosen) = [level, target].into_iter().find(|shown| self.is_chosen(&key(*shown))) {
            return Ok(chosen);
        }
        let why = format!(
            "{inc} ({severity}) is open on this host and affects {}, and the page does not say so: {} may be better than the truth",
            called(part),
            target.said()
        );
        let way = |shown: Level| (format!("send it, and show {}", shown.said()), key(shown));
        Err(Question::new(&why, &[way(level), way(target)]))
    }

    /// A part is not said to be better while what may affect it cannot be read, unless a person says so; nothing where
    /// it stays as it is.
    fn unread(&self, part: &Component, now: Level, target: Level) -> Result<Option<Level>, Question> {
        let unread: Vec<String> = self
            .parcel
            .beside
            .iter()
            .filter(|beside| beside.severity.is_none())
            .map(|beside| beside.incident.to_string())
            .collect();
        if unread.is_empty() || target >= now {
            return Ok(Some(target));
        }
        let key = |way: &str| self.key(&format!("unread/{}/{}/{}/{way}", unread.join("+"), now.word(), target.word()));
        let (leave, better) = (key("leave"), key("better"));
        if self.is_chosen(&leave) {
            return Ok(None);
        }
        if self.is_chosen(&better) {
            return Ok(Some(target));
        }
        let (shows, would) = (now.said(), target.said());
        let why = format!(
            "the record of {} cannot be read (`journal verify` says why) and may be about {}: {would} may be better than the truth",
            unread.join(", "),
            called(part)
        );
        Err(Question::new(
            &why,
            &[(format!("send it, and leave {shows} as it is"), leave), (format!("send it, and show {would}"), better)],
        ))
    }

    /// What it is set to; nothing where a person said that it stays as somebody set it by hand.
    fn unless_changed(
        &self,
        part: &Component,
        now: Level,
        target: Level,
        rest: Level,
        is_over: bool,
    ) -> Result<Option<Level>, Question> {
        let is_expected = match self.own.filter(|own| !own.is_over()) {
            Some(own) => now == own.claim(self.id).map_or(rest, |claim| claim.max(rest)) || self.explains(now),
            // Nothing of ours stands there yet: that it gets worse is what the text says.
            None => target >= now,
        };
        if is_expected || now == target {
            return Ok(Some(target));
        }
        let at = if is_over { "end" } else { "open" };
        let facts = format!("{at}/{}/{}", now.word(), target.word());
        // Once overridden, a later change by hand is asked about anew.
        let (leave, ours) = (self.key(&format!("{facts}/leave")), self.key(&format!("{facts}/{}", self.parcel.op)));
        if self.is_chosen(&leave) {
            return Ok(None);
        }
        if self.is_chosen(&ours) {
            return Ok(Some(target));
        }
        let (shows, would) = (now.said(), target.said());
        let why = format!(
            "{} shows {shows} on the page, and no incident there or here says so: this would set it to {would}",
            called(part)
        );
        let mut ways =
            [(format!("send it, and leave {shows} as it is"), leave), (format!("send it, and show {would}"), ours)];
        if target > now {
            ways.reverse();
        }
        Err(Question::new(&why, &ways))
    }
}

/// A component as people know it.
fn called(part: &Component) -> String {
    let Component { id, name, .. } = part;
    if name.is_empty() || name == id { id.clone() } else { format!("{name} ({id})") }
}

#[cfg(test)]
mod tests;
