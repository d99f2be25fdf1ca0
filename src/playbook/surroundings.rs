//! What a command of this console finds around it: its folder and its environment, named before it runs.
//!
//! Hides which variables are usual. A command gets these and what its `env = […]` names, and nothing else: a shell's leftovers and the credentials that
//! warroom itself reads are no business of a playbook's program.
//!
//! Invariant: names only; no value of a variable is ever held here.

use std::collections::BTreeSet;

use crate::text::{CleanStr, Exact};

/// Variables that every command gets where they are set: who and where one is, the language, and how the usual clients find their servers.
pub const USUAL: [&str; 29] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LANGUAGE",
    "TZ",
    "TMPDIR",
    "KUBECONFIG",
    "SSH_AUTH_SOCK",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "AWS_PROFILE",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_CONFIG_FILE",
    "CLOUDSDK_CONFIG",
    "CLOUDSDK_CORE_PROJECT",
    "DOCKER_HOST",
    "DOCKER_CONFIG",
    "VAULT_ADDR",
    "XDG_RUNTIME_DIR",
];

/// What begins like this is usual too.
const USUAL_BEGINNINGS: [&str; 2] = ["LC_", "XDG_CONFIG_"];

/// What a command of this console finds around it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Surroundings {
    /// The folder in which the console was started.
    pub directory: Exact,
    /// The home of the account.
    pub home: Exact,
    /// Variables that are set here and that every command gets.
    pub passed: BTreeSet<CleanStr>,
    /// Variables that hold credentials of warroom's own: no command gets one.
    pub withheld: BTreeSet<CleanStr>,
}

impl Surroundings {
    /// The folder in which a command runs: what its file says, seen from where the console was started. A shipped step does not depend on that: it runs
    /// in the account's home.
    pub fn folder(&self, said: Option<&Exact>, is_shipped: bool) -> Exact {
        let base = if is_shipped { &self.home } else { &self.directory };
        match said {
            None => base.clone(),
            Some(said) if said.as_bytes().starts_with(b"/") => said.clone(),
            Some(said) => Exact::new([base.as_bytes(), b"/", said.as_bytes()].concat()),
        }
    }

    /// The names of the variables that a command gets, or why it gets none of them.
    pub fn environment(&self, asked: &[CleanStr]) -> Result<Vec<CleanStr>, String> {
        if let Some(ours) = asked.iter().find(|name| self.withheld.contains(*name)) {
            return Err(format!("`{ours}` is a credential of warroom's own: no command gets it; take it out of `env`"));
        }
        Ok(self.passed.iter().chain(asked).cloned().collect::<BTreeSet<_>>().into_iter().collect())
    }
}

/// Whether every command gets a variable of this name.
pub fn is_usual(name: &str) -> bool {
    USUAL.contains(&name) || USUAL_BEGINNINGS.iter().any(|beginning| name.starts_with(beginning))
}

/// Whether a variable can be called so.
pub fn is_name(name: &str) -> bool {
    let is_letter = |letter: u8| letter.is_ascii_alphanumeric() || letter == b'_';
    !name.is_empty() && !name.as_bytes()[0].is_ascii_digit() && name.bytes().all(is_letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_gets_what_is_usual_and_what_it_names_and_never_a_credential_of_ours() {
        let around = Surroundings {
            directory: "/srv/book".into(),
            home: "/home/dana".into(),
            passed: ["PATH".into(), "HOME".into()].into(),
            withheld: ["PD_TOKEN".into()].into(),
        };
        assert_eq!(around.environment(&["TF_VAR_x".into(), "PATH".into()]).unwrap(), ["HOME", "PATH", "TF_VAR_x"]);
        assert!(around.environment(&["PD_TOKEN".into()]).unwrap_err().contains("credential of warroom's own"));
        assert_eq!(around.folder(None, true), "/home/dana");
        assert_eq!(around.folder(None, false), "/srv/book");
        assert_eq!(around.folder(Some(&"sub".into()), false), "/srv/book/sub");
        assert_eq!(around.folder(Some(&"/opt".into()), true), "/opt");
        assert!(is_usual("LC_ALL") && is_usual("PATH") && !is_usual("SLACK_TOKEN") && !is_usual("LD_PRELOAD"));
    }
}
