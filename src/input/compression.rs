//! Compressed streams: which format, and the bytes within.
//!
//! In: the first bytes of an input, its name, what the caller said. Out: the format, and a [`Decompressor`]: a
//! reader over *all* members, frames or streams, that checks every checksum. Zeros between and after members are
//! padding. Anything else there, and an end before its time, is refused: there may have been rows in it.

use std::io::{self, Read};

use flate2::FlushDecompress;
use liblzma::stream as xz;
use zstd::stream::raw as zst;
use zstd::stream::raw::Operation;
use zstd::zstd_safe::DParameter;

use crate::error::{Error, ErrorKind, Location, Result};
use crate::input::read_error;
use crate::options::Compression;

/// Bytes that are enough to know every format by.
pub(super) const MAGIC_LENGTH: usize = 64;
/// Compressed bytes per read.
const INPUT_SIZE: usize = 256 << 10;
/// log2 of the largest zstd window: `zstd --long=31` writes such files; the window is the memory it takes.
const ZSTD_WINDOW_LOG: u32 = 31;

/// The format of an input: what is given, else what its first bytes say.
///
/// The name only warns: if it promises compression, and the bytes are neither that nor text, the input is damaged.
pub(super) fn decide(given: Compression, at: &Location, head: &[u8]) -> Result<Compression> {
    if given != Compression::Auto {
        return Ok(given);
    }
    if let Some(found) = by_magic(head) {
        return Ok(found);
    }
    let promised = Compression::from_name(at.member.as_deref().unwrap_or(&at.source));
    if !head.is_empty() && first_bytes(promised).starts_with(head) {
        // Cut short within its first bytes; the decompressor will say so.
        return Ok(promised);
    }
    if promised == Compression::None || head.iter().all(|byte| matches!(byte, b'\t'..=b'\r' | b' '..)) {
        return Ok(Compression::None);
    }
    let name = format_name(promised);
    Err(corrupt(at, name, 0, format!("the name promises {name}, but the first bytes are neither that nor text")))
}

fn by_magic(head: &[u8]) -> Option<Compression> {
    if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") || head.starts_with(b"PK\x07\x08") {
        return Some(Compression::Zip);
    }
    [Compression::Gzip, Compression::Zstd, Compression::Xz, Compression::Bz2]
        .into_iter()
        .find(|format| begins(*format, head))
}

fn first_bytes(format: Compression) -> &'static [u8] {
    match format {
        Compression::Gzip => b"\x1f\x8b\x08",
        Compression::Zstd => b"\x28\xb5\x2f\xfd",
        Compression::Xz => b"\xfd7zXZ\0",
        Compression::Bz2 => b"BZh91AY&SY",
        Compression::Zip => b"PK\x03\x04",
        _ => b"",
    }
}

/// Whether `head` is the beginning of a member, frame or stream of `format`.
fn begins(format: Compression, head: &[u8]) -> bool {
    match format {
        Compression::Gzip | Compression::Xz => head.starts_with(first_bytes(format)),
        // A frame, or one that is to be skipped.
        Compression::Zstd => {
            head.starts_with(first_bytes(format))
                || matches!(head, [first, b'\x2a', b'\x4d', b'\x18', ..] if first & 0xf0 == 0x50)
        }
        // "BZh9" could be text; what follows it could not.
        Compression::Bz2 => matches!(
            head,
            [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, ..]
                | [b'B', b'Z', b'h', b'1'..=b'9', 0x17, 0x72, 0x45, 0x38, 0x50, 0x90, ..]
        ),
        _ => false,
    }
}

fn format_name(format: Compression) -> &'static str {
    match format {
        Compression::Gzip => "gzip",
        Compression::Bz2 => "bzip2",
        Compression::Zstd => "zstd",
        Compression::Xz => "xz",
        Compression::Zip => "zip",
        _ => "plain",
    }
}

/// An [`ErrorKind::Corrupt`].
pub(super) fn corrupt(at: &Location, format: &'static str, offset: u64, message: impl Into<String>) -> Error {
    ErrorKind::Corrupt { at: at.clone(), format, compressed_offset: offset, rows: None, message: message.into() }.into()
}

/// The state of one member's decoder.
enum Codec {
    Gzip(flate2::Decompress),
    Deflate(flate2::Decompress),
    Bz2(bzip2::Decompress),
    Zstd(zst::Decoder<'static>),
    Xz(xz::Stream),
}

struct Step {
    taken: usize,
    made: usize,
    ended: bool,
}

impl Codec {
    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, String> {
        match self {
            Codec::Gzip(inner) | Codec::Deflate(inner) => {
                let before = (inner.total_in(), inner.total_out());
                let status = inner.decompress(input, output, FlushDecompress::None).map_err(|e| e.to_string())?;
                Ok(Step {
                    taken: (inner.total_in() - before.0) as usize,
                    made: (inner.total_out() - before.1) as usize,
                    ended: status == flate2::Status::StreamEnd,
                })
            }
            Codec::Bz2(inner) => {
                let before = (inner.total_in(), inner.total_out());
                let status = inner.decompress(input, output).map_err(|e| e.to_string())?;
                Ok(Step {
                    taken: (inner.total_in() - before.0) as usize,
                    made: (inner.total_out() - before.1) as usize,
                    ended: status == bzip2::Status::StreamEnd,
                })
            }
            Codec::Zstd(inner) => {
                let status = inner.run_on_buffers(input, output).map_err(|e| e.to_string())?;
                Ok(Step { taken: status.bytes_read, made: status.bytes_written, ended: status.remaining == 0 })
            }
            Codec::Xz(inner) => {
                let before = (inner.total_in(), inner.total_out());
                let status = inner.process(input, output, xz::Action::Run).map_err(|e| e.to_string())?;
                Ok(Step {
                    taken: (inner.total_in() - before.0) as usize,
                    made: (inner.total_out() - before.1) as usize,
                    ended: status == xz::Status::StreamEnd,
                })
            }
        }
    }

    /// Makes ready for the next member.
    fn restart(&mut self) -> io::Result<()> {
        match self {
            Codec::Gzip(inner) => inner.reset(true),
            Codec::Bz2(inner) => *inner = bzip2::Decompress::new(false),
            Codec::Xz(inner) => *inner = new_xz()?,
            // A zstd decoder begins the next frame by itself; a zip member is one deflate stream.
            Codec::Zstd(_) | Codec::Deflate(_) => {}
        }
        Ok(())
    }
}

fn new_xz() -> io::Result<xz::Stream> {
    Ok(xz::Stream::new_stream_decoder(u64::MAX, 0)?)
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Start,
    Inside,
    Between,
    Done,
}

/// The decompressed bytes of a stream.
pub(super) struct Decompressor<R> {
    raw: R,
    codec: Codec,
    format: Compression,
    at: Location,
    input: Box<[u8]>,
    start: usize,
    end: usize,
    raw_ended: bool,
    /// Where `input[start]` lies in the stream.
    offset: u64,
    state: State,
}

impl<R: Read> Decompressor<R> {
    /// Decompresses `raw`; `at` is for messages.
    pub(super) fn new(raw: R, format: Compression, at: Location) -> Result<Self> {
        let codec = match format {
            Compression::Gzip => Ok(Codec::Gzip(flate2::Decompress::new_gzip(15))),
            Compression::Bz2 => Ok(Codec::Bz2(bzip2::Decompress::new(false))),
            Compression::Zstd => zst::Decoder::new().and_then(|mut decoder| {
                decoder.set_parameter(DParameter::WindowLogMax(ZSTD_WINDOW_LOG))?;
                Ok(Codec::Zstd(decoder))
            }),
            Compression::Xz => new_xz().map(Codec::Xz),
            other => return Err(Error::internal(format!("{other} is not a stream format"))),
        };
        let codec = codec.map_err(|error| read_error(&at, error))?;
        Ok(Self::with_codec(raw, codec, format, at))
    }

    /// Decompresses a member of a zip archive: one deflate stream without a frame of its own.
    pub(super) fn deflate(raw: R, at: Location) -> Self {
        let mut this = Self::with_codec(raw, Codec::Deflate(flate2::Decompress::new(false)), Compression::Zip, at);
        this.state = State::Inside;
        this
    }

    fn with_codec(raw: R, codec: Codec, format: Compression, at: Location) -> Self {
        let input = vec![0; INPUT_SIZE].into_boxed_slice();
        Decompressor {
            raw,
            codec,
            format,
            at,
            input,
            start: 0,
            end: 0,
            raw_ended: false,
            offset: 0,
            state: State::Start,
        }
    }

    fn decompress(&mut self, output: &mut [u8]) -> Result<usize> {
        if output.is_empty() {
            return Ok(0);
        }
        loop {
            match self.state {
                State::Done => return Ok(0),
                State::Start | State::Between => self.begin_member()?,
                State::Inside => {
                    if self.start == self.end {
                        self.refill()?;
                    }
                    let step = match self.codec.step(&self.input[self.start..self.end], output) {
                        Ok(step) => step,
                        Err(message) => return Err(self.corrupt(message)),
                    };
                    self.skip(step.taken);
                    if step.ended {
                        let last = matches!(self.codec, Codec::Deflate(_));
                        self.state = if last { State::Done } else { State::Between };
                    } else if step.taken == 0 && step.made == 0 {
                        if self.start < self.end {
                            return Err(self.corrupt("the decompressor is stuck"));
                        }
                        if self.raw_ended {
                            return Err(self.corrupt("the input ends before the compressed data does"));
                        }
                    }
                    if step.made > 0 {
                        return Ok(step.made);
                    }
                }
            }
        }
    }

    /// Finds the next member, or the end.
    fn begin_member(&mut self) -> Result<()> {
        if self.state == State::Between {
            loop {
                let zeros = self.input[self.start..self.end].iter().take_while(|byte| **byte == 0).count();
                self.skip(zeros);
                if self.start < self.end || self.raw_ended {
                    break;
                }
                self.refill()?;
            }
        }
        while self.end - self.start < MAGIC_LENGTH && !self.raw_ended {
            self.refill()?;
        }
        let next = &self.input[self.start..self.end];
        if next.is_empty() {
            self.state = State::Done;
        } else if begins(self.format, next) {
            if self.state == State::Between {
                self.codec.restart().map_err(|error| read_error(&self.at, error))?;
            }
            self.state = State::Inside;
        } else if self.state == State::Start {
            return Err(self.corrupt(format!("this is not the beginning of {} data", format_name(self.format))));
        } else {
            return Err(self.corrupt(format!(
                "what follows the compressed data is not {0} data; if it is no loss, keep the first {1} bytes only: \
                 head -c {1}",
                format_name(self.format),
                self.offset
            )));
        }
        Ok(())
    }

    fn skip(&mut self, length: usize) {
        self.start += length;
        self.offset += length as u64;
    }

    /// Reads more; what is left moves to the front.
    fn refill(&mut self) -> Result<()> {
        self.input.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        while !self.raw_ended {
            match self.raw.read(&mut self.input[self.end..]) {
                Ok(length) => {
                    self.end += length;
                    self.raw_ended = length == 0;
                    break;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(read_error(&self.at, error)),
            }
        }
        Ok(())
    }

    fn corrupt(&self, message: impl Into<String>) -> Error {
        corrupt(&self.at, format_name(self.format), self.offset, message)
    }
}

impl<R: Read> Read for Decompressor<R> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        Ok(self.decompress(output)?)
    }
}
