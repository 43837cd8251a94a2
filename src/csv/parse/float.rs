//! Doubles: correctly rounded, and only from texts that the double gives back.

/// Powers of ten that a double holds exactly.
pub(crate) const POWERS_OF_TEN: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];

/// Any decimal of at most this many significant digits survives the way into a double and back (IEEE 754: DBL_DIG).
const SAFE_DIGITS: usize = 15;

/// A double, from a decimal or scientific text, `nan`, `inf` or `-inf` (also spelled `NaN`, `Infinity`).
pub(crate) fn parse_f64(text: &[u8]) -> Option<f64> {
    let (negative, unsigned) = match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    let shape = match Shape::of(unsigned) {
        Some(shape) => shape,
        None => return special(text),
    };
    if shape.mantissa_digits <= SAFE_DIGITS {
        // Few digits: the mantissa is exact, and where the power of ten is too, one rounding is all there is.
        if shape.mantissa == 0 {
            return Some(if negative { -0.0 } else { 0.0 });
        }
        let mantissa = shape.mantissa as f64;
        let value = match shape.exponent {
            exponent @ 0..=22 => mantissa * POWERS_OF_TEN[exponent as usize],
            exponent @ -22..=-1 => mantissa / POWERS_OF_TEN[-exponent as usize],
            _ => {
                let value: f64 = fast_float2::parse(unsigned).ok()?;
                // Out of range, or so small that digits were lost.
                if !value.is_finite() || (value < f64::MIN_POSITIVE && !gives_back(value, &shape, unsigned)) {
                    return None;
                }
                value
            }
        };
        return Some(if negative { -value } else { value });
    }
    let value: f64 = fast_float2::parse(unsigned).ok()?;
    if !value.is_finite() || !gives_back(value, &shape, unsigned) {
        return None;
    }
    Some(if negative { -value } else { value })
}

/// A single-precision float, by the same rules: up to six digits always survive (IEEE 754: FLT_DIG).
pub(crate) fn parse_f32(text: &[u8]) -> Option<f32> {
    let unsigned = text.strip_prefix(b"-").unwrap_or(text);
    let Some(shape) = Shape::of(unsigned) else { return special(text).map(|value| value as f32) };
    let value: f32 = fast_float2::parse(unsigned).ok()?;
    let digits = significant(unsigned);
    let mut buffer = zmij::Buffer::new();
    let same = |other: &str| significant(other.as_bytes()) == digits;
    let exact = (digits.len() <= 6 && (value >= f32::MIN_POSITIVE || digits.is_empty()))
        || same(buffer.format_finite(value))
        || same(&format!("{value:.*e}", shape.mantissa_digits.max(1) - 1));
    if !value.is_finite() || !exact {
        return None;
    }
    Some(if unsigned.len() < text.len() { -value } else { value })
}

fn special(text: &[u8]) -> Option<f64> {
    match text {
        b"nan" | b"NaN" => Some(f64::NAN),
        b"inf" | b"Infinity" => Some(f64::INFINITY),
        b"-inf" | b"-Infinity" => Some(f64::NEG_INFINITY),
        _ => None,
    }
}

/// What a decimal text is made of. Leading zeros and zeros at the end of the fraction do not count as digits.
struct Shape {
    /// The first significant digits, as a number; exact if there are no more than [`SAFE_DIGITS`].
    mantissa: u64,
    mantissa_digits: usize,
    /// The power of ten by which `mantissa` is to be multiplied, if it is exact.
    exponent: i32,
}

impl Shape {
    fn of(text: &[u8]) -> Option<Shape> {
        let (decimal, exponent) = match text.iter().position(|byte| matches!(byte, b'e' | b'E')) {
            Some(at) => (&text[..at], exponent(&text[at + 1..])?),
            None => (text, 0),
        };
        let (whole, fraction) = match decimal.iter().position(|byte| *byte == b'.') {
            Some(at) => (&decimal[..at], &decimal[at + 1..]),
            None => (decimal, &decimal[..0]),
        };
        // `007.5` is an identifier; `.` is nothing.
        if (whole.len() > 1 && whole[0] == b'0') || (whole.is_empty() && fraction.is_empty()) {
            return None;
        }
        let kept = fraction.len() - fraction.iter().rev().take_while(|byte| **byte == b'0').count();
        let mut shape = Shape { mantissa: 0, mantissa_digits: 0, exponent: exponent.checked_sub(kept as i32)? };
        for byte in whole.iter().chain(fraction) {
            if !byte.is_ascii_digit() {
                return None;
            }
        }
        for byte in whole.iter().chain(&fraction[..kept]) {
            if shape.mantissa_digits > 0 || *byte != b'0' {
                shape.mantissa_digits += 1;
                shape.mantissa = shape.mantissa.wrapping_mul(10).wrapping_add(u64::from(byte - b'0'));
            }
        }
        Some(shape)
    }
}

fn exponent(text: &[u8]) -> Option<i32> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    if digits.is_empty() || digits.len() > 6 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let value = digits.iter().fold(0, |value, byte| value * 10 + i32::from(byte - b'0'));
    Some(if negative { -value } else { value })
}

/// Whether a positive double, written with as many significant digits as the text has, or as few as tell it
/// apart, has the digits of the text.
fn gives_back(value: f64, shape: &Shape, text: &[u8]) -> bool {
    let digits = significant(text);
    let mut buffer = zmij::Buffer::new();
    significant(buffer.format_finite(value).as_bytes()) == digits
        || significant(format!("{value:.*e}", shape.mantissa_digits.max(1) - 1).as_bytes()) == digits
}

/// The significant digits of a decimal text, without zeros at either end. The magnitude is not looked at: the
/// value was parsed from that very text.
fn significant(text: &[u8]) -> Vec<u8> {
    let mantissa = text.split(|byte| matches!(byte, b'e' | b'E')).next().unwrap_or_default();
    let mut digits: Vec<u8> =
        mantissa.iter().copied().filter(u8::is_ascii_digit).skip_while(|byte| *byte == b'0').collect();
    while digits.last() == Some(&b'0') {
        digits.pop();
    }
    digits
}
