//! What `benches/` measures by itself and nobody else needs: not part of the interface, free to change at any time.

use std::fs::File;
use std::path::Path;

use crossbeam_channel::bounded;

use crate::csv::dialect::Dialect;
use crate::csv::split::Splitter;
use crate::error::{Error, ErrorKind, Location, Result};
use crate::options::ReaderOptions;

/// What the splitter made of a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Split {
    /// Chunks handed out.
    pub chunks: u64,
    /// Records in them, the header one of them.
    pub records: u64,
    /// Bytes of text in them.
    pub bytes: u64,
}

/// Cuts a UTF-8 file into chunks of whole records and lets them go. Nothing is decoded, checked or kept.
///
/// # Errors
/// What the options object to, and what the file does.
pub fn split(path: &Path, options: &ReaderOptions) -> Result<Split> {
    let at = Location::new(path.display().to_string());
    let file = File::open(path).map_err(|source| Error::from(ErrorKind::Read { at: at.clone(), source }))?;
    let dialect = Dialect::new(options)?;
    let mut splitter = Splitter::new(Box::new(file), at, &dialect, options.into());
    let (give_back, recycled) = bounded(1);
    splitter.recycle_from(recycled);
    let mut split = Split::default();
    while let Some(chunk) = splitter.next_chunk()? {
        split.chunks += 1;
        split.records += chunk.records;
        split.bytes += chunk.end as u64;
        let _ = give_back.try_send(chunk.buffer);
    }
    Ok(split)
}
