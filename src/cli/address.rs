//! Where a person says things are: a table in a database, a file's format.

use std::path::{Path, PathBuf};

use crate::duckdb::{Database, DatabaseOptions, TableName};
use crate::error::{Error, Result};
use crate::options::Compression;
use crate::transfer::Format;

/// A database, and perhaps a table in it: `FILE`, `FILE#schema.table`, `:memory:`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Address {
    pub db: PathBuf,
    pub table: Option<TableName>,
}

impl Address {
    /// Takes `--db` and `--table` apart.
    pub(crate) fn parse(db: Option<&str>, table: Option<&str>) -> Result<Address> {
        let db = db.ok_or_else(|| Error::usage("--db is missing: a DuckDB file, or :memory:"))?;
        let (db, fragment) = match db.rsplit_once('#') {
            // A file may have a # in its name.
            Some(_) if Path::new(db).exists() => (db, None),
            Some((db, fragment)) => (db, Some(fragment)),
            None => (db, None),
        };
        let table = match (fragment, table) {
            (Some(_), Some(_)) => {
                return Err(Error::usage("the table is given twice: after the # of --db, and by name"));
            }
            (fragment, table) => fragment.or(table).map(TableName::parse).transpose()?,
        };
        if db.is_empty() {
            return Err(Error::usage("--db is empty: give a DuckDB file, or :memory:"));
        }
        Ok(Address { db: db.into(), table })
    }

    /// Opens the database.
    pub(crate) fn open(&self, threads: usize, memory_limit: Option<String>, read_only: bool) -> Result<Database> {
        let threads = Some(threads).filter(|threads| *threads > 0);
        Database::open_with(&self.db, &DatabaseOptions { threads, memory_limit, read_only })
    }
}

/// The name for a table that holds a file: the file's, without its endings.
pub(crate) fn table_of(input: &str) -> Option<TableName> {
    let (path, member) = input.rsplit_once("::").map_or((input, None), |(path, member)| (path, Some(member)));
    let mut stem = Path::new(member.unwrap_or(path)).file_name()?.to_str()?;
    if stem == "-" || stem.contains(['*', '?', '[']) {
        return None;
    }
    if Compression::from_name(stem) != Compression::None {
        stem = stem.rsplit_once('.')?.0;
    }
    if Format::from_name(stem).is_some() {
        stem = stem.rsplit_once('.')?.0;
    }
    TableName::new(stem).ok()
}

/// The format of an input or output: as given, else as the name says, else CSV.
pub(crate) fn format_of(given: Option<&str>, name: &str) -> Result<Format> {
    given.map_or_else(|| Ok(Format::from_name(name).unwrap_or(Format::Csv)), str::parse)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn databases_and_tables() {
        let table = |text: &str| Some(TableName::parse(text).unwrap());
        for (db, name, expected) in [
            ("f.duckdb", None, ("f.duckdb", None)),
            ("f.duckdb#t", None, ("f.duckdb", table("t"))),
            ("f#g.duckdb#s.t", None, ("f#g.duckdb", table("s.t"))),
            ("f.duckdb", Some("s.\"a.b\""), ("f.duckdb", table("s.\"a.b\""))),
            (":memory:", Some("t"), (":memory:", table("t"))),
        ] {
            let address = Address::parse(Some(db), name).unwrap();
            assert_eq!((address.db.to_str().unwrap(), address.table), expected, "{db}");
        }
        for (db, name) in
            [(None, None), (Some(""), None), (Some("#t"), None), (Some("f#t"), Some("u")), (Some("f#"), None)]
        {
            assert!(Address::parse(db, name).is_err(), "{db:?} {name:?}");
        }
    }

    #[test]
    fn tables_are_called_after_files() {
        for (input, table) in [
            ("flights.csv", "flights"),
            ("a/b/sales.2024.csv.gz", "sales.2024"),
            ("x.TSV", "x"),
            ("README", "README"),
            ("a.zip::dir/b.csv", "b"),
            ("a.csv.zip", "a"),
        ] {
            assert_eq!(table_of(input), Some(TableName::new(table).unwrap()), "{input}");
        }
        assert_eq!(table_of("-"), None);
        assert_eq!(table_of("data/*.csv"), None);
    }
}
