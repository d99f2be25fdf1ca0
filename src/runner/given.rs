//! The stdin that a command is given.
//!
//! Hides how it is opened anew from the process that started it: by the names that the kernel has for its descriptors.

use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::process::Stdio;

use super::order::Order;

/// What the command reads: nothing, or the starter's stdin from where it is. It is opened by the name that the system has for it, because the helper's
/// own stdin brought the order.
pub(super) fn input(order: &Order) -> io::Result<Stdio> {
    let Some(starter) = order.input else { return Ok(Stdio::null()) };
    let mut file = File::open(format!("/proc/{starter}/fd/0"))?;
    let told = std::fs::read_to_string(format!("/proc/{starter}/fdinfo/0")).unwrap_or_default();
    let place = told.lines().find_map(|line| line.strip_prefix("pos:")).and_then(|place| place.trim().parse().ok());
    if let Some(place) = place.filter(|_| file.metadata().is_ok_and(|what| what.is_file())) {
        file.seek(SeekFrom::Start(place))?;
    }
    Ok(file.into())
}
