//! [`ReaderOptions`]: everything that can be said about reading CSV.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::options::{
    Auto, Compression, DecoderChoice, Delimiter, Detect, EncodingErrors, Header, Infer, InferQuoted, LongRows,
    MatchColumns, NulBytes, OnError, OnTypeChange, PerColumn, QuoteChar, ShortRows, Trim,
};

/// Rows per batch: one row group of a DuckDB table, so that a load hands the engine exactly what it stores.
pub const DEFAULT_BATCH_SIZE: usize = 122_880;
/// Text bytes per batch, whichever of the two limits is reached first. Where an eighth of the rows does not fit an eighth of
/// the bytes, that eighth of the bytes is the limit: no row group will come of it, and decoding begins sooner.
pub const DEFAULT_BATCH_BYTES: usize = 64 << 20;
/// Bytes per read from the input.
pub const DEFAULT_BLOCK_SIZE: usize = 1 << 20;
/// The longest record that is accepted.
pub const DEFAULT_MAX_RECORD_BYTES: usize = 64 << 20;

/// How CSV is read. The names are those of the step config and, with dashes, of the command line.
///
/// ```
/// use duckstream::ReaderOptions;
/// let options = ReaderOptions { all_text: true, threads: 1, ..ReaderOptions::default() };
/// assert_eq!(options.batch_size, 122_880);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReaderOptions {
    /// What separates fields. Default `,`.
    #[serde(alias = "delim", alias = "sep", alias = "separator")]
    pub delimiter: Auto<Delimiter>,
    /// What surrounds fields that contain delimiters or line ends. Default `"`.
    #[serde(alias = "quote_char", alias = "quotechar")]
    pub quote: Auto<QuoteChar>,
    /// What, inside quotes, takes the next character as it is. Default none.
    #[serde(alias = "escape_char", alias = "escapechar")]
    pub escape: QuoteChar,
    /// Whether a doubled quote inside quotes stands for one. Default true.
    #[serde(alias = "doublequote")]
    pub double_quote: bool,
    /// Where the column names are. Default: in the first record.
    #[serde(alias = "has_header")]
    pub header: Header,
    /// Column names to use instead of those in the input.
    #[serde(alias = "column_names", alias = "new_columns")]
    pub names: Option<Vec<String>>,
    /// The columns to read, in this order. Default all.
    #[serde(alias = "select", alias = "usecols", alias = "include_columns")]
    pub columns: Option<Vec<String>>,
    /// Types by column name, `"*"` for all others; what is not named is inferred.
    #[serde(alias = "dtype", alias = "schema_overrides", alias = "column_types")]
    pub types: BTreeMap<String, String>,
    /// Whether every column is text. Default false.
    #[serde(alias = "all_varchar")]
    pub all_text: bool,
    /// How much input is looked at to infer types. Default the first batch.
    #[serde(alias = "sample_size", alias = "infer_schema_length")]
    pub infer: Infer,
    /// Whether quoted values are inferred like others. Default yes.
    pub infer_quoted: InferQuoted,
    /// Physical lines dropped before anything else. Default 0.
    #[serde(alias = "skip", alias = "skiprows", alias = "skip_lines")]
    pub skip_rows: u64,
    /// Records dropped at the end. Default 0.
    #[serde(alias = "skipfooter")]
    pub skip_footer: u64,
    /// The most rows to read. Default all.
    #[serde(alias = "n_rows", alias = "nrows")]
    pub limit: Option<u64>,
    /// Lines that start with this text are comments. Default none.
    #[serde(alias = "comment_prefix")]
    pub comment: Option<String>,
    /// Whether blank lines are skipped. Default: yes, except where there is one column: there a blank line is a NULL.
    #[serde(alias = "ignore_empty_lines")]
    pub skip_blank_lines: Option<bool>,
    /// What is trimmed of blanks and tabs. Default nothing.
    pub trim: Trim,
    /// Bare texts that mean NULL, besides the empty one; for all columns or per column.
    #[serde(alias = "nullstr", alias = "na_values", alias = "null_if")]
    pub null_values: PerColumn,
    /// Whether quoted fields can be NULL, too. Default false.
    #[serde(alias = "allow_quoted_nulls", alias = "quoted_strings_can_be_null")]
    pub quoted_nulls: bool,
    /// Texts that mean true, besides `true` in any case.
    pub true_values: Vec<String>,
    /// Texts that mean false, besides `false` in any case.
    pub false_values: Vec<String>,
    /// Formats (strftime) that dates come in, for all columns or per column. Default ISO 8601 only.
    #[serde(alias = "dateformat")]
    pub date_format: PerColumn,
    /// Formats (strftime) that timestamps come in, for all columns or per column. Default ISO 8601 only.
    #[serde(alias = "timestampformat", alias = "datetime_format", alias = "timestamp_parsers")]
    pub timestamp_format: PerColumn,
    /// What separates the fraction of a number. Default `.`.
    #[serde(alias = "decimal", alias = "decimal_point")]
    pub decimal_separator: char,
    /// What groups the digits of a number. Default none.
    #[serde(alias = "thousands")]
    pub thousands_separator: Option<char>,
    /// The encoding of the input; `auto` looks at it. A byte order mark beats both. Default `auto`.
    pub encoding: Auto<String>,
    /// What happens to bytes that are not valid. Default: an error.
    pub encoding_errors: EncodingErrors,
    /// What happens to NUL bytes. Default: they stay.
    pub nul: NulBytes,
    /// The compression of the input. Default by magic bytes.
    pub compression: Compression,
    /// Rows per batch. Default 122,880.
    #[serde(alias = "chunk_size", alias = "chunksize")]
    pub batch_size: usize,
    /// Bytes of text per batch, whichever limit is reached first; an eighth of that where rows are wide
    /// ([`DEFAULT_BATCH_BYTES`] says how wide). Default 64 MiB.
    pub batch_bytes: usize,
    /// Bytes per read. Default 1 MiB.
    pub block_size: usize,
    /// The longest record accepted, in bytes. Default 64 MiB.
    pub max_record_bytes: usize,
    /// Decoding threads; 0 is one per core. Default 0.
    #[serde(alias = "jobs")]
    pub threads: usize,
    /// Which decoder. Default the fast one where it applies.
    pub decoder: DecoderChoice,
    /// What happens to bad rows. Default: an error.
    #[serde(alias = "on_bad_lines")]
    pub on_error: OnError,
    /// Where rejected rows go: a `.jsonl`, `.csv` or `.parquet` file, or a table of the target.
    #[serde(alias = "rejects_table")]
    pub rejects: Option<String>,
    /// The most rejects a run survives. Default any number.
    #[serde(alias = "rejects_limit")]
    pub max_rejects: Option<u64>,
    /// The largest part of rows, 0 to 1, whose rejection a run survives. Default any.
    pub max_reject_ratio: Option<f64>,
    /// What happens when a later value does not fit the inferred type. Default: the type is widened.
    pub on_type_change: OnTypeChange,
    /// What happens to rows that are too short. Default: an error.
    pub short_rows: ShortRows,
    /// What happens to rows that are too long. Default: an error.
    pub long_rows: LongRows,
    /// How columns of several inputs find each other. Default by name.
    pub match_columns: MatchColumns,
    /// The name of an extra column that holds each row's file. Default none.
    #[serde(alias = "include_file_paths")]
    pub filename: Option<String>,
    /// How far detection may go. Default only what is `auto`.
    pub detect: Detect,
    /// Which table of a file that holds several, with `detect = all`. Default 1.
    pub nth_table: u64,
}

impl Default for ReaderOptions {
    fn default() -> Self {
        ReaderOptions {
            delimiter: Auto::Value(Delimiter::from(',')),
            quote: Auto::Value(QuoteChar(Some(b'"'))),
            escape: QuoteChar(None),
            double_quote: true,
            header: Header::Present,
            names: None,
            columns: None,
            types: BTreeMap::new(),
            all_text: false,
            infer: Infer::FirstBatch,
            infer_quoted: InferQuoted::Values,
            skip_rows: 0,
            skip_footer: 0,
            limit: None,
            comment: None,
            skip_blank_lines: None,
            trim: Trim::None,
            null_values: PerColumn::default(),
            quoted_nulls: false,
            true_values: Vec::new(),
            false_values: Vec::new(),
            date_format: PerColumn::default(),
            timestamp_format: PerColumn::default(),
            decimal_separator: '.',
            thousands_separator: None,
            encoding: Auto::Auto,
            encoding_errors: EncodingErrors::Error,
            nul: NulBytes::Keep,
            compression: Compression::Auto,
            batch_size: DEFAULT_BATCH_SIZE,
            batch_bytes: DEFAULT_BATCH_BYTES,
            block_size: DEFAULT_BLOCK_SIZE,
            max_record_bytes: DEFAULT_MAX_RECORD_BYTES,
            threads: 0,
            decoder: DecoderChoice::Auto,
            on_error: OnError::Error,
            rejects: None,
            max_rejects: None,
            max_reject_ratio: None,
            on_type_change: OnTypeChange::Promote,
            short_rows: ShortRows::Error,
            long_rows: LongRows::Error,
            match_columns: MatchColumns::Name,
            filename: None,
            detect: Detect::Given,
            nth_table: 1,
        }
    }
}
