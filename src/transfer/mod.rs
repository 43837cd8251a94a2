//! The two halves joined: CSV to table, table to CSV, file to file.
//!
//! - `load.rs`: inputs → table: transaction, checks, row identity, receipt; `rejects.rs`: where its rejects go.
//! - `export.rs`: table or query → file.
//! - `convert.rs`: inputs → file.
//! - `output.rs`: the formats of files, and the options of each.
//!
//! In: a description of one run. Out: a report of it. Steps and the command line are thin layers over this.

mod convert;
#[cfg(feature = "duckdb")]
mod export;
#[cfg(feature = "duckdb")]
mod load;
mod output;
#[cfg(feature = "duckdb")]
mod rejects;

use std::time::Duration;

pub use convert::{ConvertReport, CsvConvert};
#[cfg(feature = "duckdb")]
pub use export::{CsvExport, ExportReport};
#[cfg(feature = "duckdb")]
pub use load::{CsvLoad, LoadReport};
pub use output::{Format, OutputOptions};

fn as_millis<S: serde::Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(duration.as_millis() as u64)
}
