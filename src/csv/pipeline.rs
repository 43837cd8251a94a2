//! The threads behind a reader: one feeds chunks, several decode them, and the results come out in order.
//!
//! In: a [`Feed`] that yields chunks with their plans. Out: [`Item`]s in the order of the input, whatever thread was
//! first. Queues are bounded by the number of threads, and buffers go round, so memory does not depend on the input.
//! A panic in a thread becomes an error; dropping the [`Pipeline`] ends all threads at their next chunk.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;

use crossbeam_channel::{Receiver, Sender, bounded, never, select};

use crate::csv::decode::{Decoded, decode};
use crate::csv::plan::Plan;
use crate::csv::split::Chunk;
use crate::error::{Error, ErrorKind, Result};
use crate::job::{CancelGuard, CancelToken};

/// What a feed yields.
pub(crate) enum Fed<F> {
    /// A chunk to decode, and how far the input on disk had been read when it was cut.
    Chunk { chunk: Chunk, plan: Arc<Plan>, raw: u64 },
    /// Something for the consumer, in its place between chunks.
    Note(F),
}

/// Yields chunks and notes until the input ends.
pub(crate) trait Feed: Send + 'static {
    type Note: Send + 'static;

    /// The next chunk or note.
    fn next(&mut self) -> Result<Option<Fed<Self::Note>>>;
}

/// What the consumer gets.
pub(crate) enum Item<F> {
    Decoded { decoded: Decoded, byte: u64, records: u64, raw: u64 },
    Note(F),
}

enum Slot<F> {
    Chunk { result: Receiver<Result<Decoded>>, byte: u64, records: u64, raw: u64 },
    Note(F),
    Failed(Error),
}

struct Task {
    chunk: Chunk,
    plan: Arc<Plan>,
    result: Sender<Result<Decoded>>,
}

/// Decodes what a feed yields.
pub(crate) struct Pipeline<F> {
    slots: Receiver<Slot<F>>,
    cancelled: Receiver<()>,
    _guard: CancelGuard,
}

impl<F: Send + 'static> Pipeline<F> {
    /// Starts one feeding and `threads` decoding threads. Used buffers come back through `recycle`.
    pub(crate) fn start<S: Feed<Note = F>>(
        mut feed: S,
        threads: usize,
        recycle: Sender<Vec<u8>>,
        cancel: &CancelToken,
    ) -> Result<Pipeline<F>> {
        // The consumer waits for one chunk, so as many are in work as there are threads; the feeder holds the next ready.
        let (slot_sender, slots) = bounded::<Slot<F>>(threads - 1);
        let (task_sender, tasks) = bounded::<Task>(threads);
        for index in 0..threads {
            let (tasks, recycle) = (tasks.clone(), recycle.clone());
            spawn(format!("csv-decode-{index}"), move || {
                for Task { chunk, plan, result } in tasks {
                    let decoded = catch(|| decode(&plan, &chunk));
                    // Whoever does not wait any more does not want it.
                    let _ = result.send(decoded);
                    let _ = recycle.try_send(chunk.buffer);
                }
            })?;
        }
        spawn("csv-read".to_owned(), move || {
            loop {
                let (slot, task) = match catch(|| feed.next()) {
                    Ok(None) => return,
                    Ok(Some(Fed::Note(note))) => (Slot::Note(note), None),
                    Ok(Some(Fed::Chunk { chunk, plan, raw })) => {
                        let (result_sender, result) = bounded(1);
                        let (byte, records) = (chunk.byte, chunk.records);
                        let task = Task { chunk, plan, result: result_sender };
                        (Slot::Chunk { result, byte, records, raw }, Some(task))
                    }
                    Err(error) => (Slot::Failed(error), None),
                };
                let failed = matches!(slot, Slot::Failed(_));
                // The place in line first: a chunk that has none yet is not decoded.
                if slot_sender.send(slot).is_err() || failed || task.is_some_and(|task| task_sender.send(task).is_err())
                {
                    return;
                }
            }
        })?;
        let (cancel_sender, cancelled) = bounded(1);
        let guard = cancel.on_cancel(move || {
            let _ = cancel_sender.try_send(());
        });
        Ok(Pipeline { slots, cancelled, _guard: guard })
    }

    /// The next item in the order of the input; `None` at its end. A cancelled run does not wait for a slow read.
    pub(crate) fn next(&mut self) -> Result<Option<Item<F>>> {
        let slot = select! {
            recv(self.cancelled) -> _ => return Err(ErrorKind::Cancelled.into()),
            recv(self.slots) -> slot => slot,
        };
        match slot {
            Err(_) => Ok(None),
            Ok(Slot::Failed(error)) => {
                self.stop();
                Err(error)
            }
            Ok(Slot::Note(note)) => Ok(Some(Item::Note(note))),
            Ok(Slot::Chunk { result, byte, records, raw }) => match result.recv() {
                Ok(decoded) => Ok(Some(Item::Decoded { decoded: decoded?, byte, records, raw })),
                Err(_) => Err(Error::internal("a decoding thread is gone")),
            },
        }
    }

    /// Lets the threads end; from now on there is nothing to come.
    pub(crate) fn stop(&mut self) {
        // The other ends see that nobody listens at their next send.
        let (_, ended) = bounded(0);
        self.slots = ended;
        self.cancelled = never();
    }
}

fn spawn(name: String, work: impl FnOnce() + Send + 'static) -> Result<()> {
    let spawned = thread::Builder::new().name(name).spawn(work);
    spawned.map(drop).map_err(|error| Error::internal(format!("cannot start a thread: {error}")))
}

fn catch<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(Error::internal(message_of(&*panic))))
}

fn message_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
    format!("a thread panicked: {}", text.unwrap_or("no message"))
}
