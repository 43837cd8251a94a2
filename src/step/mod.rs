//! The pipeline contract: steps that exchange tables in one database.
//!
//! - `context.rs`: [`Context`], what a host gives to steps, and [`DefaultContext`].
//! - `metrics.rs`: [`MetricsLog`]: `metrics.jsonl`, a JSON object a line.
//! - `config.rs`: a step's config, divided into its own keys and the reader's or writer's options.
//! - `extract.rs`, `sql.rs`, `write.rs`: the steps.
//! - `pipeline.rs`: [`Pipeline`]: a file of steps, run in its order.
//!
//! In: a step's id, config and inputs, as JSON. Out: its result, as JSON; a table or a file. There is no scheduler.

mod config;
mod context;
mod extract;
mod metrics;
mod pipeline;
mod sql;
mod write;

use serde_json::Value;

use crate::error::{Error, ErrorKind, Result};

pub use context::{Context, DefaultContext};
pub use extract::CsvStreamingExtractor;
pub use metrics::{MetricsLog, events};
pub use pipeline::{Pipeline, StepRun};
pub use sql::SqlProcessor;
pub use write::{CsvStreamingWriter, ParquetStreamingWriter};

/// One kind of step.
pub trait Step {
    /// Looks at a config without running it: keys and values, not whether all that is required is there.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] naming the key.
    fn check(&self, config: &Value) -> Result<()>;

    /// Runs the step. What it makes is complete when it returns; after an error, nothing of it is there.
    ///
    /// # Errors
    /// [`ErrorKind::Step`], with the step's id and the cause.
    fn run(&self, step_id: &str, config: Value, inputs: Value, ctx: &dyn Context) -> Result<Value>;
}

/// Names the step in an error.
fn in_step(step_id: &str, error: Error) -> Error {
    if error.is_cancelled() {
        return error;
    }
    ErrorKind::Step { step: step_id.to_owned(), source: error }.into()
}
