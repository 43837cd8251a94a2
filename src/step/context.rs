//! [`Context`]: what steps get from whoever runs them.
//!
//! In: an output folder. Out: the database that steps share, a place for figures, a monitor per step.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value, json};

use crate::duckdb::{Database, DatabaseOptions};
use crate::error::{Error, Result};
use crate::job::{CancelToken, Monitor, Progress, ProgressCallback};
use crate::step::metrics::{MetricsLog, events};

/// What a host program gives to steps.
pub trait Context {
    /// The database that holds the tables which steps exchange.
    fn database(&self) -> &Database;

    /// Takes one figure, such as `rows_read`.
    ///
    /// # Errors
    /// Fails the step.
    fn log_metric(&self, name: &str, value: Value) -> Result<()>;

    /// Where a step may leave files of its own. Output paths in configs do not depend on it.
    fn output_dir(&self) -> &Path;

    /// Takes one event of a step, with its figures. Default: nothing is done.
    ///
    /// # Errors
    /// Fails the step.
    fn log_event(&self, _step_id: &str, _event: &str, _fields: Map<String, Value>) -> Result<()> {
        Ok(())
    }

    /// A monitor for one step. Default: nobody watches or cancels.
    fn monitor(&self) -> Monitor {
        Monitor::default()
    }
}

/// A [`Context`] in a folder: `pipeline_data.duckdb`, `metrics.jsonl`.
///
/// ```
/// use duckstream::{Context, CsvStreamingExtractor, DefaultContext, Step};
/// use serde_json::{Value, json};
/// let folder = tempfile::tempdir().unwrap();
/// let input = folder.path().join("people.csv");
/// std::fs::write(&input, "name,born\nAda,1815\nEmmy,1882\n").unwrap();
/// let ctx = DefaultContext::open(folder.path().join("out"))?;
/// let result = CsvStreamingExtractor.run("people", json!({"path": input}), Value::Null, &ctx)?;
/// assert_eq!(result, json!({"table": "people", "rows": 2}));
/// # Ok::<(), duckstream::Error>(())
/// ```
pub struct DefaultContext {
    output_dir: PathBuf,
    database: Database,
    metrics: MetricsLog,
    /// The step whose event came last: figures are its.
    current: Mutex<String>,
    cancel: CancelToken,
    callback: Option<ProgressCallback>,
}

impl DefaultContext {
    /// The name of the database in the output folder.
    pub const DATABASE: &'static str = "pipeline_data.duckdb";
    /// The name of the metrics file in the output folder.
    pub const METRICS: &'static str = "metrics.jsonl";

    /// Opens the database and the metrics file in a folder; all three are made if they are not there.
    ///
    /// # Errors
    /// Those of [`Database::open`] and [`MetricsLog::append_to`].
    pub fn open(output_dir: impl AsRef<Path>) -> Result<Self> {
        Self::open_with(output_dir, &DatabaseOptions::default())
    }

    /// As [`open`](Self::open), with options for the database.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_with(output_dir: impl AsRef<Path>, options: &DatabaseOptions) -> Result<Self> {
        let output_dir = output_dir.as_ref().to_owned();
        std::fs::create_dir_all(&output_dir).map_err(|error| Error::write(output_dir.display().to_string(), error))?;
        Ok(DefaultContext {
            database: Database::open_with(output_dir.join(Self::DATABASE), options)?,
            metrics: MetricsLog::append_to(output_dir.join(Self::METRICS))?,
            output_dir,
            current: Mutex::default(),
            cancel: CancelToken::new(),
            callback: None,
        })
    }

    /// Steps are cancelled by this token.
    pub fn with_cancel(mut self, cancel: CancelToken) -> Self {
        self.cancel = cancel;
        self
    }

    /// Steps report their progress to this function.
    pub fn with_progress(mut self, callback: impl Fn(&Progress) -> ControlFlow<()> + Send + Sync + 'static) -> Self {
        self.callback = Some(Arc::new(callback));
        self
    }
}

impl Context for DefaultContext {
    fn database(&self) -> &Database {
        &self.database
    }

    fn log_metric(&self, name: &str, value: Value) -> Result<()> {
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let fields = Map::from_iter([("name".to_owned(), json!(name)), ("value".to_owned(), value)]);
        self.metrics.log(&current, events::METRIC, fields)
    }

    fn output_dir(&self) -> &Path {
        &self.output_dir
    }

    fn log_event(&self, step_id: &str, event: &str, fields: Map<String, Value>) -> Result<()> {
        step_id.clone_into(&mut self.current.lock().unwrap_or_else(PoisonError::into_inner));
        self.metrics.log(step_id, event, fields)
    }

    fn monitor(&self) -> Monitor {
        Monitor::new(self.cancel.clone(), self.callback.clone())
    }
}
