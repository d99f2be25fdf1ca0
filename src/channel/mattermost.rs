//! Mattermost: messages to channels.
//!
//! Hides how a message is known again (its `props` bear our mark, and for half a minute the server itself takes a
//! `pending_post_id` only once), and how foreign text is kept from pinging a channel or becoming markup.
//!
//! Invariant: a message is sent when the server's answer names it; nobody is pinged by what somebody quoted.

use std::collections::BTreeMap;

use reqwest::Method;
use serde::Deserialize;
use serde_json::json;

use super::calls::{Call, asks};
use super::spec::{ChannelSpec, Holds, Life, Means, Rehearsal, Section, Takes, key};
use super::{
    Answering, Channel, Examining, SystemSettings, Tidying, Wanted, absent, but_addresses, call, cannot, naming, read,
    receipt, removed, unknown,
};
use crate::checkup::Finding;
use crate::incident::Channel as Told;
use crate::incident::{Act, Parcel, Receipt, Remote};
use crate::source::below::Below;
use crate::source::http::{Failure, Limits, Site, Trouble};
use crate::source::{Endpoint, SourceError};
use crate::text::CleanStr;

/// Its name.
const NAME: &str = "mattermost";

/// What it is.
pub(super) const SPEC: ChannelSpec = ChannelSpec {
    name: NAME,
    open,
    keeps: None,
    sections: &[Section {
        name: "mattermost-channels",
        holds: Holds::Keys(&[
            key("incident", Takes::Id, Means::Route(Told::IncidentChannel)),
            key("status", Takes::Id, Means::Route(Told::StatusSlack)),
        ]),
    }],
    starter: STARTER,
    calls: CALLS,
    rehearsal: Rehearsal::of(Takes::Id, Life::Post, "# mattermost = \"9fz6m4kq7ibx8x5o1hq3y6w1rc\"   # a channel\n"),
};

/// Its part of the starter file.
const STARTER: &str = r#"[mattermost]
# Messages in channels of Mattermost.
# url = "https://chat.company.example"
# bearer-env = "MATTERMOST_TOKEN"    # of a bot account that is a member of the channels

[mattermost-channels]
# The IDs of channels, as "View Info" shows them.
# incident = "4xp9fdt77pncbef59f4k1qe83o"   # one channel for all incidents
# status = "k7p1n4yh3tgxdx5q9bmw8w3e7r"     # what #status-qrpay gets

"#;

/// What an incident asks of it.
const CALLS: &[Call] = &[
    asks("POST", "api/v4/posts", "updates", "membership of the channel; `create_post`", "mattermost: channel"),
    asks("GET", "api/v4/channels/*/posts", "a lost message is looked for", "`read_channel`", "mattermost: channel"),
    asks("DELETE", "api/v4/posts/*", "`doctor --rehearse` cleans up", "its own messages", "mattermost: channel"),
];

/// A server takes so many letters of a message, where nobody made it less.
const MOST_LETTERS: usize = 16_383;
/// The server looks so many messages back at once.
const MOST_POSTS: usize = 1_000;
/// The property of a message that bears our mark.
const MARK: &str = "warroom";

/// Opens it.
fn open(endpoint: &Endpoint, _: &SystemSettings) -> Result<Box<dyn Channel>, SourceError> {
    Ok(Box::new(Mattermost { site: Site::open(NAME, endpoint, Limits::default())? }))
}

#[derive(Debug)]
struct Mattermost {
    site: Site,
}

/// `channels/{id}/posts`.
#[derive(Debug, Deserialize)]
struct Posts {
    order: Vec<String>,
    posts: BTreeMap<String, Post>,
}

#[derive(Debug, Deserialize)]
struct Post {
    #[serde(default)]
    delete_at: i64,
    #[serde(default)]
    props: Option<BTreeMap<String, serde_json::Value>>,
}

/// `channels/{id}`.
#[derive(Debug, Deserialize)]
struct Known {
    display_name: String,
    #[serde(default)]
    delete_at: i64,
}

/// `channels/{id}/members/me`.
#[derive(Debug, Deserialize)]
struct Member {
    #[serde(rename = "user_id")]
    _user: String,
}

/// `users/me`.
#[derive(Debug, Deserialize)]
struct Me {
    username: String,
}

impl Channel for Mattermost {
    fn site(&self) -> &Site {
        &self.site
    }

    fn deliver<'a>(&'a self, parcel: &'a Parcel) -> Answering<'a> {
        Box::pin(async move {
            if parcel.act != Act::Post {
                return cannot(NAME, parcel);
            }
            let message = harmless(&parcel.text);
            let letters = message.chars().count();
            if letters > MOST_LETTERS {
                let why = format!("mattermost takes {MOST_LETTERS} letters of a message, and this has {letters}");
                return Receipt::Refused(CleanStr::new(&format!("{why}: shorten the text")));
            }
            let body = json!({
                "channel_id": parcel.target,
                "message": message,
                "pending_post_id": parcel.op,
                "props": { MARK: parcel.op },
            });
            match self.posted(&body).await {
                Ok(id) => Receipt::There(self.remote(&id)),
                Err(failure) => receipt(failure),
            }
        })
    }

    fn look_up<'a>(&'a self, parcel: &'a Parcel) -> Answering<'a> {
        Box::pin(async move {
            match self.find(parcel).await {
                Ok(Found::There(id)) => Receipt::There(self.remote(&id)),
                Ok(Found::NotThere) => absent(NAME),
                Ok(Found::TooMany) => Receipt::Unknown(CleanStr::new(&format!(
                    "mattermost shows the last {MOST_POSTS} messages, and it is not among them: look into the channel"
                ))),
                Err(failure) => unknown(failure),
            }
        })
    }

    fn tidy<'a>(&'a self, _: &'a Parcel, made: &'a Remote) -> Tidying<'a> {
        Box::pin(removed(&self.site, Below::of("api/v4/posts/{}", &[&made.id])))
    }

    fn examine<'a>(&'a self, wanted: &'a Wanted<'a>) -> Examining<'a> {
        Box::pin(async move {
            let me = match read::<Me>(&self.site, "api/v4/users/me", &[]).await {
                Ok(me) => me.username,
                Err(failure) => return vec![Finding::wrong("mattermost: signed in", &failure.reason)],
            };
            let mut findings = vec![Finding::fine("mattermost: signed in", &format!("as {me}"))];
            let routes = wanted.reach.routes.iter().filter(|route| *route.service == *NAME);
            let targets: std::collections::BTreeSet<_> = routes.map(|route| &route.target).collect();
            if targets.is_empty() {
                findings
                    .push(Finding::wrong("mattermost: channel", "none is named: say which in [mattermost-channels]"));
            }
            for target in targets {
                findings.push(self.channel(target, &me).await);
            }
            findings
        })
    }
}

/// What a search came to.
enum Found {
    There(String),
    NotThere,
    /// More was written since than the server shows.
    TooMany,
}

impl Mattermost {
    async fn posted(&self, body: &serde_json::Value) -> Result<String, Failure> {
        let answer = call(&self.site, Method::POST, "api/v4/posts", Some(body)).await?;
        let id = naming(&self.site, answer, "id").await?;
        Ok(id.as_str().unwrap_or_default().to_owned())
    }

    fn remote(&self, id: &str) -> Remote {
        let link = format!("{}/_redirect/pl/{id}", self.site.base().trim_end_matches('/'));
        Remote { link: Some(CleanStr::new(&link)), ..Remote::from(id) }
    }

    async fn find(&self, parcel: &Parcel) -> Result<Found, Failure> {
        let since = (parcel.first_sent_at - self.site.apart()).timestamp_millis().max(1).to_string();
        let path = Below::of("api/v4/channels/{}/posts", &[&parcel.target]);
        let since: Posts = read(&self.site, path, &[("since", &since)]).await?;
        let is_ours = |post: &Post| {
            let mark = post.props.as_ref().and_then(|props| props.get(MARK)).and_then(serde_json::Value::as_str);
            post.delete_at == 0 && mark.is_some_and(|mark| parcel.ops.iter().any(|op| *op.as_str() == *mark))
        };
        let found = since.posts.iter().find(|(_, post)| is_ours(post)).map(|(id, _)| id.clone());
        Ok(match found {
            Some(id) => Found::There(id),
            None if since.order.len() >= MOST_POSTS => Found::TooMany,
            None => Found::NotThere,
        })
    }

    /// Whether a message can go to a channel.
    async fn channel(&self, target: &CleanStr, me: &str) -> Finding {
        let what = format!("mattermost: channel {target}");
        let known: Known = match read(&self.site, Below::of("api/v4/channels/{}", &[target]), &[]).await {
            Ok(known) => known,
            Err(failure) if matches!(failure.trouble, Trouble::Status(403 | 404)) => {
                let why = format!("{me} does not see it: correct the ID, or add {me} to the channel");
                return Finding::wrong(&what, &why);
            }
            Err(failure) => return Finding::wrong(&what, &failure.reason),
        };
        if known.delete_at != 0 {
            return Finding::wrong(&what, &format!("{} is archived: name another one", known.display_name));
        }
        let member = read::<Member>(&self.site, Below::of("api/v4/channels/{}/members/me", &[target]), &[]).await;
        match member {
            Ok(_) => Finding::fine(&what, &known.display_name),
            Err(failure) if matches!(failure.trouble, Trouble::Status(403 | 404)) => {
                Finding::wrong(&what, &format!("{me} is no member of {}: add {me} to it", known.display_name))
            }
            Err(failure) => Finding::wrong(&what, &failure.reason),
        }
    }
}

/// A text that is shown as it was written: no markup, no name that pings; addresses stay links.
fn harmless(text: &str) -> String {
    but_addresses(text, |letter, out| {
        if r"\`*_~[]()<>#|!-+".contains(letter) {
            out.push('\\');
        }
        out.push(letter);
        // A letter without width parts the sign from the name, so that `@all` calls nobody.
        if letter == '@' {
            out.push('\u{200b}');
        }
    })
}

#[cfg(test)]
mod tests {
    use super::harmless;

    #[test]
    fn what_somebody_quoted_pings_nobody_and_is_no_markup() {
        for (text, shown) in [
            ("p99 is 2 s", "p99 is 2 s"),
            ("@all look", "@\u{200b}all look"),
            ("*bold* [x](https://evil.example)", r"\*bold\* \[x\]\(https://evil.example\)"),
            ("see https://x.example/a_b*c next", "see https://x.example/a_b*c next"),
            ("# heading\n- item", "\\# heading\n\\- item"),
        ] {
            assert_eq!(harmless(text), shown);
        }
    }
}
