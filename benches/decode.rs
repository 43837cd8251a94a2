//! CSV → Arrow batches: both decoders, arrow-csv alone and, where it is linked, DuckDB's scan of the same file.
//!
//! `cargo bench --bench decode -- FILE [THREADS]`; bytes/s and rows/s, row counts asserted equal.

use std::time::Instant;

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
    for (name, decoder) in [("columnar", DecoderChoice::Columnar), ("arrow-csv lane", DecoderChoice::ArrowCsv)] {
        let options = ReaderOptions { decoder, threads, ..ReaderOptions::default() };
        let start = Instant::now();
        let reader = CsvReaderBuilder::new().with_options(options).open(&path).expect("readable");
        let count: usize = reader.map(|batch| batch.expect("a batch").num_rows()).sum();
        report(name, start, bytes, count);
        rows.push(count);
    }
    assert!(rows.windows(2).all(|pair| pair[0] == pair[1]), "{rows:?}");
}

fn report(name: &str, start: Instant, bytes: u64, rows: usize) {
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "{name:18} {seconds:7.3} s {:8.0} MB/s {:6.2} M rows/s",
        bytes as f64 / seconds / 1e6,
        rows as f64 / seconds / 1e6
    );
}
