//! Encoding speed: batches like TPC-H's lineitem to CSV, beside arrow-csv's writer, in one run.
//!
//! `cargo bench --bench encode -- [ROWS]`; megabytes are 10^6 bytes of text.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Instant;

use arrow::array::{ArrayRef, Date32Array, Decimal128Array, Int64Array, RecordBatch, StringArray};
use duckstream::{ColumnOrder, CsvWriterBuilder, WriterOptions};

const BATCH: usize = 2_048;

/// Takes bytes and counts lines, so that no run can be fast by leaving some out.
#[derive(Default)]
struct Count {
    bytes: u64,
    lines: u64,
}

impl Write for Count {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes += bytes.len() as u64;
        self.lines += bytes.iter().map(|byte| u64::from(*byte == b'\n')).sum::<u64>();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A generator good enough for lengths and digits.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

fn lineitem(first: i64, rows: usize, random: &mut Random) -> RecordBatch {
    fn words(rows: usize, random: &mut Random, choices: &[&str]) -> ArrayRef {
        let pick = |_| choices[random.below(choices.len() as u64) as usize];
        Arc::new(StringArray::from_iter_values((0..rows).map(pick)))
    }
    let mut integers = |make: &mut dyn FnMut(usize, &mut Random) -> i64| -> ArrayRef {
        Arc::new(Int64Array::from_iter_values((0..rows).map(|row| make(row, random))))
    };
    let order = integers(&mut |row, _| (first + row as i64) / 4 * 4 + 1);
    let part = integers(&mut |_, random| 1 + random.below(200_000) as i64);
    let supplier = integers(&mut |_, random| 1 + random.below(10_000) as i64);
    let line = integers(&mut |row, _| 1 + row as i64 % 7);
    let mut decimals = |least: u64, most: u64| -> ArrayRef {
        let values = (0..rows).map(|_| i128::from(least + random.below(most - least)));
        Arc::new(Decimal128Array::from_iter_values(values).with_precision_and_scale(15, 2).unwrap())
    };
    let (quantity, price) = (decimals(100, 5_000), decimals(90_000, 10_494_950));
    let (discount, tax) = (decimals(0, 11), decimals(0, 9));
    let returned = words(rows, random, &["N", "A", "R"]);
    let status = words(rows, random, &["O", "F"]);
    let mut dates = || -> ArrayRef {
        Arc::new(Date32Array::from_iter_values((0..rows).map(|_| 8_036 + random.below(2_526) as i32)))
    };
    let (shipped, committed, received) = (dates(), dates(), dates());
    let instructions = ["DELIVER IN PERSON", "COLLECT COD", "NONE", "TAKE BACK RETURN"];
    let instruct = words(rows, random, &instructions);
    let mode = words(rows, random, &["REG AIR", "AIR", "RAIL", "SHIP", "TRUCK", "MAIL", "FOB"]);
    let text =
        "carefully final deposits detect slyly agai. ironic requests haggle furiously; bold accounts sleep quickly";
    let comments = (0..rows).map(|_| {
        let from = random.below(50) as usize;
        &text[from..from + 10 + random.below(34) as usize]
    });
    let comment: ArrayRef = Arc::new(StringArray::from_iter_values(comments));
    RecordBatch::try_from_iter([
        ("l_orderkey", order),
        ("l_partkey", part),
        ("l_suppkey", supplier),
        ("l_linenumber", line),
        ("l_quantity", quantity),
        ("l_extendedprice", price),
        ("l_discount", discount),
        ("l_tax", tax),
        ("l_returnflag", returned),
        ("l_linestatus", status),
        ("l_shipdate", shipped),
        ("l_commitdate", committed),
        ("l_receiptdate", received),
        ("l_shipinstruct", instruct),
        ("l_shipmode", mode),
        ("l_comment", comment),
    ])
    .unwrap()
}

fn main() {
    let rows = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(1_500_000usize);
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let batches: Vec<RecordBatch> =
        (0..rows).step_by(BATCH).map(|from| lineitem(from as i64, BATCH.min(rows - from), &mut random)).collect();
    let report = |name: &str, started: Instant, bytes: u64| {
        let seconds = started.elapsed().as_secs_f64();
        println!("{name:<28} {seconds:>7.3} s {:>8.0} MB/s {bytes:>12} bytes", bytes as f64 / 1e6 / seconds);
    };
    for round in 0..3 {
        for threads in [1, 2] {
            let options = WriterOptions { column_order: ColumnOrder::Table, threads, ..WriterOptions::default() };
            let started = Instant::now();
            let mut writer = CsvWriterBuilder::new().with_options(options).build(Count::default()).unwrap();
            for batch in &batches {
                writer.write(batch).unwrap();
            }
            let summary = writer.finish().unwrap();
            assert_eq!(summary.rows, rows as u64);
            report(&format!("duckstream, {threads} encoding"), started, summary.bytes);
        }
        if round == 2 {
            let started = Instant::now();
            let mut writer = arrow_csv::WriterBuilder::new().build(Count::default());
            for batch in &batches {
                writer.write(batch).unwrap();
            }
            let count = writer.into_inner();
            assert_eq!(count.lines, rows as u64 + 1);
            report("arrow-csv", started, count.bytes);
        }
    }
}
