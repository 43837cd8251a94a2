//! Loads that succeed, and loads that are refused for what they are.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Float64Array, Int32Array, NullArray, StringArray, StringDictionaryBuilder,
    StringViewArray, TimestampMicrosecondArray,
};
use arrow::datatypes::Int32Type;
use duckstream::{
    BatchSource, CsvLoad, Database, DatabaseOptions, Dedup, ErrorKind, LoadMode, LoadOptions, MatchColumns, OnError,
    OneStream, ReaderOptions, Result, Source, TableName,
};

use crate::engine_support::{catalog, execute, ints, load, numbers, rows, stream, texts};

fn mode(mode: LoadMode) -> LoadOptions {
    LoadOptions { mode, ..LoadOptions::default() }
}

fn merge(key: &[&str], dedup: Dedup) -> LoadOptions {
    LoadOptions { key: key.iter().map(|key| key.to_string()).collect(), dedup, ..mode(LoadMode::Merge) }
}

#[test]
fn every_batch_size_and_thread_count_gives_the_same_table() {
    for threads in [1, 2, 4] {
        let database =
            Database::memory_with(&DatabaseOptions { threads: Some(threads), ..DatabaseOptions::default() }).unwrap();
        for (size, total) in [(1, 5_000), (3, 20_000), (2_048, 300_000), (122_880, 300_000), (130_000, 300_000)] {
            let loaded = load(&database, numbers(total, size), "t", &mode(LoadMode::Replace)).unwrap();
            assert_eq!((loaded.rows, loaded.inserted, loaded.rows_after), (total as u64, total as u64, total as u64));
            // The row id is the place in the table: order is kept.
            let wrong = rows(&database, "SELECT count(*) FROM t WHERE n <> rowid OR s <> n::VARCHAR");
            assert_eq!(wrong, "(0)", "{threads} threads, batches of {size}");
            assert_eq!(rows(&database, "SELECT count(*) FROM t"), format!("({total})"));
        }
    }
}

#[test]
fn modes() {
    let database = Database::memory().unwrap();
    let before = catalog(&database);
    let loaded = load(&database, numbers(3, 2), "t", &mode(LoadMode::Create)).unwrap();
    assert!(loaded.created && loaded.rows_before == 0);
    let error = load(&database, numbers(3, 2), "t", &mode(LoadMode::Create)).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Target { .. }), "{error}");
    assert!(error.to_string().contains("--mode append"), "{error}");
    let loaded = load(&database, numbers(2, 2), "t", &mode(LoadMode::Append)).unwrap();
    assert_eq!((loaded.rows_before, loaded.rows, loaded.rows_after, loaded.created), (3, 2, 5, false));
    assert_eq!(rows(&database, "FROM t"), "(0, 0);(1, 1);(2, 2);(0, 0);(1, 1)");
    let loaded = load(&database, stream(vec![("x", ints(&[7]))]), "t", &mode(LoadMode::Replace)).unwrap();
    assert_eq!((loaded.rows_before, loaded.rows_after, loaded.created), (5, 1, true));
    assert_eq!(rows(&database, "FROM t"), "(7)");
    assert!(load(&database, numbers(1, 1), "new", &mode(LoadMode::Append)).unwrap().created);
    execute(&database, "DROP TABLE t; DROP TABLE new");
    assert_eq!(catalog(&database), before);
}

#[test]
fn merge_inserts_updates_and_is_idempotent() {
    let database = Database::memory().unwrap();
    execute(&database, "CREATE TABLE t (id INTEGER PRIMARY KEY, v VARCHAR, kept INTEGER DEFAULT 5)");
    execute(&database, "INSERT INTO t VALUES (1, 'a', 10), (2, 'b', 20), (3, NULL, 30)");
    let input = || stream(vec![("V", texts(&["a", "x", "c", "y", "d"])), ("id", ints(&[1, 2, 3, 2, 4]))]);
    let loaded = load(&database, input(), "t", &merge(&["ID"], Dedup::Last)).unwrap();
    let counts = (loaded.rows, loaded.inserted, loaded.updated, loaded.unchanged, loaded.duplicates);
    assert_eq!(counts, (5, 1, 2, 1, 1));
    assert_eq!(rows(&database, "FROM t ORDER BY id"), "(1, a, 10);(2, y, 20);(3, c, 30);(4, d, 5)");
    let again = load(&database, input(), "t", &merge(&["id"], Dedup::Last)).unwrap();
    assert_eq!((again.inserted, again.updated, again.unchanged, again.duplicates), (0, 0, 4, 1));
    let first = load(&database, input(), "t", &merge(&["id"], Dedup::First)).unwrap();
    assert_eq!((first.updated, first.duplicates), (1, 1));
    assert_eq!(rows(&database, "FROM t WHERE id = 2"), "(2, x, 20)");

    let error = load(&database, input(), "t", &merge(&["id"], Dedup::Error)).unwrap_err();
    assert!(error.is_data() && error.to_string().contains("2 rows"), "{error}");
    let error = load(&database, input(), "t", &merge(&["idd"], Dedup::Last)).unwrap_err();
    assert!(error.to_string().contains("did you mean 'id'"), "{error}");
    let error = load(&database, input(), "t", &merge(&[], Dedup::Last)).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Usage { .. }));
    let fresh = load(&database, input(), "fresh", &merge(&["id"], Dedup::Last)).unwrap();
    assert_eq!((fresh.created, fresh.inserted, fresh.duplicates, fresh.rows_after), (true, 4, 1, 4));
}

#[test]
fn a_null_key_meets_a_null_key() {
    let database = Database::memory().unwrap();
    let input = || {
        let key: ArrayRef = Arc::new(StringArray::from(vec![Some("a"), None, None]));
        stream(vec![("k", key), ("v", ints(&[1, 2, 3]))])
    };
    let _ = load(&database, input(), "t", &merge(&["k"], Dedup::Last)).unwrap();
    let again = load(&database, input(), "t", &merge(&["k"], Dedup::Last)).unwrap();
    assert_eq!((again.inserted, again.updated, again.unchanged, again.rows_after), (0, 0, 2, 2));
}

#[test]
fn any_name_is_only_a_name() {
    let database = Database::memory().unwrap();
    execute(&database, "CREATE TABLE victim AS SELECT 1 AS x; CREATE SCHEMA \"my schema\"");
    let names = [
        "order",
        "select",
        "a\"b",
        "Ünï",
        "x y",
        "it's",
        "t; DROP TABLE victim; --",
        "\"",
        "'",
        "a--b",
        "/* c */",
        "{t}",
        "$1",
        "?",
        "c0",
        "q",
        "ID",
        "日本",
        "\u{1F600}",
        "line\nbreak",
        "back\\slash",
    ];
    for name in names {
        let table = TableName::new(name).unwrap();
        let input = || stream(vec![(name, ints(&[1, 2])), ("other", texts(&["a", "b"]))]);
        for mode in [LoadMode::Create, LoadMode::Append, LoadMode::Replace] {
            let options = LoadOptions { mode, ..LoadOptions::default() };
            let loaded = database.load(&mut OneStream::new(input()), &table, &options, &mut |_, _| Ok(()));
            assert_eq!(loaded.unwrap().rows, 2, "{name}");
        }
        let options = merge(&[name], Dedup::Last);
        let merged = database.load(&mut OneStream::new(input()), &table, &options, &mut |_, _| Ok(())).unwrap();
        assert_eq!(merged.unchanged, 2, "{name}");
        assert_eq!(database.columns(&table).unwrap().unwrap()[0].name, name);
    }
    assert_eq!(rows(&database, "FROM victim"), "(1)");
    let qualified: TableName = "memory.\"my schema\".\"a.b\"".parse().unwrap();
    let _ = database
        .load(&mut OneStream::new(numbers(1, 1)), &qualified, &LoadOptions::default(), &mut |_, _| Ok(()))
        .unwrap();
    assert_eq!(rows(&database, "FROM \"my schema\".\"a.b\""), "(0, 0)");
    let error = load(&database, numbers(1, 1), "nowhere.t", &LoadOptions::default()).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Target { .. }), "{error}");
}

#[test]
fn append_matches_by_name() {
    let database = Database::memory().unwrap();
    execute(&database, "CREATE TABLE t (a INTEGER, \"B\" VARCHAR, c INTEGER DEFAULT 7, d DATE)");
    let _ =
        load(&database, stream(vec![("b", texts(&["x"])), ("A", ints(&[1]))]), "t", &mode(LoadMode::Append)).unwrap();
    assert_eq!(rows(&database, "FROM t"), "(1, x, 7, NULL)");
    let input = stream(vec![("a", ints(&[1])), ("bb", texts(&["x"])), ("zzzzzz", ints(&[1]))]);
    let error = load(&database, input, "t", &mode(LoadMode::Append)).unwrap_err().to_string();
    for part in ["no bb, zzzzzz", "no B, c, d", "bb → B", "--match-columns position"] {
        assert!(error.contains(part), "{part} is not in: {error}");
    }
    let options = LoadOptions { match_columns: MatchColumns::Position, ..mode(LoadMode::Append) };
    let input = stream(vec![("d", ints(&[2])), ("c", texts(&["y"])), ("b", ints(&[3])), ("a", texts(&["2024-02-29"]))]);
    let _ = load(&database, input, "t", &options).unwrap();
    assert_eq!(rows(&database, "FROM t WHERE a = 2"), "(2, y, 3, 2024-02-29)");
    assert!(load(&database, stream(vec![("a", ints(&[2]))]), "t", &options).is_err());
}

#[test]
fn no_value_changes_on_its_way_into_a_column() {
    let database = Database::memory().unwrap();
    let double = |value: f64| -> ArrayRef { Arc::new(Float64Array::from(vec![value])) };
    let text = |value: &str| texts(&[value]);
    let day: ArrayRef = Arc::new(Date32Array::from(vec![0]));
    let noon: ArrayRef = Arc::new(TimestampMicrosecondArray::from(vec![43_200_000_000]));
    let zoned: ArrayRef = Arc::new(TimestampMicrosecondArray::from(vec![0]).with_timezone("UTC"));
    let yes: ArrayRef = Arc::new(BooleanArray::from(vec![true]));
    let cases: Vec<(ArrayRef, &str, Option<&str>)> = vec![
        (ints(&[5]), "INTEGER", Some("5")),
        (ints(&[3_000_000_000]), "INTEGER", None),
        (ints(&[5]), "DOUBLE", Some("5.0")),
        (ints(&[9_007_199_254_740_993]), "DOUBLE", None),
        (ints(&[5]), "VARCHAR", Some("5")),
        (ints(&[5]), "DECIMAL(10,2)", Some("5.00")),
        (ints(&[5]), "BOOLEAN", None),
        (ints(&[5]), "DATE", None),
        (double(1.5), "INTEGER", None),
        (double(2.0), "INTEGER", Some("2")),
        (double(0.1), "FLOAT", Some("0.1")),
        (double(1e300), "FLOAT", None),
        (double(0.25), "DECIMAL(10,2)", Some("0.25")),
        (double(0.125), "DECIMAL(10,2)", None),
        (text("12"), "INTEGER", Some("12")),
        (text("1.7"), "INTEGER", None),
        (text("abc"), "INTEGER", None),
        (text("99999999999"), "INTEGER", None),
        (text("1.25"), "DECIMAL(10,2)", Some("1.25")),
        (text("1.2500"), "DECIMAL(10,2)", Some("1.25")),
        (text("1.257"), "DECIMAL(10,2)", None),
        (text("1.5"), "DOUBLE", Some("1.5")),
        (text("2024-02-30"), "DATE", None),
        (text("2024-02-29"), "DATE", Some("2024-02-29")),
        (text("2024-02-29 10:00:00"), "DATE", None),
        (text("2024-02-29 10:00:00.5"), "TIMESTAMP", Some("2024-02-29 10:00:00.5")),
        (text("2024-02-29 10:00:00"), "TIMESTAMPTZ", None),
        (text("2024-02-29 10:00:00+01:00"), "TIMESTAMPTZ", Some("2024-02-29 09:00:00+00")),
        (text("2024-02-29 10:00:00Z"), "TIMESTAMPTZ", Some("2024-02-29 10:00:00+00")),
        (text("2024-02-29 10:00:00.1234567"), "TIMESTAMP", None),
        (text("maybe"), "BOOLEAN", None),
        (text("true"), "BOOLEAN", Some("true")),
        (text("red"), "ENUM('red', 'blue')", Some("red")),
        (text("pink"), "ENUM('red', 'blue')", None),
        (day.clone(), "TIMESTAMP", Some("1970-01-01 00:00:00")),
        (noon.clone(), "DATE", None),
        (noon.clone(), "TIMESTAMP_S", Some("1970-01-01 12:00:00")),
        (noon, "TIMESTAMPTZ", None),
        (zoned, "TIMESTAMP", None),
        (yes.clone(), "INTEGER", None),
        (yes, "BOOLEAN", Some("true")),
        (Arc::new(NullArray::new(1)), "DATE", Some("NULL")),
    ];
    for (value, target, expected) in cases {
        let from = value.data_type().clone();
        execute(&database, &format!("CREATE OR REPLACE TABLE t (\"the column\" {target})"));
        let result = load(&database, stream(vec![("the column", value)]), "t", &mode(LoadMode::Append));
        match (expected, result) {
            (Some(expected), Ok(_)) => {
                assert_eq!(rows(&database, "SELECT \"the column\"::VARCHAR FROM t"), format!("({expected})"));
            }
            (None, Err(error)) => {
                assert!(matches!(error.kind(), ErrorKind::Target { .. }), "{from} to {target}: {error:?}");
                assert!(error.to_string().contains("the column"), "{from} to {target}: {error}");
                assert_eq!(rows(&database, "FROM t"), "");
            }
            (expected, result) => panic!("{from} to {target}: expected {expected:?}, found {result:?}"),
        }
    }
    execute(&database, "CREATE OR REPLACE TABLE t (x INTEGER)");
    let error = load(&database, stream(vec![("x", texts(&["1", "no'pe"]))]), "t", &mode(LoadMode::Append)).unwrap_err();
    assert!(error.to_string().contains("cannot take the value 'no'pe'"), "{error}");
}

#[test]
fn text_comes_in_every_layout() {
    let database = Database::memory().unwrap();
    let mut dictionary = StringDictionaryBuilder::<Int32Type>::new();
    ["x", "y", "x"].into_iter().for_each(|value| dictionary.append_value(value));
    let views = StringViewArray::from(vec![Some("a text longer than twelve bytes"), None, Some("")]);
    let input = stream(vec![
        ("plain", texts(&["", "b", "c"])),
        ("view", Arc::new(views) as ArrayRef),
        ("dictionary", Arc::new(dictionary.finish())),
        ("nothing", Arc::new(NullArray::new(3))),
        ("small", Arc::new(Int32Array::from(vec![1, 2, 3]))),
    ]);
    let _ = load(&database, input, "t", &LoadOptions::default()).unwrap();
    assert_eq!(
        rows(&database, "FROM t"),
        "(, a text longer than twelve bytes, x, NULL, 1);(b, NULL, y, NULL, 2);(c, , x, NULL, 3)"
    );
    let types: Vec<String> =
        database.columns(&"t".parse().unwrap()).unwrap().unwrap().into_iter().map(|column| column.data_type).collect();
    assert_eq!(types, ["VARCHAR", "VARCHAR", "VARCHAR", "VARCHAR", "INTEGER"]);
}

#[test]
fn streams_that_no_table_can_hold_are_refused_by_column() {
    let database = Database::memory().unwrap();
    let half: ArrayRef = Arc::new(arrow::array::Float16Array::new_null(1));
    for (input, part) in [
        (stream(vec![("ok", ints(&[1])), ("bad one", half)]), "bad one"),
        (stream(vec![("a", ints(&[1])), ("A", ints(&[1]))]), "\"a\" and \"A\""),
        (stream(vec![("nul\0", ints(&[1]))]), "NUL"),
    ] {
        let error = load(&database, input, "t", &LoadOptions::default()).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Usage { .. }), "{error}");
        assert!(error.to_string().contains(part), "{error}");
    }
    assert_eq!(rows(&database, "FROM duckdb_tables()"), "");
}

/// Two passes: the first ends early, the second has another schema.
struct Widening(usize);

impl BatchSource for Widening {
    fn open(&mut self) -> Result<Box<dyn arrow::array::RecordBatchReader + Send>> {
        self.0 += 1;
        Ok(match self.0 {
            1 => Box::new(stream(vec![("x", ints(&[1, 2]))])),
            _ => Box::new(stream(vec![("x", texts(&["1", "2", "three"]))])),
        })
    }

    fn restart(&mut self) -> Result<bool> {
        Ok(self.0 == 1)
    }
}

#[test]
fn a_load_may_start_over() {
    let database = Database::memory().unwrap();
    let before = catalog(&database);
    for mode in [LoadMode::Create, LoadMode::Replace] {
        let mut hooks = 0;
        let options = LoadOptions { mode, ..LoadOptions::default() };
        let table = "t".parse().unwrap();
        let mut hook = |connection: &duckdb::Connection, _: &duckstream::Loaded| {
            hooks += 1;
            connection.execute_batch("CREATE TABLE ledger AS SELECT count(*) AS n FROM t").unwrap();
            Ok(())
        };
        let loaded = database.load(&mut Widening(0), &table, &options, &mut hook).unwrap();
        assert_eq!((loaded.rows, hooks), (3, 1));
        assert_eq!(rows(&database, "FROM t"), "(1);(2);(three)");
        assert_eq!(rows(&database, "FROM ledger"), "(3)");
        execute(&database, "DROP TABLE ledger");
    }
    execute(&database, "DROP TABLE t");
    assert_eq!(catalog(&database), before);
}

/// Keeps what it is told.
struct Telling(Option<Box<dyn arrow::array::RecordBatchReader + Send>>, Vec<String>);

impl BatchSource for Telling {
    fn open(&mut self) -> Result<Box<dyn arrow::array::RecordBatchReader + Send>> {
        Ok(self.0.take().unwrap())
    }

    fn refused(&mut self, row: u64, column: Option<&str>, message: &str) -> Result<()> {
        self.1.push(format!("{row}: {message} [{}]", column.unwrap_or("-")));
        Ok(())
    }
}

#[test]
fn refused_rows_are_left_out_and_told() {
    let database = Database::memory().unwrap();
    let before = catalog(&database);
    execute(
        &database,
        "CREATE TABLE t (d INTEGER DEFAULT 1, \"the id\" INTEGER PRIMARY KEY, v VARCHAR NOT NULL, \
         u INTEGER UNIQUE, CHECK (length(v) < 4)); INSERT INTO t VALUES (1, 1, 'old', 100)",
    );
    let input = || -> Box<dyn arrow::array::RecordBatchReader + Send> {
        let ids: ArrayRef =
            Arc::new(Int32Array::from(vec![Some(1), Some(2), Some(2), None, Some(5), Some(6), Some(7)]));
        let values = [Some("a"), Some("b"), Some("c"), Some("d"), None, Some("long"), Some("g")];
        let unique: ArrayRef = Arc::new(Int32Array::from(vec![None, None, None, None, None, None, Some(100)]));
        Box::new(stream(vec![("the id", ids), ("v", Arc::new(StringArray::from(values.to_vec()))), ("u", unique)]))
    };
    let table = "t".parse::<TableName>().unwrap();
    for conflicts in [OnError::Skip, OnError::Reject] {
        let mut source = Telling(Some(input()), Vec::new());
        let options = LoadOptions { conflicts, ..mode(LoadMode::Append) };
        let loaded = database.load(&mut source, &table, &options, &mut |_, _| Ok(())).unwrap();
        assert_eq!((loaded.rows, loaded.inserted, loaded.refused), (7, 1, 6));
        assert_eq!(rows(&database, "SELECT \"the id\", v, d FROM t"), "(1, old, 1);(2, b, 1)");
        let places: Vec<&str> = source.1.iter().map(|line| line.split(':').next().unwrap()).collect();
        assert_eq!(places, ["0", "2", "3", "4", "5", "6"], "{:?}", source.1);
        let reasons = ["already has", "earlier row", "NULL", "NULL", "CHECK", "(u)"];
        let columns = ["[the id]", "[the id]", "[the id]", "[v]", "[v]", "[u]"];
        for (index, (part, column)) in reasons.into_iter().zip(columns).enumerate() {
            assert!(source.1[index].contains(part) && source.1[index].ends_with(column), "{:?}", source.1);
        }
        execute(&database, "DELETE FROM t WHERE \"the id\" = 2");
    }
    let mut source = Telling(Some(input()), Vec::new());
    let options = LoadOptions { conflicts: OnError::Reject, ..merge(&["the id"], Dedup::Last) };
    let loaded = database.load(&mut source, &table, &options, &mut |_, _| Ok(())).unwrap();
    assert_eq!((loaded.inserted, loaded.updated, loaded.duplicates, loaded.refused), (2, 1, 1, 3));
    assert_eq!(rows(&database, "SELECT \"the id\", v FROM t ORDER BY ALL"), "(1, a);(2, c);(7, g)");
    execute(&database, "DROP TABLE t");
    assert_eq!(catalog(&database), before);
}

/// The engine numbers rows in a column of that name, which one of the user's hides.
#[test]
fn a_column_called_rowid_is_a_column_like_any_other() {
    for (id, other) in [("rowid", "k"), ("RowId", "__duckstream_row"), ("k", "rowid")] {
        let database = Database::memory().unwrap();
        execute(&database, &format!("CREATE TABLE t ({id} INTEGER PRIMARY KEY, {other} VARCHAR NOT NULL)"));
        execute(&database, "INSERT INTO t VALUES (1, 'old')");
        let ids: ArrayRef = Arc::new(Int32Array::from(vec![3, 1, 2, 3, 1, 2]));
        // Descending, so that their order is not that of the rows.
        let values: ArrayRef =
            Arc::new(StringArray::from(vec![Some("9"), Some("8"), Some("7"), Some("6"), None, Some("4")]));
        let input = || stream(vec![(id, ids.clone()), (other, values.clone())]);
        let expected = [(Dedup::Last, "(1, 8);(2, 4);(3, 6)"), (Dedup::First, "(1, 8);(2, 7);(3, 9)")];
        for (dedup, kept) in expected {
            let options = LoadOptions { conflicts: OnError::Reject, ..merge(&[id], dedup) };
            let mut source = Telling(Some(Box::new(input())), Vec::new());
            let loaded = database.load(&mut source, &"t".parse().unwrap(), &options, &mut |_, _| Ok(())).unwrap();
            assert_eq!((loaded.refused, loaded.duplicates), (1, 2));
            assert!(source.1.len() == 1 && source.1[0].starts_with("4: "), "{:?}", source.1);
            assert_eq!(rows(&database, "FROM t ORDER BY 1"), kept, "{id}");
        }
        let options = LoadOptions { conflicts: OnError::Skip, ..mode(LoadMode::Append) };
        assert_eq!(load(&database, input(), "t", &options).unwrap().refused, 6);
        let _ = load(&database, input(), "made", &merge(&[id], Dedup::Last)).unwrap();
        assert_eq!(rows(&database, "FROM made ORDER BY 1"), "(1, NULL);(2, 4);(3, 6)");
    }
}

#[test]
fn refused_rows_have_their_place_in_the_stream() {
    let database = Database::memory_with(&DatabaseOptions { threads: Some(4), ..DatabaseOptions::default() }).unwrap();
    execute(&database, "CREATE TABLE t (n BIGINT CHECK (n % 50_000 <> 7), s VARCHAR)");
    let options = LoadOptions { conflicts: OnError::Reject, row_group: 10_000, ..mode(LoadMode::Append) };
    let mut source = Telling(Some(Box::new(numbers(300_000, 7_777))), Vec::new());
    let loaded = database.load(&mut source, &"t".parse().unwrap(), &options, &mut |_, _| Ok(())).unwrap();
    assert_eq!((loaded.refused, loaded.inserted), (6, 299_994));
    let places: Vec<u64> = source.1.iter().map(|line| line.split(':').next().unwrap().parse().unwrap()).collect();
    assert_eq!(places, [7, 50_007, 100_007, 150_007, 200_007, 250_007]);
}

#[test]
fn arrays_of_every_type_survive_being_cut() {
    let database = Database::memory().unwrap();
    let every = "i % 3 = 0 AS b, i::TINYINT AS i8, (i * 1.5)::FLOAT AS f4, i / 7 AS f8, (i / 8)::DECIMAL(18,3) AS d18, \
        (i * 1000)::DECIMAL(38,10) AS d38, DATE '1999-12-31' + i::INTEGER AS day, \
        TIMESTAMP '2001-02-03 04:05:06.789' + to_seconds(i) AS ts, (i % 60 || ' seconds')::INTERVAL AS iv, \
        'text ' || i AS short, repeat('long ', 1 + (i % 5)::INTEGER) || i AS long, ('\\x0' || (i % 10))::BLOB AS bytes, \
        [i, NULL, i + 1] AS list, {'x': i, 'y': ['a' || i]} AS struct, MAP {'k' || i: i} AS map, \
        [i, i]::INTEGER[2] AS pair, ('e' || (i % 2))::ENUM('e0', 'e1') AS enum";
    execute(&database, &format!("CREATE TABLE a AS SELECT i, {every} FROM (SELECT range % 100 AS i FROM range(6000))"));
    for (index, column) in database.columns(&"a".parse().unwrap()).unwrap().unwrap().iter().enumerate().skip(1) {
        execute(&database, &format!("UPDATE a SET {} = NULL WHERE (i + {index}) % 7 = 3", column.name));
    }
    execute(&database, "CREATE OR REPLACE TABLE a AS FROM a ORDER BY rowid");
    let connection = database.connect().unwrap();
    let mut statement = connection.prepare("FROM a").unwrap();
    let batches: Vec<_> = statement.query_arrow([]).unwrap().collect();
    let schema = batches[0].schema();
    assert!(schema.fields().len() > 15, "{schema:?}");
    let whole = arrow::compute::concat_batches(&schema, &batches).unwrap();
    for (size, row_group) in [(6000, 6000), (1, 4096), (3, 100), (777, 2048), (2048, 1000), (6000, 7), (5000, 2048)] {
        let part = |start: usize| Ok(whole.slice(start, size.min(whole.num_rows() - start)));
        let parts: Vec<_> = (0..whole.num_rows()).step_by(size).map(part).collect();
        let reader = arrow::array::RecordBatchIterator::new(parts, Arc::clone(&schema));
        let options = LoadOptions { row_group, ..mode(LoadMode::Replace) };
        assert_eq!(load(&database, reader, "b", &options).unwrap().rows, 6000);
        let differ = "SELECT count(*) FROM (SELECT rowid, * FROM a EXCEPT ALL SELECT rowid, * FROM b)";
        assert_eq!(rows(&database, differ), "(0)", "batches of {size}, row groups of {row_group}");
    }
}

#[test]
fn texts_that_are_few_arrive_as_they_are() {
    // With 999 rows a batch no column is taken for one of few texts, with 2,000 several are: the tables must be equal.
    let mut text = String::from("id,kind,number,gap,late\n");
    for row in 0..9000 {
        let (kind, number) = (["N", "A", "\"R, quoted\"", "ä"][row % 4], ["001", "02", "3"][row % 3]);
        let (gap, late) = (["x", "", "\"\""][row % 3], if row < 4000 { 7 } else { row });
        text.push_str(&format!("{row},{kind},{number},{gap},t{late}\n"));
    }
    let run = |database: &Database, table: &str, batch_size: usize, load: LoadOptions| {
        let source = Source::reader("few", std::io::Cursor::new(text.clone()));
        let reader = ReaderOptions { batch_size, ..ReaderOptions::default() };
        let job =
            CsvLoad::new(vec![source], table.parse().unwrap()).with_reader_options(reader).with_load_options(load);
        job.run(database).unwrap_or_else(|error| panic!("{table}: {error}"))
    };
    let made = "CREATE TABLE {t} (id BIGINT PRIMARY KEY, kind VARCHAR, number VARCHAR, gap VARCHAR, late VARCHAR)";
    let typed = "CREATE TABLE {t} (id BIGINT, kind ENUM ('N', 'A', 'R, quoted', 'ä'), number VARCHAR, gap VARCHAR, late VARCHAR)";
    for (name, create, options) in [
        ("new", None, mode(LoadMode::Create)),
        ("more", Some(made), mode(LoadMode::Append)),
        ("merged", Some(made), merge(&["id"], Dedup::Error)),
        ("typed", Some(typed), mode(LoadMode::Append)),
    ] {
        let database = Database::memory().unwrap();
        for (table, batch_size) in [("plain", 999), ("coded", 2000)] {
            if let Some(create) = create {
                execute(&database, &create.replace("{t}", table));
            }
            let report = run(&database, table, batch_size, options.clone());
            assert_eq!(report.rows, 9000, "{name}");
        }
        assert_eq!(rows(&database, "FROM plain EXCEPT ALL FROM coded"), "", "{name}");
        assert_eq!(rows(&database, "SELECT count(*), count(DISTINCT late) FROM coded"), "(9000, 5001)", "{name}");
        assert_eq!(
            rows(&database, "SELECT count(gap), count(*) FILTER (gap = '') FROM coded"),
            "(6000, 3000)",
            "{name}"
        );
    }
}
