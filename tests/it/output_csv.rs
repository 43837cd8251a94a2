//! RecordBatches to CSV: text forms, quoting, atomicity, sameness.

use std::fs;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use arrow::array::*;
use arrow::buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::*;
use duckstream::{
    CancelToken, ColumnOrder, Compression, CsvWriterBuilder, Delimiter, ErrorKind, FloatFormat, IfExists, Monitor,
    Newline, QuoteChar, Quoting, WriterOptions,
};
use proptest::prelude::*;

/// A `Write` whose bytes can be looked at later; it fails once it holds `room` bytes.
#[derive(Clone, Default)]
struct Shared {
    bytes: Arc<Mutex<Vec<u8>>>,
    room: Option<usize>,
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut all = self.bytes.lock().unwrap();
        if self.room.is_some_and(|room| all.len() + bytes.len() > room) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        all.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn table_order() -> WriterOptions {
    WriterOptions { column_order: ColumnOrder::Table, threads: 2, ..WriterOptions::default() }
}

fn try_csv(batches: &[RecordBatch], options: WriterOptions) -> duckstream::Result<String> {
    let shared = Shared::default();
    let mut writer = CsvWriterBuilder::new().with_options(options).build(shared.clone())?;
    for batch in batches {
        writer.write(batch)?;
    }
    let summary = writer.finish()?;
    let bytes = shared.bytes.lock().unwrap().clone();
    assert_eq!(summary.bytes, bytes.len() as u64);
    assert_eq!(summary.rows, batches.iter().map(|batch| batch.num_rows() as u64).sum::<u64>());
    Ok(String::from_utf8(bytes).unwrap())
}

fn batch<const N: usize>(columns: [(&str, ArrayRef); N]) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, array)| (name, array, true))).unwrap()
}

/// The texts of one column, line by line; none of them may hold a line end.
fn texts(array: ArrayRef) -> Vec<String> {
    texts_with(array, WriterOptions { header: false, null_value: "NULL".into(), ..table_order() })
}

fn texts_with(array: ArrayRef, options: WriterOptions) -> Vec<String> {
    let text = try_csv(&[batch([("x", array)])], options).unwrap();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn integers() {
    assert_eq!(texts(Arc::new(Int8Array::from(vec![Some(-128), None, Some(127)]))), ["-128", "NULL", "127"]);
    assert_eq!(texts(Arc::new(UInt64Array::from(vec![0, u64::MAX]))), ["0", "18446744073709551615"]);
    let mut values: Vec<i64> = vec![i64::MIN, i64::MAX, 0, -1];
    for power in 0..19 {
        let ten = 10i64.pow(power);
        values.extend([ten, ten - 1, ten + 1, -ten, 3 * (ten / 7)]);
    }
    let expected: Vec<String> = values.iter().map(i64::to_string).collect();
    assert_eq!(texts(Arc::new(Int64Array::from(values))), expected);
}

#[test]
fn floats() {
    let values = [1.0, -0.0, 0.1, 1e16, 1e-7, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, 5e-324, 123456.789];
    let array: ArrayRef = Arc::new(Float64Array::from(values.to_vec()));
    let shown = texts(Arc::clone(&array));
    assert_eq!(shown[..3], ["1.0", "-0.0", "0.1"]);
    assert_eq!(shown[5..8], ["nan", "inf", "-inf"]);
    for (text, value) in shown.iter().zip(values) {
        assert_eq!(text.parse::<f64>().unwrap().to_bits() << 1, value.to_bits() << 1, "{text}");
    }
    assert_eq!(
        texts(Arc::new(Float32Array::from(vec![0.1, 16777216.0, f32::MIN_POSITIVE]))),
        ["0.1", "16777216.0", "1.1754944e-38"]
    );
    let format =
        |float_format| texts_with(Arc::clone(&array), WriterOptions { header: false, float_format, ..table_order() });
    assert_eq!(format(FloatFormat::Fixed(2))[..3], ["1.00", "-0.00", "0.10"]);
    assert_eq!(format(FloatFormat::Fixed(2))[5..8], ["nan", "inf", "-inf"]);
    assert_eq!(format(FloatFormat::Scientific)[..5], ["1e0", "-0e0", "1e-1", "1e16", "1e-7"]);
    let significant = format(FloatFormat::Significant(4));
    assert_eq!(significant[..5], ["1.0", "-0.0", "0.1", "1.0e16", "1.0e-7"]);
    assert_eq!(significant[10], "123500.0");
}

#[test]
fn decimals_keep_their_scale() {
    let decimal = |values: Vec<i128>, precision, scale| -> ArrayRef {
        Arc::new(Decimal128Array::from(values).with_precision_and_scale(precision, scale).unwrap())
    };
    let values = vec![0, 1, -1, 12, 123, -12345, 99_999_999, 100_000_000, -1_000_000_000_000_000];
    let expected =
        ["0.00", "0.01", "-0.01", "0.12", "1.23", "-123.45", "999999.99", "1000000.00", "-10000000000000.00"];
    assert_eq!(texts(decimal(values, 18, 2)), expected);
    let nines = 10i128.pow(38) - 1;
    let text = "9".repeat(38);
    assert_eq!(texts(decimal(vec![nines, -nines], 38, 0)), [text.clone(), format!("-{text}")]);
    assert_eq!(texts(decimal(vec![nines, 5], 38, 38)), [format!("0.{text}"), format!("0.{}5", "0".repeat(37))]);
    assert_eq!(texts(decimal(vec![12, 0], 5, -2)), ["1200", "0"]);
    for scale in 0..=20i8 {
        for value in [0i128, 7, 12_345_678, 99_999_999, 123_456_789, 12_345_678_901_234_567_890] {
            let digits = format!("{value:0>width$}", width = scale as usize + 1);
            let (whole, fraction) = digits.split_at(digits.len() - scale as usize);
            let expected = if scale == 0 { whole.to_owned() } else { format!("{whole}.{fraction}") };
            assert_eq!(texts(decimal(vec![value], 38, scale)), [expected]);
        }
    }
    let wide = Decimal256Array::from(vec![arrow::datatypes::i256::from_i128(-5)]).with_precision_and_scale(50, 3);
    assert_eq!(texts(Arc::new(wide.unwrap())), ["-0.005"]);
    let small = Decimal64Array::from(vec![Some(-105), None]).with_precision_and_scale(10, 1).unwrap();
    assert_eq!(texts(Arc::new(small)), ["-10.5", "NULL"]);
}

#[test]
fn dates_and_times() {
    let dates = vec![0, -1, 19724, -719528, 2932896, 2932897, -719529, i32::MAX, -i32::MAX, 11016, 10957 + 59];
    assert_eq!(
        texts(Arc::new(Date32Array::from(dates))),
        [
            "1970-01-01",
            "1969-12-31",
            "2024-01-02",
            "0000-01-01",
            "9999-12-31",
            "10000-01-01",
            "-0001-12-31",
            "infinity",
            "-infinity",
            "2000-02-29",
            "2000-02-29"
        ]
    );
    assert_eq!(texts(Arc::new(Date64Array::from(vec![86_400_000]))), ["1970-01-02"]);
    assert_eq!(
        texts(Arc::new(Time64MicrosecondArray::from(vec![0, 86_399_999_999, 1_500_000, 86_400_000_000]))),
        ["00:00:00", "23:59:59.999999", "00:00:01.5", "24:00:00"]
    );
    assert_eq!(texts(Arc::new(Time32MillisecondArray::from(vec![61_001]))), ["00:01:01.001"]);
    let micros = vec![1_704_164_645_000_000, 1_704_164_645_120_000, -1, i64::MAX, -i64::MAX];
    let stamps = TimestampMicrosecondArray::from(micros.clone());
    let plain =
        ["2024-01-02 03:04:05", "2024-01-02 03:04:05.12", "1969-12-31 23:59:59.999999", "infinity", "-infinity"];
    assert_eq!(texts(Arc::new(stamps.clone())), plain);
    assert_eq!(texts(Arc::new(stamps.clone().with_timezone("Europe/Berlin")))[1], "2024-01-02 03:04:05.12+00:00");
    assert_eq!(texts(Arc::new(stamps.clone().with_timezone("+05:30")))[0], "2024-01-02 08:34:05+05:30");
    assert_eq!(texts(Arc::new(stamps.with_timezone("-0800")))[0], "2024-01-01 19:04:05-08:00");
    assert_eq!(texts(Arc::new(TimestampSecondArray::from(vec![1_704_164_645]))), [plain[0]]);
    assert_eq!(texts(Arc::new(TimestampMillisecondArray::from(vec![1_704_164_645_120]))), [plain[1]]);
    assert_eq!(
        texts(Arc::new(TimestampNanosecondArray::from(vec![1_704_164_645_000_000_001, 10]))),
        ["2024-01-02 03:04:05.000000001", "1970-01-01 00:00:00.00000001"]
    );
    assert_eq!(texts(Arc::new(DurationSecondArray::from(vec![90, -3_600_000]))), ["00:01:30", "-1000:00:00"]);
    let interval = |months, days, nanos| IntervalMonthDayNano::new(months, days, nanos);
    let intervals = vec![interval(14, 3, 4_005_000_000), interval(0, 0, 0), interval(-12, 1, -1_000_000_000)];
    assert_eq!(
        texts(Arc::new(IntervalMonthDayNanoArray::from(intervals))),
        ["1 year 2 months 3 days 00:00:04.005", "00:00:00", "-1 year 1 day -00:00:01"]
    );
}

#[test]
fn every_day_of_four_centuries_is_what_the_one_before_says() {
    let days: Vec<i32> = (-719_528..-719_528 + 2 * 146_097).collect();
    let shown = texts(Arc::new(Date32Array::from(days)));
    let (mut year, mut month, mut day) = (0, 1, 1);
    for text in shown {
        assert_eq!(text, format!("{year:04}-{month:02}-{day:02}"));
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let length = match month {
            2 => 28 + i32::from(leap),
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        day += 1;
        if day > length {
            (month, day) = (month + 1, 1);
        }
        if month > 12 {
            (year, month) = (year + 1, 1);
        }
    }
}

#[test]
fn texts_binary_and_the_rest() {
    assert_eq!(texts(Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)]))), ["true", "NULL", "false"]);
    let words = vec![Some("a"), Some(""), Some("NULL"), None, Some("a,b"), Some("say \"hi\""), Some(" x "), Some("é")];
    let expected = ["a", "\"\"", "\"NULL\"", "NULL", "\"a,b\"", "\"say \"\"hi\"\"\"", " x ", "é"];
    assert_eq!(texts(Arc::new(StringArray::from(words.clone()))), expected);
    assert_eq!(texts(Arc::new(LargeStringArray::from(words.clone()))), expected);
    assert_eq!(texts(Arc::new(StringViewArray::from(words.clone()))), expected);
    assert_eq!(texts(Arc::new(words.iter().copied().collect::<DictionaryArray<Int32Type>>())), expected);
    let runs = RunArray::try_new(&Int32Array::from(vec![2, 3]), &StringArray::from(vec![Some("r"), None])).unwrap();
    assert_eq!(texts(Arc::new(runs)), ["r", "r", "NULL"]);
    assert_eq!(texts(Arc::new(NullArray::new(2))), ["NULL", "NULL"]);
    assert_eq!(texts(Arc::new(BinaryArray::from(vec![b"a\xab'\\".as_ref(), b""]))), ["a\\xAB\\x27\\x5C", "\"\""]);
}

#[test]
fn nested_values_look_as_in_duckdb() {
    let list =
        ListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![Some(1), None, Some(3)]), Some(vec![]), None]);
    assert_eq!(texts(Arc::new(list)), ["\"[1, NULL, 3]\"", "[]", "NULL"]);
    let words: ArrayRef = Arc::new(StringArray::from(vec![Some("x"), Some("it's"), Some(""), None]));
    let numbers: ArrayRef = Arc::new(Int32Array::from(vec![1, 2, 3, 4]));
    let fields = Fields::from(vec![Field::new("w", DataType::Utf8, true), Field::new("n", DataType::Int32, true)]);
    let record = StructArray::new(fields, vec![words, numbers], None);
    let quote = |text: &str| format!("\"{text}\"");
    assert_eq!(
        texts(Arc::new(record)),
        [
            quote("{'w': x, 'n': 1}"),
            quote("{'w': 'it\\'s', 'n': 2}"),
            quote("{'w': '', 'n': 3}"),
            quote("{'w': NULL, 'n': 4}")
        ]
    );
    let mut map = MapBuilder::new(None, StringBuilder::new(), Int64Builder::new());
    map.keys().append_value("a");
    map.values().append_value(1);
    map.append(true).unwrap();
    assert_eq!(texts(Arc::new(map.finish())), ["{a=1}"]);
}

const TRICKY: [&str; 14] =
    ["", "x", ",", "\"", "\"\"", "a\nb", "\r", "\r\n", "NULL", " a ", "\\", "a\\\"b", "ü,ß", "::"];

/// A small reader of our own dialect, for multi-byte delimiters and escapes: `None` is a bare NULL text.
fn read(text: &str, options: &WriterOptions) -> Vec<Vec<Option<String>>> {
    let (delimiter, newline) = (options.delimiter.as_str(), options.newline.as_str());
    let quote = options.quote.0.map(|byte| byte as char);
    let escape = options.escape.0.map(|byte| byte as char).or(quote);
    let (mut rows, mut row, mut field) = (Vec::new(), Vec::new(), String::new());
    let (mut quoted, mut was_quoted, mut rest) = (false, false, text);
    while let Some(char) = rest.chars().next() {
        let next = rest.chars().nth(1);
        let taken = next.filter(|next| quoted && Some(char) == escape && [quote, escape].contains(&Some(*next)));
        let end_row = !quoted && rest.starts_with(newline);
        if let Some(taken) = taken {
            field.push(taken);
            rest = &rest[2..];
        } else if Some(char) == quote && (quoted || (field.is_empty() && !was_quoted)) {
            (quoted, was_quoted) = (!quoted, true);
            rest = &rest[1..];
        } else if end_row || (!quoted && rest.starts_with(delimiter)) {
            let text = std::mem::take(&mut field);
            row.push(if !was_quoted && text == options.null_value { None } else { Some(text) });
            was_quoted = false;
            rest = &rest[if end_row { newline.len() } else { delimiter.len() }..];
            if end_row {
                rows.push(std::mem::take(&mut row));
            }
        } else {
            field.push(char);
            rest = &rest[char.len_utf8()..];
        }
    }
    assert!(row.is_empty() && field.is_empty() && !quoted, "the text ends within a row: {text:?}");
    rows
}

fn dialects() -> Vec<WriterOptions> {
    let mut all = Vec::new();
    for quoting in [Quoting::Minimal, Quoting::All, Quoting::NonNumeric, Quoting::NotNull] {
        for null in ["", "NULL", "\\N", "7"] {
            for (delimiter, escape) in
                [(",", None), ("::", None), ("\t", Some(b'\\')), ("1", None), ("aab", Some(b'\\'))]
            {
                for newline in [Newline::Lf, Newline::CrLf, Newline::Cr] {
                    all.push(WriterOptions {
                        quoting,
                        null_value: null.to_owned(),
                        delimiter: delimiter.parse::<Delimiter>().unwrap(),
                        escape: QuoteChar(escape),
                        newline,
                        ..table_order()
                    });
                }
            }
        }
    }
    all
}

#[test]
fn every_quoting_style_reads_back() {
    let words: Vec<Option<&str>> =
        TRICKY.iter().map(|word| Some(*word)).chain([None, Some("aa"), Some("1"), Some("7"), Some("\\N")]).collect();
    let numbers: Vec<Option<i64>> = (0..words.len() as i64).map(|n| (n % 5 != 3).then_some(n)).collect();
    let batch = batch([
        ("s,1", Arc::new(StringArray::from(words.clone())) as ArrayRef),
        ("n", Arc::new(Int64Array::from(numbers.clone()))),
        ("f", Arc::new(Float64Array::from_iter_values((0..words.len()).map(|n| n as f64 / 2.0)))),
        ("t", Arc::new(StringArray::from(words.iter().rev().copied().collect::<Vec<_>>()))),
    ]);
    for options in dialects() {
        if options.null_value == "\\N" && options.escape.0.is_some() {
            assert!(try_csv(std::slice::from_ref(&batch), options).is_err());
            continue;
        }
        let text = try_csv(std::slice::from_ref(&batch), options.clone()).unwrap();
        let rows = read(&text, &options);
        assert_eq!(rows[0].iter().flatten().collect::<Vec<_>>(), ["s,1", "n", "f", "t"], "{options:?}");
        for (at, row) in rows[1..].iter().enumerate() {
            let owned = |text: Option<&str>| text.map(str::to_owned);
            let expected = [
                owned(words[at]),
                numbers[at].map(|n| n.to_string()),
                Some(format!("{:?}", at as f64 / 2.0)),
                owned(words[words.len() - 1 - at]),
            ];
            assert_eq!(row[..], expected, "{options:?}");
        }
    }
}

#[test]
fn styles_differ_in_what_they_quote() {
    let batch = batch([
        ("s", Arc::new(StringArray::from(vec![Some("x"), None, Some("")])) as ArrayRef),
        ("n", Arc::new(Int32Array::from(vec![Some(1), None, Some(3)]))),
        ("d", Arc::new(Date32Array::from(vec![Some(0), None, Some(1)]))),
    ]);
    for (quoting, expected) in [
        (Quoting::Minimal, "s,n,d\nx,1,1970-01-01\n,,\n\"\",3,1970-01-02\n"),
        (Quoting::All, "\"s\",\"n\",\"d\"\n\"x\",\"1\",\"1970-01-01\"\n,,\n\"\",\"3\",\"1970-01-02\"\n"),
        (Quoting::NotNull, "\"s\",\"n\",\"d\"\n\"x\",\"1\",\"1970-01-01\"\n,,\n\"\",\"3\",\"1970-01-02\"\n"),
        (Quoting::NonNumeric, "\"s\",\"n\",\"d\"\n\"x\",1,\"1970-01-01\"\n,,\n\"\",3,\"1970-01-02\"\n"),
    ] {
        let options = WriterOptions { quoting, ..table_order() };
        assert_eq!(try_csv(std::slice::from_ref(&batch), options).unwrap(), expected);
    }
}

#[test]
fn without_quotes_what_needs_them_is_an_error() {
    let options = WriterOptions { quoting: Quoting::None, ..table_order() };
    let write = |words: Vec<Option<&str>>, options: &WriterOptions| {
        let numbers = Int64Array::from_iter_values(0..words.len() as i64);
        let batch = batch([("n", Arc::new(numbers) as ArrayRef), ("s", Arc::new(StringArray::from(words)))]);
        try_csv(&[batch], options.clone())
    };
    assert_eq!(write(vec![Some("a b"), None], &options).unwrap(), "n,s\n0,a b\n1,\n");
    for bad in [",", "a\nb", "\r", "\"", ""] {
        let mut words = vec![Some("fine"); 700];
        words[600] = Some(bad);
        words[650] = Some("also,bad");
        let error = write(words, &options).unwrap_err();
        let ErrorKind::Data(fault) = error.kind() else { panic!("{error}") };
        assert_eq!((fault.at.record, fault.at.column.as_deref()), (Some(602), Some("s")));
        assert_eq!(fault.value.as_deref(), Some(bad));
        assert!(error.to_string().contains("in row 601"), "{error}");
    }
    let named = WriterOptions { null_value: "-".into(), ..options };
    assert_eq!(write(vec![Some(""), None], &named).unwrap(), "n,s\n0,\n1,-\n");
    assert!(write(vec![Some("-")], &named).is_err());
}

#[test]
fn contradictions_are_refused_before_anything_is_touched() {
    let folder = tempfile::tempdir().unwrap();
    let base = table_order;
    for options in [
        WriterOptions { quote: QuoteChar(None), quoting: Quoting::All, ..base() },
        WriterOptions { quote: QuoteChar(Some(b',')), ..base() },
        WriterOptions { null_value: "a,b".into(), ..base() },
        WriterOptions { null_value: "\n".into(), ..base() },
        WriterOptions { encoding: "no-such".into(), ..base() },
    ] {
        let error =
            CsvWriterBuilder::new().with_options(options).create(folder.path().join("new/x.csv")).err().unwrap();
        assert!(matches!(error.kind(), ErrorKind::Usage { .. }), "{error}");
        assert!(!folder.path().join("new").exists());
    }
}

#[test]
fn columns_are_ordered_once_and_headers_need_no_rows() {
    let one = |name: &str| (name.to_owned(), Arc::new(Int32Array::from(vec![1])) as ArrayRef);
    let batch = RecordBatch::try_from_iter(["b", "a", "Z", "é"].map(one)).unwrap();
    let header = |options| try_csv(&[batch.slice(0, 0)], options).unwrap();
    assert_eq!(header(WriterOptions::default()), "Z,a,b,é\n");
    assert_eq!(header(WriterOptions { sort_columns: Some(false), ..WriterOptions::default() }), "b,a,Z,é\n");
    let list = |names: &[&str]| WriterOptions {
        column_order: ColumnOrder::List(names.iter().map(|name| (*name).to_owned()).collect()),
        ..WriterOptions::default()
    };
    assert_eq!(header(list(&["é", "a"])), "é,a\n");
    assert!(try_csv(std::slice::from_ref(&batch), list(&["A"])).unwrap_err().to_string().contains("did you mean"));
    let shared = Shared::default();
    let writer = CsvWriterBuilder::new().with_schema(batch.schema()).build(shared.clone()).unwrap();
    assert_eq!(writer.finish().unwrap().rows, 0);
    assert_eq!(*shared.bytes.lock().unwrap(), "Z,a,b,é\n".as_bytes());
    assert_eq!(try_csv(&[], WriterOptions::default()).unwrap(), "");
}

#[test]
fn a_value_that_looks_like_a_byte_order_mark_survives() {
    let array: ArrayRef = Arc::new(StringArray::from(vec!["\u{feff}x"]));
    let options = WriterOptions { header: false, ..table_order() };
    assert_eq!(try_csv(&[batch([("a", array)])], options).unwrap(), "\u{feff}\u{feff}x\n");
}

fn wide_rows(rows: usize) -> RecordBatch {
    let words = (0..rows).map(|n| match n % 7 {
        0 => None,
        1 => Some(String::new()),
        2 => Some(format!("a, \"b\" {n}")),
        _ => Some("word ".repeat(n % 50)),
    });
    batch([
        ("n", Arc::new(Int64Array::from_iter((0..rows as i64).map(|n| (n % 11 > 0).then_some(n * 977)))) as ArrayRef),
        ("s", Arc::new(StringArray::from_iter(words))),
        ("f", Arc::new(Float64Array::from_iter_values((0..rows).map(|n| n as f64 / 3.0)))),
    ])
}

#[test]
fn bytes_do_not_depend_on_threads_or_batches() {
    let whole = wide_rows(40_000);
    let expected = try_csv(std::slice::from_ref(&whole), WriterOptions { threads: 1, ..table_order() }).unwrap();
    assert_eq!(expected.len(), {
        let shorter: usize = read(&expected, &table_order()).len();
        assert_eq!(shorter, 40_001);
        expected.len()
    });
    for threads in [1, 2, 4] {
        for size in [1, 3, 1000] {
            let rows = if size == 1 { 4_000 } else { 40_000 };
            let batches: Vec<_> =
                (0..rows).step_by(size).map(|from| whole.slice(from, size.min(rows - from))).collect();
            let got = try_csv(&batches, WriterOptions { threads, ..table_order() }).unwrap();
            assert!(expected.starts_with(&got) && (rows < 40_000 || got == expected), "{threads} threads, {size} rows");
        }
    }
}

#[test]
fn a_failing_device_at_any_byte_is_an_error_and_leaves_the_old_file() {
    let batch = wide_rows(3_000);
    let length = try_csv(std::slice::from_ref(&batch), table_order()).unwrap().len();
    for room in [0, 1, 5, 6, 7, length / 2, length - 1] {
        let shared = Shared { room: Some(room), ..Shared::default() };
        let mut writer = CsvWriterBuilder::new().with_options(table_order()).build(shared).unwrap();
        let result = (0..3_000).step_by(100).try_for_each(|from| writer.write(&batch.slice(from, 100)));
        let error = result.and_then(|()| writer.finish().map(drop)).unwrap_err();
        let ErrorKind::Write { source, .. } = error.kind() else { panic!("{error}") };
        assert_eq!(source.kind(), io::ErrorKind::StorageFull);
    }
}

#[test]
fn an_error_or_cancel_leaves_no_trace() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.csv");
    fs::write(&path, "old").unwrap();
    let only_old = || {
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    };
    let token = CancelToken::new();
    let builder = CsvWriterBuilder::new().with_monitor(Monitor::new(token.clone(), None));
    let mut writer = builder.clone().create(&path).unwrap();
    let batch = wide_rows(100_000);
    writer.write(&batch).unwrap();
    token.cancel();
    assert!(writer.write(&batch).unwrap_err().is_cancelled());
    assert!(writer.finish().unwrap_err().is_cancelled());
    only_old();

    let mut writer = CsvWriterBuilder::new().create(&path).unwrap();
    writer.write(&batch).unwrap();
    drop(writer);
    only_old();

    let options = WriterOptions { quoting: Quoting::None, ..table_order() };
    let mut writer = CsvWriterBuilder::new().with_options(options).create(&path).unwrap();
    let result = writer.write(&batch).and_then(|()| writer.finish().map(drop));
    assert!(result.unwrap_err().is_data());
    only_old();

    let options = WriterOptions { if_exists: IfExists::Skip, ..table_order() };
    let mut writer = CsvWriterBuilder::new().with_options(options).create(&path).unwrap();
    assert!(writer.is_skipped());
    writer.write(&batch).unwrap();
    assert!(writer.finish().unwrap().skipped);
    only_old();
}

#[test]
fn other_columns_than_the_first_are_refused() {
    let mut writer = CsvWriterBuilder::new().build(Shared::default()).unwrap();
    writer.write(&batch([("a", Arc::new(Int32Array::from(vec![1])) as ArrayRef)])).unwrap();
    let error = writer.write(&batch([("a", Arc::new(Int64Array::from(vec![1])) as ArrayRef)])).unwrap_err();
    assert!(error.to_string().contains("a Int32"), "{error}");
}

#[test]
fn encodings_and_compressions_come_after_the_text() {
    let array: ArrayRef = Arc::new(StringArray::from(vec!["é", "x\ny,", "€"]));
    let batch = batch([("a", Arc::clone(&array)), ("b", array)]);
    let bytes = |options: WriterOptions| {
        let shared = Shared::default();
        let mut writer = CsvWriterBuilder::new().with_options(options).build(shared.clone())?;
        writer.write(&batch)?;
        let summary = writer.finish()?;
        let bytes = shared.bytes.lock().unwrap().clone();
        Ok::<_, duckstream::Error>((bytes, summary))
    };
    let (utf16, _) = bytes(WriterOptions { encoding: "utf-16le".into(), ..table_order() }).unwrap();
    assert!(utf16.starts_with(b"\xff\xfea\0,\0b\0\n\0\xe9\0"), "{utf16:x?}");
    let error = bytes(WriterOptions { encoding: "iso-8859-2".into(), ..table_order() }).unwrap_err();
    let ErrorKind::Data(fault) = error.kind() else { panic!("{error}") };
    assert_eq!((fault.at.record, fault.at.column.as_deref()), (Some(4), Some("a")), "{error}");
    let (zipped, summary) = bytes(WriterOptions { compression: Compression::Gzip, ..table_order() }).unwrap();
    assert!(zipped.starts_with(b"\x1f\x8b"));
    assert_eq!(summary.text_bytes, "a,b\né,é\n\"x\ny,\",\"x\ny,\"\n€,€\n".len() as u64);
}

fn any_batch() -> impl Strategy<Value = RecordBatch> {
    let text = proptest::option::of("[a-c,\"\n\r\\\\ NUL1é]{0,6}");
    let row = (text, any::<Option<i64>>(), any::<Option<f64>>(), proptest::option::of(-999_999i128..999_999));
    proptest::collection::vec(row, 0..600).prop_map(|rows| {
        let decimals = Decimal128Array::from_iter(rows.iter().map(|row| row.3));
        batch([
            ("s", Arc::new(StringArray::from_iter(rows.iter().map(|row| row.0.clone()))) as ArrayRef),
            ("n", Arc::new(Int64Array::from_iter(rows.iter().map(|row| row.1)))),
            ("f", Arc::new(Float64Array::from_iter(rows.iter().map(|row| row.2)))),
            ("d", Arc::new(decimals.with_precision_and_scale(9, 3).unwrap())),
        ])
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_reads_back(batch in any_batch(), choice in 0usize..240) {
        let options = dialects()[choice].clone();
        prop_assume!(options.null_value != "\\N" || options.escape.0.is_none());
        let text = try_csv(std::slice::from_ref(&batch), options.clone()).unwrap();
        let rows = read(&text, &options);
        prop_assert_eq!(rows.len(), batch.num_rows() + 1);
        let (words, numbers) = (batch.column(0).as_string::<i32>(), batch.column(1).as_primitive::<Int64Type>());
        let floats = batch.column(2).as_primitive::<Float64Type>();
        let decimals = batch.column(3).as_primitive::<Decimal128Type>();
        for (at, row) in rows[1..].iter().enumerate() {
            prop_assert_eq!(row[0].as_deref(), words.is_valid(at).then(|| words.value(at)));
            prop_assert_eq!(row[1].clone(), numbers.is_valid(at).then(|| numbers.value(at).to_string()));
            let float = row[2].as_ref().map(|text| text.parse::<f64>().unwrap().to_bits());
            let expected = floats.is_valid(at).then(|| floats.value(at)).map(|f| if f.is_nan() { f64::NAN } else { f });
            prop_assert_eq!(float, expected.map(f64::to_bits));
            let decimal = row[3].as_ref().map(|text| text.replace('.', "").parse::<i128>().unwrap());
            prop_assert_eq!(decimal, decimals.is_valid(at).then(|| decimals.value(at)));
        }
    }

    #[test]
    fn arrow_csv_reads_the_same(batch in any_batch()) {
        // arrow-csv does not know whether a field was quoted: there is no NULL but a text that nothing else is.
        let options = WriterOptions { null_value: "<null>".into(), ..table_order() };
        let text = try_csv(std::slice::from_ref(&batch), options).unwrap();
        let reader = arrow_csv::ReaderBuilder::new(batch.schema())
            .with_header(true)
            .with_batch_size(1000)
            .with_null_regex(regex::Regex::new("^<null>$").unwrap())
            .build(text.as_bytes())
            .unwrap();
        let read: Vec<_> = reader.collect::<Result<_, _>>().unwrap();
        let read = arrow::compute::concat_batches(&batch.schema(), &read).unwrap();
        prop_assert_eq!(read.column(0), batch.column(0));
        prop_assert_eq!(read.column(1), batch.column(1));
        prop_assert_eq!(read.column(3), batch.column(3));
    }
}

#[test]
fn slices_begin_where_they_begin() {
    // A list column sliced in the middle keeps its offsets.
    let list = ListArray::new(
        Arc::new(Field::new("item", DataType::Int8, true)),
        OffsetBuffer::new(ScalarBuffer::from(vec![0, 1, 3, 3])),
        Arc::new(Int8Array::from(vec![1, 2, 3])),
        Some(NullBuffer::from(vec![true, true, false])),
    );
    assert_eq!(texts(Arc::new(list.slice(1, 2))), ["\"[2, 3]\"", "NULL"]);
}
