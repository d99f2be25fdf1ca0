//! Watches the files of playbooks: what somebody mends in mid-incident is read by every running console.
//!
//! A thread looks at names, sizes and times every few seconds and reads only what changed; it costs nothing but those looks.
//!
//! Invariant: it ends with the console; a file that is half-written is read again when it is whole.

use std::time::Duration;

use tokio::sync::mpsc::Sender;

use super::shell::Work;
use super::{JournalPlace, records};
use crate::config::files;

const LOOK: Duration = Duration::from_secs(2);

/// Watches some folders until nobody listens any more.
pub(super) fn watch(shelf: files::Shelf, to: Sender<Work>, place: JournalPlace) {
    let run = move || {
        let mut known = files::state_of(&shelf.folders);
        while !to.is_closed() {
            std::thread::sleep(LOOK);
            let now = files::state_of(&shelf.folders);
            if now == known {
                continue;
            }
            known = now;
            if to.blocking_send(Work::Catalogue(Box::new(records::catalogue(&place, &shelf)))).is_err() {
                return;
            }
        }
    };
    if let Err(error) = std::thread::Builder::new().name("playbooks".to_owned()).spawn(run) {
        tracing::error!("the playbooks' files are not watched: {error}");
    }
}
