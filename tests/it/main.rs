//! The integration tests, one binary.

/// What several of them need.
mod util;

/// Every compression: read, several members, truncated, damaged, empty; and written.
mod input_compression;
/// Every encoding: read, written, cut at every byte; detection.
mod input_encoding;
/// Paths, globs, archive members, streams, replay, cancelling.
mod input_source;
