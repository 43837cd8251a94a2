//! Fixtures, and readers that cut.

use std::io::{self, Read};
use std::path::PathBuf;

use duckstream::{CancelToken, Error, Opened, ReaderOptions, Result, Source, open_input};

/// A file of `fixtures/`.
pub fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)
}

/// The files of a folder of `fixtures/`, sorted.
pub fn fixtures(folder: &str) -> Vec<String> {
    let entries = std::fs::read_dir(fixture(folder)).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Opens with no way to cancel.
pub fn open(source: Source, options: &ReaderOptions) -> Result<Opened> {
    open_input(source, options, &CancelToken::new())
}

/// Everything up to the end or the error.
pub fn drain(read: &mut dyn Read) -> (Vec<u8>, Option<Error>) {
    let mut bytes = Vec::new();
    let mut buffer = [0; 1000];
    loop {
        match read.read(&mut buffer) {
            Ok(0) => return (bytes, None),
            Ok(length) => bytes.extend_from_slice(&buffer[..length]),
            Err(error) => return (bytes, Some(error.downcast().unwrap())),
        }
    }
}

/// Opens and drains; an error may come from either.
pub fn read_all(source: Source, options: &ReaderOptions) -> (Vec<u8>, Option<Error>) {
    match open(source, options) {
        Ok(mut opened) => drain(&mut opened.text),
        Err(error) => (Vec::new(), Some(error)),
    }
}

/// Gives at most `limit` bytes per read, after a first read of `first` bytes.
pub struct Cut<R> {
    pub inner: R,
    pub first: usize,
    pub limit: usize,
}

impl<R: Read> Read for Cut<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let limit = if self.first > 0 { std::mem::take(&mut self.first) } else { self.limit };
        let length = buffer.len().min(limit);
        self.inner.read(&mut buffer[..length])
    }
}
