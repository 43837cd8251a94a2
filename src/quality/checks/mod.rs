//! What must hold of a table before it is committed.
//!
//! - `spec.rs`: [`Checks`], read from a YAML or JSON file, complete and without contradictions.
//! - `run.rs`: the checks asked in SQL, rows deleted and handed on, the verdict.
//! - `result.rs`: [`CheckResult`], what came out of one check.
//!
//! In: a file of checks, a table inside a transaction. Out: results, or [`ErrorKind::Refused`](crate::ErrorKind::Refused)
//! with every failed check, its count and its first rows. A table that passes is only read: once per check.

mod result;
#[cfg(feature = "duckdb")]
mod run;
#[cfg(feature = "duckdb")]
mod spec;

pub use result::{CheckExample, CheckResult, Severity};
#[cfg(feature = "duckdb")]
pub use spec::{Checks, validate_checks};
