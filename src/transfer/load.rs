//! [`CsvLoad`]: inputs that become a table, all or nothing, every row accounted for.
//!
//! In: sources, options, a [`Database`]. Out: a [`LoadReport`]. The load starts over, in the same run, when a late value
//! widens a column; before the commit the rows that came out of the inputs are checked against the rows that the
//! table gained.

use std::time::{Duration, Instant};

use arrow::array::RecordBatchReader;
use serde::Serialize;

use crate::csv::{ColumnType, CsvInput, Promotion, ReadSummary};
use crate::duckdb::{BatchSource, Database, LoadOptions, Loaded, TableName};
use crate::error::{Error, Result};
use crate::input::Source;
use crate::job::Stage;
use crate::options::{LoadMode, MatchColumns, ReaderOptions};
use crate::transfer::as_millis;

impl BatchSource for CsvInput {
    fn open(&mut self) -> Result<Box<dyn RecordBatchReader + Send>> {
        Ok(Box::new(CsvInput::open(self)?))
    }

    fn restart(&mut self) -> Result<bool> {
        Ok(CsvInput::restart(self))
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
}

/// What became of a load.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct LoadReport {
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
    /// Wall time of the run.
    #[serde(rename = "duration_ms", serialize_with = "as_millis")]
    pub duration: Duration,
}

impl CsvLoad {
    /// A load of `sources` into `table`, with the default options: a new table, types inferred, no bad rows.
    pub fn new(sources: Vec<Source>, table: TableName) -> CsvLoad {
        CsvLoad { sources, table, reader: ReaderOptions::default(), load: LoadOptions::default() }
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

    /// Does it.
    ///
    /// # Errors
    /// Whatever the inputs, the rows, the checks or the database object to. The database is as before then.
    pub fn run(self, database: &Database) -> Result<LoadReport> {
        let started = Instant::now();
        let CsvLoad { sources, table, mut reader, load } = self;
        // One batch is one row group: the engine stores it as it comes.
        reader.batch_size = crate::duckdb::ROW_GROUP;
        let monitor = load.monitor.clone();
        monitor.enter(Stage::Open)?;
        let mut input = CsvInput::new(sources, reader)?.with_monitor(monitor.clone()).with_placeholder();
        if matches!(load.mode, LoadMode::Append | LoadMode::Merge) && load.match_columns == MatchColumns::Name {
            input = input.with_expected_types(table_types(database, &table)?);
        }
        let state = input.summary_handle();
        let replaces = matches!(load.mode, LoadMode::Create | LoadMode::Replace);
        let mut before_commit = |_: &duckdb::Connection, loaded: &Loaded| {
            let read = state.summary();
            let grown = loaded.rows_after - if replaces { 0 } else { loaded.rows_before };
            if loaded.rows != read.rows || loaded.inserted != grown {
                return Err(Error::internal(format!(
                    "{} rows were read, {} arrived, and the table gained {grown}",
                    read.rows, loaded.rows
                )));
            }
            monitor.enter(Stage::Commit)
        };
        let loaded = database.load(&mut input, &table, &load, &mut before_commit)?;
        monitor.enter(Stage::Done)?;
        let read = input.summary();
        Ok(LoadReport {
            table: table.to_string(),
            rows: loaded.rows,
            rejected: read.rejected,
            inserted: loaded.inserted,
            updated: loaded.updated,
            unchanged: loaded.unchanged,
            rows_after: loaded.rows_after,
            read,
            promotions: input.promotions().to_vec(),
            duration: started.elapsed(),
        })
    }
}

/// The types that the table's columns have, so that no value takes a detour through another: `1.50` for a text column
/// stays `1.50`. Types that CSV values cannot have stay out of it.
fn table_types(database: &Database, table: &TableName) -> Result<Vec<(String, ColumnType)>> {
    let columns = database.columns(table)?.unwrap_or_default();
    Ok(columns.into_iter().filter_map(|column| Some((column.name, column.data_type.parse().ok()?))).collect())
}
