//! The command line: flags and subcommands, what they print, and how they end.
//!
//! Hides clap. Answers go to stdout, errors to stderr; the exit statuses stand in one table (`status`). Only `open` and `gameday` want a
//! terminal.
//!
//! Invariant: `note`, `declare` and `change` end with 0 only when what they were given is on disk.

mod after;
mod alerts;
mod answers;
mod args;
mod changes;
mod confirm;
mod declaring;
mod doctor;
mod gameday;
mod listing;
mod out;
mod pager;
mod people;
mod playbook;
mod refused;
mod rehearse;
mod run;
mod salvage;
mod show;
mod start;
mod status;
mod verbs;
mod words;

use std::io::{IsTerminal, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::config::{self, Config, Inputs, Overrides};
use crate::console::Layout;
use crate::incident::{IncidentId, NoteKind};
use crate::run::Fault;
use status::Status;

/// Runs a production incident from the first alert to the closed follow-ups.
#[derive(Debug, Parser)]
#[command(name = "warroom", version, args_conflicts_with_subcommands = false)]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Option<Sub>,
}

/// Flags that every subcommand takes.
#[derive(Debug, Clone, Default, Args)]
struct Common {
    /// Read this configuration file in place of the user's
    #[arg(long, global = true, value_name = "FILE", env = "WARROOM_CONFIG")]
    config: Option<PathBuf>,
    /// Read no configuration file and no variable: everything has its built-in value, unless a flag says otherwise
    #[arg(long, global = true)]
    no_config: bool,
    /// Who acts; else the configuration's `me.name`, else the login name
    #[arg(long = "as", global = true, value_name = "NAME")]
    name: Option<String>,
    /// The journal's folder
    #[arg(long, global = true, value_name = "DIR")]
    journal: Option<PathBuf>,
    /// Which incident: INC-42, 42, or DRILL-3; not needed while only one is open
    #[arg(id = "on", short = 'i', long = "incident", global = true, value_name = "INC")]
    incident: Option<IncidentId>,
    /// Colours in answers and on the screen
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t)]
    color: out::Ink,
    /// Print a long answer without a pager
    #[arg(long, global = true)]
    no_pager: bool,
}

/// Flags of the two consoles.
#[derive(Debug, Clone, Default, Args)]
struct Screen {
    /// The layout of a role (it does not take the role)
    #[arg(long, value_name = "ic|comms|sme|scribe", value_parser = layout)]
    role: Option<Layout>,
    /// A wall screen: big, read-only, nobody at the keys
    #[arg(long)]
    wall: bool,
    /// Line mode: no escape codes, no terminal needed
    #[arg(long)]
    plain: bool,
    /// Look, and change nothing
    #[arg(long)]
    read_only: bool,
    /// Send nothing to any other system and run no command; what would have gone out or run is shown
    #[arg(long)]
    dry_run: bool,
    /// Where Prometheus is
    #[arg(long, value_name = "URL")]
    prometheus: Option<String>,
    /// Where Alertmanager is
    #[arg(long, value_name = "URL")]
    alertmanager: Option<String>,
    /// Where Jaeger is
    #[arg(long, value_name = "URL")]
    jaeger: Option<String>,
    /// The theme: dark, light, high-contrast, plain, or a file of the themes folder
    #[arg(long, value_name = "NAME")]
    theme: Option<String>,
    /// For tests: fail in this way
    #[arg(long, hide = true, value_enum)]
    fault: Option<Fault>,
}

#[derive(Debug, Subcommand)]
enum Sub {
    /// Open an incident; without a name the only open one, or a start screen
    Open {
        /// INC-42, 42, or DRILL-3
        incident: Option<IncidentId>,
        #[command(flatten)]
        screen: Screen,
    },
    /// Run an exercise in a simulated world: no server, no configuration needed
    Gameday(Box<gameday::Gameday>),
    /// Declare an incident and print its name
    Declare(declaring::Declaring),
    /// Ask Prometheus and Alertmanager once, and list their alerts, those that need somebody first
    Alerts {
        /// As JSON: {"alerts":[{"fingerprint":…}]}
        #[arg(long)]
        json: bool,
        /// Where Prometheus is
        #[arg(long, value_name = "URL")]
        prometheus: Option<String>,
        /// Where Alertmanager is
        #[arg(long, value_name = "URL")]
        alertmanager: Option<String>,
    },
    /// List the incidents of this host
    List(listing::Listing),
    /// Print an incident: its facts and its timeline
    Show {
        /// INC-42, 42, or DRILL-3; as -i
        incident: Option<IncidentId>,
        /// As JSON; with --follow an object for each line of the timeline
        #[arg(long)]
        json: bool,
        /// Go on with what comes, until Ctrl-C
        #[arg(short, long)]
        follow: bool,
    },
    /// Write a line on the timeline; without a text, read it from a pipe
    Note {
        /// What kind of line: note, decision, action, finding, todo, can
        #[arg(short, long, value_parser = note_kind)]
        kind: Option<NoteKind>,
        /// The text, after `--` where it begins with `-5m`; `-` or nothing reads it from stdin
        text: Vec<String>,
    },
    /// Run a command and keep what it printed and how it ended as evidence; its exit status passes through
    Run(run::Asked),
    /// Print who is on call and who is next, with phone numbers
    Oncall {
        /// As JSON: {"on_call":{"person":…},"next":…}
        #[arg(long)]
        json: bool,
        /// At another time: -5m, 14:10, 2026-12-24, 2026-12-24T14:10, or 2026-12-24T14:10:00Z
        #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
        at: Option<String>,
    },
    /// Look whether everything that an incident needs is there and works; changes nothing
    Doctor {
        /// As JSON: {"is_fine":…,"findings":[{"verdict":…,"what":…,"why":…}]}
        #[arg(long)]
        json: bool,
        /// Print every call that an incident makes of other systems, what it needs, which line judges it, and which way (proxy) each system is asked; asks nobody
        #[arg(long, conflicts_with = "json")]
        explain: bool,
        /// Besides, play the whole life of an incident in the places that `[rehearsal]` names, and clean up
        #[arg(long, conflicts_with = "explain")]
        rehearse: bool,
    },
    /// Record a change to what runs: a deploy, a flag, a Terraform apply
    Change(changes::Told),
    /// List recent changes, the newest first
    Changes(changes::Wanted),
    /// Take changes that pipelines post to /changes, signed as Standard Webhooks are, and record them; ends with Ctrl-C
    Listen(changes::Listening),
    #[command(flatten)]
    After(after::AfterSub),
    /// Look after the record
    Journal {
        #[command(subcommand)]
        command: JournalSub,
    },
    /// Look at playbooks
    Playbook {
        #[command(subcommand)]
        command: PlaybookSub,
    },
    /// Look at the templates of status updates
    Template {
        #[command(subcommand)]
        command: TemplateSub,
    },
    /// Look at the configuration
    Config {
        #[command(subcommand)]
        command: ConfigSub,
    },
    /// Take something of a drill back from staging when its time is over; begun by consoles
    #[command(name = crate::run::keeper::KEEPER, hide = true)]
    Keep,
    /// Print every key
    Keys {
        /// As a Markdown table
        #[arg(long)]
        markdown: bool,
        /// Every command of an incident in place of the keys, as line mode and a shell have it
        #[arg(long)]
        commands: bool,
    },
    /// Draw a console of the shipped exercise as an SVG, as README shows it
    #[command(hide = true)]
    Picture {
        /// Columns × rows
        #[arg(long, default_value = "120x40")]
        size: String,
        /// The layout of a role
        #[arg(long, value_parser = layout)]
        role: Option<Layout>,
        /// The wall screen
        #[arg(long)]
        wall: bool,
        /// The theme
        #[arg(long, default_value = "dark")]
        theme: String,
    },
}

impl Sub {
    /// Whether what it prints is for reading, so that a pager helps.
    fn is_read(&self) -> bool {
        match self {
            Self::Show { follow, .. } => !follow,
            Self::After(command) => command.is_read(),
            Self::List(_)
            | Self::Changes { .. }
            | Self::Playbook { command: PlaybookSub::List | PlaybookSub::Show { .. } }
            | Self::Template { command: TemplateSub::List }
            | Self::Config { command: ConfigSub::Show }
            | Self::Keys { .. } => true,
            Self::Open { .. }
            | Self::Gameday(_)
            | Self::Declare(_)
            | Self::Alerts { .. }
            | Self::Note { .. }
            | Self::Run(_)
            | Self::Oncall { .. }
            | Self::Doctor { .. }
            | Self::Change(_)
            | Self::Listen(_)
            | Self::Journal { .. }
            | Self::Playbook { .. }
            | Self::Template { .. }
            | Self::Config { .. }
            | Self::Keep
            | Self::Picture { .. } => false,
        }
    }

    /// Whether it does something that stays done though the answer cannot be printed. A console tells what happens in it itself.
    fn does(&self) -> Does {
        Does::it(match self {
            Self::Declare(_) | Self::Note { .. } | Self::Change(_) => true,
            Self::Gameday(gameday) => gameday.does(),
            Self::After(command) => command.does(),
            Self::Run(asked) => asked.does(),
            Self::Journal { command: JournalSub::Fill { .. } } => true,
            Self::Journal { command: JournalSub::Verify { .. } | JournalSub::Export { .. } } => false,
            Self::Config { command: ConfigSub::Init } => true,
            Self::Config { command: ConfigSub::Check | ConfigSub::Show | ConfigSub::Path } => false,
            Self::Open { .. }
            | Self::Alerts { .. }
            | Self::List(_)
            | Self::Show { .. }
            | Self::Oncall { .. }
            | Self::Doctor { .. }
            | Self::Listen(_)
            | Self::Changes(_)
            | Self::Playbook { .. }
            | Self::Template { .. }
            | Self::Keep
            | Self::Keys { .. }
            | Self::Picture { .. } => false,
        })
    }

    /// Whether it is about one record, so that `-i` says which.
    fn is_of_one_record(&self) -> bool {
        match self {
            Self::Open { .. } | Self::Show { .. } | Self::Note { .. } | Self::Run(_) | Self::Journal { .. } => true,
            Self::After(command) => command.is_of_one_record(),
            Self::Gameday(_)
            | Self::Declare(_)
            | Self::Alerts { .. }
            | Self::List(_)
            | Self::Oncall { .. }
            | Self::Doctor { .. }
            | Self::Change(_)
            | Self::Listen(_)
            | Self::Changes(_)
            | Self::Playbook { .. }
            | Self::Template { .. }
            | Self::Config { .. }
            | Self::Keep
            | Self::Keys { .. }
            | Self::Picture { .. } => false,
        }
    }
}

#[derive(Debug, Subcommand)]
enum JournalSub {
    /// Check every record, or one: structure, chain, order
    Verify {
        /// Which record; all without
        incident: Option<IncidentId>,
    },
    /// Print a record as JSON lines, exactly as it is stored
    Export {
        /// Which record; as -i
        incident: Option<IncidentId>,
    },
    /// Make a record of many entries, for measuring
    #[command(hide = true)]
    Fill {
        /// How many
        entries: usize,
        /// The same seed gives the same entries
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
}

#[derive(Debug, Subcommand)]
enum PlaybookSub {
    /// List the playbooks
    List,
    /// Print a playbook with all its steps
    Show {
        /// The service
        service: String,
    },
    /// Check files, or all playbooks; says which programs this machine does not have
    Check {
        /// The files
        files: Vec<PathBuf>,
    },
    /// Print the beginning of a playbook, to be saved as SERVICE.toml
    New {
        /// The service
        service: String,
        /// A Markdown runbook: each item, and each heading with prose, under the service's heading becomes a step
        #[arg(long, value_name = "FILE")]
        from: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
enum TemplateSub {
    /// List the templates: audience and status, owner, last review, what each promises
    List,
    /// Check a file, or all templates, with the facts of an invented incident
    Check {
        /// The file, called after its audience and status: slack-resolved.txt
        file: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
enum ConfigSub {
    /// Check the files, the environment, and everything that they name
    Check,
    /// Print the merged configuration, each value with its origin
    Show,
    /// Print where warroom looks
    Path,
    /// Write a commented starter file
    Init,
}

fn layout(name: &str) -> Result<Layout, String> {
    Layout::named(name).ok_or_else(|| "choose ic, comms, sme or scribe".to_owned())
}

fn note_kind(word: &str) -> Result<NoteKind, String> {
    let names: Vec<_> = NoteKind::ALL.iter().map(|kind| kind.word()).collect();
    NoteKind::ALL.into_iter().find(|kind| kind.word() == word).ok_or_else(|| format!("choose {}", names.join(", ")))
}

fn speed(text: &str) -> Result<f64, String> {
    let speed: f64 = text.parse().map_err(|_| "a number, such as 1 or 60".to_owned())?;
    if (0.1..=1000.0).contains(&speed) { Ok(speed) } else { Err("between 0.1 and 1000".to_owned()) }
}

/// How a subcommand ends when it does not succeed.
#[derive(Debug)]
enum Ending {
    /// The world misbehaved: exit status 1.
    Failure(String),
    /// The call was wrong: exit status 2.
    Usage(String),
    /// The answer could not be printed, not whole.
    Unprinted(Unprinted),
}

/// What became of an answer on its way to stdout.
#[derive(Debug)]
struct Unprinted {
    /// Nobody reads it any more (`| head`).
    is_unread: bool,
    why: String,
    /// What was to be printed, where that is known in one piece.
    text: String,
}

impl Ending {
    /// What it is after a subcommand that did something, or only looked: what is done stays done, whatever becomes of the printing.
    fn after(self, does: Does) -> (Status, Option<String>) {
        match (self, does) {
            (Self::Failure(why), _) => (Status::Refused, Some(why)),
            (Self::Usage(why), _) => (Status::Misused, Some(why)),
            (Self::Unprinted(Unprinted { why, text, .. }), Does::Something) => {
                let text = if text.is_empty() { text } else { format!(": {text}") };
                (Status::Unprinted, Some(format!("done, printing failed ({why}){text}")))
            }
            (Self::Unprinted(Unprinted { is_unread: true, .. }), Does::Nothing) => (Status::Done, None),
            (Self::Unprinted(Unprinted { why, .. }), Does::Nothing) => (Status::Refused, Some(why)),
        }
    }

    /// The same where the whole text is known.
    fn with_text(self, text: &str) -> Self {
        match self {
            Self::Unprinted(unprinted) => Self::Unprinted(Unprinted { text: text.to_owned(), ..unprinted }),
            Self::Failure(_) | Self::Usage(_) => self,
        }
    }
}

/// Whether a subcommand does something that stays, or only looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Does {
    Something,
    Nothing,
}

impl Does {
    fn it(is_done: bool) -> Self {
        if is_done { Self::Something } else { Self::Nothing }
    }
}

impl<E: Into<anyhow::Error>> From<E> for Ending {
    fn from(error: E) -> Self {
        let error = error.into();
        // However deep it lies: the journal's export wraps it in a sentence of its own.
        let mut causes = error.chain().filter_map(|cause| cause.downcast_ref::<std::io::Error>());
        match causes.find(|cause| out::is_of_stdout(cause)) {
            Some(cause) => {
                let is_unread = cause.kind() == std::io::ErrorKind::BrokenPipe;
                Self::Unprinted(Unprinted { is_unread, why: cause.to_string(), text: String::new() })
            }
            None => Self::Failure(format!("{error:#}")),
        }
    }
}

/// "File size limit exceeded"; its default effect ends the process.
const SIGXFSZ: i32 = 25;

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    // Logs, folders and the starter config are this account's alone; a journal that a group shares sets its own modes.
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
    // A limit on file sizes must end in "NOT SAVED", not in a dead console: with a handler the write fails instead.
    let _ = signal_hook::flag::register(SIGXFSZ, std::sync::Arc::default());
    // A core would hold tokens and card numbers.
    let none = rustix::process::Rlimit { current: Some(0), maximum: Some(0) };
    let _ = rustix::process::setrlimit(rustix::process::Resource::Core, none);
    let mut words = std::env::args_os().skip(1);
    if let (Some(word), Some(folder), None) = (words.next(), words.next(), words.next())
        && word == crate::runner::HELPER
    {
        return crate::runner::run_helper(std::path::Path::new(&folder));
    }
    let mut words = std::env::args_os().skip(1);
    if let (Some(word), Some(told), None) = (words.next(), words.next(), words.next())
        && word == crate::run::minder::WORD
    {
        return crate::run::minder::run(&told);
    }
    let words = args::shielded(std::env::args_os());
    let matches = match verbs::added_to(Cli::command()).try_get_matches_from(words) {
        Ok(matches) => matches,
        Err(error) => {
            if error.use_stderr() {
                // What was typed wrongly stands in it.
                let _ = writeln!(std::io::stderr(), "{}", crate::text::shown(error.render().to_string().trim_end()));
            } else {
                let _ = error.print();
            }
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(Status::Misused.number()));
        }
    };
    let mut does = Does::Nothing;
    let (status, why) = match refused::said(|| run(&matches, &mut does)) {
        Ok(code) => return code,
        Err(ending) => ending.after(does),
    };
    why.iter().for_each(|why| say_error(why));
    status.into()
}

fn say_error(why: &str) {
    // There is nowhere left to say that stderr is gone.
    let _ = writeln!(std::io::stderr(), "warroom: {}", crate::text::shown(why));
}

/// Runs a subcommand; whether it does something is known before it does it.
fn run(matches: &ArgMatches, does: &mut Does) -> Result<ExitCode, Ending> {
    if let Some((verb, words)) = matches.subcommand().and_then(|(name, words)| Some((verbs::named(name)?, words)))
        && !Cli::command().get_subcommands().any(|one| one.get_name() == verb.name)
    {
        let common = Common::from_arg_matches(matches)?;
        let inputs = inputs(&common, &Screen::default());
        let _pager = (verb.looks && !common.no_pager).then(pager::Paged::start).flatten();
        return verbs::run(&salvage::part(&inputs, false)?, &inputs, &common, &verb, words, does);
    }
    let Cli { common, command } = Cli::from_arg_matches(matches)?;
    let command = command.unwrap_or(Sub::Open { incident: None, screen: Screen::default() });
    *does = command.does();
    let screen = match &command {
        Sub::Open { screen, .. } => screen.clone(),
        Sub::Gameday(gameday) => gameday.screen(),
        Sub::Alerts { prometheus, alertmanager, .. } => {
            Screen { prometheus: prometheus.clone(), alertmanager: alertmanager.clone(), ..Screen::default() }
        }
        _ => Screen::default(),
    };
    let inputs = inputs(&common, &screen);
    let load = || salvage::whole(&inputs);
    // An incident does not wait until somebody has found a typing error.
    let has_screen = matches!(command, Sub::Open { .. } | Sub::Gameday(_));
    let part = || salvage::part(&inputs, has_screen);
    if let Some(name) = matches.subcommand_name().filter(|_| common.incident.is_some() && !command.is_of_one_record()) {
        return Err(Ending::Usage(format!("`{name}` is not about one incident: leave -i out")));
    }
    let ink = common.color.settled();
    let _pager = (command.is_read() && !common.no_pager).then(pager::Paged::start).flatten();
    match command {
        Sub::Open { incident, screen } => {
            let named = incident.or(common.incident).map(|_| record(incident, &common)).transpose()?;
            start::open(&start::coloured(part()?, common.color), named, &screen, &inputs)
        }
        Sub::Gameday(asked) => gameday::gameday(&start::coloured(part()?, common.color), *asked, &inputs),
        Sub::Declare(told) => declaring::declare(&part()?, &told),
        Sub::Alerts { json, .. } => alerts::alerts(&load()?, json),
        Sub::After(command) => after::run(&load()?, command, common.incident),
        Sub::List(asked) => listing::list(&part()?, &asked, ink),
        Sub::Show { incident, json, follow } => show::show(&part()?, record(incident, &common)?, json, follow, ink),
        Sub::Note { kind, text } => answers::note(&part()?, common.incident, kind, &given_or_piped(&text)?),
        Sub::Run(asked) => run::run(&part()?, common.incident, &asked),
        Sub::Oncall { json, at } => people::oncall(&part()?, json, at.as_deref()),
        Sub::Doctor { explain: true, .. } => doctor::explain(&load()?),
        Sub::Doctor { json, rehearse, explain: false } => doctor::doctor(&load()?, &inputs, json, rehearse),
        Sub::Change(told) => changes::change(&load()?, &told),
        Sub::Listen(listening) => changes::listen(&load()?, &listening),
        Sub::Changes(wanted) => changes::list(&load()?, &wanted),
        Sub::Journal { command: JournalSub::Verify { incident } } => {
            answers::verify(&load()?, incident.or(common.incident))
        }
        Sub::Journal { command: JournalSub::Export { incident } } => {
            answers::export(&load()?, record(incident, &common)?)
        }
        Sub::Journal { command: JournalSub::Fill { entries, seed } } => answers::fill(&load()?, entries, seed),
        Sub::Playbook { command: PlaybookSub::List } => answers::playbooks(&load()?),
        Sub::Playbook { command: PlaybookSub::Show { service } } => playbook::show(&load()?, &service),
        Sub::Playbook { command: PlaybookSub::Check { files } } => playbook::check(&load()?, &files),
        Sub::Playbook { command: PlaybookSub::New { service, from } } => playbook::begin(&service, from.as_deref()),
        Sub::Template { command: TemplateSub::List } => words::list(&load()?),
        Sub::Template { command: TemplateSub::Check { file } } => words::check(&load()?, file.as_deref()),
        Sub::Config { command } => configuration(&command, &inputs),
        Sub::Keep => Ok(start::keep(&part()?)),
        Sub::Keys { markdown, commands: true } => print(&verbs::table(markdown)),
        Sub::Keys { markdown, commands: false } => answers::keys(markdown),
        Sub::Picture { size, role, wall, theme } => start::picture(&size, role.unwrap_or_default(), wall, &theme),
    }
}

fn inputs(common: &Common, screen: &Screen) -> Inputs {
    Inputs::of_this_process(Overrides {
        config: common.config.clone(),
        no_config: common.no_config,
        name: common.name.clone(),
        journal: common.journal.clone(),
        prometheus: screen.prometheus.clone(),
        alertmanager: screen.alertmanager.clone(),
        jaeger: screen.jaeger.clone(),
        theme: screen.theme.clone(),
    })
}

/// The record that a subcommand names, by its place or by `-i`.
fn record(named: Option<IncidentId>, common: &Common) -> Result<IncidentId, Ending> {
    one_record(named, common.incident)
}

fn one_record(named: Option<IncidentId>, flag: Option<IncidentId>) -> Result<IncidentId, Ending> {
    match (named, flag) {
        (Some(one), Some(other)) if one != other => {
            Err(Ending::Usage(format!("{one} and -i {other} are two incidents: name one")))
        }
        (Some(id), _) | (None, Some(id)) => Ok(id),
        (None, None) => Err(Ending::Usage("name the incident: INC-42, or -i INC-42".to_owned())),
    }
}

fn configuration(command: &ConfigSub, inputs: &Inputs) -> Result<ExitCode, Ending> {
    let usage = |error: config::ConfigError| Ending::Usage(error.to_string());
    let text = match command {
        ConfigSub::Check => {
            let text = config::check(inputs).map_err(usage)?;
            let config = Config::load(inputs).map_err(usage)?.config;
            start::check_theme(&config)?;
            let mistaken = crate::run::schemes::mistaken(start::addresses(&config));
            if !mistaken.is_empty() {
                return Err(Ending::Usage(mistaken.join("\n")));
            }
            text
        }
        ConfigSub::Show => Config::load(inputs).map_err(usage)?.show(),
        ConfigSub::Path => config::path(inputs).map_err(usage)?,
        ConfigSub::Init => {
            let path = inputs.overrides.config.clone().unwrap_or_else(|| inputs.places.user_file());
            crate::run::records::write_starter_config(&path)?
        }
    };
    print(text.trim_end())
}

fn print(text: &str) -> Result<ExitCode, Ending> {
    out::write(text).map_err(|error| Ending::from(error).with_text(text))?;
    Ok(ExitCode::SUCCESS)
}

/// As much of a pipe is read, in bytes.
const MOST_PIPED: u64 = 64 << 20;

/// The text of the arguments, or else of the pipe; a terminal is not read.
fn given_or_piped(words: &[String]) -> Result<String, Ending> {
    let given = args::joined(words);
    if !given.is_empty() && given != "-" {
        return Ok(given);
    }
    if given.is_empty() && std::io::stdin().is_terminal() {
        return Err(Ending::Usage("say what to note: warroom note TEXT, or … | warroom note".to_owned()));
    }
    piped()
}

/// The words as they were typed; a lone `-` reads them from stdin, as everywhere else in a shell.
fn words_or_piped(words: &[String]) -> Result<String, Ending> {
    let given = args::joined(words);
    if given == "-" { piped().map(|text| text.trim_end().to_owned()) } else { Ok(given) }
}

/// The text of the pipe.
fn piped() -> Result<String, Ending> {
    let mut stdin = std::io::stdin().lock();
    let mut bytes = Vec::new();
    // Far beyond the limit, so that the refusal names the real length of all but the absurd.
    Read::take(&mut stdin, MOST_PIPED).read_to_end(&mut bytes)?;
    if bytes.len() as u64 == MOST_PIPED {
        return Err(Ending::Failure(crate::text::too_many_bytes(bytes.len())));
    }
    // What a program printed for a terminal, as that shows it: a meter of megabytes may be one line.
    let text = crate::text::printed::printed(&String::from_utf8_lossy(&bytes));
    if let Some(why) = crate::text::too_long(&text) {
        return Err(Ending::Failure(format!("{why}, such as | tail -n 200")));
    }
    Ok(text)
}
