//! Reading ahead in a thread.
//!
//! In: a reader that works (a decompressor), or waits (a pipe). Out: [`Ahead`], a reader over the same bytes, some
//! blocks of which are ready before they are asked for. The blocks are bounded in size and number, and go round.
//! Dropping the reader, or cancelling the run, ends the thread; a panic in it is an error here.

use std::io::{self, Read};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use crate::error::{Error, Location, Result};
use crate::input::read_error;
use crate::job::CancelToken;
use crate::options::Compression;

/// Bytes per block. Measured with gzip: 64 KiB cost 20 % more than 1 MiB, because the decompressor saves its window
/// whenever a block is full.
const BLOCK_SIZE: usize = 1 << 20;
/// Blocks that go round: one being filled, one being read, one waiting. More did not help.
const BLOCKS: usize = 3;
/// How often a waiting reader looks whether it is cancelled.
const PATIENCE: Duration = Duration::from_millis(50);

/// When a block is handed on.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Fill {
    /// When it is full.
    Whole,
    /// As soon as there is something in it.
    AsItComes,
}

enum Message {
    Ready(Compression),
    /// The first bytes of a block; it is always `BLOCK_SIZE` long, so that it need not be cleared again.
    Block(Vec<u8>, usize),
    End,
    Failed(Error),
}

/// A reader whose bytes are read ahead in a thread.
pub(super) struct Ahead {
    /// `None` once the input has ended or failed.
    full: Option<Receiver<Message>>,
    empty: Sender<Vec<u8>>,
    block: Vec<u8>,
    length: usize,
    taken: usize,
    cancel: CancelToken,
    /// The thread, where it can be waited for: it never waits for anything but us and the disk.
    thread: Option<JoinHandle<()>>,
}

impl Ahead {
    /// Starts the thread, which makes its reader with `prepare`, and waits for what that says.
    ///
    /// With `join`, dropping the reader waits for the thread to end: for inputs that do not block.
    pub(super) fn spawn(
        prepare: impl FnOnce() -> Result<(Box<dyn Read>, Compression)> + Send + 'static,
        fill: Fill,
        join: bool,
        at: Location,
        cancel: &CancelToken,
    ) -> Result<(Ahead, Compression)> {
        let (to_reader, full) = bounded(BLOCKS);
        let (empty, blocks) = bounded(BLOCKS);
        for _ in 0..BLOCKS {
            // There is room for all of them, and the other end is here.
            let _ = empty.send(Vec::new());
        }
        let watch = cancel.clone();
        let failed = {
            let at = at.clone();
            move |error| read_error(&at, error)
        };
        let thread = thread::Builder::new()
            .name("read-ahead".to_owned())
            .spawn(move || {
                let last = match pump(prepare, fill, &at, &watch, &blocks, &to_reader) {
                    Ok(()) => Message::End,
                    Err(error) => Message::Failed(error),
                };
                // Nobody listens if the reader was dropped.
                let _ = to_reader.send(last);
            })
            .map_err(failed)?;
        let mut this = Ahead {
            full: Some(full),
            empty,
            block: Vec::new(),
            length: 0,
            taken: 0,
            cancel: cancel.clone(),
            thread: join.then_some(thread),
        };
        match this.receive()? {
            Message::Ready(format) => Ok((this, format)),
            _ => Err(Error::internal("the reading thread began out of order")),
        }
    }

    fn receive(&mut self) -> Result<Message> {
        let Some(full) = &self.full else { return Ok(Message::End) };
        let message = loop {
            if let Err(error) = self.cancel.check() {
                break Err(error);
            }
            match full.recv_timeout(PATIENCE) {
                Ok(Message::Failed(error)) => break Err(error),
                Ok(message) => break Ok(message),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break Err(Error::internal("the reading thread died")),
            }
        };
        if matches!(message, Err(_) | Ok(Message::End)) {
            self.full = None;
        }
        message
    }
}

/// The thread's work; ends early, without an error, when nobody listens any more.
fn pump(
    prepare: impl FnOnce() -> Result<(Box<dyn Read>, Compression)>,
    fill: Fill,
    at: &Location,
    cancel: &CancelToken,
    blocks: &Receiver<Vec<u8>>,
    to_reader: &Sender<Message>,
) -> Result<()> {
    let (mut read, format) = prepare()?;
    if to_reader.send(Message::Ready(format)).is_err() {
        return Ok(());
    }
    while let Ok(mut block) = blocks.recv() {
        cancel.check()?;
        if block.is_empty() {
            // Memory that nothing touches before it is read into: small inputs stay cheap.
            block = vec![0; BLOCK_SIZE];
        }
        let mut length = 0;
        let mut result = Ok(());
        let mut ended = false;
        while length < BLOCK_SIZE {
            match read.read(&mut block[length..]) {
                Ok(0) => ended = true,
                Ok(more) => length += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => result = Err(read_error(at, error)),
            }
            if ended || result.is_err() || fill == Fill::AsItComes {
                break;
            }
        }
        // What came before an error is handed on before the error.
        if length > 0 && to_reader.send(Message::Block(block, length)).is_err() {
            return Ok(());
        }
        result?;
        if ended {
            return Ok(());
        }
    }
    Ok(())
}

impl Read for Ahead {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        if self.taken == self.length {
            let spent = std::mem::take(&mut self.block);
            (self.taken, self.length) = (0, 0);
            if !spent.is_empty() {
                // The thread may have ended already.
                let _ = self.empty.try_send(spent);
            }
            match self.receive()? {
                Message::Block(block, length) => (self.block, self.length) = (block, length),
                _ => return Ok(0),
            }
        }
        let length = (&self.block[self.taken..self.length]).read(buffer)?;
        self.taken += length;
        Ok(length)
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        // With both ends gone, the thread's next step is its last.
        self.full = None;
        self.empty = bounded(0).0;
        if let Some(thread) = self.thread.take() {
            // A panic there has been reported where it mattered.
            let _ = thread.join();
        }
    }
}
