//! CSV → Arrow batches: both decoders, arrow-csv's own reader on one thread and, where it is linked, DuckDB's.
//!
//! `cargo bench --bench decode -- FILE [THREADS]`; bytes/s and rows/s, row counts asserted equal.

use std::fs::File;
use std::sync::Arc;
use std::time::Instant;

use arrow::array::RecordBatchReader;
use duckstream::{CsvReaderBuilder, DecoderChoice, ReaderOptions};

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let Some(path) = arguments.next() else {
        println!("decode: give a CSV file to measure");
        return;
    };
    let threads = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(1);
    let bytes = std::fs::metadata(&path).expect("the file").len();
    let mut rows = Vec::new();
    let mut schema = None;
    for (name, decoder) in [("columnar", DecoderChoice::Columnar), ("arrow-csv lane", DecoderChoice::ArrowCsv)] {
        let options = ReaderOptions { decoder, threads, ..ReaderOptions::default() };
        let start = Instant::now();
        let reader = CsvReaderBuilder::new().with_options(options).open(&path).expect("readable");
        schema = Some(reader.schema());
        let count: usize = reader.map(|batch| batch.expect("a batch").num_rows()).sum();
        report(name, start, bytes, count);
        rows.push(count);
    }
    let schema = schema.expect("a schema");
    let start = Instant::now();
    let file = File::open(&path).expect("the file");
    let reader = arrow_csv::ReaderBuilder::new(Arc::clone(&schema)).with_header(true).with_batch_size(8192).build(file);
    let count = reader.expect("readable").map(|batch| batch.expect("a batch").num_rows()).sum();
    report("arrow-csv itself", start, bytes, count);
    rows.push(count);
    #[cfg(feature = "duckdb")]
    rows.push(duckdb_scan(&path, threads, bytes));
    assert!(rows.windows(2).all(|pair| pair[0] == pair[1]), "{rows:?}");
}

/// Every value read, none kept.
#[cfg(feature = "duckdb")]
fn duckdb_scan(path: &str, threads: usize, bytes: u64) -> usize {
    let connection = duckdb::Connection::open_in_memory().expect("a database");
    connection.execute_batch(&format!("SET threads = {threads}")).expect("threads");
    let sql = format!("SELECT count(*), max(hash(COLUMNS(*))) FROM read_csv('{}')", path.replace('\'', "''"));
    let start = Instant::now();
    let count = connection.query_row(&sql, [], |row| row.get(0)).expect("a count");
    report("duckdb read_csv", start, bytes, count);
    count
}

fn report(name: &str, start: Instant, bytes: u64, rows: usize) {
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "{name:18} {seconds:7.3} s {:8.0} MB/s {:6.2} M rows/s",
        bytes as f64 / seconds / 1e6,
        rows as f64 / seconds / 1e6
    );
}
