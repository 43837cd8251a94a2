//! Encoding threads, and one that writes.
//!
//! In: jobs, in order. Out: their text, written in that order. Between the two no more jobs are on their way than there
//! are threads and some to spare: whoever sends more waits. When a stage fails, the stages before it stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{Builder, JoinHandle};

use arrow::array::RecordBatch;
use crossbeam_channel::{Receiver, Sender, bounded};

use crate::csv::encode::{Buffers, Encoder};
use crate::csv::writer::Output;
use crate::deferred::DeferredBatch;
use crate::error::{Error, Result};

/// Jobs on their way beyond one per thread: a source that stops for a moment, to read a block and decompress it, leaves the
/// threads that much to do (with two threads, an export takes a tenth less time than with one to spare).
pub(super) const SPARE: usize = 6;

/// Text buffers that have grown beyond this are not kept.
const KEPT: usize = 16 << 20;

/// Rows to encode in one go.
pub(super) struct Job {
    pub parts: Vec<Part>,
    /// Where in a part each column of the text is.
    pub positions: Arc<[usize]>,
    pub rows: usize,
    /// The number of the first row, from 1.
    pub first: u64,
}

/// Some rows of a job.
pub(super) enum Part {
    Ready(RecordBatch),
    Deferred(DeferredBatch),
}

impl Job {
    /// The text of the rows, in `text`, which is empty.
    pub fn encode(self, encoder: &Encoder, target: &str, buffers: &mut Buffers, mut text: Vec<u8>) -> Result<Vec<u8>> {
        let mut first = self.first;
        for part in self.parts {
            let batch = match part {
                Part::Ready(batch) => batch,
                Part::Deferred(batch) => batch.into_batch()?,
            };
            let batch = batch.project(&self.positions).map_err(|error| Error::arrow("ordering columns", error))?;
            encoder.encode(&batch, first, target, buffers, &mut text)?;
            first += batch.num_rows() as u64;
        }
        Ok(text)
    }
}

/// What a worker makes of a job.
struct Encoded {
    text: Vec<u8>,
    first: u64,
    rows: usize,
}

struct Task {
    job: Job,
    reply: Sender<Result<Encoded>>,
}

/// The threads of one writer. Dropping it stops them, and waits for them.
pub(super) struct Pool {
    tasks: Option<Sender<Task>>,
    order: Option<Sender<Receiver<Result<Encoded>>>>,
    stop: Arc<AtomicBool>,
    /// Of the text of the latest job; 0 before there is one.
    bytes_per_row: Arc<AtomicUsize>,
    workers: Vec<JoinHandle<()>>,
    writer: Option<JoinHandle<Result<Output>>>,
}

impl Pool {
    /// Starts `threads` workers, and the thread that owns `output`.
    pub fn start(threads: usize, encoder: Encoder, output: Output) -> Result<Self> {
        let (tasks, queue) = bounded::<Task>(threads + SPARE);
        let (order, turns) = bounded::<Receiver<Result<Encoded>>>(threads + SPARE + 1);
        let (give_back, empties) = bounded::<Vec<u8>>(threads + SPARE + 2);
        let stop = Arc::new(AtomicBool::new(false));
        let failed = |source| Error::write("output: no thread can be started", source);
        let mut pool = Pool {
            tasks: Some(tasks),
            order: Some(order),
            stop,
            bytes_per_row: Arc::default(),
            workers: Vec::new(),
            writer: None,
        };
        for _ in 0..threads {
            let (encoder, queue, empties) = (encoder.clone(), queue.clone(), empties.clone());
            let (stop, target) = (Arc::clone(&pool.stop), output.sink.name().to_owned());
            let bytes_per_row = Arc::clone(&pool.bytes_per_row);
            let work = move || {
                let mut buffers = Buffers::default();
                for Task { job, reply } in queue {
                    if stop.load(Ordering::Relaxed) {
                        continue;
                    }
                    let (first, rows) = (job.first, job.rows);
                    let text = job.encode(&encoder, &target, &mut buffers, empties.try_recv().unwrap_or_default());
                    if let Ok(text) = &text {
                        bytes_per_row.store(text.len() / rows.max(1) + 1, Ordering::Relaxed);
                    }
                    // The writer has gone, with an error of its own, if nobody takes it.
                    let _ = reply.send(text.map(|text| Encoded { text, first, rows }));
                }
            };
            pool.workers.push(Builder::new().name("csv-encode".to_owned()).spawn(work).map_err(failed)?);
        }
        let stop = Arc::clone(&pool.stop);
        let write = move || {
            let result = write_in_order(turns, give_back, output, &stop);
            stop.store(true, Ordering::Relaxed);
            result
        };
        pool.writer = Some(Builder::new().name("csv-write".to_owned()).spawn(write).map_err(failed)?);
        Ok(pool)
    }

    /// About how long a row is as text, if a job has been encoded.
    pub fn bytes_per_row(&self) -> Option<usize> {
        Some(self.bytes_per_row.load(Ordering::Relaxed)).filter(|bytes| *bytes > 0)
    }

    /// Puts a job on its way; waits while too many are.
    pub fn send(self, job: Job) -> Result<Self> {
        let (reply, turn) = bounded(1);
        let taken = self.order.as_ref().is_some_and(|order| order.send(turn).is_ok())
            && self.tasks.as_ref().is_some_and(|tasks| tasks.send(Task { job, reply }).is_ok());
        if taken {
            return Ok(self);
        }
        match self.finish() {
            Err(error) => Err(error),
            Ok(_) => Err(Error::internal("the writing thread ended early")),
        }
    }

    /// Waits until all is written.
    pub fn finish(mut self) -> Result<Output> {
        self.tasks = None;
        self.order = None;
        match self.writer.take().map(JoinHandle::join) {
            Some(Ok(result)) => result,
            _ => Err(Error::internal("the writing thread panicked")),
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        if self.writer.is_some() {
            self.stop.store(true, Ordering::Relaxed);
        }
        self.tasks = None;
        self.order = None;
        // What they hold, a temporary file for one, is gone when this returns.
        for worker in self.workers.drain(..) {
            let _ = worker.join();
        }
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}

fn write_in_order(
    turns: Receiver<Receiver<Result<Encoded>>>,
    give_back: Sender<Vec<u8>>,
    mut output: Output,
    stop: &AtomicBool,
) -> Result<Output> {
    for turn in turns {
        let encoded = turn.recv();
        if stop.load(Ordering::Relaxed) {
            return Err(crate::error::ErrorKind::Cancelled.into());
        }
        let Ok(encoded) = encoded else { return Err(Error::internal("an encoding thread panicked")) };
        let Encoded { mut text, first, rows } = encoded?;
        output.write(&text, first, rows as u64)?;
        if text.capacity() <= KEPT {
            text.clear();
            let _ = give_back.try_send(text);
        }
    }
    Ok(output)
}
