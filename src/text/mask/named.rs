//! Secrets that are known by the name before them: `password: …`, `DB_PASS=…`, `--token …`, `"secret": "…"`.
//!
//! Hides how a name, a sign and a value are told from a sentence about passwords: after a name and a sign stands a
//! secret, unless it is a word that tells of its state ("token: it expired"), a figure, or the name of the place where
//! the secret lies (`$DB_PASS`).

use std::sync::LazyLock;

use regex::Regex;

use super::SECRET;
use super::rules::is_reference;

/// Names of secrets. In the first group a glued word counts too (`PGPASSWORD`, `dbpassword`).
static NAME: LazyLock<Regex> = LazyLock::new(|| {
    let glued = "password|passwd|passphrase|passwort|kennwort|contraseña|пароль|گذرواژه|پسورد|رمز عبور|mot de passe";
    let alone = "passcode|passwds?|passwords|pass|pwd|pw|senha|токен|secrets?|tokens?|credentials?|creds\
        |authtoken|accesstoken|secretkey|requirepass|masterauth|session[ _.-]?ids?|jsessionid|phpsessid\
        |(?:api|app|access|private|secret|account|signing|encryption|master|routing|integration|service|license|shared\
        |auth)[ _.-]?keys?";
    Regex::new(&format!("(?i)(?:({glued})|({alone}))")).expect("the names are constants, and a test compiles them")
});

/// What a word of state or grammar begins with tells of a secret and is none.
const PROSE: &[&str] = &[
    "a",
    "again",
    "already",
    "an",
    "and",
    "any",
    "anyone",
    "are",
    "as",
    "ask",
    "asked",
    "at",
    "auth",
    "authentication",
    "be",
    "been",
    "before",
    "being",
    "broken",
    "but",
    "by",
    "can",
    "cannot",
    "change",
    "changed",
    "changes",
    "check",
    "checked",
    "configured",
    "correct",
    "count",
    "created",
    "deleted",
    "denied",
    "disabled",
    "does",
    "empty",
    "enabled",
    "ends",
    "error",
    "every",
    "exceeded",
    "exchange",
    "exists",
    "expire",
    "expired",
    "expires",
    "expiring",
    "expiry",
    "fail",
    "failed",
    "failing",
    "fails",
    "failure",
    "false",
    "fetched",
    "file",
    "fine",
    "for",
    "found",
    "from",
    "generated",
    "gone",
    "had",
    "has",
    "have",
    "hidden",
    "how",
    "if",
    "in",
    "incorrect",
    "invalid",
    "is",
    "issued",
    "it",
    "its",
    "known",
    "last",
    "leaked",
    "length",
    "limit",
    "lost",
    "made",
    "managed",
    "masked",
    "may",
    "missing",
    "must",
    "n/a",
    "na",
    "needed",
    "needs",
    "new",
    "next",
    "nil",
    "no",
    "nobody",
    "none",
    "not",
    "now",
    "null",
    "of",
    "ok",
    "old",
    "on",
    "only",
    "or",
    "out",
    "over",
    "passed",
    "per",
    "please",
    "policy",
    "possible",
    "present",
    "protected",
    "read",
    "redacted",
    "refresh",
    "refreshed",
    "refused",
    "rejected",
    "renewed",
    "required",
    "reset",
    "revoked",
    "right",
    "rotate",
    "rotated",
    "rotation",
    "safe",
    "same",
    "secret",
    "see",
    "sent",
    "set",
    "should",
    "shown",
    "since",
    "so",
    "still",
    "stored",
    "that",
    "the",
    "their",
    "then",
    "there",
    "they",
    "this",
    "to",
    "too",
    "true",
    "type",
    "undefined",
    "unknown",
    "unset",
    "until",
    "updated",
    "usage",
    "used",
    "valid",
    "validation",
    "via",
    "was",
    "we",
    "were",
    "what",
    "when",
    "where",
    "which",
    "who",
    "why",
    "will",
    "with",
    "without",
    "wrong",
    "yes",
    "you",
    "your",
    "надо",
    "не",
    "нет",
    "истёк",
    "истек",
    "را",
    "است",
    "منقضی",
    "اشتباه",
];

/// Makes the names ready.
pub(super) fn prepare() {
    LazyLock::force(&NAME);
}

/// A text without what stands behind the name of a secret.
pub(super) fn hide(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut copied = 0;
    for found in NAME.captures_iter(text) {
        let Some(name) = found.get(0).filter(|name| name.start() >= copied) else { continue };
        // The word in the place of a secret is itself one of the names.
        if text[..name.start()].ends_with('[') && text[name.end()..].starts_with(']') {
            continue;
        }
        let name = Name { text, from: name.start(), to: name.end(), is_glued: found.get(1).is_some() };
        if let Some((from, to)) = name.value() {
            out.push_str(&text[copied..from]);
            out.push_str(SECRET);
            copied = to;
        }
    }
    out.push_str(&text[copied..]);
    out
}

/// Whether the last line of a text ends with a name and its sign, so that the secret is in the next one; for texts that come in pieces.
pub(super) fn is_open(line: &str) -> bool {
    let line = line.trim_end();
    line.ends_with([':', '=', '|', '>']) && NAME.is_match(line)
}

/// How sure a sign makes it that a secret follows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sign {
    /// `=`, `:=`, a JSON key, an option, an XML element.
    Exact,
    /// `: `, as in a sentence.
    Colon,
    /// `is`, `was`.
    Word,
}

struct Name<'a> {
    text: &'a str,
    from: usize,
    to: usize,
    is_glued: bool,
}

impl Name<'_> {
    /// Where the value stands, if there is one that is secret.
    fn value(&self) -> Option<(usize, usize)> {
        let begins = self.begins_word();
        if !begins || !self.ends_word() {
            return None;
        }
        let (sign, from) = self.sign()?;
        let (from, to) = self.extent(from, sign)?;
        let value = &self.text[from..to];
        (!self.is_harmless(value, to, sign)).then_some((from, to))
    }

    fn begins_word(&self) -> bool {
        let name = &self.text[self.from..self.to];
        match self.text[..self.from].chars().next_back() {
            None => true,
            Some(letter) if !letter.is_alphanumeric() => true,
            // `dbPassword`, `authToken`.
            Some(letter)
                if (letter.is_lowercase() || letter.is_ascii_digit()) && name.starts_with(char::is_uppercase) =>
            {
                true
            }
            Some(_) => self.is_glued,
        }
    }

    fn ends_word(&self) -> bool {
        let rest = &self.text[self.to..];
        let rest = rest.strip_prefix(|letter: char| letter.is_ascii_digit()).unwrap_or(rest);
        let mut letters = rest.chars();
        match letters.next() {
            // `token.refresh`, `password-policy`, `secret/payments`: the name of something else.
            Some('_' | '-' | '.' | '/') => letters.next().is_none_or(|letter| !letter.is_alphanumeric()),
            Some(letter) => !letter.is_alphanumeric(),
            None => true,
        }
    }

    /// The option that the name is the end of: `--db-password`.
    fn is_option(&self) -> bool {
        let head = self.text[..self.from].trim_end_matches(|letter: char| {
            letter.is_ascii_alphanumeric() || letter == '-' || letter == '_' || letter == '.'
        });
        let option = &self.text[head.len()..self.from];
        option.starts_with('-')
            && (head.is_empty() || head.ends_with(|letter: char| letter.is_whitespace() || "\"'`,[(".contains(letter)))
    }

    /// The sign behind the name, and where what follows begins.
    fn sign(&self) -> Option<(Sign, usize)> {
        let after_digit = self.text[self.to..].trim_start_matches(|letter: char| letter.is_ascii_digit());
        if let Some(rest) = after_digit.strip_prefix('>') {
            return Some((Sign::Exact, self.text.len() - rest.len()));
        }
        let closed = after_digit.trim_start_matches(['"', '\'', '`', '\\', ']', ')']);
        let is_quoted = closed.len() < after_digit.len();
        let rest = closed.trim_start_matches([' ', '\t', '\u{a0}']);
        for sign in [":=", "=>", "->", "→", "==", "=", ":", "："] {
            if let Some(rest) = rest.strip_prefix(sign) {
                let is_colon = matches!(sign, ":" | "：") && !is_quoted && rest.starts_with(char::is_whitespace);
                return Some((if is_colon { Sign::Colon } else { Sign::Exact }, self.text.len() - rest.len()));
            }
        }
        for word in ["is", "was", "ist", "war", "es", "est"] {
            let behind =
                rest.strip_prefix(word).filter(|rest| rest.len() < closed.len() && rest.starts_with([' ', '\t', ':']));
            if let Some(rest) = behind {
                let rest = rest.trim_start_matches(':');
                return Some((Sign::Word, self.text.len() - rest.len()));
            }
        }
        // An argument list: `["--password", "…"]`.
        if let Some(rest) = rest.strip_prefix(',').filter(|_| is_quoted && self.is_option()) {
            return Some((Sign::Exact, self.text.len() - rest.len()));
        }
        let is_apart = rest.len() < closed.len() && !is_quoted;
        (is_apart && self.is_option() && !rest.starts_with('-')).then(|| (Sign::Exact, self.text.len() - rest.len()))
    }

    /// From where to where the value goes.
    fn extent(&self, from: usize, sign: Sign) -> Option<(usize, usize)> {
        let rest = &self.text[from..];
        let mut value = rest.trim_start_matches([' ', '\t', '\u{a0}']);
        if let Some(below) = value
            .strip_prefix(['|', '>'])
            .map(|below| below.trim_start_matches(['-', '+']))
            .filter(|below| below.starts_with(char::is_whitespace))
        {
            // A block of YAML; where many lines were made one, a blank is all that is left of the line's end.
            value = below.trim_start_matches(' ');
        }
        if value.starts_with(['\n', '\r']) {
            // In the next line it stands alone; a sentence there is the next thought.
            value = value.trim_start();
            let line = value.lines().next()?.trim();
            let is_another = line.split_once(['=', ':']).is_some_and(|(name, value)| {
                !value.trim_matches('=').is_empty()
                    && name.chars().all(|letter| letter.is_alphabetic() || "_-".contains(letter))
            });
            if sign == Sign::Word || is_another || line.contains(char::is_whitespace) || line.ends_with([':', '.']) {
                return None;
            }
        }
        for scheme in ["Bearer ", "bearer ", "Basic ", "basic ", "Token ", "token="] {
            value = value.strip_prefix(scheme).unwrap_or(value).trim_start_matches(' ');
        }
        let from = self.text.len() - value.len();
        let quotes = [
            ("\\\"", "\\\""),
            ("\\'", "\\'"),
            ("\"", "\""),
            ("'", "'"),
            ("`", "`"),
            ("“", "”"),
            ("„", "“"),
            ("«", "»"),
        ];
        if let Some((open, close)) = quotes.iter().find(|(open, _)| value.starts_with(open)) {
            let inside = &value[open.len()..];
            let line = inside.split('\n').next().unwrap_or(inside);
            let end = quoted_end(line, close).unwrap_or_else(|| line.find(char::is_whitespace).unwrap_or(line.len()));
            let from = from + open.len();
            return (end > 0).then_some((from, from + end));
        }
        let end = value.find(|letter: char| letter.is_whitespace() || "\"'`<>".contains(letter)).unwrap_or(value.len());
        let end = bare_end(&value[..end], sign);
        (end > 0).then_some((from, from + end))
    }

    fn is_harmless(&self, value: &str, to: usize, sign: Sign) -> bool {
        let name = self.text[self.from..self.to].to_lowercase();
        let lower = value.trim_matches(|letter: char| ".,;:!?)(".contains(letter)).to_lowercase();
        let is_strong = self.is_glued || matches!(&*name, "passcode" | "pwd" | "passwords");
        let is_figure = lower.len() <= 7
            && !lower.is_empty()
            && lower.chars().all(|letter| letter.is_ascii_digit() || ".,%/s".contains(letter));
        if value.starts_with('[')
            || value.starts_with("…")
            || is_reference(value)
            || lower.is_empty()
            || (PROSE.contains(&&*lower))
        {
            return true;
        }
        if is_figure && !is_strong {
            return true;
        }
        // "token: refresh storm": a word among words is a sentence, where the name alone is one too.
        let next = self.text[to..].trim_start_matches([' ', ',']).split(char::is_whitespace).next().unwrap_or_default();
        let is_word = |word: &str| {
            !word.is_empty() && word.chars().all(|letter| letter.is_alphabetic() && !letter.is_uppercase())
        };
        !is_strong && sign != Sign::Exact && is_word(&lower) && is_word(next) && self.text[to..].starts_with(' ')
    }
}

/// Where a quoted value ends, past quotes that are escaped.
fn quoted_end(line: &str, close: &str) -> Option<usize> {
    let mut from = 0;
    loop {
        let end = from + line[from..].find(close)?;
        let is_escaped = close.len() == 1 && line[..end].ends_with('\\');
        if !is_escaped {
            return Some(end);
        }
        from = end + close.len();
    }
}

/// Where a value without quotes ends: before the next parameter, and before the marks that end a sentence or a list.
fn bare_end(value: &str, sign: Sign) -> usize {
    let is_name = |text: &str| {
        let name = text.split(['=', ':']).next().unwrap_or_default();
        !name.is_empty()
            && name.len() < text.len()
            && name.chars().all(|letter| letter.is_alphanumeric() || "_-.%".contains(letter))
    };
    let next =
        value.char_indices().find(|(place, letter)| matches!(letter, '&' | ';' | ',') && is_name(&value[place + 1..]));
    let mut end = next.map_or(value.len(), |(place, _)| place);
    let closing: &[char] =
        if sign == Sign::Exact { &[',', ';', ')', ']', '}'] } else { &[',', ';', ')', ']', '}', '.', '!', '?'] };
    while let Some(letter) = value[..end].chars().next_back().filter(|letter| closing.contains(letter)) {
        end -= letter.len_utf8();
    }
    if end == 0 { value.len() } else { end }
}
