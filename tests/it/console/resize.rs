//! Consoles of every kind whose window is drawn to another size while data come in: what they show goes on being fresh.

use std::time::Duration;

use warroom::run::clock;

use super::{Host, SOON, WARROOM};
use crate::support::prometheus::{Prometheus, is_installed};
use crate::support::pty::Pty;

/// Twenty windows, wide and narrow ones in turn, so that the charts want another resolution each time.
const SIZES: [(u16, u16); 20] = [
    (120, 40),
    (200, 50),
    (80, 24),
    (240, 60),
    (100, 30),
    (160, 45),
    (81, 60),
    (300, 80),
    (120, 24),
    (220, 40),
    (90, 50),
    (180, 50),
    (132, 43),
    (250, 70),
    (100, 60),
    (210, 55),
    (140, 40),
    (280, 60),
    (110, 35),
    (200, 50),
];

/// Each poll of a source comes so soon after the one before it; what is older than two is drawn as stale.
const EVERY: Duration = Duration::from_secs(1);
/// The time that a busy machine takes beyond what was agreed.
const LATE: Duration = Duration::from_secs(3);

/// Resizes a console through all windows, with so much time in each of them, and fails where what it shows is not fresh.
fn stays_fresh(console: &mut Pty, each: Duration, shows: &str) {
    for size in SIZES {
        console.resize(size);
        console.watch(each);
        let is_fresh = |screen: &vt100::Screen| {
            let contents = screen.contents();
            let is_old = ["STALE", "NO DATA", "no data", "failing"].iter().any(|word| contents.contains(word));
            contents.contains(shows) && !is_old
        };
        console.wait_until(&format!("fresh data at {size:?}"), LATE, is_fresh);
    }
}

/// A console of an incident with a real Prometheus below it.
fn with_prometheus(arguments: &[&str], shows: &str) {
    if !is_installed() {
        return;
    }
    let server = Prometheus::start(&super::sources::samples(clock::wall().timestamp() + 600));
    let host = Host::new().declared().in_a_hurry(&[("prometheus", server.url())], EVERY);
    let mut console = host.start(WARROOM, &[&["open", "INC-1"], arguments].concat(), &[], SIZES[0]);
    console.wait_for(shows, SOON);
    // The graphs alone, so that they are on the screen in each window; a wall takes no keys.
    console.send("1z");
    stays_fresh(&mut console, EVERY * 2, shows);
}

#[test]
fn a_resize_keeps_the_graphs_alive() {
    with_prometheus(&[], "p99 latency");
}

#[test]
fn a_resize_keeps_the_graphs_of_a_wall_alive() {
    with_prometheus(&["--wall"], "INC-1");
}

#[test]
fn a_resize_keeps_the_graphs_of_somebody_who_only_looks_alive() {
    with_prometheus(&["--read-only"], "p99 latency");
}

#[test]
fn a_resize_keeps_the_graphs_of_a_drill_alive() {
    let host = Host::new();
    let mut console = host.start(WARROOM, &["gameday"], &[], SIZES[0]);
    console.wait_for("p99 latency", SOON);
    console.send("1z");
    stays_fresh(&mut console, Duration::from_millis(100), "p99 latency");
    // The world of a drill is looked at each five seconds at most: what is dropped is old after ten.
    console.watch(Duration::from_secs(11));
    stays_fresh(&mut console, Duration::ZERO, "p99 latency");
}
