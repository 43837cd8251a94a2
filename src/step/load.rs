//! CSV into a table, with all rows accounted for: [`load_csv`].
//!
//! In: a [`CsvInput`], a table's name, [`LoadOptions`]. Out: what was read and what was loaded, and the promise that
//! the two agree; else nothing is committed.

use std::cell::RefCell;

use arrow::array::RecordBatchReader;

use crate::csv::{CsvInput, Promotion, ReadSummary};
use crate::duckdb::{BatchSource, Database, LoadOptions, Loaded, TableName};
use crate::error::{Error, Result};

/// The input, lent to the load and to the check before its commit.
struct Lent<'a>(&'a RefCell<CsvInput>);

impl BatchSource for Lent<'_> {
    fn open(&mut self) -> Result<Box<dyn RecordBatchReader + Send>> {
        Ok(Box::new(self.0.borrow_mut().open()?))
    }

    fn restart(&mut self) -> Result<bool> {
        Ok(self.0.borrow_mut().restart())
    }
}

/// What [`load_csv`] did.
#[derive(Debug, Clone)]
#[must_use]
pub struct LoadedCsv {
    /// What became of the input's records.
    pub read: ReadSummary,
    /// What became of the table.
    pub loaded: Loaded,
    /// Columns that got a wider type than the first batch suggested.
    pub promotions: Vec<Promotion>,
}

/// Loads CSV into a table, all or nothing. Input without any column makes an empty table with one column,
/// `placeholder`.
///
/// ```
/// use duckstream::{CsvInput, Database, LoadOptions, ReaderOptions, Source, load_csv};
/// let database = Database::memory()?;
/// let input = CsvInput::new(vec![Source::reader("input", &b"x,y\n1,a\n2,b\n"[..])], ReaderOptions::default())?;
/// let done = load_csv(&database, input, &"t".parse()?, &LoadOptions::default())?;
/// assert_eq!((done.read.rows, done.loaded.rows_after), (2, 2));
/// # Ok::<(), duckstream::Error>(())
/// ```
///
/// # Errors
/// Those of reading, and of [`Database::load`].
pub fn load_csv(
    database: &Database,
    input: CsvInput,
    table: &TableName,
    options: &LoadOptions,
) -> Result<LoadedCsv> {
    let input = RefCell::new(input.with_placeholder().with_monitor(options.monitor.clone()));
    let mut accounted = |_: &duckdb::Connection, loaded: &Loaded| match input.borrow().summary().rows {
        rows if rows == loaded.rows => Ok(()),
        rows => Err(Error::internal(format!("{rows} rows were read, but {} were loaded", loaded.rows))),
    };
    let loaded = database.load(&mut Lent(&input), table, options, &mut accounted)?;
    let input = input.into_inner();
    Ok(LoadedCsv { read: input.summary(), loaded, promotions: input.promotions().to_vec() })
}
