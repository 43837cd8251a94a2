//! How far a run is: bytes, rows, stage.
//!
//! In: counts that the stages add to a shared [`Monitor`]. Out: a [`Progress`] to the caller's callback, at
//! most every 100 ms, from one thread at a time. A callback that answers `Break` cancels the run.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::error::Result;
use crate::job::CancelToken;

/// The shortest time between two calls of a progress callback.
pub const PROGRESS_INTERVAL: Duration = Duration::from_millis(100);

/// Receives [`Progress`]; `Break` cancels the run.
pub type ProgressCallback = Arc<dyn Fn(&Progress) -> ControlFlow<()> + Send + Sync>;

/// What a run is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Stage {
    /// Opening the input, looking at its first batch.
    #[default]
    Open,
    /// Reading, decoding, and handing on.
    Read,
    /// Writing output.
    Write,
    /// Checks and the commit.
    Commit,
    /// All done and durable.
    Done,
}

/// A snapshot of a run.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Progress {
    /// What the run is doing.
    pub stage: Stage,
    /// Bytes of the input, as it lies on disk, that lie behind the rows handed on so far.
    pub bytes: u64,
    /// Bytes of all inputs as they lie on disk, where that is known (not for standard input).
    pub total_bytes: Option<u64>,
    /// Rows handed on so far.
    pub rows: u64,
    /// Rows expected, where that is known (an export knows).
    pub total_rows: Option<u64>,
    /// Rows set aside so far.
    pub rejects: u64,
    /// Time since the run began.
    pub elapsed: Duration,
}

impl Progress {
    /// Done part, 0 to 1, where a total is known. Reaches 1 only at [`Stage::Done`].
    pub fn fraction(&self) -> Option<f64> {
        if self.stage == Stage::Done {
            return Some(1.0);
        }
        let of = |done: u64, total: u64| if total == 0 { 0.0 } else { done as f64 / total as f64 };
        let fraction = match (self.total_bytes, self.total_rows) {
            (Some(total), _) => of(self.bytes, total),
            (None, Some(total)) => of(self.rows, total),
            (None, None) => return None,
        };
        Some(fraction.min(0.999))
    }

    /// Rows per second since the run began.
    pub fn rows_per_second(&self) -> f64 {
        self.rows as f64 / self.elapsed.as_secs_f64().max(1e-9)
    }
}

/// The shared counters of one run, its cancel token and its callback. Cheap to clone; the default one
/// reports to nobody and is never cancelled.
#[derive(Clone, Default)]
pub struct Monitor(Arc<Inner>);

struct Inner {
    cancel: CancelToken,
    callback: Option<ProgressCallback>,
    started: Instant,
    bytes: AtomicU64,
    rows: AtomicU64,
    rejects: AtomicU64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    stage: Stage,
    total_bytes: Option<u64>,
    total_rows: Option<u64>,
    last: Option<Instant>,
}

impl Default for Inner {
    fn default() -> Self {
        Inner {
            cancel: CancelToken::new(),
            callback: None,
            started: Instant::now(),
            bytes: AtomicU64::new(0),
            rows: AtomicU64::new(0),
            rejects: AtomicU64::new(0),
            state: Mutex::default(),
        }
    }
}

impl Monitor {
    /// A monitor for one run; its clock starts now.
    pub fn new(cancel: CancelToken, callback: Option<ProgressCallback>) -> Self {
        Monitor(Arc::new(Inner { cancel, callback, ..Inner::default() }))
    }

    /// The run's cancel token.
    pub fn cancel_token(&self) -> &CancelToken {
        &self.0.cancel
    }

    /// Whether somebody is told of progress.
    pub fn is_watched(&self) -> bool {
        self.0.callback.is_some()
    }

    /// Adds to what is known of the total, in bytes on disk.
    pub fn add_total_bytes(&self, bytes: u64) {
        if let Ok(mut state) = self.0.state.lock() {
            *state.total_bytes.get_or_insert(0) += bytes;
        }
    }

    /// Sets the rows to expect.
    pub fn set_total_rows(&self, rows: u64) {
        if let Ok(mut state) = self.0.state.lock() {
            state.total_rows = Some(rows);
        }
    }

    /// Adds rows, rejects and bytes on disk that have been dealt with.
    pub fn add(&self, rows: u64, rejects: u64, bytes: u64) {
        self.0.rows.fetch_add(rows, Ordering::Relaxed);
        self.0.rejects.fetch_add(rejects, Ordering::Relaxed);
        self.0.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Forgets counts and totals, for a run that starts over; the clock goes on.
    pub fn restart(&self) {
        if let Ok(mut state) = self.0.state.lock() {
            (state.total_bytes, state.total_rows) = (None, None);
        }
        for counter in [&self.0.rows, &self.0.rejects, &self.0.bytes] {
            counter.store(0, Ordering::Relaxed);
        }
    }

    /// Enters a stage and reports it at once.
    ///
    /// # Errors
    /// [`ErrorKind::Cancelled`](crate::ErrorKind::Cancelled) if the run is cancelled.
    pub fn enter(&self, stage: Stage) -> Result<()> {
        if let Ok(mut state) = self.0.state.lock() {
            state.stage = stage;
            state.last = None;
        }
        self.tick()
    }

    /// Checks for cancellation, and reports if the last report is old enough. Call it per block and batch.
    ///
    /// # Errors
    /// [`ErrorKind::Cancelled`](crate::ErrorKind::Cancelled) if the run is cancelled.
    pub fn tick(&self) -> Result<()> {
        self.0.cancel.check()?;
        let Some(callback) = &self.0.callback else { return Ok(()) };
        // Another thread that is reporting just now reports for us, too.
        let Ok(mut state) = self.0.state.try_lock() else { return Ok(()) };
        let now = Instant::now();
        if state.last.is_some_and(|last| now.duration_since(last) < PROGRESS_INTERVAL) {
            return Ok(());
        }
        state.last = Some(now);
        let progress = self.snapshot(&state);
        if callback(&progress).is_break() {
            drop(state);
            self.0.cancel.cancel();
        }
        self.0.cancel.check()
    }

    /// The figures now.
    pub fn progress(&self) -> Progress {
        match self.0.state.lock() {
            Ok(state) => self.snapshot(&state),
            Err(poisoned) => self.snapshot(&poisoned.into_inner()),
        }
    }

    fn snapshot(&self, state: &State) -> Progress {
        Progress {
            stage: state.stage,
            bytes: self.0.bytes.load(Ordering::Relaxed),
            total_bytes: state.total_bytes,
            rows: self.0.rows.load(Ordering::Relaxed),
            total_rows: state.total_rows,
            rejects: self.0.rejects.load(Ordering::Relaxed),
            elapsed: self.0.started.elapsed(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;

    #[test]
    fn reports_are_rare_and_a_break_cancels() {
        let calls = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&calls);
        let callback: ProgressCallback = Arc::new(move |progress| {
            seen.fetch_add(1, Ordering::SeqCst);
            if progress.rows > 5 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        let monitor = Monitor::new(CancelToken::new(), Some(callback));
        for _ in 0..1000 {
            monitor.tick().unwrap();
        }
        assert!(calls.load(Ordering::SeqCst) < 20);
        monitor.add(6, 0, 100);
        assert!(monitor.enter(Stage::Commit).unwrap_err().is_cancelled());
    }

    #[test]
    fn one_is_reached_only_when_done() {
        let monitor = Monitor::default();
        monitor.add_total_bytes(10);
        monitor.add(1, 0, 10);
        assert!(monitor.progress().fraction().unwrap() < 1.0);
        monitor.enter(Stage::Done).unwrap();
        assert_eq!(monitor.progress().fraction(), Some(1.0));
    }
}
