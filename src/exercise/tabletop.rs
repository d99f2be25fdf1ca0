//! A tabletop exercise from a Markdown file: nothing is simulated; people get in touch, and people judge.
//!
//! ```text
//! # Card data on a forum
//! Service: alipay
//! Severity: SEV1
//! Duration: 45m
//!
//! What is read aloud before it starts.
//!
//! ## Goals
//! - know whom to call
//! ## Success criteria
//! - the bank was told
//! ## Injects
//! - 5m, Bank (telephone): We see it too.
//! ## Hints
//! - 15m: Who owns the contract?
//! ```
//!
//! Hides that it becomes the text of an exercise like any other, which the record keeps.
//!
//! Invariant: every line of the file is in the exercise, or the file is refused with the number of the line.

use toml::{Table, Value};

use crate::text::CleanStr;
use crate::text::duration::Lapse;

/// What a section of the file is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Section {
    /// Before the first heading of the second level.
    Brief,
    Goals,
    Success,
    Injects,
    Hints,
}

/// The text of the exercise that a Markdown file describes; else what is wrong, with its line.
pub fn from_markdown(text: &str) -> Result<String, String> {
    let mut read = Read::default();
    let mut section = Section::Brief;
    for (place, line) in text.lines().enumerate() {
        let at = |why: String| format!("line {}: {why}", place + 1);
        let trimmed = line.trim();
        if let Some(heading) = trimmed.strip_prefix("## ") {
            section = match heading.trim().to_lowercase().as_str() {
                "goals" => Section::Goals,
                "success" | "success criteria" => Section::Success,
                "injects" => Section::Injects,
                "hints" => Section::Hints,
                other => {
                    let why = format!("`{other}` is none of Goals, Success criteria, Injects and Hints");
                    return Err(at(why));
                }
            };
        } else if let Some(title) = trimmed.strip_prefix("# ") {
            if read.title.replace(title.trim().to_owned()).is_some() {
                return Err(at("there is a title already".to_owned()));
            }
        } else if !trimmed.is_empty() {
            read.take(section, trimmed).map_err(at)?;
        } else if section == Section::Brief && !read.brief.is_empty() {
            read.brief.push('\n');
        }
    }
    read.exercise()
}

#[derive(Default)]
struct Read {
    title: Option<String>,
    service: Option<String>,
    severity: Option<String>,
    duration: Option<String>,
    brief: String,
    goals: Vec<Value>,
    success: Vec<Value>,
    injects: Vec<Value>,
    hints: Vec<Value>,
}

impl Read {
    fn take(&mut self, section: Section, line: &str) -> Result<(), String> {
        if section == Section::Brief {
            let key = line.split_once(':').map(|(key, value)| (key.to_lowercase(), value.trim().to_owned()));
            match key {
                Some((key, value)) if key == "service" => self.service = Some(value),
                Some((key, value)) if key == "severity" => self.severity = Some(value.to_lowercase()),
                Some((key, value)) if key == "duration" => self.duration = Some(value),
                Some(_) | None => {
                    self.brief.push_str(line);
                    self.brief.push('\n');
                }
            }
            return Ok(());
        }
        let Some(item) = line.strip_prefix("- ").or_else(|| line.strip_prefix("* ")) else {
            return Err("is no item of a list: begin it with `- `".to_owned());
        };
        match section {
            Section::Brief => {}
            Section::Goals => self.goals.push(item.trim().into()),
            Section::Success => {
                let entries = [("what", Value::from(item.trim())), ("rule", Value::from("scored"))];
                self.success.push(table(entries));
            }
            Section::Injects => {
                let wrong = || "write: - 5m, Bank (telephone): We see it too.".to_owned();
                let (when, rest) = item.split_once(',').ok_or_else(wrong)?;
                let (who, text) = rest.split_once(':').ok_or_else(wrong)?;
                let (from, via) = match who.trim().strip_suffix(')').and_then(|who| who.rsplit_once('(')) {
                    Some((from, via)) => (from.trim(), via.trim()),
                    None => (who.trim(), "message"),
                };
                if from.is_empty() || via.is_empty() || text.trim().is_empty() {
                    return Err(wrong());
                }
                let id = format!("inject-{}", self.injects.len() + 1);
                self.injects.push(table([
                    ("id", id.into()),
                    ("at", time(when)?),
                    ("from", from.into()),
                    ("via", via.into()),
                    ("text", text.trim().into()),
                ]));
            }
            Section::Hints => {
                let (when, text) = item.split_once(':').ok_or("write: - 15m: Who owns the contract?")?;
                self.hints.push(table([("at", time(when)?), ("text", text.trim().into())]));
            }
        }
        Ok(())
    }

    fn exercise(self) -> Result<String, String> {
        let missing = |what: &str| format!("has no {what}");
        let title = self.title.ok_or_else(|| missing("title: begin with `# …`"))?;
        let service = self.service.ok_or_else(|| missing("line `Service: …`"))?;
        if self.goals.is_empty() || self.success.is_empty() {
            return Err(missing("list under `## Goals` and one under `## Success criteria`"));
        }
        let brief = if self.brief.trim().is_empty() { title.clone() } else { self.brief.trim().to_owned() };
        let severity = self.severity.unwrap_or_else(|| "sev2".to_owned());
        let opening = table([
            ("title", title.as_str().into()),
            ("severity", severity.into()),
            ("alert", "Tabletop".into()),
            ("fired", "0s".into()),
        ]);
        // A world in which nothing ever happens.
        let hop = table([("service", service.as_str().into()), ("operation", "request".into())]);
        let failure = |when: &str, status: i64| {
            table([
                ("when", when.into()),
                ("error", when.into()),
                ("exception", when.into()),
                ("status", Value::Integer(status)),
            ])
        };
        let requests = table([
            ("rate", Value::Float(1.0)),
            ("median", "100ms".into()),
            ("spread", Value::Float(0.1)),
            ("timeout", "30s".into()),
            ("errors", Value::Float(0.0)),
            ("traced", Value::Float(0.0)),
            ("path", Value::Array(vec![hop])),
            ("failures", Value::Array(vec![failure("timeout", 504), failure("refusal", 503)])),
        ]);
        let all = table([
            ("title", title.as_str().into()),
            ("service", service.into()),
            ("scenario", format!("{title} (tabletop)").into()),
            ("frequency", "quarterly".into()),
            ("duration", self.duration.unwrap_or_else(|| "45m".to_owned()).into()),
            ("goals", Value::Array(self.goals)),
            ("success", Value::Array(self.success)),
            ("brief", brief.into()),
            ("opening", opening),
            ("requests", requests),
            ("faults", Value::Array(Vec::new())),
            ("injects", Value::Array(self.injects)),
            ("hints", Value::Array(self.hints)),
        ]);
        toml::to_string(&all).map_err(|error| error.to_string())
    }
}

fn table<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::Table(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<Table>())
}

fn time(text: &str) -> Result<Value, String> {
    let text = text.trim().trim_start_matches('+');
    text.parse::<Lapse>().map(|_| text.into()).map_err(|_| format!("`{}` is no time such as 5m", CleanStr::new(text)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exercise::Exercise;

    const FILE: &str = "# Card data on a forum\nService: alipay\nSeverity: sev1\nDuration: 45m\n\nNobody is to be named.\n\n## Goals\n- know whom to call\n\n## Success criteria\n- the bank was told\n- nobody spoke to the press\n\n## Injects\n- 5m, Bank (telephone): We see it, too: all of it.\n- 10m, Press: Is it true?\n\n## Hints\n- 15m: Who owns the contract?\n";

    #[test]
    fn a_markdown_file_is_an_exercise_in_which_people_get_in_touch_and_people_judge() {
        let exercise = Exercise::parse("forum", &from_markdown(FILE).unwrap()).unwrap();
        assert_eq!((exercise.title.as_str(), exercise.service.as_str()), ("Card data on a forum", "alipay"));
        assert_eq!(exercise.brief.trim(), "Nobody is to be named.");
        let injects: Vec<_> =
            exercise.injects.iter().map(|one| (one.from.as_str(), one.via.as_str(), one.text.trim())).collect();
        assert_eq!(injects, [("Bank", "telephone", "We see it, too: all of it."), ("Press", "message", "Is it true?")]);
        assert_eq!((exercise.success.len(), exercise.hints.len(), exercise.faults.len()), (2, 1, 0));
    }

    #[test]
    fn what_is_no_part_of_it_is_refused_with_its_line() {
        for (file, why) in [
            ("Service: alipay\n", "no title"),
            ("# A\n", "no line `Service"),
            ("# A\n# B\n", "line 2: there is a title"),
            ("# A\n## Weather\n", "line 2: `weather` is none"),
            ("# A\n## Goals\nknow\n", "line 3: is no item"),
            ("# A\n## Injects\n- soon, Bank: x\n", "line 3: `soon` is no time"),
            ("# A\n## Injects\n- 5m Bank\n", "line 3: write"),
            ("# A\nService: a\n## Goals\n- x\n", "no list"),
        ] {
            let said = from_markdown(file).unwrap_err();
            assert!(said.contains(why), "{file}: {said}");
        }
    }
}
