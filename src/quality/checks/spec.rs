//! [`Checks`]: the checks of a file, complete and without contradictions.
//!
//! In: YAML or JSON, a list with one object per check. Out: typed checks. It refuses unknown kinds and keys (with the
//! nearest known one), bounds that nothing can meet, and `severity: reject` where a check is not about single rows.

use std::path::Path;
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Number, Value};

use crate::error::{Error, ErrorKind, Result};
use crate::options::{self, unknown_option};
use crate::quality::checks::Severity;

/// Checks of a table.
///
/// A file of checks is a list. Every check has a kind, `check`; all can have a `name` and a `severity`: `warn`, `reject`
/// or `fail` (default `fail`).
///
/// | `check` | keys | a row fails if |
/// |---|---|---|
/// | `not_null` | `column` or `columns` | one of them is NULL |
/// | `unique` | `column` or `columns` | an earlier row has the same values; NULLs repeat nothing |
/// | `range` | `column`, `min`, `max` (inclusive) | the value lies outside; NULL does not |
/// | `regex` | `column`, `pattern` | the *whole* text does not match (RE2, as DuckDB's `regexp_full_match`; put `.*` around to search); NULL does not fail |
/// | `in` | `column`, `values` | the value is none of them; NULL does not fail |
/// | `sql` | `predicate` | the expression is not true; NULL is not true |
///
/// | `check` | keys | the table fails if |
/// |---|---|---|
/// | `row_count` | `min`, `max` | it has fewer or more rows |
/// | `null_ratio` | `column`, `max` (0 to 1) | a larger part of the column is NULL |
/// | `freshness` | `column`, `max_age` (`90s`, `15m`, `24h`, `7d`) | its newest time (without a zone: UTC) is older, or there is none |
///
/// ```
/// use duckstream::{Checks, Database, Loaded};
/// let checks = Checks::from_yaml("- {check: not_null, columns: [id, name]}\n- {check: range, column: id, min: 1}\n")?;
/// let database = Database::memory()?;
/// let connection = database.connect()?;
/// connection.execute_batch("CREATE TABLE t AS SELECT 0 AS id, 'Ada' AS name").unwrap();
/// let error = checks.run(&connection, &"t".parse()?, &Loaded::default(), None).unwrap_err();
/// assert!(error.to_string().contains("check 'range(id)': 1 row fails: id is not at least 1; row 1: id=0, name=Ada"));
/// # Ok::<(), duckstream::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Checks(pub(super) Vec<Check>);

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Check {
    pub name: String,
    pub severity: Severity,
    pub kind: Kind,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    NotNull { columns: Vec<String> },
    Unique { columns: Vec<String> },
    Range { column: String, min: Option<Scalar>, max: Option<Scalar> },
    Regex { column: String, pattern: String },
    In { column: String, values: Vec<Scalar> },
    Sql { predicate: String },
    RowCount { min: Option<u64>, max: Option<u64> },
    NullRatio { column: String, max: f64 },
    Freshness { column: String, max_age: Duration, text: String },
}

/// A value that columns are compared with.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub(super) enum Scalar {
    Bool(bool),
    Number(Number),
    Text(String),
}

impl std::fmt::Display for Scalar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Scalar::Bool(value) => value.fmt(f),
            Scalar::Number(value) => value.fmt(f),
            Scalar::Text(value) => f.write_str(value),
        }
    }
}

const KINDS: [&str; 9] = ["not_null", "unique", "range", "regex", "in", "row_count", "null_ratio", "freshness", "sql"];
const COMMON: [&str; 3] = ["check", "name", "severity"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Columns {
    column: Option<String>,
    columns: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Range {
    column: String,
    min: Option<Scalar>,
    max: Option<Scalar>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Regex {
    column: String,
    pattern: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct In {
    column: String,
    values: Vec<Scalar>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sql {
    predicate: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RowCount {
    min: Option<u64>,
    max: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NullRatio {
    column: String,
    max: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Freshness {
    column: String,
    max_age: String,
}

/// Reads a file of checks: `.json` is JSON, anything else YAML.
///
/// # Errors
/// [`ErrorKind::NotFound`] and [`ErrorKind::Read`] if it cannot be read, [`ErrorKind::Usage`] for whatever is wrong in it.
pub fn validate_checks(path: impl AsRef<Path>) -> Result<Checks> {
    let path = path.as_ref();
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|source| match source.kind() {
        std::io::ErrorKind::NotFound => Error::usage(format!("there is no file of checks {name}")),
        _ => ErrorKind::Read { at: crate::error::Location::new(&name), source }.into(),
    })?;
    let checks = match path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json")) {
        true => Checks::from_json(&text),
        false => Checks::from_yaml(&text),
    };
    checks.map_err(|error| Error::usage(format!("{name}: {error}")))
}

impl Checks {
    /// Reads checks from YAML. Words such as `yes` and `no` are text there.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] for whatever is wrong.
    pub fn from_yaml(text: &str) -> Result<Self> {
        let options = serde_saphyr::options! { strict_booleans: true };
        let value = serde_saphyr::from_str_with_options(text, options);
        Self::from_value(value.map_err(|error| Error::usage(format!("this is not YAML: {error}")))?)
    }

    /// Reads checks from JSON.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] for whatever is wrong.
    pub fn from_json(text: &str) -> Result<Self> {
        let value = serde_json::from_str(text);
        Self::from_value(value.map_err(|error| Error::usage(format!("this is not JSON: {error}")))?)
    }

    /// How many checks there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn from_value(value: Value) -> Result<Self> {
        let Value::Array(items) = value else {
            return Err(Error::usage("checks are a list, such as: - {check: not_null, column: id}"));
        };
        let check = |(index, item): (usize, Value)| {
            let object = match item {
                Value::Object(object) => object,
                other => return Err(Error::usage(format!("it is {other}, not an object like {{check: not_null, …}}"))),
            };
            check(object).map_err(|error| Error::usage(format!("check {}: {error}", index + 1)))
        };
        items.into_iter().enumerate().map(check).collect::<Result<_>>().map(Checks)
    }
}

fn check(mut object: Map<String, Value>) -> Result<Check> {
    let mut text = |key: &str| match object.remove(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => Err(Error::usage(format!("option '{key}': {other} is not a text"))),
    };
    let (kind, name, severity) = (text("check")?, text("name")?, text("severity")?);
    let kind = kind.ok_or_else(|| Error::usage(format!("'check' is missing; one of {}", KINDS.join(", "))))?;
    let kind_name = kind.as_str();
    let kind = parse_kind(kind_name, object)?;
    let severity = match severity.as_deref() {
        None => Severity::default(),
        Some(given) => [Severity::Warn, Severity::Reject, Severity::Fail]
            .into_iter()
            .find(|severity| severity.name() == given)
            .ok_or_else(|| Error::usage(format!("severity '{given}' is none of warn, reject, fail")))?,
    };
    if severity == Severity::Reject && !kind.is_about_rows() {
        return Err(Error::usage(format!(
            "severity reject is not possible with {kind_name}: it is about the table, not about single rows; use warn or \
             fail"
        )));
    }
    let name = name.unwrap_or_else(|| match kind.columns() {
        [] => kind_name.to_owned(),
        columns => format!("{kind_name}({})", columns.join(", ")),
    });
    Ok(Check { name, severity, kind })
}

fn parse_kind(kind: &str, object: Map<String, Value>) -> Result<Kind> {
    let columns = |object| -> Result<Vec<String>> {
        match parse::<Columns>(object)? {
            Columns { column: Some(column), columns: None } => Ok(vec![column]),
            Columns { column: None, columns: Some(columns) } if !columns.is_empty() => Ok(columns),
            _ => Err(Error::usage(format!("{kind} needs either 'column' or 'columns'"))),
        }
    };
    let parsed = match kind {
        "not_null" => Kind::NotNull { columns: columns(object)? },
        "unique" => Kind::Unique { columns: columns(object)? },
        "range" => {
            let Range { column, min, max } = parse(object)?;
            let reversed = match (&min, &max) {
                (None, None) => return Err(Error::usage("range needs 'min', 'max' or both")),
                (Some(Scalar::Bool(_)), _) | (_, Some(Scalar::Bool(_))) => {
                    return Err(Error::usage("range needs numbers or texts"));
                }
                (Some(Scalar::Number(min)), Some(Scalar::Number(max))) => min.as_f64() > max.as_f64(),
                (Some(Scalar::Text(_)), Some(Scalar::Number(_))) | (Some(Scalar::Number(_)), Some(Scalar::Text(_))) => {
                    return Err(Error::usage("'min' and 'max' must both be numbers or both be texts"));
                }
                _ => false,
            };
            if reversed {
                return Err(Error::usage("'min' is greater than 'max': nothing can pass"));
            }
            Kind::Range { column, min, max }
        }
        "regex" => {
            let Regex { column, pattern } = parse(object)?;
            Kind::Regex { column, pattern }
        }
        "in" => {
            let In { column, values } = parse(object)?;
            if values.is_empty() {
                return Err(Error::usage("'values' is empty: nothing can pass"));
            }
            Kind::In { column, values }
        }
        "sql" => {
            let Sql { predicate } = parse(object)?;
            if predicate.trim().is_empty() {
                return Err(Error::usage("'predicate' is empty"));
            }
            Kind::Sql { predicate }
        }
        "row_count" => match parse(object)? {
            RowCount { min: None, max: None } => return Err(Error::usage("row_count needs 'min', 'max' or both")),
            RowCount { min: Some(min), max: Some(max) } if min > max => {
                return Err(Error::usage("'min' is greater than 'max': nothing can pass"));
            }
            RowCount { min, max } => Kind::RowCount { min, max },
        },
        "null_ratio" => match parse(object)? {
            NullRatio { column, max } if (0.0..=1.0).contains(&max) => Kind::NullRatio { column, max },
            NullRatio { max, .. } => return Err(Error::usage(format!("'max' is {max}; 0 to 1 are possible"))),
        },
        "freshness" => {
            let Freshness { column, max_age: text } = parse(object)?;
            let max_age = duration(&text).ok_or_else(|| {
                Error::usage(format!("'max_age' is '{text}'; write a whole number and s, m, h or d, such as 24h"))
            })?;
            Kind::Freshness { column, max_age, text }
        }
        other => {
            return Err(match options::nearest(other, &KINDS) {
                Some(near) => Error::usage(format!("unknown check '{other}': did you mean '{near}'?")),
                None => Error::usage(format!("unknown check '{other}'; known are: {}", KINDS.join(", "))),
            });
        }
    };
    Ok(parsed)
}

/// The keys of one kind; the common ones are taken out already.
fn parse<T: DeserializeOwned>(object: Map<String, Value>) -> Result<T> {
    let own = options::field_names::<T>();
    if let Some(key) = object.keys().find(|key| !own.contains(&key.as_str())) {
        return Err(unknown_option(key, &[own, &COMMON].concat()));
    }
    options::from_json(Value::Object(object))
}

fn duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    let unit = text.char_indices().next_back()?;
    let seconds = match unit.1 {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return None,
    };
    let count: u64 = text[..unit.0].trim_end().parse().ok()?;
    count.checked_mul(seconds).filter(|seconds| *seconds < 1 << 40).map(Duration::from_secs)
}

impl Kind {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Kind::NotNull { .. } => "not_null",
            Kind::Unique { .. } => "unique",
            Kind::Range { .. } => "range",
            Kind::Regex { .. } => "regex",
            Kind::In { .. } => "in",
            Kind::Sql { .. } => "sql",
            Kind::RowCount { .. } => "row_count",
            Kind::NullRatio { .. } => "null_ratio",
            Kind::Freshness { .. } => "freshness",
        }
    }

    /// The columns it names.
    pub(super) fn columns(&self) -> &[String] {
        match self {
            Kind::NotNull { columns } | Kind::Unique { columns } => columns,
            Kind::Range { column, .. }
            | Kind::Regex { column, .. }
            | Kind::In { column, .. }
            | Kind::NullRatio { column, .. }
            | Kind::Freshness { column, .. } => std::slice::from_ref(column),
            Kind::Sql { .. } | Kind::RowCount { .. } => &[],
        }
    }

    fn is_about_rows(&self) -> bool {
        !matches!(self, Kind::RowCount { .. } | Kind::NullRatio { .. } | Kind::Freshness { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_are_named() {
        for (yaml, expected) in [
            ("check: not_null", "checks are a list"),
            ("- 5", "it is 5, not an object"),
            ("- {column: a}", "check 1: 'check' is missing"),
            ("- {check: not_nul, column: a}", "check 1: unknown check 'not_nul': did you mean 'not_null'?"),
            ("- {check: not_null, colum: a}", "unknown option 'colum': did you mean 'column'?"),
            ("- {check: not_null, column: a, severty: warn}", "unknown option 'severty': did you mean 'severity'?"),
            ("- {check: not_null, column: a, severity: warning}", "severity 'warning' is none of warn, reject, fail"),
            ("- {check: not_null, column: a, columns: [b]}", "either 'column' or 'columns'"),
            ("- {check: unique}", "either 'column' or 'columns'"),
            ("- {check: unique, columns: []}", "either 'column' or 'columns'"),
            ("- {check: range, column: a}", "'min', 'max' or both"),
            ("- {check: range, column: a, min: 3, max: 2}", "'min' is greater than 'max'"),
            ("- {check: range, column: a, min: 3, max: x}", "both be numbers"),
            ("- {check: range, column: a, min: [3]}", "option 'min'"),
            ("- {check: range, min: 3}", "missing field `column`"),
            ("- {check: in, column: a, values: []}", "nothing can pass"),
            ("- {check: in, column: a, values: [null]}", "option 'values'"),
            ("- {check: row_count}", "'min', 'max' or both"),
            ("- {check: row_count, min: -1}", "option 'min'"),
            ("- {check: row_count, min: 1, severity: reject}", "severity reject is not possible with row_count"),
            ("- {check: null_ratio, column: a, max: 1.5}", "0 to 1 are possible"),
            ("- {check: freshness, column: a, max_age: soon}", "such as 24h"),
            ("- {check: not_null, name: 5, column: a}", "option 'name': 5 is not a text"),
            ("- {check: sql, predicate: true}", "option 'predicate'"),
            ("- {check: sql, predicate: ' '}", "'predicate' is empty"),
            ("- [", "this is not YAML"),
        ] {
            let error = Checks::from_yaml(yaml).unwrap_err();
            assert!(error.to_string().contains(expected), "{yaml}: {error}");
            assert!(matches!(error.kind(), ErrorKind::Usage { .. }), "{error}");
        }
    }

    #[test]
    fn words_of_yaml_are_text() {
        let checks = Checks::from_yaml("- {check: in, column: land, values: [no, se, 2024-01-01, 5, true]}").unwrap();
        let Kind::In { values, .. } = &checks.0[0].kind else { panic!("{checks:?}") };
        let text = |text: &str| Scalar::Text(text.to_owned());
        assert_eq!(values[..3], [text("no"), text("se"), text("2024-01-01")]);
        assert_eq!(values[3..], [Scalar::Number(5.into()), Scalar::Bool(true)]);
    }

    #[test]
    fn ages() {
        for (text, seconds) in [("90s", Some(90)), ("15m", Some(900)), (" 2 h", Some(7200)), ("7d", Some(604_800))] {
            assert_eq!(duration(text), seconds.map(Duration::from_secs));
        }
        for bad in ["", "h", "-1h", "1.5h", "1w", "99999999999999999999d", "1é"] {
            assert_eq!(duration(bad), None, "{bad}");
        }
    }
}
