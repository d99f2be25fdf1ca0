use super::*;

/// Reads a success.
fn said<T: DeserializeOwned>(text: &str) -> T {
    match read(text).unwrap() {
        Ok(said) => said,
        Err(refusal) => panic!("{refusal:?}"),
    }
}

/// Answers with the fields and types that the documentation of each method has, the unread ones too.
#[test]
fn each_method_s_published_answer_is_read() {
    // The user is a name here, and an object below.
    let auth: AuthTest = said(
        r#"{"ok":true,"url":"https://qr.slack.example/","team":"QR Workspace","user":"grace","team_id":"T12345678",
            "user_id":"W12345678","bot_id":"BZYBOTHED","is_enterprise_install":false}"#,
    );
    assert_eq!(auth.team, "QR Workspace");
    let enterprise: AuthTest = said(
        r#"{"ok":true,"url":"https://qr.enterprise.slack.example/","team":null,"user":"warroom","team_id":null,
            "user_id":"U1","bot_id":"B1","enterprise_id":"E12345678","is_enterprise_install":true}"#,
    );
    assert_eq!((enterprise.team.as_str(), enterprise.is_enterprise_install), ("", true));
    let workspaces: Workspaces = said(
        r#"{"ok":true,"teams":[{"name":"Shinichi's workspace","id":"T12345678"},{"name":"Migi's workspace","id":"T12345679"}],
            "response_metadata":{"next_cursor":"dXNlcl9pZDo5MTQyOTI5Mzkz"}}"#,
    );
    assert_eq!(workspaces.teams[1].id, "T12345679");
    let info: OneRoom = said(
        r##"{"ok":true,"channel":{"id":"C012AB3CD","name":"general","is_channel":true,"is_group":false,"is_im":false,
            "is_mpim":false,"is_private":false,"created":1654868334,"is_archived":false,"is_general":true,"unlinked":0,
            "name_normalized":"general","is_shared":false,"is_frozen":false,"is_org_shared":false,
            "is_pending_ext_shared":false,"pending_shared":[],"context_team_id":"T123ABC456","updated":1723130875818,
            "parent_conversation":null,"creator":"U123ABC456","is_ext_shared":false,"shared_team_ids":["T123ABC456"],
            "pending_connected_team_ids":[],"topic":{"value":"For public discussion","creator":"W123","last_set":1449709364},
            "purpose":{"value":"Make fun here.","creator":"W123","last_set":1449709364},
            "properties":{"canvas":{"file_id":"F123ABC456","is_empty":true,"quip_thread_id":"XAB9AAAAAAA"}},
            "previous_names":[]}}"##,
    );
    assert_eq!(
        (info.channel.name.as_str(), info.channel.created, info.channel.is_member),
        ("general", 1_654_868_334, None)
    );
    let list: Rooms = said(
        r#"{"ok":true,"channels":[{"id":"C1","name":"random","is_channel":true,"created":1449252889,"is_archived":false,
            "is_member":true,"topic":{"value":""},"purpose":{"value":"warroom INC-1/1-7"},"previous_names":[],"num_members":4}],
            "response_metadata":{"next_cursor":"dGVhbTpDMDYxRkE1UEI="}}"#,
    );
    assert_eq!((list.channels.len(), list.response_metadata.next_cursor.as_str()), (1, "dGVhbTpDMDYxRkE1UEI="));
    let members: Members =
        said(r#"{"ok":true,"members":["U023BECGF","U061F7AUR"],"response_metadata":{"next_cursor":""}}"#);
    assert_eq!(members.members, ["U023BECGF", "U061F7AUR"]);
    let people: People = said(
        r#"{"ok":true,"members":[{"id":"W012A3CDE","team_id":"T012AB3C4","name":"spengler","deleted":false,"color":"9f69e7",
            "real_name":"Egon Spengler","tz":"America/Los_Angeles","tz_offset":-25200,"profile":{"avatar_hash":"ge3b51ca72de",
            "email":"spengler@qr.example","real_name":"Egon Spengler"},"is_admin":true,"is_owner":false,"is_primary_owner":false,
            "is_restricted":false,"is_ultra_restricted":false,"is_bot":false,"updated":1502138686,"is_app_user":false,
            "has_2fa":false}],"cache_ts":1498777272,"response_metadata":{"next_cursor":""}}"#,
    );
    assert_eq!((people.members[0].real_name.as_str(), people.members[0].is_restricted), ("Egon Spengler", false));
    let found: Found =
        said(r#"{"ok":true,"user":{"id":"W012A3CDE","team_id":"T012AB3C4","name":"spengler","deleted":false}}"#);
    assert_eq!(found.user.id, "W012A3CDE");
    let posted: Posted = said(
        r#"{"ok":true,"channel":"C123ABC456","ts":"1503435956.000247","message":{"text":"Here's a message for you",
            "username":"ecto1","bot_id":"B123ABC456","attachments":[{"text":"This is an attachment","id":1,
            "fallback":"This is an attachment's fallback"}],"type":"message","subtype":"bot_message","ts":"1503435956.000247"}}"#,
    );
    assert_eq!(posted.ts.as_deref(), Some("1503435956.000247"));
    let history: History = said(
        r#"{"ok":true,"messages":[{"type":"message","user":"U123ABC456","text":"I find you punny","ts":"1512085950.000216"},
            {"type":"message","subtype":"bot_message","text":"","username":"ecto1","bot_id":"B1","ts":"1512085951.000216",
             "blocks":[{"type":"section","text":{"type":"mrkdwn","text":"Deploy *done*"}}]}],
            "has_more":true,"pin_count":0,"response_metadata":{"next_cursor":"bmV4dF90czoxNTEyMDg1ODYxMDAwNTQz"}}"#,
    );
    let words: Vec<_> = history.messages.iter().map(Message::words).collect();
    assert_eq!(words, ["I find you punny", "Deploy *done*"]);
    let invited: Invited = said(
        r#"{"ok":true,"channel":{"id":"C012AB3CD","name":"general","is_channel":true},
            "errors":[{"user":"U2","ok":false,"error":"user_is_restricted"}]}"#,
    );
    assert_eq!(invited.errors, [NotInvited { user: "U2".to_owned(), error: "user_is_restricted".to_owned() }]);
    let link: Permalink = said(
        r#"{"ok":true,"channel":"C123ABC456","permalink":"https://qr.slack.example/archives/C123ABC456/p135854651500008"}"#,
    );
    assert!(link.permalink.ends_with("p135854651500008"));
    for done in [
        r#"{"ok":true}"#,
        r#"{"ok":true,"purpose":"a purpose"}"#,
        r#"{"ok":true,"channel":"C1","ts":"1.2","text":"Updated","message":{"text":"Updated","user":"U1"}}"#,
        r#"{"ok":true,"warning":"already_in_channel","response_metadata":{"warnings":["already_in_channel"]},"channel":{"id":"C1"}}"#,
    ] {
        let Done {} = said(done);
    }
}

#[test]
fn a_refusal_is_one_of_every_method() {
    fn refused<T: DeserializeOwned + std::fmt::Debug>(text: &str) -> Refusal {
        read::<T>(text).unwrap().unwrap_err()
    }
    let said = r#"{"ok":false,"error":"missing_scope","needed":"groups:read","provided":"chat:write"}"#;
    for refusal in
        [refused::<AuthTest>(said), refused::<Rooms>(said), refused::<Posted>(said), refused::<Permalink>(said)]
    {
        assert_eq!((refusal.error.as_str(), refusal.needed.as_deref()), ("missing_scope", Some("groups:read")));
    }
    let invited = refused::<Invited>(
        r#"{"ok":false,"error":"user_not_found","errors":[{"user":"U9","ok":false,"error":"user_not_found"}]}"#,
    );
    assert_eq!(invited.errors.len(), 1);
    assert!(read::<Done>("{}").is_err() && read::<Done>("not json").is_err());
}

#[test]
fn whatever_a_message_is_made_of_it_has_words() {
    let of = |said: &str| serde_json::from_str::<Message>(said).unwrap().words();
    assert_eq!(of(r#"{"ts":"1.2","text":"plain"}"#), "plain");
    assert_eq!(
        of(r#"{"ts":"1.2","text":"","blocks":[{"type":"rich_text","elements":[{"type":"rich_text_section",
            "elements":[{"type":"text","text":"roll"},{"type":"text","text":"back"}]}]}]}"#),
        "roll back"
    );
    assert_eq!(of(r#"{"ts":"1.2","attachments":[{"fallback":"CPU 97 %","color":"danger"}]}"#), "CPU 97 %");
    assert_eq!(of(r#"{"ts":"1.2","files":[{"id":"F1","name":"graph.png","title":"Graph"}]}"#), "(file graph.png)");
    assert_eq!(of(r#"{"ts":"1.2","text":null}"#), "(a message without words)");
}
