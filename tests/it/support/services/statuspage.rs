//! Atlassian Statuspage.

use std::sync::{Arc, Mutex};

use serde_json::{Map, Value, json};

use super::{Checked, answer, body, fields, flawed, header, parameters, text};
use crate::support::http::{Reply, Request};

pub const TOKEN: &str = "sp-secret-1234";

#[derive(Debug, Default)]
pub struct State {
    /// Page, incident; the newest last.
    pub incidents: Vec<(String, Value)>,
    pub components: Map<String, Value>,
    pub mails: usize,
}

/// Two pages, `inside` and `outside`.
#[derive(Clone, Debug, Default)]
pub struct Statuspage(pub Arc<Mutex<State>>);

impl Statuspage {
    pub fn answer(&self, request: &Request) -> Reply {
        self.take(request).unwrap_or_else(|why| flawed(422, &why))
    }

    /// The texts of a page, the oldest first, with their states.
    pub fn texts(&self, page: &str) -> Vec<(String, String)> {
        let state = self.0.lock().unwrap();
        let of_page = state.incidents.iter().filter(|(of, _)| of == page);
        let updates = of_page.flat_map(|(_, incident)| incident["incident_updates"].as_array().unwrap().iter().rev());
        let word = |value: &Value| value.as_str().unwrap().to_owned();
        updates.map(|update| (word(&update["status"]), word(&update["body"]))).collect()
    }

    fn take(&self, request: &Request) -> Checked<Reply> {
        if header(request, "authorization", &format!("OAuth {TOKEN}")).is_err() {
            return Ok(answer(401, &json!({ "error": "Could not authenticate" })));
        }
        let mut state = self.0.lock().unwrap();
        let path: Vec<&str> = request.path.trim_start_matches("/v1").trim_matches('/').split('/').collect();
        let page = *path.get(1).ok_or("page")?;
        if !["inside", "outside"].contains(&page) {
            return Ok(answer(404, &json!({ "error": ["Not found"] })));
        }
        match (request.method.as_str(), &path[2..]) {
            ("GET", ["incidents", rest @ ..]) if rest.is_empty() || rest == ["unresolved"] => {
                parameters(request, &["page", "limit", "q"])?;
                let is_open = |one: &Value| rest.is_empty() || one["status"] != "resolved";
                let all = state.incidents.iter().rev().filter(|(of, one)| of == page && is_open(one));
                Ok(answer(200, &Value::Array(all.map(|(_, one)| one.clone()).collect())))
            }
            ("GET", ["components"]) => {
                parameters(request, &["page", "per_page"])?;
                Ok(answer(200, &json!([{ "id": "c1", "name": "Alipay", "status": "operational" }])))
            }
            ("GET", ["incidents", id]) => Ok(match state.incidents.iter().find(|(_, one)| one["id"] == *id) {
                Some((_, found)) => answer(200, found),
                None => answer(404, &json!({ "error": "Not found" })),
            }),
            ("POST", ["incidents"]) => {
                let said = checked(request)?;
                let id = format!("sp{}", state.incidents.len() + 1);
                let mut made =
                    json!({ "id": id, "shortlink": format!("https://stspg.example/{id}"), "incident_updates": [] });
                told(&mut state, &mut made, &said);
                state.incidents.push((page.to_owned(), made.clone()));
                Ok(answer(201, &made))
            }
            ("PATCH", ["incidents", id]) => {
                let said = checked(request)?;
                let place = state.incidents.iter().position(|(_, one)| one["id"] == *id).ok_or("no such incident")?;
                let mut found = state.incidents[place].1.clone();
                told(&mut state, &mut found, &said);
                state.incidents[place].1 = found.clone();
                Ok(answer(200, &found))
            }
            _ => Ok(answer(404, &json!({ "error": "Not found" }))),
        }
    }
}

fn checked(request: &Request) -> Checked<Value> {
    let body = body(request)?;
    fields(&body, &["incident"], &[])?;
    let said = body["incident"].clone();
    let wanted = ["name", "status", "body", "deliver_notifications", "metadata"];
    fields(&said, &wanted, &["impact_override", "component_ids", "components"])?;
    let known = |key: &str, words: &[&str]| {
        let word = text(&said, key)?;
        if words.contains(&word) { Ok(()) } else { Err(format!("{key} {word}")) }
    };
    known("status", &["investigating", "identified", "monitoring", "resolved"])?;
    known("impact_override", &["none", "minor", "major", "critical"])?;
    let states = ["operational", "degraded_performance", "partial_outage", "major_outage", "under_maintenance"];
    for (_, state) in said["components"].as_object().ok_or("components is no map")? {
        if !states.contains(&state.as_str().unwrap_or_default()) {
            return Err(format!("a component is {state}"));
        }
    }
    if !said["metadata"]["warroom"].is_object() || !said["deliver_notifications"].is_boolean() {
        return Err("metadata or deliver_notifications".to_owned());
    }
    Ok(said)
}

fn told(state: &mut State, incident: &mut Value, said: &Value) {
    for key in ["name", "status", "impact_override", "metadata"] {
        incident[key] = said[key].clone();
    }
    let updates = incident["incident_updates"].as_array_mut().unwrap();
    let (id, at) = (format!("u{}", updates.len() + 1), warroom::run::clock::wall().to_rfc3339());
    updates.insert(0, json!({ "id": id, "created_at": at, "body": said["body"], "status": said["status"] }));
    state.components.extend(said["components"].as_object().unwrap().clone());
    state.mails += usize::from(said["deliver_notifications"] == true);
}
