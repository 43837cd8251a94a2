//! The flags, as data: one table per group; the parser, the help, the environment and the config file follow from it.
//!
//! In: what was typed. Out: a JSON object by option names, for the same parsers that read a step's config; so names,
//! aliases and messages are the same everywhere.

use clap::builder::Str;
use clap::{Arg, ArgAction, ArgMatches};
use serde_json::{Map, Value};

use crate::error::{Error, Result};

/// How the text of a flag becomes JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Given or not; `--flag=false` takes back what an environment or config file says.
    Switch,
    /// How often it was given.
    Count,
    /// One text, which may start with a dash.
    Text,
    /// One number.
    Number,
    /// Texts, separated by commas or by repeating the flag; or a JSON array.
    List,
    /// Texts, by repeating the flag: they may hold commas; or JSON, for one list per column.
    Texts,
    /// `NAME=VALUE`, repeated; or a JSON object.
    Map,
    /// A word, or a list of columns.
    Order,
}

/// One flag.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Flag {
    /// The option's name; the flag has dashes for its underscores.
    pub name: &'static str,
    pub short: Option<char>,
    /// Other names of the option; as flags they work but are not listed.
    pub aliases: &'static [&'static str],
    pub kind: Kind,
    /// What the help calls the value.
    pub value: &'static str,
    pub help: &'static str,
}

const fn flag(name: &'static str, kind: Kind, value: &'static str, help: &'static str) -> Flag {
    Flag { name, short: None, aliases: &[], kind, value, help }
}

impl Flag {
    const fn short(mut self, short: char) -> Flag {
        self.short = Some(short);
        self
    }

    const fn alias(mut self, aliases: &'static [&'static str]) -> Flag {
        self.aliases = aliases;
        self
    }

    /// Whether `name` is this option's name or one of its aliases.
    fn is_read_too(&self) -> bool {
        READER.iter().flat_map(|group| group.flags).any(|flag| flag.answers_to(self.name))
    }

    pub(crate) fn answers_to(&self, name: &str) -> bool {
        self.name == name || self.aliases.contains(&name)
    }

    fn arg(&self, group: &Group) -> Arg {
        let id = group.id(self.name);
        let arg = Arg::new(id.clone())
            .long(dashed(&id))
            .help(self.help)
            .help_heading(group.heading)
            .aliases(self.aliases.iter().map(|alias| Str::from(dashed(&group.id(alias)))).collect::<Vec<_>>());
        // What only an output has needs no prefix to be told apart.
        let arg =
            if group.prefix.is_empty() || self.is_read_too() { arg } else { arg.visible_alias(dashed(self.name)) };
        let arg = match self.short.filter(|_| group.prefix.is_empty()) {
            Some(short) => arg.short(short),
            None => arg,
        };
        match self.kind {
            Kind::Switch => arg
                .num_args(0..=1)
                .require_equals(true)
                .default_missing_value("true")
                .value_name("BOOL")
                .hide_possible_values(true)
                .value_parser(["true", "false"])
                .overrides_with(id),
            Kind::Count => arg.action(ArgAction::Count),
            Kind::Text | Kind::Number | Kind::Order => {
                arg.value_name(self.value).allow_hyphen_values(true).overrides_with(id)
            }
            Kind::List | Kind::Texts | Kind::Map => {
                arg.value_name(self.value).allow_hyphen_values(true).action(ArgAction::Append)
            }
        }
    }

    /// The value that was typed, if any was.
    fn typed(&self, id: &str, matches: &ArgMatches) -> Result<Option<Value>> {
        if self.kind == Kind::Count {
            return Ok(Some(matches.get_count(id)).filter(|count| *count > 0).map(Value::from));
        }
        match matches.get_many::<String>(id) {
            Some(texts) => self.value_of(&texts.map(String::as_str).collect::<Vec<_>>()).map(Some),
            None => Ok(None),
        }
    }

    /// The JSON that the texts mean.
    fn value_of(&self, texts: &[&str]) -> Result<Value> {
        let last = texts.last().copied().unwrap_or_default();
        let text = |text: &str| Value::String(text.to_owned());
        let json = |open: char| {
            Some(last.trim_start())
                .filter(|text| text.starts_with(open))
                .and_then(|text| serde_json::from_str(text).ok())
        };
        let commas = |texts: &[&str]| Value::Array(texts.iter().flat_map(|list| list.split(',')).map(text).collect());
        Ok(match self.kind {
            Kind::Switch => match last {
                "true" | "1" | "yes" => Value::Bool(true),
                "false" | "0" | "no" => Value::Bool(false),
                other => text(other),
            },
            Kind::Count | Kind::Number => match serde_json::from_str(last) {
                Ok(Value::Number(number)) => Value::Number(number),
                _ => text(last),
            },
            Kind::Text => text(last),
            Kind::List => json('[').or_else(|| json('{')).unwrap_or_else(|| commas(texts)),
            Kind::Order if matches!(last, "sorted" | "table") => text(last),
            Kind::Order => json('[').unwrap_or_else(|| commas(&[last])),
            Kind::Texts => json('[')
                .or_else(|| json('{'))
                .unwrap_or_else(|| Value::Array(texts.iter().map(|item| text(item)).collect())),
            Kind::Map => match json('{') {
                Some(map) => map,
                None => {
                    let pair = |item: &&str| match item.rsplit_once('=') {
                        Some((name, value)) => Ok((name.to_owned(), text(value))),
                        None => Err(Error::usage(format!("--{}: '{item}' is not NAME=VALUE", dashed(self.name)))),
                    };
                    Value::Object(texts.iter().map(pair).collect::<Result<Map<_, _>>>()?)
                }
            },
        })
    }
}

/// A table of flags under one heading of the help.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Group {
    pub heading: &'static str,
    /// What their names begin with, where two groups have flags of the same name.
    pub prefix: &'static str,
    pub flags: &'static [Flag],
}

impl Group {
    /// The name of an option within the verb.
    pub(crate) fn id(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// The arguments for the parser.
    pub(crate) fn args(&self) -> impl Iterator<Item = Arg> + '_ {
        self.flags.iter().map(|flag| flag.arg(self))
    }

    /// The values in force: typed, else from the environment, else from the config file. Keys are option names.
    pub(crate) fn collect(&self, matches: &ArgMatches, config: &Map<String, Value>) -> Result<Map<String, Value>> {
        let mut values = Map::new();
        for flag in self.flags {
            let id = self.id(flag.name);
            let value = match flag.typed(&id, matches)? {
                Some(value) => Some(value),
                None => match std::env::var(variable(&id)) {
                    Ok(text) => Some(flag.value_of(&[&text])?),
                    Err(_) => {
                        let known =
                            |key: &&String| key.strip_prefix(self.prefix).is_some_and(|key| flag.answers_to(key));
                        config.keys().find(known).and_then(|key| config.get(key)).cloned()
                    }
                },
            };
            if let Some(value) = value {
                values.insert(flag.name.to_owned(), value);
            }
        }
        Ok(values)
    }
}

/// The environment variable of an option.
pub(crate) fn variable(id: &str) -> String {
    format!("DUCKSTREAM_{}", id.to_ascii_uppercase())
}

fn dashed(name: &str) -> String {
    name.replace('_', "-")
}

use Kind::{Count, List, Map as Pairs, Number, Order, Switch, Text, Texts};

/// Everything that can be said about reading CSV.
pub(crate) const READER: &[Group] = &[
    Group {
        heading: "How the input is written",
        prefix: "",
        flags: &[
            flag("delimiter", Text, "TEXT", "What separates fields: 1 to 8 bytes, tab, auto [default: ,]")
                .short('d')
                .alias(&["delim", "sep", "separator"]),
            flag("quote", Text, "CHAR", "What surrounds fields; none, auto [default: \"]")
                .alias(&["quote_char", "quotechar"]),
            flag("escape", Text, "CHAR", "Inside quotes, takes the next character as it is [default: none]")
                .alias(&["escape_char", "escapechar"]),
            flag("double_quote", Switch, "", "A doubled quote inside quotes stands for one [default: true]")
                .alias(&["doublequote"]),
            flag("header", Text, "WHERE", "Column names: true, false, auto, or a record's number [default: true]")
                .alias(&["has_header"]),
            flag("names", List, "NAMES", "Column names, instead of those in the input")
                .alias(&["column_names", "new_columns"]),
            flag("comment", Text, "TEXT", "Lines that start with this are comments").alias(&["comment_prefix"]),
            flag("skip_rows", Number, "N", "Drops lines at the start").alias(&["skip", "skiprows", "skip_lines"]),
            flag("skip_footer", Number, "N", "Drops records at the end").alias(&["skipfooter"]),
            flag("skip_blank_lines", Switch, "", "Skips blank lines [default: true, except with one column]")
                .alias(&["ignore_empty_lines"]),
            flag("trim", Text, "WHAT", "Trims blanks and tabs: none, headers, fields, all [default: none]"),
            flag("encoding", Text, "LABEL", "utf-8, latin-1, cp1252, utf-16, … [default: auto]"),
            flag("encoding_errors", Text, "WHAT", "Invalid bytes: error, replace, reject [default: error]"),
            flag("nul", Text, "WHAT", "NUL bytes: keep, strip, reject [default: keep]"),
            flag("compression", Text, "FORMAT", "auto, none, gzip, bz2, zstd, xz, zip [default: by magic bytes]"),
            flag("detect", Text, "HOWFAR", "given: only what is auto; all: find the table in the file"),
            flag("nth_table", Number, "N", "Which table of the file, with --detect all [default: 1]"),
        ],
    },
    Group {
        heading: "Columns and types",
        prefix: "",
        flags: &[
            flag("columns", List, "NAMES", "Reads these columns only, in this order").alias(&[
                "select",
                "usecols",
                "include_columns",
            ]),
            flag("types", Pairs, "COLUMN=TYPE", "A column's type; '*=TYPE' for all others; repeatable").alias(&[
                "type",
                "dtype",
                "schema_overrides",
                "column_types",
            ]),
            flag("all_text", Switch, "", "Every column is text").alias(&["all_varchar"]),
            flag("infer", Text, "ROWS", "How much is looked at for types: first_batch, N, full [default: first_batch]")
                .alias(&["sample_size", "infer_schema_length"]),
            flag("infer_quoted", Text, "HOW", "Quoted values: values, text [default: values]"),
            flag("on_type_change", Text, "WHAT", "A later value of another type: promote, reject, error"),
            flag("null_values", List, "TEXTS", "Texts that mean NULL, besides the empty one").alias(&[
                "nullstr",
                "na_values",
                "null_if",
            ]),
            flag("quoted_nulls", Switch, "", "Quoted fields can be NULL, too")
                .alias(&["allow_quoted_nulls", "quoted_strings_can_be_null"]),
            flag("true_values", List, "TEXTS", "Texts that mean true, besides true"),
            flag("false_values", List, "TEXTS", "Texts that mean false, besides false"),
            flag("date_format", Texts, "FORMAT", "strftime format of dates; repeatable").alias(&["dateformat"]),
            flag("timestamp_format", Texts, "FORMAT", "strftime format of timestamps; repeatable").alias(&[
                "timestampformat",
                "datetime_format",
                "timestamp_parsers",
            ]),
            flag("decimal_separator", Text, "CHAR", "Separates the fraction of a number [default: .]")
                .alias(&["decimal", "decimal_point"]),
            flag("thousands_separator", Text, "CHAR", "Groups the digits of a number").alias(&["thousands"]),
            flag("match_columns", Text, "HOW", "Columns of several inputs meet by: name, position [default: name]"),
            flag("filename", Text, "COLUMN", "Adds a column with each row's file").alias(&["include_file_paths"]),
        ],
    },
    Group {
        heading: "Bad rows and limits",
        prefix: "",
        flags: &[
            flag("on_error", Text, "WHAT", "Bad rows: error, skip, reject [default: error]").alias(&["on_bad_lines"]),
            flag("short_rows", Text, "WHAT", "Rows with too few fields: error, pad, reject [default: error]"),
            flag("long_rows", Text, "WHAT", "Rows with too many: error, truncate, merge_last, reject [default: error]"),
            flag("rejects", Text, "TARGET", "Where rejected rows go").alias(&["rejects_table"]),
            flag("max_rejects", Number, "N", "Fails when more rows are rejected").alias(&["rejects_limit"]),
            flag("max_reject_ratio", Number, "PART", "Fails when a larger part of rows is rejected, 0 to 1"),
            flag("limit", Number, "N", "Reads at most this many rows").alias(&["n_rows", "nrows"]),
        ],
    },
    Group {
        heading: "How it runs",
        prefix: "",
        flags: &[
            flag("threads", Number, "N", "Threads; 0 is one per core [default: 0]").short('j').alias(&["jobs"]),
            flag("batch_size", Number, "ROWS", "Rows per batch [default: 122880]").alias(&["chunk_size", "chunksize"]),
            flag("batch_bytes", Number, "BYTES", "Bytes of text per batch [default: 64 MiB]"),
            flag("block_size", Number, "BYTES", "Bytes per read [default: 1 MiB]"),
            flag("max_record_bytes", Number, "BYTES", "The longest record accepted [default: 64 MiB]"),
            flag("decoder", Text, "WHICH", "auto, arrow_csv, columnar [default: auto]"),
        ],
    },
];

const WRITER_FLAGS: &[Flag] = &[
    flag("delimiter", Text, "TEXT", "What separates fields [default: ,]").short('d').alias(&[
        "delim",
        "sep",
        "separator",
    ]),
    flag("quote", Text, "CHAR", "What surrounds fields that need it [default: \"]").alias(&["quote_char", "quotechar"]),
    flag("escape", Text, "CHAR", "Goes before a quote inside quotes, instead of doubling it")
        .alias(&["escape_char", "escapechar"]),
    flag("header", Switch, "", "The first line holds the column names [default: true]")
        .alias(&["include_header", "has_header"]),
    flag("newline", Text, "END", "lf, crlf, cr [default: lf]").alias(&[
        "new_line",
        "line_terminator",
        "lineterminator",
        "eol",
    ]),
    flag("quoting", Text, "WHICH", "minimal, all, non_numeric, not_null, none [default: minimal]")
        .alias(&["quote_style", "quoting_style"]),
    flag("null_value", Text, "TEXT", "The text of NULL [default: empty]").alias(&["nullstr", "na_rep", "null_string"]),
    flag("float_format", Text, "FORMAT", "shortest, fixed:N, sig:N, scientific [default: shortest]"),
    flag("column_order", Order, "ORDER", "sorted, table, or a list of columns").alias(&["columns"]),
    flag("sort_columns", Switch, "", "Columns sorted by name; false is --column-order table"),
    flag("encoding", Text, "LABEL", "The output's encoding [default: utf-8]"),
    flag("bom", Text, "WHEN", "Byte order mark: auto, always, never [default: auto]").alias(&["include_bom"]),
    flag("unmappable", Text, "WHAT", "Characters the encoding lacks: error, replace, escape [default: error]"),
    flag("compression", Text, "FORMAT", "auto, none, gzip, bz2, zstd, xz; Parquet: snappy, zstd, gzip, none"),
    flag("compression_level", Number, "N", "As the format counts it"),
    flag("if_exists", Text, "WHAT", "An output that exists: replace, error, skip [default: replace]"),
    flag("threads", Number, "N", "Threads; 0 is one per core [default: 0]").short('j').alias(&["jobs"]),
    flag("row_group_size", Number, "ROWS", "Parquet: rows of a row group [default: 122880]"),
    flag("ipc_format", Text, "FORM", "Arrow IPC: file, stream [default: file]"),
];

/// Everything that can be said about writing.
pub(crate) const WRITER: Group = Group { heading: "How the output is written", prefix: "", flags: WRITER_FLAGS };

/// The same, next to a reader.
pub(crate) const OUT: Group = Group { heading: "How the output is written", prefix: "out_", flags: WRITER_FLAGS };

/// What every verb has.
pub(crate) const COMMON: Group = Group {
    heading: "What is reported",
    prefix: "",
    flags: &[
        flag("quiet", Switch, "", "Nothing on stderr but errors").short('q'),
        flag("verbose", Count, "", "More about what was found").short('v'),
        flag("progress", Text, "HOW", "auto, bar, plain, json, off [default: auto: a bar on a terminal]"),
        flag("json", Switch, "", "One JSON object on stdout when done (on stderr if data goes to stdout)"),
        flag("metrics", Text, "FILE", "Appends JSON lines about the run"),
    ],
};

/// The database, and what a load does to it.
pub(crate) const LOAD: Group = Group {
    heading: "Where it goes",
    prefix: "",
    flags: &[
        flag("db", Text, "FILE", "The DuckDB database: a file, FILE#schema.table, or :memory:").alias(&["database"]),
        flag("table", Text, "NAME", "The table [default: the input's name without its endings]"),
        flag("mode", Text, "MODE", "create, append, replace, merge [default: create]"),
        flag("key", List, "COLUMNS", "The columns that tell rows apart, for --mode merge").alias(&["primary_key"]),
        flag("dedup", Text, "WHICH", "Of several rows with one key, merge takes: last, first, error [default: last]"),
        flag("memory_limit", Text, "SIZE", "DuckDB's memory, such as 512MiB"),
        flag("allow_rejects", Switch, "", "Exit code 0, not 3, when rows were rejected within the limits"),
        flag("checks", Text, "FILE", "Commit only if the checks of this YAML or JSON file hold"),
        flag("receipt", Text, "FILE", "Write what was done, with hashes and counts, for `verify`"),
        flag("receipt_table", Text, "NAME", "Add the receipt as a row to this table, in the rows' own transaction"),
    ],
};

/// What is validated, by what.
pub(crate) const VALIDATE: Group = Group {
    heading: "What must hold",
    prefix: "",
    flags: &[flag("checks", Text, "FILE", "The checks: a YAML or JSON file, a list of {check: KIND, column: NAME, …}")],
};

/// What is exported, and as what.
pub(crate) const EXPORT: Group = Group {
    heading: "What is written",
    prefix: "",
    flags: &[
        flag("db", Text, "FILE", "The DuckDB database: a file, or FILE#schema.table").alias(&["database"]),
        flag("table", Text, "NAME", "The table, instead of a first argument"),
        flag("sql", Text, "QUERY", "One SELECT, instead of a table").alias(&["query"]),
        flag("output", Text, "FILE", "The output, instead of a last argument; - is stdout").short('o'),
        flag("to", Text, "FORMAT", "csv, tsv, parquet, arrow [default: by the output's name]"),
        flag("memory_limit", Text, "SIZE", "DuckDB's memory, such as 512MiB"),
    ],
};

/// Files and formats of a conversion.
pub(crate) const CONVERT: Group = Group {
    heading: "Files and formats",
    prefix: "",
    flags: &[
        flag("output", Text, "FILE", "The output, instead of a last argument; - is stdout").short('o'),
        flag("from", Text, "FORMAT", "csv, tsv, parquet, arrow [default: by the input's name]"),
        flag("to", Text, "FORMAT", "csv, tsv, parquet, arrow [default: by the output's name]"),
        flag("allow_rejects", Switch, "", "Exit code 0, not 3, when rows were rejected within the limits"),
    ],
};

/// How much a look shows.
pub(crate) const SNIFF: Group = Group {
    heading: "What is shown",
    prefix: "",
    flags: &[flag("rows", Number, "N", "How many of the first rows [default: 5]")],
};

/// Where a pipeline runs.
pub(crate) const RUN: Group = Group {
    heading: "Where it runs",
    prefix: "",
    flags: &[
        flag("output_dir", Text, "DIR", "Where pipeline_data.duckdb and metrics.jsonl are [default: output]"),
        flag("threads", Number, "N", "DuckDB's threads [default: one per core]").short('j').alias(&["jobs"]),
        flag("memory_limit", Text, "SIZE", "DuckDB's memory, such as 512MiB"),
    ],
};

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::*;
    use crate::options::{ReaderOptions, WriterOptions, field_names};

    fn names<'a>(flags: impl IntoIterator<Item = &'a Flag>) -> BTreeSet<&'static str> {
        flags.into_iter().flat_map(|flag| std::iter::once(flag.name).chain(flag.aliases.iter().copied())).collect()
    }

    #[test]
    fn every_option_is_a_flag_under_all_its_names() {
        let reader = names(READER.iter().flat_map(|group| group.flags));
        let known: BTreeSet<&str> = field_names::<ReaderOptions>().iter().copied().collect();
        // `--type a=int64` reads better than `--types`.
        assert_eq!(reader.difference(&known).collect::<Vec<_>>(), [&"type"]);
        assert_eq!(known.difference(&reader).count(), 0, "{:?}", known.difference(&reader));
        let writer = names(WRITER.flags);
        let known: BTreeSet<&str> = field_names::<WriterOptions>().iter().copied().collect();
        assert_eq!(known.difference(&writer).count(), 0, "{:?}", known.difference(&writer));
    }

    #[test]
    fn every_option_is_in_the_documentation() {
        let text = include_str!("../../docs/options.md");
        let (reading, writing) = text.split_once("## Writing").unwrap();
        for name in field_names::<ReaderOptions>() {
            assert!(reading.contains(&format!("`{name}`")), "{name} is not in docs/options.md");
        }
        for name in field_names::<WriterOptions>() {
            assert!(writing.contains(&format!("`{name}`")), "{name} is not in docs/options.md");
        }
    }

    #[test]
    fn texts_become_json() {
        let find = |name: &str| {
            let all = READER.iter().flat_map(|group| group.flags).chain(WRITER.flags);
            *all.into_iter().find(|flag| flag.name == name).unwrap()
        };
        for (name, texts, value) in [
            ("delimiter", &["1"][..], json!("1")),
            ("limit", &["10"], json!(10)),
            ("limit", &["ten"], json!("ten")),
            ("max_reject_ratio", &["0.5"], json!(0.5)),
            ("all_text", &["true"], json!(true)),
            ("columns", &["a,b", "c"], json!(["a", "b", "c"])),
            ("columns", &["[\"a,b\"]"], json!(["a,b"])),
            ("types", &["a=int64", "b=c=decimal(10,2)"], json!({"a": "int64", "b=c": "decimal(10,2)"})),
            ("date_format", &["%d, %m"], json!(["%d, %m"])),
            ("null_values", &["{\"a\": \"-\"}"], json!({"a": "-"})),
            ("column_order", &["table"], json!("table")),
            ("column_order", &["b,a"], json!(["b", "a"])),
        ] {
            assert_eq!(find(name).value_of(texts).unwrap(), value, "{name}");
        }
        assert!(find("types").value_of(&["a"]).is_err());
    }
}
