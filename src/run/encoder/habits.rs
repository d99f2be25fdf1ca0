//! What a terminal is known to do with letters, beside what all terminals do; and a row as such a terminal needs it.
//!
//! Hides that some terminals turn right-to-left text around, each row as a whole: two words of Persian with a border
//! between them would change places with it. Where a terminal honours isolates, each text of a row is one. Hides, too,
//! that some draw in two columns what has one elsewhere (letters of ambiguous width, by
//! [UAX #11](https://www.unicode.org/reports/tr11/)): there they are drawn in ASCII.
//!
//! Invariant: a row has as many cells as before, each of the same width; a letter that is unambiguous is never changed.

use ratatui::buffer::Cell;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::text::folded_cased;
use crate::theme::ascii_of;

/// Begins a text of its own, whose first letter says in which direction it runs.
const ISOLATE: char = '\u{2068}';
/// Ends it.
const END: char = '\u{2069}';
/// A mark without width: what stands before it and what stands behind it do not join.
const APART: char = '\u{200e}';
/// The first version of VTE that turns text around (0.58), as its variable says it.
const VTE_TURNS: u32 = 5800;

/// What is known of a terminal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Habits {
    /// It turns right-to-left text around, and honours isolates.
    pub isolates: bool,
    /// It draws in two columns what is of ambiguous width.
    pub draws_wide: bool,
}

impl Habits {
    /// Asks where the cursor is behind two letters of ambiguous width in the second row: a report of the first row
    /// would be a key (F3 with Shift).
    pub const ASK: &[u8] = "\x1b[2;1H─é\x1b[6n".as_bytes();

    /// What the parameters of a cursor report say to [`Habits::ASK`]: whether one of the letters took two columns.
    pub(in crate::run) fn of_answer(parameters: &[u8]) -> Option<bool> {
        let column: u16 = std::str::from_utf8(parameters).ok()?.strip_prefix("2;")?.parse().ok()?;
        (3..=5).contains(&column).then_some(column > 3)
    }

    /// What the environment tells: VTE (GNOME Terminal, Tilix, Terminator …) says which one it is. A multiplexer draws
    /// rows of its own and hands the variable on all the same.
    pub fn of_environment(variable: impl Fn(&str) -> Option<String>) -> Self {
        let is_set = |name: &str| variable(name).is_some_and(|value| !value.is_empty());
        let term = variable("TERM").unwrap_or_default();
        let is_inside = is_set("TMUX") || is_set("STY") || term.starts_with("tmux") || term.starts_with("screen");
        let version = variable("VTE_VERSION").and_then(|version| version.parse::<u32>().ok());
        Self { isolates: !is_inside && version.is_some_and(|version| version >= VTE_TURNS), ..Self::default() }
    }

    /// Whether rows are drawn as they are.
    pub(super) fn is_usual(self) -> bool {
        self == Self::default()
    }

    /// A row as the terminal needs it, with the column of the cursor if that is in it; nothing where it needs no other.
    pub(super) fn row(self, line: &[Cell], cursor: Option<u16>) -> Option<Vec<Cell>> {
        if line.iter().all(|cell| cell.symbol().is_ascii()) {
            return None;
        }
        let mut row = line.to_vec();
        for cell in &mut row {
            if self.draws_wide && is_ambiguous(cell.symbol()) {
                let plain = plain(cell.symbol());
                cell.set_symbol(&plain);
            }
            // What comes with a cell is none of ours.
            if self.isolates && cell.symbol().contains([ISOLATE, END, APART]) {
                cell.set_symbol("?");
            }
        }
        if self.isolates && row.iter().any(|cell| first_strong(cell.symbol()) == Some(Direction::Left)) {
            isolate(&mut row, cursor.map(usize::from));
        }
        Some(row)
    }
}

/// What a cell prints without the marks that [`Habits::row`] hung on it.
pub(super) fn core(symbol: &str) -> &str {
    symbol.trim_end_matches([ISOLATE, END, APART])
}

/// Whether terminals disagree about it by a setting.
fn is_ambiguous(symbol: &str) -> bool {
    // Our table takes letters for what they are beside letters of their kind; and a terminal may compose what was
    // written apart.
    let is_letter = |letter| matches!(letter, '\u{a1}'..='\u{2ff}' | '\u{391}'..='\u{3c9}' | '\u{401}'..='\u{451}');
    let is_composed = symbol.starts_with(|letter: char| letter.is_ascii())
        && symbol.contains(|letter| matches!(letter, '\u{300}'..='\u{36f}'));
    !symbol.is_ascii()
        && UnicodeWidthStr::width(symbol) == 1
        && (is_composed || symbol.chars().any(|letter| is_letter(letter) || letter.width_cjk() > letter.width()))
}

/// What stands for it in ASCII: a letter without its accents, a sign that looks like it, or a mark that something is
/// there.
fn plain(symbol: &str) -> String {
    let bare = folded_cased(symbol);
    match symbol {
        "«" | "»" => "\"".to_owned(),
        _ if bare.len() == 1 && bare.is_ascii() => bare,
        _ => ascii_of(symbol).to_owned(),
    }
}

/// Where a letter makes a text run to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Left,
    Right,
}

/// The direction of the first letter that has one (bidirectional classes L, R and AL).
fn first_strong(symbol: &str) -> Option<Direction> {
    symbol.chars().find_map(|letter| match u32::from(letter) {
        0x590..=0x65f
        | 0x66d..=0x6ef
        | 0x6fa..=0x8ff
        | 0xfb1d..=0xfdff
        | 0xfe70..=0xfefc
        | 0x10800..=0x10fff
        | 0x1e800..=0x1efff => Some(Direction::Left),
        _ if letter.is_alphabetic() => Some(Direction::Right),
        _ => None,
    })
}

/// Makes each text with a right-to-left letter an isolate. A text is what stands together in one style, with single
/// blanks in it.
fn isolate(row: &mut [Cell], cursor: Option<usize>) {
    let mut places = Vec::with_capacity(row.len());
    let mut x = 0;
    while x < row.len() {
        places.push(x);
        x += UnicodeWidthStr::width(row[x].symbol()).max(1);
    }
    let cursor = cursor.and_then(|column| places.iter().position(|x| *x == column));
    let mut at = 0;
    while at < places.len() {
        let end = text_end(row, &places, at);
        if end == at {
            at += 1;
            continue;
        }
        for (first, last) in texts(row, &places, at, end) {
            // What is typed goes on where the cursor is: that belongs to the text, in its direction.
            let is_typed = |cursor: &usize| (last + 1..=*cursor).all(|place| row[places[place]].symbol() == " ");
            let last = cursor.filter(|cursor| last < *cursor && *cursor < last + 3).filter(is_typed).unwrap_or(last);
            mark(row, &places, first, last);
            at = at.max(last);
        }
        at = at.max(end);
    }
}

/// The end of the text that begins at a place; the place itself where none does.
fn text_end(row: &[Cell], places: &[usize], begin: usize) -> usize {
    let cell = |at: usize| &row[places[at]];
    let style = cell(begin).style();
    let mut end = begin;
    for at in begin..places.len() {
        let symbol = cell(at).symbol();
        if symbol == " " || symbol.is_empty() {
            if at > end || at == begin {
                break;
            }
        } else if is_border(symbol) || cell(at).style() != style {
            break;
        } else {
            end = at + 1;
        }
    }
    end
}

fn is_border(symbol: &str) -> bool {
    symbol == "|" || symbol.starts_with(|letter| matches!(letter, '\u{2500}'..='\u{259f}'))
}

/// The first and the last place of what is to be isolated of a text: all of it where most of it runs to the left, a
/// name of a few words where it stands in a sentence of another language. Digits before its first letter, and a length
/// of time behind it, are columns of their own.
fn texts(row: &[Cell], places: &[usize], begin: usize, end: usize) -> Vec<(usize, usize)> {
    let symbol = |at: usize| row[places[at]].symbol();
    let strong = |at: usize| first_strong(symbol(at));
    let count = |which: Direction| (begin..end).filter(|at| strong(*at) == Some(which)).count();
    let (left, right) = (count(Direction::Left), count(Direction::Right));
    // A bracket belongs to the word that it opens.
    let opened = |letter: usize| letter - (begin..letter).rev().take_while(|at| OPENING.contains(&symbol(*at))).count();
    if left == 0 {
        return Vec::new();
    }
    let behind = before_time(&(begin..end).map(symbol).collect::<Vec<_>>());
    if let Some(last) = behind.map(|length| begin + length - 1).or((left > 2 * right).then_some(end - 1)) {
        let first = (begin..end).find(|at| strong(*at).is_some()).unwrap_or(begin);
        return vec![(opened(first), last)];
    }
    let mut all: Vec<(usize, usize)> = Vec::new();
    let mut is_going_on = false;
    for at in begin..end {
        match (strong(at), all.last_mut()) {
            (Some(Direction::Left), Some((_, last))) if is_going_on => *last = at,
            (Some(Direction::Left), _) => all.push((opened(at), at)),
            (Some(Direction::Right), _) => {}
            (None, Some((first, last)))
                if *last + 1 == at && OPENING.contains(&symbol(*first)) && CLOSING.contains(&symbol(at)) =>
            {
                *last = at;
            }
            (None, _) => continue,
        }
        is_going_on = strong(at) != Some(Direction::Right);
    }
    all
}

const OPENING: [&str; 11] = ["(", "[", "{", "«", "\"", "“", "‹", "<", "#", "@", "‘"];
const CLOSING: [&str; 9] = [")", "]", "}", "»", "\"", "”", "›", ">", "’"];

/// How much of a text stands before a length of time at its end: `12 min`.
fn before_time(text: &[&str]) -> Option<usize> {
    let unit = [&["m", "i", "n"][..], &["s"], &["h"], &["d"]].into_iter().find(|unit| text.ends_with(unit))?;
    let number = text[..text.len() - unit.len()].strip_suffix(&[" "])?;
    let digits = number.iter().rev().take_while(|digit| digit.bytes().all(|byte| byte.is_ascii_digit())).count();
    let before = number[..number.len() - digits].strip_suffix(&[" "]).filter(|_| digits > 0)?;
    let is_name = before.iter().any(|symbol| first_strong(symbol) == Some(Direction::Left))
        && !before.iter().any(|symbol| first_strong(symbol) == Some(Direction::Right));
    is_name.then_some(before.len())
}

/// Isolates what stands from one place to another.
fn mark(row: &mut [Cell], places: &[usize], first: usize, last: usize) {
    let hang = |cell: &mut Cell, mark: char| {
        let symbol = format!("{}{mark}", cell.symbol());
        cell.set_symbol(&symbol);
    };
    // A mark hangs on the cell before it. In the first column there is none, and nothing that could change places with
    // the text.
    match first.checked_sub(1) {
        Some(before) => {
            hang(&mut row[places[before]], ISOLATE);
            hang(&mut row[places[last]], END);
        }
        None => hang(&mut row[places[last]], APART),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::buffer::Buffer;
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    const TURNS: Habits = Habits { isolates: true, draws_wide: false };
    const WIDE: Habits = Habits { isolates: false, draws_wide: true };

    /// A row of texts in their columns, as a terminal with such habits gets it: `<` and `>` around an isolate, `=` for
    /// the mark of one without a beginning.
    fn sent(habits: Habits, texts: &[(u16, &str, Style)]) -> String {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 40, 1));
        for (x, text, style) in texts {
            buffer.set_string(*x, 0, text, *style);
        }
        let row = habits.row(&buffer.content, None).unwrap_or(buffer.content.clone());
        assert_eq!(row.len(), 40);
        let mut text = String::new();
        let mut x = 0;
        while x < row.len() {
            text += row[x].symbol();
            x += row[x].symbol().width().max(1);
        }
        text.replace(ISOLATE, "<").replace(END, ">").replace(APART, "=").trim_end().to_owned()
    }

    #[test]
    fn each_right_to_left_text_of_a_row_is_an_isolate_and_what_stands_before_it_is_not() {
        let plain = Style::new();
        for (texts, row) in [
            (vec![(0, "│", plain), (2, "سلام (P99) ۱۲:۳۰", plain), (20, "│", plain)], "│ <سلام (P99) ۱۲:۳۰>  │"),
            (vec![(0, "12:30 درگاه [x]", plain)], "12:30 <درگاه [x]>"),
            (vec![(0, "x (درگاه) y", plain)], "x (درگاه) y="),
            (vec![(1, "x (درگاه) y", plain)], " <x (درگاه) y>"),
            (vec![(1, "(درگاه) y", plain)], " <(درگاه) y>"),
            (vec![(0, "درگاه", plain), (8, "کارت", plain)], "درگاه=   <کارت>"),
            (vec![(1, "مهدی", Style::new().bold()), (6, "درگاه", plain)], " <مهدی> <درگاه>"),
            (vec![(1, "支付 درگاه", plain)], " <支付 درگاه>"),
            (vec![(0, "支付 12", plain), (9, "درگاه", plain)], "支付 12  <درگاه>"),
            (vec![(1, "دانا کریمی is Incident Commander", plain)], " <دانا کریمی> is Incident Commander"),
            (vec![(1, "دانا کریمی 12 min", plain)], " <دانا کریمی> 12 min"),
            (vec![(1, "dana told (مهدی) and «علی» at 12", plain)], " dana told <(مهدی)> and <«علی»> at 12"),
            (vec![(1, "dana", plain), (6, "12:30", plain)], " dana 12:30"),
        ] {
            assert_eq!(sent(TURNS, &texts), row);
        }
    }

    #[test]
    fn a_terminal_that_draws_wide_what_is_ambiguous_gets_it_in_ascii_and_all_else_as_it_is() {
        let plain = Style::new();
        assert_eq!(sent(WIDE, &[(0, "│─ 支付 … é α → «درگاه» ü 한", plain)]), "|- 支付 ~ e ? > \"درگاه\" u 한");
    }

    #[test]
    fn only_a_terminal_that_says_so_is_taken_for_one_that_turns_text_around() {
        let of = |variables: &[(&str, &str)]| {
            let find =
                |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
            Habits::of_environment(find).isolates
        };
        assert!(of(&[("VTE_VERSION", "7006"), ("TERM", "xterm-256color")]));
        assert!(!of(&[("VTE_VERSION", "5602")]));
        assert!(!of(&[("VTE_VERSION", "7006"), ("TMUX", "/tmp/tmux-0/default,1,0")]));
        assert!(!of(&[("VTE_VERSION", "7006"), ("TERM", "screen-256color")]));
        assert!(!of(&[("TERM", "mlterm"), ("MLTERM", "3.9.0")]));
    }

    #[test]
    fn the_cursor_behind_a_text_that_is_typed_stands_in_its_direction() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 12, 1));
        buffer.set_string(0, 0, "> درگاه", Style::new());
        let text = |cursor| {
            let row = TURNS.row(&buffer.content, cursor).unwrap();
            row.iter().map(Cell::symbol).collect::<String>().replace(ISOLATE, "<").replace(END, ">")
        };
        assert_eq!(text(None), "> <درگاه>     ");
        assert_eq!(text(Some(7)), "> <درگاه >    ");
        assert_eq!(text(Some(8)), "> <درگاه  >   ", "behind a blank that was typed");
        assert_eq!(text(Some(3)), "> <درگاه>     ");
        assert_eq!(text(Some(11)), "> <درگاه>     ");
    }
}
