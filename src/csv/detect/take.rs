//! One record after the other: a row as it stands, a damaged one, a comment, a blank line.
//!
//! In: the record at the current place of a [`Repaired`]. Out: rows given out, or put among the doubtful ones. Nothing
//! is left where it was: each record is taken, or ends the table.

use crate::csv::detect::align::{Aligned, Cell};
use crate::csv::detect::emit::{write_blank_rows, write_field};
use crate::csv::detect::pending::{Pending, is_footer_word};
use crate::csv::detect::repair::{MOST_LINES, Repaired};
use crate::csv::detect::report::Repair;
use crate::csv::detect::tokens::{Flaw, Record, line_at, trim_blanks};
use crate::options::{LongRows, ShortRows};

impl Repaired {
    pub(super) fn take(&mut self, record: &Record) {
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
        let prose = typed == 0 && width > 1 && !self.layout.strip && leads_with_blanks(text, record);
        let footer = is_footer_word(first) && (misfit > 0 || empty * 2 > width || prose);
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
        let elsewise = best.pieces == self.layout.width && best.repairs.contains(&Repair::OtherDelimiter);
        if best.pieces < self.layout.width && record.lines == 1 && !elsewise {
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
        let near = self.has_width(best.pieces) || best.pieces.abs_diff(self.layout.width) <= 1;
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

    pub(super) fn advance(&mut self, next: usize, lines: u64) {
        self.after_blank = self.after_blank && self.pending.is_empty() && self.is_blank_before(next);
        self.advance_keeping(next, lines);
    }

    /// Only blank lines leave the mark of a blank line.
    fn is_blank_before(&self, next: usize) -> bool {
        self.buffer[self.at..self.at + next].iter().all(|byte| byte.is_ascii_whitespace())
    }

    pub(super) fn advance_keeping(&mut self, next: usize, lines: u64) {
        self.at += next;
        self.line += lines;
    }
}

/// Whether every field after the first begins with a blank, none of them in quotes.
fn leads_with_blanks(text: &[u8], record: &Record) -> bool {
    record.fields[1..].iter().all(|field| text[field.start..field.end].first().is_none_or(|byte| *byte == b' '))
        && record.fields[1..].iter().any(|field| field.start < field.end)
}
