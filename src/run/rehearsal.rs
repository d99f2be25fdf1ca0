//! `warroom doctor --rehearse`: the whole life of an incident, in every system, in places that are there for it.
//!
//! Hides which acts a system takes, that an answer may be lost or late, and what is cleaned up in which way.
//!
//! Invariant: nothing is written but to the places that `[rehearsal]` names, and those are none of the places where incidents go; whatever failed, what
//! was made is taken back, and what stays is said.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::TimeDelta;
use futures_util::future::join_all;
use tokio::sync::watch;

use super::clock;
use crate::channel::spec::{Life, Takes, spec};
use crate::channel::{Channel, ChannelSpec, SystemSettings, Tidied};
use crate::checkup::Finding;
use crate::incident::{
    Act, Attached, Comparison, EntryId, FACTS, IncidentId, Matcher, Opened, PageStatus, Parcel, Publication, Receipt,
    Remote, Severity, Silencing,
};
use crate::reach::{Place, Reach};
use crate::source::Endpoint;
use crate::text::{CleanStr, CleanText};

/// What is wrong, as readers of the places see it.
const TITLE: &str = "rehearsal: nothing is wrong";
/// So often something is tried.
const TRIES: u32 = 6;
/// The pause before it is, where the system does not say how long.
const PAUSE: TimeDelta = TimeDelta::seconds(2);
/// The longest pause that a system may ask for here.
const LONGEST_PAUSE: TimeDelta = TimeDelta::seconds(60);

/// Where in a system it is rehearsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// Which system.
    pub service: &'static str,
    /// The channel, project, page, service or team; where a system has none, its name.
    pub place: CleanStr,
    /// The component of a page.
    pub component: Option<CleanStr>,
    /// Of a chat: incidents' own channels are opened, too.
    pub rooms: Option<CleanStr>,
}

/// A system with its stage, and how it is reached.
#[derive(Debug)]
pub struct Player {
    /// Where.
    pub stage: Stage,
    /// Which kind of system.
    pub spec: &'static ChannelSpec,
    /// How it is reached.
    pub endpoint: Endpoint,
}

/// What a step is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum About {
    /// It makes something.
    Nothing,
    /// What the system's first step made.
    First,
    /// What was made last.
    Last,
}

#[derive(Clone, Debug)]
struct Step {
    act: Act,
    about: About,
    text: &'static str,
}

fn step(act: Act, about: About) -> Step {
    Step { act, about, text: "warroom rehearses an incident. Nothing is wrong, and this goes away again." }
}

/// The life of an incident in a system.
fn life(stage: &Stage, life: Life) -> Vec<Step> {
    let opened =
        || Opened { title: TITLE.into(), severity: Severity::Sev2, alerts: BTreeSet::new(), linked: Vec::new() };
    let worse = || Opened { title: "rehearsal: nothing is worse".into(), severity: Severity::Sev1, ..opened() };
    let line = EntryId { rid: 0, rseq: 0 };
    let note = || Act::Note(BTreeSet::from([line]));
    let of_first = |acts: Vec<Act>| acts.into_iter().map(|act| step(act, About::First));
    let open = || std::iter::once(step(Act::Open(opened()), About::Nothing));
    match life {
        Life::Chat => {
            let room = Act::OpenRoom { is_private: false, since: clock::wall(), is_own_name: true };
            let inside = [Act::Topic, Act::Pin, Act::Post].map(|act| step(act, About::Last));
            let rooms = stage
                .rooms
                .iter()
                .flat_map(|_| std::iter::once(step(room.clone(), About::Nothing)).chain(inside.clone()));
            std::iter::once(step(Act::Post, About::Nothing)).chain(rooms).collect()
        }
        Life::Ticket => open()
            .chain(of_first(vec![Act::Describe, note(), Act::Change(worse()), Act::Ticket(line)]))
            .chain([step(Act::CloseTicket(line), About::Last)])
            .chain(of_first(vec![Act::Resolve]))
            .collect(),
        Life::Page => {
            let told = |status, about| {
                let components = stage.component.iter().cloned().collect();
                let (title, severity) = (TITLE.into(), Severity::Sev2);
                step(Act::Publish(Publication { title, severity, status, components, notifies: false }), about)
            };
            vec![
                told(PageStatus::Investigating, About::Nothing),
                told(PageStatus::Monitoring, About::First),
                told(PageStatus::Resolved, About::First),
            ]
        }
        Life::Region => open().chain(of_first(vec![Act::Change(worse()), Act::Resolve])).collect(),
        Life::Silence => {
            let matcher =
                Matcher { label: "alertname".into(), comparison: Comparison::Equal, value: "WarroomRehearsal".into() };
            let silencing = Silencing { matchers: vec![matcher], until: clock::wall() + TimeDelta::minutes(5) };
            vec![step(Act::Silence(silencing), About::Nothing), step(Act::Unsilence(line), About::First)]
        }
        Life::Post => vec![step(Act::Post, About::Nothing)],
        Life::Alert => {
            open().chain(of_first(vec![Act::Acknowledge, note(), Act::Change(worse()), Act::Resolve])).collect()
        }
    }
}

/// What of an act can be looked for afterwards, as it is when an answer was lost.
fn can_be_found(service: &str, act: &Act) -> bool {
    let is_kept = matches!(
        act,
        Act::Post
            | Act::Open(_)
            | Act::Note(_)
            | Act::Publish(_)
            | Act::OpenRoom { .. }
            | Act::Ticket(_)
            | Act::Silence(_)
    );
    is_kept && spec(service).is_some_and(|spec| spec.rehearsal.finds_again)
}

/// Plays in all systems at once; an end that is asked for leaves out what is left of it, and cleans up.
pub async fn play(
    players: &[Player],
    options: &SystemSettings,
    from: Option<&CleanStr>,
    ends: &watch::Receiver<bool>,
) -> Vec<Finding> {
    let number = u64::try_from(clock::wall().timestamp_millis()).unwrap_or_default();
    let all = players.iter().map(|player| one(player, options, from, number, ends));
    join_all(all).await.into_iter().flatten().collect()
}

async fn one(
    player: &Player,
    options: &SystemSettings,
    from: Option<&CleanStr>,
    number: u64,
    ends: &watch::Receiver<bool>,
) -> Vec<Finding> {
    let stage = &player.stage;
    let (endpoint, options, open) = (player.endpoint.clone(), options.clone(), player.spec.open);
    // It reads certificates and credentials, and may run a program.
    let channel = match tokio::task::spawn_blocking(move || open(&endpoint, &options)).await {
        Ok(Ok(channel)) => channel,
        Ok(Err(error)) => return vec![Finding::wrong(&what(stage, "all of it"), &error.to_string())],
        Err(error) => return vec![Finding::wrong(&what(stage, "all of it"), &error.to_string())],
    };
    let mut findings = Vec::new();
    let mut made: Vec<(Parcel, Remote)> = Vec::new();
    let mut steps = life(stage, player.spec.rehearsal.life).into_iter().enumerate();
    for (place, step) in steps.by_ref() {
        if *ends.borrow() {
            findings.push(Finding::untried(&what(stage, &step.act.words()), "it was ended before"));
            break;
        }
        let about = match step.about {
            About::Nothing => None,
            About::First => made.first().map(|(_, remote)| remote.clone()),
            About::Last => made.last().map(|(_, remote)| remote.clone()),
        };
        let words = what(stage, &step.act.words());
        let mut parcel = parcel(stage, &step, about, from, number, place);
        if matches!(step.act, Act::Publish(_)) {
            // Further texts belong to the page's incident.
            (parcel.made, parcel.about) = (parcel.about, None);
        }
        match carried_out(&*channel, &mut parcel, &words, &mut findings).await {
            Ok(remote) => {
                findings.push(seen_again(&*channel, &parcel, &words, &remote).await);
                if step.about == About::Nothing || matches!(step.act, Act::Ticket(_)) {
                    made.push((parcel, remote));
                }
            }
            Err(why) => {
                findings.push(Finding::wrong(&words, &why));
                break;
            }
        }
    }
    let left: Vec<String> = steps.map(|(_, step)| step.act.words()).collect();
    if !left.is_empty() {
        findings.push(Finding::untried(&what(stage, &left.join(", ")), "not tried after that"));
    }
    for (parcel, remote) in made.iter().rev() {
        findings.push(tidied(&*channel, parcel, remote, stage).await);
    }
    findings
}

fn what(stage: &Stage, words: &str) -> String {
    format!("rehearsal: {}: {words}", stage.service)
}

fn parcel(
    stage: &Stage,
    step: &Step,
    about: Option<Remote>,
    from: Option<&CleanStr>,
    number: u64,
    place: usize,
) -> Parcel {
    let incident = IncidentId::incident(0);
    let id = EntryId { rid: number, rseq: u64::try_from(place).unwrap_or_default() + 1 };
    let op = CleanStr::new(&format!("{incident}/{:x}-{}", number, place + 1));
    let target = match (&step.act, &stage.rooms) {
        (Act::OpenRoom { .. }, Some(prefix)) => CleanStr::new(&format!("{prefix}rehearsal-{:x}", number % 0xff_ffff)),
        _ => stage.place.clone(),
    };
    let facts = FACTS.into_iter().map(|name| (name, fact(name).to_owned())).collect();
    let now = clock::wall();
    Parcel {
        id,
        op: op.clone(),
        record: CleanStr::new(&format!("{number:x}-0")),
        ops: BTreeSet::from([op]),
        service: stage.service.into(),
        target,
        act: step.act.clone(),
        text: CleanText::new(step.text),
        from: from.cloned(),
        incident,
        about,
        made: None,
        sent_at: now,
        first_sent_at: now,
        is_dropped: false,
        choices: BTreeSet::new(),
        beside: Vec::new(),
        attached: Attached { facts, ..Attached::default() },
        standing: Default::default(),
    }
}

/// What a field of a ticket is filled in with.
fn fact(name: &str) -> &'static str {
    match name {
        "incident" => "INC-0",
        "severity" => "SEV2",
        "detected" => "2026-01-01T00:00:00.000+0000",
        "title" => TITLE,
        _ => "rehearsal",
    }
}

/// Hands something over until there is an answer that counts; where the system asks, the first way out is taken, and said.
async fn carried_out(
    channel: &dyn Channel,
    parcel: &mut Parcel,
    words: &str,
    findings: &mut Vec<Finding>,
) -> Result<Remote, CleanStr> {
    let mut last = CleanStr::new("there was no answer");
    for _ in 0..TRIES {
        let pause = match channel.deliver(parcel).await {
            Receipt::There(remote) => return Ok(remote),
            Receipt::Refused(why) => return Err(why),
            Receipt::NotYet { why, wait } => {
                last = why;
                wait
            }
            Receipt::NotThere { why, wait } => {
                last = why;
                wait.unwrap_or(PAUSE)
            }
            Receipt::Asks { why, ways } => {
                let Some(way) = ways.first().filter(|way| !parcel.choices.contains(&way.choice)) else {
                    return Err(why);
                };
                let said = format!("it asks, and a person decides: {why}; here: {}", way.words);
                findings.push(Finding::doubtful(words, &said));
                parcel.choices.insert(way.choice.clone());
                continue;
            }
            Receipt::Unknown(why) => {
                tokio::time::sleep(Duration::from_secs(2)).await;
                match channel.look_up(parcel).await {
                    Receipt::There(remote) => return Ok(remote),
                    Receipt::NotThere { .. } | Receipt::NotYet { .. } => {}
                    // It may be there, and is not made twice.
                    Receipt::Unknown(_) | Receipt::Refused(_) | Receipt::Asks { .. } => return Err(why),
                }
                last = why;
                PAUSE
            }
        };
        tokio::time::sleep(pause.min(LONGEST_PAUSE).to_std().unwrap_or_default()).await;
    }
    Err(last)
}

/// Whether it is found again, as it must be when an answer is lost; a list may show it late.
async fn seen_again(channel: &dyn Channel, parcel: &Parcel, words: &str, remote: &Remote) -> Finding {
    let link = remote.link.as_ref().map(|link| format!(" {link}")).unwrap_or_default();
    let seen = format!("{}{link}", remote.called());
    if !can_be_found(&parcel.service, &parcel.act) {
        return Finding::fine(words, &seen);
    }
    let mut why = CleanStr::default();
    for _ in 0..TRIES {
        why = match channel.look_up(parcel).await {
            Receipt::There(_) => return Finding::fine(words, &seen),
            Receipt::NotThere { why, .. } | Receipt::NotYet { why, .. } | Receipt::Asks { why, .. } => why,
            Receipt::Unknown(why) | Receipt::Refused(why) => why,
        };
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    Finding::doubtful(words, &format!("{seen} was made, and is not found again where an answer is lost: {why}"))
}

async fn tidied(channel: &dyn Channel, parcel: &Parcel, remote: &Remote, stage: &Stage) -> Finding {
    let words = what(stage, &format!("clean up after `{}`", parcel.act.words()));
    match channel.tidy(parcel, remote).await {
        Ok(Tidied::Removed(how)) => Finding::fine(&words, &format!("{} {how}", remote.called())),
        Ok(Tidied::Over) => Finding::fine(&words, &format!("{} is over, and stays in its lists", remote.called())),
        Err(why) => {
            let link = remote.link.as_ref().unwrap_or(remote.called());
            Finding::doubtful(&words, &format!("{why}; it stays there, take it away by hand: {link}"))
        }
    }
}

/// Where incidents go in a system: no place for a rehearsal.
pub fn is_in_use(stage: &Stage, reach: &Reach) -> bool {
    let is_tracked = |place: &Place| match place {
        Place::One(known) => known == &stage.place,
        Place::Of(all) => all.values().any(|known| known == &stage.place),
    };
    // What is one place has no other one, and is named for a rehearsal all the same.
    if spec(stage.service).is_some_and(|spec| spec.rehearsal.place == Some(Takes::Flag)) {
        return false;
    }
    let mut routes = reach.routes.iter().filter(|route| *route.service == *stage.service);
    let mut trackers = reach.trackers.iter().filter(|tracker| *tracker.service == *stage.service);
    routes.any(|route| route.target == stage.place) || trackers.any(|tracker| is_tracked(&tracker.place))
}

/// What is not rehearsed, because it would reach people.
pub fn left_out() -> Finding {
    Finding::untried(
        "rehearsal: people",
        "inviting, paging, escalating and merging are not rehearsed: they would reach somebody",
    )
}
