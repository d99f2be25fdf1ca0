//! Big journals for measuring.
//!
//! Hides a made-up incident: six people write what people write, in a mix of lengths and kinds.
//!
//! Invariant: the same seed and count give the same file contents, entry for entry.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::TransactionBehavior;

use super::sqlite::insert;
use super::{JournalDir, JournalError, NewEntry};
use crate::incident::{
    Actor, Channel, Declared, Event, IncidentId, NoteAdded, NoteKind, Phase, PhaseEntered, Plain, Role, RoleNamed,
    Severity, StatusUpdate, StepDone, StepRef, Via,
};
use crate::text::{CleanStr, CleanText};

const PEOPLE: [&str; 6] = ["dana", "omid", "lena", "jun", "sara", "pavel"];
const SERVICES: [&str; 4] = ["alipay", "blubank", "yoomonea", "qrpay-web"];
const PHRASES: [&str; 12] = [
    "timeouts on POST /pay, about one in five",
    "partner says nothing changed on their side",
    "p99 back under 2 s since the last restart",
    "queue depth 41,208 and rising",
    "支付宝 gateway answers 504 from two of three addresses",
    "payments through the backup provider look fine",
    "rolled back the web release of this morning",
    "support has 37 tickets, all from the same region",
    "database timeouts in the trace, connection pool at its limit",
    "settlement batch of 14:00 did not start",
    "called the partner's hotline, ticket 88-1204, they call back",
    "no change for ten minutes, let us decide at half past",
];

/// Writes a made-up incident of so many entries into a journal in one transaction; it begins with a declaration where the journal is empty.
pub fn fill(dir: &JournalDir, id: IncidentId, entries: usize, seed: u64) -> Result<(), JournalError> {
    let mut journal = dir.journal(id, Via::default())?;
    let mut dice = Dice(seed);
    let rid = i64::try_from(dice.roll() >> 1).unwrap_or(1);
    let vias: Vec<_> = (0_u32..)
        .zip(PEOPLE)
        .map(|(index, name)| Via {
            uid: 1000 + index,
            pid: 4000 + 17 * index,
            console: CleanStr::new(&format!("made-{name}")),
            host: CleanStr::default(),
        })
        .collect();
    let mut wall = DateTime::from_timestamp(1_780_000_000, 0).expect("a second of 2026");
    let start = wall;
    let made: Vec<_> = (0..entries)
        .map(|index| {
            let who = dice.below(PEOPLE.len());
            wall += TimeDelta::milliseconds(i64::try_from(dice.below(9_000)).unwrap_or(0));
            let event = opening(index, start).unwrap_or_else(|| event(&mut dice, wall));
            (who, wall, NewEntry::new(Actor::new(PEOPLE[who]), event))
        })
        .collect();
    let wrong = JournalError::sqlite(&journal.path);
    let tx = journal.db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(&wrong)?;
    let begun: bool = tx.query_row("SELECT EXISTS(SELECT 1 FROM ev)", [], |row| row.get(0)).map_err(&wrong)?;
    let skip = if begun { made.len().min(OPENING) } else { 0 };
    let stamped = made[skip..].iter().map(|(who, wall, new)| (&vias[*who], *wall, new));
    insert(&tx, &journal.path, id, stamped, || Ok(rid))?;
    tx.commit().map_err(&wrong)?;
    journal.ring();
    Ok(())
}

/// How many entries begin an incident.
const OPENING: usize = 4;

fn opening(index: usize, start: DateTime<Utc>) -> Option<Event> {
    let commander = RoleNamed {
        role: Role::IncidentCommander,
        component: None,
        holder: Actor::new("dana"),
        reason: None,
        is_played: false,
    };
    Some(match index {
        0 => Event::Declared(Declared {
            title: CleanStr::new("Alipay payments time out"),
            severity: Severity::Sev1,
            service: Some(CleanStr::new("alipay")),
            detected_at: Some(start),
            detection: None,
            zone: CleanStr::new("UTC"),
            link: None,
        }),
        1 => Event::RoleTaken(commander),
        2 => Event::Acknowledged(Plain {}),
        3 => Event::PhaseEntered(PhaseEntered::plain(Phase::Triage)),
        _ => return None,
    })
}

fn event(dice: &mut Dice, wall: DateTime<Utc>) -> Event {
    match dice.below(100) {
        0..70 => {
            let count = 1 + dice.below(3);
            let text: Vec<_> = (0..count).map(|_| PHRASES[dice.below(PHRASES.len())]).collect();
            let kind = NoteKind::ALL[if dice.below(3) == 0 { dice.below(NoteKind::ALL.len()) } else { 0 }];
            let at = (dice.below(10) == 0).then(|| wall - TimeDelta::seconds(90));
            Event::NoteAdded(NoteAdded { kind, text: CleanText::new(&text.join("; ")), at })
        }
        70..90 => {
            let step = StepRef {
                service: CleanStr::new(SERVICES[dice.below(SERVICES.len())]),
                step: CleanStr::new(&format!("step-{}", 1 + dice.below(9))),
            };
            let done = StepDone { step, title: CleanStr::new("Check the namespace for latency spikes") };
            if dice.below(4) == 0 { Event::StepReopened(done) } else { Event::StepChecked(done) }
        }
        90..95 => {
            let holder = Actor::new(PEOPLE[dice.below(PEOPLE.len())]);
            let component = Some(CleanStr::new(SERVICES[dice.below(SERVICES.len())]));
            let named = RoleNamed { role: Role::Sme, component, holder, reason: None, is_played: false };
            if dice.below(2) == 0 { Event::RoleTaken(named) } else { Event::RoleLeft(named) }
        }
        _ => Event::StatusUpdatePosted(StatusUpdate {
            channels: BTreeSet::from([Channel::StatusSlack, Channel::InternalPage]),
            text: CleanText::new("We are investigating elevated errors. Payments may fail intermittently."),
            promised_next: Some(wall + TimeDelta::minutes(15)),
            ..StatusUpdate::default()
        }),
    }
}

/// SplitMix64: enough for a mix, and the same everywhere.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.roll() % limit.max(1) as u64).unwrap_or(0)
    }
}
