//! What several tests share.

pub mod alertmanager;
pub mod http;
pub mod prometheus;
pub mod pty;
pub mod room;
pub mod services;
pub mod source;

/// Waits until something outside holds.
#[track_caller]
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = warroom::run::clock::boot();
    while !holds() {
        assert!(warroom::run::clock::boot() - begun < std::time::Duration::from_secs(20), "{what} did not come to be");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}
