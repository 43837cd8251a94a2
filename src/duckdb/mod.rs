//! The engine seam: Arrow streams into DuckDB tables, and tables or queries out as Arrow streams.
//!
//! - `database.rs`: [`Database`] owns the handle; hands out connections, closes when nobody is left.
//! - `raw.rs`: connections, statements and results of the C API, each released exactly once.
//! - `scan.rs`: an Arrow stream that DuckDB scans in parallel, fed by a thread of ours in row groups.
//! - `load.rs`: stream → table in one transaction: create, append, replace. [`Database::load`] starts here.
//! - `merge.rs`: what goes through a staging table: merge by key.
//! - `query.rs`: table or SQL → [`TableStream`], columns in the asked order.
//! - `types.rs`: which Arrow types DuckDB takes, which columns leave as text, when a cast keeps the value.
//! - `sql.rs`: quoting and every SQL text; nothing else puts SQL together.
//! - `error.rs`: DuckDB's messages sorted into our kinds.
//!
//! In and out: Arrow only. This folder has never heard of CSV. It is one of the two places with `unsafe`; each
//! block says why it is sound.

mod database;
mod error;
mod load;
mod merge;
mod query;
mod raw;
mod scan;
pub(crate) mod sql;
mod types;

pub(crate) use database::refuse;
pub use database::{Database, DatabaseOptions, TableColumn};
pub(crate) use error::engine;
pub(crate) use load::find;
pub use load::{BatchSource, BeforeCommit, LoadOptions, Loaded, OneStream};
pub use query::{Query, TableStream};
pub use scan::ROW_GROUP;
pub use sql::TableName;
pub(crate) use types::describe;
