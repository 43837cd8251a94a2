//! [`Rejects`]: where the rejected rows of a load go: nowhere, a file, or a table of the target.
//!
//! In: faults in order. Out: the file or the table, when the load succeeds. A name that ends in `.jsonl`, `.csv` or
//! `.parquet` is a file, any other a table.

use duckdb::Connection;

use crate::csv::RejectSink;
use crate::duckdb::TableName;
use crate::error::{Fault, Result};
use crate::quality::{RejectFile, RejectTable, RejectTally};

/// The rejects of one load.
pub(crate) enum Rejects {
    /// Counted by whoever rejects, and kept by nobody.
    Dropped,
    File(Box<RejectFile>),
    Table(Box<RejectTable>, TableName),
}

impl Rejects {
    pub(crate) fn create(target: Option<&str>, run_id: &str) -> Result<Rejects> {
        Ok(match target {
            None => Rejects::Dropped,
            Some(file) if RejectFile::is_file(file) => Rejects::File(Box::new(RejectFile::create(file, run_id)?)),
            Some(table) => Rejects::Table(Box::new(RejectTable::new(run_id)), table.parse()?),
        })
    }

    pub(crate) fn tally(&self) -> RejectTally {
        match self {
            Rejects::Dropped => RejectTally::default(),
            Rejects::File(file) => file.tally().clone(),
            Rejects::Table(table, _) => table.tally().clone(),
        }
    }

    /// Within the transaction: a table of rejects is committed with the rows, or not at all.
    pub(crate) fn write_to(&mut self, connection: &Connection) -> Result<()> {
        match self {
            Rejects::Table(table, name) => table.write_to(connection, name).map(drop),
            _ => Ok(()),
        }
    }

    /// After the commit: a file of rejects appears.
    pub(crate) fn finish(&mut self) -> Result<()> {
        match self {
            Rejects::File(file) => file.finish().map(drop),
            _ => Ok(()),
        }
    }
}

impl RejectSink for Rejects {
    fn reject(&mut self, fault: &Fault) -> Result<()> {
        match self {
            Rejects::Dropped => Ok(()),
            Rejects::File(file) => file.reject(fault),
            Rejects::Table(table, _) => table.reject(fault),
        }
    }

    fn restart(&mut self) -> Result<()> {
        match self {
            Rejects::Dropped => Ok(()),
            Rejects::File(file) => file.restart(),
            Rejects::Table(table, _) => table.restart(),
        }
    }
}
