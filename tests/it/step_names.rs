//! Odd names, and texts that would like to be SQL: each is one name or one value, whatever it holds.

use duckstream::{SqlProcessor, Step};
use serde_json::{Value, json};

use crate::step_csv::Bench;

#[test]
fn any_step_id_is_a_table() {
    let names = [
        "order",
        "a\"b",
        "Ünï",
        "x y",
        "a.b",
        "t; DROP TABLE keep; --",
        "it's",
        "select",
        "\"; DROP TABLE keep; --",
        "1",
    ];
    let bench = Bench::new();
    bench.extract("keep", "a\n1\n", json!({})).unwrap();
    for name in names {
        bench.extract(name, "a\n7\n", json!({})).unwrap();
        assert_eq!(bench.write(name, json!({})), "a\n7\n", "{name}");
        let quoted = name.replace('"', "\"\"");
        let step = format!("sql of {name}");
        let config = json!({"query": format!("SELECT * FROM \"{quoted}\"")});
        let result = SqlProcessor.run(&step, config, json!({"from": name}), &bench.ctx).unwrap();
        assert_eq!(result, json!({"table": step, "rows": 1}), "{name}");
        assert_eq!(bench.write(&step, json!({})), "a\n7\n", "{name}");
    }
    assert_eq!(bench.count("SELECT count(*) FROM keep"), 1);
    // These, what was made of them by SQL, and the one that was to be kept; nothing else.
    assert_eq!(bench.count("SELECT count(*) FROM duckdb_tables()"), 2 * names.len() as i64 + 1);
    assert_eq!(bench.count("SELECT count(*) FROM duckdb_views() WHERE NOT internal"), 0);
}

#[test]
fn any_column_name_survives() {
    let bench = Bench::new();
    let names = ["order", "\"a\"\"b\"", "Ünï", "\"x; DROP TABLE keep\"", "it's"];
    let many: Vec<String> = (0..200).map(|n| format!("x y {n:03}")).collect();
    let header = names.map(str::to_owned).into_iter().chain(many).collect::<Vec<_>>().join(",");
    let row = (0..205).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
    let text = format!("{header}\n{row}\n");
    bench.extract("wide", &text, json!({})).unwrap();
    let written = bench.write("wide", json!({"skip_sorting": true}));
    // Quotes only where they are needed.
    assert_eq!(written, text.replace("\"x; DROP TABLE keep\"", "x; DROP TABLE keep"));
}

#[test]
fn one_query_and_nothing_else() {
    let bench = Bench::new();
    bench.extract("keep", "a\n1\n", json!({})).unwrap();
    for query in [
        "SELECT 1; DROP TABLE keep",
        "DROP TABLE keep",
        "SELECT 1) ; DROP TABLE keep; SELECT (1",
        "INSERT INTO keep VALUES (2)",
        "COPY keep TO 'x.csv'",
        "ATTACH 'x.duckdb'",
        "",
        "-- nothing",
    ] {
        let result = SqlProcessor.run("s", json!({"query": query}), Value::Null, &bench.ctx);
        assert!(result.is_err(), "{query}");
    }
    assert_eq!(bench.count("SELECT sum(a)::BIGINT FROM keep"), 1);
    assert_eq!(bench.count("SELECT count(*) FROM duckdb_tables()"), 1);
    for config in [
        json!({"delimiter": "x'; DROP TABLE keep; --"}),
        json!({"types": {"a": "int64); DROP TABLE keep; --"}}),
        json!({"names": ["a\"); DROP TABLE keep; --"]}),
        json!({"filename": "f\"; DROP TABLE keep; --"}),
        json!({"null_values": ["'; DROP TABLE keep; --"]}),
        json!({"mode": "merge", "key": ["a\"; DROP TABLE keep; --"]}),
    ] {
        // Whether it is taken or refused: it is not run.
        let _ = bench.extract("other", "a\n1\n", config);
        assert_eq!(bench.count("SELECT sum(a)::BIGINT FROM keep"), 1);
    }
}
