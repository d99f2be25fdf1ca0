//! Whether a journal is what was written, and its lines as text.
//!
//! Hides that both read the file in one snapshot, without writing to it, while others go on.
//!
//! Invariant: what cannot be read is named in the result; only a file that cannot be opened at all is an error.

use std::io::Write;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::chain::{Care, Chain, Damage, What};
use super::ground::has_cut_memory;
use super::ordinary;
use super::schema;
use super::sqlite::{get, read_on, read_only, refuse_newer, schema_of};
use super::{JournalError, Tail};
use crate::incident::EntryId;

/// What became of the check of a file.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Verification {
    /// How many entries could be read.
    pub entries: u64,
    /// The newest one.
    pub newest: Option<EntryId>,
    /// Entries whose words were taken out, as the record itself says.
    pub redacted: Vec<EntryId>,
    /// All that is wrong, the first in the file first; empty when all is as it was written.
    pub damage: Vec<Damage>,
}

impl Verification {
    /// Whether all is as it was written.
    pub fn is_sound(&self) -> bool {
        self.damage.is_empty()
    }
}

/// How many faults SQLite's own check names before it stops.
const FAULTS: i64 = 20;

/// Checks a journal: SQLite's structure, dense numbers, the hash chain and its head, columns against entries.
pub fn verify(path: &Path) -> Result<Verification, JournalError> {
    let db = open(path)?;
    let mut structure = Vec::new();
    if let Err(error) = check(&db, &mut structure) {
        structure.push(error.to_string());
    }
    if schema::has_tables(&db).unwrap_or(false) {
        let foreign = schema::foreign(&db).map_err(JournalError::sqlite(path))?;
        structure.extend(foreign.into_iter().map(|what| format!("it holds {what}, which warroom never puts there")));
    }
    let mut result = follow(&db, path, &mut |_| ())?;
    let structure = structure.into_iter().map(|reason| Damage { line: 0, entry: None, what: What::Structure(reason) });
    result.damage.extend(structure);
    Ok(result)
}

/// Writes the entries as JSON lines, exactly as they are stored, and says what could not be read or is not as it was written.
pub fn export(path: &Path, mut out: impl Write) -> Result<Verification, JournalError> {
    let db = open(path)?;
    let mut written = Ok(());
    let result = follow(&db, path, &mut |entry| {
        if written.is_ok() {
            written = out.write_all(entry).and_then(|()| out.write_all(b"\n"));
        }
    })?;
    written.and_then(|()| out.flush()).map_err(JournalError::io("exporting", path))?;
    Ok(result)
}

fn open(path: &Path) -> Result<Connection, JournalError> {
    let wrong = JournalError::sqlite(path);
    let absolute = std::path::absolute(path).map_err(JournalError::io("finding", path))?;
    super::folder::above(&absolute)
        .and_then(|(folder, name)| folder.look(name))
        .map_err(JournalError::io("opening", path))?;
    let open = |may| -> Result<Connection, JournalError> {
        ordinary::refuse_others(path)?;
        let db = Connection::open_with_flags(&absolute, may | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(&wrong)?;
        db.busy_timeout(std::time::Duration::from_secs(5)).map_err(&wrong)?;
        schema::harden(&db).map_err(&wrong)?;
        db.execute_batch("PRAGMA cell_size_check=ON; PRAGMA trusted_schema=OFF; BEGIN").map_err(&wrong)?;
        refuse_newer(path, schema_of(&db).map_err(&wrong)?)?;
        Ok(db)
    };
    let in_memory = || {
        let (db, _) = read_only(path)?;
        db.execute_batch("PRAGMA cell_size_check=ON; PRAGMA trusted_schema=OFF; BEGIN").map_err(&wrong)?;
        Ok(db)
    };
    if has_cut_memory(path) {
        return in_memory();
    }
    match open(OpenFlags::SQLITE_OPEN_READ_ONLY) {
        // Its writer was killed while it made the log: only who may write can bring that to an end.
        Err(JournalError::ReadOnly { .. }) => match open(OpenFlags::SQLITE_OPEN_READ_WRITE) {
            // Nobody may write here: then it is put together in memory.
            Err(JournalError::ReadOnly { .. }) => in_memory(),
            opened => opened,
        },
        opened => opened,
    }
}

fn check(db: &Connection, faults: &mut Vec<String>) -> rusqlite::Result<()> {
    let mut check = db.prepare(&format!("PRAGMA integrity_check({FAULTS})"))?;
    let mut rows = check.query([])?;
    while let Some(row) = rows.next()? {
        let fault: String = row.get(0)?;
        if fault != "ok" {
            faults.push(fault);
        }
    }
    Ok(())
}

fn follow(db: &Connection, path: &Path, see: &mut dyn FnMut(&[u8])) -> Result<Verification, JournalError> {
    let wrong = JournalError::sqlite(path);
    let mut result = Verification::default();
    let tables: i64 =
        db.query_row("SELECT count(*) FROM sqlite_schema WHERE name = 'ev'", [], |row| row.get(0)).map_err(&wrong)?;
    if tables == 0 {
        // Created, and killed before its tables were made: an incident without entries, unless something else is in there.
        return if schema_of(db).map_err(&wrong)? == 0 {
            Ok(result)
        } else {
            Err(JournalError::NotAJournal { path: path.to_owned() })
        };
    }
    let mut chain = Chain::after(0, Care::Both);
    loop {
        let mut tail = Tail::default();
        let read = read_on(db, &mut chain, 1024, &mut tail, see);
        result.entries += tail.entries.len() as u64;
        result.damage.append(&mut tail.damage);
        if let Err(error) = read {
            let what = What::Unreadable { to: tail.to, reason: error.to_string() };
            result.damage.push(Damage { line: tail.to + 1, entry: None, what });
            break;
        }
        if !tail.more {
            break;
        }
    }
    result.newest = chain.newest();
    let head = get::<i64>(db, "rid").and_then(|rid| Ok(rid.zip(get::<String>(db, "head")?)));
    match head {
        Ok(Some((rid, head))) => result.damage.extend(chain.close(rid, &head)),
        Ok(None) if result.entries == 0 => {}
        Ok(None) => {
            let what = What::Structure("the name of the newest entry is missing".to_owned());
            result.damage.push(Damage { line: 0, entry: None, what });
        }
        Err(error) => {
            result.damage.push(Damage { line: 0, entry: None, what: What::Structure(error.to_string()) });
        }
    }
    // What cannot be read excuses nothing: then the damage stands.
    result.redacted = super::redact::excuse(db, &mut result.damage).unwrap_or_default();
    Ok(result)
}
