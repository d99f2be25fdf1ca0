//! Chance that can be asked again: numbers that look random and depend on nothing but their key.
//!
//! Hides the mixing. No generator has a state, so the order in which questions are asked changes nothing.
//!
//! Invariant: the same key gives the same number on every machine, for ever.

use std::f64::consts::TAU;

/// Mixes the bits of a number so that neighbours have nothing in common (the finaliser of splitmix64).
pub(super) fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// Mixes a key and a number.
pub(super) fn mix2(key: u64, number: u64) -> u64 {
    mix(key ^ mix(number.wrapping_add(0x9e37_79b9_7f4a_7c15)))
}

/// A key from a text.
pub(super) fn key(seed: u64, text: &str) -> u64 {
    text.bytes().fold(mix(seed ^ 0x5157), |sum, byte| mix(sum ^ u64::from(byte)))
}

/// A number from 0 up to but without 1.
pub(super) fn unit(bits: u64) -> f64 {
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}

/// A number from -1 to 1.
pub(super) fn signed(bits: u64) -> f64 {
    unit(bits) * 2.0 - 1.0
}

/// A normally distributed number; never further than 8 from 0.
pub(super) fn normal(bits: u64) -> f64 {
    let size = (-2.0 * (unit(mix(bits)) + 1e-14).ln()).max(0.0).sqrt();
    (size * (TAU * unit(bits)).cos()).clamp(-8.0, 8.0)
}

/// A tremble from -1 to 1 over ticks: half of it drifts over twelve ticks, half is new at each.
pub(super) fn tremble(key: u64, tick: i64) -> f64 {
    let cell = tick.div_euclid(12);
    let part = tick.rem_euclid(12) as f64 / 12.0;
    let [from, to] =
        [cell, cell + 1].map(|cell| signed(mix(key ^ 0xd1f7 ^ (cell as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15))));
    let fine = signed(mix(key ^ (tick as u64).wrapping_mul(0xd6e8_feb8_6659_fd93)));
    0.5 * (from + (to - from) * smooth(part)) + 0.5 * fine
}

/// From 0 to 1 without a corner.
pub(super) fn smooth(part: f64) -> f64 {
    let part = part.clamp(0.0, 1.0);
    part * part * (3.0 - 2.0 * part)
}

/// The share of a standard normal distribution below a value (Abramowitz and Stegun 7.1.26, good to seven digits).
pub(super) fn below(value: f64) -> f64 {
    let size = value.abs() / std::f64::consts::SQRT_2;
    let step = 1.0 / (1.0 + 0.327_591_1 * size);
    let tail = step
        * (0.254_829_592
            + step * (-0.284_496_736 + step * (1.421_413_741 + step * (-1.453_152_027 + step * 1.061_405_429))))
        * (-size * size).exp()
        / 2.0;
    if value < 0.0 { tail } else { 1.0 - tail }
}
