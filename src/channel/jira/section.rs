//! The description of a ticket: a part of it is ours and follows the record, what people write around it stays.
//!
//! Hides that Cloud keeps a document and Data Center a text.
//!
//! Invariant: nothing outside of our marks is changed; a text that is longer than Jira takes goes on in comments, none of it is cut.

use serde_json::{Value, json};

use super::texts::{self, document};
use super::{Edition, Jira, api, mark_of};
use crate::channel::{bears, call, naming, nothing_written, silent};
use crate::incident::{Parcel, Receipt, Remote};
use crate::source::http::Failure;
use reqwest::Method;

/// The line above our part.
const BEGIN: &str = "(warroom keeps what stands from here to its end: write above or below it)";
/// The line below it.
const END: &str = "(end of what warroom keeps)";
/// So much of the description is left to people.
const THEIRS: usize = 4_000;

/// A text in the pieces that a description and the comments below it take.
pub(super) fn pieces(edition: Edition, text: &str) -> Vec<&str> {
    texts::pieces(edition, text, THEIRS)
}

/// A description that is ours alone, of a ticket that is made.
pub(super) fn new(edition: Edition, text: &str) -> Value {
    document(edition, &format!("{BEGIN}\n{text}\n{END}"))
}

/// A description whose part is anew, with what people wrote around it.
fn renewed(edition: Edition, known: &Value, text: &str) -> Value {
    let own = new(edition, text);
    match edition {
        Edition::DataCenter => {
            let said = known.as_str().unwrap_or_default();
            let own = own.as_str().unwrap_or_default();
            // What stands there is written as it was shown: our marks hold no markup.
            let (before, after) = match (said.find(BEGIN), said.find(END)) {
                (Some(begin), Some(end)) if begin < end => (&said[..begin], &said[end + END.len()..]),
                _ if is_of_old(said) || said.trim().is_empty() => ("", ""),
                _ => return json!(format!("{}\n\n{own}", said.trim_end())),
            };
            json!(format!("{before}{own}{after}"))
        }
        Edition::Cloud => {
            let all = known.get("content").and_then(Value::as_array).cloned().unwrap_or_default();
            let at = |line: &str| all.iter().position(|node| words(node).trim() == line);
            let (before, after) = match (at(BEGIN), at(END)) {
                (Some(begin), Some(end)) if begin < end => (&all[..begin], &all[end + 1..]),
                _ if all.first().is_none_or(|node| is_of_old(&words(node))) => (&all[..0], &all[..0]),
                _ => (&all[..], &all[..0]),
            };
            let own = own["content"].as_array().cloned().unwrap_or_default();
            let content: Vec<&Value> = before.iter().chain(&own).chain(after).collect();
            json!({ "type": "doc", "version": 1, "content": content })
        }
    }
}

/// Whether it is a description as it was written before there were marks.
fn is_of_old(text: &str) -> bool {
    text.starts_with("Summary")
}

/// The words of a part of a document.
fn words(node: &Value) -> String {
    match node.get("text").and_then(Value::as_str) {
        Some(text) => text.to_owned(),
        None => node.get("content").and_then(Value::as_array).into_iter().flatten().map(words).collect(),
    }
}

impl Jira {
    /// Brings our part of a ticket's description up to date.
    pub(super) async fn describe(&self, edition: Edition, parcel: &Parcel, about: &Remote) -> Result<Receipt, Failure> {
        let path = api(edition).then("issue/{}", &[&about.id]);
        let known: Value = self.get(path.clone(), &[("fields", "description")]).await.map_err(nothing_written)?;
        let known = known.pointer("/fields/description").cloned().unwrap_or_default();
        let pieces = pieces(edition, &parcel.text);
        let description = renewed(edition, &known, pieces[0]);
        if description != known {
            let body = json!({ "fields": { "description": description } });
            let answer = call(&self.site, Method::PUT, path, Some(&body)).await?;
            silent(&self.site, &answer)?;
        }
        self.rest_of_description(edition, parcel, about, &pieces[1..]).await?;
        Ok(Receipt::There(about.clone()))
    }

    /// What the description has no room for: a comment for each piece, which follows the record too.
    pub(super) async fn rest_of_description(
        &self,
        edition: Edition,
        parcel: &Parcel,
        about: &Remote,
        rest: &[&str],
    ) -> Result<(), Failure> {
        if rest.is_empty() {
            return Ok(());
        }
        let comments = self.comments(edition, about).await?;
        for (place, piece) in rest.iter().enumerate() {
            let mark = format!("{} description {}", mark_of(&parcel.record), place + 2);
            let body = json!({
                "body": document(edition, &format!("({mark})\n{piece}")),
                "properties": [{ "key": "sd.public.comment", "value": { "internal": true } }],
            });
            let known = comments.iter().find(|one| bears(&one["body"].to_string(), &mark));
            let (method, path) = match known.and_then(|one| one["id"].as_str()) {
                Some(id) => (Method::PUT, api(edition).then("issue/{}/comment/{}", &[&about.id, id])),
                None => (Method::POST, api(edition).then("issue/{}/comment", &[&about.id])),
            };
            let answer = call(&self.site, method, path, Some(&body)).await?;
            naming(&self.site, answer, "id").await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_wrote_around_our_part_stays_in_both_editions() {
        let first = new(Edition::DataCenter, "Summary\nINC-1 SEV1: p99");
        let edited = json!(format!("Asked by Leila.\n\n{}\n\nh2. My notes\n* one", first.as_str().unwrap()));
        let next = renewed(Edition::DataCenter, &edited, "Summary\nINC-1 SEV0: p99");
        let next = next.as_str().unwrap();
        assert!(
            next.starts_with("Asked by Leila.\n\n(warroom keeps") && next.ends_with("\n\nh2. My notes\n* one"),
            "{next}"
        );
        assert!(next.contains("SEV0") && !next.contains("SEV1"), "{next}");
        let mut cloud = new(Edition::Cloud, "Summary\nINC-1 SEV1: p99");
        let table = json!({ "type": "table", "content": [] });
        let theirs = json!({ "type": "paragraph", "content": [{ "type": "text", "text": "mine", "marks": [{ "type": "strong" }] }] });
        let content = cloud["content"].as_array_mut().unwrap();
        content.insert(0, theirs.clone());
        content.push(table.clone());
        let next = renewed(Edition::Cloud, &cloud, "Summary\nINC-1 SEV0: p99");
        let content = next["content"].as_array().unwrap();
        assert_eq!((&content[0], content.last().unwrap()), (&theirs, &table));
        assert!(next.to_string().contains("SEV0") && !next.to_string().contains("SEV1"), "{next}");
        // Without our marks all of it is theirs; what an older warroom wrote is ours.
        let next = renewed(Edition::DataCenter, &json!("only mine"), "ours");
        assert!(next.as_str().unwrap().starts_with("only mine\n\n(warroom"));
        let next = renewed(Edition::DataCenter, &json!("Summary\nINC-1"), "ours");
        assert!(next.as_str().unwrap().starts_with("(warroom"), "{next}");
        assert_eq!(renewed(Edition::Cloud, &Value::Null, "ours"), new(Edition::Cloud, "ours"));
    }
}
