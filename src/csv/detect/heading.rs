//! Which rows are the header, and what its names are.
//!
//! In: the rows of a sample, the block of them that is the table, the profile of its columns. Out: the header's rows,
//! joined to one name per column, and the reason.

use crate::csv::detect::align::Cell;
use crate::csv::detect::layout::{Block, Layout, Row, typed_columns};
use crate::csv::detect::profile::Profile;
use crate::csv::detect::score::DELIMITERS;
use crate::csv::detect::shape::Shape;
use crate::csv::detect::tokens::{Dialect, Field, Record, trim_blanks};

pub(super) const MOST_HEADER_ROWS: usize = 4;

/// Which rows are the header, and the first row after it.
pub(super) fn header_rows(
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
        // Where all columns are text, only what looks like names can be told from a remark.
        let like_names = typed > 0 || cells.iter().all(|cell| is_name(&cell.text) && cell.text.first() != Some(&b' '));
        let text = &sample[row.start..row.next];
        let remark = ["#", "//", "%", "--"].iter().any(|prefix| text.starts_with(prefix.as_bytes()));
        !rows[start].after_blank && near && like_names && !remark && misfit >= fit
    });
    if names_groups(rows, block) {
        let head = vec![start, start + 1];
        layout.header_reason = format!("lines {}, {}: groups, and names", rows[start].line, rows[start + 1].line);
        let after = repeated(rows, &head, layout);
        return (head, after);
    }
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
        // A header that is repeated as a whole does not recur as a value.
        let others = || rows[start + 1..block.end].iter().filter(|row| !same(row, &rows[start]));
        let repeats = others().count() + 1 < block.end - start;
        let elsewhere =
            |index: usize, cell: &Cell| others().any(|row| row.cells.get(index).is_some_and(|c| c.text == cell.text));
        let known = rows[start].cells.iter().zip(&profile.columns).enumerate().filter(|(index, (cell, column))| {
            let filled = !cell.text.trim_ascii().is_empty();
            filled && column.repeats_value(&cell.text) && (!repeats || elsewhere(*index, cell))
        });
        let known = known.count();
        if known * 2 >= rows[start].filled.max(1) && rows.len() > 2 && rows[start].filled > 0 {
            layout.header_reason = format!("none: the values of line {} recur below it", rows[start].line);
            return (Vec::new(), start);
        }
        layout.header_reason = format!("line {}: every column is text, the first row is taken", rows[start].line);
        let mut head = vec![start];
        if rows.get(start + 1).is_some_and(|row| row.width() == block.width && is_units(row)) {
            head.push(start + 1);
        }
        let after = repeated(rows, &head, layout);
        return (head, after);
    }
    if !start_is_header && fit > misfit {
        layout.header_reason = format!("none: line {} fits the types of the columns", rows[start].line);
        return (Vec::new(), start);
    }
    let mut head = vec![start];
    let mut next = start + 1;
    while next < block.end.saturating_sub(1) && head.len() < MOST_HEADER_ROWS {
        let row = &rows[next];
        if row.filled == 0 || row.ruling {
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
    if let Some(ruling) = rows.get(next).filter(|row| row.ruling && layout.width > 1 && next + 1 < rows.len()) {
        layout.ruling = Some(ruling.line);
        next += 1;
    }
    while layout.width > 1 && rows.get(next).is_some_and(|row| row.filled == 0) && next + 1 < rows.len() {
        next += 1;
    }
    while rows.get(next).is_some_and(|row| same(row, &rows[last])) && next + 1 < rows.len() {
        layout.repeated_header = Some(rows[next].line);
        next += 1;
    }
    next
}

/// Whether the block's first row names groups of columns, once for each group, above the names themselves.
pub(super) fn names_groups(rows: &[Row], block: Block) -> bool {
    let [groups, names, ..] = &rows[block.start..block.end] else { return false };
    let named = |row: &Row| row.cells.iter().filter(|cell| !cell.text.is_empty()).all(|cell| is_name(&cell.text));
    let apart = groups.cells.iter().rposition(|cell| !cell.text.trim_ascii().is_empty()) >= Some(2);
    block.width >= 4
        && groups.width() == block.width
        && names.width() == block.width
        && !names.after_blank
        && groups.filled >= 2
        && groups.filled < block.width
        && names.filled == block.width
        && apart
        && named(groups)
        && named(names)
}

/// Whether every cell is a remark in brackets.
fn is_units(row: &Row) -> bool {
    let bracketed = |cell: &Cell| {
        let text = cell.text.trim_ascii();
        matches!((text.first(), text.last()), (Some(b'('), Some(b')')) | (Some(b'['), Some(b']')))
    };
    row.filled >= 2 && row.cells.iter().all(|cell| cell.text.trim_ascii().is_empty() || bracketed(cell))
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
pub(super) fn detach(header: &mut Vec<Cell>, profile: &Profile, width: usize) -> Option<Vec<Cell>> {
    if width < 2 || !(header.len() == 2 * width || header.len() == 2 * width - 1) {
        return None;
    }
    let whole = header.clone();
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
    *header = whole;
    None
}

/// The cells of a row; by another delimiter if only that gives the right width.
fn recut(sample: &[u8], row: &Row, width: usize, dialect: &Dialect) -> Vec<Cell> {
    if row.width() == width {
        return row.cells.clone();
    }
    let text = &sample[row.start..row.next];
    // Few words divided by blanks are a remark rather than names.
    let strong = |prior: f64| prior > 0.9 || width > 3;
    for (delimiter, _) in DELIMITERS.iter().filter(|(d, prior)| d.as_bytes() != dialect.delimiter && strong(*prior)) {
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
pub(super) fn join(rows: &[Row], head: &[usize], width: usize, sample: &[u8], dialect: &Dialect) -> Vec<Cell> {
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
