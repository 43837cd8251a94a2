//! [`MetricsLog`]: `metrics.jsonl`, one JSON object a line, appended as things happen.
//!
//! In: an event and its figures. Out: a line with `ts`, `run_id`, `step_id`, `event`, then the figures. The keys are
//! stable. A line is written whole, with one call, so that several processes may share a file.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};

use crate::error::{Error, Result};

/// The names of events.
pub mod events {
    /// A run begins.
    pub const RUN_START: &str = "run_start";
    /// A run is done.
    pub const RUN_END: &str = "run_end";
    /// A run failed.
    pub const FAILED: &str = "failed";
    /// A run was cancelled.
    pub const CANCELLED: &str = "cancelled";
    /// An input is at its end.
    pub const FILE_END: &str = "file_end";
    /// A column got a wider type than the first batch suggested.
    pub const SCHEMA_PROMOTED: &str = "schema_promoted";
    /// One figure of a step, by name.
    pub const METRIC: &str = "metric";
}

/// An open `metrics.jsonl`.
#[derive(Debug)]
pub struct MetricsLog {
    path: PathBuf,
    file: Mutex<File>,
    run_id: String,
}

impl MetricsLog {
    /// Opens a file to append to; it and its folder are made if they are not there.
    ///
    /// # Errors
    /// [`ErrorKind::Write`](crate::ErrorKind::Write) if the system refuses.
    pub fn append_to(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref().to_owned();
        let open = || {
            if let Some(parent) = path.parent() {
                std::fs::create_dir_all(parent)?;
            }
            OpenOptions::new().create(true).append(true).open(&path)
        };
        let file = open().map_err(|error| Error::write(path.display().to_string(), error))?;
        let run_id = format!("{:x}-{:x}", now().as_micros(), std::process::id());
        Ok(MetricsLog { path, file: Mutex::new(file), run_id })
    }

    /// What all lines of this run have as `run_id`.
    pub fn run_id(&self) -> &str {
        &self.run_id
    }

    /// Appends a line. `step_id` is left out where it is empty.
    ///
    /// # Errors
    /// [`ErrorKind::Write`](crate::ErrorKind::Write) if the system refuses.
    pub fn log(&self, step_id: &str, event: &str, fields: Map<String, Value>) -> Result<()> {
        let mut line = Map::new();
        line.insert("ts".to_owned(), json!(timestamp()));
        line.insert("run_id".to_owned(), json!(self.run_id));
        if !step_id.is_empty() {
            line.insert("step_id".to_owned(), json!(step_id));
        }
        line.insert("event".to_owned(), json!(event));
        line.extend(fields);
        let text = format!("{}\n", Value::Object(line));
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.write_all(text.as_bytes()).map_err(|error| Error::write(self.path.display().to_string(), error))
    }
}

fn now() -> std::time::Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// The time in UTC, to the millisecond, as RFC 3339 writes it.
fn timestamp() -> String {
    let now = now();
    let time = chrono::DateTime::from_timestamp(now.as_secs() as i64, now.subsec_nanos()).unwrap_or_default();
    time.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_objects_with_stable_keys() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/metrics.jsonl");
        for _ in 0..2 {
            let log = MetricsLog::append_to(&path).unwrap();
            log.log("extract", events::METRIC, Map::from_iter([("rows".to_owned(), json!(3))])).unwrap();
            log.log("", events::RUN_END, Map::new()).unwrap();
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 4);
        let keys: Vec<&String> = lines[0].as_object().unwrap().keys().collect();
        assert_eq!(keys, ["ts", "run_id", "step_id", "event", "rows"]);
        assert!(lines[1].get("step_id").is_none());
        assert_eq!(lines[0]["run_id"], lines[1]["run_id"]);
        assert_ne!(lines[0]["run_id"], lines[2]["run_id"]);
        assert!(lines[0]["ts"].as_str().unwrap().ends_with('Z'));
    }
}
