//! [`CsvStreamingWriter`] and [`ParquetStreamingWriter`]: steps that write a table to a file.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::duckdb::{Database, Query, TableName};
use crate::error::{Error, ErrorKind, Result};
use crate::step::config::{divide, object, required};
use crate::step::{Context, Step, in_step};
use crate::transfer::{CsvExport, Format, OutputOptions};

/// Writes a table to a CSV file, its columns sorted by name.
///
/// Config: `path` (required), `skip_sorting` (the same as `sort_columns: false`), and every field of
/// [`WriterOptions`](crate::WriterOptions). Inputs: `table` (required). The file appears when it is complete. Result: `{}`.
#[derive(Debug, Clone, Copy, Default)]
pub struct CsvStreamingWriter;

/// Writes a table to a Parquet file, its columns sorted by name. Config, inputs and result as those of
/// [`CsvStreamingWriter`]; of the options, those that say which columns and what if the file exists.
#[derive(Debug, Clone, Copy, Default)]
pub struct ParquetStreamingWriter;

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct WriteConfig {
    path: Option<String>,
    skip_sorting: Option<bool>,
}

impl Step for CsvStreamingWriter {
    fn check(&self, config: &Value) -> Result<()> {
        parse(Format::Csv, config.clone()).map(drop)
    }

    fn run(&self, step_id: &str, config: Value, inputs: Value, ctx: &dyn Context) -> Result<Value> {
        write(Format::Csv, "CSVStreamingWriter", step_id, config, inputs, ctx).map_err(|error| in_step(step_id, error))
    }
}

impl Step for ParquetStreamingWriter {
    fn check(&self, config: &Value) -> Result<()> {
        parse(Format::Parquet, config.clone()).map(drop)
    }

    fn run(&self, step_id: &str, config: Value, inputs: Value, ctx: &dyn Context) -> Result<Value> {
        write(Format::Parquet, "ParquetStreamingWriter", step_id, config, inputs, ctx)
            .map_err(|error| in_step(step_id, error))
    }
}

fn parse(format: Format, config: Value) -> Result<(WriteConfig, OutputOptions)> {
    let (own, mut options) = divide::<WriteConfig>(config, &OutputOptions::names(format))?;
    if let Some(skip) = own.skip_sorting
        && options.insert("sort_columns".to_owned(), json!(!skip)).is_some_and(|sort| sort != json!(!skip))
    {
        return Err(Error::usage("'skip_sorting' and 'sort_columns' contradict each other"));
    }
    Ok((own, OutputOptions::from_json(format, options)?))
}

fn write(format: Format, name: &str, step_id: &str, config: Value, inputs: Value, ctx: &dyn Context) -> Result<Value> {
    let (own, options) = parse(format, config)?;
    let path = required(own.path, "path")?;
    let inputs = object(inputs, "inputs")?;
    let Some(table) = inputs.get("table").and_then(Value::as_str).filter(|table| !table.is_empty()) else {
        return Err(Error::usage(format!("{name} requires 'table' in inputs")));
    };
    let query = Query::Table(existing_table(ctx.database(), table)?);
    ctx.log_event(step_id, "write.start", Map::from_iter([("file".to_owned(), json!(path))]))?;
    let done = CsvExport::new(query, &path).with_output(options).with_monitor(ctx.monitor()).run(ctx.database())?;
    let elapsed = done.duration.as_millis() as u64;
    ctx.log_metric("rows_written", json!(done.rows))?;
    ctx.log_metric("bytes_written", json!(done.bytes))?;
    ctx.log_metric("duration_ms", json!(elapsed))?;
    let complete = [
        ("file", json!(path)),
        ("rows", json!(done.rows)),
        ("bytes_out", json!(done.bytes)),
        ("elapsed_ms", json!(elapsed)),
    ];
    ctx.log_event(step_id, "write.complete", Map::from_iter(complete.map(|(key, value)| (key.to_owned(), value))))?;
    Ok(json!({}))
}

/// The table that a text in a config means: one of that very name, else one in a schema.
pub(crate) fn existing_table(database: &Database, text: &str) -> Result<TableName> {
    let literal = TableName::new(text)?;
    if database.columns(&literal)?.is_some() {
        return Ok(literal);
    }
    match TableName::parse(text) {
        Ok(name) if database.columns(&name)?.is_some() => Ok(name),
        _ => {
            Err(ErrorKind::Target { message: format!("Table '{text}' does not exist in DuckDB"), source: None }.into())
        }
    }
}
