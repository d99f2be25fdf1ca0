//! `warroom oncall` as somebody at a shell sees it.

use std::process::Command;

use serde_json::Value;

/// Runs `warroom oncall`; gives the status, stdout and stderr.
fn oncall(config: &str, arguments: &[&str]) -> (i32, String, String) {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("config.toml");
    std::fs::write(&file, config).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_warroom"));
    command.arg("--config").arg(&file).arg("oncall").args(arguments);
    command.env("XDG_STATE_HOME", home.path()).env("XDG_CONFIG_HOME", home.path());
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

const TEAM: &str = "
[oncall]
start = 2026-11-02
zone = 'Europe/Berlin'
weeks = [{ name = 'Payments IC', person = 'Dana' }, { name = 'Banking IC', person = 'Leila' }, { name = 'Platform IC', person = 'Omid' }]
[[oncall.overrides]]
from = 2026-11-05T18:00:00
to = 2026-11-06
person = 'Sara'
reason = 'a wedding'
[[people]]
name = 'Dana'
phone = '+49 30 1'
slack = '@dana'
email = 'dana@example.com'
[[people]]
name = 'sara'
slack = '@sara'
";

#[test]
fn oncall_prints_who_is_on_now_and_next_until_when_and_how_to_reach_them() {
    for (at, moment, expected) in [
        (
            "2026-11-03T09:00:00Z",
            "Tue 2026-11-03 10:00 CET",
            "on call   Dana, Payments IC, until Thu 2026-11-05 18:00 CET (2 d 8 h left)\n          phone +49 30 1, slack @dana, mail dana@example.com\n\
             next      Sara, Payments IC, from Thu 2026-11-05 18:00 CET (in 2 d 8 h)\n          stands in for Dana: a wedding\n          \
             phone not recorded, slack @sara\n",
        ),
        (
            "2026-11-09T08:30",
            "Mon 2026-11-09 08:30 CET",
            "on call   Dana, Payments IC, until Mon 2026-11-09 09:00 CET (30 min left)\n          phone +49 30 1, slack @dana, mail dana@example.com\n\
             next      Leila, Banking IC, from Mon 2026-11-09 09:00 CET (in 30 min)\n          not recorded: no [[people]] of the configuration has this name\n",
        ),
        (
            "2026-11-01",
            "Sun 2026-11-01 00:00 CET",
            "on call   nobody: the rotation has not begun\nnext      Dana, Payments IC, from Mon 2026-11-02 09:00 CET (in 1 d 9 h)\n          \
             phone +49 30 1, slack @dana, mail dana@example.com\n",
        ),
    ] {
        assert_eq!(oncall(TEAM, &["--at", at]), (0, format!("at        {moment}\n{expected}"), String::new()), "{at}");
    }
    let (status, now, _) = oncall(TEAM, &[]);
    assert!(status == 0 && now.contains("on call") && now.contains("next"), "{now}");
    let (status, _, error) = oncall(TEAM, &["--at", "later"]);
    assert!(status == 2 && error.contains("`later` is no time: write 5m, 1h30m, 14:10"), "{error}");
}

#[test]
fn oncall_as_json_says_the_same() {
    let (status, out, _) = oncall(TEAM, &["--json", "--at", "2026-11-05T20:00:00+01:00"]);
    let whole: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(status, 0);
    assert_eq!(whole["on_call"]["person"], "Sara");
    assert_eq!(whole["on_call"]["until"], "2026-11-06T08:00:00Z");
    assert_eq!(whole["on_call"]["stands_in_for"], "Dana");
    assert_eq!(whole["on_call"]["phone"], Value::Null);
    assert_eq!(whole["next"]["person"], "Dana");
    assert_eq!(whole["next"]["phone"], "+49 30 1");
}

#[test]
fn without_a_rotation_oncall_says_so_and_how_to_write_one() {
    let (status, out, error) = oncall("", &[]);
    assert_eq!((status, out.as_str()), (1, ""));
    assert!(error.contains("no on-call rotation is configured") && error.contains("config path"), "{error}");
    let (_, lines) = error.split_once("\n\n").unwrap();
    assert_eq!(oncall(lines, &["--at", "2026-11-02T12:00"]).0, 0, "the lines that it prints are a rotation: {lines}");
    let (status, out, _) = oncall("", &["--json"]);
    assert!(status == 1 && out.contains("\"on_call\":null"), "{out}");
}

#[test]
fn a_time_of_day_is_the_next_one_and_the_answer_says_which_moment_that_is() {
    let zone = chrono_tz::Europe::Berlin;
    let now = warroom::clock::wall().with_timezone(&zone);
    for (ahead, days) in [(chrono::TimeDelta::minutes(-2), 1), (chrono::TimeDelta::minutes(5), 0)] {
        let asked = now + ahead;
        // On the two nights of a year on which the clocks change, and around midnight, the day is another question.
        if asked.date_naive() != now.date_naive() {
            continue;
        }
        let moment = (asked.date_naive() + chrono::TimeDelta::days(days)).format("%a %Y-%m-%d").to_string();
        let (status, said, _) = oncall(TEAM, &["--at", &asked.format("%H:%M").to_string()]);
        assert_eq!(status, 0);
        assert!(said.starts_with(&format!("at        {moment} {}", asked.format("%H:%M"))), "{said}");
    }
}
