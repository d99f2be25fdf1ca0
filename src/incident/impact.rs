//! When customers hurt: the stretches that people recorded, of the whole incident or of one service.
//!
//! Hides how stretches that overlap add up, and which one a new moment belongs to.
//!
//! Invariant: a moment that is counted is counted once, however many services hurt in it.

use chrono::{DateTime, TimeDelta, Utc};

use super::{ImpactAt, Mark, ServiceId};
use crate::text::first_word;

/// A stretch in which customers hurt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// Whose customers; absent of all that is affected.
    pub service: Option<ServiceId>,
    /// Since when.
    pub start: DateTime<Utc>,
    /// Until when; absent while it goes on.
    pub end: Option<DateTime<Utc>>,
    /// Who recorded its end, and when.
    ended: Option<Mark>,
}

/// A time in which somebody hurt without a break; its end is absent while it goes on.
pub type Stretch = (DateTime<Utc>, Option<DateTime<Utc>>);

/// What a text says of whose impact it is: a service of the scope as its first word, and the rest.
pub fn whose<'a>(text: &'a str, services: &[ServiceId]) -> (Option<ServiceId>, &'a str) {
    let (word, rest) = first_word(text);
    match services.iter().find(|service| service.eq_ignore_ascii_case(word)) {
        Some(service) => (Some(service.clone()), rest),
        None => (None, text.trim()),
    }
}

/// All of it, in the order in which it was recorded.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Impact {
    windows: Vec<Window>,
}

impl Impact {
    /// Each stretch as it was recorded.
    pub fn windows(&self) -> &[Window] {
        &self.windows
    }

    /// Whether any is recorded.
    pub fn is_known(&self) -> bool {
        !self.windows.is_empty()
    }

    /// Whether some of it goes on.
    pub fn is_open(&self) -> bool {
        self.windows.iter().any(|window| window.end.is_none())
    }

    /// The first moment.
    pub fn start(&self) -> Option<DateTime<Utc>> {
        self.windows.iter().map(|window| window.start).min()
    }

    /// The last moment; absent while some of it goes on, and where there is none.
    pub fn end(&self) -> Option<DateTime<Utc>> {
        self.windows.iter().map(|window| window.end).collect::<Option<Vec<_>>>()?.into_iter().max()
    }

    /// What was recorded of the whole incident last; where only services have stretches, the last of those. It is what a correction means.
    pub fn last(&self) -> Option<&Window> {
        self.windows.iter().rev().find(|window| window.service.is_none()).or(self.windows.last())
    }

    /// The times in which somebody hurt, in their order, each moment once. What ended before it began counts for nothing.
    pub fn stretches(&self) -> Vec<Stretch> {
        let mut all: Vec<Stretch> = self.windows.iter().map(|window| (window.start, window.end)).collect();
        all.retain(|(start, end)| end.is_none_or(|end| end >= *start));
        all.sort_by_key(|(start, _)| *start);
        let mut joined: Vec<Stretch> = Vec::new();
        for (start, end) in all {
            match joined.last_mut() {
                Some((_, last)) if last.is_none_or(|last| start <= last) => {
                    *last = last.zip(end).map(|(last, end)| last.max(end));
                }
                Some(_) | None => joined.push((start, end)),
            }
        }
        joined
    }

    /// The newest of those times.
    pub fn latest(&self) -> Option<Stretch> {
        self.stretches().pop()
    }

    /// How long somebody hurt in all; absent while it goes on, and where a recorded end lies before its start.
    pub fn length(&self) -> Option<TimeDelta> {
        let is_sound = self.windows.iter().all(|window| window.end.is_some_and(|end| end >= window.start));
        let times = self.stretches();
        (is_sound && !times.is_empty())
            .then(|| times.into_iter().filter_map(|(start, end)| Some(end? - start)).sum::<TimeDelta>())
    }

    /// The open stretch that an end would end: of the service, or else the one of the whole incident, which such an end does not close.
    pub fn ends(&self, service: Option<&ServiceId>) -> Option<&Window> {
        let open = |of: Option<&ServiceId>| {
            self.windows.iter().rev().find(|window| window.end.is_none() && window.service.as_ref() == of)
        };
        open(service).or_else(|| open(None)).or_else(|| {
            // Whoever says that it is over says so of every service.
            self.windows.iter().rev().find(|window| window.end.is_none() && service.is_none())
        })
    }

    /// When and by whom the newest end was recorded, of the service or of the whole.
    pub fn ended(&self, service: Option<&ServiceId>) -> Option<(DateTime<Utc>, &Mark)> {
        let of = self.windows.iter().rev().find(|window| window.service.as_ref() == service);
        of.or(self.last()).and_then(|window| Some((window.end?, window.ended.as_ref()?)))
    }

    /// Customers hurt from a moment on: a new stretch where the last one was over by then, or else another beginning of it.
    pub(super) fn begin(&mut self, at: DateTime<Utc>, service: Option<&ServiceId>) {
        let last = self.windows.iter_mut().rev().find(|window| window.service.as_ref() == service);
        match last.filter(|window| window.end.is_none_or(|end| at < end)) {
            Some(window) => (window.start, window.end, window.ended) = (at, None, None),
            None => self.windows.push(Window { service: service.cloned(), start: at, end: None, ended: None }),
        }
    }

    /// Customers do not hurt any more: all, or those of one service. Who was first where somebody had said so before comes back.
    pub(super) fn finish(&mut self, body: &ImpactAt, mark: &Mark) -> Result<(), Option<Mark>> {
        if self.ends(body.service.as_ref()).is_none() {
            // Entries of older builds corrected an end by a second one.
            let Some(last) = self.last_mut().filter(|_| body.service.is_none()) else { return Err(None) };
            if body.is_first {
                return Err(last.ended.clone());
            }
            (last.end, last.ended) = (Some(body.at), Some(mark.clone()));
            return Ok(());
        }
        let is_whole = body.service.is_none();
        let mut own = self
            .windows
            .iter_mut()
            .filter(|window| window.end.is_none() && (is_whole || window.service == body.service));
        let mut is_ended = false;
        for window in own.by_ref() {
            (window.end, window.ended) = (Some(body.at), Some(mark.clone()));
            is_ended = true;
        }
        if !is_ended && let Some(start) = self.ends(None).map(|whole| whole.start) {
            let (service, ended) = (body.service.clone(), Some(mark.clone()));
            self.windows.push(Window { service, start, end: Some(body.at), ended });
        }
        Ok(())
    }

    /// Puts the beginning of the last stretch right.
    pub(super) fn correct_start(&mut self, to: DateTime<Utc>) {
        match self.last_mut() {
            Some(last) => last.start = to,
            None => self.begin(to, None),
        }
    }

    /// Puts the end of the last stretch right.
    pub(super) fn correct_end(&mut self, to: DateTime<Utc>, mark: Mark) {
        if let Some(last) = self.last_mut() {
            (last.end, last.ended) = (Some(to), Some(mark));
        }
    }

    fn last_mut(&mut self) -> Option<&mut Window> {
        let place = self.windows.iter().rposition(|window| window.service.is_none());
        let place = place.or(self.windows.len().checked_sub(1))?;
        self.windows.get_mut(place)
    }
}
