//! Compression on the way out.
//!
//! In: bytes, written in pieces of any size. Out: one gzip member, zstd frame, bzip2 or xz stream, or the bytes as they
//! are. The result depends on the bytes, the format and the level alone: no time, no name, and the compressor is fed in
//! pieces of one size, however the bytes were cut when they came. Refused: zip, which is no stream, and levels a
//! format does not have.

use std::io::{self, Write};

use crate::error::{Error, Result};
use crate::options::Compression;

/// Bytes that the compressor is fed at a time.
const PIECE_SIZE: usize = 128 << 10;

/// A writer that compresses what it is given, into another writer.
///
/// Nothing is complete before [`finish`](Compressor::finish): dropping a compressor leaves a truncated stream.
/// [`flush`](Write::flush) does not cut the stream, which would change its bytes.
///
/// ```
/// use std::io::Write;
/// use duckstream::{Compression, Compressor};
/// let mut compressor = Compressor::new(Vec::new(), Compression::Gzip, None)?;
/// compressor.write_all(b"a,b\n1,2\n").unwrap();
/// let bytes = compressor.finish().unwrap();
/// assert_eq!(&bytes[..10], b"\x1f\x8b\x08\0\0\0\0\0\0\xff");
/// # Ok::<(), duckstream::Error>(())
/// ```
pub struct Compressor<W: Write> {
    codec: Codec<W>,
    piece: Vec<u8>,
}

enum Codec<W: Write> {
    Plain(W),
    Gzip(flate2::write::GzEncoder<W>),
    Zstd(zstd::Encoder<'static, W>),
    Bz2(bzip2::write::BzEncoder<W>),
    Xz(liblzma::write::XzEncoder<W>),
}

impl<W: Write> Compressor<W> {
    /// Compresses into `write` as `compression` says, [`Compression::Auto`] being none; for files, see
    /// [`Compression::from_name`]. Levels: gzip 0 to 9 (default 6), zstd 1 to 22 (3), bzip2 1 to 9 (9), xz 0 to 9 (6).
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) for [`Compression::Zip`] and for a level that the format lacks.
    pub fn new(write: W, compression: Compression, level: Option<u32>) -> Result<Self> {
        let given = level;
        let level = |default: u32, least: u32, most: u32| match given {
            None => Ok(default),
            Some(level) if (least..=most).contains(&level) => Ok(level),
            Some(level) => Err(Error::usage(format!(
                "{compression} has no compression level {level}; it has {least} to {most}, and {default} by default"
            ))),
        };
        let failed = |error: io::Error| Error::internal(format!("cannot start {compression}: {error}"));
        let codec = match compression {
            Compression::Auto | Compression::None => {
                if let Some(level) = given {
                    return Err(Error::usage(format!(
                        "a compression level ({level}) without a compression means nothing"
                    )));
                }
                Codec::Plain(write)
            }
            Compression::Gzip => {
                let level = flate2::Compression::new(level(6, 0, 9)?);
                // 255 is "unknown": the same on every system.
                Codec::Gzip(flate2::GzBuilder::new().mtime(0).operating_system(255).write(write, level))
            }
            Compression::Zstd => {
                let mut encoder = zstd::Encoder::new(write, level(3, 1, 22)? as i32).map_err(failed)?;
                encoder.include_checksum(true).map_err(failed)?;
                Codec::Zstd(encoder)
            }
            Compression::Bz2 => {
                Codec::Bz2(bzip2::write::BzEncoder::new(write, bzip2::Compression::new(level(9, 1, 9)?)))
            }
            Compression::Xz => Codec::Xz(liblzma::write::XzEncoder::new(write, level(6, 0, 9)?)),
            Compression::Zip => {
                return Err(Error::usage(
                    "zip is no compression of a single stream, and not written; use gzip, zstd, bz2 or xz",
                ));
            }
        };
        Ok(Compressor { codec, piece: Vec::new() })
    }

    /// Writes what is left, ends the stream and gives the writer back.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn finish(mut self) -> io::Result<W> {
        self.codec.write_all(&self.piece)?;
        match self.codec {
            Codec::Plain(write) => Ok(write),
            Codec::Gzip(encoder) => encoder.finish(),
            Codec::Zstd(encoder) => encoder.finish(),
            Codec::Bz2(encoder) => encoder.finish(),
            Codec::Xz(encoder) => encoder.finish(),
        }
    }

    /// The writer underneath.
    pub fn get_ref(&self) -> &W {
        match &self.codec {
            Codec::Plain(write) => write,
            Codec::Gzip(encoder) => encoder.get_ref(),
            Codec::Zstd(encoder) => encoder.get_ref(),
            Codec::Bz2(encoder) => encoder.get_ref(),
            Codec::Xz(encoder) => encoder.get_ref(),
        }
    }
}

impl<W: Write> Codec<W> {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Codec::Plain(write) => write.write_all(bytes),
            Codec::Gzip(encoder) => encoder.write_all(bytes),
            Codec::Zstd(encoder) => encoder.write_all(bytes),
            Codec::Bz2(encoder) => encoder.write_all(bytes),
            Codec::Xz(encoder) => encoder.write_all(bytes),
        }
    }
}

impl<W: Write> Write for Compressor<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Codec::Plain(write) = &mut self.codec {
            return write.write(bytes);
        }
        if self.piece.len() == PIECE_SIZE {
            self.codec.write_all(&self.piece)?;
            self.piece.clear();
        }
        let length = bytes.len().min(PIECE_SIZE - self.piece.len());
        self.piece.extend_from_slice(&bytes[..length]);
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.codec {
            Codec::Plain(write) => write.flush(),
            _ => Ok(()),
        }
    }
}
