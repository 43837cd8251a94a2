//! Zip archives: which members are data, and the bytes of one.
//!
//! In: a path, and a member's name or a glob. Out: members, and a reader over one: stored, deflate, zstd, bzip2 or xz,
//! zip64 or not, with size and checksum verified at its end. Refused: encrypted members, other methods, and archives
//! from streams, whose directory is at the end. The directory is read by the `zip` crate; the members' bytes here,
//! so that they are decompressed, counted and reported like all other input.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Take};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use glob::Pattern;
use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive};

use crate::error::{Error, ErrorKind, Location, Result};
use crate::input::compression::{Decompressor, corrupt};
use crate::input::{Counted, read_error, source};
use crate::options::Compression;

/// Members that a message lists before it stops.
const LISTED: usize = 10;

/// What the directory says about one member.
pub(super) struct Member {
    pub(super) name: String,
    pub(super) compressed_size: u64,
    size: u64,
    crc: u32,
    method: CompressionMethod,
    encrypted: bool,
    start: u64,
}

/// An archive's directory.
struct Directory {
    archive: ZipArchive<BufReader<File>>,
    at: Location,
    size: u64,
    /// Of each member, in the order of the archive.
    names: Vec<String>,
}

/// The member called `name`, or the archive's one data member.
pub(super) fn find(archive: &Path, name: Option<&str>) -> Result<Member> {
    let mut directory = Directory::open(archive)?;
    let names = &directory.names;
    let at = archive.display();
    let index = match name {
        Some(name) => names.iter().position(|other| other == name),
        None => {
            let data: Vec<usize> = (0..names.len()).filter(|index| is_data(&names[*index])).collect();
            match data[..] {
                [] => {
                    return Err(Error::usage(format!("{at} has no data in it: only folders and files to be ignored")));
                }
                [one] => Some(one),
                [first, ..] => {
                    let mut listed: Vec<_> = data.iter().take(LISTED).map(|index| names[*index].as_str()).collect();
                    if data.len() > LISTED {
                        listed.push("…");
                    }
                    return Err(Error::usage(format!(
                        "{at} has {} members; say which, for example '{at}::{}', or '{at}::*' for all of them:\n  {}",
                        data.len(),
                        names[first],
                        listed.join("\n  ")
                    )));
                }
            }
        }
    };
    match index {
        Some(index) => directory.member(index),
        None => Err(ErrorKind::NotFound { path: format!("{at}::{}", name.unwrap_or_default()).into() }.into()),
    }
}

/// The names of the members that match a glob (or are called exactly that), sorted.
pub(super) fn matching(archive: &Path, pattern: &str) -> Result<Vec<String>> {
    let mut names = Directory::open(archive)?.names;
    if names.iter().any(|name| name == pattern) {
        return Ok(vec![pattern.to_owned()]);
    }
    let glob = Pattern::new(pattern).map_err(|error| Error::usage(format!("'{pattern}' is not a glob: {error}")))?;
    names.retain(|name| is_data(name) && glob.matches(name));
    names.sort();
    Ok(names)
}

/// The error for an archive that comes as a stream.
pub(super) fn needs_a_path(at: &Location) -> Error {
    Error::usage(format!(
        "{at}: a zip archive cannot be read from a stream, because its directory is at its end; write it to a file, \
         or unpack it on the way: funzip"
    ))
}

/// Whether people mean this member when they say that an archive holds data.
fn is_data(name: &str) -> bool {
    !name.ends_with('/') && !name.split('/').any(|part| part.starts_with('.') || part == "__MACOSX")
}

impl Directory {
    fn open(path: &Path) -> Result<Directory> {
        let at = Location::new(path.to_string_lossy());
        let (file, size) = source::open_file(path)?;
        let Some(size) = size else { return Err(needs_a_path(&at)) };
        let archive = ZipArchive::new(BufReader::new(file)).map_err(|error| failed(&at, size, error))?;
        let mut names = Vec::with_capacity(archive.len());
        for index in 0..archive.len() {
            let entry = archive.by_index_data(index).map_err(|error| failed(&at, size, error))?;
            names.push(match entry.name() {
                Ok(name) => name.into_owned(),
                Err(_) => String::from_utf8_lossy(entry.name_raw()).into_owned(),
            });
        }
        Ok(Directory { archive, at, size, names })
    }

    fn member(&mut self, index: usize) -> Result<Member> {
        let failed = |error| failed(&self.at, self.size, error);
        let entry = self.archive.by_index_raw(index).map_err(failed)?;
        Ok(Member {
            name: self.names[index].clone(),
            compressed_size: entry.compressed_size(),
            size: entry.size(),
            crc: entry.crc32(),
            method: entry.compression(),
            encrypted: entry.encrypted(),
            start: entry.data_start().ok_or_else(|| failed(ZipError::FileNotFound))?,
        })
    }
}

fn failed(at: &Location, size: u64, error: ZipError) -> Error {
    match error {
        ZipError::Io(error) if error.raw_os_error().is_some() => read_error(at, error),
        other => corrupt(at, "zip", size, other.to_string()),
    }
}

impl Member {
    /// The member's bytes, decompressed once; `count` counts the compressed ones.
    pub(super) fn open(&self, archive: &Path, count: Arc<AtomicU64>, at: &Location) -> Result<impl Read + use<>> {
        if self.encrypted {
            return Err(Error::usage(format!("{at} is encrypted; unpack it with its password first")));
        }
        let (mut file, _) = source::open_file(archive)?;
        file.seek(SeekFrom::Start(self.start)).map_err(|error| read_error(at, error))?;
        let raw: Take<Counted<File>> = Counted { inner: file, count: Arc::clone(&count) }.take(self.compressed_size);
        let read: Box<dyn Read> = match self.method {
            CompressionMethod::STORE => Box::new(raw),
            CompressionMethod::DEFLATE => Box::new(Decompressor::deflate(raw, at.clone())),
            CompressionMethod::BZIP2 => Box::new(Decompressor::new(raw, Compression::Bz2, at.clone())?),
            CompressionMethod::ZSTD => Box::new(Decompressor::new(raw, Compression::Zstd, at.clone())?),
            CompressionMethod::XZ => Box::new(Decompressor::new(raw, Compression::Xz, at.clone())?),
            other => {
                return Err(Error::usage(format!(
                    "{at} is packed by the zip method {other}, which is not supported; unpack it first \
                     (stored, deflate, bzip2, zstd and xz are supported)"
                )));
            }
        };
        Ok(Verified {
            inner: read,
            crc: flate2::Crc::new(),
            size: self.size,
            expected: self.crc,
            count,
            at: at.clone(),
        })
    }
}

/// Compares size and checksum with the directory's at the end.
struct Verified {
    inner: Box<dyn Read>,
    crc: flate2::Crc,
    size: u64,
    expected: u32,
    count: Arc<AtomicU64>,
    at: Location,
}

impl Verified {
    fn corrupt(&self, message: String) -> io::Error {
        corrupt(&self.at, "zip", self.count.load(Ordering::Relaxed), message).into()
    }
}

impl Read for Verified {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        self.crc.update(&buffer[..length]);
        if length == 0 && !buffer.is_empty() {
            // `amount` counts modulo 2^32.
            if self.crc.amount() != self.size as u32 {
                return Err(self.corrupt(format!("the size is not the one in the directory, {}", self.size)));
            }
            if self.crc.sum() != self.expected {
                return Err(self.corrupt("the checksum is not the one in the directory".to_owned()));
            }
        }
        Ok(length)
    }
}
