//! Whom a command names: every name becomes the one person that it means before any rule is asked.

use super::work::NOBODY;
use super::*;

/// The command with each name as the record calls that person; a name that means two people or nobody is asked about.
pub(super) fn settled(command: Command, incident: &Incident, asking: &Asking) -> Result<Command, Refusal> {
    let is_drill = incident.drill.is_some();
    let roster = asking.roster_of(incident);
    let named = |said: &Actor| -> Result<Actor, Refusal> {
        if is_drill {
            return Ok(roster.named_in_drill(said));
        }
        // "can someone" has its own answer.
        if NOBODY.contains(&&*said.trim().trim_start_matches('@').to_ascii_lowercase()) {
            return Ok(said.clone());
        }
        roster.named(said).map_err(|why| Refusal::No(why.into()))
    };
    let any = |said: &Option<Actor>| said.as_ref().map(named).transpose();
    Ok(match command {
        Command::AssignRole(seat, holder) => Command::AssignRole(seat, named(&holder)?),
        Command::OfferRole(body) => Command::OfferRole(HandoverOffered { to: named(&body.to)?, ..body }),
        Command::AssignTask(body) => Command::AssignTask(TaskAssigned { to: named(&body.to)?, ..body }),
        Command::OpenHypothesis(body) => Command::OpenHypothesis(HypothesisOpened { owner: any(&body.owner)?, ..body }),
        Command::SchedulePostmortem(body) => {
            Command::SchedulePostmortem(PostmortemScheduled { owner: named(&body.owner)?, ..body })
        }
        Command::SetFollowUp(body) => Command::SetFollowUp(FollowUpSet { owner: any(&body.owner)?, ..body }),
        other => other,
    })
}

impl Asking {
    /// Whether a name is the asking person's, whichever of their names it is.
    pub fn is(&self, name: &str) -> bool {
        self.roster.is_same(&self.actor, name)
    }

    /// Whether the asking person holds a role.
    pub fn holds(&self, incident: &Incident, role: Role) -> bool {
        incident.roles.iter().any(|(seat, mark)| seat.role == role && self.is(&mark.by))
    }

    /// All whom a name can mean: those who are known, who are here, and who do something in the incident.
    fn roster_of(&self, incident: &Incident) -> Roster {
        let facts: &Facts = incident;
        let doing = facts.roles.values().map(|mark| &mark.by).chain(facts.tasks.iter().map(|task| &task.to));
        self.roster.with(self.present.iter().chain([&self.actor]).chain(doing).cloned())
    }
}
