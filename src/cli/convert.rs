//! `convert`: a file to a file, without a database.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::cli::address::format_of;
use crate::cli::flags::{CONVERT, OUT};
use crate::cli::report::{Outcome, print, rows, seconds, size};
use crate::cli::session::Session;
use crate::cli::settings::{Settings, json_of, reader_options};
use crate::error::{Error, Result};
use crate::input::Source;
use crate::ipc::open_ipc;
use crate::job::Stage;
use crate::options::Header;
use crate::transfer::{CsvConvert, Format, OutputOptions};
use arrow::array::RecordBatchReader;

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Flags {
    output: Option<String>,
    from: Option<String>,
    to: Option<String>,
    allow_rejects: bool,
}

pub(crate) fn run(settings: &Settings<'_>, session: &Session) -> Result<Outcome> {
    let flags: Flags = settings.get(&CONVERT)?;
    let mut inputs = settings.words("words");
    let output = match flags.output.clone() {
        Some(output) => output,
        None if inputs.len() > 1 => inputs.pop().unwrap_or_default(),
        None => return Err(Error::usage("where to? Give OUTPUT after the inputs: a file, or - for stdout")),
    };
    session.writes_to(&output);
    let formats = inputs.iter().map(|input| format_of(flags.from.as_deref(), input)).collect::<Result<Vec<_>>>()?;
    let to = format_of(flags.to.as_deref(), &output)?;
    let given = settings.reader_given()?;
    let mut out = settings.given(&OUT)?;
    if !["column_order", "sort_columns"].iter().any(|name| out.contains_key(*name)) {
        out.insert("column_order".to_owned(), json!("table"));
    }

    if let Some(binary) = formats.iter().find(|format| !format.is_text()) {
        if inputs.len() > 1 {
            return Err(Error::usage(format!("{binary} inputs are converted one at a time")));
        }
        if let Some(name) = given.keys().find(|name| *name != "threads") {
            return Err(Error::usage(format!("option '{name}' is for CSV; the input is {binary}")));
        }
        if settings.prints_config() {
            return print_config(settings, session, &flags, Value::Null, &OutputOptions::from_json(to, out)?);
        }
        return convert_binary(*binary, &inputs[0], &output, &OutputOptions::from_json(to, out)?, session);
    }

    let mut given = given;
    if !given.contains_key("delimiter") && formats.iter().all(|format| *format == Format::Tsv) {
        given.insert("delimiter".to_owned(), json!("\t"));
    }
    // Text to text: a value nobody asked about stays as it is written.
    let typed = ["all_text", "types", "infer", "date_format", "timestamp_format"];
    if to.is_text() && !typed.iter().any(|name| given.contains_key(*name)) {
        given.insert("all_text".to_owned(), json!(true));
    }
    let threads = given.get("threads").cloned();
    let reader = reader_options(given)?;
    if to.is_text() && !out.contains_key("header") && reader.header == Header::Absent && reader.names.is_none() {
        out.insert("header".to_owned(), json!(false));
    }
    if let Some(threads) = threads.filter(|_| !out.contains_key("threads")) {
        out.insert("threads".to_owned(), threads);
    }
    let options = OutputOptions::from_json(to, out)?;
    if settings.prints_config() {
        return print_config(settings, session, &flags, json_of(&reader), &options);
    }
    let sources: Result<Vec<_>> = inputs.iter().map(|input| Source::expand(input)).collect();
    let convert = CsvConvert::new(sources?.into_iter().flatten().collect(), &output)
        .with_reader_options(reader)
        .with_output(options)
        .with_monitor(session.monitor());
    let report = convert.run()?;
    let summary = match report.skipped {
        true => format!("{output} exists; nothing was done"),
        false => told(&output, report.rows, report.bytes, report.duration),
    };
    let outcome = Outcome::done(&report, summary);
    Ok(outcome.with_read(&report.read.files, &report.promotions, report.rejected, flags.allow_rejects))
}

fn told(output: &str, written: u64, bytes: u64, duration: std::time::Duration) -> String {
    let to = if output == "-" { "stdout" } else { output };
    format!("wrote {} ({}) to {to} in {}", rows(written), size(bytes), seconds(duration))
}

fn print_config(
    settings: &Settings<'_>,
    session: &Session,
    flags: &Flags,
    reader: Value,
    options: &OutputOptions,
) -> Result<Outcome> {
    session.writes_to("");
    let parts = [("", json_of(flags)), ("", reader), ("out_", options.to_json()), ("", json_of(&session.common))];
    print(&settings.config_text(&parts))?;
    Ok(Outcome::done(&json!({}), String::new()))
}

/// Parquet or Arrow to anything.
fn convert_binary(
    from: Format,
    input: &str,
    output: &str,
    options: &OutputOptions,
    session: &Session,
) -> Result<Outcome> {
    let monitor = session.monitor();
    let reader: Box<dyn RecordBatchReader + Send> = match from {
        #[cfg(feature = "parquet")]
        Format::Parquet => {
            const ROWS: usize = 8192;
            Box::new(crate::parquet::open_parquet(input, ROWS)?)
        }
        Format::Arrow => open_ipc(input)?,
        other => return Err(Error::usage(format!("this build of duckstream cannot read {other}"))),
    };
    monitor.enter(Stage::Write)?;
    let summary = options.write(reader, output, &monitor)?;
    monitor.enter(Stage::Done)?;
    let elapsed = monitor.progress().elapsed;
    let report: Map<String, Value> = [
        ("target", json!(output)),
        ("rows", json!(summary.rows)),
        ("bytes", json!(summary.bytes)),
        ("skipped", json!(summary.skipped)),
        ("duration_ms", json!(elapsed.as_millis() as u64)),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect();
    let line = match summary.skipped {
        true => format!("{output} exists; nothing was done"),
        false => told(output, summary.rows, summary.bytes, elapsed),
    };
    Ok(Outcome::done(&report, line))
}
