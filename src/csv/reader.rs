//! [`CsvReader`]: CSV text as a stream of Arrow batches.
//!
//! In: items of the [`Pipeline`], in order. Out: batches, and a [`ReadSummary`] of what became of every record. Here the
//! policies live: what is rejected, what fails the run, what ends it early. Line and record numbers become absolute
//! here, because only here everything before is known.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;

use arrow::array::RecordBatchReader;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use serde::Serialize;

use crate::csv::canonical::{RowCounts, RowFault};
use crate::csv::decode::{Located, Widen};
use crate::csv::detect::RepairReport;
use crate::csv::feed::{Detected, FileEnd, FileStart, Note, detected_by_repair};
use crate::csv::locate::ChunkMark;
use crate::csv::pipeline::{Item, Pipeline};
use crate::csv::types::ColumnType;
use crate::error::{Error, ErrorKind, Fault, FaultCode, Location, Result};
use crate::job::Monitor;
use crate::options::{
    Compression, EncodingErrors, LongRows, NulBytes, OnError, OnTypeChange, ReaderOptions, ShortRows,
};

/// Chunks that are still decompressed after a bad row: a checksum behind them may say why it is bad.
const LOOKED_BEHIND: usize = 16;

/// Receives rejected rows.
pub trait RejectSink: Send {
    /// Takes one rejected row. They come in the order of the input.
    ///
    /// # Errors
    /// Fails the run.
    fn reject(&mut self, fault: &Fault) -> Result<()>;

    /// Forgets all rows so far: the input is read again from its start.
    ///
    /// # Errors
    /// Fails the run.
    fn restart(&mut self) -> Result<()>;
}

/// What became of one input.
#[derive(Debug, Clone, Default, Serialize)]
#[non_exhaustive]
pub struct FileSummary {
    /// The file, with its archive member.
    pub source: String,
    /// Records that were read as header.
    pub header_records: u64,
    /// Lines and records skipped by request.
    pub skipped: u64,
    /// Records dropped at the end by request.
    pub footer: u64,
    /// What the decoders counted.
    pub counts: RowCounts,
    /// Everything in the input by the splitter's own count: skipped lines, header, blank lines, comments, rows, footer.
    pub records_seen: u64,
    /// Rows handed on.
    pub rows: u64,
    /// Rows set aside.
    pub rejected: u64,
    /// The encoding, and how it was decided.
    pub encoding: String,
    /// The compression.
    pub compression: String,
    /// Malformed sequences replaced by U+FFFD.
    pub replaced: u64,
    /// Columns of the result that this input lacks.
    pub missing_columns: Vec<String>,
    /// Settings that nobody gave and that were found out, by the names of the options.
    pub detected: BTreeMap<String, Detected>,
    /// What the text says against the options in force, each with the option that helps.
    pub warnings: Vec<String>,
    /// What `detect = all` found and did.
    pub repair: Option<RepairReport>,
}

/// What became of a read.
#[derive(Debug, Clone, Default, Serialize)]
#[non_exhaustive]
pub struct ReadSummary {
    /// Rows handed on.
    pub rows: u64,
    /// Rows set aside.
    pub rejected: u64,
    /// Bytes of decoded text.
    pub text_bytes: u64,
    /// Bytes on disk.
    pub raw_bytes: u64,
    /// Each input.
    pub files: Vec<FileSummary>,
}

impl FileSummary {
    /// Rows that were read together with the last ones wanted, under a limit.
    pub(crate) fn beyond_limit(&self) -> u64 {
        self.counts.records.saturating_sub(self.rows + self.rejected)
    }

    /// What all records became: `records_seen`, if none was lost or invented.
    fn accounted(&self) -> u64 {
        let before_and_after = self.header_records + self.skipped + self.footer;
        before_and_after + self.counts.blank + self.counts.comments + self.counts.records
    }
}

impl ReadSummary {
    /// Whether every record of every input became something, exactly once, and the sums are those of the inputs.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] that names the input and the figures.
    pub(crate) fn check_identity(&self) -> Result<()> {
        for file in &self.files {
            let FileSummary { source, records_seen, rows, rejected, .. } = file;
            let outcome = rows + rejected + file.beyond_limit();
            if *records_seen != file.accounted() || file.counts.records != outcome {
                return Err(Error::internal(format!(
                    "{source}: {records_seen} records were seen, but header, skipped, blank, comments, footer and data are \
                     {}; of {} data records {rows} became rows and {rejected} were rejected",
                    file.accounted(),
                    file.counts.records
                )));
            }
        }
        let sum = |of: fn(&FileSummary) -> u64| self.files.iter().map(of).sum::<u64>();
        match (sum(|file| file.rows), sum(|file| file.rejected)) {
            (rows, rejected) if (rows, rejected) == (self.rows, self.rejected) => Ok(()),
            (rows, rejected) => Err(Error::internal(format!(
                "{} rows and {} rejects in all, but {rows} and {rejected} over the inputs",
                self.rows, self.rejected
            ))),
        }
    }
}

/// A column that got a wider type than the first batch suggested.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct Promotion {
    /// The column.
    pub column: String,
    /// The type so far.
    pub from: String,
    /// The type from now on.
    pub to: String,
    /// The value that did not fit.
    pub value: String,
    /// Where it stands.
    pub at: String,
    /// Its physical line.
    pub line: u64,
}

/// A stream of Arrow batches from CSV text.
///
/// Batches come in the order of the input, at most `batch_size` rows each. Memory: about `threads` + 2 batches of text
/// and as many of decoded rows. After an error the stream is at its end.
///
/// ```
/// use duckstream::CsvReaderBuilder;
/// let csv = "id,name\n1,Ada\n2,\n3,\"\"\n";
/// let mut reader = CsvReaderBuilder::new().build(csv.as_bytes())?;
/// let batch = reader.next().unwrap()?;
/// assert_eq!(batch.num_rows(), 3);
/// assert_eq!(batch.column(1).null_count(), 1); // the bare empty field; `""` is an empty text
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct CsvReader {
    schema: SchemaRef,
    /// None where the input has no columns.
    pipeline: Option<Pipeline<Note>>,
    state: Arc<Mutex<ReadState>>,
    policy: Policy,
    monitor: Monitor,
    rejects: Option<Arc<Mutex<dyn RejectSink>>>,
    left: Option<u64>,
    file: Option<OpenFile>,
    /// Nothing was decoded yet: a type that does not fit is no late change, it was only guessed from a sample.
    first: bool,
}

/// What outlives the stream.
#[derive(Default)]
pub(crate) struct ReadState {
    pub summary: ReadSummary,
    /// Columns to widen before the input is read again.
    pub widen: Vec<(String, ColumnType)>,
    /// Those of this attempt.
    pub promotions: Vec<Promotion>,
    /// Those of the attempts before it.
    pub settled: Vec<Promotion>,
    pub schema: Option<SchemaRef>,
    /// Where rows come from, if somebody may ask: one mark for each chunk with rows.
    pub marks: Option<Vec<ChunkMark>>,
}

/// What the options say about rows that do not fit.
pub(crate) struct Policy {
    options: ReaderOptions,
    /// Whether a misfit may end the stream, so that it can start over.
    restartable: bool,
}

struct OpenFile {
    /// Which input, from 0.
    index: usize,
    start: FileStart,
    summary: FileSummary,
    lines: u64,
    records: u64,
    raw: u64,
}

impl CsvReader {
    pub(crate) fn new(
        schema: SchemaRef,
        pipeline: Option<Pipeline<Note>>,
        state: Arc<Mutex<ReadState>>,
        options: &ReaderOptions,
        restartable: bool,
        monitor: Monitor,
        rejects: Option<Arc<Mutex<dyn RejectSink>>>,
    ) -> CsvReader {
        CsvReader {
            schema,
            pipeline,
            state,
            policy: Policy { options: options.clone(), restartable },
            monitor,
            rejects,
            left: options.limit,
            file: None,
            first: true,
        }
    }

    /// What became of the records so far; of all of them once the stream is at its end.
    pub fn summary(&self) -> ReadSummary {
        lock(&self.state).summary.clone()
    }

    /// Leaves rows out where it would fail: for a pass that only looks at types.
    pub(crate) fn tolerate_rejects(&mut self) {
        let options = &mut self.policy.options;
        options.on_error = OnError::Skip;
        (options.max_rejects, options.max_reject_ratio) = (None, None);
    }

    fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            if self.left == Some(0) {
                self.finish_file(None)?;
                return Ok(None);
            }
            let Some(pipeline) = &mut self.pipeline else { return Ok(None) };
            match pipeline.next().map_err(|error| self.after_rows(error))? {
                None => {
                    self.monitor.tick()?;
                    return self.check_limits(true).map(|()| None);
                }
                Some(Item::Note(Note::Start(start))) => self.start_file(*start),
                Some(Item::Note(Note::End(end))) => self.finish_file(Some(*end))?,
                Some(Item::Decoded { decoded, byte, records, raw }) => {
                    let batch = self.take(decoded, byte, records, raw).map_err(|error| self.damage_behind(error))?;
                    if !lock(&self.state).widen.is_empty() {
                        return Ok(None);
                    }
                    if batch.num_rows() > 0 {
                        return Ok(Some(batch));
                    }
                }
            }
        }
    }

    /// The error of a row, unless a compressed input turns out to be damaged soon behind it: then that is the cause.
    fn damage_behind(&mut self, error: Error) -> Error {
        let packed = self.file.as_ref().is_some_and(|file| file.start.compression != Compression::None);
        if !packed || !error.is_data() {
            return error;
        }
        for _ in 0..LOOKED_BEHIND {
            match self.pipeline.as_mut().map(Pipeline::next) {
                Some(Ok(Some(Item::Decoded { .. }))) => {}
                Some(Err(behind)) if matches!(behind.kind(), ErrorKind::Corrupt { .. }) => {
                    return self.after_rows(behind);
                }
                _ => break,
            }
        }
        error
    }

    /// Tells an error about damaged input how many rows came before it.
    fn after_rows(&self, error: Error) -> Error {
        after_rows(error, self.file.as_ref().map_or(0, |file| file.summary.rows))
    }

    fn take(&mut self, decoded: crate::csv::decode::Decoded, byte: u64, records: u64, raw: u64) -> Result<RecordBatch> {
        let Some(mut file) = self.file.take() else { return Err(Error::internal("a batch came before its file")) };
        let taken = self.take_for(&mut file, decoded, byte, records, raw);
        self.file = Some(file);
        taken
    }

    fn take_for(
        &mut self,
        file: &mut OpenFile,
        decoded: crate::csv::decode::Decoded,
        byte: u64,
        records: u64,
        raw: u64,
    ) -> Result<RecordBatch> {
        let mut rejected = 0;
        let mut widen: Vec<Widen> = decoded.widen;
        widen.sort_by_key(|widen| widen.first.fault.record);
        // The earliest trouble wins, whatever its kind.
        let first_widen = widen.first().map_or(u64::MAX, |widen| widen.first.fault.record);
        for located in &decoded.faults {
            if located.fault.record > first_widen {
                break;
            }
            let fault = self.absolute(file, located, byte);
            match self.policy.of(&fault) {
                OnError::Error => return Err(fault.into()),
                OnError::Reject if first_widen == u64::MAX => {
                    if let Some(rejects) = &self.rejects {
                        lock(rejects).reject(&fault)?;
                    }
                }
                _ => {}
            }
            rejected += 1;
        }
        if !widen.is_empty() {
            return self.widen(file, widen, byte);
        }
        let mut batch = decoded.batch;
        if let Some(left) = &mut self.left {
            let rows = (batch.num_rows() as u64).min(*left);
            batch = batch.slice(0, rows as usize);
            *left -= rows;
        }
        self.first = false;
        let rows = batch.num_rows() as u64;
        let data = decoded.counts.records;
        let expected = decoded.counts.records + decoded.counts.blank + decoded.counts.comments;
        if expected != records {
            return Err(Error::internal(format!(
                "{}: {records} records were seen, but {expected} were decoded",
                file.start.at
            )));
        }
        let mark =
            ChunkMark { file: file.index, byte, seen: records, rows, data, record: file.records, line: file.lines };
        file.summary.counts += decoded.counts;
        file.summary.records_seen += records;
        file.summary.rows += rows;
        file.summary.rejected += rejected;
        file.lines += decoded.lines;
        file.records += decoded.counts.records;
        let raw_step = raw.saturating_sub(file.raw);
        file.raw = raw;
        {
            let mut state = lock(&self.state);
            state.marks.iter_mut().for_each(|marks| marks.push(mark));
            state.summary.rows += rows;
            state.summary.rejected += rejected;
            state.summary.raw_bytes += raw_step;
        }
        self.monitor.add(rows, rejected, raw_step);
        self.check_limits(false)?;
        self.monitor.tick()?;
        Ok(batch)
    }

    /// Ends the stream so that it can start over with wider types, or fails.
    fn widen(&mut self, file: &OpenFile, widen: Vec<Widen>, byte: u64) -> Result<RecordBatch> {
        let mut promotions = Vec::new();
        for Widen { column, to, first } in widen {
            let mut fault = self.absolute(file, &first, byte);
            let column = &file.start.plan.columns[column];
            if !self.policy.restartable {
                fault.hint = Some(format!(
                    "--type {:?} reads the column as {to}; --infer full looks at all rows before it decides",
                    format!("{}={to}", column.name)
                ));
                return Err(fault.into());
            }
            promotions.push(Promotion {
                column: column.name.clone(),
                from: column.column_type.to_string(),
                to: to.to_string(),
                value: fault.value.clone().unwrap_or_default(),
                line: fault.at.line.unwrap_or_default(),
                at: fault.at.to_string(),
            });
            lock(&self.state).widen.push((column.name.clone(), to));
        }
        // A first value in an empty column is no news.
        promotions.retain(|promotion| !self.first && promotion.from != ColumnType::Unknown.to_string());
        lock(&self.state).promotions.extend(promotions);
        if let Some(pipeline) = &mut self.pipeline {
            pipeline.stop();
        }
        Ok(RecordBatch::new_empty(self.schema.clone()))
    }

    fn absolute(&self, file: &OpenFile, located: &Located, byte: u64) -> Fault {
        let RowFault { record, span, column, code, message, value, hint } = located.fault.clone();
        let mut at: Location = file
            .start
            .at
            .clone()
            .with_line(file.lines + located.lines.first + 1)
            .with_record(file.records + record + 1)
            .with_byte(byte + span.start as u64);
        at.column = column.map(|column| file.start.plan.columns[column].name.clone());
        Fault {
            at,
            line_end: file.lines + located.lines.last + 1,
            code,
            message,
            value,
            hint,
            raw: located.raw.clone(),
        }
    }

    fn start_file(&mut self, start: FileStart) {
        let head = &start.head;
        let summary = FileSummary {
            source: start.at.to_string(),
            header_records: head.header_records,
            skipped: head.skipped_lines + head.skipped_records,
            counts: RowCounts { blank: head.blank, comments: head.comments, ..RowCounts::default() },
            records_seen: head.header_records + head.skipped_lines + head.skipped_records + head.blank + head.comments,
            encoding: start.encoding.clone(),
            compression: start.compression.to_string(),
            missing_columns: start.missing.clone(),
            warnings: start.warnings.clone(),
            detected: start.detected.clone(),
            ..FileSummary::default()
        };
        let (lines, records) = (head.lines, head.header_records + head.skipped_records);
        let index = lock(&self.state).summary.files.len();
        self.file = Some(OpenFile { index, start, summary, lines, records, raw: 0 });
    }

    fn finish_file(&mut self, end: Option<FileEnd>) -> Result<()> {
        let Some(mut file) = self.file.take() else { return Ok(()) };
        let counts = file.summary.counts;
        if end.is_some() && counts.records != file.summary.rows + file.summary.rejected {
            return Err(Error::internal(format!(
                "{}: {} records, but {} rows and {} rejects",
                file.start.at, counts.records, file.summary.rows, file.summary.rejected
            )));
        }
        let mut state = lock(&self.state);
        if let Some(end) = end {
            file.summary.footer = end.dropped;
            file.summary.records_seen += end.dropped;
            if file.summary.records_seen != end.records {
                return Err(Error::internal(format!(
                    "{}: the input has {} records, but {} came through",
                    file.start.at, end.records, file.summary.records_seen
                )));
            }
            file.summary.detected.extend(end.repair.iter().flat_map(detected_by_repair));
            file.summary.replaced = end.replaced;
            file.summary.repair = end.repair;
            state.summary.text_bytes += end.text_bytes;
            let rest = end.raw_bytes.saturating_sub(file.raw);
            state.summary.raw_bytes += rest;
            self.monitor.add(0, 0, rest);
        }
        state.summary.files.push(file.summary);
        Ok(())
    }

    fn check_limits(&self, at_end: bool) -> Result<()> {
        let (rows, rejected) = {
            let state = lock(&self.state);
            (state.summary.rows, state.summary.rejected)
        };
        let refuse = |message: String| Err(ErrorKind::Refused { message }.into());
        if let Some(limit) = self.policy.options.max_rejects.filter(|limit| rejected > *limit) {
            return refuse(format!("{rejected} rows were rejected, more than --max-rejects {limit}"));
        }
        if let Some(limit) = self.policy.options.max_reject_ratio {
            let seen = rows + rejected;
            let ratio = rejected as f64 / seen.max(1) as f64;
            // A few rows at the start say nothing about the whole.
            if ratio > limit && (at_end || seen >= self.policy.options.batch_size as u64) {
                return refuse(format!(
                    "{rejected} of {seen} rows were rejected ({:.3} %), more than --max-reject-ratio {limit}",
                    100.0 * ratio
                ));
            }
        }
        Ok(())
    }
}

impl Policy {
    /// What happens to a row with this fault.
    fn of(&self, fault: &Fault) -> OnError {
        let options = &self.options;
        let explicit = match fault.code {
            FaultCode::ShortRow => options.short_rows == ShortRows::Reject,
            FaultCode::LongRow => options.long_rows == LongRows::Reject,
            FaultCode::InvalidEncoding => options.encoding_errors == EncodingErrors::Reject,
            FaultCode::NulByte => options.nul == NulBytes::Reject,
            FaultCode::BadValue => options.on_type_change == OnTypeChange::Reject,
            _ => false,
        };
        match options.on_error {
            OnError::Error if explicit => OnError::Reject,
            other => other,
        }
    }
}

impl Iterator for CsvReader {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.next_batch() {
            Ok(Some(batch)) => Some(Ok(batch)),
            Ok(None) => {
                self.pipeline = None;
                None
            }
            Err(error) => {
                self.pipeline = None;
                Some(Err(error.into()))
            }
        }
    }
}

impl RecordBatchReader for CsvReader {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }
}

/// The error, and if it is about damaged input, how many rows came before it.
pub(crate) fn after_rows(error: Error, so_far: u64) -> Error {
    match error.into_kind() {
        ErrorKind::Corrupt { at, format, compressed_offset, message, .. } => {
            ErrorKind::Corrupt { at, format, compressed_offset, rows: Some(so_far), message }.into()
        }
        other => other.into(),
    }
}

/// A mutex is never left in a bad state here, so a panic elsewhere does not spread.
pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
