//! The systems that warroom writes to, in the test's process: each keeps what it is told, and refuses what its description does not allow.

pub mod jira;
pub mod pagerduty;
pub mod slack;
pub mod statuspage;

use serde_json::{Value, json};

use super::http::{Reply, Request};

/// What is wrong with a request, by the letter of the description.
pub type Checked<T = ()> = Result<T, String>;

/// The body of a JSON request, with its content type.
pub fn body(request: &Request) -> Checked<Value> {
    let kind = request.header("content-type").unwrap_or_default();
    if kind != "application/json" && kind != "application/json; charset=utf-8" {
        return Err(format!("content type {kind}"));
    }
    serde_json::from_str(&request.body).map_err(|error| format!("no JSON: {error}"))
}

/// An object has these fields and maybe those, and no other.
pub fn fields(value: &Value, wanted: &[&str], allowed: &[&str]) -> Checked {
    let object = value.as_object().ok_or("not an object")?;
    for key in wanted {
        if !object.contains_key(*key) {
            return Err(format!("{key} is missing"));
        }
    }
    for key in object.keys() {
        if !wanted.contains(&key.as_str()) && !allowed.contains(&key.as_str()) {
            return Err(format!("{key} is unknown"));
        }
    }
    Ok(())
}

/// A query has only these parameters.
pub fn parameters(request: &Request, allowed: &[&str]) -> Checked {
    match request.query.iter().find(|(key, _)| !allowed.contains(&key.as_str())) {
        Some((key, _)) => Err(format!("the parameter {key} is unknown")),
        None => Ok(()),
    }
}

pub fn text<'a>(value: &'a Value, key: &str) -> Checked<&'a str> {
    value[key].as_str().ok_or_else(|| format!("{key} is no text"))
}

pub fn header(request: &Request, name: &str, value: &str) -> Checked {
    match request.header(name) {
        Some(said) if said == value => Ok(()),
        said => Err(format!("{name}: {said:?}")),
    }
}

/// A JSON answer with a status.
pub fn answer(status: u16, body: &Value) -> Reply {
    Reply::status(status, body.to_string()).with("content-type", "application/json")
}

/// A flaw of the request as a status with a sentence, so that a test that fails says why.
pub fn flawed(status: u16, why: &str) -> Reply {
    answer(status, &json!({ "message": why }))
}
