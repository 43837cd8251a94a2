//! What fails leaves the database as it was, and says what it was.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{RecordBatch, RecordBatchReader};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::error::ArrowError;
use duckstream::{
    BatchSource, CancelToken, ColumnOrder, Database, DatabaseOptions, Error, ErrorKind, LoadMode, LoadOptions, Monitor,
    OneStream, Query, Result,
};

use crate::engine_support::{
    batch, broken, catalog, execute, ints, load, numbers, numbers_schema, rows, stream, texts,
};

fn options(mode: LoadMode) -> LoadOptions {
    LoadOptions { mode, key: vec!["n".to_owned()], row_group: 2048, ..LoadOptions::default() }
}

const MODES: [LoadMode; 4] = [LoadMode::Create, LoadMode::Append, LoadMode::Replace, LoadMode::Merge];

/// A database with a table `t` in it, unless the mode makes its own.
fn prepared(mode: LoadMode) -> Database {
    let database = Database::memory().unwrap();
    if mode != LoadMode::Create {
        execute(&database, "CREATE TABLE t (n BIGINT, s VARCHAR); INSERT INTO t VALUES (1, 'before')");
    }
    database
}

fn fails_without_a_trace(source: &mut dyn BatchSource, mode: LoadMode) -> Error {
    let database = prepared(mode);
    let before = (catalog(&database), rows(&database, "FROM duckdb_tables()"));
    let error = database.load(source, &"t".parse().unwrap(), &options(mode), &mut |_, _| Ok(())).unwrap_err();
    assert_eq!((catalog(&database), rows(&database, "FROM duckdb_tables()")), before, "{mode}");
    // The next load runs as if nothing had been.
    let again = load(&database, numbers(10, 3), "t", &options(mode)).unwrap();
    assert_eq!(again.rows, 10, "{mode}");
    error
}

#[test]
fn a_reader_that_fails_at_any_batch() {
    for mode in MODES {
        for good in [0, 1, 2, 5, 50] {
            let reader = broken(good, || Some(Err(ArrowError::from(Error::usage("batch is bad")))));
            let error = fails_without_a_trace(&mut OneStream::new(reader), mode);
            assert!(matches!(error.kind(), ErrorKind::Usage { message } if message == "batch is bad"), "{error:?}");
        }
    }
}

#[test]
fn a_reader_that_panics() {
    for mode in MODES {
        let reader = broken(5, || panic!("on purpose"));
        let error = fails_without_a_trace(&mut OneStream::new(reader), mode);
        assert!(error.to_string().contains("on purpose"), "{error}");
    }
}

struct NeverOpens;

impl BatchSource for NeverOpens {
    fn open(&mut self) -> Result<Box<dyn RecordBatchReader + Send>> {
        Err(Error::usage("not today"))
    }
}

#[test]
fn a_source_that_does_not_open() {
    for mode in MODES {
        assert_eq!(fails_without_a_trace(&mut NeverOpens, mode).to_string(), "not today");
    }
}

#[test]
fn a_hook_that_fails_or_panics() {
    for mode in MODES {
        for panics in [false, true] {
            let database = prepared(mode);
            let before = catalog(&database);
            let mut hook = |connection: &duckdb::Connection, loaded: &duckstream::Loaded| {
                assert_eq!(loaded.rows, 5000);
                connection.execute_batch("CREATE TABLE ledger (x INTEGER)").unwrap();
                assert!(!panics, "the hook broke");
                Err(Error::usage("the hook says no"))
            };
            let source = &mut OneStream::new(numbers(5000, 100));
            let error = database.load(source, &"t".parse().unwrap(), &options(mode), &mut hook).unwrap_err();
            let expected = if panics { "the hook broke" } else { "the hook says no" };
            assert!(error.to_string().contains(expected), "{error}");
            assert_eq!(catalog(&database), before);
        }
    }
}

#[test]
fn a_constraint_refuses_a_row() {
    let database = Database::memory().unwrap();
    execute(&database, "CREATE TABLE t (n BIGINT PRIMARY KEY, s VARCHAR NOT NULL CHECK (length(s) < 4))");
    let before = catalog(&database);
    for input in [
        stream(vec![("n", ints(&[1, 1])), ("s", texts(&["a", "b"]))]),
        stream(vec![("n", ints(&[1])), ("s", texts(&["too long"]))]),
    ] {
        let error = load(&database, input, "t", &options(LoadMode::Append)).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Target { .. }), "{error:?}");
        assert!(error.to_string().contains("the table refused a row"), "{error}");
    }
    let error = load(&database, stream(vec![("n", ints(&[1]))]), "t", &options(LoadMode::Append)).unwrap_err();
    assert!(error.to_string().contains("NOT NULL"), "{error}");
    assert_eq!(catalog(&database), before);
}

#[test]
fn a_cancel_in_the_middle_ends_everything_soon() {
    for mode in MODES {
        for stalled in [false, true] {
            let token = CancelToken::new();
            let database = prepared(mode);
            let before = catalog(&database);
            let schema = numbers_schema();
            let of = Arc::clone(&schema);
            // Endless, or endlessly waiting.
            let batches = (0..).map(move |index: i64| {
                if stalled && index > 3 {
                    std::thread::sleep(Duration::from_secs(2));
                }
                Ok(batch(&of, index * 1000, index * 1000 + 1000))
            });
            let reader = arrow::array::RecordBatchIterator::new(batches, schema);
            let monitor = Monitor::new(token.clone(), None);
            let options = LoadOptions { monitor, ..options(mode) };
            let canceller = std::thread::spawn(move || {
                std::thread::sleep(Duration::from_millis(40));
                token.cancel();
                Instant::now()
            });
            let error = load(&database, reader, "t", &options).unwrap_err();
            let ended = Instant::now();
            assert!(error.is_cancelled(), "{error:?}");
            assert!(ended - canceller.join().unwrap() < Duration::from_millis(500), "{mode}, stalled {stalled}");
            assert_eq!(catalog(&database), before);
        }
    }
}

#[test]
fn a_cancelled_token_stops_a_load_before_it_starts() {
    let token = CancelToken::new();
    token.cancel();
    let database = Database::memory().unwrap();
    let options = LoadOptions { monitor: Monitor::new(token, None), ..LoadOptions::default() };
    assert!(load(&database, numbers(1, 1), "t", &options).unwrap_err().is_cancelled());
}

#[test]
fn a_query_can_be_cancelled() {
    let token = CancelToken::new();
    let database = Database::memory().unwrap();
    let monitor = Monitor::new(token.clone(), None);
    let query = Query::Sql("SELECT count(*) FROM range(100000000000) a".to_owned());
    let canceller = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(100));
        token.cancel();
        Instant::now()
    });
    let stream = database.query(&query, &ColumnOrder::Sorted, &monitor);
    let error = match stream {
        Ok(mut stream) => Error::arrow("reading", stream.next().unwrap().unwrap_err()),
        Err(error) => error,
    };
    let ended = Instant::now();
    assert!(error.is_cancelled(), "{error:?}");
    assert!(ended - canceller.join().unwrap() < Duration::from_millis(500));
}

#[test]
fn files_open_close_and_say_why_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.duckdb");
    let read_only = DatabaseOptions { read_only: true, ..DatabaseOptions::default() };
    let error = Database::open_with(&path, &read_only).unwrap_err();
    assert!(error.to_string().contains("does not exist") && !path.exists(), "{error}");

    let database = Database::open(&path).unwrap();
    assert!(database.created());
    let error = load(&database, broken(1, || Some(Err(Error::usage("bad").into()))), "t", &LoadOptions::default());
    assert!(error.is_err());
    database.discard().unwrap();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);

    let database = Database::open(&path).unwrap();
    let _ = load(&database, numbers(200_000, 5000), "t", &LoadOptions::default()).unwrap();
    database.discard().unwrap();
    assert!(path.exists());

    let database = Database::open_with(&path, &read_only).unwrap();
    assert!(!database.created());
    assert_eq!(rows(&database, "SELECT count(*), max(n) FROM t"), "(200000, 199999)");
    // Refused whether the source is at its end by then or has far more than is held ready.
    for rows in [1, 500_000] {
        let error = load(&database, numbers(rows, 5000), "u", &LoadOptions::default()).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Target { .. }), "{error:?}");
    }
    drop(database);

    let text = folder.path().join("not.duckdb");
    std::fs::write(&text, "a,b\n1,2\n".repeat(10_000)).unwrap();
    let error = Database::open(&text).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Target { .. }), "{error:?}");
    assert!(error.to_string().contains("is not a DuckDB database"), "{error}");
    let error = Database::open(folder.path().join("no/such/folder/x.duckdb")).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Target { .. }), "{error:?}");
    let bad = DatabaseOptions { memory_limit: Some("lots".to_owned()), ..DatabaseOptions::default() };
    assert!(Database::memory_with(&bad).is_err());
}

#[test]
fn a_connection_may_outlive_its_database() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.duckdb");
    let connection = Database::open(&path).unwrap().connect().unwrap();
    connection.execute_batch("CREATE TABLE t AS SELECT 1 AS x").unwrap();
    let clone = connection.try_clone().unwrap();
    drop(connection);
    assert_eq!(clone.query_row("SELECT x FROM t", [], |row| row.get::<_, i32>(0)).unwrap(), 1);
    drop(clone);
    // Opening anything lets go of what was left.
    let _other = Database::memory().unwrap();
    let database = Database::open_with(&path, &DatabaseOptions { threads: Some(1), ..Default::default() }).unwrap();
    assert_eq!(rows(&database, "FROM t"), "(1)");
}

#[test]
fn loads_side_by_side() {
    let database = Database::memory().unwrap();
    let before = catalog(&database);
    std::thread::scope(|scope| {
        for index in 0..4 {
            let database = database.clone();
            scope.spawn(move || {
                let table = format!("t{index}");
                let loaded = load(&database, numbers(20_000, 777), &table, &LoadOptions::default()).unwrap();
                assert_eq!(loaded.rows, 20_000);
            });
        }
    });
    execute(&database, "DROP TABLE t0; DROP TABLE t1; DROP TABLE t2; DROP TABLE t3");
    assert_eq!(catalog(&database), before);
}

#[test]
fn a_file_opened_twice_is_shared() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.duckdb");
    let first = Database::open(&path).unwrap();
    std::fs::create_dir(folder.path().join("b")).unwrap();
    let second = Database::open(folder.path().join("b/../a.duckdb")).unwrap();
    let _ = load(&first, numbers(10, 3), "t", &LoadOptions::default()).unwrap();
    drop(first);
    assert_eq!(rows(&second, "SELECT count(*) FROM t"), "(10)");
    let read_only = DatabaseOptions { read_only: true, ..DatabaseOptions::default() };
    let error = Database::open_with(&path, &read_only).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Target { .. }), "{error:?}");
    drop(second);
    let third = Database::open_with(&path, &read_only).unwrap();
    assert_eq!(rows(&third, "SELECT count(*) FROM t"), "(10)");
    // A connection keeps the engine; opening again takes it over.
    let connection = third.connect().unwrap();
    drop(third);
    let fourth = Database::open_with(&path, &read_only).unwrap();
    drop(connection);
    assert_eq!(rows(&fourth, "SELECT count(*) FROM t"), "(10)");
}

#[test]
fn many_threads_open_and_close_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.duckdb");
    std::thread::scope(|scope| {
        for index in 0..4 {
            let path = &path;
            scope.spawn(move || {
                for round in 0..5 {
                    let database = Database::open(path).unwrap();
                    let table = format!("t{index}_{round}");
                    assert_eq!(load(&database, numbers(100, 30), &table, &LoadOptions::default()).unwrap().rows, 100);
                }
            });
        }
    });
    let database = Database::open(&path).unwrap();
    assert_eq!(rows(&database, "SELECT count(*) FROM duckdb_tables()"), "(20)");
}

/// What this test binary does when another test starts it as a process of its own: `hold` or `load` a file.
#[test]
fn as_another_process() {
    let Ok(role) = std::env::var("DUCKSTREAM_TEST_ROLE") else { return };
    let database = Database::open(std::env::var("DUCKSTREAM_TEST_FILE").unwrap()).unwrap();
    if role == "loaded" {
        // Some 16 MB that do not compress: a part of the file is on its way to the disk before the commit.
        let schema = Arc::new(Schema::new(vec![Field::new("n", DataType::Int64, true)]));
        let of = Arc::clone(&schema);
        let batch = move |index: i64| {
            let values =
                (0..122_880).map(|n| (index * 122_880 + n).wrapping_mul(0x5E37_79B9_7F4A_7C15)).collect::<Vec<_>>();
            Ok(RecordBatch::try_new(Arc::clone(&of), vec![ints(&values)]).unwrap())
        };
        let reader = arrow::array::RecordBatchIterator::new((0..17).map(batch), schema);
        let _ = load(&database, reader, "t", &LoadOptions::default()).unwrap();
    }
    println!("\nready");
    if role == "load" {
        let schema = numbers_schema();
        let of = Arc::clone(&schema);
        let batches = (0..).map(move |index: i64| Ok(batch(&of, index * 100_000, index * 100_000 + 100_000)));
        let reader = arrow::array::RecordBatchIterator::new(batches, schema);
        let _ = load(&database, reader, "t", &options(LoadMode::Append)).unwrap();
    }
    std::thread::sleep(Duration::from_secs(60));
}

/// Starts this binary again and waits until it has the file open.
fn start(role: &str, file: &std::path::Path) -> std::process::Child {
    let mut child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "engine_safety::as_another_process", "--nocapture"])
        .envs([("DUCKSTREAM_TEST_ROLE", role.as_ref()), ("DUCKSTREAM_TEST_FILE", file.as_os_str())])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let output = std::io::BufReader::new(child.stdout.take().unwrap());
    assert!(std::io::BufRead::lines(output).any(|line| line.unwrap() == "ready"));
    child
}

#[test]
fn a_file_that_another_process_holds() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.duckdb");
    for role in ["hold", "loaded"] {
        let mut child = start(role, &path);
        let error = Database::open(&path).unwrap_err();
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(matches!(error.kind(), ErrorKind::Target { .. }), "{role}: {error:?}");
        assert!(error.to_string().contains("in use by another process"), "{role}: {error}");
        assert!(Database::open(&path).is_ok());
    }
}

#[test]
fn a_load_that_is_killed_leaves_the_file_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.duckdb");
    let database = Database::open(&path).unwrap();
    execute(&database, "CREATE TABLE t (n BIGINT, s VARCHAR); INSERT INTO t VALUES (1, 'before')");
    let before = catalog(&database);
    drop(database);
    let mut child = start("load", &path);
    std::thread::sleep(Duration::from_millis(300));
    child.kill().unwrap();
    child.wait().unwrap();
    let database = Database::open(&path).unwrap();
    assert_eq!(catalog(&database), before);
    assert_eq!(rows(&database, "FROM t"), "(1, before)");
    assert_eq!(load(&database, numbers(10, 3), "t", &options(LoadMode::Append)).unwrap().rows_after, 11);
}
