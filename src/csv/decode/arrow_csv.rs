//! The reference decoder: arrow-csv's push `Decoder`, then the same parse functions, value by value.
//!
//! In: a chunk. Out: the same as the fast decoder, which it is the oracle of. arrow-csv forgets whether a field was
//! quoted, so each field reaches it with one letter before it (`q` for quoted, `b` for bare), taken off again after.

use std::sync::Arc;

use arrow::array::{AsArray, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use arrow_csv::ReaderBuilder;

use crate::csv::canonical::{Canonical, RowCounts, canonicalize};
use crate::csv::decode::builder::Builder;
use crate::csv::decode::{Misfit, Raw};
use crate::csv::plan::Plan;
use crate::csv::split::Chunk;
use crate::csv::tokenize::{field_value, record};
use crate::error::{Error, Result};

/// Decodes a chunk.
pub(super) fn decode(plan: &Plan, chunk: &Chunk) -> Result<Raw> {
    let (mut counts, mut faults, mut misfits) = (RowCounts::default(), Vec::new(), Vec::new());
    let canonical = canonicalize(plan, &chunk.buffer[..chunk.end], 0, usize::MAX, &mut counts, &mut faults);
    let rows = canonical.rows.len();
    let texts = all_text(plan, &canonical)?;
    let mut arrays = Vec::with_capacity(plan.columns.len());
    for (index, column) in plan.columns.iter().enumerate() {
        let mut builder = Builder::new(column, rows);
        for (row, origin) in canonical.rows.iter().enumerate() {
            let Some(field) = column.field else {
                builder.push_absent();
                continue;
            };
            let marked = texts[field].value(row).as_bytes();
            let (quoted, value) = (marked[0] == b'q', &marked[1..]);
            if !builder.push(value, quoted) {
                misfits.push(Misfit {
                    row,
                    column: index,
                    record: origin.record,
                    span: origin.start..origin.end,
                    value: value.to_vec(),
                    quoted,
                });
            }
        }
        arrays.push(builder.finish().map_err(|error| Error::arrow("building a column", error))?);
    }
    Ok(Raw { arrays, rows, misfits, faults, counts, lines: None })
}

/// Every field as text, by arrow-csv, with its mark before it.
fn all_text(plan: &Plan, canonical: &Canonical) -> Result<Vec<StringArray>> {
    let (delimiter, quote) = (plan.canonical.delimiter[0], plan.canonical.quote.unwrap_or(b'"'));
    let text = &canonical.text[..canonical.end];
    let (mut marked, mut at, mut fields) = (Vec::with_capacity(2 * text.len()), 0, Vec::new());
    while let Some(found) = record(&plan.canonical, text, at, true, &mut fields).filter(|_| at < text.len()) {
        for (index, field) in fields.iter().enumerate() {
            let (value, quoted) = field_value(&plan.canonical, &text[field.clone()]);
            if index > 0 {
                marked.push(delimiter);
            }
            marked.extend([quote, if quoted { b'q' } else { b'b' }]);
            for byte in value.iter() {
                marked.extend(std::iter::repeat_n(*byte, if *byte == quote { 2 } else { 1 }));
            }
            marked.push(quote);
        }
        marked.push(b'\n');
        at = found.next;
    }
    let field = |index: usize| Field::new(index.to_string(), DataType::Utf8, false);
    let schema = Arc::new(Schema::new((0..plan.width).map(field).collect::<Vec<_>>()));
    let mut decoder = ReaderBuilder::new(schema)
        .with_delimiter(delimiter)
        .with_quote(quote)
        .with_batch_size(canonical.rows.len() + 1)
        .build_decoder();
    let failed = |error| Error::arrow("decoding with arrow-csv", error);
    let mut at = 0;
    while at < marked.len() {
        match decoder.decode(&marked[at..]).map_err(failed)? {
            0 => break,
            taken => at += taken,
        }
    }
    // An empty slice tells the decoder that no more is to come.
    decoder.decode(&[]).map_err(failed)?;
    let batch = decoder.flush().map_err(failed)?;
    let rows = batch.as_ref().map_or(0, |batch| batch.num_rows());
    if rows != canonical.rows.len() {
        return Err(Error::internal(format!("arrow-csv found {rows} rows of {}", canonical.rows.len())));
    }
    Ok(match batch {
        Some(batch) => batch.columns().iter().map(|column| column.as_string::<i32>().clone()).collect(),
        None => vec![StringArray::from(Vec::<&str>::new()); plan.width],
    })
}
