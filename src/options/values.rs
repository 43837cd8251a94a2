//! The options that are more than a name: line ends, delimiters, quotes, headers, formats, values per column.
//!
//! Every type reads from the text a person types (`FromStr`) and from JSON (`serde`), by the same function.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;

use crate::options::text::{text_of, text_serde};

/// The line end that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Newline {
    /// `\n`.
    #[default]
    Lf,
    /// `\r\n`.
    CrLf,
    /// `\r`.
    Cr,
}

impl Newline {
    /// The bytes.
    pub fn as_str(self) -> &'static str {
        match self {
            Newline::Lf => "\n",
            Newline::CrLf => "\r\n",
            Newline::Cr => "\r",
        }
    }
}

impl FromStr for Newline {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "lf" | "\n" | "\\n" => Ok(Newline::Lf),
            "crlf" | "\r\n" | "\\r\\n" => Ok(Newline::CrLf),
            "cr" | "\r" | "\\r" => Ok(Newline::Cr),
            _ => Err(format!("'{text}' is none of lf, crlf, cr")),
        }
    }
}

impl fmt::Display for Newline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Newline::Lf => "lf",
            Newline::CrLf => "crlf",
            Newline::Cr => "cr",
        })
    }
}

/// What separates fields: 1 to 8 bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Delimiter(String);

impl Delimiter {
    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<char> for Delimiter {
    fn from(character: char) -> Self {
        Delimiter(character.to_string())
    }
}

impl FromStr for Delimiter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = match text {
            "\\t" | "tab" => "\t",
            "space" => " ",
            "\\0" => "\0",
            other => other,
        };
        if text.is_empty() || text.len() > 8 {
            return Err(format!("the delimiter {text:?} is {} bytes long; 1 to 8 are possible", text.len()));
        }
        if text.contains(['\n', '\r']) {
            return Err("a line end cannot be the delimiter".to_owned());
        }
        Ok(Delimiter(text.to_owned()))
    }
}

impl fmt::Display for Delimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A quote or escape character: one ASCII byte, or `none`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct QuoteChar(pub Option<u8>);

impl FromStr for QuoteChar {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.as_bytes() {
            [] | b"none" => Ok(QuoteChar(None)),
            [byte] if byte.is_ascii() && !matches!(byte, b'\n' | b'\r') => Ok(QuoteChar(Some(*byte))),
            _ => Err(format!("{text:?} is not one ASCII character, nor 'none'")),
        }
    }
}

impl fmt::Display for QuoteChar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(byte) => write!(f, "{}", byte as char),
            None => f.write_str("none"),
        }
    }
}

/// Where the column names are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Header {
    /// In the first record (after skipped rows).
    #[default]
    Present,
    /// Nowhere: names are given, or `column_1`, `column_2`, …
    Absent,
    /// Found out: a header is there if the first record does not fit the types of the others.
    Auto,
    /// In that record, from 1; the records before it are skipped.
    Row(u64),
}

impl FromStr for Header {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "true" | "yes" => Ok(Header::Present),
            "false" | "no" | "none" => Ok(Header::Absent),
            "auto" => Ok(Header::Auto),
            other => match other.parse() {
                Ok(row) if row > 0 => Ok(Header::Row(row)),
                _ => Err(format!("'{text}' is none of true, false, auto, or a row number from 1")),
            },
        }
    }
}

impl fmt::Display for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Header::Present => f.write_str("true"),
            Header::Absent => f.write_str("false"),
            Header::Auto => f.write_str("auto"),
            Header::Row(row) => row.fmt(f),
        }
    }
}

/// How much of the input is looked at to find the column types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Infer {
    /// The first batch.
    #[default]
    FirstBatch,
    /// That many rows.
    Rows(u64),
    /// All of it, in a pass of its own.
    Full,
}

impl FromStr for Infer {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().replace('-', "_").as_str() {
            "first_batch" => Ok(Infer::FirstBatch),
            "full" | "_1" => Ok(Infer::Full),
            other => match other.parse() {
                Ok(rows) if rows > 0 => Ok(Infer::Rows(rows)),
                _ => Err(format!("'{text}' is none of first_batch, full, or a number of rows from 1")),
            },
        }
    }
}

impl fmt::Display for Infer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Infer::FirstBatch => f.write_str("first_batch"),
            Infer::Rows(rows) => rows.fmt(f),
            Infer::Full => f.write_str("full"),
        }
    }
}

/// How floats are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
#[non_exhaustive]
pub enum FloatFormat {
    /// The shortest text that reads back to the same bits.
    #[default]
    Shortest,
    /// That many digits after the point.
    Fixed(u8),
    /// That many significant digits.
    Significant(u8),
    /// Scientific notation, shortest digits.
    Scientific,
}

impl FromStr for FloatFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = |digits: &str| digits.parse().ok().filter(|n| *n <= 60);
        let parsed = match text.to_ascii_lowercase().split_once(':') {
            Some(("fixed", n)) => digits(n).map(FloatFormat::Fixed),
            Some(("sig", n)) => digits(n).filter(|n| *n > 0).map(FloatFormat::Significant),
            None if text.eq_ignore_ascii_case("shortest") => Some(FloatFormat::Shortest),
            None if text.eq_ignore_ascii_case("scientific") => Some(FloatFormat::Scientific),
            _ => None,
        };
        parsed.ok_or_else(|| format!("'{text}' is none of shortest, fixed:N, sig:N, scientific"))
    }
}

impl fmt::Display for FloatFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FloatFormat::Shortest => f.write_str("shortest"),
            FloatFormat::Fixed(n) => write!(f, "fixed:{n}"),
            FloatFormat::Significant(n) => write!(f, "sig:{n}"),
            FloatFormat::Scientific => f.write_str("scientific"),
        }
    }
}

text_serde!(Newline, Delimiter, QuoteChar, Header, Infer, FloatFormat);

/// The order in which columns are written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ColumnOrder {
    /// By code point of the name, case-sensitively.
    #[default]
    Sorted,
    /// As in the table, query or stream.
    Table,
    /// These columns, in this order, and no others.
    List(Vec<String>),
}

impl<'de> Deserialize<'de> for ColumnOrder {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(text) if text == "sorted" => Ok(ColumnOrder::Sorted),
            Value::String(text) if text == "table" => Ok(ColumnOrder::Table),
            Value::Array(names) => {
                serde_json::from_value(Value::Array(names)).map(ColumnOrder::List).map_err(de::Error::custom)
            }
            other => Err(de::Error::custom(format!("{other} is none of sorted, table, or a list of columns"))),
        }
    }
}

impl Serialize for ColumnOrder {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            ColumnOrder::Sorted => serializer.serialize_str("sorted"),
            ColumnOrder::Table => serializer.serialize_str("table"),
            ColumnOrder::List(names) => names.serialize(serializer),
        }
    }
}

/// A list of texts for all columns, or one list per column (`"*"` for the rest).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PerColumn(pub BTreeMap<String, Vec<String>>);

impl PerColumn {
    /// The same list for every column.
    pub fn all<S: Into<String>>(values: impl IntoIterator<Item = S>) -> Self {
        PerColumn(BTreeMap::from([("*".to_owned(), values.into_iter().map(Into::into).collect())]))
    }

    /// The list for a column.
    pub fn get(&self, column: &str) -> &[String] {
        self.0.get(column).or_else(|| self.0.get("*")).map_or(&[], Vec::as_slice)
    }

    /// Whether nothing is listed at all.
    pub fn is_empty(&self) -> bool {
        self.0.values().all(Vec::is_empty)
    }
}

impl<'de> Deserialize<'de> for PerColumn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        fn list(value: Value) -> Result<Vec<String>, String> {
            match value {
                Value::String(text) => Ok(vec![text]),
                Value::Array(items) => items
                    .into_iter()
                    .map(|item| match item {
                        Value::String(text) => Ok(text),
                        Value::Number(number) => Ok(number.to_string()),
                        other => Err(format!("expected a text, found {other}")),
                    })
                    .collect(),
                other => Err(format!("expected a text or a list of texts, found {other}")),
            }
        }
        let lists = match Value::deserialize(deserializer)? {
            Value::Object(map) => {
                map.into_iter().map(|(column, value)| Ok((column, list(value)?))).collect::<Result<_, String>>()
            }
            other => list(other).map(|values| BTreeMap::from([("*".to_owned(), values)])),
        };
        lists.map(PerColumn).map_err(de::Error::custom)
    }
}

impl Serialize for PerColumn {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}
