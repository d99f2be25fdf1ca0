//! The frame of a pane: a border with its title at the left and its remarks at the right.
//!
//! Hides how little room there can be: a frame that has none left for content draws nothing and gives all of it away.
//!
//! Invariant: focus shows in the marker before the title as well as in the colour.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::Line;

use super::text::{fit_line, line_columns};
use crate::theme::Theme;

/// The least area that gets a border; below it the content has all of it.
const LEAST: (u16, u16) = (8, 3);

/// A border around a pane.
///
/// ```text
/// ╭▸SLO · last 1 h ──────────── 14:26:15 ╮
/// │                                      │
/// ╰ u update  a assign ─────────── 12/34 ╯
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PaneFrame<'a> {
    /// Top left.
    pub title: Line<'a>,
    /// Top right; goes first when there is no room.
    pub remark: Line<'a>,
    /// Bottom left.
    pub hint: Line<'a>,
    /// Bottom right: where in a list one is.
    pub position: Line<'a>,
    /// Whether the keys go here.
    pub is_focused: bool,
    /// Whether what stands inside is a drill: nobody may mistake it.
    pub is_drill: bool,
}

impl<'a> PaneFrame<'a> {
    /// A frame with a title and nothing else.
    pub fn new(title: impl Into<Line<'a>>, is_focused: bool) -> Self {
        Self { title: title.into(), is_focused, ..Self::default() }
    }

    /// The same with a remark at the top right.
    #[must_use]
    pub fn remark(self, remark: impl Into<Line<'a>>) -> Self {
        Self { remark: remark.into(), ..self }
    }

    /// The same with a position at the bottom right.
    #[must_use]
    pub fn position(self, position: impl Into<Line<'a>>) -> Self {
        Self { position: position.into(), ..self }
    }

    /// The same with a hint at the bottom left.
    #[must_use]
    pub fn hint(self, hint: impl Into<Line<'a>>) -> Self {
        Self { hint: hint.into(), ..self }
    }

    /// The same in a drill, or not.
    #[must_use]
    pub fn in_drill(self, is_drill: bool) -> Self {
        Self { is_drill, ..self }
    }

    /// What is left for the content of an area.
    pub fn inner(area: Rect) -> Rect {
        if area.width < LEAST.0 || area.height < LEAST.1 {
            return area;
        }
        Rect::new(area.x + 1, area.y + 1, area.width - 2, area.height - 2)
    }

    /// Draws the frame; returns the area of the content.
    pub fn draw(self, area: Rect, buf: &mut Buffer, theme: &Theme) -> Rect {
        let area = area.intersection(buf.area);
        let inner = Self::inner(area);
        if inner == area {
            return inner;
        }
        let glyphs = theme.glyphs;
        let style = match (self.is_drill, self.is_focused) {
            (false, is_focused) => theme.border(is_focused),
            (true, true) => theme.drill().add_modifier(Modifier::BOLD),
            (true, false) => theme.drill(),
        };
        let (right, bottom) = (area.right() - 1, area.bottom() - 1);
        for x in inner.left()..inner.right() {
            set(buf, x, area.y, glyphs.horizontal, style);
            set(buf, x, bottom, glyphs.horizontal, style);
        }
        for y in inner.top()..inner.bottom() {
            set(buf, area.x, y, glyphs.vertical, style);
            set(buf, right, y, glyphs.vertical, style);
        }
        let corners = [(area.x, area.y), (right, area.y), (area.x, bottom), (right, bottom)];
        for ((x, y), corner) in corners.into_iter().zip(glyphs.corners) {
            set(buf, x, y, corner, style);
        }
        let marker = if self.is_focused { glyphs.here } else { " " };
        let title = self.title.patch_style(theme.title(self.is_focused));
        edge(inner, area.y, (title, self.remark), marker, style, buf);
        edge(inner, bottom, (self.hint, self.position), " ", style, buf);
        inner
    }
}

/// Writes a line at the left of an edge and one at the right, with a blank around each; the right one only where both
/// have room.
fn edge(inner: Rect, y: u16, (left, right): (Line<'_>, Line<'_>), marker: &str, style: Style, buf: &mut Buffer) {
    let room = usize::from(inner.width);
    let (left_width, right_width) = (line_columns(&left), line_columns(&right));
    if left_width > 0 {
        let left = fit_line(left, room - 2);
        let width = line_columns(&left) as u16;
        set(buf, inner.x, y, marker, style);
        buf.set_line(inner.x + 1, y, &left, width);
        set(buf, inner.x + 1 + width, y, " ", style);
    } else if marker != " " {
        set(buf, inner.x, y, marker, style);
    }
    let taken = if left_width > 0 { left_width + 3 } else { 1 };
    if right_width > 0 && taken + right_width + 2 <= room {
        let (right, width) = (fit_line(right, right_width), right_width as u16);
        set(buf, inner.right() - width - 2, y, " ", style);
        buf.set_line(inner.right() - width - 1, y, &right, width);
        set(buf, inner.right() - 1, y, " ", style);
    }
}

fn set(buf: &mut Buffer, x: u16, y: u16, symbol: &str, style: Style) {
    buf[(x, y)].set_symbol(symbol).set_style(style);
}

/// The area of a size in the middle of another, no larger than it.
pub fn centred(area: Rect, width: u16, height: u16) -> Rect {
    let (width, height) = (width.min(area.width), height.min(area.height));
    Rect::new(area.x + (area.width - width) / 2, area.y + (area.height - height) / 2, width, height)
}

/// Blanks an area for what is laid over others.
pub fn clear(area: Rect, buf: &mut Buffer) {
    for position in area.intersection(buf.area).positions() {
        buf[position].reset();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::widget::tests::drawn;

    #[test]
    fn a_frame_has_its_title_left_its_remark_right_and_marks_the_focus() {
        let theme = Theme::default();
        let frame = PaneFrame::new("SLO · last 1 h", true).remark("14:26:15").hint("u update").position("12/34");
        let shown = drawn(40, 3, |area, buf| {
            assert_eq!(frame.clone().draw(area, buf, &theme), Rect::new(1, 1, 38, 1));
        });
        assert_eq!(
            shown,
            [
                "╭▸SLO · last 1 h ──────────── 14:26:15 ╮",
                "│                                      │",
                "╰ u update ───────────────────── 12/34 ╯",
            ]
        );
        let shown = drawn(20, 3, |area, buf| {
            frame.clone().draw(area, buf, &theme.clone().in_ascii());
        });
        assert_eq!(shown, ["+>SLO · last 1 h --+", "|                  |", "+ u update - 12/34 +"]);
    }

    #[test]
    fn a_frame_without_room_gives_all_of_it_to_the_content() {
        let area = Rect::new(0, 0, 7, 5);
        let shown =
            drawn(7, 5, |area, buf| assert_eq!(PaneFrame::new("x", true).draw(area, buf, &Theme::default()), area));
        assert_eq!(shown, [""; 5]);
        assert_eq!(centred(area, 100, 3), Rect::new(0, 1, 7, 3));
    }
}
