//! [`CsvStreamingExtractor`]: a step that loads CSV into a table named after it.

use std::path::PathBuf;
use std::time::Instant;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::duckdb::{LoadOptions, TableName};
use crate::error::{Error, Result};
use crate::input::Source;
use crate::options::{Dedup, LoadMode, ReaderOptions, field_names, from_json};
use crate::step::config::divide;
use crate::step::metrics::events;
use crate::step::{Context, Step, in_step};
use crate::transfer::CsvLoad;

/// Loads CSV into a table named after the step.
///
/// Config: `path` (required: a file, a glob, or a list of them), `mode` (default `replace`, so that a pipeline can run
/// again), `key` and `dedup` for `mode: merge`, `receipt` (a file) and `receipt_table` (a table) for a record of what was
/// done, and every field of [`ReaderOptions`]. Result: `{"table": …, "rows": …}`.
/// An empty file makes an empty table with one column, `placeholder`.
#[derive(Debug, Clone, Copy, Default)]
pub struct CsvStreamingExtractor;

#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ExtractConfig {
    path: Option<Paths>,
    mode: LoadMode,
    key: Vec<String>,
    dedup: Dedup,
    receipt: Option<PathBuf>,
    receipt_table: Option<String>,
}

/// One path or several.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "a path or a list of paths")]
enum Paths {
    One(String),
    Many(Vec<String>),
}

impl Default for ExtractConfig {
    fn default() -> Self {
        ExtractConfig {
            path: None,
            mode: LoadMode::Replace,
            key: Vec::new(),
            dedup: Dedup::default(),
            receipt: None,
            receipt_table: None,
        }
    }
}

impl ExtractConfig {
    fn sources(&self) -> Result<Vec<Source>> {
        let paths = match &self.path {
            Some(Paths::One(path)) => std::slice::from_ref(path),
            Some(Paths::Many(paths)) => paths,
            None => &[],
        };
        if paths.is_empty() || paths.iter().any(String::is_empty) {
            return Err(Error::usage("'path' is required in config"));
        }
        let sources: Result<Vec<_>> = paths.iter().map(|path| Source::expand(path)).collect();
        Ok(sources?.into_iter().flatten().collect())
    }
}

impl Step for CsvStreamingExtractor {
    fn check(&self, config: &Value) -> Result<()> {
        parse(config.clone()).map(drop)
    }

    fn run(&self, step_id: &str, config: Value, _inputs: Value, ctx: &dyn Context) -> Result<Value> {
        extract(step_id, config, ctx).map_err(|error| in_step(step_id, error))
    }
}

fn parse(config: Value) -> Result<(ExtractConfig, ReaderOptions)> {
    let (own, options) = divide(config, field_names::<ReaderOptions>())?;
    Ok((own, from_json(Value::Object(options))?))
}

fn extract(step_id: &str, config: Value, ctx: &dyn Context) -> Result<Value> {
    let started = Instant::now();
    let (own, options) = parse(config)?;
    let table = TableName::new(step_id)?;
    let sources = own.sources()?;
    ctx.log_event(step_id, "extraction.start", Map::from_iter([("files".to_owned(), json!(sources.len()))]))?;
    let load = LoadOptions {
        mode: own.mode,
        key: own.key,
        dedup: own.dedup,
        match_columns: options.match_columns,
        monitor: ctx.monitor(),
        ..LoadOptions::default()
    };
    let mut run = CsvLoad::new(sources, table).with_reader_options(options).with_load_options(load);
    if let Some(path) = own.receipt {
        run = run.with_receipt(path);
    }
    if let Some(receipts) = own.receipt_table {
        run = run.with_receipt_table(receipts.parse()?);
    }
    let done = run.run(ctx.database())?;
    for promotion in &done.promotions {
        let fields = Map::from_iter([("detail".to_owned(), json!(promotion))]);
        ctx.log_event(step_id, events::SCHEMA_PROMOTED, fields)?;
    }
    let elapsed = started.elapsed().as_millis() as u64;
    ctx.log_metric("rows_read", json!(done.rows))?;
    ctx.log_metric("rows_rejected", json!(done.rejected))?;
    ctx.log_metric("bytes_processed", json!(done.read.raw_bytes))?;
    ctx.log_metric("duration_ms", json!(elapsed))?;
    let complete = [
        ("rows", json!(done.rows)),
        ("rejects", json!(done.rejected)),
        ("bytes_in_raw", json!(done.read.raw_bytes)),
        ("bytes_in_decoded", json!(done.read.text_bytes)),
        ("elapsed_ms", json!(elapsed)),
    ];
    ctx.log_event(
        step_id,
        "extraction.complete",
        Map::from_iter(complete.map(|(key, value)| (key.to_owned(), value))),
    )?;
    let mut result = Map::new();
    result.insert("table".to_owned(), json!(step_id));
    result.insert("rows".to_owned(), json!(done.rows));
    if done.rejected > 0 {
        result.insert("rejected".to_owned(), json!(done.rejected));
    }
    Ok(Value::Object(result))
}
