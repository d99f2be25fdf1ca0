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

#[test]
fn a_second_declaration_on_a_service_asks_whether_it_is_the_incident_that_is_open() {
    let host = Host::new();
    host.declare();
    let again = ["declare", "-s", "alipay", "--severity", "sev1", "payments fail"];
    let output = host.command(&again).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("is it INC-1 (payments are slow)?"), "{said}");
    assert!(said.contains("`warroom open INC-1` joins it") && said.contains("--anyway"), "{said}");
    assert_eq!(
        host.run(&["declare", "-s", "blubank", "--severity", "sev1", "the queue grows"]),
        (0, "INC-2\n".to_owned())
    );
    let mut dana = host.start(&["open", "2", "--plain"]);
    dana.type_in(":declare alipay 1 payments fail\n");
    dana.wait_for("! is it INC-1 (payments are slow)? :open INC-1 joins it; :declare! ", SOON);
    dana.type_in(":declare! alipay 1 payments fail\n");
    dana.wait_for("INC-3 SEV1 payments fail", SOON);
    assert_eq!(host.run(&[&again[..], &["--anyway"]].concat()), (0, "INC-4\n".to_owned()));
}

#[test]
fn a_note_for_a_duplicate_lands_where_it_goes_on_and_a_merge_is_taken_back() {
    let host = Host::new();
    host.declare();
    let declare = ["declare", "--anyway", "-s", "alipay", "--severity", "sev1", "payments fail"];
    assert_eq!(host.run(&declare).1.trim(), "INC-2");
    assert_eq!(host.run(&["merge", "INC-2", "--into", "INC-1", "--yes", "merge:INC-2-into-INC-1"]).0, 0);
    let output = host.command(&["note", "-i", "2", "pool exhausted"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && said.contains("INC-2 goes on in INC-1: the note stands there"), "{said}");
    assert!(host.run(&["show", "1"]).1.contains("pool exhausted") && !host.run(&["show", "2"]).1.contains("pool"));
    let (status, said) = host.run(&["unmerge", "INC-2", "--reason", "another bank"]);
    assert!(status == 0 && said.contains("INC-2 is open again"), "{said}");
    assert!(host.run(&["list"]).1.contains("INC-2 "));
    let (_, first) = host.run(&["show", "1"]);
    assert!(first.contains("another bank") && !first.contains("merged    INC-2"), "{first}");
    assert_eq!(host.run(&["unmerge", "INC-2", "--reason", "again"]).0, 1);
}

#[test]
fn a_record_that_cannot_be_read_hinders_nobody_and_hides_no_other() {
    let host = host(TEAM);
    host.declare();
    assert_eq!(host.run(&["declare", "-s", "blubank", "--severity", "sev1", "the queue grows"]).1.trim(), "INC-2");
    let broken = host.home.path().join("state/warroom/journal/INC-2.db");
    assert!(broken.exists());
    std::fs::write(&broken, b"no database at all").unwrap();
    let output = host.command(&["declare", "-s", "alipay", "--severity", "sev1", "payments fail"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("is it INC-1 (payments are slow)?"), "{said}");
    assert_eq!(host.run(&["declare", "-s", "blubank", "--severity", "sev1", "the queue grows"]).1.trim(), "INC-3");
    let (_, list) = host.run(&["list"]);
    assert!(list.contains("INC-1 ") && list.contains("INC-3 "), "{list}");
    let mut dana = host.start(&["open", "1", "--plain"]);
    dana.type_in("@omid check p99 5m\n");
    dana.wait_for("TASK @Omid Karimi check p99, calls back at ", SOON);
}
