//! Merge: staged rows into a table by key.
//!
//! In: a staging table in the temporary catalog, its columns named and typed as the target's. Out: the target with
//! new rows inserted and differing rows updated, in one statement. Running the same rows again
//! changes nothing.

use crate::duckdb::load::{Load, Loaded, Plan, find};
use crate::duckdb::sql::{self, Staging};
use crate::error::{Error, ErrorKind, Result};
use crate::options::{Dedup, nearest};

/// Merges the stage into the table; counts duplicates and updates.
pub(crate) fn run(load: &Load<'_>, plan: &Plan, stage: &Staging, loaded: &mut Loaded) -> Result<()> {
    let keys = keys(load, plan)?;
    loaded.duplicates = match load.options.dedup {
        Dedup::Error => {
            refuse_duplicates(load, &stage.name, &keys)?;
            0
        }
        dedup => load.changed(&sql::dedupe(stage, &keys, dedup == Dedup::Last))?,
    };
    if plan.create {
        return load.run(&sql::create_as(&load.table.to_string(), false, &stage.select(&plan.names)));
    }
    let changed = load.changed(&sql::merge(load.table, &stage.name, &plan.names, &keys))?;
    // What was not inserted was updated.
    loaded.updated = changed.saturating_sub(load.count()?.saturating_sub(loaded.rows_before));
    Ok(())
}

/// The key columns under the table's names.
fn keys(load: &Load<'_>, plan: &Plan) -> Result<Vec<String>> {
    let known: Vec<&str> = plan.names.iter().map(String::as_str).collect();
    let key = |name: &String| {
        find(name, &known, &[]).map(|index| plan.names[index].clone()).ok_or_else(|| {
            let hint = match nearest(name, &known) {
                Some(near) => format!("did you mean '{near}'?"),
                None => format!("there are: {}", known.join(", ")),
            };
            Error::usage(format!("the input has no column '{name}', named in --key: {hint}"))
        })
    };
    load.options.key.iter().map(key).collect()
}

fn refuse_duplicates(load: &Load<'_>, stage: &str, keys: &[String]) -> Result<()> {
    let row = |row: &duckdb::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?));
    match load.connection.query_row(&sql::duplicate_keys(stage, keys), [], row) {
        Err(duckdb::Error::QueryReturnedNoRows) => Ok(()),
        Err(error) => Err(load.failed(error)),
        Ok((count, key)) => Err(ErrorKind::Refused {
            message: format!(
                "{count} rows of the input have the key ({}) = {key}; keep one of them with --dedup last or first",
                keys.join(", ")
            ),
        }
        .into()),
    }
}
