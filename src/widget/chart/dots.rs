//! The dots of a chart's lines: two by four in a cell of Braille, one by three in a cell of ASCII.
//!
//! Invariant: a cell belongs to the line that was traced into it last.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::scale::Scale;

/// What a half cell of Braille adds to U+2800, by its four dots from the top (bit 0 is the topmost).
const LEFT: [u8; 16] = halves([0x01, 0x02, 0x04, 0x40]);
const RIGHT: [u8; 16] = halves([0x08, 0x10, 0x20, 0x80]);
/// What three dots above each other look like in ASCII.
const ASCII: [&str; 8] = [" ", "'", "-", "'", ".", "|", ".", "|"];

const fn halves(dots: [u8; 4]) -> [u8; 16] {
    let mut table = [0; 16];
    let mut set = 0;
    while set < 16 {
        let mut dot = 0;
        while dot < 4 {
            if set >> dot & 1 == 1 {
                table[set] |= dots[dot];
            }
            dot += 1;
        }
        set += 1;
    }
    table
}

/// The dots of a plot.
pub(super) struct Dots {
    /// Rows of cells.
    rows: usize,
    /// Dots in a column of a cell.
    per_cell: i32,
    /// Dots in a column of the plot.
    height: i32,
    is_braille: bool,
    /// Of each cell the dots (the left half cell in the low four bits) and the line that drew there last; column after
    /// column, because lines that jump fill columns.
    cells: Vec<(u8, u16)>,
}

impl Dots {
    pub(super) fn new(plot: Rect, is_braille: bool) -> Self {
        let per_cell = if is_braille { 4 } else { 3 };
        let rows = usize::from(plot.height);
        let height = i32::from(plot.height) * per_cell;
        Self { rows, per_cell, height, is_braille, cells: vec![(0, 0); usize::from(plot.width) * rows] }
    }

    /// Draws a line through its values, each at its half cell; what is not finite ends it.
    pub(super) fn trace(&mut self, line: usize, values: &[Option<f64>], spots: &[u16], scale: &Scale) {
        if self.cells.is_empty() {
            return;
        }
        let owner = u16::try_from(line).unwrap_or(u16::MAX);
        let most = self.height - 1;
        let mut before: Option<(i32, i32)> = None;
        for (value, spot) in values.iter().zip(spots) {
            let Some(value) = value.filter(|value| value.is_finite()) else {
                before = None;
                continue;
            };
            let x = if self.is_braille { i32::from(*spot) } else { i32::from(spot / 2) };
            let y = most - scale.dot(value, most);
            match before {
                None => self.fill(owner, x, y, y),
                Some((last_x, last_y)) if last_x == x => self.fill(owner, x, last_y, y),
                // The usual case, without the division.
                Some((last_x, last_y)) if last_x + 1 == x => self.join(owner, x, last_y, y),
                Some((last_x, last_y)) => {
                    let mut from = last_y;
                    for between in last_x + 1..=x {
                        let to = last_y + (y - last_y) * (between - last_x) / (x - last_x);
                        self.join(owner, between, from, to);
                        from = to;
                    }
                }
            }
            before = Some((x, y));
        }
    }

    /// Continues a line from the column before: each of the two takes half of the way.
    fn join(&mut self, owner: u16, x: i32, from: i32, to: i32) {
        let middle = (from + to) / 2;
        if middle == from || middle == to {
            self.fill(owner, x, to, to);
        } else {
            self.fill(owner, x - 1, from, middle);
            self.fill(owner, x, middle + (to - from).signum(), to);
        }
    }

    fn fill(&mut self, owner: u16, x: i32, from: i32, to: i32) {
        let (top, bottom) = if from < to { (from, to) } else { (to, from) };
        let (column, shift) = if self.is_braille { (x / 2, (x % 2) * 4) } else { (x, 0) };
        let (first, last) = (top / self.per_cell, bottom / self.per_cell);
        // All dots from one on downwards, all dots down to one.
        let from_top = (1 << self.per_cell) - (1 << (top - first * self.per_cell));
        let to_bottom = (2 << (bottom - last * self.per_cell)) - 1;
        let start = column as usize * self.rows;
        let cells = &mut self.cells[start + first as usize..=start + last as usize];
        let draw = |cell: &mut (u8, u16), dots: i32| *cell = (cell.0 | ((dots << shift) as u8), owner);
        match cells {
            [only] => draw(only, from_top & to_bottom),
            [first, between @ .., last] => {
                draw(first, from_top);
                between.iter_mut().for_each(|cell| draw(cell, (1 << self.per_cell) - 1));
                draw(last, to_bottom);
            }
            [] => {}
        }
    }

    /// Draws the cells that have dots; the others stay what they are.
    pub(super) fn draw(&self, plot: Rect, buf: &mut Buffer, style: impl Fn(usize) -> Style) {
        let mut known: Option<(u16, Style)> = None;
        for (position, (dots, owner)) in plot.columns().flat_map(Rect::positions).zip(&self.cells) {
            if *dots == 0 {
                continue;
            }
            let style = match known {
                Some((line, style)) if line == *owner => style,
                _ => style(usize::from(*owner)),
            };
            known = Some((*owner, style));
            let cell = &mut buf[position];
            cell.reset();
            if self.is_braille {
                let braille = 0x2800 + u32::from(LEFT[usize::from(dots & 15)] | RIGHT[usize::from(dots >> 4)]);
                cell.set_char(char::from_u32(braille).expect("256 characters follow U+2800"));
            } else {
                cell.set_symbol(ASCII[usize::from(dots & 7)]);
            }
            cell.set_style(style);
        }
    }
}
