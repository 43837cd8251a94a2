//! What runs through every stage of a run: [`CancelToken`] and [`Progress`].
//!
//! In: signals and callbacks from the caller, counts from the stages. Out: a yes or no to "go on?", and
//! figures at most every 100 ms. It knows nothing of CSV or DuckDB.

mod cancel;
mod progress;

pub use cancel::{CancelGuard, CancelToken};
pub use progress::{Monitor, Progress, ProgressCallback, Stage};
