//! Any value of any type as text: the form that every other path must give, too.
//!
//! In: an array and a row that is not NULL. Out: the text, without CSV's quotes. Nested values are written as DuckDB
//! writes and reads them: `[1, 2]`, `{'a': 1}`, `{k=v}`, with texts in `'…'` where they need it.

use std::io::Write;

use arrow::array::{Array, ArrayRef, AsArray, MapArray, StructArray};
use arrow::datatypes::*;

use super::digits::{self, ROOM};
use super::float;
use crate::error::{Error, Result};
use crate::options::FloatFormat;

/// Appends the text of a value that is not NULL.
pub(super) fn write_value(array: &dyn Array, row: usize, floats: FloatFormat, out: &mut Vec<u8>) -> Result<()> {
    macro_rules! value {
        ($type:ty) => {
            array.as_primitive::<$type>().value(row)
        };
    }
    macro_rules! interval {
        ($months:expr, $days:expr, $nanos:expr) => {
            write_interval($months as i64, $days as i64, $nanos as i64, out)
        };
    }
    match array.data_type() {
        DataType::Null => {}
        DataType::Boolean => out.extend_from_slice(if array.as_boolean().value(row) { b"true" } else { b"false" }),
        DataType::Int8 => integer(value!(Int8Type).into(), out),
        DataType::Int16 => integer(value!(Int16Type).into(), out),
        DataType::Int32 => integer(value!(Int32Type).into(), out),
        DataType::Int64 => integer(value!(Int64Type), out),
        DataType::UInt8 => unsigned(value!(UInt8Type).into(), out),
        DataType::UInt16 => unsigned(value!(UInt16Type).into(), out),
        DataType::UInt32 => unsigned(value!(UInt32Type).into(), out),
        DataType::UInt64 => unsigned(value!(UInt64Type), out),
        DataType::Float16 => float::write_f32(value!(Float16Type).to_f32(), floats, out),
        DataType::Float32 => float::write_f32(value!(Float32Type), floats, out),
        DataType::Float64 => float::write_f64(value!(Float64Type), floats, out),
        DataType::Decimal32(_, scale) => decimal(value!(Decimal32Type).into(), *scale, out),
        DataType::Decimal64(_, scale) => decimal(value!(Decimal64Type).into(), *scale, out),
        DataType::Decimal128(_, scale) => decimal(value!(Decimal128Type), *scale, out),
        DataType::Decimal256(_, scale) => scaled(&value!(Decimal256Type).to_string(), *scale, out),
        DataType::Date32 => scratch(out, |buf| date(buf, 0, value!(Date32Type))),
        // Milliseconds, though only whole days are dates.
        DataType::Date64 => scratch(out, |buf| digits::date(buf, 0, value!(Date64Type).div_euclid(86_400_000))),
        DataType::Time32(TimeUnit::Second) => time(value!(Time32SecondType).into(), 1, out),
        DataType::Time32(_) => time(value!(Time32MillisecondType).into(), 1_000, out),
        DataType::Time64(TimeUnit::Nanosecond) => time(value!(Time64NanosecondType), 1_000_000_000, out),
        DataType::Time64(_) => time(value!(Time64MicrosecondType), 1_000_000, out),
        DataType::Timestamp(unit, zone) => {
            let value = match unit {
                TimeUnit::Second => value!(TimestampSecondType),
                TimeUnit::Millisecond => value!(TimestampMillisecondType),
                TimeUnit::Microsecond => value!(TimestampMicrosecondType),
                TimeUnit::Nanosecond => value!(TimestampNanosecondType),
            };
            let zone = zone.as_deref().map(Zone::new);
            scratch(out, |buf| timestamp(buf, 0, value, per_second(*unit), zone.as_ref()));
        }
        DataType::Duration(unit) => {
            let value = match unit {
                TimeUnit::Second => value!(DurationSecondType),
                TimeUnit::Millisecond => value!(DurationMillisecondType),
                TimeUnit::Microsecond => value!(DurationMicrosecondType),
                TimeUnit::Nanosecond => value!(DurationNanosecondType),
            };
            time(value, per_second(*unit), out);
        }
        DataType::Interval(IntervalUnit::YearMonth) => interval!(value!(IntervalYearMonthType), 0, 0),
        DataType::Interval(IntervalUnit::DayTime) => {
            let value = value!(IntervalDayTimeType);
            interval!(0, value.days, i64::from(value.milliseconds) * 1_000_000)
        }
        DataType::Interval(IntervalUnit::MonthDayNano) => {
            let value = value!(IntervalMonthDayNanoType);
            interval!(value.months, value.days, value.nanoseconds)
        }
        DataType::Utf8 => out.extend_from_slice(array.as_string::<i32>().value(row).as_bytes()),
        DataType::LargeUtf8 => out.extend_from_slice(array.as_string::<i64>().value(row).as_bytes()),
        DataType::Utf8View => out.extend_from_slice(array.as_string_view().value(row).as_bytes()),
        DataType::Binary => write_bytes(array.as_binary::<i32>().value(row), out),
        DataType::LargeBinary => write_bytes(array.as_binary::<i64>().value(row), out),
        DataType::BinaryView => write_bytes(array.as_binary_view().value(row), out),
        DataType::FixedSizeBinary(_) => write_bytes(array.as_fixed_size_binary().value(row), out),
        DataType::List(_) => write_list(&array.as_list::<i32>().value(row), floats, out)?,
        DataType::LargeList(_) => write_list(&array.as_list::<i64>().value(row), floats, out)?,
        DataType::FixedSizeList(_, _) => write_list(&array.as_fixed_size_list().value(row), floats, out)?,
        DataType::ListView(_) => write_list(&array.as_list_view::<i32>().value(row), floats, out)?,
        DataType::LargeListView(_) => write_list(&array.as_list_view::<i64>().value(row), floats, out)?,
        DataType::Struct(_) => write_struct(array.as_struct(), row, floats, out)?,
        DataType::Map(_, _) => write_map(array.as_map(), row, floats, out)?,
        DataType::Union(_, _) => {
            let union = array.as_union();
            let child = union.child(union.type_id(row));
            let row = union.value_offset(row);
            match child.is_null(row) {
                true => out.extend_from_slice(b"NULL"),
                false => write_value(child, row, floats, out)?,
            }
        }
        DataType::Dictionary(_, _) => {
            let dictionary = array.as_any_dictionary();
            let key = dictionary.normalized_keys()[row];
            write_value(dictionary.values(), key, floats, out)?;
        }
        DataType::RunEndEncoded(_, _) => {
            let plain = super::plain(&array.slice(row, 1))?;
            write_value(&plain, 0, floats, out)?;
        }
    }
    Ok(())
}

fn scratch(out: &mut Vec<u8>, write: impl FnOnce(&mut [u8]) -> usize) {
    let mut buf = [0; 2 * ROOM];
    let end = write(&mut buf);
    out.extend_from_slice(&buf[..end]);
}

fn integer(value: i64, out: &mut Vec<u8>) {
    scratch(out, |buf| digits::integer(buf, 0, value));
}

fn unsigned(value: u64, out: &mut Vec<u8>) {
    scratch(out, |buf| digits::unsigned(buf, 0, value));
}

fn decimal(value: i128, scale: i8, out: &mut Vec<u8>) {
    match usize::try_from(scale) {
        Ok(scale) if scale <= 38 => scratch(out, |buf| digits::decimal(buf, 0, value, scale)),
        _ => scaled(&value.to_string(), scale, out),
    }
}

/// A decimal of any precision and scale, from the text of its unscaled value.
fn scaled(unscaled: &str, scale: i8, out: &mut Vec<u8>) {
    let (sign, digits) = match unscaled.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", unscaled),
    };
    out.extend_from_slice(sign.as_bytes());
    if scale <= 0 {
        let zeros = if digits == "0" { 0 } else { usize::from(scale.unsigned_abs()) };
        out.extend_from_slice(digits.as_bytes());
        out.resize(out.len() + zeros, b'0');
        return;
    }
    let scale = usize::from(scale.unsigned_abs());
    let padding = (scale + 1).saturating_sub(digits.len());
    out.resize(out.len() + padding, b'0');
    out.extend_from_slice(digits.as_bytes());
    out.insert(out.len() - scale, b'.');
}

/// A date; DuckDB's two infinities are the ends of the range.
#[inline(always)]
pub(super) fn date(buf: &mut [u8], at: usize, days: i32) -> usize {
    match days {
        i32::MAX => super::block::put(buf, at, b"infinity"),
        days if days == -i32::MAX => super::block::put(buf, at, b"-infinity"),
        days => digits::date(buf, at, days.into()),
    }
}

/// How the times of a zone are written.
pub(super) struct Zone {
    /// Seconds to add to UTC.
    shift: i64,
    /// `+01:00`.
    suffix: [u8; 6],
}

impl Zone {
    /// Offsets such as `+01:00` are kept; for named zones the same instant is written in UTC, because what the clocks
    /// of a zone show depends on a database of rules that changes every year.
    pub fn new(name: &str) -> Self {
        let utc = Zone { shift: 0, suffix: *b"+00:00" };
        let (sign, rest) = match name.as_bytes() {
            [sign @ (b'+' | b'-'), rest @ ..] => (*sign, rest),
            _ => return utc,
        };
        let &[h1, h2, ref rest @ ..] = rest else { return utc };
        let [m1, m2] = match rest {
            [] => *b"00",
            [m1, m2] | [b':', m1, m2] => [*m1, *m2],
            _ => return utc,
        };
        let digits = [h1, h2, m1, m2];
        if !digits.iter().all(u8::is_ascii_digit) || m1 > b'5' {
            return utc;
        }
        let [a, b, c, d] = digits.map(|digit| i64::from(digit - b'0'));
        let shift = (a * 10 + b) * 3600 + (c * 10 + d) * 60;
        Zone { shift: if sign == b'-' { -shift } else { shift }, suffix: [sign, h1, h2, b':', m1, m2] }
    }
}

pub(super) fn per_second(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    }
}

/// A timestamp; DuckDB's two infinities are the ends of the range.
#[inline(always)]
pub(super) fn timestamp(buf: &mut [u8], at: usize, value: i64, per_second: i64, zone: Option<&Zone>) -> usize {
    if value == i64::MAX {
        return super::block::put(buf, at, b"infinity");
    }
    if value == -i64::MAX {
        return super::block::put(buf, at, b"-infinity");
    }
    match zone {
        None => digits::timestamp(buf, at, value, per_second),
        Some(zone) => {
            // At the very ends of the range the offset would not fit.
            let shifted = value.checked_add(zone.shift * per_second);
            let (value, suffix) = shifted.map_or((value, *b"+00:00"), |shifted| (shifted, zone.suffix));
            let at = digits::timestamp(buf, at, value, per_second);
            digits::store(buf, at, suffix);
            at + 6
        }
    }
}

fn time(value: i64, per_second: i64, out: &mut Vec<u8>) {
    if value < 0 {
        out.push(b'-');
    }
    scratch(out, |buf| digits::time(buf, 0, value.unsigned_abs(), per_second as u64));
}

fn write_interval(months: i64, days: i64, nanos: i64, out: &mut Vec<u8>) {
    let start = out.len();
    for (count, name) in [(months / 12, "year"), (months % 12, "month"), (days, "day")] {
        if count != 0 {
            if out.len() > start {
                out.push(b' ');
            }
            integer(count, out);
            out.push(b' ');
            out.extend_from_slice(name.as_bytes());
            if count.abs() != 1 {
                out.push(b's');
            }
        }
    }
    if nanos != 0 || out.len() == start {
        if out.len() > start {
            out.push(b' ');
        }
        time(nanos, 1_000_000_000, out);
    }
}

/// Printable ASCII as it is, all else, and what would be ambiguous, as `\xAB`.
fn write_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in bytes {
        match byte {
            b'\\' | b'\'' | b'"' | 0..=31 | 127.. => {
                out.extend_from_slice(&[b'\\', b'x', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
            }
            _ => out.push(*byte),
        }
    }
}

fn write_list(items: &ArrayRef, floats: FloatFormat, out: &mut Vec<u8>) -> Result<()> {
    out.push(b'[');
    for row in 0..items.len() {
        if row > 0 {
            out.extend_from_slice(b", ");
        }
        write_nested(items, row, floats, out)?;
    }
    out.push(b']');
    Ok(())
}

fn write_struct(array: &StructArray, row: usize, floats: FloatFormat, out: &mut Vec<u8>) -> Result<()> {
    out.push(b'{');
    for (index, (field, column)) in array.fields().iter().zip(array.columns()).enumerate() {
        if index > 0 {
            out.extend_from_slice(b", ");
        }
        quote_nested(field.name().as_bytes(), out);
        out.extend_from_slice(b": ");
        write_nested(column, row, floats, out)?;
    }
    out.push(b'}');
    Ok(())
}

fn write_map(array: &MapArray, row: usize, floats: FloatFormat, out: &mut Vec<u8>) -> Result<()> {
    let entries = array.value(row);
    out.push(b'{');
    for entry in 0..entries.len() {
        if entry > 0 {
            out.extend_from_slice(b", ");
        }
        write_nested(entries.column(0), entry, floats, out)?;
        out.push(b'=');
        write_nested(entries.column(1), entry, floats, out)?;
    }
    out.push(b'}');
    Ok(())
}

/// A value inside another: NULL has a name, and texts that could be misread are in quotes.
fn write_nested(array: &dyn Array, row: usize, floats: FloatFormat, out: &mut Vec<u8>) -> Result<()> {
    if array.data_type() == &DataType::Null || array.is_null(row) {
        return out.write_all(b"NULL").map_err(|error| Error::internal(error.to_string()));
    }
    let start = out.len();
    write_value(array, row, floats, out)?;
    if holds_text(array.data_type()) && is_ambiguous(&out[start..]) {
        let text = out.split_off(start);
        quote_nested(&text, out);
    }
    Ok(())
}

fn holds_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, value) => holds_text(value),
        DataType::RunEndEncoded(_, values) => holds_text(values.data_type()),
        other => other.is_string() || other.is_binary() || matches!(other, DataType::FixedSizeBinary(_)),
    }
}

fn is_ambiguous(text: &[u8]) -> bool {
    let (Some(first), Some(last)) = (text.first(), text.last()) else { return true };
    first.is_ascii_whitespace()
        || last.is_ascii_whitespace()
        || text.eq_ignore_ascii_case(b"null")
        || text.iter().any(|byte| b",[]{}()=:'\"\\".contains(byte))
}

fn quote_nested(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'\'');
    for byte in text {
        if matches!(byte, b'\'' | b'\\') {
            out.push(b'\\');
        }
        out.push(*byte);
    }
    out.push(b'\'');
}
