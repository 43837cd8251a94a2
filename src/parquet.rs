//! Parquet at the waist: a file to a stream of RecordBatches, and a stream to a file.
//!
//! In: a path, or any `RecordBatchReader`. Out: batches, or a file that appears when it is complete, as every output does.
//! Columns are encoded in parallel, while the source makes the next rows. The bytes depend neither on the number of
//! threads nor on how the rows were cut into batches.

use std::fs::File;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Instant;

use arrow::array::{RecordBatch, RecordBatchReader};
use arrow::compute::BatchCoalescer;
use arrow::datatypes::SchemaRef;
use crossbeam_channel::{Receiver, Sender, bounded};
use parquet::arrow::ArrowSchemaConverter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::arrow::arrow_writer::{
    ArrowColumnChunk, ArrowColumnWriter, ArrowRowGroupWriterFactory, ArrowWriterOptions, compute_leaves,
};
use parquet::basic::{Compression as Codec, GzipLevel, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use serde::{Deserialize, Serialize};

use crate::csv::WriteSummary;
use crate::error::{Error, Location, Result};
use crate::job::{Monitor, Stage};
use crate::options::{ColumnOrder, IfExists};
use crate::output::{Sink, column_positions};

/// Rows of a row group by default: as many as DuckDB's own.
pub const DEFAULT_ROW_GROUP_SIZE: usize = 122_880;

/// Rows that are encoded in one go, whatever the batches.
const PIECE_ROWS: usize = 4_096;

/// Bytes of Arrow data after which a row group is complete, though it has fewer rows.
const GROUP_BYTES: usize = 64 << 20;

/// Batches that wait for one encoding thread at most.
const QUEUE: usize = 4;

/// How the pages of a Parquet file are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ParquetCompression {
    /// Snappy.
    #[default]
    Snappy,
    /// Zstandard.
    Zstd,
    /// gzip.
    #[serde(alias = "gz")]
    Gzip,
    /// None.
    #[serde(alias = "uncompressed")]
    None,
}

impl FromStr for ParquetCompression {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let name = serde::de::value::StrDeserializer::<serde::de::value::Error>::new(text);
        Self::deserialize(name).map_err(|_| format!("'{text}' is none of snappy, zstd, gzip, none"))
    }
}

/// How Parquet is written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ParquetOptions {
    /// The compression of the pages. Default snappy.
    pub compression: ParquetCompression,
    /// The level of zstd or gzip. Default the format's own.
    pub compression_level: Option<u32>,
    /// Rows of a row group; very wide rows make shorter ones. Default 122,880.
    pub row_group_size: usize,
    /// The order of columns. Default sorted by name.
    pub column_order: ColumnOrder,
    /// What happens when the output exists. Default: it is replaced when the new one is complete.
    pub if_exists: IfExists,
    /// Encoding threads; 0 is one per core. Default 0.
    #[serde(alias = "jobs")]
    pub threads: usize,
}

impl Default for ParquetOptions {
    fn default() -> Self {
        ParquetOptions {
            compression: ParquetCompression::Snappy,
            compression_level: None,
            row_group_size: DEFAULT_ROW_GROUP_SIZE,
            column_order: ColumnOrder::Sorted,
            if_exists: IfExists::Replace,
            threads: 0,
        }
    }
}

impl ParquetOptions {
    fn codec(&self) -> Result<Codec> {
        let wrong = |error: ParquetError| Error::usage(format!("compression_level: {error}"));
        match (self.compression, self.compression_level) {
            (ParquetCompression::Zstd, Some(level)) => {
                let level = i32::try_from(level).unwrap_or(i32::MAX);
                Ok(Codec::ZSTD(ZstdLevel::try_new(level).map_err(wrong)?))
            }
            (ParquetCompression::Gzip, Some(level)) => Ok(Codec::GZIP(GzipLevel::try_new(level).map_err(wrong)?)),
            (ParquetCompression::Zstd, None) => Ok(Codec::ZSTD(ZstdLevel::default())),
            (ParquetCompression::Gzip, None) => Ok(Codec::GZIP(GzipLevel::default())),
            (other, Some(_)) => Err(Error::usage(format!("compression_level: {other:?} has no levels"))),
            (ParquetCompression::Snappy, None) => Ok(Codec::SNAPPY),
            (ParquetCompression::None, None) => Ok(Codec::UNCOMPRESSED),
        }
    }
}

/// Opens a Parquet file as a stream of batches of `batch_size` rows, in file order.
///
/// # Errors
/// [`ErrorKind::Read`](crate::ErrorKind::Read) if it cannot be opened, [`ErrorKind::Arrow`](crate::ErrorKind::Arrow) if it
/// is not Parquet.
pub fn open_parquet(path: impl AsRef<Path>, batch_size: usize) -> Result<impl RecordBatchReader + Send + 'static> {
    let name = path.as_ref().display().to_string();
    let file =
        File::open(&path).map_err(|source| crate::error::ErrorKind::Read { at: Location::new(&name), source })?;
    ParquetRecordBatchReaderBuilder::try_new(file)
        .and_then(|builder| builder.with_batch_size(batch_size.max(1)).build())
        .map_err(|error| failed(&format!("reading {name}"), error))
}

/// Writes a stream of batches to a Parquet file, or to standard output if `path` is `-`. The rows are counted in
/// `monitor`. Memory: the encoded pages of one row group, and some batches per thread.
///
/// ```
/// use std::sync::Arc;
/// use arrow::array::{Int64Array, RecordBatch, RecordBatchIterator};
/// use duckstream::{Monitor, ParquetOptions, open_parquet, write_parquet};
/// let batch = RecordBatch::try_from_iter([("n", Arc::new(Int64Array::from(vec![1, 2])) as _)]).unwrap();
/// let rows = RecordBatchIterator::new([Ok(batch.clone())], batch.schema());
/// let folder = tempfile::tempdir().unwrap();
/// let path = folder.path().join("n.parquet");
/// assert_eq!(write_parquet(rows, &path, &ParquetOptions::default(), &Monitor::default())?.rows, 2);
/// assert_eq!(open_parquet(&path, 1024)?.next().unwrap().unwrap(), batch);
/// # Ok::<(), duckstream::Error>(())
/// ```
///
/// # Errors
/// Those of the stream and of [`Sink`], [`ErrorKind::Arrow`](crate::ErrorKind::Arrow) for types that Parquet does not
/// have, [`ErrorKind::Usage`](crate::ErrorKind::Usage) for options that make no sense.
pub fn write_parquet(
    reader: impl RecordBatchReader,
    path: impl AsRef<Path>,
    options: &ParquetOptions,
    monitor: &Monitor,
) -> Result<WriteSummary> {
    if options.row_group_size == 0 {
        return Err(Error::usage("row_group_size: a row group has at least one row"));
    }
    let positions = column_positions(&reader.schema(), &options.column_order)?;
    let schema = reader.schema().project(&positions).map_err(|error| Error::arrow("ordering columns", error))?;
    let schema: SchemaRef = Arc::new(schema);
    let codec = options.codec()?;
    let Some(mut sink) = Sink::create(path, options.if_exists)? else {
        return Ok(WriteSummary { skipped: true, ..WriteSummary::default() });
    };
    let target = sink.name().to_owned();
    let lost = |error| write_failed(&target, error);
    let mut file = start_file(&mut sink, &schema, codec).map_err(lost)?;
    let columns = ArrowRowGroupWriterFactory::new(&file, Arc::clone(&schema));
    let leaves = Leaves::of(&file, &schema);
    let threads = match options.threads {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        threads => threads,
    };
    let mut rows = 0;
    std::thread::scope(|scope| {
        let mut crew = Crew { workers: Vec::new(), shares: Vec::new() };
        let mut group = Group::default();
        let mut pieces = BatchCoalescer::new(Arc::clone(&schema), PIECE_ROWS);
        let mut end = |group: &mut Group, crew: &mut Crew| -> Result<()> {
            let columns = crew.finish().map_err(lost)?;
            let mut out = file.next_row_group().map_err(lost)?;
            let costs: Vec<u64> = columns.iter().map(|column| column.nanoseconds).collect();
            crew.shares = share(&costs, threads);
            for chunk in columns.into_iter().flat_map(|column| column.chunks) {
                chunk.append_to_row_group(&mut out).map_err(lost)?;
            }
            out.close().map_err(lost)?;
            monitor.add(group.rows as u64, 0, 0);
            *group = Group { number: group.number + 1, ..Group::default() };
            monitor.tick()
        };
        let mut take = |mut piece: RecordBatch| -> Result<()> {
            rows += piece.num_rows() as u64;
            while piece.num_rows() > 0 {
                if crew.shares.is_empty() {
                    // For want of anything better, the first row group's work goes by size.
                    let sizes = piece.columns().iter().map(|array| array.get_array_memory_size() as u64);
                    crew.shares = share(&sizes.collect::<Vec<_>>(), threads);
                    crew.workers = crew.shares.iter().map(|_| Worker::start(scope, &schema)).collect();
                }
                if group.rows == 0 {
                    let writers = columns.create_column_writers(group.number).map_err(lost)?;
                    crew.begin(leaves.split(writers))?;
                }
                let part = piece.slice(0, piece.num_rows().min(options.row_group_size - group.rows));
                piece = piece.slice(part.num_rows(), piece.num_rows() - part.num_rows());
                group.rows += part.num_rows();
                group.bytes += size_of(&part);
                crew.write(part)?;
                if group.rows == options.row_group_size || group.bytes >= GROUP_BYTES {
                    end(&mut group, &mut crew)?;
                }
            }
            Ok(())
        };
        let gathering = |error| Error::arrow("gathering rows", error);
        for batch in reader {
            monitor.tick()?;
            let batch = batch
                .and_then(|batch| batch.project(&positions)?.with_schema(Arc::clone(&schema)))
                .map_err(|error| Error::arrow("reading the rows to write", error))?;
            pieces.push_batch(batch).map_err(gathering)?;
            while let Some(piece) = pieces.next_completed_batch() {
                take(piece)?;
            }
        }
        pieces.finish_buffered_batch().map_err(gathering)?;
        while let Some(piece) = pieces.next_completed_batch() {
            take(piece)?;
        }
        if group.rows > 0 {
            end(&mut group, &mut crew)?;
        }
        Ok::<(), Error>(())
    })?;
    monitor.cancel_token().check()?;
    monitor.enter(Stage::Commit)?;
    file.close().map_err(lost)?;
    let bytes = sink.finish()?;
    Ok(WriteSummary::of(rows, bytes))
}

fn start_file<'a>(
    sink: &'a mut Sink,
    schema: &SchemaRef,
    codec: Codec,
) -> Result<SerializedFileWriter<&'a mut Sink>, ParquetError> {
    let properties = WriterProperties::builder().set_compression(codec).build();
    // The Arrow schema travels along, so that types which Parquet lacks come back as they were.
    let columns = ArrowSchemaConverter::new().with_coerce_types(properties.coerce_types()).convert(schema)?;
    let options = ArrowWriterOptions::new().with_properties(properties).with_parquet_schema(columns);
    let writer = parquet::arrow::ArrowWriter::try_new_with_options(sink, Arc::clone(schema), options)?;
    Ok(writer.into_serialized_writer()?.0)
}

/// The row group in hand.
#[derive(Default)]
struct Group {
    number: usize,
    rows: usize,
    bytes: usize,
}

/// How many Parquet columns each column of the batches becomes: a struct is several.
struct Leaves(Vec<usize>);

impl Leaves {
    fn of(file: &SerializedFileWriter<&mut Sink>, schema: &SchemaRef) -> Self {
        let mut counts = vec![0; schema.fields().len()];
        let columns = file.schema_descr();
        for leaf in 0..columns.num_columns() {
            counts[columns.get_column_root_idx(leaf)] += 1;
        }
        Leaves(counts)
    }

    fn split(&self, writers: Vec<ArrowColumnWriter>) -> Vec<Vec<ArrowColumnWriter>> {
        let mut writers = writers.into_iter();
        self.0.iter().map(|count| writers.by_ref().take(*count).collect()).collect()
    }
}

/// Which columns each thread encodes: the next costliest goes to whoever has least.
fn share(costs: &[u64], threads: usize) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..costs.len()).collect();
    order.sort_by_key(|column| std::cmp::Reverse(costs[*column]));
    let mut shares = vec![(0, Vec::new()); threads.clamp(1, costs.len().max(1))];
    for column in order {
        if let Some((load, columns)) = shares.iter_mut().min_by_key(|(load, _)| *load) {
            *load += costs[column];
            columns.push(column);
        }
    }
    shares.into_iter().map(|(_, columns)| columns).collect()
}

/// One column of a row group, encoded, and what that took.
struct Encoded {
    column: usize,
    chunks: Vec<ArrowColumnChunk>,
    nanoseconds: u64,
}

/// One column of a row group that is being encoded.
struct Encoding {
    column: usize,
    writers: Vec<ArrowColumnWriter>,
    nanoseconds: u64,
}

impl Encoding {
    fn write(&mut self, rows: &RecordBatch, schema: &SchemaRef) -> Result<(), ParquetError> {
        let start = Instant::now();
        let leaves = compute_leaves(schema.field(self.column), rows.column(self.column))?;
        self.writers.iter_mut().zip(leaves).try_for_each(|(writer, leaf)| writer.write(&leaf))?;
        self.nanoseconds += start.elapsed().as_nanos() as u64;
        Ok(())
    }

    fn close(self) -> Result<Encoded, ParquetError> {
        let start = Instant::now();
        let chunks = self.writers.into_iter().map(ArrowColumnWriter::close).collect::<Result<_, _>>()?;
        let nanoseconds = self.nanoseconds + start.elapsed().as_nanos() as u64;
        Ok(Encoded { column: self.column, chunks, nanoseconds })
    }
}

enum Message {
    /// A row group begins: the columns and their writers.
    Begin(Vec<Encoding>),
    Rows(RecordBatch),
    /// It ends: the encoded columns are wanted.
    End(Sender<Result<Vec<Encoded>, ParquetError>>),
}

/// One encoding thread, seen from outside.
struct Worker(Sender<Message>);

impl Worker {
    fn start<'scope>(scope: &'scope std::thread::Scope<'scope, '_>, schema: &'scope SchemaRef) -> Self {
        let (messages, inbox) = bounded(QUEUE);
        scope.spawn(move || encode(&inbox, schema));
        Worker(messages)
    }
}

fn encode(inbox: &Receiver<Message>, schema: &SchemaRef) {
    let mut columns = Vec::new();
    let mut failure = None;
    for message in inbox {
        match message {
            Message::Begin(next) => columns = next,
            Message::Rows(rows) if failure.is_none() => {
                failure = columns.iter_mut().try_for_each(|column| column.write(&rows, schema)).err();
            }
            Message::Rows(_) => {}
            Message::End(reply) => {
                let encoded = match failure.take() {
                    Some(failure) => Err(failure),
                    None => std::mem::take(&mut columns).into_iter().map(Encoding::close).collect(),
                };
                // Nobody takes it if another column has failed.
                let _ = reply.send(encoded);
            }
        }
    }
}

/// All encoding threads. They end when it is dropped.
struct Crew {
    workers: Vec<Worker>,
    shares: Vec<Vec<usize>>,
}

impl Crew {
    fn send(&self, message: impl Fn(&[usize]) -> Message) -> Result<()> {
        self.workers.iter().zip(&self.shares).try_for_each(|(worker, share)| {
            worker.0.send(message(share)).map_err(|_| Error::internal("an encoding thread ended early"))
        })
    }

    fn begin(&self, writers: Vec<Vec<ArrowColumnWriter>>) -> Result<()> {
        let mut writers: Vec<Option<Vec<ArrowColumnWriter>>> = writers.into_iter().map(Some).collect();
        for (worker, share) in self.workers.iter().zip(&self.shares) {
            let mine = |&column| Some(Encoding { column, writers: writers[column].take()?, nanoseconds: 0 });
            let mine = share.iter().filter_map(mine).collect();
            worker.0.send(Message::Begin(mine)).map_err(|_| Error::internal("an encoding thread ended early"))?;
        }
        Ok(())
    }

    fn write(&self, rows: RecordBatch) -> Result<()> {
        self.send(|_| Message::Rows(rows.clone()))
    }

    /// The encoded columns of the row group, in the order of the file.
    fn finish(&self) -> Result<Vec<Encoded>, ParquetError> {
        let ended = || ParquetError::General("an encoding thread ended early".to_owned());
        let (reply, replies) = bounded(self.workers.len());
        self.send(|_| Message::End(reply.clone())).map_err(|_| ended())?;
        drop(reply);
        let mut all = Vec::new();
        for _ in &self.workers {
            all.extend(replies.recv().map_err(|_| ended())??);
        }
        all.sort_by_key(|encoded| encoded.column);
        Ok(all)
    }
}

fn size_of(batch: &RecordBatch) -> usize {
    let size = |array: &arrow::array::ArrayRef| array.to_data().get_slice_memory_size().unwrap_or(0);
    batch.columns().iter().map(size).sum()
}

fn failed(doing: &str, error: ParquetError) -> Error {
    crate::error::ErrorKind::Arrow { doing: doing.to_owned(), source: error.into() }.into()
}

/// An error while writing: the system's, if it is one.
fn write_failed(target: &str, error: ParquetError) -> Error {
    match error {
        ParquetError::External(source) => match source.downcast::<std::io::Error>() {
            Ok(source) => Error::write(target, *source),
            Err(source) => failed(&format!("writing {target}"), ParquetError::External(source)),
        },
        other => failed(&format!("writing {target}"), other),
    }
}
