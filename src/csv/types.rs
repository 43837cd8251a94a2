//! [`ColumnType`]: the types a CSV column can have, their names, and how one widens into another.
//!
//! In: names as users of DuckDB, Arrow, polars and pandas write them. Out: Arrow types. The order of
//! [`ColumnType::INFERRED`] is the order in which inference prefers them.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use arrow::datatypes::{DataType, TimeUnit};

use crate::options::nearest;

/// The type of a CSV column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ColumnType {
    /// No value seen yet; text if none comes.
    Unknown,
    /// `true` and `false`.
    Boolean,
    /// 8 bits, signed.
    Int8,
    /// 16 bits, signed.
    Int16,
    /// 32 bits, signed.
    Int32,
    /// 64 bits, signed.
    Int64,
    /// 8 bits, unsigned.
    UInt8,
    /// 16 bits, unsigned.
    UInt16,
    /// 32 bits, unsigned.
    UInt32,
    /// 64 bits, unsigned.
    UInt64,
    /// Exact, with a precision of 1 to 38 digits and a scale.
    Decimal(u8, u8),
    /// 32-bit float.
    Float32,
    /// 64-bit float.
    Float64,
    /// Days.
    Date,
    /// Microseconds, without a zone.
    Timestamp,
    /// Microseconds in UTC, from texts with an offset.
    TimestampUtc,
    /// Microseconds from midnight.
    Time,
    /// UTF-8 text, exactly as in the input.
    Text,
}

impl ColumnType {
    /// What inference chooses from, best first; text is what remains.
    pub const INFERRED: [ColumnType; 8] = [
        ColumnType::Boolean,
        ColumnType::Int64,
        ColumnType::Decimal(38, 0),
        ColumnType::Float64,
        ColumnType::Date,
        ColumnType::Timestamp,
        ColumnType::TimestampUtc,
        ColumnType::Time,
    ];

    /// The Arrow type of the column.
    pub fn data_type(self) -> DataType {
        match self {
            ColumnType::Unknown | ColumnType::Text => DataType::Utf8,
            ColumnType::Boolean => DataType::Boolean,
            ColumnType::Int8 => DataType::Int8,
            ColumnType::Int16 => DataType::Int16,
            ColumnType::Int32 => DataType::Int32,
            ColumnType::Int64 => DataType::Int64,
            ColumnType::UInt8 => DataType::UInt8,
            ColumnType::UInt16 => DataType::UInt16,
            ColumnType::UInt32 => DataType::UInt32,
            ColumnType::UInt64 => DataType::UInt64,
            ColumnType::Decimal(precision, scale) => DataType::Decimal128(precision, scale as i8),
            ColumnType::Float32 => DataType::Float32,
            ColumnType::Float64 => DataType::Float64,
            ColumnType::Date => DataType::Date32,
            ColumnType::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
            ColumnType::TimestampUtc => DataType::Timestamp(TimeUnit::Microsecond, Some(Arc::from("UTC"))),
            ColumnType::Time => DataType::Time64(TimeUnit::Microsecond),
        }
    }

    /// Whether every value of `self` is also one of `wider`, spelled the same.
    pub(crate) fn widens_to(self, wider: ColumnType) -> bool {
        use ColumnType::{Date, Decimal, Float64, Int64, Text, Timestamp, Unknown};
        matches!(
            (self, wider),
            (_, Text)
                | (Unknown, _)
                | (Int64, Decimal(38, 0) | Float64)
                | (Decimal(38, 0), Float64)
                | (Date, Timestamp)
        )
    }
}

/// Names in use elsewhere. SQL's `int8` (eight bytes) and Arrow's (eight bits) differ: Arrow's is meant here.
const NAMES: &[(&str, ColumnType)] = &[
    ("boolean", ColumnType::Boolean),
    ("bool", ColumnType::Boolean),
    ("logical", ColumnType::Boolean),
    ("int8", ColumnType::Int8),
    ("tinyint", ColumnType::Int8),
    ("int16", ColumnType::Int16),
    ("smallint", ColumnType::Int16),
    ("int32", ColumnType::Int32),
    ("integer", ColumnType::Int32),
    ("int", ColumnType::Int32),
    ("int64", ColumnType::Int64),
    ("bigint", ColumnType::Int64),
    ("long", ColumnType::Int64),
    ("uint8", ColumnType::UInt8),
    ("utinyint", ColumnType::UInt8),
    ("uint16", ColumnType::UInt16),
    ("usmallint", ColumnType::UInt16),
    ("uint32", ColumnType::UInt32),
    ("uinteger", ColumnType::UInt32),
    ("uint64", ColumnType::UInt64),
    ("ubigint", ColumnType::UInt64),
    ("float32", ColumnType::Float32),
    ("float", ColumnType::Float32),
    ("real", ColumnType::Float32),
    ("float64", ColumnType::Float64),
    ("double", ColumnType::Float64),
    ("date", ColumnType::Date),
    ("date32", ColumnType::Date),
    ("timestamp", ColumnType::Timestamp),
    ("datetime", ColumnType::Timestamp),
    ("datetime64[ns]", ColumnType::Timestamp),
    ("timestamptz", ColumnType::TimestampUtc),
    ("timestamp with time zone", ColumnType::TimestampUtc),
    ("time", ColumnType::Time),
    ("text", ColumnType::Text),
    ("varchar", ColumnType::Text),
    ("string", ColumnType::Text),
    ("str", ColumnType::Text),
    ("utf8", ColumnType::Text),
    ("object", ColumnType::Text),
];

impl FromStr for ColumnType {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let name = text.trim().to_ascii_lowercase();
        if let Some(found) = NAMES.iter().find(|(known, _)| *known == name) {
            return Ok(found.1);
        }
        if let Some(arguments) = name.strip_prefix("decimal").or_else(|| name.strip_prefix("numeric")) {
            let arguments = arguments.trim();
            if arguments.is_empty() {
                return Ok(ColumnType::Decimal(18, 3));
            }
            let numbers: Option<Vec<u8>> = arguments
                .strip_prefix('(')
                .and_then(|rest| rest.strip_suffix(')'))
                .and_then(|inner| inner.split(',').map(|number| number.trim().parse().ok()).collect());
            return match numbers.as_deref() {
                Some([precision @ 1..=38]) => Ok(ColumnType::Decimal(*precision, 0)),
                Some([precision @ 1..=38, scale]) if scale <= precision => Ok(ColumnType::Decimal(*precision, *scale)),
                _ => Err(format!("'{text}' is no decimal type; write decimal(P,S) with P up to 38 and S up to P")),
            };
        }
        let known: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
        Err(match nearest(&name, &known) {
            Some(near) => format!("unknown type '{text}': did you mean '{near}'?"),
            None => format!("unknown type '{text}'; known are: {}, decimal(P,S)", known.join(", ")),
        })
    }
}

impl fmt::Display for ColumnType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ColumnType::Unknown => f.write_str("unknown"),
            ColumnType::Decimal(precision, scale) => write!(f, "decimal({precision},{scale})"),
            other => f.write_str(NAMES.iter().find(|(_, known)| known == other).map_or("text", |(name, _)| name)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_other_tools_are_understood() {
        for (name, expected) in [
            ("BIGINT", ColumnType::Int64),
            ("str", ColumnType::Text),
            ("Decimal(10, 2)", ColumnType::Decimal(10, 2)),
            ("numeric(5)", ColumnType::Decimal(5, 0)),
            (" double ", ColumnType::Float64),
        ] {
            assert_eq!(name.parse(), Ok(expected));
        }
        assert_eq!("bigimt".parse::<ColumnType>(), Err("unknown type 'bigimt': did you mean 'bigint'?".to_owned()));
        assert!("decimal(50,2)".parse::<ColumnType>().is_err());
    }

    #[test]
    fn every_name_is_printed_as_one_that_reads_back() {
        for (_, column) in NAMES {
            assert_eq!(column.to_string().parse(), Ok(*column));
        }
    }
}
