//! [`verify`]: does a receipt still hold?
//!
//! In: the path of a receipt. Out: a [`VerifyFinding`] for each thing that it vouches for: inputs, sums, table, output. It
//! changes nothing and opens the database for reading only.

use std::path::Path;

use crate::error::{Error, ErrorKind, Location, Result};
use crate::quality::receipt::document::{Identity, Receipt, TargetReceipt};
use crate::quality::receipt::hash::hash_file;

/// How a thing stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum VerifyStatus {
    /// As the receipt says.
    Holds,
    /// Not as the receipt says.
    Differs,
    /// It cannot be said: a pipe, a database in memory or in use.
    Unknown,
}

/// One thing that a receipt vouches for.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct VerifyFinding {
    /// What: `input a.csv`, `rows of a.csv`, `table t`, `output b.csv`.
    pub subject: String,
    /// How it stands.
    pub status: VerifyStatus,
    /// What was found.
    pub message: String,
}

/// Checks all that a receipt vouches for. Files are read once each.
///
/// # Errors
/// [`ErrorKind::NotFound`] and [`ErrorKind::Read`] if the receipt cannot be read, [`ErrorKind::Usage`] if it is none.
pub fn verify(path: impl AsRef<Path>) -> Result<Vec<VerifyFinding>> {
    let path = path.as_ref();
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|source| match source.kind() {
        std::io::ErrorKind::NotFound => Error::usage(format!("there is no receipt {name}")),
        _ => ErrorKind::Read { at: Location::new(&name), source }.into(),
    })?;
    let receipt: Receipt =
        serde_json::from_str(&text).map_err(|error| Error::usage(format!("{name} is not a receipt: {error}")))?;
    let mut findings = Vec::new();
    for input in &receipt.inputs {
        let subject = format!("input {}", input.path);
        findings.push(match (&input.sha256, input.size) {
            (Some(sha256), Some(size)) => file(subject, &input.path, size, sha256),
            _ => finding(subject, VerifyStatus::Unknown, "it was a stream; there is nothing to compare"),
        });
    }
    sums(&receipt, &mut findings);
    if let Some(target) = &receipt.target {
        findings.push(table(target));
    }
    if let Some(output) = &receipt.output {
        findings.push(file(format!("output {}", output.path), &output.path, output.size, &output.sha256));
    }
    Ok(findings)
}

fn finding(subject: impl Into<String>, status: VerifyStatus, message: impl Into<String>) -> VerifyFinding {
    VerifyFinding { subject: subject.into(), status, message: message.into() }
}

fn file(subject: String, path: &str, size: u64, sha256: &str) -> VerifyFinding {
    match hash_file(Path::new(path), &|| Ok(())) {
        Ok(now) if now.size != size => {
            finding(subject, VerifyStatus::Differs, format!("it had {size} bytes and has {}", now.size))
        }
        Ok(now) if now.sha256 != sha256 => {
            let message = format!("its bytes changed: sha256 was {sha256} and is {}", now.sha256);
            finding(subject, VerifyStatus::Differs, message)
        }
        Ok(_) => finding(subject, VerifyStatus::Holds, format!("{size} bytes, sha256 {sha256}")),
        Err(error) => match error.kind() {
            ErrorKind::NotFound { .. } => finding(subject, VerifyStatus::Differs, "it is gone"),
            _ => finding(subject, VerifyStatus::Unknown, error.to_string()),
        },
    }
}

/// The sums that every receipt must satisfy by itself.
fn sums(receipt: &Receipt, findings: &mut Vec<VerifyFinding>) {
    let mut equal = |subject: String, sides: &[(&str, u64, &str, u64)]| {
        let wrong = sides.iter().find(|(_, left, _, right)| left != right);
        findings.push(match wrong {
            Some((left_name, left, right_name, right)) => {
                finding(subject, VerifyStatus::Differs, format!("{left_name} is {left}, but {right_name} is {right}"))
            }
            None => finding(subject, VerifyStatus::Holds, "the sums are right"),
        });
    };
    const PARTS: &str = "header + skipped + blank + comments + rejected + loaded + footer + beyond_limit";
    let parts = Identity::accounted;
    for file in &receipt.files {
        let identity = &file.identity;
        equal(format!("rows of {}", file.source), &[("records_seen", identity.records_seen, PARTS, parts(identity))]);
    }
    let (total, sum) = (&receipt.total, receipt.files.iter().map(|file| file.identity).sum::<Identity>());
    let mut sides = vec![
        ("records_seen", total.records_seen, PARTS, parts(total)),
        ("records_seen", total.records_seen, "that of all inputs", sum.records_seen),
        ("loaded", total.loaded, "that of all inputs", sum.loaded),
        ("rejected", total.rejected, "that of all inputs", sum.rejected),
    ];
    if receipt.options.get("limit").is_none_or(|limit| limit.is_null()) {
        sides.push(("beyond_limit", total.beyond_limit, "the most without a limit", 0));
    }
    if let (Some(output), false) = (&receipt.output, receipt.files.is_empty()) {
        sides.push(("rows of the output", output.rows, "loaded", total.loaded));
    }
    equal("rows of all inputs".to_owned(), &sides);
    if let Some(target) = &receipt.target {
        let became = target.inserted + target.updated + target.unchanged + target.duplicates + target.refused;
        let grown = target.rows_after + target.rejected_by_checks;
        let mut sides = vec![
            ("rows", target.rows, "inserted + updated + unchanged + duplicates + refused", became),
            ("rows_after + rejected_by_checks", grown, "rows_before + inserted", target.rows_before + target.inserted),
        ];
        if !receipt.files.is_empty() {
            sides.push(("rows", target.rows, "loaded of all inputs", total.loaded));
        }
        equal(format!("rows into {}", target.table), &sides);
    }
}

#[cfg(feature = "duckdb")]
fn table(target: &TargetReceipt) -> VerifyFinding {
    use crate::duckdb::{Database, DatabaseOptions, TableName, engine, sql};

    let subject = format!("table {}", target.table);
    let Some(path) = &target.database else {
        return finding(subject, VerifyStatus::Unknown, "its database was in memory");
    };
    if !Path::new(path).exists() {
        return finding(subject, VerifyStatus::Differs, format!("the database {path} is gone"));
    }
    let count = || -> Result<Option<u64>> {
        let options = DatabaseOptions { read_only: true, ..DatabaseOptions::default() };
        let (database, table) = (Database::open_with(path, &options)?, TableName::parse(&target.table)?);
        if database.columns(&table)?.is_none() {
            return Ok(None);
        }
        let query = sql::count(&table.to_string());
        let row = database.connect()?.query_row(&query, [], |row| row.get(0));
        row.map(Some).map_err(|error| engine("counting rows", error))
    };
    match count() {
        Ok(Some(rows)) if rows == target.rows_after => finding(subject, VerifyStatus::Holds, format!("{rows} rows")),
        Ok(Some(rows)) => {
            finding(subject, VerifyStatus::Differs, format!("it had {} rows and has {rows}", target.rows_after))
        }
        Ok(None) => finding(subject, VerifyStatus::Differs, "it is gone"),
        Err(error) => finding(subject, VerifyStatus::Unknown, error.to_string()),
    }
}

#[cfg(not(feature = "duckdb"))]
fn table(target: &TargetReceipt) -> VerifyFinding {
    finding(format!("table {}", target.table), VerifyStatus::Unknown, "this build of duckstream has no DuckDB")
}
