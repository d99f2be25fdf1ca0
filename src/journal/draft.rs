//! Half-typed text that outlives its console.
//!
//! Hides the `draft` table: one row per console for the scribe's line, one per console and form for what is half-typed in forms; never part of the
//! record. A form's row bears its name behind the console's and the person's, so that a build that knows no forms finds neither.
//!
//! Invariant: a draft has one console at any time; adopting moves it in one transaction, so that of several consoles one gets it and a crash
//! right after loses nothing.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, TransactionBehavior, params};

use super::sqlite::Work;
use super::{JournalError, SqliteJournal};
use crate::incident::Actor;
use crate::text::half_typed::HalfTyped;

impl SqliteJournal {
    /// Keeps what this console's person has typed so far; nothing but blanks counts as nothing.
    pub fn save_draft(&mut self, actor: &Actor, text: &str) -> Result<(), JournalError> {
        self.commit(&[Work::Draft { actor: actor.to_string(), text: text.to_owned() }]).map(|_| ())
    }

    /// Forgets what this console's person had typed: it was sent, or thrown away.
    pub fn clear_draft(&mut self) -> Result<(), JournalError> {
        self.commit(&[Work::Draft { actor: String::new(), text: String::new() }]).map(|_| ())
    }

    /// Takes over the newest draft of a person whose console is gone, and returns its text and when its typing began. It is this console's draft from
    /// then on.
    pub fn adopt_draft(
        &mut self,
        actor: &Actor,
        is_alive: impl Fn(&str) -> bool,
    ) -> Result<Option<(String, DateTime<Utc>)>, JournalError> {
        let wrong = JournalError::sqlite(&self.path);
        // Mostly there is none: then no write, and no wait for somebody else's.
        if orphan(&self.db, actor, &self.via.console, &is_alive).map_err(&wrong)?.is_none() {
            return Ok(None);
        }
        let _writing = super::still::writing();
        let tx = self.db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(&wrong)?;
        let Some((console, text, began)) = orphan(&tx, actor, &self.via.console, &is_alive).map_err(&wrong)? else {
            return Ok(None);
        };
        tx.execute("UPDATE OR REPLACE draft SET console = ?1 WHERE console = ?2", [&*self.via.console, &console])
            .map_err(&wrong)?;
        tx.commit().map_err(&wrong)?;
        Ok(Some((text, DateTime::from_timestamp_millis(began).unwrap_or_default())))
    }
}

/// Stands between a console's, or a person's, name and that of a form: no name has it.
const OF_FORM: char = '\u{1f}';
/// More half-typed forms of one person are not looked at: a person leaves a few, somebody else's file may hold any number.
const MOST_FORMS: u32 = 200;

impl SqliteJournal {
    /// Takes over what a person had half-typed in forms in consoles that are gone, and finds what this one kept here before; of each form the newest.
    pub fn adopt_forms(
        &mut self,
        actor: &Actor,
        is_alive: impl Fn(&str) -> bool,
    ) -> Result<Vec<(String, HalfTyped)>, JournalError> {
        let wrong = JournalError::sqlite(&self.path);
        let found = forms(&self.db, actor, &self.via.console, &is_alive).map_err(&wrong)?;
        if found.iter().all(|(console, ..)| **console == *self.via.console) {
            return Ok(found.into_iter().map(|(_, form, half)| (form, half)).collect());
        }
        let _writing = super::still::writing();
        let tx = self.db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(&wrong)?;
        let found = forms(&tx, actor, &self.via.console, &is_alive).map_err(&wrong)?;
        for (console, form, _) in found.iter().filter(|(console, ..)| **console != *self.via.console) {
            tx.execute(
                "UPDATE OR REPLACE draft SET console = ?1 WHERE console = ?2",
                [of_form(&self.via.console, form), of_form(console, form)],
            )
            .map_err(&wrong)?;
        }
        tx.commit().map_err(&wrong)?;
        Ok(found.into_iter().map(|(_, form, half)| (form, half)).collect())
    }
}

fn of_form(name: &str, form: &str) -> String {
    format!("{name}{OF_FORM}{form}")
}

/// What a person has half-typed in forms here and in consoles that are gone: console, form and text, of each form the newest.
fn forms(
    db: &Connection,
    actor: &str,
    me: &str,
    is_alive: impl Fn(&str) -> bool,
) -> rusqlite::Result<Vec<(String, String, HalfTyped)>> {
    let mut read = db.prepare_cached(
        "SELECT console, text FROM draft WHERE substr(actor, 1, length(?1)) = ?1 ORDER BY at DESC, console LIMIT ?2",
    )?;
    let mut rows = read.query(params![of_form(actor, ""), MOST_FORMS])?;
    let mut found: Vec<(String, String, HalfTyped)> = Vec::new();
    while let Some(row) = rows.next()? {
        let (name, text): (String, String) = (row.get(0)?, row.get(1)?);
        let Some((console, form)) = name.split_once(OF_FORM) else { continue };
        // One that a newer build wrote in another way is left where it is.
        let Ok(half) = serde_json::from_str(&text) else { continue };
        let is_known = found.iter().any(|(_, known, _)| known == form);
        if !is_known && (console == me || !is_alive(console)) {
            found.push((console.to_owned(), form.to_owned(), half));
        }
    }
    Ok(found)
}

pub(super) fn save_form(
    db: &Connection,
    console: &str,
    actor: &str,
    form: &str,
    half: Option<&HalfTyped>,
    at: DateTime<Utc>,
) -> rusqlite::Result<()> {
    let name = of_form(console, form);
    let Some(half) = half else {
        db.prepare_cached("DELETE FROM draft WHERE console = ?1")?.execute([name])?;
        return Ok(());
    };
    let text = serde_json::to_string(&half.map(|text| crate::vault::mask().mask_unfinished(text)))
        .expect("a half-typed form holds strings only");
    db.prepare_cached("INSERT OR REPLACE INTO draft(console, actor, text, at) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![name, of_form(actor, form), text, at.timestamp_millis()])?;
    Ok(())
}

fn orphan(
    db: &Connection,
    actor: &str,
    me: &str,
    is_alive: impl Fn(&str) -> bool,
) -> rusqlite::Result<Option<(String, String, i64)>> {
    let mut read =
        db.prepare_cached("SELECT console, text, at FROM draft WHERE actor = ?1 ORDER BY at DESC, console")?;
    let mut rows = read.query([actor])?;
    while let Some(row) = rows.next()? {
        let console: String = row.get(0)?;
        if console != me && !is_alive(&console) {
            return Ok(Some((console, row.get(1)?, row.get(2)?)));
        }
    }
    Ok(None)
}

pub(super) fn save(db: &Connection, console: &str, actor: &str, text: &str, at: DateTime<Utc>) -> rusqlite::Result<()> {
    if text.trim().is_empty() {
        db.prepare_cached("DELETE FROM draft WHERE console = ?1")?.execute([console])?;
    } else {
        // The time is that of the first save: when the typing of this text began.
        db.prepare_cached(
            "INSERT INTO draft(console, actor, text, at) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT(console) DO UPDATE SET actor = excluded.actor, text = excluded.text",
        )?
        .execute(params![
            console,
            actor,
            crate::vault::mask().mask_unfinished(text),
            at.timestamp_millis()
        ])?;
    }
    Ok(())
}
