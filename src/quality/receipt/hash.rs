//! [`HashTask`]: size and SHA-256 of the inputs, taken on a thread of its own while they are read.
//!
//! In: [`Source`]s. Out: one [`InputReceipt`] each. It reads every file a second time, mostly from the system's cache; a core
//! hashes 0.4 to 2 GB of it a second. Standard input and readers cannot be read twice and stay without a hash. Memory: one
//! buffer of 1 MiB.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind as IoErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::{Error, ErrorKind, Location, Result};
use crate::input::Source;
use crate::job::CancelToken;
use crate::quality::receipt::document::timestamp;

const BUFFER: usize = 1 << 20;

/// One input, as it lies on disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputReceipt {
    /// The absolute path; `-` for standard input, or the name given to a reader.
    pub path: String,
    /// The member of an archive; size and hash are the archive's.
    pub member: Option<String>,
    /// Bytes, for a file.
    pub size: Option<u64>,
    /// SHA-256 in hexadecimal, for a file.
    pub sha256: Option<String>,
    /// When the file was last changed (RFC 3339, UTC).
    pub modified: Option<String>,
}

/// Inputs being hashed. Dropped, it stops.
#[must_use = "the hashes come from `finish`"]
pub struct HashTask {
    thread: Option<JoinHandle<Result<Vec<InputReceipt>>>>,
    stop: Arc<AtomicBool>,
}

/// What is known of a file's content.
#[derive(Debug, Clone)]
pub(super) struct FileHash {
    pub size: u64,
    pub sha256: String,
    pub modified: Option<SystemTime>,
}

impl HashTask {
    /// Starts to hash the inputs, on a thread of its own.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] if the system gives no thread.
    pub fn start(sources: &[Source], cancel: &CancelToken) -> Result<Self> {
        let inputs: Vec<(Option<PathBuf>, InputReceipt)> = sources.iter().map(of).collect();
        let stop = Arc::new(AtomicBool::new(false));
        let (stopped, cancel) = (Arc::clone(&stop), cancel.clone());
        let work = move || {
            let mut known: BTreeMap<PathBuf, FileHash> = BTreeMap::new();
            let mut receipts = Vec::with_capacity(inputs.len());
            for (path, mut receipt) in inputs {
                if let Some(path) = path {
                    let hash = match known.get(&path) {
                        Some(hash) => hash.clone(),
                        None => hash_file(&path, &|| match stopped.load(Ordering::Relaxed) {
                            true => Err(ErrorKind::Cancelled.into()),
                            false => cancel.check(),
                        })?,
                    };
                    receipt.size = Some(hash.size);
                    receipt.sha256 = Some(hash.sha256.clone());
                    receipt.modified = hash.modified.map(timestamp);
                    known.insert(path, hash);
                }
                receipts.push(receipt);
            }
            Ok(receipts)
        };
        let thread = std::thread::Builder::new()
            .name("duckstream-hash".to_owned())
            .spawn(work)
            .map_err(|error| Error::internal(format!("no thread to hash the inputs: {error}")))?;
        Ok(HashTask { thread: Some(thread), stop })
    }

    /// Waits for the hashes.
    ///
    /// # Errors
    /// [`ErrorKind::Read`] if an input cannot be read; [`ErrorKind::Cancelled`].
    pub fn finish(mut self) -> Result<Vec<InputReceipt>> {
        let Some(thread) = self.thread.take() else { return Ok(Vec::new()) };
        thread.join().unwrap_or_else(|_| Err(Error::internal("hashing the inputs panicked")))
    }
}

impl Drop for HashTask {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // It has nothing to say any more.
            let _ = thread.join();
        }
    }
}

/// What is known of an input before it is read, and the file to hash.
fn of(source: &Source) -> (Option<PathBuf>, InputReceipt) {
    let at = source.location();
    let file = match source {
        Source::Path(path) | Source::Member { archive: path, .. } => Some(path),
        _ => None,
    };
    let path = file.map_or(at.source, |path| absolute(path).display().to_string());
    let receipt = InputReceipt { path, member: at.member, size: None, sha256: None, modified: None };
    // To read a pipe would take its bytes from the run.
    (file.filter(|_| source.is_replayable()).cloned(), receipt)
}

pub(super) fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// Size and SHA-256 of a file.
pub(super) fn hash_file(path: &Path, check: &dyn Fn() -> Result<()>) -> Result<FileHash> {
    let failed = |source: std::io::Error| -> Error {
        match source.kind() {
            IoErrorKind::NotFound => ErrorKind::NotFound { path: path.to_owned() }.into(),
            _ => ErrorKind::Read { at: Location::new(path.to_string_lossy()), source }.into(),
        }
    };
    let mut file = File::open(path).map_err(failed)?;
    let modified = file.metadata().and_then(|metadata| metadata.modified()).ok();
    let (mut hasher, mut size, mut buffer) = (Sha256::new(), 0, vec![0; BUFFER]);
    loop {
        check()?;
        match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => {
                hasher.update(&buffer[..length]);
                size += length as u64;
            }
            Err(error) if error.kind() == IoErrorKind::Interrupted => {}
            Err(error) => return Err(failed(error)),
        }
    }
    Ok(FileHash { size, sha256: hex(&hasher.finalize()), modified })
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
