//! The card of a role: what it does and what it says, shown when somebody takes it.

use super::Role;

/// At most seven duties, and the phrases to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Card {
    /// What the role does.
    pub duties: &'static [&'static str],
    /// What it says aloud.
    pub phrases: &'static [&'static str],
}

impl Role {
    /// The card of this role.
    pub fn card(self) -> Card {
        match self {
            Self::IncidentCommander => Card {
                duties: &[
                    "owns the plan; runs no commands",
                    "acknowledges within 5 minutes (a)",
                    "fills the roles, and hands every task to a named person with a time (@)",
                    "asks for objections, then decides (V, X)",
                    "approves every text; customers hear nothing that nobody approved (U)",
                    "tells the people that the severity names (E)",
                    "resolves on proof, not on hope (:resolve)",
                ],
                phrases: &[
                    "\"This is NAME, I am the Incident Commander.\"",
                    "\"Dana, check p99 of the gateway, call back in 5 minutes. Read that back, please.\"",
                    "\"Any strong objections?\"",
                    "\"What would make us wrong?\"",
                ],
            },
            Self::CommunicationsLead => Card {
                duties: &[
                    "posts every 15 minutes inside; \"nothing new, still doing X\" counts (u)",
                    "posts to the external page after 15 minutes of customer impact",
                    "promises the time of the next text, never the time of a fix",
                    "hands drafts to the IC for approval",
                    "keeps executives and support out of the incident channel",
                ],
                phrases: &["\"The next update is due in 3 minutes. What has changed?\"", "\"Who approves this?\""],
            },
            Self::Sme => Card {
                duties: &[
                    "works on one component, step by step (claim with c)",
                    "reads tasks back, and calls back in time (C)",
                    "pins what was seen as evidence (p)",
                    "says the risk and the way back before changing anything (V)",
                    "opens and eliminates theories, so that nobody chases them twice (Y)",
                ],
                phrases: &[
                    "\"Done: …\"",
                    "\"I need five more minutes.\"",
                    "\"I do not know.\"",
                    "\"I am blocked by …\"",
                ],
            },
            Self::Scribe => Card {
                duties: &[
                    "writes what happened and when, at once (n; -5m and 14:10 set the time)",
                    "marks decisions, actions, findings, todos (decision: …)",
                    "strikes through, never deletes",
                    "reads the recap aloud when somebody joins (b)",
                    "reminds of call-backs that are late (C)",
                ],
                phrases: &["\"For the record: who decided that?\"", "\"At what time was that?\""],
            },
        }
    }
}
