//! [`WriteBack`]: a growing file whose bytes begin their way to the disk before it is complete.
//!
//! In: a file, and how long it is by now. Out: nothing; the sync at its end has less left to wait for.

use std::fs::File;

/// Bytes that are worth telling the system of. Measured: of 2.05 s for a CSV file of 766 MB, 0.23 s went into its sync.
const STEP: u64 = 8 << 20;

/// Up to where a file is on its way.
pub(crate) struct WriteBack(u64);

impl WriteBack {
    /// Begins behind the first `begun` bytes.
    pub(crate) fn new(begun: u64) -> WriteBack {
        WriteBack(begun)
    }

    /// The file has grown to `end`. Linux begins to write dirty pages that it is told nobody needs; it keeps them in its cache
    /// all the same, being dirty. Elsewhere the sync at the end does it all.
    pub(crate) fn up_to(&mut self, file: &File, end: u64) {
        let grown = end.saturating_sub(self.0);
        if grown < STEP {
            return;
        }
        #[cfg(target_os = "linux")]
        {
            use rustix::fs::{Advice, fadvise};
            // It is only advice.
            let _ = fadvise(file, self.0, std::num::NonZeroU64::new(grown), Advice::DontNeed);
        }
        #[cfg(not(target_os = "linux"))]
        let _ = file;
        self.0 = end;
    }
}
