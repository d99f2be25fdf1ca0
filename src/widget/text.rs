//! Text for columns: wrapping, fitting, and times as people say them.
//!
//! Hides that letters are not columns, and that not every letter may be shown: what comes out of here is what a screen shows
//! ([`crate::text::shown`]), whatever was written.
//!
//! Invariant: no line that comes out of here is wider than was asked for, but where a single letter is.

use std::borrow::Cow;
use std::ops::Range;

use chrono::{DateTime, TimeDelta, Utc};
use ratatui::text::{Line, Span};
use unicode_segmentation::UnicodeSegmentation;

use crate::text::{columns, fit, shown};

/// Wraps a text at words into lines of so many columns. Line breaks stay; what a line continues into is indented as the
/// line is.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for line in shown(text).split('\n') {
        let indent = line.len() - line.trim_start_matches(' ').len();
        let hang = if indent * 2 > width { 0 } else { indent };
        let mut rest = line;
        let mut is_first = true;
        loop {
            // A letter that does not fit behind the indentation gives it up.
            let first = rest.graphemes(true).next().map_or(0, columns);
            let (lead, room) = if is_first || first > width - hang { (0, width) } else { (hang, width - hang) };
            let (head, tail) = split(rest, room);
            lines.push(format!("{:lead$}{}", "", head.trim_end_matches(' ')));
            if tail.is_empty() {
                break;
            }
            rest = tail;
            is_first = false;
        }
    }
    lines
}

/// The longest beginning that fits, up to the end of a word where there is one, and the rest without its leading
/// blanks.
fn split(text: &str, room: usize) -> (&str, &str) {
    if text.len() <= room {
        return (text, "");
    }
    let mut used = 0;
    let mut word_end = None;
    let mut has_word = false;
    for (at, cluster) in text.grapheme_indices(true) {
        let width = columns(cluster);
        if cluster == " " {
            if has_word {
                word_end = Some(at);
            }
            if used >= room {
                // Blanks alone have filled the row, or the word before this one has.
                let cut = word_end.unwrap_or(at);
                return (&text[..cut], text[cut..].trim_start_matches(' '));
            }
        } else {
            has_word = true;
            if used + width > room {
                // A letter that is wider than the whole line stands alone: the text must end some day.
                let cut = if at == 0 { cluster.len() } else { at };
                let cut = word_end.unwrap_or(cut);
                return (&text[..cut], text[cut..].trim_start_matches(' '));
            }
        }
        used += width;
    }
    (text, "")
}

/// The parts of one line that an editor shows below each other: nothing is taken out, so that each place of the text
/// has a place on the screen.
pub fn wrap_places(line: &str, width: usize) -> Vec<Range<usize>> {
    let width = width.max(1);
    let mut parts = Vec::new();
    let (mut start, mut used, mut word) = (0, 0, 0);
    let mut since_word = 0;
    for (at, cluster) in line.grapheme_indices(true) {
        let columns = columns(cluster);
        if used + columns > width && at > start {
            let cut = if word > start { word } else { at };
            used = if word > start { since_word } else { 0 };
            parts.push(start..cut);
            start = cut;
            if used + columns > width && at > start {
                parts.push(start..at);
                start = at;
                used = 0;
            }
        }
        used += columns;
        since_word += columns;
        if cluster == " " {
            word = at + 1;
            since_word = 0;
        }
    }
    parts.push(start..line.len());
    parts
}

/// The columns that a line takes on the screen. (Not [`Line::width`], which takes lam and alef for one letter, as no terminal prints them.)
pub fn line_columns(line: &Line<'_>) -> usize {
    line.spans.iter().map(|span| columns(&span.content)).sum()
}

/// What a screen shows of a line.
fn shown_line(mut line: Line<'_>) -> Line<'_> {
    for span in &mut line.spans {
        if let Cow::Owned(visible) = shown(&span.content) {
            span.content = Cow::Owned(visible);
        }
    }
    line
}

/// A line that is no wider than so many columns; what is cut ends with `…` in the style of what it cuts.
pub fn fit_line(line: Line<'_>, width: usize) -> Line<'_> {
    let line = shown_line(line);
    if line_columns(&line) <= width {
        return line;
    }
    let mut left = width;
    let mut spans = Vec::with_capacity(line.spans.len());
    let mut rest = line.spans.into_iter().peekable();
    while let Some(span) = rest.next() {
        let wide = columns(&span.content);
        let is_last_that_fits = wide == left && rest.peek().is_some();
        if wide < left || (wide == left && !is_last_that_fits) {
            left -= wide;
            spans.push(span);
            continue;
        }
        let content = if is_last_that_fits {
            format!("{}…", take(&span.content, left.saturating_sub(1)))
        } else {
            fit(&span.content, left).into_owned()
        };
        if left > 0 {
            spans.push(Span::styled(content, span.style));
        }
        break;
    }
    Line { spans, ..line }
}

/// The longest beginning of a text that fits into so many columns, without any mark of the cut.
pub fn take(text: &str, width: usize) -> &str {
    let mut used = 0;
    for (at, cluster) in text.grapheme_indices(true) {
        used += columns(cluster);
        if used > width {
            return &text[..at];
        }
    }
    text
}

/// A clock that runs down: `4:10`, `1:04:10`, `3 d`; behind zero `-0:42`.
pub fn countdown(left: TimeDelta) -> String {
    // A deadline is missed when it is past, so the seconds are rounded away from zero on that side only: 0:00 is shown
    // for one second.
    let seconds = left.num_milliseconds().div_euclid(1000);
    let sign = if seconds < 0 { "-" } else { "" };
    let seconds = seconds.unsigned_abs();
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    match hours {
        0 => format!("{sign}{minutes}:{:02}", seconds % 60),
        // Beyond an hour nobody counts seconds, and none are shown: a screen on which nothing is near sleeps for a minute at a time.
        1..48 => format!("{sign}{hours}h{minutes:02}"),
        _ => format!("{sign}{} d", hours / 24),
    }
}

/// How long something takes or took: `42 s`, `12 min`, `1 h 05`, `3 d`.
pub fn duration(length: TimeDelta) -> String {
    let sign = if length < TimeDelta::zero() { "-" } else { "" };
    let seconds = length.num_seconds().unsigned_abs();
    match seconds {
        0..60 => format!("{sign}{seconds} s"),
        60..3600 => format!("{sign}{} min", seconds / 60),
        3600..172_800 => format!("{sign}{} h {:02}", seconds / 3600, seconds / 60 % 60),
        _ => format!("{sign}{} d", seconds / 86_400),
    }
}

/// The same in whole minutes, so that it changes once a minute: `0 min`, `12 min`, `1 h 05`, `3 d`.
pub fn minutes(length: TimeDelta) -> String {
    match length.num_seconds().unsigned_abs() {
        0..60 => "0 min".to_owned(),
        _ => duration(length),
    }
}

/// When something was or will be, seen from now: `now`, `40 s ago`, `in 12 min`.
pub fn relative(at: DateTime<Utc>, now: DateTime<Utc>) -> Cow<'static, str> {
    let ago = now - at;
    match ago.num_seconds() {
        0 => Cow::Borrowed("now"),
        seconds if seconds > 0 => Cow::Owned(format!("{} ago", duration(ago))),
        _ => Cow::Owned(format!("in {}", duration(-ago))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use ratatui::style::{Color, Style};

    #[test]
    fn a_long_note_breaks_at_words_and_keeps_its_indentation() {
        for (text, width, lines) in [
            ("route traffic to backup", 12, vec!["route", "traffic to", "backup"]),
            ("  - restart the workers", 14, vec!["  - restart", "  the workers"]),
            ("one\n\ntwo", 10, vec!["one", "", "two"]),
            ("abcdefghij", 4, vec!["abcd", "efgh", "ij"]),
            ("支付宝超时", 4, vec!["支付", "宝超", "时"]),
            ("支", 1, vec!["支"]),
            ("exact fit", 9, vec!["exact fit"]),
            ("ab   cd", 2, vec!["ab", "cd"]),
            ("", 5, vec![""]),
        ] {
            assert_eq!(wrap(text, width), lines, "{text:?} at {width}");
        }
    }

    #[test]
    fn what_the_editor_shows_has_every_letter_of_the_line() {
        for (line, width, parts) in [
            ("route traffic to backup", 12, vec!["route ", "traffic to ", "backup"]),
            ("abcdefghij", 4, vec!["abcd", "efgh", "ij"]),
            ("a abcdefgh", 4, vec!["a ", "abcd", "efgh"]),
            ("", 4, vec![""]),
        ] {
            let shown: Vec<&str> = wrap_places(line, width).into_iter().map(|part| &line[part]).collect();
            assert_eq!(shown, parts, "{line:?} at {width}");
        }
    }

    #[test]
    fn a_line_that_is_too_long_is_cut_in_its_own_style() {
        let red = Style::new().fg(Color::Red);
        let line = Line::from(vec![Span::raw("p99 "), Span::styled("latency", red), Span::raw(" high")]);
        assert_eq!(fit_line(line.clone(), 20), line);
        assert_eq!(fit_line(line.clone(), 8), Line::from(vec![Span::raw("p99 "), Span::styled("lat…", red)]));
        assert_eq!(fit_line(line.clone(), 11), Line::from(vec![Span::raw("p99 "), Span::styled("latenc…", red)]));
        assert_eq!(fit_line(line.clone(), 4), Line::from(vec![Span::raw("p99…")]));
        assert_eq!(line_columns(&fit_line(line, 0)), 0);
    }

    #[test]
    fn a_blank_before_a_letter_too_wide_for_the_row_does_not_stand_beside_it() {
        assert_eq!(wrap(" \u{1fadf}", 0), ["", "\u{1fadf}"]);
    }

    #[test]
    fn times_read_as_people_say_them() {
        for (seconds, clock, words) in [
            (250, "4:10", "4 min"),
            (-42, "-0:42", "-42 s"),
            (0, "0:00", "0 s"),
            (725, "12:05", "12 min"),
            (3_900, "1h05", "1 h 05"),
            (259_200, "3 d", "3 d"),
        ] {
            let length = TimeDelta::seconds(seconds);
            assert_eq!((countdown(length).as_str(), duration(length).as_str()), (clock, words));
        }
        assert_eq!(countdown(TimeDelta::milliseconds(-1)), "-0:01", "late is late");
        assert_eq!(minutes(TimeDelta::seconds(59)), "0 min");
        let now = DateTime::from_timestamp(1_780_000_000, 0).unwrap();
        for (seconds, said) in [(0, "now"), (-40, "40 s ago"), (720, "in 12 min"), (-3_900, "1 h 05 ago")] {
            assert_eq!(relative(now + TimeDelta::seconds(seconds), now), said);
        }
    }

    #[test]
    fn a_wide_letter_does_not_stick_out_behind_an_indentation() {
        assert_eq!(wrap(" A\u{9c7}", 2), ["", "A\u{9c7}"]);
    }

    proptest! {
        #[test]
        fn any_text_wraps_into_its_width_and_loses_nothing_but_blanks(text in "(\\PC|[a-c ])*", width in 0usize..30) {
            for line in wrap(&text, width) {
                prop_assert!(columns(&line) <= width || line.graphemes(true).count() == 1, "{:?}", line);
            }
            let blanks_out = |text: &str| text.replace([' ', '\n'], "");
            prop_assert_eq!(blanks_out(&wrap(&text, width).concat()), blanks_out(&shown(&text)));
            let parts = wrap_places(&text, width);
            prop_assert_eq!(parts.iter().map(|part| &text[part.clone()]).collect::<String>(), text.clone());
            let line = Line::from(vec![Span::raw(text.clone()), Span::raw("tail")]);
            prop_assert!(line_columns(&fit_line(line, width)) <= width);
        }

        #[test]
        fn any_length_of_time_can_be_said(milliseconds in any::<i64>()) {
            if let Some(length) = TimeDelta::try_milliseconds(milliseconds) {
                countdown(length);
                duration(length);
                minutes(length);
            }
        }
    }
}
