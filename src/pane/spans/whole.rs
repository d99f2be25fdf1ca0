//! One span, read whole: every tag, process tag, event, stack and statement, as long as it is.
//!
//! Hides that a value takes more rows than one: the cursor is on a row, and what is copied is the value that the row belongs to.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span as Words};

use crate::pane::{Cx, PaneId};
use crate::spans::Span;
use crate::spans::fields::Field;
use crate::text::{fit, folded};
use crate::widget::list::Selection;
use crate::widget::text::{fit_line, wrap};

/// The columns of names, where there is room for as many.
const NAMES: usize = 24;
/// So many rows behind the cursor are in sight.
const BEHIND: usize = 3;
/// No row of a value is narrower.
const NARROWEST: usize = 8;

/// The span that is read.
#[derive(Debug, Default)]
pub(super) struct Whole {
    cursor: Selection,
    /// What was looked for last.
    words: String,
}

/// A row: of which field, the name in the first one, and a part of the value.
struct Row {
    field: usize,
    name: String,
    text: String,
}

fn rows(fields: &[Field], width: u16) -> Vec<Row> {
    let names = NAMES.min(usize::from(width) / 3);
    let room = usize::from(width).saturating_sub(names).max(NARROWEST);
    let mut rows = Vec::new();
    for (field, Field { name, value }) in fields.iter().enumerate() {
        for (place, text) in wrap(value, room).into_iter().enumerate() {
            let name = if place == 0 { fit(name, names.saturating_sub(2)).into_owned() } else { String::new() };
            rows.push(Row { field, name: format!("{name:<names$}"), text });
        }
    }
    rows
}

impl Whole {
    /// Goes so many rows down.
    pub(super) fn go(&mut self, by: isize, span: &Span, cx: &Cx<'_>) {
        self.cursor.go(by, rows(&span.fields(), cx.width(PaneId::Spans)).len());
    }

    /// The value on which the cursor is.
    pub(super) fn here(&self, span: &Span, cx: &Cx<'_>) -> Option<Field> {
        let fields = span.fields();
        let rows = rows(&fields, cx.width(PaneId::Spans));
        let field = rows.get(self.cursor.place(rows.len()))?.field;
        fields.into_iter().nth(field)
    }

    /// Looks for words from the cursor on.
    pub(super) fn search(&mut self, words: &str, span: &Span, cx: &Cx<'_>) -> Result<(), String> {
        self.words = words.to_owned();
        self.find(0, span, cx)
    }

    /// Goes to the next row with the words, or with a name that has them; after the last one begins anew.
    pub(super) fn next(&mut self, span: &Span, cx: &Cx<'_>) -> Result<(), String> {
        self.find(1, span, cx)
    }

    fn find(&mut self, from: usize, span: &Span, cx: &Cx<'_>) -> Result<(), String> {
        let words = folded(&self.words);
        if words.trim().is_empty() {
            return Err("/ says what to look for".to_owned());
        }
        let fields = span.fields();
        let rows = rows(&fields, cx.width(PaneId::Spans));
        let here = self.cursor.place(rows.len());
        // What is looked for may lie across two rows, whose blanks the wrapping took.
        let squeezed = |text: &str| folded(text).split_whitespace().collect::<String>();
        let words = squeezed(&words);
        let texts: Vec<String> = rows.iter().map(|row| squeezed(&row.text)).collect();
        let has = |place: usize| {
            let row: &Row = &rows[place];
            let is_first = place == 0 || rows[place - 1].field != row.field;
            let is_named = is_first && squeezed(&fields[row.field].name).contains(&words);
            let next = texts.get(place + 1).filter(|_| rows[place + 1].field == row.field);
            let across = |next: &String| !next.contains(&words) && format!("{}{next}", texts[place]).contains(&words);
            is_named || texts[place].contains(&words) || next.is_some_and(across)
        };
        let order = (here + from..rows.len()).chain(0..(here + from).min(rows.len()));
        match { order }.find(|place| has(*place)) {
            Some(place) => {
                self.cursor.select(place);
                Ok(())
            }
            None => Err(format!("`{}` is not in this span", self.words)),
        }
    }

    pub(super) fn draw(&self, span: &Span, area: Rect, buf: &mut Buffer, cx: &Cx<'_>, is_focused: bool) {
        let fields = span.fields();
        let rows = rows(&fields, area.width);
        let selected = self.cursor.place(rows.len());
        let foot = area.height > 3;
        let list = Rect { height: area.height - u16::from(foot), ..area };
        // What comes behind the cursor is in sight too: a value goes on there.
        let last = (selected + 1 + BEHIND).min(rows.len());
        let first = last.saturating_sub(usize::from(list.height)).min(selected);
        for (place, y) in (first..rows.len()).zip(list.y..list.bottom()) {
            let Row { field, name, text } = &rows[place];
            let is_wrong = matches!(fields[*field].name.as_str(), "error" | "warning");
            let style = if is_wrong { cx.theme.red() } else { cx.theme.text() };
            let line =
                Line::from(vec![Words::styled(name.clone(), cx.theme.dim()), Words::styled(text.clone(), style)]);
            buf.set_line(list.x, y, &fit_line(line, usize::from(list.width)), list.width);
            if place == selected {
                buf.set_style(Rect { y, height: 1, ..list }, cx.theme.selection(is_focused));
            }
        }
        if foot {
            let name = rows.get(selected).map_or("", |row| fields[row.field].name.as_str());
            let words = format!(
                "row {} of {} · y copies {name} · / looks for words, N for the next · v in $PAGER · Esc back",
                selected + 1,
                rows.len()
            );
            let line = fit_line(Line::styled(words, cx.theme.dim()), usize::from(area.width));
            buf.set_line(area.x, area.bottom() - 1, &line, area.width);
        }
    }
}
