//! CSV in, DuckDB, CSV out, streamed through Arrow.
#![deny(missing_docs)]

mod csv;
mod error;
mod job;
mod options;

pub use csv::detect::{LineEnds, Origin, Repair, RepairCount, RepairReport, Repaired, Setting, Sniffed, repair, sniff};
pub use csv::names::{ColumnNames, NameChange, NameReason, column_names};
pub use error::{Cause, Error, ErrorKind, Fault, FaultCode, Location, Result};
pub use job::{CancelGuard, CancelToken, Monitor, Progress, ProgressCallback, Stage};
pub use options::{
    Auto, ColumnOrder, Compression, DEFAULT_BATCH_BYTES, DEFAULT_BATCH_SIZE, DEFAULT_BLOCK_SIZE,
    DEFAULT_MAX_RECORD_BYTES, DecoderChoice, Delimiter, Detect, EncodingErrors, FloatFormat, Header, IfExists, Infer,
    InferQuoted, LongRows, MatchColumns, Newline, NulBytes, OnError, OnTypeChange, PerColumn, QuoteChar, Quoting,
    ReaderOptions, ShortRows, Trim, Unmappable, WriteBom, WriterOptions, from_json as options_from_json,
};
