//! How one damaged row may be read.
//!
//! In: the text at the current place of a [`Repaired`]. Out: the cheapest of the readings that make sense for it: other
//! delimiters, other quotes, blanks that belong to the delimiters, two rows on one line. Nothing is consumed here.

use crate::csv::detect::align::{Aligned, Rules};
use crate::csv::detect::repair::{MOST_LINES, REACH, Repaired};
use crate::csv::detect::report::Repair;
use crate::csv::detect::score::DELIMITERS;
use crate::csv::detect::tokens::{Dialect, Field, Record, line_at, occurrences};

impl Repaired {
    /// Whether a regular record has quotes that another reading explains better: of another kind, or run together with
    /// the cell before.
    pub(super) fn has_odd_quotes(&self, record: &Record) -> bool {
        let text = &self.buffer[self.at..self.at + record.end];
        if record.fields.len() < 2 || record.lines > 1 || !self.open_quotes {
            return false;
        }
        let other = if self.dialect.quote == Some(b'\'') { b'"' } else { b'\'' };
        let wrapped =
            |field: &Field| field.end > field.start + 1 && text[field.start] == other && text[field.end - 1] == other;
        let odd = |field: &Field| {
            !field.quoted
                && self
                    .dialect
                    .quote
                    .is_some_and(|quote| memchr::memchr_iter(quote, &text[field.start..field.end]).count() % 2 == 1)
        };
        if !record.fields.iter().any(|field| wrapped(field) || odd(field)) {
            return false;
        }
        let best = self.best_line(text);
        best.repairs.iter().any(|repair| matches!(repair, Repair::OtherQuote | Repair::Split))
    }

    /// Whether the quotes of a record over several lines only seem to close: each of its lines is a row by itself.
    pub(super) fn steals_lines(&self, record: &Record) -> bool {
        let text = &self.buffer[self.at..self.at + record.end];
        let rules = self.rules(&self.dialect, self.layout.strip);
        let mut at = 0;
        let mut cost = 0.0;
        while at < text.len() {
            let Some((end, next)) = line_at(text, at, true) else { return false };
            if occurrences(&text[at..end], &self.dialect.delimiter) + 1 < self.layout.width {
                return false;
            }
            cost += rules.align(&text[at..end], &[&self.dialect.delimiter]).cost;
            at = next;
        }
        cost < rules.align(text, &[&self.dialect.delimiter]).cost + 1.0
    }

    /// What governs alignments of this table.
    pub(super) fn rules<'a>(&'a self, dialect: &'a Dialect, strip: bool) -> Rules<'a> {
        Rules {
            profile: &self.layout.profile,
            width: self.layout.width,
            dialect,
            short_rows: self.options.short_rows,
            long_rows: self.options.long_rows,
            strip,
        }
    }

    /// The cheapest reading of one line as one row.
    pub(super) fn best_line(&self, line: &[u8]) -> Aligned {
        let main: &[u8] = &self.dialect.delimiter;
        let width = self.layout.width;
        let mut best = self.rules(&self.dialect, self.layout.strip).align(line, &[main]);
        if best.cost < 1.2 {
            return best;
        }
        let mut consider = |mut other: Aligned, price: f64, repair: Option<Repair>| {
            other.cost += price;
            let parts = repair != Some(Repair::PartedRows) || self.parts_well(&other);
            if other.cost < best.cost && parts {
                other.repairs.extend(repair);
                best = other;
            }
        };
        if let Some(aligned) = self.rules(&self.dialect, self.layout.strip).align_quoted(line, main) {
            consider(aligned, 0.3, None);
        }
        if let Some(inner) = self.dialect.whole_line(line) {
            let aligned = self.rules(&self.dialect, self.layout.strip).align(&inner, &[main]);
            consider(aligned, 1.0, Some(Repair::UnwrappedLine));
        }
        let mut follow = main.to_vec();
        follow.push(b' ');
        if !self.layout.strip && main != b" " && occurrences(line, &follow) * 10 >= (width.saturating_sub(1)) * 7 {
            let rules = self.rules(&self.dialect, true);
            consider(rules.align(line, &[main]), 0.3, Some(Repair::StrippedBlanks));
        }
        for other in [b'"', b'\''] {
            let count = line.iter().filter(|byte| **byte == other).count();
            if Some(other) != self.dialect.quote && count >= 2 && count % 2 == 0 && self.open_quotes {
                let dialect = Dialect { quote: Some(other), ..self.dialect.clone() };
                let aligned = self.rules(&dialect, self.layout.strip).align(line, &[main]);
                if aligned.cells.iter().any(|cell| cell.quoted) {
                    consider(aligned, 1.5, Some(Repair::OtherQuote));
                }
            }
        }
        let main_count = occurrences(line, main);
        if width > 1 && main_count + 1 < width {
            for (other, _) in DELIMITERS.iter().filter(|(other, _)| other.as_bytes() != main) {
                let other = other.as_bytes();
                let count = occurrences(line, other);
                // Exactly as many cells as columns is no accident where there are several.
                let price = |aligned: &Aligned| match aligned.pieces == width {
                    true if width >= 4 && main_count == 0 => 0.2,
                    true => 2.0,
                    false => 4.0,
                };
                if count > 0 && (count + 1) * 2 >= width {
                    let aligned = self.rules(&self.dialect, true).align(line, &[other]);
                    let price = price(&aligned);
                    consider(aligned, price, Some(Repair::OtherDelimiter));
                }
                if count > 0 && main_count > 0 {
                    let aligned = self.rules(&self.dialect, self.layout.strip).align(line, &[main, other]);
                    let price = price(&aligned) + 0.5;
                    consider(aligned, price, Some(Repair::OtherDelimiter));
                }
            }
        }
        if width > 1 && main_count + 2 >= width * 2 {
            let rules =
                Rules { profile: &self.twice, width: width * 2, ..self.rules(&self.dialect, self.layout.strip) };
            consider(rules.align(line, &[main]), 0.2, Some(Repair::PartedRows));
            if let Some(aligned) = rules.align_quoted(line, main) {
                consider(aligned, 0.5, Some(Repair::PartedRows));
            }
        }
        let doubled = main.repeat(2);
        if main_count + 1 > width && (occurrences(line, &doubled) + 1) * 2 > width {
            consider(
                self.rules(&self.dialect, self.layout.strip).align(line, &[&doubled]),
                1.5,
                Some(Repair::OtherDelimiter),
            );
        }
        best
    }

    /// Whether both halves of what may be two rows are rows beyond doubt.
    fn parts_well(&self, row: &Aligned) -> bool {
        row.cells.chunks(self.layout.width).all(|half| {
            let (fit, misfit) = self.layout.profile.typed_fit(half);
            fit >= 2 && misfit == 0
        })
    }

    /// How many lines a record takes if quotes close only before a delimiter or a line end.
    pub(super) fn lenient_lines(&self, text: &[u8]) -> Option<u64> {
        let quote = self.dialect.quote?;
        let delimiter = &self.dialect.delimiter;
        let (mut at, mut lines, mut open, mut field_start) = (0, 1, false, true);
        while at < text.len().min(REACH) && lines <= MOST_LINES {
            let byte = text[at];
            if byte == quote {
                if open {
                    let rest = &text[at + 1..];
                    let after = rest.iter().position(|byte| *byte != b' ').map_or(&[][..], |skip| &rest[skip..]);
                    let escaped = at > 0 && text[at - 1] == b'\\';
                    if after.is_empty()
                        || rest.starts_with(delimiter)
                        || after.starts_with(delimiter)
                        || matches!(after[0], b'\n' | b'\r')
                    {
                        open = escaped && !matches!(after.first(), None | Some(b'\n' | b'\r'));
                    }
                } else if field_start {
                    open = true;
                }
            } else if matches!(byte, b'\n' | b'\r') {
                if !open {
                    return Some(lines);
                }
                lines += 1;
                if byte == b'\r' && text.get(at + 1) == Some(&b'\n') {
                    at += 1;
                }
            }
            let delimits = !open && text[at..].starts_with(delimiter);
            field_start = delimits || (field_start && byte == b' ');
            at += if delimits { delimiter.len() } else { 1 };
        }
        (at >= text.len() && !open).then_some(lines)
    }
}
