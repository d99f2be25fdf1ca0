//! Lists: which item is selected, which are in sight, and rows of columns.
//!
//! Hides that items have different heights and that only those in sight may be built. Where the selection is belongs to
//! the pane ([`ListState`]); how far the list is scrolled follows from it and from the area, so a frame that is skipped
//! changes nothing.
//!
//! Invariant: whatever the selection, the length and the area are, the selected item is in sight, and no more items are
//! built than twice the rows.

use std::collections::VecDeque;

use ratatui::buffer::Buffer;
use ratatui::layout::{Alignment, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::text::{fit_line, take};

/// The selection in a list of items that the pane knows by index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct ListState {
    selected: usize,
    offset: usize,
    follows: bool,
    is_at_end: bool,
}

/// What is in sight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sight {
    /// The first item.
    pub first: usize,
    /// How many, the last perhaps in part.
    pub count: usize,
}

impl ListState {
    /// A list that stays where its selection is.
    pub fn new() -> Self {
        Self::default()
    }

    /// A list that stays at its end while it grows, until the selection leaves the end.
    pub fn following() -> Self {
        Self { follows: true, is_at_end: true, ..Self::default() }
    }

    /// The selected item among so many; `None` if there are none.
    pub fn selected(&self, len: usize) -> Option<usize> {
        let last = len.checked_sub(1)?;
        Some(if self.is_at_end { last } else { self.selected.min(last) })
    }

    /// Whether it stays at its end.
    pub fn is_following(&self) -> bool {
        self.is_at_end
    }

    /// Selects an item.
    pub fn select(&mut self, item: usize, len: usize) {
        let last = len.saturating_sub(1);
        self.selected = item.min(last);
        self.is_at_end = self.follows && self.selected == last;
    }

    /// Moves the selection by so many items, up to the ends.
    pub fn move_by(&mut self, items: isize, len: usize) {
        if let Some(selected) = self.selected(len) {
            self.select(selected.saturating_add_signed(items), len);
        }
    }

    /// Moves by what is in sight, but for one item that stays for orientation.
    pub fn page(&mut self, pages: isize, sight: Sight, len: usize) {
        let items = isize::try_from(sight.count.saturating_sub(1).max(1)).unwrap_or(isize::MAX);
        self.move_by(pages.saturating_mul(items), len);
    }

    /// Selects the first item.
    pub fn first(&mut self, len: usize) {
        self.select(0, len);
    }

    /// Selects the last item, and stays at the end if it is a list that follows.
    pub fn last(&mut self, len: usize) {
        self.select(usize::MAX, len);
    }

    /// Keeps the scroll position that was last seen, so that the list moves only when the selection leaves it.
    pub fn scrolled_to(&mut self, sight: Sight) {
        self.offset = sight.first;
    }

    /// The place in the list as people read it: `12/340`.
    pub fn position(&self, len: usize) -> String {
        self.selected(len).map_or_else(String::new, |selected| format!("{}/{len}", selected + 1))
    }

    /// What would be in sight in so many rows; the height of an item is asked of no more than twice as many.
    pub fn sight(&self, len: usize, rows: u16, mut height: impl FnMut(usize) -> usize) -> Sight {
        let heights = self.gather(len, rows, |item| vec![(); height(item).max(1)]);
        Sight { first: heights.0, count: heights.1.len() }
    }

    /// Builds the items in sight: the first one's index and what was built.
    fn gather<T>(&self, len: usize, rows: u16, mut build: impl FnMut(usize) -> Vec<T>) -> (usize, VecDeque<Vec<T>>) {
        let rows = usize::from(rows);
        let Some(selected) = self.selected(len).filter(|_| rows > 0) else { return (0, VecDeque::new()) };
        let mut items = VecDeque::from([build(selected)]);
        let mut used = items[0].len().max(1);
        let mut first = selected;
        let wanted = self.offset.min(selected);
        // Upwards from the selection to where the list stood, as far as the selection stays in sight.
        while first > wanted && used < rows {
            let item = build(first - 1);
            if used + item.len().max(1) > rows {
                break;
            }
            used += item.len().max(1);
            items.push_front(item);
            first -= 1;
        }
        let mut next = selected + 1;
        while next < len && used < rows {
            let item = build(next);
            used += item.len().max(1);
            items.push_back(item);
            next += 1;
        }
        // Room at the end is filled from above.
        while first > 0 && used < rows {
            let item = build(first - 1);
            if used + item.len().max(1) > rows {
                break;
            }
            used += item.len().max(1);
            items.push_front(item);
            first -= 1;
        }
        (first, items)
    }

    /// Draws the items in sight, each as the lines that `item` makes of it for a width; the selected one in a style.
    pub fn draw<'a>(
        &self,
        len: usize,
        area: Rect,
        buf: &mut Buffer,
        selection: Style,
        mut item: impl FnMut(usize, u16) -> Vec<Line<'a>>,
    ) -> Sight {
        let area = area.intersection(buf.area);
        if area.is_empty() {
            return Sight { first: 0, count: 0 };
        }
        let (first, items) = self.gather(len, area.height, |index| item(index, area.width));
        let count = items.len();
        let selected = self.selected(len);
        let mut y = area.y;
        for (index, lines) in (first..).zip(items) {
            for line in lines.into_iter().take(usize::from(area.bottom() - y)) {
                buf.set_line(area.x, y, &fit_line(line, area.width.into()), area.width);
                if Some(index) == selected {
                    buf.set_style(Rect { y, height: 1, ..area }, selection);
                }
                y += 1;
            }
        }
        Sight { first, count }
    }
}

/// A column of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its columns on the screen; of one that grows the least.
    pub width: u16,
    /// Takes what is left over (shared, if several do).
    pub grows: bool,
    /// Where there is no room, the columns with the highest number go first; 0 stays.
    pub priority: u8,
    /// On which side its text stands.
    pub align: Alignment,
}

impl Column {
    /// A column of words.
    pub fn left(width: u16, priority: u8) -> Self {
        Self { width, grows: false, priority, align: Alignment::Left }
    }

    /// A column of numbers.
    pub fn right(width: u16, priority: u8) -> Self {
        Self { width, grows: false, priority, align: Alignment::Right }
    }

    /// A column of words that takes what is left over.
    pub fn growing(least: u16, priority: u8) -> Self {
        Self { width: least, grows: true, priority, align: Alignment::Left }
    }
}

/// How wide the columns of a table are in a width, two blanks apart; made once a table, used for every row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns {
    columns: Vec<(Alignment, Option<u16>)>,
}

const GAP: u16 = 2;

impl Columns {
    /// Fits columns into a width: the least important go until the rest has room.
    pub fn fit(columns: &[Column], width: u16) -> Self {
        let mut widths: Vec<Option<u16>> = columns.iter().map(|column| Some(column.width)).collect();
        let needed = |widths: &[Option<u16>]| {
            let shown = widths.iter().flatten();
            shown.clone().map(|width| u32::from(*width)).sum::<u32>()
                + u32::from(GAP) * shown.count().saturating_sub(1) as u32
        };
        loop {
            let over = needed(&widths).saturating_sub(u32::from(width));
            let shown = widths.iter().enumerate().filter_map(|(place, width)| Some((place, (*width)?)));
            let least = shown.max_by_key(|(place, _)| (columns[*place].priority, *place));
            let Some((place, shown)) = least.filter(|_| over > 0) else { break };
            // What must stay is cut, from the right, and goes only when nothing is left of it.
            let is_cut = columns[place].priority == 0 && u32::from(shown) > over;
            widths[place] = is_cut.then(|| shown - over as u16);
        }
        let mut left = u32::from(width).saturating_sub(needed(&widths));
        let growing: Vec<usize> =
            (0..columns.len()).filter(|place| columns[*place].grows && widths[*place].is_some()).collect();
        for (done, place) in growing.iter().enumerate() {
            let share = left / (growing.len() - done) as u32;
            widths[*place] = widths[*place].map(|width| width.saturating_add(share as u16));
            left -= share;
        }
        Self { columns: columns.iter().map(|column| column.align).zip(widths).collect() }
    }

    /// The width of a column; `None` if it had to go.
    pub fn width(&self, place: usize) -> Option<u16> {
        self.columns.get(place)?.1
    }

    /// One row: a cell for each column, also for those that had to go.
    pub fn row<'a>(&self, cells: impl IntoIterator<Item = impl Into<Line<'a>>>) -> Line<'a> {
        let mut row: Vec<Span<'a>> = Vec::new();
        let mut is_first = true;
        for ((align, width), cell) in self.columns.iter().zip(cells) {
            let Some(width) = width.map(usize::from) else { continue };
            if !is_first {
                row.push(Span::raw("  "));
            }
            is_first = false;
            let cell: Line<'a> = fit_line(cell.into(), width);
            let style = cell.style;
            let blank = take(BLANKS, width - cell.width().min(width));
            let spans = cell.spans.into_iter().map(|span| Span { style: style.patch(span.style), ..span });
            if *align == Alignment::Right {
                row.push(Span::raw(blank));
                row.extend(spans);
            } else {
                row.extend(spans);
                row.push(Span::raw(blank));
            }
        }
        row.retain(|span| !span.content.is_empty());
        Line::from(row)
    }
}

const BLANKS: &str = match std::str::from_utf8(&[b' '; 1024]) {
    Ok(blanks) => blanks,
    Err(_) => "",
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::widget::tests::{any_area, drawn, stays_inside};
    use proptest::prelude::*;
    use ratatui::style::Modifier;

    /// Items of one line, but every third has two.
    fn item(index: usize) -> Vec<Line<'static>> {
        let mut lines = vec![Line::from(format!("item {index}"))];
        if index % 3 == 2 {
            lines.push(Line::from("  more"));
        }
        lines
    }

    fn shown(state: &ListState, len: usize, rows: u16) -> Vec<String> {
        drawn(8, rows, |area, buf| {
            state.draw(len, area, buf, Style::new(), |index, _| item(index));
        })
    }

    #[test]
    fn the_selection_stays_in_sight_and_the_list_moves_only_when_it_must() {
        let mut state = ListState::new();
        assert_eq!(shown(&state, 10, 4), ["item 0", "item 1", "item 2", "  more"]);
        let mut seen = |items| {
            state.move_by(items, 10);
            let sight = state.sight(10, 4, |index| item(index).len());
            state.scrolled_to(sight);
            (state.selected(10), sight.first, shown(&state, 10, 4))
        };
        assert_eq!(seen(3).2, ["item 1", "item 2", "  more", "item 3"]);
        assert_eq!((seen(-2).1, seen(-1).1), (1, 0), "back inside nothing moves");
        assert_eq!(seen(100), (Some(9), 7, ["item 7", "item 8", "  more", "item 9"].map(str::to_owned).to_vec()));
        assert_eq!(seen(-1).1, 7);
    }

    #[test]
    fn a_timeline_stays_at_its_end_until_somebody_looks_back() {
        let mut state = ListState::following();
        assert_eq!((state.selected(5), state.selected(6), state.selected(0)), (Some(4), Some(5), None));
        state.move_by(-2, 6);
        assert_eq!((state.selected(6), state.selected(7), state.is_following()), (Some(3), Some(3), false));
        state.last(7);
        assert_eq!((state.selected(8), state.position(340)), (Some(7), "340/340".to_owned()));
        let mut other = ListState::new();
        other.last(7);
        assert_eq!((other.selected(8), other.selected(2)), (Some(6), Some(1)), "an ordinary list stays, or shrinks");
    }

    #[test]
    fn a_page_keeps_one_item_for_orientation() {
        let mut state = ListState::new();
        let sight = state.sight(100, 10, |_| 1);
        state.page(1, sight, 100);
        assert_eq!(state.selected(100), Some(9));
        state.page(-3, sight, 100);
        assert_eq!(state.selected(100), Some(0));
    }

    #[test]
    fn the_whole_selected_row_is_marked_and_only_what_is_in_sight_is_built() {
        let area = Rect::new(0, 0, 12, 3);
        let mut buf = Buffer::empty(area);
        let mut state = ListState::new();
        state.select(4_000, 10_000);
        let mut built = 0;
        let reversed = Style::new().add_modifier(Modifier::REVERSED);
        let sight = state.draw(10_000, area, &mut buf, reversed, |index, _| {
            built += 1;
            vec![Line::from(format!("item {index}"))]
        });
        assert_eq!((sight, built), (Sight { first: 3_998, count: 3 }, 3));
        assert!(
            (0..12).all(|x| buf[(x, 2)].modifier == Modifier::REVERSED && buf[(x, 1)].modifier == Modifier::empty())
        );
    }

    #[test]
    fn a_narrow_table_loses_its_least_important_columns() {
        let table = [Column::right(5, 0), Column::growing(8, 0), Column::left(6, 2), Column::right(5, 1)];
        let row = |width| Columns::fit(&table, width).row(["1,204", "POST /pay", "504", "2.1 s"]).to_string();
        assert_eq!(row(40), "1,204  POST /pay           504     2.1 s");
        assert_eq!(row(24), "1,204  POST /pay   2.1 s");
        assert_eq!(row(22), "1,204  POST /p…  2.1 s", "cut where it must be");
        assert_eq!(row(15), "1,204  POST /p…");
        assert_eq!(row(10), "1,204  PO…");
        assert_eq!(row(0), "");
    }

    proptest! {
        #[test]
        fn any_list_stays_inside_its_area_and_shows_its_selection(
            area in any_area(), len in 0usize..60, selected in any::<usize>(), offset in any::<usize>(), heights in 0usize..5,
        ) {
            let mut state = ListState::new();
            state.select(selected, len);
            state.scrolled_to(Sight { first: offset, count: 0 });
            let mut sight = Sight { first: 0, count: 0 };
            stays_inside(area, |area, buf| {
                sight = state.draw(len, area, buf, Style::new(), |index, _| vec![Line::from("支付 item"); (index * heights) % 4]);
            });
            if let Some(selected) = state.selected(len).filter(|_| sight.count > 0) {
                prop_assert!((sight.first..sight.first + sight.count).contains(&selected));
            }
        }

        #[test]
        fn any_columns_fit_into_any_width(
            specs in proptest::collection::vec((0u16..200, any::<bool>(), 0u8..4, any::<bool>()), 0..8), width in any::<u16>(), text in "\\PC{0,20}",
        ) {
            let specs: Vec<Column> = specs.into_iter()
                .map(|(width, grows, priority, is_right)| Column { width, grows, priority, align: if is_right { Alignment::Right } else { Alignment::Left } })
                .collect();
            let columns = Columns::fit(&specs, width);
            let row = columns.row(specs.iter().map(|_| text.as_str()));
            prop_assert!(row.width() <= usize::from(width));
        }
    }
}
