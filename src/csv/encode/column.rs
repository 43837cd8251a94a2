//! One column into a block: a loop per type.
//!
//! In: an array and the dialect. Out: texts appended to the rows of a [`Block`]. Numbers and times go straight from the
//! value into the block; everything else is text first: the array's own where it is one, else rendered into a
//! buffer that is reused. Only texts can need quotes: other types take that path, too, where the dialect is such that
//! their text could be misread.

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, GenericStringArray, OffsetSizeTrait, StringViewArray};
use arrow::array::{ArrowPrimitiveType, PrimitiveArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::*;

use super::block::{Block, put, put_quoted, put_range, put_short};
use super::dialect::{Dialect, Short};
use super::digits;
use super::float;
use super::value::{self, Zone, write_value};
use crate::error::Result;
use crate::options::{FloatFormat, Quoting};

const INTEGER: &[u8] = b"0123456789-";
const DECIMAL: &[u8] = b"0123456789-.";
const FLOAT: &[u8] = b"0123456789-+.einfa";
const TIME: &[u8] = b"0123456789-+.: infty";
const BOOLEAN: &[u8] = b"truefals";

/// A column of a batch, ready to be written block by block.
pub(super) struct Column<'a> {
    array: &'a ArrayRef,
    nulls: Option<NullBuffer>,
    dialect: &'a Dialect,
    floats: FloatFormat,
    way: Way,
    /// Whether every value is quoted.
    quoted: bool,
    /// After a value in quotes.
    quoted_tail: Short,
    /// After a bare value.
    bare_tail: Short,
    /// Before a value, if every value is quoted.
    open: Short,
}

/// How a column's texts come about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// From values, at most that many bytes each.
    Direct(usize),
    /// They are the array's own.
    Own,
    /// Rendered first.
    Rendered,
}

/// What one column keeps from block to block.
#[derive(Default)]
pub(super) struct Scratch {
    text: Vec<u8>,
    ends: Vec<usize>,
    /// Whether a text of the block may need quotes for what is in it.
    suspect: bool,
}

impl<'a> Column<'a> {
    pub fn new(array: &'a ArrayRef, dialect: &'a Dialect, floats: FloatFormat, last: bool) -> Self {
        let data_type = array.data_type();
        let quoted = dialect.always_quotes(data_type);
        let way = match direct(data_type, floats) {
            // In quotes, only a quote could be misread.
            Some((width, alphabet)) if dialect.is_harmless(alphabet) => Way::Direct(width),
            _ if matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View) => Way::Own,
            _ => Way::Rendered,
        };
        Column {
            array,
            nulls: array.logical_nulls().filter(|nulls| nulls.null_count() > 0),
            dialect,
            floats,
            way,
            quoted,
            quoted_tail: dialect.tail(last, true),
            bare_tail: dialect.tail(last, false),
            open: dialect.open(quoted),
        }
    }

    fn is_null(&self, row: usize) -> bool {
        self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row))
    }

    /// Adds to `bounds` how long the column's texts from row `from` on can be, and renders what needs rendering.
    pub fn prepare(&self, from: usize, scratch: &mut Scratch, bounds: &mut [usize]) -> Result<()> {
        let null = self.dialect.null.len();
        let around = self.quoted_tail.len + 2;
        match self.way {
            Way::Direct(width) => {
                for bound in bounds {
                    *bound += width.max(null) + around;
                }
                return Ok(());
            }
            Way::Rendered => {
                scratch.text.clear();
                scratch.ends.clear();
                for row in from..from + bounds.len() {
                    if !self.is_null(row) {
                        write_value(self.array, row, self.floats, &mut scratch.text)?;
                    }
                    scratch.ends.push(scratch.text.len());
                }
                let texts = Rendered(scratch);
                scratch.suspect = self.bound(&texts, 0, null + around, bounds);
            }
            Way::Own => {
                let array = self.array;
                let extra = null + around;
                scratch.suspect = match array.data_type() {
                    DataType::Utf8 => self.bound(array.as_string::<i32>(), from, extra, bounds),
                    DataType::LargeUtf8 => self.bound(array.as_string::<i64>(), from, extra, bounds),
                    _ => self.bound(array.as_string_view(), from, extra, bounds),
                };
            }
        }
        Ok(())
    }

    /// Whether a text of the block is suspect; then each may become twice as long.
    fn bound(&self, texts: &impl Texts, from: usize, extra: usize, bounds: &mut [usize]) -> bool {
        let suspect = texts.any(from, from + bounds.len(), |text| self.dialect.is_suspect(text));
        let factor = if suspect { 2 } else { 1 };
        for (row, bound) in bounds.iter_mut().enumerate() {
            *bound += factor * texts.len_of(from + row) + extra;
        }
        suspect
    }

    /// Appends the column's texts to the block's rows. Returns the first row whose text the dialect cannot express.
    pub fn write(&self, from: usize, scratch: &Scratch, block: &mut Block) -> Option<usize> {
        macro_rules! each {
            ($type:ty, $digits:ident) => {
                self.values(self.array.as_primitive::<$type>(), from, block, |buf, at, value| {
                    digits::$digits(buf, at, value.into())
                })
            };
        }
        macro_rules! decimals {
            ($type:ty, $scale:expr) => {{
                let scale = $scale.unsigned_abs().into();
                self.values(self.array.as_primitive::<$type>(), from, block, |buf, at, value| {
                    digits::decimal(buf, at, value.into(), scale)
                })
            }};
        }
        macro_rules! floats {
            ($type:ty, $shortest:ident) => {
                self.values(self.array.as_primitive::<$type>(), from, block, float::$shortest)
            };
        }
        macro_rules! timestamps {
            ($type:ty, $unit:expr, $zone:expr) => {{
                let zone = $zone.as_deref().map(Zone::new);
                // A constant per loop, so that divisions by it are multiplications.
                let per_second = $unit;
                self.values(self.array.as_primitive::<$type>(), from, block, |buf, at, value| {
                    value::timestamp(buf, at, value, per_second, zone.as_ref())
                })
            }};
        }
        match self.way {
            Way::Own => {
                return match self.array.data_type() {
                    DataType::Utf8 => self.texts(self.array.as_string::<i32>(), from, from, scratch.suspect, block),
                    DataType::LargeUtf8 => {
                        self.texts(self.array.as_string::<i64>(), from, from, scratch.suspect, block)
                    }
                    _ => self.texts(self.array.as_string_view(), from, from, scratch.suspect, block),
                };
            }
            Way::Rendered => return self.texts(&Rendered(scratch), from, 0, scratch.suspect, block),
            Way::Direct(_) => {}
        }
        match self.array.data_type() {
            DataType::Int8 => each!(Int8Type, integer),
            DataType::Int16 => each!(Int16Type, integer),
            DataType::Int32 => each!(Int32Type, integer),
            DataType::Int64 => each!(Int64Type, integer),
            DataType::UInt8 => each!(UInt8Type, unsigned),
            DataType::UInt16 => each!(UInt16Type, unsigned),
            DataType::UInt32 => each!(UInt32Type, unsigned),
            DataType::UInt64 => each!(UInt64Type, unsigned),
            DataType::Decimal32(_, scale) => decimals!(Decimal32Type, scale),
            DataType::Decimal64(_, scale) => decimals!(Decimal64Type, scale),
            DataType::Decimal128(_, scale) => decimals!(Decimal128Type, scale),
            DataType::Float32 => floats!(Float32Type, shortest_f32),
            DataType::Float64 => floats!(Float64Type, shortest_f64),
            DataType::Date32 => self.values(self.array.as_primitive::<Date32Type>(), from, block, |buf, at, days| {
                value::date(buf, at, days)
            }),
            DataType::Timestamp(TimeUnit::Second, zone) => timestamps!(TimestampSecondType, 1, zone),
            DataType::Timestamp(TimeUnit::Millisecond, zone) => timestamps!(TimestampMillisecondType, 1_000, zone),
            DataType::Timestamp(TimeUnit::Microsecond, zone) => timestamps!(TimestampMicrosecondType, 1_000_000, zone),
            DataType::Timestamp(TimeUnit::Nanosecond, zone) => {
                timestamps!(TimestampNanosecondType, 1_000_000_000, zone)
            }
            _ => self.booleans(self.array.as_boolean(), from, block),
        }
        None
    }

    fn values<T: ArrowPrimitiveType>(
        &self,
        array: &PrimitiveArray<T>,
        from: usize,
        block: &mut Block,
        write: impl Fn(&mut [u8], usize, T::Native) -> usize,
    ) {
        let values = &array.values()[from..];
        self.fixed(from, block, |buf, at, row| write(buf, at, values[row]));
    }

    fn booleans(&self, array: &BooleanArray, from: usize, block: &mut Block) {
        self.fixed(from, block, |buf, at, row| {
            let value = array.value(from + row);
            digits::store(buf, at, if value { *b"true    " } else { *b"false   " });
            at + 5 - usize::from(value)
        });
    }

    /// The loop of every type whose texts cannot need quotes.
    #[inline(always)]
    fn fixed(&self, from: usize, block: &mut Block, write: impl Fn(&mut [u8], usize, usize) -> usize) {
        let tail = if self.quoted { self.quoted_tail } else { self.bare_tail };
        let (bare, null) = (self.bare_tail, self.dialect.null.as_slice());
        let (open, quoted) = (self.open, self.quoted);
        let nulls = self.nulls.as_ref();
        // One loop for all cases: the compiler puts `write` in its place, rather than call it per value.
        block.each_row(|buf, at, row| {
            if nulls.is_some_and(|nulls| nulls.is_null(from + row)) {
                let at = put(buf, at, null);
                return put_short(buf, at, &bare);
            }
            let at = if quoted { put_short(buf, at, &open) } else { at };
            let at = write(buf, at, row);
            put_short(buf, at, &tail)
        });
    }

    /// The loop of texts. `first` is the row of `texts` with which the block begins.
    fn texts(&self, texts: &impl Texts, from: usize, first: usize, suspect: bool, block: &mut Block) -> Option<usize> {
        let dialect = self.dialect;
        let null = dialect.null.as_slice();
        let never = dialect.quoting == Quoting::None;
        let mut refused = None;
        block.each_row(|buf, at, row| {
            if self.is_null(from + row) {
                let at = put(buf, at, null);
                return put_short(buf, at, &self.bare_tail);
            }
            let (source, start, end) = texts.place(first + row);
            let text = &source[start..end];
            let breaks = suspect && dialect.breaks_a_row_in(source, start, end);
            // What is empty is never bare, so that it is nobody's NULL; without quotes, only our own NULL counts.
            let like_null = text == null || (text.is_empty() && !never);
            if !(self.quoted | breaks | like_null) {
                let at = put_range(buf, at, source, start, end);
                return put_short(buf, at, &self.bare_tail);
            }
            if never {
                refused = refused.or(Some(row));
                return at;
            }
            if breaks {
                let at = put_quoted(buf, at, dialect, text);
                return put_short(buf, at, &self.quoted_tail);
            }
            let at = put(buf, at, dialect.quote.as_slice());
            let at = put_range(buf, at, source, start, end);
            put_short(buf, at, &self.quoted_tail)
        });
        refused
    }
}

/// For types whose texts are made of few characters: the longest text, and the characters.
fn direct(data_type: &DataType, floats: FloatFormat) -> Option<(usize, &'static [u8])> {
    Some(match data_type {
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 => (20, INTEGER),
        DataType::UInt8 | DataType::UInt16 | DataType::UInt32 | DataType::UInt64 => (20, INTEGER),
        DataType::Decimal32(_, 0..=38) | DataType::Decimal64(_, 0..=38) | DataType::Decimal128(_, 0..=38) => {
            (41, DECIMAL)
        }
        DataType::Float32 | DataType::Float64 if floats == FloatFormat::Shortest => (25, FLOAT),
        DataType::Date32 => (14, TIME),
        DataType::Timestamp(_, _) => (42, TIME),
        DataType::Boolean => (5, BOOLEAN),
        _ => return None,
    })
}

/// Texts by row.
trait Texts {
    /// A buffer and where in it the text of a row is.
    fn place(&self, row: usize) -> (&[u8], usize, usize);

    fn len_of(&self, row: usize) -> usize;

    /// Whether `test` holds for any text of the rows; it may be asked about several in one.
    fn any(&self, from: usize, to: usize, test: impl Fn(&[u8]) -> bool) -> bool;
}

impl<O: OffsetSizeTrait> Texts for GenericStringArray<O> {
    #[inline(always)]
    fn place(&self, row: usize) -> (&[u8], usize, usize) {
        let offsets = self.value_offsets();
        (self.value_data(), offsets[row].as_usize(), offsets[row + 1].as_usize())
    }

    #[inline(always)]
    fn len_of(&self, row: usize) -> usize {
        let offsets = self.value_offsets();
        offsets[row + 1].as_usize() - offsets[row].as_usize()
    }

    fn any(&self, from: usize, to: usize, test: impl Fn(&[u8]) -> bool) -> bool {
        let offsets = self.value_offsets();
        test(&self.value_data()[offsets[from].as_usize()..offsets[to].as_usize()])
    }
}

impl Texts for StringViewArray {
    #[inline(always)]
    fn place(&self, row: usize) -> (&[u8], usize, usize) {
        let text = self.value(row).as_bytes();
        (text, 0, text.len())
    }

    fn len_of(&self, row: usize) -> usize {
        // The length is the low half of a view.
        self.views()[row] as u32 as usize
    }

    fn any(&self, from: usize, to: usize, test: impl Fn(&[u8]) -> bool) -> bool {
        (from..to).any(|row| !self.is_null(row) && test(self.value(row).as_bytes()))
    }
}

/// Texts of a block that were rendered into the scratch.
struct Rendered<'a>(&'a Scratch);

impl Texts for Rendered<'_> {
    #[inline(always)]
    fn place(&self, row: usize) -> (&[u8], usize, usize) {
        let start = if row == 0 { 0 } else { self.0.ends[row - 1] };
        (&self.0.text, start, self.0.ends[row])
    }

    fn len_of(&self, row: usize) -> usize {
        let (_, start, end) = self.place(row);
        end - start
    }

    fn any(&self, from: usize, to: usize, test: impl Fn(&[u8]) -> bool) -> bool {
        let (text, start, _) = self.place(from);
        test(&text[start..self.0.ends[to - 1]])
    }
}
