//! What people keep in a channel: messages that are pinned or marked with a pushpin, as lines of the timeline.
//!
//! Hides that pins in threads are in no history, that people are named by IDs, and that a message may be made of blocks, files or another app's cards.
//!
//! Invariant: a line has words and a name that people read; nothing is asked again that cannot have changed.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::answers::{History, Message, OnePerson, Permalink, Pins};
use super::{MOST_PAGES, PUSHPIN, Slack};
use crate::channel::noted;
use crate::incident::{News, Watched};
use crate::reach::SLACK;
use crate::source::http::Failure;
use crate::text::CleanStr;

/// So many names are looked up at a time: the rest has its turn with the next look.
const MOST_NAMES: usize = 10;

/// Where a channel's older messages are read on, by channel: below this message; absent: from the newest on.
pub(super) type Older = BTreeMap<String, Option<String>>;

impl Slack {
    /// The messages that somebody pinned or marked with a pushpin.
    pub(super) async fn kept(&self, watched: &Watched) -> Result<Vec<News>, Failure> {
        let channel = watched.remote.id.as_str();
        let mut kept: BTreeMap<String, Message> = BTreeMap::new();
        // Pins of threads too, which no history has; without the scope pins:read the history says what it knows.
        if let Ok(pins) = self.get::<Pins>("pins.list", &[("channel", channel)]).await? {
            let messages = pins.items.into_iter().filter_map(|item| item.message);
            kept.extend(messages.map(|message| (message.ts.clone(), message)));
        }
        for message in self.looked_over(channel, watched).await? {
            let is_marked = message.reactions.iter().any(|reaction| reaction.name == PUSHPIN);
            if is_marked || !message.pinned_to.is_empty() {
                kept.insert(message.ts.clone(), message);
            }
        }
        let kept: Vec<Message> = kept.into_values().filter(|message| !message.is_ours()).collect();
        self.learn_names(&kept).await?;
        let names = self.names.lock().await.clone();
        let mut news = Vec::new();
        for message in kept {
            let seconds = message.ts.split('.').next().and_then(|seconds| seconds.parse().ok());
            let at = seconds.and_then(|seconds| chrono::DateTime::from_timestamp(seconds, 0)).unwrap_or(watched.since);
            let who = message.author();
            let who = names.get(who).map_or(who, String::as_str);
            let key = format!("{channel}/{}", message.ts);
            let mut line = noted(SLACK, &key, who, at, &readable(&message.words(), &names));
            // A line that is there has its link.
            if !watched.known.contains(&line.noted.key) {
                line.noted.link = self.link(channel, &message.ts).await?;
            }
            news.push(line);
        }
        Ok(news)
    }

    /// The messages that may have been marked: all of them at first, later the newest page and one of the older ones in turn. A channel of any length
    /// costs two questions.
    async fn looked_over(&self, channel: &str, watched: &Watched) -> Result<Vec<Message>, Failure> {
        let older = self.older.lock().await.get(channel).cloned();
        let (mut all, mut below) = (Vec::new(), String::new());
        for turn in 0..MOST_PAGES {
            if let (1, Some(Some(place))) = (turn, &older) {
                below.clone_from(place);
            }
            let (page, has_more) = self.page(channel, watched, &below).await?;
            let last = page.last().map(|message| message.ts.clone()).filter(|_| has_more);
            all.extend(page);
            below = last.clone().unwrap_or_default();
            if last.is_none() || (older.is_some() && turn == 1) {
                break;
            }
        }
        let next = (!below.is_empty() && older.is_some()).then_some(below);
        self.older.lock().await.insert(channel.to_owned(), next);
        Ok(all)
    }

    /// A page of a channel's messages, the newest first, below one of them; and whether there are more.
    async fn page(&self, channel: &str, watched: &Watched, below: &str) -> Result<(Vec<Message>, bool), Failure> {
        let oldest = watched.since.timestamp().to_string();
        let query = [
            ("channel", channel),
            ("oldest", oldest.as_str()),
            ("include_all_metadata", "true"),
            ("limit", "200"),
            ("latest", below),
        ];
        let page: History = self.said("conversations.history", &query).await?;
        Ok((page.messages, !page.response_metadata.next_cursor.is_empty()))
    }

    /// Asks for the names of those whom nobody has named yet, once each.
    async fn learn_names(&self, messages: &[Message]) -> Result<(), Failure> {
        let mut unknown = BTreeSet::new();
        {
            let names = self.names.lock().await;
            for message in messages {
                let author = (!message.user.is_empty()).then(|| message.user.clone());
                unknown
                    .extend(author.into_iter().chain(mentioned(&message.words())).filter(|id| !names.contains_key(id)));
            }
        }
        for id in unknown.into_iter().take(MOST_NAMES) {
            let name = match self.get::<OnePerson>("users.info", &[("user", &id)]).await? {
                Ok(found) => found.user.called().to_owned(),
                // Without the scope users:read the ID has to do; it is not asked for again.
                Err(_) => id.clone(),
            };
            self.names.lock().await.insert(id, name);
        }
        Ok(())
    }

    /// Where a person reads a message.
    async fn link(&self, channel: &str, ts: &str) -> Result<Option<CleanStr>, Failure> {
        let key = (channel.to_owned(), ts.to_owned());
        if let Some(link) = self.links.lock().await.get(&key) {
            return Ok(Some(link.clone()));
        }
        let link = self.get::<Permalink>("chat.getPermalink", &[("channel", channel), ("message_ts", ts)]).await?;
        let link: Option<CleanStr> = link.ok().map(|link| link.permalink.as_str().into());
        if let Some(link) = &link {
            self.links.lock().await.insert(key, link.clone());
        }
        Ok(link)
    }
}

/// The IDs of those whom a text names.
fn mentioned(text: &str) -> Vec<String> {
    let parts = text.split("<@").skip(1).filter_map(|rest| rest.split(['>', '|']).next());
    parts.filter(|id| id.starts_with(['U', 'W'])).map(str::to_owned).collect()
}

/// Text of Slack as people read it: names for people and channels, words and address for links.
fn readable(text: &str, names: &BTreeMap<String, String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('<') {
        let Some(end) = rest[start..].find('>') else { break };
        out.push_str(&rest[..start]);
        out.push_str(&part(&rest[start + 1..start + end], names));
        rest = &rest[start + end + 1..];
    }
    out.push_str(rest);
    out.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

fn part(inside: &str, names: &BTreeMap<String, String>) -> String {
    let (what, label) = match inside.split_once('|') {
        Some((what, label)) => (what, Some(label).filter(|label| !label.is_empty())),
        None => (inside, None),
    };
    match (what.chars().next(), label) {
        (Some('@'), label) => {
            let id = &what[1..];
            format!("@{}", names.get(id).map(String::as_str).or(label).unwrap_or(id))
        }
        (Some('#'), label) => format!("#{}", label.unwrap_or(&what[1..])),
        (Some('!'), Some(label)) => label.to_owned(),
        (Some('!'), None) => format!("@{}", what[1..].split('^').next().unwrap_or_default()),
        (_, Some(label)) if label != what && !what.ends_with(label) => format!("{label} ({what})"),
        _ => what.trim_start_matches("mailto:").to_owned(),
    }
}

impl Message {
    /// Who wrote it: a person's ID, else an app's name.
    fn author(&self) -> &str {
        let app = self.bot_profile.get("name").and_then(Value::as_str).unwrap_or_default();
        [self.user.as_str(), self.username.as_str(), app].into_iter().find(|name| !name.is_empty()).unwrap_or("an app")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_slack_writes_for_programs_is_read_by_people() {
        let names = BTreeMap::from([("U1".to_owned(), "Leila Sadeghi".to_owned())]);
        for (said, expected) in [
            ("<@U1> rolls back", "@Leila Sadeghi rolls back"),
            ("<@U9|omid> too, and <@U8>", "@omid too, and @U8"),
            (
                "in <#C1|status>, see <https://x.example/a?b=1&amp;c|the graph>",
                "in #status, see the graph (https://x.example/a?b=1&c)",
            ),
            ("<https://x.example>", "https://x.example"),
            ("<mailto:a@b.example|a@b.example>", "a@b.example"),
            ("<!here> <!subteam^S1|@payments> <!date^1^{date}|today>", "@here @payments today"),
            ("a &lt; b & c <", "a < b & c <"),
        ] {
            assert_eq!(readable(said, &names), expected, "{said}");
        }
        assert_eq!(mentioned("<@U1> and <@W2|x> in <#C3>"), ["U1", "W2"]);
    }
}
