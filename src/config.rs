//! Configuration: built-in values, files, environment and flags, layered in this order.
//!
//! Hides where a value came from until somebody asks ([`Loaded::show`]). Each layer is checked by itself before it is laid over the others, so that a
//! mistake is named where it was made: file, line, column and key, or the variable, or the flag.
//!
//! Invariant: no secret is ever part of it, only the names of files and variables that hold one; loading reads at most three small files and no folder.

pub mod files;
mod include;
mod layers;
mod opens;
mod partial;
mod people;
mod rehearsal;
mod sections;
mod show;
mod sift;
mod staging;
mod written;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use chrono::TimeDelta;
use serde::Deserialize;

use crate::alert::Rules;
use crate::channel::SystemSettings;
use crate::escalation::Matrix;
use crate::incident::Cadence;
use crate::oncall::{Person, Rotation};
use crate::reach::Reach;
use crate::text::CleanStr;
use layers::Layer;
pub use partial::{BaseUrl, ProxySaid, Zone};
use partial::{EndpointPartial, Partial};
pub use people::Changes;
pub use rehearsal::Rehearsal;
pub use show::{check, path, remarks, sample, starter};
pub use staging::Staging;

/// Where things are on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// The file for all users.
    pub system: PathBuf,
    /// The user's folder: `config.toml`, `themes`, `playbooks`, `templates`.
    pub config: PathBuf,
    /// Where state is kept: `journal`, `log`.
    pub state: PathBuf,
    /// The user's home, for paths that begin with `~`.
    pub home: PathBuf,
}

impl Places {
    /// The places that the XDG variables and the home directory give. Nothing is looked for below the present directory, where anybody may have
    /// put something: without a home, or with one that is no whole path, there is nothing of one's own.
    pub fn of_this_machine() -> Self {
        let system = PathBuf::from("/etc/warroom/config.toml");
        let none = Path::new("/nonexistent");
        let home = directories::BaseDirs::new().map(|dirs| dirs.home_dir().to_owned()).unwrap_or_default();
        let whole = |path: PathBuf| if path.is_absolute() { path } else { none.join("warroom") };
        let (config, state) = match directories::ProjectDirs::from("", "", "warroom") {
            Some(dirs) => {
                (dirs.config_dir().to_owned(), dirs.state_dir().unwrap_or_else(|| dirs.data_local_dir()).to_owned())
            }
            None => (none.join("warroom"), none.join("warroom")),
        };
        let home = if home.is_absolute() { home } else { none.to_owned() };
        Self { system, config: whole(config), state: whole(state), home }
    }

    /// The user's file.
    pub fn user_file(&self) -> PathBuf {
        self.config.join("config.toml")
    }

    /// The user's themes.
    pub fn themes(&self) -> PathBuf {
        self.config.join("themes")
    }

    /// The user's playbooks.
    pub fn playbooks(&self) -> PathBuf {
        self.config.join("playbooks")
    }

    /// The user's templates of updates.
    pub fn templates(&self) -> PathBuf {
        self.config.join("templates")
    }

    /// The log files.
    pub fn log(&self) -> PathBuf {
        self.state.join("log")
    }
}

/// What the command line says; it lies over everything else.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Overrides {
    /// `--config`: read this file in place of the user's.
    pub config: Option<PathBuf>,
    /// `--no-config`: read no file and no variable.
    pub no_config: bool,
    /// `--as`: who acts.
    pub name: Option<String>,
    /// `--journal`: the journal's folder.
    pub journal: Option<PathBuf>,
    /// `--prometheus`: its address.
    pub prometheus: Option<String>,
    /// `--alertmanager`: its address.
    pub alertmanager: Option<String>,
    /// `--jaeger`: its address.
    pub jaeger: Option<String>,
    /// `--theme`: its name.
    pub theme: Option<String>,
}

/// All that configuration is made of; nothing else is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inputs {
    /// Where files are.
    pub places: Places,
    /// The environment.
    pub environment: Vec<(String, String)>,
    /// The flags.
    pub overrides: Overrides,
}

impl Inputs {
    /// The inputs of this process.
    pub fn of_this_process(overrides: Overrides) -> Self {
        // A variable that is not Unicode is none of ours.
        let text = |(key, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((key.into_string().ok()?, value.into_string().ok()?))
        };
        let ours = std::env::vars_os().filter_map(text).filter(|(key, _)| key.starts_with("WARROOM_"));
        Self { places: Places::of_this_machine(), environment: ours.collect(), overrides }
    }
}

/// Why there is no configuration: a sentence that names the place, the key and the way out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(pub String);

/// Who may read the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sharing {
    /// This account only.
    Private,
    /// The Unix group of the folder.
    Group,
}

/// How many colours the screen uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Colours {
    /// What the terminal says of itself.
    Auto,
    /// The sixteen names.
    #[serde(rename = "16")]
    Sixteen,
    /// The palette of 256.
    #[serde(rename = "256")]
    Palette,
    /// All of them.
    Rgb,
    /// None.
    None,
}

/// Which letters the screen draws with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Letters {
    /// What the locale says, and what the terminal does with letters of ambiguous width.
    Auto,
    /// ASCII only.
    Ascii,
    /// Lines and braille, each a column wide, whatever the terminal answers.
    Unicode,
}

/// Where a secret is to be found when it is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretIn {
    /// The first line of a file.
    File(PathBuf),
    /// A variable of the environment.
    Variable(String),
    /// What a program prints.
    Command(Vec<String>),
}

/// How to sign in at a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignIn {
    /// Not at all.
    Open,
    /// With a bearer token.
    Bearer(SecretIn),
    /// With a name and a password.
    Basic {
        /// The name.
        user: String,
        /// The password.
        password: SecretIn,
    },
}

/// A server that is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Its address, path prefix included.
    pub url: BaseUrl,
    /// The pause between two polls.
    pub every: TimeDelta,
    /// How to sign in.
    pub sign_in: SignIn,
    /// A certificate authority of its own.
    pub ca_file: Option<PathBuf>,
    /// The certificate with which this side shows who it is, and its key.
    pub client: Option<(PathBuf, PathBuf)>,
    /// Further addresses of the same system.
    pub also: Vec<BaseUrl>,
    /// Further headers that are no secret, such as `X-Scope-OrgID`.
    pub headers: BTreeMap<String, String>,
    /// Plain http beyond this machine is allowed.
    pub allow_plain_http: bool,
    /// The way to it; absent: as the environment has it.
    pub proxy: Option<ProxySaid>,
    /// As whom to sign in at the proxy, with which password.
    pub proxy_sign_in: Option<(String, SecretIn)>,
}

impl Endpoint {
    /// Where its secrets lie: its own, and that of the proxy on the way.
    pub fn secrets(&self) -> impl Iterator<Item = &SecretIn> {
        let own = match &self.sign_in {
            SignIn::Open => None,
            SignIn::Bearer(secret) | SignIn::Basic { password: secret, .. } => Some(secret),
        };
        own.into_iter().chain(self.proxy_sign_in.as_ref().map(|(_, password)| password))
    }
}

/// How the screen looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Screen {
    /// The theme's name.
    pub theme: CleanStr,
    /// How many colours.
    pub colours: Colours,
    /// Which letters.
    pub letters: Letters,
    /// Whether the mouse is ours.
    pub mouse: bool,
    /// What the line to the terminal carries; absent: measured.
    pub bytes_per_second: Option<u32>,
    /// Whether the bell rings when something is overdue.
    pub bell: bool,
}

/// The configuration, complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Who acts, if it is said.
    pub name: Option<CleanStr>,
    /// The journal's folder.
    pub journal: PathBuf,
    /// Who may read it.
    pub sharing: Sharing,
    /// Prometheus, if there is one.
    pub prometheus: Option<Endpoint>,
    /// Alertmanager, if there is one.
    pub alertmanager: Option<Endpoint>,
    /// How alerts are read.
    pub alert_rules: Rules,
    /// Jaeger, if there is one.
    pub jaeger: Option<Endpoint>,
    /// The systems that are written to, by their names in [`crate::reach`].
    pub written: BTreeMap<&'static str, Endpoint>,
    /// What goes where in them.
    pub reach: Reach,
    /// What the configuration says of them besides, which each reads itself.
    pub settings: SystemSettings,
    /// The screen.
    pub screen: Screen,
    /// The clocks of the runbook.
    pub cadence: Cadence,
    /// Who can be reached how.
    pub people: Vec<Person>,
    /// Who is on call when, if it is said.
    pub rotation: Option<Rotation>,
    /// Whom each severity tells.
    pub matrix: Matrix,
    /// Where changes come from.
    pub changes: Changes,
    /// How this site calls the programs of playbooks: `kubectl = ["kubectl", "--context", "prod"]`.
    pub commands: crate::playbook::Aliases,
    /// Variables that every command gets beside the usual ones.
    pub command_env: Vec<CleanStr>,
    /// Where drills are played in earnest, if there is such a place.
    pub staging: Option<Staging>,
    /// Where incidents are rehearsed.
    pub rehearsal: Rehearsal,
    /// The zone in which new incidents are read.
    pub zone: Zone,
    /// Playbooks of one's own.
    pub playbooks: files::Shelf,
    /// Folders with runbooks in Markdown.
    pub runbooks: Vec<PathBuf>,
    /// The folder with themes of one's own.
    pub themes: PathBuf,
    /// The folder with templates of updates of one's own.
    pub templates: PathBuf,
    /// The log files' folder.
    pub log: PathBuf,
}

/// The configuration and where each value came from.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    layers: Vec<Layer>,
    values: toml::Table,
}

/// What is right of a configuration, and what is wrong with it.
#[derive(Clone, Debug)]
pub struct Salvaged {
    /// The configuration without the sections in which something is wrong.
    pub loaded: Loaded,
    /// A sentence for each thing that is wrong.
    pub flaws: Vec<String>,
    /// Nobody can say where the journal is: its section is among those that were left out.
    pub has_lost_the_journal: bool,
}

impl Config {
    /// Loads the configuration.
    ///
    /// # Errors
    /// All that is wrong with it, a line for each.
    pub fn load(inputs: &Inputs) -> Result<Loaded, ConfigError> {
        let salvaged = Self::salvage(inputs)?;
        if salvaged.flaws.is_empty() { Ok(salvaged.loaded) } else { Err(ConfigError(salvaged.flaws.join("\n"))) }
    }

    /// Loads what is right of the configuration: an incident does not wait until somebody has found a typing error.
    ///
    /// # Errors
    /// A flag that is wrong.
    pub fn salvage(inputs: &Inputs) -> Result<Salvaged, ConfigError> {
        let (layers, faults) = layers::all(inputs)?;
        let (partial, values) = layers::merge(&layers)?;
        let mut found = Vec::new();
        let config = complete(partial, &layers, &inputs.places, &mut found);
        // What misses a section only because that was left out is no mistake of its own.
        let is_left_out = |flaw: &String| faults.sections.iter().any(|section| flaw.contains(&format!("[{section}]")));
        found.retain(|flaw| !is_left_out(flaw));
        let flaws = [faults.sentences, found].concat();
        let is_lost = faults.sections.contains("") || faults.sections.contains("journal");
        Ok(Salvaged {
            loaded: Loaded { config, layers, values },
            flaws,
            has_lost_the_journal: is_lost && inputs.overrides.journal.is_none(),
        })
    }
}

/// A value, or nothing and what is wrong with it.
fn kept<T: Default>(result: Result<T, ConfigError>, flaws: &mut Vec<String>) -> T {
    result.unwrap_or_else(|ConfigError(why)| {
        if !flaws.contains(&why) {
            flaws.push(why);
        }
        T::default()
    })
}

fn complete(partial: Partial, layers: &[Layer], places: &Places, flaws: &mut Vec<String>) -> Config {
    let path = |key: &str, path: &Path| layers::resolve(layers, key, path, &places.home);
    let (people, clashes) = people::people(partial.people.clone(), layers);
    flaws.extend(clashes.into_iter().map(|ConfigError(clash)| clash));
    let (written, reach) = written::written(&partial, &people, layers, places, flaws);
    let screen = partial.screen;
    let cadence = partial.cadence;
    let usual = Cadence::default();
    let or = |said: Option<partial::Pause>, usual| said.map_or(usual, |said| said.0);
    let or_later = |said: Option<people::Deadline>, usual| said.map_or(usual, |said| said.0);
    let zone = partial.zone.unwrap_or_default();
    let mut folders = vec![places.playbooks()];
    folders.extend(partial.playbooks.dirs.iter().flatten().map(|dir| path("playbooks.dirs", dir)));
    let runbooks = partial.playbooks.runbooks.iter().flatten().map(|dir| path("playbooks.runbooks", dir)).collect();
    let playbooks = files::Shelf { folders, variant: partial.playbooks.variant.clone() };
    Config {
        name: partial.me.name,
        journal: partial.journal.dir.map_or_else(|| places.state.join("journal"), |dir| path("journal.dir", &dir)),
        sharing: partial.journal.sharing.unwrap_or(Sharing::Private),
        prometheus: kept(endpoint("prometheus", partial.prometheus, layers, places), flaws),
        alertmanager: kept(endpoint("alertmanager", partial.alertmanager, layers, places), flaws),
        jaeger: kept(endpoint("jaeger", partial.jaeger, layers, places), flaws),
        alert_rules: alert_rules(partial.alerts),
        reach,
        written,
        rehearsal: Rehearsal::of(&partial.settings),
        settings: partial.settings,
        screen: Screen {
            theme: screen.theme.unwrap_or_else(|| CleanStr::new("auto")),
            colours: screen.colours.unwrap_or(Colours::Auto),
            letters: screen.unicode.unwrap_or(Letters::Auto),
            mouse: screen.mouse.unwrap_or(false),
            bytes_per_second: screen.bytes_per_second.map(|speed| speed.0),
            bell: partial.bell.overdue.unwrap_or(false),
        },
        cadence: Cadence {
            acknowledge: or(cadence.acknowledge, usual.acknowledge),
            update: or(cadence.update, usual.update),
            external: or(cadence.external, usual.external),
            external_again: or(cadence.external_again, usual.external_again),
            resolve: or(cadence.resolve, usual.resolve),
            tell: usual.tell,
            approval_wait: or_later(cadence.approval_wait, usual.approval_wait),
            snooze_cap: or_later(cadence.snooze_cap, usual.snooze_cap),
            proof: or_later(cadence.proof_minutes, usual.proof),
            postmortem: or_later(cadence.postmortem, usual.postmortem),
            objections: or_later(cadence.objections, usual.objections),
            adviser: or_later(cadence.adviser, usual.adviser),
        },
        rotation: kept(people::rotation(partial.oncall, zone, layers), flaws),
        matrix: people::matrix(partial.escalation, &people),
        people,
        changes: people::changes(partial.changes, layers, places),
        commands: partial.commands,
        command_env: partial.playbooks.env,
        staging: kept(staging::staging(partial.staging, layers, places), flaws),
        zone,
        playbooks,
        runbooks,
        themes: places.themes(),
        templates: places.templates(),
        log: places.log(),
    }
}

/// What is said here is laid over what the usual words and rules mean.
fn alert_rules(said: partial::AlertsPartial) -> Rules {
    let mut rules = Rules::default();
    let words = said.severities.unwrap_or_default();
    rules.severities.extend(words.into_iter().map(|(word, level)| (word.to_lowercase().as_str().into(), level.0)));
    if let Some(ignored) = said.ignore {
        rules.ignored = ignored.into_iter().collect();
    }
    rules.expected = said.expected.unwrap_or_default().into_iter().collect();
    if let Some(labels) = said.service_labels {
        rules.service_labels = labels;
    }
    rules.services = said.services.unwrap_or_default();
    rules
}

fn endpoint(
    section: &str,
    said: EndpointPartial,
    layers: &[Layer],
    places: &Places,
) -> Result<Option<Endpoint>, ConfigError> {
    let key = |name: &str| format!("{section}.{name}");
    let wrong = |name: &str, message: &str| {
        let key = key(name);
        ConfigError(format!("{}: `{key}`: {message}", layers::origin(layers, &key)))
    };
    let file = |name: &str, path: PathBuf| SecretIn::File(layers::resolve(layers, &key(name), &path, &places.home));
    let secret = |prefix: &str, path: Option<PathBuf>, variable: Option<String>, command: Option<people::Argv>| match (
        path, variable, command,
    ) {
        (None, None, None) => Ok(None),
        (Some(path), None, None) => Ok(Some(file(&format!("{prefix}-file"), path))),
        (None, Some(variable), None) => Ok(Some(SecretIn::Variable(variable))),
        (None, None, Some(argv)) => {
            let key = key(&format!("{prefix}-command"));
            Ok(Some(SecretIn::Command(people::program(argv, &key, layers, places))))
        }
        (_, variable, _) => {
            let message = format!("either `{prefix}-file`, `{prefix}-env` or `{prefix}-command`, not both");
            let last = if variable.is_some() { "env" } else { "command" };
            Err(wrong(&format!("{prefix}-{last}"), &message))
        }
    };
    let bearer = secret("bearer", said.bearer_file, said.bearer_env, said.bearer_command)?;
    let password =
        secret("basic-password", said.basic_password_file, said.basic_password_env, said.basic_password_command)?;
    let sign_in = match (bearer, said.basic_user, password) {
        (None, None, None) => SignIn::Open,
        (Some(bearer), None, None) => SignIn::Bearer(bearer),
        (None, Some(user), Some(password)) => SignIn::Basic { user, password },
        (Some(_), Some(_), _) => return Err(wrong("basic-user", "either a bearer token or a basic user, not both")),
        (_, None, Some(_)) => return Err(wrong("basic-user", "is missing: the password is set")),
        (None, Some(_), None) => {
            return Err(wrong(
                "basic-user",
                "has no password: set `basic-password-file`, `basic-password-env` or `basic-password-command`",
            ));
        }
    };
    let proxy_password =
        secret("proxy-password", said.proxy_password_file, said.proxy_password_env, said.proxy_password_command)?;
    let proxy_sign_in = match (said.proxy_user, proxy_password) {
        (None, None) => None,
        (Some(user), Some(password)) => Some((user, password)),
        (None, Some(_)) => return Err(wrong("proxy-user", "is missing: the proxy's password is set")),
        (Some(_), None) => {
            return Err(wrong(
                "proxy-user",
                "has no password: set `proxy-password-file`, `proxy-password-env` or `proxy-password-command`",
            ));
        }
    };
    let Some(url) = said.url else { return Ok(None) };
    let allow_plain_http = said.allow_plain_http.unwrap_or(false);
    if !url.is_safe() && !allow_plain_http {
        let message = format!("{url} is plain http beyond this machine: use https, or set `allow-plain-http = true`");
        return Err(wrong("url", &message));
    }
    let also = said.also.unwrap_or_default();
    if !also.is_empty() && !["prometheus", "alertmanager"].iter().any(|name| section.ends_with(name)) {
        return Err(wrong("also", "only a Prometheus and an Alertmanager have several addresses"));
    }
    if let Some(url) = also.iter().find(|url| !url.is_safe() && !allow_plain_http) {
        let message = format!("{url} is plain http beyond this machine: use https, or set `allow-plain-http = true`");
        return Err(wrong("also", &message));
    }
    let resolved = |name: &str, path: PathBuf| layers::resolve(layers, &key(name), &path, &places.home);
    let client = match (said.client_cert_file, said.client_key_file) {
        (None, None) => None,
        (Some(cert), Some(secret)) => Some((resolved("client-cert-file", cert), resolved("client-key-file", secret))),
        (Some(_), None) => return Err(wrong("client-cert-file", "needs its key: set `client-key-file`")),
        (None, Some(_)) => return Err(wrong("client-key-file", "needs its certificate: set `client-cert-file`")),
    };
    Ok(Some(Endpoint {
        client,
        also,
        headers: said.headers.unwrap_or_default(),
        url,
        every: said.every.map_or(TimeDelta::seconds(15), |every| every.0),
        sign_in,
        ca_file: said.ca_file.map(|path| layers::resolve(layers, &key("ca-file"), &path, &places.home)),
        allow_plain_http,
        proxy: said.proxy,
        proxy_sign_in,
    }))
}

#[cfg(test)]
mod tests;
