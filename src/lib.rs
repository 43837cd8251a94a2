//! CSV in, DuckDB, CSV out, streamed through Arrow: every row accounted for, every value unchanged, or you are told.
//!
//! ```text
//!  bytes ──▶ decompress ──▶ transcode ──▶ split ──▶ decode ──▶ RecordBatch stream ──▶ Arrow scan ──▶ DuckDB table
//!
//!  DuckDB table or SQL ──▶ Arrow stream ──▶ sorted columns ──▶ encode ──▶ transcode ──▶ compress ──▶ file
//! ```
//!
//! The narrow waist is Arrow's [`RecordBatchReader`](arrow::array::RecordBatchReader). What stands left of it
//! ([`CsvReader`]) knows nothing of DuckDB, what stands right of it ([`Database`]) nothing of CSV; each half is of use
//! without the other. Memory is bounded by batches, not by input. A load is one transaction, an output file appears when it
//! is complete.
//!
//! Whole runs by one call: [`CsvLoad`], [`CsvExport`], [`CsvConvert`]; as steps of a pipeline: [`Step`], [`Pipeline`].
//!
//! # CSV to Arrow
//!
//! ```
//! use arrow::array::RecordBatchReader;
//! use duckstream::{CsvReaderBuilder, ReaderOptions};
//! let csv = "id;price\n1;2.50\n2;\n";
//! let options = ReaderOptions { delimiter: ";".parse().unwrap(), ..ReaderOptions::default() };
//! let reader = CsvReaderBuilder::new().with_options(options).build(csv.as_bytes())?;
//! assert_eq!(reader.schema().field(1).data_type(), &arrow::datatypes::DataType::Float64);
//! let rows: usize = reader.map(|batch| batch.map(|batch| batch.num_rows())).sum::<Result<_, _>>()?;
//! assert_eq!(rows, 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # CSV to DuckDB and back
//!
#![cfg_attr(feature = "duckdb", doc = "```")]
#![cfg_attr(not(feature = "duckdb"), doc = "```ignore")]
//! use duckstream::{CsvExport, CsvLoad, Database, Query, Source, TableName};
//! let folder = tempfile::tempdir()?;
//! let target = folder.path().join("out.csv.gz");
//! let database = Database::memory()?;
//! let people: TableName = "people".parse()?;
//! let source = Source::reader("people", &b"name,born\nEmmy,1882\nAda,\n"[..]);
//! let report = CsvLoad::new(vec![source], people).run(&database)?;
//! assert_eq!(report.rows, 2);
//! let query = Query::Sql("SELECT * FROM people WHERE born IS NOT NULL".to_owned());
//! assert_eq!(CsvExport::new(query, &target).run(&database)?.rows, 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Adding to it
//!
//! A compression: its magic bytes and decoder in `input/compression.rs`, its encoder in `output/compress.rs`, its name in
//! `options/values.rs`. A format at the waist: a module like `parquet.rs` with a function that opens a file as a
//! `RecordBatchReader` and one that writes one, and a variant of [`OutputOptions`].

#[doc(hidden)]
pub mod bench;
#[cfg(feature = "cli")]
pub mod cli;
mod csv;
mod deferred;
#[cfg(feature = "duckdb")]
mod duckdb;
mod error;
mod input;
mod ipc;
mod job;
mod options;
mod output;
#[cfg(feature = "parquet")]
mod parquet;
mod quality;
#[cfg(feature = "duckdb")]
mod step;
mod transfer;
mod write_back;

pub use csv::detect::{LineEnds, Origin, Repair, RepairCount, RepairReport, Repaired, Setting, Sniffed, repair, sniff};
pub use csv::names::{ColumnNames, NameChange, NameReason, column_names};
pub use csv::{
    ColumnType, CsvInput, CsvReader, CsvReaderBuilder, CsvWriter, CsvWriterBuilder, Detected, FileSummary, Promotion,
    ReadSummary, RejectSink, RowCounts, WriteSummary,
};
pub use deferred::{DeferredBatch, DeferredReader};
#[cfg(feature = "duckdb")]
pub use duckdb::{
    BatchSource, BeforeCommit, Database, DatabaseOptions, LoadOptions, Loaded, OneStream, Query, ROW_GROUP,
    TableColumn, TableName, TableStream,
};
pub use error::{Cause, Error, ErrorKind, Fault, FaultCode, Location, Result};
pub use input::{DEFAULT_SPOOL_CAP, DecidedBy, Encoding, EncodingChoice, Opened, Replay, Source, open as open_input};
pub use ipc::{IpcFormat, IpcOptions, open_ipc, write_ipc};
pub use job::{CancelGuard, CancelToken, Monitor, Progress, ProgressCallback, Stage};
pub use options::{
    Auto, ColumnOrder, Compression, DEFAULT_BATCH_BYTES, DEFAULT_BATCH_SIZE, DEFAULT_BLOCK_SIZE,
    DEFAULT_MAX_RECORD_BYTES, DecoderChoice, Dedup, Delimiter, Detect, EncodingErrors, FloatFormat, Header, IfExists,
    Infer, InferQuoted, LoadMode, LongRows, MatchColumns, Newline, NulBytes, OnError, OnTypeChange, PerColumn,
    QuoteChar, Quoting, ReaderOptions, ShortRows, Trim, Unmappable, WriteBom, WriterOptions,
    from_json as options_from_json,
};
pub use output::{Compressor, Landing, Layer, Sink, Transcoder, Unmapped, column_positions};
#[cfg(feature = "parquet")]
pub use parquet::{DEFAULT_ROW_GROUP_SIZE, ParquetCompression, ParquetOptions, open_parquet, write_parquet};
pub use quality::{
    CheckExample, CheckResult, CodeTally, ColumnReceipt, Decided, FileReceipt, HashTask, Identity, InputReceipt,
    OutputReceipt, RawEncoding, Receipt, RejectFile, RejectReceipt, RejectRecord, RejectTally, RunKind, Severity,
    TargetReceipt, VerifyFinding, VerifyStatus, new_run_id, verify,
};
#[cfg(feature = "duckdb")]
pub use quality::{Checks, RejectTable, validate_checks};
#[cfg(feature = "duckdb")]
pub use step::{
    Context, CsvStreamingExtractor, CsvStreamingWriter, DefaultContext, MetricsLog, ParquetStreamingWriter, Pipeline,
    SqlProcessor, Step, StepRun,
};
pub use transfer::{ConvertReport, CsvConvert, Format, OutputOptions};
#[cfg(feature = "duckdb")]
pub use transfer::{CsvExport, CsvLoad, ExportReport, LoadReport};

/// The README's example is a test.
#[cfg(all(doctest, feature = "duckdb"))]
#[doc = include_str!("../README.md")]
struct Readme;
