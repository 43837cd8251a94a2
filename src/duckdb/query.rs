//! A table or a query as an Arrow stream, its columns in the asked order.
//!
//! In: a [`Query`] and a [`ColumnOrder`]. Out: a [`TableStream`] that owns its connection and pulls one engine
//! vector at a time, so memory stays bounded; rows keep the table's order. Types that Arrow has no equal for leave
//! as DuckDB's own text. It refuses SQL that is anything but one query.

use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchReader};
use arrow::datatypes::{Field, Schema, SchemaRef};
use arrow::error::ArrowError;

use crate::deferred::{DeferredBatch, DeferredReader};
use crate::duckdb::database::Database;
use crate::duckdb::error::{engine, no_such_table};
use crate::duckdb::raw::{RawChunk, RawConnection, RawStatement, RawStream};
use crate::duckdb::scan::{Interrupter, cancelled};
use crate::duckdb::sql::{self, TableName};
use crate::duckdb::types;
use crate::duckdb::vector::leaves_as_arrow;
use crate::error::{Error, Result};
use crate::job::Monitor;
use crate::options::{ColumnOrder, nearest};

const DOING: &str = "reading from the database";

/// What to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Query {
    /// All of a table or view.
    Table(TableName),
    /// The rows of one `SELECT` (or `FROM`, `VALUES`, `WITH`, …).
    Sql(String),
}

/// Rows of a table or query, one engine vector (2,048 rows) a batch. It owns its connection and may move between
/// threads. Dropping it ends the query.
#[must_use = "nothing is read until it is iterated"]
pub struct TableStream {
    schema: SchemaRef,
    result: Option<RawStream>,
    interrupter: Interrupter,
    monitor: Monitor,
    /// Keeps the handle open for as long as the connection.
    _database: Database,
}

impl Database {
    /// Reads a table or query. Rows come in the table's order, at any number of threads.
    ///
    /// Column names of a query may repeat; they stay as they are.
    ///
    /// ```
    /// use duckstream::{ColumnOrder, Database, Monitor, Query};
    /// let database = Database::memory()?;
    /// let query = Query::Sql("SELECT 1 AS b, 2 AS a".to_owned());
    /// let stream = database.query(&query, &ColumnOrder::Sorted, &Monitor::default())?;
    /// let schema = arrow::array::RecordBatchReader::schema(&stream);
    /// assert_eq!(schema.field(0).name(), "a");
    /// # Ok::<(), duckstream::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Target`](crate::ErrorKind::Target) if the table does not exist or DuckDB does not accept the query;
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) for SQL that is not one query, and for an unknown name in a column list.
    pub fn query(&self, what: &Query, order: &ColumnOrder, monitor: &Monitor) -> Result<TableStream> {
        let connection = self.connect_raw()?;
        // A view's own SQL may turn times into text, as any query may; of a table only what leaves as text does.
        let is_table = match what {
            Query::Table(table) => self.has_table(table)?,
            Query::Sql(_) => None,
        };
        let in_utc_session = || {
            // Without the ICU extension there is no such setting, and all is UTC anyway.
            let _ = connection.execute(DOING, sql::SET_UTC);
        };
        if is_table.is_none() {
            in_utc_session();
        }
        let interrupter = {
            let connection = Arc::clone(&connection);
            Interrupter::new(monitor.cancel_token(), move || connection.interrupt())
        };
        let statement = match what {
            Query::Table(table) if is_table == Some(false) => return Err(no_such_table(table)),
            Query::Table(table) => of_table(&connection, table)?,
            Query::Sql(text) => of_sql(&connection, text)?,
        };
        let columns = statement.columns();
        let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        let picked = pick(&names, order)?;

        let casts: Vec<bool> = columns.iter().map(|column| !leaves_as_arrow(column.type_id)).collect();
        let cast = |index: usize, expression: String| match casts[index] {
            true => sql::cast(&expression, "VARCHAR"),
            false => expression,
        };
        let as_text = picked.iter().any(|&index| casts[index]);
        // What runs, and where each picked column stands in its result.
        let (statement, places) = match what {
            // The engine need not read what nobody wants.
            Query::Table(table) if as_text || picked.len() < columns.len() => {
                in_utc_session();
                let expressions = picked.iter().map(|&index| cast(index, sql::ident(names[index])));
                let text = sql::select(&sql::list(expressions), &table.to_string());
                (prepare(&connection, &text)?, (0..picked.len()).collect())
            }
            Query::Sql(text) if as_text => {
                let text = text.trim().trim_end_matches([';', ' ', '\t', '\r', '\n']);
                let expressions = picked.iter().map(|&index| cast(index, sql::stream_column(index)));
                let text = sql::select(&sql::list(expressions), &sql::subquery(text, columns.len()));
                (prepare(&connection, &text)?, (0..picked.len()).collect())
            }
            _ => (statement, picked.clone()),
        };
        // A table knows its rows; a view would have to run for them.
        if let Query::Table(table) = what
            && is_table == Some(true)
            && monitor.is_watched()
        {
            let count = self.connect()?.query_row(&sql::count(&table.to_string()), [], |row| row.get(0));
            monitor.set_total_rows(count.map_err(|error| engine(DOING, error))?);
        }
        let result =
            statement.stream(DOING, &places).map_err(|error| cancelled(monitor.cancel_token()).unwrap_or(error))?;
        let fields = picked.iter().zip(result.data_types());
        let fields = fields.map(|(&index, data_type)| Field::new(names[index], data_type.clone(), true));
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        Ok(TableStream { schema, result: Some(result), interrupter, monitor: monitor.clone(), _database: self.clone() })
    }
}

fn of_table(connection: &Arc<RawConnection>, table: &TableName) -> Result<RawStatement> {
    match connection.prepare(DOING, &sql::select("*", &table.to_string())) {
        Ok(Some(statement)) => Ok(statement),
        Ok(None) => Err(Error::internal("a table's query is not one statement")),
        Err(error) if error.to_string().contains("does not exist") => Err(no_such_table(table)),
        Err(error) => Err(error),
    }
}

pub(crate) fn of_sql(connection: &Arc<RawConnection>, text: &str) -> Result<RawStatement> {
    let refuse = |why: &str| Error::usage(format!("the SQL must be one SELECT (or FROM, VALUES, WITH): {why}"));
    let statement = connection.prepare(DOING, text)?.ok_or_else(|| refuse("it is not one statement"))?;
    if !statement.is_select() {
        return Err(refuse("it does something else"));
    }
    if statement.parameters() > 0 {
        return Err(refuse("it has parameters without a value"));
    }
    Ok(statement)
}

fn prepare(connection: &Arc<RawConnection>, text: &str) -> Result<RawStatement> {
    connection.prepare(DOING, text)?.ok_or_else(|| Error::internal("a query of ours is not one statement"))
}

/// The indexes of the columns to write, in order.
fn pick(names: &[&str], order: &ColumnOrder) -> Result<Vec<usize>> {
    let mut picked: Vec<usize> = (0..names.len()).collect();
    match order {
        ColumnOrder::Table => {}
        // Strings compare by code point in UTF-8; the sort is stable, so equal names keep their order.
        ColumnOrder::Sorted => picked.sort_by_key(|&index| names[index]),
        ColumnOrder::List(list) => {
            let find = |wanted: &String| {
                let exact = names.iter().position(|name| name == wanted);
                let folded = || names.iter().position(|name| types::same_name(name, wanted));
                exact.or_else(folded).ok_or_else(|| {
                    let hint = match nearest(wanted, names) {
                        Some(near) => format!("did you mean '{near}'?"),
                        None => format!("there are: {}", names.join(", ")),
                    };
                    Error::usage(format!("unknown column '{wanted}' in column_order: {hint}"))
                })
            };
            picked = list.iter().map(find).collect::<Result<_>>()?;
            if picked.is_empty() {
                return Err(Error::usage("column_order lists no columns"));
            }
        }
    }
    Ok(picked)
}

fn batch(chunk: RawChunk, schema: &SchemaRef) -> Result<RecordBatch> {
    RecordBatch::try_new(Arc::clone(schema), chunk.into_arrays()?).map_err(|error| Error::arrow(DOING, error))
}

impl TableStream {
    fn pull(&mut self) -> Result<Option<RawChunk>> {
        let Some(result) = &mut self.result else { return Ok(None) };
        let next = match self.monitor.tick() {
            Ok(()) => result.next(DOING).map_err(|error| cancelled(self.monitor.cancel_token()).unwrap_or(error)),
            Err(error) => Err(error),
        };
        if !matches!(next, Ok(Some(_))) {
            // After the end or an error there is nothing more, and no query left to interrupt.
            self.interrupter.stop();
            self.result = None;
        }
        next
    }
}

impl DeferredReader for TableStream {
    fn next_deferred(&mut self) -> Result<Option<DeferredBatch>> {
        let chunk = self.pull()?;
        let schema = &self.schema;
        Ok(chunk.map(|chunk| {
            let schema = Arc::clone(schema);
            DeferredBatch::new(chunk.rows(), move || batch(chunk, &schema))
        }))
    }
}

impl Iterator for TableStream {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.pull().and_then(|chunk| chunk.map(|chunk| batch(chunk, &self.schema)).transpose());
        batch.map_err(ArrowError::from).transpose()
    }
}

impl RecordBatchReader for TableStream {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}
