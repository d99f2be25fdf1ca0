//! Who is on call, until when, and how to reach them.
//!
//! Hides the arithmetic of a weekly rotation: a hand-over is a local time, so that a week which holds a change of the clocks is 167 or 169 hours long,
//! and a time that a day does not have is the first one that it has after it.
//!
//! Invariant: nobody is on call before the rotation begins but by an override, and never two people at once; of overrides that overlap, the last one
//! in the list counts.

mod roster;
mod words;

use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

use crate::text::CleanStr;
pub use roster::{Roster, canonical, clash, is_same, known_by};
pub use words::in_words;

/// Somebody who can be reached while the paging service is down.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Person {
    /// The name by which the rotation, the matrix and the playbooks call them.
    pub name: CleanStr,
    /// The name on the machines.
    pub login: Option<CleanStr>,
    /// Other names by which people call them.
    pub aliases: Vec<CleanStr>,
    /// The telephone number.
    pub phone: Option<CleanStr>,
    /// The address for mail.
    pub email: Option<CleanStr>,
    /// The name or ID in Slack.
    pub slack: Option<CleanStr>,
    /// The position, as the escalation matrix calls it: `CTO`.
    pub title: Option<CleanStr>,
}

/// The person who goes by a name; where nobody does, those who hold the position of that name. Letter case does not count.
pub fn known_as<'a>(people: &'a [Person], said: &str) -> Vec<&'a Person> {
    if let Some(person) = known_by(people, said) {
        return vec![person];
    }
    let said = said.trim().to_lowercase();
    let holds = |person: &Person| person.title.as_ref().is_some_and(|title| title.trim().to_lowercase() == said);
    people.iter().filter(|person| holds(person)).collect()
}

/// A week of the rotation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shift {
    /// What the week is called: `Payments IC`.
    pub name: CleanStr,
    /// Who has it.
    pub person: CleanStr,
}

/// Somebody who stands in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// Since when.
    pub from: DateTime<Utc>,
    /// Until when; the moment itself is not theirs any more.
    pub to: DateTime<Utc>,
    /// Who stands in.
    pub person: CleanStr,
    /// Why.
    pub reason: Option<CleanStr>,
}

/// The weekly on-call rotation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// The day on which the first week begins.
    pub start: NaiveDate,
    /// The zone in which hand-overs are at the same time of the day.
    pub zone: Tz,
    /// That time of the day.
    pub hand_over: NaiveTime,
    /// The weeks, one after the other, then from the first one again.
    pub weeks: Vec<Shift>,
    /// Who stands in when.
    pub overrides: Vec<Override>,
}

/// A stretch of time in which one person is on call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watch {
    /// The week that it is part of; absent where an override stands before the rotation begins.
    pub shift: Option<CleanStr>,
    /// Who is on call.
    pub person: CleanStr,
    /// For whom they stand in, where it is somebody else.
    pub stands_in_for: Option<CleanStr>,
    /// Why they stand in.
    pub reason: Option<CleanStr>,
    /// Since when.
    pub from: DateTime<Utc>,
    /// Until when.
    pub until: DateTime<Utc>,
}

/// What holds at one moment; a watch ends where this changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Slot {
    week: Option<i64>,
    stand_in: Option<usize>,
}

const NOBODY: Slot = Slot { week: None, stand_in: None };

/// The step in which a time that a day does not have is put off: every change of the clocks is a multiple of it.
const QUARTER: TimeDelta = TimeDelta::minutes(15);

/// The moment of a local time: the first one where the clock shows it twice, the first one after the gap where it never does.
pub fn moment(zone: Tz, local: NaiveDateTime) -> Option<DateTime<Utc>> {
    // The longest gap is a whole day, on which a country moved to the other side of the date line.
    (0..=100)
        .filter_map(|steps| local.checked_add_signed(QUARTER * steps))
        .find_map(|local| zone.from_local_datetime(&local).earliest())
        .map(|moment| moment.with_timezone(&Utc))
}

impl Rotation {
    /// Who is on call; nobody before the rotation begins.
    pub fn on_call(&self, now: DateTime<Utc>) -> Option<Watch> {
        let slot = self.slot(now);
        self.person(slot)?;
        let until = self.end_of(slot, now)?;
        let from = self.beginning_of(slot, now);
        Some(self.watch(slot, from, until))
    }

    /// Who is on call after whoever is now; the first one of all before the rotation begins.
    pub fn next(&self, now: DateTime<Utc>) -> Option<Watch> {
        let mut moment = self.end_of(self.slot(now), now)?;
        // Between two overrides before the rotation begins there may be nobody.
        for _ in 0..=self.overrides.len() + 1 {
            if let Some(watch) = self.on_call(moment) {
                return Some(watch);
            }
            moment = self.end_of(NOBODY, moment)?;
        }
        None
    }

    /// When a week begins.
    fn beginning(&self, week: i64) -> Option<DateTime<Utc>> {
        let days = u64::try_from(week.checked_mul(7)?).ok()?;
        moment(self.zone, self.start.checked_add_days(Days::new(days))?.and_time(self.hand_over))
    }

    /// The number of the week that a moment lies in, from 0; none before the first.
    fn week(&self, now: DateTime<Utc>) -> Option<i64> {
        if self.weeks.is_empty() {
            return None;
        }
        let days = (now.with_timezone(&self.zone).date_naive() - self.start).num_days();
        let week = days.div_euclid(7);
        // The day alone does not say on which side of the hand-over the moment lies.
        [week + 1, week, week - 1]
            .into_iter()
            .filter(|week| *week >= 0)
            .find(|week| self.beginning(*week).is_some_and(|beginning| beginning <= now))
    }

    fn slot(&self, now: DateTime<Utc>) -> Slot {
        let stand_in = self.overrides.iter().rposition(|stand_in| stand_in.from <= now && now < stand_in.to);
        Slot { week: self.week(now), stand_in }
    }

    fn shift(&self, slot: Slot) -> Option<&Shift> {
        let place = slot.week?.rem_euclid(i64::try_from(self.weeks.len()).ok().filter(|weeks| *weeks > 0)?);
        self.weeks.get(usize::try_from(place).ok()?)
    }

    fn person(&self, slot: Slot) -> Option<&CleanStr> {
        match slot.stand_in {
            Some(place) => self.overrides.get(place).map(|stand_in| &stand_in.person),
            None => self.shift(slot).map(|shift| &shift.person),
        }
    }

    fn watch(&self, slot: Slot, from: DateTime<Utc>, until: DateTime<Utc>) -> Watch {
        let shift = self.shift(slot);
        let stand_in = slot.stand_in.and_then(|place| self.overrides.get(place));
        let person = self.person(slot).cloned().unwrap_or_default();
        let other = shift.map(|shift| &shift.person).filter(|other| **other != person);
        Watch {
            shift: shift.map(|shift| shift.name.clone()),
            stands_in_for: other.cloned(),
            reason: stand_in.and_then(|stand_in| stand_in.reason.clone()),
            person,
            from,
            until,
        }
    }

    /// The first moment after `now` at which something else holds.
    fn end_of(&self, slot: Slot, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let first = if self.weeks.is_empty() { None } else { self.beginning(slot.week.map_or(0, |week| week + 1)) };
        let mut changes: Vec<_> = self.overrides.iter().flat_map(|stand_in| [stand_in.from, stand_in.to]).collect();
        changes.extend(first);
        changes.sort_unstable();
        changes.into_iter().find(|change| *change > now && self.slot(*change) != slot)
    }

    /// The moment since which this holds.
    fn beginning_of(&self, slot: Slot, now: DateTime<Utc>) -> DateTime<Utc> {
        let first = slot.week.and_then(|week| self.beginning(week));
        let mut changes: Vec<_> = self.overrides.iter().flat_map(|stand_in| [stand_in.from, stand_in.to]).collect();
        changes.extend(first);
        changes.retain(|change| *change <= now);
        changes.sort_unstable();
        // The earliest one since which nothing else has held.
        changes.into_iter().rev().take_while(|change| self.slot(*change) == slot).last().unwrap_or(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn week(name: &str, person: &str) -> Shift {
        Shift { name: name.into(), person: person.into() }
    }

    /// The runbook's three weeks.
    fn rotation(zone: Tz, start: &str, hand_over: &str) -> Rotation {
        let weeks = vec![week("Payments IC", "Dana"), week("Banking IC", "Leila"), week("Platform IC", "Omid")];
        let hand_over = hand_over.parse().unwrap();
        Rotation { start: start.parse().unwrap(), zone, hand_over, weeks, overrides: Vec::new() }
    }

    fn stand_in(from: &str, to: &str, person: &str) -> Override {
        Override { from: at(from), to: at(to), person: person.into(), reason: Some("holidays".into()) }
    }

    fn short(watch: Option<Watch>) -> String {
        let Some(watch) = watch else { return "nobody".to_owned() };
        let time = |at: DateTime<Utc>| at.format("%Y-%m-%dT%H:%MZ").to_string();
        let shift = watch.shift.as_deref().unwrap_or("-");
        format!("{} {shift} {} {}", watch.person, time(watch.from), time(watch.until))
    }

    #[test]
    fn week_one_is_payments_two_is_banking_three_is_platform_and_then_from_the_first_again() {
        let berlin = rotation(chrono_tz::Europe::Berlin, "2026-11-02", "09:00:00");
        for (now, person, next) in [
            ("2026-11-02T08:00:00Z", "Dana Payments IC 2026-11-02T08:00Z 2026-11-09T08:00Z", "Leila"),
            ("2026-11-08T23:59:59Z", "Dana Payments IC 2026-11-02T08:00Z 2026-11-09T08:00Z", "Leila"),
            ("2026-11-09T07:59:59Z", "Dana Payments IC 2026-11-02T08:00Z 2026-11-09T08:00Z", "Leila"),
            ("2026-11-09T08:00:00Z", "Leila Banking IC 2026-11-09T08:00Z 2026-11-16T08:00Z", "Omid"),
            ("2026-11-16T08:00:00Z", "Omid Platform IC 2026-11-16T08:00Z 2026-11-23T08:00Z", "Dana"),
            ("2026-11-23T08:00:00Z", "Dana Payments IC 2026-11-23T08:00Z 2026-11-30T08:00Z", "Leila"),
            // Fifty weeks later, over the turn of the year and both changes of the clocks.
            ("2027-10-18T07:00:00Z", "Omid Platform IC 2027-10-18T07:00Z 2027-10-25T07:00Z", "Dana"),
        ] {
            assert_eq!(short(berlin.on_call(at(now))), person, "{now}");
            assert_eq!(berlin.next(at(now)).unwrap().person, next, "after {now}");
        }
    }

    #[test]
    fn hand_over_is_at_the_same_time_of_the_day_on_both_sides_of_a_change_of_the_clocks() {
        for (zone, start, hand_over, now, watch) in [
            // Spring in Berlin: the week has 167 hours.
            (
                chrono_tz::Europe::Berlin,
                "2027-03-22",
                "09:00:00",
                "2027-03-28T12:00:00Z",
                "Dana Payments IC 2027-03-22T08:00Z 2027-03-29T07:00Z",
            ),
            // Autumn in Berlin: 169 hours.
            (
                chrono_tz::Europe::Berlin,
                "2026-10-19",
                "09:00:00",
                "2026-10-26T07:30:00Z",
                "Dana Payments IC 2026-10-19T07:00Z 2026-10-26T08:00Z",
            ),
            // New York changes a week later.
            (
                chrono_tz::America::New_York,
                "2026-10-26",
                "09:00:00",
                "2026-11-02T13:30:00Z",
                "Dana Payments IC 2026-10-26T13:00Z 2026-11-02T14:00Z",
            ),
            // Half an hour, on the other half of the globe.
            (
                chrono_tz::Australia::Lord_Howe,
                "2026-09-28",
                "09:00:00",
                "2026-10-04T12:00:00Z",
                "Dana Payments IC 2026-09-27T22:30Z 2026-10-04T22:00Z",
            ),
            // A hand-over at a time that the day does not have: the first one that it has, 03:00 in place of 02:30.
            (
                chrono_tz::Europe::Berlin,
                "2027-03-28",
                "02:30:00",
                "2027-03-28T01:00:00Z",
                "Dana Payments IC 2027-03-28T01:00Z 2027-04-04T00:30Z",
            ),
            // At a time that the day has twice: the first one.
            (
                chrono_tz::Europe::Berlin,
                "2026-10-25",
                "02:30:00",
                "2026-10-25T00:30:00Z",
                "Dana Payments IC 2026-10-25T00:30Z 2026-11-01T01:30Z",
            ),
            // A leap year: the week holds the 29th of February.
            (
                chrono_tz::UTC,
                "2028-02-28",
                "09:00:00",
                "2028-02-29T12:00:00Z",
                "Dana Payments IC 2028-02-28T09:00Z 2028-03-06T09:00Z",
            ),
            // A zone that never changes and is ahead of UTC by a half hour.
            (
                chrono_tz::Asia::Tehran,
                "2026-11-02",
                "08:00:00",
                "2026-11-09T04:29:59Z",
                "Dana Payments IC 2026-11-02T04:30Z 2026-11-09T04:30Z",
            ),
        ] {
            let rotation = rotation(zone, start, hand_over);
            assert_eq!(short(rotation.on_call(at(now))), watch, "{zone} {now}");
        }
    }

    #[test]
    fn a_country_that_leaves_out_a_whole_day_still_hands_over() {
        let day = "2011-12-30T09:00:00".parse().unwrap();
        assert_eq!(moment(chrono_tz::Pacific::Apia, day), Some(at("2011-12-30T10:00:00Z")), "midnight of the 31st");
    }

    #[test]
    fn nobody_is_on_call_before_the_rotation_begins_and_the_first_one_is_next() {
        let mut rotation = rotation(chrono_tz::UTC, "2026-11-02", "09:00:00");
        let before = at("2026-11-02T08:59:59Z");
        assert_eq!(short(rotation.on_call(before)), "nobody");
        assert_eq!(short(rotation.next(before)), "Dana Payments IC 2026-11-02T09:00Z 2026-11-09T09:00Z");
        assert_eq!(short(rotation.on_call(at("1970-01-01T00:00:00Z"))), "nobody");
        rotation.overrides.push(stand_in("2026-10-30T00:00:00Z", "2026-10-31T00:00:00Z", "Sara"));
        assert_eq!(
            short(rotation.next(at("2026-10-01T00:00:00Z"))),
            "Sara - 2026-10-30T00:00Z 2026-10-31T00:00Z",
            "an override counts without a rotation"
        );
        assert_eq!(rotation.next(at("2026-10-30T12:00:00Z")).unwrap().person, "Dana");
        rotation.weeks.clear();
        assert_eq!(short(rotation.on_call(at("2026-12-01T00:00:00Z"))), "nobody");
        assert_eq!(rotation.next(at("2026-12-01T00:00:00Z")), None);
    }

    #[test]
    fn who_stands_in_has_their_part_of_the_week_and_no_more() {
        let mut rotation = rotation(chrono_tz::UTC, "2026-11-02", "09:00:00");
        rotation.overrides = vec![
            stand_in("2026-11-04T12:00:00Z", "2026-11-05T12:00:00Z", "Sara"),
            // Over a hand-over: the shift changes, the person does not.
            stand_in("2026-11-08T00:00:00Z", "2026-11-10T00:00:00Z", "Sara"),
            // Two at once: the last one counts.
            stand_in("2026-11-09T12:00:00Z", "2026-11-09T18:00:00Z", "Reza"),
            // One that ends before it begins never holds.
            stand_in("2026-11-20T00:00:00Z", "2026-11-19T00:00:00Z", "Reza"),
        ];
        for (now, person) in [
            ("2026-11-04T11:59:59Z", "Dana Payments IC 2026-11-02T09:00Z 2026-11-04T12:00Z"),
            ("2026-11-04T12:00:00Z", "Sara Payments IC 2026-11-04T12:00Z 2026-11-05T12:00Z"),
            ("2026-11-05T12:00:00Z", "Dana Payments IC 2026-11-05T12:00Z 2026-11-08T00:00Z"),
            ("2026-11-09T08:00:00Z", "Sara Payments IC 2026-11-08T00:00Z 2026-11-09T09:00Z"),
            ("2026-11-09T10:00:00Z", "Sara Banking IC 2026-11-09T09:00Z 2026-11-09T12:00Z"),
            ("2026-11-09T12:00:00Z", "Reza Banking IC 2026-11-09T12:00Z 2026-11-09T18:00Z"),
            ("2026-11-09T18:00:00Z", "Sara Banking IC 2026-11-09T18:00Z 2026-11-10T00:00Z"),
            ("2026-11-10T00:00:00Z", "Leila Banking IC 2026-11-10T00:00Z 2026-11-16T09:00Z"),
            ("2026-11-19T12:00:00Z", "Omid Platform IC 2026-11-16T09:00Z 2026-11-23T09:00Z"),
        ] {
            assert_eq!(short(rotation.on_call(at(now))), person, "{now}");
        }
        let watch = rotation.on_call(at("2026-11-04T12:00:00Z")).unwrap();
        assert_eq!((watch.stands_in_for.as_deref(), watch.reason.as_deref()), (Some("Dana"), Some("holidays")));
        assert_eq!(
            short(rotation.next(at("2026-11-03T00:00:00Z"))),
            "Sara Payments IC 2026-11-04T12:00Z 2026-11-05T12:00Z"
        );
    }

    #[test]
    fn every_hour_of_ten_years_has_one_watch_and_the_watches_have_no_gaps() {
        let mut rotation = rotation(chrono_tz::Europe::Berlin, "2026-11-02", "02:30:00");
        rotation.overrides = vec![stand_in("2026-12-24T08:00:00Z", "2026-12-27T08:00:00Z", "Sara")];
        let mut watch = rotation.on_call(at("2026-11-02T01:30:00Z")).unwrap();
        let end = at("2036-11-02T00:00:00Z");
        while watch.until < end {
            let after = rotation.on_call(watch.until).unwrap();
            assert_eq!(after.from, watch.until, "{watch:?}");
            assert_eq!(rotation.next(watch.from).as_ref(), Some(&after));
            assert_eq!(rotation.on_call(watch.until - TimeDelta::milliseconds(1)).as_ref(), Some(&watch));
            watch = after;
        }
    }

    #[test]
    fn the_ends_of_the_calendar_are_no_reason_to_crash() {
        let rotation = rotation(chrono_tz::Europe::Berlin, "2026-11-02", "09:00:00");
        for now in [DateTime::<Utc>::MIN_UTC + TimeDelta::days(2), DateTime::<Utc>::MAX_UTC - TimeDelta::days(2)] {
            let _ = (rotation.on_call(now), rotation.next(now));
        }
    }

    #[test]
    fn a_name_goes_before_a_position_and_letter_case_does_not_count() {
        let person =
            |name: &str, title: &str| Person { name: name.into(), title: Some(title.into()), ..Person::default() };
        let people = [person("Dana Rahimi", "CTO"), person("Omid", "Director"), person("Leila", "director")];
        let names = |said: &str| known_as(&people, said).iter().map(|person| person.name.as_str()).collect::<Vec<_>>();
        assert_eq!(names("dana rahimi "), ["Dana Rahimi"]);
        assert_eq!(names("cto"), ["Dana Rahimi"]);
        assert_eq!(names("Director"), ["Omid", "Leila"]);
        assert!(names("Head of Compliance").is_empty());
    }
}
