//! Argo CD: what its notifications post through a webhook service whose template's body is `{{ toJson .app }}`.
//!
//! Public documentation: "Notifications, Webhook" (the body is a template of one's own, a header carries the secret: `Authorization: Bearer …`) and the
//! Application resource (`status.operationState`, `status.history`; `sources` and `revisions` in place of one, `dryRun`).

use serde_json::Value;

use super::{Adapter, Asked, at_of, bearer, body_id, short, text};
use crate::change::{Change, ChangeKind, ChangeStatus, More};
use crate::text::CleanStr;

/// Its line in [`super::ADAPTERS`].
pub(super) const ADAPTER: Adapter = Adapter { path: "/changes/argocd", signed, read };

fn signed(asked: &Asked, secret: &str) -> Result<String, &'static str> {
    bearer(asked, secret)?;
    Ok(body_id(asked))
}

fn read(_: &Asked, said: &Value) -> Result<Option<Change>, String> {
    let app = said.get("app").unwrap_or(said);
    let (state, spec) = (&app["status"]["operationState"], &app["spec"]);
    // A trial changes nothing.
    if state["operation"]["sync"]["dryRun"] == true {
        return Ok(None);
    }
    let status = match state["phase"].as_str() {
        Some("Running" | "Terminating") => ChangeStatus::Started,
        Some("Succeeded") => ChangeStatus::Succeeded,
        Some("Failed" | "Error") => ChangeStatus::Failed,
        Some(other) => return Err(format!("status.operationState.phase is {other}")),
        // Nothing was synchronised yet.
        None => return Ok(None),
    };
    let name = text(&app["metadata"]["name"]).ok_or("metadata.name is missing: the body is {{ toJson .app }}")?;
    let started = text(&state["startedAt"]).ok_or("status.operationState.startedAt is missing")?;
    let at = at_of(&state["finishedAt"]).or_else(|| at_of(&state["startedAt"]));
    let after = version(&state["syncResult"]).or_else(|| version(&state["operation"]["sync"]));
    let history = app["status"]["history"].as_array().map_or(&[][..], Vec::as_slice);
    // The newest entry is this one, once it is out.
    let others = history.iter().rev().filter_map(version);
    let before = others.into_iter().find(|revision| Some(revision) != after.as_ref());
    let by = text(&state["operation"]["initiatedBy"]["username"]);
    Ok(Some(Change {
        at: at.ok_or("status.operationState has no time")?,
        kind: ChangeKind::Deploy,
        service: Some(name.clone()),
        what: text(&state["message"]).unwrap_or_else(|| "synchronised".into()),
        by: by.unwrap_or_else(|| "argocd".into()),
        link: text(&spec["source"]["repoURL"]).or_else(|| text(&spec["sources"][0]["repoURL"])),
        rollback: None,
        more: More {
            id: Some(format!("argocd/{name}/{started}").into()),
            status: Some(status),
            environment: text(&spec["destination"]["namespace"]),
            before,
            after,
            ..More::default()
        },
    }))
}

/// What was put out: a revision, or one of each source where an application has several.
fn version(said: &Value) -> Option<CleanStr> {
    if let Some(revision) = text(&said["revision"]) {
        return Some(short(&revision));
    }
    let all: Vec<CleanStr> = said["revisions"].as_array()?.iter().filter_map(text).map(|one| short(&one)).collect();
    let all: Vec<&str> = all.iter().map(CleanStr::as_str).collect();
    (!all.is_empty()).then(|| CleanStr::new(&all.join(" + ")))
}
