//! `warroom change` and `warroom changes`: what was changed, and what has been of late.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use chrono::{DateTime, TimeDelta, Utc};
use clap::Args;
use serde_json::json;

use super::answers::{actor, moment, opened, place};
use super::{Ending, print, say_error};
use crate::change::{self, Change, ChangeFilter, ChangeKind, ChangeStatus, More, Reading};
use crate::channel;
use crate::config::{Config, files};
use crate::incident::Receipt;
use crate::incident::when::Side;
use crate::reach::PAGERDUTY_EVENTS;
use crate::run::{clock, intake};
use crate::source::Endpoint;
use crate::source::auth::{Auth, Spelling};
use crate::source::changes;
use crate::text::CleanStr;
use crate::text::duration::Lapse;

/// A pipeline's clock may be ahead of ours by so much.
const GRACE: TimeDelta = TimeDelta::minutes(1);

/// What `warroom change` is told.
#[derive(Debug, Args)]
pub(super) struct Told {
    /// The service that it touches; without one, the change is everybody's
    #[arg(short, long)]
    service: Option<String>,
    /// What kind of change: deploy, flag, terraform, config, other
    #[arg(short, long, default_value = "other")]
    kind: ChangeKind,
    /// When it took effect, if not now: -5m, 14:10, or 2026-11-23T14:10:00Z
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    at: Option<String>,
    /// How to undo it: a step of the service's playbook, or words
    #[arg(long, value_name = "STEP")]
    rollback: Option<String>,
    /// Where to read more
    #[arg(long, value_name = "URL")]
    link: Option<String>,
    /// Where: production, staging
    #[arg(long, value_name = "NAME")]
    environment: Option<String>,
    /// The version before
    #[arg(long, value_name = "VERSION")]
    before: Option<String>,
    /// The version after
    #[arg(long, value_name = "VERSION")]
    after: Option<String>,
    /// How it stands: started, succeeded, failed, rolled-back
    #[arg(long, value_parser = status)]
    status: Option<ChangeStatus>,
    /// Its name: what is told with the same name is the same change, further on its way
    #[arg(long, value_name = "NAME")]
    id: Option<String>,
    /// What changed, in one line
    text: Vec<String>,
}

fn status(word: &str) -> Result<ChangeStatus, String> {
    let known = [ChangeStatus::Started, ChangeStatus::Succeeded, ChangeStatus::Failed, ChangeStatus::RolledBack];
    let named = known.into_iter().find(|one| one.words().to_lowercase().replace(' ', "-") == word);
    named.ok_or_else(|| "choose started, succeeded, failed or rolled-back".to_owned())
}

/// Which changes `warroom changes` lists.
#[derive(Debug, Args)]
pub(super) struct Wanted {
    /// How far back
    #[arg(long, value_name = "TIME", default_value = "2h")]
    since: Lapse,
    /// Only those that touch this service
    #[arg(short, long, value_name = "NAME")]
    service: Option<String>,
    /// Only of this kind: deploy, flag, terraform, config, other
    #[arg(short, long)]
    kind: Option<ChangeKind>,
    /// Only by somebody whose name has this in it
    #[arg(short, long, value_name = "NAME")]
    by: Option<String>,
    /// As JSON: {"changes":[{"at":…}]}
    #[arg(long)]
    json: bool,
}

/// What `warroom listen` is told.
#[derive(Debug, Args)]
pub(super) struct Listening {
    /// The address, of this machine alone: put a proxy in front for others
    #[arg(long, default_value = "127.0.0.1:9098")]
    address: SocketAddr,
    /// The file that holds the secret of the signatures, for your eyes only (0600); without, the variable WARROOM_CHANGES_SECRET
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
}

/// Records what is posted until it is ended.
pub(super) fn listen(config: &Config, told: &Listening) -> Result<ExitCode, Ending> {
    let endpoint = Endpoint {
        bearer_file: told.secret_file.clone(),
        bearer_env: told.secret_file.is_none().then(|| "WARROOM_CHANGES_SECRET".to_owned()),
        ..Endpoint::at("")
    };
    let auth = Auth::of("listen", &endpoint, Spelling::Kept).map_err(|error| Ending::Usage(error.to_string()))?;
    let Some(auth) = auth else { return Err(Ending::Usage("a secret is needed".to_owned())) };
    auth.secret().map_err(|why| Ending::Usage(format!("the secret: {why}")))?;
    let secret = Box::new(move || auth.secret());
    let runtime = crate::run::lacking::runtime()?;
    let ready = |at| {
        // Whoever started it may not listen.
        let _ = print(&format!("changes are taken at http://{at}/changes"));
    };
    runtime
        .block_on(intake::run(&place(config), secret, told.address, ready))
        .map(|()| ExitCode::SUCCESS)
        .map_err(Ending::Failure)
}

/// Records a change; it is on disk when this succeeds.
pub(super) fn change(config: &Config, told: &Told) -> Result<ExitCode, Ending> {
    let now = clock::wall();
    let what = CleanStr::new(super::words_or_piped(&told.text)?.trim());
    if what.is_empty() {
        return Err(Ending::Usage("say what changed: warroom change -s SERVICE TEXT".to_owned()));
    }
    let at = told.at.as_deref().map_or(Ok(now), |text| moment(text, now, config.zone.0, Side::Any))?;
    if at > now + GRACE {
        return Err(Ending::Usage("a change that has not happened yet is not recorded: leave --at out".to_owned()));
    }
    let field = |said: &Option<String>| said.as_deref().map(CleanStr::new).filter(|said| !said.trim().is_empty());
    let change = Change {
        at,
        kind: told.kind,
        service: field(&told.service),
        what,
        by: actor(config),
        link: field(&told.link),
        rollback: field(&told.rollback),
        more: More {
            environment: field(&told.environment),
            before: field(&told.before),
            after: field(&told.after),
            status: told.status,
            id: field(&told.id),
            ..More::default()
        },
    };
    opened(config)?.changes().append(&change)?;
    warn(config, &change);
    announce(config, &change)?;
    Ok(ExitCode::SUCCESS)
}

/// Tells PagerDuty where the configuration says so. The change is recorded already: what went wrong is said, and nothing is lost.
fn announce(config: &Config, change: &Change) -> Result<(), Ending> {
    let Some(endpoint) = config.written.get(PAGERDUTY_EVENTS).filter(|_| config.reach.tells_changes) else {
        return Ok(());
    };
    let runtime = crate::run::lacking::runtime()?;
    let said = match runtime.block_on(channel::announce(&super::start::endpoint(endpoint), change)) {
        Ok(Receipt::There(_)) => return Ok(()),
        Ok(Receipt::Unknown(why)) => format!("recorded, and nobody knows whether PagerDuty heard of it: {why}"),
        Ok(Receipt::NotThere { why, .. } | Receipt::NotYet { why, .. } | Receipt::Asks { why, .. }) => {
            format!("recorded, but PagerDuty did not hear of it: {why}")
        }
        Ok(Receipt::Refused(why)) => format!("recorded, but PagerDuty refused it: {why}"),
        Err(error) => format!("recorded, but PagerDuty was not asked: {error}"),
    };
    say_error(&said);
    Ok(())
}

/// Says what is recorded and yet leads nowhere.
fn warn(config: &Config, change: &Change) {
    let Some(service) = &change.service else { return };
    let catalogue = files::catalogue(&config.playbooks);
    let Some(playbook) = catalogue.get(service) else {
        let known: Vec<_> = catalogue.iter().map(|playbook| playbook.service.as_str()).collect();
        return say_error(&format!("recorded, but no playbook is named `{service}` ({})", known.join(", ")));
    };
    // One word is meant as the id of a step; several are an instruction.
    let step = change.rollback.as_ref().filter(|rollback| !rollback.contains(char::is_whitespace));
    if let Some(step) = step.filter(|step| playbook.step(step).is_none()) {
        say_error(&format!("recorded, but the playbook of {service} has no step `{step}`: it is kept as words"));
    }
}

/// Lists the changes of a length of time, those that the configured command prints among them, the newest first; those with a time in the future last.
pub(super) fn list(config: &Config, wanted: &Wanted) -> Result<ExitCode, Ending> {
    let Wanted { since, json, .. } = wanted;
    let recorded = opened(config)?.changes().read()?;
    let (listed, complaint) = match &config.changes.command {
        None => (Reading::default(), None),
        Some(argv) => {
            let runtime = crate::run::lacking::runtime()?;
            match runtime.block_on(changes::ask(argv)) {
                Ok(reading) => (reading, None),
                Err(reason) => (Reading::default(), Some(reason)),
            }
        }
    };
    let now = clock::wall();
    let from = now - **since;
    let filter = ChangeFilter { service: wanted.service.clone(), kind: wanted.kind, by: wanted.by.clone() };
    let damaged = recorded.damaged + listed.damaged;
    let mut all = change::together(recorded.changes.into_iter().chain(listed.changes).collect());
    all.retain(|one| one.at >= from && filter.takes(one));
    all.reverse();
    all.sort_by_key(|change| (change.is_ahead(now), std::cmp::Reverse(change.at)));
    let mut known = std::collections::HashSet::new();
    all.retain(|change| known.insert((change.at, change.service.clone(), change.what.clone())));
    if *json {
        print(&json!({ "changes": all, "unreadable_lines": damaged }).to_string())?;
    } else if all.is_empty() {
        let like_that = if filter == ChangeFilter::default() { "" } else { " that is like that" };
        let none = match damaged == 0 && complaint.is_none() {
            true => format!(
                "nothing{like_that} changed in the last {since}, as far as is recorded (warroom change -s SERVICE TEXT)"
            ),
            false => format!("what{like_that} changed in the last {since} is not all known"),
        };
        print(&none)?;
    } else {
        let mut out = super::out::out(super::out::Ink::Never);
        for change in &all {
            writeln!(out, "{}", line(change, config.zone.0, now))?;
        }
    }
    if damaged > 0 {
        let lines = crate::text::many(damaged, "line");
        say_error(&format!("{lines} of the changes cannot be read and were passed over"));
    }
    match complaint {
        Some(reason) => Err(Ending::Failure(reason.to_string())),
        None => Ok(ExitCode::SUCCESS),
    }
}

pub(super) fn line(change: &Change, zone: chrono_tz::Tz, now: DateTime<Utc>) -> String {
    let at = change.at.with_timezone(&zone).format("%Y-%m-%d %H:%M:%S %Z");
    let services: Vec<_> = change.services().map(|one| one.as_str()).collect();
    let service = if services.is_empty() { "-".to_owned() } else { services.join(", ") };
    let ahead = if change.is_ahead(now) { "; IN THE FUTURE, by a wrong clock" } else { "" };
    let more = &change.more;
    let versions = [more.before.as_ref(), more.after.as_ref()].map(|one| one.map_or("?", |one| one.as_str()));
    let version = match versions {
        ["?", "?"] => String::new(),
        [before, after] => format!("; {before} -> {after}"),
    };
    let place = more.environment.as_ref().map_or_else(String::new, |place| format!("; in {place}"));
    let course: Vec<_> = more
        .course
        .iter()
        .map(|(at, status)| format!("{} {}", at.with_timezone(&zone).format("%H:%M:%S"), status.words()))
        .collect();
    let course = if course.is_empty() { String::new() } else { format!("; {}", course.join(", ")) };
    let by = if change.by.is_empty() { "not recorded" } else { &change.by };
    let undo = change.rollback.as_ref().map_or_else(String::new, |how| format!("; undo: {how}"));
    let link = change.link.as_ref().map_or_else(String::new, |link| format!("; {link}"));
    format!(
        "{at}  {:<9} {service:<12} {}  (by {by}{version}{place}{course}{undo}{link}{ahead})  {}",
        change.kind,
        change.what,
        change.word()
    )
}
