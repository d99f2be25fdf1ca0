//! What an SQLite file holds that is a journal, and what a connection does not do, whatever the file says.
//!
//! A file is data, and SQLite runs programs that stand in it: triggers, views, virtual tables, expressions in indexes. Whoever can write the file could
//! have an entry changed while it is written.
//!
//! Invariant: nothing that a file brings along runs here; a file with anything but our own tables is refused by name.

use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, OptionalExtension};

use super::JournalError;

/// No row of a journal is larger, in bytes: what is comes from somebody else, and is not read into memory.
pub(super) const MOST_ROW: i32 = 8 * 1024 * 1024;

pub(super) const TABLES: &str = "
    CREATE TABLE ev(
        lseq INTEGER PRIMARY KEY,
        rid INTEGER NOT NULL,
        rseq INTEGER NOT NULL,
        hlc INTEGER NOT NULL,
        wall INTEGER NOT NULL,
        kind TEXT NOT NULL,
        entry TEXT NOT NULL,
        prev TEXT NOT NULL,
        gseq INTEGER,
        UNIQUE(rid, rseq)
    );
    CREATE TABLE claim(what TEXT PRIMARY KEY, term INTEGER NOT NULL, holder TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE draft(console TEXT PRIMARY KEY, actor TEXT NOT NULL, text TEXT NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE meta(k TEXT PRIMARY KEY, v) WITHOUT ROWID;
";

/// Keeps a connection from running what stands in a file.
pub(super) fn harden(db: &Connection) -> rusqlite::Result<()> {
    for (setting, is_on) in [
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false),
    ] {
        db.set_db_config(setting, is_on)?;
    }
    db.set_limit(Limit::SQLITE_LIMIT_LENGTH, MOST_ROW)?;
    Ok(())
}

/// Whether the tables were made; a file whose maker was killed before that has none.
pub(super) fn has_tables(db: &Connection) -> rusqlite::Result<bool> {
    db.query_row("SELECT 1 FROM sqlite_schema LIMIT 1", [], |_| Ok(())).optional().map(|row| row.is_some())
}

/// What a file holds beside our own tables, or instead of them, each with what it is.
pub(super) fn foreign(db: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut missing: Vec<String> = TABLES.split(';').map(plain).filter(|sql| !sql.is_empty()).collect();
    let mut read = db.prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema")?;
    let mut rows = read.query([])?;
    let mut foreign = Vec::new();
    while let Some(row) = rows.next()? {
        let text = |column| row.get::<_, Option<String>>(column).map(Option::unwrap_or_default);
        let (kind, name, table, sql) = (text(0)?, text(1)?, text(2)?, plain(&text(3)?));
        if let Some(place) = missing.iter().position(|known| *known == sql) {
            missing.swap_remove(place);
            continue;
        }
        // SQLite's own, of a UNIQUE or a PRIMARY KEY.
        let is_own = kind == "index" && sql.is_empty() && name == format!("sqlite_autoindex_{table}_1");
        if !is_own {
            foreign.push(format!("the {kind} `{name}`"));
        }
    }
    if !missing.is_empty() && foreign.is_empty() {
        foreign.push("not all of a journal's tables".to_owned());
    }
    Ok(foreign)
}

/// Refuses a file that holds anything else.
pub(super) fn refuse_foreign(db: &Connection, path: &Path) -> Result<(), JournalError> {
    match foreign(db).map_err(JournalError::sqlite(path))?.into_iter().next() {
        Some(what) => Err(JournalError::Foreign { path: path.to_owned(), what }),
        None => Ok(()),
    }
}

/// SQL without the difference that blanks make.
fn plain(sql: &str) -> String {
    sql.split_whitespace().collect::<Vec<_>>().join(" ")
}
