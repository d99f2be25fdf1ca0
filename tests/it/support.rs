//! What several tests share.

pub mod alertmanager;
pub mod http;
pub mod prometheus;
pub mod pty;
pub mod room;
pub mod services;
pub mod source;
