//! The line, or the lines, that a person types into.
//!
//! Hides the text area underneath (tui-textarea): its own keys, its undo, its characters where people see clusters.
//! Wrapping and drawing are done here, so that drawing is a function of the text and the area.
//!
//! Invariant: whatever is typed or pasted, the text is what [`CleanText`] would keep of it; an edit that would break
//! this or the limits is taken back and told. What is drawn is what a screen shows of it; each place of the text has one there.

use std::ops::Range;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use tui_textarea::{CursorMove, TextArea};
use unicode_segmentation::UnicodeSegmentation;

use super::text::{fit_line, line_columns, take, wrap_places};
use crate::text::{CleanStr, CleanText, TEXT_BYTES, TEXT_LINES, columns, shown, too_many_bytes};
use crate::theme::Theme;

/// How many edits can be taken back.
const UNDO_STEPS: usize = 500;

/// What a key or a paste did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edited {
    /// The key is none of the editor's: Enter, Esc, Tab and others are the pane's.
    Ignored,
    /// The cursor may have moved, the text did not change.
    Moved,
    /// The text changed.
    Changed,
    /// Nothing changed: there is no room for it.
    Refused(Limit),
}

/// Why there is no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Limit {
    /// It would have so many bytes.
    #[error("{}", too_many_bytes(*.0))]
    Bytes(usize),
    /// It would have so many lines.
    #[error("this text has {0} lines, and at most 2,000 fit: put the rest into another one")]
    Lines(usize),
    /// A character that cannot be shown, or not here.
    #[error("this character cannot be shown here")]
    Character,
}

/// How many lines an editor takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    OneLine,
    Lines,
}

/// A text that is being typed.
#[derive(Clone, Debug)]
pub struct Editor {
    area: TextArea<'static>,
    kind: Kind,
}

/// A row on the screen: a part of a line.
struct Row {
    line: usize,
    part: Range<usize>,
}

impl Editor {
    /// An empty editor of one line: a search, a name.
    pub fn one_line() -> Self {
        Self { area: area(String::new()), kind: Kind::OneLine }
    }

    /// An empty editor of several lines: a note.
    pub fn lines() -> Self {
        Self { area: area(String::new()), kind: Kind::Lines }
    }

    /// The text; its lines are separated by `\n`.
    pub fn text(&self) -> CleanText {
        CleanText::new(&self.area.lines().join("\n"))
    }

    /// Whether nothing is typed.
    pub fn is_empty(&self) -> bool {
        self.area.lines().iter().all(String::is_empty) && self.area.lines().len() <= 1
    }

    /// Replaces everything, without a way back, and puts the cursor at the end; nothing of it is cut.
    pub fn set_text(&mut self, text: &str) {
        let text = match self.kind {
            Kind::OneLine => CleanStr::new(text).as_str().to_owned(),
            Kind::Lines => CleanText::new(text).as_str().to_owned(),
        };
        self.area = area(text);
        self.area.move_cursor(CursorMove::Bottom);
        self.area.move_cursor(CursorMove::End);
    }

    /// Takes everything out: the text that was typed, and an empty editor remains.
    pub fn take(&mut self) -> CleanText {
        let text = self.text();
        self.area = area(String::new());
        text
    }

    /// Types a text at the cursor as one edit. A paste never commits: line breaks stay, or become blanks in an editor
    /// of one line.
    pub fn insert_paste(&mut self, text: &str) -> Edited {
        let unix = text.replace("\r\n", "\n").replace('\r', "\n");
        // Refused before the text area copies megabytes.
        if unix.len() > TEXT_BYTES {
            return Edited::Refused(Limit::Bytes(unix.len()));
        }
        let clean = match self.kind {
            Kind::OneLine => CleanStr::new(&unix).as_str().to_owned(),
            Kind::Lines => CleanText::new(&unix).as_str().to_owned(),
        };
        if clean.split('\n').count() > TEXT_LINES {
            return Edited::Refused(Limit::Lines(clean.split('\n').count()));
        }
        if clean.is_empty() {
            return Edited::Moved;
        }
        self.edit(|area| area.insert_str(clean.as_str()))
    }

    /// The name that is being written before the cursor: what follows an `@` at the beginning of a word, up to the cursor; with a quotation mark
    /// behind the `@`, blanks belong to it.
    pub fn name_begun(&self) -> Option<String> {
        let (line, column) = (self.area.cursor().0, self.area.cursor().1);
        let before: Vec<char> = self.area.lines().get(line)?.chars().take(column).collect();
        let at = before.iter().rposition(|letter| *letter == '@')?;
        let is_word = at == 0 || before[at - 1].is_whitespace();
        let name: String = before[at + 1..].iter().collect();
        let is_quoted = name.starts_with(['"', '\u{201c}']);
        let is_open = if is_quoted {
            !name.chars().skip(1).any(|letter| matches!(letter, '"' | '\u{201d}'))
        } else {
            !name.contains(char::is_whitespace)
        };
        (is_word && is_open && !name.is_empty()).then_some(name)
    }

    /// Puts a name in the place of the one that is being written, in quotation marks where it has blanks, and a blank behind it.
    pub fn complete_name(&mut self, name: &str) -> Edited {
        let Some(begun) = self.name_begun() else { return Edited::Ignored };
        let length = begun.chars().count();
        let whole = if name.contains(char::is_whitespace) { format!("\"{name}\" ") } else { format!("{name} ") };
        self.edit(|area| {
            for _ in 0..length {
                area.delete_char();
            }
            area.insert_str(whole)
        })
    }

    /// Takes a key.
    ///
    /// Ctrl+J new line · Ctrl+W word · Ctrl+U, Ctrl+K to the start, the end of the line · Ctrl+Z, Ctrl+Y undo, redo ·
    /// Ctrl+A, Ctrl+E, Home, End · arrows, with Ctrl or Alt by words, as Alt+B and Alt+F · Alt+D, Alt+Backspace the
    /// word after, before the cursor · PgUp, PgDn to the first, the last line.
    pub fn key(&mut self, key: KeyEvent) -> Edited {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        if key.modifiers.intersects(KeyModifiers::SUPER | KeyModifiers::HYPER | KeyModifiers::META) {
            return Edited::Ignored;
        }
        if key.modifiers.contains(KeyModifiers::ALT) {
            return self.alt_key(key.code);
        }
        let has_lines = self.kind == Kind::Lines;
        match key.code {
            KeyCode::Char(letter) if !control && !letter.is_control() => self.type_letter(letter),
            KeyCode::Char(_) if !control => Edited::Ignored,
            KeyCode::Char('j') if has_lines => self.edit(|area| {
                area.insert_newline();
                true
            }),
            KeyCode::Char('w') => self.edit(TextArea::delete_word),
            KeyCode::Char('u') => self.edit(|area| area.cursor().1 > 0 && area.delete_line_by_head()),
            KeyCode::Char('k') => self.edit(|area| !is_at_line_end(area) && area.delete_line_by_end()),
            KeyCode::Char('z' | '_') => self.edit(TextArea::undo),
            KeyCode::Char('y') => self.edit(TextArea::redo),
            KeyCode::Char('a') => self.go(CursorMove::Head),
            KeyCode::Char('e') => self.go(CursorMove::End),
            KeyCode::Backspace if control => self.delete_word_before(),
            KeyCode::Char('h') | KeyCode::Backspace => self.delete_before(),
            KeyCode::Delete if control => self.delete_word_after(),
            KeyCode::Delete => self.delete_after(),
            KeyCode::Left if control => self.go_by_word(-1),
            KeyCode::Right if control => self.go_by_word(1),
            KeyCode::Left => self.go_by(-1),
            KeyCode::Right => self.go_by(1),
            KeyCode::Home => self.go(CursorMove::Head),
            KeyCode::End => self.go(CursorMove::End),
            KeyCode::Up if has_lines && !control => self.go(CursorMove::Up),
            KeyCode::Down if has_lines && !control => self.go(CursorMove::Down),
            KeyCode::PageUp if has_lines => self.go(CursorMove::Top),
            KeyCode::PageDown if has_lines => self.go(CursorMove::Bottom),
            _ => Edited::Ignored,
        }
    }

    /// A key with Alt, as readline understands it.
    fn alt_key(&mut self, code: KeyCode) -> Edited {
        match code {
            KeyCode::Char('b' | 'B') | KeyCode::Left => self.go_by_word(-1),
            KeyCode::Char('f' | 'F') | KeyCode::Right => self.go_by_word(1),
            KeyCode::Char('d' | 'D') | KeyCode::Delete => self.delete_word_after(),
            KeyCode::Backspace => self.delete_word_before(),
            _ => Edited::Ignored,
        }
    }

    /// The rows that the text needs in a width, behind a prompt that is so many columns wide; at least one.
    pub fn rows_needed(&self, width: u16, prompt: u16) -> u16 {
        let room = room(width, indent(width, prompt));
        let rows = self.area.lines().iter().map(|line| wrap_places(line, room).len()).sum::<usize>();
        u16::try_from(rows).unwrap_or(u16::MAX)
    }

    /// Draws the text behind a prompt, or what could stand there while it is empty; returns where the terminal's cursor
    /// belongs.
    ///
    /// Of a text that is higher than the area the part around the cursor is drawn; in an area of one row the row moves
    /// sideways.
    pub fn draw(
        &self,
        area: Rect,
        buf: &mut Buffer,
        theme: &Theme,
        prompt: Line<'_>,
        placeholder: &str,
    ) -> Option<Position> {
        let area = area.intersection(buf.area);
        if area.is_empty() {
            return None;
        }
        let lead = indent(area.width, line_columns(&prompt).try_into().unwrap_or(u16::MAX));
        let start = area.x + lead;
        buf.set_line(area.x, area.y, &fit_line(prompt, lead.into()), lead);
        let width = room(area.width, lead);
        if self.is_empty() {
            let line = Line::from(Span::styled(placeholder, theme.dim()));
            buf.set_line(start, area.y, &fit_line(line, width), width as u16);
            return Some(Position::new(start, area.y));
        }
        if self.kind == Kind::OneLine && area.height == 1 {
            return Some(self.draw_sideways(Rect { x: start, width: area.right() - start, ..area }, buf, theme));
        }
        let (rows, cursor) = self.rows(width);
        // As much above the cursor as below it, where there is more than fits.
        let height = usize::from(area.height);
        let top = cursor.1.saturating_sub(height / 2).min(rows.len().saturating_sub(height));
        for (row, y) in rows.iter().skip(top).zip(area.top()..area.bottom()) {
            let text = &self.area.lines()[row.line][row.part.clone()];
            buf.set_stringn(start, y, shown(text), usize::from(area.right() - start), theme.text());
        }
        let x = start.saturating_add(cursor.0 as u16).min(area.right() - 1);
        Some(Position::new(x, area.y + (cursor.1 - top) as u16))
    }

    fn draw_sideways(&self, area: Rect, buf: &mut Buffer, theme: &Theme) -> Position {
        let line = &self.area.lines()[0];
        let (before, width) = (self.before_cursor(), usize::from(area.width.max(1)));
        let too_much = (columns(before) + 1).saturating_sub(width);
        let mut skipped = take(before, too_much);
        if columns(skipped) < too_much {
            // A wide letter is not shown in half.
            skipped = take(before, too_much + 1);
        }
        let rest = &line[skipped.len()..];
        buf.set_stringn(area.x, area.y, crate::text::shown(take(rest, width)), width, theme.text());
        let x = area.x + columns(&before[skipped.len()..]) as u16;
        Position::new(x.min(area.right().saturating_sub(1)).max(area.x), area.y)
    }

    /// The rows as they are wrapped, and the cursor's column and row among them.
    fn rows(&self, width: usize) -> (Vec<Row>, (usize, usize)) {
        let at_line = self.area.cursor().0;
        let before = self.before_cursor();
        let mut rows = Vec::new();
        let mut cursor = (0, 0);
        for (number, line) in self.area.lines().iter().enumerate() {
            for part in wrap_places(line, width) {
                if number == at_line && part.start <= before.len() {
                    cursor = (columns(&before[part.start..before.len().min(part.end)]), rows.len());
                }
                rows.push(Row { line: number, part });
            }
        }
        (rows, cursor)
    }

    fn before_cursor(&self) -> &str {
        let cursor = self.area.cursor();
        let line = self.area.lines().get(cursor.0).map_or("", String::as_str);
        let end = line.char_indices().nth(cursor.1).map_or(line.len(), |(at, _)| at);
        &line[..end]
    }

    fn after_cursor(&self) -> &str {
        let line = self.area.lines().get(self.area.cursor().0).map_or("", String::as_str);
        &line[self.before_cursor().len()..]
    }

    fn type_letter(&mut self, letter: char) -> Edited {
        // A letter whose meaning is to hang on another (an accent) is allowed where there is another.
        self.edit(|area| {
            area.insert_char(letter);
            true
        })
    }

    fn delete_before(&mut self) -> Edited {
        let letters = self.before_cursor().graphemes(true).next_back().map_or(0, |cluster| cluster.chars().count());
        if letters == 0 {
            return self.edit(TextArea::delete_char);
        }
        let (row, column) = (self.area.cursor().0, self.area.cursor().1);
        self.edit(|area| {
            jump(area, row, column - letters);
            area.delete_str(letters)
        })
    }

    fn delete_after(&mut self) -> Edited {
        let letters = self.after_cursor().graphemes(true).next().map_or(0, |cluster| cluster.chars().count());
        // Never more than is left: the text area would panic when the edit is repeated.
        if letters == 0 { self.edit(TextArea::delete_next_char) } else { self.edit(|area| area.delete_str(letters)) }
    }

    fn go(&mut self, to: CursorMove) -> Edited {
        self.area.move_cursor(to);
        Edited::Moved
    }

    /// Moves by a cluster; over the end of a line to the next one.
    fn go_by(&mut self, direction: i8) -> Edited {
        let (row, column) = (self.area.cursor().0, self.area.cursor().1);
        let cluster = if direction < 0 {
            self.before_cursor().graphemes(true).next_back()
        } else {
            self.after_cursor().graphemes(true).next()
        };
        let letters = cluster.map_or(0, |cluster| cluster.chars().count());
        match (letters, direction < 0) {
            (0, true) => self.area.move_cursor(CursorMove::Back),
            (0, false) => self.area.move_cursor(CursorMove::Forward),
            (_, true) => jump(&mut self.area, row, column - letters),
            (_, false) => jump(&mut self.area, row, column + letters),
        }
        Edited::Moved
    }

    /// Moves to the beginning of the word before the cursor, or to the end of the one after it; over the end of a line
    /// to the next one.
    fn go_by_word(&mut self, direction: i8) -> Edited {
        let (row, column) = (self.area.cursor().0, self.area.cursor().1);
        let letters = if direction < 0 { word_before(self.before_cursor()) } else { word_after(self.after_cursor()) };
        match (letters, direction < 0) {
            (0, _) => return self.go_by(direction),
            (_, true) => jump(&mut self.area, row, column - letters),
            (_, false) => jump(&mut self.area, row, column + letters),
        }
        Edited::Moved
    }

    fn delete_word_before(&mut self) -> Edited {
        let letters = word_before(self.before_cursor());
        if letters == 0 {
            return self.delete_before();
        }
        let (row, column) = (self.area.cursor().0, self.area.cursor().1);
        self.edit(|area| {
            jump(area, row, column - letters);
            area.delete_str(letters)
        })
    }

    fn delete_word_after(&mut self) -> Edited {
        let letters = word_after(self.after_cursor());
        if letters == 0 { self.delete_after() } else { self.edit(|area| area.delete_str(letters)) }
    }

    /// Does an edit, which must be one step of the undo history, and takes it back if the result is none that may stay.
    fn edit(&mut self, edit: impl FnOnce(&mut TextArea<'static>) -> bool) -> Edited {
        let before = (self.area.cursor().0, self.area.cursor().1);
        let had = self.bytes();
        if !edit(&mut self.area) {
            return Edited::Moved;
        }
        let Some(limit) = self.broken_limit(before.0, had) else { return Edited::Changed };
        self.area.undo();
        jump(&mut self.area, before.0, before.1);
        Edited::Refused(limit)
    }

    fn bytes(&self) -> usize {
        self.area.lines().iter().map(|line| line.len() + 1).sum::<usize>() - 1
    }

    /// What is wrong with the text after an edit that began on a line, when it had so many bytes.
    fn broken_limit(&self, first: usize, had: usize) -> Option<Limit> {
        let lines = self.area.lines();
        let bytes = self.bytes();
        // What is too long already may become shorter.
        if bytes > TEXT_BYTES && bytes >= had {
            return Some(Limit::Bytes(bytes));
        }
        if lines.len() > TEXT_LINES && bytes >= had {
            return Some(Limit::Lines(lines.len()));
        }
        let last = self.area.cursor().0;
        let touched = first.min(last)..=first.max(last).min(lines.len() - 1);
        let touched = &lines[(*touched.start()).min(lines.len() - 1)..=*touched.end()];
        let is_clean = touched.iter().all(|line| CleanText::new(line).as_str() == line);
        (!is_clean).then_some(Limit::Character)
    }
}

/// The characters up to the beginning of the word at the end of a text, with what lies between.
fn word_before(text: &str) -> usize {
    let clusters: Vec<&str> = text.graphemes(true).rev().collect();
    letters_of_word(&clusters)
}

/// The characters up to the end of the word at the beginning of a text, with what lies before it.
fn word_after(text: &str) -> usize {
    let clusters: Vec<&str> = text.graphemes(true).collect();
    letters_of_word(&clusters)
}

/// What belongs to no word, and the word behind it, in characters. Words are letters and digits, as in readline.
fn letters_of_word(clusters: &[&str]) -> usize {
    let is_word = |cluster: &&&str| cluster.chars().next().is_some_and(char::is_alphanumeric);
    let gap = clusters.iter().take_while(|cluster| !is_word(cluster)).count();
    let word = clusters[gap..].iter().take_while(is_word).count();
    clusters[..gap + word].iter().map(|cluster| cluster.chars().count()).sum()
}

/// Takes a key in a text whose cursor stays at its end: what is filtered by. Says whether the key was one of its own.
pub fn edit_at_end(text: &mut String, key: KeyEvent) -> bool {
    let has_alt = key.modifiers.contains(KeyModifiers::ALT);
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    let letters = match key.code {
        KeyCode::Char(letter) if !control && !has_alt && !letter.is_control() => {
            text.push(letter);
            return true;
        }
        KeyCode::Backspace if control || has_alt => word_before(text),
        KeyCode::Char('w') if control => word_before(text),
        KeyCode::Char('u') if control => text.chars().count(),
        KeyCode::Backspace => text.graphemes(true).next_back().map_or(0, |cluster| cluster.chars().count()),
        _ => return false,
    };
    let end = text.char_indices().rev().take(letters).last().map_or(text.len(), |(at, _)| at);
    text.truncate(end);
    true
}

fn area(text: String) -> TextArea<'static> {
    let mut area = TextArea::new(text.split('\n').map(str::to_owned).collect());
    area.set_max_histories(UNDO_STEPS);
    area
}

fn jump(area: &mut TextArea<'static>, row: usize, column: usize) {
    let most = |place: usize| u16::try_from(place).unwrap_or(u16::MAX);
    area.move_cursor(CursorMove::Jump(most(row), most(column)));
}

fn is_at_line_end(area: &TextArea<'static>) -> bool {
    let cursor = area.cursor();
    area.lines().get(cursor.0).is_none_or(|line| line.chars().count() <= cursor.1)
}

/// The columns before the text: the prompt's, or none where it would take more than half.
fn indent(width: u16, prompt: u16) -> u16 {
    if prompt * 2 > width { 0 } else { prompt }
}

/// The columns that a row of text may take: the last one is the cursor's.
fn room(width: u16, indent: u16) -> usize {
    usize::from(width.saturating_sub(indent + 1)).max(1)
}

#[cfg(test)]
mod tests;
