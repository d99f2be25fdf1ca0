//! How the pinned message looks: Block Kit.
//!
//! Hides the limits of blocks, and that a heading takes no markup.
//!
//! Invariant: foreign text is escaped, and only people of the configuration and links of ours are more than text.

use serde_json::{Value, json};

use super::{escaped, mention, said};
use crate::channel::fit::{self, SLACK_SECTION};
use crate::incident::{Bulletin, Handle};

/// The longest heading, by the reference of Block Kit.
const HEADING: usize = 150;
/// The longest text of a field.
const FIELD: usize = 2_000;

/// The blocks of how an incident stands.
pub(super) fn of(bulletin: &Bulletin, people: &[Handle]) -> Value {
    let heading = fit::pieces(&bulletin.heading, HEADING, fit::plain)[0];
    let mut blocks =
        vec![json!({ "type": "header", "text": { "type": "plain_text", "text": heading.trim(), "emoji": false } })];
    blocks.extend(sections(&bulletin.title, people));
    let mut fields = vec![field("Severity", &bulletin.severity), field("Phase", &bulletin.phase)];
    let commander = match &bulletin.commander {
        Some(name) => mention(name, people).unwrap_or_else(|| escaped(name)),
        None => "nobody yet".to_owned(),
    };
    fields.push(markup("Incident Commander", &commander));
    fields.push(field("Next update", bulletin.next_update.as_deref().unwrap_or("no time promised")));
    let roles = bulletin
        .roles
        .iter()
        .map(|(role, name)| format!("{}: {}", escaped(role), mention(name, people).unwrap_or_else(|| escaped(name))));
    let roles: Vec<_> = roles.collect();
    if !roles.is_empty() {
        fields.push(markup("Roles", &roles.join("\n")));
    }
    let customers = bulletin.customers.as_ref().map(|count| format!("{count} customers"));
    let affected = bulletin.services.iter().chain(&bulletin.impact).map(|words| escaped(words));
    let affected: Vec<_> = affected.chain(customers.map(|words| escaped(&words))).collect();
    if !affected.is_empty() {
        fields.push(markup("Affected", &affected.join("\n")));
    }
    blocks.push(json!({ "type": "section", "fields": fields }));
    if let Some(last) = &bulletin.last {
        blocks.push(json!({ "type": "divider" }));
        blocks.extend(sections(last, people));
    }
    let links: Vec<_> = bulletin.links.iter().map(|(words, link)| linked(words, link.as_deref())).collect();
    if !links.is_empty() {
        blocks.push(json!({ "type": "context", "elements": [{ "type": "mrkdwn", "text": links.join("  ·  ") }] }));
    }
    json!(blocks)
}

fn sections(text: &str, people: &[Handle]) -> Vec<Value> {
    let pieces = fit::pieces(text.trim(), SLACK_SECTION.letters, |text| fit::plain(&escaped(text)));
    let pieces = pieces.into_iter().filter(|piece| !piece.trim().is_empty());
    pieces
        .map(|piece| json!({ "type": "section", "text": { "type": "mrkdwn", "text": said(piece, people) } }))
        .collect()
}

fn field(name: &str, text: &str) -> Value {
    markup(name, &escaped(text))
}

fn markup(name: &str, text: &str) -> Value {
    let text = format!("*{name}*\n{text}");
    json!({ "type": "mrkdwn", "text": fit::pieces(&text, FIELD, fit::plain)[0] })
}

/// A link with its words: what would end it is left out of its address.
fn linked(words: &str, link: Option<&str>) -> String {
    match link.filter(|link| link.starts_with("http")) {
        Some(link) => {
            let link = link.replace('|', "%7C").replace('>', "%3E").replace('<', "%3C");
            format!("<{}|{}>", link.replace('&', "&amp;"), escaped(words).replace('|', "/"))
        }
        None => escaped(words),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pinned_message_says_severity_commander_next_update_and_links_and_pings_nobody_by_a_title() {
        let bulletin = Bulletin {
            heading: "INC-1 SEV1".into(),
            title: "p99 <!channel> & more".into(),
            severity: "SEV1".into(),
            phase: "Mitigating since 12:03 UTC".into(),
            commander: Some("Dana Rahimi".into()),
            next_update: Some("by 12:30 UTC".into()),
            links: vec![("pagerduty 4711".into(), Some("https://pd.example/4711?a=1&b=2".into()))],
            last: Some("ж".repeat(7_000).as_str().into()),
            ..Bulletin::default()
        };
        let people = [Handle { names: vec!["Dana Rahimi".into()], id: "U0DANA0001".into() }];
        let blocks = of(&bulletin, &people);
        let text = blocks.to_string();
        for part in [
            "p99 &lt;!channel&gt; &amp; more",
            "*Incident Commander*\\n<@U0DANA0001>",
            "*Severity*\\nSEV1",
            "*Next update*\\nby 12:30 UTC",
            "<https://pd.example/4711?a=1&amp;b=2|pagerduty 4711>",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert_eq!(text.matches('ж').count(), 7_000, "nothing of the update is cut");
        let longest = blocks.as_array().unwrap().iter().filter_map(|one| one["text"]["text"].as_str());
        assert!(longest.map(|text| text.chars().count()).max().unwrap() <= 3_000);
    }
}
