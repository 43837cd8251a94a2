//! `cargo run --release --example export -- DATABASE TABLE FILE.csv`: an export by library call.

use duckstream::{CsvExport, Database, Query};

fn main() -> duckstream::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [database, table, output] = arguments.as_slice() else {
        eprintln!("usage: export DATABASE TABLE FILE.csv");
        std::process::exit(2);
    };
    let database = Database::open(database)?;
    let report = CsvExport::new(Query::Table(table.parse()?), output).run(&database)?;
    println!("{} rows in {:.2} s", report.rows, report.duration.as_secs_f64());
    Ok(())
}
