//! Where everything stands: a pure function from the terminal's size, the role's layout, focus and zoom to rectangles.
//!
//! Invariant: rectangles never overlap and never leave the screen; whatever the size, the header is there, and in it the nearest obligation where no
//! pane shows it.

use ratatui::layout::Rect;

use crate::pane::PaneId;

/// Whose layout: chosen by `--role`, which does not take the role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Layout {
    /// Incident Commander: graphs and spans, what is next, playbook, timeline.
    #[default]
    Ic,
    /// Communications Lead: timeline and what is next.
    Comms,
    /// Subject Matter Expert: playbook beside graphs and spans.
    Sme,
    /// Scribe: the timeline takes two thirds.
    Scribe,
}

impl Layout {
    /// All layouts.
    pub const ALL: [Self; 4] = [Self::Ic, Self::Comms, Self::Sme, Self::Scribe];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ic => "ic",
            Self::Comms => "comms",
            Self::Sme => "sme",
            Self::Scribe => "scribe",
        }
    }

    /// The layout of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|layout| layout.name() == name)
    }

    /// Where the focus is at the start.
    pub fn first_focus(self) -> PaneId {
        match self {
            Self::Ic | Self::Comms => PaneId::Next,
            Self::Sme => PaneId::Playbook,
            Self::Scribe => PaneId::Timeline,
        }
    }
}

/// Where everything stands.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Arrangement {
    /// One or two lines.
    pub header: Rect,
    /// The panes that are shown, in reading order.
    pub panes: Vec<(PaneId, Rect)>,
    /// One line, or none where there is no room.
    pub footer: Rect,
    /// Too small for anything but the alarm line.
    pub is_alarm_line: bool,
}

impl Arrangement {
    /// Where a pane stands, if it is shown.
    pub fn area(&self, pane: PaneId) -> Option<Rect> {
        self.panes.iter().find(|(id, _)| *id == pane).map(|(_, area)| *area)
    }
}

/// Places everything.
pub fn arrange(screen: Rect, layout: Layout, focus: PaneId, is_zoomed: bool) -> Arrangement {
    if screen.width < 20 || screen.height < 5 {
        return Arrangement {
            header: Rect { height: screen.height.min(1), ..screen },
            is_alarm_line: true,
            ..Arrangement::default()
        };
    }
    let header_rows = if screen.height >= 30 && screen.width >= 100 { 2 } else { 1 };
    let header = Rect { height: header_rows, ..screen };
    let footer = Rect { y: screen.bottom() - 1, height: 1, ..screen };
    let body = Rect { y: screen.y + header_rows, height: screen.height - header_rows - 1, ..screen };
    let panes = if is_zoomed || body.height < 14 || body.width < 60 {
        vec![(focus, body)]
    } else if screen.width < 100 || screen.height < 30 {
        two(body, layout, focus)
    } else {
        full(body, layout)
    };
    Arrangement { header, panes, footer, is_alarm_line: false }
}

/// Two panes: what has the focus above, the timeline below; with the timeline in focus, the layout's own companion above.
fn two(body: Rect, layout: Layout, focus: PaneId) -> Vec<(PaneId, Rect)> {
    let above = match (focus, layout) {
        (PaneId::Timeline, Layout::Ic) => PaneId::Graphs,
        (PaneId::Timeline, Layout::Sme) => PaneId::Playbook,
        (PaneId::Timeline, Layout::Comms | Layout::Scribe) => PaneId::Next,
        (other, _) => other,
    };
    let share = match layout {
        Layout::Scribe | Layout::Comms if above == PaneId::Next => 35,
        Layout::Ic | Layout::Sme | Layout::Comms | Layout::Scribe => 60,
    };
    let (top, bottom) = rows(body, share);
    vec![(above, top), (PaneId::Timeline, bottom)]
}

fn full(body: Rect, layout: Layout) -> Vec<(PaneId, Rect)> {
    use PaneId::{Facts, Graphs, Next, Playbook, Spans, Timeline};
    let facts_fit = body.height >= 45;
    match layout {
        Layout::Ic => {
            let (top, timeline) = rows(body, 68);
            let (left, right) = columns(top, 60);
            let (graphs, spans) = rows(left, 64);
            let (next, rest) = rows(right, if facts_fit { 40 } else { 50 });
            let mut panes = vec![(Graphs, graphs), (Next, next), (Spans, spans)];
            if facts_fit {
                let (playbook, facts) = rows(rest, 62);
                panes.extend([(Playbook, playbook), (Facts, facts)]);
            } else {
                panes.push((Playbook, rest));
            }
            panes.push((Timeline, timeline));
            panes
        }
        Layout::Sme => {
            let (top, timeline) = rows(body, 78);
            let (left, right) = columns(top, 45);
            let (playbook, next) = rows(left, 70);
            let (graphs, spans) = rows(right, 55);
            vec![(Playbook, playbook), (Graphs, graphs), (Next, next), (Spans, spans), (Timeline, timeline)]
        }
        Layout::Scribe => {
            let (left, right) = columns(body, 67);
            let (next, rest) = rows(right, 40);
            let (graphs, facts) = rows(rest, 50);
            vec![(Timeline, left), (Next, next), (Graphs, graphs), (Facts, facts)]
        }
        Layout::Comms => {
            let (left, right) = columns(body, 55);
            let (next, rest) = rows(right, 45);
            let (graphs, facts) = rows(rest, 50);
            vec![(Timeline, left), (Next, next), (Graphs, graphs), (Facts, facts)]
        }
    }
}

fn rows(area: Rect, percent: u16) -> (Rect, Rect) {
    let first = part(area.height, percent);
    (Rect { height: first, ..area }, Rect { y: area.y + first, height: area.height - first, ..area })
}

fn columns(area: Rect, percent: u16) -> (Rect, Rect) {
    let first = part(area.width, percent);
    (Rect { width: first, ..area }, Rect { x: area.x + first, width: area.width - first, ..area })
}

fn part(whole: u16, percent: u16) -> u16 {
    u16::try_from(u32::from(whole) * u32::from(percent) / 100).unwrap_or(whole)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pane::PANES;

    #[test]
    fn at_any_size_nothing_overlaps_and_nothing_leaves_the_screen() {
        for width in [1, 19, 20, 40, 60, 80, 100, 120, 200, 300] {
            for height in [1, 4, 5, 12, 14, 24, 30, 40, 50, 60, 80] {
                for layout in Layout::ALL {
                    for spec in PANES {
                        for zoom in [false, true] {
                            let screen = Rect::new(0, 0, width, height);
                            let placed = arrange(screen, layout, spec.id, zoom);
                            let all: Vec<Rect> = [placed.header, placed.footer]
                                .into_iter()
                                .chain(placed.panes.iter().map(|(_, area)| *area))
                                .collect();
                            for (place, area) in all.iter().enumerate() {
                                assert_eq!(screen.intersection(*area), *area, "{width}x{height} {layout:?}");
                                for other in &all[place + 1..] {
                                    assert!(!area.intersects(*other), "{width}x{height} {layout:?} {area} {other}");
                                }
                            }
                            let covered: u32 = all.iter().map(|area| area.area()).sum();
                            assert!(
                                placed.is_alarm_line || covered == screen.area(),
                                "{width}x{height} {layout:?}: a hole"
                            );
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn a_zoomed_pane_has_all_the_room_and_a_small_terminal_shows_two() {
        let small = arrange(Rect::new(0, 0, 80, 24), Layout::Ic, PaneId::Spans, false);
        assert_eq!(small.panes.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [PaneId::Spans, PaneId::Timeline]);
        let zoomed = arrange(Rect::new(0, 0, 120, 40), Layout::Ic, PaneId::Spans, true);
        assert_eq!(zoomed.panes.len(), 1);
        assert_eq!(arrange(Rect::new(0, 0, 40, 12), Layout::Ic, PaneId::Next, false).panes.len(), 1);
    }
}
