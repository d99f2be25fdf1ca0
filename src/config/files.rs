//! Playbooks, templates and exercises from folders.
//!
//! Hides how folders are read: what ends in `.toml` (templates: files that end in `.txt`), in the order of their names, none above 256 KB. A link to
//! nothing or a folder of such a name was meant as a playbook, and is said to be none.
//!
//! Invariant: a folder or a file that cannot be read is a problem that is shown, never a failure.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::layers::text_of;
use super::{ConfigError, include};
use crate::exercise::{Exercise, SHIPPED, tabletop};
use crate::playbook::Catalogue;
use crate::template::Templates;
use crate::text::document::text_at;
use crate::text::{CleanStr, fit};

/// Where playbooks of one's own lie, and for which environment those of a service that has several are chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shelf {
    /// The folders, later ones win.
    pub folders: Vec<PathBuf>,
    /// The environment.
    pub variant: Option<CleanStr>,
}

/// The shipped playbooks, and those of some folders over them; the last of a service wins, and in a folder the one for this environment.
pub fn catalogue(shelf: &Shelf) -> Catalogue {
    let mut catalogue = Catalogue::shipped();
    let mut known = BTreeSet::new();
    for folder in &shelf.folders {
        match documents(folder, "toml") {
            Ok(files) => take(&mut catalogue, folder, &files, shelf, &mut known),
            Err(problem) => catalogue.problems.push(problem),
        }
    }
    if let Some(wanted) = shelf.variant.as_ref().filter(|wanted| !known.is_empty() && !known.contains(wanted.as_str()))
    {
        let known: Vec<_> = known.iter().map(String::as_str).collect();
        let wanted = fit(wanted, 40);
        let why =
            format!("[playbooks] variant: no playbook is for `{wanted}`: there are some for {}", known.join(", "));
        catalogue.problems.push(why);
    }
    catalogue
}

/// Takes the files of a folder: those for every environment first, then those for this one. What is only for others is not taken, and nothing stands in
/// for it.
fn take(catalogue: &mut Catalogue, folder: &Path, files: &[PathBuf], shelf: &Shelf, known: &mut BTreeSet<String>) {
    let (mut chosen, mut others) = (Vec::new(), BTreeMap::<String, BTreeSet<String>>::new());
    for path in files {
        let file = path.to_string_lossy().into_owned();
        let text = match text_of(path, true) {
            Ok(text) => text.unwrap_or_default(),
            Err(problem) => {
                catalogue.miss(&file, None, problem);
                continue;
            }
        };
        let variant = text_at(&text, "variant");
        known.extend(variant.clone());
        let is_other = variant.is_some() && variant.as_deref() != shelf.variant.as_deref();
        match include::whole(path, &text) {
            Ok(texts) if is_other => {
                let services = texts.iter().filter_map(|text| text_at(text, "service"));
                services.for_each(|service| others.entry(service).or_default().extend(variant.clone()));
            }
            Ok(texts) if variant.is_some() => chosen.extend(texts.into_iter().map(|text| (file.clone(), text))),
            Ok(texts) => texts.iter().for_each(|text| catalogue.take(&file, text)),
            Err(problem) if is_other => catalogue.problems.push(problem),
            Err(problem) => catalogue.miss(&file, Some(&text), problem),
        }
    }
    chosen.iter().for_each(|(file, text)| catalogue.take(file, text));
    for (service, variants) in others {
        let variants: Vec<_> = variants.into_iter().collect();
        let why = format!(
            "the playbooks of `{service}` are for {}: name one in [playbooks] variant, or write one without `variant`",
            variants.join(", ")
        );
        catalogue.lack(&service, &folder.to_string_lossy(), why);
    }
}

/// The texts of the playbooks in a file, each whole: with what it includes, one for each service that it names.
pub fn playbooks(file: &Path) -> Result<Vec<String>, String> {
    include::whole(file, &text(file)?)
}

/// Number, seconds and nanoseconds of its last change, and size of a file.
pub type FileState = (u64, i64, i64, u64);

/// What tells whether the files of playbooks are as they were: names, sizes, times, what they are.
pub fn state_of(folders: &[PathBuf]) -> Vec<(PathBuf, Option<FileState>)> {
    let below = |folder: &PathBuf| {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
        entries.filter(|path| path.is_dir()).collect::<Vec<_>>()
    };
    // What a playbook includes lies in folders below.
    let all = folders.iter().flat_map(|folder| std::iter::once(folder.clone()).chain(below(folder)));
    let files = all.flat_map(|folder| documents(&folder, "toml").unwrap_or_default());
    let about = |file: PathBuf| {
        let about =
            std::fs::metadata(&file).ok().map(|about| (about.ino(), about.mtime(), about.mtime_nsec(), about.len()));
        (file, about)
    };
    files.map(about).collect()
}

/// The shipped templates of updates, and those of a folder over them.
pub fn templates(folder: &Path) -> Templates {
    let mut templates = Templates::shipped();
    let files = documents(folder, "txt").unwrap_or_else(|problem| {
        templates.problems.push(problem);
        Vec::new()
    });
    for file in files.into_iter().filter(|file| file.is_file()) {
        match text_of(&file, true) {
            Ok(text) => templates = templates.with(&file.to_string_lossy(), &text.unwrap_or_default()),
            Err(problem) => templates.problems.push(problem),
        }
    }
    templates
}

/// The text of a file that somebody named.
pub fn text(file: &Path) -> Result<String, String> {
    Ok(text_of(file, true)?.unwrap_or_default())
}

fn documents(folder: &Path, ending: &str) -> Result<Vec<PathBuf>, String> {
    let problem =
        |error: &std::io::Error| format!("{} cannot be read: {error}", CleanStr::new(&folder.to_string_lossy()));
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(problem(&error)),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| problem(&error))?.path();
        let is_hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if path.extension().is_some_and(|found| found == ending) && !is_hidden {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// An exercise and its text: a shipped one by its name, or one from a file by its path.
pub fn exercise(name: &str) -> Result<(Exercise, String), ConfigError> {
    if let Some(text) = Exercise::shipped(name) {
        let exercise = Exercise::parse(name, text).map_err(|flaw| ConfigError(flaw.to_string()))?;
        return Ok((exercise, text.to_owned()));
    }
    let path = Path::new(name);
    if path.extension().is_some_and(|ending| ending == "md") {
        let named = |why: String| ConfigError(format!("{}: {why}", path.display()));
        let text = text_of(path, true).map_err(ConfigError)?.unwrap_or_default();
        let text = tabletop::from_markdown(&text).map_err(named)?;
        let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let exercise = Exercise::parse(&stem, &text).map_err(|flaw| named(flaw.to_string()))?;
        return Ok((exercise, text));
    }
    if path.extension().is_none_or(|ending| ending != "toml") {
        let known: Vec<_> = SHIPPED.iter().map(|(known, _, _)| *known).collect();
        let name = CleanStr::new(name);
        return Err(ConfigError(format!(
            "there is no exercise `{}`: choose {}, or name a file that ends in .toml, or in .md for a tabletop",
            fit(&name, 60),
            known.join(", ")
        )));
    }
    let text = text_of(path, true).map_err(ConfigError)?.unwrap_or_default();
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let exercise = Exercise::parse(&stem, &text).map_err(|flaw| ConfigError(flaw.to_string()))?;
    Ok((exercise, text))
}
