//! The row identity: what an independent count finds in the inputs is what the receipt accounts for, term by term.

use duckstream::{
    CsvLoad, Database, Detect, Identity, LoadMode, LoadOptions, LongRows, OnError, ReaderOptions, Receipt, ShortRows,
    Source, VerifyStatus, verify,
};

use crate::engine_support::{catalog, execute, rows};
use crate::util::fixture;

/// Texts, and what becomes of their records: header, skipped, blank, comments, rejected, loaded, footer, beyond the limit.
type Case<'a> = (&'a str, &'a [&'a str], fn(&mut ReaderOptions), [u64; 8]);

const PLAIN: fn(&mut ReaderOptions) = |_| {};

const CASES: &[Case<'_>] = &[
    ("plain", &["a,b\n1,2\n3,4\n"], PLAIN, [1, 0, 0, 0, 0, 2, 0, 0]),
    ("empty", &[""], PLAIN, [0; 8]),
    ("header alone", &["a,b"], PLAIN, [1, 0, 0, 0, 0, 0, 0, 0]),
    ("blank lines", &["\n\na,b\r\n\r\n1,2\n\n\n"], PLAIN, [1, 0, 5, 0, 0, 1, 0, 0]),
    ("blank lines are NULL", &["a\n1\n\n2\n"], PLAIN, [1, 0, 0, 0, 0, 3, 0, 0]),
    ("quoted ends", &["a,b\n1,\"x\n\ny\"\n\"\n\",2\n"], PLAIN, [1, 0, 0, 0, 0, 2, 0, 0]),
    ("comments", &["#x\na,b\n#\"\n1,2\n#y"], |o| o.comment = Some("#".into()), [1, 0, 0, 3, 0, 1, 0, 0]),
    ("skip_rows", &["x\ny,\"z\na,b\n1,2\n"], |o| o.skip_rows = 2, [1, 2, 0, 0, 0, 1, 0, 0]),
    ("header row", &["x\ny\na,b\n1,2\n"], |o| o.header = "3".parse().unwrap(), [1, 2, 0, 0, 0, 1, 0, 0]),
    ("no header", &["1,2\n3,4\n"], |o| o.header = "false".parse().unwrap(), [0, 0, 0, 0, 0, 2, 0, 0]),
    ("footer", &["a,b\n1,2\n3,4\n5,6\nsum,12\n"], |o| o.skip_footer = 1, [1, 0, 0, 0, 0, 3, 1, 0]),
    ("footer of all", &["a,b\n1,2\n3,4\n"], |o| o.skip_footer = 9, [1, 0, 0, 0, 0, 0, 2, 0]),
    ("footer and blank", &["a,b\n1,2\n\nx\n\n"], |o| o.skip_footer = 3, [1, 0, 0, 0, 0, 1, 3, 0]),
    ("limit", &["a,b\n1,2\n\n3,4\n5,6\n"], |o| (o.limit, o.batch_size) = (Some(1), 100), [1, 0, 1, 0, 0, 1, 0, 2]),
    ("limit not reached", &["a,b\n1,2\n"], |o| o.limit = Some(5), [1, 0, 0, 0, 0, 1, 0, 0]),
    ("ragged", &["a,b\n1\n1,2\n1,2,3\n\"x\"y,2\n"], PLAIN, [1, 0, 0, 0, 3, 1, 0, 0]),
    (
        "ragged taken",
        &["a,b\n1\n1,2\n1,2,3\n"],
        |o| (o.short_rows, o.long_rows) = (ShortRows::Pad, LongRows::MergeLast),
        [1, 0, 0, 0, 0, 3, 0, 0],
    ),
    ("unclosed", &["a,b\n1,2\n3,\"4\n5,6\n"], PLAIN, [1, 0, 0, 0, 1, 2, 0, 0]),
    ("late type", &["a\n1\n2\nx\n"], PLAIN, [1, 0, 0, 0, 0, 3, 0, 0]),
    ("several", &["a,b\n1,2\n3\n", "b,a\n\n3,4\n", "a,b\n"], PLAIN, [3, 0, 1, 0, 1, 2, 0, 0]),
    ("several, footer", &["a,b\n1,2\ns\n", "a,b\n3,4\ns"], |o| o.skip_footer = 1, [2, 0, 0, 0, 0, 2, 2, 0]),
    ("repaired", &["a;b\n1;2\n3;4\n5;6\n"], |o| o.detect = Detect::All, [1, 0, 0, 0, 0, 3, 0, 0]),
];

fn sum(identity: &Identity) -> [u64; 8] {
    let Identity { header, skipped, blank, comments, rejected, loaded, footer, beyond_limit, .. } = *identity;
    [header, skipped, blank, comments, rejected, loaded, footer, beyond_limit]
}

#[test]
fn every_record_is_accounted_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("receipt.json");
    for (name, texts, change, expected) in CASES {
        for (batch_size, block_size) in [(1, 1), (2, 3), (1000, 1 << 20)] {
            let mut options = ReaderOptions {
                on_error: OnError::Reject,
                batch_size,
                block_size,
                threads: 2,
                ..ReaderOptions::default()
            };
            change(&mut options);
            let sources = texts.iter().map(|text| Source::reader("t", text.as_bytes())).collect();
            let database = Database::memory().unwrap();
            let load = CsvLoad::new(sources, "t".parse().unwrap()).with_reader_options(options).with_receipt(&path);
            let report = load.run(&database).unwrap_or_else(|error| panic!("{name}: {error}"));
            let receipt: Receipt = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
            assert_eq!(sum(&receipt.total), *expected, "{name}, batches of {batch_size}");
            assert!(receipt.total.holds() && receipt.files.iter().all(|file| file.identity.holds()), "{name}");
            assert_eq!(receipt.total.records_seen, expected.iter().sum::<u64>(), "{name}");
            assert_eq!(rows(&database, "SELECT count(*) FROM t"), format!("({})", report.rows), "{name}");
            let wrong: Vec<_> = verify(&path).unwrap();
            assert!(wrong.iter().all(|finding| finding.status != VerifyStatus::Differs), "{name}: {wrong:?}");
        }
    }
}

#[test]
fn a_merge_and_members_of_an_archive_are_accounted_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("receipt.json");
    let database = Database::memory().unwrap();
    execute(&database, "CREATE TABLE t (x BIGINT NOT NULL, y VARCHAR); INSERT INTO t VALUES (1, NULL), (2, 'old')");
    let members = Source::expand(&format!("{}::*.csv", fixture("compressed/several.zip").display())).unwrap();
    let count = members.len() as u64;
    assert!(count > 1);
    let load = |sources: Vec<Source>| {
        let options = LoadOptions { mode: LoadMode::Merge, key: vec!["x".to_owned()], ..LoadOptions::default() };
        let reader = ReaderOptions { on_error: OnError::Reject, ..ReaderOptions::default() };
        let load = CsvLoad::new(sources, "t".parse().unwrap()).with_reader_options(reader).with_load_options(options);
        let _ = load.with_receipt(&path).run(&database).unwrap();
        let receipt: Receipt = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let wrong: Vec<_> = verify(&path).unwrap();
        assert!(wrong.iter().all(|finding| finding.status != VerifyStatus::Differs), "{wrong:?}");
        (sum(&receipt.total), receipt.target.unwrap())
    };
    let (total, target) = load(members);
    assert_eq!((total, target.rows_after), ([count, 0, 0, 0, 0, count, 0, 0], count.max(3)));
    let text = "x,y\n1,a\n2,old\n,b\n9,c\n9,d\n";
    let (total, target) = load(vec![Source::reader("t", text.as_bytes())]);
    assert_eq!(total, [1, 0, 0, 0, 0, 5, 0, 0]);
    assert_eq!((target.inserted, target.updated, target.unchanged, target.duplicates, target.refused), (1, 1, 1, 1, 1));
}

#[test]
fn a_receipt_is_a_row_of_the_rows_own_transaction() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("receipt.json");
    let database = Database::memory().unwrap();
    let load = |text: &'static str, table: &str, receipts: &str| {
        CsvLoad::new(vec![Source::reader("t", text.as_bytes())], table.parse().unwrap())
            .with_receipt(&path)
            .with_receipt_table(receipts.parse().unwrap())
            .run(&database)
    };
    let report = load("a\n1\n2\n", "t", "\"my receipts\"").unwrap();
    let written: Receipt = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    let (run, count) = (written.run_id.clone(), "SELECT count(*) FROM \"my receipts\"");
    assert_eq!(run, report.run_id);
    assert_eq!(
        rows(
            &database,
            "SELECT run_id, finished_at > '2000-01-01', receipt LIKE '%\"loaded\":2,%' FROM \"my receipts\""
        ),
        format!("({run}, true, true)")
    );
    // What fails leaves no receipt, and what cannot leave a receipt fails.
    let before = catalog(&database);
    assert!(load("a\n1\n2,3\n", "other", "\"my receipts\"").is_err());
    assert_eq!(rows(&database, count), "(1)");
    let error = load("a\n1\n", "other", "t").unwrap_err().to_string();
    assert!(error.contains("table t is not one of receipts: it has no run_id, finished_at, receipt"), "{error}");
    let error = load("a\n1\n", "r", "r").unwrap_err().to_string();
    assert!(error.contains("r cannot hold the rows and the receipts"), "{error}");
    assert_eq!(catalog(&database), before);
    let _ = load("a\n1\n", "s", "\"my receipts\"").unwrap();
    assert_eq!(rows(&database, count), "(2)");
}

#[test]
fn a_receipt_names_what_was_detected_and_why() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("receipt.json");
    let receipt = |texts: &[&[u8]], change: fn(&mut ReaderOptions)| -> Receipt {
        let mut options = ReaderOptions::default();
        change(&mut options);
        let sources = texts.iter().map(|text| Source::reader("t", std::io::Cursor::new(text.to_vec()))).collect();
        let load = CsvLoad::new(sources, "t".parse().unwrap()).with_reader_options(options).with_receipt(&path);
        let _ = load.run(&Database::memory().unwrap()).unwrap();
        serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap()
    };
    let semicolons: &[u8] = b"a;b\n1;x\n2;y\n3;z\n";
    let check = |receipt: &Receipt, name: &str, value: &str, by: &str| {
        let decided = &receipt.dialect[name];
        assert_eq!((decided.value.as_str(), decided.by.as_str()), (value, by), "{name}: {decided:?}");
        assert_eq!(decided.evidence.is_some(), by == "detected" && value != "varies", "{name}: {decided:?}");
    };
    let given =
        receipt(&[semicolons], |o| (o.delimiter, o.encoding) = (";".parse().unwrap(), "latin1".parse().unwrap()));
    check(&given, "delimiter", ";", "given");
    check(&given, "encoding", "latin1", "given");
    check(&given, "quote", "\"", "default");
    check(&given, "compression", "none", "detected");
    let auto = receipt(&[semicolons], |o| {
        (o.delimiter, o.quote, o.header) = ("auto".parse().unwrap(), "auto".parse().unwrap(), "auto".parse().unwrap())
    });
    check(&auto, "delimiter", ";", "detected");
    check(&auto, "header", "true", "detected");
    check(&auto, "quote", "\"", "detected");
    check(&auto, "encoding", "utf-8", "detected");
    let all = receipt(&[b"Report\n\na;b\n1;x\n2;y\n3;z\n4;w\n"], |o| o.detect = Detect::All);
    check(&all, "delimiter", ";", "detected");
    check(&all, "header", "line 3", "detected");
    check(&all, "skip_rows", "1", "detected");
    check(&all, "comment", "null", "default");
    let two = receipt(&[semicolons, b"a,b\n1,x\n2,y\n"], |o| o.delimiter = "auto".parse().unwrap());
    check(&two, "delimiter", "varies", "detected");
    assert_eq!(
        (two.files[0].detected["delimiter"].value.as_str(), two.files[1].detected["delimiter"].value.as_str()),
        (";", ",")
    );
}
