//! What a drill put into staging is gone in the end: whatever fails, hangs or is closed, and all of it is told.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use crate::plain::{Host, SOON};
use crate::support::until;

/// A Prometheus that answers every query with one value: `up` has the label of staging, everything else is read from a file.
fn prometheus(value: PathBuf) -> String {
    use std::io::{Read as _, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    // It ends with the test's process.
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut bytes = [0; 4_096];
            let count = stream.read(&mut bytes).unwrap_or(0);
            let said = String::from_utf8_lossy(&bytes[..count]).into_owned();
            let number = std::fs::read_to_string(&value).unwrap_or_else(|_| "0".to_owned());
            let metric = if said.contains("count") { r#"{"environment":"staging"}"# } else { "{}" };
            let body = format!(
                r#"{{"status":"success","data":{{"resultType":"vector","result":[{{"metric":{metric},"value":[1,"{}"]}}]}}}}"#,
                number.trim()
            );
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n";
            let _ = write!(stream, "{head}Content-Length: {}\r\n\r\n{body}", body.len());
        }
    });
    format!("http://{address}")
}

/// A program that puts a file there, and one that takes it away: the first time it fails, the second time it hangs and ignores TERM.
const FAULTCTL: &str = r#"#!/bin/sh
here=$(dirname "$0"); echo "$*" >> "$here/acts"
case $1 in
on) touch "$here/$2" ;;
off)
  count=$(cat "$here/$2.tries" 2>/dev/null || echo 0); echo $((count + 1)) > "$here/$2.tries"
  case $count in
  "$FAILS_AT") echo "the proxy said no"; exit 1 ;;
  "$HANGS_AT") trap '' TERM; while :; do sleep 1; done ;;
  esac
  rm -f "$here/$2" ;;
esac
"#;

struct Site {
    host: Host,
    folder: PathBuf,
}

impl Site {
    fn new(fails_at: &str, hangs_at: &str, config: &str) -> Self {
        let host = Host::new();
        let folder = host.home.path().join("w");
        std::fs::create_dir_all(&folder).unwrap();
        let program = folder.join("faultctl");
        let text = FAULTCTL.replace("$FAILS_AT", fails_at).replace("$HANGS_AT", hangs_at);
        std::fs::write(&program, text).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        let url = prometheus(folder.join("value"));
        let config = config.replace("URL", &url);
        let all = format!(
            "{config}\n[staging]\nlabel = \"environment=staging\"\n[staging.prometheus]\nurl = \"{url}/staging\"\n\
             [staging.commands]\nfaultctl = [\"{}\"]\n",
            program.display()
        );
        let place = host.home.path().join("config/warroom");
        std::fs::create_dir_all(&place).unwrap();
        std::fs::write(place.join("config.toml"), all).unwrap();
        Self { host, folder }
    }

    /// The exercise's file, with one command for each name.
    fn exercise(&self, names: &[&str], more: &str) -> String {
        let (status, sketch) = self.host.run(&["gameday", "new", "alipay"]);
        assert_eq!(status, 0);
        let staged = names.iter().map(|name| {
            format!(
                "\n[[staging]]\nid = \"{name}\"\nkind = \"fault\"\nwhat = \"fault {name}\"\n{more}\n\
                 command = {{ argv = [\"faultctl\", \"on\", \"{name}\"], undo = [\"faultctl\", \"off\", \"{name}\"], timeout = \"1s\" }}\n"
            )
        });
        let path = self.host.home.path().join("w/drill.toml");
        std::fs::write(&path, sketch + &staged.collect::<String>()).unwrap();
        path.display().to_string()
    }

    fn stands(&self, name: &str) -> bool {
        self.folder.join(name).exists()
    }

    fn shown(&self) -> String {
        self.host.run(&["show", "DRILL-1"]).1
    }
}

fn begun(site: &Site, exercise: &str, names: &[&str]) -> crate::plain::Plain {
    let mut room = site.host.start(&["gameday", "run", exercise, "--live", "--plain"]);
    room.wait_for("Enter starts the drill", SOON);
    room.type_in("\n");
    room.ready();
    for (place, name) in names.iter().enumerate() {
        room.type_in(&format!(":staging {}\n", place + 1));
        room.confirm();
        until("the fault stands", || site.stands(name));
        room.wait_for(&format!("fault {name}: exit 0"), SOON);
    }
    room
}

const LONG: Duration = Duration::from_secs(60);

fn within(what: &str, limit: Duration, mut is_so: impl FnMut() -> bool) {
    let began = warroom::clock::boot();
    while !is_so() {
        assert!(warroom::clock::boot() - began < limit, "{what} did not happen");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn every_way_back_fails_once_and_hangs_once_and_afterwards_nothing_stands_and_all_is_told() {
    let site = Site::new("0", "1", "");
    let exercise = site.exercise(&["one", "two", "three"], "");
    let mut room = begun(&site, &exercise, &["one", "two", "three"]);
    room.type_in(":abort-drill\n");
    room.confirm();
    room.wait_for("STILL IN STAGING", SOON);
    let (_, listed) = site.host.run(&["list"]);
    assert!(listed.contains("STILL IN STAGING: fault ") && listed.contains("put there by"), "{listed}");
    let (_, doctor) = site.host.run(&["doctor"]);
    assert!(doctor.contains("still in staging: fault "), "{doctor}");
    room.type_in(":due\n");
    room.wait_for("take back from staging: fault ", SOON);
    within("all is back", LONG, || !["one", "two", "three"].iter().any(|name| site.stands(name)));
    room.wait_for("phase Closed", LONG);
    let record = site.shown();
    for name in ["one", "two", "three"] {
        let tells =
            |what: &str| record.lines().any(|line| line.contains(&format!("fault {name}")) && line.contains(what));
        assert!(tells("exit 1") && tells("STOPPED: at its limit") && tells("attempt 2"), "{name}: {record}");
    }
    let (_, listed) = site.host.run(&["list"]);
    assert!(!listed.contains("STILL IN STAGING"), "{listed}");
}

#[test]
fn what_stands_when_its_time_is_over_is_taken_back_though_every_console_is_gone() {
    let site = Site::new("x", "x", "");
    let exercise = site.exercise(&["one"], "stays = \"6s\"");
    let room = begun(&site, &exercise, &["one"]);
    drop(room);
    assert!(site.stands("one"), "it stands as long as its time is not over");
    within("it is back", LONG, || !site.stands("one"));
    within("the record has it", LONG, || {
        let record = site.shown();
        record.contains("its 6 s are over") && record.contains("attempt 1")
    });
    within("nothing stands", LONG, || {
        let (_, debrief) = site.host.run(&["gameday", "debrief", "--json"]);
        let debrief: Value = serde_json::from_str(&debrief).unwrap();
        debrief["standing"] == serde_json::json!([])
    });
}

#[test]
fn production_beyond_its_objective_stops_the_drill_at_once_and_says_so() {
    let site = Site::new("x", "x", "[prometheus]\nurl = \"URL/production\"\n");
    let stop =
        "\n[safety]\nevery = \"1s\"\n[[safety.stop]]\nwhat = \"customer errors\"\nquery = \"errors\"\nabove = 0.02\n";
    let exercise = site.exercise(&["one", "two"], "");
    let text = std::fs::read_to_string(&exercise).unwrap();
    std::fs::write(&exercise, text + stop).unwrap();
    let mut room = site.host.start(&["gameday", "run", &exercise, "--live", "--plain"]);
    room.wait_for("Enter starts the drill", SOON);
    room.type_in("\n");
    room.ready();
    room.type_in(":staging 1\n");
    room.wait_for("safety stop, all is taken back at once: customer errors", SOON);
    room.confirm();
    until("the fault", || site.stands("one"));
    room.type_in(":staging 2\n");
    room.confirm();
    until("the fault", || site.stands("two"));
    std::fs::write(Path::new(&site.folder).join("value"), "0.35").unwrap();
    room.wait_for("SAFETY STOP: customer errors of production is 0.35, above its limit 0.02", SOON);
    within("all is back", LONG, || !site.stands("one") && !site.stands("two"));
}

#[test]
fn a_fault_whose_way_back_cannot_run_on_this_machine_is_never_put_there() {
    let site = Site::new("x", "x", "");
    let exercise = site.exercise(&["one"], "");
    let text = std::fs::read_to_string(&exercise).unwrap();
    std::fs::write(&exercise, text.replace("undo = [\"faultctl\"", "undo = [\"no-such-tool\"")).unwrap();
    let mut room = site.host.start(&["gameday", "run", &exercise, "--live", "--plain"]);
    room.wait_for("Enter starts the drill", SOON);
    room.type_in("\n");
    room.ready();
    room.type_in(":staging 1\n");
    room.confirm();
    room.wait_for("nobody could take it back: the program no-such-tool", SOON);
    assert!(!site.stands("one"));
}

/// Stands in for every program that an exercise names: `ways` says which of its command lines put something there and which take it back.
const TOOL: &str = r#"#!/bin/sh
here=${0%/*}; line="${0##*/} $*"; act=none
while IFS='	' read -r does name known; do [ "$known" = "$line" ] && { act=$does; break; }; done < "$here/ways"
case $act in
on) touch "$here/$name" ;;
off)
  count=$(cat "$here/$name.tries" 2>/dev/null || echo 0); echo $((count + 1)) > "$here/$name.tries"
  case $count in
  0) echo "the proxy said no"; exit 1 ;;
  1) trap '' TERM; while :; do sleep 1; done ;;
  esac
  rm -f "$here/$name" ;;
none) echo "nobody named: $line"; exit 9 ;;
esac
"#;

/// What an exercise puts into staging: its name, what it is, and the command lines by which it comes and goes.
fn staged(text: &str) -> Vec<(String, String, String, String)> {
    let file: toml::Table = toml::from_str(text).unwrap();
    let said = |of: &toml::Value, key: &str| of[key].as_str().unwrap().to_owned();
    let line = |of: &toml::Value, key: &str| {
        let words = of["command"][key].as_array().unwrap().iter();
        words.map(|word| word.as_str().unwrap()).collect::<Vec<_>>().join(" ")
    };
    let all = file["staging"].as_array().unwrap().iter();
    all.map(|one| (said(one, "id"), said(one, "what"), line(one, "argv"), line(one, "undo"))).collect()
}

/// Plays a shipped exercise in staging, with all that it puts there, and aborts it.
fn abort_with_all_that_stands(text: &str) {
    let all = staged(text);
    let site = Site::new("x", "x", "");
    let ways = all.iter().map(|(id, _, puts, takes)| format!("on\t{id}\t{puts}\noff\t{id}\t{takes}\n"));
    std::fs::write(site.folder.join("ways"), ways.collect::<String>()).unwrap();
    let place = site.host.home.path().join("config/warroom/config.toml");
    let mut config = std::fs::read_to_string(&place).unwrap();
    let lines = all.iter().flat_map(|(_, _, puts, takes)| [puts, takes]);
    let tools: std::collections::BTreeSet<&str> = lines.filter_map(|line| line.split(' ').next()).collect();
    for tool in tools {
        let program = site.folder.join(tool);
        std::fs::write(&program, TOOL).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        config += &format!("{tool} = [\"{}\"]\n", program.display());
    }
    std::fs::write(&place, config).unwrap();
    // As it ships, but for limits that a test can wait for.
    let (before, staging) = text.split_at(text.find("[[staging]]").unwrap());
    let short = ["30s", "1m", "2m"]
        .iter()
        .fold(staging.to_owned(), |text, limit| text.replace(&format!("timeout = \"{limit}\""), "timeout = \"1s\""));
    let exercise = site.folder.join("drill.toml");
    std::fs::write(&exercise, format!("{before}{short}")).unwrap();
    let mut room = site.host.start(&["gameday", "run", exercise.to_str().unwrap(), "--live", "--plain"]);
    room.wait_for("Enter starts the drill", SOON);
    room.type_in("\n");
    room.ready();
    for (place, (id, what, _, _)) in all.iter().enumerate() {
        room.type_in(&format!(":staging {}\n", place + 1));
        room.confirm();
        until(what, || site.stands(id));
        room.wait_for(&format!("{what}: exit 0"), SOON);
    }
    room.type_in(":abort-drill\n");
    room.confirm();
    room.wait_for("STILL IN STAGING", SOON);
    within("all is back", LONG, || !all.iter().any(|(id, _, _, _)| site.stands(id)));
    room.wait_for("phase Closed", LONG);
    let record = site.shown();
    for (_, what, _, _) in &all {
        let tells = |words: &str| record.lines().any(|line| line.contains(what.as_str()) && line.contains(words));
        assert!(tells("exit 1") && tells("STOPPED: at its limit") && tells("attempt 2"), "{what}: {record}");
    }
    let (_, listed) = site.host.run(&["list"]);
    assert!(!listed.contains("STILL IN STAGING"), "{listed}");
}

#[test]
fn all_that_the_shipped_exercises_put_into_staging_is_taken_back_though_each_way_fails_and_hangs_once() {
    std::thread::scope(|scope| {
        for (_, _, text) in warroom::exercise::SHIPPED {
            scope.spawn(move || abort_with_all_that_stands(text));
        }
    });
}
