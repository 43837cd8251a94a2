//! The engine seam: Arrow streams into DuckDB tables, and tables or queries out as Arrow streams.
//!
//! - `database.rs`: [`Database`] hands out connections.
//! - `handle.rs`: the raw handle; one engine a file in this process, closed when nobody is left.
//! - `vector.rs`: a column's engine vectors → Arrow arrays; which types leave as Arrow.
//! - `raw.rs`: connections, statements and results of the C API, each released exactly once.
//! - `scan.rs`: an Arrow stream that DuckDB scans in parallel, fed by a thread of ours in row groups.
//! - `load.rs`: stream → table in one transaction: create, append, replace. [`Database::load`] starts here.
//! - `create.rs`: a query into a table, inside the engine.
//! - `merge.rs`: staged rows into a table by key.
//! - `conflicts.rs`: which staged rows the table would refuse.
//! - `query.rs`: table or SQL → [`TableStream`], columns in the asked order.
//! - `types.rs`: which Arrow types DuckDB takes, when a cast keeps the value.
//! - `c_text.rs`: texts to and from the C API.
//! - `sql.rs`: quoting and every SQL text; nothing else puts SQL together.
//! - `error.rs`: DuckDB's messages sorted into our kinds.
//!
//! In and out: Arrow only. This folder has never heard of CSV. It is one of the two places with `unsafe`; each
//! block says why it is sound.

mod c_text;
mod conflicts;
mod create;
mod database;
mod error;
mod handle;
mod load;
mod merge;
mod query;
mod raw;
mod scan;
pub(crate) mod sql;
mod types;
mod vector;

pub(crate) use database::refuse;
pub use database::{Database, DatabaseOptions, TableColumn};
pub(crate) use error::engine;
pub(crate) use load::find;
pub use load::{BatchSource, BeforeCommit, LoadOptions, Loaded, OneStream};
pub use query::{Query, TableStream};
pub use scan::ROW_GROUP;
pub use sql::TableName;
pub(crate) use types::describe;
