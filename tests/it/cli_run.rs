//! Pipeline files, from the outside.

use serde_json::{Value, json};

use crate::cli_support::Cli;

const PIPELINE: &str = "\
steps:
  - id: flights
    type: csv.extract
    config: {path: in.csv, null_values: NA}
  - id: late
    type: sql
    config: {query: SELECT * FROM flights WHERE delay > 10}
    inputs: {table: flights}
  - id: write_late
    type: csv.write
    config: {path: deep/late.csv}
    inputs: {table: late}
  - id: keep
    type: parquet.write
    config: {path: late.parquet, sort_columns: false}
    inputs: {table: late}
";

#[test]
fn a_pipeline_runs_as_often_as_it_is_asked_to() {
    let cli = Cli::new();
    cli.write("in.csv", "to,delay\nIAH,11\nMIA,NA\nBQN,-18\nATL,25\n").write("p.yaml", PIPELINE);
    for _ in 0..2 {
        let ran = cli.expect(0, &["run", "p.yaml", "--output-dir", "out", "--json"]);
        let object: Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(
            object["steps"],
            json!({
                "flights": {"table": "flights", "rows": 4},
                "late": {"table": "late", "rows": 2},
                "write_late": {},
                "keep": {},
            })
        );
        assert!(ran.stderr.contains("late: 2 rows"), "{}", ran.stderr);
        assert_eq!(cli.read("deep/late.csv"), "delay,to\n11,IAH\n25,ATL\n");
    }
    let back = cli.expect(0, &["convert", "late.parquet", "-", "-q"]);
    assert_eq!(back.stdout, "to,delay\nIAH,11\nATL,25\n");
    assert!(cli.has_table("out/pipeline_data.duckdb", "flights"));
    let lines: Vec<Value> =
        cli.read("out/metrics.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let metric = |step: &str, name: &str| {
        let found = lines.iter().find(|line| line["step_id"] == step && line["name"] == name);
        found.map(|line| line["value"].clone())
    };
    assert_eq!(metric("flights", "rows_read"), Some(json!(4)));
    assert_eq!(metric("flights", "bytes_processed"), Some(json!(38)));
    assert_eq!(metric("late", "rows_written"), Some(json!(2)));
    assert_eq!(metric("write_late", "rows_written"), Some(json!(2)));
    assert!(metric("keep", "duration_ms").is_some());
    assert!(lines.iter().any(|line| line["event"] == "extraction.complete"));
}

#[test]
fn mistakes_are_found_before_anything_runs() {
    let cli = Cli::new();
    cli.write("in.csv", "a\n1\n");
    for (from, to, words) in [
        (
            "csv.write",
            "csv.wirte",
            "p.yaml: steps.write_late.type: unknown type 'csv.wirte': did you mean 'csv.write'?",
        ),
        ("null_values", "nul_values", "p.yaml: steps.flights.config.nul_values: unknown option"),
        ("sort_columns", "quoting", "p.yaml: steps.keep.config.quoting: option 'quoting' is for CSV"),
    ] {
        cli.write("p.yaml", &PIPELINE.replace(from, to));
        let ran = cli.expect(2, &["run", "p.yaml"]);
        assert!(ran.stderr.contains(words), "{}", ran.stderr);
    }
    assert_eq!(cli.files(), ["in.csv", "p.yaml"]);
}

#[test]
fn a_step_that_fails_names_itself_and_ends_the_run() {
    let cli = Cli::new();
    cli.write("in.csv", "to,delay\nIAH,11\n").write("p.yaml", &PIPELINE.replace("delay >", "dely >"));
    let ran = cli.expect(6, &["run", "p.yaml"]);
    assert!(ran.stderr.contains("error: Step late: "), "{}", ran.stderr);
    assert!(cli.has_table("output/pipeline_data.duckdb", "flights"));
    assert!(!cli.path("late.csv").exists());
    let events = cli.read("output/metrics.jsonl");
    assert!(events.lines().last().unwrap().contains("\"event\":\"failed\""), "{events}");
}
