//! UTF-8 to any encoding.
//!
//! In: UTF-8 text, cut between characters, however long the pieces. Out: the same text in any encoding that can be
//! read, with a byte order mark in front where one is wanted. A character that the encoding lacks is refused,
//! with all its likes in the same piece, or becomes `?` or `\u{…}`.

use encoding_rs::EncoderResult;

use crate::error::{Error, Fault, FaultCode, Location, Result};
use crate::input::Encoding;
use crate::input::encoding::Scheme;
use crate::options::{Unmappable, WriteBom};

/// Characters that a message lists.
const LISTED: usize = 20;

/// Turns text into an encoding, piece by piece.
///
/// ```
/// use duckstream::{Transcoder, Unmappable, WriteBom};
/// let mut transcoder = Transcoder::new("utf-16", WriteBom::Auto, Unmappable::Error)?;
/// let mut bytes = Vec::new();
/// transcoder.encode("é", &mut bytes).unwrap();
/// transcoder.finish(&mut bytes);
/// assert_eq!(bytes, b"\xff\xfe\xe9\0");
/// # Ok::<(), duckstream::Error>(())
/// ```
pub struct Transcoder {
    encoding: Encoding,
    /// For the encodings of the WHATWG's standard, one of which has a state.
    encoder: Option<encoding_rs::Encoder>,
    unmappable: Unmappable,
    bom: bool,
    started: bool,
    replaced: u64,
}

/// The characters of one piece of text that an encoding lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmapped {
    /// The encoding.
    pub encoding: &'static str,
    /// How many there are.
    pub count: u64,
    /// The first 20: the byte offset in the piece, and the character.
    pub first: Vec<(usize, char)>,
}

impl Transcoder {
    /// Writes the encoding that `label` means. [`WriteBom::Auto`] writes a byte order mark for UTF-16, for UTF-32 and
    /// for the label `utf-8-sig`; [`WriteBom::Always`] for every encoding that has one.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) for a label that nobody knows.
    pub fn new(label: &str, bom: WriteBom, unmappable: Unmappable) -> Result<Self> {
        let encoding = Encoding::for_label(label)?;
        let encoder = match encoding.scheme {
            // The mark of UTF-16 is written by hand, because this encoder would write UTF-8.
            Scheme::Whatwg(whatwg) => Some(whatwg.new_encoder()),
            _ => None,
        };
        let bom = match bom {
            WriteBom::Never => false,
            WriteBom::Always => {
                matches!(encoding.scheme, Scheme::Utf8 | Scheme::Utf16(_) | Scheme::Utf32(_))
                    || encoding.name() == "gb18030"
            }
            WriteBom::Auto => match encoding.scheme {
                Scheme::Utf16(_) | Scheme::Utf32(_) => true,
                Scheme::Utf8 => label.trim().to_ascii_lowercase().ends_with("sig"),
                _ => false,
            },
        };
        Ok(Transcoder { encoding, encoder, unmappable, bom, started: false, replaced: 0 })
    }

    /// The encoding.
    pub fn encoding(&self) -> &Encoding {
        &self.encoding
    }

    /// Whether the text is written as it is: UTF-8, and no byte order mark to come.
    pub fn is_passthrough(&self) -> bool {
        self.encoding.is_utf8() && (self.started || !self.bom)
    }

    /// Characters that `?` or `\u{…}` stand for so far.
    pub fn replaced(&self) -> u64 {
        self.replaced
    }

    /// Adds `text`, encoded, to `out`; in front of the first text, the byte order mark.
    ///
    /// # Errors
    /// Under [`Unmappable::Error`], the characters of `text` that the encoding lacks; [`Unmapped::into_error`] makes an
    /// [`Error`] of them. What `out` holds then is not to be used.
    pub fn encode(&mut self, text: &str, out: &mut Vec<u8>) -> Result<(), Unmapped> {
        let mut unmapped = Unmapped { encoding: self.encoding.name(), count: 0, first: Vec::new() };
        self.start(out);
        self.put(text, out, &mut unmapped);
        if unmapped.count == 0 || self.unmappable != Unmappable::Error {
            self.replaced += unmapped.count;
            return Ok(());
        }
        Err(unmapped)
    }

    /// Adds what ends the text: the byte order mark where there was no text, the last escape of ISO-2022-JP.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        self.start(out);
        if let Some(mut encoder) = self.encoder.take() {
            let before = out.len();
            out.resize(before + 16, 0);
            let (_, _, made) = encoder.encode_from_utf8_without_replacement("", &mut out[before..], true);
            out.truncate(before + made);
        }
    }

    fn start(&mut self, out: &mut Vec<u8>) {
        if !self.started && self.bom {
            // It has the mark, or `bom` would be false.
            self.put("\u{feff}", out, &mut Unmapped { encoding: "", count: 0, first: Vec::new() });
        }
        self.started = true;
    }

    fn put(&mut self, text: &str, out: &mut Vec<u8>, unmapped: &mut Unmapped) {
        match &self.encoding.scheme {
            Scheme::Utf8 => out.extend_from_slice(text.as_bytes()),
            Scheme::Utf16(endian) => {
                out.reserve(text.len() * 2);
                for unit in text.encode_utf16() {
                    out.extend_from_slice(&endian.order(unit.to_le_bytes()));
                }
            }
            Scheme::Utf32(endian) => {
                out.reserve(text.len() * 4);
                for char in text.chars() {
                    out.extend_from_slice(&endian.order(u32::from(char).to_le_bytes()));
                }
            }
            Scheme::Table(table) => {
                out.reserve(text.len());
                for (at, char) in text.char_indices() {
                    if table.ascii && char.is_ascii() {
                        out.push(char as u8);
                    } else if let Some(byte) = table.byte(char) {
                        out.push(byte);
                    } else {
                        unmapped.note(at, char);
                        let bytes = stand_in(self.unmappable, char);
                        out.extend(bytes.chars().filter_map(|char| table.byte(char)));
                    }
                }
            }
            Scheme::Whatwg(_) => {
                let Some(encoder) = &mut self.encoder else { return };
                let mut rest = text;
                while let Some(char) = put_whatwg(encoder, &mut rest, out) {
                    unmapped.note(text.len() - rest.len() - char.len_utf8(), char);
                    // Every encoding has ASCII.
                    put_whatwg(encoder, &mut &stand_in(self.unmappable, char)[..], out);
                }
            }
        }
    }
}

/// Encodes up to the end of `text`, or past a character that cannot be encoded, which it gives.
fn put_whatwg(encoder: &mut encoding_rs::Encoder, text: &mut &str, out: &mut Vec<u8>) -> Option<char> {
    loop {
        let before = out.len();
        let room = encoder.max_buffer_length_from_utf8_without_replacement(text.len()).unwrap_or(text.len() * 4 + 16);
        out.resize(before + room, 0);
        let (result, taken, made) = encoder.encode_from_utf8_without_replacement(text, &mut out[before..], false);
        out.truncate(before + made);
        *text = &text[taken..];
        match result {
            EncoderResult::InputEmpty => return None,
            EncoderResult::OutputFull => {}
            EncoderResult::Unmappable(char) => return Some(char),
        }
    }
}

fn stand_in(unmappable: Unmappable, char: char) -> String {
    match unmappable {
        Unmappable::Error | Unmappable::Replace => "?".to_owned(),
        Unmappable::Escape => format!("\\u{{{:X}}}", u32::from(char)),
    }
}

impl Unmapped {
    fn note(&mut self, at: usize, char: char) {
        self.count += 1;
        if self.first.len() < LISTED {
            self.first.push((at, char));
        }
    }

    /// The error for it; `locate` turns a byte offset in the piece of text into a place: row and column, or line.
    pub fn into_error(self, locate: impl Fn(usize) -> Location) -> Error {
        let at = self.first.first().map(|(at, _)| locate(*at)).unwrap_or_default();
        let mut listed: Vec<String> = Vec::new();
        for (offset, char) in &self.first {
            let mut place = locate(*offset);
            // The message begins with the first one's source.
            place.source = String::new();
            let place = place.to_string();
            let place = place.trim_start_matches([':', ' ']);
            let separator = if place.is_empty() { "" } else { " at " };
            listed.push(format!("'{}' (U+{:04X}){separator}{place}", char.escape_debug(), u32::from(*char)));
        }
        if self.count > LISTED as u64 {
            listed.push("…".to_owned());
        }
        Fault {
            line_end: at.line.unwrap_or(0),
            code: FaultCode::Unmappable,
            message: format!("{} characters that {} does not have: {}", self.count, self.encoding, listed.join(", ")),
            value: self.first.first().map(|(_, char)| char.to_string()),
            hint: Some(
                "--unmappable replace or --unmappable escape; utf-8 as the output's encoding has all characters"
                    .to_owned(),
            ),
            raw: Vec::new(),
            at,
        }
        .into()
    }
}
