//! Tables of other shapes than the usual: CSV → DuckDB in memory, and back, with DuckDB's own reader and writer beside ours.
//!
//! `cargo bench --bench shapes -- [MEGABYTES] [RUNS] [SHAPE]`; data is made, the same every time. Medians, and the ratio
//! DuckDB / ours: above 1 we are faster. Row counts are asserted equal.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::Instant;

use duckstream::{CsvExport, CsvLoad, Database, LoadReport, Query, Source};

/// A shape's name, and how its rows are written: the header for `None`.
type Shape = (&'static str, fn(Option<&mut Random>, &mut String));

const SHAPES: [Shape; 5] = [
    ("quoted text", quoted),
    ("1,000 narrow columns", narrow),
    ("100 floats", floats),
    ("1 KB text", long),
    ("ten typed columns", typed),
];

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let mut number = |default| arguments.next().and_then(|text| text.parse().ok()).unwrap_or(default);
    let (megabytes, runs): (usize, usize) = (number(0), number(3));
    if megabytes == 0 {
        println!("shapes: say how many megabytes a shape gets");
        return;
    }
    let only = arguments.next();
    let wanted = |name: &str| only.as_ref().is_none_or(|only| name.contains(only.as_str()));
    let folder = tempfile::tempdir().expect("a folder");
    for (name, write) in SHAPES.into_iter().filter(|(name, _)| wanted(name)) {
        let input = folder.path().join("in.csv");
        fs::write(&input, text(write, megabytes << 20, usize::MAX)).expect("the input");
        measure(name, &input, folder.path(), runs, true);
    }
    if wanted("10 rows") {
        let input = folder.path().join("small.csv");
        fs::write(&input, text(typed, usize::MAX, 10)).expect("the input");
        measure("10 rows", &input, folder.path(), runs * 20, true);
    }
    if wanted("10,000 files") {
        let many = folder.path().join("many");
        fs::create_dir(&many).expect("a folder");
        for index in 0..10_000 {
            fs::write(many.join(format!("{index:05}.csv")), text(typed, usize::MAX, 10)).expect("the input");
        }
        measure("10,000 files", &many.join("*.csv"), folder.path(), runs, false);
    }
}

fn measure(name: &str, input: &Path, folder: &Path, runs: usize, export: bool) {
    let input = input.to_str().expect("a path");
    let (mut loads, mut exports) = ([vec![], vec![]], [vec![], vec![]]);
    for _ in 0..runs {
        let database = Database::memory().expect("a database");
        let start = Instant::now();
        let report = load(&database, input);
        loads[0].push(start.elapsed().as_secs_f64());
        let connection = duckdb::Connection::open_in_memory().expect("a database");
        let start = Instant::now();
        connection.execute_batch(&format!("CREATE TABLE t AS FROM read_csv('{input}')")).expect("a load");
        loads[1].push(start.elapsed().as_secs_f64());
        let count: u64 = connection.query_row("SELECT count(*) FROM t", [], |row| row.get(0)).expect("a count");
        assert_eq!(report.rows, count, "{name}");
        if export {
            let start = Instant::now();
            let query = Query::Table("t".parse().expect("a name"));
            let report = CsvExport::new(query, folder.join("ours.csv")).run(&database).expect("an export");
            exports[0].push(start.elapsed().as_secs_f64());
            assert_eq!(report.rows, count, "{name}");
            let columns: String = connection
                .query_row(
                    "SELECT string_agg('\"' || name || '\"', ', ' ORDER BY name) FROM pragma_table_info('t')",
                    [],
                    |row| row.get(0),
                )
                .expect("the columns");
            let target = folder.join("theirs.csv");
            let start = Instant::now();
            connection
                .execute_batch(&format!(
                    "COPY (SELECT {columns} FROM t) TO '{}' (FORMAT csv, HEADER)",
                    target.display()
                ))
                .expect("an export");
            exports[1].push(start.elapsed().as_secs_f64());
        }
    }
    for (what, times) in [("load", loads), ("export", exports)] {
        let [ours, theirs] = times.map(|mut times| {
            times.sort_by(f64::total_cmp);
            times.get(times.len() / 2).copied()
        });
        if let (Some(ours), Some(theirs)) = (ours, theirs) {
            println!(
                "{name:22} {what:7} duckstream {ours:8.4} s   duckdb {theirs:8.4} s   ratio {:5.2}",
                theirs / ours
            );
        }
    }
}

fn load(database: &Database, input: &str) -> LoadReport {
    let sources = Source::expand(input).expect("the input");
    CsvLoad::new(sources, "t".parse().expect("a name")).run(database).expect("a load")
}

/// Rows until there are so many bytes or rows, whichever comes first.
fn text(write: fn(Option<&mut Random>, &mut String), bytes: usize, rows: usize) -> String {
    let (mut random, mut out) = (Random(1), String::new());
    write(None, &mut out);
    for _ in 0..rows {
        if out.len() >= bytes {
            break;
        }
        write(Some(&mut random), &mut out);
    }
    out
}

/// Numbers that look random, the same every time.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

fn row(out: &mut String, columns: usize, mut cell: impl FnMut(usize, &mut String)) {
    for column in 0..columns {
        if column > 0 {
            out.push(',');
        }
        cell(column, out);
    }
    out.push('\n');
}

fn name(column: usize, out: &mut String) {
    let _ = write!(out, "c{column}");
}

/// Five texts: delimiters, doubled quotes and line ends in most of them.
fn quoted(random: Option<&mut Random>, out: &mut String) {
    let Some(random) = random else { return row(out, 5, name) };
    row(out, 5, |_, out| {
        out.push('"');
        for _ in 0..4 + random.below(12) {
            out.push_str(["alpha ", "beta, ", "\"\"gamma\"\" ", "delta\n", "ipsum "][random.below(5) as usize]);
        }
        out.push('"');
    });
}

/// One digit a cell.
fn narrow(random: Option<&mut Random>, out: &mut String) {
    let Some(random) = random else { return row(out, 1000, name) };
    row(out, 1000, |_, out| out.push((b'0' + random.below(10) as u8) as char));
}

/// Floats of many digits.
fn floats(random: Option<&mut Random>, out: &mut String) {
    let Some(random) = random else { return row(out, 100, name) };
    row(out, 100, |_, out| {
        let _ = write!(out, "{}.{:09}", random.below(1000), random.below(1_000_000_000));
    });
}

/// One long text.
fn long(random: Option<&mut Random>, out: &mut String) {
    let Some(random) = random else { return row(out, 1, name) };
    row(out, 1, |_, out| {
        for _ in 0..128 {
            out.push_str(["lorem ip", "sum dolo", "r sit am", "et conse"][random.below(4) as usize]);
        }
    });
}

/// What business tables have.
fn typed(random: Option<&mut Random>, out: &mut String) {
    let Some(random) = random else { return row(out, 10, name) };
    row(out, 10, |column, out| {
        let n = random.below(1_000_000);
        let _ = match column {
            0..=2 => write!(out, "{n}"),
            3 | 4 => write!(out, "{}.{:02}", n / 100, n % 100),
            5 => write!(out, "20{:02}-{:02}-{:02}", n % 30, n % 12 + 1, n % 28 + 1),
            6 => write!(out, "2024-01-{:02} {:02}:{:02}:{:02}", n % 28 + 1, n % 24, n % 60, n % 59),
            7 => write!(out, "{}", n % 2 == 0),
            8 => write!(out, "name {n}"),
            _ => write!(out, "{}", ["red", "green", "blue", ""][n as usize % 4]),
        };
    });
}
