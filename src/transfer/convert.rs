//! [`CsvConvert`]: CSV to a file of any format, without a database.
//!
//! In: sources, reader options, [`OutputOptions`]. Out: the file, and a [`ConvertReport`]. When a late value widens a
//! column, the half-written output is dropped and everything starts over; output that cannot be taken back (standard
//! output) fails instead, with the option that helps.

use std::cell::{Cell, RefCell};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use arrow::array::{RecordBatch, RecordBatchReader};
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use serde::Serialize;

use crate::csv::{CsvInput, CsvReader, Promotion, ReadSummary, lock};
use crate::error::{Error, Result};
use crate::input::Source;
use crate::job::{Monitor, Stage};
use crate::options::{ColumnOrder, OnError, ReaderOptions, WriterOptions};
use crate::quality::{RejectFile, new_run_id};
use crate::transfer::as_millis;
use crate::transfer::output::OutputOptions;

/// Converts CSV inputs, as one table, to a file.
///
/// ```
/// use duckstream::{CsvConvert, Source};
/// let target = std::env::temp_dir().join(format!("duckstream-convert-{}.csv", std::process::id()));
/// let sources = vec![Source::reader("input", &b"b;a\n1;x\n"[..])];
/// let options = duckstream::options_from_json(serde_json::json!({"delimiter": ";"}))?;
/// let report = CsvConvert::new(sources, &target).with_reader_options(options).run()?;
/// assert_eq!(report.rows, 1);
/// assert_eq!(std::fs::read_to_string(&target).unwrap(), "b,a\n1,x\n");
/// # std::fs::remove_file(target).unwrap();
/// # Ok::<(), duckstream::Error>(())
/// ```
pub struct CsvConvert {
    sources: Vec<Source>,
    target: PathBuf,
    reader: ReaderOptions,
    output: OutputOptions,
    monitor: Monitor,
}

/// What became of a conversion.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct ConvertReport {
    /// The file, or `-`.
    pub target: String,
    /// Rows written.
    pub rows: u64,
    /// Rows set aside.
    pub rejected: u64,
    /// Bytes that landed.
    pub bytes: u64,
    /// Whether the file existed and was left alone.
    pub skipped: bool,
    /// Each input, and what became of its records.
    pub read: ReadSummary,
    /// Columns that got a wider type after the first batch.
    pub promotions: Vec<Promotion>,
    /// Wall time of the run.
    #[serde(rename = "duration_ms", serialize_with = "as_millis")]
    pub duration: Duration,
}

impl CsvConvert {
    /// A conversion to CSV with the columns as they come, at `target` (`-` is standard output).
    pub fn new(sources: Vec<Source>, target: impl AsRef<Path>) -> CsvConvert {
        let output = WriterOptions { column_order: ColumnOrder::Table, ..WriterOptions::default() };
        CsvConvert {
            sources,
            target: target.as_ref().to_owned(),
            reader: ReaderOptions::default(),
            output: OutputOptions::Csv(output),
            monitor: Monitor::default(),
        }
    }

    /// Reads as these options say.
    pub fn with_reader_options(mut self, options: ReaderOptions) -> Self {
        self.reader = options;
        self
    }

    /// Writes as these options say.
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
    /// Whatever the inputs, the rows or the target object to. The target is as before then.
    pub fn run(self) -> Result<ConvertReport> {
        let started = Instant::now();
        let CsvConvert { sources, target, mut reader, output, monitor } = self;
        monitor.enter(Stage::Open)?;
        // The reader counts the rows; the writer is only to be cancelled.
        let quiet = Monitor::new(monitor.cancel_token().clone(), None);
        // Whoever names a place for rejects wants them there.
        if reader.rejects.is_some() && reader.on_error == OnError::Error {
            reader.on_error = OnError::Reject;
        }
        let rejects = reject_file(reader.rejects.as_deref())?;
        let mut input = CsvInput::new(sources, reader)?.with_monitor(monitor.clone());
        if let Some(rejects) = &rejects {
            input = input.with_rejects(rejects.clone());
        }
        let (summary, read, promotions) = if target == Path::new("-") {
            let state = input.summary_handle();
            let summary = output.write(input.into_reader()?, &target, &quiet)?;
            (summary, state.summary(), Vec::new())
        } else {
            let input = RefCell::new(input);
            let summary = loop {
                let again = Cell::new(false);
                let reader = input.borrow_mut().open()?;
                monitor.enter(Stage::Read)?;
                match output.write(Restartable { reader, input: &input, again: &again }, &target, &quiet) {
                    Err(_) if again.get() => monitor.restart(),
                    done => break done?,
                }
            };
            let input = input.into_inner();
            (summary, input.summary(), input.promotions().to_vec())
        };
        read.check_identity()?;
        if !summary.skipped && summary.rows != read.rows {
            return Err(Error::internal(format!("{} rows were read, but {} were written", read.rows, summary.rows)));
        }
        if let Some(rejects) = &rejects {
            lock(rejects).finish()?;
        }
        monitor.enter(Stage::Done)?;
        Ok(ConvertReport {
            target: target.to_string_lossy().into_owned(),
            rows: summary.rows,
            rejected: read.rejected,
            bytes: summary.bytes,
            skipped: summary.skipped,
            read,
            promotions,
            duration: started.elapsed(),
        })
    }
}

/// The file for rejected rows, if one is asked for.
fn reject_file(target: Option<&str>) -> Result<Option<Arc<Mutex<RejectFile>>>> {
    match target {
        None => Ok(None),
        Some(file) if RejectFile::is_file(file) => {
            Ok(Some(Arc::new(Mutex::new(RejectFile::create(file, new_run_id())?))))
        }
        Some(other) => Err(Error::usage(format!(
            "rejects = '{other}': there is no database to hold a table; name a .jsonl, .csv or .parquet file"
        ))),
    }
}

/// A stream whose early end, to start over with wider types, is an error to the writer: nothing must be completed.
struct Restartable<'a> {
    reader: CsvReader,
    input: &'a RefCell<CsvInput>,
    again: &'a Cell<bool>,
}

impl Iterator for Restartable<'_> {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.reader.next();
        if next.is_none() && self.input.borrow_mut().restart() {
            self.again.set(true);
            return Some(Err(Error::internal("the conversion starts over").into()));
        }
        next
    }
}

impl RecordBatchReader for Restartable<'_> {
    fn schema(&self) -> SchemaRef {
        self.reader.schema()
    }
}
