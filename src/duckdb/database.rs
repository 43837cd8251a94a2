//! [`Database`]: one open DuckDB database, shared by everybody in the process who works on it.
//!
//! In: a path, or nothing for memory. Out: connections. It owns the raw handle, because a scan needs one and
//! `duckdb::Connection` hides it. Extensions are never loaded by themselves: nothing is downloaded.

use std::fmt;
use std::path::{Path, PathBuf};
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use duckdb::{Connection, ffi};

use crate::duckdb::handle::{self, Handle};
use crate::duckdb::raw::RawConnection;
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
/// Keep a `Database` for as long as its connections: if one of them outlives the last `Database`, the file stays
/// open (and locked) until the process opens or closes another database after it, or ends.
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

/// What the clones share.
pub(crate) struct Inner {
    pub(crate) handle: Option<Handle>,
    pub(crate) path: Option<PathBuf>,
    pub(crate) created: bool,
    /// Tells it apart from all others of this process, wherever it is moved.
    pub(crate) id: u64,
    scratch: AtomicU64,
}

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
    /// Opens a database file; it is made if it is not there. A file that this process has open already is shared,
    /// not opened again: two engines on one file would destroy it.
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
    /// As [`Database::open`]; [`ErrorKind::Target`] as well for a file that is open in this process with other
    /// options; [`ErrorKind::Usage`] for options that DuckDB does not accept.
    pub fn open_with(path: impl AsRef<Path>, options: &DatabaseOptions) -> Result<Self> {
        let path = path.as_ref();
        if path.as_os_str() == ":memory:" {
            return Self::memory_with(options);
        }
        handle::open(path, options).map(Database)
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
    /// [`ErrorKind::Usage`] for options that DuckDB does not accept.
    pub fn memory_with(options: &DatabaseOptions) -> Result<Self> {
        let options = DatabaseOptions { read_only: false, ..options.clone() };
        Ok(Database(Inner::new(Handle::open(":memory:", &options)?, None, false)))
    }

    /// Begins to write to disk what a load has put into the file so far; nothing once the database is closed.
    pub(crate) fn write_back(&self) -> impl FnMut() + Send + 'static {
        let inner = Arc::downgrade(&self.0);
        move || {
            if let Some(inner) = inner.upgrade()
                && let Some(handle) = &inner.handle
            {
                handle.begin_write_back();
            }
        }
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
        let Some(path) = path.filter(|path| created && !handle::is_open(path)) else { return Ok(()) };
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
        match self.has_table(table)? {
            Some(false) => Ok(None),
            _ => types::describe(&self.connect()?, table),
        }
    }

    /// Whether there is a table of that name; `None` if only SQL can tell.
    pub(crate) fn has_table(&self, table: &TableName) -> Result<Option<bool>> {
        self.connect_raw()?.has_table([table.database(), table.schema(), Some(table.table())])
    }

    /// Leaves the engine one thread, if that is all that streaming this table takes. DuckDB streams prepared statements
    /// alone, and runs those in order by running them serially; a second thread only takes turns with the first, which
    /// looks again and again whether it is its turn, on a core that encoding could use.
    pub(crate) fn one_thread_for(&self, table: &TableName) -> Result<()> {
        match self.has_table(table)? {
            Some(true) => self.connect_raw()?.execute("setting threads", sql::ONE_THREAD),
            _ => Ok(()),
        }
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
        self.0.handle.as_ref().map_or(ptr::null_mut(), Handle::raw)
    }
}

impl Inner {
    pub(crate) fn new(handle: Handle, path: Option<PathBuf>, created: bool) -> Arc<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        Arc::new(Inner { handle: Some(handle), path, created, id, scratch: AtomicU64::new(0) })
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        handle::release(self);
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database").field("path", &self.0.path).finish_non_exhaustive()
    }
}

/// An error for a target that is in the way.
pub(crate) fn refuse(message: impl Into<String>) -> Error {
    ErrorKind::Target { message: message.into(), source: None }.into()
}
