//! CSV → DuckDB table and back, with DuckDB's own reader and writer beside ours, in one process and one run.
//!
//! `cargo bench --bench load -- FILE.csv [RUNS]`; medians, and the ratio DuckDB / ours: above 1 we are faster. Row counts
//! are asserted equal.

use std::path::Path;
use std::time::Instant;

use duckstream::{CsvExport, CsvLoad, Database, Query, Source};

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let Some(input) = arguments.next() else {
        println!("load: give a CSV file to measure");
        return;
    };
    let runs = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(3);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("bench.duckdb");
    let output = folder.path().join("out.csv");
    let target = |on_disk: bool| if on_disk { file.clone() } else { ":memory:".into() };
    for (name, on_disk) in [("load into memory", false), ("load into a file", true)] {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..runs {
            remove(&file);
            let start = Instant::now();
            let database = Database::open(target(on_disk)).expect("a database");
            let load = CsvLoad::new(Source::expand(&input).expect("the input"), "t".parse().expect("a name"));
            let rows = load.run(&database).expect("a load").rows;
            drop(database);
            ours.push(start.elapsed().as_secs_f64());
            remove(&file);
            let start = Instant::now();
            let connection = duckdb::Connection::open(target(on_disk)).expect("a database");
            let sql = format!("CREATE TABLE t AS FROM read_csv('{}')", input.replace('\'', "''"));
            connection.execute_batch(&sql).expect("a load");
            let count: u64 = connection.query_row("SELECT count(*) FROM t", [], |row| row.get(0)).expect("a count");
            drop(connection);
            theirs.push(start.elapsed().as_secs_f64());
            assert_eq!(rows, count);
        }
        report(name, &mut ours, &mut theirs);
    }
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        let database = Database::open(&file).expect("a database");
        let query = Query::Table("t".parse().expect("a name"));
        let start = Instant::now();
        CsvExport::new(query, &output).run(&database).expect("an export");
        ours.push(start.elapsed().as_secs_f64());
        let connection = database.connect().expect("a connection");
        let columns: String = connection
            .query_row(
                "SELECT string_agg('\"' || name || '\"', ', ' ORDER BY name) FROM pragma_table_info('t')",
                [],
                |row| row.get(0),
            )
            .expect("the columns");
        let sql = format!("COPY (SELECT {columns} FROM t) TO '{}' (FORMAT csv, HEADER)", output.display());
        let start = Instant::now();
        connection.execute_batch(&sql).expect("an export");
        theirs.push(start.elapsed().as_secs_f64());
    }
    report("export, sorted", &mut ours, &mut theirs);
}

fn remove(file: &Path) {
    for path in [file.to_owned(), file.with_extension("duckdb.wal")] {
        if path.exists() {
            std::fs::remove_file(path).expect("removable");
        }
    }
}

fn report(name: &str, ours: &mut [f64], theirs: &mut [f64]) {
    let median = |times: &mut [f64]| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    };
    let (ours, theirs) = (median(ours), median(theirs));
    println!("{name:18} duckstream {ours:7.3} s   duckdb {theirs:7.3} s   ratio {:5.2}", theirs / ours);
}
