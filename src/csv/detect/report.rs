//! What `--detect all` did to a file.
//!
//! In: one call per thing done. Out: [`RepairReport`], serializable, and readable by a person. Counts are exact; of each
//! kind the first five lines are named.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

/// How many lines of each kind are named.
const LINES_NAMED: usize = 5;

/// One kind of repair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Repair {
    /// A short row was filled up with NULL.
    Padded,
    /// Surplus empty cells were cut.
    CutEmpty,
    /// Surplus text was cut, as `long_rows = truncate` says.
    Truncated,
    /// Surplus text was merged into a cell, with its delimiters.
    Merged,
    /// Two cells that had been run together were split where the columns' shapes show.
    Split,
    /// A quote that does not close was kept as text.
    StrayQuote,
    /// Quotes inside quotes that were not escaped (or escaped in another way) were read all the same.
    UnescapedQuote,
    /// The row had another delimiter than the rest.
    OtherDelimiter,
    /// The row had other quotes than the rest.
    OtherQuote,
    /// A row that was broken over several lines was joined.
    JoinedLines,
    /// Two rows that stood on one line were parted.
    PartedRows,
    /// Blanks after (or before) the delimiters of one row were removed.
    StrippedBlanks,
    /// A comment line was dropped.
    Comment,
    /// A row without any value at the end was dropped.
    EmptyRow,
    /// A line after the table (total, source, note) was dropped.
    Footer,
    /// A row that repeats the header directly below it was dropped.
    RepeatedHeader,
    /// A line of dashes under the header was dropped.
    Ruling,
    /// A row that stood in quotes as a whole was read as what is in them.
    UnwrappedLine,
    /// A row was left as wide as it is, as `short_rows` or `long_rows` = `reject` says.
    LeftAsIs,
}

/// How often something was done, and where first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RepairCount {
    /// How many rows or lines.
    pub count: u64,
    /// The first five physical lines.
    pub lines: Vec<u64>,
}

/// What was done to read a file as one table.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct RepairReport {
    /// The delimiter found.
    pub delimiter: String,
    /// The quote character, if any.
    pub quote: Option<char>,
    /// The escape character, if any.
    pub escape: Option<char>,
    /// Whether blanks next to delimiters belong to them.
    pub blanks_around_delimiter: bool,
    /// Whether every line stood in quotes once more.
    pub lines_in_quotes: bool,
    /// Whether every line stood between bars.
    pub lines_in_bars: bool,
    /// How many columns the table has.
    pub width: usize,
    /// The lines above the table that were dropped: number and text (cut at 200 characters).
    pub preamble: Vec<(u64, String)>,
    /// Physical lines of the header rows; empty where names were made up.
    pub header_lines: Vec<u64>,
    /// Why these rows are the header, or why there is none.
    pub header_reason: String,
    /// Which table was taken, from 1.
    pub table: u64,
    /// The line on which a further table begins, if one does.
    pub next_table_line: Option<u64>,
    /// Rows written, the header not counted.
    pub rows: u64,
    /// Rows that were as they should be.
    pub clean_rows: u64,
    /// Everything else, by kind.
    pub repairs: BTreeMap<Repair, RepairCount>,
    /// 0 to 1: how far the best reading of the sample is ahead, and how much of it is regular.
    pub confidence: f64,
}

impl RepairReport {
    pub(crate) fn note(&mut self, repair: Repair, line: u64) {
        let entry = self.repairs.entry(repair).or_default();
        entry.count += 1;
        if entry.lines.len() < LINES_NAMED {
            entry.lines.push(line);
        }
    }
}

impl Repair {
    fn words(self) -> &'static str {
        match self {
            Repair::Padded => "short, filled up with NULL",
            Repair::CutEmpty => "surplus empty cells cut",
            Repair::Truncated => "surplus cells cut",
            Repair::Merged => "surplus text merged into a cell",
            Repair::Split => "cells that had been run together split",
            Repair::StrayQuote => "stray quote kept as text",
            Repair::UnescapedQuote => "unescaped quotes kept as text",
            Repair::OtherDelimiter => "another delimiter",
            Repair::OtherQuote => "another quote character",
            Repair::JoinedLines => "broken over lines, joined",
            Repair::PartedRows => "two rows on one line parted",
            Repair::StrippedBlanks => "blanks next to delimiters removed",
            Repair::Comment => "comment dropped",
            Repair::EmptyRow => "empty row at the end dropped",
            Repair::Footer => "line after the table dropped",
            Repair::RepeatedHeader => "repeated header row dropped",
            Repair::Ruling => "line of dashes dropped",
            Repair::UnwrappedLine => "whole line in quotes",
            Repair::LeftAsIs => "left as it is",
        }
    }
}

impl fmt::Display for RepairReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quote = self.quote.map_or("none".to_owned(), |quote| quote.to_string());
        write!(f, "table {}: {} columns, {} rows", self.table, self.width, self.rows)?;
        write!(f, " (delimiter {:?}, quote {quote}", self.delimiter)?;
        if let Some(escape) = self.escape {
            write!(f, ", escape {escape}")?;
        }
        writeln!(f, ", confidence {:.2})", self.confidence)?;
        if self.lines_in_quotes {
            writeln!(f, "quotes around whole lines removed")?;
        }
        if self.lines_in_bars {
            writeln!(f, "bars at both ends of the lines removed")?;
        }
        writeln!(f, "header: {}", self.header_reason)?;
        if let (Some((first, _)), Some((last, _))) = (self.preamble.first(), self.preamble.last()) {
            match self.preamble.len() {
                1 => writeln!(f, "dropped line {first} above the table")?,
                count => writeln!(f, "dropped {count} lines above the table ({first} to {last})")?,
            }
        }
        for (repair, count) in &self.repairs {
            let lines: Vec<String> = count.lines.iter().map(u64::to_string).collect();
            let more = if count.count > count.lines.len() as u64 { ", …" } else { "" };
            writeln!(f, "{}: {} (line {}{more})", repair.words(), count.count, lines.join(", "))?;
        }
        if let Some(line) = self.next_table_line {
            writeln!(f, "another table begins at line {line}: --nth-table {}", self.table + 1)?;
        }
        Ok(())
    }
}
