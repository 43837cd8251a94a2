//! The exact rules of CSV, one record at a time: slow, obvious, and the last word.
//!
//! In: text that starts at a record's start, and a [`Dialect`]. Out: where the record ends and where its fields
//! lie ([`Record`]), and what a field's bytes stand for ([`field_value`]). The splitter asks it where its fast scan
//! meets something odd; the decoders ask it for odd rows.
//!
//! The rules: a field is quoted if its first byte is the quote. A quoted field ends at the next quote that is
//! neither doubled nor escaped; text between that quote and the delimiter is stray. Elsewhere quotes are text.
//! `\n`, `\r\n` and `\r` end a record outside quotes, in any mixture.

use std::borrow::Cow;
use std::ops::Range;

use memchr::{memchr, memchr2, memchr3};

use crate::csv::dialect::Dialect;

/// What a record turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RecordKind {
    Data,
    /// A line with nothing on it.
    Blank,
    Comment,
}

/// One record of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Record {
    pub kind: RecordKind,
    /// End of the record's bytes, without the line end.
    pub end: usize,
    /// Start of the next record.
    pub next: usize,
    /// Text stands after a closing quote.
    pub stray: bool,
    /// A quote is still open at the end of the text.
    pub unclosed: bool,
}

/// Finds the record that starts at `start`, and its fields (raw, quotes included).
///
/// `None` if the text ends before the record does and more is to come (`complete` is false); at the end of a
/// complete text the last record needs no line end.
pub(crate) fn record(
    dialect: &Dialect,
    text: &[u8],
    start: usize,
    complete: bool,
    fields: &mut Vec<Range<usize>>,
) -> Option<Record> {
    fields.clear();
    let rest = &text[start..];
    if let Some(comment) = &dialect.comment {
        if rest.starts_with(comment) {
            let end = memchr2(b'\n', b'\r', rest).map(|at| start + at);
            return end_of_line(text, end, complete).map(|(end, next)| Record {
                kind: RecordKind::Comment,
                end,
                next,
                stray: false,
                unclosed: false,
            });
        }
        if !complete && comment.starts_with(rest) {
            return None;
        }
    }
    let (mut at, mut stray) = (start, false);
    loop {
        let begin = at;
        if dialect.quote.is_some() && text.get(at).copied() == dialect.quote {
            match closing_quote(dialect, text, at + 1, complete) {
                Quoted::Closed(after) => at = after,
                Quoted::Unclosed if complete => {
                    fields.push(begin..text.len());
                    return Some(Record {
                        kind: RecordKind::Data,
                        end: text.len(),
                        next: text.len(),
                        stray,
                        unclosed: true,
                    });
                }
                Quoted::Unclosed => return None,
            }
            let after = at;
            at = field_end(dialect, text, at, complete)?;
            stray |= at > after;
        } else {
            at = field_end(dialect, text, at, complete)?;
        }
        fields.push(begin..at);
        if at < text.len() && !matches!(text[at], b'\n' | b'\r') {
            at += dialect.delimiter.len();
            continue;
        }
        let (end, next) = end_of_line(text, (at < text.len()).then_some(at), complete)?;
        let kind = if end == start { RecordKind::Blank } else { RecordKind::Data };
        return Some(Record { kind, end, next, stray, unclosed: false });
    }
}

enum Quoted {
    /// Offset after the closing quote.
    Closed(usize),
    Unclosed,
}

fn closing_quote(dialect: &Dialect, text: &[u8], mut at: usize, complete: bool) -> Quoted {
    let Some(quote) = dialect.quote else { return Quoted::Unclosed };
    loop {
        let found = match dialect.escape {
            Some(escape) => memchr2(quote, escape, &text[at..]),
            None => memchr(quote, &text[at..]),
        };
        let Some(found) = found.map(|offset| at + offset) else { return Quoted::Unclosed };
        if text[found] != quote {
            // The escape takes the next byte as it is.
            at = found + 2;
            if at > text.len() {
                return Quoted::Unclosed;
            }
        } else if dialect.double_quote && text.get(found + 1) == Some(&quote) {
            at = found + 2;
        } else if found + 1 == text.len() && !complete {
            return Quoted::Unclosed;
        } else {
            return Quoted::Closed(found + 1);
        }
    }
}

/// Where a field that goes on at `at`, outside quotes, ends: at a delimiter, a line end, or the end of the text.
fn field_end(dialect: &Dialect, text: &[u8], mut at: usize, complete: bool) -> Option<usize> {
    let first = dialect.delimiter[0];
    loop {
        match memchr3(first, b'\n', b'\r', &text[at..]).map(|offset| at + offset) {
            None => return complete.then_some(text.len()),
            Some(found) if text[found] == first => {
                let rest = &text[found..];
                if rest.starts_with(&dialect.delimiter) {
                    return Some(found);
                }
                if !complete && dialect.delimiter.starts_with(rest) {
                    return None;
                }
                at = found + 1;
            }
            Some(found) => return Some(found),
        }
    }
}

/// The end of the record's bytes and the start of the next record.
fn end_of_line(text: &[u8], at: Option<usize>, complete: bool) -> Option<(usize, usize)> {
    match at {
        Some(at) if text[at] == b'\r' => match text.get(at + 1) {
            Some(b'\n') => Some((at, at + 2)),
            None if !complete => None,
            _ => Some((at, at + 1)),
        },
        Some(at) => Some((at, at + 1)),
        None => complete.then_some((text.len(), text.len())),
    }
}

/// What the raw bytes of a field stand for, and whether they were quoted.
pub(crate) fn field_value<'a>(dialect: &Dialect, raw: &'a [u8]) -> (Cow<'a, [u8]>, bool) {
    let Some(quote) = dialect.quote.filter(|quote| raw.first() == Some(quote)) else {
        let trimmed = if dialect.trim_fields { trim(raw) } else { raw };
        return (Cow::Borrowed(trimmed), false);
    };
    // Nearly always: one closing quote at the end and nothing special between.
    if let [_, inner @ .., last] = raw {
        let special = match dialect.escape {
            Some(escape) => memchr2(quote, escape, inner),
            None => memchr(quote, inner),
        };
        if *last == quote && special.is_none() {
            return (Cow::Borrowed(inner), true);
        }
    }
    let mut value = Vec::with_capacity(raw.len());
    let mut at = 1;
    while at < raw.len() {
        let byte = raw[at];
        if Some(byte) == dialect.escape && at + 1 < raw.len() {
            value.push(raw[at + 1]);
            at += 2;
        } else if byte == quote {
            if dialect.double_quote && raw.get(at + 1) == Some(&quote) {
                value.push(quote);
                at += 2;
            } else {
                // Closed: whatever follows is stray text, taken as it is.
                value.extend_from_slice(&raw[at + 1..]);
                break;
            }
        } else {
            value.push(byte);
            at += 1;
        }
    }
    (Cow::Owned(value), true)
}

/// Without blanks and tabs at both ends.
pub(crate) fn trim(text: &[u8]) -> &[u8] {
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = text.iter().position(|byte| !blank(byte)).unwrap_or(text.len());
    let end = text.iter().rposition(|byte| !blank(byte)).map_or(start, |at| at + 1);
    &text[start..end]
}

/// Physical lines that end within `text`: `\n`, `\r\n` and `\r` are one each.
pub(crate) fn count_lines(text: &[u8]) -> u64 {
    let line_feeds = memchr::memchr_iter(b'\n', text).count();
    let lone = memchr::memchr_iter(b'\r', text).filter(|at| text.get(at + 1) != Some(&b'\n')).count();
    (line_feeds + lone) as u64
}

/// How many fields are complete in the record that a text ends within; none if it ends with a record.
pub(crate) fn fields_reached(dialect: &Dialect, text: &[u8]) -> usize {
    let (mut at, mut fields) = (0, Vec::new());
    while let Some(found) = record(dialect, text, at, true, &mut fields) {
        if found.next == text.len() {
            return if found.end < found.next { 0 } else { fields.len().saturating_sub(1) };
        }
        at = found.next;
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::{QuoteChar, ReaderOptions};

    fn dialect(change: impl FnOnce(&mut ReaderOptions)) -> Dialect {
        let mut options = ReaderOptions::default();
        change(&mut options);
        Dialect::new(&options).unwrap()
    }

    fn rows(dialect: &Dialect, text: &str) -> Vec<Vec<String>> {
        let (mut at, mut fields, mut rows) = (0, Vec::new(), Vec::new());
        while at < text.len() {
            let record = record(dialect, text.as_bytes(), at, true, &mut fields).unwrap();
            if record.kind == RecordKind::Data {
                rows.push(
                    fields
                        .iter()
                        .map(|field| {
                            let (value, quoted) = field_value(dialect, &text.as_bytes()[field.clone()]);
                            format!("{}{}", if quoted { "q:" } else { "" }, String::from_utf8_lossy(&value))
                        })
                        .collect(),
                );
            }
            at = record.next;
        }
        rows
    }

    #[test]
    fn the_rules_in_cases() {
        let plain = dialect(|_| {});
        let long = dialect(|options| options.delimiter = "||".parse().unwrap());
        let escaped = dialect(|options| options.escape = QuoteChar(Some(b'\\')));
        let bare = dialect(|options| options.quote = "none".parse().unwrap());
        let commented = dialect(|options| options.comment = Some("//".to_owned()));
        for (dialect, text, expected) in [
            (&plain, "a,b\n1,2\n", vec![vec!["a", "b"], vec!["1", "2"]]),
            (&plain, "a,b\r\n1,2\r3,4", vec![vec!["a", "b"], vec!["1", "2"], vec!["3", "4"]]),
            (&plain, "\n\r\n\ra\n", vec![vec!["a"]]),
            (&plain, "\"a\nb\",\"\",\n", vec![vec!["q:a\nb", "q:", ""]]),
            (&plain, "\"a\"\"b\",5\" pipe\n", vec![vec!["q:a\"b", "5\" pipe"]]),
            (&plain, "\"a\"bc\",d\n", vec![vec!["q:abc\"", "d"]]),
            (&plain, "a,\"open\nx,y\n", vec![vec!["a", "q:open\nx,y\n"]]),
            (&long, "a||b|c||\n", vec![vec!["a", "b|c", ""]]),
            (&escaped, "\"a\\\"b\",\"c\\\\\"\n", vec![vec!["q:a\"b", "q:c\\"]]),
            (&bare, "\"a,b\"\n", vec![vec!["\"a", "b\""]]),
            (&commented, "// no\na//b\n", vec![vec!["a//b"]]),
        ] {
            assert_eq!(rows(dialect, text), expected, "{text:?}");
        }
    }

    #[test]
    fn an_incomplete_text_never_decides_too_early() {
        let dialects = [
            dialect(|_| {}),
            dialect(|options| options.delimiter = "||".parse().unwrap()),
            dialect(|options| options.escape = QuoteChar(Some(b'\\'))),
            dialect(|options| options.comment = Some("//".to_owned())),
        ];
        let text = b"a||\"x\"\"\\\",y\r\n//z||\"q\"\r\rb,\"1\n2\"\n";
        for dialect in &dialects {
            let (mut fields, mut other) = (Vec::new(), Vec::new());
            let whole = record(dialect, text, 0, true, &mut fields);
            for cut in 0..text.len() {
                if let Some(early) = record(dialect, &text[..cut], 0, false, &mut other) {
                    assert_eq!(Some(early), whole, "cut at {cut}");
                    assert_eq!(other, fields);
                }
            }
        }
    }
}
