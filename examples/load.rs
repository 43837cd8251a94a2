//! `cargo run --release --example load -- FILE.csv DATABASE TABLE`: a load by library call.

use duckstream::{CsvLoad, Database, Source};

fn main() -> duckstream::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [input, database, table] = arguments.as_slice() else {
        eprintln!("usage: load FILE.csv DATABASE TABLE");
        std::process::exit(2);
    };
    let database = Database::open(database)?;
    let report = CsvLoad::new(Source::expand(input)?, table.parse()?).run(&database)?;
    println!("{} rows in {:.2} s", report.rows, report.duration.as_secs_f64());
    Ok(())
}
