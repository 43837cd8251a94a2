//! [`Format`] and [`OutputOptions`]: batches to a file of any format.
//!
//! In: a file's name, or a format's; options; a stream. Out: the file, complete or not at all.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use arrow::array::RecordBatchReader;
use serde_json::{Map, Value};

use crate::csv::{CsvWriter, CsvWriterBuilder, WriteSummary};
use crate::deferred::DeferredReader;
use crate::error::{Error, Result};
use crate::ipc::{IpcOptions, write_ipc};
use crate::job::Monitor;
use crate::options::{ColumnOrder, Compression, WriterOptions, field_names, from_json};
#[cfg(feature = "parquet")]
use crate::parquet::{ParquetOptions, write_parquet};

/// A file format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// Separated by commas, unless the options say otherwise.
    Csv,
    /// CSV separated by tabs, unless the options say otherwise.
    Tsv,
    /// Parquet.
    Parquet,
    /// Arrow IPC (Feather).
    Arrow,
}

impl Format {
    /// The format that a file name promises by its extension, that of a compression left aside.
    ///
    /// ```
    /// use duckstream::Format;
    /// assert_eq!(Format::from_name("a/b.TSV.gz"), Some(Format::Tsv));
    /// assert_eq!(Format::from_name("b.parquet"), Some(Format::Parquet));
    /// assert_eq!(Format::from_name("README"), None);
    /// ```
    pub fn from_name(name: &str) -> Option<Format> {
        let name = match Compression::from_name(name) {
            Compression::None => name,
            _ => name.rsplit_once('.').map_or(name, |(stem, _)| stem),
        };
        match name.rsplit_once('.')?.1.to_ascii_lowercase().as_str() {
            "csv" | "txt" => Some(Format::Csv),
            "tsv" | "tab" => Some(Format::Tsv),
            "parquet" | "pq" => Some(Format::Parquet),
            "arrow" | "ipc" | "feather" => Some(Format::Arrow),
            _ => None,
        }
    }

    /// Whether it is text, so that the options of CSV apply.
    pub fn is_text(self) -> bool {
        matches!(self, Format::Csv | Format::Tsv)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Format::Csv => "csv",
            Format::Tsv => "tsv",
            Format::Parquet => "parquet",
            Format::Arrow => "arrow",
        })
    }
}

impl FromStr for Format {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let known = Format::from_name(&format!("x.{}", text.trim_start_matches('.')));
        known.ok_or_else(|| Error::usage(format!("'{text}' is none of csv, tsv, parquet, arrow")))
    }
}

/// How a file is written, in the format that the variant says.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum OutputOptions {
    /// As CSV.
    Csv(WriterOptions),
    /// As Parquet.
    #[cfg(feature = "parquet")]
    Parquet(ParquetOptions),
    /// As Arrow IPC.
    Arrow(IpcOptions),
}

impl OutputOptions {
    /// The names of the options that [`from_json`](Self::from_json) takes, and of those that it refuses with a reason.
    #[cfg(feature = "duckdb")]
    pub(crate) fn names(format: Format) -> Vec<&'static str> {
        let own = match format {
            #[cfg(feature = "parquet")]
            Format::Parquet => field_names::<ParquetOptions>(),
            Format::Arrow => field_names::<IpcOptions>(),
            _ => &[],
        };
        [own, field_names::<WriterOptions>()].concat()
    }

    /// The options of a format, from a JSON object.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) for an option that the format does not have, and for wrong values.
    pub fn from_json(format: Format, mut given: Map<String, Value>) -> Result<OutputOptions> {
        // One spelling for all formats.
        if let Some(sort) = given.get("sort_columns").filter(|_| !format.is_text()).and_then(Value::as_bool) {
            given.remove("sort_columns");
            if !sort && !given.contains_key("column_order") && !given.contains_key("columns") {
                given.insert("column_order".to_owned(), "table".into());
            }
        }
        let text_only = |given: &Map<String, Value>, known: &[&str]| {
            let foreign = given
                .keys()
                .find(|key| !known.contains(&key.as_str()) && field_names::<WriterOptions>().contains(&key.as_str()));
            foreign.map_or(Ok(()), |key| {
                Err(Error::usage(format!("option '{key}' is for CSV; the output is {format}, which has no such thing")))
            })
        };
        match format {
            Format::Csv => from_json(Value::Object(given)).map(OutputOptions::Csv),
            Format::Tsv => {
                if !["delimiter", "delim", "sep", "separator"].iter().any(|name| given.contains_key(*name)) {
                    given.insert("delimiter".to_owned(), "\t".into());
                }
                from_json(Value::Object(given)).map(OutputOptions::Csv)
            }
            #[cfg(feature = "parquet")]
            Format::Parquet => {
                text_only(&given, field_names::<ParquetOptions>())?;
                from_json(Value::Object(given)).map(OutputOptions::Parquet)
            }
            #[cfg(not(feature = "parquet"))]
            Format::Parquet => Err(Error::usage("this build of duckstream has no Parquet (feature `parquet`)")),
            Format::Arrow => {
                // Nothing is encoded, so there is nothing to share out.
                given.retain(|name, _| name != "threads" && name != "jobs");
                text_only(&given, field_names::<IpcOptions>())?;
                from_json(Value::Object(given)).map(OutputOptions::Arrow)
            }
        }
    }

    /// The options as JSON, by their names.
    pub fn to_json(&self) -> Value {
        match self {
            OutputOptions::Csv(options) => serde_json::to_value(options),
            #[cfg(feature = "parquet")]
            OutputOptions::Parquet(options) => serde_json::to_value(options),
            OutputOptions::Arrow(options) => serde_json::to_value(options),
        }
        .unwrap_or_default()
    }

    /// Takes the order of columns out, so that whoever makes the stream can see to it; they are written as they come.
    pub fn take_column_order(&mut self) -> ColumnOrder {
        let order = match self {
            OutputOptions::Csv(options) => {
                let order = options.effective_column_order();
                options.sort_columns = None;
                options.column_order = ColumnOrder::Table;
                return order;
            }
            #[cfg(feature = "parquet")]
            OutputOptions::Parquet(options) => &mut options.column_order,
            OutputOptions::Arrow(options) => &mut options.column_order,
        };
        std::mem::replace(order, ColumnOrder::Table)
    }

    /// Writes a stream to a file, or to standard output if `target` is `-`.
    ///
    /// # Errors
    /// Those of the stream and of the format's writer. The target is as before then.
    pub fn write(
        &self,
        reader: impl RecordBatchReader,
        target: impl AsRef<Path>,
        monitor: &Monitor,
    ) -> Result<WriteSummary> {
        match self {
            OutputOptions::Csv(options) => {
                let mut writer = csv_writer(options, target, monitor)?;
                writer.write_all(reader)?;
                writer.finish()
            }
            #[cfg(feature = "parquet")]
            OutputOptions::Parquet(options) => write_parquet(reader, target, options, monitor),
            OutputOptions::Arrow(options) => write_ipc(reader, target, options, monitor),
        }
    }

    /// [`write`](Self::write), for a stream whose batches the threads that encode CSV can make.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub fn write_deferred(
        &self,
        reader: impl DeferredReader,
        target: impl AsRef<Path>,
        monitor: &Monitor,
    ) -> Result<WriteSummary> {
        let OutputOptions::Csv(options) = self else { return self.write(reader, target, monitor) };
        let mut writer = csv_writer(options, target, monitor)?;
        writer.write_all_deferred(reader)?;
        writer.finish()
    }
}

fn csv_writer(options: &WriterOptions, target: impl AsRef<Path>, monitor: &Monitor) -> Result<CsvWriter> {
    CsvWriterBuilder::new().with_options(options.clone()).with_monitor(monitor.clone()).create(target)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(format: Format, given: Value) -> Result<OutputOptions> {
        OutputOptions::from_json(format, given.as_object().unwrap().clone())
    }

    #[test]
    fn each_format_has_its_options() {
        let OutputOptions::Csv(tsv) = parse(Format::Tsv, json!({})).unwrap() else { panic!() };
        assert_eq!(tsv.delimiter.as_str(), "\t");
        let OutputOptions::Csv(tsv) = parse(Format::Tsv, json!({"sep": ";"})).unwrap() else { panic!() };
        assert_eq!(tsv.delimiter.as_str(), ";");
        let error = parse(Format::Arrow, json!({"quoting": "all"})).unwrap_err().to_string();
        assert!(error.contains("option 'quoting' is for CSV; the output is arrow"), "{error}");
        let error = parse(Format::Csv, json!({"quotin": "all"})).unwrap_err().to_string();
        assert!(error.contains("did you mean 'quoting'"), "{error}");
    }

    #[test]
    fn formats_have_names() {
        for format in [Format::Csv, Format::Tsv, Format::Parquet, Format::Arrow] {
            assert_eq!(format.to_string().parse::<Format>().unwrap(), format);
        }
        assert!("xlsx".parse::<Format>().is_err());
    }
}
