//! What users of other tools ask for, one small file each: the table that comes of it, or the error.

use arrow::array::RecordBatchReader;
use duckstream::{
    CsvInput, CsvLoad, CsvReaderBuilder, Database, Infer, LongRows, OnError, ReaderOptions, ShortRows, Source,
};
use proptest::prelude::*;

use crate::engine_support::rows;

type Options = fn(&mut ReaderOptions);

/// Loads a text; the types, and what a query says of the table `t`.
fn load(text: &str, change: Options, query: &str) -> Result<(String, String), String> {
    let mut options = ReaderOptions::default();
    change(&mut options);
    let database = Database::memory().unwrap();
    let source = Source::reader("t.csv", std::io::Cursor::new(text.as_bytes().to_vec()));
    let load = CsvLoad::new(vec![source], "t".parse().unwrap()).with_reader_options(options);
    let _ = load.run(&database).map_err(|error| error.to_string())?;
    let columns = database.columns(&"t".parse().unwrap()).unwrap().unwrap();
    let types: Vec<_> = columns.iter().map(|column| format!("{} {}", column.name, column.data_type)).collect();
    Ok((types.join(", "), rows(&database, query)))
}

const NONE: Options = |_| {};
const ALL: &str = "FROM t";

#[test]
fn what_becomes_of_a_file() {
    let many: String = (0..30_000).map(|n| format!("{n}\n")).collect();
    let late_quote = format!("a,b\n{}2,\"p,q\"\n", "1,x\n".repeat(25_000));
    let cases: &[(&str, String, Options, &str, &str, &str)] = &[
        (
            "1: no value changes: late spellings make the column text",
            format!("n\n{many}1.5\n007\n"),
            NONE,
            "SELECT n FROM t WHERE n IN ('1.5', '007', '7', '2') ORDER BY n",
            "n VARCHAR",
            "(007);(1.5);(2);(7)",
        ),
        (
            "2: a type may change late",
            format!("n\n{many}D1000263\n"),
            NONE,
            "SELECT count(*), max(n) FROM t",
            "n VARCHAR",
            "(30001, D1000263)",
        ),
        (
            "8: NULL, the empty text and the word NULL are three things",
            "a,b\n1,\n2,\"\"\n3,NULL\n".to_owned(),
            NONE,
            "SELECT a, b IS NULL, b = '', b = 'NULL' FROM t",
            "a BIGINT, b VARCHAR",
            "(1, true, NULL, NULL);(2, false, true, false);(3, false, false, true)",
        ),
        (
            "11: detection eats no line",
            "Report 2024\nx,y\n1,2\n".to_owned(),
            NONE,
            ALL,
            "Report 2024 VARCHAR, column_2 VARCHAR",
            "(x, y);(1, 2)",
        ),
        (
            "12: a quote that comes late is one",
            late_quote,
            NONE,
            "SELECT b FROM t WHERE a = 2",
            "a BIGINT, b VARCHAR",
            "(p,q)",
        ),
        (
            "17: identifiers keep their zeros and signs, quoted or not",
            "zip,plus,q\n00501,+1,\"001\"\n10001,+2,\"002\"\n".to_owned(),
            NONE,
            ALL,
            "zip VARCHAR, plus VARCHAR, q VARCHAR",
            "(00501, +1, 001);(10001, +2, 002)",
        ),
        (
            "18: twenty digits stay exact",
            "id\n12345678901234567890\n12345678901234567891\n".to_owned(),
            NONE,
            ALL,
            "id DECIMAL(38,0)",
            "(12345678901234567890);(12345678901234567891)",
        ),
        (
            "23: floats that would lose digits stay text, others are the nearest",
            "x,y\n1.05153,1\n0.1,123456789.123456789\n".to_owned(),
            NONE,
            ALL,
            "x DOUBLE, y VARCHAR",
            "(1.05153, 1);(0.1, 123456789.123456789)",
        ),
        (
            "24: instants in UTC, local times as they are, ambiguous dates as text",
            "t,u,v\n2024-07-01T10:00:00+02:00,2024-07-01 10:00,31/12/99\n".to_owned(),
            NONE,
            "SELECT CAST(t AS VARCHAR), CAST(u AS VARCHAR), v FROM t",
            "t TIMESTAMP WITH TIME ZONE, u TIMESTAMP, v VARCHAR",
            "(2024-07-01 08:00:00+00, 2024-07-01 10:00:00, 31/12/99)",
        ),
        (
            "27: blank, repeated and colliding names",
            "a,,A,a_2,a\n1,2,3,4,5\n".to_owned(),
            NONE,
            ALL,
            "a BIGINT, column_2 BIGINT, A_3 BIGINT, a_2 BIGINT, a_4 BIGINT",
            "(1, 2, 3, 4, 5)",
        ),
        (
            "28: ragged rows, padded and cut",
            "a,b\n1\n2,3,4\n5,6\n".to_owned(),
            |o| (o.short_rows, o.long_rows) = (ShortRows::Pad, LongRows::Truncate),
            ALL,
            "a BIGINT, b BIGINT",
            "(1, NULL);(2, 3);(5, 6)",
        ),
        (
            "29: Namibia stays, quoted numbers are numbers, t and f are letters",
            "cc,n,f\nNA,\"1\",t\nDE,\"2\",f\n".to_owned(),
            NONE,
            ALL,
            "cc VARCHAR, n BIGINT, f VARCHAR",
            "(NA, 1, t);(DE, 2, f)",
        ),
    ];
    for (name, text, options, query, types, expected) in cases {
        let (found, values) = load(text, *options, query).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!((found.as_str(), values.as_str()), (*types, *expected), "{name}");
    }
}

#[test]
fn what_is_refused_is_named() {
    let long = format!("a,b\n1,2\n4,{},6\n", "x".repeat(12_000));
    let cases: &[(&str, &str, Options, &[&str])] = &[
        ("3: a short row", "a,b\n1,2\n3\n", NONE, &["t.csv: line 3, record 3, byte 8", "\"3\"", "--short-rows pad"]),
        ("3: a long row", &long, NONE, &["line 3", "3 fields where 2 columns", "--long-rows truncate"]),
        ("4: a line end in quotes is no row", "a\n\"x\ny\"\nz,1\n", NONE, &["line 4, record 3", "z,1"]),
        ("6: a quote that never closes", "a,b\n1,\"x\n2,y\n", NONE, &["line 2", "never closed", "--quote none"]),
    ];
    for (name, text, options, words) in cases {
        let error = load(text, *options, ALL).expect_err(name);
        assert!(words.iter().all(|word| error.contains(word)), "{name}: {error}");
    }
}

#[test]
fn an_open_quote_costs_one_row() {
    let options = ReaderOptions { on_error: OnError::Reject, ..ReaderOptions::default() };
    let mut input = CsvInput::new(vec![Source::reader("t", &b"a,b\n1,\"x\n2,y\n3,z\n"[..])], options).unwrap();
    let rows: usize = input.open().unwrap().map(|batch| batch.unwrap().num_rows()).sum();
    let summary = input.summary();
    assert_eq!((rows, summary.rows, summary.rejected), (2, 2, 1));
}

/// Cells of all the kinds that inference tells apart.
fn cell() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec![
        "",
        "0",
        "7",
        "-12",
        "007",
        "1.5",
        "1e3",
        "12345678901234567890",
        "true",
        "FALSE",
        "2024-02-29",
        "2024-02-29 12:30:00",
        "2024-02-29T12:30:00Z",
        "12:30",
        "x",
    ])
}

fn types(columns: &[Vec<&str>], order: &[usize]) -> Vec<String> {
    let mut text = (0..columns.len()).map(|column| format!("c{column}")).collect::<Vec<_>>().join(",") + "\n";
    for &row in order {
        text.push_str(&(columns.iter().map(|cells| cells[row]).collect::<Vec<_>>().join(",") + "\n"));
    }
    let options = ReaderOptions { infer: Infer::Full, skip_blank_lines: false.into(), ..ReaderOptions::default() };
    let reader = CsvReaderBuilder::new().with_options(options).build(std::io::Cursor::new(text)).unwrap();
    reader.schema().fields().iter().map(|field| field.data_type().to_string()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn a_type_depends_on_the_values_of_its_column_alone(
        columns in (1usize..8).prop_flat_map(|rows| {
            proptest::collection::vec(proptest::collection::vec(cell(), rows), 2..5)
        }),
        turn in 0usize..8,
    ) {
        let forwards: Vec<usize> = (0..columns[0].len()).collect();
        let mut turned = forwards.clone();
        turned.rotate_left(turn % forwards.len());
        let backwards: Vec<usize> = forwards.iter().rev().copied().collect();
        let all = types(&columns, &forwards);
        prop_assert_eq!(&types(&columns, &turned), &all);
        prop_assert_eq!(&types(&columns, &backwards), &all);
        let reversed: Vec<_> = columns.iter().rev().cloned().collect();
        prop_assert_eq!(types(&reversed, &forwards).into_iter().rev().collect::<Vec<_>>(), all.clone());
        for (column, expected) in columns.iter().zip(&all) {
            let pair = [vec!["x"; column.len()], column.clone()];
            prop_assert_eq!(&types(&pair, &forwards)[1], expected);
        }
    }
}
