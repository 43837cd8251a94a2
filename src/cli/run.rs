//! `run`: the steps of a pipeline file.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::cli::exit::Exit;
use crate::cli::flags::RUN;
use crate::cli::report::{Outcome, eprint_line, print, rows, seconds};
use crate::cli::session::Session;
use crate::cli::settings::{Settings, json_of};
use crate::duckdb::DatabaseOptions;
use crate::error::Result;
use crate::step::{DefaultContext, Pipeline, StepRun};

#[derive(Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Flags {
    output_dir: PathBuf,
    #[serde(alias = "jobs")]
    threads: usize,
    memory_limit: Option<String>,
}

impl Default for Flags {
    fn default() -> Self {
        Flags { output_dir: "output".into(), threads: 0, memory_limit: None }
    }
}

pub(crate) fn run(settings: &Settings<'_>, session: &Session) -> Result<Outcome> {
    let flags: Flags = settings.get(&RUN)?;
    if settings.prints_config() {
        print(&settings.config_text(&[("", json_of(&flags)), ("", json_of(&session.common))]))?;
        return Ok(Outcome::done(&json!({}), String::new()));
    }
    let pipeline = Pipeline::read(settings.words("words").concat())?;
    let options = DatabaseOptions {
        threads: Some(flags.threads).filter(|threads| *threads > 0),
        memory_limit: flags.memory_limit,
        read_only: false,
    };
    let mut ctx = DefaultContext::open_with(&flags.output_dir, &options)?.with_cancel(session.cancel.clone());
    if let Some(callback) = session.display.callback() {
        ctx = ctx.with_progress(move |progress| callback(progress));
    }
    let mut done = |step: &StepRun| {
        session.display.clear();
        if !session.common.quiet {
            eprint_line(&line(step));
        }
    };
    let runs = pipeline.run(&ctx, &mut done)?;
    let steps: Map<String, Value> = runs.iter().map(|step| (step.id.clone(), step.result.clone())).collect();
    let total = runs.iter().map(|step| step.elapsed).sum();
    let summary = format!(
        "{} step{} in {}; tables and metrics are in {}",
        runs.len(),
        if runs.len() == 1 { "" } else { "s" },
        seconds(total),
        flags.output_dir.display()
    );
    let mut outcome = Outcome::done(&json!({"steps": steps}), summary);
    if runs.iter().any(|step| step.result.get("rejected").is_some()) {
        outcome.exit = Exit::Rejected;
    }
    Ok(outcome)
}

fn line(step: &StepRun) -> String {
    let result = match (step.result["rows"].as_u64(), step.result["rejected"].as_u64()) {
        (Some(count), None) => rows(count),
        (Some(count), Some(rejected)) => format!("{}, {rejected} rejected", rows(count)),
        _ => "done".to_owned(),
    };
    format!("{}: {result} ({})", step.id, seconds(step.elapsed))
}
