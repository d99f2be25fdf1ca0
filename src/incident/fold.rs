//! How each entry changes what is known.
//!
//! Hides the rule for every event, and for two people who did the same thing at once: the first in the common order wins on every console, the
//! second is kept, shown as without effect, and counted.
//!
//! Invariant: total; nothing here fails, whatever the entry says.

use super::*;

/// What an entry was worth where it stands.
enum Sense {
    /// It changed something, or says something.
    Good,
    /// It makes no sense here.
    None,
    /// Somebody had done it already.
    Beaten(Mark),
}

impl From<bool> for Sense {
    fn from(is_good: bool) -> Self {
        if is_good { Self::Good } else { Self::None }
    }
}

impl Facts {
    pub(super) fn fold(&mut self, entry: &Entry) {
        let mark = Mark { at: self.time(entry), by: entry.actor.clone() };
        let event = self.reading().event(entry);
        match self.take(entry, &event, mark) {
            Sense::Good => {}
            Sense::None => self.senseless += 1,
            Sense::Beaten(by) => {
                self.senseless += 1;
                self.beaten.insert(entry.id, by);
            }
        }
    }

    fn take(&mut self, entry: &Entry, event: &Event, mark: Mark) -> Sense {
        match event {
            Event::Declared(body) => self.declare(entry.id, body, mark).into(),
            Event::DrillStarted(body) => self.start_drill(body).into(),
            Event::DrillPaused(_) | Event::DrillResumed(_) => {
                let wall = self.reading().wall(entry);
                let is_pause = matches!(event, Event::DrillPaused(_));
                let changed = if is_pause { self.clock.paused(wall) } else { self.clock.resumed(wall) };
                let is_new = self.drill.is_some() && changed.is_some();
                if let Some(clock) = changed.filter(|_| is_new) {
                    self.clock = clock;
                    match self.facilitation.pauses.last_mut() {
                        Some((_, until)) if !is_pause => *until = Some(wall),
                        _ => self.facilitation.pauses.push((wall, None)),
                    }
                }
                is_new.into()
            }
            Event::Facilitated(act) => {
                let is_drill = self.drill.is_some();
                if is_drill {
                    self.facilitation.take(act, mark);
                }
                is_drill.into()
            }
            Event::TitleSet(body) => {
                self.title = body.title.clone();
                Sense::Good
            }
            Event::PrivacySet(body) => {
                let is_new = self.is_private != body.is_private;
                self.is_private = body.is_private;
                is_new.into()
            }
            Event::SeverityRaised(body) | Event::SeverityLowered(body) => {
                let is_new = self.severity != Some(body.to);
                if is_new {
                    self.set_severity(body.to, mark.at);
                }
                is_new.into()
            }
            Event::Acknowledged(_) => match &self.acknowledged {
                Some(first) => Sense::Beaten(first.clone()),
                None => {
                    self.acknowledged = Some(mark);
                    Sense::Good
                }
            },
            Event::PhaseEntered(PhaseEntered { outcome: Some(Outcome::Merged(into)), .. })
                if self.is_undone(*into, entry) =>
            {
                Sense::Good
            }
            Event::PhaseEntered(body) => self.enter(body, mark),
            Event::ServiceAdded(body) => self.add_service(&body.service).into(),
            Event::ServiceRemoved(body) => {
                let before = self.services.len();
                self.services.retain(|service| *service != body.service);
                (self.services.len() < before).into()
            }
            Event::ImpactStarted(body) => {
                self.impact.begin(body.at, body.service.as_ref());
                self.nobody_affected = None;
                self.corrections.remove(&Milestone::ImpactStart);
                self.corrections.remove(&Milestone::ImpactEnd);
                Sense::Good
            }
            Event::ImpactEnded(body) => match self.impact.finish(body, &mark) {
                Ok(()) => Sense::Good,
                Err(first) => first.map_or(Sense::None, Sense::Beaten),
            },
            Event::NoCustomerAffected(body) => self.deny_impact(body, mark),
            Event::RoleTaken(body) => self.seat(body, mark.at),
            Event::RoleLeft(body) => {
                let seat = Seat { role: body.role, component: body.component.clone() };
                let held = self.roles.get(&seat).is_some_and(|mark| mark.by == body.holder);
                // Who was asked to take it over can still say yes: nobody commands until then.
                if held {
                    if seat.role == Role::IncidentCommander {
                        self.uncommanded_since = Some(mark.at);
                    }
                    self.roles.remove(&seat);
                    self.played.remove(&seat);
                }
                held.into()
            }
            Event::NoteAdded(body) => {
                if body.kind == NoteKind::Todo {
                    self.follow_ups.push(follow_up(entry.id, mark, CleanStr::new(body.text.first_line())));
                }
                Sense::Good
            }
            Event::LineMerged(body) if self.is_undone(body.from, entry) => {
                // The other record has it.
                self.timeline.hide(entry.id);
                Sense::Good
            }
            Event::DuplicateMerged(body) if self.is_undone(body.from, entry) => Sense::Good,
            Event::EvidencePinned(_) | Event::ClockJumped(_) | Event::LineMerged(_) | Event::MergeUndone(_) => {
                Sense::Good
            }
            Event::NoteAmended(body) => {
                if let Some(told) = self.updates.iter_mut().find(|told| told.id == body.note) {
                    told.update.told_at = body.at.or(told.update.told_at);
                }
                if let (Some(item), Some(text)) = (self.item(body.note), &body.text) {
                    item.what = CleanStr::new(text.first_line());
                }
                self.timeline.amend(entry, body).into()
            }
            Event::NoteStruck(body) => {
                self.follow_ups.retain(|item| item.id != body.note);
                self.timeline.strike(entry, body).into()
            }
            Event::EntryRedacted(body) => {
                if let Some(item) = self.item(body.entry) {
                    item.what = CleanStr::new("(redacted)");
                }
                self.timeline.redact(entry, body).into()
            }
            Event::StepChecked(body) => self.check(&body.step, mark),
            Event::StepSkipped(body) => {
                self.claims.remove(&body.step);
                self.steps.insert(body.step.clone(), StepState::Skipped(mark, body.reason.clone()));
                Sense::Good
            }
            Event::StepReopened(body) => {
                let ticked = self.ticks.iter_mut().rev().find(|ticked| ticked.step == body.step);
                if let Some(ticked) = ticked.filter(|ticked| ticked.until.is_none()) {
                    ticked.until = Some(mark.at);
                }
                self.steps.insert(body.step.clone(), StepState::Reopened(mark)).is_some().into()
            }
            Event::StepClaimed(body) => self.claim(body, mark),
            Event::StepReleased(body) => self.claims.remove(&body.step).is_some().into(),
            Event::StatusUpdatePosted(update) => self.post(entry.id, update, mark),
            Event::UpdateDrafted(body) => {
                self.drafts.push(Draft { id: entry.id, mark, update: body.update.clone() });
                Sense::Good
            }
            Event::DraftDropped(body) => self.settle_once(body.draft, &mark, |facts| {
                let before = facts.drafts.len();
                facts.drafts.retain(|draft| draft.id != body.draft);
                facts.drafts.len() < before
            }),
            // [`super::clocks::Clocks`] says which of them count; one of a console that is off itself does not.
            // The console itself and those who read it may both find out; it is said once.
            Event::ClockSkewed(body) if !self.told_off.insert(body.console.clone()) => self.unsaid(entry),
            Event::ClockSkewed(_) => (!self.skews.contains_key(&entry.via.console)).into(),
            Event::AlertLinked(body) => self.link(body).into(),
            Event::ScopeSet(body) => {
                self.set_scope(body, mark.at);
                Sense::Good
            }
            Event::PersonTold(body) => {
                self.told.insert(body.position.clone(), (body.severity, mark));
                Sense::Good
            }
            Event::PersonNotTold(body) => self.told.remove(&body.position).is_some().into(),
            Event::CadenceSet(body) => {
                let is_new = body.every_s > 0;
                if is_new {
                    self.paces.push((mark, body.clone()));
                }
                is_new.into()
            }
            Event::ObligationSnoozed(body) => {
                let snooze = Snooze { mark, until: body.until, reason: body.reason.clone() };
                let may = body.duty.is_snoozable();
                if may {
                    self.snoozes.insert(body.duty.clone(), snooze);
                }
                may.into()
            }
            Event::HandoverOffered(body) => {
                let seat = Seat { role: body.role, component: body.component.clone() };
                let newer = self.offers.extract_if(.., |offer| offer.seat == seat);
                self.settled.extend(newer.map(|offer| (offer.id, mark.clone())));
                let is_held = self.roles.contains_key(&seat);
                self.offers.push(Offer { id: entry.id, mark, seat, to: body.to.clone(), brief: body.brief.clone() });
                is_held.into()
            }
            Event::HandoverAccepted(body) => self.accept(body.offer, mark),
            Event::HandoverEnded(body) => self.settle_once(body.offer, &mark, |facts| {
                let before = facts.offers.len();
                facts.offers.retain(|offer| offer.id != body.offer);
                facts.offers.len() < before
            }),
            Event::TaskAssigned(body) => {
                let (id, TaskAssigned { to, what, call_back }) = (entry.id, body.clone());
                self.tasks.push(Task { id, assigned: mark, to, what, call_back, read_back: None, answer: None });
                Sense::Good
            }
            Event::TaskReadBack(body) => self.read_back(body, mark).into(),
            Event::TaskAnswered(body) => self.answer(body, mark),
            Event::DecisionProposed(body) => {
                let (id, proposal) = (entry.id, body.clone());
                self.decisions.push(Decision { id, proposed: mark, proposal, objections: Vec::new(), made: None });
                Sense::Good
            }
            Event::ObjectionRaised(body) => self.object(body, mark).into(),
            Event::DecisionMade(body) => self.make_decision(body, mark),
            Event::HypothesisOpened(body) => {
                self.hypotheses.push(Hypothesis { id: entry.id, opened: mark, theory: body.clone(), settled: None });
                Sense::Good
            }
            Event::HypothesisSettled(body) => self.settle(body, mark),
            Event::PostmortemScheduled(body) => {
                self.postmortem = Some(body.clone());
                Sense::Good
            }
            Event::ArticleRecorded(body) => {
                self.article = Some(body.clone());
                Sense::Good
            }
            Event::Reviewed(body) => {
                self.reviews.insert(body.of.clone(), mark);
                Sense::Good
            }
            Event::FollowUpSet(body) => self.set_follow_up(entry.id, body, mark).into(),
            Event::TimeAmended(body) => {
                self.correct(body, mark);
                Sense::Good
            }
            Event::DuplicateMerged(body) => self.merge(body).into(),
            Event::CommandStarted(body) => self.start_run(entry.id, body, mark),
            Event::CommandRemarked(body) => match self.runs.iter_mut().find(|run| run.id == body.run) {
                // Every console of the machine sees that its time is over; it is said once.
                Some(run)
                    if body.remark.is_noted_once()
                        && run.remarks.last().is_some_and(|(_, last)| *last == body.remark) =>
                {
                    self.timeline.hide(entry.id);
                    Sense::None
                }
                Some(run) => {
                    run.remarks.push((mark, body.remark.clone()));
                    Sense::Good
                }
                None => Sense::None,
            },
            Event::CommandEnded(body) => self.end_run(body, mark),
            Event::CommandVouched(body) => {
                self.vouched.push((mark, body.clone()));
                Sense::Good
            }
            Event::StepAnswered(body) => {
                self.answers.insert(body.step.clone(), (mark, body.clone()));
                Sense::Good
            }
            Event::PlaybookApproved(body) => {
                self.approved_playbooks.entry(body.digest.clone()).or_insert(mark);
                Sense::Good
            }
            Event::PlaybookFrozen(body) => {
                let known = self.playbooks.get(&body.service).map(|known| &known.digest);
                let counts = known == body.replaces.as_ref();
                if counts {
                    if body.replaces.is_some() {
                        self.playbooks_changed.insert(body.service.clone(), mark);
                    }
                    self.playbooks.insert(body.service.clone(), body.clone());
                }
                counts.into()
            }
            Event::DeliveryQueued(body) => {
                let is_first = self.queue(entry.id, body, mark, &entry.via.console);
                if !is_first {
                    // Two consoles thought of it in the same moment: it is one thing, and one line.
                    self.timeline.hide(entry.id);
                }
                is_first.into()
            }
            Event::ForeignNoted(body) => {
                let is_first = self.note_foreign(entry.id, body);
                if !is_first {
                    self.timeline.hide(entry.id);
                    return Sense::None;
                }
                match &body.answers {
                    // As if they had called back themselves.
                    Some(answer) if self.drill.is_some() => {
                        self.answer(answer, Mark { at: body.at, by: body.who.clone() })
                    }
                    Some(_) | None => Sense::Good,
                }
            }
            // Every console sees it; it is said once.
            Event::SymptomBegan(body) if !self.begin_symptom(body) => self.unsaid(entry),
            Event::SymptomEnded(body) if !self.end_symptom(body) => self.unsaid(entry),
            Event::SymptomBegan(_) | Event::SymptomEnded(_) => Sense::Good,
            Event::DeliveryMoved(body) => {
                if !self.is_news(body) {
                    self.timeline.hide(entry.id);
                }
                self.move_delivery(entry.id, body, mark.at, &entry.via.console).into()
            }
            Event::Unrecognised { .. } => {
                self.unrecognised += 1;
                Sense::Good
            }
        }
    }

    /// What another console said first leaves no line.
    fn unsaid(&mut self, entry: &Entry) -> Sense {
        self.timeline.hide(entry.id);
        Sense::None
    }

    fn declare(&mut self, id: EntryId, body: &Declared, mark: Mark) -> bool {
        if self.declared.is_some() {
            return false;
        }
        let detected = body.detected_at.unwrap_or(mark.at);
        self.phase.get_or_insert((Phase::Detected, detected));
        self.phases.push((Phase::Detected, Mark { at: detected, by: mark.by.clone() }));
        self.title = body.title.clone();
        self.set_severity(body.severity, mark.at);
        self.services.extend(body.service.iter().cloned());
        self.detected_at = body.detected_at;
        self.detection.clone_from(&body.detection);
        self.zone = body.zone.clone();
        (self.record, self.declared) = (Some(id), Some(mark));
        true
    }

    fn set_severity(&mut self, to: Severity, at: DateTime<Utc>) {
        self.severity = Some(to);
        self.severities.push((to, at));
        self.worst = Some(self.worst.map_or(to, |worst| worst.min(to)));
    }

    fn start_drill(&mut self, body: &DrillStarted) -> bool {
        if self.drill.is_some() {
            return false;
        }
        self.clock = Clock::new(body.start, body.speed);
        self.drill = Some(body.clone());
        true
    }

    fn enter(&mut self, body: &PhaseEntered, mark: Mark) -> Sense {
        if let Some((phase, first)) = self.phases.last()
            && *phase == body.phase
        {
            return Sense::Beaten(first.clone());
        }
        self.reopened += u32::from(!self.phase().is_live() && body.phase.is_live());
        if body.phase == Phase::Resolved {
            self.resolved_at = Some(mark.at);
            self.resolution = Some(Resolution {
                mark: mark.clone(),
                proof: body.proof.clone(),
                final_status: body.final_status.clone(),
                reason: body.reason.clone(),
            });
        } else if body.phase.is_live() {
            if !self.phase().is_live() {
                self.reopened_at = Some(mark.at);
            }
            self.resolved_at = None;
            self.resolution = None;
            self.corrections.remove(&Milestone::Resolved);
        }
        self.outcome = if body.phase == Phase::Closed { body.outcome.or(Some(Outcome::Done)) } else { None };
        self.closing = (body.phase == Phase::Closed).then(|| leftover::Closing {
            mark: mark.clone(),
            reason: body.reason.clone(),
            keeps: body.keeps.clone(),
        });
        self.phase = Some((body.phase, mark.at));
        self.phases.push((body.phase, mark));
        Sense::Good
    }

    fn add_service(&mut self, service: &ServiceId) -> bool {
        let is_new = !self.services.contains(service);
        if is_new {
            self.services.push(service.clone());
        }
        is_new
    }

    /// The first in order wins an exclusive role; a later claim stands on the timeline and changes nothing.
    fn seat(&mut self, body: &RoleNamed, at: DateTime<Utc>) -> Sense {
        let seat = Seat { role: body.role, component: body.component.clone() };
        let is_played = body.is_played && self.drill.is_some();
        // A person takes a part from the exercise at any time; the exercise takes nothing from anybody.
        if let Some(holder) = self.roles.get(&seat).filter(|_| is_played || !self.played.contains(&seat)) {
            return Sense::Beaten(holder.clone());
        }
        if is_played {
            self.played.insert(seat.clone());
        } else {
            self.played.remove(&seat);
            // It was empty: who was asked by somebody that left it comes second.
            let taken = Mark { at, by: body.holder.clone() };
            let lapsed = self.offers.extract_if(.., |offer| offer.seat == seat && offer.mark.by != body.holder);
            self.settled.extend(lapsed.map(|offer| (offer.id, taken.clone())));
        }
        self.roles.insert(seat, Mark { at, by: body.holder.clone() });
        Sense::Good
    }

    fn accept(&mut self, offer: EntryId, mark: Mark) -> Sense {
        let mut taken = None;
        let sense = self.settle_once(offer, &mark, |facts| {
            let place = facts.offers.iter().position(|known| known.id == offer);
            // The console that wrote it knew that the two names are one person's.
            taken = place.map(|place| facts.offers.remove(place));
            taken.is_some()
        });
        let Some(offer) = taken else { return sense };
        self.played.remove(&offer.seat);
        if let Some(before) = self.roles.insert(offer.seat.clone(), mark.clone()) {
            self.handed_over.insert(offer.seat, Mark { at: mark.at, by: before.by });
        }
        Sense::Good
    }

    /// The first in order runs a step; another start of the same step, while that runs, has no effect and is never started.
    fn start_run(&mut self, id: EntryId, body: &CommandStarted, mark: Mark) -> Sense {
        if let Some(step) = &body.step {
            if let Some(first) = self.running(step) {
                return Sense::Beaten(first.started.clone());
            }
            if let Some(claim) = self.claims.get(step).filter(|claim| claim.by != mark.by) {
                return Sense::Beaten(claim.clone());
            }
            if !step.is_of_exercise() {
                self.claims.entry(step.clone()).or_insert_with(|| mark.clone());
            }
        }
        self.runs.push(Run { id, started: mark, order: body.clone(), remarks: Vec::new(), ended: None });
        Sense::Good
    }

    fn end_run(&mut self, body: &CommandEnded, mark: Mark) -> Sense {
        let Some(run) = self.runs.iter_mut().find(|run| run.id == body.run) else { return Sense::None };
        match &run.ended {
            // Every console that follows a run may say how it ended.
            Some((first, _)) => Sense::Beaten(first.clone()),
            None => {
                run.ended = Some((mark, body.clone()));
                Sense::Good
            }
        }
    }

    fn check(&mut self, step: &StepRef, mark: Mark) -> Sense {
        if let Some(StepState::Checked(first)) = self.steps.get(step) {
            return Sense::Beaten(first.clone());
        }
        self.claims.remove(step);
        self.ticks.push(Ticked::since(step.clone(), mark.at));
        self.steps.insert(step.clone(), StepState::Checked(mark));
        Sense::Good
    }

    /// A claim on a claimed step counts only where it says from whom it takes it over.
    fn claim(&mut self, body: &StepClaimed, mark: Mark) -> Sense {
        if let Some(StepState::Checked(first)) = self.steps.get(&body.step) {
            return Sense::Beaten(first.clone());
        }
        match self.claims.get(&body.step) {
            Some(holder) if body.over.as_ref().is_none_or(|over| over.from != holder.by) => {
                Sense::Beaten(holder.clone())
            }
            _ => {
                self.claims.insert(body.step.clone(), mark);
                Sense::Good
            }
        }
    }

    /// What waits for one answer gets one: the first in the record's order holds, and whoever came second is told who was faster.
    fn settle_once(&mut self, what: EntryId, mark: &Mark, settle: impl FnOnce(&mut Self) -> bool) -> Sense {
        if let Some(first) = self.settled.get(&what) {
            return Sense::Beaten(first.clone());
        }
        let is_settled = settle(self);
        if is_settled {
            self.settled.insert(what, mark.clone());
        }
        is_settled.into()
    }

    fn post(&mut self, id: EntryId, update: &StatusUpdate, mark: Mark) -> Sense {
        if let Some(draft) = update.draft {
            let sense = self.settle_once(draft, &mark, |facts| {
                facts.drafts.retain(|known| known.id != draft);
                true
            });
            if !matches!(sense, Sense::Good) {
                self.overtaken.insert(id.rid, (id.rseq, update.text.clone()));
                return sense;
            }
        }
        self.updates.push(Told { id, mark, update: update.clone() });
        Sense::Good
    }

    fn link(&mut self, body: &AlertLinked) -> bool {
        if self.alerts.iter().any(|alert| alert.fingerprint == body.fingerprint) {
            return false;
        }
        // The clock runs from the first alert, unless somebody corrected it.
        self.earliest(Milestone::Detected, body.starts_at);
        self.begin_alert(body);
        self.alerts.push(body.clone());
        true
    }

    fn set_scope(&mut self, body: &ScopeSet, at: DateTime<Utc>) {
        let scope = &mut self.scope;
        if let Some(places) = &body.geography {
            scope.geography.clone_from(places);
        }
        if let Some(partners) = &body.partners {
            scope.partners.clone_from(partners);
        }
        scope.regulatory = body.regulatory.or(scope.regulatory);
        scope.complete_outage = body.complete_outage.or(scope.complete_outage);
        scope.users_percent = body.users_percent.or(scope.users_percent);
        if let Some(count) = body.customers {
            scope.customers.push((at, count));
        }
        if body.users_percent.is_some_and(|share| share > 0.0) || body.customers.is_some_and(|count| count > 0) {
            self.nobody_affected = None;
        }
    }

    fn read_back(&mut self, body: &TaskReadBack, mark: Mark) -> bool {
        match self.tasks.iter_mut().find(|task| task.id == body.task) {
            Some(task) if task.read_back.is_none() => task.read_back = Some(mark),
            Some(_) | None => return false,
        }
        true
    }

    fn answer(&mut self, body: &TaskAnswered, mark: Mark) -> Sense {
        let Some(task) = self.tasks.iter_mut().find(|task| task.id == body.task) else { return Sense::None };
        if let Some((first, _, _)) = task.answer.as_ref().filter(|_| !task.is_open()) {
            return Sense::Beaten(first.clone());
        }
        if let Answer::More { until } = body.answer {
            task.call_back = until;
        }
        task.read_back.get_or_insert_with(|| mark.clone());
        task.answer = Some((mark, body.answer, body.text.clone()));
        Sense::Good
    }

    fn object(&mut self, body: &ObjectionRaised, mark: Mark) -> bool {
        match self.decisions.iter_mut().find(|known| known.id == body.decision) {
            Some(decision) if decision.made.is_none() => decision.objections.push((mark, body.text.clone())),
            Some(_) | None => return false,
        }
        true
    }

    fn make_decision(&mut self, body: &DecisionMade, mark: Mark) -> Sense {
        let Some(decision) = self.decisions.iter_mut().find(|known| known.id == body.decision) else {
            return Sense::None;
        };
        if let Some((first, _)) = &decision.made {
            return Sense::Beaten(first.clone());
        }
        decision.made = Some((mark, body.clone()));
        Sense::Good
    }

    fn settle(&mut self, body: &HypothesisSettled, mark: Mark) -> Sense {
        let Some(hypothesis) = self.hypotheses.iter_mut().find(|known| known.id == body.hypothesis) else {
            return Sense::None;
        };
        if let Some((first, ..)) = &hypothesis.settled {
            return Sense::Beaten(first.clone());
        }
        hypothesis.settled = Some((mark, body.holds, body.evidence.clone()));
        Sense::Good
    }

    fn item(&mut self, id: EntryId) -> Option<&mut FollowUp> {
        self.follow_ups.iter_mut().find(|item| item.id == id)
    }

    fn set_follow_up(&mut self, id: EntryId, body: &FollowUpSet, mark: Mark) -> bool {
        if body.item.is_none() {
            self.follow_ups.push(follow_up(id, mark, CleanStr::default()));
        }
        let Some(item) = self.item(body.item.unwrap_or(id)) else { return false };
        if let Some(what) = &body.what {
            item.what = what.clone();
        }
        if body.owner.is_some() {
            item.owner.clone_from(&body.owner);
        }
        item.due = body.due.or(item.due);
        if let Some(state) = body.state {
            item.state = state;
            item.reason.clone_from(&body.reason);
        }
        true
    }

    fn correct(&mut self, body: &TimeAmended, mark: Mark) {
        let from = self.milestone(body.which);
        let correction = Correction { mark: mark.clone(), from, to: body.to, reason: body.reason.clone() };
        self.corrections.entry(body.which).or_default().push(correction);
        self.set_milestone(body.which, body.to, mark);
    }

    fn set_milestone(&mut self, which: Milestone, to: DateTime<Utc>, mark: Mark) {
        match which {
            Milestone::Detected => self.move_phase(Phase::Detected, to),
            Milestone::Acknowledged => self.move_phase(Phase::Acknowledged, to),
            Milestone::Resolved => self.move_phase(Phase::Resolved, to),
            // They are moments inside a phase.
            Milestone::ImpactStart | Milestone::ImpactEnd | Milestone::Mitigated => {}
        }
        match which {
            Milestone::Detected => self.detected_at = Some(to),
            Milestone::Acknowledged => {
                let by = self.acknowledged.take().map_or(mark.by, |known| known.by);
                self.acknowledged = Some(Mark { at: to, by });
            }
            Milestone::ImpactStart => {
                self.impact.correct_start(to);
                self.nobody_affected = None;
            }
            Milestone::ImpactEnd => self.impact.correct_end(to, mark),
            Milestone::Mitigated => self.mitigated_at = Some(to),
            Milestone::Resolved => self.resolved_at = Some(to),
        }
    }

    /// A phase began when its milestone is known to have been, not when somebody typed it.
    fn move_phase(&mut self, phase: Phase, to: DateTime<Utc>) {
        if let Some((_, mark)) = self.phases.iter_mut().rev().find(|(known, _)| *known == phase) {
            mark.at = to;
        }
        if let Some((_, since)) = self.phase.as_mut().filter(|(known, _)| *known == phase) {
            *since = to;
        }
    }

    /// Moves a moment back, unless somebody corrected it by hand.
    fn earliest(&mut self, which: Milestone, at: DateTime<Utc>) {
        if !self.corrections.contains_key(&which) && self.milestone(which).is_some_and(|known| at < known) {
            let by = self.declared.as_ref().map(|mark| mark.by.clone()).unwrap_or_default();
            self.set_milestone(which, at, Mark { at, by });
        } else if which == Milestone::Detected && self.detected_at.is_none() {
            self.move_phase(Phase::Detected, at);
            self.detected_at = Some(at);
        }
    }

    fn merge(&mut self, body: &DuplicateMerged) -> bool {
        if self.merged.contains(&body.from) {
            return false;
        }
        self.merged.push(body.from);
        if let Some(at) = body.detected_at {
            self.earliest(Milestone::Detected, at);
        }
        if let Some((at, by)) = &body.acknowledged
            && !self.corrections.contains_key(&Milestone::Acknowledged)
            && self.acknowledged.as_ref().is_none_or(|known| *at < known.at)
        {
            self.move_phase(Phase::Acknowledged, *at);
            self.acknowledged = Some(Mark { at: *at, by: by.clone() });
        }
        if let Some(at) = body.impact_start {
            if self.impact.is_known() {
                self.earliest(Milestone::ImpactStart, at);
            } else {
                self.impact.begin(at, None);
                self.nobody_affected = None;
            }
        }
        true
    }

    /// Nobody is affected. What was recorded about affected customers is taken back only by somebody who knew of it and said why.
    fn deny_impact(&mut self, body: &NoImpact, mark: Mark) -> Sense {
        if body.reason.is_some() {
            self.impact = Impact::default();
            self.corrections.remove(&Milestone::ImpactStart);
            self.corrections.remove(&Milestone::ImpactEnd);
            self.scope.users_percent = self.scope.users_percent.map(|_| 0.0);
            if self.scope.is_anybody_counted() {
                self.scope.customers.push((mark.at, 0));
            }
        } else if self.impact.is_open() {
            // Two people at once: what makes customers hear of it stays.
            return Sense::None;
        }
        self.nobody_affected = Some(mark);
        Sense::Good
    }
}

fn follow_up(id: EntryId, mark: Mark, what: CleanStr) -> FollowUp {
    FollowUp { id, mark, what, owner: None, due: None, state: FollowUpState::Open, reason: None }
}
