//! What is posted to the team's webhook: every event is as `docs/webhook.schema.json` says.

use warroom::incident::{Happened, Happening, Outcome, Phase, Role};

use super::*;

/// Whether a value is as a schema says: the words of JSON Schema that ours uses, and no others.
fn check(schema: &Value, root: &Value, value: &Value, place: &str) -> Checked<()> {
    if let Some(target) = schema["$ref"].as_str() {
        let target = root.pointer(target.trim_start_matches('#')).ok_or_else(|| format!("no {target}"))?;
        return check(target, root, value, place);
    }
    for (word, said) in schema.as_object().ok_or("no schema")? {
        let is_right = match word.as_str() {
            "oneOf" => {
                let all: Vec<_> = said.as_array().unwrap().iter().map(|one| check(one, root, value, place)).collect();
                if all.iter().filter(|one| one.is_ok()).count() != 1 {
                    let of_type = said.as_array().unwrap().iter().zip(&all);
                    let mut fitting = of_type.filter(|(one, _)| one["properties"]["type"]["const"] == value["type"]);
                    let why = fitting.next().map(|(_, why)| format!("{why:?}"));
                    return Err(format!("{place}: {} {}", value["type"], why.unwrap_or("is unknown".to_owned())));
                }
                true
            }
            "type" => {
                let kinds = said.as_array().cloned().unwrap_or_else(|| vec![said.clone()]);
                kinds.iter().any(|kind| match kind.as_str().unwrap() {
                    "object" => value.is_object(),
                    "array" => value.is_array(),
                    "string" => value.is_string(),
                    "null" => value.is_null(),
                    other => panic!("{other}"),
                })
            }
            "enum" => said.as_array().unwrap().contains(value),
            "const" => said == value,
            "required" => said.as_array().unwrap().iter().all(|name| value.get(name.as_str().unwrap()).is_some()),
            "properties" => {
                for (name, schema) in said.as_object().unwrap() {
                    if let Some(inner) = value.get(name) {
                        check(schema, root, inner, &format!("{place}/{name}"))?;
                    }
                }
                true
            }
            "additionalProperties" => {
                let known = schema["properties"].as_object().unwrap();
                value.as_object().is_some_and(|fields| fields.keys().all(|name| known.contains_key(name)))
            }
            "items" => {
                for one in value.as_array().unwrap() {
                    check(said, root, one, place)?;
                }
                true
            }
            "format" => value.as_str().is_some_and(|text| DateTime::parse_from_rfc3339(text).is_ok()),
            "$schema" | "title" | "description" | "$defs" => true,
            other => panic!("the schema uses `{other}`: teach it to this test"),
        };
        if !is_right {
            return Err(format!("{place}: {word} {said} and {value}"));
        }
    }
    Ok(())
}

fn schema() -> Value {
    serde_json::from_str(&std::fs::read_to_string("docs/webhook.schema.json").unwrap()).unwrap()
}

#[tokio::test]
async fn every_event_of_the_webhook_is_as_its_schema_says_and_none_of_the_schema_is_never_sent() {
    let kept = Arc::new(Mutex::new(Vec::new()));
    let keep = kept.clone();
    let server = Server::start(move |request| {
        keep.lock().unwrap().push(body(request).unwrap());
        Reply::status(204, "")
    })
    .await;
    let channel = open("webhook", &server);
    let reported = |what: Happened| {
        let happening = Happening { at: DateTime::from_timestamp(SENT, 0).unwrap(), by: "dana".into(), what };
        let standing =
            Standing { happening: Some(happening), services: BTreeSet::from(["alipay".into()]), ..Standing::default() };
        Parcel { standing, ..parcel("webhook", "webhook", Act::Report(EntryId { rid: 1, rseq: 9 })) }
    };
    let mut parcels: Vec<Parcel> =
        [opened(&[]), Act::Reopen, Act::Acknowledge, Act::Note(BTreeSet::new()), Act::Resolve]
            .map(|act| parcel("webhook", "webhook", act))
            .into();
    let Act::Open(said) = opened(&[]) else { unreachable!() };
    parcels.push(parcel("webhook", "webhook", Act::Change(said)));
    for phase in Phase::ALL {
        for outcome in
            [None, Some(Outcome::Done), Some(Outcome::FalseAlarm), Some(Outcome::Merged(IncidentId::incident(2)))]
        {
            parcels.push(reported(Happened::Phase { phase, reason: outcome.is_some().then(|| "x".into()), outcome }));
        }
    }
    for (severity, change) in Severity::ALL.into_iter().flat_map(|one| [(one, "raised"), (one, "lowered")]) {
        parcels.push(reported(Happened::Severity { severity, change, reason: None }));
    }
    for (role, change) in Role::ALL.into_iter().flat_map(|one| [(one, "taken"), (one, "left")]) {
        let component = (role == Role::Sme).then(|| "db".into());
        parcels.push(reported(Happened::Role { role, component, holder: "bob".into(), change }));
    }
    let channels = warroom::incident::Channel::ALL.into();
    let promised_next = DateTime::from_timestamp(SENT + 900, 0);
    parcels.push(reported(Happened::Update { channels, text: "we look".into(), promised_next }));
    for parcel in &parcels {
        there(channel.deliver(parcel).await);
    }
    let (schema, sent) = (schema(), kept.lock().unwrap().clone());
    assert_eq!(sent.len(), parcels.len());
    for one in &sent {
        check(&schema, &schema, one, "").unwrap_or_else(|why| panic!("{why}\n{one:#}"));
    }
    let told: BTreeSet<_> = sent.iter().map(|one| one["type"].clone().to_string()).collect();
    let described = schema["oneOf"].as_array().unwrap().iter();
    let described: BTreeSet<_> = described.map(|one| one["properties"]["type"]["const"].to_string()).collect();
    assert_eq!(told, described);
    assert!(check(&schema, &schema, &json!({ "version": 1, "type": "incident.gone" }), "").is_err());
}
