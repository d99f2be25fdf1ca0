//! What people do with it, from the first key to the last.

use serde_json::json;

use super::{ESC, Host, SOON, Typist, recorded};

#[test]
fn a_newcomer_takes_command_acknowledges_ticks_a_step_and_writes_a_note() {
    let host = Host::new();
    let mut console = host.drill();
    console.wait_for("p99 latency", SOON);
    console.type_for("R", "Incident Commander");
    console.type_for("\r", "IC dana");
    console.type_for("a", "ack 0:");
    console.send("3x");
    console.wait_until("a ticked step", SOON, |screen| {
        screen.contents().contains('✓') && recorded(&screen.contents(), "STEP") || screen.contents().contains("1/7")
    });
    console.note("the provider answers in seconds");
    let shown = console.contents();
    assert!(recorded(&shown, "the provider answers in seconds"), "{shown}");
    console.type_for("?", "every action by its name");
    console.type_for(ESC, ": commands");
    // The palette finds an action by a part of its name, in the order of its letters.
    console.type_for(":", "every action by its name");
    console.type_for("imstrt", "impact-start");
    console.type_for("\r", "customers hurt since when?");
    console.type_for("-2m\x7f\x7f\x7f", "customers hurt since when?");
    console.type_for(ESC, ": commands");
    console.quit();

    let record = host.record("DRILL-1");
    assert!(record["seconds_to_acknowledge"].is_number(), "{record}");
    let roles = record["roles"].as_array().unwrap();
    assert!(
        roles.iter().any(|role| role["role"] == json!("incident-commander") && role["holder"] == json!("dana")),
        "{roles:?}"
    );
    assert_eq!(host.times("DRILL-1", "the provider answers in seconds"), 1);
    let tags: Vec<_> = record["timeline"].as_array().unwrap().iter().map(|line| line["tag"].clone()).collect();
    assert!(tags.contains(&json!("STEP")) || tags.contains(&json!("step")), "{tags:?}");
    host.assert_sound();
}

#[test]
fn an_incident_is_declared_from_the_start_screen() {
    let host = Host::new();
    let mut console = host.console(&[]);
    console.wait_for("no incident is open on this host", SOON);
    console.type_for("D", "alipay");
    console.send("\r0\rupstream \u{652f}\u{4ed8} slow\r");
    console.wait_for("INC-1", SOON);
    console.wait_for("SEV0", SOON);
    console.wait_for("upstream \u{652f}\u{4ed8} slow", SOON);
    console.quit();
    let list: serde_json::Value = serde_json::from_str(&host.say(&["list", "--json"])).unwrap();
    let incidents = list["incidents"].as_array().unwrap();
    assert_eq!(incidents.len(), 1);
    assert_eq!(incidents[0]["id"], json!("INC-1"));
    assert_eq!(incidents[0]["title"], json!("upstream \u{652f}\u{4ed8} slow"));
    assert_eq!(incidents[0]["service"], json!("alipay"));
    // With one open incident a bare call goes straight to it.
    host.console(&[]).wait_for("INC-1", SOON);
}

#[test]
fn a_facilitator_reads_the_pre_brief_aloud_and_starts_the_drill_with_enter() {
    let host = Host::new();
    let mut console = host.console(&["gameday", "run", "qrpay-web-cache-eviction"]);
    console.wait_for("Enter starts the drill", SOON);
    console.wait_for("It went well when", SOON);
    assert!(!console.screen().contents().contains("DRILL-1"));
    console.type_for("\r", "DRILL-1 SEV2");
    console.quit();
}

#[test]
fn a_drill_is_begun_from_the_start_screen() {
    let host = Host::new();
    let mut console = host.console(&[]);
    console.wait_for("no incident is open on this host", SOON);
    console.type_for("g", "DRILL-1");
    console.wait_for("p99 latency", SOON);
    console.quit();
}

/// Every key that is bound anywhere, and what may follow it in an overlay.
fn every_key() -> Vec<String> {
    let bytes = |name: &str| {
        Some(match name {
            "Enter" => "\r".to_owned(),
            "Esc" => ESC.to_owned(),
            "Space" => " ".to_owned(),
            "Tab" => "\t".to_owned(),
            "Shift+Tab" => "\x1b[Z".to_owned(),
            "Backspace" => "\x7f".to_owned(),
            "Up" => "\x1b[A".to_owned(),
            "Down" => "\x1b[B".to_owned(),
            "Right" => "\x1b[C".to_owned(),
            "Left" => "\x1b[D".to_owned(),
            "Ctrl+Right" => "\x1b[1;5C".to_owned(),
            "Ctrl+Left" => "\x1b[1;5D".to_owned(),
            "Home" => "\x1b[H".to_owned(),
            "End" => "\x1b[F".to_owned(),
            "PgUp" => "\x1b[5~".to_owned(),
            "PgDn" => "\x1b[6~".to_owned(),
            "F1" => "\x1bOP".to_owned(),
            "F2" => "\x1bOQ".to_owned(),
            "F3" => "\x1bOR".to_owned(),
            "F4" => "\x1bOS".to_owned(),
            "F5" => "\x1b[15~".to_owned(),
            "F6" => "\x1b[17~".to_owned(),
            "F7" => "\x1b[18~".to_owned(),
            "F8" => "\x1b[19~".to_owned(),
            "F9" => "\x1b[20~".to_owned(),
            "F10" => "\x1b[21~".to_owned(),
            "F11" => "\x1b[23~".to_owned(),
            "F12" => "\x1b[24~".to_owned(),
            "Ctrl+P" => "\x10".to_owned(),
            "Ctrl+L" => "\x0c".to_owned(),
            "Ctrl+O" => "\x0f".to_owned(),
            // These end or stop the console, which is no writing.
            "q" | "Ctrl+Q" | "Ctrl+C" | "Ctrl+Z" => return None,
            one if one.chars().count() == 1 => one.to_owned(),
            other => panic!("a key that this test does not know: {other}"),
        })
    };
    let mut all: Vec<String> =
        warroom::console::actions::all().iter().flat_map(|listed| listed.keys).filter_map(|name| bytes(name)).collect();
    all.sort();
    all.dedup();
    assert!(all.len() > 50, "{}", all.len());
    all
}

fn names() -> Vec<String> {
    let own = ["quit", "suspend"];
    warroom::console::actions::all()
        .iter()
        .filter(|listed| !own.contains(&listed.name))
        .map(|listed| listed.full_name())
        .collect()
}

#[test]
fn a_console_that_only_looks_writes_nothing_whatever_key_is_pressed() {
    for flag in ["--read-only", "--wall"] {
        let host = Host::new().declared();
        let before = host.say(&["journal", "export", "INC-1"]);
        let mut console = host.open(&[flag, "--role", "scribe"]);
        for pane in ["1", "2", "3", "4", "5", "6"] {
            for key in every_key() {
                console.send(format!("{pane}{key}"));
                // Whatever it asks is answered with a text and yes, and left where that did not end it.
                console.send("now\ry\r");
                console.send(ESC);
                console.watch(std::time::Duration::from_millis(3));
            }
        }
        console.send(format!("{ESC}{ESC}"));
        console.watch(std::time::Duration::from_millis(300));
        for name in names() {
            console.send(format!(":{name}\r\r"));
            console.watch(std::time::Duration::from_millis(5));
            console.send(format!("{ESC}{ESC}"));
            console.watch(std::time::Duration::from_millis(5));
        }
        console.send(ESC);
        console.watch(std::time::Duration::from_millis(200));
        console.send("\x11");
        console.wait_exit(SOON);
        assert_eq!(host.say(&["journal", "export", "INC-1"]), before, "{flag}");
        assert_eq!(host.say(&["list", "--all", "--json"]).matches("\"id\"").count(), 1, "{flag}");
        assert!(!host.folder.path().join("config/warroom/config.toml").exists(), "{flag} wrote a config");
    }
}

#[test]
fn a_start_screen_that_only_looks_begins_nothing() {
    let host = Host::new();
    let mut console = host.console(&["open", "--read-only"]);
    console.wait_for("no incident is open on this host", SOON);
    for keys in ["g", "w", "\x1b[B\r", "\x1b[B\r", "D\r\rtitle\r"] {
        console.send(keys);
        console.wait_for("only looks", SOON);
        console.send(ESC);
        console.watch(std::time::Duration::from_millis(120));
    }
    console.send("\x11");
    console.wait_exit(SOON);
    assert_eq!(host.say(&["list", "--all", "--json"]), "{\"closed_and_not_sent\":[],\"incidents\":[]}\n");
    assert!(!host.folder.path().join("config/warroom/config.toml").exists());
}

#[test]
fn a_console_that_only_looks_leaves_a_half_typed_line_to_those_who_write() {
    let host = Host::new().declared();
    let mut console = host.open(&[]);
    console.type_for("nhalf a thought", "half a thought");
    console.watch(std::time::Duration::from_millis(900));
    console.kill(rustix::process::Signal::KILL);
    console.wait_exit(SOON);
    for flag in ["--read-only", "--wall"] {
        let mut looks = host.open(&[flag]);
        looks.watch(std::time::Duration::from_millis(300));
        assert!(!looks.contents().contains("half a thought"));
        looks.quit();
    }
    host.open(&[]).wait_for("half a thought", SOON);
}

#[test]
fn a_paste_neither_quits_nor_answers_nor_records() {
    let host = Host::new().declared();
    let mut console = host.open(&[]);
    let long = std::time::Duration::from_millis(280);
    // (where, the keys that lead there, what the paste carries behind its own end marker)
    for (place, lead, smuggled) in [
        ("a pane", "5", "q"),
        ("a pane", "5", "a"),
        ("a pane", "5", "R\r"),
        ("a pane", "5", ":take-command\r"),
        ("the scribe's line", "n", "\r"),
        ("the scribe's line", "n", "\x11"),
        ("the scribe's line", "n", "\x03"),
        ("a picker", "R", "\r"),
        ("a picker", "S", "1"),
        ("a question", "T", "\r"),
        ("the palette", ":take-command", "\r"),
        ("a form", "D\r\r", "\r"),
    ] {
        let before = host.say(&["journal", "export", "INC-1"]);
        console.send(lead);
        console.watch(std::time::Duration::from_millis(100));
        console.send(format!("\x1b[200~rm -rf /\x1b[201~{smuggled}\x1b[201~"));
        console.watch(long);
        assert!(console.screen().alternate_screen(), "{place}: {smuggled:?} ended the console");
        assert_eq!(host.say(&["journal", "export", "INC-1"]), before, "{place}: {smuggled:?}");
        // Back to single keys, with an empty line.
        console.send(ESC.repeat(3));
        console.send(format!("n\x15\x15{ESC}"));
    }
    assert_eq!(host.say(&["list", "--json"]).matches("\"id\"").count(), 1);
    // On the start screen as well.
    let bare = Host::new();
    let mut start = bare.console(&[]);
    start.wait_for("no incident is open on this host", SOON);
    for smuggled in ["g", "w", "q", "\r"] {
        start.send(format!("\x1b[200~x\x1b[201~{smuggled}\x1b[201~"));
        start.watch(long);
    }
    assert!(start.screen().alternate_screen());
    start.quit();
    assert_eq!(bare.say(&["list", "--all", "--json"]), "{\"closed_and_not_sent\":[],\"incidents\":[]}\n");
}
