//! Alertmanager: the alerts that it would tell people of, and those that it keeps to itself.
//!
//! Hides its HTTP API (v2): which alerts are over, that one stands in several groups, and that its errors come as a JSON text, as an object, or as
//! neither. Silences are read with the alerts, and written nowhere.
//!
//! Invariant: silenced and inhibited alerts are told with what suppresses them; an alert is dropped only when the server itself calls it resolved.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use futures_util::future::join_all;
use serde::Deserialize;
use serde_json::Value;

use super::http::{Failure, Limits, Site};
use super::labels::{Each, Parts, Reading, list, moment, unreadable, word, words};
use super::{Desk, Endpoint, Poller, Source, SourceError, Telling, attend};
use crate::alert::AlertState;
use crate::live::{AlertFinding, Finding, Inquiry, SourceName, Watchlist};
use crate::text::CleanStr;

/// Its name in reports and in the configuration.
pub const NAME: SourceName = "alertmanager";

/// Opens the source of an endpoint.
pub fn open(endpoint: &Endpoint) -> Result<Box<dyn Source>, SourceError> {
    let sites = endpoint.each().map(|endpoint| Site::open(NAME, &endpoint, Limits::default()));
    let asker = Asker { sites: sites.collect::<Result<_, _>>()?, reading: Reading::by(&endpoint.alert_rules) };
    Ok(Box::new(Alertmanager { asker, every: endpoint.every }))
}

struct Alertmanager {
    asker: Asker,
    every: Duration,
}

impl Source for Alertmanager {
    fn name(&self) -> SourceName {
        NAME
    }

    fn run(self: Box<Self>, desk: Desk) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(attend(self.asker, self.every, desk))
    }
}

/// The members of one cluster: what any of them tells counts.
struct Asker {
    sites: Vec<Site>,
    reading: Reading,
}

impl Poller for Asker {
    fn name(&self) -> SourceName {
        NAME
    }

    fn place(&self) -> CleanStr {
        let places = self.sites.iter().map(|site| site.place().as_str());
        CleanStr::new(&places.collect::<Vec<_>>().join(", "))
    }

    async fn poll<'a>(&'a self, _: &'a Watchlist, telling: &'a Telling) -> Result<(), Failure> {
        let found = self.all_alerts().await?;
        if let [site] = self.sites.as_slice() {
            telling.tell_clock(site).await;
        }
        telling.tell(Finding::Alerts(found)).await;
        Ok(())
    }

    /// Alertmanager has no traces: questions for one are another source's.
    async fn answer(&self, inquiry: Inquiry) -> Option<Finding> {
        match inquiry {
            Inquiry::Trace(_)
            | Inquiry::Compare(_)
            | Inquiry::Exemplars(_)
            | Inquiry::Usual(_)
            | Inquiry::Hint
            | Inquiry::Inject => None,
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Wire {
    labels: Value,
    annotations: Value,
    starts_at: Value,
    ends_at: Value,
    updated_at: Value,
    fingerprint: Value,
    #[serde(rename = "generatorURL")]
    generator_url: Value,
    status: Value,
}

impl Asker {
    /// The alerts of all members, each once: one that only some of them have counts, and so does that it fires where only some know of a silence.
    async fn all_alerts(&self) -> Result<AlertFinding, Failure> {
        let mut first = None;
        let mut found: Option<AlertFinding> = None;
        let mut remarks = Vec::new();
        for (site, answer) in self.sites.iter().zip(join_all(self.sites.iter().map(|site| self.alerts(site))).await) {
            match (answer, &mut found) {
                (Ok(answer), None) => found = Some(answer),
                (Ok(answer), Some(all)) => {
                    for alert in answer.alerts {
                        match all.alerts.iter_mut().find(|known| known.fingerprint == alert.fingerprint) {
                            Some(known) if alert.is_firing() && !known.is_firing() => *known = alert,
                            Some(_) => {}
                            None => all.alerts.push(alert),
                        }
                    }
                    all.left_out = all.left_out.max(answer.left_out);
                    all.remarks.extend(answer.remarks);
                    all.is_partial |= answer.is_partial;
                }
                (Err(failure), _) => {
                    remarks.push(format!("{} tells nothing: {}", site.label(), failure.reason).into());
                    first = first.or(Some(failure));
                }
            }
        }
        match (found, first) {
            (Some(mut found), _) => {
                found.is_partial |= !remarks.is_empty();
                found.remarks.extend(remarks);
                let now = self.sites.first().map_or_else(crate::clock::wall, Site::now);
                found.alerts = self.reading.with_silences(found.alerts, NAME, now);
                Ok(found.bounded())
            }
            (None, Some(failure)) => Err(failure),
            (None, None) => Ok(AlertFinding::default()),
        }
    }

    async fn alerts(&self, site: &Site) -> Result<AlertFinding, Failure> {
        // All are defaults, said because what is left out is not shown.
        let all = [("active", "true"), ("silenced", "true"), ("inhibited", "true"), ("unprocessed", "true")];
        let request = site.get("api/v2/alerts")?.query(&all);
        let answer = site.ask(request.send()).await?;
        if !answer.is_success() {
            return Err(site.complaint(&answer));
        }
        let each: Each<Wire> = site.parse(answer, |text| serde_json::from_str(text)).await?;
        let mut unread = each.unreadable;
        let mut seen = BTreeSet::new();
        let mut alerts = Vec::new();
        for wire in each.read.iter().filter(|wire| !is_over(wire)) {
            match read(wire) {
                Some(parts) => {
                    let alert = self.reading.alert(parts, NAME);
                    if seen.insert(alert.fingerprint.clone()) {
                        alerts.push(alert);
                    }
                }
                None => unread += 1,
            }
        }
        let remarks = unreadable(unread).into_iter().collect();
        Ok(AlertFinding { alerts, left_out: each.left_out, remarks, is_partial: unread > 0 || each.left_out > 0 })
    }
}

/// Whether an alert had ended when it was updated last. Our own clock is not asked: it may be ahead, and an alert would vanish.
fn is_over(wire: &Wire) -> bool {
    moment(&wire.ends_at).zip(moment(&wire.updated_at)).is_some_and(|(end, updated)| end <= updated)
}

fn read(wire: &Wire) -> Option<Parts> {
    let labels = words(&wire.labels).filter(|labels| !labels.is_empty())?;
    let status = |key: &str| wire.status.get(key).unwrap_or(&Value::Null);
    let (silenced_by, inhibited_by, muted_by) =
        (list(status("silencedBy")), list(status("inhibitedBy")), list(status("mutedBy")));
    let is_suppressed = word(status("state")) == "suppressed"
        || [&silenced_by, &inhibited_by, &muted_by].iter().any(|suppressors| !suppressors.is_empty());
    Some(Parts {
        labels,
        annotations: words(&wire.annotations).unwrap_or_default(),
        state: if is_suppressed {
            AlertState::Suppressed { silenced_by, inhibited_by, muted_by }
        } else {
            AlertState::Firing
        },
        starts_at: moment(&wire.starts_at)?,
        generator_url: Some(word(&wire.generator_url)),
        // It passes alerts on without the value that made them.
        value: None,
        fingerprint: Some(word(&wire.fingerprint)),
    })
}
