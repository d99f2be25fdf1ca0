//! README says what is so: its key table and its picture come from the program, its commands exist.

use std::process::Command;

fn warroom(args: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_warroom")).args(args).output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn readmes_key_table_is_the_programs() {
    let readme = std::fs::read_to_string("README.md").unwrap();
    let (_, after) = readme.split_once("<!-- keys -->\n").unwrap();
    let (table, _) = after.split_once("<!-- /keys -->").unwrap();
    assert_eq!(table.trim(), warroom(&["keys", "--markdown"]).trim(), "paste what `warroom keys --markdown` prints");
}

#[test]
fn readmes_table_of_commands_is_the_programs() {
    let readme = std::fs::read_to_string("README.md").unwrap();
    let (_, after) = readme.split_once("<!-- commands -->\n").unwrap();
    let (table, _) = after.split_once("<!-- /commands -->").unwrap();
    let now = warroom(&["keys", "--commands", "--markdown"]);
    assert_eq!(table.trim(), now.trim(), "paste what `warroom keys --commands --markdown` prints");
}

#[test]
fn the_manual_s_table_of_calls_is_the_programs() {
    let manual = std::fs::read_to_string("docs/calls.md").unwrap();
    assert_eq!(manual.trim(), warroom(&["doctor", "--explain"]).trim(), "paste what `warroom doctor --explain` prints");
}

#[test]
fn readmes_picture_is_the_screen() {
    let picture = std::fs::read_to_string("assets/screen.svg").unwrap();
    let now = warroom(&["picture"]);
    assert!(picture == now, "the screen changed: cargo run --release -- picture > assets/screen.svg");
}

#[test]
fn the_commands_of_readme_exist() {
    for command in [
        "open", "gameday", "declare", "alerts", "list", "show", "note", "journal", "playbook", "config", "keys",
        "oncall", "change", "changes", "template",
    ] {
        assert!(warroom(&[command, "--help"]).contains("Usage"), "{command}");
    }
    for flag in ["--prometheus", "--alertmanager", "--jaeger", "--role", "--wall", "--plain", "--read-only"] {
        assert!(warroom(&["open", "--help"]).contains(flag), "{flag}");
    }
}

#[test]
fn help_and_readme_have_the_same_exit_statuses_and_help_explains_a_subcommand() {
    let readme = std::fs::read_to_string("README.md").unwrap();
    let help = warroom(&["--help"]);
    let (_, table) = help.split_once("Exit statuses:\n").unwrap();
    let rows: Vec<_> = table.lines().filter_map(|line| line.trim().split_once("  ")).collect();
    assert!(rows.len() >= 6, "{table}");
    for (status, means) in rows {
        let row = format!("| {} | {} |", status.trim(), means.trim());
        assert!(readme.contains(&row), "README lacks {row}");
    }
    assert!(warroom(&["help", "note"]).contains("Write a line on the timeline"));
}
