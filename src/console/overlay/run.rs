//! What would run, frozen, and the word that starts it.
//!
//! What stands here was resolved once, when the dialog opened: it is what is written to the journal and what runs, whatever changes meanwhile.
//!
//! Invariant: a paste never confirms; a key that is not Enter never starts anything; Enter starts only what the typed word names.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};

use super::draw::{frame, put};
use super::{Outcome, Overlay};
use crate::incident::{Command, CommandStarted, CommandVouched, Purpose, StepRef};
use crate::pane::Cx;
use crate::text::exact::show_argv;
use crate::text::{CleanStr, Exact};
use crate::widget::editor::Editor;
use crate::widget::text::wrap;

/// The word with which a second person vouches.
const VOUCH: &str = "vouch";

/// What a person must read before something runs.
pub(crate) struct RunDialog {
    /// The frozen order.
    pub(crate) order: CommandStarted,
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
    pub(crate) editor: Editor,
    /// The first line that is in sight, where not all are.
    pub(crate) top: usize,
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

    pub(super) fn key(&mut self, key: KeyEvent) -> Outcome {
        match key.code {
            KeyCode::Down => self.top += 1,
            KeyCode::Up => self.top = self.top.saturating_sub(1),
            _ => {}
        }
        if key.code != KeyCode::Enter {
            // What cannot start takes no word.
            if self.blocked.is_none() || self.may_vouch {
                self.editor.key(key);
            }
            return Outcome::Stay;
        }
        match self.confirm(self.editor.text().trim()) {
            Ok(commands) => Outcome::HandIn(commands),
            Err(why) => Outcome::Refuse(why),
        }
    }

    /// What a typed word leads to, or why to nothing.
    pub(crate) fn confirm(&self, typed: &str) -> Result<Vec<Command>, String> {
        if self.may_vouch && typed == VOUCH {
            let (Some(step), title) = (self.order.step.clone(), self.order.title.clone()) else {
                return Err("there is no step to vouch for".to_owned());
            };
            let body = CommandVouched { step, title, digest: self.order.digest.clone() };
            return Ok(vec![Command::Vouch(body)]);
        }
        if let Some(why) = &self.blocked {
            return Err(why.clone());
        }
        if typed != self.word.as_str() {
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
        let mut parts = vec![("runs", show_argv(&order.argv))];
        parts.extend(self.filled.iter().map(|value| ("with", value.clone())));
        if let Some(reading) = reads(&order.argv) {
            parts.push(("reads", reading));
        }
        let place = order.directory.as_ref().map_or("the console's own directory".to_owned(), Exact::shown);
        parts.push(("on", format!("{}, in {place}", order.host)));
        let at_limit = if order.stops_at_limit { "then it is stopped" } else { "then it is flagged and goes on" };
        parts.push(("limit", format!("{} s, {at_limit}", order.limit_s)));
        parts.push(("expect", self.expect.to_string()));
        parts.push(("undo", self.undo.to_string()));
        parts.push(("digest", order.digest.get(..16).unwrap_or(&order.digest).to_owned()));
        parts.extend(self.notes.iter().map(|note| ("note", note.clone())));
        parts.extend(self.blocked.iter().map(|why| ("NOT NOW", why.clone())));
        parts
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

    pub(super) fn draw(&self, screen: Rect, buf: &mut Buffer, cx: &Cx<'_>) -> Option<Position> {
        let width = 100.min(screen.width);
        let inside = usize::from(width.saturating_sub(14)).max(20);
        let (dim, plain) = (cx.theme.dim(), cx.theme.text());
        let mut lines: Vec<Line<'static>> = Vec::new();
        for (name, text) in self.parts() {
            let style = match name {
                "runs" => cx.theme.title(true),
                "digest" => dim,
                "note" => cx.theme.amber(),
                "NOT NOW" => cx.theme.red(),
                _ => plain,
            };
            // A command line is cut at columns and nowhere else: wrapping at words would hide how many blanks stand there.
            let lines_of = if name == "runs" { cut(&text, inside) } else { wrap(&text, inside) };
            for (place, line) in lines_of.into_iter().enumerate() {
                let name = if place == 0 { name } else { "" };
                lines.push(Line::from(vec![Span::styled(format!("{name:<10}"), dim), Span::styled(line, style)]));
            }
        }
        let rows = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(6);
        let badge = self.order.environment.as_ref().map(|badge| format!(" · {badge}")).unwrap_or_default();
        let what = match self.order.purpose {
            Purpose::Do => "run",
            Purpose::Undo => "take back",
        };
        // What takes something of an exercise back is called so already.
        let title = self.order.title.strip_prefix(&format!("{what}: ")).unwrap_or(&self.order.title);
        let title = format!("{what}: {title}{badge}");
        let inner = frame(&title, "Esc leaves: nothing runs", width, rows, screen, buf, cx);
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
        let top = self.top.min(lines.len().saturating_sub(room));
        let below = lines.len().saturating_sub(top + room);
        for (place, line) in lines.into_iter().skip(top).take(room).enumerate() {
            // What does not fit is never out of sight without a word.
            let is_cut = below > 0 && place + 1 == room;
            let more = || Line::styled(format!("... {} lines more: Down", below + 1), cx.theme.amber());
            put(if is_cut { more() } else { line }, y, inner, buf);
            y += 1;
        }
        let ask = self.ask();
        put(Line::from(ask).style(cx.theme.title(true)), bottom, inner, buf);
        let field = Rect { x: inner.x, y: bottom + 1, width: inner.width, height: 1 }.intersection(inner);
        self.editor.draw(field, buf, cx.theme, Line::default(), "")
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
    use super::*;

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
