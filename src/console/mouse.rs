//! The mouse, where the configuration wants it (`screen.mouse`): a click gives a pane the focus, the wheel moves in what is below the pointer.
//!
//! Invariant: the mouse records nothing and confirms nothing; whatever acts wants a key.

use chrono::{DateTime, Utc};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::Position;

use super::overlay::Overlay;
use super::{Console, Dirty, Effect};

/// A notch of the wheel goes so far.
const NOTCH: usize = 3;

impl Console {
    pub(super) fn mouse(&mut self, event: MouseEvent, wall: DateTime<Utc>, effects: &mut Vec<Effect>) {
        let way = match event.kind {
            MouseEventKind::ScrollUp => ("Up", KeyCode::Up),
            MouseEventKind::ScrollDown => ("Down", KeyCode::Down),
            MouseEventKind::Down(MouseButton::Left) => return self.clicked(event),
            MouseEventKind::Down(_)
            | MouseEventKind::Up(_)
            | MouseEventKind::Drag(_)
            | MouseEventKind::Moved
            | MouseEventKind::ScrollLeft
            | MouseEventKind::ScrollRight => return,
        };
        if self.settings.is_wall {
            return;
        }
        let has_rows = match self.overlay.as_ref().map(|shown| &shown.overlay) {
            Some(Overlay::Help { .. } | Overlay::Text(_) | Overlay::Pick(_) | Overlay::Records(..)) => true,
            // In a form the wheel would go to another field.
            Some(_) => return,
            None => self.start.is_some(),
        };
        if has_rows {
            for _ in 0..NOTCH {
                self.key(KeyEvent::new(way.1, KeyModifiers::NONE), wall, effects);
            }
            return;
        }
        let at = Position::new(event.column, event.row);
        let Some((pane, _)) = self.arrangement().panes.into_iter().find(|(_, area)| area.contains(at)) else { return };
        let acts = self.panes[pane as usize].acts();
        let Some(place) = acts.iter().position(|act| act.keys.contains(&way.0) && !act.writes) else { return };
        for _ in 0..NOTCH {
            self.perform_in_pane(pane, place, wall, effects);
        }
    }

    fn clicked(&mut self, event: MouseEvent) {
        if self.overlay.is_some() || self.start.is_some() || self.settings.is_wall {
            return;
        }
        let at = Position::new(event.column, event.row);
        let clicked = self.arrangement().panes.into_iter().find(|(_, area)| area.contains(at));
        if let Some((pane, _)) = clicked.filter(|(pane, _)| *pane != self.focus) {
            self.set_focus(pane);
            self.dirty = Dirty::ALL;
        }
    }
}
