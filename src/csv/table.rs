//! [`Table`]: the columns that all inputs of a read make up, and each input's [`Plan`] for them.
//!
//! In: the heads of the inputs, options, types found so far. Out: names and types, decided once for all inputs. Columns
//! of several inputs find each other by name: exactly, else without regard to case where only one fits.

use std::collections::BTreeMap;

use arrow::datatypes::SchemaRef;

use crate::csv::dialect::Dialect;
use crate::csv::header::Head;
use crate::csv::plan::{Column, Plan, schema_of};
use crate::csv::types::ColumnType;
use crate::csv::value::Rules;
use crate::error::{Error, Location, Result};
use crate::options::{DecoderChoice, MatchColumns, OnTypeChange, ReaderOptions, nearest};

/// The columns of the result.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    pub columns: Vec<TableColumn>,
}

/// One column of the result.
#[derive(Debug, Clone)]
pub(crate) struct TableColumn {
    pub name: String,
    /// Where it stands in the first input that has it.
    pub position: usize,
    pub column_type: ColumnType,
    /// Found out from the data, and so open to widening.
    pub inferred: bool,
    /// Whether its texts come as a dictionary.
    pub coded: bool,
}

impl Table {
    /// The columns of inputs with these field names, with the types that the options give, else those `expected`;
    /// others are unknown or as `learned`.
    pub(crate) fn new(
        heads: &[&[String]],
        options: &ReaderOptions,
        expected: &[(String, ColumnType)],
        learned: &BTreeMap<String, ColumnType>,
    ) -> Result<Table> {
        let mut names: Vec<(String, usize)> = Vec::new();
        for head in heads {
            for (position, name) in head.iter().enumerate() {
                let known = match options.match_columns {
                    MatchColumns::Position => position < names.len(),
                    _ => find(names.iter().map(|(name, _)| name.as_str()), name).is_some(),
                };
                if !known {
                    names.push((name.clone(), position));
                }
            }
        }
        let known: Vec<&str> = names.iter().map(|(name, _)| name.as_str()).collect();
        let given = given_types(options, &known)?;
        if let Some(wanted) = &options.columns {
            let mut picked = Vec::with_capacity(wanted.len());
            for name in wanted {
                match known.iter().position(|known| known == name) {
                    Some(at) => picked.push(names[at].clone()),
                    None if known.is_empty() => {}
                    None => return Err(no_column(name, &known)),
                }
            }
            names = picked;
        }
        let star = given.get("*").copied();
        let columns = names
            .into_iter()
            .map(|(name, position)| {
                let explicit = given.get(name.as_str()).copied().or(star);
                let text = options.all_text.then_some(ColumnType::Text);
                let known = expected.iter().map(|(name, _)| name.as_str());
                let wanted = || find(known, &name).map(|at| expected[at].1);
                let column_type = explicit.or(text).or_else(wanted);
                TableColumn {
                    inferred: column_type.is_none(),
                    coded: false,
                    column_type: column_type.or(learned.get(&name).copied()).unwrap_or(ColumnType::Unknown),
                    name,
                    position,
                }
            })
            .collect();
        Ok(Table { columns })
    }

    /// What is done with the records of an input with this head; and which columns it lacks.
    pub(crate) fn plan(
        &self,
        head: &Head,
        dialect: &Dialect,
        at: &Location,
        options: &ReaderOptions,
    ) -> Result<(Plan, Vec<String>)> {
        let mut missing = Vec::new();
        let mut columns = Vec::with_capacity(self.columns.len() + 1);
        for column in &self.columns {
            let field = match options.match_columns {
                MatchColumns::Position => Some(column.position).filter(|position| *position < head.names.len()),
                _ => find(head.names.iter().map(String::as_str), &column.name),
            };
            if field.is_none() {
                missing.push(column.name.clone());
            }
            let rules = Rules::new(options, &column.name);
            let mut planned = Column::new(&column.name, field, column.column_type, rules);
            planned.coded = column.coded;
            planned.may_widen = column.inferred && options.on_type_change == OnTypeChange::Promote;
            columns.push(planned);
        }
        if let Some(name) = &options.filename {
            if self.columns.iter().any(|column| column.name.eq_ignore_ascii_case(name)) {
                return Err(Error::usage(format!("--filename {name}: the input has a column of that name")));
            }
            let mut column = Column::new(name, None, ColumnType::Text, Rules::default());
            column.constant = Some(match &at.member {
                Some(member) => format!("{}::{member}", at.source),
                None => at.source.clone(),
            });
            columns.push(column);
        }
        let width = head.names.len();
        let plan = Plan {
            canonical: dialect.canonical(),
            dialect: dialect.clone(),
            width,
            schema: schema_of(&columns),
            columns,
            skip_blank_lines: options.skip_blank_lines.unwrap_or(width > 1),
            short_rows: options.short_rows,
            long_rows: options.long_rows,
            decoder: options.decoder,
        };
        Ok((plan, missing))
    }

    /// The schema of the result.
    pub(crate) fn schema(&self, dialect: &Dialect, options: &ReaderOptions) -> Result<SchemaRef> {
        let head = Head { names: self.columns.iter().map(|column| column.name.clone()).collect(), ..Head::default() };
        let (plan, _) = self.plan(&head, dialect, &Location::default(), options)?;
        Ok(plan.schema)
    }

    /// A plan that only looks: every inferred column may widen, whatever the options say of later misfits.
    pub(crate) fn trial(&self, head: &Head, dialect: &Dialect, at: &Location, options: &ReaderOptions) -> Result<Plan> {
        let (mut plan, _) = self.plan(head, dialect, at, options)?;
        for (planned, column) in plan.columns.iter_mut().zip(&self.columns) {
            planned.may_widen = column.inferred;
        }
        plan.decoder = DecoderChoice::Auto;
        Ok(plan)
    }
}

/// The types in `options.types`, by names that exist.
fn given_types<'a>(options: &'a ReaderOptions, known: &[&str]) -> Result<BTreeMap<&'a str, ColumnType>> {
    let mut given = BTreeMap::new();
    for (name, text) in &options.types {
        if name != "*" && !known.is_empty() && !known.contains(&name.as_str()) {
            return Err(no_column(name, known));
        }
        let column_type =
            text.parse().map_err(|message| Error::usage(format!("type of column '{name}': {message}")))?;
        given.insert(name.as_str(), column_type);
    }
    Ok(given)
}

fn no_column(name: &str, known: &[&str]) -> Error {
    Error::usage(match nearest(name, known) {
        Some(near) => format!("there is no column '{name}': did you mean '{near}'?"),
        None => format!("there is no column '{name}'; the columns are: {}", known.join(", ")),
    })
}

/// Where `name` stands: exactly, else without regard to case if only one fits.
fn find<'a>(names: impl Iterator<Item = &'a str> + Clone, name: &str) -> Option<usize> {
    names.clone().position(|known| known == name).or_else(|| {
        let folded = name.to_lowercase();
        let mut alike = names.enumerate().filter(|(_, known)| known.to_lowercase() == folded);
        match (alike.next(), alike.next()) {
            (Some((at, _)), None) => Some(at),
            _ => None,
        }
    })
}
