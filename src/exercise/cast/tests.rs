use crate::exercise::{Exercise, SHIPPED};
use crate::incident::tests::at;
use crate::incident::{Answer, EntryId, Mark, Role, StepRef, Task, Ticked};
use crate::playbook::Catalogue;

fn blubank(people: &str) -> Result<Exercise, String> {
    let text = Exercise::shipped("blubank-settlement-failure").unwrap();
    let first = text.find("[[opening.people]]").unwrap();
    let after = text.find("[[opening.notes]]").unwrap();
    let text = format!("{}{people}\n{}", &text[..first], &text[after..]);
    Exercise::parse("blubank", &text).map_err(|flaw| flaw.to_string())
}

const LEILA: &str = r#"
[[opening.people]]
name = "leila"
about = "knows the settlement batch"
plays = "sme"
takes = "90s"
answers = [
    { when = { step = "blubank/settlement-batch", unless = ["blubank/pause-batch"] }, text = "it stands" },
    { when = { step = "blubank/settlement-batch" }, text = "it is paused" },
    { when = { words = ["money", "how much"] }, ends = "blocked", text = "only Finance can see it" },
]
"#;

fn task(to: &str, what: &str, minutes: i64) -> Task {
    let assigned = Mark { at: at(60), by: "dana".into() };
    let (id, call_back) = (EntryId { rid: 1, rseq: 9 }, at(60 + minutes * 60));
    Task { id, assigned, to: to.into(), what: what.into(), call_back, read_back: None, answer: None }
}

#[test]
fn a_person_answers_what_the_exercise_says_of_a_step_as_far_as_the_room_is_and_says_so_where_they_know_nothing() {
    let exercise = blubank(LEILA).unwrap();
    let paused = Ticked::since(StepRef { service: "blubank".into(), step: "pause-batch".into() }, at(100));
    let about = "I cannot tell: ask somebody else. What I am here for: knows the settlement batch";
    for (what, done, answer, text) in [
        ("validate the settlement batch", &[][..], Answer::Done, "it stands"),
        ("blubank/settlement-batch please", &[], Answer::Done, "it stands"),
        ("Settlement BATCH: how is it?", std::slice::from_ref(&paused), Answer::Done, "it is paused"),
        ("how much is it?", &[], Answer::Blocked, "only Finance can see it"),
        ("much how", &[], Answer::DontKnow, about),
        ("call the bank", &[], Answer::DontKnow, about),
    ] {
        let tasks = [task("leila", what, 5)];
        let told = exercise.call_backs(&tasks, done, at(400));
        let said: Vec<_> = told.iter().map(|one| (one.answer.answer, one.answer.text.as_str())).collect();
        assert_eq!(said, [(answer, text)], "{what}");
    }
}

#[test]
fn a_person_calls_back_after_their_time_and_before_the_call_back_that_was_asked_for_and_once() {
    let exercise = blubank(LEILA).unwrap();
    let called = |task: &Task, now| {
        let told = exercise.call_backs(std::slice::from_ref(task), &[], at(now));
        told.first().map(|one| (one.at, one.key.clone()))
    };
    let long = task("@Leila", "look at the batch", 5);
    assert_eq!(called(&long, 149), None);
    let (when, key) = called(&long, 150).unwrap();
    assert_eq!(when, at(150));
    assert_eq!(called(&long, 300), Some((when, key.clone())), "the same at whatever moment a console looks");
    assert_eq!(
        called(&task("leila", "look", 1), 200).unwrap().0,
        at(105),
        "who has a minute does not take ninety seconds"
    );
    assert_eq!(called(&task("dana", "look", 1), 200), None, "nobody of the exercise");
    let answered =
        Task { answer: Some((Mark { at: at(150), by: "leila".into() }, Answer::Done, "x".into())), ..long.clone() };
    assert_eq!(called(&answered, 300), None);
    let more = Answer::More { until: at(900) };
    let longer =
        Task { call_back: at(900), answer: Some((Mark { at: at(200), by: "li".into() }, more, "x".into())), ..long };
    let (when, other) = called(&longer, 300).unwrap();
    assert!(when == at(290) && other != key, "who was given more time calls back once more");
}

#[test]
fn what_cannot_be_played_is_refused_with_its_place() {
    let after = |from: &str, to: &str| blubank(&LEILA.replace(from, to)).unwrap_err();
    for (from, to, why) in [
        ("plays = \"sme\"", "plays = \"boss\"", "unknown variant `boss`"),
        (
            "plays = \"sme\"",
            "plays = \"incident-commander\"",
            "`opening.people[1].plays`: nobody plays the Incident Commander",
        ),
        ("about = \"knows the settlement batch\"", "about = \" \"", "`opening.people[1].about`: is empty"),
        ("text = \"it stands\"", "text = \"\"", "`opening.people[1].answers[1].text`: is empty"),
        (
            "step = \"blubank/settlement-batch\" }",
            "step = \"batch\" }",
            "`opening.people[1].answers[2].when.step`: is no reference",
        ),
        ("when = { step = \"blubank/settlement-batch\" },", "", "fits every task, so those below it are never said"),
        ("{ step = \"blubank/settlement-batch\" }", "{}", "says nothing: name a `step`"),
        ("[\"money\",", "[\"?!\",", "is no word that a task could have"),
        ("takes = \"90s\"", "takes = \"soon\"", "is no length of time"),
        ("ends = \"blocked\"", "ends = \"maybe\"", "unknown variant `maybe`"),
    ] {
        let flaw = after(from, to);
        assert!(flaw.contains(why) && flaw.starts_with("blubank.toml:"), "{to}: {flaw}");
    }
    let text = Exercise::shipped("blubank-settlement-failure").unwrap();
    for (from, to, why) in [
        ("[[shows]]\nstep = \"blubank/worker-logs\"", "[[shows]]\nstep = \"logs\"", "`shows[1].step`: is no reference"),
        (
            "unless = [\"blubank/restart-workers\"]\ntext",
            "unless = [\"x\"]\ntext",
            "`shows[1].unless[1]`: is no reference",
        ),
    ] {
        let flaw = Exercise::parse("blubank", &text.replacen(from, to, 1)).unwrap_err().to_string();
        assert!(flaw.contains(why), "{flaw}");
    }
    let twice = blubank(&format!("{LEILA}{}", LEILA.replace("leila", "Leila"))).unwrap_err();
    assert!(twice.contains("`Leila` stands twice"), "{twice}");
    let other = blubank(&LEILA.replace("unless = [\"blubank/pause-batch\"]", "unless = [\"blubank/nap\"]")).unwrap();
    assert_eq!(other.missing(&Catalogue::shipped()), ["no playbook has the step `blubank/nap`"]);
    // A success criterion that could never be met is found, too.
    let rule = "[[success]]\nwhat = \"it was done\"\nrule = { done = { step = \"blubank/nap\", before = \"blubank/nip\" } }\n\n[opening]\n";
    let named = Exercise::parse("blubank", &text.replacen("\n[opening]\n", &format!("\n{rule}"), 1)).unwrap();
    assert_eq!(
        named.missing(&Catalogue::shipped()),
        ["no playbook has the step `blubank/nap`", "no playbook has the step `blubank/nip`"]
    );
}

#[test]
fn in_every_exercise_somebody_can_play_the_expert_and_knows_the_way_through_its_playbook() {
    for (name, _, text) in SHIPPED {
        let exercise = Exercise::parse(name, text).unwrap();
        let expert = exercise.players(Role::Sme).next().unwrap_or_else(|| panic!("{name}"));
        assert!(expert.answers.len() >= 4, "{name}: {expert:?}");
        let (catalogue, service) = (Catalogue::shipped(), exercise.service.clone());
        for step in &catalogue.get(&service).unwrap().steps {
            let tasks = [task(&expert.name, &step.title, 5)];
            let told = exercise.call_backs(&tasks, &[], at(900));
            assert!(!told[0].answer.text.is_blank(), "{name}: {}", step.title);
        }
        assert_eq!(exercise.missing(&catalogue), [""; 0]);
    }
}
