//! Numbers and times as digits, straight into a buffer.
//!
//! In: a value, a buffer and a position with [`ROOM`] bytes behind it. Out: the position after the text; bytes behind it
//! may have been overwritten. Whole words are stored at a time, which is why there must be room.

/// Bytes that must be free behind the position at which a value is written.
pub(super) const ROOM: usize = 64;

const TEN_8: u64 = 100_000_000;
const ZEROS: u64 = 0x3030_3030_3030_3030;

#[inline(always)]
pub(super) fn store<const N: usize>(buf: &mut [u8], at: usize, bytes: [u8; N]) {
    buf[at..at + N].copy_from_slice(&bytes);
}

/// The eight digits of a number below 10^8, one a byte, the first in the lowest.
#[inline(always)]
fn eight(value: u32) -> u64 {
    // Halves, then pairs, then digits, all lanes at once; the multiplications are divisions by 100 and 10.
    let halves = u64::from(value / 10_000) | (u64::from(value % 10_000) << 32);
    let hundreds = ((halves * 10_486) >> 20) & 0x0000_007f_0000_007f;
    let pairs = hundreds | ((halves - hundreds * 100) << 16);
    let tens = ((pairs * 103) >> 10) & 0x000f_000f_000f_000f;
    tens | ((pairs - tens * 10) << 8)
}

#[inline(always)]
pub(super) fn unsigned(buf: &mut [u8], at: usize, value: u64) -> usize {
    if value < TEN_8 {
        let digits = eight(value as u32);
        // Leading zeros; the last digit stays.
        let zeros = (digits | 1 << 56).trailing_zeros() / 8;
        store(buf, at, ((digits | ZEROS) >> (8 * zeros)).to_le_bytes());
        at + 8 - zeros as usize
    } else {
        large(buf, at, value)
    }
}

fn large(buf: &mut [u8], at: usize, value: u64) -> usize {
    let at = unsigned(buf, at, value / TEN_8);
    store(buf, at, (eight((value % TEN_8) as u32) | ZEROS).to_le_bytes());
    at + 8
}

fn wide(buf: &mut [u8], at: usize, value: u128) -> usize {
    const TEN_16: u128 = 10_000_000_000_000_000;
    match u64::try_from(value) {
        Ok(value) => unsigned(buf, at, value),
        Err(_) => {
            let at = wide(buf, at, value / TEN_16);
            let rest = (value % TEN_16) as u64;
            store(buf, at, (eight((rest / TEN_8) as u32) | ZEROS).to_le_bytes());
            store(buf, at + 8, (eight((rest % TEN_8) as u32) | ZEROS).to_le_bytes());
            at + 16
        }
    }
}

#[inline(always)]
fn minus(buf: &mut [u8], at: usize, negative: bool) -> usize {
    buf[at] = b'-';
    at + usize::from(negative)
}

#[inline(always)]
pub(super) fn integer(buf: &mut [u8], at: usize, value: i64) -> usize {
    let at = minus(buf, at, value < 0);
    unsigned(buf, at, value.unsigned_abs())
}

/// A decimal with all digits of its scale, which is 0 to 38.
#[inline(always)]
pub(super) fn decimal(buf: &mut [u8], at: usize, value: i128, scale: usize) -> usize {
    let at = minus(buf, at, value < 0);
    match u64::try_from(value.unsigned_abs()) {
        Ok(small) if small < TEN_8 && (1..8).contains(&scale) => short_decimal(buf, at, small as u32, scale),
        _ => long_decimal(buf, at, value.unsigned_abs(), scale),
    }
}

/// A decimal of at most eight digits, 1 to 7 of them after the point.
#[inline(always)]
fn short_decimal(buf: &mut [u8], at: usize, value: u32, scale: usize) -> usize {
    let digits = eight(value);
    let whole = 8 - scale as u32;
    // At least one digit stands before the point.
    let zeros = ((digits | 1 << 56).trailing_zeros() / 8).min(whole - 1);
    let text = digits | ZEROS;
    let point = at + (whole - zeros) as usize;
    store(buf, at, (text >> (8 * zeros)).to_le_bytes());
    buf[point] = b'.';
    store(buf, point + 1, (text >> (8 * whole)).to_le_bytes());
    point + 1 + scale
}

/// A float that is the nearest to some hundredths below 10^6, as prices and rates are: those are then its shortest digits,
/// since no two decimals of so few digits share a float. `None` for any other.
#[inline(always)]
pub(super) fn hundredths(buf: &mut [u8], at: usize, value: f64) -> Option<usize> {
    let size = value.abs();
    // What is not a number, or too large, becomes something whose hundredth is not the value.
    let hundredths = (size * 100.0 + 0.5) as u32;
    if f64::from(hundredths) / 100.0 != size || u64::from(hundredths) >= TEN_8 {
        return None;
    }
    let at = minus(buf, at, value.is_sign_negative());
    let end = short_decimal(buf, at, hundredths, 2);
    // One zero goes; one digit always stays.
    Some(end - usize::from(buf[end - 1] == b'0'))
}

fn long_decimal(buf: &mut [u8], at: usize, value: u128, scale: usize) -> usize {
    if scale == 0 {
        return wide(buf, at, value);
    }
    let mut digits = [b'0'; ROOM * 2];
    let end = wide(&mut digits, ROOM, value);
    // Zeros already stand before the digits.
    let point = end - scale;
    let start = ROOM.min(point - 1);
    let whole = point - start;
    buf[at..at + whole].copy_from_slice(&digits[start..point]);
    buf[at + whole] = b'.';
    buf[at + whole + 1..at + whole + 1 + scale].copy_from_slice(&digits[point..end]);
    at + whole + 1 + scale
}

/// `YYYY-MM-DD` for days from 1970-01-01; more digits after year 9999, and a minus before year 0.
#[inline(always)]
pub(super) fn date(buf: &mut [u8], at: usize, days: i64) -> usize {
    // From 0000-03-01 on, counted in years that begin in March, so that the leap day is the last.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day = shifted.rem_euclid(146_097) as u32;
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let year = era * 400 + i64::from(year) + next;
    if (0..=9999).contains(&year) {
        let digits = eight(year as u32 * 10_000 + month * 100 + day) | ZEROS;
        let text = u128::from((digits & 0xffff_ffff) | u64::from(b'-') << 32 | (digits >> 32 & 0xffff) << 40)
            | u128::from(b'-') << 56
            | u128::from(digits >> 48) << 64;
        store(buf, at, text.to_le_bytes());
        at + 10
    } else {
        far_date(buf, at, year, month * 100 + day)
    }
}

#[cold]
fn far_date(buf: &mut [u8], at: usize, year: i64, month_day: u32) -> usize {
    let at = minus(buf, at, year < 0);
    let year = year.unsigned_abs();
    let mut digits = [0; ROOM];
    let end = unsigned(&mut digits, 0, year);
    let zeros = 4usize.saturating_sub(end);
    store(buf, at, *b"0000");
    buf[at + zeros..at + zeros + end].copy_from_slice(&digits[..end]);
    let at = at + zeros + end;
    let digits = ((eight(month_day) | ZEROS) >> 32).to_le_bytes();
    store(buf, at, [b'-', digits[0], digits[1], b'-', digits[2], digits[3]]);
    at + 6
}

/// `HH:MM:SS` and the fraction without trailing zeros; `per_second` is 1, 10^3, 10^6 or 10^9. Hours are not limited.
#[inline(always)]
pub(super) fn time(buf: &mut [u8], at: usize, value: u64, per_second: u64) -> usize {
    let (seconds, fraction) = (value / per_second, value % per_second);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let at = if hours < 100 { at } else { unsigned(buf, at, hours / 100) };
    let digits = eight((hours % 100) as u32 * 10_000 + (minutes * 100 + seconds) as u32) | ZEROS;
    let pair = |nth: u32| digits >> (16 * nth) & 0xffff;
    let colon = u64::from(b':');
    store(buf, at, (pair(1) | colon << 16 | pair(2) << 24 | colon << 40 | pair(3) << 48).to_le_bytes());
    let at = at + 8;
    if fraction == 0 { at } else { part_of_second(buf, at, fraction * (1_000_000_000 / per_second)) }
}

fn part_of_second(buf: &mut [u8], at: usize, nanos: u64) -> usize {
    buf[at] = b'.';
    store(buf, at + 1, (eight((nanos / 10) as u32) | ZEROS).to_le_bytes());
    buf[at + 9] = b'0' + (nanos % 10) as u8;
    let mut end = at + 10;
    while buf[end - 1] == b'0' {
        end -= 1;
    }
    end
}

/// A date, a space and a time, for a count of `per_second`ths from 1970-01-01 00:00:00.
#[inline(always)]
pub(super) fn timestamp(buf: &mut [u8], at: usize, value: i64, per_second: i64) -> usize {
    let per_day = 86_400 * per_second;
    let at = date(buf, at, value.div_euclid(per_day));
    buf[at] = b' ';
    time(buf, at + 1, value.rem_euclid(per_day) as u64, per_second as u64)
}
