//! What goes wrong where one side speaks TLS, in words.
//!
//! Hides how a library says it: a wrong record, an alert of the other side, a certificate that does not fit. Each sentence has the way out.

use std::io;

use rustls::{AlertDescription, CertificateError, Error};

/// What a server is told that does TLS where it was asked in plain text, by those who say it in HTTP: Go, nginx, Apache, Java.
const WANTS_TLS: [&str; 5] = [
    "http request to an https server",
    "plain http request was sent to https port",
    "speaking plain http to an ssl-enabled server port",
    "http request sent to https port",
    "combination of host and port requires tls",
];

/// Whether a server that was asked in plain text says that it wants TLS.
pub(super) fn wants_tls(body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(&body[..body.len().min(4096)]).to_lowercase();
    WANTS_TLS.iter().any(|words| text.contains(words))
}

/// The sentence for a server that was asked in plain text and speaks TLS.
pub(super) const IS_TLS: &str = "speaks TLS there, and is asked in plain text: write https:// in its address";

/// The sentence for what answered in plain text, if it was HTTP at all.
pub(super) const IS_NOT_HTTP: &str = "does not answer in HTTP there: if that port speaks TLS, write https:// in its address; \
                                      else is the port right?";

/// What went wrong with TLS inside an error of the network, however often that is wrapped.
pub(super) fn inside(error: &io::Error) -> Option<&Error> {
    let inner = error.get_ref()?;
    inner.downcast_ref::<Error>().or_else(|| inside(inner.downcast_ref::<io::Error>()?))
}

/// Whether a server that was asked with TLS answered without.
pub(super) fn is_plain_text(error: &Error) -> bool {
    // Whatever comes first from a server without TLS is no record of it.
    matches!(error, Error::InvalidMessage(_))
}

/// What went wrong with TLS, after the server's name.
pub(super) fn words(error: &Error, has_certificate: bool) -> String {
    let of_ours = "client-cert-file and client-key-file";
    match error {
        Error::InvalidMessage(_) => "does not speak TLS there, it answers in plain text: write http:// in its address \
             (to another host with allow-plain-http = true), or give the port that has TLS"
            .to_owned(),
        Error::AlertReceived(AlertDescription::CertificateRequired) => {
            format!("wants a certificate that says who asks: set {of_ours}")
        }
        Error::AlertReceived(
            alert @ (AlertDescription::UnknownCA
            | AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::AccessDenied
            | AlertDescription::DecryptError),
        ) => format!(
            "refuses the certificate that says who asks ({alert:?}): is the one in client-cert-file from the right \
             authority, and still valid?"
        ),
        // Before TLS 1.3 that is all a server says of a certificate that it misses.
        Error::AlertReceived(AlertDescription::HandshakeFailure) if !has_certificate => {
            format!(
                "breaks TLS off: it may want a certificate that says who asks ({of_ours}), or another version of TLS"
            )
        }
        Error::AlertReceived(AlertDescription::ProtocolVersion | AlertDescription::InsufficientSecurity) => {
            "speaks no TLS that is secure: TLS 1.2 at least is wanted".to_owned()
        }
        Error::AlertReceived(AlertDescription::UnrecognisedName) => {
            "does not know the name in its address: is the host right?".to_owned()
        }
        Error::InvalidCertificate(why) => format!("cannot be trusted ({error}): {}", remedy(why)),
        _ => format!("cannot be trusted ({error}): if your company signs it, name that certificate in ca-file"),
    }
}

/// What helps where a server's certificate does not fit.
fn remedy(why: &CertificateError) -> &'static str {
    match why {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "its certificate has expired: have it renewed (or is this machine's clock ahead?)"
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "its certificate is not valid yet: is this machine's clock behind?"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "its certificate is for another name: is the host in the address right?"
        }
        _ => "if your company signs it, name that certificate in ca-file",
    }
}
