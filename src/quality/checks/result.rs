//! [`CheckResult`]: what came out of one check.
//!
//! In: counts and rows that [`Checks`](crate::Checks) found. Out: a value that a receipt holds and a person reads.

use serde::{Deserialize, Serialize};

/// What happens when a check does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// It is reported, nothing else.
    Warn,
    /// The rows that this load brought are taken out of the table and become rejects.
    Reject,
    /// Nothing is committed.
    #[default]
    Fail,
}

/// What came out of one check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CheckResult {
    /// Its name; without one, its kind and columns.
    pub name: String,
    /// Its kind: `not_null`, `unique`, …
    pub kind: String,
    /// What happens when it does not hold.
    pub severity: Severity,
    /// Whether it holds.
    pub passed: bool,
    /// Rows for which it does not hold; 0 for checks of the table as a whole.
    pub failed: u64,
    /// Rows that were taken out of the table.
    pub rejected: u64,
    /// The figure that a check of the table as a whole is about.
    pub observed: Option<String>,
    /// The first five of the rows.
    pub examples: Vec<CheckExample>,
    /// What is wrong: check, count, first rows. None if it holds.
    pub message: Option<String>,
}

/// A row for which a check does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckExample {
    /// Its place in the table, from 1.
    pub row: u64,
    /// Its values, `column=value`, the columns of the check first; long ones are cut.
    pub text: String,
}

impl Severity {
    /// The name as it stands in a file of checks.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Warn => "warn",
            Severity::Reject => "reject",
            Severity::Fail => "fail",
        }
    }
}
