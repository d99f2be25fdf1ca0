//! What warroom writes to: the systems that a text can be sent to, each behind one trait.
//!
//! Hides what a system's answers, refusals and silences mean for a text: whether it is there, is not there, or nobody knows.
//!
//! Invariant: a request that may have reached the system and was not answered is [`Receipt::Unknown`], never a failure that invites another try.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use crate::incident::{Parcel, Receipt};
use crate::source::http::{Failure, Trouble};
use crate::source::{Endpoint, SourceError};
use crate::text::CleanStr;

pub mod slack;

/// An answer that is on its way.
pub type Answering<'a> = Pin<Box<dyn Future<Output = Receipt> + Send + 'a>>;

/// A system that takes texts.
pub trait Channel: Send + Sync + fmt::Debug {
    /// Hands a text over.
    fn deliver<'a>(&'a self, parcel: &'a Parcel) -> Answering<'a>;
    /// Says whether a text that was handed over is there.
    fn look_up<'a>(&'a self, parcel: &'a Parcel) -> Answering<'a>;
}

/// A kind of system.
#[derive(Clone, Copy, Debug)]
pub struct ChannelSpec {
    /// Its name, which is its section in the configuration too.
    pub name: &'static str,
    /// Opens one, without asking the network.
    pub open: fn(&Endpoint) -> Result<Box<dyn Channel>, SourceError>,
}

/// All kinds of systems that take texts.
pub const CHANNELS: &[ChannelSpec] = &[ChannelSpec { name: slack::NAME, open: slack::open }];

/// What a failure of a request that writes means.
fn receipt(failure: Failure) -> Receipt {
    let Failure { reason, trouble, retry_after } = failure;
    let wait = retry_after.and_then(|wait| chrono::TimeDelta::from_std(wait).ok());
    match trouble {
        // Not a byte of it was sent.
        Trouble::Unreached | Trouble::Ours => Receipt::NotThere { why: reason, wait },
        Trouble::Status(429) => Receipt::NotThere { why: reason, wait },
        Trouble::Status(status) if (300..500).contains(&status) => Receipt::Refused(reason),
        Trouble::Away | Trouble::Late | Trouble::TooBig | Trouble::Garbled | Trouble::Status(_) => {
            Receipt::Unknown(reason)
        }
    }
}

/// A refusal in a sentence: who, what it said, and the way out.
fn refused(who: &str, said: &str, way_out: &str) -> CleanStr {
    CleanStr::new(&format!("{who} says {said}{}{way_out}", if way_out.is_empty() { "" } else { ": " }))
}
