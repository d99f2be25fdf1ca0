//! The whole screen, drawn from the console and the time.
//!
//! Hides which parts need drawing: a part that is not dirty is left as it stands in the buffer, and the shell is told which rectangles changed.
//!
//! Invariant: the same console at the same time draws the same cells; drawing changes nothing but the buffer.

use std::collections::BTreeMap;

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::layout::Arrangement;
use super::overlay::is_orphan;
use super::{Console, Dirty, actions, wall};
use crate::incident::measures::resolve_target;
use crate::incident::{Decision, Delivery, DeliveryState, Role, Severity, cadence};
use crate::live::Freshness;
use crate::pane::due::{next_tick, urgency};
use crate::pane::{Cx, PaneId, alerts};
use crate::text::{CleanStr, columns, fit};
use crate::theme::{Alarm, ascii_only};
use crate::widget::frame::{PaneFrame, clear};
use crate::widget::text::{countdown, fit_line, line_columns, minutes};

/// Where the terminal's cursor belongs after a frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cursor {
    /// Where it was: nothing that moves it was drawn.
    #[default]
    Kept,
    /// Nowhere: nobody types.
    Hidden,
    /// Here.
    At(Position),
}

impl From<Option<Position>> for Cursor {
    fn from(position: Option<Position>) -> Self {
        position.map_or(Self::Hidden, Self::At)
    }
}

/// What a frame did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Drawn {
    /// Where the terminal's cursor belongs.
    pub cursor: Cursor,
    /// The rectangles that may have changed.
    pub changed: Vec<Rect>,
}

impl Console {
    /// Draws the dirty parts into a buffer that holds the last frame.
    pub fn draw(&self, own: DateTime<Utc>, dirty: Dirty, buf: &mut Buffer) -> Drawn {
        let cx = self.view(own);
        // An overlay stands above everything: whatever is drawn below it, it is drawn again.
        // The start screen is one part, its notice included.
        let is_whole = self.overlay.is_some() || self.start.is_some();
        let dirty = if is_whole && !dirty.is_empty() { Dirty::ALL } else { dirty };
        let mut drawn = Drawn::default();
        if dirty.is_empty() {
            return drawn;
        }
        if dirty.has(Dirty::ALL) {
            drawn.cursor = Cursor::Hidden;
            clear(self.screen, buf);
            drawn.changed.push(self.screen);
        }
        let placed = self.arrangement();
        if placed.is_alarm_line {
            self.alarm_line(placed.header, buf, &cx);
        } else if self.settings.is_wall && self.start.is_none() {
            if !dirty.is_empty() {
                clear(self.screen, buf);
                drawn.changed.push(self.screen);
                wall::draw(self, self.screen, buf, &cx);
            }
        } else {
            self.parts(&placed, dirty, buf, &cx, &mut drawn);
        }
        if let Some(shown) = &self.overlay {
            let overlay = &shown.overlay;
            drawn.cursor = overlay.draw(self.screen, buf, &cx).into();
        }
        if !cx.theme.glyphs.is_unicode {
            for area in &drawn.changed {
                ascii_only(buf, *area);
            }
        }
        drawn
    }

    fn parts(&self, placed: &Arrangement, dirty: Dirty, buf: &mut Buffer, cx: &Cx<'_>, drawn: &mut Drawn) {
        let mut part = |area: Rect, is_dirty: bool| {
            if is_dirty && !dirty.has(Dirty::ALL) {
                clear(area, buf);
                drawn.changed.push(area);
            }
            is_dirty
        };
        let header = part(placed.header, dirty.has(Dirty::HEADER));
        let footer = part(placed.footer, dirty.has(Dirty::FOOTER));
        let panes: Vec<_> = placed.panes.iter().filter(|(id, area)| part(*area, dirty.has(Dirty::pane(*id)))).collect();
        if header {
            self.header(placed, buf, cx);
        }
        if footer {
            self.footer(placed.footer, buf, cx);
        }
        if let Some(start) = &self.start {
            let (top, bottom) = (placed.header.bottom(), placed.footer.bottom().saturating_sub(1));
            start.draw(Rect { y: top, height: bottom - top, ..placed.footer }, buf, cx, self.notice());
            return;
        }
        for (id, area) in panes {
            let pane = &self.panes[*id as usize];
            let is_focused = *id == self.focus && self.overlay.is_none();
            let frame = PaneFrame::new(pane.title(cx), is_focused).remark(pane.remark(cx));
            let inner = frame.in_drill(cx.incident.drill.is_some()).draw(*area, buf, cx.theme);
            let cursor = pane.draw(inner, buf, cx, is_focused);
            if *id == self.focus {
                drawn.cursor = cursor.into();
            }
        }
    }

    fn header(&self, placed: &Arrangement, buf: &mut Buffer, cx: &Cx<'_>) {
        let area = placed.header;
        let shows_next = placed.area(PaneId::Next).is_some() && self.start.is_none();
        let first = Rect { height: 1, ..area };
        if let Some(alarm) = self.record_alarm() {
            // What is due stays beside it: the clocks do not stop for a full disk.
            let banner = cx.theme.banner(Alarm::Red);
            buf.set_style(first, banner);
            let when = self.when(cx, !shows_next).into_iter().map(|span| span.style(banner)).collect();
            two_sides(first, buf, vec![Span::styled(format!(" {alarm}"), banner)], when);
        } else {
            two_sides(first, buf, self.what(cx), self.when(cx, !shows_next));
        }
        if area.height > 1 {
            let second = Rect { y: area.y + 1, height: 1, ..area };
            let who = if self.start.is_some() { Vec::new() } else { who(cx) };
            // Who is who comes before how the sources are: of these the words shrink first.
            let room = usize::from(second.width).saturating_sub(line_columns(&Line::from(who.clone())) + 1);
            let fits =
                |spans: &Vec<Span<'static>>| spans.iter().map(|span| columns(&span.content)).sum::<usize>() <= room;
            let sources = Detail::ALL.into_iter().map(|detail| how_fresh(cx, detail)).find(fits);
            two_sides(second, buf, who, sources.unwrap_or_else(|| how_fresh(cx, Detail::Marks)));
        }
    }

    /// The header has to be brief.
    fn is_narrow(&self) -> bool {
        self.screen.width < 100
    }

    /// The header has room for the severity and the nearest obligation only.
    fn is_tiny(&self) -> bool {
        self.screen.width < 60
    }

    /// What must not be overlooked: the record cannot be written, the world burns while a drill is played, or parts of it cannot be read.
    fn record_alarm(&self) -> Option<String> {
        if let Some(since) = self.open.record.stalled {
            let since = since.with_timezone(&self.open.incident.zone()).format("%H:%M:%S");
            return Some(format!(
                "NOT ON DISK since {since}: what was entered waits for the disk, which does not answer · viewing and typing go on"
            ));
        }
        if let Some(why) = &self.open.record.only_read {
            // Who only looks misses nothing, and sees the mark at the right.
            return self.may_write().then(|| format!("READ ONLY: {why} · acts are refused, viewing goes on"));
        }
        if let Some(why) = &self.open.record.unwritable {
            return Some(format!("NOT SAVED: {why} · acts are refused, viewing and typing go on"));
        }
        if let Some(first) = self.open.record.real_alerts.first() {
            let more = match self.open.record.real_alerts.len() - 1 {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            let way = if self.open.incident.clock().is_paused() {
                "the drill is paused: D declares an incident"
            } else {
                "this is a drill: D pauses it and declares an incident"
            };
            return Some(format!("REAL ALERT: {first}{more} · {way}"));
        }
        let first = self.open.record.damage.first()?;
        Some(format!("RECORD DAMAGED: {first} · warroom journal verify tells all"))
    }

    fn what(&self, cx: &Cx<'_>) -> Vec<Span<'static>> {
        let (incident, theme) = (cx.incident, cx.theme);
        if self.start.is_some() {
            return vec![Span::styled(" warroom", theme.title(false)), Span::raw("  no record is open")];
        }
        let mut spans = vec![Span::raw(" ")];
        if incident.drill.is_some() {
            let is_staged = incident.drill.as_ref().is_some_and(|drill| drill.staging.is_some());
            let frozen = match (cx.live.is_frozen, incident.clock().is_paused()) {
                (true, _) => " DRILL · FROZEN ",
                (false, true) => " DRILL · PAUSED ",
                (false, false) if is_staged => " DRILL · STAGING ",
                (false, false) => " DRILL ",
            };
            spans.push(Span::styled(frozen, theme.drill_banner()));
            spans.push(Span::raw(" "));
        }
        let id = self.open.record.id.map(|id| id.to_string()).unwrap_or_default();
        if incident.is_blank() {
            let state =
                if self.open.record.is_complete { "not declared: D declares it" } else { "reading the record …" };
            spans.push(Span::raw(format!("{id} {state}")));
            return spans;
        }
        let severity = incident.severity.unwrap_or(Severity::Sev3);
        // What is over alarms nobody, however bad it was.
        let style = if incident.phase().is_live() { theme.severity(severity as u8) } else { theme.title(false) };
        spans.push(Span::styled(id, theme.title(false)));
        spans.push(Span::raw(" "));
        spans.push(Span::styled(format!("{severity} {}", theme.glyphs.square), style));
        if incident.is_private {
            spans.push(Span::styled(" PRIVATE", theme.red()));
        }
        let name = incident.services.first().map_or_else(
            || incident.title.to_string(),
            |service| match cx.catalogue.get(service) {
                Some(book) if !self.is_narrow() => book.name.to_string(),
                Some(_) | None => service.to_string(),
            },
        );
        let more = incident.services.len().saturating_sub(1);
        spans.push(Span::styled(format!(" {name}"), theme.title(false)));
        if more > 0 {
            spans.push(Span::raw(format!(" +{more}")));
        }
        spans.push(Span::styled(format!("  {}", incident.phase().name().to_uppercase()), style));
        if let Some(elapsed) = incident.elapsed(cx.now) {
            let target = resolve_target(Some(severity), &cx.cadence).filter(|_| !self.is_narrow());
            let taken = minutes(elapsed);
            spans.push(match target {
                Some(target) if elapsed > target => {
                    Span::styled(format!("  {taken}, target {}", minutes(target)), theme.amber())
                }
                Some(target) => Span::raw(format!("  {taken} of {}", minutes(target))),
                None => Span::raw(format!("  {taken}")),
            });
        }
        if let Some(taken) = incident.time_to_acknowledge() {
            spans.push(Span::raw(format!("  ack {} {}", countdown(taken), theme.glyphs.done)));
        } else if incident.acknowledged.is_none() && incident.phase().is_live() {
            spans.push(Span::styled("  not acknowledged", theme.amber()));
        }
        let unlinked = alerts::unlinked(cx);
        if unlinked > 0 && incident.phase().is_live() {
            spans.push(Span::styled(format!("  {}", crate::text::many(unlinked, "alert")), theme.amber()));
        }
        spans
    }

    fn when(&self, cx: &Cx<'_>, with_countdown: bool) -> Vec<Span<'static>> {
        let mut spans = Vec::new();
        if with_countdown && self.start.is_none() {
            let obligations = cx.obligations();
            // In a narrow header the severity needs the columns that these words can do without.
            let is_narrow = self.is_narrow();
            if let Some(nearest) = obligations.first() {
                let name = nearest.name.as_str();
                let name = name.strip_prefix("update ").filter(|_| is_narrow).unwrap_or(name);
                // A long task must not push what the incident is, or that it is a drill, off the screen.
                let share = if self.screen.width < 80 { 6 } else { 5 };
                let name = fit(name, usize::from(self.screen.width / share).max(10));
                spans.push(Span::styled(format!("{name} {}", countdown(nearest.left(cx.now))), urgency(nearest, cx)));
                spans.push(Span::raw("  "));
            }
            if let Some(update) = cadence::next_update(&obligations)
                .filter(|update| Some(*update) != obligations.first() && !self.is_tiny())
            {
                let name = if is_narrow { "update" } else { "next update" };
                spans.push(Span::styled(format!("{name} {}", minutes(update.left(cx.now))), urgency(update, cx)));
                spans.push(Span::raw("  "));
            }
        }
        if cx.access == crate::pane::Access::ReadOnly {
            spans.push(Span::styled("READ ONLY  ", cx.theme.dim()));
        }
        if let Some(words) = self.clock_in_words().filter(|_| !self.is_tiny()) {
            spans.push(Span::styled(format!("{words}  "), cx.theme.amber()));
        }
        if !self.is_tiny() {
            spans.push(Span::raw(cx.now.with_timezone(&cx.zone).format("%H:%M %Z ").to_string()));
        }
        spans
    }

    /// When the header changes next by itself.
    pub(super) fn header_change(&self, cx: &Cx<'_>, placed: &Arrangement) -> Option<DateTime<Utc>> {
        let minute = TimeDelta::minutes(1);
        let next_minute = cx.now.duration_trunc(minute).ok().map(|start| start + minute);
        let mut soonest: Vec<DateTime<Utc>> = next_minute.into_iter().collect();
        // Elapsed minutes turn over at the second of the detection, not of the clock.
        let begin = cx.incident.detected_at.or(cx.incident.declared.as_ref().map(|mark| mark.at));
        if let Some(begin) = begin.filter(|_| cx.incident.resolved_at.is_none()) {
            let passed = (cx.now - begin).num_milliseconds().rem_euclid(60_000);
            soonest.push(cx.now + TimeDelta::milliseconds(60_000 - passed));
        }
        let obligations = cx.obligations();
        let ticks = self.settings.is_wall || placed.area(PaneId::Next).is_none();
        if let Some(nearest) = obligations.first().filter(|_| ticks) {
            soonest.push(next_tick(nearest.due, cx.now));
        }
        soonest.extend(obligations.iter().flat_map(|obligation| [obligation.amber, obligation.due]));
        soonest.extend(cx.live.next_source_turn(cx.wall).map(|turn| cx.incident.clock().show(turn)));
        if let Some(decision) = asked(cx) {
            soonest.push(next_tick(decision.proposal.until, cx.now));
        }
        soonest.into_iter().filter(|at| *at > cx.now).min()
    }

    pub(super) fn hints(&self, cx: &Cx<'_>) -> Vec<Span<'static>> {
        let mut spans = vec![Span::raw(" ")];
        let mut hint = |key: &str, word: &str| {
            spans.push(Span::styled(key.to_owned(), cx.theme.key()));
            spans.push(Span::styled(format!(" {word}  "), cx.theme.dim()));
        };
        if let Some(start) = &self.start {
            let hints: &[_] = if start.is_filtering() { &super::start::FILTER_HINTS } else { &super::start::HINTS };
            for (key, word) in hints {
                hint(key, word);
            }
            return spans;
        }
        if let Some(text) = objections(cx) {
            let key = Span::styled("X", cx.theme.key());
            // However long the proposal is, the key is seen.
            let key = [Span::raw(" "), key, Span::styled(" objects  ", cx.theme.dim())];
            return key.into_iter().chain([Span::styled(text, cx.theme.amber())]).collect();
        }
        let pane = &self.panes[self.focus as usize];
        if pane.is_typing() {
            for (key, word) in
                [("Enter", "record"), ("Ctrl+J", "new line"), ("Esc", "single keys"), ("Tab", "pane"), ("F1", "help")]
            {
                hint(key, word);
            }
            return spans;
        }
        hint("?", "help");
        if let Some(key) = actions::first_key("drill").filter(|_| self.is_drill()) {
            hint(key, "drill");
        }
        hint(":", "commands");
        hint("Tab", "pane");
        hint("z", "zoom");
        let may_write = cx.access == crate::pane::Access::Full;
        for name in ["acknowledge", "take-role", "update", "note"] {
            let is_done = name == "acknowledge" && cx.incident.acknowledged.is_some();
            if let Some(key) = actions::first_key(name).filter(|_| !is_done && may_write) {
                hint(key, name);
            }
        }
        // Everybody knows what the arrows do.
        let moves = ["Up", "Down", "Left", "Right", "Home", "End", "PgUp", "PgDn", "Ctrl+Left", "Ctrl+Right"];
        for act in pane.acts().iter().filter(|act| may_write || !act.writes) {
            if let Some(key) = act.keys.first().filter(|key| !moves.contains(key)) {
                hint(key, act.name);
            }
        }
        spans
    }

    /// Below 20 × 5 there is one line, and it is still the alarm.
    fn alarm_line(&self, area: Rect, buf: &mut Buffer, cx: &Cx<'_>) {
        let text = self.record_alarm().unwrap_or_else(|| alarm_words(cx));
        let style = cx.obligations().first().map_or_else(Style::new, |nearest| urgency(nearest, cx));
        buf.set_stringn(area.x, area.y, fit(&text, usize::from(area.width)), usize::from(area.width), style);
    }
}

/// The incident in a few words, the most pressing first.
pub(super) fn alarm_words(cx: &Cx<'_>) -> String {
    let severity = cx.incident.severity.map_or("", Severity::name);
    match cx.obligations().first() {
        Some(nearest) => format!("{severity} {} {}", countdown(nearest.left(cx.now)), nearest.name),
        None => format!("{severity} {}", cx.incident.phase()),
    }
}

fn two_sides(area: Rect, buf: &mut Buffer, left: Vec<Span<'static>>, right: Vec<Span<'static>>) {
    let width = usize::from(area.width);
    let right = fit_line(Line::from(right), width);
    let taken = line_columns(&right);
    let room = width.saturating_sub(taken + 1);
    let left = fit_line(Line::from(left), room);
    buf.set_line(area.x, area.y, &left, area.width);
    buf.set_line(area.right() - taken as u16, area.y, &right, taken as u16);
}

/// How much is said of the sources.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Detail {
    /// Only a mark for each source.
    Marks,
    /// A name too where something is wrong.
    Failing,
    /// A mark and a name for each.
    Names,
    /// What is wrong too.
    Words,
    /// Since when too, and how many consoles are here.
    Whole,
}

impl Detail {
    const ALL: [Self; 5] = [Self::Whole, Self::Words, Self::Names, Self::Failing, Self::Marks];
}

/// The proposal on which everybody is asked for objections at the moment.
pub(super) fn asked<'a>(cx: &Cx<'a>) -> Option<&'a Decision> {
    cx.incident.decisions.iter().find(|decision| decision.made.is_none() && cx.now < decision.proposal.until)
}

/// The question that everybody is asked before a decision, with the time that is left.
pub(super) fn objections(cx: &Cx<'_>) -> Option<String> {
    let decision = asked(cx)?;
    let left = countdown(decision.proposal.until - cx.now);
    let count = match decision.objections.len() {
        0 => String::new(),
        1 => " · 1 objects".to_owned(),
        count => format!(" · {count} object"),
    };
    Some(format!("ANY STRONG OBJECTIONS? {} · {left}{count}", decision.proposal.action))
}

/// A pause that is worth a word in the header …
const MOMENT: TimeDelta = TimeDelta::seconds(10);
/// … and one that is worth its end.
const LONG_PAUSE: TimeDelta = TimeDelta::seconds(75);

/// What has not reached its place: `slack: 3 wait 4 min, again at 14:32  1 not sent (:outbox)`.
fn how_sent(cx: &Cx<'_>, detail: Detail) -> Vec<Span<'static>> {
    let mut spans = Vec::new();
    let (mut waiting, mut stuck): (BTreeMap<&CleanStr, Vec<&Delivery>>, _) = (BTreeMap::new(), 0);
    for delivery in cx.incident.undelivered() {
        match &delivery.state {
            DeliveryState::Queued { not_before, .. } if *not_before - cx.now > MOMENT => {
                waiting.entry(&delivery.body.service).or_default().push(delivery);
            }
            // A moment on the way is no news.
            _ if is_orphan(delivery, cx) => stuck += 1,
            DeliveryState::Queued { .. } | DeliveryState::Sending if delivery.tries < 2 => {}
            DeliveryState::Queued { .. } | DeliveryState::Sending => {
                waiting.entry(&delivery.body.service).or_default().push(delivery);
            }
            _ => stuck += 1,
        }
    }
    for (service, waiting) in waiting {
        let first = waiting.iter().map(|delivery| delivery.queued.at).min().unwrap_or(cx.now);
        let (minutes, count) = ((cx.now - first).num_minutes(), waiting.len());
        let again = waiting.iter().filter_map(|delivery| match &delivery.state {
            // A pause of a minute passes by itself; of a longer one people must know.
            DeliveryState::Queued { not_before, .. } if *not_before - cx.now > LONG_PAUSE => Some(*not_before),
            _ => None,
        });
        let again = again.max().map(|at| format!(", again at {}", cx.minute(at))).unwrap_or_default();
        let words = match detail {
            Detail::Marks => cx.theme.glyphs.half.to_owned(),
            _ => format!("{service}: {count} wait{} {minutes} min{again}", if count == 1 { "s" } else { "" }),
        };
        spans.push(Span::styled(format!("{words}  "), cx.theme.amber()));
    }
    stuck += cx.left.len();
    if stuck > 0 {
        spans.push(Span::styled(format!("{stuck} not sent (:outbox)  "), cx.theme.red()));
    }
    spans
}

/// How each source is: `● prometheus  ◐ jaeger failing since 14:20  3 here`.
fn how_fresh(cx: &Cx<'_>, detail: Detail) -> Vec<Span<'static>> {
    let glyphs = cx.theme.glyphs;
    let mut spans = Vec::new();
    for (name, health) in &cx.live.sources {
        // A file and a command on this host: worth a word only when they fail.
        let is_quiet = name.starts_with("change") && health.failing.is_none();
        if is_quiet {
            continue;
        }
        let freshness = if cx.live.is_frozen { Freshness::Fresh } else { health.freshness(cx.wall) };
        let (glyph, style, words, since) = match (freshness, &health.failing) {
            (Freshness::Fresh, _) if cx.live.is_frozen => (glyphs.full, cx.theme.good(), " frozen", None),
            (Freshness::Fresh, None) => (glyphs.full, cx.theme.good(), "", None),
            (Freshness::Gone, _) => {
                (glyphs.empty, cx.theme.red(), " NO DATA", Some(health.good_at.unwrap_or(health.since)))
            }
            (Freshness::Fresh | Freshness::Stale, Some((since, _))) => {
                (glyphs.half, cx.theme.amber(), " failing", Some(*since))
            }
            (Freshness::Stale, None) => (glyphs.half, cx.theme.amber(), " late", None),
        };
        let is_well = glyph == glyphs.full;
        if detail == Detail::Marks || (detail == Detail::Failing && is_well) {
            spans.push(Span::styled(format!("{glyph} "), style));
            continue;
        }
        let words = if detail >= Detail::Words { words } else { "" };
        let since = since.filter(|_| detail == Detail::Whole);
        let since = since.map(|at| format!(" since {}", cx.minute(cx.incident.clock().show(at)))).unwrap_or_default();
        spans.push(Span::styled(glyph, style));
        spans.push(Span::styled(format!(" {name}{words}{since}  "), if is_well { Style::new() } else { style }));
    }
    spans.extend(how_sent(cx, detail));
    let others = cx.present.len();
    if others > 0 && detail == Detail::Whole {
        spans.push(Span::raw(format!("{others} here ")));
    }
    spans
}

fn who(cx: &Cx<'_>) -> Vec<Span<'static>> {
    let mut spans = vec![Span::raw(" ")];
    for role in Role::ALL {
        let mut holders: Vec<String> = cx
            .incident
            .roles
            .iter()
            .filter(|(seat, _)| seat.role == role)
            .map(|(seat, mark)| match &seat.component {
                _ if cx.incident.played.contains(seat) => format!("{} (exercise)", mark.by),
                Some(component) => format!("{} ({component})", mark.by),
                None => format!("{} {}", mark.by, minutes(cx.now - mark.at)),
            })
            .collect();
        holders.truncate(3);
        spans.push(Span::styled(format!("{} ", role.short()), cx.theme.dim()));
        if holders.is_empty() {
            // The IC's empty chair shouts; the others nag.
            let style = if role == Role::IncidentCommander && cx.incident.phase().is_live() && !cx.incident.is_blank() {
                cx.theme.banner(Alarm::Red)
            } else {
                cx.theme.amber()
            };
            spans.push(Span::styled("nobody", style));
        } else {
            spans.push(Span::raw(holders.join(", ")));
        }
        spans.push(Span::raw("   "));
    }
    if Role::ALL.into_iter().any(|role| cx.incident.holder(role).is_none()) && cx.access == crate::pane::Access::Full {
        spans.push(Span::styled("R", cx.theme.key()));
        spans.push(Span::styled(" take", cx.theme.dim()));
    }
    spans
}
