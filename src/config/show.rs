//! What `warroom config check|show|path|init` say.
//!
//! Hides the layout of these texts.
//!
//! Invariant: no text holds a secret: configuration has none, only the names of files and variables.

use std::fmt::Write;

use super::layers::{Origin, get, keys, origin, users};
use super::opens::missing;
use super::people::unreachable;
use super::{Config, ConfigError, Inputs, Loaded, Salvaged, files};
use crate::channel::CHANNELS;
use crate::text::{CleanStr, shown};

/// The starter file up to the systems that are written to.
const HEAD: &str = r#"# Configuration of warroom. `warroom config path` says where this file goes, `config check` whether it is right.
# Every value here can also be set by the environment: WARROOM_SCREEN__THEME=light sets theme in [screen].

# The zone in which a new incident's times are read (IANA name).
# zone = "UTC"

[me]
# Who acts; without it, the login name.
# name = "dana"

[journal]
# Where the record is kept; without it, `journal` in the state folder. A folder that several accounts of one group share needs sharing = "group".
# dir = "/var/lib/warroom/journal"
# sharing = "private"        # private | group

[prometheus]
# url = "http://localhost:9090"
# every = "15s"
# bearer-file = "prometheus.token"   # or: bearer-env = "PROM_TOKEN", or: bearer-command = ["pass", "show", "prometheus"]
# basic-user = "warroom"             # with basic-password-file, basic-password-env or basic-password-command
# ca-file = "ca.pem"
# client-cert-file = "me.pem"        # where the server wants to know who asks
# client-key-file = "me.key"
# headers = { X-Scope-OrgID = "payments" }   # no secrets: they are shown
# also = ["https://prometheus-b:9090"]       # further addresses of the same one: the first that answers is asked
# allow-plain-http = false           # http to another machine shows what you send
# proxy = "http://proxy:3128"         # without it HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY count; "none" is the direct way
#   ^ where it wants to know who asks: proxy-user, with proxy-password-file, proxy-password-env or proxy-password-command

[alertmanager]
# url = "http://localhost:9093"
# every = "15s"                      # and the other keys of [prometheus]
# also = ["http://localhost:9094"]   # the other members of its cluster: the alerts of all of them count

[jaeger]
# url = "http://localhost:16686"
# every = "15s"                      # and the other keys of [prometheus]

[alerts]
# What the words of your severity labels mean, beside the usual ones; "none" is no alarm.
# severities = { blocker = "sev0", minor = "sev3", dashboard = "none" }
# ignore = ["Watchdog", "InfoInhibitor"]     # no alarms, whatever their severity
# expected = ["Watchdog"]                    # fires all the time: when it does not, that is the alarm
# service-labels = ["service", "namespace", "app", "job"]   # which label names the service, the likeliest first
# services = { prod-payments = "alipay" }    # what a label's value is called in the playbooks

"#;

/// The starter file behind them, up to the places of a rehearsal.
const MIDDLE: &str = r#"[screen]
# theme = "auto"             # auto: dark or light, as the terminal says of its background | dark | light | high-contrast | plain
# colours = "auto"           # auto | 16 | 256 | rgb | none
# unicode = "auto"           # auto: as the locale says, lines in ASCII where the terminal draws them two columns wide | ascii | unicode
# mouse = false
# bytes-per-second = 8000    # of a slow line; without it, what the line takes

[cadence]
# The clocks of the runbook.
# acknowledge = "5m"
# update = "15m"
# external = "15m"
# external-again = "30m"
# resolve = "30m"
# approval-wait = "3m"       # then Comms may send internal text on their own word, with a reason
# snooze-cap = "15m"
# proof-minutes = "10m"      # everything has been well for so long before "resolved" is proven
# postmortem = "48h"
# objections = "60s"         # a decision waits so long for strong objections
# adviser = "15m"            # the outgoing IC stays so long

[playbooks]
# Folders with playbooks of your own, beside `playbooks` in this folder; a file replaces the shipped one of the same service.
# dirs = ["playbooks-of-the-team"]
# variant = "eu"             # of a service with several files, the one that says `variant = "eu"`; else the one that says none
# Folders with runbooks in Markdown: `r` on an alert opens the one that its runbook_url names.
# runbooks = ["runbooks"]
# Commands get PATH, HOME, the language, KUBECONFIG and other usual variables, what their step names in `env`, and these:
# env = ["TF_CLI_CONFIG_FILE"]

[oncall]
# Who commands in which week, for `warroom oncall`. `start` is the Monday of the first week; `hand-over` is a time in `zone`, which else is the zone above.
# start = 2026-11-02
# hand-over = "09:00"
# zone = "Europe/Berlin"
# weeks = [{ name = "Payments IC", person = "Dana Rahimi" }, { name = "Banking IC", person = "Leila Sadeghi" }, { name = "Platform IC", person = "Omid Karimi" }]

# Somebody stands in: from and to are days (at the hand-over) or times, such as 2026-12-24T18:00:00.
# [[oncall.overrides]]
# from = 2026-12-24
# to = 2026-12-27
# person = "Sara Moradi"
# reason = "holidays"

# Who people are, and how to reach them while the paging service is down. One [[people]] for each person: whoever logs in as, or is called by, one of
# these names is that person in every record. A title is a position of the escalation matrix.
# [[people]]
# name = "Dana Rahimi"
# login = "drahimi"
# aliases = ["dana"]
# phone = "+49 30 901820"
# email = "dana@example.com"
# slack = "@dana"
# title = "Director of Engineering"

[escalation]
# Whom each severity tells, by title or name; a higher one tells the lower ones' people too. "integration owners" are the owners of the affected
# services' playbooks.
# sev0 = ["CTO", "Head of Compliance"]
# sev1 = ["Director of Engineering", "Director of Product"]
# sev2 = ["integration owners"]
# sev3 = []
# owner = "Reliability Engineering Lead"
# reviewed = 2026-11-02      # due again after a quarter

[staging]
# Where `gameday run NAME --live` plays: refused unless its Prometheus proves that it is staging, and never at an address of this file that is read above.
# label = "environment=staging"      # every target there has it; or:
# build-info = 'payments_build_info{env="staging"}'
# production = ["https://prometheus.qrpay.example"]   # nothing at or below these is ever staging

[staging.prometheus]
# url = "http://localhost:9190"      # and the other keys of [prometheus]; [staging.alertmanager] and [staging.jaeger] likewise

[staging.commands]
# How the programs of the exercises' [[staging]] are called there.
# kubectl = ["kubectl", "--context", "staging"]

[rehearsal]
# Where `warroom doctor --rehearse` plays the whole life of an incident and cleans up: none of the places above. Without a word here, nowhere.
"#;

/// The end of the starter file.
const TAIL: &str = r#"
[bell]
# Whether the terminal's bell rings when something is overdue.
# overdue = false

[changes]
# A program that prints recent changes as JSON lines, beside what `warroom change` records:
# {"at":"2026-11-02T14:10:00Z","kind":"deploy","service":"alipay","what":"v42","by":"ci","link":"https://…","rollback":"…"}
# command = ["deploys", "--since", "24h", "--json"]
# every = "60s"
"#;

/// A starter file: every key with its built-in value, commented out.
pub fn starter() -> String {
    let of_systems: String = CHANNELS.iter().map(|spec| spec.starter).collect();
    let of_rehearsal: String = CHANNELS.iter().map(|spec| spec.rehearsal.starter).collect();
    format!("{HEAD}{of_systems}{MIDDLE}{of_rehearsal}{TAIL}")
}

impl Loaded {
    /// The merged configuration as TOML, each value with its origin.
    pub fn show(&self) -> String {
        let mut out = String::new();
        let mut open = String::new();
        for key in keys(&self.values) {
            let key = &*key;
            let Some(value) = get(&self.values, key) else { continue };
            let (section, name) = key.split_once('.').unwrap_or(("", key));
            if section != open {
                let _ = write!(out, "\n[{section}]\n");
                section.clone_into(&mut open);
            }
            let line = format!("{name} = {value}  # {}", origin(&self.layers, key));
            let _ = writeln!(out, "{}", legible(&line));
        }
        out
    }
}

/// A line of TOML in which nothing hides and nothing reorders: what a screen would not show as it is stands as its number.
fn legible(line: &str) -> String {
    let shows = shown(line);
    // A string in single quotes knows no numbers.
    if shows == line || line.contains('\'') {
        return shows.into_owned();
    }
    let letter = |letter: char| match letter {
        '\n' | ' '..='~' => letter.to_string(),
        other => format!("\\U{:08X}", u32::from(other)),
    };
    line.chars().map(letter).collect()
}

/// The lines of a section of the starter file and of what belongs to it, as somebody would use them.
pub fn sample(section: &str, next: &str) -> String {
    let starter = starter();
    let from = starter.find(section).unwrap_or(0);
    let to = starter[from..].find(next).map_or(starter.len(), |at| from + at);
    let is_value =
        |line: &str| line.starts_with('[') || line.split_once(" = ").is_some_and(|(key, _)| !key.contains(' '));
    let lines = starter[from..to].lines().map(|line| line.strip_prefix("# ").unwrap_or(line));
    lines.filter(|line| is_value(line)).fold(String::new(), |all, line| all + line + "\n")
}

/// Loads everything that configuration names; says what was found, or what is wrong.
pub fn check(inputs: &Inputs) -> Result<String, ConfigError> {
    let Salvaged { loaded, flaws: mut problems, .. } = Config::salvage(inputs)?;
    let config = &loaded.config;
    problems.extend(missing(config, inputs));
    problems.extend(config.staging.as_ref().and_then(|staging| staging.is_production(config)));
    let catalogue = files::catalogue(&config.playbooks);
    problems.extend(catalogue.problems);
    problems.extend(files::templates(&config.templates).problems);
    if !problems.is_empty() {
        return Err(ConfigError(problems.join("\n")));
    }
    let services: Vec<_> = catalogue.playbooks.keys().map(CleanStr::as_str).collect();
    let mut out = format!("configuration is right\nplaybooks: {}\n", services.join(", "));
    for remark in remarks(config) {
        let _ = writeln!(out, "note: {remark}");
    }
    Ok(out)
}

/// What stands in the way of reaching the people whom the configuration names: a sentence for each.
pub fn remarks(config: &Config) -> Vec<String> {
    unreachable(config.rotation.as_ref(), &config.matrix)
}

/// The places that are in effect, as files, variables and flags say, and what is there.
pub fn path(inputs: &Inputs) -> Result<String, ConfigError> {
    let Salvaged { loaded, flaws, .. } = Config::salvage(inputs)?;
    let config = &loaded.config;
    let mut all = vec![("for all users", inputs.places.system.clone()), ("yours", users(inputs).0)];
    all.push(("themes", config.themes.clone()));
    all.extend(config.playbooks.folders.iter().map(|folder| ("playbooks", folder.clone())));
    all.push(("templates", config.templates.clone()));
    all.push(("journal", config.journal.clone()));
    all.push(("log", config.log.clone()));
    let mut out = String::new();
    for (what, path) in all {
        let is_there = if path.exists() { "" } else { "  (not there)" };
        let said = match (what, origin(&loaded.layers, "journal.dir")) {
            ("journal", said) if *said != Origin::BuiltIn => format!("  # {said}"),
            _ => String::new(),
        };
        let _ = writeln!(out, "{what:<14} {}{is_there}{said}", CleanStr::new(&path.to_string_lossy()));
    }
    if !flaws.is_empty() {
        let count = flaws.len();
        let _ = writeln!(out, "{count} mistakes in these files may have moved a place: warroom config check");
    }
    Ok(out)
}
