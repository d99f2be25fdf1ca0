//! Playbooks: what a service promises, where its traces are, whom to call, and the steps to take.
//!
//! Hides the file format. Four playbooks ship with the program, one for each of the runbook's services; a file of the same service in a configured
//! folder replaces the shipped one.
//!
//! Invariant: a playbook that was read is complete and consistent; one that could not be read is a problem that is shown, and the others work.

mod command;
mod element;
mod expect;
mod markdown;
pub mod runbook;
mod step;
pub mod surroundings;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use chrono::{Months, NaiveDate, TimeDelta};
use serde::Deserialize;

use crate::incident::gate::Needs;
use crate::incident::{CommandStarted, PlaybookFrozen, ServiceId, StepRef};
use crate::slo::{Absent, Objective, ObjectiveKind, Unit, promql};
use crate::spans::WatchedService;
use crate::text::document::{self, Complaint, Flaw, Key, name, said};
use crate::text::duration::Lapse;
use crate::text::{CleanStr, CleanText};
pub use command::{Aliases, AtLimit, CommandStep, Environment, Facts, Parameter, Resolved, Value, Wrong};
pub use expect::{Comparison, Expectation};
pub use step::{Action, Branch, Choice, Look, Notify, Query, Step, Traces as StepTraces, Wait};

/// The playbooks that ship with the program: file name and text.
pub const SHIPPED: [(&str, &str); 4] = [
    ("playbooks/alipay.toml", include_str!("../playbooks/alipay.toml")),
    ("playbooks/blubank.toml", include_str!("../playbooks/blubank.toml")),
    ("playbooks/yoomonea.toml", include_str!("../playbooks/yoomonea.toml")),
    ("playbooks/qrpay-web.toml", include_str!("../playbooks/qrpay-web.toml")),
];

/// How often something comes round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Frequency {
    /// Every month.
    Monthly,
    /// Every three months.
    Quarterly,
    /// Every six months.
    SemiAnnual,
    /// Every year.
    Annual,
}

impl Frequency {
    /// The name on the screen.
    pub fn name(self) -> &'static str {
        match self {
            Self::Monthly => "monthly",
            Self::Quarterly => "quarterly",
            Self::SemiAnnual => "semi-annual",
            Self::Annual => "annual",
        }
    }

    /// The day on which it comes round again.
    pub fn after(self, day: NaiveDate) -> NaiveDate {
        let months = match self {
            Self::Monthly => 1,
            Self::Quarterly => 3,
            Self::SemiAnnual => 6,
            Self::Annual => 12,
        };
        day.checked_add_months(Months::new(months)).unwrap_or(NaiveDate::MAX)
    }

    /// By how many days what was last done on a day is late, if it is.
    pub fn overdue(self, last: NaiveDate, today: NaiveDate) -> Option<i64> {
        let late = (today - self.after(last)).num_days();
        (late > 0).then_some(late)
    }
}

/// The two parts of an owner as playbooks write it: `Payments team (Omid Karimi)` is a team and a person.
pub fn team_and_person(owner: &str) -> (&str, Option<&str>) {
    let owner = owner.trim();
    let parts = owner.strip_suffix(')').and_then(|owner| owner.split_once('('));
    match parts.map(|(team, person)| (team.trim(), person.trim())) {
        Some((team, person)) if !team.is_empty() && !person.is_empty() => (team, Some(person)),
        Some(_) | None => (owner, None),
    }
}

/// Somebody to call, and how.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Contact {
    /// Who.
    pub name: CleanStr,
    /// How to reach them.
    pub how: CleanStr,
}

/// Where a service's traces are.
#[derive(Clone, Debug, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Traces {
    /// The names of its parts in the traces.
    pub services: Vec<CleanStr>,
    /// A span that takes longer counts as slow.
    #[serde(default)]
    pub slow: Option<Lapse>,
    /// HTTP statuses from 400 to 499 that count as errors here; those from 500 always do.
    #[serde(default)]
    pub error_statuses: Vec<u16>,
    /// Which share of the requests is traced (0.02), where the traces do not say so.
    #[serde(default)]
    pub sampled: Option<f64>,
}

impl Traces {
    /// The services that are named, as they are to be watched.
    pub fn watched(&self) -> impl Iterator<Item = WatchedService> {
        self.services.iter().map(|service| WatchedService {
            service: service.clone(),
            slow: self.slow.map(TimeDelta::from),
            statuses: self.error_statuses.clone(),
            sampled: self.sampled,
        })
    }
}

/// The playbook of one service.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Playbook {
    /// The service, as labels and commands spell it.
    pub service: ServiceId,
    /// The service as people in the company call it.
    pub name: CleanStr,
    /// The service as customers know it.
    pub public_name: CleanStr,
    /// The environment for which it is written, where a service has several: `[playbooks] variant` chooses.
    #[serde(default)]
    pub variant: Option<CleanStr>,
    /// Who keeps this playbook.
    pub owner: CleanStr,
    /// When somebody last read it against the world.
    #[serde(deserialize_with = "document::date")]
    pub reviewed: NaiveDate,
    /// How often that is due.
    #[serde(default = "quarterly")]
    pub review_every: Frequency,
    /// When it was last used in a GameDay.
    #[serde(default, deserialize_with = "document::maybe_date")]
    pub drilled: Option<NaiveDate>,
    /// What the service promises.
    #[serde(default)]
    pub objectives: Vec<Objective>,
    /// Services without which it does not work: a change of theirs is looked at like one of its own.
    #[serde(default)]
    pub depends_on: Vec<ServiceId>,
    /// Where its traces are.
    #[serde(default)]
    pub traces: Traces,
    /// Whom to call.
    #[serde(default)]
    pub contacts: Vec<Contact>,
    /// What to do, in this order.
    pub steps: Vec<Step>,
    /// BLAKE3 of the file, as hex, where it is not one that ships with the program: then somebody must approve its commands.
    #[serde(skip)]
    pub foreign: Option<CleanStr>,
    /// The file, byte for byte.
    #[serde(skip)]
    pub text: String,
}

fn quarterly() -> Frequency {
    Frequency::Quarterly
}

impl Playbook {
    /// Reads a playbook; `file` names it in the flaw. What would be shown otherwise than it is written is refused.
    pub fn parse(file: &str, text: &str) -> Result<Self, Box<Flaw>> {
        let playbook = Self::parse_frozen(file, text)?;
        document::check_letters(file, text, acts_exactly)?;
        Ok(playbook)
    }

    /// Reads a version that an incident has used already.
    fn parse_frozen(file: &str, text: &str) -> Result<Self, Box<Flaw>> {
        let mut playbook: Self = document::read(file, text)?;
        playbook.text = text.to_owned();
        if !SHIPPED.iter().any(|(_, shipped)| *shipped == text) {
            playbook.foreign = Some(playbook.digest());
        }
        playbook.check().map_err(|complaint| document::locate(file, text, &complaint))?;
        Ok(playbook)
    }

    /// BLAKE3 of the file, as hex.
    pub fn digest(&self) -> CleanStr {
        CleanStr::new(blake3::hash(self.text.as_bytes()).to_hex().as_str())
    }

    /// This version, for an incident that is to go by it.
    pub fn frozen(&self, replaces: Option<CleanStr>) -> PlaybookFrozen {
        PlaybookFrozen { service: self.service.clone(), digest: self.digest(), text: self.text.clone(), replaces }
    }

    /// The text that ships with the program for the same service.
    pub fn shipped_text(&self) -> Option<&'static str> {
        Catalogue::read_once().get(&self.service).map(|shipped| shipped.text.as_str())
    }

    /// A step by its id.
    pub fn step(&self, id: &str) -> Option<&Step> {
        self.steps.iter().find(|step| *step.id == *id)
    }

    /// What a command of one of its steps wants before it may start.
    pub fn needs(&self, order: &CommandStarted) -> Option<Needs> {
        let step = self.step(&order.step.as_ref()?.step)?;
        let bare = Needs {
            step: self.step_ref(step),
            purpose: order.purpose,
            roles: Vec::new(),
            second_person: false,
            earlier: Vec::new(),
            digest: order.digest.clone(),
            foreign_playbook: None,
        };
        // What somebody runs for a step that is done by hand is their own.
        let Some(command) = step.command() else { return Some(bare) };
        let earlier = command.needs.iter().filter_map(|id| self.step(id));
        Some(Needs {
            roles: command.roles.clone(),
            second_person: command.second_person,
            earlier: earlier.map(|step| (self.step_ref(step), step.title.clone())).collect(),
            foreign_playbook: self.foreign.as_deref().map(CleanStr::new),
            ..bare
        })
    }

    /// A reference to one of its steps, as the journal keeps it.
    pub fn step_ref(&self, step: &Step) -> StepRef {
        StepRef { service: self.service.clone(), step: step.id.clone() }
    }

    /// Under which objective the answer to a step's query is measured: the chart of the same expression, or else one of its own.
    pub fn asks(&self, step: &Step) -> Option<Objective> {
        let query = step.query()?;
        let chart = self.objectives.iter().find(|objective| *objective.expr == *query.promql).cloned();
        Some(chart.unwrap_or_else(|| Objective {
            // No file can name a chart like this.
            id: CleanStr::new(&format!("{QUESTION}{}", step.id)),
            title: step.title.clone(),
            kind: ObjectiveKind::Threshold,
            expr: query.promql.to_string(),
            target: query.expect.value,
            unit: Unit::Count,
            side: query.expect.side(),
            window: CleanStr::new("5m"),
            absent: Absent::Unknown,
            every: None,
            lag: None,
        }))
    }

    /// What is doubtful in it, though it can be used: limits that nothing meets, functions that are not known here.
    pub fn doubts(&self) -> Vec<String> {
        let limits = self.objectives.iter().filter_map(Objective::doubt);
        let charts = self.objectives.iter().map(|objective| (&objective.title, objective.expr.as_str()));
        let asked = |step: &Step| Some((step.title.clone(), step.query()?.promql.to_string()));
        let asked: Vec<_> = self.steps.iter().filter_map(asked).collect();
        let queries = charts.chain(asked.iter().map(|(title, query)| (title, query.as_str())));
        let doubts = |(title, query): (&CleanStr, &str)| -> Vec<String> {
            let found = promql::check(query).unwrap_or_default();
            found.into_iter().map(|fault| format!("{title}: {fault}")).collect()
        };
        limits.chain(queries.flat_map(doubts)).collect()
    }

    /// For how long the answer to a step of its must have held, at most.
    pub fn longest_hold(&self) -> TimeDelta {
        let holds = self.steps.iter().filter_map(|step| Some(*step.query()?.hold?));
        holds.max().unwrap_or_else(TimeDelta::zero)
    }

    /// All that is measured for it: its charts, and what its steps ask beside them, with how far back that must reach.
    pub fn measured(&self) -> impl Iterator<Item = (Objective, Option<TimeDelta>)> {
        let asked = self.steps.iter().filter_map(|step| {
            let hold = step.query()?.hold.map_or_else(TimeDelta::zero, |hold| *hold);
            Some((self.asks(step).filter(is_question)?, Some(hold + MORE)))
        });
        self.objectives.iter().map(|chart| (chart.clone(), None)).chain(asked)
    }

    /// By how many days the review is late, if it is.
    pub fn review_overdue(&self, today: NaiveDate) -> Option<i64> {
        self.review_every.overdue(self.reviewed, today)
    }

    fn check(&self) -> Result<(), Complaint> {
        name(&self.service, "service")?;
        said(&self.name, "name")?;
        said(&self.public_name, "public-name")?;
        said(&self.owner, "owner")?;
        let mut known = BTreeSet::new();
        for (place, objective) in self.objectives.iter().enumerate() {
            let here = || ["objectives".into(), place.into()];
            check_objective(objective).map_err(|complaint| complaint.within(here()))?;
            unique(&mut known, &objective.id).map_err(|complaint| complaint.within(here()))?;
        }
        for (place, service) in self.traces.services.iter().enumerate() {
            if service.trim().is_empty() {
                let path = ["traces".into(), "services".into(), place.into()];
                return Err(Complaint::new(path, "is empty: write the name that Jaeger shows"));
            }
        }
        if self.traces.slow.is_some_and(Lapse::is_zero) {
            return Err(Complaint::new(["traces".into(), "slow".into()], "is zero: every span would be slow"));
        }
        if let Some(place) = self.traces.error_statuses.iter().position(|status| !(400..500).contains(status)) {
            let path = ["traces".into(), "error-statuses".into(), place.into()];
            return Err(Complaint::new(path, "is no status from 400 to 499: those from 500 are errors anyway"));
        }
        if self.traces.sampled.is_some_and(|share| !(share > 0.0 && share <= 1.0)) {
            let path = ["traces".into(), "sampled".into()];
            return Err(Complaint::new(path, "is no share above 0 and up to 1: write 0.02 for one request in fifty"));
        }
        for (place, contact) in self.contacts.iter().enumerate() {
            let here = || ["contacts".into(), place.into()];
            said(&contact.name, "name").map_err(|complaint| complaint.within(here()))?;
            said(&contact.how, "how").map_err(|complaint| complaint.within(here()))?;
        }
        if self.steps.is_empty() {
            return Err(Complaint::new(["steps".into()], "is empty: a playbook has at least one [[steps]]"));
        }
        let mut known = BTreeSet::new();
        for (place, step) in self.steps.iter().enumerate() {
            let here = || ["steps".into(), place.into()];
            step.check().map_err(|complaint| complaint.within(here()))?;
            self.check_references(step, &known).map_err(|complaint| complaint.within(here()))?;
            unique(&mut known, &step.id).map_err(|complaint| complaint.within(here()))?;
        }
        Ok(())
    }

    /// Steps that a step names are there: what it needs comes before it.
    fn check_references(&self, step: &Step, before: &BTreeSet<&str>) -> Result<(), Complaint> {
        match &step.action {
            Some(Action::Command(command)) => {
                for (place, need) in command.needs.iter().enumerate() {
                    if !before.contains(need.as_str()) {
                        let path = ["do".into(), "command".into(), "needs".into(), place.into()];
                        return Err(Complaint::new(path, format!("`{need}` is no step before this one")));
                    }
                }
                Ok(())
            }
            Some(Action::Choice(choice)) => {
                for (place, then) in
                    choice.branches.iter().enumerate().filter_map(|(at, one)| Some((at, one.then.as_ref()?)))
                {
                    if self.step(then).is_none() {
                        let path = ["do".into(), "choice".into(), "branches".into(), place.into(), "then".into()];
                        return Err(Complaint::new(path, format!("`{then}` is no step of this file")));
                    }
                }
                Ok(())
            }
            Some(
                Action::Look(_)
                | Action::Query(_)
                | Action::Traces(_)
                | Action::Wait(_)
                | Action::Verify(_)
                | Action::Notify(_),
            )
            | None => Ok(()),
        }
    }
}

/// The values of a playbook that are kept byte for byte: a command's words, its values, its directory.
fn acts_exactly(path: &[Key]) -> bool {
    let named = |place: usize, names: &[&str]| matches!(path.get(place), Some(Key::Named(name)) if names.contains(&name.as_str()));
    let is_value = named(4, &["parameters"]) && named(6, &["one-of", "default", "fill"]);
    named(0, &["steps"])
        && named(2, &["do"])
        && named(3, &["command"])
        && (named(4, &["argv", "undo", "directory"]) || is_value)
}

/// A question reaches back so much further than it must, so that a gap at its beginning is seen.
const MORE: TimeDelta = TimeDelta::minutes(5);
/// What the name of an objective begins with that is no chart but a step's question.
const QUESTION: char = '?';

/// Whether an objective is a step's question and no chart.
pub fn is_question(objective: &Objective) -> bool {
    objective.id.starts_with(QUESTION)
}

fn unique<'a>(known: &mut BTreeSet<&'a str>, id: &'a str) -> Result<(), Complaint> {
    if known.insert(id) {
        Ok(())
    } else {
        Err(Complaint::new(["id".into()], format!("`{id}` stands twice in this file")))
    }
}

fn check_objective(objective: &Objective) -> Result<(), Complaint> {
    name(&objective.id, "id")?;
    said(&objective.title, "title")?;
    said(&objective.expr, "expr")?;
    if let Err(fault) = promql::check(&objective.expr) {
        return Err(Complaint::new(["expr".into()], fault.to_string()));
    }
    match objective.window.parse::<Lapse>() {
        Err(error) => return Err(Complaint::new(["window".into()], error.to_string())),
        Ok(window) if window.is_zero() => {
            return Err(Complaint::new(["window".into()], "is zero: a rate needs some time, such as 5m"));
        }
        Ok(_) => {}
    }
    if objective.every.is_some_and(|every| every < Lapse::seconds(1) || every > Lapse::seconds(3600)) {
        return Err(Complaint::new(["every".into()], "is not between 1s and 1h: how often are its values sampled?"));
    }
    let target = objective.target;
    let wrong = match (objective.kind, objective.unit) {
        (ObjectiveKind::Ratio, Unit::Ratio) => (!(target > 0.0 && target < 1.0)).then(|| {
            format!("{target} is no share of good events: a ratio promises more than 0 and less than 1, such as 0.995")
        }),
        (ObjectiveKind::Ratio, _) => {
            return Err(Complaint::new(["unit".into()], "a ratio objective is measured in `ratio`"));
        }
        (ObjectiveKind::Threshold, Unit::Ratio) => (!(0.0..=1.0).contains(&target))
            .then(|| format!("{target} is no share: write a number from 0 to 1, such as 0.8 for 80 %")),
        (ObjectiveKind::Threshold, _) => (!target.is_finite()).then(|| format!("{target} is no limit: write a number")),
    };
    wrong.map_or(Ok(()), |message| Err(Complaint::new(["target".into()], message)))
}

/// All playbooks, and what is wrong with those that could not be read.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Catalogue {
    /// By service.
    pub playbooks: BTreeMap<ServiceId, Playbook>,
    /// A sentence for each file that could not be read.
    pub problems: Vec<String>,
    /// Services whose own file cannot be taken: why, and the last playbook of theirs that could be. Nothing takes its place without a word.
    pub broken: BTreeMap<ServiceId, (String, Option<Box<Playbook>>)>,
    /// Why it is not known of all playbooks when they were drilled last: without this, one that has no day was never
    /// drilled here.
    pub drills_unread: Option<CleanText>,
    /// The files from which playbooks were taken.
    files: BTreeMap<ServiceId, (String, Option<CleanStr>)>,
}

impl Catalogue {
    /// Some services, the parts that their playbooks name in traces, and all that they depend on, however far away.
    pub fn around<'a>(&'a self, services: &'a [ServiceId]) -> BTreeSet<&'a str> {
        let mut found: BTreeSet<&str> = BTreeSet::new();
        let mut open: Vec<&str> = services.iter().map(|service| service.as_str()).collect();
        while let Some(service) = open.pop() {
            if !found.insert(service) {
                continue;
            }
            let Some(playbook) = self.get(service) else { continue };
            open.extend(playbook.traces.services.iter().chain(&playbook.depends_on).map(|one| one.as_str()));
        }
        found
    }

    /// The playbooks that ship with the program.
    pub fn shipped() -> Self {
        Self::read_once().clone()
    }

    /// The same, read once a process.
    fn read_once() -> &'static Self {
        static READ: LazyLock<Catalogue> = LazyLock::new(|| {
            let mut catalogue = Catalogue::default();
            for (file, text) in SHIPPED {
                catalogue.take(file, text);
            }
            catalogue
        });
        &READ
    }

    /// Takes a file in: it replaces the playbook of the same service. One that is wrong is a problem, and nothing else stands in for it.
    pub fn take(&mut self, file: &str, text: &str) {
        match Playbook::parse(file, text) {
            Ok(playbook) => {
                let folder = |file: &str| file.rsplit_once('/').map(|(folder, _)| folder.to_owned());
                let other = self
                    .files
                    .get(&playbook.service)
                    .filter(|(other, variant)| {
                        *other != file && folder(other) == folder(file) && *variant == playbook.variant
                    })
                    .map(|(other, _)| other.clone());
                let (service, variant) = (playbook.service.clone(), playbook.variant.clone());
                self.insert(playbook);
                if let Some(other) = other {
                    let why = format!("{other} and {file} are both of `{service}`: keep one of them");
                    self.break_off(service, why);
                } else if !SHIPPED.iter().any(|(shipped, _)| *shipped == file) {
                    self.files.insert(service, (file.to_owned(), variant));
                }
            }
            Err(flaw) => self.miss(file, Some(text), flaw.to_string()),
        }
    }

    /// A file of a playbook that cannot be taken: of which service it is its text says, or else its name.
    pub fn miss(&mut self, file: &str, text: Option<&str>, why: String) {
        let stem = file.rsplit('/').next().and_then(|name| name.strip_suffix(".toml")).unwrap_or_default();
        let said = text.and_then(|text| document::text_at(text, "service"));
        let service = said.unwrap_or_else(|| stem.to_owned());
        if name(&service, "service").is_ok() {
            self.break_off(CleanStr::new(&service), why);
        } else {
            self.problems.push(why);
        }
    }

    /// A service whose playbooks in a folder are all for other environments has none: nothing from elsewhere stands in for them.
    pub fn lack(&mut self, service: &str, folder: &str, why: String) {
        let is_here = |file: &str| file.rsplit_once('/').is_some_and(|(known, _)| known == folder);
        if self.broken.contains_key(service) || self.files.get(service).is_some_and(|(file, _)| is_here(file)) {
            return;
        }
        if name(service, "service").is_ok() {
            self.break_off(CleanStr::new(service), why);
        }
    }

    fn break_off(&mut self, service: ServiceId, why: String) {
        self.problems.push(why.clone());
        let last = self.playbooks.remove(&service).map(Box::new);
        let last = last.or_else(|| self.broken.remove(&service).and_then(|(_, last)| last));
        self.broken.insert(service, (why, last));
    }

    fn insert(&mut self, playbook: Playbook) {
        self.broken.remove(&playbook.service);
        self.playbooks.insert(playbook.service.clone(), playbook);
    }

    /// Keeps, for what is broken now, what was right before.
    pub fn remember(&mut self, before: &Self) {
        for (service, (_, last)) in &mut self.broken {
            let known = before.playbooks.get(service).cloned().map(Box::new);
            let known = known.or_else(|| before.broken.get(service).and_then(|(_, last)| last.clone()));
            if known.is_some() {
                *last = known;
            }
        }
    }

    /// Why a service has no playbook, where that is because its file is wrong.
    pub fn why_none(&self, service: &str) -> Option<String> {
        let (why, last) = self.broken.get(service)?;
        let way = if last.is_some() {
            ": mend the file, or take the last good version (t in the playbook, :trust)"
        } else {
            ": mend the file"
        };
        Some(format!("the playbook of {service} cannot be read: {why}{way}"))
    }

    /// The same with the versions that an incident goes by.
    pub fn with_frozen<'a>(&self, frozen: impl Iterator<Item = &'a PlaybookFrozen>) -> Self {
        let mut catalogue = self.clone();
        for version in frozen {
            if self.get(&version.service).is_none_or(|loaded| loaded.digest() != version.digest) {
                let name = format!("{}, as this incident has it", version.service);
                match Playbook::parse_frozen(&name, &version.text) {
                    Ok(playbook) => catalogue.insert(playbook),
                    Err(flaw) => catalogue.break_off(version.service.clone(), flaw.to_string()),
                }
            }
        }
        catalogue
    }

    /// The playbook of a service.
    pub fn get(&self, service: &str) -> Option<&Playbook> {
        self.playbooks.get(service)
    }

    /// A step by its reference.
    pub fn step(&self, step: &StepRef) -> Option<&Step> {
        self.get(&step.service)?.step(&step.step)
    }

    /// Whom to call about a service, the partner's desk among them; empty without a playbook.
    pub fn contacts(&self, service: &str) -> &[Contact] {
        self.get(service).map_or(&[], |playbook| &playbook.contacts)
    }

    /// The owners of some services' playbooks, each once, in the order of the services; one without a playbook has none.
    pub fn owners<'a>(&self, services: impl IntoIterator<Item = &'a str>) -> Vec<CleanStr> {
        let mut owners: Vec<CleanStr> = Vec::new();
        for playbook in services.into_iter().filter_map(|service| self.get(service)) {
            if !owners.contains(&playbook.owner) {
                owners.push(playbook.owner.clone());
            }
        }
        owners
    }

    /// All playbooks, by service.
    pub fn iter(&self) -> impl Iterator<Item = &Playbook> {
        self.playbooks.values()
    }
}

#[cfg(test)]
mod tests;
