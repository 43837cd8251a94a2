//! [`CsvInput`]: inputs that are read as one table, as often as it takes.
//!
//! In: [`Source`]s and [`ReaderOptions`]. Out: one [`CsvReader`] per attempt. The first attempt has the types of the
//! first batch; if a later value does not fit, the stream ends early and without an error, and the next attempt has
//! the wider type. Whoever takes the batches throws away what it got and opens the next.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::thread::available_parallelism;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use crossbeam_channel::bounded;

use crate::csv::canonical::{RowCounts, canonicalize};
use crate::csv::decode::{SHORT, decode};
use crate::csv::feed::{FileFeed, OpenCsv};
use crate::csv::infer::Candidates;
#[cfg(feature = "duckdb")]
use crate::csv::locate::Locator;
use crate::csv::pipeline::Pipeline;
use crate::csv::plan::Plan;
use crate::csv::reader::{CsvReader, Promotion, ReadState, ReadSummary, RejectSink, after_rows, lock};
use crate::csv::split::Chunk;
use crate::csv::table::Table;
use crate::csv::tokenize::{field_value, record};
use crate::csv::types::ColumnType;
use crate::error::{Error, Result};
use crate::input::{DEFAULT_SPOOL_CAP, Replay, Source};
use crate::job::Monitor;
use crate::options::{Infer, OnTypeChange, ReaderOptions};

/// Records that are looked at one by one, with every type; the rest of the first batch is then decoded with the
/// types that these suggest.
const SAMPLE: usize = 1000;
/// Different texts in the sample up to which they are few, if they are short, too.
const FEW: usize = 32;

/// Inputs that are read as one table.
///
/// ```
/// use duckstream::{CsvInput, ReaderOptions, Source};
/// let text = "x\n1\n2.5\n";
/// let options = ReaderOptions { batch_size: 1, ..ReaderOptions::default() };
/// let mut input = CsvInput::new(vec![Source::reader("numbers", text.as_bytes())], options)?;
/// let rows = loop {
///     let rows = input.open()?.map(|batch| batch.map(|batch| batch.num_rows())).sum::<Result<usize, _>>()?;
///     if !input.restart() {
///         break rows; // the second attempt: 2.5 is no integer
///     }
/// };
/// assert_eq!((rows, input.promotions()[0].to.as_str()), (2, "float64"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct CsvInput {
    sources: Vec<Source>,
    inputs: Arc<Mutex<Vec<Replay>>>,
    options: ReaderOptions,
    monitor: Monitor,
    rejects: Option<Arc<Mutex<dyn RejectSink>>>,
    placeholder: bool,
    dictionaries: bool,
    expected: Vec<(String, ColumnType)>,
    learned: BTreeMap<String, ColumnType>,
    state: Arc<Mutex<ReadState>>,
    promotions: Vec<Promotion>,
    attempts: u32,
    schema: SchemaRef,
    /// The columns of the last attempt.
    #[cfg(feature = "duckdb")]
    table: Option<Arc<Table>>,
}

impl CsvInput {
    /// Inputs that make up one table.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) if there is no input, or the options contradict each other.
    pub fn new(sources: Vec<Source>, options: ReaderOptions) -> Result<CsvInput> {
        if sources.is_empty() {
            return Err(Error::usage("no input was given"));
        }
        check_sizes(&options)?;
        Ok(CsvInput {
            sources,
            inputs: Arc::default(),
            options,
            monitor: Monitor::default(),
            rejects: None,
            placeholder: false,
            dictionaries: false,
            expected: Vec::new(),
            learned: BTreeMap::new(),
            state: Arc::default(),
            promotions: Vec::new(),
            attempts: 0,
            schema: Arc::new(Schema::empty()),
            #[cfg(feature = "duckdb")]
            table: None,
        })
    }

    /// Reports to, and is cancelled by, this monitor.
    pub fn with_monitor(mut self, monitor: Monitor) -> Self {
        self.monitor = monitor;
        self
    }

    /// Hands every rejected row to `rejects`.
    pub fn with_rejects(mut self, rejects: Arc<Mutex<dyn RejectSink>>) -> Self {
        self.rejects = Some(rejects);
        self
    }

    /// Gives an input without any column one, `placeholder`, so that a table can be made of it.
    pub fn with_placeholder(mut self) -> Self {
        self.placeholder = true;
        self
    }

    /// Columns of which some records of the first batch show few texts (32, of 32 bytes at most) come as dictionaries,
    /// `Dictionary(UInt32, Utf8)`, one for each batch: engines take them faster. Which columns those are depends on the
    /// data, so the schema does, too. Default: all texts come as `Utf8`.
    ///
    /// ```
    /// use duckstream::{CsvInput, ReaderOptions, Source};
    /// let text = format!("n,kind\n{}", "1,N\n2,A\n".repeat(1000));
    /// let sources = vec![Source::reader("kinds", std::io::Cursor::new(text))];
    /// let mut input = CsvInput::new(sources, ReaderOptions::default())?.with_dictionaries();
    /// let batch = input.open()?.next().unwrap().unwrap();
    /// assert_eq!(batch.column(1).data_type().to_string(), "Dictionary(UInt32, Utf8)");
    /// # Ok::<(), duckstream::Error>(())
    /// ```
    pub fn with_dictionaries(mut self) -> Self {
        self.dictionaries = true;
        self
    }

    /// Reads columns of these names (exactly, else without regard to case) as these types, instead of inferring them.
    /// Types in the options go first; names that the input lacks are left aside.
    pub fn with_expected_types(mut self, types: Vec<(String, ColumnType)>) -> Self {
        self.expected = types;
        self
    }

    /// A stream of all inputs, with the types known so far. Only one is to be read at a time.
    ///
    /// # Errors
    /// Whatever shows in the first batch.
    pub fn open(&mut self) -> Result<CsvReader> {
        if self.attempts == 0 {
            self.prepare(DEFAULT_SPOOL_CAP)?;
            if self.options.infer == Infer::Full {
                self.look_at_everything()?;
            }
        }
        self.attempt(true)
    }

    /// Whether the last stream ended early and everything is to be read again.
    pub fn restart(&mut self) -> bool {
        let mut state = lock(&self.state);
        if state.widen.is_empty() {
            return false;
        }
        for (column, wider) in state.widen.drain(..) {
            self.learned.insert(column, wider);
        }
        self.promotions.append(&mut state.promotions);
        state.settled.clone_from(&self.promotions);
        state.summary = ReadSummary::default();
        state.marks.iter_mut().for_each(Vec::clear);
        true
    }

    /// The columns that were widened after the first batch, in the order in which that happened.
    pub fn promotions(&self) -> &[Promotion] {
        &self.promotions
    }

    /// What became of the records of the last stream.
    pub fn summary(&self) -> ReadSummary {
        lock(&self.state).summary.clone()
    }

    /// The columns of the last stream; none before the first.
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// Notes where rows come from, so that [`locate`](Self::locate) can tell.
    #[cfg(feature = "duckdb")]
    pub(crate) fn with_places(self) -> Self {
        lock(&self.state).marks = Some(Vec::new());
        self
    }

    /// Finds rows of the last stream again, which is at its end. Ask for them in their order.
    #[cfg(feature = "duckdb")]
    pub(crate) fn locator(&self) -> Result<Locator> {
        let (Some(marks), Some(table)) = (lock(&self.state).marks.take(), &self.table) else {
            return Err(Error::internal("the places of rows were not noted"));
        };
        let sources = self.summary().files.into_iter().map(|file| file.source).collect();
        let cancel = self.monitor.cancel_token().clone();
        Ok(Locator::new(marks, sources, Arc::clone(&self.inputs), Arc::clone(table), self.options.clone(), cancel))
    }

    /// What became of the records of the stream that is being read, for whoever has lent the input away.
    pub(crate) fn summary_handle(&self) -> SummaryHandle {
        SummaryHandle(Arc::clone(&self.state))
    }

    /// One stream that cannot start over.
    pub(crate) fn into_reader(mut self) -> Result<CsvReader> {
        if self.options.infer == Infer::Full {
            return self.open();
        }
        let single = self.sources.len() == 1;
        self.prepare(if single { 0 } else { DEFAULT_SPOOL_CAP })?;
        self.attempt(false)
    }

    fn prepare(&mut self, cap: u64) -> Result<()> {
        let replays: Result<Vec<Replay>> = self.sources.drain(..).map(|source| Replay::new(source, cap)).collect();
        *lock(&self.inputs) = replays?;
        Ok(())
    }

    /// Reads all inputs for their types alone.
    fn look_at_everything(&mut self) -> Result<()> {
        let rejects = self.rejects.take();
        let monitor = std::mem::take(&mut self.monitor);
        self.monitor = Monitor::new(monitor.cancel_token().clone(), None);
        let looked = loop {
            let outcome = self.attempt(true).and_then(|mut reader| {
                reader.tolerate_rejects();
                reader.try_for_each(|batch| batch.map(drop)).map_err(|error| Error::arrow("looking at all rows", error))
            });
            if outcome.is_err() || !self.restart() {
                break outcome;
            }
        };
        self.promotions.clear();
        (self.rejects, self.monitor) = (rejects, monitor);
        let mut state = lock(&self.state);
        let marks = state.marks.take().map(|_| Vec::new());
        *state = ReadState { marks, ..ReadState::default() };
        drop(state);
        looked
    }

    fn attempt(&mut self, restartable: bool) -> Result<CsvReader> {
        self.begin(restartable).map_err(|error| after_rows(error, 0))
    }

    fn begin(&mut self, restartable: bool) -> Result<CsvReader> {
        self.attempts += 1;
        if self.attempts > 1 {
            self.monitor.restart();
            if let Some(rejects) = &self.rejects {
                lock(rejects).restart()?;
            }
        }
        let options = &self.options;
        let cancel = self.monitor.cancel_token().clone();
        let several = lock(&self.inputs).len() > 1;
        let mut heads: Vec<Vec<String>> = Vec::new();
        let mut total = Some(0);
        if several {
            for replay in lock(&self.inputs).iter_mut() {
                cancel.check()?;
                let open = OpenCsv::open(replay, options, &cancel, false)?;
                total = total.zip(open.opened.raw_total).map(|(sum, size)| sum + size);
                heads.push(open.head.names);
            }
        }
        let mut open = match lock(&self.inputs).first_mut() {
            Some(first) => OpenCsv::open(first, options, &cancel, true)?,
            None => return Err(Error::internal("no input was prepared")),
        };
        if !several {
            total = open.opened.raw_total;
            heads.push(open.head.names.clone());
        }
        if let Some(total) = total {
            self.monitor.add_total_bytes(total);
        }
        let heads: Vec<&[String]> = heads.iter().map(Vec::as_slice).collect();
        let mut table = Table::new(&heads, options, &self.expected, &self.learned)?;
        let chunk = open.next_chunk()?;
        if let Some(chunk) = &chunk {
            // A stream that can start over leaves it to the decoders to find what the sample did not show.
            let verify = !(restartable && options.on_type_change == OnTypeChange::Promote);
            infer(&mut table, &open, chunk, options, verify)?;
            for column in table.columns.iter().filter(|column| column.inferred) {
                self.learned.insert(column.name.clone(), column.column_type);
            }
        }
        let schema_of = |table: &Table| match table.columns.is_empty() && self.placeholder {
            true => Ok(Arc::new(Schema::new(vec![Field::new("placeholder", DataType::Utf8, true)]))),
            false => table.schema(&open.dialect, options),
        };
        // Who asks for the columns later wants to know their types, not how they travel.
        let mut schema = schema_of(&table)?;
        lock(&self.state).schema = Some(Arc::clone(&schema));
        if let Some(chunk) = chunk.as_ref().filter(|chunk| self.dictionaries && chunk.records >= SAMPLE as u64) {
            find_few(&mut table, &open, chunk, options)?;
            schema = schema_of(&table)?;
        }
        self.schema = Arc::clone(&schema);
        let threads = match options.threads {
            0 => available_parallelism().map_or(1, usize::from),
            threads => threads,
        };
        let (recycle, recycled) = bounded(threads + 2);
        let inputs = Arc::clone(&self.inputs);
        let empty = table.columns.is_empty();
        let table = Arc::new(table);
        #[cfg(feature = "duckdb")]
        {
            self.table = Some(Arc::clone(&table));
        }
        let mut feed = FileFeed::new(inputs, table, options, &self.monitor, recycled);
        feed.begin_with(open, chunk)?;
        let pipeline = if empty { None } else { Some(Pipeline::start(feed, threads, recycle, &cancel)?) };
        let (state, rejects) = (Arc::clone(&self.state), self.rejects.clone());
        Ok(CsvReader::new(schema, pipeline, state, options, restartable, self.monitor.clone(), rejects))
    }
}

/// Looks at the summary of a stream while somebody else reads it.
pub(crate) struct SummaryHandle(Arc<Mutex<ReadState>>);

impl SummaryHandle {
    pub(crate) fn summary(&self) -> ReadSummary {
        lock(&self.0).summary.clone()
    }

    /// The columns of the stream, and those that were widened on the way to it.
    #[cfg(feature = "duckdb")]
    pub(crate) fn columns(&self) -> (SchemaRef, Vec<Promotion>) {
        let state = lock(&self.0);
        (state.schema.clone().unwrap_or_else(|| Arc::new(Schema::empty())), state.settled.clone())
    }
}

/// Gives every open column of the table the best type that its values in the chunk have: all of them if `verify` is
/// set, those of a sample otherwise.
fn infer(table: &mut Table, open: &OpenCsv, chunk: &Chunk, options: &ReaderOptions, verify: bool) -> Result<()> {
    if table.columns.iter().all(|column| !column.inferred || column.column_type != ColumnType::Unknown) {
        return Ok(());
    }
    let at = &open.opened.at;
    let sample = match options.infer {
        Infer::Rows(rows) => usize::try_from(rows).unwrap_or(usize::MAX),
        _ => SAMPLE,
    };
    let plan = table.trial(&open.head, &open.dialect, at, options)?;
    let found = look(&plan, &chunk.buffer[..chunk.end], sample);
    for (column, candidates) in table.columns.iter_mut().zip(found) {
        if column.inferred && column.column_type == ColumnType::Unknown {
            column.column_type = candidates.best();
        }
    }
    if !verify || matches!(options.infer, Infer::Rows(_)) {
        return Ok(());
    }
    // The sample suggests; all values of the batch decide. A column widens a few times at most.
    loop {
        let plan = table.trial(&open.head, &open.dialect, at, options)?;
        let decoded = decode(&plan, chunk)?;
        if decoded.widen.is_empty() {
            return Ok(());
        }
        for widen in decoded.widen {
            table.columns[widen.column].column_type = widen.to;
        }
    }
}

/// The types that the values of each column have, over the first records of a text. Rows that will be rejected whole
/// have no say.
fn look(plan: &Plan, text: &[u8], records: usize) -> Vec<Candidates> {
    let mut found = vec![Candidates::ALL; plan.columns.len()];
    each_value(plan, text, 0, records, |at, value, quoted| found[at].see(value, quoted, &plan.columns[at].rules));
    found
}

/// Marks the columns of texts that are few, by records from several places of the chunk: many files are sorted.
fn find_few(table: &mut Table, open: &OpenCsv, chunk: &Chunk, options: &ReaderOptions) -> Result<()> {
    let (plan, _) = table.plan(&open.head, &open.dialect, &open.opened.at, options)?;
    let text = &chunk.buffer[..chunk.end];
    let mut seen: Vec<BTreeSet<Vec<u8>>> = vec![BTreeSet::new(); table.columns.len()];
    for part in [0, 4, 8, 15] {
        let from = text.len() / 16 * part;
        // A line within a quoted field makes for an odd record or two, and for a worse guess at worst.
        let start = if part == 0 { Some(0) } else { memchr::memchr(b'\n', &text[from..]).map(|at| from + at + 1) };
        let Some(start) = start.filter(|start| *start < text.len()) else { continue };
        each_value(&plan, text, start, SAMPLE / 4, |at, value, _| {
            // Of a long text, no more than shows that it is.
            let text = &value[..value.len().min(SHORT + 1)];
            if let Some(texts) = seen.get_mut(at).filter(|texts| texts.len() <= FEW && !texts.contains(text)) {
                texts.insert(text.to_vec());
            }
        });
    }
    for (column, seen) in table.columns.iter_mut().zip(seen) {
        let few = (1..=FEW).contains(&seen.len()) && seen.iter().all(|text| text.len() <= SHORT);
        column.coded = few && column.column_type == ColumnType::Text;
    }
    Ok(())
}

/// Shows every value of some records of a text, with its column and whether it is quoted.
fn each_value(plan: &Plan, text: &[u8], from: usize, records: usize, mut show: impl FnMut(usize, &[u8], bool)) {
    let (mut counts, mut faults) = (RowCounts::default(), Vec::new());
    let rows = canonicalize(plan, text, from, records, &mut counts, &mut faults);
    let (text, mut at, mut fields) = (&rows.text[..rows.end], 0, Vec::<Range<usize>>::new());
    while let Some(record) = record(&plan.canonical, text, at, true, &mut fields).filter(|_| at < text.len()) {
        at = record.next;
        for (index, column) in plan.columns.iter().enumerate() {
            if let Some(field) = column.field {
                let (value, quoted) = field_value(&plan.canonical, &text[fields[field].clone()]);
                show(index, &value, quoted);
            }
        }
    }
}

fn check_sizes(options: &ReaderOptions) -> Result<()> {
    const LARGEST: usize = 1 << 30;
    for (name, value) in [
        ("batch_size", options.batch_size),
        ("batch_bytes", options.batch_bytes),
        ("block_size", options.block_size),
        ("max_record_bytes", options.max_record_bytes),
    ] {
        if value == 0 || value > LARGEST {
            return Err(Error::usage(format!("{name} is {value}; 1 to {LARGEST} are possible")));
        }
    }
    if let Some(ratio) = options.max_reject_ratio.filter(|ratio| !(0.0..=1.0).contains(ratio)) {
        return Err(Error::usage(format!("max_reject_ratio is {ratio}; 0 to 1 are possible")));
    }
    if options.nth_table == 0 {
        return Err(Error::usage("nth_table counts from 1"));
    }
    Ok(())
}
