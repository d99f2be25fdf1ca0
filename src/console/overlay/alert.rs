//! What can be done with an alert: link it, declare an incident from it, open the incident that covers it.

use super::Overlay;
use super::pick::{Choice, Pick};
use crate::alert::{Cover, title};
use crate::incident::Command;
use crate::pane::{Cx, FormKind, alerts};
use crate::text::CleanStr;

/// The choices for an alert, the likeliest first; nothing where it is told no more.
pub(super) fn act_on(fingerprint: &CleanStr, cx: &Cx<'_>) -> Option<Overlay> {
    let seen = alerts::seen(cx).into_iter().find(|seen| seen.live.fingerprints().contains(&fingerprint))?;
    let alert = seen.live.alert;
    let own = (!cx.incident.is_blank()).then(|| cx.incident.id());
    let mut notes = vec![title(alert).to_string()];
    let mut rows: Vec<(String, Choice)> = Vec::new();
    let link = own.map(|id| {
        let words = format!("link it to {id} {}", cx.incident.title);
        (words, Choice::Command(Box::new(Command::LinkAlert(seen.linked()))))
    });
    let declare = |words: &str| (words.to_owned(), Choice::DeclareFrom(vec![seen.fingerprint().clone()]));
    let open = |id| (format!("open {id}"), Choice::Open(id));
    match seen.cover {
        Some(Cover::Linked(id)) => {
            notes.push(format!("it is linked to {id}"));
            rows.extend((own != Some(id)).then(|| open(id)));
            rows.push(declare("declare another incident from it all the same …"));
        }
        Some(Cover::InScope(id)) if own == Some(id) => {
            notes.push(format!("{id} covers it: its service is in the scope"));
            rows.extend(link);
            rows.push(declare("declare another incident from it …"));
        }
        Some(Cover::InScope(id)) => {
            notes.push(format!("{id} covers it: its service is in the scope"));
            rows.push(open(id));
            rows.extend(link);
            rows.push(declare("declare another incident from it …"));
        }
        None => {
            rows.push(declare("declare an incident from it …"));
            rows.extend(link);
        }
    }
    if own.is_some() && cx.reach.silences {
        let labels = super::send::likely_labels(Some(fingerprint), cx);
        rows.push(("keep it quiet …".to_owned(), Choice::Form(Box::new(FormKind::Silence(labels)))));
    }
    if cx.incident.drill.is_some() {
        rows.retain(|(_, choice)| !matches!(choice, Choice::DeclareFrom(_)));
    }
    let empty = "nothing more is to be done with it";
    Some(Overlay::Pick(Box::new(Pick { title: alert.name.to_string(), notes, rows, empty, selected: 0, filter: None })))
}
