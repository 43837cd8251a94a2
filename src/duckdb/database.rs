//! [`Database`]: one open DuckDB database, shared by everybody in the process who works on it.
//!
//! In: a path, or nothing for memory. Out: connections. It owns the raw handle, because a scan needs one and
//! `duckdb::Connection` hides it. Extensions are never loaded by themselves: nothing is downloaded.

use std::ffi::CString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use duckdb::{Connection, ffi};

use crate::duckdb::raw::{RawConnection, c_text, text};
use crate::duckdb::sql::{self, TableName};
use crate::duckdb::{error, types};
use crate::error::{Error, ErrorKind, Result};

/// How a database is opened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DatabaseOptions {
    /// The engine's threads. Default: one per core.
    pub threads: Option<usize>,
    /// The engine's memory, such as `512MiB`. Default: DuckDB's, 80 % of the machine's.
    pub memory_limit: Option<String>,
    /// Whether nothing may be written. The file must exist then. Default: false.
    pub read_only: bool,
}

/// An open DuckDB database: a file, or memory. Clones share it; it closes with the last of them.
///
/// Keep a `Database` for as long as its connections: a file may stay open (and locked) until the process ends, or
/// opens another one, if a connection outlives the last `Database`.
///
/// ```
/// use duckstream::Database;
/// let database = Database::memory()?;
/// database.connect()?.execute_batch("CREATE TABLE t AS SELECT 42 AS answer").unwrap();
/// let columns = database.columns(&"t".parse()?)?.unwrap();
/// assert_eq!(columns[0].name, "answer");
/// # Ok::<(), duckstream::Error>(())
/// ```
#[derive(Clone)]
pub struct Database(Arc<Inner>);

struct Inner {
    handle: Option<Handle>,
    path: Option<PathBuf>,
    created: bool,
    scratch: AtomicU64,
}

/// The open database of the C API.
struct Handle(ffi::duckdb_database);

// SAFETY: the database is shared by all its connections inside DuckDB, which does the locking; the pointer itself
// is only read, and closed once by whoever drops it last.
unsafe impl Send for Handle {}
// SAFETY: as above.
unsafe impl Sync for Handle {}

/// One column of a table, as the database describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TableColumn {
    /// Its name.
    pub name: String,
    /// DuckDB's text for its type, such as `DECIMAL(15,2)`.
    pub data_type: String,
    /// Whether NULL is allowed.
    pub nullable: bool,
    /// Whether it is (part of) the primary key.
    pub primary_key: bool,
    /// The SQL text of its default, where it has one.
    pub default: Option<String>,
}

impl Database {
    /// Opens a database file; it is made if it is not there.
    ///
    /// # Errors
    /// [`ErrorKind::Target`] if the file is locked by another process, is no database, is of a newer DuckDB, or
    /// cannot be made.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_with(path, &DatabaseOptions::default())
    }

    /// Opens a database file with options. The path `:memory:` is [`Database::memory_with`].
    ///
    /// # Errors
    /// As [`Database::open`]; [`ErrorKind::Target`] as well for options that DuckDB refuses.
    pub fn open_with(path: impl AsRef<Path>, options: &DatabaseOptions) -> Result<Self> {
        let path = path.as_ref();
        if path.as_os_str() == ":memory:" {
            return Self::memory_with(options);
        }
        let name = path.to_str().ok_or_else(|| Error::usage(format!("{path:?} is not a UTF-8 path")))?;
        let exists = path.exists();
        if options.read_only && !exists {
            return Err(error::open(name, "read-only: the file does not exist".to_owned()));
        }
        let handle = Handle::open(name, options)?;
        Ok(Self::from_handle(handle, Some(path.to_owned()), !exists))
    }

    /// An empty database in memory.
    ///
    /// # Errors
    /// [`ErrorKind::Target`] if DuckDB cannot start.
    pub fn memory() -> Result<Self> {
        Self::memory_with(&DatabaseOptions::default())
    }

    /// An empty database in memory, with options; `read_only` means nothing here.
    ///
    /// # Errors
    /// [`ErrorKind::Target`] for options that DuckDB refuses.
    pub fn memory_with(options: &DatabaseOptions) -> Result<Self> {
        let options = DatabaseOptions { read_only: false, ..options.clone() };
        Ok(Self::from_handle(Handle::open(":memory:", &options)?, None, false))
    }

    fn from_handle(handle: Handle, path: Option<PathBuf>, created: bool) -> Self {
        let inner = Inner { handle: Some(handle), path, created, scratch: AtomicU64::new(0) };
        Database(Arc::new(inner))
    }

    /// A connection of its own, to use as you like.
    ///
    /// # Errors
    /// [`ErrorKind::Engine`] if DuckDB gives none.
    pub fn connect(&self) -> Result<Connection> {
        // SAFETY: the handle is open as long as `self` lives; a connection keeps the engine alive by itself, and
        // `Handle` is not closed while a connection might still clone itself from it (see its `Drop`).
        unsafe { Connection::open_from_raw(self.handle()) }
            .map_err(|error| Error::engine("connecting to the database", error))
    }

    /// The file, unless the database is in memory.
    pub fn path(&self) -> Option<&Path> {
        self.0.path.as_deref()
    }

    /// Whether opening made the file.
    pub fn created(&self) -> bool {
        self.0.created
    }

    /// Closes the database and removes its file, if opening [`created`](Self::created) it and it still holds
    /// nothing: what to do after a first load that failed. If other clones are in use, nothing happens.
    ///
    /// # Errors
    /// [`ErrorKind::Write`] if the file cannot be removed.
    pub fn discard(self) -> Result<()> {
        let empty = || {
            self.connect()?
                .query_row(sql::IS_EMPTY, [], |row| row.get(0))
                .map_err(|error| error::engine("looking at the database", error))
        };
        let (path, created) = (self.0.path.clone(), self.created() && empty()?);
        let Some(inner) = Arc::into_inner(self.0) else { return Ok(()) };
        drop(inner);
        let Some(path) = path.filter(|_| created) else { return Ok(()) };
        let mut wal = path.clone().into_os_string();
        wal.push(".wal");
        for file in [path.as_path(), Path::new(&wal)] {
            match std::fs::remove_file(file) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(Error::write(file.display().to_string(), error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The columns of a table or view, in its order; `None` if there is none of that name.
    ///
    /// # Errors
    /// [`ErrorKind::Engine`] if DuckDB cannot say.
    pub fn columns(&self, table: &TableName) -> Result<Option<Vec<TableColumn>>> {
        types::describe(&self.connect()?, table)
    }

    pub(crate) fn connect_raw(&self) -> Result<Arc<RawConnection>> {
        // SAFETY: the handle is open as long as `self` lives.
        unsafe { RawConnection::connect(self.handle()) }
    }

    /// A name for something of ours that nobody else in this database has.
    pub(crate) fn scratch_name(&self) -> String {
        format!("__duckstream_{}", self.0.scratch.fetch_add(1, Ordering::Relaxed))
    }

    fn handle(&self) -> ffi::duckdb_database {
        self.0.handle.as_ref().map_or(ptr::null_mut(), |handle| handle.0)
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database").field("path", &self.0.path).finish_non_exhaustive()
    }
}

impl Handle {
    fn open(path: &str, options: &DatabaseOptions) -> Result<Self> {
        close_orphans();
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
        Ok(Handle(handle))
    }

    /// How many connections the engine has, ours for this question included.
    fn connections(&self) -> Option<i64> {
        // SAFETY: the handle is open until `self` is dropped for good.
        let connection = unsafe { Connection::open_from_raw(self.0) }.ok()?;
        connection.query_row(sql::CONNECTION_COUNT, [], |row| row.get(0)).ok()
    }

    fn close(mut self) {
        // SAFETY: consumes the handle, so it is closed once.
        unsafe { ffi::duckdb_close(&mut self.0) }
    }
}

/// Handles whose `Database` is gone while connections made from them are not. Such a connection may clone itself
/// from the handle at any time, so the handle must stay until the last one is gone.
static ORPHANS: Mutex<Vec<Handle>> = Mutex::new(Vec::new());

fn close_orphans() {
    let mut orphans = ORPHANS.lock().unwrap_or_else(PoisonError::into_inner);
    let (closable, kept) = orphans.drain(..).partition(|handle| handle.connections() == Some(1));
    *orphans = kept;
    drop(orphans);
    let closable: Vec<Handle> = closable;
    closable.into_iter().for_each(Handle::close);
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(handle) = self.handle.take() {
            ORPHANS.lock().unwrap_or_else(PoisonError::into_inner).push(handle);
            close_orphans();
        }
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

/// An error for a target that is in the way.
pub(crate) fn refuse(message: impl Into<String>) -> Error {
    ErrorKind::Target { message: message.into(), source: None }.into()
}
