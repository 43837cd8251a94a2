//! What depends on the processor: blocks of 64 bytes as bit masks, and work compiled for newer instructions.
//!
//! In: a block, a byte to look for, a mask. Out: masks, positions of their bits. Three forms with the same result, chosen
//! once at run time: AVX-512, AVX2, and eight bytes at a time in plain words. This file, the column builder and the
//! stash hold the only `unsafe` of the CSV half: here, calls into forms that the processor was found to have.

/// The forms that answer to a block.
pub(crate) trait Classify {
    /// A bit for each byte of the block that is `byte`.
    fn equal(block: &[u8; 64], byte: u8) -> u64;

    /// `base` and the index of each set bit, in order, at the front of `out`; what follows there is arbitrary.
    #[inline(always)]
    fn positions(mut bits: u64, base: u32, out: &mut [u32; 64]) {
        // Eight at a time, some past the last: cheaper than asking each time whether there is one more.
        for group in out.chunks_exact_mut(8).take((bits.count_ones() as usize).div_ceil(8)) {
            for position in group {
                *position = base + bits.trailing_zeros();
                bits &= bits.wrapping_sub(1);
            }
        }
    }
}

/// Work that gains from being compiled for newer processors. `run` has to be `inline(always)`: inlined it takes on the
/// instructions of its caller.
pub(crate) trait Kernel {
    type Output;

    fn run<C: Classify>(self) -> Self::Output;
}

/// Runs the work in the form for this processor.
pub(crate) fn best<K: Kernel>(work: K) -> K::Output {
    #[cfg(target_arch = "x86_64")]
    {
        // The macros cache their answers.
        use std::arch::is_x86_feature_detected as has;

        #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt,avx512f,avx512bw")]
        fn with_avx512<K: Kernel>(work: K) -> K::Output {
            work.run::<Avx512>()
        }
        #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
        fn with_avx2<K: Kernel>(work: K) -> K::Output {
            work.run::<Avx2>()
        }
        if has!("avx2") && has!("bmi1") && has!("bmi2") && has!("lzcnt") && has!("popcnt") {
            if has!("avx512f") && has!("avx512bw") {
                // SAFETY: the processor was found to have every feature that the function is compiled for.
                return unsafe { with_avx512(work) };
            }
            // SAFETY: as above.
            return unsafe { with_avx2(work) };
        }
    }
    work.run::<Words>()
}

/// Eight bytes at a time, on any machine.
struct Words;

impl Classify for Words {
    #[inline(always)]
    fn equal(block: &[u8; 64], byte: u8) -> u64 {
        let words = block.as_chunks::<8>().0.iter().enumerate();
        words.fold(0, |mask, (index, bytes)| mask | equal_bytes(u64::from_le_bytes(*bytes), byte) << (8 * index))
    }
}

/// Bit *i* is set if byte *i* of the word is `byte`.
#[inline(always)]
fn equal_bytes(word: u64, byte: u8) -> u64 {
    const LOW: u64 = 0x7F7F_7F7F_7F7F_7F7F;
    let difference = word ^ (u64::from(byte) * 0x0101_0101_0101_0101);
    // High bit of each byte that is zero; no carry crosses bytes.
    let zeros = !(((difference & LOW) + LOW) | difference | LOW);
    ((zeros >> 7).wrapping_mul(0x0102_0408_1020_4080)) >> 56
}

#[cfg(target_arch = "x86_64")]
struct Avx2;

#[cfg(target_arch = "x86_64")]
impl Classify for Avx2 {
    #[inline(always)]
    fn equal(block: &[u8; 64], byte: u8) -> u64 {
        use std::arch::x86_64::{
            __m256i, _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_movemask_epi8, _mm256_set1_epi8,
        };
        // SAFETY: only reached from functions compiled for AVX2, which run after detection; both loads are
        // unaligned ones within the 64 bytes.
        unsafe {
            let needle = _mm256_set1_epi8(byte as i8);
            let half = |at: usize| {
                let bytes = _mm256_loadu_si256(block.as_ptr().add(at).cast::<__m256i>());
                _mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, needle)) as u32
            };
            u64::from(half(0)) | u64::from(half(32)) << 32
        }
    }
}

#[cfg(target_arch = "x86_64")]
struct Avx512;

#[cfg(target_arch = "x86_64")]
impl Classify for Avx512 {
    #[inline(always)]
    fn equal(block: &[u8; 64], byte: u8) -> u64 {
        use std::arch::x86_64::{__m512i, _mm512_cmpeq_epi8_mask, _mm512_loadu_si512, _mm512_set1_epi8};
        // SAFETY: only reached from functions compiled for AVX-512, which run after detection; the load is an unaligned
        // one of the 64 bytes.
        unsafe {
            _mm512_cmpeq_epi8_mask(_mm512_loadu_si512(block.as_ptr().cast::<__m512i>()), _mm512_set1_epi8(byte as i8))
        }
    }

    /// Sixteen bits at a time: their positions moved together in a register, and all sixteen stored.
    #[inline(always)]
    fn positions(bits: u64, base: u32, out: &mut [u32; 64]) {
        use std::arch::x86_64::{
            __m512i, _mm512_add_epi32, _mm512_maskz_compress_epi32, _mm512_set1_epi32, _mm512_setr_epi32,
            _mm512_storeu_si512,
        };
        let mut filled = 0;
        for quarter in 0..4 {
            let some = (bits >> (16 * quarter)) as u16;
            // At most 16 for each quarter before this one, so the sixteen lanes fit.
            let Some(room) = out.get_mut(filled..filled + 16) else { return };
            // SAFETY: as above; the store is an unaligned one of the 64 bytes of `room`.
            unsafe {
                let lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
                let all = _mm512_add_epi32(lanes, _mm512_set1_epi32((base + 16 * quarter) as i32));
                _mm512_storeu_si512(room.as_mut_ptr().cast::<__m512i>(), _mm512_maskz_compress_epi32(some, all));
            }
            filled += some.count_ones() as usize;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What one form says about a block: the bytes that are a comma, and where.
    struct Commas<'a>(&'a [u8; 64], u32);

    impl Kernel for Commas<'_> {
        type Output = (u64, Vec<u32>);

        #[inline(always)]
        fn run<C: Classify>(self) -> Self::Output {
            let (bits, mut out) = (C::equal(self.0, b','), [0; 64]);
            C::positions(bits, self.1, &mut out);
            (bits, out[..bits.count_ones() as usize].to_vec())
        }
    }

    proptest! {
        #[test]
        fn all_forms_agree(block in proptest::collection::vec(prop_oneof![Just(b','), any::<u8>()], 64), base: u16) {
            let block: &[u8; 64] = block.as_slice().try_into().unwrap();
            let base = u32::from(base);
            let at: Vec<u32> = (0..64).filter(|at| block[*at as usize] == b',').collect();
            let expected = (at.iter().map(|at| 1 << at).sum(), at.iter().map(|at| base + at).collect());
            prop_assert_eq!(&best(Commas(block, base)), &expected);
            prop_assert_eq!(&Commas(block, base).run::<Words>(), &expected);
            #[cfg(target_arch = "x86_64")]
            if std::arch::is_x86_feature_detected!("avx2") {
                prop_assert_eq!(&Commas(block, base).run::<Avx2>(), &expected);
            }
        }
    }
}
