//! Looks at everything that warroom depends on, with the calls that it will really make.
//!
//! Hides that all systems are asked at once, and that a question which would hang ends.
//!
//! Invariant: nothing is changed anywhere; every system gets at least one line, and a dead one gets one that says so.

use std::path::Path;

use futures_util::future::join_all;
use serde_json::Value;

use super::clock;
use crate::channel::{ChannelSpec, Options, Wanted, clock_finding};
use crate::checkup::Finding;
use crate::oncall::Person;
use crate::playbook::Catalogue;
use crate::reach::Reach;
use crate::slo::Objective;
use crate::source::http::{Answer, Failure, Limits, Site};
use crate::source::{Endpoint, SourceSpec};

/// What is to be looked at.
#[derive(Debug)]
pub struct Patient {
    /// The systems that are read.
    pub sources: Vec<(&'static SourceSpec, Endpoint)>,
    /// The systems that are written to.
    pub channels: Vec<(&'static ChannelSpec, Endpoint)>,
    /// What those are opened with.
    pub options: Options,
    /// What goes where in them.
    pub reach: Reach,
    /// The playbooks.
    pub catalogue: Catalogue,
    /// Who is on call, where a rotation says so.
    pub on_call: Option<Person>,
}

/// Asks all systems, and says what was found, in their order.
pub fn examine(patient: &Patient) -> anyhow::Result<Vec<Finding>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
    Ok(runtime.block_on(async {
        let sources = join_all(patient.sources.iter().map(|(spec, endpoint)| source(spec.name, endpoint, patient)));
        let channels = join_all(patient.channels.iter().map(|(spec, endpoint)| channel(spec, endpoint, patient)));
        let (sources, channels) = tokio::join!(sources, channels);
        sources.into_iter().chain(channels).flatten().collect()
    }))
}

async fn source(name: &'static str, endpoint: &Endpoint, patient: &Patient) -> Vec<Finding> {
    let site = match Site::open(name, endpoint, Limits::default()) {
        Ok(site) => site,
        Err(error) => return vec![Finding::wrong(name, &error.to_string())],
    };
    let paths: &[&str] = match name {
        "prometheus" => &["api/v1/status/buildinfo"],
        "alertmanager" => &["api/v2/status"],
        // The newer of its two interfaces, and the older one.
        _ => &["api/v3/services", "api/services"],
    };
    let mut last = None;
    for path in paths {
        match get(&site, path, &[]).await {
            Ok(answer) => {
                let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
                let version = [&said["data"]["version"], &said["versionInfo"]["version"]];
                let version = version.into_iter().find_map(Value::as_str).unwrap_or_default().to_owned();
                let mut findings = vec![Finding::fine(name, &version)];
                findings.extend(clock_finding(name, answer.date, clock::wall()));
                if name == "prometheus" {
                    findings.extend(queries(&site, &patient.catalogue).await);
                }
                return findings;
            }
            Err(failure) => last = Some(failure),
        }
    }
    let why = last.map(|failure| failure.reason).unwrap_or_default();
    vec![Finding::wrong(name, &why)]
}

pub(super) async fn get(site: &Site, path: &str, query: &[(&str, &str)]) -> Result<Answer, Failure> {
    let answer = site.ask(site.get(path)?.query(query).send()).await?;
    if answer.is_success() { Ok(answer) } else { Err(site.complaint(&answer)) }
}

/// Whether each query of each playbook returns data.
async fn queries(site: &Site, catalogue: &Catalogue) -> Vec<Finding> {
    let measured = catalogue
        .playbooks
        .iter()
        .flat_map(|(service, playbook)| playbook.measured().map(move |(objective, _)| (service.clone(), objective)));
    join_all(measured.map(|(service, objective)| query(site, service.to_string(), objective))).await
}

async fn query(site: &Site, service: String, objective: Objective) -> Finding {
    let what = format!("playbook {service}: {}", objective.title);
    match get(site, "api/v1/query", &[("query", &objective.query(&objective.window))]).await {
        Ok(answer) => {
            let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
            let is_empty = said["data"]["result"].as_array().is_some_and(Vec::is_empty);
            let none = "no data now: is the query right, and does the service report?";
            if is_empty { Finding::doubtful(&what, none) } else { Finding::fine(&what, "") }
        }
        Err(failure) => Finding::wrong(&what, &failure.reason),
    }
}

async fn channel(spec: &'static ChannelSpec, endpoint: &Endpoint, patient: &Patient) -> Vec<Finding> {
    let (endpoint, options) = (endpoint.clone(), patient.options.clone());
    // It reads certificates and credentials, and may run a program.
    let opened = tokio::task::spawn_blocking(move || (spec.open)(&endpoint, &options)).await;
    let channel = match opened {
        Ok(Ok(channel)) => channel,
        Ok(Err(error)) => return vec![Finding::wrong(spec.name, &error.to_string())],
        Err(error) => return vec![Finding::wrong(spec.name, &format!("could not be opened: {error}"))],
    };
    let services: Vec<_> = patient.catalogue.playbooks.keys().cloned().collect();
    let wanted = Wanted { reach: &patient.reach, services: &services, on_call: patient.on_call.as_ref() };
    channel.examine(&wanted).await
}

/// Whether a file or a folder is open to others than it should be; nothing where it is not there.
pub fn mode(what: &str, path: &Path, forbidden: u32, way_out: &str) -> Option<Finding> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(path).ok()?.permissions().mode() & 0o7777;
    let shown = format!("{} ({mode:04o})", path.display());
    Some(match mode & forbidden {
        0 => Finding::fine(what, &shown),
        _ => Finding::wrong(what, &format!("{shown} is open to others: {way_out} {}", path.display())),
    })
}
