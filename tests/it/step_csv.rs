//! The scenarios that the steps were first made for, and the wording of their errors.

use std::path::PathBuf;

use duckstream::{Context, CsvStreamingExtractor, CsvStreamingWriter, DefaultContext, SqlProcessor, Step};
use serde_json::{Value, json};
use tempfile::TempDir;

pub struct Bench {
    folder: TempDir,
    pub ctx: DefaultContext,
}

impl Bench {
    pub fn new() -> Bench {
        let folder = TempDir::new().unwrap();
        let ctx = DefaultContext::open(folder.path().join("out")).unwrap();
        Bench { folder, ctx }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs an extractor over a text.
    pub fn extract(&self, step: &str, text: &str, mut config: Value) -> duckstream::Result<Value> {
        let path = self.path("in.csv");
        std::fs::write(&path, text).unwrap();
        config["path"] = json!(path);
        CsvStreamingExtractor.run(step, config, Value::Null, &self.ctx)
    }

    /// Runs a writer; the text of its file.
    pub fn write(&self, table: &str, mut config: Value) -> String {
        let path = self.path("out.csv");
        config["path"] = json!(path);
        let result = CsvStreamingWriter.run("write_csv", config, json!({"table": table}), &self.ctx).unwrap();
        assert_eq!(result, json!({}));
        std::fs::read_to_string(path).unwrap()
    }

    /// Names and types of a table's columns.
    pub fn columns(&self, table: &str) -> Vec<(String, String)> {
        let table = duckstream::TableName::new(table).unwrap();
        let columns = self.ctx.database().columns(&table).unwrap().unwrap();
        columns.into_iter().map(|column| (column.name, column.data_type)).collect()
    }

    pub fn count(&self, sql: &str) -> i64 {
        self.ctx.database().connect().unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
    }
}

fn numbers(rows: u64) -> String {
    std::iter::once("id,half,name\n".to_owned())
        .chain((0..rows).map(|row| format!("{row},{}.5,row {row}\n", row / 2)))
        .collect()
}

#[test]
fn several_chunks_make_one_table() {
    let bench = Bench::new();
    let result = bench.extract("extract", &numbers(10), json!({"batch_size": 3})).unwrap();
    assert_eq!(result, json!({"table": "extract", "rows": 10}));
    assert_eq!(bench.count("SELECT sum(id)::BIGINT FROM extract"), 45);
}

#[test]
fn ten_thousand_rows_go_through() {
    let bench = Bench::new();
    let text = numbers(10_000);
    let result = bench.extract("extract", &text, json!({"chunk_size": 1000})).unwrap();
    assert_eq!(result["rows"], 10_000);
    let sorted = bench.write("extract", json!({}));
    assert!(sorted.starts_with("half,id,name\n0.5,0,row 0\n0.5,1,row 1\n"), "{}", &sorted[..60]);
    assert_eq!(bench.write("extract", json!({"skip_sorting": true})), text);
    assert_eq!(bench.write("extract", json!({"sort_columns": false})), text);
}

#[test]
fn an_empty_file_makes_a_placeholder() {
    let bench = Bench::new();
    let result = bench.extract("extract", "", json!({})).unwrap();
    assert_eq!(result, json!({"table": "extract", "rows": 0}));
    assert_eq!(bench.columns("extract"), [("placeholder".to_owned(), "VARCHAR".to_owned())]);
    assert_eq!(bench.write("extract", json!({})), "placeholder\n");
}

#[test]
fn a_header_alone_makes_an_empty_table() {
    let bench = Bench::new();
    let result = bench.extract("extract", "b,a\n", json!({})).unwrap();
    assert_eq!(result["rows"], 0);
    let names: Vec<String> = bench.columns("extract").into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["b", "a"]);
    assert_eq!(bench.write("extract", json!({})), "a,b\n");
}

#[test]
fn other_delimiters_in_and_out() {
    let bench = Bench::new();
    bench.extract("extract", "b;a\n1,5;x\n", json!({"delimiter": ";"})).unwrap();
    assert_eq!(bench.write("extract", json!({"delimiter": "|"})), "a|b\nx|1,5\n");
    assert_eq!(bench.write("extract", json!({"newline": "crlf", "header": false})), "x,\"1,5\"\r\n");
}

#[test]
fn types_are_found_and_values_stay() {
    let bench = Bench::new();
    let text = "day,flag,id,price,time,zip\n2013-01-01,true,1,2.5,2013-01-01 10:00:00,007\n,,,,,\n";
    bench.extract("extract", text, json!({})).unwrap();
    let types: Vec<String> = bench.columns("extract").into_iter().map(|(_, kind)| kind).collect();
    assert_eq!(types, ["DATE", "BOOLEAN", "BIGINT", "DOUBLE", "TIMESTAMP", "VARCHAR"]);
    assert_eq!(bench.write("extract", json!({})), text);
}

#[test]
fn errors_keep_their_wording() {
    let bench = Bench::new();
    bench.extract("extract", "a\n1\n", json!({})).unwrap();
    let (extract, write, sql): (&dyn Step, &dyn Step, &dyn Step) =
        (&CsvStreamingExtractor, &CsvStreamingWriter, &SqlProcessor);
    let table = || json!({"table": "extract"});
    for (step, id, config, inputs, message) in [
        (extract, "extract", json!({}), Value::Null, "Step extract: 'path' is required in config"),
        (extract, "extract", json!({"path": ""}), Value::Null, "Step extract: 'path' is required in config"),
        (extract, "extract", json!({"path": "/none.csv"}), Value::Null, "Step extract: CSV file not found: /none.csv"),
        (
            extract,
            "extract",
            json!({"path": "x", "delimter": ";"}),
            Value::Null,
            "Step extract: unknown option 'delimter': did you mean 'delimiter'?",
        ),
        (write, "write_csv", json!({}), table(), "Step write_csv: 'path' is required in config"),
        (
            write,
            "write_csv",
            json!({"path": "x.csv"}),
            json!({"table": "x"}),
            "Step write_csv: Table 'x' does not exist in DuckDB",
        ),
        (
            write,
            "write_csv",
            json!({"path": "x.csv"}),
            json!({}),
            "Step write_csv: CSVStreamingWriter requires 'table' in inputs",
        ),
        (
            write,
            "write_csv",
            json!({"path": "x.csv", "skip_sorting": true, "sort_columns": true}),
            table(),
            "Step write_csv: 'skip_sorting' and 'sort_columns' contradict each other",
        ),
        (sql, "s", json!({}), Value::Null, "Step s: 'query' is required in config"),
        (sql, "s", json!({"query": "SELECT 1"}), json!({"t": "x"}), "Step s: Table 'x' does not exist in DuckDB"),
    ] {
        assert_eq!(step.run(id, config, inputs, &bench.ctx).unwrap_err().to_string(), message);
    }
}

#[test]
fn a_step_that_fails_leaves_the_old_table() {
    let bench = Bench::new();
    bench.extract("extract", "a\n1\n", json!({})).unwrap();
    bench.extract("extract", "a,b\n1,2\n3\n", json!({})).unwrap_err();
    assert_eq!(bench.count("SELECT count(*) FROM extract"), 1);
    bench.extract("extract", "a\n2\n3\n", json!({"mode": "append"})).unwrap();
    assert_eq!(bench.count("SELECT sum(a)::BIGINT FROM extract"), 6);
}
