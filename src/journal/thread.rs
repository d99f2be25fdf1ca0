//! The journal's side of the loop: requests go in without waiting, news come out.
//!
//! Hides two threads: a writer that groups what is queued into one commit, and a watcher that reads what anybody on this host has written and tells
//! who is there.
//!
//! Invariant: nothing here blocks the loop; an append is answered `Saved` only when it is on stable storage, and `NotSaved` otherwise, never
//! tried again behind a person's back; entries come in the order of the file, own and foreign alike, each once.

use std::collections::BTreeMap;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender, TrySendError};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use chrono::{DateTime, Utc};
use rustix::event::{PollFd, PollFlags, Timespec};
use tokio::sync::mpsc::Sender;
use tokio::sync::mpsc::error::TrySendError as NewsError;

use super::bell::Watch;
use super::directory::with_suffix;
use super::ground::is_broken;
use super::presence::{Seat, Seats};
use super::sound::stamp;
use super::sqlite::Work;
use super::stall::Stall;
use super::{Damage, Journal, JournalDir, JournalError, Ledger, NewEntry, Noted, Presence, SqliteJournal, verify};
use crate::clock;
use crate::incident::{Actor, Entry, EntryId, IncidentId, Stamp, Via};
use crate::text::half_typed::HalfTyped;
use crate::text::{CleanStr, CleanText};

/// How many requests may wait; more are refused at the door.
const QUEUE: usize = 256;
/// How many requests one commit takes at most. Nothing waits for company: while one commit is on its way, the next group gathers.
const GROUP: usize = 64;
/// How many lines one piece of news carries at most.
const PIECE: usize = 1000;
/// How often an idle writer looks whether its file still is where it was.
const GUARD: Duration = Duration::from_secs(2);
/// How often an unwritable journal is tried again.
const RETRY: Duration = Duration::from_secs(5);
/// How often the watcher looks without having heard the bell.
const LOOK: Duration = Duration::from_secs(4);
/// The same where the system has no listener left for us.
const LOOK_DEAF: Duration = Duration::from_secs(1);
/// Files that were touched are looked at as a whole again, at most so often: a row that somebody changes in its place is new to no reader.
const RECHECK: Duration = Duration::from_secs(20);
/// A dying process closes its files a moment before it drops their locks.
const DYING: Duration = Duration::from_millis(30);
/// How often a full channel is tried again.
const FULL: Duration = Duration::from_millis(5);

/// Who sits at this console.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Me {
    /// The person.
    pub actor: Actor,
    /// The console.
    pub via: Via,
    /// The role whose layout it shows.
    pub layout: CleanStr,
    /// It sends nothing to other systems.
    pub is_dry: bool,
}

/// What the loop asks of the journal.
#[derive(Clone, Debug, PartialEq)]
pub enum Request {
    /// Write entries, all or none; the answer names the ticket.
    Append {
        /// Chosen by whoever asks.
        ticket: u64,
        /// What to write.
        entries: Vec<NewEntry>,
        /// They are what was half-typed: the draft goes in the same transaction, so that no crash in between brings it back.
        settles_draft: bool,
    },
    /// Keep what is typed so far.
    SaveDraft(String),
    /// What was typed is sent or thrown away.
    ClearDraft,
    /// Keep what is half-typed in a form, or forget it.
    KeepForm {
        /// The form's name.
        form: String,
        /// What is typed there.
        half: Option<HalfTyped>,
    },
    /// This console shows another role's layout.
    SetLayout(CleanStr),
    /// Take the words of an entry out of the file; after the entry that says so. A failure comes as [`News::Damaged`].
    Redact(EntryId),
    /// Write what was accepted before, then end.
    Close,
}

/// What the journal tells the loop.
#[derive(Clone, Debug, PartialEq)]
pub enum News {
    /// The journal is open; a draft of this person, whose console is gone, came with it. The first news.
    Opened {
        /// What they had typed, and since when.
        draft: Option<(CleanText, DateTime<Utc>)>,
    },
    /// What this person had half-typed in forms came with it: here before, or in consoles that are gone.
    HalfTyped(Vec<(String, HalfTyped)>),
    /// The journal cannot be opened; the threads have ended.
    Failed(CleanStr),
    /// Entries in the order of the file, own and foreign alike. `caught_up` says that no more are waiting; the first load ends with it, even
    /// when the journal is empty.
    Entries {
        /// The entries.
        entries: Vec<Entry>,
        /// Whether these are all for now.
        caught_up: bool,
    },
    /// These entries are on stable storage.
    Saved {
        /// Whose answer it is.
        ticket: u64,
        /// What the commit made of them, in the order in which they were asked for.
        stamps: Vec<Stamp>,
    },
    /// These entries were not written, none of them.
    NotSaved {
        /// Whose answer it is.
        ticket: u64,
        /// Why, and what to do.
        reason: CleanStr,
    },
    /// Nothing can be written until somebody helps; tried again every few seconds.
    Unwritable(CleanStr),
    /// The record can be read here, and not written: why. That does not end by itself.
    OnlyRead(CleanStr),
    /// Writing works again.
    Writable,
    /// What was handed over is not on the disk since then, because the disk does not answer; or it answers again.
    Stalled(Option<DateTime<Utc>>),
    /// Some of the record is not as it was written.
    Damaged(Vec<CleanStr>),
    /// Who is here now.
    Present(Vec<Presence>),
    /// What this process wrote, and processes of this account that are gone, by the hash of each entry: all that is noted.
    LeftBehind(BTreeMap<EntryId, CleanStr>),
    /// What processes of this account wrote that still run, in the same way.
    WrittenBeside(BTreeMap<EntryId, CleanStr>),
}

/// Why a request was not taken; it comes back, so that nothing typed is lost.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum NotTaken {
    /// Too many are waiting.
    #[error("the journal is still busy with {QUEUE} requests: try again in a moment")]
    Busy(Request),
    /// The journal was closed, or could not be opened.
    #[error("the journal is not open: reopen the incident")]
    Ended(Request),
}

/// Starts the threads of one console.
#[derive(Debug)]
pub struct JournalThread;

/// The loop's end. Dropping it ends the threads once what was accepted is written; the news channel closes when they have ended.
#[derive(Debug)]
pub struct JournalHandle {
    // Fields are dropped in this order: first the door closes, then the threads are told.
    requests: SyncSender<Request>,
    stop: Ender,
    ended: Receiver<()>,
}

/// What becomes of half-typed text whose console is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Drafts {
    Adopt,
    Leave,
}

impl JournalThread {
    /// Starts at once; opening happens on the thread and comes as [`News::Opened`] or [`News::Failed`].
    pub fn start(dir: &JournalDir, id: IncidentId, me: Me, news: Sender<News>) -> Result<JournalHandle, JournalError> {
        Self::begin(dir, id, me, news, Drafts::Adopt)
    }

    /// The same for a console that only looks: it leaves half-typed text to those who can go on with it.
    pub fn look(dir: &JournalDir, id: IncidentId, me: Me, news: Sender<News>) -> Result<JournalHandle, JournalError> {
        Self::begin(dir, id, me, news, Drafts::Leave)
    }

    fn begin(
        dir: &JournalDir,
        id: IncidentId,
        me: Me,
        news: Sender<News>,
        drafts: Drafts,
    ) -> Result<JournalHandle, JournalError> {
        let starting = || JournalError::io("starting the threads of", dir.directory());
        let stop = Arc::new(Stop::new().map_err(starting())?);
        let (requests, queue) = mpsc::sync_channel(QUEUE);
        let (end, ended) = mpsc::channel();
        let voice = Voice { news, stop: Arc::clone(&stop), broken: Arc::default() };
        let dir = dir.clone();
        let run = move || {
            work(&dir, id, me, &voice, &queue, drafts);
            voice.stop.set();
            drop(end);
        };
        std::thread::Builder::new().name("journal".to_owned()).spawn(run).map_err(starting())?;
        Ok(JournalHandle { requests, stop: Ender(stop), ended })
    }
}

impl JournalHandle {
    /// Hands a request over, without waiting.
    pub fn send(&self, request: Request) -> Result<(), NotTaken> {
        self.requests.try_send(request).map_err(|error| match error {
            TrySendError::Full(request) => NotTaken::Busy(request),
            TrySendError::Disconnected(request) => NotTaken::Ended(request),
        })
    }

    /// Ends, and waits at most so long until what was accepted is written. Blocks: for the way out, not for the loop.
    pub fn close(self, patience: Duration) -> bool {
        let Self { requests, stop, ended } = self;
        drop(requests);
        drop(stop);
        !matches!(ended.recv_timeout(patience), Err(RecvTimeoutError::Timeout))
    }
}

/// Told to the watcher and to whoever waits for room in the news channel.
#[derive(Debug)]
struct Stop {
    is_set: AtomicBool,
    /// The end that is read, and the one that is written: a pipe, which every system and every filter of system calls
    /// allows.
    event: OwnedFd,
    rings: OwnedFd,
}

impl Stop {
    fn new() -> std::io::Result<Self> {
        let (event, rings) = std::io::pipe()?;
        Ok(Self { is_set: AtomicBool::new(false), event: event.into(), rings: rings.into() })
    }

    fn set(&self) {
        // Nobody takes the byte: the pipe stays ready.
        if !self.is_set.swap(true, Ordering::SeqCst) {
            let _ = rustix::io::write(&self.rings, &[1]);
        }
    }

    fn is_set(&self) -> bool {
        self.is_set.load(Ordering::SeqCst)
    }

    fn wait(&self, timeout: Duration) {
        let timeout = Timespec::try_from(timeout).ok();
        let _ = rustix::event::poll(&mut [PollFd::new(&self.event, PollFlags::IN)], timeout.as_ref());
    }
}

/// Sets the stop when the handle goes, however it goes.
#[derive(Debug)]
struct Ender(Arc<Stop>);

impl Drop for Ender {
    fn drop(&mut self) {
        self.0.set();
    }
}

#[derive(Clone)]
struct Voice {
    news: Sender<News>,
    stop: Arc<Stop>,
    /// What the watcher found to be so broken that writing would make it worse.
    broken: Arc<OnceLock<String>>,
}

impl Voice {
    /// Tells the loop, and waits while its channel is full; false when nobody listens any more.
    fn tell(&self, news: News) -> bool {
        let mut news = news;
        loop {
            match self.news.try_send(news) {
                Ok(()) => return true,
                Err(NewsError::Closed(_)) => return false,
                Err(NewsError::Full(_)) if self.stop.is_set() => return false,
                Err(NewsError::Full(back)) => news = back,
            }
            self.stop.wait(FULL);
        }
    }
}

/// That something could not be looked for, which is not that there is none.
fn sentence_of(what: &str, why: &JournalError) -> CleanStr {
    CleanStr::new(&format!("whether there is {what} is not known: {why}"))
}

fn sentence(error: &JournalError) -> CleanStr {
    CleanStr::new(&error.to_string())
}

/// The writer's thread from beginning to end.
fn work(dir: &JournalDir, id: IncidentId, me: Me, voice: &Voice, queue: &Receiver<Request>, drafts: Drafts) {
    let seats = dir.seats(id);
    let opened = dir.journal(id, me.via.clone()).and_then(|journal| Ok((journal, dir.journal(id, me.via.clone())?)));
    let (mut journal, readings) = match opened {
        Ok(both) => both,
        Err(error) => {
            voice.tell(News::Failed(sentence(&error)));
            return;
        }
    };
    let here = Presence {
        console: me.via.console.clone(),
        actor: me.actor.clone(),
        layout: me.layout.clone(),
        looks_only: drafts == Drafts::Leave,
        is_dry: me.is_dry,
        pid: me.via.pid,
        since: clock::wall(),
    };
    // A full disk has no room for a place at the table; the record can still be read.
    let seat =
        seats.take(here).inspect_err(|error| tracing::warn!(%error, "the other consoles do not see this one")).ok();
    let draft = match drafts {
        Drafts::Adopt => journal
            .adopt_draft(&me.actor, |console| seats.is_alive(console))
            .inspect_err(|error| {
                voice.tell(News::Failed(sentence_of("a half-typed line of before", error)));
            })
            .ok()
            .flatten(),
        Drafts::Leave => None,
    };
    voice.tell(News::Opened { draft: draft.map(|(text, began)| (CleanText::new(&text), began)) });
    let forms = match drafts {
        Drafts::Adopt => journal
            .adopt_forms(&me.actor, |console| seats.is_alive(console))
            .inspect_err(|error| {
                voice.tell(News::Failed(sentence_of("something half-typed in a form", error)));
            })
            .unwrap_or_default(),
        Drafts::Leave => Vec::new(),
    };
    if !forms.is_empty() {
        voice.tell(News::HalfTyped(forms));
    }
    let only_read = journal.only_read().map(CleanStr::new);
    if let Some(why) = &only_read {
        voice.tell(News::OnlyRead(why.clone()));
    }
    let is_broken = only_read.is_some() && drafts == Drafts::Adopt;
    let watcher = {
        let (seats, voice, ledger) = (seats.clone(), voice.clone(), dir.ledger().cloned());
        let watch = move || watch(readings, &seats, ledger.as_ref(), &voice);
        std::thread::Builder::new().name("journal-watch".to_owned()).spawn(watch)
    };
    if let Err(error) = &watcher {
        voice.tell(News::Failed(CleanStr::new(&format!("a thread that reads the journal cannot start: {error}"))));
    }
    let stall = {
        let voice = voice.clone();
        Stall::watch(move |news| voice.tell(news))
    };
    Writer { journal, seat, actor: me.actor, voice, stall, unsaved: Typed::default(), is_broken }.serve(queue);
    voice.stop.set();
    if let Ok(watcher) = watcher {
        let _ = watcher.join();
    }
}

struct Writer<'a> {
    journal: SqliteJournal,
    seat: Option<Seat>,
    actor: Actor,
    voice: &'a Voice,
    stall: Stall,
    /// What is half-typed and could not be written: the probe tries it again.
    unsaved: Typed,
    is_broken: bool,
}

/// What is half-typed, as it is to be kept.
#[derive(Default)]
struct Typed {
    /// The scribe's line; empty when there is none any more.
    line: Option<String>,
    forms: BTreeMap<String, Option<HalfTyped>>,
}

impl Typed {
    /// What is newer, with what is older beside it.
    fn over(self, mut older: Self) -> Self {
        older.forms.extend(self.forms);
        Self { line: self.line.or(older.line), forms: older.forms }
    }

    fn is_none(&self) -> bool {
        self.line.is_none() && self.forms.is_empty()
    }
}

impl Writer<'_> {
    fn serve(&mut self, queue: &Receiver<Request>) {
        loop {
            let first = match queue.recv_timeout(if self.is_broken { RETRY } else { GUARD }) {
                Ok(request) => request,
                Err(RecvTimeoutError::Timeout) if self.is_broken => {
                    self.commit(Vec::new(), Typed::default());
                    continue;
                }
                Err(RecvTimeoutError::Timeout) => {
                    if let Err(error) = self.is_writable() {
                        self.is_broken = true;
                        self.voice.tell(News::Unwritable(sentence(&error)));
                    }
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => return,
            };
            let (mut appends, mut typed, mut redacted, mut closing) = (Vec::new(), Typed::default(), Vec::new(), false);
            let mut next = Some(first);
            let mut count = 0;
            while let Some(request) = next {
                match request {
                    Request::Append { ticket, entries, settles_draft } => {
                        appends.push((ticket, entries));
                        if settles_draft {
                            typed.line = Some(String::new());
                        }
                    }
                    Request::SaveDraft(text) => typed.line = Some(text),
                    Request::ClearDraft => typed.line = Some(String::new()),
                    Request::KeepForm { form, half } => drop(typed.forms.insert(form, half)),
                    Request::SetLayout(layout) => self.set_layout(layout),
                    Request::Redact(entry) => redacted.push(entry),
                    Request::Close => closing = true,
                }
                count += 1;
                next = if count < GROUP && !closing { queue.try_recv().ok() } else { None };
            }
            if !appends.is_empty() || !typed.is_none() {
                self.commit(appends, typed);
            }
            // After the appends of the same group: the entry that says so stands among them.
            for entry in redacted {
                self.redact(entry);
            }
            if closing {
                return;
            }
        }
    }

    /// Writes a group, or proves that writing works where it is empty, and answers.
    fn commit(&mut self, appends: Vec<(u64, Vec<NewEntry>)>, typed: Typed) {
        let (tickets, entries): (Vec<_>, Vec<_>) =
            appends.into_iter().map(|(ticket, entries)| ((ticket, entries.len()), entries)).unzip();
        let mut work: Vec<_> = entries.into_iter().map(Work::Append).collect();
        let typed = typed.over(std::mem::take(&mut self.unsaved));
        let actor = self.actor.to_string();
        work.extend(typed.line.iter().map(|text| Work::Draft { actor: actor.clone(), text: text.clone() }));
        let forms = typed.forms.iter();
        work.extend(forms.map(|(form, half)| Work::Form {
            actor: actor.clone(),
            form: form.clone(),
            half: half.clone(),
        }));
        if work.is_empty() {
            work.push(Work::Probe);
        }
        let ready = self.is_writable();
        let (journal, stall) = (&mut self.journal, &self.stall);
        match ready.and_then(|()| stall.during(|| journal.commit(&work))) {
            Ok(written) => {
                if std::mem::take(&mut self.is_broken) {
                    self.voice.tell(News::Writable);
                }
                let mut stamps = written.iter().map(Entry::stamp);
                for (ticket, count) in tickets {
                    let stamps = stamps.by_ref().take(count).collect();
                    self.voice.tell(News::Saved { ticket, stamps });
                }
            }
            Err(error) => {
                self.unsaved = typed;
                let reason = sentence(&error);
                // A draft has no ticket: that it was not kept must be said in another way.
                let unsaid = tickets.is_empty();
                for (ticket, _) in tickets {
                    self.voice.tell(News::NotSaved { ticket, reason: reason.clone() });
                }
                if (error.is_unwritable() || unsaid) && !std::mem::replace(&mut self.is_broken, true) {
                    self.voice.tell(News::Unwritable(reason));
                }
            }
        }
    }

    /// Whether what is written will be found, and nothing is made worse by it.
    fn is_writable(&mut self) -> Result<(), JournalError> {
        match self.voice.broken.get() {
            Some(reason) => Err(JournalError::Damaged { path: self.journal.path().to_owned(), reason: reason.clone() }),
            None => self.journal.is_in_place(),
        }
    }

    fn redact(&mut self, entry: EntryId) {
        if let Err(error) = self.journal.redact(entry) {
            self.voice.tell(News::Damaged(vec![sentence(&error)]));
        }
    }

    fn set_layout(&mut self, layout: CleanStr) {
        if let Some(seat) = &mut self.seat
            && let Err(error) = seat.set_layout(layout)
        {
            tracing::warn!(%error, "the other consoles do not see the new layout");
        }
    }
}

/// The watcher's thread from beginning to end.
fn watch(mut journal: SqliteJournal, seats: &Seats, ledger: Option<&Ledger>, voice: &Voice) {
    // First listen, then read: what is written in between rings.
    let ears = Watch::new(&with_suffix(journal.path(), ".bell"), Some(seats.path()));
    let look = if ears.is_listening() { LOOK } else { LOOK_DEAF };
    let mut reader = Reader { to: 0, is_first: true, checked: None, trouble: None, told: Vec::new() };
    let (mut present, mut noted) = (None, Noted::default());
    let (mut read, mut count, mut again) = (true, true, false);
    loop {
        // Before the entries: whoever reads them knows whose they are.
        if let Some(now) = ledger.filter(|_| read || count).map(Ledger::noted).filter(|now| *now != noted) {
            let is_told = (now.left == noted.left || voice.tell(News::LeftBehind(now.left.clone())))
                && (now.beside == noted.beside || voice.tell(News::WrittenBeside(now.beside.clone())));
            if !is_told {
                return;
            }
            noted = now;
        }
        if read && !reader.catch_up(&mut journal, voice) {
            return;
        }
        if count {
            let now = seats.present();
            if present.as_ref() != Some(&now) {
                if !voice.tell(News::Present(now.clone())) {
                    return;
                }
                present = Some(now);
            }
        }
        let heard = ears.wait(Some(voice.stop.event.as_fd()), if again { DYING } else { look });
        if heard.stop || voice.news.is_closed() {
            return;
        }
        let quiet = !heard.bell && !heard.seats;
        (read, count, again) = (heard.bell || quiet, heard.seats || quiet, heard.seats);
    }
}

/// How far the watcher has read.
struct Reader {
    to: u64,
    is_first: bool,
    /// When the record was looked at as a whole, and how its files stood then.
    checked: Option<(Duration, Option<String>)>,
    trouble: Option<CleanStr>,
    told: Vec<Damage>,
}

impl Reader {
    /// Reads to the end and tells it; false when nobody listens any more.
    fn catch_up(&mut self, journal: &mut SqliteJournal, voice: &Voice) -> bool {
        loop {
            let tail = match journal.tail(self.to, PIECE) {
                Ok(tail) => tail,
                Err(error) => return self.is_troubled(&error, voice),
            };
            self.trouble = None;
            self.to = tail.to;
            let caught_up = !tail.more;
            let mut damage = tail.damage;
            let entries: Vec<_> = tail.entries.into_iter().map(|(_, entry)| entry).collect();
            if (!entries.is_empty() || (self.is_first && caught_up))
                && !voice.tell(News::Entries { entries, caught_up })
            {
                return false;
            }
            if caught_up && self.must_check(journal.path()) {
                // What opening cannot wait for: all that `journal verify` looks at.
                match verify(journal.path()) {
                    Ok(found) => damage = found.damage,
                    Err(error) => {
                        if !self.is_troubled(&error, voice) {
                            return false;
                        }
                    }
                }
            }
            if let Some(broken) = damage.iter().find(|damage| is_broken(&damage.what)) {
                let _ = voice.broken.set(broken.to_string());
            }
            damage.retain(|damage| !self.told.contains(damage));
            if !damage.is_empty() {
                let words = damage.iter().map(|damage| CleanStr::new(&damage.to_string())).collect();
                self.told.append(&mut damage);
                if !voice.tell(News::Damaged(words)) {
                    return false;
                }
            }
            if caught_up {
                self.is_first = false;
                return true;
            }
            if voice.stop.is_set() {
                return false;
            }
        }
    }

    /// Whether the record must be looked at as a whole: at first, and where its files were touched since.
    fn must_check(&mut self, path: &Path) -> bool {
        let now = clock::boot();
        if self.checked.as_ref().is_some_and(|(at, _)| now - *at < RECHECK) {
            return false;
        }
        // Before it is read: what happens meanwhile gives it another one.
        let stamp = stamp(path);
        let was = self.checked.replace((now, stamp.clone()));
        was.is_none_or(|(_, was)| was != stamp)
    }

    /// Says once that reading does not work; the next bell or look tries again.
    fn is_troubled(&mut self, error: &JournalError, voice: &Voice) -> bool {
        let sentence = sentence(error);
        if self.trouble.as_ref() == Some(&sentence) {
            return true;
        }
        self.trouble = Some(sentence.clone());
        voice.tell(News::Damaged(vec![sentence]))
    }
}
