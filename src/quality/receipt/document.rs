//! [`Receipt`]: what a run did.
//!
//! In: the summaries of those who did it. Out: JSON, in a file or in a row of the target database. It judges nothing;
//! [`verify`](crate::verify) does.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Instant, SystemTime};

use arrow::datatypes::Schema;
use chrono::{DateTime, SecondsFormat, Utc};
#[cfg(feature = "duckdb")]
use duckdb::Connection;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::csv::{Detected, FileSummary, Promotion, ReadSummary};
#[cfg(feature = "duckdb")]
use crate::duckdb::{Loaded, TableName, describe, engine, refuse, sql};
use crate::error::{Error, Result};
use crate::options::{IfExists, ReaderOptions};
use crate::output::Sink;
use crate::quality::checks::CheckResult;
use crate::quality::receipt::hash::{InputReceipt, absolute, hash_file, hex};
use crate::quality::rejects::RejectTally;

/// What kind of run it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunKind {
    /// Files into a table.
    Load,
    /// A table or query into a file.
    Export,
    /// Files into a file.
    Convert,
}

/// What a run did. All fields are public: whoever knows more adds it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Receipt {
    /// The run.
    pub run_id: String,
    /// What kind of run.
    pub kind: RunKind,
    /// The version of duckstream.
    pub version: String,
    /// When it started (RFC 3339, UTC).
    pub started_at: String,
    /// When it was finished.
    pub finished_at: String,
    /// Milliseconds from start to finish.
    pub duration_ms: u64,
    /// The inputs as they lie on disk.
    pub inputs: Vec<InputReceipt>,
    /// All options in force.
    pub options: Value,
    /// How the text is written, and who said so.
    pub dialect: BTreeMap<String, Decided>,
    /// The columns.
    pub schema: Vec<ColumnReceipt>,
    /// What became of the records of each input.
    pub files: Vec<FileReceipt>,
    /// What became of all records.
    pub total: Identity,
    /// Columns that were widened on the way.
    pub promotions: Vec<Promotion>,
    /// Rows that were set aside.
    pub rejects: RejectReceipt,
    /// What the checks said.
    pub checks: Vec<CheckResult>,
    /// The table that was loaded.
    pub target: Option<TargetReceipt>,
    /// The file that was written.
    pub output: Option<OutputReceipt>,
    #[serde(skip)]
    clock: Option<Instant>,
}

/// A setting, and who decided it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decided {
    /// The setting.
    pub value: String,
    /// `given`, `default` or `detected`.
    pub by: String,
    /// Why, where it was found out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
}

/// A column, and who decided its type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnReceipt {
    /// Its name.
    pub name: String,
    /// Its Arrow type.
    pub data_type: String,
    /// `given`, `inferred` or `promoted`.
    pub by: String,
}

/// The row identity: `records_seen` = `header` + `skipped` + `blank` + `comments` + `rejected` + `loaded` + `footer` +
/// `beyond_limit`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Records that were read as header.
    pub header: u64,
    /// Lines and records skipped by request before the data.
    pub skipped: u64,
    /// Everything in the input, by the splitter's own count.
    pub records_seen: u64,
    /// Blank lines that were skipped.
    pub blank: u64,
    /// Comment lines.
    pub comments: u64,
    /// Rows set aside while reading.
    pub rejected: u64,
    /// Rows handed on.
    pub loaded: u64,
    /// Records dropped at the end by request.
    pub footer: u64,
    /// Rows that were read together with the last ones wanted, under a limit.
    pub beyond_limit: u64,
}

/// What became of one input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileReceipt {
    /// The file, with its archive member.
    pub source: String,
    /// The compression.
    pub compression: String,
    /// The encoding, and how it was decided.
    pub encoding: String,
    /// Settings that were found out in this input.
    pub detected: BTreeMap<String, Decided>,
    /// Malformed sequences replaced by U+FFFD.
    pub replaced: u64,
    /// Short rows that were padded with NULL.
    pub padded: u64,
    /// Long rows whose surplus fields were dropped.
    pub truncated: u64,
    /// Long rows whose surplus text went into the last column.
    pub merged: u64,
    /// Columns of the result that this input lacks.
    pub missing_columns: Vec<String>,
    /// Its records.
    pub identity: Identity,
}

/// Rows that were set aside, by the reader and by checks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejectReceipt {
    /// Where they went, if anywhere.
    pub target: Option<String>,
    /// How many, by code, and where the first five of each stand.
    #[serde(flatten)]
    pub tally: RejectTally,
}

/// The table that was loaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetReceipt {
    /// The absolute path of the database; none for memory.
    pub database: Option<String>,
    /// The table, as it is written in SQL.
    pub table: String,
    /// Rows of the stream.
    pub rows: u64,
    /// Rows added.
    pub inserted: u64,
    /// Rows that got other values.
    pub updated: u64,
    /// Rows of the stream whose like was there already.
    pub unchanged: u64,
    /// Rows of the stream left out because another one has their key.
    pub duplicates: u64,
    /// Rows of the stream left out because a constraint of the table refuses them.
    #[serde(default)]
    pub refused: u64,
    /// Rows that checks took out again.
    pub rejected_by_checks: u64,
    /// Rows before; 0 where the load made the table.
    pub rows_before: u64,
    /// Rows after.
    pub rows_after: u64,
}

/// The file that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputReceipt {
    /// The absolute path.
    pub path: String,
    /// Rows in it.
    pub rows: u64,
    /// Bytes.
    pub size: u64,
    /// SHA-256 in hexadecimal.
    pub sha256: String,
}

/// The options that say how a text is written.
const DIALECT: [&str; 14] = [
    "delimiter",
    "quote",
    "escape",
    "double_quote",
    "header",
    "comment",
    "skip_blank_lines",
    "trim",
    "null_values",
    "quoted_nulls",
    "decimal_separator",
    "thousands_separator",
    "encoding",
    "compression",
];

impl Receipt {
    /// A receipt of a run that starts now.
    ///
    /// ```
    /// use duckstream::{Receipt, RunKind, new_run_id};
    /// let mut receipt = Receipt::new(RunKind::Convert, new_run_id());
    /// receipt.finish();
    /// let folder = tempfile::tempdir().unwrap();
    /// receipt.write(folder.path().join("receipt.json"))?;
    /// # Ok::<(), duckstream::Error>(())
    /// ```
    pub fn new(kind: RunKind, run_id: impl Into<String>) -> Self {
        let now = timestamp(SystemTime::now());
        Receipt {
            run_id: run_id.into(),
            kind,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started_at: now.clone(),
            finished_at: now,
            duration_ms: 0,
            inputs: Vec::new(),
            options: Value::Null,
            dialect: BTreeMap::new(),
            schema: Vec::new(),
            files: Vec::new(),
            total: Identity::default(),
            promotions: Vec::new(),
            rejects: RejectReceipt::default(),
            checks: Vec::new(),
            target: None,
            output: None,
            clock: Some(Instant::now()),
        }
    }

    /// Notes what was read, and how: options, dialect, schema, files, promotions.
    ///
    /// A setting that was left to detection has the value that was found in the inputs; if they differ in it, `varies`, and
    /// each input has its own.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`](crate::ErrorKind::Internal) if the options have no JSON form.
    pub fn set_read(
        &mut self,
        options: &ReaderOptions,
        schema: &Schema,
        summary: &ReadSummary,
        promotions: &[Promotion],
    ) -> Result<()> {
        let given = json(options)?;
        let default = json(&ReaderOptions::default())?;
        for name in DIALECT {
            let value = &given[name];
            let by = if *value == default[name] { "default" } else { "given" };
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            self.dialect.insert(name.to_owned(), Decided { value: text, by: by.to_owned(), evidence: None });
        }
        self.options = given;
        let column = |field: &arrow::datatypes::FieldRef| {
            let name = field.name();
            let by = if promotions.iter().any(|promotion| promotion.column == *name) {
                "promoted"
            } else if options.all_text || options.types.contains_key(name) || options.types.contains_key("*") {
                "given"
            } else {
                "inferred"
            };
            ColumnReceipt { name: name.clone(), data_type: field.data_type().to_string(), by: by.to_owned() }
        };
        self.schema = schema.fields().iter().map(column).collect();
        self.files = summary.files.iter().map(FileReceipt::from).collect();
        for (name, found) in self.files.iter().flat_map(|file| &file.detected) {
            match self.dialect.get_mut(name) {
                Some(known) if known.by == "detected" && known.value != found.value => {
                    *known = Decided { value: "varies".to_owned(), by: "detected".to_owned(), evidence: None };
                }
                Some(known) if known.by == "detected" => {}
                _ => drop(self.dialect.insert(name.clone(), found.clone())),
            }
        }
        self.total = self.files.iter().map(|file| file.identity).sum();
        self.promotions = promotions.to_vec();
        Ok(())
    }

    /// Notes the table that was loaded. `checks` are what [`Checks::run`](crate::Checks::run) said, if it was asked: the rows
    /// that it took out are taken off.
    #[cfg(feature = "duckdb")]
    pub fn set_loaded(
        &mut self,
        database: Option<&Path>,
        table: &TableName,
        loaded: &Loaded,
        checks: Vec<CheckResult>,
    ) {
        let rejected_by_checks = checks.iter().map(|check| check.rejected).sum();
        self.target = Some(TargetReceipt {
            database: database.map(|path| absolute(path).display().to_string()),
            table: table.to_string(),
            rows: loaded.rows,
            inserted: loaded.inserted,
            updated: loaded.updated,
            unchanged: loaded.unchanged,
            duplicates: loaded.duplicates,
            refused: loaded.refused,
            rejected_by_checks,
            rows_before: if loaded.created { 0 } else { loaded.rows_before },
            rows_after: loaded.rows_after.saturating_sub(rejected_by_checks),
        });
        self.checks = checks;
    }

    /// Notes the rows that were set aside, and where they went.
    pub fn set_rejects(&mut self, target: Option<String>, tally: RejectTally) {
        self.rejects = RejectReceipt { target, tally };
    }

    /// Notes the file that was written; it is read once, for its hash.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) and [`ErrorKind::Read`](crate::ErrorKind::Read) if it cannot
    /// be read.
    pub fn set_output(&mut self, path: impl AsRef<Path>, rows: u64) -> Result<()> {
        let path = absolute(path.as_ref());
        let hash = hash_file(&path, &|| Ok(()))?;
        let path = path.display().to_string();
        self.output = Some(OutputReceipt { path, rows, size: hash.size, sha256: hash.sha256 });
        Ok(())
    }

    /// Notes the time: the run ends here.
    pub fn finish(&mut self) {
        self.finished_at = timestamp(SystemTime::now());
        self.duration_ms = self.clock.map_or(0, |clock| clock.elapsed().as_millis() as u64);
    }

    /// Writes it to a file, complete or not at all.
    ///
    /// # Errors
    /// [`ErrorKind::Write`](crate::ErrorKind::Write) if the system refuses.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let text = serde_json::to_string_pretty(self).map_err(no_json)?;
        let Some(mut sink) = Sink::create(path, IfExists::Replace)? else {
            return Err(Error::internal("a file that may be replaced was in the way"));
        };
        writeln!(sink, "{text}").map_err(|error| Error::write(path.display().to_string(), error))?;
        sink.finish().map(drop)
    }

    /// Adds it as a row to a table (`run_id`, `finished_at` in UTC, `receipt` as JSON text), which is made if it is not
    /// there. Inside a transaction it is committed or rolled back with it.
    ///
    /// # Errors
    /// [`ErrorKind::Target`](crate::ErrorKind::Target) if there is a table of that name that lacks one of the columns.
    #[cfg(feature = "duckdb")]
    pub fn insert_into(&self, connection: &Connection, table: &TableName) -> Result<()> {
        let doing = format!("writing the receipt to table {}", table.plain());
        let text = serde_json::to_string(self).map_err(no_json)?;
        let columns = [("run_id", "VARCHAR"), ("finished_at", "TIMESTAMP"), ("receipt", "VARCHAR")];
        connection.execute_batch(&sql::create_if_missing(table, &columns)).map_err(|error| engine(&doing, error))?;
        let known = describe(connection, table)?.unwrap_or_default();
        let lacks = |name: &&str| !known.iter().any(|column| column.name.eq_ignore_ascii_case(name));
        let missing: Vec<&str> = columns.iter().map(|(name, _)| *name).filter(lacks).collect();
        if !missing.is_empty() {
            return Err(refuse(format!(
                "table {} is not one of receipts: it has no {}; name another one with --receipt-table",
                table.plain(),
                missing.join(", ")
            )));
        }
        connection
            .execute(&sql::insert_values(table, &columns), [&self.run_id, &self.finished_at, &text])
            .map(drop)
            .map_err(|error| engine(&doing, error))
    }
}

impl Identity {
    /// What the records became, all in all.
    pub fn accounted(&self) -> u64 {
        let around = self.header + self.skipped + self.blank + self.comments + self.footer;
        around + self.rejected + self.loaded + self.beyond_limit
    }

    /// Whether every record seen has become something.
    pub fn holds(&self) -> bool {
        self.records_seen == self.accounted()
    }
}

impl std::iter::Sum for Identity {
    fn sum<I: Iterator<Item = Identity>>(parts: I) -> Identity {
        parts.fold(Identity::default(), |a, b| Identity {
            header: a.header + b.header,
            skipped: a.skipped + b.skipped,
            records_seen: a.records_seen + b.records_seen,
            blank: a.blank + b.blank,
            comments: a.comments + b.comments,
            rejected: a.rejected + b.rejected,
            loaded: a.loaded + b.loaded,
            footer: a.footer + b.footer,
            beyond_limit: a.beyond_limit + b.beyond_limit,
        })
    }
}

impl From<&Detected> for Decided {
    fn from(found: &Detected) -> Self {
        let evidence = Some(found.evidence.clone()).filter(|evidence| !evidence.is_empty());
        Decided { value: found.value.clone(), by: "detected".to_owned(), evidence }
    }
}

impl From<&FileSummary> for FileReceipt {
    fn from(file: &FileSummary) -> Self {
        let counts = file.counts;
        FileReceipt {
            source: file.source.clone(),
            compression: file.compression.clone(),
            encoding: file.encoding.clone(),
            detected: file.detected.iter().map(|(name, found)| (name.clone(), Decided::from(found))).collect(),
            replaced: file.replaced,
            padded: counts.padded,
            truncated: counts.truncated,
            merged: counts.merged,
            missing_columns: file.missing_columns.clone(),
            identity: Identity {
                header: file.header_records,
                skipped: file.skipped,
                records_seen: file.records_seen,
                blank: counts.blank,
                comments: counts.comments,
                rejected: file.rejected,
                loaded: file.rows,
                footer: file.footer,
                beyond_limit: file.beyond_limit(),
            },
        }
    }
}

/// A name for a run that no other run has: its time in UTC, and eight random digits.
pub fn new_run_id() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let now = SystemTime::now();
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let stack = &raw const count as usize;
    let seed = format!("{now:?} {count} {} {stack}", std::process::id());
    let digest = hex(&Sha256::digest(seed.as_bytes())[..4]);
    format!("{}-{digest}", DateTime::<Utc>::from(now).format("%Y%m%dT%H%M%SZ"))
}

/// A time in RFC 3339, in UTC, to the millisecond.
pub(super) fn timestamp(time: SystemTime) -> String {
    DateTime::<Utc>::from(time).to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn json(options: &ReaderOptions) -> Result<Value> {
    serde_json::to_value(options).map_err(no_json)
}

fn no_json(error: serde_json::Error) -> Error {
    Error::internal(format!("this has no JSON form: {error}"))
}
