//! A RecordBatch as CSV bytes.
//!
//! - `dialect.rs`: what stands between values, and which texts need quotes.
//! - `block.rs`: rows side by side, filled column by column.
//! - `column.rs`: one column into a block: a loop per type, and one for texts.
//! - `digits.rs`, `float.rs`: numbers and times as digits.
//! - `value.rs`: any value of any type as text, nested ones too.
//!
//! In: a batch with the columns in their final order. Out: bytes appended to a buffer. Refused: values that the
//! dialect cannot express, named by row and column. Nothing here allocates per value, or knows where bytes go.

mod block;
mod column;
mod dialect;
mod digits;
mod float;
mod value;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::take;
use arrow::datatypes::{DataType, Int16Type, Int32Type, Int64Type, RunEndIndexType, Schema, UInt64Type};

use crate::error::{Error, Fault, FaultCode, Location, Result};
use crate::options::{FloatFormat, Quoting, WriterOptions};

use block::{Block, ROWS, put_quoted};
use column::Column;
use dialect::Dialect;

/// How batches become CSV. Cheap to clone: one per worker.
#[derive(Clone)]
pub(super) struct Encoder {
    dialect: Dialect,
    floats: FloatFormat,
    header: bool,
}

/// What one worker keeps from batch to batch.
#[derive(Default)]
pub(super) struct Buffers {
    block: Block,
    bounds: Vec<usize>,
    columns: Vec<column::Scratch>,
}

impl Encoder {
    /// An encoder for these options.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) for options that contradict each other.
    pub fn new(options: &WriterOptions) -> Result<Self> {
        Ok(Encoder { dialect: Dialect::new(options)?, floats: options.float_format, header: options.header })
    }

    /// Appends the line with the column names.
    pub fn header(&self, schema: &Schema, target: &str, out: &mut Vec<u8>) -> Result<()> {
        let fields = schema.fields();
        for (index, field) in fields.iter().enumerate() {
            let name = field.name().as_bytes();
            let always = self.dialect.always_quotes(&DataType::Utf8);
            let needed = !always && self.dialect.needs_quotes(name);
            let never = self.dialect.quoting == Quoting::None;
            // Without quotes, an empty name is fine where it is not the whole line.
            if needed && never && (self.dialect.breaks_a_row(name) || fields.len() == 1) {
                let at = Location::new(target).with_column(field.name());
                return Err(unquotable(at, "the column's name", name).into());
            }
            let quoted = always || (needed && !never);
            if quoted {
                let from = out.len();
                out.resize(from + 2 * name.len() + 1, 0);
                let end = put_quoted(out, from, &self.dialect, name);
                out.truncate(end);
            } else {
                out.extend_from_slice(name);
            }
            let tail = self.dialect.tail(index + 1 == fields.len(), quoted);
            out.extend_from_slice(&tail.bytes[..tail.len]);
        }
        Ok(())
    }

    /// The row, from 0, and the column, from 0, in which a piece of CSV that begins with a row ends.
    pub fn locate(&self, text: &[u8]) -> (u64, usize) {
        let Dialect { delimiter, newline, quote, escape, .. } = &self.dialect;
        let (mut row, mut column, mut quoted, mut at) = (0, 0, false, 0);
        while at < text.len() {
            let rest = &text[at..];
            at += match rest {
                [first, second, ..] if quoted && first == escape && (Some(*second) == *quote || second == escape) => 2,
                [first, ..] if Some(*first) == *quote => {
                    quoted = !quoted;
                    1
                }
                _ if !quoted && rest.starts_with(delimiter) => {
                    column += 1;
                    delimiter.len()
                }
                _ if !quoted && rest.starts_with(newline.as_str().as_bytes()) => {
                    (row, column) = (row + 1, 0);
                    newline.as_str().len()
                }
                _ => 1,
            };
        }
        (row, column)
    }

    /// Appends the rows of `batch`, whose columns are in their final order. `first` is the number of its first row,
    /// from 1, and `target` what is being written, both for messages.
    ///
    /// # Errors
    /// [`ErrorKind::Data`](crate::ErrorKind::Data) for the first value, by row, that the dialect cannot express.
    pub fn encode(
        &self,
        batch: &RecordBatch,
        first: u64,
        target: &str,
        buffers: &mut Buffers,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        let arrays = batch.columns().iter().map(plain).collect::<Result<Vec<_>>>()?;
        let last = arrays.len().saturating_sub(1);
        let columns: Vec<Column<'_>> = arrays
            .iter()
            .enumerate()
            .map(|(index, array)| Column::new(array, &self.dialect, self.floats, index == last))
            .collect();
        buffers.columns.resize_with(columns.len().max(buffers.columns.len()), Default::default);
        let mut from = 0;
        while from < batch.num_rows() {
            let rows = ROWS.min(batch.num_rows() - from);
            buffers.bounds.clear();
            buffers.bounds.resize(rows, 0);
            for (column, scratch) in columns.iter().zip(&mut buffers.columns) {
                column.prepare(from, scratch, &mut buffers.bounds)?;
            }
            let rows = buffers.block.begin(&buffers.bounds);
            let mut refused: Option<(usize, usize)> = None;
            for (index, (column, scratch)) in columns.iter().zip(&buffers.columns).enumerate() {
                if let Some(row) = column.write(from, scratch, &mut buffers.block) {
                    refused = refused.into_iter().chain([(row, index)]).min();
                }
            }
            if let Some((row, index)) = refused {
                let field = batch.schema_ref().field(index);
                let mut text = Vec::new();
                value::write_value(&arrays[index], from + row, self.floats, &mut text)?;
                let row = first + (from + row) as u64;
                let at = Location::new(target).with_record(row + u64::from(self.header)).with_column(field.name());
                return Err(unquotable(at, &format!("in row {row}, the value"), &text).into());
            }
            buffers.block.finish(out);
            from += rows;
        }
        Ok(())
    }
}

fn unquotable(at: Location, what: &str, text: &[u8]) -> Fault {
    let text = String::from_utf8_lossy(text).into_owned();
    let shown: String = text.chars().take(200).collect();
    Fault {
        line_end: 0,
        at,
        code: FaultCode::BadValue,
        message: format!("{what} {shown:?} would need quotes to read back as it is, and quoting is off"),
        value: Some(text),
        hint: Some("--quoting minimal writes quotes where they are needed; --null-value names NULL".to_owned()),
        raw: Vec::new(),
    }
}

/// The array, with dictionaries and runs written out: they are at most as long as a batch.
fn plain(array: &ArrayRef) -> Result<ArrayRef> {
    fn runs<R: RunEndIndexType>(array: &dyn Array) -> Result<ArrayRef> {
        let runs = array.as_run::<R>();
        let physical = (0..runs.len()).map(|row| runs.get_physical_index(row) as u64);
        let positions = arrow::array::PrimitiveArray::<UInt64Type>::from_iter_values(physical);
        take(runs.values(), &positions, None).map_err(|error| Error::arrow("expanding runs", error))
    }

    let expanded = match array.data_type() {
        DataType::Dictionary(_, _) => {
            let dictionary = array.as_any_dictionary();
            take(dictionary.values(), dictionary.keys(), None)
                .map_err(|error| Error::arrow("expanding a dictionary", error))?
        }
        DataType::RunEndEncoded(ends, _) => match ends.data_type() {
            DataType::Int16 => runs::<Int16Type>(array)?,
            DataType::Int32 => runs::<Int32Type>(array)?,
            _ => runs::<Int64Type>(array)?,
        },
        _ => return Ok(array.clone()),
    };
    // A dictionary of a dictionary is possible, if odd.
    plain(&expanded)
}
