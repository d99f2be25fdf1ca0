//! A text that goes out: drafted from the record, for those who read it, and taken as it was drafted.

use super::*;
use crate::incident::{
    Act, Channel, DecisionProposed, DeliveryQueued, ForeignNoted, HypothesisOpened, HypothesisSettled, Phase,
    PhaseEntered, RoleNamed, Route, StatusUpdate, StepDone, StepRef, TaskAssigned,
};
use crate::template::{Audience, Status};

/// An incident in mitigation, of which people wrote a good deal.
fn busy() -> Desk {
    let mut desk = Desk::open(Layout::Ic, (120, 40));
    let seat = RoleNamed {
        role: Role::IncidentCommander,
        holder: "dana".into(),
        component: None,
        reason: None,
        is_played: false,
    };
    desk.write("dana", Event::RoleTaken(seat));
    desk.write("dana", Event::Acknowledged(crate::incident::Plain {}));
    desk.write("dana", Event::PhaseEntered(PhaseEntered::plain(Phase::Mitigating)));
    let heard = ForeignNoted {
        service: "chat".into(),
        key: "inject/1".into(),
        who: "Support".into(),
        at: desk.wall,
        text: "what may we say?".into(),
        link: None,
        answers: None,
    };
    desk.write("bob", Event::ForeignNoted(heard));
    let until = desk.wall + TimeDelta::minutes(5);
    let proposal = DecisionProposed {
        action: "reroute".into(),
        risk: "fees".into(),
        undo: "route back".into(),
        plan_b: None,
        until,
    };
    desk.write("bob", Event::DecisionProposed(proposal));
    let step = StepRef { service: "alipay".into(), step: "limit-load".into() };
    desk.write("bob", Event::StepChecked(StepDone { step, title: "Limit the load".into() }));
    desk.write("bob", note("connections are used up"));
    let task = TaskAssigned { what: "limits the load".into(), to: "bob".into(), call_back: until };
    desk.write("dana", Event::TaskAssigned(task));
    desk
}

fn posted(desk: &Desk) -> Option<StatusUpdate> {
    desk.effects.iter().rev().find_map(|effect| match effect {
        Effect::Append { events, .. } => events.iter().find_map(|event| match event {
            Event::StatusUpdatePosted(update) => Some(update.clone()),
            _ => None,
        }),
        _ => None,
    })
}

#[test]
fn a_draft_tells_what_is_news_outside_the_room_and_goes_out_as_it_was_drafted() {
    let mut desk = busy();
    desk.keys("u");
    let screen = desk.screen();
    assert!(!screen.contains("cause identified"), "nobody confirmed one\n{screen}");
    // From the text to the template: an internal one lists what is new.
    desk.key(KeyCode::Tab);
    desk.key(KeyCode::Right);
    desk.ctrl('s');
    let text = posted(&desk).unwrap_or_else(|| panic!("{}", desk.said())).text;
    for told in ["done: Limit the load", "connections are used up"] {
        assert!(text.contains(told), "{told}: {text}");
    }
    for kept in ["what may we say", "reroute", "PROPOSE"] {
        assert!(!text.contains(kept), "{kept}: {text}");
    }
}

#[test]
fn each_audience_is_told_what_is_new_since_it_was_told() {
    let mut desk = busy();
    let external = StatusUpdate {
        channels: [Channel::ExternalPage].into(),
        text: "we look into it".into(),
        ..StatusUpdate::default()
    };
    desk.pass(10);
    desk.write("dana", Event::StatusUpdatePosted(external));
    desk.keys("u");
    desk.key(KeyCode::Tab);
    desk.key(KeyCode::Right);
    assert!(desk.screen().contains("done: Limit the load"), "customers were told, the company was not");
}

#[test]
fn a_cause_is_called_identified_once_it_was_confirmed() {
    let mut desk = busy();
    desk.write("bob", Event::HypothesisOpened(HypothesisOpened { text: "pool".into(), owner: None, rollback: None }));
    let hypothesis = EntryId { rid: 1, rseq: desk.rseq };
    desk.write("bob", Event::HypothesisSettled(HypothesisSettled { hypothesis, holds: true, evidence: "seen".into() }));
    desk.keys("u");
    assert!(desk.screen().contains("cause identified"));
}

#[test]
fn every_template_of_an_incident_that_is_known_well_goes_out_untouched_or_says_what_is_missing() {
    for right in 0..4 {
        for down in 0..4 {
            let mut desk = busy();
            desk.keys("u");
            desk.key(KeyCode::Tab);
            (0..right).for_each(|_| desk.key(KeyCode::Right));
            (0..down).for_each(|_| desk.key(KeyCode::Down));
            desk.ctrl('s');
            // What is missing is named as a fact that nobody knows yet: never a heading with its list below it.
            assert!(posted(&desk).is_some() || !desk.said().contains("says nothing yet"), "{}", desk.said());
        }
    }
}

#[test]
fn another_audience_brings_its_own_usual_promise() {
    let mut desk = busy();
    desk.keys("u");
    desk.key(KeyCode::Tab);
    desk.key(KeyCode::Right);
    desk.key(KeyCode::Right);
    assert!(desk.screen().contains("30 min"), "customers\n{}", desk.screen());
    desk.key(KeyCode::Left);
    assert!(!desk.screen().contains("in 30 min"), "the company\n{}", desk.screen());
}

#[test]
fn the_dialog_shows_the_text_of_each_channel_as_it_leaves_and_that_is_what_leaves() {
    let routes = [
        (Channel::StatusSlack, "slack", "C012345678"),
        (Channel::InternalPage, "statuspage", "inside"),
        (Channel::ExternalPage, "statuspage", "outside"),
    ];
    let routes =
        routes.map(|(channel, service, target)| Route { channel, service: service.into(), target: target.into() });
    let reach = crate::reach::Reach { routes: routes.into(), ..Default::default() };
    let mut desk = Desk::open_with(Settings { reach, ..settings(Layout::Ic) }, (120, 40));
    let seat = RoleNamed {
        role: Role::IncidentCommander,
        holder: "dana".into(),
        component: None,
        reason: None,
        is_played: false,
    };
    desk.write("dana", Event::RoleTaken(seat));
    desk.keys("u");
    (0..400).for_each(|_| desk.key(KeyCode::Backspace));
    desk.keys(":fire: *some* payments fail");
    desk.key(KeyCode::Tab);
    desk.key(KeyCode::Tab);
    let screen = desk.screen();
    desk.ctrl('s');
    desk.ctrl('s');
    let queued = desk.effects.iter().rev().find_map(|effect| match effect {
        Effect::Append { events, .. } => {
            let bodies = events.iter().filter_map(|event| match event {
                Event::DeliveryQueued(body) if body.channel.is_some() => Some(body.clone()),
                _ => None,
            });
            Some(bodies.collect::<Vec<DeliveryQueued>>()).filter(|bodies| !bodies.is_empty())
        }
        _ => None,
    });
    let queued = queued.unwrap_or_else(|| panic!("{}\n{screen}", desk.said()));
    assert_eq!(queued.len(), 2, "the status channel and the internal page\n{screen}");
    assert_eq!((&queued[0].act, queued[0].text.as_str()), (&Act::Post, ":fire: *some* payments fail"));
    assert_eq!(queued[0].worded, None, "in chat it stands as it was written");
    let page = queued[1].worded.clone().unwrap();
    assert!(page.starts_with("some payments fail\n\nSEV1, INC-1, in command: dana\nNext update: "), "{page}");
    for line in
        page.lines().chain(["internal page (statuspage):", "#status-qrpay (slack):", ":fire: *some* payments fail"])
    {
        assert!(screen.contains(line), "{line}\n{screen}");
    }
}

#[test]
fn customers_read_since_when_it_is_normal_and_not_when_somebody_pressed_the_key() {
    let mut desk = busy();
    let began = desk.wall;
    let of = crate::incident::SymptomOf::Objective { service: "alipay".into(), id: "error-ratio".into() };
    let title: CleanStr = "alipay Error ratio".into();
    desk.write(
        "warroom",
        Event::SymptomBegan(crate::incident::SymptomBegan {
            of: of.clone(),
            title: title.clone(),
            since: began,
            at_least: false,
            value: "18 %".into(),
        }),
    );
    desk.wall += TimeDelta::minutes(25);
    let recovered = began + TimeDelta::minutes(10);
    let over = crate::incident::SymptomEnded { of, title, ended: recovered, after: None, peak: None };
    desk.write("warroom", Event::SymptomEnded(over));
    desk.write("dana", Event::PhaseEntered(PhaseEntered::plain(Phase::Resolved)));
    let cx = desk.console.view(desk.wall);
    assert_eq!(cx.normal_since(), Some(recovered));
    let facts = crate::console::overlay::update_facts(Audience::External, None, &cx);
    assert_eq!(facts.resolved, Some(recovered));
    let text = cx.templates.render(Audience::External, Status::Resolved, &facts).unwrap().text;
    let clock = |at: DateTime<Utc>| at.format("%H:%M").to_string();
    assert!(text.contains(&format!("working normally since {}", clock(recovered))), "{text}");
    assert!(!text.contains(&clock(desk.wall)), "the key was pressed at {}: {text}", clock(desk.wall));
}
