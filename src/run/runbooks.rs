//! The runbook that an alert names, as a file of this machine.
//!
//! Hides how an address becomes a file: by the end of its path, below the configured folders, with or without `.md`, whatever its case.
//!
//! Invariant: only Markdown below a configured folder is read, however the address is spelled; nothing is fetched.

use std::path::{Path, PathBuf};

use crate::text::{CleanStr, CleanText};

/// No runbook is longer, in bytes.
const LONGEST: u64 = 1024 * 1024;
/// How files of Markdown end.
const ENDINGS: [&str; 2] = ["md", "markdown"];
/// Folders are looked through so deep, and no more files than this are.
const DEEPEST: usize = 6;
const MOST_FILES: usize = 20_000;

/// The runbook of an address: where it stands, and its text from the heading on that the address names.
pub(super) fn read(folders: &[PathBuf], address: &str) -> Result<(PathBuf, CleanText), String> {
    let (path, heading) = address.split_once('#').unwrap_or((address, ""));
    let path = path.split_once('?').map_or(path, |(path, _)| path);
    let path = path.split_once("://").map_or(path, |(_, rest)| rest.split_once('/').map_or("", |(_, path)| path));
    let wanted: Vec<String> = path.split('/').filter(|part| !part.is_empty()).map(bare).collect();
    let Some(last) = wanted.last() else { return Err("the address names no page".to_owned()) };
    if folders.is_empty() {
        return Err("no folder of runbooks is configured: `runbooks` in [playbooks]".to_owned());
    }
    let (mut files, mut unread) = (Vec::new(), Vec::new());
    for folder in folders {
        if let Err(error) = collect(folder, 0, &mut files) {
            unread.push(format!("{}: {error}", folder.display()));
        }
    }
    // The more of the address' end a file's path has, the likelier it is the one.
    let same = |file: &Path| {
        let parts: Vec<String> =
            file.components().rev().map(|part| bare(&part.as_os_str().to_string_lossy())).collect();
        parts.iter().zip(wanted.iter().rev()).take_while(|(one, other)| one == other).count()
    };
    let best = files.into_iter().map(|file| (same(&file), file)).filter(|(same, _)| *same > 0);
    let best = best.max_by(|one, other| one.0.cmp(&other.0).then_with(|| other.1.cmp(&one.1)));
    let Some((_, file)) = best else {
        return Err(match unread.first() {
            None => format!("no file {last}.md is in the folders of runbooks"),
            Some(why) => format!("whether the folders of runbooks have {last}.md is not known: {why}"),
        });
    };
    let length = std::fs::metadata(&file).map_err(|error| format!("{}: {error}", file.display()))?.len();
    if length > LONGEST {
        return Err(format!("{} is longer than a runbook", file.display()));
    }
    let text = std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok((file, CleanText::new(from_heading(&text, heading))))
}

/// A part of a path without its ending, in small letters.
fn bare(part: &str) -> String {
    let ending = part.rsplit_once('.').filter(|(_, ending)| ENDINGS.contains(&ending.to_ascii_lowercase().as_str()));
    ending.map_or(part, |(name, _)| name).to_lowercase()
}

/// Collects the files below a folder; all that can be read, and the first folder that cannot.
fn collect(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    let mut end = Ok(());
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        // A link may lead anywhere: it is not followed.
        let (kind, path) = (entry.file_type()?, entry.path());
        if files.len() >= MOST_FILES {
            return end.and(Err(std::io::Error::other(format!("it holds more than {MOST_FILES} files"))));
        }
        if kind.is_dir() && depth < DEEPEST {
            end = end.and(collect(&path, depth + 1, files));
        } else if kind.is_file()
            && path.extension().is_some_and(|ending| ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known)))
        {
            files.push(path);
        }
    }
    end
}

/// The text from the heading on that an address names, as forges make names of headings; all of it where there is none.
fn from_heading<'a>(text: &'a str, named: &str) -> &'a str {
    let slug = |line: &str| -> String {
        let words = line.trim_start_matches('#').trim().to_lowercase();
        let kept = words.chars().filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_'));
        kept.map(|letter| if letter == ' ' { '-' } else { letter }).collect()
    };
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if !named.is_empty() && line.starts_with('#') && slug(line) == named.to_lowercase() {
            return &text[at..];
        }
        at += line.len();
    }
    text
}

/// An address as a terminal may get it in a link: of the web, without anything but plain letters.
pub(super) fn linkable(address: &str) -> Option<CleanStr> {
    let is_web = ["http://", "https://"].iter().any(|scheme| address.starts_with(scheme));
    let is_plain = address.bytes().all(|letter| letter.is_ascii_graphic());
    (is_web && is_plain && address.len() <= 2_000).then(|| address.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runbook_s_address_becomes_the_file_that_has_most_of_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("kubernetes/KubePodCrashLooping.md", "# KubePodCrashLooping\n\n## Meaning\n\nIt restarts.\n");
        write("etcd/KubePodCrashLooping.md", "the other one");
        write("node/NodeFilesystemFillingUp.markdown", "full");
        write("node/secret.txt", "no");
        let folders = [folder.path().to_owned()];
        let text = |address: &str| read(&folders, address).map(|(_, text)| text.to_string());
        for address in [
            "https://runbooks.prometheus-operator.dev/runbooks/kubernetes/kubepodcrashlooping",
            "https://github.com/bank/runbooks/blob/main/kubernetes/KubePodCrashLooping.md?plain=1",
            "kubernetes/KubePodCrashLooping",
        ] {
            assert!(text(address).unwrap().starts_with("# KubePodCrashLooping"), "{address}");
        }
        assert_eq!(text("https://x/kubernetes/kubepodcrashlooping#meaning").unwrap(), "## Meaning\n\nIt restarts.\n");
        assert_eq!(text("https://x/NodeFilesystemFillingUp/").unwrap(), "full");
        for address in ["https://x/node/secret.txt", "https://x/../../etc/passwd", "https://x/", "https://x/nothing"] {
            assert!(text(address).is_err(), "{address}");
        }
        assert!(read(&[], "https://x/a").unwrap_err().contains("no folder of runbooks is configured"));
        #[cfg(unix)]
        {
            let outside = tempfile::tempdir().unwrap();
            std::fs::write(outside.path().join("Away.md"), "elsewhere").unwrap();
            std::os::unix::fs::symlink(outside.path().join("Away.md"), folder.path().join("Away.md")).unwrap();
            assert!(text("https://x/Away").is_err(), "a link is not followed");
        }
    }

    #[test]
    fn a_folder_that_cannot_be_read_is_not_one_without_the_runbook() {
        let folder = tempfile::tempdir().unwrap();
        let gone = folder.path().join("gone");
        let why = read(&[folder.path().to_owned(), gone], "https://x/Any").unwrap_err();
        assert!(why.starts_with("whether the folders of runbooks have any.md is not known: "), "{why}");
        assert!(read(&[folder.path().to_owned()], "https://x/Any").unwrap_err().starts_with("no file any.md"));
    }

    #[test]
    fn only_a_plain_address_of_the_web_is_given_to_the_terminal() {
        assert!(linkable("https://runbooks.example/a?b=c#d").is_some());
        for address in
            ["javascript:alert(1)", "https://x/\u{1b}]8;;evil", "https://x/a b", "file:///etc/passwd", "https://x/é"]
        {
            assert_eq!(linkable(address), None, "{address}");
        }
    }
}
