//! Integration tests, one module per concern; DuckDB is linked once.

mod output_csv;
mod output_sink;
