//! [`CsvExport`]: a table or a query that becomes a CSV file, all or nothing.
//!
//! In: a [`Database`], a [`Query`], [`WriterOptions`]. Out: the file, and an [`ExportReport`]. The engine is pulled while
//! earlier rows are encoded and written; memory does not depend on the table.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::csv::CsvWriterBuilder;
use crate::duckdb::{Database, Query};
use crate::error::Result;
use crate::job::{Monitor, Stage};
use crate::options::{ColumnOrder, WriterOptions};
use crate::transfer::as_millis;

/// Writes a table, or the result of a query, as CSV.
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
    options: WriterOptions,
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
            options: WriterOptions::default(),
            monitor: Monitor::default(),
        }
    }

    /// Writes as these options say.
    pub fn with_options(mut self, options: WriterOptions) -> Self {
        self.options = options;
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
        let CsvExport { query, target, options, monitor } = self;
        monitor.enter(Stage::Open)?;
        // The engine puts the columns in order.
        let order = options.effective_column_order();
        let options = WriterOptions { column_order: ColumnOrder::Table, sort_columns: None, ..options };
        let stream = database.query(&query, &order, &monitor)?;
        let builder = CsvWriterBuilder::new().with_options(options).with_monitor(monitor.clone());
        let mut writer = builder.create(&target)?;
        monitor.enter(Stage::Write)?;
        writer.write_all(stream)?;
        let summary = writer.finish()?;
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
