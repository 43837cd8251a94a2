//! Doubtful rows: they may be rows, a footer, or the start of another table, and what comes next decides.
//!
//! In: rows that [`Repaired`] is not sure of. Out: rows given out, a footer that is dropped, the end of the table.

use crate::csv::detect::align::{Aligned, Cell};
use crate::csv::detect::emit::write_blank_rows;
use crate::csv::detect::repair::Repaired;
use crate::csv::detect::report::Repair;
use crate::csv::detect::tokens::{is_ruling, line_at, trim_blanks};

/// More doubtful rows in a row than this are rows after all.
const MOST_PENDING: usize = 64;

/// A row that may be a row, a footer, or the start of another table.
pub(super) struct Pending {
    pub cells: Vec<Cell>,
    pub repairs: Vec<Repair>,
    pub pieces: usize,
    pub filled: usize,
    pub likely: bool,
    pub empty: bool,
    pub line: u64,
    pub start: usize,
    pub after_blank: bool,
}

impl Repaired {
    pub(super) fn postpone(&mut self, row: Aligned, next: usize, lines: u64) {
        let filled = row.cells.iter().filter(|cell| !cell.text.trim_ascii().is_empty()).count();
        let (fit, misfit) = self.layout.profile.typed_fit(&row.cells);
        let text = &self.buffer[self.at..];
        let ruling = is_ruling(&text[..line_at(text, 0, true).map_or(text.len(), |(end, _)| end)]);
        let footer = ruling || is_footer_word(trim_blanks(&text[..text.len().min(64)]));
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

    /// Whether rows of the table have this width.
    pub(super) fn has_width(&self, width: usize) -> bool {
        width == self.layout.width || width == self.layout.usual
    }

    /// Whether the last doubtful rows have one width of their own that is not the table's.
    fn changed_for_good(&self) -> bool {
        let count = self.pending.len();
        let Some(last) = self.pending.last() else { return false };
        let apart = self.pending.iter().any(|pending| pending.after_blank);
        let needed = if apart { 3 } else { 5 };
        let same = self.pending.iter().rev().take_while(|pending| pending.pieces == last.pieces).count();
        count >= needed && same >= needed.min(4) && !self.has_width(last.pieces) && last.pieces > 1
    }

    /// Gives out all doubtful rows: a regular one came after them.
    pub(super) fn flush(&mut self) {
        write_blank_rows(&mut self.out, &mut self.blank_rows, &mut self.report);
        self.after_blank = false;
        for row in std::mem::take(&mut self.pending) {
            self.give(&row.cells, &row.repairs, row.line);
        }
    }

    /// The table ends here: doubtful rows belong to what follows.
    pub(super) fn end_table(&mut self) {
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
    pub(super) fn finish(&mut self) {
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
}

/// Words that lines after a table begin with.
pub(super) fn is_footer_word(cell: &[u8]) -> bool {
    const WORDS: [&str; 10] =
        ["total", "totals", "sum", "grand total", "subtotal", "source", "sources", "note", "notes", "footnote"];
    let cell = cell.strip_prefix(b"\"").unwrap_or(cell);
    if let Some(count) = cell.strip_prefix(b"(") {
        let digits = count.iter().take_while(|byte| byte.is_ascii_digit()).count();
        return digits > 0 && count[digits..].trim_ascii_start().starts_with(b"row");
    }
    WORDS.iter().any(|word| {
        cell.len() >= word.len()
            && cell[..word.len()].eq_ignore_ascii_case(word.as_bytes())
            && cell.get(word.len()).is_none_or(|next| !next.is_ascii_alphanumeric())
    })
}
