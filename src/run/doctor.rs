//! Looks at everything that warroom depends on, with the calls that it will really make.
//!
//! Hides that all systems are asked at once, and that a question which would hang ends. What is read is asked by the very source that a console runs:
//! it is well here exactly if it is well there.
//!
//! Invariant: nothing is changed anywhere; every system gets at least one line, and a dead one gets one that says so.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::Value;
use tokio::sync::{mpsc, watch};

use super::clock;
use crate::channel::{ChannelSpec, SystemSettings, Wanted, clock_finding};
use crate::checkup::Finding;
use crate::live::{Finding as Told, Report, Scope, WatchedObjective, Watchlist};
use crate::oncall::Person;
use crate::playbook::Catalogue;
use crate::reach::Reach;
use crate::slo::{Absent, Measured, ObjectiveId};
use crate::source::http::{Answer, Failure, Limits, Site};
use crate::source::{Desk, Endpoint, SourceSpec};
use crate::text::CleanStr;

/// Longer than the deadlines of a source add up to.
const PATIENCE: Duration = Duration::from_secs(40);

/// What is to be looked at.
#[derive(Debug)]
pub struct Patient {
    /// The systems that are read.
    pub sources: Vec<(&'static SourceSpec, Endpoint)>,
    /// The systems that are written to.
    pub channels: Vec<(&'static ChannelSpec, Endpoint)>,
    /// What those are opened with.
    pub options: SystemSettings,
    /// What goes where in them.
    pub reach: Reach,
    /// The playbooks.
    pub catalogue: Catalogue,
    /// Who is on call, where a rotation says so.
    pub on_call: Option<Person>,
}

/// Asks all systems, and says what was found, in their order.
pub fn examine(patient: &Patient) -> anyhow::Result<Vec<Finding>> {
    let runtime = crate::run::lacking::runtime()?;
    Ok(runtime.block_on(async {
        let sources = join_all(patient.sources.iter().map(|(spec, endpoint)| source(spec, endpoint, patient)));
        let channels = join_all(patient.channels.iter().map(|(spec, endpoint)| channel(spec, endpoint, patient)));
        let (sources, channels) = tokio::join!(sources, channels);
        sources.into_iter().chain(channels).flatten().collect()
    }))
}

/// Lets a source poll once for all that the playbooks name, and says what came.
async fn source(spec: &'static SourceSpec, endpoint: &Endpoint, patient: &Patient) -> Vec<Finding> {
    let name = spec.name;
    let list = everything(&patient.catalogue);
    let told = match told(spec, endpoint.clone(), list).await {
        Ok(told) => told,
        Err(why) => return vec![Finding::wrong(name, &why)],
    };
    for one in &told {
        if let Told::Failed { reason, .. } = one {
            return vec![Finding::wrong(name, reason)];
        }
    }
    if !told.iter().any(|one| matches!(one, Told::Polled)) {
        return vec![Finding::wrong(name, "does not come to an end")];
    }
    let mut findings = vec![Finding::fine(name, &version(name, endpoint).await)];
    let clock = told.iter().find_map(|one| if let Told::Clock(ahead) = one { Some(*ahead) } else { None });
    let now = clock::wall();
    findings.extend(clock_finding(name, clock.map(|ahead| now - ahead), now));
    findings.extend(told.iter().flat_map(|one| said(name, one)));
    findings.extend(objectives(&told, &patient.catalogue));
    findings
}

/// Everything that any playbook wants to see.
fn everything(catalogue: &Catalogue) -> Watchlist {
    let mut list = Watchlist { generation: 1, ..Watchlist::default() };
    for (service, playbook) in &catalogue.playbooks {
        list.objectives.extend(playbook.measured().map(|(objective, reach)| WatchedObjective {
            id: ObjectiveId { service: service.clone(), objective: objective.id.clone() },
            objective,
            reach,
        }));
        list.services.extend(playbook.traces.watched());
    }
    list
}

/// What a source tells until its first poll is over.
async fn told(spec: &'static SourceSpec, endpoint: Endpoint, list: Watchlist) -> Result<Vec<Told>, String> {
    // It reads certificates and credentials, and may run a program.
    let opened = tokio::task::spawn_blocking(move || (spec.open)(&endpoint)).await;
    let source = opened.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
    let wanted = list.objectives.len();
    let (_list, watch) = watch::channel(Arc::new(list));
    let (_questions, inquiries) = mpsc::channel(1);
    let (teller, mut reports) = mpsc::channel::<Report>(64);
    let mut all = Vec::new();
    let listening = async {
        while let Some(report) = reports.recv().await {
            // A round leaves what is slow to the next ones: a question without its answer is no answer.
            let is_last = matches!(report.finding, Told::Failed { .. })
                || matches!(report.finding, Told::Polled) && is_whole(&all, wanted);
            all.push(report.finding);
            if is_last {
                return;
            }
        }
    };
    let running = source.run(Desk { watch, inquiries, reports: teller });
    tokio::select! {
        () = running => {}
        () = listening => {}
        () = tokio::time::sleep(PATIENCE) => {}
    }
    Ok(all)
}

/// What a source said of an objective's present.
fn of_now(told: &Told) -> Option<&ObjectiveId> {
    if let Told::Measured(id, Scope::Now, _) | Told::Unmeasured(id, Scope::Now, _) = told { Some(id) } else { None }
}

/// Whether a source answers questions about objectives at all.
fn measures(told: &[Told]) -> bool {
    told.iter().any(|one| matches!(one, Told::Measured(..) | Told::Unmeasured(..)))
}

/// Whether a source that measures has said something of the present of each objective.
fn is_whole(told: &[Told], wanted: usize) -> bool {
    !measures(told) || told.iter().filter_map(of_now).collect::<BTreeSet<_>>().len() >= wanted
}

/// Which version stands behind an address, where it says so.
async fn version(name: &'static str, endpoint: &Endpoint) -> String {
    let path = match name {
        "prometheus" => "api/v1/status/buildinfo",
        "alertmanager" => "api/v2/status",
        _ => return String::new(),
    };
    let Ok(site) = Site::open(name, endpoint, Limits::default()) else { return String::new() };
    let Ok(answer) = get(&site, path, &[]).await else { return String::new() };
    let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let version = [&said["data"]["version"], &said["versionInfo"]["version"]].into_iter().find_map(Value::as_str);
    version.unwrap_or_default().to_owned()
}

/// What is to be said of one thing that a source told.
fn said(name: &str, told: &Told) -> Vec<Finding> {
    match told {
        Told::NoAlerts(why) => vec![Finding::doubtful(&format!("{name}: alerts"), why)],
        Told::Alerts(found) => {
            found.remarks.iter().map(|remark| Finding::doubtful(&format!("{name}: alerts"), remark)).collect()
        }
        Told::Spans(found) => {
            found.remarks.iter().map(|remark| Finding::doubtful(&format!("{name}: spans"), remark)).collect()
        }
        Told::Ready { .. }
        | Told::Measured(..)
        | Told::Unmeasured(..)
        | Told::Trace(_)
        | Told::NoTrace(..)
        | Told::Usual(_)
        | Told::Compared(_)
        | Told::Exemplars(_)
        | Told::Changes(_)
        | Told::Clock(_)
        | Told::Polled
        | Told::Failed { .. } => Vec::new(),
    }
}

/// Whether each query of each playbook returns data: the worst that came of its questions.
fn objectives(told: &[Told], catalogue: &Catalogue) -> Vec<Finding> {
    let mut all: BTreeMap<ObjectiveId, Finding> = BTreeMap::new();
    let mut add = |id: ObjectiveId, finding: Finding| match all.get(&id) {
        Some(known) if known.verdict >= finding.verdict => {}
        Some(_) | None => drop(all.insert(id, finding)),
    };
    for one in told {
        let (id, about): (_, Result<&Measured, &CleanStr>) = if let Told::Measured(id, _, measured) = one {
            (id, Ok(measured))
        } else if let Told::Unmeasured(id, _, why) = one {
            (id, Err(why))
        } else {
            continue;
        };
        let Some(playbook) = catalogue.get(&id.service) else { continue };
        let known = playbook.measured().find(|(objective, _)| objective.id == id.objective);
        let Some((objective, _)) = known else { continue };
        let what = format!("playbook {}: {}", id.service, objective.title);
        let is_now = matches!(one, Told::Measured(_, Scope::Now, _));
        let finding = match about {
            Err(why) => Finding::wrong(&what, why),
            Ok(measured) if !measured.partial.is_empty() => {
                Finding::doubtful(&what, &format!("not all of it: {}", measured.partial[0]))
            }
            Ok(measured) if is_now && measured.series.is_empty() && objective.absent == Absent::Unknown => {
                Finding::doubtful(&what, "no data now: is the query right, and does the service report?")
            }
            Ok(_) => Finding::fine(&what, ""),
        };
        add(id.clone(), finding);
    }
    let answered: BTreeSet<_> = told.iter().filter_map(of_now).collect();
    for (service, playbook) in catalogue.playbooks.iter().filter(|_| measures(told)) {
        for (objective, _) in playbook.measured() {
            let id = ObjectiveId { service: service.clone(), objective: objective.id.clone() };
            if !answered.contains(&id) {
                let what = format!("playbook {service}: {}", objective.title);
                let why = format!(
                    "no answer within {} s: the query is too heavy, or the server too slow",
                    PATIENCE.as_secs()
                );
                add(id, Finding::doubtful(&what, &why));
            }
        }
    }
    all.into_values().collect()
}

pub(super) async fn get(site: &Site, path: &'static str, query: &[(&str, &str)]) -> Result<Answer, Failure> {
    let answer = site.ask(site.get(path)?.query(query).send()).await?;
    if answer.is_success() { Ok(answer) } else { Err(site.complaint(&answer)) }
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

/// Whether a file is open to others than it should be; nothing where it is not there, and why where that cannot be
/// seen.
pub fn mode(what: &str, path: &Path, forbidden: u32, way_out: &str) -> Option<Finding> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = match std::fs::metadata(path) {
        Ok(about) => about.permissions().mode() & 0o7777,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
        Err(error) => return Some(Finding::wrong(what, &format!("{}: {error}", path.display()))),
    };
    let shown = format!("{} ({mode:04o})", path.display());
    Some(match mode & forbidden {
        0 => Finding::fine(what, &shown),
        _ => Finding::wrong(what, &format!("{shown} is open to others: {way_out} {}", path.display())),
    })
}
