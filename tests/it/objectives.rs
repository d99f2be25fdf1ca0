//! Twenty objectives as sloth, pyrra, OpenSLO and the mixins of kubernetes, etcd and node write them, on a real Prometheus with six hours of data
//! (counters that were reset, pods that came and went, a gap, a breach), against `objectives.py`, which computes them from the samples alone.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use warroom::live::{Finding, Scope, WatchedObjective, Watchlist};
use warroom::slo::{Absent, BURN_WINDOWS, Measured, Objective, ObjectiveId, ObjectiveKind, Side, Unit, promql};
use warroom::source::Endpoint;

use crate::support::prometheus::{Prometheus, is_installed};
use crate::support::source::Seat;

/// The distance of samples, and how long they reach back, in seconds.
const STEP: i64 = 30;
const LENGTH: i64 = 6 * 3600;
/// Errors began so long before the end, and nothing was scraped in this stretch before the end.
const BREACH: i64 = 47 * 60;
const GAP: std::ops::Range<i64> = 110 * 60..140 * 60;

/// A counter that grows by something each step, from a moment to another (before the end), and was reset once.
fn counter(out: &mut String, end: i64, name: &str, life: std::ops::Range<i64>, reset: i64, by: &dyn Fn(i64) -> f64) {
    let mut value = 0.0;
    for at in (0..=LENGTH).rev().step_by(STEP as usize) {
        value = if at == reset { 0.0 } else { value + by(at) };
        if life.contains(&at) && !GAP.contains(&at) {
            let _ = writeln!(out, "{name} {value} {}", end - at);
        }
    }
}

/// Something of every six hours of a shop, its database and its nodes.
fn samples(end: i64) -> String {
    let mut out = String::new();
    let whole = 0..LENGTH + 1;
    let is_bad = |at: i64| at < BREACH;
    let noise = |at: i64, of: f64| of * (1.0 + 0.3 * ((at / STEP) % 7) as f64 / 7.0);
    out += "# TYPE http_requests counter\n";
    // Pod b is replaced by pod c three hours ago; pod a was reset five hours and one hour ago.
    for (pod, life, reset) in
        [("a", whole.clone(), 3600), ("b", 3 * 3600..LENGTH + 1, 5 * 3600), ("c", 0..3 * 3600, 2700)]
    {
        for (code, good, bad) in [("200", 900.0, 800.0), ("404", 9.0, 9.0), ("429", 0.5, 3.0), ("500", 0.7, 31.0)] {
            let name = format!("http_requests_total{{code=\"{code}\",pod=\"{pod}\"}}");
            counter(&mut out, end, &name, life.clone(), reset, &|at| noise(at, if is_bad(at) { bad } else { good }));
        }
    }
    out += "# TYPE grpc_server_handled counter\n";
    for (code, by) in [("OK", 500.0), ("Unavailable", 0.2), ("Internal", 0.1), ("NotFound", 4.0)] {
        let name = format!("grpc_server_handled_total{{grpc_code=\"{code}\"}}");
        counter(&mut out, end, &name, whole.clone(), 9_000, &|at| noise(at, by));
    }
    // Gauges, because the type of a histogram wants all its parts.
    out += "# TYPE http_seconds_bucket gauge\n";
    for (le, good, bad) in [("0.1", 700.0, 400.0), ("0.3", 890.0, 600.0), ("1.0", 899.0, 750.0), ("+Inf", 900.0, 800.0)]
    {
        let name = format!("http_seconds_bucket{{le=\"{le}\"}}");
        counter(&mut out, end, &name, whole.clone(), 5_400, &|at| if is_bad(at) { bad } else { good });
    }
    out += "# TYPE etcd_disk_wal_fsync_duration_seconds_bucket gauge\n";
    for (le, by) in [("0.001", 10.0), ("0.004", 80.0), ("0.016", 99.5), ("+Inf", 100.0)] {
        let name = format!("etcd_disk_wal_fsync_duration_seconds_bucket{{le=\"{le}\"}}");
        counter(&mut out, end, &name, whole.clone(), -1, &|_| by);
    }
    out += "# TYPE etcd_server_leader_changes_seen counter\n";
    counter(&mut out, end, "etcd_server_leader_changes_seen_total{}", whole.clone(), -1, &|at| {
        f64::from(u8::from(at % 4_500 == 0))
    });
    out += "# TYPE kube_pod_container_status_restarts counter\n";
    counter(&mut out, end, "kube_pod_container_status_restarts_total{pod=\"a\"}", whole.clone(), -1, &|at| {
        f64::from(u8::from(at == 3600))
    });
    out += "# TYPE node_cpu_seconds counter\n";
    for cpu in ["0", "1"] {
        for (mode, by) in [("idle", 0.2), ("user", 0.8)] {
            let name = format!("node_cpu_seconds_total{{cpu=\"{cpu}\",mode=\"{mode}\"}}");
            counter(&mut out, end, &name, whole.clone(), -1, &|at| noise(at, by * STEP as f64 / 1.3));
        }
    }
    let mut gauge = |name: &str, life: std::ops::Range<i64>, value: &dyn Fn(i64) -> f64| {
        for at in (0..=LENGTH).rev().step_by(STEP as usize).filter(|at| life.contains(at) && !GAP.contains(at)) {
            let _ = writeln!(out, "{name} {} {}", value(at), end - at);
        }
    };
    gauge("# TYPE node_filesystem_avail_bytes gauge\nnode_filesystem_avail_bytes{mount=\"/\"}", whole.clone(), &|at| {
        4e9 + 1e5 * at as f64
    });
    gauge("node_filesystem_avail_bytes{mount=\"/var\"}", whole.clone(), &|at| 1.2e10 + 3e5 * at as f64);
    gauge("# TYPE node_filesystem_size_bytes gauge\nnode_filesystem_size_bytes{mount=\"/\"}", whole.clone(), &|_| 5e10);
    gauge("node_filesystem_size_bytes{mount=\"/var\"}", whole.clone(), &|_| 1e11);
    gauge("# TYPE up gauge\nup{job=\"etcd\",instance=\"1\"}", whole.clone(), &|_| 1.0);
    gauge("up{job=\"etcd\",instance=\"2\"}", whole.clone(), &|at| f64::from(u8::from(at > 600)));
    gauge("up{job=\"shop\",instance=\"a\"}", whole.clone(), &|_| 1.0);
    gauge("up{job=\"shop\",instance=\"b\"}", 3 * 3600..LENGTH + 1, &|_| 1.0);
    gauge("up{job=\"shop\",instance=\"c\"}", 0..3 * 3600, &|_| 1.0);
    let mut seen = std::collections::HashSet::new();
    let lines = out.lines().filter(|line| !line.starts_with('#') || seen.insert((*line).to_owned()));
    lines.collect::<Vec<_>>().join("\n") + "\n# EOF\n"
}

/// Id, PromQL, unit, limit, which side is good, and whether it is broken at the end.
type Row = (&'static str, &'static str, Unit, f64, Side, bool);

fn rows() -> Vec<Row> {
    use Side::{AtLeast, AtMost, Below};
    use Unit::{Bytes, Count, PerSecond, Ratio, Seconds};
    vec![
        (
            "sloth-availability",
            "(sum(rate(http_requests_total{code=~\"(5..|429)\"}[$window])))\n/\n(sum(rate(http_requests_total[$window])))",
            Ratio,
            0.995,
            AtMost,
            true,
        ),
        (
            "sloth-latency",
            "1 - (\n  sum(rate(http_seconds_bucket{le=\"0.3\"}[$window])) # good\n  /\n  sum(rate(http_seconds_bucket{le=\"+Inf\"}[$window]))\n)",
            Ratio,
            0.95,
            AtMost,
            true,
        ),
        (
            "pyrra-grpc",
            "sum(rate(grpc_server_handled_total{grpc_code=~\"Unavailable|Internal\"}[$window])) / sum(rate(grpc_server_handled_total[$window]))",
            Ratio,
            0.99,
            AtMost,
            false,
        ),
        (
            "pyrra-latency",
            "(sum(rate(http_seconds_bucket{le=\"+Inf\"}[$window])) - sum(rate(http_seconds_bucket{le=\"1.0\"}[$window]))) / sum(rate(http_seconds_bucket{le=\"+Inf\"}[$window]))",
            Ratio,
            0.9,
            AtMost,
            false,
        ),
        (
            "openslo-good-bad",
            "1 - sum(rate(http_requests_total{code=~\"2..|404\"}[$window])) / sum(rate(http_requests_total[$window]))",
            Ratio,
            0.999,
            AtMost,
            true,
        ),
        (
            "p99",
            "histogram_quantile(0.99, sum by (le) (rate(http_seconds_bucket[$window])))",
            Seconds,
            0.8,
            AtMost,
            true,
        ),
        (
            "p50",
            "histogram_quantile(0.5, sum by (le) (rate(http_seconds_bucket[$window])))",
            Seconds,
            0.2,
            AtMost,
            false,
        ),
        (
            "etcd-fsync",
            "histogram_quantile(0.99, sum by (le) (rate(etcd_disk_wal_fsync_duration_seconds_bucket[$window])))",
            Seconds,
            0.01,
            AtMost,
            true,
        ),
        ("etcd-leader-changes", "sum(increase(etcd_server_leader_changes_seen_total[1h]))", Count, 4.0, AtMost, false),
        ("etcd-members", "sum(up{job=\"etcd\"})", Count, 2.0, AtLeast, true),
        ("node-cpu", "1 - sum(rate(node_cpu_seconds_total{mode=\"idle\"}[$window])) / 2", Ratio, 0.9, AtMost, false),
        (
            "node-disk",
            "1 - sum(node_filesystem_avail_bytes) / sum(node_filesystem_size_bytes)",
            Ratio,
            0.95,
            AtMost,
            false,
        ),
        ("node-free", "min(node_filesystem_avail_bytes)", Bytes, 5e9, AtLeast, true),
        ("kube-restarts", "sum(increase(kube_pod_container_status_restarts_total[1h]))", Count, 5.0, Below, false),
        ("requests", "sum(rate(http_requests_total[$window]))", PerSecond, 30.0, AtLeast, false),
        ("pods", "count(up{job=\"shop\"})", Count, 2.0, AtLeast, false),
        ("targets-down", "count(up == 0) or vector(0)", Count, 0.0, AtMost, true),
        ("errors", "sum(increase(http_requests_total{code=\"500\"}[$window]))", Count, 100.0, AtMost, true),
        (
            "grpc-failures",
            "sum(rate(grpc_server_handled_total{grpc_code=\"Unavailable\"}[$window]))",
            PerSecond,
            1.0,
            AtMost,
            false,
        ),
        ("worst-pod", "max(rate(http_requests_total{code=\"500\"}[$window]))", PerSecond, 1.0, AtMost, true),
    ]
}

fn watched((id, expr, unit, target, side, _): Row) -> WatchedObjective {
    let kind = if id.starts_with("sloth") || id.starts_with("pyrra") || id.starts_with("openslo") {
        ObjectiveKind::Ratio
    } else {
        ObjectiveKind::Threshold
    };
    assert_eq!(promql::check(expr), Ok(vec![]), "{id}");
    WatchedObjective {
        reach: None,
        id: ObjectiveId { service: "shop".into(), objective: id.into() },
        objective: Objective {
            id: id.into(),
            title: id.into(),
            kind,
            expr: expr.to_owned(),
            target,
            unit,
            side,
            window: "5m".into(),
            absent: Absent::Unknown,
            every: None,
            lag: None,
        },
    }
}

/// What `objectives.py` computes.
fn computed(samples: &std::path::Path, asks: &[Value]) -> Value {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/objectives.py");
    let mut python = Command::new("python3").arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let ask = json!({"samples": samples, "asks": asks}).to_string();
    python.stdin.take().unwrap().write_all(ask.as_bytes()).unwrap();
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

fn is_near(one: Option<f64>, other: Option<f64>) -> bool {
    match (one.filter(|one| !one.is_nan()), other) {
        (Some(one), Some(other)) => (one - other).abs() <= 1e-9 * one.abs().max(other.abs()).max(1e-9),
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    }
}

#[tokio::test]
async fn twenty_objectives_have_the_values_verdicts_burn_rates_and_beginnings_that_the_samples_have() {
    let has_python = Command::new("python3").arg("--version").output().is_ok_and(|output| output.status.success());
    if !is_installed() || !has_python {
        return;
    }
    let end = warroom::clock::wall().timestamp();
    let text = samples(end);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("samples");
    std::fs::write(&file, &text).unwrap();
    let server = Prometheus::start(&text);
    let objectives: Vec<WatchedObjective> = rows().into_iter().map(watched).collect();
    let list = Watchlist { generation: 1, span: chrono::TimeDelta::hours(6), objectives, ..Watchlist::default() };
    let mut seat = Seat::start("prometheus", &Endpoint::at(server.url()), list);
    let (findings, outcome) = seat.poll().await;
    assert_eq!(outcome, Ok(()));
    let of = |id: &str, wanted: Scope| -> Measured {
        let is = |finding: &Finding| match finding {
            Finding::Measured(of, scope, measured) if of.objective == id && *scope == wanted => {
                Some((**measured).clone())
            }
            _ => None,
        };
        findings.iter().find_map(is).unwrap_or_else(|| panic!("{id} was not measured"))
    };
    let mut asks = Vec::new();
    for (id, ..) in rows() {
        let (now, chart) = (of(id, Scope::Now), of(id, Scope::Chart));
        let moments: Vec<i64> = (0..chart.grid.len).map(|place| chart.grid.at(place).timestamp()).collect();
        // What is asked a moment later is about a later moment.
        let burn = of_burn(&findings, id).map(|burn| burn.grid.start.timestamp());
        let times: Vec<i64> = moments.into_iter().chain([now.grid.start.timestamp()]).chain(burn).collect();
        asks.push(json!({"id": id, "window": 300, "times": times}));
        for seconds in burn.iter().flat_map(|_| [3600, 21_600]) {
            asks.push(json!({"id": id, "window": seconds, "times": [burn]}));
        }
    }
    let expected = computed(&file, &asks);
    let mut compared = 0;
    for row in rows() {
        let (id, .., is_broken) = row;
        let objective = watched(row).objective;
        let values: Vec<Option<f64>> =
            expected[format!("{id}/300")].as_array().unwrap().iter().map(Value::as_f64).collect();
        let (now, chart) = (of(id, Scope::Now), of(id, Scope::Chart));
        for (place, value) in values[..chart.grid.len].iter().enumerate() {
            let ours = chart.worst_at(&objective, place).map(|worst| worst.value);
            assert!(is_near(ours, *value), "{id} at {}: {ours:?}, not {value:?}", chart.grid.at(place));
            compared += 1;
        }
        let theirs = values[chart.grid.len];
        let ours = now.worst_at(&objective, 0).map(|worst| worst.value);
        assert!(is_near(ours, theirs), "{id} now: {ours:?}, not {theirs:?}");
        assert_eq!(objective.is_broken_by(theirs.unwrap()), Some(is_broken), "{id}: {theirs:?}");
        assert_eq!(
            since(&objective, &chart, &values),
            chart.broken_since(&objective).map(|lasting| lasting.since),
            "{id}"
        );
        if let Some(burn) = of_burn(&findings, id) {
            for (ours, window) in burn.burn.into_iter().zip([300, 3600, 21_600]) {
                let value = expected[format!("{id}/{window}")].as_array().unwrap().last().unwrap().as_f64();
                let theirs = value.map(|value| value / (1.0 - objective.target));
                assert!(is_near(ours, theirs), "{id} over {window} s burns {ours:?}, not {theirs:?}");
            }
        }
    }
    assert_eq!(BURN_WINDOWS, ["5m", "1h", "6h"]);
    eprintln!("20 objectives, {compared} values of charts agree");
}

fn of_burn<'a>(findings: &'a [Finding], id: &str) -> Option<&'a Measured> {
    findings.iter().find_map(|finding| match finding {
        Finding::Measured(of, Scope::Burn, measured) if of.objective == id => Some(&**measured),
        _ => None,
    })
}

/// Since when the computed values are on the bad side, up to the newest; what is missing ends nothing.
fn since(objective: &Objective, chart: &Measured, values: &[Option<f64>]) -> Option<chrono::DateTime<chrono::Utc>> {
    let mut first = None;
    for place in (0..chart.grid.len).rev() {
        match values[place].and_then(|value| objective.is_broken_by(value)) {
            Some(true) => first = Some(place),
            Some(false) => break,
            None => {}
        }
    }
    first.map(|place| chart.grid.at(place))
}
