//! What can go wrong, typed.
//!
//! In: causes from every layer. Out: [`Error`], one word wide, whose [`ErrorKind`] says what happened and
//! whose [`Location`] says where: file, archive member, line, record, column, byte. Each message ends with
//! the option that helps, where there is one. This module prints nothing and decides no exit code.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::path::PathBuf;

use arrow::error::ArrowError;

/// The result of every fallible call in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Any cause from another library, kept as the [`source`](StdError::source) of ours.
pub type Cause = Box<dyn StdError + Send + Sync + 'static>;

/// An error of duckstream. One word wide; look at [`Error::kind`] to tell causes apart.
pub struct Error(Box<ErrorKind>);

/// What happened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The caller asked for something that makes no sense: an unknown option, two that exclude each other.
    #[error("{message}")]
    Usage {
        /// What is wrong and what would be right.
        message: String,
    },
    /// The input is not there.
    #[error("CSV file not found: {}", path.display())]
    NotFound {
        /// The path as it was given.
        path: PathBuf,
    },
    /// The operating system failed to deliver the input.
    #[error("{at}: cannot read: {source}")]
    Read {
        /// Where in the input.
        at: Location,
        /// The system's error.
        source: io::Error,
    },
    /// A compressed stream or archive is truncated or damaged.
    #[error(
        "{at}: {format} data is damaged or cut short at compressed byte {compressed_offset}{}: {message}",
        after_rows(*rows)
    )]
    Corrupt {
        /// Where in the input.
        at: Location,
        /// The format: `gzip`, `zip`, …
        format: &'static str,
        /// Offset in the compressed input up to which bytes had been taken.
        compressed_offset: u64,
        /// Rows of this input that had been read by then; `None` where nothing reads rows.
        rows: Option<u64>,
        /// What the decompressor said.
        message: String,
    },
    /// Bytes that are not valid in the input's encoding.
    #[error(
        "{at}: bytes {} are not valid {encoding}; name another encoding with --encoding, or use --encoding-errors replace",
        hex(bytes)
    )]
    Undecodable {
        /// Where in the input.
        at: Location,
        /// The encoding in force.
        encoding: String,
        /// The offending bytes.
        bytes: Vec<u8>,
    },
    /// A row or value that the options in force do not admit.
    #[error("{0}")]
    Data(Fault),
    /// The data as a whole failed: a limit on rejects, a check, the row identity.
    #[error("{message}")]
    Refused {
        /// Which rule, the figures, and the option that moves it.
        message: String,
    },
    /// The target is in the way or does not accept the data: it exists, is locked, has a constraint.
    #[error("{message}")]
    Target {
        /// What stands in the way and the option that helps.
        message: String,
        /// The cause, where another library reported it.
        source: Option<Cause>,
    },
    /// Output could not be written.
    #[error("cannot write {target}: {source}")]
    Write {
        /// The file or stream.
        target: String,
        /// The system's error.
        source: io::Error,
    },
    /// DuckDB failed at something.
    #[error("{doing}: {source}")]
    Engine {
        /// What was being done, in words.
        doing: String,
        /// DuckDB's error.
        source: Cause,
    },
    /// Arrow (or Parquet, or IPC) failed at something.
    #[error("{doing}: {source}")]
    Arrow {
        /// What was being done, in words.
        doing: String,
        /// The library's error.
        source: Cause,
    },
    /// A pipeline step failed.
    #[error("Step {step}: {source}")]
    Step {
        /// The step's id.
        step: String,
        /// Why.
        source: Error,
    },
    /// The caller cancelled the run; nothing of it is left.
    #[error("cancelled")]
    Cancelled,
    /// A promise of ours was broken: a worker panicked, counts do not add up. Please report it.
    #[error("internal error: {message}")]
    Internal {
        /// What was found.
        message: String,
    },
}

/// A place in the input. Lines are physical lines, records are logical rows; both count from 1.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Location {
    /// The file, `-` for standard input, or the name given to a reader.
    pub source: String,
    /// The member of an archive.
    pub member: Option<String>,
    /// Physical line, from 1.
    pub line: Option<u64>,
    /// Record, from 1; the header is record 1 where there is one.
    pub record: Option<u64>,
    /// Column name.
    pub column: Option<String>,
    /// Byte offset in the decoded (UTF-8) text, from 0.
    pub byte: Option<u64>,
}

/// Why a row or a value was not accepted. The names are stable: they appear in reject files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FaultCode {
    /// Fewer fields than columns.
    ShortRow,
    /// More fields than columns.
    LongRow,
    /// The text does not parse as the column's type.
    BadValue,
    /// A quote was opened and the input ended.
    UnclosedQuote,
    /// Text after a closing quote, before the delimiter.
    StrayQuote,
    /// The record is longer than `max_record_bytes`.
    RecordTooLarge,
    /// A NUL byte, under `nul = reject`.
    NulByte,
    /// Text that is not valid in the encoding.
    InvalidEncoding,
    /// The target refused the row: NOT NULL, CHECK, UNIQUE, a key.
    Constraint,
    /// A check with severity `reject` failed.
    Check,
    /// A character that the output's encoding lacks, under `unmappable = error`.
    Unmappable,
}

/// One row or value that was not accepted: the whole story, for an error or for a reject file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where the record starts, and the column if it is a value.
    pub at: Location,
    /// Physical line on which the record ends.
    pub line_end: u64,
    /// What is wrong.
    pub code: FaultCode,
    /// What is wrong, in words, without the place.
    pub message: String,
    /// The offending value, as it stands in the file.
    pub value: Option<String>,
    /// The option that helps, ready to paste.
    pub hint: Option<String>,
    /// The complete bytes of the record, without its line end.
    pub raw: Vec<u8>,
}

impl FaultCode {
    /// The stable name: `short_row`, `bad_value`, …
    pub fn name(self) -> &'static str {
        match self {
            FaultCode::ShortRow => "short_row",
            FaultCode::LongRow => "long_row",
            FaultCode::BadValue => "bad_value",
            FaultCode::UnclosedQuote => "unclosed_quote",
            FaultCode::StrayQuote => "stray_quote",
            FaultCode::RecordTooLarge => "record_too_large",
            FaultCode::NulByte => "nul_byte",
            FaultCode::InvalidEncoding => "invalid_encoding",
            FaultCode::Constraint => "constraint",
            FaultCode::Check => "check",
            FaultCode::Unmappable => "unmappable",
        }
    }
}

impl Error {
    /// What happened.
    pub fn kind(&self) -> &ErrorKind {
        &self.0
    }

    /// What happened, owned.
    pub fn into_kind(self) -> ErrorKind {
        *self.0
    }

    /// An [`ErrorKind::Usage`].
    pub fn usage(message: impl Into<String>) -> Self {
        ErrorKind::Usage { message: message.into() }.into()
    }

    /// An [`ErrorKind::Internal`].
    pub fn internal(message: impl Into<String>) -> Self {
        ErrorKind::Internal { message: message.into() }.into()
    }

    /// An [`ErrorKind::Write`] for `target`.
    pub fn write(target: impl Into<String>, source: io::Error) -> Self {
        ErrorKind::Write { target: target.into(), source }.into()
    }

    /// An [`ErrorKind::Engine`]: DuckDB failed while `doing`.
    pub fn engine(doing: impl Into<String>, source: impl Into<Cause>) -> Self {
        ErrorKind::Engine { doing: doing.into(), source: source.into() }.into()
    }

    /// An [`ErrorKind::Arrow`], unless the Arrow error only carries one of ours, which is then unwrapped.
    pub fn arrow(doing: impl Into<String>, source: ArrowError) -> Self {
        match source {
            ArrowError::ExternalError(inner) => match inner.downcast::<Error>() {
                Ok(ours) => *ours,
                Err(other) => ErrorKind::Arrow { doing: doing.into(), source: other }.into(),
            },
            other => ErrorKind::Arrow { doing: doing.into(), source: other.into() }.into(),
        }
    }

    /// Whether the run was cancelled.
    pub fn is_cancelled(&self) -> bool {
        match self.kind() {
            ErrorKind::Cancelled => true,
            ErrorKind::Step { source, .. } => source.is_cancelled(),
            _ => false,
        }
    }

    /// Whether the reader of our output went away, as `head` does: nothing to complain about.
    pub fn is_broken_pipe(&self) -> bool {
        match self.kind() {
            ErrorKind::Write { source, .. } => source.kind() == io::ErrorKind::BrokenPipe,
            ErrorKind::Step { source, .. } => source.is_broken_pipe(),
            _ => false,
        }
    }

    /// Whether the data, not the machinery, is at fault.
    pub fn is_data(&self) -> bool {
        match self.kind() {
            ErrorKind::Data(_) | ErrorKind::Refused { .. } => true,
            ErrorKind::Step { source, .. } => source.is_data(),
            _ => false,
        }
    }
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Error(Box::new(kind))
    }
}

impl From<Error> for ArrowError {
    fn from(error: Error) -> Self {
        ArrowError::ExternalError(Box::new(error))
    }
}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        io::Error::other(error)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source()
    }
}

impl Location {
    /// The start of `source`.
    pub fn new(source: impl Into<String>) -> Self {
        Location { source: source.into(), ..Self::default() }
    }

    /// The same place, in `column`.
    pub fn with_column(mut self, column: impl Into<String>) -> Self {
        self.column = Some(column.into());
        self
    }

    /// The same source, at a physical line.
    pub fn with_line(mut self, line: u64) -> Self {
        self.line = Some(line);
        self
    }

    /// The same source, at a record.
    pub fn with_record(mut self, record: u64) -> Self {
        self.record = Some(record);
        self
    }

    /// The same source, at a byte of the decoded text.
    pub fn with_byte(mut self, byte: u64) -> Self {
        self.byte = Some(byte);
        self
    }

    /// The same source, in a member of an archive.
    pub fn with_member(mut self, member: impl Into<String>) -> Self {
        self.member = Some(member.into());
        self
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)?;
        if let Some(member) = &self.member {
            write!(f, "::{member}")?;
        }
        let mut separator = ": ";
        let mut part = |f: &mut fmt::Formatter<'_>, name: &str, value: &dyn fmt::Display| {
            write!(f, "{separator}{name} {value}")?;
            separator = ", ";
            Ok::<(), fmt::Error>(())
        };
        if let Some(line) = self.line {
            part(f, "line", &line)?;
        }
        if let Some(record) = self.record {
            part(f, "record", &record)?;
        }
        if let Some(column) = &self.column {
            part(f, "column", &format_args!("{column:?}"))?;
        }
        if let Some(byte) = self.byte {
            part(f, "byte", &byte)?;
        }
        Ok(())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.at, self.message)?;
        if let Some(hint) = &self.hint {
            write!(f, "\n  hint: {hint}")?;
        }
        Ok(())
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        ErrorKind::Data(fault).into()
    }
}

fn after_rows(rows: Option<u64>) -> String {
    match rows {
        None => String::new(),
        Some(1) => ", after 1 row".to_owned(),
        Some(rows) => format!(", after {rows} rows"),
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_prints_what_it_knows() {
        let mut at = Location::new("a.csv");
        assert_eq!(at.to_string(), "a.csv");
        at = at.with_line(3).with_column("x");
        assert_eq!(at.to_string(), "a.csv: line 3, column \"x\"");
        at = at.with_member("m.csv");
        assert_eq!(at.to_string(), "a.csv::m.csv: line 3, column \"x\"");
    }

    #[test]
    fn an_error_survives_the_trip_through_arrow() {
        let arrow = ArrowError::from(Error::usage("no"));
        let back = Error::arrow("reading", arrow);
        assert!(matches!(back.kind(), ErrorKind::Usage { message } if message == "no"));
    }

    #[test]
    fn the_cause_is_the_source() {
        let error = Error::write("out.csv", io::Error::other("disk full"));
        assert_eq!(error.source().unwrap().to_string(), "disk full");
        assert_eq!(error.to_string(), "cannot write out.csv: disk full");
    }
}
