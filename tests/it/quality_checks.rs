//! Every kind of check: passed, warned, failed, rejected; what is said; and that names and values stay what they are.

use duckstream::{
    CheckResult, Checks, Database, Error, ErrorKind, Fault, FaultCode, LoadMode, LoadOptions, Loaded, OneStream,
    RejectSink, Result, Severity, TableName, validate_checks,
};

use crate::engine_support::{execute, ints, rows, stream, texts};

#[derive(Default)]
struct Kept(Vec<Fault>);

impl RejectSink for Kept {
    fn reject(&mut self, fault: &Fault) -> Result<()> {
        self.0.push(fault.clone());
        Ok(())
    }

    fn restart(&mut self) -> Result<()> {
        self.0.clear();
        Ok(())
    }
}

fn people() -> Database {
    let database = Database::memory().unwrap();
    execute(
        &database,
        "CREATE TABLE t (id BIGINT, name VARCHAR, price DECIMAL(9,2), born DATE, seen TIMESTAMP, ok BOOLEAN);
         INSERT INTO t VALUES
         (1, 'Ada', 1.50, '1815-12-10', now()::TIMESTAMP, true),
         (2, 'Bob', 0.10, '1900-01-01', NULL, false),
         (2, NULL, NULL, NULL, NULL, NULL),
         (NULL, '', -3, '2020-02-29', '2001-01-01', true),
         (7, 'a,\"b\"', 99.99, '2021-01-01', NULL, true),
         (1, 'Ada', 100, '2022-01-01', NULL, false),
         (8, 'Eve', 5, '2023-01-01', NULL, false)",
    );
    database
}

fn table() -> TableName {
    "t".parse().unwrap()
}

fn evaluate(database: &Database, yaml: &str, sink: Option<&mut dyn RejectSink>) -> Result<Vec<CheckResult>> {
    Checks::from_yaml(yaml)?.evaluate(&database.connect()?, &table(), &Loaded::default(), sink)
}

/// check, message or nothing, rows that fail.
const CASES: &[(&str, Option<&str>, u64)] = &[
    (
        "check: not_null, column: born",
        Some("check 'not_null(born)': 1 row fails: born is NULL; row 3: born=NULL, id=2"),
        1,
    ),
    ("check: not_null, columns: [id, NAME]", Some("2 rows fail: id or name is NULL; row 3: id=2, name=NULL"), 2),
    (
        "check: unique, column: id",
        Some("check 'unique(id)': 2 rows fail: an earlier row has the same id; row 3: id=2"),
        2,
    ),
    (
        "check: unique, columns: [id, name]",
        Some("1 row fails: an earlier row has the same id, name; row 6: id=1, name=Ada"),
        1,
    ),
    ("check: unique, column: born", None, 0),
    (
        "check: range, column: price, min: 0, max: 99.99",
        Some("2 rows fail: price is not in 0 to 99.99; row 4: price=-3.00"),
        2,
    ),
    ("check: range, column: price, min: 0.1", Some("1 row fails: price is not at least 0.1; row 4"), 1),
    ("check: range, column: price, min: -3, max: 100", None, 0),
    ("check: range, column: id, max: 7.5", Some("1 row fails: id is not at most 7.5; row 7: id=8"), 1),
    ("check: range, column: born, min: 1900-01-01", Some("born is not at least 1900-01-01; row 1: born=1815-12-10"), 1),
    ("check: range, column: name, max: Bob", Some("name is not at most Bob; row 5: name=a,\"b\""), 2),
    (
        "check: regex, column: name, pattern: '[A-Z][a-z]+'",
        Some("2 rows fail: name does not match [A-Z][a-z]+; row 4: name=, id=NULL"),
        2,
    ),
    ("check: regex, column: name, pattern: '.*'", None, 0),
    ("check: regex, column: id, pattern: '\\d'", None, 0),
    ("check: in, column: name, values: [Ada, Bob, '']", Some("2 rows fail: name is none of Ada, Bob, ; row 5"), 2),
    ("check: in, column: id, values: [1, 2, 7, 8]", None, 0),
    ("check: in, column: ok, values: [true]", Some("3 rows fail: ok is none of true; row 2"), 3),
    (
        "check: sql, predicate: id > 1 OR price < 2",
        Some("check 'sql': 1 row fails: not true: id > 1 OR price < 2; row 6"),
        1,
    ),
    ("check: sql, predicate: 't.id IS NULL OR id < (SELECT count(*) FROM t) + 2 -- all'", None, 0),
    ("check: row_count, min: 7, max: 7", None, 0),
    ("check: row_count, min: 8", Some("check 'row_count': the table has 7 rows, fewer than 8"), 0),
    ("check: row_count, max: 6", Some("check 'row_count': the table has 7 rows, more than 6"), 0),
    ("check: null_ratio, column: id, max: 0.15", None, 0),
    (
        "check: null_ratio, column: id, max: 0.14",
        Some("1 of 7 rows (14.286 %) have no id, more than 0.14; row 4: id=NULL"),
        1,
    ),
    ("check: freshness, column: seen, max_age: 1h", None, 0),
    (
        "check: freshness, column: born, max_age: 300d",
        Some("check 'freshness(born)': the newest born is 2023-01-01, "),
        0,
    ),
];

#[test]
fn every_kind_says_what_is_wrong() {
    let database = people();
    for (check, expected, failed) in CASES {
        let result = evaluate(&database, &format!("- {{{check}}}"), None).unwrap().remove(0);
        assert_eq!((result.passed, result.failed), (expected.is_none(), *failed), "{check}: {:?}", result.message);
        assert_eq!(result.severity, Severity::Fail);
        let message = result.message.unwrap_or_default();
        assert!(message.contains(expected.unwrap_or_default()), "{check}: {message}");
        assert_eq!(result.examples.len() as u64, *failed.min(&5), "{check}");
    }
}

#[test]
fn severities() {
    let database = people();
    let connection = database.connect().unwrap();
    for (check, expected, failed) in CASES {
        let run = |severity: &str, sink: Option<&mut dyn RejectSink>| {
            let checks = Checks::from_yaml(&format!("- {{{check}, severity: {severity}, name: my check}}"))?;
            checks.run(&connection, &table(), &Loaded::default(), sink)
        };
        let warned = run("warn", None).unwrap().remove(0);
        assert_eq!((warned.passed, warned.name.as_str()), (expected.is_none(), "my check"));
        match (expected, run("fail", None)) {
            (None, Ok(results)) => assert!(results[0].passed),
            (Some(_), Err(error)) => {
                assert!(matches!(error.kind(), ErrorKind::Refused { .. }), "{error}");
                assert!(error.to_string().starts_with("check 'my check': "), "{error}");
            }
            (_, other) => panic!("{check}: {other:?}"),
        }
        if ["row_count", "null_ratio", "freshness"].iter().any(|kind| check.contains(kind)) {
            assert!(run("reject", None).unwrap_err().to_string().contains("severity reject is not possible"));
            continue;
        }
        connection.execute_batch("BEGIN").unwrap();
        let mut kept = Kept::default();
        let result = run("reject", Some(&mut kept)).unwrap().remove(0);
        assert_eq!((result.failed, result.rejected, kept.0.len() as u64), (*failed, *failed, *failed), "{check}");
        let left: u64 = connection.query_row("SELECT count(*) FROM t", [], |row| row.get(0)).unwrap();
        assert_eq!(left, 7 - failed, "{check}");
        assert!(run("fail", None).unwrap()[0].passed, "{check}: nothing is left to find");
        connection.execute_batch("ROLLBACK").unwrap();
    }
}

#[test]
fn rejected_rows_are_handed_on_whole() {
    let database = people();
    let mut kept = Kept::default();
    evaluate(&database, "- {check: range, column: price, min: 0, max: 50, severity: reject}", Some(&mut kept)).unwrap();
    let fault = &kept.0[1];
    assert_eq!((fault.code, fault.at.record, fault.at.column.as_deref()), (FaultCode::Check, Some(5), Some("price")));
    assert_eq!((fault.value.as_deref(), fault.at.source.as_str()), (Some("99.99"), "t"));
    assert_eq!(String::from_utf8_lossy(&fault.raw), "7,\"a,\"\"b\"\"\",99.99,2021-01-01,,true");
    assert_eq!(String::from_utf8_lossy(&kept.0[0].raw), ",\"\",-3.00,2020-02-29,\"2001-01-01 00:00:00\",true");
    assert!(fault.message.contains("price is not in 0 to 50"), "{}", fault.message);
    // Without a sink they go all the same, and are counted.
    let result = evaluate(&database, "- {check: not_null, column: name, severity: reject}", None).unwrap();
    assert_eq!(result[0].rejected, 1);
}

#[test]
fn rejecting_goes_first_and_results_keep_the_order_of_the_file() {
    let database = people();
    let yaml = "- {check: row_count, max: 5}\n- {check: unique, column: id, severity: reject}\n";
    let results = evaluate(&database, yaml, None).unwrap();
    assert_eq!(
        (results[0].kind.as_str(), results[0].passed, results[0].observed.as_deref()),
        ("row_count", true, Some("5"))
    );
    assert_eq!(results[1].rejected, 2);
    assert_eq!(rows(&database, "SELECT count(DISTINCT id), count(*) FROM t WHERE id IS NOT NULL"), "(4, 4)");
}

#[test]
fn only_the_first_rows_are_shown_and_long_values_are_cut() {
    let database = Database::memory().unwrap();
    execute(&database, "CREATE TABLE t AS SELECT i, repeat('é', 100) AS text FROM range(300000) AS r(i)");
    let result = evaluate(&database, "- {check: range, column: i, max: 999}", None).unwrap().remove(0);
    assert_eq!((result.failed, result.examples.len()), (299_000, 5));
    assert_eq!(result.examples[0].row, 1001);
    assert_eq!(result.examples[0].text, format!("i=1000, text={}…", "é".repeat(80)));
}

/// A load of `n`, 0 or more, with checks before the commit.
fn load(database: &Database, values: &[i64], mode: LoadMode, yaml: &str, sink: &mut Kept) -> Result<Vec<CheckResult>> {
    let checks = Checks::from_yaml(yaml)?;
    let labels: Vec<String> = values.iter().map(|n| format!("'{n}\"")).collect();
    let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
    let mut source = OneStream::new(stream(vec![("n", ints(values)), ("label", texts(&labels))]));
    let mut results = Vec::new();
    let options = LoadOptions { mode, ..LoadOptions::default() };
    let _ = database.load(&mut source, &table(), &options, &mut |connection, loaded| {
        results = checks.run(connection, &table(), loaded, Some(sink))?;
        Ok(())
    })?;
    Ok(results)
}

#[test]
fn a_load_is_committed_only_if_its_checks_pass() {
    let database = Database::memory().unwrap();
    let mut kept = Kept::default();
    let small = "- {check: range, column: n, max: 10}";
    let rejecting = "- {check: range, column: n, max: 10, severity: reject}\n- {check: row_count, min: 2}";
    let error = load(&database, &[1, 11], LoadMode::Create, small, &mut kept).unwrap_err();
    assert!(error.is_data() && error.to_string().contains("row 2: n=11, label='11\""), "{error}");
    assert!(database.columns(&table()).unwrap().is_none());

    load(&database, &[1, 12, 3], LoadMode::Create, rejecting, &mut kept).unwrap();
    assert_eq!(rows(&database, "FROM t"), "(1, '1\");(3, '3\")");
    assert_eq!(String::from_utf8_lossy(&kept.0[0].raw), "12,\"'12\"\"\"");
    // Rows of this load only: places count through the table.
    load(&database, &[13, 5, 14], LoadMode::Append, rejecting, &mut kept).unwrap();
    assert_eq!(rows(&database, "SELECT n FROM t"), "(1);(3);(5)");
    assert_eq!(kept.0.iter().map(|fault| fault.at.record.unwrap()).collect::<Vec<_>>(), [2, 3, 5]);

    execute(&database, "INSERT INTO t VALUES (99, 'old')");
    let error = load(&database, &[15, 6], LoadMode::Append, rejecting, &mut kept).unwrap_err();
    assert!(error.is_data() && error.to_string().contains("1 of the rows were in the table before"), "{error}");
    assert_eq!(rows(&database, "SELECT n FROM t"), "(1);(3);(5);(99)");
    // A replaced table has no old rows.
    load(&database, &[16, 6, 7], LoadMode::Replace, rejecting, &mut kept).unwrap();
    assert_eq!(rows(&database, "SELECT n FROM t"), "(6);(7)");
}

#[test]
fn every_failed_check_is_in_the_error() {
    let yaml = "- {check: row_count, min: 100}\n- {check: not_null, column: id, severity: warn}\n- {check: unique, column: id}";
    let checks = Checks::from_yaml(yaml).unwrap();
    let error = checks.run(&people().connect().unwrap(), &table(), &Loaded::default(), None).unwrap_err();
    let lines: Vec<String> = error.to_string().lines().map(str::to_owned).collect();
    assert!(lines.len() == 2 && lines[0].contains("row_count") && lines[1].contains("unique(id)"), "{error}");
}

#[test]
fn what_cannot_be_asked_is_refused() {
    let database = people();
    execute(&database, "CREATE TABLE other (x INTEGER)");
    for (check, expected) in [
        ("check: not_null, column: nam", "check 'not_null(nam)': the table has no column 'nam': did you mean 'name'?"),
        ("check: not_null, column: zzzzzzz", "there are: id, name"),
        (
            "check: range, column: id, min: '0'",
            "cannot be compared with column \"id\", which is BIGINT; write a number",
        ),
        ("check: range, column: name, min: 0", "cannot be compared with column \"name\", which is VARCHAR; write it"),
        ("check: in, column: ok, values: ['true']", "which is BOOLEAN"),
        ("check: range, column: born, min: soon", "soon"),
        ("check: regex, column: name, pattern: '('", "check 'regex(name)'"),
        ("check: freshness, column: name, max_age: 1d", "freshness needs a date or a timestamp"),
        ("check: sql, predicate: 'id >'", "check 'sql': the predicate is not one SQL expression"),
        ("check: sql, predicate: 'idd > 1'", "not one SQL expression"),
        ("check: sql, predicate: 'true; DROP TABLE other'", "not one SQL expression"),
        ("check: sql, predicate: 'true); DROP TABLE other; SELECT (true'", "not one SQL expression"),
        ("check: sql, predicate: 'true) OR (false'", "not one SQL expression"),
        ("check: sql, predicate: 'true] OR [false'", "not one SQL expression"),
        (
            "check: sql, predicate: 'true) IS NOT TRUE UNION ALL SELECT * FROM other WHERE (x > 0'",
            "not one SQL expression",
        ),
        ("check: sql, predicate: '/* '", "not one SQL expression"),
        ("check: sql, predicate: 'id, id'", "check 'sql'"),
        ("check: sql, predicate: '-- nothing'", "check 'sql'"),
    ] {
        let error = evaluate(&database, &format!("- {{{check}}}"), None).unwrap_err();
        assert!(error.to_string().contains(expected), "{check}: {error}");
        assert!(!matches!(error.kind(), ErrorKind::Internal { .. }), "{check}: {error}");
    }
    assert_eq!(rows(&database, "SELECT count(*) FROM other"), "(0)");
    let missing: TableName = "no such".parse().unwrap();
    let checks = Checks::from_yaml("- {check: row_count, min: 1}").unwrap();
    let error = checks.run(&database.connect().unwrap(), &missing, &Loaded::default(), None).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Target { .. }), "{error}");
}

#[test]
fn names_and_values_stay_what_they_are() {
    let database = Database::memory().unwrap();
    let name = TableName::new("t\"; DROP TABLE other; --").unwrap();
    execute(
        &database,
        "CREATE TABLE other (x INTEGER);
         CREATE TABLE \"t\"\"; DROP TABLE other; --\" (\"a\"\"b'; --\" VARCHAR, \"__duckstream_row\" BIGINT, \"select\" BIGINT);
         INSERT INTO \"t\"\"; DROP TABLE other; --\" VALUES ('it''s; DROP TABLE other; --', 1, 1), ('x', 2, NULL), ('x', 3, 3)",
    );
    let yaml = r#"
- {check: in, column: "a\"b'; --", values: ["it's; DROP TABLE other; --", "') OR true --"], name: "n'; DROP", severity: warn}
- {check: regex, column: "a\"b'; --", pattern: "'|'; DROP TABLE other; --", severity: warn}
- {check: range, column: "a\"b'; --", min: "'; DROP TABLE other; --", max: y, severity: warn}
- {check: unique, column: "a\"b'; --", severity: reject}
- {check: not_null, column: select, severity: reject}
- {check: sql, predicate: "\"__duckstream_row\" > 0 AND \"a\"\"b'; --\" <> ');--'", severity: warn}
"#;
    let checks = Checks::from_yaml(yaml).unwrap();
    let mut kept = Kept::default();
    let connection = database.connect().unwrap();
    let results = checks.run(&connection, &name, &Loaded::default(), Some(&mut kept)).unwrap();
    let failed: Vec<u64> = results.iter().map(|result| result.failed).collect();
    // The rejecting ones go first and leave one row.
    assert_eq!(failed, [0, 1, 0, 1, 1, 0], "{results:#?}");
    assert_eq!(kept.0.len(), 2);
    assert_eq!(rows(&database, "SELECT count(*) FROM other"), "(0)");
}

#[test]
fn a_column_rowid_keeps_rows_from_being_taken_out() {
    let database = Database::memory().unwrap();
    execute(&database, "CREATE TABLE t AS SELECT 0 AS \"RowId\", i AS n FROM range(5) AS r(i)");
    assert_eq!(evaluate(&database, "- {check: range, column: n, max: 3}", None).unwrap()[0].failed, 1);
    let error = evaluate(&database, "- {check: range, column: n, max: 3, severity: reject}", None).unwrap_err();
    assert!(error.to_string().contains("a column \"rowid\""), "{error}");
    assert_eq!(rows(&database, "SELECT count(*) FROM t"), "(5)");
}

#[test]
fn an_empty_table_passes_what_is_about_rows() {
    let database = Database::memory().unwrap();
    execute(&database, "CREATE TABLE t (id INTEGER, ts TIMESTAMPTZ)");
    for (check, passed) in [
        ("check: not_null, column: id", true),
        ("check: unique, column: id", true),
        ("check: null_ratio, column: id, max: 0", true),
        ("check: row_count, min: 1", false),
        ("check: freshness, column: ts, max_age: 1d", false),
    ] {
        assert_eq!(evaluate(&database, &format!("- {{{check}}}"), None).unwrap()[0].passed, passed, "{check}");
    }
    execute(&database, "INSERT INTO t VALUES (1, now())");
    assert!(evaluate(&database, "- {check: freshness, column: ts, max_age: 60s}", None).unwrap()[0].passed);
}

#[test]
fn files_of_checks() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        validate_checks(path)
    };
    let yaml = write("c.yaml", "# all\n- check: not_null\n  columns:\n    - id\n  severity: warn\n").unwrap();
    let json = write("c.json", r#"[{"check": "not_null", "columns": ["id"], "severity": "warn"}]"#).unwrap();
    assert_eq!(yaml, json);
    assert_eq!((yaml.len(), yaml.is_empty()), (1, false));
    let message = |result: Result<Checks>| -> String { result.map_err(|error: Error| error.to_string()).unwrap_err() };
    assert!(message(write("d.json", "- check: x")).contains("d.json: this is not JSON"));
    assert!(message(write("e.yml", "- {check: unik, column: a}")).contains("e.yml: check 1: unknown check 'unik'"));
    assert!(message(validate_checks(folder.path().join("none.yaml"))).contains("there is no file of checks"));
}
