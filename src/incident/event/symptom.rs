//! Facts about what was wrong and for how long: alerts that are linked, and objectives of affected services.
//!
//! Hides nothing of what was not seen: an end that nobody watched carries both moments between which it lies.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::incident::entry::ServiceId;
use crate::text::CleanStr;

/// What can be wrong for a while.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum SymptomOf {
    /// An alert that is linked.
    Alert {
        /// The identity under which it was.
        fingerprint: CleanStr,
    },
    /// An objective of an affected service.
    Objective {
        /// Whose it is.
        service: ServiceId,
        /// Its id in the playbook file.
        id: CleanStr,
    },
}

/// Something began to be wrong, or began again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SymptomBegan {
    /// What.
    pub of: SymptomOf,
    /// How people call it: `alipay Error ratio`, `HighLatency`.
    pub title: CleanStr,
    /// Since when, as its source says.
    pub since: DateTime<Utc>,
    /// It may have begun before that: nothing earlier was measured.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub at_least: bool,
    /// What was seen when it was noticed, with the limit; empty for an alert.
    #[serde(default, skip_serializing_if = "CleanStr::is_blank")]
    pub value: CleanStr,
}

/// The worst value of what was wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Peak {
    /// The value, with its unit where it has one.
    pub value: CleanStr,
    /// Whose it was, of several series (`pod=p12`); empty where there is one.
    #[serde(default, skip_serializing_if = "CleanStr::is_blank")]
    pub series: CleanStr,
    /// When.
    pub at: DateTime<Utc>,
    /// Parts of the time were not measured: it may have been worse.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub at_least: bool,
}

/// Something was wrong and is not any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SymptomEnded {
    /// What.
    pub of: SymptomOf,
    /// How people call it.
    pub title: CleanStr,
    /// The first moment at which it was well.
    pub ended: DateTime<Utc>,
    /// Where nobody saw it end: the last moment at which it is known to have been wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<DateTime<Utc>>,
    /// The worst value in between; absent where none is known, as of an alert that Alertmanager alone tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak: Option<Peak>,
}
