use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Europe;

use super::*;
use crate::incident::{Incident, IncidentId, PageStatus, Publication, Severity};
use crate::template::{SHIPPED as DRAFTS, Templates, Vocabulary, lint};

const HEAD: &str = "{# owner: Us; reviewed: 2026-11-01 #}\n";
const SAID: &str = ":mag: *Payments fail*, see <https://x.example|the graph>";

fn noon() -> DateTime<Utc> {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

fn facts() -> Facts {
    Facts { next_update: Some(noon() + TimeDelta::minutes(20)), ..Facts::sample(noon(), Europe::Berlin) }
}

fn publish() -> Act {
    Act::Publish(Publication {
        title: "t".into(),
        severity: Severity::Sev1,
        status: PageStatus::Identified,
        components: Default::default(),
        notifies: false,
    })
}

/// What goes to every kind of reader.
fn bodies() -> Vec<(Reader, DeliveryQueued)> {
    let body = |service: &str, channel, act, text: &str| DeliveryQueued {
        service: service.into(),
        channel,
        act,
        text: text.into(),
        ..DeliveryQueued::default()
    };
    vec![
        (Reader::Chat, body("slack", Some(Channel::StatusSlack), Act::Post, SAID)),
        (Reader::Chat, body("teams", Some(Channel::StatusSlack), Act::Post, SAID)),
        (Reader::InternalPage, body("statuspage", Some(Channel::InternalPage), publish(), SAID)),
        (Reader::ExternalPage, body("statuspage", Some(Channel::ExternalPage), publish(), SAID)),
        (Reader::Mail, body("pagerduty", None, Act::Tell, SAID)),
    ]
}

fn worded(templates: &Templates) -> Vec<String> {
    let incident = Incident::new(IncidentId::incident(42));
    let all = bodies().into_iter().map(|(reader, body)| {
        assert_eq!(Reader::of(&body), Some(reader));
        templates.worded(&body, *body.service == *"slack", &facts(), &incident).unwrap_or(body.text).to_string()
    });
    all.collect()
}

#[test]
fn every_channel_gets_the_text_in_its_own_words_and_only_slack_gets_the_markup_of_slack() {
    let plain = "Payments fail, see the graph (https://x.example)";
    assert_eq!(
        worded(&Templates::shipped()),
        [
            SAID.to_owned(),
            plain.to_owned(),
            format!("{plain}\n\nSEV1, INC-42, in command: bob\nNext update: 13:20 CET"),
            plain.to_owned(),
            format!("SEV1 INC-42: Alipay payments time out\n\n{plain}\n\nIn command: bob\nNext update: 13:20 CET"),
        ]
    );
    let own = Templates::shipped()
        .with("x/channel-mail.txt", &format!("{HEAD}{{{{ text }}}}\nYour reliability team"))
        .with("x/channel-external-page.txt", &format!("{HEAD}{{{{ service }}}}, {{{{ status }}}}: {{{{ text }}}}"));
    let flaw = "x/channel-external-page.txt:2:1: it says `not known yet` to those who read it: put `{% if … %}` around what may not be known";
    assert_eq!(own.problems, [flaw.to_owned()], "and the shipped one works");
    assert_eq!(worded(&own)[3..], [plain.to_owned(), format!("{plain}\nYour reliability team")]);
}

#[test]
fn what_a_text_says_itself_is_not_said_once_more_and_what_is_not_known_is_not_said() {
    let incident = Incident::new(IncidentId::incident(42));
    let body = |text: &str| DeliveryQueued { text: text.into(), ..bodies()[2].1.clone() };
    let says = |text: &str, facts: &Facts| {
        Templates::shipped().worded(&body(text), false, facts, &incident).map(|worded| worded.to_string())
    };
    assert_eq!(says("INC-42 SEV1: it is slow. Next update: 13:45 CET", &facts()), None);
    assert_eq!(says("it is slow", &Facts::empty(noon(), Europe::Berlin)), None);
}

#[test]
fn a_template_of_a_channel_that_cannot_be_right_is_refused_with_its_place_and_the_word_that_was_meant() {
    let flaw = |reader: Reader, body: &str| {
        let file = format!("{}.txt", reader.file_name());
        ChannelTemplate::parse(&file, reader, &format!("{HEAD}{body}")).unwrap_err().to_string()
    };
    for (reader, body, place, said) in [
        (Reader::Mail, "{{ text }}\n{{ sevrity }}", "channel-mail.txt:3:4: ", "; did you mean `severity`?"),
        (Reader::Chat, "{{ txt }}", "channel-chat.txt:2:4: ", "; did you mean `text`?"),
        (Reader::Chat, "{{ text | uper }}", "channel-chat.txt:2:11: ", "; did you mean `upper`?"),
        (
            Reader::ExternalPage,
            "{{ text }} {{ commander }}",
            "channel-external-page.txt:2:15: ",
            "is not for customers",
        ),
        (Reader::Mail, "We work on it.", "channel-mail.txt:2:1: ", "does not stand in it whole"),
        (Reader::Mail, "{{ text | first }}", "channel-mail.txt:2:1: ", "does not stand in it whole"),
        (
            Reader::InternalPage,
            "*Now*: {{ text }}",
            "channel-internal-page.txt:2:1: ",
            "means nothing in the internal page",
        ),
        (Reader::Mail, "{{ text", "channel-mail.txt:2:", "is no template here"),
    ] {
        let flaw = flaw(reader, body);
        assert!(flaw.starts_with(place) && flaw.contains(said), "{body}: {flaw}");
    }
}

#[test]
fn whatever_drafts_say_no_shipped_channel_hides_a_word_of_it_or_tells_customers_more() {
    let templates = Templates::shipped();
    assert_eq!(templates.channels().map(|one| one.reader).collect::<Vec<_>>(), Reader::ALL);
    for (file, _) in DRAFTS {
        let name = super::super::TemplateName::of_file(file).unwrap();
        let text = templates.render(name.audience, name.status, &facts()).unwrap().text;
        let incident = Incident::new(IncidentId::incident(42));
        for (reader, body) in bodies() {
            let body = DeliveryQueued { text: text.clone(), ..body };
            let worded =
                templates.worded(&body, *body.service == *"slack", &facts(), &incident).unwrap_or(body.text.clone());
            for line in crate::text::markup::without_markup(&text).lines() {
                assert!(*body.service == *"slack" || worded.contains(line), "{file}, {reader:?}: {line}\n{worded}");
            }
            if reader == Reader::ExternalPage && name.audience == Audience::External {
                assert_eq!(lint(&worded, Audience::External, &Vocabulary::default()), []);
            }
        }
    }
}
