//! What a command in a shell would send or end, and the word that stands for it.
//!
//! Hides which effects those are. On the screen the same is shown by the form in which it is asked for.
//!
//! Invariant: whatever leaves this machine by this command is named with its target.

use std::collections::BTreeSet;

use super::lists;
use super::numbers::key;
use crate::console::Effect;
use crate::console::overlay::send::unknown_hits;
use crate::incident::{
    Act, Channel, DeliveryMoved, DeliveryQueued, DeliveryState, Event, IncidentId, Phase, PhaseEntered, StatusUpdate,
};
use crate::pane::Cx;
use crate::pane::alerts::seen;
use crate::text::fit;

/// Columns for the first line of a text.
const WIDTH: usize = 200;

/// What somebody is asked to confirm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consent {
    /// What would happen, in lines.
    pub would: Vec<String>,
    /// What stands for it behind `--yes`: where it goes, or what is done to which record.
    pub word: String,
}

impl Consent {
    fn parts(text: &str) -> BTreeSet<&str> {
        text.split(',').map(str::trim).filter(|part| !part.is_empty()).collect()
    }

    /// Whether these words confirm exactly that, in whatever order.
    pub fn is_meant_by(&self, words: &str) -> bool {
        Self::parts(words) == Self::parts(&self.word)
    }
}

/// What these effects of a command would send or end; nothing where they only write into the record.
pub(super) fn consent(name: &str, effects: &[Effect], cx: &Cx<'_>) -> Option<Consent> {
    let mut seen =
        Seen { id: cx.incident.id(), name: name.trim_end_matches('!'), would: Vec::new(), words: BTreeSet::new() };
    for effect in effects {
        match effect {
            Effect::Append { events, .. } => {
                let queued: BTreeSet<Channel> = events.iter().filter_map(channel).collect();
                events.iter().for_each(|event| seen.event(event, &queued, cx));
            }
            Effect::Create(..)
            | Effect::StartDrill
            | Effect::Open(_)
            | Effect::List
            | Effect::Redact(_)
            | Effect::SaveDraft(_)
            | Effect::KeepForm(..)
            | Effect::LookBack(_)
            | Effect::Bell
            | Effect::ClearDraft
            | Effect::Watch(_)
            | Effect::Simulate(_)
            | Effect::Progress(_)
            | Effect::Print(_)
            | Effect::Merge { .. }
            | Effect::Unmerge(..)
            | Effect::Deliver(_)
            | Effect::LookUp(_)
            | Effect::Proceed(_)
            | Effect::Stop(_)
            | Effect::Prove(_)
            | Effect::AskNews(_)
            | Effect::Inquire(_)
            | Effect::Copy(_)
            | Effect::Run(..)
            | Effect::LookFor(..)
            | Effect::Page(_)
            | Effect::Read(_)
            | Effect::Runbook(_)
            | Effect::ShowLayout(_)
            | Effect::WriteStarterConfig
            | Effect::Repaint
            | Effect::Suspend
            | Effect::Quit => {}
        }
    }
    let Seen { would, words, .. } = seen;
    (!would.is_empty()).then(|| Consent { would, word: words.into_iter().collect::<Vec<_>>().join(",") })
}

/// The runbook's channel to which an event sends a text.
fn channel(event: &Event) -> Option<Channel> {
    if let Event::DeliveryQueued(body) = event { body.channel } else { None }
}

struct Seen<'a> {
    id: IncidentId,
    name: &'a str,
    would: Vec<String>,
    words: BTreeSet<String>,
}

impl Seen<'_> {
    fn add(&mut self, line: String, word: String) {
        self.would.push(line);
        self.words.insert(word);
    }

    fn event(&mut self, event: &Event, queued: &BTreeSet<Channel>, cx: &Cx<'_>) {
        match event {
            Event::StatusUpdatePosted(update) => self.update(update, queued),
            Event::DeliveryQueued(body) => self.sends(body, cx),
            Event::DeliveryMoved(body) => self.moves(body, cx),
            Event::PhaseEntered(PhaseEntered { phase: phase @ (Phase::Resolved | Phase::Closed), .. }) => {
                let (id, name) = (self.id, self.name);
                self.add(format!("{id} enters the phase {}", phase.name()), format!("{name}:{id}"));
            }
            Event::CommandStarted(body) => {
                self.add(
                    format!("runs {} on {}", crate::text::exact::show_argv(&body.argv), body.host),
                    body.digest.to_string(),
                );
            }
            _ => {}
        }
    }

    /// What is told by hand counts as told: that is somebody's word, too.
    fn update(&mut self, update: &StatusUpdate, queued: &BTreeSet<Channel>) {
        let by_hand: BTreeSet<Channel> = update.channels.difference(queued).copied().collect();
        if !by_hand.is_empty() {
            let words: Vec<String> = by_hand.iter().map(|channel| key(channel.name())).collect();
            self.would.push(format!("counts as told by hand in {}: nothing is sent there", lists::channels(&by_hand)));
            self.words.extend(words);
        }
        self.would.extend(update.text.lines().map(|line| format!("  {line}")));
    }

    fn sends(&mut self, body: &DeliveryQueued, cx: &Cx<'_>) {
        let what = match &body.act {
            Act::Page(people) => {
                let people: Vec<_> = people.iter().map(|one| one.as_str()).collect();
                format!("pages {}", people.join(", "))
            }
            other => other.words().to_string(),
        };
        let place = body.channel.map(|channel| format!(" ({})", channel.name())).unwrap_or_default();
        let text = body.text.first_line();
        let text =
            if text.is_empty() || body.channel.is_some() { String::new() } else { format!(": {}", fit(text, WIDTH)) };
        // One silence is not another.
        let word = match &body.act {
            Act::Unsilence(silence) => format!("{}:end-{}", body.service, silence.rseq),
            _ => format!("{}:{}", body.service, body.target),
        };
        self.add(format!("to {} {}{place}: {what}{text}", body.service, body.target), word);
        if let Some(worded) = &body.worded {
            self.would.extend(worded.lines().map(|line| format!("  as it leaves: {line}")));
        }
        if let Act::Silence(silencing) = &body.act {
            let hits = |one: &crate::pane::alerts::Seen<'_>| {
                silencing.matchers.iter().all(|matcher| matcher.may_hit(&one.live.alert.labels))
            };
            let hit: Vec<String> =
                seen(cx).iter().filter(|one| hits(one)).map(|one| one.live.alert.name.to_string()).collect();
            self.would.push(match hit.is_empty() {
                true => "  no alert that is known now is kept quiet".to_owned(),
                false => format!("  keeps quiet now: {}", hit.join(", ")),
            });
            self.would.extend(unknown_hits(cx).map(|unknown| format!("  {unknown}")));
        }
    }

    fn moves(&mut self, body: &DeliveryMoved, cx: &Cx<'_>) {
        let DeliveryState::Queued { .. } = body.to else { return };
        let Some(delivery) = cx.incident.deliveries.iter().find(|one| one.id == body.delivery) else { return };
        self.sends(&delivery.body, cx);
        self.would.extend(delivery.words(cx.incident).lines().map(|line| format!("  {line}")));
    }
}
