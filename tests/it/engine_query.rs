//! Tables and queries out of the database.

use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch, RecordBatchReader};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Decimal128Type, Float64Type, Int64Type};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use duckstream::{
    CancelToken, ColumnOrder, Database, DatabaseOptions, ErrorKind, Monitor, Progress, Query, Result, TableStream,
};

use crate::engine_support::{execute, load, numbers, rows};

fn table(name: &str) -> Query {
    Query::Table(name.parse().unwrap())
}

fn sql(text: &str) -> Query {
    Query::Sql(text.to_owned())
}

fn open(database: &Database, query: &Query, order: &ColumnOrder) -> Result<TableStream> {
    database.query(query, order, &Monitor::default())
}

fn names(stream: &TableStream) -> Vec<String> {
    stream.schema().fields().iter().map(|field| field.name().clone()).collect()
}

/// The column's values as text.
fn column(batches: &[RecordBatch], index: usize) -> Vec<Option<String>> {
    let mut values = Vec::new();
    for batch in batches {
        let array = batch.column(index);
        let formatter = ArrayFormatter::try_new(array, &FormatOptions::default()).unwrap();
        values.extend((0..array.len()).map(|row| array.is_valid(row).then(|| formatter.value(row).to_string())));
    }
    values
}

#[test]
fn columns_come_in_the_asked_order() {
    let database = Database::memory().unwrap();
    execute(&database, "CREATE TABLE t AS SELECT 1 AS b, 2 AS \"B\u{e9}\", 3 AS a, 4 AS \"A b\", 5 AS \"Ä\", 6 AS _");
    let sorted = ["A b", "B\u{e9}", "_", "a", "b", "Ä"];
    for query in [table("t"), sql("FROM t"), sql("SELECT *, [1] AS zz FROM t;  ")] {
        let stream = open(&database, &query, &ColumnOrder::Sorted).unwrap();
        assert_eq!(names(&stream)[..5], sorted[..5]);
        let batches: Vec<_> = stream.collect::<Result<_, _>>().unwrap();
        assert_eq!(column(&batches, 0)[0].as_deref(), Some("4"));
    }
    let stream = open(&database, &table("t"), &ColumnOrder::Table).unwrap();
    assert_eq!(names(&stream), ["b", "B\u{e9}", "a", "A b", "Ä", "_"]);
    for query in [table("t"), sql("FROM t"), sql("SELECT *, [1] AS l FROM t")] {
        let stream = open(&database, &query, &ColumnOrder::List(vec!["a".into(), "B".into()])).unwrap();
        assert_eq!(stream.schema().fields().len(), 2);
        let batches: Vec<_> = stream.collect::<Result<_, _>>().unwrap();
        assert_eq!((column(&batches, 0)[0].as_deref(), column(&batches, 1)[0].as_deref()), (Some("3"), Some("1")));
    }
    let unknown = ColumnOrder::List(vec!["A c".into()]);
    let error = open(&database, &table("t"), &unknown).err().unwrap();
    assert!(matches!(error.kind(), ErrorKind::Usage { .. }), "{error:?}");
    assert!(error.to_string().contains("did you mean 'A b'"), "{error}");
}

#[test]
fn columns_of_a_query_may_share_a_name() {
    let database = Database::memory().unwrap();
    for text in ["SELECT 1 AS x, 2 AS x, 3 AS a", "SELECT 1 AS x, 2 AS x, 3 AS a, INTERVAL 1 DAY AS z -- the end"] {
        let stream = open(&database, &sql(text), &ColumnOrder::Sorted).unwrap();
        assert_eq!(names(&stream)[..3], ["a", "x", "x"]);
        let batches: Vec<_> = stream.collect::<Result<_, _>>().unwrap();
        let first: Vec<_> = (0..3).map(|index| column(&batches, index)[0].clone().unwrap()).collect();
        assert_eq!(first, ["3", "1", "2"]);
    }
}

#[test]
fn rows_keep_their_order_at_any_number_of_threads() {
    for threads in [1, 2, 4] {
        let options = DatabaseOptions { threads: Some(threads), ..DatabaseOptions::default() };
        let database = Database::memory_with(&options).unwrap();
        let _ = load(&database, numbers(500_000, 10_000), "t", &Default::default()).unwrap();
        for query in [table("t"), sql("FROM t"), sql("SELECT *, [n] AS l FROM t ORDER BY n")] {
            let mut expected = 0;
            for batch in open(&database, &query, &ColumnOrder::Table).unwrap() {
                for value in batch.unwrap().column(0).as_primitive::<Int64Type>().values() {
                    assert_eq!(*value, expected);
                    expected += 1;
                }
            }
            assert_eq!(expected, 500_000, "{threads} threads, {query:?}");
        }
        let backwards = sql("SELECT n, [n] AS l FROM t ORDER BY n DESC");
        let mut expected = 500_000;
        for batch in open(&database, &backwards, &ColumnOrder::Table).unwrap() {
            for value in batch.unwrap().column(0).as_primitive::<Int64Type>().values() {
                expected -= 1;
                assert_eq!(*value, expected);
            }
        }
        assert_eq!(expected, 0);
    }
}

#[test]
fn every_type_leaves_with_its_values() {
    let database = Database::memory().unwrap();
    execute(&database, "CREATE TABLE every AS FROM test_all_types()");
    let described = database.columns(&"every".parse().unwrap()).unwrap().unwrap();
    assert!(described.len() > 50, "{} types", described.len());
    let stream = open(&database, &table("every"), &ColumnOrder::Table).unwrap();
    let schema = stream.schema();
    let batches: Vec<_> = stream.collect::<Result<_, _>>().unwrap();
    let count: usize = batches.iter().map(RecordBatch::num_rows).sum();
    assert_eq!(rows(&database, "SELECT count(*) FROM every"), format!("({count})"));
    let connection = database.connect().unwrap();
    for (index, described) in described.iter().enumerate() {
        let text = format!("SELECT CAST(\"{}\" AS VARCHAR) FROM every", described.name);
        let mut statement = connection.prepare(&text).unwrap();
        let expected: Vec<Option<String>> =
            statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
        let data_type = schema.field(index).data_type();
        match data_type {
            DataType::Utf8 | DataType::Dictionary(..) | DataType::Decimal128(..) | DataType::Boolean => {
                assert_eq!(column(&batches, index), expected, "{} ({data_type})", described.name);
            }
            _ if data_type.is_integer() => {
                assert_eq!(column(&batches, index), expected, "{} ({data_type})", described.name);
            }
            DataType::Float32 | DataType::Float64 | DataType::Date32 | DataType::Time64(_) => {}
            DataType::Timestamp(_, zone) => {
                assert!(zone.as_deref().is_none_or(|zone| zone == "UTC"), "{}", described.name);
            }
            other => panic!("{} ({}) leaves as {other}", described.name, described.data_type),
        }
        let nulls: Vec<bool> = expected.iter().map(Option::is_none).collect();
        let mut actual = Vec::new();
        batches.iter().for_each(|batch| {
            actual.extend((0..batch.num_rows()).map(|row| batch.column(index).is_null(row)));
        });
        assert_eq!(actual, nulls, "{}", described.name);
    }
    let stream = open(
        &database,
        &sql("SELECT 170141183460469231731687303715884105727::HUGEINT AS h, '\\xAA'::BLOB AS b"),
        &ColumnOrder::Table,
    );
    let batches: Vec<_> = stream.unwrap().collect::<Result<_, _>>().unwrap();
    assert_eq!(column(&batches, 0)[0].as_deref(), Some("170141183460469231731687303715884105727"));
    assert_eq!(column(&batches, 1)[0].as_deref(), Some("\\xAA"));
}

#[test]
fn values_leave_with_all_their_bits() {
    let database = Database::memory().unwrap();
    // Each pair is a value and what its bits are as a number; rows span several vectors, and some are NULL.
    let pairs = [
        ("(i % 100)::TINYINT", "i % 100"),
        ("(1000 * i)::INTEGER", "1000 * i"),
        ("(i % 100)::UTINYINT", "i % 100"),
        ("DATE '1970-01-01' + i::INTEGER", "i"),
        ("make_time(0, 0, i / 1000.0)", "1000 * i"),
        ("make_timestamp(i * 1000000007)", "i * 1000000007"),
        ("make_timestamp_ms(i * 1000)::TIMESTAMP_S", "i"),
        ("make_timestamp_ms(i * 1000 + 1)::TIMESTAMP_MS", "i * 1000 + 1"),
        ("make_timestamp_ns(i * 1000000007)", "i * 1000000007"),
        ("to_timestamp(i * 1001)", "i * 1001000000"),
        ("(i / 10)::DECIMAL(4, 1)", "i"),
        ("(i / 10)::DECIMAL(9, 1)", "i"),
        ("(i / 10)::DECIMAL(18, 1)", "i"),
        ("(i / 10)::DECIMAL(38, 1)", "i"),
    ];
    for (value, bits) in pairs {
        let text = format!(
            "SELECT CASE WHEN i % 7 > 0 THEN {value} END AS v, CASE WHEN i % 7 > 0 THEN ({bits})::BIGINT END AS b \
             FROM range(5000) t(i)"
        );
        let mut count = 0;
        for batch in open(&database, &sql(&text), &ColumnOrder::Table).unwrap_or_else(|error| panic!("{text}: {error}"))
        {
            let batch = batch.unwrap();
            let (values, bits) = (batch.column(0), batch.column(1).as_primitive::<Int64Type>());
            assert_eq!(values.logical_nulls(), bits.logical_nulls(), "{value}");
            let as_number = match values.data_type() {
                DataType::Decimal128(..) => {
                    values.as_primitive::<Decimal128Type>().reinterpret_cast::<Decimal128Type>().unary(|v| v as i64)
                }
                DataType::Date32 | DataType::Time64(_) | DataType::Timestamp(..) => {
                    let bits = if values.data_type() == &DataType::Date32 { DataType::Int32 } else { DataType::Int64 };
                    let bits = cast(values, &bits).unwrap();
                    cast(&bits, &DataType::Int64).unwrap().as_primitive::<Int64Type>().clone()
                }
                _ => cast(values, &DataType::Int64).unwrap().as_primitive::<Int64Type>().clone(),
            };
            assert_eq!(&as_number, bits, "{value} leaves as {}", values.data_type());
            count += batch.num_rows();
        }
        assert_eq!(count, 5000);
    }
}

#[test]
fn texts_of_every_length_leave_as_they_are() {
    let database = Database::memory().unwrap();
    // Texts within and beyond what the engine keeps in place, around each step of the copy, and NULL among them.
    let text = "SELECT r, CASE WHEN r % 11 = 5 THEN NULL ELSE repeat('ä', r % 3) || repeat('x', (r * 7) % 80) || \
                chr((97 + r % 26)::INTEGER) END AS t, r % 2 = 0 AS even, CASE WHEN r % 5 > 0 THEN r / 8 END AS f \
                FROM range(0, 5000, 1) t(r)";
    let text = text.replace("r / 8", "r / 8.0::DOUBLE");
    let mut row = 0;
    for batch in open(&database, &sql(&text), &ColumnOrder::Table).unwrap() {
        let batch = batch.unwrap();
        for at in 0..batch.num_rows() {
            let r: usize = row + at;
            let expected = (r % 11 != 5).then(|| {
                "ä".repeat(r % 3) + &"x".repeat((r * 7) % 80) + char::from(b'a' + (r % 26) as u8).encode_utf8(&mut [0])
            });
            let texts = batch.column(1).as_string::<i32>();
            assert_eq!(texts.is_valid(at).then(|| texts.value(at)), expected.as_deref(), "row {r}");
            assert_eq!(batch.column(2).as_boolean().value(at), r.is_multiple_of(2));
            let floats = batch.column(3).as_primitive::<Float64Type>();
            assert_eq!(floats.is_valid(at).then(|| floats.value(at)), (!r.is_multiple_of(5)).then_some(r as f64 / 8.0));
        }
        row += batch.num_rows();
    }
    assert_eq!(row, 5000);
    // What was handed out does not need the stream, nor the database.
    let batches: Vec<_> = open(&database, &sql(&text), &ColumnOrder::Table).unwrap().collect::<Result<_, _>>().unwrap();
    drop(database);
    assert_eq!(column(&batches, 1)[4].as_deref(), Some("äxxxxxxxxxxxxxxxxxxxxxxxxxxxxe"));
}

#[test]
fn what_is_not_one_query_is_refused() {
    let database = Database::memory().unwrap();
    execute(&database, "CREATE TABLE t AS SELECT 1 AS x");
    let refused = [
        "",
        ";",
        "-- nothing",
        "DROP TABLE t",
        "SELECT 1; SELECT 2",
        "SELECT 1; DROP TABLE t",
        "INSERT INTO t VALUES (2)",
        "CREATE TABLE u AS SELECT 1",
        "SELECT ?",
        "SELECT $a",
        "COPY t TO 'x.csv'",
        "ATTACH 'x.duckdb'",
        "SET threads = 1",
    ];
    for text in refused {
        let error = open(&database, &sql(text), &ColumnOrder::Sorted).err().unwrap_or_else(|| panic!("{text}"));
        assert!(matches!(error.kind(), ErrorKind::Usage { .. }), "{text}: {error:?}");
    }
    for text in ["SELEC 1", "SELECT * FROM nowhere", "SELECT nothing FROM t", "SELECT 1) AS q; DROP TABLE t; --"] {
        let error = open(&database, &sql(text), &ColumnOrder::Sorted).err().unwrap_or_else(|| panic!("{text}"));
        assert!(!matches!(error.kind(), ErrorKind::Internal { .. }), "{text}: {error:?}");
    }
    for text in
        ["SELECT 1", "FROM t", "VALUES (1)", "WITH a AS (SELECT 1) FROM a", "DESCRIBE t", "SHOW TABLES", "SUMMARIZE t"]
    {
        let stream =
            open(&database, &sql(text), &ColumnOrder::Sorted).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert!(stream.map(|batch| batch.unwrap().num_rows()).sum::<usize>() > 0, "{text}");
    }
    assert_eq!(rows(&database, "FROM t"), "(1)");
    let error = open(&database, &table("nix"), &ColumnOrder::Sorted).err().unwrap();
    assert_eq!(error.to_string(), "Table 'nix' does not exist in DuckDB");
    assert!(matches!(error.kind(), ErrorKind::Target { .. }));
}

#[test]
fn an_error_in_the_middle_ends_the_stream() {
    let database = Database::memory().unwrap();
    let text = "SELECT CASE WHEN range < 50000 THEN range ELSE error('half way') END AS x FROM range(100000)";
    let mut stream = match open(&database, &sql(text), &ColumnOrder::Sorted) {
        Ok(stream) => stream,
        Err(error) => return assert!(error.to_string().contains("half way"), "{error}"),
    };
    let error = stream.find_map(Result::err).unwrap();
    assert!(error.to_string().contains("half way"), "{error}");
    assert!(stream.next().is_none());
}

#[test]
fn an_empty_table_has_its_columns() {
    let database = Database::memory().unwrap();
    execute(&database, "CREATE TABLE t (z INTEGER, y VARCHAR)");
    let stream = open(&database, &table("t"), &ColumnOrder::Sorted).unwrap();
    assert_eq!(names(&stream), ["y", "z"]);
    assert_eq!(stream.count(), 0);
}

#[test]
fn a_table_says_how_many_rows_to_expect() {
    let database = Database::memory().unwrap();
    execute(&database, "CREATE TABLE t AS FROM range(5000); CREATE VIEW v AS FROM t");
    let watched = || Monitor::new(CancelToken::new(), Some(Arc::new(|_: &Progress| ControlFlow::Continue(()))));
    for (name, monitor, expected) in
        [("t", watched(), Some(5000)), ("v", watched(), None), ("t", Monitor::default(), None)]
    {
        let stream = database.query(&table(name), &ColumnOrder::Sorted, &monitor).unwrap();
        assert_eq!(monitor.progress().total_rows, expected);
        assert_eq!(stream.map(|batch| batch.unwrap().num_rows()).sum::<usize>(), 5000);
    }
}
