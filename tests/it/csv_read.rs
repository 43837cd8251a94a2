//! CSV text to batches. The arrow-csv lane is the oracle of the columnar one; one thread with one read of everything is
//! the oracle of all other settings.

use std::io::Read;
use std::sync::{Arc, Mutex};

use arrow::array::{AsArray, RecordBatch, RecordBatchReader};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Int64Type};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use duckstream::{
    Auto, CsvInput, CsvReaderBuilder, DecoderChoice, Detect, Error, ErrorKind, Fault, FaultCode, Header, Infer,
    InferQuoted, LongRows, NulBytes, OnError, OnTypeChange, PerColumn, QuoteChar, ReaderOptions, RejectSink, Result,
    ShortRows, Source, Trim,
};
use proptest::prelude::*;

use crate::reference;

/// Hands out a few bytes at a time.
struct Trickle(Vec<u8>, usize, usize);

impl Read for Trickle {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = buffer.len().min(self.2).min(self.0.len() - self.1);
        buffer[..length].copy_from_slice(&self.0[self.1..self.1 + length]);
        self.1 += length;
        Ok(length)
    }
}

/// Keeps rejected rows.
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

/// What a text comes to: types, rows, rejects; or the error.
#[derive(Debug, PartialEq)]
struct Outcome {
    schema: Vec<String>,
    rows: Vec<Vec<Option<String>>>,
    rejects: Vec<Fault>,
    counts: (u64, u64, u64),
    error: Option<String>,
}

fn read(text: &[u8], trickle: usize, options: &ReaderOptions) -> Outcome {
    let kept = Arc::new(Mutex::new(Kept::default()));
    type Attempt = (Vec<RecordBatch>, arrow::datatypes::SchemaRef, (u64, u64, u64));
    let attempt = || -> Result<Attempt> {
        let source = Source::reader("t", Trickle(text.to_vec(), 0, trickle));
        let mut input = CsvInput::new(vec![source], options.clone())?.with_rejects(kept.clone());
        loop {
            let mut reader = input.open()?;
            let schema = reader.schema();
            let batches: Result<Vec<_>, _> = reader.by_ref().collect();
            let batches = batches.map_err(|error| Error::arrow("reading", error))?;
            if !input.restart() {
                let summary = input.summary();
                let blank = summary.files.iter().map(|file| file.counts.blank).sum();
                return Ok((batches, schema, (summary.rows, summary.rejected, blank)));
            }
        }
    };
    let mut outcome =
        Outcome { schema: Vec::new(), rows: Vec::new(), rejects: Vec::new(), counts: (0, 0, 0), error: None };
    match attempt() {
        Ok((batches, schema, counts)) => {
            outcome.schema =
                schema.fields().iter().map(|field| format!("{} {}", field.name(), field.data_type())).collect();
            let batch = concat_batches(&schema, &batches).unwrap();
            outcome.rows = rows_of(&batch);
            outcome.counts = counts;
            outcome.rejects = std::mem::take(&mut kept.lock().unwrap().0);
        }
        Err(error) => outcome.error = Some(error.to_string()),
    }
    outcome
}

fn rows_of(batch: &RecordBatch) -> Vec<Vec<Option<String>>> {
    let format = FormatOptions::default();
    let columns: Vec<_> =
        batch.columns().iter().map(|column| ArrayFormatter::try_new(column.as_ref(), &format).unwrap()).collect();
    (0..batch.num_rows())
        .map(|row| {
            let cell = |(index, column): (usize, &ArrayFormatter<'_>)| {
                (!batch.column(index).is_null(row)).then(|| column.value(row).to_string())
            };
            columns.iter().enumerate().map(cell).collect()
        })
        .collect()
}

fn rejecting() -> ReaderOptions {
    let encoding = Auto::Value("utf-8".to_owned());
    ReaderOptions { on_error: OnError::Reject, threads: 1, encoding, ..ReaderOptions::default() }
}

fn cells(outcome: &Outcome) -> Vec<Vec<&str>> {
    outcome.rows.iter().map(|row| row.iter().map(|cell| cell.as_deref().unwrap_or("NULL")).collect()).collect()
}

#[test]
fn texts_and_what_they_come_to() {
    let with = |change: fn(&mut ReaderOptions)| {
        let mut options = rejecting();
        change(&mut options);
        options
    };
    let plain = rejecting();
    for (text, options, schema, rows) in [
        ("a,b\n1,x\n", &plain, "a Int64,b Utf8", vec![vec!["1", "x"]]),
        ("a,b\r\n1,\r\n2,\"\"\r\n", &plain, "a Int64,b Utf8", vec![vec!["1", "NULL"], vec!["2", ""]]),
        ("a\rx\ry\r", &plain, "a Utf8", vec![vec!["x"], vec!["y"]]),
        ("\u{feff}a,b\n1,2", &plain, "a Int64,b Int64", vec![vec!["1", "2"]]),
        ("a,b\n\n1,2\n\n", &plain, "a Int64,b Int64", vec![vec!["1", "2"]]),
        ("a\n1\n\n2\n", &plain, "a Int64", vec![vec!["1"], vec!["NULL"], vec!["2"]]),
        ("a,b,\n1,2\n3,4\n", &plain, "a Int64,b Int64", vec![vec!["1", "2"], vec!["3", "4"]]),
        ("a,b\n1,\"x\ny\"\n", &plain, "a Int64,b Utf8", vec![vec!["1", "x\ny"]]),
        ("a,b\n007,1e3\n", &plain, "a Utf8,b Float64", vec![vec!["007", "1000.0"]]),
        ("a\n12345678901234567890\n1\n", &plain, "a Decimal128(38, 0)", vec![vec!["12345678901234567890"], vec!["1"]]),
        ("a,b\n,\n,\n", &plain, "a Utf8,b Utf8", vec![vec!["NULL", "NULL"], vec!["NULL", "NULL"]]),
        ("", &plain, "", vec![]),
        ("a,b\n", &plain, "a Utf8,b Utf8", vec![]),
        ("a,b\n5\" x,1\n", &plain, "a Utf8,b Int64", vec![vec!["5\" x", "1"]]),
        (
            "1;2\n",
            &with(|o| {
                o.delimiter = "semicolon;".parse().unwrap_or(Auto::Value(';'.into()));
                o.delimiter = Auto::Value(';'.into());
                o.header = Header::Absent;
            }),
            "column_1 Int64,column_2 Int64",
            vec![vec!["1", "2"]],
        ),
        ("a||b\n1||x|y\n", &with(|o| o.delimiter = "||".parse().unwrap()), "a Int64,b Utf8", vec![vec!["1", "x|y"]]),
        ("#c\na,b\n#d\n1,2\n", &with(|o| o.comment = Some("#".into())), "a Int64,b Int64", vec![vec!["1", "2"]]),
        ("junk\na,b\n1,2\n", &with(|o| o.skip_rows = 1), "a Int64,b Int64", vec![vec!["1", "2"]]),
        ("junk\na,b\n1,2\n", &with(|o| o.header = Header::Row(2)), "a Int64,b Int64", vec![vec!["1", "2"]]),
        ("a,b\n1,2\n3\n", &with(|o| o.skip_footer = 1), "a Int64,b Int64", vec![vec!["1", "2"]]),
        ("a,b\n1,2\n3,4\n", &with(|o| o.limit = Some(1)), "a Int64,b Int64", vec![vec!["1", "2"]]),
        (
            "a,b\n1\n2,3,4\n",
            &with(|o| {
                o.short_rows = ShortRows::Pad;
                o.long_rows = LongRows::Truncate;
            }),
            "a Int64,b Int64",
            vec![vec!["1", "NULL"], vec!["2", "3"]],
        ),
        (
            "a,b\n2,3,\"4\"\n1,2\n",
            &with(|o| o.long_rows = LongRows::MergeLast),
            "a Int64,b Utf8",
            vec![vec!["2", "3,\"4\""], vec!["1", "2"]],
        ),
        (
            "a,b\nNA,\"NA\"\n1,x\n",
            &with(|o| o.null_values = PerColumn::all(["NA"])),
            "a Int64,b Utf8",
            vec![vec!["NULL", "NA"], vec!["1", "x"]],
        ),
        ("a\n\"1\"\n", &with(|o| o.infer_quoted = InferQuoted::Text), "a Utf8", vec![vec!["1"]]),
        ("a\n\"1\"\n", &plain, "a Int64", vec![vec!["1"]]),
        ("a,b\n \t1 , \" x\"\n", &with(|o| o.trim = Trim::All), "a Int64,b Utf8", vec![vec!["1", "\" x\""]]),
        ("a,b\nx\0y,1\n", &with(|o| o.nul = NulBytes::Strip), "a Utf8,b Int64", vec![vec!["xy", "1"]]),
        (
            "a,b\n'x,y',1\n",
            &with(|o| o.quote = Auto::Value(QuoteChar(Some(b'\'')))),
            "a Utf8,b Int64",
            vec![vec!["x,y", "1"]],
        ),
        (
            "a\n1,5\n",
            &with(|o| {
                o.decimal_separator = ',';
                o.delimiter = Auto::Value(';'.into());
            }),
            "a Float64",
            vec![vec!["1.5"]],
        ),
        (
            "a,b,c\n1,2,3\n",
            &with(|o| o.columns = Some(vec!["c".into(), "a".into()])),
            "c Int64,a Int64",
            vec![vec!["3", "1"]],
        ),
        (
            "a,b\n1,2\n",
            &with(|o| {
                o.types.insert("a".into(), "varchar".into());
                o.types.insert("b".into(), "decimal(5,2)".into());
            }),
            "a Utf8,b Decimal128(5, 2)",
            vec![vec!["1", "2.00"]],
        ),
        (
            "a;b\n1;x\n2;y\n",
            &with(|o| o.delimiter = Auto::Auto),
            "a Int64,b Utf8",
            vec![vec!["1", "x"], vec!["2", "y"]],
        ),
        (
            "1,x\n2,y\n",
            &with(|o| o.header = Header::Auto),
            "column_1 Int64,column_2 Utf8",
            vec![vec!["1", "x"], vec!["2", "y"]],
        ),
        (
            "'a','b'\n'x,y','1'\n'z','2'\n'w','3'\n",
            &with(|o| o.quote = Auto::Auto),
            "a Utf8,b Int64",
            vec![vec!["x,y", "1"], vec!["z", "2"], vec!["w", "3"]],
        ),
        (
            "Report of today\n\na;b\n1;x\n2;y;\n4;z\n5;w\n6;v\n3\n",
            &with(|o| {
                o.detect = Detect::All;
                o.all_text = true;
            }),
            "a Utf8,b Utf8",
            vec![vec!["1", "x"], vec!["2", "y"], vec!["4", "z"], vec!["5", "w"], vec!["6", "v"], vec!["3", "NULL"]],
        ),
        ("a,b\n1,2\n", &with(|o| o.all_text = true), "a Utf8,b Utf8", vec![vec!["1", "2"]]),
        (
            "a,b\n1,2\n",
            &with(|o| o.names = Some(vec!["x".into(), "y".into()])),
            "x Int64,y Int64",
            vec![vec!["1", "2"]],
        ),
    ] {
        let outcome = read(text.as_bytes(), 1000, options);
        assert_eq!(outcome.error, None, "{text:?}");
        assert_eq!(outcome.schema.join(","), schema, "{text:?}");
        assert_eq!(cells(&outcome), rows, "{text:?}");
        assert_eq!(outcome.rejects, [], "{text:?}");
    }
}

#[test]
fn bad_rows_are_named() {
    let rejected = |text: &str, change: fn(&mut ReaderOptions)| {
        let mut options = rejecting();
        change(&mut options);
        let outcome = read(text.as_bytes(), 1000, &options);
        assert_eq!(outcome.error, None, "{text:?}");
        let of = |fault: &Fault| (fault.code, fault.at.line.unwrap(), String::from_utf8_lossy(&fault.raw).into_owned());
        (outcome.rows.len(), outcome.rejects.iter().map(of).collect::<Vec<_>>())
    };
    let none = |_: &mut ReaderOptions| {};
    assert_eq!(rejected("a,b\n1,2\n3\n4,5\n", none), (2, vec![(FaultCode::ShortRow, 3, "3".into())]));
    assert_eq!(rejected("a,b\n1,\"x\ny\"\n3,4,5\n", none), (1, vec![(FaultCode::LongRow, 4, "3,4,5".into())]));
    assert_eq!(rejected("a,b\n1,\"x\"y\n3,4\n", none), (1, vec![(FaultCode::StrayQuote, 2, "1,\"x\"y".into())]));
    assert_eq!(rejected("a,b\n1,\"x\n3,4\n", none), (1, vec![(FaultCode::UnclosedQuote, 2, "1,\"x".into())]));
    assert_eq!(
        rejected("a,b\nx\0,1\n3,4\n", |o| o.nul = NulBytes::Reject),
        (1, vec![(FaultCode::NulByte, 2, "x\0,1".into())])
    );
    let typed = |o: &mut ReaderOptions| {
        o.types.insert("a".into(), "bigint".into());
    };
    assert_eq!(rejected("a,b\n1,2\n007,x\n3,4\n", typed), (2, vec![(FaultCode::BadValue, 3, "007,x".into())]));
    let outcome = read(b"a,b\n1,\xff\n3,x\n", 1000, &rejecting());
    assert_eq!(outcome.rejects[0].code, FaultCode::InvalidEncoding);
    assert_eq!(outcome.rejects[0].raw, b"1,\xff");
    assert_eq!(cells(&outcome), [["3", "x"]]);
}

#[test]
fn an_error_says_where_and_what_helps() {
    let options = ReaderOptions { threads: 1, ..ReaderOptions::default() };
    for (text, message, hint) in [
        (
            "a,b\n1,2\n3\n",
            "t: line 3, record 3, byte 8: 1 field where 2 columns are expected: \"3\"",
            "--short-rows pad",
        ),
        ("a,b\n1,\"x\n", "t: line 2, record 2, byte 4: a quote opened in this record is never closed", "--quote none"),
    ] {
        let error = read(text.as_bytes(), 1000, &options).error.unwrap();
        assert!(error.starts_with(message), "{error}");
        assert!(error.contains(hint), "{error}");
    }
    let mut typed = options.clone();
    typed.types.insert("b".into(), "int".into());
    let error = read(b"a,b\n1,x\n", 1000, &typed).error.unwrap();
    assert!(error.contains("t: line 2, record 2, column \"b\", byte 4: \"x\" is not a valid int32"), "{error}");
    assert!(error.contains("--type \"b=text\""), "{error}");
    let plain = CsvReaderBuilder::new().with_options(ReaderOptions { batch_size: 1, ..options });
    let late = plain.build(&b"a\n1\nx\n"[..]).unwrap().last().unwrap().unwrap_err();
    let late = Error::arrow("", late);
    assert!(matches!(late.kind(), ErrorKind::Data(fault) if fault.code == FaultCode::BadValue), "{late}");
    assert!(late.to_string().contains("--type \"a=text\""), "{late}");
}

#[test]
fn limits_on_rejects_hold() {
    let text = b"a,b\n1\n2\n3,4\n";
    let limited = |change: fn(&mut ReaderOptions)| {
        let mut options = rejecting();
        change(&mut options);
        read(text, 1000, &options).error
    };
    assert_eq!(limited(|o| o.max_rejects = Some(2)), None);
    assert!(limited(|o| o.max_rejects = Some(1)).unwrap().contains("--max-rejects 1"));
    assert_eq!(limited(|o| o.max_reject_ratio = Some(0.7)), None);
    assert!(limited(|o| o.max_reject_ratio = Some(0.5)).unwrap().contains("2 of 3 rows"));
}

#[test]
fn a_late_value_widens_its_column() {
    for (later, expected) in
        [("1.5", "Float64"), ("12345678901234567890", "Decimal128(38, 0)"), ("x", "Utf8"), ("007", "Utf8")]
    {
        let text = format!("n,e\n1,\n2,\n{later},7\n");
        for batch_size in [1, 2, 100] {
            let options = ReaderOptions { batch_size, threads: 2, ..ReaderOptions::default() };
            let outcome = read(text.as_bytes(), 5, &options);
            assert_eq!(outcome.schema, [format!("n {expected}"), "e Int64".to_owned()]);
            assert_eq!(outcome.rows.len(), 3);
        }
        let options = ReaderOptions { infer: Infer::Full, batch_size: 1, ..ReaderOptions::default() };
        let reader = CsvReaderBuilder::new().with_options(options).build(Trickle(text.into_bytes(), 0, 3)).unwrap();
        assert_eq!(reader.schema().field(0).data_type().to_string(), expected);
        assert_eq!(reader.map(|batch| batch.unwrap().num_rows()).sum::<usize>(), 3);
    }
    let options = ReaderOptions { on_type_change: OnTypeChange::Reject, batch_size: 1, ..rejecting() };
    let outcome = read(b"n\n1\nx\n2\n", 5, &options);
    assert_eq!((outcome.rows.len(), outcome.rejects.len()), (2, 1));
}

#[test]
fn several_inputs_are_one_table() {
    let sources = |texts: &[&'static str]| {
        texts.iter().enumerate().map(|(i, text)| Source::reader(format!("f{i}"), text.as_bytes())).collect::<Vec<_>>()
    };
    let options = ReaderOptions { filename: Some("file".into()), ..ReaderOptions::default() };
    let mut input = CsvInput::new(sources(&["a,b\n1,x\n", "", "B,c\ny,2\n", "c\n"]), options).unwrap();
    let batches: Vec<RecordBatch> = input.open().unwrap().map(Result::unwrap).collect();
    assert!(input.restart(), "c has no value in the first file, so its type is found later");
    drop(batches);
    let mut reader = input.open().unwrap();
    let schema = reader.schema();
    let batches: Vec<RecordBatch> = reader.by_ref().map(Result::unwrap).collect();
    let batch = concat_batches(&schema, &batches).unwrap();
    assert_eq!(schema.field(2).data_type(), &DataType::Int64);
    assert_eq!(batch.column(2).as_primitive::<Int64Type>().value(1), 2);
    let rows = rows_of(&batch);
    let row = |cells: [Option<&str>; 4]| cells.map(|cell| cell.map(str::to_owned)).to_vec();
    assert_eq!(rows, [row([Some("1"), Some("x"), None, Some("f0")]), row([None, Some("y"), Some("2"), Some("f2")])]);
    assert_eq!(reader.summary().files[2].missing_columns, ["a"]);
}

/// Texts that are few and texts that turn out not to be, in every manner of being written.
fn few_and_many(rows: usize) -> String {
    let mut text = String::from("id,few,null,quoted,late,long,many\n");
    for row in 0..rows {
        let few = ["N", "ASTRONOMY", "a text of just thirty-two bytes.", "ä"][row % 4];
        let null = ["x", "", "\"\"", "NULL"][row % 4];
        let quoted = ["\"a,b\"", "\"say \"\"so\"\"\"", "bare", "\"two\nlines\""][row % 4];
        // Few until well behind the places that the sample is taken from.
        let late = if row < 12_000 { "same".to_owned() } else { format!("v{}", row * 7919 % 9973) };
        let long = ["short", "a text of more than thirty-two bytes; it is long"][row % 2];
        text.push_str(&format!("{row},{few},{null},{quoted},{late},{long},m{row}\n"));
    }
    text
}

#[test]
fn dictionaries_hold_the_same_texts() {
    let text = few_and_many(20_000);
    let read = |dictionaries: bool, options: &ReaderOptions| {
        let mut input = CsvInput::new(
            vec![Source::reader("input", Trickle(text.clone().into_bytes(), 0, 1 << 20))],
            options.clone(),
        )
        .unwrap();
        if dictionaries {
            input = input.with_dictionaries();
        }
        let stream = input.open().unwrap();
        let schema = stream.schema();
        let rows: Vec<_> = stream.flat_map(|batch| rows_of(&batch.unwrap())).collect();
        (schema, rows)
    };
    for decoder in [DecoderChoice::Columnar, DecoderChoice::ArrowCsv] {
        for (batch_size, threads) in [(122_880, 2), (5_000, 1), (1_000, 3)] {
            for null_values in [PerColumn::default(), PerColumn::all(["NULL"])] {
                let options = ReaderOptions { decoder, batch_size, threads, null_values, ..ReaderOptions::default() };
                let (plain, expected) = read(false, &options);
                let (coded, rows) = read(true, &options);
                assert_eq!(rows, expected, "{options:?}");
                assert_eq!(rows.len(), 20_000);
                let dictionaries: Vec<&str> = coded
                    .fields()
                    .iter()
                    .filter(|field| field.data_type() != plain.field_with_name(field.name()).unwrap().data_type())
                    .map(|field| field.name().as_str())
                    .collect();
                let late: &[&str] = if batch_size > 12_000 { &[] } else { &["late"] };
                assert_eq!(dictionaries, [&["few", "null", "quoted"][..], late].concat());
            }
        }
    }
    // A sample that is too small says nothing.
    let options = ReaderOptions { batch_size: 999, ..ReaderOptions::default() };
    assert_eq!(read(true, &options), read(false, &options));
}

/// Rows of a hostile file: mostly ordinary, some of every kind of odd.
fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let field = prop_oneof![
        4 => "[0-9]{1,4}", 2 => "-?[0-9]{1,17}", 2 => "[0-9]{1,9}\\.[0-9]{1,9}", 2 => "[a-zé]{0,20}", 1 => Just(String::new()),
        1 => Just("\"\"".to_owned()), 1 => Just("\"a,\nb\"".to_owned()), 1 => Just("\"x\"\"y\"".to_owned()),
        1 => Just("NA".to_owned()), 1 => Just("true".to_owned()), 1 => Just("2024-02-29".to_owned()),
        1 => Just("2024-02-31".to_owned()), 1 => Just("2024-01-01 10:00:00.5".to_owned()), 1 => Just("\"7\"".to_owned()),
    ];
    let row = (proptest::collection::vec(field, 3), 0u8..60).prop_map(|(fields, odd)| {
        let mut row = fields.join(",").into_bytes();
        match odd {
            0 => row.extend(b",9"),
            1 => row = b"1,2".to_vec(),
            2 => row.extend(b" 5\" x"),
            3 => row = b"\"a\"b,1,2".to_vec(),
            4 => row = Vec::new(),
            5 => row.extend(b"\xff"),
            6 => row = b"1,\"2,3".to_vec(),
            7 => row.push(0),
            _ => {}
        }
        row.extend_from_slice(match odd {
            8 => b"\r\n",
            9 => b"\r",
            _ => b"\n",
        });
        row
    });
    proptest::collection::vec(row, 0..30).prop_map(|rows| [b"a,b,c\n".to_vec(), rows.concat()].concat())
}

/// Values of typed columns as they come: most short and plain, some longer, NULL, in quotes, or of no such type.
fn values() -> impl Strategy<Value = Vec<[String; 4]>> {
    let whole = prop_oneof![
        20 => (-99_999i64..99_999_999).prop_map(|n| n.to_string()),
        1 => any::<i32>().prop_map(|n| n.to_string()),
        1 => prop_oneof![Just("007"), Just("-0"), Just("+1"), Just("1x"), Just("\"12\""), Just("99999999999"), Just("")]
            .prop_map(str::to_owned),
    ];
    let float = prop_oneof![
        20 => (-99_999i32..999_999, 0usize..4).prop_map(|(n, places)| format!("{:.places$}", f64::from(n) / 100.0)),
        1 => any::<f64>().prop_map(|n| n.to_string()),
        1 => prop_oneof![
            Just("1."), Just(".5"), Just("-0"), Just("-0.0"), Just("1.2.3"), Just("1e5"), Just("00.5"), Just("nan"), Just(""),
        ]
        .prop_map(str::to_owned),
    ];
    let date = prop_oneof![
        20 => (1582u16..2200, 1u8..13, 1u8..32).prop_map(|(year, month, day)| format!("{year}-{month:02}-{day:02}")),
        1 => prop_oneof![Just("2000-02-29"), Just("2024/01/01"), Just("2024-1-1"), Just("0000-00-00"), Just("")]
            .prop_map(str::to_owned),
    ];
    let row = (whole.clone(), whole, float, date).prop_map(|(a, b, c, d)| [a, b, c, d]);
    proptest::collection::vec(row, 1..400)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn many_values_at_once_are_the_same_values(rows in values(), batch_size in 1usize..500, quoted: bool) {
        let mut text = String::from("a,b,c,d,e\n");
        for [a, b, c, d] in &rows {
            let e = if quoted { "\"x,y\"" } else { "x" };
            text.push_str(&format!("{a},{b},{c},{d},{e}\n"));
        }
        let types = [("a", "bigint"), ("b", "int"), ("c", "double"), ("d", "date")];
        let types = types.map(|(name, kind)| (name.to_owned(), kind.to_owned())).into();
        let options = ReaderOptions { types, batch_size, ..rejecting() };
        let reference = read(text.as_bytes(), usize::MAX, &ReaderOptions { decoder: DecoderChoice::ArrowCsv, ..options.clone() });
        let columnar = read(text.as_bytes(), usize::MAX, &ReaderOptions { decoder: DecoderChoice::Columnar, ..options });
        prop_assert_eq!(columnar, reference);
    }

    #[test]
    fn text_is_what_the_reference_tokenizer_finds(
        text in hostile(), trickle in 1usize..100, block_size in 1usize..100, batch_size in 1usize..9, columnar: bool,
    ) {
        let decoder = if columnar { DecoderChoice::Columnar } else { DecoderChoice::ArrowCsv };
        let options = ReaderOptions {
            all_text: true, header: Header::Absent, decoder, block_size, batch_size, names: Some(vec!["x".into(), "y".into(), "z".into()]),
            ..rejecting()
        };
        let rows = reference::rows(&text, b',');
        // What follows an unclosed quote is read again from the next line: another rule, with a test of its own.
        prop_assume!(!rows.iter().any(|row| row.unclosed));
        let valid = |row: &&reference::Row| row.cells.iter().all(|cell| std::str::from_utf8(&cell.0).is_ok());
        let good = rows.iter().filter(|row| row.cells.len() == 3 && !row.stray).filter(valid);
        let expected: Vec<Vec<Option<String>>> = good
            .map(|row| {
                let null = |cell: &&reference::Cell| !cell.0.is_empty() || cell.1;
                let text = |cell: &reference::Cell| String::from_utf8(cell.0.clone()).unwrap();
                row.cells.iter().map(|cell| Some(cell).filter(null).map(text)).collect()
            })
            .collect();
        let outcome = read(&text, trickle, &options);
        prop_assert_eq!(outcome.error, None);
        prop_assert_eq!(outcome.rows, expected);
        let blank = rows.iter().filter(|row| row.blank).count() as u64;
        prop_assert_eq!(outcome.counts.2, blank);
        prop_assert_eq!(outcome.counts.0 + outcome.counts.1 + blank, rows.len() as u64);
    }

    #[test]
    fn the_same_answer_at_any_setting(
        text in hostile(), trickle in 1usize..300, block_size in 1usize..300, batch_size in 1usize..12,
        batch_bytes in 20usize..4000, threads in 1usize..4, pad: bool, merge: bool, null: bool, typed: bool,
    ) {
        let mut options = rejecting();
        options.short_rows = if pad { ShortRows::Pad } else { ShortRows::Error };
        options.long_rows = if merge { LongRows::MergeLast } else { LongRows::Error };
        if null {
            options.null_values = PerColumn::all(["NA", "7"]);
        }
        if typed {
            options.types = [("a".to_owned(), "double".to_owned()), ("b".to_owned(), "int".to_owned())].into();
        }
        let reference = read(&text, usize::MAX, &ReaderOptions { decoder: DecoderChoice::ArrowCsv, ..options.clone() });
        let columnar = read(&text, usize::MAX, &ReaderOptions { decoder: DecoderChoice::Columnar, ..options.clone() });
        prop_assert_eq!(&columnar, &reference);
        let other = ReaderOptions { block_size, batch_size, batch_bytes, threads, ..options };
        prop_assert_eq!(&read(&text, trickle, &other), &reference);
        let skipped = read(&text, trickle, &ReaderOptions { on_error: OnError::Skip, ..other });
        prop_assert_eq!(skipped.counts, reference.counts);
    }
}
