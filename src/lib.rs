//! CSV in, DuckDB, CSV out, streamed through Arrow.
#![deny(missing_docs)]

mod csv;
mod error;
mod input;
mod ipc;
mod job;
mod options;
mod output;
#[cfg(feature = "parquet")]
mod parquet;

pub use csv::{CsvWriter, CsvWriterBuilder, WriteSummary};
pub use error::{Cause, Error, ErrorKind, Fault, FaultCode, Location, Result};
pub use input::{DEFAULT_SPOOL_CAP, DecidedBy, Encoding, EncodingChoice, Opened, Replay, Source, open as open_input};
pub use ipc::{IpcFormat, IpcOptions, open_ipc, write_ipc};
pub use job::{CancelGuard, CancelToken, Monitor, Progress, ProgressCallback, Stage};
pub use options::{
    Auto, ColumnOrder, Compression, DEFAULT_BATCH_BYTES, DEFAULT_BATCH_SIZE, DEFAULT_BLOCK_SIZE,
    DEFAULT_MAX_RECORD_BYTES, DecoderChoice, Delimiter, Detect, EncodingErrors, FloatFormat, Header, IfExists, Infer,
    InferQuoted, LongRows, MatchColumns, Newline, NulBytes, OnError, OnTypeChange, PerColumn, QuoteChar, Quoting,
    ReaderOptions, ShortRows, Trim, Unmappable, WriteBom, WriterOptions, from_json as options_from_json,
};
pub use output::{Compressor, Landing, Layer, Sink, Transcoder, Unmapped, column_positions};
#[cfg(feature = "parquet")]
pub use parquet::{DEFAULT_ROW_GROUP_SIZE, ParquetCompression, ParquetOptions, open_parquet, write_parquet};
