//! Fields that a project wants of its tickets and that only a person can fill in.
//!
//! Hides that the values which may be chosen are Jira's own, that a field takes one of them or several, and that a demand may show only when a ticket is
//! turned away.
//!
//! Invariant: a person is asked before a ticket is there, and what was chosen in an incident counts for all its tickets.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::answers::{Described, Kind};
use super::{Edition, Jira, OPTIONAL};
use crate::incident::{Parcel, Receipt, Way};
use crate::source::http::{Answer, Failure};
use crate::text::CleanStr;

/// So many values of a field are offered.
const MOST_VALUES: usize = 30;

/// The question that the configuration has in place of a field's value: `{ ask = "Which product?" }`.
pub(super) fn question_in(value: &Value) -> Option<&str> {
    let fields = value.as_object().filter(|fields| fields.len() == 1)?;
    fields.get("ask")?.as_str()
}

/// Fills in what people chose in this incident.
pub(super) fn fill_in(parcel: &Parcel, fields: &mut Value) {
    let start = format!("jira/field/{}/", parcel.target);
    for choice in parcel.choices.iter().filter_map(|choice| choice.strip_prefix(&start)) {
        let mut parts = choice.splitn(3, '/');
        let (Some(field), Some(count), Some(id)) = (parts.next(), parts.next(), parts.next()) else { continue };
        let value = json!({ "id": id });
        fields[field] = if count == "many" { json!([value]) } else { value };
    }
}

/// The fields for which a ticket was turned away and that nothing here sets.
pub(super) fn lacking(answer: &Answer, fields: &Value) -> Vec<String> {
    let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let errors = said.get("errors").and_then(Value::as_object).filter(|_| answer.status == 400);
    let ids = errors.into_iter().flat_map(|errors| errors.keys());
    ids.filter(|id| fields.get(id.as_str()).is_none() && !OPTIONAL.contains(&id.as_str())).cloned().collect()
}

impl Jira {
    /// The fields that the configuration wants asked and that nobody has answered yet.
    pub(super) fn unanswered(&self, fields: &Value) -> Vec<String> {
        let asked = self.fields.iter().filter(|(id, value)| question_in(value).is_some() && fields.get(id).is_none());
        asked.map(|(id, _)| id.clone()).collect()
    }

    /// Asks a person for the first of some fields that has values to choose from; nothing where none has.
    pub(super) async fn question(
        &self,
        edition: Edition,
        parcel: &Parcel,
        kind: &Kind,
        ids: &[String],
    ) -> Result<Option<Receipt>, Failure> {
        if ids.is_empty() {
            return Ok(None);
        }
        let known = self.described(edition, &parcel.target, kind).await?;
        let known: BTreeMap<&str, &Described> = known.iter().map(|field| (field.id(), field)).collect();
        let can_be_asked = |id: &&String| known.get(id.as_str()).is_some_and(|field| !field.values().is_empty());
        let Some(id) = ids.iter().find(can_be_asked) else { return Ok(None) };
        let field = known[id.as_str()];
        let values = field.values();
        let count = if field.takes_many() { "many" } else { "one" };
        let way = |(value, words): &(String, String)| {
            Way::new(&format!("{}: {words}", field.name), &format!("jira/field/{}/{id}/{count}/{value}", parcel.target))
        };
        let ways = values.iter().take(MOST_VALUES).map(way).collect();
        let asked = self.fields.get(id).and_then(question_in).unwrap_or(&field.name);
        let more = match values.len().saturating_sub(MOST_VALUES) {
            0 => String::new(),
            more => format!(" ({more} more values: set `{id}` in [jira-project.fields])"),
        };
        let why = CleanStr::new(&format!("jira wants to know of a ticket in {}: {asked}{more}", parcel.target));
        Ok(Some(Receipt::Asks { why, ways }))
    }
}
