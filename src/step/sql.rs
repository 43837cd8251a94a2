//! [`SqlProcessor`]: a step that makes a table, named after it, of a query's rows.

use std::time::Instant;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::duckdb::TableName;
use crate::error::Result;
use crate::options::from_json;
use crate::step::config::{object, required};
use crate::step::write::existing_table;
use crate::step::{Context, Step, in_step};

/// Makes a table named after the step of a query's rows, inside the database.
///
/// Config: `query` (required; alias `sql`): one `SELECT`, over tables by their names, which are the ids of the steps
/// that made them. Inputs: any names; each value must be a table that exists. Result: `{"table": …, "rows": …}`.
#[derive(Debug, Clone, Copy, Default)]
pub struct SqlProcessor;

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct SqlConfig {
    #[serde(alias = "sql")]
    query: Option<String>,
}

impl Step for SqlProcessor {
    fn check(&self, config: &Value) -> Result<()> {
        from_json::<SqlConfig>(Value::Object(object(config.clone(), "the config")?)).map(drop)
    }

    fn run(&self, step_id: &str, config: Value, inputs: Value, ctx: &dyn Context) -> Result<Value> {
        process(step_id, config, inputs, ctx).map_err(|error| in_step(step_id, error))
    }
}

fn process(step_id: &str, config: Value, inputs: Value, ctx: &dyn Context) -> Result<Value> {
    let started = Instant::now();
    let config: SqlConfig = from_json(Value::Object(object(config, "the config")?))?;
    let query = required(config.query, "query")?;
    let table = TableName::new(step_id)?;
    for input in object(inputs, "inputs")?.values().filter_map(Value::as_str) {
        existing_table(ctx.database(), input)?;
    }
    ctx.log_event(step_id, "sql.start", Map::new())?;
    let rows = ctx.database().create_table_as(&table, &query, &ctx.monitor())?;
    let elapsed = started.elapsed().as_millis() as u64;
    ctx.log_metric("rows_written", json!(rows))?;
    ctx.log_metric("duration_ms", json!(elapsed))?;
    let complete = [("rows".to_owned(), json!(rows)), ("elapsed_ms".to_owned(), json!(elapsed))];
    ctx.log_event(step_id, "sql.complete", Map::from_iter(complete))?;
    Ok(json!({"table": step_id, "rows": rows}))
}
