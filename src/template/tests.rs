use chrono::{TimeDelta, TimeZone};
use chrono_tz::{Asia, Europe, Tz, UTC};
use proptest::prelude::*;

use super::*;
use crate::incident::IncidentId;
use crate::playbook::Catalogue;

const HEAD: &str = "{# owner: Us; reviewed: 2026-11-01 #}\n";

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn noon() -> DateTime<Utc> {
    at("2026-11-23T12:00:00Z")
}

fn company() -> Vocabulary {
    Vocabulary::of(&Catalogue::shipped()).with_people(["dana", "Omid Karimi", "will"]).with_domains(["qrpay.net"])
}

fn public(text: &str) -> Vec<(Rule, &str)> {
    lint(text, Audience::External, &company()).into_iter().map(|remark| (remark.rule, &text[remark.range])).collect()
}

/// What the runbook prints, letter by letter.
const RUNBOOK_SLACK: &str = ":rotating_light: *Incident {{INCIDENT_ID}}* - {{SERVICE}}
Impact: {{SUMMARY}}
Mitigation: {{CURRENT_ACTION}}
Next Update: {{TIME}}
";
const RUNBOOK_CUSTOMERS: &str = "We are investigating elevated errors for {{SERVICE}}. Payments may fail intermittently. Next update in 30 minutes.\n";

#[test]
fn the_runbooks_two_templates_ship_as_they_are_written_there() {
    for (name, runbook) in [("slack-investigating", RUNBOOK_SLACK), ("external-investigating", RUNBOOK_CUSTOMERS)] {
        let (_, text) = SHIPPED.into_iter().find(|(file, _)| file.ends_with(&format!("/{name}.txt"))).unwrap();
        assert_eq!(text.split_once('\n').unwrap().1, runbook);
    }
    let templates = Templates::shipped();
    let facts = Facts::sample(noon(), Europe::Berlin);
    let slack = templates.render(Audience::Slack, Status::Investigating, &facts).unwrap();
    assert_eq!(
        slack.text.as_str(),
        ":rotating_light: *Incident INC-42* - Alipay Integration\nImpact: Alipay payments may fail or take longer than usual.\n\
         Mitigation: Payments are being routed to the backup provider.\nNext Update: 13:15 CET"
    );
    assert_eq!(slack.promise, Some(noon() + TimeDelta::minutes(15)));
    let page = templates.render(Audience::External, Status::Investigating, &facts).unwrap();
    assert_eq!(
        page.text.as_str(),
        "We are investigating elevated errors for Alipay payments. Payments may fail intermittently. Next update in 30 minutes."
    );
    assert_eq!(page.promise, Some(noon() + TimeDelta::minutes(30)), "the shipped customer text promises 30 minutes");
}

#[test]
fn every_shipped_template_renders_with_full_and_with_empty_facts_and_passes_its_own_check() {
    let templates = Templates::shipped();
    assert_eq!(templates.problems, Vec::<String>::new());
    assert_eq!(
        templates.iter().map(|template| template.name).collect::<Vec<_>>(),
        TemplateName::all().collect::<Vec<_>>()
    );
    let company = Vocabulary::of(&Catalogue::shipped()).with_people(["dana", "bob"]);
    for name in TemplateName::all() {
        for zone in [UTC, Europe::Berlin, Asia::Tehran, Asia::Kathmandu] {
            let full = templates.render(name.audience, name.status, &Facts::sample(noon(), zone)).unwrap();
            assert_eq!(lint(&full.text, name.audience, &company), [], "{name}: {}", full.text);
            assert_eq!(full.promise.is_some(), name.status != Status::Resolved, "{name}: {}", full.text);
            assert!(!full.text.contains("\n\n\n") && !full.text.is_empty(), "{name}");
        }
        let empty = templates.render(name.audience, name.status, &Facts::empty(noon(), UTC)).unwrap();
        assert!(!empty.text.contains(": \n") && !empty.text.ends_with(": "), "{name}: {}", empty.text);
        // Whatever is missing is remarked on; only a text without a variable has nothing to miss.
        let remarks = lint(&empty.text, name.audience, &company);
        assert!(remarks.iter().all(|remark| remark.rule == Rule::Unfilled), "{name}: {remarks:?}");
        assert_eq!(remarks.len(), empty.text.matches(MISSING).count(), "{name}");
        assert!(!remarks.is_empty(), "{name}");
    }
}

#[test]
fn what_happened_since_the_last_update_is_listed_and_nothing_new_is_said_too() {
    let templates = Templates::shipped();
    let mut facts = Facts::sample(noon(), UTC);
    let text = |facts: &Facts| templates.render(Audience::Slack, Status::Identified, facts).unwrap().text;
    assert!(text(&facts).contains(
        "(owner: dana)\nSince the last update:\n• the gateway's connections were found used up\n• the backup provider is ready\nNext"
    ));
    facts.since.clear();
    assert!(text(&facts).contains("(owner: dana)\nNothing new since the last update.\nNext"));
}

#[test]
fn customers_read_the_public_name_and_never_an_internal_one() {
    let templates = Templates::shipped();
    let mut facts = Facts::sample(noon(), UTC);
    let catalogue = Catalogue::shipped();
    facts.services = ["blubank", "yoomonea"].map(|id| Service::from(catalogue.get(id).unwrap())).to_vec();
    facts.services.push(Service { name: "ledger-core".into(), public: None });
    let text = templates.render(Audience::External, Status::Investigating, &facts).unwrap().text;
    assert!(text.contains("errors for Bank transfers through BluBank, Yoomonea wallet and not known yet."), "{text}");
    let text = templates.render(Audience::Slack, Status::Investigating, &facts).unwrap().text;
    assert!(text.contains("- BluBank Integration, Yoomonea Service and ledger-core\n"), "{text}");
}

#[test]
fn a_template_that_cannot_work_is_refused_with_its_place_and_the_names_that_there_are() {
    let slack = "conf/slack-resolved.txt";
    let first_line = "{# owner: Us; reviewed: 2026-11-01 #}";
    let cases = [
        (
            slack,
            format!("{HEAD}a\n  {{{{ SERVICES }}}}"),
            "conf/slack-resolved.txt:3:6: `SERVICES` is unknown: there are INCIDENT_ID, SERVICE, SUMMARY, CURRENT_ACTION, TIME, incident_id,",
        ),
        (
            slack,
            format!("{HEAD}{{% if severty %}}x{{% endif %}}y"),
            ":2:7: `severty` is unknown: there are INCIDENT_ID",
        ),
        (slack, format!("{HEAD}{{% if false %}}{{{{ nobody }}}}{{% endif %}}y"), ":2:18: `nobody` is unknown"),
        (slack, format!("{HEAD}ü{{{{ title | shout }}}}"), ":2:13: `shout` is no known filter: there are capitalize,"),
        (slack, format!("{HEAD}{{% if false %}}{{{{ title|pprint }}}}{{% endif %}}"), "`pprint` is no known filter"),
        (slack, format!("{HEAD}{{% if title is odd %}}{{% endif %}}"), "`odd` is no known test"),
        (slack, format!("{HEAD}{{{{ title.length }}}}"), ":2:10: `length` "),
        (slack, format!("{HEAD}{{{{ title.x }}}}"), ":2:10: `x` is no known attribute (of `loop`"),
        (slack, format!("{HEAD}{{% include 'x' %}}"), ":2:4: `include` is no known tag: there are if, elif,"),
        (slack, format!("{HEAD}{{% macro m() %}}x{{% endmacro %}}"), "`macro` is no known tag"),
        (slack, format!("{HEAD}{{{{ range(9) }}}}"), ":2:4: `range` is unknown"),
        (slack, format!("{HEAD}{{{{ title"), ":2:"),
        (slack, format!("{HEAD}{{% if title %}}x"), ":2:"),
        (slack, format!("{HEAD}{{{{ services[0] }}}}"), ":2:4: there is no such value"),
        (slack, format!("{HEAD}{{{{ 'x' * 100000000 }}}}"), "takes too long or makes too much"),
        (slack, format!("{HEAD} \n"), ":3:1: the template is empty"),
        (
            slack,
            format!("{HEAD}{}", "x".repeat(20_000)),
            ":1:1: the template has 20038 bytes, and at most 16384 are read",
        ),
        (
            slack,
            format!("{HEAD}Next update in 20 minutes."),
            ":1:1: the text promises the next update in 20 min: add `promise: 20m`",
        ),
        (
            slack,
            "{# owner: Us; reviewed: 2026-11-01; promise: 30m #}\nNext update in 20 min".to_owned(),
            ":1:1: the first line promises 30m, the text 20 min",
        ),
        (
            slack,
            "{# owner: Us; reviewed: 2026-11-01; promise: 30m #}\nAll is lost.".to_owned(),
            ":2:1: the text promises nothing, the first line 30m: say `Next update: {{ next_update }}`",
        ),
        (slack, "hello {{SERVICE}}".to_owned(), ":1:1: the first line says who keeps this template: begin with"),
        (slack, "{# reviewed: 2026-11-01 #}\nx".to_owned(), ":1:3: `owner` is missing"),
        (slack, "{# owner: Us #}\nx".to_owned(), ":1:3: `reviewed` is missing"),
        (slack, "{# owner: Us; reviewed: last week #}\nx".to_owned(), ":1:25: `last week` is no day"),
        (
            slack,
            "{# owner: Us; reviewed: 2026-11-01; promise: soon #}\nx".to_owned(),
            ":1:46: `soon` is no length of time",
        ),
        (
            slack,
            "{# owner: Us; author: me #}\nx".to_owned(),
            ":1:15: `author` is unknown: owner, reviewed and promise are known",
        ),
        (
            "external-resolved.txt",
            format!("{HEAD}{{{{ commander }}}}"),
            ":2:4: `commander` is not for customers: there are SERVICE, SUMMARY, CURRENT_ACTION, TIME, service,",
        ),
        ("external-resolved.txt", format!("{HEAD}{{{{INCIDENT_ID}}}}"), ":2:3: `INCIDENT_ID` is not for customers"),
        (
            "slack-solved.txt",
            format!("{HEAD}x"),
            "slack-solved.txt:1:1: no update uses a file of this name: call it one of slack-investigating,",
        ),
    ];
    for (file, text, expected) in cases {
        let refusal = Templates::parse(file, &text).unwrap_err().to_string();
        assert!(refusal.contains(expected), "{text}\n{refusal}");
    }
    assert!(Templates::parse(slack, first_line).is_err());
}

#[test]
fn conditions_loops_and_filters_work_and_a_missing_fact_is_false() {
    let body = "{% if customers %}Who: {{ customers }}{% else %}everybody?{% endif %} {{ title | default('-') | upper }} \
                {% for line in since %}{{ loop.index }}:{{ line | capitalize }} {% endfor %}{{ services | join('/') }}\
                {% raw %}{{ nobody | shout }}{% endraw %}{# {{ nobody }} #}{{ '}}{{ x' }} {{ since }} {{ title <b }}";
    let template =
        Templates::parse("slack-resolved.txt", &format!("{HEAD}{}", body.replace(" {{ title <b }}", ""))).unwrap();
    let full = template.render(&Facts::sample(noon(), UTC)).unwrap().text;
    assert_eq!(
        full.as_str(),
        "Who: about 40 % of those who pay with Alipay ALIPAY PAYMENTS TIME OUT 1:The gateway's connections were found used up \
         2:The backup provider is ready Alipay Integration{{ nobody | shout }}}}{{ x the gateway's connections were found used up\n\
         the backup provider is ready"
    );
    let empty = template.render(&Facts::empty(noon(), UTC)).unwrap().text;
    assert!(empty.starts_with("everybody? NOT KNOWN YET "), "{empty}");
    assert!(empty.ends_with("{{ x not known yet"), "{empty}");
}

#[test]
fn facts_that_look_like_templates_or_markup_stay_what_they_are() {
    let mut facts = Facts::sample(noon(), UTC);
    facts.summary = Some("{{ commander }} <b>&amp;</b> {% if %}".into());
    let text = Templates::shipped().render(Audience::Slack, Status::Investigating, &facts).unwrap().text;
    assert!(text.contains("Impact: {{ commander }} <b>&amp;</b> {% if %}\n"), "{text}");
}

#[test]
fn a_file_of_ones_own_replaces_the_shipped_one_and_a_broken_one_does_not() {
    let own = "{# owner: Comms; reviewed: 2026-11-20; promise: 20m #}\nWorking on {{ service }}. Next update in 20 minutes.\n";
    let templates = Templates::shipped()
        .with("etc/templates/external-investigating.txt", own)
        .with("etc/templates/external-identified.txt", "{{ who }}")
        .with("etc/templates/slack-maybe.txt", own);
    let facts = Facts::sample(noon(), UTC);
    let page = templates.render(Audience::External, Status::Investigating, &facts).unwrap();
    assert_eq!(page.text.as_str(), "Working on Alipay payments. Next update in 20 minutes.");
    assert_eq!(page.promise, Some(noon() + TimeDelta::minutes(20)));
    assert_eq!(templates.problems.len(), 2, "{:?}", templates.problems);
    assert!(templates.render(Audience::External, Status::Identified, &facts).is_ok());
    let refusal = Templates::default().render(Audience::Slack, Status::Resolved, &facts).unwrap_err().to_string();
    assert!(refusal.contains("write slack-resolved.txt in the templates folder"), "{refusal}");
}

#[test]
fn a_template_is_reviewed_every_quarter() {
    let template = Templates::parse("slack-resolved.txt", &format!("{HEAD}x")).unwrap();
    let day = |text: &str| text.parse::<NaiveDate>().unwrap();
    assert_eq!(template.review_overdue(day("2027-02-01")), None);
    assert_eq!(template.review_overdue(day("2027-02-03")), Some(2));
}

#[test]
fn the_promise_of_a_text_is_read_the_way_people_write_it() {
    let now = noon();
    let minutes = |minutes: i64| Some(now + TimeDelta::minutes(minutes));
    for (text, promised) in [
        ("Next update in 30 minutes.", minutes(30)),
        ("We are on it. NEXT UPDATE IN 30 MIN!", minutes(30)),
        ("Next Update: 12:45", minutes(45)),
        ("Next Update: 12:45 UTC", minutes(45)),
        ("next update at 13:45 CET", minutes(45)),
        ("Next update at 13:45 (CET).", minutes(45)),
        ("Next update at 14:45 CEST", minutes(45)),
        ("Next update at 15:30 UTC+3", minutes(30)),
        ("Next update at 15:30 +0300", minutes(30)),
        ("Next update at 16:00 +03:30", minutes(30)),
        ("Next update at 07:45 America/New_York.", minutes(45)),
        ("Next update at 2:45 pm", minutes(165)),
        ("Next update at 1pm", minutes(60)),
        ("Next update at 1 p.m.", minutes(60)),
        ("We will update you within 20 min", minutes(20)),
        ("Updates every 15 minutes.", minutes(15)),
        ("We'll post another update in half an hour.", minutes(30)),
        ("Next update in an hour and a half", minutes(90)),
        ("Next update in 1 hour and 30 minutes", minutes(90)),
        ("Next update in 1h30m", minutes(90)),
        ("Next update in fifteen minutes", minutes(15)),
        ("Within 20 minutes we will provide a further update.", minutes(20)),
        ("Next update in 15-30 minutes.", minutes(15)),
        ("Next update in 15 to 30 minutes.", minutes(15)),
        ("Next status update by 13:00.", minutes(60)),
        ("More information in 20 minutes.", minutes(20)),
        ("Since 11:30 payments fail. Next update at 12:15.", minutes(15)),
        ("Next update at 11:50.", minutes(-10)),
        ("Next update at 11:55, or in 20 minutes. Next update in 10 minutes", minutes(-5)),
        ("Next update: tomorrow at 09:00", Some(at("2026-11-24T09:00:00Z"))),
        ("Next update at 09:00", Some(at("2026-11-24T09:00:00Z"))),
        ("Next update: 2026-11-25 09:00 UTC", Some(at("2026-11-25T09:00:00Z"))),
        ("Next update at 12:45 PST", None),
        ("Next update at 25:00", None),
        ("Next update soon.", None),
        ("Next update in a few minutes.", None),
        ("Last update at 12:45.", None),
        ("We will roll out an update in 20 minutes.", None),
        ("The fix comes in 20 minutes.", None),
        ("Next update.\nIn 20 minutes the fix comes.", None),
        ("Update 11:45: all is well.", None),
        ("", None),
    ] {
        assert_eq!(promise(text, now, UTC), promised, "{text}");
    }
}

#[test]
fn a_time_without_a_zone_is_read_in_the_zone_of_the_incident() {
    let summer = at("2026-07-01T12:00:00Z");
    for (text, zone, now, expected) in [
        ("Next update: 13:15", Europe::Berlin, noon(), "2026-11-23T12:15:00Z"),
        ("Next update: 14:15 CEST", Europe::Berlin, summer, "2026-07-01T12:15:00Z"),
        // People write CET in July and mean the clock on the wall.
        ("Next update: 14:15 CET", Europe::Berlin, summer, "2026-07-01T12:15:00Z"),
        ("Next update: 14:15 CET", UTC, summer, "2026-07-01T13:15:00Z"),
        ("Next update: 15:45", Asia::Tehran, noon(), "2026-11-23T12:15:00Z"),
        ("Next update: 15:45 +0330", Asia::Tehran, noon(), "2026-11-23T12:15:00Z"),
        ("Next update: 00:10", UTC, at("2026-11-23T23:55:00Z"), "2026-11-24T00:10:00Z"),
        // The night in which the clocks go back, before and after; and the hour that they skip.
        ("Next update: 02:30", Europe::Berlin, at("2026-10-25T00:15:00Z"), "2026-10-25T00:30:00Z"),
        ("Next update: 02:30", Europe::Berlin, at("2026-10-25T01:15:00Z"), "2026-10-25T01:30:00Z"),
        ("Next update: 02:30", Europe::Berlin, at("2026-03-29T00:45:00Z"), "2026-03-29T01:30:00Z"),
    ] {
        assert_eq!(promise(text, now, zone), Some(at(expected)), "{text} in {zone} at {now}");
    }
}

#[test]
fn a_promise_that_a_template_writes_is_read_back_in_every_zone() {
    for zone in chrono_tz::TZ_VARIANTS {
        for hour in [0, 5, 11, 12, 17, 23] {
            for month in [1, 7] {
                let now = Utc.with_ymd_and_hms(2026, month, 10, hour, 50, 0).unwrap();
                let facts = Facts::empty(now, zone);
                let line = format!("Next Update: {}", facts.clock(now + TimeDelta::minutes(15)));
                assert_eq!(promise(&line, now, zone), Some(now + TimeDelta::minutes(15)), "{zone}: {line}");
            }
        }
    }
}

#[test]
fn a_text_for_customers_gives_no_time_for_a_fix() {
    for (text, found) in [
        ("It will be fixed by 15:00.", "by 15:00"),
        ("A fix is expected in 20 minutes.", "in 20 minutes"),
        ("Payments will be back within the next 2 hours.", "within the next 2 hours"),
        ("We expect recovery at 15:00 UTC.", "at 15:00 UTC"),
        ("Service restored in about half an hour.", "in about half an hour"),
        ("It should take another 20 minutes.", "another 20 minutes"),
        ("Payments work again soon.", "soon"),
        ("It will shortly be fixed.", "shortly"),
        ("Back in a few minutes", "in a few minutes"),
        ("ETA: 15:00", "ETA"),
        ("Only 10 minutes to go.", "Only 10 minutes"),
        ("Done by end of the day.", "end of the day"),
        ("Next update soon.", "soon"),
    ] {
        let remarks = public(text);
        assert_eq!(remarks.first(), Some(&(Rule::Eta, found)), "{text}: {remarks:?}");
    }
    for fine in [
        "Next update in 20 minutes.",
        "Next update at 15:00 UTC.",
        "We will update you within 30 minutes.",
        "Next update tomorrow at 09:00 UTC.",
        "Payments have failed since 14:10 UTC.",
        "Between 14:10 and 14:40 UTC payments failed for 30 minutes.",
        "The problem was resolved at 15:02 UTC, after 52 minutes.",
        "It began 15 minutes ago.",
        "We will tell you as soon as we know more.",
        "Payments on 2026-11-23 took longer than usual.",
        "Support answers 24/7. About 40 % of payments fail.",
    ] {
        assert_eq!(public(fine), [], "{fine}");
    }
}

#[test]
fn a_text_for_customers_guesses_nothing() {
    for (text, found) in [
        ("It is probably the network.", "probably"),
        ("We think that a partner is slow.", "We think"),
        ("A partner might be slow.", "might be"),
        ("It seems to be over.", "seems"),
        ("This may be caused by a partner.", "may be caused"),
        ("It looks like an outage.", "looks like"),
        ("Perhaps it is over.", "Perhaps"),
    ] {
        assert_eq!(public(text), [(Rule::Guess, found)], "{text}");
    }
    for fine in
        ["Payments may fail.", "Payments may be delayed.", "Refunds could be delayed.", "Errors appear at checkout."]
    {
        assert_eq!(public(fine), [], "{fine}");
    }
}

#[test]
fn a_text_for_customers_names_no_machine_and_no_inside() {
    for (text, rule, found) in [
        ("The server web-03 is down.", Rule::Host, "web-03"),
        ("Errors on db1.prod.example.com.", Rule::Host, "db1.prod.example.com"),
        ("Errors on 10.0.3.17:8443!", Rule::Host, "10.0.3.17:8443"),
        ("Errors on 203.0.113.9.", Rule::Host, "203.0.113.9"),
        ("Errors on fe80::1.", Rule::Host, "fe80::1"),
        ("Errors on [::1]", Rule::Host, "::1"),
        ("See http://grafana.example.com/d/1.", Rule::Host, "http://grafana.example.com/d/1"),
        ("See https://status.corp/x", Rule::Host, "https://status.corp/x"),
        ("See https://10.1.2.3/", Rule::Host, "https://10.1.2.3"),
        ("See http://localhost:9090/graph", Rule::Host, "http://localhost:9090/graph"),
        ("Queue at mq.internal is full", Rule::Host, "mq.internal"),
        ("Queue at pay.qrpay.net is full", Rule::Host, "pay.qrpay.net"),
        ("Pod checkout-7f9c6d5b8-x2k4q restarts", Rule::Host, "checkout-7f9c6d5b8-x2k4q"),
        ("gateway:8443 refuses", Rule::Host, "gateway:8443"),
        ("The service qrpay-web is slow.", Rule::Service, "qrpay-web"),
        ("The service QRPay-Web is slow.", Rule::Service, "QRPay-Web"),
        ("Errors in alipay-gateway.", Rule::Service, "alipay-gateway"),
        ("Errors in alipay.", Rule::Service, "alipay"),
        ("The Alipay Integration is slow.", Rule::Service, "Alipay Integration"),
        ("See INC-42.", Rule::Incident, "INC-42"),
        ("See inc-42 for more.", Rule::Incident, "inc-42"),
        ("Ticket OPS-1234.", Rule::Incident, "OPS-1234"),
        ("Dana is on it.", Rule::Person, "Dana"),
        ("@dana is on it.", Rule::Person, "dana"),
        ("Ask Omid for more.", Rule::Person, "Omid"),
        ("Dana's team is on it.", Rule::Person, "Dana's"),
        ("Our expert Will is on it.", Rule::Person, "Will"),
    ] {
        assert_eq!(public(text), [(rule, found)], "{text}");
    }
    for fine in [
        "Alipay payments, the Yoomonea wallet and Bank transfers through BluBank are affected.",
        "The QRPay website and checkout are slow.",
        "See https://status.qrpay.com and https://www.alipay.com/help?id=3.",
        "Write to support@qrpay.com, top-10 questions, ISO-8601, 3DS2, e.g. cards, v2.1, and/or 1.5 %.",
        "We will tell more. Will payments be lost? No.",
        "Alipay is informed.",
    ] {
        assert_eq!(public(fine), [], "{fine}");
    }
    let remarks = lint("Errors in alipay-gateway.", Audience::External, &company());
    assert_eq!(
        remarks[0].to_string(),
        "`alipay-gateway` (internal name): customers know this service by another name; write `Alipay payments`"
    );
}

#[test]
fn inside_the_company_only_gaps_cards_and_length_are_remarked_on() {
    let candid =
        "dana thinks web-03 will probably be back in 20 minutes, see http://grafana.corp INC-42 alipay-gateway";
    for audience in [Audience::Slack, Audience::Internal, Audience::Executive] {
        assert_eq!(lint(candid, audience, &company()), []);
        for (text, rule, found) in [
            ("Mitigation: not known yet", Rule::Unfilled, "not known yet"),
            ("Impact: Not Known Yet.", Rule::Unfilled, "Not Known Yet"),
            ("For {{SERVICE}} now", Rule::Unfilled, "{{SERVICE}}"),
            ("For {{SERVICE", Rule::Unfilled, "{{"),
            ("card 4111 1111 1111 1111 fails", Rule::Card, "4111 1111 1111 1111"),
            ("card 4111-1111-1111-1111, fails", Rule::Card, "4111-1111-1111-1111"),
            ("5500005555555559", Rule::Card, "5500005555555559"),
        ] {
            let remarks = lint(text, audience, &company());
            assert_eq!(remarks.len(), 1, "{text}: {remarks:?}");
            assert_eq!((remarks[0].rule, &text[remarks[0].range.clone()]), (rule, found));
        }
        for fine in ["order 4111 1111 1111 1112", "0000000000000000", "call 030 1234567", "a { b } c"] {
            assert_eq!(lint(fine, audience, &company()), [], "{fine}");
        }
    }
    let card = lint("card 4111 1111 1111 1111 fails", Audience::Slack, &company());
    assert_eq!(card[0].found, "…1111", "the remark does not spread the number");
    let long = "é".repeat(2100);
    let remarks = lint(&long, Audience::Slack, &company());
    assert_eq!((remarks[0].rule, remarks[0].range.clone()), (Rule::Length, 4000..4200));
    assert!(remarks[0].instead.contains("2000 letters, it has 2100"));
    assert_eq!(lint(&long, Audience::Internal, &company()), []);
}

#[test]
fn a_hostile_text_of_64_kb_is_checked_in_a_blink() {
    for piece in
        ["soon ", "{{", "1 ", "next update ", "a.b.c.", "14:45 ", "in ", "::", "é", "4111 ", "not known yet ", "alipay"]
    {
        let text = piece.repeat(crate::text::TEXT_BYTES / piece.len());
        assert!(lint(&text, Audience::External, &company()).len() <= MOST);
        promise(&text, noon(), UTC);
    }
}

fn word() -> impl Strategy<Value = String> {
    let words = [
        "next",
        "update",
        "in",
        "30",
        "minutes",
        "14:45",
        "CET",
        "by",
        "soon",
        "{{",
        "}}",
        "{%",
        "é",
        "web-03",
        "10.0.0.1",
        "alipay",
        "dana",
        "4111111111111111",
        "\n",
        ".",
        "+",
        "0330",
        "tomorrow",
        "2026-11-24",
        "-",
        "a",
        "half",
        "an",
        "hour",
        "http://",
        "::1",
        "@",
        "’",
        "INC-7",
        "not known yet",
        "UTC",
        "99999999999999999999",
        "if",
        "title",
        "|",
        "'",
        "for",
        "x",
        "since",
        "endif",
        "endfor",
        "{#",
        "#}",
        "raw",
        "~",
        "*",
        "(",
        ")",
        "[",
        "]",
    ];
    prop_oneof![prop::sample::select(words.to_vec()).prop_map(str::to_owned), "\\PC{0,6}"]
}

fn texts() -> impl Strategy<Value = String> {
    (prop::collection::vec(word(), 0..40), prop::sample::select(&["", " "])).prop_map(|(words, gap)| words.join(gap))
}

fn facts() -> impl Strategy<Value = Facts> {
    let moment =
        || prop::option::of(0_i64..4_000_000_000).prop_map(|at| at.and_then(|at| DateTime::from_timestamp(at, 0)));
    let line = || prop::option::of(texts().prop_map(|text| CleanStr::new(&text)));
    let text = || prop::option::of(texts().prop_map(|text| CleanText::new(&text)));
    let service = (texts(), line()).prop_map(|(name, public)| Service { name: name.into(), public });
    (
        (moment(), moment(), moment(), moment(), prop::sample::select(&chrono_tz::TZ_VARIANTS[..])),
        (line(), line(), line(), line(), line(), line(), text(), text()),
        prop::collection::vec(service, 0..4),
        prop::collection::vec(texts().prop_map(|text| CleanStr::new(&text)), 0..5),
        prop::option::of(any::<u32>()),
    )
        .prop_map(|(times, lines, services, since, number)| {
            let (now, next_update, started, resolved, zone): (_, _, _, _, Tz) = times;
            let (title, customers, geography, partners, action_owner, commander, summary, current_action) = lines;
            Facts {
                now: now.unwrap_or(DateTime::<Utc>::MAX_UTC - TimeDelta::days(2)),
                incident_id: number.map(IncidentId::incident),
                severity: None,
                zone,
                services,
                title,
                summary,
                customers,
                geography,
                partners,
                current_action,
                action_owner,
                commander,
                since,
                next_update,
                started,
                resolved,
            }
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 48 } else { 2000 }))]

    #[test]
    fn any_facts_give_a_text_that_can_be_checked(facts in facts()) {
        let templates = Templates::shipped();
        for template in templates.iter() {
            let rendered = template.render(&facts).unwrap();
            prop_assert!(!rendered.text.is_empty());
            lint(&rendered.text, template.name.audience, &company());
        }
    }

    #[test]
    fn no_text_makes_the_check_panic_and_every_remark_lies_in_the_text(text in texts(), zone in prop::sample::select(&chrono_tz::TZ_VARIANTS[..])) {
        for audience in Audience::ALL {
            let remarks = lint(&text, audience, &company());
            let mut before = 0;
            for remark in &remarks {
                prop_assert!(text.get(remark.range.clone()).is_some_and(|found| !found.is_empty()), "{remark:?}");
                prop_assert!(remark.range.start >= before);
                before = remark.range.start;
                prop_assert!(!remark.to_string().is_empty());
            }
        }
        promise(&text, noon(), zone);
    }

    #[test]
    fn no_file_makes_reading_panic_and_a_refusal_has_its_place(body in texts(), head in prop::sample::select(&[HEAD, ""])) {
        for file in ["slack-resolved.txt", "external-resolved.txt"] {
            let text = format!("{head}{body}");
            match Templates::parse(file, &text) {
                Ok(template) => {
                    let _ = template.render(&Facts::empty(noon(), UTC)).unwrap();
                }
                Err(flaw) => prop_assert!(flaw.line >= 1 && flaw.line <= text.lines().count() + 1 && flaw.column >= 1, "{flaw}"),
            }
        }
    }
}
