//! The secrets that this process has read, so that none of them is written anywhere.
//!
//! Hides where they are kept: in memory alone, for as long as the process runs. This is the one value of the program that belongs to no owner: a token
//! that a source read must be hidden by whoever writes a note, a draft or a line of output, on whichever thread.
//!
//! Invariant: what was remembered is never shown, not even in debug output; it is only compared.

use std::sync::{LazyLock, PoisonError, RwLock};

use crate::text::mask::Mask;

static MASK: LazyLock<RwLock<Mask>> = LazyLock::new(|| RwLock::new(Mask::new(of_environment())));

/// Remembers a secret that was read from a file, a variable or a program.
pub fn remember(secret: &str) {
    let mut mask = MASK.write().unwrap_or_else(PoisonError::into_inner);
    *mask = mask.with(secret);
}

/// Takes what another process of ours remembers, in the spellings that it had.
pub fn take(secrets: Vec<String>) {
    let mut mask = MASK.write().unwrap_or_else(PoisonError::into_inner);
    *mask = Mask::new(mask.values().iter().cloned().chain(secrets));
}

/// All that is remembered, for a process of ours that writes what a program prints; never for a file, an argument or a variable.
pub(crate) fn remembered() -> Vec<String> {
    mask().values().to_vec()
}

/// Makes the mask ready, on a thread that nobody waits for.
pub fn prepare() {
    Mask::prepare();
    LazyLock::force(&MASK);
}

/// Hides card numbers, tokens, passwords, and every secret that this process has read.
pub fn mask() -> Mask {
    MASK.read().unwrap_or_else(PoisonError::into_inner).clone()
}

/// What this process's variables hold whose name says that it is a secret.
fn of_environment() -> impl Iterator<Item = String> {
    let tells = |name: &str| {
        let name = name.to_ascii_uppercase();
        ["TOKEN", "SECRET", "PASSWORD", "PASSWD", "APIKEY", "API_KEY", "CREDENTIAL", "PRIVATE_KEY"]
            .iter()
            .any(|word| name.contains(word))
    };
    let all = std::env::vars_os();
    // The name of a file that holds a secret is none.
    let is_value = |value: &String| !value.starts_with('/');
    all.filter_map(move |(name, value)| tells(name.to_str()?).then(|| value.into_string().ok()).flatten())
        .filter(is_value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_that_was_read_once_is_hidden_everywhere_in_every_spelling() {
        remember("  s3cr3t/+Value= \n");
        let spellings = ["s3cr3t/+Value=", "s3cr3t%2F%2BValue%3D", "s3cr3t\\/+Value=", "czNjcjN0LytWYWx1ZT0="];
        for spelling in spellings {
            let shown = mask().mask(&format!("the gateway answered: {spelling} is unknown"));
            assert!(!shown.contains(spelling), "{shown}");
        }
        assert_eq!(mask().mask("nothing of it"), "nothing of it");
    }
}
