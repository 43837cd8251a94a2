//! Brings the pieces of a damaged row into the columns of the table.
//!
//! In: the raw text of one row, its delimiters, and the profile of the columns. Out: exactly one cell per column, with
//! what was done and what it cost in nats. It is a shortest path: pieces between delimiters are taken, joined again,
//! split, padded or cut, each step at a price, each cell at the price its column names.

use memchr::memmem;

use crate::csv::detect::profile::Profile;
use crate::csv::detect::report::Repair;
use crate::csv::detect::tokens::{Dialect, ends_escaped, trim_blanks};
use crate::options::{LongRows, ShortRows};

/// Rows with more pieces than this are not searched: they are read plainly and merged at the end.
const MOST_PIECES: usize = 600;
const LONGEST_SPLIT: usize = 96;

/// A row brought into shape.
#[derive(Debug, Clone, Default)]
pub(crate) struct Aligned {
    pub cells: Vec<Cell>,
    pub cost: f64,
    pub repairs: Vec<Repair>,
    /// How many pieces there were before.
    pub pieces: usize,
}

/// A cell's text and whether it stood in quotes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Cell {
    pub text: Vec<u8>,
    pub quoted: bool,
}

impl AsRef<[u8]> for Cell {
    fn as_ref(&self) -> &[u8] {
        &self.text
    }
}

/// What governs an alignment.
pub(crate) struct Rules<'a> {
    pub profile: &'a Profile,
    pub width: usize,
    pub dialect: &'a Dialect,
    pub short_rows: ShortRows,
    pub long_rows: LongRows,
    /// Whether blanks around pieces belong to the delimiter.
    pub strip: bool,
}

/// How a state was reached.
#[derive(Clone, Copy)]
enum Step {
    None,
    /// One cell from all pieces since this one.
    Take(usize),
    Pad,
    Cut,
    Split(usize),
}

impl Rules<'_> {
    /// The cheapest way to see `text`, split at any of `delimiters`, as one row.
    pub fn align(&self, text: &[u8], delimiters: &[&[u8]]) -> Aligned {
        let mut pieces = split(text, delimiters);
        if self.dialect.bare_escape {
            pieces.dedup_by(|next, last| {
                let escaped = ends_escaped(&text[last.0..last.1]);
                if escaped {
                    last.1 = next.1;
                }
                escaped
            });
        }
        self.align_pieces(text, pieces)
    }

    /// The same, but a quote anywhere in a cell holds the delimiters up to the next one: a quoted cell may have been
    /// run together with the one before it. `None` where no quote is in the middle of a cell.
    pub fn align_quoted(&self, text: &[u8], delimiter: &[u8]) -> Option<Aligned> {
        let quote = self.dialect.quote?;
        let pieces = split(text, &[delimiter]);
        let mut joined: Vec<(usize, usize)> = Vec::with_capacity(pieces.len());
        let mut open = false;
        for (start, end) in pieces {
            let raw = &text[start..end];
            let count = raw.iter().filter(|byte| **byte == quote).count();
            match joined.last_mut() {
                Some(last) if open => last.1 = end,
                _ => joined.push((start, end)),
            }
            open ^= count % 2 == 1;
        }
        let middle = joined.iter().any(|(start, end)| {
            let raw = trim_blanks(&text[*start..*end]);
            raw.contains(&quote) && !(raw.first() == Some(&quote) && raw.last() == Some(&quote))
        });
        (middle && !open).then(|| self.align_pieces(text, joined))
    }

    fn align_pieces(&self, text: &[u8], pieces: Vec<(usize, usize)>) -> Aligned {
        if pieces.len() > MOST_PIECES || self.width > MOST_PIECES {
            return self.plain(text, &pieces);
        }
        let (n, width) = (pieces.len(), self.width);
        let at = |i: usize, j: usize| i * (width + 1) + j;
        let mut best = vec![f64::INFINITY; (n + 1) * (width + 1)];
        let mut steps = vec![Step::None; best.len()];
        best[0] = 0.0;
        let merges = self.merge_limits(text, &pieces);
        let deficit = width.saturating_sub(self.fields(text, &pieces));
        for i in 0..=n {
            for j in 0..=width {
                let here = best[at(i, j)];
                if !here.is_finite() {
                    continue;
                }
                let mut relax = |i: usize, j: usize, cost: f64, step: Step| {
                    if here + cost < best[at(i, j)] {
                        best[at(i, j)] = here + cost;
                        steps[at(i, j)] = step;
                    }
                };
                if j < width {
                    let empty = self.profile.columns.get(j).map_or(0.0, |column| column.cost(b""));
                    let pad = if i == n { 1.0 + 0.1 * empty } else { 4.0 + 0.5 * empty };
                    relax(i, j + 1, pad, Step::Pad);
                }
                if i == n {
                    continue;
                }
                let (start, end) = pieces[i];
                let blank = trim_blanks(&text[start..end]).is_empty();
                if blank {
                    relax(i + 1, j, if j == width { 0.7 } else { 1.6 }, Step::Cut);
                } else if j == width && self.long_rows == LongRows::Truncate {
                    relax(i + 1, j, 0.5, Step::Cut);
                }
                if j == width {
                    continue;
                }
                for k in i + 1..=merges[i].min(n) {
                    let (cell, price) = self.cell(&text[start..pieces[k - 1].1], k - i, j);
                    relax(k, j + 1, price + self.column_cost(j, &cell), Step::Take(i));
                }
                if deficit > 0
                    && self.short_rows != ShortRows::Pad
                    && j + 1 < width
                    && j < i + deficit + 1
                    && let Some((cut, price)) = self.best_split(&text[start..end], j)
                {
                    relax(i + 1, j + 2, price, Step::Split(cut));
                }
            }
        }
        self.trace(text, &pieces, &steps, best[at(n, width)])
    }

    fn trace(&self, text: &[u8], pieces: &[(usize, usize)], steps: &[Step], cost: f64) -> Aligned {
        let (n, width) = (pieces.len(), self.width);
        if !cost.is_finite() {
            return self.plain(text, pieces);
        }
        let (mut i, mut j) = (n, width);
        let mut cells = Vec::with_capacity(width);
        let mut repairs = Vec::new();
        while i > 0 || j > 0 {
            match steps[i * (width + 1) + j] {
                Step::Pad => {
                    cells.push(Cell::default());
                    repairs.push(Repair::Padded);
                    j -= 1;
                }
                Step::Cut => {
                    i -= 1;
                    let (start, end) = pieces[i];
                    let blank = trim_blanks(&text[start..end]).is_empty();
                    repairs.push(if blank { Repair::CutEmpty } else { Repair::Truncated });
                }
                Step::Split(cut) => {
                    i -= 1;
                    j -= 2;
                    let (start, end) = pieces[i];
                    cells.push(self.cell(&text[start + cut..end], 1, j + 1).0);
                    cells.push(self.cell(&text[start..start + cut], 1, j).0);
                    repairs.push(Repair::Split);
                }
                Step::Take(from) => {
                    let raw = &text[pieces[from].0..pieces[i - 1].1];
                    let (cell, _) = self.cell(raw, i - from, j - 1);
                    if !cell.quoted {
                        if i - from > 1 {
                            repairs.push(Repair::Merged);
                        } else if self.dialect.quote.is_some_and(|quote| raw.contains(&quote)) {
                            repairs.push(Repair::StrayQuote);
                        }
                    } else if !self.well_quoted(trim_blanks(raw)) {
                        repairs.push(Repair::UnescapedQuote);
                    }
                    cells.push(cell);
                    i = from;
                    j -= 1;
                }
                Step::None => return self.plain(text, pieces),
            }
        }
        cells.reverse();
        repairs.sort_unstable();
        repairs.dedup();
        Aligned { cells, cost, repairs, pieces: n }
    }

    /// Piece by piece from the left; what is too much is merged into the last cell.
    fn plain(&self, text: &[u8], pieces: &[(usize, usize)]) -> Aligned {
        let mut cells: Vec<Cell> = Vec::with_capacity(self.width);
        let mut repairs = Vec::new();
        for (index, (start, end)) in pieces.iter().enumerate() {
            if index + 1 == self.width && pieces.len() > self.width {
                cells.push(self.cell(&text[*start..], 1, index).0);
                repairs.push(Repair::Merged);
                break;
            }
            cells.push(self.cell(&text[*start..*end], 1, index).0);
        }
        if cells.len() < self.width {
            cells.resize_with(self.width, Cell::default);
            repairs.push(Repair::Padded);
        }
        Aligned { cells, cost: 10.0 * self.width as f64, repairs, pieces: pieces.len() }
    }

    /// How far a cell that starts at each piece may reach (exclusive).
    fn merge_limits(&self, text: &[u8], pieces: &[(usize, usize)]) -> Vec<usize> {
        let n = pieces.len();
        let surplus = n.saturating_sub(self.width);
        (0..n)
            .map(|i| {
                let (start, end) = pieces[i];
                let opens = self.dialect.quote.is_some_and(|quote| {
                    let raw = trim_blanks(&text[start..end]);
                    raw.first() == Some(&quote)
                });
                let free = if self.long_rows == LongRows::Truncate { 0 } else { surplus };
                if opens { (i + 1 + 64.max(free)).min(n) } else { (i + 1 + free.min(64)).min(n) }
            })
            .collect()
    }

    /// How many fields the pieces are when those between a pair of quotes are one.
    fn fields(&self, text: &[u8], pieces: &[(usize, usize)]) -> usize {
        let Some(quote) = self.dialect.quote else { return pieces.len() };
        let (mut fields, mut open) = (0, false);
        for (start, end) in pieces {
            let raw = trim_blanks(&text[*start..*end]);
            fields += usize::from(!open);
            if open {
                open = raw.last() != Some(&quote);
            } else if raw.first() == Some(&quote) {
                open = raw.iter().filter(|byte| **byte == quote).count() % 2 == 1;
            }
        }
        // A quote that never closes held nothing together.
        if open { pieces.len() } else { fields }
    }

    fn column_cost(&self, j: usize, cell: &Cell) -> f64 {
        self.profile.columns.get(j).map_or(0.0, |column| column.cost(&cell.text))
    }

    /// The cell that raw text stands for, and what it costs to read it so.
    fn cell(&self, raw: &[u8], merged: usize, column: usize) -> (Cell, f64) {
        let trimmed = trim_blanks(raw);
        if let Some(quote) = self.dialect.quote {
            let wrapped = trimmed.len() >= 2 && trimmed.first() == Some(&quote) && trimmed.last() == Some(&quote);
            if wrapped {
                return if self.well_quoted(trimmed) {
                    let text = self.dialect.unquote(trimmed, quote).into_owned();
                    (Cell { text, quoted: true }, 0.05)
                } else if let Some(text) = unescape_backslash(trimmed, quote) {
                    (Cell { text, quoted: true }, 0.5 + 0.2 * (merged - 1) as f64)
                } else {
                    let text = trimmed[1..trimmed.len() - 1].to_vec();
                    (Cell { text, quoted: true }, 0.8 + 0.4 * (merged - 1) as f64)
                };
            }
            let odd = trimmed.iter().filter(|byte| **byte == quote).count() % 2 == 1;
            let edge = trimmed.first() == Some(&quote) || trimmed.last() == Some(&quote);
            let price = f64::from(u8::from(odd)) * 0.5 + f64::from(u8::from(edge)) * 1.5;
            return self.unquoted(raw, merged, column, price);
        }
        self.unquoted(raw, merged, column, 0.0)
    }

    fn unquoted(&self, raw: &[u8], merged: usize, column: usize, mut price: f64) -> (Cell, f64) {
        if merged > 1 {
            // Emptiness is not text: it is cut rather than merged.
            let hollow = raw.starts_with(&self.dialect.delimiter) || raw.ends_with(&self.dialect.delimiter);
            price += if hollow { 3.0 } else { 0.0 };
            price += 2.0 + 0.8 * (merged - 2) as f64;
            let last = column + 1 == self.width;
            if last {
                price -= 0.1;
            } else if self.long_rows == LongRows::MergeLast {
                price += 20.0;
            }
        }
        if raw.iter().any(|byte| matches!(byte, b'\n' | b'\r')) {
            price += 2.5;
        }
        let padded = self.profile.columns.get(column).is_some_and(|profile| profile.is_padded());
        let text = if self.strip && !padded { trim_blanks(raw) } else { raw };
        (Cell { text: self.dialect.unescape(text).into_owned(), quoted: false }, price)
    }

    /// Whether text in quotes has every inner quote escaped as the dialect says.
    fn well_quoted(&self, wrapped: &[u8]) -> bool {
        let Some(quote) = self.dialect.quote else { return false };
        if wrapped.len() < 2 {
            return false;
        }
        let inner = &wrapped[1..wrapped.len() - 1];
        let mut at = 0;
        while at < inner.len() {
            if self.dialect.escape == Some(inner[at]) {
                if at + 1 == inner.len() {
                    return false;
                }
                at += 2;
            } else if inner[at] == quote {
                if !self.dialect.double_quote || inner.get(at + 1) != Some(&quote) {
                    return false;
                }
                at += 2;
            } else {
                at += 1;
            }
        }
        true
    }

    /// Where one piece is best cut into cells of two columns, and the price of all of it.
    fn best_split(&self, raw: &[u8], j: usize) -> Option<(usize, f64)> {
        if raw.len() < 2 || raw.len() > LONGEST_SPLIT {
            return None;
        }
        let mut found: Option<(usize, f64)> = None;
        let mut second = f64::INFINITY;
        for cut in 1..raw.len() {
            // Not inside a character.
            if raw[cut] & 0xC0 == 0x80 {
                continue;
            }
            let (left, left_price) = self.cell(&raw[..cut], 1, j);
            let (right, right_price) = self.cell(&raw[cut..], 1, j + 1);
            // `.5` and `5.` are numbers, but not ones that a cut should make.
            let torn = raw[cut - 1] == b'.' || raw[cut] == b'.';
            let price = f64::from(u8::from(torn)) * 1.5
                + left_price
                + right_price
                + self.column_cost(j, &left)
                + self.column_cost(j + 1, &right);
            match found {
                Some((_, best)) if price >= best => second = second.min(price),
                _ => {
                    second = found.map_or(second, |(_, best)| best.min(second));
                    found = Some((cut, price));
                }
            }
        }
        let unsure = if found.is_some_and(|(_, best)| second - best < 0.3) { 1.0 } else { 0.0 };
        // A closing or an opening quote at the cut leaves little doubt.
        let quoted = |at: usize| self.dialect.quote.is_some() && raw.get(at).copied() == self.dialect.quote;
        found.map(|(cut, price)| {
            let seam = quoted(cut) || quoted(cut - 1);
            (cut, price + if seam { 1.0 } else { 2.5 + unsure })
        })
    }
}

/// `text` in quotes whose inner quotes are all escaped by a backslash, unescaped.
fn unescape_backslash(wrapped: &[u8], quote: u8) -> Option<Vec<u8>> {
    let inner = &wrapped[1..wrapped.len() - 1];
    let mut out = Vec::with_capacity(inner.len());
    let mut any = false;
    let mut at = 0;
    while at < inner.len() {
        if inner[at] == b'\\' && matches!(inner.get(at + 1), Some(next) if *next == quote || *next == b'\\') {
            any |= inner[at + 1] == quote;
            at += 1;
        } else if inner[at] == quote {
            return None;
        }
        out.push(inner[at]);
        at += 1;
    }
    any.then_some(out)
}

/// The ranges between delimiters; where several could start, the longest counts.
fn split(text: &[u8], delimiters: &[&[u8]]) -> Vec<(usize, usize)> {
    let mut pieces = Vec::new();
    let mut start = 0;
    if let [one] = delimiters {
        for found in memmem::find_iter(text, one) {
            pieces.push((start, found));
            start = found + one.len();
        }
    } else {
        let mut at = 0;
        while at < text.len() {
            let longest = delimiters.iter().filter(|d| text[at..].starts_with(d)).map(|d| d.len()).max();
            match longest {
                Some(length) => {
                    pieces.push((start, at));
                    at += length;
                    start = at;
                }
                None => at += 1,
            }
        }
    }
    pieces.push((start, text.len()));
    pieces
}
