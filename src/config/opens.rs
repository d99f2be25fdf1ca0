//! Whether what a configuration names is there: files, programs, folders, variables, certificates.
//!
//! Hides how each of them is tried. Nothing is started, nothing is written, nobody is asked over the network.
//!
//! Invariant: each sentence names the section, the thing, and what would help.

use std::borrow::Cow;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::{Config, Inputs, SecretIn};
use crate::reach;
use crate::text::CleanStr;

/// What is not there, a sentence for each.
pub(super) fn missing(config: &Config, inputs: &Inputs) -> Vec<String> {
    let variable = |name: &str| {
        let ours = inputs.environment.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        ours.or_else(|| std::env::var(name).ok()).filter(|value| !value.is_empty())
    };
    let mut problems = Vec::new();
    let read = [("prometheus", &config.prometheus), ("jaeger", &config.jaeger), ("alertmanager", &config.alertmanager)];
    let read = read.into_iter().filter_map(|(name, endpoint)| Some((name, endpoint.as_ref()?)));
    // Alertmanager is read and written.
    let written = config.written.iter().filter(|(name, _)| **name != reach::ALERTMANAGER);
    let written = written.map(|(name, endpoint)| (*name, endpoint));
    let staging = config.staging.iter().flat_map(|staging| staging.endpoints());
    for (name, endpoint) in read.chain(written).chain(staging) {
        let found = endpoint
            .secrets()
            .filter_map(|secret| no_secret(secret, &variable))
            .chain(endpoint.ca_file.as_ref().and_then(|path| certificates(path)))
            .chain(endpoint.client.as_ref().and_then(|(certificate, key)| certificates(certificate).or(unread(key))));
        problems.extend(found.map(|why| format!("[{name}] {why}")));
    }
    let program = |section: &str, word: Option<Cow<'_, str>>| {
        let why = not_a_program(&word?, variable("PATH").as_deref().unwrap_or_default())?;
        Some(format!("[{section}] {why}"))
    };
    problems.extend(
        config
            .changes
            .command
            .as_ref()
            .and_then(|argv| program("changes", argv.first().map(|word| Cow::from(word.as_str())))),
    );
    problems
        .extend(config.commands.values().filter_map(|argv| program("commands", argv.first().map(|word| word.text()))));
    let staged = config.staging.iter().flat_map(|staging| staging.commands.values());
    problems.extend(staged.filter_map(|argv| program("staging.commands", argv.first().map(|word| word.text()))));
    // The first one is the usual place, which need not exist.
    problems.extend(
        config
            .playbooks
            .folders
            .iter()
            .skip(1)
            .filter_map(|dir| not_a_folder(dir))
            .map(|why| format!("[playbooks] {why}")),
    );
    problems.extend(no_journal(&config.journal).map(|why| format!("[journal] {why}")));
    problems
}

fn shown(path: &Path) -> CleanStr {
    CleanStr::new(&path.to_string_lossy())
}

/// What is wrong with a place of a secret.
fn no_secret(secret: &SecretIn, variable: &impl Fn(&str) -> Option<String>) -> Option<String> {
    match secret {
        SecretIn::File(path) => match std::fs::read_to_string(path) {
            Err(error) => Some(format!("{}: {error}", shown(path))),
            Ok(text) if text.lines().next().is_none_or(|line| line.trim().is_empty()) => {
                Some(format!("{}: its first line is empty: the secret stands there", shown(path)))
            }
            Ok(_) => None,
        },
        SecretIn::Variable(name) if variable(name).is_none() => {
            Some(format!("${} is not set in this shell: export it before warroom starts", CleanStr::new(name)))
        }
        SecretIn::Variable(_) => None,
        SecretIn::Command(argv) => not_a_program(argv.first()?, variable("PATH").as_deref().unwrap_or_default()),
    }
}

/// Why a file cannot be read.
fn unread(path: &Path) -> Option<String> {
    std::fs::read(path).err().map(|error| format!("{}: {error}", shown(path)))
}

/// Why a file holds no certificates.
fn certificates(path: &Path) -> Option<String> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) => return Some(format!("{}: {error}", shown(path))),
    };
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    match found {
        Ok(found) if found.is_empty() => {
            Some(format!("{}: holds no certificate: PEM begins with -----BEGIN CERTIFICATE-----", shown(path)))
        }
        Ok(found) => {
            let mut store = rustls::RootCertStore::empty();
            let wrong = found.into_iter().find_map(|one| store.add(one).err());
            wrong.map(|error| format!("{}: a certificate in it cannot be used: {error}", shown(path)))
        }
        Err(error) => Some(format!("{}: cannot be read as PEM: {error}", shown(path))),
    }
}

/// Why a word cannot be started.
fn not_a_program(word: &str, path: &str) -> Option<String> {
    let is_program = |path: &PathBuf| {
        std::fs::metadata(path).is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
    };
    let word_shown = CleanStr::new(word);
    if word.contains('/') {
        let path = PathBuf::from(word);
        return match (path.exists(), is_program(&path)) {
            (_, true) => None,
            (true, false) => Some(format!("{word_shown} cannot be started: chmod +x")),
            (false, _) => Some(format!("{word_shown} is not there")),
        };
    }
    let found = std::env::split_paths(path).map(|folder| folder.join(word)).any(|path| is_program(&path));
    (!found).then(|| format!("no program `{word_shown}` in PATH: install it, or write its whole path"))
}

/// Why a path is no folder that can be read.
fn not_a_folder(path: &Path) -> Option<String> {
    std::fs::read_dir(path).err().map(|error| format!("{}: {error}", shown(path)))
}

/// Why the journal could not be kept in a folder; it is made when the first incident is declared.
fn no_journal(path: &Path) -> Option<String> {
    let mut here = path;
    while !here.exists() {
        here = here.parent()?;
    }
    let about = std::fs::metadata(here).ok()?;
    if !about.is_dir() {
        return Some(format!("{} is no folder", shown(here)));
    }
    let may = rustix::fs::access(here, rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK);
    may.err().map(|error| format!("{} cannot be written: {error}", shown(here)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_looked_for_where_a_shell_would_look() {
        let folder = tempfile::tempdir().unwrap();
        let (tool, notes) = (folder.path().join("tool"), folder.path().join("notes"));
        std::fs::write(&tool, "#!/bin/sh\n").unwrap();
        std::fs::set_permissions(&tool, std::fs::Permissions::from_mode(0o755)).unwrap();
        std::fs::write(&notes, "text").unwrap();
        let path = format!("/nowhere:{}", folder.path().display());
        assert_eq!(not_a_program("tool", &path), None);
        assert_eq!(not_a_program(tool.to_str().unwrap(), ""), None);
        for (word, why) in [
            ("toll", "no program `toll` in PATH"),
            ("notes", "no program `notes` in PATH"),
            (notes.to_str().unwrap(), "chmod +x"),
            ("/nowhere/tool", "is not there"),
        ] {
            assert!(not_a_program(word, &path).unwrap().contains(why), "{word}");
        }
    }

    #[test]
    fn a_file_without_a_certificate_is_said_to_hold_none() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        for (text, why) in [
            ("", "holds no certificate"),
            ("hello", "holds no certificate"),
            ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "cannot be used"),
            ("-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n", "cannot be read as PEM"),
        ] {
            std::fs::write(&file, text).unwrap();
            let said = certificates(&file).unwrap();
            assert!(said.contains(why), "{text:?}: {said}");
        }
    }
}
