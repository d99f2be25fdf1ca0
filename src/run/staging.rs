//! Whether a place is staging: asked of its Prometheus before a drill begins there, by each console that joins one, and before each
//! command that puts something there.
//!
//! Hides the two questions: which values a label has over all targets, and whether a series is there.
//!
//! Invariant: nothing is changed anywhere, and what cannot be asked is no staging.

use serde_json::Value;

use super::doctor::get;
use crate::exercise::staged;
use crate::source::Endpoint;
use crate::source::http::{Limits, Site};
use crate::text::{CleanStr, fit};

/// By what a staging environment is known: at least one of the two.
#[derive(Clone, Debug, PartialEq)]
pub struct Marks {
    /// The label, and its value, that every target has.
    pub label: Option<(CleanStr, CleanStr)>,
    /// A series that is there.
    pub build_info: Option<CleanStr>,
}

/// A place that proves to be staging before anything is put there, and what may run then.
#[derive(Clone, Debug)]
pub struct Claim {
    /// Its Prometheus.
    pub endpoint: Endpoint,
    /// By what it is known.
    pub marks: Marks,
    /// How the programs of exercises are called there.
    pub site: staged::Site,
}

/// By what a Prometheus is known to be one of staging, or why it is not.
pub fn prove(endpoint: &Endpoint, marks: &Marks) -> Result<CleanStr, String> {
    let runtime = crate::run::lacking::runtime();
    let runtime = runtime.map_err(|error| error.to_string())?;
    runtime.block_on(ask(endpoint, marks))
}

/// The same, for a loop that goes on meanwhile.
pub(super) async fn ask(endpoint: &Endpoint, marks: &Marks) -> Result<CleanStr, String> {
    let site = Site::open("prometheus", endpoint, Limits::default()).map_err(|error| error.to_string())?;
    let mut proof = Vec::new();
    if let Some((name, value)) = &marks.label {
        let groups = vector(&site, &format!("count by ({name}) (up)")).await?;
        let values: Vec<&str> =
            groups.iter().map(|group| group["metric"][name.as_str()].as_str().unwrap_or("")).collect();
        match values.as_slice() {
            [] => return Err(format!("nothing is scraped at {}: that it is staging cannot be seen", endpoint.url)),
            [only] if *only == value.as_str() => proof.push(format!("all targets have {name}={value}")),
            all => {
                let other = all.iter().find(|one| **one != value.as_str()).copied().unwrap_or_default();
                let other = CleanStr::new(other);
                return Err(format!(
                    "{} is no staging: some of its targets have {name}=\"{}\", not {value}",
                    endpoint.url,
                    fit(&other, 60)
                ));
            }
        }
    }
    if let Some(selector) = &marks.build_info {
        let found = vector(&site, &format!("count({selector})")).await?;
        let is_there = found.first().is_some_and(|one| one["value"][1].as_str().is_some_and(|count| count != "0"));
        if !is_there {
            return Err(format!("{} is no staging: it has no {selector}", endpoint.url));
        }
        proof.push(format!("it has {selector}"));
    }
    if proof.is_empty() {
        return Err("nothing is named by which staging is known".to_owned());
    }
    Ok(CleanStr::new(&proof.join(", ")))
}

/// The values that a query has now; an answer that is not whole is none.
pub(super) fn values(endpoint: &Endpoint, query: &str) -> Result<Vec<f64>, String> {
    let runtime = crate::run::lacking::runtime();
    let runtime = runtime.map_err(|error| error.to_string())?;
    let site = Site::open("prometheus", endpoint, Limits::default()).map_err(|error| error.to_string())?;
    let found = runtime.block_on(vector(&site, query))?;
    let value = |one: &Value| one["value"][1].as_str().and_then(|text| text.parse::<f64>().ok());
    Ok(found.iter().filter_map(value).filter(|value| !value.is_nan()).collect())
}

async fn vector(site: &Site, query: &str) -> Result<Vec<Value>, String> {
    let answer = get(site, "api/v1/query", &[("query", query)]).await.map_err(|failure| failure.reason.to_string())?;
    let mut said: Value =
        serde_json::from_slice(&answer.body).map_err(|error| format!("no answer in JSON: {error}"))?;
    if said["status"] != "success" || said["data"]["resultType"] != "vector" {
        return Err(format!("no vector came for {query}"));
    }
    // A part of an answer proves nothing of the rest.
    if let Some(warning) = said["warnings"].as_array().and_then(|all| all.first()) {
        let warning = CleanStr::new(warning.as_str().unwrap_or_default());
        return Err(format!("the answer to {query} is not whole: {}", fit(&warning, 100)));
    }
    match said["data"]["result"].take() {
        Value::Array(all) => Ok(all),
        _ => Err(format!("no vector came for {query}")),
    }
}
