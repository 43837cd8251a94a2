//! One parse function per type, used by inference and by both decoders alike.
//!
//! In: the bytes of one value, unquoted. Out: the typed value, or `None` if the text does not stand for exactly
//! one value of that type. A function accepts a text only if writing the value gives that text back, up to the
//! list of normalisations below. So `007`, `+1`, `1_000` and `31/12/99` are nobody's number or date, and a
//! 20-digit id never becomes a float.
//!
//! What may change its spelling, and nothing else may:
//!
//! | type | read | written |
//! |---|---|---|
//! | boolean | `true`, `TRUE`, `True`, … | `true` |
//! | float | `1.50`, `1`, `.5`, `5.`, `1e3`, `1E+3` | `1.5`, `1.0`, `0.5`, `5.0`, `1000.0` |
//! | float | more digits than a double holds, if they are the double's own digits (`0.10000000000000001`) | `0.1` |
//! | timestamp | `T` or a space before the time, seconds left out, a date alone, zeros at the end of the fraction | `2024-01-02 03:04:00` |
//! | timestamp with offset | any offset, `Z` | the same instant in UTC, `+00` |
//! | time | seconds left out, zeros at the end of the fraction | `03:04:00` |

mod decimal;
mod digits;
mod float;
mod integer;
mod temporal;

pub(crate) use decimal::parse_decimal;
pub(crate) use digits::{digits, first_of, three_pairs, two_digits, unused_bits};
pub(crate) use float::{POWERS_OF_TEN, parse_f32, parse_f64};
pub(crate) use integer::{parse_i64, parse_u64};
pub(crate) use temporal::{days_from_civil, parse_date, parse_time, parse_timestamp, parse_timestamp_utc};

/// `true` and `false`, in any case.
pub(crate) fn parse_bool(text: &[u8]) -> Option<bool> {
    if text.eq_ignore_ascii_case(b"true") {
        Some(true)
    } else if text.eq_ignore_ascii_case(b"false") {
        Some(false)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn integers_have_one_spelling() {
        for (text, value) in [
            ("0", Some(0)),
            ("-1", Some(-1)),
            ("12345678", Some(12_345_678)),
            ("123456789012345678", Some(123_456_789_012_345_678)),
            ("9223372036854775807", Some(i64::MAX)),
            ("-9223372036854775808", Some(i64::MIN)),
            ("9223372036854775808", None),
            ("-9223372036854775809", None),
            ("007", None),
            ("+1", None),
            ("-0", None),
            ("-", None),
            ("", None),
            ("1_000", None),
            (" 1", None),
            ("1 ", None),
            ("1.0", None),
            ("12a", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(parse_i64(text.as_bytes()), value, "{text:?}");
        }
    }

    #[test]
    fn floats_read_back() {
        for (text, value) in [
            ("1.50", Some(1.5)),
            ("1", Some(1.0)),
            ("-0.0", Some(-0.0)),
            (".5", Some(0.5)),
            ("5.", Some(5.0)),
            ("1e3", Some(1000.0)),
            ("1E+3", Some(1000.0)),
            ("1.05153", Some(1.05153)),
            ("0.10000000000000001", Some(0.1)),
            ("0.1000000000000000055511151231257827", Some(0.1)),
            ("0.10000000000000002345", None),
            ("9007199254740993", None),
            ("9007199254740992", Some(9_007_199_254_740_992.0)),
            ("1e400", None),
            ("1e-400", None),
            ("5e-324", Some(5e-324)),
            ("1.7976931348623157e308", Some(f64::MAX)),
            ("inf", Some(f64::INFINITY)),
            ("-inf", Some(f64::NEG_INFINITY)),
            ("007.5", None),
            ("+1.5", None),
            (".", None),
            ("-", None),
            ("e5", None),
            ("1e", None),
            ("1.2.3", None),
            ("1,5", None),
            ("0x10", None),
            ("infinite", None),
        ] {
            assert_eq!(parse_f64(text.as_bytes()).map(f64::to_bits), value.map(f64::to_bits), "{text:?}");
        }
        assert!(parse_f64(b"nan").unwrap().is_nan());
    }

    #[test]
    fn dates_and_times_are_iso() {
        assert_eq!(parse_date(b"1970-01-02"), Some(1));
        assert_eq!(parse_date(b"1969-12-31"), Some(-1));
        assert_eq!(parse_date(b"2024-02-29"), Some(19782));
        for bad in
            ["2023-02-29", "31/12/99", "2024-1-2", "2024-13-01", "2024-00-01", "20240101", "2024-01-01 ", "2024-01-1x"]
        {
            assert_eq!(parse_date(bad.as_bytes()), None, "{bad}");
        }
        let second = 1_000_000;
        assert_eq!(parse_timestamp(b"1970-01-01 00:00:01"), Some(second));
        assert_eq!(parse_timestamp(b"1970-01-01T00:00:01.5"), Some(1_500_000));
        assert_eq!(parse_timestamp(b"1970-01-01T00:01"), Some(60 * second));
        assert_eq!(parse_timestamp(b"1970-01-02"), Some(86_400 * second));
        for bad in [
            "1970-01-01 24:00:00",
            "1970-01-01 00:00:00Z",
            "1970-01-01 00:00:00.1234567",
            "1970-01-01  00:00:00",
            "1970-01-01 00:60:00",
        ] {
            assert_eq!(parse_timestamp(bad.as_bytes()), None, "{bad}");
        }
        assert_eq!(parse_timestamp_utc(b"1970-01-01T01:00:00+01:00"), Some(0));
        assert_eq!(parse_timestamp_utc(b"1970-01-01 00:00:00Z"), Some(0));
        assert_eq!(parse_timestamp_utc(b"1970-01-01 00:00:00+00"), Some(0));
        assert_eq!(parse_timestamp_utc(b"1969-12-31 19:00:00-0500"), Some(0));
        assert_eq!(parse_timestamp_utc(b"1970-01-01 00:00:00"), None);
        assert_eq!(parse_timestamp_utc(b"1970-01-01 00:00:00 PM"), None);
        assert_eq!(parse_time(b"01:02:03.25"), Some(3_723_250_000));
        assert_eq!(parse_time(b"01:02"), Some(3_720_000_000));
        assert_eq!(parse_time(b"1:02"), None);
    }

    #[test]
    fn decimals_keep_their_scale() {
        assert_eq!(parse_decimal(b"12345678901234567890", 38, 0), Some(12_345_678_901_234_567_890));
        assert_eq!(parse_decimal(b"-1.50", 10, 2), Some(-150));
        assert_eq!(parse_decimal(b"1.5", 10, 2), Some(150));
        assert_eq!(parse_decimal(b"1.505", 10, 2), None);
        assert_eq!(parse_decimal(b"123456789.00", 10, 2), None);
        assert_eq!(parse_decimal(b"007", 38, 0), None);
        assert_eq!(parse_decimal(b"999999999999999999999999999999999999999", 38, 0), None);
    }

    proptest! {
        #[test]
        fn every_integer_reads_back(value: i64) {
            prop_assert_eq!(parse_i64(value.to_string().as_bytes()), Some(value));
        }

        #[test]
        fn every_float_reads_back(bits: u64) {
            let value = f64::from_bits(bits);
            if value.is_finite() {
                let mut buffer = zmij::Buffer::new();
                prop_assert_eq!(parse_f64(buffer.format_finite(value).as_bytes()).map(f64::to_bits), Some(bits));
                let long = format!("{value:.16e}");
                prop_assert_eq!(parse_f64(long.as_bytes()).map(f64::to_bits), Some(bits), "{}", long);
            }
        }

        #[test]
        fn short_decimals_are_the_nearest_double(mantissa in 0u64..1_000_000_000_000_000, scale in 0usize..12) {
            let digits = format!("{mantissa:0width$}", width = scale + 1);
            let (whole, fraction) = digits.split_at(digits.len() - scale);
            let text = if scale == 0 { whole.to_owned() } else { format!("{whole}.{fraction}") };
            prop_assert_eq!(parse_f64(text.as_bytes()), Some(text.parse().unwrap()));
        }

        #[test]
        fn every_day_reads_back(days in -719_162i32..2_932_896) {
            let date = chrono::NaiveDate::from_num_days_from_ce_opt(days + 719_163).unwrap();
            prop_assert_eq!(parse_date(date.to_string().as_bytes()), Some(days));
        }

        #[test]
        fn nothing_panics(text in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = (parse_i64(&text), parse_f64(&text), parse_decimal(&text, 38, 3), parse_bool(&text));
            let _ = (parse_date(&text), parse_time(&text), parse_timestamp(&text), parse_timestamp_utc(&text));
        }
    }
}
