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
use serde_json::Value;

use super::JournalPlace;
use super::known::Known;
use super::server::{Answer, Asked, listen, serve};
use crate::change::Change;
use crate::channel::webhook;
use crate::clock;
use crate::journal::ChangeFile;
use crate::text::CleanStr;

mod argocd;
mod cdevents;
mod github;
mod gitlab;

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

/// How the native payload of a system is read.
struct Adapter {
    /// Where it is posted.
    path: &'static str,
    /// The message's id, if it was sent by somebody who knows the secret; else why that is not known.
    signed: fn(&Asked, &str) -> Result<String, &'static str>,
    /// The change that it tells of; nothing where it tells of something else.
    read: fn(&Asked, &Value) -> Result<Option<Change>, String>,
}

/// The systems whose own payloads are taken.
const ADAPTERS: [Adapter; 4] = [github::ADAPTER, gitlab::ADAPTER, argocd::ADAPTER, cdevents::ADAPTER];

fn header<'a>(asked: &'a Asked, name: &str) -> Option<&'a str> {
    asked.headers.get(name).and_then(|value| value.to_str().ok())
}

/// Whether two secrets are the same, in a time that tells nothing of where they differ.
fn is_same(one: &str, other: &str) -> bool {
    // Comparing two digests of BLAKE3 takes the same time, wherever they differ.
    blake3::hash(one.trim().as_bytes()) == blake3::hash(other.trim().as_bytes())
}

/// The secret in the header `Authorization: Bearer …`.
fn bearer(asked: &Asked, secret: &str) -> Result<(), &'static str> {
    let said = header(asked, "authorization").ok_or("the header Authorization: Bearer … is needed")?;
    let token = said.split_once(' ').filter(|(word, _)| word.eq_ignore_ascii_case("bearer")).map(|(_, token)| token);
    if token.is_some_and(|token| is_same(token, secret)) { Ok(()) } else { Err("Authorization is not this secret") }
}

/// A name for a message that has none: the same body is the same message.
fn body_id(asked: &Asked) -> String {
    format!("{}/{}", asked.path, blake3::hash(&asked.body).to_hex())
}

/// A text that says something.
fn text(value: &Value) -> Option<CleanStr> {
    value.as_str().map(CleanStr::new).filter(|text| !text.is_blank())
}

/// A time as these systems write it.
fn at_of(value: &Value) -> Option<DateTime<Utc>> {
    let said = value.as_str()?;
    let written = said.replace(" UTC", " +0000");
    DateTime::parse_from_rfc3339(said)
        .or_else(|_| DateTime::parse_from_str(&written, "%Y-%m-%d %H:%M:%S %z"))
        .ok()
        .map(|at| at.with_timezone(&Utc))
}

/// A version as people say it: of a long digest its first letters.
fn short(version: &str) -> CleanStr {
    let is_digest = version.len() >= 32 && version.chars().all(|one| one.is_ascii_hexdigit());
    CleanStr::new(if is_digest { &version[..8] } else { version })
}

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
        let adapter = ADAPTERS.iter().find(|adapter| adapter.path == asked.path);
        if asked.method != Method::POST || (asked.path != "/changes" && adapter.is_none()) {
            let paths: Vec<_> = ADAPTERS.iter().map(|adapter| adapter.path).collect();
            return Answer::words(
                StatusCode::NOT_FOUND,
                format!("POST a change to /changes, or to {}", paths.join(", ")),
            );
        }
        let id = match adapter {
            Some(adapter) => self.signed_natively(adapter, asked),
            None => self.signed(&asked.headers, &asked.body, now),
        };
        let id = match id {
            Ok(id) => id,
            Err(why) => return Answer::words(StatusCode::UNAUTHORIZED, why),
        };
        let read = match adapter {
            Some(adapter) => serde_json::from_slice(&asked.body)
                .map_err(|error| format!("the body is no JSON: {error}"))
                .and_then(|said| (adapter.read)(asked, &said)),
            None => change(&asked.body).map(Some),
        };
        let change = match read {
            Ok(Some(change)) => change,
            Ok(None) => return Answer::words(StatusCode::OK, "that is no change to what runs: nothing was recorded"),
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
    fn signed_natively(&self, adapter: &Adapter, asked: &Asked) -> Result<String, &'static str> {
        let mut held = self.secret.lock().unwrap_or_else(PoisonError::into_inner);
        // While a secret changes, the old one and the new one stand there.
        let check = |held: &Held| {
            let all = held.secret.expose_secret().trim();
            let said = (adapter.signed)(asked, all);
            said.or_else(|why| all.split_whitespace().find_map(|one| (adapter.signed)(asked, one).ok()).ok_or(why))
        };
        match check(&held) {
            Err(_) if held.read_again(clock::boot()) => check(&held),
            said => said,
        }
    }

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

    fn native(path: &str, headers: &[(&'static str, &str)], body: &str) -> Asked {
        let mut all = HeaderMap::new();
        for (name, value) in headers {
            all.insert(*name, value.parse().unwrap());
        }
        let body = body.to_owned().into();
        Asked { method: Method::POST, path: path.to_owned(), query: String::new(), headers: all, body }
    }

    /// The example of the documentation on validating deliveries.
    #[test]
    fn the_signature_of_github_is_that_of_its_documentation() {
        let signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        let headers = [("x-hub-signature-256", signature), ("x-github-delivery", "d1")];
        let asked = native("/changes/github", &headers, "Hello, World!");
        assert_eq!((github::ADAPTER.signed)(&asked, "It's a Secret to Everybody"), Ok("d1".to_owned()));
        assert!((github::ADAPTER.signed)(&asked, "another").is_err());
        let other = native("/changes/github", &headers, "Hello, World?");
        assert!((github::ADAPTER.signed)(&other, "It's a Secret to Everybody").is_err());
    }

    #[test]
    fn native_payloads_are_one_change_each_with_service_status_environment_and_version() {
        let sha = "9f2c1a4e9f2c1a4e9f2c1a4e9f2c1a4e9f2c1a4e";
        let github = format!(
            r#"{{"deployment_status":{{"state":"success","created_at":"2026-11-24T10:03:00Z","log_url":"https://ci/1"}},
            "deployment":{{"id":7,"sha":"{sha}","ref":"main","task":"deploy","environment":"production","creator":{{"login":"mina"}}}},
            "repository":{{"name":"alipay","full_name":"qrpay/alipay"}}}}"#
        );
        let gitlab = r#"{"object_kind":"deployment","status":"failed","status_changed_at":"2026-11-24 11:03:00 +0100",
            "deployment_id":15,"deployable_url":"https://gl/1","environment":"production","short_sha":"279484c0",
            "project":{"path_with_namespace":"qrpay/alipay"},"user":{"username":"mina"},"commit_title":"Raise the pool"}"#;
        let argocd = format!(
            r#"{{"metadata":{{"name":"alipay"}},"spec":{{"destination":{{"namespace":"payments"}},"source":{{"repoURL":"https://g/1"}}}},
            "status":{{"operationState":{{"phase":"Succeeded","startedAt":"2026-11-24T10:02:00Z","finishedAt":"2026-11-24T10:03:00Z",
            "message":"successfully synced","syncResult":{{"revision":"{sha}"}}}},"history":[{{"revision":"4.11"}},{{"revision":"{sha}"}}]}}}}"#
        );
        let cdevents = r#"{"specversion":"1.0","id":"e1","data":{"context":{"version":"0.4.0","id":"e1","source":"/jenkins",
            "type":"dev.cdevents.service.rolledback.0.2.0","timestamp":"2026-11-24T10:03:00Z"},"subject":{"id":"service/alipay",
            "type":"service","content":{"environment":{"id":"production"},"artifactId":"pkg:oci/alipay@4.11"}}}}"#;
        let at = "2026-11-24T10:03:00Z".parse::<DateTime<Utc>>().unwrap();
        for (adapter, event, body, line) in [
            (
                &github::ADAPTER,
                "deployment_status",
                github.as_str(),
                "deploy alipay: main, to 9f2c1a4e in production, succeeded (mina)",
            ),
            (&gitlab::ADAPTER, "", gitlab, "deploy alipay: Raise the pool, to 279484c0 in production, FAILED (mina)"),
            (
                &argocd::ADAPTER,
                "",
                argocd.as_str(),
                "deploy alipay: successfully synced, 4.11 -> 9f2c1a4e in payments, succeeded (argocd)",
            ),
            (
                &cdevents::ADAPTER,
                "",
                cdevents,
                "deploy alipay: service rolledback, to 4.11 in production, rolled back (/jenkins)",
            ),
        ] {
            let asked = native(adapter.path, &[("x-github-event", event)], body);
            let said = serde_json::from_str(body).unwrap();
            let change = (adapter.read)(&asked, &said).unwrap().unwrap();
            assert_eq!((change.line().as_str(), change.at), (line, at));
            assert!(change.more.id.is_some());
            // What is signed otherwise, or tells of something else, is nothing.
            assert!((adapter.signed)(&asked, "secret").is_err());
            let other =
                serde_json::json!({ "object_kind": "push", "context": { "type": "dev.cdevents.build.started.0.1.0" } });
            assert_eq!((adapter.read)(&native(adapter.path, &[], "{}"), &other), Ok(None));
        }
        for (path, name, value) in [
            ("/changes/gitlab", "x-gitlab-token", "secret"),
            ("/changes/argocd", "authorization", "Bearer secret"),
            ("/changes/cdevents", "authorization", "bearer secret"),
        ] {
            let adapter = ADAPTERS.iter().find(|adapter| adapter.path == path).unwrap();
            assert!((adapter.signed)(&native(path, &[(name, value)], "{}"), "secret").is_ok());
            assert!((adapter.signed)(&native(path, &[(name, value)], "{}"), "another").is_err());
        }
    }

    #[test]
    fn what_the_documentation_of_gitlab_and_argo_cd_has_besides_is_read_as_it_is_meant() {
        let read = |adapter: &Adapter, said: Value| (adapter.read)(&native(adapter.path, &[], "{}"), &said).unwrap();
        // Deployed by the interface: there is no job.
        let by_interface = serde_json::json!({
            "object_kind": "deployment", "status": "success", "status_changed_at": "2021-04-28 21:50:00 +0200",
            "deployment_id": 15, "deployable_id": 796, "deployable_url": null, "environment": "staging",
            "project": { "path_with_namespace": "root/test-deployment-webhooks" }, "short_sha": "279484c0",
            "user": { "username": "root" }, "commit_url": "https://gl/-/commit/279484c0", "commit_title": "Add new file",
        });
        let change = read(&gitlab::ADAPTER, by_interface).unwrap();
        assert_eq!(change.link.as_deref(), Some("https://gl/-/commit/279484c0"));
        // Two deployments that one event has set off share its name.
        let headers = [("x-gitlab-token", "secret"), ("x-gitlab-event-uuid", "e1")];
        let id = |body: &str| (gitlab::ADAPTER.signed)(&native("/changes/gitlab", &headers, body), "secret").unwrap();
        assert_eq!(id("{\"a\":1}"), id("{\"a\":1}"));
        assert_ne!(id("{\"a\":1}"), id("{\"a\":2}"));
        let app = |dry_run: bool| {
            let revisions = |one: &str| serde_json::json!({ "revision": "", "revisions": [one, "2.1.0"] });
            serde_json::json!({ "app": {
                "metadata": { "name": "alipay" },
                "spec": { "sources": [{ "repoURL": "https://g/1" }, { "repoURL": "https://charts" }] },
                "status": {
                    "operationState": { "phase": "Succeeded", "startedAt": "2026-11-24T10:02:00Z",
                        "operation": { "sync": { "dryRun": dry_run }, "initiatedBy": { "automated": true } },
                        "syncResult": revisions("9f2c1a4e9f2c1a4e9f2c1a4e9f2c1a4e9f2c1a4e") },
                    "history": [revisions("4.11"), revisions("9f2c1a4e9f2c1a4e9f2c1a4e9f2c1a4e9f2c1a4e")],
                },
            } })
        };
        let change = read(&argocd::ADAPTER, app(false)).unwrap();
        assert_eq!(
            change.line().as_str(),
            "deploy alipay: synchronised, 4.11 + 2.1.0 -> 9f2c1a4e + 2.1.0, succeeded (argocd)"
        );
        assert_eq!(change.link.as_deref(), Some("https://g/1"));
        assert_eq!(read(&argocd::ADAPTER, app(true)), None, "a trial changes nothing");
    }
}
