//! Text → chunks of whole records, on one thread: the splitter alone, and beside it how fast the file can be read at all,
//! how fast line feeds can be counted, and csv-core, which finds records by finding every field.
//!
//! `cargo bench --bench split -- FILE [RUNS]`; medians, bytes/s and records/s. The splitter's count is asserted equal to
//! csv-core's and, where it is linked, DuckDB's. The file has to be plain: commas, UTF-8, no blank lines.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use arrow_csv::ReaderBuilder;
use arrow_csv::reader::Format;
use duckstream::{DEFAULT_BLOCK_SIZE, ReaderOptions, bench};

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let Some(path) = arguments.next() else {
        println!("split: give a CSV file to measure");
        return;
    };
    let runs = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(3);
    let bytes = std::fs::metadata(&path).expect("the file").len();
    let path = Path::new(&path);

    measure("read alone", runs, bytes, || {
        let mut read = 0;
        blocks(path, |block| read += block.len() as u64);
        assert_eq!(read, bytes);
        None
    });
    measure("line feeds (memchr)", runs, bytes, || {
        let mut lines = 0;
        blocks(path, |block| lines += memchr::memchr_iter(b'\n', block).count() as u64);
        Some(lines)
    });
    let mut chunks = 0;
    let ours = measure("splitter", runs, bytes, || {
        let split = bench::split(path, &ReaderOptions::default()).expect("records");
        // The last record gets a line end if it has none.
        assert!((bytes..=bytes + 1).contains(&split.bytes), "{split:?}");
        chunks = split.chunks;
        Some(split.records)
    });
    println!("{:20} {chunks} chunks", "");
    let theirs = measure("csv-core (arrow-csv)", runs, bytes, || Some(csv_core(path)));
    assert_eq!(ours, theirs);
    #[cfg(feature = "duckdb")]
    assert_eq!(ours, Some(duckdb_count(path)));
}

/// The file, a block after the other in the same buffer.
fn blocks(path: &Path, mut take: impl FnMut(&[u8])) {
    let mut file = File::open(path).expect("the file");
    let mut buffer = vec![0; DEFAULT_BLOCK_SIZE];
    loop {
        match file.read(&mut buffer).expect("readable") {
            0 => return,
            read => take(&buffer[..read]),
        }
    }
}

/// Records by csv-core, as arrow-csv calls it: of its columns none is made.
fn csv_core(path: &Path) -> u64 {
    let open = || BufReader::with_capacity(DEFAULT_BLOCK_SIZE, File::open(path).expect("the file"));
    let (schema, _) = Format::default().infer_schema(open(), Some(1)).expect("a first record");
    let reader = ReaderBuilder::new(Arc::new(schema)).with_projection(Vec::new()).with_batch_size(8192);
    let reader = reader.build_buffered(open()).expect("readable");
    reader.map(|batch| batch.expect("a batch").num_rows() as u64).sum()
}

#[cfg(feature = "duckdb")]
fn duckdb_count(path: &Path) -> u64 {
    let connection = duckdb::Connection::open_in_memory().expect("a database");
    let path = path.display().to_string().replace('\'', "''");
    let sql = format!("SELECT count(*) FROM read_csv('{path}', header = false, all_varchar = true)");
    connection.query_row(&sql, [], |row| row.get(0)).expect("a count")
}

/// The median run; says what came out of all of them.
fn measure(name: &str, runs: usize, bytes: u64, mut run: impl FnMut() -> Option<u64>) -> Option<u64> {
    let mut records = None;
    let mut times = Vec::new();
    for index in 0..runs.max(1) {
        let start = Instant::now();
        let found = run();
        times.push(start.elapsed().as_secs_f64());
        assert!(index == 0 || found == records, "{name}: {found:?} is not {records:?}");
        records = found;
    }
    times.sort_by(f64::total_cmp);
    let seconds = times[times.len() / 2];
    let rate = records.map(|records| format!("{:7.2} M records/s", records as f64 / seconds / 1e6));
    println!("{name:20} {seconds:7.3} s {:8.0} MB/s {}", bytes as f64 / seconds / 1e6, rate.unwrap_or_default());
    records
}
