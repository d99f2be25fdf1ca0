//! What takes time with records: listing them, beginning one, reading playbooks. All of it blocks, and runs on the blocking pool.

use std::path::Path;

use chrono::{DateTime, Utc};

use super::{Drill, JournalPlace, clock};
use crate::alert::Coverage;
use crate::config::files;
use crate::console::{History, Known, Past, Summary};
use crate::escalation::Matrix;
use crate::exercise::Exercise;
use crate::incident::{
    Actor, Cadence, Declared, DrillStarted, Event, Hypothesis, ImpactAt, Incident, IncidentId, NoteAdded, NoteKind,
    Outcome, Phase, Role, RoleNamed, Rules, Series, ServiceId, Via, cadence,
};
use crate::journal::{Damage, Journal, JournalDir, NewEntry};
use crate::pane::to_tell;
use crate::playbook::Catalogue;
use crate::text::{CleanStr, CleanText};

/// Reads a whole record.
pub fn read(dir: &JournalDir, id: IncidentId) -> anyhow::Result<Incident> {
    Ok(read_with(dir, id)?.0)
}

/// Reads a whole record; with a sentence where this reading did not get all of it, though the next one may.
pub fn read_with(dir: &JournalDir, id: IncidentId) -> anyhow::Result<(Incident, Option<String>)> {
    let (entries, damage) = dir.journal(id, Via::default())?.all()?;
    for damage in &damage {
        tracing::warn!("{id}: {damage}");
    }
    Ok((Incident::replay(id, entries), damage.first().map(|first| told_in_part(id, first))))
}

/// All records of a journal, and sentences about those that cannot be read, or not whole.
pub fn all(dir: &JournalDir) -> anyhow::Result<(Vec<Incident>, Vec<String>)> {
    let (mut all, mut left_out) = (Vec::new(), Vec::new());
    for id in dir.ids()? {
        let whole = dir.journal(id, Via::default()).and_then(|mut journal| journal.all());
        match whole {
            Ok((entries, damage)) => {
                left_out.extend(damage.first().map(|first| told_in_part(id, first)));
                all.push(Incident::replay(id, entries));
            }
            Err(error) => left_out.push(format!("{id} is left out: {error}")),
        }
    }
    Ok((all, left_out))
}

/// A record as a list needs it, and why that may not be all.
fn outline(dir: &JournalDir, id: IncidentId) -> Known<Incident> {
    match dir.journal(id, Via::default()).and_then(|mut journal| journal.landmarks()) {
        Ok((entries, damage)) => {
            let incident = Incident::replay(id, entries);
            match damage.first() {
                None => Known::Whole(incident),
                Some(first) => Known::Part(incident, CleanText::new(&told_in_part(id, first))),
            }
        }
        Err(error) => Known::Unknown(CleanText::new(&format!("{id} cannot be read: {error}"))),
    }
}

fn told_in_part(id: IncidentId, first: &Damage) -> String {
    format!("{id} is damaged, and told as far as it can be read: {first}")
}

/// By which rules a list says what is due.
#[derive(Clone, Debug, Default)]
pub struct Board {
    /// The runbook's times.
    pub cadence: Cadence,
    /// Whom a severity tells.
    pub matrix: Matrix,
    /// The playbooks, for their owners.
    pub catalogue: Catalogue,
}

impl Board {
    /// The positions that must know of an incident.
    pub fn to_tell(&self, incident: &Incident) -> Vec<CleanStr> {
        to_tell(incident, &self.matrix, &self.catalogue, &self.cadence)
    }

    fn next(&self, incident: &Incident) -> Option<(CleanStr, DateTime<Utc>)> {
        let tell = self.to_tell(incident);
        let due = cadence::obligations(incident, Rules { cadence: &self.cadence, tell: &tell }).into_iter().next()?;
        Some((due.name, incident.clock().wall(due.due)))
    }
}

/// A record in a line.
pub fn summary(incident: &Incident, board: &Board) -> Summary {
    Summary {
        id: incident.id(),
        title: incident.title.clone(),
        severity: incident.severity,
        phase: incident.phase(),
        service: incident.services.first().cloned(),
        commander: incident.holder(Role::IncidentCommander).cloned(),
        declared_at: incident.declared.as_ref().map(|mark| mark.at),
        next: board.next(incident),
        // What a drill simulates covers no alert of the world.
        covers: if incident.drill.is_some() { None } else { Coverage::of(incident) },
        unsent: incident.unsent_at(crate::clock::wall()),
        standing: incident
            .standing_runs()
            .into_iter()
            .map(|run| format!("{} (put there by {})", run.order.title, run.started.by))
            .collect(),
    }
}

/// Which records a list holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// Incidents that are not closed.
    Open,
    /// All incidents, closed ones too.
    Incidents,
    /// Drills too.
    All,
}

/// The records of a journal, the newest first, and those that cannot be read.
pub fn list(dir: &JournalDir, which: Which, board: &Board) -> Known<Vec<Summary>> {
    let (mut list, mut unread) = (Vec::new(), Vec::new());
    let ids = match dir.ids() {
        Ok(ids) => ids,
        Err(why) => return Known::Unknown(CleanText::new(&why.to_string())),
    };
    for id in ids.into_iter().rev() {
        // Of the drills those alone can have left something in staging that ran commands.
        let is_drill = id.series == Series::Drill && which != Which::All;
        if is_drill && !crate::runner::has_run(dir.directory(), id) {
            continue;
        }
        let known = outline(dir, id);
        unread.extend(known.why().map(ToString::to_string));
        match known.what() {
            None => {}
            Some(incident) if incident.is_blank() => {}
            Some(incident) if is_drill && incident.standing_runs().is_empty() => {}
            Some(incident) if !is_drill && which == Which::Open && incident.phase() == Phase::Closed => {}
            Some(incident) => list.push(summary(incident, board)),
        }
    }
    let Some(first) = unread.first() else { return Known::Whole(list) };
    let why = match unread.len() - 1 {
        0 => first.clone(),
        more => format!("{first}; {more} more cannot be read: `warroom journal verify` names all"),
    };
    Known::Part(list, CleanText::new(&why))
}

/// How many earlier incidents are shown.
const MOST_PAST: usize = 3;

/// The last incidents of some services that are over, the newest first, with what ended them; which of this host's cannot be read is named.
pub fn past(place: &JournalPlace, services: &[ServiceId], open: Option<IncidentId>) -> History {
    let (mut earlier, mut unread) = (Vec::new(), Vec::new());
    if let Err(error) = look_back(place, services, open, &mut earlier, &mut unread) {
        unread.push(format!("{error:#}"));
    }
    let more = unread.len().saturating_sub(1);
    let unread = unread.into_iter().next().map(|first| match more {
        0 => CleanText::new(&first),
        more => CleanText::new(&format!("{first}; {more} more cannot be read")),
    });
    History { earlier, unread }
}

fn look_back(
    place: &JournalPlace,
    services: &[ServiceId],
    open: Option<IncidentId>,
    found: &mut Vec<Past>,
    unread: &mut Vec<String>,
) -> anyhow::Result<()> {
    let dir = place.open()?;
    for id in dir.ids()?.into_iter().rev().filter(|id| id.series == Series::Incident && Some(*id) != open) {
        let known = outline(&dir, id);
        // It may be one of these services, and the last one.
        unread.extend(known.why().map(ToString::to_string));
        let Some(incident) = known.what() else { continue };
        let is_of_these = incident.services.iter().any(|service| services.contains(service));
        let Some(declared) = incident.declared.as_ref().filter(|_| is_of_these && !incident.phase().is_live()) else {
            continue;
        };
        let (title, at) = (incident.title.clone(), declared.at);
        // How its steps ended stands in the lines that a list leaves out.
        let whole = read(&dir, id);
        if let Err(error) = &whole {
            unread.push(format!("how the steps of {id} ended cannot be read: {error:#}"));
        }
        let steps = whole.map(|whole| whole.step_ends()).unwrap_or_default();
        found.push(Past { id, title, at, ended_by: ended_by(incident), steps });
        if found.len() == MOST_PAST {
            break;
        }
    }
    Ok(())
}

/// The confirmed cause, the last decision, or else the final status.
fn ended_by(incident: &Incident) -> CleanStr {
    match incident.outcome {
        Some(Outcome::FalseAlarm) => return "false alarm".into(),
        Some(Outcome::Merged(into)) => return CleanStr::new(&format!("went on in {into}")),
        Some(Outcome::Done | Outcome::Backlog) | None => {}
    }
    let holds = |theory: &&Hypothesis| theory.settled.as_ref().is_some_and(|(_, holds, _)| *holds);
    let cause = incident.hypotheses.iter().find(holds).map(|theory| format!("cause: {}", theory.theory.text));
    let done = incident.decisions.iter().rev().find(|decision| decision.made.as_ref().is_some_and(|(_, made)| made.go));
    let done = done.map(|decision| decision.proposal.action.to_string());
    let status = incident.resolution.as_ref().and_then(|resolution| resolution.final_status.as_ref());
    let parts: Vec<String> = cause.into_iter().chain(done).collect();
    match (parts.is_empty(), status) {
        (false, _) => CleanStr::new(&parts.join("; ")),
        (true, Some(status)) => CleanStr::new(status.first_line()),
        (true, None) => CleanStr::default(),
    }
}

/// A record, or the one in which it goes on after merges.
pub fn going_on(dir: &JournalDir, id: IncidentId) -> anyhow::Result<Incident> {
    let mut incident = read(dir, id)?;
    let mut seen = vec![id];
    while let Some(Outcome::Merged(into)) = incident.outcome {
        if seen.contains(&into) {
            break;
        }
        seen.push(into);
        incident = read(dir, into)?;
    }
    Ok(incident)
}

/// The open incidents on a service for which these events begin another one. What cannot be read hinders nobody from beginning it, and is named.
pub fn open_on(place: &JournalPlace, events: &[Event]) -> Known<Vec<(IncidentId, CleanStr)>> {
    let service =
        events.iter().find_map(|event| if let Event::Declared(body) = event { body.service.as_ref() } else { None });
    let Some(service) = service else { return Known::Whole(Vec::new()) };
    let unknown = |why: &str| {
        CleanText::new(&format!("whether another incident is open on {service} is not known of all records: {why}"))
    };
    let dir = match place.open() {
        Ok(dir) => dir,
        Err(error) => return Known::Unknown(unknown(&error.to_string())),
    };
    let covers = |summary: &Summary| summary.covers.as_ref().is_some_and(|cover| cover.services.contains(service));
    let (open, why) = list(&dir, Which::Open, &Board::default()).parts();
    let open = open.into_iter().filter(covers).map(|summary| (summary.id, summary.title)).collect();
    match why {
        Some(why) => Known::Part(open, unknown(&why)),
        None => Known::Whole(open),
    }
}

/// Begins a record with events; they are on disk when this returns.
pub fn create(place: &JournalPlace, series: Series, via: Via, entries: &[NewEntry]) -> anyhow::Result<IncidentId> {
    let dir = place.open()?;
    let id = dir.create(series)?;
    dir.journal(id, via)?.append(entries)?;
    Ok(id)
}

/// The playbooks, each with the day on which it was drilled last: as its file says, or as a drill of this host that was completed.
pub fn catalogue(place: &JournalPlace, shelf: &files::Shelf) -> Catalogue {
    let mut catalogue = files::catalogue(shelf);
    let dir = JournalDir::open(&place.directory, place.sharing);
    let (drills, why) =
        dir.map_or_else(|why| Known::Unknown(CleanText::new(&why.to_string())), |dir| drills(&dir)).parts();
    for drill in drills {
        let Some(day) = drill.resolved_at.map(|at| at.date_naive()) else { continue };
        for playbook in catalogue.playbooks.values_mut().filter(|playbook| drill.services.contains(&playbook.service)) {
            playbook.drilled = playbook.drilled.max(Some(day));
        }
    }
    catalogue.drills_unread =
        why.map(|why| CleanText::new(&format!("when playbooks were drilled last is not all known: {why}")));
    catalogue
}

/// The drills of this host.
fn drills(dir: &JournalDir) -> Known<Vec<Incident>> {
    let ids = match dir.ids() {
        Ok(ids) => ids,
        Err(why) => return Known::Unknown(CleanText::new(&why.to_string())),
    };
    let (mut drills, mut unread) = (Vec::new(), None);
    for id in ids.into_iter().filter(|id| id.series == Series::Drill) {
        match outline(dir, id) {
            Known::Whole(drill) => drills.push(drill),
            Known::Part(drill, why) => {
                drills.push(drill);
                unread = unread.or(Some(why));
            }
            Known::Unknown(why) => unread = unread.or(Some(why)),
        }
    }
    match unread {
        None => Known::Whole(drills),
        Some(why) => Known::Part(drills, why),
    }
}

/// Begins a drill: its four facts, the declaration that the exercise opens with, and what its people did so far.
pub fn start_drill(
    place: &JournalPlace,
    via: Via,
    actor: &Actor,
    drill: &Drill,
    zone: &str,
) -> anyhow::Result<IncidentId> {
    let exercise = Exercise::parse(&drill.name, &drill.text)?;
    let start = clock::wall();
    let mut entries = drill_entries(&exercise, drill, actor, zone, start);
    // A drill while the house is on fire: whoever joins must know.
    if let Some(text) = beside_a_drill(&list(&place.open()?, Which::Open, &Board::default())) {
        let note = NoteAdded { kind: NoteKind::Finding, text: CleanText::new(&text), at: None };
        entries.push(NewEntry::new(CleanStr::new("warroom"), Event::NoteAdded(note)));
    }
    create(place, Series::Drill, via, &entries)
}

/// What is open on this host while a drill begins, and what is not known of that; nothing where all is known and none
/// is open.
fn beside_a_drill(open: &Known<Vec<Summary>>) -> Option<String> {
    let names: Vec<_> = open.what().into_iter().flatten().map(|one| one.id.to_string()).collect();
    let (is, comes) = if names.len() == 1 { ("is", "it comes") } else { ("are", "they come") };
    let names = match names.is_empty() {
        true => None,
        false => Some(format!("{} {is} open on this host, and no drill: {comes} first", names.join(", "))),
    };
    let unknown =
        open.why().map(|why| format!("whether an incident is open on this host is not known of all records: {why}"));
    let parts: Vec<_> = names.into_iter().chain(unknown).collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// The entries with which a drill begins at a moment.
pub fn drill_entries(
    exercise: &Exercise,
    drill: &Drill,
    actor: &Actor,
    zone: &str,
    start: DateTime<Utc>,
) -> Vec<NewEntry> {
    let started = DrillStarted {
        exercise: drill.name.clone(),
        seed: drill.seed,
        start,
        speed: drill.speed,
        source: Some(drill.text.clone()),
        staging: drill.staging.clone(),
    };
    let by = |actor: &Actor, event: Event| NewEntry::new(actor.clone(), event);
    let mut entries = vec![by(actor, Event::DrillStarted(started))];
    let mut declared = exercise.declaration(start, CleanStr::new(zone));
    if let Some(team) = &drill.team {
        declared.title = CleanStr::new(&format!("{} (team {team})", declared.title));
    }
    if let Some(staging) = &drill.staging {
        // Nothing has gone wrong there yet: the clocks run from the alert that somebody links.
        entries.push(by(actor, Event::Declared(Declared { detected_at: None, detection: None, ..declared })));
        let text = format!("this drill is played in staging, at {}: {}", staging.prometheus, staging.proof);
        let note = NoteAdded { kind: NoteKind::Finding, text: CleanText::new(&text), at: None };
        entries.push(NewEntry::new(CleanStr::new("warroom"), Event::NoteAdded(note)));
        return entries;
    }
    entries.push(by(actor, Event::Declared(declared)));
    if let Some(at) = exercise.impact_start(start) {
        entries.push(by(actor, Event::ImpactStarted(ImpactAt { at, ..Default::default() })));
    }
    for person in &exercise.opening.people {
        if let Some(role) = person.role {
            let taken = RoleNamed { role, component: None, holder: person.name.clone(), reason: None, is_played: true };
            entries.push(by(&person.name, Event::RoleTaken(taken)));
        }
    }
    entries.extend(exercise.first_notes(start).map(|(who, note)| by(&who, Event::NoteAdded(note))));
    entries
}

/// Writes the starter config where none is yet.
pub fn write_starter_config(path: &Path) -> anyhow::Result<String> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut file = match std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            return Ok(format!("{} is there already and was left as it is", path.display()));
        }
        Err(error) => anyhow::bail!("{}: {error}", path.display()),
    };
    file.write_all(crate::config::starter().as_bytes())?;
    Ok(format!("wrote {}: name your Prometheus and Jaeger there", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::{Declared, PhaseEntered, Severity};

    fn place(home: &tempfile::TempDir) -> JournalPlace {
        JournalPlace { directory: home.path().join("j"), sharing: Default::default(), own: home.path().join("own") }
    }

    fn declared() -> NewEntry {
        let body = Declared {
            title: "payments hang".into(),
            severity: Severity::Sev3,
            service: Some("alipay".into()),
            detected_at: None,
            detection: None,
            zone: "UTC".into(),
            link: None,
        };
        NewEntry::new("dana".into(), Event::Declared(body))
    }

    /// Makes the line with which a record begins one that no build can read.
    fn spoil(place: &JournalPlace, id: IncidentId) {
        let db = rusqlite::Connection::open(place.directory.join(format!("{id}.db"))).unwrap();
        assert_eq!(db.execute("UPDATE ev SET entry = '{}' WHERE lseq = 1", []).unwrap(), 1);
    }

    #[test]
    fn a_line_that_cannot_be_read_takes_no_record_out_of_a_list_without_a_word() {
        let home = tempfile::tempdir().unwrap();
        let place = place(&home);
        let id = create(&place, Series::Incident, Via::default(), &[declared()]).unwrap();
        let drill = create(&place, Series::Drill, Via::default(), &[declared()]).unwrap();
        let dir = place.open().unwrap();
        assert_eq!(catalogue(&place, &files::Shelf::default()).drills_unread, None);
        spoil(&place, id);
        spoil(&place, drill);
        let known = list(&dir, Which::Open, &Board::default());
        assert!(known.why().is_some_and(|why| why.starts_with("INC-1 is damaged")), "{known:?}");
        let said = beside_a_drill(&known).unwrap();
        assert!(
            said.starts_with("whether an incident is open on this host is not known of all records: INC-1"),
            "{said}"
        );
        let past = past(&place, &["alipay".into()], None);
        assert!(past.unread.is_some_and(|why| why.contains("INC-1 is damaged")));
        let why = catalogue(&place, &files::Shelf::default()).drills_unread.unwrap();
        assert!(why.contains("DRILL-1 is damaged"), "{why}");
    }

    #[test]
    fn without_a_journal_that_can_be_read_no_playbook_is_said_to_be_undrilled_and_a_drill_says_what_it_could_not_see() {
        let home = tempfile::tempdir().unwrap();
        let place = place(&home);
        std::fs::write(&place.directory, "a file in the folder's place").unwrap();
        let why = catalogue(&place, &files::Shelf::default()).drills_unread.unwrap();
        assert!(why.starts_with("when playbooks were drilled last is not all known: "), "{why}");
        assert_eq!(beside_a_drill(&Known::Whole(Vec::new())), None);
        let said = beside_a_drill(&Known::Unknown("the disk".into())).unwrap();
        assert_eq!(said, "whether an incident is open on this host is not known of all records: the disk");
    }

    #[test]
    fn a_list_says_what_is_due_next_also_where_that_is_a_todo_line() {
        let home = tempfile::tempdir().unwrap();
        let place = JournalPlace {
            directory: home.path().join("j"),
            sharing: Default::default(),
            own: home.path().join("own"),
        };
        let start = DateTime::from_timestamp(1_780_000_000, 0).unwrap();
        let declared = Declared {
            title: "payments hang".into(),
            severity: Severity::Sev3,
            service: None,
            detected_at: Some(start),
            detection: None,
            zone: "UTC".into(),
            link: None,
        };
        let todo = NoteAdded { kind: NoteKind::Todo, text: "raise the pool limit".into(), at: None };
        let note = NoteAdded { kind: NoteKind::Note, text: "a note".into(), at: None };
        let by = |event| NewEntry::new("dana".into(), event);
        let id = create(
            &place,
            Series::Incident,
            Via::default(),
            &[by(Event::Declared(declared)), by(Event::NoteAdded(note)), by(Event::NoteAdded(todo))],
        )
        .unwrap();
        let dir = place.open().unwrap();
        let next = |which| list(&dir, which, &Board::default()).whole().unwrap().remove(0).next.unwrap();
        assert_eq!(next(Which::Open), ("acknowledge".into(), start + chrono::TimeDelta::minutes(5)));
        let resolved = by(Event::PhaseEntered(PhaseEntered::plain(Phase::Resolved)));
        dir.journal(id, Via::default()).unwrap().append(&[resolved]).unwrap();
        let (landmarks, _) = dir.journal(id, Via::default()).unwrap().landmarks().unwrap();
        let incident = Incident::replay(id, landmarks);
        let all = cadence::obligations(&incident, Rules { cadence: &Cadence::default(), tell: &[] });
        assert!(all.iter().any(|one| one.name.as_str() == "follow-up: raise the pool limit"), "{all:?}");
    }
}
