//! [`Shape`]: what most values of a column look like, by type.
//!
//! Each has up to two ways to tell: side by side with other fields ([`lanes`](super::lanes)), where few bytes are enough,
//! and alone ([`word`](super::word)). What neither takes is for the column's parse function.

use crate::csv::decode::lanes::{Day, Decimal, Lane, Never, Whole};
use crate::csv::decode::word;

/// A shape. Its function is `inline(always)`, so that it becomes part of a column's loop.
pub(super) trait Shape<T> {
    /// The shape side by side.
    type Lane: Lane<T>;

    /// The value of the field from `start` to `end`, if it has the shape.
    fn one(text: &[u8], start: usize, end: usize) -> Option<T>;
}

macro_rules! shapes {
    ($($name:ident: $value:ty, $lane:ty, $one:path;)*) => {$(
        pub(super) struct $name;

        impl Shape<$value> for $name {
            type Lane = $lane;

            #[inline(always)]
            fn one(text: &[u8], start: usize, end: usize) -> Option<$value> {
                $one(text, start, end)
            }
        }
    )*};
}

shapes! {
    Integer: i64, Whole, word::integer;
    SmallInteger: i32, Whole, word::small_integer;
    Float: f64, Decimal, word::float;
    Date: i32, Day, word::date;
    Timestamp: i64, Never, word::timestamp;
    TimestampUtc: i64, Never, word::timestamp_utc;
    Boolean: bool, Never, word::boolean;
}

/// None: every value is for the parse function.
pub(super) struct Shapeless;

impl<T: Default> Shape<T> for Shapeless {
    type Lane = Never;

    #[inline(always)]
    fn one(_: &[u8], _: usize, _: usize) -> Option<T> {
        None
    }
}
