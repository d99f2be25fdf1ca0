//! The alerts that Prometheus computes.
//!
//! Hides that an alert says since when its expression holds and what it gave, and only its rule says for how long it must and which way is bad:
//! `activeAt` plus `for`, up to the next evaluation, is when it fired, which is what Alertmanager calls its start.
//!
//! Invariant: rules that cannot be read cost the `for` and the bad side, and are said; they never cost an alert.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::TimeDelta;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{NAME, Server};
use crate::alert::{AlertState, AlertValue, Bad, NAME_LABEL};
use crate::live::AlertFinding;
use crate::source::http::{Answer, Failure, Trouble, quoted};
use crate::source::labels::{Each, Parts, identity_of, list, moment, unreadable, word, words};
use crate::text::CleanStr;

/// A rule that waits longer than this is a slip of the pen.
const LONGEST_FOR: f64 = 366.0 * 86_400.0;
/// So many rules are asked for by name; for more all of them are.
const MOST_NAMED: usize = 20;
/// More remarks than this say nothing more.
const MOST_REMARKS: usize = 8;

#[derive(Deserialize)]
struct Envelope<T> {
    data: Option<T>,
    #[serde(default)]
    error: Value,
    #[serde(default)]
    warnings: Value,
}

#[derive(Deserialize)]
struct Alerts {
    #[serde(default)]
    alerts: Each<Wire>,
}

#[derive(Deserialize)]
struct Rules {
    #[serde(default)]
    groups: Each<Group>,
}

#[derive(Deserialize)]
struct Group {
    #[serde(default)]
    interval: Value,
    #[serde(default)]
    rules: Each<Rule>,
}

#[derive(Deserialize)]
struct Rule {
    #[serde(default)]
    name: String,
    #[serde(default)]
    query: Value,
    #[serde(default)]
    duration: Value,
    #[serde(default)]
    alerts: Each<Wire>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Wire {
    labels: Value,
    annotations: Value,
    state: Value,
    active_at: Value,
    value: Value,
}

/// What a rule says that its alerts do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Said {
    /// For how long its expression must hold.
    wait: Option<TimeDelta>,
    /// Which way of its value is bad.
    bad: Option<Bad>,
}

/// What the rules say, by the alerts that they make.
#[derive(Debug, Default)]
struct Rulebook {
    by_identity: HashMap<CleanStr, Said>,
    /// What rules of one name say alike.
    by_name: HashMap<String, Said>,
}

impl Rulebook {
    fn of(&self, labels: &BTreeMap<String, String>) -> Option<Said> {
        let exact = self.by_identity.get(&identity_of(labels)).copied();
        exact.or_else(|| self.by_name.get(labels.get(NAME_LABEL)?).copied())
    }
}

impl Server {
    /// All alerts that are firing or pending.
    pub(super) async fn alerts(&self) -> Result<AlertFinding, Failure> {
        let answer = self.site.ask(self.site.get("api/v1/alerts")?.send()).await?;
        let (told, mut remarks): (Alerts, _) = self.data(answer).await?;
        let mut unread = told.alerts.unreadable;
        let mut found = Vec::new();
        for wire in told.alerts.read {
            match read(&wire) {
                Some(parts) => found.push(parts),
                None => unread += 1,
            }
        }
        let is_partial = unread > 0 || told.alerts.left_out > 0 || !remarks.is_empty();
        remarks.extend(unreadable(unread));
        if !found.is_empty() {
            match self.rules(&found).await {
                Ok(rules) => {
                    for parts in &mut found {
                        let Some(said) = rules.of(&parts.labels) else { continue };
                        let wait = said.wait.unwrap_or_default();
                        parts.starts_at = parts.starts_at.checked_add_signed(wait).unwrap_or(parts.starts_at);
                        if let Some(value) = &mut parts.value {
                            value.bad = said.bad;
                        }
                    }
                }
                Err(failure) => {
                    remarks.push(format!("starts are those of the expressions, without their `for`: {failure}").into());
                }
            }
        }
        let alerts = found.into_iter().map(|parts| self.reading.alert(parts, NAME)).collect();
        let alerts = self.reading.with_silences(alerts, NAME, self.site.now());
        Ok(AlertFinding { alerts, left_out: told.alerts.left_out, remarks, is_partial }.bounded())
    }

    /// Asks the rules for how long they wait, and for what. Servers that know the parameter answer with the rules of these names only, others ignore it.
    async fn rules(&self, found: &[Parts]) -> Result<Rulebook, Failure> {
        let names: BTreeSet<&str> =
            found.iter().filter_map(|parts| parts.labels.get(NAME_LABEL).map(String::as_str)).collect();
        let mut query = vec![("type", "alert")];
        if names.len() <= MOST_NAMED {
            query.extend(names.into_iter().map(|name| ("rule_name[]", name)));
        }
        let request = self.site.get("api/v1/rules")?.query(&query);
        let answer = self.site.ask(request.send()).await?;
        let (rules, _): (Rules, _) = self.data(answer).await?;
        let mut known = Rulebook::default();
        let rules = rules.groups.read.into_iter().flat_map(|group| {
            let interval = seconds(&group.interval);
            group.rules.read.into_iter().map(move |rule| (interval, rule))
        });
        for (interval, rule) in rules {
            let wait = seconds(&rule.duration).map(|wait| up_to(wait, interval));
            let said = Said { wait, bad: Bad::of_expression(&word(&rule.query)) };
            let same = known.by_name.entry(rule.name).or_insert(said);
            same.wait = same.wait.filter(|wait| Some(*wait) == said.wait);
            same.bad = same.bad.filter(|bad| Some(*bad) == said.bad);
            let labels = rule.alerts.read.iter().filter_map(|wire| words(&wire.labels));
            known.by_identity.extend(labels.map(|labels| (identity_of(&labels), said)));
        }
        Ok(known)
    }

    /// What an envelope holds, and what the server remarks beside it.
    async fn data<T: DeserializeOwned + Send + 'static>(&self, answer: Answer) -> Result<(T, Vec<CleanStr>), Failure> {
        if !answer.is_success() {
            return Err(self.site.complaint(&answer));
        }
        let path = answer.path.clone();
        let envelope = self.site.parse(answer, |text| serde_json::from_str::<Envelope<T>>(text)).await?;
        let said = quoted(&word(&envelope.error));
        match envelope.data {
            Some(data) => {
                let error = (!said.is_empty()).then_some(said);
                Ok((
                    data,
                    error
                        .into_iter()
                        .chain(list(&envelope.warnings).iter().map(|text| quoted(text)))
                        .take(MOST_REMARKS)
                        .collect(),
                ))
            }
            None => Err(self.site.failure(Trouble::Garbled, format!("answered {path} without data: {said}"))),
        }
    }
}

fn read(wire: &Wire) -> Option<Parts> {
    let labels = words(&wire.labels).filter(|labels| !labels.is_empty())?;
    Some(Parts {
        labels,
        annotations: words(&wire.annotations).unwrap_or_default(),
        state: if word(&wire.state) == "pending" { AlertState::Pending } else { AlertState::Firing },
        starts_at: moment(&wire.active_at)?,
        generator_url: None,
        value: Some(CleanStr::field(&word(&wire.value)))
            .filter(|text| !text.is_blank())
            .map(|text| AlertValue { text, bad: None }),
        fingerprint: None,
    })
}

/// A rule fires when it is evaluated: of a `for` of 90 s, evaluated each minute, two minutes come.
fn up_to(wait: TimeDelta, interval: Option<TimeDelta>) -> TimeDelta {
    match interval.map(|interval| interval.num_milliseconds()) {
        Some(step @ 1..) => TimeDelta::milliseconds((wait.num_milliseconds() + step - 1) / step * step),
        Some(_) | None => wait,
    }
}

/// A number of seconds, or one in a text.
fn seconds(value: &Value) -> Option<TimeDelta> {
    let number = value.as_f64().or_else(|| value.as_str()?.trim().parse().ok())?;
    (0.0..=LONGEST_FOR).contains(&number).then(|| TimeDelta::milliseconds((number * 1000.0).round() as i64))
}
