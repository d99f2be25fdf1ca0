//! GitHub: the event `deployment_status` of a repository's or an organisation's webhook.
//!
//! Public documentation: "Webhook events and payloads" (`deployment_status`) and "Validating webhook deliveries" (`X-Hub-Signature-256`, the
//! HMAC-SHA256 of the body in hex).

use ring::hmac;
use serde_json::Value;

use super::{Adapter, Asked, at_of, header, short, text};
use crate::change::{Change, ChangeKind, ChangeStatus, More};

/// Its line in [`super::ADAPTERS`].
pub(super) const ADAPTER: Adapter = Adapter { path: "/changes/github", signed, read };

fn signed(asked: &Asked, secret: &str) -> Result<String, &'static str> {
    let said = header(asked, "x-hub-signature-256").ok_or("the header X-Hub-Signature-256 is needed")?;
    let tag = said.strip_prefix("sha256=").and_then(unhex).ok_or("X-Hub-Signature-256 is no sha256=…")?;
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    hmac::verify(&key, &asked.body, &tag).map_err(|_| "the signature is not made with this secret")?;
    Ok(header(asked, "x-github-delivery").ok_or("the header X-GitHub-Delivery is needed")?.to_owned())
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || !text.len().is_multiple_of(2) {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}

fn read(asked: &Asked, said: &Value) -> Result<Option<Change>, String> {
    if header(asked, "x-github-event") != Some("deployment_status") {
        return Ok(None);
    }
    let (status, deployment, repository) = (&said["deployment_status"], &said["deployment"], &said["repository"]);
    let state = match status["state"].as_str() {
        Some("pending" | "queued" | "in_progress") => ChangeStatus::Started,
        Some("success") => ChangeStatus::Succeeded,
        Some("failure" | "error") => ChangeStatus::Failed,
        // Another deployment took its place: that one tells of itself.
        Some(_) => return Ok(None),
        None => return Err("deployment_status.state is missing".to_owned()),
    };
    let name = text(&repository["name"]).ok_or("repository.name is missing")?;
    let full_name = text(&repository["full_name"]).unwrap_or_else(|| name.clone());
    let branch = text(&deployment["ref"]).unwrap_or_else(|| "?".into());
    let task = deployment["task"].as_str().filter(|task| *task != "deploy").map(|task| format!(" ({task})"));
    let words = text(&deployment["description"]).map(|words| format!(": {words}")).unwrap_or_default();
    let creator = text(&deployment["creator"]["login"]).or_else(|| text(&status["creator"]["login"]));
    Ok(Some(Change {
        at: at_of(&status["created_at"]).ok_or("deployment_status.created_at is no time")?,
        kind: ChangeKind::Deploy,
        service: Some(name),
        what: format!("{branch}{}{words}", task.unwrap_or_default()).into(),
        by: creator.unwrap_or_default(),
        link: text(&status["log_url"]).or_else(|| text(&status["target_url"])),
        rollback: None,
        more: More {
            id: Some(format!("github/{full_name}/{}", deployment["id"]).into()),
            status: Some(state),
            environment: text(&deployment["environment"]).or_else(|| text(&status["environment"])),
            after: text(&deployment["sha"]).map(|sha| short(&sha)),
            ..More::default()
        },
    }))
}
