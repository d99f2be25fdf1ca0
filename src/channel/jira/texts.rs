//! Texts as Jira wants them: documents on Cloud, wiki markup on Data Center.
//!
//! Hides which letters are markup to Data Center.
//!
//! Invariant: whatever stands in a text is read as that text: it mentions nobody, embeds nothing, and no part of it is lost as a macro.

use serde_json::{Value, json};

use super::Edition;
use crate::channel::fit::{self, JIRA_TEXT};

/// What is left for marks and for the frame of a document.
const SPARE: usize = 600;

/// The pieces that descriptions or comments take, with so much room for something else.
pub(super) fn pieces(edition: Edition, text: &str, room: usize) -> Vec<&str> {
    let most = JIRA_TEXT.letters - SPARE - room;
    match edition {
        Edition::Cloud => fit::pieces(text, most, in_a_document),
        Edition::DataCenter => fit::pieces(text, most, in_markup),
    }
}

/// How many letters a text is in a document at most: each line is a paragraph of its own.
fn in_a_document(text: &str) -> usize {
    let of = |letter: char| match letter {
        '\n' => 80,
        '"' | '\\' | '\t' => 2,
        letter => letter.len_utf16(),
    };
    text.chars().map(of).sum()
}

/// How many letters a text is at most where markup is escaped.
fn in_markup(text: &str) -> usize {
    let of = |letter: char| match letter {
        '\\' => 5,
        '\n' | '{' | '}' | '[' | ']' | '!' | '|' | '*' | '_' | '^' | '~' | '+' | '-' | '#' | '.' | '?' => 2,
        letter => letter.len_utf16(),
    };
    text.chars().map(of).sum()
}

/// A text as the edition wants it: a document of paragraphs, or wiki markup that shows the text.
pub(super) fn document(edition: Edition, text: &str) -> Value {
    if edition == Edition::DataCenter {
        return json!(text.lines().map(plain).collect::<Vec<_>>().join("\n"));
    }
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let paragraphs: Vec<_> =
        lines.map(|line| json!({ "type": "paragraph", "content": [{ "type": "text", "text": line }] })).collect();
    json!({ "type": "doc", "version": 1, "content": paragraphs })
}

/// A line whose markup is text. Links stay links; a dash or two is none of markup's.
fn plain(line: &str) -> String {
    let mut out = String::with_capacity(line.len() + 8);
    let indent = line.len() - line.trim_start().len();
    out.push_str(&line[..indent]);
    let line = &line[indent..];
    let is_rule = line.starts_with("--");
    let is_heading = ["h1.", "h2.", "h3.", "h4.", "h5.", "h6.", "bq."].iter().any(|word| line.starts_with(word));
    let is_list = ["# ", "* ", "## ", "** "].iter().any(|word| line.starts_with(word));
    let mut is_link = false;
    for (place, letter) in line.char_indices() {
        if line[place..].starts_with("http://") || line[place..].starts_with("https://") {
            is_link = true;
        }
        is_link &= !letter.is_whitespace();
        let is_markup = match letter {
            '{' | '}' | '[' | ']' | '!' | '|' => true,
            '*' | '_' | '^' | '~' | '+' => !is_link,
            '-' => place == 0 && is_rule,
            '#' => place == 0 && is_list,
            '.' => place == 2 && is_heading,
            '?' => line[place..].starts_with("??"),
            _ => false,
        };
        match letter {
            // Two of them break the line, one hides the next letter.
            '\\' => out.push_str("&#92;"),
            _ if is_markup => {
                out.push('\\');
                out.push(letter);
            }
            _ => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_text_on_a_data_center() {
        for (said, expected) in [
            ("rate(http_errors{code=\"500\"}[5m])", "rate(http\\_errors\\{code=\"500\"\\}\\[5m\\])"),
            ("ask [~admin] to look", "ask \\[\\~admin\\] to look"),
            ("!http://evil.example/x.png!", "\\!http://evil.example/x.png\\!"),
            ("see https://qr.example/a_b~c and a_b", "see https://qr.example/a_b~c and a\\_b"),
            ("---- and a-b - c", "\\---- and a-b - c"),
            ("h1. big", "h1\\. big"),
            ("# one", "\\# one"),
            ("C:\\temp", "C:&#92;temp"),
            ("12:00 UTC p99 = 2.3 s", "12:00 UTC p99 = 2.3 s"),
        ] {
            assert_eq!(document(Edition::DataCenter, said), json!(expected), "{said}");
        }
        let cloud = document(Edition::Cloud, "{code}\n\n[~admin]");
        assert_eq!(cloud["content"][0]["content"][0]["text"], "{code}");
        assert_eq!(cloud["content"].as_array().unwrap().len(), 2);
    }
}
