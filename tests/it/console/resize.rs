//! Consoles of every kind whose window is drawn to another size while data come in: what they show goes on being fresh.

use std::time::Duration;

use warroom::run::clock;

use super::{Host, SOON, WARROOM, play};
use crate::support::http::Reply;
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

/// Each poll of a source comes so soon after the one before it.
const EVERY: Duration = Duration::from_secs(1);
/// The time that a busy machine takes beyond what was agreed.
const LATE: Duration = Duration::from_secs(15);

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

/// The second of this day's ten thousand that a screen shows as the number of pending payments.
fn shown(screen: &vt100::Screen) -> Option<i64> {
    let contents = screen.contents().to_lowercase();
    let row = contents.lines().find(|row| row.contains("payments pending") && row.contains('≤'))?;
    row.split("payments pending").nth(1)?.split_whitespace().next()?.parse().ok()
}

/// A console whose service counts the seconds: what stands on its screen says of when it is.
fn with_prometheus(arguments: &[&str]) {
    if !is_installed() {
        return;
    }
    let seconds = || clock::wall().timestamp() % 9_000;
    let service = play(move |_| {
        let metric = format!("payments_pending{{provider=\"alipay\"}} {}\n", seconds() + 500);
        Reply::status(200, format!("# TYPE payments_pending gauge\n{metric}")).with("content-type", "text/plain")
    });
    let server = Prometheus::scraping(&[(&format!("127.0.0.1:{}", service.port), ".*")]);
    let host = Host::new().declared().in_a_hurry(&[("prometheus", server.url())], EVERY);
    let mut console = host.start(WARROOM, &[&["open", "INC-1"], arguments].concat(), &[], SIZES[0]);
    console.wait_until("a value", SOON, |screen| shown(screen).is_some());
    // The graphs alone, so that they are on the screen in each window; a wall takes no keys.
    console.send("1z");
    for size in SIZES {
        let from = seconds() + 500;
        let begun = clock::boot();
        console.resize(size);
        // It is scraped each second, and asked each second: what was so when the window changed is on it after two polls.
        let is_new = |screen: &vt100::Screen| shown(screen).is_some_and(|value| value >= from || value < from - 1_000);
        console.wait_until(&format!("a value of {from} or later at {size:?}"), EVERY * 2 + LATE, is_new);
        eprintln!("{size:?}: a value of later than the resize after {:?}", clock::boot() - begun);
    }
}

#[test]
fn a_resize_keeps_the_graphs_alive() {
    with_prometheus(&[]);
}

#[test]
fn a_resize_keeps_the_graphs_of_a_wall_alive() {
    with_prometheus(&["--wall"]);
}

#[test]
fn a_resize_keeps_the_graphs_of_somebody_who_only_looks_alive() {
    with_prometheus(&["--read-only"]);
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
