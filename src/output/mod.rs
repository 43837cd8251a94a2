//! Bytes out.
//!
//! - `compress.rs`: [`Compressor`]: any compression, the same bytes on every run.
//! - `transcode.rs`: [`Transcoder`]: UTF-8 to any encoding that can be read.

mod compress;
mod transcode;

pub use compress::Compressor;
pub use transcode::{Transcoder, Unmapped};
