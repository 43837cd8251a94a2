//! Arrow to text.
mod encode;
mod pool;
mod writer;
pub use writer::{CsvWriter, CsvWriterBuilder, WriteSummary};
