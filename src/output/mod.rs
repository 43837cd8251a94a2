//! Bytes out.
//!
//! - `order.rs`: [`column_positions`]: which columns are written, and in which order.
//! - `sink.rs`: [`Sink`]: where bytes land, all or none, with [`Layer`]s in between.
//! - `compress.rs`: [`Compressor`]: any compression, the same bytes on every run.
//! - `transcode.rs`: [`Transcoder`]: UTF-8 to any encoding that can be read.

mod compress;
mod order;
mod sink;
mod transcode;

pub use compress::Compressor;
pub use order::column_positions;
pub use sink::{Landing, Layer, Sink};
pub use transcode::{Transcoder, Unmapped};
