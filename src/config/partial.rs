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
use serde::de::{Error as _, IntoDeserializer as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::people::{Argv, BellPartial, ChangesPartial, Deadline, EscalationPartial, OncallPartial, PersonPartial};
use super::sections::{Name, Of, REHEARSAL, further};
use super::staging::StagingPartial;
use super::{Colours, Letters, Sharing};
use crate::channel::spec::spec;
use crate::channel::{CHANNELS, SystemSettings};
use crate::incident::Severity;
use crate::playbook::Aliases;
use crate::text::duration::Lapse;
use crate::text::{CleanStr, fit};

/// Defines [`Partial`]: a field for each section of the program itself; those of the systems that are written to come
/// from [`CHANNELS`].
macro_rules! sections {
    ($($name:literal $field:ident: $type:ty,)*) => {
        /// A layer.
        #[derive(Clone, Debug, Default)]
        pub(super) struct Partial {
            $(pub(super) $field: $type,)*
            /// How systems that are written to are reached.
            pub(super) endpoints: BTreeMap<&'static str, EndpointPartial>,
            /// What is said of them besides.
            pub(super) settings: SystemSettings,
        }

        /// The sections of the program itself.
        const SECTIONS: &[&str] = &[$($name),*];

        impl Partial {
            /// Takes a section of the program itself; says whether it is one.
            fn take<'de, A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<bool, A::Error> {
                match name {
                    $($name => self.$field = map.next_value()?,)*
                    _ => return Ok(false),
                }
                Ok(true)
            }
        }
    };
}

sections! {
    "zone" zone: Option<Zone>,
    "me" me: Me,
    "journal" journal: JournalPartial,
    "prometheus" prometheus: EndpointPartial,
    "alertmanager" alertmanager: EndpointPartial,
    "jaeger" jaeger: EndpointPartial,
    "alerts" alerts: AlertsPartial,
    "screen" screen: ScreenPartial,
    "cadence" cadence: CadencePartial,
    "playbooks" playbooks: PlaybooksPartial,
    "oncall" oncall: OncallPartial,
    "people" people: Option<Vec<PersonPartial>>,
    "escalation" escalation: EscalationPartial,
    "bell" bell: BellPartial,
    "changes" changes: ChangesPartial,
    "commands" commands: Aliases,
    "staging" staging: StagingPartial,
}

impl<'de> Deserialize<'de> for Partial {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        struct Whole;
        impl<'de> Visitor<'de> for Whole {
            type Value = Partial;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("sections")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Partial, A::Error> {
                let mut partial = Partial::default();
                let of_systems = CHANNELS
                    .iter()
                    .flat_map(|spec| std::iter::once(spec.name).chain(spec.sections.iter().map(|one| one.name)));
                let known: Vec<_> = SECTIONS.iter().copied().chain(of_systems).chain([REHEARSAL.name]).collect();
                while let Some(name) = map.next_key_seed(Name(&known))? {
                    if partial.take(name, &mut map)? {
                        continue;
                    }
                    if let Some(spec) = spec(name) {
                        partial.endpoints.insert(spec.name, map.next_value()?);
                    } else if let Some(section) = further(name) {
                        map.next_value_seed(Of { section, into: &mut partial.settings })?;
                    }
                }
                Ok(partial)
            }
        }
        input.deserialize_map(Whole)
    }
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
