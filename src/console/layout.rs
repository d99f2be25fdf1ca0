//! Where everything stands: a pure function from the terminal's size, the role's layout, focus and zoom to rectangles.
//!
//! Invariant: rectangles never overlap and never leave the screen; the pane that has the focus is always shown; whatever the size, the header is there,
//! and in it the nearest obligation where no pane shows it.

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

    /// Where the focus is at the start. A small screen shows what has the focus and the timeline, and what is due is in its header already.
    pub fn first_focus(self, screen: Rect) -> PaneId {
        match self {
            Self::Ic if !is_full(screen) => PaneId::Graphs,
            Self::Ic | Self::Comms => PaneId::Next,
            Self::Sme => PaneId::Playbook,
            Self::Scribe => PaneId::Timeline,
        }
    }

    /// Whose place a pane takes that has the focus and no place of its own: the first of these that is shown.
    fn gives_way(self) -> [PaneId; 2] {
        match self {
            Self::Ic => [PaneId::Facts, PaneId::Playbook],
            Self::Sme | Self::Scribe | Self::Comms => [PaneId::Facts, PaneId::Spans],
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
    /// One line, and those of a long message above it; none where there is no room.
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

/// Whether there is room for all panes of a layout.
fn is_full(screen: Rect) -> bool {
    screen.width >= 100 && screen.height >= 30
}

/// Places everything; a long message takes some rows above the keys from the panes, and changes nothing else.
pub fn arrange(screen: Rect, layout: Layout, focus: PaneId, is_zoomed: bool, message_rows: u16) -> Arrangement {
    if screen.width < 20 || screen.height < 5 {
        return Arrangement {
            header: Rect { height: screen.height.min(1), ..screen },
            is_alarm_line: true,
            ..Arrangement::default()
        };
    }
    let header_rows = if is_full(screen) { 2 } else { 1 };
    let header = Rect { height: header_rows, ..screen };
    let footer_rows = 1 + message_rows.min(screen.height / 3);
    let footer = Rect { y: screen.bottom() - footer_rows, height: footer_rows, ..screen };
    let usual = screen.height - header_rows - 1;
    let body = Rect { y: screen.y + header_rows, height: screen.height - header_rows - footer_rows, ..screen };
    let panes = if is_zoomed || usual < 14 || body.width < 60 {
        vec![(focus, body)]
    } else if is_full(screen) {
        with_focus(full(body, layout, usual >= 45), layout, focus)
    } else {
        two(body, layout, focus)
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

/// A pane that has the focus and no place takes the place of the least important one, for as long as it has the focus.
fn with_focus(mut panes: Vec<(PaneId, Rect)>, layout: Layout, focus: PaneId) -> Vec<(PaneId, Rect)> {
    if panes.iter().any(|(id, _)| *id == focus) {
        return panes;
    }
    let given = layout.gives_way().into_iter().find_map(|id| panes.iter().position(|(shown, _)| *shown == id));
    // The last one of a layout that has none of them: hidden is the one thing that the focus must not be.
    let place = given.unwrap_or(panes.len().saturating_sub(1));
    if let Some((id, _)) = panes.get_mut(place) {
        *id = focus;
    }
    panes
}

fn full(body: Rect, layout: Layout, facts_fit: bool) -> Vec<(PaneId, Rect)> {
    use PaneId::{Facts, Graphs, Next, Playbook, Spans, Timeline};
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
    fn at_any_size_the_focused_pane_is_shown_nothing_overlaps_and_nothing_leaves_the_screen() {
        for width in [1, 19, 20, 40, 60, 80, 100, 120, 200, 300] {
            for height in [1, 4, 5, 12, 14, 24, 30, 40, 50, 60, 80] {
                for layout in Layout::ALL {
                    for spec in PANES {
                        for (zoom, rows) in [(false, 0), (true, 0), (false, 4), (true, 2)] {
                            let screen = Rect::new(0, 0, width, height);
                            let placed = arrange(screen, layout, spec.id, zoom, rows);
                            let shown = placed.panes.iter().filter(|(id, _)| *id == spec.id).count();
                            assert!(placed.is_alarm_line || shown == 1, "{width}x{height} {layout:?} {}", spec.name);
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
    fn what_has_no_place_takes_the_least_important_one_while_it_has_the_focus() {
        let shown = |layout, focus| {
            let placed = arrange(Rect::new(0, 0, 120, 40), layout, focus, false, 0);
            placed.panes.into_iter().map(|(id, _)| id).collect::<Vec<_>>()
        };
        use PaneId::{Facts, Graphs, Next, Playbook, Spans, Timeline};
        assert_eq!(shown(Layout::Ic, Next), [Graphs, Next, Spans, Playbook, Timeline]);
        assert_eq!(shown(Layout::Ic, Facts), [Graphs, Next, Spans, Facts, Timeline]);
        assert_eq!(shown(Layout::Sme, Facts), [Playbook, Graphs, Next, Facts, Timeline]);
        assert_eq!(shown(Layout::Scribe, Playbook), [Timeline, Next, Graphs, Playbook]);
    }

    #[test]
    fn a_commander_at_a_small_terminal_sees_a_graph_first_and_what_is_due_when_asked_for() {
        let screen = Rect::new(0, 0, 80, 24);
        let shown = |focus| arrange(screen, Layout::Ic, focus, false, 0).panes.into_iter().map(|(id, _)| id);
        assert!(shown(Layout::Ic.first_focus(screen)).eq([PaneId::Graphs, PaneId::Timeline]));
        assert!(shown(PaneId::Next).eq([PaneId::Next, PaneId::Timeline]));
    }

    #[test]
    fn a_zoomed_pane_has_all_the_room_and_a_small_terminal_shows_two() {
        let small = arrange(Rect::new(0, 0, 80, 24), Layout::Ic, PaneId::Spans, false, 0);
        assert_eq!(small.panes.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [PaneId::Spans, PaneId::Timeline]);
        let zoomed = arrange(Rect::new(0, 0, 120, 40), Layout::Ic, PaneId::Spans, true, 0);
        assert_eq!(zoomed.panes.len(), 1);
        assert_eq!(arrange(Rect::new(0, 0, 40, 12), Layout::Ic, PaneId::Next, false, 0).panes.len(), 1);
    }
}
