//! What stands above the panes and asks: help, palette, pickers, questions, forms.
//!
//! Hides the keys of each. An overlay changes nothing itself: it returns an [`Outcome`], and what comes of that is decided like anything else.
//!
//! Invariant: Esc leaves every overlay and nothing has happened; the log goes on moving behind it. What was typed there
//! is kept ([`mod@typed`]).

mod alert;
mod compose;
mod declare;
mod draw;
pub(crate) mod drill;
mod form;
mod forms;
mod items;
mod leaves;
mod outbox;
mod pick;
mod run;
pub(crate) mod send;
mod shown;
pub(crate) mod staged;
mod step;
mod typed;

use chrono::{DateTime, Utc};
use crossterm::event::{KeyCode, KeyEvent};

pub(crate) use compose::{Compose, compose, facts as update_facts, since};
pub(crate) use declare::{DeclareForm, declare, declare_from};
pub(crate) use form::Form;
pub(crate) use forms::{coming, every, form, past};
pub(crate) use items::{
    NO_CHANGE, act_on, assign_role, call_backs, change_line, changes, changes_notes, changes_unknown, decisions,
    drafts, follow_ups, lately, milestones, offers, other_changes, people_to_tell, reviews, way_back,
};
pub(crate) use leaves::{as_it_leaves, worded};
pub(crate) use outbox::{
    again, delivery, delivery_line, further, held_back, is_orphan, left_behind, left_line, outbox, wants_a_hand, ways,
};
pub(crate) use pick::{
    Choice, Pick, RecordsFor, add_service, leave_role, phase, records, remove_service, severity, summary_line,
    take_role,
};
pub(crate) use run::{GO, RunDialog};
pub(crate) use shown::Shown;
pub(crate) use step::{Offer, approve, step, wait_end, waited, with_values};
pub(crate) use typed::DECLARE;

use super::actions::{self, Listed};
use super::keys::Chord;
use super::{Console, Dirty, Doubt, Effect, Tone};
use crate::incident::{
    AlertLinked, Command, Declared, EntryId, IncidentId, NoteAmended, Refusal, Role, Seat, Series, StatusUpdate,
    command, impact,
};
use crate::pane::{Cx, Purpose, Question, RunAsk};
use crate::text::{CleanStr, CleanText, bare, first_word};
use crate::widget::editor::{Edited, Editor};
use crate::widget::fuzzy;

/// What stands above the panes.
pub(crate) enum Overlay {
    /// Every key.
    Help {
        /// The first line that is shown.
        top: usize,
    },
    /// Every action by its name.
    Palette(Box<Palette>),
    /// One of several.
    Pick(Box<Pick>),
    /// One of the records of this host.
    Records(Box<Pick>, RecordsFor),
    /// A line of text.
    Ask(Box<Ask>),
    /// A new incident.
    Declare(Box<DeclareForm>),
    /// A status update.
    Compose(Box<Compose>),
    /// A few fields.
    Form(Box<Form>),
    /// Something to read.
    Text(Box<Reading>),
    /// What would run, and the word that starts it.
    Run(Box<RunDialog>),
}

/// A text to read, and to read aloud.
pub(crate) struct Reading {
    pub(crate) title: String,
    pub(crate) text: CleanText,
    pub(crate) top: usize,
}

/// A question and the line that answers it.
pub(crate) struct Ask {
    pub(crate) question: Question,
    pub(crate) editor: Editor,
}

/// A search among all actions.
pub(crate) struct Palette {
    pub(crate) editor: Editor,
    pub(crate) all: Vec<Listed>,
    pub(crate) found: Vec<fuzzy::Hit>,
    pub(crate) selected: usize,
}

/// What a key in an overlay leads to.
pub(crate) enum Outcome {
    /// The overlay stays.
    Stay,
    /// It closes.
    Close,
    /// It closes and an action runs.
    Run(Listed),
    /// It closes and something was chosen.
    Chosen(Choice),
    /// It closes and a question was answered.
    Answered(Purpose, String),
    /// It closes and an incident is declared.
    Declare(Box<Declared>, Vec<AlertLinked>, bool),
    /// It closes and an update is recorded, or a draft of one approved.
    Post(StatusUpdate, Option<EntryId>),
    /// It closes and these are asked, in this order.
    HandIn(Vec<Command>),
    /// It closes, and the key means what it means without.
    PassOn(KeyEvent),
    /// A text goes to the clipboard.
    Copy(CleanText),
    /// Another one takes its place.
    Show(Box<Overlay>),
    /// It stays and says why.
    Refuse(String),
}

impl Overlay {
    pub(crate) fn help() -> Self {
        Self::Help { top: 0 }
    }

    pub(crate) fn palette() -> Self {
        let mut palette = Palette { editor: Editor::one_line(), all: actions::all(), found: Vec::new(), selected: 0 };
        palette.search();
        Self::Palette(Box::new(palette))
    }

    pub(crate) fn ask(question: Question) -> Self {
        let editor = filled(Editor::one_line(), &question.text);
        Self::Ask(Box::new(Ask { question, editor }))
    }

    /// Whether a chord would end the overlay with an act, so that a paste must not press it.
    pub(crate) fn is_answered_by(&self, chord: Chord) -> bool {
        let enter = super::keys::parse("Enter") == Some(chord) || super::keys::parse("Ctrl+S") == Some(chord);
        match self {
            Self::Help { .. } | Self::Text(_) => false,
            Self::Pick(_) | Self::Records(..) => true,
            Self::Palette(_) | Self::Ask(_) | Self::Declare(_) | Self::Compose(_) | Self::Form(_) | Self::Run(_) => {
                enter
            }
        }
    }

    /// Whether a letter that is typed now becomes text.
    pub(crate) fn takes_text(&self) -> bool {
        match self {
            Self::Help { .. } | Self::Text(_) => false,
            Self::Pick(pick) | Self::Records(pick, _) => pick.filter.is_some(),
            Self::Declare(form) => form.takes_text(),
            Self::Palette(_) | Self::Ask(_) | Self::Compose(_) | Self::Form(_) | Self::Run(_) => true,
        }
    }

    /// Whether its answer would go to the record that was open when it was shown.
    pub(crate) fn is_about_the_record(&self) -> bool {
        match self {
            Self::Help { .. } | Self::Palette(_) | Self::Records(..) | Self::Declare(_) | Self::Text(_) => false,
            Self::Pick(_) | Self::Ask(_) | Self::Compose(_) | Self::Form(_) | Self::Run(_) => true,
        }
    }

    pub(crate) fn key(&mut self, key: KeyEvent, cx: &Cx<'_>) -> Outcome {
        match self {
            Self::Help { top } => scroll(top, key),
            Self::Palette(palette) => palette.key(key),
            Self::Pick(pick) | Self::Records(pick, _) => pick.key(key),
            Self::Ask(ask) => ask.key(key),
            Self::Declare(form) => form.key(key, cx),
            Self::Compose(compose) => compose.key(key, cx),
            Self::Form(form) => form.key(key, cx),
            Self::Text(reading) => reading.key(key),
            Self::Run(dialog) => dialog.key(key, cx),
        }
    }

    /// Takes a pasted text where one is typed; else says why not.
    pub(crate) fn paste(&mut self, text: &str) -> Result<(), String> {
        match self {
            Self::Help { .. } | Self::Pick(_) | Self::Records(..) | Self::Text(_) => {
                Err("no text is typed here: Esc leaves".to_owned())
            }
            Self::Run(_) => Err(TYPED_BY_HAND.to_owned()),
            Self::Form(form) => form.paste(text),
            Self::Palette(palette) => {
                let edited = palette.editor.insert_paste(text);
                palette.search();
                taken(edited)
            }
            Self::Ask(ask) => taken(ask.editor.insert_paste(text)),
            Self::Declare(form) => form.paste(text),
            Self::Compose(compose) => compose.paste(text),
        }
    }
}

/// What is said of a paste where a dangerous act is confirmed.
pub(super) const TYPED_BY_HAND: &str = "the word that confirms is typed by hand";

/// What an edit comes to: it was taken, or why there is no room for it.
pub(super) fn taken(edited: Edited) -> Result<(), String> {
    match edited {
        Edited::Refused(limit) => Err(limit.to_string()),
        Edited::Changed | Edited::Moved | Edited::Ignored => Ok(()),
    }
}

/// A key in a text: it stays where it was typed, and is said where there is no room for it.
pub(super) fn typed(edited: Edited) -> Outcome {
    taken(edited).map_or_else(Outcome::Refuse, |()| Outcome::Stay)
}

/// An editor that begins with a text.
fn filled(mut editor: Editor, text: &str) -> Editor {
    editor.set_text(text);
    editor
}

impl Reading {
    fn key(&mut self, key: KeyEvent) -> Outcome {
        match (key.code, scroll(&mut self.top, key)) {
            (KeyCode::Char('y'), _) => Outcome::Copy(self.text.clone()),
            (_, Outcome::Stay) => Outcome::Stay,
            (KeyCode::Enter | KeyCode::Char('q'), _) => Outcome::Close,
            // A card that came up by itself must not swallow what somebody was about to do.
            (_, _) => Outcome::PassOn(key),
        }
    }
}

fn scroll(top: &mut usize, key: KeyEvent) -> Outcome {
    *top = match key.code {
        KeyCode::Down | KeyCode::Char('j') => *top + 1,
        KeyCode::Up | KeyCode::Char('k') => top.saturating_sub(1),
        KeyCode::PageDown | KeyCode::Char(' ') => *top + 15,
        KeyCode::PageUp => top.saturating_sub(15),
        KeyCode::Home => 0,
        _ => return Outcome::Close,
    };
    Outcome::Stay
}

impl Palette {
    /// What is searched and shown of an action.
    pub(crate) fn name(listed: &Listed) -> String {
        format!("{:<24} {}", listed.full_name(), listed.help)
    }

    fn search(&mut self) {
        let names: Vec<String> = self.all.iter().map(Self::name).collect();
        let question = self.editor.text();
        self.found = fuzzy::rank(&question, names.iter().map(String::as_str));
        // Letters scattered over an explanation are what nobody wrote: a word stands there, or abbreviates the name.
        let is_meant = |name: &str, line: &str, word: &str| {
            line.to_lowercase().contains(&word.to_lowercase()) || !fuzzy::rank(word, [name]).is_empty()
        };
        let all = &self.all;
        self.found.retain(|hit| {
            let name = all[hit.index].full_name();
            question.split_whitespace().all(|word| is_meant(&name, &names[hit.index], word))
        });
        // Whoever types a whole name means that action, and none that speaks of it.
        self.found
            .sort_by_key(|hit| self.all.get(hit.index).is_none_or(|listed| listed.full_name() != question.trim()));
        self.selected = 0;
    }

    fn key(&mut self, key: KeyEvent) -> Outcome {
        match key.code {
            KeyCode::Enter => match self.found.get(self.selected) {
                Some(hit) => Outcome::Run(self.all[hit.index]),
                None => Outcome::Refuse("no action has such a name".to_owned()),
            },
            KeyCode::Down | KeyCode::Tab => {
                self.selected = (self.selected + 1).min(self.found.len().saturating_sub(1));
                Outcome::Stay
            }
            KeyCode::Up | KeyCode::BackTab => {
                self.selected = self.selected.saturating_sub(1);
                Outcome::Stay
            }
            _ => {
                let edited = self.editor.key(key);
                self.search();
                typed(edited)
            }
        }
    }
}

impl Ask {
    fn key(&mut self, key: KeyEvent) -> Outcome {
        if key.code == KeyCode::Enter {
            return Outcome::Answered(self.question.purpose.clone(), self.editor.text().to_string());
        }
        typed(self.editor.key(key))
    }
}

impl Console {
    pub(crate) fn overlay_outcome(
        &mut self,
        overlay: Shown,
        outcome: Outcome,
        wall: DateTime<Utc>,
        effects: &mut Vec<Effect>,
    ) {
        match outcome {
            Outcome::Stay => self.overlay = Some(overlay),
            Outcome::Close => {}
            Outcome::Show(next) => self.overlay = Some(Shown::led_from(&overlay, *next)),
            Outcome::Refuse(why) => {
                self.overlay = Some(overlay);
                self.say(Tone::Refused, why, wall);
            }
            Outcome::Run(listed) => self.perform_listed(listed, wall, effects),
            Outcome::Chosen(choice) => self.chosen(choice, wall, effects),
            Outcome::Declare(body, alerts, is_private) => {
                self.open.forms.hand_in(overlay.forms());
                self.declare(*body, alerts, is_private, Doubt::Asked, wall, effects);
            }
            Outcome::Post(update, None) => self.hand_in(overlay, vec![Command::PostUpdate(update)], wall, effects),
            Outcome::Post(update, Some(draft)) => {
                self.hand_in(overlay, vec![Command::ApproveDraft(draft, update)], wall, effects);
            }
            Outcome::PassOn(key) => self.key(key, wall, effects),
            Outcome::HandIn(commands) => self.hand_in(overlay, commands, wall, effects),
            Outcome::Copy(text) => {
                effects.push(Effect::Copy(text));
            }
            Outcome::Answered(purpose, text) => self.answered(overlay, purpose, &text, wall, effects),
        }
        self.dirty = Dirty::ALL;
    }

    /// What was typed stays where it was typed until it can be recorded.
    fn hand_in(&mut self, overlay: Shown, commands: Vec<Command>, wall: DateTime<Utc>, effects: &mut Vec<Effect>) {
        if let Overlay::Run(dialog) = &overlay.overlay
            && let Some(why) = dialog.is_stale(&self.cx(wall))
        {
            self.overlay = Some(overlay);
            return self.say(Tone::Refused, why, wall);
        }
        let (commands, then) = self.in_turn(commands);
        let cx = self.cx(wall);
        let refused = commands.iter().find_map(|asked| {
            match command::decide(self.incident(), asked.clone(), &cx.asking_for(asked)) {
                Err(refusal @ Refusal::No(_)) => Some(refusal),
                Err(Refusal::WantsReason(_)) | Ok(_) => None,
            }
        });
        if let Some(refusal) = refused {
            self.overlay = Some(overlay);
            return self.refuse(&refusal, wall);
        }
        self.open.forms.hand_in(overlay.forms());
        self.ask_in_turn((commands, then), wall, effects);
    }

    fn chosen(&mut self, choice: Choice, wall: DateTime<Utc>, effects: &mut Vec<Effect>) {
        match choice {
            Choice::Command(command) => self.command(*command, None, wall, effects),
            Choice::Commands(commands) => {
                for command in commands {
                    self.command(command, None, wall, effects);
                }
            }
            Choice::Ask(question) => self.ask(*question),
            Choice::Delivery(id) => match delivery(id, &self.cx(wall)) {
                Some(overlay) => self.show(overlay),
                None => self.say(Tone::Refused, "that does not go out any more".to_owned(), wall),
            },
            Choice::Read(title, text) => self.show_text(&title, &text),
            Choice::Open(id) => effects.push(Effect::Open(id)),
            Choice::Declare(events) => effects.push(Effect::Create(Series::Incident, events, Doubt::Anyway)),
            Choice::RunWith(step, values) => {
                let offer = with_values(&step, crate::incident::Purpose::Do, &values, &self.cx(wall));
                let offer = offer.map(|dialog| Offer::Show(Box::new(dialog.overlay())));
                self.take_offer(offer, wall, effects);
            }
            Choice::Run(step, purpose) => self.run_asked(&RunAsk::Step(step, purpose), wall, effects),
            Choice::Act(name) => {
                if let Some(act) = actions::named(name) {
                    self.perform_global(act, wall, effects);
                }
            }
            Choice::Nothing => {}
            Choice::Form(kind) => self.show_form(*kind, wall),
            Choice::Item(item) => self.act_on(&item, wall, effects),
            Choice::DeclareFrom(alerts) => self.declare_from(&alerts, wall, effects),
        }
    }

    fn answered(
        &mut self,
        overlay: Shown,
        purpose: Purpose,
        text: &str,
        wall: DateTime<Utc>,
        effects: &mut Vec<Effect>,
    ) {
        let impact = |text: &str| {
            let cx = self.cx(wall);
            let (service, rest) = impact::whose(text, &cx.incident.services);
            let rest = if rest.is_empty() { "now" } else { rest };
            forms::past(rest, &cx).map(|when| (service, when.at))
        };
        let said = CleanStr::new(text.trim());
        let is_reason = matches!(purpose, Purpose::Reason(_));
        let command = match purpose {
            Purpose::Title => Command::SetTitle(said),
            Purpose::Reason(command) => command.with_reason(said),
            Purpose::Amend(note) => {
                Command::AmendNote(NoteAmended { note, text: Some(CleanText::new(text.trim())), at: None })
            }
            Purpose::Service => Command::AddService(said),
            Purpose::Component => {
                Command::TakeRole(Seat { role: Role::Sme, component: (!said.is_empty()).then_some(said) })
            }
            Purpose::ImpactStart | Purpose::ImpactEnd => match impact(text) {
                Ok((None, at)) if purpose == Purpose::ImpactStart => Command::StartImpact(at),
                Ok((Some(service), at)) if purpose == Purpose::ImpactStart => Command::StartImpactOf(service, at),
                Ok((None, at)) => Command::EndImpact(at),
                Ok((Some(service), at)) => Command::EndImpactOf(service, at),
                Err(why) => {
                    self.overlay = Some(overlay);
                    return self.say(Tone::Refused, why, wall);
                }
            },
            Purpose::Merge { duplicate, into } => {
                if !bare(&said).eq_ignore_ascii_case(&duplicate.to_string()) {
                    self.overlay = Some(overlay);
                    return self.say(Tone::Refused, format!("type {duplicate} to merge it, or Esc"), wall);
                }
                self.say(Tone::Said, format!("merging {duplicate} into {into} …"), wall);
                return effects.push(Effect::Merge { duplicate, into });
            }
            Purpose::Unmerge => {
                let (word, reason) = first_word(text);
                match (word.parse::<IncidentId>(), reason) {
                    (Ok(duplicate), reason) if !reason.is_empty() => {
                        self.open.forms.hand_in(overlay.forms());
                        self.say(Tone::Said, format!("taking the merge of {duplicate} back …"), wall);
                        return effects.push(Effect::Unmerge(duplicate, CleanStr::new(reason)));
                    }
                    _ => {
                        self.overlay = Some(overlay);
                        return self.say(Tone::Refused, "write which one and why: INC-2 another bank".to_owned(), wall);
                    }
                }
            }
            Purpose::Facilitate => match drill::facilitates(text, &self.cx(wall)) {
                Ok(command) => command,
                Err(why) => {
                    self.overlay = Some(overlay);
                    return self.say(Tone::Refused, why, wall);
                }
            },
            Purpose::Search(pane) => {
                self.set_focus(pane);
                let intents = self.with_pane(pane as usize, wall, |pane, cx| pane.search(text.trim(), cx));
                return self.intents(intents, wall, effects);
            }
        };
        // A refusal keeps the question with its text; a missing reason asks again by itself.
        match command::decide(self.incident(), command.clone(), &self.cx(wall).asking_for(&command)) {
            // No answer to this question can change that: do not keep the keys.
            Err(refusal @ Refusal::No(_)) if is_reason => self.refuse(&refusal, wall),
            Err(refusal) => {
                self.overlay = Some(overlay);
                self.refuse(&refusal, wall);
            }
            Ok(_) => {
                self.open.forms.hand_in(overlay.forms());
                self.command(command, None, wall, effects);
            }
        }
    }
}
