//! Bytes in: from a path, an archive, standard input or any reader to UTF-8 text.
//!
//! - `source.rs`: what is read: [`Source`], globs, archive members.
//! - `compression.rs`: which format, by magic bytes; the decompressor over all members and frames.
//! - `archive.rs`: zip archives and their members.
//! - `ahead.rs`: the thread that decompresses ahead of the reader.
//! - `encoding/`: which encoding, and why; any encoding to UTF-8.
//! - `replay.rs`: [`Replay`]: reading an input again from its start, even where it cannot be rewound.
//!
//! In: a [`Source`] and [`ReaderOptions`]. Out: [`Opened`], a stream of UTF-8 bytes without a byte order mark,
//! with what was found out about it. A plain UTF-8 file comes back as the file itself, without a copy or a
//! thread in between. Nothing here knows of CSV.

mod ahead;
mod archive;
mod compression;
pub(crate) mod encoding;
mod replay;
mod source;

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::{Error, ErrorKind, Location, Result};
use crate::job::CancelToken;
use crate::options::{Compression, EncodingErrors, ReaderOptions};

use ahead::{Ahead, Fill};
use compression::Decompressor;
use encoding::{Decoded, Sample};

pub use encoding::{DecidedBy, Encoding, EncodingChoice};
pub use replay::{DEFAULT_SPOOL_CAP, Replay};
pub use source::Source;

/// Bytes of a stream that are looked at to find its encoding.
const STREAM_SAMPLE: usize = 64 << 10;
/// Bytes of a file that are looked at: its whole up to that size, else its head …
const FILE_SAMPLE: usize = 1 << 20;
/// … and that many of its middle and of its tail.
const PIECE_SAMPLE: usize = 256 << 10;

/// An input, ready to be read as UTF-8 text.
pub struct Opened {
    /// The start of the input, for messages.
    pub at: Location,
    /// The text: UTF-8, without a byte order mark. Input that is UTF-8 already is not checked here. An
    /// [`io::Error`] from it may carry an [`Error`], with its place.
    pub text: Box<dyn Read + Send>,
    /// Bytes of the input as it lies on disk, where that is known.
    pub raw_total: Option<u64>,
    /// Bytes taken from the disk or stream so far; never more than `raw_total`.
    pub raw_read: Arc<AtomicU64>,
    /// The compression that was found. [`Compression::Zip`] for a member of an archive.
    pub compression: Compression,
    /// The encoding that was found, and why it.
    pub encoding: EncodingChoice,
    /// Malformed sequences that U+FFFD stands for so far, under `encoding_errors = replace`.
    pub replaced: Arc<AtomicU64>,
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opened")
            .field("at", &self.at)
            .field("raw_total", &self.raw_total)
            .field("compression", &self.compression)
            .field("encoding", &self.encoding)
            .finish_non_exhaustive()
    }
}

/// Opens an input: finds its compression and its encoding, and gives its text.
///
/// Memory: a few blocks of at most 1 MiB. Compressed input and standard input are read ahead in a thread of
/// their own, which ends when the text is dropped or `cancel` is cancelled.
///
/// ```
/// use std::io::Read;
/// use duckstream::{CancelToken, ReaderOptions, Source, open_input};
/// let source = Source::reader("greeting", &b"name\nJos\xe9\n"[..]);
/// let options = ReaderOptions { encoding: "latin-1".parse().unwrap(), ..ReaderOptions::default() };
/// let mut opened = open_input(source, &options, &CancelToken::new())?;
/// let mut text = String::new();
/// opened.text.read_to_string(&mut text).unwrap();
/// assert_eq!(text, "name\nJosé\n");
/// # Ok::<(), duckstream::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::NotFound`], [`ErrorKind::Read`], [`ErrorKind::Corrupt`] where the start shows it already, and
/// [`ErrorKind::Usage`] for an unknown encoding, an archive with several members, an encrypted one, one from a stream.
pub fn open(source: Source, options: &ReaderOptions, cancel: &CancelToken) -> Result<Opened> {
    cancel.check()?;
    let at = source.location();
    match source {
        Source::Path(path) => open_path(&path, at, options, cancel),
        Source::Member { archive, name } => open_member(&archive, Some(&name), at, options, cancel),
        Source::Stdin => open_stream(Box::new(io::stdin()), true, at, options, cancel),
        Source::Reader { read, .. } => open_stream(read, false, at, options, cancel),
    }
}

fn open_path(path: &Path, at: Location, options: &ReaderOptions, cancel: &CancelToken) -> Result<Opened> {
    let (mut file, size) = source::open_file(path)?;
    let Some(size) = size else {
        // A pipe with a name.
        return open_stream(Box::new(file), true, at, options, cancel);
    };
    let head = take_head(&mut file, compression::MAGIC_LENGTH).map_err(|error| read_error(&at, error))?;
    rewind(&mut file, 0, &at)?;
    let format = compression::decide(options.compression, &at, &head)?;
    match format {
        Compression::Zip => open_member(path, None, at, options, cancel),
        Compression::None => open_plain(file, size, at, options),
        _ => {
            let raw_read = Arc::new(AtomicU64::new(0));
            let raw = Counted { inner: file, count: Arc::clone(&raw_read) };
            let decompressor = Decompressor::new(raw, format, at.clone())?;
            let prepare = move || Ok((Box::new(decompressor) as Box<dyn Read>, format));
            let (text, _) = Ahead::spawn(prepare, Fill::Whole, true, at.clone(), cancel)?;
            finish_stream(Box::new(text), format, Some(size), raw_read, at, options)
        }
    }
}

/// A file that is text as it lies there: sampled in three places, then handed on as itself.
fn open_plain(mut file: File, size: u64, at: Location, options: &ReaderOptions) -> Result<Opened> {
    let sample = sample_file(&mut file, size).map_err(|error| read_error(&at, error))?;
    let decision = encoding::decide(&options.encoding, &sample)?;
    let raw_read = Arc::new(AtomicU64::new(decision.bom as u64));
    rewind(&mut file, decision.bom as u64, &at)?;
    let raw = Counted { inner: file, count: Arc::clone(&raw_read) };
    let replaced = Arc::new(AtomicU64::new(0));
    let text = decode(Box::new(raw), decision.encoding, options.encoding_errors, &at, &replaced);
    Ok(Opened {
        at,
        text,
        raw_total: Some(size),
        raw_read,
        compression: Compression::None,
        encoding: decision.choice,
        replaced,
    })
}

fn open_member(
    archive: &Path,
    name: Option<&str>,
    at: Location,
    options: &ReaderOptions,
    cancel: &CancelToken,
) -> Result<Opened> {
    let member = archive::find(archive, name)?;
    let at = at.with_member(&member.name);
    let total = member.compressed_size;
    let raw_read = Arc::new(AtomicU64::new(0));
    let (archive, count, place) = (archive.to_owned(), Arc::clone(&raw_read), at.clone());
    let prepare = move || {
        let mut read = member.open(&archive, count, &place)?;
        // The member itself may be compressed, once.
        let head = take_head(&mut read, compression::MAGIC_LENGTH).map_err(|error| read_error(&place, error))?;
        let inner = compression::decide(Compression::Auto, &place, &head)?;
        let read = Prefixed { head, taken: 0, inner: read };
        let read: Box<dyn Read> = match inner {
            Compression::None => Box::new(read),
            Compression::Zip => {
                return Err(Error::usage(format!("{place} is an archive within an archive; unpack it first")));
            }
            _ => Box::new(Decompressor::new(read, inner, place)?),
        };
        Ok((read, Compression::Zip))
    };
    let (text, format) = Ahead::spawn(prepare, Fill::Whole, true, at.clone(), cancel)?;
    finish_stream(Box::new(text), format, Some(total), raw_read, at, options)
}

/// A stream that cannot be rewound. With `threaded`, all reading is done ahead in a thread, so that a stream that
/// keeps us waiting can be cancelled.
fn open_stream(
    raw: Box<dyn Read + Send>,
    threaded: bool,
    at: Location,
    options: &ReaderOptions,
    cancel: &CancelToken,
) -> Result<Opened> {
    let raw_read = Arc::new(AtomicU64::new(0));
    let mut raw = Counted { inner: raw, count: Arc::clone(&raw_read) };
    let (given, place) = (options.compression, at.clone());
    let identify = move || {
        let head = take_head(&mut raw, compression::MAGIC_LENGTH).map_err(|error| read_error(&place, error))?;
        let format = compression::decide(given, &place, &head)?;
        let raw = Prefixed { head, taken: 0, inner: raw };
        let read: Box<dyn Read + Send> = match format {
            Compression::None => Box::new(raw),
            Compression::Zip => return Err(archive::needs_a_path(&place)),
            _ => Box::new(Decompressor::new(raw, format, place)?),
        };
        Ok((read, format))
    };
    let (text, format): (Box<dyn Read + Send>, _) = if threaded {
        let prepare = move || identify().map(|(read, format)| (read as Box<dyn Read>, format));
        let (text, format) = Ahead::spawn(prepare, Fill::AsItComes, false, at.clone(), cancel)?;
        (Box::new(text), format)
    } else {
        let (read, format) = identify()?;
        if format == Compression::None {
            (read, format)
        } else {
            let prepare = move || Ok((read as Box<dyn Read>, format));
            let (text, format) = Ahead::spawn(prepare, Fill::Whole, false, at.clone(), cancel)?;
            (Box::new(text), format)
        }
    };
    finish_stream(text, format, None, raw_read, at, options)
}

/// Finds the encoding of decompressed text by its head, and converts it.
fn finish_stream(
    text: Box<dyn Read + Send>,
    compression: Compression,
    raw_total: Option<u64>,
    raw_read: Arc<AtomicU64>,
    at: Location,
    options: &ReaderOptions,
) -> Result<Opened> {
    let (head, text) = look_ahead(text, STREAM_SAMPLE, &at)?;
    let sample = Sample { whole: head.len() < STREAM_SAMPLE, head, pieces: Vec::new() };
    let decision = encoding::decide(&options.encoding, &sample)?;
    let text = Box::new(Prefixed { head: sample.head, taken: decision.bom, inner: text });
    let replaced = Arc::new(AtomicU64::new(0));
    let text = decode(text, decision.encoding, options.encoding_errors, &at, &replaced);
    Ok(Opened { at, text, raw_total, raw_read, compression, encoding: decision.choice, replaced })
}

fn decode(
    text: Box<dyn Read + Send>,
    encoding: Encoding,
    errors: EncodingErrors,
    at: &Location,
    replaced: &Arc<AtomicU64>,
) -> Box<dyn Read + Send> {
    if encoding.is_utf8() && errors != EncodingErrors::Replace {
        return text;
    }
    Box::new(Decoded::new(text, encoding, errors, at.clone(), Arc::clone(replaced)))
}

fn sample_file(file: &mut File, size: u64) -> io::Result<Sample> {
    let head = take_head(file, FILE_SAMPLE)?;
    let mut pieces = Vec::new();
    let whole = head.len() < FILE_SAMPLE;
    if !whole {
        let piece = PIECE_SAMPLE as u64;
        let rest = size.saturating_sub(FILE_SAMPLE as u64);
        let tail = size - piece.min(rest);
        let middle = (FILE_SAMPLE as u64 + rest / 2).min(tail);
        for start in [middle, tail] {
            file.seek(SeekFrom::Start(start))?;
            pieces.push(take_head(file, PIECE_SAMPLE)?);
        }
    }
    Ok(Sample { head, pieces, whole })
}

fn rewind(file: &mut File, to: u64, at: &Location) -> Result<()> {
    file.seek(SeekFrom::Start(to)).map(drop).map_err(|error| read_error(at, error))
}

/// The next `length` bytes, fewer only where the input ends.
fn take_head(read: &mut impl Read, length: usize) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    read.by_ref().take(length as u64).read_to_end(&mut head)?;
    Ok(head)
}

/// The next `length` bytes, fewer only where the input ends or fails, and a reader over the rest. What could be read
/// before a failure comes first.
pub(crate) fn look_ahead(
    mut read: Box<dyn Read + Send>,
    length: usize,
    at: &Location,
) -> Result<(Vec<u8>, Box<dyn Read + Send>)> {
    let mut head = Vec::new();
    match read.by_ref().take(length as u64).read_to_end(&mut head).map_err(|error| read_error(at, error)) {
        Ok(_) => Ok((head, read)),
        Err(error) if head.is_empty() => Err(error),
        Err(error) => Ok((head, Box::new(Failed(Some(error))))),
    }
}

/// A reader that has failed.
struct Failed(Option<Error>);

impl Read for Failed {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), |error| Err(error.into()))
    }
}

/// The error that `error`, from a reader, stands for: ours where it carries one.
pub(crate) fn read_error(at: &Location, error: io::Error) -> Error {
    match error.downcast::<Error>() {
        Ok(ours) => ours,
        Err(source) => ErrorKind::Read { at: at.clone(), source }.into(),
    }
}

/// Counts the bytes that pass.
struct Counted<R> {
    inner: R,
    count: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        self.count.fetch_add(length as u64, Ordering::Relaxed);
        Ok(length)
    }
}

/// Bytes that were looked at, then the rest; the rest passes without a copy.
struct Prefixed<R> {
    head: Vec<u8>,
    taken: usize,
    inner: R,
}

impl<R: Read> Read for Prefixed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut head = &self.head[self.taken..];
        if head.is_empty() {
            return self.inner.read(buffer);
        }
        let length = head.read(buffer)?;
        self.taken += length;
        if self.taken == self.head.len() {
            self.head = Vec::new();
            self.taken = 0;
        }
        Ok(length)
    }
}
