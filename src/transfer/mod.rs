//! The two halves joined: CSV to table, table to CSV, file to file.
//!
//! - `load.rs`: inputs → table: reader, reject target, transaction, row identity.
//! - `export.rs`: table or query → CSV file.
//!
//! In: a description of one run. Out: a report of it. Steps and the command line are thin layers over this.

mod export;
mod load;

use std::time::Duration;

pub use export::{CsvExport, ExportReport};
pub use load::{CsvLoad, LoadReport};

fn as_millis<S: serde::Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(duration.as_millis() as u64)
}
