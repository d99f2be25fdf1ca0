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

use serde::Deserialize;
use serde_json::Value;

use super::http::{Failure, Limits, Site};
use super::labels::{Each, Parts, complaint, list, moment, unreadable, word, words};
use super::{Desk, Endpoint, Poller, Source, SourceError, Telling, attend};
use crate::alert::AlertState;
use crate::live::{AlertFinding, Finding, Inquiry, SourceName, Watchlist};
use crate::text::CleanStr;

/// Its name in reports and in the configuration.
pub const NAME: SourceName = "alertmanager";

/// Opens the source of an endpoint.
pub fn open(endpoint: &Endpoint) -> Result<Box<dyn Source>, SourceError> {
    let site = Site::open(NAME, endpoint, Limits::default())?;
    Ok(Box::new(Alertmanager { asker: Asker { site }, every: endpoint.every }))
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

struct Asker {
    site: Site,
}

impl Poller for Asker {
    fn name(&self) -> SourceName {
        NAME
    }

    fn place(&self) -> CleanStr {
        self.site.place().clone()
    }

    async fn poll<'a>(&'a self, _: &'a Watchlist, telling: &'a Telling) -> Result<(), Failure> {
        let found = self.alerts().await?;
        telling.tell(Finding::Alerts(found)).await;
        Ok(())
    }

    /// Alertmanager has no traces: questions for one are another source's.
    async fn answer(&self, inquiry: Inquiry) -> Option<Finding> {
        match inquiry {
            Inquiry::Trace(_) | Inquiry::Usual(_) | Inquiry::Hint | Inquiry::Inject => None,
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
    async fn alerts(&self) -> Result<AlertFinding, Failure> {
        // All are defaults, said because what is left out is not shown.
        let all = [("active", "true"), ("silenced", "true"), ("inhibited", "true"), ("unprocessed", "true")];
        let request = self.site.get("api/v2/alerts")?.query(&all);
        let answer = self.site.ask(request.send()).await?;
        if !answer.is_success() {
            return Err(complaint(&self.site, &answer));
        }
        let each: Each<Wire> = self.site.parse(answer, |text| serde_json::from_str(text)).await?;
        let mut unread = each.unreadable;
        let mut seen = BTreeSet::new();
        let mut alerts = Vec::new();
        for wire in each.read.iter().filter(|wire| !is_over(wire)) {
            match read(wire) {
                Some(parts) => {
                    let alert = parts.alert(NAME);
                    if seen.insert(alert.fingerprint.clone()) {
                        alerts.push(alert);
                    }
                }
                None => unread += 1,
            }
        }
        let remarks = unreadable(unread).into_iter().collect();
        Ok(AlertFinding { alerts, left_out: each.left_out, remarks }.bounded())
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
        fingerprint: Some(word(&wire.fingerprint)),
    })
}
