//! What was wrong from when until when, as the record tells it.

use super::*;

fn alert() -> SymptomOf {
    SymptomOf::Alert { fingerprint: "f1".into() }
}

fn objective() -> SymptomOf {
    SymptomOf::Objective { service: "alipay".into(), id: "error-ratio".into() }
}

fn linked() -> Event {
    let labels = BTreeMap::new();
    Event::AlertLinked(AlertLinked { fingerprint: "f1".into(), name: "HighLatency".into(), starts_at: at(0), labels })
}

fn began(since: i64, at_least: bool) -> Event {
    let value = "18.0 % (pod=p12), must be below 0.50 %".into();
    let title = "alipay error ratio".into();
    Event::SymptomBegan(SymptomBegan { of: objective(), title, since: at(since), at_least, value })
}

fn ended(of: SymptomOf, title: &str, ended: i64, after: Option<i64>) -> Event {
    let worst = Peak { value: "23.0 %".into(), series: "pod=p12".into(), at: at(200), at_least: false };
    let peak = matches!(of, SymptomOf::Objective { .. }).then_some(worst);
    Event::SymptomEnded(SymptomEnded { of, title: title.into(), ended: at(ended), after: after.map(at), peak })
}

/// Entries of two consoles, one a second after the other.
fn incident(events: &[Event]) -> Incident {
    let declared = entry(1, 1, 60, "dana", Event::Declared(declaration()));
    let entries = events.iter().enumerate().map(|(place, event)| {
        let (place, seconds) = (place as u64, 1_000 + place as i64);
        entry(1 + place % 2, 2 + place, seconds, "dana", event.clone())
    });
    Incident::replay(INC, std::iter::once(declared).chain(entries))
}

fn said(incident: &Incident) -> Vec<String> {
    let lines = incident.timeline().lines().filter(|line| ["ALERT", "BREACH"].contains(&line.tag));
    lines.map(|line| line.text.to_string()).collect()
}

#[test]
fn an_end_is_said_once_with_its_length_and_worst_value_however_many_consoles_write_it() {
    let error = "alipay error ratio";
    let events = [
        linked(),
        began(60, false),
        began(75, false),
        ended(objective(), error, 660, None),
        ended(objective(), error, 675, None),
        // A console that did not know yet that it was over.
        began(60, false),
        ended(alert(), "HighLatency", 900, None),
    ];
    let incident = incident(&events);
    assert_eq!(
        said(&incident),
        [
            "alipay error ratio outside its limit since 20:27:40 UTC: 18.0 % (pod=p12), must be below 0.50 %",
            "alipay error ratio inside its limit again since 20:37:40 UTC, after 10 min; \
             worst 23.0 % (pod=p12) at 20:30:00 UTC",
            "HighLatency no longer fires since 20:41:40 UTC, after 15 min; no value known",
            "HighLatency fired at 20:26:40 UTC",
        ]
    );
    assert_eq!(incident.recovered_at(), Some(at(900)));
    assert!(incident.timeline().lines().filter(|line| line.tag == "BREACH").all(|line| line.actor == *"warroom"));
}

#[test]
fn an_end_that_nobody_saw_is_two_moments_and_one_that_comes_back_is_another_symptom() {
    let error = "alipay error ratio";
    let events = [began(60, true), ended(objective(), error, 4_000, Some(600)), began(5_000, false)];
    let incident = incident(&events);
    assert_eq!(
        said(&incident)[1],
        "alipay error ratio inside its limit again at 21:33:20 UTC; nobody saw since when: the last time it was known to \
         be wrong is 20:36:40 UTC, after at least 9 min; worst 23.0 % (pod=p12) at 20:30:00 UTC"
    );
    let lasted: Vec<_> = incident.symptoms.iter().map(|symptom| symptom.lasted().map(|one| one.to_string())).collect();
    assert_eq!(lasted, [Some("at least 9 min".to_owned()), None]);
    assert_eq!(incident.recovered_at(), None, "the second one lasts");
    let again = Symptom { of: objective(), title: error.into(), since: at(5_000), at_least: false, over: None };
    assert_eq!(incident.lasting().collect::<Vec<_>>(), [&again]);
}

#[test]
fn an_old_record_has_its_alerts_and_no_end_of_them() {
    let incident = incident(&[linked()]);
    assert_eq!(said(&incident), ["HighLatency fired at 20:26:40 UTC"]);
    assert_eq!(incident.symptoms.iter().map(|symptom| &symptom.over).collect::<Vec<_>>(), [&None]);
}
