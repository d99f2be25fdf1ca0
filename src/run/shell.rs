//! Performs effects: the journal's threads, the sources' tasks, the blocking pool.
//!
//! Hides which of them runs, and what replaces it when it dies. What a record reads stands in [`sources`], what comes back in [`heard`].
//!
//! Invariant: performing an effect never waits; everything that was started here can be ended here.

mod heard;
mod sources;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::{JoinError, JoinSet};

use super::merge::Merging;
use super::pager::Paged;
use super::post::{Errand, Post};
use super::printout;
use super::records::{self, Board};
use super::rescue;
use super::unrecorded::Unrecorded;
use super::{Opening, Plan};
use crate::console::{DECLARE, Doubt, Effect, History, JournalMsg, Known, Msg, Summary};
use crate::incident::{DrillStarted, EntryId, Event, IncidentId, Parcel, Progress, Series, Via};
use crate::journal::{JournalHandle, JournalThread, Me, NewEntry, News, NotTaken, Request};
use crate::live::{Inquiry, Report, Watchlist};
use crate::pane::Access;
use crate::playbook::Catalogue;
use crate::runner::{self, Said};
use crate::template::Templates;
use crate::text::half_typed::HalfTyped;
use crate::text::{CleanStr, CleanText};

/// The terminal rings for this byte.
const BELL: u8 = 7;
/// How many messages of the journal and of the sources may wait; a full channel makes its sender wait.
const WAITING: usize = 256;

/// What comes back from outside.
pub(super) enum Happened {
    Journal(Option<News>),
    Source(Report),
    Ended(Result<Outcome, JoinError>),
    Worked(Work),
    Ran(EntryId, Said),
    Posted(Msg),
}

/// How a task ended.
pub(super) enum Outcome {
    /// A source ran out; which one.
    Source(&'static str),
}

/// What the blocking pool brings.
pub(super) enum Work {
    Catalogue(Box<Catalogue>),
    Past(History),
    Templates(Box<Templates>),
    Listed(Known<Vec<Summary>>),
    FirstList(Known<Vec<Summary>>),
    /// And what is not known of other records.
    Created(anyhow::Result<IncidentId>, Option<CleanText>),
    IsOpen(Vec<(IncidentId, CleanStr)>, Vec<Event>),
    Said(anyhow::Result<String>),
    Printed(&'static str, anyhow::Result<String>),
    /// The runbook of an address, or why there is none here.
    Runbook(CleanStr, Result<(std::path::PathBuf, CleanText), String>),
    Copied(super::copy::Copied),
}

/// The record that is open, and its threads.
struct Open {
    id: IncidentId,
    handle: JournalHandle,
    news: mpsc::Receiver<News>,
}

/// Both ends of a channel of ours.
type Pipe<T> = (mpsc::Sender<T>, mpsc::Receiver<T>);

/// Everything that runs beside the loop.
pub(super) struct Shell {
    pub(super) plan: Plan,
    via: Via,
    open: Option<Open>,
    /// What was handed to the journal and is not answered yet.
    waiting: rescue::Waiting,
    /// What is half-typed and belongs to no record.
    unrecorded: Unrecorded,
    tasks: JoinSet<Outcome>,
    names: std::collections::HashMap<tokio::task::Id, &'static str>,
    reports: (mpsc::Sender<Report>, mpsc::Receiver<Report>),
    work: (mpsc::Sender<Work>, mpsc::Receiver<Work>),
    pub(super) runs: Pipe<(EntryId, Said)>,
    post: Post,
    receipts: Pipe<Msg>,
    watch: watch::Sender<Arc<Watchlist>>,
    progress: watch::Sender<Progress>,
    inquiries: Vec<mpsc::Sender<Inquiry>>,
    drill: Option<DrillStarted>,
    /// As they were read last: their owners are among those who must be told.
    playbooks: Box<Catalogue>,
    answers: std::collections::VecDeque<Msg>,
    aside: Vec<Vec<u8>>,
    is_over: bool,
    wants_suspend: bool,
    /// What a person wants to read in a pager.
    pages: Option<Paged>,
}

impl Shell {
    /// Where an answer for the console goes.
    pub(super) fn back(&self) -> mpsc::Sender<Msg> {
        self.receipts.0.clone()
    }

    /// Starts what a console needs from the beginning.
    pub(super) fn start(plan: Plan) -> Self {
        let via = Via {
            uid: rustix::process::getuid().as_raw(),
            pid: std::process::id(),
            console: plan.settings.console.clone(),
            host: plan.settings.host.clone(),
        };
        let mut shell = Self {
            via,
            open: None,
            waiting: rescue::Waiting::new(),
            unrecorded: Unrecorded::new(&plan.log, &plan.settings.console),
            tasks: JoinSet::new(),
            names: std::collections::HashMap::new(),
            reports: mpsc::channel(WAITING),
            work: mpsc::channel(WAITING),
            runs: mpsc::channel(WAITING),
            post: Post::new(&plan.channels, plan.channel_options.clone(), &plan.journal, &plan.settings.reach),
            receipts: mpsc::channel(WAITING),
            watch: watch::channel(Arc::new(Watchlist::default())).0,
            progress: watch::channel(Progress::default()).0,
            inquiries: Vec::new(),
            drill: None,
            playbooks: Box::new(plan.settings.catalogue.clone()),
            answers: std::collections::VecDeque::new(),
            aside: Vec::new(),
            is_over: false,
            wants_suspend: false,
            pages: None,
            plan,
        };
        let left = if writes(&shell.plan) { shell.unrecorded.adopt() } else { Vec::new() };
        if !left.is_empty() {
            shell.answers.push_back(Msg::Journal(JournalMsg::HalfTyped(left)));
        }
        // The first line that somebody writes finds the mask ready.
        tokio::task::spawn_blocking(crate::vault::prepare);
        match shell.plan.opening.clone() {
            Opening::Auto => {
                let (place, board) = (shell.plan.journal.clone(), shell.board());
                shell.work(move || Work::FirstList(open_records(&place, &board)));
            }
            Opening::Record(id) => shell.perform(Effect::Open(id)),
            Opening::Drill(drill) => shell.begin_drill(drill),
        }
        let (place, folders) = (shell.plan.journal.clone(), shell.plan.playbooks.clone());
        super::watch_files::watch(folders.clone(), shell.work.0.clone(), place.clone());
        if shell.plan.settings.catalogue.playbooks.is_empty() {
            shell.work(move || Work::Catalogue(Box::new(records::catalogue(&place, &folders))));
            let folder = shell.plan.templates.clone();
            shell.work(move || Work::Templates(Box::new(crate::config::files::templates(&folder))));
        }
        shell
    }

    /// A message that performing an effect led to at once.
    pub(super) fn answer(&mut self) -> Option<Msg> {
        self.answers.pop_front()
    }

    /// Whether somebody asked to leave.
    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }

    /// Whether somebody asked to stop for a while.
    pub(super) fn wants_suspend(&self) -> bool {
        self.wants_suspend
    }

    /// What somebody wants to read in a pager.
    pub(super) fn wants_pager(&mut self) -> Option<Paged> {
        self.pages.take()
    }

    pub(super) fn suspend(&mut self) {
        self.wants_suspend = true;
    }

    pub(super) fn suspended(&mut self) {
        self.wants_suspend = false;
    }

    /// Bytes for the terminal that are no part of a picture.
    pub(super) fn for_the_terminal(&mut self) -> Option<Vec<u8>> {
        self.aside.pop()
    }

    pub(super) fn panic_in_a_task(&mut self) {
        let handle = self.tasks.spawn(async { fail() });
        self.names.insert(handle.id(), "a task that a test asked for");
    }

    /// Performs an effect, without waiting.
    pub(super) fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Append { ticket, events, settles_draft } => self.append(ticket, events, settles_draft),
            Effect::Create(series, events, doubt) => self.create(series, events, doubt),
            // One in staging begins from the command line alone, with its proof and its pre-brief.
            Effect::StartDrill => self.begin_drill(super::Drill { staging: None, ..self.plan.drill.clone() }),
            Effect::Open(id) => self.open(id),
            Effect::LookBack(services) => {
                let (place, open) = (self.plan.journal.clone(), self.open.as_ref().map(|open| open.id));
                self.work(move || Work::Past(records::past(&place, &services, open)));
            }
            Effect::Bell => self.aside.push(vec![BELL]),
            Effect::List => {
                let (place, board) = (self.plan.journal.clone(), self.board());
                self.work(move || Work::Listed(open_records(&place, &board)));
            }
            Effect::Redact(entry) => {
                self.tell(Request::Redact(entry));
                self.redact_output(entry);
            }
            Effect::SaveDraft(text) => self.tell(Request::SaveDraft(text)),
            Effect::ClearDraft => self.tell(Request::ClearDraft),
            Effect::KeepForm(form, half) => self.keep_form(form, half),
            Effect::Watch(watchlist) => self.watch(watchlist),
            Effect::Simulate(drill) => self.simulate(drill),
            Effect::Progress(progress) => {
                self.progress.send_replace(progress);
            }
            Effect::Print(printout) => {
                let (place, board, zone) = (self.plan.journal.clone(), self.board(), self.plan.settings.zone);
                self.work(move || {
                    let made = printout::make(&printout, &place, &board, zone);
                    Work::Printed(printout.title(), made)
                });
            }
            Effect::Merge { duplicate, into } => {
                let (place, merging) = (self.plan.journal.clone(), self.merging());
                self.work(move || {
                    let dir = place.open().map_err(Into::into);
                    Work::Said(dir.and_then(|dir| merging.merge(&dir, duplicate, into)))
                });
            }
            Effect::Unmerge(duplicate, reason) => {
                let (place, merging) = (self.plan.journal.clone(), self.merging());
                self.work(move || {
                    let dir = place.open().map_err(Into::into);
                    Work::Said(dir.and_then(|dir| merging.undo(&dir, duplicate, &reason)))
                });
            }
            Effect::Deliver(parcel) => self.post(Errand::Deliver, parcel),
            Effect::LookUp(parcel) => self.post(Errand::LookUp, parcel),
            Effect::Proceed(id) => self.post.proceed(id, self.receipts.0.clone()),
            Effect::Stop(id) => self.post.stop(id),
            Effect::Prove(parcel) => self.post(Errand::Prove, parcel),
            Effect::AskNews(watched) => self.post.ask_news(watched, self.receipts.0.clone()),
            Effect::Inquire(inquiry) => {
                // A source that is busy with older questions answers those first; whoever asked is told, and can ask again. One that ended
                // says so itself.
                let ask = |source: &mpsc::Sender<Inquiry>| source.try_send(inquiry.clone());
                let unasked: Vec<_> = self.inquiries.iter().filter_map(|source| ask(source).err()).collect();
                if unasked.iter().any(|why| matches!(why, mpsc::error::TrySendError::Full(_))) {
                    let why = "a source is still busy with older questions and did not take this one: ask again";
                    self.answers.push_back(Msg::Failed(CleanText::new(why)));
                }
            }
            Effect::Copy(text) => self.copy(text),
            Effect::Run(run, act) => self.run_command(run, act),
            Effect::Page(run) => match self.output_file(run) {
                Some(file) if file.exists() => self.pages = Some(Paged::File(file)),
                Some(file) => {
                    let why = format!("{} is not there: its output is on the machine on which it ran", file.display());
                    self.answers.push_back(Msg::Failed(CleanText::new(&why)));
                }
                None => {}
            },
            Effect::Read(text) => self.pages = Some(Paged::Text(text)),
            Effect::Runbook(address) => {
                let folders = self.plan.runbooks.clone();
                self.work(move || {
                    let found = super::runbooks::read(&folders, &address);
                    Work::Runbook(address, found)
                });
            }
            Effect::LookFor(number, programs) => self.look_for(number, programs),
            Effect::ShowLayout(layout) => self.tell(Request::SetLayout(layout)),
            Effect::WriteStarterConfig => {
                let path = self.plan.starter_config.clone();
                self.work(move || Work::Said(records::write_starter_config(&path)));
            }
            Effect::Repaint => {}
            Effect::Suspend => self.wants_suspend = true,
            Effect::Quit => self.is_over = true,
        }
    }

    /// Who merges records from here.
    fn merging(&self) -> Merging {
        let settings = &self.plan.settings;
        let via = Via { console: "merge".into(), ..self.via.clone() };
        Merging { actor: settings.me.clone(), via, cadence: settings.cadence }
    }

    /// Runs an errand to another system; from a drill nothing leaves, whatever its record says.
    fn post(&mut self, errand: Errand, parcel: Parcel) {
        let is_drill = self.drill.is_some() || self.open_id().is_none_or(|id| id.series == Series::Drill);
        if is_drill || self.plan.settings.reach.is_dry {
            return tracing::error!("nothing leaves from here: {} was not asked", parcel.service);
        }
        self.post.run(errand, parcel, self.receipts.0.clone());
    }

    /// Which record is open.
    pub(super) fn open_id(&self) -> Option<IncidentId> {
        self.open.as_ref().map(|open| open.id)
    }

    /// By which rules the records of this host are listed.
    fn board(&self) -> Board {
        let settings = &self.plan.settings;
        Board { cadence: settings.cadence, matrix: settings.matrix.clone(), catalogue: (*self.playbooks).clone() }
    }

    fn append(&mut self, ticket: u64, events: Vec<Event>, settles_draft: bool) {
        let actor = &self.plan.settings.me;
        let entries: Vec<_> = events.into_iter().map(|event| NewEntry::new(actor.clone(), event)).collect();
        let kept = entries.clone();
        let refused = match &self.open {
            Some(open) => {
                open.handle.send(Request::Append { ticket, entries, settles_draft }).err().map(|why| why.to_string())
            }
            None => Some("no record is open".to_owned()),
        };
        match refused {
            Some(why) => {
                self.answers.push_back(Msg::Journal(JournalMsg::NotSaved(ticket, CleanText::new(&why))));
            }
            None => drop(self.waiting.insert(ticket, kept)),
        }
    }

    /// Has something said that nobody asked for.
    pub(super) fn remark(&mut self, what: Option<String>) {
        self.answers.extend(what.map(|what| Msg::Remark(CleanText::new(&what))));
    }

    /// Keeps what is half-typed in a form where the form belongs: beside its record, or in this account's folder.
    fn keep_form(&mut self, form: String, half: Option<HalfTyped>) {
        if form.starts_with(DECLARE) {
            let refused = self.unrecorded.keep(form, half);
            return self.answers.extend(refused.map(|why| Msg::Failed(CleanText::new(&why))));
        }
        self.tell(Request::KeepForm { form, half });
    }

    fn tell(&mut self, request: Request) {
        let Some(open) = &self.open else { return };
        if let Err(NotTaken::Busy(request) | NotTaken::Ended(request)) = open.handle.send(request) {
            let what = match &request {
                Request::Redact(_) => "the words are still in the file: redact them again",
                Request::SaveDraft(_) | Request::KeepForm { half: Some(_), .. } => {
                    "what is half-typed is not kept on disk yet"
                }
                Request::ClearDraft
                | Request::KeepForm { half: None, .. }
                | Request::SetLayout(_)
                | Request::Append { .. }
                | Request::Close => {
                    return tracing::warn!("the journal did not take {request:?}");
                }
            };
            let why = format!("the journal is busy or gone, {what}");
            self.answers.push_back(Msg::Failed(CleanText::new(&why)));
        }
    }

    /// Takes away what a command printed whose entry is redacted.
    fn redact_output(&mut self, entry: EntryId) {
        let Some(open) = &self.open else { return };
        let folder = runner::folder(&self.plan.journal.directory, open.id, entry);
        if folder.is_dir() {
            let said = "what the command printed is out of its file";
            self.work(move || Work::Said(runner::redact_output(&folder).map(|()| said.to_owned()).map_err(Into::into)));
        }
    }

    fn create(&mut self, series: Series, events: Vec<Event>, doubt: Doubt) {
        let (place, via, actor) = (self.plan.journal.clone(), self.via.clone(), self.plan.settings.me.clone());
        self.work(move || {
            let (known, unknown) = match doubt {
                Doubt::Asked => records::open_on(&place, &events).parts(),
                Doubt::Anyway => (Vec::new(), None),
            };
            if !known.is_empty() {
                return Work::IsOpen(known, events);
            }
            let entries: Vec<_> = events.into_iter().map(|event| NewEntry::new(actor.clone(), event)).collect();
            Work::Created(records::create(&place, series, via, &entries), unknown)
        });
    }

    fn begin_drill(&mut self, drill: super::Drill) {
        super::daily::check_up(&self.plan, super::daily::Occasion::Drill, self.back());
        let (place, via, actor) = (self.plan.journal.clone(), self.via.clone(), self.plan.settings.me.clone());
        let zone = self.plan.settings.zone.name();
        self.work(move || Work::Created(records::start_drill(&place, via, &actor, &drill, zone), None));
    }

    fn open(&mut self, id: IncidentId) {
        // The record that was open keeps what it accepted: its threads write that, then end.
        self.open = None;
        // What stands before its first write there goes on when that record is opened again.
        self.post.stop_all();
        self.end_sources();
        // Who followed the commands of that record sees that nobody listens, and ends.
        self.runs = mpsc::channel(WAITING);
        // What the record before wanted to see is nothing to this one.
        self.watch.send_replace(Arc::new(Watchlist::default()));
        if id.series == Series::Incident {
            self.start_sources();
        }
        let me = Me {
            actor: self.plan.settings.me.clone(),
            via: self.via.clone(),
            layout: self.plan.settings.layout.name().into(),
            is_dry: self.plan.settings.reach.is_dry,
        };
        let (sender, news) = mpsc::channel(WAITING);
        let start = if writes(&self.plan) { JournalThread::start } else { JournalThread::look };
        let started = self.plan.journal.open().and_then(|dir| start(&dir, id, me, sender));
        match started {
            Ok(handle) => self.open = Some(Open { id, handle, news }),
            Err(why) => {
                self.start_sources();
                self.answers.push_back(Msg::Journal(JournalMsg::Unopened(CleanText::new(&why.to_string()))));
            }
        }
    }

    /// Copies in the way that works here; tmux is asked, which may take a moment.
    fn copy(&mut self, text: CleanText) {
        let between = super::copy::Between::of(|name| std::env::var(name).ok());
        self.work(move || Work::Copied(super::copy::copy(&text, &between)));
    }

    fn work(&mut self, run: impl FnOnce() -> Work + Send + 'static) {
        let done = self.work.0.clone();
        tokio::task::spawn_blocking(move || {
            let work = run();
            let _ = done.blocking_send(work);
        });
    }

    /// The next thing that comes back; cancel-safe.
    pub(super) async fn next(&mut self) -> Happened {
        let news = async {
            match &mut self.open {
                Some(open) => open.news.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            news = news => Happened::Journal(news),
            Some(work) = self.work.1.recv() => Happened::Worked(work),
            Some((run, said)) = self.runs.1.recv() => Happened::Ran(run, said),
            Some(msg) = self.receipts.1.recv() => Happened::Posted(msg),
            Some(report) = self.reports.1.recv() => Happened::Source(report),
            Some(ended) = self.tasks.join_next_with_id(), if !self.tasks.is_empty() => Happened::Ended(match ended {
                Ok((_, outcome)) => Ok(outcome),
                Err(error) => Err(error),
            }),
        }
    }

    /// The next thing that is there already.
    pub(super) fn ready(&mut self) -> Option<Happened> {
        if let Some(news) = self.open.as_mut().and_then(|open| open.news.try_recv().ok()) {
            return Some(Happened::Journal(Some(news)));
        }
        if let Ok(work) = self.work.1.try_recv() {
            return Some(Happened::Worked(work));
        }
        if let Ok((run, said)) = self.runs.1.try_recv() {
            return Some(Happened::Ran(run, said));
        }
        if let Ok(msg) = self.receipts.1.try_recv() {
            return Some(Happened::Posted(msg));
        }
        self.reports.1.try_recv().ok().map(Happened::Source)
    }

    /// Ends everything; waits only for what the journal accepted, and not for ever. What is not on the disk by then is written beside it, and said.
    /// `draft` and `forms` are half-typed texts that were not handed to the journal yet, `typed` all that is half-typed.
    pub(super) fn close(
        mut self,
        draft: Option<String>,
        forms: Vec<(String, Option<HalfTyped>)>,
        typed: Option<String>,
        patience: Duration,
    ) -> Result<(), String> {
        self.tasks.abort_all();
        for (form, half) in forms {
            self.keep_form(form, half);
        }
        if let Some(text) = draft {
            self.tell(Request::SaveDraft(text));
        }
        let unkept = self.unrecorded.unkept();
        let Some(Open { id, handle, mut news }) = self.open.take() else { return unkept.map_or(Ok(()), Err) };
        let in_time = handle.close(patience);
        let mut is_writable = true;
        while let Ok(news) = news.try_recv() {
            is_writable &= !matches!(news, News::Unwritable(_) | News::OnlyRead(_));
            // What was refused is on the screen no more.
            if let News::Saved { ticket, .. } = news {
                self.waiting.remove(&ticket);
            }
        }
        // That a draft was kept is never answered: where the disk stalls, it may wait with the rest.
        let is_kept = in_time && is_writable;
        let typed = typed.filter(|typed| !is_kept && !typed.is_empty());
        let rescued = rescue::rescue(&self.plan.log, id, &self.waiting, typed.as_deref(), in_time);
        let unsaid: Vec<String> = rescued.err().into_iter().chain(unkept).collect();
        if unsaid.is_empty() { Ok(()) } else { Err(unsaid.join("\n")) }
    }
}

/// Whether somebody may write here.
fn writes(plan: &Plan) -> bool {
    plan.settings.access == Access::Full && !plan.settings.is_wall
}

fn open_records(place: &super::JournalPlace, board: &Board) -> Known<Vec<Summary>> {
    match place.open() {
        Ok(dir) => records::list(&dir, records::Which::Open, board),
        Err(why) => Known::Unknown(CleanText::new(&why.to_string())),
    }
}

#[expect(clippy::panic, reason = "this is what a test asks for with --fault")]
fn fail() -> Outcome {
    panic!("a fault that was asked for");
}
