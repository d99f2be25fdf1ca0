//! What is half-typed and belongs to no record: the form that declares an incident.
//!
//! Hides a folder in the account's state folder with one file per console. A console holds its file locked while it lives; what one that is gone left
//! there goes to the next one that starts.
//!
//! Invariant: no secret is in such a file: it is masked like everything that reaches the disk.

use std::collections::BTreeMap;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::text::half_typed::HalfTyped;

/// No file that a console wrote is larger, in bytes.
const MOST_BYTES: u64 = 1024 * 1024;

/// The half-typed forms of this console that belong to no record.
pub(super) struct Unrecorded {
    folder: PathBuf,
    console: String,
    forms: BTreeMap<String, HalfTyped>,
    /// This console's file, once it wrote one, and locked as long as it lives.
    file: Option<File>,
    /// Why the last of it is not on the disk.
    failed: Option<String>,
}

impl Unrecorded {
    /// Those of a console whose log is in this place.
    pub(super) fn new(log: &Path, console: &str) -> Self {
        let folder = log.with_file_name("half-typed");
        Self { folder, console: console.to_owned(), forms: BTreeMap::new(), file: None, failed: None }
    }

    /// Takes over what consoles that are gone had left.
    pub(super) fn adopt(&mut self) -> Vec<(String, HalfTyped)> {
        let Ok(listed) = std::fs::read_dir(&self.folder) else { return Vec::new() };
        let mut paths: Vec<PathBuf> = listed.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        let mut left = Vec::new();
        for path in paths.iter().filter(|path| path.extension().is_some_and(|ext| ext == "json")) {
            let Ok(mut file) = OpenOptions::new().read(true).write(true).open(path) else { continue };
            // Whoever holds it lives.
            if file.try_lock().is_err() {
                continue;
            }
            let mut text = String::new();
            let read = Read::by_ref(&mut file).take(MOST_BYTES).read_to_string(&mut text);
            let forms = match read.map(|_| serde_json::from_str::<BTreeMap<String, HalfTyped>>(&text)) {
                Ok(Ok(forms)) => forms,
                // Made a moment before its console was killed: nothing was typed there.
                Ok(Err(_)) if text.is_empty() => BTreeMap::new(),
                // What cannot be read is not nothing: it stays where it is.
                Ok(Err(error)) => {
                    tracing::warn!("{}: half-typed forms cannot be read: {error}", path.display());
                    continue;
                }
                Err(error) => {
                    tracing::warn!("{}: half-typed forms cannot be read: {error}", path.display());
                    continue;
                }
            };
            self.forms.extend(forms);
            left.push((path, file));
        }
        if left.is_empty() {
            return Vec::new();
        }
        // The others go once their texts are in the own file.
        if self.forms.is_empty() || self.write().is_ok() {
            for (path, _locked) in &left {
                let _ = std::fs::remove_file(path);
            }
        }
        self.forms.clone().into_iter().collect()
    }

    /// Keeps what is half-typed in a form, or forgets it; what is to be said where the disk begins to refuse it.
    pub(super) fn keep(&mut self, form: String, half: Option<HalfTyped>) -> Option<String> {
        match half {
            Some(half) => drop(self.forms.insert(form, half.map(|text| crate::vault::mask().mask_unfinished(text)))),
            None => drop(self.forms.remove(&form)),
        }
        self.write_again()
    }

    /// Tries once more what the disk refused.
    fn write_again(&mut self) -> Option<String> {
        let failed = self.write().err().map(|error| error.to_string());
        let is_new = failed.is_some() && self.failed.is_none();
        self.failed = failed;
        self.failed.as_ref().filter(|_| is_new).map(|why| {
            tracing::warn!(why, "what is half-typed for a new incident is not kept on disk");
            format!("what is half-typed for a new incident stays here, but is NOT ON DISK: {why}")
        })
    }

    /// What a console that ends must say: the words themselves, where the disk did not take them even now.
    pub(super) fn unkept(&mut self) -> Option<String> {
        self.failed.as_ref()?;
        self.write_again();
        let why = self.failed.as_ref()?;
        let texts: Vec<String> = self.forms.values().map(HalfTyped::text).collect();
        (!texts.is_empty())
            .then(|| format!("NOT ON DISK ({why}): half-typed for a new incident:\n{}", texts.join("\n")))
    }

    /// Writes all of it beside the file that is there, and takes that one's place: a reader never sees half of it.
    fn write(&mut self) -> io::Result<()> {
        let path = self.folder.join(format!("{}.json", self.console));
        if self.forms.is_empty() {
            if self.file.take().is_some() {
                std::fs::remove_file(&path)?;
            }
            return Ok(());
        }
        DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
        let fresh = self.folder.join(format!("{}.new", self.console));
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
        file.try_lock()?;
        file.write_all(&serde_json::to_vec(&self.forms)?)?;
        std::fs::rename(&fresh, &path)?;
        self.file = Some(file);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn half(text: &str) -> HalfTyped {
        HalfTyped { texts: vec![Some(text.to_owned()), None], choices: Vec::new() }
    }

    #[test]
    fn what_the_disk_refuses_is_said_once_and_in_words_at_the_end_unless_it_takes_it_after_all() {
        let folder = tempfile::tempdir().unwrap();
        // No folder can be made where a file stands.
        let in_the_way = folder.path().join("half-typed");
        std::fs::write(&in_the_way, "").unwrap();
        let mut typed = Unrecorded::new(&folder.path().join("log"), "c1");
        let said = typed.keep("Declare".to_owned(), Some(half("refunds")));
        assert!(said.as_ref().is_some_and(|said| said.contains("NOT ON DISK")), "{said:?}");
        assert_eq!(typed.keep("Declare".to_owned(), Some(half("refunds fail é متن"))), None, "said already");
        let last = typed.unkept().unwrap();
        assert!(last.ends_with("half-typed for a new incident:\nrefunds fail é متن"), "{last}");
        std::fs::remove_file(&in_the_way).unwrap();
        assert_eq!(typed.unkept(), None);
        drop(typed);
        let mut next = Unrecorded::new(&folder.path().join("log"), "c2");
        assert_eq!(next.adopt(), [("Declare".to_owned(), half("refunds fail é متن"))]);
    }

    #[test]
    fn a_title_typed_before_there_is_a_record_goes_to_the_next_console_once_its_own_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let mut first = Unrecorded::new(&log, "c1");
        first.keep("Declare".to_owned(), Some(half("refunds fail, token ghp_0123456789abcdefghijABCDEFGHIJ012345")));
        let mut second = Unrecorded::new(&log, "c2");
        assert_eq!(second.adopt(), [], "its own console lives");
        drop(first);
        let adopted = second.adopt();
        assert_eq!(adopted.len(), 1);
        assert!(adopted[0].1.text().starts_with("refunds fail"), "{adopted:?}");
        assert!(!adopted[0].1.text().contains("ghp_"), "a secret was on the disk");
        drop(second);
        let mut third = Unrecorded::new(&log, "c3");
        assert_eq!(third.adopt(), adopted);
        third.keep("Declare".to_owned(), None);
        drop(third);
        assert_eq!(Unrecorded::new(&log, "c4").adopt(), [], "what was sent does not come back");
    }

    #[test]
    fn a_file_of_half_typed_forms_that_cannot_be_read_stays_where_it_is() {
        let home = tempfile::tempdir().unwrap();
        let log = home.path().join("log");
        let folder = home.path().join("half-typed");
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("c1.json"), b"{\"declare\": cut").unwrap();
        std::fs::write(folder.join("c2.json"), b"").unwrap();
        assert_eq!(Unrecorded::new(&log, "c3").adopt(), []);
        assert!(folder.join("c1.json").exists() && !folder.join("c2.json").exists());
    }
}
