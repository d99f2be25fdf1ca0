//! What a template can say: the variables and what each one reads.
//!
//! Hides how a fact is written: names of services by audience, times with their zone, and the words that stand where a fact is missing.
//!
//! Invariant: every variable has a value for every audience, and none is ever empty text.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use minijinja::value::{Enumerator, Object, ObjectRepr, Value};

use super::{Audience, Status};
use crate::incident::{IncidentId, Severity};
use crate::playbook::Playbook;
use crate::text::{CleanStr, CleanText};

/// What stands where a fact is missing; [`lint()`](super::lint()) remarks on every one that is left in a text.
pub const MISSING: &str = "not known yet";

/// A service by the names that different people know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// The name inside the company.
    pub name: CleanStr,
    /// The name that customers know; absent where nobody has given it one.
    pub public: Option<CleanStr>,
}

impl From<&Playbook> for Service {
    fn from(playbook: &Playbook) -> Self {
        Self { name: playbook.name.clone(), public: Some(playbook.public_name.clone()) }
    }
}

/// The facts of an incident that an update is drafted from; what is absent reads [`MISSING`].
#[derive(Clone, Debug, PartialEq)]
pub struct Facts {
    /// The moment of drafting, in the incident's clock.
    pub now: DateTime<Utc>,
    /// The zone in which the times are written.
    pub zone: Tz,
    /// The record's name.
    pub incident_id: Option<IncidentId>,
    /// What is affected.
    pub services: Vec<Service>,
    /// How bad it is.
    pub severity: Option<Severity>,
    /// What is wrong, in one line.
    pub title: Option<CleanStr>,
    /// The impact, as those who are told can understand it.
    pub summary: Option<CleanText>,
    /// Who of the customers is affected, such as `about 40 % of card payments`.
    pub customers: Option<CleanStr>,
    /// Where.
    pub geography: Option<CleanStr>,
    /// Which partner banks.
    pub partners: Option<CleanStr>,
    /// What is being done now.
    pub current_action: Option<CleanText>,
    /// Who does it.
    pub action_owner: Option<CleanStr>,
    /// Who commands.
    pub commander: Option<CleanStr>,
    /// What happened since the last update, a line each, the oldest first.
    pub since: Vec<CleanStr>,
    /// When the next update is promised; absent: the template's own promise from now.
    pub next_update: Option<DateTime<Utc>>,
    /// When customers began to hurt, or else when it was detected.
    pub started: Option<DateTime<Utc>>,
    /// Since when it is normal again, as measured; else when it was resolved.
    pub resolved: Option<DateTime<Utc>>,
}

/// A variable of the templates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Its name between the braces.
    pub name: &'static str,
    /// The runbook's spelling of it.
    pub placeholder: Option<&'static str>,
    /// What it reads.
    pub about: &'static str,
    /// Whether texts for customers may use it.
    pub is_public: bool,
}

const fn variable(name: &'static str, placeholder: Option<&'static str>, about: &'static str) -> Variable {
    Variable { name, placeholder, about, is_public: true }
}

const fn internal(name: &'static str, placeholder: Option<&'static str>, about: &'static str) -> Variable {
    Variable { name, placeholder, about, is_public: false }
}

/// What stands for the approved text in the template of a channel.
pub(super) const TEXT: &str = "text";

/// Every variable that a template knows.
pub const VARIABLES: [Variable; 20] = [
    internal("incident_id", Some("INCIDENT_ID"), "the record's name, such as INC-42"),
    variable("service", Some("SERVICE"), "the affected services; for customers, their public names"),
    variable("services", None, "the same as a list, for `{% for %}`"),
    internal("severity", None, "SEV0 to SEV3"),
    internal("title", None, "what is wrong, in one line"),
    variable("summary", Some("SUMMARY"), "the impact"),
    variable("impact", None, "the impact, the same as summary"),
    variable("customers", None, "who of the customers is affected"),
    variable("geography", None, "where"),
    internal("partners", None, "which partner banks"),
    variable("current_action", Some("CURRENT_ACTION"), "what is being done now"),
    internal("action_owner", None, "who does it"),
    internal("commander", None, "who commands"),
    internal("since", None, "what happened since the last update, a list of lines"),
    variable("status", None, "investigating, identified, monitoring or resolved"),
    variable("next_update", Some("TIME"), "when the next update comes, with its zone"),
    variable("started", None, "since when customers hurt"),
    variable("resolved", None, "since when it is normal again, as measured; else when it was resolved"),
    variable("lasted", None, "how long it lasted, or has lasted so far"),
    variable("now", None, "the time of drafting"),
];

impl Facts {
    /// Facts of which nothing is known but the time.
    pub fn empty(now: DateTime<Utc>, zone: Tz) -> Self {
        Self {
            now,
            zone,
            incident_id: None,
            services: Vec::new(),
            severity: None,
            title: None,
            summary: None,
            customers: None,
            geography: None,
            partners: None,
            current_action: None,
            action_owner: None,
            commander: None,
            since: Vec::new(),
            next_update: None,
            started: None,
            resolved: None,
        }
    }

    /// Facts of an invented incident in which everything is known: templates are checked with them.
    pub fn sample(now: DateTime<Utc>, zone: Tz) -> Self {
        let clean = |text: &str| Some(CleanStr::new(text));
        Self {
            now,
            zone,
            incident_id: Some(IncidentId::incident(42)),
            services: vec![Service { name: "Alipay Integration".into(), public: clean("Alipay payments") }],
            severity: Some(Severity::Sev1),
            title: clean("Alipay payments time out"),
            summary: Some("Alipay payments may fail or take longer than usual.".into()),
            customers: clean("about 40 % of those who pay with Alipay"),
            geography: clean("all regions"),
            partners: clean("Alipay"),
            current_action: Some("Payments are being routed to the backup provider.".into()),
            action_owner: clean("dana"),
            commander: clean("bob"),
            since: vec!["the gateway's connections were found used up".into(), "the backup provider is ready".into()],
            next_update: None,
            started: now.checked_sub_signed(TimeDelta::minutes(25)),
            resolved: Some(now),
        }
    }

    /// A moment as templates write it: `14:45 CET`, with the date where it is more than half a day away.
    pub fn clock(&self, at: DateTime<Utc>) -> String {
        let local = at.with_timezone(&self.zone);
        let is_near = (at - self.now).abs() <= TimeDelta::hours(12);
        local.format(if is_near { "%H:%M %Z" } else { "%Y-%m-%d %H:%M %Z" }).to_string()
    }

    /// The values of all variables.
    pub(super) fn values(&self, audience: Audience, status: Status, next: Option<DateTime<Utc>>) -> Value {
        Value::from_object(Context(self.by_name(audience, status, next)))
    }

    /// The same, around a text that was approved.
    pub(super) fn around(&self, text: &str, audience: Audience, status: Status) -> Value {
        let mut values = self.by_name(audience, status, self.next_update);
        values.insert(TEXT, Value::from(text));
        Value::from_object(Context(values))
    }

    fn by_name(
        &self,
        audience: Audience,
        status: Status,
        next: Option<DateTime<Utc>>,
    ) -> BTreeMap<&'static str, Value> {
        let at = |moment: Option<DateTime<Utc>>| text(moment.map(|moment| self.clock(moment)));
        let services = match audience {
            Audience::Slack | Audience::Internal | Audience::Executive => {
                self.services.iter().map(|service| Some(&service.name)).collect::<Vec<_>>()
            }
            Audience::External => self.services.iter().map(|service| service.public.as_ref()).collect(),
        };
        let services: Vec<String> = services
            .into_iter()
            .map(|name| name.map_or(MISSING, CleanStr::as_str))
            .filter(|name| !name.trim().is_empty())
            .map(str::to_owned)
            .collect();
        let since = self.since.iter().filter(|line| !line.trim().is_empty()).map(ToString::to_string).collect();
        let lasted = self.started.map(|started| self.resolved.unwrap_or(self.now) - started);
        let value = |name: &str| match name {
            "incident_id" => text(self.incident_id),
            "service" => text(Some(joined(&services))),
            "services" => Value::from_object(Lines(services.clone())),
            "severity" => text(self.severity),
            "title" => text(self.title.as_ref()),
            "summary" | "impact" => text(self.summary.as_ref()),
            "customers" => text(self.customers.as_ref()),
            "geography" => text(self.geography.as_ref()),
            "partners" => text(self.partners.as_ref()),
            "current_action" => text(self.current_action.as_ref()),
            "action_owner" => text(self.action_owner.as_ref()),
            "commander" => text(self.commander.as_ref()),
            "since" => Value::from_object(Lines(Vec::clone(&since))),
            "status" => text(Some(status.name())),
            "next_update" => at(next),
            "started" => at(self.started),
            "resolved" => at(self.resolved),
            "lasted" => text(lasted.filter(|lasted| *lasted >= TimeDelta::zero()).map(length)),
            "now" => at(Some(self.now)),
            _ => Value::UNDEFINED,
        };
        let mut values = BTreeMap::new();
        for known in VARIABLES.iter().filter(|known| known.is_public || audience != Audience::External) {
            for name in [Some(known.name), known.placeholder].into_iter().flatten() {
                values.insert(name, value(known.name));
            }
        }
        values
    }
}

/// `1 h 25 min`.
fn length(of: TimeDelta) -> String {
    let (hours, minutes) = (of.num_minutes() / 60, of.num_minutes() % 60);
    if hours == 0 { format!("{minutes} min") } else { format!("{hours} h {minutes} min") }
}

/// `a`, `a and b`, `a, b and c`.
fn joined(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

fn text<T: fmt::Display>(said: Option<T>) -> Value {
    let said = said.map(|said| said.to_string()).unwrap_or_default();
    if said.trim().is_empty() { Value::from_object(Missing) } else { Value::from(said.trim()) }
}

#[derive(Debug)]
struct Context(BTreeMap<&'static str, Value>);

impl Object for Context {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.0.get(key.as_str()?).cloned()
    }
}

/// A fact that is missing: `{% if %}` takes it as false, and it reads [`MISSING`].
#[derive(Debug)]
struct Missing;

impl Object for Missing {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn is_true(self: &Arc<Self>) -> bool {
        false
    }

    fn render(self: &Arc<Self>, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(MISSING)
    }
}

/// A list that reads as its lines where it is not taken apart.
#[derive(Debug)]
struct Lines(Vec<String>);

impl Object for Lines {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.0.get(key.as_usize()?).map(|line| Value::from(line.as_str()))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Seq(self.0.len())
    }

    fn render(self: &Arc<Self>, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(if self.0.is_empty() { MISSING } else { "" })?;
        out.write_str(&self.0.join("\n"))
    }
}
