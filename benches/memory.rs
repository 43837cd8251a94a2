//! Peak memory of a load and an export: our own heap, counted by the allocator (DuckDB's is C++ and apart), and the largest
//! resident set of the process so far.
//!
//! `cargo bench --bench memory -- FILE [TIMES]`: the rows of the file are read so many times over, as one input.

use std::alloc::{GlobalAlloc, Layout, System};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Chain, Cursor, Read};
use std::sync::atomic::{AtomicUsize, Ordering};

use duckstream::{CsvExport, CsvLoad, Database, Query, Source};

struct Counting;

static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

fn grow(size: usize) {
    let live = LIVE.fetch_add(size, Ordering::Relaxed) + size;
    PEAK.fetch_max(live, Ordering::Relaxed);
}

// SAFETY: every call goes to the system's allocator with the same arguments; only sizes are added up.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        grow(layout.size());
        // SAFETY: the caller keeps the contract, which is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps the contract, which is the same.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        grow(size);
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps the contract, which is the same.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// A header, and the rows of a file as often as they are wanted.
struct Again {
    path: String,
    left: usize,
    now: Chain<Cursor<Vec<u8>>, BufReader<File>>,
}

impl Again {
    fn open(path: &str, times: usize) -> io::Result<Again> {
        let mut file = BufReader::new(File::open(path)?);
        let mut header = Vec::new();
        file.read_until(b'\n', &mut header)?;
        Ok(Again { path: path.to_owned(), left: times - 1, now: Cursor::new(header).chain(file) })
    }
}

impl Read for Again {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.now.read(buffer)?;
        if read > 0 || self.left == 0 {
            return Ok(read);
        }
        let mut file = BufReader::new(File::open(&self.path)?);
        file.skip_until(b'\n')?;
        self.left -= 1;
        self.now = Cursor::new(Vec::new()).chain(file);
        self.read(buffer)
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let Some(path) = arguments.next() else {
        println!("memory: give a CSV file to measure");
        return;
    };
    let times = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(1);
    let folder = tempfile::tempdir().expect("a folder");
    let database = Database::open(folder.path().join("memory.duckdb")).expect("a database");
    let input = Source::reader("input", Again::open(&path, times).expect("the input"));
    let rows = measure("load", || {
        CsvLoad::new(vec![input], "t".parse().expect("a name")).run(&database).expect("a load").rows
    });
    let query = Query::Table("t".parse().expect("a name"));
    let written = measure("export", || {
        CsvExport::new(query, folder.path().join("out.csv")).run(&database).expect("an export").rows
    });
    assert_eq!(rows, written);
}

fn measure(name: &str, run: impl FnOnce() -> u64) -> u64 {
    let before = LIVE.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    let rows = run();
    let heap = PEAK.load(Ordering::Relaxed) - before;
    println!("{name:8} {rows:>12} rows   our heap {:6.1} MiB   resident, peak {:7.1} MiB", mib(heap), mib(resident()));
    rows
}

fn mib(bytes: usize) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// The largest resident set so far; 0 where the system does not say.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<usize>().ok()).unwrap_or(0) << 10
}
