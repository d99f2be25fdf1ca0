//! Turns the difference between what the terminal shows and the next frame into the fewest bytes.
//!
//! Hides cursor motion, colour codes, blank tails and glyphs of doubtful width. It knows what the terminal shows now ([`Shown`]) and
//! updates that as it writes, so the bytes it returns must all reach the terminal, in order, or [`Shown::forget`] must be called.
//!
//! Invariant: whatever a cell holds, only printable text and the control functions named here leave it; after the bytes the terminal
//! shows the frame, except cells marked as skipped.

use ratatui::buffer::{Buffer, Cell, CellDiffOption};
use ratatui::layout::{Position, Rect};
use ratatui::style::{Color, Modifier};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::text::is_harmful;

mod habits;

pub use habits::Habits;

/// Machine-driven frames above so many bytes are bracketed as one synchronized update.
pub const SYNC_ABOVE: usize = 200;

const SYNC_BEGIN: &[u8] = b"\x1b[?2026h";
const SYNC_END: &[u8] = b"\x1b[?2026l";
/// A cluster longer than this never came through [`crate::text`]; it is shown as `?`.
const GLYPH_BYTES: usize = 32;
/// From so many blanks on, erasing them in place is shorter than printing them and less than moving on costs.
const ERASE_FROM: u16 = 10;
/// What shows on a cell without a letter, besides its background.
const SEEN_ON_BLANK: Modifier = Modifier::UNDERLINED.union(Modifier::REVERSED).union(Modifier::CROSSED_OUT);

/// Whether colour codes are sent; bold, dim, underline and reverse are sent in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colours {
    /// Colours as the cells have them.
    On,
    /// No colour code at all (`NO_COLOR`, a monochrome terminal).
    Off,
}

/// Who waits for a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// A person who pressed a key: the frame goes at once and bare.
    Key,
    /// Nobody in particular: data arrived or a clock moved on.
    Machine,
}

/// What the terminal shows: its cells, the style it prints with, and its cursor.
#[derive(Clone, Debug)]
pub struct Shown {
    /// Cells as they were printed; the second half of a wide glyph has an empty symbol.
    cells: Buffer,
    pen: Pen,
    at: At,
    /// `None`: nobody knows.
    cursor: Option<bool>,
    known: bool,
    colours: Colours,
    habits: Habits,
    /// What the terminal is asked before it is painted for the first time.
    question: &'static [u8],
}

/// Where the terminal's cursor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// On this column and row.
    Cell(u16, u16),
    /// Somewhere on this row: after the last column, or after a glyph of doubtful width.
    Row(u16),
    Unknown,
}

/// The graphic rendition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Pen {
    fg: Color,
    bg: Color,
    underline: Color,
    modifier: Modifier,
}

const PLAIN: Pen = Pen { fg: Color::Reset, bg: Color::Reset, underline: Color::Reset, modifier: Modifier::empty() };

/// What a cell prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Glyph<'a> {
    text: &'a str,
    width: u16,
    /// The columns that it takes where it takes most: a terminal that joins nothing draws each letter of a cluster beside the others.
    most: u16,
    /// Every terminal agrees on the width.
    sure: bool,
}

const BLANK: Glyph<'static> = Glyph { text: " ", width: 1, most: 1, sure: true };
const UNPRINTABLE: Glyph<'static> = Glyph { text: "?", width: 1, most: 1, sure: true };

impl Shown {
    /// A terminal of which nothing is known: the first frame paints everything.
    pub fn new(colours: Colours) -> Self {
        Self {
            cells: Buffer::empty(Rect::ZERO),
            pen: PLAIN,
            at: At::Unknown,
            cursor: None,
            known: false,
            colours,
            habits: Habits::default(),
            question: b"",
        }
    }

    /// Learns what the terminal does with letters: the next frame paints everything.
    pub fn set_habits(&mut self, habits: Habits) {
        self.habits = habits;
        self.forget();
    }

    /// Asks the terminal something directly before the next whole frame: what the question prints is never seen.
    pub fn ask(&mut self, question: &'static [u8]) {
        self.question = question;
    }

    /// Forgets what the terminal shows (resized, resumed, cleared by somebody else): the next frame paints everything.
    pub fn forget(&mut self) {
        self.known = false;
        self.cursor = None;
    }

    /// Appends the bytes that make the terminal show `next` with the cursor there (`None`: hidden).
    ///
    /// With `changed`, only those areas are compared; the caller vouches for the rest.
    pub fn encode(
        &mut self,
        next: &Buffer,
        cursor: Option<Position>,
        changed: Option<&[Rect]>,
        urgency: Urgency,
        out: &mut Vec<u8>,
    ) {
        let start = out.len();
        let area = next.area;
        let whole = [area];
        let mut rects = changed.unwrap_or(&whole);
        if !self.known || self.cells.area != area {
            rects = &whole;
            out.extend_from_slice(std::mem::take(&mut self.question));
            out.extend_from_slice(b"\x1b[m\x1b[H\x1b[J");
            self.pen = PLAIN;
            self.at = At::Cell(0, 0);
            self.cells.resize(area);
            self.cells.reset();
            self.known = true;
        }
        for rect in rects {
            let rect = rect.intersection(area);
            for row in rect.top()..rect.bottom() {
                let (left, right) = (rect.left() - area.x, rect.right() - area.x);
                let cursor = cursor.filter(|at| at.y == row).map(|at| at.x.saturating_sub(area.x));
                self.row(next, row - area.y, (left, right), cursor, out);
            }
        }
        let cursor = cursor.filter(|at| area.contains(*at));
        if let Some(at) = cursor {
            self.move_to(at.x - area.x, at.y - area.y, out);
        }
        if self.cursor != Some(cursor.is_some()) {
            out.extend_from_slice(if cursor.is_some() { b"\x1b[?25h" } else { b"\x1b[?25l" });
            self.cursor = Some(cursor.is_some());
        }
        if urgency == Urgency::Machine && out.len() - start > SYNC_ABOVE {
            out.splice(start..start, SYNC_BEGIN.iter().copied());
            out.extend_from_slice(SYNC_END);
        }
    }

    /// Brings columns `left..right` of a row up to date.
    fn row(&mut self, next: &Buffer, y: u16, (left, right): (u16, u16), cursor: Option<u16>, out: &mut Vec<u8>) {
        let width = next.area.width;
        let base = usize::from(y) * usize::from(width);
        let line = &next.content[base..base + usize::from(width)];
        let prepared = if self.habits.is_usual() { None } else { self.habits.row(line, cursor) };
        let line = prepared.as_deref().unwrap_or(line);
        // What begins or ends a text may change far from what was drawn.
        let (left, right) = if self.habits.isolates { (0, width) } else { (left, right) };
        let mut x = left;
        // Both halves of a wide glyph change together, also where only the second lies in the area.
        if x > 0 && (self.cells.content[base + usize::from(x)].symbol().is_empty() || self.glyph(line, x - 1).width > 1)
        {
            x -= 1;
        }
        // Cells before this column are printed even if they look unchanged.
        let mut force = 0;
        while x < right.max(force).min(width) {
            let cell = &line[usize::from(x)];
            let shown = &self.cells.content[base + usize::from(x)];
            let glyph = self.glyph(line, x);
            let forced = x < force || cell.diff_option == CellDiffOption::AlwaysUpdate;
            if is_skipped(cell) {
                // Somebody else draws here: not even printing the old letter again is allowed.
                self.cells.content[base + usize::from(x)].diff_option = CellDiffOption::Skip;
                x += 1;
                continue;
            }
            if !forced && self.is_same(shown, cell, glyph) {
                x += glyph.width;
                continue;
            }
            if self.is_plain_blank(cell, glyph) {
                let (end, to_the_edge) = self.blanks(line, base, x);
                if to_the_edge && end - x > 3 {
                    self.erase(x, y, width, b"\x1b[K", out);
                    return;
                }
                if end - x >= ERASE_FROM {
                    let mut code = b"\x1b[".to_vec();
                    number(end - x, &mut code);
                    code.push(b'X');
                    self.erase(x, y, end, &code, out);
                    force = force.max(self.uncovered(base, end, width));
                    x = end;
                    continue;
                }
            }
            let end = x + glyph.width;
            let torn = self.uncovered(base, end, width);
            self.print(x, y, cell, glyph, out);
            // A glyph that some terminals draw wider has covered its neighbour there; half a wide glyph is left as nobody knows what.
            force = force.max(torn).max(if glyph.sure { 0 } else { (x + glyph.most).max(end + 1) });
            x = end;
        }
    }

    fn glyph<'a>(&self, line: &'a [Cell], x: u16) -> Glyph<'a> {
        glyph(line, x, self.habits.isolates)
    }

    /// Where cells end that lose their other half when everything before this column is printed over.
    fn uncovered(&self, base: usize, end: u16, width: u16) -> u16 {
        if end < width && self.cells.content[base + usize::from(end)].symbol().is_empty() { end + 1 } else { 0 }
    }

    fn print(&mut self, x: u16, y: u16, cell: &Cell, glyph: Glyph<'_>, out: &mut Vec<u8>) {
        self.move_to(x, y, out);
        let want = self.pen_of(cell);
        self.set_pen(want, is_blank(want, glyph), out);
        let old = &self.cells.content[usize::from(y) * usize::from(self.cells.area.width) + usize::from(x)];
        if !glyph.sure && glyph.width > 1 {
            // A terminal that draws it narrow must not keep the old letter beside it.
            out.extend_from_slice(b"  \x08\x08");
        } else if !glyph.sure && (old.symbol() != " " || old.bg != want.bg) {
            // Nor must one that draws nothing keep the old letter in its place.
            out.extend_from_slice(b" \x08");
        }
        out.extend_from_slice(glyph.text.as_bytes());
        let width = self.cells.area.width;
        let at = usize::from(y) * usize::from(width) + usize::from(x);
        let pen = self.pen;
        let shown = &mut self.cells.content[at];
        keep(shown, glyph.text, if is_blank(want, glyph) { pen } else { want });
        for trail in 1..usize::from(glyph.width) {
            keep(&mut self.cells.content[at + trail], "", want);
        }
        let end = x + glyph.width;
        self.at = if end < width && glyph.sure { At::Cell(end, y) } else { At::Row(y) };
    }

    fn erase(&mut self, x: u16, y: u16, end: u16, code: &[u8], out: &mut Vec<u8>) {
        self.move_to(x, y, out);
        self.set_pen(PLAIN, true, out);
        out.extend_from_slice(code);
        let base = usize::from(y) * usize::from(self.cells.area.width);
        for shown in &mut self.cells.content[base + usize::from(x)..base + usize::from(end)] {
            shown.reset();
        }
    }

    /// The end of the blanks of default background that begin at `x`, unchanged ones at the end left out; and whether only such blanks
    /// follow in the row.
    fn blanks(&self, line: &[Cell], base: usize, x: u16) -> (u16, bool) {
        let (mut at, mut end) = (x, x + 1);
        while usize::from(at) < line.len() {
            let cell = &line[usize::from(at)];
            if is_skipped(cell) || !self.is_plain_blank(cell, self.glyph(line, at)) {
                return (end, false);
            }
            if !self.is_same(&self.cells.content[base + usize::from(at)], cell, BLANK) {
                end = at + 1;
            }
            at += 1;
        }
        (end, true)
    }

    fn is_plain_blank(&self, cell: &Cell, glyph: Glyph<'_>) -> bool {
        let pen = self.pen_of(cell);
        is_blank(pen, glyph) && pen.bg == Color::Reset
    }

    fn is_same(&self, shown: &Cell, cell: &Cell, glyph: Glyph<'_>) -> bool {
        if shown.symbol() != glyph.text {
            return false;
        }
        let (was, want) = (raw_pen(shown), self.pen_of(cell));
        was == want || (was.bg == want.bg && is_blank(was, glyph) && is_blank(want, glyph))
    }

    fn pen_of(&self, cell: &Cell) -> Pen {
        let mut pen = raw_pen(cell);
        if self.colours == Colours::Off {
            pen = Pen { modifier: pen.modifier, ..PLAIN };
        }
        if !pen.modifier.contains(Modifier::UNDERLINED) {
            pen.underline = Color::Reset;
        }
        pen
    }

    /// Changes the style; for a blank, only what shows on a blank.
    fn set_pen(&mut self, want: Pen, blank: bool, out: &mut Vec<u8>) {
        let have = self.pen;
        if have == want || (blank && have.bg == want.bg && !have.modifier.intersects(SEEN_ON_BLANK)) {
            return;
        }
        let mut target = want;
        if blank {
            let kept =
                Pen { bg: want.bg, underline: Color::Reset, modifier: have.modifier.difference(SEEN_ON_BLANK), ..have };
            let plain = Pen { bg: want.bg, ..PLAIN };
            target = if transition(have, plain).len() <= transition(have, kept).len() { plain } else { kept };
        }
        out.extend_from_slice(&transition(have, target));
        self.pen = target;
    }

    /// Moves the cursor by the cheapest way there is.
    fn move_to(&mut self, x: u16, y: u16, out: &mut Vec<u8>) {
        if self.at == At::Cell(x, y) {
            return;
        }
        let mut best = Vec::with_capacity(12);
        control(&[y + 1, x + 1], b'H', &mut best);
        let mut offer = |way: Vec<u8>| {
            if way.len() < best.len() {
                best = way;
            }
        };
        let row = match self.at {
            At::Cell(_, row) | At::Row(row) => Some(row),
            At::Unknown => None,
        };
        if let Some(row) = row {
            if row == y {
                offer(motion(x + 1, b'G'));
            }
            if y >= row && y - row < 8 {
                // CR leaves the state after the last column, LF goes down without scrolling: the target row exists.
                let mut way = vec![b'\r'];
                way.resize(1 + usize::from(y - row), b'\n');
                if x > 0 {
                    way.extend(motion(x, b'C'));
                }
                offer(way);
            }
        }
        if let At::Cell(from, row) = self.at {
            if row == y && from < x {
                offer(motion(x - from, b'C'));
                if let Some(way) = self.reprint(from, x, y) {
                    offer(way);
                }
            } else if row == y {
                offer(vec![0x08; usize::from(from - x)]);
                offer(motion(from - x, b'D'));
            } else if from == x {
                offer(if row < y { motion(y - row, b'B') } else { motion(row - y, b'A') });
            }
        }
        out.extend_from_slice(&best);
        self.at = At::Cell(x, y);
    }

    /// The letters between two columns, where printing them again changes nothing and is short.
    fn reprint(&self, from: u16, to: u16, y: u16) -> Option<Vec<u8>> {
        if to - from > 5 {
            return None;
        }
        let base = usize::from(y) * usize::from(self.cells.area.width);
        let mut way = Vec::with_capacity(8);
        for cell in &self.cells.content[base + usize::from(from)..base + usize::from(to)] {
            let pen = raw_pen(cell);
            let text = cell.symbol();
            let blank = text == " " && pen.bg == self.pen.bg;
            let unseen = !pen.modifier.intersects(SEEN_ON_BLANK) && !self.pen.modifier.intersects(SEEN_ON_BLANK);
            if is_skipped(cell) || text.len() != 1 || (pen != self.pen && !(blank && unseen)) {
                return None;
            }
            way.extend_from_slice(text.as_bytes());
        }
        Some(way)
    }
}

fn keep(shown: &mut Cell, text: &str, pen: Pen) {
    shown.reset();
    if text != " " {
        shown.set_symbol(text);
    }
    shown.fg = pen.fg;
    shown.bg = pen.bg;
    shown.underline_color = pen.underline;
    shown.modifier = pen.modifier;
}

fn raw_pen(cell: &Cell) -> Pen {
    Pen { fg: cell.fg, bg: cell.bg, underline: cell.underline_color, modifier: cell.modifier }
}

fn is_blank(pen: Pen, glyph: Glyph<'_>) -> bool {
    glyph.text == " " && !pen.modifier.intersects(SEEN_ON_BLANK)
}

#[expect(deprecated, reason = "widgets that have not moved to the new option still set the flag")]
fn is_skipped(cell: &Cell) -> bool {
    cell.diff_option == CellDiffOption::Skip || cell.skip
}

/// What a column prints: never a control character, never more columns than the row has. Marks of an isolate may hang
/// on it (`is_marked`).
fn glyph(line: &[Cell], x: u16, is_marked: bool) -> Glyph<'_> {
    let cell = &line[usize::from(x)];
    let text = cell.symbol();
    if let &[byte] = text.as_bytes() {
        return if byte == b' ' {
            BLANK
        } else if byte.is_ascii_graphic() {
            Glyph { text, width: 1, most: 1, sure: true }
        } else {
            UNPRINTABLE
        };
    }
    if text.is_empty() {
        return BLANK;
    }
    let core = if is_marked { habits::core(text) } else { text };
    if core.len() > GLYPH_BYTES || core.chars().any(|letter| letter.is_control() || is_harmful(letter)) {
        return UNPRINTABLE;
    }
    let mut letters = core.chars();
    let single = letters.next().filter(|_| letters.next().is_none());
    let width = match cell.diff_option {
        CellDiffOption::ForcedWidth(width) => width.get(),
        CellDiffOption::None | CellDiffOption::Skip | CellDiffOption::AlwaysUpdate => {
            u16::try_from(core.width()).unwrap_or(u16::MAX)
        }
    };
    let room = u16::try_from(line.len()).unwrap_or(u16::MAX) - x;
    let sure = single.is_some_and(is_sure) && width <= 2 && core.len() == text.len();
    // Half a flag is a letter in a box, which many draw as wide as a whole one.
    let alone = |letter: char| match letter {
        '\u{1f1e6}'..='\u{1f1ff}' => 2,
        letter => u16::try_from(letter.width().unwrap_or(0)).unwrap_or(u16::MAX),
    };
    let most = core.chars().map(alone).fold(0, u16::saturating_add).max(if sure { width } else { width.max(2) });
    // Without width it would hang on its neighbour; too wide, or perhaps too wide, in the last column it would scroll the screen.
    match width {
        0 => BLANK,
        _ if width > room || most > room => UNPRINTABLE,
        _ => Glyph { text, width, most, sure },
    }
}

/// Whether every terminal gives this letter the width that Unicode tables give it.
fn is_sure(letter: char) -> bool {
    matches!(u32::from(letter),
        0x20..=0x7e | 0xa1..=0xac | 0xae..=0x2ff | 0x370..=0x482 | 0x48a..=0x587 | 0x2010..=0x2027 | 0x2030..=0x205e | 0x20a0..=0x20bf
        | 0x2100..=0x22ff | 0x2500..=0x25fc | 0x25ff | 0x2800..=0x28ff | 0x3000..=0x3029 | 0x3041..=0x3096 | 0x30a0..=0x30ff
        | 0x3400..=0x4dbf | 0x4e00..=0x9fff | 0xac00..=0xd7a3 | 0xff01..=0xff60 | 0x1fb00..=0x1fb3b | 0x20000..=0x2fffd)
}

fn number(value: u16, out: &mut Vec<u8>) {
    if value >= 10 {
        number(value / 10, out);
    }
    out.push(b'0' + u8::try_from(value % 10).unwrap_or(0));
}

/// A control function; a parameter of one is the default and is left out at the end.
fn control(parameters: &[u16], last: u8, out: &mut Vec<u8>) {
    out.extend_from_slice(b"\x1b[");
    let used = parameters.iter().rposition(|value| *value != 1).map_or(0, |at| at + 1);
    for (at, value) in parameters[..used].iter().enumerate() {
        if at > 0 {
            out.push(b';');
        }
        if *value != 1 {
            number(*value, out);
        }
    }
    out.push(last);
}

fn motion(by: u16, last: u8) -> Vec<u8> {
    let mut out = Vec::with_capacity(6);
    control(&[by], last, &mut out);
    out
}

/// The shortest change from one style to another, from scratch where that is shorter.
fn transition(from: Pen, to: Pen) -> Vec<u8> {
    if from == to {
        return Vec::new();
    }
    let step = render(from, to, false);
    let scratch = render(PLAIN, to, true);
    if scratch.len() <= step.len() { scratch } else { step }
}

const OFF: [(Modifier, u16); 7] = [
    (Modifier::BOLD.union(Modifier::DIM), 22),
    (Modifier::ITALIC, 23),
    (Modifier::UNDERLINED, 24),
    (Modifier::SLOW_BLINK.union(Modifier::RAPID_BLINK), 25),
    (Modifier::REVERSED, 27),
    (Modifier::HIDDEN, 28),
    (Modifier::CROSSED_OUT, 29),
];
const ON: [(Modifier, u16); 9] = [
    (Modifier::BOLD, 1),
    (Modifier::DIM, 2),
    (Modifier::ITALIC, 3),
    (Modifier::UNDERLINED, 4),
    (Modifier::SLOW_BLINK, 5),
    (Modifier::RAPID_BLINK, 6),
    (Modifier::REVERSED, 7),
    (Modifier::HIDDEN, 8),
    (Modifier::CROSSED_OUT, 9),
];

fn render(from: Pen, to: Pen, reset: bool) -> Vec<u8> {
    // An empty first parameter is a zero: `ESC[;31m` resets and then colours.
    let mut codes: Vec<u8> = Vec::with_capacity(24);
    let mut push = |parameters: &[u16]| {
        for value in parameters {
            if !codes.is_empty() {
                codes.push(b';');
            }
            number(*value, &mut codes);
        }
    };
    let mut have = from.modifier;
    for (group, code) in OFF {
        if !have.intersection(group).difference(to.modifier).is_empty() {
            push(&[code]);
            have.remove(group);
        }
    }
    for (one, code) in ON {
        if to.modifier.contains(one) && !have.contains(one) {
            push(&[code]);
        }
    }
    if from.fg != to.fg {
        colour(to.fg, 30, &mut push);
    }
    if from.bg != to.bg {
        colour(to.bg, 40, &mut push);
    }
    let mut out = Vec::with_capacity(codes.len() + 4);
    if reset || !codes.is_empty() {
        out.extend_from_slice(b"\x1b[");
        if reset && !codes.is_empty() {
            out.push(b';');
        }
        out.extend_from_slice(&codes);
        out.push(b'm');
    }
    if from.underline != to.underline {
        underline(to.underline, &mut out);
    }
    out
}

/// `base` is 30 for the letter, 40 for the background.
fn colour(colour: Color, base: u16, push: &mut impl FnMut(&[u16])) {
    match named(colour) {
        Some(index @ 0..8) => push(&[base + u16::from(index)]),
        Some(index) => push(&[base + 60 + u16::from(index - 8)]),
        None => match colour {
            Color::Indexed(index) => push(&[base + 8, 5, index.into()]),
            Color::Rgb(red, green, blue) => push(&[base + 8, 2, red.into(), green.into(), blue.into()]),
            _ => push(&[base + 9]),
        },
    }
}

/// Underline colours are a sequence of their own, with colons: a terminal without them drops just this one.
fn underline(colour: Color, out: &mut Vec<u8>) {
    let (kind, values): (u8, Vec<u16>) = match (named(colour), colour) {
        (Some(index), _) | (None, Color::Indexed(index)) => (b'5', vec![index.into()]),
        (None, Color::Rgb(red, green, blue)) => (b'2', vec![red.into(), green.into(), blue.into()]),
        (None, _) => {
            out.extend_from_slice(b"\x1b[59m");
            return;
        }
    };
    out.extend_from_slice(b"\x1b[58:");
    out.push(kind);
    if kind == b'2' {
        out.push(b':');
    }
    for value in values {
        out.push(b':');
        number(value, out);
    }
    out.push(b'm');
}

fn named(colour: Color) -> Option<u8> {
    Some(match colour {
        Color::Black => 0,
        Color::Red => 1,
        Color::Green => 2,
        Color::Yellow => 3,
        Color::Blue => 4,
        Color::Magenta => 5,
        Color::Cyan => 6,
        Color::Gray => 7,
        Color::DarkGray => 8,
        Color::LightRed => 9,
        Color::LightGreen => 10,
        Color::LightYellow => 11,
        Color::LightBlue => 12,
        Color::LightMagenta => 13,
        Color::LightCyan => 14,
        Color::White => 15,
        Color::Reset | Color::Indexed(_) | Color::Rgb(..) => return None,
    })
}

#[cfg(test)]
mod tests;
