//! Reads a template file, tries it, and renders it.
//!
//! Hides the engine: its settings, its errors, and the first line that is ours.
//!
//! Invariant: every flaw has a line and a column of the file; nothing is rendered without fuel, which bounds both time and memory.

use chrono::{DateTime, NaiveDate, Utc};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Value;
use minijinja::{Environment, ErrorKind, UndefinedBehavior};

use super::channel::{ChannelTemplate, Reader};
use super::facts::{MISSING, TEXT};
use super::scan::{self, FILTERS, Part, TAGS, TESTS};
use super::{Audience, Facts, Status, Template, TemplateName, VARIABLES, promise};
use crate::text::document::{Flaw, flaw, nearest};
use crate::text::duration::Lapse;
use crate::text::markup::without_markup;
use crate::text::{CleanStr, CleanText, fit};

/// A bigger template is not read: it would fill a page that nobody reads.
pub const TEMPLATE_BYTES: usize = 16 * 1024;

/// One unit is an instruction or 64 bytes: enough for a page of text and thirty times what the longest shipped template takes.
const FUEL: u64 = 50_000;

const FIRST_LINE: &str = "{# owner: Reliability Engineering Lead; reviewed: 2026-11-01; promise: 30m #}";
const LOOP: [&str; 5] = ["first", "last", "index", "index0", "length"];

/// The invented text around which the templates of channels are tried.
const TRIAL: &str = "Payments by card may fail.\n\nWe work on it.";

/// The invented moment at which templates are tried.
pub(super) fn trial_time() -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_442_400, 0).unwrap_or_default()
}

/// Reads a template and tries it with full and with empty facts.
pub(super) fn parse(file: &str, text: &str) -> Result<Template, Box<Flaw>> {
    let wrong = |at: usize, message: &str| flaw(file, text, at, &[], message);
    let Some(name) = TemplateName::of_file(file) else {
        let known = super::names();
        let message = format!("no update uses a file of this name: call it one of {}, and .txt", known.join(", "));
        return Err(wrong(0, &message));
    };
    if text.len() > TEMPLATE_BYTES {
        return Err(wrong(0, &format!("the template has {} bytes, and at most {TEMPLATE_BYTES} are read", text.len())));
    }
    let start = text.find('\n').map_or(text.len(), |end| end + 1);
    let header = header(&text[..start]).map_err(|(at, message)| wrong(at, &message))?;
    let template = Template {
        name,
        file: CleanStr::new(file),
        owner: header.owner,
        reviewed: header.reviewed,
        promise: header.promise,
        body: text[start..].to_owned(),
    };
    if template.body.trim().is_empty() {
        return Err(wrong(text.len(), "the template is empty: write the text below the first line"));
    }
    check_words(&template.body, template.name.audience == Audience::External, &[])
        .map_err(|(at, message)| wrong(start + at, &message))?;
    try_out(&template, start, &wrong)?;
    Ok(template)
}

/// Reads the template of a channel and tries it with full and with empty facts.
pub(super) fn parse_channel(file: &str, reader: Reader, text: &str) -> Result<ChannelTemplate, Box<Flaw>> {
    let wrong = |at: usize, message: &str| flaw(file, text, at, &[], message);
    if text.len() > TEMPLATE_BYTES {
        return Err(wrong(0, &format!("the template has {} bytes, and at most {TEMPLATE_BYTES} are read", text.len())));
    }
    let start = text.find('\n').map_or(text.len(), |end| end + 1);
    let header = header(&text[..start]).map_err(|(at, message)| wrong(at, &message))?;
    if header.promise.is_some() {
        return Err(wrong(0, "a channel promises nothing by itself: take `promise` out of the first line"));
    }
    let body = text[start..].to_owned();
    check_words(&body, reader.audience() == Audience::External, &[TEXT])
        .map_err(|(at, message)| wrong(start + at, &message))?;
    let template =
        ChannelTemplate { reader, file: CleanStr::new(file), owner: header.owner, reviewed: header.reviewed, body };
    let (now, zone) = (trial_time(), chrono_tz::UTC);
    for (facts, status) in [(Facts::empty(now, zone), Status::Resolved), (Facts::sample(now, zone), Status::Identified)]
    {
        let facts = Facts { next_update: facts.severity.map(|_| now), ..facts };
        let worded = render_channel(&template, TRIAL, &facts, status)?;
        if !worded.contains(TRIAL) {
            return Err(wrong(start, "the text that was approved does not stand in it whole: write `{{ text }}`"));
        }
        if worded.contains(MISSING) {
            let way = "put `{% if … %}` around what may not be known";
            return Err(wrong(start, &format!("it says `{MISSING}` to those who read it: {way}")));
        }
        if reader != Reader::Chat && without_markup(&worded) != *worded {
            return Err(wrong(start, &format!("the markup of chat means nothing in {}: take it out", reader.place())));
        }
    }
    Ok(template)
}

/// Puts the words of its channel around a text.
pub(super) fn render_channel(
    template: &ChannelTemplate,
    text: &str,
    facts: &Facts,
    status: Status,
) -> Result<CleanText, Box<Flaw>> {
    let values = facts.around(text, template.reader.audience(), status);
    fill(&template.file, &template.body, values)
}

/// Fills a template with facts.
pub(super) fn render(template: &Template, facts: &Facts) -> Result<CleanText, Box<Flaw>> {
    let next = facts.next_update.or_else(|| facts.now.checked_add_signed(*template.promise?));
    let values = facts.values(template.name.audience, template.name.status, next);
    fill(&template.file, &template.body, values)
}

fn fill(file: &str, body: &str, values: Value) -> Result<CleanText, Box<Flaw>> {
    let filled = engine().template_from_str(body).and_then(|compiled| compiled.render(values));
    let text = filled.map_err(|error| {
        let (at, message) = explain(&error);
        let mut flaw = flaw(file, body, at, &[], &message);
        // The first line is ours and not the engine's.
        flaw.line += 1;
        flaw
    })?;
    Ok(tidy(&text))
}

/// At most one blank line in a row, none at the ends, and no spaces before a line's end: branches that were not taken leave them.
fn tidy(text: &str) -> CleanText {
    let mut out = String::with_capacity(text.len());
    let mut blank = 0;
    for line in text.lines().map(str::trim_end) {
        blank = if line.is_empty() { blank + 1 } else { 0 };
        if blank < 2 {
            out.push_str(line);
            out.push('\n');
        }
    }
    CleanText::new(out.trim())
}

fn engine() -> Environment<'static> {
    let mut engine = Environment::new();
    for function in ["range", "dict", "debug", "namespace"] {
        engine.remove_global(function);
    }
    engine.set_undefined_behavior(UndefinedBehavior::Strict);
    engine.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    engine.set_fuel(Some(FUEL));
    // A line with a tag alone on it leaves no empty line.
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    if let Ok(syntax) = syntax {
        engine.set_syntax(syntax);
    }
    engine
}

/// Where an error of the engine is, and a sentence for it.
fn explain(error: &minijinja::Error) -> (usize, String) {
    let at = error.range().map_or(0, |range| range.start);
    let detail = error.detail().unwrap_or_default();
    let message = match error.kind() {
        ErrorKind::OutOfFuel => "the template takes too long or makes too much text: use fewer loops".to_owned(),
        ErrorKind::SyntaxError if detail.is_empty() => {
            "is no template here: look for a brace that is not closed".to_owned()
        }
        ErrorKind::SyntaxError => format!("is no template here: {detail}"),
        ErrorKind::UndefinedError => "there is no such value: lists can be shorter than this".to_owned(),
        kind if detail.is_empty() => kind.to_string(),
        kind => format!("{kind}: {detail}"),
    };
    (at, message)
}

struct Header {
    owner: CleanStr,
    reviewed: NaiveDate,
    promise: Option<Lapse>,
}

/// Reads the first line.
fn header(line: &str) -> Result<Header, (usize, String)> {
    let form = || format!("begin with a first line such as {FIRST_LINE}");
    let trimmed = line.trim().trim_start_matches('\u{feff}');
    let inner = trimmed.strip_prefix("{#").and_then(|rest| rest.strip_suffix("#}"));
    let inner = inner.ok_or_else(|| (0, format!("the first line says who keeps this template: {}", form())))?;
    let (mut owner, mut reviewed, mut promise) = (None, None, None);
    let base = line.find(inner).unwrap_or(0);
    let mut at = base;
    for part in inner.trim_matches('-').split(';') {
        let here = at + (part.len() - part.trim_start().len());
        at += part.len() + 1;
        if part.trim().is_empty() {
            continue;
        }
        let Some((key, value)) = part.split_once(':') else {
            return Err((here, format!("`{}` says nothing: {}", fit(part.trim(), 40), form())));
        };
        let place = at - 1 - value.trim_start().len();
        let value = value.trim();
        match key.trim() {
            "owner" if value.is_empty() => {
                return Err((place, "`owner` is empty: write who keeps this template".to_owned()));
            }
            "owner" => owner = Some(CleanStr::new(value)),
            "reviewed" => {
                let day = value.parse().map_err(|_| {
                    let message = format!("`{}` is no day: write it 2026-11-01", fit(value, 40));
                    (place, message)
                })?;
                reviewed = Some(day);
            }
            "promise" => {
                let lapse: Lapse = value.parse().map_err(|error| (place, format!("{error}")))?;
                if lapse.is_zero() {
                    return Err((place, "`promise` is zero: leave it out where no next update is promised".to_owned()));
                }
                promise = Some(lapse);
            }
            other => {
                let message = format!("`{}` is unknown: owner, reviewed and promise are known", fit(other, 40));
                return Err((here, message));
            }
        }
    }
    match (owner, reviewed) {
        (Some(owner), Some(reviewed)) => Ok(Header { owner, reviewed, promise }),
        (None, _) => Err((base, format!("`owner` is missing: {}", form()))),
        (_, None) => Err((base, format!("`reviewed` is missing: {}", form()))),
    }
}

/// What may stand between the braces; gives the place in the body and a sentence.
fn check_words(body: &str, is_external: bool, more: &[&str]) -> Result<(), (usize, String)> {
    let words = scan::words(body);
    for word in &words {
        let said = &body[word.range.clone()];
        let (kind, known): (_, &[&str]) = match word.part {
            Part::Tag => ("tag", &TAGS),
            Part::Filter => ("filter", &FILTERS),
            Part::Test => ("test", &TESTS),
            Part::Attribute => ("attribute", &LOOP),
            Part::Name => continue,
        };
        let is_known = match word.part {
            Part::Attribute => known.contains(&said) && body[..word.range.start].ends_with("loop."),
            Part::Tag | Part::Filter | Part::Test | Part::Name => known.contains(&said),
        };
        if !is_known {
            let about = if word.part == Part::Attribute { " (of `loop`, nothing else has any)" } else { "" };
            let guess = nearest(said, known.iter().copied()).map(|guess| format!("; did you mean `{guess}`?"));
            let (said, guess) = (fit(said, 40), guess.unwrap_or_default());
            let message = format!("`{said}` is no known {kind}{about}: there are {}{guess}", known.join(", "));
            return Err((word.range.start, message));
        }
    }
    let engine = engine();
    let compiled = engine.template_from_str(body).map_err(|error| explain(&error))?;
    let knows = |name: &str| {
        let of = |known: &&super::Variable| known.name == name || known.placeholder == Some(name);
        VARIABLES.iter().find(of)
    };
    // In the order of the text, so that the first mistake is the one that is told.
    let mut unknown: Vec<(usize, String)> = compiled
        .undeclared_variables(false)
        .into_iter()
        .filter(|name| !more.contains(&name.as_str()))
        .filter(|name| knows(name).is_none_or(|known| is_external && !known.is_public))
        .map(|name| {
            let place = words.iter().find(|word| word.part == Part::Name && body[word.range.clone()] == name);
            (place.map_or(0, |word| word.range.start), name)
        })
        .collect();
    unknown.sort();
    let Some((at, name)) = unknown.into_iter().next() else { return Ok(()) };
    let usable = || VARIABLES.iter().filter(|known| known.is_public || !is_external);
    let placeholders = usable().filter_map(|known| known.placeholder);
    let known: Vec<&str> = placeholders.chain(more.iter().copied()).chain(usable().map(|known| known.name)).collect();
    let shown = fit(&name, 40);
    let guess = nearest(&name, known.iter().copied()).map(|guess| format!("; did you mean `{guess}`?"));
    let message = match knows(&name) {
        Some(_) => format!("`{shown}` is not for customers: there are {}", known.join(", ")),
        None => format!("`{shown}` is unknown: there are {}{}", known.join(", "), guess.unwrap_or_default()),
    };
    Err((at, message))
}

/// Renders with full and with empty facts, and holds what the text promises against what its first line does.
fn try_out(template: &Template, start: usize, wrong: &dyn Fn(usize, &str) -> Box<Flaw>) -> Result<(), Box<Flaw>> {
    let now = trial_time();
    let zone = chrono_tz::UTC;
    render(template, &Facts::empty(now, zone))?;
    let full = render(template, &Facts::sample(now, zone))?;
    let said = promise(&full, now, zone).map(|at| at - now);
    let Some(promised) = template.promise else {
        return match said {
            Some(said) => {
                let minutes = said.num_minutes();
                Err(wrong(0, &format!("the text promises the next update in {minutes} min: add `promise: {minutes}m`")))
            }
            None => Ok(()),
        };
    };
    match said {
        Some(said) if said == *promised => Ok(()),
        Some(said) => Err(wrong(
            0,
            &format!("the first line promises {promised}, the text {} min: make them the same", said.num_minutes()),
        )),
        None => Err(wrong(
            start,
            &format!("the text promises nothing, the first line {promised}: say `Next update: {{{{ next_update }}}}`"),
        )),
    }
}
