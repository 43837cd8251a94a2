//! A stream into a table, in one transaction: [`Database::load`].
//!
//! In: a [`BatchSource`], a table's name, [`LoadOptions`]. Out: [`Loaded`], the counts, after the commit; or the
//! original error of whoever failed, with the catalog as it was. It refuses columns that do not match, values that
//! the table's types would change, and a count of rows in the table that is not the count of rows in the stream.

use std::panic::{AssertUnwindSafe, catch_unwind};

use arrow::array::RecordBatchReader;
use arrow::datatypes::SchemaRef;
use duckdb::Connection;

use crate::duckdb::database::{Database, TableColumn, refuse};
use crate::duckdb::error::engine;
use crate::duckdb::scan::{Interrupter, ROW_GROUP, Scan, cancelled, panicked};
use crate::duckdb::sql::{self, Staging, TableName};
use crate::duckdb::{conflicts, merge, types};
use crate::error::{Error, Result};
use crate::job::{Monitor, Stage};
use crate::options::{Dedup, LoadMode, MatchColumns, OnError, nearest};

/// Where batches come from: something that can be opened, and opened again if the load has to start over.
pub trait BatchSource {
    /// Opens the stream from its beginning. The reader is pulled on a thread of its own.
    ///
    /// # Errors
    /// Whatever keeps it from opening; the load fails with it.
    fn open(&mut self) -> Result<Box<dyn RecordBatchReader + Send>>;

    /// Asked after a stream has ended without an error: whether what was loaded so far has to go, and the source is
    /// to be opened once more (with a wider schema, say). Default: no.
    ///
    /// # Errors
    /// Whatever makes the load fail after all.
    fn restart(&mut self) -> Result<bool> {
        Ok(false)
    }

    /// Told, in order and before the commit, of each row that the table refuses and the load leaves out
    /// ([`LoadOptions::conflicts`]): its place in the stream, from 0, the table's column if one alone is at fault, and the
    /// constraint in words. Default: nothing.
    ///
    /// # Errors
    /// Whatever makes the load fail after all: a limit that is passed, a reject file that cannot be written.
    fn refused(&mut self, row: u64, column: Option<&str>, message: &str) -> Result<()> {
        let _ = (row, column, message);
        Ok(())
    }
}

/// A [`BatchSource`] that is one reader, and can be opened once.
pub struct OneStream(Option<Box<dyn RecordBatchReader + Send>>);

impl OneStream {
    /// Wraps a reader.
    pub fn new(reader: impl RecordBatchReader + Send + 'static) -> Self {
        OneStream(Some(Box::new(reader)))
    }
}

impl BatchSource for OneStream {
    fn open(&mut self) -> Result<Box<dyn RecordBatchReader + Send>> {
        self.0.take().ok_or_else(|| Error::internal("a stream can be read only once"))
    }
}

/// How a stream goes into a table.
#[derive(Clone)]
pub struct LoadOptions {
    /// What happens to a table that exists. Default: it is in the way.
    pub mode: LoadMode,
    /// The columns that tell rows apart, for [`LoadMode::Merge`].
    pub key: Vec<String>,
    /// Which of several rows with one key stays, for [`LoadMode::Merge`]. Default: the last.
    pub dedup: Dedup,
    /// How the stream's columns find the table's. Default: by name.
    pub match_columns: MatchColumns,
    /// What happens to rows that a constraint of an existing table refuses (NOT NULL, CHECK, UNIQUE, PRIMARY KEY).
    /// Default: the load fails. Otherwise rows go through a staging table, those that are refused are left out, and
    /// the source is told of each ([`BatchSource::refused`]); of several rows with one key the first is taken.
    pub conflicts: OnError,
    /// Rows of one row group of the target: [`ROW_GROUP`], unless its database was attached with another
    /// `ROW_GROUP_SIZE`.
    pub row_group: usize,
    /// Cancels the load; told of its stages. Rows and bytes are counted by the reader, who knows both.
    pub monitor: Monitor,
}

impl Default for LoadOptions {
    fn default() -> Self {
        LoadOptions {
            mode: LoadMode::default(),
            key: Vec::new(),
            dedup: Dedup::default(),
            match_columns: MatchColumns::default(),
            conflicts: OnError::default(),
            row_group: ROW_GROUP,
            monitor: Monitor::default(),
        }
    }
}

/// What a load did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use]
pub struct Loaded {
    /// Rows of the stream.
    pub rows: u64,
    /// Rows added to the table.
    pub inserted: u64,
    /// Rows of the table that got other values.
    pub updated: u64,
    /// Rows of the stream whose like the table had already.
    pub unchanged: u64,
    /// Rows of the stream left out because another one has their key.
    pub duplicates: u64,
    /// Rows of the stream left out because a constraint of the table refuses them.
    pub refused: u64,
    /// Rows of the table before; 0 if there was none.
    pub rows_before: u64,
    /// Rows of the table after.
    pub rows_after: u64,
    /// Whether the load made the table (a replaced one counts as made).
    pub created: bool,
}

/// Called inside the transaction when all rows are in, before the commit. It may read and write, but must not end
/// the transaction.
pub type BeforeCommit<'a> = dyn FnMut(&Connection, &Loaded) -> Result<()> + 'a;

impl Database {
    /// Loads a stream into a table, all or nothing.
    ///
    /// Everything happens in one transaction: whatever fails (the source, a callback that panics, a full disk, a
    /// constraint, a cancel), the catalog and the data are as before, and the error is the original one.
    /// `before_commit` sees the loaded table on the transaction's own connection; its error rolls everything back.
    /// [`LoadMode::Append`] and [`LoadMode::Merge`] make the table if it is not there.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use arrow::array::{ArrayRef, Int64Array, RecordBatch, RecordBatchIterator};
    /// use duckstream::{Database, LoadOptions, OneStream};
    /// let numbers: ArrayRef = Arc::new(Int64Array::from(vec![1, 2, 3]));
    /// let batch = RecordBatch::try_from_iter([("n", numbers)]).unwrap();
    /// let schema = batch.schema();
    /// let mut source = OneStream::new(RecordBatchIterator::new([Ok(batch)], schema));
    /// let database = Database::memory()?;
    /// let table = "numbers".parse()?;
    /// let loaded = database.load(&mut source, &table, &LoadOptions::default(), &mut |_, _| Ok(()))?;
    /// assert_eq!(loaded.rows, 3);
    /// # Ok::<(), duckstream::Error>(())
    /// ```
    ///
    /// # Errors
    /// The source's own error; [`ErrorKind::Target`](crate::ErrorKind::Target) if the table is in the way, its
    /// columns do not match, a type would change a value, or a constraint refuses a row;
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) for a stream that no table can hold;
    /// [`ErrorKind::Cancelled`](crate::ErrorKind::Cancelled).
    pub fn load(
        &self,
        source: &mut dyn BatchSource,
        table: &TableName,
        options: &LoadOptions,
        before_commit: &mut BeforeCommit<'_>,
    ) -> Result<Loaded> {
        if options.mode == LoadMode::Merge && options.key.is_empty() {
            return Err(Error::usage("mode merge needs the columns that tell rows apart: --key COLUMN[,COLUMN…]"));
        }
        let connection = self.connect()?;
        let load = Load { database: self, connection, table, options };
        loop {
            if let Some(loaded) = load.attempt(source, before_commit)? {
                return Ok(loaded);
            }
            options.monitor.restart();
        }
    }
}

/// One load under way.
pub(crate) struct Load<'a> {
    pub(crate) database: &'a Database,
    pub(crate) connection: Connection,
    pub(crate) table: &'a TableName,
    pub(crate) options: &'a LoadOptions,
}

/// How the stream's columns become the table's, in the stream's order.
pub(crate) struct Plan {
    /// The table's columns that are filled.
    pub(crate) names: Vec<String>,
    /// For each, the expression over the scan's columns.
    pub(crate) expressions: Vec<String>,
    /// Whether the table is made from the stream.
    pub(crate) create: bool,
}

impl Plan {
    /// Selects all of the scan, in order, each column under the table's name for it.
    pub(crate) fn select(&self, from: &str) -> String {
        let named = self.expressions.iter().zip(&self.names);
        sql::select(&sql::list(named.map(|(expression, name)| format!("{expression} AS {}", sql::ident(name)))), from)
    }
}

impl Load<'_> {
    /// One pass over the source; `None` if it has to start over.
    fn attempt(&self, source: &mut dyn BatchSource, before_commit: &mut BeforeCommit<'_>) -> Result<Option<Loaded>> {
        let monitor = &self.options.monitor;
        monitor.tick()?;
        let reader = guard("opening the source", || source.open())?;
        let schema = reader.schema();
        types::check(&schema)?;
        // Before the transaction: asking for a table that is not there would abort it.
        let existing = self.database.columns(self.table)?;
        let plan = self.plan(&schema, existing.as_deref())?;

        let handle = self.connection.interrupt_handle();
        let interrupter = Interrupter::new(monitor.cancel_token(), move || handle.interrupt());
        self.run(sql::BEGIN)?;
        let mut scan = None;
        let filled = self.fill(reader, &plan, existing.as_deref(), source, &mut scan);
        let result = filled.and_then(|loaded| {
            let Some(loaded) = loaded else { return Ok(None) };
            monitor.enter(Stage::Commit)?;
            guard("the hook before the commit", || before_commit(&self.connection, &loaded))?;
            monitor.tick()?;
            Ok(Some(loaded))
        });
        // The end of the transaction is not to be interrupted: from here on it is decided.
        interrupter.stop();
        let result = match result {
            Ok(Some(loaded)) => self.run(sql::COMMIT).map(|()| Some(loaded)),
            other => other,
        };
        if !matches!(result, Ok(Some(_))) {
            // A failed commit has rolled back already; then this fails, and nothing is left to do.
            let _ = self.connection.execute_batch(sql::ROLLBACK);
        }
        let original = scan.as_ref().and_then(Scan::take_error);
        drop(scan);
        result.map_err(|error| original.or_else(|| cancelled(monitor.cancel_token())).unwrap_or(error))
    }

    /// Brings the rows in; `None` if the source wants to start over.
    fn fill<'s>(
        &'s self,
        reader: Box<dyn RecordBatchReader + Send>,
        plan: &Plan,
        existing: Option<&[TableColumn]>,
        source: &mut dyn BatchSource,
        slot: &mut Option<Scan<'s>>,
    ) -> Result<Option<Loaded>> {
        let rows_before = if existing.is_some() { self.count()? } else { 0 };
        let columns = existing.unwrap_or_default();
        let scan = slot.insert(Scan::start(self.database, reader, self.options.row_group, &self.options.monitor)?);
        let mut loaded = Loaded { rows_before, created: plan.create, ..Loaded::default() };
        let table = self.table.to_string();
        let sift = self.options.conflicts != OnError::Error && !plan.create;
        if self.options.mode == LoadMode::Merge || sift {
            let stage = Staging::new(&self.database.scratch_name(), &plan.names);
            self.run(&stage.create(&plan.select(&scan.relation())))?;
            loaded.rows = self.taken(scan)?;
            if guard("the source", || source.restart())? {
                return Ok(None);
            }
            if sift {
                loaded.refused = conflicts::sift(self, plan, columns, &stage, source)?;
            }
            match self.options.mode {
                LoadMode::Merge => merge::run(self, plan, &stage, &mut loaded)?,
                _ => self.run(&sql::insert(&table, &plan.names, &stage.select(&plan.names)))?,
            }
            self.run(&sql::drop_temp(&stage.name))?;
        } else {
            let query = plan.select(&scan.relation());
            match plan.create {
                true => self.run(&sql::create_as(&table, self.options.mode == LoadMode::Replace, &query))?,
                false => self.run(&sql::insert(&table, &plan.names, &query))?,
            }
            loaded.rows = self.taken(scan)?;
            if guard("the source", || source.restart())? {
                return Ok(None);
            }
        }
        loaded.rows_after = self.count()?;
        let kept = if plan.create { 0 } else { rows_before };
        loaded.inserted = loaded.rows_after.saturating_sub(kept);
        if self.options.mode == LoadMode::Merge {
            let staged = loaded.rows - loaded.refused - loaded.duplicates;
            loaded.unchanged = staged.saturating_sub(loaded.inserted + loaded.updated);
        } else if loaded.rows_after != kept + loaded.rows - loaded.refused {
            return Err(Error::internal(format!(
                "table {} has {} rows after {} of {} were added to {kept}",
                self.table.plain(),
                loaded.rows_after,
                loaded.rows - loaded.refused,
                loaded.rows
            )));
        }
        Ok(Some(loaded))
    }

    /// The rows that DuckDB has taken, once the stream is at its end.
    fn taken(&self, scan: &Scan<'_>) -> Result<u64> {
        match scan.ended() {
            true => Ok(scan.rows()),
            false => Err(Error::internal("DuckDB did not read the stream to its end")),
        }
    }

    /// Decides how columns meet, before anything runs.
    fn plan(&self, schema: &SchemaRef, existing: Option<&[TableColumn]>) -> Result<Plan> {
        let target = match (existing, self.options.mode) {
            (Some(_), LoadMode::Create) => {
                return Err(refuse(format!(
                    "table {} exists; add to it with --mode append, or put the new rows in its place with --mode \
                     replace",
                    self.table.plain()
                )));
            }
            (None, _) | (Some(_), LoadMode::Replace) => {
                let fields = schema.fields().iter().enumerate();
                return Ok(Plan {
                    names: schema.fields().iter().map(|field| field.name().clone()).collect(),
                    expressions: fields
                        .map(|(index, field)| types::new_column(&sql::stream_column(index), field.data_type()))
                        .collect(),
                    create: true,
                });
            }
            (Some(columns), _) => columns,
        };
        let matched = self.match_columns(schema, target)?;
        let expression = |(index, column): (usize, &&TableColumn)| {
            let from = schema.field(index).data_type();
            types::into_column(&sql::stream_column(index), &column.name, from, &column.data_type)
        };
        Ok(Plan {
            expressions: matched.iter().enumerate().map(expression).collect::<Result<_>>()?,
            names: matched.iter().map(|column| column.name.clone()).collect(),
            create: false,
        })
    }

    /// For each column of the stream, the table's.
    fn match_columns<'t>(&self, schema: &SchemaRef, target: &'t [TableColumn]) -> Result<Vec<&'t TableColumn>> {
        let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        if self.options.match_columns == MatchColumns::Position {
            if names.len() != target.len() {
                return Err(refuse(format!(
                    "the input has {} columns and table {} has {}; by position they must be equally many",
                    names.len(),
                    self.table.plain(),
                    target.len()
                )));
            }
            return Ok(target.iter().collect());
        }
        let known: Vec<&str> = target.iter().map(|column| column.name.as_str()).collect();
        let found: Vec<Option<usize>> = names.iter().map(|name| find(name, &known, &names)).collect();
        let extra: Vec<&str> =
            names.iter().zip(&found).filter(|(_, hit)| hit.is_none()).map(|(name, _)| *name).collect();
        if extra.is_empty() {
            return Ok(found.into_iter().flatten().map(|index| &target[index]).collect());
        }
        let missing: Vec<&str> =
            (0..known.len()).filter(|index| !found.contains(&Some(*index))).map(|index| known[index]).collect();
        let folded: Vec<String> = missing.iter().map(|name| name.to_lowercase()).collect();
        let folded: Vec<&str> = folded.iter().map(String::as_str).collect();
        let near = |name: &&str| {
            let hit = nearest(&name.to_lowercase(), &folded)?;
            let at = folded.iter().position(|other| *other == hit)?;
            Some(format!("{name} → {}", missing[at]))
        };
        let near: Vec<String> = extra.iter().filter_map(near).collect();
        let mut message =
            format!("the input's columns do not match table {}: it has no {}", self.table.plain(), extra.join(", "));
        if !missing.is_empty() {
            message.push_str(&format!("; the input has no {}", missing.join(", ")));
        }
        if !near.is_empty() {
            message.push_str(&format!("; near: {}", near.join(", ")));
        }
        message.push_str("; rename or leave out columns, or use --match-columns position");
        Err(refuse(message))
    }

    /// Runs one statement of ours.
    pub(crate) fn run(&self, text: &str) -> Result<()> {
        self.connection.execute_batch(text).map_err(|error| self.failed(error))
    }

    /// Runs one statement and says how many rows it changed.
    pub(crate) fn changed(&self, text: &str) -> Result<u64> {
        self.connection.execute(text, []).map(|rows| rows as u64).map_err(|error| self.failed(error))
    }

    /// The rows of the table.
    pub(crate) fn count(&self) -> Result<u64> {
        let text = sql::count(&self.table.to_string());
        self.connection.query_row(&text, [], |row| row.get(0)).map_err(|error| self.failed(error))
    }

    pub(crate) fn failed(&self, error: duckdb::Error) -> Error {
        engine(&format!("loading table {}", self.table.plain()), error)
    }
}

/// Finds `name` among the table's columns: exactly, or without regard to case where that is unique on both sides.
pub(crate) fn find(name: &str, known: &[&str], names: &[&str]) -> Option<usize> {
    if let Some(exact) = known.iter().position(|other| other == &name) {
        return Some(exact);
    }
    let folded = name.to_lowercase();
    let mut hits = known.iter().enumerate().filter(|(_, other)| other.to_lowercase() == folded).map(|(index, _)| index);
    match (hits.next(), hits.next()) {
        (Some(hit), None) if names.iter().filter(|other| other.to_lowercase() == folded).count() <= 1 => Some(hit),
        _ => None,
    }
}

/// Runs code that was given to us; a panic becomes an error.
fn guard<T>(who: &str, run: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| Err(panicked(who, &*panic)))
}
