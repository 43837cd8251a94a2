//! DuckDB as the judge: what we write, its reader reads; what it would print, we write.

use std::fs;

use duckdb::Connection;
use duckdb::arrow::array::RecordBatch;
use duckstream::{ColumnOrder, CsvWriterBuilder, Quoting, WriterOptions};

/// One column per type: name, type, and the values in SQL.
const COLUMNS: [(&str, &str, &[&str]); 20] = [
    ("i8", "TINYINT", &["-128", "127"]),
    ("i64", "BIGINT", &["-9223372036854775808", "9223372036854775807"]),
    ("u64", "UBIGINT", &["0", "18446744073709551615"]),
    ("huge", "DECIMAL(38,0)", &["-99999999999999999999999999999999999999", "1"]),
    ("f32", "FLOAT", &["0.1", "3.4028235e38", "'-inf'", "1e-45"]),
    ("f64", "DOUBLE", &["0.1", "1.7976931348623157e308", "5e-324", "'nan'", "'inf'", "-0.0", "1e21", "123456789.125"]),
    ("dec", "DECIMAL(18,3)", &["-0.001", "999999999999999.999", "0"]),
    ("flag", "BOOLEAN", &["true", "false"]),
    ("day", "DATE", &["'0001-01-01'", "'9999-12-31'", "'12345-06-07'", "'infinity'", "'2000-02-29'"]),
    ("clock", "TIME", &["'00:00:00'", "'23:59:59.999999'", "'12:30:00.5'"]),
    ("stamp", "TIMESTAMP", &["'1969-12-31 23:59:59.999999'", "'2024-01-02 03:04:05.12'", "'-infinity'"]),
    ("stamp_s", "TIMESTAMP_S", &["'1900-01-01 00:00:01'"]),
    ("stamp_ns", "TIMESTAMP_NS", &["'2024-01-02 03:04:05.000000001'"]),
    ("zoned", "TIMESTAMPTZ", &["'2024-01-02 03:04:05.12+00'", "'1969-12-31 23:59:59+00'"]),
    ("uuid", "UUID", &["'6f9619ff-8b86-d011-b42d-00cf4fc964ff'"]),
    ("choice", "ENUM('a', 'b,c')", &["'a'", "'b,c'"]),
    ("span", "INTERVAL", &["'1 year 2 months 3 days 04:05:06.5'", "'-1 day'", "'0 days'"]),
    ("bytes", "BLOB", &["'\\x00\\xFFa'::BLOB", "'plain'::BLOB"]),
    ("words", "VARCHAR", &["''", "'a,b'", "'say \"x\"'", "e'two\\nlines'", "' pad '", "'é'"]),
    ("list", "INTEGER[]", &["[1, NULL, 3]", "[]"]),
];

fn rows(connection: &Connection, sql: &str) -> Vec<RecordBatch> {
    connection.prepare(sql).unwrap().query_arrow([]).unwrap().collect()
}

fn table(connection: &Connection) {
    let most = COLUMNS.iter().map(|(_, _, values)| values.len()).max().unwrap();
    let columns = COLUMNS.iter().map(|(name, kind, _)| format!("{name} {kind}")).collect::<Vec<_>>().join(", ");
    connection.execute_batch(&format!("CREATE TABLE t (n INTEGER, {columns})")).unwrap();
    for at in 0..=most {
        let values: Vec<&str> = COLUMNS.iter().map(|column| *column.2.get(at).unwrap_or(&"NULL")).collect();
        connection.execute_batch(&format!("INSERT INTO t VALUES ({at}, {})", values.join(", "))).unwrap();
    }
}

#[test]
fn duckdb_reads_what_we_write() {
    let connection = Connection::open_in_memory().unwrap();
    table(&connection);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    let types = COLUMNS
        .iter()
        .map(|(name, kind, _)| format!("'{name}': '{}'", kind.replace('\'', "''")))
        .collect::<Vec<_>>()
        .join(", ");
    for quoting in [Quoting::Minimal, Quoting::All] {
        let options = WriterOptions { column_order: ColumnOrder::Table, quoting, ..WriterOptions::default() };
        let mut writer = CsvWriterBuilder::new().with_options(options).create(&path).unwrap();
        for batch in rows(&connection, "SELECT * FROM t ORDER BY n") {
            writer.write(&batch).unwrap();
        }
        assert_eq!(writer.finish().unwrap().rows, 9);
        let reader = format!(
            "read_csv('{}', header = true, delim = ',', quote = '\"', escape = '\"', nullstr = '', \
             allow_quoted_nulls = false, columns = {{'n': 'INTEGER', {types}}})",
            path.display()
        );
        for (name, _, _) in COLUMNS {
            // Compared inside DuckDB, where NaN equals NaN.
            let sql = format!(
                "SELECT count(*)::INTEGER FROM t JOIN {reader} r USING (n) WHERE t.{name} IS NOT DISTINCT FROM r.{name}"
            );
            let same: i32 = connection.query_row(&sql, [], |row| row.get(0)).unwrap();
            assert_eq!(same, 9, "{name}, quoting {quoting}:\n{}", fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn texts_are_those_of_duckdb() {
    let connection = Connection::open_in_memory().unwrap();
    table(&connection);
    connection
        .execute_batch(
            "CREATE TABLE nested AS SELECT * FROM (VALUES
                ({'a': 1, 'b': 'it''s'}, MAP {'k': 1, 'l, m': NULL}, ['x', 'a, b', '', NULL, 'null', ' p']),
                ({'a': NULL, 'b': ''}, MAP {}, [])) v(s, m, l)",
        )
        .unwrap();
    let same = [
        "i8", "i64", "u64", "huge", "dec", "flag", "clock", "stamp", "stamp_s", "stamp_ns", "span", "bytes", "words",
        "list",
    ];
    let ours = |sql: &str| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        let options = WriterOptions { null_value: "<null>".into(), quoting: Quoting::All, ..WriterOptions::default() };
        let mut writer = CsvWriterBuilder::new().with_options(options).create(&path).unwrap();
        rows(&connection, sql).iter().for_each(|batch| writer.write(batch).unwrap());
        let _ = writer.finish().unwrap();
        fs::read_to_string(&path).unwrap()
    };
    for name in same {
        let values = ours(&format!("SELECT {name} FROM t ORDER BY n"));
        let texts = ours(&format!("SELECT {name}::VARCHAR AS {name} FROM t ORDER BY n"));
        assert_eq!(values, texts, "{name}");
    }
    for name in ["s", "m", "l"] {
        let values = ours(&format!("SELECT {name} FROM nested"));
        let texts = ours(&format!("SELECT {name}::VARCHAR AS {name} FROM nested"));
        assert_eq!(values, texts, "{name}");
    }
}
