//! Drills with somebody who facilitates them, several teams, a table without a world; and the changes that a room looks at.

use serde_json::Value;

use crate::plain::{Host, SOON};

fn debrief(host: &Host, drill: &str) -> Value {
    serde_json::from_str(&host.run(&["gameday", "debrief", drill, "--json"]).1).unwrap()
}

#[test]
fn a_facilitator_injects_by_hand_notes_what_players_do_not_see_scores_and_is_the_one_who_aborts() {
    let host = Host::new();
    let mut players = host.start(&["gameday", "--plain", "--as", "dana"]);
    players.ready();
    let mut hand = host.start(&["open", "DRILL-1", "--plain", "--as", "faye"]);
    hand.ready();
    hand.type_in(":facilitator\n");
    hand.wait_for("nobody facilitates this drill", SOON);
    hand.type_in(":facilitate take\n");
    players.wait_for("facilitates this drill", SOON);
    hand.type_in(":facilitator\n");
    hand.wait_for("success criteria:", SOON);
    hand.type_in(":facilitate message Bank, telephone: we see it too\n:facilitate fact the pool is empty\n");
    players.wait_for("message Bank, telephone: we see it too", SOON);
    players.wait_for("FACT the pool is empty", SOON);
    hand.type_in(":facilitate aside they lost two minutes on roles\n:facilitate delay 5m\n");
    hand.wait_for("for you alone: what is planned comes 5 min later", SOON);
    hand.type_in(":facilitate fault upstream-slower\n");
    hand.wait_for("for you alone: fault upstream-slower begins, by hand", SOON);
    hand.type_in(":facilitator\n");
    hand.wait_for("7 min (planned for 2m) li (support)", SOON);
    hand.wait_for("begun by hand at", SOON);
    hand.type_in(":facilitate fault no-such\n");
    hand.wait_for("the exercise has no fault `no-such`", SOON);
    hand.type_in(":facilitate score 1 met quick and calm\n:facilitate score 99 met x\n");
    hand.wait_for("its success criteria go from 1 to", SOON);
    players.type_in(":facilitate aside not mine\n");
    players.wait_for("faye facilitates this drill", SOON);
    // Asked in line mode, too, and only of those who may.
    players.type_in(":abort-drill\n");
    players.wait_for(":abort-drill 2: end it for everybody", SOON);
    players.type_in(":abort-drill 2\n");
    players.wait_for("they abort it, or the Incident Commander does", SOON);
    let (_, shown) = host.run(&["show", "DRILL-1"]);
    assert!(shown.contains("the pool is empty") && !shown.contains("two minutes on roles"), "{shown}");
    assert!(!shown.contains("upstream-slower") && !shown.contains("comes 5 min later"), "{shown}");
    hand.type_in(":pause-drill\n:resume-drill\n:abort-drill yes\n");
    hand.wait_for("phase Closed", SOON);
    let told = debrief(&host, "DRILL-1");
    assert_eq!((&told["facilitator"], &told["end"]), (&"faye".into(), &"abandoned".into()));
    assert_eq!(told["criteria"][0]["scored"]["met"], true);
    let verdicts: Vec<&str> =
        told["criteria"].as_array().unwrap().iter().filter_map(|one| one["verdict"].as_str()).collect();
    assert!(verdicts.contains(&"not-reached") && !verdicts.contains(&"missed"), "{verdicts:?}");
    let (_, page) = host.run(&["gameday", "debrief", "DRILL-1"]);
    for words in [
        "Facilitated by faye",
        "as faye judges it: **met** quick and calm",
        "they lost two minutes on roles",
        "stood still for",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
}

#[test]
fn several_teams_play_one_exercise_and_have_one_table_and_who_joins_late_gets_the_brief() {
    let host = Host::new();
    for team in ["red", "blue"] {
        let (status, said) =
            host.script(&["gameday", "run", "--team", team, "--speed", "1000", "--plain"], ":take ic\n:ack\n:quit\n");
        assert_eq!(status, 0, "{said}");
    }
    let (status, table) = host.run(&["gameday", "teams"]);
    assert_eq!(status, 0);
    let heading = table.lines().next().unwrap();
    assert!(heading.contains("DRILL-1 red") && heading.contains("DRILL-2 blue"), "{table}");
    assert!(table.lines().last().unwrap().starts_with("| all |"), "{table}");
    let mut late = host.start(&["open", "DRILL-1", "--plain", "--as", "lea"]);
    late.wait_for("you join this drill ", SOON);
    late.wait_for("It went well when", SOON);
}

#[test]
fn a_tabletop_from_markdown_has_injects_and_is_judged_by_people() {
    let host = Host::new();
    let file = host.home.path().join("forum.md");
    std::fs::write(
        &file,
        "# Card data on a forum\nService: alipay\nDuration: 45m\n\nRead this aloud.\n\n## Goals\n- know whom to call\n\n## Success criteria\n- the bank was told\n\n## Injects\n- 1s, Bank (telephone): We see it too.\n",
    )
    .unwrap();
    let mut room = host.start(&["gameday", "run", file.to_str().unwrap(), "--plain", "--as", "faye"]);
    room.wait_for("We see it too.", SOON);
    room.type_in(":facilitate take\n:facilitate score 1 met within a minute\n:abort-drill 2\n");
    room.wait_for("phase Closed", SOON);
    let told = debrief(&host, "DRILL-1");
    assert_eq!((&told["criteria"][0]["verdict"], &told["exercise"]), (&"met".into(), &"forum".into()), "{told}");
    let wrong = host.home.path().join("wrong.md");
    std::fs::write(&wrong, "# A\n## Weather\n").unwrap();
    let (status, said) = host.run(&["gameday", "check", wrong.to_str().unwrap()]);
    assert!(status == 1 && said.contains("line 2: `weather`"), "{said}");
}

#[test]
fn a_flood_of_another_services_changes_hides_none_of_ours_and_a_theory_leads_to_its_way_back() {
    let host = Host::new();
    host.declare();
    let now = warroom::clock::wall();
    let line = |ago: i64, service: &str, what: &str, more: &str| {
        let at = (now - chrono::TimeDelta::seconds(ago)).to_rfc3339();
        format!("{{\"at\":\"{at}\",\"kind\":\"deploy\",\"service\":\"{service}\",\"what\":\"{what}\"{more}}}\n")
    };
    let back =
        ",\"id\":\"ci/1\",\"status\":\"started\",\"rollback\":\"route-to-backup\",\"values\":{\"percent\":\"10\"}";
    let mut text = line(2460, "alipay", "GUILTY", back);
    text += &line(
        2400,
        "alipay",
        "GUILTY",
        ",\"id\":\"ci/1\",\"status\":\"succeeded\",\"before\":\"4.11\",\"after\":\"4.12\",\"environment\":\"production\"",
    );
    (0..700).for_each(|n| text += &line(2300 - 3 * n, "blubank", &format!("flag {n}"), ""));
    text += &line(-90_000, "alipay", "TOMORROW", "");
    let file = host.home.path().join("state/warroom/journal/changes.jsonl");
    std::fs::write(&file, text).unwrap();
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let mut desk = host.start(&["open", "INC-1", "--plain"]);
    desk.ready();
    let mut first = String::new();
    crate::support::until("the changes are read", || {
        desk.type_in(":changes\n");
        first = desk.wait_for("chang", SOON);
        first.contains("GUILTY")
    });
    assert!(
        first.contains("4.11 -> 4.12 in production") && first.contains("started") && first.contains("succeeded"),
        "{first}"
    );
    desk.type_in(":changes\n");
    desk.wait_for("TOMORROW", SOON);
    desk.wait_for("as of ", SOON);
    // A console keeps 500 of those that are not ours, and says what it does not keep.
    desk.wait_for("200 more are not shown", SOON);
    desk.wait_for("and 500 of other services", SOON);
    desk.type_in(":changes -s blubank -k deploy\n");
    desk.wait_for("500 more are not shown", SOON);
    // A change that is told now is there at once, not at the next look in twenty seconds.
    assert_eq!(host.run(&["change", "-s", "alipay", "-k", "flag", "PUSHED"]).0, 0);
    std::thread::sleep(std::time::Duration::from_secs(3));
    desk.type_in(":changes pushed\n");
    desk.wait_for("flag alipay: PUSHED", std::time::Duration::from_secs(60));
    desk.type_in(":theory-from 1\n:theories\n");
    desk.wait_for("rollback: alipay/route-to-backup percent=10", SOON);
    desk.type_in(":roll-back 1\n");
    let runs = desk.wait_for("percent = 10", SOON);
    assert!(runs.contains("percent"), "{runs}");
    let (_, said) = host.run(&["changes", "-s", "alipay"]);
    assert!(said.contains("IN THE FUTURE") && !said.contains("blubank"), "{said}");
}
