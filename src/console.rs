//! The whole screen as a value.
