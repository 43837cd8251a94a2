//! The command line: flags to options, options to the library, results to people and programs. Nothing here can do
//! what the library cannot.
//!
//! - `flags.rs`: the flags, as tables. `verbs.rs`: the verbs, and the parser made of both.
//! - `settings.rs`: flag, else environment, else config file.
//! - `load.rs`, `export.rs`, `convert.rs`, `sniff.rs`, `validate.rs`, `verify.rs`, `run.rs`: one verb each. `address.rs`: databases, tables, files.
//! - `session.rs`, `progress.rs`, `signals.rs`: who watches a run, and who may stop it.
//! - `report.rs`, `exit.rs`: what is said at the end.
//!
//! stdout is for data, or for the one result object; everything else goes to stderr.

mod address;
mod convert;
mod exit;
mod export;
mod flags;
mod load;
mod progress;
mod report;
mod run;
mod session;
mod settings;
mod signals;
mod sniff;
mod validate;
mod verbs;
mod verify;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::ArgMatches;
use serde_json::{Value, json};

use crate::error::{Error, Result};
use crate::job::CancelToken;

use exit::Exit;
use report::{Outcome, eprint_line, print};
use session::Session;
use settings::Settings;
use verbs::{VERBS, Verb};

/// Runs the program with these arguments, the first of which is its own name.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let matches = match verbs::command().try_get_matches_from(arguments) {
        Ok(matches) => matches,
        Err(error) => {
            // Help goes to stdout, mistakes to stderr; a reader that went away is no reason to complain.
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage.into() } else { Exit::Done.into() };
        }
    };
    let exit = match matches.subcommand() {
        Some(("completions", matches)) => completions(matches),
        Some((name, matches)) => match VERBS.iter().find(|verb| verb.name == name) {
            Some(verb) => run_verb(verb, matches),
            None => Exit::Usage,
        },
        None => Exit::Usage,
    };
    exit.into()
}

fn completions(matches: &ArgMatches) -> Exit {
    let Some(shell) = matches.get_one::<clap_complete::Shell>("shell") else { return Exit::Usage };
    let mut script = Vec::new();
    clap_complete::generate(*shell, &mut verbs::command(), "duckstream", &mut script);
    match print(&String::from_utf8_lossy(&script)) {
        Err(error) if !error.is_broken_pipe() => fail(&error),
        _ => Exit::Done,
    }
}

fn run_verb(verb: &'static Verb, matches: &ArgMatches) -> Exit {
    let cancel = CancelToken::new();
    let received = match signals::listen(cancel.clone()) {
        Ok(received) => received,
        Err(error) => return fail(&Error::internal(format!("cannot listen for signals: {error}"))),
    };
    let prepared = Settings::new(verb, matches)
        .and_then(|settings| Ok((Session::new(settings.get(&flags::COMMON)?, cancel)?, settings)));
    let (session, settings) = match prepared {
        Ok(prepared) => prepared,
        Err(error) => return fail(&error),
    };
    let outcome = session.log_start(verb.name).and_then(|()| (verb.run)(&settings, &session));
    session.display.clear();
    let told = match outcome {
        Ok(outcome) => session.log_end(&outcome.json).and_then(|()| tell(verb, outcome, &session)),
        Err(error) => Err(error),
    };
    match told {
        Ok(exit) => exit,
        // Whoever read our output has seen enough.
        Err(error)
            if error.is_broken_pipe() && (session.stdout_taken() || verb.name == "sniff" || session.common.json) =>
        {
            Exit::Done
        }
        Err(error) => {
            let exit = if error.is_cancelled() { received.exit() } else { Exit::of(&error) };
            session.log_failure(&error);
            if session.common.json {
                // The message is on stderr in any case.
                let _ = result(&report::failure(&error, exit), &session);
            }
            if error.is_cancelled() {
                eprint_line("cancelled; nothing of this run is left");
                exit
            } else {
                fail(&error);
                exit
            }
        }
    }
}

/// Says what was done.
fn tell(verb: &Verb, outcome: Outcome, session: &Session) -> Result<Exit> {
    let Outcome { exit, json, summary, notes, details } = outcome;
    if !session.common.quiet {
        let lines = std::iter::once(&summary).filter(|line| !line.is_empty()).chain(&notes);
        lines.for_each(|line| eprint_line(line));
        if session.common.verbose > 0 {
            details.iter().for_each(|line| eprint_line(&format!("  {line}")));
        }
    }
    if session.common.json {
        let mut object = serde_json::Map::new();
        object.insert("ok".to_owned(), json!(true));
        object.insert("exit_code".to_owned(), json!(exit as u8));
        object.insert("verb".to_owned(), json!(verb.name));
        object.extend(json);
        result(&Value::Object(object), session)?;
    }
    Ok(exit)
}

/// Prints the result object where no data is.
fn result(object: &Value, session: &Session) -> Result<()> {
    if session.stdout_taken() {
        eprint_line(&object.to_string());
        Ok(())
    } else {
        print(&format!("{object}\n"))
    }
}

/// Prints an error, once.
fn fail(error: &Error) -> Exit {
    eprint_line(&format!("error: {error}"));
    Exit::of(error)
}
