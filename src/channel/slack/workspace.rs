//! Which workspace is meant: a token of a whole organisation (Enterprise Grid) is of many, and lists, creations and people are of one.
//!
//! Hides which methods want to know it; for the token of a single workspace Slack ignores it.

use serde_json::{Value, json};

use super::answers::{AuthTest, Workspace, Workspaces};
use super::{MOST_PAGES, Slack, refusals};
use crate::checkup::Finding;
use crate::text::CleanStr;

/// So many workspaces are named where one has to be chosen.
const MOST_NAMED: usize = 5;

impl Slack {
    /// The ID of the workspace, empty where none is configured.
    pub(super) fn team(&self) -> &str {
        self.workspace.as_deref().unwrap_or_default()
    }

    /// A body with the workspace that it is about.
    pub(super) fn in_workspace(&self, mut body: Value) -> Value {
        if let Some(team) = &self.workspace {
            body["team_id"] = json!(team);
        }
        body
    }

    /// What doctor says of the token, and of the workspace that it is used in.
    pub(super) async fn of_token(&self, who: &AuthTest, has_rooms: bool) -> Vec<Finding> {
        let token = "slack: token";
        if !who.is_enterprise_install {
            let mut findings = vec![Finding::fine(token, &who.team)];
            if let Some(wanted) = self.workspace.as_ref().filter(|wanted| ***wanted != *who.team_id) {
                let why = format!(
                    "the token is of {} ({}), not of {wanted}: correct `workspace` in [slack-channels], or leave it out",
                    who.team, who.team_id
                );
                findings.push(Finding::wrong("slack: workspace", &why));
            }
            return findings;
        }
        let named = [&who.team, &who.enterprise_id].into_iter().find(|name| !name.is_empty());
        let seen = format!("of the whole organisation {}", named.map_or("", |name| name.as_str()));
        vec![Finding::fine(token, seen.trim_end()), self.of_workspace(has_rooms).await]
    }

    /// Whether the app was let into the workspace that is configured.
    async fn of_workspace(&self, has_rooms: bool) -> Finding {
        let what = "slack: workspace";
        let known = match self.workspaces().await {
            Ok(known) => known,
            Err(why) => return Finding::untried(what, &why),
        };
        let all: Vec<String> = known.iter().take(MOST_NAMED).map(|one| format!("{} ({})", one.name, one.id)).collect();
        let more = known.len().saturating_sub(MOST_NAMED);
        let all = match (all.is_empty(), more) {
            (true, _) => "none: who administers the organisation lets it in".to_owned(),
            (false, 0) => all.join(", "),
            (false, more) => format!("{} and {more} more", all.join(", ")),
        };
        match &self.workspace {
            Some(wanted) => match known.iter().find(|one| *one.id == **wanted) {
                Some(one) => Finding::fine(what, &one.name),
                None => Finding::wrong(what, &format!("the app was not let into {wanted}: it is in {all}")),
            },
            // Texts go to channels by their ID; all else needs it.
            None if has_rooms => Finding::wrong(what, &format!("{}: {all}", refusals::NO_WORKSPACE)),
            None => Finding::doubtful(what, &format!("{}: {all}", refusals::NO_WORKSPACE)),
        }
    }

    /// The workspaces of the organisation that the app was let into.
    async fn workspaces(&self) -> Result<Vec<Workspace>, CleanStr> {
        let (mut known, mut cursor) = (Vec::new(), String::new());
        for _ in 0..MOST_PAGES {
            let query = [("limit", "1000"), ("cursor", cursor.as_str())];
            let page: Workspaces = self.said("auth.teams.list", &query).await.map_err(|failure| failure.reason)?;
            known.extend(page.teams);
            cursor = page.response_metadata.next_cursor;
            if cursor.is_empty() {
                break;
            }
        }
        Ok(known)
    }
}
