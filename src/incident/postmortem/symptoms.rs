//! The alerts and objectives of the postmortem: from when until when, how bad, and when all of it was over.

use super::*;

/// A table of what was wrong, and the recovery.
pub(super) fn symptoms(text: &mut Text<'_>) {
    let incident = text.incident;
    text.heading("Alerts and objectives");
    if incident.symptoms.is_empty() {
        text.line("no alert was linked, no breach of an objective is recorded.");
        return;
    }
    text.line("| what | began | ended | lasted | worst value |");
    text.line("| --- | --- | --- | --- | --- |");
    let mut all: Vec<_> = incident.symptoms.iter().collect();
    all.sort_by_key(|symptom| symptom.since);
    for symptom in all.iter().take(MOST_LISTED) {
        let row = row(text, symptom);
        text.line(row);
    }
    if let Some(more @ 1..) = all.len().checked_sub(MOST_LISTED) {
        text.line(format!("\n… and {more} more: `warroom show {}`", incident.id()));
    }
    let recovery = recovery(text);
    text.line(format!("\n{recovery}"));
}

fn row(text: &Text<'_>, symptom: &Symptom) -> String {
    let what = match &symptom.of {
        SymptomOf::Alert { .. } => format!("alert {}", escape(&symptom.title)),
        SymptomOf::Objective { .. } => escape(&symptom.title),
    };
    let least = if symptom.at_least { " or before" } else { "" };
    let began = format!("{}{least}", text.moment(symptom.since));
    let ended = match symptom.over.as_ref().map(|over| (over.ended, over.after)) {
        None => "**no end is recorded**".to_owned(),
        Some((ended, None)) => text.moment(ended),
        Some((ended, Some(after))) => format!("not seen: between {} and {}", text.moment(after), text.moment(ended)),
    };
    let lasted = symptom.lasted().map_or_else(|| "not known".to_owned(), |lasted| lasted.to_string());
    let worst = match (&symptom.of, symptom.over.as_ref().and_then(|over| over.peak.as_ref())) {
        (SymptomOf::Alert { .. }, None) => "no value known".to_owned(),
        (SymptomOf::Objective { .. }, None) => "not known".to_owned(),
        (SymptomOf::Alert { .. } | SymptomOf::Objective { .. }, Some(peak)) => {
            let whose = if peak.series.is_blank() { String::new() } else { format!(" ({})", escape(&peak.series)) };
            let least = if peak.at_least { ", of what was measured" } else { "" };
            format!("{}{whose} at {}{least}", escape(&peak.value), text.moment(peak.at))
        }
    };
    format!("| {what} | {began} | {ended} | {lasted} | {worst} |")
}

/// When the last of it was over, or what was not.
fn recovery(text: &Text<'_>) -> String {
    let incident = text.incident;
    if let Some(last) = incident.recovery() {
        let length = Measure::between(incident.detected_at, Some(last.ended));
        let after = length.value().map(|length| format!(", {} after detection", measures::spoken(length)));
        let latest = if last.after.is_some() { ", at the latest" } else { "" };
        return format!("Recovered: {}{}{latest}.", text.moment(last.ended), after.unwrap_or_default());
    }
    let lasting: Vec<_> = incident.lasting().map(|symptom| escape(&symptom.title)).collect();
    let when = match &incident.closing {
        Some(closing) => format!("when the incident was closed ({})", text.moment(closing.mark.at)),
        None => "yet".to_owned(),
    };
    format!("**Not over {when}, as far as is recorded:** {}.", lasting.join(", "))
}
