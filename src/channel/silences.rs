//! Alertmanager's silences.
//!
//! Hides that the same silence posted twice makes two (its comment says whose it is), and that a silence which is gone is told of in three ways.
//!
//! Invariant: every silence has an end and a comment.

use reqwest::Method;
use serde::Deserialize;
use serde_json::json;

use super::{Answering, Channel, Options, absent, call, cannot, complaint, read, receipt, taken, unknown, without};
use crate::incident::{Act, Parcel, Receipt, Remote};
use crate::reach::ALERTMANAGER;
use crate::source::http::{Failure, Limits, Site};
use crate::source::{Endpoint, SourceError};

/// Opens it.
pub(super) fn open(endpoint: &Endpoint, _: &Options) -> Result<Box<dyn Channel>, SourceError> {
    Ok(Box::new(Silences { site: Site::open(ALERTMANAGER, endpoint, Limits::default())? }))
}

#[derive(Debug)]
struct Silences {
    site: Site,
}

#[derive(Debug, Deserialize)]
struct Made {
    #[serde(rename = "silenceID")]
    id: String,
}

#[derive(Debug, Deserialize)]
struct Silence {
    id: String,
    #[serde(default)]
    comment: String,
    status: Status,
}

#[derive(Debug, Deserialize)]
struct Status {
    state: String,
}

impl Channel for Silences {
    fn deliver<'a>(&'a self, parcel: &'a Parcel) -> Answering<'a> {
        Box::pin(async move {
            match (&parcel.act, &parcel.about) {
                (Act::Silence(silencing), _) => {
                    match self.find(parcel).await {
                        Ok(Some(remote)) => return Receipt::There(remote),
                        Ok(None) => {}
                        Err(failure) => return receipt(failure),
                    }
                    let matchers: Vec<_> = silencing
                        .matchers
                        .iter()
                        .map(|(name, value)| json!({ "name": name, "value": value, "isRegex": false, "isEqual": true }))
                        .collect();
                    let by = parcel.from.as_deref().unwrap_or("warroom");
                    let body = json!({
                        "matchers": matchers,
                        "startsAt": parcel.sent_at.to_rfc3339(),
                        "endsAt": silencing.until.to_rfc3339(),
                        "createdBy": by,
                        "comment": format!("{} ({})", parcel.text, mark(parcel)),
                    });
                    match call(&self.site, Method::POST, "api/v2/silences", Some(&body)).await {
                        Ok(answer) => match taken::<Made>(&self.site, answer).await {
                            Ok(made) => Receipt::There(made.id.as_str().into()),
                            Err(failure) => receipt(failure),
                        },
                        Err(failure) => receipt(failure),
                    }
                }
                (Act::Unsilence(_), Some(about)) => {
                    match call(&self.site, Method::DELETE, &format!("api/v2/silence/{}", about.id), None).await {
                        Ok(answer) if answer.is_success() => Receipt::There(about.clone()),
                        // 0.25 says so with 500, later ones with 404.
                        Ok(answer) if String::from_utf8_lossy(&answer.body).contains("not found") => {
                            Receipt::There(about.clone())
                        }
                        Ok(answer) => receipt(complaint(&self.site, &answer)),
                        Err(failure) => receipt(failure),
                    }
                }
                (Act::Unsilence(_), None) => without(ALERTMANAGER, parcel),
                _ => cannot(ALERTMANAGER, parcel),
            }
        })
    }

    fn look_up<'a>(&'a self, parcel: &'a Parcel) -> Answering<'a> {
        Box::pin(async move {
            match &parcel.act {
                Act::Silence(_) => match self.find(parcel).await {
                    Ok(Some(remote)) => Receipt::There(remote),
                    Ok(None) => absent(ALERTMANAGER),
                    Err(failure) => unknown(failure),
                },
                // Ending it twice ends it once.
                _ => absent(ALERTMANAGER),
            }
        })
    }
}

impl Silences {
    async fn find(&self, parcel: &Parcel) -> Result<Option<Remote>, Failure> {
        let all: Vec<Silence> = read(&self.site, "api/v2/silences", &[]).await?;
        let mark = format!("({})", mark(parcel));
        let ours = all.into_iter().find(|one| one.comment.ends_with(&mark) && one.status.state != "expired");
        Ok(ours.map(|one| one.id.as_str().into()))
    }
}

/// The end of its comment, by which it is found again.
fn mark(parcel: &Parcel) -> String {
    format!("warroom {}", parcel.op)
}
