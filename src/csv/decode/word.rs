//! Values by their shape, a word at a time: what most values of a typed column look like.
//!
//! In: a text in which at least [`WINDOW`] bytes follow, and where a field starts and ends in it. Out: the value, equal
//! to what the column's parse function says; `None` for every other shape, which is for that function.

use crate::csv::parse::{POWERS_OF_TEN, days_from_civil, parse_bool, parse_digits};

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
        // The lowest byte that is a point: borrow from bytes below cannot reach it.
        let difference = before ^ 0x2E2E_2E2E_2E2E_2E2E;
        let zeros = difference.wrapping_sub(0x0101_0101_0101_0101) & !difference & 0x8080_8080_8080_8080;
        if zeros != 0 {
            (zeros.trailing_zeros() / 8) as usize
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
    let century = two_digits(window[0], window[1])?;
    let [year, month, day] = three_pairs(word(window, 2)?, b'-')?;
    // A 29th of February is for the full parser, which asks for the year.
    const DAYS: [u8; 16] = [0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 0, 0, 0];
    if month > 12 || day == 0 || day > u32::from(DAYS[month as usize]) {
        return None;
    }
    Some(days_from_civil(century * 100 + year, month, day))
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
    let [hour, minute, second] = three_pairs(word(window, 11)?, b':')?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let seconds = i64::from(day(window)?) * 86_400 + i64::from(hour * 3600 + minute * 60 + second);
    Some(seconds * 1_000_000)
}

#[inline(always)]
fn two_digits(tens: u8, units: u8) -> Option<u32> {
    let (tens, units) = (tens.wrapping_sub(b'0'), units.wrapping_sub(b'0'));
    (tens <= 9 && units <= 9).then(|| u32::from(tens) * 10 + u32::from(units))
}

/// Three numbers of two digits with `between` between them, all eight bytes at once.
#[inline(always)]
fn three_pairs(word: u64, between: u8) -> Option<[u32; 3]> {
    const BETWEEN: u64 = 0x0000_FF00_00FF_0000;
    let digits = word ^ (0x3030_0030_3000_3030 | (u64::from(between) << 16) | (u64::from(between) << 40));
    // A byte above 9 sets its own high bit or carries into it; those between must have vanished.
    if (digits.wrapping_add(0x7676_7676_7676_7676) | digits) & 0x8080_8080_8080_8080 | digits & BETWEEN != 0 {
        return None;
    }
    // At most 99 in any byte, so nothing is carried.
    let pairs = digits.wrapping_mul(10).wrapping_add(digits >> 8);
    Some([0, 24, 48].map(|shift| (pairs >> shift) as u32 & 0xFF))
}
