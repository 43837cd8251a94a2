//! [`FileFeed`]: one input after the other, each opened, its head read, its chunks planned.
//!
//! In: inputs that can be opened, and the [`Table`] that all of them make up. Out: chunks with plans, and a note where
//! an input starts and ends. Runs in the reading thread of the pipeline.

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::io::{Cursor, Read};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use crossbeam_channel::Receiver;
use serde::Serialize;

use crate::csv::detect::{RepairReport, Repaired, Sniffed, repair, sniff};
use crate::csv::dialect::Dialect;
use crate::csv::header::{Head, read_head};
use crate::csv::pipeline::{Fed, Feed};
use crate::csv::plan::Plan;
use crate::csv::reader::lock;
use crate::csv::split::{Chunk, Limits, Splitter};
use crate::csv::table::Table;
use crate::error::{Error, ErrorKind, Location, Result};
use crate::input::{self, DecidedBy, EncodingChoice, Opened, Replay};
use crate::job::{CancelToken, Monitor};
use crate::options::{Auto, Compression, Detect, Header, QuoteChar, ReaderOptions};

/// Where an input starts.
pub(crate) struct FileStart {
    pub at: Location,
    pub head: Head,
    pub plan: Arc<Plan>,
    pub encoding: String,
    pub compression: Compression,
    pub missing: Vec<String>,
    pub warnings: Vec<String>,
    pub detected: BTreeMap<String, Detected>,
}

/// Where it ends.
pub(crate) struct FileEnd {
    pub text_bytes: u64,
    pub raw_bytes: u64,
    /// All records of the input by the splitter's own count, and how many of them were dropped at the end.
    pub records: u64,
    pub dropped: u64,
    pub replaced: u64,
    pub repair: Option<RepairReport>,
}

/// A setting that was found out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Detected {
    /// What was found, written as the option is.
    pub value: String,
    /// Why.
    pub evidence: String,
}

/// What the consumer learns between chunks.
pub(crate) enum Note {
    Start(Box<FileStart>),
    End(Box<FileEnd>),
}

/// An input whose head has been read.
pub(crate) struct OpenCsv {
    pub opened: Opened,
    pub splitter: Splitter,
    pub head: Head,
    pub dialect: Dialect,
    /// What the text says against the options in force.
    pub warnings: Vec<String>,
    /// Settings that were left to detection, by the names of the options.
    pub detected: BTreeMap<String, Detected>,
    /// Where the text is repaired on its way.
    repair: Option<SharedRepair>,
}

/// Bytes that are looked at to find out settings that are `auto`, and to warn of others.
const DIALECT_SAMPLE: usize = 64 << 10;

/// A repaired text that can be asked what was done while somebody reads it.
#[derive(Clone)]
struct SharedRepair(Arc<Mutex<Repaired>>);

impl Read for SharedRepair {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        lock(&self.0).read(buffer)
    }
}

impl OpenCsv {
    /// Opens an input and reads its head. With `warn` it also looks whether the text fits the options.
    pub(crate) fn open(
        replay: &mut Replay,
        options: &ReaderOptions,
        cancel: &CancelToken,
        warn: bool,
    ) -> Result<OpenCsv> {
        let mut opened = replay.open(options, cancel)?;
        let mut text = std::mem::replace(&mut opened.text, Box::new(std::io::empty()));
        let (mut repaired, mut warnings, mut options) = (None, Vec::new(), Cow::Borrowed(options));
        let mut detected = detected_outside(&opened);
        if options.detect == Detect::All {
            let shared = SharedRepair(Arc::new(Mutex::new(repair(text, &options)?)));
            text = Box::new(shared.clone());
            repaired = Some(shared);
            options = Cow::Owned(of_repaired(&options));
        } else if warn || has_auto(&options) {
            let (sample, rest) = input::look_ahead(text, DIALECT_SAMPLE, &opened.at)?;
            let sniffed = sniff(&sample, sample.len() < DIALECT_SAMPLE, &options);
            warnings = sniffed.warnings();
            let resolved = resolve(&options, &sniffed)?;
            detected.extend(detected_dialect(&options, &resolved, &sniffed));
            options = Cow::Owned(resolved);
            text = Box::new(Cursor::new(sample).chain(rest));
        }
        let dialect = Dialect::new(&options)?;
        let limits = Limits::from(options.as_ref());
        let mut splitter = Splitter::new(text, opened.at.clone(), &dialect, limits);
        let head = read_head(&mut splitter, &dialect, &options)?;
        splitter.skip_footer(options.skip_footer);
        Ok(OpenCsv { opened, splitter, head, dialect, warnings, detected, repair: repaired })
    }

    /// The next chunk; an error about characters names the column.
    pub(crate) fn next_chunk(&mut self) -> Result<Option<Chunk>> {
        self.splitter.next_chunk().map_err(|error| match error.into_kind() {
            // Repaired text is not where the error is.
            ErrorKind::Undecodable { mut at, encoding, bytes } if self.repair.is_none() => {
                at.column = self.head.names.get(self.splitter.field_reached()).cloned();
                ErrorKind::Undecodable { at, encoding, bytes }.into()
            }
            other => other.into(),
        })
    }
}

fn has_auto(options: &ReaderOptions) -> bool {
    options.delimiter == Auto::Auto || options.quote == Auto::Auto || options.header == Header::Auto
}

/// The options with everything that was `auto` as the text has it.
fn resolve(options: &ReaderOptions, sniffed: &Sniffed) -> Result<ReaderOptions> {
    let mut options = options.clone();
    if options.delimiter == Auto::Auto {
        let delimiter = sniffed.delimiter.found.parse().map_err(|message: String| Error::internal(message))?;
        options.delimiter = Auto::Value(delimiter);
    }
    if options.quote == Auto::Auto {
        let byte = |found: Option<char>| QuoteChar(found.and_then(|found| u8::try_from(found).ok()));
        options.quote = Auto::Value(byte(sniffed.quote.found));
        if options.escape.0.is_none() {
            options.escape = byte(sniffed.escape.found);
        }
    }
    if options.header == Header::Auto {
        options.header = if sniffed.header.found { Header::Present } else { Header::Absent };
    }
    Ok(options)
}

/// What the bytes say before there is text.
fn detected_outside(opened: &Opened) -> BTreeMap<String, Detected> {
    let mut detected = BTreeMap::new();
    let EncodingChoice { name, decided_by, evidence } = &opened.encoding;
    if *decided_by != DecidedBy::Given {
        let found = Detected { value: name.clone(), evidence: format!("{decided_by}: {evidence}") };
        detected.insert("encoding".to_owned(), found);
    }
    let found = Detected { value: opened.compression.to_string(), evidence: "its first bytes".to_owned() };
    detected.insert("compression".to_owned(), found);
    detected
}

/// The settings that were `auto` and are not any more.
fn detected_dialect(given: &ReaderOptions, resolved: &ReaderOptions, sniffed: &Sniffed) -> Vec<(String, Detected)> {
    let mut detected = Vec::new();
    let mut add = |name: &str, asked: bool, value: String, evidence: &str| {
        if asked {
            detected.push((name.to_owned(), Detected { value, evidence: evidence.to_owned() }));
        }
    };
    let quote = given.quote == Auto::Auto;
    add("delimiter", given.delimiter == Auto::Auto, resolved.delimiter.to_string(), &sniffed.delimiter.evidence);
    add("quote", quote, resolved.quote.to_string(), &sniffed.quote.evidence);
    add("escape", quote && given.escape.0.is_none(), resolved.escape.to_string(), &sniffed.escape.evidence);
    add("header", given.header == Header::Auto, resolved.header.to_string(), &sniffed.header.evidence);
    detected
}

/// How a repaired text was written.
pub(crate) fn detected_by_repair(report: &RepairReport) -> Vec<(String, Detected)> {
    let byte = |found: Option<char>| found.map_or("none".to_owned(), |found| found.to_string());
    let reading = format!("the reading of the sample that explains most of it (confidence {:.2})", report.confidence);
    let (first, last) = (report.header_lines.first(), report.header_lines.last());
    let header = match (first, last) {
        (Some(first), Some(last)) if first == last => format!("line {first}"),
        (Some(first), Some(last)) => format!("lines {first} to {last}"),
        _ => "false".to_owned(),
    };
    let above = report.preamble.len();
    [
        ("delimiter", report.delimiter.clone(), reading.clone()),
        ("quote", byte(report.quote), reading.clone()),
        ("escape", byte(report.escape), reading),
        ("header", header, report.header_reason.clone()),
        ("skip_rows", above.to_string(), format!("{above} lines stand above table {}", report.table)),
    ]
    .map(|(name, value, evidence)| (name.to_owned(), Detected { value, evidence }))
    .to_vec()
}

/// How to read what the repair yields: the default dialect, with everything before and after the table gone.
fn of_repaired(options: &ReaderOptions) -> ReaderOptions {
    let ReaderOptions { delimiter, quote, escape, double_quote, header, skip_rows, skip_footer, comment, trim, .. } =
        ReaderOptions::default();
    let skip_blank_lines = Some(false);
    let options = options.clone();
    ReaderOptions {
        delimiter,
        quote,
        escape,
        double_quote,
        header,
        skip_rows,
        skip_footer,
        comment,
        trim,
        skip_blank_lines,
        ..options
    }
}

/// Feeds a pipeline from inputs.
pub(crate) struct FileFeed {
    inputs: Arc<Mutex<Vec<Replay>>>,
    next_input: usize,
    current: Option<(OpenCsv, Arc<Plan>)>,
    /// A chunk that was read to infer types, and notes that go before it.
    pending: VecDeque<Fed<Note>>,
    table: Arc<Table>,
    options: ReaderOptions,
    monitor: Monitor,
    recycled: Receiver<Vec<u8>>,
}

impl FileFeed {
    pub(crate) fn new(
        inputs: Arc<Mutex<Vec<Replay>>>,
        table: Arc<Table>,
        options: &ReaderOptions,
        monitor: &Monitor,
        recycled: Receiver<Vec<u8>>,
    ) -> FileFeed {
        FileFeed {
            inputs,
            next_input: 0,
            current: None,
            pending: VecDeque::new(),
            table,
            options: options.clone(),
            monitor: monitor.clone(),
            recycled,
        }
    }

    /// Begins with an input that is open already, and its first chunk.
    pub(crate) fn begin_with(&mut self, open: OpenCsv, chunk: Option<Chunk>) -> Result<()> {
        self.next_input += 1;
        let plan = self.start(open)?;
        if let (Some(chunk), Some((open, _))) = (chunk, &self.current) {
            let raw = open.opened.raw_read.load(Ordering::Relaxed);
            self.pending.push_back(Fed::Chunk { chunk, plan, raw });
        }
        Ok(())
    }

    fn start(&mut self, mut open: OpenCsv) -> Result<Arc<Plan>> {
        open.splitter.recycle_from(self.recycled.clone());
        let (plan, missing) = self.table.plan(&open.head, &open.dialect, &open.opened.at, &self.options)?;
        let plan = Arc::new(plan);
        self.pending.push_back(Fed::Note(Note::Start(Box::new(FileStart {
            at: open.opened.at.clone(),
            head: open.head.clone(),
            plan: Arc::clone(&plan),
            encoding: open.opened.encoding.to_string(),
            compression: open.opened.compression,
            missing,
            warnings: std::mem::take(&mut open.warnings),
            detected: std::mem::take(&mut open.detected),
        }))));
        self.current = Some((open, Arc::clone(&plan)));
        Ok(plan)
    }
}

impl Feed for FileFeed {
    type Note = Note;

    fn next(&mut self) -> Result<Option<Fed<Note>>> {
        loop {
            self.monitor.cancel_token().check()?;
            if let Some(pending) = self.pending.pop_front() {
                return Ok(Some(pending));
            }
            if let Some((open, plan)) = &mut self.current {
                if let Some(chunk) = open.next_chunk()? {
                    let raw = open.opened.raw_read.load(Ordering::Relaxed);
                    return Ok(Some(Fed::Chunk { chunk, plan: Arc::clone(plan), raw }));
                }
                let end = FileEnd {
                    text_bytes: open.splitter.position(),
                    records: open.splitter.records(),
                    dropped: open.splitter.dropped(),
                    raw_bytes: open.opened.raw_read.load(Ordering::Relaxed),
                    replaced: open.opened.replaced.load(Ordering::Relaxed),
                    repair: open.repair.as_ref().map(|repair| lock(&repair.0).report().clone()),
                };
                self.current = None;
                return Ok(Some(Fed::Note(Note::End(Box::new(end)))));
            }
            let opened = match lock(&self.inputs).get_mut(self.next_input) {
                None => return Ok(None),
                Some(replay) => OpenCsv::open(replay, &self.options, self.monitor.cancel_token(), false)?,
            };
            self.next_input += 1;
            self.start(opened)?;
        }
    }
}
