//! How a command's end is judged: statuses with names, attempts, values that are kept, times before its lines, what it left running.

use std::path::Path;

use crate::plain::{Host, Plain, SOON};

const HEAD: &str = "service = \"ledger\"\nname = \"Ledger\"\npublic-name = \"Ledger\"\nowner = \"Ledger team\"\nreviewed = 2026-11-01\n";

fn step(id: &str, command: &str) -> String {
    format!(
        "\n[[steps]]\nid = \"{id}\"\ntitle = \"step {id}\"\nphase = \"triage\"\nlook = \"Look.\"\nexpect = \"Well.\"\nundo = \"None.\"\n{command}\n"
    )
}

fn desk(steps: &[(&str, String)]) -> (Host, Plain) {
    let host = Host::new();
    let folder = host.home.path().join("config/warroom/playbooks");
    std::fs::create_dir_all(&folder).unwrap();
    let all: String = steps.iter().map(|(id, command)| step(id, command)).collect();
    std::fs::write(folder.join("ledger.toml"), format!("{HEAD}{all}")).unwrap();
    assert_eq!(host.run(&["declare", "-s", "ledger", "--severity", "sev1", "t"]).0, 0);
    let mut desk = host.start(&["open", "INC-1", "--plain", "--as", "dana"]);
    desk.ready();
    desk.type_in(":trust ledger yes\n:take sme\n");
    (host, desk)
}

fn shell(script: &str, more: &str) -> String {
    format!("do.command = {{ argv = [\"sh\", \"-c\", '''{script}'''], {more} }}")
}

fn ran(desk: &mut Plain, number: usize) {
    desk.type_in(&format!(":run {number}\n"));
    desk.confirm();
}

#[test]
fn a_status_that_the_file_calls_a_success_is_one_and_has_its_name() {
    let named = "success = [0, 2], outcomes = { 2 = \"there are changes\" }";
    let (_host, mut desk) = desk(&[("plan", shell("exit 2", named)), ("other", shell("exit 3", named))]);
    ran(&mut desk, 1);
    desk.wait_for("step plan: exit 2: there are changes · does the expected result hold?", SOON);
    ran(&mut desk, 2);
    desk.wait_for("step other: exit 3 · the playbook stops here", SOON);
}

#[test]
fn what_fails_is_tried_again_as_often_as_the_file_says_and_no_oftener() {
    let count = tempfile::NamedTempFile::new().unwrap();
    let file = count.path().display();
    let third = format!("echo x >> {file}; [ $(wc -l < {file}) -ge 3 ]");
    let (_host, mut desk) = desk(&[
        ("wait", shell(&third, "retries = 4, pause = \"1s\"")),
        ("never", shell("exit 1", "retries = 1, pause = \"1s\"")),
    ]);
    desk.type_in(":run 1\n");
    desk.wait_for("tried up to 5 times, 1 s apart", SOON);
    desk.confirm();
    desk.wait_for("attempt 2 of 5: exit 1", SOON);
    desk.wait_for("step wait: exit 0", SOON);
    assert_eq!(std::fs::read_to_string(count.path()).unwrap().lines().count(), 3);
    ran(&mut desk, 2);
    desk.wait_for("step never: exit 1", SOON);
}

#[test]
fn what_a_step_found_is_offered_to_a_later_one_with_where_it_is_from() {
    let find = "do.command = { argv = [\"printf\", '{\"items\":[{\"name\":\"web-7f\"}]}'], capture = \"pod = .items[0].name\" }";
    // A brace that means itself is written twice.
    let find = find.replace("'{\"items\":[{\"name\":\"web-7f\"}]}'", "'{{\"items\":[{{\"name\":\"web-7f\"}}]}}'");
    let two = "do.command = { argv = [\"printf\", 'a\\nb\\n'], capture = \"pod\" }";
    let use_it = "do.command = { argv = [\"echo\", \"restarts {pod}\"], parameters.pod = { word = \"-\" } }"
        .replace("restarts {pod}", "restarts-{pod}");
    let (_host, mut desk) = desk(&[("find", find), ("use", use_it), ("two", two.to_owned())]);
    desk.type_in(":run 2\n");
    desk.wait_for("pod wants a value", SOON);
    ran(&mut desk, 1);
    desk.wait_for("kept pod = web-7f", SOON);
    desk.type_in(":run 2\n");
    desk.wait_for("pod = web-7f (kept from step find at ", SOON);
    desk.confirm();
    desk.wait_for("restarts-web-7f", SOON);
    ran(&mut desk, 3);
    desk.wait_for("nothing kept: it printed 2 lines, not one", SOON);
}

fn output_files(folder: &Path) -> String {
    let mut all = String::new();
    for run in std::fs::read_dir(folder).unwrap().flatten() {
        all += &std::fs::read_to_string(run.path().join("output")).unwrap_or_default();
    }
    all
}

#[test]
fn each_line_of_an_output_has_its_time_and_what_was_left_running_its_number_and_name() {
    let (host, mut desk) = desk(&[("leave", shell("echo one; echo two; sleep 30 & exit 0", "directory = \"/tmp\""))]);

    ran(&mut desk, 1);
    desk.wait_for("left running: ", SOON);
    let said = host.run(&["show", "INC-1"]).1;
    assert!(said.contains("(sleep)"), "{said}");
    let runs = host.home.path().join("state/warroom/journal/INC-1.runs");
    let text = output_files(&runs);
    let is_stamped = |line: &str| {
        let (time, rest) = line.split_once(' ').unwrap_or_default();
        time.len() == 9 && time.ends_with('Z') && !rest.is_empty()
    };
    assert!(text.lines().count() == 2 && text.lines().all(is_stamped), "{text}");
    // It would outlive the test.
    let pid = said.split("left running: ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap().parse().unwrap();
    let _ = rustix::process::kill_process(rustix::process::Pid::from_raw(pid).unwrap(), rustix::process::Signal::KILL);
}
