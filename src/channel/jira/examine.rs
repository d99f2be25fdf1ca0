//! What doctor asks of Jira: who we are, what we may do, the project's kind, its tickets' types and the fields that they want.
//!
//! Hides where Cloud and Data Center put the same thing.
//!
//! Invariant: nothing is changed there; what a ticket needs is known before the night in which it is made.

use std::collections::BTreeSet;

use super::answers::{Described, FieldList, Kind, Myself, Permissions, Project};
use super::demanded::question_in;
use super::{Edition, Jira, MOST_PAGES, PLAIN_TYPE, api};
use crate::channel::Wanted;
use crate::checkup::Finding;
use crate::reach::{JIRA, Place};
use crate::source::http::{Failure, Trouble};
use crate::text::CleanStr;

/// What an incident does in a project: the permission, and what lacks without it.
const PERMISSIONS: &[(&str, &str)] = &[
    ("CREATE_ISSUES", "tickets are made"),
    ("ADD_COMMENTS", "lines of the timeline are added"),
    ("EDIT_ISSUES", "the description follows the record"),
    ("TRANSITION_ISSUES", "tickets are closed"),
    ("LINK_ISSUES", "follow-ups are tied to the incident's ticket"),
];
/// Fields that every ticket of ours has.
const OURS: &[&str] = &["project", "issuetype", "summary", "description", "labels", "priority", "reporter"];

impl Jira {
    /// All findings.
    pub(super) async fn examined(&self, wanted: &Wanted<'_>) -> Vec<Finding> {
        let edition = match self.edition().await {
            Ok(edition) => edition,
            Err(failure) => return vec![Finding::wrong(JIRA, &failure.reason)],
        };
        let mut findings = Vec::new();
        let who: Result<Myself, _> = self.get(api(edition).then("myself", &[]), &[]).await;
        let signed_in = who.is_ok();
        findings.push(match who {
            Ok(who) => Finding::fine("jira: signed in", &who.display_name),
            Err(failure) => Finding::wrong("jira: signed in", &failure.reason),
        });
        let Some(Place::One(key)) = wanted.reach.place(JIRA) else {
            findings.push(Finding::doubtful("jira: project", "none is named: set `key` in [jira-project]"));
            return findings;
        };
        let what = format!("jira: project {key}");
        if !signed_in {
            findings.push(Finding::untried(&what, "not signed in"));
            return findings;
        }
        let kinds = match self.kinds(edition, key).await {
            Ok(kinds) => kinds,
            Err(failure) => {
                findings.push(Finding::wrong(&what, &format!("{}: check `key` in [jira-project]", failure.reason)));
                return findings;
            }
        };
        findings.push(self.of_project(edition, &format!("{what}: readers"), key).await);
        findings.extend(self.of_permissions(edition, &what, key).await);
        for kind in BTreeSet::from([&self.types.incident, &self.types.backlog, &self.types.follow_up]) {
            findings.extend(self.of_kind(edition, &what, key, kind, &kinds).await);
        }
        findings
    }

    /// What doctor says of a project's kind.
    async fn of_project(&self, edition: Edition, what: &str, key: &str) -> Finding {
        let known: Result<Project, _> = self.get(api(edition).then("project/{}", &[key]), &[]).await;
        match known {
            Ok(project) if project.has_customers() => Finding::doubtful(
                what,
                "a service project: comments go in as internal ones; customers do not read those in the portal, but the \
                 summary and the description of a ticket are read by whoever is its reporter",
            ),
            Ok(project) => Finding::fine(what, &project.name),
            Err(failure) => Finding::wrong(what, &format!("{}: which kind it is is not known", failure.reason)),
        }
    }

    /// What may not be done there.
    async fn of_permissions(&self, edition: Edition, what: &str, key: &str) -> Vec<Finding> {
        let what = format!("{what}: permissions");
        let names: Vec<&str> = PERMISSIONS.iter().map(|(name, _)| *name).collect();
        let query = [("projectKey", key), ("permissions", &names.join(","))];
        let has: Permissions = match self.get(api(edition).then("mypermissions", &[]), &query).await {
            Ok(has) => has,
            Err(failure) if failure.trouble == Trouble::Status(404) => {
                return vec![Finding::untried(&what, "this Jira does not say what may be done")];
            }
            Err(failure) => return vec![Finding::wrong(&what, &failure.reason)],
        };
        let lacks = PERMISSIONS.iter().filter(|(name, _)| !has.has(name));
        let mut findings: Vec<_> = lacks
            .map(|(name, what_for)| {
                Finding::wrong(&what, &format!("{name} lacks, with which {what_for}: ask who administers the project"))
            })
            .collect();
        if findings.is_empty() {
            findings.push(Finding::fine(&what, ""));
        }
        findings
    }

    /// Whether a type is there, and which fields a ticket of it wants that nobody fills in.
    async fn of_kind(&self, edition: Edition, what: &str, key: &str, kind: &CleanStr, kinds: &[Kind]) -> Vec<Finding> {
        let what = format!("{what}: type {kind}");
        let named = |name: &str| kinds.iter().find(|one| one.name.eq_ignore_ascii_case(name));
        let (found, finding) = match (named(kind), named(PLAIN_TYPE)) {
            (Some(found), _) => (found, Finding::fine(&what, "")),
            (None, Some(plain)) => {
                (plain, Finding::doubtful(&what, "the project has none: a Task with a label takes its place"))
            }
            (None, None) => {
                let names: Vec<&str> = kinds.iter().map(|one| one.name.as_str()).collect();
                return vec![Finding::wrong(&what, &format!("the project has {}", names.join(", ")))];
            }
        };
        let fields = match self.described(edition, key, found).await {
            Ok(fields) => fields,
            Err(failure) if failure.trouble == Trouble::Status(404) => {
                let why = "this Jira does not say which fields it wants";
                return vec![finding, Finding::untried(&format!("{what}: fields"), why)];
            }
            Err(failure) => return vec![finding, Finding::wrong(&format!("{what}: fields"), &failure.reason)],
        };
        let wanted = fields.iter().filter_map(|field| self.of_field(&what, field));
        std::iter::once(finding).chain(wanted).collect()
    }

    /// What is to be said of a field, where nothing sets it and the ticket wants it.
    fn of_field(&self, what: &str, field: &Described) -> Option<Finding> {
        let (name, id) = (&field.name, field.id());
        let what = format!("{what}: field {name}");
        let has_values = !field.values().is_empty();
        match self.fields.get(id) {
            Some(value) if question_in(value).is_some() && !has_values => {
                let why = "it cannot be asked, because Jira has no list of values for it: write one";
                Some(Finding::wrong(&what, why))
            }
            Some(_) => None,
            None if !field.required || field.has_default_value || OURS.contains(&id) => None,
            None if has_values => {
                let why = format!(
                    "a ticket wants {name}, and each incident asks a person: set `{id}` in [jira-project.fields]"
                );
                Some(Finding::doubtful(&what, &why))
            }
            None => {
                let why = format!("a ticket wants {name}: set `{id}` in [jira-project.fields]");
                Some(Finding::wrong(&what, &why))
            }
        }
    }

    /// The fields that a ticket of a kind can have.
    pub(super) async fn described(&self, edition: Edition, key: &str, kind: &Kind) -> Result<Vec<Described>, Failure> {
        let path = api(edition).then("issue/createmeta/{}/issuetypes/{}", &[key, &kind.id]);
        let mut all = Vec::new();
        for _ in 0..MOST_PAGES {
            let at = all.len().to_string();
            let page: FieldList = self.get(path.clone(), &[("startAt", &at), ("maxResults", "50")]).await?;
            let is_last = page.fields.is_empty();
            all.extend(page.fields);
            if is_last || page.total.is_none_or(|total| all.len() >= total) {
                break;
            }
        }
        Ok(all)
    }
}
