//! What the two consoles start with: theme, colours, sources, playbooks, log.

use std::collections::BTreeSet;
use std::io::IsTerminal;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::answers::{actor, is_shared, place};
use super::out::Ink;
use super::{Ending, Screen};
use crate::channel::{CHANNELS, ChannelSpec};
use crate::config::{self, Config, Inputs, Letters, SecretIn, SignIn, files};
use crate::console::{Layout, Settings};
use crate::exercise::staged::Site;
use crate::incident::{IncidentId, Staging};
use crate::pane::Access;
use crate::playbook::Catalogue;
use crate::playbook::surroundings::{Surroundings, is_usual};
use crate::reach::Reach;
use crate::run::staging::{Claim, Marks};
use crate::run::{self, Drill, Grounds, Opening, Plan, encoder, tty};
use crate::source::{Endpoint, SOURCES, SourceSpec};
use crate::template::Templates;
use crate::text::{CleanStr, Exact};
use crate::theme::{BuiltIn, Depth, Family, Ground, Theme};

/// The exercise that is shipped and started first.
pub(super) const FIRST_EXERCISE: &str = "alipay-timeout-storm";

/// What `gameday` was asked for.
pub(super) struct Exercise {
    pub(super) name: String,
    pub(super) seed: u64,
    pub(super) speed: f64,
    pub(super) frozen: bool,
    pub(super) staging: Option<Staging>,
    pub(super) team: Option<CleanStr>,
}

pub(super) fn open(
    config: &Config,
    incident: Option<IncidentId>,
    screen: &Screen,
    inputs: &Inputs,
) -> Result<ExitCode, Ending> {
    let opening = incident.map_or(Opening::Auto, Opening::Record);
    begin(config, opening, drill(FIRST_EXERCISE, 1, 1.0)?, false, screen, inputs)
}

/// What one command on a record starts with.
pub(super) fn plan(config: &Config, opening: Opening, screen: &Screen, inputs: &Inputs) -> Result<Plan, Ending> {
    planned(config, opening, drill(FIRST_EXERCISE, 1, 1.0)?, false, screen, inputs)
}

pub(super) fn gameday(
    config: &Config,
    exercise: &Exercise,
    screen: &Screen,
    inputs: &Inputs,
) -> Result<ExitCode, Ending> {
    let drill = drill(&exercise.name, exercise.seed, exercise.speed)?;
    let drill = Drill { staging: exercise.staging.clone(), team: exercise.team.clone(), ..drill };
    begin(config, Opening::Drill(drill.clone()), drill, exercise.frozen, screen, inputs)
}

fn drill(name: &str, seed: u64, speed: f64) -> Result<Drill, Ending> {
    // A shipped exercise is known to be right; reading it can wait until the first frame is out.
    if let Some(text) = crate::exercise::Exercise::shipped(name) {
        return Ok(Drill { name: name.into(), text: text.to_owned(), seed, speed, staging: None, team: None });
    }
    let (exercise, text) = files::exercise(name).map_err(|error| Ending::Usage(error.to_string()))?;
    Ok(Drill { name: exercise.name, text, seed, speed, staging: None, team: None })
}

fn begin(
    config: &Config,
    opening: Opening,
    drill: Drill,
    is_frozen: bool,
    screen: &Screen,
    inputs: &Inputs,
) -> Result<ExitCode, Ending> {
    let plan = planned(config, opening, drill, is_frozen, screen, inputs)?;
    let is_dumb = family() == Family::Dumb;
    if screen.plain || is_dumb || !std::io::stdout().is_terminal() || !std::io::stdin().is_terminal() {
        // Whoever loops over a list of incidents does not mean its lines as notes.
        let takes_lines = screen.plain || std::io::stdin().is_terminal();
        if !takes_lines && super::run::is_input_waiting() {
            super::say_error("stdin is not read here: --plain takes notes and commands from it");
        }
        return match run::plain::plain(plan, takes_lines) {
            Err(error) if error.is::<run::plain::Unsaid>() => {
                super::say_error(&error.to_string());
                Ok(super::status::Status::Unprinted.into())
            }
            ended => Ok(ended?),
        };
    }
    Ok(run::console(plan)?)
}

fn planned(
    config: &Config,
    opening: Opening,
    drill: Drill,
    is_frozen: bool,
    screen: &Screen,
    inputs: &Inputs,
) -> Result<Plan, Ending> {
    let depth = depth(config);
    let (theme, grounds) = theme(config, depth)?;
    let answers = answers();
    let access = if screen.read_only || screen.wall { Access::ReadOnly } else { Access::Full };
    Ok(Plan {
        settings: Settings {
            me: actor(config),
            console: console_name()?,
            layout: screen.role.unwrap_or_default(),
            access,
            is_wall: screen.wall,
            is_frozen,
            // Read behind the first frame.
            catalogue: Catalogue::default(),
            templates: Templates::default(),
            cadence: config.cadence,
            matrix: config.matrix.clone(),
            host: host(),
            aliases: config.commands.clone(),
            around: surroundings(config),
            // Whoever begins there asked for the proof; whoever joins asks behind the first frame.
            staging: drill.staging.as_ref().and(config.staging.as_ref()).map(|staging| site(config, staging)),
            rotation: config.rotation.clone(),
            reach: Reach { is_dry: screen.dry_run, ..config.reach.clone() },
            is_shared: is_shared(config),
            rings: config.screen.bell,
            theme,
            zone: config.zone.0,
        },
        opening,
        drill,
        journal: place(config),
        endpoints: endpoints(config),
        staging: staging_endpoints(config),
        to_prove: config.staging.as_ref().map(|staging| match staging.is_production(config) {
            Some(why) => Err(CleanStr::new(&why)),
            None => Ok(Claim {
                endpoint: endpoint(&staging.prometheus),
                marks: marks(staging),
                site: site(config, staging),
            }),
        }),
        keeper: keeper_flags(config, inputs),
        channels: channels(config),
        channel_options: config.settings.clone(),
        change_command: config
            .changes
            .command
            .clone()
            .map(|argv| (argv, config.changes.every.to_std().unwrap_or_default())),
        playbooks: config.playbooks.clone(),
        runbooks: config.runbooks.clone(),
        templates: config.templates.clone(),
        starter_config: inputs.overrides.config.clone().unwrap_or_else(|| inputs.places.user_file()),
        answers,
        colours: if depth == Depth::NoColour { encoder::Colours::Off } else { encoder::Colours::On },
        is_remote: tty::is_over_ssh(),
        mouse: config.screen.mouse,
        bytes_per_second: config.screen.bytes_per_second,
        grounds,
        log: config.log.clone(),
        habits: encoder::Habits::of_environment(|name| std::env::var(name).ok()),
        asks_width: asks_width(config),
        fault: screen.fault,
    })
}

/// The flags with which a keeper finds what this process found.
fn keeper_flags(config: &Config, inputs: &Inputs) -> Vec<std::ffi::OsString> {
    let mut flags: Vec<std::ffi::OsString> = vec!["--journal".into(), config.journal.clone().into()];
    if inputs.overrides.no_config {
        flags.push("--no-config".into());
    } else if let Some(file) = &inputs.overrides.config {
        flags.extend(["--config".into(), file.clone().into()]);
    }
    flags
}

/// Takes one thing of a drill back when its time is over.
pub(super) fn keep(config: &Config) -> ExitCode {
    let keeper = run::keeper::Keeper {
        journal: place(config),
        via: super::answers::via("keeper"),
        production: config.prometheus.as_ref().map(endpoint),
        staging: config.staging.as_ref().map(|staging| endpoint(&staging.prometheus)),
    };
    keeper.run()
}

/// A name for this console that no other one has.
fn console_name() -> Result<CleanStr, Ending> {
    let mut bytes = [0_u8; 4];
    getrandom::fill(&mut bytes)
        .map_err(|error| Ending::Failure(format!("no random numbers from the system: {error}")))?;
    Ok(CleanStr::new(&format!("c{:08x}", u32::from_le_bytes(bytes))))
}

/// What `--color` makes of the configured colours.
pub(super) fn coloured(mut config: Config, ink: Ink) -> Config {
    config.screen.colours = match (ink, config.screen.colours) {
        (Ink::Never, _) => config::Colours::None,
        (Ink::Always, config::Colours::Auto) if depth(&config) == Depth::NoColour => config::Colours::Sixteen,
        (Ink::Always | Ink::Auto, as_it_is) => as_it_is,
    };
    config
}

fn depth(config: &Config) -> Depth {
    let variable = |name: &str| std::env::var(name).ok();
    match config.screen.colours {
        config::Colours::Auto => {
            Depth::of(variable("NO_COLOR").as_deref(), variable("COLORTERM").as_deref(), variable("TERM").as_deref())
        }
        config::Colours::Sixteen => Depth::Sixteen,
        config::Colours::Palette => Depth::Palette,
        config::Colours::Rgb => Depth::Full,
        config::Colours::None => Depth::NoColour,
    }
}

/// Whether the terminal is asked how wide it draws: where letters beyond ASCII are drawn at all and nobody said how,
/// and never over a link on which the answer could come when somebody else reads.
fn asks_width(config: &Config) -> bool {
    let term = std::env::var("TERM").unwrap_or_default();
    let is_drawn = config.screen.letters == Letters::Auto && locale_is_utf8();
    is_drawn && !tty::is_over_ssh() && config.screen.bytes_per_second.is_none() && !matches!(&*term, "" | "dumb")
}

/// The name of the theme that follows the terminal's ground.
const AUTO: &str = "auto";

/// The theme to begin with, and where the terminal decides, those for both grounds.
fn theme(config: &Config, depth: Depth) -> Result<(Theme, Option<Grounds>), Ending> {
    let is_unicode = match config.screen.letters {
        Letters::Unicode => true,
        Letters::Ascii => false,
        Letters::Auto => locale_is_utf8(),
    };
    let drawn = |theme: Theme| if is_unicode { theme } else { theme.in_ascii() };
    let name = &config.screen.theme;
    if name.as_str() == AUTO {
        let on = |ground: Ground| drawn(Theme::built_in(ground.theme(), depth));
        let grounds = Grounds { dark: on(Ground::Dark), light: on(Ground::Light) };
        let variable = |name: &str| std::env::var(name).unwrap_or_default();
        let guess = Ground::of_variable(&variable("COLORFGBG")).unwrap_or(Ground::Dark);
        // Where no answer can come, the question would only be printed.
        let asks = depth != Depth::NoColour && answers();
        return Ok((grounds.on(guess).clone(), asks.then_some(grounds)));
    }
    let theme = match BuiltIn::named(name) {
        Some(built_in) => Theme::built_in(built_in, depth),
        None => {
            let file = config.themes.join(format!("{name}.toml"));
            let text = std::fs::read_to_string(&file).map_err(|error| {
                let names: Vec<_> = BuiltIn::ALL.iter().map(|built_in| built_in.name()).collect();
                Ending::Usage(format!(
                    "no theme `{name}`: choose {AUTO}, {}, or write {} ({error})",
                    names.join(", "),
                    file.display()
                ))
            })?;
            Theme::parse(&file.display().to_string(), &text, depth).map_err(|error| Ending::Usage(error.to_string()))?
        }
    };
    Ok((drawn(theme), None))
}

/// The family of this terminal.
fn family() -> Family {
    Family::named(std::env::var("TERM").ok().as_deref())
}

/// Whether the terminal answers questions, or keeps quiet about those that it does not know.
fn answers() -> bool {
    family().answers()
}

/// Whether the configured theme can be read.
pub(super) fn check_theme(config: &Config) -> Result<(), Ending> {
    theme(config, depth(config)).map(|_| ())
}

/// What the first of `LC_ALL`, `LC_CTYPE` and `LANG` that is set says; without any, the C locale knows ASCII only.
pub(super) fn locale_is_utf8() -> bool {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set).is_some_and(|locale| {
        let lower = locale.to_ascii_lowercase();
        lower.contains("utf-8") || lower.contains("utf8")
    })
}

/// The sources that are configured.
pub(super) fn endpoints(config: &Config) -> Vec<(&'static SourceSpec, Endpoint)> {
    sources(config, [config.prometheus.as_ref(), config.alertmanager.as_ref(), config.jaeger.as_ref()])
}

/// By what a staging environment is known.
pub(super) fn marks(staging: &config::Staging) -> Marks {
    Marks { label: staging.label.clone(), build_info: staging.build_info.clone() }
}

fn site(config: &Config, staging: &config::Staging) -> Site {
    Site {
        prometheus: CleanStr::new(&staging.prometheus.url.to_string()),
        aliases: staging.commands.clone(),
        has_production: config.prometheus.is_some(),
    }
}

/// The sources of the staging environment.
fn staging_endpoints(config: &Config) -> Vec<(&'static SourceSpec, Endpoint)> {
    let Some(staging) = &config.staging else { return Vec::new() };
    sources(config, [Some(&staging.prometheus), staging.alertmanager.as_ref(), staging.jaeger.as_ref()])
}

/// Every system that is configured.
pub(super) fn addresses(config: &Config) -> Vec<(&'static str, Endpoint)> {
    let read =
        endpoints(config).into_iter().chain(staging_endpoints(config)).map(|(spec, endpoint)| (spec.name, endpoint));
    read.chain(channels(config).into_iter().map(|(spec, endpoint)| (spec.name, endpoint))).collect()
}

/// Sources of any place: their alerts are read as the site says.
fn sources(
    config: &Config,
    [prometheus, alertmanager, jaeger]: [Option<&config::Endpoint>; 3],
) -> Vec<(&'static SourceSpec, Endpoint)> {
    let configured = |name: &str| match name {
        "prometheus" => prometheus,
        "alertmanager" => alertmanager,
        "jaeger" => jaeger,
        _ => None,
    };
    let opened = |said| Endpoint { alert_rules: config.alert_rules.clone(), ..endpoint(said) };
    SOURCES.iter().filter_map(|spec| Some((spec, opened(configured(spec.name)?)))).collect()
}

/// The systems that texts are sent to.
pub(super) fn channels(config: &Config) -> Vec<(&'static ChannelSpec, Endpoint)> {
    CHANNELS.iter().filter_map(|spec| Some((spec, endpoint(config.written.get(spec.name)?)))).collect()
}

pub(super) fn endpoint(said: &config::Endpoint) -> Endpoint {
    let mut endpoint = Endpoint::at(said.url.to_string());
    endpoint.every = said.every.to_std().unwrap_or(endpoint.every);
    endpoint.ca_file = said.ca_file.clone();
    (endpoint.client_cert_file, endpoint.client_key_file) = said.client.clone().unzip();
    endpoint.also = said.also.iter().map(ToString::to_string).collect();
    endpoint.headers = said.headers.clone();
    endpoint.allow_plain_http = said.allow_plain_http;
    endpoint.proxy = said.proxy.as_ref().map(ToString::to_string);
    if let Some((user, password)) = &said.proxy_sign_in {
        endpoint.proxy_user = Some(user.clone());
        match password {
            SecretIn::File(path) => endpoint.proxy_password_file = Some(path.clone()),
            SecretIn::Variable(name) => endpoint.proxy_password_env = Some(name.clone()),
            SecretIn::Command(argv) => endpoint.proxy_password_command = Some(argv.clone()),
        }
    }
    match &said.sign_in {
        SignIn::Open => {}
        SignIn::Bearer(SecretIn::File(path)) => endpoint.bearer_file = Some(path.clone()),
        SignIn::Bearer(SecretIn::Variable(name)) => endpoint.bearer_env = Some(name.clone()),
        SignIn::Bearer(SecretIn::Command(argv)) => endpoint.bearer_command = Some(argv.clone()),
        SignIn::Basic { user, password } => {
            endpoint.basic_user = Some(user.clone());
            match password {
                SecretIn::File(path) => endpoint.basic_password_file = Some(path.clone()),
                SecretIn::Variable(name) => endpoint.basic_password_env = Some(name.clone()),
                SecretIn::Command(argv) => endpoint.basic_password_command = Some(argv.clone()),
            }
        }
    }
    endpoint
}

/// The shipped exercise as a console shows it, as SVG: README's picture.
pub(super) fn picture(size: &str, layout: Layout, is_wall: bool, theme: &str) -> Result<ExitCode, Ending> {
    let (width, height) = size
        .split_once('x')
        .and_then(|(width, height)| Some((width.parse::<u16>().ok()?, height.parse::<u16>().ok()?)))
        .filter(|(width, height)| (20..=400).contains(width) && (5..=200).contains(height))
        .ok_or_else(|| Ending::Usage(format!("`{size}` is no size: write 120x40")))?;
    let theme = BuiltIn::named(theme).map(|built_in| Theme::built_in(built_in, Depth::Sixteen));
    let theme = theme.ok_or_else(|| Ending::Usage("choose dark, light, high-contrast or plain".to_owned()))?;
    let drill = drill(FIRST_EXERCISE, 1, 1.0)?;
    let area = Rect::new(0, 0, width, height);
    let buffer: Buffer = run::picture::drill(&drill, layout, is_wall, theme, area)?;
    super::print(&run::picture::svg(&buffer))
}

/// What commands find around them here: no variable with a credential that this configuration names is among it.
pub(super) fn surroundings(config: &Config) -> Surroundings {
    let written = config.written.values();
    let all = [&config.prometheus, &config.alertmanager, &config.jaeger].into_iter().flatten().chain(written);
    let staging = config.staging.iter().flat_map(|staging| {
        [Some(&staging.prometheus), staging.alertmanager.as_ref(), staging.jaeger.as_ref()].into_iter().flatten()
    });
    let secrets = all.chain(staging).flat_map(config::Endpoint::secrets).filter_map(|secret| match secret {
        SecretIn::Variable(name) => Some(name.clone()),
        SecretIn::File(_) | SecretIn::Command(_) => None,
    });
    let withheld: BTreeSet<CleanStr> = secrets.map(|name| CleanStr::new(&name)).collect();
    let exact = |path: &Path| Exact::new(path.as_os_str().as_bytes());
    let here = std::env::current_dir().map_or_else(|_| Exact::new("/"), |here| exact(&here));
    let home = std::env::var_os("HOME").map(PathBuf::from).filter(|home| home.is_absolute());
    let is_passed = |name: &str| is_usual(name) || config.command_env.iter().any(|one| one.as_str() == name);
    let passed = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let passed = passed.filter(|name| is_passed(name)).map(|name| CleanStr::new(&name));
    Surroundings {
        directory: here,
        home: home.map_or_else(|| Exact::new("/"), |home| exact(&home)),
        passed: passed.filter(|name| !withheld.contains(name)).collect(),
        withheld,
    }
}

/// The name of this machine, as the kernel has it.
pub(super) fn host() -> CleanStr {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    CleanStr::new(if name.trim().is_empty() { "localhost" } else { name.trim() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Inputs, Overrides, Places};

    #[test]
    fn the_sites_words_for_alerts_count_for_the_sources_of_staging_as_for_those_of_production() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        let servers = |section: &str| {
            let each = ["prometheus", "alertmanager", "jaeger"].into_iter().enumerate();
            let text =
                |(port, name)| format!("[{section}{name}]\nurl = 'http://127.0.0.1:{}{port}'\n", section.len() + 1);
            each.map(text).collect::<String>()
        };
        let rules = "[staging]\nlabel = 'environment=staging'\n[alerts]\nignore = ['Noise']\nexpected = ['DeadMan']\n\
                     [alerts.severities]\nblocker = 'sev0'\n";
        std::fs::write(&file, servers("") + &servers("staging.") + rules).unwrap();
        let at = |name: &str| folder.path().join(name);
        let places = Places { system: at("none.toml"), config: at("config"), state: at("state"), home: at("home") };
        let config = Some(file);
        let inputs =
            Inputs { places, environment: Vec::new(), overrides: Overrides { config, ..Overrides::default() } };
        let config = Config::load(&inputs).unwrap().config;
        assert_ne!(config.alert_rules, crate::alert::Rules::default());
        for sources in [endpoints(&config), staging_endpoints(&config)] {
            assert_eq!(sources.len(), 3);
            for (spec, endpoint) in sources {
                assert_eq!(endpoint.alert_rules, config.alert_rules, "{}", spec.name);
            }
        }
    }
}
