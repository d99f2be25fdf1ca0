//! A command of a step: argv with placeholders, and how they are filled.
//!
//! Hides parameters and their types. A placeholder stands alone (`{name}`) or inside an element of argv (`--n={name}`, `{unit}.service`); a brace that
//! means itself is written twice.
//!
//! Invariant: what [`CommandStep::resolve`] gives is exactly what runs: no shell reads it, and no value becomes an option or a second word.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::element::{Part, names, parts};
use super::surroundings::is_name;

use crate::incident::{Capture, Judging, Purpose, Role};
use crate::text::document::{Complaint, Key};
use crate::text::duration::Lapse;
use crate::text::exact::show_argv;
use crate::text::{CleanStr, Exact};

/// Where a command acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Environment {
    /// What customers use.
    Production,
    /// What looks like it.
    Staging,
    /// Anything else.
    Development,
}

impl Environment {
    /// The badge on the screen.
    pub fn badge(self) -> &'static str {
        match self {
            Self::Production => "PRODUCTION",
            Self::Staging => "STAGING",
            Self::Development => "DEVELOPMENT",
        }
    }
}

/// What happens at the time limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AtLimit {
    /// TERM, ten seconds, KILL.
    Stop,
    /// It is flagged and goes on; somebody decides.
    Ask,
}

/// A command.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CommandStep {
    /// Program and arguments.
    pub argv: Vec<Exact>,
    /// Program and arguments that take it back.
    #[serde(default)]
    pub undo: Vec<Exact>,
    /// What fills the placeholders.
    #[serde(default)]
    pub parameters: BTreeMap<CleanStr, Parameter>,
    /// Where it runs.
    #[serde(default)]
    pub directory: Option<Exact>,
    /// Variables of the console's environment that it gets beside the usual ones, by name.
    #[serde(default)]
    pub env: Vec<CleanStr>,
    /// Where it acts.
    #[serde(default)]
    pub environment: Option<Environment>,
    /// Whether it changes anything.
    #[serde(default)]
    pub changes: bool,
    /// Its time limit.
    #[serde(default)]
    pub timeout: Option<Lapse>,
    /// What happens then; without it a look is stopped and a change is not.
    #[serde(default)]
    pub at_limit: Option<AtLimit>,
    /// The exit statuses that are a success; 0 alone unless said.
    #[serde(default)]
    pub success: Vec<u8>,
    /// What exit statuses mean, by their number: `2 = "there are changes"`.
    #[serde(default)]
    pub outcomes: BTreeMap<CleanStr, CleanStr>,
    /// How often it is tried once more where it does not end well.
    #[serde(default)]
    pub retries: u32,
    /// How long it rests between two attempts (10 seconds unless said).
    #[serde(default)]
    pub pause: Option<Lapse>,
    /// What of its output is kept for later steps: `pod` for its only line, `pod = .items[0].name` for a value in JSON.
    #[serde(default)]
    pub capture: Option<CleanStr>,
    /// Who may run it: one of these roles; empty for anybody.
    #[serde(default)]
    pub roles: Vec<Role>,
    /// Somebody else must read it first and vouch for it.
    #[serde(default)]
    pub second_person: bool,
    /// Steps that must be done first.
    #[serde(default)]
    pub needs: Vec<CleanStr>,
    /// The word to type; without it the service's name, where something is changed.
    #[serde(default)]
    pub confirm: Option<CleanStr>,
}

/// What fills a placeholder.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Parameter {
    /// What it means, for the form.
    #[serde(default)]
    pub about: CleanStr,
    /// A whole number between two, both allowed.
    #[serde(default)]
    pub int: Option<(i64, i64)>,
    /// One of these words.
    #[serde(default)]
    pub one_of: Vec<Exact>,
    /// A word of letters, digits and these signs, of at most 64.
    #[serde(default)]
    pub word: Option<CleanStr>,
    /// What stands in the form at first.
    #[serde(default)]
    pub default: Option<Exact>,
    /// Nobody is asked: this text, in which `{incident}` and `{service}` are filled in from the record.
    #[serde(default)]
    pub fill: Option<Exact>,
}

/// What the record knows for a placeholder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The incident, as `INC-42`.
    pub incident: String,
    /// The service of the playbook.
    pub service: String,
}

/// A value for a placeholder, and where it is from, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    /// The value.
    pub exact: Exact,
    /// Where it is from, such as `from the run at 14:03`.
    pub origin: String,
}

impl Value {
    /// What the person said who asks.
    pub fn said(exact: Exact) -> Self {
        Self { exact, origin: "as you said".to_owned() }
    }
}

/// A command that is ready to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// Program and arguments, exactly.
    pub argv: Vec<Exact>,
    /// What each placeholder became and where that is from, in words.
    pub filled: Vec<String>,
}

/// A value that cannot be taken: which parameter, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// The parameter.
    pub parameter: CleanStr,
    /// Why, with what would do.
    pub why: String,
}

/// The program by which a site calls another: `[commands]` in its configuration.
pub type Aliases = BTreeMap<Exact, Vec<Exact>>;

/// A command is tried once more so many times at most.
const MOST_RETRIES: u32 = 20;

/// Programs that read code from an argument, and the argument after which they do.
const INTERPRETERS: [(&str, &[&str]); 14] = [
    ("sh", &["-c"]),
    ("bash", &["-c"]),
    ("dash", &["-c"]),
    ("zsh", &["-c"]),
    ("ksh", &["-c"]),
    ("fish", &["-c"]),
    ("python", &["-c"]),
    ("python3", &["-c"]),
    ("perl", &["-e", "-E"]),
    ("ruby", &["-e"]),
    ("node", &["-e", "-p", "--eval"]),
    ("php", &["-r"]),
    ("ssh", &[""]),
    ("eval", &[""]),
];

impl CommandStep {
    /// What is run for a purpose; empty where there is no command for it.
    pub fn argv(&self, purpose: Purpose) -> &[Exact] {
        match purpose {
            Purpose::Do => &self.argv,
            Purpose::Undo => &self.undo,
        }
    }

    /// How long it may take.
    pub fn limit(&self) -> Lapse {
        self.timeout.unwrap_or_else(|| Lapse::seconds(60))
    }

    /// Whether it is stopped at its limit.
    pub fn stops_at_limit(&self) -> bool {
        match self.at_limit {
            Some(AtLimit::Stop) => true,
            Some(AtLimit::Ask) => false,
            None => !self.changes,
        }
    }

    /// How its end is judged.
    pub fn judging(&self) -> Judging {
        let pause = self.pause.unwrap_or_else(|| Lapse::seconds(10));
        Judging {
            success: self.success.clone(),
            outcomes: self.outcomes.clone(),
            retries: self.retries,
            pause_s: if self.retries == 0 { 0 } else { u64::try_from(pause.num_seconds()).unwrap_or_default() },
            capture: self.capture.as_ref().and_then(|text| Capture::parse(text).ok()),
        }
    }

    /// The parameters that a person is asked for, for a purpose.
    pub fn asked(&self, purpose: Purpose) -> Vec<(&CleanStr, &Parameter)> {
        let used = |name: &str| self.argv(purpose).iter().any(|one| names(&one.text()).iter().any(|it| it == name));
        self.parameters.iter().filter(|(name, one)| one.fill.is_none() && used(name)).collect()
    }

    /// Fills the placeholders; the values are those that a person gave.
    pub fn resolve(
        &self,
        purpose: Purpose,
        given: &BTreeMap<CleanStr, Value>,
        facts: &Facts,
        aliases: &Aliases,
    ) -> Result<Resolved, Wrong> {
        let (mut argv, mut filled) = (Vec::new(), Vec::new());
        for (place, element) in self.argv(purpose).iter().enumerate() {
            if let Some(words) = aliases.get(element).filter(|_| place == 0) {
                filled.push(format!("{} is {} (from the configuration)", element.shown(), show_argv(words)));
                argv.extend(words.iter().cloned());
                continue;
            }
            // Bytes that are no text hold no placeholder, and run as they are.
            if std::str::from_utf8(element.as_bytes()).is_err() {
                argv.push(element.clone());
                continue;
            }
            let text = element.text();
            let parts = parts(&text).map_err(|why| Wrong { parameter: "argv".into(), why })?;
            let mut argument = String::new();
            for part in parts {
                let name = match part {
                    Part::Text(text) => {
                        argument.push_str(&text);
                        continue;
                    }
                    Part::Value(name) => name,
                };
                let wrong = |why: String| Wrong { parameter: name.into(), why };
                let parameter =
                    self.parameters.get(name).ok_or_else(|| wrong("is no parameter of this step".to_owned()))?;
                let (value, origin) = match (&parameter.fill, given.get(name)) {
                    (Some(text), _) => (fill(&text.text(), facts), "from the record"),
                    (None, Some(value)) => (value.exact.text().into_owned(), value.origin.as_str()),
                    (None, None) => return Err(wrong("wants a value".to_owned())),
                };
                parameter.take(&value, &argument).map_err(wrong)?;
                let line = format!("{name} = {} ({origin})", Exact::new(&value).shown());
                if !filled.contains(&line) {
                    filled.push(line);
                }
                argument.push_str(&value);
            }
            argv.push(Exact::new(argument));
        }
        for (place, argument) in argv.iter().enumerate() {
            argument
                .fits()
                .map_err(|unfit| Wrong { parameter: "argv".into(), why: format!("[{}] {unfit}", place + 1) })?;
        }
        Ok(Resolved { argv, filled })
    }

    pub(crate) fn check(&self) -> Result<(), Complaint> {
        if self.argv.is_empty() {
            return Err(Complaint::new(["argv".into()], "is empty: name a program"));
        }
        check_argv(&self.argv, &self.parameters).map_err(|complaint| complaint.within(["argv".into()]))?;
        check_argv(&self.undo, &self.parameters).map_err(|complaint| complaint.within(["undo".into()]))?;
        for (name, parameter) in &self.parameters {
            parameter.check().map_err(|complaint| complaint.within(["parameters".into(), name.as_str().into()]))?;
        }
        if let Some((place, name)) = self.env.iter().enumerate().find(|(_, name)| !is_name(name)) {
            let message = format!("`{name}` is no name of a variable: values are not written here");
            return Err(Complaint::new(["env".into(), place.into()], message));
        }
        if let Some(status) = self.outcomes.keys().find(|status| status.parse::<u8>().is_err()) {
            return Err(Complaint::new(
                ["outcomes".into()],
                format!("`{status}` is no exit status: they go from 0 to 255"),
            ));
        }
        if self.retries > MOST_RETRIES {
            return Err(Complaint::new(["retries".into()], format!("is more than {MOST_RETRIES}")));
        }
        if self.pause.is_some() && self.retries == 0 {
            return Err(Complaint::new(["pause".into()], "is for `retries`, and there are none"));
        }
        if let Some(why) = self.capture.as_ref().and_then(|text| Capture::parse(text).err()) {
            return Err(Complaint::new(["capture".into()], why));
        }
        if self.timeout.is_some_and(Lapse::is_zero) {
            return Err(Complaint::new(["timeout".into()], "is zero: nothing ends at once"));
        }
        Ok(())
    }
}

/// `-c`, also among other letters (`-lc`), and `--eval`, also with `=`.
fn takes_code(element: &str, codes: &[&str]) -> bool {
    codes.iter().any(|code| match code.strip_prefix("--") {
        Some(_) => element.split('=').next() == Some(code),
        None => element.starts_with('-') && !element.starts_with("--") && element.contains(&code[1..]),
    })
}

fn fill(text: &str, facts: &Facts) -> String {
    text.replace("{incident}", &facts.incident).replace("{service}", &facts.service)
}

fn check_argv(argv: &[Exact], parameters: &BTreeMap<CleanStr, Parameter>) -> Result<(), Complaint> {
    let at = |place: usize, message: String| Err(Complaint::new([Key::from(place)], message));
    let mut reads_code: Option<(&str, &[&str])> = None;
    let texts: Vec<_> = argv.iter().map(Exact::text).collect();
    for (place, element) in texts.iter().map(AsRef::as_ref).enumerate() {
        let element: &str = element;
        if place == 0 && argv[place].is_blank() {
            return at(place, "is empty: name a program".to_owned());
        }
        if let Err(unfit) = argv[place].fits() {
            return at(place, unfit.to_string());
        }
        let parts = match parts(element) {
            Ok(parts) => parts,
            Err(why) => return at(place, why),
        };
        let mut values = parts.iter().filter_map(|part| if let Part::Value(name) = part { Some(*name) } else { None });
        let has_values = values.clone().next().is_some();
        if has_values && place == 0 {
            return at(place, "the program itself cannot be a placeholder".to_owned());
        }
        if let Some(name) = values.clone().find(|name| !parameters.contains_key(*name)) {
            let known: Vec<_> = parameters.keys().map(CleanStr::as_str).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            return at(place, format!("`{name}` is no parameter of this command: it has {known}"));
        }
        let is_sentence =
            parts.iter().any(|part| matches!(part, Part::Text(text) if text.contains(char::is_whitespace)));
        if has_values && is_sentence {
            return at(
                place,
                format!("`{element}`: a value must not stand inside a sentence, which something may read as code"),
            );
        }
        let program = element.rsplit('/').next().unwrap_or(element);
        if let Some((name, codes)) = reads_code {
            let is_code = codes.contains(&"") || texts[..=place].iter().any(|one| takes_code(one, codes));
            // Of ssh's words one is the host, and the others are what somebody wrote here: a choice of such words, or a number, adds no code.
            let is_chosen = |name: &str| {
                parameters.get(name).is_some_and(|parameter| !parameter.one_of.is_empty() || parameter.int.is_some())
            };
            let is_harmless = name == "ssh" && values.all(is_chosen);
            if is_code && has_values && !is_harmless {
                let way = match name {
                    "ssh" => "give it `one-of` for a host or a word, or `int`",
                    _ => "write a script and call that",
                };
                return at(place, format!("`{name}` reads this as code: a value must not get there; {way}"));
            }
        }
        // `env`, `sudo`, `xargs` and the like run what follows them: any word may be a program.
        if let Some(found) = INTERPRETERS.iter().find(|(name, _)| *name == program) {
            reads_code = Some(*found);
        }
    }
    Ok(())
}

impl Parameter {
    /// What it means and which values it takes, for whoever fills it in.
    pub fn in_words(&self) -> String {
        let range = match self.int {
            Some((least, most)) => format!("{least} to {most}"),
            None => self.one_of.iter().map(Exact::shown).collect::<Vec<_>>().join(", "),
        };
        [self.about.to_string(), range].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(": ")
    }

    /// The value that somebody means who typed what a form can hold: a choice reads cleaned there, and is taken as it is written.
    pub fn meant(&self, said: &str) -> Exact {
        let mut reads_so = self.one_of.iter().filter(|choice| *choice.clean() == *said);
        match (reads_so.next(), reads_so.next()) {
            (Some(choice), None) if !self.one_of.iter().any(|exact| *exact == *said) => choice.clone(),
            _ => Exact::new(said),
        }
    }

    /// Takes a value after a literal beginning, or says why not.
    fn take(&self, value: &str, before: &str) -> Result<(), String> {
        if before.is_empty() && value.starts_with('-') {
            return Err(format!("`{value}` would be read as an option: a value does not begin with `-`"));
        }
        if let Some((least, most)) = self.int {
            return match value.parse::<i64>() {
                Ok(number) if (least..=most).contains(&number) && number.to_string() == value => Ok(()),
                Ok(_) | Err(_) => Err(format!("`{value}` is no whole number from {least} to {most}")),
            };
        }
        if !self.one_of.is_empty() {
            let choices: Vec<_> = self.one_of.iter().map(Exact::shown).collect();
            return if self.one_of.iter().any(|choice| *choice == *value) {
                Ok(())
            } else {
                Err(format!("`{value}` is none of {}", choices.join(", ")))
            };
        }
        let signs = self.word.as_deref().unwrap_or("-_.");
        let is_fine = |letter: char| letter.is_ascii_alphanumeric() || signs.contains(letter);
        if value.is_empty() || value.len() > 64 || value.starts_with('-') || !value.chars().all(is_fine) {
            return Err(format!(
                "`{value}` is no word of letters, digits and `{signs}`, of at most 64, not beginning with `-`"
            ));
        }
        Ok(())
    }

    fn check(&self) -> Result<(), Complaint> {
        let kinds = usize::from(self.int.is_some())
            + usize::from(!self.one_of.is_empty())
            + usize::from(self.word.is_some())
            + usize::from(self.fill.is_some());
        if kinds != 1 {
            return Err(Complaint::new(Vec::new(), "is exactly one of `int`, `one-of`, `word` and `fill`"));
        }
        if let Some((least, most)) = self.int
            && least > most
        {
            return Err(Complaint::new(["int".into()], format!("from {least} to {most} is nothing")));
        }
        match &self.default {
            Some(value) if self.fill.is_none() => {
                self.take(&value.text(), "").map_err(|why| Complaint::new(["default".into()], why))
            }
            Some(_) | None => Ok(()),
        }
    }
}
