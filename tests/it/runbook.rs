//! Every rule and number of the runbook, each with the tests that show it.
//!
//! `runbook.md` beside this file is the runbook's text. [`RULES`] is the table from its lines to tests, here and elsewhere; [`LATER`] holds what is not
//! this console's yet, with the reason. A line that stands in neither, and a test that does not exist, fail.

use std::fs;
use std::path::Path;

use chrono::{NaiveDate, TimeDelta};
use warroom::escalation::{Matrix, propose};
use warroom::exercise::Exercise;
use warroom::incident::measures::{measures, resolve_target};
use warroom::incident::{
    AlertLinked, ArticleRecorded, Cadence, Channel, Command, Declared, Detection, Duty, FollowUpSet, FollowUpState,
    Milestone, NoteAdded, NoteKind, ObligationSnoozed, Outcome, PersonTold, Phase, PostmortemScheduled, ProofLine,
    Refusal, ReviewOf, Reviewed, Role, ScopeSet, Severity, StatusUpdate, Urgency,
};
use warroom::live::Live;
use warroom::oncall::{Rotation, Shift};
use warroom::playbook::{Catalogue, Frequency};
use warroom::resolution;
use warroom::template::{Audience, Facts, Status, Templates};
use warroom::text::CleanStr;

use crate::support::room::{Room, at, declaration, seat};

const RUNBOOK: &str = include_str!("runbook.md");

/// Lines of the runbook and the tests that show them.
const RULES: &[(&str, &[&str])] = &[
    // --- roles
    (
        "| Incident Commander (IC) | Owns resolution plan, coordinates responders, communicates status. |",
        &["each_of_the_four_roles_has_its_duties_on_a_card", "the_commander_alone_acknowledges_decides_and_approves"],
    ),
    (
        "| Communications Lead | Posts updates to Slack `#status-qrpay` and customer channels. |",
        &["each_of_the_four_roles_has_its_duties_on_a_card", "the_communications_lead_owes_every_channel_its_update"],
    ),
    (
        "| Subject Matter Expert (SME) | Troubleshoots the technical components (Alipay, BluBank, Yoomonea, etc.). |",
        &["each_of_the_four_roles_has_its_duties_on_a_card", "each_component_has_an_expert_of_its_own"],
    ),
    (
        "| Scribe | Documents timeline, actions, decisions in the incident ticket. |",
        &[
            "each_of_the_four_roles_has_its_duties_on_a_card",
            "the_scribes_line_reads_its_prefixes",
            "a_correction_shows_and_a_struck_line_stays",
        ],
    ),
    ("* Week 1: Payments IC", &["the_rotation_is_payments_then_banking_then_platform"]),
    ("* Week 2: Banking IC", &["the_rotation_is_payments_then_banking_then_platform"]),
    ("* Week 3: Platform IC", &["the_rotation_is_payments_then_banking_then_platform"]),
    // --- lifecycle
    ("1. **Detection**", &["the_headings_of_the_lifecycle_are_phases_each_with_its_question"]),
    ("2. **Acknowledgement**", &["the_headings_of_the_lifecycle_are_phases_each_with_its_question"]),
    ("3. **Triage**", &["the_headings_of_the_lifecycle_are_phases_each_with_its_question"]),
    ("4. **Mitigation**", &["the_headings_of_the_lifecycle_are_phases_each_with_its_question"]),
    ("5. **Communication**", &["communication_is_no_phase_but_runs_from_acknowledgement_to_the_end"]),
    ("6. **Resolution**", &["the_headings_of_the_lifecycle_are_phases_each_with_its_question"]),
    ("7. **Post-Incident**", &["the_headings_of_the_lifecycle_are_phases_each_with_its_question"]),
    (
        "* Alerts from Prometheus/Alertmanager -> PagerDuty.",
        &[
            "the_acknowledge_clock_runs_from_the_moment_the_alert_fired",
            "a_second_alert_is_linked_and_the_earliest_start_counts",
            "a_rule_of_a_real_prometheus_fires_and_is_the_same_alert_at_a_real_alertmanager",
        ],
    ),
    (
        "* Manual reports from Support channel -> create PagerDuty incident.",
        &["a_report_from_support_is_declared_with_who_told_and_where"],
    ),
    (
        "* IC acknowledges alert within 5 minutes.",
        &["acknowledging_is_due_five_minutes_after_the_alert_and_cannot_be_put_off"],
    ),
    (
        "* Confirm scope (impacted services, geography, partner banks).",
        &["triage_records_services_geography_and_partner_banks"],
    ),
    (
        "* Validate SLO dashboards for anomalies.",
        &[
            "each_playbook_has_objectives_and_traces_to_look_at",
            "values_are_prometheus_own_and_its_death_and_return_are_shown",
        ],
    ),
    (
        "* Collect traces from Jaeger for high-latency/error spans.",
        &[
            "each_playbook_has_objectives_and_traces_to_look_at",
            "error_spans_open_as_a_trace_and_a_dead_jaeger_comes_back",
        ],
    ),
    (
        "* Apply runbook steps per service (see Service Playbooks below).",
        &[
            "every_line_of_the_runbooks_service_playbooks_is_a_step",
            "a_step_is_done_once_skipped_with_a_reason_and_opened_again",
        ],
    ),
    (
        "* Execute feature flag toggles, traffic reroute, or rollback as needed.",
        &["a_flag_a_reroute_and_a_rollback_are_steps_each_with_its_way_back"],
    ),
    (
        "* Post updates every 15 minutes in Slack and internal status page.",
        &[
            "slack_and_the_internal_page_hear_something_every_15_minutes",
            "each_channel_hears_something_every_15_minutes_or_when_the_last_text_promised",
        ],
    ),
    (
        "* Update external status page if customer impact > 15 minutes.",
        &[
            "the_external_page_is_due_after_15_minutes_of_impact_and_only_then",
            "customers_hear_something_after_15_minutes_of_impact_and_then_as_promised",
        ],
    ),
    (
        "* Confirm metrics and traces returned to normal.",
        &["resolving_asks_for_proof_from_every_metric_and_the_traces"],
    ),
    (
        "* Capture final status in PagerDuty and close the incident.",
        &["the_final_status_is_captured_and_closing_comes_after_what_follows"],
    ),
    ("* Schedule postmortem within 48 hours.", &["the_postmortem_is_scheduled_within_48_hours_of_the_end"]),
    (
        "* Ensure knowledge base article is created/updated.",
        &["the_final_status_is_captured_and_closing_comes_after_what_follows", "the_article_is_an_address"],
    ),
    // --- service playbooks
    (
        "* Check `alipay` namespace in Grafana for latency spikes.",
        &["every_line_of_the_runbooks_service_playbooks_is_a_step"],
    ),
    (
        "* Verify upstream endpoint health (synthetic checks) and authentication tokens.",
        &["every_line_of_the_runbooks_service_playbooks_is_a_step"],
    ),
    (
        "* Temporary mitigation: route traffic to backup provider if available.",
        &["every_line_of_the_runbooks_service_playbooks_is_a_step"],
    ),
    (
        "* Inspect `blubank` queue backlog metrics and worker logs.",
        &["every_line_of_the_runbooks_service_playbooks_is_a_step"],
    ),
    (
        "* Validate settlement batch status; restart workers if stuck.",
        &["every_line_of_the_runbooks_service_playbooks_is_a_step"],
    ),
    (
        "* Coordinate with BluBank support via established escalation contacts.",
        &[
            "every_line_of_the_runbooks_service_playbooks_is_a_step",
            "blubanks_contacts_stand_in_their_order_in_its_playbook",
        ],
    ),
    (
        "* Review `yoomonea` trace spans for database timeouts.",
        &["every_line_of_the_runbooks_service_playbooks_is_a_step"],
    ),
    (
        "* Scale pods horizontally if CPU usage > 80% for 5m.",
        &[
            "every_line_of_the_runbooks_service_playbooks_is_a_step",
            "yoomoneas_pods_are_scaled_above_80_percent_for_5_minutes",
        ],
    ),
    (
        "* Failover to secondary region using Terraform workspace `payments-secondary`.",
        &["every_line_of_the_runbooks_service_playbooks_is_a_step"],
    ),
    ("* Confirm Laravel queue and cache health.", &["every_line_of_the_runbooks_service_playbooks_is_a_step"]),
    ("* Run smoke test script `scripts/health-check.sh`.", &["every_line_of_the_runbooks_service_playbooks_is_a_step"]),
    (
        "* Rollback via `deployctl rollback --service qrpay-web --env prod` if necessary.",
        &["every_line_of_the_runbooks_service_playbooks_is_a_step"],
    ),
    // --- GameDay
    (
        "| Alipay Timeout Storm | Simulate upstream latency > 2s | Quarterly |",
        &["the_storm_is_shipped_quarterly_and_its_alert_speaks_of_two_seconds"],
    ),
    // --- tracking
    (
        "* Use template containing summary, impact, root cause, mitigation, follow-up tasks.",
        &["a_postmortem_has_the_sections_of_the_tracker_and_says_what_is_missing"],
    ),
    // --- afterwards
    (
        "* Ensure follow-up tasks are assigned and tracked to completion.",
        &["a_follow_up_is_owned_until_a_day_and_stays_until_it_is_done_or_dropped_with_a_reason"],
    ),
    (
        "* Update runbooks/playbooks after every incident.",
        &["the_playbook_is_reviewed_after_every_incident_and_matrix_and_templates_after_a_major_one"],
    ),
    // --- escalation
    (
        "| SEV0 | Complete outage or regulatory impact | Notify CTO, Head of Compliance immediately. |",
        &[
            "the_matrix_names_people_and_definitions_for_each_severity",
            "whom_a_severity_names_is_due_from_its_first_second",
        ],
    ),
    (
        "| SEV1 | Major functionality loss affecting > 50% users | Escalate to Directors of Engineering, Product. |",
        &[
            "the_matrix_names_people_and_definitions_for_each_severity",
            "more_than_half_of_the_users_is_a_sev1_and_half_is_not",
        ],
    ),
    (
        "| SEV2 | Partial degradation affecting specific integration | Notify integration owners. |",
        &[
            "the_matrix_names_people_and_definitions_for_each_severity",
            "the_owners_of_the_shipped_playbooks_are_told_of_their_integration",
        ],
    ),
    (
        "| SEV3 | Minor bug or alert noise | Handle within squad, log for backlog. |",
        &[
            "the_matrix_names_people_and_definitions_for_each_severity",
            "a_sev3_goes_to_the_backlog_and_a_false_alarm_says_how_it_is_known",
        ],
    ),
    // --- templates
    (
        ":rotating_light: *Incident {{INCIDENT_ID}}* - {{SERVICE}}",
        &[
            "both_communication_templates_come_out_letter_by_letter",
            "the_runbooks_two_templates_ship_as_they_are_written_there",
        ],
    ),
    ("Impact: {{SUMMARY}}", &["both_communication_templates_come_out_letter_by_letter"]),
    ("Mitigation: {{CURRENT_ACTION}}", &["both_communication_templates_come_out_letter_by_letter"]),
    ("Next Update: {{TIME}}", &["both_communication_templates_come_out_letter_by_letter"]),
    (
        "We are investigating elevated errors for {{SERVICE}}. Payments may fail intermittently. Next update in 30 minutes.",
        &[
            "both_communication_templates_come_out_letter_by_letter",
            "customers_hear_again_after_the_30_minutes_that_the_text_promised",
        ],
    ),
    // --- measures
    (
        "* MTTA (Mean Time to Acknowledge) target: < 5 minutes.",
        &[
            "the_targets_are_below_5_minutes_to_acknowledge_and_below_30_to_resolve",
            "mtta_counts_from_the_alert_and_mttr_from_the_alert_to_the_end",
        ],
    ),
    (
        "* MTTR (Mean Time to Resolve) target: < 30 minutes for SEV1/SEV2.",
        &["the_targets_are_below_5_minutes_to_acknowledge_and_below_30_to_resolve"],
    ),
    // --- ownership
    ("* Primary Owner: Reliability Engineering Lead.", &["matrix_and_templates_are_the_reliability_engineering_leads"]),
    (
        "* Review Cycle: quarterly or after major incidents.",
        &[
            "matrix_and_templates_are_the_reliability_engineering_leads",
            "the_playbook_is_reviewed_after_every_incident_and_matrix_and_templates_after_a_major_one",
            "a_matrix_that_nobody_read_for_a_quarter_is_overdue",
            "a_template_is_reviewed_every_quarter",
        ],
    ),
];

const WRITES: &str =
    "writes to other systems come with the channels of a later issue; what goes out is recorded here and told by hand";
const GAMEDAY: &str = "more exercises and their calendar come with the GameDay issue";

/// Lines that are not this console's yet, and why.
const LATER: &[(&str, &str)] = &[
    ("Assign on-call rotations in PagerDuty:", "the rotation stands in the config; PagerDuty is not written to"),
    ("* Start a dedicated Slack channel `#inc-<incident-number>` via PagerDuty integration.", WRITES),
    ("* PagerDuty service mapping complete for all services.", WRITES),
    ("* Slack automation configured for channel creation.", WRITES),
    ("* Status page integration with incident API.", WRITES),
    ("| BluBank Settlement Failure | Queue backlog + payment reconciliation failure | Quarterly |", GAMEDAY),
    ("| Yoomonea Regional Outage | Disable primary region workloads | Semi-annual |", GAMEDAY),
    ("| QRPay Web Cache Eviction | Flush Redis cache unexpectedly | Quarterly |", GAMEDAY),
    ("* Pre-brief with goals and success criteria.", GAMEDAY),
    ("* Execution in staging with synthetic traffic.", GAMEDAY),
    ("* Debrief documenting findings and action items.", GAMEDAY),
    ("* GameDay completion rate: 100% scheduled exercises executed.", GAMEDAY),
    ("* All incidents tracked in Jira project `OPS` with ticket type `Incident`.", WRITES),
];

/// Lines that lead in to rules and state none.
const LEAD_INS: &[&str] = &[
    "This runbook describes the standard operating procedure for responding to production incidents affecting QRPay services.",
    "| Role | Responsibilities |",
    "| Exercise | Scenario | Frequency |",
    "| Severity | Definition | Escalation |",
    "Each GameDay must include:",
    "Internal Slack update:",
    "Customer status page:",
];

fn lines() -> Vec<&'static str> {
    let is_form = |line: &str| line.is_empty() || line.starts_with('#') || line == "```" || line.starts_with("| ---");
    RUNBOOK.lines().map(str::trim).filter(|line| !is_form(line)).collect()
}

/// All functions of all sources and tests, by their names.
fn functions() -> String {
    fn read(folder: &Path, all: &mut String) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                read(&path, all);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                all.push_str(&fs::read_to_string(&path).unwrap());
            }
        }
    }
    let mut all = String::new();
    for folder in ["src", "tests"] {
        read(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut all);
    }
    all
}

#[test]
fn every_line_of_the_runbook_is_shown_by_a_test_or_is_named_as_later() {
    let known: Vec<&str> = RULES
        .iter()
        .map(|(line, _)| *line)
        .chain(LATER.iter().map(|(line, _)| *line))
        .chain(LEAD_INS.iter().copied())
        .collect();
    for line in lines() {
        assert_eq!(known.iter().filter(|known| **known == line).count(), 1, "`{line}` must stand in one table, once");
    }
    for line in &known {
        assert!(lines().contains(line), "`{line}` does not stand in the runbook");
    }
    assert!(LATER.iter().all(|(_, why)| !why.is_empty()));
}

#[test]
fn every_test_that_the_table_names_exists() {
    let functions = functions();
    for (line, tests) in RULES {
        assert!(!tests.is_empty(), "`{line}` names no test");
        for test in *tests {
            let place = functions.find(&format!("fn {test}("));
            let place = place.unwrap_or_else(|| panic!("`{line}` names `{test}`, which does not exist"));
            let before = functions[..place].trim_end().trim_end_matches("async").trim_end();
            let attribute = before.lines().last().unwrap_or_default().trim();
            assert!(attribute.starts_with("#["), "`{test}` is no test: {attribute}");
        }
    }
}

// --- roles

#[test]
fn each_of_the_four_roles_has_its_duties_on_a_card() {
    assert_eq!(
        Role::ALL.map(Role::name),
        ["Incident Commander", "Communications Lead", "Subject Matter Expert", "Scribe"]
    );
    for (role, words) in [
        (Role::IncidentCommander, &["owns the plan", "every task to a named person", "approves every text"][..]),
        (Role::CommunicationsLead, &["every 15 minutes inside", "external page after 15 minutes"]),
        (Role::Sme, &["one component", "evidence"]),
        (Role::Scribe, &["what happened and when", "decisions, actions"]),
    ] {
        let card = role.card();
        let duties = card.duties.join("\n");
        assert!((1..=7).contains(&card.duties.len()) && !card.phrases.is_empty(), "{role:?}");
        for word in words {
            assert!(duties.contains(word), "{role:?}: {word} in {duties}");
        }
    }
}

#[test]
fn the_commander_alone_acknowledges_decides_and_approves() {
    let mut room = Room::declared(Severity::Sev1);
    room.does("dana", 70, Command::TakeRole(seat(Role::IncidentCommander)));
    assert!(room.refusal("omid", 80, Command::Acknowledge).contains("that is dana"));
    room.does("dana", 80, Command::Acknowledge);
    let proposal = warroom::incident::DecisionProposed {
        action: "route to the backup".into(),
        risk: "fees".into(),
        undo: "set the flag back".into(),
        plan_b: None,
        until: at(150),
    };
    let decision = room.does("omid", 90, Command::Propose(proposal));
    let decide = Command::Decide { decision, go: true, reason: None };
    assert!(room.refusal("omid", 200, decide.clone()).contains("that is dana"));
    let draft = room.does("cora", 100, Command::PostUpdate(update(&[Channel::StatusSlack], None)));
    let approve = Command::ApproveDraft(draft, update(&[Channel::StatusSlack], None));
    assert!(room.refusal("cora", 200, approve.clone()).contains("that is dana"));
    room.does("dana", 200, decide);
    room.does("dana", 201, approve);
    assert_eq!(room.incident.updates.len(), 1);
}

fn update(channels: &[Channel], promised: Option<i64>) -> StatusUpdate {
    StatusUpdate {
        channels: channels.iter().copied().collect(),
        text: "still on it".into(),
        promised_next: promised.map(at),
        ..StatusUpdate::default()
    }
}

#[test]
fn the_communications_lead_owes_every_channel_its_update() {
    let mut room = Room::commanded(Severity::Sev1);
    room.does("cora", 110, Command::TakeRole(seat(Role::CommunicationsLead)));
    room.does("dana", 120, Command::StartImpact(at(100)));
    for channel in Channel::ALL {
        assert_eq!(room.due(&Duty::Update(channel)).unwrap().owner.as_deref(), Some("cora"), "{channel:?}");
    }
    assert_eq!(Channel::StatusSlack.name(), "#status-qrpay");
}

#[test]
fn each_component_has_an_expert_of_its_own() {
    let mut room = Room::commanded(Severity::Sev1);
    for (who, component) in [("omid", "alipay"), ("leila", "blubank"), ("sara", "yoomonea")] {
        let seat = warroom::incident::Seat { role: Role::Sme, component: Some(component.into()) };
        room.does(who, 120, Command::TakeRole(seat));
        assert!(room.incident.holds(who, Role::Sme), "{who}");
    }
    assert_eq!(room.incident.roles.len(), 4);
}

#[test]
fn the_rotation_is_payments_then_banking_then_platform() {
    let shift = |name: &str, person: &str| Shift { name: name.into(), person: person.into() };
    let rotation = Rotation {
        start: day("2026-11-02"),
        zone: chrono_tz::UTC,
        hand_over: chrono::NaiveTime::from_hms_opt(9, 0, 0).unwrap(),
        weeks: vec![shift("Payments IC", "Dana"), shift("Banking IC", "Leila"), shift("Platform IC", "Omid")],
        overrides: Vec::new(),
    };
    let start = "2026-11-02T09:00:00Z".parse::<chrono::DateTime<chrono::Utc>>().unwrap();
    let weeks: Vec<_> = (0..4)
        .map(|week| rotation.on_call(start + TimeDelta::weeks(week)).unwrap().shift.unwrap().to_string())
        .collect();
    assert_eq!(weeks, ["Payments IC", "Banking IC", "Platform IC", "Payments IC"]);
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

// --- lifecycle

#[test]
fn the_headings_of_the_lifecycle_are_phases_each_with_its_question() {
    for (phase, name, words) in [
        (Phase::Detected, "Detected", "Who commands, and is it real?"),
        (Phase::Acknowledged, "Acknowledged", "What is affected"),
        (Phase::Triage, "Triage", "What will we do about it first?"),
        (Phase::Mitigating, "Mitigating", "back to normal?"),
        (Phase::Resolved, "Resolved", "When is the postmortem"),
        (Phase::PostIncident, "Post-incident", "the playbook reviewed?"),
    ] {
        assert_eq!((phase.name(), phase.question().contains(words)), (name, true), "{}", phase.question());
    }
    // Any phase can be visited again; none before the acknowledgement, and none backwards out of the end without a reason.
    let room = Room::declared(Severity::Sev1);
    assert!(room.refusal("dana", 70, Command::EnterPhase(Phase::Triage, None)).contains("acknowledged"));
    let mut room = Room::commanded(Severity::Sev1);
    for (second, phase) in
        [(110, Phase::Triage), (120, Phase::Mitigating), (130, Phase::Triage), (140, Phase::Mitigating)]
    {
        room.does("dana", second, Command::EnterPhase(phase, None));
        assert_eq!(room.incident.phase(), phase);
    }
    room.does("dana", 200, resolve(&[], Some("seen by eye")));
    let back = |reason: Option<&str>| Command::EnterPhase(Phase::Triage, reason.map(CleanStr::new));
    assert!(matches!(room.ask("dana", 210, back(None)), Err(Refusal::WantsReason(_))));
    room.does("dana", 210, back(Some("errors are back")));
    assert_eq!((room.incident.phase(), room.incident.resolved_at), (Phase::Triage, None));
}

fn resolve(proof: &[ProofLine], reason: Option<&str>) -> Command {
    let final_status = "payments flow again".into();
    Command::Resolve { proof: proof.to_vec(), final_status, reason: reason.map(CleanStr::new) }
}

#[test]
fn communication_is_no_phase_but_runs_from_acknowledgement_to_the_end() {
    let channels = |room: &Room| room.all_due().iter().filter(|one| one.duty.channel().is_some()).count();
    let mut room = Room::declared(Severity::Sev1);
    assert_eq!(channels(&room), 0);
    room = Room::commanded(Severity::Sev1);
    for (second, phase) in [(110, Phase::Triage), (120, Phase::Mitigating)] {
        assert_eq!(channels(&room), 3);
        room.does("dana", second, Command::EnterPhase(phase, None));
    }
    assert_eq!(channels(&room), 3);
    room.does("dana", 200, resolve(&[], Some("seen by eye")));
    assert_eq!(channels(&room), 0);
}

#[test]
fn a_second_alert_is_linked_and_the_earliest_start_counts() {
    let mut room = Room::declared(Severity::Sev1);
    let alert = |fingerprint: &str, seconds| {
        let labels = Default::default();
        AlertLinked { fingerprint: fingerprint.into(), name: "HighLatency".into(), starts_at: at(seconds), labels }
    };
    room.does("dana", 70, Command::LinkAlert(alert("b", 30)));
    assert_eq!(room.incident.detected_at, Some(at(0)), "a later alert changes nothing");
    room.does("dana", 71, Command::LinkAlert(alert("a", -40)));
    assert_eq!(room.due_after(&Duty::Acknowledge), Some(TimeDelta::seconds(300 - 40)));
    assert!(room.refusal("omid", 72, Command::LinkAlert(alert("a", -40))).contains("linked already"));
    assert_eq!(room.incident.alerts.len(), 2);
}

#[test]
fn a_report_from_support_is_declared_with_who_told_and_where() {
    let mut room = Room::blank();
    let body = Declared {
        detection: Some(Detection::Report { by: "support, Mina".into() }),
        link: Some("https://support.example/t/4711".into()),
        service: None,
        ..declaration(Severity::Sev2)
    };
    room.does("dana", 60, Command::Declare(body));
    let said = room.incident.timeline().lines().next().unwrap().text;
    assert!(matches!(&room.incident.detection, Some(Detection::Report { by }) if *by == "support, Mina"));
    assert!(said.contains("support, Mina") && said.contains("https://support.example/t/4711"), "{said}");
    assert_eq!(room.due_after(&Duty::Acknowledge), Some(TimeDelta::minutes(5)), "the clock runs from the report");
}

#[test]
fn acknowledging_is_due_five_minutes_after_the_alert_and_cannot_be_put_off() {
    let mut room = Room::declared(Severity::Sev1);
    let due = room.due(&Duty::Acknowledge).unwrap();
    assert_eq!((due.start, due.due), (at(0), at(300)));
    assert_eq!([299, 300].map(|seconds| due.urgency(at(seconds))), [Urgency::Soon, Urgency::Overdue]);
    let snooze = ObligationSnoozed { duty: Duty::Acknowledge, until: at(400), reason: "busy".into() };
    assert!(room.refusal("dana", 70, Command::Snooze(snooze)).contains("cannot be put off"));
    room.does("dana", 90, Command::TakeRole(seat(Role::IncidentCommander)));
    room.does("dana", 90, Command::Acknowledge);
    assert_eq!(room.due(&Duty::Acknowledge), None);
    assert_eq!(room.incident.time_to_acknowledge(), Some(TimeDelta::seconds(90)));
}

#[test]
fn triage_records_services_geography_and_partner_banks() {
    let mut room = Room::commanded(Severity::Sev1);
    room.does("dana", 110, Command::AddService("blubank".into()));
    let scope = ScopeSet {
        geography: Some(vec!["IR".into(), "DE".into()]),
        partners: Some(vec!["BluBank".into()]),
        ..ScopeSet::default()
    };
    room.does("dana", 111, Command::SetScope(scope));
    room.does("dana", 112, Command::SetScope(ScopeSet { users_percent: Some(60.0), ..ScopeSet::default() }));
    let scope = &room.incident.scope;
    assert_eq!(room.incident.services, ["alipay", "blubank"].map(CleanStr::new));
    assert_eq!((scope.geography.len(), scope.partners.len(), scope.users_percent), (2, 1, Some(60.0)));
    let nothing = Command::SetScope(ScopeSet::default());
    assert!(room.refusal("dana", 113, nothing).contains("nothing was changed"));
}

#[test]
fn each_playbook_has_objectives_and_traces_to_look_at() {
    let catalogue = Catalogue::shipped();
    let services: Vec<_> = catalogue.iter().map(|playbook| playbook.service.to_string()).collect();
    assert_eq!(services, ["alipay", "blubank", "qrpay-web", "yoomonea"]);
    for playbook in catalogue.iter() {
        assert!(!playbook.objectives.is_empty() && !playbook.traces.services.is_empty(), "{}", playbook.service);
        assert!(playbook.traces.slow.is_some(), "{}: what is a slow span?", playbook.service);
    }
}

#[test]
fn a_flag_a_reroute_and_a_rollback_are_steps_each_with_its_way_back() {
    let catalogue = Catalogue::shipped();
    for (service, step, word) in [
        ("alipay", "shed-retries", "feature flag"),
        ("alipay", "route-to-backup", "Route traffic"),
        ("qrpay-web", "rollback", "deployctl rollback --service qrpay-web --env prod"),
    ] {
        let step = catalogue.get(service).unwrap().step(step).unwrap();
        assert!(format!("{} {}", step.title, step.look).contains(word), "{service}: {}", step.look);
        assert_eq!(step.phase, Some(Phase::Mitigating));
        assert!(!step.undo.trim().is_empty() && !step.undo.starts_with("Nothing"), "{service}: {}", step.undo);
    }
}

#[test]
fn slack_and_the_internal_page_hear_something_every_15_minutes() {
    let mut room = Room::commanded(Severity::Sev1);
    let quarter = TimeDelta::minutes(15);
    for channel in [Channel::IncidentChannel, Channel::StatusSlack, Channel::InternalPage] {
        let update = Duty::Update(channel);
        let due = |room: &Room| room.due(&update).unwrap().due;
        assert_eq!(due(&room), at(100) + quarter, "from the acknowledgement");
    }
    room.does("dana", 900, Command::PostUpdate(update(&[Channel::StatusSlack], None)));
    assert_eq!(room.due(&Duty::Update(Channel::StatusSlack)).unwrap().due, at(900) + quarter);
    assert_eq!(room.due(&Duty::Update(Channel::InternalPage)).unwrap().due, at(100) + quarter, "each by itself");
}

#[test]
fn the_external_page_is_due_after_15_minutes_of_impact_and_only_then() {
    let external = Duty::Update(Channel::ExternalPage);
    let mut room = Room::commanded(Severity::Sev1);
    assert_eq!(room.due(&external), None, "nobody hurts");
    room.does("dana", 110, Command::StartImpact(at(30)));
    assert_eq!(room.due_after(&external), Some(TimeDelta::seconds(30 + 900)));
    let mut short = room.clone();
    short.does("dana", 940, Command::EndImpact(at(30 + 900)));
    assert_eq!(short.due(&external), None, "15 minutes of impact are not more than 15");
    room.does("dana", 940, Command::EndImpact(at(30 + 901)));
    assert!(room.due(&external).is_some());
    // And nobody tells customers but by approval.
    let draft = room.does("cora", 950, Command::PostUpdate(update(&[Channel::ExternalPage], None)));
    let alone = Command::PostAlone(draft, Some("no answer".into()));
    assert!(room.refusal("cora", 1_500, alone).contains("Incident Commander approves"));
}

#[test]
fn customers_hear_again_after_the_30_minutes_that_the_text_promised() {
    let external = Duty::Update(Channel::ExternalPage);
    let mut room = Room::commanded(Severity::Sev1);
    room.does("dana", 110, Command::StartImpact(at(30)));
    room.does("dana", 600, Command::PostUpdate(update(&[Channel::ExternalPage], None)));
    assert_eq!(room.due_after(&external), Some(TimeDelta::seconds(600 + 1800)));
    room.does("dana", 700, Command::PostUpdate(update(&[Channel::ExternalPage], Some(700 + 1200))));
    assert_eq!(room.due_after(&external), Some(TimeDelta::seconds(700 + 1200)), "what the text itself promises");
    let text = Templates::shipped().render(Audience::External, Status::Investigating, &sample()).unwrap();
    assert_eq!(text.promise, Some(at(0) + Cadence::default().external_again));
}

#[test]
fn resolving_asks_for_proof_from_every_metric_and_the_traces() {
    let mut room = Room::commanded(Severity::Sev1);
    let catalogue = Catalogue::shipped();
    let normal = Cadence::default().proof;
    let proof = resolution::proof(&room.incident, &Live::default(), &catalogue, normal, at(500));
    let asked: Vec<_> = proof.iter().map(|line| line.what.to_string()).collect();
    let objectives = catalogue.get("alipay").unwrap().objectives.iter();
    let mut expected: Vec<_> = objectives.map(|objective| format!("alipay {}", objective.title)).collect();
    expected.push("alipay error spans".to_owned());
    assert_eq!(asked, expected);
    assert!(proof.iter().all(|line| !line.met), "what nobody measured proves nothing");

    let met: Vec<_> = proof.iter().map(|line| ProofLine { met: true, ..line.clone() }).collect();
    let one_open: Vec<_> =
        met.iter().enumerate().map(|(place, line)| ProofLine { met: place != 1, ..line.clone() }).collect();
    let refused = room.refusal("dana", 500, resolve(&one_open, None));
    assert!(refused.contains("alipay error ratio") && !refused.contains("p99"), "{refused}");
    assert!(room.refusal("dana", 500, resolve(&[], None)).contains("nothing proves"));
    room.does("dana", 500, resolve(&met, None));
    assert_eq!(room.incident.phase(), Phase::Resolved);
}

#[test]
fn the_final_status_is_captured_and_closing_comes_after_what_follows() {
    let mut room = Room::commanded(Severity::Sev1);
    let empty = Command::Resolve { proof: Vec::new(), final_status: " ".into(), reason: Some("seen".into()) };
    assert!(room.refusal("dana", 500, empty).contains("final status is empty"));
    room.does("dana", 500, resolve(&[], Some("seen by eye")));
    let resolution = room.incident.resolution.clone().unwrap();
    assert_eq!(resolution.final_status.as_deref(), Some("payments flow again"));

    let close = Command::EnterPhase(Phase::Closed, None);
    let refused = room.refusal("dana", 600, close.clone());
    for missing in
        ["postmortem has no date and owner", "knowledge-base article", "playbook of alipay", "matrix", "templates"]
    {
        assert!(refused.contains(missing), "{missing} in {refused}");
    }
    room.does(
        "dana",
        610,
        Command::SchedulePostmortem(PostmortemScheduled { at: at(90_000), owner: "omid".into(), reason: None }),
    );
    room.does("dana", 620, Command::RecordArticle(ArticleRecorded { url: "https://wiki.example/42".into() }));
    for of in [ReviewOf::Playbook("alipay".into()), ReviewOf::Matrix, ReviewOf::Templates] {
        assert!(matches!(room.ask("dana", 630, close.clone()), Err(Refusal::WantsReason(_))), "before {of:?}");
        room.does("dana", 640, Command::Review(Reviewed { of, outcome: "nothing".into() }));
    }
    room.does("dana", 650, close);
    assert_eq!((room.incident.phase(), room.incident.outcome), (Phase::Closed, Some(Outcome::Done)));
}

#[test]
fn the_article_is_an_address() {
    let mut room = Room::commanded(Severity::Sev1);
    let article = |url: &str| Command::RecordArticle(ArticleRecorded { url: url.into() });
    for wrong in ["", "https://", "see the wiki", "ftp://wiki.example", "https://wiki.example/a b"] {
        assert!(room.refusal("dana", 500, article(wrong)).contains("https://"), "{wrong}");
    }
    room.does("dana", 500, article("https://wiki.example/42"));
    room.does("dana", 600, resolve(&[], Some("seen by eye")));
    assert_eq!(room.due(&Duty::Article), None);
}

#[test]
fn the_postmortem_is_scheduled_within_48_hours_of_the_end() {
    let mut room = Room::commanded(Severity::Sev1);
    let schedule = |seconds: i64, owner: &str| {
        Command::SchedulePostmortem(PostmortemScheduled { at: at(seconds), owner: owner.into(), reason: None })
    };
    assert!(room.refusal("dana", 400, schedule(5_000, "omid")).contains("once the incident is resolved"));
    room.does("dana", 500, resolve(&[], Some("seen by eye")));
    assert_eq!(room.due_after(&Duty::Postmortem), Some(TimeDelta::seconds(500) + TimeDelta::hours(48)));
    let limit = 500 + 48 * 3600;
    assert!(room.refusal("dana", 600, schedule(limit + 1, "omid")).contains("within 48 h"));
    assert!(room.refusal("dana", 600, schedule(499, "omid")).contains("after the end"));
    assert!(room.refusal("dana", 600, schedule(limit, "")).contains("owner is empty"));
    room.does("dana", 600, schedule(limit, "omid"));
    assert_eq!(room.due(&Duty::Postmortem), None);
}

// --- service playbooks

#[test]
fn blubanks_contacts_stand_in_their_order_in_its_playbook() {
    let catalogue = Catalogue::shipped();
    let names: Vec<_> = catalogue.contacts("blubank").iter().map(|contact| contact.name.to_string()).collect();
    assert_eq!(names, ["Banking on-call", "BluBank operations desk", "BluBank escalation manager"]);
}

#[test]
fn yoomoneas_pods_are_scaled_above_80_percent_for_5_minutes() {
    let catalogue = Catalogue::shipped();
    let playbook = catalogue.get("yoomonea").unwrap();
    let step = playbook.step("cpu-usage").unwrap();
    assert_eq!(step.title.as_str(), "Is CPU above 80 % for 5 minutes?");
    let cpu = playbook.objectives.iter().find(|objective| objective.title.contains("CPU")).unwrap();
    assert!((cpu.limit() - 0.8).abs() < 1e-9, "{}", cpu.limit());
    assert_eq!([0.79, 0.81].map(|value| cpu.is_broken_by(value)), [Some(false), Some(true)]);
}

#[test]
fn the_storm_is_shipped_quarterly_and_its_alert_speaks_of_two_seconds() {
    let name = "alipay-timeout-storm";
    let text = Exercise::shipped(name).unwrap();
    assert!(Exercise::parse(name, text).is_ok());
    assert!(text.contains("quarterly") && (text.contains("2 s") || text.contains("2s")), "{text}");
}

// --- afterwards

#[test]
fn a_follow_up_is_owned_until_a_day_and_stays_until_it_is_done_or_dropped_with_a_reason() {
    let mut room = Room::commanded(Severity::Sev2);
    let todo = NoteAdded { kind: NoteKind::Todo, text: "alert on the pool".into(), at: None };
    let item = room.does("li", 200, Command::AddNote(todo));
    room.does("dana", 500, resolve(&[], Some("seen by eye")));
    room.does(
        "dana",
        610,
        Command::SchedulePostmortem(PostmortemScheduled { at: at(90_000), owner: "omid".into(), reason: None }),
    );
    room.does("dana", 620, Command::RecordArticle(ArticleRecorded { url: "https://wiki.example/42".into() }));
    let of = ReviewOf::Playbook("alipay".into());
    room.does("dana", 640, Command::Review(Reviewed { of, outcome: "nothing".into() }));
    let close = Command::EnterPhase(Phase::Closed, None);
    assert!(room.refusal("dana", 650, close.clone()).contains("`alert on the pool` has no owner or no day"));
    let set = |state, owner: Option<&str>, due: Option<&str>, reason: Option<&str>| {
        Command::SetFollowUp(FollowUpSet {
            item: Some(item),
            what: None,
            owner: owner.map(CleanStr::new),
            due: due.map(day),
            state,
            reason: reason.map(CleanStr::new),
        })
    };
    room.does("dana", 660, set(None, Some("omid"), Some("2026-06-11"), None));
    let owed = room.due(&Duty::FollowUp(item)).unwrap();
    assert_eq!((owed.owner.as_deref(), owed.due.to_rfc3339()), (Some("omid"), "2026-06-12T00:00:00+00:00".to_owned()));
    room.clone().does("dana", 670, close);
    let dropped = set(Some(FollowUpState::Dropped), None, None, None);
    assert!(matches!(room.ask("omid", 680, dropped), Err(Refusal::WantsReason(_))));
    room.does("omid", 690, set(Some(FollowUpState::Done), None, None, None));
    assert_eq!(room.due(&Duty::FollowUp(item)), None);
}

#[test]
fn the_playbook_is_reviewed_after_every_incident_and_matrix_and_templates_after_a_major_one() {
    let reviews = |severity| {
        let mut room = Room::commanded(severity);
        room.does("dana", 110, Command::AddService("blubank".into()));
        room.does("dana", 500, resolve(&[], Some("seen by eye")));
        let is_review = |duty: Duty| if let Duty::Review(of) = duty { Some(of) } else { None };
        room.incident.left_to_do().into_iter().filter_map(is_review).collect::<Vec<_>>()
    };
    let playbooks = ["alipay", "blubank"].map(|service| ReviewOf::Playbook(service.into()));
    let all = [playbooks.to_vec(), vec![ReviewOf::Matrix, ReviewOf::Templates]].concat();
    for severity in Severity::ALL {
        let expected = if severity <= Severity::Sev1 { &all[..] } else { &playbooks };
        assert_eq!(reviews(severity), expected, "{severity}");
    }
}

// --- escalation

#[test]
fn the_matrix_names_people_and_definitions_for_each_severity() {
    let matrix = Matrix::default();
    for (severity, definition, people) in [
        (Severity::Sev0, "complete outage or regulatory impact", &["CTO", "Head of Compliance"][..]),
        (
            Severity::Sev1,
            "major functionality loss affecting > 50 % of users",
            &["Director of Engineering", "Director of Product"],
        ),
        (Severity::Sev2, "partial degradation affecting a specific integration", &["integration owners"]),
        (Severity::Sev3, "minor bug or alert noise", &[]),
    ] {
        let named: Vec<_> = matrix.named(severity).iter().map(CleanStr::as_str).collect();
        assert_eq!((severity.definition(), named.as_slice()), (definition, people), "{severity}");
    }
    assert!(matrix.to_tell(Severity::Sev3, &["Payments team".into()]).is_empty());
    for (regulatory, outage) in [(Some(true), false), (None, true)] {
        assert_eq!(propose(regulatory, None, false, outage).unwrap().0, Severity::Sev0);
    }
    assert_eq!(propose(None, None, true, false).unwrap().0, Severity::Sev2);
}

#[test]
fn more_than_half_of_the_users_is_a_sev1_and_half_is_not() {
    let of = |share| propose(None, Some(share), false, false).map(|(severity, _)| severity);
    assert_eq!([50.0, 50.1, 100.0].map(of), [Some(Severity::Sev3), Some(Severity::Sev1), Some(Severity::Sev1)]);
}

#[test]
fn whom_a_severity_names_is_due_from_its_first_second() {
    let mut room = Room::commanded(Severity::Sev2);
    room.does("dana", 200, Command::SetSeverity(Severity::Sev0, None));
    let matrix = Matrix::default();
    room.tell = matrix.to_tell(Severity::Sev0, &[]).into_iter().map(|contact| contact.position).collect();
    assert_eq!(
        room.tell.iter().map(CleanStr::as_str).collect::<Vec<_>>(),
        ["CTO", "Head of Compliance", "Director of Engineering", "Director of Product"]
    );
    let cto = Duty::Tell("CTO".into());
    let due = room.due(&cto).unwrap();
    assert_eq!((due.start, due.urgency(at(200))), (at(200), Urgency::Soon), "immediately: amber at once");
    let told = |severity| Command::MarkTold(PersonTold { position: "CTO".into(), severity, how: None });
    room.does("dana", 230, told(Severity::Sev0));
    assert_eq!(room.due(&cto), None);
    assert!(room.refusal("omid", 240, told(Severity::Sev0)).contains("dana told the CTO"));
}

#[test]
fn a_sev3_goes_to_the_backlog_and_a_false_alarm_says_how_it_is_known() {
    let close = |outcome, reason: Option<&str>| Command::CloseAs(outcome, reason.map(CleanStr::new));
    for (severity, outcome) in [(Severity::Sev3, Outcome::Backlog), (Severity::Sev1, Outcome::FalseAlarm)] {
        let mut room = Room::declared(severity);
        assert!(matches!(room.ask("dana", 70, close(outcome, None)), Err(Refusal::WantsReason(_))), "{outcome:?}");
        room.does("dana", 80, close(outcome, Some("OPS-17")));
        assert_eq!((room.incident.phase(), room.incident.outcome), (Phase::Closed, Some(outcome)));
        assert!(room.all_due().is_empty(), "nothing follows from it");
    }
    let room = Room::declared(Severity::Sev2);
    assert!(room.refusal("dana", 70, close(Outcome::Backlog, Some("OPS-17"))).contains("only a SEV3"));
}

// --- templates

fn sample() -> Facts {
    Facts::sample(at(0), chrono_tz::UTC)
}

#[test]
fn both_communication_templates_come_out_letter_by_letter() {
    let templates = Templates::shipped();
    let facts = sample();
    let text = |audience| templates.render(audience, Status::Investigating, &facts).unwrap().text.to_string();
    // The runbook's own words, with the placeholders filled in.
    let blocks: Vec<&str> = RUNBOOK.split("```").skip(1).step_by(2).map(str::trim).collect();
    assert_eq!(blocks.len(), 2);
    let next = (at(0) + TimeDelta::minutes(15)).format("%H:%M UTC").to_string();
    let slack = blocks[0]
        .replace("{{INCIDENT_ID}}", &facts.incident_id.unwrap().to_string())
        .replace("{{SERVICE}}", &facts.services[0].name)
        .replace("{{SUMMARY}}", facts.summary.as_ref().unwrap())
        .replace("{{CURRENT_ACTION}}", facts.current_action.as_ref().unwrap());
    assert_eq!(text(Audience::Slack), slack.replace("{{TIME}}", &next));
    let public = facts.services[0].public.as_ref().unwrap();
    assert_eq!(text(Audience::External), blocks[1].replace("{{SERVICE}}", public));
}

// --- measures and ownership

#[test]
fn the_targets_are_below_5_minutes_to_acknowledge_and_below_30_to_resolve() {
    let cadence = Cadence::default();
    assert_eq!(cadence.acknowledge, TimeDelta::minutes(5));
    let thirty = Some(TimeDelta::minutes(30));
    // SEV0 is not named; what is worse is not given more time.
    assert_eq!(Severity::ALL.map(|severity| resolve_target(Some(severity), &cadence)), [thirty, thirty, thirty, None]);
    for (seconds, is_below) in [(299, true), (300, false)] {
        let mut room = Room::declared(Severity::Sev1);
        room.does("dana", 90, Command::TakeRole(seat(Role::IncidentCommander)));
        room.does("dana", seconds, Command::Acknowledge);
        room.does("dana", seconds * 6, resolve(&[], Some("seen by eye")));
        let measures = measures(&room.incident, &cadence, at(9_000));
        assert_eq!(measures.acknowledge.is_below(cadence.acknowledge), Some(is_below), "{seconds}");
        assert_eq!(measures.resolve.is_below(cadence.resolve), Some(is_below), "{seconds}");
        assert_eq!(room.incident.milestone(Milestone::Resolved), Some(at(seconds * 6)));
    }
}

#[test]
fn matrix_and_templates_are_the_reliability_engineering_leads() {
    let owner = "Reliability Engineering Lead";
    assert_eq!(Matrix::default().owner, *owner);
    assert!(Templates::shipped().iter().all(|template| template.owner == *owner));
    for playbook in Catalogue::shipped().iter() {
        assert!(!playbook.owner.is_blank(), "{}", playbook.service);
        assert_eq!(playbook.review_every, Frequency::Quarterly, "{}", playbook.service);
    }
    let matrix = Matrix { reviewed: Some(day("2026-08-01")), ..Matrix::default() };
    assert_eq!([day("2026-11-01"), day("2026-11-02")].map(|today| matrix.review_overdue(today)), [None, Some(1)]);
}
