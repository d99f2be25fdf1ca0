//! The timeline, and the scribe's line below it.
//!
//! The line is never modal: the log goes on moving behind it, the cursor never jumps, and nothing that arrives replaces what somebody is typing. The
//! time of an entry is when its typing began; `-5m ` or `14:10 ` at its start says otherwise, and how that was understood stands before the line. What
//! looks like a time and cannot be one asks before it is recorded as text.

use chrono::{DateTime, Utc};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line as Row, Span};

use super::{Act, Cx, Intent, Pane, PaneId, PaneSpec, Purpose, Question, acts_from_table};
use crate::incident::command::{assignment, scribe_line_since};
use crate::incident::timeline::{Hand, View};
use crate::incident::{Command, EntryId, EntryRedacted, Line, NoteAdded, NoteStruck};
use crate::text::{CleanStr, CleanText, Sought};
use crate::widget::editor::{Edited, Editor};
use crate::widget::text::{fit_line, minutes, wrap};

/// This pane's line in [`super::PANES`].
pub(super) const SPEC: PaneSpec = PaneSpec {
    id: PaneId::Timeline,
    name: "timeline",
    about: "what happened, and the scribe's line",
    make: || Box::new(TimelinePane::default()),
};

const ACTS: &[Act<TimelinePane>] = &[
    Act::write("write", &["Enter"], "write in the scribe's line", |pane, _| pane.write()),
    Act::look("up", &["Up", "k"], "the line above", |pane, cx| pane.go(-1, cx)),
    Act::look("down", &["Down", "j"], "the line below", |pane, cx| pane.go(1, cx)),
    Act::look("page-up", &["PgUp"], "a page up", |pane, cx| pane.go(-10, cx)),
    Act::look("page-down", &["PgDn"], "a page down", |pane, cx| pane.go(10, cx)),
    Act::look("first", &["Home", "g"], "the first line", |pane, cx| pane.first(cx)),
    Act::look("newest", &["End", "G"], "the newest line, and follow", |pane, _| pane.follow()),
    Act::look("fold", &["f"], "fold what machines wrote away, and back", |pane, _| pane.fold()),
    Act::look("search", &["/"], "look for words", |pane, _| pane.ask_search()),
    Act::look("next-match", &[">"], "the next line that has the words", |pane, cx| pane.next_match(1, cx)),
    Act::look("previous-match", &["<"], "the line before that has the words", |pane, cx| pane.next_match(-1, cx)),
    Act::write("amend", &["e"], "correct the selected line; the first wording stays on record", TimelinePane::amend),
    Act::write("strike", &["x"], "strike the selected line through; it stays readable", TimelinePane::strike),
    Act::write("redact", &[], "show and keep the selected line's text no more, with a reason", TimelinePane::redact),
    Act::look("copy", &["y"], "copy the selected line", TimelinePane::copy),
];

struct TimelinePane {
    editor: Editor,
    is_typing: bool,
    /// When the typing of the present text began, by the wall clock.
    began: Option<DateTime<Utc>>,
    /// What was handed in last, and when its typing had begun: it may come back.
    handed_in: Option<(String, DateTime<Utc>)>,
    /// What was asked about before it is recorded: with Enter again it is text.
    doubted: Option<CleanText>,
    /// The line that is selected; without one the newest is followed.
    selected: Option<EntryId>,
    hides_machines: bool,
    words: String,
}

impl Default for TimelinePane {
    fn default() -> Self {
        Self {
            editor: Editor::lines(),
            is_typing: false,
            began: None,
            handed_in: None,
            doubted: None,
            selected: None,
            hides_machines: false,
            words: String::new(),
        }
    }
}

impl TimelinePane {
    fn write(&mut self) -> Vec<Intent> {
        self.is_typing = true;
        Vec::new()
    }

    fn is_shown(&self, view: View<'_>, place: usize) -> bool {
        !self.hides_machines || view.hand(place) == Some(Hand::Human)
    }

    /// The place that is shown so many lines from another one.
    fn step(&self, view: View<'_>, from: usize, by: isize) -> usize {
        let mut here = from;
        let mut left = by.unsigned_abs();
        while left > 0 {
            let next = if by < 0 {
                (0..here).rev().find(|place| self.is_shown(view, *place))
            } else {
                (here + 1..view.len()).find(|place| self.is_shown(view, *place))
            };
            match next {
                Some(place) => here = place,
                None => break,
            }
            left -= 1;
        }
        here
    }

    fn place(&self, view: View<'_>) -> Option<usize> {
        self.selected.and_then(|id| view.place(id))
    }

    fn go(&mut self, by: isize, cx: &Cx<'_>) -> Vec<Intent> {
        let view = cx.incident.timeline();
        let Some(last) = (0..view.len()).rev().find(|place| self.is_shown(view, *place)) else { return Vec::new() };
        let here = match self.place(view) {
            Some(here) => self.step(view, here, by),
            // The first press up selects the newest line itself.
            None if by < 0 => self.step(view, last, by + 1),
            None => last,
        };
        self.selected = view.id(here);
        Vec::new()
    }

    fn first(&mut self, cx: &Cx<'_>) -> Vec<Intent> {
        let view = cx.incident.timeline();
        self.selected = (0..view.len()).find(|place| self.is_shown(view, *place)).and_then(|place| view.id(place));
        Vec::new()
    }

    fn follow(&mut self) -> Vec<Intent> {
        self.selected = None;
        Vec::new()
    }

    fn fold(&mut self) -> Vec<Intent> {
        self.hides_machines = !self.hides_machines;
        Vec::new()
    }

    fn ask_search(&mut self) -> Vec<Intent> {
        vec![Intent::Ask(Question {
            title: "look for".to_owned(),
            text: self.words.clone(),
            purpose: Purpose::Search(PaneId::Timeline),
        })]
    }

    fn next_match(&mut self, by: isize, cx: &Cx<'_>) -> Vec<Intent> {
        if self.words.is_empty() {
            return self.ask_search();
        }
        let view = cx.incident.timeline();
        let words = Sought::phrase(&self.words);
        let hit = |place: &usize| view.line(*place).is_some_and(|line| words.is_in(&text_of(&line)));
        let here = self.place(view).unwrap_or(view.len());
        let found = if by < 0 {
            (0..here).rev().find(hit).or_else(|| (here..view.len()).rev().find(hit))
        } else {
            (here + 1..view.len()).find(hit).or_else(|| (0..here.min(view.len())).find(hit))
        };
        match found {
            Some(place) => {
                self.selected = view.id(place);
                Vec::new()
            }
            None => vec![Intent::Say(format!("no other line has `{}`", self.words))],
        }
    }

    fn line(&self, cx: &Cx<'_>) -> Result<Line, Vec<Intent>> {
        let view = cx.incident.timeline();
        self.place(view)
            .and_then(|place| view.line(place))
            .ok_or_else(|| vec![Intent::Say("select a line first: Up".to_owned())])
    }

    fn amend(&mut self, cx: &Cx<'_>) -> Vec<Intent> {
        match self.line(cx) {
            Ok(line) => vec![Intent::Ask(Question {
                title: "the corrected line".to_owned(),
                text: line.text.to_string(),
                purpose: Purpose::Amend(line.id),
            })],
            Err(intents) => intents,
        }
    }

    fn strike(&mut self, cx: &Cx<'_>) -> Vec<Intent> {
        match self.line(cx) {
            Ok(line) => vec![Intent::Command(Command::StrikeNote(NoteStruck { note: line.id, reason: None }))],
            Err(intents) => intents,
        }
    }

    fn redact(&mut self, cx: &Cx<'_>) -> Vec<Intent> {
        match self.line(cx) {
            Ok(line) => {
                let body = EntryRedacted { entry: line.id, reason: CleanStr::default() };
                vec![Intent::Command(Command::Redact(body))]
            }
            Err(intents) => intents,
        }
    }

    fn copy(&mut self, cx: &Cx<'_>) -> Vec<Intent> {
        match self.line(cx) {
            Ok(line) => vec![Intent::Copy(CleanText::new(&text_of(&line)))],
            Err(intents) => intents,
        }
    }

    /// Records what was typed. The text comes back if it cannot be recorded.
    fn commit(&mut self, cx: &Cx<'_>) -> Vec<Intent> {
        let typed = self.editor.text();
        if typed.trim().is_empty() {
            return Vec::new();
        }
        match assignment(&typed, cx.now, cx.zone, &cx.roster()) {
            Some(Ok(body)) => {
                self.hand_in(&typed, cx);
                return vec![Intent::Commit(Command::AssignTask(body), typed.to_string())];
            }
            Some(Err(why)) => return vec![Intent::Say(why)],
            None => {}
        }
        let began = self.began(cx);
        let line = scribe_line_since(&typed, began, cx.now, cx.zone);
        if let Some(why) = line.doubt.filter(|_| self.doubted.as_ref() != Some(&typed)) {
            self.doubted = Some(typed);
            return vec![Intent::Say(format!("{why}; Enter again records the line as text"))];
        }
        let body = NoteAdded { kind: line.kind, text: line.text, at: Some(line.at.unwrap_or(began)) };
        self.hand_in(&typed, cx);
        vec![Intent::Commit(Command::AddNote(body), typed.to_string())]
    }

    /// The names that the one which is being typed can grow into: who is here, on call, or known.
    fn offered(&self, cx: &Cx<'_>) -> Vec<CleanStr> {
        let Some(begun) = self.editor.name_begun().filter(|_| self.is_typing) else { return Vec::new() };
        let names = cx.roster().completions(&begun);
        let is_whole = |name: &CleanStr| name.eq_ignore_ascii_case(begun.trim_start_matches(['"', '\u{201c}']));
        // What stands there in full is not offered again.
        if names.iter().any(is_whole) { Vec::new() } else { names }
    }

    /// When the typing of the present text began, in the incident's clock.
    fn began(&self, cx: &Cx<'_>) -> DateTime<Utc> {
        self.began.map_or(cx.now, |at| cx.incident.clock().show(at).min(cx.now))
    }

    fn hand_in(&mut self, typed: &CleanText, cx: &Cx<'_>) {
        self.handed_in = Some((typed.to_string(), self.began.unwrap_or(cx.wall)));
        self.editor.set_text("");
        (self.began, self.doubted) = (None, None);
    }

    /// What stands before the text, and a row above it where its time cannot be one or is remarkable.
    fn prompt(&self, cx: &Cx<'_>) -> (String, Option<String>) {
        let typed = self.editor.text();
        let line = scribe_line_since(&typed, self.began(cx), cx.now, cx.zone);
        let time = match &line.when {
            // The time stands still once typing began; before that it would only tick.
            _ if typed.is_empty() => String::new(),
            Some(when) => when.beside(cx.now, cx.zone),
            None => cx.minute(self.began(cx)),
        };
        let remark = line.doubt.map(|why| format!("? {why}"));
        let remark =
            remark.or_else(|| line.when.and_then(|when| when.remark).map(|remark| format!("{time}: {remark}")));
        let offered = self.offered(cx);
        let tab = if offered.len() == 1 { " (Tab completes it)" } else { "" };
        let names = offered.iter().map(|name| format!("@{name}")).collect::<Vec<_>>().join(", ");
        let remark = remark.or_else(|| (!names.is_empty()).then(|| format!("{names}{tab}")));
        (format!("{time:>5} {:<8} ", line.kind.word()), remark)
    }

    fn editor_area(&self, area: Rect, cx: &Cx<'_>) -> Rect {
        let least = if area.height >= 20 { 3 } else { 1 };
        let (prompt, remark) = self.prompt(cx);
        let prompt = u16::try_from(crate::text::columns(&prompt)).unwrap_or(u16::MAX).saturating_add(MARKER);
        let wanted = self.editor.rows_needed(area.width, prompt).max(least) + u16::from(remark.is_some());
        let rows = wanted.min((area.height / 2).max(1));
        Rect { y: area.bottom().saturating_sub(rows), height: rows.min(area.height), ..area }
    }
}

/// The columns of the marker before the time and the kind in the scribe's line.
const MARKER: u16 = 2;

fn text_of(line: &Line) -> String {
    format!("{} {} {} {}", line.at.format("%H:%M:%S UTC"), line.tag, line.text, line.actor)
}

impl Pane for TimelinePane {
    acts_from_table!();

    fn turn_to_next_record(&mut self) {
        self.selected = None;
        self.words.clear();
    }

    fn is_typing(&self) -> bool {
        self.is_typing
    }

    fn type_key(&mut self, key: KeyEvent, cx: &Cx<'_>) -> Vec<Intent> {
        let is_plain = !key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
        match key.code {
            KeyCode::Esc => self.is_typing = false,
            KeyCode::Enter if is_plain => return self.commit(cx),
            KeyCode::Tab => {
                if let [name] = self.offered(cx).as_slice() {
                    self.editor.complete_name(name);
                }
            }
            KeyCode::PageUp => return self.go(-10, cx),
            KeyCode::PageDown => return self.go(10, cx),
            _ => {
                let was_empty = self.editor.is_empty();
                match self.editor.key(key) {
                    Edited::Refused(limit) => return vec![Intent::Say(limit.to_string())],
                    Edited::Changed if was_empty => self.began = Some(cx.wall),
                    Edited::Changed | Edited::Moved | Edited::Ignored => {}
                }
            }
        }
        Vec::new()
    }

    fn completes(&self, cx: &Cx<'_>) -> bool {
        // With several to choose from it stays where somebody is typing.
        !self.offered(cx).is_empty()
    }

    fn type_paste(&mut self, text: &str, cx: &Cx<'_>) -> Vec<Intent> {
        if self.editor.is_empty() {
            self.began = Some(cx.wall);
        }
        match self.editor.insert_paste(text) {
            Edited::Refused(limit) => {
                vec![Intent::Say(format!("the paste was not taken: {limit}; or pipe it: … | warroom note"))]
            }
            Edited::Changed | Edited::Moved | Edited::Ignored => Vec::new(),
        }
    }

    fn give_back(&mut self, text: &str, began: Option<DateTime<Utc>>) {
        self.is_typing = true;
        if !text.is_empty() {
            let known = self.handed_in.take().filter(|(known, _)| known == text).map(|(_, began)| began);
            // What comes first is what was typed first.
            self.began = began.or(known).or(self.began);
        }
        let typed = self.editor.text();
        match (typed.is_empty(), text.is_empty()) {
            (_, true) => {}
            (true, false) => self.editor.set_text(text),
            (false, false) => self.editor.set_text(&format!("{text}\n{typed}")),
        }
    }

    fn draft(&self) -> Option<String> {
        let text = self.editor.text();
        (!text.is_empty()).then(|| text.to_string())
    }

    fn search(&mut self, words: &str, cx: &Cx<'_>) -> Vec<Intent> {
        self.words = words.to_owned();
        if words.is_empty() { Vec::new() } else { self.next_match(-1, cx) }
    }

    fn title(&self, cx: &Cx<'_>) -> String {
        let fold = if self.hides_machines { " · people only" } else { "" };
        let words = if self.words.is_empty() { String::new() } else { format!(" · /{}", self.words) };
        format!("timeline · {}{fold}{words}", crate::text::many(cx.incident.timeline().len(), "line"))
    }

    fn remark(&self, cx: &Cx<'_>) -> String {
        match self.place(cx.incident.timeline()) {
            Some(place) => format!("{}/{} · End follows", place + 1, cx.incident.timeline().len()),
            None => String::new(),
        }
    }

    fn draw(&self, area: Rect, buf: &mut Buffer, cx: &Cx<'_>, is_focused: bool) -> Option<Position> {
        if area.height == 0 {
            return None;
        }
        let line = self.editor_area(area, cx);
        let log = Rect { height: area.height - line.height, ..area };
        self.draw_log(log, buf, cx, is_focused);
        self.draw_line(line, buf, cx, is_focused).filter(|_| self.is_typing)
    }
}

impl TimelinePane {
    fn draw_line(&self, area: Rect, buf: &mut Buffer, cx: &Cx<'_>, is_focused: bool) -> Option<Position> {
        let (prompt, remark) = self.prompt(cx);
        let mut area = area;
        if let Some(remark) = remark.filter(|_| area.height > 1) {
            let row = fit_line(Row::styled(remark, cx.theme.amber()), usize::from(area.width));
            buf.set_line(area.x, area.y, &row, area.width);
            area = Rect { y: area.y + 1, height: area.height - 1, ..area };
        }
        let is_here = is_focused && self.is_typing;
        let marker = if is_here { cx.theme.glyphs.here } else { " " };
        let style = if is_here { cx.theme.accent() } else { cx.theme.dim() };
        let prompt = format!("{marker} {prompt}");
        let hint = if cx.access == super::Access::ReadOnly {
            ""
        } else {
            "n writes a line (-5m, 14:10, decision: … at its start)"
        };
        self.editor.draw(area, buf, cx.theme, Row::styled(prompt, style), if is_here { "" } else { hint })
    }

    fn draw_log(&self, area: Rect, buf: &mut Buffer, cx: &Cx<'_>, is_focused: bool) {
        let view = cx.incident.timeline();
        if view.is_empty() {
            let words = if !cx.is_read {
                "reading the record …"
            } else if cx.incident.is_blank() {
                "the timeline begins when an incident is declared"
            } else {
                "nothing was written yet"
            };
            buf.set_line(
                area.x,
                area.y,
                &fit_line(Row::styled(words, cx.theme.dim()), usize::from(area.width)),
                area.width,
            );
            return;
        }
        let height = usize::from(area.height);
        let selected = self.place(view);
        let shown = |place: &usize| self.is_shown(view, *place);
        let rows_at = |place: usize| rows(view, place, selected == Some(place), area.width, cx, &self.words);
        // With a line selected it stands in the middle, so that what arrives does not move it; else the newest stands last.
        let (anchor, below) = match selected {
            Some(place) => (place, height / 2),
            None => (view.len(), 0),
        };
        let mut after: Vec<Row<'static>> = Vec::new();
        for place in (anchor + 1..view.len()).filter(shown) {
            // Near the first line there is less above than fits: what comes after fills the pane.
            if below == 0 || after.len() >= height {
                break;
            }
            after.extend(rows_at(place));
        }
        let middle = selected.map(rows_at).unwrap_or_default();
        let own = (height - after.len().min(below).min(height)).saturating_sub(middle.len());
        let mut before: Vec<Vec<Row<'static>>> = Vec::new();
        let mut count = 0;
        for place in (0..anchor).rev().filter(shown) {
            if count >= own.max(height.saturating_sub(middle.len() + after.len())) {
                break;
            }
            let rows = rows_at(place);
            count += rows.len();
            before.push(rows);
        }
        let middle_len = middle.len();
        let mut all: Vec<Row<'static>> = before.into_iter().rev().flatten().collect();
        let above = all.len();
        all.extend(middle);
        all.extend(after);
        // Keep the selected line whole; otherwise the newest.
        let skip = match selected {
            Some(_) => above
                .saturating_sub(height.saturating_sub(middle_len + below.min(height.saturating_sub(middle_len))))
                .min(all.len().saturating_sub(height)),
            None => all.len().saturating_sub(height),
        };
        for (index, (row, y)) in all.into_iter().skip(skip).zip(area.y..area.bottom()).enumerate() {
            let is_selected = selected.is_some() && (above..above + middle_len).contains(&(index + skip));
            let row = if is_selected { row.style(cx.theme.selection(is_focused)) } else { row };
            buf.set_line(area.x, y, &row, area.width);
        }
    }
}

/// The most rows that a line takes while it is not selected.
const FOLDED_ROWS: usize = 4;

/// A line of the timeline as rows of the screen.
fn rows(view: View<'_>, place: usize, is_selected: bool, width: u16, cx: &Cx<'_>, words: &str) -> Vec<Row<'static>> {
    let Some(line) = view.line(place) else { return Vec::new() };
    let width = usize::from(width);
    let local = line.at.with_timezone(&cx.zone);
    let is_today = local.date_naive() == cx.now.with_timezone(&cx.zone).date_naive();
    let time = if is_today { local.format("%H:%M:%S").to_string() } else { local.format("%m-%d %H:%M").to_string() };
    let head = format!(" {time:<8} {:<8} ", line.tag);
    let indent = crate::text::columns(&head);
    let actor = format!(" {}", line.actor);
    let mut text = line.text.to_string();
    if let Some((times, by)) = &line.amended {
        let by = if *by == line.actor { String::new() } else { format!(" by {by}") };
        text.push_str(&if *times == 1 {
            format!(" [amended{by}]")
        } else {
            format!(" [amended {times}{} {by}]", cx.theme.glyphs.times)
        });
    }
    if let Some(late) = line.lateness() {
        text.push_str(&format!(" [entered {} later]", minutes(late)));
    }
    if let Some(strike) = &line.struck {
        let why = strike.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        text.push_str(&format!(" [struck by {}{why}]", strike.by));
    }
    if let Some(first) = &line.beaten {
        text.push_str(&format!(" [without effect: {} was first, {}]", first.by, cx.clock(first.at)));
    }
    if let (true, Some(original)) = (is_selected, &line.original) {
        text.push_str(&format!("\nfirst: {original}"));
    }
    let style = match (&line.struck, line.hand) {
        (Some(_), _) => cx.theme.struck(),
        (None, _) if line.beaten.is_some() => cx.theme.machine(),
        (None, Hand::Human) => cx.theme.human(),
        (None, Hand::Machine) => cx.theme.machine(),
    };
    let is_hit = !words.is_empty() && Sought::phrase(words).is_in(&text);
    let style = if is_hit { style.patch(cx.theme.found()) } else { style };
    let actor_width = crate::text::columns(&actor);
    let room = width.saturating_sub(indent + actor_width).max(10);
    let mut wrapped = wrap(&text, room);
    if !is_selected && wrapped.len() > FOLDED_ROWS {
        let more = wrapped.len() - FOLDED_ROWS + 1;
        wrapped.truncate(FOLDED_ROWS - 1);
        wrapped.push(format!("… {more} more rows: select the line to read them"));
    }
    let tag_style = if line.hand == Hand::Machine { cx.theme.machine() } else { cx.theme.title(false) };
    wrapped
        .into_iter()
        .enumerate()
        .map(|(place, part)| {
            if place > 0 {
                return Row::from(vec![Span::raw(" ".repeat(indent)), Span::styled(part, style)]);
            }
            let gap = width.saturating_sub(indent + crate::text::columns(&part) + actor_width);
            Row::from(vec![
                Span::styled(format!(" {time:<8} "), cx.theme.dim()),
                Span::styled(format!("{:<8} ", line.tag), tag_style),
                Span::styled(part, style),
                Span::raw(" ".repeat(gap)),
                Span::styled(actor.clone(), cx.theme.dim()),
            ])
        })
        .collect()
}
