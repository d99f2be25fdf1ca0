//! A webhook of the team's own: what happens, signed as Standard Webhooks are.
//!
//! Hides the signature.
//!
//! Invariant: the same happening has the same id however often it is sent, so that the receiver can tell; nothing is sent unsigned.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use ring::hmac;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::calls::{Call, asks};
use super::spec::{ChannelSpec, Home, Life, Rehearsal, Takes};
use super::{Answering, Channel, Examining, SystemSettings, Wanted, cannot, complaint, receipt, secret_finding, send};
use crate::clock;
use crate::incident::{Act, Parcel, Receipt};
use crate::reach::{Habit, Lines, WEBHOOK};
use crate::source::http::{Limits, Site, Spelling};
use crate::source::{Endpoint, SourceError};

/// What stands before a secret in base64.
const PREFIX: &str = "whsec_";
/// The version of what is sent: `docs/webhook.schema.json` describes it. Fields may be added; none changes its meaning.
const VERSION: u32 = 1;

/// What it is.
pub(super) const SPEC: ChannelSpec = ChannelSpec {
    name: WEBHOOK,
    open,
    keeps: Some((Habit { lines: Lines::All, reports: true, ..Habit::OF_TRACKER }, Home::Itself)),
    sections: &[],
    starter: STARTER,
    calls: CALLS,
    rehearsal: Rehearsal {
        finds_again: false,
        ..Rehearsal::of(
            Takes::Flag,
            Life::Alert,
            r#"# webhook = false            # true: its receiver gets a life of an INC-0
"#,
        )
    },
};

/// Its part of the starter file.
const STARTER: &str = r#"[webhook]
# What happens goes to a program of yours, signed as Standard Webhooks are; the secret is what the bearer keys name.
# url = "https://hooks.company.example/warroom"
# bearer-env = "WEBHOOK_SECRET"

"#;

/// What an incident asks of it.
const CALLS: &[Call] = &[asks("POST", "", "all that happens", "the secret of the signatures", "webhook")];

/// Opens it.
fn open(endpoint: &Endpoint, _: &SystemSettings) -> Result<Box<dyn Channel>, SourceError> {
    let site = Site::open_as(WEBHOOK, endpoint, Limits::default(), Spelling::Kept)?;
    Ok(Box::new(Webhook { site }))
}

#[derive(Debug)]
struct Webhook {
    site: Site,
}

impl Channel for Webhook {
    fn site(&self) -> &Site {
        &self.site
    }

    fn deliver<'a>(&'a self, parcel: &'a Parcel) -> Answering<'a> {
        Box::pin(async move {
            let Some(body) = body(parcel) else { return cannot(WEBHOOK, parcel) };
            let secret = match self.site.secret().await {
                Ok(Some(secret)) => secret,
                Ok(None) => return Receipt::Refused("webhook has no secret: set bearer-env in [webhook]".into()),
                Err(failure) => return receipt(failure),
            };
            let at = clock::wall().timestamp();
            let signature = sign(secret.expose_secret(), &parcel.op, at, &body.to_string());
            let request = match self.site.request(Method::POST, "") {
                Ok(request) => request,
                Err(failure) => return receipt(failure),
            };
            let request = request
                .header("webhook-id", parcel.op.as_str())
                .header("webhook-timestamp", at.to_string())
                .header("webhook-signature", signature);
            match send(&self.site, request, Some(&body)).await {
                Ok(answer) if answer.is_success() => Receipt::There(parcel.op.as_str().into()),
                Ok(answer) if answer.status == 410 => {
                    Receipt::Refused("webhook answered 410: it wants nothing any more: take [webhook] out".into())
                }
                Ok(answer) => match complaint(&self.site, &answer) {
                    // It says itself that it may be tried again.
                    failure if answer.status == 503 && failure.retry_after.is_some() => {
                        let wait = failure.retry_after.and_then(|wait| chrono::TimeDelta::from_std(wait).ok());
                        Receipt::NotThere { why: failure.reason, wait }
                    }
                    failure => receipt(failure),
                },
                Err(failure) => receipt(failure),
            }
        })
    }

    fn examine<'a>(&'a self, wanted: &'a Wanted<'a>) -> Examining<'a> {
        let _ = wanted;
        Box::pin(async move { vec![secret_finding(WEBHOOK, &self.site).await] })
    }

    fn look_up<'a>(&'a self, _: &'a Parcel) -> Answering<'a> {
        Box::pin(async {
            Receipt::NotThere {
                why: "it is sent again with the same id, by which the receiver knows it".into(),
                wait: None,
            }
        })
    }
}

fn body(parcel: &Parcel) -> Option<Value> {
    let standing = &parcel.standing;
    let mut data = json!({
        "incident": parcel.incident.to_string(),
        "record": parcel.record,
        "title": standing.title,
        "severity": standing.severity,
        "phase": standing.phase,
        "commander": standing.commander,
        "services": standing.services,
        "text": parcel.text,
    });
    let (kind, more) = match (&parcel.act, &standing.happening) {
        (Act::Open(opened), _) => ("opened", json!({ "title": opened.title, "severity": opened.severity })),
        (Act::Change(said), _) => ("changed", json!({ "title": said.title, "severity": said.severity })),
        (Act::Reopen, _) => ("reopened", json!({})),
        (Act::Acknowledge, _) => ("acknowledged", json!({ "by": parcel.from })),
        (Act::Note(_), _) => ("noted", json!({})),
        (Act::Resolve, _) => ("resolved", json!({})),
        (Act::Report(_), Some(happening)) => {
            let mut more = serde_json::to_value(&happening.what).ok()?;
            more["by"] = json!(happening.by);
            more["at"] = json!(happening.at.to_rfc3339());
            (happening.what.name(), more)
        }
        _ => return None,
    };
    if let (Some(data), Some(more)) = (data.as_object_mut(), more.as_object()) {
        data.extend(more.clone());
    }
    Some(json!({
        "version": VERSION,
        "type": format!("incident.{kind}"),
        "timestamp": parcel.sent_at.to_rfc3339(),
        "data": data,
    }))
}

/// The keys of a secret: one, or several with a space between them while one takes the other's place. As the libraries of the standard read them, with
/// and without the prefix; what is no base64 is the key as it stands.
fn keys(secret: &str) -> impl Iterator<Item = hmac::Key> {
    // The words of a phrase are no secrets of their own.
    let are_several = secret.split_whitespace().all(|one| one.starts_with(PREFIX));
    let all = if are_several { secret.split_whitespace().collect() } else { vec![secret] };
    all.into_iter().map(|one| {
        let key = STANDARD.decode(one.strip_prefix(PREFIX).unwrap_or(one)).ok();
        hmac::Key::new(hmac::HMAC_SHA256, key.as_deref().unwrap_or(one.as_bytes()))
    })
}

/// Whether one of the signatures, which spaces part, is made with a secret.
pub fn is_signed(secret: &str, id: &str, at: i64, body: &[u8], signatures: &str) -> bool {
    let message = [format!("{id}.{at}.").as_bytes(), body].concat();
    let signatures = signatures.split(' ').filter_map(|one| STANDARD.decode(one.strip_prefix("v1,")?).ok());
    let keys: Vec<_> = keys(secret).collect();
    signatures.into_iter().any(|tag| keys.iter().any(|key| hmac::verify(key, &message, &tag).is_ok()))
}

/// `v1,` and the signature of id, time and body, for each key of the secret.
pub fn sign(secret: &str, id: &str, at: i64, body: &str) -> String {
    let tag = |key| STANDARD.encode(hmac::sign(&key, format!("{id}.{at}.{body}").as_bytes()));
    keys(secret).map(|key| format!("v1,{}", tag(key))).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification.
    #[test]
    fn the_signature_is_that_of_the_specification() {
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let signature = sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_secret_is_read_with_and_without_its_prefix_and_two_hold_while_one_takes_the_other_s_place() {
        let (old, new) = ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD");
        assert_eq!(sign(old, "m", 1, "{}"), sign(&format!("whsec_{old}"), "m", 1, "{}"));
        let both = format!("whsec_{old} {new}");
        for (signer, reader) in
            [(old, both.as_str()), (new, &both), (&both, old), (&both, new), ("plain-word", "plain-word")]
        {
            assert!(is_signed(reader, "m", 1, b"{}", &sign(signer, "m", 1, "{}")), "{signer} {reader}");
        }
        assert!(!is_signed(old, "m", 1, b"{}", &sign(new, "m", 1, "{}")));
        // A word of a phrase is not the phrase.
        assert!(!is_signed("a secret of the team", "m", 1, b"{}", &sign("not the secret of the team", "m", 1, "{}")));
        assert!(!is_signed("a secret of the team", "m", 1, b"{}", &sign("secret", "m", 1, "{}")));
    }
}
