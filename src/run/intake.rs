//! Changes that other systems post: each one signed, checked and recorded before it is answered.
//!
//! Hides the signature's rules (Standard Webhooks) and that a sender who got no answer sends again.
//!
//! Invariant: what is answered with 200 is on stable storage; what is not signed with the team's secret, or is older than five minutes, is not recorded.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use hyper::{HeaderMap, Method, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};

use super::JournalPlace;
use super::known::Known;
use super::server::{Answer, Asked, listen, serve};
use crate::change::Change;
use crate::channel::webhook;
use crate::clock;
use crate::journal::ChangeFile;

/// A message is younger, or was recorded by somebody who repeats it.
const TOLERANCE: i64 = 300;
/// A message that was taken can be repeated for so long, in seconds: its sender's clock may be ahead.
const REPEATABLE: i64 = 2 * TOLERANCE;
/// The file that names the messages that were recorded, in the account's own folder.
const TAKEN: &str = "changes-taken";

/// Reads the secret as it is by now.
type Read = Box<dyn Fn() -> Result<SecretString, String> + Send + Sync>;

/// The secret, as it was read last.
struct Held {
    secret: SecretString,
    /// When it was read again, by the clock that counts from the boot.
    again_at: Duration,
    read: Read,
}

/// Whoever posts what is signed otherwise makes the file be read no more often.
const AGAIN: Duration = Duration::from_secs(2);

struct Intake {
    file: ChangeFile,
    secret: Mutex<Held>,
    known: Mutex<Known>,
}

/// Records what is posted to an address until the program is ended; `ready` hears where it listens.
pub async fn run(
    place: &JournalPlace,
    read: Read,
    address: SocketAddr,
    ready: impl FnOnce(SocketAddr),
) -> Result<(), String> {
    let secret = read().map_err(|why| format!("the secret: {why}"))?;
    if secret.expose_secret().trim().is_empty() {
        return Err("the secret is empty: nobody could tell who posts".to_owned());
    }
    let file = place.open().map_err(|error| error.to_string())?.changes();
    let listener = listen(address).await?;
    ready(listener.local_addr().unwrap_or(address));
    let known = Known::in_file(place.own.with_file_name(TAKEN), clock::wall().timestamp(), REPEATABLE);
    let secret = Mutex::new(Held { secret, again_at: clock::boot(), read });
    let intake = Arc::new(Intake { file, secret, known: Mutex::new(known) });
    serve(listener, move |asked| {
        let intake = intake.clone();
        async move {
            // A write waits for the disk.
            let answer = tokio::task::spawn_blocking(move || intake.take(&asked, clock::wall())).await;
            answer.unwrap_or_else(|_| Answer::words(StatusCode::INTERNAL_SERVER_ERROR, "it was not recorded"))
        }
    })
    .await;
    Ok(())
}

impl Held {
    /// Whether another secret is there than the one that was known.
    fn read_again(&mut self, now: Duration) -> bool {
        if now.saturating_sub(self.again_at) < AGAIN {
            return false;
        }
        self.again_at = now;
        let Ok(secret) = (self.read)() else { return false };
        let is_new = secret.expose_secret() != self.secret.expose_secret() && !secret.expose_secret().trim().is_empty();
        if is_new {
            self.secret = secret;
        }
        is_new
    }
}

impl Intake {
    fn take(&self, asked: &Asked, now: DateTime<Utc>) -> Answer {
        if asked.method != Method::POST || asked.path != "/changes" {
            return Answer::words(StatusCode::NOT_FOUND, "POST a change to /changes");
        }
        let id = match self.signed(&asked.headers, &asked.body, now) {
            Ok(id) => id,
            Err(why) => return Answer::words(StatusCode::UNAUTHORIZED, why),
        };
        let change = match change(&asked.body) {
            Ok(change) => change,
            Err(why) => return Answer::words(StatusCode::BAD_REQUEST, why),
        };
        // Held while it is written: of two that are the same the second waits, and is known.
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.has(&id) {
            return Answer::words(StatusCode::OK, "known already");
        }
        match self.file.append(&change) {
            Ok(()) => {
                known.add(now.timestamp(), id);
                Answer::words(StatusCode::OK, "recorded")
            }
            // The sender keeps it and tries again.
            Err(error) => Answer::words(StatusCode::SERVICE_UNAVAILABLE, format!("not recorded: {error}")),
        }
    }

    /// The message's id, if it is signed.
    fn signed(&self, headers: &HeaderMap, body: &[u8], now: DateTime<Utc>) -> Result<String, &'static str> {
        let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let (Some(id), Some(at), Some(signature)) =
            (header("webhook-id"), header("webhook-timestamp"), header("webhook-signature"))
        else {
            return Err("the headers webhook-id, webhook-timestamp and webhook-signature are needed");
        };
        let at: i64 = at.parse().map_err(|_| "webhook-timestamp is no time in seconds")?;
        let mut held = self.secret.lock().unwrap_or_else(PoisonError::into_inner);
        let is_signed = |held: &Held| webhook::is_signed(held.secret.expose_secret(), id, at, body, signature);
        let is_known = is_signed(&held) || held.read_again(clock::boot()) && is_signed(&held);
        if !is_known {
            return Err("the signature is not made with this secret");
        }
        drop(held);
        if (now.timestamp() - at).abs() > TOLERANCE {
            return Err("webhook-timestamp is more than 5 min off: set the clocks, or sign it anew");
        }
        Ok(id.to_owned())
    }
}

/// A change, alone or as the `data` of a message.
fn change(body: &[u8]) -> Result<Change, String> {
    let said: serde_json::Value =
        serde_json::from_slice(body).map_err(|error| format!("the body is no JSON: {error}"))?;
    let said = if said.get("what").is_none() { said.get("data").unwrap_or(&said) } else { &said };
    serde_json::from_value(said.clone())
        .map_err(|error| format!("no change: {error}; write {{\"at\":\"2026-11-24T10:00:00Z\",\"kind\":\"deploy\",\"service\":\"alipay\",\"what\":\"…\",\"by\":\"…\"}}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::Sharing;

    const BODY: &str = r#"{"type":"deploy.done","data":{"at":"2026-11-24T10:00:00Z","kind":"deploy","service":"alipay","what":"4.12","by":"ci"}}"#;

    fn asked(id: &str, at: i64, body: &str, secret: &str) -> Asked {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("webhook-id", id.to_owned()),
            ("webhook-timestamp", at.to_string()),
            ("webhook-signature", format!("v1,AAAA {}", webhook::sign(secret, id, at, body))),
        ] {
            headers.insert(name, value.parse().unwrap());
        }
        let body = body.to_owned().into();
        Asked { method: Method::POST, path: "/changes".to_owned(), query: String::new(), headers, body }
    }

    #[test]
    fn what_is_signed_is_recorded_once_and_nothing_else_is() {
        let folder = tempfile::tempdir().unwrap();
        let place = JournalPlace {
            directory: folder.path().join("j"),
            sharing: Sharing::Private,
            own: folder.path().join("own"),
        };
        let file = place.open().unwrap().changes();
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let kept = Arc::new(Mutex::new(secret.to_owned()));
        let read_kept = || -> Read {
            let kept = kept.clone();
            Box::new(move || Ok(kept.lock().unwrap().clone().into()))
        };
        let taken = folder.path().join(TAKEN);
        let start = |now| {
            let known = Mutex::new(Known::in_file(taken.clone(), now, REPEATABLE));
            let held = Held { secret: secret.into(), again_at: Duration::ZERO, read: read_kept() };
            Intake { file: file.clone(), secret: Mutex::new(held), known }
        };
        let now = clock::wall();
        let at = now.timestamp();
        let intake = start(at);
        let status = |asked: &Asked| intake.take(asked, now).status.as_u16();
        assert_eq!(status(&asked("m1", at, BODY, "another")), 401);
        assert_eq!(status(&asked("m1", at - 301, BODY, secret)), 401);
        assert_eq!(status(&Asked { body: "{}".into(), ..asked("m1", at, BODY, secret) }), 401, "changed on the way");
        assert_eq!(status(&Asked { headers: HeaderMap::new(), ..asked("m1", at, BODY, secret) }), 401);
        assert_eq!(status(&Asked { method: Method::GET, ..asked("m1", at, BODY, secret) }), 404);
        for wrong in ["", "[]", "{\"data\":3}", r#"{"at":"2026-11-24T10:00:00Z","what":" "}"#] {
            assert_eq!(status(&asked("m1", at, wrong, secret)), 400, "{wrong}");
        }
        assert_eq!(file.read().unwrap().changes, []);
        assert_eq!(intake.take(&asked("m1", at, BODY, secret), now).body, "recorded\n");
        assert_eq!(intake.take(&asked("m1", at, BODY, secret), now).body, "known already\n");
        assert_eq!(start(at).take(&asked("m1", at, BODY, secret), now).body, "known already\n", "also after a restart");
        let changes = file.read().unwrap().changes;
        assert_eq!(changes.len(), 1);
        assert_eq!((changes[0].what.as_str(), changes[0].by.as_str()), ("4.12", "ci"));
        // The secret changes: first both hold, then the new one alone, and nobody starts anything anew.
        for (now_kept, signer, expected) in [
            (format!("{secret} whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"), "C2FVsBQIhrscChlQIMV+b5sSYspob7oD", 200),
            ("C2FVsBQIhrscChlQIMV+b5sSYspob7oD".to_owned(), "another", 401),
            ("C2FVsBQIhrscChlQIMV+b5sSYspob7oD".to_owned(), secret, 401),
        ] {
            *kept.lock().unwrap() = now_kept;
            intake.secret.lock().unwrap().again_at = Duration::ZERO;
            assert_eq!(status(&asked("m2", at, BODY, signer)), expected, "{signer}");
        }
    }
}
