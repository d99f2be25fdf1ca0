//! Whom the escalation matrix tells, and which severity the runbook would say.
//!
//! Hides how a position becomes a person: by name, by title, or by the owner that a playbook names.
//!
//! Invariant: the list has nobody twice and one order: the given severity's people first, then those of each lower level.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use crate::incident::Severity;
use crate::oncall::{Person, known_as};
use crate::playbook::{Frequency, team_and_person};
use crate::text::CleanStr;

/// What stands in the matrix for the owners of the affected integrations.
pub const INTEGRATION_OWNERS: &str = "integration owners";

/// What the runbook says about a SEV3, whom nobody is told of.
pub const SQUAD: &str = "handle within squad, log for backlog";

/// Whom each severity tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matrix {
    /// Titles or names for a SEV0.
    pub sev0: Vec<CleanStr>,
    /// Titles or names for a SEV1.
    pub sev1: Vec<CleanStr>,
    /// Titles or names for a SEV2, among them [`INTEGRATION_OWNERS`].
    pub sev2: Vec<CleanStr>,
    /// Titles or names for a SEV3.
    pub sev3: Vec<CleanStr>,
    /// The people that are known.
    pub people: Vec<Person>,
    /// Who keeps the matrix.
    pub owner: CleanStr,
    /// When somebody last read it against the world; absent reads "not recorded".
    pub reviewed: Option<NaiveDate>,
}

impl Default for Matrix {
    /// The runbook's.
    fn default() -> Self {
        let all = |positions: &[&str]| positions.iter().map(|position| CleanStr::new(position)).collect();
        Self {
            sev0: all(&["CTO", "Head of Compliance"]),
            sev1: all(&["Director of Engineering", "Director of Product"]),
            sev2: all(&[INTEGRATION_OWNERS]),
            sev3: Vec::new(),
            people: Vec::new(),
            owner: CleanStr::new("Reliability Engineering Lead"),
            reviewed: None,
        }
    }
}

/// Somebody who must be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// As the matrix or the playbook calls them.
    pub position: CleanStr,
    /// Who that is, where it is known.
    pub person: Option<Person>,
    /// The level that names them.
    pub because: Severity,
}

impl Contact {
    /// How the record names them: the position, and the person where that says more.
    pub fn name(&self) -> CleanStr {
        match &self.person {
            Some(person) if person.name != self.position => {
                CleanStr::new(&format!("{} ({})", self.position, person.name))
            }
            Some(_) | None => self.position.clone(),
        }
    }
}

impl Matrix {
    /// The positions that a level names itself.
    pub fn named(&self, severity: Severity) -> &[CleanStr] {
        match severity {
            Severity::Sev0 => &self.sev0,
            Severity::Sev1 => &self.sev1,
            Severity::Sev2 => &self.sev2,
            Severity::Sev3 => &self.sev3,
        }
    }

    /// All who must be told at a severity; `owners` are those of the impacted services' playbooks.
    pub fn to_tell(&self, severity: Severity, owners: &[CleanStr]) -> Vec<Contact> {
        let mut contacts = Vec::new();
        let mut told = BTreeSet::new();
        for because in Severity::ALL.into_iter().filter(|level| *level >= severity) {
            for position in self.named(because) {
                let is_owners = position.trim().eq_ignore_ascii_case(INTEGRATION_OWNERS);
                let positions = if is_owners { owners } else { std::slice::from_ref(position) };
                for position in positions {
                    self.tell(position, because, &mut told, &mut contacts);
                }
            }
        }
        contacts
    }

    /// By how many days the quarterly review is late, if it is; one that is not recorded is not late by any number.
    pub fn review_overdue(&self, today: NaiveDate) -> Option<i64> {
        Frequency::Quarterly.overdue(self.reviewed?, today)
    }

    fn tell(&self, position: &CleanStr, because: Severity, told: &mut BTreeSet<String>, contacts: &mut Vec<Contact>) {
        let (team, person) = team_and_person(position);
        let mut known = known_as(&self.people, position);
        if let Some(person) = person.filter(|_| known.is_empty()) {
            known = known_as(&self.people, person);
        }
        if known.is_empty() {
            known = known_as(&self.people, team);
        }
        let mut contact = |name: &str, person: Option<&Person>| {
            if told.insert(name.trim().to_lowercase()) {
                contacts.push(Contact { position: position.clone(), person: person.cloned(), because });
            }
        };
        for person in &known {
            contact(&person.name, Some(person));
        }
        if known.is_empty() {
            contact(person.unwrap_or(position), None);
        }
    }
}

/// What the runbook's definitions say of what is known, and why; nothing while the share of users is the only thing that could tell and is unknown.
pub fn propose(
    regulatory: Option<bool>,
    users_percent: Option<f64>,
    partner_affected: bool,
    complete_outage: bool,
) -> Option<(Severity, &'static str)> {
    if regulatory == Some(true) {
        return Some((Severity::Sev0, "regulatory impact"));
    }
    if complete_outage {
        return Some((Severity::Sev0, "complete outage"));
    }
    let share = users_percent.filter(|share| share.is_finite());
    if share.is_some_and(|share| share > 50.0) {
        return Some((Severity::Sev1, "more than 50 % of users are affected"));
    }
    if partner_affected {
        return Some((Severity::Sev2, "a specific integration is affected"));
    }
    share.map(|_| (Severity::Sev3, "at most 50 % of users are affected, and no specific integration"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::playbook::Catalogue;

    fn person(name: &str, title: &str) -> Person {
        Person { name: name.into(), title: Some(title.into()), phone: Some("+98 21 1".into()), ..Person::default() }
    }

    fn short(contacts: &[Contact]) -> Vec<String> {
        let one = |contact: &Contact| {
            let person = contact.person.as_ref().map_or("?", |person| person.name.as_str());
            format!("{}: {} = {person}", contact.because, contact.position)
        };
        contacts.iter().map(one).collect()
    }

    const OWNER: &str = "Payments team (Omid Karimi)";

    #[test]
    fn the_runbooks_matrix_tells_whom_it_names_and_a_higher_level_tells_the_lower_ones_too() {
        let matrix = Matrix::default();
        let owners = [OWNER.into(), "Banking team (Leila Sadeghi)".into()];
        let sev2 = ["SEV2: Payments team (Omid Karimi) = ?", "SEV2: Banking team (Leila Sadeghi) = ?"];
        let sev1 = ["SEV1: Director of Engineering = ?", "SEV1: Director of Product = ?"];
        let sev0 = ["SEV0: CTO = ?", "SEV0: Head of Compliance = ?"];
        for (severity, expected) in [
            (Severity::Sev0, [&sev0[..], &sev1, &sev2].concat()),
            (Severity::Sev1, [&sev1[..], &sev2].concat()),
            (Severity::Sev2, sev2.to_vec()),
            (Severity::Sev3, vec![]),
        ] {
            assert_eq!(short(&matrix.to_tell(severity, &owners)), expected, "{severity}");
        }
        assert!(matrix.to_tell(Severity::Sev2, &[]).is_empty(), "no impacted service has a playbook");
    }

    #[test]
    fn nobody_is_told_twice_whatever_they_are_called() {
        let matrix = Matrix {
            people: vec![
                person("Omid Karimi", "Director of Engineering"),
                person("Sara Moradi", "Director of Product"),
                person("Reza Tehrani", "Director of Product"),
                person("Banking desk", "Banking team"),
            ],
            sev0: vec!["CTO".into(), "sara moradi".into()],
            ..Matrix::default()
        };
        let owners = [OWNER.into(), OWNER.into(), "Banking team (Leila Sadeghi)".into(), "Web team".into()];
        assert_eq!(
            short(&matrix.to_tell(Severity::Sev0, &owners)),
            [
                "SEV0: CTO = ?",
                "SEV0: sara moradi = Sara Moradi",
                "SEV1: Director of Engineering = Omid Karimi",
                "SEV1: Director of Product = Reza Tehrani",
                "SEV2: Banking team (Leila Sadeghi) = Banking desk",
                "SEV2: Web team = ?",
            ],
            "Omid owns Alipay too, Sara is a director too"
        );
    }

    #[test]
    fn the_owners_of_the_shipped_playbooks_are_told_of_their_integration() {
        let catalogue = Catalogue::shipped();
        let owners = catalogue.owners(["blubank", "no-playbook", "alipay", "blubank"]);
        let told = short(&Matrix::default().to_tell(Severity::Sev2, &owners));
        assert_eq!(told, ["SEV2: Banking team (Leila Sadeghi) = ?", "SEV2: Payments team (Omid Karimi) = ?"]);
    }

    #[test]
    fn what_is_known_proposes_the_severity_that_the_runbook_defines() {
        let table = [
            ((Some(true), None, false, false), Some((Severity::Sev0, "regulatory"))),
            ((Some(true), Some(1.0), true, false), Some((Severity::Sev0, "regulatory"))),
            ((None, None, false, true), Some((Severity::Sev0, "outage"))),
            ((Some(false), Some(50.1), true, false), Some((Severity::Sev1, "more than 50 %"))),
            ((None, Some(100.0), false, false), Some((Severity::Sev1, "more than 50 %"))),
            ((None, Some(50.0), true, false), Some((Severity::Sev2, "integration"))),
            ((None, None, true, false), Some((Severity::Sev2, "integration"))),
            ((None, Some(50.0), false, false), Some((Severity::Sev3, "at most 50 %"))),
            ((Some(false), Some(0.0), false, false), Some((Severity::Sev3, "at most 50 %"))),
            ((None, None, false, false), None),
            ((Some(false), None, false, false), None),
            ((None, Some(f64::NAN), false, false), None),
        ];
        for ((regulatory, share, partner, outage), expected) in table {
            let proposed = propose(regulatory, share, partner, outage);
            assert_eq!(proposed.map(|found| found.0), expected.map(|found| found.0), "{regulatory:?} {share:?}");
            if let (Some((_, why)), Some((_, word))) = (proposed, expected) {
                assert!(why.contains(word), "{why}");
            }
        }
    }

    #[test]
    fn a_matrix_that_nobody_read_for_a_quarter_is_overdue() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let mut matrix = Matrix { reviewed: Some(day("2026-08-23")), ..Matrix::default() };
        assert_eq!(matrix.review_overdue(day("2026-11-23")), None, "the last day");
        assert_eq!(matrix.review_overdue(day("2026-11-25")), Some(2));
        matrix.reviewed = None;
        assert_eq!(matrix.review_overdue(day("2026-11-25")), None, "not recorded is not 0");
        assert_eq!(matrix.owner, "Reliability Engineering Lead");
    }
}
