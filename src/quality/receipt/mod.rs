//! What a run did, in one JSON document, and whether it still holds.
//!
//! - `document.rs`: [`Receipt`] and its parts, filled from the summaries of reader, load and checks.
//! - `hash.rs`: [`HashTask`], SHA-256 of the inputs while they are loaded.
//! - `verify.rs`: [`verify`], a receipt against files, sums and the table.
//!
//! Nothing is hashed or written unless a receipt is asked for.

mod document;
mod hash;
mod verify;

pub use document::{
    ColumnReceipt, Decided, FileReceipt, Identity, OutputReceipt, Receipt, RejectReceipt, RunKind, TargetReceipt,
    new_run_id,
};
pub use hash::{HashTask, InputReceipt};
pub use verify::{VerifyFinding, VerifyStatus, verify};
