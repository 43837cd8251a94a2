//! Every SQL text of this crate is put together here, from quoted names and quoted literals.
//!
//! In: names and values as people have them: `order`, `a"b`, `x; DROP TABLE y`. Out: SQL in which each of them is
//! one identifier or one literal, whatever it holds. NUL, which SQL text cannot carry, is refused.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};

/// The name of a table, with schema and database where they were given.
///
/// `Display` prints it quoted for SQL: every part is one identifier, whatever characters it has.
///
/// ```
/// use duckstream::TableName;
/// assert_eq!(TableName::new("a.b")?.to_string(), r#""a.b""#);
/// assert_eq!(TableName::parse("main.order")?.to_string(), r#""main"."order""#);
/// assert_eq!(TableName::parse(r#"main."a.b""#)?.to_string(), r#""main"."a.b""#);
/// # Ok::<(), duckstream::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TableName {
    database: Option<String>,
    schema: Option<String>,
    table: String,
}

impl TableName {
    /// A table by its bare name, taken literally: dots and quotes are part of it.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) if the name is empty or holds a NUL.
    pub fn new(table: impl Into<String>) -> Result<Self> {
        Self::from_parts(vec![table.into()])
    }

    /// A table as people write it: `table`, `schema.table` or `database.schema.table`. A part that holds a dot goes
    /// in double quotes, in which `""` stands for a quote.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) for an empty part, more than three parts, an open quote, a NUL.
    pub fn parse(text: &str) -> Result<Self> {
        let mut parts = Vec::new();
        let mut rest = text;
        loop {
            let (part, tail) = match rest.strip_prefix('"') {
                Some(quoted) => quoted_part(quoted).ok_or_else(|| bad_name(text, "a quote is not closed"))?,
                None => {
                    let end = rest.find('.').unwrap_or(rest.len());
                    (rest[..end].to_owned(), &rest[end..])
                }
            };
            parts.push(part);
            match tail.strip_prefix('.') {
                Some(next) => rest = next,
                None if tail.is_empty() => break,
                None => return Err(bad_name(text, "a closing quote must be followed by a dot or the end")),
            }
        }
        Self::from_parts(parts)
    }

    fn from_parts(mut parts: Vec<String>) -> Result<Self> {
        let text = parts.join(".");
        if parts.iter().any(String::is_empty) {
            return Err(bad_name(&text, "it has an empty part"));
        }
        if text.contains('\0') {
            return Err(bad_name(&text, "it holds a NUL"));
        }
        match (parts.pop(), parts.pop(), parts.pop()) {
            (Some(table), schema, database) if parts.is_empty() => Ok(TableName { database, schema, table }),
            _ => Err(bad_name(&text, "at most database.schema.table")),
        }
    }

    /// The bare name of the table.
    pub fn table(&self) -> &str {
        &self.table
    }

    /// The schema, where one was given.
    pub fn schema(&self) -> Option<&str> {
        self.schema.as_deref()
    }

    /// The database (catalog), where one was given.
    pub fn database(&self) -> Option<&str> {
        self.database.as_deref()
    }

    /// The name for a message: parts joined with dots, not quoted.
    pub(crate) fn plain(&self) -> String {
        [self.database(), self.schema(), Some(self.table())].into_iter().flatten().collect::<Vec<_>>().join(".")
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in [self.database(), self.schema()].into_iter().flatten() {
            write!(f, "{}.", ident(part))?;
        }
        f.write_str(&ident(&self.table))
    }
}

impl FromStr for TableName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text)
    }
}

fn bad_name(text: &str, why: &str) -> Error {
    Error::usage(format!("{text:?} is not a table name: {why}; write table, schema.table or \"a name\""))
}

/// What stands before the closing quote, undoubled, and what follows it.
fn quoted_part(text: &str) -> Option<(String, &str)> {
    let mut part = String::new();
    let mut rest = text;
    loop {
        let quote = rest.find('"')?;
        part.push_str(&rest[..quote]);
        rest = &rest[quote + 1..];
        match rest.strip_prefix('"') {
            Some(next) => {
                part.push('"');
                rest = next;
            }
            None => return Some((part, rest)),
        }
    }
}

/// A name as one SQL identifier.
pub(crate) fn ident(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text as one SQL literal.
pub(crate) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The name under which the stream's column at `index` is scanned, free of the user's names.
pub(crate) fn stream_column(index: usize) -> String {
    format!("c{index}")
}

/// Expressions joined with commas.
pub(crate) fn list<S: AsRef<str>>(items: impl IntoIterator<Item = S>) -> String {
    let mut text = String::new();
    for item in items {
        if !text.is_empty() {
            text.push_str(", ");
        }
        text.push_str(item.as_ref());
    }
    text
}

/// Names as a comma-separated list of identifiers.
pub(crate) fn idents<S: AsRef<str>>(names: impl IntoIterator<Item = S>) -> String {
    list(names.into_iter().map(|name| ident(name.as_ref())))
}

pub(crate) fn attach_memory(name: &str) -> String {
    format!("ATTACH ':memory:' AS {}", ident(name))
}

pub(crate) fn use_database(name: &str) -> String {
    format!("USE {}", ident(name))
}

pub(crate) fn detach(name: &str) -> String {
    format!("DETACH DATABASE IF EXISTS {}", ident(name))
}

pub(crate) fn describe(table: &TableName) -> String {
    format!("DESCRIBE {table}")
}

/// How many connections the engine has.
pub(crate) const CONNECTION_COUNT: &str = "SELECT CAST(count AS BIGINT) FROM duckdb_connection_count()";

/// Whether a database holds nothing of a user's.
pub(crate) const IS_EMPTY: &str = "SELECT NOT EXISTS (FROM duckdb_tables() WHERE NOT internal) \
    AND NOT EXISTS (FROM duckdb_views() WHERE NOT internal) AND NOT EXISTS (FROM duckdb_types() WHERE NOT internal) \
    AND NOT EXISTS (FROM duckdb_sequences()) AND NOT EXISTS (FROM duckdb_functions() WHERE NOT internal) \
    AND NOT EXISTS (FROM duckdb_schemas() WHERE NOT internal AND schema_name <> 'main')";

pub(crate) const BEGIN: &str = "BEGIN TRANSACTION";
pub(crate) const COMMIT: &str = "COMMIT";
pub(crate) const ROLLBACK: &str = "ROLLBACK";

pub(crate) const ONE_THREAD: &str = "SET threads = 1";

/// Text forms of zoned timestamps must not depend on where the program runs.
pub(crate) const SET_UTC: &str = "SET TimeZone = 'UTC'";

pub(crate) fn count(table: &str) -> String {
    format!("SELECT count(*) FROM {table}")
}

/// `CAST(expression AS type)`; the type is DuckDB's own text for it.
pub(crate) fn cast(expression: &str, to: &str) -> String {
    format!("CAST({expression} AS {to})")
}

/// Casts `column` to `to`; a value for which `keeps` does not hold fails with a message that names `name` and it.
/// `{v}` in `keeps` is the value, `{t}` the value after the cast.
pub(crate) fn checked_cast(column: &str, name: &str, to: &str, keeps: &str) -> String {
    let cast = format!("TRY_CAST({column} AS {to})");
    let keeps = keeps.replace("{t}", &cast).replace("{v}", column);
    let before = literal(&format!("{CAST_FAILED}column {name:?} is {to} in the table and cannot take the value '"));
    format!(
        "CASE WHEN {column} IS NULL THEN NULL WHEN {keeps} THEN {cast} \
         ELSE error({before} || CAST({column} AS VARCHAR) || {}) END",
        literal("'")
    )
}

/// Starts the message of a value that [`checked_cast`] refuses.
pub(crate) const CAST_FAILED: &str = "duckstream: ";

pub(crate) fn select(expressions: &str, from: &str) -> String {
    format!("SELECT {expressions} FROM {from}")
}

/// The query as a relation `q` with its columns renamed by position.
pub(crate) fn subquery(query: &str, columns: usize) -> String {
    let names = list((0..columns).map(stream_column));
    // The line breaks keep a comment at the end of the query from swallowing what follows.
    format!("(\n{query}\n) AS q({names})")
}

pub(crate) fn create_as(table: &str, replace: bool, query: &str) -> String {
    let replace = if replace { "OR REPLACE " } else { "" };
    format!("CREATE {replace}TABLE {table} AS {query}")
}

pub(crate) fn create_temp_as(table: &str, query: &str) -> String {
    format!("CREATE TEMP TABLE {table} AS {query}")
}

/// A table of our own, if it is not there.
pub(crate) fn create_if_missing(table: &TableName, columns: &[(&str, &str)]) -> String {
    let columns = list(columns.iter().map(|(name, data_type)| format!("{} {data_type}", ident(name))));
    format!("CREATE TABLE IF NOT EXISTS {table} ({columns})")
}

/// One row of parameters; each is cast to its column's type.
pub(crate) fn insert_values(table: &TableName, columns: &[(&str, &str)]) -> String {
    let values = list(columns.iter().map(|(_, data_type)| cast("?", data_type)));
    format!("INSERT INTO {table} ({}) VALUES ({values})", idents(columns.iter().map(|(name, _)| name)))
}

pub(crate) fn drop_temp(table: &str) -> String {
    format!("DROP TABLE IF EXISTS {table}")
}

pub(crate) fn insert(table: &str, columns: &[String], query: &str) -> String {
    format!("INSERT INTO {table} ({}) {query}", idents(columns))
}

/// A name in the temporary catalog, where the user's catalog never sees it.
pub(crate) fn temp_name(name: &str) -> String {
    format!("temp.main.{}", ident(name))
}

/// A staging table, and the column that numbers its rows in the order in which they came.
pub(crate) struct Staging {
    pub(crate) name: String,
    id: String,
    /// Whether the rows have to be numbered by us.
    numbered: bool,
}

impl Staging {
    /// A stage with these columns. One of the user's called `rowid` hides the engine's own.
    pub(crate) fn new(name: &str, columns: &[String]) -> Staging {
        let taken = |id: &str| columns.iter().any(|column| column.eq_ignore_ascii_case(id));
        let numbered = taken("rowid");
        let mut id = if numbered { "__duckstream_row" } else { "rowid" }.to_owned();
        while numbered && taken(&id) {
            id.push('_');
        }
        Staging { name: temp_name(name), id: ident(&id), numbered }
    }

    /// Makes it, with the rows of a query.
    pub(crate) fn create(&self, query: &str) -> String {
        if !self.numbered {
            return create_temp_as(&self.name, query);
        }
        let rows = format!("SELECT row_number() OVER () AS {}, * FROM ({query}) AS rows", self.id);
        create_temp_as(&self.name, &rows)
    }

    /// These columns of all its rows.
    pub(crate) fn select(&self, columns: &[String]) -> String {
        select(&idents(columns), &self.name)
    }
}

/// One row for each key that stands in the stage more than once: how often, and its values as text.
pub(crate) fn duplicate_keys(stage: &str, keys: &[String]) -> String {
    let key = idents(keys);
    format!("SELECT count(*) AS n, CAST(row({key}) AS VARCHAR) FROM {stage} GROUP BY {key} HAVING count(*) > 1 LIMIT 1")
}

/// Deletes all rows of a stage but the last (or first) of each key, by the order in which they came.
pub(crate) fn dedupe(stage: &Staging, keys: &[String], last: bool) -> String {
    let pick = if last { "max" } else { "min" };
    let Staging { name, id, .. } = stage;
    format!("DELETE FROM {name} WHERE {id} NOT IN (SELECT {pick}({id}) FROM {name} GROUP BY {})", idents(keys))
}

pub(crate) fn filtered(expressions: &str, from: &str, condition: &str) -> String {
    format!("SELECT {expressions} FROM {from} WHERE {condition}")
}

/// A table with the place and the id of each row, under its own name.
pub(crate) fn numbered(table: &TableName, row: &str, id: &str) -> String {
    let (row, id) = (ident(row), ident(id));
    format!("(SELECT row_number() OVER () AS {row}, rowid AS {id}, * FROM {table}) AS {}", ident(table.table()))
}

pub(crate) fn any_null(columns: &[String]) -> String {
    columns.iter().map(|column| format!("{} IS NULL", ident(column))).collect::<Vec<_>>().join(" OR ")
}

fn none_null(columns: &[String]) -> String {
    columns.iter().map(|column| format!("{} IS NOT NULL", ident(column))).collect::<Vec<_>>().join(" AND ")
}

pub(crate) fn outside(column: &str, min: Option<&str>, max: Option<&str>) -> String {
    let below = min.map(|min| format!("{} < {min}", ident(column)));
    let above = max.map(|max| format!("{} > {max}", ident(column)));
    [below, above].into_iter().flatten().collect::<Vec<_>>().join(" OR ")
}

pub(crate) fn no_full_match(column: &str, pattern: &str) -> String {
    format!("NOT regexp_full_match(CAST({} AS VARCHAR), {})", ident(column), literal(pattern))
}

pub(crate) fn none_of(column: &str, literals: &[String]) -> String {
    format!("{} NOT IN ({})", ident(column), list(literals))
}

/// How many rows have the key of an earlier one.
pub(crate) fn count_repeats(table: &str, keys: &[String]) -> String {
    format!(
        "SELECT CAST(coalesce(sum(n - 1), 0) AS BIGINT) FROM (SELECT count(*) AS n FROM {table} WHERE {} GROUP BY {} \
         HAVING count(*) > 1)",
        none_null(keys),
        idents(keys)
    )
}

/// The rows that have the key of an earlier one.
pub(crate) fn repeats(numbered: &str, keys: &[String], row: &str, nth: &str) -> String {
    let (row, nth) = (ident(row), ident(nth));
    format!(
        "SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY {} ORDER BY {row}) AS {nth} FROM {numbered} WHERE {}) \
         WHERE {nth} > 1",
        idents(keys),
        none_null(keys)
    )
}

/// Whether a user's expression is not true. The line breaks keep a comment at its end from swallowing what follows.
pub(crate) fn not_true(predicate: &str) -> String {
    format!("(\n{predicate}\n) IS NOT TRUE")
}

/// A user's expression in brackets of either kind: what gets out of the one does not fit into the other.
pub(crate) fn bracketed(predicate: &str) -> [String; 2] {
    [format!("(\n{predicate}\n)"), format!("[\n{predicate}\n]")]
}

/// A query as a relation that can be nothing but one `SELECT`.
pub(crate) fn only_query(query: &str) -> String {
    format!("query({})", literal(query))
}

/// The place of each row and its columns as text, in the order of the table.
pub(crate) fn rows_as_text(query: &str, columns: &[&str], row: &str, limit: Option<u64>) -> String {
    let row = ident(row);
    let texts = columns.iter().map(|column| cast(&ident(column), "VARCHAR"));
    let limit = limit.map(|limit| format!(" LIMIT {limit}")).unwrap_or_default();
    format!("SELECT CAST({row} AS BIGINT), {} FROM ({query}) ORDER BY {row}{limit}", list(texts))
}

/// How many of the rows stand at or before a place.
pub(crate) fn count_up_to(query: &str, row: &str, place: u64) -> String {
    format!("SELECT count(*) FROM ({query}) WHERE {} <= {place}", ident(row))
}

pub(crate) fn delete_rows(table: &str, query: &str, id: &str) -> String {
    format!("DELETE FROM {table} WHERE rowid IN (SELECT {} FROM ({query}))", ident(id))
}

/// The newest time of a column, as text and in microseconds since 1970 UTC.
pub(crate) fn newest(table: &str, column: &str, is_date: bool) -> String {
    let newest = format!("max({})", ident(column));
    let instant = if is_date { cast(&newest, "TIMESTAMP") } else { newest.clone() };
    format!("SELECT CAST({newest} AS VARCHAR), CAST(epoch_us({instant}) AS BIGINT) FROM {table}")
}

/// Updates what differs and inserts what is new, matched by key; NULL equals NULL in a key.
pub(crate) fn merge(table: &TableName, stage: &str, columns: &[String], keys: &[String]) -> String {
    let both = |column: &String| (format!("t.{}", ident(column)), format!("s.{}", ident(column)));
    let on: Vec<String> = keys.iter().map(both).map(|(t, s)| format!("{t} IS NOT DISTINCT FROM {s}")).collect();
    let rest: Vec<&String> = columns.iter().filter(|column| !keys.contains(column)).collect();
    let differs: Vec<String> = rest.iter().map(|c| both(c)).map(|(t, s)| format!("{t} IS DISTINCT FROM {s}")).collect();
    let sets = list(rest.iter().map(|column| format!("{} = s.{}", ident(column), ident(column))));
    let update = match rest.is_empty() {
        true => String::new(),
        false => format!("WHEN MATCHED AND ({}) THEN UPDATE SET {sets} ", differs.join(" OR ")),
    };
    let values = list(columns.iter().map(|column| format!("s.{}", ident(column))));
    format!(
        "MERGE INTO {table} AS t USING {stage} AS s ON ({}) {update}WHEN NOT MATCHED THEN INSERT ({}) VALUES ({values})",
        on.join(" AND "),
        idents(columns),
    )
}

/// The constraints of a table: kind, text, expression, the places of their columns in the table.
pub(crate) fn constraints(table: &TableName) -> String {
    let schema = match (table.database(), table.schema()) {
        (Some(database), Some(schema)) => {
            format!("database_name = {} AND schema_name = {}", literal(database), literal(schema))
        }
        // One qualifier is a schema or a database, as it is to the engine.
        (None, Some(one)) => format!(
            "(database_name = current_database() AND schema_name = {0} OR database_name = {0} AND schema_name = 'main')",
            literal(one)
        ),
        _ => "database_name = current_database() AND schema_name = current_schema()".to_owned(),
    };
    format!(
        "SELECT constraint_type, constraint_text, expression, array_to_string(constraint_column_indexes, ',') \
         FROM duckdb_constraints() WHERE {schema} AND lower(table_name) = lower({}) \
         ORDER BY constraint_type NOT IN ('NOT NULL', 'CHECK'), constraint_index",
        literal(table.table())
    )
}

/// A staging table for refused rows: their place, why, and the column at fault.
pub(crate) fn create_refused(refused: &str) -> String {
    format!("CREATE TEMP TABLE {refused} (place BIGINT, why VARCHAR, at_fault VARCHAR)")
}

/// Notes the rows `s` of a stage for which a condition holds and that are not noted yet.
pub(crate) fn refuse(stage: &Staging, refused: &str, why: &str, columns: &[String], condition: &str) -> String {
    let Staging { name, id, .. } = stage;
    let at_fault = match columns {
        [one] => literal(one),
        _ => "NULL".to_owned(),
    };
    format!(
        "INSERT INTO {refused} SELECT s.{id}, {}, {at_fault} FROM {name} AS s \
         WHERE ({condition}) AND s.{id} NOT IN (SELECT place FROM {refused})",
        literal(why)
    )
}

/// Rows that are NULL in one of these columns.
pub(crate) fn null_in(columns: &[String]) -> String {
    columns.iter().map(|column| format!("s.{} IS NULL", ident(column))).collect::<Vec<_>>().join(" OR ")
}

/// Rows that do not pass a check; `expression` is the table's own text of it.
pub(crate) fn fails(expression: &str) -> String {
    format!("NOT ({expression})")
}

/// Rows whose key the table has already.
pub(crate) fn known(columns: &[String], table: &TableName) -> String {
    let same: Vec<String> =
        columns.iter().map(|column| ident(column)).map(|column| format!("t.{column} = s.{column}")).collect();
    format!("EXISTS (SELECT 1 FROM {table} AS t WHERE {})", same.join(" AND "))
}

/// Rows whose key an earlier row that is not refused has.
pub(crate) fn repeated(stage: &Staging, refused: &str, columns: &[String]) -> String {
    let Staging { name, id, .. } = stage;
    format!(
        "s.{id} IN (SELECT place FROM (SELECT {id} AS place, row_number() OVER (PARTITION BY {} ORDER BY {id}) AS n \
         FROM {name} WHERE {} AND {id} NOT IN (SELECT place FROM {refused})) AS numbered WHERE n > 1)",
        idents(columns),
        none_null(columns)
    )
}

/// The row id from which a stage counts; inside a transaction it is not 0.
pub(crate) fn first_row(stage: &Staging) -> String {
    format!("SELECT min({}) FROM {}", stage.id, stage.name)
}

pub(crate) fn refused_rows(refused: &str) -> String {
    format!("SELECT place, why, at_fault FROM {refused} ORDER BY place")
}

pub(crate) fn delete_refused(stage: &Staging, refused: &str) -> String {
    format!("DELETE FROM {} WHERE {} IN (SELECT place FROM {refused})", stage.name, stage.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_parsed_as_people_write_them() {
        let cases: &[(&str, &str)] = &[
            ("t", r#""t""#),
            ("order", r#""order""#),
            ("Ünï", r#""Ünï""#),
            ("x y", r#""x y""#),
            (r#"a"b"#, r#""a""b""#),
            ("t; DROP TABLE x", r#""t; DROP TABLE x""#),
            ("it's", r#""it's""#),
            ("s.t", r#""s"."t""#),
            ("d.s.t", r#""d"."s"."t""#),
            (r#""a.b""#, r#""a.b""#),
            (r#"s."a""b.c""#, r#""s"."a""b.c""#),
        ];
        for (text, quoted) in cases {
            assert_eq!(TableName::parse(text).unwrap().to_string(), *quoted, "{text}");
        }
        for bad in ["", ".", "a.", ".a", "a.b.c.d", "\"a", "\"a\"b", "a\0b", "\"\""] {
            assert!(TableName::parse(bad).is_err(), "{bad:?}");
        }
        assert_eq!(TableName::new("a.b\"c").unwrap().to_string(), r#""a.b""c""#);
    }
}
