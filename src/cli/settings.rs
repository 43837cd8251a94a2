//! [`Settings`]: flag, else environment, else config file, else default.
//!
//! In: what was typed, `DUCKSTREAM_*`, the `--config` file. Out: option structs, built by the same parsers that read a
//! step's config. Unknown keys of the file are refused.

use clap::ArgMatches;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::cli::flags::{COMMON, Flag, Group, READER};
use crate::cli::verbs::{VERBS, Verb};
use crate::error::{Error, ErrorKind, Location, Result};
use crate::options::{ReaderOptions, from_json, unknown_option};

/// Where the options of one run come from.
pub(crate) struct Settings<'a> {
    verb: &'static Verb,
    matches: &'a ArgMatches,
    /// The file's options that apply to the verb.
    config: Map<String, Value>,
}

impl<'a> Settings<'a> {
    /// Reads the config file, if one is named.
    pub(crate) fn new(verb: &'static Verb, matches: &'a ArgMatches) -> Result<Self> {
        let named = matches.get_one::<String>("config").cloned().or_else(|| std::env::var("DUCKSTREAM_CONFIG").ok());
        let config = match named {
            Some(path) => read_config(&path, verb)?,
            None => Map::new(),
        };
        Ok(Settings { verb, matches, config })
    }

    /// The words that are not flags.
    pub(crate) fn words(&self, id: &str) -> Vec<String> {
        self.matches.get_many::<String>(id).map(|words| words.cloned().collect()).unwrap_or_default()
    }

    /// The values of a group that were given.
    pub(crate) fn given(&self, group: &Group) -> Result<Map<String, Value>> {
        let mut given = group.collect(self.matches, &self.config)?;
        // `-n` beats a header from the environment or a file; the parser refuses both as flags.
        let header = group.flags.iter().any(|flag| flag.name == "header") && group.prefix.is_empty();
        if header && self.matches.try_get_one::<bool>("no_headers").ok().flatten() == Some(&true) {
            given.insert("header".to_owned(), Value::Bool(false));
        }
        Ok(given)
    }

    /// A group as a struct.
    pub(crate) fn get<T: DeserializeOwned>(&self, group: &Group) -> Result<T> {
        from_json(Value::Object(self.given(group)?))
    }

    /// The reader's options that were given.
    pub(crate) fn reader_given(&self) -> Result<Map<String, Value>> {
        let mut given = Map::new();
        for group in READER {
            given.extend(self.given(group)?);
        }
        Ok(given)
    }

    /// Whether the options in force are to be printed, and nothing done.
    pub(crate) fn prints_config(&self) -> bool {
        self.matches.get_flag("print_config")
    }

    /// The text of `--print-config`: a file that `--config` takes.
    pub(crate) fn config_text(&self, parts: &[(&str, Value)]) -> String {
        let mut options = Map::new();
        for (prefix, part) in parts {
            if let Value::Object(part) = part {
                let set = part.iter().filter(|(_, value)| !value.is_null());
                options.extend(set.map(|(name, value)| (format!("{prefix}{name}"), value.clone())));
            }
        }
        let file = Value::Object(Map::from_iter([(self.verb.name.to_owned(), Value::Object(options))]));
        format!("{file:#}\n")
    }
}

/// Options as JSON.
pub(crate) fn json_of(options: &impl Serialize) -> Value {
    serde_json::to_value(options).unwrap_or_default()
}

/// The reader's options.
pub(crate) fn reader_options(given: Map<String, Value>) -> Result<ReaderOptions> {
    from_json(Value::Object(given))
}

fn read_config(path: &str, verb: &'static Verb) -> Result<Map<String, Value>> {
    let text = std::fs::read_to_string(path).map_err(|source| ErrorKind::Read { at: Location::new(path), source })?;
    parse_config(&text, verb).map_err(|error| match error.into_kind() {
        ErrorKind::Usage { message } => Error::usage(format!("{path}: {message}")),
        other => other.into(),
    })
}

/// The options for a verb: those of its own section, then those at the top that it has.
fn parse_config(text: &str, verb: &'static Verb) -> Result<Map<String, Value>> {
    let document: Value = serde_saphyr::from_str(text).map_err(|error| Error::usage(error.to_string()))?;
    let Value::Object(document) = document else {
        return Err(Error::usage("a config file is a mapping of options, and of verbs to options"));
    };
    let mut config = Map::new();
    let mut own = Map::new();
    for (key, value) in document {
        if let Some(section) = VERBS.iter().find(|verb| verb.name == key) {
            let Value::Object(section_map) = value else {
                return Err(Error::usage(format!("{key}: must be a mapping of options")));
            };
            for name in section_map.keys() {
                check(name, &[section]).map_err(|error| Error::usage(format!("{key}: {error}")))?;
            }
            if section.name == verb.name {
                own = section_map;
            }
        } else {
            let verbs: Vec<&Verb> = VERBS.iter().collect();
            check(&key, &verbs)?;
            config.insert(key, value);
        }
    }
    // The section is nearer: an option it has, under whatever name, is not looked up at the top.
    for (group, flag) in verb.flags() {
        let is_it = |key: &str| key.strip_prefix(group.prefix).is_some_and(|key| flag.answers_to(key));
        if own.keys().any(|key| is_it(key)) {
            config.retain(|key, _| !is_it(key));
        }
    }
    config.extend(own);
    Ok(config)
}

/// Refuses an option that none of the verbs has.
fn check(name: &str, verbs: &[&Verb]) -> Result<()> {
    let all: Vec<(&Group, &Flag)> = verbs.iter().flat_map(|verb| verb.flags()).collect();
    if all.iter().any(|(group, flag)| name.strip_prefix(group.prefix).is_some_and(|name| flag.answers_to(name))) {
        return Ok(());
    }
    let known: Vec<String> = all.iter().map(|(group, flag)| group.id(flag.name)).collect();
    Err(unknown_option(name, &known.iter().map(String::as_str).collect::<Vec<_>>()))
}

impl Verb {
    /// Every flag of the verb, with its group.
    pub(crate) fn flags(&self) -> impl Iterator<Item = (&Group, &Flag)> {
        self.groups.iter().chain([&COMMON]).flat_map(|group| group.flags.iter().map(move |flag| (group, flag)))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn verb(name: &str) -> &'static Verb {
        VERBS.iter().find(|verb| verb.name == name).unwrap()
    }

    #[test]
    fn a_section_beats_the_top() {
        let text = "sep: ';'\nthreads: 3\nload:\n  delimiter: '|'\n  mode: append\nexport:\n  quoting: all\n";
        assert_eq!(
            Value::Object(parse_config(text, verb("load")).unwrap()),
            json!({"threads": 3, "delimiter": "|", "mode": "append"})
        );
        assert_eq!(
            Value::Object(parse_config(text, verb("export")).unwrap()),
            json!({"sep": ";", "threads": 3, "quoting": "all"})
        );
    }

    #[test]
    fn unknown_keys_are_refused() {
        for (text, words) in [
            ("delimter: x", "unknown option 'delimter': did you mean 'delimiter'?"),
            ("load: {quoting: all}", "load: unknown option 'quoting'"),
            ("load: 3", "load: must be a mapping of options"),
            ("- a", "a config file is a mapping"),
        ] {
            let error = parse_config(text, verb("load")).unwrap_err().to_string();
            assert!(error.starts_with(words), "{error}");
        }
    }
}
