//! What Slack's refusals mean, and what helps.
//!
//! Hides that Slack says no in single words, most of which say nothing to a person.
//!
//! Invariant: what passes by itself is tried again, what may have been done is unknown, and all else is refused with a way out.

use chrono::TimeDelta;

use super::answers::Refusal;
use crate::channel::refused;
use crate::incident::Receipt;

/// Words of Slack's public list, and what a person can do.
const WAYS_OUT: &[(&[&str], &str)] = &[
    (
        &["invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive"],
        "put a valid bot token where [slack] of the configuration points",
    ),
    (
        &["not_allowed_token_type"],
        "it is another kind of token (xapp-…, xoxe-…): put the app's bot token (xoxb-…) where [slack] of the configuration points",
    ),
    (&["not_in_channel"], "invite the app into the channel, or give it chat:write.public"),
    (
        &["channel_not_found"],
        "write the channel's ID (C…) into [slack-channels], and invite the app where it is private",
    ),
    (&["is_archived"], "the channel is archived: name another one in [slack-channels]"),
    (
        &["msg_too_long", "no_text", "too_long", "msg_blocks_too_long", "invalid_blocks"],
        "shorten or change the text, and send that",
    ),
    (
        &[
            "restricted_action",
            "restricted_action_read_only_channel",
            "restricted_action_thread_only_channel",
            "restricted_action_non_threadable_channel",
            "restricted_action_thread_locked",
        ],
        "who may write there is restricted: ask who administers this workspace to let the app in",
    ),
    (
        &["access_denied", "no_permission", "ekm_access_denied", "org_login_required", "not_allowed"],
        "the workspace does not let the app do that: ask who administers it",
    ),
    (
        &["team_access_not_granted", "team_not_found"],
        "let who administers the organisation add the app to this workspace, or correct `workspace` in [slack-channels]",
    ),
    (&["invalid_arguments", "missing_argument", "invalid_arg_name"], "report this: it is our mistake"),
    (
        &[
            "invalid_name_specials",
            "invalid_name_maxlength",
            "invalid_name_punctuation",
            "invalid_name_required",
            "invalid_name",
        ],
        "correct `prefix` in [slack-channels]: lower-case letters, digits, - and _",
    ),
    (&["user_is_restricted", "user_is_ultra_restricted"], "the app's user is a guest there: install it as a full app"),
    (
        &["cant_update_message", "message_not_found", "edit_window_closed"],
        "somebody deleted the pinned message, or it cannot be changed any more: `outbox` posts it again, and pins that",
    ),
    (&["ura_max_channels", "too_many_members"], "it is full: let somebody leave, or write to another channel"),
    (&["metadata_too_large", "invalid_metadata_format", "invalid_metadata_schema"], "report this: it is our mistake"),
    (&["limit_required", "accesslimited"], "the app is limited here: ask who administers this workspace"),
    (&["messages_tab_disabled"], "turn on the app's messages tab"),
    (&["method_deprecated", "deprecated_endpoint", "unknown_method"], "this warroom is too old for Slack: update it"),
    (
        &["two_factor_setup_required", "team_added_to_org"],
        "the workspace is being set up: ask who administers it when that is done",
    ),
    (
        &["as_user_not_supported", "invalid_charset", "missing_charset", "invalid_json"],
        "report this: it is our mistake",
    ),
];

/// What helps where Slack wants to know which workspace is meant.
pub(super) const NO_WORKSPACE: &str = "the token is a whole organisation's: write the ID (T…) of the workspace as `workspace` into [slack-channels]; \
                                       `warroom doctor` lists them";

/// What words about one guest mean.
const GUESTS: &[(&str, &str)] = &[
    ("user_not_found", "Slack does not know the ID any more: correct `slack` in [[people]]"),
    ("no_user", "Slack was given nobody: correct `slack` in [[people]]"),
    ("users_not_found", "not known to Slack by this address"),
    ("user_is_restricted", "a guest of other channels only: an administrator must let them in"),
    ("user_is_ultra_restricted", "a guest of one other channel: an administrator must let them in"),
    ("cant_invite", "the app may not invite them: invite them by hand"),
    ("user_disabled", "the account is off"),
    ("account_inactive", "the account is off"),
    ("org_user_not_in_team", "not in this workspace: add them to it"),
    ("user_team_not_in_channel", "of a workspace that is not in the channel"),
    ("failed_for_some_users", "Slack does not say why: invite them by hand"),
    ("ura_max_channels", "a guest of as many channels as a guest may be in"),
    ("external_channel_migrating", "the channel is being moved: invite them by hand"),
    ("is_bot", "a bot, which nobody can invite"),
];

/// Why somebody was not invited, in words.
pub(super) fn of_guest(word: &str) -> String {
    match GUESTS.iter().find(|(known, _)| *known == word) {
        Some((_, words)) => (*words).to_owned(),
        None => format!("Slack says {}: invite them by hand", word.replace('_', " ")),
    }
}

/// Why a message is not at the top of its channel, in words.
pub(super) fn of_pin(said: &Refusal) -> String {
    match said.error.as_str() {
        "missing_scope" => {
            let needed = said.needed.as_deref().unwrap_or("pins:write");
            format!("the token needs the scope {needed}: add it to the app and install it again, or pin it by hand")
        }
        "not_pinnable" | "permission_denied" | "restricted_action" => {
            "the app may not pin here: pin it by hand".to_owned()
        }
        word => format!("Slack says {}: pin it by hand", word.replace('_', " ")),
    }
}

/// These pass by themselves: what they refuse is tried again.
const PASSING: &[&str] = &["ratelimited", "rate_limited", "message_limit_exceeded", "team_quota_exceeded"];

/// With these nobody knows whether it was done.
const UNCLEAR: &[&str] = &["internal_error", "fatal_error", "service_unavailable", "request_timeout"];

/// So long it is left alone when it says nothing of how long.
const ALONE: TimeDelta = TimeDelta::seconds(30);

/// What a refusal means for what was asked; `archived` is what helps where an archived channel is the matter.
pub(super) fn meaning(who: &str, said: &Refusal, archived: &str) -> Receipt {
    let word = said.error.as_str();
    if PASSING.contains(&word) {
        return Receipt::NotThere { why: "slack is asked too often".into(), wait: Some(ALONE) };
    }
    if UNCLEAR.contains(&word) {
        return Receipt::Unknown(refused(who, word, ""));
    }
    let known = WAYS_OUT.iter().find(|(words, _)| words.contains(&word));
    let way_out = match word {
        "missing_scope" => {
            let needed = said.needed.as_deref().unwrap_or("more");
            let provided = said.provided.as_deref().unwrap_or("none");
            format!("the token needs the scope {needed}, and has {provided}: add it to the app and install it again")
        }
        // A token of a whole organisation is of many workspaces.
        "missing_argument" if said.arg.as_deref() == Some("team_id") => NO_WORKSPACE.to_owned(),
        "is_archived" if !archived.is_empty() => archived.to_owned(),
        "" => return Receipt::Refused(refused(who, "no reason", "look there")),
        _ => known.map_or("look the word up at docs.slack.dev, and tell it by hand", |(_, way_out)| way_out).to_owned(),
    };
    Receipt::Refused(refused(who, word, &way_out))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The errors that the documentation of the methods names.
    const PUBLIC: &str = "account_inactive access_denied channel_not_found is_archived msg_too_long no_text not_authed \
        not_in_channel org_login_required restricted_action invalid_auth token_revoked token_expired ekm_access_denied \
        no_permission team_access_not_granted missing_scope invalid_name_specials name_unheard_of ratelimited \
        internal_error service_unavailable message_limit_exceeded cant_update_message user_is_restricted \
        not_allowed_token_type missing_argument team_not_found";

    #[test]
    fn no_word_of_slack_s_stands_alone() {
        for word in PUBLIC.split_whitespace() {
            let refusal = Refusal { error: word.to_owned(), ..Refusal::default() };
            match meaning("slack", &refusal, "") {
                Receipt::Refused(why) => assert!(why.len() > word.len() + 30 && why.contains(": "), "{why}"),
                Receipt::NotThere { wait, .. } => assert!(PASSING.contains(&word) && wait.is_some(), "{word}"),
                Receipt::Unknown(_) => assert!(UNCLEAR.contains(&word), "{word}"),
                other => panic!("{word}: {other:?}"),
            }
        }
    }
}
