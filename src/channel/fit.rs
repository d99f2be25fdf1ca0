//! The lengths that systems take, and how a longer text is told in several pieces.
//!
//! Hides how each system counts: letters outside of the basic plane count twice, and a letter that is written as an entity counts as that.
//!
//! Invariant: nothing is cut. The pieces of a text are the text; a title that is too long is shortened, and stands whole in the body below it.

use unicode_segmentation::UnicodeSegmentation as _;

/// The most letters that a place of a system takes.
#[derive(Clone, Copy, Debug)]
pub struct Length {
    /// Which system.
    pub service: &'static str,
    /// Which of its places.
    pub place: &'static str,
    /// So many, in units of UTF-16: who counts letters takes more.
    pub letters: usize,
    /// Who says so.
    pub source: &'static str,
}

/// A message of Slack.
pub const SLACK_MESSAGE: Length = length("slack", "message", 4_000, "chat.update: text beyond 4,000 is msg_too_long");
/// A section of a message's layout.
pub const SLACK_SECTION: Length = length("slack", "section block", 3_000, "Block Kit reference: section, text");
/// A channel's topic.
pub const SLACK_TOPIC: Length = length("slack", "topic", 250, "conversations.setTopic: too_long");
/// A ticket's summary.
pub const JIRA_SUMMARY: Length = length("jira", "summary", 255, "Jira: `Summary must be less than 255 characters`");
/// A ticket's description, or a comment.
pub const JIRA_TEXT: Length = length("jira", "description, comment", 32_767, "Jira: `exceeds 32,767 characters`");
/// The name of a page's incident.
pub const PAGE_NAME: Length = length("statuspage", "name", 255, "Statuspage API: incident[name], maxLength 255");
/// An update of a page's incident.
pub const PAGE_BODY: Length = length("statuspage", "body", 25_000, "Statuspage API: incident[body], maxLength 25000");
/// The text of an annotation.
pub const GRAFANA_TEXT: Length = length("grafana", "text", 16_000, "Grafana: a TEXT column of MySQL, 65,535 bytes");

/// All of them.
pub const LIMITS: &[Length] =
    &[SLACK_MESSAGE, SLACK_SECTION, SLACK_TOPIC, JIRA_SUMMARY, JIRA_TEXT, PAGE_NAME, PAGE_BODY, GRAFANA_TEXT];

const fn length(service: &'static str, place: &'static str, letters: usize, source: &'static str) -> Length {
    Length { service, place, letters, source }
}

/// How many units a piece of text is to a system.
pub(super) type Units = fn(&str) -> usize;

/// As it stands.
pub(super) fn plain(text: &str) -> usize {
    text.encode_utf16().count()
}

/// The pieces of a text, each of at most so many units: they end with a line where one ends in their second half, else with a word, else where they
/// must. Put together they are the text. A text that fits is one piece, also an empty one.
pub(super) fn pieces(text: &str, most: usize, counts: Units) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while counts(rest) > most {
        let end = end_of_piece(rest, most, counts);
        pieces.push(&rest[..end]);
        rest = &rest[end..];
    }
    if !rest.is_empty() || pieces.is_empty() {
        pieces.push(rest);
    }
    pieces
}

/// Where the first piece of a text that is too long ends.
fn end_of_piece(text: &str, most: usize, counts: Units) -> usize {
    let (mut units, mut end, mut line, mut word) = (0, 0, 0, 0);
    for (place, cluster) in text.grapheme_indices(true) {
        let size = counts(cluster);
        if units + size > most {
            break;
        }
        units += size;
        end = place + cluster.len();
        let is_late = units * 2 >= most;
        if is_late && cluster.ends_with('\n') {
            line = end;
        } else if is_late && cluster.ends_with(char::is_whitespace) {
            word = end;
        }
    }
    match (line, word, end) {
        // One cluster alone is too long: its letters part.
        (0, 0, 0) => first_letters(text, most, counts),
        (0, 0, end) => end,
        (0, word, _) => word,
        (line, ..) => line,
    }
}

fn first_letters(text: &str, most: usize, counts: Units) -> usize {
    let mut units = 0;
    let fits = text.char_indices().take_while(|(place, letter)| {
        units += counts(&text[*place..*place + letter.len_utf8()]);
        units <= most
    });
    // A limit that not even one letter keeps is none that any system has.
    fits.last().or_else(|| text.char_indices().next()).map_or(0, |(place, letter)| place + letter.len_utf8())
}

/// A title in one line, shortened where it is too long; absent is the whole where it is not.
pub(super) fn title(text: &str, limit: Length) -> (String, Option<String>) {
    let whole = text.replace(['\n', '\r'], " ");
    if plain(&whole) <= limit.letters {
        return (whole, None);
    }
    let first = &whole[..end_of_piece(&whole, limit.letters - 1, plain)];
    (format!("{}…", first.trim_end()), Some(whole))
}

/// A text below a title: where that had to be shortened, the whole of it stands first.
pub(super) fn body(whole_title: Option<&str>, text: &str) -> String {
    match whole_title {
        Some(whole) => format!("{whole}\n\n{text}"),
        None => text.to_owned(),
    }
}

/// Which piece of how many something is, for people: nothing where it is the only one.
pub(super) fn number(place: usize, count: usize) -> String {
    if count > 1 { format!(" {}/{count}", place + 1) } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As Slack counts what is escaped.
    fn entities(text: &str) -> usize {
        plain(&text.replace('&', "&amp;").replace('<', "&lt;"))
    }

    proptest::proptest! {
        #[test]
        fn the_pieces_of_any_text_fit_and_are_the_text(text in "(.|\n|👩‍👩‍👧|é|<&){0,300}", most in 12_usize..80) {
            for counts in [plain as Units, entities] {
                let pieces = pieces(&text, most, counts);
                proptest::prop_assert_eq!(pieces.concat(), text.as_str());
                for piece in &pieces {
                    proptest::prop_assert!(counts(piece) <= most, "{piece:?}");
                }
            }
        }

        #[test]
        fn a_title_fits_and_is_whole_or_stands_whole_in_the_body(text in "(.|\n){0,600}") {
            let (short, whole) = title(&text, JIRA_SUMMARY);
            proptest::prop_assert!(plain(&short) <= 255 && !short.contains('\n'));
            let said = body(whole.as_deref(), "words");
            let line = text.replace(['\n', '\r'], " ");
            proptest::prop_assert!(short == line || said.contains(&line));
        }
    }

    #[test]
    fn a_piece_ends_with_a_line_or_a_word_and_no_limit_is_without_a_source() {
        assert_eq!(pieces("one two\nthree four five", 12, plain), ["one two\n", "three four ", "five"]);
        assert_eq!(pieces("", 12, plain), [""]);
        assert!(LIMITS.iter().all(|limit| limit.letters > 0 && !limit.source.is_empty()));
    }
}
