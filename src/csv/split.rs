//! [`Splitter`]: a byte stream cut into chunks that end at a record's end.
//!
//! In: UTF-8 text from any `Read`. Out: [`Chunk`]s of at most `batch_size` records or about `batch_bytes` bytes,
//! always whole records. Where records end is exact, not a guess: the block scanner proves that the text is ordinary
//! as it goes, and hands each record that is not to the exact tokenizer. So chunks depend on the text and on the two
//! limits alone, never on read sizes or threads.
//!
//! A record whose quote is never closed, or that is longer than `max_record_bytes`, must not swallow what follows:
//! its first line is handed out as a chunk of its own, marked broken, and reading goes on with the next line.

use std::collections::VecDeque;
use std::io::{ErrorKind as IoErrorKind, Read};
use std::ops::Range;

use crossbeam_channel::Receiver;
use memchr::memchr2;

use crate::csv::dialect::Dialect;
use crate::csv::scanner::{Scanner, Stop, Structure};
use crate::csv::tokenize::{Record, count_lines, fields_reached, record};
use crate::error::{Error, ErrorKind, FaultCode, Location, Result};
use crate::options::ReaderOptions;

/// Bytes that can be read past a chunk's end, so that decoders may load whole words.
pub(crate) const PADDING: usize = 64;

/// Whole records of the input.
#[derive(Debug)]
pub(crate) struct Chunk {
    /// The text is `buffer[..end]`; at least [`PADDING`] bytes follow it.
    pub buffer: Vec<u8>,
    pub end: usize,
    /// Offset of the text in the decoded input.
    pub byte: u64,
    /// Record ends in the text, blank lines and comments included.
    pub records: u64,
    /// The text is one line that begins a record which never ends.
    pub broken: Option<FaultCode>,
}

/// The limits of a chunk.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub batch_size: usize,
    pub batch_bytes: usize,
    pub block_size: usize,
    pub max_record_bytes: usize,
}

impl From<&ReaderOptions> for Limits {
    fn from(options: &ReaderOptions) -> Limits {
        let &ReaderOptions { batch_size, batch_bytes, block_size, max_record_bytes, .. } = options;
        Limits { batch_size, batch_bytes, block_size, max_record_bytes }
    }
}

/// Where not even this part of a batch's rows fits this part of its bytes, the rows are wide, and this part is the batch:
/// it will not be a row group anyway, and decoders begin sooner. Measured with texts of 1 KB: 8 MiB load half as fast
/// again as 64 MiB.
const WIDE: usize = 8;

/// Cuts a stream into chunks.
pub(crate) struct Splitter {
    read: Box<dyn Read + Send>,
    at: Location,
    dialect: Dialect,
    structure: Option<Structure>,
    limits: Limits,
    buffer: Vec<u8>,
    filled: usize,
    /// What the buffer of the chunk before had to hold.
    usual: usize,
    complete: bool,
    /// Offset of `buffer[0]` in the decoded input.
    byte: u64,
    /// The record at the start of the buffer is known to be broken.
    broken: Option<FaultCode>,
    /// The input failed; records that came before are handed out first.
    failed: Option<Error>,
    recycled: Option<Receiver<Vec<u8>>>,
    /// Everything that was taken off the text: skipped lines, records of the head, records of chunks.
    records: u64,
    /// Records dropped at the end.
    dropped: u64,
    /// Chunks kept back until it is known that they are not the end, and how many records must follow them.
    footer: u64,
    kept: VecDeque<Chunk>,
}

/// How far the records of the next chunk reach.
struct Cut {
    end: usize,
    records: usize,
}

impl Splitter {
    pub(crate) fn new(read: Box<dyn Read + Send>, at: Location, dialect: &Dialect, limits: Limits) -> Splitter {
        let structure = dialect.simple().map(|(delimiter, quote)| Structure { delimiter, quote });
        Splitter {
            read,
            at,
            dialect: dialect.clone(),
            structure,
            limits,
            buffer: Vec::new(),
            filled: 0,
            usual: 0,
            complete: false,
            byte: 0,
            broken: None,
            failed: None,
            recycled: None,
            records: 0,
            dropped: 0,
            footer: 0,
            kept: VecDeque::new(),
        }
    }

    /// Takes used buffers back from here.
    pub(crate) fn recycle_from(&mut self, recycled: Receiver<Vec<u8>>) {
        self.recycled = Some(recycled);
    }

    /// Drops the last `records` records of the input.
    pub(crate) fn skip_footer(&mut self, records: u64) {
        self.footer = records;
    }

    /// Bytes of decoded text that were consumed.
    pub(crate) fn position(&self) -> u64 {
        self.byte
    }

    /// How many fields of the record that is being read are complete: where the input failed.
    pub(crate) fn field_reached(&self) -> usize {
        fields_reached(&self.dialect, &self.buffer[..self.filled])
    }

    /// Lines, head records and data records so far, dropped ones included: what everything else has to add up to.
    pub(crate) fn records(&self) -> u64 {
        self.records
    }

    /// Records dropped at the end, once it is reached.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Drops physical lines; says how many there were.
    pub(crate) fn skip_lines(&mut self, lines: u64) -> Result<u64> {
        let mut skipped = 0;
        while skipped < lines {
            let line = loop {
                match memchr2(b'\n', b'\r', &self.buffer[..self.filled]) {
                    Some(at) if at + 1 < self.filled || self.complete => {
                        let feed = self.buffer[at] == b'\r' && self.buffer[..self.filled].get(at + 1) == Some(&b'\n');
                        break Some(at + 1 + usize::from(feed));
                    }
                    _ if self.complete => break (self.filled > 0).then_some(self.filled),
                    _ => self.read_block(0)?,
                }
            };
            let Some(end) = line else { break };
            self.consume(end);
            skipped += 1;
        }
        self.records += skipped;
        Ok(skipped)
    }

    /// Takes one record off the start of the text, by the exact rules; `fields` point into what is returned.
    pub(crate) fn take_record(&mut self, fields: &mut Vec<Range<usize>>) -> Result<Option<(Record, Vec<u8>)>> {
        loop {
            if self.complete && self.filled == 0 {
                return Ok(None);
            }
            let text = &self.buffer[..self.filled];
            if let Some(found) = record(&self.dialect, text, 0, self.complete, fields) {
                let raw = text[..found.end].to_vec();
                self.consume(found.next);
                self.records += 1;
                return Ok(Some((found, raw)));
            }
            self.check_record_length(0)?;
            self.read_block(0)?;
        }
    }

    /// The text at hand, without consuming it; at least `bytes` of it unless the input is shorter.
    pub(crate) fn peek(&mut self, bytes: usize) -> Result<(&[u8], bool)> {
        while self.filled < bytes && !self.complete {
            match self.read_block(0) {
                Err(error) if self.filled > 0 => {
                    self.failed = Some(error);
                    break;
                }
                read => read?,
            }
        }
        Ok((&self.buffer[..self.filled], self.complete))
    }

    /// The next chunk; `None` at the end of the input.
    pub(crate) fn next_chunk(&mut self) -> Result<Option<Chunk>> {
        if self.footer == 0 {
            return self.cut_chunk();
        }
        // Hand out the oldest chunk once enough records are known to follow it.
        loop {
            let follow: u64 = self.kept.iter().skip(1).map(|chunk| chunk.records).sum();
            if follow >= self.footer {
                return Ok(self.kept.pop_front());
            }
            match self.cut_chunk()? {
                Some(chunk) => self.kept.push_back(chunk),
                None => break,
            }
        }
        while self.footer > 0 {
            let Some(last) = self.kept.back_mut() else { return Ok(None) };
            if last.records <= self.footer {
                self.footer -= last.records;
                self.dropped += last.records;
                self.kept.pop_back();
            } else {
                let keep = last.records - self.footer;
                let (mut end, mut fields) = (0, Vec::new());
                for _ in 0..keep {
                    match record(&self.dialect, &last.buffer[..last.end], end, true, &mut fields) {
                        Some(found) => end = found.next,
                        None => return Err(Error::internal("a chunk does not end with a record")),
                    }
                }
                self.dropped += self.footer;
                (last.end, last.records, self.footer) = (end, keep, 0);
            }
        }
        Ok(self.kept.pop_front())
    }

    fn cut_chunk(&mut self) -> Result<Option<Chunk>> {
        if let Some(code) = self.broken.take() {
            return self.take_broken(code).map(Some);
        }
        let cut = self.find_cut()?;
        if cut.records == 0 {
            return match self.broken.take() {
                Some(code) => self.take_broken(code).map(Some),
                None => Ok(None),
            };
        }
        Ok(Some(self.take_chunk(cut, None)))
    }

    /// Finds where the next chunk ends, reading as needed. No records: the end, or a broken record.
    fn find_cut(&mut self) -> Result<Cut> {
        let Limits { batch_size, batch_bytes, .. } = self.limits;
        let longest = self.longest_record();
        let mut cut = Cut { end: 0, records: 0 };
        let mut scanner = self.structure.map(|structure| Scanner::new(structure, 0));
        let mut fields = Vec::new();
        // What the batch may hold: all of it, once the rows are seen not to be wide.
        let mut room = (batch_bytes / WIDE).max(1);
        let narrow = |room, records| room < batch_bytes && records >= batch_size / WIDE;
        // What is looked at: more than the room only for the end of a first record that does not fit it.
        let mut limit = room;
        loop {
            let visible = self.filled.min(limit);
            let whole = self.complete && visible == self.filled;
            let most = if limit > room { 1 } else { batch_size - cut.records };
            let (mut exact, mut found) = (scanner.is_none(), false);
            if let Some(scanner) = &mut scanner {
                let last = whole || visible == limit;
                let scanned = scanner.scan(&self.buffer[..visible], most, last);
                cut.records += scanned.records;
                cut.end = scanned.last_end.unwrap_or(cut.end);
                match scanned.stop {
                    Stop::Full => found = true,
                    Stop::Odd => exact = true,
                    // Open quotes at the very end: the exact rules say what is broken.
                    Stop::End => exact = whole && cut.end < self.filled,
                }
            }
            if exact {
                match record(&self.dialect, &self.buffer[..self.filled], cut.end, self.complete, &mut fields) {
                    Some(record) if record.unclosed => {
                        self.broken = Some(FaultCode::UnclosedQuote);
                        return Ok(cut);
                    }
                    // Nothing left of a complete text.
                    Some(record) if record.next == cut.end => return Ok(cut),
                    Some(record) if record.next > room && cut.records > 0 => {
                        if !narrow(room, cut.records) {
                            return Ok(cut);
                        }
                        (room, limit) = (batch_bytes, batch_bytes);
                        continue;
                    }
                    Some(record) if record.next > longest => {
                        self.broken = Some(FaultCode::RecordTooLarge);
                        return Ok(cut);
                    }
                    Some(record) => {
                        cut = Cut { end: record.next, records: cut.records + 1 };
                        found = true;
                    }
                    None => {}
                }
            } else if whole && !found {
                return Ok(cut);
            }
            // One byte more than the limit tells whether a CR at it ends a record.
            let beyond = !found && self.filled > limit;
            if found || (beyond && cut.records > 0) {
                if (beyond || cut.end >= room) && narrow(room, cut.records) {
                    room = batch_bytes;
                } else if beyond {
                    return Ok(cut);
                }
                let full = cut.records == batch_size || cut.end >= room;
                if full || (self.complete && cut.end == self.filled) {
                    return Ok(cut);
                }
                limit = room;
            } else if beyond {
                if limit >= longest {
                    self.broken = Some(FaultCode::RecordTooLarge);
                    return Ok(cut);
                }
                limit = limit.saturating_mul(2).min(longest);
            }
            if found || beyond {
                // The scanner stopped within a block, so it begins the next record anew.
                if let (Some(scanner), Some(structure)) = (&mut scanner, self.structure) {
                    *scanner = Scanner::new(structure, cut.end);
                }
            } else if !self.complete {
                match self.read_block(cut.end) {
                    Err(error) if cut.records > 0 => {
                        self.failed = Some(error);
                        return Ok(cut);
                    }
                    read => read?,
                }
            }
        }
    }

    /// A record that fits a batch is never too long.
    fn longest_record(&self) -> usize {
        self.limits.max_record_bytes.max(self.limits.batch_bytes)
    }

    fn take_chunk(&mut self, cut: Cut, broken: Option<FaultCode>) -> Chunk {
        let mut next = self.recycled.as_ref().and_then(|recycled| recycled.try_recv().ok()).unwrap_or_default();
        let left = self.filled - cut.end;
        lengthen(&mut next, left + PADDING, 0);
        next[..left].copy_from_slice(&self.buffer[cut.end..self.filled]);
        let mut buffer = std::mem::replace(&mut self.buffer, next);
        lengthen(&mut buffer, cut.end + PADDING, 0);
        self.usual = self.filled + self.limits.block_size + PADDING;
        self.filled = left;
        let chunk = Chunk { buffer, end: cut.end, byte: self.byte, records: cut.records as u64, broken };
        self.byte += cut.end as u64;
        self.records += chunk.records;
        chunk
    }

    /// The first line of a record that never ends.
    fn take_broken(&mut self, code: FaultCode) -> Result<Chunk> {
        let text = &self.buffer[..self.filled];
        let end = match memchr2(b'\n', b'\r', text) {
            Some(at) if text[at] == b'\r' && text.get(at + 1) == Some(&b'\n') => at + 2,
            Some(at) => at + 1,
            None if code == FaultCode::UnclosedQuote => self.filled,
            None => return self.check_record_length(0).and(Err(Error::internal("a record of no length is too long"))),
        };
        Ok(self.take_chunk(Cut { end, records: 1 }, Some(code)))
    }

    fn check_record_length(&self, start: usize) -> Result<()> {
        let length = self.filled - start;
        if length <= self.longest_record() {
            return Ok(());
        }
        Err(ErrorKind::Refused {
            message: format!(
                "{}: byte {}: a record is longer than {} bytes; if it is meant to be, raise --max-record-bytes",
                self.at,
                self.byte + start as u64,
                self.longest_record()
            ),
        }
        .into())
    }

    fn consume(&mut self, bytes: usize) {
        self.buffer.copy_within(bytes..self.filled, 0);
        self.filled -= bytes;
        self.byte += bytes as u64;
    }

    /// Reads once, a block or as much as the unfinished record from `start` on is long, so that a huge record is
    /// not looked at again for every block. At the end of the input the text gets a line end if it has none.
    fn read_block(&mut self, start: usize) -> Result<()> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        let size = self.limits.block_size.max(self.filled - start);
        let wanted = self.filled + size + PADDING;
        lengthen(&mut self.buffer, wanted, self.usual);
        loop {
            match self.read.read(&mut self.buffer[self.filled..self.filled + size]) {
                Ok(0) => {
                    self.complete = true;
                    if self.filled > 0 && self.buffer[self.filled - 1] != b'\n' {
                        self.buffer[self.filled] = b'\n';
                        self.filled += 1;
                    }
                    return Ok(());
                }
                Ok(read) => {
                    self.filled += read;
                    return Ok(());
                }
                Err(error) if error.kind() == IoErrorKind::Interrupted => {}
                Err(error) => return Err(self.read_error(error)),
            }
        }
    }

    fn read_error(&self, error: std::io::Error) -> Error {
        // Layers below report errors of ours through `Read`.
        match error.downcast::<Error>() {
            Ok(ours) => ours,
            Err(source) => {
                let at = self.at.clone().with_byte(self.byte + self.filled as u64);
                ErrorKind::Read { at, source }.into()
            }
        }
    }
}

/// The physical lines of a chunk.
pub(crate) fn lines_of(chunk: &Chunk) -> u64 {
    count_lines(&chunk.buffer[..chunk.end])
}

/// Makes a buffer at least so long. It grows to its `usual` length or by a quarter, and not to twice its size: several are
/// in use at once.
fn lengthen(buffer: &mut Vec<u8>, length: usize, usual: usize) {
    if buffer.capacity() < length {
        buffer.reserve_exact(usual.max(length + length / 4) - buffer.len());
    }
    if buffer.len() < length {
        buffer.resize(length, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::ReaderOptions;
    use proptest::prelude::*;

    /// Hands out a few bytes at a time.
    struct Trickle(Vec<u8>, usize, usize);

    impl Read for Trickle {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let length = buffer.len().min(self.2).min(self.0.len() - self.1);
            buffer[..length].copy_from_slice(&self.0[self.1..self.1 + length]);
            self.1 += length;
            Ok(length)
        }
    }

    fn chunks(text: &[u8], trickle: usize, limits: Limits) -> Vec<(Vec<u8>, u64, Option<FaultCode>)> {
        let dialect = Dialect::new(&ReaderOptions::default()).unwrap();
        let read = Box::new(Trickle(text.to_vec(), 0, trickle));
        let mut splitter = Splitter::new(read, Location::new("t"), &dialect, limits);
        let mut all = Vec::new();
        while let Some(chunk) = splitter.next_chunk().unwrap() {
            assert!(chunk.end > 0 && chunk.buffer.len() >= chunk.end + PADDING);
            all.push((chunk.buffer[..chunk.end].to_vec(), chunk.records, chunk.broken));
        }
        all
    }

    fn records(text: &[u8]) -> usize {
        let dialect = Dialect::new(&ReaderOptions::default()).unwrap();
        let (mut at, mut count, mut fields) = (0, 0, Vec::new());
        while at < text.len() {
            at = record(&dialect, text, at, true, &mut fields).unwrap().next;
            count += 1;
        }
        count
    }

    fn messy() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            4 => Just(&b"abc"[..]), 4 => Just(&b","[..]), 3 => Just(&b"\n"[..]), 1 => Just(&b"\r\n"[..]),
            1 => Just(&b"\r"[..]), 2 => Just(&b"\"a,\nb\""[..]), 1 => Just(&b"\"x\"\"y\""[..]), 1 => Just(&b"5\" "[..]),
            1 => Just(&b"\""[..]), 1 => Just(&b"0123456789012345678901234567890123456789"[..]),
        ];
        proptest::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn chunks_are_whole_records_at_any_read_size(
            text in messy(), batch_size in 1usize..40, batch_bytes in 1usize..400, block_size in 1usize..90, trickle in 1usize..90,
        ) {
            let limits = Limits { batch_size, batch_bytes, block_size, max_record_bytes: 1 << 20 };
            let found = chunks(&text, trickle, limits);
            let one_read = chunks(&text, usize::MAX, Limits { block_size: 1 << 16, ..limits });
            prop_assert_eq!(&found, &one_read);
            let mut whole: Vec<u8> = found.iter().flat_map(|chunk| chunk.0.clone()).collect();
            if !text.is_empty() && !text.ends_with(b"\n") {
                prop_assert_eq!(whole.pop(), Some(b'\n'));
            }
            prop_assert_eq!(&whole, &text);
            for (chunk, count, broken) in &found {
                prop_assert!(*count as usize <= batch_size);
                if broken.is_none() {
                    prop_assert_eq!(records(chunk), *count as usize);
                }
            }
        }
    }

    #[test]
    fn an_open_quote_costs_one_line() {
        let text = b"a,b\n1,\"x\n2,y\n3,z\n";
        let limits = Limits { batch_size: 10, batch_bytes: 1 << 10, block_size: 4, max_record_bytes: 1 << 10 };
        let found = chunks(text, 3, limits);
        assert_eq!(
            found,
            [
                (b"a,b\n".to_vec(), 1, None),
                (b"1,\"x\n".to_vec(), 1, Some(FaultCode::UnclosedQuote)),
                (b"2,y\n3,z\n".to_vec(), 2, None)
            ]
        );
        let found = chunks(text, 3, Limits { max_record_bytes: 8, batch_bytes: 8, ..limits });
        assert_eq!(found[1].2, Some(FaultCode::RecordTooLarge));
        assert_eq!(found.last().unwrap().0, b"2,y\n3,z\n");
    }

    #[test]
    fn a_footer_is_dropped_whatever_the_batches() {
        for batch_size in 1..6 {
            for footer in 0..7 {
                let limits = Limits { batch_size, batch_bytes: 100, block_size: 7, max_record_bytes: 100 };
                let dialect = Dialect::new(&ReaderOptions::default()).unwrap();
                let text = Box::new(&b"1\n2\n\"3\n\"\n4\n5\n"[..]);
                let mut splitter = Splitter::new(text, Location::new("t"), &dialect, limits);
                splitter.skip_footer(footer);
                let mut records = 0;
                while let Some(chunk) = splitter.next_chunk().unwrap() {
                    records += chunk.records;
                }
                assert_eq!(records, 5u64.saturating_sub(footer));
            }
        }
    }
}
