//! Texts that are made of the records of this host, for a console that asks for one. All of it blocks, and runs on the blocking pool.

use chrono_tz::Tz;

use super::postmortem::write_postmortem;
use super::records::{self, Board};
use super::{JournalPlace, clock};
use crate::console::Printout;
use crate::exercise::Exercise;
use crate::exercise::schedule::debrief_or_why;
use crate::incident::Rules;
use crate::report::{FOLLOW_UPS_UNKNOWN, Period, follow_ups, report};

/// Makes the text.
pub(super) fn make(printout: &Printout, place: &JournalPlace, board: &Board, zone: Tz) -> anyhow::Result<String> {
    let (dir, wall) = (place.open()?, clock::wall());
    let all = || records::all(&dir);
    Ok(match printout {
        Printout::FollowUps { with_done } => {
            let (records, left_out) = all()?;
            let list = follow_ups(&records, *with_done, wall);
            let lines: String = list.iter().map(|one| format!("{one}\n")).collect();
            let none = match (list.is_empty(), left_out.is_empty()) {
                (true, true) => "no follow-up is open\n".to_owned(),
                (true, false) => format!("{FOLLOW_UPS_UNKNOWN}\n"),
                (false, _) => String::new(),
            };
            let left_out: String = left_out.iter().map(|why| format!("{why}\n")).collect();
            format!("{none}{lines}{left_out}")
        }
        Printout::Report(from) => {
            let (records, left_out) = all()?;
            let today = wall.with_timezone(&zone).date_naive();
            let period = Period { from: *from, to: wall };
            report(&records, left_out, &board.catalogue, &board.cadence, period, today).to_string()
        }
        Printout::Briefing(id) => {
            let record = records::read(&dir, *id)?;
            match record.drill.as_ref().and_then(|drill| Some((Exercise::of(drill)?, drill.staging.as_ref()))) {
                Some((exercise, staging)) => exercise?.briefing(staging),
                None => "this is no drill: it has no pre-brief".to_owned(),
            }
        }
        Printout::Debrief(id) => {
            let (record, lacks) = records::read_with(&dir, *id)?;
            let debrief = match debrief_or_why(&record, &board.cadence, wall) {
                Ok(debrief) => debrief.markdown(),
                Err(why) if record.drill.is_some() => why,
                Err(_) => "this is no drill: `postmortem` writes what follows an incident".to_owned(),
            };
            lacks.map(|why| format!("{why}\n\n")).unwrap_or_default() + &debrief
        }
        Printout::Postmortem(id) => {
            let folder = std::env::current_dir()?;
            let (incident, lacks) = records::read_with(&dir, *id)?;
            let tell = board.to_tell(&incident);
            let rules = Rules { cadence: &board.cadence, tell: &tell };
            let written = write_postmortem(&incident, rules, &folder, wall)?;
            let paths: String = written.paths.iter().map(|path| format!("{}\n", path.display())).collect();
            let remarks = written.remark.into_iter().chain(lacks);
            let remark: String = remarks.map(|remark| format!("{remark}\n")).collect();
            format!("{paths}{remark}\n{}", written.text)
        }
    })
}
