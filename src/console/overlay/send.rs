//! What a person has other systems do: a chat channel opened, people paged, alerts kept quiet.
//!
//! Hides how words become a delivery: labels, names, the end of a silence, and which alerts it would keep quiet.
//!
//! Invariant: nobody is paged without a word typed by hand, and no silence is made before it was shown which alerts it hits.

use chrono::{DateTime, TimeDelta, Utc};

use super::pick::{Choice, Pick};
use super::{Form, Overlay};
use crate::alert::title;
use crate::incident::{
    Act, Command, Delivery, DeliveryQueued, DeliveryState, EntryId, Matcher, Remote, Silencing, Thing, matchers,
};
use crate::live::Freshness;
use crate::pane::{Cx, alerts};
use crate::reach::{ALERTMANAGER, Habit, PAGERDUTY, Reach, SLACK, STATUSPAGE};
use crate::text::{CleanStr, CleanText, bare, fit};

/// The word that pages people.
pub(crate) const PAGE: &str = "PAGE";
/// No silence is longer: who needs more looks again.
const LONGEST: TimeDelta = TimeDelta::hours(4);

/// Incidents have no channels of their own here.
const NO_ROOMS: &str = "chat channels of incidents are not configured: set `prefix` in [slack-channels]";

fn send(body: DeliveryQueued) -> Command {
    Command::SendOut(Box::new(body))
}

/// Opens the incident's chat channel.
pub(crate) fn open_channel(cx: &Cx<'_>) -> Result<Command, String> {
    let Some(body) = cx.reach.open_room(cx.incident) else {
        return Err(NO_ROOMS.to_owned());
    };
    if let Some(room) = cx.incident.made(&body, Thing::Room).filter(|_| !cx.incident.is_room_lost(&body)) {
        return Err(format!("it is there: #{}", room.called()));
    }
    Ok(send(body))
}

/// Makes another incident of PagerDuty part of this one.
pub(crate) fn link_incident(number: &str, cx: &Cx<'_>) -> Result<Command, String> {
    cx.reach.merge(number, cx.me, cx.incident).map(send).ok_or_else(|| {
        let open = cx.incident.also_open(PAGERDUTY);
        let numbers: Vec<_> = open.iter().map(|(other, _)| format!("#{}", other.called())).collect();
        match numbers.as_slice() {
            [] => "give its number: PagerDuty told of no other open incident on this service".to_owned(),
            numbers => format!("give its number: one of {}, or that of any service", numbers.join(", ")),
        }
    })
}

/// The incidents of PagerDuty that could be part of this one.
pub(crate) fn linkable(cx: &Cx<'_>) -> Overlay {
    let row = |(other, text): (Remote, &CleanText)| {
        let command = link_incident(other.called(), cx).ok()?;
        let title = text.split(" is open on").next().unwrap_or_default();
        Some((format!("merge {title} into this one"), Choice::Command(Box::new(command))))
    };
    let rows = cx.incident.also_open(PAGERDUTY).into_iter().filter_map(row).collect();
    let notes = vec!["in PagerDuty its alerts come here, and it is resolved there: that cannot be undone".to_owned()];
    let empty = "PagerDuty told of no other open incident on this service";
    Overlay::Pick(Box::new(Pick {
        title: "link an incident of PagerDuty".to_owned(),
        notes,
        rows,
        empty,
        selected: 0,
        filter: None,
    }))
}

/// Those of the matrix who were not told yet and can be paged.
pub(crate) fn to_page(cx: &Cx<'_>) -> Vec<CleanStr> {
    let owed = cx.owed_severity();
    let is_told = |name: &CleanStr| owed.is_some_and(|owed| cx.incident.was_told(name, owed));
    cx.to_tell().into_iter().filter(|name| !is_told(name) && cx.reach.can_page(name)).collect()
}

/// Pages people; `typed` is the word that does it. Who cannot be paged comes back, with how they are reached.
pub(crate) fn page(names: &str, typed: &str, cx: &Cx<'_>) -> Result<(Command, Vec<String>), String> {
    let names: Vec<CleanStr> =
        names.split(',').map(|name| CleanStr::new(name.trim())).filter(|name| !name.is_blank()).collect();
    if names.is_empty() {
        return Err("name the people to page, such as dana, bob".to_owned());
    }
    let left_out = cx.reach.not_paged(&names);
    let body = cx.reach.page(&names, cx.incident).ok_or_else(|| match left_out.len() == names.len() {
        true => format!("nobody was paged: {}", left_out.join(", ")),
        false => "PagerDuty does not know this incident: set [pagerduty-services], or look at :outbox".to_owned(),
    })?;
    if bare(typed) != PAGE {
        return Err(format!("type {PAGE} to page {}: nobody was paged", names.len() - left_out.len()));
    }
    Ok((send(body), left_out))
}

/// Calls the people of a level of PagerDuty's escalation policy; `typed` is the word that does it.
pub(crate) fn escalate(level: &str, typed: &str, cx: &Cx<'_>) -> Result<Command, String> {
    let known = bare(level).parse::<u32>().ok().filter(|level| (1..=20).contains(level));
    let level = known.ok_or_else(|| format!("`{}` is no level: write 2", fit(level, 20)))?;
    let body = cx.reach.escalate(level, cx.me, cx.incident).ok_or_else(unknown_to_pager)?;
    match bare(typed) {
        PAGE => Ok(send(body)),
        _ => Err(format!("type {PAGE} to escalate to level {level}: nobody was called")),
    }
}

/// Gives the incident to people in PagerDuty; `typed` is the word that does it.
pub(crate) fn reassign(names: &str, typed: &str, cx: &Cx<'_>) -> Result<Command, String> {
    let names: Vec<CleanStr> =
        names.split(',').map(|name| CleanStr::new(name.trim())).filter(|name| !name.is_blank()).collect();
    if names.is_empty() {
        return Err("name those who get it, such as dana, bob".to_owned());
    }
    let left_out = cx.reach.not_paged(&names);
    if !left_out.is_empty() {
        return Err(format!("PagerDuty cannot give it to {}: take them out", left_out.join(", ")));
    }
    let body = cx.reach.reassign(&names, cx.me, cx.incident).ok_or_else(unknown_to_pager)?;
    match bare(typed) {
        PAGE => Ok(send(body)),
        _ => Err(format!("type {PAGE} to give it to them: nobody was called")),
    }
}

fn unknown_to_pager() -> String {
    "PagerDuty does not know this incident: set [pagerduty-services], or look at :outbox".to_owned()
}

/// What a name looks like in a system in which something is linked.
pub(super) fn example_of(service: &str, reach: &Reach) -> &'static str {
    match service {
        PAGERDUTY => "4711",
        STATUSPAGE => "p31zjtct2jer, as the end of its address says",
        SLACK => "inc-payments, or the ID at the end of its details",
        _ => reach.tracker(service).map_or(Habit::OF_TRACKER.example, |tracker| tracker.habit.example),
    }
}

/// Makes what somebody opened in a system this incident's.
pub(crate) fn link(service: &str, name: &str, cx: &Cx<'_>) -> Result<Command, String> {
    let name = name.trim().trim_start_matches('#');
    // Names of chat channels are words of any language.
    let is_plain = |letter: char| {
        letter.is_ascii_alphanumeric() || "-_".contains(letter) || service == SLACK && letter.is_alphanumeric()
    };
    if name.is_empty() || !name.chars().all(is_plain) {
        return Err(format!("name it as {service} does, such as {}", example_of(service, cx.reach)));
    }
    if service == SLACK {
        let body = cx.reach.adopt_room(name, cx.incident);
        return body.map(send).ok_or_else(|| NO_ROOMS.to_owned());
    }
    let body = cx.reach.adopt(service, name, cx.me, cx.incident);
    body.map(send).ok_or_else(|| format!("{service} is not configured for this incident's services"))
}

/// Keeps alerts quiet, and which ones that are.
pub(crate) fn silence(
    matchers: Vec<Matcher>,
    until: DateTime<Utc>,
    why: &CleanStr,
    cx: &Cx<'_>,
) -> Result<(Command, Vec<String>), String> {
    if !cx.reach.silences {
        return Err("no Alertmanager is configured: set `url` in [alertmanager]".to_owned());
    }
    if until > cx.now + LONGEST {
        return Err(format!("a silence lasts at most {} h: look again then", LONGEST.num_hours()));
    }
    if why.is_blank() {
        return Err("say why: who finds the silence later must know".to_owned());
    }
    let seen = alerts::seen(cx);
    let hit = seen.iter().filter(|seen| matchers.iter().all(|one| one.may_hit(&seen.live.alert.labels)));
    let hit = hit.map(|seen| title(seen.live.alert).to_string()).collect();
    let until = cx.incident.clock().wall(until);
    let body = DeliveryQueued {
        service: ALERTMANAGER.into(),
        target: ALERTMANAGER.into(),
        act: Act::Silence(Silencing { matchers, until }),
        text: CleanText::new(&format!("{}: {why}", cx.incident.id())),
        from: Some(cx.me.clone()),
        release: cx.reach.release(cx.incident),
        ..DeliveryQueued::default()
    };
    Ok((send(body), hit))
}

/// That nobody knows which alerts a silence hits, where Alertmanager, which makes it, has not told its alerts of late.
pub(crate) fn unknown_hits(cx: &Cx<'_>) -> Option<String> {
    let told = cx.live.alerts_freshness(ALERTMANAGER, cx.wall);
    let is_known = told == Some(Freshness::Fresh) || cx.incident.drill.is_some();
    let since = cx.live.reported.get(ALERTMANAGER).and_then(|reported| reported.at);
    let since = since.map(|at| format!(" since {}", cx.minute(cx.incident.clock().show(at)))).unwrap_or_default();
    (!is_known).then(|| format!("which alerts it keeps quiet is not all known: alertmanager has told none{since}"))
}

/// The labels of the alert that somebody most likely means.
pub(crate) fn likely_labels(fingerprint: Option<&CleanStr>, cx: &Cx<'_>) -> String {
    let seen = alerts::seen(cx);
    let is_it = |seen: &&alerts::Seen<'_>| fingerprint.is_none_or(|print| seen.live.fingerprints().contains(&print));
    let Some(alert) = seen.iter().find(is_it).map(|seen| seen.live.alert) else { return String::new() };
    let shown = ["alertname", "service"].into_iter().filter_map(|name| Some((name, alert.labels.get(name)?)));
    shown.map(|(name, value)| Matcher::equal(name, value).to_string()).collect::<Vec<_>>().join(" ")
}

/// What a silence would do, before it does.
pub(super) fn preview(form: &Form, cx: &Cx<'_>) -> Result<Overlay, (usize, String)> {
    let line = |place: usize| CleanStr::new(form.answer(place).as_str());
    let until = super::forms::coming(&line(1), cx).map_err(|why| (1, why))?.at;
    let labels = line(0);
    let (matchers, rest) = matchers(&labels).map_err(|why| (0, why))?;
    if !rest.is_empty() {
        return Err((0, format!("`{}` is no label: the reason has a field of its own", fit(rest, 40))));
    }
    let labels: Vec<String> = matchers.iter().map(ToString::to_string).collect();
    let (command, hit) = silence(matchers, until, &line(2), cx).map_err(|why| (0, why))?;
    let mut notes = vec![labels.join(" ")];
    match hit.len() {
        0 => notes.push("no alert that is known now has these labels".to_owned()),
        count => notes.extend(std::iter::once(format!("{count} of the alerts that are known now:")).chain(hit)),
    }
    notes.extend(unknown_hits(cx));
    let rows = vec![
        (format!("keep them quiet until {}", cx.clock(until)), Choice::Command(Box::new(command))),
        ("leave it".to_owned(), Choice::Nothing),
    ];
    Ok(Overlay::Pick(Box::new(Pick {
        title: "a silence".to_owned(),
        notes,
        rows,
        empty: "",
        selected: 0,
        filter: None,
    })))
}

/// The silences of this incident that are in force: what they are, and what ends each.
pub(crate) fn silences(cx: &Cx<'_>) -> Vec<(String, Command)> {
    let in_force = |known: &&Delivery| {
        let Act::Silence(said) = &known.body.act else { return false };
        matches!(known.state, DeliveryState::Sent(_)) && said.until > cx.wall && !is_ended(known.id, cx)
    };
    let all = cx.incident.deliveries.iter().filter(in_force);
    all.map(|known| {
        let until = match &known.body.act {
            Act::Silence(said) => cx.clock(cx.incident.clock().show(said.until)),
            _ => String::new(),
        };
        let words = format!("{} until {until} ({})", known.body.act.words(), known.text());
        let body = DeliveryQueued { act: Act::Unsilence(known.id), text: CleanText::default(), ..known.body.clone() };
        (words, send(body))
    })
    .collect()
}

fn is_ended(id: EntryId, cx: &Cx<'_>) -> bool {
    cx.incident.deliveries.iter().any(|known| known.body.act == Act::Unsilence(id))
}

/// The list of them; choosing one ends it.
pub(crate) fn unsilence(cx: &Cx<'_>) -> Overlay {
    let rows = silences(cx).into_iter().map(|(words, command)| (words, Choice::Command(Box::new(command))));
    Overlay::Pick(Box::new(Pick {
        title: "end a silence".to_owned(),
        notes: Vec::new(),
        rows: rows.collect(),
        empty: "no silence of this incident is in force",
        selected: 0,
        filter: None,
    }))
}
