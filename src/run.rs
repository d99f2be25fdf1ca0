//! The shell around the console: the loop, the terminal, the effects.

pub mod budget;
pub mod clock;
pub mod encoder;
pub mod input;
pub mod keys;
pub mod screen;
pub mod signals;
pub mod tty;
