//! CSV → Arrow batches: both decoders, arrow-csv's own reader on one thread and, where it is linked, DuckDB's.
//!
//! `cargo bench --bench decode -- FILE [THREADS [RUNS]]`; medians of runs that take turns, bytes/s and rows/s, row counts
//! asserted equal.

use std::fs::File;
use std::sync::Arc;
use std::time::Instant;

use arrow::array::RecordBatchReader;
use arrow::datatypes::SchemaRef;
use duckstream::{CsvReaderBuilder, DecoderChoice, ReaderOptions};

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let Some(path) = arguments.next() else {
        println!("decode: give a CSV file to measure");
        return;
    };
    let mut number = |default: usize| arguments.next().and_then(|text| text.parse().ok()).unwrap_or(default);
    let (threads, runs) = (number(1), number(3).max(1));
    let bytes = std::fs::metadata(&path).expect("the file").len();
    let schema = open(&path, DecoderChoice::Columnar, 1).schema();
    let count = |decoder| open(&path, decoder, threads).map(|batch| batch.expect("a batch").num_rows()).sum();
    let contenders: &[(&str, &dyn Fn() -> usize)] = &[
        ("columnar", &|| count(DecoderChoice::Columnar)),
        ("arrow-csv lane", &|| count(DecoderChoice::ArrowCsv)),
        ("arrow-csv itself", &|| arrow_csv_rows(&path, &schema)),
        #[cfg(feature = "duckdb")]
        ("duckdb read_csv", &|| duckdb_rows(&path, threads)),
    ];
    let mut times = vec![Vec::new(); contenders.len()];
    let mut rows = None;
    for _ in 0..runs {
        for ((name, run), times) in contenders.iter().zip(&mut times) {
            let start = Instant::now();
            let count = run();
            times.push(start.elapsed().as_secs_f64());
            assert_eq!(*rows.get_or_insert(count), count, "{name}");
        }
    }
    let rows = rows.unwrap_or_default();
    for ((name, _), mut times) in contenders.iter().zip(times) {
        times.sort_by(f64::total_cmp);
        let seconds = times[times.len() / 2];
        println!(
            "{name:18} {seconds:7.3} s {:8.0} MB/s {:6.2} M rows/s",
            bytes as f64 / seconds / 1e6,
            rows as f64 / seconds / 1e6
        );
    }
}

fn open(path: &str, decoder: DecoderChoice, threads: usize) -> duckstream::CsvReader {
    let options = ReaderOptions { decoder, threads, ..ReaderOptions::default() };
    CsvReaderBuilder::new().with_options(options).open(path).expect("readable")
}

fn arrow_csv_rows(path: &str, schema: &SchemaRef) -> usize {
    let file = File::open(path).expect("the file");
    let reader = arrow_csv::ReaderBuilder::new(Arc::clone(schema)).with_header(true).with_batch_size(8192).build(file);
    reader.expect("readable").map(|batch| batch.expect("a batch").num_rows()).sum()
}

/// Every value read, none kept.
#[cfg(feature = "duckdb")]
fn duckdb_rows(path: &str, threads: usize) -> usize {
    let connection = duckdb::Connection::open_in_memory().expect("a database");
    connection.execute_batch(&format!("SET threads = {threads}")).expect("threads");
    let sql = format!("SELECT count(*), max(hash(COLUMNS(*))) FROM read_csv('{}')", path.replace('\'', "''"));
    connection.query_row(&sql, [], |row| row.get(0)).expect("a count")
}
