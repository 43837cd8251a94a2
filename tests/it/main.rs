//! Integration tests, in one binary so that DuckDB is linked once. One module a concern:
//!
//! - `engine_load`: modes, names, counts, columns that meet by name, casts that keep values.
//! - `engine_safety`: what fails leaves nothing: readers, panics, hooks, cancels, files.
//! - `engine_query`: every type out, column order, row order, SQL that is refused.
#![allow(missing_docs)]

#[cfg(feature = "duckdb")]
mod engine_load;
#[cfg(feature = "duckdb")]
mod engine_query;
#[cfg(feature = "duckdb")]
mod engine_safety;
#[cfg(feature = "duckdb")]
mod engine_support;
