//! The options, one struct for reading and one for writing, shared by library, step configs and CLI.
//!
//! - `choices.rs`: options that are one of a few names. `values.rs`: those that are more than a name. `text.rs`: how
//!   both read and print.
//! - `reader.rs`: [`ReaderOptions`].
//! - `writer.rs`: [`WriterOptions`].
//!
//! In: typed values, or JSON by way of [`from_json`]. Out: validated structs. Unknown keys are refused with the
//! nearest known name. Nothing here opens a file.

mod choices;
mod reader;
mod text;
mod values;
mod writer;

use serde::de::{self, DeserializeOwned, Deserializer, Visitor};
use serde_json::Value;

use crate::error::{Error, Result};

pub use choices::{
    Compression, DecoderChoice, Dedup, Detect, EncodingErrors, IfExists, InferQuoted, LoadMode, LongRows, MatchColumns,
    NulBytes, OnError, OnTypeChange, Quoting, ShortRows, Trim, Unmappable, WriteBom,
};
pub use reader::{
    DEFAULT_BATCH_BYTES, DEFAULT_BATCH_SIZE, DEFAULT_BLOCK_SIZE, DEFAULT_MAX_RECORD_BYTES, ReaderOptions,
};
pub use text::Auto;
pub use values::{ColumnOrder, Delimiter, FloatFormat, Header, Infer, Newline, PerColumn, QuoteChar};
pub use writer::WriterOptions;

/// Builds an options struct from a JSON object, as found in a step's config.
///
/// ```
/// use duckstream::{ReaderOptions, options_from_json};
/// let options: ReaderOptions = options_from_json(serde_json::json!({"sep": ";", "threads": 2}))?;
/// assert_eq!(options.threads, 2);
/// let error = options_from_json::<ReaderOptions>(serde_json::json!({"delimeter": ";"})).unwrap_err();
/// assert!(error.to_string().contains("did you mean 'delimiter'"));
/// # Ok::<(), duckstream::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::Usage`](crate::ErrorKind::Usage) for an unknown key, with the nearest known name, and for a value
/// of the wrong kind.
pub fn from_json<T: DeserializeOwned>(value: Value) -> Result<T> {
    if let Value::Object(map) = &value {
        let known = field_names::<T>();
        if !known.is_empty()
            && let Some(key) = map.keys().find(|key| !known.contains(&key.as_str()))
        {
            return Err(unknown_option(key, known));
        }
        // One at a time, so that the message can name the key whose value is wrong.
        for (key, value) in map {
            let single = Value::Object([(key.clone(), value.clone())].into_iter().collect());
            if let Err(error) = serde_json::from_value::<T>(single) {
                let message = error.to_string();
                if !message.starts_with("missing field") {
                    return Err(Error::usage(format!("option '{key}': {message}")));
                }
            }
        }
    }
    serde_json::from_value(value).map_err(|error| Error::usage(error.to_string()))
}

/// The error for a key that is not among `known`, with the nearest one as a suggestion.
pub fn unknown_option(key: &str, known: &[&str]) -> Error {
    match nearest(key, known) {
        Some(near) => Error::usage(format!("unknown option '{key}': did you mean '{near}'?")),
        None => Error::usage(format!("unknown option '{key}'; known are: {}", known.join(", "))),
    }
}

/// The known name nearest to `name`, if one is near at all.
pub fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    known
        .iter()
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), *candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len().max(name.len()) / 4)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The keys (aliases included) that a struct deserializes from.
pub fn field_names<T: DeserializeOwned>() -> &'static [&'static str] {
    struct Probe<'a>(&'a mut &'static [&'static str]);

    impl<'de> Deserializer<'de> for Probe<'_> {
        type Error = de::value::Error;

        fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
            Err(de::Error::custom("only a struct has field names"))
        }

        fn deserialize_struct<V: Visitor<'de>>(
            self,
            _: &'static str,
            fields: &'static [&'static str],
            _: V,
        ) -> Result<V::Value, Self::Error> {
            *self.0 = fields;
            Err(de::Error::custom("field names taken"))
        }

        serde::forward_to_deserialize_any! {
            bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
            unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
        }
    }

    let mut fields: &'static [&'static str] = &[];
    // The probe always "fails"; what it saw on the way is the result.
    let _ = T::deserialize(Probe(&mut fields));
    fields
}
