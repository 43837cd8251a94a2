//! [`Dialect`]: how the text is written, resolved to bytes.
//!
//! In: [`ReaderOptions`] with nothing left to be found out. Out: what the tokenizer and the decoders look for.
//! How we run (threads, batch size) is not part of it.

use crate::error::{Error, Result};
use crate::options::{NulBytes, ReaderOptions, Trim};

/// How a CSV text is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dialect {
    /// 1 to 8 bytes.
    pub delimiter: Vec<u8>,
    pub quote: Option<u8>,
    pub escape: Option<u8>,
    pub double_quote: bool,
    /// Not empty where there is one.
    pub comment: Option<Vec<u8>>,
    pub trim_fields: bool,
    pub nul: NulBytes,
}

impl Dialect {
    pub(crate) fn new(options: &ReaderOptions) -> Result<Dialect> {
        let delimiter = options.delimiter.value().map(|delimiter| delimiter.as_bytes().to_vec());
        let quote = options.quote.value().map(|quote| quote.0);
        let (Some(delimiter), Some(quote)) = (delimiter, quote) else {
            return Err(Error::internal("the dialect was not resolved before reading"));
        };
        let dialect = Dialect {
            delimiter,
            quote,
            escape: options.escape.0.filter(|escape| Some(*escape) != quote),
            double_quote: options.double_quote,
            comment: options.comment.clone().filter(|comment| !comment.is_empty()).map(String::into_bytes),
            trim_fields: matches!(options.trim, Trim::Fields | Trim::All),
            nul: options.nul,
        };
        for (name, byte) in [("quote", dialect.quote), ("escape", dialect.escape)] {
            if byte.is_some_and(|byte| dialect.delimiter.contains(&byte)) {
                return Err(Error::usage(format!("the {name} character is part of the delimiter")));
            }
        }
        Ok(dialect)
    }

    /// The dialect into which odd rows are rewritten, so that one fast decoder serves all dialects.
    pub(crate) fn canonical(&self) -> Dialect {
        let delimiter = if self.delimiter.len() == 1 && self.delimiter[0] != b'"' { self.delimiter[0] } else { b',' };
        Dialect {
            delimiter: vec![delimiter],
            quote: Some(self.quote.filter(|quote| *quote != delimiter).unwrap_or(b'"')),
            escape: None,
            double_quote: true,
            comment: None,
            trim_fields: false,
            nul: NulBytes::Keep,
        }
    }

    /// Delimiter and quote, where those two bytes are all there is to look for: then structure is found 64 bytes
    /// at a time.
    pub(crate) fn simple(&self) -> Option<(u8, Option<u8>)> {
        match self.delimiter.as_slice() {
            [delimiter]
                if self.escape.is_none()
                    && (self.double_quote || self.quote.is_none())
                    && self.comment.is_none()
                    && !self.trim_fields
                    && self.nul == NulBytes::Keep =>
            {
                Some((*delimiter, self.quote))
            }
            _ => None,
        }
    }
}
