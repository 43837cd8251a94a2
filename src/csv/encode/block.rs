//! Rows side by side while they are being written column by column.
//!
//! In: for each row an upper bound of its length; then the columns' texts, each appended to all rows in turn. Out: the
//! rows, one after the other. A column is thus one tight loop over values of one type, and yet the text comes out by rows.

use super::dialect::{Dialect, Short};
use super::digits::{ROOM, store};

/// Rows in a block at most: their text should stay in the first cache.
pub(super) const ROWS: usize = 256;

/// Bytes of bounds in a block beyond which it gets fewer rows.
const LARGE: usize = 1 << 20;

/// The rows of one block.
#[derive(Default)]
pub(super) struct Block {
    text: Vec<u8>,
    starts: Vec<usize>,
    ends: Vec<usize>,
}

impl Block {
    /// Begins with as many rows as fit, at least one, whose lengths are at most `bounds`. Returns their number.
    pub fn begin(&mut self, bounds: &[usize]) -> usize {
        self.starts.clear();
        let mut at = 0;
        for bound in bounds {
            if at > LARGE {
                break;
            }
            self.starts.push(at);
            // Words stored at a row's end reach into no other row.
            at += bound + ROOM;
        }
        self.ends.clone_from(&self.starts);
        if self.text.len() < at {
            self.text.resize(at, 0);
        } else if self.text.len() > 8 * LARGE.max(at) {
            self.text.truncate(at);
            self.text.shrink_to_fit();
        }
        self.starts.len()
    }

    /// Appends to every row what `write` puts into the buffer at the position it is given; it returns the new position.
    #[inline(always)]
    pub fn each_row(&mut self, mut write: impl FnMut(&mut [u8], usize, usize) -> usize) {
        let text = self.text.as_mut_slice();
        for (row, end) in self.ends.iter_mut().enumerate() {
            *end = write(text, *end, row);
        }
    }

    /// Appends the rows to `out`.
    pub fn finish(&self, out: &mut Vec<u8>) {
        for (start, end) in self.starts.iter().zip(&self.ends) {
            out.extend_from_slice(&self.text[*start..*end]);
        }
    }
}

#[inline(always)]
pub(super) fn put_short(buf: &mut [u8], at: usize, short: &Short) -> usize {
    store(buf, at, short.bytes);
    at + short.len
}

#[inline(always)]
pub(super) fn put(buf: &mut [u8], at: usize, text: &[u8]) -> usize {
    buf[at..at + text.len()].copy_from_slice(text);
    at + text.len()
}

/// Puts the opening quote and `text`, its quotes escaped; the closing one is the tail's. Room for twice the text is enough.
pub(super) fn put_quoted(buf: &mut [u8], at: usize, dialect: &Dialect, text: &[u8]) -> usize {
    let Some(quote) = dialect.quote else { return put(buf, at, text) };
    let mut at = put(buf, at, &[quote]);
    let mut rest = text;
    while let Some(next) = memchr::memchr2(quote, dialect.escape, rest) {
        at = put(buf, at, &rest[..next]);
        at = put(buf, at, &[dialect.escape, rest[next]]);
        rest = &rest[next + 1..];
    }
    put(buf, at, rest)
}

/// Copies a piece of `source` in whole words, as long as there are bytes behind it.
#[inline(always)]
pub(super) fn put_range(buf: &mut [u8], at: usize, source: &[u8], start: usize, end: usize) -> usize {
    let len = end - start;
    if end + 16 > source.len() {
        return put(buf, at, &source[start..end]);
    }
    let mut done = 0;
    while done < len {
        let word = source[start + done..].first_chunk::<16>();
        store(buf, at + done, word.copied().unwrap_or_default());
        done += 16;
    }
    at + len
}
