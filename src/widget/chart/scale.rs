//! The scale of values: round numbers around what is to be seen.
//!
//! Invariant: whatever finite values come, the scale is finite, its top is above its bottom, and a share of it lies
//! between 0 and 1.

use super::Worse;

/// Larger values are drawn as this one: the difference of two must be a number.
const LARGEST: f64 = 1e300;
const SMALLEST_STEP: f64 = 1e-290;
/// A threshold within so many times the greatest value is part of the picture.
const NEAR: f64 = 3.0;

/// From where to where, in steps that people like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scale {
    low: f64,
    high: f64,
    step: f64,
    /// One over the range: a multiplication for each sample, not a division.
    per_range: f64,
}

impl Scale {
    /// The scale that shows values between two, and the threshold if it is near. With no values the two are infinite.
    pub(super) fn around(min: f64, max: f64, threshold: Option<f64>, worse: Worse, rows: usize) -> Self {
        let threshold = threshold.filter(|threshold| threshold.is_finite());
        let (mut low, mut high) = if min <= max { (min, max) } else { (0.0, 0.0) };
        let is_far_from_zero = worse == Worse::Lower && low > 0.5 * high;
        if let Some(threshold) = threshold
            && (threshold <= NEAR * high || high <= 0.0 || is_far_from_zero)
        {
            low = low.min(threshold);
            high = high.max(threshold);
        }
        if !is_far_from_zero {
            low = low.min(0.0);
            high = high.max(0.0);
        }
        let (low, high) = (low.clamp(-LARGEST, LARGEST), high.clamp(-LARGEST, LARGEST));
        let steps = rows.saturating_sub(1).clamp(1, 3) as f64;
        let wanted = if high > low { (high - low) / steps } else { high.abs().max(1.0) };
        let step = nice(wanted);
        // A value on a line of the scale is on it even if the division says 2.0000000001.
        let low = (low / step + 1e-9).floor() * step;
        let high = (high / step - 1e-9).ceil() * step;
        let high = if high > low { high } else { low + step };
        Self { low, high, step, per_range: 1.0 / (high - low) }
    }

    /// The values that get a label, from the lowest.
    pub(super) fn ticks(&self) -> impl Iterator<Item = f64> {
        let (low, step) = (self.low, self.step);
        let count = ((self.high - low) / step).round().clamp(0.0, 5.0) as u32;
        (0..=count).map(move |tick| low + f64::from(tick) * step)
    }

    /// How high a value stands, from 0 to 1.
    pub(super) fn share(&self, value: f64) -> f64 {
        let share = (value - self.low) * self.per_range;
        if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 }
    }

    /// The dot of a finite value, from the lowest, among so many from 0 to `most`.
    pub(super) fn dot(&self, value: f64, most: i32) -> i32 {
        // Not `round`, which is a call where the processor has no instruction for it; the cast saturates, and what is
        // no number becomes 0.
        ((value - self.low) * self.per_range * f64::from(most) + 0.5).clamp(0.0, f64::from(most)) as i32
    }

    /// Whether a value is above (`true`) or below the scale.
    pub(super) fn beyond(&self, value: f64) -> Option<bool> {
        if value > self.high {
            Some(true)
        } else if value < self.low {
            Some(false)
        } else {
            None
        }
    }

    /// The row of a value, from the top, among so many.
    pub(super) fn row(&self, value: f64, rows: u16) -> u16 {
        // As the lines are drawn, at a quarter of a row.
        let most = i32::from(rows.max(1)) * 4 - 1;
        ((most - self.dot(value, most)) / 4) as u16
    }
}

/// The smallest of 1, 2, 5 × 10ⁿ that is not below a step.
fn nice(wanted: f64) -> f64 {
    let wanted = wanted.max(SMALLEST_STEP);
    let power = 10f64.powf(wanted.log10().floor());
    let factor = wanted / power;
    let round = [1.0, 2.0, 5.0, 10.0].into_iter().find(|round| factor <= round + 1e-9).unwrap_or(10.0);
    round * power
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ticks(min: f64, max: f64, threshold: Option<f64>, worse: Worse) -> Vec<String> {
        let shown = |tick: f64| format!("{}", (tick * 1e6).round() / 1e6);
        Scale::around(min, max, threshold, worse, 8).ticks().map(shown).collect()
    }

    #[test]
    fn the_scale_stands_at_round_numbers_and_shows_a_threshold_that_is_near() {
        for (min, max, threshold, worse, expected) in [
            (0.2, 3.74, Some(0.8), Worse::Higher, vec!["0", "2", "4"]),
            (0.2, 3.71, Some(0.8), Worse::Higher, vec!["0", "2", "4"]),
            (0.1, 0.3, Some(0.8), Worse::Higher, vec!["0", "0.5", "1"]),
            (0.0001, 0.0002, Some(0.005), Worse::Higher, vec!["0", "0.0001", "0.0002"]),
            (0.0, 0.0, Some(0.005), Worse::Higher, vec!["0", "0.002", "0.004", "0.006"]),
            (0.0, 0.0, None, Worse::Higher, vec!["0", "1"]),
            (f64::INFINITY, f64::NEG_INFINITY, None, Worse::Higher, vec!["0", "1"]),
            (-3.0, 5.0, None, Worse::Higher, vec!["-5", "0", "5"]),
            (0.991, 0.999, Some(0.995), Worse::Lower, vec!["0.99", "0.995", "1"]),
            (0.0, 3.0, None, Worse::Higher, vec!["0", "1", "2", "3"]),
        ] {
            assert_eq!(ticks(min, max, threshold, worse), expected, "{min} to {max}");
        }
    }

    proptest! {
        #[test]
        fn any_values_have_a_scale(one in any::<f64>(), other in any::<f64>(), threshold in any::<Option<f64>>(), rows in 0u16..80) {
            for worse in [Worse::Higher, Worse::Lower] {
                let scale = Scale::around(one.min(other), one.max(other), threshold, worse, rows.into());
                prop_assert!(scale.low.is_finite() && scale.high.is_finite());
                prop_assert!(scale.ticks().count() <= 6);
                for value in [one, other, 0.0, f64::MAX] {
                    prop_assert!((0.0..=1.0).contains(&scale.share(value)));
                    prop_assert!(scale.row(value, rows) < rows.max(1));
                }
            }
        }
    }
}
