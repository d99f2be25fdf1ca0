//! Who a source says it is.
//!
//! Hides where a secret lies (a file or an environment variable) and that it may be changed while the console runs: it is read again after it was
//! refused.
//!
//! Invariant: a secret stands in the header alone, which is marked sensitive; no error and no debug output holds it.

use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use reqwest::header::{AUTHORIZATION, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};

use super::{Endpoint, SourceError};
use crate::live::SourceName;

/// No token is longer; what is longer is the wrong file.
const LONGEST_SECRET: u64 = 64 * 1024;

/// How a source authenticates.
#[derive(Clone, Debug)]
pub struct Auth {
    scheme: Scheme,
    secret: Place,
}

#[derive(Clone, Debug)]
enum Scheme {
    Bearer,
    Basic { user: String },
}

#[derive(Clone, Debug)]
enum Place {
    File(PathBuf),
    Variable(String),
}

impl Auth {
    /// What an endpoint's settings say, if anything.
    pub fn of(name: SourceName, endpoint: &Endpoint) -> Result<Option<Self>, SourceError> {
        let problem = |problem: &str| Err(SourceError::Credentials { name, problem: problem.to_owned() });
        let bearer = place(&endpoint.bearer_file, &endpoint.bearer_env);
        let password = place(&endpoint.basic_password_file, &endpoint.basic_password_env);
        match (bearer, &endpoint.basic_user, password) {
            (Err(()), _, _) => problem("bearer-file and bearer-env are both set: keep one"),
            (_, _, Err(())) => problem("basic-password-file and basic-password-env are both set: keep one"),
            (Ok(Some(_)), Some(_), _) | (Ok(Some(_)), _, Ok(Some(_))) => {
                problem("a bearer token and basic authentication are both set: keep one")
            }
            (Ok(Some(secret)), None, Ok(None)) => Ok(Some(Self { scheme: Scheme::Bearer, secret })),
            (Ok(None), Some(user), Ok(Some(secret))) => {
                Ok(Some(Self { scheme: Scheme::Basic { user: user.clone() }, secret }))
            }
            (Ok(None), Some(_), Ok(None)) => problem("basic-user needs basic-password-file or basic-password-env"),
            (Ok(None), None, Ok(Some(_))) => problem("the basic password needs basic-user"),
            (Ok(None), None, Ok(None)) => Ok(None),
        }
    }

    /// Reads the secret and makes the header of it; may touch a disk.
    pub fn header(&self, client: &reqwest::Client) -> Result<HeaderValue, String> {
        let secret = self.secret.read()?;
        let request = client.get("http://localhost/");
        let request = match &self.scheme {
            Scheme::Bearer => request.bearer_auth(secret.expose_secret()),
            Scheme::Basic { user } => request.basic_auth(user, Some(secret.expose_secret())),
        };
        let header = request.build().ok().and_then(|request| request.headers().get(AUTHORIZATION).cloned());
        let mut header =
            header.ok_or_else(|| format!("{} holds characters that no header may hold", self.secret.show()))?;
        header.set_sensitive(true);
        Ok(header)
    }

    /// What to check when the credentials are refused.
    pub fn hint(&self) -> String {
        self.secret.show()
    }
}

fn place(file: &Option<PathBuf>, variable: &Option<String>) -> Result<Option<Place>, ()> {
    match (file, variable) {
        (Some(_), Some(_)) => Err(()),
        (Some(file), None) => Ok(Some(Place::File(file.clone()))),
        (None, Some(variable)) => Ok(Some(Place::Variable(variable.clone()))),
        (None, None) => Ok(None),
    }
}

impl Place {
    fn show(&self) -> String {
        match self {
            Self::File(path) => format!("the file {}", path.display()),
            Self::Variable(name) => format!("the environment variable {name}"),
        }
    }

    fn read(&self) -> Result<SecretString, String> {
        let text = match self {
            Self::Variable(name) => {
                std::env::var(name).map_err(|_| format!("the environment variable {name} is not set"))?
            }
            Self::File(path) => {
                let show = self.show();
                let unreadable = |error: std::io::Error| format!("{show} cannot be read: {error}");
                let file = std::fs::File::open(path).map_err(unreadable)?;
                let about = file.metadata().map_err(unreadable)?;
                if !about.is_file() {
                    return Err(format!("{show} is not a plain file"));
                }
                // Group readers are allowed: several accounts of one on-call group may share a token.
                if about.permissions().mode() & 0o027 != 0 {
                    return Err(format!(
                        "{show} is open to others than its owner and group: chmod g-w,o-rwx {}",
                        path.display()
                    ));
                }
                let mut text = String::new();
                file.take(LONGEST_SECRET).read_to_string(&mut text).map_err(unreadable)?;
                text
            }
        };
        let secret = SecretString::from(text.trim());
        if secret.expose_secret().is_empty() {
            return Err(format!("{} is empty", self.show()));
        }
        Ok(secret)
    }
}
