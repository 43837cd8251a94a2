//! [`RejectRecord`]: one rejected row as it is written, in every format.
//!
//! In: a [`Fault`]. Out: the same fields in JSON, CSV and Arrow. Raw bytes are text where they are valid UTF-8 and
//! base64 where not; [`RejectRecord::raw_bytes`] gives them back.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Fault, FaultCode, Result};

/// How [`RejectRecord::raw`] holds the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RawEncoding {
    /// As they are.
    #[serde(rename = "utf-8")]
    Utf8,
    /// In base64, for bytes that are not valid UTF-8.
    #[serde(rename = "base64")]
    Base64,
}

/// One rejected row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejectRecord {
    /// The run that rejected it.
    pub run_id: String,
    /// The input, or the table for a row that a check rejected.
    pub source: String,
    /// The member of an archive.
    pub member: Option<String>,
    /// The record, from 1; for a row that a check rejected, its place in the table.
    pub record: Option<u64>,
    /// The physical line it starts on, from 1.
    pub line_start: Option<u64>,
    /// The physical line it ends on.
    pub line_end: Option<u64>,
    /// Where it starts in the decoded text, from 0.
    pub byte_start: Option<u64>,
    /// Bytes of the record, without its line end.
    pub byte_len: u64,
    /// The column, where one is at fault.
    pub column: Option<String>,
    /// Why.
    pub code: FaultCode,
    /// Why, in words.
    pub message: String,
    /// The value at fault.
    pub value: Option<String>,
    /// All bytes of the record.
    pub raw: String,
    /// How `raw` holds them.
    pub raw_encoding: RawEncoding,
}

impl RejectRecord {
    /// The columns, in the order in which they are written, and whether each holds numbers.
    pub(crate) const COLUMNS: [(&'static str, bool); 14] = [
        ("run_id", false),
        ("source", false),
        ("member", false),
        ("record", true),
        ("line_start", true),
        ("line_end", true),
        ("byte_start", true),
        ("byte_len", true),
        ("column", false),
        ("code", false),
        ("message", false),
        ("value", false),
        ("raw", false),
        ("raw_encoding", false),
    ];

    /// The record of a fault.
    pub fn new(run_id: &str, fault: &Fault) -> Self {
        let (raw, raw_encoding) = match std::str::from_utf8(&fault.raw) {
            Ok(text) => (text.to_owned(), RawEncoding::Utf8),
            Err(_) => (STANDARD.encode(&fault.raw), RawEncoding::Base64),
        };
        RejectRecord {
            run_id: run_id.to_owned(),
            source: fault.at.source.clone(),
            member: fault.at.member.clone(),
            record: fault.at.record,
            line_start: fault.at.line,
            line_end: fault.at.line.map(|_| fault.line_end),
            byte_start: fault.at.byte,
            byte_len: fault.raw.len() as u64,
            column: fault.at.column.clone(),
            code: fault.code,
            message: fault.message.clone(),
            value: fault.value.clone(),
            raw,
            raw_encoding,
        }
    }

    /// The bytes of the record, as they stood in the input.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) if the record was changed and is no base64 any more.
    pub fn raw_bytes(&self) -> Result<Vec<u8>> {
        match self.raw_encoding {
            RawEncoding::Utf8 => Ok(self.raw.clone().into_bytes()),
            RawEncoding::Base64 => STANDARD.decode(&self.raw).map_err(|error| {
                Error::usage(format!("the raw bytes of a reject of {} are not base64: {error}", self.source))
            }),
        }
    }

    /// The text columns, each at its place; numbers are `None` here.
    pub(crate) fn texts(&self) -> [Option<&str>; 14] {
        let raw_encoding = match self.raw_encoding {
            RawEncoding::Utf8 => "utf-8",
            RawEncoding::Base64 => "base64",
        };
        [
            Some(&self.run_id),
            Some(&self.source),
            self.member.as_deref(),
            None,
            None,
            None,
            None,
            None,
            self.column.as_deref(),
            Some(self.code.name()),
            Some(&self.message),
            self.value.as_deref(),
            Some(&self.raw),
            Some(raw_encoding),
        ]
    }

    /// The number columns, each at its place; texts are `None` here.
    pub(crate) fn numbers(&self) -> [Option<i64>; 14] {
        let mut numbers = [None; 14];
        let values = [self.record, self.line_start, self.line_end, self.byte_start, Some(self.byte_len)];
        for (number, value) in numbers[3..].iter_mut().zip(values) {
            *number = value.map(|value| i64::try_from(value).unwrap_or(i64::MAX));
        }
        numbers
    }

    /// About how many bytes it takes.
    #[cfg(feature = "parquet")]
    pub(crate) fn size(&self) -> usize {
        self.raw.len() + self.message.len() + self.value.as_ref().map_or(0, String::len) + 200
    }

    /// Appends it as one line of CSV.
    pub(crate) fn push_csv(&self, line: &mut String) {
        for (index, (text, number)) in self.texts().into_iter().zip(self.numbers()).enumerate() {
            if index > 0 {
                line.push(',');
            }
            match number {
                Some(number) => line.push_str(itoa::Buffer::new().format(number)),
                None => push_csv_field(line, text),
            }
        }
        line.push('\n');
    }
}

/// Appends a field: NULL is bare and empty, the empty text is quoted, what needs quotes gets them.
pub(crate) fn push_csv_field(line: &mut String, text: Option<&str>) {
    let Some(text) = text else { return };
    if !text.is_empty() && !text.contains([',', '"', '\n', '\r', ' ', '\t', '\0']) {
        return line.push_str(text);
    }
    line.push('"');
    for (index, part) in text.split('"').enumerate() {
        if index > 0 {
            line.push_str("\"\"");
        }
        line.push_str(part);
    }
    line.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_and_empty_and_quotes_are_told_apart() {
        for (text, expected) in [
            (None, ""),
            (Some(""), "\"\""),
            (Some("a"), "a"),
            (Some("a\"b,\r\n"), "\"a\"\"b,\r\n\""),
            (Some("a b"), "\"a b\""),
        ] {
            let mut line = String::new();
            push_csv_field(&mut line, text);
            assert_eq!(line, expected);
        }
    }
}
