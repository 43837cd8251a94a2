//! What a sample says about its dialect: every setting with its score, its runner-up and the line that decided.
//!
//! In: a sample of UTF-8 text and the options. Out: [`Sniffed`], serializable and readable. A setting that the user
//! gave, and a default that was not asked to be found out, stays in force; the evidence is reported beside it, and
//! [`Sniffed::warnings`] names the option where the two disagree. Nothing is skipped or changed by looking.

use std::fmt;

use serde::Serialize;

use crate::csv::detect::layout::{self, Layout, Row};
use crate::csv::detect::repair::known;
use crate::csv::detect::score::{Candidate, Known, rank};
use crate::csv::detect::shape::Shape;
use crate::csv::detect::tokens::{Dialect, line_at};
use crate::options::{Auto, Detect, Header, ReaderOptions, Trim};

/// Two scores closer than this are a tie.
const TIE: f64 = 0.02;
/// A default is questioned only by evidence that is better by this factor.
const CLEARLY: f64 = 1.15;

/// Where a setting in force comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Origin {
    /// The user said so.
    Given,
    /// Found out, because the user asked for it.
    Detected,
    /// Nobody said anything.
    Default,
}

/// One setting: what is in force, and what the text says.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Setting<T> {
    /// What is in force.
    pub value: T,
    /// Where that comes from.
    pub origin: Origin,
    /// What the sample says.
    pub found: T,
    /// Why.
    pub evidence: String,
    /// How well the text fits what was found, 0 to 1.
    pub score: f64,
    /// The next best value and its score, where there is one.
    pub runner_up: Option<(String, f64)>,
    /// Whether the two are too close to tell apart.
    pub tie: bool,
    /// The physical line that decided.
    pub line: Option<u64>,
}

/// Physical line ends in the sample, by kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LineEnds {
    /// `\n`.
    pub lf: u64,
    /// `\r\n`.
    pub crlf: u64,
    /// `\r`.
    pub cr: u64,
    /// `\r\r\n`, a doubly converted end: one end and a blank line.
    pub cr_cr_lf: u64,
}

/// What a sample says about its dialect.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Sniffed {
    /// What separates fields.
    pub delimiter: Setting<String>,
    /// What surrounds fields.
    pub quote: Setting<Option<char>>,
    /// What escapes quotes inside quotes, besides doubling them.
    pub escape: Setting<Option<char>>,
    /// Whether there is a header.
    pub header: Setting<bool>,
    /// Physical lines above the table.
    pub skip_rows: Setting<u64>,
    /// What comment lines begin with.
    pub comment: Setting<Option<String>>,
    /// What separates the fraction of a number.
    pub decimal_separator: Setting<char>,
    /// Whether blanks surround the fields.
    pub blanks: Setting<bool>,
    /// Physical lines of the header; more than one where a header takes several rows.
    pub header_lines: Vec<u64>,
    /// How many columns the table has.
    pub columns: usize,
    /// The part of the table's rows in the sample that have that many fields, 0 to 1.
    pub regular: f64,
    /// Line ends by kind.
    pub line_ends: LineEnds,
}

/// Looks at a sample of UTF-8 text. `complete` says that it is the whole input.
///
/// ```
/// use duckstream::{Origin, ReaderOptions, sniff};
/// let text = b"# made by hand\nday;price\n2013-01-01;1,5\n2013-01-02;2,75\n";
/// let found = sniff(text, true, &ReaderOptions::default());
/// assert_eq!(found.delimiter.found, ";");
/// assert_eq!((found.delimiter.value.as_str(), found.delimiter.origin), (",", Origin::Default));
/// assert_eq!(found.decimal_separator.found, ',');
/// assert!(found.warnings().iter().any(|warning| warning.contains("--delimiter ';'")));
/// ```
pub fn sniff(sample: &[u8], complete: bool, options: &ReaderOptions) -> Sniffed {
    let bom = "\u{feff}".as_bytes();
    let mut text = sample.strip_prefix(bom).unwrap_or(sample);
    let line_ends = count_ends(text);
    let mut first_line = 1;
    for _ in 0..options.skip_rows {
        let Some((_, next)) = line_at(text, 0, complete) else { break };
        text = &text[next..];
        first_line += 1;
    }
    let all = options.detect == Detect::All;
    let told = known(options);
    let open = Known { delimiter: None, also: told.delimiter.clone(), ..told.clone() };
    let ranked = rank(text, complete, &open, all);
    let best = &ranked[0];
    let in_force = told.delimiter.as_ref().and_then(|delimiter| {
        ranked
            .iter()
            .find(|candidate| candidate.dialect.delimiter == *delimiter)
            .map(|candidate| candidate.dialect.clone())
    });
    let dialect = match (in_force, &told.delimiter) {
        (Some(dialect), _) => dialect,
        (None, Some(delimiter)) => Dialect { delimiter: delimiter.clone(), ..best.dialect.clone() },
        (None, None) => best.dialect.clone(),
    };
    let (rows, strip) = layout::rows(text, complete, &dialect, options.comment.as_deref(), first_line);
    let found = layout::find(text, &rows, strip, &dialect, Header::Auto, first_line);
    Sniffed {
        delimiter: delimiter(options, &ranked, all),
        quote: quote(options, &ranked, all),
        escape: escape(options, &ranked, all),
        header: header(options, &found, all),
        skip_rows: skip_rows(options, &found, rows.is_empty(), first_line, all),
        comment: comment(options, &found, all),
        decimal_separator: decimal(options, &rows, all),
        blanks: blanks(options, strip, all),
        header_lines: found.header_lines.clone(),
        columns: found.width,
        regular: found.regular,
        line_ends,
    }
}

fn setting<T: PartialEq + Clone>(value: T, found: T, origin: Origin, score: f64, evidence: String) -> Setting<T> {
    let value = if origin == Origin::Detected { found.clone() } else { value };
    Setting { value, origin, found, evidence, score, runner_up: None, tie: false, line: None }
}

/// A value that differs from its default was given; one that is `auto`, or left open under `detect = all`, is found out.
fn origin(auto: bool, default: bool, all: bool) -> Origin {
    match (auto, default) {
        (true, _) => Origin::Detected,
        (false, true) if all => Origin::Detected,
        (false, true) => Origin::Default,
        (false, false) => Origin::Given,
    }
}

fn with_rival<T>(mut setting: Setting<T>, best: &Candidate, rival: Option<(&Candidate, String)>) -> Setting<T> {
    if let Some((rival, name)) = rival {
        setting.tie = rival.score > 0.0 && rival.score >= best.score * (1.0 - TIE);
        setting.line = rival.odd_line.or(best.odd_line);
        setting.runner_up = Some((name, rival.score));
    }
    setting
}

fn delimiter(options: &ReaderOptions, ranked: &[Candidate], all: bool) -> Setting<String> {
    let best = &ranked[0];
    let name = |candidate: &Candidate| String::from_utf8_lossy(&candidate.dialect.delimiter).into_owned();
    let found = name(best);
    let default = ReaderOptions::default();
    let is_default = options.delimiter == default.delimiter;
    let evidence = if best.width == 1 {
        "no delimiter splits the lines evenly: one column".to_owned()
    } else {
        format!("{} fields in {:.0} % of the lines", best.width, best.consistency * 100.0)
    };
    let value = options.delimiter.value().map_or(found.clone(), |delimiter| delimiter.as_str().to_owned());
    let origin = origin(options.delimiter == Auto::Auto, is_default, all);
    let rival = ranked.iter().find(|other| other.dialect.delimiter != best.dialect.delimiter);
    let rival = rival.map(|rival| (rival, name(rival)));
    with_rival(setting(value, found, origin, best.score, evidence), best, rival)
}

fn quote(options: &ReaderOptions, ranked: &[Candidate], all: bool) -> Setting<Option<char>> {
    let best = &ranked[0];
    let found = best.dialect.quote.map(char::from);
    let is_default = options.quote == ReaderOptions::default().quote;
    let evidence = match found {
        Some('"') => "quotes fit, or none occurs: a quote may still come".to_owned(),
        Some(quote) => format!("fields begin and end with {quote}"),
        None => "quotes occur, but as text".to_owned(),
    };
    let value = options.quote.value().map_or(found, |quote| quote.0.map(char::from));
    let origin = origin(options.quote == Auto::Auto, is_default, all);
    let rival = ranked
        .iter()
        .find(|other| other.dialect.delimiter == best.dialect.delimiter && other.dialect.quote != best.dialect.quote);
    let name = |rival: &Candidate| rival.dialect.quote.map_or("none".to_owned(), |quote| char::from(quote).to_string());
    with_rival(setting(value, found, origin, best.score, evidence), best, rival.map(|rival| (rival, name(rival))))
}

fn escape(options: &ReaderOptions, ranked: &[Candidate], all: bool) -> Setting<Option<char>> {
    let best = &ranked[0];
    let found = best.dialect.escape.map(char::from);
    let is_default = options.escape == ReaderOptions::default().escape;
    let evidence = match found {
        Some(escape) => format!("{escape} stands before quotes inside quotes"),
        None => "quotes inside quotes are doubled, or there are none".to_owned(),
    };
    let value = options.escape.0.map(char::from);
    let rival = ranked
        .iter()
        .find(|other| other.dialect.delimiter == best.dialect.delimiter && other.dialect.escape != best.dialect.escape);
    let name = |rival: &Candidate| rival.dialect.escape.map_or("none".to_owned(), |byte| char::from(byte).to_string());
    let origin = origin(false, is_default, all);
    with_rival(setting(value, found, origin, best.score, evidence), best, rival.map(|rival| (rival, name(rival))))
}

fn header(options: &ReaderOptions, layout: &Layout, all: bool) -> Setting<bool> {
    let found = layout.header.is_some();
    let is_default = options.header == Header::default();
    let origin = origin(options.header == Header::Auto, is_default, all);
    let value = if options.header == Header::Auto { found } else { options.header != Header::Absent };
    let mut setting = setting(value, found, origin, layout.header_score, layout.header_reason.clone());
    setting.line = layout.header_lines.first().copied().or(Some(layout.data_line));
    setting.tie = layout.header_score < 0.6;
    setting
}

fn skip_rows(options: &ReaderOptions, layout: &Layout, empty: bool, first_line: u64, all: bool) -> Setting<u64> {
    let table = layout.header_lines.first().copied().unwrap_or(layout.data_line);
    let found = if empty || layout.preamble.is_empty() { options.skip_rows } else { table - 1 };
    let evidence = match layout.preamble.first() {
        None => "the table begins at once".to_owned(),
        Some((line, text)) => format!("line {line} is not part of the table: {text:?}"),
    };
    let mut setting = setting(
        options.skip_rows,
        found,
        origin(false, options.skip_rows == 0, all),
        if found + 1 > first_line { layout.regular } else { 1.0 },
        evidence,
    );
    setting.line = layout.preamble.last().map(|(line, _)| *line);
    setting
}

fn comment(options: &ReaderOptions, layout: &Layout, all: bool) -> Setting<Option<String>> {
    let found = options.comment.clone().or_else(|| layout.comment.clone());
    let evidence = match (&options.comment, &layout.comment) {
        (Some(_), _) => "given".to_owned(),
        (None, Some(prefix)) => format!("lines above the table begin with {prefix}"),
        (None, None) => "no line above the table looks like a comment".to_owned(),
    };
    let line = layout.comment.as_ref().and_then(|prefix| {
        layout.preamble.iter().find(|(_, text)| text.starts_with(prefix.as_str())).map(|(line, _)| *line)
    });
    let origin = origin(false, options.comment.is_none(), all);
    let mut setting = setting(options.comment.clone(), found, origin, 1.0, evidence);
    setting.line = line;
    setting
}

fn decimal(options: &ReaderOptions, rows: &[Row], all: bool) -> Setting<char> {
    let (mut commas, mut points, mut line) = (0_u64, 0_u64, None);
    for row in rows.iter().take(5_000) {
        for cell in &row.cells {
            if Shape::of(&cell.text) != Shape::Decimal {
                continue;
            }
            let text = cell.text.trim_ascii();
            let comma = text.iter().rposition(|byte| *byte == b',');
            let point = text.iter().rposition(|byte| *byte == b'.');
            let digits = |at: usize| text.len() - at - 1;
            match (comma, point) {
                // `1,234` may be a grouped integer: it says nothing.
                (Some(comma), None) if digits(comma) == 3 => {}
                (None, Some(_)) => points += 1,
                (Some(comma), Some(point)) if point > comma => points += 1,
                (Some(_), _) => {
                    commas += 1;
                    line = line.or(Some(row.line));
                }
                (None, None) => {}
            }
        }
    }
    let total = (commas + points).max(1) as f64;
    let found = if commas > points { ',' } else { '.' };
    let score = if commas + points == 0 { 1.0 } else { commas.max(points) as f64 / total };
    let evidence = format!("{commas} numbers with a decimal comma, {points} with a point");
    let origin = origin(false, options.decimal_separator == '.', all);
    let mut setting = setting(options.decimal_separator, found, origin, score, evidence);
    setting.tie = commas > 0 && commas == points;
    setting.line = line;
    setting
}

fn blanks(options: &ReaderOptions, strip: bool, all: bool) -> Setting<bool> {
    let trims = matches!(options.trim, Trim::Fields | Trim::All);
    let evidence = if strip { "nearly every field has a blank next to the delimiter" } else { "no" };
    setting(trims, strip, origin(false, options.trim == Trim::None, all), 1.0, evidence.to_owned())
}

fn count_ends(text: &[u8]) -> LineEnds {
    let mut ends = LineEnds::default();
    let mut at = 0;
    while let Some(offset) = memchr::memchr2(b'\n', b'\r', &text[at..]) {
        let rest = &text[at + offset..];
        let (count, length) = if rest.starts_with(b"\r\r\n") {
            (&mut ends.cr_cr_lf, 3)
        } else if rest.starts_with(b"\r\n") {
            (&mut ends.crlf, 2)
        } else if rest[0] == b'\r' {
            (&mut ends.cr, 1)
        } else {
            (&mut ends.lf, 1)
        };
        *count += 1;
        at += offset + length;
    }
    ends
}

/// A value as it is typed on a command line.
fn shell(text: &str) -> String {
    match text {
        "\t" => "tab".to_owned(),
        " " => "space".to_owned(),
        other => format!("'{other}'"),
    }
}

impl Sniffed {
    /// Where the evidence speaks against a default in force: one sentence each, naming the option that helps.
    /// Nothing is said about what the user gave, nor about what is too close to call.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if doubts(&self.delimiter) {
            let found = shell(&self.delimiter.found);
            let runner = self.delimiter.runner_up.as_ref();
            let clear = runner.is_none_or(|(_, score)| self.delimiter.score > score * CLEARLY);
            if clear && self.columns > 1 {
                warnings.push(format!(
                    "the fields seem to be separated by {found} ({}); use --delimiter {found}",
                    self.delimiter.evidence
                ));
            }
        }
        if doubts(&self.quote) {
            match self.quote.found {
                Some('\'') => warnings.push(r#"fields are quoted with '; use --quote "'""#.to_owned()),
                Some(quote) => warnings.push(format!("fields are quoted with {quote}; use --quote '{quote}'")),
                None => warnings.push("quotes seem to be part of the text; use --quote none".to_owned()),
            }
        }
        if let (true, Some(escape)) = (doubts(&self.escape), self.escape.found) {
            warnings.push(format!("{}; use --escape '{escape}'", self.escape.evidence));
        }
        if doubts(&self.skip_rows) {
            let lines = self.skip_rows.found;
            warnings.push(format!("{}; use --skip-rows {lines} or --detect all", self.skip_rows.evidence));
        }
        if doubts(&self.header) {
            warnings.push(format!("there seems to be no header ({}); use --header false", self.header.evidence));
        } else if self.header_lines.len() > 1 {
            warnings.push(format!("the header takes {} rows; use --detect all to join them", self.header_lines.len()));
        }
        if let (true, Some(comment)) = (doubts(&self.comment), &self.comment.found) {
            warnings.push(format!("{}; use --comment '{comment}'", self.comment.evidence));
        }
        if doubts(&self.decimal_separator) {
            warnings.push(format!("{}; use --decimal-separator ','", self.decimal_separator.evidence));
        }
        if doubts(&self.blanks) {
            warnings.push(format!("{}; use --trim all", self.blanks.evidence));
        }
        if self.regular < 0.995 && self.columns > 1 {
            warnings.push(format!(
                "{:.1} % of the rows looked at do not have {} fields; see --detect all, or --short-rows and --long-rows",
                (1.0 - self.regular) * 100.0,
                self.columns
            ));
        }
        warnings
    }

    /// The settings that could as well be otherwise.
    pub fn ties(&self) -> Vec<String> {
        let mut ties = Vec::new();
        let mut tell = |name: &str, tie: bool, found: &str, rival: Option<&(String, f64)>| {
            if tie {
                let rival = rival.map_or(String::new(), |(value, _)| format!(" or {value:?}"));
                ties.push(format!("{name}: {found:?}{rival}"));
            }
        };
        tell("delimiter", self.delimiter.tie, &self.delimiter.found, self.delimiter.runner_up.as_ref());
        tell("header", self.header.tie, if self.header.found { "present" } else { "absent" }, None);
        let decimal = self.decimal_separator.found.to_string();
        tell("decimal_separator", self.decimal_separator.tie, &decimal, None);
        ties
    }
}

fn doubts<T: PartialEq>(setting: &Setting<T>) -> bool {
    setting.origin == Origin::Default && setting.value != setting.found && !setting.tie
}

impl fmt::Display for Sniffed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fn line<T: PartialEq>(
            f: &mut fmt::Formatter<'_>,
            name: &str,
            setting: &Setting<T>,
            show: impl Fn(&T) -> String,
        ) -> fmt::Result {
            let origin = match setting.origin {
                Origin::Given => "given",
                Origin::Detected => "detected",
                Origin::Default => "default",
            };
            write!(f, "{name:18} {} ({origin}", show(&setting.value))?;
            if setting.value != setting.found {
                write!(f, "; the text says {}", show(&setting.found))?;
            }
            write!(f, "): {}; score {:.2}", setting.evidence, setting.score)?;
            if let Some((value, score)) = &setting.runner_up {
                write!(f, ", then {value:?} {score:.2}")?;
            }
            if setting.tie {
                write!(f, ", a tie")?;
            }
            match setting.line {
                Some(line) => writeln!(f, ", line {line}"),
                None => writeln!(f),
            }
        }
        let character = |value: &Option<char>| value.map_or("none".to_owned(), |value| value.to_string());
        line(f, "delimiter", &self.delimiter, |value| format!("{value:?}"))?;
        line(f, "quote", &self.quote, character)?;
        line(f, "escape", &self.escape, character)?;
        line(f, "header", &self.header, |value| value.to_string())?;
        line(f, "skip_rows", &self.skip_rows, u64::to_string)?;
        line(f, "comment", &self.comment, |value| value.clone().unwrap_or("none".to_owned()))?;
        line(f, "decimal_separator", &self.decimal_separator, char::to_string)?;
        line(f, "blanks", &self.blanks, |value| value.to_string())?;
        let LineEnds { lf, crlf, cr, cr_cr_lf } = self.line_ends;
        writeln!(f, "{:18} {lf} LF, {crlf} CRLF, {cr} CR, {cr_cr_lf} CRCRLF", "line_ends")?;
        writeln!(f, "{:18} {}, in {:.1} % of the rows", "columns", self.columns, self.regular * 100.0)
    }
}
