//! Values by their shape, a word at a time: what most values of a typed column look like.
//!
//! In: a text in which at least [`WINDOW`] bytes follow, and where a field starts and ends in it. Out: the value, equal
//! to what the column's parse function says; `None` for every other shape, which is for that function.

use crate::csv::decode::lanes::{Day, Lane};
use crate::csv::parse::{POWERS_OF_TEN, digits, first_of, parse_bool, three_pairs};

/// Bytes looked at from a field's start on; the padding of a text covers them, so one check admits all loads.
const WINDOW: usize = 32;

#[inline(always)]
fn window(text: &[u8], start: usize) -> Option<&[u8; WINDOW]> {
    text.get(start..)?.first_chunk()
}

/// Eight bytes from `at` on, first byte lowest.
#[inline(always)]
fn word(window: &[u8; WINDOW], at: usize) -> Option<u64> {
    window.get(at..)?.first_chunk().map(|bytes| u64::from_le_bytes(*bytes))
}

/// The value, if the word beside it says that the text was of its form.
#[inline(always)]
fn if_regular<T>((value, other): (T, u64)) -> Option<T> {
    (other == 0).then_some(value)
}

/// Up to eight digits.
#[inline(always)]
fn parse_digits(word: u64, length: usize) -> Option<u64> {
    if_regular(digits(word, length as u64))
}

/// Up to 16 digits without a leading zero, with or without a minus.
#[inline(always)]
pub(super) fn integer(text: &[u8], start: usize, end: usize) -> Option<i64> {
    let window = window(text, start)?;
    let negative = window[0] == b'-';
    let first = usize::from(negative);
    let length = (end - start).wrapping_sub(first);
    if window[first] == b'0' && (length != 1 || negative) {
        return None;
    }
    let value = match length {
        1..=8 => parse_digits(word(window, first)?, length)?,
        9..=16 => {
            let high = parse_digits(word(window, first)?, 8)?;
            high * POWERS[length - 8] + parse_digits(word(window, first + 8)?, length - 8)?
        }
        _ => return None,
    } as i64;
    Some(if negative { -value } else { value })
}

/// An [`integer`] of 32 bits.
#[inline(always)]
pub(super) fn small_integer(text: &[u8], start: usize, end: usize) -> Option<i32> {
    integer(text, start, end)?.try_into().ok()
}

/// A number [with a point](with_point), or a whole one.
#[inline(always)]
pub(super) fn float(text: &[u8], start: usize, end: usize) -> Option<f64> {
    with_point(text, start, end).or_else(|| {
        let whole = integer(text, start, end).filter(|value| value.unsigned_abs() < MAX_WHOLE);
        whole.map(|value| value as f64)
    })
}

/// Whole numbers below this have at most fifteen digits and are doubles.
const MAX_WHOLE: u64 = 1_000_000_000_000_000;

const POWERS: [u64; 9] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];

/// Up to eight digits, a point, more digits, sixteen bytes in all; no leading zero but a single one. These are exact:
/// fifteen digits make a whole number below 2^53, and dividing by a power of ten rounds once.
#[inline(always)]
fn with_point(text: &[u8], start: usize, end: usize) -> Option<f64> {
    let window = window(text, start)?;
    let negative = window[0] == b'-';
    let first = usize::from(negative);
    let length = (end - start).wrapping_sub(first);
    if length > 16 {
        return None;
    }
    let before = word(window, first)?;
    let point = {
        let points = first_of(before, b'.');
        if points != 0 {
            (points.trailing_zeros() / 8) as usize
        } else if window[first + 8] == b'.' {
            8
        } else {
            return None;
        }
    };
    if point == 0 || point + 1 >= length || (window[first] == b'0' && point > 1) {
        return None;
    }
    let scale = length - point - 1;
    let behind = first + point + 1;
    let mantissa = if point + scale <= 8 {
        // All digits fit one word, once the point is out of it.
        let digits = (before & ((1 << (8 * point)) - 1)) | (word(window, behind)? << (8 * point));
        parse_digits(digits, point + scale)?
    } else {
        let whole = parse_digits(before, point)?;
        if scale <= 8 {
            whole * POWERS[scale] + parse_digits(word(window, behind)?, scale)?
        } else {
            let high = whole * POWERS[8] + parse_digits(word(window, behind)?, 8)?;
            high * POWERS[scale - 8] + parse_digits(word(window, behind + 8)?, scale - 8)?
        }
    };
    // Below 2^53, so the signed conversion, which is one instruction, is the same.
    let value = mantissa as i64 as f64 / POWERS_OF_TEN[scale];
    Some(if negative { -value } else { value })
}

/// `YYYY-MM-DD`.
#[inline(always)]
pub(super) fn date(text: &[u8], start: usize, end: usize) -> Option<i32> {
    if end - start != 10 {
        return None;
    }
    day(window(text, start)?)
}

/// The date at the start of the window.
#[inline(always)]
fn day(window: &[u8; WINDOW]) -> Option<i32> {
    if_regular(Day::value(word(window, 0)?, word(window, 2)?, 10))
}

/// A date, `T` or a space, and `HH:MM:SS`.
#[inline(always)]
pub(super) fn timestamp(text: &[u8], start: usize, end: usize) -> Option<i64> {
    date_and_time(text, start, end, false)
}

/// The same and a `Z`.
#[inline(always)]
pub(super) fn timestamp_utc(text: &[u8], start: usize, end: usize) -> Option<i64> {
    date_and_time(text, start, end, true)
}

/// `true` and `false`, in any case.
#[inline(always)]
pub(super) fn boolean(text: &[u8], start: usize, end: usize) -> Option<bool> {
    parse_bool(&text[start..end])
}

#[inline(always)]
fn date_and_time(text: &[u8], start: usize, end: usize, zoned: bool) -> Option<i64> {
    let window = window(text, start)?;
    if end - start != 19 + usize::from(zoned) || (zoned && window[19] != b'Z') {
        return None;
    }
    if window[10] != b'T' && window[10] != b' ' {
        return None;
    }
    let [hour, minute, second] = if_regular(three_pairs(word(window, 11)?, b':'))?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let seconds = i64::from(day(window)?) * 86_400 + i64::from(hour * 3600 + minute * 60 + second);
    Some(seconds * 1_000_000)
}
