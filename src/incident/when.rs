//! Times as people write them, and how they were understood.
//!
//! The one parser behind every place that takes a time: the scribe's line, forms, line mode, subcommands. It reads `-5m`, `-1h30m`, `-3d`, `14:10`,
//! `06:30 CET`, `14:10Z`, `yesterday 23:50`, `2026-11-29 23:50`, `2026-11-29T23:50:00+01:00`, in Latin, Persian, Arabic and full-width digits. Hides
//! zones, the change of the clocks, and which day a time of day belongs to.
//!
//! Invariant: nothing is shifted in silence. A time that no clock showed, that a clock showed twice, or that would be a day that nobody named and
//! many hours off, is understood with a remark or refused with a sentence that says what to write.

use std::fmt;

use chrono::{
    DateTime, FixedOffset, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeDelta, TimeZone, Utc,
};
use chrono_tz::Tz;

use super::command::CLOCK_GRACE;
use crate::text::{digit, fit, is_invisible};

/// A time of day whose day nobody named is of this day or its neighbour, and no further away than this from now.
const NEAR: TimeDelta = TimeDelta::hours(12);
/// No incident is so long ago, and nothing is put off so long: a year was mistyped.
const FAR: TimeDelta = TimeDelta::days(3660);

/// On which side of now a time lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// It was, or is now.
    Past,
    /// It will be; a time of day that is further than some hours away asks for its day.
    Coming,
    /// It will be, however far: the answer says which moment was meant.
    Next,
    /// Either, and a time of day is of the past.
    Any,
}

/// A moment as it was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct When {
    /// The moment.
    pub at: DateTime<Utc>,
    /// What should be known about it.
    pub remark: Option<String>,
    /// Whether it was written in a zone that is not the incident's.
    is_elsewhere: bool,
    /// Whether it was written with its date.
    is_dated: bool,
}

/// What a text says about time at its beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Leading {
    /// Nothing.
    None,
    /// A moment, and at which byte the rest begins.
    Time(When, usize),
    /// Something that is meant as a time and cannot be one; why, and what to write.
    Doubt(String),
}

/// Why a text is no time, and what to write.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotATime(pub String);

impl When {
    fn plain(at: DateTime<Utc>) -> Self {
        Self { at, remark: None, is_elsewhere: false, is_dated: false }
    }

    /// Whether it should be said how a time was understood: it is remarkable, or was written without the date and is of another day or zone.
    pub fn is_telling(&self, now: DateTime<Utc>, zone: Tz) -> bool {
        self.remark.is_some() || (!self.is_dated && (self.is_elsewhere || !is_of_today(self.at, now, zone)))
    }

    /// The moment as it stands beside a line that is typed: the time of day alone where nothing else is to be said.
    pub fn beside(&self, now: DateTime<Utc>, zone: Tz) -> String {
        if self.is_elsewhere || !is_of_today(self.at, now, zone) {
            return in_words(self.at, now, zone);
        }
        self.at.with_timezone(&zone).format("%H:%M").to_string()
    }

    /// The moment in words, with zone, with its day where that is not today, and with the remark.
    pub fn words(&self, now: DateTime<Utc>, zone: Tz) -> String {
        let remark = self.remark.as_ref().map(|remark| format!(" ({remark})")).unwrap_or_default();
        format!("{}{remark}", in_words(self.at, now, zone))
    }
}

/// Whether a moment lies in the day of another one.
pub fn is_of_today(at: DateTime<Utc>, now: DateTime<Utc>, zone: Tz) -> bool {
    at.with_timezone(&zone).date_naive() == now.with_timezone(&zone).date_naive()
}

/// A moment with its zone, and with its day where that is not today: `14:10 CET`, `yesterday 23:50 CET`, `Sun 2026-11-22 23:50 CET`.
pub fn in_words(at: DateTime<Utc>, now: DateTime<Utc>, zone: Tz) -> String {
    let local = at.with_timezone(&zone);
    let days = (local.date_naive() - now.with_timezone(&zone).date_naive()).num_days();
    let day = match days {
        0 => String::new(),
        -1 => "yesterday ".to_owned(),
        1 => "tomorrow ".to_owned(),
        _ => local.format("%a %Y-%m-%d ").to_string(),
    };
    let seconds = if local.timestamp().rem_euclid(60) == 0 { "" } else { ":%S" };
    format!("{day}{}", local.format(&format!("%H:%M{seconds} %Z")))
}

/// Reads a text that is a time and nothing else; `now` is one, too.
pub fn read(text: &str, now: DateTime<Utc>, zone: Tz, side: Side) -> Result<When, NotATime> {
    let words = words(text);
    let asked = Asked { now, zone, side, is_whole: true };
    match asked.phrase(&words) {
        Leading::Time(when, used) if used == words.len() => Ok(when),
        Leading::Doubt(why) => Err(NotATime(why)),
        Leading::Time(..) | Leading::None => Err(NotATime(format!(
            "`{}` is no time: write {}",
            fit(text.trim(), 40),
            match side {
                Side::Past | Side::Any => "now, -5m, 14:10, 06:30 CET, yesterday 23:50, or 2026-11-29 23:50",
                Side::Coming | Side::Next => "5m, 1h30m, 14:10, tomorrow 09:00, or 2026-11-29 23:50",
            }
        ))),
    }
}

/// Reads the time with which a line begins; it was, or is now.
pub fn leading(line: &str, now: DateTime<Utc>, zone: Tz) -> Leading {
    let words = words(line);
    let asked = Asked { now, zone, side: Side::Past, is_whole: false };
    match asked.phrase(&words) {
        Leading::Time(when, used) => Leading::Time(when, words[used - 1].end),
        other @ (Leading::None | Leading::Doubt(_)) => other,
    }
}

/// A word in plain digits and signs, and where it ended.
struct Word {
    text: String,
    end: usize,
}

/// The most words that a time takes, and one more.
const MOST_WORDS: usize = 5;

fn words(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut at = 0;
    for piece in text.split_inclusive(char::is_whitespace) {
        let word = piece.trim_end();
        if !word.is_empty() {
            words.push(Word { text: word.chars().filter_map(plain).collect(), end: at + word.len() });
        }
        at += piece.len();
        if words.len() == MOST_WORDS {
            break;
        }
    }
    words
}

/// A letter as the parser knows it: digits of any script, signs of any width; what nobody sees is not there.
fn plain(letter: char) -> Option<char> {
    match letter {
        letter if is_invisible(letter) => None,
        '：' | '∶' => Some(':'),
        '−' | '－' | '‐' | '‑' => Some('-'),
        '＋' => Some('+'),
        letter => Some(digit(letter).and_then(|digit| char::from_digit(digit, 10)).unwrap_or(letter)),
    }
}

/// The day of a time of day.
#[derive(Clone, Copy, PartialEq)]
enum Day {
    Unsaid,
    /// So many days from today.
    Near(i64),
    Date(NaiveDate),
}

/// The zone of a time of day.
#[derive(Clone, Copy, PartialEq)]
enum Zone {
    Unsaid,
    Named(Tz),
    Fixed(FixedOffset),
    /// What the incident's own zone is called, in winter or in summer.
    Own([u8; 5]),
}

/// What a word says, and what stands behind it in the same word.
type Behind<'w, T> = (T, Option<&'w str>);

/// What is read, and by which rules.
#[derive(Clone, Copy)]
struct Asked {
    now: DateTime<Utc>,
    zone: Tz,
    side: Side,
    is_whole: bool,
}

impl Asked {
    /// The time at the beginning of some words, with the number of words that it takes.
    fn phrase(&self, words: &[Word]) -> Leading {
        let Some(first) = words.first().map(|word| word.text.as_str()) else { return Leading::None };
        if self.is_whole && first.eq_ignore_ascii_case("now") {
            return self.when(When::plain(self.now), 1);
        }
        if let Some(span) = span(first) {
            return self.relative(first, span);
        }
        let (day, after) = match self.day(first) {
            Ok(found) => found,
            // A number that looks like a date begins a line like any other, but for one before a time of day.
            Err((why, after)) => {
                let behind = after.or(words.get(1).map(|word| word.text.as_str())).unwrap_or_default();
                let is_meant = self.is_whole || clock_of(behind).is_some();
                return if is_meant { Leading::Doubt(why) } else { Leading::None };
            }
        };
        // `2026-11-29T23:50` is one word, `yesterday 23:50` are two.
        let (clock, place) = match (day, after) {
            (Day::Unsaid, _) => (first, 0),
            (_, Some(clock)) => (clock, 0),
            (_, None) => match words.get(1) {
                Some(word) => (word.text.as_str(), 1),
                None if self.is_whole => return self.local(day, NaiveTime::MIN, Zone::Unsaid, 1, first),
                None => return Leading::None,
            },
        };
        let Some((time, rest)) = clock_of(clock) else { return Leading::None };
        let Some(time) = time else {
            // `25:99` begins a line like any other; behind a day, or alone, it was meant as a time.
            let is_meant = day != Day::Unsaid || self.is_whole;
            let why = format!("`{clock}` is no time of day: hours go to 23, minutes and seconds to 59");
            return if is_meant { Leading::Doubt(why) } else { Leading::None };
        };
        let (zone, used) = match self.zone_behind(rest, words.get(place + 1), day, time) {
            Ok(Some((zone, more))) => (zone, place + 1 + more),
            Ok(None) => return Leading::None,
            Err(why) => return Leading::Doubt(why),
        };
        let (day, used) = match words.get(used).filter(|_| self.is_whole && day == Day::Unsaid) {
            Some(word) => match self.day(&word.text) {
                Ok((Day::Unsaid, _) | (_, Some(_))) => (day, used),
                Ok((day, None)) => (day, used + 1),
                Err((why, _)) => return Leading::Doubt(why),
            },
            None => (day, used),
        };
        self.local(day, time, zone, used, clock)
    }

    fn when(&self, when: When, used: usize) -> Leading {
        let at = when.at;
        let said = || in_words(at, self.now, self.zone);
        let is_ahead = at > self.now + CLOCK_GRACE;
        if (at - self.now).abs() > FAR {
            return Leading::Doubt(format!(
                "{} is more than ten years away: is the year right?",
                at.format("%Y-%m-%d")
            ));
        }
        match self.side {
            Side::Past if is_ahead => Leading::Doubt(format!("{} lies in the future", said())),
            Side::Coming if at < self.now => Leading::Doubt(format!("{} is past", said())),
            Side::Past | Side::Coming | Side::Next | Side::Any => Leading::Time(when, used),
        }
    }

    fn relative(&self, word: &str, span: TimeDelta) -> Leading {
        let is_back = word.starts_with('-');
        let is_ahead = word.starts_with('+');
        match self.side {
            // Without a sign it may be the beginning of a sentence: `5m users hurt`.
            Side::Past | Side::Any if !is_back && !is_ahead && !self.is_whole => Leading::None,
            Side::Past | Side::Any if !is_back && !is_ahead => {
                Leading::Doubt(format!("`{word}` could be before or after now: write -{word} for so long ago"))
            }
            Side::Past | Side::Any | Side::Coming | Side::Next => {
                let by = if is_back { -span } else { span };
                match self.now.checked_add_signed(by) {
                    Some(at) => self.when(When::plain(at), 1),
                    None => Leading::Doubt(format!("`{word}` is more than ten years away")),
                }
            }
        }
    }

    /// The day that a word names, and what stands behind its `T`.
    fn day<'w>(&self, word: &'w str) -> Result<Behind<'w, Day>, Behind<'w, String>> {
        for (name, days) in [("yesterday", -1), ("today", 0), ("tomorrow", 1)] {
            if word.eq_ignore_ascii_case(name) {
                return Ok((Day::Near(days), None));
            }
        }
        let none = Ok((Day::Unsaid, None));
        let Some(date) = word.get(..10) else { return none };
        let is_date = date.bytes().enumerate().all(|(place, byte)| match place {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
        let after = match word[date.len()..].chars().next() {
            None => None,
            Some('T' | 't' | '_') => Some(&word[date.len() + 1..]),
            Some(',') if word.len() == date.len() + 1 => None,
            Some(_) => return none,
        };
        if !is_date {
            return none;
        }
        match date.parse::<NaiveDate>() {
            Ok(day) if (1970..=2200).contains(&chrono::Datelike::year(&day)) => Ok((Day::Date(day), after)),
            Ok(_) => Err((format!("the year {} cannot be meant: is it right?", &date[..4]), after)),
            Err(_) => Err((format!("there is no {date} in the calendar"), after)),
        }
    }

    /// The zone that is glued to a time of day or follows it, and how many words that takes; nothing where the word is no time of day after all.
    fn zone_behind(
        &self,
        glued: &str,
        next: Option<&Word>,
        day: Day,
        time: NaiveTime,
    ) -> Result<Option<(Zone, usize)>, String> {
        if matches!(glued, ":" | ",") {
            return Ok(Some((Zone::Unsaid, 0)));
        }
        // `12:30-13:00` is a stretch; only behind a date is it an offset.
        let is_stretch = |word: &str| word.starts_with('-') && !matches!(day, Day::Date(_));
        if !glued.is_empty() {
            let word = glued.trim_end_matches([':', ',']);
            return Ok(zone_of(word).filter(|_| !is_stretch(word)).map(|zone| (zone, 0)));
        }
        let none = Ok(Some((Zone::Unsaid, 0)));
        let Some(word) = next.map(|word| word.text.trim_end_matches([':', ','])) else { return none };
        if is_stretch(word) {
            return none;
        }
        if let Some(letters) = self.own_letters(word) {
            return Ok(Some((Zone::Own(letters), 1)));
        }
        if matches!(word, "IST" | "CST" | "AST") {
            let time = time.format("%H:%M");
            let day = if day == Day::Unsaid { "" } else { "the day and " };
            return Err(format!(
                "{word} names several zones: write {day}{time} with one such as Asia/Kolkata or +05:30"
            ));
        }
        // A small letter alone is a word.
        let zone = zone_of(word).filter(|_| word != "z");
        Ok(Some(zone.map_or((Zone::Unsaid, 0), |zone| (zone, 1))))
    }

    /// Letters by which the incident's zone goes, in winter or in summer: people write CET in July too and mean the clock on the wall.
    fn own_letters(&self, word: &str) -> Option<[u8; 5]> {
        let is_name = (2..=5).contains(&word.len()) && word.bytes().all(|letter| letter.is_ascii_uppercase());
        let is_called = |days: i64| {
            let day = self.now.checked_add_signed(TimeDelta::days(days));
            day.is_some_and(|day| day.with_timezone(&self.zone).format("%Z").to_string() == word)
        };
        if !is_name || !(is_called(0) || is_called(-182) || is_called(182)) {
            return None;
        }
        let mut letters = [0; 5];
        letters[..word.len()].copy_from_slice(word.as_bytes());
        Some(letters)
    }

    fn local(&self, day: Day, time: NaiveTime, zone: Zone, used: usize, said: &str) -> Leading {
        match zone {
            Zone::Unsaid => self.on_the_clock(day, time, self.zone, None, used, said),
            Zone::Named(named) => self.on_the_clock(day, time, named, None, used, said),
            Zone::Fixed(offset) => self.on_the_clock(day, time, offset, None, used, said),
            Zone::Own(letters) => {
                let word = String::from_utf8_lossy(&letters).trim_end_matches('\0').to_owned();
                self.on_the_clock(day, time, self.zone, Some(&word), used, said)
            }
        }
    }

    fn on_the_clock<Z: TimeZone>(
        &self,
        day: Day,
        time: NaiveTime,
        zone: Z,
        letters: Option<&str>,
        used: usize,
        said: &str,
    ) -> Leading
    where
        Z::Offset: fmt::Display,
    {
        let local_now = self.now.with_timezone(&zone).naive_local();
        let today = local_now.date();
        let days = |days: i64| today.checked_add_signed(TimeDelta::days(days)).unwrap_or(today);
        let is_coming = matches!(self.side, Side::Coming | Side::Next);
        let here = zone.offset_from_utc_datetime(&self.now.naive_utc()).fix();
        let is_elsewhere = here != self.now.with_timezone(&self.zone).offset().fix();
        let (date, is_named) = match day {
            Day::Date(date) => (date, true),
            Day::Near(near) => (days(near), true),
            Day::Unsaid => {
                // A minute ahead is now: clocks of two hosts differ a little.
                let is_over =
                    today.and_time(time) <= local_now + if is_coming { TimeDelta::zero() } else { CLOCK_GRACE };
                match (is_coming, is_over) {
                    (false, true) | (true, false) => (today, false),
                    (false, false) => (days(-1), false),
                    (true, true) => (days(1), false),
                }
            }
        };
        let (at, remark) = match self.moment(date.and_time(time), &zone, letters) {
            Ok(found) => found,
            Err(why) => return Leading::Doubt(why),
        };
        let is_far = !is_named && date != today && (at - self.now).abs() > NEAR && self.side != Side::Next;
        if is_far {
            let said = said.trim_end_matches([':', ',']);
            let (where_, name) =
                if is_coming { ("was earlier", "tomorrow") } else { ("is still to come", "yesterday") };
            let is_now = in_words(self.now, self.now, self.zone);
            return Leading::Doubt(format!(
                "{said} {where_} today, it is {is_now}: write {name} {said}, or the zone, such as {said} UTC"
            ));
        }
        self.when(When { at, remark, is_elsewhere, is_dated: matches!(day, Day::Date(_)) }, used)
    }

    /// The moment of a local time, with a remark where the clock showed it twice.
    fn moment<Z: TimeZone>(
        &self,
        local: NaiveDateTime,
        zone: &Z,
        letters: Option<&str>,
    ) -> Result<(DateTime<Utc>, Option<String>), String>
    where
        Z::Offset: fmt::Display,
    {
        let name = |at: &DateTime<Z>| at.offset().to_string();
        match zone.from_local_datetime(&local) {
            LocalResult::Single(at) => {
                let remark = letters.filter(|letters| **letters != *name(&at));
                let remark = remark.map(|letters| format!("{} is in force then, not {letters}", name(&at)));
                Ok((at.with_timezone(&Utc), remark))
            }
            LocalResult::Ambiguous(first, second) => {
                if let Some(named) = [&first, &second].into_iter().find(|at| letters == Some(name(at).as_str())) {
                    return Ok((named.with_timezone(&Utc), None));
                }
                // Of the two that have been, the later one.
                let is_second = self.side != Side::Past || second.with_timezone(&Utc) <= self.now + CLOCK_GRACE;
                let (chosen, other) = if is_second { (second, first) } else { (first, second) };
                let remark = format!(
                    "the clock shows it twice that night: write {} {} for the other",
                    local.format("%H:%M"),
                    name(&other)
                );
                Ok((chosen.with_timezone(&Utc), Some(remark)))
            }
            LocalResult::None => Err(format!(
                "no clock shows {} on {}: it is skipped when the clocks go forward",
                local.format("%H:%M"),
                local.format("%Y-%m-%d")
            )),
        }
    }
}

/// How long `-1h30m`, `+5m`, `90s`, `-3d` are; the sign is the caller's.
fn span(word: &str) -> Option<TimeDelta> {
    let mut rest = word.strip_prefix(['-', '+']).unwrap_or(word);
    let mut sum = TimeDelta::zero();
    let mut least = i64::MAX;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let letters = rest[digits..].bytes().take_while(u8::is_ascii_alphabetic).count();
        let seconds = match &rest[digits..digits + letters] {
            "w" => 604_800,
            "d" => 86_400,
            "h" => 3600,
            "m" | "min" => 60,
            "s" | "sec" => 1,
            _ => return None,
        };
        // Each unit once, the longest first.
        if seconds >= least {
            return None;
        }
        least = seconds;
        let number: i64 = rest[..digits].parse().ok().filter(|number| *number <= 1_000_000)?;
        sum += TimeDelta::seconds(number * seconds);
        rest = &rest[digits + letters..];
    }
    Some(sum)
}

/// The time of day with which a word begins (nothing inside where no clock shows it), and the rest of the word.
fn clock_of(word: &str) -> Option<(Option<NaiveTime>, &str)> {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let hours = digits(word);
    let rest = word[hours..].strip_prefix(':')?;
    // `10:1` is a ratio.
    if !(1..=2).contains(&hours) || digits(rest) != 2 {
        return None;
    }
    let (minutes, mut rest) = (&rest[..2], &rest[2..]);
    let mut seconds = "0";
    if let Some(after) = rest.strip_prefix(':').filter(|after| digits(after) == 2) {
        (seconds, rest) = (&after[..2], &after[2..]);
        if let Some(fraction) = rest.strip_prefix(['.', ',']).filter(|fraction| digits(fraction) > 0) {
            rest = &fraction[digits(fraction)..];
        }
    }
    let number = |digits: &str| digits.parse::<u32>().ok();
    let time = NaiveTime::from_hms_opt(number(&word[..hours])?, number(minutes)?, number(seconds)?);
    Some((time, rest))
}

/// A zone by its name, its letters where they mean one zone only, or its offset.
fn zone_of(word: &str) -> Option<Zone> {
    if word.contains('/') {
        return word.parse().ok().map(Zone::Named);
    }
    let universal = word.strip_prefix("UTC").or_else(|| word.strip_prefix("GMT"));
    if matches!(word, "Z" | "z" | "utc" | "gmt") || universal == Some("") {
        return Some(Zone::Fixed(Utc.fix()));
    }
    if let Some(offset) = offset(universal.unwrap_or(word), universal.is_some()) {
        return Some(Zone::Fixed(offset));
    }
    let minutes = match word {
        "WET" => 0,
        "CET" | "WEST" | "BST" => 60,
        "CEST" | "EET" => 120,
        "EEST" | "MSK" | "TRT" => 180,
        "IRST" => 210,
        "PKT" => 300,
        "SGT" | "HKT" => 480,
        "JST" | "KST" => 540,
        "AEST" => 600,
        "AEDT" => 660,
        "EDT" => -240,
        "EST" | "CDT" => -300,
        "MDT" => -360,
        "PDT" => -420,
        "PST" => -480,
        _ => return None,
    };
    FixedOffset::east_opt(minutes * 60).map(Zone::Fixed)
}

/// `+03:30`, `-0500`; behind `UTC` also `+3`.
fn offset(word: &str, is_short_allowed: bool) -> Option<FixedOffset> {
    let sign = match word.chars().next()? {
        '+' => 1,
        '-' => -1,
        _ => return None,
    };
    let digits = word[1..].replace(':', "");
    let is_short = digits.len() <= 2;
    if !matches!(digits.len(), 1 | 2 | 4)
        || (is_short && !is_short_allowed)
        || !digits.bytes().all(|byte| byte.is_ascii_digit())
    {
        return None;
    }
    let number: i32 = digits.parse().ok()?;
    let minutes = if is_short { number * 60 } else { number / 100 * 60 + number % 100 };
    FixedOffset::east_opt(sign * minutes * 60).filter(|_| minutes <= 14 * 60)
}

#[cfg(test)]
mod tests;
