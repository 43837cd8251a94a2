//! One integration binary, so that DuckDB is linked once.
//! The integration tests, one binary.

mod csv_read; // CSV text to batches: both decoders, all sizes, rejects, inference
mod util;
mod input_compression;
mod input_encoding;
mod input_source;
