//! Big letters and digits: the countdown that is read from across the room.
//!
//! Hides the fonts. A small one is two rows high and three columns wide a digit; the other is drawn in squares, from
//! one column to as large as the area allows.
//!
//! Invariant: all digits are equally wide, so a second that passes changes the cells of one digit or two.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::theme::Glyphs;

/// How large.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Size {
    /// As ordinary text, one row.
    Text,
    /// Two rows; digits, `-`, `:` and blanks only.
    Small,
    /// Five rows, each dot of the font one cell.
    Medium,
    /// Five rows times a factor from 1, each dot of the font twice the factor wide, so that it is about square.
    Scaled(u16),
}

impl Size {
    /// The columns and rows of a text.
    pub fn of(self, text: &str) -> (u16, u16) {
        let width = |dots: usize, scale: u16| u16::try_from(dots).unwrap_or(u16::MAX).saturating_mul(scale);
        match self {
            Self::Text => (width(crate::text::columns(text), 1), 1),
            Self::Small => (width(spread(text, |letter| small(letter)[0].chars().count()), 1), 2),
            Self::Medium => (width(spread(text, |letter| rows(letter)[0].len()), 1), 5),
            Self::Scaled(scale) => {
                let scale = scale.max(1);
                (width(spread(text, |letter| rows(letter)[0].len()), scale.saturating_mul(2)), scale.saturating_mul(5))
            }
        }
    }

    fn can_show(self, text: &str, glyphs: &Glyphs) -> bool {
        match self {
            Self::Text => true,
            Self::Small => {
                glyphs.is_unicode
                    && text.chars().all(|letter| matches!(letter, '0'..='9' | '-' | ':' | ' ' | 'h' | 'd'))
            }
            Self::Medium | Self::Scaled(_) => text.chars().all(|letter| letter == ' ' || rows(letter) != UNKNOWN),
        }
    }
}

/// The largest size at which a text fits into an area; [`Size::Text`] if none does.
pub fn largest_that_fits(text: &str, area: Rect, glyphs: &Glyphs) -> Size {
    let fits = |size: &Size| {
        let (width, height) = size.of(text);
        width <= area.width && height <= area.height && size.can_show(text, glyphs)
    };
    let (width, height) = Size::Scaled(1).of(text);
    let scale = (area.width / width.max(1)).min(area.height / height);
    [Size::Scaled(scale), Size::Medium, Size::Small]
        .into_iter()
        .filter(|size| *size != Size::Scaled(0))
        .find(fits)
        .unwrap_or(Size::Text)
}

/// Draws a text in a size at the top left of an area, cut where the area ends; returns the part of the area that it
/// took.
pub fn draw(text: &str, size: Size, area: Rect, style: Style, glyphs: &Glyphs, buf: &mut Buffer) -> Rect {
    let size = if size.can_show(text, glyphs) { size } else { Size::Text };
    let (width, height) = size.of(text);
    let taken = Rect::new(area.x, area.y, width.min(area.width), height.min(area.height)).intersection(buf.area);
    for position in taken.positions() {
        buf[position].set_symbol(" ").set_style(style);
    }
    match size {
        Size::Text => {
            if !taken.is_empty() {
                buf.set_stringn(taken.x, taken.y, crate::text::shown(text), usize::from(taken.width), style);
            }
        }
        Size::Small => draw_small(text, taken, buf),
        Size::Medium => draw_dots(text, (1, 1), taken, glyphs, buf),
        Size::Scaled(scale) => draw_dots(text, (scale.max(1).saturating_mul(2), scale.max(1)), taken, glyphs, buf),
    }
    taken
}

fn draw_small(text: &str, area: Rect, buf: &mut Buffer) {
    let mut x = area.x;
    for letter in text.chars() {
        let rows = small(letter);
        for (row, y) in rows.iter().zip(area.top()..area.bottom()) {
            for (symbol, x) in row.chars().zip(x..area.right()) {
                buf[(x, y)].set_char(symbol);
            }
        }
        x = x.saturating_add(rows[0].chars().count() as u16 + 1);
    }
}

fn draw_dots(text: &str, (wide, high): (u16, u16), area: Rect, glyphs: &Glyphs, buf: &mut Buffer) {
    let mut left = area.x;
    for letter in text.chars() {
        let rows = rows(letter);
        for (row, dots) in rows.iter().enumerate() {
            let top = area.y.saturating_add(high.saturating_mul(row as u16));
            for (column, _) in dots.bytes().enumerate().filter(|(_, dot)| *dot == b'#') {
                let dot = Rect::new(left.saturating_add(wide.saturating_mul(column as u16)), top, wide, high);
                for position in dot.intersection(area).positions() {
                    buf[position].set_symbol(glyphs.block);
                }
            }
        }
        left = left.saturating_add(wide.saturating_mul(rows[0].len() as u16 + 1));
    }
}

/// The dots of a text in one row: its letters with a dot between each two.
fn spread(text: &str, width: impl Fn(char) -> usize) -> usize {
    text.chars().map(|letter| width(letter) + 1).sum::<usize>().saturating_sub(1)
}

fn small(letter: char) -> [&'static str; 2] {
    match letter {
        '0' => ["█▀█", "█▄█"],
        '1' => [" ▄█", "  █"],
        '2' => ["▀▀█", "█▄▄"],
        '3' => ["▀██", "▄▄█"],
        '4' => ["█ █", "▀▀█"],
        '5' => ["█▀▀", "▄▄█"],
        '6' => ["█▄▄", "█▄█"],
        '7' => ["▀▀█", "  █"],
        '8' => ["███", "█▄█"],
        '9' => ["█▀█", "▀▀█"],
        '-' => ["▄▄", "  "],
        ':' => ["▪", "▪"],
        'h' => ["█▄▄", "█ █"],
        'd' => ["▄▄█", "█▄█"],
        _ => [" ", " "],
    }
}

const UNKNOWN: [&str; 5] = ["   ", "   ", "   ", "   ", "   "];

fn rows(letter: char) -> [&'static str; 5] {
    match letter.to_ascii_uppercase() {
        '0' => ["###", "#.#", "#.#", "#.#", "###"],
        '1' => ["..#", ".##", "..#", "..#", "..#"],
        '2' => ["###", "..#", "###", "#..", "###"],
        '3' => ["###", "..#", "###", "..#", "###"],
        '4' => ["#.#", "#.#", "###", "..#", "..#"],
        '5' => ["###", "#..", "###", "..#", "###"],
        '6' => ["###", "#..", "###", "#.#", "###"],
        '7' => ["###", "..#", "..#", "..#", "..#"],
        '8' => ["###", "#.#", "###", "#.#", "###"],
        '9' => ["###", "#.#", "###", "..#", "###"],
        'A' => [".#.", "#.#", "###", "#.#", "#.#"],
        'B' => ["##.", "#.#", "##.", "#.#", "##."],
        'C' => [".##", "#..", "#..", "#..", ".##"],
        'D' => ["##.", "#.#", "#.#", "#.#", "##."],
        'E' => ["###", "#..", "##.", "#..", "###"],
        'F' => ["###", "#..", "##.", "#..", "#.."],
        'G' => [".###", "#...", "#.##", "#..#", ".###"],
        'H' => ["#.#", "#.#", "###", "#.#", "#.#"],
        'I' => ["#", "#", "#", "#", "#"],
        'J' => ["..#", "..#", "..#", "#.#", ".#."],
        'K' => ["#.#", "#.#", "##.", "#.#", "#.#"],
        'L' => ["#..", "#..", "#..", "#..", "###"],
        'M' => ["#...#", "##.##", "#.#.#", "#...#", "#...#"],
        'N' => ["#..#", "##.#", "#.##", "#..#", "#..#"],
        'O' => [".##.", "#..#", "#..#", "#..#", ".##."],
        'P' => ["##.", "#.#", "##.", "#..", "#.."],
        'Q' => [".##.", "#..#", "#..#", "#.#.", ".#.#"],
        'R' => ["##.", "#.#", "##.", "#.#", "#.#"],
        'S' => [".##", "#..", ".#.", "..#", "##."],
        'T' => ["###", ".#.", ".#.", ".#.", ".#."],
        'U' => ["#.#", "#.#", "#.#", "#.#", "###"],
        'V' => ["#.#", "#.#", "#.#", "#.#", ".#."],
        'W' => ["#...#", "#...#", "#.#.#", "##.##", "#...#"],
        'X' => ["#.#", "#.#", ".#.", "#.#", "#.#"],
        'Y' => ["#.#", "#.#", ".#.", ".#.", ".#."],
        'Z' => ["###", "..#", ".#.", "#..", "###"],
        '-' => ["..", "..", "##", "..", ".."],
        ':' => [".", "#", ".", "#", "."],
        '.' => [".", ".", ".", ".", "#"],
        '/' => ["..#", "..#", ".#.", "#..", "#.."],
        '+' => ["...", ".#.", "###", ".#.", "..."],
        '%' => ["#.#", "..#", ".#.", "#..", "#.#"],
        _ => UNKNOWN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::widget::tests::{any_area, drawn, stays_inside};
    use proptest::prelude::*;

    fn shown(text: &str, size: Size, glyphs: &Glyphs) -> Vec<String> {
        let (width, height) = size.of(text);
        drawn(width, height, |area, buf| {
            assert_eq!(draw(text, size, area, Style::new(), glyphs, buf), area);
        })
    }

    #[test]
    fn the_countdown_is_drawn_in_three_sizes() {
        assert_eq!(shown("06:41", Size::Small, &Glyphs::UNICODE), ["█▀█ █▄▄ ▪ █ █  ▄█", "█▄█ █▄█ ▪ ▀▀█   █"]);
        assert_eq!(
            shown("-2:07", Size::Medium, &Glyphs::ASCII),
            ["   ###   ### ###", "     # # # #   #", "## ###   # #   #", "   #   # # #   #", "   ###   ###   #"]
        );
        assert_eq!(
            shown("7", Size::Scaled(2), &Glyphs::UNICODE)[1..4],
            ["████████████", "        ████", "        ████"]
        );
        let plain = drawn(13, 2, |area, buf| {
            draw("2:07", Size::Small, area, Style::new(), &Glyphs::ASCII, buf);
        });
        assert_eq!(plain, ["2:07", ""], "two rows need half blocks");
    }

    #[test]
    fn a_text_is_as_large_as_its_area_allows() {
        for (text, width, height, glyphs, size) in [
            ("12:34", 200, 60, &Glyphs::UNICODE, Size::Scaled(5)),
            ("12:34", 40, 10, &Glyphs::UNICODE, Size::Scaled(1)),
            ("12:34", 30, 10, &Glyphs::UNICODE, Size::Medium),
            ("12:34", 30, 4, &Glyphs::UNICODE, Size::Small),
            ("12:34", 30, 4, &Glyphs::ASCII, Size::Text),
            ("12:34", 10, 4, &Glyphs::UNICODE, Size::Text),
            ("SEV1 ALIPAY", 80, 7, &Glyphs::UNICODE, Size::Medium),
            ("支付", 80, 20, &Glyphs::UNICODE, Size::Text),
            ("", 0, 0, &Glyphs::UNICODE, Size::Text),
        ] {
            assert_eq!(
                largest_that_fits(text, Rect::new(0, 0, width, height), glyphs),
                size,
                "{text} {width}x{height}"
            );
        }
    }

    #[test]
    fn a_second_that_passes_changes_one_digit() {
        let area = Rect::new(0, 0, 40, 5);
        let mut frames = ["-12:34", "-12:35"].map(|text| {
            let mut buf = Buffer::empty(area);
            draw(text, Size::Medium, area, Style::new(), &Glyphs::UNICODE, &mut buf);
            buf
        });
        let [before, after] = &mut frames;
        assert!(before.diff(after).len() <= 8);
    }

    #[test]
    fn all_digits_are_equally_wide_and_different() {
        for size in [Size::Small, Size::Medium] {
            let digits: Vec<_> = ('0'..='9').map(|digit| shown(&digit.to_string(), size, &Glyphs::UNICODE)).collect();
            let mut different = digits.clone();
            different.sort();
            different.dedup();
            assert_eq!(different.len(), 10);
            assert!(('0'..='9').all(|digit| size.of(&digit.to_string()).0 == 3));
        }
    }

    proptest! {
        #[test]
        fn any_text_in_any_size_stays_inside_its_area(
            area in any_area(), text in "([0-9:A-Z -]{0,12}|\\PC{0,12})", scale in 0u16..=u16::MAX, kind in 0u8..4, is_ascii in any::<bool>(),
        ) {
            let size = [Size::Text, Size::Small, Size::Medium, Size::Scaled(scale)][usize::from(kind)];
            let glyphs = if is_ascii { &Glyphs::ASCII } else { &Glyphs::UNICODE };
            stays_inside(area, |area, buf| { draw(&text, size, area, Style::new(), glyphs, buf); });
            let fitting = largest_that_fits(&text, area, glyphs);
            let (width, height) = fitting.of(&text);
            prop_assert!(fitting == Size::Text || (width <= area.width && height <= area.height));
        }
    }
}
