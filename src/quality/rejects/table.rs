//! [`RejectTable`]: rejected rows into a table of the target database, in the load's own transaction.
//!
//! In: faults, which wait in an unnamed temporary file. Out: rows of a table with the columns of [`RejectRecord`],
//! committed together with the load, or not at all. It refuses a table that lacks one of the columns.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Seek, SeekFrom, Write};

use duckdb::Connection;
use duckdb::ToSql;

use crate::csv::RejectSink;
use crate::duckdb::sql::{self, TableName};
use crate::duckdb::{describe, engine, refuse};
use crate::error::{Error, Fault, Result};
use crate::quality::rejects::{RejectRecord, RejectTally};

/// Rejected rows, for a table.
pub struct RejectTable {
    run_id: String,
    spool: Option<BufWriter<File>>,
    tally: RejectTally,
}

impl RejectTable {
    /// No rejects so far.
    pub fn new(run_id: impl Into<String>) -> Self {
        RejectTable { run_id: run_id.into(), spool: None, tally: RejectTally::default() }
    }

    /// The counts so far.
    pub fn tally(&self) -> &RejectTally {
        &self.tally
    }

    /// Adds the rows to `table`, which is made if it is not there; without rejects it is not touched. To be called in
    /// the load's `before_commit`, on the connection that it gets. Memory: one row at a time, and DuckDB's own.
    ///
    /// # Errors
    /// [`ErrorKind::Target`](crate::ErrorKind::Target) if the table has other columns or refuses the rows;
    /// [`ErrorKind::Write`](crate::ErrorKind::Write) if the temporary file fails.
    pub fn write_to(&mut self, connection: &Connection, table: &TableName) -> Result<u64> {
        let Some(spool) = &mut self.spool else { return Ok(0) };
        spool.flush().and_then(|()| spool.rewind()).map_err(failed)?;
        let doing = format!("writing rejects to table {}", table.plain());
        let columns = RejectRecord::COLUMNS.map(|(name, number)| (name, if number { "BIGINT" } else { "VARCHAR" }));
        connection.execute_batch(&sql::create_if_missing(table, &columns)).map_err(|error| engine(&doing, error))?;
        let known = describe(connection, table)?.unwrap_or_default();
        let names = RejectRecord::COLUMNS.map(|(name, _)| name);
        let missing: Vec<&str> =
            names.into_iter().filter(|name| !known.iter().any(|column| column.name == *name)).collect();
        if !missing.is_empty() {
            return Err(refuse(format!(
                "table {} is not one of rejects: it has no {}; name another table with --rejects",
                table.plain(),
                missing.join(", ")
            )));
        }
        let schema = table.schema().unwrap_or("main");
        let appender = match table.database() {
            Some(database) => {
                connection.appender_with_columns_to_catalog_and_db(table.table(), database, schema, &names)
            }
            None => connection.appender_with_columns_to_db(table.table(), schema, &names),
        };
        let mut appender = appender.map_err(|error| engine(&doing, error))?;
        let mut rows = 0;
        for line in BufReader::new(spool.get_ref()).lines() {
            let record: RejectRecord = serde_json::from_str(&line.map_err(failed)?)
                .map_err(|error| Error::internal(format!("a reject could not be read back: {error}")))?;
            let (texts, numbers) = (record.texts(), record.numbers());
            let mut values: [&dyn ToSql; 14] = texts.each_ref().map(|text| text as &dyn ToSql);
            for (index, (_, number)) in RejectRecord::COLUMNS.iter().enumerate() {
                if *number {
                    values[index] = &numbers[index];
                }
            }
            appender.append_row(&values[..]).map_err(|error| engine(&doing, error))?;
            rows += 1;
        }
        // Closing alone would hide what the table refuses.
        appender.flush().map_err(|error| engine(&doing, error))?;
        drop(appender);
        spool.seek(SeekFrom::End(0)).map_err(failed)?;
        match rows == self.tally.count {
            true => Ok(rows),
            false => Err(Error::internal(format!("{} rows were rejected, {rows} were kept", self.tally.count))),
        }
    }
}

impl RejectSink for RejectTable {
    fn reject(&mut self, fault: &Fault) -> Result<()> {
        self.tally.add(fault);
        let spool = match &mut self.spool {
            Some(spool) => spool,
            None => self.spool.insert(BufWriter::new(tempfile::tempfile().map_err(failed)?)),
        };
        serde_json::to_writer(&mut *spool, &RejectRecord::new(&self.run_id, fault))
            .map_err(std::io::Error::from)
            .and_then(|()| spool.write_all(b"\n"))
            .map_err(failed)
    }

    fn restart(&mut self) -> Result<()> {
        self.spool = None;
        self.tally = RejectTally::default();
        Ok(())
    }
}

fn failed(error: std::io::Error) -> Error {
    Error::write("the temporary file for rejects", error)
}
