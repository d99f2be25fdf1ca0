//! Every pane and the whole console as they look: text at three sizes, and styles where colour carries meaning.
//!
//! `INSTA_UPDATE=always cargo test snapshots` writes them anew; look at the difference before it is committed.

use super::*;
use crate::alert::AlertState;
use crate::incident::{Phase, PhaseEntered, Plain, RoleNamed, StepDone, StepRef};

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 60)];

/// Six minutes into an incident: command taken, acknowledged, a step done, a correction, customers hurt.
fn room(layout: Layout, size: (u16, u16)) -> Desk {
    let mut desk = Desk::open(layout, size);
    let role = |role, holder: &str| {
        Event::RoleTaken(RoleNamed { role, component: None, holder: holder.into(), reason: None, is_played: false })
    };
    let script: [(i64, &str, Event); 9] = [
        (20, "dana", role(Role::IncidentCommander, "dana")),
        (5, "dana", Event::Acknowledged(Plain {})),
        (1, "dana", Event::PhaseEntered(PhaseEntered::plain(Phase::Acknowledged))),
        (30, "li", role(Role::CommunicationsLead, "li")),
        (40, "omid", note("gateway pool exhausted, 500/500\nsecond line of the same note")),
        (10, "dana", Event::ImpactStarted(crate::incident::ImpactAt { at: at(30), ..Default::default() })),
        (
            60,
            "omid",
            Event::StepChecked(StepDone {
                step: StepRef { service: "alipay".into(), step: "grafana-latency".into() },
                title: "Check the alipay namespace for latency spikes".into(),
            }),
        ),
        (
            30,
            "omid",
            Event::NoteStruck(crate::incident::NoteStruck {
                note: EntryId { rid: 1, rseq: 6 },
                reason: Some("wrong pool".into()),
            }),
        ),
        (90, "dana", Event::PhaseEntered(PhaseEntered::plain(Phase::Mitigating))),
    ];
    for (later, who, event) in script {
        desk.wall += TimeDelta::seconds(later);
        desk.write(who, event);
    }
    let present = [("dana", "ic"), ("li", "comms"), ("omid", "sme")];
    let present = present.map(|(actor, layout)| Present {
        actor: actor.into(),
        layout: layout.into(),
        console: actor.into(),
        looks_only: false,
        is_dry: false,
    });
    desk.tell(Msg::Journal(JournalMsg::Present(present.into())));
    desk.report();
    desk
}

/// A burst that no incident covers, one in the scope, one that nobody is told of, one that is pending.
fn some_alerts() -> Vec<crate::alert::Alert> {
    let mut all = vec![
        alerts::alert("HighErrorRate", "alipay", "critical", 0),
        alerts::alert("BalanceLookupSlow", "blubank", "critical", 100),
        alerts::alert("TransferQueueLong", "blubank", "warning", 160),
        alerts::alert("LoginErrors", "yoomonea", "page", 190),
        alerts::alert("DiskFillsUp", "gateway", "info", 500),
        alerts::alert("CertificateExpires", "edge", "info", -90_000),
    ];
    let by = vec!["5b4e-11ed".into()];
    all[5].state = AlertState::Suppressed { silenced_by: by, inhibited_by: Vec::new(), muted_by: Vec::new() };
    all[4].state = AlertState::Pending;
    all
}

fn name(what: &str, size: (u16, u16)) -> String {
    format!("{what}-{}x{}", size.0, size.1)
}

#[test]
fn the_whole_console_in_every_layout() {
    for size in SIZES {
        for layout in Layout::ALL {
            let screen = room(layout, size).screen();
            insta::assert_snapshot!(name(layout.name(), size), screen);
        }
    }
}

#[test]
fn every_pane_with_all_the_room() {
    for size in SIZES {
        for (place, spec) in PANES.iter().enumerate() {
            let mut desk = room(Layout::Ic, size);
            desk.keys(&format!("{}z", place + 1));
            if spec.id == PaneId::Alerts {
                desk.tell(alerts::fires(some_alerts()));
                desk.keys("jj");
            }
            insta::assert_snapshot!(name(&format!("pane-{}", spec.name), size), desk.screen());
        }
    }
}

#[test]
fn the_wall() {
    for size in SIZES {
        let mut desk = room(Layout::Ic, size);
        desk.write("li", note("three shops report that the QR payment hangs and then fails; cards work"));
        desk.write("omid", note("the pool of the gateway is full"));
        desk.console.settings.is_wall = true;
        desk.console.dirty = Dirty::ALL;
        insta::assert_snapshot!(name("wall", size), desk.screen());
    }
}

#[test]
fn a_wall_of_any_size_shows_something_and_stays_inside() {
    let mut desk = room(Layout::Ic, (120, 40));
    desk.write("li", note("three shops report that the QR payment hangs and then fails; cards work"));
    desk.console.settings.is_wall = true;
    for late in [0, 3_600] {
        desk.pass(late);
        for (width, height) in [20, 40, 80, 120, 160, 200, 300]
            .into_iter()
            .flat_map(|width| (5..=80).step_by(3).map(move |height| (width, height)))
        {
            desk.tell(Msg::Input(InputEvent::Resize(width, height)));
            desk.buffer = Buffer::empty(Rect::new(0, 0, width, height));
            desk.draw();
            assert!(!text(&desk.buffer).trim().is_empty(), "{width}x{height}");
        }
    }
}

#[test]
fn overlays_and_the_smallest_screens() {
    for (what, keys, size) in [
        ("help", "?", (120, 40)),
        ("palette", ":imp", (80, 24)),
        ("declare", "D", (80, 24)),
        ("compose", "u", (120, 40)),
        ("severity", "S", (80, 24)),
        ("one-pane", "", (40, 12)),
        ("alarm-line", "", (19, 4)),
    ] {
        let mut desk = room(Layout::Ic, size);
        desk.keys(keys);
        insta::assert_snapshot!(name(what, size), desk.screen());
    }
}

#[test]
fn the_start_screen_and_the_form_with_alerts() {
    for size in SIZES {
        let mut desk = Desk::with(settings(Layout::Ic), size);
        desk.wall = at(300);
        desk.console.show_start();
        desk.tell(Msg::Listed(Known::Whole((1..4).map(summary).collect())));
        desk.tell(alerts::fires(some_alerts()));
        insta::assert_snapshot!(name("start-alerts", size), desk.screen());
        desk.keys("d");
        insta::assert_snapshot!(name("declare-from-alerts", size), desk.screen());
    }
}

#[test]
fn colours_where_they_carry_meaning() {
    let mut desk = room(Layout::Ic, (80, 24));
    desk.keys("1");
    desk.pass(700);
    desk.draw();
    insta::assert_snapshot!("styled-80x24", styled(&desk.buffer));
}

/// Rows with the style of each run before it, as `[red bold]text`.
fn styled(buffer: &Buffer) -> String {
    let mut out = String::new();
    for y in buffer.area.top()..buffer.area.bottom() {
        let mut last = None;
        for x in buffer.area.left()..buffer.area.right() {
            let cell = &buffer[(x, y)];
            let style = (cell.fg, cell.bg, cell.modifier);
            if last != Some(style) {
                out.push_str(&format!("[{:?}/{:?} {:?}]", style.0, style.1, style.2));
                last = Some(style);
            }
            out.push_str(cell.symbol());
        }
        out.push('\n');
    }
    out
}
