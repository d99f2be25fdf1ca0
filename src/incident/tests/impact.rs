//! Who is affected since when: the later statement corrects the earlier one, whatever times they name.

use super::*;
use crate::incident::measures::Measure;

/// Something that somebody says about customers.
#[derive(Clone, Copy, Debug)]
enum Said {
    Since(i64),
    Until(i64),
    Nobody,
    NobodyAfterAll,
    Share(f64),
    SinceAmended(i64),
    Merged(i64),
}

impl Said {
    fn command(self) -> Command {
        match self {
            Self::Since(seconds) => Command::StartImpact(at(seconds)),
            Self::Until(seconds) => Command::EndImpact(at(seconds)),
            Self::Nobody => Command::DenyImpact(None),
            Self::NobodyAfterAll => Command::DenyImpact(Some("the probe was wrong".into())),
            Self::Share(share) => Command::SetScope(ScopeSet { users_percent: Some(share), ..ScopeSet::default() }),
            Self::SinceAmended(seconds) => Command::AmendTime(TimeAmended {
                which: Milestone::ImpactStart,
                to: at(seconds),
                reason: "the log".into(),
            }),
            Self::Merged(seconds) => {
                let mut from = INC;
                from.number += 1;
                let body =
                    DuplicateMerged { from, detected_at: None, acknowledged: None, impact_start: Some(at(seconds)) };
                Command::Merge(body, Vec::new())
            }
        }
    }
}

fn any_said() -> impl Strategy<Value = Said> {
    prop_oneof![
        (0..3600i64).prop_map(Said::Since),
        (0..3600i64).prop_map(Said::Until),
        Just(Said::Nobody),
        Just(Said::NobodyAfterAll),
        prop_oneof![Just(0.0), Just(60.0)].prop_map(Said::Share),
        (0..3600i64).prop_map(Said::SinceAmended),
        (0..3600i64).prop_map(Said::Merged),
    ]
}

fn is_external_due(incident: &Incident) -> bool {
    let all = cadence::obligations(incident, Rules { cadence: &Cadence::default(), tell: &[] });
    all.iter().any(|one| one.duty == Duty::Update(Channel::ExternalPage))
}

fn report(incident: &Incident) -> Option<bool> {
    measures::measures(incident, &Cadence::default(), at(100_000)).external_kept
}

#[test]
fn customers_who_hurt_since_before_somebody_said_nobody_does_are_still_owed_a_text() {
    let mut room = Room::declared();
    room.command_and_acknowledge(120);
    room.ask("dana", 120, Command::DenyImpact(None)).unwrap();
    room.ask("dana", 300, Command::StartImpact(at(-120))).unwrap();
    assert!(room.incident.nobody_affected.is_none());
    assert!(is_external_due(&room.incident));
    assert_eq!(report(&room.incident), Some(false));
}

#[test]
fn whoever_takes_impact_back_says_why_and_it_is_taken_back_everywhere() {
    let mut room = Room::declared();
    room.command_and_acknowledge(120);
    room.ask("dana", 200, Said::Share(60.0).command()).unwrap();
    room.ask("dana", 200, Command::StartImpact(at(0))).unwrap();
    assert_eq!(
        room.refusal("dana", 300, Command::DenyImpact(None)),
        "recorded is: customers hurt since 20:26:40 UTC (`impact-end` says until when). \
         Saying that nobody was affected at all wants a reason"
    );
    room.ask("dana", 300, Said::NobodyAfterAll.command()).unwrap();
    assert_eq!((room.incident.impact.start(), room.incident.scope.users_percent), (None, Some(0.0)));
    assert!(!is_external_due(&room.incident));
    assert_eq!(report(&room.incident), None);
}

#[test]
fn of_two_who_speak_at_once_the_one_who_did_not_know_of_the_customers_takes_nothing_back() {
    let mut room = Room::declared();
    room.command_and_acknowledge(120);
    room.ask("dana", 200, Command::StartImpact(at(0))).unwrap();
    room.incident.apply([entry(7, 1, 201, "femi", Event::NoCustomerAffected(NoImpact::default()))]);
    assert!(is_external_due(&room.incident));
    assert_eq!(room.incident.senseless, 1);
}

proptest! {
    /// The last one who said anything about whether customers are affected is believed, by the clock and by the report alike.
    #[test]
    fn the_last_statement_about_customers_counts(said in prop::collection::vec(any_said(), 1..8)) {
        let mut room = Room::declared();
        room.command_and_acknowledge(120);
        let (mut is_since, mut is_denied) = (false, false);
        for (place, said) in said.into_iter().enumerate() {
            let seconds = 4000 + i64::try_from(place).unwrap();
            if room.ask("dana", seconds, said.command()).is_err() {
                continue;
            }
            match said {
                Said::Since(_) | Said::SinceAmended(_) | Said::Merged(_) => (is_since, is_denied) = (true, false),
                Said::Share(share) if share > 0.0 => is_denied = false,
                // Where nobody was recorded as affected, or the person knows better.
                Said::Nobody | Said::NobodyAfterAll => (is_since, is_denied) = (false, true),
                Said::Share(_) | Said::Until(_) => {}
            }
            let incident = &room.incident;
            prop_assert_eq!(incident.nobody_affected.is_some(), is_denied);
            prop_assert_eq!(incident.impact.start().is_some(), is_since);
            let is_long = incident.impact.stretches().into_iter().any(|(start, end)| {
                end.is_none_or(|end| end - start > Cadence::default().external)
            });
            prop_assert_eq!(is_external_due(incident), is_since && is_long);
            prop_assert_eq!(report(incident).is_some(), is_since && is_long);
        }
    }
}

/// Stripe's published analysis of 2019-07-10, in minutes of that day: 27 and 93 minutes make 120.
#[test]
fn two_times_in_which_customers_hurt_add_up_and_each_is_owed_its_text() {
    let minute = |hours: i64, minutes: i64| (hours * 60 + minutes - 16 * 60 - 35) * 60;
    let mut room = Room::declared();
    room.command_and_acknowledge(minute(16, 37));
    room.ask("dana", minute(16, 37), Command::StartImpact(at(minute(16, 35)))).unwrap();
    room.ask("dana", minute(16, 49), Command::PostUpdate(update(&[Channel::ExternalPage], None))).unwrap();
    room.ask("dana", minute(17, 3), Command::EndImpact(at(minute(17, 2)))).unwrap();
    assert!(!is_external_due(&room.incident), "it is over");
    room.ask("dana", minute(21, 15), Command::StartImpact(at(minute(21, 14)))).unwrap();
    assert!(is_external_due(&room.incident), "customers hurt anew, and nobody has told them of it");
    room.ask("dana", minute(22, 48), Command::EndImpact(at(minute(22, 47)))).unwrap();
    let measures = measures::measures(&room.incident, &Cadence::default(), at(minute(23, 0)));
    assert_eq!(measures.impact, Measure::Value(TimeDelta::minutes(120)));
    assert_eq!(measures.external, Measure::Value(TimeDelta::minutes(14)));
    assert_eq!(measures.external_kept, Some(false), "the second time nobody was told");
}

#[test]
fn a_service_that_recovers_first_has_an_end_of_its_own_and_stays_in_the_scope() {
    let mut room = Room::declared();
    room.command_and_acknowledge(120);
    room.ask("dana", 130, Command::AddService("blubank".into())).unwrap();
    room.ask("dana", 140, Command::StartImpact(at(0))).unwrap();
    room.ask("dana", 3700, Command::EndImpactOf("alipay".into(), at(3600))).unwrap();
    let impact = &room.incident.impact;
    assert_eq!(impact.stretches(), [(at(0), None)], "blubank's customers still hurt");
    assert_eq!(room.incident.services, ["alipay", "blubank"].map(ServiceId::from));
    room.ask("dana", 5500, Command::EndImpact(at(5400))).unwrap();
    let times: Vec<_> =
        room.incident.impact.windows().iter().map(|one| (one.service.as_deref(), one.start, one.end)).collect();
    assert_eq!(times, [(None, at(0), Some(at(5400))), (Some("alipay"), at(0), Some(at(3600)))]);
    assert_eq!(room.incident.impact.length(), Some(TimeDelta::seconds(5400)), "no moment counts twice");
    assert!(room.refusal("dana", 5600, Command::EndImpactOf("yoomonea".into(), at(5500))).contains("not in the scope"));
}

#[test]
fn an_older_build_corrected_an_end_by_a_second_one_and_that_still_counts() {
    let mut room = Room::declared();
    room.command_and_acknowledge(120);
    room.ask("dana", 130, Command::StartImpact(at(0))).unwrap();
    for (rseq, end) in [(1, 600), (2, 700)] {
        let body = ImpactAt { at: at(end), ..ImpactAt::default() };
        room.incident.apply([entry(9, rseq, 800, "dana", Event::ImpactEnded(body))]);
    }
    assert_eq!(room.incident.impact.end(), Some(at(700)));
}

#[test]
fn what_was_told_by_hand_counts_from_when_it_was_told_and_that_can_be_put_right() {
    let mut room = Room::declared();
    room.command_and_acknowledge(120);
    let told = StatusUpdate { told_at: Some(at(600)), ..update(&[Channel::StatusSlack], Some(1500)) };
    room.ask("leila", 1200, Command::PostUpdate(told)).unwrap();
    assert_eq!(room.incident.last_heard(Channel::StatusSlack).map(|heard| heard.at), Some(at(600)));
    let id = room.incident.updates[0].id;
    let amend = |text: Option<&str>, at| NoteAmended { note: id, text: text.map(CleanText::new), at };
    room.ask("leila", 1300, Command::AmendNote(amend(None, Some(at(660))))).unwrap();
    assert_eq!(room.incident.last_heard(Channel::StatusSlack).map(|heard| heard.at), Some(at(660)));
    assert!(room.refusal("leila", 1310, Command::AmendNote(amend(Some("other"), Some(at(660))))).contains("have read"));
    assert!(room.refusal("leila", 1320, Command::AmendNote(amend(None, Some(at(9000))))).contains("future"));
}

#[test]
fn time_to_detect_runs_from_the_first_customer_that_hurt() {
    let mut room = Room::declared();
    room.command_and_acknowledge(120);
    let detect = |room: &Room| measures::measures(&room.incident, &Cadence::default(), at(4000)).detect;
    assert_eq!(detect(&room), Measure::NotRecorded);
    room.ask("dana", 130, Command::StartImpact(at(-2820))).unwrap();
    assert_eq!(detect(&room), Measure::Value(TimeDelta::minutes(47)));
    room.ask("dana", 140, Command::StartImpact(at(60))).unwrap();
    assert_eq!(detect(&room), Measure::Value(TimeDelta::zero()), "an alarm before anybody hurt lost nothing");
}
