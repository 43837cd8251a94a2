//! Column names from header cells: a pure function, the same for every reader.
//!
//! In: the cells of the header record and the width of the data. Out: one unique name per column and a list of what
//! was changed. It refuses nothing; a table always gets names.

use std::collections::HashSet;

use serde::Serialize;
use unicode_normalization::UnicodeNormalization;

/// The names of a table's columns, and how they came about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ColumnNames {
    /// One name per column, unique without regard to case.
    pub names: Vec<String>,
    /// What was changed, in column order.
    pub changes: Vec<NameChange>,
}

/// One header cell that did not become a column name as it stood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NameChange {
    /// The column, from 1.
    pub column: usize,
    /// The cell's text; empty where the header has no cell for this column.
    pub original: String,
    /// The name in force; empty where the header has more cells than the data has columns.
    pub name: String,
    /// Why.
    pub reason: NameReason,
}

/// Why a header cell was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum NameReason {
    /// White space around it was removed, or it was brought to Unicode's composed form (NFC).
    Normalized,
    /// It was blank: the name is `column_<position>`.
    Blank,
    /// An earlier column has the same name without regard to case: `_2`, `_3`, … was added.
    Duplicate,
    /// The header has no cell for this column: the name is `column_<position>`.
    Missing,
    /// The data has no such column; the cell names nothing.
    Surplus,
}

/// Names the columns of a table whose header is `header` and whose data is `width` cells wide.
///
/// Each cell is trimmed of white space and brought to NFC; a line end inside a name stays. A blank cell becomes
/// `column_<position>`, position from 1. A name that an earlier column has, case folded, gets `_2`, `_3`, …, skipping
/// every name that the header itself uses. A header with fewer cells than `width` is filled up with
/// `column_<position>`; surplus cells that are blank are dropped, others become columns of their own.
/// `width` 0 means: as wide as the header.
///
/// ```
/// use duckstream::column_names;
/// let named = column_names(&["id", "", "ID", "id_2"], 5);
/// assert_eq!(named.names, ["id", "column_2", "ID_3", "id_2", "column_5"]);
/// assert_eq!(named.changes.len(), 3);
/// ```
pub fn column_names<S: AsRef<str>>(header: &[S], width: usize) -> ColumnNames {
    let last_used = header.iter().rposition(|cell| !cell.as_ref().trim().is_empty()).map_or(0, |last| last + 1);
    let columns = if width == 0 { header.len() } else { width.max(last_used) };
    let clean: Vec<String> = header.iter().map(|cell| cell.as_ref().trim().nfc().collect()).collect();
    let mut taken: HashSet<String> = HashSet::new();
    // Names as they stand come first, so that no made-up name ever displaces one that somebody chose.
    let chosen: HashSet<String> = clean.iter().filter(|name| !name.is_empty()).map(|name| fold(name)).collect();
    let mut result = ColumnNames { names: Vec::with_capacity(columns), changes: Vec::new() };
    for index in 0..columns {
        let original = header.get(index).map_or("", |cell| cell.as_ref());
        let (base, mut reason) = match clean.get(index) {
            Some(name) if !name.is_empty() => (name.clone(), (name != original).then_some(NameReason::Normalized)),
            Some(_) => (format!("column_{}", index + 1), Some(NameReason::Blank)),
            None => (format!("column_{}", index + 1), Some(NameReason::Missing)),
        };
        let made_up = matches!(reason, Some(NameReason::Blank | NameReason::Missing));
        let folded = fold(&base);
        let name = if taken.contains(&folded) || (made_up && chosen.contains(&folded)) {
            if !made_up {
                reason = Some(NameReason::Duplicate);
            }
            numbered(&base, &taken, &chosen)
        } else {
            base
        };
        taken.insert(fold(&name));
        if let Some(reason) = reason {
            let original = original.to_owned();
            result.changes.push(NameChange { column: index + 1, original, name: name.clone(), reason });
        }
        result.names.push(name);
    }
    for (index, cell) in header.iter().enumerate().skip(columns) {
        result.changes.push(NameChange {
            column: index + 1,
            original: cell.as_ref().to_owned(),
            name: String::new(),
            reason: NameReason::Surplus,
        });
    }
    result
}

fn numbered(base: &str, taken: &HashSet<String>, chosen: &HashSet<String>) -> String {
    (2_u64..)
        .map(|number| format!("{base}_{number}"))
        .find(|name| !taken.contains(&fold(name)) && !chosen.contains(&fold(name)))
        .unwrap_or_else(|| base.to_owned())
}

/// Case folding good enough for identifiers: full lower case of the upper case, so that ß and ss, ſ and s meet.
fn fold(name: &str) -> String {
    name.to_uppercase().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let cases: &[(&[&str], usize, &[&str])] = &[
            (&["a", "b"], 2, &["a", "b"]),
            (&[" a ", "b\t"], 2, &["a", "b"]),
            (&["", " ", "c"], 3, &["column_1", "column_2", "c"]),
            (&["a", "a", "a"], 3, &["a", "a_2", "a_3"]),
            (&["a", "A", "a_2"], 3, &["a", "A_3", "a_2"]),
            (&["a_2", "a", "a"], 3, &["a_2", "a", "a_3"]),
            (&["", "column_1"], 2, &["column_1_2", "column_1"]),
            (&["a"], 3, &["a", "column_2", "column_3"]),
            (&["a", "b", "c"], 2, &["a", "b", "c"]),
            (&["a", "b", "", " "], 2, &["a", "b"]),
            (&["x\ny", "x\r\ny"], 2, &["x\ny", "x\r\ny"]),
            (&["e\u{301}", "\u{e9}"], 2, &["\u{e9}", "\u{e9}_2"]),
            (&["Straße", "STRASSE"], 2, &["Straße", "STRASSE_2"]),
            (&[], 2, &["column_1", "column_2"]),
            (&["a", ""], 0, &["a", "column_2"]),
        ];
        for (header, width, expected) in cases {
            assert_eq!(column_names(header, *width).names, *expected, "{header:?} {width}");
        }
    }

    #[test]
    fn changes_are_told() {
        let named = column_names(&["a", " a", "", "d", ""], 4);
        let reasons: Vec<_> = named.changes.iter().map(|change| (change.column, change.reason)).collect();
        assert_eq!(reasons, [(2, NameReason::Duplicate), (3, NameReason::Blank), (5, NameReason::Surplus)]);
    }
}
