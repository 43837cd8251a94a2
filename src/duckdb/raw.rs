//! The C API's connection, statement and result, each owned by one value and released exactly once.
//!
//! In: SQL text. Out: Arrow batches of one engine vector each, pulled one at a time. `duckdb::Connection` does not
//! show its raw handle, and its statements borrow from it; a scan needs the former, a stream that owns its
//! connection cannot live with the latter.

use std::ffi::{CStr, CString};
use std::ptr;
use std::sync::Arc;

use arrow::array::{RecordBatch, StructArray};
use arrow::datatypes::{Schema, SchemaRef};
use arrow::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi};
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
    pub(crate) fn stream(self, doing: &str) -> Result<RawResult> {
        // SAFETY: the result is owned by `RawResult` from the start, which destroys it in every case.
        unsafe {
            let mut result = RawResult {
                result: std::mem::zeroed(),
                options: ptr::null_mut(),
                schema: Arc::new(Schema::empty()),
                c_schema: FFI_ArrowSchema::empty(),
                _statement: self,
            };
            let state = ffi::duckdb_execute_prepared_streaming(result._statement.statement, &mut result.result);
            if state != ffi::DuckDBSuccess {
                return Err(engine(doing, text(ffi::duckdb_result_error(&mut result.result))));
            }
            result.options = ffi::duckdb_result_get_arrow_options(&mut result.result);
            result.load_schema(doing)?;
            Ok(result)
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
pub(crate) struct RawResult {
    result: ffi::duckdb_result,
    options: ffi::duckdb_arrow_options,
    schema: SchemaRef,
    c_schema: FFI_ArrowSchema,
    _statement: RawStatement,
}

// SAFETY: one owner pulls from it at a time; it has no tie to a thread.
unsafe impl Send for RawResult {}

impl RawResult {
    pub(crate) fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn load_schema(&mut self, doing: &str) -> Result<()> {
        // SAFETY: names live in the result, which lives in `self`; types are destroyed after the call; the schema
        // that DuckDB fills has the C layout that arrow's type has.
        unsafe {
            let count = ffi::duckdb_column_count(&mut self.result);
            let mut names: Vec<_> = (0..count).map(|i| ffi::duckdb_column_name(&mut self.result, i)).collect();
            let mut types: Vec<_> = (0..count).map(|i| ffi::duckdb_column_logical_type(&mut self.result, i)).collect();
            let failure = ffi::duckdb_to_arrow_schema(
                self.options,
                types.as_mut_ptr(),
                names.as_mut_ptr(),
                count,
                ptr::from_mut(&mut self.c_schema).cast(),
            );
            types.iter_mut().for_each(|type_| ffi::duckdb_destroy_logical_type(type_));
            check(doing, failure)?;
            self.schema = Arc::new(Schema::try_from(&self.c_schema).map_err(|error| Error::arrow(doing, error))?);
        }
        Ok(())
    }

    /// The next batch; `None` at the end.
    pub(crate) fn next(&mut self, doing: &str) -> Result<Option<RecordBatch>> {
        // SAFETY: the chunk is ours and destroyed after its conversion, which copies or keeps what it needs; the
        // array is filled by DuckDB to the layout of `c_schema`, which it made itself.
        unsafe {
            let mut chunk = ffi::duckdb_fetch_chunk(self.result);
            if chunk.is_null() {
                let message = ffi::duckdb_result_error(&mut self.result);
                return if message.is_null() || *message == 0 { Ok(None) } else { Err(engine(doing, text(message))) };
            }
            let mut array = FFI_ArrowArray::empty();
            let failure = ffi::duckdb_data_chunk_to_arrow(self.options, chunk, ptr::from_mut(&mut array).cast());
            let rows = ffi::duckdb_data_chunk_get_size(chunk);
            ffi::duckdb_destroy_data_chunk(&mut chunk);
            check(doing, failure)?;
            if rows == 0 {
                return Ok(None);
            }
            let data = from_ffi(array, &self.c_schema).map_err(|error| Error::arrow(doing, error))?;
            Ok(Some(RecordBatch::from(StructArray::from(data))))
        }
    }
}

impl Drop for RawResult {
    fn drop(&mut self) {
        // SAFETY: the only owner; both calls accept null or zeroed handles.
        unsafe {
            if !self.options.is_null() {
                ffi::duckdb_destroy_arrow_options(&mut self.options);
            }
            ffi::duckdb_destroy_result(&mut self.result);
        }
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
