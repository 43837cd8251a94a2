//! Texts of which there are few: each of them once, and a number per row.
//!
//! In: texts. Out: an Arrow dictionary. Short texts are told apart by their bytes as two wide words. Every text beyond
//! [`MOST`], and every long one, counts as new: the array is right then, too, only larger. A sample decided that texts
//! are few; it may be wrong.

use std::sync::Arc;

use arrow::array::{ArrayRef, DictionaryArray, PrimitiveArray, StringArray};
use arrow::buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::UInt32Type;
use arrow::error::ArrowError;

use crate::csv::stash::Stash;

/// Texts that are looked for.
const MOST: usize = 256;
/// Texts from which on none is looked for any more: they are not few.
const TOO_MANY: usize = 4096;
/// The longest text that is looked for.
pub(crate) const SHORT: usize = 32;

/// A column of texts under construction.
pub(super) struct Coded {
    /// The number of each row's text.
    codes: Vec<u32>,
    offsets: Vec<i32>,
    bytes: Vec<u8>,
    /// A power of two, at least half of them free.
    slots: Vec<Slot>,
    used: usize,
}

/// A short text that was seen.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Slot {
    text: Short,
    code: u32,
}

/// A text of up to [`SHORT`] bytes: its first 16 bytes, its last 16 if there are more, and its length.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Short {
    head: u128,
    tail: u128,
    len: u32,
}

impl Slot {
    const FREE: Slot = Slot { text: Short { head: 0, tail: 0, len: u32::MAX }, code: 0 };
}

impl Short {
    #[inline(always)]
    fn new(block: &[u8; SHORT], len: usize) -> Short {
        let word = |at: usize| u128::from_le_bytes(*block[at..].first_chunk().unwrap_or(&[0; 16]));
        let head = word(0) & u128::MAX.checked_shr(128 - 8 * len.min(16) as u32).unwrap_or(0);
        let tail = if len > 16 { word(len - 16) } else { 0 };
        Short { head, tail, len: len as u32 }
    }

    /// The slot, of `count`, in which it is, or one of the next ones.
    #[inline(always)]
    fn home(&self, count: usize) -> usize {
        let mixed = self.head as u64
            ^ ((self.head >> 64) as u64).rotate_left(29)
            ^ (self.tail as u64).rotate_left(47)
            ^ ((self.tail >> 64) as u64).rotate_left(11)
            ^ u64::from(self.len);
        // 2^64 over the golden ratio: the upper bits depend on all of the word.
        (mixed.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) as usize & (count - 1)
    }
}

impl Coded {
    /// An empty column; its numbers go into `codes`.
    pub(super) fn new(codes: Vec<u32>) -> Coded {
        // The first text is nobody's: rows that are NULL have its number.
        Coded { codes, offsets: vec![0, 0], bytes: Vec::new(), slots: vec![Slot::FREE; 16], used: 0 }
    }

    pub(super) fn rows(&self) -> usize {
        self.codes.len()
    }

    /// Appends a row whose text is a piece of `source`.
    #[inline(always)]
    pub(super) fn push_from(&mut self, source: &[u8], start: usize, len: usize) {
        match source[start..].first_chunk() {
            Some(block) if len <= SHORT && self.offsets.len() < TOO_MANY => self.push_short(block, len),
            _ => self.push(&source[start..start + len]),
        }
    }

    /// Appends a row with this text.
    pub(super) fn push(&mut self, text: &[u8]) {
        if text.len() <= SHORT && self.offsets.len() < TOO_MANY {
            let mut block = [0; SHORT];
            block[..text.len()].copy_from_slice(text);
            self.push_short(&block, text.len());
        } else {
            let code = self.add(text);
            self.codes.push(code);
        }
    }

    /// Appends a row that is NULL.
    pub(super) fn push_null(&mut self) {
        self.codes.push(0);
    }

    #[inline(always)]
    fn push_short(&mut self, block: &[u8; SHORT], len: usize) {
        let text = Short::new(block, len);
        let mut at = text.home(self.slots.len());
        let code = loop {
            let slot = self.slots[at];
            if slot.text == text {
                break slot.code;
            }
            if slot == Slot::FREE {
                break self.add_short(&block[..len], text, at);
            }
            at = (at + 1) & (self.slots.len() - 1);
        };
        self.codes.push(code);
    }

    #[inline(never)]
    fn add_short(&mut self, bytes: &[u8], text: Short, at: usize) -> u32 {
        let code = self.add(bytes);
        if self.used < MOST {
            self.slots[at] = Slot { text, code };
            self.used += 1;
            if 2 * self.used > self.slots.len() {
                self.grow();
            }
        }
        code
    }

    fn grow(&mut self) {
        let count = 2 * self.slots.len();
        let old = std::mem::replace(&mut self.slots, vec![Slot::FREE; count]);
        for slot in old.into_iter().filter(|slot| *slot != Slot::FREE) {
            let mut at = slot.text.home(count);
            while self.slots[at] != Slot::FREE {
                at = (at + 1) & (count - 1);
            }
            self.slots[at] = slot;
        }
    }

    /// One more text of the dictionary.
    fn add(&mut self, text: &[u8]) -> u32 {
        let code = self.offsets.len() as u32 - 1;
        self.bytes.extend_from_slice(text);
        self.offsets.push(self.bytes.len() as i32);
        code
    }

    /// The finished column.
    ///
    /// # Errors
    /// If a text is not valid UTF-8.
    pub(super) fn finish(self, stash: &Arc<Stash>, nulls: Option<NullBuffer>) -> Result<ArrayRef, ArrowError> {
        let rows = self.codes.len();
        let texts = StringArray::try_new(OffsetBuffer::new(self.offsets.into()), self.bytes.into(), None)?;
        let codes = PrimitiveArray::<UInt32Type>::new(ScalarBuffer::from(stash.lend(self.codes, rows)), nulls);
        Ok(Arc::new(DictionaryArray::try_new(codes, Arc::new(texts))?))
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array, AsArray};
    use proptest::prelude::*;

    use super::*;

    fn texts() -> impl Strategy<Value = Vec<Option<String>>> {
        // Few texts, many, those that differ in their length alone or in one place, and long ones.
        let text = prop_oneof![
            4 => "[ab]{0,2}",
            1 => "a{0,40}",
            1 => "[a-c\0]{14,18}",
            1 => "[ab]{30,34}",
            1 => "[a-z]{3}",
        ];
        let text = prop_oneof![
            20 => text,
            1 => "[a-z]{12}",
        ];
        proptest::collection::vec(proptest::option::weighted(0.9, text), 0..1500)
    }

    proptest! {
        #[test]
        fn a_dictionary_holds_what_went_in(texts in texts(), padded: bool) {
            let mut coded = Coded::new(Vec::new());
            let mut nulls = Vec::new();
            for text in &texts {
                nulls.push(text.is_some());
                match text {
                    None => coded.push_null(),
                    // What stands behind a text must not matter.
                    Some(text) if padded => coded.push_from(format!("xy{text}{}", "z".repeat(64)).as_bytes(), 2, text.len()),
                    Some(text) => coded.push_from(text.as_bytes(), 0, text.len()),
                }
            }
            prop_assert_eq!(coded.rows(), texts.len());
            let (used, distinct) = (coded.used, texts.iter().flatten().collect::<std::collections::BTreeSet<_>>());
            let array = coded.finish(&Arc::default(), Some(nulls.into())).unwrap();
            let values = array.as_dictionary::<UInt32Type>().downcast_dict::<StringArray>().unwrap();
            let back: Vec<Option<&str>> = values.into_iter().collect();
            prop_assert_eq!(back, texts.iter().map(Option::as_deref).collect::<Vec<_>>());
            if distinct.len() <= MOST && distinct.iter().all(|text| text.len() <= SHORT) {
                prop_assert_eq!(values.values().len(), 1 + distinct.len());
                prop_assert_eq!(used, distinct.len());
            }
        }
    }
}
