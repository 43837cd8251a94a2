//! `export`: a DuckDB table, or a query, to a file.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::cli::address::{Address, format_of};
use crate::cli::flags::{EXPORT, WRITER};
use crate::cli::report::{Outcome, print, rows, seconds, size};
use crate::cli::session::Session;
use crate::cli::settings::{Settings, json_of};
use crate::duckdb::Query;
use crate::error::{Error, Result};
use crate::transfer::{CsvExport, OutputOptions};

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Flags {
    #[serde(alias = "database")]
    db: Option<String>,
    table: Option<String>,
    #[serde(alias = "query")]
    sql: Option<String>,
    output: Option<String>,
    to: Option<String>,
    memory_limit: Option<String>,
}

pub(crate) fn run(settings: &Settings<'_>, session: &Session) -> Result<Outcome> {
    let flags: Flags = settings.get(&EXPORT)?;
    let mut words = settings.words("words");
    let output = match flags.output.clone() {
        Some(output) => output,
        None => words.pop().ok_or_else(|| Error::usage("where to? Give OUTPUT: a file, or - for stdout"))?,
    };
    session.writes_to(&output);
    let word = words.pop();
    if let Some(surplus) = words.pop() {
        return Err(Error::usage(format!("'{surplus}' is one argument too many beside --output")));
    }
    if word.is_some() && flags.table.is_some() {
        return Err(Error::usage("the table is given twice: as an argument and as --table"));
    }
    let address = Address::parse(flags.db.as_deref(), word.as_deref().or(flags.table.as_deref()))?;
    let query = match (&flags.sql, &address.table) {
        (Some(sql), None) => Query::Sql(sql.clone()),
        (None, Some(table)) => Query::Table(table.clone()),
        (Some(_), Some(_)) => return Err(Error::usage("give a table or --sql, not both")),
        (None, None) => return Err(Error::usage("what is to be written? Give a TABLE before OUTPUT, or --sql QUERY")),
    };
    let given = settings.given(&WRITER)?;
    let threads = given.get("threads").and_then(Value::as_u64).unwrap_or(0) as usize;
    let options = OutputOptions::from_json(format_of(flags.to.as_deref(), &output)?, given)?;
    if settings.prints_config() {
        session.writes_to("");
        let parts = [("", json_of(&flags)), ("", options.to_json()), ("", json_of(&session.common))];
        print(&settings.config_text(&parts))?;
        return Ok(Outcome::done(&json!({}), String::new()));
    }
    let database = address.open(threads, flags.memory_limit, true)?;
    if let Query::Table(table) = &query {
        // Nobody else uses this database handle.
        database.one_thread_for(table)?;
    }
    let report = CsvExport::new(query, &output).with_output(options).with_monitor(session.monitor()).run(&database)?;
    let summary = match report.skipped {
        true => format!("{output} exists; nothing was done"),
        false => {
            let to = if output == "-" { "stdout" } else { &output };
            format!("wrote {} ({}) to {to} in {}", rows(report.rows), size(report.bytes), seconds(report.duration))
        }
    };
    Ok(Outcome::done(&report, summary))
}
