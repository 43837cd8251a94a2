//! [`Session`]: what surrounds a run: who watches it, who may stop it, where its figures go.

use std::cell::Cell;
use std::path::Path;
use std::time::Instant;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::cli::progress::{Display, Mode};
use crate::error::{Error, Result};
use crate::job::{CancelToken, Monitor};
use crate::step::{MetricsLog, events};

/// What every verb can be told.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Common {
    pub quiet: bool,
    pub verbose: u8,
    pub progress: Mode,
    pub json: bool,
    pub metrics: Option<String>,
}

/// One run.
pub(crate) struct Session {
    pub common: Common,
    pub cancel: CancelToken,
    pub display: Display,
    metrics: Option<MetricsLog>,
    started: Instant,
    stdout_taken: Cell<bool>,
}

impl Session {
    pub(crate) fn new(common: Common, cancel: CancelToken) -> Result<Session> {
        let display = Display::new(common.progress, common.quiet);
        let metrics = common.metrics.as_ref().map(MetricsLog::append_to).transpose()?;
        Ok(Session { common, cancel, display, metrics, started: Instant::now(), stdout_taken: Cell::new(false) })
    }

    /// A monitor for one piece of work.
    pub(crate) fn monitor(&self) -> Monitor {
        Monitor::new(self.cancel.clone(), self.display.callback())
    }

    /// From here on stdout carries data, if that is where `target` is.
    pub(crate) fn writes_to(&self, target: &str) {
        self.stdout_taken.set(Path::new(target) == Path::new("-"));
    }

    /// Whether the result object has to go to stderr.
    pub(crate) fn stdout_taken(&self) -> bool {
        self.stdout_taken.get()
    }

    /// A line of the metrics file, where there is one.
    pub(crate) fn log(&self, event: &str, fields: Map<String, Value>) -> Result<()> {
        self.metrics.as_ref().map_or(Ok(()), |metrics| metrics.log("", event, fields))
    }

    pub(crate) fn log_start(&self, verb: &str) -> Result<()> {
        self.log(events::RUN_START, Map::from_iter([("stage".to_owned(), json!(verb))]))
    }

    /// The last lines of a run that is done: each file, each widened column, the whole.
    pub(crate) fn log_end(&self, result: &Map<String, Value>) -> Result<()> {
        let list = |value: Option<&Value>| value.and_then(Value::as_array).cloned().unwrap_or_default();
        for file in list(result.get("read").and_then(|read| read.get("files"))) {
            let fields = [
                ("file", file["source"].clone()),
                ("rows", file["rows"].clone()),
                ("rejects", file["rejected"].clone()),
                ("detail", file),
            ];
            self.log(events::FILE_END, named(fields))?;
        }
        for promotion in list(result.get("promotions")) {
            self.log(events::SCHEMA_PROMOTED, named([("detail", promotion)]))?;
        }
        let elapsed = self.started.elapsed();
        let rows = result.get("rows").and_then(Value::as_u64);
        let mut fields = Map::new();
        let mut add = |name: &str, value: Option<Value>| {
            fields.extend(value.map(|value| (name.to_owned(), value)));
        };
        let read = |name: &str| result.get("read").and_then(|read| read.get(name)).cloned();
        add("rows", rows.map(Value::from));
        add("bytes_in_raw", read("raw_bytes"));
        add("bytes_in_decoded", read("text_bytes"));
        add("bytes_out", result.get("bytes").cloned());
        add("rejects", result.get("rejected").cloned());
        add("elapsed_ms", Some(json!(elapsed.as_millis() as u64)));
        add("rows_per_s", rows.map(|rows| json!((rows as f64 / elapsed.as_secs_f64().max(1e-9)).round())));
        self.log(events::RUN_END, fields)
    }

    /// The last line of a run that failed. The error is the news, even if this cannot be written.
    pub(crate) fn log_failure(&self, error: &Error) {
        let event = if error.is_cancelled() { events::CANCELLED } else { events::FAILED };
        let fields = [
            ("elapsed_ms", json!(self.started.elapsed().as_millis() as u64)),
            ("detail", json!({"error": error.to_string()})),
        ];
        let _ = self.log(event, named(fields));
    }
}

fn named<const N: usize>(fields: [(&str, Value); N]) -> Map<String, Value> {
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
