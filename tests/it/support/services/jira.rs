//! Jira, Cloud and Data Center.

use std::sync::{Arc, Mutex};

use base64::Engine as _;
use serde_json::{Value, json};

use super::{Checked, answer, body, fields, parameters, text};
use crate::support::http::{Reply, Request};

pub const TOKEN: &str = "jira-secret-1234";
pub const USER: &str = "bot@qr.example";

#[derive(Debug, Default)]
pub struct State {
    pub issues: Vec<Value>,
    pub comments: Vec<(String, Value)>,
    pub links: Vec<(String, String)>,
    /// New tickets are not found for so many searches.
    pub blind: usize,
    /// The project's screen has neither an owner nor a day.
    pub has_no_owner: bool,
    /// What others did with the ticket: ID, who, the status.
    pub moves: Vec<(String, String, String)>,
    /// What others called the ticket: ID, who, the title.
    pub renames: Vec<(String, String, String)>,
    /// The project's screen has no priority.
    pub has_no_priority: bool,
    pub kinds: Vec<String>,
    /// Fields that it wants of every ticket, by their IDs.
    pub wants: Vec<String>,
    /// The values of fields that have a list of them, by the ID of each.
    pub offers: std::collections::BTreeMap<String, Vec<(String, String)>>,
    /// Permissions that we lack.
    pub lacks: Vec<String>,
    /// The names of its statuses that are ends, where there are several.
    pub ends: Vec<String>,
    /// To which of them a ticket was moved.
    pub ended_as: Option<String>,
    /// It is a project of Service Management.
    pub has_customers: bool,
    /// Comments that customers of such a project read.
    pub read_by_customers: usize,
}

/// A site with the project OPS.
#[derive(Clone, Debug)]
pub struct Jira {
    pub state: Arc<Mutex<State>>,
    pub is_cloud: bool,
}

impl Jira {
    pub fn new(is_cloud: bool) -> Self {
        let kinds = ["Incident", "Task"].map(str::to_owned).to_vec();
        Self { state: Arc::new(Mutex::new(State { kinds, ..State::default() })), is_cloud }
    }

    pub fn answer(&self, request: &Request) -> Reply {
        match self.take(request) {
            Ok(reply) => reply,
            Err(why) => answer(400, &json!({ "errorMessages": [why], "errors": {} })),
        }
    }

    fn take(&self, request: &Request) -> Checked<Reply> {
        let basic = base64::engine::general_purpose::STANDARD.encode(format!("{USER}:{TOKEN}"));
        let wanted = if self.is_cloud { format!("Basic {basic}") } else { format!("Bearer {TOKEN}") };
        let absent =
            json!({ "errorMessages": ["Issue does not exist or you do not have permission to see it."], "errors": {} });
        let mut state = self.state.lock().unwrap();
        let path: Vec<&str> = request.path.trim_matches('/').split('/').collect();
        if path == ["rest", "api", "2", "serverInfo"] {
            let kind = if self.is_cloud { "Cloud" } else { "Server" };
            return Ok(answer(200, &json!({ "deploymentType": kind, "versionNumbers": [9, 12, 0] })));
        }
        if request.header("authorization") != Some(&wanted) {
            return Ok(answer(404, &absent));
        }
        let version = if self.is_cloud { "3" } else { "2" };
        if path.get(2) != Some(&version) {
            return Ok(answer(410, &json!({ "errorMessages": ["The requested API has been removed."] })));
        }
        match (request.method.as_str(), &path[3..]) {
            ("GET", ["myself"]) => Ok(answer(200, &json!({ "accountId": "1", "displayName": "Bot" }))),
            ("GET", ["project", "OPS"]) => {
                let kind = if state.has_customers { "service_desk" } else { "software" };
                Ok(answer(200, &json!({ "id": "1", "key": "OPS", "name": "Operations", "projectTypeKey": kind })))
            }
            ("GET", ["issue", "createmeta", "OPS", "issuetypes"]) => {
                parameters(request, &["startAt", "maxResults"])?;
                let at: usize = request.parameter("startAt").map_or(0, |at| at.parse().unwrap());
                let total = state.kinds.len();
                // Two a page.
                let page = state.kinds.iter().skip(at).take(2);
                let kinds: Vec<_> = page.map(|name| json!({ "id": "1", "name": name })).collect();
                let key = if self.is_cloud { "issueTypes" } else { "values" };
                Ok(answer(200, &json!({ key: kinds, "startAt": at, "maxResults": 2, "total": total })))
            }
            ("GET", ["issue", "createmeta", "OPS", "issuetypes", _]) => {
                parameters(request, &["startAt", "maxResults"])?;
                let field = |id: &str, required| json!({ "fieldId": id, "key": id, "name": format!("Field {id}"), "required": required, "hasDefaultValue": false });
                let mut all = vec![field("summary", true), field("project", true), field("duedate", false)];
                let ids = state.wants.iter().chain(state.offers.keys().filter(|id| !state.wants.contains(*id)));
                all.extend(ids.map(|id| {
                    let mut field = field(id, state.wants.contains(id));
                    if let Some(values) = state.offers.get(id) {
                        let values: Vec<_> =
                            values.iter().map(|(id, value)| json!({ "id": id, "value": value })).collect();
                        field["allowedValues"] = json!(values);
                        field["schema"] = json!({ "type": if id.ends_with("many") { "array" } else { "option" } });
                    }
                    field
                }));
                let key = if self.is_cloud { "fields" } else { "values" };
                Ok(answer(200, &json!({ key: all, "startAt": 0, "maxResults": 50, "total": all.len() })))
            }
            ("GET", ["mypermissions"]) => {
                parameters(request, &["projectKey", "permissions"])?;
                let asked = request.parameter("permissions").ok_or("permissions")?;
                let all = asked.split(',').map(|name| {
                    (
                        name.to_owned(),
                        json!({ "key": name, "havePermission": !state.lacks.iter().any(|one| one == name) }),
                    )
                });
                Ok(answer(200, &json!({ "permissions": all.collect::<serde_json::Map<_, _>>() })))
            }
            ("POST", ["search", "jql"]) if self.is_cloud => {
                let body = body(request)?;
                fields(&body, &["jql", "fields", "maxResults"], &["nextPageToken"])?;
                Ok(found(&mut state, text(&body, "jql")?))
            }
            ("GET", ["search"]) if !self.is_cloud => {
                parameters(request, &["jql", "fields", "startAt", "maxResults"])?;
                Ok(found(&mut state, request.parameter("jql").ok_or("jql")?))
            }
            ("POST", ["issue"]) => {
                let body = body(request)?;
                fields(&body, &["fields"], &["properties"])?;
                let wanted = &body["fields"];
                let known = wanted.as_object().ok_or("fields")?;
                if let Some(id) = state.wants.iter().find(|id| !known.contains_key(id.as_str())) {
                    return Ok(answer(
                        400,
                        &json!({ "errorMessages": [], "errors": { id: format!("{id} is required.") } }),
                    ));
                }
                let mut allowed = vec!["priority", "assignee", "duedate"];
                allowed.extend(state.wants.iter().chain(state.offers.keys()).map(String::as_str));
                fields(wanted, &["project", "issuetype", "summary", "description", "labels"], &allowed)?;
                if state.has_no_priority && !wanted["priority"].is_null() {
                    let why = "Field 'priority' cannot be set. It is not on the appropriate screen, or unknown.";
                    return Ok(answer(400, &json!({ "errorMessages": [], "errors": { "priority": why } })));
                }
                let lacking: Vec<_> = ["assignee", "duedate"]
                    .into_iter()
                    .filter(|name| state.has_no_owner && !wanted[*name].is_null())
                    .map(|name| (name.to_owned(), json!(format!("Field '{name}' cannot be set."))))
                    .collect();
                if !lacking.is_empty() {
                    let errors: serde_json::Map<_, _> = lacking.into_iter().collect();
                    return Ok(answer(400, &json!({ "errorMessages": [], "errors": errors })));
                }
                let kind = text(&wanted["issuetype"], "name")?;
                if !state.kinds.iter().any(|known| known == kind) {
                    return Err(format!("no type {kind}"));
                }
                let summary = text(wanted, "summary")?;
                if summary.contains('\n') || summary.chars().count() > 255 {
                    return Err("summary".to_owned());
                }
                if wanted["labels"]
                    .as_array()
                    .ok_or("labels")?
                    .iter()
                    .any(|label| label.as_str().unwrap().contains(' '))
                {
                    return Err("The label contains spaces which is invalid.".to_owned());
                }
                self.document(&wanted["description"])?;
                let key = format!("OPS-{}", state.issues.len() + 1);
                let mut made = wanted.clone();
                made["key"] = json!(key);
                made["status"] = json!("new");
                made["properties"] = body["properties"].clone();
                state.issues.push(made);
                let myself = format!("https://site.example/rest/api/{version}/issue/{key}");
                Ok(answer(201, &json!({ "id": "10001", "key": key, "self": myself })))
            }
            ("PUT", ["issue", key]) => {
                let body = body(request)?;
                fields(&body["fields"], &[], &["description", "summary", "priority", "assignee", "duedate"])?;
                let others = ["assignee", "duedate"].into_iter().filter(|key| !body["fields"][key].is_null());
                if let (true, Some(key)) = (state.has_no_owner, others.into_iter().next()) {
                    let why = format!("Field '{key}' cannot be set. It is not on the appropriate screen, or unknown.");
                    return Ok(answer(400, &json!({ "errorMessages": [], "errors": { key: why } })));
                }
                if !body["fields"]["description"].is_null() {
                    self.document(&body["fields"]["description"])?;
                }
                let issue = state.issues.iter_mut().find(|one| one["key"] == *key).ok_or("no such issue")?;
                for (name, value) in body["fields"].as_object().ok_or("fields")? {
                    issue[name] = value.clone();
                }
                Ok(Reply::status(204, ""))
            }
            ("GET", ["user", "search"]) => {
                let key = if self.is_cloud { "query" } else { "username" };
                parameters(request, &[key, "maxResults"])?;
                let known = match (request.parameter(key), self.is_cloud) {
                    (Some("omid@qr.example"), true) => {
                        json!([{ "accountId": "acc-omid", "displayName": "Omid", "emailAddress": "omid@qr.example" }])
                    }
                    (Some("omid@qr.example"), false) => {
                        json!([{ "name": "omid", "displayName": "Omid", "emailAddress": "omid@qr.example" }])
                    }
                    _ => json!([]),
                };
                Ok(answer(200, &known))
            }
            ("GET", ["issueLinkType"]) => {
                let kinds = json!([
                    { "id": "1", "name": "Blockiert", "inward": "wird blockiert von", "outward": "blockiert" },
                    { "id": "2", "name": "Beziehung", "inward": "steht in Beziehung zu", "outward": "steht in Beziehung zu" },
                ]);
                Ok(answer(200, &json!({ "issueLinkTypes": kinds })))
            }
            ("GET", ["issue", key]) => {
                parameters(request, &["fields", "expand", "properties"])?;
                let Some(issue) = state.issues.iter().find(|one| one["key"] == *key) else {
                    return Ok(answer(404, &absent));
                };
                let status = json!({ "name": issue["status"], "statusCategory": { "key": issue["status"] } });
                let moved = state.moves.iter().map(|change| ("status", change));
                let histories: Vec<_> = moved
                    .chain(state.renames.iter().map(|change| ("summary", change)))
                    .map(|(field, (id, who, to))| {
                        json!({ "id": id, "created": "2026-11-24T09:00:00.000+0000",
                        "author": { "accountId": who, "displayName": who },
                        "items": [{ "field": field, "toString": to }] })
                    })
                    .collect();
                let fields =
                    json!({ "status": status, "labels": issue["labels"], "description": issue["description"] });
                let kept = issue["properties"].as_array().into_iter().flatten();
                let properties: serde_json::Map<_, _> =
                    kept.map(|one| (one["key"].as_str().unwrap().to_owned(), one["value"].clone())).collect();
                Ok(answer(
                    200,
                    &json!({ "key": key, "fields": fields, "properties": properties,
                    "changelog": { "histories": histories } }),
                ))
            }
            ("GET", ["issue", _, "transitions"]) => {
                parameters(request, &["expand"])?;
                let required = json!({ "resolution": { "required": true, "allowedValues": [{ "name": "Fixed" }, { "name": "Done" }] } });
                let transitions = json!([
                    { "id": "11", "name": "Start", "to": { "statusCategory": { "key": "indeterminate" } }, "fields": {} },
                    { "id": "31", "name": "Fertig", "to": { "statusCategory": { "key": "done" } }, "fields": required },
                ]);
                if state.ends.is_empty() {
                    return Ok(answer(200, &json!({ "transitions": transitions })));
                }
                let ends = state.ends.iter().enumerate().map(|(place, name)| {
                    json!({ "id": format!("9{place}"), "name": "x", "fields": {},
                        "to": { "name": name, "statusCategory": { "key": "done" } } })
                });
                Ok(answer(200, &json!({ "transitions": ends.collect::<Vec<_>>() })))
            }
            ("POST", ["issue", key, "transitions"]) => {
                let body = body(request)?;
                fields(&body, &["transition"], &["fields", "update"])?;
                let id = text(&body["transition"], "id")?;
                if id == "11" {
                    let issue = state.issues.iter_mut().find(|one| one["key"] == *key).ok_or("no such issue")?;
                    issue["status"] = json!("indeterminate");
                    return Ok(Reply::status(204, ""));
                }
                let end = id.strip_prefix('9').and_then(|place| state.ends.get(place.parse::<usize>().ok()?)).cloned();
                if let Some(end) = end {
                    let issue = state.issues.iter_mut().find(|one| one["key"] == *key).ok_or("no such issue")?;
                    issue["status"] = json!("done");
                    state.ended_as = Some(end);
                    return Ok(Reply::status(204, ""));
                }
                if body["transition"]["id"] != "31" || body["fields"]["resolution"]["name"] != "Done" {
                    return Err("transition or resolution".to_owned());
                }
                if !body["update"].is_null() {
                    let comment = body["update"]["comment"][0]["add"]["body"].clone();
                    self.document(&comment)?;
                    // The transition has no screen: what stands beside it is dropped.
                }
                let issue = state.issues.iter_mut().find(|one| one["key"] == *key).ok_or("no such issue")?;
                issue["status"] = json!("done");
                Ok(Reply::status(204, ""))
            }
            ("POST", ["issue", key, "comment"]) => {
                let body = body(request)?;
                fields(&body, &["body"], &["properties"])?;
                self.document(&body["body"])?;
                let is_internal = |one: &Value| one["key"] == "sd.public.comment" && one["value"]["internal"] == true;
                if !body["properties"].as_array().is_some_and(|all| all.iter().any(is_internal)) {
                    state.read_by_customers += 1;
                }
                state.comments.push(((*key).to_owned(), body["body"].clone()));
                Ok(answer(201, &json!({ "id": state.comments.len().to_string() })))
            }
            ("PUT", ["issue", _, "comment", id]) => {
                let body = body(request)?;
                self.document(&body["body"])?;
                let place = id.parse::<usize>().map_err(|_| "no such comment")?;
                state.comments.get_mut(place - 1).ok_or("no such comment")?.1 = body["body"].clone();
                Ok(answer(200, &json!({ "id": id })))
            }
            ("GET", ["issue", key, "comment"]) => {
                parameters(request, &["orderBy", "maxResults"])?;
                let of_issue = state.comments.iter().enumerate().filter(|(_, (of, _))| of == key);
                let comments: Vec<_> =
                    of_issue.map(|(place, (_, body))| json!({ "id": (place + 1).to_string(), "body": body })).collect();
                Ok(answer(200, &json!({ "comments": comments })))
            }
            ("POST", ["issueLink"]) => {
                let body = body(request)?;
                fields(&body, &["type", "inwardIssue", "outwardIssue"], &[])?;
                if body["type"]["name"] != "Beziehung" {
                    return Err("No issue link type with that name".to_owned());
                }
                let link =
                    (text(&body["inwardIssue"], "key")?.to_owned(), text(&body["outwardIssue"], "key")?.to_owned());
                state.links.push(link);
                Ok(Reply::status(201, ""))
            }
            ("DELETE", ["issue", key]) => {
                let place = state.issues.iter().position(|one| one["key"] == *key).ok_or("no such issue")?;
                state.issues.remove(place);
                Ok(Reply::status(204, ""))
            }
            _ => Ok(answer(404, &absent)),
        }
    }

    /// A document by the rules of its format, or a text.
    fn document(&self, value: &Value) -> Checked {
        if !self.is_cloud && value.as_str().is_some_and(|text| text.encode_utf16().count() > 32_767) {
            return Err("The entered text is too long.".to_owned());
        }
        if !self.is_cloud {
            return value.as_str().map(|_| ()).ok_or_else(|| "not a text".to_owned());
        }
        fields(value, &["type", "version", "content"], &[])?;
        if value.to_string().encode_utf16().count() > 32_767 {
            return Err("CONTENT_LIMIT_EXCEEDED".to_owned());
        }
        if value["type"] != "doc" || value["version"] != 1 {
            return Err("not a document".to_owned());
        }
        for paragraph in value["content"].as_array().ok_or("content")? {
            fields(paragraph, &["type", "content"], &[])?;
            for node in paragraph["content"].as_array().ok_or("content")? {
                fields(node, &["type", "text"], &["marks"])?;
                if text(node, "text")?.is_empty() {
                    return Err("INVALID_INPUT: an empty text".to_owned());
                }
            }
        }
        Ok(())
    }
}

fn found(state: &mut State, jql: &str) -> Reply {
    if state.blind > 0 {
        state.blind -= 1;
        return answer(200, &json!({ "issues": [] }));
    }
    if jql.ends_with("ORDER BY created DESC") {
        let newest: Vec<_> =
            state.issues.iter().rev().take(2).map(|one| json!({ "key": one["key"], "fields": {} })).collect();
        return answer(200, &json!({ "issues": newest }));
    }
    let label = jql.rsplit('"').nth(1).unwrap_or_default();
    let has = |one: &&Value| one["labels"].as_array().unwrap().iter().any(|known| known == label);
    let issues: Vec<_> =
        state.issues.iter().filter(has).map(|one| json!({ "key": one["key"], "fields": {} })).collect();
    answer(200, &json!({ "issues": issues, "total": issues.len() }))
}
