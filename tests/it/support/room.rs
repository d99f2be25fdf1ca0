//! An incident that is driven by commands as a console would, without journal and screen.

use chrono::{DateTime, TimeDelta, Utc};
use warroom::incident::{
    Asking, Cadence, Command, Declared, Detection, Duty, ENTRY_VERSION, Entry, EntryId, Event, Hlc, Incident,
    IncidentId, Obligation, Refusal, Role, Rules, Seat, Series, Severity, Via, cadence, command,
};
use warroom::text::CleanStr;

pub const INC: IncidentId = IncidentId { series: Series::Incident, number: 42 };

/// 2026-05-28 20:26:40 UTC and so many seconds.
pub fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_780_000_000 + seconds, 0).unwrap()
}

/// An entry as the journal of a console's host would stamp it.
pub fn entry(rid: u64, rseq: u64, wall: DateTime<Utc>, actor: &str, console: &str, event: Event) -> Entry {
    Entry {
        v: ENTRY_VERSION,
        inc: INC,
        id: EntryId { rid, rseq },
        hlc: Hlc::default().next(wall),
        wall,
        actor: actor.into(),
        via: Via { console: console.into(), ..Via::default() },
        event,
        after: None,
        prev: String::new(),
    }
}

pub fn seat(role: Role) -> Seat {
    Seat { role, component: None }
}

/// What an alert that fired at the beginning declares.
pub fn declaration(severity: Severity) -> Declared {
    Declared {
        title: "payments time out".into(),
        severity,
        service: Some("alipay".into()),
        detected_at: Some(at(0)),
        detection: Some(Detection::Alert { name: "HighErrorRate".into() }),
        zone: "UTC".into(),
        link: None,
    }
}

#[derive(Clone)]
pub struct Room {
    pub incident: Incident,
    pub entries: Vec<Entry>,
    /// Whom the matrix names.
    pub tell: Vec<CleanStr>,
    next: u64,
}

impl Room {
    pub fn blank() -> Self {
        Self { incident: Incident::new(INC), entries: Vec::new(), tell: Vec::new(), next: 1 }
    }

    /// Declared by dana a minute after its alert fired.
    pub fn declared(severity: Severity) -> Self {
        let mut room = Self::blank();
        room.does("dana", 60, Command::Declare(declaration(severity)));
        room
    }

    /// The same, with dana as Incident Commander, who acknowledged after 100 s.
    pub fn commanded(severity: Severity) -> Self {
        let mut room = Self::declared(severity);
        room.does("dana", 100, Command::TakeRole(seat(Role::IncidentCommander)));
        room.does("dana", 100, Command::Acknowledge);
        room
    }

    pub fn ask(&mut self, actor: &str, seconds: i64, command: Command) -> Result<EntryId, Refusal> {
        self.ask_at(actor, at(seconds), command)
    }

    pub fn ask_at(&mut self, actor: &str, now: DateTime<Utc>, command: Command) -> Result<EntryId, Refusal> {
        let mut last = EntryId { rid: 1, rseq: self.next };
        for event in command::decide(&self.incident, command, &Asking::new(actor.into(), now))? {
            let entry = entry(1, self.next, now, actor, actor, event);
            last = entry.id;
            self.entries.push(entry.clone());
            self.incident.apply([entry]);
            self.next += 1;
        }
        Ok(last)
    }

    /// Asks for what must be granted; gives the entry that came of it.
    #[track_caller]
    pub fn does(&mut self, actor: &str, seconds: i64, command: Command) -> EntryId {
        self.ask(actor, seconds, command).unwrap()
    }

    /// The sentence with which something is refused.
    #[track_caller]
    pub fn refusal(&self, actor: &str, seconds: i64, command: Command) -> String {
        let asking = Asking::new(actor.into(), at(seconds));
        command::decide(&self.incident, command, &asking).unwrap_err().to_string()
    }

    pub fn all_due(&self) -> Vec<Obligation> {
        due_of(&self.incident, &self.tell)
    }

    pub fn due(&self, duty: &Duty) -> Option<Obligation> {
        self.all_due().into_iter().find(|one| one.duty == *duty)
    }

    /// How long after the alert something is due.
    pub fn due_after(&self, duty: &Duty) -> Option<TimeDelta> {
        self.due(duty).map(|one| one.due - at(0))
    }
}

/// All that is due by the runbook's own times.
pub fn due_of(incident: &Incident, tell: &[CleanStr]) -> Vec<Obligation> {
    cadence::obligations(incident, Rules { cadence: &Cadence::default(), tell })
}
