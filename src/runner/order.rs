//! What a helper is told, and the way it gets there.
//!
//! Hides the form on the pipe: a line with the BLAKE3 of what follows, then the order and the secrets that the starter knows: what a command prints is
//! masked by what its console has read, and not only by what it looks like.
//!
//! Invariant: an order that did not come whole, or is not the one that was sent, runs nothing; no word of it is in a file.

use std::io::{self, Read, Write};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::place;
use crate::incident::{CommandStarted, Judging, Program};
use crate::journal::Sharing;
use crate::text::{CleanStr, Exact};

/// An order is shorter than this, in bytes.
const MOST: u64 = 8 * 1024 * 1024;

/// What a helper is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Program and arguments.
    pub argv: Vec<Exact>,
    /// Where it runs; absent for the console's own directory.
    #[serde(default)]
    pub directory: Option<Exact>,
    /// The file that runs; absent where nobody looked before, then the first word is searched for.
    #[serde(default)]
    pub program: Option<Program>,
    /// The variables that it gets, by name.
    #[serde(default)]
    pub env: Vec<CleanStr>,
    /// Its time limit.
    pub limit: Duration,
    /// At its limit it is stopped; else it goes on.
    pub stops_at_limit: bool,
    /// How its end is judged, and how often it is tried.
    #[serde(default)]
    pub judging: Judging,
    /// What it prints also goes to where the starter's own outputs go.
    #[serde(default)]
    pub is_aloud: bool,
    /// The process whose stdin it reads; absent for a command that gets no input.
    #[serde(default)]
    pub input: Option<u32>,
    /// Between TERM and KILL.
    pub patience: Duration,
    /// So much of what it prints is kept in the file, in bytes.
    pub most: u64,
    /// The mode of the files.
    pub mode: u32,
}

impl Order {
    /// The order of a command as it stands in the record.
    pub fn of(body: &CommandStarted, sharing: Sharing) -> Self {
        Self {
            argv: body.argv.clone(),
            directory: body.directory.clone(),
            program: body.program.clone(),
            env: body.env.clone(),
            limit: Duration::from_secs(body.limit_s),
            stops_at_limit: body.stops_at_limit,
            judging: body.judging.clone(),
            is_aloud: false,
            input: None,
            patience: Duration::from_secs(10),
            most: 64 * 1024 * 1024,
            mode: place::file_mode(sharing),
        }
    }

    /// Sends it, with the secrets that must not be in what the command prints; whoever reads sees the end when this returns.
    pub(super) fn tell(&self, secrets: &[String], mut to: impl Write) -> io::Result<()> {
        let text = serde_json::to_vec(&(self, secrets))?;
        writeln!(to, "{}", blake3::hash(&text).to_hex())?;
        to.write_all(&text)?;
        to.flush()
    }

    /// Reads one and the secrets with it to their end.
    pub(super) fn hear(from: impl Read) -> io::Result<(Self, Vec<String>)> {
        let broken = || io::Error::other("the order did not come whole");
        let mut bytes = Vec::new();
        from.take(MOST).read_to_end(&mut bytes)?;
        let line = bytes.iter().position(|byte| *byte == b'\n').ok_or_else(broken)?;
        let (digest, text) = (&bytes[..line], &bytes[line + 1..]);
        if blake3::hash(text).to_hex().as_bytes() != digest {
            return Err(broken());
        }
        serde_json::from_slice(text).map_err(io::Error::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_that_is_cut_or_changed_on_its_way_is_none() {
        let order = Order {
            argv: vec!["flagctl".into(), "set\n".into()],
            directory: None,
            program: None,
            env: Vec::new(),
            limit: Duration::from_secs(60),
            stops_at_limit: false,
            judging: Judging::default(),
            is_aloud: false,
            input: None,
            patience: Duration::from_secs(10),
            most: 1,
            mode: 0o600,
        };
        let mut sent = Vec::new();
        let secrets = ["s3cr3t-of-the-console".to_owned()];
        order.tell(&secrets, &mut sent).unwrap();
        assert_eq!(Order::hear(&sent[..]).unwrap(), (order, secrets.to_vec()));
        for end in 0..sent.len() {
            assert!(Order::hear(&sent[..end]).is_err(), "cut after {end} bytes");
        }
        for place in 0..sent.len() {
            let mut other = sent.clone();
            other[place] ^= 1;
            assert!(Order::hear(&other[..]).is_err(), "changed at {place}");
        }
    }
}
