//! Text to Arrow.
mod dialect;
mod infer;
mod parse;
mod simd;
mod tokenize;
mod types;
mod value;
pub use types::ColumnType;
