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

use super::{Answering, Channel, Examining, Options, Wanted, cannot, complaint, receipt, secret_finding, send};
use crate::clock;
use crate::incident::{Act, Parcel, Receipt};
use crate::reach::WEBHOOK;
use crate::source::http::{Limits, Site, Spelling};
use crate::source::{Endpoint, SourceError};

/// Opens it.
pub(super) fn open(endpoint: &Endpoint, _: &Options) -> Result<Box<dyn Channel>, SourceError> {
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
    let (kind, more) = match &parcel.act {
        Act::Open(opened) => ("incident.opened", json!({ "title": opened.title, "severity": opened.severity })),
        Act::Change(said) => ("incident.changed", json!({ "title": said.title, "severity": said.severity })),
        Act::Reopen => ("incident.reopened", json!({})),
        Act::Acknowledge => ("incident.acknowledged", json!({ "by": parcel.from })),
        Act::Note(_) => ("incident.noted", json!({})),
        Act::Resolve => ("incident.resolved", json!({})),
        _ => return None,
    };
    let mut data = json!({ "incident": parcel.incident.to_string(), "text": parcel.text });
    if let (Some(data), Some(more)) = (data.as_object_mut(), more.as_object()) {
        data.extend(more.clone());
    }
    Some(json!({ "type": kind, "timestamp": parcel.sent_at.to_rfc3339(), "data": data }))
}

fn key(secret: &str) -> hmac::Key {
    let key = secret.strip_prefix("whsec_").and_then(|key| STANDARD.decode(key).ok());
    hmac::Key::new(hmac::HMAC_SHA256, key.as_deref().unwrap_or(secret.as_bytes()))
}

/// Whether one of the signatures, which spaces part, is made with a secret.
pub fn is_signed(secret: &str, id: &str, at: i64, body: &[u8], signatures: &str) -> bool {
    let message = [format!("{id}.{at}.").as_bytes(), body].concat();
    let signatures = signatures.split(' ').filter_map(|one| STANDARD.decode(one.strip_prefix("v1,")?).ok());
    let key = key(secret);
    signatures.into_iter().any(|tag| hmac::verify(&key, &message, &tag).is_ok())
}

/// `v1,` and the signature of id, time and body; a secret that begins with `whsec_` is one in base64.
pub fn sign(secret: &str, id: &str, at: i64, body: &str) -> String {
    let tag = hmac::sign(&key(secret), format!("{id}.{at}.{body}").as_bytes());
    format!("v1,{}", STANDARD.encode(tag.as_ref()))
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
}
