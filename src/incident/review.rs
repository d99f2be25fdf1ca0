//! The calendar file for the postmortem review (RFC 5545).
//!
//! Hides escaping, folding, and which slot inside the 48 hours is proposed where none is scheduled yet.
//!
//! Invariant: no line is longer than 75 octets, no letter is cut in two, every time is UTC.

use chrono::{DateTime, Datelike, NaiveTime, TimeDelta, Utc, Weekday};

use super::*;

/// How long a review takes.
const LASTS: TimeDelta = TimeDelta::hours(1);
/// The longest line of a calendar file, in octets, without its end.
const OCTETS: usize = 75;

/// When the review is: as it was scheduled, else the first good slot after now and within the time that the runbook gives.
pub fn review_slot(incident: &Incident, within: TimeDelta, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    if let Some(scheduled) = &incident.postmortem {
        return Some(scheduled.at);
    }
    let resolved = incident.resolved_at?;
    let zone = incident.zone();
    let day = resolved.with_timezone(&zone).date_naive();
    let slots = (0..=within.num_days() + 1).flat_map(|after| {
        let day = day + TimeDelta::days(after);
        [10, 14].into_iter().filter_map(move |hour| {
            let at = day.and_time(NaiveTime::from_hms_opt(hour, 0, 0)?).and_local_timezone(zone).earliest()?;
            Some((matches!(day.weekday(), Weekday::Sat | Weekday::Sun), at.with_timezone(&Utc)))
        })
    });
    // People sleep first: four hours at least, and a weekday where there is one.
    let earliest = now.max(resolved + TimeDelta::hours(4));
    let mut good: Vec<_> = slots.filter(|(_, at)| *at >= earliest && *at + LASTS <= resolved + within).collect();
    good.sort();
    good.first().map(|(_, at)| *at)
}

/// The calendar file, with one appointment of an hour; `stamp` is when the file was made.
pub fn review_calendar(incident: &Incident, slot: DateTime<Utc>, stamp: DateTime<Utc>) -> String {
    let changes =
        incident.entries().filter(|entry| matches!(entry.event, Event::PostmortemScheduled(_))).count().max(1) - 1;
    // The file of origin is a random number: the same incident keeps its identity, two companies' INC-1 do not meet.
    let origin = incident.entries().next().map_or(0, |entry| entry.id.rid);
    let time = |at: DateTime<Utc>| at.format("%Y%m%dT%H%M%SZ").to_string();
    let severity = incident.worst.map_or("severity not recorded", Severity::name);
    let owner = incident.postmortem.as_ref().map_or("nobody yet", |scheduled| scheduled.owner.as_str());
    let state = if incident.postmortem.is_some() { "CONFIRMED" } else { "TENTATIVE" };
    let article = incident.article.as_ref().map(|article| format!("\nArticle: {}", article.url)).unwrap_or_default();
    let description = format!("{severity}: {}\nOwner: {owner}{article}", incident.title);
    calendar(|line| {
        line("BEGIN:VEVENT");
        line(&format!("UID:{}-{origin:016x}-postmortem@warroom", incident.id()));
        line(&format!("DTSTAMP:{}", time(stamp)));
        line(&format!("SEQUENCE:{changes}"));
        line(&format!("DTSTART:{}", time(slot)));
        line(&format!("DTEND:{}", time(slot + LASTS)));
        line(&format!("STATUS:{state}"));
        line(&format!("SUMMARY:{}", escape(&format!("Postmortem {}: {}", incident.id(), incident.title))));
        line(&format!("DESCRIPTION:{}", escape(&description)));
        line("END:VEVENT");
    })
}

/// A day to be reminded of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reminder {
    /// Its identity: a file that is read again changes the same entry.
    pub uid: String,
    /// The day.
    pub day: chrono::NaiveDate,
    /// What it is.
    pub summary: String,
    /// More of it.
    pub description: String,
}

/// A calendar file of whole days; `stamp` is when it was made.
pub fn reminders(reminders: &[Reminder], stamp: DateTime<Utc>) -> String {
    calendar(|line| {
        for one in reminders {
            line("BEGIN:VEVENT");
            line(&format!("UID:{}@warroom", one.uid));
            line(&format!("DTSTAMP:{}", stamp.format("%Y%m%dT%H%M%SZ")));
            line(&format!("DTSTART;VALUE=DATE:{}", one.day.format("%Y%m%d")));
            line(&format!("SUMMARY:{}", escape(&one.summary)));
            line(&format!("DESCRIPTION:{}", escape(&one.description)));
            line("END:VEVENT");
        }
    })
}

/// A calendar file with what is written into it.
fn calendar(write: impl FnOnce(&mut dyn FnMut(&str))) -> String {
    let mut out = String::new();
    let mut line = |line: &str| fold(line, &mut out);
    line("BEGIN:VCALENDAR");
    line("VERSION:2.0");
    line("PRODID:-//QRPay//warroom//EN");
    line("CALSCALE:GREGORIAN");
    write(&mut line);
    line("END:VCALENDAR");
    out
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\\' | ';' | ',' => out.extend(['\\', letter]),
            '\n' => out.push_str("\\n"),
            letter => out.push(letter),
        }
    }
    out
}

/// Writes a line, broken where it is too long; what follows a break begins with a space, which counts.
fn fold(line: &str, out: &mut String) {
    let mut used = 0;
    for letter in line.chars() {
        if used + letter.len_utf8() > OCTETS {
            out.push_str("\r\n ");
            used = 1;
        }
        used += letter.len_utf8();
        out.push(letter);
    }
    out.push_str("\r\n");
}

#[cfg(test)]
mod tests;
