//! Microsoft Teams, through a workflow: strict about the card, and about the address.

use super::*;

const PATH: &str = "/workflows/abc/triggers/manual/paths/invoke";

/// A workflow that takes what a card may be, and names its run.
fn workflow(kept: Arc<Mutex<Vec<Value>>>) -> impl Fn(&Request) -> Reply + Send + Sync + 'static {
    move |request| {
        let is_signed = request.path == PATH && request.parameter("sig") == Some("s1gn4tur3-of-the-workflow");
        if !is_signed {
            let error = json!({ "error": { "code": "DirectApiAuthorizationRequired", "message": "The request is not signed" } });
            return answer(401, &error);
        }
        match checked(request) {
            Ok(said) => {
                kept.lock().unwrap().push(said);
                Reply::status(202, "").with("x-ms-workflow-run-id", "08584700000000000000000000000CU01")
            }
            Err(why) => answer(400, &json!({ "error": { "code": "TriggerInputSchemaMismatch", "message": why } })),
        }
    }
}

fn checked(request: &Request) -> Checked<Value> {
    if request.header("authorization").is_some() {
        return Err("the address is the secret".to_owned());
    }
    if request.body.len() > 28 * 1024 {
        return Err("too big".to_owned());
    }
    let said = body(request)?;
    fields(&said, &["type", "attachments"], &[])?;
    let attachment = &said["attachments"][0];
    fields(attachment, &["contentType", "content"], &["contentUrl"])?;
    let card = &attachment["content"];
    fields(card, &["type", "version", "body"], &["$schema", "msteams", "fallbackText"])?;
    if said["type"] != "message" || attachment["contentType"] != "application/vnd.microsoft.card.adaptive" {
        return Err("type".to_owned());
    }
    for block in card["body"].as_array().ok_or("body")? {
        fields(block, &["type", "inlines"], &[])?;
        for run in block["inlines"].as_array().ok_or("inlines")? {
            fields(run, &["type", "text"], &["weight", "size"])?;
        }
    }
    Ok(card["body"].clone())
}

fn at(server: &Server, secret: &str) -> Box<dyn Channel> {
    open_at("teams", &Endpoint { bearer_command: Some(printing(secret)), ..Endpoint::at(server.url()) })
}

fn address(server: &Server) -> String {
    format!("{}{PATH}?api-version=1&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=s1gn4tur3-of-the-workflow", server.url())
}

fn post(text: &str) -> Parcel {
    let standing = Standing {
        title: "p99 over 2 s".into(),
        severity: Some(Severity::Sev1),
        commander: Some("Dana Rahimi".into()),
        next_update: DateTime::from_timestamp(SENT + 900, 0),
        ..Standing::default()
    };
    Parcel { text: text.into(), standing, ..parcel("teams", "teams", Act::Post) }
}

#[tokio::test]
async fn a_card_says_how_it_stands_and_what_people_wrote_as_they_wrote_it() {
    let kept = Arc::new(Mutex::new(Vec::new()));
    let server = Server::start(workflow(kept.clone())).await;
    let channel = at(&server, &address(&server));
    let remote = there(channel.deliver(&post("*all* of [us](https://x) <at>everyone</at>\n\nnext")).await);
    assert_eq!(remote.id.as_str(), "08584700000000000000000000000CU01", "the run is what the answer names");
    let body = kept.lock().unwrap()[0].clone();
    let text = |block: &Value| -> String {
        block["inlines"].as_array().unwrap().iter().map(|run| run["text"].as_str().unwrap()).collect()
    };
    let lines: Vec<_> = body.as_array().unwrap().iter().map(text).collect();
    assert_eq!(
        lines,
        [
            "INC-1 SEV1 p99 over 2 s",
            "Phase: Detected",
            "Commander: Dana Rahimi",
            "Next update by: 14:28 UTC",
            "*all* of [us](https://x) <at>everyone</at>",
            "next",
        ]
    );
    assert!(body.as_array().unwrap().iter().all(|block| block["type"] == "RichTextBlock"), "which has no markup");
    assert!(matches!(channel.look_up(&post("x")).await, Receipt::Unknown(_)), "nobody can ask: a person looks");
    assert!(refused(channel.deliver(&parcel("teams", "teams", Act::Topic)).await).contains("teams has no"));
    assert!(refused(channel.deliver(&post(&"x".repeat(30_000))).await).contains("shorten"));
}

#[tokio::test]
async fn a_wrong_address_is_not_asked_and_is_in_no_sentence() {
    let kept = Arc::new(Mutex::new(Vec::new()));
    let server = Server::start(workflow(kept.clone())).await;
    for wrong in ["not an address", "https://elsewhere.example/hook?sig=s1gn4tur3-of-the-workflow"] {
        let why = refused(at(&server, wrong).deliver(&post("x")).await);
        assert!(why.contains("[teams]") && !why.contains("s1gn"), "{why}");
    }
    assert_eq!(server.requests().len(), 0);
    let channel = at(&server, &address(&server));
    let gone = |status, said: &'static str| server.change(move |_| Reply::status(status, said));
    for (status, said, expected) in [
        (200, "<html>log in</html>", "unknown"),
        (
            200,
            "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429 with ContextId x",
            "not there",
        ),
        (429, "", "not there"),
        (503, "", "unknown"),
        (502, "s1gn4tur3-of-the-workflow failed", "unknown"),
        (404, "", "refused"),
        (
            401,
            "{\"error\":{\"code\":\"DirectApiAuthorizationRequired\",\"message\":\"sig=s1gn4tur3-of-the-workflow\"}}",
            "refused",
        ),
        (200, "1", "there"),
    ] {
        gone(status, said);
        let receipt = channel.deliver(&post("x")).await;
        let (word, why) = match &receipt {
            Receipt::There(_) => ("there", ""),
            Receipt::NotThere { why, .. } => ("not there", why.as_str()),
            Receipt::Refused(why) => ("refused", why.as_str()),
            Receipt::Unknown(why) => ("unknown", why.as_str()),
            other => panic!("{other:?}"),
        };
        assert_eq!(word, expected, "{status} {said}: {receipt:?}");
        assert!(!why.contains("s1gn") && !why.contains("workflows/abc"), "{why}");
    }
}
