//! Peak heap: an export holds some batches, however many rows there are. A binary of its own, because it counts every
//! allocation of the process.
#![allow(missing_docs)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use duckstream::{CsvWriterBuilder, WriterOptions};

struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = NOW.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        PEAK.fetch_max(now, Ordering::Relaxed);
        // SAFETY: the caller's promises are the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promises are the same.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// Takes its time at first, so that everything before it fills up.
struct Slow(u32);

impl Write for Slow {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0 > 0 {
            self.0 -= 1;
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn peak_of_export(rows: usize, batch_rows: usize, threads: usize) -> usize {
    let before = NOW.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    let options = WriterOptions { threads, ..WriterOptions::default() };
    let mut writer = CsvWriterBuilder::new().with_options(options).build(Slow(10)).unwrap();
    for first in (0..rows).step_by(batch_rows) {
        let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(first as i64..(first + batch_rows) as i64));
        let words = (0..batch_rows).map(|n| if n % 9 == 0 { "a, quoted \"word\"" } else { "a few plain words, or so" });
        let words: ArrayRef = Arc::new(StringArray::from_iter_values(words));
        writer.write(&RecordBatch::try_from_iter([("n", numbers), ("w", words)]).unwrap()).unwrap();
    }
    assert!(writer.finish().unwrap().rows >= rows as u64);
    PEAK.load(Ordering::Relaxed) - before
}

#[test]
fn an_export_holds_some_batches_whatever_the_table() {
    for (batch_rows, threads) in [(2_048, 1), (2_048, 2), (2_048, 8), (122_880, 2)] {
        let short = peak_of_export(1_000_000, batch_rows, threads);
        let long = peak_of_export(4_000_000, batch_rows, threads);
        assert!(long < 64 << 20, "{long} bytes with {threads} threads");
        assert!(long < short + short / 2 + (4 << 20), "{short}, then {long} bytes with {threads} threads");
    }
}
