//! Short values of a column side by side: the same steps for all, without a branch, so that a compiler can take eight or
//! sixteen of them at once.
//!
//! In: where [`LANES`] fields start and end. Out: their values, equal to what the column's parse function says, and a
//! number for each that is not zero where the field has another shape: that one is for [`word`](super::word), and then
//! for the parse function.

use std::mem::MaybeUninit;

use crate::csv::parse::{POWERS_OF_TEN, days_from_civil, digits, first_of, three_pairs, two_digits, unused_bits};

/// Fields taken at once: a bit of a word for each.
pub(super) const LANES: usize = 64;

/// A shape that can be told without a branch.
pub(super) trait Lane<T> {
    /// Whether any field has it.
    const ANY: bool = true;
    /// Where in the field the second word lies that [`value`](Self::value) wants, if it wants one.
    const TAIL: Option<usize> = None;

    /// The value of the field that starts with the eight bytes of `head`, first byte lowest, and has eight of `tail` at
    /// [`TAIL`](Self::TAIL); with it a number that is zero if the field has the shape.
    fn value(head: u64, tail: u64, length: u64) -> (T, u64);
}

/// The bytes of some fields. Kept from one block to the next, because making it anew would be to zero it.
pub(super) struct Lanes {
    heads: [u64; LANES],
    tails: [u64; LANES],
    lengths: [u64; LANES],
}

impl Lanes {
    #[inline(always)]
    pub(super) fn new() -> Lanes {
        Lanes { heads: [0; LANES], tails: [0; LANES], lengths: [0; LANES] }
    }

    /// Writes the values of the next [`LANES`] fields; bit *i* of the result says that field *i* has another shape, and
    /// that what was written for it means nothing.
    #[inline(always)]
    pub(super) fn parse<L: Lane<T>, T>(
        &mut self,
        text: &[u8],
        fields: impl Iterator<Item = (usize, usize)>,
        values: &mut [MaybeUninit<T>; LANES],
    ) -> u64 {
        let Lanes { heads, tails, lengths } = self;
        let lanes = heads.iter_mut().zip(tails.iter_mut()).zip(lengths.iter_mut());
        for (((head, tail), length), (start, end)) in lanes.zip(fields) {
            // Padding follows each text, so there are as many bytes behind every field.
            let Some(bytes) = text.get(start..).and_then(|text| text.first_chunk::<16>()) else {
                *length = 0;
                continue;
            };
            *length = (end - start) as u64;
            *head = word(bytes, 0);
            if let Some(at) = L::TAIL {
                *tail = word(bytes, at);
            }
        }
        let mut others = [0; LANES];
        for lane in 0..LANES {
            let (value, other) = L::value(heads[lane], tails[lane], lengths[lane]);
            values[lane].write(value);
            others[lane] = other;
        }
        if others.iter().fold(0, |all, other| all | other) == 0 {
            return 0;
        }
        others.iter().enumerate().fold(0, |bits, (lane, other)| bits | u64::from(*other != 0) << lane)
    }
}

#[inline(always)]
fn word(bytes: &[u8; 16], at: usize) -> u64 {
    bytes[at..].first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

/// The shape that no field has.
pub(super) struct Never;

impl<T: Default> Lane<T> for Never {
    const ANY: bool = false;

    #[inline(always)]
    fn value(_: u64, _: u64, _: u64) -> (T, u64) {
        (T::default(), 1)
    }
}

/// Up to eight digits, or seven and a minus, without a leading zero.
pub(super) struct Whole;

impl<T: From<i32>> Lane<T> for Whole {
    #[inline(always)]
    fn value(head: u64, _: u64, length: u64) -> (T, u64) {
        let minus = minus(head);
        let (text, length) = (head >> (minus & 8), length.wrapping_add(minus));
        let (value, other) = digits(text, length);
        let leading_zero = (text & 0xFF == ZERO) & ((length != 1) | (minus != 0));
        let minus = minus as i32;
        (T::from((value as i32 ^ minus).wrapping_sub(minus)), other | u64::from(leading_zero))
    }
}

/// Up to eight bytes: digits, perhaps with a point between them, perhaps behind a minus; no leading zero but a single one.
/// Exact, because digits and power of ten are, and dividing rounds once.
pub(super) struct Decimal;

impl Lane<f64> for Decimal {
    #[inline(always)]
    fn value(head: u64, _: u64, length: u64) -> (f64, u64) {
        let minus = minus(head);
        let length = length.wrapping_add(minus);
        let too_long = u64::from(length.wrapping_sub(1) > 7);
        let text = (head >> (minus & 8)) & (!0 >> unused_bits(length));
        let points = first_of(text, b'.');
        let point = points & points.wrapping_neg();
        let pointed = point != 0;
        // All bytes before the point; without one, all bytes.
        let before = (point >> 7).wrapping_sub(1);
        let behind = (text >> 8) & !before;
        let (value, other) = digits((text & before) | behind, length.wrapping_sub(u64::from(pointed)));
        let scale = count_digits(behind);
        let zero_first = text & 0xFF == ZERO;
        let bad_point = pointed & ((point == 0x80) | (scale == 0));
        let bad_zero = zero_first & ((text & before > 0xFF) | (!pointed & (minus != 0)));
        let value = f64::from(value as i32) / POWERS_OF_TEN[scale & 7];
        let value = f64::from_bits(value.to_bits() ^ (minus & 1 << 63));
        (value, other | too_long | u64::from(bad_point | bad_zero))
    }
}

/// `YYYY-MM-DD`, but for a 29th of February: that one asks for the year.
pub(super) struct Day;

impl Lane<i32> for Day {
    const TAIL: Option<usize> = Some(2);

    #[inline(always)]
    fn value(head: u64, tail: u64, length: u64) -> (i32, u64) {
        let (century, bad_century) = two_digits(head);
        let ([year, month, day], bad_rest) = three_pairs(tail, b'-');
        let year = century * 100 + year;
        let other = bad_century | bad_rest | (length ^ 10);
        let last = if month == 2 { 28 } else { 30 + ((month + (month >> 3)) & 1) };
        let bad = (month.wrapping_sub(1) > 11) | (day.wrapping_sub(1) >= last);
        (days_from_civil(year, month, day), other | u64::from(bad))
    }
}

const ZERO: u64 = b'0' as u64;

/// All ones if the first byte is a minus.
#[inline(always)]
fn minus(text: u64) -> u64 {
    u64::from(text & 0xFF == u64::from(b'-')).wrapping_neg()
}

/// How many bytes hold a digit, if the others are zero.
#[inline(always)]
fn count_digits(text: u64) -> usize {
    let ones = (text >> 4) & 0x0101_0101_0101_0101;
    let ones = ones + (ones >> 32);
    let ones = ones + (ones >> 16);
    ((ones + (ones >> 8)) & 0xF) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::csv::parse::{parse_date, parse_f64, parse_i64};
    use proptest::prelude::*;

    /// What the lanes make of one text, `None` where they leave it to others.
    fn lane<L: Lane<T>, T: Copy>(text: &str, behind: &str) -> Option<T> {
        let length = text.len();
        let text = format!("{text}{behind}{}", "\0".repeat(16)).into_bytes();
        let mut values = [MaybeUninit::uninit(); LANES];
        let others = Lanes::new().parse::<L, T>(&text, std::iter::repeat_n((0, length), LANES), &mut values);
        assert!(others == 0 || others == !0);
        // SAFETY: all values were written.
        (others == 0).then(|| unsafe { values[LANES - 1].assume_init() })
    }

    fn agrees(text: &str, behind: &str) {
        let bytes = text.as_bytes();
        if let Some(value) = lane::<Whole, i64>(text, behind) {
            assert_eq!(Some(value), parse_i64(bytes), "{text:?}");
            assert_eq!(lane::<Whole, i32>(text, behind).map(i64::from), Some(value));
        }
        if let Some(value) = lane::<Decimal, f64>(text, behind) {
            assert_eq!(Some(value.to_bits()), parse_f64(bytes).map(f64::to_bits), "{text:?}");
        }
        if let Some(value) = lane::<Day, i32>(text, behind) {
            assert_eq!(Some(value), parse_date(bytes), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_has_the_shape_has_the_value(
            text in "[0-9.-]{0,12}|-?[0-9]{0,9}|-?[0-9]{1,4}\\.[0-9]{0,5}|-?0\\.[0-9]{1,7}|\\PC{0,12}", behind in "[,0-9.\n-]{0,3}"
        ) {
            agrees(&text, &behind);
        }

        #[test]
        fn dates_too(
            year in 0..10_100, month in 0..15, day in 0..35, between in "[-/0 .]", behind in "[,0-9\n-]{0,3}"
        ) {
            agrees(&format!("{year:04}-{month:02}-{day:02}"), &behind);
            agrees(&format!("{year:04}{between}{month:02}-{day:02}"), &behind);
        }
    }

    #[test]
    fn the_usual_has_the_shape() {
        for (text, value) in [("0", 0), ("7", 7), ("-1", -1), ("12345678", 12_345_678), ("-1234567", -1_234_567)] {
            assert_eq!(lane::<Whole, i64>(text, ",12"), Some(value));
        }
        for text in ["0", "0.0", "-0.0", "17", "21168.23", "0.04", "-1.5", "-0.125", "12345678", "1.00"] {
            let expected = text.parse::<f64>().unwrap().to_bits();
            assert_eq!(lane::<Decimal, f64>(text, ".5").map(f64::to_bits), Some(expected), "{text}");
        }
        assert_eq!(lane::<Day, i32>("1970-01-02", ",1"), Some(1));
        for text in
            ["", "-", ".", "-.", "1.", ".1", "-.1", "01", "-0", "-01", "00.1", "1.2.3", "1e5", "+1", "123456789"]
        {
            assert_eq!(lane::<Whole, i64>(text, ",12"), None, "{text}");
            assert_eq!(lane::<Decimal, f64>(text, ",12").map(f64::to_bits), None, "{text}");
        }
    }
}
