//! GitLab: the deployment events of a project's or a group's webhook.
//!
//! Public documentation: "Webhook events" (deployment events) and "Webhooks" (`X-Gitlab-Token` carries the secret itself; `X-Gitlab-Event-UUID` names
//! the event, and those that one event sets off may share it: the body tells them apart).

use serde_json::Value;

use super::{Adapter, Asked, at_of, body_id, header, is_same, text};
use crate::change::{Change, ChangeKind, ChangeStatus, More};
use crate::text::CleanStr;

/// Its line in [`super::ADAPTERS`].
pub(super) const ADAPTER: Adapter = Adapter { path: "/changes/gitlab", signed, read };

fn signed(asked: &Asked, secret: &str) -> Result<String, &'static str> {
    let said = header(asked, "x-gitlab-token").ok_or("the header X-Gitlab-Token is needed")?;
    if !is_same(said, secret) {
        return Err("X-Gitlab-Token is not this secret");
    }
    let body = body_id(asked);
    Ok(header(asked, "x-gitlab-event-uuid").map_or_else(|| body.clone(), |uuid| format!("{uuid}/{body}")))
}

fn read(_: &Asked, said: &Value) -> Result<Option<Change>, String> {
    if said["object_kind"] != "deployment" {
        return Ok(None);
    }
    let status = match said["status"].as_str() {
        Some("created" | "running" | "blocked") => ChangeStatus::Started,
        Some("success") => ChangeStatus::Succeeded,
        Some("failed" | "canceled") => ChangeStatus::Failed,
        Some(_) => return Ok(None),
        None => return Err("status is missing".to_owned()),
    };
    let path = text(&said["project"]["path_with_namespace"]).ok_or("project.path_with_namespace is missing")?;
    let name = path.rsplit('/').next().unwrap_or(&path);
    let number = &said["deployment_id"];
    let what = text(&said["commit_title"]).unwrap_or_else(|| CleanStr::new(&format!("deployment {number}")));
    Ok(Some(Change {
        at: at_of(&said["status_changed_at"]).ok_or("status_changed_at is no time")?,
        kind: ChangeKind::Deploy,
        service: Some(name.into()),
        what,
        by: text(&said["user"]["username"]).unwrap_or_default(),
        // What the interface deploys, or another pipeline, has no job.
        link: text(&said["deployable_url"]).or_else(|| text(&said["commit_url"])),
        rollback: None,
        more: More {
            id: Some(format!("gitlab/{path}/{number}").into()),
            status: Some(status),
            environment: text(&said["environment"]),
            after: text(&said["short_sha"]),
            ..More::default()
        },
    }))
}
