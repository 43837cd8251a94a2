//! One integration binary, so that DuckDB is linked once.

mod csv_read; // CSV text to batches: both decoders, all sizes, rejects, inference
