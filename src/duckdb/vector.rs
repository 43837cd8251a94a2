//! One column of a result: the engine's vectors into Arrow arrays.
//!
//! In: a column's type, then its vectors, flat as the engine hands them out. Out: an Arrow type, then arrays that share
//! nothing with the engine. Refused: types that Arrow has no equal for; a query casts those to text before they come here.
//!
//! The engine has a conversion of its own. It asks for room text by text and takes a lock that all threads share, and is
//! a tenth of an export; here a column of fixed width is one copy, and texts go into room that was measured first.

use std::slice;
use std::sync::Arc;

use arrow::array::{
    ArrayData, ArrayRef, BooleanArray, Decimal128Array, DictionaryArray, PrimitiveArray, StringArray, make_array,
};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{ArrowDictionaryKeyType, DataType, TimeUnit, UInt8Type, UInt16Type, UInt32Type};
use duckdb::ffi;

use crate::duckdb::c_text::text;
use crate::error::{Error, Result};

/// The longest text that the engine keeps within its `string_t`.
const INLINED: usize = 12;

/// How the vectors of one column become arrays.
pub(crate) struct VectorType {
    data_type: DataType,
    layout: Layout,
}

/// What a value is in the engine.
enum Layout {
    /// The same bits as in Arrow, this many bytes.
    Same(usize),
    /// A byte.
    Boolean,
    /// An integer of so many bytes, all digits of a decimal.
    Decimal(usize),
    /// A `string_t`.
    Text,
    /// An index of so many bytes into these.
    Enum(usize, ArrayRef),
}

/// Whether a column of this type leaves DuckDB as Arrow; all others leave as their text.
pub(crate) fn leaves_as_arrow(type_id: ffi::duckdb_type) -> bool {
    same_bits(type_id).is_some()
        || matches!(
            type_id,
            ffi::DUCKDB_TYPE_DUCKDB_TYPE_BOOLEAN
                | ffi::DUCKDB_TYPE_DUCKDB_TYPE_DECIMAL
                | ffi::DUCKDB_TYPE_DUCKDB_TYPE_VARCHAR
                | ffi::DUCKDB_TYPE_DUCKDB_TYPE_ENUM
        )
}

/// The Arrow type whose values have the same bits, and their bytes.
fn same_bits(type_id: ffi::duckdb_type) -> Option<(DataType, usize)> {
    Some(match type_id {
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_TINYINT => (DataType::Int8, 1),
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_SMALLINT => (DataType::Int16, 2),
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_INTEGER => (DataType::Int32, 4),
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_BIGINT => (DataType::Int64, 8),
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_UTINYINT => (DataType::UInt8, 1),
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_USMALLINT => (DataType::UInt16, 2),
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_UINTEGER => (DataType::UInt32, 4),
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_UBIGINT => (DataType::UInt64, 8),
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_FLOAT => (DataType::Float32, 4),
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_DOUBLE => (DataType::Float64, 8),
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_DATE => (DataType::Date32, 4),
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_TIME => (DataType::Time64(TimeUnit::Microsecond), 8),
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_TIMESTAMP_S => (DataType::Timestamp(TimeUnit::Second, None), 8),
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_TIMESTAMP_MS => (DataType::Timestamp(TimeUnit::Millisecond, None), 8),
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_TIMESTAMP => (DataType::Timestamp(TimeUnit::Microsecond, None), 8),
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_TIMESTAMP_NS => (DataType::Timestamp(TimeUnit::Nanosecond, None), 8),
        // An instant is the same in any zone; the session's depends on where the program runs.
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_TIMESTAMP_TZ => {
            (DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), 8)
        }
        _ => return None,
    })
}

impl VectorType {
    /// The way of a type; `None` if it does not leave as Arrow.
    ///
    /// # Safety
    /// `logical` is a logical type that lives during the call.
    pub(crate) unsafe fn new(logical: ffi::duckdb_logical_type) -> Option<Self> {
        // SAFETY: the caller vouches for the type; each call is for the kind of type that it asks about.
        unsafe {
            let type_id = ffi::duckdb_get_type_id(logical);
            let (data_type, layout) = match type_id {
                ffi::DUCKDB_TYPE_DUCKDB_TYPE_BOOLEAN => (DataType::Boolean, Layout::Boolean),
                ffi::DUCKDB_TYPE_DUCKDB_TYPE_VARCHAR => (DataType::Utf8, Layout::Text),
                ffi::DUCKDB_TYPE_DUCKDB_TYPE_DECIMAL => {
                    let (width, scale) = (ffi::duckdb_decimal_width(logical), ffi::duckdb_decimal_scale(logical));
                    let bytes = integer_bytes(ffi::duckdb_decimal_internal_type(logical))?;
                    (DataType::Decimal128(width, scale as i8), Layout::Decimal(bytes))
                }
                ffi::DUCKDB_TYPE_DUCKDB_TYPE_ENUM => {
                    let bytes = integer_bytes(ffi::duckdb_enum_internal_type(logical))?;
                    let count = u64::from(ffi::duckdb_enum_dictionary_size(logical));
                    let value = |index| {
                        let value = ffi::duckdb_enum_dictionary_value(logical, index);
                        let copy = text(value);
                        ffi::duckdb_free(value.cast());
                        copy
                    };
                    let values = StringArray::from_iter_values((0..count).map(value));
                    let key = match bytes {
                        1 => DataType::UInt8,
                        2 => DataType::UInt16,
                        _ => DataType::UInt32,
                    };
                    (
                        DataType::Dictionary(Box::new(key), Box::new(DataType::Utf8)),
                        Layout::Enum(bytes, Arc::new(values)),
                    )
                }
                _ => same_bits(type_id).map(|(data_type, bytes)| (data_type, Layout::Same(bytes)))?,
            };
            Some(VectorType { data_type, layout })
        }
    }

    /// The type of the arrays.
    pub(crate) fn data_type(&self) -> &DataType {
        &self.data_type
    }

    /// The first `rows` values of a vector.
    ///
    /// # Errors
    /// [`ErrorKind::Engine`](crate::ErrorKind::Engine) for texts that are more than 2 GiB together.
    ///
    /// # Safety
    /// `vector` is flat, of this type, has that many values, and nobody writes to it during the call.
    pub(crate) unsafe fn array(&self, vector: ffi::duckdb_vector, rows: usize) -> Result<ArrayRef> {
        // SAFETY: a flat vector of the type that `self` was made from has values of the sizes that its layout says, and,
        // unless all are valid, a bit for each.
        unsafe {
            let data = ffi::duckdb_vector_get_data(vector).cast_const();
            let nulls = nulls(vector, rows);
            Ok(match &self.layout {
                Layout::Same(bytes) => {
                    let values = Buffer::from(slice::from_raw_parts(data.cast::<u8>(), rows * bytes));
                    let builder = ArrayData::builder(self.data_type.clone()).len(rows).add_buffer(values).nulls(nulls);
                    make_array(builder.build().map_err(|error| Error::arrow("reading a vector", error))?)
                }
                Layout::Boolean => {
                    let values = slice::from_raw_parts(data.cast::<u8>(), rows);
                    Arc::new(BooleanArray::new(BooleanBuffer::collect_bool(rows, |row| values[row] != 0), nulls))
                }
                Layout::Decimal(bytes) => {
                    let values: Vec<i128> = match bytes {
                        2 => widened::<i16>(data, rows),
                        4 => widened::<i32>(data, rows),
                        8 => widened::<i64>(data, rows),
                        _ => {
                            let parts = slice::from_raw_parts(data.cast::<ffi::duckdb_hugeint>(), rows);
                            parts.iter().map(|parts| i128::from(parts.upper) << 64 | i128::from(parts.lower)).collect()
                        }
                    };
                    let array = Decimal128Array::new(values.into(), nulls);
                    Arc::new(array.with_data_type(self.data_type.clone()))
                }
                Layout::Text => {
                    let texts = slice::from_raw_parts(data.cast::<ffi::duckdb_string_t>(), rows);
                    Arc::new(string_array(texts, nulls)?)
                }
                Layout::Enum(1, values) => keyed::<UInt8Type>(data, rows, nulls, values)?,
                Layout::Enum(2, values) => keyed::<UInt16Type>(data, rows, nulls, values)?,
                Layout::Enum(_, values) => keyed::<UInt32Type>(data, rows, nulls, values)?,
            })
        }
    }
}

/// Bytes of the integers that stand for decimals and enums.
fn integer_bytes(type_id: ffi::duckdb_type) -> Option<usize> {
    Some(match type_id {
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_UTINYINT => 1,
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_SMALLINT | ffi::DUCKDB_TYPE_DUCKDB_TYPE_USMALLINT => 2,
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_INTEGER | ffi::DUCKDB_TYPE_DUCKDB_TYPE_UINTEGER => 4,
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_BIGINT => 8,
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_HUGEINT => 16,
        _ => return None,
    })
}

/// Which of the first `rows` values are there: both sides have a bit a value, set if it is.
///
/// # Safety
/// As [`VectorType::array`].
unsafe fn nulls(vector: ffi::duckdb_vector, rows: usize) -> Option<NullBuffer> {
    // SAFETY: null stands for a vector without NULL; else there are words enough for all rows.
    let words = unsafe {
        let words = ffi::duckdb_vector_get_validity(vector);
        if words.is_null() {
            return None;
        }
        slice::from_raw_parts(words, rows.div_ceil(64))
    };
    let nulls = NullBuffer::new(BooleanBuffer::new(Buffer::from_slice_ref(words), 0, rows));
    Some(nulls).filter(|nulls| nulls.null_count() > 0)
}

/// The integers of a decimal.
///
/// # Safety
/// There are `rows` integers at `data`.
unsafe fn widened<T: Copy + Into<i128>>(data: *const std::ffi::c_void, rows: usize) -> Vec<i128> {
    // SAFETY: the caller vouches for it.
    unsafe { slice::from_raw_parts(data.cast::<T>(), rows) }.iter().map(|&value| value.into()).collect()
}

/// Enum values.
///
/// # Safety
/// There are `rows` keys at `data`.
unsafe fn keyed<K: ArrowDictionaryKeyType>(
    data: *const std::ffi::c_void,
    rows: usize,
    nulls: Option<NullBuffer>,
    values: &ArrayRef,
) -> Result<ArrayRef> {
    // SAFETY: the caller vouches for it.
    let keys = unsafe { slice::from_raw_parts(data.cast::<K::Native>(), rows) };
    let keys = PrimitiveArray::<K>::new(keys.to_vec().into(), nulls);
    let array = DictionaryArray::try_new(keys, Arc::clone(values));
    Ok(Arc::new(array.map_err(|error| Error::arrow("reading an enum", error))?))
}

/// Texts, of which those that are NULL are not looked at.
///
/// # Safety
/// Every other text is valid: the engine's, which keeps UTF-8 only.
unsafe fn string_array(texts: &[ffi::duckdb_string_t], nulls: Option<NullBuffer>) -> Result<StringArray> {
    let len_of = |row: usize| match &nulls {
        Some(nulls) if nulls.is_null(row) => 0,
        // SAFETY: the length stands in the same place in both forms.
        _ => unsafe { texts[row].value.inlined.length as usize },
    };
    let mut end = 0;
    let mut offsets = Vec::with_capacity(texts.len() + 1);
    offsets.push(0);
    offsets.extend((0..texts.len()).map(|row| {
        end += len_of(row);
        end as i32
    }));
    if i32::try_from(end).is_err() {
        let why = format!("{} rows hold {end} bytes of text, and an array of texts at most 2 GiB", texts.len());
        return Err(Error::engine("reading from the database", why));
    }
    // Whoever puts a short text there writes as many bytes as the longest has.
    let mut values = Vec::<u8>::with_capacity(end + INLINED);
    let mut at = 0;
    for (row, text) in texts.iter().enumerate() {
        let len = len_of(row);
        // SAFETY: `at + len` is at most `end`, and there is room for `INLINED` more. A text of up to `INLINED` bytes is
        // within the value, which has that many; a longer one is where its pointer says.
        unsafe {
            let to = values.as_mut_ptr().add(at);
            if len <= INLINED {
                to.cast::<[_; INLINED]>().write_unaligned(text.value.inlined.inlined);
            } else {
                copy_long(to, text.value.pointer.ptr.cast_const().cast(), len);
            }
        }
        at += len;
    }
    // SAFETY: all bytes up to `end` were written. Offsets begin with 0, never fall and end there; the engine's texts are
    // UTF-8.
    unsafe {
        values.set_len(end);
        let offsets = OffsetBuffer::new_unchecked(ScalarBuffer::from(offsets));
        Ok(StringArray::new_unchecked(offsets, Buffer::from_vec(values), nulls))
    }
}

/// Copies more than [`INLINED`] bytes: most texts are too short to be worth a call.
///
/// # Safety
/// `len` bytes can be read and written, and more than eight.
#[inline(always)]
unsafe fn copy_long(to: *mut u8, from: *const u8, len: usize) {
    // SAFETY: every piece ends at `len` at the latest; the last one overlaps the one before.
    unsafe {
        match len {
            ..16 => {
                from.cast::<[u8; 8]>().copy_to_nonoverlapping(to.cast(), 1);
                from.add(len - 8).cast::<[u8; 8]>().copy_to_nonoverlapping(to.add(len - 8).cast(), 1);
            }
            16..=64 => {
                for at in (0..len - 16).step_by(16) {
                    from.add(at).cast::<[u8; 16]>().copy_to_nonoverlapping(to.add(at).cast(), 1);
                }
                from.add(len - 16).cast::<[u8; 16]>().copy_to_nonoverlapping(to.add(len - 16).cast(), 1);
            }
            _ => from.copy_to_nonoverlapping(to, len),
        }
    }
}
