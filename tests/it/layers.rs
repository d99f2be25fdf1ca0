//! The layers of `src/lib.rs`, read from the sources: an import that points up fails here, with its file and line.

use std::fs;
use std::path::{Path, PathBuf};

/// What each top-level module may use of the others.
const MAY_USE: &[(&str, &[&str])] = &[
    ("incident", &["oncall", "text"]),
    ("text", &[]),
    ("checkup", &["text"]),
    ("output", &["incident", "text"]),
    ("slo", &["incident", "text"]),
    ("spans", &["slo", "text"]),
    ("alert", &["incident", "text"]),
    ("change", &["incident", "text"]),
    ("oncall", &["text"]),
    ("escalation", &["incident", "oncall", "playbook", "text"]),
    ("live", &["alert", "change", "slo", "spans", "text"]),
    ("playbook", &["incident", "slo", "spans", "text"]),
    ("exercise", &["alert", "incident", "live", "playbook", "slo", "spans", "text"]),
    ("template", &["incident", "playbook", "text"]),
    ("resolution", &["incident", "live", "playbook", "slo", "spans", "text"]),
    ("reach", &["incident", "oncall", "text"]),
    ("report", &["exercise", "incident", "oncall", "playbook", "text"]),
    ("theme", &["text"]),
    ("widget", &["text", "theme"]),
    (
        "pane",
        &[
            "alert",
            "change",
            "escalation",
            "exercise",
            "incident",
            "live",
            "oncall",
            "output",
            "playbook",
            "reach",
            "resolution",
            "slo",
            "spans",
            "template",
            "text",
            "theme",
            "widget",
        ],
    ),
    (
        "console",
        &[
            "alert",
            "change",
            "escalation",
            "exercise",
            "incident",
            "live",
            "oncall",
            "output",
            "pane",
            "playbook",
            "reach",
            "resolution",
            "slo",
            "spans",
            "template",
            "text",
            "theme",
            "widget",
        ],
    ),
    ("clock", &[]),
    ("vault", &["text"]),
    ("journal", &["change", "clock", "incident", "text", "vault"]),
    ("source", &["alert", "change", "clock", "exercise", "incident", "live", "slo", "spans", "text", "vault"]),
    (
        "config",
        // Of the systems that are written to it reads what they are, which is data.
        &[
            "alert",
            "channel",
            "escalation",
            "exercise",
            "incident",
            "oncall",
            "playbook",
            "reach",
            "template",
            "text",
            "theme",
        ],
    ),
    ("runner", &["clock", "incident", "journal", "text", "vault"]),
    ("channel", &["change", "checkup", "clock", "incident", "oncall", "reach", "source", "text", "vault"]),
    ("run", &["*"]),
    ("cli", &["*"]),
    ("main", &["cli"]),
    ("lib", &["*"]),
];

/// Words that a pure module does not have.
const IMPURE: [&str; 9] = [
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
    "std::thread",
    "std::sync::Mutex",
    "tokio::",
    "async fn",
    "reqwest",
];

const PURE: [&str; 17] = [
    "alert",
    "change",
    "checkup",
    "escalation",
    "exercise",
    "incident",
    "live",
    "oncall",
    "output",
    "playbook",
    "reach",
    "report",
    "resolution",
    "slo",
    "spans",
    "template",
    "text",
];

#[test]
fn imports_point_down_only() {
    let mut wrong = Vec::new();
    for (file, module, line, code) in lines() {
        let allowed = MAY_USE.iter().find(|(name, _)| *name == module).map(|(_, allowed)| *allowed);
        let allowed =
            allowed.unwrap_or_else(|| panic!("{module} is in no layer: add it to this test and to src/lib.rs"));
        for used in uses(&code) {
            if used != module && !allowed.contains(&"*") && !allowed.contains(&used.as_str()) {
                wrong.push(format!("{}:{line}: {module} must not use {used}", file.display()));
            }
        }
        if PURE.contains(&module.as_str()) {
            for word in IMPURE {
                if code.contains(word) {
                    wrong.push(format!("{}:{line}: {module} is pure: no {word}", file.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_pane_knows_another_and_no_source_another() {
    let mut wrong = Vec::new();
    for (folder, shared) in [("pane", &["due"][..]), ("source", &["http", "auth", "below", "gate", "labels"][..])] {
        for (file, module, line, code) in lines() {
            let Some(own) = part_of(&file, folder).filter(|_| module == folder) else { continue };
            for prefix in [format!("crate::{folder}::"), "super::".to_owned()] {
                let is_direct =
                    prefix.starts_with("crate") || file.parent().is_some_and(|parent| parent.ends_with(folder));
                let Some(rest) =
                    code.trim().strip_prefix("use ").and_then(|code| code.strip_prefix(&prefix)).filter(|_| is_direct)
                else {
                    continue;
                };
                let used: String =
                    rest.chars().take_while(|letter| letter.is_ascii_lowercase() || *letter == '_').collect();
                let is_sibling = Path::new("src").join(folder).join(format!("{used}.rs")).exists();
                if is_sibling && used != own && !shared.contains(&used.as_str()) {
                    wrong.push(format!("{}:{line}: {own} must not know {used}", file.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The type says `must_use` and ends a debug build that drops effects; these two ways around it are for places without a shell.
#[test]
fn nobody_gives_up_the_effects_of_a_console_but_a_picture() {
    let mut wrong = Vec::new();
    for (file, _, line, code) in lines() {
        let gives_up = code.contains(".forgo()") && !file.ends_with("run/picture.rs");
        let drops = code.contains("let _ =") && code.contains(".handle(");
        if gives_up || drops {
            wrong.push(format!("{}:{line}: effects are performed, or never happen", file.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_file_grows_beyond_what_one_can_hold_in_mind() {
    for file in files(Path::new("src")) {
        let text = fs::read_to_string(&file).unwrap();
        let own = text.split("#[cfg(test)]").next().unwrap_or_default().lines().count();
        assert!(own <= 800, "{} has {own} lines without its tests: split it", file.display());
    }
}

/// In a folder that another account can write, a path may lead anywhere: `journal/folder.rs` alone opens, makes and removes there.
#[test]
fn a_shared_folder_is_gone_into_by_one_door() {
    const DOOR: &str = "src/journal/folder.rs";
    // What this account alone can write, the kernel's own files, and the programs that are run.
    const ELSEWHERE: [&str; 5] = [
        "src/journal/ledger.rs",
        "src/journal/process.rs",
        "src/runner/given.rs",
        "src/runner/left.rs",
        "src/runner/look.rs",
    ];
    const WAYS: [&str; 26] = [
        "File::open",
        "File::create",
        "File::options",
        "OpenOptions",
        "DirBuilder",
        "fs::read",
        "fs::write",
        "fs::rename",
        "fs::remove_",
        "fs::copy",
        "fs::hard_link",
        "fs::create_dir",
        "fs::metadata",
        "fs::symlink_metadata",
        "fs::set_permissions",
        "fs::open",
        "fs::openat",
        "fs::mkdir",
        "fs::mknod",
        "fs::chmod",
        "fs::unlink",
        "fs::stat(",
        "flock(",
        ".exists()",
        ".is_dir()",
        ".is_file()",
    ];
    let mut wrong = Vec::new();
    for (file, module, line, code) in lines() {
        let is_allowed = file == Path::new(DOOR) || ELSEWHERE.iter().any(|other| file == Path::new(other));
        if (module == "journal" || module == "runner")
            && !is_allowed
            && let Some(way) = WAYS.iter().find(|way| code.contains(**way))
        {
            wrong.push(format!("{}:{line}: {way}: go through journal::Folder", file.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is printed is cleaned where it is printed: `cli/out.rs` and `say_error` for what a person reads, line mode's own streams.
#[test]
fn stdout_and_stderr_are_written_to_by_one_door_each() {
    // Beside them: what a command prints goes on as it is, the terminal's own mechanics are no text, a keeper answers
    // the console that began it, and a minder has the terminal there.
    const DOORS: [&str; 6] =
        ["cli/out.rs", "run/plain/streams.rs", "runner/echo.rs", "run/tty.rs", "run/keeper.rs", "run/minder.rs"];
    let mut wrong = Vec::new();
    for (file, _, line, code) in lines() {
        let asks = code.contains("is_terminal()")
            || code.contains("tcgetwinsize(")
            || code.contains("isatty(")
            || code.contains("io::dup(")
            || code.contains("PollFd::from_borrowed_fd(")
            || code.contains("use_stderr()");
        let writes = ["stdout()", "stderr()", "println!(", "print!(", "dbg!("].iter().any(|way| code.contains(way));
        // What was cleaned in the same line, and words of ours with nothing put in.
        let is_clean = code.contains("text::shown(") || (code.contains("write!(") && !code.contains('{'));
        let is_door = is_clean || DOORS.iter().any(|door| file.ends_with(door));
        if writes && !asks && !is_door {
            wrong.push(format!("{}:{line}: {}", file.display(), code.trim()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Lines of code outside comments and test modules: file, top-level module, line number, code.
fn lines() -> Vec<(PathBuf, String, usize, String)> {
    let mut all = Vec::new();
    for file in files(Path::new("src")) {
        // A test builds its world from wherever it likes.
        if file.ends_with("tests.rs") || file.components().any(|part| part.as_os_str() == "tests") {
            continue;
        }
        let first = file.components().nth(1).unwrap().as_os_str().to_str().unwrap();
        let module = first.trim_end_matches(".rs").to_owned();
        let text = fs::read_to_string(&file).unwrap();
        for (place, line) in text.lines().enumerate().take_while(|(_, line)| line.trim() != "#[cfg(test)]") {
            let code = line.split("//").next().unwrap_or_default();
            all.push((file.clone(), module.clone(), place + 1, code.to_owned()));
        }
    }
    all
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            all.push(path);
        }
    }
    all.sort();
    all
}

/// The top-level modules that a line of code names.
fn uses(code: &str) -> Vec<String> {
    let name = |rest: &str| {
        rest.chars().take_while(|letter| letter.is_ascii_lowercase() || *letter == '_').collect::<String>()
    };
    code.split("crate::").skip(1).map(name).filter(|name| !name.is_empty()).collect()
}

/// The file or folder below `src/<folder>/` that a file belongs to.
fn part_of(file: &Path, folder: &str) -> Option<String> {
    let rest = file.strip_prefix(Path::new("src").join(folder)).ok()?;
    Some(rest.components().next()?.as_os_str().to_str()?.trim_end_matches(".rs").to_owned())
}
