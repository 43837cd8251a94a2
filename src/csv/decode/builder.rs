//! [`Builder`]: one column under construction.
//!
//! In: the fields of a step (positions in a text), or single values. Out: an Arrow array. Values that do not parse are
//! reported by row and leave a NULL behind, which goes away with the row.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use arrow::array::{ArrayRef, BooleanArray, NullArray, PrimitiveArray, StringArray, new_null_array};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{
    ArrowNativeType, ArrowPrimitiveType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, Time64MicrosecondType, TimestampMicrosecondType, UInt8Type, UInt16Type, UInt32Type,
    UInt64Type,
};
use arrow::error::ArrowError;

use crate::csv::decode::coded::Coded;
use crate::csv::decode::lanes::{LANES, Lane, Lanes};
use crate::csv::decode::shape::{self, Shape, Shapeless};
use crate::csv::decode::step::{BadField, Step};
use crate::csv::plan::Column;
use crate::csv::simd::{Classify, Kernel, best};
use crate::csv::split::PADDING;
use crate::csv::stash::Stash;
use crate::csv::tokenize::field_value;
use crate::csv::types::ColumnType;
use crate::csv::value::{Value, parse};

/// Which rows are NULL; costs nothing until the first one is.
#[derive(Default)]
struct Nulls(Vec<u64>);

impl Nulls {
    #[inline]
    fn set(&mut self, row: usize) {
        let word = row / 64;
        if word >= self.0.len() {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= 1 << (row % 64);
    }

    fn finish(mut self, rows: usize) -> Option<NullBuffer> {
        if self.0.is_empty() {
            return None;
        }
        self.0.resize(rows.div_ceil(64), 0);
        for word in &mut self.0 {
            *word = !*word;
        }
        Some(NullBuffer::new(BooleanBuffer::new(Buffer::from_vec(self.0), 0, rows)))
    }
}

/// The values of a column, by Arrow's native kinds.
enum Values {
    Boolean(Vec<bool>),
    Int8(Vec<i8>),
    Int16(Vec<i16>),
    Int32(Vec<i32>),
    Int64(Vec<i64>),
    UInt8(Vec<u8>),
    UInt16(Vec<u16>),
    UInt32(Vec<u32>),
    UInt64(Vec<u64>),
    Float32(Vec<f32>),
    Float64(Vec<f64>),
    Decimal(Vec<i128>),
    Date(Vec<i32>),
    Micros(Vec<i64>),
    Text(Text),
    Coded(Coded),
    /// No value but NULL, of an unknown type.
    Nothing(usize),
    /// The same text for every row.
    Constant(usize),
}

/// An empty vector for values.
fn emptied<T: ArrowNativeType>(stash: &Stash, rows: usize) -> Vec<T> {
    let mut values = stash.take(rows);
    values.clear();
    values
}

/// Text under construction: `bytes` is longer than what is filled, so that many bytes can be copied at once.
struct Text {
    offsets: Vec<i32>,
    bytes: Vec<u8>,
    filled: usize,
}

/// A column under construction.
pub(crate) struct Builder<'a> {
    column: &'a Column,
    /// Whether shape alone may decide.
    fast: bool,
    values: Values,
    nulls: Nulls,
}

impl<'a> Builder<'a> {
    /// An empty column with room for `rows`.
    pub(crate) fn new(column: &'a Column, rows: usize) -> Builder<'a> {
        let stash = &column.stash;
        let values = match column.column_type {
            _ if column.constant.is_some() => Values::Constant(0),
            _ if column.field.is_none() => Values::Nothing(0),
            ColumnType::Unknown => Values::Nothing(0),
            ColumnType::Boolean => Values::Boolean(Vec::with_capacity(rows)),
            ColumnType::Int8 => Values::Int8(emptied(stash, rows)),
            ColumnType::Int16 => Values::Int16(emptied(stash, rows)),
            ColumnType::Int32 => Values::Int32(emptied(stash, rows)),
            ColumnType::Int64 => Values::Int64(emptied(stash, rows)),
            ColumnType::UInt8 => Values::UInt8(emptied(stash, rows)),
            ColumnType::UInt16 => Values::UInt16(emptied(stash, rows)),
            ColumnType::UInt32 => Values::UInt32(emptied(stash, rows)),
            ColumnType::UInt64 => Values::UInt64(emptied(stash, rows)),
            ColumnType::Float32 => Values::Float32(emptied(stash, rows)),
            ColumnType::Float64 => Values::Float64(emptied(stash, rows)),
            ColumnType::Decimal(..) => Values::Decimal(emptied(stash, rows)),
            ColumnType::Date => Values::Date(emptied(stash, rows)),
            ColumnType::Timestamp | ColumnType::TimestampUtc | ColumnType::Time => Values::Micros(emptied(stash, rows)),
            ColumnType::Text if column.coded => Values::Coded(Coded::new(emptied(stash, rows))),
            ColumnType::Text => {
                let mut offsets = emptied(stash, rows + 1);
                offsets.push(0);
                let bytes = stash.take(column.text_bytes.load(Ordering::Relaxed));
                Values::Text(Text { offsets, bytes, filled: 0 })
            }
        };
        Builder { column, fast: column.fast(), values, nulls: Nulls::default() }
    }

    /// Appends one column's fields of a step. What does not parse goes to `bad`.
    pub(crate) fn append(&mut self, step: &Step<'_>, bad: &mut Vec<BadField>) {
        best(Append { builder: self, step, bad });
    }

    #[inline(always)]
    fn append_here<C: Classify>(&mut self, step: &Step<'_>, bad: &mut Vec<BadField>) {
        let Some(field) = self.column.field else {
            match &mut self.values {
                Values::Nothing(rows) | Values::Constant(rows) => *rows += step.rows,
                _ => {}
            }
            return;
        };
        let mut cells = Cells { column: self.column, nulls: &mut self.nulls, step, bad, field };
        match &mut self.values {
            Values::Int64(values) if self.fast => cells.fill::<shape::Integer, _>(values, as_integer),
            Values::Int32(values) if self.fast => cells.fill::<shape::SmallInteger, _>(values, narrow),
            Values::Float64(values) if self.fast => cells.fill::<shape::Float, _>(values, as_float),
            Values::Date(values) if self.fast => cells.fill::<shape::Date, _>(values, as_date),
            Values::Micros(values) if self.fast && self.column.column_type == ColumnType::Timestamp => {
                cells.fill::<shape::Timestamp, _>(values, as_micros);
            }
            Values::Micros(values) if self.fast && self.column.column_type == ColumnType::TimestampUtc => {
                cells.fill::<shape::TimestampUtc, _>(values, as_micros);
            }
            Values::Boolean(values) if self.fast => cells.fill::<shape::Boolean, _>(values, as_bool),
            Values::Boolean(values) => cells.fill::<Shapeless, _>(values, as_bool),
            Values::Int8(values) => cells.fill::<Shapeless, _>(values, narrow),
            Values::Int16(values) => cells.fill::<Shapeless, _>(values, narrow),
            Values::Int32(values) => cells.fill::<Shapeless, _>(values, narrow),
            Values::Int64(values) => cells.fill::<Shapeless, _>(values, as_integer),
            Values::UInt8(values) => cells.fill::<Shapeless, _>(values, narrow),
            Values::UInt16(values) => cells.fill::<Shapeless, _>(values, narrow),
            Values::UInt32(values) => cells.fill::<Shapeless, _>(values, narrow),
            Values::UInt64(values) => cells.fill::<Shapeless, _>(values, narrow),
            Values::Float32(values) => cells.fill::<Shapeless, _>(values, as_single),
            Values::Float64(values) => cells.fill::<Shapeless, _>(values, as_float),
            Values::Decimal(values) => cells.fill::<Shapeless, _>(values, as_decimal),
            Values::Date(values) => cells.fill::<Shapeless, _>(values, as_date),
            Values::Micros(values) => cells.fill::<Shapeless, _>(values, as_micros),
            Values::Text(values) => cells.copy::<C>(values),
            Values::Coded(values) => cells.code(values),
            Values::Nothing(rows) => cells.nothing(rows),
            Values::Constant(rows) => *rows += step.rows,
        }
    }

    /// Appends one value, by the column's rules alone; `false` if it does not parse.
    pub(crate) fn push(&mut self, text: &[u8], quoted: bool) -> bool {
        let Builder { column, values, nulls, .. } = self;
        let null = column.rules.is_null(text, quoted);
        let value = if null { None } else { parse(column.column_type, text, quoted, &column.rules) };
        macro_rules! push {
            ($values:expr, $convert:expr) => {{
                let converted = value.and_then($convert);
                if converted.is_none() {
                    nulls.set($values.len());
                }
                $values.push(converted.unwrap_or_default());
                null || converted.is_some()
            }};
        }
        match values {
            Values::Boolean(values) => push!(values, as_bool),
            Values::Int8(values) => push!(values, narrow),
            Values::Int16(values) => push!(values, narrow),
            Values::Int32(values) => push!(values, narrow),
            Values::Int64(values) => push!(values, as_integer),
            Values::UInt8(values) => push!(values, narrow),
            Values::UInt16(values) => push!(values, narrow),
            Values::UInt32(values) => push!(values, narrow),
            Values::UInt64(values) => push!(values, narrow),
            Values::Float32(values) => push!(values, as_single),
            Values::Float64(values) => push!(values, as_float),
            Values::Decimal(values) => push!(values, as_decimal),
            Values::Date(values) => push!(values, as_date),
            Values::Micros(values) => push!(values, as_micros),
            Values::Text(values) => {
                if null {
                    nulls.set(values.offsets.len() - 1);
                } else {
                    values.bytes.truncate(values.filled);
                    values.bytes.extend_from_slice(text);
                    values.filled = values.bytes.len();
                }
                values.offsets.push(values.filled as i32);
                true
            }
            Values::Coded(values) => {
                if null {
                    nulls.set(values.rows());
                    values.push_null();
                } else {
                    values.push(text);
                }
                true
            }
            Values::Nothing(rows) => {
                *rows += 1;
                null
            }
            Values::Constant(rows) => {
                *rows += 1;
                true
            }
        }
    }

    /// Appends a row to a column that the input does not have.
    pub(crate) fn push_absent(&mut self) {
        if let Values::Nothing(rows) | Values::Constant(rows) = &mut self.values {
            *rows += 1;
        }
    }

    /// The finished column.
    ///
    /// # Errors
    /// If a text is not valid UTF-8.
    pub(crate) fn finish(self) -> Result<ArrayRef, ArrowError> {
        fn primitive<T: ArrowPrimitiveType>(
            stash: &Arc<Stash>,
            values: Vec<T::Native>,
            nulls: Nulls,
        ) -> PrimitiveArray<T> {
            let rows = values.len();
            let nulls = nulls.finish(rows);
            PrimitiveArray::new(ScalarBuffer::from(stash.lend(values, rows)), nulls)
        }
        let Builder { column, values, nulls, .. } = self;
        let stash = &column.stash;
        Ok(match values {
            Values::Boolean(values) => {
                let nulls = nulls.finish(values.len());
                Arc::new(BooleanArray::new(BooleanBuffer::from(values), nulls))
            }
            Values::Int8(values) => Arc::new(primitive::<Int8Type>(stash, values, nulls)),
            Values::Int16(values) => Arc::new(primitive::<Int16Type>(stash, values, nulls)),
            Values::Int32(values) => Arc::new(primitive::<Int32Type>(stash, values, nulls)),
            Values::Int64(values) => Arc::new(primitive::<Int64Type>(stash, values, nulls)),
            Values::UInt8(values) => Arc::new(primitive::<UInt8Type>(stash, values, nulls)),
            Values::UInt16(values) => Arc::new(primitive::<UInt16Type>(stash, values, nulls)),
            Values::UInt32(values) => Arc::new(primitive::<UInt32Type>(stash, values, nulls)),
            Values::UInt64(values) => Arc::new(primitive::<UInt64Type>(stash, values, nulls)),
            Values::Float32(values) => Arc::new(primitive::<Float32Type>(stash, values, nulls)),
            Values::Float64(values) => Arc::new(primitive::<Float64Type>(stash, values, nulls)),
            Values::Decimal(values) => {
                let array = primitive::<Decimal128Type>(stash, values, nulls);
                Arc::new(array.with_data_type(column.column_type.data_type()))
            }
            Values::Date(values) => Arc::new(primitive::<Date32Type>(stash, values, nulls)),
            Values::Micros(values) => match column.column_type {
                ColumnType::Time => Arc::new(primitive::<Time64MicrosecondType>(stash, values, nulls)),
                ColumnType::TimestampUtc => {
                    Arc::new(primitive::<TimestampMicrosecondType>(stash, values, nulls).with_timezone("UTC"))
                }
                _ => Arc::new(primitive::<TimestampMicrosecondType>(stash, values, nulls)),
            },
            Values::Text(text) => {
                // What the last step asked for is more than it filled.
                column.text_bytes.fetch_max(text.bytes.len() + text.filled / 16, Ordering::Relaxed);
                let ends = text.offsets.len();
                let offsets = OffsetBuffer::new(ScalarBuffer::from(stash.lend(text.offsets, ends)));
                Arc::new(StringArray::try_new(offsets, stash.lend(text.bytes, text.filled), nulls.finish(ends - 1))?)
            }
            Values::Coded(values) => {
                let nulls = nulls.finish(values.rows());
                values.finish(stash, nulls)?
            }
            Values::Nothing(rows) => new_null_array(&column.data_type(), rows),
            Values::Constant(rows) => match &column.constant {
                Some(text) => Arc::new(StringArray::from_iter_values(std::iter::repeat_n(text, rows))),
                None => Arc::new(NullArray::new(rows)),
            },
        })
    }
}

/// [`Builder::append`] as something that is compiled for several processors.
struct Append<'a, 'b> {
    builder: &'b mut Builder<'a>,
    step: &'b Step<'b>,
    bad: &'b mut Vec<BadField>,
}

impl Kernel for Append<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<C: Classify>(self) {
        self.builder.append_here::<C>(self.step, self.bad);
    }
}

/// Fields of a block that are not as short as their type's usual ones, from which on the next blocks are taken singly.
const TOO_MANY: u32 = LANES as u32 / 4;

/// The fields of one column in one step, and where their outcome goes.
struct Cells<'a, 'b> {
    column: &'a Column,
    nulls: &'b mut Nulls,
    step: &'b Step<'b>,
    bad: &'b mut Vec<BadField>,
    field: usize,
}

impl Cells<'_, '_> {
    /// Fixed-width values: many at once where they are as short as most, else by shape, else by the column's rules.
    #[inline(always)]
    fn fill<S: Shape<T>, T: Copy + Default>(&mut self, values: &mut Vec<T>, convert: impl Fn(Value) -> Option<T>) {
        let (step, field, first) = (self.step, self.field, values.len());
        values.reserve(step.rows);
        let room = &mut values.spare_capacity_mut()[..step.rows];
        let (mut lanes, mut short) = (Lanes::new(), S::Lane::ANY);
        for (block, room) in room.chunks_mut(LANES).enumerate() {
            let rows = block * LANES..block * LANES + room.len();
            match room.first_chunk_mut::<LANES>() {
                Some(room) if short => {
                    let mut others =
                        lanes.parse::<S::Lane, T>(step.text, rows.clone().map(|row| step.field(row, field)), room);
                    short = others.count_ones() < TOO_MANY;
                    while others != 0 {
                        let lane = others.trailing_zeros() as usize;
                        room[lane].write(self.one::<S, T>(rows.start + lane, first, &convert));
                        others &= others - 1;
                    }
                }
                _ => {
                    for (value, row) in room.iter_mut().zip(rows) {
                        value.write(self.one::<S, T>(row, first, &convert));
                    }
                }
            }
        }
        // SAFETY: the chunks cover all of the room, and each writes all its values.
        unsafe { values.set_len(first + step.rows) };
    }

    /// The value of a row of the step, which stands behind `first` others.
    #[inline(always)]
    fn one<S: Shape<T>, T: Default>(&mut self, row: usize, first: usize, convert: &impl Fn(Value) -> Option<T>) -> T {
        let (start, end) = self.step.field(row, self.field);
        match S::one(self.step.text, start, end) {
            Some(value) => value,
            None => self.slowly(row, first + row, start, end, convert),
        }
    }

    #[inline(never)]
    fn slowly<T: Default>(
        &mut self,
        row: usize,
        at: usize,
        start: usize,
        end: usize,
        convert: &impl Fn(Value) -> Option<T>,
    ) -> T {
        if start == end {
            self.nulls.set(at);
            return T::default();
        }
        let rules = &self.column.rules;
        let (value, quoted) = field_value(self.step.dialect, &self.step.text[start..end]);
        if rules.is_null(&value, quoted) {
            self.nulls.set(at);
            return T::default();
        }
        match parse(self.column.column_type, &value, quoted, rules).and_then(convert) {
            Some(value) => value,
            None => {
                self.bad.push(BadField { row, value: value.into_owned(), quoted });
                self.nulls.set(at);
                T::default()
            }
        }
    }

    #[inline(always)]
    fn copy<C: Classify>(&mut self, text: &mut Text) {
        let step = self.step;
        let length =
            step.ends.last().map_or(0, |end| *end as usize).wrapping_sub(step.ends[0].wrapping_add(1) as usize);
        if text.bytes.len() < text.filled + length + PADDING {
            text.bytes.resize(text.filled + length + PADDING, 0);
        }
        let first = text.offsets.len();
        text.offsets.resize(first + step.rows, 0);
        let quote = step.dialect.quote;
        let tokens = self.column.rules.has_null_tokens();
        let offsets = text.offsets[first..].iter_mut();
        for (row, (offset, (start, end))) in offsets.zip(step.fields(self.field)).enumerate() {
            let length = end - start;
            let quoted = quote.is_some() && Some(step.text[start]) == quote;
            if quoted
                && !tokens
                && let Some(block) = step.plain_within::<C>(start, end)
            {
                text.bytes[text.filled..text.filled + 64].copy_from_slice(block);
                text.filled += length - 2;
            } else if length == 0 || tokens || quoted {
                let (value, quoted) = field_value(step.dialect, &step.text[start..end]);
                if self.column.rules.is_null(&value, quoted) {
                    self.nulls.set(first - 1 + row);
                } else {
                    text.bytes[text.filled..text.filled + value.len()].copy_from_slice(&value);
                    text.filled += value.len();
                }
            } else if length <= PADDING {
                // A few loads and stores, most of them past the end, instead of a call and a guess how long it is.
                text.bytes[text.filled..text.filled + 32].copy_from_slice(&step.text[start..start + 32]);
                if length > 32 {
                    text.bytes[text.filled + 32..text.filled + 64].copy_from_slice(&step.text[start + 32..start + 64]);
                }
                text.filled += length;
            } else {
                text.bytes[text.filled..text.filled + length].copy_from_slice(&step.text[start..end]);
                text.filled += length;
            }
            *offset = text.filled as i32;
        }
    }

    #[inline(always)]
    fn code(&mut self, coded: &mut Coded) {
        let step = self.step;
        let quote = step.dialect.quote;
        let tokens = self.column.rules.has_null_tokens();
        for (start, end) in step.fields(self.field) {
            let quoted = quote.is_some() && Some(step.text[start]) == quote;
            if start < end && !tokens && !quoted {
                coded.push_from(step.text, start, end - start);
                continue;
            }
            let (value, quoted) = field_value(step.dialect, &step.text[start..end]);
            if self.column.rules.is_null(&value, quoted) {
                self.nulls.set(coded.rows());
                coded.push_null();
            } else {
                coded.push(&value);
            }
        }
    }

    /// A column without a value so far: anything that is not NULL ends that.
    fn nothing(&mut self, rows: &mut usize) {
        for (row, (start, end)) in self.step.fields(self.field).enumerate() {
            if start != end {
                let (value, quoted) = field_value(self.step.dialect, &self.step.text[start..end]);
                if !self.column.rules.is_null(&value, quoted) {
                    self.bad.push(BadField { row, value: value.into_owned(), quoted });
                }
            }
        }
        *rows += self.step.rows;
    }
}

/// From the value of a parse function to the native kind of a column.
macro_rules! unwrap_value {
    ($($name:ident: $variant:ident($kind:ty)),* $(,)?) => {$(
        fn $name(value: Value) -> Option<$kind> {
            match value {
                Value::$variant(value) => Some(value),
                _ => None,
            }
        }
    )*};
}

unwrap_value! {
    as_bool: Boolean(bool),
    as_integer: Integer(i64),
    as_single: Float32(f32),
    as_float: Float64(f64),
    as_decimal: Decimal(i128),
    as_date: Date(i32),
    as_micros: Micros(i64),
}

fn narrow<T: TryFrom<i64> + TryFrom<u64>>(value: Value) -> Option<T> {
    match value {
        Value::Integer(value) => value.try_into().ok(),
        Value::Unsigned(value) => value.try_into().ok(),
        _ => None,
    }
}
