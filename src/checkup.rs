//! What `warroom doctor` finds: a verdict, what was looked at, and the way out.
//!
//! Hides how findings are laid out as text and as JSON.
//!
//! Invariant: whatever is not fine says why.

use serde::Serialize;

use crate::text::CleanStr;

/// How it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It works.
    Fine,
    /// It was not tried.
    Untried,
    /// It works, and will not always.
    Doubtful,
    /// It does not work.
    Wrong,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How it stands.
    pub verdict: Verdict,
    /// What was looked at.
    pub what: CleanStr,
    /// What is wrong, and the way out; of what is fine, what was seen.
    pub why: CleanStr,
}

impl Finding {
    /// It works; `seen` may be empty.
    pub fn fine(what: &str, seen: &str) -> Self {
        Self::new(Verdict::Fine, what, seen)
    }

    /// It works, and will not always.
    pub fn doubtful(what: &str, why: &str) -> Self {
        Self::new(Verdict::Doubtful, what, why)
    }

    /// It does not work.
    pub fn wrong(what: &str, why: &str) -> Self {
        Self::new(Verdict::Wrong, what, why)
    }

    /// It was not tried.
    pub fn untried(what: &str, why: &str) -> Self {
        Self::new(Verdict::Untried, what, why)
    }

    fn new(verdict: Verdict, what: &str, why: &str) -> Self {
        Self { verdict, what: what.into(), why: why.into() }
    }

    /// In one line.
    pub fn line(&self) -> String {
        let word = match self.verdict {
            Verdict::Fine => "ok  ",
            Verdict::Untried => "skip",
            Verdict::Doubtful => "warn",
            Verdict::Wrong => "FAIL",
        };
        let why = if self.why.is_blank() { String::new() } else { format!(": {}", self.why) };
        format!("{word}  {}{why}", self.what)
    }
}

/// How many stand how, in a sentence.
pub fn sum(findings: &[Finding]) -> String {
    let count = |verdict| findings.iter().filter(|finding| finding.verdict == verdict).count();
    let (fine, wrong, doubtful) = (count(Verdict::Fine), count(Verdict::Wrong), count(Verdict::Doubtful));
    format!("{fine} ok, {doubtful} to look at, {wrong} wrong, {} not tried", count(Verdict::Untried))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_one_line_and_the_sum_counts_them() {
        let all =
            [Finding::fine("slack", "bot"), Finding::wrong("jira", "no project OPS"), Finding::untried("webhook", "")];
        let lines: Vec<_> = all.iter().map(Finding::line).collect();
        assert_eq!(lines, ["ok    slack: bot", "FAIL  jira: no project OPS", "skip  webhook"]);
        assert_eq!(sum(&all), "1 ok, 0 to look at, 1 wrong, 1 not tried");
    }
}
