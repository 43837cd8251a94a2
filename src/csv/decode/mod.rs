//! One chunk of text → one `RecordBatch`. Two decoders with one meaning.
//!
//! - `builder.rs`: a column under construction, and its NULLs.
//! - `coded.rs`: texts of which there are few.
//! - `shape.rs`: what most values of a type look like; `lanes.rs`: such values, many at once; `word.rs`: one at a time.
//! - `step.rs`: some rows, and where their fields are.
//! - `columnar.rs`: the fast decoder: field positions first, then column by column.
//! - `arrow_csv.rs`: the reference: arrow-csv's push decoder, then the same parse functions.
//!
//! In: a [`Chunk`](crate::csv::split::Chunk) and a [`Plan`]. Out: [`Decoded`]: the batch of good rows, the faults, and
//! columns that must widen. Neither decoder reads, waits, or knows of other chunks.

mod arrow_csv;
mod builder;
mod coded;
mod columnar;
mod lanes;
mod shape;
mod step;
mod word;

pub(crate) use coded::SHORT;

use arrow::array::{ArrayRef, BooleanArray};
use arrow::compute::filter_record_batch;
use arrow::record_batch::{RecordBatch, RecordBatchOptions};

use crate::csv::canonical::{RowCounts, RowFault, shorten};
use crate::csv::infer::Candidates;
use crate::csv::plan::Plan;
use crate::csv::split::{Chunk, lines_of};
use crate::csv::tokenize::count_lines;
use crate::csv::types::ColumnType;
use crate::error::{Error, FaultCode, Result};
use crate::options::DecoderChoice;

/// What a chunk came to.
pub(crate) struct Decoded {
    pub batch: RecordBatch,
    /// In the order of records; at most one per record.
    pub faults: Vec<Located>,
    /// Columns whose type does not hold all their values.
    pub widen: Vec<Widen>,
    pub counts: RowCounts,
    /// Physical lines of the chunk.
    pub lines: u64,
}

/// The physical lines of a record, counted from the chunk's first, which is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lines {
    pub first: u64,
    pub last: u64,
}

/// A fault with its lines and the record's bytes, which outlive the chunk.
pub(crate) struct Located {
    pub fault: RowFault,
    pub lines: Lines,
    pub raw: Vec<u8>,
}

/// A column that needs a wider type, and the first value that says so.
pub(crate) struct Widen {
    pub column: usize,
    pub to: ColumnType,
    pub first: Located,
}

/// A value that does not parse as its column's type.
struct Misfit {
    /// Row of the batch under construction.
    row: usize,
    column: usize,
    record: u64,
    span: std::ops::Range<usize>,
    value: Vec<u8>,
    quoted: bool,
}

/// What both decoders hand over.
struct Raw {
    arrays: Vec<ArrayRef>,
    rows: usize,
    misfits: Vec<Misfit>,
    faults: Vec<RowFault>,
    counts: RowCounts,
    /// Physical lines, where they were counted on the way.
    lines: Option<u64>,
}

/// Decodes a chunk.
pub(crate) fn decode(plan: &Plan, chunk: &Chunk) -> Result<Decoded> {
    if let Some(code) = chunk.broken {
        return Ok(broken(plan, chunk, code));
    }
    let raw = match plan.decoder {
        DecoderChoice::ArrowCsv => arrow_csv::decode(plan, chunk)?,
        _ => columnar::decode(plan, chunk)?,
    };
    finish(plan, chunk, raw)
}

/// Sorts misfits into rejected rows and columns to widen, and takes the rejected rows out of the batch.
fn finish(plan: &Plan, chunk: &Chunk, raw: Raw) -> Result<Decoded> {
    let Raw { arrays, rows, misfits, mut faults, counts, lines } = raw;
    let all_lines = lines.unwrap_or_else(|| lines_of(chunk));
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    let mut batch = RecordBatch::try_new_with_options(plan.schema.clone(), arrays, &options)
        .map_err(|error| Error::arrow("building a batch", error))?;
    let text = &chunk.buffer[..chunk.end];
    let mut widen: Vec<(Candidates, RowFault)> = Vec::new();
    let mut condemned: Option<Vec<bool>> = None;
    for misfit in misfits {
        let column = &plan.columns[misfit.column];
        let fault = || RowFault {
            record: misfit.record,
            span: misfit.span.clone(),
            column: Some(misfit.column),
            code: FaultCode::BadValue,
            message: format!("{} is not a valid {}", shorten(&misfit.value), column.column_type),
            value: Some(String::from_utf8_lossy(&misfit.value).into_owned()),
            hint: Some(format!(
                "--type {:?} reads the column as text; --on-error reject sets such rows aside",
                format!("{}=text", column.name)
            )),
        };
        if column.may_widen {
            let mut seen = Candidates::wider_than(column.column_type);
            seen.see(&misfit.value, misfit.quoted, &column.rules);
            match widen.iter_mut().find(|(_, fault)| fault.column == Some(misfit.column)) {
                Some((candidates, first)) => {
                    *candidates = candidates.and(seen);
                    if misfit.record < first.record {
                        *first = fault();
                    }
                }
                None => widen.push((seen, fault())),
            }
        } else {
            condemned.get_or_insert_with(|| vec![true; rows])[misfit.row] = false;
            faults.push(fault());
        }
    }
    if let Some(keep) = condemned {
        batch = filter_record_batch(&batch, &BooleanArray::from(keep))
            .map_err(|error| Error::arrow("leaving out rejected rows", error))?;
    }
    // A row is rejected once, for the first column that does not fit.
    faults.sort_by_key(|fault| (fault.record, fault.column));
    faults.dedup_by_key(|fault| fault.record);
    let mut lines = LineCounter { text, at: 0, line: 0 };
    let faults = faults.into_iter().map(|fault| lines.locate(fault)).collect();
    let widen = widen
        .into_iter()
        .map(|(candidates, fault)| Widen {
            column: fault.column.unwrap_or_default(),
            to: candidates.best(),
            first: LineCounter { text, at: 0, line: 0 }.locate(fault),
        })
        .collect();
    Ok(Decoded { batch, faults, widen, counts, lines: all_lines })
}

/// The line that begins a record which never ends.
fn broken(plan: &Plan, chunk: &Chunk, code: FaultCode) -> Decoded {
    let text = &chunk.buffer[..chunk.end];
    let end = text.iter().rposition(|byte| !matches!(byte, b'\n' | b'\r')).map_or(0, |at| at + 1);
    let (message, hint) = match code {
        FaultCode::UnclosedQuote => (
            format!("a quote opened in this record is never closed: {}", shorten(&text[..end])),
            "--quote none takes quotes as text; --on-error reject sets the line aside",
        ),
        _ => (
            format!(
                "the record that begins here is too long; perhaps a quote is not closed: {}",
                shorten(&text[..end])
            ),
            "--max-record-bytes raises the limit; --quote none takes quotes as text",
        ),
    };
    let fault =
        RowFault { record: 0, span: 0..end, column: None, code, message, value: None, hint: Some(hint.to_owned()) };
    Decoded {
        batch: RecordBatch::new_empty(plan.schema.clone()),
        faults: vec![Located { raw: text[..end].to_vec(), fault, lines: Lines { first: 0, last: 0 } }],
        widen: Vec::new(),
        counts: RowCounts { records: 1, ..RowCounts::default() },
        lines: lines_of(chunk),
    }
}

/// Counts lines up to faults that come in order, each line once.
struct LineCounter<'a> {
    text: &'a [u8],
    at: usize,
    line: u64,
}

impl LineCounter<'_> {
    fn locate(&mut self, fault: RowFault) -> Located {
        self.line += count_lines(&self.text[self.at..fault.span.start]);
        self.at = fault.span.start;
        let raw = self.text[fault.span.clone()].to_vec();
        let first = self.line;
        Located { lines: Lines { first, last: first + count_lines(&raw) }, fault, raw }
    }
}
