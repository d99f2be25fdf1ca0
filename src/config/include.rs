//! The whole of a playbook that says `include`, and the playbooks of a file that is of several services.
//!
//! A step that is `include = "common/freeze.toml"` and nothing else stands for the steps of that file. What comes out is one text: the version that an
//! incident goes by, its digest and what people read hold everything, whatever happens to the parts afterwards.
//!
//! Hides paths: a part lies in the playbook's folder or below it, by its real name too, and includes nothing that includes it.
//!
//! Invariant: nothing is left out or put in without a line that says so with the part's name and digest.

use std::path::{Component, Path, PathBuf};

use super::layers::text_of;
use crate::text::CleanStr;

/// So deep may parts include parts.
const DEEPEST: usize = 8;
/// So long may the whole be, in bytes.
const LONGEST: usize = 256 * 1024;
/// What begins a step.
const STEP: &str = "[[steps]]";

/// The texts of the playbooks of a file: one for each service that it names.
pub(super) fn whole(file: &Path, text: &str) -> Result<Vec<String>, String> {
    let named = |why: String| format!("{}: {why}", CleanStr::new(&file.to_string_lossy()));
    let root = file.parent().map(Path::to_owned).unwrap_or_default();
    let real = std::fs::canonicalize(file).map_err(|error| named(error.to_string()))?;
    let whole = expand(&root, text, &mut vec![real]).map_err(named)?;
    Ok(of_each(&whole))
}

fn expand(root: &Path, text: &str, above: &mut Vec<PathBuf>) -> Result<String, String> {
    let mut out = String::with_capacity(text.len());
    let mut lines = text.split_inclusive('\n').peekable();
    while let Some(line) = lines.next() {
        if line.trim() != STEP {
            out.push_str(line);
            continue;
        }
        // Blank lines and comments may stand before what the step says first.
        let mut head = line.to_owned();
        while let Some(next) = lines.next_if(|next| next.trim().is_empty() || next.trim_start().starts_with('#')) {
            head.push_str(next);
        }
        let Some(name) = lines.peek().and_then(|next| included(next)) else {
            out.push_str(&head);
            continue;
        };
        lines.next();
        while lines.next_if(|next| next.trim().is_empty() || next.trim_start().starts_with('#')).is_some() {}
        if lines.peek().is_some_and(|next| !next.trim_start().starts_with('[')) {
            return Err(format!("a step that says include = \"{name}\" says nothing else"));
        }
        out.push_str(&part(root, &name, above)?);
        if out.len() > LONGEST {
            return Err(format!("is longer than {} KB with what it includes", LONGEST / 1024));
        }
    }
    Ok(out)
}

/// The name in `include = "…"`.
fn included(line: &str) -> Option<String> {
    let rest = line.trim().strip_prefix("include")?.trim_start().strip_prefix('=')?.trim_start();
    let (name, after) = rest.strip_prefix('"')?.split_once('"')?;
    let after = after.trim();
    (after.is_empty() || after.starts_with('#')).then(|| name.to_owned())
}

/// The steps of a part, between two lines that name it.
fn part(root: &Path, name: &str, above: &mut Vec<PathBuf>) -> Result<String, String> {
    let wrong = |why: &str| format!("include \"{}\": {why}", CleanStr::new(name));
    if name.is_empty() || !Path::new(name).components().all(|one| matches!(one, Component::Normal(_))) {
        return Err(wrong("a part lies below the playbook's folder: write a name such as common/freeze.toml"));
    }
    let file = root.join(name);
    let real = std::fs::canonicalize(&file).map_err(|error| wrong(&error.to_string()))?;
    let home = std::fs::canonicalize(root).map_err(|error| wrong(&error.to_string()))?;
    if !real.starts_with(&home) {
        return Err(wrong("leads out of the playbook's folder"));
    }
    if above.contains(&real) {
        return Err(wrong("includes itself"));
    }
    if above.len() > DEEPEST {
        return Err(wrong("lies too deep: a part of a part of a part is enough"));
    }
    let text = text_of(&file, true).map_err(|why| wrong(&why))?.unwrap_or_default();
    let table: toml::Table = toml::from_str(&text).map_err(|error| wrong(error.message()))?;
    if let Some(other) = table.keys().find(|key| key.as_str() != "steps") {
        return Err(wrong(&format!("has `{other}`: a part has [[steps]] and nothing else")));
    }
    above.push(real);
    let steps = expand(root, &text, above)?;
    above.pop();
    let digest = blake3::hash(text.as_bytes()).to_hex();
    let end = if steps.ends_with('\n') { "" } else { "\n" };
    Ok(format!("# included: {name} ({:.16})\n{steps}{end}# end of {name}\n", digest.as_str()))
}

/// A text for each service of `services = ["a", "b"]`, in which `{service}` in the names stands for it; else the text itself.
fn of_each(text: &str) -> Vec<String> {
    let top = || text.split_inclusive('\n').take_while(|line| !line.trim_start().starts_with('['));
    let Some(list) = top().find(|line| line.trim_start().starts_with("services")) else { return vec![text.to_owned()] };
    let names = list.trim().strip_prefix("services").and_then(|rest| rest.trim_start().strip_prefix('='));
    let names = names.and_then(|list| toml::from_str::<toml::Table>(&format!("all = {list}")).ok());
    let names = names.as_ref().and_then(|table| table["all"].as_array());
    let names: Option<Vec<&str>> = names.and_then(|all| all.iter().map(toml::Value::as_str).collect());
    let Some(names) = names.filter(|names| !names.is_empty()) else { return vec![text.to_owned()] };
    let of = |service: &&str| {
        let line = |line: &str| {
            let is_name = ["name", "public-name"]
                .iter()
                .any(|key| line.strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with('=')));
            if line == list {
                format!("service = {}\n", toml::Value::from(*service))
            } else if is_name {
                line.replace("{service}", service)
            } else {
                line.to_owned()
            }
        };
        text.split_inclusive('\n').map(line).collect()
    };
    names.iter().map(of).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    fn read(folder: &tempfile::TempDir, name: &str) -> Result<Vec<String>, String> {
        let file = folder.path().join(name);
        whole(&file, &fs::read_to_string(&file).unwrap())
    }

    #[test]
    fn a_step_that_includes_a_file_stands_for_its_steps_and_the_text_says_so() {
        let freeze = "[[steps]]\nid = \"freeze\"\n\n[[steps]]\ninclude = \"common/tell.toml\"\n";
        let folder = folder(&[
            (
                "a.toml",
                "service = \"a\"\n\n[[steps]]\n# shared\ninclude = \"common/freeze.toml\"\n\n[[steps]]\nid = \"own\"\n",
            ),
            ("common/freeze.toml", freeze),
            ("common/tell.toml", "[[steps]]\nid = \"tell\""),
        ]);
        let texts = read(&folder, "a.toml").unwrap();
        let [text] = &texts[..] else { panic!("one service") };
        let table: toml::Table = toml::from_str(text).unwrap();
        let ids: Vec<_> = table["steps"].as_array().unwrap().iter().map(|step| step["id"].as_str().unwrap()).collect();
        assert_eq!(ids, ["freeze", "tell", "own"]);
        assert!(text.contains("# included: common/freeze.toml (") && text.contains("# end of common/tell.toml"));
        fs::write(folder.path().join("common/tell.toml"), "[[steps]]\nid = \"tells\"\n").unwrap();
        assert_ne!(read(&folder, "a.toml").unwrap(), texts, "a change of a part is another version");
    }

    #[test]
    fn a_part_lies_in_the_folder_includes_nothing_above_it_and_has_steps_alone() {
        let folder = folder(&[
            ("out.toml", "[[steps]]\ninclude = \"../x.toml\"\n"),
            ("abs.toml", "[[steps]]\ninclude = \"/etc/hostname\"\n"),
            ("gone.toml", "[[steps]]\ninclude = \"common/none.toml\"\n"),
            ("self.toml", "[[steps]]\ninclude = \"self.toml\"\n"),
            ("ring.toml", "[[steps]]\ninclude = \"common/b.toml\"\n"),
            ("common/b.toml", "[[steps]]\ninclude = \"common/c.toml\"\n"),
            ("common/c.toml", "[[steps]]\ninclude = \"common/b.toml\"\n"),
            ("more.toml", "[[steps]]\ninclude = \"common/d.toml\"\nid = \"x\"\n"),
            ("keys.toml", "[[steps]]\ninclude = \"common/d.toml\"\n"),
            ("common/d.toml", "owner = \"x\"\n"),
        ]);
        std::os::unix::fs::symlink("/etc/hostname", folder.path().join("common/link.toml")).unwrap();
        fs::write(folder.path().join("link.toml"), "[[steps]]\ninclude = \"common/link.toml\"\n").unwrap();
        for (name, why) in [
            ("out.toml", "below the playbook's folder"),
            ("abs.toml", "below the playbook's folder"),
            ("gone.toml", "No such file"),
            ("self.toml", "includes itself"),
            ("ring.toml", "includes itself"),
            ("more.toml", "says nothing else"),
            ("keys.toml", "has `owner`"),
            ("link.toml", "leads out of"),
        ] {
            let said = read(&folder, name).unwrap_err();
            assert!(said.contains(why) && said.contains(name), "{said}");
        }
    }

    #[test]
    fn a_file_of_several_services_is_a_playbook_of_each() {
        let text =
            "services = [\"a\", \"b\"]\nname = \"The {service}\"\nowner = \"x\"\n\n[[steps]]\nlook = \"{service}\"\n";
        let folder = folder(&[("both.toml", text)]);
        let one = |name: &str| {
            format!("service = \"{name}\"\nname = \"The {name}\"\nowner = \"x\"\n\n[[steps]]\nlook = \"{{service}}\"\n")
        };
        assert_eq!(read(&folder, "both.toml").unwrap(), [one("a"), one("b")]);
    }
}
