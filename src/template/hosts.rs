//! Finds machines in a text: addresses, host names, domains of the inside, pages that only the company can open.
//!
//! Hides what tells `web-03` and `db1.prod.example.com` from `top-10` and `status.example.com`.
//!
//! Invariant: total; every range lies on letter boundaries of the text.

use std::collections::BTreeSet;
use std::ops::Range;

// An address is data; the sockets of `std::net` are not for a pure module, hence `core`.
use core::net::{Ipv4Addr, Ipv6Addr};

use crate::text::CleanStr;

/// Domains that no resolver outside knows.
const INSIDE: [&str; 14] = [
    "internal",
    "local",
    "lan",
    "corp",
    "intra",
    "intranet",
    "localdomain",
    "svc",
    "consul",
    "private",
    "prod",
    "staging",
    "home",
    "arpa",
];
/// Parts of names of machines, before their numbers.
const MACHINES: [&str; 40] = [
    "web", "app", "api", "db", "sql", "pg", "postgres", "mysql", "redis", "cache", "queue", "kafka", "rabbit",
    "rabbitmq", "node", "pod", "host", "srv", "server", "vm", "gw", "gateway", "proxy", "lb", "nginx", "worker",
    "bastion", "k8s", "shard", "replica", "primary", "master", "zk", "es", "mq", "dc", "rack", "switch", "fw", "ns",
];
/// Parts of domains that customers have no business with.
const STAGES: [&str; 14] = [
    "prod",
    "prd",
    "production",
    "staging",
    "stage",
    "stg",
    "dev",
    "test",
    "uat",
    "int",
    "internal",
    "corp",
    "k8s",
    "cluster",
];
/// Tools of the company, at the start of an address.
const TOOLS: [&str; 17] = [
    "grafana",
    "jaeger",
    "prometheus",
    "alertmanager",
    "kibana",
    "jenkins",
    "gitlab",
    "jira",
    "confluence",
    "wiki",
    "vpn",
    "bastion",
    "argocd",
    "sentry",
    "vault",
    "admin",
    "pagerduty",
];

/// Calls `found` with the place of each machine.
pub(super) fn find(text: &str, domains: &BTreeSet<CleanStr>, mut found: impl FnMut(Range<usize>)) {
    for piece in pieces(text) {
        let word = &text[piece.clone()];
        let lower = word.to_ascii_lowercase();
        if let Some((scheme, rest)) = lower.split_once("://") {
            let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
            let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
            let is_web = matches!(scheme, "http" | "https");
            let name = host.rsplit_once(':').filter(|(_, port)| is_port(port)).map_or(host, |(name, _)| name);
            if !is_web || !name.contains('.') || name != host || is_inside(name, domains) || is_tool(name) {
                found(piece);
            }
            continue;
        }
        // An address of mail is no machine; its domain may be.
        let (skipped, host) = lower.rsplit_once('@').map_or((0, &*lower), |(user, host)| (user.len() + 1, host));
        let host = host.split(['/', '?', '#']).next().unwrap_or_default();
        let start = piece.start + skipped;
        let (name, has_port) = match host.rsplit_once(':').filter(|(_, port)| is_port(port)) {
            // A time of day has no letters before its colon.
            Some((name, _)) if name.starts_with(|first: char| first.is_ascii_alphabetic()) && !name.contains(':') => {
                (name, true)
            }
            Some((name, _)) if name.parse::<Ipv4Addr>().is_ok() => (name, true),
            _ => (host, false),
        };
        if has_port || is_inside(name, domains) || is_tool(name) {
            found(start..start + host.len());
        }
    }
}

/// What stands between spaces and signs that no address holds.
fn pieces(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    let is_part = |letter: char| letter.is_alphanumeric() || "-_.:/@?=&%#~+".contains(letter);
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + text[at..].find(is_part)?;
        let end = text[start..].find(|letter| !is_part(letter)).map_or(text.len(), |end| start + end);
        at = end;
        Some((start, end))
    })
    .map(|(start, end)| {
        // `::1` begins with what else ends a sentence.
        let word = text[start..end].trim_end_matches(|letter: char| !letter.is_alphanumeric() && letter != '/');
        let word = word.strip_suffix('/').unwrap_or(word);
        let trimmed = word.trim_start_matches(['.', '-', '_', '/', '?', '=', '&', '%', '#', '~', '+']);
        let start = start + word.len() - trimmed.len();
        start..start + trimmed.len()
    })
    .filter(|range| !range.is_empty())
}

fn is_port(text: &str) -> bool {
    (2..=5).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_tool(host: &str) -> bool {
    host.contains('.') && host.split('.').next().is_some_and(|label| TOOLS.contains(&label))
}

fn is_inside(host: &str, domains: &BTreeSet<CleanStr>) -> bool {
    let bare = host.split_once('%').map_or(host, |(host, _)| host);
    if host == "localhost" || bare.parse::<Ipv4Addr>().is_ok() {
        return true;
    }
    if bare.matches(':').count() >= 2 && bare.parse::<Ipv6Addr>().is_ok() {
        return true;
    }
    if domains
        .iter()
        .any(|domain| host.strip_suffix(&**domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')))
    {
        return true;
    }
    let labels: Vec<&str> = host.split('.').collect();
    let is_label = |label: &&str| {
        !label.is_empty()
            && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    if !labels.iter().all(is_label) {
        return false;
    }
    let Some((last, front)) = labels.split_last() else { return false };
    if front.is_empty() {
        return is_machine(last);
    }
    let is_domain = last.len() >= 2 && last.bytes().all(|byte| byte.is_ascii_lowercase());
    is_domain && (INSIDE.contains(last) || front.iter().any(|label| STAGES.contains(label) || is_machine(label)))
}

/// `web-03`, `db1`, `api-gateway-2`, and a pod with its two hashes.
fn is_machine(label: &str) -> bool {
    let parts: Vec<&str> = label.split('-').collect();
    let has_number = parts.last().is_some_and(|last| last.ends_with(|letter: char| letter.is_ascii_digit()));
    let stem = |part: &str| part.trim_end_matches(|letter: char| letter.is_ascii_digit()).to_owned();
    if has_number && parts.iter().any(|part| MACHINES.contains(&&*stem(part))) {
        return true;
    }
    match parts.as_slice() {
        [_, .., replica, pod] => {
            let is_hash = |part: &str, lengths: std::ops::RangeInclusive<usize>| {
                lengths.contains(&part.len())
                    && part.bytes().any(|byte| byte.is_ascii_digit())
                    && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
            };
            is_hash(replica, 8..=10) && pod.len() == 5 && pod.bytes().all(|byte| byte.is_ascii_alphanumeric())
        }
        _ => false,
    }
}
