//! Silences on a real Alertmanager: what we say that one hits is what it keeps quiet.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use serde_json::{Value, json};
use warroom::incident::{Act, Parcel, Silencing, matchers};
use warroom::source::Endpoint;
use warroom::text::CleanStr;

use super::{open_at, parcel, refused, there};
use crate::support::alertmanager::{self, Running};
use crate::support::prometheus::get;

/// The names of the alerts that are silenced there.
fn silenced(server: &Running) -> BTreeSet<String> {
    let (_, body) = get(server.port, "/api/v2/alerts").unwrap();
    let all: Vec<Value> = serde_json::from_str(&body).unwrap();
    let quiet = all.iter().filter(|alert| !alert["status"]["silencedBy"].as_array().unwrap().is_empty());
    quiet.map(|alert| alert["labels"]["alertname"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn what_a_silence_is_said_to_hit_is_what_a_real_alertmanager_keeps_quiet() {
    if !alertmanager::is_installed() {
        return;
    }
    for (place, text) in [
        "alertname=A",
        "service=~\"ali.*\"",
        "service=~\"ali\" alertname=~\".+\"",
        "alertname=~\"A|B|C\" service!=alipay",
        "alertname=~\".+\" service!~\"ali.*|blu.*\"",
        "alertname!=A team=\"\" service=~\".+\"",
        "{service=~\"(?i)ALIPAY|blu\\w+\"}",
    ]
    .into_iter()
    .enumerate()
    {
        let server = Running::alertmanager();
        let alerts = [("A", Some("alipay")), ("B", Some("alipay-web")), ("C", Some("blubank")), ("D", None)];
        let labels = alerts.map(|(name, service)| {
            let mut labels = BTreeMap::from([(CleanStr::new("alertname"), CleanStr::new(name))]);
            labels.extend(service.map(|service| (CleanStr::new("service"), CleanStr::new(service))));
            labels
        });
        let body: Vec<Value> = labels.iter().map(|labels| json!({ "labels": labels })).collect();
        assert_eq!(server.post("/api/v2/alerts", &json!(body).to_string()).0, 200);
        let (matchers, _) = matchers(text).unwrap();
        let hit = |labels: &&BTreeMap<CleanStr, CleanStr>| matchers.iter().all(|one| one.may_hit(labels));
        let expected: BTreeSet<String> =
            labels.iter().filter(hit).map(|labels| labels["alertname"].to_string()).collect();
        assert!(place == 2 || !expected.is_empty(), "{text}");
        let sent_at = warroom::run::clock::wall();
        let act = Act::Silence(Silencing { matchers: matchers.clone(), until: sent_at + TimeDelta::hours(1) });
        let channel = open_at("alertmanager", &Endpoint::at(server.url()));
        there(channel.deliver(&Parcel { sent_at, ..parcel("alertmanager", "x", act) }).await);
        let mut found = silenced(&server);
        for _ in 0..50 {
            if found == expected {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            found = silenced(&server);
        }
        assert_eq!(found, expected, "{text}");
    }
}

/// Labels with dots are what OpenTelemetry gives; Alertmanager takes them since 0.27, and what it does not take must not look silenced.
#[tokio::test]
async fn a_silence_of_a_dotted_label_is_there_or_is_refused_in_the_servers_words() {
    if !alertmanager::is_installed() {
        return;
    }
    let server = Running::alertmanager();
    let dotted = json!([{ "labels": { "alertname": "A", "service.name": "alipay" } }]).to_string();
    let knows_dots = server.post("/api/v2/alerts", &dotted).0 == 200;
    let (matchers, why) = matchers("service.name=~\"ali.*\" alertname=A the backup").unwrap();
    assert_eq!(why, "the backup");
    let sent_at = warroom::run::clock::wall();
    let act = Act::Silence(Silencing { matchers, until: sent_at + TimeDelta::hours(1) });
    let channel = open_at("alertmanager", &Endpoint::at(server.url()));
    let parcel = Parcel { sent_at, ..parcel("alertmanager", "x", act) };
    let receipt = channel.deliver(&parcel).await;
    let (_, silences) = get(server.port, "/api/v2/silences").unwrap();
    if knows_dots {
        there(receipt);
        assert_eq!(silenced(&server), BTreeSet::from(["A".to_owned()]));
    } else {
        let why = refused(receipt);
        assert!(why.contains("service.name") && why.contains("Alertmanager before 0.27 knows no label"), "{why}");
        assert_eq!(silences.trim(), "[]", "nothing stands there");
    }
}
