//! What doctor asks of Slack: every call that an incident makes, with the scope that it takes, and the channels that texts go to.
//!
//! Hides that a scope is one for public channels and another one for private ones.
//!
//! Invariant: nothing is changed there; a scope that a call of an incident takes is looked at here.

use super::Slack;
use super::answers::{AuthTest, OneRoom, Room};
use crate::channel::Wanted;
use crate::checkup::Finding;
use crate::incident::Route;
use crate::reach::{PAGERDUTY, SLACK};

/// What lacks without a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Weight {
    /// Something that an incident does fails.
    Needed,
    /// Something is less than it could be: what, in words.
    Better(&'static str),
}

impl Slack {
    /// All findings.
    pub(super) async fn examined(&self, wanted: &Wanted<'_>) -> Vec<Finding> {
        let answer = match self.asked("auth.test", &serde_json::json!({})).await {
            Ok(answer) => answer,
            Err(failure) => return vec![Finding::wrong(SLACK, &failure.reason)],
        };
        let scopes: Option<Vec<String>> =
            answer.scopes.as_ref().map(|said| said.split(',').map(|scope| scope.trim().to_owned()).collect());
        let who = match self.read::<AuthTest>(answer).await {
            Ok(Ok(who)) => who,
            Ok(Err(no)) => return vec![Finding::wrong("slack: token", &self.refused(&no).reason)],
            Err(failure) => return vec![Finding::wrong(SLACK, &failure.reason)],
        };
        let mut findings = self.of_token(&who, wanted.reach.rooms.is_some()).await;
        let routes = wanted.reach.routes.iter().filter(|route| *route.service == *SLACK);
        let mut rooms = Vec::new();
        let mut of_routes = Vec::new();
        for route in routes {
            of_routes.extend(self.of_route(route, &who.user_id, scopes.as_deref(), &mut rooms).await);
        }
        findings.extend(needed(wanted, &rooms).into_iter().map(|(scope, weight)| {
            let what = format!("slack: scope {scope}");
            let lacks = "the token lacks it: add it to the app and install it again";
            match &scopes {
                None => Finding::untried(&what, "slack does not say which scopes the token has"),
                Some(has) if has.iter().any(|one| one == scope) => Finding::fine(&what, ""),
                Some(_) => match weight {
                    Weight::Needed => Finding::wrong(&what, lacks),
                    Weight::Better(why) => Finding::doubtful(&what, &format!("{why}: {lacks}")),
                },
            }
        }));
        findings.extend(of_routes);
        findings
    }

    async fn of_route(
        &self,
        route: &Route,
        user: &str,
        scopes: Option<&[String]>,
        rooms: &mut Vec<Room>,
    ) -> Vec<Finding> {
        let what = format!("slack: {} ({})", route.channel.name(), route.target);
        let room = match self.get::<OneRoom>("conversations.info", &[("channel", &route.target)]).await {
            Ok(Ok(one)) => one.channel,
            Ok(Err(no)) => return vec![Finding::wrong(&what, &self.refused(&no).reason)],
            Err(failure) => return vec![Finding::wrong(&what, &failure.reason)],
        };
        let may_write = scopes.is_none_or(|scopes| scopes.iter().any(|scope| scope == "chat:write.public"));
        let finding = if room.is_archived {
            Finding::wrong(&what, "the channel is archived: name another one in [slack-channels]")
        } else if room.is_member == Some(false) && (room.is_private || !may_write) {
            let way_out = if room.is_private { "" } else { ", or give it chat:write.public" };
            let why = format!("the app is not in the channel and cannot write there: /invite it{way_out}");
            Finding::wrong(&what, &why)
        } else if room.is_restricted_for(user) {
            let why = "who may write there is restricted, and the app is not named: ask who administers this workspace to let it in";
            Finding::doubtful(&what, why)
        } else {
            Finding::fine(&what, "known")
        };
        let mut findings = vec![finding];
        if !room.is_archived {
            findings.extend(self.of_readers(&what, &room).await);
        }
        rooms.push(room);
        findings
    }
}

/// Every scope that an incident takes, once.
fn needed(wanted: &Wanted<'_>, rooms: &[Room]) -> Vec<(&'static str, Weight)> {
    use Weight::{Better, Needed};
    let mut all = vec![("chat:write", Needed)];
    let mut add = |scope, weight| {
        if !all.iter().any(|(known, _)| *known == scope) {
            all.push((scope, weight));
        }
    };
    // A text whose answer was lost is looked for in the channel's history; who reads the channel is looked at before.
    let kinds = |is_private: bool| {
        if is_private { ("groups:read", "groups:history") } else { ("channels:read", "channels:history") }
    };
    for room in rooms {
        let (read, history) = kinds(room.is_private);
        add(read, Needed);
        add(history, Needed);
    }
    let has_routes = wanted.reach.routes.iter().any(|route| *route.service == *SLACK);
    if has_routes && rooms.is_empty() {
        add("channels:read", Needed);
        add("channels:history", Needed);
    }
    if let Some(own) = &wanted.reach.rooms {
        let (read, history) = kinds(own.is_private);
        add(if own.is_private { "groups:write" } else { "channels:manage" }, Needed);
        add(read, Needed);
        add(history, Needed);
        add("pins:write", Needed);
        add("pins:read", Better("what people pin in threads is not seen"));
        // PagerDuty's own app opens public channels.
        let adopts = wanted.reach.trackers.iter().any(|tracker| *tracker.service == *PAGERDUTY);
        if own.is_private && adopts {
            let why = "a public channel that PagerDuty opens cannot be found or joined";
            add("channels:read", Better(why));
            add("channels:join", Better(why));
        }
        if !own.is_private {
            add("channels:join", Needed);
            add("groups:read", Better("a private channel that has the name already is not seen"));
        }
        if wanted.reach.people.iter().any(|one| one.email.is_some()) {
            add("users:read.email", Needed);
        }
    }
    add("users:read", Better("guests in a channel are not seen"));
    all
}
