//! Reading an input more than once.
//!
//! In: a [`Source`]. Out: [`Replay`], which opens it again from its start as often as needed. A file is opened
//! anew. The raw bytes of a stream are kept, as they come, in a temporary file without a name, up to a cap; once
//! more than that has gone by, there is no going back, and a second opening is refused.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::{Error, Location, Result};
use crate::input::{self, Opened, Source, read_error};
use crate::job::CancelToken;
use crate::options::ReaderOptions;

/// The most raw bytes of a stream that are kept on disk so that reading can start over: 1 GiB.
pub const DEFAULT_SPOOL_CAP: u64 = 1 << 30;

/// An input that can be opened several times.
///
/// ```
/// use std::io::Read;
/// use duckstream::{CancelToken, DEFAULT_SPOOL_CAP, ReaderOptions, Replay, Source};
/// let mut replay = Replay::new(Source::reader("rows", &b"a,b\n1,2\n"[..]), DEFAULT_SPOOL_CAP)?;
/// for _ in 0..2 {
///     let mut text = String::new();
///     let mut opened = replay.open(&ReaderOptions::default(), &CancelToken::new())?;
///     opened.text.read_to_string(&mut text).unwrap();
///     assert_eq!(text, "a,b\n1,2\n");
/// }
/// # Ok::<(), duckstream::Error>(())
/// ```
pub struct Replay(Kind);

enum Kind {
    Path(PathBuf),
    Member(PathBuf, String),
    Stream { at: Location, waits: bool, spool: Arc<Spool> },
}

impl Replay {
    /// Makes `source` replayable, keeping at most `cap` bytes of it if it is a stream.
    ///
    /// # Errors
    /// [`ErrorKind::Read`](crate::ErrorKind::Read) if the temporary file cannot be made.
    pub fn new(source: Source, cap: u64) -> Result<Replay> {
        let at = source.location();
        let (read, waits): (Box<dyn Read + Send>, bool) = match source {
            Source::Path(path) => {
                let (file, size) = input::source::open_file(&path)?;
                if size.is_some() {
                    return Ok(Replay(Kind::Path(path)));
                }
                (Box::new(file), true)
            }
            Source::Member { archive, name } => return Ok(Replay(Kind::Member(archive, name))),
            Source::Stdin => (Box::new(io::stdin()), true),
            Source::Reader { read, .. } => (read, false),
        };
        let kept = tempfile::tempfile().map_err(|error| read_error(&at, error))?;
        let inner = Mutex::new(SpoolInner { read, kept: Some(kept) });
        let (gone, readers) = (AtomicU64::new(0), AtomicU64::new(0));
        let spool = Arc::new(Spool { name: at.to_string(), cap, gone, readers, inner });
        Ok(Replay(Kind::Stream { at, waits, spool }))
    }

    /// Opens the input from its start. What was opened before reads no further.
    ///
    /// # Errors
    /// Those of [`open_input`](crate::open_input), and [`ErrorKind::Usage`](crate::ErrorKind::Usage) if more of a stream
    /// has gone by than was to be kept.
    pub fn open(&mut self, options: &ReaderOptions, cancel: &CancelToken) -> Result<Opened> {
        match &mut self.0 {
            Kind::Path(path) => input::open(Source::Path(path.clone()), options, cancel),
            Kind::Member(archive, name) => {
                input::open(Source::Member { archive: archive.clone(), name: name.clone() }, options, cancel)
            }
            Kind::Stream { at, waits, spool } => {
                if spool.gone.load(Ordering::SeqCst) > spool.cap {
                    return Err(spool.too_late());
                }
                let number = spool.readers.fetch_add(1, Ordering::SeqCst) + 1;
                let reader = SpoolReader { spool: Arc::clone(spool), position: 0, number };
                input::open_stream(Box::new(reader), *waits, at.clone(), options, cancel)
            }
        }
    }
}

/// A stream, and what has been read of it so far.
struct Spool {
    name: String,
    cap: u64,
    /// Bytes of the stream that have been read.
    gone: AtomicU64,
    /// How often it was opened; only the last reader reads. Not under the lock, which a waiting reader holds.
    readers: AtomicU64,
    inner: Mutex<SpoolInner>,
}

struct SpoolInner {
    read: Box<dyn Read + Send>,
    /// `None` once more than `cap` bytes have gone by.
    kept: Option<File>,
}

impl Spool {
    fn too_late(&self) -> Error {
        Error::usage(format!(
            "{}: reading has to start over, but more than the {} bytes that are kept of a stream have gone by; give the \
             column types with --types, or write the input to a file and use --infer full",
            self.name, self.cap
        ))
    }
}

struct SpoolReader {
    spool: Arc<Spool>,
    position: u64,
    number: u64,
}

impl Read for SpoolReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let spool = &*self.spool;
        let mut inner = spool.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let inner = &mut *inner;
        if spool.readers.load(Ordering::SeqCst) != self.number {
            return Err(Error::internal("this reader was superseded by a later one").into());
        }
        let gone = spool.gone.load(Ordering::SeqCst);
        if self.position < gone {
            let Some(kept) = &mut inner.kept else { return Err(spool.too_late().into()) };
            let left = usize::try_from(gone - self.position).unwrap_or(usize::MAX);
            let wanted = buffer.len().min(left);
            kept.seek(SeekFrom::Start(self.position))?;
            let length = kept.read(&mut buffer[..wanted])?;
            self.position += length as u64;
            return Ok(length);
        }
        let length = inner.read.read(buffer)?;
        let now = gone + length as u64;
        if now > spool.cap {
            inner.kept = None;
        } else if let Some(kept) = &mut inner.kept {
            kept.seek(SeekFrom::Start(gone))?;
            kept.write_all(&buffer[..length])?;
        }
        spool.gone.store(now, Ordering::SeqCst);
        self.position = now;
        Ok(length)
    }
}
