//! Structure, 64 bytes at a time: which bytes are delimiters, line ends and quotes, and which lie in quotes.
//!
//! In: text that starts at a record's start and a delimiter and quote byte. Out: record ends counted
//! ([`Scanner::scan`]) or positions of all field ends ([`Scanner::index`]). It knows the rules of ordinary CSV
//! only: where it meets a quote that opens in the middle of a field, text after a closing quote, or a `\r` that is
//! no part of `\r\n`, it stops and says so, and the exact tokenizer takes over from the start of that record.
//!
//! Whether a byte lies in quotes is the parity of the quotes before it: a prefix sum without carry over the bits
//! of the quote mask. That is exact as long as every quote that opens follows a delimiter, a line end, or a quote
//! (a doubled one), and every quote that closes is followed by one; both are checked with a shift and a mask.
//!
//! Which form of the work runs is for [`best`] to say.

use crate::csv::simd::{Classify, Kernel, best};

/// One bit per byte of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Masks {
    quote: u64,
    delimiter: u64,
    line_feed: u64,
    carriage_return: u64,
}

impl Masks {
    #[inline(always)]
    fn of<C: Classify>(block: &[u8; 64], delimiter: u8, quote: u8) -> Masks {
        Masks {
            quote: C::equal(block, quote),
            delimiter: C::equal(block, delimiter),
            line_feed: C::equal(block, b'\n'),
            carriage_return: C::equal(block, b'\r'),
        }
    }
}

/// The bytes that matter.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Structure {
    pub delimiter: u8,
    pub quote: Option<u8>,
}

/// Where a pass over the text stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// All text was seen.
    End,
    /// As much was found as was asked for.
    Full,
    /// Something that only the exact rules can judge.
    Odd,
}

/// The state between blocks. It begins at a record's start.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scanner {
    structure: Structure,
    /// The next byte to look at.
    pub at: usize,
    /// All ones if that byte lies in quotes.
    inside: u64,
    /// Whether a quote may open at that byte.
    may_open: u64,
    /// Whether the byte before is a quote that closed.
    closed: u64,
    /// Whether the byte before is a `\r` outside quotes.
    after_return: u64,
    /// Line feeds passed by [`index`](Scanner::index), in quotes or not.
    line_feeds: u64,
    /// Line feeds passed by it that end a record.
    pub record_ends: u64,
    /// Not zero if a `\r` was passed in quotes.
    quoted_returns: u64,
}

/// What [`Scanner::scan`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scanned {
    pub stop: Stop,
    /// Record ends found in this call.
    pub records: usize,
    /// Offset after the last record end found, if there was one.
    pub last_end: Option<usize>,
}

impl Scanner {
    /// A scanner at the start of a record.
    pub(crate) fn new(structure: Structure, at: usize) -> Scanner {
        Scanner {
            structure,
            at,
            inside: 0,
            may_open: 1,
            closed: 0,
            after_return: 0,
            line_feeds: 0,
            record_ends: 0,
            quoted_returns: 0,
        }
    }

    /// Counts record ends in `text[self.at..]`, at most `limit` of them, and stops after that one.
    ///
    /// `self.at` moves forward by whole blocks: unless `complete`, the last bytes wait for more text.
    pub(crate) fn scan(&mut self, text: &[u8], limit: usize, complete: bool) -> Scanned {
        best(Scan { scanner: self, text, limit, complete })
    }

    /// Appends the positions of field ends (delimiters and line feeds outside quotes) to `ends`, until it holds
    /// `limit` of them or a few more, or the text ends. `text` must end with a record's end.
    pub(crate) fn index(&mut self, text: &[u8], ends: &mut Vec<u32>, limit: usize) -> Stop {
        best(Index { scanner: self, text, ends, limit })
    }

    /// Physical lines passed by [`index`](Self::index), where line feeds alone tell.
    pub(crate) fn lines(&self) -> Option<u64> {
        (self.quoted_returns == 0).then_some(self.line_feeds)
    }

    #[inline(always)]
    fn scan_with<C: Classify>(&mut self, text: &[u8], limit: usize, complete: bool) -> Scanned {
        let mut found = Scanned { stop: Stop::End, records: 0, last_end: None };
        loop {
            let (masks, length) = match self.block::<C>(text, complete) {
                Some(block) => block,
                None => return found,
            };
            let Some(inside) = self.step(masks, length) else {
                found.stop = Stop::Odd;
                return found;
            };
            let mut ends = masks.line_feed & !inside;
            let count = ends.count_ones() as usize;
            if found.records + count >= limit {
                for _ in found.records + 1..limit {
                    ends &= ends - 1;
                }
                let end = self.at + ends.trailing_zeros() as usize + 1;
                return Scanned { stop: Stop::Full, records: limit, last_end: Some(end) };
            }
            if count > 0 {
                found.records += count;
                found.last_end = Some(self.at + 64 - ends.leading_zeros() as usize);
            }
            self.at += length;
        }
    }

    #[inline(always)]
    fn index_with<C: Classify>(&mut self, text: &[u8], ends: &mut Vec<u32>, limit: usize) -> Stop {
        let mut filled = ends.len();
        let stop = loop {
            if filled >= limit {
                break Stop::Full;
            }
            let (masks, length) = match self.block::<C>(text, true) {
                Some(block) => block,
                None => break Stop::End,
            };
            let Some(inside) = self.step(masks, length) else { break Stop::Odd };
            self.line_feeds += u64::from(masks.line_feed.count_ones());
            self.record_ends += u64::from((masks.line_feed & !inside).count_ones());
            self.quoted_returns |= masks.carriage_return & inside;
            let bits = (masks.line_feed | masks.delimiter) & !inside;
            let count = bits.count_ones() as usize;
            if ends.len() < filled + 64 {
                ends.resize((filled + 64).max(2 * ends.len()), 0);
            }
            if let Some(out) = ends[filled..].first_chunk_mut() {
                C::positions(bits, self.at as u32, out);
            }
            filled += count;
            self.at += length;
        };
        ends.truncate(filled);
        stop
    }

    /// The masks of the block at `self.at`, and how many of its bytes are text.
    #[inline(always)]
    fn block<C: Classify>(&self, text: &[u8], complete: bool) -> Option<(Masks, usize)> {
        let Structure { delimiter, quote } = self.structure;
        let (masks, length) = match text.get(self.at..self.at + 64).and_then(|block| block.first_chunk::<64>()) {
            Some(block) => (Masks::of::<C>(block, delimiter, quote.unwrap_or(0)), 64),
            None if complete && self.at < text.len() => {
                let mut block = [0; 64];
                let length = text.len() - self.at;
                block[..length].copy_from_slice(&text[self.at..]);
                let masks = Masks::of::<C>(&block, delimiter, quote.unwrap_or(0));
                let text = !0 >> (64 - length);
                let cut = Masks {
                    quote: masks.quote & text,
                    delimiter: masks.delimiter & text,
                    line_feed: masks.line_feed & text,
                    carriage_return: masks.carriage_return & text,
                };
                (cut, length)
            }
            None => return None,
        };
        let quote = if quote.is_some() { masks.quote } else { 0 };
        Some((Masks { quote, ..masks }, length))
    }

    /// Which bytes of the block lie in quotes; `None` if the block has something odd. Advances the state.
    #[inline(always)]
    fn step(&mut self, masks: Masks, length: usize) -> Option<u64> {
        let Masks { quote, delimiter, line_feed, carriage_return } = masks;
        // The common case first: no quote here and none open before.
        let inside = if quote == 0 { self.inside } else { prefix_xor(quote) ^ self.inside };
        let returns = carriage_return & !inside;
        let separators = (delimiter | line_feed) & !inside;
        if (quote | returns | self.closed | self.after_return) != 0 {
            let opening = quote & inside;
            let closing = quote & !inside;
            let may_open = (separators | closing) << 1 | self.may_open;
            let after_close = (closing << 1 | self.closed) & !(separators | quote | returns);
            let bare_return = (returns << 1 | self.after_return) & !line_feed;
            let last = if length == 64 { !0 } else { (1 << length) - 1 };
            if ((opening & !may_open) | after_close | bare_return) & last != 0 {
                return None;
            }
            self.closed = closing >> 63;
            self.after_return = returns >> 63;
            self.may_open = (separators | closing) >> 63;
        } else {
            self.may_open = separators >> 63;
        }
        self.inside = ((inside as i64) >> 63) as u64;
        Some(inside)
    }
}

/// [`Scanner::scan`] as something that is compiled for several processors.
struct Scan<'a> {
    scanner: &'a mut Scanner,
    text: &'a [u8],
    limit: usize,
    complete: bool,
}

impl Kernel for Scan<'_> {
    type Output = Scanned;

    #[inline(always)]
    fn run<C: Classify>(self) -> Scanned {
        // A copy, because its fields can stay in registers.
        let mut scanner = *self.scanner;
        let found = scanner.scan_with::<C>(self.text, self.limit, self.complete);
        *self.scanner = scanner;
        found
    }
}

/// [`Scanner::index`], likewise.
struct Index<'a> {
    scanner: &'a mut Scanner,
    text: &'a [u8],
    ends: &'a mut Vec<u32>,
    limit: usize,
}

impl Kernel for Index<'_> {
    type Output = Stop;

    #[inline(always)]
    fn run<C: Classify>(self) -> Stop {
        let mut scanner = *self.scanner;
        let stop = scanner.index_with::<C>(self.text, self.ends, self.limit);
        *self.scanner = scanner;
        stop
    }
}

/// Bit *i* of the result is the parity of bits 0 to *i*.
#[inline(always)]
fn prefix_xor(mut bits: u64) -> u64 {
    for shift in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << shift;
    }
    bits
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::csv::dialect::Dialect;
    use crate::csv::tokenize::record;
    use crate::options::ReaderOptions;
    use proptest::prelude::*;

    /// Record ends by the exact rules, up to the first record that is not ordinary.
    fn field_ends(text: &[u8]) -> Vec<u32> {
        let dialect = Dialect::new(&ReaderOptions::default()).unwrap();
        let (mut at, mut fields, mut ends) = (0, Vec::new(), Vec::new());
        while at < text.len() {
            let record = record(&dialect, text, at, true, &mut fields).unwrap();
            ends.extend(fields.iter().map(|field| field.end as u32));
            // The line feed ends the record, also behind a carriage return.
            *ends.last_mut().unwrap() = record.next as u32 - 1;
            at = record.next;
        }
        ends
    }

    fn text() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            4 => Just(&b"abc"[..]), 4 => Just(&b","[..]), 3 => Just(&b"\n"[..]), 1 => Just(&b"\r\n"[..]),
            2 => Just(&b"\"a,\nb\""[..]), 1 => Just(&b"\"x\"\"y\""[..]), 1 => Just(&b"\"\""[..]),
            1 => Just(&b"0123456789012345678901234567890123456789"[..]),
        ];
        proptest::collection::vec(piece, 0..80).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn what_is_called_ordinary_follows_the_exact_rules(text in text(), step in 1usize..200) {
            let mut text = text;
            text.push(b'\n');
            let structure = Structure { delimiter: b',', quote: Some(b'"') };
            let (mut ends, mut once) = (Vec::new(), Vec::new());
            let mut scanner = Scanner::new(structure, 0);
            let stop = loop {
                let limit = ends.len() + step;
                match scanner.index(&text, &mut ends, limit) {
                    Stop::Full => {}
                    stop => break stop,
                }
            };
            let same = Scanner::new(structure, 0).index(&text, &mut once, usize::MAX);
            prop_assert_eq!(same, stop);
            prop_assert_eq!(&once, &ends);
            if stop == Stop::End && scanner.inside == 0 {
                prop_assert_eq!(&ends, &field_ends(&text));
                let records = ends.iter().filter(|end| text[**end as usize] == b'\n').count();
                let counted = Scanner::new(structure, 0).scan(&text, usize::MAX, true);
                prop_assert_eq!(counted, Scanned { stop: Stop::End, records, last_end: Some(text.len()) });
                for limit in 1..=records {
                    let found = Scanner::new(structure, 0).scan(&text, limit, true);
                    prop_assert_eq!((found.stop, found.records), (Stop::Full, limit));
                }
            }
        }
    }

    #[test]
    fn odd_text_is_left_to_the_exact_rules() {
        let structure = Structure { delimiter: b',', quote: Some(b'"') };
        for padding in 0..70 {
            for odd in ["5\" pipe\n", "\"a\"b,c\n", "a\rb\n", "a\r\r\n", "\"a\" ,b\n"] {
                let text = format!("{}\n{odd}{}", "x".repeat(padding), "y,z\n".repeat(20));
                let found = Scanner::new(structure, 0).scan(text.as_bytes(), usize::MAX, true);
                assert_eq!(found.stop, Stop::Odd, "{odd:?} after {padding}");
                let mut ends = Vec::new();
                assert_eq!(Scanner::new(structure, 0).index(text.as_bytes(), &mut ends, usize::MAX), Stop::Odd);
            }
        }
    }
}
