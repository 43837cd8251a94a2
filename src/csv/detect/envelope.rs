//! Lines that stand in something: in quotes once more, as a spreadsheet leaves them that took each line for one cell;
//! or between bars, as in a printed table.
//!
//! In: a text whose lines all look so. Out: [`Unwrapped`], the text without these, line by line. A line without them
//! passes as it is.

use std::io::{self, Read};

use crate::csv::detect::score::{Known, rank};
use crate::csv::detect::tokens::{Dialect, is_ruling, line_at};

impl Dialect {
    /// What a line that is one quoted cell holds.
    pub(super) fn whole_line(&self, line: &[u8]) -> Option<Vec<u8>> {
        let quote = self.quote?;
        let line = line.trim_ascii();
        if line.len() < 3 || line[0] != quote || line[line.len() - 1] != quote {
            return None;
        }
        let inner = &line[1..line.len() - 1];
        let mut at = 0;
        while let Some(offset) = memchr::memchr(quote, &inner[at..]) {
            if inner.get(at + offset + 1) != Some(&quote) {
                return None;
            }
            at += offset + 2;
        }
        Some(self.unquote(line, quote).into_owned())
    }
}

/// Longer lines are not looked at.
const LONGEST: usize = 16 << 20;

fn plain() -> Dialect {
    Dialect::new(b",", Some(b'"'), None)
}

/// What lines stand in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Envelope {
    Quotes,
    Bars,
}

impl Envelope {
    /// What the lines of a sample all stand in, if they are a table without it.
    pub(super) fn of(sample: &[u8], complete: bool, known: &Known) -> Option<Envelope> {
        if in_quotes(sample, complete, known) {
            return Some(Envelope::Quotes);
        }
        in_bars(sample, complete, known).then_some(Envelope::Bars)
    }

    fn open(self, line: &[u8]) -> Option<Vec<u8>> {
        match self {
            Envelope::Quotes => plain().whole_line(line),
            Envelope::Bars => between_bars(line).map(<[u8]>::to_vec),
        }
    }
}

fn between_bars(line: &[u8]) -> Option<&[u8]> {
    let line = line.trim_ascii();
    line.strip_prefix(b"|").and_then(|line| line.strip_suffix(b"|"))
}

/// Whether all lines begin and end with a bar: then the bars are a frame, not empty columns.
fn in_bars(sample: &[u8], complete: bool, known: &Known) -> bool {
    if known.delimiter.as_ref().is_some_and(|delimiter| delimiter != b"|") {
        return false;
    }
    let (mut at, mut lines, mut framed, mut divided) = (0, 0_usize, 0_usize, 0_usize);
    while let Some((end, next)) = line_at(sample, at, complete).filter(|_| at < sample.len()) {
        let line = sample[at..end].trim_ascii();
        at = next;
        if line.is_empty() || is_ruling(line) {
            continue;
        }
        lines += 1;
        if let Some(inner) = between_bars(line) {
            framed += 1;
            divided += usize::from(inner.contains(&b'|'));
        }
    }
    framed >= 2 && framed * 10 >= lines * 9 && divided == framed
}

/// Whether the lines of a sample all stand in quotes, and are a table without them.
fn in_quotes(sample: &[u8], complete: bool, known: &Known) -> bool {
    if sample.trim_ascii_start().first() != Some(&b'"') || known.quote.is_some() {
        return false;
    }
    let (mut at, mut text, mut lines, mut wrapped, mut doubled) = (0, Vec::new(), 0_usize, 0_usize, false);
    while let Some((end, next)) = line_at(sample, at, complete).filter(|_| at < sample.len()) {
        let line = &sample[at..end];
        at = next;
        if line.trim_ascii().is_empty() {
            continue;
        }
        lines += 1;
        let Some(inner) = plain().whole_line(line) else { continue };
        wrapped += 1;
        doubled |= inner.contains(&b'"');
        text.extend_from_slice(&inner);
        text.push(b'\n');
    }
    if wrapped < 2 || wrapped * 10 < lines * 9 {
        return false;
    }
    // One column of texts with a comma each is one column: only more, or quotes within, speak for a table.
    let best = &rank(&text, complete, known, true)[0];
    best.width > 1 && best.consistency >= 0.9 && (doubled || best.width > 2)
}

/// A text without what its lines stand in.
pub(super) struct Unwrapped {
    input: Box<dyn Read + Send>,
    envelope: Envelope,
    buffer: Vec<u8>,
    complete: bool,
    out: Vec<u8>,
    taken: usize,
}

impl Unwrapped {
    pub(super) fn new(input: Box<dyn Read + Send>, envelope: Envelope) -> Unwrapped {
        Unwrapped { input, envelope, buffer: Vec::new(), complete: false, out: Vec::new(), taken: 0 }
    }

    fn fill(&mut self) -> io::Result<()> {
        const PIECE: u64 = 64 << 10;
        self.out.clear();
        self.taken = 0;
        while self.out.is_empty() && !(self.complete && self.buffer.is_empty()) {
            self.complete = (&mut self.input).take(PIECE).read_to_end(&mut self.buffer)? == 0;
            let mut at = 0;
            while let Some((end, next)) = line_at(&self.buffer, at, self.complete).filter(|_| at < self.buffer.len()) {
                let line = &self.buffer[at..end];
                match self.envelope.open(line) {
                    Some(inner) => self.out.extend_from_slice(&inner),
                    None => self.out.extend_from_slice(line),
                }
                self.out.extend_from_slice(&self.buffer[end..next]);
                at = next;
            }
            if at == 0 && self.buffer.len() > LONGEST {
                // Too long to be held until it ends: it passes as it is.
                self.out.append(&mut self.buffer);
            }
            self.buffer.drain(..at);
        }
        Ok(())
    }
}

impl Read for Unwrapped {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        if self.taken == self.out.len() {
            self.fill()?;
        }
        let length = (&self.out[self.taken..]).read(target)?;
        self.taken += length;
        Ok(length)
    }
}
