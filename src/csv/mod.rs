//! Text to Arrow and back, in the order of the data path.
//!
//! - `detect/`: what the text looks like; the table in a damaged one. `dialect.rs`: how it is written.
//! - `split.rs`: bytes into chunks of whole records; `simd.rs` scans ordinary text for it, `tokenize.rs` judges the rest.
//! - `header.rs`, `names.rs`: what stands before the data, and the columns' names.
//! - `types.rs`, `parse/`, `value.rs`, `infer.rs`: types, one parse function each, a column's rules, inference.
//! - `table.rs`, `plan.rs`: the columns of all inputs, and what is done with the records of one.
//! - `decode/`: one chunk to one batch, by two decoders; `canonical.rs` makes odd rows ordinary, `stash.rs` keeps buffers.
//! - `feed.rs`, `pipeline.rs`, `reader.rs`, `reader_builder.rs`: input after input, many threads, one ordered stream.
//! - `input_set.rs`: reading again with wider types. `locate.rs`: from a row back to its record.
//! - `encode/`, `pool.rs`, `writer.rs`: batches to text, encoded by many threads, written in order.

mod canonical;
mod decode;
pub(crate) mod detect;
pub(crate) mod dialect;
mod encode;
mod feed;
mod header;
mod infer;
mod input_set;
// Only an engine refuses rows that were read already.
#[cfg_attr(not(feature = "duckdb"), allow(dead_code))]
mod locate;
pub(crate) mod names;
mod parse;
mod pipeline;
mod plan;
mod pool;
mod reader;
mod reader_builder;
mod scanner;
mod simd;
pub(crate) mod split;
mod stash;
mod table;
mod tokenize;
mod types;
mod value;
mod writer;

pub use canonical::RowCounts;
pub use feed::Detected;
pub use input_set::CsvInput;
#[cfg(feature = "duckdb")]
pub(crate) use locate::{Locator, Place};
pub(crate) use reader::lock;
pub use reader::{CsvReader, FileSummary, Promotion, ReadSummary, RejectSink};
pub use reader_builder::CsvReaderBuilder;
pub use types::ColumnType;
pub use writer::{CsvWriter, CsvWriterBuilder, WriteSummary};
