//! [`RejectFile`]: rejected rows into a file, which appears only when the run is over.
//!
//! In: faults. Out: a `.jsonl`, `.csv` or `.parquet` file with the columns of [`RejectRecord`]; none if no row was
//! rejected. It refuses names with another ending: those are tables. Memory: one write buffer; for Parquet a few
//! thousand rows or 16 MiB.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::csv::RejectSink;
use crate::error::{Error, Fault, Result};
use crate::options::IfExists;
use crate::output::Sink;
use crate::quality::rejects::{RejectRecord, RejectTally};

/// Rejected rows, in a file.
///
/// They lie under a temporary name beside it until [`finish`](Self::finish); dropped before, nothing of them is left.
///
/// ```
/// use duckstream::RejectFile;
/// let folder = tempfile::tempdir().unwrap();
/// let path = folder.path().join("bad.jsonl");
/// let mut rejects = RejectFile::create(&path, "run-1")?;
/// assert_eq!(rejects.finish()?, None); // no row was rejected: no file
/// assert!(!path.exists());
/// # Ok::<(), duckstream::Error>(())
/// ```
pub struct RejectFile {
    path: PathBuf,
    run_id: String,
    format: Format,
    out: Option<Out>,
    tally: RejectTally,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Jsonl,
    Csv,
    Parquet,
}

enum Out {
    Text {
        write: BufWriter<Sink>,
        line: String,
    },
    #[cfg(feature = "parquet")]
    Parquet(Box<columns::Columns>),
}

impl RejectFile {
    /// Whether a target of rejects is a file; all other names are tables.
    pub fn is_file(target: &str) -> bool {
        Format::of(Path::new(target)).is_some()
    }

    /// Opens the file under its temporary name, so that a folder that cannot be written shows before any work is done.
    /// Parent folders are created.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) for a name that ends in none of `.jsonl`, `.csv`, `.parquet`;
    /// [`ErrorKind::Target`](crate::ErrorKind::Target) and [`ErrorKind::Write`](crate::ErrorKind::Write) if it cannot be made.
    pub fn create(target: impl AsRef<Path>, run_id: impl Into<String>) -> Result<Self> {
        let path = target.as_ref().to_owned();
        let Some(format) = Format::of(&path) else {
            return Err(Error::usage(format!(
                "{} is not a file for rejects: it must end in .jsonl, .csv or .parquet",
                path.display()
            )));
        };
        let out = Some(Out::open(&path, format)?);
        Ok(RejectFile { path, run_id: run_id.into(), format, out, tally: RejectTally::default() })
    }

    /// The counts so far.
    pub fn tally(&self) -> &RejectTally {
        &self.tally
    }

    /// Gives the file its name and returns it; `None` if no row was rejected: then there is no file, and one of the
    /// same name is left alone.
    ///
    /// # Errors
    /// [`ErrorKind::Write`](crate::ErrorKind::Write) if the system refuses.
    pub fn finish(&mut self) -> Result<Option<PathBuf>> {
        let Some(out) = self.out.take().filter(|_| self.tally.count > 0) else { return Ok(None) };
        let sink = match out {
            Out::Text { write, .. } => write.into_inner().map_err(|error| self.failed(error.into_error()))?,
            #[cfg(feature = "parquet")]
            Out::Parquet(columns) => columns.into_inner()?,
        };
        sink.finish()?;
        Ok(Some(self.path.clone()))
    }

    fn failed(&self, error: std::io::Error) -> Error {
        Error::write(self.path.display().to_string(), error)
    }
}

impl RejectSink for RejectFile {
    fn reject(&mut self, fault: &Fault) -> Result<()> {
        self.tally.add(fault);
        let record = RejectRecord::new(&self.run_id, fault);
        match &mut self.out {
            None => return Err(Error::internal("a row was rejected after the rejects were finished")),
            Some(Out::Text { write, line }) => {
                line.clear();
                let written = match self.format {
                    Format::Jsonl => serde_json::to_writer(&mut *write, &record)
                        .map_err(std::io::Error::from)
                        .and_then(|()| write.write_all(b"\n")),
                    _ => {
                        record.push_csv(line);
                        write.write_all(line.as_bytes())
                    }
                };
                written.map_err(|error| self.failed(error))?;
            }
            #[cfg(feature = "parquet")]
            Some(Out::Parquet(columns)) => columns.push(record)?,
        }
        Ok(())
    }

    fn restart(&mut self) -> Result<()> {
        // The old temporary file goes first.
        self.out = None;
        self.tally = RejectTally::default();
        self.out = Some(Out::open(&self.path, self.format)?);
        Ok(())
    }
}

impl Format {
    fn of(path: &Path) -> Option<Format> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "jsonl" => Some(Format::Jsonl),
            "csv" => Some(Format::Csv),
            "parquet" => Some(Format::Parquet),
            _ => None,
        }
    }
}

impl Out {
    fn open(path: &Path, format: Format) -> Result<Out> {
        let Some(sink) = Sink::create(path, IfExists::Replace)? else {
            return Err(Error::internal("a file that may be replaced was in the way"));
        };
        if format == Format::Parquet {
            #[cfg(feature = "parquet")]
            return Ok(Out::Parquet(Box::new(columns::Columns::new(sink)?)));
            #[cfg(not(feature = "parquet"))]
            return Err(Error::usage("this build of duckstream has no Parquet; write rejects as .jsonl or .csv"));
        }
        let mut write = BufWriter::new(sink);
        if format == Format::Csv {
            let names: Vec<&str> = RejectRecord::COLUMNS.iter().map(|(name, _)| *name).collect();
            let header = format!("{}\n", names.join(","));
            write.write_all(header.as_bytes()).map_err(|error| Error::write(path.display().to_string(), error))?;
        }
        Ok(Out::Text { write, line: String::new() })
    }
}

#[cfg(feature = "parquet")]
mod columns {
    //! Rejects as Parquet: gathered into small batches.

    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
    use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
    use parquet::arrow::ArrowWriter;
    use parquet::basic::{Compression, ZstdLevel};
    use parquet::file::properties::WriterProperties;

    use crate::error::{Error, Result};
    use crate::output::Sink;
    use crate::quality::rejects::RejectRecord;

    const ROWS: usize = 4096;
    const BYTES: usize = 16 << 20;
    const DOING: &str = "writing rejects";

    pub(super) struct Columns {
        schema: SchemaRef,
        writer: ArrowWriter<Sink>,
        pending: Vec<RejectRecord>,
        bytes: usize,
    }

    impl Columns {
        pub(super) fn new(sink: Sink) -> Result<Self> {
            let field = |(name, number): (&str, bool)| {
                Field::new(name, if number { DataType::Int64 } else { DataType::Utf8 }, true)
            };
            let schema = Arc::new(Schema::new(RejectRecord::COLUMNS.map(field).to_vec()));
            let properties =
                WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default())).build();
            let writer = ArrowWriter::try_new(sink, Arc::clone(&schema), Some(properties))
                .map_err(|error| Error::arrow(DOING, error.into()))?;
            Ok(Columns { schema, writer, pending: Vec::new(), bytes: 0 })
        }

        pub(super) fn push(&mut self, record: RejectRecord) -> Result<()> {
            self.bytes += record.size();
            self.pending.push(record);
            match self.pending.len() >= ROWS || self.bytes >= BYTES {
                true => self.write(),
                false => Ok(()),
            }
        }

        fn write(&mut self) -> Result<()> {
            let column = |(index, (_, number)): (usize, &(&str, bool))| -> ArrayRef {
                match number {
                    true => Arc::new(self.pending.iter().map(|record| record.numbers()[index]).collect::<Int64Array>()),
                    false => Arc::new(self.pending.iter().map(|record| record.texts()[index]).collect::<StringArray>()),
                }
            };
            let columns = RejectRecord::COLUMNS.iter().enumerate().map(column).collect();
            let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns);
            let batch = batch.map_err(|error| Error::arrow(DOING, error))?;
            self.writer.write(&batch).map_err(|error| Error::arrow(DOING, error.into()))?;
            if self.writer.in_progress_size() >= BYTES {
                self.writer.flush().map_err(|error| Error::arrow(DOING, error.into()))?;
            }
            self.pending.clear();
            self.bytes = 0;
            Ok(())
        }

        pub(super) fn into_inner(mut self: Box<Self>) -> Result<Sink> {
            if !self.pending.is_empty() {
                self.write()?;
            }
            self.writer.into_inner().map_err(|error| Error::arrow(DOING, error.into()))
        }
    }
}
