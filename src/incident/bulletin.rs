//! How an incident stands, for the message at the top of its chat channel, and what else goes with a text when it leaves.
//!
//! Hides where in the record each of it stands.
//!
//! Invariant: everything here is derived when it leaves, never frozen: what was corrected in between counts.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};

use super::{Act, CleanStr, CleanText, DeliveryState, Incident, Phase, Remote, Role};

/// So many letters of the last update stand in it; the update itself is a message of its own.
const MOST_LETTERS: usize = 1_200;

/// The facts that fields of a ticket can be filled in with.
pub const FACTS: [&str; 8] =
    ["incident", "title", "severity", "service", "services", "declared-by", "commander", "detected"];

/// How an incident stands.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Bulletin {
    /// `INC-1 SEV1`.
    pub heading: CleanStr,
    /// What is wrong, in one line.
    pub title: CleanStr,
    /// `SEV1`.
    pub severity: CleanStr,
    /// `Mitigating since 12:03 UTC`.
    pub phase: CleanStr,
    /// Who commands.
    pub commander: Option<CleanStr>,
    /// The other roles, and who holds them.
    pub roles: Vec<(CleanStr, CleanStr)>,
    /// The affected services.
    pub services: Option<CleanStr>,
    /// `customers affected from 12:03 UTC to now`.
    pub impact: Option<CleanStr>,
    /// How many customers are affected.
    pub customers: Option<CleanStr>,
    /// The last update, with its time.
    pub last: Option<CleanText>,
    /// `by 12:30 UTC`.
    pub next_update: Option<CleanStr>,
    /// Where else the incident is kept, in words and with its address.
    pub links: Vec<(CleanStr, Option<CleanStr>)>,
}

/// Somebody by the ID that a chat system knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handle {
    /// What people call them.
    pub names: Vec<CleanStr>,
    /// The ID.
    pub id: CleanStr,
}

/// Somebody who is to do something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// What people call them.
    pub name: CleanStr,
    /// The address by which other systems know them.
    pub mail: Option<CleanStr>,
}

/// What goes with a text, as it is when the text leaves.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Attached {
    /// The message below which it goes.
    pub thread: Option<Remote>,
    /// How the incident stands.
    pub bulletin: Option<Bulletin>,
    /// Who can be named so that they are told.
    pub people: Vec<Handle>,
    /// The incident in facts, by their names in [`FACTS`].
    pub facts: BTreeMap<&'static str, String>,
    /// Who does the follow-up.
    pub owner: Option<Owner>,
    /// Until the end of which day.
    pub due: Option<NaiveDate>,
}

impl Incident {
    /// What fields of a ticket can be filled in with.
    pub(super) fn in_facts(&self) -> BTreeMap<&'static str, String> {
        let services: Vec<&str> = self.services.iter().map(CleanStr::as_str).collect();
        let values = [
            self.id().to_string(),
            self.title.to_string(),
            self.severity.map(|severity| severity.to_string()).unwrap_or_default(),
            services.first().copied().unwrap_or_default().to_owned(),
            services.join(", "),
            self.declared.as_ref().map(|mark| mark.by.to_string()).unwrap_or_default(),
            self.holder(Role::IncidentCommander).map(ToString::to_string).unwrap_or_default(),
            // As Jira's fields for moments want it.
            self.detected_at.map(|at| at.format("%Y-%m-%dT%H:%M:%S.000%z").to_string()).unwrap_or_default(),
        ];
        FACTS.into_iter().zip(values).collect()
    }

    /// How it stands.
    pub fn bulletin(&self) -> Bulletin {
        let zone = self.zone();
        let clock = |at: DateTime<Utc>| at.with_timezone(&zone).format("%H:%M %Z").to_string();
        let severity = self.severity.map(|severity| severity.to_string()).unwrap_or_default();
        let phase = match self.phase {
            Some((phase, since)) => format!("{} since {}", phase.name(), clock(since)),
            None => self.phase().name().to_owned(),
        };
        let roles = self.roles.iter().filter(|(seat, _)| seat.role != Role::IncidentCommander);
        let services: Vec<_> = self.services.iter().map(CleanStr::as_str).collect();
        let impact = self.impact.latest().map(|(start, end)| {
            let end = end.map_or("now".to_owned(), clock);
            CleanStr::new(&format!("customers affected from {} to {end}", clock(start)))
        });
        let told = self.updates.last();
        let promised = told.and_then(|told| told.update.promised_next).filter(|_| self.phase() < Phase::Resolved);
        let links = self.deliveries.iter().filter_map(|known| match (&known.state, &known.body.act) {
            (DeliveryState::Sent(remote), Act::Open(_)) => {
                Some((CleanStr::new(&format!("{} {}", known.body.service, remote.called())), remote.link.clone()))
            }
            _ => None,
        });
        Bulletin {
            heading: CleanStr::new(format!("{} {severity}", self.id()).trim()),
            title: self.title.clone(),
            severity: CleanStr::new(&severity),
            phase: CleanStr::new(&phase),
            commander: self.holder(Role::IncidentCommander).cloned(),
            roles: roles.map(|(seat, mark)| (CleanStr::new(seat.role.name()), mark.by.clone())).collect(),
            services: (!services.is_empty()).then(|| CleanStr::new(&services.join(", "))),
            impact,
            customers: self.scope.trend().map(|(count, _)| CleanStr::new(&count.to_string())),
            last: told.map(|told| CleanText::new(&format!("{}: {}", clock(told.at()), begun(&told.update.text)))),
            next_update: promised.map(|at| CleanStr::new(&format!("by {}", clock(at)))),
            links: links.collect(),
        }
    }
}

/// The beginning of an update: how much more there is is said.
fn begun(text: &str) -> String {
    match text.char_indices().nth(MOST_LETTERS) {
        Some((end, _)) => {
            format!("{} … ({} letters more in the update itself)", text[..end].trim_end(), text[end..].chars().count())
        }
        None => text.to_owned(),
    }
}

impl Bulletin {
    /// The same in lines, for where there is no layout.
    pub fn text(&self) -> String {
        let mut lines = vec![format!("{} {}", self.heading, self.title), self.phase.to_string()];
        let commands = self.commander.iter().map(|name| format!("{} {name}", Role::IncidentCommander.name()));
        let roles: Vec<_> = commands.chain(self.roles.iter().map(|(role, name)| format!("{role} {name}"))).collect();
        lines.push(if roles.is_empty() { "nobody commands yet".to_owned() } else { roles.join(" · ") });
        lines.extend(self.services.iter().map(|services| format!("Affected: {services}")));
        lines.extend(self.impact.iter().map(|impact| format!("Impact: {impact}")));
        lines.extend(self.customers.iter().map(|count| format!("Customers affected: {count}")));
        lines.extend(self.last.iter().map(ToString::to_string));
        lines.extend(self.next_update.iter().map(|at| format!("Next update {at}")));
        let links = self.links.iter().map(|(words, link)| format!("{words} {}", link.as_deref().unwrap_or_default()));
        lines.extend(links.map(|line| line.trim_end().to_owned()));
        lines.join("\n")
    }
}
