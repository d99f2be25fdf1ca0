//! What came back from outside, as messages for the console.
//!
//! Invariant: every way in which something can end has its message; nothing is lost without a word.

use tokio::task::JoinError;

use super::super::commands;
use super::super::pager::Paged;
use super::sources::RESTART;
use super::{Happened, Outcome, Shell, Work};
use crate::console::{JournalMsg, Known, Msg, RUNBOOK};
use crate::journal::{News, Presence};
use crate::pane::Present;
use crate::text::{CleanStr, CleanText};

impl Shell {
    /// Turns what came back into messages for the console.
    pub(in crate::run) fn settle(&mut self, happened: Happened) -> Vec<Msg> {
        match happened {
            Happened::Journal(Some(news)) => self.news(news),
            Happened::Journal(None) => {
                // The threads end by themselves only after they said why; else one of them crashed.
                let crashed =
                    self.open.take().map(|open| format!("the journal of {} stopped: open it again (O)", open.id));
                crashed.map(|why| Msg::Journal(JournalMsg::Unwritable(CleanText::new(&why)))).into_iter().collect()
            }
            Happened::Source(report) => vec![Msg::Source(report)],
            Happened::Ended(ended) => self.ended(ended),
            Happened::Worked(work) => self.worked(work),
            Happened::Posted(msg) => vec![msg],
            Happened::Ran(run, said) => vec![Msg::Run(run, commands::said(run, said))],
        }
    }

    fn news(&mut self, news: News) -> Vec<Msg> {
        let clean = |text: CleanStr| CleanText::new(&text);
        let msg = match news {
            News::Opened { draft } => {
                let id = self.open.as_ref().map(|open| open.id);
                return id
                    .map(JournalMsg::Opened)
                    .into_iter()
                    .chain(draft.map(|(text, began)| JournalMsg::Draft(text, began)))
                    .map(Msg::Journal)
                    .collect();
            }
            News::HalfTyped(forms) => JournalMsg::HalfTyped(forms),
            News::Failed(why) => {
                self.open = None;
                self.start_sources();
                JournalMsg::Unopened(clean(why))
            }
            News::Entries { entries, caught_up } => {
                let end = caught_up.then_some(JournalMsg::CaughtUp);
                return [JournalMsg::Entries(entries)].into_iter().chain(end).map(Msg::Journal).collect();
            }
            News::Saved { ticket, stamps } => {
                self.waiting.remove(&ticket);
                JournalMsg::Saved(ticket, stamps)
            }
            News::NotSaved { ticket, reason } => {
                self.waiting.remove(&ticket);
                JournalMsg::NotSaved(ticket, clean(reason))
            }
            News::Unwritable(why) => JournalMsg::Unwritable(clean(why)),
            News::OnlyRead(why) => JournalMsg::OnlyRead(clean(why)),
            News::Writable => JournalMsg::Writable,
            News::Stalled(since) => JournalMsg::Stalled(since),
            News::LeftBehind(left) => JournalMsg::LeftBehind(left),
            News::WrittenBeside(written) => JournalMsg::WrittenBeside(written),
            News::Damaged(what) => JournalMsg::Damaged(what.into_iter().map(clean).collect()),
            News::Present(present) => JournalMsg::Present(
                present
                    .into_iter()
                    .map(|Presence { actor, layout, console, looks_only, is_dry, .. }| Present {
                        actor,
                        layout,
                        console,
                        looks_only,
                        is_dry,
                    })
                    .collect(),
            ),
        };
        vec![Msg::Journal(msg)]
    }

    fn ended(&mut self, ended: Result<Outcome, JoinError>) -> Vec<Msg> {
        let error = match ended {
            Ok(Outcome::Source(name)) => {
                tracing::warn!("source {name} ended");
                return Vec::new();
            }
            Err(error) if error.is_cancelled() => return Vec::new(),
            Err(error) => error,
        };
        let name = self.names.remove(&error.id()).unwrap_or("a task");
        tracing::error!("{name} crashed: {error}");
        let is_staged = self.drill.as_ref().is_some_and(|drill| drill.staging.is_some());
        let endpoints = if is_staged { &self.plan.staging } else { &self.plan.endpoints };
        let again = endpoints.iter().find(|(spec, _)| spec.name == name).cloned();
        if let Some((spec, endpoint)) = again {
            self.start_source(spec, endpoint, RESTART);
        } else if self.start_changes(name, RESTART) {
            // Nothing more to do.
        } else if let Some(drill) = self.drill.clone().filter(|_| name == "simulated") {
            self.simulate(drill);
        }
        vec![Msg::TaskDied(CleanStr::new(name))]
    }

    fn worked(&mut self, work: Work) -> Vec<Msg> {
        let failed = |error: anyhow::Error| Msg::Failed(CleanText::new(&format!("{error:#}")));
        match work {
            Work::Catalogue(catalogue) => {
                self.playbooks = catalogue.clone();
                vec![Msg::Catalogue(catalogue)]
            }
            Work::Past(past) => vec![Msg::Past(past)],
            Work::Templates(templates) => vec![Msg::Templates(templates)],
            Work::Listed(known) => vec![Msg::Listed(known)],
            Work::FirstList(known) => {
                match &known {
                    Known::Whole(list) if list.len() == 1 => self.open(list[0].id),
                    // The start screen stays.
                    Known::Whole(_) | Known::Part(..) | Known::Unknown(_) => self.start_sources(),
                }
                vec![Msg::Listed(known)]
            }
            Work::Created(Ok(id), unknown) => {
                self.open(id);
                unknown.into_iter().map(Msg::Failed).collect()
            }
            Work::IsOpen(known, events) => vec![Msg::IsOpen(known, events)],
            Work::Copied(copied) => {
                if !copied.bytes.is_empty() {
                    self.aside.push(copied.bytes);
                }
                vec![match copied.said {
                    Ok(how) => Msg::Done(CleanText::new(&how)),
                    Err(why) => Msg::Failed(CleanText::new(&why)),
                }]
            }
            Work::Said(Ok(sentence)) => vec![Msg::Done(CleanText::new(&sentence))],
            Work::Runbook(_, Ok((file, text))) => {
                let text = format!("{}\n\n{text}", file.display());
                vec![Msg::Printed(RUNBOOK.into(), CleanText::new(&text))]
            }
            Work::Runbook(address, Err(why)) => {
                // A link that a terminal opens does not survive being wrapped into rows: it has the screen to itself.
                self.pages = super::super::runbooks::linkable(&address).map(Paged::Link);
                vec![Msg::Printed(RUNBOOK.into(), CleanText::new(&format!("{why}; its address:\n{address}")))]
            }
            Work::Printed(title, made) => {
                let text = made.unwrap_or_else(|error| format!("{error:#}"));
                vec![Msg::Printed(CleanStr::new(title), CleanText::new(&text))]
            }
            // The record that is open stays open: that another one could not be begun is no reason to leave it.
            Work::Created(Err(error), _) if self.open.is_some() => vec![failed(error)],
            Work::Created(Err(error), _) => {
                self.start_sources();
                vec![Msg::Journal(JournalMsg::Unopened(CleanText::new(&format!("{error:#}"))))]
            }
            Work::Said(Err(error)) => vec![failed(error)],
        }
    }
}
