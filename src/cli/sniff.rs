//! `sniff`: what an input is, and what its first rows look like.

use std::io::{Cursor, Read};

use arrow::array::{Array, ArrayRef, AsArray, RecordBatchReader};
use arrow::datatypes::Schema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::cli::flags::SNIFF;
use crate::cli::load::tab_for_tsv;
use crate::cli::report::{Outcome, print};
use crate::cli::session::Session;
use crate::cli::settings::{Settings, json_of, reader_options};
use crate::csv::detect::{Sniffed, sniff};
use crate::csv::{CsvReader, CsvReaderBuilder};
use crate::error::{Error, Result};
use crate::input::{Opened, Source, open as open_input, read_error};
use crate::options::{Auto, Compression, Header, OnError, ReaderOptions};

/// Bytes of text that are looked at.
const SAMPLE: u64 = 1 << 20;
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
    // What nobody said is found out.
    for name in ["delimiter", "quote", "header"] {
        given.entry(name).or_insert_with(|| json!("auto"));
    }
    let mut options = reader_options(given)?;
    if settings.prints_config() {
        let parts = [("", json_of(&flags)), ("", json_of(&options)), ("", json_of(&session.common))];
        print(&settings.config_text(&parts))?;
        return Ok(Outcome::done(&json!({}), String::new()));
    }
    let sources = Source::expand(&inputs.concat())?;
    let Some(source) = sources.into_iter().next() else { return Err(Error::usage("no input was given")) };
    let opened = open_input(source, &options, &session.cancel)?;
    let (name, encoding, compression) = (opened.at.to_string(), opened.encoding.to_string(), opened.compression);
    let (sample, complete) = take_sample(opened)?;
    let found = sniff(&sample, complete, &options);
    let has_header = match options.header {
        Header::Auto => found.header.found,
        other => other != Header::Absent,
    };
    adopt(&mut options, &found)?;
    let schema = read(&sample, &options, session)?.schema();
    let (columns, rows) = (columns(&schema), first_rows(&sample, &options, flags.rows as usize, session)?);
    let report = json!({
        "source": name,
        "encoding": encoding,
        "compression": compression,
        "delimiter": options.delimiter,
        "quote": options.quote,
        "header": has_header,
        "columns": columns.iter().map(|(name, kind)| json!({"name": name, "type": kind})).collect::<Vec<_>>(),
        "first_rows": rows,
        "warnings": found.warnings(),
        "dialect": found,
    });
    let mut outcome = Outcome::done(&report, String::new());
    outcome.notes = found.warnings();
    if !session.common.json {
        let mut text = format!("{name}\n");
        let delimiter = format!("{:?} ({})", options.delimiter.to_string(), found.delimiter.evidence);
        let quote = format!("{} ({})", options.quote, found.quote.evidence);
        let header = format!("{has_header} ({})", found.header.evidence);
        for (name, value) in [
            ("encoding", encoding.as_str()),
            ("compression", &compression.to_string()),
            ("delimiter", &delimiter),
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
            line.extend(rows.iter().map(|row| row[index].clone().unwrap_or_else(|| "NULL".to_owned())));
            lines.push(line);
        }
        text.push_str(&table(&lines));
        print(&text)?;
    }
    Ok(outcome)
}

/// The start of the text, up to the end of a line; and whether that is all of it.
fn take_sample(opened: Opened) -> Result<(Vec<u8>, bool)> {
    let Opened { at, text, .. } = opened;
    let mut sample = Vec::new();
    text.take(SAMPLE).read_to_end(&mut sample).map_err(|error| read_error(&at, error))?;
    let complete = (sample.len() as u64) < SAMPLE;
    if !complete {
        let end = sample.iter().rposition(|byte| matches!(byte, b'\n' | b'\r')).map_or(sample.len(), |end| end + 1);
        sample.truncate(end);
    }
    Ok((sample, complete))
}

/// Puts what was found where the options leave it open, and lets no row of the sample fail the look at it.
fn adopt(options: &mut ReaderOptions, found: &Sniffed) -> Result<()> {
    if options.delimiter == Auto::Auto {
        options.delimiter = Auto::Value(found.delimiter.found.parse().map_err(Error::usage)?);
    }
    if options.quote == Auto::Auto {
        let quote = found.quote.found.map_or("none".to_owned(), String::from);
        options.quote = Auto::Value(quote.parse().map_err(Error::usage)?);
    }
    if options.header == Header::Auto {
        options.header = if found.header.found { Header::Present } else { Header::Absent };
    }
    options.encoding = Auto::Value("utf-8".to_owned());
    options.compression = Compression::None;
    options.on_error = OnError::Skip;
    Ok(())
}

fn read(sample: &[u8], options: &ReaderOptions, session: &Session) -> Result<CsvReader> {
    let builder = CsvReaderBuilder::new().with_options(options.clone()).with_monitor(session.monitor());
    builder.build(Cursor::new(sample.to_vec()))
}

fn columns(schema: &Schema) -> Vec<(String, String)> {
    schema.fields().iter().map(|field| (field.name().clone(), field.data_type().to_string())).collect()
}

/// The first rows, as the text they are; NULL as None.
fn first_rows(
    sample: &[u8],
    options: &ReaderOptions,
    wanted: usize,
    session: &Session,
) -> Result<Vec<Vec<Option<String>>>> {
    let options = ReaderOptions { all_text: true, types: Default::default(), ..options.clone() };
    let mut rows = Vec::new();
    for batch in read(sample, &options, session)? {
        let batch = batch.map_err(|error| Error::arrow("reading the first rows", error))?;
        for row in 0..batch.num_rows().min(wanted - rows.len()) {
            let cell = |column: &ArrayRef| {
                let text = column.as_string_opt::<i32>().filter(|_| !column.is_null(row));
                text.map(|text| text.value(row).to_owned())
            };
            rows.push(batch.columns().iter().map(cell).collect());
        }
        if rows.len() == wanted {
            break;
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
