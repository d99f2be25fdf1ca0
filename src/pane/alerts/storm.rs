//! A storm of alerts as a few rows: by rule, or by service, with how many there are of each state.
//!
//! Invariant: every alert is in exactly one group, and the counts of the groups add up to the list.

use std::collections::BTreeMap;

use ratatui::text::{Line, Span};

use super::Seen;
use crate::alert::proposed_severity;
use crate::pane::Cx;
use crate::text::{CleanStr, columns, fit};
use crate::widget::text::minutes;

/// How alerts stand in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) enum By {
    /// Each alone.
    #[default]
    Each,
    /// Those of one rule together.
    Rule,
    /// Those of one service together.
    Service,
}

impl By {
    /// The next way.
    pub(super) fn next(self) -> Self {
        match self {
            Self::Each => Self::Rule,
            Self::Rule => Self::Service,
            Self::Service => Self::Each,
        }
    }

    /// In the title of the pane.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Each => "",
            Self::Rule => " · by rule",
            Self::Service => " · by service",
        }
    }
}

/// Alerts of one rule, or of one service.
#[derive(Debug)]
pub(crate) struct Group<'a> {
    /// Which.
    pub(crate) name: CleanStr,
    /// The alerts, in the order of the list.
    pub(crate) all: Vec<Seen<'a>>,
}

/// What has no service stands under this name.
const NO_SERVICE: &str = "(no service)";
/// So many parts of a group are named.
const MOST_PARTS: usize = 4;
/// The columns of a name.
const NAMES: usize = 34;

fn rule_of(seen: &Seen<'_>) -> CleanStr {
    seen.live.alert.name.clone()
}

fn service_of(seen: &Seen<'_>) -> CleanStr {
    seen.service.as_ref().map_or_else(|| NO_SERVICE.into(), |service| service.as_str().into())
}

/// The groups, the one with most firing alerts first.
pub(crate) fn groups<'a>(seen: &[Seen<'a>], by: By) -> Vec<Group<'a>> {
    let key = match by {
        By::Each => return Vec::new(),
        By::Rule => rule_of,
        By::Service => service_of,
    };
    let mut groups: BTreeMap<CleanStr, Vec<Seen<'a>>> = BTreeMap::new();
    for one in seen {
        groups.entry(key(one)).or_default().push(one.clone());
    }
    let mut groups: Vec<Group<'a>> = groups.into_iter().map(|(name, all)| Group { name, all }).collect();
    let firing = |group: &Group<'_>| group.all.iter().filter(|seen| seen.is_firing()).count();
    groups.sort_by_key(|group| (std::cmp::Reverse(firing(group)), std::cmp::Reverse(group.all.len())));
    groups
}

fn counted<'s>(names: impl Iterator<Item = CleanStr> + 's) -> Vec<(CleanStr, usize)> {
    let mut counts: BTreeMap<CleanStr, usize> = BTreeMap::new();
    for name in names {
        *counts.entry(name).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counts
}

/// A group in words: how many of each state, since when, how many no incident covers, and what it is made of.
pub(crate) fn words(group: &Group<'_>, by: By, cx: &Cx<'_>) -> [String; 3] {
    let states = counted(group.all.iter().map(|seen| seen.live.state.word().into()));
    let states: Vec<String> = states.iter().map(|(word, count)| format!("{count} {word}")).collect();
    let first = group.all.iter().map(|seen| seen.live.alert.starts_at).min();
    let since = first.map(|at| format!("since {}", minutes((cx.now - at).max(chrono::TimeDelta::zero()))));
    let uncovered = group.all.iter().filter(|seen| seen.is_firing() && seen.cover.is_none()).count();
    let uncovered = (uncovered > 0).then(|| format!("{uncovered} without an incident"));
    let parts = match by {
        By::Service => counted(group.all.iter().map(rule_of)),
        By::Rule | By::Each => counted(group.all.iter().map(service_of)),
    };
    let more = parts.len().saturating_sub(MOST_PARTS);
    let mut parts: Vec<String> = parts.iter().take(MOST_PARTS).map(|(name, count)| format!("{name} {count}")).collect();
    parts.extend((more > 0).then(|| format!("and {more} more")));
    let facts: Vec<String> = since.into_iter().chain(uncovered).collect();
    [states.join(", "), facts.join(", "), parts.join(", ")]
}

/// A group as a row.
pub(super) fn line(group: &Group<'_>, by: By, cx: &Cx<'_>) -> Line<'static> {
    let theme = cx.theme;
    let [states, facts, parts] = words(group, by, cx);
    let worst =
        group.all.iter().filter(|seen| seen.is_firing()).filter_map(|seen| proposed_severity(seen.live.alert)).min();
    let style = worst.map(|level| theme.severity(level as u8)).unwrap_or_default();
    let name = fit(&group.name, NAMES).into_owned();
    let pad = NAMES.saturating_sub(columns(&name));
    Line::from(vec![
        Span::styled(format!("{states:>24}  "), style),
        Span::styled(format!("{name}{}  ", " ".repeat(pad)), theme.title(false)),
        Span::raw(format!("{parts}  ")),
        Span::styled(facts, theme.dim()),
    ])
}
