//! [`CsvReaderBuilder`]: from options and an input to a [`CsvReader`].
//!
//! In: options, a monitor, a path or anything that can be read. Out: a reader that cannot start over. It refuses what
//! shows in the first batch.

use std::path::Path;

use crate::csv::input_set::CsvInput;
use crate::csv::reader::CsvReader;
use crate::error::Result;
use crate::input::Source;
use crate::job::Monitor;
use crate::options::ReaderOptions;

/// Opens [`CsvReader`]s.
#[derive(Clone, Default)]
pub struct CsvReaderBuilder {
    options: ReaderOptions,
    monitor: Monitor,
}

impl CsvReaderBuilder {
    /// A builder with the default options.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads as these options say.
    pub fn with_options(mut self, options: ReaderOptions) -> Self {
        self.options = options;
        self
    }

    /// Reports to, and is cancelled by, this monitor.
    pub fn with_monitor(mut self, monitor: Monitor) -> Self {
        self.monitor = monitor;
        self
    }

    /// Opens a file, a glob, a member of an archive, or `-` for standard input.
    ///
    /// # Errors
    /// Whatever shows in the first batch: the input is missing, damaged, undecodable, or its rows do not fit.
    pub fn open(self, path: impl AsRef<Path>) -> Result<CsvReader> {
        let path = path.as_ref();
        let sources = match path.to_str() {
            Some(text) => Source::expand(text)?,
            None => vec![Source::Path(path.to_owned())],
        };
        self.read(sources)
    }

    /// Reads text from anything.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn build(self, read: impl std::io::Read + Send + 'static) -> Result<CsvReader> {
        self.read(vec![Source::reader("input", read)])
    }

    fn read(self, sources: Vec<Source>) -> Result<CsvReader> {
        CsvInput::new(sources, self.options)?.with_monitor(self.monitor).into_reader()
    }
}
