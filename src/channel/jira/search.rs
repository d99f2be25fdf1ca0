//! Tickets of ours, found again.
//!
//! Hides that Cloud's search knows a new ticket only after minutes, while the ticket itself can be read at once.
//!
//! Invariant: a ticket is looked for by its label, and among the newest of its project by its property and label, as long as the search may lag; only
//! then it is said not to be there.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::answers::{Found, Numbered};
use super::{Edition, Jira, api, label};
use crate::channel::{absent, question, taken};
use crate::clock;
use crate::incident::{Parcel, Receipt, Remote};
use crate::reach::JIRA;
use crate::source::http::{Failure, Trouble};

/// The property of an issue by which it is ours.
pub(super) const PROPERTY: &str = "warroom";
/// The search knows a ticket after so long at the latest: seconds are usual, minutes are told.
const SEARCH_LAG: TimeDelta = TimeDelta::minutes(5);
/// So many tickets behind the newest known one are read.
const MOST_AHEAD: u64 = 12;
/// So many numbers in a row that are no ticket are the end of the project: numbers of failed tries stay empty.
const MOST_GAPS: u32 = 4;

/// What a ticket of ours bears.
pub(super) fn property(parcel: &Parcel) -> Value {
    json!([{ "key": PROPERTY, "value": { "op": parcel.op, "record": parcel.record } }])
}

impl Jira {
    /// A ticket of ours by its label.
    pub(super) async fn find(&self, edition: Edition, parcel: &Parcel) -> Result<Option<Remote>, Failure> {
        let jql = format!("project = \"{}\" AND labels = \"{}\"", parcel.target, label(parcel));
        let found = self.searched(edition, &jql).await?;
        Ok(found.issues.first().map(|issue| self.remote(&issue.key)))
    }

    async fn searched(&self, edition: Edition, jql: &str) -> Result<Found, Failure> {
        match edition {
            Edition::Cloud => {
                let body = json!({ "jql": jql, "fields": ["summary"], "maxResults": 2 });
                let answer = question(&self.site, "rest/api/3/search/jql", &body).await?;
                taken(&self.site, answer).await
            }
            Edition::DataCenter => {
                let query = [("jql", jql), ("fields", "summary"), ("startAt", "0"), ("maxResults", "2")];
                self.get("rest/api/2/search", &query).await
            }
        }
    }

    /// Whether a ticket that may have been made is there.
    pub(super) async fn is_made(&self, edition: Edition, parcel: &Parcel) -> Receipt {
        let found = match self.find(edition, parcel).await {
            Ok(None) if edition == Edition::Cloud => self.among_the_newest(edition, parcel).await,
            other => other,
        };
        match found {
            Ok(Some(remote)) => Receipt::There(remote),
            Ok(None) if edition == Edition::Cloud && clock::wall() - parcel.sent_at < SEARCH_LAG => {
                Receipt::Unknown("jira does not find it, and finds new tickets late: it is looked for again".into())
            }
            Ok(None) => absent(JIRA),
            Err(failure) => Receipt::Unknown(failure.reason),
        }
    }

    /// A ticket of ours among those that the search does not know yet: the numbers behind the newest that it knows are read one by one.
    async fn among_the_newest(&self, edition: Edition, parcel: &Parcel) -> Result<Option<Remote>, Failure> {
        let newest = self.searched(edition, &format!("project = \"{}\" ORDER BY created DESC", parcel.target)).await?;
        let number = |key: &str| key.rsplit_once('-').and_then(|(_, number)| number.parse::<u64>().ok());
        let last = newest.issues.iter().filter_map(|issue| number(&issue.key)).max().unwrap_or(0);
        let mut gaps = 0;
        for next in last + 1..=last + MOST_AHEAD {
            let key = format!("{}-{next}", parcel.target);
            let query = [("fields", "labels"), ("properties", PROPERTY)];
            match self.get::<Numbered>(api(edition).then("issue/{}", &[&key]), &query).await {
                Ok(ticket) if ticket.is_of(&parcel.op, &label(parcel)) => return Ok(Some(self.remote(&key))),
                Ok(_) => gaps = 0,
                Err(failure) if matches!(failure.trouble, Trouble::Status(404)) => {
                    gaps += 1;
                    if gaps >= MOST_GAPS {
                        break;
                    }
                }
                Err(failure) => return Err(failure),
            }
        }
        Ok(None)
    }
}
