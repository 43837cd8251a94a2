//! Floats as text.
//!
//! In: an `f32` or `f64` and a [`FloatFormat`]. Out: its text; `nan`, `inf`, `-inf` and `-0.0` are so called in every
//! format. An `f32` is written with the digits of an `f32`.

use std::io::Write;

use super::block::put;
use super::digits;
use crate::options::FloatFormat;

/// Appends an `f64`.
pub(super) fn write_f64(value: f64, format: FloatFormat, out: &mut Vec<u8>) {
    match (special(value), format) {
        (Some(name), _) => out.extend_from_slice(name),
        (None, FloatFormat::Shortest) => out.extend_from_slice(zmij::Buffer::new().format_finite(value).as_bytes()),
        (None, FloatFormat::Scientific) => write(out, format_args!("{value:e}")),
        (None, FloatFormat::Fixed(digits)) => write(out, format_args!("{value:.*}", usize::from(digits))),
        (None, FloatFormat::Significant(digits)) => significant(value, digits, out),
    }
}

/// Appends an `f32`.
pub(super) fn write_f32(value: f32, format: FloatFormat, out: &mut Vec<u8>) {
    match (special(value.into()), format) {
        (Some(name), _) => out.extend_from_slice(name),
        (None, FloatFormat::Shortest) => out.extend_from_slice(zmij::Buffer::new().format_finite(value).as_bytes()),
        (None, FloatFormat::Scientific) => write(out, format_args!("{value:e}")),
        // Rounded digits are the same, whatever the width.
        (None, rounded) => write_f64(value.into(), rounded, out),
    }
}

/// An `f64` in its shortest form, straight into a buffer.
#[inline(always)]
pub(super) fn shortest_f64(buf: &mut [u8], at: usize, value: f64) -> usize {
    match digits::hundredths(buf, at, value) {
        Some(end) => end,
        None => any_f64(buf, at, value),
    }
}

#[inline(never)]
fn any_f64(buf: &mut [u8], at: usize, value: f64) -> usize {
    match special(value) {
        None => put(buf, at, zmij::Buffer::new().format_finite(value).as_bytes()),
        Some(name) => put(buf, at, name),
    }
}

/// An `f32` in its shortest form, straight into a buffer.
pub(super) fn shortest_f32(buf: &mut [u8], at: usize, value: f32) -> usize {
    match special(value.into()) {
        None => put(buf, at, zmij::Buffer::new().format_finite(value).as_bytes()),
        Some(name) => put(buf, at, name),
    }
}

/// The name of a value that has no digits.
#[inline]
pub(super) fn special(value: f64) -> Option<&'static [u8]> {
    match value {
        value if value.is_nan() => Some(b"nan"),
        f64::INFINITY => Some(b"inf"),
        f64::NEG_INFINITY => Some(b"-inf"),
        _ => None,
    }
}

/// At most `digits` significant digits, without zeros at the end; with an exponent where the plain form would be long.
fn significant(value: f64, digits: u8, out: &mut Vec<u8>) {
    let mut text = Vec::with_capacity(80);
    write(&mut text, format_args!("{value:.*e}", usize::from(digits.max(1)) - 1));
    let cut = text.iter().position(|byte| *byte == b'e').unwrap_or(text.len());
    let exponent: i32 = std::str::from_utf8(&text[cut..]).ok().and_then(|e| e.get(1..)?.parse().ok()).unwrap_or(0);
    if (-5..16).contains(&exponent) {
        let places = (i32::from(digits) - 1 - exponent).max(0) as usize;
        // Rounded once already: the digits that follow are the value's own, or zeros.
        let rounded: f64 = std::str::from_utf8(&text).ok().and_then(|text| text.parse().ok()).unwrap_or(value);
        text.clear();
        write(&mut text, format_args!("{rounded:.places$}"));
        trim_zeros(&mut text);
        out.extend_from_slice(&text);
    } else {
        let exponent = text.split_off(cut);
        trim_zeros(&mut text);
        out.extend_from_slice(&text);
        out.extend_from_slice(&exponent);
    }
}

/// Takes zeros off the end of a fraction; one digit stays, so that a float looks like one.
fn trim_zeros(text: &mut Vec<u8>) {
    match text.iter().position(|byte| *byte == b'.') {
        Some(point) => {
            while text.len() > point + 2 && text.last() == Some(&b'0') {
                text.pop();
            }
        }
        None => text.extend_from_slice(b".0"),
    }
}

fn write(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    // A Vec takes everything.
    let _ = out.write_fmt(text);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(value: f64) {
        let mut buf = [0; 128];
        let end = shortest_f64(&mut buf, 3, value);
        let mut slow = Vec::new();
        write_f64(value, FloatFormat::Shortest, &mut slow);
        assert_eq!(std::str::from_utf8(&buf[3..end]), std::str::from_utf8(&slow), "{value:e}");
    }

    #[test]
    fn special_and_border_values() {
        for value in
            [0.0f64, 0.01, 0.04, 0.1, 0.5, 0.99, 1.0, 1.005, 17.0, 21168.23, 999_999.99, 1e6, 1e7, 42_949_672.96]
        {
            for value in [value, -value, value.next_up(), value.next_down()] {
                check(value);
            }
        }
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MIN_POSITIVE, f64::MAX, f64::EPSILON, 5e-324] {
            check(value);
        }
    }

    proptest! {
        #[test]
        fn the_quick_way_writes_what_the_exact_way_does(bits in any::<u64>(), cents in -200_000_000i64..200_000_000) {
            check(f64::from_bits(bits));
            check(cents as f64 / 100.0);
            check(cents as f64 * 0.01);
            check(cents as f64 / 1000.0);
        }
    }
}
