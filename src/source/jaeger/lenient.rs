//! JSON as trace stores really send it.
//!
//! Hides nulls and absent fields, numbers and booleans in strings, ids of every length and in base64, and times beyond what a clock can say.
//!
//! Invariant: a scalar, a list or an object in the place of a tag's value becomes one clean line; what that cannot hold is there whole beside it.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::text::{CleanStr, CleanText, FIELD_BYTES, TEXT_BYTES, many};

/// A field that may be null: null is the default.
pub(super) fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(input: D) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(input)?.unwrap_or_default())
}

/// Any value as text: `true`, `12`, `"text"`; of a list the first few values.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Value(pub(super) String);

impl Value {
    pub(super) fn clean(&self) -> CleanStr {
        CleanStr::field(&self.0)
    }

    /// The text as it came, where one line does not hold it: a stack, a statement of some kilobytes.
    pub(super) fn long(&self) -> Option<CleanText> {
        if self.0.len() <= FIELD_BYTES && !self.0.contains('\n') {
            return None;
        }
        if self.0.len() <= TEXT_BYTES {
            return Some(CleanText::new(&self.0));
        }
        let head = &self.0[..self.0.floor_char_boundary(TEXT_BYTES)];
        Some(CleanText::new(&format!("{head}\n… {} more", many(self.0.len() - head.len(), "byte"))))
    }

    /// As a whole number; a fraction is cut.
    pub(super) fn integer(&self) -> i64 {
        let text = self.0.trim();
        text.parse().unwrap_or_else(|_| text.parse::<f64>().map_or(0, |number| number as i64))
    }
}

/// The most values of a list that are shown.
const MOST_LISTED: usize = 32;

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Value;
            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("any value")
            }
            fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
                Ok(Value(value.to_string()))
            }
            fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
                Ok(Value(value.to_string()))
            }
            fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
                Ok(Value(value.to_string()))
            }
            fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
                Ok(Value(value.to_string()))
            }
            fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
                Ok(Value(value.to_owned()))
            }
            fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
                Ok(Value(value))
            }
            fn visit_unit<E: Error>(self) -> Result<Value, E> {
                Ok(Value::default())
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut input: A) -> Result<Value, A::Error> {
                let mut parts = Vec::new();
                while parts.len() < MOST_LISTED {
                    match input.next_element::<Value>()? {
                        Some(value) => parts.push(value.0),
                        None => return Ok(Value(parts.join(", "))),
                    }
                }
                while input.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Value(parts.join(", ") + ", …"))
            }
            /// OTLP wraps values (`{"stringValue":"x"}`, `{"arrayValue":{"values":[…]}}`): a single value stands for itself.
            fn visit_map<A: MapAccess<'de>>(self, mut input: A) -> Result<Value, A::Error> {
                let mut parts = Vec::new();
                while let Some(key) = input.next_key::<String>()? {
                    let value = input.next_value::<Value>()?.0;
                    let is_wrapper = key.ends_with("Value") || key == "values" || key.ends_with("_value");
                    if parts.len() < MOST_LISTED {
                        parts.push(if is_wrapper { value } else { format!("{key}={value}") });
                    }
                }
                Ok(Value(parts.join(", ")))
            }
        }
        input.deserialize_any(Read)
    }
}

/// A trace's id as 32 lower-case hex digits.
pub(super) fn trace_id(text: &str) -> CleanStr {
    id(text, 32)
}

/// A span's id as 16 lower-case hex digits; empty stays empty.
pub(super) fn span_id(text: &str) -> CleanStr {
    id(text, 16)
}

fn id(text: &str, digits: usize) -> CleanStr {
    let text = text.trim();
    if text.is_empty() {
        return CleanStr::default();
    }
    // Old versions of the newer API send bytes as base64, which for these lengths always ends with padding.
    if let Some(bytes) = (text.ends_with('=') && text.len() <= 24).then(|| base64(text)).flatten() {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        return CleanStr::field(&hex);
    }
    if text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return CleanStr::field(&format!("{:0>digits$}", text.to_ascii_lowercase()));
    }
    CleanStr::field(text)
}

fn base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let (mut bits, mut held) = (0_u32, 0_u32);
    for letter in text.trim_end_matches('=').bytes() {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
            bits &= (1 << held) - 1;
        }
    }
    Some(bytes)
}

/// A moment in microseconds since 1970.
pub(super) fn at_micros(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(micros).unwrap_or(DateTime::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_every_spelling_become_one() {
        for (text, clean) in [
            ("ABC123", "00000000000000000000000000abc123"),
            ("0af7651916cd43dd8448eb211c80319c", "0af7651916cd43dd8448eb211c80319c"),
            ("CvdlGRbNQ92ESOshHIAxnA==", "0af7651916cd43dd8448eb211c80319c"),
            ("not an id", "not an id"),
        ] {
            assert_eq!(trace_id(text), clean);
        }
        assert_eq!(span_id("7"), "0000000000000007");
        assert_eq!(span_id(""), "");
    }

    #[test]
    fn any_value_of_a_tag_is_one_line_of_text() {
        for (json, text) in [
            ("true", "true"),
            ("\"12\"", "12"),
            ("9007199254740993", "9007199254740993"),
            ("1.5", "1.5"),
            ("null", ""),
            ("[1,\"a\"]", "1, a"),
            ("{\"intValue\":\"503\"}", "503"),
            ("{\"arrayValue\":{\"values\":[{\"stringValue\":\"a\"},{\"boolValue\":true}]}}", "a, true"),
            ("{\"kvlistValue\":{\"values\":[{\"key\":\"k\",\"value\":{\"intValue\":1}}]}}", "key=k, value=1"),
        ] {
            assert_eq!(serde_json::from_str::<Value>(json).unwrap().0, text);
        }
    }
}
