//! Decimals: an optional minus, digits without leading zeros, and a fraction no longer than the scale.

/// The unscaled value of a decimal of `precision` and `scale`, if the text fits it exactly.
pub(crate) fn parse_decimal(text: &[u8], precision: u8, scale: u8) -> Option<i128> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    let point = digits.iter().position(|byte| *byte == b'.');
    let (whole, fraction) = match point {
        Some(at) => (&digits[..at], &digits[at + 1..]),
        None => (digits, &digits[..0]),
    };
    match whole {
        [b'0'] => {}
        [b'1'..=b'9', ..] => {}
        _ => return None,
    }
    if (point.is_some() && fraction.is_empty()) || fraction.len() > scale as usize {
        return None;
    }
    if whole.len() + scale as usize > precision as usize && whole != b"0" {
        return None;
    }
    let mut value = 0i128;
    for byte in whole.iter().chain(fraction) {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + i128::from(digit);
    }
    for _ in fraction.len()..scale as usize {
        value *= 10;
    }
    // A negative zero has no decimal.
    if negative && value == 0 { None } else { Some(if negative { -value } else { value }) }
}
