//! Copying a text to the clipboard, in the way that works where this console runs.
//!
//! Hides the ways: a terminal takes it from an escape code (OSC 52) and says nothing; tmux listens to that code only with `set-clipboard on`, and as it
//! comes (`external`) it wants to be given the text itself; GNU screen passes the code on in pieces; the Linux console has no clipboard at all.
//!
//! Invariant: what is said afterwards is what happened; where nothing can copy, that is said, with another way.

use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::time::Duration;

use base64::Engine;

use super::clock;

/// How long tmux may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// GNU screen passes on strings of so many bytes.
const PIECE: usize = 250;
/// The escape code carries so many bytes; more is cut off or thrown away by most terminals.
const MOST: usize = 74_000;

/// What stands between this console and the terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Between {
    /// Nothing that keeps the escape code back.
    Nothing,
    /// A tmux; the value of `TMUX`.
    Tmux(String),
    /// A GNU screen.
    Screen,
    /// A terminal without a clipboard; what it calls itself.
    NoClipboard(String),
}

impl Between {
    /// What the environment says; `variable` looks one up.
    pub fn of(variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let term = set("TERM").unwrap_or_default();
        match (set("TMUX"), set("STY")) {
            (Some(tmux), _) => Self::Tmux(tmux),
            (None, Some(_)) => Self::Screen,
            (None, None) if matches!(term.as_str(), "linux" | "dumb" | "vt100" | "vt220") => Self::NoClipboard(term),
            (None, None) => Self::Nothing,
        }
    }
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    /// Bytes for the terminal.
    pub bytes: Vec<u8>,
    /// What is said: how it was copied, or why it was not.
    pub said: Result<String, String>,
}

/// Copies a text. May take a moment: tmux is asked.
pub fn copy(text: &str, between: &Between) -> Copied {
    let nothing = |said| Copied { bytes: Vec::new(), said };
    match between {
        Between::NoClipboard(term) => nothing(Err(format!(
            "not copied: a terminal of the kind `{term}` has no clipboard; `warroom show` prints the record into a file"
        ))),
        _ if text.len() > MOST && !matches!(between, Between::Tmux(_)) => {
            nothing(Err(format!("not copied: {} kB are more than terminals take (74 kB)", text.len() / 1000)))
        }
        Between::Nothing => Copied {
            bytes: osc52(text),
            said: Ok("handed to the terminal's clipboard (OSC 52; some terminals must be told to allow it)".to_owned()),
        },
        Between::Screen => Copied {
            bytes: in_pieces(&osc52(text)),
            said: Ok("handed through GNU screen to the terminal's clipboard (OSC 52)".to_owned()),
        },
        Between::Tmux(socket) => nothing(to_tmux(text, socket)),
    }
}

fn to_tmux(text: &str, socket: &str) -> Result<String, String> {
    let buffer = "in tmux's own buffer: prefix ] pastes it";
    let setting =
        tmux(&["show-options", "-gqv", "set-clipboard"], socket, None).map_err(|why| format!("not copied: {why}"))?;
    if setting.trim() == "off" {
        tmux(&["load-buffer", "-"], socket, Some(text)).map_err(|why| format!("not copied: {why}"))?;
        return Err(format!("only {buffer}; not in the clipboard, because tmux says `set-clipboard off`"));
    }
    if let Err(why) = tmux(&["load-buffer", "-w", "-"], socket, Some(text)) {
        // `-w` came with tmux 3.2.
        tmux(&["load-buffer", "-"], socket, Some(text)).map_err(|why| format!("not copied: {why}"))?;
        return Err(format!("only {buffer}; not in the clipboard: {why}"));
    }
    // tmux hands it on only to a terminal of which it knows that it has a clipboard.
    let features = tmux(&["display-message", "-p", "#{client_termfeatures}"], socket, None).unwrap_or_default();
    if !features.trim().is_empty() && !features.contains("clipboard") {
        return Err(format!(
            "only {buffer}; not in the clipboard: tmux does not know that your terminal has one \
             (set -as terminal-features ',*:clipboard')"
        ));
    }
    Ok("copied: in tmux's buffer, and handed to the terminal's clipboard".to_owned())
}

/// Asks the tmux in which we run; what it printed, or why not.
fn tmux(arguments: &[&str], socket: &str, input: Option<&str>) -> Result<String, String> {
    let mut command = Command::new("tmux");
    command.args(arguments).env_clear().env("TMUX", socket);
    for name in ["PATH", "HOME", "TERM", "TMUX_PANE", "LANG", "LC_ALL", "LC_CTYPE"] {
        command.envs(std::env::var_os(name).map(|value| (name, value)));
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| format!("tmux cannot be started: {error}"))?;
    let mut stdin = child.stdin.take();
    let text = input.unwrap_or_default().to_owned();
    // A tmux that does not read must not hold us.
    let writer = std::thread::spawn(move || stdin.as_mut().map(|stdin| stdin.write_all(text.as_bytes())));
    let begin = clock::boot();
    let status = loop {
        match child.try_wait().map_err(|error| error.to_string())? {
            Some(status) => break status,
            None if clock::boot().saturating_sub(begin) > PATIENCE => {
                let _ = child.kill();
                let _ = child.wait();
                return Err("tmux did not answer within 2 s".to_owned());
            }
            None => std::thread::sleep(Duration::from_millis(5)),
        }
    };
    let _ = writer.join();
    let (mut out, mut errors) = (String::new(), String::new());
    let _ = child.stdout.take().map(|mut stdout| stdout.read_to_string(&mut out));
    let _ = child.stderr.take().map(|mut stderr| stderr.read_to_string(&mut errors));
    match status.success() {
        true => Ok(out),
        false => Err(format!("tmux {}: {}", arguments.first().unwrap_or(&""), errors.trim())),
    }
}

fn osc52(text: &str) -> Vec<u8> {
    let mut bytes = b"\x1b]52;c;".to_vec();
    bytes.extend(base64::engine::general_purpose::STANDARD.encode(text).into_bytes());
    bytes.extend(b"\x1b\\");
    bytes
}

/// As GNU screen passes it on: strings of its own, none of which holds the end of one.
fn in_pieces(code: &[u8]) -> Vec<u8> {
    // The bell ends the code as well, and is no end of screen's string.
    let code = [code.strip_suffix(b"\x1b\\").unwrap_or(code), b"\x07"].concat();
    code.chunks(PIECE).flat_map(|piece| [b"\x1bP", piece, b"\x1b\\"].concat()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn between(set: &[(&str, &str)]) -> Between {
        Between::of(|name| set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn the_environment_says_what_stands_between() {
        assert_eq!(between(&[("TERM", "xterm-256color")]), Between::Nothing);
        assert_eq!(between(&[("TERM", "screen"), ("TMUX", "/tmp/t,1,0")]), Between::Tmux("/tmp/t,1,0".to_owned()));
        assert_eq!(between(&[("TERM", "screen"), ("STY", "1.pts"), ("TMUX", "")]), Between::Screen);
        assert_eq!(between(&[("TERM", "linux")]), Between::NoClipboard("linux".to_owned()));
    }

    #[test]
    fn where_nothing_can_copy_that_is_said_and_no_byte_goes_out() {
        let copied = copy("the brief", &between(&[("TERM", "linux")]));
        assert!(copied.bytes.is_empty() && copied.said.unwrap_err().contains("has no clipboard"));
        let copied = copy(&"x".repeat(MOST + 1), &Between::Nothing);
        assert!(copied.bytes.is_empty() && copied.said.unwrap_err().contains("more than terminals take"));
    }

    #[test]
    fn screen_gets_pieces_that_put_together_are_the_code() {
        let text = "warroom ".repeat(100);
        let copied = copy(&text, &Between::Screen);
        let mut code = Vec::new();
        for piece in copied.bytes.split(|byte| *byte == 0x1b).filter(|piece| piece.len() > 1) {
            assert!(piece[0] == b'P' || piece[0] == b']' && piece.len() <= PIECE + 1, "{piece:?}");
            code.extend(piece.strip_prefix(b"P").unwrap_or(piece));
        }
        let encoded = base64::engine::general_purpose::STANDARD.encode(&text);
        assert!(String::from_utf8(code).unwrap().contains(&encoded));
    }
}
