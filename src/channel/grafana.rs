//! Grafana's annotations: a region on every dashboard, from the beginning of an incident to its end.
//!
//! Hides that an annotation is found again by its tags.
//!
//! Invariant: one annotation for an incident.

use reqwest::Method;
use serde::Deserialize;
use serde_json::json;

use super::{
    Answering, Channel, Examining, Options, Wanted, absent, call, cannot, found, read, receipt, taken, unknown, without,
};
use crate::checkup::Finding;
use crate::incident::{Act, Opened, Parcel, Receipt, Remote};
use crate::reach::GRAFANA;
use crate::source::below::Below;
use crate::source::http::{Failure, Limits, Site};
use crate::source::{Endpoint, SourceError};

/// Opens it.
pub(super) fn open(endpoint: &Endpoint, _: &Options) -> Result<Box<dyn Channel>, SourceError> {
    Ok(Box::new(Grafana { site: Site::open(GRAFANA, endpoint, Limits::default())? }))
}

#[derive(Debug)]
struct Grafana {
    site: Site,
}

#[derive(Debug, Deserialize)]
struct Annotation {
    id: u64,
}

#[derive(Debug, Deserialize)]
struct Patched {
    #[serde(rename = "message")]
    _message: String,
}

impl Channel for Grafana {
    fn site(&self) -> &Site {
        &self.site
    }

    fn deliver<'a>(&'a self, parcel: &'a Parcel) -> Answering<'a> {
        Box::pin(async move {
            match (&parcel.act, &parcel.about) {
                (Act::Open(opened), _) => {
                    match self.find(parcel).await {
                        Ok(Some(remote)) => return Receipt::There(remote),
                        Ok(None) => {}
                        Err(failure) => return receipt(failure),
                    }
                    let text = text(parcel, opened);
                    let tags = ["warroom", &mark(parcel), &opened.severity.to_string()].map(str::to_owned);
                    let body = json!({ "time": parcel.sent_at.timestamp_millis(), "tags": tags, "text": text });
                    match call(&self.site, Method::POST, "api/annotations", Some(&body)).await {
                        Ok(answer) => match taken::<Annotation>(&self.site, answer).await {
                            Ok(made) => Receipt::There(made.into()),
                            Err(failure) => receipt(failure),
                        },
                        Err(failure) => receipt(failure),
                    }
                }
                (act @ (Act::Resolve | Act::Change(_)), Some(about)) => {
                    let body = match act {
                        Act::Change(said) => json!({ "text": text(parcel, said) }),
                        _ => json!({ "timeEnd": parcel.sent_at.timestamp_millis() }),
                    };
                    let path = Below::of("api/annotations/{}", &[&about.id]);
                    match call(&self.site, Method::PATCH, path.clone(), Some(&body)).await {
                        Ok(answer) => match taken::<Patched>(&self.site, answer).await {
                            Ok(_) => Receipt::There(about.clone()),
                            Err(failure) => receipt(failure),
                        },
                        Err(failure) => receipt(failure),
                    }
                }
                (Act::Resolve | Act::Change(_), None) => without(GRAFANA, parcel),
                _ => cannot(GRAFANA, parcel),
            }
        })
    }

    fn examine<'a>(&'a self, wanted: &'a Wanted<'a>) -> Examining<'a> {
        let _ = wanted;
        Box::pin(async move {
            let asked: Result<Vec<Annotation>, _> = read(&self.site, "api/annotations", &[("limit", "1")]).await;
            vec![found("grafana: annotations can be read", asked, |_| {
                Finding::fine("grafana", "annotations can be read")
            })]
        })
    }

    fn look_up<'a>(&'a self, parcel: &'a Parcel) -> Answering<'a> {
        Box::pin(async move {
            match &parcel.act {
                Act::Open(_) => match self.find(parcel).await {
                    Ok(Some(remote)) => Receipt::There(remote),
                    Ok(None) => absent(GRAFANA),
                    Err(failure) => unknown(failure),
                },
                // The same end twice is one end.
                _ => absent(GRAFANA),
            }
        })
    }
}

impl Grafana {
    async fn find(&self, parcel: &Parcel) -> Result<Option<Remote>, Failure> {
        let query = [("tags", "warroom"), ("tags", &mark(parcel)), ("type", "annotation")];
        let found: Vec<Annotation> = read(&self.site, "api/annotations", &query).await?;
        Ok(found.into_iter().next().map(Remote::from))
    }
}

impl From<Annotation> for Remote {
    fn from(made: Annotation) -> Self {
        made.id.to_string().as_str().into()
    }
}

fn text(parcel: &Parcel, said: &Opened) -> String {
    format!("{} {}: {}", parcel.incident, said.severity, said.title)
}

/// The tag by which it is found again.
fn mark(parcel: &Parcel) -> String {
    format!("warroom:{}", parcel.op)
}
