//! [`Rules`]: what a column's values may look like, and [`parse`]: one value of any type by those rules.
//!
//! In: the bytes of a field. Out: NULL, a [`Value`], or a misfit. Inference calls this for every value; the
//! decoders call it for every value that their fast paths do not recognise at once. Rules that a user changed
//! (formats, separators, tokens) are applied here and nowhere else.

use chrono::{NaiveDate, NaiveDateTime, Timelike};

use crate::csv::parse::{
    parse_bool, parse_date, parse_decimal, parse_f32, parse_f64, parse_i64, parse_time, parse_timestamp,
    parse_timestamp_utc, parse_u64,
};
use crate::csv::types::ColumnType;
use crate::options::{InferQuoted, ReaderOptions};

/// What a column's texts may look like, apart from its type.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Rules {
    pub null_values: Vec<Vec<u8>>,
    pub quoted_nulls: bool,
    /// Quoted values fit text only.
    pub quoted_is_text: bool,
    true_values: Vec<Vec<u8>>,
    false_values: Vec<Vec<u8>>,
    date_formats: Vec<String>,
    timestamp_formats: Vec<String>,
    /// Decimal separator, and thousands separator, where they are not `.` and none.
    separators: Option<(char, Option<char>)>,
}

/// One value, of the Arrow type's native kind.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Value {
    Boolean(bool),
    Integer(i64),
    Unsigned(u64),
    Decimal(i128),
    Float32(f32),
    Float64(f64),
    /// Days from 1970-01-01.
    Date(i32),
    /// Microseconds, of whatever they are counted from.
    Micros(i64),
    /// The text itself.
    Text,
}

impl Rules {
    pub(crate) fn new(options: &ReaderOptions, column: &str) -> Rules {
        let bytes = |texts: &[String]| texts.iter().map(|text| text.clone().into_bytes()).collect();
        let plain = options.decimal_separator == '.' && options.thousands_separator.is_none();
        Rules {
            null_values: bytes(options.null_values.get(column)),
            quoted_nulls: options.quoted_nulls,
            quoted_is_text: options.infer_quoted == InferQuoted::Text,
            true_values: bytes(&options.true_values),
            false_values: bytes(&options.false_values),
            date_formats: options.date_format.get(column).to_vec(),
            timestamp_formats: options.timestamp_format.get(column).to_vec(),
            separators: (!plain).then_some((options.decimal_separator, options.thousands_separator)),
        }
    }

    /// Whether values of `column` look as they do by default, so that a fast path may judge them.
    pub(crate) fn plain_for(&self, column: ColumnType) -> bool {
        match column {
            ColumnType::Boolean => self.true_values.is_empty() && self.false_values.is_empty(),
            ColumnType::Date => self.date_formats.is_empty(),
            ColumnType::Timestamp | ColumnType::TimestampUtc => self.timestamp_formats.is_empty(),
            ColumnType::Text | ColumnType::Unknown | ColumnType::Time => true,
            _ => self.separators.is_none(),
        }
    }

    /// Whether a text that is not empty, or one in quotes, may be NULL.
    #[inline]
    pub(crate) fn has_null_tokens(&self) -> bool {
        !self.null_values.is_empty() || self.quoted_nulls
    }

    /// Whether a field is NULL.
    #[inline]
    pub(crate) fn is_null(&self, text: &[u8], quoted: bool) -> bool {
        if quoted && !self.quoted_nulls {
            return false;
        }
        text.is_empty() || self.null_values.iter().any(|token| token == text)
    }
}

/// The value of a text that is not NULL; `None` if it is none of that type.
pub(crate) fn parse(column: ColumnType, text: &[u8], quoted: bool, rules: &Rules) -> Option<Value> {
    if column == ColumnType::Text {
        return Some(Value::Text);
    }
    if column == ColumnType::Unknown || (quoted && rules.quoted_is_text) {
        return None;
    }
    if !rules.plain_for(column) {
        return parse_by_rules(column, text, rules);
    }
    let integer =
        |low: i64, high: i64| parse_i64(text).filter(|value| (low..=high).contains(value)).map(Value::Integer);
    let unsigned = |high: u64| parse_u64(text).filter(|value| *value <= high).map(Value::Unsigned);
    match column {
        ColumnType::Boolean => parse_bool(text).map(Value::Boolean),
        ColumnType::Int8 => integer(i8::MIN.into(), i8::MAX.into()),
        ColumnType::Int16 => integer(i16::MIN.into(), i16::MAX.into()),
        ColumnType::Int32 => integer(i32::MIN.into(), i32::MAX.into()),
        ColumnType::Int64 => integer(i64::MIN, i64::MAX),
        ColumnType::UInt8 => unsigned(u8::MAX.into()),
        ColumnType::UInt16 => unsigned(u16::MAX.into()),
        ColumnType::UInt32 => unsigned(u32::MAX.into()),
        ColumnType::UInt64 => unsigned(u64::MAX),
        ColumnType::Decimal(precision, scale) => parse_decimal(text, precision, scale).map(Value::Decimal),
        ColumnType::Float32 => parse_f32(text).map(Value::Float32),
        ColumnType::Float64 => parse_f64(text).map(Value::Float64),
        ColumnType::Date => parse_date(text).map(Value::Date),
        ColumnType::Timestamp => parse_timestamp(text).map(Value::Micros),
        ColumnType::TimestampUtc => parse_timestamp_utc(text).map(Value::Micros),
        ColumnType::Time => parse_time(text).map(Value::Micros),
        ColumnType::Text | ColumnType::Unknown => None,
    }
}

/// The same for texts that the user described.
fn parse_by_rules(column: ColumnType, text: &[u8], rules: &Rules) -> Option<Value> {
    match column {
        ColumnType::Boolean => {
            let among = |texts: &[Vec<u8>]| texts.iter().any(|known| known == text);
            if among(&rules.true_values) {
                Some(Value::Boolean(true))
            } else if among(&rules.false_values) {
                Some(Value::Boolean(false))
            } else {
                parse_bool(text).map(Value::Boolean)
            }
        }
        ColumnType::Date => {
            let text = std::str::from_utf8(text).ok()?;
            let date = rules.date_formats.iter().find_map(|format| NaiveDate::parse_from_str(text, format).ok())?;
            Some(Value::Date(i32::try_from(date.signed_duration_since(NaiveDate::default()).num_days()).ok()?))
        }
        ColumnType::Timestamp => {
            let text = std::str::from_utf8(text).ok()?;
            let time =
                rules.timestamp_formats.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())?;
            whole_micros(time)
        }
        ColumnType::TimestampUtc => {
            let text = std::str::from_utf8(text).ok()?;
            let time = rules
                .timestamp_formats
                .iter()
                .find_map(|format| chrono::DateTime::parse_from_str(text, format).ok())?;
            whole_micros(time.naive_utc())
        }
        _ => {
            let (decimal, thousands) = rules.separators?;
            let plain = plain_number(std::str::from_utf8(text).ok()?, decimal, thousands)?;
            parse(column, plain.as_bytes(), false, &Rules::default())
        }
    }
}

/// Microseconds, if nothing is finer and the second is no leap second.
fn whole_micros(time: NaiveDateTime) -> Option<Value> {
    (time.nanosecond().is_multiple_of(1000) && time.nanosecond() < 1_000_000_000)
        .then(|| Value::Micros(time.and_utc().timestamp_micros()))
}

/// A number in the user's separators, with `.` and without grouping. Groups must be well formed: one to three
/// digits, then three each.
fn plain_number(text: &str, decimal: char, thousands: Option<char>) -> Option<String> {
    let (whole, rest) = match text.find([decimal, 'e', 'E']) {
        Some(at) => text.split_at(at),
        None => (text, ""),
    };
    let mut plain = String::with_capacity(text.len());
    match thousands {
        Some(separator) if whole.contains(separator) => {
            let (sign, digits) = whole.strip_prefix('-').map_or(("", whole), |digits| ("-", digits));
            plain.push_str(sign);
            for (index, group) in digits.split(separator).enumerate() {
                let length = if index == 0 { 1..=3 } else { 3..=3 };
                if !length.contains(&group.len()) || !group.bytes().all(|byte| byte.is_ascii_digit()) {
                    return None;
                }
                plain.push_str(group);
            }
        }
        _ => plain.push_str(whole),
    }
    // What stood for the point must not stay, and a plain point is no point here.
    if rest.strip_prefix(decimal).unwrap_or(rest).contains([decimal, '.']) || (decimal != '.' && plain.contains('.')) {
        return None;
    }
    match rest.strip_prefix(decimal) {
        Some(fraction) => {
            plain.push('.');
            plain.push_str(fraction);
        }
        None => plain.push_str(rest),
    }
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::PerColumn;

    #[test]
    fn separators_are_taken_literally() {
        for (text, expected) in [
            ("1.234,5", Some(1234.5)),
            ("1,5", Some(1.5)),
            ("-1.234.567,25", Some(-1_234_567.25)),
            ("1.23", None),
            ("12.34,5", None),
            ("1,5,5", None),
            ("1234,5", Some(1234.5)),
            ("1,5e3", Some(1500.0)),
        ] {
            let plain = plain_number(text, ',', Some('.'));
            assert_eq!(plain.and_then(|text| parse_f64(text.as_bytes())), expected, "{text}");
        }
        assert_eq!(plain_number("1.5", ',', None), None);
    }

    #[test]
    fn formats_belong_to_columns() {
        let mut options = ReaderOptions::default();
        options.date_format.0.insert("d".to_owned(), vec!["%d/%m/%Y".to_owned()]);
        options.timestamp_format = PerColumn::all(["%d.%m.%Y %H:%M"]);
        let rules = Rules::new(&options, "d");
        assert_eq!(parse(ColumnType::Date, b"02/01/1970", false, &rules), Some(Value::Date(1)));
        assert_eq!(parse(ColumnType::Date, b"1970-01-02", false, &rules), None);
        assert_eq!(parse(ColumnType::Timestamp, b"01.01.1970 00:01", false, &rules), Some(Value::Micros(60_000_000)));
        let other = Rules::new(&options, "e");
        assert_eq!(parse(ColumnType::Date, b"1970-01-02", false, &other), Some(Value::Date(1)));
    }
}
