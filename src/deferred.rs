//! Rows that are one step away from Arrow.
//!
//! In: whatever makes rows cheaply and turns them into Arrow dearly. Out: batches, made by the thread that needs them, right
//! before it does: several can be made at once, and what was just made is still in that core's cache.

use arrow::array::{RecordBatch, RecordBatchReader};

use crate::error::Result;

/// The rows of a batch, and how to make it.
#[must_use = "the rows are in it"]
pub struct DeferredBatch {
    rows: usize,
    make: Box<dyn FnOnce() -> Result<RecordBatch> + Send>,
}

impl DeferredBatch {
    /// `make` gives a batch of `rows` rows, of its reader's schema.
    pub fn new(rows: usize, make: impl FnOnce() -> Result<RecordBatch> + Send + 'static) -> Self {
        DeferredBatch { rows, make: Box::new(make) }
    }

    /// Rows that the batch will have.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The batch.
    ///
    /// # Errors
    /// Whatever hinders making it.
    pub fn into_batch(self) -> Result<RecordBatch> {
        (self.make)()
    }
}

/// A stream whose batches other threads can make.
pub trait DeferredReader: RecordBatchReader {
    /// The next rows; `None` at the end.
    ///
    /// # Errors
    /// Whatever ends the stream early; there is nothing more to read then.
    fn next_deferred(&mut self) -> Result<Option<DeferredBatch>>;
}
