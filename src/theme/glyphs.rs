//! The characters to draw with, and what stands for them where there is only ASCII.
//!
//! Hides which terminals can show what.
//!
//! Invariant: [`Glyphs::ASCII`] holds nothing but printable ASCII, each glyph one column wide unless it says otherwise,
//! and [`ascii_only`] leaves nothing else in a buffer.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Characters by what they are for; one column each, except [`Glyphs::to`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glyphs {
    /// Whether characters beyond ASCII (Braille, blocks) may be drawn.
    pub is_unicode: bool,
    /// The corners of a frame: top left, top right, bottom left, bottom right.
    pub corners: [&'static str; 4],
    /// A horizontal line.
    pub horizontal: &'static str,
    /// A vertical line.
    pub vertical: &'static str,
    /// A horizontal line that is less than a line: thresholds.
    pub dashed: &'static str,
    /// A vertical line that is less than a line: events in a chart.
    pub dotted: &'static str,
    /// Where a value of the scale is.
    pub scale: &'static str,
    /// Where a moment of the time axis is.
    pub moment: &'static str,
    /// Here: focus, the present step, the prompt.
    pub here: &'static str,
    /// Well, or answering.
    pub full: &'static str,
    /// In part.
    pub half: &'static str,
    /// Not at all.
    pub empty: &'static str,
    /// Done.
    pub done: &'static str,
    /// Passed over, refused.
    pub crossed: &'static str,
    /// A severity's block.
    pub square: &'static str,
    /// The way to: `->` in ASCII, two columns wide there.
    pub to: &'static str,
    /// More above.
    pub up: &'static str,
    /// More below.
    pub down: &'static str,
    /// Between things on a line.
    pub dot: &'static str,
    /// Something was cut off here.
    pub cut: &'static str,
    /// So many times.
    pub times: &'static str,
    /// A full cell of a big letter.
    pub block: &'static str,
    /// The dot of a small colon.
    pub colon: &'static str,
    /// Levels of a bar, from the lowest that is not nothing.
    pub levels: &'static [&'static str],
    /// How a branch of a tree begins: between others, and the last.
    pub branches: [&'static str; 2],
}

impl Glyphs {
    /// For a terminal that shows Unicode.
    pub const UNICODE: Self = Self {
        is_unicode: true,
        corners: ["╭", "╮", "╰", "╯"],
        horizontal: "─",
        vertical: "│",
        dashed: "┄",
        dotted: "┆",
        scale: "┤",
        moment: "╵",
        here: "▸",
        full: "●",
        half: "◐",
        empty: "○",
        done: "✓",
        crossed: "✗",
        square: "■",
        to: "→",
        up: "↑",
        down: "↓",
        dot: "·",
        cut: "…",
        times: "×",
        block: "█",
        colon: "▪",
        levels: &["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
        branches: ["├", "└"],
    };

    /// For a locale without UTF-8.
    pub const ASCII: Self = Self {
        is_unicode: false,
        corners: ["+", "+", "+", "+"],
        horizontal: "-",
        vertical: "|",
        dashed: "=",
        dotted: ":",
        scale: "+",
        moment: "'",
        here: ">",
        full: "*",
        half: "o",
        empty: ".",
        done: "x",
        crossed: "!",
        square: "#",
        to: "->",
        up: "^",
        down: "v",
        dot: "-",
        cut: "~",
        times: "x",
        block: "#",
        colon: ":",
        levels: &["_", ".", "-", "=", "+", "*", "%", "#"],
        branches: ["|", "`"],
    };
}

/// Replaces every character of an area that is not ASCII: ours by what stands for it, a name's letters by `?`.
///
/// The last step before the screen where the locale has no UTF-8: words of ours hold dots, dashes and arrows, and
/// outside text holds anything.
pub fn ascii_only(buf: &mut Buffer, area: Rect) {
    for position in area.intersection(buf.area).positions() {
        let Some(cell) = buf.cell_mut(position) else { continue };
        if !cell.symbol().is_ascii() {
            let plain = ascii_of(cell.symbol());
            cell.set_symbol(plain);
        }
    }
}

/// What stands in ASCII for a sign of ours, and `?` for any other.
pub fn ascii_of(symbol: &str) -> &'static str {
    match symbol {
        "╭" | "╮" | "╰" | "╯" | "┌" | "┐" | "└" | "┘" | "├" | "┤" | "┬" | "┴" | "┼" => "+",
        "─" | "┄" | "·" | "–" | "—" | "−" => "-",
        "│" | "▏" | "▌" | "▐" => "|",
        "┆" | "▪" => ":",
        "╵" | "‘" | "’" => "'",
        "“" | "”" | "″" => "\"",
        "▸" | "→" | "›" => ">",
        "←" | "‹" => "<",
        "↑" | "▴" | "▲" => "^",
        "↓" | "▾" | "▼" => "v",
        "●" | "•" => "*",
        "◐" => "o",
        "○" => ".",
        "✓" | "×" => "x",
        "✗" => "!",
        "■" | "█" | "▀" | "▄" | "▇" | "▆" | "▅" => "#",
        "▁" | "▂" | "▃" => "_",
        "…" => "~",
        "≤" => "<",
        "≥" => ">",
        "µ" | "μ" => "u",
        "\u{a0}" => " ",
        _ => "?",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::columns;

    fn single(glyphs: &Glyphs) -> Vec<&'static str> {
        let mut all = vec![
            glyphs.horizontal,
            glyphs.vertical,
            glyphs.dashed,
            glyphs.dotted,
            glyphs.scale,
            glyphs.moment,
            glyphs.here,
            glyphs.full,
            glyphs.half,
            glyphs.empty,
            glyphs.done,
            glyphs.crossed,
            glyphs.square,
            glyphs.up,
            glyphs.down,
            glyphs.dot,
            glyphs.cut,
            glyphs.times,
            glyphs.block,
            glyphs.colon,
        ];
        all.extend(glyphs.corners);
        all.extend(glyphs.branches);
        all.extend(glyphs.levels);
        all
    }

    #[test]
    fn every_glyph_takes_one_column_and_the_ascii_ones_are_ascii() {
        assert!(single(&Glyphs::UNICODE).iter().all(|glyph| columns(glyph) == 1));
        assert!(single(&Glyphs::ASCII).iter().all(|glyph| glyph.len() == 1 && glyph.is_ascii()));
        assert_eq!(Glyphs::UNICODE.levels.len(), Glyphs::ASCII.levels.len());
    }

    #[test]
    fn a_buffer_for_an_ascii_locale_holds_ascii_only_and_keeps_its_places() {
        let mut buf = Buffer::with_lines(["╭ 支付 · p99 → 4 s… ⡠ ╮", "outside ╮"]);
        ascii_only(&mut buf, Rect::new(0, 0, 40, 1));
        let line: String = (0..buf.area.width).map(|x| buf[(x, 0)].symbol()).collect();
        assert_eq!(line, "+ ? ?  - p99 > 4 s~ ? +", "a wide letter leaves a blank behind");
        assert_eq!(buf[(8, 1)].symbol(), "╮");
    }
}
