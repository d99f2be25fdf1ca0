//! The layers of configuration, and how they are laid over each other.
//!
//! Hides the reading of files, variables and flags into one shape, and the `config` crate, which merges them.
//!
//! Invariant: a layer stands alone: it was checked before it is merged, and keeps the name of its place for each value.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::fs::{File, Metadata};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use config::{Map, Source, Value, ValueKind};

use super::partial::Partial;
use super::sections::{REHEARSAL, further};
use super::sift::sift;
use super::{ConfigError, Inputs, Overrides};
use crate::channel::CHANNELS;
use crate::channel::spec::{Holds, Section};
use crate::escalation::Matrix;
use crate::incident::Severity;
use crate::text::document::{DOCUMENT_BYTES, nearest};
use crate::text::{CleanStr, Exact, fit};

/// The keys of every server, with those of certificates and headers.
const OF_SERVER: &[&str] = &[
    "url",
    "every",
    "bearer-file",
    "bearer-env",
    "bearer-command",
    "basic-user",
    "basic-password-file",
    "basic-password-env",
    "basic-password-command",
    "ca-file",
    "client-cert-file",
    "client-key-file",
    "headers",
    "allow-plain-http",
    "proxy",
    "proxy-user",
    "proxy-password-file",
    "proxy-password-env",
    "proxy-password-command",
];

/// The keys of the program itself up to the servers …
const FIRST: &[&str] = &["zone", "people", "me.name", "journal.dir", "journal.sharing"];

/// … of alerts, which stand between those that are read and those that are written to …
const ALERTS: &[&str] =
    &["alerts.severities", "alerts.ignore", "alerts.expected", "alerts.service-labels", "alerts.services"];

/// … and behind them.
const LAST: &[&str] = &[
    "screen.theme",
    "screen.colours",
    "screen.unicode",
    "screen.mouse",
    "screen.bytes-per-second",
    "cadence.acknowledge",
    "cadence.update",
    "cadence.external",
    "cadence.external-again",
    "cadence.resolve",
    "cadence.approval-wait",
    "cadence.snooze-cap",
    "cadence.proof-minutes",
    "cadence.postmortem",
    "cadence.objections",
    "cadence.adviser",
    "playbooks.dirs",
    "playbooks.env",
    "playbooks.runbooks",
    "playbooks.variant",
    "oncall.start",
    "oncall.hand-over",
    "oncall.zone",
    "oncall.weeks",
    "oncall.overrides",
    "escalation.sev0",
    "escalation.sev1",
    "escalation.sev2",
    "escalation.sev3",
    "escalation.owner",
    "escalation.reviewed",
    "staging.label",
    "staging.build-info",
    "staging.production",
    "staging.prometheus",
    "staging.alertmanager",
    "staging.jaeger",
    "staging.commands",
    "bell.overdue",
    "changes.command",
    "changes.every",
];

/// All keys that have a name of their own, in the order in which they are shown; what stands by service is not among
/// them.
pub(super) static KEYS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let server = |name: &'static str| {
        // Only what is asked the same at each of its members has several addresses.
        let also = ["prometheus", "alertmanager"].contains(&name).then(|| format!("{name}.also"));
        OF_SERVER.iter().map(move |key| format!("{name}.{key}")).chain(also)
    };
    let keys = |section: &'static Section| match section.holds {
        Holds::Keys(keys) => keys,
        Holds::Services(..) => &[],
    };
    let named =
        move |section: &'static Section| keys(section).iter().map(move |key| format!("{}.{}", section.name, key.name));
    let read = ["prometheus", "alertmanager", "jaeger"];
    let written = CHANNELS.iter().filter(|spec| !read.contains(&spec.name));
    let of_systems = written.flat_map(|spec| server(spec.name).chain(spec.sections.iter().flat_map(named)));
    let own = |keys: &'static [&'static str]| keys.iter().map(|key| (*key).to_owned());
    own(FIRST)
        .chain(read.into_iter().flat_map(server))
        .chain(own(ALERTS))
        .chain(of_systems)
        .chain(own(LAST))
        .chain(named(&REHEARSAL))
        .collect()
});

/// All keys, with those by service that values have.
pub(super) fn keys(values: &toml::Table) -> impl Iterator<Item = Cow<'static, str>> {
    let by_service =
        CHANNELS.iter().flat_map(|spec| spec.sections).filter(|section| matches!(section.holds, Holds::Services(..)));
    let said = by_service.flat_map(|section| {
        let table = values.get(section.name).and_then(toml::Value::as_table);
        table.into_iter().flat_map(|table| table.keys().map(|service| format!("{}.{service}", section.name)))
    });
    KEYS.iter().map(|key| Cow::from(key.as_str())).chain(said.map(Cow::from))
}

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    BuiltIn,
    File(PathBuf),
    Variable(String),
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn => out.write_str("built-in"),
            Self::File(path) => write!(out, "{}", CleanStr::new(&path.to_string_lossy())),
            Self::Variable(name) => write!(out, "${name}"),
            Self::Flag(name) => out.write_str(name),
        }
    }
}

/// Some values from one place.
#[derive(Clone, Debug)]
pub(super) struct Layer {
    pub(super) origin: Origin,
    pub(super) values: toml::Table,
}

impl Source for Layer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, config::ConfigError> {
        let origin = self.origin.to_string();
        Ok(self.values.iter().map(|(key, value)| (key.clone(), lift(&origin, value))).collect())
    }
}

fn lift(origin: &String, value: &toml::Value) -> Value {
    let kind = match value {
        toml::Value::String(text) => ValueKind::String(text.clone()),
        toml::Value::Integer(number) => ValueKind::I64(*number),
        toml::Value::Float(number) => ValueKind::Float(*number),
        toml::Value::Boolean(is) => ValueKind::Boolean(*is),
        toml::Value::Datetime(time) => ValueKind::String(time.to_string()),
        toml::Value::Array(list) => ValueKind::Array(list.iter().map(|item| lift(origin, item)).collect()),
        toml::Value::Table(table) => {
            ValueKind::Table(table.iter().map(|(key, value)| (key.clone(), lift(origin, value))).collect())
        }
    };
    Value::new(Some(origin), kind)
}

/// What is wrong with the layers, and what was left out for that.
#[derive(Clone, Debug, Default)]
pub(super) struct Faults {
    /// A sentence for each.
    pub(super) sentences: Vec<String>,
    /// The sections that are not complete; one without a name for a whole file.
    pub(super) sections: BTreeSet<String>,
}

/// The user's file, or the one that takes its place, and whether it must be there.
pub(super) fn users(inputs: &Inputs) -> (PathBuf, bool) {
    let named = inputs.environment.iter().find(|(key, value)| key == "WARROOM_CONFIG" && !value.is_empty());
    let named = inputs.overrides.config.clone().or(named.map(|(_, value)| PathBuf::from(value)));
    named.map_or_else(|| (inputs.places.user_file(), false), |path| (path, true))
}

/// All layers as far as they are right, the lowest first, and what is wrong with them.
///
/// # Errors
/// A flag that is wrong: whoever typed it is there to mend it.
pub(super) fn all(inputs: &Inputs) -> Result<(Vec<Layer>, Faults), ConfigError> {
    let mut layers = vec![built_in(inputs)];
    let mut faults = Faults::default();
    if !inputs.overrides.no_config {
        let (user, must_exist) = users(inputs);
        layers.extend(file(&inputs.places.system, false, &mut faults));
        layers.extend(file(&user, must_exist, &mut faults));
        for (name, value) in &inputs.environment {
            match variable(name, value) {
                Ok(layer) => layers.extend(layer),
                Err((section, ConfigError(why))) => {
                    faults.sections.insert(section);
                    faults.sentences.push(why);
                }
            }
        }
    }
    flags(&inputs.overrides, &mut layers)?;
    Ok((layers, faults))
}

fn built_in(inputs: &Inputs) -> Layer {
    let mut layer = Layer { origin: Origin::BuiltIn, values: toml::Table::new() };
    for (key, value) in [
        ("zone", "UTC"),
        ("journal.sharing", "private"),
        ("screen.theme", "auto"),
        ("screen.colours", "auto"),
        ("screen.unicode", "auto"),
        ("cadence.acknowledge", "5m"),
        ("cadence.update", "15m"),
        ("cadence.external", "15m"),
        ("cadence.external-again", "30m"),
        ("cadence.resolve", "30m"),
        ("cadence.approval-wait", "3m"),
        ("cadence.snooze-cap", "15m"),
        ("cadence.proof-minutes", "10m"),
        ("cadence.postmortem", "48h"),
        ("cadence.objections", "60s"),
        ("cadence.adviser", "15m"),
        ("oncall.hand-over", "09:00"),
        ("changes.every", "60s"),
    ] {
        set(&mut layer.values, key, value.into());
    }
    let matrix = Matrix::default();
    for severity in Severity::ALL {
        let named = matrix.named(severity).iter().map(|position| position.to_string().into()).collect();
        set(&mut layer.values, &format!("escalation.{}", severity.name().to_lowercase()), toml::Value::Array(named));
    }
    set(&mut layer.values, "escalation.owner", matrix.owner.to_string().into());
    set(&mut layer.values, "screen.mouse", false.into());
    set(&mut layer.values, "bell.overdue", false.into());
    let journal = inputs.places.state.join("journal");
    set(&mut layer.values, "journal.dir", journal.to_string_lossy().into_owned().into());
    layer
}

fn set(values: &mut toml::Table, key: &str, value: toml::Value) {
    match key.split_once('.') {
        None => {
            values.insert(key.to_owned(), value);
        }
        Some((section, key)) => {
            let table = values.entry(section).or_insert_with(|| toml::Table::new().into());
            if let toml::Value::Table(table) = table {
                table.insert(key.to_owned(), value);
            }
        }
    }
}

pub(super) fn get<'a>(values: &'a toml::Table, key: &str) -> Option<&'a toml::Value> {
    match key.split_once('.') {
        None => values.get(key),
        Some((section, key)) => get(values.get(section)?.as_table()?, key),
    }
}

/// The text of a small regular file; absent where it need not exist.
pub(super) fn text_of(path: &Path, must_exist: bool) -> Result<Option<String>, String> {
    opened(path, must_exist)?.map(|(file, _)| read(file, path)).transpose()
}

/// The text of a file that says which programs run and where tokens go: one that another account may have written is refused.
fn own_text_of(path: &Path, must_exist: bool) -> Result<Option<String>, String> {
    let Some((file, about)) = opened(path, must_exist)? else { return Ok(None) };
    refuse_of_others(&about, path)?;
    read(file, path).map(Some)
}

fn opened(path: &Path, must_exist: bool) -> Result<Option<(File, Metadata)>, String> {
    use rustix::fs::{Mode, OFlags};
    let shown = CleanStr::new(&path.to_string_lossy());
    // Opening a pipe would wait for its other end.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = rustix::fs::open(path, flags, Mode::empty()).map_err(std::io::Error::from).map(File::from);
    match file.and_then(|file| file.metadata().map(|about| (file, about))) {
        Ok((_, about)) if !about.is_file() => Err(format!("{shown} is no file")),
        Ok(opened) => Ok(Some(opened)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !must_exist => Ok(None),
        Err(error) => Err(format!("{shown} cannot be read: {error}")),
    }
}

fn refuse_of_others(about: &Metadata, path: &Path) -> Result<(), String> {
    let own = rustix::process::geteuid().as_raw();
    let shown = Exact::new(path.as_os_str().as_bytes()).shown();
    if ![0, own].contains(&about.uid()) {
        let owner = about.uid();
        return Err(format!(
            "{shown} is not read: it belongs to another account (uid {owner}), which says by it what runs here: make a copy of your own"
        ));
    }
    // Where each account has a group of its own name, that group is nobody else.
    let is_own_group = about.gid() == own && about.uid() == own;
    if about.mode() & 0o002 != 0 || (about.mode() & 0o020 != 0 && !is_own_group) {
        return Err(format!(
            "{shown} is not read: others can write it, and say by it what runs here: run chmod go-w {shown}"
        ));
    }
    Ok(())
}

fn read(file: File, path: &Path) -> Result<String, String> {
    let shown = CleanStr::new(&path.to_string_lossy());
    let mut bytes = Vec::new();
    file.take(DOCUMENT_BYTES as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| format!("{shown} cannot be read: {error}"))?;
    String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = valid.iter().filter(|byte| **byte == b'\n').count() + 1;
        let column = valid.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
        format!("{shown}:{line}:{column}: is not UTF-8 text here")
    })
}

fn file(path: &Path, must_exist: bool, faults: &mut Faults) -> Option<Layer> {
    let text = match own_text_of(path, must_exist) {
        Ok(text) => text?,
        Err(why) => {
            faults.sections.insert(String::new());
            faults.sentences.push(why);
            return None;
        }
    };
    let sifted = sift::<Partial>(&path.to_string_lossy(), &text);
    faults.sections.extend(sifted.left_out);
    faults.sentences.extend(sifted.flaws.iter().map(ToString::to_string));
    Some(Layer { origin: Origin::File(path.to_owned()), values: sifted.values })
}

/// `WARROOM_SECTION__KEY`, and `WARROOM_ZONE`; other variables with one word are not configuration.
///
/// # Errors
/// What is wrong with it, and the section that it would have changed.
fn variable(name: &str, value: &str) -> Result<Option<Layer>, (String, ConfigError)> {
    let Some(rest) = name.strip_prefix("WARROOM_") else { return Ok(None) };
    if !rest.contains("__") && rest != "ZONE" {
        return Ok(None);
    }
    let key = rest.to_ascii_lowercase().replace("__", ".").replace('_', "-");
    let section = key.split('.').next().unwrap_or_default().to_owned();
    if !KEYS.contains(&key) && !is_by_service(&key) {
        return Err((section, ConfigError(format!("${}: {}", CleanStr::new(name), unknown(&key)))));
    }
    let value = match key.as_str() {
        "playbooks.dirs" | "playbooks.runbooks" => {
            let dirs = std::env::split_paths(value).map(|dir| dir.to_string_lossy().into_owned().into());
            toml::Value::Array(dirs.collect())
        }
        "playbooks.env" | "escalation.sev0" | "escalation.sev1" | "escalation.sev2" | "escalation.sev3"
        | "staging.production" => {
            let named = value.split(',').map(str::trim).filter(|named| !named.is_empty());
            toml::Value::Array(named.map(Into::into).collect())
        }
        _ => value.into(),
    };
    single(Origin::Variable(name.to_owned()), &key, value).map(Some).map_err(|error| (section, error))
}

/// Whether a key names a service in a section that has a value for each.
fn is_by_service(key: &str) -> bool {
    let section = key.split_once('.').and_then(|(section, _)| further(section));
    section.is_some_and(|section| matches!(section.holds, Holds::Services(..)))
}

fn unknown(key: &str) -> String {
    let section = key.split('.').next().unwrap_or_default();
    let near: Vec<_> = KEYS.iter().filter(|known| known.split('.').next() == Some(section)).collect();
    let choices = if near.is_empty() { KEYS.iter().collect() } else { near };
    let nearest = nearest(key, choices.iter().map(|known| known.as_str()));
    let nearest = nearest.map(|known| format!("; did you mean `{known}`?")).unwrap_or_default();
    let choices: Vec<_> = choices.into_iter().map(|known| format!("`{known}`")).collect();
    format!("there is no key `{}`: choose {}{nearest}", fit(&CleanStr::new(key), 60), choices.join(", "))
}

/// A layer of one value, checked by itself.
fn single(origin: Origin, key: &str, value: toml::Value) -> Result<Layer, ConfigError> {
    let mut values = toml::Table::new();
    set(&mut values, key, value);
    let layer = Layer { origin, values };
    merge(std::slice::from_ref(&layer))?;
    Ok(layer)
}

fn flags(overrides: &Overrides, layers: &mut Vec<Layer>) -> Result<(), ConfigError> {
    let journal = overrides.journal.as_ref().map(|dir| dir.to_string_lossy().into_owned());
    for (flag, key, value) in [
        ("--as", "me.name", &overrides.name),
        ("--journal", "journal.dir", &journal),
        ("--prometheus", "prometheus.url", &overrides.prometheus),
        ("--alertmanager", "alertmanager.url", &overrides.alertmanager),
        ("--jaeger", "jaeger.url", &overrides.jaeger),
        ("--theme", "screen.theme", &overrides.theme),
    ] {
        if let Some(value) = value {
            layers.push(single(Origin::Flag(flag), key, value.as_str().into())?);
        }
    }
    Ok(())
}

/// Lays the layers over each other: the last one that has a key says its value.
pub(super) fn merge(layers: &[Layer]) -> Result<(Partial, toml::Table), ConfigError> {
    let name_of_last = || layers.last().map_or_else(String::new, |layer| format!("{}: ", layer.origin));
    let refuse =
        |error: config::ConfigError| ConfigError(format!("{}{}", name_of_last(), CleanStr::new(&error.to_string())));
    let builder = layers.iter().fold(config::Config::builder(), |builder, layer| builder.add_source(layer.clone()));
    let partial = builder.build().and_then(config::Config::try_deserialize).map_err(refuse)?;
    let mut values = toml::Table::new();
    for layer in layers {
        for key in keys(&layer.values) {
            if let Some(value) = get(&layer.values, &key) {
                set(&mut values, &key, value.clone());
            }
        }
    }
    Ok((partial, values))
}

/// Where the value of a key came from.
pub(super) fn origin<'a>(layers: &'a [Layer], key: &str) -> &'a Origin {
    let last = layers.iter().rev().find(|layer| get(&layer.values, key).is_some());
    last.map_or(&Origin::BuiltIn, |layer| &layer.origin)
}

/// A path as its place meant it: `~` is the home, and what a file says is relative to that file.
pub(super) fn resolve(layers: &[Layer], key: &str, path: &Path, home: &Path) -> PathBuf {
    if let Ok(rest) = path.strip_prefix("~") {
        return home.join(rest);
    }
    match origin(layers, key) {
        Origin::File(file) => file.parent().map_or_else(|| path.to_owned(), |folder| folder.join(path)),
        Origin::BuiltIn | Origin::Variable(_) | Origin::Flag(_) => path.to_owned(),
    }
}
