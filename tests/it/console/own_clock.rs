//! A console on a machine whose clock is ten minutes ahead, against a real Prometheus: it asks about the right time, and says what is wrong once.

use std::time::Duration;

use warroom::run::clock;

use super::{Host, SOON, Typist as _, WARROOM, play};
use crate::support::http::Reply;
use crate::support::prometheus::{Prometheus, is_installed};
use crate::support::pty::Pty;

const EVERY: Duration = Duration::from_secs(1);

/// Whether the program is there that gives another one a wrong clock; if not, says so.
fn can_fake_time() -> bool {
    let is_there =
        std::process::Command::new("faketime").args(["-f", "+0", "true"]).status().is_ok_and(|s| s.success());
    let is_required = std::env::var("WARROOM_REQUIRE_SERVERS").as_deref() == Ok("1");
    assert!(is_there || !is_required, "faketime is not installed");
    if !is_there {
        eprintln!("skipped: faketime is not installed");
    }
    is_there
}

/// A console that believes it is ten minutes later than it is.
fn ahead(host: &Host, arguments: &[&str]) -> Pty {
    let more = [&["-f", "+10m", WARROOM, "open", "INC-1"], arguments].concat();
    host.start("faketime", &more, &[], (200, 50))
}

#[test]
fn a_clock_that_is_ten_minutes_ahead_is_learnt_from_prometheus_told_in_the_header_and_recorded_once_per_console() {
    if !is_installed() || !can_fake_time() {
        return;
    }
    let seconds = || clock::wall().timestamp() % 9_000;
    let service = play(move |_| {
        let metric = format!("payments_pending{{provider=\"alipay\"}} {}\n", seconds() + 500);
        Reply::status(200, format!("# TYPE payments_pending gauge\n{metric}")).with("content-type", "text/plain")
    });
    let server = Prometheus::scraping(&[(&format!("127.0.0.1:{}", service.port), ".*")]);
    let host = Host::new().declared().in_a_hurry(&[("prometheus", server.url())], EVERY);
    // Two others whose clocks are right read what the first one writes.
    let mut others = [host.open(&[]), host.open(&[])];
    let mut console = ahead(&host, &[]);
    console.wait_for("10 min ahead of prometheus", SOON);
    console.wait_until("it in the header", SOON, |screen| {
        screen.contents().lines().next().is_some_and(|line| line.contains("own clock 10 min ahead"))
    });
    // Its charts end at the right time, and what they end with is of now.
    let shows_now = move |screen: &vt100::Screen| {
        let contents = screen.contents().to_lowercase();
        let row = contents.lines().find(|row| row.contains("payments pending") && row.contains('≤'));
        let value = row.and_then(|row| row.split("payments pending").nth(1)?.split_whitespace().next()?.parse().ok());
        value.is_some_and(|value: i64| (value - 500 - seconds()).abs() <= 8)
    };
    console.wait_until("a value of now", SOON, shows_now);
    let said = "s ahead: its times are read without that";
    let recorded = |host: &Host| host.texts("INC-1").iter().filter(|text| text.contains(said)).count();
    console.wait_until("one line in the record", SOON, |_| recorded(&host) == 1);
    // A second one of the same machine is another console, and another line.
    let mut second = ahead(&host, &[]);
    second.wait_for("10 min ahead of prometheus", SOON);
    second.wait_until("two lines in the record", SOON, |_| recorded(&host) == 2);
    console.watch(EVERY * 3);
    console.note("what it was at the wrong clock");
    assert_eq!(recorded(&host), 2, "{:#?}", host.texts("INC-1"));
    // What was written there stands at the right time.
    let record = host.record("INC-1");
    let lines = record["timeline"].as_array().unwrap();
    let note = lines.iter().find(|line| line["text"] == "what it was at the wrong clock").unwrap();
    let at = chrono::DateTime::parse_from_rfc3339(note["at"].as_str().unwrap()).unwrap();
    assert!((clock::wall() - at.to_utc()).num_seconds().abs() < 60, "{note}");
    for other in &mut others {
        other.wait_for("what it was at the wrong clock", SOON);
        let contents = other.contents();
        assert!(!contents.contains("ahead of prometheus") && !contents.contains("own clock"), "{contents}");
    }
}
