//! Which row of a list is selected, and which rows are in sight.
//!
//! Hides that a list grows and shrinks below the selection, and that keys ask for more than there is.
//!
//! Invariant: in a list that is not empty the selected row exists and is in sight.

use std::ops::Range;

/// The selection of a list whose rows somebody else owns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    place: usize,
}

impl Selection {
    /// Selects the row so many below (or above, if negative) among so many; beyond the ends it stays at the end.
    pub fn go(&mut self, by: isize, rows: usize) {
        // From the row that is seen selected, not from one that has gone since.
        self.place = self.place(rows).saturating_add_signed(by).min(rows.saturating_sub(1));
    }

    /// Selects a row.
    pub fn select(&mut self, place: usize) {
        self.place = place;
    }

    /// The selected row among so many.
    pub fn place(&self, rows: usize) -> usize {
        self.place.min(rows.saturating_sub(1))
    }

    /// The rows in sight where there is room for some: from the top, until the selection would leave at the bottom.
    pub fn in_sight(&self, rows: usize, room: u16) -> Range<usize> {
        let room = usize::from(room);
        let first = (self.place(rows) + 1).saturating_sub(room);
        first..rows.min(first + room)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_key_after_the_end_moves_from_the_end_and_not_from_beyond_it() {
        let mut selection = Selection::default();
        selection.go(isize::MAX, 7);
        selection.go(-1, 7);
        assert_eq!(selection.place(7), 5);
        selection.go(-1, 3);
        assert_eq!(selection.place(3), 1, "the list shrank to three");
        selection.go(isize::MIN, 3);
        assert_eq!((selection.place(3), selection.place(0)), (0, 0));
    }

    proptest! {
        #[test]
        fn whatever_keys_come_the_selected_row_exists_and_is_in_sight(
            moves in prop::collection::vec((any::<isize>(), 1usize..40), 0..20), start in any::<usize>(), room in 1u16..10,
        ) {
            let mut selection = Selection::default();
            selection.select(start);
            for (by, rows) in moves {
                selection.go(by, rows);
                let place = selection.place(rows);
                let sight = selection.in_sight(rows, room);
                prop_assert!(place < rows && sight.contains(&place) && sight.end <= rows && sight.len() <= usize::from(room));
            }
        }
    }
}
