//! CDEvents in CloudEvents, as the plugin of Jenkins sends them: structured (`application/cloudevents+json`) or with the headers `ce-…`.
//!
//! Public documentation: the CDEvents specification (`service.deployed`, `.upgraded`, `.rolledback`, `.removed`, `deployment.started`, `.finished`) and the
//! HTTP binding of CloudEvents. Neither signs: a header carries the secret, `Authorization: Bearer …`.

use serde_json::Value;

use super::{Adapter, Asked, at_of, bearer, body_id, header, short, text};
use crate::change::{Change, ChangeKind, ChangeStatus, More};
use crate::text::CleanStr;

/// Its line in [`super::ADAPTERS`].
pub(super) const ADAPTER: Adapter = Adapter { path: "/changes/cdevents", signed, read };

fn signed(asked: &Asked, secret: &str) -> Result<String, &'static str> {
    bearer(asked, secret)?;
    Ok(header(asked, "ce-id").map_or_else(|| body_id(asked), str::to_owned))
}

fn read(_: &Asked, said: &Value) -> Result<Option<Change>, String> {
    let event = if said.get("context").is_some() { said } else { &said["data"] };
    let (context, subject) = (&event["context"], &event["subject"]);
    let kind = context["type"].as_str().ok_or("context.type is missing")?;
    let content = &subject["content"];
    let mut parts = kind.strip_prefix("dev.cdevents.").ok_or("context.type is none of CDEvents")?.split('.');
    let (of, predicate) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let status = match (of, predicate) {
        ("service", "deployed" | "upgraded" | "removed") => ChangeStatus::Succeeded,
        ("service", "rolledback") => ChangeStatus::RolledBack,
        ("deployment", "queued" | "started") => ChangeStatus::Started,
        ("deployment", "finished") if content["outcome"] == "success" => ChangeStatus::Succeeded,
        ("deployment", "finished") => ChangeStatus::Failed,
        _ => return Ok(None),
    };
    let id = text(&subject["id"]).ok_or("subject.id is missing")?;
    let artifact = text(&content["artifactId"]);
    // `pkg:oci/myapp@sha256%3A0b31…`: the artifact's name, and its version.
    let named = artifact.as_ref().map(|artifact| {
        let (name, version) = artifact.rsplit_once('@').unwrap_or((artifact, ""));
        let version = version.split(['?', '#']).next().unwrap_or_default().replace("%3A", ":");
        (CleanStr::new(last(name)), CleanStr::new(version.trim_start_matches("sha256:")))
    });
    let service = match (of, &named) {
        ("deployment", Some((name, _))) => name.clone(),
        _ => CleanStr::new(last(&id)),
    };
    let key = match &artifact {
        Some(artifact) if of == "service" => format!("cdevents/{id}/{artifact}"),
        Some(_) | None => format!("cdevents/{id}"),
    };
    let version = named.map(|(_, version)| short(&version)).filter(|version| !version.is_blank());
    Ok(Some(Change {
        at: at_of(&context["timestamp"]).ok_or("context.timestamp is no time")?,
        kind: ChangeKind::Deploy,
        service: Some(service),
        what: CleanStr::new(&format!("{of} {predicate}")),
        by: text(&context["source"]).unwrap_or_default(),
        link: text(&content["uri"]).or_else(|| text(&content["url"])),
        rollback: None,
        more: More {
            id: Some(key.into()),
            status: Some(status),
            environment: text(&content["environment"]["id"]),
            after: version,
            ..More::default()
        },
    }))
}

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
