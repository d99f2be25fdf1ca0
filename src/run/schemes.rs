//! Whether each address is asked in the way in which it answers: with TLS or without.
//!
//! Hides how that shows: one short question for each address, whose answer is thrown away.
//!
//! Invariant: it takes some seconds at most, and what cannot be reached is not its business: `warroom doctor` asks that.

use std::time::Duration;

use futures_util::future::join_all;

use crate::source::Endpoint;
use crate::source::http::{Failure, Limits, Site, Trouble};

/// It is only looked at how it speaks.
const BRIEF: Limits = Limits {
    connect: Duration::from_secs(1),
    idle: Duration::from_secs(2),
    total: Duration::from_secs(3),
    bytes: 64 * 1024,
};

/// A sentence for each address whose `http://` should be `https://`, or the other way round, with its section.
pub fn mistaken(all: Vec<(&'static str, Endpoint)>) -> Vec<String> {
    let Ok(runtime) = crate::run::lacking::runtime() else {
        return Vec::new();
    };
    let each = all.iter().flat_map(|(name, endpoint)| endpoint.each().map(move |endpoint| (*name, endpoint)));
    let found = runtime.block_on(join_all(each.map(async |(name, endpoint)| {
        let failure = look(name, &endpoint).await?;
        Some(format!("[{name}] {}", failure.reason))
    })));
    // A name that does not resolve is still being asked for.
    runtime.shutdown_background();
    found.into_iter().flatten().collect()
}

async fn look(name: &'static str, endpoint: &Endpoint) -> Option<Failure> {
    // What else is wrong with it is said by those who read it.
    let site = Site::open(name, endpoint, BRIEF).ok()?;
    let failure = match site.ask(site.get("").ok()?.send()).await {
        Ok(answer) if answer.is_success() => return None,
        Ok(answer) => site.complaint(&answer),
        Err(failure) => failure,
    };
    (failure.trouble == Trouble::Tls).then_some(failure)
}
