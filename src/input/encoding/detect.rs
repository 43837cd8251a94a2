//! Which encoding an input is in, and why.
//!
//! In: what the caller said, and samples of the input. Out: the encoding, the length of the byte order mark, and an
//! [`EncodingChoice`] that says what decided. In order: a byte order mark; the given label; the pattern of NUL bytes
//! of UTF-16 and UTF-32; the escapes of ISO-2022-JP; UTF-8 if all samples are valid, or nearly; statistics.

use std::fmt;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};

use crate::error::Result;
use crate::input::encoding::{Encoding, Endian};
use crate::options::Auto;

/// The longest witness, in characters.
const WITNESS_LENGTH: usize = 80;
/// Valid multi-byte characters per invalid sequence from which text is damaged UTF-8 rather than something else.
const DAMAGED_RATIO: u64 = 4;

/// Bytes of each sample that the detector is shown.
const DETECTOR_SAMPLE: usize = 64 << 10;

/// What decided the encoding of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecidedBy {
    /// A byte order mark.
    Bom,
    /// The caller.
    Given,
    /// All that was looked at is valid UTF-8.
    ValidUtf8,
    /// Statistics over the bytes.
    Detected,
}

/// The encoding of an input, and the reason for it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EncodingChoice {
    /// The name, as [`Encoding::name`] has it.
    pub name: String,
    /// What decided.
    pub decided_by: DecidedBy,
    /// The same in words, for people, with a line of the input as a witness where there is one.
    pub evidence: String,
}

/// The bytes that are looked at.
pub(in crate::input) struct Sample {
    /// The first ones.
    pub(in crate::input) head: Vec<u8>,
    /// Some from other places.
    pub(in crate::input) pieces: Vec<Vec<u8>>,
    /// Whether `head` is everything.
    pub(in crate::input) whole: bool,
}

/// What was found.
pub(in crate::input) struct Decision {
    pub(in crate::input) encoding: Encoding,
    pub(in crate::input) choice: EncodingChoice,
    /// Bytes of the byte order mark.
    pub(in crate::input) bom: usize,
}

impl fmt::Display for DecidedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            DecidedBy::Bom => "bom",
            DecidedBy::Given => "given",
            DecidedBy::ValidUtf8 => "valid_utf8",
            DecidedBy::Detected => "detected",
        })
    }
}

impl fmt::Display for EncodingChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}: {})", self.name, self.decided_by, self.evidence)
    }
}

/// Decides the encoding.
pub(in crate::input) fn decide(given: &Auto<String>, sample: &Sample) -> Result<Decision> {
    // An unknown label is an error whether it is needed or not.
    let label = given.value();
    let given = label.map(|label| Encoding::for_label(label)).transpose()?;
    let decision = |encoding: Encoding, decided_by, bom, evidence| Decision {
        choice: EncodingChoice { name: encoding.name().to_owned(), decided_by, evidence },
        encoding,
        bom,
    };
    if let Some((encoding, bom)) = byte_order_mark(&sample.head, given.as_ref()) {
        let mut evidence = format!("the input begins with the byte order mark {}", hex(&sample.head[..bom]));
        if let Some(given) = given.filter(|given| !encoding.name().starts_with(given.name())) {
            evidence += &format!(", so the given {given} is set aside");
        }
        return Ok(decision(encoding, DecidedBy::Bom, bom, evidence));
    }
    if let (Some(given), Some(label)) = (given, label) {
        let wide = wide(&sample.head);
        // "utf-16" leaves the order of bytes open; without a mark, the zeros of ASCII characters show it.
        let given = match (given.name(), wide) {
            ("utf-16" | "utf-32", Some((found, _))) if found.name().starts_with(given.name()) => found,
            _ => given,
        };
        return Ok(decision(given, DecidedBy::Given, 0, format!("given as '{label}'")));
    }
    if let Some((encoding, evidence)) = wide(&sample.head) {
        return Ok(decision(encoding, DecidedBy::Detected, 0, evidence));
    }
    if [b"\x1b$B", b"\x1b$@"].into_iter().any(|escape| memchr::memmem::find(&sample.head, escape).is_some())
        && sample.head.is_ascii()
    {
        let encoding = Encoding::whatwg(encoding_rs::ISO_2022_JP);
        let evidence = format!("the escapes of ISO-2022-JP{}", witness(sample, &encoding));
        return Ok(decision(encoding, DecidedBy::Detected, 0, evidence));
    }
    let texts = texts(sample);
    let census = census(&texts);
    let looked = texts.iter().map(|text| text.len()).sum::<usize>();
    let where_ = if sample.whole {
        format!("all {looked} bytes")
    } else if sample.pieces.is_empty() {
        format!("the first {looked} bytes")
    } else {
        format!("{looked} bytes at head, middle and tail")
    };
    if census.invalid == 0 {
        let kind = if census.valid == 0 { "ASCII" } else { "valid UTF-8" };
        return Ok(decision(Encoding::UTF_8, DecidedBy::ValidUtf8, 0, format!("{where_} are {kind}")));
    }
    if census.valid >= DAMAGED_RATIO * census.invalid {
        let evidence = format!(
            "{where_} are UTF-8 ({} characters beyond ASCII) except for {} invalid sequences, the first of them {}",
            census.valid,
            census.invalid,
            hex(&census.first)
        );
        return Ok(decision(Encoding::UTF_8, DecidedBy::Detected, 0, evidence));
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    for text in &texts {
        feed(&mut detector, text);
    }
    detector.feed(b"", true);
    let guess = detector.guess(None, Utf8Detection::Deny);
    let telling = texts.iter().flat_map(|text| text.iter()).filter(|byte| !byte.is_ascii()).count();
    let encoding = Encoding::whatwg(guess);
    let evidence = format!(
        "{where_} are not UTF-8 ({}); by {telling} bytes beyond ASCII they are most likely {encoding}{}",
        hex(&census.first),
        witness(sample, &encoding)
    );
    Ok(decision(encoding, DecidedBy::Detected, 0, evidence))
}

fn byte_order_mark(head: &[u8], given: Option<&Encoding>) -> Option<(Encoding, usize)> {
    // UTF-32's little-endian mark is UTF-16's with a NUL behind it; the rest tells.
    let wide = !given.is_some_and(|given| given.name().starts_with("utf-16"))
        && head
            .chunks_exact(4)
            .skip(1)
            .all(|quad| quad.try_into().is_ok_and(|quad| char::from_u32(u32::from_le_bytes(quad)).is_some()));
    match head {
        [0xEF, 0xBB, 0xBF, ..] => Some((Encoding::UTF_8, 3)),
        [0xFF, 0xFE, 0, 0, ..] if wide => Some((Encoding::utf_32(Endian::Little), 4)),
        [0, 0, 0xFE, 0xFF, ..] => Some((Encoding::utf_32(Endian::Big), 4)),
        [0xFF, 0xFE, ..] => Some((Encoding::utf_16(Endian::Little), 2)),
        [0xFE, 0xFF, ..] => Some((Encoding::utf_16(Endian::Big), 2)),
        [0x84, 0x31, 0x95, 0x33, ..] => Some((Encoding::whatwg(encoding_rs::GB18030), 4)),
        _ => None,
    }
}

/// UTF-16 or UTF-32 without a mark: ASCII characters, of which every CSV has some, show as zeros in the same
/// byte of the unit, and in no other.
fn wide(head: &[u8]) -> Option<(Encoding, String)> {
    let mut zeros = [0usize; 4];
    for quad in head.chunks_exact(4) {
        for (count, byte) in zeros.iter_mut().zip(quad) {
            *count += usize::from(*byte == 0);
        }
    }
    let quads = head.len() / 4;
    // At least a tenth of the units, and next to none in the other places.
    let many = |count: usize| count * 10 >= quads && count > 0;
    let most = |count: usize| count * 10 >= quads * 9;
    let few = |count: usize, than: usize| count * 50 <= than;
    let found = |encoding: Encoding, zeros: usize, of: usize| {
        let evidence = format!("no byte order mark, but {zeros} of {of} bytes that are zero where {encoding} has them");
        Some((encoding, evidence))
    };
    let [a, b, c, d] = zeros;
    // Characters beyond the basic plane, which are rare, have something in the third byte.
    if quads > 0 && d == quads && most(c) && !many(a) {
        return found(Encoding::utf_32(Endian::Little), c + d, 2 * quads);
    }
    if quads > 0 && a == quads && most(b) && !many(d) {
        return found(Encoding::utf_32(Endian::Big), a + b, 2 * quads);
    }
    let (even, odd) = (a + c, b + d);
    if many(odd / 2) && few(even, odd) {
        return found(Encoding::utf_16(Endian::Little), odd, 2 * quads);
    }
    if many(even / 2) && few(odd, even) {
        return found(Encoding::utf_16(Endian::Big), even, 2 * quads);
    }
    None
}

/// The samples, cut where no character is cut: at line ends.
fn texts(sample: &Sample) -> Vec<&[u8]> {
    let to_line_end = |text| match memchr::memrchr(b'\n', text) {
        Some(end) => &text[..=end],
        None => text,
    };
    let head = &sample.head[..];
    let mut texts = vec![if sample.whole { head } else { to_line_end(head) }];
    for piece in &sample.pieces {
        // Without a line end there is no telling where a character begins.
        if let Some(start) = memchr::memchr(b'\n', piece) {
            texts.push(to_line_end(&piece[start + 1..]));
        }
    }
    texts
}

/// Shows the detector the lines that ASCII does not explain: the others say nothing, and it is slow.
fn feed(detector: &mut EncodingDetector, text: &[u8]) {
    let mut at = 0;
    let mut fed = 0;
    while fed < DETECTOR_SAMPLE {
        at += encoding_rs::Encoding::ascii_valid_up_to(&text[at..]);
        if at == text.len() {
            break;
        }
        let start = memchr::memrchr(b'\n', &text[..at]).map_or(0, |end| end + 1);
        let end = memchr::memchr(b'\n', &text[at..]).map_or(text.len(), |end| at + end + 1);
        detector.feed(&text[start..end], false);
        fed += end - start;
        at = end;
    }
}

/// What of some text is UTF-8.
#[derive(Default)]
struct Census {
    /// Characters beyond ASCII.
    valid: u64,
    /// Sequences that are not UTF-8.
    invalid: u64,
    /// The first of them.
    first: Vec<u8>,
}

fn census(texts: &[&[u8]]) -> Census {
    let mut census = Census::default();
    for text in texts {
        if text.is_ascii() {
            continue;
        }
        let mut rest = *text;
        while !rest.is_empty() {
            let (good, bad) = match simdutf8::compat::from_utf8(rest) {
                Ok(_) => (rest.len(), 0),
                Err(error) => {
                    let good = error.valid_up_to();
                    (good, error.error_len().unwrap_or(rest.len() - good))
                }
            };
            census.valid += rest[..good].iter().filter(|byte| **byte >= 0xC0).count() as u64;
            // A sample without a line end may be cut within its last character.
            if bad > 0 && !(good + bad == rest.len() && rest.len() < text.len().min(4) && text.len() > 4) {
                census.invalid += 1;
                if census.first.is_empty() {
                    census.first = rest[good..good + bad].to_vec();
                }
            }
            rest = &rest[good + bad..];
        }
    }
    census
}

/// The first line that ASCII does not explain, as the encoding has it.
fn witness(sample: &Sample, encoding: &Encoding) -> String {
    let super::Scheme::Whatwg(whatwg) = encoding.scheme else { return String::new() };
    let interesting = |byte: &u8| !byte.is_ascii() || *byte == 0x1b;
    let mut lines = 1;
    for text in std::iter::once(&sample.head).chain(&sample.pieces) {
        if let Some(at) = text.iter().position(interesting) {
            let start = memchr::memrchr(b'\n', &text[..at]).map_or(0, |end| end + 1);
            let length = memchr::memchr2(b'\n', b'\r', &text[at..]).map_or(text.len() - start, |end| at + end - start);
            let line = whatwg.decode_without_bom_handling(&text[start..start + length]).0;
            let shown: String = line.chars().take(WITNESS_LENGTH).collect();
            let more = if shown.len() < line.len() { "…" } else { "" };
            lines += memchr::memchr_iter(b'\n', &text[..at]).count();
            let place = if std::ptr::eq(text, &sample.head) { format!("line {lines}") } else { "a line".to_owned() };
            return format!("; {place} reads: {shown}{more}");
        }
    }
    String::new()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(" ")
}
