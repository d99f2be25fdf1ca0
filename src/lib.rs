//! warroom: a full-screen terminal console for production incidents.
#![warn(missing_docs)]

pub mod cli;
pub mod config;
pub mod console;
pub mod exercise;
pub mod incident;
pub mod journal;
pub mod live;
pub mod pane;
pub mod playbook;
pub mod run;
pub mod slo;
pub mod source;
pub mod spans;
pub mod text;
pub mod theme;
pub mod widget;
