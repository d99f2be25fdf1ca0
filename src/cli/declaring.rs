//! `warroom declare`: an incident as somebody reports it, or from alerts that fire now.

use std::process::ExitCode;

use chrono::{DateTime, Utc};
use clap::Args;

use super::alerts::{asked, open_incidents};
use super::answers::{actor, moment, place, via};
use super::{Ending, print, say_error, words_or_piped};
use crate::alert::declaring::{Against, Ground, against, linked, proposed};
use crate::alert::{burst, covered_by};
use crate::config::{Config, files};
use crate::console::{Known, first_events};
use crate::incident::when::Side;
use crate::incident::{
    Actor, AlertLinked, Asking, Declared, Detection, Event, IncidentId, PrivacySet, Series, Severity,
};
use crate::journal::NewEntry;
use crate::playbook::Catalogue;
use crate::run::plain::said_in_shell;
use crate::run::{clock, records};
use crate::text::CleanStr;

/// What `warroom declare` is told.
#[derive(Debug, Args)]
pub(super) struct Declaring {
    /// The affected service
    #[arg(short, long)]
    service: Option<String>,
    /// How bad it is; with --from what the alerts propose, unless it is said
    #[arg(long, value_name = "sev0|sev1|sev2|sev3", required_unless_present = "from")]
    severity: Option<Severity>,
    /// From alerts that fire now, by their names, or those that began together: they are linked, and propose what is not said
    #[arg(long, value_name = "ALERT[,ALERT …]|burst")]
    from: Option<String>,
    #[command(flatten)]
    reported: Reported,
    /// What is wrong, in one line; a lone - reads it from stdin
    title: Vec<String>,
}

/// What a declaration says beside severity, service and title.
#[derive(Debug, Default, Args)]
struct Reported {
    /// No public channel, status page or ticket hears of it
    #[arg(long)]
    private: bool,
    /// Declare it although another incident is open on its service
    #[arg(long)]
    anyway: bool,
    /// When it was detected: 14:10, -20m, or 2026-05-28 14:10; now without
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    at: Option<String>,
    /// Who reported it; you without
    #[arg(long, value_name = "NAME")]
    reporter: Option<String>,
    /// Where the report stands: a ticket, a message
    #[arg(long, value_name = "URL")]
    link: Option<String>,
}

impl Reported {
    /// When it was detected, where that is said.
    fn detected_at(&self, config: &Config, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, Ending> {
        self.at.as_deref().map(|at| moment(at, now, config.zone.0, Side::Past)).transpose()
    }

    /// Who reported it, where that is said.
    fn by(&self) -> Option<Actor> {
        self.reporter.as_deref().filter(|name| !name.trim().is_empty()).map(Actor::new)
    }

    /// Where the report stands, where that is said.
    fn address(&self) -> Option<CleanStr> {
        self.link.as_deref().filter(|link| !link.trim().is_empty()).map(Into::into)
    }
}

/// Declares an incident; it is on disk when this succeeds.
pub(super) fn declare(config: &Config, told: &Declaring) -> Result<ExitCode, Ending> {
    let (me, now) = (actor(config), clock::wall());
    let catalogue = files::catalogue(&config.playbooks);
    if let Some(service) = told.service.as_deref().filter(|service| catalogue.get(service).is_none()) {
        let known: Vec<_> = catalogue.iter().map(|playbook| playbook.service.as_str()).collect();
        say_error(&catalogue.why_none(service).unwrap_or_else(|| {
            format!("no playbook is named `{service}`: there will be no graphs and no steps ({})", known.join(", "))
        }));
    }
    let (body, links) = match &told.from {
        Some(names) => from_alerts(config, told, names, &catalogue, now)?,
        None => (reported(config, told, &me, now)?, Vec::new()),
    };
    let mut events = first_events(body, &Asking::new(me.clone(), now))
        .map_err(|refusal| Ending::Usage(said_in_shell(refusal.saying(), config.zone.0)))?;
    events.extend(told.reported.private.then_some(Event::PrivacySet(PrivacySet { is_private: true })));
    let is_sure = told.reported.anyway;
    let known = if is_sure { Known::Whole(Vec::new()) } else { records::open_on(&place(config), &events) };
    let (known, unknown) = known.parts();
    let say_unknown = || unknown.iter().for_each(|why| say_error(why));
    if !known.is_empty() {
        say_unknown();
        let asked: Vec<_> =
            known.iter().map(|(id, title)| format!("is it {id} ({title})? `warroom open {id}` joins it")).collect();
        return Err(Ending::Failure(format!("{}; --anyway declares another incident", asked.join("; "))));
    }
    events.extend(links.into_iter().map(Event::AlertLinked));
    let entries: Vec<_> = events.into_iter().map(|event| NewEntry::new(me.clone(), event)).collect();
    let id: IncidentId = records::create(&place(config), Series::Incident, via("declare"), &entries)?;
    // Where nothing can be recorded, the reason is the same, and was told with that.
    say_unknown();
    print(&id.to_string())
}

/// What somebody reports.
fn reported(config: &Config, told: &Declaring, me: &Actor, now: DateTime<Utc>) -> Result<Declared, Ending> {
    let reported = &told.reported;
    Ok(Declared {
        title: CleanStr::new(&words_or_piped(&told.title)?),
        severity: told.severity.unwrap_or(Severity::Sev2),
        service: told.service.as_deref().map(Into::into),
        detected_at: Some(reported.detected_at(config, now)?.unwrap_or(now)),
        detection: Some(Detection::Report { by: reported.by().unwrap_or_else(|| me.clone()) }),
        zone: config.zone.to_string().as_str().into(),
        link: reported.address(),
    })
}

/// What alerts that fire now propose, and the alerts to link.
fn from_alerts(
    config: &Config,
    told: &Declaring,
    names: &str,
    catalogue: &Catalogue,
    now: DateTime<Utc>,
) -> Result<(Declared, Vec<AlertLinked>), Ending> {
    let asked = asked(config)?;
    let open = open_incidents(config);
    let all = asked.live.alerts(now);
    let mut meant = Vec::new();
    if names.eq_ignore_ascii_case("burst") {
        let together = burst(all.iter().map(|live| live.alert), now)
            .ok_or_else(|| Ending::Failure("no alerts began together lately".to_owned()))?;
        meant.extend(all.iter().filter(|live| together.alerts.iter().any(|one| std::ptr::eq(*one, live.alert))));
    } else {
        for name in names.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            let before = meant.len();
            meant.extend(all.iter().filter(|live| live.alert.name.eq_ignore_ascii_case(name)));
            if meant.len() == before {
                let known: Vec<_> = all.iter().map(|live| live.alert.name.as_str()).collect();
                let known = if known.is_empty() { "none is known".to_owned() } else { known.join(", ") };
                return Err(Ending::Failure(format!("there is no alert `{}`: {known}", CleanStr::new(name))));
            }
        }
    }
    meant.sort_by_key(|live| live.alert.starts_at);
    let grounds: Vec<Ground<'_>> = meant
        .iter()
        .map(|live| {
            let service = live.alert.service(|name| catalogue.get(name).is_some());
            let cover = covered_by(&live.fingerprints(), service.as_ref(), &open);
            Ground { alert: live.alert, service, cover }
        })
        .collect();
    match against(&grounds) {
        Some(Against::Linked(name, id)) => {
            return Err(Ending::Failure(format!("{name} is linked to {id} already: `warroom open {id}`")));
        }
        Some(Against::InScope(name, id)) if !told.reported.anyway => {
            return Err(Ending::Failure(format!(
                "{id} has the service of {name} in its scope: `warroom link {name} -i {id}` adds it there; --anyway declares another incident"
            )));
        }
        Some(Against::InScope(..)) | None => {}
    }
    let title = words_or_piped(&told.title)?;
    let title = (!title.trim().is_empty()).then(|| CleanStr::new(&title));
    let zone = config.zone.to_string();
    let mut body = proposed(&grounds, told.severity, title, &zone, now)
        .ok_or_else(|| Ending::Usage("name an alert that fires: `warroom alerts` lists them".to_owned()))?;
    let reported = &told.reported;
    body.detected_at = reported.detected_at(config, now)?.or(body.detected_at);
    body.detection = reported.by().map(|by| Detection::Report { by }).or(body.detection);
    body.service = told.service.as_deref().map(Into::into).or(body.service);
    body.link = reported.address().or(body.link);
    Ok((body, grounds.iter().map(|ground| linked(ground.alert)).collect()))
}
