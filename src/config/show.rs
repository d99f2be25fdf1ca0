//! What `warroom config check|show|path|init` say.
//!
//! Hides the layout of these texts.
//!
//! Invariant: no text holds a secret: configuration has none, only the names of files and variables.

use std::fmt::Write;

use super::layers::{KEYS, get, origin};
use super::{Config, ConfigError, Endpoint, Inputs, Loaded, SecretIn, SignIn, files};
use crate::text::CleanStr;

/// A starter file: every key with its built-in value, commented out.
pub const INIT: &str = r#"# Configuration of warroom. `warroom config path` says where this file goes, `config check` whether it is right.
# Every value here can also be set by the environment: WARROOM_SCREEN__THEME=light sets theme in [screen].

# The zone in which a new incident's times are read (IANA name).
# zone = "UTC"

[me]
# Who acts; without it, the login name.
# name = "dana"

[journal]
# Where the record is kept; without it, `journal` in the state folder. A folder that several accounts of one group share needs sharing = "group".
# dir = "/var/lib/warroom/journal"
# sharing = "private"        # private | group

[prometheus]
# url = "http://localhost:9090"
# every = "15s"
# bearer-file = "prometheus.token"   # or: bearer-env = "PROM_TOKEN"
# basic-user = "warroom"             # with basic-password-file or basic-password-env
# ca-file = "ca.pem"
# allow-plain-http = false           # http to another machine shows what you send
# proxy = "http://localhost:3128"

[alertmanager]
# url = "http://localhost:9093"
# every = "15s"                      # and the other keys of [prometheus]

[jaeger]
# url = "http://localhost:16686"
# every = "15s"                      # and the other keys of [prometheus]

[screen]
# theme = "dark"
# colours = "auto"           # auto | 16 | 256 | rgb | none
# unicode = "auto"           # auto | ascii | unicode
# mouse = false
# bytes-per-second = 8000    # of a slow line; without it, what the line takes

[cadence]
# The clocks of the runbook.
# acknowledge = "5m"
# update = "15m"
# external = "15m"
# external-again = "30m"
# resolve = "30m"

[playbooks]
# Folders with playbooks of your own, beside `playbooks` in this folder; a file replaces the shipped one of the same service.
# dirs = ["playbooks-of-the-team"]
"#;

impl Loaded {
    /// The merged configuration as TOML, each value with its origin.
    pub fn show(&self) -> String {
        let mut out = String::new();
        let mut open = "";
        for key in KEYS {
            let Some(value) = get(&self.values, key) else { continue };
            let (section, name) = key.split_once('.').unwrap_or(("", key));
            if section != open {
                let _ = write!(out, "\n[{section}]\n");
                open = section;
            }
            let _ = writeln!(out, "{name} = {value}  # {}", origin(&self.layers, key));
        }
        out
    }
}

/// Loads everything that configuration names; says what was found, or what is wrong.
pub fn check(inputs: &Inputs) -> Result<String, ConfigError> {
    let loaded = Config::load(inputs)?;
    let config = &loaded.config;
    let mut problems = Vec::new();
    for (name, endpoint) in
        [("prometheus", &config.prometheus), ("alertmanager", &config.alertmanager), ("jaeger", &config.jaeger)]
    {
        if let Some(endpoint) = endpoint {
            problems.extend(missing(name, endpoint));
        }
    }
    let catalogue = files::catalogue(&config.playbooks);
    problems.extend(catalogue.problems);
    problems.extend(files::templates(&config.templates).problems);
    if !problems.is_empty() {
        return Err(ConfigError(problems.join("\n")));
    }
    let services: Vec<_> = catalogue.playbooks.keys().map(CleanStr::as_str).collect();
    Ok(format!("configuration is right\nplaybooks: {}\n", services.join(", ")))
}

fn missing(section: &str, endpoint: &Endpoint) -> Vec<String> {
    let secret = match &endpoint.sign_in {
        SignIn::Open => None,
        SignIn::Bearer(secret) | SignIn::Basic { password: secret, .. } => Some(secret),
    };
    let secret = match secret {
        Some(SecretIn::File(path)) => Some(path),
        Some(SecretIn::Variable(_)) | None => None,
    };
    let problem = |path: &std::path::PathBuf| {
        let error = std::fs::File::open(path).err()?;
        Some(format!("[{section}] {}: {error}", CleanStr::new(&path.to_string_lossy())))
    };
    secret.into_iter().chain(&endpoint.ca_file).filter_map(problem).collect()
}

/// Where warroom looks, the last one wins, and what is there.
pub fn path(inputs: &Inputs) -> String {
    let places = &inputs.places;
    let named = inputs.environment.iter().find(|(key, value)| key == "WARROOM_CONFIG" && !value.is_empty());
    let user = match (&inputs.overrides.config, named) {
        (Some(path), _) => path.clone(),
        (None, Some((_, path))) => path.into(),
        (None, None) => places.user_file(),
    };
    let mut out = String::new();
    for (what, path) in [
        ("for all users", &places.system),
        ("yours", &user),
        ("themes", &places.themes()),
        ("playbooks", &places.playbooks()),
        ("templates", &places.templates()),
        ("journal", &places.state.join("journal")),
        ("log", &places.log()),
    ] {
        let is_there = if path.exists() { "" } else { "  (not there)" };
        let _ = writeln!(out, "{what:<14} {}{is_there}", CleanStr::new(&path.to_string_lossy()));
    }
    out
}
