//! The type map between Arrow and DuckDB, both ways.
//!
//! In: an Arrow schema to load, a table's columns. Out: whether DuckDB takes it (a refusal names the column, before
//! anything runs), and how a column is cast into an existing one so that no value changes.

use arrow::datatypes::{DataType, IntervalUnit, Schema, TimeUnit};
use duckdb::Connection;

use crate::duckdb::database::TableColumn;
use crate::duckdb::error::engine;
use crate::duckdb::sql::{self, TableName};
use crate::error::{Error, Result};

/// DuckDB's type for an Arrow type, as the scan makes it; `None` if the scan has no way.
pub(crate) fn duckdb_type(data_type: &DataType) -> Option<String> {
    let name = match data_type {
        // A column without a single value has to be something: text can hold whatever comes later.
        DataType::Null => "VARCHAR",
        DataType::Boolean => "BOOLEAN",
        DataType::Int8 => "TINYINT",
        DataType::Int16 => "SMALLINT",
        DataType::Int32 => "INTEGER",
        DataType::Int64 => "BIGINT",
        DataType::UInt8 => "UTINYINT",
        DataType::UInt16 => "USMALLINT",
        DataType::UInt32 => "UINTEGER",
        DataType::UInt64 => "UBIGINT",
        DataType::Float32 => "FLOAT",
        DataType::Float64 => "DOUBLE",
        DataType::Decimal32(width, scale) | DataType::Decimal64(width, scale) | DataType::Decimal128(width, scale)
            if *scale >= 0 && *scale <= *width as i8 =>
        {
            return Some(format!("DECIMAL({width},{scale})"));
        }
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "VARCHAR",
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => "BLOB",
        DataType::Date32 | DataType::Date64 => "DATE",
        DataType::Time64(TimeUnit::Nanosecond) => "TIME_NS",
        DataType::Time32(_) | DataType::Time64(_) => "TIME",
        DataType::Timestamp(TimeUnit::Second, None) => "TIMESTAMP_S",
        DataType::Timestamp(TimeUnit::Millisecond, None) => "TIMESTAMP_MS",
        DataType::Timestamp(TimeUnit::Microsecond, None) => "TIMESTAMP",
        DataType::Timestamp(TimeUnit::Nanosecond, None) => "TIMESTAMP_NS",
        DataType::Timestamp(TimeUnit::Nanosecond, Some(_)) => "TIMESTAMPTZ_NS",
        DataType::Timestamp(_, Some(_)) => "TIMESTAMP WITH TIME ZONE",
        DataType::Duration(_) => "INTERVAL",
        DataType::Interval(IntervalUnit::YearMonth | IntervalUnit::DayTime | IntervalUnit::MonthDayNano) => "INTERVAL",
        DataType::Dictionary(_, value) => return duckdb_type(value),
        DataType::RunEndEncoded(_, value) => return duckdb_type(value.data_type()),
        DataType::List(item) | DataType::LargeList(item) => {
            return duckdb_type(item.data_type()).map(|item| format!("{item}[]"));
        }
        DataType::FixedSizeList(item, size) => {
            return duckdb_type(item.data_type()).map(|item| format!("{item}[{size}]"));
        }
        DataType::Struct(fields) if !fields.is_empty() => {
            let fields = fields.iter().map(|field| {
                duckdb_type(field.data_type()).map(|data_type| format!("{} {data_type}", sql::ident(field.name())))
            });
            return fields.collect::<Option<Vec<_>>>().map(|fields| format!("STRUCT({})", fields.join(", ")));
        }
        DataType::Map(entries, _) => {
            let DataType::Struct(fields) = entries.data_type() else { return None };
            let types: Option<Vec<_>> = fields.iter().map(|field| duckdb_type(field.data_type())).collect();
            return types.map(|types| format!("MAP({})", types.join(", ")));
        }
        _ => return None,
    };
    Some(name.to_owned())
}

/// Refuses a stream that DuckDB cannot take, naming the column.
pub(crate) fn check(schema: &Schema) -> Result<()> {
    if schema.fields().is_empty() {
        return Err(Error::usage("the stream has no columns; a table needs at least one"));
    }
    for (index, field) in schema.fields().iter().enumerate() {
        if duckdb_type(field.data_type()).is_none() {
            return Err(Error::usage(format!(
                "column {:?}: DuckDB has no type for Arrow's {}; cast the column before the load",
                field.name(),
                field.data_type()
            )));
        }
        let same = |other: &&std::sync::Arc<arrow::datatypes::Field>| same_name(other.name(), field.name());
        if field.name().contains('\0') {
            return Err(Error::usage(format!("column {:?}: a column's name must not hold a NUL", field.name())));
        }
        if let Some(first) = schema.fields().iter().take(index).find(same) {
            return Err(Error::usage(format!(
                "columns {:?} and {:?} are one name to DuckDB, which does not tell case apart; rename one",
                first.name(),
                field.name()
            )));
        }
    }
    Ok(())
}

/// Whether DuckDB takes two names for one: it folds ASCII case only.
pub(crate) fn same_name(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b)
}

/// The expression that makes the stream's column into a new table's.
pub(crate) fn new_column(stream: &str, data_type: &DataType) -> String {
    match data_type {
        DataType::Null => sql::cast(stream, "VARCHAR"),
        _ => stream.to_owned(),
    }
}

/// The expression that takes the stream's column into a table's column of type `to` without changing a value.
pub(crate) fn into_column(stream: &str, name: &str, from: &DataType, to: &str) -> Result<String> {
    let source = duckdb_type(from).unwrap_or_default();
    if source == to || matches!(from, DataType::Null) {
        return Ok(sql::cast(stream, to));
    }
    let (family_from, family_to) = (Family::of(&source), Family::of(to));
    let back = format!("TRY_CAST({{t}} AS {source}) IS NOT DISTINCT FROM {{v}}");
    let text = "CAST({t} AS VARCHAR) = CAST({v} AS VARCHAR)";
    let keeps = match (family_from, family_to) {
        (_, Family::Text) => return Ok(sql::cast(stream, to)),
        (Family::Text, Family::Integer) => {
            "{t} IS NOT NULL AND regexp_full_match({v}, '\\s*[+-]?[0-9]+\\s*')".to_owned()
        }
        (Family::Text, Family::Decimal) => {
            let scale = to.trim_end_matches(')').rsplit(',').next().unwrap_or("0").trim().to_owned();
            format!("{{t}} IS NOT NULL AND regexp_full_match({{v}}, '\\s*[+-]?[0-9]*\\.?[0-9]{{0,{scale}}}0*\\s*')")
        }
        (Family::Text, Family::Date) => "{t} IS NOT NULL AND TRY_CAST({v} AS TIMESTAMP) = {t}".to_owned(),
        (Family::Text, Family::Timestamp) => {
            "{t} IS NOT NULL AND coalesce(TRY_CAST({v} AS TIMESTAMP_NS) = {t}, true)".to_owned()
        }
        // Without an offset the instant would depend on where the program runs.
        (Family::Text, Family::Zoned) => {
            "{t} IS NOT NULL AND regexp_full_match({v}, '.*([zZ]|[+-][0-9]{2}(:?[0-9]{2})?)\\s*')".to_owned()
        }
        (Family::Text, _) => "{t} IS NOT NULL".to_owned(),
        (Family::Integer | Family::Decimal | Family::Float, Family::Integer | Family::Decimal) => back,
        (Family::Integer | Family::Decimal, Family::Float) => back,
        (Family::Float, Family::Float) => format!("({back} OR {text})"),
        (Family::Date | Family::Timestamp, Family::Date | Family::Timestamp)
        | (Family::Zoned, Family::Zoned)
        | (Family::Time, Family::Time) => back,
        (Family::Other, Family::Other) => back,
        _ => {
            return Err(crate::duckdb::database::refuse(format!(
                "column {name:?} is {to} in the table and {source} in the input, and one does not become the other \
                 without changing values; read the column as that type, or load into another table"
            )));
        }
    };
    Ok(sql::checked_cast(stream, name, to, &keeps))
}

/// Types among which a cast can be checked value by value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Bool,
    Integer,
    Decimal,
    Float,
    Text,
    Date,
    Time,
    Timestamp,
    Zoned,
    Other,
}

impl Family {
    fn of(duckdb_type: &str) -> Self {
        match duckdb_type {
            "BOOLEAN" => Family::Bool,
            "TINYINT" | "SMALLINT" | "INTEGER" | "BIGINT" | "UTINYINT" | "USMALLINT" | "UINTEGER" | "UBIGINT"
            | "HUGEINT" | "UHUGEINT" => Family::Integer,
            "FLOAT" | "DOUBLE" => Family::Float,
            "VARCHAR" => Family::Text,
            "DATE" => Family::Date,
            "TIME" | "TIME_NS" => Family::Time,
            "TIMESTAMP" | "TIMESTAMP_S" | "TIMESTAMP_MS" | "TIMESTAMP_NS" => Family::Timestamp,
            "TIMESTAMP WITH TIME ZONE" | "TIMESTAMPTZ_NS" => Family::Zoned,
            other if other.starts_with("DECIMAL(") && !other.ends_with(']') => Family::Decimal,
            _ => Family::Other,
        }
    }
}

/// The columns of a table or view; `None` if there is none of that name.
pub(crate) fn describe(connection: &Connection, table: &TableName) -> Result<Option<Vec<TableColumn>>> {
    let doing = "looking at the table";
    let mut statement = match connection.prepare(&sql::describe(table)) {
        Ok(statement) => statement,
        Err(error) if error.to_string().contains("does not exist") => return Ok(None),
        Err(error) => return Err(engine(doing, error)),
    };
    let column = |row: &duckdb::Row<'_>| {
        let text = |index: usize| row.get::<_, Option<String>>(index);
        Ok(TableColumn {
            name: text(0)?.unwrap_or_default(),
            data_type: text(1)?.unwrap_or_default(),
            nullable: text(2)?.as_deref() != Some("NO"),
            primary_key: text(3)?.as_deref() == Some("PRI"),
            default: text(4)?,
        })
    };
    let rows = statement.query_map([], column).and_then(Iterator::collect);
    match rows {
        Ok(columns) => Ok(Some(columns)),
        Err(error) if error.to_string().contains("does not exist") => Ok(None),
        Err(error) => Err(engine(doing, error)),
    }
}
