//! The C API's connection, statement and result, each owned by one value and released exactly once.
//!
//! In: SQL text. Out: chunks of one engine vector each, pulled one at a time, that any thread can turn into Arrow.
//! `duckdb::Connection` does not show its raw handle, and its statements borrow from it; a scan needs the former, a
//! stream that owns its connection cannot live with the latter.

use std::ffi::CString;
use std::ptr;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use crossbeam_channel::{Receiver, Sender, unbounded};
use duckdb::ffi;

use crate::duckdb::c_text::{c_text, text};
use crate::duckdb::error::engine;
use crate::duckdb::vector::VectorType;
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

    /// Runs it; rows are made as they are pulled, and turned into Arrow these columns of them. Others may be of any type.
    pub(crate) fn stream(self, doing: &str, columns: &[usize]) -> Result<RawStream> {
        // SAFETY: the result is owned by `RawResult` from the start, which destroys it in every case.
        unsafe {
            let connection = Arc::clone(&self._connection);
            let mut result = RawResult { result: std::mem::zeroed(), _statement: self };
            let state = ffi::duckdb_execute_prepared_streaming(result._statement.statement, &mut result.result);
            if state != ffi::DuckDBSuccess {
                return Err(engine(doing, text(ffi::duckdb_result_error(&mut result.result))));
            }
            let (spent, to_free) = unbounded();
            let layout = Arc::new(ChunkLayout { columns: result.columns(columns)?, spent, _connection: connection });
            Ok(RawStream { result, to_free, layout })
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
}

impl RawStream {
    /// The Arrow types of the columns.
    pub(crate) fn data_types(&self) -> impl Iterator<Item = &DataType> {
        self.layout.columns.iter().map(|(_, column)| column.data_type())
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
    /// Where these columns are, and what their vectors are.
    fn columns(&mut self, columns: &[usize]) -> Result<Vec<(u64, VectorType)>> {
        // SAFETY: the result is alive; each type is destroyed after its last use.
        unsafe {
            let column = |&index: &usize| {
                let index = index as u64;
                let mut logical = ffi::duckdb_column_logical_type(&mut self.result, index);
                let column = VectorType::new(logical);
                ffi::duckdb_destroy_logical_type(&mut logical);
                let column = column.ok_or_else(|| Error::internal("a column was to be cast to text, and was not"));
                column.map(|column| (index, column))
            };
            columns.iter().map(column).collect()
        }
    }
}

impl Drop for RawResult {
    fn drop(&mut self) {
        // SAFETY: the only owner; a zeroed result is accepted.
        unsafe { ffi::duckdb_destroy_result(&mut self.result) }
    }
}

/// What turning the chunks of one result into Arrow takes.
struct ChunkLayout {
    columns: Vec<(u64, VectorType)>,
    spent: Sender<OwnedChunk>,
    _connection: Arc<RawConnection>,
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

    /// The stream's columns as Arrow.
    pub(crate) fn into_arrays(self) -> Result<Vec<ArrayRef>> {
        let array = |(index, column): &(u64, VectorType)| {
            // SAFETY: a chunk of a streamed result has flat vectors, one for each column, each with all its rows; it is
            // ours alone.
            unsafe {
                let vector = ffi::duckdb_data_chunk_get_vector(self.chunk.0, *index);
                column.array(vector, self.rows)
            }
        };
        let arrays = self.layout.columns.iter().map(array).collect();
        // If the stream has ended, it is freed here.
        let _ = self.layout.spent.send(self.chunk);
        arrays
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
