//! Which rows of a staging table the target would refuse, found before the insert instead of by its failure.
//!
//! In: the stage, its columns named and typed as the target's. Out: the stage without the refused rows, and each of
//! them told to the source with its place in the stream and the constraint. It looks at the table's own NOT NULL,
//! CHECK, UNIQUE and PRIMARY KEY; what else refuses a row (a foreign key, a unique index) still fails the load.

use crate::duckdb::database::TableColumn;
use crate::duckdb::load::{BatchSource, Load, Plan};
use crate::duckdb::sql::{self, Staging};
use crate::error::Result;
use crate::options::LoadMode;

/// Takes the refused rows out of the stage; says how many there were.
pub(crate) fn sift(
    load: &Load<'_>,
    plan: &Plan,
    columns: &[TableColumn],
    stage: &Staging,
    source: &mut dyn BatchSource,
) -> Result<u64> {
    let refused = sql::temp_name(&load.database.scratch_name());
    load.run(&sql::create_refused(&refused))?;
    for constraint in constraints(load, columns)? {
        // A column that is not in the stage gets its default: the insert will tell.
        if !constraint.columns.is_empty() && constraint.columns.iter().all(|column| plan.names.contains(column)) {
            find(load, &constraint, stage, &refused)?;
        }
    }
    let first: Option<i64> =
        load.connection.query_row(&sql::first_row(stage), [], |row| row.get(0)).map_err(|error| load.failed(error))?;
    let count = tell(load, &refused, first.unwrap_or(0), source)?;
    load.run(&sql::delete_refused(stage, &refused))?;
    load.run(&sql::drop_temp(&refused))?;
    Ok(count)
}

struct Constraint {
    kind: String,
    text: String,
    expression: Option<String>,
    columns: Vec<String>,
}

fn constraints(load: &Load<'_>, columns: &[TableColumn]) -> Result<Vec<Constraint>> {
    let constraint = |row: &duckdb::Row<'_>| {
        let places: Option<String> = row.get(3)?;
        let name = |place: &str| columns.get(place.parse::<usize>().ok()?).map(|column| column.name.clone());
        Ok(Constraint {
            kind: row.get(0)?,
            text: row.get::<_, Option<String>>(1)?.unwrap_or_default(),
            expression: row.get(2)?,
            columns: places.unwrap_or_default().split(',').filter_map(name).collect(),
        })
    };
    let mut statement = load.connection.prepare(&sql::constraints(load.table)).map_err(|error| load.failed(error))?;
    let rows = statement.query_map([], constraint).and_then(Iterator::collect);
    rows.map_err(|error| load.failed(error))
}

/// Notes the rows that break one constraint and are not noted yet.
fn find(load: &Load<'_>, constraint: &Constraint, stage: &Staging, refused: &str) -> Result<()> {
    let Constraint { kind, text, expression, columns } = constraint;
    let names = columns.join(", ");
    let refuse = |why: &str, condition: String| load.run(&sql::refuse(stage, refused, why, columns, &condition));
    match (kind.as_str(), expression) {
        ("NOT NULL", _) => {
            let why = format!("column {names} must not be NULL");
            refuse(&why, sql::null_in(columns))
        }
        ("CHECK", Some(expression)) => refuse(&format!("the row does not pass {text}"), sql::fails(expression)),
        ("PRIMARY KEY" | "UNIQUE", _) => {
            if kind == "PRIMARY KEY" {
                let why = format!("the primary key ({names}) must not be NULL");
                refuse(&why, sql::null_in(columns))?;
            }
            // A merge updates rows that are there, and chooses among rows of one key itself.
            if load.options.mode == LoadMode::Merge {
                return Ok(());
            }
            let why = format!("the table already has a row with this key ({names})");
            refuse(&why, sql::known(columns, load.table))?;
            let why = format!("an earlier row has the same key ({names})");
            refuse(&why, sql::repeated(stage, refused, columns))
        }
        _ => Ok(()),
    }
}

/// Tells the source of each refused row, in order.
fn tell(load: &Load<'_>, refused: &str, first: i64, source: &mut dyn BatchSource) -> Result<u64> {
    let failed = |error| load.failed(error);
    let mut statement = load.connection.prepare(&sql::refused_rows(refused)).map_err(failed)?;
    let mut rows = statement.query([]).map_err(failed)?;
    let mut count = 0;
    while let Some(row) = rows.next().map_err(failed)? {
        let place: i64 = row.get(0).map_err(failed)?;
        let (why, column): (String, Option<String>) = (row.get(1).map_err(failed)?, row.get(2).map_err(failed)?);
        source.refused((place - first).unsigned_abs(), column.as_deref(), &why)?;
        count += 1;
    }
    Ok(count)
}
