//! What the widgets' tests share: drawing into a text, and the property that nothing is drawn outside an area.

use proptest::prelude::*;
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;

/// What is drawn into an area of a size, as lines without their trailing blanks.
pub(crate) fn drawn(width: u16, height: u16, draw: impl FnOnce(Rect, &mut Buffer)) -> Vec<String> {
    let area = Rect::new(0, 0, width, height);
    let mut buf = Buffer::empty(area);
    draw(area, &mut buf);
    lines(&buf)
}

/// The letters of a buffer as lines without their trailing blanks.
pub(crate) fn lines(buf: &Buffer) -> Vec<String> {
    buf.area
        .rows()
        .map(|row| row.positions().map(|at| buf[at].symbol()).collect::<String>().trim_end().to_owned())
        .collect()
}

/// Draws into an area of a larger buffer and sees that all else is as it was, and that a second drawing changes
/// nothing.
pub(crate) fn stays_inside(area: Rect, mut draw: impl FnMut(Rect, &mut Buffer)) {
    let whole = Rect::new(0, 0, 60, 24);
    let mut buf = Buffer::filled(whole, Cell::new("@"));
    draw(area, &mut buf);
    for position in whole.positions().filter(|position| !area.contains(*position)) {
        assert_eq!(buf[position], Cell::new("@"), "{position} is outside of {area}");
    }
    let once = buf.clone();
    draw(area, &mut buf);
    assert_eq!(once, buf, "drawn twice is drawn once");
}

/// Any area, also one that reaches out of the buffer of [`stays_inside`].
pub(crate) fn any_area() -> impl Strategy<Value = Rect> {
    (0u16..70, 0u16..30, 0u16..70, 0u16..30).prop_map(|(x, y, width, height)| Rect::new(x, y, width, height))
}

proptest! {
    #[test]
    fn a_frame_stays_inside_its_area(area in any_area(), title in "\\PC{0,40}", remark in "\\PC{0,40}", is_focused in any::<bool>()) {
        use crate::theme::Theme;
        use crate::widget::frame::PaneFrame;
        let frame = PaneFrame::new(title.as_str(), is_focused).remark(remark.as_str()).hint(remark.as_str()).position("1/2");
        stays_inside(area, |area, buf| { frame.clone().draw(area, buf, &Theme::default()); });
    }
}
