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

use crate::csv::{ColumnType, CsvInput, Promotion, ReadSummary, RejectSink, lock};
use crate::duckdb::{BatchSource, Database, LoadOptions, Loaded, TableColumn, TableName};
use crate::error::{Error, ErrorKind, Fault, FaultCode, Location, Result};
use crate::input::Source;
use crate::job::Stage;
use crate::options::{LoadMode, MatchColumns, OnError, ReaderOptions};
use crate::quality::{CheckResult, Checks, HashTask, Receipt, RunKind, new_run_id};
use crate::transfer::as_millis;
use crate::transfer::rejects::Rejects;

/// Inputs, and where the rows go that are not taken.
struct Rows {
    input: CsvInput,
    rejects: Arc<Mutex<Rejects>>,
    policy: OnError,
}

impl BatchSource for Rows {
    fn open(&mut self) -> Result<Box<dyn RecordBatchReader + Send>> {
        Ok(Box::new(self.input.open()?))
    }

    fn restart(&mut self) -> Result<bool> {
        Ok(self.input.restart())
    }

    fn refused(&mut self, row: u64, message: &str) -> Result<()> {
        let fault = Fault {
            at: Location::new(self.input.file_of_row(row)),
            line_end: 0,
            code: FaultCode::Constraint,
            message: format!("row {} of the input: {message}", row + 1),
            value: None,
            hint: None,
            raw: Vec::new(),
        };
        match self.policy {
            OnError::Reject => lock(&self.rejects).reject(&fault),
            _ => Ok(()),
        }
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
}

/// What became of a load.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct LoadReport {
    /// The run's id, as in rejects and receipt.
    pub run_id: String,
    /// The table, quoted as SQL would have it.
    pub table: String,
    /// Rows that came out of the inputs.
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

    /// Does it.
    ///
    /// # Errors
    /// Whatever the inputs, the rows, the checks or the database object to. The database is as before then.
    pub fn run(self, database: &Database) -> Result<LoadReport> {
        let started = Instant::now();
        let CsvLoad { sources, table, mut reader, mut load, checks, receipt: receipt_path } = self;
        // Whoever names a place for rejects wants them there.
        if reader.rejects.is_some() && reader.on_error == OnError::Error {
            reader.on_error = OnError::Reject;
        }
        let monitor = load.monitor.clone();
        monitor.enter(Stage::Open)?;
        let run_id = new_run_id();
        let mut receipt = Receipt::new(RunKind::Load, &run_id);
        let hashes = match &receipt_path {
            Some(_) => Some(HashTask::start(&sources, monitor.cancel_token())?),
            None => None,
        };
        let rejects = Arc::new(Mutex::new(Rejects::create(reader.rejects.as_deref(), &run_id)?));
        let mut input = CsvInput::new(sources, reader.clone())?
            .with_monitor(monitor.clone())
            .with_rejects(rejects.clone())
            .with_placeholder();
        let appends = matches!(load.mode, LoadMode::Append | LoadMode::Merge);
        if appends && let Some(columns) = database.columns(&table)? {
            if load.match_columns == MatchColumns::Name {
                input = input.with_expected_types(types_of(columns));
            }
            load.conflicts = reader.on_error;
        }
        let state = input.summary_handle();
        let mut results = Vec::new();
        let mut before_commit = |connection: &duckdb::Connection, loaded: &Loaded| {
            let read = state.summary();
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
            monitor.enter(Stage::Commit)
        };
        let mut rows = Rows { input, rejects: Arc::clone(&rejects), policy: reader.on_error };
        let loaded = database.load(&mut rows, &table, &load, &mut before_commit)?;
        let Rows { input, .. } = rows;
        lock(&rejects).finish()?;
        let rejected_by_checks: u64 = results.iter().map(|check| check.rejected).sum();
        let read = input.summary();
        if let (Some(path), Some(hashes)) = (&receipt_path, hashes) {
            receipt.inputs = hashes.finish()?;
            receipt.set_read(&reader, &input.schema(), &read, input.promotions())?;
            receipt.set_loaded(database.path(), &table, &loaded, results.clone());
            receipt.set_rejects(reader.rejects.clone(), lock(&rejects).tally());
            receipt.finish();
            receipt.write(path)?;
        }
        monitor.enter(Stage::Done)?;
        Ok(LoadReport {
            run_id,
            table: table.to_string(),
            rows: loaded.rows,
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
