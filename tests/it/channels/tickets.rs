//! What users of Jira expect: owners and days as fields, their own words kept, and a ticket made once though the search lags.

use chrono::NaiveDate;
use warroom::incident::{Attached, Owner, Thing, Watched};

use super::*;

async fn site(is_cloud: bool) -> (Jira, Server, Box<dyn Channel>) {
    let site = Jira::new(is_cloud);
    let kept = site.clone();
    let server = Server::start(move |request| kept.answer(request)).await;
    let channel = jira_at(&server, is_cloud);
    (site, server, channel)
}

#[tokio::test]
async fn a_follow_up_s_owner_and_day_are_fields_and_a_screen_without_them_loses_no_ticket() {
    for (is_cloud, has_no_owner) in [(true, false), (false, false), (true, true)] {
        let (site, _server, channel) = site(is_cloud).await;
        site.state.lock().unwrap().has_no_owner = has_no_owner;
        let owner = Owner { name: "Omid Karimi".into(), mail: Some("omid@qr.example".into()) };
        let due = NaiveDate::from_ymd_opt(2026, 12, 4);
        let attached = Attached { owner: Some(owner), due, ..Attached::default() };
        there(channel.deliver(&parcel("jira", "OPS", opened(&[]))).await);
        let item = EntryId { rid: 3, rseq: 3 };
        let ticket = Parcel {
            op: "INC-1/1-8".into(),
            about: Some("OPS-1".into()),
            attached,
            ..parcel("jira", "OPS", Act::Ticket(item))
        };
        let made = there(channel.deliver(&ticket).await);
        let state = site.state.lock().unwrap();
        assert_eq!(state.links, [("OPS-1".to_owned(), "OPS-2".to_owned())], "by the site's own kind of links");
        let ticket = &state.issues[1];
        if has_no_owner {
            let name = made.name.unwrap();
            assert!(ticket["assignee"].is_null() && name.contains("without assignee and duedate"), "{name}");
        } else {
            let wanted = if is_cloud { json!({ "accountId": "acc-omid" }) } else { json!({ "name": "omid" }) };
            assert_eq!((&ticket["assignee"], &ticket["duedate"]), (&wanted, &json!("2026-12-04")));
        }
    }
}

#[tokio::test]
async fn a_field_of_the_configuration_is_filled_in_with_the_incident_s_facts() {
    let site = Jira::new(true);
    site.state.lock().unwrap().wants = ["customfield_1", "customfield_2"].map(str::to_owned).to_vec();
    let kept = site.clone();
    let server = Server::start(move |request| kept.answer(request)).await;
    let fields = [
        ("customfield_1".to_owned(), json!({ "value": "{{ service }} ({{severity}})" })),
        ("customfield_2".to_owned(), json!(["{{detected}}", 7])),
    ];
    let (basic_user, basic_password_command) = (Some(jira::USER.to_owned()), Some(printing(jira::TOKEN)));
    let endpoint = Endpoint { basic_user, basic_password_command, ..Endpoint::at(server.url()) };
    let channel = open_with("jira", &endpoint, &settings([("jira-project.fields", Setting::Fields(fields.into()))]));
    let facts = [("service", "alipay"), ("severity", "SEV1"), ("detected", "2026-11-30T15:00:00.000+0000")];
    let facts = facts.into_iter().map(|(name, value)| (name, value.to_owned())).collect();
    let attached = Attached { facts, ..Attached::default() };
    there(channel.deliver(&Parcel { attached, ..parcel("jira", "OPS", opened(&[])) }).await);
    let state = site.state.lock().unwrap();
    assert_eq!(state.issues[0]["customfield_1"], json!({ "value": "alipay (SEV1)" }));
    assert_eq!(state.issues[0]["customfield_2"], json!(["2026-11-30T15:00:00.000+0000", 7]));
}

#[tokio::test]
async fn a_ticket_whose_answer_was_lost_is_found_though_the_search_lags_and_is_made_once() {
    let (site, server, channel) = site(true).await;
    let (kept, is_first) = (site.clone(), Mutex::new(true));
    server.change(move |request| {
        let reply = kept.answer(request);
        let is_lost = request.path.ends_with("/issue") && std::mem::take(&mut *is_first.lock().unwrap());
        if is_lost { Reply::Reset } else { reply }
    });
    let now = warroom::run::clock::wall();
    let begin = Parcel { sent_at: now, first_sent_at: now, ..parcel("jira", "OPS", opened(&[])) };
    site.state.lock().unwrap().blind = 50;
    assert!(matches!(channel.deliver(&begin).await, Receipt::Unknown(_)));
    assert_eq!(there(channel.look_up(&begin).await).id, "OPS-1", "the ticket itself can be read at once");
    // What is not there is looked for until the search must know, and only then sent again.
    let other = Parcel { op: "INC-1/1-99".into(), ..begin.clone() };
    assert!(matches!(channel.look_up(&other).await, Receipt::Unknown(_)));
    let late = Parcel { sent_at: now - TimeDelta::minutes(6), ..other };
    assert!(matches!(channel.look_up(&late).await, Receipt::NotThere { .. }));
    assert_eq!(site.state.lock().unwrap().issues.len(), 1);
}

#[tokio::test]
async fn what_a_person_wrote_into_the_description_stays_when_the_record_goes_on() {
    for is_cloud in [true, false] {
        let (site, _server, channel) = site(is_cloud).await;
        let begin = Parcel { text: "Summary\nINC-1 SEV1: p99".into(), ..parcel("jira", "OPS", opened(&[])) };
        let made = there(channel.deliver(&begin).await);
        {
            let mut state = site.state.lock().unwrap();
            let mine = match state.issues[0]["description"].as_str() {
                Some(text) => json!(format!("{text}\nand what Leila saw")),
                None => {
                    let mut known = state.issues[0]["description"].clone();
                    let line =
                        json!({ "type": "paragraph", "content": [{ "type": "text", "text": "and what Leila saw" }] });
                    known["content"].as_array_mut().unwrap().push(line);
                    known
                }
            };
            state.issues[0]["description"] = mine;
        }
        let text = "Summary\nINC-1 SEV0: p99".into();
        there(channel.deliver(&Parcel { about: Some(made), text, ..parcel("jira", "OPS", Act::Describe) }).await);
        let said = site.state.lock().unwrap().issues[0]["description"].to_string();
        assert!(said.contains("what Leila saw") && said.contains("SEV0") && !said.contains("SEV1"), "{said}");
    }
}

#[tokio::test]
async fn each_time_that_others_moved_a_ticket_is_told_once_and_in_their_name() {
    let (site, _server, channel) = site(true).await;
    there(channel.deliver(&parcel("jira", "OPS", opened(&[]))).await);
    let moved = |id: &str, who: &str, to: &str| (id.to_owned(), who.to_owned(), to.to_owned());
    {
        let mut state = site.state.lock().unwrap();
        state.issues[0]["status"] = json!("done");
        state.moves = vec![
            moved("1", "Leila", "Done"),
            moved("2", "Omid", "In Progress"),
            moved("3", "1", "Done"),
            moved("4", "Leila", "Done"),
        ];
        state.renames = vec![moved("5", "1", "INC-1 SEV1: p99"), moved("6", "Leila", "p99 in NL alone")];
    }
    let watched = Watched {
        incident: IncidentId::incident(1),
        service: "jira".into(),
        target: "OPS".into(),
        thing: Some(Thing::Ticket(EntryId { rid: 3, rseq: 3 })),
        remote: "OPS-1".into(),
        since: DateTime::from_timestamp(SENT - 600, 0).unwrap(),
        labels: Vec::new(),
        paged: Vec::new(),
        ours: Vec::new(),
        planned: Default::default(),
        choices: BTreeSet::new(),
        is_live: true,
        over: None,
        known: BTreeSet::new(),
    };
    let news = channel.news(&watched).await.unwrap();
    let told: Vec<_> =
        news.iter().map(|one| (one.noted.key.as_str(), one.noted.who.as_str(), &*one.noted.text)).collect();
    // The third was ours.
    let expected = [
        ("OPS-1/1", "Leila", "OPS-1 is Done now"),
        ("OPS-1/2", "Omid", "OPS-1 is In Progress now"),
        ("OPS-1/4", "Leila", "OPS-1 is Done now"),
        // The fifth, too.
        ("OPS-1/6/title", "Leila", "OPS-1 is called \"p99 in NL alone\" now"),
    ];
    assert_eq!(told, expected);
    assert_eq!(news.iter().filter(|one| one.closes.is_some()).count(), 1);
    // The incident's own: that it is done while the incident goes on is said, and that it is open again.
    let own = Watched { thing: Some(Thing::Record), ..watched };
    let end = |news: Vec<warroom::incident::News>| {
        let ends = news.iter().map(|one| &one.noted);
        ends.filter(|one| one.key.starts_with("over/") || one.key.starts_with("back/"))
            .map(|one| (one.key.to_string(), one.text.to_string()))
            .collect::<Vec<_>>()
    };
    let said = |key: &str, text: &str| vec![(key.to_owned(), text.to_owned())];
    let done = "OPS-1 is done there, and this incident is not over: `outbox` opens it again";
    assert_eq!(end(channel.news(&own).await.unwrap()), said("over/OPS-1/4", done), "a title later is no other end");
    let over = Watched { is_live: false, ..own.clone() };
    assert_eq!(end(channel.news(&over).await.unwrap()), [], "as it should be");
    site.state.lock().unwrap().issues[0]["status"] = json!("indeterminate");
    let known = Watched { over: Some("4".into()), ..own.clone() };
    assert_eq!(end(channel.news(&known).await.unwrap()), said("back/OPS-1/4", "OPS-1 is open there again"));
    let item = Watched { thing: Some(Thing::Ticket(EntryId { rid: 3, rseq: 3 })), over: Some("4".into()), ..own };
    assert_eq!(end(channel.news(&item).await.unwrap()), [], "a follow-up is another ticket");
}

#[tokio::test]
async fn another_owner_and_day_of_a_follow_up_reach_its_ticket_once_and_what_others_wrote_there_stays() {
    for (is_cloud, has_no_owner) in [(true, false), (false, false), (true, true)] {
        let (site, _server, channel) = site(is_cloud).await;
        there(channel.deliver(&parcel("jira", "OPS", opened(&[]))).await);
        site.state.lock().unwrap().has_no_owner = has_no_owner;
        site.state.lock().unwrap().issues[0]["description"] = json!("by hand");
        let owner = Owner { name: "Omid Karimi".into(), mail: Some("omid@qr.example".into()) };
        let due = NaiveDate::from_ymd_opt(2026, 12, 4);
        let change = Parcel {
            op: "INC-1/1-9".into(),
            about: Some("OPS-1".into()),
            text: "raise the limit\nOwner: Omid Karimi\nDue: 2026-12-04".into(),
            attached: Attached { owner: Some(owner), due, ..Attached::default() },
            ..parcel("jira", "OPS", Act::ChangeTicket(EntryId { rid: 3, rseq: 3 }))
        };
        let told = there(channel.deliver(&change).await);
        there(channel.look_up(&change).await);
        // The answer was lost, and it is handed over again.
        there(channel.deliver(&change).await);
        let state = site.state.lock().unwrap();
        assert_eq!(state.comments.len(), 1, "{:?}", state.comments);
        assert!(state.comments[0].1.to_string().contains("Owner: Omid Karimi"), "{:?}", state.comments);
        let ticket = &state.issues[0];
        assert_eq!(ticket["description"], "by hand");
        if has_no_owner {
            let name = told.name.unwrap();
            assert!(name.contains("in a comment, without assignee and duedate"), "{name}");
        } else {
            let wanted = if is_cloud { json!({ "accountId": "acc-omid" }) } else { json!({ "name": "omid" }) };
            assert_eq!((&ticket["assignee"], &ticket["duedate"]), (&wanted, &json!("2026-12-04")));
        }
    }
}

#[tokio::test]
async fn a_field_that_only_a_person_can_fill_in_is_asked_with_jira_s_own_values_before_a_ticket_is_made() {
    let site = Jira::new(true);
    {
        let mut state = site.state.lock().unwrap();
        // One shows only when a ticket is turned away; the other is asked because the configuration says so.
        state.wants = vec!["customfield_1".to_owned()];
        let values = [("10021", "Retail"), ("10022", "Wholesale")].map(|(id, name)| (id.to_owned(), name.to_owned()));
        state.offers.insert("customfield_1".to_owned(), values.to_vec());
        state.offers.insert("products_many".to_owned(), vec![("7".to_owned(), "Cards".to_owned())]);
    }
    let kept = site.clone();
    let server = Server::start(move |request| kept.answer(request)).await;
    let (basic_user, basic_password_command) = (Some(jira::USER.to_owned()), Some(printing(jira::TOKEN)));
    let endpoint = Endpoint { basic_user, basic_password_command, ..Endpoint::at(server.url()) };
    let asked = [("products_many".to_owned(), json!({ "ask": "Which product?" }))];
    let channel = open_with("jira", &endpoint, &settings([("jira-project.fields", Setting::Fields(asked.into()))]));
    let mut open = parcel("jira", "OPS", opened(&[]));
    for (question, words) in [
        ("jira wants to know of a ticket in OPS: Which product?", &["Field products_many: Cards"][..]),
        (
            "jira wants to know of a ticket in OPS: Field customfield_1",
            &["Field customfield_1: Retail", "Field customfield_1: Wholesale"],
        ),
    ] {
        let Receipt::Asks { why, ways } = channel.deliver(&open).await else { panic!("{question}") };
        assert_eq!(why.as_str(), question);
        assert_eq!(ways.iter().map(|way| way.words.as_str()).collect::<Vec<_>>(), words);
        open.choices.insert(ways.last().unwrap().choice.clone());
        assert!(site.state.lock().unwrap().issues.is_empty());
    }
    there(channel.deliver(&open).await);
    // What was chosen counts for the incident's other tickets.
    let item = EntryId { rid: 3, rseq: 3 };
    let ticket = parcel("jira", "OPS", Act::Ticket(item));
    let (op, about) = ("INC-1/1-8".into(), Some("OPS-1".into()));
    there(channel.deliver(&Parcel { op, about, choices: open.choices.clone(), ..ticket }).await);
    for issue in &site.state.lock().unwrap().issues {
        let chosen = (&issue["customfield_1"], &issue["products_many"]);
        assert_eq!(chosen, (&json!({ "id": "10022" }), &json!([{ "id": "7" }])));
    }
}
