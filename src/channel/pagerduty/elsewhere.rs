//! What somebody did with the incident in PagerDuty itself, met before something is written: it was resolved, merged into another one, or given to
//! somebody else.
//!
//! Invariant: nobody is called for what is over there, and nothing is written to what went into another one, without a person's word; a word for one
//! end is none for the next.

use reqwest::Method;
use serde_json::json;

use super::answers::{Incident, LogEntries, LogEntry, OneIncident};
use super::{AT_ONCE, PagerDuty, refusal, untouched};
use crate::channel::{noted, taken};
use crate::incident::ended::{again, back_key, followed, over_key, went_into};
use crate::incident::{Act, News, Parcel, Receipt, Remote, Watched, Way};
use crate::reach::PAGERDUTY;
use crate::source::below::Below;
use crate::source::http::Failure;
use crate::text::CleanStr;

impl Incident {
    /// The one that it was merged into.
    pub(super) fn went_into(&self) -> Option<Remote> {
        let reason = self.resolve_reason.as_ref().filter(|reason| reason.kind == "merge_resolve_reason")?;
        let into = reason.incident.as_ref()?;
        // `[#4712] title`
        let number = into.summary.as_deref().and_then(|text| text.strip_prefix("[#")?.split_once(']'));
        let name = number.map_or(into.id.as_str(), |(number, _)| number);
        Some(Remote {
            name: Some(name.into()),
            link: into.html_url.as_deref().map(Into::into),
            ..Remote::from(&*into.id)
        })
    }

    /// When it came to stand as it stands, as PagerDuty writes it.
    fn stamp(&self) -> &str {
        self.last_status_change_at.as_deref().unwrap_or_default()
    }

    fn called(&self) -> String {
        self.incident_number.map_or_else(|| self.id.clone(), |number| format!("#{number}"))
    }
}

/// The parcel about what its object is by now.
pub(super) fn where_it_is(parcel: &Parcel) -> Parcel {
    let about = parcel.about.as_ref().map(|about| followed(PAGERDUTY, about, &parcel.choices));
    Parcel { about, ..parcel.clone() }
}

/// Whether an act calls people, or decides who has it.
fn calls(act: &Act) -> bool {
    matches!(act, Act::Page(_) | Act::Escalate(_) | Act::Reassign(_))
}

impl PagerDuty {
    /// The incident as it is right before something is written to it; or what a person must decide first.
    pub(super) async fn met(&self, parcel: &Parcel, path: &Below) -> Result<Incident, Receipt> {
        let one: OneIncident = self.get(path.clone(), &[]).await.map_err(untouched)?;
        let incident = one.incident;
        let is_chosen = |choice: &CleanStr| parcel.choices.contains(choice);
        if incident.status != "resolved" {
            if matches!(parcel.act, Act::Reassign(_) | Act::Escalate(_))
                && let Some(question) = self.given_meanwhile(parcel, path).await.map_err(untouched)?
            {
                return Err(question);
            }
            return Ok(incident);
        }
        if let Some(into) = incident.went_into() {
            let alone = CleanStr::new(&format!("{PAGERDUTY}/alone/{}", incident.id));
            let follow = Way::new(
                &format!("it is #{} now: go on with that one", into.called()),
                &went_into(PAGERDUTY, &incident.id, &into),
            );
            let leave = Way::new(&format!("leave #{} alone: it is somebody else's", into.called()), &alone);
            // Who is to be called is called for the one that is open, or not at all.
            let ways = if calls(&parcel.act) { vec![follow] } else { vec![follow, leave] };
            if ways.len() == 2 && is_chosen(&alone) {
                return Ok(incident);
            }
            let why = format!("{} was merged into #{} in PagerDuty", incident.called(), into.called());
            return Err(Receipt::Asks { why: CleanStr::new(&why), ways });
        }
        if !calls(&parcel.act) || !parcel.standing.phase.is_live() {
            return Ok(incident);
        }
        let choice = again(PAGERDUTY, &incident.id, incident.stamp());
        if is_chosen(&choice) {
            let body = json!({ "incident": { "type": "incident_reference", "status": "acknowledged" } });
            let answer = self.ask(parcel, Method::PUT, path.clone(), &body).await?;
            return match taken::<OneIncident>(&self.site, answer).await {
                Ok(one) => Ok(one.incident),
                Err(failure) => Err(refusal(failure)),
            };
        }
        let who = incident.last_status_change_by.as_ref().and_then(|agent| agent.summary.as_deref());
        let by = who.map(|who| format!(" by {who}")).unwrap_or_default();
        let why = format!("{} was resolved in PagerDuty{by}: nobody is called for what is over", incident.called());
        Err(Receipt::Asks {
            why: CleanStr::new(&why),
            ways: vec![Way::new("open it again there, and do this", &choice)],
        })
    }

    /// Whether a person there has given it to somebody since this was asked for.
    async fn given_meanwhile(&self, parcel: &Parcel, path: &Below) -> Result<Option<Receipt>, Failure> {
        let since = parcel.first_sent_at - self.site.ahead().unwrap_or_default();
        let text = since.to_rfc3339();
        let query = [("is_overview", "true"), ("since", text.as_str()), ("include[]", "channels"), ("limit", AT_ONCE)];
        let log: LogEntries = self.get(path.clone().then("log_entries", &[]), &query).await?;
        let gives = |entry: &&LogEntry| {
            let is_by_hand = entry.agent.as_ref().is_some_and(|agent| agent.kind.starts_with("user"))
                && entry.channel.as_ref().is_some_and(|channel| !channel.kind.contains("api"));
            let kinds = ["assign_log_entry", "delegate_log_entry", "escalate_log_entry"];
            entry.created_at > since && is_by_hand && kinds.contains(&entry.kind.as_str())
        };
        let Some(last) = log.log_entries.iter().filter(gives).max_by_key(|entry| entry.created_at) else {
            return Ok(None);
        };
        let choice = CleanStr::new(&format!("{PAGERDUTY}/given/{}", last.id));
        let why = format!("since this was asked for, PagerDuty has: {}", last.summary);
        let way = Way::new("do it all the same", &choice);
        let question = Receipt::Asks { why: CleanStr::new(&why), ways: vec![way] };
        Ok((!parcel.choices.contains(&choice)).then_some(question))
    }
}

/// That it was ended there while we go on, or that such an end was taken back.
pub(super) fn end_of(incident: &Incident, watched: &Watched) -> Option<News> {
    let stamp = incident.stamp();
    let at = stamp.parse().unwrap_or(watched.since);
    if incident.status != "resolved" {
        let over = watched.over.as_ref()?;
        let text = format!("{} is open there again", incident.called());
        return Some(noted(PAGERDUTY, &back_key(&incident.id, over), "", at, &text));
    }
    if !watched.is_live {
        return None;
    }
    let into = incident.went_into();
    let text = match &into {
        Some(into) => {
            format!("{} was merged into #{} there: `outbox` goes on with that one", incident.called(), into.called())
        }
        None => {
            format!("{} was resolved there, and this incident is not over: `outbox` opens it again", incident.called())
        }
    };
    let who = incident.last_status_change_by.as_ref().and_then(|agent| agent.summary.as_deref()).unwrap_or_default();
    Some(noted(PAGERDUTY, &over_key(&incident.id, stamp, into.as_ref()), who, at, &text))
}
