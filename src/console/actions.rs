//! The keys that mean the same in every pane, and the list of all actions that help, palette and README are made from.
//!
//! Dangerous acts have no single letter of their own: they ask in an overlay first.

use chrono::{DateTime, Utc};

use super::keys::{self, Chord};
use super::overlay::{self, Overlay, RecordsFor};
use super::{Console, Dirty, Effect, Layout, Printout, Tone};
use crate::incident::brief::BriefKind;
use crate::incident::{Command, Duty, Fate, IncidentId, Outcome, Role};
use crate::pane::{FormKind, Item, PANES, PaneId, Purpose, Question, Spelling};
use crate::text::{CleanStr, CleanText};

/// A key that means the same everywhere.
pub(crate) struct GlobalAct {
    /// Its name in the palette.
    pub name: &'static str,
    keys: &'static [&'static str],
    /// What it does.
    pub help: &'static str,
    writes: bool,
    run: fn(&mut Console, DateTime<Utc>, &mut Vec<Effect>),
}

const fn look(
    name: &'static str,
    keys: &'static [&'static str],
    help: &'static str,
    run: fn(&mut Console, DateTime<Utc>, &mut Vec<Effect>),
) -> GlobalAct {
    GlobalAct { name, keys, help, writes: false, run }
}

const fn write(
    name: &'static str,
    keys: &'static [&'static str],
    help: &'static str,
    run: fn(&mut Console, DateTime<Utc>, &mut Vec<Effect>),
) -> GlobalAct {
    GlobalAct { name, keys, help, writes: true, run }
}

/// All of them, in the order of help.
pub(crate) const GLOBALS: &[GlobalAct] = &[
    look("help", &["?", "F1"], "every key", |console, _, _| console.show(Overlay::help())),
    look("palette", &[":", "Ctrl+P"], "every action by its name", |console, _, _| console.show(Overlay::palette())),
    look("next-pane", &["Tab"], "focus the next pane", |console, _, _| console.turn(1)),
    look("previous-pane", &["Shift+Tab"], "focus the pane before", |console, _, _| console.turn(PANES.len() - 1)),
    look("focus-graphs", &["1", "F2"], "focus the SLO graphs", |console, _, _| console.set_focus(PaneId::Graphs)),
    look("focus-spans", &["2", "F3"], "focus the spans", |console, _, _| console.set_focus(PaneId::Spans)),
    look("focus-playbook", &["3", "F4"], "focus the playbook", |console, _, _| console.set_focus(PaneId::Playbook)),
    look("focus-timeline", &["4", "F5"], "focus the timeline", |console, _, _| console.set_focus(PaneId::Timeline)),
    look("focus-next", &["5", "F6"], "focus what is due", |console, _, _| console.set_focus(PaneId::Next)),
    look("focus-facts", &["6", "F7"], "focus scope and people", |console, _, _| console.set_focus(PaneId::Facts)),
    look("focus-work", &["7", "F8"], "focus who does what", |console, _, _| console.set_focus(PaneId::Work)),
    look("focus-alerts", &["8", "F9"], "focus the alerts", |console, _, effects| {
        console.set_focus(PaneId::Alerts);
        // Which incident covers an alert is looked up anew.
        effects.push(Effect::List);
    }),
    look("focus-output", &["9", "F10"], "focus what commands print", |console, _, _| console.set_focus(PaneId::Output)),
    look("zoom", &["z", "F11"], "give the focused pane all the room, and take it back", |console, _, _| console.zoom()),
    look("layout", &["L"], "the layout of the next role (ic, comms, sme, scribe)", Console::next_layout),
    write("note", &["n", "i"], "write a line on the timeline", Console::write_note),
    write("acknowledge", &["a"], "acknowledge, as Incident Commander", |console, wall, effects| {
        console.command(Command::Acknowledge, None, wall, effects);
    }),
    write("update", &["u"], "tell how it goes: compose a status update", |console, wall, _| {
        let compose = overlay::compose(&console.cx(wall));
        console.show(compose);
    }),
    write("take-role", &["R"], "take a role", |console, wall, _| {
        let pick = overlay::take_role(&console.cx(wall));
        console.show(pick);
    }),
    write("leave-role", &[], "leave a role, or relieve its holder with a reason", |console, wall, _| {
        let pick = overlay::leave_role(&console.cx(wall));
        console.show(pick);
    }),
    write("take-command", &[], "take the role of Incident Commander", |console, wall, effects| {
        let seat = crate::incident::Seat { role: Role::IncidentCommander, component: None };
        console.command(Command::TakeRole(seat), None, wall, effects);
    }),
    write("severity", &["S"], "raise or lower the severity", |console, wall, _| {
        let pick = overlay::severity(&console.cx(wall));
        console.show(pick);
    }),
    write("phase", &["P"], "move to another phase", |console, wall, _| {
        let pick = overlay::phase(&console.cx(wall));
        console.show(pick);
    }),
    write("resolve", &[], "resolve: takes proof that metrics and traces are back to normal", |console, wall, _| {
        console.show_form(FormKind::Resolve, wall);
    }),
    write("false-alarm", &[], "close it: it was no incident", |console, wall, effects| {
        console.command(Command::CloseAs(Outcome::FalseAlarm, None), None, wall, effects);
    }),
    write(
        "backlog",
        &[],
        "close a SEV3: handled within the squad, logged for the backlog",
        |console, wall, effects| {
            console.command(Command::CloseAs(Outcome::Backlog, None), None, wall, effects);
        },
    ),
    write("triage", &["W"], "say what is affected: places, partner banks, users, impact", |console, wall, _| {
        console.show_form(FormKind::Scope, wall);
    }),
    write("assign", &["@"], "hand work to a named person, with a time to call back", |console, wall, _| {
        console.show_form(FormKind::Task, wall);
    }),
    write("call-back", &["C"], "answer for a task: done, more time, blocked", |console, wall, _| {
        let pick = overlay::call_backs(&console.cx(wall));
        console.show(pick);
    }),
    write("propose", &["V"], "propose what to do, with risk and way back", |console, wall, _| {
        console.show_form(FormKind::Proposal, wall);
    }),
    write("decide", &["X"], "decide on a proposal, or object to it", |console, wall, _| {
        let pick = overlay::decisions(&console.cx(wall));
        console.show(pick);
    }),
    write("theory", &["Y"], "open a theory about the cause", |console, wall, _| {
        console.show_form(FormKind::Hypothesis { text: String::new(), rollback: String::new() }, wall);
    }),
    write(
        "changes",
        &["K"],
        "deploys, flags and Terraform of the last two hours; one becomes a theory",
        |console, wall, _| {
            let pick = overlay::changes(&console.cx(wall));
            console.show(pick);
        },
    ),
    write(
        "other-changes",
        &[],
        "changes of services that are not affected; one becomes a theory",
        |console, wall, _| {
            let pick = overlay::other_changes(&console.cx(wall));
            console.show(pick);
        },
    ),
    write("approve", &["U"], "approve a text that waits, or send it back", |console, wall, _| {
        let pick = overlay::drafts(&console.cx(wall));
        console.show(pick);
    }),
    write("told", &["E"], "the people whom the severity names: who was told", |console, wall, _| {
        let pick = overlay::people_to_tell(&console.cx(wall));
        console.show(pick);
    }),
    write("handover", &["M"], "hand your role over, with a brief", |console, wall, _| {
        match console
            .incident()
            .roles
            .iter()
            .find(|(_, mark)| console.cx(wall).is_me(&mark.by))
            .map(|(seat, _)| seat.clone())
        {
            Some(seat) => console.show_form(FormKind::Handover(seat), wall),
            None => console.say(Tone::Refused, "you hold no role: R takes one".to_owned(), wall),
        }
    }),
    write("accept-role", &[], "accept or decline a role that is offered", |console, wall, _| {
        let pick = overlay::offers(&console.cx(wall));
        console.show(pick);
    }),
    write("assign-role", &[], "give an empty role to somebody", |console, wall, _| {
        let pick = overlay::assign_role(&console.cx(wall));
        console.show(pick);
    }),
    write("no-impact", &[], "no customer is affected", |console, wall, effects| {
        console.command(Command::DenyImpact(None), None, wall, effects);
    }),
    write("cadence", &[], "have updates due at another pace in this incident", |console, wall, _| {
        console.show_form(FormKind::Cadence, wall);
    }),
    write("follow-up", &[], "follow-ups: owner, day, done", |console, wall, _| {
        let pick = overlay::follow_ups(&console.cx(wall));
        console.show(pick);
    }),
    write("postmortem", &[], "give the postmortem a date and an owner", |console, wall, _| {
        console.show_form(FormKind::Postmortem, wall);
    }),
    write(
        "write-postmortem",
        &[],
        "write the postmortem and its calendar entry into files here, and read it",
        |console, _, effects| match console.open_record() {
            Some(id) => console.print(Printout::Postmortem(id), effects),
            None => console.show_text(Printout::Postmortem(IncidentId::incident(1)).title(), "no record is open"),
        },
    ),
    write("merge", &[], "merge a duplicate: its lines and earliest clocks go along", |console, wall, effects| {
        console.show_records(RecordsFor::Merging, wall, effects);
    }),
    write("unmerge", &[], "take a merge back: the duplicate is open again", |console, _, _| {
        console.ask(Question {
            title: "which record was no duplicate, and how is it known? (INC-2 another bank)".to_owned(),
            text: console.incident().merged.last().map(|id| format!("{id} ")).unwrap_or_default(),
            purpose: Purpose::Unmerge,
        });
    }),
    look("drill", &["F", "F12"], "in a drill: pause, hint, inject, stand-ins, briefs, abort", Console::show_drill),
    look("pre-brief", &[], "the drill's goals and success criteria", |console, wall, effects| {
        console.print_of_record(Printout::Briefing, wall, effects);
    }),
    look("debrief", &[], "the drill's success criteria, met or not, so far", |console, wall, effects| {
        console.print_of_record(Printout::Debrief, wall, effects);
    }),
    write("abort-drill", &[], "in a drill: end it before it is over", Console::abort_drill),
    write("stand-in", &[], "in a drill: the exercise plays a role that nobody holds", Console::show_stand_ins),
    write(
        "staging",
        &[],
        "in a drill in staging: its traffic and its faults, each with its way back",
        |console, wall, _| match overlay::staged::staging(&console.cx(wall)) {
            Ok(pick) => console.show(Overlay::Pick(Box::new(pick))),
            Err(why) => console.say(Tone::Refused, why, wall),
        },
    ),
    write("pause-drill", &[], "in a drill: its clock stands still for everybody", |console, wall, effects| {
        console.command(Command::PauseDrill(true), None, wall, effects);
    }),
    write("resume-drill", &[], "in a drill: its clock runs again", |console, wall, effects| {
        console.command(Command::PauseDrill(false), None, wall, effects);
    }),
    write(
        "inject",
        &[],
        "in a drill, for its facilitator: who gets in touch next does so now",
        Console::ask_for_inject,
    ),
    write("hint", &[], "in a drill: a hint from the facilitator", Console::ask_for_hint),
    write(
        "facilitate",
        &[],
        "in a drill: take its facilitator's part, inject by hand, note, score",
        Console::facilitate,
    ),
    look(
        "facilitator",
        &[],
        "in a drill, for its facilitator alone: plan, faults, criteria, notes",
        Console::show_facilitator,
    ),
    look("all-follow-ups", &[], "the follow-ups of all incidents", |console, _, effects| {
        console.print(Printout::FollowUps { with_done: false }, effects);
    }),
    look("report", &[], "process health: MTTA, MTTR, cadence, what is overdue", |console, _, effects| {
        console.print(Printout::Report(None), effects);
    }),
    look("outbox", &[], "what goes out to other systems, and what became of it", |console, wall, _| {
        let pick = overlay::outbox(&console.cx(wall));
        console.show(pick);
    }),
    write("private", &[], "keep the incident private, or not any more", |console, wall, effects| {
        let is_private = !console.incident().is_private;
        console.command(Command::SetPrivacy(is_private), None, wall, effects);
    }),
    write("open-channel", &[], "open the incident's own chat channel", |console, wall, effects| {
        let asked = overlay::send::open_channel(&console.cx(wall));
        match asked {
            Ok(command) => console.command(command, None, wall, effects),
            Err(why) => console.say(Tone::Refused, why, wall),
        }
    }),
    write("page", &[], "page people through PagerDuty, with a typed word", |console, wall, _| {
        console.show_form(FormKind::Page, wall);
    }),
    write(
        "escalate",
        &[],
        "call the next level of PagerDuty's escalation policy, with a typed word",
        |console, wall, _| {
            console.show_form(FormKind::Escalate, wall);
        },
    ),
    write("reassign", &[], "give the incident to others in PagerDuty, with a typed word", |console, wall, _| {
        console.show_form(FormKind::Reassign, wall);
    }),
    write("link-incident", &[], "merge another incident of PagerDuty into this one", |console, wall, _| {
        let pick = overlay::send::linkable(&console.cx(wall));
        console.show(pick);
    }),
    write("link-ticket", &[], "a ticket that exists is this incident's", |console, wall, _| {
        console.show_form(FormKind::Link(console.settings.reach.ticket_system()), wall);
    }),
    write("link-channel", &[], "a channel that exists in Slack is this incident's", |console, wall, _| {
        console.show_form(FormKind::Link(crate::reach::SLACK.into()), wall);
    }),
    write("link-page", &[], "an incident that exists on the status page is this one", |console, wall, _| {
        console.show_form(FormKind::Link(crate::reach::STATUSPAGE.into()), wall);
    }),
    write("silence", &[], "keep alerts quiet for a while; what it hits is shown before", |console, wall, _| {
        let labels = overlay::send::likely_labels(None, &console.cx(wall));
        console.show_form(FormKind::Silence(labels), wall);
    }),
    write("unsilence", &[], "end a silence of this incident", |console, wall, _| {
        let pick = overlay::send::unsilence(&console.cx(wall));
        console.show(pick);
    }),
    look("oncall", &[], "who is on call now and next, and how to reach them", |console, wall, _| {
        match console.cx(wall).on_call() {
            Ok(text) => console.show_text("on call", &text),
            Err(why) => console.say(Tone::Refused, why.to_owned(), wall),
        }
    }),
    write("article", &[], "name the knowledge-base article", |console, wall, _| {
        console.show_form(FormKind::Article, wall);
    }),
    write("review", &[], "record that playbook, matrix or templates were reviewed", |console, wall, _| {
        let pick = overlay::reviews(&console.cx(wall));
        console.show(pick);
    }),
    write("amend-time", &[], "correct when it was detected, acknowledged, mitigated, resolved", |console, wall, _| {
        let pick = overlay::milestones(&console.cx(wall));
        console.show(pick);
    }),
    look("since-you-left", &["B"], "what happened since you last looked, for who comes late", |console, wall, _| {
        let since = console.open.away_since;
        let brief = console.cx(wall).brief(BriefKind::LateJoiner, since);
        console.show_text("since you left", &brief);
    }),
    look("brief", &["b"], "the brief, to read aloud", |console, wall, _| {
        let brief = console.cx(wall).brief(BriefKind::Recap, None);
        console.show_text("brief", &brief);
    }),
    write("add-service", &["A"], "name another affected service", |console, wall, _| {
        let pick = overlay::add_service(&console.cx(wall));
        console.show(pick);
    }),
    write("remove-service", &[], "a service is not affected after all", |console, wall, _| {
        let pick = overlay::remove_service(&console.cx(wall));
        console.show(pick);
    }),
    write("impact-start", &["I"], "say since when customers hurt", |console, _, _| {
        console.ask(Question {
            title: "customers hurt since when? (-5m, 14:10, now; a service before it: only its)".to_owned(),
            text: "now".to_owned(),
            purpose: Purpose::ImpactStart,
        });
    }),
    write("impact-end", &[], "say since when customers do not hurt any more", |console, _, _| {
        console.ask(Question {
            title: "customers do not hurt any more since when? (-5m, 14:10, now; a service before it: only its)"
                .to_owned(),
            text: "now".to_owned(),
            purpose: Purpose::ImpactEnd,
        });
    }),
    write("title", &["T"], "give the incident another title", |console, _, _| {
        let text = console.incident().title.to_string();
        console.ask(Question { title: "title".to_owned(), text, purpose: Purpose::Title });
    }),
    write("declare", &["D"], "declare a new incident", |console, wall, effects| {
        console.pause_for_earnest(wall, effects);
        let form = overlay::declare(&console.cx(wall));
        console.show(form);
    }),
    look("open", &["O"], "open another record of this host", |console, wall, effects| {
        console.show_records(RecordsFor::Opening, wall, effects);
    }),
    look("messages", &["Ctrl+O"], "what was said at the bottom lately, whole", |console, wall, _| {
        console.show_messages(wall);
    }),
    look("repaint", &["Ctrl+L"], "draw the screen anew", |console, _, effects| {
        console.dirty = Dirty::ALL;
        effects.push(Effect::Repaint);
    }),
    look("suspend", &["Ctrl+Z"], "back to the shell; fg returns", |_, _, effects| effects.push(Effect::Suspend)),
    look("quit", &["q", "Ctrl+Q", "Ctrl+C"], "leave; the record stays", |_, _, effects| effects.push(Effect::Quit)),
];

/// The global action of a chord.
pub(crate) fn global(chord: Chord) -> Option<&'static GlobalAct> {
    GLOBALS.iter().find(|act| act.keys.iter().any(|name| keys::parse(name) == Some(chord)))
}

/// The global action of a name.
pub(crate) fn named(name: &str) -> Option<&'static GlobalAct> {
    GLOBALS.iter().find(|act| act.name == name)
}

/// Whether a chord leaves whatever asks.
pub(crate) fn is_way_out(chord: Chord) -> bool {
    ["Esc", "Ctrl+C"].iter().any(|name| keys::parse(name) == Some(chord))
}

/// Where an action is to be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Everywhere.
    Everywhere,
    /// In one pane.
    Pane(PaneId),
}

/// An action, as the palette, help and README name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Where it works by its key.
    pub scope: Scope,
    /// The place in its table.
    pub place: usize,
    /// Its name.
    pub name: &'static str,
    /// Its keys; none means: by name only.
    pub keys: &'static [&'static str],
    /// What it does.
    pub help: &'static str,
    /// Whether it changes the record.
    pub writes: bool,
}

impl Listed {
    /// The name with its pane before it.
    pub fn full_name(&self) -> String {
        match self.scope {
            Scope::Everywhere => self.name.to_owned(),
            Scope::Pane(pane) => format!("{}.{}", PANES[pane as usize].name, self.name),
        }
    }
}

/// Every action of the program.
pub fn all() -> Vec<Listed> {
    let globals = GLOBALS.iter().enumerate().map(|(place, act)| Listed {
        scope: Scope::Everywhere,
        place,
        name: act.name,
        keys: act.keys,
        help: act.help,
        writes: act.writes,
    });
    let panes = PANES.iter().flat_map(|spec| {
        (spec.make)().acts().into_iter().enumerate().map(|(place, act)| Listed {
            scope: Scope::Pane(spec.id),
            place,
            name: act.name,
            keys: act.keys,
            help: act.help,
            writes: act.writes,
        })
    });
    globals.chain(panes).collect()
}

impl Console {
    pub(crate) fn perform_global(&mut self, act: &'static GlobalAct, wall: DateTime<Utc>, effects: &mut Vec<Effect>) {
        if act.writes && !self.may_write() {
            let why = self.looks_only().to_owned();
            return self.say(Tone::Refused, why, wall);
        }
        (act.run)(self, wall, effects);
    }

    pub(crate) fn perform_listed(&mut self, listed: Listed, wall: DateTime<Utc>, effects: &mut Vec<Effect>) {
        match listed.scope {
            Scope::Everywhere => self.perform_global(&GLOBALS[listed.place], wall, effects),
            Scope::Pane(pane) => {
                self.set_focus(pane);
                self.perform_in_pane(pane, listed.place, wall, effects);
            }
        }
    }

    /// Does what is due, or offers what can be done with an item.
    pub(crate) fn act_on(&mut self, item: &Item, wall: DateTime<Utc>, effects: &mut Vec<Effect>) {
        match item {
            Item::Duty(Duty::Acknowledge) => self.command(Command::Acknowledge, None, wall, effects),
            Item::Duty(Duty::Update(channel)) => {
                let cx = self.cx(wall);
                // A text that did not get there is put right before another one is written.
                let stuck = match cx.incident.unheard(*channel) {
                    Some(Fate::Stuck(delivery)) if !delivery.state.is_over() => overlay::delivery(delivery.id, &cx),
                    Some(_) | None => None,
                };
                let overlay = stuck.unwrap_or_else(|| overlay::compose(&cx));
                self.show(overlay);
            }
            Item::Duty(_) | Item::Hypothesis(_) | Item::Alert(_) => match overlay::act_on(item, &self.cx(wall)) {
                Some(overlay) => self.show(overlay),
                None => self.say(Tone::Refused, "that is over: somebody was faster".to_owned(), wall),
            },
        }
    }

    /// A drill stands still while something real is declared.
    fn pause_for_earnest(&mut self, wall: DateTime<Utc>, effects: &mut Vec<Effect>) {
        if self.is_drill() && !self.open.record.real_alerts.is_empty() && !self.open.incident.clock().is_paused() {
            self.command(Command::PauseDrill(true), None, wall, effects);
        }
    }

    /// Opens the form that declares an incident, filled with what alerts say.
    pub(crate) fn declare_from(&mut self, alerts: &[CleanStr], wall: DateTime<Utc>, effects: &mut Vec<Effect>) {
        if !self.may_write() {
            let why = self.looks_only().to_owned();
            return self.say(Tone::Refused, why, wall);
        }
        match overlay::declare_from(alerts, &self.cx(wall)) {
            Ok(form) => {
                self.show(form);
                // Who else declared from them is known by the time somebody presses Enter.
                effects.push(Effect::List);
            }
            Err(why) => self.say(Tone::Refused, why, wall),
        }
    }

    pub(crate) fn show_form(&mut self, kind: FormKind, wall: DateTime<Utc>) {
        let form = overlay::form(kind, &self.cx(wall));
        self.show(form);
    }

    /// What a role does and says, for somebody who has just taken it.
    pub(crate) fn show_card(&mut self, role: Role) {
        let card = role.card();
        let duties: String = card.duties.iter().map(|duty| format!("  {duty}\n")).collect();
        let phrases: String = card.phrases.iter().map(|phrase| format!("  {phrase}\n")).collect();
        self.show_text(&format!("you are {}", role.name()), &format!("{duties}\n{phrases}"));
    }

    /// Has the shell make a text of the open record.
    fn print_of_record(&mut self, which: fn(IncidentId) -> Printout, wall: DateTime<Utc>, effects: &mut Vec<Effect>) {
        match self.open.record.id {
            Some(id) => self.print(which(id), effects),
            None => self.say(Tone::Refused, "no record is open".to_owned(), wall),
        }
    }

    pub(crate) fn show_text(&mut self, title: &str, text: &str) {
        let text = CleanText::new(text);
        self.show(Overlay::Text(Box::new(overlay::Reading { title: title.to_owned(), text, top: 0 })));
    }

    /// Asks the shell for a text; what is shown meanwhile is replaced by it.
    fn print(&mut self, printout: Printout, effects: &mut Vec<Effect>) {
        self.show_text(printout.title(), "reading the records of this host …");
        effects.push(Effect::Print(printout));
    }

    fn show_records(&mut self, why: RecordsFor, wall: DateTime<Utc>, effects: &mut Vec<Effect>) {
        let pick = overlay::records(None, why, self.open_record(), wall);
        self.show(Overlay::Records(pick, why));
        effects.push(Effect::List);
    }

    pub(crate) fn show(&mut self, overlay: Overlay) {
        self.overlay = Some(overlay::Shown::new(overlay));
        self.dirty = Dirty::ALL;
    }

    pub(crate) fn set_focus(&mut self, pane: PaneId) {
        self.focus = pane;
        self.dirty = Dirty::ALL;
    }

    fn turn(&mut self, by: usize) {
        self.set_focus(PANES[(self.focus as usize + by) % PANES.len()].id);
    }

    fn zoom(&mut self) {
        self.is_zoomed = !self.is_zoomed;
        self.dirty = Dirty::ALL;
    }

    fn next_layout(&mut self, _wall: DateTime<Utc>, effects: &mut Vec<Effect>) {
        let here = Layout::ALL.iter().position(|layout| *layout == self.settings.layout).unwrap_or(0);
        self.settings.layout = Layout::ALL[(here + 1) % Layout::ALL.len()];
        self.is_zoomed = false;
        self.dirty = Dirty::ALL;
        effects.push(Effect::ShowLayout(self.settings.layout.name().into()));
    }

    fn write_note(&mut self, wall: DateTime<Utc>, effects: &mut Vec<Effect>) {
        if self.incident().is_blank() {
            return self.say(Tone::Refused, "no incident is declared yet: D declares one".to_owned(), wall);
        }
        self.set_focus(PaneId::Timeline);
        let acts = self.panes[PaneId::Timeline as usize].acts();
        if let Some(place) = acts.iter().position(|act| act.name == "write") {
            self.perform_in_pane(PaneId::Timeline, place, wall, effects);
        }
    }
}

/// How the screen spells an action: by its first key, or by its name for the palette.
pub(crate) const KEYS: Spelling = Spelling { action: key_of, names_zone: false };

fn key_of(name: &str) -> String {
    let listed = all().into_iter().find(|listed| listed.name == name);
    listed.and_then(|listed| listed.keys.first().copied()).map_or_else(|| format!(":{name}"), str::to_owned)
}

/// The first key of a global action, for hints.
pub(crate) fn first_key(name: &str) -> Option<&'static str> {
    named(name)?.keys.first().copied()
}
