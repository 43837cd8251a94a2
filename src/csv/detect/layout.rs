//! Where in a sample the table is: its width, its header rows, its first data row.
//!
//! In: a sample and the dialect in force. Out: [`Layout`]. Everything above the header is preamble. Decisions rest on
//! rows of even width and on the shapes of columns; what is decided is told with its reason.

use std::collections::HashMap;

use crate::csv::detect::align::Cell;
use crate::csv::detect::profile::Profile;
use crate::csv::detect::score::DELIMITERS;
use crate::csv::detect::shape::Shape;
use crate::csv::detect::tokens::{Dialect, Field, Record, trim_blanks};
use crate::options::Header;

/// More rows than this are not looked at to find the table.
const MOST_ROWS: usize = 20_000;
const MOST_HEADER_ROWS: usize = 4;

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
}

impl Row {
    fn width(&self) -> usize {
        self.cells.len()
    }
}

/// The table in a sample.
#[derive(Debug, Clone, Default)]
pub(crate) struct Layout {
    pub width: usize,
    /// The header's cells, joined; `None` where there is no header.
    pub header: Option<Vec<Cell>>,
    pub header_lines: Vec<u64>,
    pub header_reason: String,
    /// How sure that is, 0.5 to 1.
    pub header_score: f64,
    pub repeated_header: Option<u64>,
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
            rows.push(Row { cells, filled, start: at, next: record.next, line, after_blank });
            after_blank = false;
        }
        line += record.lines;
        at = record.next;
    }
    let strip = inner > 2 && dialect.delimiter[0] != b' ' && led.max(trailed) * 10 >= inner * 9;
    if strip {
        for row in &mut rows {
            for cell in row.cells.iter_mut().filter(|cell| !cell.quoted) {
                cell.text = trim_blanks(&cell.text).to_vec();
            }
        }
    }
    (rows, strip)
}

/// A stretch of rows of even width.
#[derive(Debug, Clone, Copy)]
struct Block {
    start: usize,
    end: usize,
    width: usize,
    regular: usize,
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

fn typed_columns(profile: &Profile) -> usize {
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
    let found = blocks(rows);
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
    layout.width = block.width;
    layout.profile = profile_of(rows, block);
    layout.regular = block.regular as f64 / (block.end - block.start).max(1) as f64;
    // Remarks that were padded with delimiters to the table's width.
    let whole = block;
    while block.end - block.start > 2 && block.width >= 3 {
        let row = &rows[block.start];
        let (fit, _) = layout.profile.typed_fit(&row.cells);
        if row.filled * 3 < block.width.max(4) && row.filled <= 2 && fit == 0 {
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

/// Which rows are the header, and the first row after it.
fn header_rows(
    rows: &[Row],
    block: Block,
    layout: &mut Layout,
    sample: &[u8],
    dialect: &Dialect,
) -> (Vec<usize>, usize) {
    let profile = &layout.profile;
    let typed = typed_columns(profile);
    let start = block.start;
    // A header that was damaged, or that is narrower or wider than the data, stands right above the block.
    let above = start.checked_sub(1).filter(|index| {
        let row = &rows[*index];
        let cells = recut(sample, row, block.width, dialect);
        let width = cells.len();
        let filled = cells.iter().filter(|cell| !cell.text.trim_ascii().is_empty()).count();
        let names = width < block.width && filled >= 3 && cells.iter().all(|cell| is_name(&cell.text));
        let near = names || width * 10 >= block.width * 6 && filled >= 2 && filled * 2 >= block.width;
        let (fit, misfit) = profile.typed_fit(&cells);
        !rows[start].after_blank && near && (misfit >= fit)
    });
    let judge = |index: usize| profile.typed_fit(&rows[index].cells);
    let years = |index: usize| ascending(&rows[index].cells);
    let (fit, misfit) = judge(start);
    let start_is_header = misfit > 0 && misfit >= fit || (years(start) && misfit + fit > 0);
    let header_score = match fit + misfit {
        0 => 0.5,
        sum => 0.5 + 0.5 * (fit.abs_diff(misfit) as f64 / sum as f64) * (1.0 - 0.5 / sum as f64),
    };
    layout.header_score = header_score;
    if let Some(above) = above
        && (!start_is_header || typed == 0)
    {
        layout.header_reason = format!("line {}: above the first row that fits the columns", rows[above].line);
        return (vec![above], start);
    }
    if typed == 0 {
        let known = rows[start]
            .cells
            .iter()
            .zip(&profile.columns)
            .filter(|(cell, column)| !cell.text.trim_ascii().is_empty() && column.repeats_value(&cell.text));
        let known = known.count();
        if known * 2 >= rows[start].filled.max(1) && rows.len() > 2 && rows[start].filled > 0 {
            layout.header_reason = format!("none: the values of line {} recur below it", rows[start].line);
            return (Vec::new(), start);
        }
        layout.header_reason = format!("line {}: every column is text, the first row is taken", rows[start].line);
        return (vec![start], repeated(rows, &[start], layout));
    }
    if !start_is_header && fit > misfit {
        layout.header_reason = format!("none: line {} fits the types of the columns", rows[start].line);
        return (Vec::new(), start);
    }
    let mut head = vec![start];
    let mut next = start + 1;
    while next < block.end.saturating_sub(1) && head.len() < MOST_HEADER_ROWS {
        let row = &rows[next];
        if row.filled == 0 {
            next += 1;
            continue;
        }
        let (fit, misfit) = judge(next);
        let enough = misfit >= 2 || typed == 1 || misfit * 2 >= typed || misfit == row.filled;
        let strange = profile.mean_cost(&row.cells) > 1.5;
        if row.width() != block.width || fit > 0 || misfit == 0 || !enough || !strange || row.after_blank {
            break;
        }
        if same(row, &rows[start]) {
            break;
        }
        head.push(next);
        next += 1;
    }
    if let Some(above) = above
        && (rows[above].width() == block.width || rows[above].filled + 1 >= block.width)
    {
        head.insert(0, above);
    }
    let lines: Vec<String> = head.iter().map(|index| rows[*index].line.to_string()).collect();
    layout.header_reason = format!("line {}: does not fit the types of the columns below", lines.join(", "));
    let after = repeated(rows, &head, layout);
    (head, after)
}

/// The row after the header, past one that only repeats it.
fn repeated(rows: &[Row], head: &[usize], layout: &mut Layout) -> usize {
    let last = head[head.len() - 1];
    let mut next = last + 1;
    while layout.width > 1 && rows.get(next).is_some_and(|row| row.filled == 0) && next + 1 < rows.len() {
        next += 1;
    }
    while rows.get(next).is_some_and(|row| same(row, &rows[last])) && next + 1 < rows.len() {
        layout.repeated_header = Some(rows[next].line);
        next += 1;
    }
    next
}

/// Short enough, and without a sentence in it.
fn is_name(cell: &[u8]) -> bool {
    cell.len() <= 40 && cell.split(|byte| *byte == b' ').count() <= 3 && !Shape::of(cell).is_typed()
}

fn same(a: &Row, b: &Row) -> bool {
    a.width() == b.width() && a.cells.iter().zip(&b.cells).all(|(a, b)| a.text.trim_ascii() == b.text.trim_ascii())
}

/// Years or other numbers that count up are names, not values.
fn ascending(cells: &[Cell]) -> bool {
    let numbers: Vec<Option<i64>> = cells
        .iter()
        .map(|cell| std::str::from_utf8(cell.text.trim_ascii()).ok().and_then(|text| text.parse().ok()))
        .collect();
    let steps = numbers.windows(2).filter(|pair| matches!(pair, [Some(a), Some(b)] if a.checked_add(1) == Some(*b)));
    let count = numbers.iter().flatten().count();
    let first = cells.first().is_some_and(|cell| !cell.text.trim_ascii().is_empty());
    count >= 3 && steps.count() + 1 == count && numbers[0].is_none() && first
}

/// Cuts a data row off a header that lacks its line end.
fn detach(header: &mut Vec<Cell>, profile: &Profile, width: usize) -> Option<Vec<Cell>> {
    if width < 2 || !(header.len() == 2 * width || header.len() == 2 * width - 1) {
        return None;
    }
    let mut row = header.split_off(width);
    if row.len() < width {
        // The last name and the first value are one cell: cut it where the value looks like its column.
        let seam = header[width - 1].text.clone();
        let cost = |cut: &usize| profile.columns[0].cost(&seam[*cut..]);
        let cut = (1..seam.len()).filter(|cut| seam[*cut] & 0xC0 != 0x80).min_by(|a, b| cost(a).total_cmp(&cost(b)))?;
        header[width - 1].text.truncate(cut);
        row.insert(0, Cell { text: seam[cut..].to_vec(), quoted: false });
    }
    let (fit, misfit) = profile.typed_fit(&row);
    if fit > misfit {
        return Some(row);
    }
    header.append(&mut row);
    None
}

/// The cells of a row; by another delimiter if only that gives the right width.
fn recut(sample: &[u8], row: &Row, width: usize, dialect: &Dialect) -> Vec<Cell> {
    if row.width() == width {
        return row.cells.clone();
    }
    let text = &sample[row.start..row.next];
    for (delimiter, _) in DELIMITERS.iter().filter(|(d, _)| d.as_bytes() != dialect.delimiter) {
        let other = Dialect { delimiter: delimiter.as_bytes().to_vec(), ..dialect.clone() };
        let mut record = Record::default();
        if other.read_safe(text, 0, true, &mut record) && record.fields.len() == width {
            let cell = |field: &Field| Cell { text: other.value(text, *field).into_owned(), quoted: field.quoted };
            return record.fields.iter().map(cell).collect();
        }
    }
    row.cells.clone()
}

/// Names that all have a blank before them, or quotes of another kind around them, lose these.
fn unwrap_names(cells: &mut [Cell]) {
    let led = cells.iter().skip(1).all(|cell| !cell.quoted && cell.text.first().is_none_or(|byte| *byte == b' '));
    if led && cells.len() > 2 {
        for cell in cells.iter_mut() {
            cell.text = trim_blanks(&cell.text).to_vec();
        }
    }
    for quote in [b'\'', b'"'] {
        let wrapped = |cell: &Cell| {
            let text = &cell.text;
            text.len() > 1 && text.first() == Some(&quote) && text.last() == Some(&quote) && !cell.quoted
        };
        if cells.iter().all(|cell| cell.text.is_empty() || wrapped(cell)) {
            for cell in cells.iter_mut().filter(|cell| !cell.text.is_empty()) {
                cell.text = cell.text[1..cell.text.len() - 1].to_vec();
                cell.quoted = true;
            }
        }
    }
}

/// The header's cells: those of several rows joined with a space, one per column.
fn join(rows: &[Row], head: &[usize], width: usize, sample: &[u8], dialect: &Dialect) -> Vec<Cell> {
    let mut joined: Vec<Cell> = vec![Cell::default(); width];
    for index in head {
        let mut cells = recut(sample, &rows[*index], width, dialect);
        let filled = cells.iter().filter(|cell| !cell.text.trim_ascii().is_empty()).count();
        if cells.len() > width && filled == width {
            cells.retain(|cell| !cell.text.trim_ascii().is_empty());
        }
        while cells.len() > width && cells.last().is_some_and(|cell| cell.text.trim_ascii().is_empty()) {
            cells.pop();
        }
        unwrap_names(&mut cells);
        if cells.len() > joined.len() {
            joined.resize_with(cells.len(), Cell::default);
        }
        for (name, cell) in joined.iter_mut().zip(cells) {
            if head.len() == 1 {
                *name = cell;
                continue;
            }
            let text = cell.text.trim_ascii();
            if !name.text.is_empty() && !text.is_empty() {
                name.text.push(b' ');
            }
            name.text.extend_from_slice(text);
        }
    }
    joined
}
