use proptest::prelude::*;

use super::*;
use crate::incident::tests::{Room, any_entries, at, entry};

fn read(incident: &Incident) -> String {
    postmortem(incident, Rules { cadence: &Cadence::default(), tell: &[] }, at(50_000))
}

fn add(room: &mut Room, seconds: i64, kind: NoteKind, text: &str) -> EntryId {
    room.ask("li", seconds, Command::AddNote(NoteAdded { kind, text: text.into(), at: None })).unwrap();
    room.incident.timeline().lines().rfind(|line| line.text == text).unwrap().id
}

#[test]
fn a_postmortem_has_the_sections_of_the_tracker_and_says_what_is_missing() {
    let text = read(&Room::declared().incident);
    let sections: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    assert_eq!(
        sections,
        [
            "Summary",
            "Impact",
            "Alerts and objectives",
            "Root cause",
            "Mitigation",
            "Follow-up tasks",
            "Metrics",
            "Decisions",
            "Theories",
            "Evidence",
            "What went well",
            "What went badly",
            "Timeline"
        ]
    );
    for part in [
        "# Postmortem INC-42: p99 over 2 s",
        "not recorded: no theory was confirmed",
        "Customers hurt from: not recorded",
        "| time to acknowledge | not recorded | < 5 min | cannot be said |",
        "**The incident is not over: its phase is Detected.**",
        "alert HighLatencyP99",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
}

#[test]
fn the_root_cause_is_the_confirmed_theory_and_amended_times_show_both_values() {
    let mut room = Room::declared();
    for text in ["the token expired", "the pool is too small"] {
        let theory = HypothesisOpened { text: text.into(), owner: None, rollback: None };
        room.ask("omid", 70, Command::OpenHypothesis(theory)).unwrap();
    }
    let ids: Vec<_> = room.incident.hypotheses.iter().map(|known| known.id).collect();
    for (hypothesis, holds) in [(ids[0], false), (ids[1], true)] {
        let body = HypothesisSettled { hypothesis, holds, evidence: "the *pool* graph".into() };
        room.ask("omid", 80, Command::SettleHypothesis(body)).unwrap();
    }
    let body = TimeAmended { which: Milestone::Detected, to: at(-600), reason: "the log says so".into() };
    room.ask("dana", 90, Command::AmendTime(body)).unwrap();
    let text = read(&room.incident);
    assert!(
        text.contains("## Root cause\n\n- the pool is too small (confirmed by omid: the \\*pool\\* graph)\n"),
        "{text}"
    );
    assert!(text.contains("the token expired: **eliminated**"));
    assert!(
        text.contains("- detected: 2026-05-28 20:16:40 UTC, before: 2026-05-28 20:26:40 UTC (dana: the log says so)"),
        "{text}"
    );
}

#[test]
fn no_note_changes_the_shape_of_the_document_and_no_struck_or_redacted_one_is_quoted() {
    let mut room = Room::declared();
    add(
        &mut room,
        70,
        NoteKind::Finding,
        "# no heading | `code` <script>alert(1)</script> [a](b)\n## nor here\n- nor here",
    );
    add(&mut room, 71, NoteKind::Todo, "- [x] not done");
    let secret = add(&mut room, 72, NoteKind::Decision, "the card is 4111 1111");
    let todo = add(&mut room, 73, NoteKind::Todo, "ask Mrs Smith at 4222");
    let wrong = add(&mut room, 74, NoteKind::Finding, "wrong pool");
    let amended = NoteAmended { note: secret, text: Some("the card is 4333".into()), at: None };
    room.ask("li", 75, Command::AmendNote(amended)).unwrap();
    for entry in [secret, todo] {
        room.ask("li", 76, Command::Redact(EntryRedacted { entry, reason: "card data".into() })).unwrap();
    }
    room.ask("li", 77, Command::StrikeNote(NoteStruck { note: wrong, reason: None })).unwrap();
    let text = read(&room.incident);
    assert!(
        text.contains("\\# no heading \\| \\`code\\` \\<script\\>alert(1)\\</script\\> \\[a\\](b) (+ 2 lines) (li)"),
        "{text}"
    );
    assert!(text.lines().all(|line| !line.starts_with("## nor") && !line.starts_with("- nor")));
    assert!(text.contains("- [ ] \\- \\[x\\] not done (**no owner**, **no day**)"), "{text}");
    for gone in ["4111", "4222", "4333", "wrong pool"] {
        assert!(!text.contains(gone), "{gone}\n{text}");
    }
    assert!(text.contains("3 struck or redacted lines are left out"));
}

#[test]
fn a_redacted_correction_hides_only_the_correction() {
    let mut room = Room::declared();
    let line = add(&mut room, 70, NoteKind::Finding, "pool exhausted");
    room.ask("li", 80, Command::AmendNote(NoteAmended { note: line, text: Some("password hunter2".into()), at: None }))
        .unwrap();
    let correction = room.incident.entries().last().unwrap().id;
    room.ask("li", 90, Command::Redact(EntryRedacted { entry: correction, reason: "a password".into() })).unwrap();
    let read = room.incident.timeline().lines().find(|read| read.id == line).unwrap();
    assert_eq!(read.text, "(redacted by li: a password)");
    assert_eq!(read.original, Some("pool exhausted".into()));
}

#[test]
fn findings_and_decisions_without_evidence_are_named() {
    let mut room = Room::declared();
    add(&mut room, 100, NoteKind::Finding, "pool exhausted");
    add(&mut room, 2000, NoteKind::Finding, "nobody knows why");
    add(&mut room, 4000, NoteKind::Finding, "see https://grafana.example/d/1?a=b_c");
    let evidence = Evidence::Trace { trace: "abc".into(), summary: "timeout".into() };
    room.ask("li", 150, Command::PinEvidence(evidence)).unwrap();
    let text = read(&room.incident);
    let (_, bare) = text.split_once("### Findings and decisions without evidence").unwrap();
    let (bare, _) = bare.split_once("## What went well").unwrap();
    assert!(bare.contains("nobody knows why") && !bare.contains("pool") && !bare.contains("grafana"), "{bare}");
    assert!(text.contains("see <https://grafana.example/d/1?a=b_c> (li)"), "{text}");
}

#[test]
fn six_hours_of_six_people_become_some_pages_in_the_incidents_zone() {
    let people = ["dana", "omid", "lena", "jun", "sara", "pavel"];
    let mut entries = vec![entry(
        1,
        1,
        0,
        "dana",
        Event::Declared(Declared {
            title: "payments time out".into(),
            severity: Severity::Sev1,
            service: Some("alipay".into()),
            detected_at: Some(at(-60)),
            detection: None,
            zone: "Asia/Tehran".into(),
            link: None,
        }),
    )];
    for number in 2..=2000_u64 {
        let seconds = number as i64 * 6 * 3600 / 2000;
        let event = match number {
            20 => Event::Acknowledged(Plain {}),
            40 => Event::PhaseEntered(PhaseEntered::plain(Phase::Triage)),
            300 => Event::PhaseEntered(PhaseEntered::plain(Phase::Mitigating)),
            1900 => Event::PhaseEntered(PhaseEntered::plain(Phase::Resolved)),
            number if number % 7 == 0 => Event::StepClaimed(StepClaimed {
                step: StepRef { service: "alipay".into(), step: "a".into() },
                title: "t".into(),
                over: None,
            }),
            number => {
                let kind = NoteKind::ALL[if number % 9 == 0 { (number / 9) as usize % 6 } else { 0 }];
                let text = format!("line {number}: queue depth rising, partner says nothing changed");
                Event::NoteAdded(NoteAdded { kind, text: text.into(), at: None })
            }
        };
        entries.push(entry(1 + number % 6, number, seconds, people[number as usize % 6], event));
    }
    let incident = Incident::replay(IncidentId::incident(42), entries);
    assert_eq!(incident.len(), 2000);
    let text = read(&incident);
    let (lines, words) = (text.lines().count(), text.split_whitespace().count());
    assert!((100..450).contains(&lines) && text.len() < 60_000, "{lines} lines, {words} words, {} bytes", text.len());
    assert!(text.contains("All times are in Asia/Tehran."));
    assert!(text.contains("### Mitigating, from 2026-05-29 00:50:40 +0330"), "{text}");
    assert!(text.contains(" more (") && text.contains("50 more") || text.contains(" note"), "{text}");
    // Every line is quoted or counted.
    let (_, story) = text.split_once("## Timeline").unwrap();
    let quoted = story.lines().filter(|line| line.starts_with("- ") && line.contains("**")).count();
    let counted: usize =
        story.lines().filter_map(|line| line.split_once(" more (")?.0.rsplit_once(' ')?.1.parse::<usize>().ok()).sum();
    assert_eq!(quoted + counted, incident.timeline().len());
}

#[test]
fn times_name_their_zone_where_the_clocks_were_changed() {
    let declared = Event::Declared(Declared {
        title: "x".into(),
        severity: Severity::Sev1,
        service: None,
        detected_at: None,
        detection: None,
        zone: "Europe/Berlin".into(),
        link: None,
    });
    let autumn: DateTime<Utc> = "2026-10-25T00:30:00Z".parse().unwrap();
    let seconds = (autumn - at(0)).num_seconds();
    let note = |text: &str| Event::NoteAdded(NoteAdded { kind: NoteKind::Note, text: text.into(), at: None });
    let incident = Incident::replay(
        IncidentId::incident(42),
        [
            entry(1, 1, seconds - 60, "dana", declared),
            entry(1, 2, seconds, "dana", note("before")),
            entry(1, 3, seconds + 3600, "dana", note("after")),
        ],
    );
    let text = read(&incident);
    assert!(
        text.contains("- 02:30:00 CEST **note** before") && text.contains("- 02:30:00 CET **note** after"),
        "{text}"
    );
}

proptest! {
    #[test]
    fn a_postmortem_can_be_had_of_any_incident(entries in any_entries(), now in -1000..5000i64) {
        let incident = Incident::replay(IncidentId::incident(42), entries);
        let text = postmortem(&incident, Rules { cadence: &Cadence::default(), tell: &["CTO".into()] }, at(now));
        prop_assert!(text.contains("## Timeline"));
        if let Some(slot) = review_slot_of(&incident, now) {
            let calendar = super::super::review::review_calendar(&incident, slot, at(now));
            prop_assert!(calendar.split("\r\n").all(|line| line.len() <= 75));
        }
    }

    #[test]
    fn words_stay_words(text in "\\PC{0,60}") {
        let escaped = escape(&text);
        prop_assert!(!escaped.contains('\n'));
        prop_assert!(!escaped.starts_with(['#', '-', '+', '=', '|', '*', '>']) || escaped.is_empty());
    }
}

fn review_slot_of(incident: &Incident, now: i64) -> Option<DateTime<Utc>> {
    super::super::review::review_slot(incident, TimeDelta::hours(48), at(now))
}

#[test]
fn alerts_and_objectives_stand_with_their_ends_their_worst_values_and_the_recovery() {
    let of = SymptomOf::Objective { service: "alipay".into(), id: "error-ratio".into() };
    let alert = SymptomOf::Alert { fingerprint: "f1".into() };
    let title: CleanStr = "alipay error ratio".into();
    let peak = Peak { value: "23.0 %".into(), series: "pod=p|12".into(), at: at(200), at_least: true };
    let labels = BTreeMap::new();
    let linked = AlertLinked { fingerprint: "f1".into(), name: "HighLatency".into(), starts_at: at(0), labels };
    let began = SymptomBegan {
        of: of.clone(),
        title: title.clone(),
        since: at(60),
        at_least: true,
        value: CleanStr::default(),
    };
    let ended = SymptomEnded { of: of.clone(), title, ended: at(660), after: None, peak: Some(peak) };
    let gone =
        SymptomEnded { of: alert, title: "HighLatency".into(), ended: at(900), after: Some(at(600)), peak: None };
    let mut room = Room::declared();
    for (place, event) in
        [Event::AlertLinked(linked), Event::SymptomBegan(began), Event::SymptomEnded(ended)].into_iter().enumerate()
    {
        room.incident.apply([entry(7, 1 + place as u64, 1_000 + place as i64, "dana", event)]);
    }
    let text = read(&room.incident);
    let breach = "| alipay error ratio | 2026-05-28 20:27:40 UTC or before | 2026-05-28 20:37:40 UTC | at least 10 min \
                  | 23\\.0 % (pod=p\\|12) at 2026-05-28 20:30:00 UTC, of what was measured |";
    for part in [
        breach,
        "| alert HighLatency | 2026-05-28 20:26:40 UTC | **no end is recorded** | not known | no value known |",
        "**Not over yet, as far as is recorded:** HighLatency.",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    let phase = PhaseEntered { reason: Some("x".into()), ..PhaseEntered::plain(Phase::Closed) };
    room.incident.apply([entry(7, 8, 2_000, "dana", Event::PhaseEntered(phase))]);
    let text = read(&room.incident);
    let closed =
        "**Not over when the incident was closed (2026-05-28 21:00:00 UTC), as far as is recorded:** HighLatency.";
    assert!(text.contains(closed), "{text}");
    room.incident.apply([entry(7, 9, 1_900, "dana", Event::SymptomEnded(gone))]);
    let text = read(&room.incident);
    let unseen = "not seen: between 2026-05-28 20:36:40 UTC and 2026-05-28 20:41:40 UTC | between 10 min and 15 min |";
    assert!(text.contains(unseen), "{text}");
    assert!(text.contains("Recovered: 2026-05-28 20:41:40 UTC, 15 min after detection, at the latest."), "{text}");
}
