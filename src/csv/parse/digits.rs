//! Digits, eight at a time and without a branch: what is true of a word is found beside its value, not asked for first, so
//! that a loop over many words can be compiled for many at once.
//!
//! In: the bytes of a text in a word, first byte lowest. Out: numbers, and a word that is zero if the text was of that form.

/// Not zero if a byte is above nine: it has its high bit set or gets it.
#[inline(always)]
fn above_nine(bytes: u64) -> u64 {
    (bytes.wrapping_add(0x7676_7676_7676_7676) | bytes) & 0x8080_8080_8080_8080
}

/// Each byte ten times, and the one behind it added. Of digits that is at most 99 in any byte, so nothing is carried.
#[inline(always)]
fn pairs(digits: u64) -> u64 {
    // Sums of shifts here and below, because few processors multiply words side by side.
    (digits << 3).wrapping_add(digits << 1).wrapping_add(digits >> 8)
}

/// Bits of a word that a text of `length` bytes, 1 to 8, leaves unused.
#[inline(always)]
pub(crate) fn unused_bits(length: u64) -> u64 {
    64_u64.wrapping_sub(8 * length) & 63
}

/// The value of the first `length` bytes, which are to be 1 to 8 digits; the others are ignored.
#[inline(always)]
pub(crate) fn digits(text: u64, length: u64) -> (u64, u64) {
    let digits = (text ^ 0x3030_3030_3030_3030) << unused_bits(length);
    let other = above_nine(digits) | u64::from(length.wrapping_sub(1) > 7);
    let pairs = pairs(digits) & 0x00FF_00FF_00FF_00FF;
    let quads = (pairs << 6).wrapping_add(pairs << 5).wrapping_add(pairs << 2).wrapping_add(pairs >> 16);
    let quads = quads & 0x0000_FFFF_0000_FFFF;
    (((quads & 0xFFFF) * 10_000 + (quads >> 32)) & 0xFFFF_FFFF, other)
}

/// The value of the first two bytes, which are to be digits; the others are ignored.
#[inline(always)]
pub(crate) fn two_digits(text: u64) -> (u32, u64) {
    let digits = (text ^ 0x3030) & 0xFFFF;
    (pairs(digits) as u32 & 0xFF, above_nine(digits))
}

/// Three numbers of two digits with `between` between them.
#[inline(always)]
pub(crate) fn three_pairs(text: u64, between: u8) -> ([u32; 3], u64) {
    const BETWEEN: u64 = 0x0000_FF00_00FF_0000;
    let digits = text ^ (0x3030_0030_3000_3030 | (u64::from(between) << 16) | (u64::from(between) << 40));
    let pairs = pairs(digits);
    (
        [pairs as u32 & 0xFF, (pairs >> 24) as u32 & 0xFF, (pairs >> 48) as u32 & 0xFF],
        above_nine(digits) | digits & BETWEEN,
    )
}

/// The high bit of each byte that is `byte`, exact up to the first of them.
#[inline(always)]
pub(crate) fn first_of(text: u64, byte: u8) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let difference = text ^ (u64::from(byte) * ONES);
    // Borrow from bytes below cannot reach the lowest one.
    difference.wrapping_sub(ONES) & !difference & 0x8080_8080_8080_8080
}
