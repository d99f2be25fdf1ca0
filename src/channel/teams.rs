//! Microsoft Teams: cards in a channel, through a workflow that waits for webhook requests.
//!
//! Hides that the whole address is the secret, and that a workflow answers before it has posted anything: what names the run is all there is to know.
//!
//! Invariant: the address stands in no sentence and no record; what people wrote is shown as it was written, never as markup.

use reqwest::header::CONTENT_TYPE;
use reqwest::{Method, Url};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::calls::{Call, asks};
use super::spec::{ChannelSpec, Holds, Life, Means, Rehearsal, Section, Takes, key};
use super::{Answering, Channel, Examining, SystemSettings, Wanted, cannot, complaint, receipt};
use crate::checkup::Finding;
use crate::incident::Channel as Told;
use crate::incident::{Act, Parcel, Receipt, Remote, Standing};
use crate::reach::TEAMS;
use crate::source::http::{Answer, Failure, Limits, Site, Spelling, Trouble};
use crate::source::{Endpoint, SourceError};
use crate::text::CleanStr;
use crate::vault;

/// Teams takes so many bytes of a message.
const MOST_BYTES: usize = 27_000;

/// What it is.
pub(super) const SPEC: ChannelSpec = ChannelSpec {
    name: TEAMS,
    open,
    keeps: None,
    sections: &[Section {
        name: "teams-channels",
        holds: Holds::Keys(&[
            key("incident", Takes::Flag, Means::Route(Told::IncidentChannel)),
            key("status", Takes::Flag, Means::Route(Told::StatusSlack)),
        ]),
    }],
    starter: STARTER,
    calls: CALLS,
    rehearsal: Rehearsal {
        finds_again: false,
        ..Rehearsal::of(
            Takes::Flag,
            Life::Post,
            r#"# teams = false              # true: a card is posted by the workflow of [teams]
"#,
        )
    },
};

/// Its part of the starter file.
const STARTER: &str = r#"[teams]
# Cards in a channel of Microsoft Teams, through a workflow "When a Teams webhook request is received".
# url = "https://prod-00.westeurope.logic.azure.com"   # the host of its address; the whole address is the secret
# bearer-env = "TEAMS_WORKFLOW_URL"

[teams-channels]
# Which texts the workflow's channel gets.
# incident = false
# status = true

"#;

/// What an incident asks of it.
const CALLS: &[Call] = &[asks("POST", "", "updates", "a workflow whose owner may post in the channel", "teams")];

/// Opens it.
fn open(endpoint: &Endpoint, _: &SystemSettings) -> Result<Box<dyn Channel>, SourceError> {
    Ok(Box::new(Teams { site: Site::open_as(TEAMS, endpoint, Limits::default(), Spelling::Kept)? }))
}

#[derive(Debug)]
struct Teams {
    site: Site,
}

impl Channel for Teams {
    fn site(&self) -> &Site {
        &self.site
    }

    fn deliver<'a>(&'a self, parcel: &'a Parcel) -> Answering<'a> {
        Box::pin(async move {
            if parcel.act != Act::Post {
                return cannot(TEAMS, parcel);
            }
            let body = message(parcel).to_string();
            if body.len() > MOST_BYTES {
                let why = format!("teams takes {} kB of a message: shorten the text", MOST_BYTES / 1000);
                return Receipt::Refused(CleanStr::new(&why));
            }
            let url = match self.address().await {
                Ok(url) => url,
                Err(receipt) => return receipt,
            };
            let request = self.site.client().request(Method::POST, url).header(CONTENT_TYPE, "application/json");
            // A sentence of the library may name the address.
            let sent = async { request.body(body).send().await.map_err(reqwest::Error::without_url) };
            match self.site.ask(sent).await {
                Ok(answer) => self.said(&answer),
                Err(failure) => receipt(failure),
            }
        })
    }

    fn look_up<'a>(&'a self, _: &'a Parcel) -> Answering<'a> {
        Box::pin(async {
            Receipt::Unknown("teams does not say what a workflow has posted: look into the channel".into())
        })
    }

    fn examine<'a>(&'a self, wanted: &'a Wanted<'a>) -> Examining<'a> {
        Box::pin(async move {
            let mut findings = vec![match self.address().await {
                Ok(_) => Finding::untried(
                    TEAMS,
                    "the address can be read; whether its workflow posts shows with the first card",
                ),
                Err(Receipt::Refused(why) | Receipt::NotThere { why, .. } | Receipt::Unknown(why)) => {
                    Finding::wrong(TEAMS, &why)
                }
                Err(_) => Finding::wrong(TEAMS, "the address cannot be read"),
            }];
            if !wanted.reach.routes.iter().any(|route| *route.service == *TEAMS) {
                findings.push(Finding::wrong(TEAMS, "no text goes there: say which in [teams-channels]"));
            }
            findings
        })
    }
}

impl Teams {
    /// The workflow's whole address, which is on the host that the configuration names.
    async fn address(&self) -> Result<Url, Receipt> {
        let secret = match self.site.secret().await {
            Ok(Some(secret)) => secret,
            Ok(None) => return Err(Receipt::Refused("teams has no address: set bearer-env in [teams]".into())),
            Err(failure) => return Err(receipt(failure)),
        };
        let wrong = |why: &str| Err(Receipt::Refused(CleanStr::new(why)));
        let Ok(url) = Url::parse(secret.expose_secret().trim()) else {
            return wrong("the secret of [teams] is no address: copy the workflow's whole one");
        };
        // Its signature alone opens the door, too.
        url.query_pairs().filter(|(name, _)| name == "sig").for_each(|(_, value)| vault::remember(&value));
        let is_same = Url::parse(self.site.base()).is_ok_and(|base| base.origin() == url.origin());
        if !is_same {
            return wrong("the address of the workflow is on another host than `url` of [teams] says: correct one");
        }
        Ok(url)
    }

    /// What an answer means: a workflow names its run, the older webhooks say `1`, and a login page says neither.
    fn said(&self, answer: &Answer) -> Receipt {
        let text = String::from_utf8_lossy(&answer.body);
        let text = text.trim();
        if answer.status == 404 {
            // The usual sentence names the path, which is half of the secret.
            let why = "answered 404: the workflow is deleted or turned off: make one, and set its address".to_owned();
            return receipt(self.site.failure(Trouble::Status(404), why));
        }
        if !answer.is_success() {
            return receipt(complaint(&self.site, answer));
        }
        // The older webhooks answer 200 to what Teams did not take.
        if let Some((_, status)) = text.split_once("HTTP error ") {
            let status: u16 = status.chars().take(3).collect::<String>().parse().unwrap_or(500);
            return receipt(self.site.failure(Trouble::Status(status), format!("says that Teams answered {status}")));
        }
        match (&answer.run, text) {
            (Some(run), _) => Receipt::There(Remote::from(run.as_str())),
            (None, "1") => Receipt::There(Remote::from("1")),
            (None, _) => receipt(self.unnamed()),
        }
    }

    fn unnamed(&self) -> Failure {
        let why = "answered with success and named no run of a workflow: is a login page or a proxy before it?";
        self.site.failure(Trouble::Garbled, why.to_owned())
    }
}

/// A message with a card: what is wrong, how it stands, and the text.
fn message(parcel: &Parcel) -> Value {
    let standing = &parcel.standing;
    let severity = standing.severity.map(|severity| severity.to_string()).unwrap_or_default();
    let mut body = vec![line(&[(format!("{} {severity} {}", parcel.incident, standing.title), true)])];
    body[0]["inlines"][0]["size"] = json!("Large");
    body.extend(facts(standing).into_iter().map(|(name, value)| line(&[(format!("{name}: "), true), (value, false)])));
    body.extend(
        parcel.text.lines().filter(|text| !text.trim().is_empty()).map(|text| line(&[(text.to_owned(), false)])),
    );
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "msteams": { "width": "Full" },
                "fallbackText": format!("{} {severity}: {}", parcel.incident, parcel.text.first_line()),
                "body": body,
            },
        }],
    })
}

fn facts(standing: &Standing) -> Vec<(&'static str, String)> {
    let mut facts = vec![("Phase", standing.phase.name().to_owned())];
    facts.push(("Commander", standing.commander.as_ref().map_or_else(|| "nobody yet".to_owned(), ToString::to_string)));
    if !standing.services.is_empty() {
        let services: Vec<&str> = standing.services.iter().map(CleanStr::as_str).collect();
        facts.push(("Affected", services.join(", ")));
    }
    if let Some(next) = &standing.next_update {
        facts.push(("Next update by", next.with_timezone(&standing.zone).format("%H:%M %Z").to_string()));
    }
    facts
}

/// A line of runs, each bold or not: runs have no markup, other blocks have.
fn line(runs: &[(String, bool)]) -> Value {
    let run = |(text, is_bold): &(String, bool)| {
        let weight = if *is_bold { "Bolder" } else { "Default" };
        json!({ "type": "TextRun", "text": text, "weight": weight })
    };
    json!({ "type": "RichTextBlock", "inlines": runs.iter().map(run).collect::<Vec<_>>() })
}
