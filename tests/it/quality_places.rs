//! Rows that the table refuses are rejects like any other: file, record, lines, bytes and text, however they were read.

use std::io::Write;
use std::path::Path;

use duckstream::{
    CsvLoad, Database, Dedup, Error, Infer, LoadMode, LoadOptions, OnError, ReaderOptions, RejectRecord, Source,
};

use crate::engine_support::{execute, rows};

const TABLE: &str = "CREATE TABLE t (id BIGINT PRIMARY KEY, v VARCHAR NOT NULL, CHECK (id < 1000));";

fn options(folder: &Path, change: impl FnOnce(&mut ReaderOptions)) -> ReaderOptions {
    let rejects = Some(folder.join("bad.jsonl").display().to_string());
    let mut options = ReaderOptions { on_error: OnError::Reject, rejects, ..ReaderOptions::default() };
    change(&mut options);
    options
}

/// Adds sources to a table that refuses some rows; the rejects.
fn refused(
    folder: &Path,
    database: &Database,
    sources: Vec<Source>,
    mode: LoadMode,
    change: impl FnOnce(&mut ReaderOptions),
) -> Result<Vec<RejectRecord>, Error> {
    let load = LoadOptions { mode, key: vec!["id".to_owned()], dedup: Dedup::Last, ..LoadOptions::default() };
    let report = CsvLoad::new(sources, "t".parse().unwrap())
        .with_reader_options(options(folder, change))
        .with_load_options(load)
        .run(database)?;
    assert_eq!(report.rows + report.rejected, report.read.rows + report.read.rejected, "no record is counted twice");
    let text = std::fs::read_to_string(folder.join("bad.jsonl")).unwrap_or_default();
    Ok(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

/// Whoever has the text can find each record in it by what the reject says.
fn holds(reject: &RejectRecord, text: &str) {
    let raw = reject.raw_bytes().unwrap();
    let start = reject.byte_start.unwrap() as usize;
    let text = text.trim_start_matches('\u{feff}');
    assert_eq!(&text.as_bytes()[start..start + raw.len()], raw, "{reject:?}");
    let lines = |text: &str| text.matches('\n').count() as u64 + 1;
    assert_eq!(reject.line_start, Some(lines(&text[..start])), "{reject:?}");
    assert_eq!(reject.line_end, Some(lines(&text[..start + raw.len()])), "{reject:?}");
}

#[test]
fn a_refused_row_is_found_again_at_every_setting() {
    let text = "\u{feff}# made by hand\nid,v\n1,a\n\n2,\"b\nc\"\n# here\n3,\n4,d,surplus\n2,e\n5\n5000,\"f\n\ng\"\nx,h\n7,i\n1,j\n";
    // Records: the header is 1; the long, the short and the x row are the reader's.
    let expected = [
        (4, Some("v"), "constraint", "3,"),
        (5, None, "long_row", "4,d,surplus"),
        (6, Some("id"), "constraint", "2,e"),
        (7, None, "short_row", "5"),
        (8, Some("id"), "constraint", "5000,\"f\n\ng\""),
        (9, Some("id"), "bad_value", "x,h"),
        (11, Some("id"), "constraint", "1,j"),
    ];
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("in.csv");
    std::fs::write(&path, text).unwrap();
    for batch_size in [1, 2, 3, 100] {
        for (threads, block_size) in [(1, 1), (2, 7), (4, 1 << 20)] {
            for stream in [false, true] {
                let database = Database::memory().unwrap();
                execute(&database, TABLE);
                let source = match stream {
                    true => Source::reader("in.csv", std::io::Cursor::new(text)),
                    false => Source::Path(path.clone()),
                };
                let change = |options: &mut ReaderOptions| {
                    options.comment = Some("#".to_owned());
                    (options.batch_size, options.block_size, options.threads) = (batch_size, block_size, threads);
                };
                let mut rejects = refused(folder.path(), &database, vec![source], LoadMode::Append, change).unwrap();
                rejects.sort_by_key(|reject| reject.record);
                let short = |reject: &RejectRecord| {
                    (reject.record.unwrap(), reject.column.clone(), reject.code.name(), reject.raw.clone())
                };
                let found: Vec<_> = rejects.iter().map(short).collect();
                let expected = expected
                    .map(|(record, column, code, raw)| (record, column.map(str::to_owned), code, raw.to_owned()));
                assert_eq!(found, expected, "batches of {batch_size}, stream: {stream}");
                rejects.iter().for_each(|reject| holds(reject, text));
                assert_eq!(rows(&database, "SELECT id FROM t ORDER BY id"), "(1);(2);(7)");
            }
        }
    }
}

#[test]
fn a_refused_row_is_found_again_in_each_of_several_inputs() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("a.csv"), "id,v\n1,a\n2,b\n").unwrap();
    let zipped = std::fs::File::create(path("b.csv.gz")).unwrap();
    let mut gz = flate2::write::GzEncoder::new(zipped, flate2::Compression::fast());
    gz.write_all(b"v,id\nx,1\ny,3\nz,2\n").unwrap();
    gz.finish().unwrap();
    std::fs::write(path("c.csv"), "id,v\n").unwrap();
    std::fs::write(path("d.csv"), "id,v\n4,n\n,m\n5,o\n6,p\n5,sum\n").unwrap();
    let names = ["a.csv", "b.csv.gz", "c.csv", "d.csv"];
    let expected = [("b.csv.gz", 2, 5, "x,1"), ("b.csv.gz", 4, 13, "z,2"), ("d.csv", 3, 9, ",m")];
    for batch_size in [1, 2, 100] {
        let database = Database::memory().unwrap();
        execute(&database, TABLE);
        let sources = names.map(|name| Source::Path(path(name))).into();
        let change = |options: &mut ReaderOptions| {
            // The limit ends within the last input.
            (options.limit, options.batch_size) = (Some(8), batch_size);
        };
        let rejects = refused(folder.path(), &database, sources, LoadMode::Append, change).unwrap();
        let name = |reject: &RejectRecord| reject.source.rsplit('/').next().unwrap().to_owned();
        let found: Vec<_> = rejects
            .iter()
            .map(|reject| (name(reject), reject.record.unwrap(), reject.byte_start.unwrap(), reject.raw.clone()))
            .collect();
        let expected = expected.map(|(file, record, byte, raw)| (file.to_owned(), record, byte, raw.to_owned()));
        assert_eq!(found, expected, "batches of {batch_size}");
        assert_eq!(rows(&database, "SELECT id FROM t ORDER BY id"), "(1);(2);(3);(4);(5)");
    }
}

#[test]
fn a_merge_and_a_late_type_find_their_rows_too() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::memory().unwrap();
    execute(&database, "CREATE TABLE t (id VARCHAR, v DOUBLE NOT NULL); INSERT INTO t VALUES ('1', 0)");
    let text = "id,v\n1,1\n2,\n3,2.5\n1,4\n4,\n";
    let change = |options: &mut ReaderOptions| (options.batch_size, options.infer) = (1, Infer::FirstBatch);
    let source = || vec![Source::reader("t", text.as_bytes())];
    let rejects = refused(folder.path(), &database, source(), LoadMode::Merge, change).unwrap();
    let found: Vec<_> = rejects.iter().map(|reject| (reject.line_start.unwrap(), reject.raw.as_str())).collect();
    assert_eq!(found, [(3, "2,"), (6, "4,")]);
    assert_eq!(rows(&database, "FROM t ORDER BY id"), "(1, 4.0);(3, 2.5)");
}

#[test]
fn limits_count_refused_rows() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::memory().unwrap();
    execute(&database, TABLE);
    let source = || vec![Source::reader("t", &b"id,v\n1,a\n1,b\n1,c\n2\n"[..])];
    let limit = |options: &mut ReaderOptions| options.max_rejects = Some(2);
    let error = refused(folder.path(), &database, source(), LoadMode::Append, limit).unwrap_err().to_string();
    assert_eq!(error, "3 rows were rejected, more than --max-rejects 2");
    assert_eq!(rows(&database, "SELECT count(*) FROM t"), "(0)");
    assert!(!folder.path().join("bad.jsonl").exists());
    let limit = |options: &mut ReaderOptions| options.max_rejects = Some(3);
    assert_eq!(refused(folder.path(), &database, source(), LoadMode::Append, limit).unwrap().len(), 3);
}
