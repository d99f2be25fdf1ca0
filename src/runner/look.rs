//! Looks a program up, once, before anybody confirms it: which file it is and what stands in it.
//!
//! Hides the search along `PATH`. What was found is shown and recorded; the helper looks again right before it starts exactly that.
//!
//! Invariant: a relative place of `PATH` is never searched: it would be another program in each folder.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::incident::Program;
use crate::text::{CleanStr, Exact};

/// What the kernel reads of a script's first line, in bytes.
const SHEBANG: usize = 256;

fn path(text: &Exact) -> &Path {
    Path::new(OsStr::from_bytes(text.as_bytes()))
}

/// The program that a name means in a folder, with its digest; else a sentence that names what is missing.
pub fn look_up(name: &Exact, folder: &Exact) -> Result<Program, String> {
    if !path(folder).is_dir() {
        return Err(format!("the folder {} is not there", folder.shown()));
    }
    let found = find(name, folder)?;
    let (digest, begins) = read(&found).map_err(|error| format!("{} cannot be read: {error}", found.display()))?;
    interpreter(&begins).map_err(|why| format!("{}: {why}", found.display()))?;
    Ok(Program { path: Exact::new(found.as_os_str().as_bytes()), digest })
}

/// Whether a program still is what was shown.
pub fn is_unchanged(program: &Program) -> Result<(), String> {
    let shown = program.path.shown();
    match read(path(&program.path)) {
        Ok((digest, _)) if digest == program.digest => Ok(()),
        Ok(_) => Err(format!("{shown} was changed after it was shown: look at the step again")),
        Err(error) => Err(format!("{shown} is not there as it was shown: {error}")),
    }
}

fn find(name: &Exact, folder: &Exact) -> Result<PathBuf, String> {
    let may_run = |file: &Path| file.is_file() && rustix::fs::access(file, rustix::fs::Access::EXEC_OK).is_ok();
    if name.as_bytes().contains(&b'/') {
        let file = path(folder).join(path(name));
        return match file.exists() {
            true if may_run(&file) => Ok(file),
            true => Err(format!("{} is no program that this account may run: chmod +x", name.shown())),
            false => Err(format!("the program {} is not there", name.shown())),
        };
    }
    let places = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&places).filter(|place| place.is_absolute()).map(|place| place.join(path(name)));
    found.into_iter().find(|file| may_run(file)).ok_or_else(|| {
        format!(
            "the program {} is not on the PATH of this console: `[commands]` in the configuration names another",
            name.shown()
        )
    })
}

/// What identifies a file's content, and its beginning.
fn read(file: &Path) -> std::io::Result<(CleanStr, Vec<u8>)> {
    let mut file = File::open(file)?;
    let mut begins = Vec::new();
    file.by_ref().take(SHEBANG as u64).read_to_end(&mut begins)?;
    let mut hash = blake3::Hasher::new();
    hash.update(&begins);
    hash.update_reader(file)?;
    Ok((CleanStr::new(hash.finalize().to_hex().as_str()), begins))
}

/// Whether what a script's first line names is there.
fn interpreter(begins: &[u8]) -> Result<(), String> {
    let Some(line) = begins.strip_prefix(b"#!") else { return Ok(()) };
    let line = String::from_utf8_lossy(line.split(|byte| *byte == b'\n').next().unwrap_or_default()).into_owned();
    // As the kernel reads it: a carriage return of another system's editor belongs to the name.
    let mut words = line.split([' ', '\t']).filter(|word| !word.is_empty());
    let Some(program) = words.next() else { return Err("its first line names no interpreter".to_owned()) };
    if !Path::new(program).is_file() {
        return Err(format!("its interpreter {} is not there", Exact::new(program).shown()));
    }
    match (program.ends_with("/env"), words.find(|word| !word.starts_with('-') && !word.contains('='))) {
        (true, Some(name)) => find(&Exact::new(name), &Exact::new("/"))
            .map(|_| ())
            .map_err(|_| format!("its interpreter {} is not on the PATH of this console", Exact::new(name).shown())),
        (true, None) | (false, _) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn exact(path: &Path) -> Exact {
        Exact::new(path.as_os_str().as_bytes())
    }

    #[test]
    fn what_is_missing_is_named_and_what_was_changed_does_not_run() {
        let home = tempfile::tempdir().unwrap();
        let folder = exact(home.path());
        let script = |name: &str, text: &str, mode: u32| {
            let path = home.path().join(name);
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            path
        };
        let fine = script("fine", "#!/bin/sh\nexit 0\n", 0o755);
        script("plain", "x", 0o644);
        script("lost", "#!/no/such/python\n", 0o755);
        script("windows", "#!/bin/sh\r\nexit 0\n", 0o755);
        script("env", "#!/usr/bin/env no-such-tool\n", 0o755);
        let found = look_up(&"./fine".into(), &folder).unwrap();
        assert!(found.path.text().starts_with('/') && is_unchanged(&found).is_ok());
        for (name, why) in [
            ("./plain", "chmod +x"),
            ("./nothing", "the program ./nothing is not there"),
            ("./lost", "its interpreter /no/such/python is not there"),
            ("./windows", r"its interpreter $'/bin/sh\r' is not there"),
            ("./env", "its interpreter no-such-tool is not on the PATH"),
            ("no-such-tool", "the program no-such-tool is not on the PATH"),
        ] {
            let said = look_up(&name.into(), &folder).unwrap_err();
            assert!(said.contains(why), "{said}");
        }
        assert!(look_up(&"sh".into(), &"/no/such".into()).unwrap_err().contains("the folder /no/such is not there"));
        fs::write(&fine, "#!/bin/sh\nexit 1\n").unwrap();
        assert!(is_unchanged(&found).unwrap_err().contains("was changed after it was shown"));
    }
}
