//! What a drill's facilitator does: injects by hand, asides that no player reads, and scores beside the measured ones.
//!
//! Hides the words in which it is asked for, and what of it players see.
//!
//! Invariant: outside drills nobody facilitates; what is for the facilitator alone has no line on the timeline, and is told in the debrief.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::measures::spoken;
use super::{Asking, Event, Incident, Mark, Phase, Refusal, Role};
use crate::text::duration::Lapse;
use crate::text::{CleanStr, CleanText, bare, first_word, is_blank};

/// What a facilitator did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "kebab-case")]
pub enum Facilitated {
    /// They took the part.
    Takes,
    /// They left it.
    Leaves,
    /// Somebody gets in touch with the room.
    Message {
        /// Who.
        from: CleanStr,
        /// How.
        via: CleanStr,
        /// What they say.
        text: CleanText,
    },
    /// Something that the room finds out.
    Fact {
        /// What.
        text: CleanText,
    },
    /// A fault of the exercise begins.
    Fault {
        /// Its id.
        fault: CleanStr,
    },
    /// Everything that the exercise has planned comes later.
    Delay {
        /// By so many seconds.
        seconds: u64,
    },
    /// A note that players do not see.
    Aside {
        /// What it says.
        text: CleanText,
    },
    /// A success criterion, as people judge it.
    Score {
        /// Which, counted from 1.
        criterion: u32,
        /// Whether it was met.
        met: bool,
        /// Why.
        why: CleanText,
    },
}

/// How it is asked for, for whoever wrote something else.
pub const WORDS: &str = "write: message FROM, VIA: TEXT · fact TEXT · fault ID · delay 5m · aside TEXT · score N met|missed WHY · take · leave";

impl Facilitated {
    /// Reads what somebody typed.
    pub fn parse(typed: &str) -> Result<Self, String> {
        let (word, rest) = first_word(typed);
        let text = || if is_blank(rest) { Err(format!("{word} wants a text")) } else { Ok(CleanText::new(rest)) };
        match word {
            "take" => Ok(Self::Takes),
            "leave" => Ok(Self::Leaves),
            "message" => {
                let (who, said) = rest.split_once(':').ok_or("write: message FROM, VIA: TEXT")?;
                let (from, via) = who.split_once(',').unwrap_or((who, "message"));
                if [from, said].into_iter().any(|part| part.trim().is_empty()) {
                    return Err("write: message FROM, VIA: TEXT".to_owned());
                }
                let clean = |part: &str| CleanStr::new(part.trim());
                Ok(Self::Message { from: clean(from), via: clean(via), text: CleanText::new(said.trim()) })
            }
            "fact" => Ok(Self::Fact { text: text()? }),
            "aside" => Ok(Self::Aside { text: text()? }),
            "fault" if !is_blank(rest) => Ok(Self::Fault { fault: CleanStr::new(bare(rest)) }),
            "delay" => match bare(rest).parse::<Lapse>() {
                Ok(time) if !time.is_zero() => {
                    Ok(Self::Delay { seconds: u64::try_from(time.num_seconds()).unwrap_or_default() })
                }
                Ok(_) | Err(_) => Err("how long? delay 5m".to_owned()),
            },
            "score" => {
                let (number, rest) = first_word(rest);
                let number = number.parse::<u32>().ok().filter(|number| *number > 0);
                let (verdict, why) = first_word(rest);
                let met = match verdict {
                    "met" => Some(true),
                    "missed" => Some(false),
                    _ => None,
                };
                let (Some(criterion), Some(met)) = (number, met) else {
                    return Err("write: score 2 met WHY, or score 2 missed WHY".to_owned());
                };
                Ok(Self::Score { criterion, met, why: CleanText::new(why) })
            }
            _ => Err(WORDS.to_owned()),
        }
    }

    /// Whether players read it on the timeline.
    pub fn is_for_all(&self) -> bool {
        match self {
            Self::Takes | Self::Leaves | Self::Message { .. } | Self::Fact { .. } => true,
            Self::Fault { .. } | Self::Delay { .. } | Self::Aside { .. } | Self::Score { .. } => false,
        }
    }

    /// The words of its line.
    pub fn words(&self) -> String {
        self.wording().1
    }

    /// The tag and the words of its line.
    pub(super) fn wording(&self) -> (&'static str, String) {
        match self {
            Self::Takes => ("drill", "facilitates this drill".to_owned()),
            Self::Leaves => ("drill", "facilitates it no more".to_owned()),
            Self::Message { from, via, text } => ("message", format!("{from}, {via}: {text}")),
            Self::Fact { text } => ("FACT", text.to_string()),
            Self::Fault { fault } => ("drill", format!("fault {fault} begins, by hand")),
            Self::Delay { seconds } => ("drill", format!("what is planned comes {} later", spoken(length(*seconds)))),
            Self::Aside { text } => ("aside", text.to_string()),
            Self::Score { criterion, met, why } => {
                let word = if *met { "met" } else { "missed" };
                ("drill", format!("criterion {criterion} scored {word}: {why}"))
            }
        }
    }
}

/// A length of time that an entry gives in seconds; none for more than any exercise lasts.
fn length(seconds: u64) -> TimeDelta {
    i64::try_from(seconds).ok().and_then(TimeDelta::try_seconds).unwrap_or_default()
}

/// All that a facilitator did so far.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Facilitation {
    /// Who facilitates, since when.
    pub by: Option<Mark>,
    /// The faults that were begun by hand.
    pub faults: Vec<(CleanStr, DateTime<Utc>)>,
    /// From when on what is planned comes later, and by how much.
    pub delays: Vec<(DateTime<Utc>, TimeDelta)>,
    /// The notes that players do not see, and everything else that only the facilitator did.
    pub asides: Vec<(Mark, CleanText)>,
    /// The scores by hand, the last one of each criterion.
    pub scores: BTreeMap<u32, (Mark, bool, CleanText)>,
    /// The pauses: from when, and until when, by the wall clock.
    pub pauses: Vec<(DateTime<Utc>, Option<DateTime<Utc>>)>,
}

impl Facilitation {
    /// Takes one act.
    pub(super) fn take(&mut self, act: &Facilitated, mark: Mark) {
        match act {
            Facilitated::Takes => self.by = Some(mark),
            Facilitated::Leaves => self.by = None,
            Facilitated::Message { .. } | Facilitated::Fact { .. } => {}
            Facilitated::Fault { fault } => {
                self.faults.push((fault.clone(), mark.at));
                self.asides.push((mark, CleanText::new(&act.wording().1)));
            }
            Facilitated::Delay { seconds } => {
                self.delays.push((mark.at, length(*seconds)));
                self.asides.push((mark, CleanText::new(&act.wording().1)));
            }
            Facilitated::Aside { text } => self.asides.push((mark, text.clone())),
            Facilitated::Score { criterion, met, why } => {
                self.scores.insert(*criterion, (mark, *met, why.clone()));
            }
        }
    }

    /// When something comes that was planned for a moment: each delay moves what was still to come.
    pub fn delayed(&self, planned: DateTime<Utc>) -> DateTime<Utc> {
        let later = |at: DateTime<Utc>, (from, by): &(DateTime<Utc>, TimeDelta)| if at > *from { at + *by } else { at };
        self.delays.iter().fold(planned, later)
    }

    /// How long the drill stood still until a moment of the wall clock.
    pub fn paused(&self, now: DateTime<Utc>) -> TimeDelta {
        let length = |(from, until): &(DateTime<Utc>, Option<DateTime<Utc>>)| {
            (until.unwrap_or(now).min(now) - *from).max(TimeDelta::zero())
        };
        self.pauses.iter().map(length).sum()
    }
}

/// What a facilitator asks for, if they may.
pub(super) fn decide(incident: &Incident, act: Facilitated, asking: &Asking) -> Result<Event, Refusal> {
    match refusal(incident, &act, |name| asking.is(name)) {
        Some(why) => Err(Refusal::No(why.as_str().into())),
        None => Ok(Event::Facilitated(act)),
    }
}

/// A drill that somebody facilitates is aborted by them, or by who commands.
pub(super) fn may_abort(incident: &Incident, asking: &Asking) -> Result<(), Refusal> {
    let by = incident.facilitation.by.as_ref().map(|mark| &mark.by);
    match by.filter(|by| !asking.is(by) && !asking.holds(incident, Role::IncidentCommander)) {
        Some(by) => {
            let why = format!("{by} facilitates this drill: they abort it, or the Incident Commander does");
            Err(Refusal::No(why.as_str().into()))
        }
        None => Ok(()),
    }
}

/// Why somebody may not do this.
fn refusal(incident: &Incident, act: &Facilitated, is_me: impl Fn(&str) -> bool) -> Option<String> {
    if incident.drill.is_none() {
        return Some("a facilitator is for drills: this is none".to_owned());
    }
    let by = incident.facilitation.by.as_ref();
    let is_over = incident.phase() == Phase::Closed;
    match (act, by) {
        (Facilitated::Takes, Some(mark)) if is_me(&mark.by) => Some("you facilitate this drill already".to_owned()),
        (Facilitated::Takes, Some(mark)) => Some(format!("{} facilitates this drill: they leave it first", mark.by)),
        (Facilitated::Takes, None) if incident.roles.values().any(|mark| is_me(&mark.by)) => {
            Some("you play a role in this drill: whoever facilitates plays none".to_owned())
        }
        (Facilitated::Takes, None) => None,
        (_, Some(mark)) if !is_me(&mark.by) => Some(format!("{} facilitates this drill", mark.by)),
        (_, None) => Some("nobody facilitates this drill: `facilitate take` does".to_owned()),
        (Facilitated::Score { .. } | Facilitated::Aside { .. } | Facilitated::Leaves, Some(_)) => None,
        (_, Some(_)) if is_over => Some("the drill is over".to_owned()),
        (_, Some(_)) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::tests::at;

    #[test]
    fn what_a_facilitator_types_is_what_is_meant_or_says_how_it_is_written() {
        let read = |typed: &str| Facilitated::parse(typed);
        let message = |from: &str, via: &str, text: &str| Facilitated::Message {
            from: from.into(),
            via: via.into(),
            text: text.into(),
        };
        assert_eq!(read("message Bank, telephone: we see it too"), Ok(message("Bank", "telephone", "we see it too")));
        assert_eq!(read("message Bank: 14:10 it began"), Ok(message("Bank", "message", "14:10 it began")));
        assert_eq!(read("delay 5m"), Ok(Facilitated::Delay { seconds: 300 }));
        assert_eq!(
            read("score 2 missed nobody told the bank"),
            Ok(Facilitated::Score { criterion: 2, met: false, why: "nobody told the bank".into() })
        );
        for wrong in
            ["", "message hello", "delay", "delay 0s", "score x met", "score 1 perhaps", "fault", "sing", "fact "]
        {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_delay_moves_what_was_still_to_come_and_nothing_else() {
        let facilitation = Facilitation {
            delays: vec![(at(60), TimeDelta::seconds(300)), (at(500), TimeDelta::seconds(10))],
            ..Facilitation::default()
        };
        let moved = [30, 60, 61, 300].map(|planned| facilitation.delayed(at(planned)));
        assert_eq!(moved, [at(30), at(60), at(361), at(610)]);
    }
}
