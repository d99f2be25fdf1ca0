//! Who is affected since when: the later statement corrects the earlier one, whatever times they name.

use super::*;

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
    assert_eq!((room.incident.impact.start, room.incident.scope.users_percent), (None, Some(0.0)));
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
            prop_assert_eq!(incident.impact.start.is_some(), is_since);
            let is_long = incident.impact.end.is_none_or(|end| {
                end - incident.impact.start.unwrap_or(end) > Cadence::default().external
            });
            prop_assert_eq!(is_external_due(incident), is_since && is_long);
            prop_assert_eq!(report(incident).is_some(), is_since && is_long);
        }
    }
}
