//! warroom: a full-screen terminal console in which a payments company runs a production incident.
//!
//! This page is the map. It says what is where, what never happens, and what is not here on purpose.
//!
//! # Data flow
//!
//! ```text
//!    people                 outside                       other consoles
//!      │ keys, paste, resize   │ HTTP                        │ their entries
//!      ▼                       ▼                             ▼
//! ┌──────────────────────── run (async code lives in the shell only) ────────────┐
//! │  input            source tasks       blocking pool     journal       timers  │
//! │      └───────────────────┴─────── Msg ─────┴──────────────┘             │    │
//! │                                    │  (+ the wall clock's time)          │    │
//! └────────────────────────────────────┼─────────────────────────────────────┼───┘
//!                                      ▼                                     │
//!         Console::handle(msg, wall) -> Effects             next_wake() ─────┘
//!           │ key → actions / the focused pane's Acts → Intent
//!           │ Intent::Command → incident::decide(&incident, command) → Events | Refusal (a notice)
//!           │ Msg::Journal(Entries) → Incident::apply               (total, never fails)
//!           │ Msg::Source(report)   → Live::take(report, wall)      (bounded, aged)
//!           ▼
//!         Effects (data) ──► run::shell performs them ──► answers come back as Msg
//!                                      │
//!         begin_frame(wall) → dirty parts → draw(wall, dirty, buffer) → run::encoder → the terminal
//! ```
//!
//! What somebody records is not applied at once: [`console::Effect::Append`] goes out, the entry comes back through the journal like everybody
//! else's, and only then is it state. One path for own and foreign entries; what you see is what is on disk.
//!
//! # Layers
//!
//! Arrows point down only; `tests/it/layers.rs` reads the sources and enforces it, `.clippy.toml` names every `now()` that only [`clock`] may call.
//!
//! ```text
//! main → cli → run ─┬→ console ─→ pane ─→ widget ─→ theme
//!                   ├→ journal ──────┐      │
//!                   ├→ channel ──────┤      │   (channel uses source's HTTP)
//!                   ├→ source ───────┤      │
//!                   ├→ runner ───────┤      │
//!                   └→ config ───────┴──────┴──→ domain   (config reads what the channels are)
//! ```
//!
//! | layer | modules | rule |
//! |---|---|---|
//! | domain | [`incident`], [`alert`], [`change`], [`escalation`], [`oncall`], [`output`], [`playbook`], [`slo`], [`spans`], [`live`], [`reach`], [`report`], [`resolution`], [`template`], [`checkup`], [`text`], [`exercise`] | pure: no I/O, async, clock, lock or channel; the time is an argument |
//! | widget, theme | [`widget`], [`theme`] | ratatui; know no domain but text |
//! | pane | [`pane`], one file each | returns intents; holds no sender, client, clock or other pane |
//! | console | [`console`] | the whole screen as a value; [`console::effect`] holds the two closed vocabularies |
//! | shell | [`run`], [`journal`], [`runner`], [`source`], [`channel`], [`config`], [`cli`], [`clock`], [`vault`] | everything impure |
//!
//! # Invariants
//!
//! Invariant: the fold is total and order-independent. Any set of entries, in any arrival order, with duplicates, gives one [`incident::Incident`];
//! nothing in it returns a `Result`. Entries that make no sense are kept and counted; entries of a newer build are kept as unrecognised.
//!
//! Invariant: only [`incident::command::decide`] refuses, with a sentence for a person.
//!
//! Invariant: what belongs to the open record is one value of the console and is replaced whole when another is opened; nothing that was learnt, told or
//! asked of one record is known, told or asked of the next.
//!
//! Invariant: drawing is a function of the console and the time; a frame that is skipped or repeated changes nothing.
//!
//! Invariant: the loop awaits nothing but its `select!`, and every arm may be dropped without losing anything. Files, big parses, `fdatasync` and
//! certificates belong to other threads.
//!
//! Invariant: text from outside is a [`text::CleanStr`], made once where it enters: as it was written, without control characters. What a screen shows
//! of it is [`text::shown`], made where it is measured ([`widget::text`]); the encoder is the last barrier, not the first.
//!
//! Invariant: a source can be down, slow, lying or huge, and quitting still takes less than 100 ms.
//!
//! Invariant: there is no tick. The loop sleeps until input, data, a task's end, or the next moment at which something shown changes; only the
//! nearest deadline counts seconds, everything else is in minutes. A terminal that is another session's (`su -c`) tells
//! nobody of its size: only there it is asked for once a second.
//!
//! Invariant: a command is in the record before it starts, exactly as it was shown and confirmed, and its folder beside the journal is made once:
//! nothing runs twice, and what nobody knows is said to be unknown. What a drill puts into staging has a keeper first ([`run::keeper`]). Its words are a [`text::Exact`], byte for byte; its dialog takes no key before it can
//! have been read, and what changed since then does not run. It runs under a helper process of its own ([`runner`]), without shell and
//! terminal, and every console of its machine follows it; no secret, card number or token reaches the disk: a [`journal::NewEntry`]
//! is masked as it is made, whatever its event ([`text::mask`], [`vault`]).
//!
//! Invariant: a console acts on what was confirmed in its own process and came back from the record as it was confirmed, and on nothing else: what
//! stands in the file is shown, and is never an order. What this account's processes wrote is known from its own folder ([`journal::ledger`]). An object of
//! another system that only the record names is asked for by its mark before anything goes there. `SECURITY.md` says what that promises and what not.
//!
//! Invariant: a folder that another account can write is gone into through [`journal::Folder`] alone: no link is followed, no pipe waited for, and whose
//! a file is decides what is believed of it.
//!
//! Invariant: what goes out is in the record as `sending` directly before its first byte leaves, after all that is only asked ([`source::gate`]); of a
//! delivery at most one console is sending, and what may
//! have arrived is looked for before it is sent again ([`incident::delivery`]).
//!
//! # What is not here, and why
//!
//! No `Terminal` of ratatui and no event stream of crossterm: the first blocks in `write` as long as nobody reads, the second spins when the terminal
//! is gone. [`run::tty`], [`run::screen`], [`run::encoder`] and [`run::input`] take their place; ratatui's buffer, text and styles and crossterm's
//! events and key codes are used throughout.
//!
//! No access control: roles are an interlock and a record; whoever can write the journal's folder can change the record, and runs nothing by it. No SSH server: OpenSSH does it better. No
//! listener in a console: what others do is asked for. `warroom listen` takes signed changes ([`run::intake`]), and `gameday serve` shows a drill's world
//! ([`run::served`]), both on this machine's own address.
//!
//! # What a change touches
//!
//! | to add | touch |
//! |---|---|
//! | a system that we read | `src/source/x.rs` and its line in [`source::SOURCES`] |
//! | a system that we write to | `src/channel/x.rs` and its line in [`channel::CHANNELS`]; its [`channel::ChannelSpec`] says what the configuration, the starter file, doctor and the rehearsal know of it |
//! | a pane | `src/pane/x.rs` and its line in [`pane::PANES`]; focus, help, palette and README's key table iterate it |
//! | a kind of playbook step | `src/playbook/step.rs`, what it offers in `src/console/overlay/step.rs` |
//! | a key | one `Act` line in its pane's table, or one line in `console/actions.rs` |
//! | a service, theme, exercise | one TOML file in `playbooks/`, `themes/`, `playbooks/gameday/` |
//! | a variable of the templates | its line in [`template::VARIABLES`] and its arm in `template/facts.rs` |
//! | an event of the journal | its body and its line in `events!`, and its arms in the fold and in `timeline::wording`: no wildcard arms |
//!
//! # Words
//!
//! | field term | meaning here | Rust |
//! |---|---|---|
//! | incident, severity, phase | what is being handled; SEV0–SEV3; Detected, Acknowledged, Triage, Mitigating, Resolved, Post-incident, Closed | [`incident::Incident`], [`incident::Severity`], [`incident::Phase`] |
//! | Incident Commander, Communications Lead, SME, Scribe | the runbook's roles; a seat is a role and, of an SME, a component | [`incident::Role`], [`incident::Seat`] |
//! | journal, entry, event | the record; a stamped line in it; the fact inside | [`journal::Journal`], [`incident::Entry`], [`incident::Event`] |
//! | command, refusal | what a person asks; why not | [`incident::Command`], [`incident::Refusal`] |
//! | timeline, note, amendment | the scribe's reading of the journal | [`incident::Timeline`], [`incident::NoteAdded`], [`incident::NoteAmended`] |
//! | status update, cadence, obligation | what goes out; the runbook's times; anything with a deadline | [`incident::StatusUpdate`], [`incident::Cadence`], [`incident::Obligation`] |
//! | impact, window, stretch | when customers hurt: as it was recorded, of the whole or of one service; a time without a break in which somebody did | [`incident::Impact`], [`incident::Window`], [`incident::Stretch`] |
//! | template, remark, promise | what drafts an update for an audience and a status; what its check says; the time that a text names for the next one | [`template::Template`], [`template::Remark`], [`template::promise`] |
//! | playbook, step | the checked list of a service; a line of it ("runbook" is the company's document) | [`playbook::Playbook`], [`playbook::Step`] |
//! | run, order, vouching | a command that was started; what was frozen and confirmed; a second person's word for it | [`incident::Run`], [`incident::CommandStarted`], [`incident::CommandVouched`] |
//! | objective, burn rate, window | as in the SRE workbook | [`slo::Objective`] |
//! | symptom, breach | a linked alert or an objective in scope while it is wrong; an objective outside its limit | [`incident::Symptom`], [`incident::SymptomEnded`] |
//! | series, resolution | Prometheus' (its `step` is our resolution) | [`slo::Series`], [`slo::Grid`] |
//! | alert, burst | what Prometheus or Alertmanager says is wrong; several that began together | [`alert::Alert`], [`alert::Burst`] |
//! | error span, trace | Jaeger's | [`spans::Span`], [`spans::Trace`] |
//! | delivery, act, parcel, receipt | something that another system is to do; what that is; what is handed over; what the system said | [`incident::Delivery`], [`incident::Act`], [`incident::Parcel`], [`incident::Receipt`] |
//! | reach, route, tracker, room | what can be told from here; where a channel leads; a system that keeps incidents; an incident's own chat channel | [`reach::Reach`], [`incident::Route`], [`reach::Tracker`], [`reach::Rooms`] |
//! | news, foreign | what others did in another system, as it comes in and as it was noted | [`incident::News`], [`incident::Foreign`] |
//! | finding | a line of `warroom doctor` | [`checkup::Finding`] |
//! | console | one running warroom | [`console::Console`] |
//! | source, report | what we read | [`source::Source`], [`live::Report`] |
//! | pane, overlay, focus, chord | the screen | [`pane::Pane`], `overlay::Overlay`, [`console::keys::Chord`] |
//! | rotation, shift, watch | who has which week; the stretch in which one person is on call | [`oncall::Rotation`], [`oncall::Shift`], [`oncall::Watch`] |
//! | escalation matrix | whom each severity tells | [`escalation::Matrix`] |
//! | change | a deploy, a flag, a Terraform apply: what may have caused it | [`change::Change`] |
//! | exercise, drill | a GameDay file; a run of it | [`exercise::Exercise`], [`incident::DrillStarted`] |
//! | world, inject, hint | what an exercise simulates; somebody who gets in touch; help for a room that is stuck | [`exercise::World`], [`exercise::Inject`], [`exercise::Hint`] |
//! | staging, staged | where a drill is played in earnest, and how it proved to be that; what the exercise puts there and takes back | [`incident::Staging`], [`exercise::Staged`] |
//! | keeper, guard | a process that takes one thing back from staging though every console is closed; a value that stops a drill | [`exercise::staged::Keep`], [`exercise::staged::Guard`] |
//! | facilitator, aside, score | who runs a drill beside its players; a note that they do not see; a criterion as people judge it | [`incident::Facilitation`] |
//! | outcome, capture | what an exit status means; what of an output is kept for later steps | [`incident::Judging`] |
//! | debrief, slot | each success criterion, met or not; an exercise with its runs and its due day | [`exercise::debrief::Debrief`], [`exercise::schedule::Slot`] |
//! | cast, stand-in | an exercise's people, who call back; one of them who holds a role until a person takes it | [`exercise::cast`], [`incident::Facts::played`] |

#![warn(missing_docs)]

pub mod alert;
pub mod change;
pub mod channel;
pub mod checkup;
pub mod cli;
pub mod clock;
pub mod config;
pub mod console;
pub mod escalation;
pub mod exercise;
pub mod incident;
pub mod journal;
pub mod live;
pub mod oncall;
pub mod output;
pub mod pane;
pub mod playbook;
pub mod reach;
pub mod report;
pub mod resolution;
pub mod run;
pub mod runner;
pub mod slo;
pub mod source;
pub mod spans;
pub mod template;
pub mod text;
pub mod theme;
pub mod vault;
pub mod widget;
