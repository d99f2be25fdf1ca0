//! What people do in a drill: tables of moments on its clock, people and keys.

/// One thing that somebody does.
#[derive(Clone, Debug)]
pub enum Act {
    /// Keys, as on the keyboard: `\n` is Enter, `^` Ctrl+S.
    Keys(String),
    /// Somebody says in the playbook's pane that they work on a step.
    Claim(&'static str),
    /// A step of the playbook is ticked in its pane.
    Tick(&'static str),
}

/// The second of the drill, who, and what.
pub type Acts = Vec<(i64, &'static str, Act)>;

/// `"4:30"` as seconds.
pub fn at(time: &str) -> i64 {
    let (minutes, seconds) = time.split_once(':').unwrap();
    minutes.parse::<i64>().unwrap() * 60 + seconds.parse::<i64>().unwrap()
}

pub fn keys(time: &str, who: &'static str, keys: &str) -> Acts {
    vec![(at(time), who, Act::Keys(keys.to_owned()))]
}

pub fn tick(time: &str, who: &'static str, step: &'static str) -> Acts {
    vec![(at(time), who, Act::Tick(step))]
}

pub fn in_order(parts: impl IntoIterator<Item = Acts>) -> Acts {
    let mut acts: Acts = parts.into_iter().flatten().collect();
    acts.sort_by_key(|(second, ..)| *second);
    acts
}

/// Command is taken and acknowledged, each role has somebody (of three people one has two), and who shall look at the traces opens one.
pub fn opening() -> Acts {
    in_order([
        keys("0:21", "ira", "R\n"),
        keys("0:24", "ira", "a"),
        keys("0:33", "cora", "R\n"),
        keys("0:36", "dana", "R\n"),
        keys("0:39", "dana", "R\n"),
        keys("1:30", "ira", "P\n"),
        keys("1:36", "ira", "E1\n"),
        keys("1:42", "ira", "n@dana what do the traces say? 5m\n"),
        keys("1:51", "dana", "2\n"),
    ])
}

/// Comms writes what the form offers, which is what is due the soonest, and the Incident Commander lets it out.
pub fn update(time: &str) -> Acts {
    let second = at(time);
    vec![(second, "cora", Act::Keys("u^^".to_owned())), (second + 3, "ira", Act::Keys("U\n^^".to_owned()))]
}

/// The answer on the traces, then a way out is proposed, the room has its minute to object, and the Incident Commander decides.
pub fn decision(time: &str, action: &str) -> Acts {
    let second = at(time);
    vec![
        (second - 15, "dana", Act::Keys("C\n1".to_owned())),
        (second - 12, "dana", Act::Keys("C\n1it is as the alert says\n".to_owned())),
        (second, "dana", Act::Keys(format!("V{action}\nit costs\nback again\nwait\n\n"))),
        (second + 63, "ira", Act::Keys("X\n1".to_owned())),
        (second + 66, "ira", Act::Keys("P\n".to_owned())),
    ]
}

/// What is told to everybody until the end: the first text inside, customers, then inside each quarter of an hour, about what somebody saw.
fn telling(until: &str) -> Acts {
    let rounds = [("14:30", "17:30"), ("28:30", "31:30"), ("43:30", "45:30"), ("57:30", "59:30")];
    let rounds = rounds.into_iter().filter(|(_, told)| at(told) < at(until));
    let rounds = rounds.flat_map(|(seen, told)| [keys(seen, "dana", "nthe graphs move\n"), update(told)]);
    // Customers were promised half an hour.
    let again = (at(until) > at("39:30")).then(|| update("39:30"));
    in_order([update("3:30"), update("10:30")].into_iter().chain(rounds).chain(again))
}

/// The recovery is looked at once more, and the incident resolved with what the graphs show as proof.
fn resolution(time: &str) -> Acts {
    let second = at(time);
    vec![(second, "dana", Act::Tick("confirm-recovery")), (second + 3, "ira", Act::Keys(":resolve\n^".to_owned()))]
}

/// A whole drill: the same people tell and decide the same, and tick what the exercise is about.
fn drill(steps: Steps, more: Acts, end: &str) -> Acts {
    let claims = steps.iter().map(|(time, step)| vec![(at(time) - 9, "dana", Act::Claim(step))]);
    let ticks = steps.iter().map(|(time, step)| tick(time, "dana", step));
    let talk = [opening(), telling(end), decision("5:30", "do what the playbook says"), more, resolution(end)];
    in_order(talk.into_iter().chain(claims).chain(ticks))
}

/// The steps that somebody ticks, each with its moment.
pub type Steps = &'static [(&'static str, &'static str)];

/// How an exercise can be played.
pub struct Script {
    pub exercise: &'static str,
    /// How bad it is called, where it is called worse.
    pub severity: Option<&'static str>,
    /// The steps of a room that does it well, and when it is over.
    pub well: (Steps, &'static str),
    /// Those of a room that finds the other way out.
    pub other: (Steps, &'static str),
    /// Those of a room that takes the wrong turn, and finds back.
    pub wrong: (Steps, &'static str),
    /// Which criteria that costs, by the words that the file gives them.
    pub missed: &'static [&'static str],
    /// The objective that shows the wrong turn, and when.
    pub shows: (&'static str, &'static str),
}

pub const STORM: Script = Script {
    exercise: "alipay-timeout-storm",
    severity: None,
    well: (&[("2:30", "grafana-latency"), ("4:30", "backup-available"), ("6:48", "route-to-backup")], "33:30"),
    // The provider's volume is known and not enough: no retries, until the provider recovers by itself.
    other: (&[("2:30", "grafana-latency"), ("4:30", "backup-available"), ("6:48", "shed-retries")], "38:30"),
    wrong: (&[("2:30", "grafana-latency"), ("6:48", "route-to-backup")], "33:30"),
    missed: &["the backup route was checked for availability before it was switched on"],
    shows: ("error-ratio", "13:00"),
};

pub const SETTLEMENT: Script = Script {
    exercise: "blubank-settlement-failure",
    severity: None,
    well: (
        &[("2:30", "worker-logs"), ("4:30", "pause-batch"), ("6:48", "restart-workers"), ("7:30", "bank-support")],
        "35:30",
    ),
    other: (&[("2:30", "worker-logs"), ("4:30", "pause-batch"), ("6:48", "bank-support")], "43:00"),
    wrong: (
        &[("2:30", "worker-logs"), ("6:48", "restart-workers"), ("8:18", "pause-batch"), ("9:30", "bank-support")],
        "57:00",
    ),
    missed: &["the stuck batch was paused before the workers were restarted", "no transfer was sent twice"],
    shows: ("settlement-errors", "13:00"),
};

pub const OUTAGE: Script = Script {
    exercise: "yoomonea-regional-outage",
    severity: Some("S2"),
    well: (&[("2:30", "secondary-workspace"), ("4:30", "secondary-ready"), ("6:48", "regional-failover")], "33:30"),
    // The secondary is ready, and the room waits for the primary to come back.
    other: (&[("2:30", "secondary-workspace"), ("4:30", "secondary-ready")], "43:00"),
    wrong: (&[("2:30", "cpu-usage"), ("4:30", "scale-pods"), ("6:48", "regional-failover")], "43:00"),
    missed: &[
        "the secondary region was proved ready before the failover",
        "no pods were added to a database that had no connections left",
        "nothing was written in two regions at once",
    ],
    shows: ("error-ratio", "10:00"),
};

pub const EVICTION: Script = Script {
    exercise: "qrpay-web-cache-eviction",
    severity: None,
    well: (&[("2:30", "laravel-cache"), ("6:48", "limit-load"), ("7:30", "warm-cache")], "33:30"),
    // Fewer customers at once, and the cache fills by itself.
    other: (&[("2:30", "laravel-cache"), ("6:48", "limit-load")], "38:30"),
    wrong: (
        &[("2:30", "laravel-cache"), ("6:48", "warm-cache"), ("8:30", "rollback"), ("12:30", "limit-load")],
        "38:30",
    ),
    missed: &[
        "the cache was not filled while the database had the whole load",
        "the release that was not it was left alone",
    ],
    shows: ("error-ratio", "11:00"),
};

impl Script {
    /// The whole drill with these steps.
    pub fn acts(&self, (steps, end): (Steps, &str)) -> Acts {
        let severity = self.severity.map(|keys_of| keys("1:33", "ira", keys_of)).unwrap_or_default();
        drill(steps, severity, end)
    }
}
