//! The whole screen as a value: what is open, where the focus is, what is half-done.
//!
//! [`Console::handle`] takes what happened and the time, and returns what shall be done; it does nothing itself. What a person records is not applied
//! at once: it goes out as [`Effect::Append`], comes back through the journal like everybody else's entries, and only then is it state.
//!
//! Invariant: `handle` never fails and never waits; drawing is a function of the console and the time; a frame that is skipped or repeated changes
//! nothing.

pub mod actions;
mod ask;
mod declaring;
mod draw;
pub(crate) mod drill;
pub mod effect;
mod forms;
mod inbound;
mod input;
pub mod keys;
mod known;
pub mod layout;
mod layouts;
mod lookout;
mod message;
mod mouse;
mod opened;
mod outbox;
pub(crate) mod overlay;
mod own;
mod own_clock;
mod pace;
mod pasting;
mod record;
mod remotes;
pub mod runs;
pub mod start;
mod turns;
mod versions;
mod waits;
mod wall;

use chrono::{DateTime, TimeDelta, Utc};
use ratatui::layout::Rect;

use crate::alert::Coverage;
use crate::escalation::Matrix;
use crate::exercise::staged::Site;
use crate::incident::{
    Actor, By, Cadence, Command, Declared, Event, Incident, IncidentId, ProofLine, Refusal, command, says,
};
use crate::live::{Finding, Inquiry, Live, Usual, WatchedObjective, WatchedService, Watchlist};
use crate::oncall::Rotation;
use crate::pane::{Access, Cx, Intent, Item, PANES, Pane, PaneId, Question, Spelling};
pub use crate::pane::{History, Past};
use crate::playbook::surroundings::Surroundings;
use crate::playbook::{Aliases, Catalogue};
use crate::reach::Reach;
use crate::resolution;
use crate::slo::ObjectiveId;
use crate::template::Templates;
use crate::text::CleanStr;
use crate::theme::Theme;
use crate::widget::frame::PaneFrame;
pub use declaring::Doubt;
pub use draw::{Cursor, Drawn};
pub use effect::{Effect, Effects, JournalMsg, Msg, Printout, RUNBOOK, Summary};
pub use known::Known;
pub use layout::{Arrangement, Layout};
use message::Messages;
pub use message::{Notice, Tone};
use opened::OpenRecord;
pub(crate) use overlay::DECLARE;
use overlay::{Overlay, Shown};
use own::Own;
use pace::Pace;
pub use pasting::Pasting;
use start::Start;

/// Half-typed text is saved this long after the key that changed it …
const DRAFT_AFTER: TimeDelta = TimeDelta::milliseconds(500);
/// … or after so many characters.
const DRAFT_CHARACTERS: usize = 20;
/// After a paste, keys that act are ignored for so long: a paste can carry its own end and then a `y`.
const PASTE_GUARD: TimeDelta = TimeDelta::milliseconds(250);
/// What a source could not say is asked again after this.
const ASK_AGAIN: TimeDelta = TimeDelta::minutes(1);
/// Who pressed no key for so long was away.
const AWAY: TimeDelta = TimeDelta::minutes(10);
/// What is said of a key that was ignored for that.
const CAME_WITH_A_PASTE: &str = "that key came with a paste: press it again";

/// What a console is told at its start.
#[derive(Clone)]
pub struct Settings {
    /// Who sits here.
    pub me: Actor,
    /// The console's own name.
    pub console: CleanStr,
    /// Which layout it shows.
    pub layout: Layout,
    /// What may be done here.
    pub access: Access,
    /// A wall screen: big, read-only, nobody at the keys.
    pub is_wall: bool,
    /// The simulated world stands still: for measuring.
    pub is_frozen: bool,
    /// All playbooks, as their files say.
    pub catalogue: Catalogue,
    /// The templates of updates.
    pub templates: Templates,
    /// The runbook's times.
    pub cadence: Cadence,
    /// Whom a severity tells.
    pub matrix: Matrix,
    /// The name of this machine: what runs here is followed here.
    pub host: CleanStr,
    /// How this site calls the programs of playbooks.
    pub aliases: Aliases,
    /// What commands find around them here.
    pub around: Surroundings,
    /// The staging environment in which commands of exercises may run from here: it proved to be one.
    pub staging: Option<Site>,
    /// The systems that can be reached from here; what leads nowhere is told by hand.
    pub reach: Reach,
    /// Who is on call, where it is configured.
    pub rotation: Option<Rotation>,
    /// Several accounts write one record, and each can write in the name of any other.
    pub is_shared: bool,
    /// Whether the terminal's bell rings when something becomes overdue.
    pub rings: bool,
    /// Colours and glyphs.
    pub theme: Theme,
    /// The zone of incidents that are declared here.
    pub zone: chrono_tz::Tz,
}

/// Which parts of the screen must be drawn again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Dirty(u16);

impl Dirty {
    /// The header.
    pub const HEADER: Self = Self(1);
    /// The footer.
    pub const FOOTER: Self = Self(2);
    /// Everything, with what stands above it.
    pub const ALL: Self = Self(u16::MAX);

    fn pane(pane: PaneId) -> Self {
        Self(4 << pane as u16)
    }

    /// Whether a part is among them.
    pub fn has(self, part: Self) -> bool {
        self.0 & part.0 == part.0
    }

    /// Whether there is nothing to draw.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    fn add(&mut self, part: Self) {
        self.0 |= part.0;
    }
}

/// One running warroom: what belongs to whoever sits here and to this machine, and beside it the record that is open.
pub struct Console {
    settings: Settings,
    /// All that belongs to the open record, and goes with it.
    open: OpenRecord,
    live: Live,
    covers: Vec<Coverage>,
    /// How often programs were looked for.
    looks: u64,
    panes: Vec<Box<dyn Pane>>,
    focus: PaneId,
    is_zoomed: bool,
    overlay: Option<Shown>,
    start: Option<Start>,
    messages: Messages,
    spelling: Spelling,
    screen: Rect,
    watchlist: Watchlist,
    span: TimeDelta,
    own: Own,
    /// How often each system is asked to take or to find something, whichever record is open, …
    pace: Pace,
    /// … and what was done there.
    news_pace: Pace,
    pasted_at: Option<DateTime<Utc>>,
    /// It stands in the status line that a paste is coming.
    is_paste_awaited: bool,
    /// When more keys came at once than a person presses.
    flooded_at: Option<DateTime<Utc>>,
    looked_at: Option<DateTime<Utc>>,
    jumped_at: Option<DateTime<Utc>>,
    dirty: Dirty,
    /// By how much the own clock is known to be ahead.
    ahead: TimeDelta,
    /// By how much a server said it is.
    off_by: TimeDelta,
    /// The record in which that stands because of this console.
    noted_clock_in: Option<IncidentId>,
}

impl Console {
    /// A console that knows nothing yet: it can be drawn before anything was read.
    pub fn new(settings: Settings, screen: Rect) -> Self {
        let focus = settings.layout.first_focus(screen);
        let mut console = Self {
            open: OpenRecord::new(None, settings.catalogue.clone()),
            live: Live { is_frozen: settings.is_frozen, ..Live::default() },
            covers: Vec::new(),
            looks: 0,
            panes: PANES.iter().map(|spec| (spec.make)()).collect(),
            focus,
            is_zoomed: false,
            overlay: None,
            start: None,
            messages: Messages::default(),
            spelling: actions::KEYS,
            screen,
            watchlist: Watchlist::default(),
            span: TimeDelta::hours(1),
            own: Own::default(),
            pace: Pace::default(),
            news_pace: Pace::default(),
            pasted_at: None,
            is_paste_awaited: false,
            flooded_at: None,
            looked_at: None,
            jumped_at: None,
            dirty: Dirty::ALL,
            ahead: TimeDelta::zero(),
            off_by: TimeDelta::zero(),
            noted_clock_in: None,
            settings,
        };
        if focus == PaneId::Timeline && console.may_write() {
            console.panes[PaneId::Timeline as usize].give_back("", None);
        }
        console
    }

    /// Shows the start screen: no record is open.
    pub fn show_start(&mut self) {
        self.start = Some(Start::default());
        self.dirty = Dirty::ALL;
    }

    /// What live data say about whether it is over.
    pub(crate) fn proof(&self, wall: DateTime<Utc>) -> Vec<ProofLine> {
        self.cx(wall).proof()
    }

    /// The incident as this console knows it.
    pub fn incident(&self) -> &Incident {
        &self.open.incident
    }

    /// What the sources said, as this console knows it.
    pub fn live(&self) -> &Live {
        &self.live
    }

    /// The sentence in the status line.
    pub fn notice(&self) -> Option<&Notice> {
        self.messages.now.as_ref()
    }

    /// The pane that has the focus.
    pub fn focus(&self) -> PaneId {
        self.focus
    }

    /// The record that is open here.
    pub fn open_record(&self) -> Option<IncidentId> {
        self.open.record.id
    }

    /// The console's own name.
    pub(crate) fn name(&self) -> &CleanStr {
        &self.settings.console
    }

    /// Whether something that was asked for here is not state yet.
    pub(crate) fn is_waiting(&self) -> bool {
        self.own.is_waiting()
    }

    /// Whether something must be drawn.
    pub fn is_dirty(&self) -> bool {
        !self.dirty.is_empty()
    }

    /// The half-typed text that is not on disk yet.
    pub fn unsaved_draft(&self) -> Option<String> {
        self.open.draft.changed_at?;
        Some(self.panes.iter().find_map(|pane| pane.draft()).unwrap_or_default())
    }

    /// All half-typed text, whether it is on disk or not.
    pub fn half_typed(&self) -> Option<String> {
        let line = self.panes.iter().find_map(|pane| pane.draft());
        let all: Vec<String> = line.into_iter().chain(self.open.forms.texts()).collect();
        (!all.is_empty()).then(|| all.join("\n"))
    }

    fn may_write(&self) -> bool {
        self.settings.access == Access::Full && !self.settings.is_wall
    }

    /// Takes what happened at a time of the own clock, and says what shall be done.
    pub fn handle(&mut self, msg: Msg, own: DateTime<Utc>) -> Effects {
        let wall = self.right(own);
        let mut effects = Vec::new();
        // What is watched follows from the record, the screen's size and the range; time alone changes none of them.
        let may_rewatch = !matches!(msg, Msg::Wake | Msg::Source(_));
        match msg {
            Msg::Input(event) => self.input(event, wall, &mut effects),
            Msg::Flood => self.flooded(wall),
            Msg::Pasting(pasting) => self.pasting(pasting, wall),
            Msg::Found(ticket, found) => self.found(ticket, found),
            Msg::Journal(msg) => self.journal(msg, wall, &mut effects),
            Msg::Source(report) => {
                self.open.lookout.is_due = true;
                let tells_alerts = matches!(report.finding, Finding::Alerts(_));
                let tells_spans = matches!(report.finding, Finding::Spans(_));
                let tells_time = matches!(report.finding, Finding::Clock(_)).then_some(report.source);
                let is_shown = self.live.take(report, wall);
                if is_shown && tells_alerts && (self.start.is_some() || self.focus == PaneId::Alerts) {
                    // Somebody may have declared an incident from them in the meantime.
                    effects.push(Effect::List);
                }
                if let Some(source) = tells_time {
                    self.compare_clocks(source, wall);
                }
                if tells_spans {
                    self.ask_what_is_usual(wall, &mut effects);
                }
                if is_shown {
                    self.mark(&[PaneId::Graphs, PaneId::Spans, PaneId::Alerts]);
                    self.dirty.add(Dirty::HEADER);
                }
            }
            Msg::TaskDied(what) => {
                self.say(Tone::Failed, format!("{what} crashed and was started again; see the log"), wall)
            }
            Msg::ClockJumped(by) => self.clock_jumped(by, wall, &mut effects),
            Msg::Listed(known) => {
                let known = known.map(|mut list| {
                    list.sort_by_key(Summary::rank);
                    list
                });
                if let Some(start) = &mut self.start {
                    start.take(known.clone());
                }
                let here = self.open.record.id;
                if let Some(Overlay::Records(pick, why)) = self.overlay.as_mut().map(|shown| &mut shown.overlay) {
                    let selected = pick.selected;
                    *pick = overlay::records(Some(&known), *why, here, wall);
                    pick.selected = selected.min(pick.rows.len().saturating_sub(1));
                }
                let (list, why) = known.parts();
                if let Some(why) = why.filter(|_| self.start.is_none()) {
                    self.say(Tone::Failed, why.to_string(), wall);
                }
                self.covers = list.into_iter().filter_map(|summary| summary.covers).collect();
                self.dirty = Dirty::ALL;
            }
            Msg::Catalogue(catalogue) => self.take_catalogue(*catalogue, wall),
            Msg::Past(past) => {
                self.open.past = Some(past);
                self.mark(&[PaneId::Facts]);
            }
            Msg::Templates(templates) => {
                if let Some(problem) = templates.problems.first() {
                    self.say(Tone::Failed, problem.clone(), wall);
                }
                self.settings.templates = *templates;
            }
            Msg::Failed(text) | Msg::Remark(text) => self.say(Tone::Failed, text.to_string(), wall),
            Msg::Done(text) => self.say(Tone::Said, text.to_string(), wall),
            Msg::Printed(title, text) => {
                // Who has gone on to something else is not interrupted.
                if let Some(Overlay::Text(reading)) = self.overlay.as_mut().map(|shown| &mut shown.overlay)
                    && reading.title == title.as_str()
                {
                    reading.text = text;
                    self.dirty = Dirty::ALL;
                }
            }
            Msg::Ready(id) => self.open.outbox.is_ready(id),
            Msg::Delivered(id, receipt) => self.delivered(id, receipt, wall),
            Msg::LookedUp(id, receipt) => self.looked_up(id, receipt, wall),
            Msg::Proved(id, receipt) => self.proved(id, receipt, wall),
            Msg::Rests(service, wait) => self.rests(&service, wait, wall),
            Msg::News(service, news) => self.take_news(&service, news, wall, &mut effects),
            Msg::Staging(Ok(site)) => self.settings.staging = Some(site),
            Msg::Staging(Err(why)) => {
                self.say(Tone::Failed, format!("no traffic and no fault can be put there from here: {why}"), wall);
            }
            Msg::RealAlerts(titles) => {
                self.open.record.real_alerts = titles;
                self.dirty.add(Dirty::HEADER);
            }
            Msg::Theme(theme) => {
                self.settings.theme = *theme;
                self.dirty = Dirty::ALL;
            }
            Msg::Run(id, said) => self.run_said(id, said, wall, &mut effects),
            Msg::IsOpen(known, events) => self.is_it_that(known, events),
            Msg::Wake => {}
        }
        let wall = self.learn_own_clock(own);
        self.learn_versions();
        self.note_own_clock(wall, &mut effects);
        self.look_out(wall, &mut effects);
        self.go_on(wall, &mut effects);
        self.look_for_programs(&mut effects);
        self.after(wall, &mut effects);
        if may_rewatch {
            self.watch(wall, &mut effects);
            self.tell_progress(&mut effects);
        }
        Effects::from(effects)
    }

    /// The next moment of the wall clock at which something shown changes by itself, or something must be saved.
    pub fn next_wake(&self) -> Option<DateTime<Utc>> {
        let clock = self.open.incident.clock();
        let shown = self
            .open
            .wakes
            .iter()
            .copied()
            .chain([self.open.next_wait, self.open.outbox.next, self.open.lookout.next])
            .flatten()
            .map(|at| clock.wall(at));
        let notice = self.messages.now.iter().map(|notice| notice.until);
        let typed = [self.open.draft.changed_at, self.open.forms.clock.changed_at];
        let draft = typed.into_iter().flatten().map(|at| at + DRAFT_AFTER);
        let known = shown.chain(notice).chain(draft).chain(self.own.next_loss());
        let turn = self.open.then.iter().filter_map(turns::Then::wakes);
        known.chain(turn).min().map(|at| self.own(at))
    }

    /// Begins a frame: which parts must be drawn. Also settles when each of them changes next.
    pub fn begin_frame(&mut self, own: DateTime<Utc>) -> Dirty {
        let wall = self.right(own);
        let dirty = std::mem::take(&mut self.dirty);
        let mut panes = std::mem::take(&mut self.panes);
        let placed = self.arrangement();
        self.measure_overlay();
        let cx = self.cx(wall);
        let mut wakes = self.open.wakes;
        for (spec, pane) in PANES.iter().zip(&mut panes) {
            if !dirty.has(Dirty::pane(spec.id)) {
                continue;
            }
            pane.refresh(&cx);
            let is_shown = placed.area(spec.id).is_some() && self.start.is_none() && !self.settings.is_wall;
            wakes[spec.id as usize] = is_shown.then(|| pane.next_change(&cx)).flatten();
        }
        if dirty.has(Dirty::HEADER) {
            wakes[PANES.len()] = self.header_change(&cx, &placed);
        }
        self.open.wakes = wakes;
        self.panes = panes;
        dirty
    }

    /// All that line mode may look at, at a moment of the own clock.
    pub(crate) fn view(&self, own: DateTime<Utc>) -> Cx<'_> {
        self.cx(self.right(own))
    }

    /// All that a pane may look at, at a right time.
    pub(crate) fn cx(&self, wall: DateTime<Utc>) -> Cx<'_> {
        Cx {
            incident: &self.open.incident,
            live: &self.live,
            catalogue: &self.open.catalogue,
            loaded: &self.settings.catalogue,
            reach: &self.settings.reach,
            templates: &self.settings.templates,
            cadence: self.open.incident.cadence(&self.settings.cadence),
            past: self.open.past.as_ref(),
            matrix: &self.settings.matrix,
            rotation: self.settings.rotation.as_ref(),
            is_wall: self.settings.is_wall,
            covers: &self.covers,
            outputs: &self.open.outputs,
            host: &self.settings.host,
            aliases: &self.settings.aliases,
            around: &self.settings.around,
            staging: self.settings.staging.as_ref(),
            is_writable: self.open.record.unwritable.is_none(),
            is_read: self.open.record.id.is_none() || self.open.record.is_complete,
            present: &self.open.present,
            console: &self.settings.console,
            is_shared: self.settings.is_shared,
            left: self.left_to_tell(),
            theme: &self.settings.theme,
            zone: self.zone(),
            me: &self.settings.me,
            access: if self.may_write() { Access::Full } else { Access::ReadOnly },
            now: self.open.incident.clock().show(wall),
            wall,
            looked_at: self.looked_at,
            spelling: self.spelling,
            rooms: self.rooms(),
        }
    }

    fn zone(&self) -> chrono_tz::Tz {
        if self.open.incident.is_blank() {
            self.settings.zone
        } else {
            self.open.incident.zone.parse().unwrap_or(chrono_tz::UTC)
        }
    }

    /// The room inside each pane's frame.
    fn rooms(&self) -> [(u16, u16); PANES.len()] {
        let mut rooms = [(0, 0); PANES.len()];
        for (id, area) in self.arrangement().panes {
            let inside = PaneFrame::inner(area);
            rooms[id as usize] = (inside.width, inside.height);
        }
        rooms
    }

    /// Where everything stands.
    pub fn arrangement(&self) -> Arrangement {
        layout::arrange(self.screen, self.settings.layout, self.focus, self.is_zoomed, self.message_rows())
    }

    fn mark(&mut self, panes: &[PaneId]) {
        for pane in panes {
            self.dirty.add(Dirty::pane(*pane));
        }
    }

    /// What every message is followed by: things that time brought, and what the change asks of the shell.
    fn after(&mut self, wall: DateTime<Utc>, effects: &mut Vec<Effect>) {
        if self.notice().is_some_and(|notice| notice.until <= wall) {
            self.set_notice(None);
        }
        let now = self.open.incident.clock().show(wall);
        for (place, wake) in self.open.wakes.into_iter().enumerate() {
            if wake.is_some_and(|at| at <= now) {
                self.dirty.add(PANES.get(place).map_or(Dirty::HEADER, |spec| Dirty::pane(spec.id)));
                // The time for objections runs down in the footer, on every console.
                if place == PANES.len() && self.open.incident.decisions.iter().any(|decision| decision.made.is_none()) {
                    self.dirty.add(Dirty::FOOTER);
                }
                self.open.wakes[place] = None;
            }
        }
        self.take_own(wall, effects);
        self.follow_runs(effects);
        while !self.own.is_waiting()
            && let Some((command, from)) = self.open.deferred.pop_front()
        {
            self.command(command, from, wall, effects);
        }
        self.follow_merge(wall, effects);
        self.end_waits(wall, effects);
        self.send_out(wall, effects);
        self.ring(wall, effects);
        self.keep_draft(wall, effects);
        self.keep_forms(wall, effects);
    }

    fn with_pane<T>(&mut self, place: usize, wall: DateTime<Utc>, run: impl FnOnce(&mut dyn Pane, &Cx<'_>) -> T) -> T {
        let mut panes = std::mem::take(&mut self.panes);
        let result = run(panes[place].as_mut(), &self.cx(wall));
        self.panes = panes;
        result
    }

    pub(crate) fn perform_in_pane(&mut self, id: PaneId, place: usize, wall: DateTime<Utc>, effects: &mut Vec<Effect>) {
        let pane = id as usize;
        if self.panes[pane].acts().get(place).is_some_and(|act| act.writes) && !self.may_write() {
            return self.say(Tone::Refused, self.looks_only().to_owned(), wall);
        }
        self.mark(&[id]);
        self.dirty.add(Dirty::FOOTER);
        let intents = self.with_pane(pane, wall, |pane, cx| {
            pane.refresh(cx);
            pane.perform(place, cx)
        });
        self.intents(intents, wall, effects);
    }

    fn looks_only(&self) -> &'static str {
        if self.settings.is_wall { "a wall screen only shows" } else { "this console only looks (--read-only)" }
    }

    fn intents(&mut self, intents: Vec<Intent>, wall: DateTime<Utc>, effects: &mut Vec<Effect>) {
        for intent in intents {
            match intent {
                Intent::Command(command) => self.command(command, None, wall, effects),
                Intent::Commit(command, text) => self.command(command, Some((self.focus, text)), wall, effects),
                Intent::Ask(question) => self.ask(question),
                Intent::Say(text) => self.say(Tone::Said, text, wall),
                Intent::Inquire(inquiry) => effects.push(Effect::Inquire(inquiry)),
                Intent::Copy(text) => {
                    effects.push(Effect::Copy(text));
                }
                Intent::Read(text) => effects.push(Effect::Read(text)),
                Intent::Runbook(address) => {
                    self.show_text(RUNBOOK, "looking for its file …");
                    effects.push(Effect::Runbook(address));
                }
                Intent::OpenTrace(trace) => {
                    self.set_focus(PaneId::Spans);
                    self.panes[PaneId::Spans as usize].open_trace(trace.clone());
                    effects.push(Effect::Inquire(Inquiry::Trace(trace)));
                }
                Intent::Watch(span) => self.span = span,
                Intent::Satisfy(duty) => self.act_on(&Item::Duty(duty), wall, effects),
                Intent::ActOn(item) => self.act_on(&item, wall, effects),
                Intent::Form(kind) => self.show_form(kind, wall),
                Intent::DeclareFrom(alerts) => self.declare_from(&alerts, wall, effects),
                Intent::Run(ask) => self.run_asked(&ask, wall, effects),
            }
        }
    }

    fn ask(&mut self, question: Question) {
        self.overlay = Some(Shown::new(Overlay::ask(question)));
        self.dirty = Dirty::ALL;
    }

    /// Asks the sources for what this incident and this screen need, when that changed.
    fn watch(&mut self, wall: DateTime<Utc>, effects: &mut Vec<Effect>) {
        if self.open.record.id.is_none() || !self.open.record.is_complete {
            return;
        }
        if self.open.past_of != self.open.incident.services {
            self.open.past_of.clone_from(&self.open.incident.services);
            effects.push(Effect::LookBack(self.open.past_of.clone()));
        }
        let mut objectives = Vec::new();
        let mut services: Vec<WatchedService> = Vec::new();
        let mut proof = self.settings.cadence.proof;
        for service in &self.open.incident.services {
            let Some(playbook) = self.open.catalogue.get(service) else { continue };
            proof = proof.max(playbook.longest_hold());
            objectives.extend(playbook.measured().map(|(objective, reach)| WatchedObjective {
                id: ObjectiveId { service: service.clone(), objective: objective.id.clone() },
                objective,
                reach,
            }));
            for named in playbook.traces.watched() {
                if !services.iter().any(|watched| watched.service == named.service) {
                    services.push(named);
                }
            }
        }
        // The finest a chart can show: two dot columns a cell, one sample each. Steps of 40 keep a resize from asking anew for each column.
        let width = self.arrangement().area(PaneId::Graphs).map_or(self.screen.width, |area| area.width);
        let points = usize::from(width.div_ceil(40).max(1)) * 80;
        let wanted = Watchlist { objectives, services, span: self.span, points, proof, ..self.watchlist.clone() };
        // A record that was just opened has sources of its own, which know nothing of what was watched before.
        if wanted != self.watchlist || self.live.generation != self.watchlist.generation {
            self.watchlist = Watchlist { generation: self.watchlist.generation + 1, ..wanted };
            self.live.ask(self.watchlist.generation, wall);
            let watched = &self.watchlist.objectives;
            self.live.panels.retain(|id, _| watched.iter().any(|objective| objective.id == *id));
            effects.push(Effect::Watch(self.watchlist.clone()));
        }
    }

    /// Whoever searches spans is asked how many errors were usual before the incident; again after a minute if nobody could say.
    fn ask_what_is_usual(&mut self, wall: DateTime<Utc>, effects: &mut Vec<Effect>) {
        let Some(before) = resolution::before(&self.open.incident, &self.open.catalogue) else { return };
        let is_known = |usual: &Usual| usual.before == before && usual.rates.is_ok();
        let is_asked =
            self.open.usual_asked.as_ref().is_some_and(|(asked, at)| *asked == before && wall - *at < ASK_AGAIN);
        if self.live.usual.as_ref().is_some_and(is_known) || is_asked {
            return;
        }
        self.open.usual_asked = Some((before.clone(), wall));
        effects.push(Effect::Inquire(Inquiry::Usual(before)));
    }

    /// Whether what is open is a drill.
    pub fn is_drill(&self) -> bool {
        self.open.incident.drill.is_some()
    }
}

fn nothing_open() -> Refusal {
    Refusal::No(says!["no record is open yet: ", By("declare"), " declares an incident"])
}

/// The events with which a record begins, for callers without a console.
pub fn first_events(body: Declared, asking: &crate::incident::Asking) -> Result<Vec<Event>, Refusal> {
    command::decide(&Incident::new(IncidentId::incident(1)), Command::Declare(body), asking)
}

#[cfg(test)]
mod tests;
