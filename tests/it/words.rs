//! The words that go out, from files: the folder of templates, and what `warroom template` says of them.

use std::fs;
use std::path::Path;
use std::process::Command;

use warroom::config::files;
use warroom::template::{Audience, Facts, Status, TemplateName};

const OWN: &str =
    "{# owner: Comms; reviewed: 2026-02-01; promise: 20m #}\nWe work on {{ service }}. Next update in 20 minutes.\n";

fn template(home: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let arguments: Vec<&str> = std::iter::once("template").chain(arguments.iter().copied()).collect();
    warroom(home, &arguments)
}

/// Exit status, stdout and stderr.
fn warroom(home: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_warroom"))
        .args(arguments)
        .env("XDG_CONFIG_HOME", home.join("config"))
        .env("XDG_STATE_HOME", home.join("state"))
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn a_folder_of_templates_lies_over_the_shipped_ones_and_what_cannot_be_read_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &[u8]| fs::write(folder.path().join(name), text).unwrap();
    write("external-investigating.txt", OWN.as_bytes());
    write("external-identified.txt", b"{# owner: Comms; reviewed: 2026-02-01 #}\n\xff");
    write("slack-resolved.txt", &[b'#'; 300_000]);
    write("notes.md", b"no template");
    write(".slack-monitoring.txt", b"no template either");
    fs::create_dir(folder.path().join("slack-identified.txt")).unwrap();
    let templates = files::templates(folder.path());
    assert_eq!(templates.iter().count(), TemplateName::all().count());
    let facts = Facts::sample(chrono::DateTime::from_timestamp(1_780_000_000, 0).unwrap(), chrono_tz::UTC);
    let text = |status| templates.render(Audience::External, status, &facts).unwrap().text;
    assert_eq!(text(Status::Investigating), "We work on Alipay payments. Next update in 20 minutes.");
    assert!(text(Status::Identified).starts_with("We have identified"));
    assert_eq!(templates.problems.len(), 2, "{:?}", templates.problems);
    assert!(templates.problems[0].contains("external-identified.txt:2:1: is not UTF-8"), "{:?}", templates.problems);
    assert!(templates.problems[1].contains("slack-resolved.txt:1:1: the template has"), "{:?}", templates.problems);
    assert_eq!(files::templates(&folder.path().join("absent")).problems, Vec::<String>::new());
}

#[test]
fn the_shipped_templates_are_listed_with_their_owner_and_are_fine() {
    let home = tempfile::tempdir().unwrap();
    let (status, out, _) = template(home.path(), &["list"]);
    assert_eq!((status, out.lines().count()), (Some(0), 20), "{out}");
    assert!(out.contains("external-investigating   next in 30m"), "{out}");
    assert!(out.lines().all(|line| line.contains("Reliability Engineering Lead")), "{out}");
    let (status, out, _) = template(home.path(), &["check"]);
    assert_eq!((status, out.matches(" fine").count()), (Some(0), 20), "{out}");
}

#[test]
fn a_mistake_in_a_template_is_named_with_its_place_and_ends_with_1() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("config/warroom/templates");
    fs::create_dir_all(&folder).unwrap();
    let write = |name: &str, text: &str| {
        fs::write(folder.join(name), text).unwrap();
        folder.join(name).display().to_string()
    };
    let fine = write("external-investigating.txt", OWN);
    let (status, out, _) = template(home.path(), &["check", &fine]);
    assert_eq!(
        (status, out.trim_end().ends_with("fine, for investigating updates to external")),
        (Some(0), true),
        "{out}"
    );
    let (_, out, _) = template(home.path(), &["list"]);
    assert!(out.contains("REVIEW OVERDUE") && out.contains(&fine), "{out}");

    let misspelt =
        write("external-resolved.txt", "{# owner: Comms; reviewed: 2026-11-01 #}\nAll is well with {{ servce }}.\n");
    let expected = format!("warroom: {misspelt}:2:21: `servce` is unknown: there are SERVICE, SUMMARY,");
    for arguments in [&["check", misspelt.as_str()][..], &["check"]] {
        let (status, _, refusal) = template(home.path(), arguments);
        assert_eq!((status, refusal.starts_with(&expected)), (Some(1), true), "{refusal}");
    }
    fs::remove_file(&misspelt).unwrap();

    let loose = write(
        "external-monitoring.txt",
        "{# owner: Comms; reviewed: 2026-11-01 #}\nAll will be well soon, says alipay-gateway.\n",
    );
    let (status, _, refusal) = template(home.path(), &["check", &loose]);
    assert_eq!(status, Some(1));
    for remark in ["`soon` (time for a fix)", "`alipay-gateway` (internal name)"] {
        assert!(refusal.contains(remark), "{refusal}");
    }

    // The configuration is not right while a text would leave in words that nobody can fill in.
    let mail = write("channel-mail.txt", "{# owner: Comms; reviewed: 2026-11-01 #}\n{{ text }}\n{{ sevrity }}\n");
    let said = format!("{mail}:3:4: `sevrity` is unknown: there are INCIDENT_ID, ");
    for arguments in [&["template", "check", mail.as_str()][..], &["template", "check"], &["config", "check"]] {
        let (status, _, refusal) = warroom(home.path(), arguments);
        assert_ne!(status, Some(0));
        assert!(refusal.contains(&said) && refusal.contains("; did you mean `severity`?"), "{refusal}");
    }
    write(
        "channel-mail.txt",
        "{# owner: Comms; reviewed: 2026-11-01 #}\n{{ text }}\n{% if severity %}{{ severity }}{% endif %}\n",
    );
    let (status, out, _) = template(home.path(), &["check", &mail]);
    assert!(status == Some(0) && out.trim_end().ends_with("fine, for texts in a mail"), "{out}");
    fs::remove_file(&mail).unwrap();

    let stray = write("hello.txt", OWN);
    for wrong in [&["check", stray.as_str()][..], &["check", "nowhere/slack-resolved.txt"], &["chekc"]] {
        let (status, _, refusal) = template(home.path(), wrong);
        assert_eq!(status, Some(2), "{refusal}");
    }
}
