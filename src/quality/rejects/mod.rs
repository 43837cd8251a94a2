//! Rows that were not taken, kept whole.
//!
//! - `record.rs`: [`RejectRecord`], one rejected row as it is written, and the columns that all formats share.
//! - `tally.rs`: [`RejectTally`], how many rows were rejected for what.
//! - `file.rs`: [`RejectFile`], rejects into a `.jsonl`, `.csv` or `.parquet` file.
//! - `table.rs`: [`RejectTable`], rejects into a table, inside the load's transaction.
//!
//! In: [`Fault`](crate::Fault)s in the order of the input. Out: files and rows that appear only if the run succeeds.
//! Every sink costs time and memory for bad rows alone.

mod file;
mod record;
#[cfg(feature = "duckdb")]
mod table;
mod tally;

pub use file::RejectFile;
#[cfg(feature = "duckdb")]
pub(crate) use record::push_csv_field;
pub use record::{RawEncoding, RejectRecord};
#[cfg(feature = "duckdb")]
pub use table::RejectTable;
pub use tally::{CodeTally, RejectTally};
