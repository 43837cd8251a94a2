//! Reads damaged CSV from standard input, writes the table in it to standard output and what was done to standard error.
//!
//! `cargo run --release --no-default-features --example repair < damaged.csv > clean.csv`

use std::io::{self, Write};

use duckstream::{ReaderOptions, options_from_json, repair};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options: ReaderOptions = match std::env::args().nth(1) {
        Some(json) => options_from_json(serde_json::from_str(&json)?)?,
        None => ReaderOptions::default(),
    };
    let mut table = repair(Box::new(io::stdin()), &options)?;
    let mut out = io::stdout().lock();
    io::copy(&mut table, &mut out)?;
    out.flush()?;
    eprint!("{}", table.report());
    Ok(())
}
