//! A small exact tokenizer over any candidate dialect.
//!
//! In: text bytes and a place where a record starts. Out: the record's fields as raw ranges, where it ends, and whether
//! it was well formed. It never fails: a quote that does not close, or closes in the middle, is reported as a flaw.

use std::borrow::Cow;

use memchr::{memchr2, memchr3, memmem};

/// No quoted field reaches further than this; one that seems to is a stray quote.
pub(crate) const QUOTE_REACH: usize = 4 << 20;

/// How fields and quotes are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dialect {
    pub delimiter: Vec<u8>,
    pub quote: Option<u8>,
    /// Takes the next character inside quotes as it is.
    pub escape: Option<u8>,
    pub double_quote: bool,
    /// Whether a backslash before a delimiter outside quotes makes it text.
    pub bare_escape: bool,
}

/// One field: where its raw text is, quotes included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Field {
    pub start: usize,
    pub end: usize,
    pub quoted: bool,
}

/// What is wrong with a record's quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    None,
    /// Text after a closing quote.
    Stray,
    /// The input (or the reach) ended inside quotes.
    Unclosed,
}

/// One record; reused from call to call.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub fields: Vec<Field>,
    pub start: usize,
    /// End of its text, without the line end.
    pub end: usize,
    /// Where the next record starts.
    pub next: usize,
    /// Physical lines it takes.
    pub lines: u64,
    pub flaw: Flaw,
}

impl Default for Record {
    fn default() -> Self {
        Record { fields: Vec::new(), start: 0, end: 0, next: 0, lines: 0, flaw: Flaw::None }
    }
}

impl Record {
    /// Nothing in it, not even a delimiter or quotes.
    pub fn is_blank(&self, text: &[u8]) -> bool {
        let text = &text[self.start..self.end];
        text.iter().all(|byte| *byte == b' ') || (self.fields.len() <= 1 && text.iter().all(|byte| *byte == b'\t'))
    }
}

/// The length of a line end at `at`, if one is there: LF, CRLF or CR. `None` if more text is needed to say.
pub(crate) fn line_end_at(text: &[u8], at: usize, complete: bool) -> Option<usize> {
    match text.get(at) {
        Some(b'\n') => Some(1),
        Some(b'\r') => match text.get(at + 1) {
            Some(b'\n') => Some(2),
            Some(_) => Some(1),
            None if complete => Some(1),
            None => None,
        },
        Some(_) => Some(0),
        None => complete.then_some(0),
    }
}

/// The physical line at `at`: end of its text and start of the next. `None` if more text is needed.
pub(crate) fn line_at(text: &[u8], at: usize, complete: bool) -> Option<(usize, usize)> {
    match memchr2(b'\n', b'\r', &text[at..]) {
        Some(offset) => {
            let end = at + offset;
            Some((end, end + line_end_at(text, end, complete)?))
        }
        None if complete => Some((text.len(), text.len())),
        None => None,
    }
}

impl Dialect {
    pub fn new(delimiter: &[u8], quote: Option<u8>, escape: Option<u8>) -> Self {
        Dialect { delimiter: delimiter.to_vec(), quote, escape, double_quote: true, bare_escape: false }
    }

    fn is_delimiter(&self, text: &[u8], at: usize) -> bool {
        text[at..].starts_with(&self.delimiter)
    }

    /// Blanks around quotes are part of neither field, unless they are delimiters.
    fn skip_blanks(&self, text: &[u8], mut at: usize) -> usize {
        while text.get(at) == Some(&b' ') && self.delimiter[0] != b' ' {
            at += 1;
        }
        at
    }

    /// Reads the record at `start`. `false`: more text is needed.
    pub fn read(&self, text: &[u8], start: usize, complete: bool, record: &mut Record) -> bool {
        record.fields.clear();
        record.start = start;
        record.flaw = Flaw::None;
        record.lines = 1;
        let first = self.delimiter[0];
        let mut at = start;
        loop {
            let field_start = at;
            let mut quoted = false;
            if let Some(quote) = self.quote {
                let open = self.skip_blanks(text, at);
                if text.get(open) == Some(&quote) {
                    match self.quoted_end(text, open + 1, quote, complete, &mut record.lines) {
                        Quoted::More => return false,
                        Quoted::Closed(end) => {
                            let after = self.skip_blanks(text, end);
                            if !complete && after + self.delimiter.len() > text.len() {
                                return false;
                            }
                            let ends = after == text.len()
                                || matches!(text[after], b'\n' | b'\r')
                                || self.is_delimiter(text, after);
                            if ends {
                                quoted = true;
                                at = after;
                            } else {
                                record.flaw = Flaw::Stray;
                                at = end;
                            }
                        }
                        Quoted::Unclosed => {
                            record.flaw = Flaw::Unclosed;
                            at = text.len();
                        }
                    }
                }
            }
            if !quoted && record.flaw != Flaw::Unclosed {
                loop {
                    match memchr3(first, b'\n', b'\r', &text[at.min(text.len())..]) {
                        None if complete => at = text.len(),
                        None => return false,
                        Some(offset) => {
                            at += offset;
                            if text[at] == first && !matches!(first, b'\n' | b'\r') {
                                if !complete && at + self.delimiter.len() > text.len() {
                                    return false;
                                }
                                if !self.is_delimiter(text, at) {
                                    at += 1;
                                    continue;
                                }
                                if self.bare_escape && ends_escaped(&text[field_start..at]) {
                                    at += self.delimiter.len();
                                    continue;
                                }
                            }
                        }
                    }
                    break;
                }
            }
            record.fields.push(Field { start: field_start, end: at, quoted });
            if at < text.len() && self.is_delimiter(text, at) {
                at += self.delimiter.len();
                continue;
            }
            record.end = at;
            match line_end_at(text, at, complete) {
                Some(length) => record.next = at + length,
                None => return false,
            }
            return true;
        }
    }

    fn quoted_end(&self, text: &[u8], from: usize, quote: u8, complete: bool, lines: &mut u64) -> Quoted {
        let mut at = from;
        let mut seen = 0;
        loop {
            let next = match self.escape {
                Some(escape) => memchr2(quote, escape, &text[at.min(text.len())..]),
                None => memchr::memchr(quote, &text[at.min(text.len())..]),
            };
            let Some(offset) = next else {
                let long = text.len() - from > QUOTE_REACH;
                return if complete || long { Quoted::Unclosed } else { Quoted::More };
            };
            seen += count_line_ends(&text[at..at + offset]);
            at += offset;
            let doubled = text.get(at + 1) == Some(&quote);
            if text[at] != quote {
                at += 2;
            } else if at + 1 == text.len() && !complete {
                return Quoted::More;
            } else if self.double_quote && doubled {
                at += 2;
            } else {
                *lines += seen;
                return Quoted::Closed(at + 1);
            }
        }
    }

    /// The text that a raw field stands for: quotes removed, escapes undone. A flawed field stays as it is.
    pub fn value<'a>(&self, text: &'a [u8], field: Field) -> Cow<'a, [u8]> {
        let raw = &text[field.start..field.end];
        match (field.quoted, self.quote) {
            (true, Some(quote)) => self.unquote(trim_blanks(raw), quote),
            _ => self.unescape(raw),
        }
    }

    /// Bare text without the backslashes that make delimiters text.
    pub fn unescape<'a>(&self, raw: &'a [u8]) -> Cow<'a, [u8]> {
        if !self.bare_escape || memchr::memchr(b'\\', raw).is_none() {
            return Cow::Borrowed(raw);
        }
        let mut out = Vec::with_capacity(raw.len());
        let mut at = 0;
        while at < raw.len() {
            let rest = &raw[at + 1..];
            if raw[at] == b'\\' && (rest.starts_with(&self.delimiter) || rest.first() == Some(&b'\\')) {
                at += 1;
            }
            out.push(raw[at]);
            at += 1;
        }
        Cow::Owned(out)
    }

    /// Removes the quotes around `raw` and undoes what is escaped between them.
    pub fn unquote<'a>(&self, raw: &'a [u8], quote: u8) -> Cow<'a, [u8]> {
        let inner = &raw[1..raw.len() - 1];
        let plain = match self.escape {
            Some(escape) => memchr2(quote, escape, inner).is_none(),
            None => memchr::memchr(quote, inner).is_none(),
        };
        if plain {
            return Cow::Borrowed(inner);
        }
        let mut out = Vec::with_capacity(inner.len());
        let mut at = 0;
        while at < inner.len() {
            let escaped = self.escape == Some(inner[at]) && at + 1 < inner.len();
            let doubled = self.double_quote && inner[at] == quote && inner.get(at + 1) == Some(&quote);
            if escaped || doubled {
                at += 1;
            }
            out.push(inner[at]);
            at += 1;
        }
        Cow::Owned(out)
    }
}

enum Quoted {
    Closed(usize),
    Unclosed,
    More,
}

/// Whether a backslash at the end of `text` takes the next character as it is.
pub(crate) fn ends_escaped(text: &[u8]) -> bool {
    text.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1
}

/// Whether a line is there for the eye alone: dashes, and what columns are divided with.
pub(crate) fn is_ruling(line: &[u8]) -> bool {
    let only = line.iter().all(|byte| matches!(byte, b'-' | b'=' | b'+' | b'|' | b':' | b',' | b';' | b' ' | b'\t'));
    only && line.windows(3).any(|three| three == b"---" || three == b"===")
}

/// Line ends in `text`: LF, CRLF and CR each count one.
pub(crate) fn count_line_ends(text: &[u8]) -> u64 {
    let mut count = 0;
    let mut at = 0;
    while let Some(offset) = memchr2(b'\n', b'\r', &text[at..]) {
        at += offset;
        at += if text[at..].starts_with(b"\r\n") { 2 } else { 1 };
        count += 1;
    }
    count
}

/// `text` without blanks at both ends.
pub(crate) fn trim_blanks(text: &[u8]) -> &[u8] {
    let start = text.iter().position(|byte| *byte != b' ').unwrap_or(text.len());
    let end = text.iter().rposition(|byte| *byte != b' ').map_or(start, |last| last + 1);
    &text[start..end]
}

/// How often `needle` occurs.
pub(crate) fn occurrences(text: &[u8], needle: &[u8]) -> usize {
    memmem::find_iter(text, needle).count()
}
