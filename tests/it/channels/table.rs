//! The table of systems, acts and faults: whatever goes wrong with a write, in the end it is there once, or it is said that nobody knows.

use super::faults::{Case, cases, writes};
use super::more::{more_cases, open_case};
use super::*;
use std::collections::BTreeMap;
use warroom::text::fit;

type Answering = fn() -> Reply;

/// What becomes of a write: whether it is applied, and what is answered.
const FAULTS: [(&str, bool, Answering); 12] = [
    ("applied, reset", true, || Reply::Reset),
    ("applied, cut", true, || Reply::Truncated(b"{\"ok\":tr".to_vec())),
    ("applied, 500", true, || Reply::status(500, "{}")),
    ("applied, login page", true, || Reply::status(200, "<html>log in</html>")),
    ("applied, 408", true, || Reply::status(408, "{}")),
    ("reset", false, || Reply::Reset),
    ("502", false, || Reply::status(502, "<html>bad gateway</html>")),
    ("503", false, || Reply::status(503, "{}").with("retry-after", "1")),
    ("408", false, || Reply::status(408, "{}")),
    ("409", false, || Reply::status(409, "{}")),
    ("423", false, || Reply::status(423, "{}")),
    ("429", false, || Reply::status(429, "{}").with("retry-after", "1")),
];

/// How a row ended.
#[derive(Debug, Default)]
struct Row {
    attempted: usize,
    one: usize,
    unconfirmed: usize,
    none_said: usize,
    lost: usize,
    duplicate: usize,
    requests: usize,
}

#[tokio::test]
async fn a_write_that_failed_in_any_way_is_there_once_in_the_end_or_nobody_is_told_that_it_is() {
    let all = || cases().into_iter().chain(more_cases());
    let tried = FAULTS.iter().flat_map(|fault| all().map(move |case| (fault, case)));
    let rows = futures_util::future::join_all(tried.map(async |((name, is_applied, reply), case)| {
        let mut row = Row { attempted: 1, ..Row::default() };
        let (handler, is_first, is_applied, reply) = (case.handler.clone(), Mutex::new(true), *is_applied, *reply);
        let server = Server::start(move |request| {
            let is_faulty = writes(request) && std::mem::take(&mut *is_first.lock().unwrap());
            match (is_faulty, is_applied) {
                (true, true) => {
                    handler(request);
                    reply()
                }
                (true, false) => reply(),
                (false, _) => handler(request),
            }
        })
        .await;
        let receipt = to_the_end(&case, &server).await;
        let count = (case.count)();
        match (&receipt, count) {
            (_, 2..) => row.duplicate = 1,
            (Receipt::There(_), 1) => row.one = 1,
            (Receipt::There(_), 0) => row.lost = 1,
            (Receipt::Unknown(_), _) => row.unconfirmed = 1,
            (_, 0) => row.none_said = 1,
            (_, _) => row.unconfirmed = 1,
        }
        row.requests = server.requests().len();
        let said = if row.one == 1 { String::new() } else { format!("  {receipt:?}") };
        (format!("{:<17} {:<24}", case.service, fit(&case.parcel.act.words(), 24)), name, row, said)
    }))
    .await;
    let head = |what: &str| {
        format!(
            "{what:<64} {:>9} {:>4} {:>11} {:>9} {:>4} {:>9} {:>8}\n",
            "attempted", "one", "unconfirmed", "none-said", "lost", "duplicate", "a minute"
        )
    };
    let line = |what: &str, row: &Row| {
        format!(
            "{what:<64} {:>9} {:>4} {:>11} {:>9} {:>4} {:>9} {:>8}",
            row.attempted, row.one, row.unconfirmed, row.none_said, row.lost, row.duplicate, row.requests
        )
    };
    let (mut table, mut acts) = (head("system, act, fault"), BTreeMap::<_, Row>::new());
    for (what, name, row, said) in &rows {
        table += &format!("{}{said}\n", line(&format!("{what} {name}"), row));
        acts.entry(what).or_default().add(row);
    }
    // What the recording server counted: no row takes a minute, so the most of a row is the most of a minute.
    table += &format!("\n{}", head("system, act, all twelve faults"));
    let sum = acts.values().fold(Row::default(), |mut sum, row| {
        sum.add(row);
        sum
    });
    for (what, row) in &acts {
        table += &format!("{}\n", line(what, row));
    }
    table += &line("all", &sum);
    println!("{table}");
    let systems: BTreeSet<_> = acts.keys().filter_map(|what| what.split(' ').next()).collect();
    assert_eq!(systems, CHANNELS.iter().map(|spec| spec.name).collect(), "every system that is written to");
    assert_eq!((sum.lost, sum.duplicate), (0, 0), "\n{table}");
    assert_eq!(sum.one, sum.attempted - sum.unconfirmed - sum.none_said);
    assert!(sum.requests <= 20, "no row asks without end\n{table}");
}

impl Row {
    /// Another row of the same kind: sums, and the most requests.
    fn add(&mut self, row: &Self) {
        self.attempted += row.attempted;
        self.one += row.one;
        self.unconfirmed += row.unconfirmed;
        self.none_said += row.none_said;
        self.lost += row.lost;
        self.duplicate += row.duplicate;
        self.requests = self.requests.max(row.requests);
    }
}

/// What a console does with something until it is over: it sends, looks for what may be there, and sends again what is not.
async fn to_the_end(case: &Case, server: &Server) -> Receipt {
    let channel = open_case(case, server);
    let mut receipt = channel.deliver(&case.parcel).await;
    for _ in 0..3 {
        receipt = match receipt {
            // Where nothing can be looked up, a person says whether it is sent again.
            Receipt::Unknown(_) if !case.can_look => return receipt,
            Receipt::Unknown(_) => channel.look_up(&case.parcel).await,
            Receipt::NotThere { .. } => channel.deliver(&case.parcel).await,
            over => return over,
        };
    }
    receipt
}
