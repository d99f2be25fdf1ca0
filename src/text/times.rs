//! Times in written English: `in 30 minutes`, `by 14:45 CET`, `Next Update: 14:45`.
//!
//! Hides how words become times, which zone a time of day is meant in, and which of the times in a text is its promise of the next update.
//!
//! Invariant: reading is total, takes time in proportion to the text, and every range lies on letter boundaries of the text.

use std::collections::BTreeSet;
use std::ops::Range;

use chrono::{
    DateTime, Datelike, Days, FixedOffset, LocalResult, NaiveDate, NaiveTime, Offset, TimeDelta, TimeZone, Utc,
};
use chrono_tz::Tz;

/// A word of a text, or a number with what hangs on it (`14:45`, `2026-11-24`, `30m`).
#[derive(Clone, Debug)]
pub(crate) struct Token {
    /// Where it stands.
    pub(crate) range: Range<usize>,
    /// The word in lower case.
    pub(crate) word: String,
    /// Which sentence it belongs to.
    pub(crate) sentence: usize,
}

/// What a time says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum When {
    /// So long from now, or for so long.
    In(TimeDelta),
    /// `a few minutes`: nothing that a clock can keep.
    Vague,
    /// A time of day.
    At(NaiveTime, Day, Zoned),
}

/// The day of a time of day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Day {
    Near,
    Tomorrow,
    Date(NaiveDate),
}

/// The zone of a time of day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Zoned {
    /// The incident's, for want of another.
    Unsaid,
    /// Letters that may name the incident's zone, and what they mean elsewhere.
    Letters([u8; 5], Option<FixedOffset>),
    Fixed(FixedOffset),
    Named(Tz),
}

/// A time in a text.
#[derive(Clone, Debug)]
pub(crate) struct Time {
    /// Where it stands, with its zone.
    pub(crate) range: Range<usize>,
    /// Its first token.
    pub(crate) first: usize,
    /// The token after it.
    pub(crate) end: usize,
    /// What it says.
    pub(crate) when: When,
}

/// A text in words, with its times.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    pub(crate) tokens: Vec<Token>,
    pub(crate) times: Vec<Time>,
    /// The sentences that speak of what will be.
    ahead: BTreeSet<usize>,
    /// The sentences that speak of changing software.
    releases: BTreeSet<usize>,
}

/// Reads the time at which a text promises the next update; the soonest, where it promises several.
///
/// A time of day without a zone is read in the incident's; one in a zone that this build does not know promises nothing. It is the coming one, but a
/// time of the last two hours has passed and is not tomorrow's.
pub fn promise(text: &str, now: DateTime<Utc>, zone: Tz) -> Option<DateTime<Utc>> {
    let reading = Reading::new(text);
    let promised = reading.promises();
    promised.iter().filter_map(|place| moment(&reading.times[*place].when, now, zone)).min()
}

impl Reading {
    pub(crate) fn new(text: &str) -> Self {
        let tokens = tokens(text);
        let mut times = Vec::new();
        let mut at = 0;
        while at < tokens.len() {
            match time_at(text, &tokens, at) {
                Some(time) => {
                    at = time.end.max(at + 1);
                    times.push(time);
                }
                None => at += 1,
            }
        }
        let of = |is_it: fn(&str) -> bool| {
            tokens.iter().filter(|token| is_it(&token.word)).map(|token| token.sentence).collect::<BTreeSet<_>>()
        };
        let (ahead, releases) = (of(is_future), of(is_release));
        Self { tokens, times, ahead, releases }
    }

    /// The word so many places from a token, in the same sentence; empty where there is none.
    pub(crate) fn word(&self, token: usize, by: isize) -> &str {
        let sentence = self.tokens.get(token).map(|token| token.sentence);
        let other = token.checked_add_signed(by).and_then(|place| self.tokens.get(place));
        other.filter(|other| Some(other.sentence) == sentence).map_or("", |other| &other.word)
    }

    /// Whether the sentence that a token stands in speaks of what will be.
    pub(crate) fn is_ahead(&self, token: usize) -> bool {
        self.tokens.get(token).is_some_and(|token| self.ahead.contains(&token.sentence))
    }

    /// The times (by their places) that promise a next update.
    pub(crate) fn promises(&self) -> Vec<usize> {
        let mut found = Vec::new();
        let mut done = usize::MAX;
        for anchor in 0..self.tokens.len() {
            let sentence = self.tokens[anchor].sentence;
            if sentence == done || !self.is_anchor(anchor) {
                continue;
            }
            let here = |place: &usize| self.tokens[self.times[*place].first].sentence == sentence;
            let next = self.times.partition_point(|time| time.first <= anchor);
            let after = (next..self.times.len()).take_while(here).next();
            let before = || (0..next).rev().take(8).take_while(here).find(|place| self.is_led(*place));
            let promised = after.or_else(before).filter(|place| self.times[*place].when != When::Vague);
            if let Some(place) = promised {
                found.push(place);
                done = sentence;
            }
        }
        found
    }

    fn is_led(&self, place: usize) -> bool {
        matches!(self.word(self.times[place].first, -1), "in" | "within" | "by" | "at" | "next" | "about")
    }

    /// Whether a word is the update that is announced: not the last one, not a change of the software.
    fn is_anchor(&self, token: usize) -> bool {
        if !matches!(self.word(token, 0), "update" | "updates" | "information") {
            return false;
        }
        let before = [self.word(token, -1), self.word(token, -2), self.word(token, -3)];
        let word = self.word(token, 0);
        if matches!(before[0], "last" | "previous" | "latest" | "this") {
            return false;
        }
        if word == "information" {
            return before[0] == "more" || before[0] == "further";
        }
        if before[..2].contains(&"next") {
            return true;
        }
        if self.releases.contains(&self.tokens[token].sentence) {
            return false;
        }
        const MORE: [&str; 7] = ["further", "another", "regular", "more", "new", "additional", "following"];
        const VERBS: [&str; 9] = ["post", "provide", "share", "give", "send", "publish", "issue", "have", "expect"];
        before[..2].iter().any(|word| MORE.contains(word))
            || before.iter().any(|word| VERBS.contains(word))
            || matches!(self.word(token, 1), "you" | "again" | "here" | "in" | "within" | "by" | "every")
            || (self.word(token, 1) == "this" && self.word(token, 2) == "page")
    }
}

fn is_future(word: &str) -> bool {
    const AHEAD: [&str; 21] = [
        "will",
        "shall",
        "should",
        "expect",
        "expects",
        "expected",
        "expecting",
        "going",
        "plan",
        "planned",
        "estimate",
        "estimated",
        "eta",
        "anticipate",
        "anticipated",
        "aim",
        "aiming",
        "hope",
        "hopefully",
        "target",
        "promise",
    ];
    AHEAD.contains(&word) || word.ends_with("'ll")
}

fn is_release(word: &str) -> bool {
    const RELEASE: [&str; 10] =
        ["deploy", "roll", "rolling", "release", "ship", "install", "apply", "software", "firmware", "app"];
    RELEASE.contains(&word)
}

/// The moment that a time says.
pub(crate) fn moment(when: &When, now: DateTime<Utc>, zone: Tz) -> Option<DateTime<Utc>> {
    match *when {
        When::Vague => None,
        When::In(by) => now.checked_add_signed(by),
        When::At(time, day, said) => match said {
            Zoned::Unsaid => on_the_clock(time, day, now, zone),
            Zoned::Named(named) => on_the_clock(time, day, now, named),
            Zoned::Fixed(offset) => on_the_clock(time, day, now, offset),
            Zoned::Letters(letters, elsewhere) => {
                if is_called(zone, now, &letters) {
                    return on_the_clock(time, day, now, zone);
                }
                on_the_clock(time, day, now, elsewhere?)
            }
        },
    }
}

/// Whether letters name a zone, in winter or in summer: people write CET in July too and mean the clock on the wall.
fn is_called(zone: Tz, now: DateTime<Utc>, letters: &[u8; 5]) -> bool {
    let year = now.year();
    [1, 7].into_iter().any(|month| {
        let Some(day) = Utc.with_ymd_and_hms(year, month, 1, 0, 0, 0).single() else { return false };
        let name = day.with_timezone(&zone).format("%Z").to_string();
        letters_of(&name) == *letters
    })
}

fn letters_of(name: &str) -> [u8; 5] {
    let mut letters = [0; 5];
    for (place, letter) in letters.iter_mut().zip(name.bytes()) {
        *place = letter.to_ascii_uppercase();
    }
    letters
}

fn on_the_clock<Z: TimeZone>(time: NaiveTime, day: Day, now: DateTime<Utc>, zone: Z) -> Option<DateTime<Utc>> {
    let today = now.with_timezone(&zone).date_naive();
    let moments = |day: NaiveDate| {
        let local = day.and_time(time);
        let found = match zone.from_local_datetime(&local) {
            // The hour that the clocks skip: what they show instead.
            LocalResult::None => zone.from_local_datetime(&(local + TimeDelta::hours(1))),
            found => found,
        };
        [found.clone().earliest(), found.latest()].into_iter().flatten().map(|moment| moment.with_timezone(&Utc))
    };
    match day {
        Day::Date(day) => moments(day).next(),
        Day::Tomorrow => moments(today.checked_add_days(Days::new(1))?).next(),
        Day::Near => {
            let days = [today.checked_sub_days(Days::new(1)), Some(today), today.checked_add_days(Days::new(1))];
            let mut near: Vec<_> = days.into_iter().flatten().flat_map(moments).collect();
            near.sort();
            let passed = near.iter().copied().rfind(|moment| *moment < now);
            passed
                .filter(|passed| now - *passed <= TimeDelta::hours(2))
                .filter(|_| near.iter().all(|moment| *moment < now || *moment - now > TimeDelta::hours(2)))
                .or_else(|| near.iter().copied().find(|moment| *moment >= now))
        }
    }
}

fn tokens(text: &str) -> Vec<Token> {
    let mut all: Vec<Token> = Vec::new();
    let mut sentence = 0;
    let mut letters = text.char_indices().peekable();
    while let Some((start, letter)) = letters.next() {
        if !letter.is_alphanumeric() {
            let next = letters.peek().map(|(_, next)| *next);
            // `a.m.` ends no sentence, and neither does a point within a number or a name.
            let is_short = all.last().is_some_and(|last| last.range.len() == 1 && last.range.end == start);
            let is_end = match letter {
                '\n' | '!' | '?' | ';' => true,
                '.' => next.is_none_or(char::is_whitespace) && !is_short,
                _ => false,
            };
            sentence += usize::from(is_end);
            continue;
        }
        let mut end = start + letter.len_utf8();
        let mut last = letter;
        while let Some(&(at, next)) = letters.peek() {
            let is_joint = match next {
                ':' | '.' | '-' => last.is_ascii_digit() && followed(text, at, |next| next.is_ascii_digit()),
                '\'' | '’' => followed(text, at, char::is_alphabetic),
                _ => next.is_alphanumeric(),
            };
            if !is_joint {
                break;
            }
            end = at + next.len_utf8();
            last = next;
            letters.next();
        }
        let word = text[start..end].to_ascii_lowercase().replace('’', "'");
        all.push(Token { range: start..end, word, sentence });
    }
    all
}

fn followed(text: &str, at: usize, is_fit: impl Fn(char) -> bool) -> bool {
    text[at..].chars().nth(1).is_some_and(is_fit)
}

fn time_at(text: &str, tokens: &[Token], at: usize) -> Option<Time> {
    let found = length_at(tokens, at).or_else(|| clock_at(text, tokens, at));
    let (when, end) = found?;
    Some(Time { range: tokens[at].range.start..tokens[end - 1].range.end, first: at, end, when })
}

/// A length of time: `30 minutes`, `15-30 min`, `1 hour and 30 minutes`, `half an hour`, `a few minutes`, `30m`.
fn length_at(tokens: &[Token], at: usize) -> Option<(When, usize)> {
    let word = |place: usize| {
        let token = tokens.get(place)?;
        (token.sentence == tokens[at].sentence).then_some(&*token.word)
    };
    let first = word(at)?;
    match (first, word(at + 1), word(at + 2)) {
        ("half", Some("an" | "a"), Some("hour")) => return Some((When::In(TimeDelta::minutes(30)), at + 3)),
        ("a" | "the", Some("few" | "couple"), _) => {
            let unit = if word(at + 2) == Some("of") { at + 3 } else { at + 2 };
            word(unit).and_then(unit_seconds)?;
            return Some((When::Vague, unit + 1));
        }
        ("few" | "several", Some(unit), _) if unit_seconds(unit).is_some() => return Some((When::Vague, at + 2)),
        ("a" | "an", Some(unit @ ("hour" | "minute" | "day")), _) => {
            let half = (word(at + 2), word(at + 3), word(at + 4)) == (Some("and"), Some("a"), Some("half"));
            let seconds = unit_seconds(unit)? * if half { 1.5 } else { 1.0 };
            return Some((When::In(span(seconds)?), if half { at + 5 } else { at + 2 }));
        }
        _ => {}
    }
    if let Some(seconds) = glued(first) {
        return Some((When::In(span(seconds)?), at + 1));
    }
    let mut seconds = 0.0;
    let mut next = at;
    while let Some(number) = word(next).and_then(number) {
        // Of `15 to 30 minutes` the first: sooner keeps both.
        let unit = match (word(next + 1), word(next + 2).and_then(self::number)) {
            (Some("to" | "or"), Some(_)) => next + 3,
            (Some(second), _) if self::number(second).is_some() => next + 2,
            _ => next + 1,
        };
        let Some(size) = word(unit).and_then(unit_seconds) else { break };
        seconds += number * size;
        next = unit + 1;
        if word(next) == Some("and") && word(next + 1).and_then(self::number).is_some() {
            next += 1;
        }
    }
    if next > at && word(next - 1) == Some("and") {
        next -= 1;
    }
    (next > at).then(|| Some((When::In(span(seconds)?), next))).flatten()
}

/// A length that no calendar leaves.
fn span(seconds: f64) -> Option<TimeDelta> {
    (seconds <= 3e7).then(|| TimeDelta::seconds(seconds as i64))
}

fn unit_seconds(word: &str) -> Option<f64> {
    match word {
        "s" | "sec" | "secs" | "second" | "seconds" => Some(1.0),
        "m" | "min" | "mins" | "minute" | "minutes" => Some(60.0),
        "h" | "hr" | "hrs" | "hour" | "hours" => Some(3600.0),
        "day" | "days" => Some(86_400.0),
        _ => None,
    }
}

fn number(word: &str) -> Option<f64> {
    const WORDS: [(&str, f64); 13] = [
        ("one", 1.0),
        ("two", 2.0),
        ("three", 3.0),
        ("four", 4.0),
        ("five", 5.0),
        ("six", 6.0),
        ("ten", 10.0),
        ("fifteen", 15.0),
        ("twenty", 20.0),
        ("thirty", 30.0),
        ("forty", 40.0),
        ("sixty", 60.0),
        ("ninety", 90.0),
    ];
    if let Some((_, number)) = WORDS.iter().find(|(name, _)| *name == word) {
        return Some(*number);
    }
    let word = word.split_once('-').map_or(word, |(first, _)| first);
    let is_number = word.len() <= 6 && word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    is_number.then(|| word.parse().ok()).flatten()
}

/// `30m`, `30min`, `1h30m`.
fn glued(word: &str) -> Option<f64> {
    let mut rest = word;
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number = number(rest.get(..digits).filter(|digits| !digits.is_empty())?)?;
        rest = &rest[digits..];
        let letters = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
        seconds += number * unit_seconds(&rest[..letters])?;
        rest = &rest[letters..];
    }
    Some(seconds)
}

/// A time of day: `14:45`, `2:45 pm CET`, `2026-11-24 14:45 UTC+1`, `tomorrow at 09:00`.
fn clock_at(text: &str, tokens: &[Token], at: usize) -> Option<(When, usize)> {
    let word = |place: usize| {
        let token = tokens.get(place)?;
        (token.sentence == tokens[at].sentence).then_some(&*token.word)
    };
    let mut day = Day::Near;
    let mut place = at;
    let date = word(at)?.parse::<NaiveDate>().ok();
    if date.is_some() || word(at) == Some("tomorrow") {
        day = date.map_or(Day::Tomorrow, Day::Date);
        place += 1;
        if matches!(word(place), Some("at" | "by" | "t")) {
            place += 1;
        }
    }
    let (hour, minute) = hour_and_minute(word(place)?)?;
    let mut end = place + 1;
    let hour = match half_of_day(word(place)?, word(end), word(end + 1)) {
        None if word(place)?.contains(':') || matches!(word(place), Some("noon" | "midnight")) => hour,
        None => return None,
        Some((is_afternoon, more)) => {
            end += more;
            if hour == 0 || hour > 12 {
                return None;
            }
            hour % 12 + if is_afternoon { 12 } else { 0 }
        }
    };
    let time = NaiveTime::from_hms_opt(hour, minute, 0)?;
    let (zone, end) = zone_at(text, tokens, end);
    let mut end = end;
    if day == Day::Near && word(end) == Some("tomorrow") {
        day = Day::Tomorrow;
        end += 1;
    }
    Some((When::At(time, day, zone), end))
}

fn hour_and_minute(word: &str) -> Option<(u32, u32)> {
    match word {
        "noon" => return Some((12, 0)),
        "midnight" => return Some((0, 0)),
        _ => {}
    }
    // Of `14:30-15:00` the first.
    let word = word.split_once('-').map_or(word, |(first, _)| first);
    let word = word.trim_end_matches("am").trim_end_matches("pm").trim_end_matches('h');
    let (hour, minute) = word.split_once(':').unwrap_or((word, "00"));
    let minute = minute.split_once(':').map_or(minute, |(minute, _)| minute);
    let part = |digits: &str| {
        (matches!(digits.len(), 1 | 2) && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| digits.parse().ok())
    };
    let (hour, minute) = (part(hour)??, part(minute).filter(|_| minute.len() == 2)??);
    (hour < 24 && minute < 60).then_some((hour, minute))
}

/// Whether a time is of the afternoon, and how many words said so.
fn half_of_day(word: &str, next: Option<&str>, after: Option<&str>) -> Option<(bool, usize)> {
    if word.starts_with(|letter: char| letter.is_ascii_digit()) {
        if word.ends_with("pm") || word.ends_with("am") {
            return Some((word.ends_with("pm"), 0));
        }
        match (next, after) {
            (Some("am"), _) => return Some((false, 1)),
            (Some("pm"), _) => return Some((true, 1)),
            (Some("a"), Some("m")) => return Some((false, 2)),
            (Some("p"), Some("m")) => return Some((true, 2)),
            _ => {}
        }
    }
    None
}

/// The zone that follows a time of day, and the token after it.
fn zone_at(text: &str, tokens: &[Token], at: usize) -> (Zoned, usize) {
    let none = (Zoned::Unsaid, at);
    let (Some(before), Some(token)) = (at.checked_sub(1).and_then(|before| tokens.get(before)), tokens.get(at)) else {
        return none;
    };
    let gap = &text[before.range.end..token.range.start];
    let said = &text[token.range.clone()];
    if let Some(sign) = gap.trim_start().chars().next().filter(|sign| matches!(sign, '+' | '-' | '−'))
        && gap.trim_start().chars().count() == 1
    {
        return offset(sign, said).map_or(none, |offset| (Zoned::Fixed(offset), at + 1));
    }
    if !matches!(gap, " " | " (" | "" | " [") {
        return none;
    }
    let rest = &text[token.range.start..];
    let name = &rest[..rest.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || b"/_-+".contains(byte)).count()];
    if name.contains('/')
        && let Ok(zone) = name.trim_end_matches(['-', '+']).parse::<Tz>()
    {
        let end = token.range.start + name.len();
        let more = tokens[at..].iter().take_while(|token| token.range.start < end).count();
        return (Zoned::Named(zone), at + more);
    }
    let is_universal = matches!(said, "UTC" | "GMT" | "Z" | "utc" | "gmt");
    if is_universal {
        let next = tokens.get(at + 1);
        let sign = next.and_then(|next| text[token.range.end..next.range.start].chars().next());
        if let (Some(next), Some(sign @ ('+' | '-' | '−'))) = (next, sign)
            && text[token.range.end..next.range.start].chars().count() == 1
            && let Some(offset) = offset(sign, &text[next.range.clone()])
        {
            return (Zoned::Fixed(offset), at + 2);
        }
        return (Zoned::Fixed(Utc.fix()), at + 1);
    }
    if matches!(said.len(), 3..=5) && said.bytes().all(|letter| letter.is_ascii_uppercase()) {
        return (Zoned::Letters(letters_of(said), well_known(said)), at + 1);
    }
    none
}

fn offset(sign: char, digits: &str) -> Option<FixedOffset> {
    let digits = digits.replace(':', "");
    if digits.is_empty() || digits.len() > 4 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: i32 = digits.parse().ok()?;
    let minutes = if digits.len() <= 2 { number * 60 } else { number / 100 * 60 + number % 100 };
    FixedOffset::east_opt(if sign == '+' { minutes * 60 } else { -minutes * 60 })
}

/// Letters that mean one zone only, wherever they are written.
fn well_known(letters: &str) -> Option<FixedOffset> {
    let minutes = match letters {
        "WET" => 0,
        "CET" | "WEST" => 60,
        "CEST" | "EET" => 120,
        "EEST" | "MSK" => 180,
        "IRST" => 210,
        "JST" => 540,
        _ => return None,
    };
    FixedOffset::east_opt(minutes * 60)
}
