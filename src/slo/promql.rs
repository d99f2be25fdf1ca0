//! PromQL as a file has it: checked before an incident asks it, and sent as it was written.
//!
//! Hides the grammar of the language, and the placeholders of dashboards. No crate is used: the one that there is says "invalid promql query" and no
//! place, and brings twenty others.
//!
//! What is understood of placeholders: `$window`, and `$__range` for the same; `$__interval`, the distance of samples; `$__rate_interval`, four times
//! that, as a scrape may be missed. Each may be written with braces. Outside of texts in quotes nothing else may stand behind a `$`; inside, it is what
//! the language means by it: the end of a regular expression, a group of `label_replace`.
//!
//! Invariant: comments, line breaks and texts in quotes of a query are never changed. A function that is not known here may be a newer one: it is a
//! doubt, and no fault.

mod functions;

use std::ops::Range;

use crate::text::duration::Lapse;
use functions::{AGGREGATIONS, OF_RANGE, OF_VALUES, WITH_VALUE};

/// The longest query that a file may have, in bytes.
pub const MOST_BYTES: usize = 16 * 1024;
/// A query nests no deeper.
const DEEPEST: usize = 200;

/// What is wrong with a query, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The line of the query, from 1.
    pub line: usize,
    /// The letter of the line, from 1.
    pub column: usize,
    /// What is wrong.
    pub what: String,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "line {}, column {} of the query: {}", self.line, self.column, self.what)
    }
}

/// What a placeholder stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Placeholder {
    Window,
    Interval,
    RateInterval,
}

const PLACEHOLDERS: [(&str, Placeholder); 4] = [
    ("window", Placeholder::Window),
    ("__range", Placeholder::Window),
    ("__interval", Placeholder::Interval),
    ("__rate_interval", Placeholder::RateInterval),
];

/// Checks a query; gives what is doubtful in one that can be asked.
pub fn check(query: &str) -> Result<Vec<Fault>, Fault> {
    if query.len() > MOST_BYTES {
        let what = format!("it has {} bytes, and {MOST_BYTES} are the most", query.len());
        return Err(fault(query, 0, what));
    }
    let tokens = tokens(query)?;
    let mut reader = Reader { query, tokens, at: 0, deep: 0, doubts: Vec::new() };
    let begin = reader.here();
    let kind = reader.expression(0)?;
    if let Some(token) = reader.peek() {
        return Err(reader.unexpected(token.clone(), "the end of the query"));
    }
    match kind {
        Type::Range => {
            Err(fault(query, begin, "is a range of samples, and no value: it wants a function such as rate".to_owned()))
        }
        Type::Text => Err(fault(query, begin, "is a text, and no value".to_owned())),
        Type::Scalar | Type::Vector => {
            let dollars = reader.tokens.iter().filter(|token| token.kind == Kind::Text);
            let pattern = dollars.filter_map(|token| variable(&query[token.at.clone()], token.at.start));
            let pattern = pattern.map(|(at, name)| {
                let what = format!(
                    "`${name}` in quotes is sent as it stands: if it is a dashboard's variable, write its value"
                );
                fault(query, at, what)
            });
            let pattern: Vec<Fault> = pattern.collect();
            reader.doubts.extend(pattern);
            Ok(reader.doubts)
        }
    }
}

/// A `$name` in a text in quotes, as dashboards write their variables.
fn variable(text: &str, start: usize) -> Option<(usize, String)> {
    let (before, after) = text.split_once('$')?;
    let name = after.strip_prefix('{').unwrap_or(after);
    let end = name.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').unwrap_or(name.len());
    let name = &name[..end];
    name.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_')
        .then(|| (start + before.len(), name.to_owned()))
}

/// Whether a query looks at a window, not at one moment.
pub fn is_windowed(query: &str) -> bool {
    places(query).iter().any(|(_, known)| *known == Placeholder::Window)
}

/// A query with its placeholders filled in.
pub fn filled(query: &str, window: &str, every: Lapse) -> String {
    let mut out = String::with_capacity(query.len());
    let mut from = 0;
    for (at, known) in places(query) {
        out.push_str(&query[from..at.start]);
        match known {
            Placeholder::Window => out.push_str(window),
            Placeholder::Interval => out.push_str(&every.to_string()),
            Placeholder::RateInterval => out.push_str(&Lapse::times(every, 4).to_string()),
        }
        from = at.end;
    }
    out.push_str(&query[from..]);
    out
}

/// The placeholders of a query. One that cannot be read in words is none of a file that was checked; what it has is filled in all the same.
fn places(query: &str) -> Vec<(Range<usize>, Placeholder)> {
    let of = |token: Token| match token.kind {
        Kind::Placeholder(known) => Some((token.at, known)),
        Kind::Name | Kind::Number | Kind::Length | Kind::Text | Kind::Sign => None,
    };
    let mut found = Vec::new();
    let mut at = 0;
    while let Ok(Some(token)) = token(query, at) {
        at = token.at.end;
        found.extend(of(token));
    }
    found
}

/// The buckets that a query reads its quantile from, where what it gives is that quantile: the call stands alone, or in an aggregation that keeps values.
pub fn buckets(query: &str) -> Option<&str> {
    let tokens = tokens(query).ok()?;
    let text = |place: usize| tokens.get(place).map_or("", |token: &Token| &query[token.at.clone()]);
    let call = (0..tokens.len()).find(|place| text(*place) == "histogram_quantile" && text(place + 1) == "(")?;
    let keeps = ["max", "min", "topk", "bottomk", "sort", "sort_desc", "by", "without", "(", ")", ","];
    let (mut depth, mut comma, mut close) = (0, None, None);
    for place in call + 1..tokens.len() {
        match text(place) {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            "," if depth == 1 => comma = comma.or(Some(place)),
            _ => {}
        }
        if depth == 0 {
            close = Some(place);
            break;
        }
    }
    let (comma, close) = (comma?, close?);
    let mut around = (0..call).chain(close + 1..tokens.len());
    let is_label = |place: usize| {
        let before = (0..place).rev().map(text).take_while(|word| *word != "(" && *word != ")").count();
        let word = place.checked_sub(before + 2).map(text);
        matches!(word, Some("by" | "without"))
    };
    let is_kept = around.all(|place| {
        let kind = tokens[place].kind;
        keeps.contains(&text(place)) || matches!(kind, Kind::Number) || kind == Kind::Name && is_label(place)
    });
    is_kept.then(|| query[tokens[comma].at.end..tokens[close].at.start].trim())
}

fn fault(query: &str, at: usize, what: String) -> Fault {
    let before = &query[..at.min(query.len())];
    let start = before.rfind('\n').map_or(0, |place| place + 1);
    Fault { line: before.matches('\n').count() + 1, column: before[start..].chars().count() + 1, what }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A name of a metric, function, label, or a word of the language.
    Name,
    Number,
    /// `5m`.
    Length,
    Text,
    Sign,
    Placeholder(Placeholder),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Token {
    kind: Kind,
    at: Range<usize>,
}

fn tokens(query: &str) -> Result<Vec<Token>, Fault> {
    let mut all = Vec::new();
    let mut at = 0;
    while let Some(token) = token(query, at)? {
        at = token.at.end;
        all.push(token);
    }
    Ok(all)
}

const SIGNS: [&str; 22] = [
    "==", "!=", "<=", ">=", "=~", "!~", "(", ")", "[", "]", "{", "}", ",", ":", "@", "=", "<", ">", "+", "-", "*", "/",
];

/// The next token from a place on.
fn token(query: &str, from: usize) -> Result<Option<Token>, Fault> {
    let mut at = from;
    loop {
        let rest = &query[at..];
        at += rest.len() - rest.trim_start().len();
        if !query[at..].starts_with('#') {
            break;
        }
        at += query[at..].find('\n').unwrap_or(query.len() - at);
    }
    let rest = &query[at..];
    let Some(first) = rest.chars().next() else { return Ok(None) };
    let run = |is: fn(char) -> bool| rest.find(|letter: char| !is(letter)).unwrap_or(rest.len());
    let (kind, length) = match first {
        '"' | '\'' | '`' => (Kind::Text, quoted(query, at, first)?),
        '$' => {
            let (known, length) = placeholder(query, at)?;
            (Kind::Placeholder(known), length)
        }
        letter if letter.is_ascii_digit() || letter == '.' => number(query, at)?,
        letter if letter.is_ascii_alphabetic() || letter == '_' => {
            (Kind::Name, run(|letter| letter.is_ascii_alphanumeric() || letter == '_' || letter == ':'))
        }
        '%' | '^' => (Kind::Sign, 1),
        _ => match SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            Some(sign) => (Kind::Sign, sign.len()),
            None => return Err(fault(query, at, format!("`{first}` is no sign of the language"))),
        },
    };
    Ok(Some(Token { kind, at: at..at + length }))
}

fn quoted(query: &str, at: usize, quote: char) -> Result<usize, Fault> {
    let mut letters = query[at..].char_indices().skip(1);
    while let Some((place, letter)) = letters.next() {
        match letter {
            letter if letter == quote => return Ok(place + 1),
            '\n' if quote != '`' => break,
            '\\' if quote != '`' => {
                let known = r#"abfnrtv\01234567xuU"#;
                match letters.next() {
                    Some((_, next)) if known.contains(next) || next == quote => {}
                    Some((_, next)) => {
                        let what =
                            format!("`\\{next}` is no escape: write `\\\\{next}`, or put the text between backticks");
                        return Err(fault(query, at + place, what));
                    }
                    None => break,
                }
            }
            _ => {}
        }
    }
    Err(fault(query, at, format!("the text that begins here has no closing {quote}")))
}

fn placeholder(query: &str, at: usize) -> Result<(Placeholder, usize), Fault> {
    let rest = &query[at + 1..];
    let (inner, around) = rest.strip_prefix('{').map_or((rest, 0), |inner| (inner, 2));
    let end = inner.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').unwrap_or(inner.len());
    let name = &inner[..end];
    let is_closed = around == 0 || inner[end..].starts_with('}');
    match PLACEHOLDERS.iter().find(|(known, _)| *known == name).filter(|_| is_closed) {
        Some((_, known)) => Ok((*known, 1 + end + around)),
        None => {
            let names: Vec<String> = PLACEHOLDERS.iter().map(|(name, _)| format!("${name}")).collect();
            Err(fault(query, at, format!("`${name}` is not filled in: {} are", names.join(", "))))
        }
    }
}

/// The units of lengths, the longer spelling first.
const UNITS: [&str; 7] = ["ms", "y", "w", "d", "h", "m", "s"];

fn number(query: &str, at: usize) -> Result<(Kind, usize), Fault> {
    let rest = &query[at..];
    let digits = |text: &str| text.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'_').count();
    if rest.get(..2).is_some_and(|head| head.eq_ignore_ascii_case("0x")) {
        let length = rest[2..].bytes().take_while(u8::is_ascii_hexdigit).count();
        return if length > 0 {
            Ok((Kind::Number, 2 + length))
        } else {
            Err(fault(query, at, "`0x` wants digits".to_owned()))
        };
    }
    let whole = digits(rest);
    let unit = |text: &str| UNITS.iter().find(|unit| text.starts_with(**unit)).map(|unit| unit.len());
    let is_word = |text: &str| text.starts_with(|letter: char| letter.is_ascii_alphanumeric() || letter == '_');
    if whole > 0 && unit(&rest[whole..]).is_some() {
        let mut length = 0;
        loop {
            let more = digits(&rest[length..]);
            match unit(&rest[length + more..]).filter(|_| more > 0) {
                Some(unit) => length += more + unit,
                None => break,
            }
        }
        if is_word(&rest[length..]) {
            return Err(fault(query, at, "is no length of time: write 5m, 1h30m or 250ms".to_owned()));
        }
        return Ok((Kind::Length, length));
    }
    let mut length = whole;
    if rest[length..].starts_with('.') {
        length += 1 + digits(&rest[length + 1..]);
    }
    if rest[length..].starts_with(['e', 'E']) {
        let sign = usize::from(rest[length + 1..].starts_with(['+', '-']));
        let exponent = digits(&rest[length + 1 + sign..]);
        if exponent > 0 {
            length += 1 + sign + exponent;
        }
    }
    if length == 1 && rest.starts_with('.') || is_word(&rest[length..]) {
        return Err(fault(query, at, "is no number".to_owned()));
    }
    Ok((Kind::Number, length))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Type {
    Scalar,
    Vector,
    Range,
    Text,
}

impl Type {
    fn word(self) -> &'static str {
        match self {
            Self::Scalar => "a number",
            Self::Vector => "a vector",
            Self::Range => "a range of samples",
            Self::Text => "a text",
        }
    }
}

struct Reader<'a> {
    query: &'a str,
    tokens: Vec<Token>,
    at: usize,
    deep: usize,
    doubts: Vec<Fault>,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn text(&self, token: &Token) -> &'a str {
        &self.query[token.at.clone()]
    }

    fn next_text(&self) -> &'a str {
        self.peek().map_or("", |token| self.text(token))
    }

    /// Where the next token begins.
    fn here(&self) -> usize {
        self.peek().map_or(self.query.trim_end().len(), |token| token.at.start)
    }

    fn takes(&mut self, sign: &str) -> bool {
        let is = self.peek().is_some_and(|token| token.kind == Kind::Sign) && self.next_text() == sign;
        self.at += usize::from(is);
        is
    }

    fn is_word(&self, word: &str) -> bool {
        self.peek().is_some_and(|token| token.kind == Kind::Name) && self.next_text().eq_ignore_ascii_case(word)
    }

    fn takes_word(&mut self, word: &str) -> bool {
        let is = self.is_word(word);
        self.at += usize::from(is);
        is
    }

    fn wants(&mut self, sign: &str) -> Result<(), Fault> {
        if self.takes(sign) { Ok(()) } else { Err(self.wrong(&format!("`{sign}`"))) }
    }

    fn unexpected(&self, token: Token, wanted: &str) -> Fault {
        fault(self.query, token.at.start, format!("`{}` stands where {wanted} should", self.text(&token)))
    }

    fn wrong(&self, wanted: &str) -> Fault {
        match self.peek() {
            Some(token) => self.unexpected(token.clone(), wanted),
            None => fault(self.query, self.here(), format!("it ends here, and {wanted} is missing")),
        }
    }

    /// The operator that comes next: how strongly it binds.
    fn operator(&self) -> Option<(u8, bool)> {
        let token = self.peek()?;
        let text = self.text(token);
        Some(match token.kind {
            Kind::Name if text.eq_ignore_ascii_case("or") => (1, false),
            Kind::Name if ["and", "unless"].iter().any(|word| text.eq_ignore_ascii_case(word)) => (2, false),
            Kind::Name if text.eq_ignore_ascii_case("atan2") => (5, false),
            Kind::Sign => match text {
                "==" | "!=" | "<" | "<=" | ">" | ">=" => (3, true),
                "+" | "-" => (4, false),
                "*" | "/" | "%" => (5, false),
                "^" => (6, false),
                _ => return None,
            },
            Kind::Name | Kind::Number | Kind::Length | Kind::Text | Kind::Placeholder(_) => return None,
        })
    }

    fn expression(&mut self, least: u8) -> Result<Type, Fault> {
        self.deep += 1;
        if self.deep > DEEPEST {
            return Err(fault(self.query, self.here(), "nests too deep".to_owned()));
        }
        let begin = self.here();
        let mut left = self.signed()?;
        while let Some((binds, compares)) = self.operator().filter(|(binds, _)| *binds >= least) {
            let operator = self.next_text();
            self.value(left, begin, operator)?;
            self.at += 1;
            let is_bool = compares && self.takes_word("bool");
            self.matching()?;
            let begin = self.here();
            // A power is worked out from its right end.
            let right = self.expression(if binds == 6 { 6 } else { binds + 1 })?;
            self.value(right, begin, operator)?;
            if left == Type::Scalar && right == Type::Scalar {
                if compares && !is_bool {
                    return Err(fault(self.query, begin, format!("two numbers are compared: write `{operator} bool`")));
                }
                if binds <= 2 {
                    return Err(fault(self.query, begin, format!("`{operator}` stands between two numbers")));
                }
            } else {
                left = Type::Vector;
            }
        }
        self.deep -= 1;
        Ok(left)
    }

    /// Refuses what no operator takes.
    fn value(&self, kind: Type, at: usize, operator: &str) -> Result<(), Fault> {
        match kind {
            Type::Scalar | Type::Vector => Ok(()),
            Type::Range | Type::Text => {
                Err(fault(self.query, at, format!("is {}, and `{operator}` wants a value", kind.word())))
            }
        }
    }

    /// `on (…)`, `ignoring (…)`, `group_left (…)`, `group_right (…)`.
    fn matching(&mut self) -> Result<(), Fault> {
        if !self.takes_word("on") && !self.takes_word("ignoring") {
            return Ok(());
        }
        self.labels()?;
        if (self.takes_word("group_left") || self.takes_word("group_right")) && self.next_text() == "(" {
            self.labels()?;
        }
        Ok(())
    }

    fn labels(&mut self) -> Result<(), Fault> {
        self.wants("(")?;
        while !self.takes(")") {
            match self.peek().map(|token| token.kind) {
                Some(Kind::Name | Kind::Text) => self.at += 1,
                Some(Kind::Number | Kind::Length | Kind::Sign | Kind::Placeholder(_)) | None => {
                    return Err(self.wrong("the name of a label"));
                }
            }
            if !self.takes(",") {
                self.wants(")")?;
                break;
            }
        }
        Ok(())
    }

    fn signed(&mut self) -> Result<Type, Fault> {
        if self.takes("-") || self.takes("+") {
            let begin = self.here();
            // It binds less than a power, and more than anything else.
            let kind = self.expression(6)?;
            self.value(kind, begin, "-")?;
            return Ok(kind);
        }
        self.postfixed()
    }

    fn postfixed(&mut self) -> Result<Type, Fault> {
        let begin = self.here();
        let mut kind = self.primary()?;
        loop {
            let place = self.here();
            if self.takes("[") {
                self.length()?;
                if self.takes(":") {
                    if self.next_text() != "]" {
                        self.length()?;
                    }
                } else if kind != Type::Vector || self.query[begin..place].trim_end().ends_with(')') {
                    let what = "a range stands behind the name of a metric; of another expression it is `[5m:]`";
                    return Err(fault(self.query, place, what.to_owned()));
                }
                self.wants("]")?;
                if !matches!(kind, Type::Vector | Type::Scalar) {
                    return Err(fault(self.query, place, format!("a range of {}", kind.word())));
                }
                kind = Type::Range;
            } else if self.takes_word("offset") {
                let _ = self.takes("-") || self.takes("+");
                self.length()?;
            } else if self.takes("@") {
                if self.takes_word("start") || self.takes_word("end") {
                    self.wants("(")?;
                    self.wants(")")?;
                } else {
                    let _ = self.takes("-") || self.takes("+");
                    match self.peek().map(|token| token.kind) {
                        Some(Kind::Number) => self.at += 1,
                        Some(Kind::Name | Kind::Length | Kind::Text | Kind::Sign | Kind::Placeholder(_)) | None => {
                            return Err(self.wrong("a time in seconds"));
                        }
                    }
                }
            } else {
                return Ok(kind);
            }
        }
    }

    fn length(&mut self) -> Result<(), Fault> {
        match self.peek().map(|token| token.kind) {
            Some(Kind::Length | Kind::Placeholder(_)) => {
                self.at += 1;
                Ok(())
            }
            Some(Kind::Name | Kind::Number | Kind::Text | Kind::Sign) | None => {
                Err(self.wrong("a length of time, such as 5m,"))
            }
        }
    }

    fn primary(&mut self) -> Result<Type, Fault> {
        let Some(token) = self.peek().cloned() else { return Err(self.wrong("a value")) };
        let text = self.text(&token);
        match token.kind {
            Kind::Number | Kind::Length | Kind::Placeholder(_) => {
                self.at += 1;
                Ok(Type::Scalar)
            }
            Kind::Text => {
                self.at += 1;
                Ok(Type::Text)
            }
            Kind::Sign if text == "(" => {
                self.at += 1;
                let kind = self.expression(0)?;
                self.wants(")")?;
                Ok(kind)
            }
            Kind::Sign if text == "{" => self.matchers(false),
            Kind::Sign => Err(self.wrong("a value")),
            Kind::Name => self.named(token),
        }
    }

    fn named(&mut self, token: Token) -> Result<Type, Fault> {
        let text = self.text(&token);
        let lower = text.to_ascii_lowercase();
        self.at += 1;
        if ["inf", "nan"].contains(&lower.as_str()) && self.next_text() != "{" {
            return Ok(Type::Scalar);
        }
        let is_grouped = self.is_word("by") || self.is_word("without");
        if AGGREGATIONS.contains(&lower.as_str()) && (is_grouped || self.next_text() == "(") {
            return self.aggregation(&lower);
        }
        if self.next_text() == "(" {
            return self.call(&token, text);
        }
        let words =
            ["or", "and", "unless", "by", "without", "on", "ignoring", "group_left", "group_right", "bool", "offset"];
        if words.contains(&lower.as_str()) {
            return Err(self.unexpected(token, "a value"));
        }
        if self.next_text() == "{" {
            return self.matchers(true);
        }
        Ok(Type::Vector)
    }

    fn aggregation(&mut self, name: &str) -> Result<Type, Fault> {
        let group = |reader: &mut Self| -> Result<bool, Fault> {
            let is = reader.takes_word("by") || reader.takes_word("without");
            if is {
                reader.labels()?;
            }
            Ok(is)
        };
        let before = group(self)?;
        let begin = self.here();
        let given = self.arguments()?;
        if !before {
            group(self)?;
        }
        let wanted = if WITH_VALUE.contains(&name) { 2 } else { 1 };
        if given.len() != wanted {
            let what =
                format!("`{name}` takes {}, and {} stand here", crate::text::many(wanted, "argument"), given.len());
            return Err(fault(self.query, begin, what));
        }
        match given.last() {
            Some((Type::Vector, _)) => Ok(Type::Vector),
            Some((kind, at)) => Err(fault(self.query, *at, format!("is {}, and `{name}` wants a vector", kind.word()))),
            None => Ok(Type::Vector),
        }
    }

    fn arguments(&mut self) -> Result<Vec<(Type, usize)>, Fault> {
        self.wants("(")?;
        let mut given = Vec::new();
        if self.takes(")") {
            return Ok(given);
        }
        loop {
            let at = self.here();
            given.push((self.expression(0)?, at));
            if !self.takes(",") {
                self.wants(")")?;
                return Ok(given);
            }
        }
    }

    fn call(&mut self, token: &Token, name: &str) -> Result<Type, Fault> {
        let given = self.arguments()?;
        let count = |least: usize, most: usize| {
            if (least..=most).contains(&given.len()) {
                return Ok(());
            }
            let wanted = if least == most { format!("{least}") } else { format!("at least {least}") };
            let wanted = if given.len() > most { format!("at most {most}") } else { wanted };
            let what = format!("`{name}` takes {wanted} arguments, and {} stand here", given.len());
            Err(fault(self.query, token.at.start, what))
        };
        if let Some((_, before, behind)) = OF_RANGE.iter().find(|(known, ..)| *known == name) {
            count(before + 1, before + 1 + behind)?;
            let (kind, at) = given[*before];
            return match kind {
                Type::Range => Ok(Type::Vector),
                Type::Scalar | Type::Vector | Type::Text => {
                    let what = format!("is {}, and `{name}` wants a range of samples, such as x[5m]", kind.word());
                    Err(fault(self.query, at, what))
                }
            };
        }
        let Some((_, least, most)) = OF_VALUES.iter().find(|(known, ..)| *known == name) else {
            let what = format!("`{name}` is no function that is known here: a newer Prometheus may have it");
            self.doubts.push(fault(self.query, token.at.start, what));
            return Ok(Type::Vector);
        };
        count(*least, *most)?;
        if let Some((kind, at)) = given.iter().find(|(kind, _)| *kind == Type::Range) {
            return Err(fault(self.query, *at, format!("is {}, and `{name}` wants a vector", kind.word())));
        }
        Ok(if ["scalar", "time", "pi"].contains(&name) { Type::Scalar } else { Type::Vector })
    }

    fn matchers(&mut self, has_name: bool) -> Result<Type, Fault> {
        let begin = self.here();
        self.wants("{")?;
        let mut count = 0;
        while !self.takes("}") {
            let Some(token) = self.peek().cloned() else { return Err(self.wrong("`}`")) };
            match token.kind {
                Kind::Name | Kind::Text => self.at += 1,
                Kind::Number | Kind::Length | Kind::Sign | Kind::Placeholder(_) => {
                    return Err(self.wrong("the name of a label"));
                }
            }
            count += 1;
            let has_sign = ["=", "!=", "=~", "!~"].iter().any(|sign| self.takes(sign));
            if has_sign {
                match self.peek().map(|token| token.kind) {
                    Some(Kind::Text) => self.at += 1,
                    Some(Kind::Name | Kind::Number | Kind::Length | Kind::Sign | Kind::Placeholder(_)) | None => {
                        return Err(self.wrong("a text in quotes"));
                    }
                }
            } else if token.kind == Kind::Name {
                return Err(self.wrong("one of =, !=, =~, !~"));
            }
            if !self.takes(",") {
                self.wants("}")?;
                break;
            }
        }
        if count == 0 && !has_name {
            return Err(fault(self.query, begin, "names no metric and no label".to_owned()));
        }
        Ok(Type::Vector)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(query: &str) -> String {
        match check(query) {
            Ok(doubts) => doubts.iter().map(ToString::to_string).collect(),
            Err(fault) => fault.to_string(),
        }
    }

    #[test]
    fn what_prometheus_takes_is_taken() {
        for query in [
            "up",
            "1",
            "-1 ^ 2",
            "sum(rate(x[5m])) by (job)",
            "sum by (job, instance,) (rate(x{a=\"b\",c!~'d|e$',}[$window]))",
            "histogram_quantile(0.99, sum by (le) (rate(x_bucket[$__rate_interval])))",
            "# what hurts\nsum(rate(errors[5m])) # bad\n/\nsum(rate(all[5m]))\n",
            "a / on(job) group_left(version) b",
            "a and ignoring (x) b or c unless on() d",
            "max_over_time(rate(x[1m])[1h:30s])",
            "max_over_time((a / b)[1h:])",
            "x offset -1h30m @ end()",
            "x @ 1609746000 offset 5m == 1",
            "topk(5, x) > bool 0",
            "label_replace(x, \"a\", \"$1\", \"b\", \"(.*)\")",
            "{__name__=~\"job:.+\"}",
            "{\"my.metric\", pod=~\"api-$\"}",
            "absent(up{job=`a\nb`})",
            "quantile_over_time(0.9, x[1h])",
            "x{pod=~\"a|b$\"}",
            "time() - process_start_time_seconds{} > 0x1F",
            "count_values(\"v\", x)",
            "1e-3 * .5 + 5. - Inf + NaN",
            "sum(x) > 0 < bool 5",
            "rate(x[${window}])",
            "clamp_max(x, 5) % 2 atan2 y",
            "predict_linear(x[1h], 3600) < 0",
            "round(x, 0.1) + vector(1) + scalar(x)",
            "sum without (pod) (x) == on (a) group_right b",
        ] {
            assert_eq!(said(query), "", "{query}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line_and_column() {
        for (query, wrong) in [
            ("sum(rate(x[5m])", "line 1, column 16 of the query: it ends here, and `)` is missing"),
            (
                "rate(x)",
                "line 1, column 6 of the query: is a vector, and `rate` wants a range of samples, such as x[5m]",
            ),
            (
                "x[5m]",
                "line 1, column 1 of the query: is a range of samples, and no value: it wants a function such as rate",
            ),
            ("x[5m] + 1", "line 1, column 1 of the query: is a range of samples, and `+` wants a value"),
            ("x{a=b}", "line 1, column 5 of the query: `b` stands where a text in quotes should"),
            ("x{a \"b\"}", "line 1, column 5 of the query: `\"b\"` stands where one of =, !=, =~, !~ should"),
            ("x{a=\"b}", "line 1, column 5 of the query: the text that begins here has no closing \""),
            (
                "x{a=~\"\\d+\"}",
                "line 1, column 7 of the query: `\\d` is no escape: write `\\\\d`, or put the text between backticks",
            ),
            ("a\n+\n* b", "line 3, column 1 of the query: `*` stands where a value should"),
            ("x y", "line 1, column 3 of the query: `y` stands where the end of the query should"),
            ("rate(x[5 m])", "line 1, column 8 of the query: `5` stands where a length of time, such as 5m, should"),
            (
                "rate(x[$windwo])",
                "line 1, column 8 of the query: `$windwo` is not filled in: $window, $__range, $__interval, $__rate_interval are",
            ),
            ("sum(x, y)", "line 1, column 4 of the query: `sum` takes 1 argument, and 2 stand here"),
            (
                "histogram_quantile(x)",
                "line 1, column 1 of the query: `histogram_quantile` takes 2 arguments, and 1 stand here",
            ),
            ("1 > 2", "line 1, column 5 of the query: two numbers are compared: write `> bool`"),
            ("{}", "line 1, column 1 of the query: names no metric and no label"),
            ("x; y", "line 1, column 2 of the query: `;` is no sign of the language"),
            ("", "line 1, column 1 of the query: it ends here, and a value is missing"),
            ("# nothing", "line 1, column 10 of the query: it ends here, and a value is missing"),
            ("sum(rate(x[5m])[1h])", "line 1, column 16 of the query: a range stands behind the name of a metric"),
        ] {
            let is = said(query);
            assert!(is.starts_with(wrong), "{query}: {is}");
        }
        assert!(said(&"x + ".repeat(5_000)).contains("16384 are the most"));
        assert!(said(&"(".repeat(5_000)).contains("nests too deep"));
    }

    #[test]
    fn placeholders_are_filled_in_and_nothing_else_is_changed() {
        let query = "# $window in a comment\r\nsum(rate(x{a=~\"$window|b$pod\"}[$window])) /\n\tsum(rate(y[${__rate_interval}] offset $__interval))";
        let every: Lapse = "15s".parse().unwrap();
        assert_eq!(
            filled(query, "1h", every),
            "# $window in a comment\r\nsum(rate(x{a=~\"$window|b$pod\"}[1h])) /\n\tsum(rate(y[1m] offset 15s))"
        );
        assert!(is_windowed(query) && is_windowed("rate(x[$__range])") && !is_windowed("rate(x[$__rate_interval])"));
        assert_eq!(
            said("x{pod=~\"$pod\"}"),
            "line 1, column 9 of the query: `$pod` in quotes is sent as it stands: if it is a dashboard's variable, write its value"
        );
        assert_eq!(
            said("fresh_function(x)"),
            "line 1, column 1 of the query: `fresh_function` is no function that is known here: a newer Prometheus may have it"
        );
    }

    #[test]
    fn a_quantile_s_buckets_are_found_where_nothing_changes_its_value() {
        let buckets_of = "sum by (le) (rate(x_bucket{a=\"b\"}[5m]))";
        for (query, found) in [
            ("histogram_quantile(0.99, sum by (le) (rate(x_bucket{a=\"b\"}[5m])))", true),
            ("max by (pod) (histogram_quantile(0.99, sum by (le) (rate(x_bucket{a=\"b\"}[5m]))))", true),
            ("topk(3, histogram_quantile(0.99, sum by (le) (rate(x_bucket{a=\"b\"}[5m]))))", true),
            ("histogram_quantile(0.99, sum by (le) (rate(x_bucket{a=\"b\"}[5m]))) * 1000", false),
            ("avg(histogram_quantile(0.99, sum by (le) (rate(x_bucket{a=\"b\"}[5m]))))", false),
            ("histogram_quantile(0.99, a) / histogram_quantile(0.99, b)", false),
            ("sum(rate(x[5m]))", false),
        ] {
            assert_eq!(buckets(query), found.then_some(buckets_of), "{query}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_without_a_panic_and_a_fault_lies_in_it(query in "[a-z(){}\\[\\],\"'`$#\n 0-9.:+*/=~!<>@%é-]{0,60}") {
            if let Err(Fault { line, column, .. }) = check(&query) {
                let lines: Vec<&str> = query.split('\n').collect();
                proptest::prop_assert!(line <= lines.len() && column <= lines[line - 1].chars().count() + 1);
            }
            let _ = (filled(&query, "5m", Lapse::seconds(15)), buckets(&query));
        }
    }
}
