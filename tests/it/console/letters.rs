//! Letters of other alphabets: found however they were typed, and in their columns on terminals that turn text around.

use super::{Host, SIZE, SOON, Typist, WARROOM};

#[test]
fn a_search_on_the_screen_finds_a_word_however_it_was_typed() {
    let host = Host::new().declared();
    let notes = [
        "كاربران مي\u{200c}توانند پرداخت كنند",
        "تأخیر درگاه ۱۲ برابر شد",
        "Mu\u{308}ller\u{a0}Bank meldet Ausfälle",
        "Straße und Łódź",
    ];
    for note in notes {
        host.say(&["note", note]);
    }
    let texts = host.texts("INC-1");
    let mut console = host.open(&[]);
    console.send("4");
    for (typed, note) in [
        ("کاربران می‌توانند", 0),
        ("درگاه 12", 1),
        ("müller bank", 2),
        ("ميتوانند", 0),
        // Each leads elsewhere than the one before, so that it is seen when it is done.
        ("STRASSE", 3),
        ("تاخیر", 1),
        ("lodz", 3),
    ] {
        let place = texts.iter().position(|text| text == notes[note]).unwrap() + 1;
        console.send(format!("/\x15{typed}\r"));
        console.wait_until(typed, SOON, |screen| {
            let screen = screen.contents();
            screen.contains(&format!(" {place}/{} · End", texts.len())) && !screen.contains("not found")
        });
    }
    console.quit();
}

#[test]
fn where_the_terminal_turns_text_around_each_text_of_a_row_is_told_apart_and_nowhere_else() {
    let host = Host::new().declared();
    host.say(&["note", "تأخیر درگاه (P99) ۱۲ برابر شد"]);
    let is_told = |more: &[(&str, &str)]| {
        let mut console = host.start(WARROOM, &["open", "INC-1"], more, SIZE);
        console.wait_for("برابر", SOON);
        String::from_utf8_lossy(console.raw()).contains(['\u{2068}', '\u{2069}'])
    };
    let vte = ("VTE_VERSION", "7006");
    assert!(is_told(&[vte, ("TMUX", ""), ("STY", "")]));
    assert!(!is_told(&[("VTE_VERSION", "")]));
    assert!(!is_told(&[vte, ("TMUX", "/tmp/tmux-0/default,1,0")]), "a multiplexer draws rows of its own");
}

#[test]
fn a_terminal_is_asked_how_wide_it_draws_unless_somebody_said_it_or_it_is_far_away() {
    let host = Host::new().declared();
    let is_asked = |more: &[(&str, &str)]| {
        let mut console = host.start(WARROOM, &["open", "INC-1"], more, SIZE);
        console.wait_for("INC-1 SEV1", SOON);
        let is_asked = console.raw().windows(4).any(|part| part == b"\x1b[6n");
        console.quit();
        is_asked
    };
    assert!(is_asked(&[]));
    assert!(!is_asked(&[("SSH_CONNECTION", "192.0.2.1 1 192.0.2.2 22")]));
    assert!(!is_asked(&[("WARROOM_SCREEN__UNICODE", "unicode")]));
}
