//! A form: a few fields, of which the last Enter, or Ctrl+S anywhere, hands the answers in.
//!
//! Hides how fields are walked and drawn. What the answers mean is next door in `forms`.
//!
//! Invariant: an answer that cannot be taken leaves the form open with everything that was typed.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};

use super::draw::{frame, put};
use super::{Outcome, TYPED_BY_HAND, filled, taken, typed};
use crate::incident::when::Side;
use crate::pane::{Cx, FormKind};
use crate::text::{CleanStr, CleanText};
use crate::widget::editor::Editor;

/// One field.
pub(crate) struct Field {
    pub(crate) label: String,
    pub(crate) hint: String,
    pub(crate) editor: Editor,
    rows: u16,
    /// A paste does not reach it.
    pub(super) is_typed: bool,
    takes: Takes,
}

/// What a field takes that can be helped with while it is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Takes {
    /// Words.
    Words,
    /// Somebody's name.
    Person,
    /// A time that was, or one to come.
    Time(Side),
}

/// A form that somebody fills in.
pub(crate) struct Form {
    pub(crate) kind: FormKind,
    pub(crate) title: String,
    /// What one should know while filling it in.
    pub(crate) notes: Vec<String>,
    pub(crate) fields: Vec<Field>,
    pub(crate) at: usize,
}

impl Field {
    /// A field of one line that begins with a text; while it is empty, an example stands there and says that it is one.
    pub(crate) fn line(label: impl Into<String>, example: impl AsRef<str>, text: &str) -> Self {
        Self::said(label, format!("e.g. {}", example.as_ref()), text)
    }

    /// A field of one line that says, while it is empty, what belongs there.
    pub(crate) fn said(label: impl Into<String>, hint: impl Into<String>, text: &str) -> Self {
        let (label, hint) = (label.into(), hint.into());
        Self { label, hint, editor: filled(Editor::one_line(), text), rows: 1, is_typed: false, takes: Takes::Words }
    }

    /// A field for somebody's name.
    pub(crate) fn person(label: impl Into<String>, example: impl AsRef<str>, text: &str) -> Self {
        Self { takes: Takes::Person, ..Self::line(label, example, text) }
    }

    /// A field for a time; how it is understood stands beside it while it is typed.
    pub(crate) fn time(side: Side, label: impl Into<String>, example: impl AsRef<str>, text: &str) -> Self {
        Self { takes: Takes::Time(side), ..Self::line(label, example, text) }
    }

    /// How the time in it is understood so far: the moment with its day and zone, or nothing where it is none yet.
    fn understood(&self, cx: &Cx<'_>) -> Option<String> {
        let Takes::Time(side) = self.takes else { return None };
        let word = self.editor.text();
        let word = word.trim();
        let read = if side == Side::Next { super::forms::coming(word, cx) } else { super::forms::past(word, cx) };
        read.ok().filter(|_| !word.is_empty()).map(|when| when.words(cx.now, cx.zone))
    }

    /// A field for a word that must be typed by hand.
    pub(crate) fn typed(label: impl Into<String>) -> Self {
        Self { is_typed: true, ..Self::said(label, "", "") }
    }

    /// A field of several lines.
    pub(crate) fn lines(label: impl Into<String>, hint: impl Into<String>, text: &str, rows: u16) -> Self {
        let (label, hint) = (label.into(), hint.into());
        Self { label, hint, editor: filled(Editor::lines(), text), rows, is_typed: false, takes: Takes::Words }
    }
}

impl Form {
    /// What stands in a field, without blanks around it.
    pub(crate) fn answer(&self, place: usize) -> CleanText {
        let text = self.fields.get(place).map(|field| field.editor.text()).unwrap_or_default();
        CleanText::new(text.trim())
    }

    pub(super) fn key(&mut self, key: KeyEvent, cx: &Cx<'_>) -> Outcome {
        let is_save = key.code == KeyCode::Char('s') && key.modifiers.contains(KeyModifiers::CONTROL);
        let last = self.fields.len().saturating_sub(1);
        let has_lines = self.fields.get(self.at).is_some_and(|field| field.rows > 1);
        match key.code {
            _ if is_save => return self.hand_in(cx),
            KeyCode::Enter if self.at == last => return self.hand_in(cx),
            KeyCode::Tab if self.complete(cx) => {}
            KeyCode::Tab | KeyCode::Enter => self.at = (self.at + 1) % self.fields.len().max(1),
            KeyCode::BackTab => self.at = self.at.checked_sub(1).unwrap_or(last),
            KeyCode::Down if !has_lines => self.at = (self.at + 1).min(last),
            KeyCode::Up if !has_lines => self.at = self.at.saturating_sub(1),
            _ => {
                if let Some(field) = self.fields.get_mut(self.at) {
                    return typed(field.editor.key(key));
                }
            }
        }
        Outcome::Stay
    }

    /// The names that what is typed so far can grow into.
    fn offered(&self, cx: &Cx<'_>) -> Vec<CleanStr> {
        let field = self.fields.get(self.at).filter(|field| field.takes == Takes::Person);
        let begun = field.map(|field| field.editor.text()).unwrap_or_default();
        let names = super::forms::completions(&begun, cx);
        // What stands there in full is not offered again.
        if names.iter().any(|name| name.eq_ignore_ascii_case(begun.trim())) { Vec::new() } else { names }
    }

    /// Completes a name where only one can be meant.
    fn complete(&mut self, cx: &Cx<'_>) -> bool {
        let names = self.offered(cx);
        let ([name], Some(field)) = (names.as_slice(), self.fields.get_mut(self.at)) else { return false };
        field.editor.set_text(name);
        true
    }

    pub(super) fn paste(&mut self, text: &str) -> Result<(), String> {
        match self.fields.get_mut(self.at) {
            Some(field) if !field.is_typed => taken(field.editor.insert_paste(text)),
            Some(_) | None => Err(TYPED_BY_HAND.to_owned()),
        }
    }

    fn hand_in(&mut self, cx: &Cx<'_>) -> Outcome {
        if let FormKind::Parameters { step, purpose } = &self.kind {
            return match super::step::with_answers(step, *purpose, self, cx) {
                Ok(overlay) => Outcome::Show(Box::new(overlay)),
                Err((place, why)) => {
                    self.at = place;
                    Outcome::Refuse(why)
                }
            };
        }
        if let FormKind::Silence(_) = &self.kind {
            return match super::send::preview(self, cx) {
                Ok(overlay) => Outcome::Show(Box::new(overlay)),
                Err((place, why)) => {
                    self.at = place;
                    Outcome::Refuse(why)
                }
            };
        }
        match super::forms::read(self, cx) {
            Ok(commands) => Outcome::HandIn(commands),
            Err((place, why)) => {
                self.at = place;
                Outcome::Refuse(why)
            }
        }
    }

    pub(super) fn draw(&self, screen: Rect, buf: &mut Buffer, cx: &Cx<'_>) -> Option<Position> {
        let rows: u16 = self.fields.iter().map(|field| field.rows + 1).sum();
        let mut notes = self.notes.clone();
        notes.extend(super::forms::by_now(&self.kind, cx));
        let offered = self.offered(cx);
        if !offered.is_empty() {
            let tab = if offered.len() == 1 { " (Tab completes it)" } else { "" };
            let names: Vec<_> = offered.iter().map(CleanStr::as_str).collect();
            notes.push(format!("{}{tab}", names.join(", ")));
        }
        let count = u16::try_from(notes.len()).unwrap_or(u16::MAX);
        let height = rows.saturating_add(count).saturating_add(2);
        let is_shown_first = matches!(self.kind, FormKind::Parameters { .. } | FormKind::Silence(_));
        let hint = if is_shown_first {
            "Enter goes on, at the end it shows what would be done · Ctrl+S shows it · Esc leaves"
        } else {
            "Enter goes on, at the end it records · Ctrl+S records · Esc leaves"
        };
        let inner = frame(&self.title, hint, 100, height, screen, buf, cx);
        // Where it does not fit, the notes give way to the fields, and the fields before the present one to that.
        let spare = inner.height.saturating_sub(rows);
        let mut y = inner.y;
        for note in notes.iter().take(usize::from(spare)) {
            put(Line::styled(format!("  {note}"), cx.theme.dim()), y, inner, buf);
            y += 1;
        }
        let tops: Vec<u16> = self
            .fields
            .iter()
            .scan(0, |sum, field| {
                let top = *sum;
                *sum += field.rows + 1;
                Some(top)
            })
            .collect();
        let here = tops.get(self.at).zip(self.fields.get(self.at)).map_or(0, |(top, field)| top + field.rows + 1);
        let skip = here.saturating_sub(inner.bottom().saturating_sub(y));
        let mut cursor = None;
        for ((place, field), top) in self.fields.iter().enumerate().zip(tops) {
            let Some(top) = top.checked_sub(skip) else { continue };
            let is_here = place == self.at;
            let marker = if is_here { cx.theme.glyphs.here } else { " " };
            let mut heading = Line::from(format!("{marker} {}", field.label)).style(cx.theme.title(is_here));
            if let Some(moment) = field.understood(cx) {
                heading.push_span(Span::styled(format!(": {moment}"), cx.theme.dim()));
            }
            put(heading, y + top, inner, buf);
            let area =
                Rect { x: inner.x + 4, y: y + top + 1, width: inner.width.saturating_sub(4), height: field.rows };
            let at = field.editor.draw(area.intersection(inner), buf, cx.theme, Line::default(), &field.hint);
            if is_here {
                cursor = at;
            }
        }
        cursor
    }
}
