//! `sniff`: what an input is, and what its first rows look like.

use arrow::array::{RecordBatch, RecordBatchReader};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::cli::flags::SNIFF;
use crate::cli::load::tab_for_tsv;
use crate::cli::report::{Outcome, print};
use crate::cli::session::Session;
use crate::cli::settings::{Settings, json_of, reader_options};
use crate::csv::CsvReaderBuilder;
use crate::error::{Error, Result};

/// Characters of a cell that are shown.
const WIDEST: usize = 24;

#[derive(Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Flags {
    rows: u64,
}

impl Default for Flags {
    fn default() -> Self {
        Flags { rows: 5 }
    }
}

pub(crate) fn run(settings: &Settings<'_>, session: &Session) -> Result<Outcome> {
    let flags: Flags = settings.get(&SNIFF)?;
    let inputs = settings.words("words");
    let mut given = settings.reader_given()?;
    tab_for_tsv(&mut given, &inputs)?;
    let mut options = reader_options(given)?;
    if settings.prints_config() {
        let parts = [("", json_of(&flags)), ("", json_of(&options)), ("", json_of(&session.common))];
        print(&settings.config_text(&parts))?;
        return Ok(Outcome::done(&json!({}), String::new()));
    }
    let wanted = flags.rows.min(options.limit.unwrap_or(u64::MAX));
    options.limit = Some(wanted);
    let (delimiter, quote) = (options.delimiter.to_string(), options.quote.to_string());
    let header = options.header.to_string();
    let mut reader =
        CsvReaderBuilder::new().with_options(options).with_monitor(session.monitor()).open(inputs.concat())?;
    let schema = reader.schema();
    let batches: Vec<RecordBatch> =
        reader.by_ref().collect::<Result<_, _>>().map_err(|error| Error::arrow("reading the first rows", error))?;
    let rows = first_rows(&batches, wanted as usize)?;
    let summary = reader.summary();
    let file = summary.files.first().cloned().unwrap_or_default();
    let columns: Vec<(String, String)> =
        schema.fields().iter().map(|field| (field.name().clone(), field.data_type().to_string())).collect();
    let report = json!({
        "source": inputs.concat(),
        "encoding": file.encoding,
        "compression": file.compression,
        "delimiter": delimiter,
        "quote": quote,
        "header": header,
        "columns": columns.iter().map(|(name, kind)| json!({"name": name, "type": kind})).collect::<Vec<_>>(),
        "first_rows": rows,
    });
    if !session.common.json {
        let mut text = format!("{}\n", inputs.concat());
        for (name, value) in [
            ("encoding", file.encoding.as_str()),
            ("compression", &file.compression),
            ("delimiter", &format!("{delimiter:?}")),
            ("quote", &quote),
            ("header", &header),
            ("columns", &columns.len().to_string()),
        ] {
            text.push_str(&format!("  {name:<12} {value}\n"));
        }
        let mut lines: Vec<Vec<String>> = vec![["name", "type"].map(str::to_owned).to_vec()];
        lines[0].extend((1..=rows.len()).map(|row| format!("row {row}")));
        for (index, (name, kind)) in columns.iter().enumerate() {
            let mut line = vec![name.clone(), kind.clone()];
            line.extend(rows.iter().map(|row| match &row[index] {
                Value::String(value) => value.clone(),
                _ => "NULL".to_owned(),
            }));
            lines.push(line);
        }
        text.push_str(&table(&lines));
        print(&text)?;
    }
    Ok(Outcome::done(&report, String::new()))
}

/// The first rows, as text; NULL as null.
fn first_rows(batches: &[RecordBatch], wanted: usize) -> Result<Vec<Vec<Value>>> {
    let failed = |error| Error::arrow("showing the first rows", error);
    let format = FormatOptions::default();
    let mut rows = Vec::new();
    for batch in batches {
        let columns: Vec<ArrayFormatter<'_>> = batch
            .columns()
            .iter()
            .map(|column| ArrayFormatter::try_new(column, &format))
            .collect::<Result<_, _>>()
            .map_err(failed)?;
        for row in 0..batch.num_rows().min(wanted - rows.len()) {
            let cell = |(column, shown): (&arrow::array::ArrayRef, &ArrayFormatter<'_>)| match column.is_null(row) {
                true => Value::Null,
                false => Value::String(shown.value(row).to_string()),
            };
            rows.push(batch.columns().iter().zip(&columns).map(cell).collect());
        }
    }
    Ok(rows)
}

/// Lines of cells, one under the other.
fn table(lines: &[Vec<String>]) -> String {
    let cell = |text: &str| {
        let text: String = text.chars().map(|c| if c.is_control() { '␤' } else { c }).collect();
        match text.chars().count() > WIDEST {
            true => text.chars().take(WIDEST - 1).chain(['…']).collect(),
            false => text,
        }
    };
    let cells: Vec<Vec<String>> = lines.iter().map(|line| line.iter().map(|text| cell(text)).collect()).collect();
    let widths: Vec<usize> = (0..cells.first().map_or(0, Vec::len))
        .map(|column| cells.iter().map(|line| line[column].chars().count()).max().unwrap_or(0))
        .collect();
    let mut text = String::new();
    for line in &cells {
        let padded = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        text.push_str(&format!("    {}", padded.collect::<Vec<_>>().join("  ")));
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
    text
}
