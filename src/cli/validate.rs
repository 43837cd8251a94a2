//! `validate`: do the checks hold of these inputs? Nothing is kept.

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::cli::flags::VALIDATE;
use crate::cli::load::tab_for_tsv;
use crate::cli::report::{Outcome, print, rows, seconds};
use crate::cli::session::Session;
use crate::cli::settings::{Settings, json_of, reader_options};
use crate::duckdb::{Database, LoadOptions, TableName};
use crate::error::{Error, Result};
use crate::input::Source;
use crate::quality::validate_checks;
use crate::transfer::CsvLoad;

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Flags {
    checks: Option<String>,
}

pub(crate) fn run(settings: &Settings<'_>, session: &Session) -> Result<Outcome> {
    let flags: Flags = settings.get(&VALIDATE)?;
    let inputs = settings.words("words");
    let mut given = settings.reader_given()?;
    tab_for_tsv(&mut given, &inputs)?;
    let reader = reader_options(given)?;
    if settings.prints_config() {
        print(&settings.config_text(&[("", json_of(&flags)), ("", json_of(&reader)), ("", json_of(&session.common))]))?;
        return Ok(Outcome::done(&json!({}), String::new()));
    }
    let Some(checks) = flags.checks.as_deref() else {
        return Err(Error::usage("which checks? Give --checks FILE"));
    };
    let checks = validate_checks(checks)?;
    let sources: Result<Vec<_>> = inputs.iter().map(|input| Source::expand(input)).collect();
    let sources = sources?.into_iter().flatten().collect();
    let database = Database::memory()?;
    let options = LoadOptions { monitor: session.monitor(), ..LoadOptions::default() };
    let load = CsvLoad::new(sources, TableName::new("input")?)
        .with_reader_options(reader)
        .with_load_options(options)
        .with_checks(checks);
    let report = load.run(&database)?;
    let held = report.checks.iter().filter(|check| check.passed).count();
    let summary = format!(
        "{held} of {} checks hold of {} in {}",
        report.checks.len(),
        rows(report.rows),
        seconds(report.duration)
    );
    let mut outcome =
        Outcome::done(&report, summary).with_read(&report.read.files, &report.promotions, report.rejected, false);
    outcome.notes.extend(report.checks.iter().filter_map(|check| check.message.clone()));
    Ok(outcome)
}
