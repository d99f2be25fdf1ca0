//! Who a source says it is.
//!
//! Hides where a secret lies (a file, an environment variable, a program that prints it) and that it may be changed while the console runs: it is read again after it was
//! refused.
//!
//! Invariant: a secret stands in the header alone, which is marked sensitive; no error and no debug output holds it.

use std::io::Read as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderValue};
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::{Mode, OFlags};
use secrecy::{ExposeSecret as _, SecretString};

use super::{Endpoint, SourceError};
use crate::clock;
use crate::live::SourceName;

/// No token is longer; what is longer is the wrong file.
const LONGEST_SECRET: u64 = 64 * 1024;
/// A program that prints a secret is waited for so long …
const LONGEST_RUN: Duration = Duration::from_secs(10);
/// … and looked after so often.
const GLANCE: Duration = Duration::from_millis(10);

/// How a source authenticates.
#[derive(Clone, Debug)]
pub struct Auth {
    scheme: Scheme,
    secret: Place,
}

/// Keys of services that have both are 20 letters long, tokens of OAuth 40 and more.
const LONGEST_KEY: usize = 32;

/// What stands before a token in the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelling {
    /// `Bearer `.
    Bearer,
    /// A service's own word.
    Word(&'static str),
    /// A service's own word for its keys, `Bearer ` for tokens of OAuth: those are longer than keys.
    KeyOrToken(&'static str),
    /// It stands in no header: [`Auth::secret`] hands it out.
    Kept,
}

#[derive(Clone, Debug)]
enum Scheme {
    Token(Spelling),
    Basic { user: String },
}

/// Where a secret lies.
#[derive(Clone, Debug)]
pub(super) enum Place {
    /// A file.
    File(PathBuf),
    /// A variable of the environment.
    Variable(String),
    /// A program that prints it.
    Command(Vec<String>),
}

impl Auth {
    /// What an endpoint's settings say, if anything.
    pub fn of(name: SourceName, endpoint: &Endpoint, spelling: Spelling) -> Result<Option<Self>, SourceError> {
        let problem = |problem: &str| Err(SourceError::Credentials { name, problem: problem.to_owned() });
        let bearer = place(&endpoint.bearer_file, &endpoint.bearer_env, &endpoint.bearer_command);
        let password =
            place(&endpoint.basic_password_file, &endpoint.basic_password_env, &endpoint.basic_password_command);
        match (bearer, &endpoint.basic_user, password) {
            (Err(()), _, _) => problem("two of bearer-file, bearer-env and bearer-command are set: keep one"),
            (_, _, Err(())) => {
                problem("two of basic-password-file, basic-password-env and basic-password-command are set: keep one")
            }
            (Ok(Some(_)), Some(_), _) | (Ok(Some(_)), _, Ok(Some(_))) => {
                problem("a bearer token and basic authentication are both set: keep one")
            }
            (Ok(Some(secret)), None, Ok(None)) => Ok(Some(Self { scheme: Scheme::Token(spelling), secret })),
            (Ok(None), Some(user), Ok(Some(secret))) => {
                Ok(Some(Self { scheme: Scheme::Basic { user: user.clone() }, secret }))
            }
            (Ok(None), Some(_), Ok(None)) => problem("basic-user needs basic-password-file or basic-password-env"),
            (Ok(None), None, Ok(Some(_))) => problem("the basic password needs basic-user"),
            (Ok(None), None, Ok(None)) => Ok(None),
        }
    }

    /// The secret itself; may touch a disk or run a program.
    pub fn secret(&self) -> Result<SecretString, String> {
        self.secret.read()
    }

    /// Reads the secret and makes the header of it, if it stands in one; may touch a disk or run a program.
    pub fn header(&self, client: &reqwest::Client) -> Result<Option<HeaderValue>, String> {
        if matches!(self.scheme, Scheme::Token(Spelling::Kept)) {
            return Ok(None);
        }
        let secret = self.secret.read()?;
        let request = client.get("http://localhost/");
        let request = match &self.scheme {
            Scheme::Token(Spelling::KeyOrToken(_)) if secret.expose_secret().len() > LONGEST_KEY => {
                request.bearer_auth(secret.expose_secret())
            }
            Scheme::Token(Spelling::Word(word) | Spelling::KeyOrToken(word)) => {
                let value = SecretString::from(format!("{word}{}", secret.expose_secret()));
                request.header(AUTHORIZATION, value.expose_secret())
            }
            Scheme::Token(_) => request.bearer_auth(secret.expose_secret()),
            Scheme::Basic { user } => request.basic_auth(user, Some(secret.expose_secret())),
        };
        let header = request.build().ok().and_then(|request| request.headers().get(AUTHORIZATION).cloned());
        let mut header =
            header.ok_or_else(|| format!("{} holds characters that no header may hold", self.secret.show()))?;
        header.set_sensitive(true);
        Ok(Some(header))
    }

    /// What to check when the credentials are refused.
    pub fn hint(&self) -> String {
        self.secret.show()
    }
}

/// The one place of up to three that is set; an error where two are.
pub(super) fn place(
    file: &Option<PathBuf>,
    variable: &Option<String>,
    command: &Option<Vec<String>>,
) -> Result<Option<Place>, ()> {
    match (file, variable, command) {
        (None, None, None) => Ok(None),
        (Some(file), None, None) => Ok(Some(Place::File(file.clone()))),
        (None, Some(variable), None) => Ok(Some(Place::Variable(variable.clone()))),
        (None, None, Some(argv)) => Ok(Some(Place::Command(argv.clone()))),
        _ => Err(()),
    }
}

/// What a program prints, within a deadline; what it complains of goes nowhere, because it may hold the secret.
fn printed(argv: &[String]) -> Result<String, String> {
    printed_within(argv, LONGEST_RUN)
}

fn printed_within(argv: &[String], limit: Duration) -> Result<String, String> {
    let (program, arguments) = argv.split_first().ok_or("is empty")?;
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .map_err(|error| format!("cannot be started: {error}"))?;
    let deadline = clock::boot() + limit;
    let said = child.stdout.take().map_or(Ok(Vec::new()), |output| heard(&mut child, output, deadline));
    let status = said.and_then(|bytes| ended(&mut child, deadline).map(|status| (status, bytes)));
    if status.is_err() {
        // What it started may hold its output open: that ends with it.
        let group = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw);
        let _ = group.map(|group| rustix::process::kill_process_group(group, rustix::process::Signal::KILL));
        let _ = child.wait();
    }
    match status? {
        (status, _) if !status.success() => Err(format!("failed ({status})")),
        (_, bytes) => String::from_utf8(bytes).map_err(|_| "prints something that is no text".to_owned()),
    }
}

/// All that comes out of a pipe; the end of the program itself, if it failed, ends the waiting.
fn heard(child: &mut Child, mut output: ChildStdout, deadline: Duration) -> Result<Vec<u8>, String> {
    let late = || format!("did not close its output within {} s", LONGEST_RUN.as_secs());
    let unread = |error: std::io::Error| format!("cannot be read: {error}");
    let (mut bytes, mut piece) = (Vec::new(), [0; 4096]);
    while u64::try_from(bytes.len()).is_ok_and(|length| length < LONGEST_SECRET) {
        if clock::boot() >= deadline {
            return Err(late());
        }
        let mut polled = [PollFd::new(&output, PollFlags::IN)];
        let glance = Timespec::try_from(GLANCE).map_err(|_| late())?;
        match rustix::event::poll(&mut polled, Some(&glance)) {
            Ok(0) => {
                let failed = child.try_wait().ok().flatten().filter(|status| !status.success());
                if let Some(status) = failed {
                    return Err(format!("failed ({status})"));
                }
            }
            Ok(_) => match output.read(&mut piece).map_err(unread)? {
                0 => break,
                count => bytes.extend_from_slice(&piece[..count]),
            },
            Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(unread(errno.into())),
        }
    }
    Ok(bytes)
}

fn ended(child: &mut Child, deadline: Duration) -> Result<ExitStatus, String> {
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(status),
            Ok(None) if clock::boot() < deadline => std::thread::sleep(GLANCE),
            Ok(None) => return Err(format!("did not end within {} s", LONGEST_RUN.as_secs())),
            Err(error) => return Err(format!("cannot be waited for: {error}")),
        }
    }
}

impl Place {
    /// What to check, in words.
    pub(super) fn show(&self) -> String {
        match self {
            Self::File(path) => format!("the file {}", path.display()),
            Self::Variable(name) => format!("the environment variable {name}"),
            // Its arguments may be nobody's business.
            Self::Command(argv) => format!("the program {}", argv.first().map_or("", String::as_str)),
        }
    }

    /// The secret; may touch a disk or run a program.
    pub(super) fn read(&self) -> Result<SecretString, String> {
        let text = match self {
            Self::Variable(name) => {
                std::env::var(name).map_err(|_| format!("the environment variable {name} is not set"))?
            }
            Self::Command(argv) => printed(argv).map_err(|why| format!("{} {why}", self.show()))?,
            Self::File(path) => {
                let show = self.show();
                let unreadable = |error: std::io::Error| format!("{show} cannot be read: {error}");
                // A pipe in its place is not waited for.
                let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
                let file = rustix::fs::open(path, flags, Mode::empty()).map_err(|errno| unreadable(errno.into()))?;
                let file = std::fs::File::from(file);
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
                if ![0, rustix::process::geteuid().as_raw()].contains(&about.uid()) {
                    return Err(format!(
                        "{show} belongs to another account (uid {}): make a copy of your own",
                        about.uid()
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
        crate::vault::remember(secret.expose_secret());
        Ok(secret)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str) -> Vec<String> {
        ["sh", "-c", script].map(str::to_owned).to_vec()
    }

    #[test]
    fn a_credential_file_that_others_may_write_or_read_is_refused_whatever_else_is_right_with_it() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "t0ken-of-the-test\n").unwrap();
        let place = Place::File(file.path().to_owned());
        for mode in 0..=0o777_u32 {
            std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(mode | 0o400)).unwrap();
            let said = place.read().map(|secret| secret.expose_secret().to_owned());
            // The group may read; nobody but the owner may write, and strangers may do nothing.
            if mode & 0o020 == 0 && mode & 0o007 == 0 {
                assert_eq!(said.as_deref(), Ok("t0ken-of-the-test"), "{mode:o}");
                continue;
            }
            let show = file.path().display();
            let why = format!("the file {show} is open to others than its owner and group: chmod g-w,o-rwx {show}");
            assert_eq!(said, Err(why), "{mode:o}");
        }
        // A link is judged by what it leads to.
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("token");
        std::os::unix::fs::symlink(file.path(), &link).unwrap();
        std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(0o620)).unwrap();
        assert!(Place::File(link).read().unwrap_err().contains("chmod g-w"));
        // What is no file is not waited for.
        let pipe = folder.path().join("pipe");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
        assert!(Place::File(pipe).read().unwrap_err().ends_with("is not a plain file"));
        if rustix::process::geteuid().is_root() {
            std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(0o600)).unwrap();
            std::os::unix::fs::chown(file.path(), Some(61_002), None).unwrap();
            assert!(place.read().unwrap_err().contains("belongs to another account (uid 61002)"));
        }
    }

    #[test]
    fn the_limit_of_a_program_that_prints_a_secret_ends_what_it_started_too() {
        let begun = clock::boot();
        let grandchild = "sleep 300 & echo $! > \"$0\"; echo t0ken";
        let file = tempfile::NamedTempFile::new().unwrap();
        let argv = [sh(grandchild), vec![file.path().to_string_lossy().into_owned()]].concat();
        let said = printed_within(&argv, Duration::from_millis(400)).unwrap_err();
        assert_eq!(said, "did not close its output within 10 s");
        let pid = std::fs::read_to_string(file.path()).unwrap();
        while std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).is_ok_and(|stat| !stat.contains(") Z ")) {
            assert!(clock::boot() - begun < Duration::from_secs(10), "the grandchild goes on");
            std::thread::sleep(GLANCE);
        }
        assert_eq!(printed_within(&sh("echo t0ken"), LONGEST_RUN).as_deref(), Ok("t0ken\n"));
        let failed = printed_within(&sh("sleep 300 & exit 3"), LONGEST_RUN).unwrap_err();
        assert!(failed.starts_with("failed (exit status: 3"), "{failed}");
        assert_eq!(
            printed_within(&sh("exec >&-; sleep 300"), Duration::from_millis(200)).unwrap_err(),
            "did not end within 10 s"
        );
        assert!(clock::boot() - begun < Duration::from_secs(10));
    }
}
