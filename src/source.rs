//! Sources.

pub mod simulated;
