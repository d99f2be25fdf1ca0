//! What PagerDuty answers: one struct for each question.
//!
//! Hides which parts of an answer may be missing or null.
//!
//! Invariant: a question's answer is read by its own struct, and a part that nobody asked for cannot keep it from being read.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer};

use crate::incident::Remote;
use crate::text::CleanStr;

/// `incidents/{id}`, and what creates and changes one.
#[derive(Debug, Deserialize)]
pub(super) struct OneIncident {
    /// It.
    pub incident: Incident,
}

/// `incidents`.
#[derive(Debug, Deserialize)]
pub(super) struct Incidents {
    /// A page of them.
    #[serde(default)]
    pub incidents: Vec<Incident>,
}

/// An incident there.
#[derive(Debug, Deserialize)]
pub(super) struct Incident {
    /// How it is found.
    pub id: String,
    /// How people call it.
    #[serde(default)]
    pub incident_number: Option<u64>,
    /// What is wrong, in one line.
    #[serde(default, deserialize_with = "or_default")]
    pub title: String,
    /// `triggered`, `acknowledged`, `resolved`.
    #[serde(default, deserialize_with = "or_default")]
    pub status: String,
    /// `high`, `low`.
    #[serde(default, deserialize_with = "or_default")]
    pub urgency: String,
    /// Its priority, where it has one.
    #[serde(default)]
    pub priority: Option<Reference>,
    /// Whose it is.
    #[serde(default, deserialize_with = "or_default")]
    pub assignments: Vec<Assignment>,
    /// When it was opened.
    #[serde(default)]
    pub created_at: Option<DateTime<Utc>>,
    /// What program opened it for what.
    #[serde(default)]
    pub incident_key: Option<String>,
    /// Where a person reads it.
    #[serde(default)]
    pub html_url: Option<String>,
    /// When it came to stand as it stands, as it is written there.
    #[serde(default)]
    pub last_status_change_at: Option<String>,
    /// Who did that.
    #[serde(default)]
    pub last_status_change_by: Option<Agent>,
    /// How it was resolved, where that is a merge.
    #[serde(default)]
    pub resolve_reason: Option<ResolveReason>,
    /// People who were asked to come.
    #[serde(default, deserialize_with = "or_default")]
    pub incidents_responders: Vec<Responder>,
}

/// How an incident was resolved.
#[derive(Debug, Deserialize)]
pub(super) struct ResolveReason {
    /// `merge_resolve_reason`.
    #[serde(rename = "type", default, deserialize_with = "or_default")]
    pub kind: String,
    /// The one that it was merged into.
    #[serde(default)]
    pub incident: Option<Merged>,
}

/// An incident that another one was merged into.
#[derive(Debug, Deserialize)]
pub(super) struct Merged {
    /// How it is found.
    pub id: String,
    /// `[#4712] title`.
    #[serde(default)]
    pub summary: Option<String>,
    /// Where a person reads it.
    #[serde(default)]
    pub html_url: Option<String>,
}

/// Somebody who has it.
#[derive(Debug, Deserialize)]
pub(super) struct Assignment {
    /// Who.
    pub assignee: Reference,
}

/// Somebody who was asked to come.
#[derive(Debug, Deserialize)]
pub(super) struct Responder {
    /// `pending`, `joined`, `declined`.
    #[serde(default, deserialize_with = "or_default")]
    pub state: String,
    /// When that changed last.
    #[serde(default)]
    pub updated_at: Option<DateTime<Utc>>,
    /// When they were asked.
    #[serde(default)]
    pub requested_at: Option<DateTime<Utc>>,
    /// With which words.
    #[serde(default)]
    pub message: Option<String>,
    /// Who.
    #[serde(default)]
    pub user: Option<Reference>,
}

/// Something else there, by its ID.
#[derive(Debug, Deserialize)]
pub(super) struct Reference {
    /// The ID.
    pub id: String,
}

/// `abilities`: that it answers is enough.
#[derive(Debug, Deserialize)]
pub(super) struct Abilities {}

/// `services/{id}`.
#[derive(Debug, Deserialize)]
pub(super) struct OneService {
    /// It.
    pub service: Service,
}

/// A service there.
#[derive(Debug, Deserialize)]
pub(super) struct Service {
    /// Its name.
    #[serde(default, deserialize_with = "or_default")]
    pub summary: String,
    /// `active`, `warning`, `critical`, `maintenance`, `disabled`.
    #[serde(default, deserialize_with = "or_default")]
    pub status: String,
    /// Whom it pages.
    #[serde(default)]
    pub escalation_policy: Option<Reference>,
}

/// `oncalls`.
#[derive(Debug, Deserialize)]
pub(super) struct OnCalls {
    /// A page of them.
    #[serde(default)]
    pub oncalls: Vec<OnCall>,
}

/// Somebody who is on call.
#[derive(Debug, Deserialize)]
pub(super) struct OnCall {
    /// Who.
    pub user: OnCallUser,
    /// The first level is paged first.
    #[serde(default, deserialize_with = "or_default")]
    pub escalation_level: u32,
}

/// Who is on call; the address is there where the question includes users.
#[derive(Debug, Deserialize)]
pub(super) struct OnCallUser {
    /// The address.
    #[serde(default, deserialize_with = "or_default")]
    pub email: String,
    /// The name.
    #[serde(default, deserialize_with = "or_default")]
    pub summary: String,
}

/// `incidents/{id}/log_entries`.
#[derive(Debug, Deserialize)]
pub(super) struct LogEntries {
    /// A page of them.
    #[serde(default)]
    pub log_entries: Vec<LogEntry>,
}

/// Something that was done there.
#[derive(Debug, Deserialize)]
pub(super) struct LogEntry {
    /// How it is found.
    pub id: String,
    /// What kind of thing: `acknowledge_log_entry`.
    #[serde(rename = "type", default, deserialize_with = "or_default")]
    pub kind: String,
    /// What it was, in words.
    #[serde(default, deserialize_with = "or_default")]
    pub summary: String,
    /// When.
    pub created_at: DateTime<Utc>,
    /// Who did it.
    #[serde(default)]
    pub agent: Option<Agent>,
    /// By what way.
    #[serde(default)]
    pub channel: Option<Way>,
}

/// Who did something.
#[derive(Debug, Deserialize)]
pub(super) struct Agent {
    /// Whether it is a person: `user_reference`.
    #[serde(rename = "type", default, deserialize_with = "or_default")]
    pub kind: String,
    /// The name.
    #[serde(default)]
    pub summary: Option<String>,
}

/// By what way something was done.
#[derive(Debug, Deserialize)]
pub(super) struct Way {
    /// `web_ui`, `mobile`, `api`.
    #[serde(rename = "type", default, deserialize_with = "or_default")]
    pub kind: String,
}

/// `users`.
#[derive(Debug, Deserialize)]
pub(super) struct Users {
    /// A page of them.
    #[serde(default)]
    pub users: Vec<User>,
}

/// Somebody who has an account.
#[derive(Debug, Deserialize)]
pub(super) struct User {
    /// How they are found.
    pub id: String,
    /// Their address.
    #[serde(default, deserialize_with = "or_default")]
    pub email: String,
}

/// `priorities`.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Priorities {
    /// All of them.
    #[serde(default)]
    pub priorities: Vec<Priority>,
}

/// A priority that an incident can have.
#[derive(Debug, Deserialize)]
pub(super) struct Priority {
    /// How it is set.
    pub id: String,
    /// How people call it.
    #[serde(default, deserialize_with = "or_default")]
    pub name: String,
}

/// `incidents/{id}/notes`.
#[derive(Debug, Deserialize)]
pub(super) struct Notes {
    /// All of them.
    #[serde(default)]
    pub notes: Vec<Note>,
}

/// A note.
#[derive(Debug, Deserialize)]
pub(super) struct Note {
    /// Its text.
    #[serde(default, deserialize_with = "or_default")]
    pub content: String,
}

impl From<Incident> for Remote {
    fn from(incident: Incident) -> Self {
        let name = incident.incident_number.map(|number| CleanStr::new(&number.to_string()));
        let link = incident.html_url.as_deref().map(Into::into);
        Self { id: incident.id.as_str().into(), name, link, is_adopted: false }
    }
}

/// Null is as good as nothing.
fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(input: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(input)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said<T: serde::de::DeserializeOwned>(text: &str) -> T {
        serde_json::from_str(text).unwrap()
    }

    /// Answers with the fields and types that the documentation has.
    #[test]
    fn each_question_s_published_answer_is_read() {
        let one: OneIncident = said(
            r#"{"incident":{"id":"PT4KHLK","type":"incident","summary":"[#1234] The server is on fire.",
                "self":"https://api.pagerduty.example/incidents/PT4KHLK","html_url":"https://x.pagerduty.example/incidents/PT4KHLK",
                "incident_number":1234,"title":"The server is on fire.","created_at":"2015-10-06T21:30:42Z",
                "updated_at":"2015-10-06T21:40:23Z","status":"resolved","incident_key":"baf7cf21b1da41b4b0221008339ff357",
                "service":{"id":"PIJ90N7","type":"service_reference","summary":"My Mail Service","html_url":null},
                "assignments":[],"acknowledgements":[],"last_status_change_at":"2015-10-06T21:38:23Z","alert_counts":{"all":2,
                "triggered":0,"resolved":2},"escalation_policy":{"id":"PT20YPA","type":"escalation_policy_reference"},
                "teams":[],"pending_actions":[],"priority":null,"urgency":"high","resolve_reason":null,
                "incidents_responders":[{"state":"pending","user":{"id":"PL7A2O4","type":"user_reference","summary":"Lee Turner"},
                "incident":{"id":"PXP12GZ"},"updated_at":"2018-08-09T14:40:48-07:00","message":"Please help",
                "requester":{"id":"P09TT3C"},"requested_at":"2018-08-09T21:40:49Z"}]}}"#,
        );
        let remote: Remote = one.incident.into();
        assert_eq!((remote.id.as_str(), remote.name.as_deref()), ("PT4KHLK", Some("1234")));
        let list: Incidents =
            said(r#"{"incidents":[{"id":"Q1","incidents_responders":null}],"limit":1,"offset":0,"more":false}"#);
        assert_eq!(list.incidents.len(), 1);
        let Abilities {} = said(r#"{"abilities":["teams","read_only_users"]}"#);
        let service: OneService = said(
            r#"{"service":{"id":"PIJ90N7","summary":"My Mail Service","type":"service","name":"My Mail Service",
                "description":null,"auto_resolve_timeout":14400,"acknowledgement_timeout":600,"created_at":"2015-11-06T11:12:51-05:00",
                "status":"disabled","alert_creation":"create_alerts_and_incidents","integrations":[],
                "escalation_policy":{"id":"PT20YPA","type":"escalation_policy_reference","summary":"Another Policy"},"teams":[],
                "incident_urgency_rule":{"type":"constant","urgency":"high"},"support_hours":null,"scheduled_actions":[]}}"#,
        );
        assert_eq!(
            (service.service.status.as_str(), service.service.escalation_policy.unwrap().id.as_str()),
            ("disabled", "PT20YPA")
        );
        let on_call: OnCalls = said(
            r#"{"oncalls":[{"user":{"id":"PT23IWX","type":"user","summary":"Tim Wright","email":"tim@qr.example"},
                "schedule":null,"escalation_policy":{"id":"PT20YPA"},"escalation_level":1,"start":null,"end":null}],
                "limit":25,"offset":0,"more":false,"total":null}"#,
        );
        assert_eq!(
            (on_call.oncalls[0].escalation_level, on_call.oncalls[0].user.email.as_str()),
            (1, "tim@qr.example")
        );
        let log: LogEntries = said(
            r#"{"log_entries":[{"id":"Q02JTSNZWHSEKV","type":"trigger_log_entry","summary":"Triggered through the API",
                "created_at":"2015-11-07T00:14:20Z","agent":{"id":"PIJ90N7","type":"service_reference","summary":"My Mail Service"},
                "channel":{"type":"api"},"incident":{"id":"PT4KHLK"},"teams":[],"contexts":[],"event_details":{}}],
                "offset":0,"limit":25,"more":false}"#,
        );
        assert_eq!(log.log_entries[0].channel.as_ref().unwrap().kind, "api");
        let users: Users = said(
            r#"{"users":[{"name":"Earline Greenholt","email":"earline@qr.example","time_zone":"America/Lima","color":"green",
                "role":"admin","avatar_url":"https://x","description":"I'm the boss","invitation_sent":false,"contact_methods":[],
                "notification_rules":[],"job_title":"Director","teams":[],"id":"PXPGF42","type":"user"}],"more":false}"#,
        );
        assert_eq!((users.users[0].id.as_str(), users.users[0].email.as_str()), ("PXPGF42", "earline@qr.example"));
        let known: Priorities = said(
            r#"{"priorities":[{"id":"PSO75BM","type":"priority","summary":"P1","name":"P1","description":"Sev 1","color":"a8171c"}]}"#,
        );
        assert_eq!((known.priorities[0].id.as_str(), known.priorities[0].name.as_str()), ("PSO75BM", "P1"));
        let notes: Notes = said(
            r#"{"notes":[{"id":"PWL7QXS","user":{"id":"P1","type":"user_reference"},"channel":{"summary":"The PagerDuty website"},
                "content":"Firefighters are on the scene.","created_at":"2013-03-06T15:28:51-05:00"}]}"#,
        );
        assert_eq!(notes.notes[0].content, "Firefighters are on the scene.");
    }
}
