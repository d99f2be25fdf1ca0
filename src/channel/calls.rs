//! Every call that an incident makes of another system: when, what it needs there, and which line of `warroom doctor` judges that.
//!
//! Hides nothing: it is a table. `warroom doctor --explain` prints it, `docs/calls.md` is the same text, and a test holds it against what servers see of
//! whole incidents.
//!
//! Invariant: a call that is not listed here is a fault, and so is one that no line of doctor speaks of.

use crate::reach::{
    ALERTMANAGER, GRAFANA, JIRA, OPSGENIE, PAGERDUTY, PAGERDUTY_EVENTS, SLACK, STATUSPAGE, TEAMS, WEBHOOK,
};

/// A call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// Of which system.
    pub service: &'static str,
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
    pub fn is(&self, service: &str, method: &str, path: &str) -> bool {
        let parts = |path: &str| path.trim_matches('/').split('/').map(str::to_owned).collect::<Vec<_>>();
        let (wanted, asked) = (parts(self.path), parts(path));
        let is_path = wanted.len() <= asked.len()
            && wanted.iter().rev().zip(asked.iter().rev()).all(|(wanted, asked)| wanted == "*" || wanted == asked);
        *self.service == *service && (self.method == "*" || self.method == method) && (is_path || self.path.is_empty())
    }
}

/// The call that a request is: the one that says most of its path.
pub fn called(service: &str, method: &str, path: &str) -> Option<&'static Call> {
    let fitting = CALLS.iter().filter(|call| call.is(service, method, path));
    fitting.max_by_key(|call| call.path.split('/').filter(|part| *part != "*").count())
}

/// The whole table, in Markdown.
pub fn explained() -> String {
    let mut text = "# Calls\n\nWhat an incident asks of other systems, what that needs there, and the line of `warroom doctor` that judges it \
                    without changing anything. This is what `warroom doctor --explain` prints.\n"
        .to_owned();
    let mut last = "";
    for call in CALLS {
        if call.service != last {
            text +=
                &format!("\n## {}\n\n| call | when | needs | judged by |\n| --- | --- | --- | --- |\n", call.service);
            last = call.service;
        }
        let method = if call.method == "*" { String::new() } else { format!("{} ", call.method) };
        let path = if call.path.is_empty() { "its address" } else { call.path };
        text += &format!("| `{method}{path}` | {} | {} | `{}` |\n", call.when, call.needs, call.judged);
    }
    text
}

const fn call(
    service: &'static str,
    method: &'static str,
    path: &'static str,
    when: &'static str,
    needs: &'static str,
    judged: &'static str,
) -> Call {
    Call { service, method, path, when, needs, judged }
}

/// All of them, by system.
pub const CALLS: &[Call] = &[
    call(
        SLACK,
        "*",
        "conversations.info",
        "before a text: who reads the channel",
        "`channels:read`, of private ones `groups:read`",
        "slack: scope",
    ),
    call(
        SLACK,
        "*",
        "conversations.members",
        "before a text: guests",
        "`channels:read` or `groups:read`",
        "slack: scope",
    ),
    call(SLACK, "*", "users.list", "before a text: guests", "`users:read`", "slack: scope users:read"),
    call(
        SLACK,
        "*",
        "users.info",
        "names of people whose messages are noted",
        "`users:read`",
        "slack: scope users:read",
    ),
    call(
        SLACK,
        "*",
        "chat.postMessage",
        "updates, the pinned message",
        "`chat:write`, and membership or `chat:write.public`",
        "slack: scope chat:write",
    ),
    call(SLACK, "*", "chat.update", "the pinned message follows", "`chat:write`", "slack: scope chat:write"),
    call(
        SLACK,
        "*",
        "conversations.history",
        "a lost text is looked for; pinned and marked messages",
        "`channels:history`, of private ones `groups:history`",
        "slack: scope",
    ),
    call(
        SLACK,
        "*",
        "conversations.replies",
        "a lost text of a thread is looked for",
        "`channels:history`, of private ones `groups:history`",
        "slack: scope",
    ),
    call(SLACK, "*", "chat.getPermalink", "links to messages", "membership", "slack: token"),
    call(
        SLACK,
        "*",
        "conversations.list",
        "the incident's channel is looked for; `link-channel`",
        "`channels:read`, of private ones `groups:read`",
        "slack: scope",
    ),
    call(
        SLACK,
        "*",
        "conversations.create",
        "`open-channel`",
        "`channels:manage`, of private ones `groups:write`; of an organisation's token `workspace` in [slack-channels]",
        "slack: scope",
    ),
    call(
        SLACK,
        "*",
        "conversations.join",
        "the channel that PagerDuty opened; `link-channel`",
        "`channels:join`",
        "slack: scope channels:join",
    ),
    call(
        SLACK,
        "*",
        "conversations.setTopic",
        "the topic follows",
        "`channels:manage` or `groups:write`",
        "slack: scope",
    ),
    call(
        SLACK,
        "*",
        "conversations.setPurpose",
        "`open-channel`",
        "`channels:manage` or `groups:write`",
        "slack: scope",
    ),
    call(SLACK, "*", "conversations.invite", "who has a role", "`channels:manage` or `groups:write`", "slack: scope"),
    call(SLACK, "*", "users.lookupByEmail", "who has a role", "`users:read.email`", "slack: scope users:read.email"),
    call(SLACK, "*", "pins.add", "the pinned message", "`pins:write`", "slack: scope pins:write"),
    call(SLACK, "*", "pins.list", "pinned messages become lines", "`pins:read`", "slack: scope"),
    call(SLACK, "*", "auth.test", "who the app is", "a token that holds", "slack: token"),
    call(SLACK, "*", "chat.delete", "`doctor --rehearse` cleans up", "`chat:write`", "slack: scope chat:write"),
    call(
        SLACK,
        "*",
        "conversations.archive",
        "`doctor --rehearse` cleans up",
        "`channels:manage` or `groups:write`",
        "slack: scope",
    ),
    call(
        STATUSPAGE,
        "GET",
        "pages/*/components",
        "before a text: what stands there",
        "a key that may read the page",
        "statuspage:",
    ),
    call(
        STATUSPAGE,
        "GET",
        "pages/*/components/*",
        "after a text: what a component shows",
        "a key that may read the page",
        "statuspage:",
    ),
    call(
        STATUSPAGE,
        "PATCH",
        "pages/*/components/*",
        "a component goes back to what it was",
        "a component that is no group",
        "statuspage:",
    ),
    call(
        STATUSPAGE,
        "GET",
        "pages/*/incidents",
        "a lost text is looked for",
        "a key that may read the page",
        "statuspage:",
    ),
    call(
        STATUSPAGE,
        "GET",
        "pages/*/incidents/unresolved",
        "what else is open on the page",
        "a key that may read the page",
        "statuspage:",
    ),
    call(
        STATUSPAGE,
        "GET",
        "pages/*/incidents/active_maintenance",
        "maintenances of the page",
        "a key that may read the page",
        "statuspage:",
    ),
    call(
        STATUSPAGE,
        "GET",
        "pages/*/incidents/*",
        "what others wrote there; `link-page`",
        "a key that may read the page",
        "statuspage:",
    ),
    call(
        STATUSPAGE,
        "POST",
        "pages/*/incidents",
        "the first text of a page",
        "a key of somebody who may publish",
        "statuspage:",
    ),
    call(
        STATUSPAGE,
        "PATCH",
        "pages/*/incidents/*",
        "each further text",
        "a key of somebody who may publish",
        "statuspage:",
    ),
    call(
        STATUSPAGE,
        "PUT",
        "pages/*/incidents/*",
        "each further text",
        "a key of somebody who may publish",
        "statuspage:",
    ),
    call(
        STATUSPAGE,
        "DELETE",
        "pages/*/incidents/*",
        "`doctor --rehearse` cleans up",
        "a key of somebody who may publish",
        "statuspage:",
    ),
    call(
        PAGERDUTY,
        "GET",
        "incidents",
        "the alert's incident is looked for; others on the service",
        "a service in [pagerduty-services]",
        "pagerduty: service of",
    ),
    call(
        PAGERDUTY,
        "GET",
        "incidents/*",
        "before each change; who answered a page; `link-incident`",
        "a key",
        "pagerduty: key",
    ),
    call(
        PAGERDUTY,
        "GET",
        "incidents/*/alerts",
        "whether an incident is the linked alert's",
        "a key",
        "pagerduty: key",
    ),
    call(
        PAGERDUTY,
        "POST",
        "incidents",
        "an incident of ours",
        "a service that is not disabled and pages somebody; a user for `From`; no other field: PagerDuty's interface demands none",
        "pagerduty: on call of",
    ),
    call(
        PAGERDUTY,
        "PUT",
        "incidents/*",
        "acknowledge, resolve, title, severity, `escalate`, `reassign`",
        "a key that may write; a user for `From`",
        "pagerduty: user",
    ),
    call(
        PAGERDUTY,
        "PUT",
        "incidents/*/merge",
        "`link-incident`",
        "a key that may write; a user for `From`",
        "pagerduty: user",
    ),
    call(
        PAGERDUTY,
        "GET",
        "priorities",
        "the priority of a severity",
        "a plan with priorities; names in [pagerduty-priorities]",
        "pagerduty: priorities",
    ),
    call(PAGERDUTY, "GET", "incidents/*/notes", "a lost note is looked for", "a key", "pagerduty: key"),
    call(PAGERDUTY, "POST", "incidents/*/notes", "updates", "a user for `From`", "pagerduty: user"),
    call(
        PAGERDUTY,
        "POST",
        "incidents/*/status_updates",
        "subscribers",
        "a plan with status updates; a user for `From`",
        "pagerduty: user",
    ),
    call(
        PAGERDUTY,
        "POST",
        "incidents/*/responder_requests",
        "`page`",
        "a plan with response plays; users for all of them",
        "pagerduty: user",
    ),
    call(
        PAGERDUTY,
        "GET",
        "incidents/*/log_entries",
        "what others did there; a lost escalation is looked for",
        "a key",
        "pagerduty: key",
    ),
    call(PAGERDUTY, "GET", "users", "people by their address", "a key that may read users", "pagerduty: user"),
    call(PAGERDUTY_EVENTS, "POST", "v2/enqueue", "trigger, acknowledge, resolve", "a routing key", "pagerduty-events"),
    call(PAGERDUTY_EVENTS, "POST", "v2/change/enqueue", "`warroom change`", "a routing key", "pagerduty-events"),
    call(OPSGENIE, "POST", "alerts", "an alert of ours", "an integration that may create", "opsgenie: writing"),
    call(
        OPSGENIE,
        "GET",
        "alerts/*",
        "a lost request is looked for; its number",
        "an integration that may read",
        "opsgenie: key",
    ),
    call(
        OPSGENIE,
        "GET",
        "alerts/requests/*",
        "what became of a request",
        "an integration that may read",
        "opsgenie: key",
    ),
    call(
        OPSGENIE,
        "POST",
        "alerts/*/acknowledge",
        "acknowledged",
        "an integration that may update",
        "opsgenie: writing",
    ),
    call(OPSGENIE, "POST", "alerts/*/notes", "updates", "an integration that may update", "opsgenie: writing"),
    call(
        OPSGENIE,
        "GET",
        "alerts/*/notes",
        "a lost note is looked for",
        "an integration that may read",
        "opsgenie: key",
    ),
    call(OPSGENIE, "POST", "alerts/*/close", "resolved", "an integration that may update", "opsgenie: writing"),
    call(OPSGENIE, "PUT", "alerts/*/priority", "severity", "an integration that may update", "opsgenie: writing"),
    call(OPSGENIE, "PUT", "alerts/*/message", "title", "an integration that may update", "opsgenie: writing"),
    call(TEAMS, "POST", "", "updates", "a workflow whose owner may post in the channel", "teams"),
    call(JIRA, "GET", "serverInfo", "Cloud or Data Center", "the address", "jira: signed in"),
    call(JIRA, "GET", "myself", "who the bot is", "a token that holds", "jira: signed in"),
    call(JIRA, "GET", "mypermissions", "what may be done", "a token that holds", "jira: project"),
    call(JIRA, "GET", "project/*", "the kind of project", "`BROWSE_PROJECTS`", "jira: project"),
    call(JIRA, "GET", "issue/createmeta/*/issuetypes", "the kinds of tickets", "`CREATE_ISSUES`", "jira: project"),
    call(
        JIRA,
        "GET",
        "issue/createmeta/*/issuetypes/*",
        "required fields",
        "`CREATE_ISSUES`; fields in [jira-project.fields]",
        "jira: project",
    ),
    call(
        JIRA,
        "POST",
        "issue",
        "a ticket, and one for each follow-up",
        "`CREATE_ISSUES`, its required fields, `PRIORITY` on its screen or not",
        "jira: project",
    ),
    call(
        JIRA,
        "PUT",
        "issue/*",
        "the description follows; title, severity; owner and day of a follow-up",
        "`EDIT_ISSUES`",
        "jira: project",
    ),
    call(JIRA, "GET", "issue/*", "whether others moved it; `link-ticket`", "`BROWSE_PROJECTS`", "jira: project"),
    call(JIRA, "GET", "issue/*/properties/*", "a lost ticket is looked for", "`BROWSE_PROJECTS`", "jira: project"),
    call(JIRA, "PUT", "issue/*/properties/*", "the mark of a ticket", "`EDIT_ISSUES`", "jira: project"),
    call(JIRA, "POST", "issue/*/comment", "lines of the timeline", "`ADD_COMMENTS`", "jira: project"),
    call(JIRA, "GET", "issue/*/comment", "a lost comment is looked for", "`BROWSE_PROJECTS`", "jira: project"),
    call(JIRA, "GET", "issue/*/comment/*", "a lost comment is looked for", "`BROWSE_PROJECTS`", "jira: project"),
    call(JIRA, "PUT", "issue/*/comment/*", "a comment that follows", "`EDIT_OWN_COMMENTS`", "jira: project"),
    call(JIRA, "GET", "issue/*/transitions", "the way to its end", "`TRANSITION_ISSUES`", "jira: project"),
    call(
        JIRA,
        "POST",
        "issue/*/transitions",
        "its end, and back",
        "`TRANSITION_ISSUES`; `done-status` and others where there are several ends",
        "jira: project",
    ),
    call(JIRA, "POST", "issueLink", "a follow-up belongs to its incident", "`LINK_ISSUES`", "jira: project"),
    call(JIRA, "GET", "issueLinkType", "the kind of link", "issue links are on", "jira: project"),
    call(JIRA, "GET", "search", "a lost ticket is looked for (Data Center)", "`BROWSE_PROJECTS`", "jira: project"),
    call(JIRA, "POST", "search", "a lost ticket is looked for (Data Center)", "`BROWSE_PROJECTS`", "jira: project"),
    call(JIRA, "*", "search/jql", "a lost ticket is looked for (Cloud)", "`BROWSE_PROJECTS`", "jira: project"),
    call(JIRA, "GET", "user/search", "the owner of a follow-up", "`USER_PICKER`", "jira: signed in"),
    call(
        JIRA,
        "DELETE",
        "issue/*",
        "`doctor --rehearse` cleans up",
        "`DELETE_ISSUES`; without it the tickets stay as closed ones",
        "jira: project",
    ),
    call(ALERTMANAGER, "GET", "api/v2/alerts", "alerts as they come and go", "the address", "alertmanager"),
    call(
        ALERTMANAGER,
        "GET",
        "api/v2/silences",
        "silences that hit our alerts",
        "the address",
        "alertmanager: silences",
    ),
    call(
        ALERTMANAGER,
        "POST",
        "api/v2/silences",
        "`silence`",
        "writing is not turned off before it",
        "alertmanager: silences",
    ),
    call(
        ALERTMANAGER,
        "DELETE",
        "api/v2/silence/*",
        "`unsilence`",
        "writing is not turned off before it",
        "alertmanager: silences",
    ),
    call(GRAFANA, "GET", "api/annotations", "a lost annotation is looked for", "`annotations:read`", "grafana"),
    call(
        GRAFANA,
        "POST",
        "api/annotations",
        "the incident begins",
        "`annotations:create` for `annotations:type:organization`",
        "grafana: writing",
    ),
    call(
        GRAFANA,
        "PATCH",
        "api/annotations/*",
        "its text and its end",
        "`annotations:write` for `annotations:type:organization`",
        "grafana: writing",
    ),
    call(GRAFANA, "DELETE", "api/annotations/*", "`doctor --rehearse` cleans up", "`annotations:delete`", "grafana"),
    call(WEBHOOK, "POST", "", "all that happens", "the secret of the signatures", "webhook"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_system_that_is_written_to_has_its_calls_and_each_request_is_one_of_them() {
        for spec in crate::channel::CHANNELS {
            assert!(CALLS.iter().any(|call| call.service == spec.name), "{}", spec.name);
        }
        let path = |service, method, path| called(service, method, path).map(|call| call.path);
        assert_eq!(
            path(JIRA, "GET", "/jira/rest/api/2/issue/createmeta/OPS/issuetypes"),
            Some("issue/createmeta/*/issuetypes")
        );
        assert_eq!(path(JIRA, "GET", "/rest/api/3/issue/OPS-1"), Some("issue/*"));
        assert_eq!(path(STATUSPAGE, "GET", "/v1/pages/p/incidents/unresolved"), Some("pages/*/incidents/unresolved"));
        assert_eq!(path(PAGERDUTY, "DELETE", "/incidents/1"), None);
        assert_eq!(path(TEAMS, "POST", "/workflows/x"), Some(""));
    }
}
