//! The verbs, as data: what each is called, takes and does.

use clap::{Arg, ArgAction, Command};

use crate::cli::exit::EXIT_CODES;
use crate::cli::flags::{COMMON, CONVERT, EXPORT, Group, LOAD, OUT, READER, RUN, SNIFF, VALIDATE, WRITER};
use crate::cli::report::Outcome;
use crate::cli::session::Session;
use crate::cli::settings::Settings;
use crate::cli::{convert, export, load, run, sniff, validate, verify};
use crate::error::Result;

/// One verb.
pub(crate) struct Verb {
    pub name: &'static str,
    about: &'static str,
    /// The name, in the help, of the words that are not flags; how many there may be; what they are.
    words: (&'static str, std::ops::RangeInclusive<usize>, &'static str),
    pub groups: &'static [Group],
    examples: &'static str,
    pub run: fn(&Settings<'_>, &Session) -> Result<Outcome>,
}

/// All verbs.
pub(crate) static VERBS: &[Verb] = &[
    Verb {
        name: "load",
        about: "CSV into a DuckDB table",
        words: (
            "INPUT",
            1..=usize::MAX,
            "Files, globs, archive.zip::members, or - for stdin; together they make one table",
        ),
        groups: &[LOAD, READER[0], READER[1], READER[2], READER[3]],
        examples: "\
  duckstream load flights.csv --db f.duckdb
  duckstream load 'data/*.csv.gz' --db f.duckdb#sales --mode append
  zcat big.csv.gz | duckstream load - --db f.duckdb --table big
  duckstream load de.csv --db f.duckdb -d ';' --decimal-separator , --type 'zip=text' --null-values NA,n/a",
        run: load::run,
    },
    Verb {
        name: "export",
        about: "A DuckDB table, or a query, to CSV, Parquet or Arrow",
        words: ("[TABLE] OUTPUT", 0..=2, "The table, and the file to write; - is stdout"),
        groups: &[EXPORT, WRITER],
        examples: "\
  duckstream export --db f.duckdb flights flights.csv
  duckstream export --db f.duckdb#main.flights out.csv.gz --column-order table
  duckstream export --db f.duckdb --sql 'SELECT origin, count(*) AS n FROM flights GROUP BY 1' - | head
  duckstream export --db f.duckdb flights flights.parquet",
        run: export::run,
    },
    Verb {
        name: "convert",
        about: "A file to a file of another format; columns stay in their order",
        words: ("INPUT OUTPUT", 1..=usize::MAX, "The inputs, then the file to write; - is stdin and stdout"),
        groups: &[CONVERT, READER[0], READER[1], READER[2], READER[3], OUT],
        examples: "\
  duckstream convert flights.csv flights.parquet
  duckstream convert old.csv new.tsv.zst --encoding cp1252
  duckstream convert - - --from csv --to csv -d ';' --out-delimiter , < in.csv

CSV and TSV keep every value as the text it is, unless types are asked for.",
        run: convert::run,
    },
    Verb {
        name: "sniff",
        about: "Shows what an input is: encoding, header, types, first rows",
        words: ("INPUT", 1..=1, "A file, an archive.zip::member, or - for stdin"),
        groups: &[SNIFF, READER[0], READER[1], READER[2], READER[3]],
        examples: "\
  duckstream sniff flights.csv
  duckstream sniff flights.csv --json | jq .columns",
        run: sniff::run,
    },
    Verb {
        name: "validate",
        about: "Checks inputs without keeping them; exit code 4 if a check fails",
        words: (
            "INPUT",
            1..=usize::MAX,
            "Files, globs, archive.zip::members, or - for stdin; together they make one table",
        ),
        groups: &[VALIDATE, READER[0], READER[1], READER[2], READER[3]],
        examples: "\
  duckstream validate flights.csv --checks checks.yaml

A file of checks:
  - {check: not_null, columns: [year, month, day]}
  - {check: range, column: month, min: 1, max: 12}
  - {check: row_count, min: 1, severity: warn}",
        run: validate::run,
    },
    Verb {
        name: "verify",
        about: "Checks a receipt again: inputs, counts, table, output; exit code 4 if it does not hold",
        words: ("RECEIPT", 1..=1, "A file that `load --receipt` wrote"),
        groups: &[],
        examples: "  duckstream verify receipt.json",
        run: verify::run,
    },
    Verb {
        name: "run",
        about: "Runs the steps of a pipeline file",
        words: ("PIPELINE", 1..=1, "A YAML file: a list of steps with id, type, config, inputs"),
        groups: &[RUN],
        examples: "\
  duckstream run pipeline.yaml --output-dir out

A pipeline file:
  steps:
    - id: flights
      type: csv.extract        # also: sql, csv.write, parquet.write
      config: {path: flights.csv}
    - id: late
      type: sql
      config: {query: SELECT * FROM flights WHERE dep_delay > 60}
    - id: write_late
      type: csv.write
      config: {path: late.csv}
      inputs: {table: late}",
        run: run::run,
    },
];

/// The parser for the whole command line.
pub(crate) fn command() -> Command {
    let program = Command::new("duckstream")
        .version(env!("CARGO_PKG_VERSION"))
        .about("CSV in, DuckDB, CSV out: every row accounted for, every value unchanged, or you are told.")
        .after_help(format!(
            "{EXIT_CODES}\n\nEvery flag can come from the environment (DUCKSTREAM_DELIMITER) or a YAML file (--config), too."
        ))
        .subcommand_required(true)
        .arg_required_else_help(true)
        .disable_help_subcommand(true);
    let completions = Command::new("completions").about("Prints the completions for a shell").arg(
        Arg::new("shell")
            .help("Which shell")
            .required(true)
            .value_parser(clap::builder::EnumValueParser::<clap_complete::Shell>::new()),
    );
    program.subcommands(VERBS.iter().map(Verb::command)).subcommand(completions)
}

impl Verb {
    fn command(&self) -> Command {
        let (name, range, help) = &self.words;
        let words = Arg::new("words").help(*help).value_name(*name).required(*range.start() > 0);
        let words = if *range.end() > 1 { words.num_args(range.clone()).action(ArgAction::Append) } else { words };
        let mut command = Command::new(self.name)
            .about(self.about)
            .after_help(format!("Examples:\n{}", self.examples))
            .arg(words)
            .args(self.groups.iter().flat_map(Group::args))
            .args(COMMON.args());
        if self.flags().any(|(group, flag)| flag.name == "header" && group.prefix.is_empty()) {
            command = command.arg(
                Arg::new("no_headers")
                    .short('n')
                    .long("no-headers")
                    .help("The same as --header false")
                    .action(ArgAction::SetTrue)
                    .conflicts_with("header")
                    .help_heading(if self.name == "export" { WRITER.heading } else { READER[0].heading }),
            );
        }
        command
            .arg(
                Arg::new("config")
                    .long("config")
                    .value_name("FILE")
                    .help("YAML file with options, at the top or under a verb")
                    .help_heading(COMMON.heading),
            )
            .arg(
                Arg::new("print_config")
                    .long("print-config")
                    .help("Prints the options in force, as such a file, and does nothing")
                    .action(ArgAction::SetTrue)
                    .help_heading(COMMON.heading),
            )
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_flag_of_a_verb_is_one_flag() {
        command().debug_assert();
        for verb in command().get_subcommands() {
            let (mut long, mut short) = (BTreeSet::new(), BTreeSet::new());
            for arg in verb.get_arguments() {
                let names = arg.get_long().into_iter().chain(arg.get_all_aliases().unwrap_or_default());
                for name in names {
                    assert!(long.insert(name.to_owned()), "{}: --{name} twice", verb.get_name());
                }
                if let Some(name) = arg.get_short() {
                    assert!(short.insert(name), "{}: -{name} twice", verb.get_name());
                }
                assert!(arg.get_help().is_some(), "{}: {} has no help", verb.get_name(), arg.get_id());
            }
        }
    }
}
