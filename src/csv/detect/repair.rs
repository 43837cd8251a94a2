//! The table a person would write down, as clean CSV.
//!
//! In: any text that is more or less CSV, as a `Read`. Out: [`Repaired`], a `Read` of canonical CSV (`,`, `"` doubled,
//! `\n`, one header row, every row as wide as the header) and a [`RepairReport`]. After a sample, memory holds one
//! block, one record and a few doubtful rows. It refuses nothing but a record beyond `max_record_bytes`.

use std::io::{self, Read};

use crate::csv::detect::align::{Aligned, Cell};
use crate::csv::detect::layout::{self, Layout};
use crate::csv::detect::profile::Profile;
use crate::csv::detect::report::{Repair, RepairReport};
use crate::csv::detect::score::{Known, rank};
use crate::csv::detect::tokens::{Dialect, Flaw, QUOTE_REACH, Record, line_at, trim_blanks};
use crate::error::{Error, ErrorKind, Fault, FaultCode, Location, Result};
use crate::options::{Header, InferQuoted, LongRows, ReaderOptions, ShortRows, Trim};

/// How much is looked at before the first row is given out.
const SAMPLE: usize = 1 << 20;
/// How far a damaged row is looked at.
pub(super) const REACH: usize = 256 << 10;
/// A damaged row takes no more lines than this.
pub(super) const MOST_LINES: u64 = 40;
/// More doubtful rows in a row than this are rows after all.
const MOST_PENDING: usize = 64;

/// A clean CSV text made of a damaged one.
pub struct Repaired {
    input: Box<dyn Read + Send>,
    pub(super) buffer: Vec<u8>,
    pub(super) at: usize,
    complete: bool,
    line: u64,
    pub(super) options: ReaderOptions,
    pub(super) dialect: Dialect,
    pub(super) layout: Layout,
    record: Record,
    /// The columns twice over, for two rows on one line.
    pub(super) twice: Profile,
    pending: Vec<Pending>,
    after_blank: bool,
    blank_rows: u64,
    out: Vec<u8>,
    out_at: usize,
    /// The table's last row has been given out.
    ended: bool,
    keep_quotes: bool,
    /// Quotes are to be found out.
    pub(super) open_quotes: bool,
    report: RepairReport,
}

/// A row that may be a row, a footer, or the start of another table.
struct Pending {
    cells: Vec<Cell>,
    repairs: Vec<Repair>,
    pieces: usize,
    filled: usize,
    likely: bool,
    empty: bool,
    line: u64,
    start: usize,
    after_blank: bool,
}

/// Reads `input` as the table a person would see in it.
///
/// Settings that differ from their defaults are kept; all others are found out. What was done is in
/// [`Repaired::report`], complete when the last byte has been read. Cells keep their text exactly. A bare empty cell
/// stays bare, one in quotes stays in quotes.
///
/// # Errors
/// When the input cannot be read, when `nth_table` asks for more tables than there are, and when one record is longer
/// than `max_record_bytes`.
///
/// ```
/// use std::io::Read;
/// use duckstream::{ReaderOptions, repair};
/// let text = "Flights of 2013\n\nday;delay\n1;\"2\"\n2;5\n4;7;\n3\n";
/// let mut table = String::new();
/// repair(Box::new(text.as_bytes()), &ReaderOptions::default())?.read_to_string(&mut table)?;
/// assert_eq!(table, "day,delay\n1,2\n2,5\n4,7\n3,\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn repair(input: Box<dyn Read + Send>, options: &ReaderOptions) -> Result<Repaired> {
    let keep_quotes = !options.null_values.is_empty()
        || options.infer_quoted == InferQuoted::Text
        || matches!(options.trim, Trim::Fields | Trim::All);
    let mut repaired = Repaired {
        input,
        buffer: Vec::new(),
        at: 0,
        complete: false,
        line: 1,
        options: options.clone(),
        dialect: Dialect::new(b",", Some(b'"'), None),
        layout: Layout::default(),
        record: Record::default(),
        twice: Profile::default(),
        pending: Vec::new(),
        after_blank: false,
        blank_rows: 0,
        out: Vec::new(),
        out_at: 0,
        ended: false,
        keep_quotes,
        open_quotes: known(options).quote.is_none(),
        report: RepairReport::default(),
    };
    repaired.open().map_err(unwrap_io)?;
    Ok(repaired)
}

fn unwrap_io(error: io::Error) -> Error {
    if error.get_ref().is_some_and(|inner| inner.is::<Error>()) {
        if let Some(Ok(ours)) = error.into_inner().map(|inner| inner.downcast::<Error>()) {
            return *ours;
        }
        return Error::internal("an error lost its cause");
    }
    ErrorKind::Read { at: Location::new("-"), source: error }.into()
}

impl Read for Repaired {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        while self.out_at == self.out.len() {
            if self.ended {
                return Ok(0);
            }
            self.out.clear();
            self.out_at = 0;
            while self.out.len() < target.len().min(64 << 10) && !self.ended {
                self.step()?;
            }
        }
        let length = target.len().min(self.out.len() - self.out_at);
        target[..length].copy_from_slice(&self.out[self.out_at..self.out_at + length]);
        self.out_at += length;
        Ok(length)
    }
}

impl Repaired {
    /// What has been done so far; complete at the end of the text.
    pub fn report(&self) -> &RepairReport {
        &self.report
    }

    fn open(&mut self) -> io::Result<()> {
        self.fill(SAMPLE)?;
        if self.buffer.starts_with("\u{feff}".as_bytes()) {
            self.at = 3;
        }
        for _ in 0..self.options.skip_rows {
            loop {
                match line_at(&self.buffer, self.at, self.complete) {
                    Some((_, next)) => {
                        self.at = next;
                        break;
                    }
                    None => self.more()?,
                }
            }
            self.line += 1;
        }
        let wanted = self.options.nth_table.max(1);
        self.report.table = 1;
        self.plan()?;
        while self.report.table < wanted {
            while !self.ended {
                self.out.clear();
                self.step()?;
            }
            let Some(line) = self.report.next_table_line else {
                let found = self.report.table;
                let tables = if found == 1 { "one table" } else { "that many tables" };
                return Err(Error::usage(format!(
                    "nth_table is {wanted}, but the input has only {tables} ({found}); lower --nth-table"
                ))
                .into());
            };
            self.report = RepairReport { table: self.report.table + 1, ..RepairReport::default() };
            self.line = line;
            self.ended = false;
            self.out.clear();
            self.plan()?;
        }
        Ok(())
    }

    /// Looks at a sample from here on and settles what the table looks like.
    fn plan(&mut self) -> io::Result<()> {
        self.fill(SAMPLE)?;
        let known = known(&self.options);
        let comment = self.options.comment.clone();
        let header = match self.options.header {
            Header::Row(_) if self.report.table > 1 => Header::Auto,
            header => header,
        };
        loop {
            let sample = &self.buffer[self.at..];
            let ranked = rank(sample, self.complete, &known, true);
            self.dialect = ranked[0].dialect.clone();
            let (rows, strip) = layout::rows(sample, self.complete, &self.dialect, comment.as_deref(), self.line);
            if rows.is_empty() && !self.complete {
                self.more()?;
                continue;
            }
            self.layout = layout::find(sample, &rows, strip, &self.dialect, header, self.line);
            let rival = ranked.iter().find(|other| other.dialect.delimiter != self.dialect.delimiter);
            let lead = rival.map_or(1.0, |rival| 1.0 - rival.score / ranked[0].score.max(1e-9));
            let even = ranked[0].consistency * (0.5 + 0.5 * self.layout.regular);
            // A lead of half the score leaves no doubt.
            self.report.confidence = (even * (0.5 + lead.clamp(0.0, 0.5))).clamp(0.0, 1.0);
            break;
        }
        self.at += self.layout.data_start;
        self.line = self.layout.data_line;
        let columns = &self.layout.profile.columns;
        self.twice = Profile { columns: columns.iter().chain(columns).cloned().collect() };
        self.describe();
        self.write_header();
        if let Some(row) = self.layout.first_row.take() {
            let line = self.layout.header_lines.first().copied().unwrap_or(self.line);
            self.give(&row, &[Repair::PartedRows], line);
        }
        if self.layout.width == 0 {
            self.ended = true;
        }
        Ok(())
    }

    fn describe(&mut self) {
        let report = &mut self.report;
        report.delimiter = String::from_utf8_lossy(&self.dialect.delimiter).into_owned();
        report.quote = self.dialect.quote.map(char::from);
        report.escape = self.dialect.escape.map(char::from);
        report.blanks_around_delimiter = self.layout.strip;
        report.width = self.layout.width;
        report.preamble = std::mem::take(&mut self.layout.preamble);
        report.header_lines = self.layout.header_lines.clone();
        report.header_reason = self.layout.header_reason.clone();
        if let Some(line) = self.layout.repeated_header {
            report.note(Repair::RepeatedHeader, line);
        }
    }

    fn write_header(&mut self) {
        if self.layout.width == 0 {
            return;
        }
        let made_up = || {
            (1..=self.layout.width)
                .map(|index| Cell { text: format!("column_{index}").into_bytes(), quoted: false })
                .collect()
        };
        let mut header: Vec<Cell> = self.layout.header.clone().unwrap_or_else(made_up);
        header.resize_with(self.layout.width, Cell::default);
        write_row(&mut self.out, &header, self.keep_quotes, None);
    }

    /// Reads until at least `bytes` lie ahead, or the input ends.
    fn fill(&mut self, bytes: usize) -> io::Result<()> {
        let keep = self.pending.first().map_or(self.at, |pending| pending.start);
        if keep > SAMPLE {
            self.buffer.drain(..keep);
            self.at -= keep;
            for pending in &mut self.pending {
                pending.start -= keep;
            }
        }
        while !self.complete && self.buffer.len() - self.at < bytes {
            let wanted = (bytes - (self.buffer.len() - self.at)).max(64 << 10) as u64;
            let read = (&mut self.input).take(wanted).read_to_end(&mut self.buffer)?;
            self.complete = read == 0;
        }
        Ok(())
    }

    /// Reads on where a record does not end in the buffer.
    fn more(&mut self) -> io::Result<()> {
        let ahead = self.buffer.len() - self.at;
        let most = self.options.max_record_bytes.max(QUOTE_REACH + SAMPLE);
        if ahead > most {
            return Err(Error::from(Fault {
                at: Location::new("-").with_line(self.line),
                line_end: self.line,
                code: FaultCode::RecordTooLarge,
                message: format!("the record is longer than {most} bytes"),
                value: None,
                hint: Some("raise --max-record-bytes".to_owned()),
                raw: Vec::new(),
            })
            .into());
        }
        self.fill(ahead * 2 + SAMPLE)
    }

    /// Takes the next record: gives it out, keeps it pending, or ends the table.
    fn step(&mut self) -> io::Result<()> {
        if self.buffer.len() - self.at < REACH {
            self.fill(SAMPLE)?;
        }
        if self.at == self.buffer.len() {
            self.finish();
            return Ok(());
        }
        let mut record = std::mem::take(&mut self.record);
        let known = self.dialect.read(&self.buffer[self.at..], 0, self.complete, &mut record);
        if known {
            self.take(&record);
        } else {
            self.more()?;
        }
        self.record = record;
        Ok(())
    }

    fn take(&mut self, record: &Record) {
        let text = &self.buffer[self.at..];
        if record.is_blank(text) && record.flaw == Flaw::None && record.fields.iter().all(|field| !field.quoted) {
            if self.layout.width == 1 && self.options.skip_blank_lines != Some(true) {
                self.blank_rows += 1;
            }
            self.after_blank = true;
            self.advance(record.next, record.lines);
            return;
        }
        let width = self.layout.width;
        let regular = record.flaw == Flaw::None && record.fields.len() == width;
        let given = self.options.comment.as_deref().is_some_and(|prefix| text.starts_with(prefix.as_bytes()));
        let seen = self.layout.comment.as_deref().is_some_and(|prefix| text.starts_with(prefix.as_bytes()));
        if given || (seen && !regular) {
            let next = line_at(text, 0, true).map_or(text.len(), |(_, next)| next);
            self.report.note(Repair::Comment, self.line);
            self.advance(next, 1);
            return;
        }
        if regular && !self.has_odd_quotes(record) && self.take_regular(record) {
            return;
        }
        self.take_damaged(record);
    }

    /// Takes a record of the right width. `false`: it is not one after all.
    fn take_regular(&mut self, record: &Record) -> bool {
        let text = &self.buffer[self.at..];
        let fields = &record.fields;
        let width = fields.len();
        let empty = fields.iter().filter(|field| field.start == field.end).count();
        let first = trim_blanks(&text[fields[0].start..fields[0].end]);
        let repeats = self.layout.header.as_ref().is_some_and(|header| {
            trim_blanks(&header[0].text) == trim_blanks(&self.dialect.value(text, fields[0]))
                && fields
                    .iter()
                    .zip(header)
                    .all(|(field, cell)| trim_blanks(&self.dialect.value(text, *field)) == trim_blanks(&cell.text))
                && empty < width
        });
        let doubtful = width > 1 && (empty * 2 > width && width > 2 || is_footer_word(first) || empty == width);
        let alone = repeats || doubtful || self.after_blank || !self.pending.is_empty();
        if record.lines > 1 && width > 1 && self.steals_lines(record) {
            return false;
        }
        let strip = self.layout.strip || (width > 2 && leads_with_blanks(text, record));
        if !alone {
            write_blank_rows(&mut self.out, &mut self.blank_rows, &mut self.report);
            for (index, field) in fields.iter().enumerate() {
                if index > 0 {
                    self.out.push(b',');
                }
                let value = self.dialect.value(text, *field);
                let value = if strip && !field.quoted { trim_blanks(&value) } else { &value };
                let quoted = field.quoted;
                write_field(
                    &mut self.out,
                    value,
                    quoted,
                    self.keep_quotes,
                    index == 0,
                    self.options.comment.as_deref(),
                );
            }
            self.out.push(b'\n');
            self.report.rows += 1;
            if strip && !self.layout.strip {
                self.report.note(Repair::StrippedBlanks, self.line);
            } else {
                self.report.clean_rows += 1;
            }
            self.advance(record.next, record.lines);
            return true;
        }
        let cells: Vec<Cell> = fields
            .iter()
            .map(|field| {
                let value = self.dialect.value(text, *field);
                let value = if strip && !field.quoted { trim_blanks(&value) } else { &value };
                Cell { text: value.to_vec(), quoted: field.quoted }
            })
            .collect();
        let (fit, misfit) = self.layout.profile.typed_fit(&cells);
        let typed = self.layout.profile.columns.iter().filter(|column| column.typed().is_some()).count();
        let strange = misfit > 0 && fit == 0 && (misfit >= 2 || typed == 1);
        let headed = strange && (width - empty) * 2 > width && !is_footer_word(first);
        if repeats || (headed && (self.after_blank || !self.pending.is_empty())) {
            self.end_table();
            return true;
        }
        let fits = fit > 0 && misfit == 0;
        let footer = is_footer_word(first) && (misfit > 0 || empty * 2 > width);
        // Another, narrower table may be filled up with delimiters to this one's width.
        let filled_up = cells.iter().rposition(|cell| !cell.text.is_empty()).map_or(0, |last| last + 1);
        if doubtful && strange && filled_up > 1 && filled_up < width {
            let aligned = Aligned { cells, cost: 0.0, repairs: Vec::new(), pieces: filled_up };
            self.postpone(aligned, record.next, record.lines);
            return true;
        }
        if doubtful && (!fits && (width - empty <= 1 || footer)) {
            let aligned = Aligned { cells, cost: 0.0, repairs: Vec::new(), pieces: width };
            self.postpone(aligned, record.next, record.lines);
            return true;
        }
        self.flush();
        let repairs = if strip && !self.layout.strip { vec![Repair::StrippedBlanks] } else { Vec::new() };
        self.give(&cells, &repairs, self.line);
        self.advance(record.next, record.lines);
        true
    }

    /// Takes a record of another width, or with quotes that do not match: the cheapest reading wins.
    fn take_damaged(&mut self, record: &Record) {
        let text = &self.buffer[self.at..];
        let (end, next) = line_at(text, 0, true).unwrap_or((text.len(), text.len()));
        let left_short = self.options.short_rows == ShortRows::Reject && record.fields.len() < self.layout.width;
        let left_long = self.options.long_rows == LongRows::Reject && record.fields.len() > self.layout.width;
        if record.flaw == Flaw::None && (left_short || left_long) {
            let cells: Vec<Cell> = record
                .fields
                .iter()
                .map(|field| Cell { text: self.dialect.value(text, *field).into_owned(), quoted: field.quoted })
                .collect();
            self.flush();
            self.give(&cells, &[Repair::LeftAsIs], self.line);
            self.advance(record.next, record.lines);
            return;
        }
        let mut best = self.best_line(&text[..end]);
        let (mut best_next, mut best_lines) = (next, 1);
        let mut extents = Vec::new();
        if record.flaw == Flaw::None && record.lines > 1 {
            extents.push(record.lines);
        } else if record.flaw != Flaw::None {
            extents.extend(self.lenient_lines(text));
        }
        if best.pieces < self.layout.width && record.lines == 1 {
            extents.push(2);
        }
        extents.dedup();
        for lines in extents.into_iter().filter(|lines| (2..=MOST_LINES).contains(lines)) {
            let (mut at, mut apart) = (0, best.cost);
            let mut stop = None;
            for line in 0..lines {
                let Some((line_end, line_next)) = line_at(text, at, self.complete) else { break };
                let blank = trim_blanks(&text[at..line_end]).is_empty();
                if at == text.len() || (blank && line + 1 == lines) {
                    break;
                }
                if line > 0 {
                    apart += self.best_line(&text[at..line_end]).cost;
                }
                at = line_next;
                if line + 1 == lines {
                    stop = Some((line_end, line_next));
                }
            }
            let Some((stop, after)) = stop else { continue };
            let mut joined =
                self.rules(&self.dialect, self.layout.strip).align(&text[..stop], &[&self.dialect.delimiter]);
            let open_break = record.flaw == Flaw::None && record.lines == 1;
            let (fit, misfit) = self.layout.profile.typed_fit(&joined.cells);
            if joined.cost < apart && (!open_break || (misfit == 0 && fit >= 2 && joined.cost < 12.0)) {
                joined.repairs.push(Repair::JoinedLines);
                (best, best_next, best_lines) = (joined, after, lines);
            }
        }
        if best_lines > 1 && record.flaw == Flaw::None && record.lines == best_lines {
            best.repairs.retain(|repair| *repair != Repair::JoinedLines);
        }
        let (fit, misfit) = self.layout.profile.typed_fit(&best.cells);
        let typed = self.layout.profile.columns.iter().any(|column| column.typed().is_some());
        let footer = is_footer_word(trim_blanks(&text[..end]));
        let near = best.pieces + 1 >= self.layout.width && best.pieces <= self.layout.width + 1;
        let likely = !footer
            && if typed {
                let wide = best.pieces * 3 >= self.layout.width * 2;
                let whole = misfit == 0 && !best.repairs.contains(&Repair::Split);
                fit >= 1 && misfit * 2 <= fit && (wide || whole)
            } else {
                near && (best.pieces > 1 || self.layout.width == 1)
            };
        if likely && !self.settles_elsewhere(&best) {
            self.flush();
            let Aligned { cells, repairs, .. } = best;
            self.give(&cells, &repairs, self.line);
            self.advance(best_next, best_lines);
        } else {
            self.postpone(best, best_next, best_lines);
        }
    }

    /// Likely rows are given out at once, unless doubtful ones of the same width came before them after a blank line.
    fn settles_elsewhere(&self, row: &Aligned) -> bool {
        let same = |pending: &Pending| pending.pieces == row.pieces && pending.pieces != self.layout.width;
        self.pending.last().is_some_and(same) && self.pending.iter().any(|pending| pending.after_blank)
    }

    fn postpone(&mut self, row: Aligned, next: usize, lines: u64) {
        let filled = row.cells.iter().filter(|cell| !cell.text.trim_ascii().is_empty()).count();
        let (fit, misfit) = self.layout.profile.typed_fit(&row.cells);
        let text = &self.buffer[self.at..];
        let footer = is_footer_word(trim_blanks(&text[..text.len().min(64)]));
        let width = self.layout.width;
        let plausible = match filled {
            0 => false,
            // One cell and no blank line before it: the first of two, unless it reads like a sentence.
            1 => width <= 2 && row.cells[0].text.split(|byte| *byte == b' ').count() <= 3,
            _ => fit > misfit || (misfit == 0 && filled * 2 >= width) || row.pieces + 1 >= width,
        };
        let likely = plausible && !footer && !self.after_blank;
        self.pending.push(Pending {
            empty: filled == 0,
            likely,
            cells: row.cells,
            repairs: row.repairs,
            pieces: row.pieces,
            filled,
            line: self.line,
            start: self.at,
            after_blank: std::mem::take(&mut self.after_blank),
        });
        self.advance_keeping(next, lines);
        if self.changed_for_good() {
            self.end_table();
        } else if self.pending.len() > MOST_PENDING {
            self.flush();
        }
    }

    /// Whether the last doubtful rows have one width of their own that is not the table's.
    fn changed_for_good(&self) -> bool {
        let count = self.pending.len();
        let Some(last) = self.pending.last() else { return false };
        let apart = self.pending.iter().any(|pending| pending.after_blank);
        let needed = if apart { 3 } else { 5 };
        let same = self.pending.iter().rev().take_while(|pending| pending.pieces == last.pieces).count();
        count >= needed && same >= needed.min(4) && last.pieces != self.layout.width && last.pieces > 1
    }

    /// Gives out all doubtful rows: a regular one came after them.
    fn flush(&mut self) {
        write_blank_rows(&mut self.out, &mut self.blank_rows, &mut self.report);
        self.after_blank = false;
        for row in std::mem::take(&mut self.pending) {
            self.give(&row.cells, &row.repairs, row.line);
        }
    }

    fn give(&mut self, cells: &[Cell], repairs: &[Repair], line: u64) {
        if repairs.contains(&Repair::PartedRows) && cells.len() == self.layout.width * 2 {
            let (first, second) = cells.split_at(self.layout.width);
            self.give(first, repairs, line);
            self.give(second, &[], line);
            return;
        }
        write_row(&mut self.out, cells, self.keep_quotes, self.options.comment.as_deref());
        self.report.rows += 1;
        if repairs.is_empty() {
            self.report.clean_rows += 1;
        }
        for repair in repairs {
            self.report.note(*repair, line);
        }
    }

    /// The table ends here: doubtful rows belong to what follows.
    fn end_table(&mut self) {
        let (line, start) = self.pending.first().map_or((self.line, self.at), |first| (first.line, first.start));
        self.report.next_table_line = Some(line);
        self.at = start;
        self.line = line;
        self.pending.clear();
        self.after_blank = false;
        self.blank_rows = 0;
        self.ended = true;
    }

    /// The input ends here: doubtful rows are footers, rows cut short, or another table.
    fn finish(&mut self) {
        let lone = |pending: &Pending| pending.pieces > 1 && pending.filled > 1 && !pending.likely;
        let first = self.pending.iter().position(lone);
        if let Some(first) = first {
            let width = self.pending[first].pieces;
            let same = self.pending[first..].iter().filter(|pending| pending.pieces == width).count();
            let apart = self.pending[..=first].iter().any(|pending| pending.after_blank);
            if same >= 2 && apart && width != self.layout.width && same == self.pending.len() - first {
                self.end_table();
                return;
            }
        }
        let rows = self.pending.iter().take_while(|pending| pending.likely).count();
        let rest = self.pending.split_off(rows);
        if !self.pending.is_empty() {
            self.flush();
        }
        for row in rest {
            self.report.note(if row.empty { Repair::EmptyRow } else { Repair::Footer }, row.line);
        }
        self.ended = true;
    }

    fn advance(&mut self, next: usize, lines: u64) {
        self.after_blank = self.after_blank && self.pending.is_empty() && self.is_blank_before(next);
        self.advance_keeping(next, lines);
    }

    /// Only blank lines leave the mark of a blank line.
    fn is_blank_before(&self, next: usize) -> bool {
        self.buffer[self.at..self.at + next].iter().all(|byte| byte.is_ascii_whitespace())
    }

    fn advance_keeping(&mut self, next: usize, lines: u64) {
        self.at += next;
        self.line += lines;
    }
}

/// What the user set: whatever differs from its default.
pub(crate) fn known(options: &ReaderOptions) -> Known {
    let default = ReaderOptions::default();
    let delimiter = options.delimiter.value().filter(|_| options.delimiter != default.delimiter);
    let quote = options.quote.value().filter(|_| options.quote != default.quote);
    Known {
        delimiter: delimiter.map(|delimiter| delimiter.as_bytes().to_vec()),
        also: None,
        quote: quote.map(|quote| quote.0),
        escape: (options.escape != default.escape).then_some(options.escape.0),
    }
}

/// Words that lines after a table begin with.
fn is_footer_word(cell: &[u8]) -> bool {
    const WORDS: [&str; 10] =
        ["total", "totals", "sum", "grand total", "subtotal", "source", "sources", "note", "notes", "footnote"];
    let cell = cell.strip_prefix(b"\"").unwrap_or(cell);
    WORDS.iter().any(|word| {
        cell.len() >= word.len()
            && cell[..word.len()].eq_ignore_ascii_case(word.as_bytes())
            && cell.get(word.len()).is_none_or(|next| !next.is_ascii_alphanumeric())
    })
}

/// Whether every field after the first begins with a blank, none of them in quotes.
fn leads_with_blanks(text: &[u8], record: &Record) -> bool {
    record.fields[1..].iter().all(|field| text[field.start..field.end].first().is_none_or(|byte| *byte == b' '))
        && record.fields[1..].iter().any(|field| field.start < field.end)
}

fn write_blank_rows(out: &mut Vec<u8>, blank_rows: &mut u64, report: &mut RepairReport) {
    for _ in 0..std::mem::take(blank_rows) {
        out.push(b'\n');
        report.rows += 1;
        report.clean_rows += 1;
    }
}

fn write_row(out: &mut Vec<u8>, cells: &[Cell], keep_quotes: bool, comment: Option<&str>) {
    for (index, cell) in cells.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_field(out, &cell.text, cell.quoted, keep_quotes, index == 0, comment);
    }
    out.push(b'\n');
}

fn write_field(out: &mut Vec<u8>, text: &[u8], quoted: bool, keep_quotes: bool, first: bool, comment: Option<&str>) {
    let special = text.iter().any(|byte| matches!(byte, b',' | b'"' | b'\n' | b'\r'));
    let blank = quoted && (text.is_empty() || keep_quotes);
    let like_comment = first && comment.is_some_and(|prefix| text.starts_with(prefix.as_bytes()));
    if !special && !blank && !like_comment {
        out.extend_from_slice(text);
        return;
    }
    out.push(b'"');
    for byte in text {
        if *byte == b'"' {
            out.push(b'"');
        }
        out.push(*byte);
    }
    out.push(b'"');
}
