//! The two closed vocabularies between the console and the shell: what happened ([`Msg`]), and what shall be done ([`Effect`]).
//!
//! Both are plain data: they can be compared, logged and replayed.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use crossterm::event::Event as InputEvent;

use super::declaring::Doubt;
use super::known::Known;
use super::pasting::Pasting;
use super::runs::{RunAct, RunSaid};
use crate::alert::Coverage;
use crate::exercise::staged::Site;
use crate::incident::{
    DrillStarted, Entry, EntryId, Event, IncidentId, News, Parcel, Phase, Program, Progress, Receipt, Series,
    ServiceId, Severity, Stamp, Watched,
};
use crate::live::{Inquiry, Report, Watchlist};
use crate::pane::{History, Present};
use crate::playbook::Catalogue;
use crate::template::Templates;
use crate::text::half_typed::HalfTyped;
use crate::text::{CleanStr, CleanText, Exact};
use crate::theme::Theme;

/// Something happened outside the console.
#[derive(Clone, Debug, PartialEq)]
pub enum Msg {
    /// A key, a paste, a resize.
    Input(InputEvent),
    /// More keys came at once than a person presses: a paste without brackets, or what was typed ahead. The keys follow.
    Flood,
    /// A paste does not simply arrive.
    Pasting(Pasting),
    /// What an [`Effect::LookFor`] found, in its order: the program, or what is missing.
    Found(u64, Vec<Result<Program, CleanStr>>),
    /// The journal said something.
    Journal(JournalMsg),
    /// A source said something.
    Source(Report),
    /// A task of the shell died and will be started again.
    TaskDied(CleanStr),
    /// The wall clock moved against the clock that counts suspend.
    ClockJumped(TimeDelta),
    /// The playbooks of the configured folders were read.
    Catalogue(Box<Catalogue>),
    /// The last incidents of the affected services, the newest first.
    Past(History),
    /// The templates of updates were read.
    Templates(Box<Templates>),
    /// The records of this host, as the start screen and the picker list them.
    Listed(Known<Vec<Summary>>),
    /// What somebody declares may be one of these, which are open on its service: nothing was begun with these events.
    IsOpen(Vec<(IncidentId, CleanStr)>, Vec<Event>),
    /// Something that the shell was asked for cannot be done: a sentence.
    Failed(CleanText),
    /// Something that the shell was asked for is done: a sentence.
    Done(CleanText),
    /// Something that nobody asked for just now, and somebody should know: a system is not as an incident needs it.
    Remark(CleanText),
    /// A text that was asked for: its heading and its lines.
    Printed(CleanStr, CleanText),
    /// Something stands before its first write: it goes on when that is in the record.
    Ready(EntryId),
    /// What a system said to a text.
    Delivered(EntryId, Receipt),
    /// Whether a system has a text.
    LookedUp(EntryId, Receipt),
    /// Which object of a system bears the mark of a delivery.
    Proved(EntryId, Receipt),
    /// How long a system wants to be left alone.
    Rests(CleanStr, TimeDelta),
    /// What a system tells of what is looked after there, or why it does not.
    News(CleanStr, Result<Vec<News>, CleanStr>),
    /// The staging of the configuration proved to be one, or why it did not.
    Staging(Result<Site, CleanStr>),
    /// Another theme is the legible one: the terminal said on what ground it draws.
    Theme(Box<Theme>),
    /// What fires outside while a drill is played: titles.
    RealAlerts(Vec<CleanStr>),
    /// A command said something.
    Run(EntryId, RunSaid),
    /// The moment of [`crate::console::Console::next_wake`] has come.
    Wake,
}

/// What the journal says.
#[derive(Clone, Debug, PartialEq)]
pub enum JournalMsg {
    /// A record is open here now.
    Opened(IncidentId),
    /// A text that was half-typed in a console that is gone, and when its typing began.
    Draft(CleanText, DateTime<Utc>),
    /// What was half-typed in forms, by their names.
    HalfTyped(Vec<(String, HalfTyped)>),
    /// Entries, own and others', in the order in which they were written.
    Entries(Vec<Entry>),
    /// All that was in the record at the start is here.
    CaughtUp,
    /// What an [`Effect::Append`] asked for is on disk: its ticket, and what the commit made of its entries, in their order.
    Saved(u64, Vec<Stamp>),
    /// It is not, and will not be: why.
    NotSaved(u64, CleanText),
    /// The journal cannot be written: why.
    Unwritable(CleanText),
    /// The record can be read here, and not written: why.
    OnlyRead(CleanText),
    /// It can be written again.
    Writable,
    /// What was entered is not on the disk since then: the disk does not answer. Nothing: it answers again.
    Stalled(Option<DateTime<Utc>>),
    /// Parts of the record cannot be read: what and where.
    Damaged(Vec<CleanText>),
    /// The record could not be opened: why.
    Unopened(CleanText),
    /// The consoles that are open on it.
    Present(Vec<Present>),
    /// What this process wrote, and processes of this account that are gone, by the hash of each entry; from where only this account can write.
    LeftBehind(BTreeMap<EntryId, CleanStr>),
    /// What processes of this account wrote that still run, in the same way.
    WrittenBeside(BTreeMap<EntryId, CleanStr>),
}

/// A record in a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// Which.
    pub id: IncidentId,
    /// What is wrong.
    pub title: CleanStr,
    /// How bad.
    pub severity: Option<Severity>,
    /// Where it stands.
    pub phase: Phase,
    /// Its first service.
    pub service: Option<CleanStr>,
    /// Who commands.
    pub commander: Option<CleanStr>,
    /// When it was declared.
    pub declared_at: Option<DateTime<Utc>>,
    /// What is due next, and until when on the wall.
    pub next: Option<(CleanStr, DateTime<Utc>)>,
    /// Which alerts it covers, while it runs.
    pub covers: Option<Coverage>,
    /// What has not got to other systems.
    pub unsent: Vec<String>,
    /// What a drill put into staging and nobody took back, with who put it there.
    pub standing: Vec<String>,
}

impl Summary {
    /// Sorts records: what still runs before what is over, then the worst, then the newest.
    pub fn rank(&self) -> impl Ord + use<> {
        let severity = self.severity.map_or(u8::MAX, |severity| severity as u8);
        (!self.phase.is_live(), severity, std::cmp::Reverse(self.declared_at), std::cmp::Reverse(self.id))
    }
}

/// A text that the shell makes of the records of this host.
#[derive(Clone, Debug, PartialEq)]
pub enum Printout {
    /// The follow-ups of all incidents.
    FollowUps {
        /// Done and dropped ones too.
        with_done: bool,
    },
    /// Process health since a moment, without one since the first record.
    Report(Option<DateTime<Utc>>),
    /// The postmortem of a record; it also goes into files, in the folder in which warroom was started.
    Postmortem(IncidentId),
    /// What is read aloud before a drill.
    Briefing(IncidentId),
    /// What a room talks about after a drill.
    Debrief(IncidentId),
}

impl Printout {
    /// What stands above it.
    pub fn title(&self) -> &'static str {
        match self {
            Self::FollowUps { .. } => "follow-ups of all incidents",
            Self::Report(_) => "process health",
            Self::Postmortem(_) => "postmortem",
            Self::Briefing(_) => "pre-brief",
            Self::Debrief(_) => "debrief",
        }
    }
}

/// What stands above a runbook that is read.
pub const RUNBOOK: &str = "runbook";

/// Something the shell shall do.
#[must_use = "what the console asks for is performed, or it never happens"]
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Write events to the open record; the answer carries the ticket.
    Append {
        /// Rises with each append.
        ticket: u64,
        /// What to write, in one transaction.
        events: Vec<Event>,
        /// They are what was half-typed: it is forgotten in the same transaction.
        settles_draft: bool,
    },
    /// Begin a record with these events and open it; or ask, where one is open on the same service.
    Create(Series, Vec<Event>, Doubt),
    /// Begin the drill that the shell proposes, and open it.
    StartDrill,
    /// Open a record.
    Open(IncidentId),
    /// Look for the last incidents of these services, other than the open one.
    LookBack(Vec<ServiceId>),
    /// Ring the terminal's bell.
    Bell,
    /// Look again which records there are.
    List,
    /// Take the words of a redacted entry out of the file.
    Redact(EntryId),
    /// Keep the half-typed text.
    SaveDraft(String),
    /// Forget the half-typed text: it is in the record.
    ClearDraft,
    /// Keep what is half-typed in a form, or forget it.
    KeepForm(String, Option<HalfTyped>),
    /// Watch something else.
    Watch(Watchlist),
    /// Rebuild the drill's world.
    Simulate(DrillStarted),
    /// Tell the drill's world which steps are done, since when, and what its clock shows.
    Progress(Progress),
    /// Make a text of the records.
    Print(Printout),
    /// Take the merge of a duplicate back, with the reason.
    Unmerge(IncidentId, CleanStr),
    /// Merge a duplicate into the record in which the work goes on.
    Merge {
        /// Which ends.
        duplicate: IncidentId,
        /// Which goes on.
        into: IncidentId,
    },
    /// Prepare to hand a text to another system, up to its first write.
    Deliver(Parcel),
    /// Write it: that is in the record.
    Proceed(EntryId),
    /// Do not write it after all.
    Stop(EntryId),
    /// Ask another system whether it has a text.
    LookUp(Parcel),
    /// Ask another system which of its objects bears the mark of a delivery that others made.
    Prove(Parcel),
    /// Ask another system what was done there.
    AskNews(Watched),
    /// Ask the sources once.
    Inquire(Inquiry),
    /// Look for the programs of what is about to be confirmed, each in its folder; the answer carries the number.
    LookFor(u64, Vec<(Exact, Exact)>),
    /// Do something with a command.
    Run(EntryId, RunAct),
    /// Show the whole output of a command in the person's pager.
    Page(EntryId),
    /// Show a text in the person's pager; it goes to no disk.
    Read(CleanText),
    /// Show the runbook of an address: its file, or the address as a link.
    Runbook(CleanStr),
    /// Put a text into the person's clipboard.
    Copy(CleanText),
    /// Tell the other consoles which layout this one shows.
    ShowLayout(CleanStr),
    /// Write a starter config.
    WriteStarterConfig,
    /// Draw everything anew.
    Repaint,
    /// Stop as Ctrl+Z does.
    Suspend,
    /// Leave.
    Quit,
}

/// What a message led to, in the order in which it is to be performed.
///
/// Whoever asks a console something must take its effects out: the console has noted already that they are under way (a new watchlist has its number, an
/// append its ticket), so that one which is dropped is waited for without end. Dropping some that nobody looked at is therefore a bug, and ends a
/// debug build.
#[must_use = "what the console asks for is performed, or it never happens"]
#[derive(Debug, Default, PartialEq)]
pub struct Effects(Vec<Effect>);

impl Effects {
    /// Gives all of them up on purpose, where no shell stands behind the console: in pictures and in tests.
    pub fn forgo(mut self) {
        self.0.clear();
    }

    /// All of them, in their order.
    pub fn into_vec(mut self) -> Vec<Effect> {
        std::mem::take(&mut self.0)
    }
}

impl From<Vec<Effect>> for Effects {
    fn from(effects: Vec<Effect>) -> Self {
        Self(effects)
    }
}

impl std::ops::Deref for Effects {
    type Target = [Effect];

    fn deref(&self) -> &[Effect] {
        &self.0
    }
}

impl IntoIterator for Effects {
    type Item = Effect;
    type IntoIter = std::vec::IntoIter<Effect>;

    fn into_iter(self) -> Self::IntoIter {
        self.into_vec().into_iter()
    }
}

impl Drop for Effects {
    fn drop(&mut self) {
        debug_assert!(self.0.is_empty() || std::thread::panicking(), "effects were dropped: {:?}", self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn effects_are_taken_out_or_given_up_on_purpose() {
        assert_eq!(Effects::from(vec![Effect::Bell]).into_vec(), [Effect::Bell]);
        assert_eq!(Effects::from(vec![Effect::Bell, Effect::Quit]).into_iter().count(), 2);
        Effects::from(vec![Effect::Bell]).forgo();
        drop(Effects::default());
    }

    #[test]
    #[cfg(debug_assertions)]
    #[should_panic = "effects were dropped: [Bell]"]
    fn effects_that_nobody_took_are_a_bug() {
        drop(Effects::from(vec![Effect::Bell]));
    }
}
