//! Texts that are longer than a system takes: told in pieces, whatever they say, and none of them cut.

use warroom::channel::fit::LIMITS;

use super::*;

/// Texts of every length around the limits, in several alphabets, with and without lines and markup.
fn texts() -> Vec<String> {
    let words =
        ["payments fail & <we> look ", "پرداخت‌ها ", "Zahlungen schlagen fehl\n", "{code}|[~admin]| ", "👩‍👩‍👧 ", "x"];
    let mut texts = Vec::new();
    for (place, word) in words.iter().enumerate() {
        for length in [4_001 + place, 34_000].into_iter().take(1 + place % 2) {
            texts.push(word.repeat(length / word.chars().count() + 1).trim().to_owned());
        }
    }
    texts.push("one line\n".repeat(1_000).trim().to_owned());
    texts
}

fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

/// A document's or a comment's words, without our marks.
fn written(value: &Value) -> String {
    let text = match value.as_str() {
        Some(text) => text.replace("&#92;", "\u{0}").replace('\\', "").replace('\u{0}', "\\"),
        None => {
            let lines = value["content"].as_array().unwrap().iter();
            let line = |node: &Value| node["content"][0]["text"].as_str().unwrap_or_default().to_owned();
            lines.map(line).collect::<Vec<_>>().join("\n")
        }
    };
    text.lines()
        .filter(|line| !line.starts_with("(warroom ") && !line.starts_with("(end of what"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// Lines may part differently and empty ones go; no word does.
fn without_space(text: &str) -> String {
    text.split_whitespace().collect()
}

#[tokio::test]
async fn what_left_holds_the_whole_text_whatever_its_length_and_alphabet() {
    for text in texts() {
        let what = format!("{} letters of {:?}", text.chars().count(), text.chars().take(12).collect::<String>());
        let parcel = |service: &str, target: &str, act: Act| Parcel {
            text: text.as_str().into(),
            about: Some("OPS-1".into()),
            ..super::parcel(service, target, act)
        };
        // Slack: messages one after the other.
        let workspace = Slack::default();
        let kept = workspace.clone();
        let server = Server::start(move |request| kept.answer(request)).await;
        let post = Parcel { about: None, ..parcel("slack", slack::STATUS, Act::Post) };
        let slack = open("slack", &server);
        let first = there(slack.deliver(&post).await);
        let said: String = workspace.texts(slack::STATUS).iter().map(|text| unescaped(text)).collect();
        assert_eq!(said, text, "slack: {what}");
        assert_eq!(there(slack.look_up(&post).await), first);
        // A piece that was lost is posted again, and only that.
        let count = workspace.0.lock().unwrap().messages.len();
        let last = workspace.0.lock().unwrap().messages.pop();
        if count > 1 {
            assert!(matches!(slack.look_up(&post).await, Receipt::NotThere { .. }), "{what}");
            there(slack.deliver(&post).await);
            assert_eq!(workspace.0.lock().unwrap().messages.len(), count, "{what}");
            assert_eq!(workspace.texts(slack::STATUS).last().map(String::as_str), last.unwrap().1["text"].as_str());
        }
        // Jira: comments, and the description with what follows below it.
        for is_cloud in [true, false] {
            let site = Jira::new(is_cloud);
            let kept = site.clone();
            let server = Server::start(move |request| kept.answer(request)).await;
            let jira = jira_at(&server, is_cloud);
            let note = parcel("jira", "OPS", Act::Note(BTreeSet::new()));
            there(jira.deliver(&note).await);
            there(jira.look_up(&note).await);
            let said: String = site.state.lock().unwrap().comments.iter().map(|(_, body)| written(body)).collect();
            assert_eq!(without_space(&said), without_space(&text), "jira {is_cloud}: {what}");
            site.state.lock().unwrap().comments.clear();
            let begin = parcel("jira", "OPS", opened(&[]));
            let made = there(jira.deliver(&begin).await);
            for _ in 0..2 {
                {
                    let state = site.state.lock().unwrap();
                    let said = std::iter::once(&state.issues[0]["description"])
                        .chain(state.comments.iter().map(|(_, body)| body));
                    let said: String = said.map(written).collect();
                    assert_eq!(without_space(&said), without_space(&text), "jira {is_cloud}: {what}");
                }
                // The same again changes nothing.
                there(
                    jira.deliver(&Parcel { about: Some(made.clone()), ..parcel("jira", "OPS", Act::Describe) }).await,
                );
            }
        }
        // A status page: updates one after the other.
        let page = Statuspage::default();
        let kept = page.clone();
        let server = Server::start(move |request| kept.answer(request)).await;
        let statuspage = open("statuspage", &server);
        let publish = Parcel { about: None, ..parcel("statuspage", "outside", published(PageStatus::Investigating)) };
        let made = there(statuspage.deliver(&publish).await);
        let said: String = page.texts("outside").into_iter().map(|(_, text)| text).collect();
        assert_eq!(said, text, "statuspage: {what}");
        assert_eq!(there(statuspage.look_up(&publish).await).id, made.id, "{what}");
        let count = page.texts("outside").len();
        there(statuspage.deliver(&Parcel { made: Some(made), ..publish }).await);
        assert_eq!(page.texts("outside").len(), count, "{what}: nothing twice");
    }
}

#[tokio::test]
async fn a_title_that_is_too_long_is_shortened_and_stands_whole_below() {
    let title = CleanStr::new(&"p99 of the gateway is over 2 s; ".repeat(20));
    let act = Act::Open(Opened {
        title: title.clone(),
        severity: Severity::Sev1,
        alerts: BTreeSet::new(),
        linked: Vec::new(),
    });
    let site = Jira::new(true);
    let kept = site.clone();
    let server = Server::start(move |request| kept.answer(request)).await;
    there(jira_at(&server, true).deliver(&parcel("jira", "OPS", act)).await);
    {
        let state = site.state.lock().unwrap();
        let summary = state.issues[0]["summary"].as_str().unwrap();
        assert!(summary.chars().count() <= 255 && summary.ends_with('…'), "{summary}");
        assert!(written(&state.issues[0]["description"]).contains(title.trim()));
    }
    let page = Statuspage::default();
    let kept = page.clone();
    let server = Server::start(move |request| kept.answer(request)).await;
    let Act::Publish(said) = published(PageStatus::Investigating) else { panic!() };
    let said = Act::Publish(Publication { title: title.clone(), ..said });
    there(open("statuspage", &server).deliver(&parcel("statuspage", "outside", said)).await);
    let name = page.0.lock().unwrap().incidents[0].1["name"].as_str().unwrap().to_owned();
    assert!(name.chars().count() <= 255 && name.ends_with('…'), "{name}");
    assert!(page.texts("outside")[0].1.contains(title.trim()));
}

#[test]
fn every_limit_names_who_says_so() {
    for limit in LIMITS {
        assert!(limit.source.len() > 10, "{limit:?}");
    }
}
