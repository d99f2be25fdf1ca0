//! `warroom gameday`: the exercises, their schedule, and their debriefs.

use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use serde_json::json;

use super::answers::{opened, place, read_record};
use super::start::{self, FIRST_EXERCISE};
use super::{Ending, Screen, print, say_error, speed};
use crate::config::{Config, Inputs, files};
use crate::exercise::debrief::{Debrief, End, Verdict};
use crate::exercise::schedule::{Slot, debrief_of, debrief_or_why, schedule};
use crate::exercise::{Exercise, SHIPPED};
use crate::incident::review::{Reminder, reminders};
use crate::incident::{Clock, IncidentId, Series, Staging};
use crate::journal::{JournalDir, JournalError};
use crate::run::clock;
use crate::run::served::{self, Served};
use crate::run::staging::prove;
use crate::text::CleanStr;
use crate::widget::text::wrap;

/// What `warroom gameday` is told; an exercise alone runs it.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Gameday {
    #[command(subcommand)]
    command: Option<GamedaySub>,
    #[command(flatten)]
    run: RunArgs,
}

#[derive(Debug, Subcommand)]
enum GamedaySub {
    /// Show the pre-brief, and run an exercise when Enter is pressed
    Run(Box<RunArgs>),
    /// List the exercises: how often they are due, and when they were practised last
    List {
        /// As JSON: {"exercises":[{"name":…,"due":…}]}
        #[arg(long)]
        json: bool,
    },
    /// Print the pre-brief: goals, success criteria, roles
    Brief {
        /// An exercise that ships with warroom, or a file
        #[arg(default_value = FIRST_EXERCISE)]
        exercise: String,
    },
    /// Look whether exercise files are right; without a file, those that ship with warroom
    Check {
        /// The files
        files: Vec<String>,
    },
    /// Print an exercise to begin a file of your own with
    New {
        /// Whose playbook is practised
        service: String,
    },
    /// Print the debrief of a drill: each success criterion, met or not
    Debrief {
        /// DRILL-3; without, the last one
        drill: Option<IncidentId>,
        /// As JSON: {"drill":…,"criteria":[{"what":…,"verdict":…}]}
        #[arg(long)]
        json: bool,
        /// Into this folder instead, as DRILL-3-debrief.md; a file that is there stays as it is
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
    /// Print one table for several teams: each success criterion of an exercise, as each drill met it
    Teams {
        /// DRILL-3 DRILL-4 …; without, the drills of the newest one's exercise that began within 12 hours of it
        drills: Vec<IncidentId>,
    },
    /// Serve an exercise's world as a Prometheus and a Jaeger would, on this machine's own address; ends with Ctrl-C
    Serve {
        /// An exercise that ships with warroom, or a file
        #[arg(default_value = FIRST_EXERCISE)]
        exercise: String,
        /// The world of this drill instead, with the steps that are done in it
        #[arg(long, conflicts_with_all = ["exercise", "seed", "speed"])]
        drill: Option<IncidentId>,
        /// The same seed gives the same world
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Seconds of the exercise in one second
        #[arg(long, default_value_t = 1.0, value_parser = speed)]
        speed: f64,
        /// The address, of this machine alone
        #[arg(long, default_value = "127.0.0.1:9099")]
        address: SocketAddr,
    },
    /// Print a calendar file (.ics) of when each exercise is due
    Calendar,
}

#[derive(Debug, Args)]
struct RunArgs {
    /// An exercise that ships with warroom, or a file [default: alipay-timeout-storm]
    exercise: Option<String>,
    /// The same seed gives the same world
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Seconds of the exercise in one second
    #[arg(long, default_value_t = 1.0, value_parser = speed)]
    speed: f64,
    /// The world stands still after its first paint: for measuring
    #[arg(long)]
    frozen: bool,
    /// In the staging environment of the configuration (its `[staging]` section), on its servers, after it was proved to be one
    #[arg(long, conflicts_with_all = ["seed", "speed", "frozen"])]
    live: bool,
    /// The team's name, where several play the same exercise at once: `gameday teams` holds them against each other
    #[arg(long, value_name = "NAME")]
    team: Option<CleanStr>,
    #[command(flatten)]
    screen: Screen,
}

impl RunArgs {
    fn name(&self) -> &str {
        self.exercise.as_deref().unwrap_or(FIRST_EXERCISE)
    }
}

impl Gameday {
    /// Whether it writes something that stays though the answer cannot be printed.
    pub(super) fn does(&self) -> bool {
        match &self.command {
            Some(GamedaySub::Debrief { out, .. }) => out.is_some(),
            // A console tells what happens in it itself.
            None | Some(GamedaySub::Run(_)) => false,
            Some(
                GamedaySub::List { .. }
                | GamedaySub::Brief { .. }
                | GamedaySub::Check { .. }
                | GamedaySub::New { .. }
                | GamedaySub::Teams { .. }
                | GamedaySub::Serve { .. }
                | GamedaySub::Calendar,
            ) => false,
        }
    }

    /// The flags of the console, where one is opened.
    pub(super) fn screen(&self) -> Screen {
        match &self.command {
            None => self.run.screen.clone(),
            Some(GamedaySub::Run(run)) => run.screen.clone(),
            Some(_) => Screen::default(),
        }
    }
}

pub(super) fn gameday(config: &Config, asked: Gameday, inputs: &Inputs) -> Result<ExitCode, Ending> {
    match asked.command {
        // Whoever names nothing wants to see the program at once.
        None if asked.run.exercise.is_none() && !asked.run.live => run(config, asked.run, inputs),
        None => brief_and_run(config, asked.run, inputs),
        Some(GamedaySub::Run(args)) => brief_and_run(config, *args, inputs),
        Some(GamedaySub::List { json }) => list(config, json),
        Some(GamedaySub::Brief { exercise }) => print(&read(&exercise)?.briefing(None)),
        Some(GamedaySub::Check { files }) => check(config, &files),
        Some(GamedaySub::New { service }) => begin(config, &service),
        Some(GamedaySub::Teams { drills }) => tell_teams(config, &drills),
        Some(GamedaySub::Debrief { drill, json, out }) => tell_debrief(config, drill, json, out),
        Some(GamedaySub::Calendar) => calendar(config),
        Some(GamedaySub::Serve { exercise, drill, seed, speed, address }) => {
            let served = match drill {
                Some(id) => of_drill(config, id)?,
                None => {
                    let (start, catalogue) = (clock::wall(), files::catalogue(&config.playbooks));
                    let clock = Clock::new(start, speed);
                    Served { exercise: read(&exercise)?, seed, clock, start, catalogue, drill: None }
                }
            };
            serve(served, address)
        }
    }
}

fn run(config: &Config, args: RunArgs, inputs: &Inputs) -> Result<ExitCode, Ending> {
    begin_drill(config, args, None, inputs)
}

fn begin_drill(config: &Config, args: RunArgs, staging: Option<Staging>, inputs: &Inputs) -> Result<ExitCode, Ending> {
    let name = args.name().to_owned();
    let RunArgs { exercise: _, seed, speed, frozen, live: _, team, screen } = args;
    let is_seen = std::io::stdout().is_terminal() && !frozen && !screen.plain;
    // No file is looked at before the first frame: afterwards the drill that began since is known by its time.
    let begun = clock::wall();
    let ended = start::gameday(config, &start::Exercise { name, seed, speed, frozen, staging, team }, &screen, inputs)?;
    if let Some(words) = is_seen.then(|| farewell(config, begun)).flatten() {
        // A terminal that is gone hears nothing, and that is no failure of the drill.
        let _ = print(&words);
    }
    Ok(ended)
}

/// The newest drill that is recorded.
fn last_drill(dir: &JournalDir) -> Result<Option<IncidentId>, JournalError> {
    Ok(dir.ids()?.into_iter().rev().find(|id| id.series == Series::Drill))
}

/// How the drill stands that somebody began and leaves, and where it is found again; nothing where none was begun.
fn farewell(config: &Config, begun: DateTime<Utc>) -> Option<String> {
    let look = || -> anyhow::Result<Option<Debrief>> {
        let dir = place(config).open()?;
        let Some(id) = last_drill(&dir)? else { return Ok(None) };
        let debrief = debrief_or_why(&read_record(&dir, id)?, &config.cadence, clock::wall());
        debrief.map(Some).map_err(anyhow::Error::msg)
    };
    let debrief = match look() {
        Ok(debrief) => debrief.filter(|debrief| debrief.start >= begun)?,
        Err(error) => return Some(format!("how the drill stands is not known: {error:#}")),
    };
    let (id, (met, of)) = (debrief.id, debrief.score());
    let back = if debrief.end == End::Running { format!("; `warroom open {id}` goes back") } else { String::new() };
    let end = debrief.end.word();
    Some(format!("{id} {end}: {met} of {of} success criteria met{back}; `warroom gameday debrief {id}` tells each"))
}

/// Shows the pre-brief until Enter, where somebody can press it; what touches staging is never begun without.
fn brief_and_run(config: &Config, args: RunArgs, inputs: &Inputs) -> Result<ExitCode, Ending> {
    let is_seen = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    let wants_no_keys = args.frozen || args.screen.plain || args.screen.wall;
    if !args.live && (!is_seen || wants_no_keys) {
        return run(config, args, inputs);
    }
    let exercise = read(args.name())?;
    let mut staging = if args.live { Some(staging_of(config, &exercise)?) } else { None };
    let briefing = format!("{}\n\nEnter starts the drill, Ctrl+C leaves.", exercise.briefing(staging.as_ref()));
    for page in pages(&briefing, rustix::termios::tcgetwinsize(std::io::stdout()).ok()) {
        print(&page)?;
        if !entered()? {
            return Ok(ExitCode::SUCCESS);
        }
    }
    if let Some(staging) = &mut staging {
        staging.is_briefed = true;
    }
    begin_drill(config, args, staging, inputs)
}

/// A text for a window, page by page: words stay whole, and nothing scrolls away before it was read.
fn pages(text: &str, window: Option<rustix::termios::Winsize>) -> Vec<String> {
    let Some(window) = window.filter(|window| window.ws_col > 0 && window.ws_row > 0) else {
        return vec![text.to_owned()];
    };
    let lines = wrap(text, usize::from(window.ws_col));
    // One line for what Enter does, one for the cursor.
    let rows = usize::from(window.ws_row).saturating_sub(2).max(1);
    let count = lines.len().div_ceil(rows);
    let page = |(place, rows): (usize, &[String])| {
        let more = if place + 1 < count { "\n- Enter shows more -" } else { "" };
        format!("{}{more}", rows.join("\n"))
    };
    lines.chunks(rows).enumerate().map(page).collect()
}

/// Whether somebody pressed Enter. Nothing more is read than that line: what follows belongs to the console.
fn entered() -> Result<bool, Ending> {
    let mut letter = [0_u8];
    loop {
        match rustix::io::read(std::io::stdin(), &mut letter) {
            Ok(0) => return Ok(false),
            Ok(_) if letter == *b"\n" || letter == *b"\r" => return Ok(true),
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(Ending::Failure(error.to_string())),
        }
    }
}

/// The staging environment of the configuration, once it has proved to be one.
fn staging_of(config: &Config, exercise: &Exercise) -> Result<Staging, Ending> {
    let refused = |why: String| Ending::Usage(why);
    let staging = config.staging.as_ref().ok_or_else(|| {
        refused("no staging environment is configured: [staging] in the configuration says where it is and how it is known to be one".to_owned())
    })?;
    if exercise.staging.is_empty() {
        return Err(refused(format!("{} puts nothing into staging: add [[staging]] to its file", exercise.name)));
    }
    if let Some(why) = staging.is_production(config) {
        return Err(refused(why));
    }
    let proof = prove(&start::endpoint(&staging.prometheus), &start::marks(staging)).map_err(Ending::Failure)?;
    let prometheus = CleanStr::new(&staging.prometheus.url.to_string());
    Ok(Staging { prometheus, proof, is_briefed: false })
}

/// The world of a drill, as its record says.
fn of_drill(config: &Config, id: IncidentId) -> Result<Served, Ending> {
    let record = read_record(&opened(config)?, id)?;
    let drill = record.drill.as_ref().ok_or_else(|| Ending::Usage(format!("{id} is no drill")))?;
    let exercise = Exercise::of(drill)
        .ok_or_else(|| Ending::Usage(format!("this warroom does not have the exercise {}", drill.exercise)))?
        .map_err(|flaw| Ending::Usage(flaw.to_string()))?;
    Ok(Served {
        exercise,
        seed: drill.seed,
        clock: record.clock(),
        start: drill.start,
        catalogue: files::catalogue(&config.playbooks),
        drill: Some((place(config), id)),
    })
}

fn serve(served: Served, address: SocketAddr) -> Result<ExitCode, Ending> {
    let runtime = crate::run::lacking::runtime()?;
    let title = served.exercise.title.clone();
    let ready = |at| {
        // Whoever started it may not listen.
        let _ = print(&format!("the world of {title}, for --prometheus and --jaeger, is at http://{at}"));
    };
    runtime.block_on(served::run(served, address, ready)).map(|()| ExitCode::SUCCESS).map_err(Ending::Failure)
}

fn read(name: &str) -> Result<Exercise, Ending> {
    files::exercise(name).map(|(exercise, _)| exercise).map_err(|error| Ending::Usage(error.to_string()))
}

/// One table for several teams.
fn tell_teams(config: &Config, drills: &[IncidentId]) -> Result<ExitCode, Ending> {
    let (all, left_out) = super::after::all(&place(config).open()?)?;
    let now = clock::wall();
    let mut told: Vec<(CleanStr, Debrief)> = all
        .iter()
        .filter_map(|record| Some((record.title.clone(), debrief_of(record, &config.cadence, now)?)))
        .collect();
    if drills.is_empty() {
        let Some(newest) = told.iter().map(|(_, one)| one).max_by_key(|one| one.start).cloned() else {
            return Err(match left_out.is_empty() {
                true => Ending::Usage(NO_DRILL.to_owned()),
                false => Ending::Failure("which drills are recorded here is not known: see above".to_owned()),
            });
        };
        let near = |one: &Debrief| (newest.start - one.start).abs() <= TEAMS_WITHIN && one.exercise == newest.exercise;
        told.retain(|(_, one)| near(one));
    } else {
        told.retain(|(_, one)| drills.contains(&one.id));
        if let Some(id) = drills.iter().find(|id| !told.iter().any(|(_, one)| one.id == **id)) {
            let record = all.iter().find(|record| record.id() == *id);
            let why = record.and_then(|record| debrief_or_why(record, &config.cadence, now).err());
            return Err(match why {
                Some(why) => Ending::Usage(why),
                None => Ending::Failure(format!("{id} is not among the records that can be read")),
            });
        }
    }
    print(&together(&told))
}

/// What is said where a drill is asked for and none was played.
const NO_DRILL: &str = "no drill is recorded here: warroom gameday runs one";

/// Drills that began within so long of each other are of several teams.
const TEAMS_WITHIN: chrono::TimeDelta = chrono::TimeDelta::hours(12);

/// The criteria of several drills, side by side, in Markdown.
fn together(told: &[(CleanStr, Debrief)]) -> String {
    let cell = |text: &str| text.replace('|', "\\|").replace('\n', " ");
    let row = |cells: Vec<String>| format!("| {} |", cells.join(" | "));
    let heading = told.iter().map(|(title, one)| {
        let team = title.rsplit_once("(team ").and_then(|(_, name)| name.strip_suffix(')'));
        team.map_or_else(|| one.id.to_string(), |team| format!("{} {}", one.id, cell(team)))
    });
    let mut lines = vec![row(std::iter::once("criterion".to_owned()).chain(heading).collect())];
    lines.push(row(vec!["---".to_owned(); told.len() + 1]));
    let mut criteria: Vec<&CleanStr> = Vec::new();
    for what in told.iter().flat_map(|(_, one)| one.criteria.iter().map(|(what, _)| what)) {
        if !criteria.contains(&what) {
            criteria.push(what);
        }
    }
    for what in criteria {
        let verdict = |(_, one): &(CleanStr, Debrief)| {
            let known = one.criteria.iter().find(|(known, _)| known == what);
            match known.map(|(_, verdict)| verdict) {
                Some(Verdict::Met(how)) => format!("met: {}", cell(how)),
                Some(Verdict::Missed(why)) => format!("**MISSED**: {}", cell(why)),
                Some(Verdict::NotReached(why)) => format!("not reached: {}", cell(why)),
                Some(Verdict::Open) => "open".to_owned(),
                None => "-".to_owned(),
            }
        };
        lines.push(row(std::iter::once(cell(what)).chain(told.iter().map(verdict)).collect()));
    }
    let score = |(_, one): &(CleanStr, Debrief)| {
        let (met, of) = one.score();
        format!("{met} of {of}, {} hints, {}", one.hints, one.end.word())
    };
    lines.push(row(std::iter::once("all".to_owned()).chain(told.iter().map(score)).collect()));
    lines.join("\n")
}

/// What became of each drill that is recorded, and why that is not said of some.
fn debriefs(config: &Config) -> Result<(Vec<Debrief>, Vec<String>), Ending> {
    let (records, mut unread) = super::after::all(&opened(config)?)?;
    unread.retain(|why| why.starts_with(Series::Drill.prefix()));
    let mut debriefs = Vec::new();
    for record in records.iter().filter(|record| record.drill.is_some()) {
        match debrief_or_why(record, &config.cadence, clock::wall()) {
            Ok(debrief) => debriefs.push(debrief),
            Err(why) => {
                say_error(&why);
                unread.push(why);
            }
        }
    }
    Ok((debriefs, unread))
}

fn list(config: &Config, as_json: bool) -> Result<ExitCode, Ending> {
    let (debriefs, unread) = debriefs(config)?;
    let slots = schedule(Exercise::all_shipped(), &debriefs, clock::wall());
    // They want somebody: they run on, or left something in staging.
    let open: Vec<_> =
        debriefs.iter().filter(|drill| drill.end == End::Running || !drill.standing.is_empty()).collect();
    if as_json {
        let rows = slots.iter().map(|slot| {
            json!({ "name": slot.exercise.name, "title": slot.exercise.title, "service": slot.exercise.service,
                    "frequency": slot.exercise.frequency.name(), "due": slot.due, "is_due": slot.is_due,
                    "practised": slot.practised, "abandoned": slot.abandoned, "in_staging": slot.counted,
                    "last": slot.last.as_ref().map(debrief_json) })
        });
        let open: Vec<_> = open.into_iter().map(debrief_json).collect();
        let exercises = rows.collect::<Vec<_>>();
        return print(&json!({ "exercises": exercises, "open": open, "not_read": unread }).to_string());
    }
    for slot in &slots {
        let Slot { exercise, last, .. } = slot;
        let due = if slot.is_due { "DUE NOW".to_owned() } else { format!("due {}", slot.due) };
        let last = last.as_ref().map_or_else(
            || match unread.is_empty() {
                true => "never practised".to_owned(),
                false => "not known whether it was practised: not every drill can be read".to_owned(),
            },
            |run| {
                let (met, of) = run.score();
                let place = match (run.counts(), &run.staging) {
                    (true, _) => "in staging",
                    (false, Some(_)) => "in staging, debrief not filed,",
                    (false, None) => "practised",
                };
                format!("{place} {} ({}: {met} of {of} met)", run.start.format("%Y-%m-%d"), run.id)
            },
        );
        let left = if slot.abandoned > 0 { format!(", {} abandoned", slot.abandoned) } else { String::new() };
        print(&format!("{:<27} {:<12} {due:<15} {last}{left}", exercise.name, exercise.frequency.name()))?;
    }
    for drill in &open {
        let runs = if drill.end == End::Running {
            format!("runs since {}", drill.start.format("%Y-%m-%d %H:%M UTC"))
        } else {
            drill.end.word().to_owned()
        };
        let left = match drill.standing.as_slice() {
            [] => String::new(),
            standing => format!("; STILL IN STAGING: {}, which `staging` there takes back", standing.join(", ")),
        };
        print(&format!("{} {runs}, {}: `warroom open {}`{left}", drill.id, drill.title, drill.id))?;
    }
    print(
        "simulated runs are practice: the runbook counts runs in staging (`gameday run NAME --live`) with a pre-brief and a filed debrief",
    )
}

/// What an exercise names that no playbook has.
fn check(config: &Config, files: &[String]) -> Result<ExitCode, Ending> {
    let catalogue = crate::config::files::catalogue(&config.playbooks);
    let shipped = || SHIPPED.iter().map(|(name, ..)| (*name).to_owned()).collect();
    let names: Vec<String> = if files.is_empty() { shipped() } else { files.to_vec() };
    let mut is_wrong = false;
    for name in &names {
        let missing = match files::exercise(name) {
            Ok((exercise, _)) => exercise.missing(&catalogue),
            Err(error) => vec![error.to_string()],
        };
        is_wrong |= !missing.is_empty();
        match missing.as_slice() {
            [] => print(&format!("{name}: fine"))?,
            missing => print(&missing.iter().map(|why| format!("{name}: {why}")).collect::<Vec<_>>().join("\n"))?,
        };
    }
    Ok(ExitCode::from(u8::from(is_wrong)))
}

fn begin(config: &Config, service: &str) -> Result<ExitCode, Ending> {
    let catalogue = files::catalogue(&config.playbooks);
    let Some(playbook) = catalogue.get(service) else {
        let known: Vec<_> = catalogue.iter().map(|playbook| playbook.service.as_str()).collect();
        let service = CleanStr::new(service);
        return Err(Ending::Usage(format!("no playbook is named `{service}`: choose {}", known.join(", "))));
    };
    print(Exercise::sketch(playbook).trim_end())
}

fn debrief_json(debrief: &Debrief) -> serde_json::Value {
    let criteria = debrief.criteria.iter().enumerate().map(|(place, (what, verdict))| {
        let (word, how) = match verdict {
            Verdict::Met(how) => ("met", how.as_str()),
            Verdict::Missed(why) => ("missed", why.as_str()),
            Verdict::NotReached(why) => ("not-reached", why.as_str()),
            Verdict::Open => ("open", ""),
        };
        let score = u32::try_from(place + 1).ok().and_then(|place| debrief.scores.get(&place));
        let scored = score.map(|(by, met, why)| json!({ "by": by, "met": met, "why": why }));
        json!({ "what": what, "verdict": word, "how": how, "scored": scored })
    });
    let turns = debrief.wrong_turns.iter().map(|turn| json!({ "at": turn.at, "what": turn.what }));
    let actions = debrief.actions.iter().map(|(what, owner)| json!({ "what": what, "owner": owner }));
    let parts = debrief.stand_ins.iter().map(|(role, name)| json!({ "role": role, "played_by_exercise": name }));
    json!({ "drill": debrief.id, "exercise": debrief.exercise, "start": debrief.start, "end": debrief.end.word(),
            "criteria": criteria.collect::<Vec<_>>(), "wrong_turns": turns.collect::<Vec<_>>(),
            "staging": debrief.staging, "counts": debrief.counts(), "standing": debrief.standing,
            "stand_ins": parts.collect::<Vec<_>>(),
            "hints": debrief.hints, "action_items": actions.collect::<Vec<_>>(), "filed": debrief.filed,
            "facilitator": debrief.facilitator, "paused_s": debrief.paused.num_seconds() })
}

fn tell_debrief(
    config: &Config,
    drill: Option<IncidentId>,
    as_json: bool,
    out: Option<PathBuf>,
) -> Result<ExitCode, Ending> {
    let dir = opened(config)?;
    let id = match drill {
        Some(id) => id,
        None => last_drill(&dir)?.ok_or_else(|| Ending::Usage(NO_DRILL.to_owned()))?,
    };
    let record = read_record(&dir, id)?;
    let debrief = debrief_or_why(&record, &config.cadence, clock::wall()).map_err(Ending::Usage)?;
    if as_json {
        return print(&debrief_json(&debrief).to_string());
    }
    let Some(folder) = out else { return print(debrief.markdown().trim_end()) };
    let path = folder.join(format!("{id}-debrief.md"));
    std::fs::create_dir_all(&folder)?;
    match std::fs::OpenOptions::new().write(true).create_new(true).open(&path) {
        Ok(mut file) => std::io::Write::write_all(&mut file, debrief.markdown().as_bytes())?,
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            let why = format!("{} is there and was left as it is: move it away first", path.display());
            return Err(Ending::Failure(why));
        }
        Err(error) => return Err(Ending::Failure(format!("{}: {error}", path.display()))),
    }
    print(&path.display().to_string())
}

fn calendar(config: &Config) -> Result<ExitCode, Ending> {
    let slots = schedule(Exercise::all_shipped(), &debriefs(config)?.0, clock::wall());
    let reminders_of = slots.iter().map(|slot| Reminder {
        uid: format!("gameday-{}", slot.exercise.name),
        day: slot.due,
        summary: format!("GameDay: {}", slot.exercise.title),
        description: format!("{}\nwarroom gameday run {}", slot.exercise.scenario, slot.exercise.name),
    });
    print(reminders(&reminders_of.collect::<Vec<_>>(), clock::wall()).trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pre_brief_is_read_page_by_page_and_breaks_no_word() {
        let text = Exercise::parse(FIRST_EXERCISE, Exercise::shipped(FIRST_EXERCISE).unwrap()).unwrap().briefing(None);
        let window = |ws_col, ws_row| rustix::termios::Winsize { ws_col, ws_row, ws_xpixel: 0, ws_ypixel: 0 };
        let all = pages(&text, Some(window(80, 24)));
        assert!(all.len() > 1, "{}", all.len());
        for page in &all {
            assert!(page.lines().count() < 24 && page.lines().all(|line| line.chars().count() <= 80), "{page}");
        }
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let read: Vec<_> = words(&all.join("\n").replace("- Enter shows more -", ""));
        assert_eq!(read, words(&text));
        assert_eq!(pages(&text, Some(window(200, 100))).len(), 1);
        assert_eq!(pages(&text, None), [text]);
    }
}
