//! [`CsvExport`]: a table or a query that becomes a file, of CSV or another format, all or nothing.
//!
//! In: a [`Database`], a [`Query`], [`OutputOptions`]. Out: the file, and an [`ExportReport`]. The engine is pulled while
//! earlier rows are encoded and written; memory does not depend on the table.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::duckdb::{Database, Query};
use crate::error::Result;
use crate::job::{Monitor, Stage};
use crate::options::WriterOptions;
use crate::transfer::as_millis;
use crate::transfer::output::OutputOptions;

/// Writes a table, or the result of a query, as CSV or, [by request](CsvExport::with_output), in another format.
///
/// ```
/// use duckstream::{CsvExport, Database, Query};
/// let database = Database::memory()?;
/// let target = std::env::temp_dir().join(format!("duckstream-doc-{}.csv", std::process::id()));
/// let query = Query::Sql("SELECT 1 AS b, 'x' AS a".to_owned());
/// let report = CsvExport::new(query, &target).run(&database)?;
/// assert_eq!(report.rows, 1);
/// assert_eq!(std::fs::read_to_string(&target).unwrap(), "a,b\nx,1\n"); // sorted by name
/// # std::fs::remove_file(target).unwrap();
/// # Ok::<(), duckstream::Error>(())
/// ```
pub struct CsvExport {
    query: Query,
    target: PathBuf,
    output: OutputOptions,
    monitor: Monitor,
}

/// What became of an export.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct ExportReport {
    /// The file, or `-`.
    pub target: String,
    /// Rows written, without the header.
    pub rows: u64,
    /// Bytes that landed, compressed where the output is.
    pub bytes: u64,
    /// Whether the file existed and was left alone, as `if_exists = skip` asks.
    pub skipped: bool,
    /// Wall time of the run.
    #[serde(rename = "duration_ms", serialize_with = "as_millis")]
    pub duration: Duration,
}

impl CsvExport {
    /// An export to a file, or to standard output if `target` is `-`, with the default options.
    pub fn new(query: Query, target: impl AsRef<Path>) -> CsvExport {
        CsvExport {
            query,
            target: target.as_ref().to_owned(),
            output: OutputOptions::Csv(WriterOptions::default()),
            monitor: Monitor::default(),
        }
    }

    /// Writes CSV as these options say.
    pub fn with_options(self, options: WriterOptions) -> Self {
        self.with_output(OutputOptions::Csv(options))
    }

    /// Writes the format that the options are for.
    pub fn with_output(mut self, output: OutputOptions) -> Self {
        self.output = output;
        self
    }

    /// Reports to, and is cancelled by, this monitor.
    pub fn with_monitor(mut self, monitor: Monitor) -> Self {
        self.monitor = monitor;
        self
    }

    /// Does it.
    ///
    /// # Errors
    /// Whatever the database, the options, the encoding or the target object to. The target is as before then.
    pub fn run(self, database: &Database) -> Result<ExportReport> {
        let started = Instant::now();
        let CsvExport { query, target, mut output, monitor } = self;
        monitor.enter(Stage::Open)?;
        // The engine puts the columns in order.
        let order = output.take_column_order();
        let stream = database.query(&query, &order, &monitor)?;
        monitor.enter(Stage::Write)?;
        let summary = output.write_deferred(stream, &target, &monitor)?;
        monitor.enter(Stage::Done)?;
        Ok(ExportReport {
            target: target.to_string_lossy().into_owned(),
            rows: summary.rows,
            bytes: summary.bytes,
            skipped: summary.skipped,
            duration: started.elapsed(),
        })
    }
}
