//! Which columns are written, and in which order: decided once, from the schema.
//!
//! In: a schema and a [`ColumnOrder`]. Out: positions of columns. Refused: a listed column that is not there.

use arrow::datatypes::Schema;

use crate::error::{Error, Result};
use crate::options::{ColumnOrder, nearest};

/// The positions, in `schema`, of the columns to write, in the order to write them. Columns of one name keep their order.
///
/// ```
/// use arrow::datatypes::{DataType, Field, Schema};
/// use duckstream::{ColumnOrder, column_positions};
/// let schema = Schema::new(["b", "a", "B"].map(|name| Field::new(name, DataType::Int32, true)).to_vec());
/// assert_eq!(column_positions(&schema, &ColumnOrder::Sorted)?, [2, 1, 0]);
/// assert_eq!(column_positions(&schema, &ColumnOrder::List(vec!["a".to_owned()]))?, [1]);
/// # Ok::<(), duckstream::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::Usage`](crate::ErrorKind::Usage) if a listed column is not in the schema, with the nearest that is.
pub fn column_positions(schema: &Schema, order: &ColumnOrder) -> Result<Vec<usize>> {
    let fields = schema.fields();
    match order {
        ColumnOrder::Table => Ok((0..fields.len()).collect()),
        ColumnOrder::Sorted => {
            let mut positions: Vec<usize> = (0..fields.len()).collect();
            // UTF-8 sorts by code point; the sort is stable.
            positions.sort_by_key(|position| fields[*position].name());
            Ok(positions)
        }
        ColumnOrder::List(names) => names
            .iter()
            .map(|name| {
                fields.iter().position(|field| field.name() == name).ok_or_else(|| {
                    let known: Vec<&str> = fields.iter().map(|field| field.name().as_str()).collect();
                    match nearest(name, &known) {
                        Some(near) => {
                            Error::usage(format!("column_order: there is no column '{name}': did you mean '{near}'?"))
                        }
                        None => Error::usage(format!(
                            "column_order: there is no column '{name}'; there are: {}",
                            known.join(", ")
                        )),
                    }
                })
            })
            .collect(),
    }
}
