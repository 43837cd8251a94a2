//! Where finished bytes land.
//!
//! In: bytes, in order. Out: a file that appears under its name only when [`Sink::finish`] is called, standard output,
//! or any `Write`. Until then the bytes lie in a file `.<name>.<process>-<random>.tmp` of the same folder, which is
//! removed when the sink is dropped: after an error, a cancel, a panic. What a killed process left behind is removed by
//! the next sink for the same name. Refused: a folder as the target, and an existing file under `if_exists = error`.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tempfile::NamedTempFile;

use crate::error::{Error, ErrorKind, Result};
use crate::options::{Compression, IfExists};
use crate::output::Compressor;
use crate::write_back::WriteBack;

/// The longest part of a file's name that goes into the name of its temporary file.
const NAME_PART: usize = 180;

/// One stage of bytes on their way out: `Write` takes them, `finish` hands on what was held back.
///
/// After an error, and when it is dropped without `finish`, a layer owes nothing to the stages below.
pub trait Layer: Write + Send {
    /// Writes all that was held back and finishes the stage below.
    ///
    /// # Errors
    /// What the stage or one below it says.
    fn finish(self: Box<Self>) -> io::Result<Landing>;
}

/// The bottom of a stack of layers, with every byte in it: hand it up unchanged from [`Layer::finish`].
pub struct Landing {
    place: Place,
    bytes: u64,
    /// Of these, how many are on their way to the disk.
    write_back: WriteBack,
    /// Set when the sink is given up: compressors write their trailers even then.
    dead: Arc<AtomicBool>,
}

enum Place {
    /// A temporary file, and the name it gets.
    File { temporary: NamedTempFile, path: PathBuf, if_exists: IfExists },
    /// A device, a pipe, standard output, a caller's `Write`.
    Stream(Box<dyn Write + Send>),
}

/// Bytes on their way to a file or stream; see the rules at [`Sink::create`].
///
/// ```
/// use std::io::Write;
/// use duckstream::{IfExists, Sink};
/// let folder = tempfile::tempdir().unwrap();
/// let path = folder.path().join("new/folder/out.txt");
/// let mut sink = Sink::create(&path, IfExists::Error)?.expect("nothing is in the way");
/// sink.write_all(b"hello").unwrap();
/// assert!(!path.exists());
/// assert_eq!(sink.finish()?, 5);
/// assert_eq!(std::fs::read(&path).unwrap(), b"hello");
/// # Ok::<(), duckstream::Error>(())
/// ```
#[must_use = "nothing appears under the file's name before `finish`"]
pub struct Sink {
    name: String,
    /// Always there, until the sink is finished.
    top: Option<Box<dyn Layer>>,
    dead: Arc<AtomicBool>,
}

impl Sink {
    /// A sink for a file, or for standard output if `path` is `-`. Parent folders are created. A regular file gets its
    /// name, its old permissions if it replaces another, and its place on disk in [`finish`](Sink::finish); symbolic
    /// links are followed. Devices and pipes are written to directly. `None`: the file exists, and is to be left alone.
    ///
    /// # Errors
    /// [`ErrorKind::Target`] if the path is a folder, or exists under [`IfExists::Error`]; [`ErrorKind::Write`] if the
    /// system refuses.
    pub fn create(path: impl AsRef<Path>, if_exists: IfExists) -> Result<Option<Self>> {
        let given = path.as_ref();
        if given == Path::new("-") {
            return Self::stdout().map(Some);
        }
        let name = given.display().to_string();
        let failed = |source| Error::write(&name, source);
        // A link's target is replaced, not the link; a link to nothing is replaced itself.
        let path = fs::canonicalize(given).unwrap_or_else(|_| given.to_owned());
        let old = fs::metadata(&path).ok();
        match (&old, if_exists) {
            (Some(old), _) if old.is_dir() => return Err(refused(format!("{name} is a folder; name a file in it"))),
            (Some(old), _) if !old.is_file() => {
                let file = OpenOptions::new().write(true).open(&path).map_err(failed)?;
                return Ok(Some(Self::over(name, Place::Stream(Box::new(file)))));
            }
            (Some(_), IfExists::Skip) => return Ok(None),
            (Some(_), IfExists::Error) => return Err(exists(&name)),
            _ => {}
        }
        let Some(file_name) = path.file_name() else {
            return Err(refused(format!("{name} is not the name of a file")));
        };
        let folder = match path.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        };
        fs::create_dir_all(folder).map_err(failed)?;
        let prefix = prefix(&file_name.to_string_lossy());
        sweep(folder, &prefix);
        let temporary = temporary_file(folder, &prefix, old.map(|old| old.permissions())).map_err(failed)?;
        Ok(Some(Self::over(name, Place::File { temporary, path, if_exists })))
    }

    /// A sink for standard output.
    ///
    /// # Errors
    /// [`ErrorKind::Write`] if there is none.
    pub fn stdout() -> Result<Self> {
        let name = "standard output";
        // Its own handle: the one of std looks for line ends in all that it is given.
        #[cfg(unix)]
        let handle = std::os::fd::AsFd::as_fd(&io::stdout()).try_clone_to_owned().map(File::from);
        #[cfg(not(unix))]
        let handle = Ok::<_, io::Error>(io::stdout());
        let handle = handle.map_err(|source| Error::write(name, source))?;
        Ok(Self::over(name.to_owned(), Place::Stream(Box::new(handle))))
    }

    /// A sink for anything that takes bytes; `name` is for messages. It is flushed at the end, not closed.
    pub fn from_write(name: impl Into<String>, write: impl Write + Send + 'static) -> Self {
        Self::over(name.into(), Place::Stream(Box::new(write)))
    }

    fn over(name: String, place: Place) -> Self {
        let dead = Arc::new(AtomicBool::new(false));
        Sink {
            name,
            top: Some(Box::new(Landing { place, bytes: 0, write_back: WriteBack::new(0), dead: Arc::clone(&dead) })),
            dead,
        }
    }

    /// Puts a stage on top: it takes the bytes first.
    ///
    /// # Errors
    /// What `make` says.
    pub fn layer(mut self, make: impl FnOnce(Box<dyn Layer>) -> Result<Box<dyn Layer>>) -> Result<Self> {
        self.top = self.top.take().map(make).transpose()?;
        Ok(self)
    }

    /// Puts a compressor on top, unless there is nothing to compress with; [`Compression::Auto`] is none.
    ///
    /// # Errors
    /// What [`Compressor::new`] says.
    pub fn compressed(self, compression: Compression, level: Option<u32>) -> Result<Self> {
        if matches!(compression, Compression::None | Compression::Auto) && level.is_none() {
            return Ok(self);
        }
        self.layer(|below| Ok(Box::new(Compressor::new(below, compression, level)?)))
    }

    /// What messages call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Finishes every layer, syncs the file and gives it its name. Returns the bytes that landed.
    ///
    /// # Errors
    /// [`ErrorKind::Write`] if the system refuses (no space is left, say), [`ErrorKind::Target`] if the file came to
    /// exist meanwhile under [`IfExists::Error`]. The old file, if any, is then as it was.
    pub fn finish(mut self) -> Result<u64> {
        let Some(top) = self.top.take() else { return Err(Error::internal("an output was finished twice")) };
        let landing = top.finish().map_err(|source| Error::write(&self.name, source))?;
        landing.settle(&self.name)
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.top.as_mut().map_or(Ok(0), |top| top.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.top.as_mut().map_or(Ok(()), |top| top.flush())
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.dead.store(true, Ordering::Relaxed);
    }
}

impl Layer for Compressor<Box<dyn Layer>> {
    fn finish(self: Box<Self>) -> io::Result<Landing> {
        Compressor::finish(*self)?.finish()
    }
}

impl Landing {
    fn settle(self, name: &str) -> Result<u64> {
        let failed = |source| Error::write(name, source);
        match self.place {
            Place::Stream(mut write) => write.flush().map_err(failed)?,
            Place::File { temporary, path, if_exists } => {
                temporary.as_file().sync_all().map_err(failed)?;
                match if_exists {
                    IfExists::Replace => temporary.persist(&path).map_err(|error| failed(error.error))?,
                    _ => temporary.persist_noclobber(&path).map_err(|error| match error.error.kind() {
                        io::ErrorKind::AlreadyExists => exists(name),
                        _ => failed(error.error),
                    })?,
                };
                // So that the name, too, survives a power failure; a system that cannot sync folders loses nothing else.
                if let Some(Ok(folder)) = path.parent().map(File::open) {
                    let _ = folder.sync_all();
                }
            }
        }
        Ok(self.bytes)
    }
}

impl Write for Landing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.dead.load(Ordering::Relaxed) {
            return Err(io::Error::other("the output was given up"));
        }
        let written = match &mut self.place {
            Place::File { temporary, .. } => temporary.as_file_mut().write(bytes),
            Place::Stream(write) => write.write(bytes),
        }?;
        self.bytes += written as u64;
        if let Place::File { temporary, .. } = &self.place {
            self.write_back.up_to(temporary.as_file(), self.bytes);
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.place {
            Place::File { temporary, .. } => temporary.as_file_mut().flush(),
            Place::Stream(write) => write.flush(),
        }
    }
}

impl Layer for Landing {
    fn finish(self: Box<Self>) -> io::Result<Landing> {
        Ok(*self)
    }
}

fn refused(message: String) -> Error {
    ErrorKind::Target { message, source: None }.into()
}

fn exists(name: &str) -> Error {
    refused(format!("{name} exists already; --if-exists replace overwrites it, --if-exists skip leaves it alone"))
}

/// What the names of the temporary files for `name` begin with.
fn prefix(name: &str) -> String {
    let cut = (0..=NAME_PART.min(name.len())).rev().find(|cut| name.is_char_boundary(*cut)).unwrap_or(0);
    format!(".{}.", &name[..cut])
}

/// A new file that this process holds a lock on, by which [`sweep`] knows that it is in use.
fn temporary_file(folder: &Path, prefix: &str, permissions: Option<fs::Permissions>) -> io::Result<NamedTempFile> {
    let prefix = OsString::from(format!("{prefix}{}-", std::process::id()));
    loop {
        let mut builder = tempfile::Builder::new();
        builder.prefix(&prefix).suffix(".tmp").rand_bytes(6);
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let temporary = builder.tempfile_in(folder)?;
        match temporary.as_file().try_lock() {
            // Another process took it for a leftover between the two lines above.
            Err(fs::TryLockError::WouldBlock) => continue,
            Ok(()) if !temporary.path().exists() => continue,
            // A file system without locks: then nothing is ever swept there.
            Ok(()) | Err(fs::TryLockError::Error(_)) => {}
        }
        if let Some(permissions) = permissions {
            // Someone else's file can be replaced, though its permissions cannot be had.
            let _ = temporary.as_file().set_permissions(permissions);
        }
        return Ok(temporary);
    }
}

/// Removes temporary files for the same name that nobody writes any more. What cannot be removed stays.
fn sweep(folder: &Path, prefix: &str) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some(rest) = name.to_str().and_then(|name| name.strip_prefix(prefix)?.strip_suffix(".tmp")) else {
            continue;
        };
        let ours = rest.split_once('-').is_some_and(|(process, random)| {
            process.bytes().all(|byte| byte.is_ascii_digit()) && !process.is_empty() && random.len() == 6
        });
        if !ours {
            continue;
        }
        if let Ok(file) = OpenOptions::new().write(true).open(entry.path())
            && file.try_lock().is_ok()
        {
            let _ = fs::remove_file(entry.path());
        }
    }
}
