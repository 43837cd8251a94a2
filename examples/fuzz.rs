//! `cargo run --release --example fuzz -- TARGET SECONDS [SEED]`: random hostile input against an oracle, on stable Rust.
//!
//! - `read`: the columnar decoder at random settings against the arrow-csv lane and a reference tokenizer.
//! - `infer`: types must not depend on batch sizes or threads.
//! - `detect`: the repair of any text must be readable, and must not panic.
//! - `write`: what is written reads back as it was.
//!
//! A find is printed with its input, escaped, and ends the run with exit code 1: it belongs into `tests/it/csv_read.rs`.

use std::io::Read;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use duckstream::{
    Auto, ColumnOrder, CsvInput, CsvWriterBuilder, DecoderChoice, Header, OnError, Quoting, ReaderOptions, Source,
    WriterOptions, repair,
};

#[path = "../tests/it/reference.rs"]
mod reference;

/// xorshift64*: small, good enough, and the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }
}

const PIECES: &[&[u8]] = &[
    b",",
    b",",
    b",",
    b"\n",
    b"\n",
    b"\r\n",
    b"\r",
    b"\"",
    b"\"\"",
    b"\",\"",
    b"a",
    b"abc",
    b"1",
    b"-1",
    b"007",
    b"1.5",
    b"1e5",
    b"true",
    b"NA",
    b"2024-02-29",
    b"2024-01-01T10:00:00Z",
    b"10:00",
    b" ",
    b"\t",
    b";",
    b"|",
    b"'",
    b"\\",
    b"\0",
    b"\xff",
    b"\xc3\xa9",
    b"\"x,y\"",
    b"\"x\ny\"",
    b"12345678901234567890",
    b"0123456789012345678901234567890123456789",
    b"nan",
    b"inf",
    b"-0.0",
    b"#",
    b"$1,000",
];

fn text(random: &mut Random) -> Vec<u8> {
    let mut text = Vec::new();
    let rows = random.below(40);
    let regular = random.below(3) > 0;
    for _ in 0..rows {
        if regular && random.below(12) > 0 {
            for column in 0..3 {
                if column > 0 {
                    text.push(b',');
                }
                text.extend(format!("{}", random.below(100_000)).bytes());
            }
            text.push(b'\n');
        } else {
            for _ in 0..random.below(9) {
                text.extend_from_slice(PIECES[random.below(PIECES.len())]);
            }
            if random.below(3) > 0 {
                text.push(b'\n');
            }
        }
    }
    text
}

fn options(random: &mut Random) -> ReaderOptions {
    ReaderOptions {
        encoding: Auto::Value("utf-8".to_owned()),
        on_error: OnError::Skip,
        block_size: 1 + random.below(300),
        batch_size: 1 + random.below(20),
        batch_bytes: 1 + random.below(2000),
        threads: 1 + random.below(3),
        decoder: DecoderChoice::Columnar,
        ..ReaderOptions::default()
    }
}

/// Schema and rows; or the error, which must be one of the data.
fn read(text: &[u8], options: ReaderOptions) -> Result<RecordBatch, String> {
    let run = || -> duckstream::Result<RecordBatch> {
        let mut input =
            CsvInput::new(vec![Source::reader("fuzz", std::io::Cursor::new(text.to_vec()))], options.clone())?;
        loop {
            let reader = input.open()?;
            let schema: SchemaRef = arrow::array::RecordBatchReader::schema(&reader);
            let batches: Result<Vec<_>, _> = reader.collect();
            let batches = batches.map_err(|error| duckstream::Error::arrow("reading", error))?;
            if !input.restart() {
                return Ok(concat_batches(&schema, &batches).expect("batches of one schema"));
            }
        }
    };
    run().map_err(|error| error.to_string())
}

fn check_read(random: &mut Random) -> Result<(), Vec<u8>> {
    let text = text(random);
    let names = Some(["x", "y", "z"].map(str::to_owned).to_vec());
    let fixed = ReaderOptions { all_text: true, header: Header::Absent, names, ..options(random) };
    let plain = ReaderOptions {
        batch_size: 1 << 20,
        batch_bytes: 1 << 20,
        block_size: 1 << 20,
        decoder: DecoderChoice::ArrowCsv,
        ..fixed.clone()
    };
    let (fast, slow) = (read(&text, fixed), read(&text, plain));
    if fast != slow {
        return Err(text);
    }
    let rows = reference::rows(&text, b',');
    if let (Ok(batch), false) = (&fast, rows.iter().any(|row| row.unclosed)) {
        let valid = |row: &&reference::Row| row.cells.iter().all(|cell| std::str::from_utf8(&cell.0).is_ok());
        let good: Vec<_> = rows.iter().filter(|row| row.cells.len() == 3 && !row.stray).filter(valid).collect();
        if batch.num_columns() != 3 || good.len() != batch.num_rows() {
            return Err(text);
        }
        for (index, row) in good.iter().enumerate() {
            for (column, (value, quoted)) in row.cells.iter().enumerate() {
                let array = batch.column(column).as_string::<i32>();
                let expected = (*quoted || !value.is_empty()).then_some(value.as_slice());
                if (!array.is_null(index)).then(|| array.value(index).as_bytes()) != expected {
                    return Err(text);
                }
            }
        }
    }
    Ok(())
}

fn check_infer(random: &mut Random) -> Result<(), Vec<u8>> {
    let text = [b"a,b,c\n".to_vec(), text(random)].concat();
    let one = read(&text, options(random));
    for _ in 0..2 {
        if read(&text, options(random)) != one {
            return Err(text);
        }
    }
    Ok(())
}

fn check_detect(random: &mut Random) -> Result<(), Vec<u8>> {
    let text: Vec<u8> = String::from_utf8_lossy(&text(random)).into_owned().into_bytes();
    let mut clean = Vec::new();
    let repaired = repair(Box::new(std::io::Cursor::new(text.clone())), &ReaderOptions::default());
    let Ok(mut repaired) = repaired else { return Err(text) };
    if repaired.read_to_end(&mut clean).is_err() {
        return Err(text);
    }
    let strict =
        ReaderOptions { on_error: OnError::Error, all_text: true, skip_blank_lines: Some(false), ..options(random) };
    if read(&clean, strict).is_err() { Err(text) } else { Ok(()) }
}

fn check_write(random: &mut Random) -> Result<(), Vec<u8>> {
    let rows = random.below(30);
    let mut maybe = |present: bool| present && random.below(4) > 0;
    let keep: Vec<bool> = (0..3 * rows).map(|_| maybe(true)).collect();
    let integers = Int64Array::from_iter((0..rows).map(|row| keep[row].then(|| random.next() as i64)));
    let floats = (0..rows).map(|row| keep[rows + row].then(|| f64::from_bits(random.next())).filter(|x| x.is_finite()));
    let floats = Float64Array::from_iter(floats.collect::<Vec<_>>());
    let texts: Vec<Option<String>> = (0..rows)
        .map(|row| {
            let piece = |random: &mut Random| PIECES[random.below(PIECES.len())];
            let text: Vec<u8> = (0..random.below(4)).flat_map(|_| piece(random).to_vec()).collect();
            keep[2 * rows + row].then(|| String::from_utf8_lossy(&text).into_owned())
        })
        .collect();
    let field = |name: &str, kind: DataType| Field::new(name, kind, true);
    let schema = Arc::new(Schema::new(vec![
        field("i", DataType::Int64),
        field("f", DataType::Float64),
        field("t", DataType::Utf8),
    ]));
    let columns: Vec<ArrayRef> = vec![Arc::new(integers), Arc::new(floats), Arc::new(StringArray::from(texts))];
    let batch = RecordBatch::try_new(schema.clone(), columns).expect("columns of one length");
    let quoting = [Quoting::Minimal, Quoting::All, Quoting::NonNumeric, Quoting::NotNull][random.below(4)];
    let written = WriterOptions { column_order: ColumnOrder::Table, quoting, threads: 1, ..WriterOptions::default() };
    let target = std::env::temp_dir().join(format!("duckstream-fuzz-{}.csv", std::process::id()));
    let mut writer =
        CsvWriterBuilder::new().with_options(written).with_schema(schema).create(&target).expect("a writer");
    writer.write(&batch).expect("written");
    let _ = writer.finish().expect("finished");
    let text = std::fs::read(&target).expect("readable");
    let types = [("i", "bigint"), ("f", "double"), ("t", "text")];
    let types = types.map(|(name, kind)| (name.to_owned(), kind.to_owned())).into();
    let back = read(&text, ReaderOptions { types, on_error: OnError::Error, ..options(random) });
    if back.as_ref() == Ok(&batch) { Ok(()) } else { Err(text) }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (target, seconds) = match arguments.as_slice() {
        [target, seconds, ..] => (target.as_str(), seconds.parse().unwrap_or(1)),
        _ => {
            eprintln!("usage: fuzz read|infer|detect|write SECONDS [SEED]");
            std::process::exit(2);
        }
    };
    let check = match target {
        "read" => check_read,
        "infer" => check_infer,
        "detect" => check_detect,
        _ => check_write,
    };
    let seed = arguments.get(2).and_then(|seed| seed.parse().ok()).unwrap_or(0x9E37_79B9_7F4A_7C15);
    let (mut random, start, mut runs) = (Random(seed), Instant::now(), 0u64);
    while start.elapsed() < Duration::from_secs(seconds) {
        let before = random.0;
        if let Err(text) = check(&mut random) {
            println!("{target}: run {runs}, seed {before}: b\"{}\"", text.escape_ascii());
            std::process::exit(1);
        }
        runs += 1;
    }
    println!("{target}: {runs} inputs in {:.0} s, nothing found", start.elapsed().as_secs_f64());
}
