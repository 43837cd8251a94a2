//! Rejected rows, read back from every format with their bytes intact.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use duckstream::{
    CsvInput, CsvReaderBuilder, Fault, FaultCode, Location, OnError, RawEncoding, ReaderOptions, RejectFile,
    RejectRecord, RejectSink, RejectTally, Result, Source,
};

fn fault(line: u64, raw: &[u8], value: Option<&str>) -> Fault {
    Fault {
        at: Location::new("a, \"b\".csv").with_member("m\n.csv").with_line(line).with_record(line).with_byte(line * 10),
        line_end: line + 1,
        code: FaultCode::BadValue,
        message: "it's \"no\" number,\nreally".to_owned(),
        value: value.map(str::to_owned),
        hint: None,
        raw: raw.to_vec(),
    }
}

/// Rows that formats like to damage.
fn hostile() -> Vec<Fault> {
    let long: Vec<u8> = (0..20_000).map(|index| b"abc,\"\n\r\t"[index % 8]).collect();
    let broken: Vec<u8> = (0..20_000).map(|index| (index % 256) as u8).collect();
    vec![
        fault(1, b"1,2,3", None),
        fault(2, b"", Some("")),
        fault(3, b"nul \0 inside", Some("\0")),
        fault(4, b"\xff\xfe half \xc3", Some("x")),
        fault(5, &long, Some("'; DROP TABLE t; --")),
        fault(6, &broken, None),
        fault(7, "ünï, \"\u{feff}\u{2028}\"\r\n".as_bytes(), Some("ü")),
    ]
}

fn records(faults: &[Fault]) -> Vec<RejectRecord> {
    faults.iter().map(|fault| RejectRecord::new("run 1", fault)).collect()
}

fn write(path: &Path, faults: &[Fault]) {
    let mut file = RejectFile::create(path, "run 1").unwrap();
    for fault in faults {
        file.reject(fault).unwrap();
    }
    assert!(!path.exists());
    assert_eq!(file.finish().unwrap().as_deref(), Some(path));
    assert_eq!(file.tally().count, faults.len() as u64);
    assert!(file.reject(&faults[0]).is_err(), "it is finished");
}

/// Each row as one JSON object, so that all formats compare alike.
fn json(record: &RejectRecord) -> serde_json::Value {
    serde_json::to_value(record).unwrap()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_record_keeps_place_and_bytes() {
    let record = RejectRecord::new("r", &hostile()[3]);
    assert_eq!(
        (record.line_start, record.line_end, record.byte_start, record.byte_len),
        (Some(4), Some(5), Some(40), 9)
    );
    assert_eq!((record.raw_encoding, record.raw.as_str()), (RawEncoding::Base64, "//4gaGFsZiDD"));
    for fault in hostile() {
        assert_eq!(RejectRecord::new("r", &fault).raw_bytes().unwrap(), fault.raw);
    }
    let damaged = RejectRecord { raw: "?".to_owned(), ..record };
    assert!(damaged.raw_bytes().unwrap_err().to_string().contains("not base64"));
}

#[test]
fn jsonl_reads_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/er/bad.JSONL");
    write(&path, &hostile());
    let text = fs::read_to_string(&path).unwrap();
    let back: Vec<RejectRecord> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(back, records(&hostile()));
    assert_eq!(names(path.parent().unwrap()), ["bad.JSONL"]);
}

/// Rows of batches as the JSON of records.
fn from_batches(batches: Vec<arrow::array::RecordBatch>) -> Vec<serde_json::Value> {
    use arrow::array::{Array, AsArray};
    use arrow::datatypes::{DataType, Int64Type};
    use serde_json::Value;
    let mut rows = Vec::new();
    for batch in batches {
        for row in 0..batch.num_rows() {
            let value = |column: &dyn Array| match column.data_type() {
                _ if column.is_null(row) => Value::Null,
                DataType::Int64 => column.as_primitive::<Int64Type>().value(row).into(),
                DataType::Utf8 => column.as_string::<i32>().value(row).into(),
                other => panic!("{other}"),
            };
            let fields = batch.schema().fields().clone();
            let pairs = fields.iter().zip(batch.columns()).map(|(field, column)| (field.name().clone(), value(column)));
            rows.push(Value::Object(pairs.collect()));
        }
    }
    rows
}

#[test]
fn csv_reads_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bad.csv");
    write(&path, &hostile());
    let types = ["record", "line_start", "line_end", "byte_start", "byte_len"]
        .map(|name| (name.to_owned(), "int64".to_owned()));
    let mut options = ReaderOptions { types: types.into(), ..ReaderOptions::default() };
    options.types.insert("*".to_owned(), "text".to_owned());
    let reader = CsvReaderBuilder::new().with_options(options).open(&path).unwrap();
    let back = from_batches(reader.collect::<Result<_, _>>().unwrap());
    assert_eq!(back, records(&hostile()).iter().map(json).collect::<Vec<_>>());
}

#[cfg(feature = "parquet")]
#[test]
fn parquet_reads_back() {
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bad.parquet");
    // More rows than are gathered at once.
    let faults: Vec<Fault> =
        hostile().into_iter().chain((8..9_000).map(|line| fault(line, format!("{line},x").as_bytes(), None))).collect();
    write(&path, &faults);
    let reader = ParquetRecordBatchReaderBuilder::try_new(fs::File::open(&path).unwrap()).unwrap().build().unwrap();
    let back = from_batches(reader.collect::<Result<_, _>>().unwrap());
    assert_eq!(back.len(), faults.len());
    for (back, record) in back.iter().zip(records(&faults)) {
        assert_eq!(*back, json(&record));
    }
}

#[test]
fn nothing_is_left_of_what_was_not_finished() {
    for name in ["bad.jsonl", "bad.csv", "bad.parquet"] {
        if name.ends_with("parquet") && !cfg!(feature = "parquet") {
            continue;
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        fs::write(&path, "stale").unwrap();
        let mut file = RejectFile::create(&path, "r").unwrap();
        assert_eq!(names(folder.path()).len(), 2);
        file.reject(&hostile()[0]).unwrap();
        drop(file);
        assert_eq!(names(folder.path()), [name]);
        // Without a reject, a stale file is left alone.
        assert_eq!(RejectFile::create(&path, "r").unwrap().finish().unwrap(), None);
        assert_eq!(fs::read_to_string(&path).unwrap(), "stale");
        // What came before a restart is forgotten.
        let mut file = RejectFile::create(&path, "r").unwrap();
        file.reject(&hostile()[5]).unwrap();
        file.restart().unwrap();
        assert_eq!(file.tally(), &RejectTally::default());
        file.reject(&hostile()[0]).unwrap();
        file.finish().unwrap();
        assert_eq!(names(folder.path()), [name]);
        let bytes = fs::read(&path).unwrap();
        let found = |text: &[u8]| bytes.windows(text.len()).any(|window| window == text);
        assert!(found(b"1,2,3") || name.ends_with("parquet"));
        assert!(!found(b"base64") || name.ends_with("parquet"));
    }
}

#[test]
fn targets_are_told_apart() {
    for (name, file) in [("a.jsonl", true), ("b/c.CSV", true), ("x.parquet", true), ("rejects", false), ("s.t", false)]
    {
        assert_eq!(RejectFile::is_file(name), file, "{name}");
    }
    let error = RejectFile::create("rejects.txt", "r").err().unwrap();
    assert!(error.to_string().contains("must end in .jsonl, .csv or .parquet"), "{error}");
}

#[test]
fn a_tally_counts_by_code_and_remembers_five() {
    let mut tally = RejectTally::default();
    for line in 1..=7 {
        tally.reject(&fault(line, b"x", None)).unwrap();
    }
    tally.reject(&Fault { code: FaultCode::ShortRow, ..fault(9, b"", None) }).unwrap();
    assert_eq!((tally.count, tally.codes["bad_value"].count, tally.codes["short_row"].count), (8, 7, 1));
    assert_eq!(tally.codes["bad_value"].first.len(), 5);
    assert!(tally.codes["short_row"].first[0].contains("line 9, record 9"), "{tally:?}");
    tally.restart().unwrap();
    assert_eq!(tally, RejectTally::default());
}

/// Reads a text with `on_error = reject`; one row per batch, so that a late type change starts over.
fn input(text: &'static str, rejects: Arc<Mutex<dyn RejectSink>>) -> CsvInput {
    let options = ReaderOptions { on_error: OnError::Reject, batch_size: 1, threads: 1, ..ReaderOptions::default() };
    CsvInput::new(vec![Source::reader("t.csv", text.as_bytes())], options).unwrap().with_rejects(rejects)
}

const LATE: &str = "a,b\n1,2\n3\n4,5\n6,7,8\n9,x\n";

#[test]
fn a_reader_that_starts_over_rejects_each_row_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bad.jsonl");
    let file = Arc::new(Mutex::new(RejectFile::create(&path, "r").unwrap()));
    let mut text = input(LATE, file.clone());
    loop {
        text.open().unwrap().for_each(|batch| drop(batch.unwrap()));
        if !text.restart() {
            break;
        }
    }
    assert_eq!(text.promotions().len(), 1);
    file.lock().unwrap().finish().unwrap();
    let text = fs::read_to_string(&path).unwrap();
    let back: Vec<RejectRecord> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let short: Vec<_> = back.iter().map(|r| (r.code, r.line_start.unwrap(), r.raw.as_str())).collect();
    assert_eq!(short, [(FaultCode::ShortRow, 3, "3"), (FaultCode::LongRow, 5, "6,7,8")]);
}

#[cfg(feature = "duckdb")]
mod table {
    use duckstream::{BatchSource, Database, Error, ErrorKind, LoadMode, LoadOptions, RejectTable, TableName};

    use super::*;
    use crate::engine_support::{catalog, execute, rows};

    /// A CSV text as a source of a load.
    struct Text(CsvInput);

    impl BatchSource for Text {
        fn open(&mut self) -> Result<Box<dyn arrow::array::RecordBatchReader + Send>> {
            Ok(Box::new(self.0.open()?))
        }

        fn restart(&mut self) -> Result<bool> {
            Ok(self.0.restart())
        }
    }

    fn name(text: &str) -> TableName {
        text.parse().unwrap()
    }

    fn load(database: &Database, rejects: &str, run: &str, fail: bool) -> Result<u64> {
        let sink = Arc::new(Mutex::new(RejectTable::new(run)));
        let options = LoadOptions { mode: LoadMode::Append, ..LoadOptions::default() };
        let mut written = 0;
        let _ = database.load(&mut Text(input(LATE, sink.clone())), &name("t"), &options, &mut |connection, _| {
            written = sink.lock().unwrap().write_to(connection, &name(rejects))?;
            if fail { Err(Error::usage("no")) } else { Ok(()) }
        })?;
        Ok(written)
    }

    #[test]
    fn rejects_are_committed_with_the_load_or_not_at_all() {
        for table in ["rejects", "\"bad; DROP TABLE t; --\"", "main.\"it's \"\"bad\"\"\"", "memory.main.r"] {
            let database = Database::memory().unwrap();
            let before = catalog(&database);
            assert_eq!(load(&database, table, "r1", true).unwrap_err().to_string(), "no");
            assert_eq!(catalog(&database), before);
            assert_eq!(load(&database, table, "r1", false).unwrap(), 2);
            assert_eq!(load(&database, table, "r2", false).unwrap(), 2);
            let query =
                format!("SELECT run_id, source, record, line_start, code, raw FROM {} ORDER BY ALL", name(table));
            assert_eq!(
                rows(&database, &query),
                "(r1, t.csv, 3, 3, short_row, 3);(r1, t.csv, 5, 5, long_row, 6,7,8);\
                 (r2, t.csv, 3, 3, short_row, 3);(r2, t.csv, 5, 5, long_row, 6,7,8)"
            );
            assert_eq!(rows(&database, "SELECT count(*) FROM t"), "(6)");
        }
    }

    #[test]
    fn a_table_reads_back_and_takes_more() {
        let database = Database::memory().unwrap();
        let connection = database.connect().unwrap();
        let mut sink = RejectTable::new("run 1");
        assert_eq!(sink.write_to(&connection, &name("none")).unwrap(), 0);
        assert!(database.columns(&name("none")).unwrap().is_none(), "no reject, no table");
        sink.reject(&hostile()[5]).unwrap();
        sink.restart().unwrap();
        for fault in hostile() {
            sink.reject(&fault).unwrap();
        }
        // A column more does not hurt.
        execute(&database, "CREATE TABLE r (extra INTEGER DEFAULT 5)");
        assert!(sink.write_to(&connection, &name("r")).is_err());
        execute(&database, "DROP TABLE r");
        assert_eq!(sink.write_to(&connection, &name("r")).unwrap(), hostile().len() as u64);
        let mut statement = connection.prepare("FROM r").unwrap();
        let back = from_batches(statement.query_arrow([]).unwrap().collect());
        assert_eq!(back, records(&hostile()).iter().map(json).collect::<Vec<_>>());
    }

    #[test]
    fn a_table_of_something_else_is_refused() {
        let database = Database::memory().unwrap();
        execute(&database, "CREATE TABLE r (run_id VARCHAR, source VARCHAR)");
        let error = load(&database, "r", "r1", false).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Target { .. }), "{error}");
        assert!(error.to_string().contains("it has no member, record"), "{error}");
        assert!(database.columns(&name("t")).unwrap().is_none(), "the load is rolled back");
    }
}
