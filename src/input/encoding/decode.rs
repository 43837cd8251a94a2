//! Any encoding to UTF-8, as a reader.
//!
//! In: bytes in some encoding, cut anywhere. Out: UTF-8. A sequence that means nothing is an error with its place
//! and its bytes, or becomes U+FFFD and is counted, or becomes the byte FF, which is never part of UTF-8, so that
//! whoever reads the rows can tell which one is damaged. An input that ends within a character is malformed there.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use encoding_rs::DecoderResult;

use crate::error::{Error, ErrorKind, Location, Result};
use crate::input::encoding::{Encoding, Endian, Scheme, Table};
use crate::input::read_error;
use crate::options::EncodingErrors;

/// Bytes decoded at a time.
const INPUT_SIZE: usize = 64 << 10;
/// More bytes than any encoding takes for a character, escapes included.
const LONGEST: usize = 16;

/// A reader that decodes.
pub(in crate::input) struct Decoded<R> {
    inner: R,
    name: &'static str,
    decoder: Decoder,
    errors: EncodingErrors,
    at: Location,
    replaced: Arc<AtomicU64>,
    input: Box<[u8]>,
    start: usize,
    end: usize,
    ended: bool,
    text: Vec<u8>,
    taken: usize,
    /// Bytes, and line ends, of text that has been handed on.
    bytes: u64,
    lines: u64,
    after_cr: bool,
    /// Found, but text that comes before it is still to be read.
    failure: Option<Error>,
}

impl<R: Read> Decoded<R> {
    pub(in crate::input) fn new(
        inner: R,
        encoding: Encoding,
        errors: EncodingErrors,
        at: Location,
        replaced: Arc<AtomicU64>,
    ) -> Self {
        Decoded {
            inner,
            name: encoding.name(),
            decoder: Decoder::new(encoding.scheme),
            errors,
            at,
            replaced,
            input: vec![0; INPUT_SIZE].into_boxed_slice(),
            start: 0,
            end: 0,
            ended: false,
            text: Vec::new(),
            taken: 0,
            bytes: 0,
            lines: 0,
            after_cr: false,
            failure: None,
        }
    }

    /// Makes some text; leaves none only at the end.
    fn fill(&mut self) -> Result<()> {
        self.text.clear();
        self.taken = 0;
        while self.text.is_empty() {
            if let Some(failure) = self.failure.take() {
                // Nothing after it can be trusted.
                (self.start, self.end, self.ended) = (0, 0, true);
                self.decoder = Decoder::Done;
                return Err(failure);
            }
            if self.start == self.end && !self.ended {
                self.start = 0;
                self.end = loop {
                    match self.inner.read(&mut self.input) {
                        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                        result => break result.map_err(|error| read_error(&self.at, error))?,
                    }
                };
                self.ended = self.end == 0;
            }
            if matches!(self.decoder, Decoder::Done) {
                return Ok(());
            }
            while let Some(malformed) = self.decode() {
                if self.errors == EncodingErrors::Error {
                    self.fail(malformed);
                    break;
                }
                self.stand_in();
            }
            if self.ended && self.failure.is_none() {
                self.decoder = Decoder::Done;
            }
            self.count();
        }
        Ok(())
    }

    /// Decodes up to the end of what there is, or to something malformed, whose bytes it gives.
    fn decode(&mut self) -> Option<Vec<u8>> {
        let (taken, malformed) = self.decoder.decode(&self.input[self.start..self.end], self.ended, &mut self.text);
        self.start += taken;
        malformed
    }

    fn stand_in(&mut self) {
        if self.errors == EncodingErrors::Replace {
            self.text.extend_from_slice("\u{fffd}".as_bytes());
            self.replaced.fetch_add(1, Ordering::Relaxed);
        } else {
            self.text.push(0xff);
        }
    }

    fn fail(&mut self, bytes: Vec<u8>) {
        let mut lines = self.lines;
        count_lines(&self.text, &mut lines, &mut self.after_cr.clone());
        let at = self.at.clone().with_line(lines + 1).with_byte(self.bytes + self.text.len() as u64);
        self.failure = Some(ErrorKind::Undecodable { at, encoding: self.name.to_owned(), bytes }.into());
    }

    fn count(&mut self) {
        if self.errors == EncodingErrors::Error {
            count_lines(&self.text, &mut self.lines, &mut self.after_cr);
            self.bytes += self.text.len() as u64;
        }
    }
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.taken == self.text.len() && !buffer.is_empty() {
            self.fill()?;
        }
        let length = (&self.text[self.taken..]).read(buffer)?;
        self.taken += length;
        Ok(length)
    }
}

/// Counts `\n`, `\r\n` and `\r`, each as one line end.
fn count_lines(text: &[u8], lines: &mut u64, after_cr: &mut bool) {
    let Some(last) = text.last() else { return };
    *lines += memchr::memchr_iter(b'\n', text).count() as u64;
    *lines -= u64::from(*after_cr && text[0] == b'\n');
    for position in memchr::memchr_iter(b'\r', text) {
        *lines += u64::from(text.get(position + 1) != Some(&b'\n'));
    }
    *after_cr = *last == b'\r';
}

/// The state of a decoder between two pieces of input.
enum Decoder {
    Whatwg {
        inner: Box<encoding_rs::Decoder>,
        /// Room for the longest text; cleared once.
        scratch: Vec<u8>,
        /// The last bytes taken, for messages.
        recent: Vec<u8>,
    },
    Table(Arc<Table>),
    Units(Units),
    Done,
}

impl Decoder {
    fn new(scheme: Scheme) -> Decoder {
        match scheme {
            Scheme::Utf8 => Decoder::whatwg(encoding_rs::UTF_8),
            Scheme::Whatwg(encoding) => Decoder::whatwg(encoding),
            Scheme::Table(table) => Decoder::Table(table),
            Scheme::Utf16(endian) => Decoder::Units(Units { endian, width: 2, held: [0; 4], holds: 0 }),
            Scheme::Utf32(endian) => Decoder::Units(Units { endian, width: 4, held: [0; 4], holds: 0 }),
        }
    }

    fn whatwg(encoding: &'static encoding_rs::Encoding) -> Decoder {
        Decoder::Whatwg {
            inner: Box::new(encoding.new_decoder_without_bom_handling()),
            scratch: Vec::new(),
            recent: Vec::new(),
        }
    }

    /// Decodes `input` to the end of `text`. Gives how much it took, and the bytes of a malformed sequence if it
    /// stopped at one.
    fn decode(&mut self, input: &[u8], last: bool, text: &mut Vec<u8>) -> (usize, Option<Vec<u8>>) {
        match self {
            Decoder::Whatwg { inner, scratch, recent } => {
                let room =
                    inner.max_utf8_buffer_length_without_replacement(input.len()).unwrap_or(input.len() * 3 + 16);
                if scratch.len() < room {
                    scratch.resize(room, 0);
                }
                let (result, taken, made) = inner.decode_to_utf8_without_replacement(input, scratch, last);
                text.extend_from_slice(&scratch[..made]);
                recent.extend_from_slice(&input[taken.saturating_sub(LONGEST)..taken]);
                let malformed = match result {
                    // There is room for everything: it cannot be full.
                    DecoderResult::InputEmpty | DecoderResult::OutputFull => None,
                    DecoderResult::Malformed(length, after) => {
                        let end = recent.len().saturating_sub(usize::from(after));
                        let start = end.saturating_sub(usize::from(length));
                        Some(recent[start..end].to_vec())
                    }
                };
                recent.drain(..recent.len().saturating_sub(LONGEST));
                (taken, malformed)
            }
            Decoder::Table(table) => table.decode(input, text),
            Decoder::Units(units) => units.decode(input, last, text),
            Decoder::Done => (input.len(), None),
        }
    }
}

impl Table {
    fn decode(&self, input: &[u8], text: &mut Vec<u8>) -> (usize, Option<Vec<u8>>) {
        let mut at = 0;
        while at < input.len() {
            if self.ascii {
                let plain = encoding_rs::Encoding::ascii_valid_up_to(&input[at..]);
                text.extend_from_slice(&input[at..at + plain]);
                at += plain;
            }
            let Some(byte) = input.get(at) else { break };
            at += 1;
            let utf8 = &self.utf8[usize::from(*byte)];
            let length = usize::from(utf8[3]);
            if length == 0 {
                return (at, Some(vec![*byte]));
            }
            text.extend_from_slice(&utf8[..length]);
        }
        (at, None)
    }
}

/// UTF-16 and UTF-32: units of 2 or 4 bytes.
struct Units {
    endian: Endian,
    width: usize,
    /// The first bytes of a character that is not complete: of a unit, or a lead surrogate and of the next one.
    held: [u8; 4],
    holds: usize,
}

enum Unit {
    Char(char),
    /// A lead surrogate: the next unit decides.
    More,
    /// That many bytes mean nothing; the rest begins anew.
    Malformed(usize),
}

impl Units {
    fn decode(&mut self, input: &[u8], last: bool, text: &mut Vec<u8>) -> (usize, Option<Vec<u8>>) {
        let mut taken = 0;
        loop {
            while self.holds >= self.width {
                match self.judge() {
                    Unit::Char(char) => {
                        self.holds = 0;
                        text.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
                    }
                    Unit::More => break,
                    Unit::Malformed(length) => return (taken, Some(self.let_go(length))),
                }
            }
            if self.holds == 0 && self.width == 2 {
                taken += self.run(&input[taken..], text);
            }
            let Some(byte) = input.get(taken) else { break };
            self.held[self.holds] = *byte;
            self.holds += 1;
            taken += 1;
        }
        if last && self.holds > 0 {
            // A lone lead surrogate first, then what is left of the unit behind it.
            let length = self.holds.min(self.width);
            return (taken, Some(self.let_go(length)));
        }
        (taken, None)
    }

    /// The fast way through whole UTF-16 units that are no surrogates.
    fn run(&self, input: &[u8], text: &mut Vec<u8>) -> usize {
        let mut taken = 0;
        for pair in input.chunks_exact(2) {
            let unit = u16::from_le_bytes(self.endian.order([pair[0], pair[1]]));
            if unit < 0x80 {
                text.push(unit as u8);
            } else if let Some(char) = char::from_u32(u32::from(unit)) {
                text.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
            } else {
                break;
            }
            taken += 2;
        }
        taken
    }

    fn let_go(&mut self, length: usize) -> Vec<u8> {
        let gone = self.held[..length].to_vec();
        self.held.copy_within(length.., 0);
        self.holds -= length;
        gone
    }

    fn judge(&self) -> Unit {
        let [a, b, c, d] = self.held;
        if self.width == 4 {
            let unit = u32::from_le_bytes(self.endian.order([a, b, c, d]));
            return char::from_u32(unit).map_or(Unit::Malformed(4), Unit::Char);
        }
        let first = u16::from_le_bytes(self.endian.order([a, b]));
        match first {
            0xD800..=0xDBFF if self.holds < 4 => Unit::More,
            0xD800..=0xDBFF => {
                let second = u16::from_le_bytes(self.endian.order([c, d]));
                match char::decode_utf16([first, second]).next() {
                    Some(Ok(char)) => Unit::Char(char),
                    _ => Unit::Malformed(2),
                }
            }
            _ => char::from_u32(u32::from(first)).map_or(Unit::Malformed(2), Unit::Char),
        }
    }
}
