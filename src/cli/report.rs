//! What is said at the end: lines for people on stderr, one JSON object for programs, lines in a metrics file.

use std::io::Write;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::cli::exit::Exit;
use crate::csv::{FileSummary, Promotion};
use crate::error::{Error, ErrorKind};

/// What a verb did.
pub(crate) struct Outcome {
    pub exit: Exit,
    /// The result object.
    pub json: Map<String, Value>,
    /// One line for people.
    pub summary: String,
    /// More lines, worth saying always.
    pub notes: Vec<String>,
    /// Lines for `-v`.
    pub details: Vec<String>,
}

impl Outcome {
    /// A run that is done, with its report as the result object.
    pub(crate) fn done(report: &impl serde::Serialize, summary: String) -> Outcome {
        let json = match serde_json::to_value(report) {
            Ok(Value::Object(map)) => map,
            _ => Map::new(),
        };
        Outcome { exit: Exit::Done, json, summary, notes: Vec::new(), details: Vec::new() }
    }

    /// Notes what reading found: widened columns, rejected rows, each file.
    pub(crate) fn with_read(
        mut self,
        files: &[FileSummary],
        promotions: &[Promotion],
        rejected: u64,
        allow: bool,
    ) -> Self {
        for promotion in promotions {
            self.notes.push(format!(
                "column {:?} became {} (from {}) because of {:?} at {}",
                promotion.column, promotion.to, promotion.from, promotion.value, promotion.at
            ));
        }
        if rejected > 0 {
            let rows = if rejected == 1 { "row was" } else { "rows were" };
            self.notes.push(format!("{} {rows} rejected", count(rejected)));
            if !allow {
                self.exit = Exit::Rejected;
            }
        }
        for file in files {
            let mut line = format!("{}: {}, {}, ", file.source, rows(file.rows), file.encoding);
            line.push_str(if file.compression == "none" { "not compressed" } else { &file.compression });
            if file.replaced > 0 {
                line.push_str(&format!(", {} invalid sequences replaced", count(file.replaced)));
            }
            if !file.missing_columns.is_empty() && file.rows > 0 {
                let missing = file.missing_columns.join(", ");
                self.notes.push(format!("{} lacks {missing}: NULL in its {}", file.source, rows(file.rows)));
            }
            self.notes.extend(file.warnings.iter().map(|warning| format!("warning: {}: {warning}", file.source)));
            if let Some(repair) = &file.repair {
                self.notes.push(format!("{}: {repair}", file.source));
            }
            if !file.missing_columns.is_empty() {
                line.push_str(&format!(", without {}", file.missing_columns.join(", ")));
            }
            self.details.push(line);
        }
        self
    }
}

/// The result object of a run that failed.
pub(crate) fn failure(error: &Error, exit: Exit) -> Value {
    json!({"ok": false, "exit_code": exit as u8, "error": {"kind": kind(error), "message": error.to_string()}})
}

fn kind(error: &Error) -> &'static str {
    match error.kind() {
        ErrorKind::Usage { .. } => "usage",
        ErrorKind::NotFound { .. } => "not_found",
        ErrorKind::Read { .. } => "read",
        ErrorKind::Corrupt { .. } => "corrupt",
        ErrorKind::Undecodable { .. } => "undecodable",
        ErrorKind::Data(_) => "data",
        ErrorKind::Refused { .. } => "refused",
        ErrorKind::Target { .. } => "target",
        ErrorKind::Write { .. } => "write",
        ErrorKind::Engine { .. } => "engine",
        ErrorKind::Arrow { .. } => "arrow",
        ErrorKind::Step { source, .. } => kind(source),
        ErrorKind::Cancelled => "cancelled",
        ErrorKind::Internal { .. } => "internal",
    }
}

/// A line on stderr. Nobody is left to tell if that fails.
pub(crate) fn eprint_line(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// A text on stdout.
pub(crate) fn print(text: &str) -> crate::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|error| Error::write("standard output", error))
}

/// A number with its thousands apart.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 row`, `2,000 rows`.
pub(crate) fn rows(number: u64) -> String {
    format!("{} row{}", count(number), if number == 1 { "" } else { "s" })
}

pub(crate) fn seconds(duration: Duration) -> String {
    format!("{:.2} s", duration.as_secs_f64())
}

/// Bytes as a person reads them.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if bytes < 1024 {
        return format!("{bytes} bytes");
    }
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (336776, "336,776"), (6001215, "6,001,215")] {
            assert_eq!(count(number), text);
        }
        assert_eq!((rows(1), rows(0)), ("1 row".to_owned(), "0 rows".to_owned()));
        assert_eq!((size(5), size(31 << 20)), ("5 bytes".to_owned(), "31.0 MiB".to_owned()));
    }
}
