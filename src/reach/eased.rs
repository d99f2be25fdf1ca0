//! When customers are not affected any more and the work goes on, and when it goes on after it was over.
//!
//! Hides that harm is recorded in stretches, of the whole incident or of one service, and that what ended before it was reopened says nothing of now.
//!
//! Invariant: a page names a service as affected until all that was recorded of it has ended.

use chrono::{DateTime, Utc};

use crate::incident::{Incident, ServiceId};
use crate::text::CleanText;

/// Since when customers are not affected any more, in this round of the incident.
pub(super) fn eased_at(incident: &Incident) -> Option<DateTime<Utc>> {
    incident.impact.end().filter(|end| incident.reopened_at.is_none_or(|reopened| *end >= reopened))
}

/// Whether a page shows a service as affected: until all that was recorded of it has ended.
pub(super) fn is_affected(incident: &Incident, service: &ServiceId) -> bool {
    let windows = incident.impact.windows().iter();
    let mut of = windows.filter(|window| window.service.as_ref().is_none_or(|of| of == service)).peekable();
    let is_now = |end: DateTime<Utc>| incident.reopened_at.is_none_or(|reopened| end >= reopened);
    eased_at(incident).is_none() && (of.peek().is_none() || of.any(|window| window.end.is_none_or(|end| !is_now(end))))
}

/// What a page says when customers are not affected any more and the work goes on.
pub(super) fn eased(incident: &Incident, is_public: bool) -> CleanText {
    let since = eased_at(incident).map(|at| at.with_timezone(&incident.zone()).format("%H:%M %Z").to_string());
    let since = since.map(|at| format!(" since {at}")).unwrap_or_default();
    CleanText::new(&match is_public {
        true => format!("This has been working again{since}. We keep watching it."),
        false => format!("Customers have not been affected{since}. The incident goes on."),
    })
}

/// What a page says when an incident goes on that was over, or as good as over, there.
pub(super) fn reopened(incident: &Incident, is_public: bool) -> CleanText {
    let since = incident.reopened_at.map(|at| at.with_timezone(&incident.zone()).format("%H:%M %Z").to_string());
    let since = since.map(|at| format!(" at {at}")).unwrap_or_default();
    CleanText::new(&match is_public {
        true => "This is not over yet. We have reopened it and are working on it.".to_owned(),
        false => format!("The incident was reopened{since}. The work goes on."),
    })
}
