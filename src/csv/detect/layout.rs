//! Where in a sample the table is: its width, its header rows, its first data row.
//!
//! In: a sample and the dialect in force. Out: [`Layout`]. Everything above the header is preamble. Decisions rest on
//! rows of even width and on the shapes of columns; what is decided is told with its reason.

use std::collections::HashMap;

use crate::csv::detect::align::Cell;
use crate::csv::detect::heading::{MOST_HEADER_ROWS, detach, header_rows, join, names_groups};
use crate::csv::detect::profile::Profile;
use crate::csv::detect::tokens::{Dialect, Record, is_ruling, trim_blanks};
use crate::options::Header;

/// More rows than this are not looked at to find the table.
const MOST_ROWS: usize = 20_000;

/// One record of the sample.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub cells: Vec<Cell>,
    /// How many cells are not blank.
    pub filled: usize,
    pub start: usize,
    pub next: usize,
    pub line: u64,
    pub after_blank: bool,
    /// Only dashes and the like.
    pub ruling: bool,
}

impl Row {
    pub fn width(&self) -> usize {
        self.cells.len()
    }

    /// Whether a blank follows each delimiter, as in a sentence; rows of a table all do so, or none.
    fn is_prose(&self) -> bool {
        let blank = |cell: &Cell| !cell.quoted && cell.text.len() > 1 && cell.text[0] == b' ';
        self.cells.len() > 1 && self.cells[1..].iter().all(blank)
    }
}

/// The table in a sample.
#[derive(Debug, Clone, Default)]
pub(crate) struct Layout {
    pub width: usize,
    /// How wide most rows are: less than `width` where the header is wider.
    pub usual: usize,
    /// The header's cells, joined; `None` where there is no header.
    pub header: Option<Vec<Cell>>,
    pub header_lines: Vec<u64>,
    pub header_reason: String,
    /// How sure that is, 0.5 to 1.
    pub header_score: f64,
    pub repeated_header: Option<u64>,
    /// The line of dashes under the header.
    pub ruling: Option<u64>,
    /// A first data row that stood on the header's line.
    pub first_row: Option<Vec<Cell>>,
    pub preamble: Vec<(u64, String)>,
    /// Byte and line of the first data row.
    pub data_start: usize,
    pub data_line: u64,
    pub profile: Profile,
    /// Whether blanks next to delimiters belong to them.
    pub strip: bool,
    /// What preamble lines show to be the prefix of comments.
    pub comment: Option<String>,
    /// The part of the table's rows in the sample that are regular.
    pub regular: f64,
}

/// Reads the records of a sample.
pub(crate) fn rows(
    sample: &[u8],
    complete: bool,
    dialect: &Dialect,
    comment: Option<&str>,
    first_line: u64,
) -> (Vec<Row>, bool) {
    let mut record = Record::default();
    let mut rows = Vec::new();
    let (mut at, mut line, mut after_blank) = (0, first_line, false);
    let (mut led, mut trailed, mut inner) = (0_usize, 0_usize, 0_usize);
    while at < sample.len() && rows.len() < MOST_ROWS && dialect.read_safe(sample, at, complete, &mut record) {
        let is_comment = comment.is_some_and(|prefix| sample[at..record.end].starts_with(prefix.as_bytes()));
        if record.is_blank(sample) {
            after_blank = true;
        } else if !is_comment {
            let count = record.fields.len();
            for (index, field) in record.fields.iter().enumerate() {
                let raw = &sample[field.start..field.end];
                if trim_blanks(raw).is_empty() {
                    continue;
                }
                inner += usize::from(index > 0);
                led += usize::from(index > 0 && raw.first() == Some(&b' '));
                trailed += usize::from(index + 1 < count && raw.last() == Some(&b' '));
            }
            let cells: Vec<Cell> = record
                .fields
                .iter()
                .map(|field| Cell { text: dialect.value(sample, *field).into_owned(), quoted: field.quoted })
                .collect();
            let filled = cells.iter().filter(|cell| !cell.text.trim_ascii().is_empty()).count();
            let ruling = is_ruling(&sample[at..record.end]);
            rows.push(Row { cells, filled, start: at, next: record.next, line, after_blank, ruling });
            after_blank = false;
        }
        line += record.lines;
        at = record.next;
    }
    let blanks = led.max(trailed) * 10 >= inner * 9 || aligned(&rows);
    let strip = inner > 2 && dialect.delimiter[0] != b' ' && blanks;
    if strip {
        for row in &mut rows {
            for cell in row.cells.iter_mut().filter(|cell| !cell.quoted) {
                cell.text = trim_blanks(&cell.text).to_vec();
            }
        }
    }
    (rows, strip)
}

/// Whether blanks bring the cells of each column to one length.
fn aligned(rows: &[Row]) -> bool {
    let mut counts: HashMap<usize, usize> = HashMap::new();
    for row in rows {
        *counts.entry(row.width()).or_default() += 1;
    }
    let Some((width, count)) = counts.into_iter().max_by_key(|(width, count)| (*count, *width)) else { return false };
    if width < 2 || count < 3 {
        return false;
    }
    let rows = || rows.iter().filter(|row| row.width() == width);
    let mut padded = 0;
    // The last column is often left as it is.
    for column in 0..width - 1 {
        let mut lengths: HashMap<usize, usize> = HashMap::new();
        for row in rows() {
            let text = &row.cells[column].text;
            *lengths.entry(String::from_utf8_lossy(text).chars().count()).or_default() += 1;
            padded += usize::from(trim_blanks(text).len() < text.len());
        }
        if lengths.values().max().is_none_or(|most| most * 20 < count * 19) {
            return false;
        }
    }
    padded * 4 >= count * (width - 1)
}

/// A stretch of rows of even width.
#[derive(Debug, Clone, Copy)]
pub(super) struct Block {
    pub start: usize,
    pub end: usize,
    pub width: usize,
    pub regular: usize,
}

fn blocks(rows: &[Row]) -> Vec<Block> {
    let mut found = Vec::new();
    let mut i = 0;
    while i < rows.len() {
        let width = rows[i].width();
        let window = &rows[i..(i + 10).min(rows.len())];
        let same = window.iter().filter(|row| row.width() == width).count();
        if width < 2 || same < 2 || (same * 2 < window.len() && same < 4) {
            i += 1;
            continue;
        }
        let mut block = Block { start: i, end: i + 1, width, regular: 1 };
        let mut misses = 0;
        for (j, row) in rows.iter().enumerate().skip(i + 1) {
            if row.width() == width {
                block.end = j + 1;
                block.regular += 1;
                misses = 0;
                continue;
            }
            misses += 1;
            let recent = &rows[j + 1 - misses..=j];
            let settled = misses >= 5 && recent[misses - 3..].iter().all(|other| other.width() == row.width());
            if settled || misses > 24 {
                break;
            }
        }
        i = block.end;
        found.push(block);
    }
    found
}

fn profile_of(rows: &[Row], block: Block) -> Profile {
    let mut profile = Profile::default();
    let length = block.end - block.start;
    let head = if length <= 2 { length.min(1) } else { (length / 3).clamp(1, 5) };
    let learn = |profile: &mut Profile, from: usize| {
        for row in &rows[from..block.end] {
            if row.width() == block.width && row.filled > 0 {
                profile.add(&row.cells);
            }
        }
    };
    learn(&mut profile, block.start + head);
    profile.columns.resize_with(block.width, Default::default);
    profile.settle();
    profile
}

pub(super) fn typed_columns(profile: &Profile) -> usize {
    profile.columns.iter().filter(|column| column.typed().is_some()).count()
}

/// Whether a small block above a larger one is a table of its own rather than a list of remarks.
fn is_table(rows: &[Row], block: Block) -> bool {
    if block.regular < 3 {
        return false;
    }
    let profile = profile_of(rows, block);
    let typed = typed_columns(&profile);
    let (fit, misfit) = profile.typed_fit(&rows[block.start].cells);
    let headed = misfit > 0 && misfit > fit;
    let full = rows[block.start..block.end].iter().filter(|row| row.filled * 2 >= block.width).count();
    let filled = full * 4 >= (block.end - block.start) * 3;
    filled && ((typed > 0 && headed) || (block.regular >= 4 && block.width >= 3))
}

fn pick(rows: &[Row]) -> Block {
    let mut found = blocks(rows);
    // Remarks that happen to have the same number of commas are no table.
    let prose = |block: &Block| {
        let mut even = rows[block.start..block.end].iter().filter(|row| row.width() == block.width);
        even.all(Row::is_prose)
    };
    if found.iter().any(|block| !prose(block)) {
        found.retain(|block| !prose(block));
    }
    let largest = found.iter().map(|block| block.regular).max().unwrap_or(0);
    let chosen = found.iter().find(|block| block.regular * 2 >= largest || is_table(rows, **block)).copied();
    chosen.unwrap_or_else(|| {
        let mut counts: HashMap<usize, usize> = HashMap::new();
        for row in rows {
            *counts.entry(row.width()).or_default() += 1;
        }
        let width = counts.iter().max_by_key(|(width, count)| (**count, **width)).map_or(1, |(width, _)| *width);
        let start = rows.iter().position(|row| row.width() == width).unwrap_or(0);
        let regular = counts.get(&width).copied().unwrap_or(0);
        Block { start, end: rows.len(), width, regular }
    })
}

/// Where rows of another table begin inside a block, filled up to its width; or the block's end.
fn change(rows: &[Row], block: Block) -> usize {
    let first = block.start + MOST_HEADER_ROWS;
    let mut profile = Profile::default();
    for (index, row) in rows.iter().enumerate().take(block.end).skip(block.start + 1) {
        if row.width() != block.width || row.filled == 0 {
            continue;
        }
        if index > first + 2 {
            let strange = |row: &Row| {
                let (fit, misfit) = profile.typed_fit(&row.cells);
                misfit >= 2 && fit == 0
            };
            let narrow = |row: &Row| row.filled >= 2 && row.filled * 2 < block.width;
            let next = rows[index..block.end].iter().take(4);
            if next.len() == 4 && next.clone().all(|row| narrow(row) && strange(row)) {
                return index;
            }
        }
        if row.after_blank && index >= block.start + 3 && row.filled * 2 > block.width {
            let (fit, misfit) = profile.typed_fit(&row.cells);
            if misfit > 0 && fit == 0 {
                return index;
            }
        }
        profile.add(&row.cells);
    }
    block.end
}

/// Finds the first table of the sample.
pub(crate) fn find(sample: &[u8], rows: &[Row], strip: bool, dialect: &Dialect, header: Header, line: u64) -> Layout {
    let mut layout = Layout { strip, data_line: line, ..Layout::default() };
    if rows.is_empty() {
        layout.data_start = sample.len();
        layout.header_reason = "the input is empty".to_owned();
        return layout;
    }
    let mut block = pick(rows);
    block.end = change(rows, block);
    (layout.width, layout.usual) = (block.width, block.width);
    layout.profile = profile_of(rows, block);
    layout.regular = block.regular as f64 / (block.end - block.start).max(1) as f64;
    let whole = block;
    // Several sentences above rows that are none; a single one may be the header.
    let sentences = rows[block.start..block.end].iter().take_while(|row| row.is_prose()).count();
    if sentences >= 2 && sentences * 2 < block.end - block.start {
        block.start += sentences;
    }
    while block.end - block.start > 2 {
        let (row, text) = (&rows[block.start], &sample[rows[block.start].start..]);
        let marked = ["#", "%", "--"].iter().any(|prefix| text.starts_with(prefix.as_bytes()));
        if text.starts_with(b"//") || (marked && row.is_prose()) {
            block.start += 1;
        } else {
            break;
        }
    }
    // Remarks that were padded with delimiters to the table's width.
    while block.end - block.start > 2 && block.width >= 3 {
        let row = &rows[block.start];
        let (fit, _) = layout.profile.typed_fit(&row.cells);
        if row.filled * 3 < block.width.max(4) && row.filled <= 2 && fit == 0 && !names_groups(rows, block) {
            block.start += 1;
        } else {
            break;
        }
    }
    if block.start > whole.start {
        layout.profile = profile_of(rows, block);
    }
    layout.header_score = 1.0;
    let (head, after) = match header {
        Header::Absent => {
            layout.header_reason = "none: given".to_owned();
            (Vec::new(), block.start)
        }
        Header::Row(number) => {
            let index = (number as usize - 1).min(rows.len() - 1);
            layout.header_reason = "given".to_owned();
            (vec![index], index + 1)
        }
        Header::Present | Header::Auto => header_rows(rows, block, &mut layout, sample, dialect),
    };
    layout.header_lines = head.iter().map(|index| rows[*index].line).collect();
    if !head.is_empty() {
        let mut joined = join(rows, &head, layout.width, sample, dialect);
        if let [_] = head[..] {
            layout.first_row = detach(&mut joined, &layout.profile, layout.width);
        }
        layout.width = layout.width.max(joined.len());
        layout.profile.columns.resize_with(layout.width, Default::default);
        layout.header = Some(joined);
    }
    let first = head.first().copied().unwrap_or(after);
    layout.preamble = rows[..first]
        .iter()
        .map(|row| {
            let text = String::from_utf8_lossy(&sample[row.start..row.next]);
            (row.line, text.trim_end_matches(['\n', '\r']).chars().take(200).collect())
        })
        .collect();
    for prefix in ["#", "//", "%", "--"] {
        if layout.preamble.iter().any(|(_, text)| text.starts_with(prefix)) {
            layout.comment = Some(prefix.to_owned());
        }
    }
    match rows.get(after) {
        Some(row) => (layout.data_start, layout.data_line) = (row.start, row.line),
        None => {
            let last = &rows[rows.len() - 1];
            (layout.data_start, layout.data_line) = (last.next, last.line + 1);
        }
    }
    layout
}
