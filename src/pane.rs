//! Panes: the parts of the screen, each a view with its keys.
//!
//! A pane is told what happened through [`Cx`], draws itself into its area, and answers a key with [`Intent`]s: it holds no sender, no client, no
//! clock and no other pane. Its keys stand as data ([`Act`]) beside the functions that they call; layout, focus, help, hints, the command palette and
//! README's key table are made from [`PANES`].
//!
//! Invariant: drawing takes `&self`; a skipped or repeated frame changes nothing.

pub mod alerts;
pub mod due;
pub mod facts;
pub mod graphs;
pub mod next;
pub mod output;
pub mod playbook;
pub mod spans;
pub mod timeline;
pub mod work;

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use crossterm::event::KeyEvent;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::alert::Coverage;
use crate::escalation::{Contact, Matrix};
use crate::exercise::staged::Site;
use crate::incident::{
    Actor, Answer, Asking, Cadence, Command, CommandStarted, DeliveryQueued, Duty, EntryId, Incident, IncidentId,
    Milestone, Obligation, ProofLine, ReviewOf, Role, Rules, Saying, Seat, ServiceId, Severity, StepEnd, StepRef,
    brief::{self, BriefKind},
    cadence,
    gate::Needs,
    lamp, unfinished,
};
use crate::live::{Inquiry, Live};
use crate::oncall::{Person, Roster, Rotation, in_words, is_same};
use crate::output::Outputs;
use crate::playbook::surroundings::Surroundings;
use crate::playbook::{Aliases, Catalogue};
use crate::reach::Reach;
use crate::resolution;
use crate::spans::TraceId;
use crate::template::Templates;
use crate::text::{CleanStr, CleanText};
use crate::theme::Theme;

/// Names a pane; its place in [`PANES`] is its number on the keyboard less one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PaneId {
    /// SLO graphs.
    Graphs,
    /// Error and slow spans, and the trace that was opened.
    Spans,
    /// The playbook.
    Playbook,
    /// The timeline and the scribe's line.
    Timeline,
    /// What is due.
    Next,
    /// Scope, people, consoles.
    Facts,
    /// Proposals, tasks, theories, follow-ups.
    Work,
    /// What the monitoring says is wrong.
    Alerts,
    /// What commands print.
    Output,
}

/// What a table needs to know of a pane.
#[derive(Clone, Copy)]
pub struct PaneSpec {
    /// Which.
    pub id: PaneId,
    /// Its name in the title, in the help and in the names of its actions.
    pub name: &'static str,
    /// What it is for, in one line.
    pub about: &'static str,
    /// Makes one.
    pub make: fn() -> Box<dyn Pane>,
}

/// All panes, in the order of their number keys.
pub const PANES: &[PaneSpec] = &[
    graphs::SPEC,
    spans::SPEC,
    playbook::SPEC,
    timeline::SPEC,
    next::SPEC,
    facts::SPEC,
    work::SPEC,
    alerts::SPEC,
    output::SPEC,
];

/// Somebody's console that is open on the same incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Present {
    /// Who.
    pub actor: Actor,
    /// With which layout.
    pub layout: CleanStr,
    /// The console's own name.
    pub console: CleanStr,
    /// It writes nothing: a wall, or somebody who only reads.
    pub looks_only: bool,
    /// It sends nothing to other systems: a dry run.
    pub is_dry: bool,
}

/// An earlier incident of an affected service, and what ended it.
#[derive(Clone, Debug, PartialEq)]
pub struct Past {
    /// Which.
    pub id: IncidentId,
    /// What was wrong.
    pub title: CleanStr,
    /// When it was declared.
    pub at: DateTime<Utc>,
    /// What ended it, in one line; empty where nobody said.
    pub ended_by: CleanStr,
    /// How the steps of its playbooks ended.
    pub steps: BTreeMap<StepRef, StepEnd>,
}

/// The earlier incidents of the affected services, as far as they can be read.
#[derive(Clone, Debug, PartialEq)]
pub struct History {
    /// The last ones, the newest first.
    pub earlier: Vec<Past>,
    /// What could not be read, so that there may be others; without it, these are all.
    pub unread: Option<CleanText>,
}

/// What may be done through this console.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everything.
    Full,
    /// Looking only: `--read-only`, `--wall`.
    ReadOnly,
}

/// All that a pane may look at.
#[derive(Clone, Copy)]
pub struct Cx<'a> {
    /// The incident.
    pub incident: &'a Incident,
    /// What the sources said.
    pub live: &'a Live,
    /// All playbooks.
    pub catalogue: &'a Catalogue,
    /// The systems that can be reached from here.
    pub reach: &'a Reach,
    /// The same as the files say now: what the incident goes by may be another version.
    pub loaded: &'a Catalogue,
    /// The templates of updates.
    pub templates: &'a Templates,
    /// The runbook's times.
    pub cadence: Cadence,
    /// The last incidents of the affected services; nothing before somebody has looked for them.
    pub past: Option<&'a History>,
    /// Whom a severity tells.
    pub matrix: &'a Matrix,
    /// Who is on call, where it is configured.
    pub rotation: Option<&'a Rotation>,
    /// A wall screen: no telephone numbers.
    pub is_wall: bool,
    /// What the other open incidents of this host cover.
    pub covers: &'a [Coverage],
    /// What commands printed, as far as it is known here.
    pub outputs: &'a Outputs,
    /// The name of this machine.
    pub host: &'a CleanStr,
    /// How this site calls the programs of playbooks.
    pub aliases: &'a Aliases,
    /// What commands find around them here.
    pub around: &'a Surroundings,
    /// The staging environment that can be reached from here.
    pub staging: Option<&'a Site>,
    /// The journal takes entries: without it nothing runs.
    pub is_writable: bool,
    /// All of the open record was read: until then nothing is said not to be in it.
    pub is_read: bool,
    /// Consoles on this incident.
    pub present: &'a [Present],
    /// This console's own name.
    pub console: &'a CleanStr,
    /// Several accounts write one record, and each can write in the name of any other.
    pub is_shared: bool,
    /// What other systems were not told of what others did.
    pub left: &'a [DeliveryQueued],
    /// Colours and glyphs.
    pub theme: &'a Theme,
    /// The zone in which times are read.
    pub zone: chrono_tz::Tz,
    /// Who sits here.
    pub me: &'a Actor,
    /// What may be done here.
    pub access: Access,
    /// Now, in the incident's clock.
    pub now: DateTime<Utc>,
    /// Now, on the wall.
    pub wall: DateTime<Utc>,
    /// When somebody last pressed a key here, on the wall's clock: until then an overdue obligation blinks.
    pub looked_at: Option<DateTime<Utc>>,
    /// How actions and moments are spelled where this is read.
    pub spelling: Spelling,
    /// Columns and rows inside each pane's frame; none of those that are not in sight.
    pub rooms: [(u16, u16); PANES.len()],
}

/// How a sentence of the domain is spelled: by keys on the screen, by commands in line mode and in a shell.
#[derive(Clone, Copy, Debug)]
pub struct Spelling {
    /// What stands for an action.
    pub action: fn(&str) -> String,
    /// A moment names its zone: nothing else on the page does.
    pub names_zone: bool,
}

/// Whom a name can mean: the people of the configuration, who is here, who does something in the incident, and who is on call.
pub fn roster(
    people: &[Person],
    here: impl IntoIterator<Item = Actor>,
    incident: &Incident,
    rotation: Option<&Rotation>,
) -> Roster {
    let doing = incident.roles.values().map(|mark| mark.by.clone());
    let on_call = rotation.into_iter().flat_map(|rotation| rotation.weeks.iter().map(|week| week.person.clone()));
    Roster::new(people, here.into_iter().chain(doing).chain(on_call))
}

/// Whether somebody of this name sits at one of the consoles.
pub fn is_here(name: &str, present: &[Present], me: &Actor) -> bool {
    present.iter().map(|one| &one.actor).chain([me]).any(|actor| actor.eq_ignore_ascii_case(name))
}

impl Cx<'_> {
    /// The columns inside a pane's frame.
    pub fn width(&self, pane: PaneId) -> u16 {
        self.rooms[pane as usize].0
    }

    /// The rows inside a pane's frame.
    pub fn height(&self, pane: PaneId) -> u16 {
        self.rooms[pane as usize].1
    }

    /// Who asks, when.
    pub fn asking(&self) -> Asking {
        let present = self.present.iter().map(|present| present.actor.clone()).collect();
        let needs = None;
        Asking {
            actor: self.me.clone(),
            now: self.now,
            present,
            cadence: self.cadence,
            tell: self.to_tell(),
            roster: self.roster(),
            needs,
            is_shared: self.is_shared,
        }
    }

    /// Who asks, and what is wanted of whoever asks for that.
    pub fn asking_for(&self, command: &Command) -> Asking {
        let needs = if let Command::StartRun(order) = command { self.needs(order) } else { None };
        Asking { needs, ..self.asking() }
    }

    /// What a command of a playbook wants before it may start, as the playbook says now.
    pub fn needs(&self, order: &CommandStarted) -> Option<Needs> {
        self.catalogue.get(&order.step.as_ref()?.service)?.needs(order)
    }

    /// Whom a name can mean: those who are known, here, on call, or do something in the incident.
    pub fn roster(&self) -> Roster {
        let present = self.present.iter().map(|one| one.actor.clone()).chain([self.me.clone()]);
        roster(&self.matrix.people, present, self.incident, self.rotation)
    }

    /// Whether a name is mine, whichever of my names it is.
    pub fn is_me(&self, name: &str) -> bool {
        is_same(&self.matrix.people, self.me, name)
    }

    /// Whether I hold a role.
    pub fn i_hold(&self, role: Role) -> bool {
        self.incident.roles.iter().any(|(seat, mark)| seat.role == role && self.is_me(&mark.by))
    }

    /// What is due, the nearest first.
    pub fn obligations(&self) -> Vec<Obligation> {
        let tell = self.to_tell();
        cadence::obligations(self.incident, self.rules(&tell))
    }

    /// The severity that people must know of.
    pub fn owed_severity(&self) -> Option<Severity> {
        self.incident.owed_severity(self.cadence.tell).map(|(severity, _)| severity)
    }

    /// The positions that must know of it.
    pub fn to_tell(&self) -> Vec<CleanStr> {
        to_tell(self.incident, self.matrix, self.catalogue, &self.cadence)
    }

    /// By which rules this incident's obligations come about, for `tell` of [`Cx::to_tell`].
    pub fn rules<'a>(&'a self, tell: &'a [CleanStr]) -> Rules<'a> {
        Rules { cadence: &self.cadence, tell }
    }

    /// What is left undone, by name.
    pub fn unfinished(&self) -> Vec<String> {
        unfinished(self.incident, self.rules(&self.to_tell()))
    }

    fn contacts(&self) -> Vec<Contact> {
        contacts(self.incident, self.matrix, self.catalogue, &self.cadence)
    }

    /// How somebody of the escalation matrix is reached.
    pub fn phone_of(&self, named: &str) -> Option<String> {
        let contact = self.contacts().into_iter().find(|contact| contact.name() == *named)?;
        let person = contact.person.filter(|_| !self.is_wall)?;
        let ways = [person.phone, person.slack, person.email].into_iter().flatten();
        Some(format!("{}: {}", person.name, ways.map(|way| way.to_string()).collect::<Vec<_>>().join(" · ")))
    }

    /// What to say aloud to somebody who takes over.
    pub fn brief(&self, kind: BriefKind, since: Option<DateTime<Utc>>) -> String {
        let tell = self.to_tell();
        brief::brief(self.incident, kind, self.now, since, self.rules(&tell)).to_string()
    }

    /// What live data say about whether it is over.
    pub fn proof(&self) -> Vec<ProofLine> {
        resolution::proof(self.incident, self.live, self.catalogue, self.cadence.proof, self.wall)
    }

    /// Since when it is normal again: as it was measured, or else as somebody said; never the moment of a key press where something better is known.
    pub fn normal_since(&self) -> Option<DateTime<Utc>> {
        let resolved = self.incident.resolved_at?;
        let measured = resolution::normal_since(self.incident, self.live, self.catalogue, self.wall);
        let recorded = self.incident.recovered_at();
        let known = measured.filter(|at| *at <= resolved).or(recorded.filter(|at| *at <= resolved));
        known.or(self.incident.impact.end()).or(Some(resolved))
    }

    /// What the final status begins with.
    pub fn final_status(&self) -> String {
        let incident = self.incident;
        let since = incident.impact.start().or(incident.detected_at).map(|at| format!(" since {}", self.minute(at)));
        let causes =
            incident.hypotheses.iter().filter(|theory| theory.settled.as_ref().is_some_and(|(_, holds, _)| *holds));
        let cause: String = causes.map(|theory| format!(" Cause: {}.", theory.theory.text)).collect();
        let done = incident.decisions.iter().filter(|decision| decision.made.as_ref().is_some_and(|(_, made)| made.go));
        let done: String = done.map(|decision| format!(" Done: {}.", decision.proposal.action)).collect();
        format!("{}{}.{cause}{done}", incident.title, since.unwrap_or_default())
    }

    /// What an experienced commander would notice by now.
    pub fn lamps(&self) -> Vec<String> {
        let mut present: Vec<Actor> = self.present.iter().map(|present| present.actor.clone()).collect();
        present.sort();
        present.dedup();
        lamp::lamps(self.incident, &present, self.now)
    }

    /// Who is on call now and next; a wall, which everybody passes, shows no numbers.
    pub fn on_call(&self) -> Result<String, &'static str> {
        let people = (!self.is_wall).then_some(self.matrix.people.as_slice());
        match self.rotation {
            Some(rotation) => Ok(in_words(rotation, self.wall, people)),
            None => Err("no on-call rotation is configured: `warroom oncall` shows the lines that are one"),
        }
    }

    /// A time of day in the incident's zone; with its date where that is not today's.
    pub fn clock(&self, at: DateTime<Utc>) -> String {
        let local = at.with_timezone(&self.zone);
        let is_today = local.date_naive() == self.now.with_timezone(&self.zone).date_naive();
        local.format(if is_today { "%H:%M:%S" } else { "%m-%d %H:%M:%S" }).to_string()
    }

    /// A moment in the incident's zone as it can be typed again: with its date where that is not today's.
    pub fn dated(&self, at: DateTime<Utc>) -> String {
        let local = at.with_timezone(&self.zone);
        let is_today = local.date_naive() == self.now.with_timezone(&self.zone).date_naive();
        local.format(if is_today { "%H:%M:%S" } else { "%Y-%m-%d %H:%M:%S" }).to_string()
    }

    /// A sentence of the domain, as it is read here.
    pub fn said(&self, saying: &Saying) -> String {
        let moment = |at: DateTime<Utc>| {
            let zone = if self.spelling.names_zone {
                format!(" {}", at.with_timezone(&self.zone).format("%Z"))
            } else {
                String::new()
            };
            format!("{}{zone}", self.dated(at))
        };
        saying.spelled(moment, self.spelling.action)
    }

    /// A time of day in the incident's zone, without seconds; with its date where that is not today's.
    pub fn minute(&self, at: DateTime<Utc>) -> String {
        let local = at.with_timezone(&self.zone);
        if local.date_naive() == self.now.with_timezone(&self.zone).date_naive() {
            local.format("%H:%M").to_string()
        } else {
            local.format("%m-%d %H:%M").to_string()
        }
    }
}

/// The positions that must know of an incident, by the severity that is owed.
pub fn to_tell(incident: &Incident, matrix: &Matrix, catalogue: &Catalogue, cadence: &Cadence) -> Vec<CleanStr> {
    contacts(incident, matrix, catalogue, cadence).iter().map(Contact::name).collect()
}

fn contacts(incident: &Incident, matrix: &Matrix, catalogue: &Catalogue, cadence: &Cadence) -> Vec<Contact> {
    let Some((severity, _)) = incident.owed_severity(cadence.tell) else { return Vec::new() };
    matrix.to_tell(severity, &catalogue.owners(incident.services.iter().map(|service| service.as_str())))
}

/// A question that wants a line of text; the answer becomes a command.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// What is asked.
    pub title: String,
    /// What stands in the field at first.
    pub text: String,
    /// What the answer is for.
    pub purpose: Purpose,
}

/// What an answer is for.
#[derive(Clone, Debug, PartialEq)]
pub enum Purpose {
    /// A new title.
    Title,
    /// The reason for a command that wants one.
    Reason(Box<Command>),
    /// The corrected text of a line.
    Amend(crate::incident::EntryId),
    /// A time (`-5m`, `14:10`) for the start of impact.
    ImpactStart,
    /// A time for its end.
    ImpactEnd,
    /// A service to add to the scope.
    Service,
    /// A component, for an SME.
    Component,
    /// Take the merge of a duplicate back: which one, and why.
    Unmerge,
    /// The name of the record that ends.
    Merge {
        /// Which ends.
        duplicate: IncidentId,
        /// Which goes on.
        into: IncidentId,
    },
    /// What the facilitator of a drill does.
    Facilitate,
    /// Words to look for in a pane.
    Search(PaneId),
}

/// Something that can be acted on.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// What somebody owes, or owed.
    Duty(Duty),
    /// A theory.
    Hypothesis(EntryId),
    /// An alert, by its fingerprint.
    Alert(CleanStr),
}

/// What a form asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum FormKind {
    /// What is affected.
    Scope,
    /// Work for a named person.
    Task,
    /// What to do, its risk and the way back.
    Proposal,
    /// A theory about the cause.
    Hypothesis {
        /// What stands in the form at first.
        text: String,
        /// What would take it back.
        rollback: String,
    },
    /// What settled a theory.
    Settle {
        /// The theory.
        hypothesis: EntryId,
        /// Whether it was the cause.
        holds: bool,
    },
    /// Why not.
    Objection(EntryId),
    /// To whom a role goes, and the brief.
    Handover(Seat),
    /// Who is given a role.
    Assign(Seat),
    /// What a call-back says.
    Answer {
        /// The task.
        task: EntryId,
        /// How it stands.
        answer: Answer,
    },
    /// Who was told, and how.
    Told {
        /// The position in the matrix.
        position: CleanStr,
        /// How bad it is.
        severity: Severity,
    },
    /// How often updates are due from now on, and why.
    Cadence,
    /// How long something is put off, and why.
    Snooze(Duty),
    /// The final status, with the proof as it is when it is handed in.
    Resolve,
    /// Whom to page, and the word that does it.
    Page,
    /// To which level of its escalation policy PagerDuty goes, and the word that does it.
    Escalate,
    /// Who has it in PagerDuty from now on, and the word that calls them.
    Reassign,
    /// What somebody opened in that system and is this incident's.
    Link(CleanStr),
    /// Which alerts are kept quiet, for how long and why; the labels stand there at first.
    Silence(String),
    /// The postmortem's date and owner.
    Postmortem,
    /// Where the article is.
    Article,
    /// What a review changed.
    Review(ReviewOf),
    /// A new follow-up, or what changed of one.
    FollowUp(Option<EntryId>),
    /// When something really was, and how that is known.
    AmendTime(Milestone),
    /// The values of a command's parameters.
    Parameters {
        /// The command's step.
        step: StepRef,
        /// To do it or to take it back.
        purpose: crate::incident::Purpose,
    },
}

/// What a pane wants done.
#[derive(Clone, Debug, PartialEq)]
pub enum Intent {
    /// Ask something of the incident.
    Command(Command),
    /// Ask something of the incident; if it cannot be recorded, the text goes back to where it was typed.
    Commit(Command, String),
    /// Ask a person for a line of text.
    Ask(Question),
    /// Say something in the status line.
    Say(String),
    /// Ask a source once.
    Inquire(Inquiry),
    /// Open a trace in the pane of spans.
    OpenTrace(TraceId),
    /// Put a text into the person's clipboard.
    Copy(CleanText),
    /// Show a text in the person's pager.
    Read(CleanText),
    /// Show the runbook of an address.
    Runbook(CleanStr),
    /// The graphs' time range or width changed.
    Watch(TimeDelta),
    /// Do what is due.
    Satisfy(Duty),
    /// Offer what can be done with an item.
    ActOn(Item),
    /// Ask for what a form asks.
    Form(FormKind),
    /// Declare an incident from alerts, by their fingerprints.
    DeclareFrom(Vec<CleanStr>),
    /// Do something with a command.
    Run(RunAsk),
}

/// What is asked about commands.
#[derive(Clone, Debug, PartialEq)]
pub enum RunAsk {
    /// Show what would run for a step, and ask.
    Step(StepRef, crate::incident::Purpose),
    /// Show a playbook that does not ship with the program, and let its commands run.
    Approve(ServiceId),
    /// Stop a command, after a question.
    Cancel(EntryId),
    /// Give a command so many seconds more.
    Grant(EntryId, u64),
    /// Show the whole output of a command in a pager.
    Page(EntryId),
}

/// One key of a pane, its name, and what it does.
pub struct Act<P> {
    /// Name in the palette and in the config, after the pane's (`graphs.longer`).
    pub name: &'static str,
    /// The keys, written as people say them (`Ctrl+W`, `Shift+Tab`); the first is shown.
    pub keys: &'static [&'static str],
    /// What it does, for help and palette.
    pub help: &'static str,
    /// Whether it changes the record, so that a read-only console refuses it.
    pub writes: bool,
    /// What it calls.
    pub run: fn(&mut P, &Cx<'_>) -> Vec<Intent>,
}

/// What the tables need to know of an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActInfo {
    /// Its name after the pane's.
    pub name: &'static str,
    /// Its keys.
    pub keys: &'static [&'static str],
    /// What it does.
    pub help: &'static str,
    /// Whether it changes the record.
    pub writes: bool,
}

impl<P> Act<P> {
    /// An action that only looks.
    pub const fn look(
        name: &'static str,
        keys: &'static [&'static str],
        help: &'static str,
        run: fn(&mut P, &Cx<'_>) -> Vec<Intent>,
    ) -> Self {
        Self { name, keys, help, writes: false, run }
    }

    /// An action that changes the record.
    pub const fn write(
        name: &'static str,
        keys: &'static [&'static str],
        help: &'static str,
        run: fn(&mut P, &Cx<'_>) -> Vec<Intent>,
    ) -> Self {
        Self { name, keys, help, writes: true, run }
    }

    /// Without what it calls.
    pub const fn info(&self) -> ActInfo {
        ActInfo { name: self.name, keys: self.keys, help: self.help, writes: self.writes }
    }
}

/// A part of the screen.
pub trait Pane: Send {
    /// Its actions, in the order of help.
    fn acts(&self) -> Vec<ActInfo>;

    /// Runs the action at a place of [`Pane::acts`].
    fn perform(&mut self, place: usize, cx: &Cx<'_>) -> Vec<Intent>;

    /// Whether letters are text here at the moment.
    fn is_typing(&self) -> bool {
        false
    }

    /// Takes a key as text, while [`Pane::is_typing`].
    fn type_key(&mut self, _key: KeyEvent, _cx: &Cx<'_>) -> Vec<Intent> {
        Vec::new()
    }

    /// Whether Tab completes what is typed, rather than going to the next pane.
    fn completes(&self, _cx: &Cx<'_>) -> bool {
        false
    }

    /// Takes a paste as text, while [`Pane::is_typing`].
    fn type_paste(&mut self, _text: &str, _cx: &Cx<'_>) -> Vec<Intent> {
        Vec::new()
    }

    /// Takes back a text whose entry could not be recorded, or that an earlier console left half-typed; then with the wall clock's time at which its typing
    /// began.
    fn give_back(&mut self, _text: &str, _began: Option<DateTime<Utc>>) {}

    /// The half-typed text that must survive.
    fn draft(&self) -> Option<String> {
        None
    }

    /// Takes an answer that was asked for with [`Purpose::Search`].
    fn search(&mut self, _words: &str, _cx: &Cx<'_>) -> Vec<Intent> {
        Vec::new()
    }

    /// Another record is open: what was selected, scrolled to or looked for in the last one goes; how this console shows things, and what is typed, stays.
    fn turn_to_next_record(&mut self);

    /// Shows what a run prints that was started from here, to its end.
    fn take_run(&mut self, _run: EntryId) {}

    /// Opens a trace, which was asked for.
    fn open_trace(&mut self, _trace: TraceId) {}

    /// Comes to know that the incident or the sources changed, before the next draw.
    fn refresh(&mut self, _cx: &Cx<'_>) {}

    /// The title of its frame.
    fn title(&self, cx: &Cx<'_>) -> String;

    /// What stands at the right of its frame: how old what it shows is, or a count.
    fn remark(&self, _cx: &Cx<'_>) -> String {
        String::new()
    }

    /// Draws its inside; says where the terminal's cursor belongs, while [`Pane::is_typing`].
    fn draw(&self, area: Rect, buf: &mut Buffer, cx: &Cx<'_>, is_focused: bool) -> Option<Position>;

    /// The next moment of the incident's clock at which something that it shows changes by itself.
    fn next_change(&self, _cx: &Cx<'_>) -> Option<DateTime<Utc>> {
        None
    }
}

/// Writes the three methods of [`Pane`] that every pane has alike from its table `ACTS`.
macro_rules! acts_from_table {
    () => {
        fn acts(&self) -> Vec<crate::pane::ActInfo> {
            ACTS.iter().map(crate::pane::Act::info).collect()
        }

        fn perform(&mut self, place: usize, cx: &crate::pane::Cx<'_>) -> Vec<crate::pane::Intent> {
            ACTS.get(place).map_or_else(Vec::new, |act| (act.run)(self, cx))
        }
    };
}
pub(crate) use acts_from_table;

/// Who holds a role, for people.
pub fn holder_name(incident: &Incident, role: Role) -> &str {
    incident.holder(role).map_or("nobody", |actor| actor.as_str())
}
