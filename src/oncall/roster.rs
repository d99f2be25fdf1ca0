//! Who is meant by a name: one person, whatever they are called.
//!
//! Hides that people are called by login, alias, mail address, chat name, first name or title, with or without an `@`, in quotes or not.
//!
//! Invariant: a name that could mean two people means nobody until somebody writes more of it; what is written in quotes and known to nobody is taken
//! as it is.

use std::collections::BTreeSet;

use super::Person;
use crate::text::{CleanStr, alike, folded};

/// The longest name, in words, that is looked for at the beginning of a line.
const MOST_WORDS: usize = 5;
/// The most names that a sentence or a completion offers.
const OFFERED: usize = 5;

/// The people whom a name can mean.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Roster {
    /// Those of the configuration.
    people: Vec<Person>,
    /// Names that are in use beside: of those who are here, hold a role, are on call.
    others: Vec<CleanStr>,
}

/// What a name means.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Found {
    One(CleanStr),
    Several(Vec<CleanStr>),
    Nobody,
}

/// A name as it is compared: letter case, blanks and the way of writing a letter do not count. An accent does: it may
/// be somebody else's name.
fn key(name: &str) -> String {
    alike(name).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// All that one person is called, but for the title: it belongs to a position.
pub(super) fn names(person: &Person) -> impl Iterator<Item = (&'static str, &CleanStr)> {
    std::iter::once(("name", &person.name))
        .chain(person.login.iter().map(|name| ("login", name)))
        .chain(person.aliases.iter().map(|name| ("aliases", name)))
        .chain(person.email.iter().map(|name| ("email", name)))
        .chain(person.slack.iter().map(|name| ("slack", name)))
        .filter(|(_, name)| !name.is_blank())
}

/// The key by which somebody's name is compared; chat names come with an `@` or without.
fn called(name: &str) -> String {
    key(name.trim().trim_start_matches('@'))
}

/// The text between quotation marks, if that is all there is.
fn quoted(text: &str) -> Option<&str> {
    [('"', '"'), ('\u{201c}', '\u{201d}')]
        .into_iter()
        .find_map(|(open, close)| text.strip_prefix(open)?.strip_suffix(close))
        .map(str::trim)
}

/// Who in a list is called by somebody else's name, or twice: the key, the name, and the two people.
pub fn clash(people: &[Person]) -> Option<(usize, &'static str, String)> {
    for (place, person) in people.iter().enumerate() {
        for before in &people[..place] {
            for (field, name) in names(person) {
                if names(before).any(|(_, known)| called(known) == called(name)) {
                    let why = if key(&before.name) == key(&person.name) {
                        format!("`{}` stands there twice: one person has one entry", person.name)
                    } else {
                        format!("`{name}` would be both {} and {}: a name means one person", before.name, person.name)
                    };
                    return Some((place, field, why));
                }
            }
        }
    }
    None
}

/// The person who goes by a name, whichever of their names it is.
pub fn known_by<'a>(people: &'a [Person], said: &str) -> Option<&'a Person> {
    let said = called(said);
    people.iter().find(|person| !said.is_empty() && names(person).any(|(_, name)| called(name) == said))
}

/// Whether two names are one person's.
pub fn is_same(people: &[Person], one: &str, other: &str) -> bool {
    if called(one) == called(other) {
        return true;
    }
    let known = known_by(people, one);
    known.is_some_and(|person| names(person).any(|(_, name)| called(name) == called(other)))
}

/// The name by which the record calls somebody who is known; anybody else keeps their own.
pub fn canonical(people: &[Person], said: &CleanStr) -> CleanStr {
    known_by(people, said).map_or_else(|| said.clone(), |person| person.name.clone())
}

impl Roster {
    /// The people of the configuration, and further names that are in use.
    pub fn new(people: &[Person], others: impl IntoIterator<Item = CleanStr>) -> Self {
        let mut seen = BTreeSet::new();
        let others = others.into_iter().filter(|name| !name.is_blank() && known_by(people, name).is_none());
        let others = others.filter(|name| seen.insert(called(name))).collect();
        Self { people: people.to_vec(), others }
    }

    /// The same with further names that are in use.
    pub fn with(&self, others: impl IntoIterator<Item = CleanStr>) -> Self {
        Self::new(&self.people, self.others.iter().cloned().chain(others))
    }

    /// Whether two names are one person's.
    pub fn is_same(&self, one: &str, other: &str) -> bool {
        is_same(&self.people, one, other)
    }

    fn all(&self) -> impl Iterator<Item = &CleanStr> {
        self.others.iter().chain(self.people.iter().map(|person| &person.name))
    }

    /// Somebody who is called exactly so.
    fn exact(&self, said: &str) -> Option<&CleanStr> {
        let other = || self.others.iter().find(|name| called(name) == called(said));
        known_by(&self.people, said).map(|person| &person.name).or_else(other)
    }

    fn find(&self, said: &str) -> Found {
        if let Some(name) = self.exact(said) {
            return Found::One(name.clone());
        }
        let said = folded(&called(said));
        let words: Vec<_> = said.split(' ').collect();
        let has_all = |name: &&CleanStr| {
            let name = folded(&called(name));
            let own: Vec<_> = name.split(' ').collect();
            !said.is_empty() && words.iter().all(|word| own.contains(word))
        };
        let mut found: Vec<_> = self.all().filter(has_all).cloned().collect();
        if found.is_empty() {
            let holds = |person: &&Person| person.title.as_ref().is_some_and(|title| folded(&called(title)) == said);
            found.extend(self.people.iter().filter(holds).map(|person| person.name.clone()));
        }
        match found.len() {
            0 => Found::Nobody,
            1 => found.pop().map_or(Found::Nobody, Found::One),
            _ => Found::Several(found),
        }
    }

    /// The one person whom a name means; else a sentence that asks who that is.
    pub fn named(&self, said: &str) -> Result<CleanStr, String> {
        let said = said.trim().trim_start_matches('@').trim();
        if let Some(inside) = quoted(said) {
            return Ok(self.exact(inside).cloned().unwrap_or_else(|| CleanStr::new(inside)));
        }
        match self.find(said) {
            Found::One(name) => Ok(name),
            Found::Several(names) => Err(format!("`{said}` could be {}: write more of the name", or(&names))),
            // Where nobody is configured, a name is a name.
            Found::Nobody if self.people.is_empty() || said.is_empty() => Ok(CleanStr::new(said)),
            Found::Nobody => Err(match self.completions(said).as_slice() {
                [] => {
                    format!("who is `{said}`? Nobody known goes by that name: \"{said}\" in quotes is taken as it is")
                }
                names => format!("who is `{said}`: {}? \"{said}\" in quotes is taken as it is", or(names)),
            }),
        }
    }

    /// Like [`Roster::named`], in an exercise: whoever is not called exactly so is of its cast.
    pub fn named_in_drill(&self, said: &str) -> CleanStr {
        let said = said.trim().trim_start_matches('@').trim();
        let said = quoted(said).unwrap_or(said);
        self.exact(said).cloned().unwrap_or_else(|| CleanStr::new(said))
    }

    /// The name at the beginning of a text, and the rest: in quotes, or as long as somebody is called so, else one word.
    pub fn split<'a>(&self, text: &'a str) -> (&'a str, &'a str) {
        let text = text.trim();
        let bare = text.strip_prefix('@').unwrap_or(text);
        for (open, close) in [('"', '"'), ('\u{201c}', '\u{201d}')] {
            if let Some(end) = bare.strip_prefix(open).and_then(|rest| rest.find(close)) {
                let (name, rest) = bare.split_at(open.len_utf8() + end + close.len_utf8());
                return (name, rest.trim());
            }
        }
        let ends = bare.char_indices().filter(|(_, letter)| letter.is_whitespace()).map(|(at, _)| at).take(MOST_WORDS);
        let ends: Vec<_> = ends.chain([bare.len()]).collect();
        let known = ends.iter().rev().find(|end| self.exact(&bare[..**end]).is_some());
        let end = known.or(ends.first()).copied().unwrap_or(bare.len());
        (&bare[..end], bare[end..].trim())
    }

    /// What stands before a name at the end of a text, and the name: in quotes, or as long as somebody is called so, else one word.
    pub fn split_last<'a>(&self, text: &'a str) -> (&'a str, &'a str) {
        let text = text.trim();
        if text.ends_with(['"', '\u{201d}'])
            && let Some(start) = text.trim_end_matches(['"', '\u{201d}']).rfind(['"', '\u{201c}'])
        {
            let start = if text[..start].ends_with('@') { start - 1 } else { start };
            return (text[..start].trim(), &text[start..]);
        }
        let starts = text.char_indices().filter(|(_, letter)| letter.is_whitespace());
        let starts = starts.map(|(at, letter)| at + letter.len_utf8());
        let starts: Vec<_> = std::iter::once(0).chain(starts).collect();
        let known = starts.iter().find(|start| self.exact(&text[**start..]).is_some());
        let start = known.or(starts.last()).copied().unwrap_or(0);
        (text[..start].trim(), &text[start..])
    }

    /// The names that a beginning can grow into, those in use first.
    pub fn completions(&self, begun: &str) -> Vec<CleanStr> {
        let begun = folded(&called(begun.trim().trim_start_matches('@').trim_start_matches(['"', '\u{201c}'])));
        if begun.is_empty() {
            return Vec::new();
        }
        let begins = |name: &str| {
            let name = folded(&called(name));
            name.starts_with(&begun) || name.split(' ').any(|word| word.starts_with(&begun))
        };
        let others = self.others.iter().filter(|name| begins(name)).cloned();
        let people = self.people.iter().filter(|person| names(person).any(|(_, name)| begins(name)));
        others.chain(people.map(|person| person.name.clone())).take(OFFERED).collect()
    }
}

/// `one, two or three`.
fn or(names: &[CleanStr]) -> String {
    let names: Vec<_> = names.iter().take(OFFERED).map(CleanStr::as_str).collect();
    match names.split_last() {
        Some((last, before @ [_, ..])) => format!("{} or {last}", before.join(", ")),
        Some((last, [])) => (*last).to_owned(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(name: &str, login: &str, aliases: &[&str]) -> Person {
        let aliases = aliases.iter().map(|alias| CleanStr::new(alias)).collect();
        Person { name: name.into(), login: Some(login.into()), aliases, ..Person::default() }
    }

    fn people() -> Vec<Person> {
        vec![
            Person { email: Some("omid@qrpay.example".into()), ..person("Omid Karimi", "omid", &["ok"]) },
            Person { slack: Some("@leila".into()), title: Some("CTO".into()), ..person("Leila Sadeghi", "lsad", &[]) },
            person("Leila Tehrani", "lteh", &[]),
            person("\u{645}\u{631}\u{6cc}\u{645} \u{6a9}\u{631}\u{6cc}\u{645}\u{6cc}", "maryam", &[]),
        ]
    }

    fn roster() -> Roster {
        Roster::new(&people(), ["dana".into(), "Ana de la Cruz".into(), "omid".into()])
    }

    #[test]
    fn whatever_somebody_is_called_they_are_one_person() {
        for said in
            ["omid", "@omid", "@\"Omid Karimi\"", "omid  karimi", "OMID KARIMI", "ok", "omid@qrpay.example", "Karimi"]
        {
            assert_eq!(roster().named(said).unwrap(), "Omid Karimi", "{said}");
            assert!(said.contains('"') || said == "Karimi" || roster().is_same(said, "Omid Karimi"), "{said}");
        }
        for (said, name) in [("CTO", "Leila Sadeghi"), ("leila sad", ""), ("cruz", "Ana de la Cruz"), ("DANA", "dana")]
        {
            let named = roster().named(said);
            assert_eq!(named.as_deref().unwrap_or_default(), name, "{said}: {named:?}");
        }
        assert_eq!(canonical(&people(), &"maryam".into()), people()[3].name);
        assert_eq!(canonical(&people(), &"nobody".into()), "nobody");
    }

    #[test]
    fn a_name_that_means_two_people_or_nobody_is_asked_about() {
        let ask = |said: &str| roster().named(said).unwrap_err();
        assert_eq!(ask("leila t"), "who is `leila t`: Leila Tehrani? \"leila t\" in quotes is taken as it is");
        // The chat name is exactly hers; the first name is two people's.
        assert_eq!(roster().named("leila").unwrap(), "Leila Sadeghi");
        let two = Roster::new(&people()[2..3], ["Leila Sadeghi".into()]);
        assert_eq!(
            two.named("leila").unwrap_err(),
            "`leila` could be Leila Sadeghi or Leila Tehrani: write more of the name"
        );
        assert!(ask("bob").starts_with("who is `bob`? Nobody known"), "{}", ask("bob"));
        assert_eq!(roster().named("\"Bob Stone\"").unwrap(), "Bob Stone", "in quotes it is taken as it is");
        assert_eq!(Roster::default().named("bob").unwrap(), "bob", "where nobody is configured, a name is a name");
    }

    #[test]
    fn a_name_of_several_words_ends_where_the_person_does() {
        for (text, split) in [
            ("@omid check p99 5m", ("omid", "check p99 5m")),
            ("@Omid Karimi check p99 5m", ("Omid Karimi", "check p99 5m")),
            ("@\"Omid Karimi\" check p99", ("\"Omid Karimi\"", "check p99")),
            ("ana de la cruz reads", ("ana de la cruz", "reads")),
            ("bob reads", ("bob", "reads")),
            (
                "\u{645}\u{631}\u{6cc}\u{645} \u{6a9}\u{631}\u{6cc}\u{645}\u{6cc} x",
                ("\u{645}\u{631}\u{6cc}\u{645} \u{6a9}\u{631}\u{6cc}\u{645}\u{6cc}", "x"),
            ),
            ("", ("", "")),
        ] {
            assert_eq!(roster().split(text), split, "{text}");
        }
        for (text, split) in [
            ("Leila Sadeghi", ("", "Leila Sadeghi")),
            ("gateway Leila Sadeghi", ("gateway", "Leila Sadeghi")),
            ("the gateway bob", ("the gateway", "bob")),
            ("gateway \"Bob Stone\"", ("gateway", "\"Bob Stone\"")),
            ("gateway @\"Bob Stone\"", ("gateway", "@\"Bob Stone\"")),
        ] {
            assert_eq!(roster().split_last(text), split, "{text}");
        }
    }

    #[test]
    fn one_name_for_two_people_and_one_person_twice_are_found() {
        assert_eq!(clash(&people()), None);
        let mut twice = people();
        twice.push(person("omid karimi", "other", &[]));
        let (place, field, why) = clash(&twice).unwrap();
        assert_eq!((place, field), (4, "name"));
        assert_eq!(why, "`omid karimi` stands there twice: one person has one entry");
        for other in [
            person("Sara", "omid", &[]),
            person("Sara", "sara", &["OK"]),
            Person { email: Some("Omid@QRPay.example".into()), ..person("Sara", "sara", &[]) },
            Person { slack: Some("leila".into()), ..person("Sara", "sara", &[]) },
        ] {
            let why = clash(&[people(), vec![other.clone()]].concat()).map(|(_, _, why)| why);
            assert!(why.as_ref().is_some_and(|why| why.contains("would be both")), "{other:?}: {why:?}");
        }
    }

    #[test]
    fn a_name_is_completed_from_who_is_here_and_who_is_known() {
        assert_eq!(roster().completions("@om"), ["Omid Karimi"]);
        assert_eq!(roster().completions("leila"), ["Leila Sadeghi", "Leila Tehrani"]);
        assert_eq!(roster().completions("da"), ["dana"]);
        assert_eq!(roster().completions(""), Vec::<CleanStr>::new());
    }
}
