//! Odd rows made ordinary: any record of any dialect, rewritten in the canonical one, or set aside with a reason.
//!
//! In: text from a record's start, a [`Plan`]. Out: [`Canonical`]: rows of exactly `width` fields that the fast
//! decoder can take, where each came from, and the [`RowFault`]s of rows that the options do not admit. A value's text
//! is never changed here; only how it is quoted.

use std::ops::Range;

use crate::csv::dialect::Dialect;
use crate::csv::plan::Plan;
use crate::csv::split::PADDING;
use crate::csv::tokenize::{Record, RecordKind, field_value, record};
use crate::error::{FaultCode, hex};
use crate::options::{LongRows, NulBytes, ShortRows};

/// A row or value of one chunk that is not taken as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RowFault {
    /// Which data record of the chunk, from 0.
    pub record: u64,
    /// The record's bytes in the chunk, without the line end.
    pub span: Range<usize>,
    /// Which column of the plan.
    pub column: Option<usize>,
    pub code: FaultCode,
    pub message: String,
    pub value: Option<String>,
    pub hint: Option<String>,
}

/// What became of the records of a chunk, besides rows and faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct RowCounts {
    /// Data records, rejected ones included.
    pub records: u64,
    /// Blank lines that were skipped.
    pub blank: u64,
    /// Comment lines.
    pub comments: u64,
    /// Short rows that were padded with NULL.
    pub padded: u64,
    /// Long rows whose surplus fields were dropped.
    pub truncated: u64,
    /// Long rows whose surplus text went into the last column.
    pub merged: u64,
    /// Values that NUL bytes were taken out of.
    pub nul_stripped: u64,
}

impl std::ops::AddAssign for RowCounts {
    fn add_assign(&mut self, other: RowCounts) {
        self.records += other.records;
        self.blank += other.blank;
        self.comments += other.comments;
        self.padded += other.padded;
        self.truncated += other.truncated;
        self.merged += other.merged;
        self.nul_stripped += other.nul_stripped;
    }
}

/// Where a row came from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origin {
    pub record: u64,
    pub start: usize,
    pub end: usize,
}

/// Rows in the canonical dialect.
#[derive(Debug, Default)]
pub(crate) struct Canonical {
    /// `text[..end]` are the rows; [`PADDING`] bytes follow.
    pub text: Vec<u8>,
    pub end: usize,
    pub rows: Vec<Origin>,
    /// Start of the first record that was not looked at.
    pub next: usize,
}

/// Rewrites up to `limit` records of `text`, from `start` on.
pub(crate) fn canonicalize(
    plan: &Plan,
    text: &[u8],
    start: usize,
    limit: usize,
    counts: &mut RowCounts,
    faults: &mut Vec<RowFault>,
) -> Canonical {
    let mut out = Canonical { next: start, ..Canonical::default() };
    let mut fields = Vec::new();
    let mut seen = 0;
    while seen < limit && out.next < text.len() {
        let begin = out.next;
        // A complete text always has a record left.
        let Some(found) = record(&plan.dialect, text, begin, true, &mut fields) else { break };
        out.next = found.next;
        seen += 1;
        match found.kind {
            RecordKind::Comment => counts.comments += 1,
            RecordKind::Blank if plan.skip_blank_lines => counts.blank += 1,
            _ => {
                let origin = Origin { record: counts.records, start: begin, end: found.end };
                counts.records += 1;
                match admit(plan, text, begin, &found, &mut fields, counts) {
                    Ok(()) => {
                        write_row(plan, text, &fields, &mut out.text, counts);
                        out.rows.push(origin);
                    }
                    Err((code, message, hint)) => faults.push(RowFault {
                        record: origin.record,
                        span: begin..found.end,
                        column: invalid_at(&text[begin..found.end]).and_then(|at| column_at(plan, &fields, begin + at)),
                        code,
                        message,
                        value: None,
                        hint,
                    }),
                }
            }
        }
    }
    out.end = out.text.len();
    out.text.resize(out.end + PADDING, 0);
    out
}

type Refusal = (FaultCode, String, Option<String>);

/// Makes `fields` as many as there are columns, or says why the row is not taken.
fn admit(
    plan: &Plan,
    text: &[u8],
    begin: usize,
    found: &Record,
    fields: &mut Vec<Range<usize>>,
    counts: &mut RowCounts,
) -> Result<(), Refusal> {
    let raw = &text[begin..found.end];
    if let Err(error) = std::str::from_utf8(raw) {
        let at = error.valid_up_to();
        let bytes = &raw[at..error.error_len().map_or(raw.len(), |length| at + length)];
        return Err((
            FaultCode::InvalidEncoding,
            format!("bytes {}, {at} bytes into the row, are not valid UTF-8: {}", hex(bytes), shorten(raw)),
            Some("name the file's encoding with --encoding, or use --encoding-errors replace".to_owned()),
        ));
    }
    if found.stray {
        return Err((
            FaultCode::StrayQuote,
            format!("text stands after a closing quote: {}", shorten(raw)),
            Some("--quote none takes quotes as text; --escape '\\' if quotes are escaped that way".to_owned()),
        ));
    }
    if plan.dialect.nul == NulBytes::Reject && memchr::memchr(0, raw).is_some() {
        return Err((
            FaultCode::NulByte,
            "the row has a NUL byte".to_owned(),
            Some("--nul strip or --nul keep".to_owned()),
        ));
    }
    let (width, got) = (plan.width, fields.len());
    let count = |n: usize| format!("{n} field{}", if n == 1 { "" } else { "s" });
    if got < width {
        if plan.short_rows != ShortRows::Pad {
            return Err((
                FaultCode::ShortRow,
                format!("{} where {width} columns are expected: {}", count(got), shorten(raw)),
                Some("--short-rows pad fills up with NULL; --on-error reject sets such rows aside".to_owned()),
            ));
        }
        counts.padded += 1;
        fields.resize(width, found.end..found.end);
    } else if got > width {
        match plan.long_rows {
            LongRows::Truncate => counts.truncated += 1,
            LongRows::MergeLast => {
                counts.merged += 1;
                fields[width - 1].end = found.end;
            }
            _ => {
                return Err((
                    FaultCode::LongRow,
                    format!("{} where {width} columns are expected: {}", count(got), shorten(raw)),
                    Some(
                        "--long-rows truncate or merge-last takes such rows; --on-error reject sets them aside"
                            .to_owned(),
                    ),
                ));
            }
        }
        fields.truncate(width);
    }
    Ok(())
}

fn write_row(plan: &Plan, text: &[u8], fields: &[Range<usize>], out: &mut Vec<u8>, counts: &mut RowCounts) {
    let Dialect { delimiter, quote, .. } = &plan.canonical;
    let (delimiter, quote) = (delimiter[0], quote.unwrap_or(b'"'));
    for (index, field) in fields.iter().enumerate() {
        if index > 0 {
            out.push(delimiter);
        }
        let raw = &text[field.clone()];
        // Merged text is taken as it stands, even if it begins with a quote.
        let merged =
            plan.long_rows == LongRows::MergeLast && index + 1 == plan.width && !plan.dialect.is_one_field(raw);
        let (value, quoted) = if merged { (raw.into(), false) } else { field_value(&plan.dialect, raw) };
        let stripped;
        let mut value: &[u8] = &value;
        if plan.dialect.nul == NulBytes::Strip && memchr::memchr(0, value).is_some() {
            counts.nul_stripped += 1;
            stripped = value.iter().copied().filter(|byte| *byte != 0).collect::<Vec<u8>>();
            value = &stripped;
        }
        let special = |byte: &u8| *byte == delimiter || *byte == quote || matches!(byte, b'\n' | b'\r');
        if quoted || value.iter().any(special) {
            out.push(quote);
            for byte in value {
                if *byte == quote {
                    out.push(quote);
                }
                out.push(*byte);
            }
            out.push(quote);
        } else {
            out.extend_from_slice(value);
        }
    }
    out.push(b'\n');
}

/// The column that a byte of the record belongs to.
fn column_at(plan: &Plan, fields: &[Range<usize>], at: usize) -> Option<usize> {
    let field = fields.iter().position(|field| field.end > at)?;
    plan.columns.iter().position(|column| column.field == Some(field))
}

/// Where a text stops being UTF-8.
fn invalid_at(raw: &[u8]) -> Option<usize> {
    std::str::from_utf8(raw).err().map(|error| error.valid_up_to())
}

/// The start of a row, for a message.
pub(crate) fn shorten(raw: &[u8]) -> String {
    const LENGTH: usize = 120;
    let text = String::from_utf8_lossy(raw);
    match text.char_indices().nth(LENGTH) {
        Some((cut, _)) => format!("{:?}…", &text[..cut]),
        None => format!("{text:?}"),
    }
}

impl Dialect {
    /// Whether the bytes are one field, rather than several merged.
    fn is_one_field(&self, raw: &[u8]) -> bool {
        let mut fields = Vec::new();
        record(self, raw, 0, true, &mut fields).is_none_or(|found| fields.len() <= 1 && found.next == raw.len())
    }
}
