//! Arrow IPC at the waist: files and streams to RecordBatches, and back.
//!
//! In: a path, or any `RecordBatchReader`. Out: batches, or a file that appears when it is complete, as every output does.
//! Which of the two formats a file has is seen from its first bytes. Batches stay as they are cut.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::Path;

use arrow::array::{RecordBatch, RecordBatchReader};
use arrow::datatypes::Schema;
use arrow::error::ArrowError;
use arrow::ipc::reader::{FileReader, StreamReader};
use arrow::ipc::writer::{FileWriter, StreamWriter};
use serde::{Deserialize, Serialize};

use crate::csv::WriteSummary;
use crate::error::{Error, ErrorKind, Location, Result};
use crate::job::{Monitor, Stage};
use crate::options::{ColumnOrder, IfExists};
use crate::output::{Sink, column_positions};

/// What the file format, unlike the stream, begins with.
const MAGIC: &[u8] = b"ARROW1";

/// The two forms of Arrow IPC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum IpcFormat {
    /// With a footer, for random access; also known as Feather 2.
    #[default]
    File,
    /// Without, for pipes.
    Stream,
}

/// How Arrow IPC is written.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IpcOptions {
    /// Which of the two forms. Default the file.
    #[serde(alias = "ipc_format")]
    pub format: IpcFormat,
    /// The order of columns. Default sorted by name.
    pub column_order: ColumnOrder,
    /// What happens when the output exists. Default: it is replaced when the new one is complete.
    pub if_exists: IfExists,
}

/// Opens an Arrow IPC file of either form, or a stream on standard input if `path` is `-`.
///
/// # Errors
/// [`ErrorKind::Read`] if it cannot be opened, [`ErrorKind::Arrow`] if it is not Arrow IPC.
pub fn open_ipc(path: impl AsRef<Path>) -> Result<Box<dyn RecordBatchReader + Send>> {
    let path = path.as_ref();
    let name = path.display().to_string();
    let unreadable = |source| ErrorKind::Read { at: Location::new(&name), source };
    let strange = |error| Error::arrow(format!("reading {name}"), error);
    if path == Path::new("-") {
        return Ok(Box::new(StreamReader::try_new_buffered(io::stdin(), None).map_err(strange)?));
    }
    let mut file = BufReader::new(File::open(path).map_err(unreadable)?);
    let mut magic = Vec::new();
    file.by_ref().take(MAGIC.len() as u64).read_to_end(&mut magic).map_err(unreadable)?;
    file.rewind().map_err(unreadable)?;
    Ok(if magic == MAGIC {
        Box::new(FileReader::try_new(file, None).map_err(strange)?)
    } else {
        Box::new(StreamReader::try_new(file, None).map_err(strange)?)
    })
}

/// Writes a stream of batches as Arrow IPC to a file, or to standard output if `path` is `-`. The rows are counted in
/// `monitor`.
///
/// ```
/// use std::sync::Arc;
/// use arrow::array::{Int64Array, RecordBatch, RecordBatchIterator};
/// use duckstream::{IpcOptions, Monitor, open_ipc, write_ipc};
/// let batch = RecordBatch::try_from_iter([("n", Arc::new(Int64Array::from(vec![1, 2])) as _)]).unwrap();
/// let rows = RecordBatchIterator::new([Ok(batch.clone())], batch.schema());
/// let folder = tempfile::tempdir().unwrap();
/// let path = folder.path().join("n.arrow");
/// assert_eq!(write_ipc(rows, &path, &IpcOptions::default(), &Monitor::default())?.rows, 2);
/// assert_eq!(open_ipc(&path)?.next().unwrap().unwrap(), batch);
/// # Ok::<(), duckstream::Error>(())
/// ```
///
/// # Errors
/// Those of the stream and of [`Sink`], and [`ErrorKind::Usage`] for a listed column that is not there.
pub fn write_ipc(
    reader: impl RecordBatchReader,
    path: impl AsRef<Path>,
    options: &IpcOptions,
    monitor: &Monitor,
) -> Result<WriteSummary> {
    let positions = column_positions(&reader.schema(), &options.column_order)?;
    let schema = reader.schema().project(&positions).map_err(|error| Error::arrow("ordering columns", error))?;
    let Some(sink) = Sink::create(path, options.if_exists)? else {
        return Ok(WriteSummary { skipped: true, ..WriteSummary::default() });
    };
    let target = sink.name().to_owned();
    let lost = |error| write_failed(&target, error);
    let mut form = Form::start(sink, &schema, options.format).map_err(lost)?;
    let mut rows = 0;
    for batch in reader {
        monitor.tick()?;
        let batch = batch
            .and_then(|batch| batch.project(&positions))
            .map_err(|error| Error::arrow("reading the rows to write", error))?;
        form.write(&batch).map_err(lost)?;
        rows += batch.num_rows() as u64;
        monitor.add(batch.num_rows() as u64, 0, 0);
    }
    monitor.enter(Stage::Commit)?;
    let bytes = form.end().map_err(lost)?.finish()?;
    Ok(WriteSummary::of(rows, bytes))
}

enum Form {
    File(Box<FileWriter<io::BufWriter<Sink>>>),
    Stream(Box<StreamWriter<io::BufWriter<Sink>>>),
}

impl Form {
    fn start(sink: Sink, schema: &Schema, format: IpcFormat) -> Result<Self, ArrowError> {
        Ok(match format {
            IpcFormat::File => Form::File(Box::new(FileWriter::try_new_buffered(sink, schema)?)),
            IpcFormat::Stream => Form::Stream(Box::new(StreamWriter::try_new_buffered(sink, schema)?)),
        })
    }

    fn write(&mut self, batch: &RecordBatch) -> Result<(), ArrowError> {
        match self {
            Form::File(writer) => writer.write(batch),
            Form::Stream(writer) => writer.write(batch),
        }
    }

    fn end(self) -> Result<Sink, ArrowError> {
        let buffer = match self {
            Form::File(writer) => writer.into_inner()?,
            Form::Stream(writer) => writer.into_inner()?,
        };
        Ok(buffer.into_inner().map_err(io::IntoInnerError::into_error)?)
    }
}

/// An error while writing: the system's, if it is one.
fn write_failed(target: &str, error: ArrowError) -> Error {
    match error {
        ArrowError::IoError(_, source) => Error::write(target, source),
        other => Error::arrow(format!("writing {target}"), other),
    }
}
