//! PagerDuty's Events v2: an alert of ours, by a key that makes repeating harmless.
//!
//! Hides that it says "accepted" and never what became of it: there is nothing to look up, and nothing is needed, because the same key changes
//! nothing twice.
//!
//! Invariant: the routing key stands in the body alone, and in no sentence.

use reqwest::Method;
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use serde_json::{Value, json};

use super::calls::{Call, asks};
use super::spec::{ChannelSpec, Home, Rehearsal};
use super::{
    Answering, Channel, Examining, SystemSettings, Wanted, call, cannot, receipt, secret_finding, taken, without,
};
use crate::change::Change;
use crate::incident::{Act, Opened, Parcel, Receipt, Severity};
use crate::reach::{Habit, PAGERDUTY_EVENTS};
use crate::source::http::{Limits, Site, Spelling};
use crate::source::{Endpoint, SourceError};

/// The longest line that says what is wrong.
const SUMMARY: usize = 1024;

/// What it is.
pub(super) const SPEC: ChannelSpec = ChannelSpec {
    name: PAGERDUTY_EVENTS,
    open,
    keeps: Some((Habit { pages: true, ..Habit::OF_TRACKER }, Home::Itself)),
    sections: &[],
    starter: STARTER,
    calls: CALLS,
    rehearsal: Rehearsal::NONE,
};

/// Its part of the starter file.
const STARTER: &str = r#"[pagerduty-events]
# Where there is no API key: Events v2, with a routing key.
# url = "https://events.pagerduty.com"
# bearer-env = "PAGERDUTY_ROUTING_KEY"

"#;

/// What an incident asks of it.
const CALLS: &[Call] = &[
    asks("POST", "v2/enqueue", "trigger, acknowledge, resolve", "a routing key", "pagerduty-events"),
    asks("POST", "v2/change/enqueue", "`warroom change`", "a routing key", "pagerduty-events"),
];

/// Opens it.
fn open(endpoint: &Endpoint, _: &SystemSettings) -> Result<Box<dyn Channel>, SourceError> {
    let site = Site::open_as(PAGERDUTY_EVENTS, endpoint, Limits::default(), Spelling::Kept)?;
    Ok(Box::new(Events { site }))
}

/// Tells of a change that may be a cause: those who are paged for the service see it beside the incident.
///
/// `POST v2/change/enqueue`: 202 with `{"status": "success"}`. A change has no key: what may have arrived is not sent again.
pub(super) async fn announce(endpoint: &Endpoint, change: &Change) -> Result<Receipt, SourceError> {
    let site = Site::open_as(PAGERDUTY_EVENTS, endpoint, Limits::default(), Spelling::Kept)?;
    let routing_key = match site.secret().await {
        Ok(Some(key)) => key,
        Ok(None) => return Ok(no_key()),
        Err(failure) => return Ok(receipt(failure)),
    };
    let service = change.service.as_ref().map(|service| format!("{service}: ")).unwrap_or_default();
    let summary: String = format!("{service}{}", change.what).chars().take(SUMMARY).collect();
    let mut details = json!({ "kind": change.kind, "what": change.what, "by": change.by });
    for (name, value) in [("service", &change.service), ("rollback", &change.rollback)] {
        if let Some(value) = value {
            details[name] = json!(value);
        }
    }
    let links: Vec<_> = change.link.iter().map(|link| json!({ "href": link, "text": "the change" })).collect();
    let body = json!({
        "routing_key": routing_key.expose_secret(),
        "payload": {
            "summary": summary,
            "timestamp": change.at.to_rfc3339(),
            "source": "warroom",
            "custom_details": details,
        },
        "links": links,
    });
    let answer = match call(&site, Method::POST, "v2/change/enqueue", Some(&body)).await {
        Ok(answer) => answer,
        Err(failure) => return Ok(receipt(failure)),
    };
    let said = taken::<Announced>(&site, answer).await;
    Ok(match said {
        Ok(said) if said.status == "success" => Receipt::There("change".into()),
        Ok(said) => Receipt::Unknown(crate::text::CleanStr::new(&format!("it answered `{}`", said.status))),
        Err(failure) => receipt(failure),
    })
}

fn no_key() -> Receipt {
    Receipt::Refused("pagerduty-events has no routing key: set bearer-env in [pagerduty-events]".into())
}

#[derive(Debug, Deserialize)]
struct Announced {
    status: String,
}

#[derive(Debug)]
struct Events {
    site: Site,
}

#[derive(Debug, Deserialize)]
struct Accepted {
    dedup_key: String,
}

impl Channel for Events {
    fn site(&self) -> &Site {
        &self.site
    }

    fn deliver<'a>(&'a self, parcel: &'a Parcel) -> Answering<'a> {
        Box::pin(async move {
            let (action, key, payload) = match (&parcel.act, &parcel.about) {
                (Act::Open(opened), _) => ("trigger", &parcel.op, Some(payload(parcel, opened))),
                // The same key: the alert that is open takes it over, one that is over begins again.
                (Act::Change(opened), Some(about)) => ("trigger", &about.id, Some(payload(parcel, opened))),
                (Act::Reopen, Some(about)) => ("trigger", &about.id, Some(begun_again(parcel))),
                (Act::Acknowledge, Some(about)) => ("acknowledge", &about.id, None),
                (Act::Resolve, Some(about)) => ("resolve", &about.id, None),
                (Act::Change(_) | Act::Reopen | Act::Acknowledge | Act::Resolve, None) => {
                    return without(PAGERDUTY_EVENTS, parcel);
                }
                _ => return cannot(PAGERDUTY_EVENTS, parcel),
            };
            let routing_key = match self.site.secret().await {
                Ok(Some(key)) => key,
                Ok(None) => return no_key(),
                Err(failure) => return receipt(failure),
            };
            let mut body = json!({
                "routing_key": routing_key.expose_secret(),
                "event_action": action,
                "dedup_key": key,
                "client": "warroom",
            });
            if let Some(payload) = payload {
                body["payload"] = payload;
            }
            let answer = match call(&self.site, Method::POST, "v2/enqueue", Some(&body)).await {
                Ok(answer) => answer,
                Err(failure) => return receipt(failure),
            };
            match taken::<Accepted>(&self.site, answer).await {
                Ok(accepted) => Receipt::There(accepted.dedup_key.as_str().into()),
                Err(failure) => receipt(failure),
            }
        })
    }

    fn examine<'a>(&'a self, wanted: &'a Wanted<'a>) -> Examining<'a> {
        let _ = wanted;
        Box::pin(async move { vec![secret_finding(PAGERDUTY_EVENTS, &self.site).await] })
    }

    fn look_up<'a>(&'a self, _: &'a Parcel) -> Answering<'a> {
        Box::pin(async {
            Receipt::NotThere { why: "an event with the same key changes nothing twice".into(), wait: None }
        })
    }
}

fn begun_again(parcel: &Parcel) -> Value {
    json!({
        "summary": format!("{} goes on", parcel.incident),
        "source": "warroom",
        "severity": "critical",
        "timestamp": parcel.sent_at.to_rfc3339(),
        "custom_details": { "description": parcel.text },
    })
}

fn payload(parcel: &Parcel, opened: &Opened) -> Value {
    let severity = match opened.severity {
        Severity::Sev0 | Severity::Sev1 => "critical",
        Severity::Sev2 => "error",
        Severity::Sev3 => "warning",
    };
    let summary: String =
        format!("{} {}: {}", parcel.incident, opened.severity, opened.title).chars().take(SUMMARY).collect();
    json!({
        "summary": summary,
        "source": "warroom",
        "severity": severity,
        "timestamp": parcel.sent_at.to_rfc3339(),
        "custom_details": { "description": parcel.text },
    })
}
