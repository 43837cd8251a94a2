//! The head of an input: skipped lines, the header record, and how wide the table is.
//!
//! In: a [`Splitter`] at the start of the text. Out: [`Head`], and the splitter at the first data record.

use std::ops::Range;

use crate::csv::dialect::Dialect;
use crate::csv::names::column_names;
use crate::csv::split::Splitter;
use crate::csv::tokenize::{RecordKind, field_value, record, trim};
use crate::error::{Error, Result};
use crate::options::{Header, ReaderOptions, Trim};

/// Records that are looked at to find out how wide the rows are.
const WIDTH_SAMPLE: usize = 100;
/// Bytes in which they are looked for.
const WIDTH_SAMPLE_BYTES: usize = 256 << 10;

/// What stands before the data.
#[derive(Debug, Clone, Default)]
pub(crate) struct Head {
    /// Names of all fields of a record; empty if the input is.
    pub names: Vec<String>,
    /// Records that were read as header: 0 or 1.
    pub header_records: u64,
    /// Records skipped before the header row.
    pub skipped_records: u64,
    /// Lines skipped by `skip_rows`.
    pub skipped_lines: u64,
    /// Blank lines before the header.
    pub blank: u64,
    /// Comments before the header.
    pub comments: u64,
    /// Physical lines up to the first data record.
    pub lines: u64,
}

/// Reads the head of an input.
pub(crate) fn read_head(splitter: &mut Splitter, dialect: &Dialect, options: &ReaderOptions) -> Result<Head> {
    let mut head = Head::default();
    head.skipped_lines = splitter.skip_lines(options.skip_rows)?;
    head.lines = head.skipped_lines;
    let mut fields = Vec::new();
    let row = match options.header {
        Header::Present => Some(1),
        Header::Row(row) => Some(row),
        Header::Absent => None,
        Header::Auto => return Err(Error::internal("the header was not resolved before reading")),
    };
    let mut header: Option<Vec<String>> = None;
    if let Some(row) = row {
        while head.header_records == 0 {
            let Some((found, raw)) = splitter.take_record(&mut fields)? else { break };
            head.lines += 1 + crate::csv::tokenize::count_lines(&raw);
            match found.kind {
                RecordKind::Blank => head.blank += 1,
                RecordKind::Comment => head.comments += 1,
                RecordKind::Data if head.skipped_records + 1 < row => head.skipped_records += 1,
                RecordKind::Data => {
                    head.header_records = 1;
                    header = Some(texts(dialect, &raw, &fields, options));
                }
            }
        }
    }
    let widths = sample_widths(splitter, dialect)?;
    let agreed = widths.first().copied().filter(|first| widths.iter().all(|width| width == first));
    let (raw, width) = match header {
        // Where all rows agree against the header, they decide how many columns there are.
        Some(names) => (names, agreed.unwrap_or(0)),
        None => (Vec::new(), widths.first().copied().unwrap_or(0)),
    };
    let found = if raw.is_empty() && width == 0 { Vec::new() } else { column_names(&raw, width).names };
    head.names = match &options.names {
        Some(names) if found.is_empty() || names.len() == found.len() => column_names(names, 0).names,
        Some(names) => {
            return Err(Error::usage(format!(
                "{} names were given, but records have {} fields",
                names.len(),
                found.len()
            )));
        }
        None => found,
    };
    Ok(head)
}

fn texts(dialect: &Dialect, raw: &[u8], fields: &[Range<usize>], options: &ReaderOptions) -> Vec<String> {
    let keep = !matches!(options.trim, Trim::Headers | Trim::All);
    fields
        .iter()
        .map(|field| {
            let (value, _) = field_value(dialect, &raw[field.clone()]);
            let value = if keep { &value } else { trim(&value) };
            String::from_utf8_lossy(value).into_owned()
        })
        .collect()
}

fn sample_widths(splitter: &mut Splitter, dialect: &Dialect) -> Result<Vec<usize>> {
    let (text, complete) = splitter.peek(WIDTH_SAMPLE_BYTES)?;
    let (mut at, mut fields, mut widths) = (0, Vec::new(), Vec::new());
    while at < text.len() && widths.len() < WIDTH_SAMPLE {
        let Some(found) = record(dialect, text, at, complete, &mut fields) else { break };
        if found.kind == RecordKind::Data {
            widths.push(fields.len());
        }
        at = found.next;
    }
    Ok(widths)
}
