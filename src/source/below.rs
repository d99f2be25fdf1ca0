//! A path below a server's address: words of ours, and values of others.
//!
//! Hides how a value becomes one segment of a path. Ids come from answers and from the record, so anybody may have chosen them.
//!
//! Invariant: only a literal of this program brings a slash, a question mark or a percent sign into a path; a value stays one segment, and one that
//! would mean another place than a thing's name is refused.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What RFC 3986 calls unreserved stays as it is.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A path below a server's address, or the value that cannot be part of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Below(Result<String, String>);

impl From<&'static str> for Below {
    fn from(words: &'static str) -> Self {
        Self(Ok(words.to_owned()))
    }
}

impl Below {
    /// A path in which each `{}` is a value: `incidents/{}/notes`.
    pub fn of(form: &'static str, values: &[&str]) -> Self {
        Self(filled(form, values))
    }

    /// The same, below this one.
    #[must_use]
    pub fn then(self, form: &'static str, values: &[&str]) -> Self {
        Self(self.0.and_then(|path| Ok(format!("{path}/{}", filled(form, values)?))))
    }

    /// The path as it is sent; else the value that cannot be part of one.
    pub(super) fn text(self) -> Result<String, String> {
        self.0
    }
}

fn filled(form: &'static str, values: &[&str]) -> Result<String, String> {
    let mut parts = form.split("{}");
    let mut path = parts.next().unwrap_or_default().to_owned();
    for (part, value) in parts.zip(values.iter().copied()) {
        // A dot segment moves up, encoded or not.
        if matches!(value, "" | "." | "..") {
            return Err(value.to_owned());
        }
        path.extend(utf8_percent_encode(value, SEGMENT));
        path.push_str(part);
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_id_of_others_leads_nowhere_else() {
        for (id, path) in [
            ("Q4711", Some("incidents/Q4711/notes")),
            ("OPS-42_~.x", Some("incidents/OPS-42_~.x/notes")),
            ("../services/X?y=", Some("incidents/..%2Fservices%2FX%3Fy%3D/notes")),
            ("%2e%2e", Some("incidents/%252e%252e/notes")),
            ("a\\b#c", Some("incidents/a%5Cb%23c/notes")),
            ("é\n", Some("incidents/%C3%A9%0A/notes")),
            ("..", None),
            (".", None),
            ("", None),
        ] {
            assert_eq!(Below::of("incidents/{}", &[id]).then("notes", &[]).text().ok().as_deref(), path, "{id}");
        }
    }

    proptest! {
        #[test]
        fn whatever_a_value_is_the_server_sees_it_as_one_segment(value in ".{0,40}") {
            if let Ok(path) = Below::of("pages/{}/incidents", &[&value]).text() {
                let url = reqwest::Url::parse(&format!("https://api.example/v1/{path}")).unwrap();
                let segments: Vec<_> = url.path_segments().unwrap().collect();
                prop_assert_eq!(segments.len(), 4, "{}", url);
                prop_assert_eq!((segments[0], segments[1], segments[3]), ("v1", "pages", "incidents"));
                prop_assert!(url.query().is_none() && url.fragment().is_none());
            }
        }
    }
}
