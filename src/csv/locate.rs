//! [`Locator`]: from rows of a stream back to the records that they came from.
//!
//! In: the marks that a reader left, one for each chunk, and the inputs once more. Out: for each row that is asked for,
//! in order, its [`Place`]. Chunks depend on the text alone, so those without such rows are only cut, not looked into;
//! the cost is one reading of the inputs up to the last row, and nothing where nobody asks. A stream that has gone by is
//! not there any more: then the record is known, and its bytes are not.

use std::sync::{Arc, Mutex};

use crate::csv::decode::decode;
use crate::csv::feed::OpenCsv;
use crate::csv::plan::Plan;
use crate::csv::reader::lock;
use crate::csv::split::Chunk;
use crate::csv::table::Table;
use crate::csv::tokenize::{RecordKind, count_lines, record};
use crate::error::{Error, ErrorKind, Location, Result};
use crate::input::Replay;
use crate::job::CancelToken;
use crate::options::ReaderOptions;

/// One chunk, as the reader came by it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ChunkMark {
    /// Which input, from 0.
    pub file: usize,
    /// Offset of the chunk in the decoded input.
    pub byte: u64,
    /// Records in the chunk by the splitter's count.
    pub seen: u64,
    /// Rows that were handed on.
    pub rows: u64,
    /// Data records, rejected ones included.
    pub data: u64,
    /// Records and physical lines of the input before the chunk.
    pub record: u64,
    pub line: u64,
}

/// Where a row came from.
#[derive(Debug, Clone, Default)]
pub(crate) struct Place {
    pub at: Location,
    pub line_end: u64,
    /// The record's bytes, unless the input cannot be read again.
    pub raw: Option<Vec<u8>>,
}

/// Finds records again.
pub(crate) struct Locator {
    marks: Vec<ChunkMark>,
    sources: Vec<String>,
    inputs: Arc<Mutex<Vec<Replay>>>,
    table: Arc<Table>,
    options: ReaderOptions,
    cancel: CancelToken,
    /// The first mark that was not passed, and the rows before it.
    mark: usize,
    rows: u64,
    open: Option<Open>,
    /// An input that could not be read a second time.
    gone: Option<usize>,
    walk: Option<Walk>,
}

struct Open {
    file: usize,
    csv: OpenCsv,
    plan: Arc<Plan>,
}

/// A chunk whose records are looked at one after the other.
struct Walk {
    mark: usize,
    chunk: Chunk,
    /// Data records that became no rows.
    bad: Vec<u64>,
    at: usize,
    record: u64,
    row: u64,
    line: u64,
}

impl Locator {
    pub(crate) fn new(
        marks: Vec<ChunkMark>,
        sources: Vec<String>,
        inputs: Arc<Mutex<Vec<Replay>>>,
        table: Arc<Table>,
        options: ReaderOptions,
        cancel: CancelToken,
    ) -> Locator {
        let (mark, rows) = (0, 0);
        Locator { marks, sources, inputs, table, options, cancel, mark, rows, open: None, gone: None, walk: None }
    }

    /// Finds a row, counted from 0 over the whole stream; not before the one that was asked for last.
    pub(crate) fn locate(&mut self, row: u64) -> Result<Place> {
        let mark = loop {
            let Some(mark) = self.marks.get(self.mark).copied() else {
                return Err(Error::internal(format!("row {row} came from nowhere")));
            };
            if row < self.rows + mark.rows {
                break mark;
            }
            self.rows += mark.rows;
            self.mark += 1;
        };
        let nth = row.checked_sub(self.rows).ok_or_else(|| Error::internal("rows were asked for out of order"))?;
        if self.walk.as_ref().is_none_or(|walk| walk.mark != self.mark) && self.gone != Some(mark.file) {
            self.walk = self.enter(mark)?;
        }
        match (&mut self.walk, &self.open) {
            (Some(walk), Some(open)) if self.gone != Some(mark.file) => walk.find(nth, mark, open),
            _ => Ok(self.without_bytes(nth, mark)),
        }
    }

    /// Reads up to a chunk; nothing if the input is not there any more.
    fn enter(&mut self, mark: ChunkMark) -> Result<Option<Walk>> {
        if self.open.as_ref().is_none_or(|open| open.file != mark.file) {
            let mut inputs = lock(&self.inputs);
            let Some(replay) = inputs.get_mut(mark.file) else { return Err(Error::internal("an input is missing")) };
            let csv = match OpenCsv::open(replay, &self.options, &self.cancel, false) {
                Ok(csv) => csv,
                Err(error) if matches!(error.kind(), ErrorKind::Usage { .. }) => {
                    self.gone = Some(mark.file);
                    return Ok(None);
                }
                Err(error) => return Err(error),
            };
            let (plan, _) = self.table.plan(&csv.head, &csv.dialect, &csv.opened.at, &self.options)?;
            self.open = Some(Open { file: mark.file, csv, plan: Arc::new(plan) });
        }
        let Some(open) = &mut self.open else { return Err(Error::internal("an input was not opened")) };
        let chunk = loop {
            self.cancel.check()?;
            match open.csv.splitter.next_chunk()? {
                Some(chunk) if chunk.byte < mark.byte => {}
                Some(chunk) if chunk.byte == mark.byte && chunk.records == mark.seen => break chunk,
                _ => {
                    let message = format!("{}: the input changed while it was loaded", open.csv.opened.at);
                    return Err(ErrorKind::Refused { message }.into());
                }
            }
        };
        // A limit takes rows off the end only: what is missing there is never asked for.
        let bad = match mark.rows < mark.data {
            true => decode(&open.plan, &chunk)?.faults.iter().map(|located| located.fault.record).collect(),
            false => Vec::new(),
        };
        Ok(Some(Walk { mark: self.mark, chunk, bad, at: 0, record: 0, row: 0, line: 0 }))
    }

    /// What the mark alone says.
    fn without_bytes(&self, nth: u64, mark: ChunkMark) -> Place {
        let mut at = Location::new(self.sources.get(mark.file).cloned().unwrap_or_default());
        // Where every record of the chunk became a row, the row's place is the record's.
        at.record = (mark.rows == mark.data).then_some(mark.record + nth + 1);
        Place { at, line_end: 0, raw: None }
    }
}

impl Walk {
    fn find(&mut self, nth: u64, mark: ChunkMark, open: &Open) -> Result<Place> {
        let (plan, text) = (&*open.plan, &self.chunk.buffer[..self.chunk.end]);
        let mut fields = Vec::new();
        while let Some(found) = record(&plan.dialect, text, self.at, true, &mut fields).filter(|_| self.at < text.len())
        {
            let (start, first) = (self.at, self.line);
            self.at = found.next;
            self.line += count_lines(&text[start..found.next]);
            let data = match found.kind {
                RecordKind::Data => true,
                RecordKind::Blank => !plan.skip_blank_lines,
                RecordKind::Comment => false,
            };
            if !data {
                continue;
            }
            let number = self.record;
            self.record += 1;
            if self.bad.binary_search(&number).is_ok() {
                continue;
            }
            self.row += 1;
            if self.row == nth + 1 {
                let at = open.csv.opened.at.clone();
                let at = at.with_line(mark.line + first + 1).with_record(mark.record + number + 1);
                let raw = text[start..found.end].to_vec();
                let line_end = mark.line + first + count_lines(&raw) + 1;
                return Ok(Place { at: at.with_byte(mark.byte + start as u64), line_end, raw: Some(raw) });
            }
        }
        Err(Error::internal(format!("{}: row {nth} of a chunk was not found again", open.csv.opened.at)))
    }
}
