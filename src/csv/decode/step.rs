//! [`Step`]: some rows of a text, and where their fields are; as many as the caches hold.
//!
//! In: what the scanner found. Out: each column's fields, one after the other.

use std::ops::Range;

use crate::csv::dialect::Dialect;
use crate::csv::simd::Classify;

/// Rows of a text whose field ends are known.
pub(super) struct Step<'a> {
    /// The text, and at least 64 bytes after it.
    pub text: &'a [u8],
    /// The dialect of the text, of a kind that needs no more than quote and delimiter.
    pub dialect: &'a Dialect,
    /// One position before the first field, then the end of each field: `rows * width + 1` in all.
    pub ends: &'a [u32],
    pub rows: usize,
    pub width: usize,
}

impl Step<'_> {
    /// Start and end of one field after the other in a column.
    #[inline(always)]
    pub(super) fn fields(&self, field: usize) -> impl Iterator<Item = (usize, usize)> {
        (0..self.rows).map(move |row| self.field(row, field))
    }

    /// Start and end of a field. A `\r` before the line end is no part of the last one.
    #[inline(always)]
    pub(super) fn field(&self, row: usize, field: usize) -> (usize, usize) {
        let at = row * self.width + field;
        let (start, mut end) = (self.ends[at].wrapping_add(1) as usize, self.ends[at + 1] as usize);
        if field + 1 == self.width && end > start && self.text[end - 1] == b'\r' {
            end -= 1;
        }
        (start, end)
    }

    /// The 64 bytes from behind the quote at `start` on, if the next special byte is the quote that ends the field.
    #[inline(always)]
    pub(super) fn plain_within<C: Classify>(&self, start: usize, end: usize) -> Option<&[u8; 64]> {
        let block = self.text.get(start + 1..)?.first_chunk()?;
        let special = |byte: Option<u8>| byte.map_or(0, |byte| C::equal(block, byte));
        let first = (special(self.dialect.quote) | special(self.dialect.escape)).trailing_zeros() as usize;
        (first < 64 && start + 2 + first == end && Some(block[first]) == self.dialect.quote).then_some(block)
    }

    /// The bytes of one row, without its line end.
    pub(super) fn row(&self, row: usize) -> Range<usize> {
        let start = self.ends[row * self.width].wrapping_add(1) as usize;
        let end = self.ends[(row + 1) * self.width] as usize;
        start..if end > start && self.text[end - 1] == b'\r' { end - 1 } else { end }
    }
}

/// A field that does not parse: the row within the step, and the value.
pub(super) struct BadField {
    pub row: usize,
    pub value: Vec<u8>,
    pub quoted: bool,
}
