//! The C API's connection, statement and result, each owned by one value and released exactly once.
//!
//! In: SQL text. Out: chunks of one engine vector each, pulled one at a time, that any thread can turn into Arrow. `duckdb::Connection` does not
//! show its raw handle, and its statements borrow from it; a scan needs the former, a stream that owns its
//! connection cannot live with the latter.

use std::ffi::{CStr, CString};
use std::ptr;
use std::sync::Arc;

use arrow::array::{RecordBatch, StructArray};
use arrow::datatypes::{DataType, Schema, SchemaRef};
use arrow::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi_and_data_type};
use crossbeam_channel::{Receiver, Sender, unbounded};
use duckdb::ffi;

use crate::duckdb::error::engine;
use crate::error::{Error, Result};

/// A raw connection. Clones of the `Arc` keep it open; the last one closes it.
pub(crate) struct RawConnection(ffi::duckdb_connection);

// SAFETY: DuckDB's connections may move between threads, and may be interrupted from any thread while another one
// runs a query. All other calls go through `&self` methods of owners that stay on one thread at a time: they take
// the connection's own lock inside DuckDB.
unsafe impl Send for RawConnection {}
// SAFETY: as above; the engine serializes calls on one connection by its context lock.
unsafe impl Sync for RawConnection {}

impl RawConnection {
    /// Connects to an open database.
    ///
    /// # Safety
    /// `database` must be open for the duration of the call.
    pub(crate) unsafe fn connect(database: ffi::duckdb_database) -> Result<Arc<Self>> {
        let mut connection = ptr::null_mut();
        // SAFETY: the caller vouches for `database`; `connection` is ours to fill.
        if unsafe { ffi::duckdb_connect(database, &mut connection) } != ffi::DuckDBSuccess {
            return Err(Error::engine("connecting to the database", "DuckDB gave no connection"));
        }
        Ok(Arc::new(RawConnection(connection)))
    }

    /// The handle, for the call that turns a stream into a view.
    pub(crate) fn handle(&self) -> ffi::duckdb_connection {
        self.0
    }

    /// Asks the running query to stop; from any thread.
    pub(crate) fn interrupt(&self) {
        // SAFETY: the connection is open as long as `self` lives; the engine allows this call at any time.
        unsafe { ffi::duckdb_interrupt(self.0) }
    }

    /// Whether a name of one to three parts is a table's, without any SQL: an error of DuckDB's about a missing table
    /// weighs every name it knows for a suggestion, which takes longer than loading a small file. `None` if that leaves
    /// it open: a view, or a first part that could be a database's.
    pub(crate) fn has_table(&self, parts: [Option<&str>; 3]) -> Result<Option<bool>> {
        let [database, schema, table] = parts.map(|part| part.map(c_text).transpose());
        let (database, schema, table) = (database?, schema?, table?);
        let pointer = |text: &Option<CString>| text.as_ref().map_or(ptr::null(), |text| text.as_ptr());
        // SAFETY: the names live through the call, null stands for the default; the description is destroyed on every
        // way out, after its last use.
        unsafe {
            let mut description = ptr::null_mut();
            let state = ffi::duckdb_table_description_create_ext(
                self.0,
                pointer(&database),
                pointer(&schema),
                pointer(&table),
                &mut description,
            );
            let message = text(ffi::duckdb_table_description_error(description));
            ffi::duckdb_table_description_destroy(&mut description);
            let certain = database.is_some() || schema.is_none();
            Ok(match state == ffi::DuckDBSuccess {
                true => Some(true),
                false => (certain && message.starts_with("No table with")).then_some(false),
            })
        }
    }

    /// Runs statements for their effect.
    pub(crate) fn execute(&self, doing: &str, sql: &str) -> Result<()> {
        let sql = c_text(sql)?;
        // SAFETY: an all-zero result is what the call expects to fill; it is destroyed on both ways out.
        unsafe {
            let mut result = std::mem::zeroed();
            let state = ffi::duckdb_query(self.0, sql.as_ptr(), &mut result);
            let message = (state != ffi::DuckDBSuccess).then(|| text(ffi::duckdb_result_error(&mut result)));
            ffi::duckdb_destroy_result(&mut result);
            message.map_or(Ok(()), |message| Err(engine(doing, message)))
        }
    }

    /// Prepares the one statement in `sql`; `None` if there is not exactly one.
    pub(crate) fn prepare(self: &Arc<Self>, doing: &str, sql: &str) -> Result<Option<RawStatement>> {
        let sql = c_text(sql)?;
        // SAFETY: every out pointer is ours; the extracted list is destroyed on each way out, after its last use;
        // a statement that was created, even a failed one, is owned by the returned value or destroyed by it.
        unsafe {
            let mut extracted = ptr::null_mut();
            let count = ffi::duckdb_extract_statements(self.0, sql.as_ptr(), &mut extracted);
            let prepared = if count == 1 {
                let mut statement = RawStatement { statement: ptr::null_mut(), _connection: Arc::clone(self) };
                let state = ffi::duckdb_prepare_extracted_statement(self.0, extracted, 0, &mut statement.statement);
                if state == ffi::DuckDBSuccess {
                    Ok(Some(statement))
                } else {
                    Err(engine(doing, text(ffi::duckdb_prepare_error(statement.statement))))
                }
            } else {
                let message = ffi::duckdb_extract_statements_error(extracted);
                if count == 0 && !message.is_null() { Err(engine(doing, text(message))) } else { Ok(None) }
            };
            ffi::duckdb_destroy_extracted(&mut extracted);
            prepared
        }
    }
}

impl Drop for RawConnection {
    fn drop(&mut self) {
        // SAFETY: nobody else holds the handle: statements and results keep the `Arc` alive.
        unsafe { ffi::duckdb_disconnect(&mut self.0) }
    }
}

/// A prepared statement.
pub(crate) struct RawStatement {
    statement: ffi::duckdb_prepared_statement,
    _connection: Arc<RawConnection>,
}

// SAFETY: a prepared statement is used by its one owner and has no tie to a thread.
unsafe impl Send for RawStatement {}

/// One column of a statement's result.
#[derive(Debug, Clone)]
pub(crate) struct ResultColumn {
    pub(crate) name: String,
    pub(crate) type_id: ffi::duckdb_type,
}

impl RawStatement {
    /// Whether it is a query that only reads.
    pub(crate) fn is_select(&self) -> bool {
        // SAFETY: the statement is alive as long as `self`.
        let kind = unsafe { ffi::duckdb_prepared_statement_type(self.statement) };
        kind == ffi::duckdb_statement_type_DUCKDB_STATEMENT_TYPE_SELECT
            || kind == ffi::duckdb_statement_type_DUCKDB_STATEMENT_TYPE_EXPLAIN
    }

    /// How many parameters wait for a value.
    pub(crate) fn parameters(&self) -> u64 {
        // SAFETY: the statement is alive as long as `self`.
        unsafe { ffi::duckdb_nparams(self.statement) }
    }

    /// The columns that the result will have.
    pub(crate) fn columns(&self) -> Vec<ResultColumn> {
        // SAFETY: indexes stay below the count; names are copied and freed, types destroyed, within the loop.
        unsafe {
            let count = ffi::duckdb_prepared_statement_column_count(self.statement);
            (0..count)
                .map(|index| {
                    let name = ffi::duckdb_prepared_statement_column_name(self.statement, index);
                    let column = ResultColumn {
                        name: text(name),
                        type_id: ffi::duckdb_prepared_statement_column_type(self.statement, index),
                    };
                    ffi::duckdb_free(name.cast_mut().cast());
                    column
                })
                .collect()
        }
    }

    /// Runs it; rows are made as they are pulled.
    pub(crate) fn stream(self, doing: &str) -> Result<RawStream> {
        // SAFETY: the result is owned by `RawResult` from the start, which destroys it in every case.
        unsafe {
            let (spent, to_free) = unbounded();
            let mut layout = ChunkLayout {
                options: ptr::null_mut(),
                rows: DataType::Null,
                spent,
                _connection: Arc::clone(&self._connection),
            };
            let mut result = RawResult { result: std::mem::zeroed(), _statement: self };
            let state = ffi::duckdb_execute_prepared_streaming(result._statement.statement, &mut result.result);
            if state != ffi::DuckDBSuccess {
                return Err(engine(doing, text(ffi::duckdb_result_error(&mut result.result))));
            }
            layout.options = ffi::duckdb_result_get_arrow_options(&mut result.result);
            let schema = Arc::new(result.schema(doing, &layout)?);
            layout.rows = DataType::Struct(schema.fields().clone());
            Ok(RawStream { result, layout: Arc::new(layout), schema, to_free })
        }
    }
}

impl Drop for RawStatement {
    fn drop(&mut self) {
        // SAFETY: the only owner; null is allowed. The connection outlives this call.
        unsafe { ffi::duckdb_destroy_prepare(&mut self.statement) }
    }
}

/// A running query.
pub(crate) struct RawStream {
    result: RawResult,
    /// Chunks that were turned into Arrow. Whoever asks for the next one frees them: threads that free what another
    /// allocates at that moment wait for each other, several times per chunk. Before `layout`, that keeps the database.
    to_free: Receiver<OwnedChunk>,
    layout: Arc<ChunkLayout>,
    schema: SchemaRef,
}

impl RawStream {
    pub(crate) fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// The next rows; `None` at the end.
    pub(crate) fn next(&mut self, doing: &str) -> Result<Option<RawChunk>> {
        self.to_free.try_iter().for_each(drop);
        // SAFETY: a chunk that is not null is ours, and owned by `OwnedChunk` from the start.
        unsafe {
            let chunk = ffi::duckdb_fetch_chunk(self.result.result);
            if chunk.is_null() {
                let message = ffi::duckdb_result_error(&mut self.result.result);
                return if message.is_null() || *message == 0 { Ok(None) } else { Err(engine(doing, text(message))) };
            }
            let chunk = OwnedChunk(chunk);
            let rows = ffi::duckdb_data_chunk_get_size(chunk.0) as usize;
            Ok((rows > 0).then(|| RawChunk { chunk, rows, layout: Arc::clone(&self.layout) }))
        }
    }
}

/// What the engine calls a result.
struct RawResult {
    result: ffi::duckdb_result,
    _statement: RawStatement,
}

// SAFETY: one owner pulls from it at a time; it has no tie to a thread.
unsafe impl Send for RawResult {}

impl RawResult {
    /// The schema of the rows, under the options of `layout`.
    fn schema(&mut self, doing: &str, layout: &ChunkLayout) -> Result<Schema> {
        // SAFETY: names live in the result, which lives in `self`; types are destroyed after the call; the schema
        // that DuckDB fills has the C layout that arrow's type has.
        unsafe {
            let count = ffi::duckdb_column_count(&mut self.result);
            let mut names: Vec<_> = (0..count).map(|i| ffi::duckdb_column_name(&mut self.result, i)).collect();
            let mut types: Vec<_> = (0..count).map(|i| ffi::duckdb_column_logical_type(&mut self.result, i)).collect();
            let mut c_schema = FFI_ArrowSchema::empty();
            let failure = ffi::duckdb_to_arrow_schema(
                layout.options,
                types.as_mut_ptr(),
                names.as_mut_ptr(),
                count,
                ptr::from_mut(&mut c_schema).cast(),
            );
            types.iter_mut().for_each(|type_| ffi::duckdb_destroy_logical_type(type_));
            check(doing, failure)?;
            Schema::try_from(&c_schema).map_err(|error| Error::arrow(doing, error))
        }
    }
}

impl Drop for RawResult {
    fn drop(&mut self) {
        // SAFETY: the only owner; a zeroed result is accepted.
        unsafe { ffi::duckdb_destroy_result(&mut self.result) }
    }
}

/// What turning the chunks of one result into Arrow takes. The options point into the connection.
struct ChunkLayout {
    options: ffi::duckdb_arrow_options,
    /// A row of all columns, as Arrow has it.
    rows: DataType,
    spent: Sender<OwnedChunk>,
    _connection: Arc<RawConnection>,
}

// SAFETY: filled before it is shared, and only read from then on: the engine copies settings out of the options and asks
// the connection's database for extension types under that list's own lock.
unsafe impl Send for ChunkLayout {}
// SAFETY: as above.
unsafe impl Sync for ChunkLayout {}

impl Drop for ChunkLayout {
    fn drop(&mut self) {
        if !self.options.is_null() {
            // SAFETY: the only owner, and the connection is still open.
            unsafe { ffi::duckdb_destroy_arrow_options(&mut self.options) }
        }
    }
}

/// One engine vector of rows, in the engine's own form. It may outlive the result, and go to another thread.
pub(crate) struct RawChunk {
    chunk: OwnedChunk,
    rows: usize,
    layout: Arc<ChunkLayout>,
}

impl RawChunk {
    /// Rows, at least one.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// The rows as Arrow.
    pub(crate) fn into_batch(self, doing: &str) -> Result<RecordBatch> {
        let mut array = FFI_ArrowArray::empty();
        // SAFETY: the array is filled by DuckDB under the options that gave the schema, and copies or keeps what it needs
        // of the chunk, which is destroyed afterwards.
        let data = unsafe {
            let out = ptr::from_mut(&mut array).cast();
            check(doing, ffi::duckdb_data_chunk_to_arrow(self.layout.options, self.chunk.0, out))?;
            from_ffi_and_data_type(array, self.layout.rows.clone()).map_err(|error| Error::arrow(doing, error))?
        };
        // If the stream has ended, it is freed here.
        let _ = self.layout.spent.send(self.chunk);
        Ok(RecordBatch::from(StructArray::from(data)))
    }
}

/// A chunk of the engine's, freed with it.
struct OwnedChunk(ffi::duckdb_data_chunk);

// SAFETY: the engine made it as a copy for the stream's buffer: it shares nothing with later chunks. Whoever holds
// one has the layout, too, that keeps the connection and with it the database, and drops it later.
unsafe impl Send for OwnedChunk {}

impl Drop for OwnedChunk {
    fn drop(&mut self) {
        // SAFETY: the only owner.
        unsafe { ffi::duckdb_destroy_data_chunk(&mut self.0) }
    }
}

/// Takes an error object of the engine, if it is one.
///
/// # Safety
/// `failure` is null or owned by the caller, who gives it up.
unsafe fn check(doing: &str, mut failure: ffi::duckdb_error_data) -> Result<()> {
    if failure.is_null() {
        return Ok(());
    }
    // SAFETY: not null, and ours; the message is copied before the object goes.
    unsafe {
        let result = match ffi::duckdb_error_data_has_error(failure) {
            true => Err(engine(doing, text(ffi::duckdb_error_data_message(failure)))),
            false => Ok(()),
        };
        ffi::duckdb_destroy_error_data(&mut failure);
        result
    }
}

/// Copies a C string; null is empty.
///
/// # Safety
/// `message` is null or a NUL-terminated string that lives during the call.
pub(crate) unsafe fn text(message: *const std::ffi::c_char) -> String {
    if message.is_null() {
        return String::new();
    }
    // SAFETY: as the caller promises.
    unsafe { CStr::from_ptr(message) }.to_string_lossy().into_owned()
}

/// A text for the C API, which ends at NUL.
pub(crate) fn c_text(text: &str) -> Result<CString> {
    CString::new(text).map_err(|_| Error::usage("SQL and names must not hold a NUL byte"))
}
