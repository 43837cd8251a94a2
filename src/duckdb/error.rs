//! DuckDB's messages sorted into our kinds, so that exit codes and hints come out right.
//!
//! In: an error of the engine, and what was being done. Out: an [`Error`] whose kind says who can help: the target
//! (exit 6), the caller, or nobody here.

use crate::duckdb::sql;
use crate::error::{Cause, Error, ErrorKind};

/// Sorts an error of the engine that came up while `doing` something.
pub(crate) fn engine(doing: &str, source: impl Into<Cause>) -> Error {
    let source = source.into();
    let message = source.to_string();
    if message.starts_with("INTERRUPT") {
        return ErrorKind::Cancelled.into();
    }
    if let Some((_, refused)) = message.split_once(sql::CAST_FAILED) {
        let message = format!(
            "{doing}: {refused}; change the table's column, or take the column as it is with another --mode or table"
        );
        return ErrorKind::Target { message, source: Some(source) }.into();
    }
    let (kind, text) = message.split_once(" Error: ").unwrap_or(("", &message));
    match kind {
        "Constraint" => target(format!("{doing}: the table refused a row: {text}"), source),
        "Catalog" | "Binder" | "Conversion" | "Dependency" | "TransactionContext" | "Permission" => {
            target(format!("{doing}: {text}"), source)
        }
        _ if text.contains("read-only") => target(format!("{doing}: {text}"), source),
        "Parser" | "Syntax" => Error::usage(format!("{doing}: {text}")),
        _ => Error::engine(doing, source),
    }
}

fn target(message: String, source: Cause) -> Error {
    ErrorKind::Target { message, source: Some(source) }.into()
}

/// The error of opening a database file, with the way out where there is one.
pub(crate) fn open(path: &str, message: String) -> Error {
    let low = message.to_lowercase();
    let text = if low.contains("lock") {
        format!("{path} is in use by another process; wait for it or close it ({})", first_line(&message))
    } else if low.contains("newer version") || low.contains("version number") || low.contains("storage version") {
        format!("{path} was written by another DuckDB version than this one reads ({})", first_line(&message))
    } else if low.contains("not a valid duckdb") || low.contains("not a duckdb") {
        format!("{path} is not a DuckDB database; give another --db ({})", first_line(&message))
    } else if low.contains("read-only") && low.contains("does not exist") {
        format!("{path} does not exist")
    } else {
        format!("cannot open {path}: {}", first_line(&message))
    };
    target(text, message.into())
}

/// The error for a table that is not there.
pub(crate) fn no_such_table(table: &sql::TableName) -> Error {
    ErrorKind::Target { message: format!("Table '{}' does not exist in DuckDB", table.plain()), source: None }.into()
}

fn first_line(message: &str) -> &str {
    let line = message.lines().next().unwrap_or_default();
    line.split_once(" Error: ").map_or(line, |(_, text)| text)
}
