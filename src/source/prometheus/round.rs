//! One round of questions to a Prometheus, each of which stands alone.
//!
//! Hides that questions are tasks: one that takes long goes on while the next round asks the others, and one that fails is left alone for a while that
//! grows, or for as long as the server asks. Of one objective two are asked at once, so that a heavy one leaves room.
//!
//! Invariant: a round fails only if nothing was answered; then it says why once, and each question is asked again in the next.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep_until};

use super::{Problem, Server, Watched, scopes};
use crate::live::{Finding, Scope, WatchedObjective, Watchlist};
use crate::slo::ObjectiveId;
use crate::source::http::{Failure, Trouble};
use crate::source::{Backoff, Telling};
use crate::text::CleanStr;

/// So many questions of one objective are asked at once.
const AT_ONCE: usize = 2;
/// A round waits at least so long for what is slow, once something was answered.
const SHORTEST: Duration = Duration::from_secs(1);
/// So many questions that got no word back, and none that did, are a server that is not there.
const ENOUGH: usize = 6;

/// Whether nothing came back at all.
fn is_silence(problem: &Problem) -> bool {
    match problem {
        Problem::Query(_) => false,
        Problem::Server(failure) => match failure.trouble {
            Trouble::Unreached | Trouble::Tls | Trouble::Away | Trouble::Late => true,
            Trouble::TooBig | Trouble::Status(_) | Trouble::Garbled | Trouble::Ours => false,
        },
    }
}

/// Something that is asked.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Question {
    Alerts,
    Objective(ObjectiveId, Scope),
}

impl Question {
    /// What is said where it gets no answer.
    fn unanswered(&self, why: CleanStr) -> Finding {
        match self {
            Self::Alerts => Finding::NoAlerts(why),
            Self::Objective(id, scope) => Finding::Unmeasured(id.clone(), *scope, why),
        }
    }
}

/// How a question ended; what was found is told by then.
struct Ended {
    question: Question,
    outcome: Result<(), Problem>,
}

/// Why a question waits.
struct Pause {
    until: Instant,
    backoff: Backoff,
}

/// The questions that are under way, and those that wait.
#[derive(Default)]
pub(super) struct Underway {
    generation: u64,
    /// Dropped with this, and with it all that is under way.
    tasks: JoinSet<Ended>,
    asked: HashSet<Question>,
    pauses: HashMap<Question, Pause>,
    room: HashMap<ObjectiveId, Arc<Semaphore>>,
}

impl Underway {
    /// Asks everything that is neither under way nor waiting, and tells what was found. Ends when all of it is answered, or when the next round is due.
    pub(super) async fn round(
        &mut self,
        server: &Arc<Server>,
        list: &Watchlist,
        telling: &Telling,
    ) -> Result<(), Failure> {
        if self.generation != list.generation {
            // What is under way answers a question that nobody asks any more.
            *self = Self { generation: list.generation, pauses: std::mem::take(&mut self.pauses), ..Self::default() };
        }
        let begun = Instant::now();
        let mut failed = Vec::new();
        // What was too slow for the round before.
        while let Some(ended) = self.tasks.try_join_next() {
            failed.extend(self.ended(ended).and_then(|ended| Some((ended.question, ended.outcome.err()?))));
        }
        let mut open = self.ask_all(server, list, telling, begun);
        if open.is_empty() && self.tasks.is_empty() {
            // Somebody must answer before a server is said to be well.
            self.pauses.clear();
            open = self.ask_all(server, list, telling, begun);
        }
        let mut has_answered = false;
        let due = begun + telling.every.max(SHORTEST);
        while !open.is_empty() || !(has_answered || self.tasks.is_empty()) {
            let ended = tokio::select! {
                ended = self.tasks.join_next() => ended,
                // What is slow goes on; what was answered must not wait for it to be asked again.
                () = sleep_until(due), if has_answered => break,
            };
            let Some(Ended { question, outcome }) = ended.and_then(|ended| self.ended(ended)) else { break };
            open.remove(&question);
            match outcome {
                Ok(()) => {
                    has_answered = true;
                    self.pauses.remove(&question);
                }
                Err(problem) => {
                    // Whoever refuses a query is there.
                    has_answered |= matches!(problem, Problem::Query(_));
                    failed.push((question, problem));
                }
            }
            if has_answered {
                self.tell(&mut failed, telling).await;
            } else if failed.iter().filter(|(_, problem)| is_silence(problem)).count() >= ENOUGH {
                // Nobody is there: that is not to be found out for each question.
                *self = Self { generation: list.generation, ..Self::default() };
                break;
            }
        }
        if has_answered {
            self.tell(&mut failed, telling).await;
            return Ok(());
        }
        self.give_up(failed, server, list, telling).await
    }

    /// Nothing was answered. Who only has no alerts may be well all the same.
    async fn give_up(
        &mut self,
        failed: Vec<(Question, Problem)>,
        server: &Server,
        list: &Watchlist,
        telling: &Telling,
    ) -> Result<(), Failure> {
        // All of it is asked again as soon as the server is.
        self.pauses.clear();
        let failures = failed.into_iter().filter_map(|(question, problem)| match problem {
            Problem::Server(failure) => Some((question, failure)),
            Problem::Query(_) => None,
        });
        let failures: Vec<(Question, Failure)> = failures.collect();
        let retry_after = failures.iter().filter_map(|(_, failure)| failure.retry_after).max();
        let Some((question, failure)) = failures.into_iter().next() else { return Ok(()) };
        if list.objectives.is_empty() {
            server.probe(&failure).await?;
            telling.tell(question.unanswered(failure.reason)).await;
            return Ok(());
        }
        Err(Failure { retry_after, ..failure })
    }

    fn ended(&mut self, ended: Result<Ended, JoinError>) -> Option<Ended> {
        let ended = match ended {
            Ok(ended) => ended,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => return None,
        };
        self.asked.remove(&ended.question);
        Some(ended)
    }

    /// Says why each question that failed did, and when it is asked again.
    async fn tell(&mut self, failed: &mut Vec<(Question, Problem)>, telling: &Telling) {
        for (question, problem) in failed.drain(..) {
            let (reason, retry_after) = match problem {
                Problem::Query(reason) => (reason, None),
                Problem::Server(failure) => (failure.reason, failure.retry_after),
            };
            let now = Instant::now();
            let pause =
                self.pauses.entry(question.clone()).or_insert(Pause { until: now, backoff: Backoff::default() });
            let length = pause.backoff.next(retry_after);
            pause.until = now + length;
            let reason = if length > telling.every {
                format!("{reason}; asked again in {} s", length.as_secs()).into()
            } else {
                reason
            };
            telling.tell(question.unanswered(reason)).await;
        }
    }

    /// Starts what is to be asked; gives what that is.
    fn ask_all(
        &mut self,
        server: &Arc<Server>,
        list: &Watchlist,
        telling: &Telling,
        now: Instant,
    ) -> HashSet<Question> {
        let watched = Watched::of(list);
        let may_ask = |asked: &HashSet<Question>, pauses: &HashMap<Question, Pause>, question: &Question| {
            !asked.contains(question) && pauses.get(question).is_none_or(|pause| pause.until <= now)
        };
        let mut open = HashSet::new();
        // The quickest question first, which says that somebody is there; then headlines, because people look at them.
        if may_ask(&self.asked, &self.pauses, &Question::Alerts) {
            let (server, telling) = (server.clone(), telling.clone());
            self.tasks.spawn(async move {
                let outcome = match server.alerts().await {
                    Ok(found) => {
                        telling.tell(Finding::Alerts(found)).await;
                        Ok(())
                    }
                    Err(failure) => Err(Problem::Server(failure)),
                };
                Ended { question: Question::Alerts, outcome }
            });
            open.insert(Question::Alerts);
        }
        let questions = Scope::ALL.into_iter().flat_map(|scope| {
            let has = move |objective: &&WatchedObjective| scopes(objective).any(|one| one == scope);
            list.objectives.iter().filter(has).map(move |objective| (objective, scope))
        });
        for (objective, scope) in questions {
            let question = Question::Objective(objective.id.clone(), scope);
            if may_ask(&self.asked, &self.pauses, &question) {
                let room = self.room.entry(objective.id.clone()).or_insert_with(|| Arc::new(Semaphore::new(AT_ONCE)));
                let (room, server, telling, objective) =
                    (room.clone(), server.clone(), telling.clone(), objective.clone());
                let asked = question.clone();
                self.tasks.spawn(async move {
                    let _room = room.acquire().await;
                    let outcome = match server.measure(&objective, scope, &watched).await {
                        Ok(measured) => {
                            telling.tell(Finding::Measured(objective.id, scope, Box::new(measured))).await;
                            Ok(())
                        }
                        Err(problem) => Err(problem),
                    };
                    Ended { question: asked, outcome }
                });
                open.insert(question);
            }
        }
        self.asked.extend(open.iter().cloned());
        open
    }
}
