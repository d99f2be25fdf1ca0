//! A ticket that somebody opened in Jira and says is the incident's.

use super::{Edition, Jira, api};
use crate::channel::naming;
use crate::incident::{Receipt, Remote};
use crate::source::http::Failure;

impl Jira {
    /// It, if it is there: the answer names it.
    pub(super) async fn adopted(&self, edition: Edition, key: &str) -> Result<Receipt, Failure> {
        let request = self.site.get(api(edition).then("issue/{}", &[key]))?.query(&[("fields", "status")]);
        let answer = self.site.ask(request.send()).await?;
        let named = naming(&self.site, answer, "key").await?;
        let key = named.as_str().unwrap_or(key);
        Ok(Receipt::There(Remote { is_adopted: true, ..self.remote(key) }))
    }
}
