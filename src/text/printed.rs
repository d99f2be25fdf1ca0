//! What a terminal would show of what a program printed: progress meters in their last state, words that were written
//! over others.
//!
//! Hides the few moves that programs print into pipes too, on a sheet without a right edge:
//!
//! - CR and backspace move back, and what is printed then replaces what stands there: the last state of a meter, and
//!   the letters of man pages (`x BS x`, `_ BS x`), stay.
//! - CSI `K` and `J` erase, `C`, `D` and `G` move within a line; `A`, `B`, `E` and `F` go up and down by at most
//!   [`HEIGHT`] lines, where meters of several lines (docker, terraform) write over themselves.
//! - CSI `H` and `f`, and `J` for the whole screen, take nothing away: what follows begins a line of its own at the
//!   end.
//!
//! Of a line that was written over, blanks at its end go; every other line stays letter by letter.
//!
//! Invariant: a text without CR, backspace and sequences is given back as it is; what is kept of a stream is bounded.

use std::collections::VecDeque;

use unicode_width::UnicodeWidthChar;

use super::sequence::{self, Part};

/// So many lines from the last one a meter of several lines reaches up.
pub const HEIGHT: usize = 64;
/// A move to the right ends here, in columns, unless the line is longer.
const EDGE: usize = 400;
/// A tab goes on to the next multiple of this.
const TAB: usize = 8;

/// What a terminal shows of a whole text.
pub fn printed(text: &str) -> String {
    if !text.contains(|letter: char| letter.is_control() && !matches!(letter, '\n' | '\t')) {
        return text.to_owned();
    }
    let mut sheet = Sheet::new(usize::MAX);
    sheet.take(text);
    sheet.text()
}

/// What is new on a sheet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct News {
    /// So many of the last lines that were told are replaced, with the one that has not ended; none where the text only
    /// goes on.
    pub replaced: usize,
    /// The text that takes their place, or follows.
    pub text: String,
}

/// A sheet on which a program prints.
#[derive(Clone, Debug)]
pub struct Sheet {
    rows: VecDeque<Row>,
    /// The row that is written to.
    row: usize,
    /// The column before which the next letter goes; absent behind the last one.
    column: Option<usize>,
    /// A row of more bytes goes on in the next one.
    widest: usize,
    /// Each row begins with a time, which nothing is written over.
    is_stamped: bool,
    /// The next words begin a line.
    is_beginning: bool,
    /// How many rows were told, with the last, and what the last was then.
    told: usize,
    told_last: String,
    /// The first row that is other than it was told.
    changed: Option<usize>,
}

#[derive(Clone, Debug, Default)]
struct Row {
    text: String,
    /// The same by columns, once the cursor went back into it.
    cells: Option<Vec<Cell>>,
    /// Something in it was written over.
    is_edited: bool,
    /// It goes on with the row before, which was too wide.
    goes_on: bool,
}

/// A column of a row.
#[derive(Clone, Debug, PartialEq)]
enum Cell {
    /// What begins in it.
    Letter(String),
    /// A column more of what begins before it.
    Rest,
}

impl Sheet {
    /// An empty sheet of such a width, in bytes of a row.
    pub fn new(widest: usize) -> Self {
        Self {
            rows: VecDeque::from([Row::default()]),
            row: 0,
            column: None,
            widest,
            is_stamped: false,
            is_beginning: true,
            told: 1,
            told_last: String::new(),
            changed: None,
        }
    }

    /// The same for lines that begin with their time, `14:10:00Z `.
    pub fn stamped(widest: usize) -> Self {
        Self { is_stamped: true, ..Self::new(widest) }
    }

    /// Takes in what was printed; a sequence must not be cut in two.
    pub fn take(&mut self, text: &str) {
        sequence::parts(text, |part| match part {
            Part::Words(words) => {
                if std::mem::take(&mut self.is_beginning) && self.is_stamped && stamp(words) > 0 {
                    // The time of the line takes the place of an earlier one.
                    self.column = Some(0).filter(|_| !self.rows[self.row].is_empty());
                }
                self.write(words);
            }
            Part::Control('\n') => {
                self.break_line(false);
                self.is_beginning = true;
            }
            Part::Control('\r') => self.column = Some(self.margin()),
            Part::Control('\u{8}') => self.column = Some(self.here().saturating_sub(1).max(self.margin())),
            Part::Control('\t') => self.tab(),
            Part::Control(_) => {}
            Part::Csi(numbers, last) => self.obey(numbers, last),
        });
    }

    /// How much of what goes on can be taken in now, in bytes: neither a sequence nor a line's time is cut in two.
    pub fn takes(&self, text: &str) -> usize {
        let line = text.rfind('\n').map(|at| at + 1).or(self.is_beginning.then_some(0));
        match line.filter(|line| self.is_stamped && text.len() - line < STAMP) {
            Some(line) => line,
            None => sequence::open_end(text),
        }
    }

    /// The whole text.
    pub fn text(&self) -> String {
        self.lines(0)
    }

    /// What is new since the last time; nothing where all was told. What no meter reaches any more is forgotten with
    /// it.
    pub fn news(&mut self) -> Option<News> {
        let from = self.changed.take()?;
        let text = self.lines(from);
        let last = self.rows.back().map(Row::text).unwrap_or_default();
        let begun = std::mem::replace(&mut self.told_last, last);
        let replaced = self.told.saturating_sub(from);
        let news = match text.strip_prefix(&begun) {
            Some(more) if replaced == 1 => News { replaced: 0, text: more.to_owned() },
            Some(_) | None => News { replaced, text },
        };
        self.forget();
        self.told = self.rows.len();
        (news.replaced > 0 || !news.text.is_empty()).then_some(news)
    }

    /// The last lines, at most so many that have ended and the one that has not; a line is whole, however many rows it
    /// takes.
    pub fn last(&self, most: usize) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        for row in &self.rows {
            match lines.last_mut().filter(|_| row.goes_on) {
                Some(line) => line.push_str(&row.text()),
                None => lines.push(row.text()),
            }
        }
        let behind = lines.len().saturating_sub(1);
        lines[..behind].iter_mut().for_each(|line| line.push('\n'));
        lines.split_off(behind.saturating_sub(most))
    }

    /// Forgets the rows that no move reaches, where nobody is told of them.
    pub fn forget(&mut self) {
        while self.rows.len() > HEIGHT && self.row > 0 {
            self.rows.pop_front();
            self.row -= 1;
        }
    }

    fn lines(&self, from: usize) -> String {
        let mut out = String::new();
        for (place, row) in self.rows.iter().enumerate().skip(from) {
            // What is told of a stream breaks where it is broken; a whole text has no width.
            if place > from {
                out.push('\n');
            }
            match &row.cells {
                None => out.push_str(&row.text),
                Some(_) => out.push_str(&row.text()),
            }
        }
        out
    }

    fn mark(&mut self) {
        self.changed = Some(self.changed.map_or(self.row, |first| first.min(self.row)));
    }

    fn edit(&mut self) {
        self.mark();
        self.rows[self.row].is_edited = true;
    }

    /// The first column that can be written to.
    fn margin(&self) -> usize {
        let Some(row) = self.rows.get(self.row).filter(|_| self.is_stamped) else { return 0 };
        match &row.cells {
            None => stamp(&row.text),
            Some(cells) => stamp(&cells.iter().take(STAMP).map(Cell::as_str).collect::<String>()),
        }
    }

    /// The columns of the row, which are there from now on.
    fn cells(&mut self) -> &mut Vec<Cell> {
        let row = &mut self.rows[self.row];
        row.cells.get_or_insert_with(|| {
            let mut cells = Vec::with_capacity(row.text.len());
            for letter in std::mem::take(&mut row.text).chars() {
                let at = cells.len();
                put(&mut cells, at, letter);
            }
            cells
        })
    }

    /// The column that is written to next.
    fn here(&mut self) -> usize {
        match self.column {
            Some(column) => column,
            None => self.cells().len(),
        }
    }

    fn write(&mut self, words: &str) {
        if self.column.is_none() && self.rows[self.row].cells.is_none() {
            return self.append(words);
        }
        self.edit();
        let mut column = self.here();
        for letter in words.chars() {
            if column >= self.widest {
                self.break_line(true);
                self.edit();
                column = 0;
            }
            column = put(self.cells(), column, letter);
        }
        self.column = Some(column);
    }

    /// Writes behind the end of a row in which nothing was written over.
    fn append(&mut self, mut words: &str) {
        while !words.is_empty() {
            let room = self.widest.saturating_sub(self.rows[self.row].text.len());
            let fits = words.floor_char_boundary(room.min(words.len()));
            self.mark();
            self.rows[self.row].text.push_str(&words[..fits]);
            words = &words[fits..];
            if !words.is_empty() {
                self.break_line(true);
            }
        }
    }

    fn tab(&mut self) {
        if self.column.is_none() && self.rows[self.row].cells.is_none() {
            return self.append("\t");
        }
        let (column, length) = (self.here(), self.cells().len());
        if column < length {
            self.column = Some(((column / TAB + 1) * TAB).min(length));
            return;
        }
        self.edit();
        self.column = Some(put(self.cells(), column, '\t'));
    }

    fn break_line(&mut self, goes_on: bool) {
        self.mark();
        self.row += 1;
        if self.row == self.rows.len() {
            self.rows.push_back(Row { goes_on, ..Row::default() });
            self.column = None;
            self.mark();
        } else {
            self.column = Some(self.margin());
        }
    }

    /// Does what a control sequence says; what is not about the place or erasing is for the eye only.
    fn obey(&mut self, numbers: &str, last: char) {
        let number = |default: usize| match numbers.split(';').next().unwrap_or_default() {
            "" => Some(default),
            digits => digits.parse::<usize>().ok(),
        };
        // A private one (`CSI ? K`) does something else.
        let Some(count) = number(1) else { return };
        let steps = count.max(1);
        match last {
            'A' | 'F' => {
                let highest = self.rows.len().saturating_sub(HEIGHT);
                self.go_to(self.row.saturating_sub(steps).max(highest.min(self.row)), last == 'F');
            }
            'B' | 'E' => self.go_to((self.row + steps).min(self.rows.len() - 1), last == 'E'),
            'C' => {
                let here = self.here();
                self.move_to(here.saturating_add(steps));
            }
            'D' => {
                let here = self.here();
                self.move_to(here.saturating_sub(steps));
            }
            'G' => self.move_to((steps - 1).saturating_add(self.margin())),
            'H' | 'f' => self.begin_anew(),
            'K' => self.erase_line(number(0).unwrap_or(0)),
            'J' => match number(0) {
                Some(0) => self.erase_below(),
                Some(_) | None => self.begin_anew(),
            },
            _ => {}
        }
    }

    fn go_to(&mut self, row: usize, is_at_start: bool) {
        let column = self.here();
        self.row = row;
        let margin = self.margin();
        self.column = Some(if is_at_start { margin } else { column.max(margin) });
    }

    fn move_to(&mut self, column: usize) {
        let edge = self.cells().len().max(EDGE);
        self.column = Some(column.clamp(self.margin(), edge));
    }

    fn begin_anew(&mut self) {
        self.row = self.rows.len() - 1;
        self.column = None;
        if !self.rows[self.row].is_empty() {
            self.break_line(false);
        }
    }

    fn erase_line(&mut self, which: usize) {
        // Behind the last letter there is nothing to erase.
        if which == 0 && self.column.is_none() {
            return;
        }
        self.edit();
        let (here, margin) = (self.here(), self.margin());
        let cells = self.cells();
        match which {
            0 => {
                clear(cells, here, here + 1);
                cells.truncate(here);
            }
            1 => clear(cells, margin, here + 1),
            _ => cells.truncate(margin),
        }
        self.column = Some(here);
    }

    fn erase_below(&mut self) {
        self.erase_line(0);
        if self.row + 1 < self.rows.len() {
            self.mark();
            self.rows.truncate(self.row + 1);
        }
    }
}

impl Row {
    fn is_empty(&self) -> bool {
        self.cells.as_ref().map_or(self.text.is_empty(), |_| self.text().is_empty())
    }

    fn text(&self) -> String {
        let Some(cells) = &self.cells else { return self.text.clone() };
        let text: String = cells.iter().map(Cell::as_str).collect();
        if self.is_edited { text.trim_end_matches(' ').to_owned() } else { text }
    }
}

impl Cell {
    fn as_str(&self) -> &str {
        match self {
            Self::Letter(letters) => letters,
            Self::Rest => "",
        }
    }

    fn blank() -> Self {
        Self::Letter(" ".to_owned())
    }
}

/// The length of a time before a line, `14:10:00Z `.
const STAMP: usize = 10;

/// The length of the time with which a text begins; none where it begins with something else.
fn stamp(text: &str) -> usize {
    let fits = |(at, byte): (usize, &u8)| match at {
        2 | 5 => *byte == b':',
        8 => *byte == b'Z',
        9 => *byte == b' ',
        _ => byte.is_ascii_digit(),
    };
    let is_one = text.as_bytes().get(..STAMP).is_some_and(|first| first.iter().enumerate().all(fits));
    if is_one { STAMP } else { 0 }
}

/// Puts a letter into a column; gives the next one. What takes no column belongs to the letter before.
fn put(cells: &mut Vec<Cell>, column: usize, letter: char) -> usize {
    let width = match letter {
        '\t' => TAB - column % TAB,
        letter => letter.width().unwrap_or(0),
    };
    if width == 0 {
        let before = cells[..column.min(cells.len())].iter().rposition(|cell| *cell != Cell::Rest);
        match before {
            Some(at) => {
                if let Cell::Letter(letters) = &mut cells[at] {
                    letters.push(letter);
                }
                return column;
            }
            // At the start of a row there is none: it takes a column, as nothing else keeps it.
            None => {
                clear(cells, column, column + 1);
                cells[column] = Cell::Letter(letter.to_string());
                return column + 1;
            }
        }
    }
    clear(cells, column, column + width);
    cells[column] = Cell::Letter(letter.to_string());
    cells[column + 1..column + width].fill(Cell::Rest);
    column + width
}

/// Makes columns blank, with the whole of what is only partly in them.
fn clear(cells: &mut Vec<Cell>, from: usize, to: usize) {
    if cells.len() < to {
        cells.resize(to, Cell::blank());
    }
    let begin = (0..=from).rev().find(|at| cells[*at] != Cell::Rest).unwrap_or(from);
    let end = (to..cells.len()).find(|at| cells[*at] != Cell::Rest).unwrap_or(cells.len());
    cells[begin..end].fill(Cell::blank());
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_meter_keeps_its_last_state_and_man_pages_their_letters() {
        for (given, shown) in [
            ("Apply\n\r10%\r50%\r100%\n", "Apply\n100%\n"),
            ("one\r\ntwo\r\n", "one\ntwo\n"),
            ("working |\rworking /\rworking -\rdone      \n", "done\n"),
            ("[    ] start the pool\r[ OK ]\n", "[ OK ] start the pool\n"),
            ("long line\r\u{1b}[Kshort", "short"),
            ("\u{1b}[2K\r10%\u{1b}[2K\r9%", "9%"),
            ("abc\u{1b}[1Gx\u{1b}[2Cy", "xbcy"),
            ("N\u{8}NA\u{8}AM\u{8}ME\u{8}E _\u{8}f_\u{8}i_\u{8}l_\u{8}e", "NAME file"),
            ("漢\u{8}\u{8}x", "x"),
            ("کارت ۱\rکارت ۲", "کارت ۲"),
            ("a\tb\rxyz", "xyz     b"),
            ("e\u{301}x\ry", "yx"),
            ("no end", "no end"),
            ("kept  \nblanks\t\n", "kept  \nblanks\t\n"),
        ] {
            assert_eq!(printed(given), shown, "{given:?}");
        }
    }

    #[test]
    fn meters_of_several_lines_write_over_themselves_and_a_cleared_screen_takes_nothing() {
        let pulls = "a: 10%\nb: 20%\n\u{1b}[2A\u{1b}[Ka: 50%\n\u{1b}[Kb: 60%\n\u{1b}[2A\r\u{1b}[2Ka: done\u{1b}[1B\r\u{1b}[2Kb: done\u{1b}[1B\rall\n";
        assert_eq!(printed(pulls), "a: done\nb: done\nall\n");
        assert_eq!(printed("first\nsecond\n\u{1b}[H\u{1b}[2Jthird\n"), "first\nsecond\nthird\n");
        assert_eq!(printed("one\ntwo\nthree\u{1b}[2A\r\u{1b}[J1"), "1");
        let many: String = (0..500).map(|line| format!("{line}\n")).collect();
        let shown = printed(&format!("{many}\u{1b}[999Ax\n"));
        assert!(shown.starts_with("0\n1\n") && shown.contains("\nx37\n"), "{shown}");
    }

    #[test]
    fn what_is_told_piece_by_piece_is_the_sheet() {
        let text = "10:00:00Z start\n10:00:01Z \r10%\r50%\u{1b}[K\rdone\n10:00:02Z a\n10:00:02Z b\n10:00:03Z \u{1b}[2A\r\u{1b}[KA\n10:00:03Z \u{1b}[KB\n10:00:04Z end";
        for size in 1..40 {
            let mut sheet = Sheet::stamped(1_900);
            let mut lines = vec![String::new()];
            let mut rest = text;
            while !rest.is_empty() {
                let ends = (size..rest.len()).find(|end| rest.is_char_boundary(*end) && sheet.takes(&rest[..*end]) > 0);
                let end = ends.map_or(rest.len(), |end| sheet.takes(&rest[..end]));
                sheet.take(&rest[..end]);
                rest = &rest[end..];
                let Some(news) = sheet.news() else { continue };
                let keep = lines.len() - news.replaced;
                lines.truncate(keep);
                let mut new = news.text.split('\n').map(str::to_owned);
                if news.replaced == 0 {
                    lines.last_mut().unwrap().push_str(&new.next().unwrap());
                }
                lines.extend(new);
            }
            let shown = "10:00:00Z start\n10:00:01Z done\n10:00:02Z A\n10:00:03Z B\n10:00:04Z end";
            assert_eq!(lines.join("\n"), shown, "in pieces of {size}");
        }
    }

    proptest! {
        #[test]
        fn a_text_that_moves_nowhere_stays_as_it_is(text in "[^\\p{Cc}]*(\n[^\\p{Cc}]*|\t)*") {
            prop_assert_eq!(printed(&text), text.clone());
            let mut sheet = Sheet::new(usize::MAX);
            sheet.take(&text);
            prop_assert_eq!(sheet.text(), text);
        }

        #[test]
        fn whatever_is_printed_is_bounded_and_told(
            pieces in proptest::collection::vec("[a-c漢é \r\n\t\u{8}]{0,6}|\u{1b}\\[[0-9]{0,3}[ABCDEFGHJK]", 0..60)
        ) {
            let mut sheet = Sheet::new(20);
            let mut lines = vec![String::new()];
            for piece in &pieces {
                sheet.take(piece);
                let Some(news) = sheet.news() else { continue };
                prop_assert!(news.replaced <= lines.len());
                lines.truncate(lines.len() - news.replaced);
                let mut new = news.text.split('\n').map(str::to_owned);
                if news.replaced == 0 && let Some(last) = lines.last_mut() {
                    last.push_str(&new.next().unwrap());
                }
                lines.extend(new);
            }
            let shown = lines.join("\n");
            prop_assert!(shown.ends_with(&sheet.text()), "{shown:?} and {:?}", sheet.text());
            prop_assert_eq!(printed(&printed(&pieces.concat())), printed(&pieces.concat()));
        }
    }
}
