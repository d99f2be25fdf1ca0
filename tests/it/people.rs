//! People by any of their names, as the real binary takes them.

use crate::plain::{Host, SOON};

const TEAM: &str = "
[[people]]
name = 'Dana Rahimi'
login = 'dana'
[[people]]
name = 'Omid Karimi'
login = 'omid'
email = 'omid@qrpay.example'
[[people]]
name = 'Leila Sadeghi'
aliases = ['lsa']
[[people]]
name = 'Leila Tehrani'
";

fn host(config: &str) -> Host {
    let host = Host::new();
    let folder = host.home.path().join("config/warroom");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("config.toml"), config).unwrap();
    host
}

#[test]
fn a_role_is_given_to_a_person_of_two_words_quoted_or_not() {
    for said in ["Leila Sadeghi", "\"Leila Sadeghi\"", "@\"leila sadeghi\"", "lsa"] {
        let host = host(TEAM);
        host.declare();
        let mut dana = host.start(&["open", "1", "--plain"]);
        dana.type_in(&format!(":assign-role comms {said}\n:assign-role sme gateway {said}\n:who\n"));
        dana.wait_for("roles: IC nobody · Comms Leila Sadeghi · SME Leila Sadeghi for gateway", SOON);
    }
}

#[test]
fn work_for_a_login_is_answered_by_the_person_and_two_people_of_one_name_are_asked_about() {
    let host = host(TEAM);
    host.declare();
    let mut dana = host.start(&["open", "1", "--plain"]);
    dana.type_in("@omid check p99 5m\n@leila look 5m\n@bob look 5m\n@Leila Tehrani look at the bank 5m\n");
    dana.wait_for("TASK @Omid Karimi check p99, calls back at ", SOON);
    dana.wait_for("! `leila` could be Leila Sadeghi or Leila Tehrani: write more of the name", SOON);
    dana.wait_for("! who is `bob`?", SOON);
    dana.wait_for("TASK @Leila Tehrani look at the bank, calls back at ", SOON);
    let mut omid = host.start(&["open", "1", "--plain", "--as", "omid"]);
    omid.type_in(":tasks\n:done 1 p99 is fine\n");
    dana.wait_for("(Omid Karimi)", SOON);
}

#[test]
fn two_people_of_one_name_in_the_configuration_are_refused_by_name() {
    let host = host(&format!("{TEAM}[[people]]\nname = 'Sara'\nemail = 'Omid@qrpay.example'\n"));
    let output = host.command(&["config", "check"]).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(!output.status.success(), "{said}");
    let why = "`people[5].email`: `Omid@qrpay.example` would be both Omid Karimi and Sara: a name means one person";
    assert!(said.contains(why), "{said}");
}
