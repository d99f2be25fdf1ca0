//! Checks a text before it goes out: what customers must not read, and what nobody should.
//!
//! Hides the phrases, and what tells the time of the next update (which is promised) from a time for the repair (which is not). A remark is advice with a
//! reason: the person who approves decides.
//!
//! Invariant: linting is total, takes time in proportion to the text and the vocabulary, gives at most [`MOST`] remarks in the order of the text, and
//! every range lies on letter boundaries.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;

use super::{Audience, MISSING, hosts};
use crate::playbook::Catalogue;
use crate::text::times::{Reading, When};
use crate::text::{CleanStr, fit, mask};

/// More remarks than this say nothing new.
pub const MOST: usize = 50;

/// What a remark is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// A time for the repair: nobody knows it.
    Eta,
    /// A guess.
    Guess,
    /// A machine, an address, or an internal page.
    Host,
    /// A service by the name that it has inside the company.
    Service,
    /// The name of a record or a ticket.
    Incident,
    /// A person.
    Person,
    /// What looks like a card number.
    Card,
    /// A placeholder or a fact that was not filled in.
    Unfilled,
    /// Too long for where it goes.
    Length,
}

impl Rule {
    /// What was found, in a word or two.
    pub fn name(self) -> &'static str {
        match self {
            Self::Eta => "time for a fix",
            Self::Guess => "guess",
            Self::Host => "host name",
            Self::Service => "internal name",
            Self::Incident => "incident name",
            Self::Person => "person",
            Self::Card => "card number",
            Self::Unfilled => "not filled in",
            Self::Length => "too long",
        }
    }

    /// Why it should not stand there.
    pub fn why(self) -> &'static str {
        match self {
            Self::Eta => "nobody knows when it will be fixed, and a missed time costs more trust than none",
            Self::Guess => "a guess about the cause is remembered as a fact",
            Self::Host => "names and addresses of machines help attackers and nobody else",
            Self::Service => "customers know this service by another name",
            Self::Incident => "the name of the record means nothing outside",
            Self::Person => "customers deal with the company: no names of persons",
            Self::Card => "card data must not leave the payment systems",
            Self::Unfilled => "something is missing here",
            Self::Length => "nobody reads this much, and the channel cuts it off",
        }
    }
}

/// Something in a text that should not go out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// What it is about.
    pub rule: Rule,
    /// Where it stands, in bytes.
    pub range: Range<usize>,
    /// What stands there, shortened for the screen; of a card number the last four digits.
    pub found: CleanStr,
    /// What to write in its place.
    pub instead: String,
}

impl fmt::Display for Remark {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "`{}` ({}): {}; {}", self.found, self.rule.name(), self.rule.why(), self.instead)
    }
}

/// The words of this company that a text for customers must not use.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Vocabulary {
    /// Names inside the company, with the public name to write instead.
    internal: Vec<(CleanStr, CleanStr)>,
    people: BTreeSet<CleanStr>,
    domains: BTreeSet<CleanStr>,
}

impl Vocabulary {
    /// The services of a catalogue: their ids, their names inside the company, and the names in their traces.
    pub fn of(catalogue: &Catalogue) -> Self {
        let mut vocabulary = Self::default();
        for playbook in catalogue.iter() {
            let names = [&playbook.service, &playbook.name].into_iter().chain(&playbook.traces.services);
            for name in names {
                vocabulary = vocabulary.with_service(name, &playbook.public_name);
            }
        }
        vocabulary
    }

    /// Adds a name that only the company knows, and what to write instead.
    pub fn with_service(mut self, internal: &str, public: &str) -> Self {
        if !internal.trim().is_empty() && !internal.eq_ignore_ascii_case(public) {
            self.internal.push((CleanStr::new(internal.trim()), CleanStr::new(public)));
        }
        self
    }

    /// Adds people, such as those who hold a role.
    pub fn with_people<T: AsRef<str>>(mut self, names: impl IntoIterator<Item = T>) -> Self {
        self.people.extend(names.into_iter().map(|name| CleanStr::new(name.as_ref().trim())));
        self
    }

    /// Adds domains that are reached from inside only, such as `qrpay.internal`.
    pub fn with_domains<T: AsRef<str>>(mut self, domains: impl IntoIterator<Item = T>) -> Self {
        let clean = |domain: T| CleanStr::new(&domain.as_ref().trim().trim_start_matches('.').to_ascii_lowercase());
        self.domains.extend(domains.into_iter().map(clean).filter(|domain| !domain.is_empty()));
        self
    }
}

/// Reads a text for what should not go out to an audience; nothing where all is well.
pub fn lint(text: &str, audience: Audience, vocabulary: &Vocabulary) -> Vec<Remark> {
    let mut found = Findings { text, all: Vec::new() };
    unfilled(&mut found);
    cards(&mut found);
    if let Some(most) = audience.longest()
        && let Some((end, _)) = text.char_indices().nth(most)
    {
        let length = text.chars().count();
        found.add(Rule::Length, end..text.len(), format!("keep it to {most} letters, it has {length}"));
    }
    match audience {
        Audience::Slack | Audience::Internal | Audience::Executive => {}
        Audience::External => {
            let reading = Reading::new(text);
            times(&reading, &mut found);
            phrases(&reading, &mut found);
            hosts::find(text, &vocabulary.domains, |range| {
                found.add(Rule::Host, range, "leave it out, or name the public page".to_owned());
            });
            services(vocabulary, &mut found);
            records(&mut found);
            people(&reading, &vocabulary.people, &mut found);
        }
    }
    found.in_order()
}

struct Findings<'a> {
    text: &'a str,
    all: Vec<Remark>,
}

impl Findings<'_> {
    fn add(&mut self, rule: Rule, range: Range<usize>, instead: String) {
        let found = CleanStr::new(&fit(&self.text[range.clone()].replace('\n', " "), 60));
        self.all.push(Remark { rule, range, found, instead });
    }

    /// By place; of what lies within another finding only the larger one.
    fn in_order(mut self) -> Vec<Remark> {
        self.all.sort_by_key(|remark| (remark.range.start, std::cmp::Reverse(remark.range.end), remark.rule));
        let mut covered = 0;
        self.all.retain(|remark| {
            // A text that is too long is remarked on as a whole, and read all the same.
            if remark.rule == Rule::Length {
                return true;
            }
            let is_new = remark.range.end > covered;
            covered = covered.max(remark.range.end);
            is_new
        });
        self.all.truncate(MOST);
        self.all
    }
}

fn unfilled(found: &mut Findings<'_>) {
    let text = found.text;
    let mut at = 0;
    while let Some(open) = text[at..].find(['{', '}']).map(|place| at + place) {
        let is_brace = ["{{", "}}", "{%", "{#"].iter().any(|brace| text[open..].starts_with(brace));
        if !is_brace {
            at = open + 1;
            continue;
        }
        // A name is short; a search to the end of the text from every brace would take its square.
        let name = text[open + 2..].bytes().take(80).take_while(|byte| *byte != b'\n');
        let name: Vec<u8> = name.collect();
        let close = name.windows(2).position(|pair| matches!(pair, b"}}" | b"%}" | b"#}"));
        let end = close.map_or(open + 2, |close| open + 2 + close + 2);
        found.add(Rule::Unfilled, open..end, "write what belongs here, or take the line out".to_owned());
        at = end;
    }
    for range in all_of(text, MISSING) {
        found.add(Rule::Unfilled, range, "write it, or take the line out".to_owned());
    }
}

/// Every place of a word in lower case, whatever its letters' case in the text.
fn all_of(text: &str, word: &str) -> Vec<Range<usize>> {
    if word.is_empty() {
        return Vec::new();
    }
    let lower = text.to_ascii_lowercase();
    lower.match_indices(&word.to_ascii_lowercase()).map(|(at, found)| at..at + found.len()).collect()
}

/// Card numbers, as the mask finds them: none of them leaves, whoever writes it.
fn cards(found: &mut Findings<'_>) {
    for (place, last) in mask::cards(found.text) {
        found.add(Rule::Card, place, "take it out, and tell the security team where it came from".to_owned());
        // The screen and the record of the remark must not spread what the remark is about.
        if let Some(remark) = found.all.last_mut() {
            remark.found = CleanStr::new(&format!("…{last}"));
        }
    }
}

const NO_ETA: &str = "say when the next update comes: `Next update at 14:45 UTC`";

/// Times that are neither the promise of the next update nor of the past.
fn times(reading: &Reading, found: &mut Findings<'_>) {
    let promised: BTreeSet<usize> = reading.promises().into_iter().collect();
    for (place, time) in reading.times.iter().enumerate() {
        if promised.contains(&place) {
            continue;
        }
        const FILLERS: [&str; 17] = [
            "about",
            "around",
            "approximately",
            "roughly",
            "approx",
            "the",
            "next",
            "another",
            "less",
            "than",
            "under",
            "only",
            "just",
            "further",
            "coming",
            "no",
            "later",
        ];
        let mut back = 1;
        while back <= 4 && FILLERS.contains(&reading.word(time.first, -back)) {
            back += 1;
        }
        let lead = reading.word(time.first, -back);
        let fillers: Vec<&str> = (1..back).map(|by| reading.word(time.first, -by)).collect();
        let after = [reading.word(time.end, 0), reading.word(time.end, 1)];
        let is_ahead = reading.is_ahead(time.first);
        let is_same = reading.tokens[time.end - 1].sentence
            == reading.tokens.get(time.end).map_or(usize::MAX, |token| token.sentence);
        let is_left = is_same && matches!(after, ["from", "now"] | ["left" | "away" | "remaining", _] | ["to", "go"]);
        let is_past = matches!(lead, "since" | "from" | "between" | "after" | "last" | "past")
            || (is_same && matches!(after[0], "ago" | "earlier"));
        let is_length = matches!(time.when, When::In(_) | When::Vague);
        let is_eta = match lead {
            _ if is_left => true,
            _ if is_past => false,
            "in" | "within" if is_length => true,
            "by" | "before" => true,
            _ if fillers.contains(&"next") || fillers.contains(&"coming") => true,
            _ => is_ahead,
        };
        if is_eta {
            let is_led = matches!(lead, "in" | "within" | "by" | "before" | "until" | "till" | "at" | "for");
            let first = time.first - if is_led { back as usize } else { (back - 1) as usize };
            found.add(Rule::Eta, reading.tokens[first].range.start..time.range.end, NO_ETA.to_owned());
        }
    }
}

/// Phrases of one rule; the words stand in one sentence, side by side.
const PHRASES: [(Rule, &[&[&str]]); 2] = [
    (
        Rule::Eta,
        &[
            &["soon"],
            &["shortly"],
            &["momentarily"],
            &["imminent"],
            &["imminently"],
            &["eta"],
            &["tonight"],
            &["tomorrow"],
            &["eod"],
            &["before", "long"],
            &["later", "today"],
            &["any", "minute"],
            &["any", "moment"],
            &["any", "time", "now"],
            &["in", "no", "time"],
            &["in", "a", "moment"],
            &["end", "of", "day"],
            &["end", "of", "the", "day"],
            &["within", "the", "hour"],
            &["within", "minutes"],
            &["within", "hours"],
            &["in", "the", "coming", "minutes"],
            &["in", "the", "coming", "hours"],
            &["in", "the", "next", "few", "minutes"],
            &["almost", "fixed"],
            &["almost", "resolved"],
            &["nearly", "fixed"],
            &["nearly", "resolved"],
        ],
    ),
    (
        Rule::Guess,
        &[
            &["probably"],
            &["possibly"],
            &["perhaps"],
            &["maybe"],
            &["presumably"],
            &["apparently"],
            &["supposedly"],
            &["likely"],
            &["unlikely"],
            &["seem"],
            &["seems"],
            &["seemed"],
            &["seemingly"],
            &["suspect"],
            &["suspected"],
            &["guess"],
            &["we", "think"],
            &["we", "believe"],
            &["we", "assume"],
            &["we", "feel"],
            &["might", "be"],
            &["might", "have"],
            &["may", "have", "been"],
            &["may", "be", "due"],
            &["may", "be", "caused"],
            &["may", "be", "related"],
            &["could", "be", "due"],
            &["could", "be", "caused"],
            &["could", "be", "related"],
            &["could", "have", "been"],
            &["appears", "to"],
            &["appear", "to"],
            &["appeared", "to"],
            &["looks", "like"],
            &["look", "like"],
            &["looks", "as", "if"],
        ],
    ),
];

fn phrases(reading: &Reading, found: &mut Findings<'_>) {
    let of = |place: usize| reading.times[place].first..reading.times[place].end;
    let promised: BTreeSet<usize> = reading.promises().into_iter().flat_map(of).collect();
    for (place, token) in reading.tokens.iter().enumerate() {
        for (rule, phrases) in &PHRASES {
            let is_here = |phrase: &&&[&str]| {
                phrase.iter().enumerate().all(|(by, word)| reading.word(place, by as isize) == *word)
            };
            let Some(phrase) = phrases.iter().filter(is_here).max_by_key(|phrase| phrase.len()) else { continue };
            // `as soon as we know more` names no time.
            if promised.contains(&place) || (*phrase == ["soon"] && reading.word(place, -1) == "as") {
                continue;
            }
            let end = reading.tokens[place + phrase.len() - 1].range.end;
            let instead = match rule {
                Rule::Eta => NO_ETA,
                _ => "say what is known, or that the cause is being looked for",
            };
            found.add(*rule, token.range.start..end, instead.to_owned());
        }
    }
}

fn services(vocabulary: &Vocabulary, found: &mut Findings<'_>) {
    let text = found.text;
    let mut is_public = vec![false; text.len()];
    for (_, public) in &vocabulary.internal {
        for range in all_of(text, public) {
            is_public[range].fill(true);
        }
    }
    for (internal, public_name) in &vocabulary.internal {
        // `alipay` is an id and `Alipay` a company; `qrpay-web` is nothing but an id.
        let is_word = internal.bytes().all(|letter| letter.is_ascii_lowercase());
        for range in all_of(text, internal) {
            let is_it = !is_word || text[range.clone()] == **internal;
            if is_it && is_public[range.clone()].contains(&false) && stands_alone(text, &range) {
                let instead = match public_name.trim() {
                    "" => "write the name that customers know".to_owned(),
                    public => format!("write `{public}`"),
                };
                found.add(Rule::Service, range, instead);
            }
        }
    }
}

/// Whether no letter, digit or `-` continues a word at either end.
fn stands_alone(text: &str, range: &Range<usize>) -> bool {
    let goes_on = |letter: char| letter.is_alphanumeric() || matches!(letter, '-' | '_');
    let mut after = text[range.end..].chars();
    let next = after.next();
    // `alipay.com` is an address of a company, not our service.
    let is_name = next == Some('.') && after.next().is_some_and(char::is_alphanumeric);
    !text[..range.start].chars().next_back().is_some_and(goes_on) && !next.is_some_and(goes_on) && !is_name
}

/// `INC-42`, `DRILL-3`, and the ticket `OPS-7`.
fn records(found: &mut Findings<'_>) {
    let text = found.text;
    for series in ["inc-", "drill-", "ops-"] {
        for start in all_of(text, series) {
            let digits = text[start.end..].bytes().take_while(u8::is_ascii_digit).count();
            let range = start.start..start.end + digits;
            if digits > 0 && stands_alone(text, &range) {
                found.add(Rule::Incident, range, "leave it out".to_owned());
            }
        }
    }
}

/// Names that are words too: only with a capital inside a sentence, or after `@`.
const ALSO_WORDS: [&str; 20] = [
    "will", "may", "mark", "bill", "hope", "grace", "rose", "art", "rob", "sue", "pat", "page", "dale", "jack", "june",
    "april", "frank", "gene", "guy", "max",
];

fn people(reading: &Reading, people: &BTreeSet<CleanStr>, found: &mut Findings<'_>) {
    let mut names: BTreeSet<String> = BTreeSet::new();
    for person in people {
        names.extend(
            person
                .split(|letter: char| !letter.is_alphanumeric() && !matches!(letter, '\'' | '’'))
                .map(|part| part.to_ascii_lowercase().replace('’', "'"))
                .filter(|part| part.chars().count() >= 3 && !part.bytes().all(|byte| byte.is_ascii_digit())),
        );
    }
    let text = found.text;
    for (place, token) in reading.tokens.iter().enumerate() {
        let bare = token.word.strip_suffix("'s").unwrap_or(&token.word);
        if !names.contains(bare) {
            continue;
        }
        let is_named = text[..token.range.start].ends_with('@');
        let is_capital = text[token.range.clone()].starts_with(char::is_uppercase);
        let is_inside = !reading.word(place, -1).is_empty();
        if is_named || !ALSO_WORDS.contains(&bare) || (is_capital && is_inside) {
            let range = token.range.start..token.range.start + text[token.range.clone()].len();
            found.add(Rule::Person, range, "write `we` or `our team`".to_owned());
        }
    }
}
