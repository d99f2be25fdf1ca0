//! An element of a command line with placeholders: `{unit}.service`, `web={image}:{tag}`.
//!
//! Hides how a brace that means itself is written: twice. So jsonpath is `{{.items[0].metadata.name}}`, docker's format `{{{{.Names}}}}`, awk
//! `{{print $1}}`, curl's `-w` `%{{http_code}}`, a shell's variable `${{HOME}}`.
//!
//! Invariant: what is no placeholder and no doubled brace is refused, so that a misspelt placeholder never runs as it stands.

/// A part of an element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part<'a> {
    /// Text as it runs.
    Text(String),
    /// The value of a parameter.
    Value(&'a str),
}

/// The parts of an element, or what is wrong with its braces.
pub(super) fn parts(element: &str) -> Result<Vec<Part<'_>>, String> {
    let mut parts = Vec::new();
    let mut text = String::new();
    let mut rest = element;
    while let Some(at) = rest.find(['{', '}']) {
        text.push_str(&rest[..at]);
        let from = &rest[at..];
        if let Some(after) = from.strip_prefix("{{").or_else(|| from.strip_prefix("}}")) {
            text.push_str(&from[..1]);
            rest = after;
            continue;
        }
        let name = from.strip_prefix('{').and_then(|from| from.split_once('}')).filter(|(name, _)| is_name(name));
        let Some((name, after)) = name else {
            return Err(format!(
                "`{element}`: a placeholder is written {{name}}, and a brace that means itself twice: {{{{ or }}}}"
            ));
        };
        if !text.is_empty() {
            parts.push(Part::Text(std::mem::take(&mut text)));
        }
        parts.push(Part::Value(name));
        rest = after;
    }
    text.push_str(rest);
    if !text.is_empty() || parts.is_empty() {
        parts.push(Part::Text(text));
    }
    Ok(parts)
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-' || byte == b'_')
}

/// The parameters that an element names.
pub(super) fn names(element: &str) -> Vec<String> {
    let value = |part| if let Part::Value(name) = part { Some(name.to_owned()) } else { None };
    parts(element).unwrap_or_default().into_iter().filter_map(value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Part<'_> {
        Part::Text(text.to_owned())
    }

    #[test]
    fn placeholders_stand_anywhere_and_doubled_braces_mean_themselves() {
        for (element, expected) in [
            ("", vec![text("")]),
            ("{unit}.service", vec![Part::Value("unit"), text(".service")]),
            ("web={image}:{tag}", vec![text("web="), Part::Value("image"), text(":"), Part::Value("tag")]),
            ("jsonpath={{.items[0].metadata.name}}", vec![text("jsonpath={.items[0].metadata.name}")]),
            ("{{{{.Names}}}}", vec![text("{{.Names}}")]),
            ("{{print $1}}", vec![text("{print $1}")]),
            ("%{{http_code}}", vec![text("%{http_code}")]),
            ("echo ${{HOME}}", vec![text("echo ${HOME}")]),
            ("{{}}", vec![text("{}")]),
            ("{{\"a\":{{{n}}}}}", vec![text("{\"a\":{"), Part::Value("n"), text("}}")]),
        ] {
            assert_eq!(parts(element).unwrap(), expected, "{element}");
        }
        for wrong in ["{x y}", "{", "a}", "{}", "{Unit}", "x{y"] {
            assert!(parts(wrong).unwrap_err().contains("twice"), "{wrong}");
        }
    }
}
