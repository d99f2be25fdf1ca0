//! What would run, frozen, and the word that starts it.
//!
//! What stands here was resolved once, when the dialog opened: it is what is written to the journal and what runs, whatever changes meanwhile.
//!
//! Invariant: a paste never confirms; a key that is not Enter never starts anything; Enter starts only what the typed word names, as it was shown,
//! if it still may.

use std::collections::BTreeMap;

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};

use super::draw::{frame, put};
use super::step::Offer;
use super::{Outcome, Overlay};
use crate::incident::{Command, CommandStarted, CommandVouched, Program, Purpose, StepRef};
use crate::pane::Cx;
use crate::playbook::Value;
use crate::text::exact::show_argv;
use crate::text::{CleanStr, Exact, bare};
use crate::theme::Theme;
use crate::widget::editor::Editor;
use crate::widget::text::wrap;

/// The names of what stands in front of a command line.
const RUNS: &str = "runs";
const ALSO: &str = "also runs";
/// It is no wider than this, in columns.
const WIDTH: u16 = 100;
/// PgUp and PgDn move so many lines.
const PAGE: usize = 10;
/// What is said where something is not as it was shown any more.
const CHANGED: &str = "what would run now is not what was shown any more: leave with Esc and look at it again";
/// What stands for the word of a command that only looks, where Enter alone is no answer.
pub(crate) const GO: &str = "go";
/// The word with which a second person vouches.
const VOUCH: &str = "vouch";

/// What a person must read before something runs.
pub(crate) struct RunDialog {
    /// The frozen order.
    pub(crate) order: CommandStarted,
    /// What the same word starts after it.
    pub(crate) also: Vec<Vec<Exact>>,
    /// What each filled-in value is and where it comes from.
    pub(crate) filled: Vec<String>,
    /// What should come of it.
    pub(crate) expect: CleanStr,
    /// The way back, in words.
    pub(crate) undo: CleanStr,
    /// What one should know: role warnings, preconditions.
    pub(crate) notes: Vec<String>,
    /// Why it cannot be started by this person now.
    pub(crate) blocked: Option<String>,
    /// The word that starts it; empty where Enter alone does, because nothing is changed.
    pub(crate) word: CleanStr,
    /// The step was claimed by whoever reads this.
    pub(crate) is_claimed: bool,
    /// This person may vouch for somebody else's start.
    pub(crate) may_vouch: bool,
    /// What its word leads to.
    pub(crate) confirms: Confirms,
    /// How far it was read, and what was found meanwhile.
    pub(crate) reading: Reading,
}

/// How far a dialog was read, what was typed, and what was found for it.
pub(crate) struct Reading {
    pub(crate) editor: Editor,
    /// The first line that is in sight, where not all are.
    top: usize,
    /// The whole command line was in sight.
    is_read: bool,
    /// How it comes about once more, when its word is said.
    again: Again,
    found: Found,
}

impl Reading {
    /// A dialog that nobody has read.
    pub(crate) fn new(again: Again) -> Self {
        let mut editor = Editor::one_line();
        editor.set_text("");
        Self { editor, top: 0, is_read: false, again, found: Found::Not }
    }
}

/// How a dialog comes about: when its word arrives, it is made and judged once more.
pub(crate) enum Again {
    /// From a step with these values.
    Step(StepRef, Purpose, BTreeMap<CleanStr, Value>),
    /// From what an exercise puts into staging.
    Staged(StepRef, Purpose),
    /// From the end of a drill.
    Abort,
}

/// What is known of the programs.
enum Found {
    /// Nobody looked yet.
    Not,
    /// The shell looks, under this number.
    Asked(u64),
    /// All are there.
    All,
    /// One is not: what is missing.
    Missing(String),
}

/// What a confirmed dialog leads to.
pub(crate) enum Confirms {
    /// The order runs.
    Start,
    /// In a drill, and with `--dry-run`: this is recorded instead of running anything.
    DryRun(Vec<Command>),
    /// These are asked one after the other; what that means, in words.
    Each(Vec<Command>, &'static str),
}

/// Whether whoever sits here has claimed a step.
pub(crate) fn has_claimed(step: Option<&StepRef>, cx: &Cx<'_>) -> bool {
    step.and_then(|step| cx.incident.claims.get(step)).is_some_and(|mark| cx.is_me(&mark.by))
}

impl RunDialog {
    pub(crate) fn overlay(self) -> Overlay {
        Overlay::Run(Box::new(self))
    }

    pub(super) fn key(&mut self, key: KeyEvent, cx: &Cx<'_>) -> Outcome {
        let reading = &mut self.reading;
        match key.code {
            KeyCode::Down => reading.top += 1,
            KeyCode::Up => reading.top = reading.top.saturating_sub(1),
            KeyCode::PageDown => reading.top += PAGE,
            KeyCode::PageUp => reading.top = reading.top.saturating_sub(PAGE),
            KeyCode::Enter => {
                return match self.confirm(self.reading.editor.text().trim(), cx) {
                    Ok(commands) => Outcome::HandIn(commands),
                    Err(why) => Outcome::Refuse(why),
                };
            }
            // What cannot start takes no word.
            _ if self.blocked.is_none() || self.may_vouch => {
                reading.editor.key(key);
            }
            _ => {}
        }
        Outcome::Stay
    }

    /// The programs that must be found before anything is confirmed, each with its folder.
    pub(crate) fn programs_to_find(&mut self, number: u64) -> Option<Vec<(Exact, Exact)>> {
        if !matches!(self.reading.found, Found::Not) || matches!(self.confirms, Confirms::DryRun(_)) {
            return None;
        }
        self.reading.found = Found::Asked(number);
        let wanted = |order: &CommandStarted| Some((order.argv.first()?.clone(), order.directory.clone()?));
        Some(self.orders().into_iter().filter_map(|order| wanted(order)).collect())
    }

    /// Takes what was found; nothing if it was for another dialog.
    pub(crate) fn take_found(&mut self, number: u64, found: &[Result<Program, CleanStr>]) -> bool {
        if !matches!(self.reading.found, Found::Asked(asked) if asked == number) {
            return false;
        }
        let missing: Vec<String> = found.iter().filter_map(|one| one.as_ref().err()).map(ToString::to_string).collect();
        // Of several, one that is missing keeps none of the others from its turn.
        let is_alone = !matches!(self.confirms, Confirms::Each(..));
        if let Some(why) = missing.first().filter(|_| is_alone || missing.len() == found.len()) {
            self.reading.found = Found::Missing(why.clone());
            return true;
        }
        self.notes.extend(missing.into_iter().map(|why| format!("MISSING, so that one cannot run: {why}")));
        for (order, program) in self.orders().into_iter().zip(found) {
            order.program = program.as_ref().ok().cloned();
        }
        if let (Confirms::Each(..), Some(Ok(program))) = (&self.confirms, found.first()) {
            self.order.program = Some(program.clone());
        }
        self.reading.found = Found::All;
        true
    }

    /// What its word starts.
    fn orders(&mut self) -> Vec<&mut CommandStarted> {
        match &mut self.confirms {
            Confirms::Start => vec![&mut self.order],
            Confirms::DryRun(_) => Vec::new(),
            Confirms::Each(commands, _) => {
                let mut orders = Vec::new();
                for command in commands {
                    if let Command::StartRun(order) = command {
                        orders.push(order);
                    }
                }
                orders
            }
        }
    }

    /// Whether everything still is as it was shown: the playbook, the values, who holds what, what runs.
    fn judge_again(&self, cx: &Cx<'_>) -> Result<(), String> {
        let now = match &self.reading.again {
            Again::Step(step, purpose, given) => super::step::once_more(step, *purpose, given, cx)?,
            Again::Staged(step, purpose) => super::staged::dialog(step, *purpose, cx)?,
            Again::Abort => match super::staged::abort(cx)? {
                Offer::Show(overlay) if matches!(*overlay, Overlay::Run(_)) => match *overlay {
                    Overlay::Run(dialog) => *dialog,
                    _ => return Err(CHANGED.to_owned()),
                },
                Offer::Show(_) | Offer::Ask(_) => return Err(CHANGED.to_owned()),
            },
        };
        let bare = |order: &CommandStarted| CommandStarted { program: None, ..order.clone() };
        if bare(&now.order) != bare(&self.order) || now.orders_alone() != self.orders_alone() {
            return Err(CHANGED.to_owned());
        }
        match now.blocked {
            Some(why) if !self.may_vouch => Err(why),
            Some(_) | None => Ok(()),
        }
    }

    /// What its word starts, without the programs that were found.
    fn orders_alone(&self) -> Vec<CommandStarted> {
        let Confirms::Each(commands, _) = &self.confirms else { return Vec::new() };
        let order = |command: &Command| match command {
            Command::StartRun(order) => Some(CommandStarted { program: None, ..order.clone() }),
            _ => None,
        };
        commands.iter().filter_map(order).collect()
    }

    /// What a typed word leads to, or why to nothing.
    pub(crate) fn confirm(&self, typed: &str, cx: &Cx<'_>) -> Result<Vec<Command>, String> {
        self.judge_again(cx)?;
        if self.may_vouch && bare(typed) == VOUCH {
            let (Some(step), title) = (self.order.step.clone(), self.order.title.clone()) else {
                return Err("there is no step to vouch for".to_owned());
            };
            let body = CommandVouched { step, title, digest: self.order.digest.clone() };
            return Ok(vec![Command::Vouch(body)]);
        }
        if let Some(why) = &self.blocked {
            return Err(why.clone());
        }
        match (&self.reading.found, &self.confirms) {
            (Found::All, _) | (_, Confirms::DryRun(_)) => {}
            (Found::Missing(why), Confirms::Start | Confirms::Each(..)) => return Err(why.clone()),
            (Found::Not | Found::Asked(_), Confirms::Start | Confirms::Each(..)) => {
                return Err("the program is still being looked for: press Enter again".to_owned());
            }
        }
        if !self.reading.is_read {
            return Err("the command line goes on: PgDn shows the rest of it, and then the word counts".to_owned());
        }
        if bare(typed) != self.word.as_str() {
            return Err(match self.word.as_str() {
                "" => "Enter alone starts it: clear the line".to_owned(),
                word => format!("type {word} and press Enter: nothing has run"),
            });
        }
        Ok(match &self.confirms {
            Confirms::Start => vec![Command::StartRun(self.order.clone())],
            Confirms::DryRun(commands) | Confirms::Each(commands, _) => commands.clone(),
        })
    }

    /// Why its word counts no more: the claim under which it was read is gone.
    pub(crate) fn is_stale(&self, cx: &Cx<'_>) -> Option<String> {
        let is_gone = self.is_claimed && !has_claimed(self.order.step.as_ref(), cx);
        is_gone.then(|| "you let this step go meanwhile: nothing has run; claim it again, and read it again".to_owned())
    }

    /// What must be read, as names and words.
    pub(crate) fn parts(&self) -> Vec<(&'static str, String)> {
        let order = &self.order;
        let mut parts = vec![(RUNS, show_argv(&order.argv))];
        parts.extend(self.also.iter().map(|argv| (ALSO, show_argv(argv))));
        let all = std::iter::once(&order.argv).chain(&self.also);
        parts.extend(all.filter_map(|argv| reads(argv)).map(|reading| ("reads", reading)));
        parts.extend(self.filled.iter().map(|value| ("with", value.clone())));
        match (&order.program, &self.reading.found) {
            (Some(program), _) => {
                parts.push(("program", format!("{} ({:.12})", program.path.shown(), program.digest.as_str())));
            }
            (None, Found::Missing(why)) => parts.push(("MISSING", why.clone())),
            (None, Found::Not | Found::Asked(_) | Found::All) => {}
        }
        let place = order.directory.as_ref().map_or("the console's own directory".to_owned(), Exact::shown);
        parts.push(("on", format!("{}, in {place}", order.host)));
        if !order.env.is_empty() {
            parts.push(("gets", format!("of the environment only {}", order.env.join(" "))));
        }
        let at_limit = if order.stops_at_limit { "then it is stopped" } else { "then it is flagged and goes on" };
        parts.push(("limit", format!("{} s, {at_limit}", order.limit_s)));
        parts.push(("expect", self.expect.to_string()));
        parts.push(("undo", self.undo.to_string()));
        parts.push(("digest", order.digest.get(..16).unwrap_or(&order.digest).to_owned()));
        parts.extend(self.notes.iter().map(|note| ("note", note.clone())));
        parts.extend(self.blocked.iter().map(|why| ("NOT NOW", why.clone())));
        parts
    }

    /// The words that do something, with what they do; the first is the one that is asked for.
    pub(crate) fn words(&self) -> Vec<(String, &'static str)> {
        let then = match &self.confirms {
            Confirms::Start if self.word.is_empty() => "it runs; it only looks",
            Confirms::Start => "it runs",
            Confirms::DryRun(commands) if commands.len() > 1 => "the step is ticked",
            Confirms::DryRun(_) => "it is written down, and nothing runs",
            Confirms::Each(_, then) => then,
        };
        let word = if self.word.is_empty() { GO.to_owned() } else { self.word.to_string() };
        let starts = self.blocked.is_none() && !matches!(self.reading.found, Found::Missing(_));
        let vouches = self.may_vouch.then(|| (VOUCH.to_owned(), "you have read this and stand for it too"));
        vouches.into_iter().chain(starts.then_some((word, then))).collect()
    }

    /// The whole command line was shown, as where it is printed.
    pub(crate) fn is_printed(&mut self) {
        self.reading.is_read = true;
    }

    /// What is to be typed.
    pub(crate) fn ask(&self) -> String {
        let then = match &self.confirms {
            Confirms::Start => "it runs",
            Confirms::DryRun(commands) if commands.len() > 1 => "the step is ticked",
            Confirms::DryRun(_) => "it is written down, and nothing runs",
            Confirms::Each(_, then) => then,
        };
        match (self.word.as_str(), &self.blocked) {
            _ if self.may_vouch => format!("type {VOUCH} and Enter: you have read this and stand for it too"),
            (_, Some(_)) => "Esc leaves".to_owned(),
            ("", None) if matches!(self.confirms, Confirms::DryRun(_)) => format!("Enter: {then}"),
            ("", None) => "Enter runs it: it only looks".to_owned(),
            (word, None) => format!("type {word} and Enter: {then}"),
        }
    }

    /// All lines, and how many of them are command lines.
    fn lines(&self, screen: Rect, theme: &Theme) -> (Vec<Line<'static>>, usize) {
        let inside = usize::from(WIDTH.min(screen.width).saturating_sub(14)).max(20);
        let (dim, plain) = (theme.dim(), theme.text());
        let mut lines: Vec<Line<'static>> = Vec::new();
        let mut command_rows = 0;
        for (name, text) in self.parts() {
            let style = match name {
                RUNS | ALSO => theme.title(true),
                "digest" | "gets" => dim,
                "note" => theme.amber(),
                "NOT NOW" | "MISSING" => theme.red(),
                _ => plain,
            };
            // A command line is cut at columns and nowhere else: wrapping at words would hide how many blanks stand there.
            let runs = [RUNS, ALSO].contains(&name);
            let rows = if runs { cut(&text, inside) } else { wrap(&text, inside) };
            // Command lines stand above everything else.
            command_rows += if runs { rows.len() } else { 0 };
            for (place, line) in rows.into_iter().enumerate() {
                let name = if place == 0 { name } else { "" };
                lines.push(Line::from(vec![Span::styled(format!("{name:<10}"), dim), Span::styled(line, style)]));
            }
        }
        (lines, command_rows)
    }

    /// How many of so many lines have room.
    fn room(&self, lines: usize, screen: Rect) -> usize {
        let rows = lines.saturating_add(6).min(usize::from(screen.height));
        rows.saturating_sub(4 + usize::from(self.order.environment.is_some()))
    }

    /// Settles what the next frame shows: no further down than there is something, and whether the command line's end is in sight.
    pub(crate) fn measure(&mut self, screen: Rect, theme: &Theme) {
        let (lines, command_rows) = self.lines(screen, theme);
        let room = self.room(lines.len(), screen);
        self.reading.top = self.reading.top.min(lines.len().saturating_sub(room));
        let is_cut = lines.len() > self.reading.top + room;
        let last = self.reading.top + room - usize::from(is_cut && room > 0);
        self.reading.is_read |= last >= command_rows;
    }

    /// What would be done, and where.
    pub(crate) fn heading(&self) -> String {
        let badge = self.order.environment.as_ref().map(|badge| format!(" · {badge}")).unwrap_or_default();
        let what = match self.order.purpose {
            Purpose::Do => "run",
            Purpose::Undo => "take back",
        };
        // What takes something of an exercise back is called so already.
        let title = self.order.title.strip_prefix(&format!("{what}: ")).unwrap_or(&self.order.title);
        format!("{what}: {title}{badge}")
    }

    pub(super) fn draw(&self, screen: Rect, buf: &mut Buffer, cx: &Cx<'_>) -> Option<Position> {
        let width = WIDTH.min(screen.width);
        let plain = cx.theme.text();
        let (lines, _) = self.lines(screen, cx.theme);
        let rows = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(6);
        let inner = frame(&self.heading(), "Esc leaves: nothing runs", width, rows, screen, buf, cx);
        let mut y = inner.y;
        if let Some(badge) = &self.order.environment {
            let style = if self.order.changes { cx.theme.red() } else { plain };
            let acts = match (&self.confirms, self.order.changes) {
                (Confirms::DryRun(_), _) => "nothing runs for real",
                (Confirms::Start | Confirms::Each(..), true) => "this changes something",
                (Confirms::Start | Confirms::Each(..), false) => "this only looks",
            };
            put(
                Line::from(vec![Span::styled(format!(" {badge} "), style), Span::raw(format!(" {acts}"))]),
                y,
                inner,
                buf,
            );
            y += 1;
        }
        // What is typed must be in sight, whatever does not fit above it.
        let bottom = inner.bottom().saturating_sub(2);
        let room = usize::from(bottom.saturating_sub(y));
        let top = self.reading.top.min(lines.len().saturating_sub(room));
        let below = lines.len().saturating_sub(top + room);
        for (place, line) in lines.into_iter().skip(top).take(room).enumerate() {
            // What does not fit is never out of sight without a word.
            let is_cut = below > 0 && place + 1 == room;
            let more =
                || Line::styled(format!("... {} more: PgDn", crate::text::many(below + 1, "line")), cx.theme.amber());
            put(if is_cut { more() } else { line }, y, inner, buf);
            y += 1;
        }
        let ask = self.ask();
        put(Line::from(ask).style(cx.theme.title(true)), bottom, inner, buf);
        let field = Rect { x: inner.x, y: bottom + 1, width: inner.width, height: 1 }.intersection(inner);
        self.reading.editor.draw(field, buf, cx.theme, Line::default(), "")
    }
}

/// Rows of so many columns, and a new one after each line end of a script; the text is ASCII.
fn cut(text: &str, columns: usize) -> Vec<String> {
    let mut rows = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let line_end = script_line_end(rest).unwrap_or(rest.len());
        let (row, after) = rest.split_at(line_end.min(columns).min(rest.len()));
        rows.push(row.to_owned());
        rest = after;
    }
    rows
}

/// Behind the first `\n` that stands for a line end: a backslash before it is no other's second half.
fn script_line_end(text: &str) -> Option<usize> {
    let mut is_escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'n' if is_escaped => return Some(at + 1),
            b'\\' => is_escaped = !is_escaped,
            _ => is_escaped = false,
        }
    }
    None
}

/// How arguments with letters of other alphabets read; the escapes above are what runs.
fn reads(argv: &[Exact]) -> Option<String> {
    let has_letters =
        |argument: &&Exact| argument.text().chars().any(|letter| !letter.is_ascii() && letter.is_alphabetic());
    let all: Vec<_> = argv.iter().filter(has_letters).map(|argument| argument.clean().to_string()).collect();
    (!all.is_empty()).then(|| all.join(" · "))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The command lines that rows of so many columns stand for, as somebody reads them: a row that ends early, and not behind a line end, ends in blanks.
    fn read_rows(rows: &[String], columns: usize) -> String {
        let (last, before) = rows.split_last().unwrap();
        let whole = before.iter().map(|row| {
            let row = row.trim_end_matches(' ');
            let is_line = script_line_end(row) == Some(row.len());
            if is_line { row.to_owned() } else { format!("{row:<columns$}") }
        });
        whole.chain([last.trim_end_matches(' ').to_owned()]).collect()
    }

    proptest! {
        #[test]
        fn what_is_seen_of_a_command_line_tells_it_from_any_other_at_every_width(
            argv in proptest::collection::vec("[a\\\\n' \n\"$]{0,24}", 1..4), columns in 20..70_usize,
        ) {
            let argv: Vec<Exact> = argv.into_iter().map(Exact::new).collect();
            let shown = show_argv(&argv);
            prop_assert_eq!(read_rows(&cut(&shown, columns), columns), shown);
        }
    }

    #[test]
    fn a_command_line_is_cut_at_columns_and_line_ends_and_loses_no_blank() {
        let argv = [Exact::new("sh"), Exact::new("echo a    b\nprintf '\\\\n'\n  x  ")];
        let shown = show_argv(&argv);
        for columns in 1..60 {
            let rows = cut(&shown, columns);
            assert_eq!(rows.concat(), shown, "{columns}");
            assert!(rows.iter().all(|row| row.len() <= columns));
        }
        assert_eq!(cut(&shown, 60), ["sh $'echo a    b\\n", "printf \\'\\\\\\\\n\\'\\n", "  x  '"]);
    }
}
