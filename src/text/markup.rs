//! How a text reads where it is not chat.
//!
//! Hides the markup of chat: bold, links with words, names of pictures.
//!
//! Invariant: no word of a text is lost; only what chat would not show either is left out, and what customers, subscribers and colleagues read outside of
//! chat has no markup of chat.

/// A text without the markup of chat.
pub fn without_markup(text: &str) -> String {
    let lines = text.split('\n').filter(|line| line.trim() != "```").map(|line| pictures(&marks(&links(line))));
    lines.collect::<Vec<_>>().join("\n")
}

/// `<https://x.example|the graph>` is `the graph (https://x.example)`.
fn links(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(start) = rest.find("<http") {
        let Some(end) = rest[start..].find('>') else { break };
        out.push_str(&rest[..start]);
        let inside = &rest[start + 1..start + end];
        match inside.split_once('|') {
            Some((link, words)) => out.push_str(&format!("{words} ({link})")),
            None => out.push_str(inside),
        }
        rest = &rest[start + end + 1..];
    }
    out + rest
}

/// `*bold*`, `_slanted_`, `~struck~` and `` `code` `` are the words alone; a sign that stands for itself stays.
fn marks(line: &str) -> String {
    let letters: Vec<char> = line.chars().collect();
    let is_word = |letter: Option<&char>| letter.is_some_and(|letter| letter.is_alphanumeric());
    let is_space = |letter: Option<&char>| letter.is_none_or(|letter| letter.is_whitespace());
    let mut is_left_out = vec![false; letters.len()];
    for sign in ['`', '*', '_', '~'] {
        let mut place = 0;
        while place < letters.len() {
            let before = place.checked_sub(1).and_then(|before| letters.get(before));
            let opens = letters[place] == sign && !is_word(before) && !is_space(letters.get(place + 1));
            let closing = (place + 2..letters.len())
                .find(|end| letters[*end] == sign && !is_space(letters.get(end - 1)) && !is_word(letters.get(end + 1)));
            match closing.filter(|_| opens && letters.get(place + 1) != Some(&sign)) {
                Some(end) => {
                    (is_left_out[place], is_left_out[end]) = (true, true);
                    place = end + 1;
                }
                None => place += 1,
            }
        }
    }
    letters.iter().zip(is_left_out).filter(|(_, out)| !out).map(|(letter, _)| letter).collect()
}

/// `:white_check_mark: done` is `done`; a time is no picture.
fn pictures(line: &str) -> String {
    let is_name = |name: &str| {
        name.len() > 1
            && name.starts_with(|letter: char| letter.is_ascii_lowercase())
            && name
                .chars()
                .all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || "_+-".contains(letter))
    };
    let is_picture = |word: &&str| word.strip_prefix(':').and_then(|word| word.strip_suffix(':')).is_some_and(is_name);
    if !line.split(' ').any(|word| is_picture(&word)) {
        return line.to_owned();
    }
    line.split(' ').filter(|word| !is_picture(word)).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outside_of_chat_the_words_stand_alone_and_none_is_lost() {
        for (said, expected) in [
            ("*Payments fail* since 12:30, _we_ look", "Payments fail since 12:30, we look"),
            (
                "see <https://x.example/a?b=1|the graph> and <https://y.example>",
                "see the graph (https://x.example/a?b=1) and https://y.example",
            ),
            (":rotating_light: down :fire:", "down"),
            ("run `kubectl get pods`, p99 ~2 s~ 3 s", "run kubectl get pods, p99 2 s 3 s"),
            ("a_b_c and 2 * 3 * 4, 5*6*7, ~10 min", "a_b_c and 2 * 3 * 4, 5*6*7, ~10 min"),
            ("12:30:45 :08: x", "12:30:45 :08: x"),
            ("```\none\n```", "one"),
            ("<@U1> < 5 & > 6", "<@U1> < 5 & > 6"),
        ] {
            assert_eq!(without_markup(said), expected, "{said}");
        }
    }
}
