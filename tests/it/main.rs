//! Integration tests, in one binary so that DuckDB is linked once.
#![allow(missing_docs)]

#[cfg(feature = "cli")]
mod cli_kill; // kill -9, Ctrl-C, SIGTERM, a reader that goes away: nothing half done is left
#[cfg(feature = "cli")]
mod cli_run; // pipeline files, from the outside
#[cfg(feature = "cli")]
mod cli_support;
#[cfg(feature = "cli")]
mod cli_verbs; // each verb: stdout, stderr, exit code
mod csv_damaged; // cut short, or not characters: what came before, and where
mod csv_read; // CSV text to batches: both decoders, all sizes, rejects, inference
#[cfg(feature = "duckdb")]
mod demands; // what users of other tools ask for, and what they get here
mod detect_fixtures; // the damaged files of fixtures/damaged against the undamaged tables
mod detect_properties; // any clean table in any dialect; any bytes at all
mod detect_repair; // one case per kind of damage
mod detect_sniff;
#[cfg(feature = "duckdb")]
mod engine_load; // modes, names, counts, columns that meet by name, casts that keep values
#[cfg(feature = "duckdb")]
mod engine_query; // every type out, column order, row order, SQL that is refused
#[cfg(feature = "duckdb")]
mod engine_safety; // what fails leaves nothing: readers, panics, hooks, cancels, files
#[cfg(feature = "duckdb")]
mod engine_support;
mod fixtures_used; // the manifest: no fixture without a test
mod input_compression; // every format: whole, truncated, corrupt, empty
mod input_encoding; // every label: read, written, cut at every byte
mod input_source; // paths, globs, archive members, replay
mod output_csv; // batches to text: every type and style
#[cfg(feature = "duckdb")]
mod output_duckdb; // DuckDB reads what we write
mod output_ipc; // Arrow files and streams
#[cfg(feature = "parquet")]
mod output_parquet; // Parquet, there and back
mod output_round_trip; // batches to text and back, by our own reader
mod output_sink; // files that appear when they are complete
#[cfg(feature = "duckdb")]
mod quality_checks; // every kind and severity, messages, injection
#[cfg(feature = "duckdb")]
mod quality_identity; // every record is accounted for, in the receipt and in the database
#[cfg(feature = "duckdb")]
mod quality_places; // rows that the table refuses, found again in the input
#[cfg(feature = "duckdb")]
mod quality_receipt; // written, read back, verified
mod quality_rejects; // every format read back, all or nothing
mod reference; // a tokenizer that shares nothing with the library: the oracle
#[cfg(feature = "duckdb")]
mod round_trip; // tables of all types: export, load, equal; hostile texts: load, export, canonical
#[cfg(feature = "duckdb")]
mod step_csv; // the eight scenarios that the steps were first made for, and their errors
#[cfg(feature = "duckdb")]
mod step_names; // odd names, and texts that would like to be SQL
mod util;
