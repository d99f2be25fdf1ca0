//! A picture of the real screen, drawn without a terminal: a drill at a fixed moment, and its cells as SVG.
//!
//! The picture is made by the same console, fold and drawing that a person sees; only the clock stands still.

use std::fmt::Write as _;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier};

use super::{Drill, records};
use crate::console::{Console, Effect, JournalMsg, Layout, Msg, Settings};
use crate::exercise::{Exercise, World};
use crate::incident::{
    ENTRY_VERSION, Entry, EntryId, Event, Hlc, IncidentId, Phase, PhaseEntered, Plain, Role, RoleNamed, StepDone,
    StepRef, Via,
};
use crate::live::{AlertFinding, Finding, Report, Watchlist};
use crate::pane::{Access, Present};
use crate::playbook::Catalogue;
use crate::slo::Grid;
use crate::theme::Theme;

/// When the drill of the picture starts.
const START: i64 = 1_795_000_000;

/// A console six minutes into a drill.
pub fn drill(drill: &Drill, layout: Layout, is_wall: bool, theme: Theme, area: Rect) -> anyhow::Result<Buffer> {
    let exercise = Exercise::parse(&drill.name, &drill.text)?;
    let start = DateTime::from_timestamp(START, 0).unwrap_or_default();
    let now = start + TimeDelta::minutes(6) + TimeDelta::seconds(18);
    let mut console = Console::new(settings(layout, is_wall, theme), area);
    let id = IncidentId::drill(1);
    let mut effects = Vec::new();
    let mut tell = |console: &mut Console, msg: Msg| effects.extend(console.handle(msg, now));
    tell(&mut console, Msg::Journal(JournalMsg::Opened(id)));
    tell(&mut console, Msg::Journal(JournalMsg::Entries(entries(&exercise, drill, id, start))));
    tell(&mut console, Msg::Journal(JournalMsg::CaughtUp));
    let present = ["dana", "li", "omid"].map(|name| Present {
        actor: name.into(),
        layout: "ic".into(),
        console: name.into(),
        looks_only: false,
        is_dry: false,
    });
    tell(&mut console, Msg::Journal(JournalMsg::Present(present.into())));
    let watchlist = effects.iter().rev().find_map(|effect| match effect {
        Effect::Watch(watchlist) => Some(watchlist.clone()),
        _ => None,
    });
    for report in watchlist.iter().flat_map(|watchlist| reports(&exercise, drill.seed, start, now, watchlist)) {
        console.handle(Msg::Source(report), now).forgo();
    }
    let mut buffer = Buffer::empty(area);
    let dirty = console.begin_frame(now);
    console.draw(now, dirty, &mut buffer);
    Ok(buffer)
}

fn settings(layout: Layout, is_wall: bool, theme: Theme) -> Settings {
    Settings {
        me: "dana".into(),
        console: "c0".into(),
        layout,
        access: if is_wall { Access::ReadOnly } else { Access::Full },
        is_wall,
        is_frozen: false,
        catalogue: Catalogue::shipped(),
        templates: crate::template::Templates::shipped(),
        cadence: crate::incident::Cadence::default(),
        matrix: crate::escalation::Matrix::default(),
        host: "bastion".into(),
        aliases: Default::default(),
        around: Default::default(),
        staging: None,
        rotation: None,
        reach: crate::reach::Reach::default(),
        is_shared: false,
        rings: false,
        theme,
        zone: chrono_tz::UTC,
    }
}

/// What the drill opens with, and what a room would have done in six minutes.
fn entries(exercise: &Exercise, drill: &Drill, id: IncidentId, start: DateTime<Utc>) -> Vec<Entry> {
    let opening = records::drill_entries(exercise, drill, &"dana".into(), "UTC", start);
    let take = |role, holder: &str| {
        Event::RoleTaken(RoleNamed { role, component: None, holder: holder.into(), reason: None, is_played: false })
    };
    let done = |step: &str, title: &str| {
        Event::StepChecked(StepDone {
            step: StepRef { service: exercise.service.clone(), step: step.into() },
            title: title.into(),
        })
    };
    let catalogue = Catalogue::shipped();
    let steps = catalogue.get(&exercise.service).map(|playbook| playbook.steps.as_slice()).unwrap_or_default();
    let mut later: Vec<(i64, &str, Event)> = vec![
        (40, "dana", take(Role::IncidentCommander, "dana")),
        (52, "dana", Event::Acknowledged(Plain {})),
        (52, "dana", Event::PhaseEntered(PhaseEntered::plain(Phase::Acknowledged))),
        (70, "li", take(Role::CommunicationsLead, "li")),
        (85, "omid", take(Role::Sme, "omid")),
        (120, "dana", Event::PhaseEntered(PhaseEntered::plain(Phase::Triage))),
    ];
    for (step, at) in steps.iter().zip([150, 215]) {
        later.push((at, "omid", done(&step.id, &step.title)));
    }
    let mut all: Vec<(DateTime<Utc>, crate::incident::Actor, Event)> =
        opening.into_iter().map(|entry| (start, entry.actor, entry.event)).collect();
    all.extend(later.into_iter().map(|(at, who, event)| (start + TimeDelta::seconds(at), who.into(), event)));
    let mut hlc = Hlc::default();
    all.into_iter()
        .zip(1..)
        .map(|((wall, actor, event), rseq)| {
            hlc = hlc.next(wall);
            let id_of = EntryId { rid: 1, rseq };
            Entry {
                v: ENTRY_VERSION,
                inc: id,
                id: id_of,
                hlc,
                wall,
                actor,
                via: Via::default(),
                event,
                after: None,
                prev: String::new(),
            }
        })
        .collect()
}

fn reports(
    exercise: &Exercise,
    seed: u64,
    start: DateTime<Utc>,
    now: DateTime<Utc>,
    watchlist: &Watchlist,
) -> Vec<Report> {
    let world = World::new(exercise, seed, start);
    let report = |finding| Report { source: crate::source::simulated::NAME, generation: watchlist.generation, finding };
    let grid = world.aligned(now, |now| Grid::covering(watchlist.span, now, watchlist.points, TimeDelta::seconds(10)));
    let place = format!("exercise {}", exercise.title);
    let mut all = vec![report(Finding::Ready { place: place.as_str().into(), every: TimeDelta::seconds(5) })];
    for objective in &watchlist.objectives {
        all.extend(Finding::whole(&objective.id, &world.measured(objective, grid, now)).map(&report));
    }
    all.push(report(Finding::Spans(world.spans(&Arc::new(watchlist.clone()), now))));
    let alerts = world.alerts(crate::source::simulated::NAME, &watchlist.objectives, now);
    all.push(report(Finding::Alerts(AlertFinding { alerts, ..AlertFinding::default() }.bounded())));
    all.push(report(Finding::Polled));
    all
}

const CELL: (f64, f64) = (8.4, 17.0);

/// The cells of a buffer as an SVG, in a dark frame.
pub fn svg(buffer: &Buffer) -> String {
    let area = buffer.area;
    let (width, height) = (f64::from(area.width) * CELL.0, f64::from(area.height) * CELL.1);
    let mut out = String::new();
    let _ = writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {:.0} {:.0}\" font-family=\"DejaVu Sans Mono,Menlo,Consolas,monospace\" font-size=\"14\">",
        width + 16.0,
        height + 16.0
    );
    let _ = writeln!(out, "<rect width=\"100%\" height=\"100%\" rx=\"6\" fill=\"{BACKGROUND}\"/>");
    for y in area.top()..area.bottom() {
        let mut x = area.left();
        while x < area.right() {
            let cell = &buffer[(x, y)];
            let (ink, paper, bold) = look(cell);
            let run_start = x;
            let mut run = String::new();
            while x < area.right() && look(&buffer[(x, y)]) == (ink, paper, bold) {
                run.push_str(buffer[(x, y)].symbol());
                x += u16::try_from(crate::text::columns(buffer[(x, y)].symbol()).max(1)).unwrap_or(1);
            }
            let (left, top) = (8.0 + f64::from(run_start) * CELL.0, 8.0 + f64::from(y) * CELL.1);
            let length = f64::from(x - run_start) * CELL.0;
            if paper != BACKGROUND {
                let _ = writeln!(
                    out,
                    "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{length:.1}\" height=\"{:.1}\" fill=\"{paper}\"/>",
                    CELL.1
                );
            }
            if !run.trim().is_empty() {
                let weight = if bold { " font-weight=\"bold\"" } else { "" };
                let _ = writeln!(
                    out,
                    "<text x=\"{left:.1}\" y=\"{:.1}\" fill=\"{ink}\"{weight} textLength=\"{length:.1}\" lengthAdjust=\"spacingAndGlyphs\">{}</text>",
                    top + 13.0,
                    escape(&run)
                );
            }
        }
    }
    out.push_str("</svg>");
    out
}

const BACKGROUND: &str = "#14161b";
const FOREGROUND: &str = "#d8dbe2";

fn look(cell: &ratatui::buffer::Cell) -> (&'static str, &'static str, bool) {
    let is_dim = cell.modifier.contains(Modifier::DIM);
    let mut ink = colour(cell.fg, if is_dim { "#7d838f" } else { FOREGROUND });
    let mut paper = colour(cell.bg, BACKGROUND);
    if cell.modifier.contains(Modifier::REVERSED) {
        std::mem::swap(&mut ink, &mut paper);
    }
    (ink, paper, cell.modifier.contains(Modifier::BOLD))
}

fn colour(colour: Color, none: &'static str) -> &'static str {
    match colour {
        Color::Black => "#22252c",
        Color::Red | Color::LightRed => "#ff6b6b",
        Color::Green | Color::LightGreen => "#7bd88f",
        Color::Yellow | Color::LightYellow => "#ffcc66",
        Color::Blue | Color::LightBlue => "#7aa2f7",
        Color::Magenta | Color::LightMagenta => "#c792ea",
        Color::Cyan | Color::LightCyan => "#66d9ef",
        Color::Gray => "#b0b5c0",
        Color::DarkGray => "#7d838f",
        Color::White => "#ffffff",
        Color::Reset | Color::Indexed(_) | Color::Rgb(..) => none,
    }
}

fn escape(text: &str) -> String {
    // Blanks that no renderer folds together.
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace(' ', "\u{a0}")
}
