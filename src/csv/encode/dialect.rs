//! How CSV is written: what stands between values, and which texts need quotes.
//!
//! In: [`WriterOptions`]. Out: [`Dialect`], with the answers that the encoders need per value worked out once.
//! Refused: options that contradict each other, so that the text would not read back.

use arrow::datatypes::DataType;

use crate::error::{Error, Result};
use crate::options::{Newline, Quoting, WriterOptions};

/// A text of up to 16 bytes, stored with one instruction.
#[derive(Debug, Clone, Copy)]
pub(super) struct Short {
    pub bytes: [u8; 16],
    pub len: usize,
}

impl Short {
    fn new(parts: &[&[u8]]) -> Self {
        let mut short = Short { bytes: [0; 16], len: 0 };
        for part in parts {
            short.bytes[short.len..short.len + part.len()].copy_from_slice(part);
            short.len += part.len();
        }
        short
    }
}

/// How CSV is written.
#[derive(Debug, Clone)]
pub(super) struct Dialect {
    pub delimiter: Vec<u8>,
    pub newline: Newline,
    pub quote: Option<u8>,
    /// What goes before a quote inside quotes: the quote itself, unless an escape is set.
    pub escape: u8,
    pub quoting: Quoting,
    pub null: Vec<u8>,
    /// Every byte that makes a text suspect, some of them twice.
    specials: [u8; 5],
}

impl Dialect {
    pub fn new(options: &WriterOptions) -> Result<Self> {
        let delimiter = options.delimiter.as_bytes().to_vec();
        let quoting = match (options.quote.0, options.quoting) {
            (None, Quoting::Minimal | Quoting::None) | (Some(_), Quoting::None) => Quoting::None,
            (None, other) => {
                return Err(Error::usage(format!("quoting = {other} needs a quote character, and quote is none")));
            }
            (Some(_), other) => other,
        };
        let (quote, escape) = (options.quote.0, options.escape.0.or(options.quote.0));
        for (name, byte) in [("quote", quote), ("escape", options.escape.0)] {
            if let Some(byte) = byte.filter(|byte| delimiter.contains(byte)) {
                let (byte, text) = (byte as char, options.delimiter.as_str());
                return Err(Error::usage(format!("{name} {byte:?} is part of the delimiter {text:?}")));
            }
        }
        let null = options.null_value.as_bytes().to_vec();
        // Any line end byte does: readers take LF, CR LF and CR alike.
        let (q, e) = (quote.unwrap_or(b'\n'), escape.unwrap_or(b'\n'));
        let specials = [delimiter[0], q, e, b'\n', b'\r'];
        let dialect = Dialect {
            delimiter,
            newline: options.newline,
            quote,
            escape: escape.unwrap_or(0),
            quoting,
            null,
            specials,
        };
        if dialect.breaks_a_row(&dialect.null) {
            return Err(Error::usage(format!(
                "null_value {:?} holds the delimiter, the quote or a line end, and NULL is never quoted",
                options.null_value
            )));
        }
        Ok(dialect)
    }

    /// What follows a value: the delimiter or the line end, with the closing quote before it if `quoted`.
    pub fn tail(&self, last: bool, quoted: bool) -> Short {
        let quote = self.quote.as_slice();
        let end = if last { self.newline.as_str().as_bytes() } else { &self.delimiter };
        Short::new(&[if quoted { quote } else { b"" }, end])
    }

    /// What precedes a value: the opening quote, if `quoted`.
    pub fn open(&self, quoted: bool) -> Short {
        Short::new(&[if quoted { self.quote.as_slice() } else { b"" }])
    }

    /// Whether every value of such a column is quoted, needed or not.
    pub fn always_quotes(&self, data_type: &DataType) -> bool {
        match self.quoting {
            Quoting::All | Quoting::NotNull => true,
            Quoting::NonNumeric => !is_number(data_type),
            _ => false,
        }
    }

    /// Whether a byte that could need quotes is in `text`, by a loop that compiles to SIMD.
    #[inline]
    pub fn is_suspect(&self, text: &[u8]) -> bool {
        let (chunks, rest) = text.as_chunks::<32>();
        chunks.iter().any(|chunk| chunk.iter().fold(false, |any, byte| any | self.is_special(*byte)))
            | rest.iter().fold(false, |any, byte| any | self.is_special(*byte))
    }

    #[inline(always)]
    fn is_special(&self, byte: u8) -> bool {
        let [a, b, c, d, e] = self.specials;
        (byte == a) | (byte == b) | (byte == c) | (byte == d) | (byte == e)
    }

    /// [`is_suspect`](Self::is_suspect) for a piece of `source`: of most texts, that are short, all bytes at once.
    #[inline(always)]
    fn is_suspect_in(&self, source: &[u8], start: usize, end: usize) -> bool {
        match source[start..].first_chunk::<32>() {
            Some(chunk) if end - start <= 32 => {
                let len = (end - start) as u8;
                let within = |(at, byte): (usize, &u8)| ((at as u8) < len) & self.is_special(*byte);
                chunk.iter().enumerate().fold(false, |any, byte| any | within(byte))
            }
            _ => self.is_suspect(&source[start..end]),
        }
    }

    /// Whether `text`, standing bare, would not be taken for one value.
    pub fn breaks_a_row(&self, text: &[u8]) -> bool {
        self.breaks_a_row_in(text, 0, text.len())
    }

    /// [`breaks_a_row`](Self::breaks_a_row) for a piece of `source`.
    #[inline(always)]
    pub fn breaks_a_row_in(&self, source: &[u8], start: usize, end: usize) -> bool {
        let suspect = self.is_suspect_in(source, start, end);
        if !suspect || self.delimiter.len() == 1 {
            return suspect;
        }
        self.holds_a_special(&source[start..end])
    }

    /// Whether a suspect text holds the whole of a delimiter of several bytes, or something else that needs quotes.
    fn holds_a_special(&self, text: &[u8]) -> bool {
        let [first, others @ ..] = self.specials;
        text.iter().enumerate().any(|(at, byte)| {
            if *byte == first {
                // The start of a delimiter at the very end could join with the delimiter that follows.
                let rest = &text[at..];
                rest.starts_with(&self.delimiter) || rest.len() < self.delimiter.len()
            } else {
                others.contains(byte)
            }
        })
    }

    /// Whether a value that is `text` must be quoted to read back as itself.
    #[inline]
    pub fn needs_quotes(&self, text: &[u8]) -> bool {
        text.is_empty() || text == self.null || self.breaks_a_row(text)
    }

    /// Whether a bare value made of these bytes alone is always read back as itself.
    pub fn is_harmless(&self, alphabet: &[u8]) -> bool {
        !self.delimiter.iter().chain(&self.specials).any(|byte| alphabet.contains(byte))
            && (self.null.is_empty() || self.null.iter().any(|byte| !alphabet.contains(byte)))
    }
}

fn is_number(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, value) => is_number(value),
        DataType::RunEndEncoded(_, values) => is_number(values.data_type()),
        other => other.is_numeric(),
    }
}
