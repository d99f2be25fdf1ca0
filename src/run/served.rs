//! A drill's world for others to look at: the calls of Prometheus and Jaeger that a console makes, on this machine's own address.
//!
//! Hides the two servers' shapes. There is no PromQL engine: exactly the queries of the playbooks' objectives are answered, anything else is refused with 422.
//!
//! Invariant: what is served is what the console of the drill shows: the same exercise, seed, clock and steps.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use super::server::{Answer, Asked, listen, serve};
use super::{JournalPlace, records};
use crate::alert::AlertState;
use crate::clock;
use crate::exercise::exposed::Exposition;
use crate::exercise::{Exercise, World};
use crate::incident::{Clock, IncidentId};
use crate::live::{WatchedObjective, WatchedService, Watchlist};
use crate::playbook::Catalogue;
use crate::slo::{BURN_WINDOWS, Grid, Measured, ObjectiveId};
use crate::spans::{Span, Trace};
use crate::text::CleanStr;

/// A drill's record is read again after this time.
const READ_EVERY: Duration = Duration::from_secs(1);
/// Prometheus gives no more points of a series.
const MOST_POINTS: usize = 11_000;
/// The name under which the alerts are served.
const NAME: &str = "simulated";

/// What is served.
pub struct Served {
    /// The world, as it starts.
    pub exercise: Exercise,
    /// Its seed.
    pub seed: u64,
    /// Its clock.
    pub clock: Clock,
    /// When it started.
    pub start: DateTime<Utc>,
    /// The playbooks whose queries are answered.
    pub catalogue: Catalogue,
    /// The drill whose steps count, where it is one's.
    pub drill: Option<(JournalPlace, IncidentId)>,
}

struct Serving {
    state: Mutex<State>,
    served: Served,
}

struct State {
    world: World,
    /// The drill's clock, with its pauses.
    clock: Clock,
    /// When the drill's record was read last.
    read: Option<Duration>,
    /// What a Prometheus that scrapes is told.
    exposition: Exposition,
}

/// Serves until the program is ended; `ready` hears where.
pub async fn run(served: Served, address: SocketAddr, ready: impl FnOnce(SocketAddr)) -> Result<(), String> {
    let listener = listen(address).await?;
    ready(listener.local_addr().unwrap_or(address));
    let world = World::new(&served.exercise, served.seed, served.start);
    let state = Mutex::new(State { world, clock: served.clock.clone(), read: None, exposition: Exposition::default() });
    let serving = Arc::new(Serving { state, served });
    serve(listener, move |asked| {
        let serving = serving.clone();
        async move {
            // Reading a record and drawing some thousand requests block.
            let answer = tokio::task::spawn_blocking(move || serving.answer(&asked)).await;
            answer.unwrap_or_else(|_| Answer::words(StatusCode::INTERNAL_SERVER_ERROR, "this question ended badly"))
        }
    })
    .await;
    Ok(())
}

/// The drill at one moment, as one question is answered from it.
struct Shown {
    world: World,
    exposition: Exposition,
    drill: Clock,
    /// In the drill's time.
    now: DateTime<Utc>,
}

impl Shown {
    /// What the world shows at times of the wall clock.
    fn measured(&self, watched: &WatchedObjective, wall: Grid) -> Measured {
        let resolution = wall.resolution.as_seconds_f64() * self.drill.speed();
        let resolution = TimeDelta::milliseconds((resolution * 1000.0) as i64);
        self.world.measured(watched, Grid { start: self.drill.show(wall.start), resolution, len: wall.len }, self.now)
    }
}

type Parameters = Vec<(String, String)>;

impl Serving {
    fn answer(&self, asked: &Asked) -> Answer {
        let form = String::from_utf8_lossy(&asked.body);
        let all = if asked.method == Method::POST { format!("{}&{form}", asked.query) } else { asked.query.clone() };
        let parameters: Parameters = reqwest::Url::parse(&format!("http://localhost/?{all}"))
            .map(|url| url.query_pairs().into_owned().collect())
            .unwrap_or_default();
        let fine = |data: Value| Answer::json(StatusCode::OK, &json!({ "status": "success", "data": data }));
        let shown = self.shown();
        match asked.path.as_str() {
            "/api/v1/query_range" => self.range(&shown, &parameters).map_or_else(refused, fine),
            "/api/v1/query" => self.instant(&shown, &parameters).map_or_else(refused, fine),
            "/api/v1/alerts" => fine(json!({ "alerts": self.alerts(&shown) })),
            "/api/v1/rules" => fine(json!({ "groups": [] })),
            "/api/v1/status/buildinfo" => fine(json!({ "version": format!("warroom {}", env!("CARGO_PKG_VERSION")) })),
            "/metrics" => self.metrics(&shown),
            "/api/services" => Answer::json(StatusCode::OK, &json!({ "data": self.services(), "errors": null })),
            "/api/traces" => self.traces(&shown, &parameters),
            path => match path.strip_prefix("/api/traces/").map(|id| shown.world.trace(&CleanStr::new(id))) {
                Some(Some(trace)) => {
                    Answer::json(StatusCode::OK, &json!({ "data": [trace_json(&trace, &shown.drill)], "errors": null }))
                }
                Some(None) => {
                    let errors = json!([{ "code": 404, "msg": "trace not found" }]);
                    Answer::json(StatusCode::NOT_FOUND, &json!({ "data": null, "errors": errors }))
                }
                None => Answer::words(
                    StatusCode::NOT_FOUND,
                    "here are /api/v1/query, query_range, alerts, /metrics (Prometheus) and /api/services, /api/traces (Jaeger)",
                ),
            },
        }
    }

    /// The drill at this moment: with the steps that are done by now, and what was counted.
    fn shown(&self) -> Shown {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let State { world, clock: drill, read, exposition } = &mut *state;
        if let Some((place, id)) =
            self.served.drill.as_ref().filter(|_| read.is_none_or(|at| clock::boot().saturating_sub(at) >= READ_EVERY))
        {
            *read = Some(clock::boot());
            // A record that cannot be read now is read next time: the steps stay as they were.
            if let Ok(record) = place.open().map_err(anyhow::Error::from).and_then(|dir| records::read(&dir, *id)) {
                world.set_begun_by_hand(&record.facilitation.faults);
                world.set_steps_done(&record.ticks);
                *drill = record.clock();
            }
        }
        let now = drill.show(clock::wall());
        exposition.advance(world, now, drill.speed());
        Shown { world: world.clone(), exposition: exposition.clone(), drill: drill.clone(), now }
    }

    fn watched(&self) -> impl Iterator<Item = WatchedObjective> + '_ {
        self.served.catalogue.iter().flat_map(|playbook| {
            playbook.objectives.iter().map(|objective| WatchedObjective {
                reach: None,
                id: ObjectiveId { service: playbook.service.clone(), objective: objective.id.clone() },
                objective: objective.clone(),
            })
        })
    }

    /// The objective whose query this is, with the window in which it is asked.
    fn asked(&self, parameters: &Parameters) -> Result<WatchedObjective, String> {
        let query = text(parameters, "query").ok_or("query is missing")?;
        for mut watched in self.watched() {
            let own = watched.objective.window.clone();
            let windows = BURN_WINDOWS.iter().map(|window| CleanStr::new(window));
            for window in std::iter::once(own).chain(windows) {
                if watched.objective.query(&window) == query {
                    watched.objective.window = window;
                    return Ok(watched);
                }
            }
        }
        Err("this is a drill's world and no PromQL engine: it answers exactly the queries of the playbooks' objectives"
            .to_owned())
    }

    fn range(&self, shown: &Shown, parameters: &Parameters) -> Result<Value, String> {
        let watched = self.asked(parameters)?;
        let (start, end) = (moment(parameters, "start")?, moment(parameters, "end")?);
        let step = text(parameters, "step")
            .and_then(seconds)
            .filter(|step| *step >= 1.0)
            .ok_or("step is a number of seconds")?;
        let len = ((end - start).num_milliseconds() as f64 / (step * 1000.0)).floor().max(-1.0) as i64 + 1;
        let len = usize::try_from(len).unwrap_or(0);
        if len == 0 || len > MOST_POINTS {
            return Err("exceeded maximum resolution of 11,000 points per timeseries".to_owned());
        }
        let resolution = TimeDelta::milliseconds((step * 1000.0) as i64);
        let measured = shown.measured(&watched, Grid { start, resolution, len });
        let series = measured.series.iter().map(|series| {
            let values = series.values.iter().enumerate().filter_map(|(place, value)| {
                let at = start.timestamp_millis() as f64 / 1000.0 + step * place as f64;
                Some(json!([at, (*value)?.to_string()]))
            });
            json!({ "metric": labels(&series.name), "values": values.collect::<Vec<_>>() })
        });
        Ok(json!({ "resultType": "matrix", "result": series.collect::<Vec<_>>() }))
    }

    fn instant(&self, shown: &Shown, parameters: &Parameters) -> Result<Value, String> {
        // Who asks for this very moment asks for the newest value, though it took the question a moment to come here.
        let newest = shown.drill.wall(shown.now);
        let asked = text(parameters, "time").map(|_| moment(parameters, "time")).transpose()?;
        let at = asked.map_or(newest, |at| if at - newest < TimeDelta::seconds(5) { at.min(newest) } else { at });
        let seconds = at.timestamp_millis() as f64 / 1000.0;
        if text(parameters, "query") == Some("vector(1)") {
            return Ok(json!({ "resultType": "vector", "result": [{ "metric": {}, "value": [seconds, "1"] }] }));
        }
        let watched = self.asked(parameters)?;
        let measured = shown.measured(&watched, Grid { start: at, resolution: TimeDelta::seconds(10), len: 1 });
        let series = measured.series.iter().filter_map(|series| {
            let value = series.values.first().copied().flatten()?;
            Some(json!({ "metric": labels(&series.name), "value": [seconds, value.to_string()] }))
        });
        Ok(json!({ "resultType": "vector", "result": series.collect::<Vec<_>>() }))
    }

    fn alerts(&self, shown: &Shown) -> Vec<Value> {
        let watched: Vec<_> = self.watched().filter(|one| one.id.service == self.served.exercise.service).collect();
        let alerts = shown.world.alerts(NAME, &watched, shown.now);
        let alert = |alert: &crate::alert::Alert| {
            let state = if alert.state == AlertState::Firing { "firing" } else { "pending" };
            json!({ "labels": alert.labels, "annotations": alert.annotations, "state": state,
                    "activeAt": shown.drill.wall(alert.starts_at).to_rfc3339(), "value": "1e+00" })
        };
        alerts.iter().map(alert).collect()
    }

    /// The services' own metrics and the newest value of every objective, for a Prometheus that scrapes.
    fn metrics(&self, shown: &Shown) -> Answer {
        let Shown { world, exposition, now, .. } = shown;
        let mut out = exposition.text(world, *now);
        out += "# HELP warroom_objective_value What an objective of a playbook shows in this drill.\n\
                # TYPE warroom_objective_value gauge\n";
        for watched in self.watched() {
            let measured =
                world.measured(&watched, Grid { start: *now, resolution: TimeDelta::seconds(10), len: 1 }, *now);
            for series in &measured.series {
                let Some(value) = series.values.first().copied().flatten() else { continue };
                let (service, objective) = (&watched.id.service, &watched.id.objective);
                let more =
                    series.name.split_once('=').map(|(key, value)| format!(",{key}=\"{value}\"")).unwrap_or_default();
                out += &format!(
                    "warroom_objective_value{{service=\"{service}\",objective=\"{objective}\"{more}}} {value}\n"
                );
            }
        }
        Answer { status: StatusCode::OK, kind: "text/plain; version=0.0.4; charset=utf-8", body: out }
    }

    fn services(&self) -> Vec<&CleanStr> {
        let mut names: Vec<_> = self.served.exercise.requests.path.iter().map(|hop| &hop.service).collect();
        names.sort();
        names.dedup();
        names
    }

    fn traces(&self, shown: &Shown, parameters: &Parameters) -> Answer {
        let Shown { world, drill, now, .. } = shown;
        let bad = |why: &str| {
            let errors = json!([{ "code": 400, "msg": why }]);
            Answer::json(StatusCode::BAD_REQUEST, &json!({ "data": null, "errors": errors }))
        };
        let Some(service) = text(parameters, "service") else { return bad("parameter 'service' is required") };
        let micros = |key| text(parameters, key).and_then(|text| text.parse::<i64>().ok());
        let at = |key| micros(key).and_then(DateTime::from_timestamp_micros).map(|at| drill.show(at));
        let end = at("end").unwrap_or(*now).min(*now);
        let lookback = at("start").map_or(TimeDelta::hours(1), |start| end - start);
        let limit = text(parameters, "limit").and_then(|text| text.parse().ok()).unwrap_or(20_usize);
        let slow = text(parameters, "minDuration").and_then(span_length);
        let list = Watchlist {
            services: vec![WatchedService { service: CleanStr::new(service), slow, ..WatchedService::default() }],
            lookback: lookback.max(TimeDelta::zero()),
            ..Watchlist::default()
        };
        let found = world.spans(&list, end);
        let rows = if slow.is_some() { &found.slow } else { &found.errors };
        let mut ids: Vec<&CleanStr> = Vec::new();
        for row in rows {
            if ids.len() < limit && !ids.contains(&&row.trace) {
                ids.push(&row.trace);
            }
        }
        let traces: Vec<_> =
            ids.into_iter().filter_map(|id| world.trace(id)).map(|trace| trace_json(&trace, drill)).collect();
        Answer::json(StatusCode::OK, &json!({ "data": traces, "total": 0, "limit": 0, "offset": 0, "errors": null }))
    }
}

fn refused(why: String) -> Answer {
    let body = json!({ "status": "error", "errorType": "execution", "error": why });
    Answer::json(StatusCode::UNPROCESSABLE_ENTITY, &body)
}

fn text<'a>(parameters: &'a Parameters, key: &str) -> Option<&'a str> {
    parameters.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
}

fn seconds(text: &str) -> Option<f64> {
    text.parse::<f64>()
        .ok()
        .or_else(|| text.parse::<crate::text::duration::Lapse>().ok().map(|lapse| lapse.as_seconds()))
}

/// `800ms`, `1.2s` or `800000us`, as Jaeger takes lengths of time.
fn span_length(text: &str) -> Option<TimeDelta> {
    let number = |unit: &str, micros: f64| Some(text.strip_suffix(unit)?.parse::<f64>().ok()? * micros);
    let micros = number("us", 1.0).or_else(|| number("ms", 1e3)).or_else(|| number("s", 1e6))?;
    Some(TimeDelta::microseconds(micros as i64))
}

fn moment(parameters: &Parameters, key: &str) -> Result<DateTime<Utc>, String> {
    let said = text(parameters, key).ok_or_else(|| format!("{key} is missing"))?;
    let unix = said.parse::<f64>().ok().and_then(|seconds| DateTime::from_timestamp_millis((seconds * 1000.0) as i64));
    let written = || DateTime::parse_from_rfc3339(said).ok().map(|at| at.with_timezone(&Utc));
    unix.or_else(written).ok_or_else(|| format!("{key} is no time: write seconds since 1970 or RFC 3339"))
}

/// The label that tells series apart: `instance=alipay-1`.
fn labels(name: &str) -> Value {
    name.split_once('=').map_or_else(|| json!({}), |(key, value)| json!({ key: value }))
}

/// A trace as Jaeger tells it, at the times of the wall clock.
fn trace_json(trace: &Trace, clock: &Clock) -> Value {
    let micros = |at| clock.wall(at).timestamp_micros();
    let mut services: Vec<&CleanStr> = trace.spans.iter().map(|span| &span.service).collect();
    services.sort();
    services.dedup();
    let process =
        |service: &CleanStr| format!("p{}", services.iter().position(|known| *known == service).unwrap_or(0) + 1);
    let tags = |pairs: &[(CleanStr, CleanStr)]| -> Vec<Value> {
        let tag = |(key, value): &(CleanStr, CleanStr)| match value.as_str() {
            "true" => json!({ "key": key, "type": "bool", "value": true }),
            _ => json!({ "key": key, "type": "string", "value": value }),
        };
        pairs.iter().map(tag).collect()
    };
    let span = |span: &Span| {
        let parent = span.parent.iter().map(|id| json!({ "refType": "CHILD_OF", "traceID": trace.id, "spanID": id }));
        let mut own = span.tags.clone();
        if let crate::spans::Outcome::Error(error) = &span.outcome {
            own.push((CleanStr::new("otel.status_description"), error.clone()));
        }
        let logs = span.logs.iter().map(|log| json!({ "timestamp": micros(log.at), "fields": tags(&log.fields) }));
        json!({ "traceID": trace.id, "spanID": span.id, "operationName": span.operation,
                "references": parent.collect::<Vec<_>>(), "startTime": micros(span.start),
                "duration": span.duration.num_microseconds().unwrap_or(i64::MAX), "tags": tags(&own),
                "logs": logs.collect::<Vec<_>>(), "processID": process(&span.service), "warnings": null })
    };
    let processes: serde_json::Map<_, _> =
        services.iter().map(|service| (process(service), json!({ "serviceName": service, "tags": [] }))).collect();
    json!({ "traceID": trace.id, "spans": trace.spans.iter().map(span).collect::<Vec<_>>(), "processes": processes, "warnings": null })
}
