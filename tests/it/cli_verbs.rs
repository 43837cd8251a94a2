//! Each verb from the outside: stdout, stderr, exit code.

use serde_json::{Value, json};

use crate::cli_support::Cli;

const PEOPLE: &str = "name,born,city\nEmmy,1882,Erlangen\nAda,1815,\nSofja,1850,\"\"\n";
const SORTED: &str = "born,city,name\n1882,Erlangen,Emmy\n1815,,Ada\n1850,\"\",Sofja\n";

#[test]
fn a_file_goes_in_and_comes_back_sorted() {
    let cli = Cli::new();
    cli.write("people.csv", PEOPLE);
    let load = cli.expect(0, &["load", "people.csv", "--db", "f.duckdb"]);
    assert_eq!(load.stdout, "");
    assert!(load.stderr.starts_with("loaded 3 rows into \"people\" (f.duckdb) in "), "{}", load.stderr);
    let export = cli.expect(0, &["export", "--db", "f.duckdb", "people", "out.csv"]);
    assert_eq!(export.stdout, "");
    assert_eq!(cli.read("out.csv"), SORTED);
    for arguments in [
        &["export", "--db", "f.duckdb", "people", "-", "-q"][..],
        &["export", "--db", "f.duckdb#people", "-", "-q"],
        &["export", "--db", "f.duckdb#main.people", "-o", "-", "-q"],
        &["export", "--db", "f.duckdb", "--table", "people", "-", "-q"],
        &["export", "people", "--db", "f.duckdb", "-o", "-", "-q"],
        &["export", "--db", "f.duckdb", "--sql", "SELECT * FROM people", "-", "-q"],
    ] {
        let ran = cli.expect(0, arguments);
        assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), (SORTED, ""), "{arguments:?}");
    }
    let picked =
        cli.expect(0, &["export", "--db", "f.duckdb", "people", "-", "-q", "--columns", "name,born", "-d", ";"]);
    assert_eq!(picked.stdout, "name;born\nEmmy;1882\nAda;1815\nSofja;1850\n");
    let table = cli.expect(0, &["export", "--db", "f.duckdb", "people", "-", "-q", "--column-order", "table"]);
    assert_eq!(table.stdout, PEOPLE);
}

#[test]
fn stdin_and_stdout_are_dashes() {
    let cli = Cli::new();
    let ran = cli.feed(&["load", "-", "--db", "f.duckdb", "--table", "t", "-q"], PEOPLE);
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (Some(0), "", ""));
    let ran = cli.feed(&["convert", "-", "-", "-q"], PEOPLE);
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (Some(0), PEOPLE, ""));
    // With data on stdout, the result object is on stderr.
    let ran = cli.feed(&["convert", "-", "-", "-q", "--json"], PEOPLE);
    assert_eq!(ran.stdout, PEOPLE);
    assert_eq!(serde_json::from_str::<Value>(&ran.stderr).unwrap()["rows"], 3);
    // A table needs a name.
    let ran = cli.feed(&["load", "-", "--db", "f.duckdb"], PEOPLE);
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("--table"), "{}", ran.stderr);
}

#[test]
fn exit_codes_tell_what_happened() {
    let cli = Cli::new();
    cli.write("people.csv", PEOPLE).write("bad.csv", "a,b\n1,2\n3\n").write("cut.csv.gz", "\x1f\u{8b}");
    std::fs::write(cli.path("cut.csv.gz"), [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1]).unwrap();
    std::fs::write(cli.path("binary.csv"), b"a\n\xff\xfe\xfd\n").unwrap();
    cli.write("no.duckdb", "this is not a database, whatever its name says\n");
    cli.expect(0, &["load", "people.csv", "--db", "f.duckdb"]);
    let cases: &[(i32, &[&str], &str)] = &[
        (2, &["load"], "required"),
        (2, &["lod"], "'load'"),
        (2, &["load", "people.csv"], "--db is missing"),
        (2, &["load", "people.csv", "--db", "f.duckdb", "--delimter", ";"], "'--delimiter'"),
        (2, &["load", "people.csv", "--db", "f.duckdb#x", "--threads", "two"], "option 'threads'"),
        (2, &["load", "people.csv", "--db", "f.duckdb#x", "--table", "y"], "given twice"),
        (2, &["load", "people.csv", "--db", "f.duckdb#x", "--mode", "merge"], "--key"),
        (2, &["load", "people.csv", "--db", "f.duckdb#x", "--mode", "repace"], "replace"),
        (2, &["load", "x.parquet", "--db", "f.duckdb"], "convert reads parquet"),
        (2, &["export", "--db", "f.duckdb", "people"], "TABLE before OUTPUT"),
        (2, &["export", "--db", "f.duckdb", "people", "x.csv", "--sql", "SELECT 1"], "not both"),
        (2, &["export", "--db", "f.duckdb", "people", "x.arrow", "--quoting", "all"], "'quoting' is for CSV"),
        (2, &["export", "--db", "f.duckdb", "--sql", "DROP TABLE people", "x.csv"], "one SELECT"),
        (2, &["export", "--db", "f.duckdb", "--sql", "SELECT 1; DROP TABLE people", "x.csv"], "one SELECT"),
        (2, &["convert", "people.csv"], "Give OUTPUT"),
        (2, &["convert", "people.csv", "x.xlsx", "--to", "xlsx"], "none of csv, tsv, parquet, arrow"),
        (4, &["load", "bad.csv", "--db", "f.duckdb"], "line 3"),
        (3, &["load", "bad.csv", "--db", "f.duckdb#b3", "--on-error", "skip"], "1 row was rejected"),
        (0, &["load", "bad.csv", "--db", "f.duckdb#b0", "--on-error", "skip", "--allow-rejects"], "1 row was rejected"),
        (4, &["load", "bad.csv", "--db", "f.duckdb#b4", "--on-error", "skip", "--max-rejects", "0"], "--max-rejects 0"),
        (5, &["load", "none.csv", "--db", "f.duckdb"], "CSV file not found: none.csv"),
        (5, &["load", "cut.csv.gz", "--db", "f.duckdb#c"], "cut short"),
        (5, &["load", "binary.csv", "--db", "f.duckdb#c", "--encoding", "utf-8"], "--encoding"),
        (5, &["convert", "none.csv", "x.csv"], "CSV file not found: none.csv"),
        (5, &["sniff", "none.csv"], "CSV file not found: none.csv"),
        (5, &["run", "none.yaml"], "none.yaml"),
        (6, &["load", "people.csv", "--db", "f.duckdb"], "--mode append"),
        (6, &["load", "people.csv", "--db", "no.duckdb"], "no.duckdb"),
        (6, &["export", "--db", "f.duckdb", "peeple", "x.csv"], "Table 'peeple' does not exist in DuckDB"),
        (6, &["export", "--db", "none.duckdb", "people", "x.csv"], "none.duckdb does not exist"),
        (6, &["export", "--db", "f.duckdb", "people", "people.csv", "--if-exists", "error"], "exists already"),
        (0, &["export", "--db", "f.duckdb", "people", "people.csv", "--if-exists", "skip"], "nothing was done"),
        (0, &["--help"], ""),
        (0, &["load", "--help"], ""),
        (0, &["--version"], ""),
    ];
    for (code, arguments, words) in cases {
        let ran = cli.expect(*code, arguments);
        assert!(ran.stderr.contains(words), "{arguments:?}: {}", ran.stderr);
        if *code != 0 {
            assert_eq!(ran.stdout, "", "{arguments:?}");
        }
    }
    // Nothing that failed left anything.
    assert!(cli.files().iter().all(|name| !name.starts_with('.') && !name.starts_with("x.")), "{:?}", cli.files());
    for table in ["bad", "b4", "c", "x"] {
        assert!(!cli.has_table("f.duckdb", table), "{table}");
    }
    assert_eq!(cli.read("people.csv"), PEOPLE);
}

#[test]
fn a_first_load_that_fails_leaves_no_database() {
    let cli = Cli::new();
    cli.write("bad.csv", "a,b\n1,2\n3\n");
    cli.expect(4, &["load", "bad.csv", "--db", "new.duckdb"]);
    cli.expect(5, &["load", "none.csv", "--db", "new.duckdb"]);
    assert_eq!(cli.files(), ["bad.csv"]);
}

#[test]
fn one_object_says_what_was_done() {
    let cli = Cli::new();
    cli.write("people.csv", PEOPLE);
    let ran = cli.expect(0, &["load", "people.csv", "--db", "f.duckdb", "--json", "-q", "--metrics", "m.jsonl"]);
    let object: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(object["ok"], true);
    assert_eq!((&object["rows"], &object["rejected"], &object["rows_after"]), (&json!(3), &json!(0), &json!(3)));
    assert_eq!(object["columns"][1], json!({"name": "born", "type": "BIGINT"}));
    assert_eq!(ran.stderr, "");
    let ran = cli.expect(6, &["load", "people.csv", "--db", "f.duckdb", "--json", "-q", "--metrics", "m.jsonl"]);
    let object: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(
        (&object["ok"], &object["exit_code"], &object["error"]["kind"]),
        (&json!(false), &json!(6), &json!("target"))
    );
    let lines: Vec<Value> = cli.read("m.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let events: Vec<&str> = lines.iter().map(|line| line["event"].as_str().unwrap()).collect();
    assert_eq!(events, ["run_start", "file_end", "run_end", "run_start", "failed"]);
    assert_eq!(lines[2]["rows"], 3);
}

#[test]
fn a_flag_beats_the_environment_beats_the_file() {
    let cli = Cli::new();
    cli.write("a.csv", "x;y|z\n1;2|3\n").write("c.yaml", "convert: {sep: ';'}\ndelimiter: '!'\n");
    let run = |variable: Option<&str>, more: &[&str]| {
        let arguments = [&["convert", "a.csv", "-", "-q"], more].concat();
        let mut command = cli.command(&arguments);
        if let Some(value) = variable {
            command.env("DUCKSTREAM_DELIMITER", value);
        }
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    assert_eq!(run(None, &[]), "x;y|z\n1;2|3\n");
    assert_eq!(run(None, &["--config", "c.yaml"]), "x,y|z\n1,2|3\n");
    assert_eq!(run(Some("|"), &["--config", "c.yaml"]), "x;y,z\n1;2,3\n");
    assert_eq!(run(Some("|"), &["--config", "c.yaml", "-d", ";"]), "x,y|z\n1,2|3\n");
    let printed =
        cli.expect(0, &["load", "a.csv", "--db", "f.duckdb", "--print-config", "-d", ";", "--mode", "append"]);
    let object: Value = serde_json::from_str(&printed.stdout).unwrap();
    assert_eq!((&object["load"]["delimiter"], &object["load"]["mode"]), (&json!(";"), &json!("append")));
    assert!(!cli.path("f.duckdb").exists());
    // What is printed is a config file.
    cli.write("printed.yaml", &printed.stdout);
    let again = cli.expect(0, &["load", "a.csv", "--print-config", "--config", "printed.yaml"]);
    assert_eq!(again.stdout, printed.stdout);
    cli.write("wrong.yaml", "load: {delimter: x}\n");
    let wrong = cli.expect(2, &["load", "a.csv", "--db", "f.duckdb", "--config", "wrong.yaml"]);
    assert!(
        wrong.stderr.contains("wrong.yaml: load: unknown option 'delimter': did you mean 'delimiter'?"),
        "{wrong:?}"
    );
}

#[test]
fn conversions_keep_text_order_and_header() {
    let cli = Cli::new();
    let odd = "b,a\n007,+1\n1_000, x \n,\"\"\n";
    cli.write("odd.csv", odd).write("bare.csv", "1,2\n3,4\n").write("t.tsv", "a\tb\n1,5\t2\n");
    let convert = |arguments: &[&str]| cli.expect(0, &[&["convert"], arguments, &["-q"]].concat());
    assert_eq!(convert(&["odd.csv", "-"]).stdout, odd);
    assert_eq!(convert(&["bare.csv", "-", "-n"]).stdout, "1,2\n3,4\n");
    assert_eq!(convert(&["t.tsv", "-"]).stdout, "a,b\n\"1,5\",2\n");
    for middle in ["m.csv.gz", "m.csv.zst", "m.csv.bz2", "m.csv.xz", "m.tsv", "m.parquet", "m.arrow"] {
        convert(&["odd.csv", middle, "--all-text"]);
        assert_eq!(convert(&[middle, "-"]).stdout, odd, "{middle}");
    }
    // Several inputs, by name; types where a format has them.
    cli.write("one.csv", "a,b\n1,x\n").write("two.csv", "b,a\ny,2.5\n");
    convert(&["one.csv", "two.csv", "both.parquet"]);
    assert_eq!(convert(&["both.parquet", "-"]).stdout, "a,b\n1.0,x\n2.5,y\n");
}

#[test]
fn a_conversion_keeps_its_rejects_in_a_file() {
    let cli = Cli::new();
    cli.write("bad.csv", "a,b\n1,2\n3\n4,5\n");
    cli.expect(3, &["convert", "bad.csv", "good.csv", "--rejects", "bad.jsonl", "-q"]);
    assert_eq!(cli.read("good.csv"), "a,b\n1,2\n4,5\n");
    let lines: Vec<Value> = cli.read("bad.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0]["line_start"], 3);
    cli.expect(2, &["convert", "bad.csv", "good.csv", "--rejects", "bad_rows", "-q"]);
}

#[test]
fn a_look_shows_columns_and_types() {
    let cli = Cli::new();
    cli.write("de.csv", "tag;preis\n2013-01-01;10\n2013-01-02;\n");
    let ran = cli.expect(0, &["sniff", "de.csv", "--json", "-q"]);
    let object: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(object["delimiter"], ";");
    assert_eq!(object["header"], true);
    assert_eq!(object["columns"], json!([{"name": "tag", "type": "Date32"}, {"name": "preis", "type": "Int64"}]));
    assert_eq!(object["first_rows"], json!([["2013-01-01", "10"], ["2013-01-02", null]]));
    let ran = cli.expect(0, &["sniff", "de.csv", "-q"]);
    assert!(ran.stdout.contains("tag    Date32  2013-01-01  2013-01-02\n"), "{}", ran.stdout);
    let ran = cli.feed(&["sniff", "-", "-q", "--rows", "0"], "a,b\n1,2\n");
    assert!(ran.stdout.contains("a     Int64\n"), "{}", ran.stdout);
}

#[test]
fn progress_is_lines_where_it_is_asked_for() {
    let cli = Cli::new();
    cli.write("people.csv", PEOPLE);
    let ran = cli.expect(0, &["load", "people.csv", "--db", ":memory:", "--progress", "json", "-q"]);
    let last: Value = serde_json::from_str(ran.stderr.lines().last().unwrap()).unwrap();
    assert_eq!((&last["stage"], &last["fraction"], &last["rows"]), (&json!("done"), &json!(1.0), &json!(3)));
    let ran = cli.expect(0, &["load", "people.csv", "--db", ":memory:", "--progress", "plain", "-q"]);
    assert!(ran.stderr.starts_with("100.0 % · 3 rows"), "{}", ran.stderr);
    // No terminal, no bar.
    let ran = cli.expect(0, &["load", "people.csv", "--db", ":memory:", "-q"]);
    assert_eq!(ran.stderr, "");
    let ran = cli.expect(2, &["load", "people.csv", "--db", ":memory:", "--progress", "baar"]);
    assert!(ran.stderr.contains("option 'progress'"), "{}", ran.stderr);
}

#[test]
fn shells_get_completions() {
    let cli = Cli::new();
    for shell in ["bash", "zsh", "fish"] {
        let ran = cli.expect(0, &["completions", shell]);
        assert!(ran.stdout.contains("null-values"), "{shell}");
    }
    cli.expect(2, &["completions", "cmd"]);
}

#[test]
fn what_only_an_output_has_needs_no_prefix() {
    let cli = Cli::new();
    cli.write("a.csv", "b,a\n1,\u{20ac}\n");
    let convert = |more: &[&str]| cli.run(&[&["convert", "a.csv", "-", "-q"], more].concat());
    assert_eq!(convert(&["--column-order", "table", "--newline", "crlf"]).stdout, "b,a\r\n1,\u{20ac}\r\n");
    assert_eq!(convert(&["--out-encoding", "ascii", "--unmappable", "replace"]).stdout, "b,a\n1,?\n");
    let ran = convert(&["--out-encoding", "ascii"]);
    assert_eq!(ran.code, Some(4), "{}", ran.stderr);
    assert!(ran.stderr.contains("--unmappable replace"), "{}", ran.stderr);
}

#[test]
fn the_demo_of_the_readme_runs() {
    let cli = Cli::new();
    let flights = crate::util::fixture("demo/flights.csv");
    let flights = flights.to_str().unwrap();
    let loaded = cli.expect(0, &["load", flights, "--db", "d.duckdb", "--null-values", "NA"]);
    assert!(loaded.stderr.contains("loaded 100 rows into \"flights\""), "{}", loaded.stderr);
    let written = cli.expect(0, &["export", "--db", "d.duckdb", "flights", "out.csv"]);
    assert!(written.stderr.contains("wrote 100 rows"), "{}", written.stderr);
    assert_eq!(cli.read("out.csv").lines().count(), 101);
}

#[test]
fn columns_that_an_input_lacks_are_said() {
    let cli = Cli::new();
    cli.write("1.csv", "a,b\n1,2\n").write("2.csv", "a\n3\n4\n");
    let ran = cli.expect(0, &["load", "1.csv", "2.csv", "--db", "d.duckdb", "--table", "t"]);
    assert!(ran.stderr.contains("2.csv lacks b: NULL in its 2 rows"), "{}", ran.stderr);
}
