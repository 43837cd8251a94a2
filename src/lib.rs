//! CSV in, DuckDB, CSV out, streamed through Arrow.

#[cfg(feature = "cli")]
pub mod cli;
mod csv;
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

pub use csv::detect::{LineEnds, Origin, Repair, RepairCount, RepairReport, Repaired, Setting, Sniffed, repair, sniff};
pub use csv::names::{ColumnNames, NameChange, NameReason, column_names};
pub use csv::{
    ColumnType, CsvInput, CsvReader, CsvReaderBuilder, CsvWriter, CsvWriterBuilder, FileSummary, Promotion,
    ReadSummary, RejectSink, RowCounts, WriteSummary,
};
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
