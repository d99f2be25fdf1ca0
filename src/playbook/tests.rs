//! What a person who writes or follows a playbook sees.

use super::*;

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
        ("all[$window]", "all[$windwo]", "t.toml:12:8: `objectives[1].expr`: `$windwo` is not filled in"),
        ("unit = \"ratio\"", "unit = \"seconds\"", "t.toml:14:8: `objectives[1].unit`: a ratio objective"),
        ("id = \"look\"", "id = \"Look!\"", "t.toml:17:6: `steps[1].id`: `Look!` is no name"),
        ("undo = \"Nothing to undo.\"", "undo = \" \"", "t.toml:21:8: `steps[1].undo`: is empty"),
        (
            "undo = ",
            "do.run = { argv = [] }\nundo = ",
            "t.toml:21:4: `steps[1].do.run`: unknown variant `run`, expected `look`",
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
