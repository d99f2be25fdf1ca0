//! Slack's Web API.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::{Checked, fields, parameters, text};
use crate::support::http::{Reply, Request};

pub const TOKEN: &str = "xoxb-1234-secret-5678";
/// `#status-qrpay`.
pub const STATUS: &str = "C012345678";

#[derive(Debug, Default)]
pub struct State {
    pub channels: Vec<Value>,
    /// Channel, message; edits are in place.
    pub messages: Vec<(String, Value)>,
    /// What `#status-qrpay` says of itself beyond its name.
    pub status: Value,
    /// Guests of the workspace, who are in every channel.
    pub guests: Vec<String>,
    /// Who cannot be invited.
    pub gone: Vec<String>,
    pub pins: Vec<(String, String)>,
    pub invited: Vec<String>,
    /// Messages have the time of the clock; without it, one that is always the same.
    pub has_clock: bool,
    /// The workspaces of an organisation that the app was let into, ID and name; none where the token is of one workspace.
    pub workspaces: Vec<(String, String)>,
}

/// A workspace with one channel.
#[derive(Clone, Debug, Default)]
pub struct Slack(pub Arc<Mutex<State>>);

impl Slack {
    /// Somebody opens a channel there.
    pub fn opened(&self, name: &str, created: i64) -> String {
        let mut state = self.0.lock().unwrap();
        let id = format!("C{:09}", state.channels.len() + 1);
        state.channels.push(json!({ "id": id, "name": name, "created": created, "is_archived": false }));
        id
    }

    /// Somebody writes something that is kept, and maybe edits it.
    pub fn kept(&self, channel: &str, ts: &str, text: &str) {
        let mut state = self.0.lock().unwrap();
        state.messages.retain(|(_, message)| message["ts"] != ts);
        let reactions = json!([{ "name": "pushpin", "users": ["U1"] }]);
        state
            .messages
            .push((channel.to_owned(), json!({ "ts": ts, "text": text, "user": "U00000BOB", "reactions": reactions })));
    }

    /// The newest text of all channels; empty where there is none.
    pub fn newest(&self) -> String {
        let state = self.0.lock().unwrap();
        state.messages.last().and_then(|(_, message)| message["text"].as_str()).unwrap_or_default().to_owned()
    }

    /// The texts of a channel.
    pub fn texts(&self, channel: &str) -> Vec<String> {
        let state = self.0.lock().unwrap();
        let of_channel = state.messages.iter().filter(|(of, _)| of == channel);
        of_channel.map(|(_, message)| message["text"].as_str().unwrap().to_owned()).collect()
    }

    pub fn answer(&self, request: &Request) -> Reply {
        let said = if request.header("authorization").is_some_and(|said| said.contains("xapp-")) {
            Err("not_allowed_token_type".to_owned())
        } else if request.header("authorization") == Some(&format!("Bearer {TOKEN}")) {
            self.take(request)
        } else {
            Err("invalid_auth".to_owned())
        };
        let said = match said {
            Ok(said) => said,
            Err(error) if error == "missing_argument" => json!({ "ok": false, "error": error, "arg": "team_id" }),
            Err(error) => json!({ "ok": false, "error": error }),
        };
        let scopes = "chat:write,channels:history,channels:manage,channels:read,channels:join,pins:write,pins:read,users:read.email";
        Reply::json(said.to_string()).with("x-oauth-scopes", scopes)
    }

    fn take(&self, request: &Request) -> Checked<Value> {
        let mut state = self.0.lock().unwrap();
        let method = request.path.rsplit('/').next().unwrap_or_default();
        let body: Value = match request.method.as_str() {
            "POST" if request.header("content-type") != Some("application/json; charset=utf-8") => {
                return Err("missing_charset".to_owned());
            }
            "POST" => serde_json::from_str(&request.body).map_err(|_| "invalid_json")?,
            _ => json!({}),
        };
        let known = |state: &State, id: &str| id == STATUS || state.channels.iter().any(|one| one["id"] == id);
        let is_gone = |one: &Value| one["id"] == body["channel"] && one["is_archived"] == true;
        if request.method == "POST" && method != "conversations.join" && state.channels.iter().any(is_gone) {
            return Err("is_archived".to_owned());
        }
        match (request.method.as_str(), method) {
            ("POST", "chat.postMessage") => {
                let more = ["unfurl_links", "unfurl_media", "blocks", "thread_ts", "reply_broadcast"];
                fields(&body, &["channel", "text", "metadata"], &more)?;
                laid_out(&body)?;
                let channel = text(&body, "channel")?;
                if !known(&state, channel) {
                    return Err("channel_not_found".to_owned());
                }
                let payload = &body["metadata"]["event_payload"];
                if body["metadata"]["event_type"] != "warroom" || !payload["op"].is_string() {
                    return Err("invalid_metadata_format".to_owned());
                }
                let second = if state.has_clock { warroom::run::clock::wall().timestamp() } else { 1_790_000_000 };
                let ts = format!("{second}.{:06}", state.messages.len() + 1);
                let mut message = json!({ "ts": ts, "text": body["text"], "metadata": body["metadata"] });
                for key in ["blocks", "thread_ts", "reply_broadcast"] {
                    if !body[key].is_null() {
                        message[key] = body[key].clone();
                    }
                }
                state.messages.push((channel.to_owned(), message));
                Ok(json!({ "ok": true, "channel": channel, "ts": ts }))
            }
            ("GET", "conversations.history") => {
                parameters(request, &["channel", "oldest", "latest", "include_all_metadata", "limit", "cursor"])?;
                if request.parameter("include_all_metadata") != Some("true") {
                    return Err("invalid_arguments".to_owned());
                }
                let channel = request.parameter("channel").ok_or("invalid_arguments")?;
                // Replies stand below their message, and here only where they were told to the channel too.
                let is_here = |one: &Value| one["thread_ts"].is_null() || one["reply_broadcast"] == true;
                let latest = request.parameter("latest").unwrap_or("9");
                let is_below = |one: &Value| one["ts"].as_str().is_some_and(|ts| ts < latest);
                let of_channel =
                    state.messages.iter().rev().filter(|(of, one)| of == channel && is_here(one) && is_below(one));
                let from: usize = request.parameter("cursor").map_or(0, |cursor| cursor.parse().unwrap());
                let all: Vec<_> = of_channel.map(|(_, message)| message).collect();
                let page: Vec<_> = all.iter().skip(from).take(200).collect();
                let next = if from + 200 < all.len() { (from + 200).to_string() } else { String::new() };
                Ok(json!({ "ok": true, "messages": page, "response_metadata": { "next_cursor": next } }))
            }
            ("GET", "conversations.replies") => {
                parameters(request, &["channel", "ts", "oldest", "include_all_metadata", "limit", "cursor"])?;
                let ts = request.parameter("ts").ok_or("invalid_arguments")?;
                let below = state.messages.iter().filter(|(_, one)| one["ts"] == ts || one["thread_ts"] == ts);
                let messages: Vec<_> = below.map(|(_, message)| message).collect();
                Ok(json!({ "ok": true, "messages": messages, "response_metadata": { "next_cursor": "" } }))
            }
            ("GET", "pins.list") => {
                parameters(request, &["channel"])?;
                let channel = request.parameter("channel").ok_or("invalid_arguments")?;
                let is_pinned = |ts: &Value| state.pins.iter().any(|(of, pin)| of == channel && ts == pin);
                let pinned = state.messages.iter().filter(|(of, one)| of == channel && is_pinned(&one["ts"]));
                let items: Vec<_> = pinned.map(|(_, one)| json!({ "type": "message", "message": one })).collect();
                Ok(json!({ "ok": true, "items": items }))
            }
            ("GET", "users.info") => {
                parameters(request, &["user"])?;
                match request.parameter("user") {
                    Some(id @ "U00000BOB") => {
                        Ok(json!({ "ok": true, "user": { "id": id, "name": "bob", "real_name": "Bob Stone" } }))
                    }
                    _ => Err("user_not_found".to_owned()),
                }
            }
            ("POST", "auth.test") if !state.workspaces.is_empty() => {
                Ok(json!({ "ok": true, "url": "https://qr.enterprise.slack.example/", "team": null, "user": "grace",
                "team_id": null, "user_id": "U1", "bot_id": "B1", "enterprise_id": "E1", "is_enterprise_install": true }))
            }
            ("GET", "auth.teams.list") => {
                parameters(request, &["limit", "cursor"])?;
                let teams: Vec<_> =
                    state.workspaces.iter().map(|(id, name)| json!({ "id": id, "name": name })).collect();
                Ok(json!({ "ok": true, "teams": teams, "response_metadata": { "next_cursor": "" } }))
            }
            ("POST", "auth.test") => {
                Ok(json!({ "ok": true, "url": "https://qr.slack.example/", "team": "QR", "user": "grace",
                "team_id": "T1", "user_id": "U1", "bot_id": "B1", "is_enterprise_install": false }))
            }
            ("GET", "users.list") => {
                parameters(request, &["limit", "cursor", "team_id"])?;
                of_workspace(&state, request.parameter("team_id"))?;
                let guest =
                    |name: &String| json!({ "id": format!("U-{name}"), "real_name": name, "is_restricted": true });
                let mut all: Vec<_> = state.guests.iter().map(guest).collect();
                all.push(json!({ "id": "U00000BOB", "real_name": "Bob", "is_restricted": false }));
                Ok(json!({ "ok": true, "members": all, "response_metadata": { "next_cursor": "" } }))
            }
            ("GET", "conversations.members") => {
                parameters(request, &["channel", "limit", "cursor"])?;
                let guests = state.guests.iter().map(|name| format!("U-{name}"));
                let all: Vec<_> = guests.chain(["U00000BOB".to_owned()]).collect();
                Ok(json!({ "ok": true, "members": all, "response_metadata": { "next_cursor": "" } }))
            }
            ("GET", "conversations.info") => {
                parameters(request, &["channel"])?;
                let id = request.parameter("channel").ok_or("channel_not_found")?;
                if !known(&state, id) {
                    return Err("channel_not_found".to_owned());
                }
                let own = state.channels.iter().find(|one| one["id"] == id).cloned();
                let mut channel = own.unwrap_or_else(
                    || json!({ "id": id, "name": "status-qrpay", "is_archived": false, "is_member": true }),
                );
                if let (Some(more), STATUS) = (state.status.as_object(), id) {
                    channel.as_object_mut().unwrap().extend(more.clone());
                }
                Ok(json!({ "ok": true, "channel": channel }))
            }
            ("GET", "chat.getPermalink") => {
                parameters(request, &["channel", "message_ts"])?;
                let ts = request.parameter("message_ts").ok_or("message_not_found")?;
                Ok(json!({ "ok": true, "permalink": format!("https://qr.slack.example/p{ts}") }))
            }
            ("POST", "conversations.create") => {
                fields(&body, &["name", "is_private"], &["team_id"])?;
                let team = of_workspace(&state, body["team_id"].as_str())?;
                let name = text(&body, "name")?;
                let is_plain =
                    |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || "-_".contains(letter);
                if name.len() > 80 || !name.chars().all(is_plain) {
                    return Err("invalid_name_specials".to_owned());
                }
                let is_here = |one: &Value| one["name"] == name && one["context_team_id"] == team;
                if state.channels.iter().any(is_here) {
                    return Err("name_taken".to_owned());
                }
                let id = format!("C{:09}", state.channels.len() + 1);
                let is_private = body["is_private"] == true;
                let made = json!({ "id": id, "name": name, "created": 1_790_000_000, "is_archived": false,
                    "is_private": is_private, "context_team_id": team });
                state.channels.push(made.clone());
                Ok(json!({ "ok": true, "channel": made }))
            }
            ("POST", "conversations.join") => {
                fields(&body, &["channel"], &[])?;
                Ok(json!({ "ok": true, "channel": { "id": body["channel"], "name": "x" } }))
            }
            ("GET", "conversations.list") => {
                parameters(request, &["types", "exclude_archived", "limit", "cursor", "team_id"])?;
                let team = of_workspace(&state, request.parameter("team_id"))?;
                let here: Vec<_> = state.channels.iter().filter(|one| one["context_team_id"] == team).collect();
                // Two a page.
                let from: usize = request.parameter("cursor").map_or(0, |cursor| cursor.parse().unwrap());
                let page: Vec<_> = here.iter().skip(from).take(2).collect();
                let more = from + 2 < here.len();
                let next = if more { (from + 2).to_string() } else { String::new() };
                Ok(json!({ "ok": true, "channels": page, "response_metadata": { "next_cursor": next } }))
            }
            ("POST", "conversations.setTopic" | "conversations.setPurpose") => {
                let what = if method.ends_with("Topic") { "topic" } else { "purpose" };
                fields(&body, &["channel", what], &[])?;
                let value = text(&body, what)?;
                if value.chars().count() > 250 {
                    return Err("too_long".to_owned());
                }
                let id = text(&body, "channel")?;
                let found = state.channels.iter_mut().find(|one| one["id"] == id).ok_or("channel_not_found")?;
                found[what] = json!({ "value": value });
                Ok(json!({ "ok": true }))
            }
            ("GET", "users.lookupByEmail") => {
                parameters(request, &["email"])?;
                match request.parameter("email") {
                    Some("bob@qr.example") => Ok(json!({ "ok": true, "user": { "id": "U00000BOB" } })),
                    _ => Err("users_not_found".to_owned()),
                }
            }
            ("POST", "conversations.invite") => {
                fields(&body, &["channel", "users", "force"], &[])?;
                let users: Vec<String> = text(&body, "users")?.split(',').map(str::to_owned).collect();
                let (gone, there): (Vec<_>, Vec<_>) = users.into_iter().partition(|user| state.gone.contains(user));
                let errors = gone.iter().map(|user| json!({ "user": user, "ok": false, "error": "user_not_found" }));
                let errors: Vec<_> = errors.collect();
                if there.is_empty() {
                    return Ok(json!({ "ok": false, "error": "user_not_found", "errors": errors }));
                }
                state.invited.extend(there);
                let mut said = json!({ "ok": true, "channel": { "id": body["channel"], "name": "x" } });
                if !errors.is_empty() {
                    said["errors"] = json!(errors);
                }
                Ok(said)
            }
            ("POST", "chat.update") => {
                fields(&body, &["channel", "ts", "text"], &["blocks"])?;
                laid_out(&body)?;
                let found =
                    state.messages.iter_mut().find(|(of, one)| body["channel"] == **of && one["ts"] == body["ts"]);
                let found = &mut found.ok_or("message_not_found")?.1;
                (found["text"], found["blocks"]) = (body["text"].clone(), body["blocks"].clone());
                Ok(json!({ "ok": true, "channel": body["channel"], "ts": body["ts"] }))
            }
            ("POST", "pins.add") => {
                fields(&body, &["channel", "timestamp"], &[])?;
                let pin = (text(&body, "channel")?.to_owned(), text(&body, "timestamp")?.to_owned());
                if state.pins.contains(&pin) {
                    return Err("already_pinned".to_owned());
                }
                state.pins.push(pin);
                Ok(json!({ "ok": true }))
            }
            ("POST", "chat.delete") => {
                fields(&body, &["channel", "ts"], &[])?;
                let before = state.messages.len();
                state.messages.retain(|(of, one)| !(body["channel"] == **of && one["ts"] == body["ts"]));
                if state.messages.len() == before {
                    Err("message_not_found".to_owned())
                } else {
                    Ok(json!({ "ok": true }))
                }
            }
            ("POST", "conversations.archive") => {
                fields(&body, &["channel"], &[])?;
                let found = state.channels.iter_mut().find(|one| one["id"] == body["channel"]);
                found.ok_or("channel_not_found")?["is_archived"] = json!(true);
                Ok(json!({ "ok": true }))
            }
            _ => Err("unknown_method".to_owned()),
        }
    }
}

/// The workspace that is meant, which a token of a whole organisation has to be told.
fn of_workspace(state: &State, said: Option<&str>) -> Checked<Value> {
    match said {
        _ if state.workspaces.is_empty() => Ok(Value::Null),
        None => Err("missing_argument".to_owned()),
        Some(id) if state.workspaces.iter().any(|(known, _)| known == id) => Ok(json!(id)),
        Some(_) => Err("team_access_not_granted".to_owned()),
    }
}

/// Texts within their limits, and blocks of the kinds that there are.
fn laid_out(body: &Value) -> Checked<()> {
    let is_long = |text: &Value, most: usize| text.as_str().is_some_and(|text| text.encode_utf16().count() > most);
    if is_long(&body["text"], 4_000) {
        return Err("msg_too_long".to_owned());
    }
    for block in body["blocks"].as_array().into_iter().flatten() {
        let is_flawed = match block["type"].as_str() {
            Some("header") => block["text"]["type"] != "plain_text" || is_long(&block["text"]["text"], 150),
            Some("section") => {
                let fields = block["fields"].as_array().cloned().unwrap_or_default();
                is_long(&block["text"]["text"], 3_000)
                    || fields.len() > 10
                    || fields.iter().any(|field| is_long(&field["text"], 2_000))
            }
            Some("context") => block["elements"].as_array().is_none_or(|all| all.len() > 10),
            Some("divider") => false,
            _ => true,
        };
        if is_flawed {
            return Err("invalid_blocks".to_owned());
        }
    }
    Ok(())
}
