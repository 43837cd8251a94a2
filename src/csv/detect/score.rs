//! Which dialect fits the sample best.
//!
//! In: a sample of text and what the user gave. Out: every candidate that is worth a look, scored, best first. A
//! candidate scores by three things multiplied: how much of the sample has an established width (wider counts more),
//! how much its cells look like values of one kind per column, and how plausible it is before looking. A single stray
//! or missing delimiter thus costs one line, never the decision.

use std::collections::HashMap;

use crate::csv::detect::shape::{SHAPES, Shape};
use crate::csv::detect::tokens::{Dialect, Flaw, Record, line_at, occurrences};

/// How much of the sample is scored.
const SCORED_BYTES: usize = 192 << 10;
/// What a table of one column scores: less than any consistent split.
const SINGLE: f64 = 0.22;

/// Delimiters that are looked for without being asked, with how likely they are beforehand.
pub(crate) const DELIMITERS: [(&str, f64); 6] =
    [(",", 1.0), (";", 0.99), ("\t", 1.0), ("|", 0.99), (":", 0.65), (" ", 0.65)];
/// Rarer ones: several characters, or characters that nobody writes by accident.
pub(crate) const RARE_DELIMITERS: [(&str, f64); 12] = [
    ("||", 1.0),
    ("::", 0.95),
    (";;", 0.98),
    (",,", 0.9),
    ("\t\t", 0.9),
    ("~|~", 1.0),
    ("^", 0.9),
    ("~", 0.9),
    ("§", 0.9),
    ("¦", 0.95),
    ("\u{1f}", 1.0),
    ("\u{1}", 1.0),
];

/// What the user said about the dialect; `None` is to be found out.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known {
    pub delimiter: Option<Vec<u8>>,
    /// One more delimiter to look at.
    pub also: Option<Vec<u8>>,
    pub quote: Option<Option<u8>>,
    pub escape: Option<Option<u8>>,
}

/// One dialect, judged.
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    pub dialect: Dialect,
    /// 0 to 1.
    pub score: f64,
    /// The most frequent width.
    pub width: usize,
    /// The part of lines that have an established width.
    pub consistency: f64,
    /// The part of lines that have the most frequent width.
    pub evenness: f64,
    /// The first line whose width is not `width`, after the first that has it.
    pub odd_line: Option<u64>,
}

impl Dialect {
    /// Like `read`, but a flawed record is taken as its first physical line with quotes as text.
    pub fn read_safe(&self, text: &[u8], start: usize, complete: bool, record: &mut Record) -> bool {
        if !self.read(text, start, complete, record) {
            // A quoted field that runs off an incomplete sample: the caller stops here.
            return false;
        }
        if record.flaw == Flaw::None {
            return true;
        }
        let flaw = record.flaw;
        let Some((end, next)) = line_at(text, start, complete) else { return false };
        // Line by line, quotes stay quotes where they are well formed within the line.
        self.read(&text[..end], start, true, record);
        if record.flaw != Flaw::None {
            let plain = Dialect { quote: None, ..self.clone() };
            plain.read(&text[..end], start, true, record);
        }
        record.flaw = flaw;
        record.end = end;
        record.next = next;
        record.lines = 1;
        true
    }
}

/// Scores every candidate; the best first. Never empty.
pub(crate) fn rank(sample: &[u8], complete: bool, known: &Known, rare: bool) -> Vec<Candidate> {
    let cut = sample.len().min(SCORED_BYTES);
    let complete = complete && cut == sample.len();
    let text = &sample[..cut];
    let lines = occurrences(text, b"\n").max(occurrences(text, b"\r")).max(1);
    let mut delimiters: Vec<(Vec<u8>, f64)> = Vec::new();
    if let Some(given) = &known.delimiter {
        delimiters.push((given.clone(), 1.0));
    } else {
        let rare = if rare { &RARE_DELIMITERS[..] } else { &[] };
        for (delimiter, prior) in DELIMITERS.iter().chain(rare) {
            let found = occurrences(text, delimiter.as_bytes());
            if found * 4 >= lines {
                delimiters.push((delimiter.as_bytes().to_vec(), *prior));
            }
        }
        if let Some(also) = known.also.as_ref().filter(|also| delimiters.iter().all(|(other, _)| other != *also)) {
            delimiters.push((also.clone(), 1.0));
        }
    }
    let mut candidates = Vec::new();
    for (delimiter, prior) in &delimiters {
        for (quote, escape) in quotes(text, known) {
            let dialect = Dialect::new(delimiter, quote, escape);
            // Quotes as text must be clearly the better reading: a few stray ones do not do away with quoting.
            let prior = match (quote, known.quote) {
                (None, None) if wraps(text, delimiter) => *prior * 0.3,
                (None, None) => *prior * 0.85,
                _ => *prior,
            };
            let plain = score(&dialect, text, complete, prior);
            let escaped = delimiter[0] != b'\\' && occurrences(text, &[b"\\", &delimiter[..]].concat()) > 0;
            if escaped && known.escape.is_none() {
                let mut bare = score(&Dialect { bare_escape: true, ..dialect }, text, complete, prior);
                // Rows that become even by it leave little doubt.
                if bare.evenness > plain.evenness {
                    bare.score *= 1.2;
                }
                candidates.push(bare);
            }
            candidates.push(plain);
        }
    }
    let quote = known.quote.unwrap_or(Some(b'"'));
    let fallback = known.delimiter.clone().unwrap_or_else(|| b",".to_vec());
    if known.delimiter.is_none() {
        candidates.push(Candidate {
            dialect: Dialect::new(&fallback, quote, known.escape.flatten()),
            score: SINGLE * (0.5 + 0.5 * undivided(text)),
            width: 1,
            consistency: 1.0,
            evenness: 1.0,
            odd_line: None,
        });
    }
    // Stable: what was looked at first wins a tie, and `"` is looked at first.
    candidates.sort_by(|a, b| b.score.total_cmp(&a.score));
    candidates
}

/// The part of lines without any of the usual delimiters right before another character.
fn undivided(text: &[u8]) -> f64 {
    let lines = text.split(|byte| matches!(byte, b'\n' | b'\r')).filter(|line| !line.is_empty());
    let (mut whole, mut count) = (0.0, 0.0);
    for line in lines {
        let tight = |pair: &[u8]| matches!(pair[0], b',' | b';' | b'\t' | b'|') && pair[1] != b' ';
        count += 1.0;
        whole += f64::from(u8::from(!line.windows(2).any(tight)));
    }
    if count == 0.0 { 1.0 } else { whole / count }
}

/// Whether about as many fields begin with `"` as end with it: then quotes quote, however badly they are escaped.
fn wraps(text: &[u8], delimiter: &[u8]) -> bool {
    let ends =
        |at: usize| text.get(at).is_none_or(|byte| matches!(byte, b'\n' | b'\r')) || text[at..].starts_with(delimiter);
    let begins = |at: usize| at == 0 || matches!(text[at - 1], b'\n' | b'\r') || text[..at].ends_with(delimiter);
    let (mut opening, mut closing) = (0_usize, 0_usize);
    for at in memchr::memchr_iter(b'"', text) {
        opening += usize::from(begins(at));
        closing += usize::from(ends(at + 1));
    }
    opening > 0 && opening.min(closing) * 10 >= opening.max(closing) * 7
}

/// The ways of quoting for which the text gives any reason, the plain one first.
fn quotes(text: &[u8], known: &Known) -> Vec<(Option<u8>, Option<u8>)> {
    let mut kinds: Vec<Option<u8>> = match known.quote {
        Some(quote) => vec![quote],
        None => {
            let mut kinds = vec![Some(b'"')];
            let apostrophes = text.windows(2).filter(|pair| pair[0] == b'\'' && !pair[1].is_ascii_alphanumeric());
            if text.first() == Some(&b'\'') || apostrophes.take(2).count() == 2 {
                kinds.push(Some(b'\''));
            }
            if text.contains(&b'"') {
                kinds.push(None);
            }
            kinds
        }
    };
    kinds.dedup();
    let mut result = Vec::new();
    for quote in kinds {
        match known.escape {
            Some(escape) => result.push((quote, escape)),
            None => {
                result.push((quote, None));
                if let Some(byte) = quote
                    && occurrences(text, &[b'\\', byte]) > 0
                {
                    result.push((quote, Some(b'\\')));
                }
            }
        }
    }
    result
}

fn score(dialect: &Dialect, text: &[u8], complete: bool, prior: f64) -> Candidate {
    let mut record = Record::default();
    let mut widths: Vec<(usize, u64, u64)> = Vec::new();
    let mut columns: HashMap<(usize, usize), Cells> = HashMap::new();
    let (mut at, mut line, mut lines, mut flawed) = (0, 1, 0, 0);
    while at < text.len() && dialect.read_safe(text, at, complete, &mut record) {
        if !record.is_blank(text) {
            let width = record.fields.len();
            widths.push((width, record.lines, line));
            lines += record.lines;
            if record.flaw != Flaw::None {
                flawed += 1;
            }
            for (index, field) in record.fields.iter().enumerate() {
                let value = dialect.value(text, *field);
                let cells = columns.entry((width, index)).or_default();
                cells.add(&value, field.quoted, dialect);
            }
        }
        line += record.lines;
        at = record.next;
    }
    let mut counts: HashMap<usize, (u64, u64)> = HashMap::new();
    for (width, taken, _) in &widths {
        let entry = counts.entry(*width).or_default();
        entry.0 += 1;
        entry.1 += taken;
    }
    let total = lines.max(1) as f64;
    let records = widths.len() as u64;
    let established =
        |width: &usize| counts.get(width).is_some_and(|(n, _)| (*n >= 2 && *n * 10 >= records) || records <= 2);
    let mut credit = 0.0;
    let mut even = 0;
    let (mut quality, mut cells_seen) = (0.0, 0.0);
    for (width, (_, taken)) in &counts {
        if !established(width) {
            continue;
        }
        even += taken;
        credit += *taken as f64 * (1.0 - 1.0 / *width as f64);
        for index in 0..*width {
            if let Some(cells) = columns.get(&(*width, index)) {
                let (value, weight) = cells.quality();
                quality += value * weight;
                cells_seen += weight;
            }
        }
    }
    let quality = if cells_seen > 0.0 { quality / cells_seen } else { 0.0 };
    let width = counts.iter().max_by_key(|(width, (_, taken))| (*taken, **width)).map_or(1, |(width, _)| *width);
    let first = widths.iter().position(|(w, _, _)| *w == width).unwrap_or(0);
    let odd_line = widths[first.min(widths.len())..].iter().find(|(w, _, _)| *w != width).map(|(_, _, line)| *line);
    // Blanks and colons divide any text; only if they do so evenly do they delimit.
    let most = counts.values().map(|(_, taken)| *taken).max().unwrap_or(0) as f64 / total;
    let prior = if matches!(dialect.delimiter[..], [b' ' | b':']) { prior * most.sqrt() } else { prior };
    let flaws = 1.0 - 0.6 * flawed as f64 / total;
    let score = (credit / total) * quality * prior * flaws;
    Candidate { dialect: dialect.clone(), score, width, consistency: even as f64 / total, evenness: most, odd_line }
}

/// The cells of one column among records of one width.
#[derive(Default)]
struct Cells {
    shapes: [u32; SHAPES],
    weight: f64,
    count: u32,
}

impl Cells {
    fn add(&mut self, value: &[u8], quoted: bool, dialect: &Dialect) {
        let shape = Shape::of(value);
        self.shapes[shape as usize] += 1;
        self.count += 1;
        self.weight += cell_quality(shape, value, quoted, dialect);
    }

    /// Mean quality of the cells, lowered where shapes are mixed; and how much it counts.
    fn quality(&self) -> (f64, f64) {
        let count = f64::from(self.count.max(1));
        let empty = f64::from(self.shapes[Shape::Empty as usize] + self.shapes[Shape::Null as usize]);
        if empty == count {
            // A column without a single value is as likely a misread as a column.
            return (0.3, count);
        }
        let most = f64::from(self.shapes[2..].iter().copied().max().unwrap_or(0));
        let purity = most / (count - empty);
        (self.weight / count * (0.6 + 0.4 * purity), count)
    }
}

fn cell_quality(shape: Shape, value: &[u8], quoted: bool, dialect: &Dialect) -> f64 {
    let base = match shape {
        Shape::Empty => 0.9,
        Shape::Code => 0.85,
        Shape::Text => 0.75,
        Shape::Word => 0.95,
        _ => 1.0,
    };
    if shape.is_typed() || shape.is_empty() {
        return base;
    }
    let trimmed = value.trim_ascii();
    let (first, last) = (trimmed.first().copied(), trimmed.last().copied());
    let edge = |byte: u8| first == Some(byte) || last == Some(byte);
    if edge(b'"') && !(quoted && dialect.quote == Some(b'\'')) && !wrapped_text(trimmed, quoted) {
        return 0.1;
    }
    if first == Some(b'\'') && last == Some(b'\'') && trimmed.len() > 1 {
        return 0.3;
    }
    if !quoted && last == Some(b'\\') {
        return 0.1;
    }
    if value.windows(2).any(|pair| pair == b"\\\"") {
        return 0.3;
    }
    // Half of something in apostrophes.
    if !quoted && dialect.quote != Some(b'\'') && (first == Some(b'\'')) != (last == Some(b'\'')) {
        return 0.5;
    }
    if !quoted {
        let tight = |byte: u8| {
            trimmed
                .iter()
                .enumerate()
                .any(|(at, other)| *other == byte && trimmed.get(at + 1).is_some_and(|next| *next != b' '))
        };
        if [b',', b';', b'\t', b'|'].iter().any(|byte| dialect.delimiter != [*byte] && tight(*byte)) {
            return base * 0.4;
        }
    }
    base
}

/// A quoted field may well end or begin with a quote of its own: `"the ""best"""`.
fn wrapped_text(value: &[u8], quoted: bool) -> bool {
    quoted && value.iter().filter(|byte| **byte == b'"').count() % 2 == 0
}
