//! Every call that an incident makes of another system: when, what it needs there, and which line of `warroom doctor` judges that.
//!
//! Hides nothing: each system lists its own beside its code. `warroom doctor --explain` prints them, `docs/calls.md` is
//! the same text, and a test holds them against what servers see of whole incidents.
//!
//! Invariant: a call that is not listed is a fault, and so is one that no line of doctor speaks of.

use super::CHANNELS;

/// A call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// The method of HTTP; `*` for any.
    pub method: &'static str,
    /// The end of the path; `*` stands for one part of it.
    pub path: &'static str,
    /// What an incident does with it.
    pub when: &'static str,
    /// What it needs there: a scope, a permission, a membership, a plan, a field.
    pub needs: &'static str,
    /// How the line of doctor begins that judges it.
    pub judged: &'static str,
}

impl Call {
    /// Whether a request is this call.
    pub fn is(&self, method: &str, path: &str) -> bool {
        let parts = |path: &str| path.trim_matches('/').split('/').map(str::to_owned).collect::<Vec<_>>();
        let (wanted, asked) = (parts(self.path), parts(path));
        let is_path = wanted.len() <= asked.len()
            && wanted.iter().rev().zip(asked.iter().rev()).all(|(wanted, asked)| wanted == "*" || wanted == asked);
        (self.method == "*" || self.method == method) && (is_path || self.path.is_empty())
    }
}

/// The call of a system that a request is: the one that says most of its path.
pub fn called(service: &str, method: &str, path: &str) -> Option<&'static Call> {
    let of_system = CHANNELS.iter().find(|spec| *spec.name == *service)?;
    let fitting = of_system.calls.iter().filter(|call| call.is(method, path));
    fitting.max_by_key(|call| call.path.split('/').filter(|part| *part != "*").count())
}

/// The whole table, in Markdown.
pub fn explained() -> String {
    let mut text = "# Calls\n\nWhat an incident asks of other systems, what that needs there, and the line of `warroom doctor` that judges it \
                    without changing anything. This is what `warroom doctor --explain` prints.\n"
        .to_owned();
    for spec in CHANNELS {
        text += &format!("\n## {}\n\n| call | when | needs | judged by |\n| --- | --- | --- | --- |\n", spec.name);
        for call in spec.calls {
            let method = if call.method == "*" { String::new() } else { format!("{} ", call.method) };
            let path = if call.path.is_empty() { "its address" } else { call.path };
            text += &format!("| `{method}{path}` | {} | {} | `{}` |\n", call.when, call.needs, call.judged);
        }
    }
    text
}

/// A line of a system's list.
pub(super) const fn asks(
    method: &'static str,
    path: &'static str,
    when: &'static str,
    needs: &'static str,
    judged: &'static str,
) -> Call {
    Call { method, path, when, needs, judged }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_system_that_is_written_to_has_its_calls_and_each_request_is_one_of_them() {
        for spec in CHANNELS {
            assert!(!spec.calls.is_empty(), "{}", spec.name);
        }
        let path = |service, method, path| called(service, method, path).map(|call| call.path);
        assert_eq!(
            path("jira", "GET", "/jira/rest/api/2/issue/createmeta/OPS/issuetypes"),
            Some("issue/createmeta/*/issuetypes")
        );
        assert_eq!(path("jira", "GET", "/rest/api/3/issue/OPS-1"), Some("issue/*"));
        assert_eq!(path("statuspage", "GET", "/v1/pages/p/incidents/unresolved"), Some("pages/*/incidents/unresolved"));
        assert_eq!(path("pagerduty", "DELETE", "/incidents/1"), None);
        assert_eq!(path("teams", "POST", "/workflows/x"), Some(""));
    }
}
