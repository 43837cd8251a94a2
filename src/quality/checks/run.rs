//! The checks, asked in SQL on the connection of the load's transaction.
//!
//! In: a table that exists, which rows of it the load brought. Out: one [`CheckResult`] per check. First a count, and only
//! where it is not zero, the first rows. Checks of severity `reject` go first, so that the others judge what would be
//! committed. A row that was in the table before the load is never taken out of it.

use std::time::SystemTime;

use arrow::array::{Array, AsArray};
use arrow::datatypes::Int64Type;
use duckdb::Connection;

use crate::csv::RejectSink;
use crate::duckdb::sql::{self, TableName};
use crate::duckdb::{Loaded, TableColumn, describe, engine, find, refuse};
use crate::error::{Error, ErrorKind, Fault, FaultCode, Location, Result};
use crate::options::nearest;
use crate::quality::checks::spec::{Check, Checks, Kind, Scalar};
use crate::quality::checks::{CheckExample, CheckResult, Severity};
use crate::quality::rejects::push_csv_field;

/// Rows that a message shows.
const EXAMPLES: u64 = 5;
/// Characters of a value that a message shows.
const VALUE: usize = 80;
/// Columns of a row that a message shows.
const SHOWN: usize = 12;

impl Checks {
    /// Runs all checks over a table, and refuses it if one of severity `fail` does not hold.
    ///
    /// Meant for `before_commit`: the table is judged as it would be committed, old rows included. `loaded` says which rows
    /// are new. Rows that a check of severity `reject` finds among the new ones are deleted and handed to `rejects`, as one
    /// record of CSV with the table's columns; if old rows fail it, too, the table is refused.
    ///
    /// # Errors
    /// [`ErrorKind::Refused`] with the message of every check that failed; [`ErrorKind::Usage`] for columns that
    /// are not there and values that do not go with a column's type; what DuckDB says to a predicate.
    pub fn run(
        &self,
        connection: &Connection,
        table: &TableName,
        loaded: &Loaded,
        rejects: Option<&mut dyn RejectSink>,
    ) -> Result<Vec<CheckResult>> {
        let results = self.evaluate(connection, table, loaded, rejects)?;
        let failed: Vec<&str> = results
            .iter()
            .filter(|result| !result.passed && result.severity == Severity::Fail)
            .filter_map(|result| result.message.as_deref())
            .collect();
        match failed.is_empty() {
            true => Ok(results),
            false => Err(ErrorKind::Refused { message: failed.join("\n") }.into()),
        }
    }

    /// Runs all checks as [`run`](Self::run) does, but leaves the verdict to the caller.
    ///
    /// # Errors
    /// As [`run`](Self::run), except for checks that fail.
    pub fn evaluate(
        &self,
        connection: &Connection,
        table: &TableName,
        loaded: &Loaded,
        mut rejects: Option<&mut dyn RejectSink>,
    ) -> Result<Vec<CheckResult>> {
        let Some(columns) = describe(connection, table)? else {
            return Err(refuse(format!("there is no table {} to check", table.plain())));
        };
        let kept = if loaded.created { 0 } else { loaded.rows_before };
        let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        let row = free_name("row", &names);
        let id = free_name("id", &names);
        let nth = free_name("nth", &names);
        let run = Run { connection, table, columns: &columns, kept, row, id, nth };
        let mut results: Vec<Option<CheckResult>> = self.0.iter().map(|_| None).collect();
        for rejecting in [true, false] {
            for (check, slot) in self.0.iter().zip(&mut results) {
                if (check.severity == Severity::Reject) == rejecting {
                    *slot = Some(run.check(check, &mut rejects)?);
                }
            }
        }
        Ok(results.into_iter().flatten().collect())
    }
}

/// Checks of one table under way.
struct Run<'a> {
    connection: &'a Connection,
    table: &'a TableName,
    columns: &'a [TableColumn],
    /// Rows that the table had before the load; they come first.
    kept: u64,
    /// Names for a row's place and its id that are no columns of the table.
    row: String,
    id: String,
    /// A name for how often a key was seen.
    nth: String,
}

/// What a check of single rows asks.
struct Rows {
    /// A query for how many rows fail.
    count: String,
    /// A query for all rows that fail: all columns, the row's place and id.
    failing: String,
    /// What is wrong with them.
    what: String,
}

impl Run<'_> {
    fn check(&self, check: &Check, rejects: &mut Option<&mut dyn RejectSink>) -> Result<CheckResult> {
        let doing = format!("check '{}'", check.name);
        let mut result = CheckResult {
            name: check.name.clone(),
            kind: check.kind.name().to_owned(),
            severity: check.severity,
            passed: true,
            failed: 0,
            rejected: 0,
            observed: None,
            examples: Vec::new(),
            message: None,
        };
        let columns = self.find(check)?;
        match &check.kind {
            Kind::RowCount { .. } | Kind::Freshness { .. } => {
                let (observed, wrong) = match &check.kind {
                    Kind::RowCount { min, max } => self.row_count(&doing, *min, *max)?,
                    _ => self.freshness(check, &doing, columns[0])?,
                };
                result.observed = Some(observed);
                result.message = wrong.map(|wrong| format!("{doing}: {wrong}"));
            }
            Kind::NullRatio { max, .. } => {
                let rows = self.rows(check, &doing, &columns)?;
                let (nulls, all) = (self.number(&doing, &rows.count)?, self.number(&doing, &sql::count(&self.name()))?);
                let ratio = if all == 0 { 0.0 } else { nulls as f64 / all as f64 };
                result.observed = Some(format!("{ratio}"));
                if ratio > *max {
                    result.failed = nulls;
                    let (name, percent) = (&columns[0].name, 100.0 * ratio);
                    self.explain(
                        &mut result,
                        &doing,
                        &rows,
                        &columns,
                        format!("{nulls} of {all} rows ({percent:.3} %) have no {name}, more than {max}"),
                    )?;
                }
            }
            _ => {
                let rows = self.rows(check, &doing, &columns)?;
                result.failed = self.number(&doing, &rows.count)?;
                if result.failed > 0 {
                    let verb = if result.failed == 1 { "row fails" } else { "rows fail" };
                    let what = format!("{} {verb}: {}", result.failed, rows.what);
                    self.explain(&mut result, &doing, &rows, &columns, what)?;
                    if check.severity == Severity::Reject {
                        self.reject(check, &doing, &rows, &mut result, rejects)?;
                    }
                }
            }
        }
        result.passed = result.message.is_none();
        Ok(result)
    }

    /// The columns that a check names.
    fn find(&self, check: &Check) -> Result<Vec<&TableColumn>> {
        let known: Vec<&str> = self.columns.iter().map(|column| column.name.as_str()).collect();
        let one = |name: &String| match find(name, &known, &[]) {
            Some(index) => Ok(&self.columns[index]),
            None => {
                let hint = match nearest(name, &known) {
                    Some(near) => format!("did you mean '{near}'?"),
                    None => format!("there are: {}", known.join(", ")),
                };
                Err(Error::usage(format!("check '{}': the table has no column '{name}': {hint}", check.name)))
            }
        };
        check.kind.columns().iter().map(one).collect()
    }

    /// What a check of single rows asks.
    fn rows(&self, check: &Check, doing: &str, columns: &[&TableColumn]) -> Result<Rows> {
        let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
        let (condition, what) = match &check.kind {
            Kind::NotNull { .. } => (sql::any_null(&names), format!("{} is NULL", names.join(" or "))),
            Kind::NullRatio { .. } => (sql::any_null(&names), String::new()),
            Kind::Unique { .. } => {
                return Ok(Rows {
                    count: sql::count_repeats(&self.name(), &names),
                    failing: sql::repeats(&self.numbered(), &names, &self.row, &self.nth),
                    what: format!("an earlier row has the same {}", names.join(", ")),
                });
            }
            Kind::Range { min, max, .. } => {
                let bound =
                    |value: &Option<Scalar>| value.as_ref().map(|v| self.literal(check, columns[0], v)).transpose();
                let what = match (min, max) {
                    (Some(min), Some(max)) => format!("in {min} to {max}"),
                    (Some(min), None) => format!("at least {min}"),
                    (None, max) => format!("at most {}", max.as_ref().map(Scalar::to_string).unwrap_or_default()),
                };
                let condition = sql::outside(&names[0], bound(min)?.as_deref(), bound(max)?.as_deref());
                (condition, format!("{} is not {what}", names[0]))
            }
            Kind::Regex { pattern, .. } => {
                (sql::no_full_match(&names[0], pattern), format!("{} does not match {pattern}", names[0]))
            }
            Kind::In { values, .. } => {
                let literals = values.iter().map(|value| self.literal(check, columns[0], value));
                let literals: Vec<String> = literals.collect::<Result<_>>()?;
                let list: Vec<String> = values.iter().map(Scalar::to_string).collect();
                (sql::none_of(&names[0], &literals), format!("{} is none of {}", names[0], list.join(", ")))
            }
            Kind::Sql { predicate } => {
                self.one_expression(doing, predicate)?;
                let condition = sql::not_true(predicate);
                return Ok(Rows {
                    count: sql::count(&sql::only_query(&sql::filtered("1", &self.name(), &condition))),
                    failing: sql::select("*", &sql::only_query(&sql::filtered("*", &self.numbered(), &condition))),
                    what: format!("not true: {predicate}"),
                });
            }
            Kind::RowCount { .. } | Kind::Freshness { .. } => {
                return Err(Error::internal("a check of the table was asked for rows"));
            }
        };
        Ok(Rows {
            count: sql::filtered("count(*)", &self.name(), &condition),
            failing: sql::filtered("*", &self.numbered(), &condition),
            what,
        })
    }

    /// A predicate goes into larger texts: it must be one expression, inside brackets of either kind.
    fn one_expression(&self, doing: &str, predicate: &str) -> Result<()> {
        for bracketed in sql::bracketed(predicate) {
            let probe = sql::only_query(&sql::filtered(&bracketed, &self.name(), "false"));
            if let Err(error) = self.connection.prepare(&sql::select("*", &probe)) {
                let error = error.to_string();
                let reason = error.lines().next().unwrap_or_default();
                return Err(Error::usage(format!("{doing}: the predicate is not one SQL expression: {reason}")));
            }
        }
        Ok(())
    }

    /// A value as a literal that compares as written: numbers with numbers, texts with all that is no number.
    fn literal(&self, check: &Check, column: &TableColumn, value: &Scalar) -> Result<String> {
        let data_type = column.data_type.as_str();
        let is_number = ["TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE", "DECIMAL("]
            .iter()
            .any(|name| data_type.trim_start_matches('U').starts_with(name) && !data_type.ends_with(']'));
        let (fits, literal) = match value {
            Scalar::Number(number) => (is_number, number.to_string()),
            Scalar::Bool(value) => (data_type == "BOOLEAN", value.to_string()),
            Scalar::Text(text) => (!is_number && data_type != "BOOLEAN", sql::literal(text)),
        };
        match fits {
            true => Ok(literal),
            false => Err(Error::usage(format!(
                "check '{}': {value} cannot be compared with column {:?}, which is {data_type}; write {}",
                check.name,
                column.name,
                if is_number { "a number, without quotes" } else { "it as the column's values are written, in quotes" }
            ))),
        }
    }

    fn row_count(&self, doing: &str, min: Option<u64>, max: Option<u64>) -> Result<(String, Option<String>)> {
        let rows = self.number(doing, &sql::count(&self.name()))?;
        let wrong = match (min, max) {
            (Some(min), _) if rows < min => Some(format!("the table has {rows} rows, fewer than {min}")),
            (_, Some(max)) if rows > max => Some(format!("the table has {rows} rows, more than {max}")),
            _ => None,
        };
        Ok((rows.to_string(), wrong))
    }

    fn freshness(&self, check: &Check, doing: &str, column: &TableColumn) -> Result<(String, Option<String>)> {
        let Kind::Freshness { max_age, text: max_text, .. } = &check.kind else {
            return Err(Error::internal("a check without an age was asked for one"));
        };
        if !column.data_type.starts_with("TIMESTAMP") && column.data_type != "DATE" {
            return Err(Error::usage(format!(
                "{doing}: column {:?} is {}; freshness needs a date or a timestamp",
                column.name, column.data_type
            )));
        }
        let query = sql::newest(&self.name(), &column.name, column.data_type == "DATE");
        let row = |row: &duckdb::Row<'_>| Ok((row.get::<_, Option<String>>(0)?, row.get::<_, Option<i64>>(1)?));
        let (text, micros) = self.connection.query_row(&query, [], row).map_err(|error| engine(doing, error))?;
        let (Some(text), Some(micros)) = (text, micros) else {
            return Ok(("none".to_owned(), Some(format!("there is no time in {}", column.name))));
        };
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_micros() as i128;
        let age = now - i128::from(micros);
        let wrong = (age > max_age.as_micros() as i128).then(|| {
            format!(
                "the newest {} is {text}, {} ago; max_age is {max_text}",
                column.name,
                spell((age / 1_000_000) as u64)
            )
        });
        Ok((text, wrong))
    }

    /// Adds the first rows and the message.
    fn explain(
        &self,
        result: &mut CheckResult,
        doing: &str,
        rows: &Rows,
        columns: &[&TableColumn],
        what: String,
    ) -> Result<()> {
        let first = columns.iter().map(|column| column.name.as_str());
        let rest = self.columns.iter().map(|column| column.name.as_str());
        let rest = rest.filter(|name| !columns.iter().any(|column| column.name == *name));
        let order: Vec<&str> = first.chain(rest).collect();
        let query = sql::rows_as_text(&rows.failing, &order, &self.row, Some(EXAMPLES));
        self.each(doing, &query, |row, values| {
            let shown = order.iter().zip(values).take(SHOWN).map(|(name, value)| format!("{name}={}", cut(value)));
            let mut text = shown.collect::<Vec<_>>().join(", ");
            if order.len() > SHOWN {
                text.push_str(", …");
            }
            result.examples.push(CheckExample { row, text });
            Ok(())
        })?;
        let examples: Vec<String> = result.examples.iter().map(|e| format!("row {}: {}", e.row, e.text)).collect();
        result.message = Some(format!("{doing}: {what}; {}", examples.join("; ")));
        Ok(())
    }

    /// Hands on the rows and deletes them.
    fn reject(
        &self,
        check: &Check,
        doing: &str,
        rows: &Rows,
        result: &mut CheckResult,
        rejects: &mut Option<&mut dyn RejectSink>,
    ) -> Result<()> {
        if self.columns.iter().any(|column| column.name.eq_ignore_ascii_case("rowid")) {
            return Err(Error::usage(format!(
                "{doing}: rows of a table with a column \"rowid\" cannot be told apart; use severity warn or fail"
            )));
        }
        let old = self.number(doing, &sql::count_up_to(&rows.failing, &self.row, self.kept))?;
        if old > 0 {
            let message = format!(
                "{doing}: {old} of the rows were in the table before this load, and are not taken out of it; {}",
                result.message.as_deref().unwrap_or_default()
            );
            return Err(ErrorKind::Refused { message }.into());
        }
        if let Some(sink) = rejects {
            let names: Vec<&str> = self.columns.iter().map(|column| column.name.as_str()).collect();
            let single = self.find(check)?;
            let single = match single.as_slice() {
                [column] => names.iter().position(|name| *name == column.name),
                _ => None,
            };
            let query = sql::rows_as_text(&rows.failing, &names, &self.row, None);
            let mut raw = String::new();
            self.each(doing, &query, |row, values| {
                raw.clear();
                for (index, value) in values.iter().enumerate() {
                    if index > 0 {
                        raw.push(',');
                    }
                    push_csv_field(&mut raw, *value);
                }
                let mut at = Location::new(self.table.plain()).with_record(row);
                at.column = single.map(|index| names[index].to_owned());
                sink.reject(&Fault {
                    at,
                    line_end: 0,
                    code: FaultCode::Check,
                    message: format!("{doing}: {}", rows.what),
                    value: single.and_then(|index| values[index].map(str::to_owned)),
                    hint: None,
                    raw: raw.as_bytes().to_vec(),
                })?;
                result.rejected += 1;
                Ok(())
            })?;
        }
        let deleted = self.connection.execute(&sql::delete_rows(&self.name(), &rows.failing, &self.id), []);
        let deleted = deleted.map_err(|error| engine(doing, error))? as u64;
        if deleted != result.failed || (rejects.is_some() && result.rejected != deleted) {
            return Err(Error::internal(format!(
                "{doing}: {} rows failed, {} were handed on, {deleted} were deleted; a predicate must say the same each \
                 time",
                result.failed, result.rejected
            )));
        }
        result.rejected = deleted;
        Ok(())
    }

    /// Rows whose first column is their place and whose others are text.
    fn each(&self, doing: &str, query: &str, mut take: impl FnMut(u64, &[Option<&str>]) -> Result<()>) -> Result<()> {
        let failed = |error| engine(doing, error);
        let mut statement = self.connection.prepare(query).map_err(failed)?;
        for batch in statement.stream_arrow([]).map_err(failed)? {
            let batch = batch.map_err(failed)?;
            let places = batch.column(0).as_primitive::<Int64Type>();
            let texts: Vec<_> = batch.columns()[1..].iter().map(|column| column.as_string::<i32>()).collect();
            for index in 0..batch.num_rows() {
                let values: Vec<Option<&str>> =
                    texts.iter().map(|text| text.is_valid(index).then(|| text.value(index))).collect();
                take(places.value(index) as u64, &values)?;
            }
        }
        Ok(())
    }

    fn number(&self, doing: &str, query: &str) -> Result<u64> {
        self.connection.query_row(query, [], |row| row.get(0)).map_err(|error| engine(doing, error))
    }

    fn name(&self) -> String {
        self.table.to_string()
    }

    /// The table with the place of each row.
    fn numbered(&self) -> String {
        sql::numbered(self.table, &self.row, &self.id)
    }
}

/// A name for a column of ours that is none of these.
fn free_name(what: &str, taken: &[&str]) -> String {
    let mut name = format!("__duckstream_{what}");
    while taken.iter().any(|taken| taken.eq_ignore_ascii_case(&name)) {
        name.push('_');
    }
    name
}

fn cut(value: &Option<&str>) -> String {
    match value {
        None => "NULL".to_owned(),
        Some(value) if value.chars().count() <= VALUE => (*value).to_owned(),
        Some(value) => value.chars().take(VALUE).chain("…".chars()).collect(),
    }
}

/// A time span in its two largest units.
fn spell(seconds: u64) -> String {
    let units = [("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)];
    let mut rest = seconds;
    let mut parts = Vec::new();
    for (unit, size) in units {
        if rest >= size && parts.len() < 2 {
            parts.push(format!("{} {unit}", rest / size));
            rest %= size;
        }
    }
    if parts.is_empty() { "0 s".to_owned() } else { parts.join(" ") }
}
