//! The secrets that are known by their shape or by their place, one line each.
//!
//! Hides nothing: this is data. A rule's first group is what is hidden; without a group it is the whole match. Every
//! rule has a made-up example, which the tests run.

use std::sync::{LazyLock, OnceLock};

use regex::{Captures, Regex, RegexSet};

use super::SECRET;

/// A published form of a secret.
pub(super) struct Rule {
    /// What it is called: for whoever reads the table, and for the tests.
    #[cfg_attr(not(test), expect(dead_code, reason = "the name of a line in a table"))]
    pub(super) name: &'static str,
    /// What it looks like; the first group is hidden.
    pub(super) pattern: &'static str,
    /// A text in which it is found; made up.
    #[cfg_attr(not(test), expect(dead_code, reason = "the tests run it"))]
    pub(super) example: &'static str,
}

const fn rule(name: &'static str, pattern: &'static str, example: &'static str) -> Rule {
    Rule { name, pattern, example }
}

/// All of them. Source: each service's own documentation of its token formats; where there is none, the published
/// pattern lists of GitHub's secret scanning and of gitleaks.
pub(super) const RULES: &[Rule] = &[
    // By the prefix that the service gives its tokens.
    rule("GitHub token", r"\bgh[pousr]_[A-Za-z0-9]{16,255}", "ghp_0123456789abcdefghijABCDEFGHIJ012345"),
    rule(
        "GitHub fine-grained token",
        r"\bgithub_pat_[A-Za-z0-9_]{16,}",
        "github_pat_11ABCDEFG0abcdefghijkl_mnopqrstuv",
    ),
    rule(
        "GitLab token",
        r"\bgl(?:pat|dt|rt|rtr|cbt|ptt|ft|oas|soat|agent|imt|ffct)-[A-Za-z0-9_.\-]{16,}",
        "glpat-abcDEF012345ghiJKL67",
    ),
    rule("Slack token", r"\bxox[abcdeoprs](?:\.xox[bp])?-[A-Za-z0-9-]{8,}", "xoxb-123456789012-abcdefABCDEF"),
    rule("Slack app token", r"\bxapp-\d-[A-Za-z0-9-]{8,}", "xapp-1-A0123456-1234567890-abcdef0123"),
    rule(
        "Slack webhook",
        r"hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/([A-Za-z0-9_/+\-]{8,})",
        "https://hooks.slack.com/services/T0123/B0456/abcDEFghiJKL",
    ),
    rule(
        "Teams webhook",
        r"webhook\.office\.com/webhookb2/([A-Za-z0-9@_/\-]{16,})",
        "https://qrpay.webhook.office.com/webhookb2/0a1b2c3d-1111@2222/IncomingWebhook/abcdef",
    ),
    rule(
        "Discord webhook",
        r"discord(?:app)?\.com/api/webhooks/\d+/([A-Za-z0-9_\-]{16,})",
        "https://discord.com/api/webhooks/1234/abcdefGHIJKL0123456789",
    ),
    rule("PagerDuty OAuth token", r"\bpd[eu]s\+_[A-Za-z0-9_\-]{12,}", "pdus+_0XBPWQQ_58b74d18-5c22-3d6b"),
    rule("PagerDuty user token", r"(?:^|[\s=:,])(u\+[A-Za-z0-9_\-+]{18})", "Token token=u+abcdEFGH0123_-ijkl"),
    rule(
        "Atlassian token",
        r"\bAT(?:ATT|CTT|BB|STT|LASSIAN)[A-Za-z0-9_\-=]{16,}",
        "ATATT3xFfGF0abcdefghijkl_mnop-QRST=0A1B2C3D",
    ),
    rule("Grafana token", r"\bgl(?:sa|c)_[A-Za-z0-9+/=_]{16,}", "glsa_abcdefghijABCDEFGHIJ0123456789ab_0a1b2c3d"),
    rule("Grafana API key", r"\beyJrIjoi[A-Za-z0-9+/=]{20,}", "eyJrIjoiT0tTcG1pUlY2RnVKZTFVaDFsNFZXdE9ZWmNrMkZYbk"),
    rule("Stripe key", r"\b(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{10,}", "sk_live_4eC39HqLyjWDarjtT1zdp7dc"),
    rule("webhook signing secret", r"\bwhsec_[A-Za-z0-9+/=]{12,}", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
    rule("npm token", r"\bnpm_[A-Za-z0-9]{20,}", "npm_abcdefghijklmnopqrstuvwxyz0123456789"),
    rule("PyPI token", r"\bpypi-[A-Za-z0-9_\-]{32,}", "pypi-AgEIcHlwaS5vcmcCJDEyMzQ1Njc4LWFiY2QtZWZnaA"),
    rule("crates.io token", r"\bcio[A-Za-z0-9]{32}\b", "cioabcdefghijABCDEFGHIJ012345678901"),
    rule("RubyGems key", r"\brubygems_[a-f0-9]{32,}", "rubygems_0123456789abcdef0123456789abcdef0123456789abcdef"),
    rule("Docker Hub token", r"\bdckr_(?:pat|oat)_[A-Za-z0-9_\-]{16,}", "dckr_pat_abcdEFGH0123ijklMNOP456"),
    rule("Google API key", r"\bAIza[A-Za-z0-9_\-]{30,}", "AIzaSyA0123456789abcdefghijABCDEFGHIJ0123"),
    rule("Google OAuth token", r"\bya29\.[A-Za-z0-9_\-]{16,}", "ya29.a0AfH6SMBabcdefghijklmnop"),
    rule("Google client secret", r"\bGOCSPX-[A-Za-z0-9_\-]{16,}", "GOCSPX-abcdefghijklmnop01234567"),
    rule("Google refresh token", r"\b1//0[A-Za-z0-9_\-]{20,}", "1//0abcdefghijklmnopqrstuvwxyz-0123"),
    rule("AWS access key id", r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{12,16}\b", "AKIAABCDEFGHIJKLMNOP"),
    rule(
        "AWS presigned URL",
        r"(?i)\bX-Amz-(?:Signature|Credential|Security-Token)=([^&\s'\x22]+)",
        "https://b.s3.amazonaws.com/k?X-Amz-Signature=0a1b2c3d4e5f&x=1",
    ),
    rule(
        "AWS request signature",
        r"(?i)\bAWS4-HMAC-SHA256\s+(Credential=[^\n'\x22]+)",
        "Authorization: AWS4-HMAC-SHA256 Credential=AKID/2026/eu/s3, Signature=0a1b2c",
    ),
    rule(
        "Google signed URL",
        r"(?i)\bX-Goog-(?:Signature|Credential)=([^&\s'\x22]+)",
        "https://storage.googleapis.com/b/o?X-Goog-Signature=0a1b2c3d4e5f",
    ),
    rule(
        "Azure SAS signature",
        r"(?:[?&;]|\bamp;)sig=([A-Za-z0-9%+/=_\-]{16,})",
        "https://a.blob.core.windows.net/c?sv=2024&sig=abc%2Bdef0123456789ghij%3D",
    ),
    rule(
        "Azure client secret",
        r"\b[A-Za-z0-9_~.\-]{3}\dQ~[A-Za-z0-9_~.\-]{31,34}",
        "abc8Q~defghijklmnopqrstuvwxyz012345678901",
    ),
    rule(
        "Azure DevOps or storage key",
        r"(?i)\b(?:AccountKey|SharedAccessKey)=([A-Za-z0-9+/=]{16,})",
        "AccountName=qr;AccountKey=abcDEF0123456789ghiJKL==;EndpointSuffix=x",
    ),
    rule("HashiCorp Vault token", r"\bhv[sbr]\.[A-Za-z0-9_\-]{16,}", "hvs.CAESIJabcdefghijklmnop"),
    rule("HashiCorp Vault token (old)", r"(?:^|[\s='\x22:])(s\.[A-Za-z0-9]{24})\b", "VAULT s.abcdefghijABCDEFGHIJ0123"),
    rule(
        "Terraform Cloud token",
        r"\b[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_\-]{16,}",
        "abcdefgh012345.atlasv1.abcdefghijklmnopqrstuvwxyz",
    ),
    rule(
        "JSON web token",
        r"\beyJ[A-Za-z0-9_\-]{6,}(?:\.[A-Za-z0-9_\-]*){2,4}",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abcdef",
    ),
    rule(
        "age key",
        r"(?i)\bAGE-SECRET-KEY-1[A-Z0-9]{20,}",
        "AGE-SECRET-KEY-1QQPZRY9X8GF2TVDW0S3JN54KHCE6MUA7LQQPZRY9X8GF2TVDW0",
    ),
    rule(
        "OpenAI or Anthropic key",
        r"\bsk-(?:ant-|proj-|svcacct-)?[A-Za-z0-9_\-]{20,}",
        "sk-ant-api03-abcdefghijklmnop0123456789",
    ),
    rule(
        "SendGrid key",
        r"\bSG\.[A-Za-z0-9_\-]{16,}\.[A-Za-z0-9_\-]{16,}",
        "SG.abcdefghijklmnop012345.abcdefghijklmnop0123456789ABCDEFG",
    ),
    rule("Twilio key", r"\bSK[0-9a-f]{32}\b", "SK0123456789abcdef0123456789abcdef"),
    rule("Mailgun key", r"\bkey-[0-9a-f]{32}\b", "key-0123456789abcdef0123456789abcdef"),
    rule("Mailchimp key", r"\b[0-9a-f]{32}-us\d{1,2}\b", "0123456789abcdef0123456789abcdef-us12"),
    rule("New Relic key", r"\bNR(?:AK|JS|II|IQ|RA)-[A-Za-z0-9]{16,}", "NRAK-ABCDEFGHIJ0123456789KLMNOPQ"),
    rule("Sentry token", r"\bsntry[su]_[A-Za-z0-9_+/=\-]{16,}", "sntrys_eyJpYXQiOjE3abcdef_0123456789"),
    rule(
        "DigitalOcean token",
        r"\bdo[opr]_v1_[a-f0-9]{32,}",
        "dop_v1_0123456789abcdef0123456789abcdef0123456789abcdef",
    ),
    rule(
        "Doppler token",
        r"\bdp\.(?:pt|st|ct|sa|scim|audit)\.[A-Za-z0-9_.\-]{16,}",
        "dp.pt.abcdefghijABCDEFGHIJ0123456789",
    ),
    rule("Linear key", r"\blin_(?:api|oauth)_[A-Za-z0-9]{16,}", "lin_api_abcdefghijABCDEFGHIJ0123"),
    rule("Shopify token", r"\bshp(?:at|ca|pa|ss)_[a-fA-F0-9]{16,}", "shpat_0123456789abcdef0123456789abcdef"),
    rule("Square token", r"\bsq0(?:atp|csp|idp)-[A-Za-z0-9_\-]{16,}", "sq0atp-abcdefghijABCDEFGHIJ01"),
    rule("Heroku key", r"\bHRKU-[A-Za-z0-9_\-]{16,}", "HRKU-01234567-89ab-cdef-0123-456789abcdef"),
    rule("Telegram bot token", r"\b\d{8,10}:AA[A-Za-z0-9_\-]{30,}", "123456789:AAabcdefghijklmnopqrstuvwxyz0123456"),
    rule("Databricks token", r"\bdapi[0-9a-f]{32}\b", "dapi0123456789abcdef0123456789abcdef"),
    rule("Hugging Face token", r"\bhf_[A-Za-z0-9]{20,}", "hf_abcdefghijABCDEFGHIJ0123456789abcd"),
    rule(
        "Postman key",
        r"\bPMAK-[a-f0-9]{20,}-[a-f0-9]{16,}",
        "PMAK-0123456789abcdef01234567-0123456789abcdef0123456789abcdef01",
    ),
    rule("Figma token", r"\bfig[dou]_[A-Za-z0-9_\-]{16,}", "figd_abcdefghijABCDEFGHIJ0123456789"),
    rule(
        "Dynatrace token",
        r"\bdt0[a-z]\d{2}\.[A-Z0-9]{20,}\.[A-Z0-9]{30,}",
        "dt0c01.ABCDEFGHIJKLMNOPQRSTUVWX.ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
    ),
    rule(
        "Fastly, Cloudflare or Datadog key by its header",
        r"(?i)\b(?:Fastly-Key|X-Auth-Key|DD-API-KEY|DD-APPLICATION-KEY)['\x22]?\s*[:=]\s*['\x22]?([^\s'\x22,]+)",
        "DD-API-KEY: 0123456789abcdef0123456789abcdef",
    ),
    // By its place.
    rule(
        "Authorization header",
        r"(?i)\b(?:proxy-)?authorization\\?['\x22]?\s*[:=]\s*\\?['\x22]?(?:(?:bearer|basic|token|oauth|geniekey|splunk|apikey|negotiate|digest)\s+)?(?:token=)?\\?['\x22]?([^\s'\x22,\\]+)",
        "Authorization: GenieKey 0a1b2c3d-0000",
    ),
    rule("Bearer token", r"(?i)\bbearer[ \t]+([A-Za-z0-9_\-.~+/=%]{16,})", "send Bearer abcdefghijklmnopqrst now"),
    rule(
        "Basic credentials",
        r"\b(?i:basic)[ \t]+([A-Za-z0-9+/]{8,}[A-Z0-9+/][A-Za-z0-9+/]*={0,2})",
        "use Basic ZGFuYTpodW50ZXIyIQ== there",
    ),
    rule(
        "user and password of a URL",
        r"(?i)\b[a-z][a-z0-9+.\-]*://([^\s/:@'\x22]*:[^\s/'\x22]+)@",
        "postgres://app:pass@db/payments",
    ),
    rule(
        "curl user",
        r"\b(?:curl|wget|http|https|hey)\b[^\n|;]*?[ \t](?:-u|--user|--proxy-user|-U)[ =]?['\x22]?[^\s:'\x22]+:([^\s'\x22/][^\s'\x22]*)",
        "curl -s -u dana:hunter2 https://x",
    ),
    rule(
        "MySQL password flag",
        r"\b(?:mysql|mariadb)[a-z\-]*\b[^\n|;]*?[ \t]-p([^\s'\x22][^\s]*)",
        "mysql -u root -phunter2 payments",
    ),
    rule(
        "MySQL password flag, quoted",
        r"\b(?:mysql|mariadb)[a-z\-]*\b[^\n|;]*?[ \t]-p['\x22]([^'\x22\n]+)",
        "mysql -u root -p'hunter 2' payments",
    ),
    rule("sshpass", r"\bsshpass[ \t]+-p[ \t]*['\x22]?([^\s'\x22]+)", "sshpass -p hunter2 ssh root@db"),
    rule(
        "redis-cli",
        r"\bredis-cli\b[^\n|;]*?[ \t](?:-a|--pass)[ =]['\x22]?([^\s'\x22]+)",
        "redis-cli -h cache -a hunter2 flushall",
    ),
    rule(
        "openssl pass phrase",
        r"\b-?pass(?:in|out)?[ \t]+(?:pass|env):([^\s]+)",
        "openssl rsa -passin pass:hunter2 -in k.pem",
    ),
    rule(
        "ldap password",
        r"\bldap(?:search|modify|add|delete|passwd|whoami)\b[^\n|;]*?[ \t]-w[ \t]*['\x22]?([^\s'\x22]+)",
        "ldapsearch -x -D cn=admin -w hunter2 -b dc=x",
    ),
    rule("netrc", r"(?i)\blogin\s+\S+\s+password\s+(\S+)", "machine api.qrpay.example login dana password hunter2"),
    rule(
        "SQL password",
        r"(?i)\b(?:identified\s+(?:with\s+\S+\s+)?by|password|set\s+password\s+to)\s+['\x22]([^'\x22\n]+)['\x22]",
        "ALTER USER app IDENTIFIED BY 'hunter2'",
    ),
    rule(
        "cookie",
        r"(?i)\b(?:set-)?cookie\\?['\x22]?\s*[:=]\s*\\?['\x22]?([^\r\n'\x22]+)",
        "Cookie: session=0a1b2c; theme=dark",
    ),
    rule(
        "card verification code",
        r"(?i)\b(?:cvv2?|cvc2?|cid|card (?:verification|security) code|security code)\b['\x22]?[ \t]*(?:[:=#]|is)?[ \t]*['\x22]?(\d{3,4})\b",
        "cvv: 123",
    ),
    rule(
        "card expiry beside its code",
        r"(?i)\bcvv2?/exp(?:iry)?[ \t]*[:=]?[ \t]*([\d/ ]{6,12})",
        "cvv/exp: 123 12/27",
    ),
    rule(
        "magnetic stripe, track 1",
        r"%?\b[Bb]\d{12,19}\^[^\^\n]{2,26}\^[^\s?]{4,}\??",
        "%B4111111111111111^DOE/JOHN^25121010000000000000?",
    ),
    rule("magnetic stripe, track 2", r";?\b\d{12,19}=\d{4,}[^\s?]*\??", ";4111111111111111=25121010000012300000?"),
];

/// All rules at once; each alone is made when it first finds something.
struct Compiled {
    all: RegexSet,
    each: Vec<OnceLock<Regex>>,
}

/// Made at the first use, or by [`prepare`].
static COMPILED: LazyLock<Compiled> = LazyLock::new(|| {
    let all = RegexSet::new(RULES.iter().map(|rule| plain(rule.pattern)));
    let each = RULES.iter().map(|_| OnceLock::new()).collect();
    Compiled { all: all.expect("the rules are constants, and a test compiles them"), each }
});

/// A pattern in which `\b`, `\d`, `\s` and `\S` mean ASCII: no token holds other letters, and compiling takes a tenth of the time.
pub(super) fn plain(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() * 2);
    let (mut letters, mut in_class) = (pattern.chars(), false);
    while let Some(letter) = letters.next() {
        let escaped = if letter == '\\' { letters.next() } else { None };
        match (letter, escaped, in_class) {
            ('\\', Some('b'), _) => out.push_str("(?-u:\\b)"),
            ('\\', Some('d'), false) => out.push_str("[0-9]"),
            ('\\', Some('d'), true) => out.push_str("0-9"),
            ('\\', Some('s'), false) => out.push_str("[ \\t\\r\\n]"),
            ('\\', Some('s'), true) => out.push_str(" \\t\\r\\n"),
            ('\\', Some('S'), false) => out.push_str("[^ \\t\\r\\n]"),
            ('\\', Some(other), _) => out.extend(['\\', other]),
            (other, _, _) => {
                in_class = if in_class { other != ']' } else { other == '[' };
                out.push(other);
            }
        }
    }
    out
}

/// Makes the rules ready, so that the first line that is written does not wait for it.
pub(super) fn prepare() {
    LazyLock::force(&COMPILED);
}

/// A text without the secrets that the rules know.
pub(super) fn hide(text: String) -> String {
    let found: Vec<usize> = COMPILED.all.matches(&text).into_iter().collect();
    found.into_iter().fold(text, |text, which| {
        let rule = COMPILED.each[which]
            .get_or_init(|| Regex::new(&plain(RULES[which].pattern)).expect("the set of the same patterns compiled"));
        rule.replace_all(&text, hidden).into_owned()
    })
}

/// A match without its secret part.
fn hidden(found: &Captures<'_>) -> String {
    let whole = &found[0];
    let start = found.get(0).map_or(0, |whole| whole.start());
    let secret = found.get(1).map_or(0..whole.len(), |secret| secret.start() - start..secret.end() - start);
    if whole[secret.clone()].starts_with('[') || is_reference(&whole[secret.clone()]) {
        return whole.to_owned();
    }
    format!("{}{SECRET}{}", &whole[..secret.start], &whole[secret.end..])
}

/// Whether a value only names where the secret is: a variable, a template, a placeholder.
pub(super) fn is_reference(value: &str) -> bool {
    let all = |letters: &str| !value.is_empty() && value.chars().all(|letter| letters.contains(letter));
    value.starts_with("${")
        || value.starts_with("$(")
        || value.starts_with("{{")
        || value.starts_with("%(")
        || value.starts_with('<') && value.ends_with('>')
        || value.strip_prefix('$').is_some_and(|name| {
            !name.is_empty()
                && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
                && name.starts_with(|c: char| c.is_ascii_alphabetic())
        })
        || all("*")
        || all("xX")
        || all(".")
        || all("•")
        || all("…")
}
