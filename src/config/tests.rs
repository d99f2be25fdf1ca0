//! Every key of the configuration does something.

use std::fs;

use super::layers::KEYS;
use super::sections::further;
use super::*;
use crate::channel::CHANNELS;
use crate::channel::spec::{Holds, Takes};

/// A value that is not the built-in one, and what must stand beside it.
fn setting(key: &str) -> (String, String) {
    let (section, name) = key.split_once('.').unwrap_or(("", key));
    let section_of = |lines: &str| format!("[{section}]\n{lines}\n");
    let alone = |value: &str| (String::new(), section_of(&format!("{name} = {value}")));
    let below = |beside: &str, value: &str| (section_of(beside), section_of(&format!("{beside}\n{name} = {value}")));
    let url = "url = 'https://x.example'";
    let rotation = "start = 2026-11-02\nweeks = [{ name = 'A', person = 'B' }]";
    let staging = "[staging.prometheus]\nurl = 'https://staging.example'\n[staging]\nlabel = 'environment=staging'\n";
    if let Some(both) = of_system(section, name) {
        return both;
    }
    match (section, name) {
        ("", "zone") => (String::new(), "zone = 'Europe/Berlin'\n".to_owned()),
        ("", "people") => (String::new(), "[[people]]\nname = 'Dana'\n".to_owned()),
        ("me" | "journal", "name" | "dir") => alone("'x'"),
        ("journal", "sharing") => alone("'group'"),
        ("screen", "theme" | "unicode" | "colours") => alone(if name == "theme" {
            "'light'"
        } else if name == "unicode" {
            "'ascii'"
        } else {
            "'16'"
        }),
        ("screen" | "bell", "mouse" | "overdue") => alone("true"),
        ("screen", "bytes-per-second") => alone("8000"),
        ("cadence", _) => alone("'7m'"),
        ("playbooks", "dirs" | "env" | "runbooks") | ("changes", "command") => alone("['x']"),
        ("playbooks", "variant") => alone("'eu'"),
        ("changes", "every") => alone("'7m'"),
        ("oncall", "start") => (section_of(rotation), section_of(&rotation.replace("2026-11-02", "2026-11-09"))),
        ("oncall", "weeks") => (section_of(rotation), section_of(&rotation.replace("'B'", "'C'"))),
        ("oncall", "hand-over") => below(rotation, "'10:00'"),
        ("oncall", "zone") => below(rotation, "'Europe/Berlin'"),
        ("oncall", "overrides") => below(rotation, "[{ from = 2026-12-24, to = 2026-12-25, person = 'C' }]"),
        ("escalation", "owner") => alone("'x'"),
        ("escalation", "reviewed") => alone("2026-11-02"),
        ("escalation", _) => alone("['x']"),
        ("staging", "label") => (staging.to_owned(), staging.replace("=staging'", "=test'")),
        ("staging", "build-info") => (staging.to_owned(), format!("{staging}build-info = 'x'\n")),
        ("staging", "production") => (staging.to_owned(), format!("{staging}production = ['https://p.example']\n")),
        ("staging", "commands") => (staging.to_owned(), format!("{staging}commands = {{ kubectl = ['k'] }}\n")),
        ("staging", "prometheus") => (staging.to_owned(), staging.replace("staging.example", "other.example")),
        ("staging", _) => (staging.to_owned(), format!("{staging}{name} = {{ url = 'https://s.example' }}\n")),
        (_, "url") => alone("'https://x.example'"),
        (_, "every") => below(url, "'42s'"),
        (_, "allow-plain-http") => below(url, "true"),
        (_, "proxy") => below(url, "'http://localhost:3128'"),
        (_, "proxy-user") => {
            let before = format!("{url}\nproxy-password-env = 'P'\nproxy-user = ");
            (section_of(&format!("{before}'u'")), section_of(&format!("{before}'other'")))
        }
        (_, "proxy-password-file" | "proxy-password-env") => {
            (section_of(url), section_of(&format!("{url}\nproxy-user = 'u'\n{name} = 'x'")))
        }
        (_, "proxy-password-command") => {
            (section_of(url), section_of(&format!("{url}\nproxy-user = 'u'\n{name} = ['x']")))
        }
        (_, "basic-user") => {
            let before = format!("{url}\nbasic-password-env = 'P'\nbasic-user = ");
            (section_of(&format!("{before}'u'")), section_of(&format!("{before}'other'")))
        }
        (_, "basic-password-file" | "basic-password-env") => {
            (section_of(url), section_of(&format!("{url}\nbasic-user = 'u'\n{name} = 'x'")))
        }
        (_, "basic-password-command") => {
            (section_of(url), section_of(&format!("{url}\nbasic-user = 'u'\n{name} = ['x']")))
        }
        (_, "bearer-command") => below(url, "['x']"),
        (_, "bearer-file" | "bearer-env" | "ca-file") => below(url, "'x'"),
        ("alerts", "severities") => alone("{ blocker = 'sev0' }"),
        ("alerts", "services") => alone("{ prod = 'alipay' }"),
        ("alerts", _) => alone("['NoPlan']"),
        (_, "headers") => below(url, "{ X-Scope-OrgID = 'payments' }"),
        (_, "also") => below(url, "['https://y.example']"),
        // A certificate and its key need each other.
        (_, "client-cert-file" | "client-key-file") => {
            let other = if name == "client-cert-file" { "client-key-file" } else { "client-cert-file" };
            let before = format!("{url}\n{other} = 'o'\n{name} = ");
            (section_of(&format!("{before}'x'")), section_of(&format!("{before}'y'")))
        }
        // A key that came later: as the starter file suggests it.
        _ => {
            let starter = starter();
            let start = starter.find(&format!("[{section}]")).unwrap_or(0);
            let line = starter[start..].lines().map(|line| line.trim_start_matches("# "));
            let line = line.into_iter().find(|line| line.split(" = ").next() == Some(name));
            let line = line.unwrap_or_else(|| panic!("`{key}`: write here, or into the starter file, what it may be"));
            (section_of(url), section_of(&format!("{url}\n{line}")))
        }
    }
}

/// A file without and with a key of a system that is written to, by its kind.
fn of_system(section: &str, name: &str) -> Option<(String, String)> {
    let known = further(section)?;
    let Holds::Keys(keys) = known.holds else { return None };
    let value = match keys.iter().find(|key| key.name == name)?.takes {
        Takes::Id => "'TEST'",
        Takes::SlackChannel => "'C0123456789'",
        Takes::Repository => "'company/incidents'",
        Takes::Text => "'x'",
        Takes::Flag => "true",
        Takes::Fields => "{ customfield_1 = 'x' }",
    };
    let owner = CHANNELS.iter().find(|spec| spec.sections.iter().any(|one| one.name == section));
    let address = match (owner, name) {
        (None, _) => String::new(),
        (Some(_), "change-events") => "[pagerduty-events]\nurl = 'https://x.example'\n".to_owned(),
        (Some(owner), _) => format!("[{}]\nurl = 'https://x.example'\n", owner.name),
    };
    let besides = if name == "private" { "prefix = 'inc-'\n" } else { "" };
    let before = format!("{address}[{section}]\n{besides}");
    Some((before.clone(), format!("{before}{name} = {value}\n")))
}

fn loaded(text: &str) -> Config {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| PathBuf::from("/nowhere").join(name);
    let file = folder.path().join("config.toml");
    fs::write(&file, text).unwrap();
    let places = Places { system: place("etc"), config: place("config"), state: place("state"), home: place("home") };
    let overrides = Overrides { config: Some(file), ..Overrides::default() };
    let inputs = Inputs { places, environment: Vec::new(), overrides };
    Config::load(&inputs).unwrap_or_else(|error| panic!("{error}\n{text}")).config
}

#[test]
fn every_key_changes_what_the_program_knows() {
    let shown = |text: &str| {
        // Each file lies in a folder of its own, which is no difference.
        let config = format!("{:#?}", loaded(text));
        config
            .lines()
            .map(|line| {
                if line.contains("/tmp") { line.rsplit('/').next().unwrap_or(line).to_owned() } else { line.to_owned() }
            })
            .collect::<Vec<_>>()
    };
    for key in KEYS.iter() {
        let (before, after) = setting(key);
        assert_ne!(shown(&before), shown(&after), "`{key}` changes nothing:\n{after}");
    }
}

#[test]
fn everything_that_the_configuration_says_is_read_by_the_program() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut code = String::new();
    let mut open = vec![folder.clone()];
    while let Some(here) = open.pop() {
        for entry in fs::read_dir(here).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if !path.starts_with(folder.join("config")) && path != folder.join("config.rs") {
                code += &fs::read_to_string(path).unwrap();
            }
        }
    }
    // Whether an address is production is asked there.
    code += fs::read_to_string(folder.join("config/staging.rs")).unwrap().split_once("impl Staging {").unwrap().1;
    let mut fields = 0;
    for (file, structs) in [
        ("config.rs", &["Config", "Screen", "Endpoint"][..]),
        ("config/people.rs", &["Changes"]),
        ("config/staging.rs", &["Staging"]),
    ] {
        let text = fs::read_to_string(folder.join(file)).unwrap();
        for name in structs {
            let body = text.split_once(&format!("pub struct {name} {{")).unwrap().1.split_once("\n}").unwrap().0;
            for line in body.lines().filter_map(|line| line.trim().strip_prefix("pub ")) {
                let field = line.split(':').next().unwrap();
                fields += 1;
                assert!(code.contains(&format!(".{field}")), "nothing reads `{field}` of {name}");
            }
        }
    }
    assert!(fields > 35, "{fields}");
}
