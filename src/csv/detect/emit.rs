//! Rows written out as canonical CSV.
//!
//! In: cells. Out: text in the buffer of a [`Repaired`], and counts in its report.

use crate::csv::detect::align::Cell;
use crate::csv::detect::repair::Repaired;
use crate::csv::detect::report::{Repair, RepairReport};

impl Repaired {
    pub(super) fn write_header(&mut self) {
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

    pub(super) fn give(&mut self, cells: &[Cell], repairs: &[Repair], line: u64) {
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
}

pub(super) fn write_blank_rows(out: &mut Vec<u8>, blank_rows: &mut u64, report: &mut RepairReport) {
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

pub(super) fn write_field(
    out: &mut Vec<u8>,
    text: &[u8],
    quoted: bool,
    keep_quotes: bool,
    first: bool,
    comment: Option<&str>,
) {
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
