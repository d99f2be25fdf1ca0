//! What the console says at the bottom of the screen, and what it said before.
//!
//! Hides how a sentence that is longer than the line is laid out: it takes rows of its own above the keys, and where even those are too few its middle
//! gives way. Everything that was said lately can be read whole (`Ctrl+O`).
//!
//! Invariant: the end of a sentence, where its remedy stands, is on the screen; so is a key.

use std::collections::VecDeque;

use chrono::{DateTime, TimeDelta, Utc};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::{Console, Dirty};
use crate::incident::Refusal;
use crate::pane::{Cx, Spelling};
use crate::text::columns;
use crate::theme::{Alarm, Theme};
use crate::widget::text::{fit_line, wrap};

/// How long a sentence stays.
const NOTICE: TimeDelta = TimeDelta::seconds(10);
/// So many sentences can be read afterwards.
const KEPT: usize = 50;
/// So many columns belong to the keys beside a short sentence.
const KEYS: usize = 26;
/// A sentence takes at most so many rows of its own.
const MOST_ROWS: u16 = 4;

/// How a sentence in the status line is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// It went well.
    Said,
    /// It cannot be.
    Refused,
    /// The world misbehaved.
    Failed,
    /// Somebody of a drill's exercise got in touch: their words are a line of the timeline.
    Heard,
}

impl Tone {
    /// How a sentence looks that is meant so.
    pub(super) fn style(self, theme: &Theme) -> Style {
        match self {
            Self::Said => theme.text(),
            Self::Refused => theme.amber(),
            Self::Heard => theme.banner(Alarm::Amber),
            Self::Failed => theme.red(),
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Said => "",
            Self::Refused => "not possible: ",
            Self::Failed => "FAILED: ",
            Self::Heard => "heard: ",
        }
    }
}

/// A sentence in the status line.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// The sentence.
    pub text: String,
    /// How it is meant.
    pub tone: Tone,
    pub(super) until: DateTime<Utc>,
}

/// What is said now, and what was said before.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Messages {
    pub(super) now: Option<Notice>,
    /// With their times, the newest first.
    before: VecDeque<(DateTime<Utc>, Tone, String)>,
}

impl Console {
    /// Says a sentence to the person at this console.
    pub(super) fn say(&mut self, tone: Tone, text: String, wall: DateTime<Utc>) {
        let before = &mut self.messages.before;
        if before.front().is_none_or(|(_, _, last)| *last != text) {
            before.push_front((wall, tone, text.clone()));
            before.truncate(KEPT);
        }
        self.set_notice(Some(Notice { text, tone, until: wall + NOTICE }));
    }

    /// Says why something cannot be.
    pub(super) fn refuse(&mut self, refusal: &Refusal, wall: DateTime<Utc>) {
        let text = self.cx(wall).said(refusal.saying());
        self.say(Tone::Refused, text, wall);
    }

    /// Another reader than the screen: actions and moments are spelled as that reads them.
    pub(crate) fn spell_as(&mut self, spelling: Spelling) {
        self.spelling = spelling;
    }

    /// Another sentence, or none; where the rows that it needs change, everything moves.
    pub(super) fn set_notice(&mut self, notice: Option<Notice>) {
        let rows = self.message_rows();
        self.messages.now = notice;
        let has_moved = rows != self.message_rows();
        self.dirty.add(if has_moved { Dirty::ALL } else { Dirty::FOOTER });
    }

    /// What is said now.
    pub(super) fn said(&self) -> Option<&Notice> {
        // The start screen says it in its box, where the eyes are; a wall has no footer.
        self.messages.now.as_ref().filter(|_| self.start.is_none() && !self.settings.is_wall)
    }

    /// How many rows above the keys the sentence of the moment takes.
    pub(super) fn message_rows(&self) -> u16 {
        self.said().map_or(0, |notice| rows(&notice.text, self.screen))
    }

    /// The footer: the sentence of the moment, and the keys beside or below it.
    pub(super) fn footer(&self, area: Rect, buf: &mut Buffer, cx: &Cx<'_>) {
        let mut keys = self.hints(cx);
        if let Some(notice) = self.said() {
            let style = notice.tone.style(cx.theme);
            let width = usize::from(area.width);
            let above = area.height.saturating_sub(1);
            if above == 0 {
                // Beside it there is room for the first keys, unless the screen has no row to give: then its end has precedence.
                let text = fitted(&notice.text, width.saturating_sub(2), 1).concat();
                keys.splice(0..0, [Span::raw(" "), Span::styled(text, style), Span::raw("  ")]);
            } else {
                let lines = fitted(&notice.text, width.saturating_sub(2), usize::from(above));
                for (line, y) in lines.into_iter().zip(area.y..) {
                    let line = Line::from(vec![Span::raw(" "), Span::styled(line, style)]);
                    buf.set_line(area.x, y, &fit_line(line, width), area.width);
                }
                let key = Span::styled(" Ctrl+O", cx.theme.key());
                keys.splice(0..0, [key, Span::styled(" messages ", cx.theme.dim())]);
            }
        }
        buf.set_line(
            area.x,
            area.bottom().saturating_sub(1),
            &fit_line(Line::from(keys), usize::from(area.width)),
            area.width,
        );
    }

    /// Shows what was said lately, the newest first, each sentence whole.
    pub(super) fn show_messages(&mut self, wall: DateTime<Utc>) {
        let cx = self.cx(wall);
        let line = |(at, tone, text): &(DateTime<Utc>, Tone, String)| {
            format!("{}  {}{text}", cx.clock(cx.incident.clock().show(*at)), tone.word())
        };
        let lines: Vec<String> = self.messages.before.iter().map(line).collect();
        let text = match lines.is_empty() {
            true => "nothing was said yet: what goes wrong, and what was done, is said at the bottom".to_owned(),
            false => lines.join("\n"),
        };
        self.show_text("messages", &text);
    }
}

/// How many rows a sentence takes above the keys: none where both fit side by side.
fn rows(text: &str, screen: Rect) -> u16 {
    let width = usize::from(screen.width);
    let is_short = !text.contains('\n') && columns(text) + 2 + KEYS <= width;
    // A screen of one pane has its rows for that pane.
    let most = (screen.height / 6).min(MOST_ROWS);
    if is_short || most == 0 {
        return 0;
    }
    u16::try_from(wrap(text, width.saturating_sub(2)).len()).unwrap_or(u16::MAX).min(most)
}

/// A sentence in at most so many rows; what does not fit is left out of its middle, because its end says what to do.
pub(super) fn fitted(text: &str, width: usize, rows: usize) -> Vec<String> {
    let lines = wrap(text, width);
    if lines.len() <= rows {
        return lines;
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    // Two fifths for the beginning, which says what it is about.
    let mut room = width * rows;
    while room > 0 {
        let beginning = wrap(&words.join(" "), (room * 2 / 5).max(1));
        let beginning = beginning.first().map_or("", String::as_str);
        let kept = beginning.split_whitespace().count();
        let mut end: Vec<&str> = Vec::new();
        let mut used = columns(beginning) + 2;
        for word in words[kept.min(words.len())..].iter().rev() {
            used += columns(word) + 1;
            if used > room {
                break;
            }
            end.insert(0, word);
        }
        let lines = wrap(&format!("{beginning} … {}", end.join(" ")), width);
        if lines.len() <= rows {
            return lines;
        }
        room -= 1;
    }
    lines.into_iter().take(rows).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: &str = "Statuspage answered 422 to the update of the external page (component c0mp0n3nt is not part of page abc123, and \
                        its name was changed yesterday by somebody of the platform team): the text was not published; \
                        set [external-components] and send it again (:outbox)";

    #[test]
    fn the_end_of_a_sentence_says_what_to_do_and_is_never_what_gives_way() {
        for width in [20, 38, 78, 118, 198] {
            for rows in 1..=4 {
                let lines = fitted(LONG, width, rows);
                assert!(lines.len() <= rows, "{width} × {rows}: {lines:?}");
                assert!(lines.iter().all(|line| columns(line) <= width), "{lines:?}");
                let shown = lines.join(" ");
                assert!(shown.ends_with("(:outbox)"), "{width} × {rows}: {shown}");
                assert!(width * rows < 60 || shown.starts_with("Statuspage answered"), "{shown}");
            }
        }
        assert_eq!(fitted("no record is open yet", 78, 1), ["no record is open yet"]);
    }

    #[test]
    fn a_short_sentence_moves_nothing_and_a_long_one_leaves_the_panes_most_of_the_screen() {
        let screen = |width, height| Rect::new(0, 0, width, height);
        assert_eq!(rows("recorded", screen(80, 24)), 0);
        assert_eq!(rows(LONG, screen(200, 60)), 2);
        assert_eq!(rows(LONG, screen(80, 24)), 4);
        assert_eq!(rows(LONG, screen(40, 12)), 2);
        assert_eq!(rows(LONG, screen(40, 5)), 0);
    }
}
