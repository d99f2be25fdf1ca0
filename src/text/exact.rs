//! Text that acts: a program's argument, a directory, a value that goes into one. It is kept byte for byte.
//!
//! A [`super::CleanStr`] is safe to show and therefore not what somebody wrote: a script of two lines became one. What runs must be what was
//! written, so it has a type of its own that cannot be printed by accident; [`Exact::shown`] is how a person reads it.
//!
//! Invariant: nothing is taken out, joined or cut; what is shown of two different texts is different, in ASCII alone.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{CleanStr, is_harmful, is_invisible};

/// The longest argument that the kernel hands to a program, in bytes (`MAX_ARG_STRLEN` without its final NUL).
pub const ARGUMENT_BYTES: usize = 128 * 1024 - 1;

/// Bytes exactly as they were written.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Exact(Box<[u8]>);

/// What no program can be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// A NUL byte.
    #[error("has a NUL byte, at which every program would stop reading")]
    Nul,
    /// More bytes than the kernel hands over in one argument.
    #[error(
        "has {0} bytes, and the kernel hands at most {ARGUMENT_BYTES} to a program in one argument: put it into a file"
    )]
    TooLong(usize),
}

impl Exact {
    /// A text as it is.
    pub fn new(text: impl AsRef<[u8]>) -> Self {
        Self(text.as_ref().into())
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The text; bytes that are no UTF-8 come as `U+FFFD`. Whatever stands in a file of ours is UTF-8.
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.0)
    }

    /// Whether it says nothing.
    pub fn is_blank(&self) -> bool {
        self.0.iter().all(u8::is_ascii_whitespace)
    }

    /// Whether a program can be given this.
    pub fn fits(&self) -> Result<(), Unfit> {
        match self.0.len() {
            _ if self.0.contains(&0) => Err(Unfit::Nul),
            length if length > ARGUMENT_BYTES => Err(Unfit::TooLong(length)),
            _ => Ok(()),
        }
    }

    /// How it reads, cleaned into one line: for titles, never for what acts.
    pub fn clean(&self) -> CleanStr {
        CleanStr::new(&self.text())
    }

    /// As a shell would read it back: a plain word, `'quoted'`, or `$'…'` with every byte that is not printable ASCII as an escape. Letters that
    /// cannot be seen, that look like others, line ends and TABs are escapes, so that no two texts are shown alike.
    pub fn shown(&self) -> String {
        let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_./:=,@%+".contains(byte);
        if !self.0.is_empty() && self.0.iter().all(is_plain) {
            return self.text().into_owned();
        }
        if self.0.iter().all(|byte| (b' '..=b'~').contains(byte)) {
            return format!("'{}'", self.text().replace('\'', "'\\''"));
        }
        let mut out = String::from("$'");
        for chunk in self.0.utf8_chunks() {
            for letter in chunk.valid().chars() {
                match letter {
                    '\n' => out.push_str("\\n"),
                    '\t' => out.push_str("\\t"),
                    '\r' => out.push_str("\\r"),
                    '\\' => out.push_str("\\\\"),
                    '\'' => out.push_str("\\'"),
                    ' '..='~' => out.push(letter),
                    letter if u32::from(letter) < 0x80 => out.push_str(&format!("\\x{:02x}", u32::from(letter))),
                    letter if u32::from(letter) < 0x1_0000 => out.push_str(&format!("\\u{:04x}", u32::from(letter))),
                    letter => out.push_str(&format!("\\U{:08x}", u32::from(letter))),
                }
            }
            for byte in chunk.invalid() {
                out.push_str(&format!("\\x{byte:02x}"));
            }
        }
        out.push('\'');
        out
    }
}

impl fmt::Debug for Exact {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.shown())
    }
}

impl From<&str> for Exact {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for Exact {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl From<&CleanStr> for Exact {
    fn from(text: &CleanStr) -> Self {
        Self::new(text.as_str())
    }
}

impl PartialEq<str> for Exact {
    fn eq(&self, other: &str) -> bool {
        *self.0 == *other.as_bytes()
    }
}

impl PartialEq<&str> for Exact {
    fn eq(&self, other: &&str) -> bool {
        *self == **other
    }
}

/// A command line as a shell would read it back; nothing here ever runs through one.
pub fn show_argv(argv: &[Exact]) -> String {
    argv.iter().map(Exact::shown).collect::<Vec<_>>().join(" ")
}

/// A text of several lines for people, in which the letters that nobody would see are escapes.
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\n' => out.push(letter),
            '\t' => out.push_str("\\t"),
            letter if letter.is_control() || is_harmful(letter) || is_invisible(letter) => {
                out.extend(letter.escape_unicode());
            }
            letter => out.push(letter),
        }
    }
    out
}

/// UTF-8 is written as a text, anything else as a list of bytes.
impl Serialize for Exact {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(&self.0) {
            Ok(text) => out.serialize_str(text),
            Err(_) => out.collect_seq(self.0.iter()),
        }
    }
}

impl<'de> Deserialize<'de> for Exact {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        struct Written;
        impl<'de> Visitor<'de> for Written {
            type Value = Exact;
            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a text")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Exact, E> {
                if text.contains('\0') { Err(E::custom(Unfit::Nul)) } else { Ok(Exact::new(text)) }
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut bytes: A) -> Result<Exact, A::Error> {
                let mut all = Vec::new();
                while let Some(byte) = bytes.next_element::<u8>()? {
                    all.push(byte);
                }
                let all = Exact::new(all);
                if all.as_bytes().contains(&0) { Err(A::Error::custom(Unfit::Nul)) } else { Ok(all) }
            }
        }
        input.deserialize_any(Written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What a shell with `$'…'` makes of a shown command line: the other half of [`Exact::shown`].
    fn read_back(shown: &str) -> Vec<Vec<u8>> {
        let (mut words, mut word, mut has_word) = (Vec::new(), Vec::new(), false);
        let mut rest = shown.chars().peekable();
        while let Some(letter) = rest.next() {
            match letter {
                ' ' => words.extend(std::mem::take(&mut has_word).then(|| std::mem::take(&mut word))),
                '\'' => {
                    has_word = true;
                    word.extend(rest.by_ref().take_while(|letter| *letter != '\'').map(|letter| letter as u8));
                }
                '\\' => word.extend(rest.next().map(|letter| letter as u8)),
                '$' => {
                    assert_eq!(rest.next(), Some('\''));
                    has_word = true;
                    while let Some(letter) = rest.next().filter(|letter| *letter != '\'') {
                        if letter != '\\' {
                            word.push(letter as u8);
                            continue;
                        }
                        let kind = rest.next().unwrap();
                        let digits = match kind {
                            'x' => 2,
                            'u' => 4,
                            'U' => 8,
                            _ => 0,
                        };
                        let code: String = rest.by_ref().take(digits).collect();
                        let code = u32::from_str_radix(&code, 16).unwrap_or_default();
                        match kind {
                            'n' => word.push(b'\n'),
                            't' => word.push(b'\t'),
                            'r' => word.push(b'\r'),
                            'x' => word.push(code as u8),
                            'u' | 'U' => word.extend(char::from_u32(code).unwrap().to_string().bytes()),
                            other => word.push(other as u8),
                        }
                    }
                }
                plain => {
                    has_word = true;
                    word.push(plain as u8);
                }
            }
        }
        words.extend(has_word.then_some(word));
        words
    }

    #[test]
    fn what_cannot_be_seen_or_looks_like_something_else_is_shown_as_an_escape() {
        for (text, shown) in [
            ("plain-1.0", "plain-1.0"),
            ("", "''"),
            ("two  blanks ", "'two  blanks '"),
            ("it's", "'it'\\''s'"),
            ("a\tb\nc", "$'a\\tb\\nc'"),
            ("zero\u{200b}width", "$'zero\\u200bwidth'"),
            ("p\u{430}y", "$'p\\u0430y'"),
            ("e\u{301}", "$'e\\u0301'"),
            ("é", "$'\\u00e9'"),
            ("no\u{a0}break", "$'no\\u00a0break'"),
            ("\u{1f511}", "$'\\U0001f511'"),
            ("\u{7f}\u{1b}[31m", "$'\\x7f\\x1b[31m'"),
        ] {
            assert_eq!(Exact::new(text).shown(), shown, "{text:?}");
        }
        assert_eq!(Exact::new(b"\xff\\x").shown(), "$'\\xff\\\\x'");
    }

    #[test]
    fn old_records_and_lists_of_bytes_read_and_a_nul_is_refused() {
        let read = |text: &str| serde_json::from_str::<Exact>(text);
        assert_eq!(read(r#""a b""#).unwrap(), "a b");
        assert_eq!(read("[255,97]").unwrap(), Exact::new(b"\xffa"));
        assert!(read("\"a\\u0000b\"").unwrap_err().to_string().contains("NUL"));
        assert!(read("[97,0]").unwrap_err().to_string().contains("NUL"));
        assert_eq!(Exact::new("x".repeat(ARGUMENT_BYTES + 1)).fits(), Err(Unfit::TooLong(ARGUMENT_BYTES + 1)));
        assert_eq!(Exact::new("x".repeat(ARGUMENT_BYTES)).fits(), Ok(()));
    }

    fn arguments() -> impl Strategy<Value = Vec<Exact>> {
        let bytes = proptest::collection::vec(1..=255_u8, 0..20);
        let letters = "\\PC{0,20}".prop_map(|text: String| text.into_bytes());
        let odd = "[ '\"$\\\\ntxuU0-9\n\t\u{200b}a]{0,12}".prop_map(|text: String| text.into_bytes());
        proptest::collection::vec(prop_oneof![bytes, letters, odd].prop_map(Exact::new), 1..4)
    }

    proptest! {
        #[test]
        fn what_is_shown_tells_any_two_command_lines_apart(argv in arguments()) {
            let shown = show_argv(&argv);
            prop_assert!(shown.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{}", shown);
            prop_assert_eq!(read_back(&shown), argv.iter().map(|one| one.as_bytes().to_vec()).collect::<Vec<_>>());
        }

        #[test]
        fn a_record_keeps_every_byte(argv in arguments()) {
            let written = serde_json::to_string(&argv).unwrap();
            prop_assert_eq!(serde_json::from_str::<Vec<Exact>>(&written).unwrap(), argv);
        }
    }
}
