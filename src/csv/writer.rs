//! Batches to a CSV file or stream, encoded in parallel and written in order.
//!
//! In: RecordBatches, one at a time or as a stream. Out: CSV in the dialect, encoding and compression of
//! [`WriterOptions`], by way of a [`Sink`], and a [`WriteSummary`]. Refused: batches of another schema than the first, and
//! values that the dialect or the encoding cannot express.
//!
//! Batches are gathered into jobs of some MiB; workers encode jobs, and one thread writes the results in order. The bytes
//! do not depend on how rows were cut into batches or jobs. What fits into one job is encoded without any thread.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch, RecordBatchReader, RecordBatchWriter};
use arrow::datatypes::{DataType, Schema, SchemaRef};
use arrow::error::ArrowError;

use crate::csv::encode::{Buffers, Encoder};
use crate::csv::pool::{Job, Part, Pool, SPARE};
use crate::deferred::{DeferredBatch, DeferredReader};
use crate::error::{Error, Location, Result};
use crate::job::{Monitor, Stage};
use crate::options::{Compression, WriterOptions};
use crate::output::{Sink, Transcoder, column_positions};

/// Rows of a job at most.
const JOB_ROWS: usize = 32 << 10;
/// Bytes of Arrow data in a job at most, unless one row has more.
const JOB_BYTES: usize = 1 << 20;
/// Bytes of Arrow data in all jobs on their way; their text is at most about as long again.
const ALL_JOBS_BYTES: usize = 24 << 20;

/// Makes a [`CsvWriter`].
///
/// ```
/// use std::sync::Arc;
/// use arrow::array::{Int64Array, RecordBatch, StringArray};
/// use duckstream::CsvWriterBuilder;
///
/// let name = StringArray::from(vec![Some("a, b"), Some(""), None]);
/// let id = Int64Array::from(vec![1, 2, 3]);
/// let batch = RecordBatch::try_from_iter([("name", Arc::new(name) as _), ("id", Arc::new(id) as _)]).unwrap();
///
/// let folder = tempfile::tempdir().unwrap();
/// let path = folder.path().join("out.csv");
/// let mut writer = CsvWriterBuilder::new().create(&path)?;
/// writer.write(&batch)?;
/// assert_eq!(writer.finish()?.rows, 3);
/// assert_eq!(std::fs::read_to_string(&path).unwrap(), "id,name\n1,\"a, b\"\n2,\"\"\n3,\n");
/// # Ok::<(), duckstream::Error>(())
/// ```
#[derive(Default, Clone)]
pub struct CsvWriterBuilder {
    options: WriterOptions,
    monitor: Monitor,
    schema: Option<SchemaRef>,
}

impl CsvWriterBuilder {
    /// Default options, nobody watching.
    pub fn new() -> Self {
        Self::default()
    }

    /// How CSV is written. Default: [`WriterOptions::default`], which sorts the columns by name.
    pub fn with_options(mut self, options: WriterOptions) -> Self {
        self.options = options;
        self
    }

    /// Who may cancel, and who is told of the rows that were written. A reader that counts rows into the same monitor
    /// counts them twice: give one of the two a monitor of its own, with the same cancel token.
    pub fn with_monitor(mut self, monitor: Monitor) -> Self {
        self.monitor = monitor;
        self
    }

    /// The schema of the batches, so that a table without rows gets its header. Default: that of the first batch.
    pub fn with_schema(mut self, schema: SchemaRef) -> Self {
        self.schema = Some(schema);
        self
    }

    /// Writes to a file, or to standard output if `path` is `-`, compressed as the options or the file's name say. The
    /// file appears, or replaces an old one, when [`CsvWriter::finish`] is called. Under
    /// [`IfExists::Skip`](crate::IfExists::Skip) an existing file makes a writer that takes everything and writes
    /// nothing; [`CsvWriter::is_skipped`] tells.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) for contradicting options, and what [`Sink::create`] says.
    pub fn create(self, path: impl AsRef<Path>) -> Result<CsvWriter> {
        let path = path.as_ref();
        // Options are checked before anything is touched.
        let encoder = self.encoder()?;
        let compression = match self.options.compression {
            Compression::Auto => Compression::from_name(&path.to_string_lossy()),
            given => given,
        };
        match Sink::create(path, self.options.if_exists)? {
            Some(sink) => {
                let sink = sink.compressed(compression, self.options.compression_level)?;
                self.start(encoder, Some(sink))
            }
            None => self.start(encoder, None),
        }
    }

    /// Writes to anything that takes bytes. It is flushed in [`CsvWriter::finish`], and dropped with the writer.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) for contradicting options.
    pub fn build(self, write: impl Write + Send + 'static) -> Result<CsvWriter> {
        let encoder = self.encoder()?;
        let sink =
            Sink::from_write("output", write).compressed(self.options.compression, self.options.compression_level)?;
        self.start(encoder, Some(sink))
    }

    fn encoder(&self) -> Result<Encoder> {
        self.transcoder()?;
        Encoder::new(&self.options)
    }

    fn transcoder(&self) -> Result<Transcoder> {
        Transcoder::new(&self.options.encoding, self.options.bom, self.options.unmappable)
    }

    fn start(self, encoder: Encoder, sink: Option<Sink>) -> Result<CsvWriter> {
        let threads = match self.options.threads {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            threads => threads,
        };
        let state = match sink {
            None => State::Skipped,
            Some(sink) => State::Waiting(Output {
                sink,
                transcoder: self.transcoder()?,
                encoder: encoder.clone(),
                columns: Arc::new(Schema::empty()),
                header: self.options.header,
                coded: Vec::new(),
                text_bytes: 0,
                monitor: self.monitor.clone(),
            }),
        };
        let mut writer = CsvWriter {
            job_bytes: (ALL_JOBS_BYTES / (threads + SPARE + 3)).clamp(64 << 10, JOB_BYTES),
            options: self.options,
            monitor: self.monitor,
            encoder,
            threads,
            layout: None,
            gathered: Vec::new(),
            gathered_rows: 0,
            gathered_bytes: 0,
            sent_rows: 0,
            state,
        };
        if let Some(schema) = self.schema {
            writer.begin(&schema)?;
        }
        Ok(writer)
    }
}

/// Writes RecordBatches as CSV. Nothing is complete before [`finish`](CsvWriter::finish); a writer that is dropped leaves
/// the old file, if any, as it was.
///
/// NULL is the bare `null_value`; an empty text, or one equal to the `null_value`, is in quotes. In a table of one
/// column a NULL is thus a blank line, unless `null_value` is set. Floats are the shortest text that reads back the same;
/// decimals keep their scale; dates and times are ISO 8601 with a space, fractions without trailing zeros, and times with
/// a zone have an offset (`+00:00` for zones that are not offsets); intervals, binary and nested values are as DuckDB writes
/// them. Years before 0 have a minus, years after 9999 more digits.
///
/// Memory: some batches per thread, about 64 MiB in all, whatever the number of rows.
#[must_use = "nothing appears under the file's name before `finish`"]
pub struct CsvWriter {
    options: WriterOptions,
    monitor: Monitor,
    encoder: Encoder,
    threads: usize,
    job_bytes: usize,
    layout: Option<Layout>,
    gathered: Vec<Part>,
    gathered_rows: usize,
    gathered_bytes: usize,
    /// Rows in jobs that are on their way.
    sent_rows: u64,
    state: State,
}

/// The schema as it comes, and the columns as they are written.
struct Layout {
    schema: SchemaRef,
    positions: Arc<[usize]>,
}

enum State {
    /// The file exists and is left alone.
    Skipped,
    /// No thread yet: perhaps one job is all there is.
    Waiting(Output),
    Running(Pool),
    /// After an error; it has been reported.
    Failed,
}

/// What was written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use]
#[non_exhaustive]
pub struct WriteSummary {
    /// Rows, without the header.
    pub rows: u64,
    /// Bytes that landed, compressed and encoded.
    pub bytes: u64,
    /// Bytes before compression and encoding.
    pub text_bytes: u64,
    /// Characters that the encoding lacks, replaced as `unmappable` says.
    pub replaced: u64,
    /// The file existed and was left alone; all else is zero.
    pub skipped: bool,
}

impl WriteSummary {
    /// For formats that are not text.
    pub(crate) fn of(rows: u64, bytes: u64) -> Self {
        WriteSummary { rows, bytes, text_bytes: bytes, ..WriteSummary::default() }
    }
}

impl CsvWriter {
    /// Whether the file exists and is left alone: there is no need to make batches.
    pub fn is_skipped(&self) -> bool {
        matches!(self.state, State::Skipped)
    }

    /// Writes the rows of a batch. They may still be on their way when this returns.
    ///
    /// # Errors
    /// Any error of the rows written so far: [`ErrorKind::Write`](crate::ErrorKind::Write),
    /// [`ErrorKind::Data`](crate::ErrorKind::Data) for a value that cannot be expressed,
    /// [`ErrorKind::Cancelled`](crate::ErrorKind::Cancelled); [`ErrorKind::Usage`](crate::ErrorKind::Usage) for a batch of another schema.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        self.monitor.tick()?;
        if self.is_skipped() {
            return Ok(());
        }
        self.begin(batch.schema_ref())?;
        self.check_columns(batch.num_rows())?;
        let bytes = self.layout.iter().flat_map(|layout| layout.positions.iter());
        let bytes: usize = bytes.map(|&position| size_of(batch.column(position).as_ref())).sum();
        // Batches larger than a job are cut; smaller ones are gathered.
        let per_row = bytes / batch.num_rows().max(1) + 1;
        let most = (self.job_bytes / per_row).clamp(1, JOB_ROWS);
        let mut from = 0;
        while from < batch.num_rows() {
            let rows = most.min(batch.num_rows() - from);
            self.gather(Part::Ready(batch.slice(from, rows)), rows, rows * per_row)?;
            from += rows;
        }
        Ok(())
    }

    /// Writes the rows of a batch that is still to be made, by the thread that encodes it.
    fn write_deferred(&mut self, batch: DeferredBatch) -> Result<()> {
        self.monitor.tick()?;
        let rows = batch.rows();
        self.check_columns(rows)?;
        // How long it is as Arrow will show; it is about as long as text. Until a text is there, it is a job of its own.
        let per_row = match &self.state {
            State::Running(pool) => pool.bytes_per_row(),
            _ => None,
        };
        self.gather(Part::Deferred(batch), rows, per_row.map_or(self.job_bytes, |per_row| rows * per_row))
    }

    /// Takes rows into the next job; sends the one before, if they do not fit.
    fn gather(&mut self, part: Part, rows: usize, bytes: usize) -> Result<()> {
        if self.gathered_rows > 0
            && (self.gathered_rows + rows > JOB_ROWS || self.gathered_bytes + bytes > self.job_bytes)
        {
            self.send()?;
        }
        self.gathered.push(part);
        self.gathered_rows += rows;
        self.gathered_bytes += bytes;
        Ok(())
    }

    fn check_columns(&self, rows: usize) -> Result<()> {
        match &self.layout {
            Some(layout) if rows > 0 && layout.positions.is_empty() => {
                Err(Error::usage("rows without columns cannot be written as CSV"))
            }
            _ => Ok(()),
        }
    }

    /// Writes all batches of a stream, and returns the number of rows. The stream is asked for the next batch while
    /// earlier ones are being encoded and written.
    ///
    /// # Errors
    /// Those of the stream, and those of [`write`](CsvWriter::write).
    pub fn write_all(&mut self, reader: impl RecordBatchReader) -> Result<u64> {
        if self.is_skipped() {
            return Ok(0);
        }
        self.begin(&reader.schema())?;
        let mut rows = 0;
        for batch in reader {
            let batch = batch.map_err(|error| Error::arrow("reading the rows to write", error))?;
            rows += batch.num_rows() as u64;
            self.write(&batch)?;
        }
        Ok(rows)
    }

    /// [`write_all`](CsvWriter::write_all), for a stream whose batches the encoding threads can make.
    ///
    /// # Errors
    /// As [`write_all`](CsvWriter::write_all).
    pub fn write_all_deferred(&mut self, mut reader: impl DeferredReader) -> Result<u64> {
        if self.is_skipped() {
            return Ok(0);
        }
        self.begin(&reader.schema())?;
        let mut rows = 0;
        while let Some(batch) = reader.next_deferred()? {
            rows += batch.rows() as u64;
            self.write_deferred(batch)?;
        }
        Ok(rows)
    }

    /// Waits until all is written, and gives the file its name.
    ///
    /// # Errors
    /// Those of [`write`](CsvWriter::write), and those of [`Sink::finish`].
    pub fn finish(mut self) -> Result<WriteSummary> {
        let output = match std::mem::replace(&mut self.state, State::Failed) {
            State::Skipped => return Ok(WriteSummary { skipped: true, ..WriteSummary::default() }),
            State::Failed => return Err(failed_before()),
            State::Waiting(mut output) => {
                let job = self.job();
                let text = job.encode(&self.encoder, output.sink.name(), &mut Buffers::default(), Vec::new())?;
                output.write(&text, 1, self.sent_rows)?;
                output
            }
            State::Running(pool) => {
                self.state = State::Running(pool);
                self.send()?;
                match std::mem::replace(&mut self.state, State::Failed) {
                    State::Running(pool) => pool.finish()?,
                    _ => return Err(failed_before()),
                }
            }
        };
        self.monitor.cancel_token().check()?;
        self.monitor.enter(Stage::Commit)?;
        let (text_bytes, replaced) = (output.text_bytes, output.transcoder.replaced());
        let bytes = output.finish()?;
        Ok(WriteSummary { rows: self.sent_rows, bytes, text_bytes, replaced, skipped: false })
    }

    /// Takes the schema, once, and writes the header; later, checks that it is still the same.
    fn begin(&mut self, schema: &SchemaRef) -> Result<()> {
        if let Some(layout) = &self.layout {
            return if Arc::ptr_eq(&layout.schema, schema) || same_columns(&layout.schema, schema) {
                Ok(())
            } else {
                Err(Error::usage(format!(
                    "a batch has other columns than the first:\n  first: {}\n  now:   {}",
                    describe(&layout.schema),
                    describe(schema)
                )))
            };
        }
        self.monitor.enter(Stage::Write)?;
        let positions = column_positions(schema, &self.options.effective_column_order())?;
        let columns = schema.project(&positions).map_err(|error| Error::arrow("ordering columns", error))?;
        self.layout = Some(Layout { schema: Arc::clone(schema), positions: positions.into() });
        if let State::Waiting(output) = &mut self.state {
            output.columns = Arc::new(columns);
            if self.options.header && !output.columns.fields().is_empty() {
                let mut text = Vec::new();
                self.encoder.header(&output.columns, output.sink.name(), &mut text)?;
                output.write(&text, 0, 0)?;
            }
        }
        Ok(())
    }

    /// Sends what was gathered to the workers.
    fn send(&mut self) -> Result<()> {
        let pool = match std::mem::replace(&mut self.state, State::Failed) {
            State::Waiting(output) => Pool::start(self.threads, self.encoder.clone(), output)?,
            State::Running(pool) => pool,
            State::Skipped | State::Failed => return Err(failed_before()),
        };
        self.state = State::Running(pool.send(self.job())?);
        Ok(())
    }

    /// What was gathered, as the next job.
    fn job(&mut self) -> Job {
        let positions = self.layout.as_ref().map_or_else(Arc::default, |layout| Arc::clone(&layout.positions));
        let (parts, rows) = (std::mem::take(&mut self.gathered), std::mem::take(&mut self.gathered_rows));
        let job = Job { parts, positions, rows, first: self.sent_rows + 1 };
        self.gathered_bytes = 0;
        self.sent_rows += rows as u64;
        job
    }
}

impl RecordBatchWriter for CsvWriter {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), ArrowError> {
        CsvWriter::write(self, batch).map_err(ArrowError::from)
    }

    fn close(self) -> Result<(), ArrowError> {
        self.finish().map(drop).map_err(ArrowError::from)
    }
}

/// The last stage: text in order, to the encoding and into the sink.
pub(super) struct Output {
    pub sink: Sink,
    transcoder: Transcoder,
    encoder: Encoder,
    columns: SchemaRef,
    header: bool,
    coded: Vec<u8>,
    text_bytes: u64,
    monitor: Monitor,
}

impl Output {
    /// Writes some rows, the first of which has the number `first` (0: the header).
    pub fn write(&mut self, text: &[u8], first: u64, rows: u64) -> Result<()> {
        const MARK: &[u8] = "\u{feff}".as_bytes();
        let Output { sink, transcoder, coded, .. } = self;
        let bytes = if transcoder.is_passthrough() {
            // A reader would take the text's own first character for a mark; it only takes one.
            if self.text_bytes == 0 && text.starts_with(MARK) {
                sink.write_all(MARK).map_err(|source| Error::write(sink.name(), source))?;
            }
            text
        } else {
            let valid = simdutf8::basic::from_utf8(text).map_err(|error| Error::internal(error.to_string()))?;
            coded.clear();
            let (encoder, columns, target, header) = (&self.encoder, &self.columns, sink.name(), self.header);
            transcoder.encode(valid, coded).map_err(|unmapped| {
                unmapped.into_error(|byte| {
                    let (row, column) = encoder.locate(&text[..byte.min(text.len())]);
                    let name = columns.fields().get(column).map_or("", |field| field.name());
                    let record = if first == 0 { 1 } else { first + row + u64::from(header) };
                    Location::new(target).with_record(record).with_column(name)
                })
            })?;
            coded
        };
        sink.write_all(bytes).map_err(|source| Error::write(sink.name(), source))?;
        self.text_bytes += text.len() as u64;
        self.monitor.add(rows, 0, 0);
        self.monitor.tick()
    }

    fn finish(mut self) -> Result<u64> {
        self.coded.clear();
        self.transcoder.finish(&mut self.coded);
        self.sink.write_all(&self.coded).map_err(|source| Error::write(self.sink.name(), source))?;
        self.sink.finish()
    }
}

fn failed_before() -> Error {
    Error::usage("the writer has failed before; what it wrote is gone")
}

fn same_columns(first: &Schema, other: &Schema) -> bool {
    first.fields().len() == other.fields().len()
        && first
            .fields()
            .iter()
            .zip(other.fields())
            .all(|(a, b)| a.name() == b.name() && a.data_type() == b.data_type())
}

fn describe(schema: &Schema) -> String {
    let columns = schema.fields().iter().map(|field| format!("{} {}", field.name(), field.data_type()));
    columns.collect::<Vec<_>>().join(", ")
}

/// Bytes of the array's own rows, though it may share its buffers with a larger one; values that several rows share count
/// for each of them, as in the text.
fn size_of(array: &dyn Array) -> usize {
    let shared = |values: &dyn Array| size_of(values) / values.len().max(1) * array.len();
    // The length is the low half of a view.
    let views = |views: &[u128]| views.iter().map(|view| 16 + *view as u32 as usize).sum();
    match array.data_type() {
        DataType::Dictionary(_, _) => shared(array.as_any_dictionary().values()),
        DataType::Utf8View => views(array.as_string_view().views()),
        DataType::BinaryView => views(array.as_binary_view().views()),
        _ => array.to_data().get_slice_memory_size().unwrap_or_else(|_| array.get_array_memory_size()),
    }
}
