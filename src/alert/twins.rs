//! One alert of two systems.
//!
//! Hides that Prometheus shows its alerts without the external labels that it adds when it sends them, and that `alert_relabel_configs` may change or
//! drop labels on the way to Alertmanager.
//!
//! Invariant: each alert is taken once, and what cannot be told apart stays apart.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use chrono::TimeDelta;

use super::{Alert, NAME_LABEL, STATE_LABEL};

/// Two systems agree on when an alert fired up to this: an evaluation, and the time it takes to send it.
const AGREE: TimeDelta = TimeDelta::minutes(2);

/// An alert that is another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Twin {
    /// Its place among the others.
    pub place: usize,
    /// Its labels differ: it is taken for the same by its rule, its start and its words.
    pub is_likely: bool,
}

/// Which alert of Alertmanager each alert of Prometheus is.
///
/// First the one of the same name that has all of its labels and the fewest others. Of those that are left, the one of the same name that began at the
/// same time and says the same in its annotations, which are written before labels are changed; without annotations the one that shares most labels.
/// Where two fit equally well none is taken.
pub fn twins(of_prometheus: &[Alert], of_alertmanager: &[Alert]) -> Vec<Option<Twin>> {
    let mut by_name: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (place, alert) in of_alertmanager.iter().enumerate() {
        by_name.entry(&alert.name).or_default().push(place);
    }
    // The most exact ones choose first: what has fewer labels fits to more.
    let mut order: Vec<usize> = (0..of_prometheus.len()).collect();
    order.sort_by_key(|place| Reverse(of_prometheus[*place].labels.len()));
    let mut found = vec![None; of_prometheus.len()];
    for place in &order {
        let ours = &of_prometheus[*place];
        let Some(candidates) = by_name.get_mut(ours.name.as_str()) else { continue };
        let fits = |theirs: &Alert| {
            ours.labels.iter().all(|(key, value)| *key == STATE_LABEL || theirs.labels.get(key) == Some(value))
        };
        let best = candidates.iter().enumerate().filter(|(_, theirs)| fits(&of_alertmanager[**theirs]));
        let best = best.min_by_key(|(_, theirs)| of_alertmanager[**theirs].labels.len()).map(|(index, _)| index);
        found[*place] = best.map(|index| Twin { place: candidates.remove(index), is_likely: false });
    }
    let left = |found: &[Option<Twin>], name: &str| -> Vec<usize> {
        order.iter().copied().filter(|place| found[*place].is_none() && *of_prometheus[*place].name == *name).collect()
    };
    for (name, theirs) in by_name.into_iter().filter(|(_, theirs)| !theirs.is_empty()) {
        let ours = left(&found, name);
        if ours.len() > MOST_COMPARED || theirs.len() > MOST_COMPARED {
            continue;
        }
        for (one, other) in mutual(&ours, &theirs, |one, other| alike(&of_prometheus[one], &of_alertmanager[other])) {
            found[one] = Some(Twin { place: other, is_likely: true });
        }
    }
    found
}

/// Of more alerts of one rule than this nobody could say which is which.
const MOST_COMPARED: usize = 200;

/// How alike two alerts of one name are, if they may be one: whether their annotations agree, then how many labels do.
fn alike(one: &Alert, other: &Alert) -> Option<(bool, usize)> {
    let apart = (one.starts_at - other.starts_at).abs();
    let says_something = !one.annotations.is_empty();
    let shared =
        |key: &str, value: &str| key != NAME_LABEL && other.labels.get(key).is_some_and(|their| their == value);
    let shared = one.labels.iter().filter(|(key, value)| shared(key, value)).count();
    let may_be = apart <= AGREE && one.annotations == other.annotations && (says_something || shared > 0);
    may_be.then_some((says_something, shared))
}

/// Pairs of which each is the other's only best.
fn mutual(
    ours: &[usize],
    theirs: &[usize],
    alike: impl Fn(usize, usize) -> Option<(bool, usize)>,
) -> Vec<(usize, usize)> {
    let best = |all: &[usize], how: &dyn Fn(usize) -> Option<(bool, usize)>| -> Option<usize> {
        let most = all.iter().filter_map(|one| how(*one)).max()?;
        let mut best = all.iter().filter(|one| how(**one) == Some(most));
        // Two that are equally alike: nobody can say.
        best.next().copied().filter(|_| best.next().is_none())
    };
    let mut pairs = Vec::new();
    for one in ours {
        let Some(other) = best(theirs, &|other| alike(*one, other)) else { continue };
        if best(ours, &|one| alike(one, other)) == Some(*one) {
            pairs.push((*one, other));
        }
    }
    pairs
}
