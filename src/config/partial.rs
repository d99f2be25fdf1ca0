//! One layer of configuration: every key may be absent, no other key may be there.
//!
//! Hides the rules for single values; they are part of the types, so that a refusal has the value's position.
//!
//! Invariant: a value that was read is one that can be used.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use chrono::TimeDelta;
use serde::de::{Error as _, IntoDeserializer as _};
use serde::{Deserialize, Deserializer};

use super::people::{Argv, BellPartial, ChangesPartial, Deadline, EscalationPartial, OncallPartial, PersonPartial};
use super::rehearsal::RehearsalPartial;
use super::staging::StagingPartial;
use super::{Colours, Letters, Sharing};
use crate::incident::{FACTS, ServiceId, Severity};
use crate::playbook::Aliases;
use crate::text::duration::Lapse;
use crate::text::{CleanStr, fit};

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct Partial {
    pub(super) zone: Option<Zone>,
    pub(super) me: Me,
    pub(super) journal: JournalPartial,
    pub(super) prometheus: EndpointPartial,
    pub(super) alertmanager: EndpointPartial,
    pub(super) jaeger: EndpointPartial,
    pub(super) alerts: AlertsPartial,
    pub(super) slack: EndpointPartial,
    pub(super) slack_channels: SlackChannelsPartial,
    pub(super) pagerduty: EndpointPartial,
    pub(super) pagerduty_services: BTreeMap<ServiceId, Id>,
    pub(super) pagerduty_options: PagerdutyPartial,
    pub(super) pagerduty_priorities: PrioritiesPartial,
    pub(super) pagerduty_events: EndpointPartial,
    pub(super) statuspage: EndpointPartial,
    pub(super) statuspage_pages: StatuspagePagesPartial,
    pub(super) external_components: BTreeMap<ServiceId, Id>,
    pub(super) internal_components: BTreeMap<ServiceId, Id>,
    pub(super) jira: EndpointPartial,
    pub(super) jira_project: JiraProjectPartial,
    pub(super) grafana: EndpointPartial,
    pub(super) webhook: EndpointPartial,
    pub(super) opsgenie: EndpointPartial,
    pub(super) opsgenie_teams: BTreeMap<ServiceId, CleanStr>,
    pub(super) teams: EndpointPartial,
    pub(super) teams_channels: TeamsChannelsPartial,
    pub(super) screen: ScreenPartial,
    pub(super) cadence: CadencePartial,
    pub(super) playbooks: PlaybooksPartial,
    pub(super) oncall: OncallPartial,
    pub(super) people: Option<Vec<PersonPartial>>,
    pub(super) escalation: EscalationPartial,
    pub(super) bell: BellPartial,
    pub(super) changes: ChangesPartial,
    pub(super) commands: Aliases,
    pub(super) staging: StagingPartial,
    pub(super) rehearsal: RehearsalPartial,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct Me {
    #[serde(deserialize_with = "said")]
    pub(super) name: Option<CleanStr>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct JournalPartial {
    pub(super) dir: Option<PathBuf>,
    pub(super) sharing: Option<Sharing>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct EndpointPartial {
    pub(super) url: Option<BaseUrl>,
    pub(super) every: Option<Polling>,
    pub(super) bearer_file: Option<PathBuf>,
    pub(super) bearer_env: Option<String>,
    pub(super) bearer_command: Option<Argv>,
    pub(super) basic_user: Option<String>,
    pub(super) basic_password_file: Option<PathBuf>,
    pub(super) basic_password_env: Option<String>,
    pub(super) basic_password_command: Option<Argv>,
    pub(super) ca_file: Option<PathBuf>,
    pub(super) client_cert_file: Option<PathBuf>,
    pub(super) client_key_file: Option<PathBuf>,
    pub(super) also: Option<Vec<BaseUrl>>,
    pub(super) headers: Option<BTreeMap<String, String>>,
    pub(super) allow_plain_http: Option<bool>,
    pub(super) proxy: Option<ProxySaid>,
    pub(super) proxy_user: Option<String>,
    pub(super) proxy_password_file: Option<PathBuf>,
    pub(super) proxy_password_env: Option<String>,
    pub(super) proxy_password_command: Option<Argv>,
}

/// How alerts are read here.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct AlertsPartial {
    pub(super) severities: Option<BTreeMap<CleanStr, Level>>,
    pub(super) ignore: Option<Vec<CleanStr>>,
    pub(super) expected: Option<Vec<CleanStr>>,
    pub(super) service_labels: Option<Vec<CleanStr>>,
    pub(super) services: Option<BTreeMap<CleanStr, CleanStr>>,
}

/// What a word of a severity label means: a severity, or that it is no alarm.
#[derive(Clone, Copy, Debug)]
pub(super) struct Level(pub(super) Option<Severity>);

impl<'de> Deserialize<'de> for Level {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let text = String::deserialize(input)?;
        if text == "none" {
            return Ok(Self(None));
        }
        let level = text.parse().map_err(|why| D::Error::custom(format!("{why}, or none for what is no alarm")))?;
        Ok(Self(Some(level)))
    }
}

/// Which channels of Slack get which texts.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct SlackChannelsPartial {
    pub(super) incident: Option<SlackChannel>,
    pub(super) status: Option<SlackChannel>,
    /// Incidents have channels of their own, whose names begin so.
    #[serde(deserialize_with = "said")]
    pub(super) prefix: Option<CleanStr>,
    pub(super) private: Option<bool>,
    /// Which workspace they are in, where the token is an organisation's.
    pub(super) workspace: Option<Id>,
}

/// Which of the runbook's channels the workflow of Teams posts to.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct TeamsChannelsPartial {
    pub(super) incident: Option<bool>,
    pub(super) status: Option<bool>,
}

/// What else PagerDuty does.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct PagerdutyPartial {
    pub(super) status_updates: Option<bool>,
    pub(super) stands_in: Option<CleanStr>,
    pub(super) change_events: Option<bool>,
}

/// What PagerDuty's account calls its priorities, by severity.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct PrioritiesPartial {
    #[serde(deserialize_with = "said")]
    pub(super) sev0: Option<CleanStr>,
    #[serde(deserialize_with = "said")]
    pub(super) sev1: Option<CleanStr>,
    #[serde(deserialize_with = "said")]
    pub(super) sev2: Option<CleanStr>,
    #[serde(deserialize_with = "said")]
    pub(super) sev3: Option<CleanStr>,
}

impl PrioritiesPartial {
    /// Those that have a name.
    pub(super) fn named(&self) -> impl Iterator<Item = (Severity, &CleanStr)> {
        let all = [&self.sev0, &self.sev1, &self.sev2, &self.sev3];
        Severity::ALL.into_iter().zip(all).filter_map(|(severity, name)| Some((severity, name.as_ref()?)))
    }
}

/// Which pages of Statuspage are which.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct StatuspagePagesPartial {
    pub(super) internal: Option<Id>,
    pub(super) external: Option<Id>,
    pub(super) notify_subscribers: Option<bool>,
}

/// Where tickets of incidents belong.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct JiraProjectPartial {
    pub(super) key: Option<Id>,
    #[serde(rename = "type", deserialize_with = "said")]
    pub(super) kind: Option<CleanStr>,
    #[serde(deserialize_with = "said")]
    pub(super) backlog_type: Option<CleanStr>,
    #[serde(deserialize_with = "said")]
    pub(super) follow_up_type: Option<CleanStr>,
    #[serde(deserialize_with = "said")]
    pub(super) done_status: Option<CleanStr>,
    #[serde(deserialize_with = "said")]
    pub(super) dropped_status: Option<CleanStr>,
    #[serde(deserialize_with = "said")]
    pub(super) done_resolution: Option<CleanStr>,
    #[serde(deserialize_with = "said")]
    pub(super) dropped_resolution: Option<CleanStr>,
    #[serde(deserialize_with = "said")]
    pub(super) link_type: Option<CleanStr>,
    #[serde(deserialize_with = "with_facts")]
    pub(super) fields: BTreeMap<String, serde_json::Value>,
}

/// Values of fields, in which only facts that there are stand between braces.
fn with_facts<'de, D: Deserializer<'de>>(input: D) -> Result<BTreeMap<String, serde_json::Value>, D::Error> {
    fn check(value: &serde_json::Value) -> Result<(), String> {
        match value {
            serde_json::Value::String(text) => {
                for name in text.split("{{").skip(1).map(|rest| rest.split("}}").next().unwrap_or_default().trim()) {
                    if !FACTS.contains(&name) {
                        let known = FACTS.join(", ");
                        return Err(format!(
                            "`{{{{{}}}}}` is no fact of an incident: there are {known}",
                            fit(name, 40)
                        ));
                    }
                }
                Ok(())
            }
            serde_json::Value::Array(all) => all.iter().try_for_each(check),
            serde_json::Value::Object(fields) => fields.values().try_for_each(check),
            serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => Ok(()),
        }
    }
    let fields = BTreeMap::deserialize(input)?;
    fields.values().try_for_each(check).map_err(serde::de::Error::custom)?;
    Ok(fields)
}

/// What a system calls something: letters, digits, `-` and `_`, so that it can stand in an address.
#[derive(Clone, Debug)]
pub(super) struct Id(pub(super) CleanStr);

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let id = CleanStr::deserialize(input)?;
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
        if id.is_empty() || id.len() > 64 || !id.chars().all(is_plain) {
            let shown = fit(&id, 40);
            return Err(D::Error::custom(format!("`{shown}` is no ID: it is made of letters, digits, - and _")));
        }
        Ok(Self(id))
    }
}

/// The ID of a channel; names may change, and most of Slack's methods want the ID.
#[derive(Clone, Debug)]
pub(super) struct SlackChannel(pub(super) CleanStr);

impl<'de> Deserialize<'de> for SlackChannel {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let id = CleanStr::deserialize(input)?;
        let is_id = id.len() >= 9
            && id.starts_with(['C', 'G'])
            && id.chars().all(|letter| letter.is_ascii_uppercase() || letter.is_ascii_digit());
        if !is_id {
            let shown = fit(&id, 40);
            let message = format!(
                "`{shown}` is no channel's ID: it begins with C, and stands at the end of the channel's details in Slack"
            );
            return Err(D::Error::custom(message));
        }
        Ok(Self(id))
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct ScreenPartial {
    #[serde(deserialize_with = "said")]
    pub(super) theme: Option<CleanStr>,
    pub(super) colours: Option<Colours>,
    pub(super) unicode: Option<Letters>,
    pub(super) mouse: Option<bool>,
    pub(super) bytes_per_second: Option<Speed>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct CadencePartial {
    pub(super) acknowledge: Option<Pause>,
    pub(super) update: Option<Pause>,
    pub(super) external: Option<Pause>,
    pub(super) external_again: Option<Pause>,
    pub(super) resolve: Option<Pause>,
    pub(super) approval_wait: Option<Deadline>,
    pub(super) snooze_cap: Option<Deadline>,
    pub(super) proof_minutes: Option<Deadline>,
    pub(super) postmortem: Option<Deadline>,
    pub(super) objections: Option<Deadline>,
    pub(super) adviser: Option<Deadline>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct PlaybooksPartial {
    pub(super) dirs: Option<Vec<PathBuf>>,
    pub(super) env: Vec<CleanStr>,
    pub(super) runbooks: Option<Vec<PathBuf>>,
    #[serde(deserialize_with = "said")]
    pub(super) variant: Option<CleanStr>,
}

pub(super) fn said<'de, D: Deserializer<'de>>(input: D) -> Result<Option<CleanStr>, D::Error> {
    let text = CleanStr::deserialize(input)?;
    if text.trim().is_empty() {
        return Err(D::Error::custom("is empty: write a name, or leave the key out"));
    }
    Ok(Some(text))
}

/// A length of time of at least a minute: the clocks of the runbook.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pause(pub(super) TimeDelta);

impl<'de> Deserialize<'de> for Pause {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let lapse = Lapse::deserialize(input)?;
        if *lapse < TimeDelta::minutes(1) || *lapse > TimeDelta::days(1) {
            return Err(D::Error::custom(format!("{lapse} is out of range: write 1m to 1d")));
        }
        Ok(Self(lapse.into()))
    }
}

/// The pause between two polls of a server.
#[derive(Clone, Copy, Debug)]
pub(super) struct Polling(pub(super) TimeDelta);

impl<'de> Deserialize<'de> for Polling {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let lapse = Lapse::deserialize(input)?;
        if *lapse < TimeDelta::seconds(1) || *lapse > TimeDelta::hours(1) {
            return Err(D::Error::custom(format!("{lapse} is out of range: write 1s to 1h")));
        }
        Ok(Self(lapse.into()))
    }
}

/// What a line to a terminal carries.
#[derive(Clone, Copy, Debug)]
pub(super) struct Speed(pub(super) u32);

impl<'de> Deserialize<'de> for Speed {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let speed = u32::deserialize(input)?;
        if speed < 300 {
            return Err(D::Error::custom(format!("{speed} is out of range: write 300 or more bytes per second")));
        }
        Ok(Self(speed))
    }
}

/// A time zone by its IANA name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Zone(pub chrono_tz::Tz);

impl Default for Zone {
    fn default() -> Self {
        Self(chrono_tz::UTC)
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.0.name())
    }
}

impl<'de> Deserialize<'de> for Zone {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(input)?;
        text.parse().map(Self).map_err(|_| {
            let message =
                format!("`{}` is no time zone: write an IANA name, such as Europe/Berlin or UTC", fit(&text, 40));
            D::Error::custom(message)
        })
    }
}

/// The word for no proxy.
const DIRECT: &str = "none";

/// The way that a section asks for: the direct one, or through a proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProxySaid {
    /// Past the environment's proxies.
    Direct,
    /// Through this one.
    Through(BaseUrl),
}

impl fmt::Display for ProxySaid {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Direct => out.pad(DIRECT),
            Self::Through(url) => url.fmt(out),
        }
    }
}

impl<'de> Deserialize<'de> for ProxySaid {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let text = String::deserialize(input)?;
        if text == DIRECT {
            return Ok(Self::Direct);
        }
        let url = reqwest::Url::parse(&text).ok();
        if url.is_some_and(|url| !url.username().is_empty() || url.password().is_some()) {
            return Err(D::Error::custom(
                "holds credentials: set `proxy-user` with `proxy-password-file`, `-env` or `-command`",
            ));
        }
        BaseUrl::deserialize(text.into_deserializer())
            .map(Self::Through)
            .map_err(|why: D::Error| D::Error::custom(format!("{why} (`{DIRECT}` is the direct way)")))
    }
}

/// The address of a server, without credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl(reqwest::Url);

impl BaseUrl {
    /// The address.
    pub fn url(&self) -> &reqwest::Url {
        &self.0
    }

    /// Whether what is said to it stays private: https, or this machine.
    pub fn is_safe(&self) -> bool {
        let host = self.0.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let is_here =
            host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
        self.0.scheme() == "https" || is_here
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.0.as_str())
    }
}

impl<'de> Deserialize<'de> for BaseUrl {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(input)?;
        let Ok(url) = reqwest::Url::parse(&text) else {
            return Err(D::Error::custom(
                "is no address: write one such as http://localhost:9090 or https://host/prefix",
            ));
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(D::Error::custom(
                "holds credentials: put them into a file or a variable (`basic-user` and others)",
            ));
        }
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
            return Err(D::Error::custom(
                "is no address that can be read: it begins with http:// or https:// and a host",
            ));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(D::Error::custom("ends with a query or a fragment: write the address up to the path prefix"));
        }
        Ok(Self(url))
    }
}
