//! Floats as text.
//!
//! In: an `f32` or `f64` and a [`FloatFormat`]. Out: its text; `nan`, `inf`, `-inf` and `-0.0` are so called in every
//! format. An `f32` is written with the digits of an `f32`.

use std::io::Write;

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
