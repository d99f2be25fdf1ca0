use proptest::prelude::*;

use super::*;

fn day() -> NaiveDate {
    "2026-05-28".parse().unwrap()
}

fn read(service: &str, runbook: &str) -> (Playbook, String) {
    let written = begin(service, runbook, day()).unwrap();
    (Playbook::parse("new.toml", &written).unwrap(), written)
}

/// Title and words of each step.
fn steps(service: &str, runbook: &str) -> Vec<(String, String)> {
    let (playbook, _) = read(service, runbook);
    playbook.steps.iter().map(|step| (step.title.to_string(), step.look.to_string())).collect()
}

fn step(title: &str, look: &str) -> (String, String) {
    (title.to_owned(), look.to_owned())
}

#[test]
fn an_item_that_goes_on_in_the_next_line_is_whole() {
    let runbook = "* Never run the repair script\n  while settlement is open.\n* Check the queue\nof the workers\n";
    assert_eq!(
        steps("ledger", runbook),
        [
            step(
                "Never run the repair script while settlement is open",
                "Never run the repair script while settlement is open."
            ),
            step("Check the queue of the workers", "Check the queue of the workers"),
        ]
    );
}

#[test]
fn what_is_nested_is_detail_and_code_is_what_a_person_runs() {
    let runbook = "\
1. Find the slow pods:

   ```bash
   kubectl get pods -n ledger
   # - not a step
   ```

   * those in `CrashLoop` first
     1. then the others
   * ask the owner

2) Restart one
+ [ ] Look at the [dashboard](https://grafana.example/d/1)
+ [x] Tell <https://status.example>
";
    assert_eq!(
        steps("ledger", runbook),
        [
            step(
                "Find the slow pods",
                "Find the slow pods:\nby hand (bash):\n  kubectl get pods -n ledger\n  # - not a step\n- those in `CrashLoop` first\n  1. then the others\n- ask the owner"
            ),
            step("Restart one", "Restart one"),
            step(
                "Look at the dashboard (https://grafana.example/d/1)",
                "Look at the dashboard (https://grafana.example/d/1)"
            ),
            step("Tell https://status.example", "[x] Tell https://status.example"),
        ]
    );
    let (playbook, _) = read("ledger", runbook);
    assert!(playbook.steps.iter().all(|step| step.action.is_none()), "nothing of it can be executed");
}

#[test]
fn code_below_an_item_belongs_to_it() {
    let runbook = "- Drain the node\n\n```\nkubectl drain n1\n```\n\nWait until it is empty.\n\n- Reboot it\n";
    assert_eq!(
        steps("ledger", runbook),
        [
            step("Drain the node", "Drain the node\nby hand:\n  kubectl drain n1\nWait until it is empty."),
            step("Reboot it", "Reboot it"),
        ]
    );
}

#[test]
fn headings_with_prose_are_steps_and_headings_of_lists_stand_before_them() {
    let runbook = "\
# LedgerQueueFull

## Meaning

The queue of the ledger
is full.

## Mitigation

### Now

• Scale the workers
• Drop the duplicates
";
    let (playbook, written) = read("ledger", runbook);
    let got: Vec<_> = playbook.steps.iter().map(|step| (step.title.as_str(), step.look.as_str())).collect();
    assert_eq!(
        got,
        [
            ("Meaning", "The queue of the ledger is full."),
            ("Scale the workers", "Scale the workers"),
            ("Drop the duplicates", "Drop the duplicates"),
        ]
    );
    assert!(written.contains("# # LedgerQueueFull\n# ## Meaning\n[[steps]]"), "{written}");
    assert!(written.contains("# ## Mitigation\n# ### Now\n[[steps]]"), "{written}");
}

#[test]
fn only_the_services_own_section_is_taken_with_its_sub_headings() {
    let runbook = "\
# Runbook
* general
## Core QRPay Web
* Confirm the queue
### Cache
* Flush it
## Payments
* nothing of ours
## Rollback of qrpay-web
* Roll back
";
    let titles = |service: &str| steps(service, runbook).into_iter().map(|(title, _)| title).collect::<Vec<_>>();
    assert_eq!(titles("qrpay-web"), ["Confirm the queue", "Flush it", "Roll back"]);
    assert_eq!(
        titles("pay"),
        ["general", "Confirm the queue", "Flush it", "nothing of ours", "Roll back"],
        "no heading names it"
    );
}

#[test]
fn what_is_no_step_is_listed_at_the_end() {
    let runbook = "\
---
owner: ledger team
---

* [Meaning](#meaning)
  * [Mitigation](#mitigation)

<!-- reviewed by dana -->

| Alert | Action |
| --- | --- |
| LedgerSlow | page omid |

[unused]: https://wiki.example/ledger \"The wiki\"
";
    let (playbook, written) = read("ledger", runbook);
    assert_eq!(playbook.steps.len(), 1);
    assert_eq!(playbook.steps[0].look.as_str(), "Alert | Action\nLedgerSlow | page omid");
    let (_, comments) = written.split_once("# What has no place in a step:\n").unwrap();
    assert_eq!(
        comments,
        "# owner: ledger team\n# Meaning (#meaning)\n# Mitigation (#mitigation)\n# <!-- reviewed by dana -->\n# [unused]: https://wiki.example/ledger The wiki\n"
    );
}

#[test]
fn an_id_is_cut_and_unique_whatever_the_words_are() {
    let long = "a".repeat(200);
    let runbook = format!("* {long}\n* {long}\n* بررسی صف\n* 404 errors\n* Restart it\n* Restart it\n");
    let (playbook, _) = read("ledger", &runbook);
    let ids: Vec<_> = playbook.steps.iter().map(|step| step.id.as_str()).collect();
    let cut = "a".repeat(56);
    let again = format!("{cut}-2");
    assert_eq!(ids, [&*cut, &*again, "step-3", "step-404-errors", "restart-it", "restart-it-2"]);
    assert_eq!(playbook.steps[2].title.as_str(), "بررسی صف");
}

#[test]
fn a_long_item_has_a_title_that_fits_and_its_words_below() {
    let runbook = "* Check `p99`. Then call the desk of the bank, which answers from six in the morning until ten at night on working days\n* one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen\n";
    let got = steps("ledger", runbook);
    assert_eq!(got[0].0, "Check p99");
    assert!(got[0].1.ends_with("on working days"));
    assert_eq!(got[1].0, "one two three four five six seven eight nine ten eleven twelve thirteen …");
}

#[test]
fn a_document_without_words_is_refused_by_what_it_is() {
    assert_eq!(begin("ledger", " \n\n", day()).unwrap_err(), "there is no text to make steps of");
    assert_eq!(
        begin("ledger", "# Ledger\n", day()).unwrap_err(),
        "the section of `ledger` has no text to make steps of"
    );
}

/// Markdown in which each word is unique: parts of a document, as people write them.
fn any_document() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        (1..4_usize).prop_map(|level| format!("{} W W\n\n", "#".repeat(level))),
        Just("W W W\nW *W* `W`\n\n".to_owned()),
        Just("Setext W\n===\n\n".to_owned()),
        (prop::sample::select(vec!["*", "-", "+", "1.", "2)", "•"]), any::<bool>()).prop_map(|(mark, is_loose)| {
            let gap = if is_loose { "\n" } else { "" };
            let pad = " ".repeat(mark.chars().count() + 1);
            format!("{mark} W W\n{pad}W W\n{gap}{pad}- W W\n{pad}  W\n{gap}{mark} [ ] W [W](https://W.example/W)\n\n")
        }),
        prop::sample::select(vec!["```", "~~~", "```sh W"])
            .prop_map(|fence| format!("{fence}\nW --W W\n- W\n# W\n{}\n\n", &fence[..3])),
        Just("    W in W\n    - W\n\n".to_owned()),
        Just("| W | W |\n| --- | --- |\n| W | W W |\n\n".to_owned()),
        Just("> W W\n> - W\n\n".to_owned()),
        Just("<div>W</div>\n\n".to_owned()),
        Just("![W](W.png \"W\") W<br>W\n\n".to_owned()),
        Just("- [W](#W)\n- [W](#W)\n\n".to_owned()),
        Just("[W]: https://W.example\n\n".to_owned()),
        Just("* W\n\n  ```\n  W W\n  ```\n\n  W W\n\n---\n\n".to_owned()),
    ];
    proptest::collection::vec(part, 1..12).prop_map(|parts| {
        let mut out = String::new();
        let mut number = 0;
        for letter in parts.concat().chars() {
            if letter == 'W' {
                number += 1;
                out.push_str(&format!("w{number}x"));
            } else {
                out.push(letter);
            }
        }
        out
    })
}

proptest! {
    #[test]
    fn every_word_of_a_runbook_is_in_its_playbook(document in any_document()) {
        if let Ok(written) = begin("ledger", &document, day()) {
            let mut rest = document.as_str();
            while let Some(at) = rest.find('w') {
                let word: String = rest[at..].chars().take_while(char::is_ascii_alphanumeric).collect();
                prop_assert!(!word.ends_with('x') || written.contains(&word), "{} of\n{}\nis not in\n{}", word, document, written);
                rest = &rest[at + 1..];
            }
        }
    }

    #[test]
    fn any_text_gives_a_playbook_or_a_sentence(document in "(\\PC|[#*\\-+0-9.)|`~>\\[\\]()\n ]){0,200}", service in "[a-z-]{1,12}") {
        let _ = begin(&service, &document, day());
    }
}
