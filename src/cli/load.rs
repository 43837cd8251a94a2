//! `load`: CSV into a DuckDB table.

use std::thread;

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::cli::address::{Address, format_of, table_of};
use crate::cli::flags::LOAD;
use crate::cli::report::{Outcome, print, rows, seconds};
use crate::cli::session::Session;
use crate::cli::settings::{Settings, json_of, reader_options};
use crate::duckdb::LoadOptions;
use crate::error::{Error, Result};
use crate::input::Source;
use crate::options::{Dedup, LoadMode};
use crate::quality::validate_checks;
use crate::transfer::{CsvLoad, Format, LoadReport};

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Flags {
    #[serde(alias = "database")]
    db: Option<String>,
    table: Option<String>,
    mode: LoadMode,
    #[serde(alias = "primary_key")]
    key: Vec<String>,
    dedup: Dedup,
    memory_limit: Option<String>,
    allow_rejects: bool,
    checks: Option<String>,
    receipt: Option<String>,
    receipt_table: Option<String>,
}

pub(crate) fn run(settings: &Settings<'_>, session: &Session) -> Result<Outcome> {
    let flags: Flags = settings.get(&LOAD)?;
    let inputs = settings.words("words");
    let mut given = settings.reader_given()?;
    tab_for_tsv(&mut given, &inputs)?;
    let reader = reader_options(given)?;
    if settings.prints_config() {
        print(&settings.config_text(&[("", json_of(&flags)), ("", json_of(&reader)), ("", json_of(&session.common))]))?;
        return Ok(Outcome::done(&json!({}), String::new()));
    }
    let address = Address::parse(flags.db.as_deref(), flags.table.as_deref())?;
    let named = address.table.clone().or_else(|| table_of(inputs.first().filter(|_| inputs.len() == 1)?));
    let table = named.ok_or_else(|| Error::usage("what is the table to be called? Give --table NAME"))?;
    let sources: Result<Vec<_>> = inputs.iter().map(|input| Source::expand(input)).collect();
    let sources = sources?.into_iter().flatten().collect();

    let checks = flags.checks.as_deref().map(validate_checks).transpose()?;
    let threads = reader.threads;
    let options = LoadOptions {
        mode: flags.mode,
        key: flags.key,
        dedup: flags.dedup,
        match_columns: reader.match_columns,
        monitor: session.monitor(),
        ..LoadOptions::default()
    };
    let mut load = CsvLoad::new(sources, table.clone()).with_reader_options(reader).with_load_options(options);
    if let Some(checks) = checks {
        load = load.with_checks(checks);
    }
    if let Some(receipt) = &flags.receipt {
        load = load.with_receipt(receipt);
    }
    if let Some(receipts) = &flags.receipt_table {
        load = load.with_receipt_table(receipts.parse()?);
    }
    // The database opens while the first rows are read; but nobody shall type rows for one that is locked.
    let waits = inputs.iter().any(|input| input == "-");
    let (database, begun) = thread::scope(|scope| {
        let opening = scope.spawn(|| address.open(threads, flags.memory_limit, false));
        let begun = if waits { Ok(()) } else { load.begin() };
        (opening.join(), begun)
    });
    let database = database.map_err(|_| Error::internal("opening the database panicked"))??;
    let report = match begun.and_then(|()| load.run(&database)) {
        Ok(report) => report,
        Err(error) => {
            // A file that was made for nothing goes away again; the error is the news, whatever becomes of that.
            let _ = database.discard();
            return Err(error);
        }
    };
    let columns = database.columns(&table)?.unwrap_or_default();
    let summary = format!(
        "loaded {} into {} ({}) in {}{}",
        rows(report.rows),
        report.table,
        address.db.display(),
        seconds(report.duration),
        changes(&report, flags.mode)
    );
    let mut outcome = Outcome::done(&report, summary).with_read(
        &report.read.files,
        &report.promotions,
        report.rejected,
        flags.allow_rejects,
    );
    outcome.notes.extend(report.checks.iter().filter_map(|check| check.message.clone()));
    outcome.details.extend(columns.iter().map(|column| format!("{}: {}", column.name, column.data_type)));
    let columns: Vec<_> = columns.iter().map(|column| json!({"name": column.name, "type": column.data_type})).collect();
    outcome.json.insert("db".to_owned(), json!(address.db.display().to_string()));
    outcome.json.insert("columns".to_owned(), json!(columns));
    Ok(outcome)
}

/// What a load did besides adding rows.
fn changes(report: &LoadReport, mode: LoadMode) -> String {
    match mode {
        LoadMode::Merge => format!(
            ": {} inserted, {} updated, {} unchanged; the table has {}",
            report.inserted,
            report.updated,
            report.unchanged,
            rows(report.rows_after)
        ),
        LoadMode::Append => format!("; the table has {}", rows(report.rows_after)),
        _ => String::new(),
    }
}

/// Tabs separate the fields of `.tsv` inputs, unless something else was said; other formats are not for here.
pub(crate) fn tab_for_tsv(given: &mut serde_json::Map<String, serde_json::Value>, inputs: &[String]) -> Result<()> {
    let formats = inputs.iter().map(|input| format_of(None, input)).collect::<Result<Vec<_>>>()?;
    if let Some((input, format)) = inputs.iter().zip(&formats).find(|(_, format)| !format.is_text()) {
        return Err(Error::usage(format!("{input} is {format} by its name; this takes CSV (convert reads {format})")));
    }
    if !given.contains_key("delimiter") && formats.iter().all(|format| *format == Format::Tsv) {
        given.insert("delimiter".to_owned(), "\t".into());
    }
    Ok(())
}
