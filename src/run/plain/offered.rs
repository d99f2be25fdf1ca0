//! What a step would run, in a shell: shown, confirmed by the digest of exactly that, started, and followed to its end.
//!
//! Hides that line mode makes up a word for each showing: a shell has no second line, so the word names what would run itself.
//!
//! Invariant: nothing starts but what was shown, by the same rules as in a console; the answer comes when its end is in the record.

use chrono::{DateTime, Utc};

use super::consent::Consent;
use super::once::{Confirmed, ShellCommand, Went};
use super::{Proposal, Session, Shell};
use crate::console::overlay::GO;
use crate::incident::{Ending, Run};

/// So many letters of the digest stand in the word.
const DIGEST: usize = 16;

impl Session {
    /// Goes on with what was shown: starts it where exactly that was confirmed, else says what waits for which word.
    pub(super) fn take_up(&mut self, asked: &ShellCommand, wall: DateTime<Utc>, shell: &mut Shell) -> Went {
        let Some(Proposal { dialog, .. }) = self.dialog.take() else { return Went::Answered };
        let badge = dialog.order.environment.as_ref().map(|badge| format!(" · {badge}")).unwrap_or_default();
        let mut lines = vec![format!("{}{badge}", dialog.order.title)];
        lines.extend(dialog.parts().into_iter().map(|(name, text)| format!("  {name:<8} {text}")));
        let digest = dialog.order.digest.get(..DIGEST).unwrap_or(&dialog.order.digest);
        let way = |(word, then): (String, &'static str)| {
            let would = lines.iter().cloned().chain([format!("  then     {then}")]).collect();
            let consent = Consent { would, word: format!("{word}:{digest}") };
            (word, consent)
        };
        let ways: Vec<(String, Consent)> = dialog.words().into_iter().map(way).collect();
        let is_meant = |consent: &Consent| match &asked.confirmed {
            Some(Confirmed::Word(word)) => consent.is_meant_by(word),
            Some(Confirmed::Seen(seen)) => seen == consent,
            None => false,
        };
        let Some((word, _)) = ways.iter().find(|(_, consent)| is_meant(consent)) else {
            // Where somebody may vouch and start, the start is what was asked for.
            if let Some((_, consent)) = ways.into_iter().next_back() {
                return Went::Unconfirmed(consent);
            }
            lines.iter().for_each(|line| self.paper.line(line));
            return self.refused(dialog.blocked.as_deref().unwrap_or("it cannot be started now"));
        };
        let typed = if word == GO { "" } else { word.as_str() };
        let commands = match dialog.is_stale(&self.cx(wall)).map_or_else(|| dialog.confirm(typed, &self.cx(wall)), Err)
        {
            Ok(commands) => commands,
            Err(why) => return self.refused(&why),
        };
        self.runs_before = Some(self.cx(wall).incident.runs.len());
        match self.ask_all(commands, wall) {
            Ok(effects) => {
                self.tell_notice();
                self.waits.returns = true;
                self.perform(effects, shell);
                Went::Done
            }
            Err(why) => self.refused(&why),
        }
    }

    fn refused(&mut self, why: &str) -> Went {
        self.tell_notice();
        self.paper.say("! ", why);
        Went::Refused
    }

    /// What this command started.
    fn started(&self, wall: DateTime<Utc>) -> impl Iterator<Item = &Run> {
        let cx = self.cx(wall);
        let before = self.runs_before.unwrap_or(cx.incident.runs.len());
        cx.incident.runs.iter().skip(before).filter(move |run| run.started.by == *cx.me)
    }

    /// Whether something runs that this command started.
    pub(super) fn is_running(&self, wall: DateTime<Utc>) -> bool {
        self.started(wall).any(Run::is_open)
    }

    /// How it went with what was started: a command that did not end well is no success of what was asked.
    pub(super) fn ran(&mut self, went: Went, wall: DateTime<Utc>) -> Went {
        if went != Went::Done {
            return went;
        }
        let failed: Vec<String> = self
            .started(wall)
            .filter(|run| !ended_well(run))
            .map(|run| {
                let how = run.ending().map_or_else(|| "it still runs".to_owned(), ToString::to_string);
                format!("{}: {how}", run.order.title)
            })
            .collect();
        failed.iter().for_each(|line| self.paper.say("! ", line));
        if failed.is_empty() { went } else { Went::Refused }
    }
}

fn ended_well(run: &Run) -> bool {
    match run.ending() {
        Some(Ending::Exited(status)) => run.order.judging.is_success(*status),
        Some(Ending::Signalled(_) | Ending::NotStarted(_) | Ending::Stopped(_) | Ending::Unknown(_)) | None => false,
    }
}
