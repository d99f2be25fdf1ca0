//! What a person sees of alerts, whoever tells them.

use super::*;

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_780_000_000 + seconds, 0).unwrap()
}

fn alert(source: &'static str, labels: &[(&str, &str)], starts: i64) -> Alert {
    let labels: BTreeMap<CleanStr, CleanStr> =
        labels.iter().map(|(key, value)| (CleanStr::new(key), CleanStr::new(value))).collect();
    Rules::default().judge(Alert {
        source,
        fingerprint: fingerprint(labels.iter().map(|(key, value)| (key.as_str(), value.as_str()))),
        name: labels[NAME_LABEL].clone(),
        labels,
        annotations: BTreeMap::new(),
        state: AlertState::Firing,
        starts_at: at(starts),
        generator_url: None,
        value: None,
        judged: Judged::default(),
    })
}

fn firing(name: &str, service: &str, starts: i64) -> Alert {
    alert("prometheus", &[("alertname", name), ("service", service)], starts)
}

#[test]
fn a_severity_label_proposes_a_severity_and_strange_words_propose_none() {
    for (word, proposed) in [
        ("critical", Some(Severity::Sev1)),
        ("PAGE", Some(Severity::Sev1)),
        (" warning ", Some(Severity::Sev2)),
        ("info", Some(Severity::Sev3)),
        ("sev0", Some(Severity::Sev0)),
        ("SEV3", Some(Severity::Sev3)),
        ("sev9", None),
        ("2", None),
        ("none", None),
        ("", None),
    ] {
        let alert = alert("x", &[("alertname", "A"), ("severity", word)], 0);
        assert_eq!(proposed_severity(&alert), proposed, "{word}");
    }
    assert_eq!(proposed_severity(&firing("A", "alipay", 0)), None);
}

#[test]
fn the_service_is_what_the_label_says_or_a_namespace_with_a_playbook() {
    let known = |name: &str| ["alipay", "blubank"].contains(&name);
    for (labels, service) in [
        (&[("alertname", "A"), ("service", "new-thing"), ("namespace", "alipay")][..], Some("new-thing")),
        (&[("alertname", "A"), ("service", ""), ("namespace", "alipay")], Some("alipay")),
        (&[("alertname", "A"), ("namespace", "kube-system"), ("job", "blubank")], Some("blubank")),
        (&[("alertname", "A"), ("namespace", "kube-system"), ("job", "node")], None),
    ] {
        assert_eq!(alert("x", labels, 0).service(known).as_deref(), service);
    }
}

#[test]
fn who_measured_is_no_service_and_the_site_says_which_label_is_one() {
    let known = |name: &str| ["alipay", "blubank"].contains(&name);
    for (labels, service) in [
        (
            &[("alertname", "A"), ("service", "prometheus-kube-state-metrics"), ("namespace", "alipay")][..],
            Some("alipay"),
        ),
        (&[("alertname", "A"), ("job", "node-exporter"), ("app", "blubank")], Some("blubank")),
        (&[("alertname", "A"), ("job", "kube-state-metrics")], None),
    ] {
        assert_eq!(alert("x", labels, 0).service(known).as_deref(), service);
    }
    let rules = Rules {
        service_labels: vec!["team".into(), "service".into()],
        services: [("prod-pay".into(), "alipay".into())].into(),
        ..Rules::default()
    };
    let judged = |labels: &[(&str, &str)]| rules.judge(alert("x", labels, 0)).service(known);
    assert_eq!(judged(&[("alertname", "A"), ("team", "prod-pay"), ("service", "other")]).as_deref(), Some("alipay"));
    assert_eq!(judged(&[("alertname", "A"), ("team", "unknown"), ("service", "blubank")]).as_deref(), Some("blubank"));
    assert_eq!(
        judged(&[("alertname", "A"), ("namespace", "alipay")]),
        None,
        "a label that is not asked for says nothing"
    );
}

#[test]
fn an_alert_whose_labels_were_changed_on_the_way_is_one_if_nothing_else_fits_as_well() {
    let saying = |words: &str, alert: Alert| Alert { annotations: [("summary".into(), words.into())].into(), ..alert };
    let down = |source, instance: &str, starts| {
        alert(source, &[("alertname", "Down"), ("instance", instance), ("namespace", "ledger")], starts)
    };
    let ours = [
        saying("db1 is down", down("prometheus", "db1.example.org:9100", 0)),
        down("prometheus", "db2.example.org", 0),
    ];
    let theirs = [saying("db1 is down", down("alertmanager", "db1:9100", 2)), down("alertmanager", "db2", 3)];
    let likely = |place| Some(Twin { place, is_likely: true });
    assert_eq!(twins(&ours, &theirs), [likely(0), likely(1)]);
    // Equally alike, or begun at another time: nobody can say.
    let two = [down("alertmanager", "x", 0), down("alertmanager", "y", 0)];
    assert_eq!(twins(&ours[1..], &two), [None]);
    assert_eq!(twins(&ours[1..], &[down("alertmanager", "db2", 600)]), [None]);
    assert_eq!(twins(&ours[..1], &[saying("db7 is down", down("alertmanager", "db7", 0))]), [None]);
}

#[test]
fn a_title_is_plain_words_from_the_best_place() {
    let with = |words: &[(&str, &str)]| {
        let annotations = words.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
        title(&Alert { annotations, ..firing("PayDown", "alipay", 0) }).to_string()
    };
    for (words, shown) in [
        (&[("summary", "*18 %* of `pay` fail"), ("description", "d")][..], "18 % of pay fail"),
        (
            &[("summary", "**Pay** is <https://x.example|down>, see [the panel](https://y.example)")],
            "Pay is down, see the panel",
        ),
        (&[("summary", "<b>Pay</b> is down")], "Pay is down"),
        (&[("summary", "<error expanding template: no such thing>"), ("description", "It is down")], "It is down"),
        (&[("summary", "{{ $labels.x }} is down"), ("message", "Down")], "Down"),
        (&[("summary", "p99 > 4 s for a < b")], "p99 > 4 s for a < b"),
        (&[], "PayDown"),
    ] {
        assert_eq!(with(words), shown);
    }
    let long = with(&[("summary", &"word ".repeat(60))]);
    assert!(long.ends_with("word…") && crate::text::columns(&long) <= 120, "{long}");
    let alert = Alert { annotations: [("runbook_url".into(), "https://r".into())].into(), ..firing("A", "alipay", 0) };
    assert_eq!(runbook(&alert).map(|url| url.as_str()), Some("https://r"));
}

#[test]
fn a_storm_is_counted_by_rule_and_by_service() {
    let all: Vec<Alert> = (0..30)
        .map(|number| {
            firing(
                if number < 29 { "PodCrash" } else { "Slow" },
                if number % 3 == 0 { "blubank" } else { "alipay" },
                number,
            )
        })
        .collect();
    let burst = burst(&all, at(40)).unwrap();
    let rules: Vec<_> = burst.rules().into_iter().map(|(name, count)| (name.as_str(), count)).collect();
    assert_eq!(rules, [("PodCrash", 29), ("Slow", 1)]);
    let services: Vec<_> =
        burst.by_service(|_| true).into_iter().map(|(name, count)| (name.to_string(), count)).collect();
    assert_eq!(services, [("blubank".to_owned(), 10), ("alipay".to_owned(), 20)]);
}

#[test]
fn the_summary_is_the_title_and_an_empty_one_is_none() {
    let mut alert = firing("HighErrorRate", "alipay", 0);
    assert_eq!(title(&alert), "HighErrorRate");
    alert.annotations.insert("summary".into(), "  ".into());
    assert_eq!(title(&alert), "HighErrorRate");
    alert.annotations.insert("summary".into(), "18 % of payments fail ".into());
    assert_eq!(title(&alert), "18 % of payments fail");
}

#[test]
fn one_alert_of_two_systems_is_one_and_nearly_the_same_ones_stay_apart() {
    let prometheus = [
        alert("prometheus", &[("alertname", "High"), ("service", "alipay")], 0),
        alert("prometheus", &[("alertname", "High"), ("instance", "a"), ("service", "alipay")], 0),
        alert("prometheus", &[("alertname", "High"), ("alertstate", "firing"), ("service", "blubank")], 0),
        alert("prometheus", &[("alertname", "Low"), ("service", "alipay")], 0),
    ];
    let cluster = ("cluster", "one");
    let managed = [
        alert("alertmanager", &[("alertname", "High"), cluster, ("service", "blubank")], 10),
        alert("alertmanager", &[("alertname", "High"), cluster, ("instance", "a"), ("service", "alipay")], 10),
        alert("alertmanager", &[("alertname", "High"), cluster, ("service", "alipay")], 10),
        alert("alertmanager", &[("alertname", "Low"), cluster, ("service", "yoomonea")], 10),
    ];
    let sure = |place| Some(Twin { place, is_likely: false });
    assert_eq!(twins(&prometheus, &managed), [sure(2), sure(1), sure(0), None]);
    assert_eq!(twins(&prometheus, &managed[1..2]), [None, sure(0), None, None], "the more exact one takes it");
}

#[test]
fn an_alert_is_covered_by_the_incident_it_is_linked_to_and_else_by_scope() {
    let (one, other) = (firing("A", "alipay", 0), firing("B", "blubank", 0));
    let coverage = |number, linked: &[&Alert], service: &str| Coverage {
        incident: IncidentId::incident(number),
        linked: linked.iter().map(|alert| alert.fingerprint.clone()).collect(),
        services: vec![service.into()],
    };
    let open = [coverage(1, &[], "blubank"), coverage(2, &[&other], "alipay")];
    let covered = |alert: &Alert| covered_by(&[&alert.fingerprint], alert.service(|_| false).as_ref(), &open);
    assert_eq!(covered(&one), Some(Cover::InScope(IncidentId::incident(2))));
    assert_eq!(covered(&other), Some(Cover::Linked(IncidentId::incident(2))), "the link counts more than the scope");
    assert_eq!(covered(&firing("C", "blubank", 0)), Some(Cover::InScope(IncidentId::incident(1))));
    assert_eq!(covered(&firing("C", "yoomonea", 0)), None);
}

#[test]
fn three_alerts_within_five_minutes_are_a_burst_and_two_are_not() {
    let names = |alerts: &[Alert], now: i64| {
        let found = burst(alerts, at(now))?;
        let names: Vec<String> = found.names().iter().map(ToString::to_string).collect();
        Some((names.join(" "), (found.since - at(0)).num_seconds()))
    };
    let told = |all: &str, since| Some((all.to_owned(), since));
    let trio = [firing("A", "alipay", 0), firing("B", "blubank", 120), firing("C", "alipay", 300)];
    assert_eq!(names(&trio[..2], 300), None);
    assert_eq!(names(&trio, 300), told("A B C", 0));
    let services: Vec<String> =
        burst(&trio, at(300)).unwrap().services(|_| false).iter().map(ToString::to_string).collect();
    assert_eq!(services, ["alipay", "blubank"]);
    let mut late = trio.clone();
    late[2].starts_at = at(301);
    assert_eq!(names(&late, 400), None, "five minutes and a second");
    let mut quiet = trio.clone();
    quiet[1].state = AlertState::Pending;
    assert_eq!(names(&quiet, 400), None, "what is pending has not begun");
    assert_eq!(names(&trio, 300 + 3601), None, "an hour later it is no news");
    let mut twice: Vec<Alert> = trio.to_vec();
    twice.extend([firing("X", "a", 900), firing("Y", "b", 901), firing("X", "c", 902), firing("Z", "d", 903)]);
    assert_eq!(names(&twice, 1000), told("X Y Z", 900), "the newest burst");
}

#[test]
fn the_list_puts_first_what_needs_somebody_first() {
    let with = |name: &str, severity: &str, starts| alert("x", &[("alertname", name), ("severity", severity)], starts);
    let mut all = [
        with("noise", "info", 90),
        with("old", "critical", 0),
        with("new", "critical", 60),
        with("unknown", "whatever", 10),
        with("pending", "sev0", 99),
        with("silenced", "sev0", 98),
        with("warned", "warning", 50),
    ];
    all[4].state = AlertState::Pending;
    all[5].state =
        AlertState::Suppressed { silenced_by: vec!["id".into()], inhibited_by: Vec::new(), muted_by: Vec::new() };
    all.sort_by(worst_first);
    let names: Vec<&str> = all.iter().map(|alert| alert.name.as_str()).collect();
    assert_eq!(names, ["new", "old", "warned", "unknown", "noise", "pending", "silenced"]);
    assert_eq!(all.last().unwrap().state.word(), "silenced");
    all.sort_by(newest_first);
    assert_eq!(all[0].name, "pending");
    assert_eq!(all[0].age(at(0)), TimeDelta::zero(), "what will fire has no age");
}
