//! Atlassian Statuspage, as its published contract has it: what a text sets a component to stands in `affected_components`, resolving puts nothing back,
//! maintenances have a list and words of their own, and a group cannot be set.

use std::sync::{Arc, Mutex};

use serde_json::{Map, Value, json};

use super::{Checked, answer, body, fields, flawed, header, parameters, text};
use crate::support::http::{Reply, Request};

pub const TOKEN: &str = "sp-secret-1234";

#[derive(Debug)]
pub struct State {
    /// Page, incident; the newest last.
    pub incidents: Vec<(String, Value)>,
    /// What each shows.
    pub components: Map<String, Value>,
    /// Those that have parts.
    pub groups: Vec<String>,
    /// Names of maintenances that are being done, and the component of each.
    pub maintenances: Vec<(String, String)>,
    pub mails: usize,
}

impl Default for State {
    fn default() -> Self {
        let components =
            Map::from_iter([("c1".to_owned(), json!("operational")), ("c2".to_owned(), json!("operational"))]);
        Self { incidents: Vec::new(), components, groups: Vec::new(), maintenances: Vec::new(), mails: 0 }
    }
}

/// Two pages, `inside` and `outside`, with the same components.
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

    /// The text that was written last on a page; empty where there is none.
    pub fn newest(&self, page: &str) -> String {
        let state = self.0.lock().unwrap();
        let of_page = state.incidents.iter().filter(|(of, _)| of == page);
        let updates = of_page.flat_map(|(_, incident)| incident["incident_updates"].as_array().unwrap());
        let last = updates.max_by_key(|update| update["created_at"].as_str().map(str::to_owned));
        last.and_then(|update| update["body"].as_str()).unwrap_or_default().to_owned()
    }

    /// Somebody sets a component by hand.
    pub fn set(&self, component: &str, status: &str) {
        self.0.lock().unwrap().components.insert(component.to_owned(), json!(status));
    }

    /// What a component shows.
    pub fn shows(&self, component: &str) -> String {
        self.0.lock().unwrap().components[component].as_str().unwrap().to_owned()
    }

    /// Somebody ends the newest incident by hand.
    pub fn end_by_hand(&self, status: &str) {
        let mut state = self.0.lock().unwrap();
        let (_, incident) = state.incidents.last_mut().unwrap();
        incident["status"] = json!(status);
        let update = json!({ "id": "uhand", "status": status, "body": "All is well.", "affected_components": null });
        incident["incident_updates"].as_array_mut().unwrap().insert(0, update);
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
            ("GET", ["incidents", "active_maintenance"]) => {
                parameters(request, &["page", "per_page"])?;
                let all = state.maintenances.iter().map(|(name, component)| {
                    json!({ "id": format!("m-{name}"), "name": name, "status": "in_progress", "impact": "maintenance",
                        "metadata": {}, "components": [{ "id": component, "status": state.components[component] }],
                        "incident_updates": [] })
                });
                Ok(answer(200, &all.collect()))
            }
            ("GET", ["incidents", rest @ ..]) if rest.is_empty() || rest == ["unresolved"] => {
                parameters(request, if rest.is_empty() { &["page", "limit", "q"] } else { &["page", "per_page"] })?;
                let is_open = |one: &Value| {
                    rest.is_empty() || !["resolved", "postmortem"].map(Value::from).contains(&one["status"])
                };
                let all = state.incidents.iter().rev().filter(|(of, one)| of == page && is_open(one));
                Ok(answer(200, &Value::Array(all.map(|(_, one)| one.clone()).collect())))
            }
            ("GET", ["components"]) => {
                parameters(request, &["page", "per_page"])?;
                let size: usize = request.parameter("per_page").map_or(100, |size| size.parse().unwrap());
                let page: usize = request.parameter("page").map_or(1, |page| page.parse().unwrap());
                let all = state.components.iter().map(|(id, status)| {
                    json!({ "id": id, "name": format!("Part {id}"), "status": status, "group": state.groups.contains(id) })
                });
                Ok(answer(200, &all.skip((page - 1) * size).take(size).collect()))
            }
            ("PATCH", ["components", id]) => {
                let status = body(request)?["component"]["status"].clone();
                state.components.insert((*id).to_owned(), status);
                Ok(answer(200, &json!({ "id": id })))
            }
            ("GET", ["incidents", id]) => Ok(match state.incidents.iter().find(|(_, one)| one["id"] == *id) {
                Some((_, found)) => answer(200, found),
                None => answer(404, &json!({ "error": "Not found" })),
            }),
            ("POST", ["incidents"]) => {
                let said = checked(request, &state)?;
                let id = format!("sp{}", state.incidents.len() + 1);
                let mut made =
                    json!({ "id": id, "shortlink": format!("https://stspg.example/{id}"), "incident_updates": [] });
                told(&mut state, &mut made, &said);
                state.incidents.push((page.to_owned(), made.clone()));
                Ok(answer(201, &made))
            }
            ("PATCH", ["incidents", id]) => {
                let said = checked(request, &state)?;
                let place = state.incidents.iter().position(|(_, one)| one["id"] == *id).ok_or("no such incident")?;
                let mut found = state.incidents[place].1.clone();
                told(&mut state, &mut found, &said);
                state.incidents[place].1 = found.clone();
                Ok(answer(200, &found))
            }
            ("DELETE", ["incidents", id]) => {
                let place = state.incidents.iter().position(|(_, one)| one["id"] == *id).ok_or("no such incident")?;
                Ok(answer(200, &state.incidents.remove(place).1))
            }
            _ => Ok(answer(404, &json!({ "error": "Not found" }))),
        }
    }
}

fn checked(request: &Request, kept: &State) -> Checked<Value> {
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
    for (id, state) in said["components"].as_object().ok_or("components is no map")? {
        if !states.contains(&state.as_str().unwrap_or_default()) {
            return Err(format!("a component is {state}"));
        }
        if !kept.components.contains_key(id) || kept.groups.contains(id) {
            return Err(format!("Component {id} can not be updated"));
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
    let set = said["components"].as_object().unwrap();
    let affected = set.iter().map(|(id, status)| {
        json!({ "code": id, "name": format!("Part {id}"), "old_status": state.components[id], "new_status": status })
    });
    let affected: Vec<_> = affected.collect();
    incident["components"] = set.keys().map(|id| json!({ "id": id })).collect();
    let updates = incident["incident_updates"].as_array_mut().unwrap();
    let (id, at) = (format!("u{}", updates.len() + 1), warroom::run::clock::wall().to_rfc3339());
    updates.insert(
        0,
        json!({ "id": id, "created_at": at, "body": said["body"], "status": said["status"],
        "affected_components": affected }),
    );
    state.components.extend(set.clone());
    state.mails += usize::from(said["deliver_notifications"] == true);
}
