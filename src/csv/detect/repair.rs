//! The table a person would write down, as clean CSV.
//!
//! In: any text that is more or less CSV, as a `Read`. Out: [`Repaired`], a `Read` of canonical CSV (`,`, `"` doubled,
//! `\n`, one header row, every row as wide as the header) and a [`RepairReport`]. After a sample, memory holds one
//! block, one record and a few doubtful rows. It refuses nothing but a record beyond `max_record_bytes`.

use std::io::{self, Cursor, Read};

use crate::csv::detect::envelope::{Envelope, Unwrapped};
use crate::csv::detect::layout::{self, Layout};
use crate::csv::detect::pending::Pending;
use crate::csv::detect::profile::Profile;
use crate::csv::detect::report::{Repair, RepairReport};
use crate::csv::detect::score::{Known, rank};
use crate::csv::detect::tokens::{Dialect, QUOTE_REACH, Record, line_at};
use crate::error::{Error, ErrorKind, Fault, FaultCode, Location, Result};
use crate::options::{Header, InferQuoted, ReaderOptions, Trim};

/// How much is looked at before the first row is given out.
const SAMPLE: usize = 1 << 20;
/// How far a damaged row is looked at.
pub(super) const REACH: usize = 256 << 10;
/// A damaged row takes no more lines than this.
pub(super) const MOST_LINES: u64 = 40;

/// A clean CSV text made of a damaged one.
pub struct Repaired {
    input: Box<dyn Read + Send>,
    pub(super) buffer: Vec<u8>,
    pub(super) at: usize,
    pub(super) complete: bool,
    pub(super) line: u64,
    pub(super) options: ReaderOptions,
    pub(super) dialect: Dialect,
    pub(super) layout: Layout,
    pub(super) record: Record,
    /// The columns twice over, for two rows on one line.
    pub(super) twice: Profile,
    pub(super) pending: Vec<Pending>,
    pub(super) after_blank: bool,
    pub(super) blank_rows: u64,
    pub(super) out: Vec<u8>,
    out_at: usize,
    /// The table's last row has been given out.
    pub(super) ended: bool,
    pub(super) keep_quotes: bool,
    /// Quotes are to be found out.
    pub(super) open_quotes: bool,
    pub(super) report: RepairReport,
    lines_in: Option<Envelope>,
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
        lines_in: None,
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
        if let Some(envelope) = Envelope::of(&self.buffer[self.at..], self.complete, &known(&self.options)) {
            let input = std::mem::replace(&mut self.input, Box::new(io::empty()));
            let read = Cursor::new(self.buffer.split_off(self.at)).chain(input);
            self.input = Box::new(Unwrapped::new(Box::new(read), envelope));
            self.complete = false;
            self.fill(SAMPLE)?;
            self.lines_in = Some(envelope);
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
        let mut told_line = None;
        self.fill(SAMPLE)?;
        let mut known = known(&self.options);
        let told = spreadsheet_delimiter(&self.buffer[self.at..]);
        if let Some((delimiter, next)) = told {
            let text = String::from_utf8_lossy(&self.buffer[self.at..self.at + next]).trim_end().to_owned();
            told_line = Some((self.line, text));
            known.delimiter.get_or_insert(delimiter);
            self.at += next;
            self.line += 1;
        }
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
        self.report.preamble.splice(0..0, told_line);
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
        report.escape = self.dialect.escape.or(self.dialect.bare_escape.then_some(b'\\')).map(char::from);
        report.blanks_around_delimiter = self.layout.strip;
        report.lines_in_quotes = self.lines_in == Some(Envelope::Quotes);
        report.lines_in_bars = self.lines_in == Some(Envelope::Bars);
        report.width = self.layout.width;
        report.preamble = std::mem::take(&mut self.layout.preamble);
        report.header_lines = self.layout.header_lines.clone();
        report.header_reason = self.layout.header_reason.clone();
        if let Some(line) = self.layout.repeated_header {
            report.note(Repair::RepeatedHeader, line);
        }
        if let Some(line) = self.layout.ruling {
            report.note(Repair::Ruling, line);
        }
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
}

/// The delimiter that a first line `sep=;` tells spreadsheets, and where the next line starts.
fn spreadsheet_delimiter(text: &[u8]) -> Option<(Vec<u8>, usize)> {
    let (end, next) = line_at(text, 0, true)?;
    let line = text[..end].trim_ascii_start();
    let told = line.get(..4).filter(|word| word.eq_ignore_ascii_case(b"sep=")).map(|_| &line[4..])?;
    let one = matches!(told, [b',' | b';' | b'\t' | b'|' | b':' | b' ']);
    one.then(|| (told.to_vec(), next))
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
