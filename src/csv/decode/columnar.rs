//! The fast decoder: where fields end, for a few thousand fields at a time, then each column over all those rows.
//!
//! In: a chunk. Out: arrays, misfits, faults. Ordinary rows never leave this file: 64 bytes are classified at once,
//! positions are taken from bit masks, and a column's values are parsed in one loop without allocation. A row that
//! is not ordinary (its width is off, or a quote stands where the block scanner cannot judge it) is rewritten by
//! [`canonicalize`] and decoded by the same loops; only that row pays for it.

use crate::csv::canonical::{Canonical, Origin, RowCounts, RowFault, canonicalize};
use crate::csv::decode::builder::Builder;
use crate::csv::decode::step::{BadField, Step};
use crate::csv::decode::{Misfit, Raw};
use crate::csv::dialect::Dialect;
use crate::csv::plan::Plan;
use crate::csv::scanner::{Scanner, Stop, Structure};
use crate::csv::split::Chunk;
use crate::error::{Error, Result};

/// Fields per step: their positions and, at eight bytes each, their text stay in the second-level cache.
const STEP_FIELDS: usize = 16 << 10;
/// The most odd records rewritten at once.
const LONGEST_BURST: usize = 1024;

/// Decodes a chunk.
pub(super) fn decode(plan: &Plan, chunk: &Chunk) -> Result<Raw> {
    // A one-column file whose blank lines are skipped has no ordinary rows: a blank line looks like one.
    let structure = plan
        .dialect
        .simple()
        .filter(|_| plan.width > 1 || !plan.skip_blank_lines)
        .map(|(delimiter, quote)| Structure { delimiter, quote });
    if let Some(structure) = structure {
        let mut decoder = Decoder::new(plan, chunk);
        decoder.ordinary(structure)?;
        if let Some(raw) = decoder.finish()? {
            return Ok(raw);
        }
    }
    // Another dialect, or a text that is not valid UTF-8: then each row is looked at by itself.
    let mut decoder = Decoder::new(plan, chunk);
    let mut at = 0;
    while at < chunk.end {
        at = decoder.odd(at, LONGEST_BURST)?;
    }
    decoder.finish()?.ok_or_else(|| Error::internal("a row that was found valid is not"))
}

struct Decoder<'a> {
    plan: &'a Plan,
    chunk: &'a Chunk,
    builders: Vec<Builder<'a>>,
    rows: usize,
    counts: RowCounts,
    lines: Option<u64>,
    misfits: Vec<Misfit>,
    faults: Vec<RowFault>,
    bad: Vec<BadField>,
}

impl<'a> Decoder<'a> {
    fn new(plan: &'a Plan, chunk: &'a Chunk) -> Decoder<'a> {
        Decoder {
            plan,
            chunk,
            builders: plan.columns.iter().map(|column| Builder::new(column, chunk.records as usize)).collect(),
            rows: 0,
            counts: RowCounts::default(),
            lines: None,
            misfits: Vec::new(),
            faults: Vec::new(),
            bad: Vec::new(),
        }
    }

    /// Decodes the chunk as ordinary text, with detours through [`odd`](Self::odd).
    fn ordinary(&mut self, structure: Structure) -> Result<()> {
        let (width, text) = (self.plan.width, &self.chunk.buffer[..self.chunk.end]);
        let limit = 1 + STEP_FIELDS.max(4 * width);
        let mut scanner = Scanner::new(structure, 0);
        let mut ends = vec![before(0)];
        let (mut burst, mut detour) = (1, false);
        // Where the scanner has stopped for good, while fields that it found are left.
        let mut stopped = None;
        // Record ends among the ends that are left from the last step, where that is known.
        let mut left = Some(0);
        loop {
            let passed = scanner.record_ends;
            let stop = stopped.take().unwrap_or_else(|| scanner.index(text, &mut ends, limit));
            let rows = ordinary_rows(text, &ends, width, left.map(|left| left + scanner.record_ends - passed));
            left = Some(0);
            if rows > 0 {
                let step = Step {
                    text: &self.chunk.buffer,
                    dialect: &self.plan.dialect,
                    ends: &ends[..rows * width + 1],
                    rows,
                    width,
                };
                let (first, base) = (self.counts.records, &step);
                self.step(base, |row| {
                    let span = base.row(row);
                    Origin { record: first + row as u64, start: span.start, end: span.end }
                });
                self.counts.records += rows as u64;
            }
            let next = ends[rows * width].wrapping_add(1) as usize;
            if stop == Stop::End && next == text.len() {
                // One scanner saw it all, so it counted all lines.
                self.lines = scanner.lines().filter(|_| !detour);
                return Ok(());
            }
            // A width that is off, a sight for the exact rules, or a last record that ends with a lone `\r`.
            let short = ends[rows * width + 1..].iter().any(|end| text[*end as usize] == b'\n');
            let odd = short || stop != Stop::Full;
            if odd {
                burst = if rows >= 8 { 1 } else { (2 * burst).min(LONGEST_BURST) };
                let next = self.odd(next, burst)?;
                // A row whose width alone is off leaves what was found behind it as it is.
                match ends[1..].binary_search(&before(next)) {
                    Ok(at) if text[next - 1] == b'\n' => {
                        ends.drain(..=at);
                        left = None;
                        stopped = Some(stop).filter(|stop| *stop != Stop::Full);
                    }
                    _ => {
                        detour = true;
                        scanner = Scanner::new(structure, next);
                        ends.clear();
                        ends.push(before(next));
                    }
                }
            } else {
                ends.drain(..rows * width);
            }
        }
    }

    /// Rewrites and decodes up to `limit` records from `at` on; says where the next one starts.
    fn odd(&mut self, at: usize, limit: usize) -> Result<usize> {
        let text = &self.chunk.buffer[..self.chunk.end];
        let canonical: Canonical = canonicalize(self.plan, text, at, limit, &mut self.counts, &mut self.faults);
        if canonical.next == at {
            return Err(Error::internal("a chunk does not end with a record"));
        }
        let dialect: &Dialect = &self.plan.canonical;
        let (delimiter, quote) =
            dialect.simple().ok_or_else(|| Error::internal("the canonical dialect is not simple"))?;
        let mut ends = vec![before(0)];
        Scanner::new(Structure { delimiter, quote }, 0).index(&canonical.text[..canonical.end], &mut ends, usize::MAX);
        let (rows, width) = (canonical.rows.len(), self.plan.width);
        if ends.len() != rows * width + 1 {
            return Err(Error::internal("rewritten rows are not ordinary"));
        }
        if rows > 0 {
            let step = Step { text: &canonical.text, dialect, ends: &ends, rows, width };
            self.step(&step, |row| canonical.rows[row]);
        }
        Ok(canonical.next)
    }

    fn step(&mut self, step: &Step<'_>, origin: impl Fn(usize) -> Origin) {
        for (column, builder) in self.builders.iter_mut().enumerate() {
            builder.append(step, &mut self.bad);
            for bad in self.bad.drain(..) {
                let Origin { record, start, end } = origin(bad.row);
                self.misfits.push(Misfit {
                    row: self.rows + bad.row,
                    column,
                    record,
                    span: start..end,
                    value: bad.value,
                    quoted: bad.quoted,
                });
            }
        }
        self.rows += step.rows;
    }

    /// The arrays; `None` if a text is not valid UTF-8.
    fn finish(self) -> Result<Option<Raw>> {
        let Decoder { builders, rows, counts, lines, misfits, faults, .. } = self;
        if misfits.iter().any(|misfit| std::str::from_utf8(&misfit.value).is_err()) {
            return Ok(None);
        }
        let arrays: Result<Vec<_>, _> = builders.into_iter().map(Builder::finish).collect();
        Ok(arrays.ok().map(|arrays| Raw { arrays, rows, misfits, faults, counts, lines }))
    }
}

/// The position before the first field of a record.
fn before(start: usize) -> u32 {
    (start as u32).wrapping_sub(1)
}

/// How many rows at the front have exactly `width` fields. `record_ends` says how many of the ends are record ends: if each
/// row has one where its last field ends, and that is all of them, no other end needs a look.
fn ordinary_rows(text: &[u8], ends: &[u32], width: usize, record_ends: Option<u64>) -> usize {
    let rows = (ends.len() - 1) / width;
    let is_line_feed = |end: &u32| text[*end as usize] == b'\n';
    let mut last = ends[1..].chunks_exact(width).map(|row| &row[width - 1]);
    if record_ends == Some(rows as u64) && last.all(is_line_feed) {
        return rows;
    }
    ends[1..]
        .chunks_exact(width)
        .position(|row| {
            let (last, others) = (&row[width - 1], &row[..width - 1]);
            !is_line_feed(last) || others.iter().any(is_line_feed)
        })
        .unwrap_or(rows)
}
