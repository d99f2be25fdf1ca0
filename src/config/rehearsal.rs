//! Where an incident is rehearsed: a test channel, a test project, a page that nobody reads.
//!
//! Hides nothing.
//!
//! Invariant: without a word here nothing is rehearsed anywhere.

use serde::Deserialize;

use super::partial::Id;
use crate::text::CleanStr;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct RehearsalPartial {
    slack: Option<Id>,
    slack_rooms: Option<bool>,
    statuspage: Option<Id>,
    statuspage_component: Option<Id>,
    pagerduty: Option<Id>,
    opsgenie: Option<CleanStr>,
    jira: Option<Id>,
    teams: Option<bool>,
    alertmanager: Option<bool>,
    grafana: Option<bool>,
    webhook: Option<bool>,
}

/// The places for `doctor --rehearse`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rehearsal {
    /// A channel of Slack.
    pub slack: Option<CleanStr>,
    /// Channels of incidents are opened, and archived.
    pub has_rooms: bool,
    /// A page of Statuspage.
    pub statuspage: Option<CleanStr>,
    /// A component of that page.
    pub component: Option<CleanStr>,
    /// A service of PagerDuty.
    pub pagerduty: Option<CleanStr>,
    /// A team of Opsgenie.
    pub opsgenie: Option<CleanStr>,
    /// A project of Jira.
    pub jira: Option<CleanStr>,
    /// The systems that have no places of their own, and are written to all the same.
    pub whole: Vec<&'static str>,
}

impl From<RehearsalPartial> for Rehearsal {
    fn from(said: RehearsalPartial) -> Self {
        let id = |said: Option<Id>| said.map(|id| id.0);
        let whole = [
            (crate::reach::TEAMS, said.teams),
            (crate::reach::ALERTMANAGER, said.alertmanager),
            (crate::reach::GRAFANA, said.grafana),
            (crate::reach::WEBHOOK, said.webhook),
        ];
        Self {
            slack: id(said.slack),
            has_rooms: said.slack_rooms.unwrap_or(false),
            statuspage: id(said.statuspage),
            component: id(said.statuspage_component),
            pagerduty: id(said.pagerduty),
            opsgenie: said.opsgenie,
            jira: id(said.jira),
            whole: whole.into_iter().filter(|(_, is_on)| is_on.unwrap_or(false)).map(|(name, _)| name).collect(),
        }
    }
}
