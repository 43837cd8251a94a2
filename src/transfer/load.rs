//! [`CsvLoad`]: inputs that become a table, all or nothing, every row accounted for.
//!
//! In: sources, options, a [`Database`]. Out: a [`LoadReport`]. The load starts over, in the same run, when a late value
//! widens a column; before the commit the rows that came out of the inputs are checked against the rows that the
//! table gained.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use arrow::array::RecordBatchReader;
use serde::Serialize;

use crate::csv::{ColumnType, CsvInput, CsvReader, Locator, Place, Promotion, ReadSummary, RejectSink, lock};
use crate::duckdb::{BatchSource, Database, LoadOptions, Loaded, TableColumn, TableName};
use crate::error::{Error, ErrorKind, Fault, FaultCode, Result};
use crate::input::Source;
use crate::job::Stage;
use crate::options::{LoadMode, MatchColumns, OnError, ReaderOptions};
use crate::quality::{CheckResult, Checks, HashTask, Receipt, RunKind, new_run_id};
use crate::transfer::as_millis;
use crate::transfer::rejects::Rejects;

/// Inputs, and where the rows go that are not taken.
struct Rows {
    input: CsvInput,
    /// The first stream, if reading has begun already.
    begun: Option<CsvReader>,
    rejects: Arc<Mutex<Rejects>>,
    policy: OnError,
    /// Finds the records of refused rows, once there is one.
    locator: Option<Locator>,
}

impl BatchSource for Rows {
    fn open(&mut self) -> Result<Box<dyn RecordBatchReader + Send>> {
        self.locator = None;
        Ok(Box::new(self.begun.take().map_or_else(|| self.input.open(), Ok)?))
    }

    fn restart(&mut self) -> Result<bool> {
        Ok(self.input.restart())
    }

    fn refused(&mut self, row: u64, column: Option<&str>, message: &str) -> Result<()> {
        if self.policy != OnError::Reject {
            return Ok(());
        }
        let locator = match &mut self.locator {
            Some(locator) => locator,
            None => self.locator.insert(self.input.locator()?),
        };
        let Place { mut at, line_end, raw } = locator.locate(row)?;
        at.column = column.map(str::to_owned);
        let message = match &raw {
            Some(_) => message.to_owned(),
            None => format!("{message} (row {} of all inputs; its text has gone by and was not kept)", row + 1),
        };
        let (code, raw) = (FaultCode::Constraint, raw.unwrap_or_default());
        lock(&self.rejects).reject(&Fault { at, line_end, code, message, value: None, hint: None, raw })
    }
}

/// Loads inputs into one table.
///
/// ```
/// use duckstream::{CsvLoad, Database, Source};
/// let database = Database::memory()?;
/// let text = "id,price\n1,2.50\n2,\n";
/// let load = CsvLoad::new(vec![Source::reader("prices", text.as_bytes())], "prices".parse()?);
/// let report = load.run(&database)?;
/// assert_eq!((report.rows, report.rejected), (2, 0));
/// # Ok::<(), duckstream::Error>(())
/// ```
pub struct CsvLoad {
    sources: Vec<Source>,
    table: TableName,
    reader: ReaderOptions,
    load: LoadOptions,
    checks: Option<Checks>,
    receipt: Option<PathBuf>,
    receipt_table: Option<TableName>,
    begun: Option<Begun>,
    #[cfg(test)]
    tamper: Option<fn(&mut ReadSummary)>,
}

/// What a load has before it knows the database.
struct Begun {
    started: Instant,
    run_id: String,
    receipt: Receipt,
    hashes: Option<HashTask>,
    rows: Rows,
}

/// What became of a load.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct LoadReport {
    /// The run's id, as in rejects and receipt.
    pub run_id: String,
    /// The table, quoted as SQL would have it.
    pub table: String,
    /// Rows that came out of the inputs and were taken: with the rejected ones, all there were.
    pub rows: u64,
    /// Rows set aside.
    pub rejected: u64,
    /// Rows added to the table.
    pub inserted: u64,
    /// Rows of the table that got other values, under `mode = merge`.
    pub updated: u64,
    /// Rows that were in the table already, under `mode = merge`.
    pub unchanged: u64,
    /// Rows of the table when all was done.
    pub rows_after: u64,
    /// Each input, and what became of its records.
    pub read: ReadSummary,
    /// Columns that got a wider type after the first batch.
    pub promotions: Vec<Promotion>,
    /// What the checks said, if there were any.
    pub checks: Vec<CheckResult>,
    /// Wall time of the run.
    #[serde(rename = "duration_ms", serialize_with = "as_millis")]
    pub duration: Duration,
}

impl CsvLoad {
    /// A load of `sources` into `table`, with the default options: a new table, types inferred, no bad rows.
    pub fn new(sources: Vec<Source>, table: TableName) -> CsvLoad {
        CsvLoad {
            sources,
            table,
            reader: ReaderOptions::default(),
            load: LoadOptions::default(),
            checks: None,
            receipt: None,
            receipt_table: None,
            begun: None,
            #[cfg(test)]
            tamper: None,
        }
    }

    /// Reads as these options say.
    pub fn with_reader_options(mut self, options: ReaderOptions) -> Self {
        self.reader = options;
        self
    }

    /// Loads as these options say; their monitor is the run's.
    pub fn with_load_options(mut self, options: LoadOptions) -> Self {
        self.load = options;
        self
    }

    /// Commits only if these checks hold of the table.
    pub fn with_checks(mut self, checks: Checks) -> Self {
        self.checks = Some(checks);
        self
    }

    /// Writes a receipt of the run to this file. The inputs are read a second time, for their hashes, while they are loaded.
    pub fn with_receipt(mut self, path: impl Into<PathBuf>) -> Self {
        self.receipt = Some(path.into());
        self
    }

    /// Adds a receipt of the run as a row to this table of the database, in the same transaction as the rows: one is never
    /// there without the other. The table is made if it is not there: `run_id`, `finished_at` (before the commit, UTC),
    /// `receipt` (JSON). It must be in the same database file as the rows.
    pub fn with_receipt_table(mut self, table: TableName) -> Self {
        self.receipt_table = Some(table);
        self
    }

    /// Opens the inputs and begins to read, ahead of [`run`](Self::run): worth it while the database still opens. Options given
    /// after this have no effect.
    ///
    /// # Errors
    /// Whatever keeps the inputs from opening, or shows in the first batch.
    pub fn begin(&mut self) -> Result<()> {
        let mut begun = self.prepare()?;
        // The columns of a table that gets more rows say how to read.
        if !self.appends() {
            begun.rows.begun = Some(begun.rows.input.open()?);
        }
        self.begun = Some(begun);
        Ok(())
    }

    fn appends(&self) -> bool {
        matches!(self.load.mode, LoadMode::Append | LoadMode::Merge)
    }

    fn prepare(&mut self) -> Result<Begun> {
        let started = Instant::now();
        if self.receipt_table.as_ref().is_some_and(|receipts| receipts.to_string() == self.table.to_string()) {
            return Err(Error::usage(format!("{} cannot hold the rows and the receipts", self.table.plain())));
        }
        // Whoever names a place for rejects wants them there.
        if self.reader.rejects.is_some() && self.reader.on_error == OnError::Error {
            self.reader.on_error = OnError::Reject;
        }
        let monitor = &self.load.monitor;
        monitor.enter(Stage::Open)?;
        let run_id = new_run_id();
        let receipt = Receipt::new(RunKind::Load, &run_id);
        let sources = std::mem::take(&mut self.sources);
        let hashes = match self.receipt.is_some() || self.receipt_table.is_some() {
            true => Some(HashTask::start(&sources, monitor.cancel_token())?),
            false => None,
        };
        let rejects = Arc::new(Mutex::new(Rejects::create(self.reader.rejects.as_deref(), &run_id)?));
        let input = CsvInput::new(sources, self.reader.clone())?
            .with_monitor(monitor.clone())
            .with_rejects(rejects.clone())
            .with_placeholder()
            .with_dictionaries();
        let rows = Rows { input, begun: None, rejects, policy: self.reader.on_error, locator: None };
        Ok(Begun { started, run_id, receipt, hashes, rows })
    }

    /// Does it.
    ///
    /// # Errors
    /// Whatever the inputs, the rows, the checks or the database object to. The database is as before then.
    pub fn run(mut self, database: &Database) -> Result<LoadReport> {
        let begun = self.begun.take().map_or_else(|| self.prepare(), Ok)?;
        let Begun { started, run_id, mut receipt, mut hashes, mut rows } = begun;
        let appends = self.appends();
        #[cfg(test)]
        let tamper = self.tamper;
        let CsvLoad { table, reader, mut load, checks, receipt: receipt_path, receipt_table, .. } = self;
        let monitor = load.monitor.clone();
        let rejects = Arc::clone(&rows.rejects);
        if appends && let Some(columns) = database.columns(&table)? {
            if load.match_columns == MatchColumns::Name {
                rows.input = rows.input.with_expected_types(types_of(columns));
            }
            load.conflicts = reader.on_error;
            if load.conflicts == OnError::Reject {
                rows.input = rows.input.with_places();
            }
        }
        let state = rows.input.summary_handle();
        let mut results = Vec::new();
        let mut before_commit = |connection: &duckdb::Connection, loaded: &Loaded| {
            #[allow(unused_mut)] // only tests change it
            let mut read = state.summary();
            #[cfg(test)]
            tamper.iter().for_each(|tamper| tamper(&mut read));
            read.check_identity()?;
            let grown = loaded.rows_after - if appends { loaded.rows_before } else { 0 };
            if loaded.rows != read.rows || loaded.inserted != grown {
                return Err(Error::internal(format!(
                    "{} rows were read, {} arrived, and the table gained {grown}",
                    read.rows, loaded.rows
                )));
            }
            let mut rejects = lock(&rejects);
            if let Some(checks) = &checks {
                results = checks.run(connection, &table, loaded, Some(&mut *rejects))?;
            }
            let by_checks: u64 = results.iter().map(|check| check.rejected).sum();
            let rejected = read.rejected + loaded.refused + by_checks;
            check_limits(&reader, read.rows + read.rejected, rejected)?;
            rejects.write_to(connection)?;
            if let Some(hashes) = hashes.take() {
                let (schema, promotions) = state.columns();
                receipt.inputs = hashes.finish()?;
                receipt.set_read(&reader, &schema, &read, &promotions)?;
                receipt.set_loaded(database.path(), &table, loaded, results.clone());
                receipt.set_rejects(reader.rejects.clone(), rejects.tally());
                receipt.finish();
            }
            if let Some(receipts) = &receipt_table {
                receipt.insert_into(connection, receipts)?;
            }
            monitor.enter(Stage::Commit)
        };
        let loaded = database.load(&mut rows, &table, &load, &mut before_commit)?;
        let Rows { input, .. } = rows;
        lock(&rejects).finish()?;
        let rejected_by_checks: u64 = results.iter().map(|check| check.rejected).sum();
        let read = input.summary();
        if let Some(path) = &receipt_path {
            receipt.finish();
            receipt.write(path)?;
        }
        monitor.enter(Stage::Done)?;
        Ok(LoadReport {
            run_id,
            table: table.to_string(),
            rows: loaded.rows - loaded.refused - rejected_by_checks,
            rejected: read.rejected + loaded.refused + rejected_by_checks,
            inserted: loaded.inserted - rejected_by_checks,
            updated: loaded.updated,
            unchanged: loaded.unchanged,
            rows_after: loaded.rows_after - rejected_by_checks,
            read,
            promotions: input.promotions().to_vec(),
            checks: results,
            duration: started.elapsed(),
        })
    }
}

/// The limits on rejects hold for rows that the table and the checks refused, too.
fn check_limits(reader: &ReaderOptions, seen: u64, rejected: u64) -> Result<()> {
    let refuse = |message: String| Err(ErrorKind::Refused { message }.into());
    if let Some(limit) = reader.max_rejects.filter(|limit| rejected > *limit) {
        return refuse(format!("{rejected} rows were rejected, more than --max-rejects {limit}"));
    }
    let ratio = rejected as f64 / seen.max(1) as f64;
    if let Some(limit) = reader.max_reject_ratio.filter(|limit| ratio > *limit) {
        return refuse(format!("{rejected} of {seen} rows were rejected, more than --max-reject-ratio {limit}"));
    }
    Ok(())
}

/// The types that a table's columns have, so that no value takes a detour through another: `1.50` for a text column
/// stays `1.50`. Types that CSV values cannot have stay out of it.
fn types_of(columns: Vec<TableColumn>) -> Vec<(String, ColumnType)> {
    columns.into_iter().filter_map(|column| Some((column.name, column.data_type.parse().ok()?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_that_is_lost_or_invented_rolls_everything_back() {
        type Fault = (&'static str, fn(&mut ReadSummary));
        let faults: &[Fault] = &[
            ("one not seen", |read| read.files[0].records_seen -= 1),
            ("one lost", |read| read.files[0].counts.records -= 1),
            ("one invented", |read| read.files[1].rows += 1),
            ("one in all", |read| read.rows += 1),
            ("one rejected twice", |read| read.files[0].rejected += 1),
            ("a blank line", |read| read.files[0].counts.blank += 1),
            ("one more everywhere", |read| {
                read.rows += 1;
                read.files[0].rows += 1;
                read.files[0].counts.records += 1;
                read.files[0].records_seen += 1;
            }),
        ];
        let database = Database::memory().unwrap();
        let count = || {
            let connection = database.connect().unwrap();
            connection.query_row("SELECT count(*) FROM t", [], |row| row.get::<_, u64>(0)).unwrap()
        };
        let load = |mode: LoadMode, tamper: Option<fn(&mut ReadSummary)>| {
            let texts = ["a,b\n1,2\n\n3\n4,5\n", "a,b\n6,7\n"];
            let sources = texts.map(|text| Source::reader("t", text.as_bytes())).into();
            let mut load = CsvLoad::new(sources, "t".parse().unwrap())
                .with_reader_options(ReaderOptions { on_error: OnError::Skip, ..ReaderOptions::default() })
                .with_load_options(LoadOptions { mode, key: vec!["a".to_owned()], ..LoadOptions::default() });
            load.tamper = tamper;
            load.run(&database)
        };
        assert_eq!(load(LoadMode::Create, None).unwrap().rows, 3);
        for mode in [LoadMode::Append, LoadMode::Replace, LoadMode::Merge] {
            for (name, fault) in faults {
                let error = load(mode, Some(*fault)).expect_err(name);
                assert!(matches!(error.kind(), ErrorKind::Internal { .. }), "{name}: {error}");
                assert_eq!(count(), 3, "{name}");
            }
        }
        assert_eq!(load(LoadMode::Append, None).unwrap().rows_after, 6);
    }
}
