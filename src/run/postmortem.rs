//! The files of a postmortem: Markdown, and the calendar entry of its review.
//!
//! Hides how a text reaches a file without taking anybody's edits away.
//!
//! Invariant: a file that somebody edited is never overwritten.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use chrono::{DateTime, Utc};

use crate::incident::postmortem::postmortem;
use crate::incident::review::{review_calendar, review_slot};
use crate::incident::{Incident, Rules};

/// What was written.
pub struct Written {
    /// The Markdown.
    pub text: String,
    /// Where the files are.
    pub paths: Vec<PathBuf>,
    /// Why there is no calendar file, where one would be expected.
    pub remark: Option<String>,
}

/// Writes the files into a folder.
pub fn write_postmortem(
    incident: &Incident,
    rules: Rules<'_>,
    folder: &Path,
    wall: DateTime<Utc>,
) -> anyhow::Result<Written> {
    let id = incident.id();
    let now = incident.clock().show(wall);
    let text = postmortem(incident, rules, now);
    std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    let markdown = Sealed { text: text.clone(), mark: "<!-- warroom wrote this: ", end: " -->", line_end: "\n" };
    let mut paths = vec![markdown.write(folder, &format!("{id}-postmortem"), "md")?];
    let slot = review_slot(incident, rules.cadence.postmortem, now).filter(|_| incident.drill.is_none());
    let remark = match slot {
        Some(slot) => {
            let text = review_calendar(incident, slot, wall);
            let calendar = Sealed { text, mark: "X-WARROOM-SEAL:", end: "", line_end: "\r\n" };
            paths.push(calendar.write(folder, &format!("{id}-postmortem"), "ics")?);
            None
        }
        None if incident.drill.is_some() => None,
        None if incident.resolved_at.is_none() => {
            Some(format!("{id} is not resolved: no calendar file is written yet"))
        }
        None => Some("the time for the review has passed: schedule it in the console (:postmortem)".to_owned()),
    };
    Ok(Written { text, paths, remark })
}

/// A text that carries its own hash in one line, so that an edit by hand is seen later.
struct Sealed {
    text: String,
    mark: &'static str,
    end: &'static str,
    line_end: &'static str,
}

impl Sealed {
    /// Writes the file where no edited one stands, else beside it with a number; says where.
    fn write(&self, folder: &Path, stem: &str, extension: &str) -> anyhow::Result<PathBuf> {
        for number in 1..1000 {
            let name = if number == 1 { format!("{stem}.{extension}") } else { format!("{stem}-{number}.{extension}") };
            let path = folder.join(&name);
            match std::fs::read_to_string(&path) {
                Ok(there) if !self.is_own(&there) => continue,
                Ok(_) => {}
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                // Not text, a folder, or not ours to read: somebody's.
                Err(_) => continue,
            }
            // Whole or not at all, also when the disk is full.
            let half = folder.join(format!(".{name}.{}", std::process::id()));
            let written = std::fs::write(&half, self.with_seal()).and_then(|()| std::fs::rename(&half, &path));
            if written.is_err() {
                let _ = std::fs::remove_file(&half);
            }
            written.with_context(|| path.display().to_string())?;
            return Ok(path);
        }
        bail!("{} is full of edited copies of {stem}: write into another folder (--out DIR)", folder.display())
    }

    fn seal(&self, text: &str) -> String {
        format!("{}{}{}{}", self.mark, blake3::hash(text.as_bytes()).to_hex(), self.end, self.line_end)
    }

    /// The text with the seal at its end, or in a calendar before the appointment, where properties stand.
    fn with_seal(&self) -> String {
        let place = self.text.find("BEGIN:VEVENT").filter(|_| self.end.is_empty()).unwrap_or(self.text.len());
        let (before, after) = self.text.split_at(place);
        format!("{before}{}{after}", self.fold(&self.seal(&self.text)))
    }

    /// A calendar's lines have at most 75 octets.
    fn fold(&self, line: &str) -> String {
        match line.get(..70).filter(|_| self.end.is_empty()) {
            Some(head) => format!("{head}\r\n {}", &line[70..]),
            None => line.to_owned(),
        }
    }

    /// Whether a file is as it was written.
    fn is_own(&self, there: &str) -> bool {
        let Some(start) = there.rfind(self.mark) else { return false };
        let length = self.fold(&self.seal("")).len();
        let Some(seal) = there.get(start..start + length) else { return false };
        let rest = format!("{}{}", &there[..start], &there[start + length..]);
        self.fold(&self.seal(&rest)) == seal
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edited_file_keeps_its_place_and_a_fresh_one_is_renewed() {
        let folder = tempfile::tempdir().unwrap();
        let text = |text: &str| Sealed { text: text.to_owned(), mark: "<!-- ", end: " -->", line_end: "\n" };
        let first = text("one\n").write(folder.path(), "INC-1", "md").unwrap();
        assert_eq!(text("two\n").write(folder.path(), "INC-1", "md").unwrap(), first, "nobody edited it");
        let edited = std::fs::read_to_string(&first).unwrap().replace("two", "two, and why");
        std::fs::write(&first, &edited).unwrap();
        let beside = text("three\n").write(folder.path(), "INC-1", "md").unwrap();
        assert!(beside.ends_with("INC-1-2.md"));
        assert_eq!(std::fs::read_to_string(&first).unwrap(), edited);
        assert_eq!(text("four\n").write(folder.path(), "INC-1", "md").unwrap(), beside);
    }

    #[test]
    fn a_calendar_keeps_its_seal_among_its_properties() {
        let text = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n".to_owned();
        let calendar = Sealed { text, mark: "X-WARROOM-SEAL:", end: "", line_end: "\r\n" };
        let sealed = calendar.with_seal();
        assert!(calendar.is_own(&sealed) && !calendar.is_own(&sealed.replace("END:VEVENT", "X:1\r\nEND:VEVENT")));
        assert!(sealed.lines().all(|line| line.len() <= 75));
        assert!(sealed.find("X-WARROOM-SEAL") < sealed.find("BEGIN:VEVENT"));
    }
}
