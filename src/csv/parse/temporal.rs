//! Dates, times and timestamps: ISO 8601 only, and never dependent on a session or a locale.

const MICROS: i64 = 1_000_000;
const DAY: i64 = 86_400 * MICROS;

/// Days from 1970-01-01 to a date of the proleptic Gregorian calendar, years 0 to 9999. The caller has checked month
/// and day.
#[inline(always)]
pub(crate) fn days_from_civil(year: u32, month: u32, day: u32) -> i32 {
    // Years start in March, so that the leap day is the last. One cycle of 400 years is added, so that nothing is
    // negative; 719,468 days lie between 0000-03-01 and 1970-01-01.
    const CYCLE: u32 = 146_097;
    let early = u32::from(month <= 2);
    let year = year + 400 - early;
    let day_of_year = (153 * (month + 12 * early - 3) + 2) / 5 + day - 1;
    let days = year * 365 + year / 4 - year / 100 + year / 400 + day_of_year;
    days as i32 - (719_468 + CYCLE) as i32
}

fn days_in_month(year: u32, month: u32) -> u32 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn two(text: &[u8]) -> Option<u32> {
    match text {
        [tens @ b'0'..=b'9', units @ b'0'..=b'9'] => Some(u32::from(tens - b'0') * 10 + u32::from(units - b'0')),
        _ => None,
    }
}

/// `YYYY-MM-DD`, as days from 1970-01-01.
#[inline]
pub(crate) fn parse_date(text: &[u8]) -> Option<i32> {
    let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text else { return None };
    let year = two(&[y1, y2])? * 100 + two(&[y3, y4])?;
    let (month, day) = (two(&[m1, m2])?, two(&[d1, d2])?);
    if !(1..=12).contains(&month) || day == 0 || (day > 28 && day > days_in_month(year, month)) {
        return None;
    }
    Some(days_from_civil(year, month, day))
}

/// `HH:MM`, `HH:MM:SS` or `HH:MM:SS.ffffff`, as microseconds from midnight.
pub(crate) fn parse_time(text: &[u8]) -> Option<i64> {
    let (micros, rest) = time_prefix(text)?;
    rest.is_empty().then_some(micros)
}

/// A time at the start of `text`, and what follows it.
fn time_prefix(text: &[u8]) -> Option<(i64, &[u8])> {
    let [h1, h2, b':', m1, m2, rest @ ..] = text else { return None };
    let (hour, minute) = (two(&[*h1, *h2])?, two(&[*m1, *m2])?);
    let (second, rest) = match rest {
        [b':', s1, s2, rest @ ..] => (two(&[*s1, *s2])?, rest),
        _ => (0, rest),
    };
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let whole = i64::from(hour * 3600 + minute * 60 + second) * MICROS;
    match rest {
        [b'.', fraction @ ..] => {
            let digits = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if digits == 0 {
                return None;
            }
            // Digits past the microsecond must be zeros, or the value would change.
            let (kept, lost) = fraction[..digits].split_at(digits.min(6));
            if lost.iter().any(|byte| *byte != b'0') {
                return None;
            }
            let value = kept.iter().fold(0, |value, byte| value * 10 + i64::from(byte - b'0'));
            Some((whole + value * 10i64.pow(6 - kept.len() as u32), &fraction[digits..]))
        }
        _ => Some((whole, rest)),
    }
}

/// A date, a date and a time, and what follows them.
fn timestamp_prefix(text: &[u8]) -> Option<(i64, &[u8])> {
    let (date, rest) = text.split_at_checked(10)?;
    let start = i64::from(parse_date(date)?) * DAY;
    match rest {
        [] => Some((start, rest)),
        [b'T' | b' ', time @ ..] => {
            let (micros, rest) = time_prefix(time)?;
            Some((start + micros, rest))
        }
        _ => None,
    }
}

/// A timestamp without an offset, as microseconds from 1970-01-01 00:00:00.
pub(crate) fn parse_timestamp(text: &[u8]) -> Option<i64> {
    let (micros, rest) = timestamp_prefix(text)?;
    rest.is_empty().then_some(micros)
}

/// A timestamp with `Z` or an offset (`+01`, `+0100`, `+01:00`), as microseconds from 1970-01-01 00:00:00 UTC.
pub(crate) fn parse_timestamp_utc(text: &[u8]) -> Option<i64> {
    let (micros, zone) = timestamp_prefix(text)?;
    let offset = match zone {
        [b'Z'] => 0,
        [sign @ (b'+' | b'-'), rest @ ..] => {
            let (hours, minutes) = match rest {
                [h1, h2] => (two(&[*h1, *h2])?, 0),
                [h1, h2, m1, m2] | [h1, h2, b':', m1, m2] => (two(&[*h1, *h2])?, two(&[*m1, *m2])?),
                _ => return None,
            };
            if hours > 23 || minutes > 59 {
                return None;
            }
            let offset = i64::from(hours * 3600 + minutes * 60) * MICROS;
            if *sign == b'+' { offset } else { -offset }
        }
        _ => return None,
    };
    Some(micros - offset)
}
