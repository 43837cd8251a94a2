//! An Arrow stream as something DuckDB can select from.
//!
//! In: a `RecordBatchReader`. A thread of ours pulls it, cuts it into row groups and holds out the next; DuckDB's
//! threads take it under a lock, so nothing is decoded there. Out: the name of a view, in an in-memory database
//! attached for this scan alone and detached with it.
//!
//! Two rules for whoever selects from the view, because a C stream can neither project nor filter while DuckDB
//! believes it does: select every column, in order, and put no condition on the scan.

use std::ffi::{CString, c_char, c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use arrow::array::{Array, RecordBatch, RecordBatchReader, StructArray};
use arrow::compute::concat_batches;
use arrow::datatypes::{Field, Schema, SchemaRef};
use arrow::ffi::{FFI_ArrowArray, FFI_ArrowSchema};
use arrow::ffi_stream::FFI_ArrowArrayStream;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use duckdb::ffi;

use crate::duckdb::c_text::c_text;
use crate::duckdb::database::Database;
use crate::duckdb::raw::RawConnection;
use crate::duckdb::sql;
use crate::error::{Error, ErrorKind, Result};
use crate::job::{CancelToken, Monitor};

/// Rows of one row group of a DuckDB table: what one array of a scan should hold. Shorter arrays make the engine
/// write rows twice; so does 131,072.
pub const ROW_GROUP: usize = 122_880;

/// Row groups that wait for the engine, besides the one that the feeding thread holds out. Measured: none is as fast as
/// one or two, and each is some 17 MB of an ordinary table.
const QUEUE: usize = 0;
/// Bytes after which an array is handed on even if it is not a full row group: memory is bounded by batches, and
/// text offsets are 32 bits wide.
const ARRAY_BYTES: usize = 64 << 20;
/// Bytes and rows after which an array is handed on if a row group of its rows would pass [`ARRAY_BYTES`]: it will be put
/// together with others in any case, and shorter ones keep all threads busy. Fewer rows than one of the engine's vectors
/// would cost more than that gains.
const WIDE: (usize, usize) = (8 << 20, 2048);
/// How often a wait looks whether the run is cancelled.
const POLL: Duration = Duration::from_millis(20);
/// How long a cancelled run waits for its source before leaving it behind.
const GRACE: Duration = Duration::from_millis(200);

/// What a scan has seen so far; shared by the feeding thread, the callbacks and the load.
#[derive(Default)]
struct Shared {
    error: Mutex<Option<Error>>,
    rows: AtomicU64,
    ended: AtomicBool,
}

impl Shared {
    /// Keeps the first error.
    fn fail(&self, error: Error) {
        self.error.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
    }
}

/// A scan: the view, the stream behind it and the thread that feeds it.
pub(crate) struct Scan<'db> {
    database: &'db Database,
    name: String,
    shared: Arc<Shared>,
    cancel: CancelToken,
    /// Declared before `feeder`'s use in `drop`: the view's connection goes first, the stream second.
    connection: Option<Arc<RawConnection>>,
    /// Holds the queue's end: whatever fails, it goes before the feeding thread is waited for.
    stream: Option<Box<FFI_ArrowArrayStream>>,
    feeder: Option<JoinHandle<()>>,
}

impl<'db> Scan<'db> {
    /// Starts to pull `reader` and makes the view, which calls the columns `c0`, `c1`, ….
    pub(crate) fn start(
        database: &'db Database,
        reader: Box<dyn RecordBatchReader + Send>,
        row_group: usize,
        monitor: &Monitor,
    ) -> Result<Self> {
        let source = reader.schema();
        // Metadata goes, too: an extension name there would change the type.
        let field = |(index, field): (usize, &Arc<Field>)| {
            Field::new(sql::stream_column(index), field.data_type().clone(), true)
        };
        let fields = source.fields().iter().enumerate().map(field);
        let schema: SchemaRef = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let shared = Arc::new(Shared::default());
        let (sender, receiver) = bounded(QUEUE);
        let cutter = Cutter::new(sender, Arc::clone(&schema), row_group);
        let cancel = monitor.cancel_token().clone();
        let stream = Box::new(export(StreamState {
            schema: FFI_ArrowSchema::try_from(schema.as_ref()).map_err(|error| Error::arrow("exporting", error))?,
            receiver,
            shared: Arc::clone(&shared),
            cancel: cancel.clone(),
            last_error: None,
        }));
        let feeder = feed(reader, cutter, Arc::clone(&shared), monitor.clone(), database.write_back())?;

        let name = database.scratch_name();
        let mut scan =
            Scan { database, name, shared, cancel, connection: None, stream: Some(stream), feeder: Some(feeder) };
        let connection = database.connect_raw()?;
        connection.execute("preparing the load", &sql::attach_memory(&scan.name))?;
        connection.execute("preparing the load", &sql::use_database(&scan.name))?;
        let view = c_text(VIEW)?;
        let stream = scan.stream.as_deref_mut().map_or(ptr::null_mut(), ptr::from_mut);
        // SAFETY: the connection is open, the name lives through the call, and the stream lies still in its box,
        // which `scan` keeps until the view's database is detached.
        #[allow(deprecated)]
        let state = unsafe { ffi::duckdb_arrow_scan(connection.handle(), view.as_ptr(), stream.cast()) };
        scan.connection = Some(connection);
        if state != ffi::DuckDBSuccess {
            return Err(Error::engine("preparing the load", "DuckDB did not accept the Arrow stream"));
        }
        Ok(scan)
    }

    /// What to select from. Every column, in order, without a condition.
    pub(crate) fn relation(&self) -> String {
        format!("{}.main.{}", sql::ident(&self.name), sql::ident(VIEW))
    }

    /// Rows that DuckDB has taken.
    pub(crate) fn rows(&self) -> u64 {
        self.shared.rows.load(Ordering::SeqCst)
    }

    /// Whether the stream was pulled to its end.
    pub(crate) fn ended(&self) -> bool {
        self.shared.ended.load(Ordering::SeqCst)
    }

    /// The error that the source ended with, in its original form.
    pub(crate) fn take_error(&self) -> Option<Error> {
        self.shared.error.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Drop for Scan<'_> {
    fn drop(&mut self) {
        // The view's own connection has the scratch database in use: it must go before the detach.
        self.connection = None;
        if let Ok(connection) = self.database.connect_raw() {
            // A failure leaves an empty in-memory database behind until the engine closes; nothing to report.
            let _ = connection.execute("cleaning up", &sql::detach(&self.name));
        }
        // Closes the queue: the feeding thread ends at its next array.
        self.stream = None;
        if let Some(feeder) = self.feeder.take() {
            let deadline = Instant::now() + GRACE;
            while self.cancel.is_cancelled() && !feeder.is_finished() && Instant::now() < deadline {
                std::thread::sleep(Duration::from_millis(1));
            }
            // A cancelled run may have a source that waits for input for ever: that thread is left to itself.
            if feeder.is_finished() || !self.cancel.is_cancelled() {
                let _ = feeder.join();
            }
        }
    }
}

/// The view's name inside its own database.
const VIEW: &str = "batches";

/// Pulls the reader on a thread of its own until it ends, fails, panics, or nobody wants more.
fn feed(
    mut reader: Box<dyn RecordBatchReader + Send>,
    mut cutter: Cutter,
    shared: Arc<Shared>,
    monitor: Monitor,
    mut write_back: impl FnMut() + Send + 'static,
) -> Result<JoinHandle<()>> {
    let run = move || {
        let pull = AssertUnwindSafe(|| -> Result<()> {
            for batch in &mut reader {
                monitor.tick()?;
                let batch = batch.map_err(|error| Error::arrow("reading batches", error))?;
                write_back();
                if cutter.push(batch)?.is_break() {
                    return Ok(());
                }
            }
            if cutter.flush()?.is_continue() {
                shared.ended.store(true, Ordering::SeqCst);
            }
            Ok(())
        });
        let result = catch_unwind(pull).unwrap_or_else(|panic| Err(panicked("the source of the batches", &*panic)));
        if let Err(error) = result {
            shared.fail(error);
        }
        // Last of all the queue closes: whoever sees its end also sees the error.
        drop(cutter);
        drop(reader);
    };
    let builder = std::thread::Builder::new().name("duckstream-feed".to_owned());
    builder.spawn(run).map_err(|error| Error::internal(format!("cannot start a thread: {error}")))
}

/// The error for a panic in code that was given to us.
pub(crate) fn panicked(who: &str, panic: &(dyn std::any::Any + Send)) -> Error {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    Error::internal(format!("{who} panicked: {}", text.unwrap_or("no message")))
}

type Flow = std::ops::ControlFlow<()>;

/// Cuts batches of any size into arrays of exactly one row group, the last one apart.
struct Cutter {
    sender: Sender<RecordBatch>,
    schema: SchemaRef,
    row_group: usize,
    pending: Vec<RecordBatch>,
    rows: usize,
    bytes: usize,
}

impl Cutter {
    fn new(sender: Sender<RecordBatch>, schema: SchemaRef, row_group: usize) -> Self {
        Cutter { sender, schema, row_group: row_group.max(1), pending: Vec::new(), rows: 0, bytes: 0 }
    }

    fn push(&mut self, batch: RecordBatch) -> Result<Flow> {
        let mut batch = RecordBatch::try_new(Arc::clone(&self.schema), batch.columns().to_vec())
            .map_err(|_| changed_schema(&batch, &self.schema))?;
        while batch.num_rows() > 0 {
            let take = batch.num_rows().min(self.row_group - self.rows);
            let head = batch.slice(0, take);
            batch = batch.slice(take, batch.num_rows() - take);
            self.rows += take;
            self.bytes += bytes_of(&head);
            self.pending.push(head);
            if self.is_full() && self.flush()?.is_break() {
                return Ok(Flow::Break(()));
            }
        }
        Ok(Flow::Continue(()))
    }

    fn is_full(&self) -> bool {
        let wide = self.bytes / self.rows > ARRAY_BYTES / self.row_group;
        let (bytes, rows) = WIDE;
        self.rows == self.row_group || self.bytes > ARRAY_BYTES || (wide && self.bytes >= bytes && self.rows >= rows)
    }

    /// Hands on what is pending.
    fn flush(&mut self) -> Result<Flow> {
        let array = match self.pending.len() {
            0 => return Ok(Flow::Continue(())),
            1 => self.pending.remove(0),
            _ => concat_batches(&self.schema, &self.pending).map_err(|error| Error::arrow("joining batches", error))?,
        };
        self.pending.clear();
        self.rows = 0;
        self.bytes = 0;
        Ok(match self.sender.send(array) {
            Ok(()) => Flow::Continue(()),
            Err(_) => Flow::Break(()),
        })
    }
}

fn changed_schema(batch: &RecordBatch, schema: &Schema) -> Error {
    Error::internal(format!("a batch does not have the schema of its stream: {:?} is not {schema:?}", batch.schema()))
}

fn bytes_of(batch: &RecordBatch) -> usize {
    let bytes = |array: &Arc<dyn Array>| {
        array.to_data().get_slice_memory_size().unwrap_or_else(|_| array.get_array_memory_size())
    };
    batch.columns().iter().map(bytes).sum()
}

/// What the C callbacks work on; owned by the stream's `private_data`.
struct StreamState {
    schema: FFI_ArrowSchema,
    receiver: Receiver<RecordBatch>,
    shared: Arc<Shared>,
    cancel: CancelToken,
    last_error: Option<CString>,
}

impl StreamState {
    /// The next array; `None` at the end, an error if the source failed or the run is cancelled.
    fn next(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            match self.receiver.recv_timeout(POLL) {
                Ok(batch) => {
                    self.cancel.check()?;
                    self.shared.rows.fetch_add(batch.num_rows() as u64, Ordering::SeqCst);
                    return Ok(Some(batch));
                }
                Err(RecvTimeoutError::Timeout) => self.cancel.check()?,
                Err(RecvTimeoutError::Disconnected) => {
                    let error = self.shared.error.lock().unwrap_or_else(PoisonError::into_inner);
                    return match error.as_ref() {
                        Some(error) => Err(Error::internal(error.to_string())),
                        None => Ok(None),
                    };
                }
            }
        }
    }
}

fn export(state: StreamState) -> FFI_ArrowArrayStream {
    let state = Box::into_raw(Box::new(state)).cast::<c_void>();
    // SAFETY: the four callbacks keep to the C stream interface, but for the schema (see `get_schema`); the state
    // is freed once, by `release`.
    unsafe {
        FFI_ArrowArrayStream::new_unchecked(
            Some(get_schema),
            Some(get_next),
            Some(get_last_error),
            Some(release),
            state,
        )
    }
}

/// Lends the schema instead of giving it away: DuckDB asks several times and never releases what it got.
unsafe extern "C" fn get_schema(stream: *mut FFI_ArrowArrayStream, out: *mut FFI_ArrowSchema) -> c_int {
    // SAFETY: the stream is ours, so its private data is a `StreamState`. `out` is the caller's to overwrite. The
    // copy is bitwise and shares the children, which live as long as the state; DuckDB sets the copy's release
    // callback to null before dropping it, and so never frees what it was lent.
    unsafe {
        let state = (*stream).private_data().cast::<StreamState>();
        ptr::copy_nonoverlapping(ptr::from_ref(&(*state).schema), out, 1);
    }
    0
}

unsafe extern "C" fn get_next(stream: *mut FFI_ArrowArrayStream, out: *mut FFI_ArrowArray) -> c_int {
    // SAFETY: as above; DuckDB calls this under a lock, so the state is ours alone.
    let state = unsafe { &mut *(*stream).private_data().cast::<StreamState>() };
    // Nothing may unwind into C++.
    let next = catch_unwind(AssertUnwindSafe(|| {
        let batch = state.next()?;
        Ok(batch.map_or_else(FFI_ArrowArray::empty, |batch| FFI_ArrowArray::new(&StructArray::from(batch).into_data())))
    }))
    .unwrap_or_else(|panic| Err(panicked("handing on a batch", &*panic)));
    match next {
        Ok(array) => {
            // SAFETY: `out` is the caller's, uninitialised: written, not dropped.
            unsafe { ptr::write(out, array) };
            0
        }
        Err(error) => {
            state.last_error = CString::new(error.to_string().replace('\0', " ")).ok();
            state.shared.fail(error);
            EIO
        }
    }
}

/// The errno of an input/output error, which is all that the interface can say.
const EIO: c_int = 5;

unsafe extern "C" fn get_last_error(stream: *mut FFI_ArrowArrayStream) -> *const c_char {
    // SAFETY: as above; the string stays until the next failure.
    let state = unsafe { &*(*stream).private_data().cast::<StreamState>() };
    state.last_error.as_ref().map_or(ptr::null(), |error| error.as_ptr())
}

unsafe extern "C" fn release(stream: *mut FFI_ArrowArrayStream) {
    // SAFETY: called once, by the drop of the box that owns the stream.
    unsafe {
        drop(Box::from_raw((*stream).private_data().cast::<StreamState>()));
        (*stream).set_release(None);
    }
}

/// Interrupts a connection when a run is cancelled, again and again until the guard goes: an interrupt that falls
/// between two statements is lost.
pub(crate) struct Interrupter {
    stop: Arc<Mutex<bool>>,
    _guard: crate::job::CancelGuard,
}

impl Interrupter {
    pub(crate) fn new(cancel: &CancelToken, interrupt: impl Fn() + Send + Sync + 'static) -> Self {
        let stop = Arc::new(Mutex::new(false));
        let flag = Arc::clone(&stop);
        let interrupt = Arc::new(interrupt);
        let guard = cancel.on_cancel(move || {
            interrupt();
            let (flag, interrupt) = (Arc::clone(&flag), Arc::clone(&interrupt));
            let again = move || {
                loop {
                    std::thread::sleep(POLL);
                    let stopped = flag.lock().unwrap_or_else(PoisonError::into_inner);
                    if *stopped {
                        return;
                    }
                    interrupt();
                }
            };
            // Without a thread the one interrupt has to do.
            let _ = std::thread::Builder::new().name("duckstream-interrupt".to_owned()).spawn(again);
        });
        Interrupter { stop, _guard: guard }
    }

    /// From here on the connection is left in peace, so that a rollback runs.
    pub(crate) fn stop(&self) {
        *self.stop.lock().unwrap_or_else(PoisonError::into_inner) = true;
    }
}

impl Drop for Interrupter {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Whether an error of the engine only says that the run was cancelled.
pub(crate) fn cancelled(cancel: &CancelToken) -> Option<Error> {
    cancel.is_cancelled().then(|| ErrorKind::Cancelled.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Int64Array, StringArray};
    use arrow::datatypes::DataType;

    /// Sizes of the arrays that come out for batches of the given sizes.
    fn cut(sizes: &[usize], row_group: usize) -> Vec<usize> {
        let schema = Arc::new(Schema::new(vec![
            Field::new("c0", DataType::Int64, true),
            Field::new("c1", DataType::Utf8, true),
        ]));
        let (sender, receiver) = crossbeam_channel::unbounded();
        let mut cutter = Cutter::new(sender, Arc::clone(&schema), row_group);
        let source = Schema::new(vec![Field::new("n", DataType::Int64, true), Field::new("s", DataType::Utf8, true)]);
        let source = Arc::new(source);
        let mut next = 0_i64;
        for &size in sizes {
            let numbers: Vec<i64> = (next..next + size as i64).collect();
            let texts: Vec<String> = numbers.iter().map(i64::to_string).collect();
            next += size as i64;
            let columns: Vec<Arc<dyn Array>> =
                vec![Arc::new(Int64Array::from(numbers)), Arc::new(StringArray::from(texts))];
            let batch = RecordBatch::try_new(Arc::clone(&source), columns).unwrap();
            assert!(cutter.push(batch).unwrap().is_continue());
        }
        assert!(cutter.flush().unwrap().is_continue());
        drop(cutter);
        let mut expected = 0_i64;
        let mut out = Vec::new();
        for array in receiver {
            let numbers = array.column(0).as_any().downcast_ref::<Int64Array>().unwrap();
            let texts = array.column(1).as_any().downcast_ref::<StringArray>().unwrap();
            for row in 0..array.num_rows() {
                assert_eq!(numbers.value(row), expected);
                assert_eq!(texts.value(row), expected.to_string());
                expected += 1;
            }
            out.push(array.num_rows());
        }
        assert_eq!(expected, next);
        out
    }

    #[test]
    fn arrays_are_whole_row_groups_whatever_comes_in() {
        assert_eq!(cut(&[], 4), [0_usize; 0]);
        assert_eq!(cut(&[0, 0], 4), [0_usize; 0]);
        assert_eq!(cut(&[4, 4, 1], 4), [4, 4, 1]);
        assert_eq!(cut(&[1; 9], 4), [4, 4, 1]);
        assert_eq!(cut(&[9], 4), [4, 4, 1]);
        assert_eq!(cut(&[3, 10, 0, 2], 4), [4, 4, 4, 3]);
        assert_eq!(cut(&[100], 7), [vec![7; 14], vec![2]].concat());
    }
}
