//! Grafana's annotations: a region on every dashboard, from the beginning of an incident to its end.
//!
//! Hides that an annotation is found again by its tags.
//!
//! Invariant: one annotation for an incident.

use std::collections::BTreeMap;

use reqwest::Method;
use serde::Deserialize;
use serde_json::json;

use super::calls::{Call, asks};
use super::spec::{ChannelSpec, Home, Life, Rehearsal, Takes};
use super::{
    Answering, Channel, Examining, SystemSettings, Tidying, Wanted, absent, call, cannot, found, read, receipt,
    removed, taken, unknown, without,
};
use crate::checkup::Finding;
use crate::incident::{Act, Opened, Parcel, Receipt, Remote};
use crate::reach::{GRAFANA, Habit};
use crate::source::below::Below;
use crate::source::http::{Failure, Limits, Site, Trouble};
use crate::source::{Endpoint, SourceError};
use crate::text::CleanStr;

/// What it is.
pub(super) const SPEC: ChannelSpec = ChannelSpec {
    name: GRAFANA,
    open,
    keeps: Some((Habit { acknowledges: false, reopens: false, ..Habit::OF_TRACKER }, Home::Itself)),
    sections: &[],
    starter: STARTER,
    calls: CALLS,
    rehearsal: Rehearsal::of(
        Takes::Flag,
        Life::Region,
        r#"# grafana = false            # true: an annotation, deleted again
"#,
    ),
};

/// Its part of the starter file.
const STARTER: &str = r#"[grafana]
# Annotations from the beginning to the end of an incident.
# url = "https://grafana.company.example"
# bearer-env = "GRAFANA_TOKEN"

"#;

/// What an incident asks of it.
const CALLS: &[Call] = &[
    asks("GET", "api/annotations", "a lost annotation is looked for", "`annotations:read`", "grafana"),
    asks(
        "POST",
        "api/annotations",
        "the incident begins",
        "`annotations:create` for `annotations:type:organization`",
        "grafana: writing",
    ),
    asks(
        "PATCH",
        "api/annotations/*",
        "its text and its end",
        "`annotations:write` for `annotations:type:organization`",
        "grafana: writing",
    ),
    asks("DELETE", "api/annotations/*", "`doctor --rehearse` cleans up", "`annotations:delete`", "grafana"),
];

/// Opens it.
fn open(endpoint: &Endpoint, _: &SystemSettings) -> Result<Box<dyn Channel>, SourceError> {
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
                            Err(failure) if failure.trouble == Trouble::Status(404) => {
                                let why = "somebody deleted the annotation there: `outbox` opens it again";
                                Receipt::Refused(CleanStr::new(&format!("{}: {why}", failure.reason)))
                            }
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

    fn tidy<'a>(&'a self, _: &'a Parcel, made: &'a Remote) -> Tidying<'a> {
        Box::pin(removed(&self.site, Below::of("api/annotations/{}", &[&made.id])))
    }

    fn examine<'a>(&'a self, wanted: &'a Wanted<'a>) -> Examining<'a> {
        let _ = wanted;
        Box::pin(async move {
            let asked: Result<Vec<Annotation>, _> = read(&self.site, "api/annotations", &[("limit", "1")]).await;
            let reads = found("grafana: annotations can be read", asked, |_| {
                Finding::fine("grafana", "annotations can be read")
            });
            std::iter::once(reads).chain(self.writing().await).collect()
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

/// What an incident does with annotations of the organisation, by Grafana's names.
const WRITING: [(&str, &str); 2] =
    [("annotations:create", "an incident cannot begin there"), ("annotations:write", "text and end do not follow")];
/// The scopes that hold the organisation's own annotations: ours belong to no dashboard.
const OF_ORGANISATION: [&str; 4] = ["*", "annotations:*", "annotations:type:*", "annotations:type:organization"];

impl Grafana {
    /// Whether the token may write, as Grafana says of itself since version 9.
    async fn writing(&self) -> Vec<Finding> {
        let what = "grafana: writing";
        let asked = read::<BTreeMap<String, Vec<String>>>(&self.site, "api/access-control/user/permissions", &[]).await;
        let may = match asked {
            Ok(may) => may,
            Err(failure) if matches!(failure.trouble, Trouble::Status(403 | 404)) => {
                let why = "this Grafana does not say what a token may do: its account needs the role Editor";
                return vec![Finding::untried(what, why)];
            }
            Err(failure) => return vec![Finding::wrong(what, &failure.reason)],
        };
        let has = |action: &str| {
            let scopes = may.get(action).into_iter().flatten();
            scopes.into_iter().any(|scope| OF_ORGANISATION.contains(&scope.as_str()))
        };
        let finding = |(action, lost): (&str, &str)| match has(action) {
            true => Finding::fine(&format!("{what} ({action})"), ""),
            false => Finding::wrong(
                &format!("{what} ({action})"),
                &format!(
                    "the token lacks `{action}` for annotations of the organisation, and {lost}: give its service \
                     account the role Editor, or `fixed:annotations:writer`"
                ),
            ),
        };
        WRITING.into_iter().map(finding).collect()
    }

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
