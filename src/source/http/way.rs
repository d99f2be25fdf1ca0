//! The way to a server: directly, or through a proxy.
//!
//! Hides where a proxy is named (the section's own setting, the environment's variables in both spellings), whom `NO_PROXY` excepts, where the
//! proxy's credentials lie, and what its refusals are called.
//!
//! Invariant: what is shown of a proxy is its scheme, host and port; its credentials stand in the request to it alone, and are remembered by the
//! [`vault`](crate::vault).

use std::error::Error;
use std::fmt;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use hyper_util::client::proxy::matcher::Matcher;
use percent_encoding::percent_decode_str;
use reqwest::{Proxy, Url};
use secrecy::ExposeSecret as _;

use crate::source::Endpoint;
use crate::source::auth::{Place, place};

/// The word in `proxy` that keeps a system from the environment's proxies.
pub const DIRECT: &str = "none";

/// Which way a server is asked, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// The address of the proxy, without credentials; absent: directly.
    pub proxy: Option<String>,
    /// What says so.
    pub why: String,
    /// A proxy that is named and is not used, and why not.
    pub ignored: Option<String>,
}

impl Way {
    /// The way to an endpoint, as its settings and this process's environment have it.
    pub fn of(endpoint: &Endpoint) -> Self {
        let Ok(url) = Url::parse(endpoint.url.trim()) else {
            return Self { proxy: None, why: "its address cannot be read".to_owned(), ignored: None };
        };
        let chosen = chosen(endpoint, &url, &|name| std::env::var(name).ok());
        let proxy = chosen.proxy.ok().flatten();
        Self { proxy: proxy.as_ref().map(shown), why: chosen.why, ignored: chosen.ignored }
    }
}

/// A choice before it is opened.
struct Chosen {
    /// With the credentials that stand in it; an error where the section's own setting is no address of a proxy.
    proxy: Result<Option<Url>, String>,
    why: String,
    ignored: Option<String>,
}

/// Whether an address is on this machine.
pub(super) fn is_here(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The section's own word first; then the environment's, which never counts for a server of this machine.
fn chosen(endpoint: &Endpoint, url: &Url, variable: &dyn Fn(&str) -> Option<String>) -> Chosen {
    let direct = |why: &str| Chosen { proxy: Ok(None), why: why.to_owned(), ignored: None };
    match endpoint.proxy.as_deref().map(str::trim) {
        Some(DIRECT) => return direct("its `proxy` is none"),
        Some(own) => return Chosen { proxy: written(own).map(Some), why: "its `proxy`".to_owned(), ignored: None },
        None if is_here(url) => return direct("it is on this machine"),
        None => {}
    }
    let of_scheme = if url.scheme() == "https" { ["HTTPS_PROXY", "https_proxy"] } else { ["HTTP_PROXY", "http_proxy"] };
    let set = |name: &&str| variable(name).is_some_and(|value| !value.trim().is_empty());
    let Some(name) = of_scheme.into_iter().chain(["ALL_PROXY", "all_proxy"]).find(set) else {
        return direct("no proxy is named");
    };
    let value = variable(name).unwrap_or_default();
    let proxy = match of_environment(value.trim()) {
        Ok(proxy) => proxy,
        Err(why) => {
            let ignored = format!("${name} {why}: name one that speaks HTTP in `proxy`");
            return Chosen { ignored: Some(ignored), ..direct("no proxy can be used") };
        }
    };
    let except = ["NO_PROXY", "no_proxy"].into_iter().find(set);
    let list = except.and_then(variable).unwrap_or_default();
    let matcher = Matcher::builder().all("http://proxy.invalid".to_owned()).no(list).build();
    let is_excepted = url.as_str().parse().is_ok_and(|uri| matcher.intercept(&uri).is_none());
    match except.filter(|_| is_excepted) {
        Some(except) => direct(&format!("${except} names it")),
        None => Chosen { proxy: Ok(Some(proxy)), why: format!("${name}"), ignored: None },
    }
}

/// A proxy as a section names it: without credentials, which have keys of their own.
fn written(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).ok().filter(|url| url.has_host() && matches!(url.scheme(), "http" | "https"));
    let url = url.ok_or_else(|| "is no address such as http://proxy:3128".to_owned())?;
    match url.username().is_empty() && url.password().is_none() {
        true => Ok(url),
        false => {
            Err("holds a user or a password: set proxy-user with proxy-password-file, -env or -command".to_owned())
        }
    }
}

/// A proxy as the environment names it: it may lack its scheme, and hold credentials.
fn of_environment(text: &str) -> Result<Url, String> {
    let text = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    let url = Url::parse(&text).ok().filter(Url::has_host).ok_or("is no address")?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        scheme => Err(format!("is a proxy of {scheme}, which warroom does not speak")),
    }
}

/// Scheme, host and port.
fn shown(url: &Url) -> String {
    let port = url.port_or_known_default().map_or(String::new(), |port| format!(":{port}"));
    format!("{}://{}{port}", url.scheme(), url.host_str().unwrap_or_default())
}

/// A proxy that a client goes through.
pub(super) struct Hop {
    place: String,
    why: String,
    /// With credentials, as they were read last.
    url: Arc<Mutex<Url>>,
    sign_in: Option<(String, Place)>,
    /// It refused them since they were read.
    is_refused: AtomicBool,
}

impl fmt::Debug for Hop {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Hop").field("place", &self.place).field("why", &self.why).finish_non_exhaustive()
    }
}

/// Why the way to a server cannot be taken: the setting, and what is wrong with it.
pub(super) type Wrong = (&'static str, String);

impl Hop {
    /// The proxy on the way to a server, if there is one; may read a file or run a program.
    pub(super) fn of(endpoint: &Endpoint, url: &Url) -> Result<Option<Self>, Wrong> {
        let sign_in = sign_in(endpoint)?;
        let chosen = chosen(endpoint, url, &|name| std::env::var(name).ok());
        let Some(proxy) = chosen.proxy.map_err(|why| ("proxy", why))? else { return Ok(None) };
        if let Some(password) = proxy.password() {
            crate::vault::remember(&percent_decode_str(password).decode_utf8_lossy());
        }
        let (place, url) = (shown(&proxy), Arc::new(Mutex::new(proxy)));
        let hop = Self { place, why: chosen.why, url, sign_in, is_refused: AtomicBool::new(false) };
        hop.read_again().map_err(|why| ("proxy-password", why))?;
        Ok(Some(hop))
    }

    /// For a client: asked for every connection, so that credentials that were read again count from then on.
    pub(super) fn proxy(&self) -> Proxy {
        let url = self.url.clone();
        Proxy::custom(move |_| Some(url.lock().unwrap_or_else(PoisonError::into_inner).clone()))
    }

    /// Whether it wants TLS itself.
    pub(super) fn is_tls(&self) -> bool {
        self.place.starts_with("https:")
    }

    /// Whether it refused the credentials since this was asked last: they may have been replaced.
    pub(super) fn take_refusal(&self) -> bool {
        self.is_refused.swap(false, Ordering::Relaxed)
    }

    /// Reads its credentials, which may have been replaced.
    pub(super) fn read_again(&self) -> Result<(), String> {
        let Some((user, place)) = &self.sign_in else { return Ok(()) };
        let password = place.read()?;
        let mut url = self.url.lock().unwrap_or_else(PoisonError::into_inner);
        let is_set = url.set_username(user).is_ok() && url.set_password(Some(password.expose_secret())).is_ok();
        if is_set { Ok(()) } else { Err("cannot stand in the proxy's address".to_owned()) }
    }

    /// After the server's name: that the proxy wants to know who asks, or does not believe it.
    pub(super) fn wants_credentials(&self) -> String {
        let place = &self.place;
        self.is_refused.store(true, Ordering::Relaxed);
        match &self.sign_in {
            Some((user, secret)) => format!(
                "was not reached: the proxy {place} refuses the credentials of {user} (407): check {}",
                secret.show()
            ),
            None if self.url.lock().is_ok_and(|url| url.password().is_some()) => {
                format!("was not reached: the proxy {place} refuses the credentials in {} (407): check them", self.why)
            }
            None => format!(
                "was not reached: the proxy {place} wants credentials (407): set proxy-user with proxy-password-file, \
                 -env or -command"
            ),
        }
    }

    /// What may be wrong besides where a server says 401: some proxies say it themselves of credentials that they do not believe.
    pub(super) fn or_its_own(&self) -> String {
        match self.credentials() {
            Some(what) => format!("; or the proxy {} does not believe its own: check {what}", self.place),
            None => String::new(),
        }
    }

    /// Where its credentials are from, if it has any.
    fn credentials(&self) -> Option<String> {
        let in_address = || self.url.lock().is_ok_and(|url| url.password().is_some()).then(|| self.why.clone());
        self.sign_in.as_ref().map(|(_, secret)| secret.show()).or_else(in_address)
    }

    /// What the proxy did, after the server's name, where a connection failed before the server had a word; nothing where it is the server's matter.
    pub(super) fn broke(&self, error: &(dyn Error + 'static)) -> Option<String> {
        let (place, why) = (&self.place, &self.why);
        let mut is_connecting = false;
        let mut next = Some(error);
        while let Some(error) = next {
            next = error.source();
            if let Some(known) = error.downcast_ref::<reqwest::Error>() {
                is_connecting |= known.is_connect();
                if known.is_connect() && known.is_timeout() {
                    return Some(format!(
                        "was not reached in time through the proxy {place} ({why}): is it overloaded, may it go there?"
                    ));
                }
            }
            if !is_connecting {
                continue;
            }
            if error.is::<rustls::Error>() {
                return None;
            }
            if let Some(known) = error.downcast_ref::<io::Error>() {
                if super::tls::inside(known).is_some() {
                    return None;
                }
                if known.kind() == io::ErrorKind::ConnectionRefused {
                    return Some(format!("was not reached: the proxy {place} ({why}) refused the connection"));
                }
            }
            // Those of the tunnel have no type that can be named.
            match error.to_string().as_str() {
                "tunnel error: proxy authorization required" => return Some(self.wants_credentials()),
                "tunnel error: unsuccessful" => {
                    let known = self.credentials().map(|what| format!(", and are its credentials right ({what})"));
                    return Some(format!(
                        "was not reached: the proxy {place} ({why}) does not let it through: is that server allowed there{}?",
                        known.unwrap_or_default()
                    ));
                }
                "tunnel error: unexpected end of file" => {
                    return Some(format!("was not reached: the proxy {place} ({why}) closed the connection"));
                }
                text if text.starts_with("dns error") => {
                    return Some(format!(
                        "was not reached: the name of the proxy {place} ({why}) does not resolve: check it"
                    ));
                }
                _ => {}
            }
        }
        None
    }
}

/// Who says so to the proxy, as the section has it.
fn sign_in(endpoint: &Endpoint) -> Result<Option<(String, Place)>, Wrong> {
    let place = place(&endpoint.proxy_password_file, &endpoint.proxy_password_env, &endpoint.proxy_password_command);
    match (&endpoint.proxy_user, place) {
        (_, Err(())) => Err(("proxy-password", "is set twice: keep one of -file, -env and -command".to_owned())),
        (Some(user), Ok(Some(place))) => Ok(Some((user.clone(), place))),
        (None, Ok(None)) => Ok(None),
        (Some(_), Ok(None)) => {
            Err(("proxy-user", "has no password: set proxy-password-file, -env or -command".to_owned()))
        }
        (None, Ok(Some(_))) => Err(("proxy-user", "is missing: the password is set".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(address: &str, own: Option<&str>, variables: &[(&str, &str)]) -> (Option<String>, String, Option<String>) {
        let endpoint = Endpoint { proxy: own.map(str::to_owned), ..Endpoint::at(address) };
        let of = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        let chosen = chosen(&endpoint, &Url::parse(address).unwrap(), &of);
        (chosen.proxy.unwrap().as_ref().map(shown), chosen.why, chosen.ignored)
    }

    #[test]
    fn the_sections_own_word_counts_before_the_environments_and_no_proxy_and_this_machine_are_excepted() {
        let both = [("HTTPS_PROXY", "http://bot:pa%20ss@proxy.corp:3128/"), ("NO_PROXY", "corp.example, 10.0.0.0/8")];
        for (address, own, variables, through, why) in [
            ("https://slack.com/api", None, &both[..], Some("http://proxy.corp:3128"), "$HTTPS_PROXY"),
            ("https://jira.corp.example", None, &both[..], None, "$NO_PROXY names it"),
            ("https://10.1.2.3", None, &both[..], None, "$NO_PROXY names it"),
            ("http://prom.example", None, &both[..], None, "no proxy is named"),
            ("https://slack.com", Some("none"), &both[..], None, "its `proxy` is none"),
            ("https://slack.com", Some("http://other:8080"), &both[..], Some("http://other:8080"), "its `proxy`"),
            ("https://jira.corp.example", Some("http://other"), &both[..], Some("http://other:80"), "its `proxy`"),
            ("http://localhost:9090", None, &[("http_proxy", "proxy:1")], None, "it is on this machine"),
            ("http://[::1]:9090", None, &[("http_proxy", "proxy:1")], None, "it is on this machine"),
            ("http://prom.example", None, &[("http_proxy", "proxy:1")], Some("http://proxy:1"), "$http_proxy"),
            ("https://a.example", None, &[("all_proxy", "proxy:1"), ("no_proxy", "*")], None, "$no_proxy names it"),
            (
                "https://a.example",
                None,
                &[("HTTPS_PROXY", " "), ("ALL_PROXY", "p:1")],
                Some("http://p:1"),
                "$ALL_PROXY",
            ),
        ] {
            let wanted = (through.map(str::to_owned), why.to_owned(), None);
            assert_eq!(told(address, own, variables), wanted, "{address} {own:?} {variables:?}");
        }
    }

    #[test]
    fn a_proxy_that_cannot_be_used_is_named_and_no_silent_detour() {
        let (proxy, _, ignored) = told("https://a.example", None, &[("ALL_PROXY", "socks5://proxy:1080")]);
        assert_eq!(proxy, None);
        let said = ignored.unwrap();
        assert!(said.starts_with("$ALL_PROXY is a proxy of socks5, which warroom does not speak"), "{said}");
        assert!(written("http://me:hunter2@proxy").unwrap_err().contains("proxy-user"));
        assert!(written("proxy:3128").is_err());
    }

    #[test]
    fn what_may_be_logged_of_a_proxy_holds_no_credential() {
        let endpoint = Endpoint { proxy: Some("http://proxy:1".to_owned()), ..Endpoint::at("https://a.example") };
        let hop = Hop::of(&endpoint, &Url::parse("https://a.example").unwrap()).unwrap().unwrap();
        hop.url.lock().unwrap().set_password(Some("hunter2")).unwrap();
        assert!(!format!("{hop:?} {}", hop.wants_credentials()).contains("hunter2"));
    }
}
