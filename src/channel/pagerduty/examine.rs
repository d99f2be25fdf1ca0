//! What doctor asks of PagerDuty: the key, the services and whether they page somebody, and the people who act and are paged.
//!
//! Hides that a service can be there and page nobody.
//!
//! Invariant: nothing is changed there.

use std::collections::BTreeMap;

use super::answers::{Abilities, OnCall, OnCalls, OneService};
use super::{AT_ONCE, PagerDuty};
use crate::channel::Wanted;
use crate::checkup::Finding;
use crate::incident::Severity;
use crate::oncall::Person;
use crate::reach::{PAGERDUTY, PAGERDUTY_EVENTS, Place};
use crate::source::below::Below;

impl PagerDuty {
    /// All findings.
    pub(super) async fn examined(&self, wanted: &Wanted<'_>) -> Vec<Finding> {
        let abilities: Result<Abilities, _> = self.get("abilities", &[]).await;
        if let Err(failure) = abilities {
            return vec![Finding::wrong(PAGERDUTY, &failure.reason)];
        }
        let mut findings = vec![Finding::fine("pagerduty: key", "")];
        if wanted.reach.place(PAGERDUTY_EVENTS).is_some() && wanted.reach.place(PAGERDUTY).is_some() {
            let why = "[pagerduty] and [pagerduty-events] are both set: where they lead to one service, people are paged twice";
            findings.push(Finding::doubtful("pagerduty: twice", why));
        }
        findings.extend(self.of_priorities().await);
        // The services of each escalation policy.
        let mut policies: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for name in wanted.services {
            let what = format!("pagerduty: service of {name}");
            let id = match wanted.reach.place(PAGERDUTY) {
                Some(Place::Of(places)) => places.get(name),
                _ => None,
            };
            let Some(id) = id else {
                let why = "none is named in [pagerduty-services]: nobody is paged for it";
                findings.push(Finding::doubtful(&what, why));
                continue;
            };
            let service = match self.get::<OneService>(Below::of("services/{}", &[id]), &[]).await {
                Ok(known) => known.service,
                Err(failure) => {
                    findings.push(Finding::wrong(&what, &format!("{}: correct [pagerduty-services]", failure.reason)));
                    continue;
                }
            };
            findings.push(match service.status.as_str() {
                "disabled" => Finding::wrong(&what, &format!("{} is disabled there: nobody is paged", service.summary)),
                "maintenance" => {
                    let why = format!("{} is in maintenance there: nobody is paged until that ends", service.summary);
                    Finding::doubtful(&what, &why)
                }
                _ => Finding::fine(&what, &service.summary),
            });
            if let Some(policy) = service.escalation_policy {
                policies.entry(policy.id).or_default().push(name);
            }
        }
        let people =
            wanted.reach.people.iter().filter_map(|person| Some((person.email.as_ref()?, person.name.as_str())));
        let stands_in = wanted.reach.stands_in.iter().map(|mail| (mail, "stands in for who has no address"));
        for (mail, name) in people.chain(stands_in) {
            let what = format!("pagerduty: user {mail}");
            findings.push(match self.user(mail).await {
                Ok(Some(_)) => Finding::fine(&what, name),
                Ok(None) => {
                    Finding::doubtful(&what, "nobody there has this address: they can neither act nor be paged")
                }
                Err(failure) => Finding::wrong(&what, &failure.reason),
            });
        }
        for (policy, services) in &policies {
            findings.push(self.of_policy(policy, services, wanted.on_call).await);
        }
        findings
    }

    /// Whether the first level of an escalation policy is somebody, and who the rotation says.
    async fn of_policy(&self, policy: &str, services: &[&str], person: Option<&Person>) -> Finding {
        let what = format!("pagerduty: on call of policy {policy}");
        let query = [("escalation_policy_ids[]", policy), ("include[]", "users"), ("limit", AT_ONCE)];
        let on_call: OnCalls = match self.get("oncalls", &query).await {
            Ok(on_call) => on_call,
            Err(failure) => return Finding::wrong(&what, &failure.reason),
        };
        let first: Vec<&OnCall> = on_call.oncalls.iter().filter(|one| one.escalation_level == 1).collect();
        let names: Vec<&str> = first.iter().map(|one| one.user.summary.as_str()).collect();
        if first.is_empty() {
            let why = format!(
                "nobody is on call at its first level now: an incident of {} pages nobody at once",
                services.join(", ")
            );
            return Finding::wrong(&what, &why);
        }
        let Some(person) = person else { return Finding::fine(&what, &names.join(", ")) };
        let mail = person.email.as_deref().unwrap_or_default();
        let is_same = |one: &&OnCall| one.user.email.eq_ignore_ascii_case(mail) || one.user.summary == *person.name;
        match first.into_iter().find(is_same) {
            Some(_) => Finding::fine(&what, &person.name),
            None => {
                let why = format!("PagerDuty says {}, [oncall] says {}: correct one", names.join(", "), person.name);
                Finding::doubtful(&what, &why)
            }
        }
    }

    /// Whether every severity has a priority that the account knows.
    async fn of_priorities(&self) -> Vec<Finding> {
        let what = "pagerduty: priorities";
        let mut findings = Vec::new();
        for severity in Severity::ALL {
            match self.priority(severity).await {
                Ok(Some(_)) => {}
                Ok(None) => match self.priorities.get(&severity) {
                    Some(name) => {
                        let why = format!("the account has no `{name}`: correct {severity} in [pagerduty-priorities]");
                        findings.push(Finding::wrong(what, &why));
                    }
                    None => {
                        let why = format!("none is called {severity}: name yours in [pagerduty-priorities]");
                        findings.push(Finding::doubtful(what, &why));
                    }
                },
                Err(failure) => return vec![Finding::wrong(what, &failure.reason)],
            }
        }
        if findings.is_empty() {
            findings.push(Finding::fine(what, ""));
        }
        findings
    }
}
