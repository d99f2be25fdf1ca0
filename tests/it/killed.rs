//! A console that is killed with `kill -9` at a random instant of what it sends, with every system beside it: the real binary, started again, and what
//! each system holds in the end.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::StreamExt as _;
use serde_json::{Value, json};
use warroom::run::clock;

use crate::plain::{Host, Plain};
use crate::reach_story::SECRETS;
use crate::support::http::{Reply, Request, Server};
use crate::support::services::jira::{self, Jira};
use crate::support::services::pagerduty::PagerDuty;
use crate::support::services::slack::{self, Slack};
use crate::support::services::statuspage::Statuspage;

/// Each system is in each of them.
const ROUNDS: usize = 40;
/// So many consoles at a time: most of it is waiting.
const AT_ONCE: usize = 30;
/// So long a round may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// After so long Jira was asked for a ticket that it does not have, and nobody made another one.
const LONG_ENOUGH: Duration = Duration::from_secs(4);

/// What is sent, as the list of what goes out calls it.
const ACTS: [&str; 9] = [
    "pagerduty: open the incident",
    "pagerduty-events: open the incident",
    "jira: open the incident",
    "grafana: open the incident",
    "webhook: open the incident",
    "alertmanager: silence",
    "#status-qrpay (slack)",
    "internal page (statuspage)",
    "external page (statuspage)",
];

/// Numbers that look random and are the same in every run.
fn random(seed: usize, below: usize) -> usize {
    let mixed = (seed as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    ((mixed ^ (mixed >> 31)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 33) as usize % below
}

/// All systems of a round.
struct World {
    pagerduty: PagerDuty,
    slack: Slack,
    page: Statuspage,
    jira: Jira,
    /// What events, annotations, webhooks and silences left, by what makes each of them one.
    others: [Arc<Mutex<Vec<String>>>; 4],
    servers: Vec<Server>,
    /// Writes that arrived, of all systems.
    writes: Arc<AtomicUsize>,
}

type Handler = Box<dyn Fn(&Request) -> Reply + Send + Sync>;

impl World {
    async fn start(round: usize) -> Self {
        let (pagerduty, slack) = (PagerDuty::default(), Slack::default());
        let (page, jira) = (Statuspage::default(), Jira::new(true));
        let others: [Arc<Mutex<Vec<String>>>; 4] = Default::default();
        let writes = Arc::new(AtomicUsize::new(0));
        let (one, two, three, four) = (pagerduty.clone(), slack.clone(), page.clone(), jira.clone());
        let mut handlers: Vec<Handler> = vec![
            Box::new(move |request| one.answer(request)),
            Box::new(move |request| two.answer(request)),
            Box::new(move |request| three.answer(request)),
            Box::new(move |request| four.answer(request)),
        ];
        let [events, annotations, hooks, silences] = others.clone();
        handlers.push(Box::new(move |request| take_event(request, &events)));
        handlers.push(Box::new(move |request| take_annotation(request, &annotations)));
        handlers.push(Box::new(move |request| take_hook(request, &hooks)));
        handlers.push(Box::new(move |request| take_silence(request, &silences)));
        let mut servers = Vec::new();
        for (place, handler) in handlers.into_iter().enumerate() {
            let (writes, asked) = (writes.clone(), AtomicUsize::new(0));
            servers.push(
                Server::start(move |request| {
                    let reply = handler(request);
                    let is_write = request.method != "GET" && !request.path.ends_with("search/jql");
                    writes.fetch_add(usize::from(is_write), Ordering::SeqCst);
                    // What it does is done when it arrives; its answer takes a while, in which the console may die.
                    let number = asked.fetch_add(1, Ordering::SeqCst);
                    let most = if is_write { 60 } else { 12 };
                    let pause = random(round * 1000 + place * 100 + number, most) as u64;
                    Reply::After(Duration::from_millis(pause), Box::new(reply))
                })
                .await,
            );
        }
        Self { pagerduty, slack, page, jira, others, servers, writes }
    }

    fn config(&self) -> String {
        let url = |place: usize| self.servers[place].url();
        format!(
            "[pagerduty]\nurl = \"{}\"\nbearer-env = \"PD\"\n[pagerduty-services]\nalipay = \"PALIPAY\"\n\
             [slack]\nurl = \"{}/api\"\nbearer-env = \"SLACK\"\n[slack-channels]\nstatus = \"{}\"\n\
             [statuspage]\nurl = \"{}/v1\"\nbearer-env = \"SP\"\n[statuspage-pages]\ninternal = \"inside\"\nexternal = \"outside\"\n\
             [jira]\nurl = \"{}\"\nbasic-user = \"{}\"\nbasic-password-command = [\"printenv\", \"JIRA\"]\n[jira-project]\nkey = \"OPS\"\n\
             [pagerduty-events]\nurl = \"{}\"\nbearer-env = \"PD\"\n[grafana]\nurl = \"{}\"\nbearer-env = \"PD\"\n\
             [webhook]\nurl = \"{}\"\nbearer-env = \"PD\"\n[alertmanager]\nurl = \"{}\"\n\
             [[people]]\nname = \"dana\"\nemail = \"dana@qr.example\"\n",
            url(0),
            url(1),
            slack::STATUS,
            url(2),
            url(3),
            jira::USER,
            url(4),
            url(5),
            url(6),
            url(7),
        )
    }

    /// How many objects an act has left there.
    fn count(&self, act: &str) -> usize {
        let distinct = |place: usize| self.others[place].lock().unwrap().iter().collect::<BTreeSet<_>>().len();
        match act {
            "pagerduty: open the incident" => self.pagerduty.0.lock().unwrap().incidents.len(),
            // The same key is the same alert, the same id the same happening: that is their contract.
            "pagerduty-events: open the incident" => distinct(0),
            "webhook: open the incident" => distinct(2),
            "jira: open the incident" => self.jira.state.lock().unwrap().issues.len(),
            "grafana: open the incident" => self.others[1].lock().unwrap().len(),
            "alertmanager: silence" => self.others[3].lock().unwrap().len(),
            "#status-qrpay (slack)" => self.slack.texts(slack::STATUS).len(),
            "internal page (statuspage)" => self.page.texts("inside").len(),
            "external page (statuspage)" => self.page.texts("outside").len(),
            other => panic!("{other}"),
        }
    }
}

pub fn take_event(request: &Request, kept: &Mutex<Vec<String>>) -> Reply {
    let body: Value = serde_json::from_str(&request.body).unwrap();
    if body["event_action"] == "trigger" {
        kept.lock().unwrap().push(body["dedup_key"].to_string());
    }
    let said = json!({ "status": "success", "message": "Event processed", "dedup_key": body["dedup_key"] });
    Reply::status(202, said.to_string())
}

pub fn take_annotation(request: &Request, kept: &Mutex<Vec<String>>) -> Reply {
    let mut kept = kept.lock().unwrap();
    if request.method == "GET" {
        let tags: Vec<_> = request.query.iter().filter(|(key, _)| key == "tags").map(|(_, tag)| tag).collect();
        let found = kept
            .iter()
            .enumerate()
            .filter(|(_, one)| !one.is_empty())
            .filter(|(_, one)| tags.iter().all(|tag| one.contains(tag.as_str())));
        let found: Vec<_> = found.map(|(place, _)| json!({ "id": place + 1 })).collect();
        return Reply::json(json!(found).to_string());
    }
    if request.method == "POST" {
        kept.push(request.body.clone());
        return Reply::json(json!({ "id": kept.len(), "message": "Annotation added" }).to_string());
    }
    let place = request.path.rsplit('/').next().and_then(|id| id.parse::<usize>().ok());
    // Somebody deleted it.
    if place.and_then(|place| kept.get(place - 1)).is_some_and(String::is_empty) {
        return Reply::status(404, r#"{"message":"Could not find annotation to update"}"#);
    }
    Reply::json(r#"{"message":"Annotation patched"}"#)
}

pub fn take_hook(request: &Request, kept: &Mutex<Vec<String>>) -> Reply {
    if request.body.contains("incident.opened") {
        kept.lock().unwrap().push(request.header("webhook-id").unwrap().to_owned());
    }
    Reply::status(204, "")
}

pub fn take_silence(request: &Request, kept: &Mutex<Vec<String>>) -> Reply {
    let mut kept = kept.lock().unwrap();
    match (request.method.as_str(), request.path.as_str()) {
        ("POST", "/api/v2/silences") => {
            kept.push(request.body.clone());
            Reply::json(json!({ "silenceID": format!("s{}", kept.len()) }).to_string())
        }
        ("GET", "/api/v2/silences") => {
            let all = kept.iter().enumerate().map(|(place, one)| {
                let said: Value = serde_json::from_str(one).unwrap();
                json!({ "id": format!("s{}", place + 1), "comment": said["comment"], "createdBy": said["createdBy"],
                    "startsAt": said["startsAt"], "endsAt": said["endsAt"], "status": { "state": "active" },
                    "matchers": said["matchers"], "updatedAt": said["startsAt"] })
            });
            Reply::json(json!(all.collect::<Vec<_>>()).to_string())
        }
        _ => Reply::json("[]"),
    }
}

/// How one act of one round ended: its word in the list of what goes out, absent where it was never asked for, and how many there are.
type Ended = (&'static str, Option<String>, usize);

async fn round(number: usize) -> Vec<Ended> {
    let world = World::start(number).await;
    tokio::task::spawn_blocking(move || {
        let host = Host::new();
        let folder = host.home.path().join("config/warroom");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("config.toml"), world.config()).unwrap();
        host.declare();
        let start = || {
            let mut command = host.command(&["open", "INC-1", "--plain"]);
            Plain::spawn(command.envs(SECRETS).stdin(std::process::Stdio::piped()))
        };
        let mut console = start();
        console.type_in(
            ":take ic\n:update we look into it\n:update external Some payments fail.\n\
             :silence! 30m service=\"alipay\" the backup is being filled\n",
        );
        // After some write or other, and a little later: in the middle of something, whatever the speed of this machine.
        let (last, begun) = (random(number, 14), clock::boot());
        while world.writes.load(Ordering::SeqCst) < last && clock::boot() - begun < PATIENCE / 3 {
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_millis(random(number + 7_000, 80) as u64));
        console.signal(rustix::process::Signal::KILL);
        console.wait_exit(PATIENCE);
        let (mut console, again) = (start(), clock::boot());
        console.ready();
        let mut words = BTreeMap::new();
        while clock::boot() - begun < PATIENCE {
            console.type_in(":outbox\n");
            for line in console.listen(Duration::from_millis(800)) {
                let Some(act) = ACTS.into_iter().find(|act| line.contains(act)) else { continue };
                let word = WORDS.into_iter().find(|word| line.contains(word));
                words.extend(word.map(|word| (act, word.trim().to_owned())));
            }
            // A ticket that never arrived is looked for as long as Cloud's search may lag, which is longer than this test takes.
            let is_missed = |act: &str| act.starts_with("jira") && world.count(act) == 0;
            let lags = |act: &str| is_missed(act) && clock::boot() - again > LONG_ENOUGH;
            let is_over = |(act, word): (&&str, &String)| match word.as_str() {
                "SENT" | "YOUR WORD" | "FAILED" => true,
                "UNCONFIRMED" => lags(act),
                _ => false,
            };
            let is_quiet = world.pagerduty.0.lock().unwrap().incidents.len() == 1;
            if is_quiet && !words.is_empty() && words.iter().all(is_over) {
                break;
            }
        }
        ACTS.into_iter().map(|act| (act, words.get(act).cloned(), world.count(act))).collect()
    })
    .await
    .unwrap()
}

/// What the list says of something.
const WORDS: [&str; 7] = ["YOUR WORD", "UNCONFIRMED", "SENDING", "WAITS", "SENT ", "FAILED", "dropped"];

#[tokio::test]
async fn whatever_is_killed_while_it_sends_each_system_has_each_thing_once() {
    let rounds: Vec<Vec<Ended>> =
        futures_util::stream::iter(0..ROUNDS).map(round).buffer_unordered(AT_ONCE).collect().await;
    let mut table = format!(
        "{:<38} {:>9} {:>4} {:>11} {:>9} {:>4} {:>9}\n",
        "act", "attempted", "one", "unconfirmed", "none-said", "lost", "duplicate"
    );
    let (mut bad, mut one) = (0, 0);
    for act in ACTS {
        let of = rounds.iter().flatten().filter(|(known, ..)| *known == act);
        let mut row = [0_usize; 6];
        for (_, word, count) in of {
            row[0] += usize::from(word.is_some());
            match (word.as_deref(), count) {
                (_, 2..) => row[5] += 1,
                (Some("SENT"), 1) => row[1] += 1,
                (Some("YOUR WORD" | "UNCONFIRMED"), _) => row[2] += 1,
                (None, 0) => {}
                (Some("SENT"), _) | (None, _) => row[4] += 1,
                (Some(_), _) => row[3] += 1,
            }
        }
        let [attempted, ones, unconfirmed, none_said, lost, duplicate] = row;
        table +=
            &format!("{act:<38} {attempted:>9} {ones:>4} {unconfirmed:>11} {none_said:>9} {lost:>4} {duplicate:>9}\n");
        bad += lost + duplicate + none_said;
        // Only what customers read waits for a word, and only where it may have left.
        // A ticket of Cloud is looked for as long as its search may lag, which is longer than this test.
        bad += if act.starts_with("external") || act.starts_with("jira") { 0 } else { unconfirmed };
        one += ones;
    }
    for (number, round) in rounds.iter().enumerate() {
        let odd = round.iter().filter(|(_, word, count)| word.as_deref().unwrap_or("SENT") != "SENT" || *count > 1);
        let odd: Vec<_> = odd.collect();
        if !odd.is_empty() {
            table += &format!("the one that ended as number {number}: {odd:?}\n");
        }
    }
    println!("{table}");
    assert_eq!(bad, 0, "\n{table}");
    assert!(one > ROUNDS * 5, "most were sent\n{table}");
}
