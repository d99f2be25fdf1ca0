//! Silences: which alerts Alertmanager keeps quiet, until when.
//!
//! Hides Alertmanager's four ways to compare a label, and that a pattern means the whole value.
//!
//! Invariant: a silence of an older record, whose labels had to be equal, reads as it was written; what an older build cannot read it does not take for
//! an equality.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, Utc};
use regex::Regex;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::text::{CleanStr, is_gap};

/// Which alerts are kept quiet, until when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silencing {
    /// What the labels of an alert must be like, all of them.
    pub matchers: Vec<Matcher>,
    /// The end.
    pub until: DateTime<Utc>,
}

/// How a label is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// It has this value.
    Equal,
    /// It has another value, or is not there.
    Unequal,
    /// Its whole value matches a pattern (RE2).
    Like,
    /// Its value does not match a pattern.
    Unlike,
}

impl Comparison {
    /// All of them; an operator that begins like a shorter one stands before it.
    pub const ALL: [Self; 4] = [Self::Like, Self::Unlike, Self::Unequal, Self::Equal];

    /// Alertmanager's sign for it.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::Unequal => "!=",
            Self::Like => "=~",
            Self::Unlike => "!~",
        }
    }

    /// Whether the value is a pattern.
    pub fn is_pattern(self) -> bool {
        match self {
            Self::Like | Self::Unlike => true,
            Self::Equal | Self::Unequal => false,
        }
    }

    /// Whether it wants the value, not its absence.
    pub fn is_positive(self) -> bool {
        match self {
            Self::Equal | Self::Like => true,
            Self::Unequal | Self::Unlike => false,
        }
    }

    /// The one that these two properties name.
    pub fn of(is_pattern: bool, is_positive: bool) -> Self {
        match (is_pattern, is_positive) {
            (false, true) => Self::Equal,
            (false, false) => Self::Unequal,
            (true, true) => Self::Like,
            (true, false) => Self::Unlike,
        }
    }
}

/// What a label of an alert must be like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matcher {
    /// The label's name; any letters, dots included.
    pub label: CleanStr,
    /// How it is compared.
    pub comparison: Comparison,
    /// With what.
    pub value: CleanStr,
}

impl Matcher {
    /// A label that must have a value.
    pub fn equal(label: &str, value: &str) -> Self {
        Self { label: label.into(), comparison: Comparison::Equal, value: value.into() }
    }

    /// Why its pattern cannot be read, if it is one.
    pub fn flaw(&self) -> Option<String> {
        let error = self.pattern()?.err()?;
        // The library draws the place over several lines; the last one says what is wrong.
        let why = error.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
        Some(format!("the pattern `{}` cannot be read: {why}", self.value))
    }

    /// Whether it hits an alert with these labels; a pattern that cannot be read here may hit.
    pub fn may_hit(&self, labels: &BTreeMap<CleanStr, CleanStr>) -> bool {
        // A label that is not there is empty.
        self.may_be(labels.get(self.label.as_str()).map(CleanStr::as_str).unwrap_or_default())
    }

    /// Whether the value may be this one.
    pub fn may_be(&self, value: &str) -> bool {
        match self.pattern() {
            None => (value == self.value.as_str()) == self.comparison.is_positive(),
            Some(Ok(pattern)) => pattern.is_match(value) == self.comparison.is_positive(),
            Some(Err(_)) => true,
        }
    }

    fn pattern(&self) -> Option<Result<Regex, regex::Error>> {
        self.comparison.is_pattern().then(|| Regex::new(&format!("^(?s:{})$", self.value)))
    }
}

impl fmt::Display for Matcher {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.value.replace('\\', "\\\\").replace('"', "\\\"");
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "_.:-/".contains(letter);
        if self.label.chars().all(is_plain) {
            write!(out, "{}{}\"{value}\"", self.label, self.comparison.sign())
        } else {
            write!(out, "\"{}\"{}\"{value}\"", self.label.replace('"', "\\\""), self.comparison.sign())
        }
    }
}

/// An equality is a pair, as it always was; the others have their sign as a third part, at which a build that knows pairs alone stops.
impl Serialize for Matcher {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        match self.comparison {
            Comparison::Equal => (&self.label, &self.value).serialize(out),
            Comparison::Unequal | Comparison::Like | Comparison::Unlike => {
                (&self.label, &self.value, self.comparison.sign()).serialize(out)
            }
        }
    }
}

impl<'de> Deserialize<'de> for Matcher {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let parts = Vec::<CleanStr>::deserialize(input)?;
        let no = || serde::de::Error::custom("a label, its value, and how they are compared");
        let (label, value, sign) = match parts.as_slice() {
            [label, value] => (label, value, Comparison::Equal.sign()),
            [label, value, sign] => (label, value, sign.as_str()),
            _ => return Err(no()),
        };
        let comparison = Comparison::ALL.into_iter().find(|one| one.sign() == sign).ok_or_else(no)?;
        Ok(Self { label: label.clone(), comparison, value: value.clone() })
    }
}

/// The matchers at the beginning of a text, as Alertmanager writes them, and what follows: `service.name=~"ali.*", alertname!="Watchdog" why`.
///
/// They end with the first word that is no label with a sign behind it; blanks and commas stand between them, braces may stand around them.
///
/// # Errors
/// A sentence with an example, where a label is not complete, a pattern cannot be read, or every alert would be hit.
pub fn matchers(text: &str) -> Result<(Vec<Matcher>, &str), String> {
    const EXAMPLE: &str = "write labels as alertname=\"HighErrorRate\" service.name=~\"ali.*\"";
    let mut matchers = Vec::new();
    let mut rest = text.trim();
    rest = rest.strip_prefix('{').unwrap_or(rest);
    loop {
        rest = rest.trim_start_matches(|letter| letter == ',' || is_gap(letter));
        if let Some(after) = rest.strip_prefix('}') {
            rest = after.trim_start();
            break;
        }
        let (label, after) = word(rest).ok_or_else(|| format!("a quote is not closed: {EXAMPLE}"))?;
        let after = after.trim_start_matches(is_gap);
        let Some(comparison) = Comparison::ALL.into_iter().find(|one| after.starts_with(one.sign())) else {
            // A reason may begin with a quote as well.
            break;
        };
        if label.is_empty() {
            let shown: String = rest.chars().take(40).collect();
            return Err(format!("`{}` has no label before it: {EXAMPLE}", CleanStr::new(&shown)));
        }
        let after = after[comparison.sign().len()..].trim_start_matches(is_gap);
        let is_quoted = after.starts_with('"');
        let (value, after) = match is_quoted {
            true => word(after).ok_or_else(|| format!("a quote is not closed: {EXAMPLE}"))?,
            false => {
                let end = after.find(|letter| matches!(letter, ',' | '}') || is_gap(letter)).unwrap_or(after.len());
                (after[..end].to_owned(), &after[end..])
            }
        };
        if value.is_empty() && !is_quoted {
            return Err(format!("{} has no value: {EXAMPLE}", CleanStr::new(&label)));
        }
        let matcher = Matcher { label: CleanStr::new(&label), comparison, value: CleanStr::new(&value) };
        if let Some(flaw) = matcher.flaw() {
            return Err(flaw);
        }
        matchers.push(matcher);
        rest = after;
    }
    if matchers.is_empty() {
        return Err(format!("name at least one label, a silence of everything is none: {EXAMPLE}"));
    }
    // Alertmanager refuses it, too: it would hit alerts that have none of the labels.
    if matchers.iter().all(|matcher| matcher.may_be("")) {
        return Err("that hits every alert: name one label that must be there, such as service=~\".+\"".to_owned());
    }
    Ok((matchers, rest.trim()))
}

/// A word, quoted or not, and what follows; nothing where its quote is not closed.
fn word(text: &str) -> Option<(String, &str)> {
    let Some(inside) = text.strip_prefix('"') else {
        let end = text.find(|letter: char| is_gap(letter) || "{}!=~,\"'`\\".contains(letter));
        let end = end.unwrap_or(text.len());
        return Some((text[..end].to_owned(), &text[end..]));
    };
    let mut said = String::new();
    let mut letters = inside.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((said, &inside[at + 1..])),
            '\\' => match letters.next()? {
                // A pattern keeps the backslashes that are not about quoting.
                (_, quoted @ ('"' | '\\')) => said.push(quoted),
                (_, other) => said.extend(['\\', other]),
            },
            other => said.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<String>, String) {
        let (found, rest) = matchers(text).unwrap();
        (found.iter().map(ToString::to_string).collect(), rest.to_owned())
    }

    #[test]
    fn labels_are_read_as_alertmanager_writes_them_and_the_reason_follows() {
        for (text, labels, why) in [
            ("service=alipay the backup", &["service=\"alipay\""][..], "the backup"),
            ("service.name=~\"ali.*\" because x = 3", &["service.name=~\"ali.*\""], "because x = 3"),
            ("{a=b, k8s.pod!=\"a b\"} noise", &["a=\"b\"", "k8s.pod!=\"a b\""], "noise"),
            ("\"http status\"=\"5\\\"0\\\"\" why", &["\"http status\"=\"5\\\"0\\\"\""], "why"),
            ("a=\"\\d+\",b=~\"\\\\d+\"", &["a=\"\\\\d+\"", "b=~\"\\\\d+\""], ""),
            ("job = \"api\", env=\"\" quiet", &["job=\"api\"", "env=\"\""], "quiet"),
        ] {
            let labels: Vec<String> = labels.iter().map(ToString::to_string).collect();
            assert_eq!(read(text), (labels, why.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_is_no_silence_is_refused_with_an_example() {
        for (text, words) in [
            ("", "at least one label"),
            ("the backup", "at least one label"),
            ("service=\"ali", "a quote is not closed"),
            ("service= ", "service has no value"),
            ("=\"x\"", "has no label"),
            ("service=~\"ali(\"", "the pattern `ali(` cannot be read: unclosed group"),
            ("service=~\".*\"", "that hits every alert"),
            ("service!=\"alipay\"", "that hits every alert"),
            ("service!=\"alipay\" team!~\"x\" why", "that hits every alert"),
        ] {
            let why = matchers(text).unwrap_err();
            assert!(why.contains(words), "{text}: {why}");
        }
    }

    #[test]
    fn a_pattern_means_the_whole_value_and_an_absent_label_is_empty() {
        let labels = BTreeMap::from([("service.name".into(), "alipay".into()), ("env".into(), "prod".into())]);
        for (text, hits) in [
            ("service.name=~\"ali\"", false),
            ("service.name=~\"ali.*\"", true),
            ("service.name=~\"ali|pay\"", false),
            ("service.name=alipay env!=prod", false),
            ("service.name=alipay env!~\"dev|test\"", true),
            ("service.name=alipay team!=x", true),
            ("service.name=alipay team=x", false),
        ] {
            let (all, _) = matchers(text).unwrap();
            assert_eq!(all.iter().all(|one| one.may_hit(&labels)), hits, "{text}");
        }
    }

    #[test]
    fn a_silence_of_an_older_record_reads_as_equalities_and_is_written_the_same() {
        let old = r#"{"matchers":[["service","alipay"]],"until":"2026-11-02T14:10:00Z"}"#;
        let silencing: Silencing = serde_json::from_str(old).unwrap();
        assert_eq!(silencing.matchers, [Matcher::equal("service", "alipay")]);
        assert_eq!(serde_json::to_string(&silencing).unwrap(), old);
        let (new, _) = matchers("a!=b c=~\"d\" e!~f g=h").unwrap();
        let written = serde_json::to_string(&new).unwrap();
        assert_eq!(written, r#"[["a","b","!="],["c","d","=~"],["e","f","!~"],["g","h"]]"#);
        assert_eq!(serde_json::from_str::<Vec<Matcher>>(&written).unwrap(), new);
    }
}
