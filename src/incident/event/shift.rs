//! Times inside events that were read from a clock that was off.
//!
//! Hides which times of which event come from the writing console's clock, or from a person who read that clock, and which from elsewhere.
//!
//! Invariant: total, and there and back gives the same event; nothing but times changes.

use chrono::{DateTime, TimeDelta, Utc};

use super::*;

fn shift(at: &mut DateTime<Utc>, by: TimeDelta) {
    *at = at.checked_add_signed(by).unwrap_or(*at);
}

fn shift_any(at: &mut Option<DateTime<Utc>>, by: TimeDelta) {
    if let Some(at) = at {
        shift(at, by);
    }
}

fn shift_answer(answer: &mut Answer, by: TimeDelta) {
    match answer {
        Answer::More { until } => shift(until, by),
        Answer::Done | Answer::DontKnow | Answer::Blocked | Answer::Dropped => {}
    }
}

impl Event {
    /// The event with every time moved that was read from the clock of the console that wrote it.
    #[must_use]
    pub fn shifted(mut self, by: TimeDelta) -> Self {
        match &mut self {
            Self::Declared(body) => match body.detection {
                // The time of an alert is its server's.
                Some(Detection::Alert { .. }) => {}
                Some(Detection::Report { .. }) | None => shift_any(&mut body.detected_at, by),
            },
            Self::ImpactStarted(body) | Self::ImpactEnded(body) => shift(&mut body.at, by),
            Self::NoteAdded(body) => shift_any(&mut body.at, by),
            Self::NoteAmended(body) => shift_any(&mut body.at, by),
            Self::StatusUpdatePosted(update) => {
                shift_any(&mut update.promised_next, by);
                shift_any(&mut update.told_at, by);
            }
            Self::UpdateDrafted(body) => shift_any(&mut body.update.promised_next, by),
            Self::ObligationSnoozed(body) => shift(&mut body.until, by),
            Self::TaskAssigned(body) => shift(&mut body.call_back, by),
            Self::TaskAnswered(body) => shift_answer(&mut body.answer, by),
            Self::DecisionProposed(body) => shift(&mut body.until, by),
            // Typed by somebody who reads all other times from this console.
            Self::TimeAmended(body) => shift(&mut body.to, by),
            // The drill's clock is set by this time, not read from it: moved, the worlds that run already would be others.
            Self::DrillStarted(_) => {}
            // They have no time but that of their entry.
            Self::DrillPaused(_) | Self::DrillResumed(_) | Self::Facilitated(_) => {}
            // The server's time.
            Self::AlertLinked(_) => {}
            // The axis is Prometheus': at these times its values stand.
            Self::EvidencePinned(_) => {}
            // Since when is its source's word; when an alert was there and when not any more was read here.
            Self::SymptomBegan(_) => {}
            Self::SymptomEnded(body) => match body.of {
                SymptomOf::Alert { .. } => {
                    shift(&mut body.ended, by);
                    shift_any(&mut body.after, by);
                }
                SymptomOf::Objective { .. } => {}
            },
            // The times of another record, corrected there.
            Self::DuplicateMerged(_) | Self::LineMerged(_) => {}
            // They carry lengths of time only.
            Self::CommandStarted(_)
            | Self::CommandRemarked(_)
            | Self::CommandEnded(_)
            | Self::CommandVouched(_)
            | Self::StepAnswered(_)
            | Self::PlaybookApproved(_)
            | Self::PlaybookFrozen(_) => {}
            Self::ForeignNoted(body) => {
                shift(&mut body.at, by);
                if let Some(answer) = &mut body.answers {
                    shift_answer(&mut answer.answer, by);
                }
            }
            Self::DeliveryQueued(body) => match &mut body.act {
                Act::FindRoom { since: at }
                | Act::OpenRoom { since: at, .. }
                | Act::Silence(Silencing { until: at, .. }) => shift(at, by),
                _ => {}
            },
            Self::DeliveryMoved(body) => {
                if let DeliveryState::Queued { not_before, .. } = &mut body.to {
                    shift(not_before, by);
                }
            }
            // A date of the calendar: nobody reads it from a clock.
            Self::PostmortemScheduled(_) | Self::FollowUpSet(_) => {}
            // Nobody here knows what a newer build wrote.
            Self::Unrecognised { .. } => {}
            // No time inside.
            Self::TitleSet(_)
            | Self::PrivacySet(_)
            | Self::SeverityRaised(_)
            | Self::SeverityLowered(_)
            | Self::Acknowledged(_)
            | Self::PhaseEntered(_)
            | Self::ServiceAdded(_)
            | Self::ServiceRemoved(_)
            | Self::RoleTaken(_)
            | Self::RoleLeft(_)
            | Self::NoteStruck(_)
            | Self::StepChecked(_)
            | Self::StepSkipped(_)
            | Self::StepReopened(_)
            | Self::ClockJumped(_)
            | Self::ClockSkewed(_)
            | Self::ScopeSet(_)
            | Self::NoCustomerAffected(_)
            | Self::MergeUndone(_)
            | Self::CadenceSet(_)
            | Self::PersonTold(_)
            | Self::PersonNotTold(_)
            | Self::DraftDropped(_)
            | Self::HandoverOffered(_)
            | Self::HandoverAccepted(_)
            | Self::HandoverEnded(_)
            | Self::TaskReadBack(_)
            | Self::ObjectionRaised(_)
            | Self::DecisionMade(_)
            | Self::HypothesisOpened(_)
            | Self::HypothesisSettled(_)
            | Self::StepClaimed(_)
            | Self::StepReleased(_)
            | Self::ArticleRecorded(_)
            | Self::Reviewed(_)
            | Self::EntryRedacted(_) => {}
        }
        self
    }
}
