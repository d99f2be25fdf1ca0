//! Which incident of PagerDuty is the one that a linked alert has opened there.
//!
//! Hides how an alert is recognised: by its key, or by all its labels in what the integration wrote of it; a title proves nothing.
//!
//! Invariant: nothing else is adopted without a person's word, and what another record has opened never is.

use serde::Deserialize;
use serde_json::Value;

use super::{AT_ONCE, Incident, PagerDuty};
use crate::incident::{EntryId, IncidentId, Linked, Opened, Parcel, Receipt, Way};
use crate::source::below::Below;
use crate::source::http::Failure;
use crate::text::CleanStr;

/// Labels that name the key by themselves.
const KEYS: [&str; 4] = ["dedup_key", "alert_key", "incident_key", "pagerduty_dedup_key"];
/// Of so many open incidents the alerts are looked at, the newest first.
const MOST: usize = 10;

#[derive(Debug, Deserialize)]
struct Alerts {
    #[serde(default)]
    alerts: Vec<Alert>,
}

#[derive(Debug, Deserialize)]
struct Alert {
    #[serde(default)]
    alert_key: Option<String>,
    #[serde(default)]
    body: Value,
}

impl Alert {
    fn is(&self, linked: &Linked) -> bool {
        let mut lines = Vec::new();
        lines_of(&self.body, &mut lines);
        let says = |(name, value): (&CleanStr, &CleanStr)| {
            [format!("- {name} = {value}"), format!("{name}: {value}")].iter().any(|line| lines.contains(line))
        };
        self.alert_key.as_deref().is_some_and(|key| has_key(linked, key))
            || (!linked.labels.is_empty() && linked.labels.iter().all(says))
    }
}

/// All texts in what an integration wrote, line by line; a field with a text is a line, too.
fn lines_of(value: &Value, lines: &mut Vec<String>) {
    match value {
        Value::String(text) => lines.extend(text.lines().map(|line| line.trim().to_owned())),
        Value::Array(all) => all.iter().for_each(|one| lines_of(one, lines)),
        Value::Object(fields) => {
            for (name, value) in fields {
                if let Value::String(text) = value {
                    lines.push(format!("{name}: {text}"));
                }
                lines_of(value, lines);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn has_key(linked: &Linked, key: &str) -> bool {
    let of_label = KEYS.iter().filter_map(|name| linked.labels.get(*name));
    of_label.chain([&linked.fingerprint]).any(|known| !known.is_blank() && **known == *key)
}

impl Incident {
    /// Whether another record has opened it, of this journal or of another one.
    fn is_of_other(&self, parcel: &Parcel) -> bool {
        let key = self.incident_key.as_deref().unwrap_or_default();
        let is_record =
            |(record, entry): (&str, &str)| record.parse::<IncidentId>().is_ok() && entry.parse::<EntryId>().is_ok();
        !self.is_own(parcel) && key.split_once('/').is_some_and(is_record)
    }

    /// Whether a try of ours has opened it, of which nobody heard.
    fn is_own(&self, parcel: &Parcel) -> bool {
        self.incident_key.as_deref() == Some(&*parcel.op)
    }
}

impl PagerDuty {
    /// The incident that is there already, a question to a person, or nothing.
    pub(super) async fn known(
        &self,
        parcel: &Parcel,
        opened: &Opened,
    ) -> Result<Result<Option<Incident>, Receipt>, Failure> {
        let open = self.open_on(&parcel.target).await?.incidents;
        let mut open: Vec<_> = open.into_iter().filter(|one| !one.is_of_other(parcel)).collect();
        let own = format!("pagerduty/{}/own", parcel.target);
        let adopt = |one: &Incident| format!("pagerduty/adopt/{}", one.id);
        let is_chosen = |choice: &str| parcel.choices.iter().any(|taken| **taken == *choice);
        if let Some(place) = open.iter().position(|one| one.is_own(parcel) || is_chosen(&adopt(one))) {
            return Ok(Ok(Some(open.swap_remove(place))));
        }
        if open.is_empty() || is_chosen(&own) {
            return Ok(Ok(None));
        }
        let mut of_alert = Vec::new();
        for (place, one) in open.iter().enumerate().take(MOST) {
            if self.is_of_alert(one, opened).await? {
                of_alert.push(place);
            }
        }
        if let [only] = of_alert[..] {
            return Ok(Ok(Some(open.swap_remove(only))));
        }
        let called = |one: &Incident| {
            let number = one.incident_number.map(|number| format!("#{number} ")).unwrap_or_default();
            format!("{number}{}", one.title)
        };
        let mut ways: Vec<Way> = open
            .iter()
            .take(MOST)
            .map(|one| Way::new(&format!("it is {}: go on with that one", called(one)), &adopt(one)))
            .collect();
        ways.push(Way::new("it is none of them: open another one (`link-incident` merges later)", &own));
        let numbers: Vec<_> = open.iter().filter_map(|one| one.incident_number).map(|one| format!("#{one}")).collect();
        let why = format!("open on that service is {}, and nothing proves that it is this one", numbers.join(", "));
        Ok(Err(Receipt::Asks { why: CleanStr::new(&why), ways }))
    }

    async fn is_of_alert(&self, one: &Incident, opened: &Opened) -> Result<bool, Failure> {
        let key = one.incident_key.as_deref().unwrap_or_default();
        if opened.linked.iter().any(|linked| has_key(linked, key)) {
            return Ok(true);
        }
        if opened.linked.is_empty() {
            return Ok(false);
        }
        let known: Alerts = self.get(Below::of("incidents/{}/alerts", &[&one.id]), &[("limit", AT_ONCE)]).await?;
        Ok(known.alerts.iter().any(|alert| opened.linked.iter().any(|linked| alert.is(linked))))
    }
}
