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

/// The member called `name`, or the archive's one data member.
pub(super) fn find(archive: &Path, name: Option<&str>) -> Result<Member> {
    let mut members = list(archive)?;
    let at = archive.display();
    let Some(name) = name else {
        members.retain(|member| is_data(&member.name));
        return match members.len() {
            0 => Err(Error::usage(format!("{at} has no data in it: only folders and files to be ignored"))),
            1 => Ok(members.remove(0)),
            count => {
                let mut names: Vec<_> = members.iter().take(LISTED).map(|member| member.name.as_str()).collect();
                if count > LISTED {
                    names.push("…");
                }
                let names = names.join("\n  ");
                Err(Error::usage(format!(
                    "{at} has {count} members; say which, for example '{at}::*' for all of them or '{at}::{}':\n  {names}",
                    members[0].name
                )))
            }
        };
    };
    let found = members.into_iter().find(|member| member.name == name);
    found.ok_or_else(|| ErrorKind::NotFound { path: format!("{at}::{name}").into() }.into())
}

/// The names of the members that match a glob (or are called exactly that), sorted.
pub(super) fn matching(archive: &Path, pattern: &str) -> Result<Vec<String>> {
    let names: Vec<String> = list(archive)?.into_iter().map(|member| member.name).collect();
    if names.iter().any(|name| name == pattern) {
        return Ok(vec![pattern.to_owned()]);
    }
    let glob = Pattern::new(pattern).map_err(|error| Error::usage(format!("'{pattern}' is not a glob: {error}")))?;
    let mut names: Vec<String> = names.into_iter().filter(|name| is_data(name) && glob.matches(name)).collect();
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

fn list(path: &Path) -> Result<Vec<Member>> {
    let at = Location::new(path.to_string_lossy());
    let (file, size) = source::open_file(path)?;
    let Some(size) = size else { return Err(needs_a_path(&at)) };
    let failed = |error: ZipError| match error {
        ZipError::Io(error) if error.raw_os_error().is_some() => read_error(&at, error),
        other => corrupt(&at, "zip", size, other.to_string()),
    };
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(failed)?;
    (0..archive.len())
        .map(|index| {
            let member = archive.by_index_raw(index).map_err(failed)?;
            let name = match member.name() {
                Ok(name) => name.into_owned(),
                Err(_) => String::from_utf8_lossy(member.name_raw()).into_owned(),
            };
            Ok(Member {
                name,
                compressed_size: member.compressed_size(),
                size: member.size(),
                crc: member.crc32(),
                method: member.compression(),
                encrypted: member.encrypted(),
                start: member.data_start().ok_or_else(|| failed(ZipError::FileNotFound))?,
            })
        })
        .collect()
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
                    "{at} is packed by the zip method {other}, which is not supported (stored, deflate, bzip2, zstd and xz are); \
                     unpack it first"
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
