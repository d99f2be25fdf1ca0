//! A span read whole: everything that it says, as named values.
//!
//! Hides where a value stands (in the span, in its process, in an event) and that a long one is kept beside the line that stands for it.
//!
//! Invariant: every tag, process tag and event of the span is in the list once, as it came.

use chrono::SecondsFormat;

use super::{Kind, Outcome, Span};
use crate::slo::Unit;
use crate::text::{CleanStr, CleanText};

/// A value with its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name: the key, with what it belongs to before it.
    pub name: String,
    /// The whole value.
    pub value: CleanText,
}

impl Span {
    /// All that it says, what went wrong first.
    pub fn fields(&self) -> Vec<Field> {
        let mut fields = Vec::new();
        let mut add = |name: String, value: &str| fields.push(Field { name, value: CleanText::new(value) });
        match &self.outcome {
            Outcome::Error(error) => add("error".to_owned(), error),
            Outcome::Fine => {}
        }
        for warning in &self.warnings {
            add("warning".to_owned(), warning);
        }
        let took = Unit::Seconds.show(self.duration.num_microseconds().map_or(f64::MAX, |micros| micros as f64 / 1e6));
        add("service".to_owned(), &self.service);
        add("operation".to_owned(), &self.operation);
        let kind = match self.kind {
            Kind::Internal => "internal",
            Kind::Client => "client",
            Kind::Server => "server",
            Kind::Producer => "producer",
            Kind::Consumer => "consumer",
        };
        add("kind".to_owned(), kind);
        add("began".to_owned(), &self.start.to_rfc3339_opts(SecondsFormat::Micros, true));
        add("took".to_owned(), &took);
        add("span".to_owned(), &self.id);
        if let Some(parent) = &self.parent {
            add(if self.follows { "follows from" } else { "parent" }.to_owned(), parent);
        }
        let whole =
            |key: &CleanStr, value: &CleanStr| self.whole(key, value).cloned().unwrap_or_else(|| CleanText::new(value));
        for (key, value) in &self.tags {
            fields.push(Field { name: key.to_string(), value: whole(key, value) });
        }
        for log in &self.logs {
            let after = (log.at - self.start).num_microseconds().unwrap_or_default() as f64 / 1e6;
            for (key, value) in &log.fields {
                let name = format!("+{} {key}", Unit::Seconds.show(after));
                fields.push(Field { name, value: whole(key, value) });
            }
        }
        for (key, value) in self.process.iter() {
            fields.push(Field { name: format!("process {key}"), value: CleanText::new(value) });
        }
        fields
    }

    /// All that it says as one text: each name on a line of its own, with its value below where that has several lines.
    pub fn in_full(&self) -> CleanText {
        let line = |Field { name, value }: Field| {
            if value.contains('\n') { format!("{name}:\n{value}\n") } else { format!("{name}: {value}\n") }
        };
        CleanText::new(&self.fields().into_iter().map(line).collect::<String>())
    }
}
