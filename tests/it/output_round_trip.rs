//! Batches to text and back: what our writer writes, our reader reads as it was, in every dialect that both have.

use std::io::Write;
use std::sync::{Arc, Mutex};

use arrow::array::*;
use arrow::compute::concat_batches;
use arrow::datatypes::*;
use duckstream::{
    Auto, ColumnOrder, CsvReaderBuilder, CsvWriterBuilder, Delimiter, Newline, PerColumn, QuoteChar, Quoting,
    ReaderOptions, WriterOptions,
};
use proptest::prelude::*;

#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn written(batch: &RecordBatch, options: &WriterOptions) -> Vec<u8> {
    let shared = Shared::default();
    let mut writer = CsvWriterBuilder::new().with_options(options.clone()).build(shared.clone()).unwrap();
    writer.write(batch).unwrap();
    assert_eq!(writer.finish().unwrap().rows, batch.num_rows() as u64);

    shared.0.lock().unwrap().clone()
}

fn read(bytes: Vec<u8>, options: ReaderOptions) -> RecordBatch {
    let reader = CsvReaderBuilder::new().with_options(options).build(std::io::Cursor::new(bytes)).unwrap();
    let schema = arrow::array::RecordBatchReader::schema(&reader);
    let batches: Vec<_> = reader.collect::<Result<_, _>>().unwrap();
    concat_batches(&schema, &batches).unwrap()
}

/// The dialect as the reader calls it.
fn reader_options(options: &WriterOptions) -> ReaderOptions {
    ReaderOptions {
        delimiter: Auto::Value(options.delimiter.clone()),
        quote: Auto::Value(options.quote),
        escape: options.escape,
        null_values: PerColumn::all([options.null_value.clone()]),
        all_text: true,
        ..ReaderOptions::default()
    }
}

fn dialects() -> impl Strategy<Value = WriterOptions> {
    let quoting = prop_oneof![Just(Quoting::Minimal), Just(Quoting::All), Just(Quoting::NonNumeric)];
    let newline = prop_oneof![Just(Newline::Lf), Just(Newline::CrLf), Just(Newline::Cr)];
    let delimiter = prop_oneof![Just(","), Just(";"), Just("\t"), Just("|"), Just("::")];
    let quote = prop_oneof![Just(b'"'), Just(b'\'')];
    let escape = prop_oneof![Just(None), Just(Some(b'\\'))];
    let null = prop_oneof![Just(""), Just("NULL"), Just("NA")];
    (quoting, newline, delimiter, quote, escape, null).prop_map(|(quoting, newline, delimiter, quote, escape, null)| {
        WriterOptions {
            quoting,
            newline,
            delimiter: delimiter.parse::<Delimiter>().unwrap(),
            quote: QuoteChar(Some(quote)),
            escape: QuoteChar(escape),
            null_value: null.to_owned(),
            column_order: ColumnOrder::Table,
            ..WriterOptions::default()
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn texts_survive_every_dialect(
        rows in proptest::collection::vec(
            (proptest::option::of("[ab,;:|'\"\n\r\t\\\\ NULA\u{feff}é]{0,5}"), proptest::option::of("[a\"' ]{0,3}")),
            1..200,
        ),
        options in dialects(),
    ) {
        let column = |values: Vec<Option<&str>>| Arc::new(StringArray::from(values)) as ArrayRef;
        let batch = RecordBatch::try_from_iter_with_nullable([
            ("first", column(rows.iter().map(|row| row.0.as_deref()).collect()), true),
            ("second", column(rows.iter().map(|row| row.1.as_deref()).collect()), true),
        ]).unwrap();
        let back = read(written(&batch, &options), reader_options(&options));
        prop_assert_eq!(back.num_rows(), batch.num_rows());
        for column in 0..2 {
            let expected: Vec<Option<&str>> = batch.column(column).as_string::<i32>().iter().collect();
            let got = arrow::compute::cast(back.column(column), &DataType::Utf8).unwrap();
            let got: Vec<Option<&str>> = got.as_string::<i32>().iter().collect();
            prop_assert_eq!(got, expected);
        }
    }

    #[test]
    fn typed_values_are_inferred_as_they_were(
        rows in proptest::collection::vec(
            (any::<i64>(), any::<f64>(), -719_162i32..2_932_896, -62_135_596_800_000_000i64..253_402_300_799_999_999, any::<bool>()),
            1..300,
        ),
    ) {
        let batch = RecordBatch::try_from_iter_with_nullable([
            ("i", Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.0))) as ArrayRef, true),
            ("f", Arc::new(Float64Array::from_iter_values(rows.iter().map(|row| row.1))), true),
            ("d", Arc::new(Date32Array::from_iter_values(rows.iter().map(|row| row.2))), true),
            ("t", Arc::new(TimestampMicrosecondArray::from_iter_values(rows.iter().map(|row| row.3))), true),
            ("z", Arc::new(TimestampMicrosecondArray::from_iter_values(rows.iter().map(|row| row.3)).with_timezone("UTC")), true),
            ("b", Arc::new(BooleanArray::from_iter(rows.iter().map(|row| Some(row.4)))), true),
        ]).unwrap();
        let options = WriterOptions { column_order: ColumnOrder::Table, ..WriterOptions::default() };
        let back = read(written(&batch, &options), ReaderOptions::default());
        for column in [0, 2, 3, 4, 5] {
            prop_assert_eq!(back.column(column).data_type(), batch.column(column).data_type());
            prop_assert_eq!(back.column(column), batch.column(column));
        }
        let (got, expected) = (back.column(1).as_primitive::<Float64Type>(), batch.column(1).as_primitive::<Float64Type>());
        for (got, expected) in got.values().iter().zip(expected.values()) {
            prop_assert!(got.to_bits() == expected.to_bits() || (got.is_nan() && expected.is_nan()), "{} {}", got, expected);
        }
    }
}

#[test]
fn nulls_of_a_single_column_are_blank_lines() {
    let array: ArrayRef = Arc::new(StringArray::from(vec![None, Some("a"), None, Some(""), None]));
    let batch = RecordBatch::try_from_iter_with_nullable([("x", array, true)]).unwrap();
    let options = WriterOptions::default();
    let bytes = written(&batch, &options);
    assert_eq!(bytes, b"x\n\na\n\n\"\"\n\n");
    let back = read(bytes, reader_options(&options));
    let back = arrow::compute::cast(back.column(0), &DataType::Utf8).unwrap();
    assert_eq!(&back, batch.column(0));
}
