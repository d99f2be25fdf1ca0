//! What the expression of an alert's rule gave, and which of several values was the worst.
//!
//! Hides that nobody says which way is bad: it stands in the rule, whose comparison the value has passed. Alertmanager tells no value at all.
//!
//! Invariant: where the rule does not say it, neither end is called the worst; both are told.

use chrono::{DateTime, Utc};

use crate::text::CleanStr;

/// A value with which an alert fired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertValue {
    /// The number, as its source wrote it: `7.4e-01`.
    pub text: CleanStr,
    /// Which way is bad, where its rule says it.
    pub bad: Option<Bad>,
}

/// Which way of a value is bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bad {
    /// Up: the rule has an upper limit.
    High,
    /// Down: the rule has a lower limit.
    Low,
}

impl AlertValue {
    /// The number as people read it; as its source wrote it where it is none.
    pub fn shown(&self) -> String {
        self.number().map_or_else(|| self.text.to_string(), shown)
    }

    fn number(&self) -> Option<f64> {
        self.text.trim().parse().ok().filter(|number: &f64| !number.is_nan())
    }
}

impl Bad {
    /// What the expression of a rule compares its value with: an upper limit or a lower one; nothing where it compares nothing. Of several comparisons the
    /// outermost first one gives the value: `a < 5 and b > 3` has that of `a`.
    pub fn of_expression(expression: &str) -> Option<Self> {
        let (mut depth, mut begins, mut found) = (0_usize, 0, None::<(usize, Self)>);
        let mut letters = expression.char_indices();
        while let Some((at, letter)) = letters.next() {
            match letter {
                '"' | '\'' | '`' => {
                    let mut is_escaped = false;
                    letters.find(|(_, one)| {
                        let ends = *one == letter && !is_escaped;
                        is_escaped = *one == '\\' && !is_escaped;
                        ends
                    });
                }
                '(' | '{' | '[' => (depth, begins) = (depth + 1, at + 1),
                ')' | '}' | ']' => depth = depth.saturating_sub(1),
                '<' | '>' if found.is_none_or(|(known, _)| depth < known) => {
                    let is_number = expression[begins..at].trim().parse::<f64>().is_ok();
                    let side = if (letter == '>') == is_number { Self::Low } else { Self::High };
                    found = Some((depth, side));
                }
                _ => {}
            }
        }
        found.map(|(_, side)| side)
    }
}

/// The lowest and the highest value with which an alert was seen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Extremes {
    ends: Option<[(f64, DateTime<Utc>); 2]>,
    bad: Option<Bad>,
}

impl Extremes {
    /// Takes a value of a moment.
    pub fn see(&mut self, value: &AlertValue, at: DateTime<Utc>) {
        let Some(number) = value.number() else { return };
        self.bad = value.bad.or(self.bad);
        let [low, high] = self.ends.get_or_insert([(number, at); 2]);
        if number < low.0 {
            *low = (number, at);
        }
        if number > high.0 {
            *high = (number, at);
        }
    }

    /// The worst value and its moment, or, where nobody says which way is bad, both ends and the moment of the higher one.
    pub fn worst(&self) -> Option<(CleanStr, DateTime<Utc>)> {
        let [low, high] = self.ends?;
        let told = |(number, at): (f64, DateTime<Utc>)| (CleanStr::new(&shown(number)), at);
        Some(match self.bad {
            Some(Bad::Low) => told(low),
            Some(Bad::High) => told(high),
            None if low.0.total_cmp(&high.0).is_eq() => told(high),
            None => (CleanStr::new(&format!("{} to {}", shown(low.0), shown(high.0))), high.1),
        })
    }
}

/// A number without a unit, as people read it.
fn shown(number: f64) -> String {
    if number.is_infinite() {
        return if number > 0.0 { "+Inf".to_owned() } else { "-Inf".to_owned() };
    }
    let size = number.abs();
    if size != 0.0 && !(1e-3..1e15).contains(&size) {
        return format!("{number:.2e}");
    }
    let text = format!("{number:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rule_says_which_way_is_bad() {
        for (expression, bad) in [
            ("rate(errors_total[5m]) > 0.05", Some(Bad::High)),
            ("node_filesystem_avail_bytes{mountpoint=\"/\"} < 1e9", Some(Bad::Low)),
            ("(up{job=~\"a<b\"} < 1) and on() (load >= 5)", Some(Bad::Low)),
            ("5 < sum by (pod) (rate(x[1m]))", Some(Bad::High)),
            ("(100 >= success_ratio)", Some(Bad::Low)),
            ("sum(a > bool 3) < 2", Some(Bad::Low)),
            ("absent(up{job=\"x\"})", None),
            ("up == 0", None),
            ("", None),
        ] {
            assert_eq!(Bad::of_expression(expression), bad, "{expression}");
        }
    }

    #[test]
    fn the_worst_value_is_the_one_on_the_bad_side_and_both_are_told_where_nobody_knows() {
        let at = |second: i64| DateTime::from_timestamp(1_780_000_000 + second, 0).unwrap();
        let worst = |bad| {
            let mut seen = Extremes::default();
            for (second, text) in [(0, "7e-01"), (15, "NaN"), (30, "12.34567"), (45, "0.25"), (60, "nonsense")] {
                seen.see(&AlertValue { text: text.into(), bad }, at(second));
            }
            seen.worst().map(|(value, at)| (value.to_string(), at))
        };
        assert_eq!(worst(Some(Bad::High)), Some(("12.3457".to_owned(), at(30))));
        assert_eq!(worst(Some(Bad::Low)), Some(("0.25".to_owned(), at(45))));
        assert_eq!(worst(None), Some(("0.25 to 12.3457".to_owned(), at(30))));
        assert_eq!(Extremes::default().worst(), None);
        assert_eq!([shown(0.0), shown(3.0), shown(2e-5), shown(f64::INFINITY)], ["0", "3", "2.00e-5", "+Inf"]);
    }
}
