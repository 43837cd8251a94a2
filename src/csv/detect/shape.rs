//! What a cell looks like: its shape (integer, date, price, …) and its pattern (`A999`).
//!
//! In: the bytes of one cell. Out: a [`Shape`] and a hash of its pattern. Nothing is parsed to a value here: `0012` and
//! `12` are both integers, and a date only has to look like one.

use std::hash::{DefaultHasher, Hash, Hasher};

/// The shape of a cell, roughly from the most particular to the most general.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Shape {
    Empty,
    /// `NA`, `null`, `-`: says nothing about its column.
    Null,
    Bool,
    Int,
    Decimal,
    /// A number with a currency or percent sign.
    Price,
    Date,
    Time,
    DateTime,
    Url,
    /// Letters and digits or punctuation, no blanks.
    Code,
    /// Letters only, no blanks.
    Word,
    Text,
}

/// How many shapes there are.
pub(crate) const SHAPES: usize = Shape::Text as usize + 1;

impl Shape {
    /// Whether the shape is one that free text, and thus a header, rarely has.
    pub fn is_typed(self) -> bool {
        matches!(
            self,
            Shape::Bool
                | Shape::Int
                | Shape::Decimal
                | Shape::Price
                | Shape::Date
                | Shape::Time
                | Shape::DateTime
                | Shape::Url
        )
    }

    /// Whether the shape says nothing.
    pub fn is_empty(self) -> bool {
        matches!(self, Shape::Empty | Shape::Null)
    }

    /// Whether cells of both shapes live in one typed column.
    pub fn goes_with(self, other: Shape) -> bool {
        let number = |shape| matches!(shape, Shape::Int | Shape::Decimal | Shape::Price);
        let moment = |shape| matches!(shape, Shape::Date | Shape::DateTime);
        self == other || (number(self) && number(other)) || (moment(self) && moment(other))
    }

    /// Whether a column of shape `self` may well hold a cell of shape `cell`.
    pub fn covers(self, cell: Shape) -> bool {
        match self {
            Shape::Text => true,
            Shape::Code => matches!(cell, Shape::Int | Shape::Word | Shape::Decimal | Shape::Date),
            Shape::Decimal | Shape::Price => cell == Shape::Int || cell == Shape::Decimal,
            Shape::DateTime => cell == Shape::Date,
            Shape::Word => cell == Shape::Bool,
            _ => false,
        }
    }

    /// The shape of a cell; blanks around it do not matter.
    pub fn of(cell: &[u8]) -> Shape {
        let cell = cell.trim_ascii();
        if cell.is_empty() {
            return Shape::Empty;
        }
        if cell.len() > 64 {
            return if is_url(cell) { Shape::Url } else { Shape::Text };
        }
        let digits = cell.iter().filter(|byte| byte.is_ascii_digit()).count();
        if digits == 0 {
            return wordy(cell);
        }
        if let Some(shape) = number(cell) {
            return shape;
        }
        if is_time(cell) {
            return Shape::Time;
        }
        if is_date(cell) {
            return Shape::Date;
        }
        if is_date_time(cell) {
            return Shape::DateTime;
        }
        if is_url(cell) {
            return Shape::Url;
        }
        if is_phrase(cell) { Shape::Text } else { Shape::Code }
    }
}

/// Blanks or list separators: more than one word.
fn is_phrase(cell: &[u8]) -> bool {
    cell.iter().any(|byte| byte.is_ascii_whitespace() || matches!(byte, b',' | b';' | b'|'))
}

fn wordy(cell: &[u8]) -> Shape {
    const NULLS: [&str; 12] = ["na", "n/a", "nan", "null", "none", "-", "--", "?", ".", "#n/a", "\\n", "nil"];
    let text = std::str::from_utf8(cell).unwrap_or("\u{fffd} \u{fffd}");
    let is = |other: &&str| text.eq_ignore_ascii_case(other);
    if NULLS.iter().any(is) {
        Shape::Null
    } else if ["true", "false"].iter().any(is) {
        Shape::Bool
    } else if is_url(cell) {
        Shape::Url
    } else if text.chars().all(char::is_alphabetic) {
        Shape::Word
    } else if is_phrase(cell) {
        Shape::Text
    } else {
        Shape::Code
    }
}

fn is_url(cell: &[u8]) -> bool {
    let starts = |prefix: &[u8]| cell.len() > prefix.len() && cell[..prefix.len()].eq_ignore_ascii_case(prefix);
    let blank = cell.iter().any(|byte| byte.is_ascii_whitespace());
    if blank {
        return false;
    }
    if starts(b"http://") || starts(b"https://") || starts(b"ftp://") || starts(b"www.") {
        return true;
    }
    let at = cell.iter().position(|byte| *byte == b'@');
    at.is_some_and(|at| at > 0 && cell[at + 1..].contains(&b'.') && !cell[at + 1..].contains(&b'@'))
}

/// Integer, decimal (point or comma, grouped or not, with an exponent) or price.
fn number(cell: &[u8]) -> Option<Shape> {
    let text = std::str::from_utf8(cell).ok()?;
    const SIGNS: [char; 6] = ['$', '€', '£', '¥', '₹', '%'];
    let bare = text.trim_matches(|c| SIGNS.contains(&c) || c == ' ');
    let price = bare.len() != text.len();
    let bare = bare.strip_prefix(['-', '+']).unwrap_or(bare);
    let bare = if price { bare.trim_start_matches(SIGNS) } else { bare };
    let (mantissa, exponent) = match bare.find(['e', 'E']) {
        Some(at) => (&bare[..at], Some(&bare[at + 1..])),
        None => (bare, None),
    };
    if let Some(exponent) = exponent {
        let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        if exponent.is_empty() || exponent.len() > 3 || !exponent.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
    }
    if mantissa.is_empty() || !mantissa.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.' || byte == b',') {
        return None;
    }
    if !mantissa.bytes().any(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let separators = mantissa.bytes().filter(|byte| !byte.is_ascii_digit()).count();
    let shape = if separators == 0 && exponent.is_none() {
        Shape::Int
    } else if separators <= 1 || grouped(mantissa) {
        Shape::Decimal
    } else {
        return None;
    };
    Some(if price { Shape::Price } else { shape })
}

/// Groups of three digits with one kind of separator, then possibly a fraction with the other kind.
fn grouped(mantissa: &str) -> bool {
    let Some(separator) = mantissa.chars().find(|c| !c.is_ascii_digit()) else { return false };
    let (whole, _) = match mantissa.rfind(|c: char| !c.is_ascii_digit() && c != separator) {
        Some(at) => mantissa.split_at(at),
        None => (mantissa, ""),
    };
    let mut groups = whole.split(separator);
    groups.next().is_some_and(|first| (1..=3).contains(&first.len())) && groups.all(|group| group.len() == 3)
}

fn digits_in(part: &[u8], least: usize, most: usize) -> bool {
    (least..=most).contains(&part.len()) && part.iter().all(u8::is_ascii_digit)
}

fn is_time(cell: &[u8]) -> bool {
    let mut body = cell;
    for suffix in [b"AM", b"PM", b"am", b"pm"] {
        if let Some(rest) = body.strip_suffix(suffix) {
            body = rest.trim_ascii_end();
        }
    }
    let mut parts = body.split(|byte| *byte == b':');
    let hours = parts.next().unwrap_or_default();
    let Some(minutes) = parts.next() else { return false };
    if !digits_in(hours, 1, 2) || !digits_in(minutes, 2, 2) {
        return false;
    }
    match parts.next() {
        None => true,
        Some(seconds) => {
            let mut halves = seconds.splitn(2, |byte| *byte == b'.' || *byte == b',');
            let whole = halves.next().is_some_and(|part| digits_in(part, 2, 2));
            let fraction = halves.next().is_none_or(|part| digits_in(part, 1, 9));
            whole && fraction && parts.next().is_none()
        }
    }
}

fn is_date(cell: &[u8]) -> bool {
    if !(6..=20).contains(&cell.len()) {
        return false;
    }
    let Some(separator) = cell.iter().find(|byte| matches!(byte, b'-' | b'/' | b'.' | b' ')).copied() else {
        return false;
    };
    let mut parts: [&[u8]; 3] = [&[]; 3];
    let mut count = 0;
    for part in cell.split(|byte| *byte == separator || *byte == b',').filter(|part| !part.is_empty()) {
        if count == 3 {
            return false;
        }
        parts[count] = part;
        count += 1;
    }
    if count != 3 {
        return false;
    }
    let month = |part: &[u8]| {
        const MONTHS: [&[u8]; 12] =
            [b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec"];
        part.len() >= 3
            && part.iter().all(u8::is_ascii_alphabetic)
            && MONTHS.iter().any(|name| part[..3].eq_ignore_ascii_case(name))
    };
    let short = |part: &[u8]| digits_in(part, 1, 2);
    let year = |part: &[u8]| digits_in(part, 4, 4) || digits_in(part, 2, 2);
    let [a, b, c] = parts;
    (digits_in(a, 4, 4) && (short(b) || month(b)) && short(c))
        || (short(a) && (short(b) || month(b)) && year(c))
        || (month(a) && short(b) && year(c))
}

fn is_date_time(cell: &[u8]) -> bool {
    for (at, byte) in cell.iter().enumerate().skip(6) {
        if matches!(byte, b'T' | b' ') && is_date(&cell[..at]) {
            let mut time = cell[at + 1..].trim_ascii();
            if let Some(rest) = time.strip_suffix(b"Z").or_else(|| time.strip_suffix(b"UTC")) {
                time = rest.trim_ascii_end();
            } else if let Some(sign) = time.iter().rposition(|byte| matches!(byte, b'+' | b'-')) {
                time = &time[..sign];
            }
            return is_time(time.trim_ascii_end());
        }
    }
    false
}

/// A hash of the cell's pattern: runs of digits and letters by kind and length, anything else as it is.
/// Long cells have none.
pub(crate) fn pattern(cell: &[u8]) -> Option<u64> {
    if cell.len() > 40 {
        return None;
    }
    let kind = |byte: u8| match byte {
        b'0'..=b'9' => b'9',
        b'A'..=b'Z' => b'A',
        b'a'..=b'z' | 0x80.. => b'a',
        other => other,
    };
    let mut hasher = DefaultHasher::new();
    let mut at = 0;
    while at < cell.len() {
        let run_kind = kind(cell[at]);
        let length = cell[at..].iter().take_while(|byte| kind(**byte) == run_kind).count();
        // The length of a lower-case run says little; that of digits and capitals is often fixed.
        (run_kind, if run_kind == b'a' { 0 } else { length }).hash(&mut hasher);
        at += length;
    }
    Some(hasher.finish())
}

/// A hash of the value itself.
pub(crate) fn identity(cell: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    cell.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes() {
        let cases = [
            ("", Shape::Empty),
            ("  ", Shape::Empty),
            ("NA", Shape::Null),
            ("-", Shape::Null),
            ("TRUE", Shape::Bool),
            ("-12", Shape::Int),
            ("1.5", Shape::Decimal),
            ("1,5", Shape::Decimal),
            ("1,234,567.89", Shape::Decimal),
            ("1e-5", Shape::Decimal),
            ("$5.00", Shape::Price),
            ("12 %", Shape::Price),
            ("2013-01-01", Shape::Date),
            ("1/2/13", Shape::Date),
            ("31.12.2013", Shape::Date),
            ("1 Jan 2013", Shape::Date),
            ("Jan 1, 2013", Shape::Date),
            ("10:30", Shape::Time),
            ("10:30:01.5 PM", Shape::Time),
            ("2013-01-01T10:00:00Z", Shape::DateTime),
            ("2013-01-01 10:00:00+02:00", Shape::DateTime),
            ("http://x.y/z?q=1", Shape::Url),
            ("a@b.com", Shape::Url),
            ("N14228", Shape::Code),
            ("1.2.3.4.5", Shape::Code),
            ("EWR", Shape::Word),
            ("John F. Kennedy", Shape::Text),
            ("room 12", Shape::Text),
        ];
        for (cell, shape) in cases {
            assert_eq!(Shape::of(cell.as_bytes()), shape, "{cell:?}");
        }
    }

    #[test]
    fn patterns() {
        assert_eq!(pattern(b"N14228"), pattern(b"K99999"));
        assert_ne!(pattern(b"N14228"), pattern(b"N1422"));
    }
}
