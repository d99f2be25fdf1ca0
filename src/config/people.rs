//! The people of the configuration: who is on call, who is told, how they are reached, and by when they owe what.
//!
//! Hides that a time may be written as TOML's own or as a text (variables have nothing else), and what a day without a time means.
//!
//! Invariant: a rotation that was read has a first Monday and at least one week, and no override ends before it begins.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc, Weekday};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::layers::{self, Layer};
use super::partial::{Polling, Zone, said};
use super::{ConfigError, Places};
use crate::escalation::Matrix;
use crate::oncall::{self, Override, Person, Rotation, Shift};
use crate::text::duration::Lapse;
use crate::text::{CleanStr, fit};

/// Where changes come from beside `warroom change`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changes {
    /// A program and its arguments that print changes, if there is one.
    pub command: Option<Vec<String>>,
    /// The pause between two runs.
    pub every: TimeDelta,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct OncallPartial {
    start: Option<Monday>,
    hand_over: Option<TimeOfDay>,
    zone: Option<Zone>,
    weeks: Option<Vec<ShiftPartial>>,
    overrides: Option<Vec<OverridePartial>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct ShiftPartial {
    name: Said,
    person: Said,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct OverridePartial {
    from: When,
    to: When,
    person: Said,
    #[serde(default, deserialize_with = "said")]
    reason: Option<CleanStr>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct PersonPartial {
    name: Said,
    #[serde(default, deserialize_with = "said")]
    phone: Option<CleanStr>,
    #[serde(default, deserialize_with = "said")]
    email: Option<CleanStr>,
    #[serde(default, deserialize_with = "said")]
    slack: Option<CleanStr>,
    #[serde(default, deserialize_with = "said")]
    title: Option<CleanStr>,
    #[serde(default, deserialize_with = "said")]
    login: Option<CleanStr>,
    #[serde(default)]
    aliases: Vec<Said>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct EscalationPartial {
    sev0: Option<Vec<Said>>,
    sev1: Option<Vec<Said>>,
    sev2: Option<Vec<Said>>,
    sev3: Option<Vec<Said>>,
    #[serde(deserialize_with = "said")]
    owner: Option<CleanStr>,
    reviewed: Option<Day>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct BellPartial {
    pub(super) overdue: Option<bool>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct ChangesPartial {
    command: Option<Argv>,
    every: Option<Polling>,
}

/// A text that says something.
#[derive(Clone, Debug)]
struct Said(CleanStr);

impl<'de> Deserialize<'de> for Said {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        said(input).map(|text| Self(text.unwrap_or_default()))
    }
}

/// A program and its arguments.
#[derive(Clone, Debug)]
pub(super) struct Argv(pub(super) Vec<String>);

impl<'de> Deserialize<'de> for Argv {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let argv = Vec::<String>::deserialize(input)?;
        if argv.first().is_none_or(|program| program.trim().is_empty()) {
            return Err(D::Error::custom(
                "names no program: write it and its arguments, such as [\"deploys\", \"--json\"]",
            ));
        }
        if argv.iter().any(|word| word.contains('\0')) {
            return Err(D::Error::custom("holds a NUL character, which no program can be given"));
        }
        Ok(Self(argv))
    }
}

/// One of the deadlines.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline(pub(super) TimeDelta);

impl<'de> Deserialize<'de> for Deadline {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let lapse = Lapse::deserialize(input)?;
        if *lapse < TimeDelta::seconds(10) || *lapse > TimeDelta::days(30) {
            return Err(D::Error::custom(format!("{lapse} is out of range: write 10s to 30d")));
        }
        Ok(Self(lapse.into()))
    }
}

/// A date or a time as TOML writes it, or the same as a text.
fn written<'de, D: Deserializer<'de>>(input: D) -> Result<String, D::Error> {
    struct Written;
    impl<'de> Visitor<'de> for Written {
        type Value = String;

        fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            out.write_str("a date or a time")
        }

        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<String, E> {
            Ok(text.trim().to_owned())
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<String, A::Error> {
            // TOML's dates and times come as a map that only their own type can read.
            let time = toml::value::Datetime::deserialize(MapAccessDeserializer::new(map));
            let wrong = |_| A::Error::custom("invalid type: map, expected a date or a time");
            time.map(|time| time.to_string()).map_err(wrong)
        }
    }
    input.deserialize_any(Written)
}

fn day(text: &str) -> Result<NaiveDate, String> {
    text.parse().map_err(|_| format!("`{}` is no day: write one such as 2026-11-02", fit(&CleanStr::new(text), 40)))
}

/// A day.
#[derive(Clone, Copy, Debug)]
struct Day(NaiveDate);

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        day(&written(input)?).map(Self).map_err(D::Error::custom)
    }
}

/// The day on which a week begins.
#[derive(Clone, Copy, Debug)]
struct Monday(NaiveDate);

impl<'de> Deserialize<'de> for Monday {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let Day(day) = Day::deserialize(input)?;
        if day.weekday() != Weekday::Mon {
            let before = day - TimeDelta::days(i64::from(day.weekday().num_days_from_monday()));
            let message = format!("{day} is a {}: weeks begin on a Monday, such as {before}", day.format("%A"));
            return Err(D::Error::custom(message));
        }
        Ok(Self(day))
    }
}

/// A time of the day.
#[derive(Clone, Copy, Debug)]
struct TimeOfDay(NaiveTime);

impl<'de> Deserialize<'de> for TimeOfDay {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let text = written(input)?;
        let time = ["%H:%M", "%H:%M:%S"].into_iter().find_map(|form| NaiveTime::parse_from_str(&text, form).ok());
        let wrong =
            || format!("`{}` is no time of the day: write one such as \"09:00\"", fit(&CleanStr::new(&text), 40));
        time.map(Self).ok_or_else(|| D::Error::custom(wrong()))
    }
}

/// A moment, as exact as somebody wrote it.
#[derive(Clone, Copy, Debug)]
enum When {
    /// A day: at the time of the hand-over.
    Day(NaiveDate),
    /// A time in the zone of the rotation.
    Local(NaiveDateTime),
    /// A time with an offset.
    Moment(DateTime<Utc>),
}

impl<'de> Deserialize<'de> for When {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let text = written(input)?;
        if let Ok(moment) = DateTime::parse_from_rfc3339(&text) {
            return Ok(Self::Moment(moment.with_timezone(&Utc)));
        }
        let local = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"]
            .into_iter()
            .find_map(|form| NaiveDateTime::parse_from_str(&text, form).ok());
        if let Some(local) = local {
            return Ok(Self::Local(local));
        }
        text.parse().map(Self::Day).map_err(|_| {
            let text = CleanStr::new(&text);
            let message =
                format!("`{}` is no day and no time: write 2026-12-24 or 2026-12-24T09:00:00", fit(&text, 40));
            D::Error::custom(message)
        })
    }
}

/// The rotation, if there is one; `zone` is the one of incidents.
pub(super) fn rotation(said: OncallPartial, zone: Zone, layers: &[Layer]) -> Result<Option<Rotation>, ConfigError> {
    let wrong = |key: &str, at: &str, message: &str| {
        ConfigError(format!("{}: `oncall.{key}`: {message}", layers::origin(layers, &format!("oncall.{at}"))))
    };
    let overrides = said.overrides.unwrap_or_default();
    let (start, weeks) = match (said.start, said.weeks.filter(|weeks| !weeks.is_empty())) {
        (Some(Monday(start)), Some(weeks)) => (start, weeks),
        (None, None) if overrides.is_empty() => return Ok(None),
        (None, None) => {
            return Err(wrong(
                "start",
                "overrides",
                "is missing: the overrides need a rotation, with `start` and `weeks`",
            ));
        }
        (None, Some(_)) => {
            return Err(wrong("start", "weeks", "is missing: name the Monday of the first week, such as 2026-11-02"));
        }
        (Some(_), None) => {
            let message = "is missing: name the weeks, such as [{ name = \"Payments IC\", person = \"Dana Rahimi\" }]";
            return Err(wrong("weeks", "start", message));
        }
    };
    let zone = said.zone.unwrap_or(zone).0;
    let hand_over = said.hand_over.map_or(NINE, |time| time.0);
    let moment = |when: When| match when {
        When::Day(day) => oncall::moment(zone, day.and_time(hand_over)),
        When::Local(local) => oncall::moment(zone, local),
        When::Moment(moment) => Some(moment),
    };
    let mut stand_ins = Vec::new();
    for (place, said) in overrides.into_iter().enumerate() {
        let key = format!("overrides[{}]", place + 1);
        let (Some(from), Some(to)) = (moment(said.from), moment(said.to)) else {
            return Err(wrong(&key, "overrides", "is at the end of the calendar: choose another day"));
        };
        if to <= from {
            return Err(wrong(&key, "overrides", "ends before it begins: `to` is the first moment that is not theirs"));
        }
        stand_ins.push(Override { from, to, person: said.person.0, reason: said.reason });
    }
    let weeks = weeks.into_iter().map(|week| Shift { name: week.name.0, person: week.person.0 }).collect();
    Ok(Some(Rotation { start, zone, hand_over, weeks, overrides: stand_ins }))
}

const NINE: NaiveTime = NaiveTime::from_hms_opt(9, 0, 0).expect("nine o'clock is a time");

/// The people, each of whom has names of their own; who is called like somebody before is left out, with a sentence.
pub(super) fn people(said: Option<Vec<PersonPartial>>, layers: &[Layer]) -> (Vec<Person>, Vec<ConfigError>) {
    let person = |said: PersonPartial| Person {
        name: said.name.0,
        login: said.login,
        aliases: said.aliases.into_iter().map(|alias| alias.0).collect(),
        phone: said.phone,
        email: said.email,
        slack: said.slack,
        title: said.title,
    };
    let mut people: Vec<_> = said.unwrap_or_default().into_iter().map(person).collect();
    let mut wrong = Vec::new();
    while let Some((place, field, why)) = oncall::clash(&people) {
        // Counted as they stand in the file.
        let number = place + wrong.len() + 1;
        let origin = layers::origin(layers, "people");
        wrong.push(ConfigError(format!("{origin}: `people[{number}].{field}`: {why}")));
        people.remove(place);
    }
    (people, wrong)
}

pub(super) fn matrix(said: EscalationPartial, people: &[Person]) -> Matrix {
    let usual = Matrix::default();
    let or = |said: Option<Vec<Said>>, usual| said.map_or(usual, |said| said.into_iter().map(|said| said.0).collect());
    Matrix {
        sev0: or(said.sev0, usual.sev0),
        sev1: or(said.sev1, usual.sev1),
        sev2: or(said.sev2, usual.sev2),
        sev3: or(said.sev3, usual.sev3),
        people: people.to_vec(),
        owner: said.owner.unwrap_or(usual.owner),
        reviewed: said.reviewed.map(|day| day.0),
    }
}

/// A program and its arguments: a name alone is looked for in PATH; a path is relative to the file that names it.
pub(super) fn program(Argv(mut argv): Argv, key: &str, layers: &[Layer], places: &Places) -> Vec<String> {
    if let Some(program) = argv.first_mut().filter(|program| program.contains('/')) {
        let path: PathBuf = layers::resolve(layers, key, Path::new(program), &places.home);
        *program = path.to_string_lossy().into_owned();
    }
    argv
}

pub(super) fn changes(said: ChangesPartial, layers: &[Layer], places: &Places) -> Changes {
    let command = said.command.map(|argv| program(argv, "changes.command", layers, places));
    Changes { command, every: said.every.map_or(TimeDelta::seconds(60), |every| every.0) }
}

/// What stands in the way of reaching the people that are named: a sentence for each.
pub(super) fn unreachable(rotation: Option<&Rotation>, matrix: &Matrix) -> Vec<String> {
    let mut remarks = Vec::new();
    let rotation = rotation.into_iter().flat_map(|rotation| {
        let weeks = rotation.weeks.iter().map(|week| &week.person);
        weeks.chain(rotation.overrides.iter().map(|stand_in| &stand_in.person))
    });
    for name in rotation {
        let remark = match oncall::known_as(&matrix.people, name).first() {
            None => format!("[oncall] `{name}` stands in no [[people]]: there is no phone number"),
            Some(person) if person.phone.is_none() => format!("[[people]] `{name}` is on call and has no `phone`"),
            Some(_) => continue,
        };
        if !remarks.contains(&remark) {
            remarks.push(remark);
        }
    }
    // Whoever names nobody at all has a matrix of positions, and that is fine.
    if !matrix.people.is_empty() {
        let told = matrix.to_tell(crate::incident::Severity::Sev0, &[]);
        for contact in told.iter().filter(|contact| contact.person.is_none()) {
            remarks.push(format!("[escalation] `{}` is nobody's name or `title` in [[people]]", contact.position));
        }
    }
    remarks
}
