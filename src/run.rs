//! The shell around the console: the loop, the terminal, the effects.

pub mod clock;
pub mod encoder;
pub mod input;
pub mod tty;
