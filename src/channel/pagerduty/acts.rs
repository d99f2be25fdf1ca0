//! What the account's own lists decide, and who has an incident: priorities, escalation, assignment.
//!
//! Hides that a priority is set by an ID of the account's list, and that a plan may have none.
//!
//! Invariant: what was asked for is there when PagerDuty's own answer shows it: the level in its log, the people in its assignments.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use reqwest::Method;
use serde_json::{Value, json};

use super::answers::{Incident, LogEntries, LogEntry, OneIncident, Priorities, Priority};
use super::{AT_ONCE, BEFORE, PagerDuty, refusal, unknown_to, untouched};
use crate::channel::naming;
use crate::incident::{Opened, Parcel, Receipt, Remote, Severity};
use crate::source::below::Below;
use crate::source::http::{Failure, Trouble};
use crate::text::CleanStr;

impl PagerDuty {
    /// The priority of a severity: by the name that the configuration gives it, else by the severity's own; none where the account has none of that
    /// name, or its plan has no priorities.
    pub(super) async fn priority(&self, severity: Severity) -> Result<Option<Priority>, Failure> {
        let known = match self.get::<Priorities>("priorities", &[]).await {
            Ok(known) => known.priorities,
            // Accounts whose plan has no priorities refuse the question.
            Err(Failure { trouble: Trouble::Status(402..=404), .. }) => return Ok(None),
            Err(failure) => return Err(failure),
        };
        let name = self.priorities.get(&severity).map_or(severity.name(), |name| name.as_str());
        Ok(known.into_iter().find(|one| one.name.eq_ignore_ascii_case(name)))
    }

    /// Gives it the title and the severity that it has now.
    pub(super) async fn rename(&self, parcel: &Parcel, said: &Opened, path: Below) -> Receipt {
        let mut incident =
            json!({ "type": "incident_reference", "title": said.title, "urgency": super::urgency(said.severity) });
        match self.priority(said.severity).await {
            Ok(Some(one)) => incident["priority"] = json!({ "id": one.id, "type": "priority_reference" }),
            Ok(None) => {}
            Err(failure) => return untouched(failure),
        }
        self.write(parcel, Method::PUT, path, &json!({ "incident": incident }), "incident").await
    }

    /// Whether it is called so and is so urgent.
    pub(super) async fn renamed(&self, said: &Opened, about: &Remote) -> Result<Option<Remote>, Failure> {
        let one: OneIncident = self.get(Below::of("incidents/{}", &[&about.id]), &[]).await?;
        let incident = one.incident;
        let is_it = incident.title == *said.title && incident.urgency == super::urgency(said.severity);
        let wanted = self.priority(said.severity).await?.map(|one| one.id);
        let is_prior = wanted.is_none() || incident.priority.map(|one| one.id) == wanted;
        Ok((is_it && is_prior).then(|| about.clone()))
    }

    /// What somebody opened there, by its number or its ID, whatever its service.
    pub(super) async fn adopted(&self, number: &str) -> Result<Remote, Failure> {
        let one: OneIncident = self.get(Below::of("incidents/{}", &[number]), &[]).await?;
        Ok(Remote { is_adopted: true, ..one.incident.into() })
    }

    /// Calls the people of a level of its escalation policy.
    pub(super) async fn escalate(&self, parcel: &Parcel, level: u32, path: Below) -> Receipt {
        let body = json!({ "incident": { "type": "incident_reference", "escalation_level": level } });
        self.write(parcel, Method::PUT, path, &body, "incident").await
    }

    /// Whether its log has an escalation through the interface since it was asked for.
    pub(super) async fn escalated(&self, parcel: &Parcel, about: &Remote) -> Result<Option<Remote>, Failure> {
        let since: DateTime<Utc> = parcel.first_sent_at - BEFORE - self.site.apart();
        let text = since.to_rfc3339();
        let query = [("is_overview", "true"), ("since", text.as_str()), ("include[]", "channels"), ("limit", AT_ONCE)];
        let log: LogEntries = self.get(Below::of("incidents/{}/log_entries", &[&about.id]), &query).await?;
        let is_it = |entry: &LogEntry| {
            let is_ours = entry.channel.as_ref().is_some_and(|channel| channel.kind.contains("api"));
            entry.kind == "escalate_log_entry" && is_ours && entry.created_at >= since
        };
        Ok(log.log_entries.iter().any(is_it).then(|| about.clone()))
    }

    /// Gives it to people.
    pub(super) async fn reassign(&self, parcel: &Parcel, people: &BTreeSet<CleanStr>, path: Below) -> Receipt {
        let mut users = Vec::new();
        for mail in people {
            match self.user(mail).await {
                Ok(Some(id)) => users.push(id),
                // Half of them would be other people than those who were named.
                Ok(None) => return Receipt::Refused(unknown_to(&[mail])),
                Err(failure) => return untouched(failure),
            }
        }
        let assignee = |id: &String| json!({ "assignee": { "id": id, "type": "user_reference" } });
        let assignments: Vec<Value> = users.iter().map(assignee).collect();
        let body = json!({ "incident": { "type": "incident_reference", "assignments": assignments } });
        let answer = match self.ask(parcel, Method::PUT, path, &body).await {
            Ok(answer) => answer,
            Err(receipt) => return receipt,
        };
        let said = naming(&self.site, answer, "incident").await;
        match said.map(serde_json::from_value::<Incident>) {
            Ok(Ok(incident)) if has(&incident, &users) => {
                Receipt::There(parcel.about.clone().unwrap_or_else(|| incident.into()))
            }
            Ok(Ok(_)) => Receipt::Unknown("pagerduty answered, and did not say that it is theirs".into()),
            Ok(Err(error)) => Receipt::Unknown(CleanStr::new(&format!("pagerduty's answer cannot be read: {error}"))),
            Err(failure) => refusal(failure),
        }
    }

    /// Whether all of them have it.
    pub(super) async fn reassigned(
        &self,
        people: &BTreeSet<CleanStr>,
        about: &Remote,
    ) -> Result<Option<Remote>, Failure> {
        let mut users = Vec::new();
        for mail in people {
            users.extend(self.user(mail).await?);
        }
        let one: OneIncident = self.get(Below::of("incidents/{}", &[&about.id]), &[]).await?;
        let all = users.len() == people.len() && has(&one.incident, &users);
        Ok(all.then(|| about.clone()))
    }
}

fn has(incident: &Incident, users: &[String]) -> bool {
    let known: BTreeSet<&str> = incident.assignments.iter().map(|one| one.assignee.id.as_str()).collect();
    !users.is_empty() && users.iter().all(|user| known.contains(user.as_str()))
}
