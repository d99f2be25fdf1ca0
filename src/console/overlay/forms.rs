//! What each form asks, and what its answers mean.
//!
//! Hides how words become commands: shares, lists, yes and no, times that come and times that were.
//!
//! Invariant: what cannot be read is named with its field and an example; nothing is guessed.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::form::{Field, Form};
use super::{Overlay, send};
use crate::incident::brief::BriefKind;
use crate::incident::measures::spoken;
use crate::incident::when::{self, Side, When};
use crate::incident::{
    Actor, Answer, ArticleRecorded, Command, DecisionProposed, FollowUpSet, HandoverOffered, HypothesisOpened,
    HypothesisSettled, Milestone, ObjectionRaised, ObligationSnoozed, PersonTold, PostmortemScheduled, ReviewOf,
    Reviewed, Role, ScopeSet, Seat, TaskAnswered, TimeAmended,
};
use crate::pane::{Cx, FormKind};
use crate::text::duration::Lapse;
use crate::text::{CleanStr, bare};

/// What a form leads to, in this order, or the field that cannot be read and why.
type Read = Result<Vec<Command>, (usize, String)>;

/// An empty form, or one that is filled with what is known.
pub(crate) fn form(kind: FormKind, cx: &Cx<'_>) -> Overlay {
    let (title, notes, fields) = ask(&kind, cx);
    Overlay::Form(Box::new(Form { kind, title, notes, fields, at: 0 }))
}

/// What changes while a form is filled in: the proof is never older than the screen.
pub(super) fn by_now(kind: &FormKind, cx: &Cx<'_>) -> Vec<String> {
    let FormKind::Resolve = kind else { return Vec::new() };
    let proof = cx.proof();
    let word = |met: bool| if met { cx.theme.glyphs.done } else { "x" };
    let lines = proof.iter().map(|line| format!("{} {}: {}", word(line.met), line.what, line.seen));
    lines
        .chain(proof.is_empty().then(|| "nothing could be measured".to_owned()))
        .chain(cx.unfinished().into_iter().map(|left| format!("x left undone: {left}")))
        .chain(send::silences(cx).into_iter().map(|(words, _)| format!("x still in force: {words}")))
        .collect()
}

type Asked = (String, Vec<String>, Vec<Field>);

fn ask(kind: &FormKind, cx: &Cx<'_>) -> Asked {
    let text = str::to_owned;
    match kind {
        FormKind::Scope => scope(cx),
        FormKind::Task => (
            text("hand work to a named person"),
            people_here(cx),
            vec![
                Field::person("who", "dana", ""),
                Field::line("does what", "check p99 of the gateway", ""),
                Field::time(Side::Next, "and calls back in or at", "5m, or 14:10", "5m"),
            ],
        ),
        FormKind::Proposal => (
            text("propose what to do: strong objections are asked for, then the IC decides"),
            Vec::new(),
            vec![
                Field::line("action", "serve the catalogue from the CDN alone", ""),
                Field::line("risk", "prices may be an hour old", ""),
                Field::line("way back (undo)", "turn the CDN rule off", ""),
                Field::line("plan B, if it does not help (may stay empty)", "show the maintenance page", ""),
                Field::line("objections are asked for", "60s, 2m", &seconds(cx.cadence.objections)),
            ],
        ),
        FormKind::Hypothesis { text, rollback } => (
            "a theory about the cause".to_owned(),
            cx.incident
                .hypotheses
                .iter()
                .filter(|known| known.settled.is_none())
                .map(|known| format!("open: {}", known.theory.text))
                .collect(),
            vec![
                Field::line("what may be the cause", "the 13:52 deploy of the gateway", text),
                Field::person("who looks into it (may stay empty)", "dana", cx.me),
                Field::line("what would take it back (may stay empty)", "alipay/rollback, or a command", rollback),
            ],
        ),
        FormKind::Settle { hypothesis, holds } => {
            let known = cx.incident.hypotheses.iter().find(|known| known.id == *hypothesis);
            let word = if *holds { "confirmed" } else { "eliminated" };
            let what = known.map_or("the theory", |known| known.theory.text.as_str());
            (
                format!("{word}: {what}"),
                Vec::new(),
                vec![Field::line("what showed it", "p99 did not move after the rollback", "")],
            )
        }
        FormKind::Objection(decision) => {
            let known = cx.incident.decisions.iter().find(|known| known.id == *decision);
            let what = known.map_or("the proposal", |known| known.proposal.action.as_str());
            (format!("object: {what}"), Vec::new(), vec![Field::line("why not", "the backup is full until 15:00", "")])
        }
        FormKind::Handover(seat) => (
            format!("hand {} over: the other person accepts it", seat.role.name()),
            people_here(cx),
            vec![
                Field::person("to", "omid", ""),
                Field::lines(
                    "the brief",
                    "what, how bad, who does what, what is next",
                    &cx.brief(BriefKind::Handover, None),
                    8,
                ),
            ],
        ),
        FormKind::Assign(seat) => (
            format!("who is {}?", seat.role.name()),
            people_here(cx),
            vec![
                Field::person("who", "omid", ""),
                Field::line("for which component (SME only)", "alipay", seat.component.as_deref().unwrap_or_default()),
            ],
        ),
        FormKind::Answer { task, answer } => {
            let known = cx.incident.tasks.iter().find(|known| known.id == *task);
            let what = known.map_or_else(|| "the task".to_owned(), |known| format!("@{} {}", known.to, known.what));
            let hint = match answer {
                Answer::Blocked => "what is in the way",
                Answer::Dropped => "why it is not wanted any more",
                Answer::Done | Answer::DontKnow | Answer::More { .. } => "what came of it (may stay empty)",
            };
            (what, Vec::new(), vec![Field::said("in their words", hint, "")])
        }
        FormKind::Told { position, severity } => (
            format!("the {position} was told of {severity}"),
            cx.phone_of(position).into_iter().collect(),
            vec![Field::line("who, and by which way (may stay empty)", "Ana Ruiz, by phone", "")],
        ),
        FormKind::Cadence => (
            text("how often is an update due from now on, on every channel?"),
            vec![format!("now every {}; what a text promises counts where it is sooner", spoken(cx.cadence.update))],
            vec![Field::line("every", "1h", ""), Field::line("why", "overnight: the bank answers at eight", "")],
        ),
        FormKind::Snooze(duty) => {
            let known = cx.obligations().into_iter().find(|one| one.duty == *duty);
            let name = known.map_or_else(|| "it".to_owned(), |one| one.name.to_string());
            (
                format!("put off: {name}"),
                vec![format!(
                    "at most {} min at a time; it stands on the timeline",
                    cx.cadence.snooze_cap.num_minutes()
                )],
                vec![
                    Field::time(Side::Next, "for how long", "5m", "5m"),
                    Field::line("why", "the bank's call runs", ""),
                ],
            )
        }
        FormKind::Resolve => (
            text("resolve: are metrics and traces back to normal?"),
            Vec::new(),
            vec![Field::lines("final status", "what was wrong, what was done, what is left", &cx.final_status(), 4)],
        ),
        FormKind::Page => (
            text("page people through PagerDuty"),
            vec!["they are called, whatever the hour, once the word is typed and Enter pressed".to_owned()],
            vec![
                Field::line(
                    "whom",
                    "dana, bob",
                    &send::to_page(cx).iter().map(CleanStr::as_str).collect::<Vec<_>>().join(", "),
                ),
                Field::typed(format!("type {} to page them", send::PAGE)),
            ],
        ),
        FormKind::Escalate => (
            text("escalate in PagerDuty"),
            vec!["the people of that level are called, whatever the hour, once the word is typed".to_owned()],
            vec![
                Field::line("to which level of the escalation policy", "2", "2"),
                Field::typed(format!("type {} to call them", send::PAGE)),
            ],
        ),
        FormKind::Reassign => (
            text("give the incident to others in PagerDuty"),
            vec!["they are called, and have it from then on, once the word is typed".to_owned()],
            vec![Field::line("to whom", "dana, bob", ""), Field::typed(format!("type {} to call them", send::PAGE))],
        ),
        FormKind::Link(service) => (
            format!("what exists in {service} is this incident's"),
            vec!["it is looked for there first; what was told elsewhere before stays where it is".to_owned()],
            vec![Field::line("by its name there", send::example_of(service, cx.reach), "")],
        ),
        FormKind::Silence(labels) => (
            text("keep alerts quiet: what it hits is shown before"),
            Vec::new(),
            vec![
                Field::line("labels (=, !=, =~, !~)", "alertname=\"HighErrorRate\" service.name=~\"ali.*\"", labels),
                Field::time(Side::Next, "for how long, or until when", "30m, 14:10; at most 4h", "1h"),
                Field::line("why", "the backup is being filled, it fires until then", ""),
            ],
        ),
        FormKind::Postmortem => {
            let latest = cx.incident.resolved_at.map(|at| at + cx.cadence.postmortem);
            let zone = |at: DateTime<Utc>| at.with_timezone(&cx.zone).format("%Y-%m-%d %H:%M").to_string();
            (
                text("when is the postmortem, and who owns it?"),
                latest
                    .map(|at| format!("within 48 h of the end: until {} {}", zone(at), cx.zone.name()))
                    .into_iter()
                    .collect(),
                vec![
                    Field::time(
                        Side::Next,
                        "when",
                        "2026-11-24 10:00",
                        &latest.map(|at| zone(proposed_slot(at, cx))).unwrap_or_default(),
                    ),
                    Field::person(
                        "owner",
                        "dana",
                        cx.incident.holder(Role::IncidentCommander).map_or("", |name| name.as_str()),
                    ),
                ],
            )
        }
        FormKind::Article => (
            text("the knowledge-base article"),
            Vec::new(),
            vec![Field::line("its address", "https://wiki.qrpay.example/…", "https://")],
        ),
        FormKind::Review(of) => (
            text("review after the incident"),
            vec![match of {
                ReviewOf::Playbook(service) => format!("the playbook of {service}"),
                ReviewOf::Matrix => "the escalation matrix".to_owned(),
                ReviewOf::Templates => "the templates of updates".to_owned(),
            }],
            vec![Field::said("what was changed", "\"nothing\" is an answer", "")],
        ),
        FormKind::FollowUp(item) => {
            let known = cx.incident.follow_ups.iter().find(|known| Some(known.id) == *item);
            let day = |day: NaiveDate| day.format("%Y-%m-%d").to_string();
            let in_two_weeks = cx.now.with_timezone(&cx.zone).date_naive() + chrono::Days::new(14);
            (
                text("a follow-up"),
                Vec::new(),
                vec![
                    Field::line(
                        "what",
                        "alert on the pool before it is full",
                        known.map_or("", |known| known.what.as_str()),
                    ),
                    Field::person("owner", "omid", known.and_then(|known| known.owner.as_deref()).unwrap_or_default()),
                    Field::line("until", "2026-12-07", &day(known.and_then(|known| known.due).unwrap_or(in_two_weeks))),
                ],
            )
        }
        // Its fields are the command's parameters, and it leads to a dialog: see `step`.
        FormKind::Parameters { .. } => (String::new(), Vec::new(), Vec::new()),
        FormKind::AmendTime(which) => {
            let known = cx.incident.milestone(*which).map_or_else(|| "not recorded".to_owned(), |at| cx.dated(at));
            (
                format!("correct: {}", which.name()),
                vec![format!("now: {known}; both values stay in the record")],
                vec![
                    Field::time(Side::Past, "when it really was", "14:10, 14:10:30 or -5m", ""),
                    Field::line("how that is known", "gateway log", ""),
                ],
            )
        }
    }
}

/// Inside the 48 hours and a working hour: the day before the limit, at ten.
fn proposed_slot(latest: DateTime<Utc>, cx: &Cx<'_>) -> DateTime<Utc> {
    let day = latest.with_timezone(&cx.zone).date_naive();
    let at_ten = |day: NaiveDate| {
        let ten = day.and_hms_opt(10, 0, 0)?.and_local_timezone(cx.zone).earliest()?;
        Some(ten.with_timezone(&Utc)).filter(|at| *at < latest && *at > cx.now)
    };
    at_ten(day).or_else(|| at_ten(day.pred_opt()?)).unwrap_or(latest - TimeDelta::hours(1))
}

fn scope(cx: &Cx<'_>) -> Asked {
    let scope = &cx.incident.scope;
    let list = |names: &[CleanStr]| names.iter().map(CleanStr::as_str).collect::<Vec<_>>().join(", ");
    let yes = |is: Option<bool>| is.map_or("", |is| if is { "yes" } else { "no" });
    let number = |number: Option<f64>| number.map(|share| share.to_string()).unwrap_or_default();
    let customers = scope.trend().map(|(count, _)| count.to_string()).unwrap_or_default();
    let services: Vec<&str> = cx.incident.services.iter().map(|service| service.as_str()).collect();
    (
        "triage: what is affected? (empty stays as it is)".to_owned(),
        std::iter::once(format!("services: {} (A names another one)", services.join(", ")))
            .chain(proposed(cx))
            .collect(),
        vec![
            Field::line("countries or regions", "NL, DE", &list(&scope.geography)),
            Field::line("partner banks", "BluBank, ING", &list(&scope.partners)),
            Field::line("share of users, in per cent", "60", &number(scope.users_percent)),
            Field::line("customers affected so far", "1200", &customers),
            Field::line("complete outage? yes or no", "no", yes(scope.complete_outage)),
            Field::line("must a regulator know? yes or no", "no", yes(scope.regulatory)),
            Field::time(
                Side::Past,
                "customers hurt since",
                "now, -5m, 14:10, or nobody",
                &cx.incident.milestone(Milestone::ImpactStart).map(|at| cx.dated(at)).unwrap_or_default(),
            ),
        ],
    )
}

/// The severity that the matrix gives what is known, where it is another one.
fn proposed(cx: &Cx<'_>) -> Option<String> {
    let scope = &cx.incident.scope;
    let is_partial = !scope.partners.is_empty() || !cx.incident.services.is_empty();
    let outage = scope.complete_outage == Some(true);
    let (severity, why) = crate::escalation::propose(scope.regulatory, scope.users_percent, is_partial, outage)?;
    let is_news = cx.incident.severity != Some(severity);
    is_news.then(|| format!("{why}: {severity} by the matrix (S sets it)"))
}

/// The names that a beginning in a field can grow into.
pub(super) fn completions(begun: &str, cx: &Cx<'_>) -> Vec<CleanStr> {
    cx.roster().completions(begun)
}

fn people_here(cx: &Cx<'_>) -> Vec<String> {
    let mut names: Vec<&str> = cx
        .present
        .iter()
        .map(|present| present.actor.as_str())
        .chain(cx.incident.roles.values().map(|mark| mark.by.as_str()))
        .collect();
    names.sort_unstable();
    names.dedup();
    if names.is_empty() { Vec::new() } else { vec![format!("here: {}", names.join(", "))] }
}

fn seconds(length: TimeDelta) -> String {
    let seconds = length.num_seconds();
    if seconds % 60 == 0 { format!("{}m", seconds / 60) } else { format!("{seconds}s") }
}

/// The commands that a filled-in form asks for.
pub(super) fn read(form: &Form, cx: &Cx<'_>) -> Read {
    let line = |place: usize| CleanStr::new(form.answer(place).as_str());
    let given = |place: usize| Some(line(place)).filter(|text| !text.is_blank());
    // Who that is finds out whoever decides on the command.
    let name = |place: usize| Actor::new(&line(place));
    let after = |place: usize| coming(&line(place), cx).map(|when| when.at).map_err(|why| (place, why));
    let command = match &form.kind {
        FormKind::Scope => return read_scope(form, cx),
        FormKind::Task => {
            Command::AssignTask(crate::incident::TaskAssigned { to: name(0), what: line(1), call_back: after(2)? })
        }
        FormKind::Proposal => Command::Propose(DecisionProposed {
            action: line(0),
            risk: line(1),
            undo: line(2),
            plan_b: given(3),
            until: after(4)?,
        }),
        FormKind::Hypothesis { .. } => Command::OpenHypothesis(HypothesisOpened {
            text: line(0),
            owner: given(1).map(|_| name(1)),
            rollback: given(2),
        }),
        FormKind::Settle { hypothesis, holds } => {
            Command::SettleHypothesis(HypothesisSettled { hypothesis: *hypothesis, holds: *holds, evidence: line(0) })
        }
        FormKind::Objection(decision) => Command::Object(ObjectionRaised { decision: *decision, text: line(0) }),
        FormKind::Handover(seat) => Command::OfferRole(HandoverOffered {
            role: seat.role,
            component: seat.component.clone(),
            to: name(0),
            brief: form.answer(1),
        }),
        FormKind::Assign(seat) => Command::AssignRole(Seat { role: seat.role, component: given(1) }, name(0)),
        FormKind::Answer { task, answer } => {
            Command::AnswerTask(TaskAnswered { task: *task, answer: *answer, text: line(0) })
        }
        FormKind::Told { position, severity } => {
            Command::MarkTold(PersonTold { position: position.clone(), severity: *severity, how: given(0) })
        }
        FormKind::Cadence => {
            let every = every(&line(0)).ok_or((0, format!("`{}` is no length of time: write 30m or 1h", line(0))))?;
            Command::SetCadence(every, given(1))
        }
        FormKind::Snooze(duty) => {
            Command::Snooze(ObligationSnoozed { duty: duty.clone(), until: after(0)?, reason: line(1) })
        }
        FormKind::Resolve => Command::Resolve { proof: cx.proof(), final_status: form.answer(0), reason: None },
        FormKind::Postmortem => {
            let at = coming(&line(0), cx).map_err(|why| (0, why))?.at;
            Command::SchedulePostmortem(PostmortemScheduled { at, owner: name(1), reason: None })
        }
        FormKind::Article => Command::RecordArticle(ArticleRecorded { url: line(0) }),
        FormKind::Review(of) => Command::Review(Reviewed { of: of.clone(), outcome: line(0) }),
        FormKind::FollowUp(item) => {
            let due = given(2).map(|text| text.parse::<NaiveDate>());
            let due = due.transpose().map_err(|_| (2, format!("`{}` is no day: write 2026-12-07", line(2))))?;
            let owner = given(1).map(|_| name(1));
            Command::SetFollowUp(FollowUpSet { item: *item, what: given(0), owner, due, state: None, reason: None })
        }
        FormKind::Page => match send::page(&line(0), &line(1), cx).map_err(|why| (1, why))? {
            (command, left_out) if left_out.is_empty() => command,
            (_, left_out) => {
                let who = left_out.join(", ");
                return Err((0, format!("PagerDuty cannot page {who}: take them out to page the others")));
            }
        },
        FormKind::Escalate => send::escalate(&line(0), &line(1), cx).map_err(|why| (1, why))?,
        FormKind::Reassign => send::reassign(&line(0), &line(1), cx).map_err(|why| (1, why))?,
        FormKind::Link(service) => send::link(service, &line(0), cx).map_err(|why| (0, why))?,
        // Both lead to a dialog first.
        FormKind::Parameters { .. } | FormKind::Silence(_) => return Ok(Vec::new()),
        FormKind::AmendTime(which) => {
            let to = past(&line(0), cx).map_err(|why| (0, why))?.at;
            Command::AmendTime(TimeAmended { which: *which, to, reason: line(1) })
        }
    };
    Ok(vec![command])
}

/// A length of time as people write it: `30m`, `1h`.
pub(crate) fn every(text: &str) -> Option<TimeDelta> {
    bare(text).parse::<Lapse>().ok().map(TimeDelta::from)
}

fn read_scope(form: &Form, cx: &Cx<'_>) -> Read {
    let scope = &cx.incident.scope;
    let answer = |place: usize| form.answer(place).to_string();
    let list = |place: usize| -> Vec<CleanStr> {
        answer(place).split([',', ';']).map(str::trim).filter(|name| !name.is_empty()).map(CleanStr::new).collect()
    };
    let flag = |place: usize| match answer(place).to_lowercase().as_str() {
        "" => Ok(None),
        "yes" | "y" => Ok(Some(true)),
        "no" | "n" => Ok(Some(false)),
        other => Err((place, format!("`{other}`: write yes or no"))),
    };
    let share = answer(2).trim_end_matches(['%', ' ']).to_owned();
    let users_percent = if share.is_empty() {
        None
    } else {
        Some(share.parse::<f64>().map_err(|_| (2, format!("`{share}` is no share: write a number from 0 to 100")))?)
    };
    let count = answer(3).replace([',', ' ', '.'], "");
    let customers = if count.is_empty() {
        None
    } else {
        Some(count.parse::<u64>().map_err(|_| (3, format!("`{}` is no number of customers", answer(3))))?)
    };
    let changed = |is_changed: bool| is_changed.then_some(());
    let (places, partners) = (list(0), list(1));
    let known = scope.trend().map(|(count, _)| count);
    let body = ScopeSet {
        geography: changed(places != scope.geography).map(|()| places),
        partners: changed(partners != scope.partners).map(|()| partners),
        users_percent: users_percent.filter(|share| scope.users_percent != Some(*share)),
        customers: customers.filter(|count| known != Some(*count)),
        complete_outage: flag(4)?.filter(|is| scope.complete_outage != Some(*is)),
        regulatory: flag(5)?.filter(|is| scope.regulatory != Some(*is)),
    };
    let since = answer(6);
    let impact = match since.to_lowercase().as_str() {
        "" => None,
        "nobody" | "none" => Some(Command::DenyImpact(None)),
        word => {
            let at = past(word, cx).map_err(|why| (6, format!("{why}; or nobody")))?.at;
            let known = cx.incident.milestone(Milestone::ImpactStart);
            let is_known = known.is_some_and(|known| (known - at).abs() < TimeDelta::seconds(1));
            (!is_known).then_some(Command::StartImpact(at))
        }
    };
    // A form in which nothing was changed is refused in the same words as everywhere.
    let scope = (body != ScopeSet::default() || impact.is_none()).then_some(Command::SetScope(body));
    Ok(scope.into_iter().chain(impact).collect())
}

/// A time that was: see [`when::read`].
pub(crate) fn past(word: &str, cx: &Cx<'_>) -> Result<When, String> {
    when::read(word, cx.now, cx.zone, Side::Past).map_err(|why| why.to_string())
}

/// A time to come: see [`when::read`].
pub(crate) fn coming(word: &str, cx: &Cx<'_>) -> Result<When, String> {
    when::read(word, cx.now, cx.zone, Side::Coming).map_err(|why| why.to_string())
}
