//! Configuration as a person meets it: files, variables, flags, and mistakes in each.

use std::fs;
use std::path::Path;

use warroom::config::{
    Changes, Colours, Config, Inputs, Overrides, Places, SecretIn, Sharing, SignIn, check, files, path, sample, starter,
};
use warroom::escalation::Matrix;

use crate::playbooks::mutations;

fn inputs(folder: &Path) -> Inputs {
    let places = Places {
        system: folder.join("etc/config.toml"),
        config: folder.join("config"),
        state: folder.join("state"),
        home: folder.join("home"),
    };
    fs::create_dir_all(folder.join("etc")).unwrap();
    fs::create_dir_all(&places.config).unwrap();
    Inputs { places, environment: Vec::new(), overrides: Overrides::default() }
}

fn with(environment: &[(&str, &str)]) -> Vec<(String, String)> {
    environment.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn without_any_file_everything_has_its_built_in_value() {
    let folder = tempfile::tempdir().unwrap();
    let inputs = inputs(folder.path());
    let config = Config::load(&inputs).unwrap().config;
    assert_eq!((config.name, config.prometheus, config.alertmanager, config.jaeger), (None, None, None, None));
    assert_eq!((config.sharing, config.screen.colours), (Sharing::Private, Colours::Auto));
    assert_eq!(config.cadence, warroom::incident::Cadence::default());
    assert_eq!((config.matrix, config.rotation), (Matrix::default(), None));
    assert_eq!(config.changes, Changes { command: None, every: chrono::TimeDelta::seconds(60) });
    assert!(config.people.is_empty() && !config.screen.bell);
    assert_eq!(config.journal, folder.path().join("state/journal"));
    assert_eq!(config.zone.to_string(), "UTC");
    assert!(check(&inputs).unwrap().contains("alipay, blubank, qrpay-web, yoomonea"));
}

#[test]
fn a_flag_lies_over_a_variable_over_the_users_file_over_the_file_for_all() {
    let folder = tempfile::tempdir().unwrap();
    let mut inputs = inputs(folder.path());
    fs::write(
        &inputs.places.system,
        "zone = 'Europe/Berlin'\n[me]\nname = 'all'\n[screen]\ntheme = 'all'\nmouse = true\n",
    )
    .unwrap();
    fs::write(inputs.places.user_file(), "[me]\nname = 'mine'\n[screen]\ntheme = 'mine'\ncolours = '256'\n").unwrap();
    inputs.environment = with(&[
        ("WARROOM_ME__NAME", "007"),
        ("WARROOM_SCREEN__BYTES_PER_SECOND", "8000"),
        ("WARROOM_CADENCE__EXTERNAL_AGAIN", "20m"),
        ("WARROOM_PROMETHEUS__URL", "http://localhost:9090/prefix"),
        ("WARROOM_PLAYBOOKS__DIRS", "/one:~/two"),
        ("WARROOM_REQUIRE_SERVERS", "1"),
    ]);
    let loaded = Config::load(&inputs).unwrap();
    let config = &loaded.config;
    assert_eq!((config.name.as_deref(), &*config.screen.theme, config.screen.mouse), (Some("007"), "mine", true));
    assert_eq!((config.screen.colours, config.screen.bytes_per_second), (Colours::Palette, Some(8000)));
    assert_eq!(config.cadence.external_again, chrono::TimeDelta::minutes(20));
    assert_eq!(config.zone.to_string(), "Europe/Berlin");
    assert_eq!(config.playbooks.folders[1..], [Path::new("/one").to_owned(), inputs.places.home.join("two")]);
    let shown = loaded.show();
    for line in [
        "name = \"007\"  # $WARROOM_ME__NAME",
        "mouse = true  # ",
        "external-again = \"20m\"  # $WARROOM_",
        "resolve = \"30m\"  # built-in",
    ] {
        assert!(shown.contains(line), "{line}: {shown}");
    }
    assert!(toml::from_str::<toml::Table>(&shown).is_ok(), "{shown}");

    inputs.overrides = Overrides {
        name: Some("dana".to_owned()),
        jaeger: Some("https://jaeger/x".to_owned()),
        ..Overrides::default()
    };
    let config = Config::load(&inputs).unwrap().config;
    assert_eq!(config.name.as_deref(), Some("dana"));
    assert_eq!(config.jaeger.unwrap().url.to_string(), "https://jaeger/x");

    let other = folder.path().join("other.toml");
    fs::write(&other, "[me]\nname = 'other'\n").unwrap();
    inputs.environment = with(&[("WARROOM_CONFIG", other.to_str().unwrap())]);
    inputs.overrides = Overrides::default();
    assert_eq!(Config::load(&inputs).unwrap().config.name.as_deref(), Some("other"));
    let places = path(&inputs).unwrap();
    assert!(places.contains("other.toml") && places.contains("(not there)"), "{places}");
}

#[test]
fn the_starter_file_passes_the_check_and_so_does_all_that_it_suggests() {
    let folder = tempfile::tempdir().unwrap();
    let inputs = inputs(folder.path());
    fs::write(inputs.places.user_file(), starter()).unwrap();
    check(&inputs).unwrap();
    let used: String = starter()
        .lines()
        .map(|line| {
            match line
                .strip_prefix("# ")
                .filter(|rest| rest.split_once(" = ").is_some_and(|(key, _)| !key.contains(' ')))
            {
                // Two ways to sign in exclude each other.
                Some(rest) if rest.starts_with("basic-user = \"warroom\"") => "\n".to_owned(),
                Some(rest) => format!("{rest}\n"),
                None => format!("{}\n", line.strip_prefix("# ").filter(|rest| rest.starts_with("[[")).unwrap_or(line)),
            }
        })
        .collect();
    fs::write(inputs.places.user_file(), &used).unwrap();
    let config = Config::load(&inputs).unwrap_or_else(|error| panic!("{error}\n{used}")).config;
    let rotation = config.rotation.unwrap();
    assert_eq!((rotation.weeks.len(), rotation.overrides.len(), config.people.len()), (3, 1, 1));
    // At the hand-over of the zone, in winter.
    assert_eq!(rotation.overrides[0].from.to_rfc3339(), "2026-12-24T08:00:00+00:00");
    assert_eq!(config.matrix.reviewed, Some("2026-11-02".parse().unwrap()));
    assert_eq!(Matrix { reviewed: None, people: Vec::new(), ..config.matrix }, Matrix::default());
    assert_eq!(config.changes.command.unwrap()[0], "deploys");
    let prometheus = config.prometheus.unwrap();
    // What a file names lies beside it.
    assert_eq!(prometheus.sign_in, SignIn::Bearer(SecretIn::File(inputs.places.config.join("prometheus.token"))));
    assert!(
        check(&inputs).unwrap_err().to_string().contains("prometheus.token"),
        "the check says that the token is missing"
    );
}

#[test]
fn a_mistake_names_its_place_its_key_and_the_choices() {
    let folder = tempfile::tempdir().unwrap();
    let mut inputs = inputs(folder.path());
    for (text, expected) in [
        ("[scren]\n", "config.toml:1:2: `scren`: unknown field `scren`, expected one of `zone`, `me`"),
        (
            "[screen]\ncolors = '16'\n",
            "config.toml:2:1: `screen.colors`: unknown field `colors`, expected one of `theme`, `colours`",
        ),
        (
            "[screen]\ncolours = 'many'\n",
            "config.toml:2:11: `screen.colours`: unknown variant `many`, expected one of `auto`, `16`",
        ),
        (
            "[screen]\nmouse = 'yes'\n",
            "config.toml:2:9: `screen.mouse`: invalid type: string \"yes\", expected a boolean",
        ),
        ("[cadence]\nupdate = '15'\n", "config.toml:2:10: `cadence.update`: `15` is no length of time"),
        ("[cadence]\nupdate = '0s'\n", "config.toml:2:10: `cadence.update`: 0s is out of range: write 1m to 1d"),
        ("zone = 'Mars/Olympus'\n", "config.toml:1:8: `zone`: `Mars/Olympus` is no time zone"),
        ("[jaeger]\nurl = 'localhost:16686'\n", "config.toml:2:7: `jaeger.url`: is no address that can be read"),
        ("[jaeger]\nurl = 'http://u:p@localhost'\n", "config.toml:2:7: `jaeger.url`: holds credentials"),
        (
            "[jaeger]\nurl = 'http://jaeger.example'\n",
            "config.toml: `jaeger.url`: http://jaeger.example/ is plain http beyond this machine",
        ),
        ("[jaeger]\nbearer-file = 'a'\nbearer-env = 'B'\n", "config.toml: `jaeger.bearer-env`: either"),
        ("[jaeger]\nbasic-user = 'a'\n", "config.toml: `jaeger.basic-user`: has no password"),
        ("[me\n", "config.toml:1:4: "),
        (
            "[oncall]\nstart = 2026-11-03\n",
            "config.toml:2:9: `oncall.start`: 2026-11-03 is a Tuesday: weeks begin on a Monday, such as 2026-11-02",
        ),
        (
            "[oncall]\nstart = 'soon'\n",
            "config.toml:2:9: `oncall.start`: `soon` is no day: write one such as 2026-11-02",
        ),
        (
            "[oncall]\nhand-over = '9 o’clock'\n",
            "config.toml:2:13: `oncall.hand-over`: `9 o’clock` is no time of the day",
        ),
        ("[oncall]\nstart = 2026-11-02\n", "config.toml: `oncall.weeks`: is missing: name the weeks"),
        ("[oncall]\nweeks = [{ name = 'Payments IC', person = 'Dana' }]\n", "config.toml: `oncall.start`: is missing"),
        (
            "[oncall]\nweeks = [{ name = 'Payments IC', who = 'Dana' }]\n",
            "config.toml:2:34: `oncall.weeks[1].who`: unknown field `who`, expected `name` or `person`",
        ),
        ("[oncall]\nweeks = [{ name = '', person = 'Dana' }]\n", "config.toml:2:19: `oncall.weeks[1].name`: is empty"),
        (
            "[oncall]\nstart = 2026-11-02\nweeks = [{ name = 'A', person = 'B' }]\n[[oncall.overrides]]\nfrom = 2026-12-27\nto = 2026-12-24\nperson = 'C'\n",
            "config.toml: `oncall.overrides[1]`: ends before it begins",
        ),
        (
            "[[oncall.overrides]]\nfrom = 2026-12-24\nto = 2026-12-27\nperson = 'C'\n",
            "config.toml: `oncall.start`: is missing: the overrides need a rotation",
        ),
        (
            "[[oncall.overrides]]\nfrom = 'monday'\n",
            "config.toml:2:8: `oncall.overrides[1].from`: `monday` is no day and no time",
        ),
        (
            "[[people]]\nname = 'Dana'\ntel = '1'\n",
            "config.toml:3:1: `people[1].tel`: unknown field `tel`, expected one of `name`, `phone`",
        ),
        ("[[people]]\nphone = '1'\n", "config.toml:1:1: `people[1]`: missing field `name`"),
        (
            "[escalation]\nsev4 = []\n",
            "config.toml:2:1: `escalation.sev4`: unknown field `sev4`, expected one of `sev0`, `sev1`",
        ),
        ("[escalation]\nreviewed = 2026-02-30\n", "config.toml:2:12"),
        (
            "[cadence]\nobjections = '1s'\n",
            "config.toml:2:14: `cadence.objections`: 1s is out of range: write 10s to 30d",
        ),
        ("[bell]\noverdue = 1\n", "config.toml:2:11: `bell.overdue`: invalid type: integer `1`, expected a boolean"),
        ("[changes]\ncommand = 'deploys --json'\n", "config.toml:2:11: `changes.command`: invalid type: string"),
        ("[changes]\ncommand = []\n", "config.toml:2:11: `changes.command`: names no program"),
        ("[changes]\nevery = '1ms'\n", "config.toml:2:9: `changes.every`: 1ms is out of range"),
    ] {
        fs::write(inputs.places.user_file(), text).unwrap();
        let error = Config::load(&inputs).unwrap_err().to_string();
        assert!(error.contains(expected), "{text:?}: {error}");
    }
    fs::write(inputs.places.user_file(), b"[me]\nname = '\xff'\n").unwrap();
    assert!(Config::load(&inputs).unwrap_err().to_string().contains("config.toml:2:9: is not UTF-8"));
    fs::remove_file(inputs.places.user_file()).unwrap();
    for (name, value, expected) in [
        (
            "WARROOM_SCREEN__COLORS",
            "16",
            "$WARROOM_SCREEN__COLORS: there is no key `screen.colors`: choose `screen.theme`, `screen.colours`",
        ),
        ("WARROOM_SCREEN__MOUSE", "maybe", "$WARROOM_SCREEN__MOUSE: "),
        ("WARROOM_SCREEN__COLOURS", "many", "$WARROOM_SCREEN__COLOURS: "),
        ("WARROOM_CADENCE__UPDATE", "soon", "$WARROOM_CADENCE__UPDATE: `soon` is no length of time"),
        ("WARROOM_ONCALL__START", "2026-11-03", "$WARROOM_ONCALL__START: 2026-11-03 is a Tuesday"),
        ("WARROOM_ONCALL__WEEKS", "Dana", "$WARROOM_ONCALL__WEEKS: "),
        ("WARROOM_ZONE", "Mars", "$WARROOM_ZONE: `Mars` is no time zone"),
        ("WARROOM_CONFIG", "/nowhere/at.toml", "/nowhere/at.toml cannot be read"),
    ] {
        inputs.environment = with(&[(name, value)]);
        let error = Config::load(&inputs).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
    inputs.environment.clear();
    inputs.overrides.alertmanager = Some("nonsense".to_owned());
    assert!(Config::load(&inputs).unwrap_err().to_string().starts_with("--alertmanager: is no address"));
    inputs.overrides.alertmanager = Some("http://localhost:9093/am".to_owned());
    let loaded = Config::load(&inputs).unwrap();
    assert_eq!(loaded.config.alertmanager.as_ref().unwrap().every, chrono::TimeDelta::seconds(15));
    assert!(loaded.show().contains("[alertmanager]\nurl = \"http://localhost:9093/am\"  # --alertmanager"));
    inputs.overrides.prometheus = Some("nonsense".to_owned());
    assert!(Config::load(&inputs).unwrap_err().to_string().starts_with("--prometheus: is no address"));
}

#[test]
fn all_mistakes_of_all_places_are_named_at_once_with_what_was_probably_meant() {
    let folder = tempfile::tempdir().unwrap();
    let mut inputs = inputs(folder.path());
    fs::write(&inputs.places.system, "[prometheus]\nurl = 'http://prom.example'\n").unwrap();
    let users = "[screen]\ncolors = '16'\ntheme = 'light'\n[promethius]\nurl = 'http://localhost:9090'\n[me]\nname = 'dana'\n\
                 [slack-channels]\nincident = 'C0123456789'\n";
    fs::write(inputs.places.user_file(), users).unwrap();
    inputs.environment = with(&[("WARROOM_CADENCE__UPDATES", "5m"), ("WARROOM_CADENCE__RESOLVE", "20m")]);
    let error = Config::load(&inputs).unwrap_err().to_string();
    for words in [
        "config.toml:2:1: `screen.colors`: unknown field `colors`",
        "did you mean `colours`?",
        "config.toml:4:2: `promethius`",
        "did you mean `prometheus`?",
        "$WARROOM_CADENCE__UPDATES: there is no key `cadence.updates`",
        "did you mean `cadence.update`?",
        "`prometheus.url`: http://prom.example/ is plain http",
        "`slack-channels.incident`: names things of a system without an address",
    ] {
        assert!(error.contains(words), "{words}\n{error}");
    }
    assert_eq!(error.lines().count(), 5, "{error}");
    let salvaged = Config::salvage(&inputs).unwrap();
    let config = salvaged.loaded.config;
    assert_eq!((config.name.as_deref(), &*config.screen.theme, config.prometheus), (Some("dana"), "auto", None));
    assert_eq!(config.cadence.resolve, chrono::TimeDelta::minutes(20));
    assert!(!salvaged.has_lost_the_journal);
    inputs.overrides.no_config = true;
    assert_eq!(Config::load(&inputs).unwrap().config.name, None);
}

#[test]
fn a_broken_file_keeps_nobody_from_the_record_and_nothing_goes_to_another_journal() {
    let host = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_warroom"));
        command.args(arguments).env_remove("WARROOM_CONFIG").env("LOGNAME", "dana").stdin(std::process::Stdio::null());
        for (name, folder) in [("XDG_STATE_HOME", "state"), ("XDG_CONFIG_HOME", "config"), ("HOME", "home")] {
            command.env(name, host.path().join(folder));
        }
        let output = command.output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let file = host.path().join("config/warroom/config.toml");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    let journal = host.path().join("ours");
    let declare = ["declare", "--severity", "sev1", "payments time out"];
    fs::write(&file, format!("[journal]\ndir = '{}'\n[screen]\nmouse = 'yes'\n", journal.display())).unwrap();
    let (status, out, errors) = run(&declare);
    assert_eq!((status, out.as_str()), (Some(0), "INC-1\n"), "{errors}");
    assert!(errors.contains("config.toml:4:9: `screen.mouse`") && errors.contains("warroom config check"), "{errors}");
    assert_eq!(run(&["note", "found it"]).0, Some(0));
    let (_, shown, _) = run(&["show", "INC-1"]);
    assert!(shown.contains("found it") && journal.join("INC-1.db").exists(), "{shown}");
    let (_, places, _) = run(&["config", "path"]);
    assert!(places.contains(&format!("{}  # ", journal.display())), "the place in effect: {places}");
    // Where the journal is cannot be read: nobody guesses.
    fs::write(&file, format!("[journal]\ndirectory = '{}'\n", journal.display())).unwrap();
    let (status, _, errors) = run(&["note", "lost?"]);
    assert_eq!(status, Some(2));
    for words in ["did you mean `dir`?", "--journal DIR", "--no-config", "state/warroom/journal"] {
        assert!(errors.contains(words), "{words}: {errors}");
    }
    assert_eq!(run(&["note", "there", "--journal", journal.to_str().unwrap()]).0, Some(0));
    let (status, out, _) = run(&["--no-config", "declare", "--severity", "sev2", "elsewhere"]);
    assert_eq!((status, out.as_str()), (Some(0), "INC-1\n"));
    let (status, _, errors) = run(&["config", "check"]);
    assert_eq!(status, Some(2), "{errors}");
}

#[test]
fn the_check_opens_everything_that_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let mut inputs = inputs(folder.path());
    let users = "[prometheus]\nurl = 'https://p'\nca-file = 'ca.pem'\nbearer-env = 'NOBODY_SET_THIS'\n[jaeger]\nurl = 'https://j'\n\
                 bearer-command = ['no-such-pass', 'show']\n[alertmanager]\nurl = 'https://a'\nbasic-user = 'u'\n\
                 basic-password-file = 'empty'\n[changes]\ncommand = ['./deploys']\n[playbooks]\ndirs = ['nowhere']\n\
                 [commands]\nkubectl = ['no-such-kubectl']\n";
    fs::write(inputs.places.user_file(), users).unwrap();
    fs::write(inputs.places.config.join("ca.pem"), "not a certificate").unwrap();
    fs::write(inputs.places.config.join("empty"), "\n").unwrap();
    inputs.overrides.journal = Some(inputs.places.user_file().join("journal"));
    let error = check(&inputs).unwrap_err().to_string();
    for words in [
        "[prometheus] $NOBODY_SET_THIS is not set",
        "ca.pem: holds no certificate",
        "[jaeger] no program `no-such-pass` in PATH",
        "[alertmanager] ",
        "empty: its first line is empty",
        "deploys is not there",
        "[playbooks] ",
        "[commands] no program `no-such-kubectl`",
        "[journal] ",
    ] {
        assert!(error.contains(words), "{words}\n{error}");
    }
}

#[test]
fn two_hundred_mutated_configurations_are_read_or_refused_with_their_position() {
    let folder = tempfile::tempdir().unwrap();
    let inputs = inputs(folder.path());
    let whole = "zone = 'Europe/Berlin'\n[me]\nname = 'dana'\n[journal]\nsharing = 'group'\n[prometheus]\nurl = 'https://prom/x'\nevery = '30s'\n\
        allow-plain-http = true\n[screen]\ncolours = '16'\nmouse = false\nbytes-per-second = 8000\n[cadence]\nupdate = '10m'\nresolve = '1h'\n\
        [playbooks]\ndirs = ['one', 'two']\n[oncall]\nstart = 2026-11-02\nhand-over = '08:30'\nweeks = [{ name = 'Payments IC', person = 'Dana' }]\n\
        [[people]]\nname = 'Dana'\nphone = '+49 1'\n[escalation]\nsev0 = ['CTO']\nreviewed = 2026-11-02\n[changes]\ncommand = ['deploys']\n";
    let mut refused = 0;
    for mutant in mutations(whole, 200) {
        fs::write(inputs.places.user_file(), &mutant).unwrap();
        if let Err(error) = Config::load(&inputs) {
            refused += 1;
            let error = error.to_string();
            let (_, rest) = error.split_once("config.toml").unwrap_or_else(|| panic!("{error}"));
            let numbers: Vec<_> =
                rest.split(':').skip(1).take(2).map(|number| number.parse::<usize>().unwrap_or(0)).collect();
            // A contradiction between two keys has a key for its place.
            assert!(numbers.iter().all(|number| *number >= 1) || rest.starts_with(": `"), "{error}\n{mutant}");
        }
    }
    assert!(refused >= 100, "{refused} of 200 were refused");
}

#[test]
fn loading_is_done_before_the_first_paint() {
    let folder = tempfile::tempdir().unwrap();
    let inputs = inputs(folder.path());
    fs::write(inputs.places.user_file(), starter()).unwrap();
    let round = |_| {
        let before = warroom::clock::boot();
        Config::load(&inputs).unwrap();
        warroom::clock::boot() - before
    };
    let best = (0..20).map(round).min().unwrap();
    // The budget is 1 ms; a debug build on a busy machine gets more room.
    assert!(best < std::time::Duration::from_millis(20), "{best:?}");
    println!("configuration loads in {best:?}");
}

#[test]
fn a_folder_of_playbooks_is_read_around_what_is_no_playbook() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("playbooks");
    fs::create_dir_all(dir.join("folder.toml")).unwrap();
    fs::write(dir.join("broken.toml"), "service = 3\n").unwrap();
    fs::write(dir.join("notes.md"), "no playbook").unwrap();
    fs::write(dir.join("big.toml"), vec![b'#'; 300_000]).unwrap();
    let shipped = include_str!("../../playbooks/alipay.toml");
    fs::write(dir.join("ours.toml"), shipped.replace("owner = \"", "owner = \"Us, not ")).unwrap();
    let catalogue = files::catalogue(&files::Shelf { folders: vec![dir, folder.path().join("absent")], variant: None });
    assert!(catalogue.get("alipay").unwrap().owner.starts_with("Us, not"));
    assert_eq!(catalogue.problems.len(), 3, "{:?}", catalogue.problems);
    assert!(catalogue.problems[2].contains("folder.toml is no file"), "{:?}", catalogue.problems);
    assert!(catalogue.problems[0].contains("big.toml:1:1: "), "{:?}", catalogue.problems);
    assert!(catalogue.problems[1].contains("broken.toml:1:11: `service`"), "{:?}", catalogue.problems);
    let error = files::exercise("alipay-storm").unwrap_err().to_string();
    assert!(error.contains("choose alipay-timeout-storm"), "{error}");
}

#[test]
fn of_a_service_with_playbooks_for_several_environments_the_configured_one_counts_and_nothing_stands_in_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let shipped = include_str!("../../playbooks/alipay.toml");
    let of = |variant: Option<&str>, owner: &str| {
        let variant = variant.map(|variant| format!("variant = \"{variant}\"\n")).unwrap_or_default();
        variant + &shipped.replace("owner = \"", &format!("owner = \"{owner}, not "))
    };
    for (name, variant) in [("alipay.toml", None), ("alipay.eu.toml", Some("eu")), ("alipay-us.toml", Some("us"))] {
        fs::write(folder.path().join(name), of(variant, variant.unwrap_or("all"))).unwrap();
    }
    let read = |variant: Option<&str>| {
        let folders = vec![folder.path().to_owned()];
        files::catalogue(&files::Shelf { folders, variant: variant.map(Into::into) })
    };
    for (variant, owner) in [(None, "all"), (Some("eu"), "eu"), (Some("us"), "us")] {
        let catalogue = read(variant);
        let playbook = catalogue.get("alipay").unwrap();
        assert!(playbook.owner.starts_with(owner), "{variant:?}: {}", playbook.owner);
        assert_eq!((playbook.variant.as_deref(), catalogue.problems.len()), (variant, 0), "{:?}", catalogue.problems);
    }
    // A name that is written wrongly is said, and two of one environment are one too many.
    let wrong = read(Some("ue"));
    assert_eq!(wrong.problems, ["[playbooks] variant: no playbook is for `ue`: there are some for eu, us"]);
    fs::write(folder.path().join("alipay.eu2.toml"), of(Some("eu"), "eu")).unwrap();
    assert!(read(Some("eu")).problems[0].contains("are both of `alipay`: keep one of them"));
    assert_eq!(read(Some("us")).problems, [""; 0]);
    fs::remove_file(folder.path().join("alipay.eu2.toml")).unwrap();
    // One that is broken is not replaced by the one for all, nor the one of another environment by the shipped one.
    fs::write(folder.path().join("alipay.eu.toml"), "variant = \"eu\"\nservice = \"alipay\"\nsteps = 3\n").unwrap();
    assert!(read(Some("eu")).get("alipay").is_none());
    assert!(read(Some("us")).get("alipay").unwrap().owner.starts_with("us"));
    fs::remove_file(folder.path().join("alipay.toml")).unwrap();
    fs::remove_file(folder.path().join("alipay.eu.toml")).unwrap();
    let none = read(None);
    assert!(none.get("alipay").is_none() && none.get("blubank").is_some());
    let why = none.why_none("alipay").unwrap();
    assert!(why.contains("the playbooks of `alipay` are for us: name one in [playbooks] variant"), "{why}");
}

#[test]
fn who_is_on_call_and_who_is_told_may_be_said_for_all_users_and_shows_where_it_was_said() {
    let folder = tempfile::tempdir().unwrap();
    let mut inputs = inputs(folder.path());
    let all = "zone = 'Europe/Berlin'\n[oncall]\nstart = 2026-11-02\nhand-over = 08:30:00\nweeks = [{ name = 'Payments IC', person = 'Dana' }, \
        { name = 'Banking IC', person = 'Leila' }]\n[[oncall.overrides]]\nfrom = 2026-12-24\nto = 2026-12-24T18:00:00\nperson = 'Sara'\n\
        [[oncall.overrides]]\nfrom = 2026-12-26T00:00:00+03:30\nto = '2026-12-27 12:00'\nperson = 'Sara'\n\
        [[people]]\nname = 'Dana'\nphone = '+49 30 1'\ntitle = 'CTO'\n[[people]]\nname = 'Sara'\nphone = '+49 30 2'\n";
    fs::write(&inputs.places.system, all).unwrap();
    let users = "[bell]\noverdue = true\n[changes]\ncommand = ['./deploys', '--json']\n[cadence]\npostmortem = '3d'\n";
    fs::write(inputs.places.user_file(), users).unwrap();
    inputs.environment = with(&[
        ("WARROOM_ONCALL__START", "2026-11-09"),
        ("WARROOM_ESCALATION__SEV1", "CTO, Director of Payments"),
        ("WARROOM_CADENCE__SNOOZE_CAP", "5m"),
    ]);
    let loaded = Config::load(&inputs).unwrap();
    let config = &loaded.config;
    let rotation = config.rotation.as_ref().unwrap();
    let (start, hand_over) = ("2026-11-09".parse().unwrap(), "08:30:00".parse().unwrap());
    assert_eq!((rotation.start, rotation.hand_over, rotation.zone), (start, hand_over, chrono_tz::Europe::Berlin));
    let times: Vec<_> = rotation.overrides.iter().map(|over| [over.from.to_rfc3339(), over.to.to_rfc3339()]).collect();
    let expected = [
        ["2026-12-24T07:30:00+00:00", "2026-12-24T17:00:00+00:00"],
        ["2026-12-25T20:30:00+00:00", "2026-12-27T11:00:00+00:00"],
    ];
    assert_eq!(times, expected, "a day means the hand-over, a time is of the zone, an offset is its own");
    assert_eq!(config.matrix.sev1, ["CTO", "Director of Payments"]);
    assert_eq!(config.matrix.people, config.people);
    assert_eq!(config.cadence.postmortem, chrono::TimeDelta::days(3));
    assert_eq!(config.cadence.snooze_cap, chrono::TimeDelta::minutes(5));
    let program = inputs.places.config.join("deploys").display().to_string();
    assert_eq!(config.changes.command, Some(vec![program.replace("deploys", "./deploys"), "--json".to_owned()]));
    assert!(config.screen.bell);
    let shown = loaded.show();
    let system = inputs.places.system.display();
    for line in [
        "start = \"2026-11-09\"  # $WARROOM_ONCALL__START".to_owned(),
        format!("hand-over = 08:30:00  # {system}"),
        format!("phone = \"+49 30 1\", title = \"CTO\" }}, {{ name = \"Sara\", phone = \"+49 30 2\" }}]  # {system}"),
        "sev0 = [\"CTO\", \"Head of Compliance\"]  # built-in".to_owned(),
        "sev1 = [\"CTO\", \"Director of Payments\"]  # $WARROOM_ESCALATION__SEV1".to_owned(),
        "sev3 = []  # built-in".to_owned(),
        "postmortem = \"3d\"  # ".to_owned(),
        "proof-minutes = \"10m\"  # built-in".to_owned(),
        format!("overdue = true  # {}", inputs.places.user_file().display()),
    ] {
        assert!(shown.contains(&line), "{line}: {shown}");
    }
    assert!(toml::from_str::<toml::Table>(&shown).is_ok(), "{shown}");
    let program = inputs.places.config.join("deploys");
    fs::write(&program, "#!/bin/sh\n").unwrap();
    fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let checked = check(&inputs).unwrap();
    for note in [
        "note: [oncall] `Leila` stands in no [[people]]: there is no phone number",
        "note: [escalation] `Head of Compliance` is nobody's name or `title` in [[people]]",
    ] {
        assert!(checked.contains(note), "{checked}");
    }
    assert!(!checked.contains("`Dana`") && !checked.contains("`CTO`"), "{checked}");
}

#[test]
fn the_lines_that_are_suggested_for_a_rotation_are_a_rotation() {
    let folder = tempfile::tempdir().unwrap();
    let inputs = inputs(folder.path());
    let lines = sample("[oncall]", "[escalation]");
    fs::write(inputs.places.user_file(), &lines).unwrap();
    let config = Config::load(&inputs).unwrap_or_else(|error| panic!("{error}\n{lines}")).config;
    let weeks = config.rotation.unwrap().weeks;
    let names: Vec<_> = weeks.iter().map(|week| week.name.as_str()).collect();
    assert_eq!(names, ["Payments IC", "Banking IC", "Platform IC"], "the runbook's three weeks");
    assert!(!lines.contains('#'), "{lines}");
}

#[test]
fn a_staging_is_checked_with_what_it_names_beside_its_file_and_is_never_what_is_watched() {
    let folder = tempfile::tempdir().unwrap();
    let inputs = inputs(folder.path());
    let staging = "[staging]\nlabel = 'environment=staging'\n[staging.prometheus]\nurl = 'http://localhost:9190'\nbearer-file = 'there.token'\n";
    fs::write(inputs.places.user_file(), staging).unwrap();
    let said = check(&inputs).unwrap_err().to_string();
    let file = inputs.places.config.join("there.token");
    assert!(said.contains(&format!("[staging.prometheus] {}", file.display())), "{said}");
    fs::write(file, "secret").unwrap();
    check(&inputs).unwrap();
    fs::write(inputs.places.user_file(), format!("[prometheus]\nurl = 'http://127.0.0.1:9190/'\n{staging}")).unwrap();
    assert!(check(&inputs).unwrap_err().to_string().contains("is no staging: it is [prometheus]"));
}

fn given_home(home: &str, here: &Path, arguments: &[&str]) -> (String, String) {
    let run = std::process::Command::new(env!("CARGO_BIN_EXE_warroom"))
        .args(arguments)
        .env_clear()
        .env("HOME", home)
        .current_dir(here)
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(run.stdout), text(run.stderr))
}

#[test]
fn no_configuration_is_looked_for_below_the_present_directory() {
    let folder = tempfile::tempdir().unwrap();
    for place in [".config/warroom", ".warroom", "warroom"] {
        fs::create_dir_all(folder.path().join(place)).unwrap();
        fs::write(folder.path().join(place).join("config.toml"), "[me]\nname = 'planted'\n").unwrap();
    }
    for home in [".", ".warroom", "../.", "./.config"] {
        let (shown, said) = given_home(home, folder.path(), &["config", "show"]);
        assert!(!shown.contains("planted") && !said.contains("planted"), "{home}: {shown}{said}");
    }
    let whole = folder.path().to_str().unwrap();
    assert!(given_home(whole, folder.path(), &["config", "show"]).0.contains("planted"), "as a whole path it is meant");
}

#[test]
fn a_configuration_that_others_can_write_is_not_read_and_the_remedy_is_named() {
    use std::os::unix::fs::{PermissionsExt, chown};
    let folder = tempfile::tempdir().unwrap();
    let inputs = inputs(folder.path());
    let file = inputs.places.user_file();
    fs::write(&file, "[me]\nname = 'mallory'\n").unwrap();
    let mode = |mode| fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
    for wrong in [0o646, 0o666, 0o602] {
        mode(wrong);
        let said = Config::load(&inputs).unwrap_err().to_string();
        assert!(
            said.contains("others can write it") && said.contains(&format!("chmod go-w {}", file.display())),
            "{said}"
        );
    }
    for fine in [0o600, 0o644, 0o444] {
        mode(fine);
        assert_eq!(Config::load(&inputs).unwrap().config.name.as_deref(), Some("mallory"));
    }
    if rustix::process::geteuid().is_root() {
        mode(0o664);
        chown(&file, None, Some(4711)).unwrap();
        assert!(Config::load(&inputs).unwrap_err().to_string().contains("others can write it"), "its group can");
        mode(0o644);
        chown(&file, Some(4711), None).unwrap();
        let said = Config::load(&inputs).unwrap_err().to_string();
        assert!(said.contains("belongs to another account (uid 4711)"), "{said}");
    }
}

#[test]
fn what_is_printed_of_a_configuration_neither_hides_nor_reorders_anything_and_means_the_same() {
    const HOSTILE: [&str; 6] =
        ["a\u{9b}31mb", "\u{202e}evil", "e\u{e0041}\u{e0042}", "a\u{200b}b\u{2066}", "\u{85}", "\u{7f}"];
    let tower = format!("o{}", "\u{301}".repeat(40));
    let folder = tempfile::tempdir().unwrap();
    let inputs = inputs(folder.path());
    for name in HOSTILE.into_iter().chain([&*tower]) {
        let escaped: String = name.chars().map(|letter| format!("\\U{:08X}", u32::from(letter))).collect();
        fs::write(inputs.places.user_file(), format!("[slack-channels]\nprefix = \"{escaped}\"\n")).unwrap();
        let Ok(loaded) = Config::load(&inputs) else { continue };
        let said = loaded.show();
        assert_eq!(warroom::text::shown(&said), said, "{name:?}");
    }
}
