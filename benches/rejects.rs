//! What bad rows cost: a file of which one row in a thousand is bad, loaded with rejects, beside the same file without them.
//!
//! `cargo bench --bench rejects -- [ROWS] [RUNS]`; medians, and the ratio of the two: 1 if bad rows cost nothing.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::Instant;

use duckstream::{CsvLoad, Database, OnError, ReaderOptions, Source};

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let mut number = |default| arguments.next().and_then(|text| text.parse().ok()).unwrap_or(default);
    let (rows, runs): (u64, u64) = (number(0), number(5));
    if rows == 0 {
        println!("rejects: say how many rows the file gets");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let files = [false, true].map(|damaged| {
        let path = folder.path().join(format!("{damaged}.csv"));
        fs::write(&path, text(rows, damaged)).expect("the input");
        path
    });
    let mut times = [vec![], vec![]];
    for _ in 0..runs {
        for (file, times) in files.iter().zip(&mut times) {
            let (seconds, loaded, rejected) = load(file, folder.path());
            assert_eq!(loaded + rejected, rows);
            assert_eq!(rejected, if file.ends_with("true.csv") { rows / 1000 } else { 0 });
            times.push(seconds);
        }
    }
    let [clean, damaged] = times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    });
    println!("{rows} rows: clean {clean:.3} s, with 0.1 % bad rows {damaged:.3} s, ratio {:.2}", damaged / clean);
}

fn load(file: &Path, folder: &Path) -> (f64, u64, u64) {
    let database = Database::memory().expect("a database");
    let rejects = folder.join("rejects.jsonl").display().to_string();
    let options = ReaderOptions { on_error: OnError::Reject, rejects: Some(rejects), ..ReaderOptions::default() };
    let start = Instant::now();
    let load = CsvLoad::new(vec![Source::Path(file.to_owned())], "t".parse().expect("a name"));
    let report = load.with_reader_options(options).run(&database).expect("a load");
    (start.elapsed().as_secs_f64(), report.rows, report.rejected)
}

/// Five columns; a bad row lacks some or has one too many, in turn.
fn text(rows: u64, damaged: bool) -> String {
    let mut out = "id,price,day,name,flag\n".to_owned();
    for row in 0..rows {
        let (cents, day) = (row * 37 % 100_000, row % 28 + 1);
        let whole = format!(
            "{row},{}.{:02},2024-02-{day:02},\"name, {}\",{}",
            cents / 100,
            cents % 100,
            row % 997,
            row % 3 == 0
        );
        let _ = match (damaged && row % 1000 == 500, row / 1000 % 2) {
            (false, _) => writeln!(out, "{whole}"),
            (true, 0) => writeln!(out, "{row},1.00,2024-02-01"),
            (true, _) => writeln!(out, "{whole},surplus"),
        };
    }
    out
}
