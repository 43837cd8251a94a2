//! [`Plan`]: what is done with each record of one input, decided before its rows are decoded.
//!
//! In: options, header, column types. Out: one immutable value that all workers share.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use crate::csv::dialect::Dialect;
use crate::csv::stash::Stash;
use crate::csv::types::ColumnType;
use crate::csv::value::{Rules, parse};
use crate::options::{DecoderChoice, LongRows, ShortRows};

/// What is done with each record of one input.
#[derive(Debug)]
pub(crate) struct Plan {
    pub dialect: Dialect,
    /// The dialect that odd rows are rewritten in.
    pub canonical: Dialect,
    /// Fields per record.
    pub width: usize,
    pub columns: Vec<Column>,
    pub schema: SchemaRef,
    pub skip_blank_lines: bool,
    pub short_rows: ShortRows,
    pub long_rows: LongRows,
    pub decoder: DecoderChoice,
}

/// One column of the output.
#[derive(Debug)]
pub(crate) struct Column {
    pub name: String,
    /// Which field of the record; none if this input lacks the column.
    pub field: Option<usize>,
    pub column_type: ColumnType,
    /// Whether its texts come as a dictionary.
    pub coded: bool,
    /// Whether a misfit may widen the type, rather than condemn the row.
    pub may_widen: bool,
    pub rules: Rules,
    /// A text that every row gets: the file name.
    pub constant: Option<String>,
    /// Bytes of text in the largest batch so far: what the next one will need.
    pub text_bytes: AtomicUsize,
    /// Its buffers that nobody uses any more.
    pub stash: Arc<Stash>,
}

impl Column {
    pub(crate) fn new(name: &str, field: Option<usize>, column_type: ColumnType, rules: Rules) -> Column {
        Column {
            name: name.to_owned(),
            field,
            column_type,
            coded: false,
            may_widen: false,
            rules,
            constant: None,
            text_bytes: AtomicUsize::new(0),
            stash: Arc::default(),
        }
    }

    /// The Arrow type of its arrays.
    pub(crate) fn data_type(&self) -> DataType {
        let data_type = self.column_type.data_type();
        match self.coded {
            true => DataType::Dictionary(Box::new(DataType::UInt32), Box::new(data_type)),
            false => data_type,
        }
    }

    /// Whether the decoder may judge a value by its shape alone, before asking whether it is NULL.
    pub(crate) fn fast(&self) -> bool {
        let token_fits = |token: &Vec<u8>| parse(self.column_type, token, false, &Rules::default()).is_some();
        self.rules.plain_for(self.column_type) && !self.rules.null_values.iter().any(token_fits)
    }
}

/// The Arrow schema of columns. Every column can be NULL.
pub(crate) fn schema_of(columns: &[Column]) -> SchemaRef {
    let fields: Vec<Field> = columns.iter().map(|column| Field::new(&column.name, column.data_type(), true)).collect();
    Arc::new(Schema::new(fields))
}
