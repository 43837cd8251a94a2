//! Peak heap, counted by the allocator: it must not grow with the input. In a binary of its own, with one test, because
//! the count is of the whole process.
#![allow(missing_docs)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::io::Read;
use std::sync::atomic::{AtomicUsize, Ordering};

use duckstream::{CsvReaderBuilder, ReaderOptions};

struct Counting;

static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

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

fn grow(size: usize) {
    let live = LIVE.fetch_add(size, Ordering::Relaxed) + size;
    PEAK.fetch_max(live, Ordering::Relaxed);
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Rows made as they are read.
struct Rows {
    left: usize,
    line: Vec<u8>,
    at: usize,
}

impl Read for Rows {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.at == self.line.len() {
            if self.left == 0 {
                return Ok(0);
            }
            self.left -= 1;
            let row = self.left;
            self.line = format!("{row},{}.25,\"text, {row}\",2024-01-0{}\n", row % 1000, 1 + row % 9).into_bytes();
            self.at = 0;
        }
        let length = buffer.len().min(self.line.len() - self.at);
        buffer[..length].copy_from_slice(&self.line[self.at..self.at + length]);
        self.at += length;
        Ok(length)
    }
}

/// Peak bytes above what was in use before.
fn peak(rows: usize, threads: usize) -> usize {
    let before = LIVE.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    let options = ReaderOptions { threads, batch_size: 10_000, block_size: 64 << 10, ..ReaderOptions::default() };
    let text = Rows { left: rows, line: b"id,price,name,day\n".to_vec(), at: 0 };
    let reader = CsvReaderBuilder::new().with_options(options).build(text).unwrap();
    assert_eq!(reader.map(|batch| batch.unwrap().num_rows()).sum::<usize>(), rows);
    PEAK.load(Ordering::Relaxed) - before
}

#[test]
fn peak_heap_is_a_few_batches_whatever_the_input() {
    for threads in [1, 2] {
        // A batch is about 400 KiB of text here and its columns as much again; all text is 40 MiB.
        let (batch, peak) = (1 << 20, peak(1_000_000, threads));
        assert!(peak < (threads + 3) * batch, "{threads} threads: {peak} bytes");
    }
}
