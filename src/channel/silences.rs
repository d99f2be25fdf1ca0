//! Alertmanager's silences.
//!
//! Hides that the same silence posted twice makes two (its comment says whose it is), and that a silence which is gone is told of in three ways.
//!
//! Invariant: every silence has an end and a comment.

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::Method;
use serde::Deserialize;
use serde_json::json;

use super::calls::{Call, asks};
use super::spec::{ChannelSpec, Life, Rehearsal, Takes};
use super::{
    Answering, Channel, Examining, SystemSettings, Telling, Wanted, absent, call, cannot, complaint, found, noted,
    read, receipt, silent, taken, unknown, without,
};
use crate::checkup::Finding;
use crate::incident::{Act, Comparison, Matcher, Parcel, Receipt, Remote, Silencing, Watched};
use crate::reach::ALERTMANAGER;
use crate::source::below::Below;
use crate::source::http::{Failure, Limits, Site};
use crate::source::{Endpoint, SourceError};
use crate::text::CleanStr;

/// What it is.
pub(super) const SPEC: ChannelSpec = ChannelSpec {
    name: ALERTMANAGER,
    open,
    keeps: None,
    sections: &[],
    starter: "",
    calls: CALLS,
    rehearsal: Rehearsal::of(
        Takes::Flag,
        Life::Silence,
        r#"# alertmanager = false       # true: a silence of an alert that does not exist, ended at once
"#,
    ),
};

/// What an incident asks of it.
const CALLS: &[Call] = &[
    asks("GET", "api/v2/alerts", "alerts as they come and go", "the address", "alertmanager"),
    asks("GET", "api/v2/silences", "silences that hit our alerts", "the address", "alertmanager: silences"),
    asks("POST", "api/v2/silences", "`silence`", "writing is not turned off before it", "alertmanager: silences"),
    asks("DELETE", "api/v2/silence/*", "`unsilence`", "writing is not turned off before it", "alertmanager: silences"),
];

/// Opens it.
fn open(endpoint: &Endpoint, _: &SystemSettings) -> Result<Box<dyn Channel>, SourceError> {
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
#[serde(rename_all = "camelCase")]
struct Silence {
    id: String,
    #[serde(default)]
    created_by: String,
    #[serde(default)]
    starts_at: Option<DateTime<Utc>>,
    #[serde(default)]
    ends_at: Option<DateTime<Utc>>,
    #[serde(default)]
    matchers: Vec<Written>,
    #[serde(default)]
    comment: String,
    status: Status,
}

#[derive(Debug, Deserialize)]
struct Status {
    state: String,
}

/// A matcher as its interface writes it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    name: String,
    value: String,
    #[serde(default)]
    is_regex: bool,
    #[serde(default = "yes")]
    is_equal: bool,
}

fn yes() -> bool {
    true
}

impl From<&Written> for Matcher {
    fn from(said: &Written) -> Self {
        let comparison = Comparison::of(said.is_regex, said.is_equal);
        Self { label: said.name.as_str().into(), comparison, value: said.value.as_str().into() }
    }
}

impl Channel for Silences {
    fn site(&self) -> &Site {
        &self.site
    }

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
                        .map(|one| {
                            json!({ "name": one.label, "value": one.value, "isRegex": one.comparison.is_pattern(),
                                    "isEqual": one.comparison.is_positive() })
                        })
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
                            Err(failure) => receipt(with_way_out(failure, silencing)),
                        },
                        Err(failure) => receipt(failure),
                    }
                }
                (Act::Unsilence(_), Some(about)) => {
                    match call(&self.site, Method::DELETE, Below::of("api/v2/silence/{}", &[&about.id]), None).await {
                        Ok(answer) if answer.is_success() => match silent(&self.site, &answer) {
                            Ok(()) => Receipt::There(about.clone()),
                            Err(failure) => receipt(failure),
                        },
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

    fn news<'a>(&'a self, watched: &'a Watched) -> Telling<'a> {
        Box::pin(async move {
            let all: Vec<Silence> = read(&self.site, "api/v2/silences", &[]).await.map_err(|failure| failure.reason)?;
            let mut news = Vec::new();
            for silence in &all {
                let marked = silence.comment.rsplit_once(" (warroom ");
                let planned = marked.and_then(|(_, mark)| watched.planned.get(&CleanStr::new(mark.strip_suffix(')')?)));
                let matchers: Vec<Matcher> = silence.matchers.iter().map(Matcher::from).collect();
                let hits = |labels: &_| matchers.iter().all(|matcher| matcher.may_hit(labels));
                let at = silence.starts_at.unwrap_or(watched.since);
                // That it hits our alerts is as true of one that another record's console made.
                if at < watched.since || !(planned.is_some() || watched.labels.iter().any(hits)) {
                    continue;
                }
                let until = silence.ends_at.map(|at| format!(" until {}", at.format("%H:%M UTC"))).unwrap_or_default();
                let comment = marked.map_or(&*silence.comment, |(comment, _)| comment);
                match (silence.status.state.as_str(), planned) {
                    ("expired", _) => {
                        let (key, at) = (format!("{}/end", silence.id), silence.ends_at.unwrap_or(at));
                        let text = match planned {
                            Some(planned) => how_it_ended(comment, *planned - at),
                            None => {
                                format!(
                                    "a silence of {} that may hit our alerts has ended: {comment}",
                                    silence.created_by
                                )
                            }
                        };
                        // Alertmanager says who made it, and not who ended it: nobody gets a name that may be wrong.
                        news.push(noted(ALERTMANAGER, &key, "", at, &text));
                    }
                    // Whoever made it here has said so.
                    (_, Some(_)) => {}
                    (_, None) => {
                        let text = format!("a silence{until} may hit our alerts: {comment}");
                        news.push(noted(ALERTMANAGER, &silence.id, &silence.created_by, at, &text));
                    }
                }
            }
            Ok(news)
        })
    }

    fn examine<'a>(&'a self, wanted: &'a Wanted<'a>) -> Examining<'a> {
        let _ = wanted;
        Box::pin(async move {
            let what = "alertmanager: silences";
            let asked: Result<Vec<Silence>, _> = read(&self.site, "api/v2/silences", &[]).await;
            vec![found(what, asked, |all| {
                let active = all.iter().filter(|one| one.status.state == "active").count();
                Finding::fine(what, &format!("{active} in force"))
            })]
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

/// How a silence of ours came to its end, by what was left of it.
fn how_it_ended(comment: &str, left: TimeDelta) -> String {
    match left.num_seconds() {
        // It counts whole seconds, and takes a moment itself.
        ..=5 => format!("the silence `{comment}` has ended, as planned"),
        left @ ..=119 => format!("somebody ended the silence `{comment}` in Alertmanager, {left} s before its time"),
        left => {
            format!("somebody ended the silence `{comment}` in Alertmanager, {} min before its time", (left + 30) / 60)
        }
    }
}

/// What helps where a label has a dot and the server knows none.
fn with_way_out(failure: Failure, silencing: &Silencing) -> Failure {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let dotted = silencing.matchers.iter().find(|one| !one.label.chars().all(is_plain));
    match dotted.filter(|_| failure.reason.contains("invalid label name")) {
        Some(one) => {
            let way = format!(
                "{}: Alertmanager before 0.27 knows no label such as {}: name another label of the alert, as it is there",
                failure.reason, one.label
            );
            Failure { reason: CleanStr::field(&way), ..failure }
        }
        None => failure,
    }
}

/// The end of its comment, by which it is found again.
fn mark(parcel: &Parcel) -> String {
    format!("warroom {}", parcel.op)
}
