//! The raw database handle, and the list of all that this process has open.
//!
//! In: a path and options. Out: one [`Inner`] a file, shared by whoever opens it again: the engine's file lock keeps
//! other processes out, but not a second engine in this one. A handle is closed when the last `Database` is gone and
//! no connection is left that might clone itself from it.

use std::ffi::CString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::ptr;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use duckdb::{Connection, ffi};

use crate::duckdb::c_text::{c_text, text};
use crate::duckdb::database::{DatabaseOptions, Inner, refuse};
use crate::duckdb::{error, sql};
use crate::error::{Error, Result};
use crate::write_back::WriteBack;

/// The open database of the C API.
pub(crate) struct Handle {
    raw: ffi::duckdb_database,
    /// After `raw`: a process that closes any descriptor of a file loses its locks on it, the engine's, too.
    file: Option<Growing>,
}

/// A database file that is written to.
struct Growing {
    file: File,
    write_back: Mutex<WriteBack>,
}

impl Growing {
    /// Only where it is of use, and never a reason to fail.
    fn open(path: &str, options: &DatabaseOptions) -> Option<Growing> {
        if !cfg!(target_os = "linux") || options.read_only || path == ":memory:" {
            return None;
        }
        let file = File::open(path).ok()?;
        let length = file.metadata().ok()?.len();
        Some(Growing { file, write_back: Mutex::new(WriteBack::new(length)) })
    }
}

// SAFETY: the database is shared by all its connections inside DuckDB, which does the locking; the pointer itself
// is only read, and closed once by whoever owns it last.
unsafe impl Send for Handle {}
// SAFETY: as above.
unsafe impl Sync for Handle {}

/// One database that is open in this process.
struct Entry {
    /// The file with links resolved; none for a memory database that nobody owns any more.
    path: Option<PathBuf>,
    options: DatabaseOptions,
    /// The id of its owner.
    id: u64,
    state: State,
}

enum State {
    Live(Weak<Inner>),
    /// Its `Database` is gone, connections made from it are not. Such a connection may clone itself from the handle
    /// at any time, so the handle must stay until the last one is gone.
    Orphan(Handle),
}

static OPEN: Mutex<Vec<Entry>> = Mutex::new(Vec::new());

/// Opens a file, or shares the engine that has it open.
pub(crate) fn open(path: &Path, options: &DatabaseOptions) -> Result<Arc<Inner>> {
    loop {
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        close_orphans(&mut open);
        let real = real_path(path);
        let Some(entry) = open.iter_mut().find(|entry| entry.path.as_ref() == Some(&real)) else {
            return open_new(path, real, options, &mut open);
        };
        let same = entry.options == *options;
        let found = match &entry.state {
            State::Live(inner) => inner.upgrade(),
            State::Orphan(_) if same => {
                // The handle lives on in a new owner.
                let State::Orphan(handle) = std::mem::replace(&mut entry.state, State::Live(Weak::new())) else {
                    continue;
                };
                let inner = Inner::new(handle, Some(path.to_owned()), false);
                entry.state = State::Live(Arc::downgrade(&inner));
                entry.id = inner.id;
                return Ok(inner);
            }
            State::Orphan(_) => return Err(other_options(path)),
        };
        // Let go of the list first: dropping the last owner takes the same lock.
        drop(open);
        match found {
            Some(inner) if same => return Ok(inner),
            Some(_) => return Err(other_options(path)),
            // It is being closed at this moment.
            None => std::thread::sleep(Duration::from_millis(1)),
        }
    }
}

fn open_new(path: &Path, real: PathBuf, options: &DatabaseOptions, open: &mut Vec<Entry>) -> Result<Arc<Inner>> {
    let name = path.to_str().ok_or_else(|| Error::usage(format!("{path:?} is not a UTF-8 path")))?;
    let exists = path.exists();
    if options.read_only && !exists {
        return Err(error::open(name, "read-only: the file does not exist".to_owned()));
    }
    let inner = Inner::new(Handle::open(name, options)?, Some(path.to_owned()), !exists);
    let state = State::Live(Arc::downgrade(&inner));
    open.push(Entry { path: Some(real), options: options.clone(), id: inner.id, state });
    Ok(inner)
}

fn other_options(path: &Path) -> Error {
    refuse(format!("{} is open in this process with other options; share that Database", path.display()))
}

/// The file that a path means, links resolved, whether it is there yet or not.
fn real_path(path: &Path) -> PathBuf {
    let parent = || {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Some(parent.canonicalize().ok()?.join(path.file_name()?))
    };
    path.canonicalize().ok().or_else(parent).unwrap_or_else(|| path.to_owned())
}

/// Whether this process has the file open.
pub(crate) fn is_open(path: &Path) -> bool {
    let real = real_path(path);
    OPEN.lock().unwrap_or_else(PoisonError::into_inner).iter().any(|entry| entry.path.as_ref() == Some(&real))
}

/// The last owner is gone: closes the handle now, or when the last connection is gone.
pub(crate) fn release(inner: &mut Inner) {
    let Some(handle) = inner.handle.take() else { return };
    let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    let state = State::Orphan(handle);
    match open.iter_mut().find(|entry| entry.id == inner.id) {
        Some(entry) => entry.state = state,
        None => open.push(Entry { path: None, options: DatabaseOptions::default(), id: inner.id, state }),
    }
    close_orphans(&mut open);
}

fn close_orphans(open: &mut Vec<Entry>) {
    let closable = |entry: &mut Entry| matches!(&entry.state, State::Orphan(handle) if handle.connections() == Some(1));
    for entry in open.extract_if(.., closable) {
        if let State::Orphan(handle) = entry.state {
            handle.close();
        }
    }
}

impl Handle {
    /// Opens a path that nobody in this process has open, or memory.
    pub(crate) fn open(path: &str, options: &DatabaseOptions) -> Result<Self> {
        let mut settings = vec![
            ("autoinstall_known_extensions", "false".to_owned()),
            ("autoload_known_extensions", "false".to_owned()),
        ];
        if options.read_only {
            settings.push(("access_mode", "READ_ONLY".to_owned()));
        }
        if let Some(threads) = options.threads {
            settings.push(("threads", threads.max(1).to_string()));
        }
        if let Some(limit) = &options.memory_limit {
            settings.push(("memory_limit", limit.clone()));
        }
        let c_path = c_text(path)?;
        let config = Config::new(&settings)?;
        let mut handle = ptr::null_mut();
        let mut message = ptr::null_mut();
        // SAFETY: path and config live through the call; on failure the message is ours to free, and no handle
        // was made.
        unsafe {
            if ffi::duckdb_open_ext(c_path.as_ptr(), &mut handle, config.0, &mut message) != ffi::DuckDBSuccess {
                let words = text(message);
                ffi::duckdb_free(message.cast());
                return Err(error::open(path, words));
            }
        }
        Ok(Handle { raw: handle, file: Growing::open(path, options) })
    }

    pub(crate) fn raw(&self) -> ffi::duckdb_database {
        self.raw
    }

    /// Lets what the engine has written so far begin its way to the disk: the commit waits for less.
    pub(crate) fn begin_write_back(&self) {
        let Some(Growing { file, write_back }) = &self.file else { return };
        if let Ok(metadata) = file.metadata() {
            write_back.lock().unwrap_or_else(PoisonError::into_inner).up_to(file, metadata.len());
        }
    }

    /// How many connections the engine has, ours for this question included.
    fn connections(&self) -> Option<i64> {
        // SAFETY: the handle is open until `close` consumes it.
        let connection = unsafe { Connection::open_from_raw(self.raw) }.ok()?;
        connection.query_row(sql::CONNECTION_COUNT, [], |row| row.get(0)).ok()
    }

    fn close(mut self) {
        // SAFETY: consumes the handle, so it is closed once.
        unsafe { ffi::duckdb_close(&mut self.raw) }
    }
}

/// The settings that a database is opened with.
struct Config(ffi::duckdb_config);

impl Config {
    fn new(settings: &[(&str, String)]) -> Result<Self> {
        let mut config = Config(ptr::null_mut());
        // SAFETY: the config is ours and freed by its drop; the texts live through each call.
        unsafe {
            ffi::duckdb_create_config(&mut config.0);
            for (name, value) in settings {
                let (c_name, c_value): (CString, CString) = (c_text(name)?, c_text(value)?);
                if ffi::duckdb_set_config(config.0, c_name.as_ptr(), c_value.as_ptr()) != ffi::DuckDBSuccess {
                    return Err(Error::usage(format!("DuckDB does not accept {name} = {value:?}")));
                }
            }
        }
        Ok(config)
    }
}

impl Drop for Config {
    fn drop(&mut self) {
        // SAFETY: made by `duckdb_create_config`, freed once; null is allowed.
        unsafe { ffi::duckdb_destroy_config(&mut self.0) }
    }
}
