//! The SQLite file of one incident.
//!
//! Hides pragmas, transactions, the hash chain's head and the hybrid clock; drafts are next door in `draft`.
//!
//! Invariant: `append` returns after the commit is on stable storage (WAL, `synchronous=FULL`, asserted at opening) and the doorbell rang; numbers
//! of one origin are dense; the clock of the file never goes back.

use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, Datelike, SubsecRound, Utc};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, Transaction, TransactionBehavior, params};

use super::bell::{Bell, Watch};
use super::chain::{COLUMNS, Care, Chain, Damage, Row, What, unsigned};
use super::directory::with_suffix;
use super::folder::above;
use super::ground::{Ground, has_whole_memory};
use super::schema::{self, TABLES};
use super::snapshot::{self, Stamp};
use super::{Journal, JournalError, Ledger, NewEntry, Tail, ordinary};
use crate::clock;
use crate::incident::{ENTRY_VERSION, Entry, EntryId, Hlc, IncidentId, Via};
use crate::text::CleanStr;
use crate::text::half_typed::HalfTyped;

/// The version of the schema that this build writes and reads.
pub const SCHEMA: i64 = 1;

/// Before this one, two connections could corrupt a file in WAL mode (3.7.0 to 3.51.2).
const OLDEST_SQLITE: i32 = 3_051_003;

/// How long a process waits for another one's transaction.
const BUSY: Duration = Duration::from_secs(5);

/// One process's hold on the journal of one incident.
pub struct SqliteJournal {
    pub(super) db: Connection,
    /// Why it can only be read, and how its files were when they were copied.
    only_read: Option<(String, Option<Stamp>)>,
    /// It only reads, because the disk was full when it was opened; the first write tries again.
    is_asleep: bool,
    /// SQLite's count of changes to the schema when that was found to be ours.
    schema: i64,
    pub(super) path: PathBuf,
    id: IncidentId,
    pub(super) via: Via,
    pub(super) now: Box<dyn Fn() -> DateTime<Utc> + Send>,
    chain: Chain,
    bell: Option<Bell>,
    ledger: Option<Ledger>,
    watch: Option<Watch>,
    ground: Option<Ground>,
}

impl std::fmt::Debug for SqliteJournal {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("SqliteJournal").field("path", &self.path).finish_non_exhaustive()
    }
}

/// One thing to write; several share a transaction.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Work {
    /// Entries.
    Append(Vec<NewEntry>),
    /// A console's half-typed text; empty when there is none any more.
    Draft {
        /// Whose text.
        actor: String,
        /// The text.
        text: String,
    },
    /// What is half-typed in a form of a console; nothing when there is none any more.
    Form {
        /// Whose text.
        actor: String,
        /// The form's name.
        form: String,
        /// What is typed there.
        half: Option<HalfTyped>,
    },
    /// Nothing but proof that writing works.
    Probe,
}

impl SqliteJournal {
    /// Opens a file, and makes its tables where it is new.
    pub(super) fn open(path: &Path, id: IncidentId, via: Via) -> Result<Self, JournalError> {
        let (db, is_asleep) = match connect(path) {
            Ok(db) => (db, false),
            // What is there can be read all the same.
            Err(full @ (JournalError::Full { .. } | JournalError::Refused { .. } | JournalError::Unread { .. })) => {
                (peek(path).ok_or(full)?, true)
            }
            Err(error) => return Err(error),
        };
        let bell = Bell::open(&with_suffix(path, ".bell"));
        let schema = changes_of_schema(&db).map_err(JournalError::sqlite(path))?;
        schema::refuse_foreign(&db, path)?;
        let ground = (!is_asleep).then(|| Ground::of(path));
        Ok(Self {
            db,
            only_read: None,
            is_asleep,
            schema,
            path: path.to_owned(),
            id,
            via,
            now: Box::new(clock::wall),
            chain: Chain::after(0, Care::Read),
            bell,
            ledger: None,
            watch: None,
            ground,
        })
    }

    /// Opens a file that can only be read, for the reason given.
    pub(super) fn reading(path: &Path, id: IncidentId, via: Via, why: String) -> Result<Self, JournalError> {
        let (db, stamp) = read_only(path)?;
        let schema = changes_of_schema(&db).map_err(JournalError::sqlite(path))?;
        schema::refuse_foreign(&db, path)?;
        Ok(Self {
            db,
            only_read: Some((why, stamp)),
            is_asleep: false,
            schema,
            path: path.to_owned(),
            id,
            via,
            now: Box::new(clock::wall),
            chain: Chain::after(0, Care::Read),
            bell: None,
            ledger: None,
            watch: None,
            ground: None,
        })
    }

    /// Reads anew where it reads a copy, and somebody who may has written since.
    fn renew(&mut self) -> Result<(), JournalError> {
        if let Some((_, stamp @ Some(_))) = &mut self.only_read
            && *stamp != Some(snapshot::stamp(&self.path))
        {
            (self.db, *stamp) = read_only(&self.path)?;
            self.schema = changes_of_schema(&self.db).map_err(JournalError::sqlite(&self.path))?;
            schema::refuse_foreign(&self.db, &self.path)?;
        }
        Ok(())
    }

    /// Reads the time from another clock.
    #[must_use]
    pub fn with_clock(mut self, now: impl Fn() -> DateTime<Utc> + Send + 'static) -> Self {
        self.now = Box::new(now);
        self
    }

    pub(super) fn noted_in(mut self, ledger: Option<Ledger>) -> Self {
        self.ledger = ledger;
        self
    }

    /// The incident.
    pub fn id(&self) -> IncidentId {
        self.id
    }

    /// Why it can only be read, where that is so.
    pub fn only_read(&self) -> Option<&str> {
        self.only_read.as_ref().map(|(why, _)| why.as_str())
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// All entries that can be read, in the order of arrival, and what was wrong on the way, hashes included.
    pub fn all(&mut self) -> Result<(Vec<Entry>, Vec<Damage>), JournalError> {
        let (mut entries, mut damage, mut after) = (Vec::new(), Vec::new(), 0);
        self.chain = Chain::after(0, Care::Both);
        loop {
            let tail = self.tail(after, 4096)?;
            entries.extend(tail.entries.into_iter().map(|(_, entry)| entry));
            damage.extend(tail.damage);
            after = tail.to;
            if !tail.more {
                damage.extend(self.check_head(&self.chain)?);
                super::redact::excuse(&self.db, &mut damage).map_err(JournalError::sqlite(&self.path))?;
                return Ok((entries, damage));
            }
        }
    }

    /// The entries that a list of records needs: what the incident is, how bad, where it stands, who has which role, and what is due next, which
    /// a `todo` line can be too; and what of them cannot be read, because a list must not tell what is missing as if it
    /// had never been. Ten thousand other notes are passed over unread.
    pub fn landmarks(&mut self) -> Result<(Vec<Entry>, Vec<Damage>), JournalError> {
        let (mut entries, mut damage) = (Vec::new(), Vec::new());
        match self.read_landmarks(&mut entries, &mut damage) {
            Ok(()) => {}
            // What stands before the page that is broken is good.
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt) => {
                damage.push(Damage { line: 0, entry: None, what: What::Structure(error.to_string()) });
            }
            Err(error) => return Err(JournalError::sqlite(&self.path)(error)),
        }
        Ok((entries, damage))
    }

    fn read_landmarks(&self, entries: &mut Vec<Entry>, damage: &mut Vec<Damage>) -> rusqlite::Result<()> {
        let mut read = self.db.prepare_cached(
            r#"SELECT lseq, rid, rseq, CASE WHEN octet_length(entry) < 8000000 THEN entry END FROM ev
             WHERE octet_length(entry) >= 8000000 OR octet_length(kind) >= 100 OR (kind NOT LIKE 'step-%'
             AND (kind NOT LIKE 'note-%' OR (kind = 'note-added' AND entry LIKE '%"kind":"todo"%'))
             AND kind NOT IN ('evidence-pinned', 'clock-jumped', 'clock-skewed', 'playbook-frozen')) ORDER BY lseq"#,
        )?;
        let mut rows = read.query([])?;
        while let Some(row) = rows.next()? {
            let why = match row.get_ref(3)? {
                ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
                    Ok(json) => match Entry::from_json(json) {
                        Ok(entry) => {
                            entries.push(entry);
                            continue;
                        }
                        Err(error) => CleanStr::new(&error.to_string()).to_string(),
                    },
                    Err(_) => "it is not UTF-8".to_owned(),
                },
                ValueRef::Null => format!("it is larger than {} MiB, which no entry is", schema::MOST_ROW >> 20),
                ValueRef::Blob(_) | ValueRef::Integer(_) | ValueRef::Real(_) => "it is no text".to_owned(),
            };
            let (line, rid, rseq) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let entry = Some(EntryId { rid: unsigned(rid), rseq: unsigned(rseq) });
            damage.push(Damage { line: unsigned(line), entry, what: What::NotAnEntry(why) });
        }
        Ok(())
    }

    /// Refuses what somebody has put beside our tables since they were looked at last.
    fn check_schema(&mut self) -> Result<(), JournalError> {
        let now = changes_of_schema(&self.db).map_err(JournalError::sqlite(&self.path))?;
        if now != self.schema {
            schema::refuse_foreign(&self.db, &self.path)?;
            self.schema = now;
        }
        Ok(())
    }

    /// Whether the newest entry is the one that was written last.
    fn check_head(&self, chain: &Chain) -> Result<Option<Damage>, JournalError> {
        // One statement is one snapshot. Somebody may have written since the last line that was read: then it is too early to say.
        let head: Option<(i64, String, i64)> = self
            .db
            .prepare_cached(
                "SELECT r.v, h.v, (SELECT coalesce(max(lseq), 0) FROM ev) FROM meta r, meta h WHERE r.k = 'rid' AND h.k = 'head'",
            )
            .and_then(|mut read| read.query_row([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional())
            .map_err(JournalError::sqlite(&self.path))?;
        Ok(head.and_then(|(rid, head, last)| if last > chain.at() { None } else { chain.close(rid, &head) }))
    }

    /// Does several things in one transaction; returns the new entries when all of it is on stable storage.
    pub(super) fn commit(&mut self, work: &[Work]) -> Result<Vec<Entry>, JournalError> {
        let wall = (self.now)().trunc_subsecs(3);
        let path = self.path.clone();
        let wrong = JournalError::sqlite(&path);
        let mut entries = Vec::new();
        if let Some((why, _)) = &self.only_read {
            return Err(JournalError::OnlyRead { path: self.path.clone(), why: why.clone() });
        }
        if self.is_asleep {
            self.db = connect(&self.path)?;
            self.is_asleep = false;
            self.ground = Some(Ground::of(&self.path));
        }
        self.is_in_place()?;
        let _writing = super::still::writing();
        let tx = self.db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(&wrong)?;
        // From here on nobody else can change the file.
        let schema = changes_of_schema(&tx).map_err(&wrong)?;
        if schema != self.schema {
            schema::refuse_foreign(&tx, &self.path)?;
            self.schema = schema;
        }
        for item in work {
            match item {
                Work::Append(new) => {
                    let stamped = new.iter().map(|new| (&self.via, wall, new));
                    entries.extend(insert(&tx, &self.path, self.id, stamped, mint)?);
                }
                Work::Draft { actor, text } => {
                    super::draft::save(&tx, &self.via.console, actor, text, wall).map_err(&wrong)?;
                }
                Work::Form { actor, form, half } => {
                    super::draft::save_form(&tx, &self.via.console, actor, form, half.as_ref(), wall)
                        .map_err(&wrong)?;
                }
                Work::Probe => put(&tx, "probe", wall.timestamp_millis()).map_err(&wrong)?,
            }
        }
        // Before they are there: whoever finds this process gone, killed in between, must find this too. What is noted and was never committed vouches
        // for nothing but the same words.
        if let Some(ledger) = self.ledger.as_ref().filter(|_| !entries.is_empty()) {
            ledger.note(&entries);
        }
        tx.commit().map_err(&wrong)?;
        // Between the two looks it was where it belongs.
        self.is_in_place()?;
        if !entries.is_empty() {
            self.ring();
        }
        Ok(entries)
    }

    /// Whether what is written now will be found under the record's name.
    pub(super) fn is_in_place(&mut self) -> Result<(), JournalError> {
        self.ground.as_mut().map_or(Ok(()), Ground::check)
    }

    /// Wakes the other processes; they look by themselves every few seconds too.
    pub(super) fn ring(&self) {
        if let Some(bell) = &self.bell {
            bell.ring();
        }
    }
}

impl Drop for SqliteJournal {
    fn drop(&mut self) {
        // Closing would touch it, too. The system takes back what a process leaves.
        if self.ground.as_ref().is_some_and(|ground| ground.check_memory().is_err())
            && let Ok(empty) = Connection::open_in_memory()
        {
            std::mem::forget(std::mem::replace(&mut self.db, empty));
        }
    }
}

impl Journal for SqliteJournal {
    fn append(&mut self, new: &[NewEntry]) -> Result<Vec<Entry>, JournalError> {
        self.commit(&[Work::Append(new.to_vec())])
    }

    fn tail(&mut self, after: u64, max: usize) -> Result<Tail, JournalError> {
        let after = i64::try_from(after).unwrap_or(i64::MAX);
        if self.chain.at() != after {
            self.chain = Chain::after(after, Care::Read);
        }
        self.ground.as_ref().map_or(Ok(()), Ground::check_memory)?;
        self.renew()?;
        self.check_schema()?;
        let mut tail = Tail::default();
        read_on(&self.db, &mut self.chain, max, &mut tail, &mut |_| ()).map_err(JournalError::sqlite(&self.path))?;
        Ok(tail)
    }

    fn wait(&mut self, timeout: Duration) -> bool {
        match &self.watch {
            Some(watch) => watch.wait(None, timeout).bell,
            None => {
                self.watch = Some(Watch::new(&with_suffix(&self.path, ".bell"), None));
                true
            }
        }
    }
}

/// Reads lines on from where the chain is, over pages that cannot be read; shows each line as it is stored.
pub(super) fn read_on(
    db: &Connection,
    chain: &mut Chain,
    max: usize,
    tail: &mut Tail,
    see: &mut dyn FnMut(&[u8]),
) -> rusqlite::Result<()> {
    let read = read(db, chain, max, tail, see);
    let from = chain.at();
    tail.to = unsigned(from);
    let Err(error) = read else { return Ok(()) };
    let too_big = error.sqlite_error_code() == Some(ErrorCode::TooBig);
    if too_big || error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt) {
        let Some(good) = readable_after(db, from) else { return Err(error) };
        chain.skip_to(good);
        let reason = if too_big {
            format!("it is larger than {} MiB, which no entry is", schema::MOST_ROW >> 20)
        } else {
            error.to_string()
        };
        let what = What::Unreadable { to: unsigned(good), reason };
        tail.damage.push(Damage { line: unsigned(from + 1), entry: None, what });
        tail.to = unsigned(good);
        tail.more = true;
        return Ok(());
    }
    if tail.entries.is_empty() {
        return Err(error);
    }
    // What was read before the failure is good: the next call meets the failure again, if it lasts.
    tail.more = true;
    Ok(())
}

fn read(
    db: &Connection,
    chain: &mut Chain,
    max: usize,
    tail: &mut Tail,
    see: &mut dyn FnMut(&[u8]),
) -> rusqlite::Result<()> {
    let limit = i64::try_from(max).unwrap_or(i64::MAX);
    let mut read = db.prepare_cached(&format!("SELECT {COLUMNS} FROM ev WHERE lseq > ?1 ORDER BY lseq LIMIT ?2"))?;
    let mut rows = read.query([chain.at(), limit])?;
    tail.entries.reserve(max.min(1024));
    let mut lines: Vec<Row> = Vec::with_capacity(max.min(1024));
    let end = loop {
        match rows.next().and_then(|row| row.map(Row::read).transpose()) {
            Err(error) => break Err(error),
            Ok(None) => break Ok(()),
            Ok(Some(row)) if row.line <= lines.last().map_or(chain.at(), |last| last.line) => {
                // A damaged key: going back would read the same lines for ever.
                let corrupt = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
                break Err(rusqlite::Error::SqliteFailure(corrupt, Some("its lines are out of order".to_owned())));
            }
            Ok(Some(row)) => lines.push(row),
        }
    };
    let count = lines.len();
    for (row, parsed) in lines.iter().zip(chain.parse(&lines)) {
        see(&row.entry);
        if let Some(entry) = chain.follow(row, parsed, &mut tail.damage) {
            tail.entries.push((unsigned(row.line), entry));
        }
    }
    end?;
    tail.more = count == max;
    Ok(())
}

/// The first line after which reading works again, when a page in between does not: galloping, then halving.
fn readable_after(db: &Connection, after: i64) -> Option<i64> {
    let last: i64 = db.query_row("SELECT coalesce(max(lseq), 0) FROM ev", [], |row| row.get(0)).ok()?;
    let works = |after: i64| {
        let sql = "SELECT entry FROM ev WHERE lseq > ?1 ORDER BY lseq LIMIT 1";
        db.query_row(sql, [after], |row| row.get_ref(0).map(|_| ())).optional().is_ok()
    };
    let (mut bad, mut step) = (after, 1);
    let mut good = loop {
        let next = after.checked_add(step)?;
        if next >= last {
            break last;
        }
        if works(next) {
            break next;
        }
        bad = next;
        step *= 2;
    };
    while good - bad > 1 {
        let middle = bad + (good - bad) / 2;
        if works(middle) {
            good = middle;
        } else {
            bad = middle;
        }
    }
    (good > after).then_some(good)
}

/// Stamps entries and writes them, within a transaction.
pub(super) fn insert<'a>(
    tx: &Transaction<'_>,
    path: &Path,
    inc: IncidentId,
    new: impl Iterator<Item = (&'a Via, DateTime<Utc>, &'a NewEntry)>,
    mint: impl Fn() -> std::io::Result<i64>,
) -> Result<Vec<Entry>, JournalError> {
    let wrong = JournalError::sqlite(path);
    let rid = match get(tx, "rid").map_err(&wrong)? {
        Some(rid) => rid,
        None => {
            let rid = mint().map_err(JournalError::io("drawing a random number for", path))?;
            put(tx, "rid", rid).map_err(&wrong)?;
            rid
        }
    };
    let mut rseq: i64 = tx
        .prepare_cached("SELECT coalesce(max(rseq), 0) FROM ev WHERE rid = ?1")
        .and_then(|mut read| read.query_row([rid], |row| row.get(0)))
        .map_err(&wrong)?;
    // The head, not the hash of the last line: were that line changed, building on it would hide the change.
    let mut prev: String = get(tx, "head").map_err(&wrong)?.unwrap_or_default();
    let clock: Option<i64> = match get(tx, "hlc").map_err(&wrong)? {
        Some(clock) => Some(clock),
        None => tx.query_row("SELECT max(hlc) FROM ev", [], |row| row.get(0)).map_err(&wrong)?,
    };
    let mut hlc = Hlc(unsigned(clock.unwrap_or(0)));
    let mut write = tx
        .prepare_cached("INSERT INTO ev(rid, rseq, hlc, wall, kind, entry, prev) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")
        .map_err(&wrong)?;
    let mut entries = Vec::new();
    for (via, wall, new) in new {
        rseq += 1;
        hlc = hlc.next(wall);
        let column = i64::try_from(hlc.0).map_err(|_| JournalError::Clock { year: wall.year() })?;
        let entry = Entry {
            v: ENTRY_VERSION,
            inc,
            id: EntryId { rid: unsigned(rid), rseq: unsigned(rseq) },
            hlc,
            wall,
            actor: new.actor.clone(),
            via: via.clone(),
            event: new.event.clone(),
            after: new.after,
            prev: std::mem::take(&mut prev),
        };
        let json = entry.to_json();
        write
            .execute(params![rid, rseq, column, wall.timestamp_millis(), entry.event.kind(), json, entry.prev])
            .map_err(&wrong)?;
        prev = blake3::hash(json.as_bytes()).to_hex().to_string();
        entries.push(entry);
    }
    if let Some(last) = entries.last() {
        put(tx, "head", &prev).map_err(&wrong)?;
        put(tx, "hlc", i64::try_from(last.hlc.0).unwrap_or(i64::MAX)).map_err(&wrong)?;
    }
    Ok(entries)
}

fn mint() -> std::io::Result<i64> {
    // 63 bits, because SQLite's integers are signed.
    Ok(i64::from_ne_bytes(super::random()?.to_ne_bytes()) & i64::MAX)
}

pub(super) fn get<T: rusqlite::types::FromSql>(db: &Connection, key: &str) -> rusqlite::Result<Option<T>> {
    db.prepare_cached("SELECT v FROM meta WHERE k = ?1")?.query_row([key], |row| row.get(0)).optional()
}

fn put(db: &Connection, key: &str, value: impl rusqlite::ToSql) -> rusqlite::Result<()> {
    db.prepare_cached("INSERT INTO meta(k, v) VALUES (?1, ?2) ON CONFLICT(k) DO UPDATE SET v = excluded.v")?
        .execute(params![key, value])
        .map(|_| ())
}

pub(super) fn schema_of(db: &Connection) -> rusqlite::Result<i64> {
    db.query_row("PRAGMA user_version", [], |row| row.get(0))
}

/// How often the schema was changed; SQLite keeps count of it in the file.
fn changes_of_schema(db: &Connection) -> rusqlite::Result<i64> {
    db.query_row("PRAGMA schema_version", [], |row| row.get(0))
}

pub(super) fn refuse_newer(path: &Path, found: i64) -> Result<(), JournalError> {
    if found > SCHEMA { Err(JournalError::Newer { path: path.to_owned(), found, known: SCHEMA }) } else { Ok(()) }
}

/// A connection that may read and write, with the tables where the file is new.
fn connect(path: &Path) -> Result<Connection, JournalError> {
    ordinary::refuse_others(path)?;
    let wrong = JournalError::sqlite(path);
    // No memory-mapped reads: a disk error there is a signal, not an error code. No mutex: a connection stays with one thread at a time.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut db = Connection::open_with_flags(path, flags).map_err(&wrong)?;
    db.busy_timeout(BUSY).map_err(&wrong)?;
    schema::harden(&db).map_err(&wrong)?;
    let version = schema_of(&db).map_err(&wrong)?;
    refuse_newer(path, version)?;
    write_ahead(&db).map_err(&wrong)?;
    db.execute_batch(
        "PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=1000; PRAGMA mmap_size=0; PRAGMA cell_size_check=ON; PRAGMA trusted_schema=OFF; PRAGMA secure_delete=ON;",
    )
    .map_err(&wrong)?;
    assert_durable(&db, path)?;
    if version < SCHEMA {
        let _writing = super::still::writing();
        let tx = db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(&wrong)?;
        // Somebody else may have been faster.
        let version = schema_of(&tx).map_err(&wrong)?;
        refuse_newer(path, version)?;
        if version < SCHEMA {
            tx.execute_batch(TABLES).map_err(&wrong)?;
            tx.pragma_update(None, "user_version", SCHEMA).map_err(&wrong)?;
        }
        tx.commit().map_err(&wrong)?;
    }
    Ok(db)
}

/// A connection that writes nothing: to the file itself while somebody has it open, else to a copy in memory, with how the file was.
pub(super) fn read_only(path: &Path) -> Result<(Connection, Option<Stamp>), JournalError> {
    if let Some(db) = live(path) {
        return Ok((db, None));
    }
    let (db, stamp) = snapshot::open(path)?;
    refuse_newer(path, schema_of(&db).map_err(JournalError::sqlite(path))?)?;
    Ok((db, Some(stamp)))
}

/// A connection to a file that somebody else has open and lets us read along.
fn live(path: &Path) -> Option<Connection> {
    if !has_whole_memory(path) || ordinary::refuse_others(path).is_err() {
        return None;
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let db = Connection::open_with_flags(format!("file:{}?mode=ro&readonly_shm=1", uri(path)?), flags).ok()?;
    db.busy_timeout(BUSY).ok()?;
    schema::harden(&db).ok()?;
    schema::has_tables(&db).ok()?;
    (schema_of(&db).ok()? == SCHEMA).then_some(db)
}

fn uri(path: &Path) -> Option<String> {
    let path = std::path::absolute(path).ok()?;
    Some(path.to_str()?.replace('%', "%25").replace('?', "%3f").replace('#', "%23"))
}

/// A connection that reads a file which nobody writes, where the disk has no room for a log beside it; nothing while there is such a log.
fn peek(path: &Path) -> Option<Connection> {
    let log = with_suffix(path, "-wal");
    if above(&log).and_then(|(folder, name)| folder.look(name)).is_ok_and(|log| log.st_size > 0) {
        return None;
    }
    ordinary::refuse_others(path).ok()?;
    let name = uri(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let db = Connection::open_with_flags(format!("file:{name}?immutable=1"), flags).ok()?;
    schema::harden(&db).ok()?;
    (schema_of(&db).ok()? == SCHEMA).then_some(db)
}

/// Turns the write-ahead log on; SQLite does not wait here when two processes do it at once, so we do.
fn write_ahead(db: &Connection) -> rusqlite::Result<()> {
    let mut patience = 200;
    loop {
        let mode: rusqlite::Result<String> = db.query_row("PRAGMA journal_mode=WAL", [], |row| row.get(0));
        match mode {
            Ok(_) => return Ok(()),
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) && patience > 0 => {
                patience -= 1;
                std::thread::sleep(Duration::from_millis(10));
            }
            Err(error) => return Err(error),
        }
    }
}

fn assert_durable(db: &Connection, path: &Path) -> Result<(), JournalError> {
    let wrong = JournalError::sqlite(path);
    let broken = |promise| Err(JournalError::Unsafe { path: path.to_owned(), promise });
    if rusqlite::version_number() < OLDEST_SQLITE {
        return broken("SQLite is older than 3.51.3, which can corrupt a shared file");
    }
    let mode: String = db.query_row("PRAGMA journal_mode", [], |row| row.get(0)).map_err(&wrong)?;
    if mode != "wal" {
        return broken("SQLite has no write-ahead log here");
    }
    let synchronous: i64 = db.query_row("PRAGMA synchronous", [], |row| row.get(0)).map_err(&wrong)?;
    if synchronous != 2 {
        return broken("SQLite does not wait for the disk");
    }
    Ok(())
}
