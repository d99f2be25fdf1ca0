//! What a person who writes or follows a playbook sees.

use super::*;
use crate::incident::Purpose;
use crate::text::Exact;

const SMALL: &str = r#"
service = "tills"
name = "Tills"
public-name = "Tills"
owner = "Shop team"
reviewed = 2026-09-01

[[objectives]]
id = "errors"
title = "error ratio"
kind = "ratio"
expr = 'sum(rate(errors{code=~"5..$"}[$window])) / sum(rate(all[$window]))'
target = 0.99
unit = "ratio"

[[steps]]
id = "look"
title = "Look at the till"
look = "Is it lit?"
expect = "It is."
undo = "Nothing to undo."
"#;

#[test]
fn the_shipped_playbooks_are_all_read() {
    let catalogue = Catalogue::shipped();
    assert_eq!(catalogue.problems, Vec::<String>::new());
    let services: Vec<_> = catalogue.iter().map(|playbook| playbook.service.as_str()).collect();
    assert_eq!(services, ["alipay", "blubank", "qrpay-web", "yoomonea"]);
    for playbook in catalogue.iter() {
        assert!(playbook.objectives.len() >= 4 && playbook.contacts.len() >= 2, "{}", playbook.service);
        assert!(!playbook.traces.services.is_empty() && playbook.traces.slow.is_some(), "{}", playbook.service);
        for objective in &playbook.objectives {
            let query = objective.query("5m");
            assert!(!query.contains('$') && balanced(&query), "{}: {query}", playbook.service);
        }
    }
}

fn balanced(query: &str) -> bool {
    [('(', ')'), ('{', '}'), ('[', ']')]
        .iter()
        .all(|(open, close)| query.matches(*open).count() == query.matches(*close).count())
}

#[test]
fn every_line_of_the_runbooks_service_playbooks_is_a_step() {
    let catalogue = Catalogue::shipped();
    let lines: [(&str, &str, &[&str]); 12] = [
        ("alipay", "Check `alipay` namespace in Grafana for latency spikes.", &["grafana-latency"]),
        (
            "alipay",
            "Verify upstream endpoint health (synthetic checks) and authentication tokens.",
            &["upstream-synthetics", "auth-tokens"],
        ),
        (
            "alipay",
            "Temporary mitigation: route traffic to backup provider if available.",
            &["backup-available", "route-to-backup"],
        ),
        ("blubank", "Inspect `blubank` queue backlog metrics and worker logs.", &["queue-backlog", "worker-logs"]),
        (
            "blubank",
            "Validate settlement batch status; restart workers if stuck.",
            &["settlement-batch", "restart-workers"],
        ),
        ("blubank", "Coordinate with BluBank support via established escalation contacts.", &["bank-support"]),
        ("yoomonea", "Review `yoomonea` trace spans for database timeouts.", &["database-timeouts"]),
        ("yoomonea", "Scale pods horizontally if CPU usage > 80% for 5m.", &["cpu-usage", "scale-pods"]),
        (
            "yoomonea",
            "Failover to secondary region using Terraform workspace `payments-secondary`.",
            &["secondary-ready", "regional-failover"],
        ),
        ("qrpay-web", "Confirm Laravel queue and cache health.", &["laravel-queue", "laravel-cache"]),
        ("qrpay-web", "Run smoke test script `scripts/health-check.sh`.", &["smoke-test"]),
        (
            "qrpay-web",
            "Rollback via `deployctl rollback --service qrpay-web --env prod` if necessary.",
            &["recent-deploy", "rollback"],
        ),
    ];
    for (service, line, steps) in lines {
        let playbook = catalogue.get(service).unwrap();
        let told: String = steps
            .iter()
            .map(|id| {
                let step = playbook.step(id).unwrap_or_else(|| panic!("{service}: no step `{id}` for: {line}"));
                format!("{} {} {} ", step.title, step.look, step.expect)
            })
            .collect();
        // What the runbook quotes stands in the steps as it is written there.
        for quoted in line.split('`').skip(1).step_by(2) {
            assert!(told.contains(quoted), "{service}: `{quoted}` is missing in {steps:?}");
        }
    }
}

#[test]
fn a_review_is_late_from_the_day_after_it_was_due() {
    let playbook = Playbook::parse("tills.toml", SMALL).unwrap();
    let day = |month, day| NaiveDate::from_ymd_opt(2026, month, day).unwrap();
    assert_eq!(playbook.review_overdue(day(12, 1)), None);
    assert_eq!(playbook.review_overdue(day(12, 2)), Some(1));
    assert_eq!(playbook.review_overdue(day(12, 31)), Some(30));
}

#[test]
fn a_wrong_playbook_is_refused_with_position_key_and_choices() {
    for (right, wrong, expected) in [
        ("owner = ", "onwer = ", "t.toml:5:1: `onwer`: unknown field `onwer`, expected one of `service`, `name`"),
        (
            "kind = \"ratio\"",
            "kind = \"rate\"",
            "t.toml:11:8: `objectives[1].kind`: unknown variant `rate`, expected `ratio` or `threshold`",
        ),
        ("target = 0.99", "target = 99.0", "t.toml:13:10: `objectives[1].target`: 99 is no share of good events"),
        ("target = 0.99", "target = nan", "t.toml:13:10: `objectives[1].target`: NaN is no share of good events"),
        (
            "all[$window]",
            "all[$windwo]",
            "t.toml:12:8: `objectives[1].expr`: line 1, column 57 of the query: `$windwo` is not filled in",
        ),
        ("unit = \"ratio\"", "unit = \"seconds\"", "t.toml:14:8: `objectives[1].unit`: a ratio objective"),
        ("id = \"look\"", "id = \"Look!\"", "t.toml:17:6: `steps[1].id`: `Look!` is no name"),
        ("undo = \"Nothing to undo.\"", "undo = \" \"", "t.toml:21:8: `steps[1].undo`: is empty"),
        (
            "undo = ",
            "do.run = { argv = [] }\nundo = ",
            "t.toml:21:4: `steps[1].do.run`: unknown variant `run`, expected one of `look`, `query`",
        ),
        ("2026-09-01", "2026-09-31", "t.toml:6:"),
        ("2026-09-01", "\"soon\"", "t.toml:6:12: `reviewed`: invalid type: string \"soon\""),
    ] {
        assert!(SMALL.contains(right), "{right}");
        let refusal = Playbook::parse("t.toml", &SMALL.replace(right, wrong)).unwrap_err().to_string();
        assert!(refusal.starts_with(expected), "{refusal}");
    }
}

#[test]
fn a_users_file_replaces_the_shipped_one_and_a_broken_file_hurts_nobody() {
    let mut catalogue = Catalogue::shipped();
    catalogue.take("mine/alipay.toml", &SMALL.replace("\"tills\"", "\"alipay\""));
    catalogue.take("mine/broken.toml", "service = ");
    assert_eq!(catalogue.get("alipay").unwrap().owner.as_str(), "Shop team");
    assert_eq!(catalogue.playbooks.len(), 4);
    assert!(catalogue.problems[0].starts_with("mine/broken.toml:1:"), "{:?}", catalogue.problems);
}

fn with_action(text: &str) -> Result<Step, String> {
    let text = SMALL.replacen("undo = \"Nothing to undo.\"", &format!("undo = \"Nothing to undo.\"\n{text}"), 1);
    let parsed = Playbook::parse("t.toml", &text).map_err(|flaw| flaw.to_string());
    parsed.map(|playbook| playbook.steps.iter().find(|step| step.action.is_some()).unwrap().clone())
}

#[test]
fn a_value_never_reaches_an_interpreter() {
    for argv in [
        r#"["sh", "-c", "{x}"]"#,
        r#"["/bin/bash", "-lc", "{x}"]"#,
        r#"["env", "A=1", "bash", "-c", "{x}"]"#,
        r#"["python3", "-c", "{x}"]"#,
        r#"["node", "--eval={x}"]"#,
        r#"["perl", "-e", "print", "{x}"]"#,
        r#"["ssh", "host", "{x}"]"#,
    ] {
        let text = format!("do.command = {{ argv = {argv}, parameters.x = {{ word = \"-\" }} }}");
        let refusal = with_action(&text).unwrap_err();
        assert!(refusal.starts_with("t.toml:2") && refusal.contains("reads this as code"), "{argv}: {refusal}");
    }
    // Without a value it is the playbook's own text, which somebody reviews.
    let host = |kind: &str, argv: &str| {
        with_action(&format!("do.command = {{ argv = {argv}, parameters.x = {kind} }}")).map(|_| ())
    };
    let choice = r#"{ one-of = ["db1", "db2"] }"#;
    assert!(host(choice, r#"["ssh", "{x}", "uptime"]"#).is_ok());
    assert!(host("{ int = [1, 9] }", r#"["ssh", "db1", "systemctl", "restart", "worker@{x}"]"#).is_ok());
    assert!(host("{ word = \"-\" }", r#"["ssh", "{x}", "uptime"]"#).unwrap_err().contains("give it `one-of`"));
    assert!(host(choice, r#"["sh", "-c", "{x}"]"#).is_err(), "a shell's code is no choice");
    assert!(with_action(r#"do.command = { argv = ["sh", "-c", "uptime"] }"#).is_ok());
    let script = r#"do.command = { argv = ["bash", "scripts/x.sh", "{x}"], parameters.x = { word = "-" } }"#;
    assert!(with_action(script).is_ok());
}

#[test]
fn a_wrong_command_is_refused_where_it_stands() {
    for (text, expected) in [
        (r#"do.command = { argv = [] }"#, "do.command.argv`: is empty: name a program"),
        (r#"do.command = { argv = ["{x}"], parameters.x = { word = "" } }"#, "the program itself cannot be"),
        (r#"do.command = { argv = ["a", "{y}"] }"#, "`y` is no parameter of this command: it has none"),
        (r#"do.command = { argv = ["a", "x{y z"] }"#, "a brace that means itself twice"),
        (r#"do.command = { argv = ["a", "x{y}z"] }"#, "`y` is no parameter of this command: it has none"),
        (r#"do.command = { argv = ["a", "{y}"], parameters.y = { } }"#, "is exactly one of `int`, `one-of`"),
        (r#"do.command = { argv = ["a", "{y}"], parameters.y = { int = [5, 1] } }"#, "from 5 to 1 is nothing"),
        (
            r#"do.command = { argv = ["a", "{y}"], parameters.y = { int = [1, 5], default = "9" } }"#,
            "`9` is no whole number from 1 to 5",
        ),
        (r#"do.command = { argv = ["a"], timeout = "0" }"#, "is zero: nothing ends at once"),
        (r#"do.command = { argv = ["a"], timeout = "soon" }"#, "is no length of time"),
        (r#"do.command = { argv = ["a"], needs = ["later"] }"#, "`later` is no step before this one"),
        (r#"do.command = { argv = ["a"], argz = [] }"#, "unknown field `argz`, expected one of `argv`"),
        (r#"do.query = { promql = "up", expect = "= 1" }"#, "is no expectation: write <, <=, ==, >= or >"),
        (r#"do.query = { promql = "rate(x[$windwo])", expect = "< 1" }"#, "`$windwo` is not filled in"),
        (r#"do.wait = { promql = "up" }"#, "either `promql` and `expect`, or a `time`"),
        (r#"do.choice = { question = "?", branches = [{ name = "a" }] }"#, "has less than two ways"),
        (
            r#"do.choice = { question = "?", branches = [{ name = "a", then = "x" }, { name = "b" }] }"#,
            "`x` is no step of this file",
        ),
        (r#"do.notify = { channel = "twitter", text = "x" }"#, "unknown variant `twitter`, expected one of"),
    ] {
        let refusal = with_action(text).unwrap_err();
        assert!(refusal.starts_with("t.toml:2") && refusal.contains(expected), "{text}: {refusal}");
    }
}

#[test]
fn what_acts_is_kept_byte_for_byte_and_what_is_only_shown_hides_nothing() {
    let long = "x".repeat(3_000);
    let text = format!(
        "do.command.argv = ['a', \"\", '''\nset -e   # stop\n\ttouch proof\n''', \"\\u200b\\u202e \", '{long}']\n\
         do.command.directory = \"/srv/two  blanks\"\n\
         do.command.parameters.x = {{ one-of = [\"a\\tb\", \"c\"] }}"
    );
    let step = with_action(&text).unwrap();
    let command = step.command().unwrap();
    let expected = ["a", "", "set -e   # stop\n\ttouch proof\n", "\u{200b}\u{202e} ", &long];
    assert_eq!(command.argv, expected);
    assert_eq!(command.directory.as_ref().unwrap(), &"/srv/two  blanks");
    // A form shows a choice in one line; what runs is the choice.
    assert_eq!(command.parameters["x"].meant("a b"), "a\tb");
    for (wrong, why) in [
        (
            "do.command = { argv = [\"a\"], confirm = \"y\\u200es\" }",
            "`steps[1].do.command.confirm`: has a letter that nobody would see (U+200E)",
        ),
        ("do.command = { argv = [\"a\\u0000b\"] }", "NUL"),
        ("do.command = { argv = [\"  \"] }", "is empty: name a program"),
    ] {
        let refusal = with_action(wrong).unwrap_err();
        assert!(refusal.starts_with("t.toml:") && refusal.contains(why), "{wrong}: {refusal}");
    }
    let huge = format!("do.command = {{ argv = [\"a\", \"{}\"] }}", "x".repeat(crate::text::exact::ARGUMENT_BYTES + 1));
    assert!(with_action(&huge).unwrap_err().contains("the kernel hands at most 131071"));
}

#[test]
fn joiners_of_a_language_and_dressed_signs_are_fine_in_prose_and_overrides_are_not() {
    let prose = |title: &str| with_action(&format!("do.look = {{ links = [\"{title}\"] }}"));
    for fine in ["\u{26a0}\u{fe0f} careful", "می\u{200c}خواهم", "a\tb"] {
        assert!(prose(fine).is_ok(), "{fine:?}");
    }
    for wrong in ["pay\u{202e}lap", "a\u{200b}b", "a\u{2066}b"] {
        assert!(prose(wrong).unwrap_err().contains("nobody would see"), "{wrong:?}");
    }
}

fn facts() -> Facts {
    Facts { incident: "INC-42".into(), service: "alipay".into() }
}

#[test]
fn a_command_is_filled_in_from_the_record_the_form_and_the_sites_names() {
    let step = with_action(
        "do.command.argv = [\"terraform\", \"apply\", \"-n={count}\", \"{plan}\"]\n\
         do.command.parameters.count = { int = [1, 24] }\n\
         do.command.parameters.plan = { fill = \"{incident}.plan\" }",
    )
    .unwrap();
    let command = step.command().unwrap();
    assert_eq!(command.asked(Purpose::Do).iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["count"]);
    let aliases = Aliases::from([("terraform".into(), vec!["/opt/terraform".into(), "-chdir=/infra".into()])]);
    let given = BTreeMap::from([("count".into(), Value::said("6".into()))]);
    let resolved = command.resolve(Purpose::Do, &given, &facts(), &aliases).unwrap();
    assert_eq!(resolved.argv, ["/opt/terraform", "-chdir=/infra", "apply", "-n=6", "INC-42.plan"]);
    assert_eq!(
        resolved.filled,
        [
            "terraform is /opt/terraform -chdir=/infra (from the configuration)",
            "count = 6 (as you said)",
            "plan = INC-42.plan (from the record)"
        ]
    );
    let missing = command.resolve(Purpose::Do, &BTreeMap::new(), &facts(), &aliases).unwrap_err();
    assert_eq!((missing.parameter.as_str(), missing.why.as_str()), ("count", "wants a value"));
}

proptest::proptest! {
    #[test]
    fn a_value_is_refused_or_fills_one_element_and_is_no_option(value in "\\PC{0,12}|-[a-z]{1,4}|[a-z0-9-]{1,9}") {
        for parameter in ["{ int = [-5, 500] }", "{ word = \"-_.\" }", "{ one-of = [\"a\", \"b c\"] }"] {
            let argv = "do.command.argv = [\"a\", \"{x}\", \"end\"]";
            let step = with_action(&format!("{argv}\ndo.command.parameters.x = {parameter}")).unwrap();
            let given = BTreeMap::from([("x".into(), Value::said(Exact::new(&value)))]);
            let resolved = step.command().unwrap().resolve(Purpose::Do, &given, &facts(), &Aliases::new());
            if let Ok(resolved) = resolved {
                proptest::prop_assert_eq!(resolved.argv.len(), 3);
                proptest::prop_assert!(!resolved.argv[1].text().starts_with('-') && !resolved.argv[1].is_blank());
            }
        }
    }

    #[test]
    fn a_mutated_playbook_is_refused_by_its_place_or_is_whole(
        which in 0..4usize,
        line in 0..400usize,
        change in 0..6usize,
        letter in "[a-z{}\\[\\]\"=#]",
    ) {
        let (file, text) = SHIPPED[which];
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let place = line % lines.len();
        let old = lines[place].clone();
        match change {
            0 => {
                lines.remove(place);
            }
            1 => lines.insert(place, old),
            2 => lines[place].push_str(&letter),
            3 => lines[place] = old.replacen(' ', &letter, 1),
            4 => lines[place] = old.chars().rev().collect(),
            _ => lines[place] = old.replacen('"', "", 1),
        }
        match Playbook::parse(file, &lines.join("\n")) {
            Ok(playbook) => proptest::prop_assert!(!playbook.steps.is_empty() && playbook.foreign.is_some()),
            Err(flaw) => {
                proptest::prop_assert!(flaw.line >= 1 && flaw.column >= 1 && !flaw.message.is_empty());
                let begins = format!("{file}:");
                proptest::prop_assert!(flaw.to_string().starts_with(&begins));
            }
        }
    }
}

#[test]
fn everyday_commands_can_be_written() {
    let values = |given: &[(&str, &str)]| -> BTreeMap<CleanStr, Value> {
        given.iter().map(|(name, value)| ((*name).into(), Value::said((*value).into()))).collect()
    };
    let parameters = "parameters = { unit = { word = '-' }, image = { word = '/.' }, tag = { word = '.' }, host = { one-of = ['db1', 'db2'] } }";
    let given = values(&[("unit", "pay-api"), ("image", "registry.local/pay"), ("tag", "v1.2"), ("host", "db2")]);
    for (argv, expected) in [
        (
            r#"["kubectl", "get", "pods", "-o", "jsonpath={{.items[0].metadata.name}}"]"#,
            "jsonpath={.items[0].metadata.name}",
        ),
        (r#"["docker", "ps", "--format", "{{{{.Names}}}}"]"#, "{{.Names}}"),
        (r#"["awk", "{{print $1}}"]"#, "{print $1}"),
        (r#"["curl", "-w", "%{{http_code}}"]"#, "%{http_code}"),
        (r#"["sh", "-c", "echo ${{HOME}}"]"#, "echo ${HOME}"),
        (r#"["systemctl", "restart", "{unit}.service"]"#, "pay-api.service"),
        (r#"["kubectl", "set", "image", "web={image}:{tag}"]"#, "web=registry.local/pay:v1.2"),
        (r#"["ssh", "{host}"]"#, "db2"),
    ] {
        let step = with_action(&format!("do.command = {{ argv = {argv}, {parameters} }}")).unwrap();
        let resolved = step.command().unwrap().resolve(Purpose::Do, &given, &facts(), &Aliases::new()).unwrap();
        assert_eq!(resolved.argv.last().unwrap(), &expected, "{argv}");
    }
    let step = with_action("do.command = { argv = [\"a\", \"{unit}x\"], parameters.unit = { word = \"-\" } }").unwrap();
    let wrong = step.command().unwrap().resolve(Purpose::Do, &values(&[("unit", "-rf")]), &facts(), &Aliases::new());
    assert!(wrong.unwrap_err().why.contains("option"), "the guard holds at the beginning of an element");
}

#[test]
fn nothing_stands_in_for_an_own_playbook_that_is_wrong() {
    let mine = SMALL.replace("\"tills\"", "\"alipay\"");
    let broken = |take: &dyn Fn(&mut Catalogue)| {
        let mut catalogue = Catalogue::shipped();
        take(&mut catalogue);
        assert!(catalogue.get("alipay").is_none(), "the shipped one is not meant");
        assert_eq!(catalogue.problems.len(), 1);
        let why = catalogue.why_none("alipay").unwrap();
        assert!(why.contains("cannot be read") && why.contains("take the last good version"), "{why}");
        catalogue
    };
    broken(&|catalogue| catalogue.take("mine/alipay.toml", "[[steps]]\nid = \"route"));
    broken(&|catalogue| catalogue.take("mine/pay.toml", "service = \"alipay\"\n[[steps]]\nid = \"route"));
    broken(&|catalogue| catalogue.miss("mine/alipay.toml", None, "mine/alipay.toml is no file".to_owned()));
    let mut two = broken(&|catalogue| {
        catalogue.take("mine/alipay.toml", &mine);
        catalogue.take("mine/alipay-old.toml", &mine);
    });
    assert!(two.problems[0].contains("both of `alipay`"), "{:?}", two.problems);
    // What was mended counts again; what was right before is known while it is not.
    two.take("other/alipay.toml", &mine);
    assert!(two.get("alipay").is_some() && two.why_none("alipay").is_none());
    let mut later = Catalogue::shipped();
    later.take("mine/alipay.toml", "service = \"alipay\"");
    later.remember(&two);
    assert_eq!(later.broken["alipay"].1.as_ref().unwrap().owner, *"Shop team");
}

proptest::proptest! {
    /// Pieces of an argument: text of whatever letters, bytes that are no text, and a value in its place.
    #[test]
    fn for_any_bytes_what_runs_is_what_the_file_says_with_its_values_put_in(
        pieces in proptest::collection::vec(
            (proptest::prelude::any::<String>(), proptest::option::of("[a-z0-9]{1,8}"), proptest::collection::vec(128..=255_u8, 0..4)),
            1..5,
        ),
    ) {
        let (mut argv, mut expected) = (vec!["\"prog\"".to_owned()], vec![Exact::new("prog")]);
        let (mut given, mut parameters) = (BTreeMap::new(), String::new());
        for (place, (text, value, bytes)) in pieces.iter().enumerate() {
            let text: String = text.chars().filter(|letter| *letter != '\0').collect();
            // A value stands in no sentence: there it has no text beside it.
            let escaped = text.replace('{', "{{").replace('}', "}}");
            argv.push(toml::Value::from(escaped).to_string());
            expected.push(Exact::new(&text));
            if let Some(value) = value {
                let name = ["a", "b", "c", "d", "e"][place];
                argv.push(format!("\"-{{{name}}}.x\""));
                expected.push(Exact::new(format!("-{value}.x")));
                given.insert(CleanStr::from(name), Value::said(Exact::new(value)));
                parameters += &format!("{name} = {{ word = '-' }}, ");
            }
            if !bytes.is_empty() {
                argv.push(format!("[{}]", bytes.iter().map(u8::to_string).collect::<Vec<_>>().join(", ")));
                expected.push(Exact::new(bytes));
            }
        }
        let text = format!("do.command = {{ argv = [{}], parameters = {{ {} }} }}", argv.join(", "), parameters.trim_end_matches(", "));
        let step = with_action(&text).unwrap();
        let resolved = step.command().unwrap().resolve(Purpose::Do, &given, &facts(), &Aliases::new()).unwrap();
        proptest::prop_assert_eq!(resolved.argv, expected);
    }
}
