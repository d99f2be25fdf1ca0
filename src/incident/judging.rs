//! How the end of a command is judged: which statuses are a success, what they are called, how often it is tried, and what of its output is kept.
//!
//! Hides the path into a JSON document, and what counts as one line.
//!
//! Invariant: a value is kept only where the output says exactly one; nothing is guessed, and why nothing was kept is said.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::text::{CleanStr, Exact};

/// A captured value is no longer than this, in bytes.
const LONGEST: usize = 1_000;

/// How the end of a command is judged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judging {
    /// The exit statuses that are a success; empty for 0 alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub success: Vec<u8>,
    /// What statuses mean, by their number.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub outcomes: BTreeMap<CleanStr, CleanStr>,
    /// How often it is tried once more where it does not end well.
    #[serde(default)]
    pub retries: u32,
    /// How long it rests between two attempts, in seconds.
    #[serde(default)]
    pub pause_s: u64,
    /// What of its output is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capture: Option<Capture>,
}

/// What of an output is kept, under which name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capture {
    /// The placeholder of later steps that it is offered for.
    pub name: CleanStr,
    /// The way to it in a JSON document, such as `.items[0].name`; without, the output is one line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<CleanStr>,
}

/// What a status means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meaning {
    /// Whether it is a success.
    pub is_success: bool,
    /// What it is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<CleanStr>,
}

impl Judging {
    /// Whether it is judged as every command is whose file says nothing.
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }

    /// What a status means, where the file says anything of it.
    pub fn outcome(&self, status: i32) -> Option<Meaning> {
        let is_success = match self.success.as_slice() {
            [] => status == 0,
            all => all.iter().any(|one| i32::from(*one) == status),
        };
        let name = self.outcomes.get(status.to_string().as_str()).cloned();
        (name.is_some() || is_success != (status == 0)).then_some(Meaning { is_success, name })
    }

    /// Whether a status is a success.
    pub fn is_success(&self, status: i32) -> bool {
        self.outcome(status).map_or(status == 0, |outcome| outcome.is_success)
    }
}

impl Capture {
    /// Reads `pod` or `pod = .items[0].metadata.name`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (name, path) = match text.split_once('=') {
            None => (text.trim(), None),
            Some((name, path)) => (name.trim(), Some(path.trim())),
        };
        let is_name =
            !name.is_empty() && name.chars().all(|one| one.is_ascii_alphanumeric() || matches!(one, '-' | '_'));
        if !is_name {
            return Err(format!("`{name}` is no name of a placeholder: write \"pod\" or \"pod = .items[0].name\""));
        }
        let path = path.map(|path| steps(path).map(|_| CleanStr::new(path))).transpose()?;
        Ok(Self { name: name.into(), path })
    }

    /// The value in an output, or why there is none.
    pub fn of(&self, output: &str) -> Result<Exact, String> {
        let found = match &self.path {
            None => {
                let mut lines = output.lines().map(str::trim).filter(|line| !line.is_empty());
                match (lines.next(), lines.count()) {
                    (None, _) => return Err("it printed nothing".to_owned()),
                    (Some(line), 0) => line.to_owned(),
                    (Some(_), more) => return Err(format!("it printed {} lines, not one", more + 1)),
                }
            }
            Some(path) => {
                let from = output.find(['{', '[']).ok_or("it printed no JSON")?;
                let mut documents = serde_json::Deserializer::from_str(&output[from..]).into_iter::<Value>();
                let document = documents.next().ok_or("it printed no JSON")?;
                let document = document.map_err(|error| format!("it printed no JSON: {error}"))?;
                let mut here = &document;
                for step in steps(path)? {
                    let below = match &step {
                        Step::Key(key) => here.get(key.as_str()),
                        Step::Place(place) => here.get(*place),
                    };
                    here = below.ok_or_else(|| format!("{path} is not in what it printed"))?;
                }
                match here {
                    Value::String(text) => text.clone(),
                    Value::Number(number) => number.to_string(),
                    Value::Bool(is) => is.to_string(),
                    Value::Null | Value::Array(_) | Value::Object(_) => {
                        return Err(format!("{path} is no text and no number"));
                    }
                }
            }
        };
        if found.len() > LONGEST {
            return Err(format!("the value has {} bytes: at most {LONGEST} are kept", found.len()));
        }
        Ok(Exact::new(found))
    }
}

enum Step {
    Key(String),
    Place(usize),
}

/// The steps of `.items[0].name`, with or without a `$` before.
fn steps(path: &str) -> Result<Vec<Step>, String> {
    let wrong = || format!("`{path}` is no way into a document: write .items[0].name");
    let mut rest = path.strip_prefix('$').unwrap_or(path);
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('[') {
            let (inside, after) = after.split_once(']').ok_or_else(wrong)?;
            let quoted = inside.trim_matches(['\'', '"']);
            steps.push(match inside.parse::<usize>() {
                Ok(place) => Step::Place(place),
                Err(_) if quoted.len() + 2 == inside.len() && !quoted.is_empty() => Step::Key(quoted.to_owned()),
                Err(_) => return Err(wrong()),
            });
            rest = after;
            continue;
        }
        let after = rest.strip_prefix('.').ok_or_else(wrong)?;
        let end = after.find(['.', '[']).unwrap_or(after.len());
        if end == 0 {
            return Err(wrong());
        }
        steps.push(Step::Key(after[..end].to_owned()));
        rest = &after[end..];
    }
    if steps.is_empty() { Err(wrong()) } else { Ok(steps) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_a_success_where_the_file_says_so_and_is_called_as_there() {
        let outcomes = BTreeMap::from([("2".into(), "there are changes".into())]);
        let judging = Judging { success: vec![0, 2], outcomes, ..Judging::default() };
        let named = |is_success, name: Option<&str>| Some(Meaning { is_success, name: name.map(CleanStr::from) });
        assert_eq!(judging.outcome(2), named(true, Some("there are changes")));
        assert_eq!((judging.outcome(0), judging.outcome(1)), (None, None));
        let only_two = Judging { success: vec![2], ..Judging::default() };
        assert_eq!(only_two.outcome(0), named(false, None));
        assert_eq!(Judging::default().outcome(0), None);
    }

    #[test]
    fn a_value_is_kept_only_where_the_output_says_exactly_one() {
        let of = |capture: &str, output: &str| Capture::parse(capture).and_then(|capture| capture.of(output));
        assert_eq!(of("pod", "  web-7f\n\n"), Ok("web-7f".into()));
        assert_eq!(of("pod = .items[1].name", "{\"items\":[{},{\"name\":\"b\"}]}"), Ok("b".into()));
        assert_eq!(of("n = $.count", "fetching …\n{\"count\": 12}\ndone"), Ok("12".into()));
        assert_eq!(of("pod = ['app.kubernetes.io/name']", "{\"app.kubernetes.io/name\":\"x\"}"), Ok("x".into()));
        for (capture, output, why) in [
            ("pod", "a\nb\n", "2 lines"),
            ("pod", "\n", "nothing"),
            ("pod = .a", "no", "no JSON"),
            ("pod = .a", "{\"b\":1}", "is not in"),
            ("pod = .a", "{\"a\":[]}", "no text"),
            ("pod = a", "", "no way into"),
            ("p d", "x", "no name"),
        ] {
            let said = of(capture, output).unwrap_err();
            assert!(said.contains(why), "{capture}: {said}");
        }
    }
}
