//! Half-typed text that outlives its console.
//!
//! Hides the `draft` table: one row per console, never part of the record.
//!
//! Invariant: a draft has one console at any time; adopting moves it in one transaction, so that of several consoles one gets it and a crash
//! right after loses nothing.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, TransactionBehavior, params};

use super::sqlite::Work;
use super::{JournalError, SqliteJournal};
use crate::incident::Actor;

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
