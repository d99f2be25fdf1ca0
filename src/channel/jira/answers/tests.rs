use super::*;

fn said<T: serde::de::DeserializeOwned>(text: &str) -> T {
    serde_json::from_str(text).unwrap()
}

/// Answers with the fields and types that the documentation has, of Cloud and of Data Center.
#[test]
fn each_question_s_published_answer_is_read() {
    let cloud: ServerInfo = said(
        r#"{"baseUrl":"https://qr.atlassian.example","version":"1001.0.0-SNAPSHOT","versionNumbers":[1001,0,0],
            "deploymentType":"Cloud","buildNumber":100303,"buildDate":"2026-10-20T10:00:00.000+0000",
            "serverTime":"2026-11-30T12:00:00.000+0000","scmInfo":"f9b71","serverTitle":"Jira","defaultLocale":{"locale":"en_US"}}"#,
    );
    assert_eq!((cloud.deployment_type.as_str(), cloud.base_url.as_str()), ("Cloud", "https://qr.atlassian.example"));
    let center: ServerInfo = said(
        r#"{"baseUrl":"https://jira.qr.example","version":"9.12.0","versionNumbers":[9,12,0],"deploymentType":"Server"}"#,
    );
    assert_eq!(center.deployment_type, "Server");
    let who: Myself = said(
        r#"{"self":"https://qr.atlassian.example/rest/api/3/user?accountId=5b10","accountId":"5b10","accountType":"atlassian",
            "emailAddress":"bot@qr.example","avatarUrls":{"48x48":"https://x"},"displayName":"War Room Bot","active":true,
            "timeZone":"Europe/Berlin","groups":{"size":3,"items":[]},"applicationRoles":{"size":1,"items":[]}}"#,
    );
    assert_eq!(who.display_name, "War Room Bot");
    let project: Project = said(
        r#"{"self":"https://qr.atlassian.example/rest/api/3/project/OPS","id":"10000","key":"OPS","name":"Operations",
            "description":"","lead":{"accountId":"5b10"},"components":[],"issueTypes":[],"assigneeType":"PROJECT_LEAD",
            "versions":[],"roles":{},"projectTypeKey":"service_desk","simplified":false,"style":"classic","isPrivate":false}"#,
    );
    assert!(project.has_customers() && project.name == "Operations");
    let kinds: Kinds = said(
        r#"{"issueTypes":[{"self":"https://x","id":"3","description":"A task","iconUrl":"https://x","name":"Task",
            "untranslatedName":"Task","subtask":false,"hierarchyLevel":0}],"maxResults":50,"startAt":0,"total":1}"#,
    );
    assert_eq!((kinds.issue_types[0].name.as_str(), kinds.total), ("Task", Some(1)));
    let kinds: Kinds =
        said(r#"{"maxResults":50,"startAt":0,"total":1,"isLast":true,"values":[{"id":"1","name":"Bug"}]}"#);
    assert_eq!(kinds.issue_types[0].name, "Bug");
    let fields: FieldList = said(
        r#"{"fields":[{"required":true,"schema":{"type":"option","custom":"com.atlassian:select","customId":10010},
            "name":"Team","key":"customfield_10010","hasDefaultValue":false,"operations":["set"],
            "allowedValues":[{"id":"1","value":"Payments"}],"fieldId":"customfield_10010"}],"maxResults":1,"startAt":0,"total":1}"#,
    );
    assert_eq!((fields.fields[0].id(), fields.fields[0].required), ("customfield_10010", true));
    let has: Permissions = said(
        r#"{"permissions":{"EDIT_ISSUES":{"id":"12","key":"EDIT_ISSUES","name":"Edit Issues","type":"PROJECT",
            "description":"Ability to edit issues.","havePermission":false}}}"#,
    );
    assert!(!has.has("EDIT_ISSUES") && has.has("ADD_COMMENTS"));
    let made: Created = said(r#"{"id":"10000","key":"OPS-24","self":"https://x/rest/api/3/issue/10000"}"#);
    assert_eq!(made.key, "OPS-24");
    let found: Found = said(
        r#"{"issues":[{"id":"10002","key":"OPS-1","self":"https://x","expand":"","fields":{"summary":"p99"}}],"isLast":true}"#,
    );
    assert_eq!(found.issues[0].key, "OPS-1");
    let none: Found = said(r#"{"expand":"names,schema","startAt":0,"maxResults":2,"total":0,"issues":[]}"#);
    assert!(none.issues.is_empty());
    let issue: Issue = said(
        r#"{"id":"10002","key":"OPS-1","fields":{"status":{"self":"https://x","description":"","iconUrl":"https://x",
            "name":"Erledigt","id":"10001","statusCategory":{"self":"https://x","id":3,"key":"done","colorName":"green",
            "name":"Fertig"}}}}"#,
    );
    let status = issue.fields.status.unwrap();
    assert_eq!((status.name.as_str(), status.status_category.key.as_str()), ("Erledigt", "done"));
    let ways: Transitions = said(
        r#"{"expand":"transitions","transitions":[{"id":"5","name":"Resolve","hasScreen":true,"isGlobal":false,"isInitial":false,
            "isAvailable":true,"isConditional":false,"isLooped":false,"to":{"self":"https://x","description":"","iconUrl":"https://x",
            "name":"Resolved","id":"5","statusCategory":{"id":3,"key":"done","colorName":"green","name":"Done"}},
            "fields":{"resolution":{"required":true,"schema":{"type":"resolution","system":"resolution"},"name":"Resolution",
            "operations":["set"],"allowedValues":[{"id":"1","name":"Fixed"}]}}}]}"#,
    );
    let way = &ways.transitions[0];
    assert_eq!((way.id.as_str(), way.to.name.as_str()), ("5", "Resolved"));
    assert_eq!(way.fields["resolution"]["required"], true);
}
