//! What the engine's tests share: streams, a quick load, a look at the catalog.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int64Array, RecordBatch, RecordBatchIterator, RecordBatchReader, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use duckstream::{Database, LoadOptions, Loaded, OneStream, Result, TableName};

/// Two columns, `n` (0, 1, …) and `s` (its text), in batches of `size` rows.
pub fn numbers(rows: i64, size: usize) -> impl RecordBatchReader + Send + 'static {
    let schema = numbers_schema();
    let of = Arc::clone(&schema);
    let batches = (0..rows).step_by(size).map(move |start| Ok(batch(&of, start, rows.min(start + size as i64))));
    RecordBatchIterator::new(batches, schema)
}

pub fn numbers_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![Field::new("n", DataType::Int64, true), Field::new("s", DataType::Utf8, true)]))
}

pub fn batch(schema: &SchemaRef, from: i64, to: i64) -> RecordBatch {
    let texts: StringArray = (from..to).map(|n| Some(n.to_string())).collect();
    RecordBatch::try_new(Arc::clone(schema), vec![Arc::new(Int64Array::from_iter_values(from..to)), Arc::new(texts)])
        .unwrap()
}

/// One batch of the given columns.
pub fn stream(columns: Vec<(&str, ArrayRef)>) -> impl RecordBatchReader + Send + 'static {
    let fields: Vec<Field> =
        columns.iter().map(|(name, array)| Field::new(*name, array.data_type().clone(), true)).collect();
    let schema = Arc::new(Schema::new(fields));
    let batch = RecordBatch::try_new(Arc::clone(&schema), columns.into_iter().map(|(_, array)| array).collect());
    RecordBatchIterator::new([batch], schema)
}

pub fn ints(values: &[i64]) -> ArrayRef {
    Arc::new(Int64Array::from(values.to_vec()))
}

pub fn texts(values: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

pub fn load(
    database: &Database,
    reader: impl RecordBatchReader + Send + 'static,
    table: &str,
    options: &LoadOptions,
) -> Result<Loaded> {
    database.load(&mut OneStream::new(reader), &table.parse::<TableName>()?, options, &mut |_, _| Ok(()))
}

/// One text for all rows of a query, `(a, b);(c, d)`.
pub fn rows(database: &Database, query: &str) -> String {
    let connection = database.connect().unwrap();
    let text = format!("SELECT CAST(COLUMNS(*) AS VARCHAR) FROM ({query}) AS q");
    let mut statement = connection.prepare(&text).unwrap();
    let mut rows = statement.query([]).unwrap();
    let mut lines = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        let count = row.as_ref().column_count();
        let value = |index| row.get::<_, Option<String>>(index).unwrap().unwrap_or_else(|| "NULL".to_owned());
        lines.push(format!("({})", (0..count).map(value).collect::<Vec<_>>().join(", ")));
    }
    lines.join(";")
}

pub fn execute(database: &Database, sql: &str) {
    database.connect().unwrap().execute_batch(sql).unwrap();
}

/// All that a user can find in the catalog.
pub fn catalog(database: &Database) -> String {
    rows(
        database,
        "SELECT 'd', database_name FROM duckdb_databases() \
         UNION ALL SELECT 's', database_name || '.' || schema_name FROM duckdb_schemas() WHERE NOT internal \
         UNION ALL SELECT 't', database_name || '.' || schema_name || '.' || table_name || ':' || estimated_size \
             FROM duckdb_tables() \
         UNION ALL SELECT 'v', view_name FROM duckdb_views() WHERE NOT internal \
         ORDER BY ALL",
    )
}

/// A reader that yields `good` batches and then what `then` makes.
pub fn broken(
    good: usize,
    then: impl FnMut() -> Option<Result<RecordBatch, ArrowError>> + Send + 'static,
) -> impl RecordBatchReader + Send + 'static {
    let schema = numbers_schema();
    let of = Arc::clone(&schema);
    let batches = (0..good as i64).map(move |index| Ok(batch(&of, index * 1000, (index + 1) * 1000)));
    RecordBatchIterator::new(batches.chain(std::iter::from_fn(then)), schema)
}
