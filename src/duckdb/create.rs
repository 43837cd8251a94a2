//! A query into a table, inside the engine: [`Database::create_table_as`].
//!
//! In: a table's name and the text of one `SELECT`. Out: the table, in one transaction. It refuses text that is
//! anything but one query, so whatever a config holds, nothing else is run.

use crate::duckdb::database::Database;
use crate::duckdb::query::of_sql;
use crate::duckdb::scan::{Interrupter, cancelled};
use crate::duckdb::sql::{self, TableName};
use crate::error::Result;
use crate::job::Monitor;

impl Database {
    /// Makes a table of a query's rows and returns how many there are; a table of that name is replaced.
    ///
    /// ```
    /// use duckstream::{Database, Monitor, TableName};
    /// let database = Database::memory()?;
    /// let table = TableName::new("squares")?;
    /// let rows = database.create_table_as(&table, "SELECT n * n AS s FROM range(5) r(n)", &Monitor::default())?;
    /// assert_eq!(rows, 5);
    /// assert!(database.create_table_as(&table, "SELECT 1; DROP TABLE squares", &Monitor::default()).is_err());
    /// # Ok::<(), duckstream::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) for SQL that is not one query;
    /// [`ErrorKind::Target`](crate::ErrorKind::Target) if DuckDB does not accept it;
    /// [`ErrorKind::Cancelled`](crate::ErrorKind::Cancelled). Nothing is changed then.
    pub fn create_table_as(&self, table: &TableName, query: &str, monitor: &Monitor) -> Result<u64> {
        drop(of_sql(&self.connect_raw()?, query)?);
        let connection = self.connect_raw()?;
        let doing = format!("creating table {}", table.plain());
        let interrupter = {
            let connection = std::sync::Arc::clone(&connection);
            Interrupter::new(monitor.cancel_token(), move || connection.interrupt())
        };
        connection.execute(&doing, sql::BEGIN)?;
        let made = monitor
            .tick()
            .and_then(|()| connection.execute(&doing, &sql::create_as(&table.to_string(), true, query)))
            .and_then(|()| monitor.tick());
        // The end of the transaction is not to be interrupted: from here on it is decided.
        interrupter.stop();
        if let Err(error) = made.and_then(|()| connection.execute(&doing, sql::COMMIT)) {
            // After a failed commit there is nothing left to roll back.
            let _ = connection.execute(&doing, sql::ROLLBACK);
            return Err(cancelled(monitor.cancel_token()).unwrap_or(error));
        }
        let count = self.connect()?.query_row(&sql::count(&table.to_string()), [], |row| row.get(0));
        count.map_err(|error| crate::duckdb::error::engine(&doing, error))
    }
}
