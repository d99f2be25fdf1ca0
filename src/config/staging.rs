//! The staging environment in which drills are played in earnest.
//!
//! Hides how two addresses are held against each other.
//!
//! Invariant: a staging that was read has a Prometheus and something by which that is known to be staging.

use serde::Deserialize;

use super::partial::{BaseUrl, EndpointPartial};
use super::{Config, ConfigError, Endpoint, Layer, Places, endpoint, layers};
use crate::playbook::Aliases;
use crate::text::CleanStr;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct StagingPartial {
    prometheus: EndpointPartial,
    alertmanager: EndpointPartial,
    jaeger: EndpointPartial,
    label: Option<CleanStr>,
    build_info: Option<CleanStr>,
    production: Vec<BaseUrl>,
    commands: Aliases,
}

/// Where drills are played in earnest, and by what it is known to be no production.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Staging {
    /// Its Prometheus.
    pub prometheus: Endpoint,
    /// Its Alertmanager, if there is one.
    pub alertmanager: Option<Endpoint>,
    /// Its Jaeger, if there is one.
    pub jaeger: Option<Endpoint>,
    /// The label, and its value, that every target of its Prometheus has.
    pub label: Option<(CleanStr, CleanStr)>,
    /// A series that its Prometheus has: `payments_build_info{env="staging"}`.
    pub build_info: Option<CleanStr>,
    /// Addresses of production: nothing at or below them is ever staging.
    pub production: Vec<BaseUrl>,
    /// How the programs of exercises are called there.
    pub commands: Aliases,
}

impl Staging {
    /// Its systems, by the names of their sections.
    pub fn endpoints(&self) -> impl Iterator<Item = (&'static str, &Endpoint)> {
        let all = [
            ("staging.prometheus", Some(&self.prometheus)),
            ("staging.alertmanager", self.alertmanager.as_ref()),
            ("staging.jaeger", self.jaeger.as_ref()),
        ];
        all.into_iter().filter_map(|(name, endpoint)| Some((name, endpoint?)))
    }

    /// Why it is production, if one of its addresses stands on a list of those.
    pub fn is_production(&self, config: &Config) -> Option<String> {
        let named = self.production.iter().map(|url| (url, "on the list `production` of [staging]"));
        let read = [
            (&config.prometheus, "[prometheus]"),
            (&config.alertmanager, "[alertmanager]"),
            (&config.jaeger, "[jaeger]"),
        ];
        let read = read.into_iter().filter_map(|(endpoint, name)| Some((&endpoint.as_ref()?.url, name)));
        let known: Vec<_> = named.chain(read).collect();
        self.endpoints().find_map(|(_, endpoint)| {
            let (_, name) = known.iter().find(|(production, _)| is_below(&endpoint.url, production))?;
            Some(format!("{} is no staging: it is {name}", endpoint.url))
        })
    }
}

/// Whether an address lies at or below another one of the same host and port.
fn is_below(one: &BaseUrl, other: &BaseUrl) -> bool {
    let place = |url: &BaseUrl| {
        let url = url.url();
        let host = url.host_str().unwrap_or_default().trim_end_matches('.').to_ascii_lowercase();
        let ip = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().map(|ip| ip.to_canonical());
        let is_here = ip.is_ok_and(|ip| ip.is_loopback() || ip.is_unspecified());
        (if is_here { "localhost".to_owned() } else { host }, url.port_or_known_default())
    };
    let path = |url: &BaseUrl| {
        let parts = url.url().path().split('/').filter(|part| !part.is_empty());
        parts.fold("/".to_owned(), |path, part| path + part + "/")
    };
    place(one) == place(other) && path(one).starts_with(&path(other))
}

pub(super) fn staging(said: StagingPartial, layers: &[Layer], places: &Places) -> Result<Option<Staging>, ConfigError> {
    let wrong = |key: &str, message: &str| {
        let key = format!("staging.{key}");
        Err(ConfigError(format!("{}: `{key}`: {message}", layers::origin(layers, &key))))
    };
    let is_said = said.label.is_some()
        || said.build_info.is_some()
        || !said.production.is_empty()
        || !said.commands.is_empty()
        || said.alertmanager.url.is_some()
        || said.jaeger.url.is_some();
    let alertmanager = endpoint("staging.alertmanager", said.alertmanager, layers, places)?;
    let jaeger = endpoint("staging.jaeger", said.jaeger, layers, places)?;
    let Some(prometheus) = endpoint("staging.prometheus", said.prometheus, layers, places)? else {
        let message = "is missing: set `url` in [staging.prometheus]";
        return if is_said { wrong("prometheus.url", message) } else { Ok(None) };
    };
    let label = match said.label.as_ref().map(|label| label.split_once('=')) {
        None => None,
        Some(Some((name, value))) if is_label(name) && is_value(value) => {
            Some((CleanStr::new(name), CleanStr::new(value)))
        }
        Some(_) => return wrong("label", "is no label: write one such as environment=staging"),
    };
    let build_info = said.build_info.filter(|selector| !selector.is_blank());
    if label.is_none() && build_info.is_none() {
        let message =
            "is missing: by which label of all its targets, or by which `build-info`, is this known to be staging?";
        return wrong("label", message);
    }
    let Some(commands) = Some(said.commands).filter(|all| all.values().all(|words| !words.is_empty())) else {
        return wrong(
            "commands",
            "names a program without words: write kubectl = [\"kubectl\", \"--context\", \"staging\"]",
        );
    };
    Ok(Some(Staging { prometheus, alertmanager, jaeger, label, build_info, production: said.production, commands }))
}

fn is_label(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.chars().all(|each| each.is_ascii_alphanumeric() || each == '_')
}

fn is_value(value: &str) -> bool {
    !value.is_empty() && !value.contains(['"', '\\', '\n'])
}
