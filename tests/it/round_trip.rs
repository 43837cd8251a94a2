//! Whole circles through DuckDB: a table that is exported and loaded again is the same table, and a text that is loaded and
//! exported is its own canonical form. At every setting.

use std::sync::Arc;

use arrow::array::*;
use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use duckstream::{
    Auto, ColumnOrder, CsvExport, CsvLoad, Database, Header, LoadMode, LoadOptions, OnError, OneStream, Query,
    ReaderOptions, Source, WriterOptions,
};
use proptest::prelude::*;

use crate::reference;

/// One row: a seed for every number, and a text.
type Row = (Option<u64>, Option<i64>, Option<u64>, Option<String>);

fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just(","),
        Just("\""),
        Just("\n"),
        Just("\r"),
        Just("\r\n"),
        Just("é"),
        Just(" "),
        Just("NULL"),
        Just("1"),
        Just("x"),
        Just("\t"),
        Just("'"),
        Just("#"),
        Just("\u{feff}"),
        Just("007"),
    ];
    proptest::collection::vec(piece, 0..5).prop_map(|pieces| pieces.concat())
}

fn table(rows: &[Row]) -> RecordBatch {
    let bits = |row: &Row| row.0;
    let whole = |row: &Row| row.1;
    // Microseconds of the years 1 to 9999.
    let micros = |row: &Row| row.1.map(|value| value.rem_euclid(315_537_897_600_000_000) - 62_135_596_800_000_000);
    let finite = |value: f64| value.is_finite() || value.is_infinite();
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("b", Arc::new(BooleanArray::from_iter(rows.iter().map(|row| bits(row).map(|bits| bits % 2 == 0))))),
        ("i8", Arc::new(Int8Array::from_iter(rows.iter().map(|row| whole(row).map(|value| value as i8))))),
        ("i16", Arc::new(Int16Array::from_iter(rows.iter().map(|row| whole(row).map(|value| value as i16))))),
        ("i32", Arc::new(Int32Array::from_iter(rows.iter().map(|row| whole(row).map(|value| value as i32))))),
        ("i64", Arc::new(Int64Array::from_iter(rows.iter().map(whole)))),
        ("u8", Arc::new(UInt8Array::from_iter(rows.iter().map(|row| bits(row).map(|value| value as u8))))),
        ("u16", Arc::new(UInt16Array::from_iter(rows.iter().map(|row| bits(row).map(|value| value as u16))))),
        ("u32", Arc::new(UInt32Array::from_iter(rows.iter().map(|row| bits(row).map(|value| value as u32))))),
        ("u64", Arc::new(UInt64Array::from_iter(rows.iter().map(bits)))),
        (
            "f32",
            Arc::new(Float32Array::from_iter(
                rows.iter()
                    .map(|row| row.2.map(|bits| f32::from_bits(bits as u32)).filter(|value| finite(f64::from(*value)))),
            )),
        ),
        (
            "f64",
            Arc::new(Float64Array::from_iter(
                rows.iter().map(|row| row.2.map(f64::from_bits).filter(|value| finite(*value))),
            )),
        ),
        (
            "dec",
            Arc::new(
                Decimal128Array::from_iter(
                    rows.iter().map(|row| whole(row).map(|value| i128::from(value) % 10i128.pow(20))),
                )
                .with_precision_and_scale(20, 3)
                .unwrap(),
            ),
        ),
        (
            "day",
            Arc::new(Date32Array::from_iter(
                rows.iter().map(|row| micros(row).map(|at| at.div_euclid(86_400_000_000) as i32)),
            )),
        ),
        ("ts", Arc::new(TimestampMicrosecondArray::from_iter(rows.iter().map(micros)))),
        ("tz", Arc::new(TimestampMicrosecondArray::from_iter(rows.iter().map(micros)).with_timezone("UTC"))),
        (
            "time",
            Arc::new(Time64MicrosecondArray::from_iter(
                rows.iter().map(|row| micros(row).map(|at| at.rem_euclid(86_400_000_000))),
            )),
        ),
        ("order", Arc::new(StringArray::from_iter(rows.iter().map(|row| row.3.clone())))),
        ("a\"b;--", Arc::new(StringArray::from_iter(rows.iter().map(|row| row.3.as_ref().map(|text| text.repeat(2)))))),
    ];
    let field = |(name, array): &(&str, ArrayRef)| Field::new(*name, array.data_type().clone(), true);
    let schema = Schema::new(columns.iter().map(field).collect::<Vec<_>>());
    assert_eq!(schema.field_with_name("ts").unwrap().data_type(), &DataType::Timestamp(TimeUnit::Microsecond, None));
    RecordBatch::try_new(Arc::new(schema), columns.into_iter().map(|(_, array)| array).collect()).unwrap()
}

fn count(database: &Database, sql: &str) -> u64 {
    database.connect().unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn a_table_that_is_exported_and_loaded_is_the_same_table(
        rows in proptest::collection::vec(
            (any::<Option<u64>>(), any::<Option<i64>>(), any::<Option<u64>>(), proptest::option::of(text())), 0..12),
        batch_size in prop_oneof![Just(1usize), Just(3), Just(1000), Just(65_536)],
        threads in prop_oneof![Just(1usize), Just(2), Just(4)],
        block_size in prop_oneof![Just(1usize), Just(7), Just(64), Just(1 << 20)],
    ) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("t.csv");
        let database = Database::memory().unwrap();
        let batch = table(&rows);
        let schema = batch.schema();
        let mut source = OneStream::new(RecordBatchIterator::new([Ok(batch)], schema));
        let _ = database.load(&mut source, &"t".parse().unwrap(), &LoadOptions::default(), &mut |_, _| Ok(())).unwrap();
        let options = WriterOptions { threads, ..WriterOptions::default() };
        let report = CsvExport::new(Query::Table("t".parse().unwrap()), &file).with_options(options).run(&database).unwrap();
        prop_assert_eq!(report.rows, rows.len() as u64);
        database.connect().unwrap().execute_batch("CREATE TABLE back AS FROM t LIMIT 0").unwrap();
        let reader = ReaderOptions { batch_size, threads, block_size, ..ReaderOptions::default() };
        let load = LoadOptions { mode: LoadMode::Append, ..LoadOptions::default() };
        let report = CsvLoad::new(vec![Source::Path(file)], "back".parse().unwrap())
            .with_reader_options(reader)
            .with_load_options(load)
            .run(&database)
            .unwrap();
        prop_assert_eq!((report.rows, report.rejected), (rows.len() as u64, 0));
        prop_assert_eq!(count(&database, "SELECT count(*) FROM (FROM t EXCEPT ALL FROM back)"), 0);
        prop_assert_eq!(count(&database, "SELECT count(*) FROM (FROM back EXCEPT ALL FROM t)"), 0);
    }

    #[test]
    fn a_hostile_text_that_is_loaded_and_exported_is_its_canonical_form(
        rows in proptest::collection::vec(proptest::collection::vec(text(), 1..4), 0..12),
        threads in prop_oneof![Just(1usize), Just(2), Just(4)],
        batch_size in prop_oneof![Just(1usize), Just(3), Just(1000), Just(65_536)],
    ) {
        let folder = tempfile::tempdir().unwrap();
        let (input, output) = (folder.path().join("in.csv"), folder.path().join("out.csv"));
        let raw: String = rows.iter().map(|row| row.join(",") + "\n").collect();
        std::fs::write(&input, &raw).unwrap();
        let names = Some(["x", "y"].map(str::to_owned).to_vec());
        let encoding = Auto::Value("utf-8".to_owned());
        let reader = ReaderOptions {
            all_text: true, header: Header::Absent, names, threads, batch_size, encoding, on_error: OnError::Skip,
            ..ReaderOptions::default()
        };
        let database = Database::memory().unwrap();
        let load = CsvLoad::new(vec![Source::Path(input)], "t".parse().unwrap()).with_reader_options(reader);
        // A text whose rows all have another width than two is refused as a whole, and says so.
        let Ok(report) = load.run(&database) else { return Ok(()) };
        let options = WriterOptions { column_order: ColumnOrder::Table, header: false, ..WriterOptions::default() };
        CsvExport::new(Query::Table("t".parse().unwrap()), &output).with_options(options).run(&database).unwrap();
        let written = std::fs::read(&output).unwrap();
        let text = raw.strip_prefix('\u{feff}').unwrap_or(&raw);
        let rows = reference::rows(text.as_bytes(), b',');
        prop_assume!(!rows.iter().any(|row| row.unclosed));
        let kept: Vec<_> = rows.into_iter().filter(|row| row.cells.len() == 2 && !row.stray).map(|row| row.cells).collect();
        prop_assert_eq!(report.rows, kept.len() as u64);
        // A first value that begins like a byte order mark has one before it.
        let written = written.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&written);
        let back: Vec<_> = reference::rows(written, b',').into_iter().map(|row| row.cells).collect();
        let value = |cells: &Vec<reference::Cell>| -> Vec<Option<Vec<u8>>> {
            cells.iter().map(|(text, quoted)| (*quoted || !text.is_empty()).then(|| text.clone())).collect()
        };
        prop_assert_eq!(back.iter().map(value).collect::<Vec<_>>(), kept.iter().map(value).collect::<Vec<_>>());
    }
}
