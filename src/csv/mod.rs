//! Text to Arrow.
mod canonical;
mod decode;
mod dialect;
mod infer;
mod parse;
mod plan;
mod simd;
mod split;
mod tokenize;
mod types;
mod value;
pub use types::ColumnType;
