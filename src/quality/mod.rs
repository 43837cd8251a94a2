//! What vouches for a run: rejected rows kept whole, checks before the commit, a receipt that can be verified.
//!
//! - `rejects/`: rows that were not taken, into a file ([`RejectFile`]) or a table ([`RejectTable`]), counted by a
//!   [`RejectTally`].
//! - `checks/`: [`Checks`]: what must hold of a table, asked in SQL inside the load's transaction.
//! - `receipt/`: [`Receipt`]: one JSON document per run, and [`verify`], which looks whether it still holds.
//!
//! Nothing here reads CSV or decides about exit codes; it is told what happened, and writes that down.

mod checks;
mod receipt;
mod rejects;

pub use checks::{CheckExample, CheckResult, Severity};
#[cfg(feature = "duckdb")]
pub use checks::{Checks, validate_checks};
pub use receipt::{
    ColumnReceipt, Decided, FileReceipt, HashTask, Identity, InputReceipt, OutputReceipt, Receipt, RejectReceipt,
    RunKind, TargetReceipt, VerifyFinding, VerifyStatus, new_run_id, verify,
};
#[cfg(feature = "duckdb")]
pub use rejects::RejectTable;
pub use rejects::{CodeTally, RawEncoding, RejectFile, RejectRecord, RejectTally};
