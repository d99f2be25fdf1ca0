//! Whether the lines of a journal are what was written.
//!
//! Hides the hash chain: each line carries the BLAKE3 of the line before it of the same origin, so a change is found at the line after it.
//!
//! Invariant: following a chain never fails; whatever the bytes are, they give an entry, a damage, or both.

use std::fmt;

use rusqlite::types::ValueRef;

use crate::incident::{Entry, EntryId};
use crate::text::CleanStr;

/// Something in a journal that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The first line (`lseq`) that is concerned.
    pub line: u64,
    /// The entry there, where it is known.
    pub entry: Option<EntryId>,
    /// What is wrong with it.
    pub what: What,
}

/// The kinds of damage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// The file cannot be read from here up to this line.
    Unreadable {
        /// The last line that is concerned.
        to: u64,
        /// What SQLite said.
        reason: String,
    },
    /// The line holds no entry that this build can read.
    NotAnEntry(String),
    /// The line's columns and the entry in it disagree about this.
    Disagrees(&'static str),
    /// The entry is not the one that the next one, or the head, was chained to.
    Changed,
    /// So many entries before this one are missing.
    Missing(u64),
    /// This number came before.
    Repeated,
    /// SQLite's own check found this.
    Structure(String),
}

impl fmt::Display for Damage {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.entry {
            Some(id) if self.line > 0 => write!(out, "entry {} (line {}, {id}) ", id.rseq, self.line)?,
            Some(id) => write!(out, "entry {} ({id}) ", id.rseq)?,
            None if self.line > 0 => write!(out, "line {} ", self.line)?,
            None => write!(out, "the file ")?,
        }
        match &self.what {
            What::Unreadable { to, reason } => write!(out, "up to line {to} cannot be read: {reason}"),
            What::NotAnEntry(reason) => write!(out, "is not an entry that this build can read: {reason}"),
            What::Disagrees(column) => write!(out, "does not agree with its column `{column}`"),
            What::Changed => write!(out, "was changed after it was written: its hash does not fit"),
            What::Missing(1) => write!(out, "stands after a gap: the entry before it is missing"),
            What::Missing(count) => write!(out, "stands after a gap: {count} entries before it are missing"),
            What::Repeated => write!(out, "is out of order or a second one of this number"),
            What::Structure(reason) => write!(out, "does not pass SQLite's check: {reason}"),
        }
    }
}

/// The columns of one line, as they are in the file; nothing about them is certain.
pub(super) struct Row {
    pub(super) line: i64,
    rid: i64,
    rseq: i64,
    hlc: i64,
    wall: i64,
    kind: Box<[u8]>,
    prev: Box<[u8]>,
    pub(super) entry: Box<[u8]>,
}

/// The entry in a line, and what does not fit.
pub(super) type Parsed = (Option<Entry>, Option<Damage>);

/// So many lines take longer to parse than a thread to start (about 50 µs).
const WORTH_A_THREAD: usize = 200;

/// The columns that a [`Row`] is read from, in its order.
pub(super) const COLUMNS: &str = "lseq, rid, rseq, hlc, wall, kind, prev, entry";

impl Row {
    pub(super) fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        let number =
            |index| row.get_ref(index).map(|value| if let ValueRef::Integer(value) = value { value } else { -1 });
        let bytes = |index| {
            row.get_ref(index).map(|value| match value {
                ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Box::from(bytes),
                ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) => Box::default(),
            })
        };
        Ok(Self {
            line: number(0)?,
            rid: number(1)?,
            rseq: number(2)?,
            hlc: number(3)?,
            wall: number(4)?,
            kind: bytes(5)?,
            prev: bytes(6)?,
            entry: bytes(7)?,
        })
    }

    fn id(&self) -> Option<EntryId> {
        Some(EntryId { rid: u64::try_from(self.rid).ok()?, rseq: u64::try_from(self.rseq).ok()? })
    }

    fn damaged(&self, what: What) -> Damage {
        Damage { line: unsigned(self.line), entry: self.id(), what }
    }

    /// The entry in the line, and what does not fit.
    fn parse(&self) -> Parsed {
        let entry = match std::str::from_utf8(&self.entry) {
            Err(_) => return (None, Some(self.damaged(What::NotAnEntry("it is not UTF-8".to_owned())))),
            Ok(json) => match Entry::from_json(json) {
                Err(error) => {
                    let reason = CleanStr::new(&error.to_string()).to_string();
                    return (None, Some(self.damaged(What::NotAnEntry(reason))));
                }
                Ok(entry) => entry,
            },
        };
        let column = if Some(entry.id) != self.id() {
            Some("rid or rseq")
        } else if i64::try_from(entry.hlc.0) != Ok(self.hlc) {
            Some("hlc")
        } else if entry.wall.timestamp_millis() != self.wall {
            Some("wall")
        } else if *entry.event.kind().as_bytes() != *self.kind {
            Some("kind")
        } else if *entry.prev.as_bytes() != *self.prev {
            Some("prev")
        } else {
            None
        };
        (Some(entry), column.map(|column| self.damaged(What::Disagrees(column))))
    }
}

pub(super) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// Follows the lines of a file from one to the next.
#[derive(Debug, Default)]
pub(super) struct Chain {
    ends: Vec<End>,
    /// The last line that was followed.
    at: i64,
    /// Whether this chain saw the file from its first line on.
    whole: bool,
    /// The last line that was reported: one damage shows in several ways.
    reported: Option<u64>,
    care: Care,
}

/// How closely lines are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(super) enum Care {
    /// Entries, columns and gaps: what a console needs before it can show anything.
    #[default]
    Read,
    /// The same, and hashes.
    Both,
}

#[derive(Debug)]
struct End {
    rid: i64,
    rseq: i64,
    line: i64,
    hash: Option<blake3::Hash>,
}

impl Chain {
    /// A chain that expects the line after this one.
    pub(super) fn after(line: i64, care: Care) -> Self {
        Self { ends: Vec::new(), at: line, whole: line == 0, reported: None, care }
    }

    pub(super) fn at(&self) -> i64 {
        self.at
    }

    /// Passes over lines that cannot be read.
    pub(super) fn skip_to(&mut self, line: i64) {
        self.at = line;
    }

    /// What the lines hold, as far as this chain looks into them.
    pub(super) fn parse(&self, rows: &[Row]) -> Vec<Parsed> {
        match self.care {
            Care::Read | Care::Both if rows.len() < WORTH_A_THREAD => rows.iter().map(Row::parse).collect(),
            // A console that opens waits for this: the second half is read beside the first.
            Care::Read | Care::Both => std::thread::scope(|scope| {
                let (first, second) = rows.split_at(rows.len() / 2);
                let work = || second.iter().map(Row::parse).collect::<Vec<_>>();
                let beside = std::thread::Builder::new().spawn_scoped(scope, work);
                let mut parsed: Vec<_> = first.iter().map(Row::parse).collect();
                parsed.extend(match beside {
                    Ok(second) => second.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
                    // No thread is to be had: one after the other.
                    Err(_) => work(),
                });
                parsed
            }),
        }
    }

    /// Takes the next line with what it holds; whatever is wrong with it or shown by it goes to `damage`.
    pub(super) fn follow(&mut self, row: &Row, parsed: Parsed, damage: &mut Vec<Damage>) -> Option<Entry> {
        let (entry, wrong) = parsed;
        let hash = match self.care {
            Care::Both => Some(blake3::hash(&row.entry)),
            Care::Read => None,
        };
        let broken = match self.ends.iter().position(|end| end.rid == row.rid) {
            None if !self.whole || (row.rseq == 1 && row.prev.is_empty()) => None,
            None if row.rseq > 1 => Some(row.damaged(What::Missing(unsigned(row.rseq - 1)))),
            None => Some(row.damaged(What::Disagrees("prev"))),
            Some(place) => {
                let end = self.ends.swap_remove(place);
                if row.rseq <= end.rseq {
                    Some(row.damaged(What::Repeated))
                } else if row.rseq > end.rseq + 1 {
                    Some(row.damaged(What::Missing(unsigned(row.rseq - end.rseq - 1))))
                } else if end.hash.is_some_and(|hash| *row.prev != *hash.to_hex().as_bytes()) {
                    Some(end.changed())
                } else {
                    None
                }
            }
        };
        for found in broken.into_iter().chain(wrong) {
            if self.reported != Some(found.line) {
                self.reported = Some(found.line);
                damage.push(found);
            }
        }
        self.ends.push(End { rid: row.rid, rseq: row.rseq, line: row.line, hash });
        self.at = row.line;
        entry
    }

    /// Whether the newest entry of an origin is the one that the head names.
    pub(super) fn close(&self, rid: i64, head: &str) -> Option<Damage> {
        let end = self.ends.iter().find(|end| end.rid == rid)?;
        let differs = end.hash.is_some_and(|hash| hash.to_hex().as_str() != head);
        (differs && self.reported != Some(unsigned(end.line))).then(|| end.changed())
    }

    /// The newest entry that was followed.
    pub(super) fn newest(&self) -> Option<EntryId> {
        let end = self.ends.iter().max_by_key(|end| end.line)?;
        Some(EntryId { rid: unsigned(end.rid), rseq: unsigned(end.rseq) })
    }
}

impl End {
    fn changed(&self) -> Damage {
        let entry = EntryId { rid: unsigned(self.rid), rseq: unsigned(self.rseq) };
        Damage { line: unsigned(self.line), entry: Some(entry), what: What::Changed }
    }
}
