//! Where the moments of a chart stand.
//!
//! Hides how time is cut into columns. The cuts are at multiples of a width since 1970 and the window moves by whole
//! cells, so a sample keeps its place inside its cell for as long as it is on the screen: a refresh adds at the right
//! end, and most cells stay what they are.
//!
//! Invariant: every sample has a spot inside the plot, and later samples never stand left of earlier ones.

use chrono::{DateTime, TimeDelta, Utc};
use ratatui::layout::Rect;

/// Evenly spaced moments: `start`, `start + step`, ….
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moments {
    /// The first.
    pub start: DateTime<Utc>,
    /// The distance of two.
    pub step: TimeDelta,
    /// How many.
    pub len: usize,
}

/// The places of moments in the plot of a chart; columns are those of the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Places {
    plot: Rect,
    start: i64,
    step: i64,
    len: usize,
    /// Milliseconds of half a cell.
    half: i64,
    /// The half cell since 1970 at which the plot begins; even.
    first: i64,
}

const NICE_SECONDS: [i64; 21] = [
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800,
    1_209_600,
];

impl Places {
    /// The places of moments in a plot.
    pub fn new(moments: Moments, plot: Rect) -> Self {
        let start = moments.start.timestamp_millis();
        let step = moments.step.num_milliseconds().max(1);
        let span = step.saturating_mul(i64::try_from(moments.len.saturating_sub(1)).unwrap_or(i64::MAX));
        let cells = i64::from(plot.width.max(1));
        let halves = (2 * cells - 2).max(1);
        let half = (span / halves + i64::from(span % halves != 0)).max(1);
        let last = start.saturating_add(span).div_euclid(half);
        let first = (last.div_euclid(2) - (cells - 1)) * 2;
        Self { plot, start, step, len: moments.len, half, first }
    }

    /// The area that the lines have.
    pub fn plot(&self) -> Rect {
        self.plot
    }

    /// The column of a sample.
    pub fn column(&self, place: usize) -> Option<u16> {
        (place < self.len && self.plot.width > 0).then(|| self.plot.x + self.spot(place) / 2)
    }

    /// The column of any moment that is in the plot.
    pub fn column_of(&self, at: DateTime<Utc>) -> Option<u16> {
        let half = at.timestamp_millis().div_euclid(self.half).checked_sub(self.first)?;
        (half >= 0 && half < 2 * i64::from(self.plot.width)).then(|| self.plot.x + (half / 2) as u16)
    }

    /// The last sample in a column, or else before it; of the blank at the left end the first.
    pub fn sample(&self, column: u16) -> Option<usize> {
        let last = self.len.checked_sub(1).filter(|_| self.plot.width > 0)?;
        let cell = i64::from(column.clamp(self.plot.left(), self.plot.right() - 1) - self.plot.x);
        let end = self.first.saturating_add(2 * cell + 2).saturating_mul(self.half);
        let place = end.saturating_sub(1).saturating_sub(self.start).div_euclid(self.step);
        Some(usize::try_from(place).unwrap_or(0).min(last))
    }

    /// The sample that a cursor comes to when it moves by so many columns: always another one, up to the ends.
    pub fn moved(&self, place: usize, columns: i32) -> usize {
        let Some(last) = self.len.checked_sub(1) else { return 0 };
        let place = place.min(last);
        let Some(from) = self.column(place) else { return place };
        let target = i32::from(from).saturating_add(columns);
        if target >= i32::from(self.plot.right()) {
            return last;
        }
        if target < i32::from(self.plot.left()) {
            return 0;
        }
        let found = self.sample(target as u16).unwrap_or(place);
        match columns {
            0 => place,
            1.. => found.max(place + 1).min(last),
            // Columns without a sample of their own answer with the one before them, which is the way to go.
            _ => found.min(place.saturating_sub(1)),
        }
    }

    /// The half cell of each sample, from the left end of the plot.
    pub(super) fn spots(&self) -> Vec<u16> {
        if self.plot.width == 0 { Vec::new() } else { (0..self.len).map(|place| self.spot(place)).collect() }
    }

    fn spot(&self, place: usize) -> u16 {
        let at = self.start.saturating_add(self.step.saturating_mul(i64::try_from(place).unwrap_or(i64::MAX)));
        let spot = at.div_euclid(self.half).saturating_sub(self.first);
        spot.clamp(0, 2 * i64::from(self.plot.width) - 1) as u16
    }

    /// Moments at round times of a zone, at least so many columns apart, from the left end of the plot to the right.
    pub(super) fn ticks(&self, apart: u16, zone: TimeDelta) -> Vec<DateTime<Utc>> {
        let least = self.half.saturating_mul(2).saturating_mul(i64::from(apart));
        let largest = NICE_SECONDS[NICE_SECONDS.len() - 1] * 1000;
        let step = NICE_SECONDS.iter().map(|seconds| seconds * 1000).find(|step| *step >= least);
        let step = step.unwrap_or_else(|| (least / largest + 1).saturating_mul(largest));
        let zone = zone.num_milliseconds();
        let begin = self.first.saturating_mul(self.half);
        let end = self.start.saturating_add(self.step.saturating_mul(i64::try_from(self.len).unwrap_or(i64::MAX)));
        let mut tick = begin.saturating_add(zone).div_euclid(step).saturating_mul(step).saturating_sub(zone);
        let mut ticks = Vec::new();
        while tick < end && ticks.len() <= usize::from(self.plot.width) {
            if tick >= begin {
                ticks.extend(DateTime::from_timestamp_millis(tick));
            }
            tick = tick.saturating_add(step);
        }
        ticks
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn moments(start: i64, step: i64, len: usize) -> Moments {
        let start = DateTime::from_timestamp(start, 0).unwrap();
        Moments { start, step: TimeDelta::seconds(step), len }
    }

    fn places(start: i64, step: i64, len: usize, width: u16) -> Places {
        Places::new(moments(start, step, len), Rect::new(5, 0, width, 10))
    }

    #[test]
    fn a_refresh_leaves_most_samples_in_their_cells() {
        let mut shifts = 0;
        for step in 0..40i64 {
            let before = places(1_780_000_000 + 15 * step, 15, 240, 60);
            let after = places(1_780_000_000 + 15 * (step + 1), 15, 240, 60);
            let by: Vec<u16> = (1..240).map(|place| before.spot(place) - after.spot(place - 1)).collect();
            assert!(by.iter().all(|one| *one == by[0]), "all move as one");
            assert!(by[0] == 0 || by[0] == 2, "by whole cells");
            shifts += by[0] / 2;
        }
        assert_eq!(shifts, 10, "40 samples of 15 s are 600 s, a cell is 61 s");
    }

    #[test]
    fn the_cursor_goes_by_columns_and_always_moves() {
        let many = places(1_780_000_000, 15, 240, 60);
        let mut place = 0;
        let mut columns = vec![many.column(0).unwrap()];
        while place < 239 {
            place = many.moved(place, 1);
            columns.push(many.column(place).unwrap());
        }
        assert_eq!((columns[0], columns[columns.len() - 1]), (5, 64));
        assert!(columns.windows(2).all(|pair| pair[1] <= pair[0] + 1));
        let few = places(1_780_000_000, 60, 4, 60);
        assert_eq!((few.moved(0, 1), few.moved(3, -1), few.moved(3, 1), few.moved(2, -500)), (1, 2, 3, 0));
    }

    #[test]
    fn times_stand_at_full_hours_of_the_zone() {
        let places = places(1_780_000_000, 60, 241, 80);
        let minutes: Vec<String> =
            places.ticks(10, TimeDelta::zero()).iter().map(|at| at.format("%H:%M").to_string()).collect();
        assert_eq!(minutes, ["21:00", "22:00", "23:00", "00:00"]);
        let indian = places.ticks(10, TimeDelta::minutes(330));
        assert!(indian.iter().all(|at| at.format("%M").to_string() == "30"), "{indian:?}");
    }

    proptest! {
        #[test]
        fn every_sample_has_its_column_and_every_column_a_sample(
            start in -1_000_000i64..4_000_000_000, step in 1i64..100_000, len in 0usize..3_000, width in 0u16..300, column in any::<u16>(),
            by in any::<i32>(),
        ) {
            let places = places(start, step, len, width);
            let spots = places.spots();
            prop_assert!(spots.windows(2).all(|pair| pair[0] <= pair[1]));
            prop_assert!(spots.iter().all(|spot| *spot < 2 * width));
            if width > 0 && len > 0 {
                prop_assert_eq!(spots[len - 1] / 2, width - 1, "the newest stands at the right end");
                let sample = places.sample(column).unwrap();
                prop_assert!(sample < len && places.moved(sample, by) < len);
                let at = places.column(sample).unwrap();
                prop_assert_eq!(places.column(places.sample(at).unwrap()), Some(at));
            }
            prop_assert!(places.ticks(9, TimeDelta::hours(8)).len() <= usize::from(width) + 1);
        }
    }
}
