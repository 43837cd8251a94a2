//! Integration tests, one module per concern; DuckDB is linked once.

mod output_csv;
#[cfg(feature = "duckdb")]
mod output_duckdb;
mod output_ipc;
#[cfg(feature = "parquet")]
mod output_parquet;
mod output_sink;
