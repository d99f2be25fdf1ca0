//! `warroom doctor --rehearse`: what the configuration names for it becomes stages.
//!
//! Hides how places are held against those where incidents go.
//!
//! Invariant: what is no place for a rehearsal is refused before anything is sent.

use tokio::sync::watch;

use super::Ending;
use super::start::channels;
use crate::channel::SystemSettings;
use crate::checkup::Finding;
use crate::config::Config;
use crate::oncall::known_as;
use crate::reach::{ALERTMANAGER, SLACK, STATUSPAGE};
use crate::run::rehearsal::{Player, Stage, is_in_use, left_out, play};
use crate::text::CleanStr;

/// Plays, and says how it went.
pub(super) fn rehearse(config: &Config, options: &SystemSettings) -> Result<Vec<Finding>, Ending> {
    let stages = stages(config);
    if stages.is_empty() {
        let how = "`--rehearse` writes to other systems, and no place for it is named: fill in [rehearsal] of the \
                   configuration (`warroom config init` shows how)";
        return Err(Ending::Usage(how.to_owned()));
    }
    let mut findings = Vec::new();
    let mut players = Vec::new();
    let mut known = channels(config);
    for stage in stages {
        let what = format!("rehearsal: {}: {}", stage.service, stage.place);
        let place = known.iter().position(|(spec, _)| spec.name == stage.service);
        if is_in_use(&stage, &config.reach) {
            let why = "incidents go there: name a place of its own in [rehearsal]";
            findings.push(Finding::wrong(&what, why));
        } else if let Some(place) = place {
            let (spec, endpoint) = known.swap_remove(place);
            players.push(Player { stage, spec, endpoint });
        } else {
            findings.push(Finding::wrong(&what, &format!("[{}] is not configured", stage.service)));
        }
    }
    let me = config.name.clone().unwrap_or_default();
    let mail = known_as(&config.people, &me).first().and_then(|person| person.email.clone());
    let from = mail.or_else(|| config.reach.stands_in.clone());
    let runtime = crate::run::lacking::runtime()?;
    findings.extend(runtime.block_on(async {
        let (end, ends) = watch::channel(false);
        let ended = async move {
            // Without it Ctrl+C would end the program with everything still there.
            let _ = tokio::signal::ctrl_c().await;
            let _ = end.send(true);
            std::future::pending::<()>().await;
        };
        tokio::select! {
            findings = play(&players, options, from.as_ref(), &ends) => findings,
            () = ended => Vec::new(),
        }
    }));
    findings.push(left_out());
    Ok(findings)
}

/// The places that the configuration names.
fn stages(config: &Config) -> Vec<Stage> {
    let said = &config.rehearsal;
    let prefix = config.reach.rooms.as_ref().map_or_else(|| "inc-".into(), |rooms| rooms.prefix.clone());
    let stage = |(service, place): &(&'static str, CleanStr)| Stage {
        service,
        place: place.clone(),
        component: said.component.clone().filter(|_| *service == STATUSPAGE),
        rooms: (*service == SLACK && said.has_rooms).then(|| prefix.clone()),
    };
    // Alertmanager last: what it is asked is over at once.
    let mut all: Vec<Stage> = said.places.iter().map(stage).collect();
    all.sort_by_key(|stage| stage.service == ALERTMANAGER);
    all
}
