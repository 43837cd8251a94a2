//! The two halves joined: CSV to table, table to CSV, file to file.
//!
//! - `load.rs`: inputs → table: reader, reject target, transaction, row identity.
//!
//! In: a description of one run. Out: a report of it. Steps and the command line are thin layers over this.

mod load;

pub use load::{CsvLoad, LoadReport};
