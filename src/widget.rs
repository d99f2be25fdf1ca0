//! What panes draw with: charts, big digits, frames, text, an editor, lists, and ranking.
//!
//! Hides columns, clusters and Braille. A widget takes plain values and draws into a [`Rect`](ratatui::layout::Rect) of
//! a [`Buffer`](ratatui::buffer::Buffer); it knows nothing of incidents.
//!
//! Invariant: a widget touches no cell outside its area, any data and any size is fine, and drawing changes nothing but
//! the buffer: a frame may be skipped or drawn twice.

pub mod chart;
pub mod digits;
pub mod editor;
pub mod frame;
pub mod fuzzy;
pub mod list;
pub mod text;

#[cfg(test)]
pub(crate) mod tests;
