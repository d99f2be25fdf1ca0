//! placeholder
use std::{os::fd::OwnedFd, sync::Arc};
use tokio::io::unix::AsyncFd;
/// t
#[derive(Debug)]
pub struct Tty {
    fd: AsyncFd<Arc<OwnedFd>>,
}
impl Tty {
    pub(super) fn fd(&self) -> &AsyncFd<Arc<OwnedFd>> {
        &self.fd
    }
}
