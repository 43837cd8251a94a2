//! [`WriterOptions`]: everything that can be said about writing CSV.

use serde::{Deserialize, Serialize};

use crate::options::{
    ColumnOrder, Compression, Delimiter, FloatFormat, IfExists, Newline, QuoteChar, Quoting, Unmappable, WriteBom,
};

/// How CSV is written. The names are those of the step config and, with dashes, of the command line.
///
/// ```
/// use duckstream::{Newline, WriterOptions};
/// let options = WriterOptions { newline: Newline::CrLf, ..WriterOptions::default() };
/// assert!(options.header);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WriterOptions {
    /// What separates fields. Default `,`.
    #[serde(alias = "delim", alias = "sep", alias = "separator")]
    pub delimiter: Delimiter,
    /// What surrounds fields that need it. Default `"`.
    #[serde(alias = "quote_char", alias = "quotechar")]
    pub quote: QuoteChar,
    /// What goes before a quote inside quotes, instead of doubling it. Default none.
    #[serde(alias = "escape_char", alias = "escapechar")]
    pub escape: QuoteChar,
    /// Whether the first line holds the column names. Default true.
    #[serde(alias = "include_header", alias = "has_header")]
    pub header: bool,
    /// The line end. Default `lf`.
    #[serde(alias = "new_line", alias = "line_terminator", alias = "lineterminator", alias = "eol")]
    pub newline: Newline,
    /// Which fields are quoted. Default those that need it.
    #[serde(alias = "quote_style", alias = "quoting_style")]
    pub quoting: Quoting,
    /// The text of NULL, never quoted. Default empty.
    #[serde(alias = "nullstr", alias = "na_rep", alias = "null_string")]
    pub null_value: String,
    /// How floats are written. Default shortest that reads back the same.
    pub float_format: FloatFormat,
    /// The order of columns; a list picks them, too. Default sorted by name.
    #[serde(alias = "columns")]
    pub column_order: ColumnOrder,
    /// Whether columns are sorted; `false` is `column_order = table`.
    pub sort_columns: Option<bool>,
    /// The encoding of the output. Default `utf-8`.
    pub encoding: String,
    /// Whether a byte order mark is written. Default: with UTF-16 and UTF-32.
    #[serde(alias = "include_bom")]
    pub bom: WriteBom,
    /// What happens to characters the encoding lacks. Default: an error.
    pub unmappable: Unmappable,
    /// The compression of the output. Default by the file's name.
    pub compression: Compression,
    /// The compression level, as the format counts it. Default the format's own.
    pub compression_level: Option<u32>,
    /// What happens when the output exists. Default: it is replaced when the new one is complete.
    pub if_exists: IfExists,
    /// Encoding threads; 0 is one per core. Default 0.
    #[serde(alias = "jobs")]
    pub threads: usize,
}

impl WriterOptions {
    /// The order in force: `column_order`, unless `sort_columns` says otherwise.
    pub fn effective_column_order(&self) -> ColumnOrder {
        match (self.sort_columns, &self.column_order) {
            (Some(false), ColumnOrder::Sorted) => ColumnOrder::Table,
            (_, order) => order.clone(),
        }
    }
}

impl Default for WriterOptions {
    fn default() -> Self {
        WriterOptions {
            delimiter: Delimiter::from(','),
            quote: QuoteChar(Some(b'"')),
            escape: QuoteChar(None),
            header: true,
            newline: Newline::Lf,
            quoting: Quoting::Minimal,
            null_value: String::new(),
            float_format: FloatFormat::Shortest,
            column_order: ColumnOrder::Sorted,
            sort_columns: None,
            encoding: "utf-8".to_owned(),
            bom: WriteBom::Auto,
            unmappable: Unmappable::Error,
            compression: Compression::Auto,
            compression_level: None,
            if_exists: IfExists::Replace,
            threads: 0,
        }
    }
}
