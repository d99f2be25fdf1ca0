//! PagerDuty's REST interface.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::{Checked, answer, body, fields, header, parameters, text};
use crate::support::http::{Reply, Request};

pub const TOKEN: &str = "pd-secret-1234";

#[derive(Debug, Default)]
pub struct State {
    pub incidents: Vec<Value>,
    pub notes: Vec<(String, String, String)>,
    pub updates: Vec<(String, String)>,
    /// Who acknowledged or resolved what, in order.
    pub acts: Vec<(String, String, String)>,
    pub paged: Vec<(String, Vec<String>)>,
    pub log: Vec<Value>,
    /// How the service stands: `active` where nothing is said.
    pub service: Option<String>,
    /// Nobody is on call.
    pub is_deserted: bool,
    /// What was merged into what, by whom.
    pub merged: Vec<(String, String, String)>,
}

/// An account with two users and the service PALIPAY.
#[derive(Clone, Debug, Default)]
pub struct PagerDuty(pub Arc<Mutex<State>>);

pub const USERS: [(&str, &str); 2] = [("PUDANA", "dana@qr.example"), ("PUBOB", "bob@qr.example")];

impl PagerDuty {
    /// An alert has opened an incident there.
    pub fn alerted(&self, title: &str) -> u64 {
        let mut state = self.0.lock().unwrap();
        let number = 4711 + state.incidents.len() as u64;
        state.incidents.push(incident(number, title, "triggered", None));
        number
    }

    /// Somebody answers the page, in PagerDuty's own app.
    pub fn answered(&self, user: &str, word: &str) {
        let mut state = self.0.lock().unwrap();
        for incident in &mut state.incidents {
            for one in incident["incidents_responders"].as_array_mut().unwrap() {
                if one["user"]["id"] == user {
                    one["state"] = json!(word);
                    one["updated_at"] = json!(warroom::run::clock::wall().to_rfc3339());
                }
            }
        }
    }

    /// Somebody resolves an incident, in PagerDuty's own app.
    pub fn resolved_by(&self, id: &str, who: &str) {
        let mut state = self.0.lock().unwrap();
        let found = state.incidents.iter_mut().find(|one| one["id"] == id).unwrap();
        stands(found, "resolved", who);
        entry(&mut state, "resolve_log_entry", &format!("Resolved by {who}"), who, "mobile");
    }

    /// Somebody merges an incident into another one, in PagerDuty's own app.
    pub fn merged_by(&self, id: &str, into: &str, who: &str) {
        let mut state = self.0.lock().unwrap();
        let other = state.incidents.iter().find(|one| one["id"] == into).unwrap().clone();
        let found = state.incidents.iter_mut().find(|one| one["id"] == id).unwrap();
        stands(found, "resolved", who);
        let summary = format!("[#{}] {}", other["incident_number"].as_u64().unwrap(), other["title"].as_str().unwrap());
        found["resolve_reason"] = json!({ "type": "merge_resolve_reason", "incident": {
            "id": into, "type": "incident_reference", "summary": summary, "html_url": other["html_url"] } });
    }

    /// Somebody gives an incident to a user, in PagerDuty's own app.
    pub fn given_by(&self, id: &str, user: &str, who: &str) {
        let mut state = self.0.lock().unwrap();
        let found = state.incidents.iter_mut().find(|one| one["id"] == id).unwrap();
        found["assignments"] = json!([{ "assignee": { "id": user, "type": "user_reference" } }]);
        entry(&mut state, "delegate_log_entry", &format!("Reassigned to {user} by {who}"), who, "web_ui");
    }

    /// Something stands in its log: who did it through what.
    pub fn logged(&self, summary: &str, who: &str, channel: &str) {
        let mut state = self.0.lock().unwrap();
        entry(&mut state, "escalate_log_entry", summary, who, channel);
    }

    pub fn answer(&self, request: &Request) -> Reply {
        match self.take(request) {
            Ok(reply) => reply,
            Err(why) => {
                answer(400, &json!({ "error": { "message": "Invalid Input Provided", "code": 2001, "errors": [why] } }))
            }
        }
    }

    fn take(&self, request: &Request) -> Checked<Reply> {
        if request.header("authorization") != Some(&format!("Token token={TOKEN}")) {
            return Ok(answer(401, &json!({ "error": { "message": "Unauthorized", "code": 2006 } })));
        }
        header(request, "accept", "application/vnd.pagerduty+json;version=2")?;
        let mut state = self.0.lock().unwrap();
        let from = request.header("from").map(str::to_owned);
        if request.method != "GET" {
            let Some(from) = &from else {
                let why = "You must specify a user's email address in the \"From\" header to perform this action";
                return Ok(answer(400, &json!({ "error": { "message": why, "code": 2016 } })));
            };
            if !USERS.iter().any(|(_, mail)| mail == from) {
                return Ok(answer(400, &json!({ "error": { "message": "Requester User Not Found", "code": 1008 } })));
            }
        }
        let from = from.unwrap_or_default();
        let path: Vec<&str> = request.path.trim_matches('/').split('/').collect();
        match (request.method.as_str(), path.as_slice()) {
            ("GET", ["incidents"]) => {
                parameters(
                    request,
                    &["statuses[]", "service_ids[]", "sort_by", "limit", "incident_key", "date_range", "since"],
                )?;
                let statuses: Vec<_> = request
                    .query
                    .iter()
                    .filter(|(key, _)| key == "statuses[]")
                    .map(|(_, value)| value.as_str())
                    .collect();
                let is_wanted = |incident: &&Value| {
                    let key = request.parameter("incident_key");
                    let service = request.parameter("service_ids[]");
                    (statuses.is_empty() || statuses.contains(&incident["status"].as_str().unwrap()))
                        && key.is_none_or(|key| incident["incident_key"] == key)
                        && service.is_none_or(|service| incident["service"]["id"] == service)
                };
                let found: Vec<_> = state.incidents.iter().filter(is_wanted).collect();
                Ok(answer(200, &json!({ "incidents": found, "limit": 100, "offset": 0, "more": false, "total": null })))
            }
            ("POST", ["incidents"]) => {
                let body = body(request)?;
                fields(&body, &["incident"], &[])?;
                let wanted = &body["incident"];
                fields(wanted, &["type", "title", "service", "incident_key"], &["urgency", "body", "priority"])?;
                fields(&wanted["service"], &["id", "type"], &[])?;
                if wanted["type"] != "incident" || wanted["service"]["type"] != "service_reference" {
                    return Err("type".to_owned());
                }
                if wanted["service"]["id"] != "PALIPAY" {
                    return Ok(answer(404, &json!({ "error": { "message": "Not Found", "code": 2100 } })));
                }
                let key = text(wanted, "incident_key")?;
                if state.incidents.iter().any(|one| one["incident_key"] == key && one["status"] != "resolved") {
                    let errors = ["Open incident with matching dedup key already exists on this service"];
                    let error = json!({ "message": "Arguments Caused Error", "code": 2002, "errors": errors });
                    return Ok(answer(400, &json!({ "error": error })));
                }
                let number = 4711 + state.incidents.len() as u64;
                let mut made = incident(number, text(wanted, "title")?, "triggered", Some(key));
                made["priority"] = wanted["priority"].clone();
                state.incidents.push(made.clone());
                Ok(answer(201, &json!({ "incident": made })))
            }
            ("GET", ["incidents", id]) => Ok(
                match state
                    .incidents
                    .iter()
                    .find(|one| one["id"] == *id || one["incident_number"].as_u64() == id.parse().ok())
                {
                    Some(found) => answer(200, &json!({ "incident": found })),
                    None => answer(404, &json!({ "error": { "message": "Not Found", "code": 2100 } })),
                },
            ),
            ("PUT", ["incidents", id]) => {
                let body = body(request)?;
                fields(
                    &body["incident"],
                    &["type"],
                    &["status", "resolution", "title", "urgency", "priority", "escalation_level", "assignments"],
                )?;
                if body["incident"]["type"] != "incident_reference" {
                    return Err("type".to_owned());
                }
                if body["incident"]["escalation_level"].is_u64() {
                    let at = warroom::run::clock::wall().to_rfc3339();
                    let id = format!("L{}", state.log.len() + 1);
                    state.log.push(json!({
                        "id": id, "type": "escalate_log_entry", "summary": "Escalated", "created_at": at,
                        "agent": { "type": "user_reference", "summary": from }, "channel": { "type": "api" },
                    }));
                }
                if let Some(assignments) = body["incident"]["assignments"].as_array() {
                    for one in assignments {
                        fields(one, &["assignee"], &[])?;
                        fields(&one["assignee"], &["id", "type"], &[])?;
                    }
                    let found = state.incidents.iter_mut().find(|one| one["id"] == *id).ok_or("no such incident")?;
                    found["assignments"] = json!(assignments);
                    return Ok(answer(200, &json!({ "incident": found.clone() })));
                }
                if body["incident"]["status"].is_null() && body["incident"]["title"].is_null() {
                    let found = state.incidents.iter().find(|one| one["id"] == *id).ok_or("no such incident")?;
                    return Ok(answer(200, &json!({ "incident": found })));
                }
                if body["incident"]["status"].is_null() {
                    let found = state.incidents.iter_mut().find(|one| one["id"] == *id).ok_or("no such incident")?;
                    for name in ["title", "urgency", "priority"] {
                        found[name] = body["incident"][name].clone();
                    }
                    return Ok(answer(200, &json!({ "incident": found.clone() })));
                }
                let status = text(&body["incident"], "status")?.to_owned();
                if !["acknowledged", "resolved"].contains(&status.as_str()) {
                    return Err(format!("status {status}"));
                }
                let words = body["incident"]["resolution"].as_str().unwrap_or_default();
                let by = from.clone();
                state.acts.push((status.clone(), from, words.to_owned()));
                let found = state.incidents.iter_mut().find(|one| one["id"] == *id).ok_or("no such incident")?;
                stands(found, &status, &by);
                Ok(answer(200, &json!({ "incident": found.clone() })))
            }
            ("GET", ["incidents", _, "log_entries"]) => {
                parameters(request, &["is_overview", "since", "include[]", "limit"])?;
                Ok(answer(200, &json!({ "log_entries": state.log, "more": false })))
            }
            ("PUT", ["incidents", id, "merge"]) => {
                let body = body(request)?;
                fields(&body, &["source_incidents"], &[])?;
                for source in body["source_incidents"].as_array().ok_or("source_incidents")? {
                    fields(source, &["id", "type"], &[])?;
                    if source["type"] != "incident_reference" || source["id"] == *id {
                        return Err("source".to_owned());
                    }
                    let found = state.incidents.iter_mut().find(|one| one["id"] == source["id"]);
                    found.ok_or("no such incident")?["status"] = json!("resolved");
                    state.merged.push((text(source, "id")?.to_owned(), (*id).to_owned(), from.clone()));
                }
                let kept = state.incidents.iter().find(|one| one["id"] == *id).ok_or("no such incident")?;
                Ok(answer(200, &json!({ "incident": kept })))
            }
            ("POST", ["incidents", id, "notes"]) => {
                let body = body(request)?;
                fields(&body["note"], &["content"], &[])?;
                state.notes.push(((*id).to_owned(), from, text(&body["note"], "content")?.to_owned()));
                Ok(answer(200, &json!({ "note": { "id": "N1", "content": body["note"]["content"] } })))
            }
            ("GET", ["incidents", id, "notes"]) => {
                let notes = state.notes.iter().filter(|(of, ..)| of == id);
                let notes: Vec<_> = notes.map(|(_, _, content)| json!({ "id": "N1", "content": content })).collect();
                Ok(answer(200, &json!({ "notes": notes })))
            }
            ("POST", ["incidents", id, "status_updates"]) => {
                let body = body(request)?;
                fields(&body, &["message"], &[])?;
                state.updates.push(((*id).to_owned(), text(&body, "message")?.to_owned()));
                Ok(answer(200, &json!({ "status_update": { "id": "S1" } })))
            }
            ("POST", ["incidents", id, "responder_requests"]) => {
                let body = body(request)?;
                fields(&body, &["requester_id", "message", "responder_request_targets"], &[])?;
                let mut asked = Vec::new();
                for target in body["responder_request_targets"].as_array().ok_or("targets")? {
                    let target = &target["responder_request_target"];
                    fields(target, &["id", "type"], &[])?;
                    asked.push(text(target, "id")?.to_owned());
                }
                let found = state.incidents.iter_mut().find(|one| one["id"] == *id).ok_or("no such incident")?;
                let at = warroom::run::clock::wall().to_rfc3339();
                let responders = asked.iter().map(|id| {
                    json!({
                        "state": "pending", "user": { "id": id }, "requested_at": at, "message": body["message"],
                    })
                });
                found["incidents_responders"] = responders.collect();
                state.paged.push((text(&body, "requester_id")?.to_owned(), asked));
                Ok(answer(200, &json!({ "responder_request": {} })))
            }
            ("GET", ["incidents", id, "alerts"]) => {
                parameters(request, &["limit"])?;
                let found = state.incidents.iter().find(|one| one["id"] == *id).ok_or("no such incident")?;
                Ok(answer(200, &json!({ "alerts": [alert(found["title"].as_str().unwrap())] })))
            }
            ("GET", ["priorities"]) => Ok(answer(
                200,
                &json!({ "priorities": [
                    { "id": "PRIO0", "name": "SEV0" }, { "id": "PRIO1", "name": "SEV1" }, { "id": "PRIO9", "name": "Major" },
                ] }),
            )),
            ("GET", ["abilities"]) => Ok(answer(200, &json!({ "abilities": ["teams"] }))),
            ("GET", ["services", id]) if *id == "PALIPAY" => {
                let policy = json!({ "id": "PPOLICY", "type": "escalation_policy_reference" });
                let status = state.service.as_deref().unwrap_or("active");
                let service = json!({ "id": id, "summary": "Alipay", "status": status, "escalation_policy": policy });
                Ok(answer(200, &json!({ "service": service })))
            }
            ("GET", ["services", _]) => Ok(answer(404, &json!({ "error": { "message": "Not Found", "code": 2100 } }))),
            ("GET", ["oncalls"]) => {
                parameters(request, &["escalation_policy_ids[]", "include[]", "limit"])?;
                let user = json!({ "id": "PUDANA", "summary": "Dana Rahimi", "email": "dana@qr.example" });
                let level = if state.is_deserted { 2 } else { 1 };
                Ok(answer(200, &json!({ "oncalls": [{ "user": user, "escalation_level": level }] })))
            }
            ("GET", ["users"]) => {
                parameters(request, &["query", "limit"])?;
                let query = request.parameter("query").ok_or("query")?;
                let found = USERS.iter().filter(|(_, mail)| mail.contains(query));
                let found: Vec<_> = found.map(|(id, mail)| json!({ "id": id, "email": mail })).collect();
                Ok(answer(200, &json!({ "users": found, "more": false })))
            }
            (method, _) => Ok(answer(404, &json!({ "error": { "message": format!("{method} {}", request.path) } }))),
        }
    }
}

/// An incident comes to stand so.
fn stands(incident: &mut Value, status: &str, who: &str) {
    incident["status"] = json!(status);
    incident["last_status_change_at"] = json!(warroom::run::clock::wall().to_rfc3339());
    incident["last_status_change_by"] = json!({ "type": "user_reference", "summary": who });
}

fn entry(state: &mut State, kind: &str, summary: &str, who: &str, channel: &str) {
    let id = format!("L{}", state.log.len() + 1);
    let at = warroom::run::clock::wall().to_rfc3339();
    state.log.push(json!({
        "id": id, "type": kind, "summary": summary, "created_at": at,
        "agent": { "type": "user_reference", "summary": who }, "channel": { "type": channel },
    }));
}

/// What Alertmanager's integration writes of an alert whose name and service stand in the title.
fn alert(title: &str) -> Value {
    let mut words = title.split(' ').skip(1);
    let (name, service) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let firing = format!(
        "Labels:\n - alertname = {name}\n - cluster = one\n - service = {service}\n - severity = critical\nAnnotations:\n"
    );
    let details = json!({ "firing": firing, "num_firing": "1", "resolved": "" });
    json!({ "alert_key": "9a41c6", "summary": title, "body": { "type": "alert_body", "details": details } })
}

fn incident(number: u64, title: &str, status: &str, key: Option<&str>) -> Value {
    json!({
        "id": format!("Q{number}"), "incident_number": number, "title": title, "summary": title, "status": status,
        "urgency": "high", "priority": null, "service": { "id": "PALIPAY", "summary": "alipay" },
        "html_url": format!("https://qr.pagerduty.example/incidents/Q{number}"), "incident_key": key,
        "incidents_responders": [], "created_at": warroom::run::clock::wall().to_rfc3339(),
    })
}
