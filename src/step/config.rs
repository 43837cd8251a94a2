//! A step's config, divided into the step's own keys and the options of a reader or writer.
//!
//! In: a JSON object. Out: the step's own struct, and the options. (One struct with the options flattened in would lose the names of its fields,
//! and with them the suggestions for unknown keys.)

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::error::{Error, Result};
use crate::options::{field_names, from_json, unknown_option};

/// Takes a step's own keys out of its config; what is left are options, of these names.
pub(crate) fn divide<Own: DeserializeOwned>(
    config: Value,
    option_names: &[&'static str],
) -> Result<(Own, Map<String, Value>)> {
    let own_names = field_names::<Own>();
    let (mut own, mut options) = (Map::new(), Map::new());
    for (key, value) in object(config, "the config")? {
        if own_names.contains(&key.as_str()) {
            own.insert(key, value);
        } else if option_names.contains(&key.as_str()) {
            options.insert(key, value);
        } else {
            return Err(unknown_option(&key, &[own_names, option_names].concat()));
        }
    }
    Ok((from_json(Value::Object(own))?, options))
}

/// A JSON object; nothing at all is an empty one.
pub(crate) fn object(value: Value, what: &str) -> Result<Map<String, Value>> {
    match value {
        Value::Object(map) => Ok(map),
        Value::Null => Ok(Map::new()),
        other => Err(Error::usage(format!("{what} must be a mapping of names to values, not {other}"))),
    }
}

/// The text that must be there.
pub(crate) fn required(value: Option<String>, key: &str) -> Result<String> {
    value.filter(|text| !text.is_empty()).ok_or_else(|| Error::usage(format!("'{key}' is required in config")))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;
    use crate::options::ReaderOptions;

    #[derive(Debug, Default, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Own {
        path: Option<String>,
    }

    fn parse(config: Value) -> Result<(Own, ReaderOptions)> {
        let (own, options) = divide(config, field_names::<ReaderOptions>())?;
        Ok((own, from_json(Value::Object(options))?))
    }

    #[test]
    fn keys_find_their_struct() {
        let (own, options) = parse(json!({"path": "x.csv", "sep": ";", "threads": 2})).unwrap();
        assert_eq!(own.path.as_deref(), Some("x.csv"));
        assert_eq!(options.threads, 2);
        assert_eq!(options.delimiter.to_string(), ";");
    }

    #[test]
    fn mistakes_name_the_key() {
        for (config, words) in [
            (json!({"pth": "x"}), "unknown option 'pth': did you mean 'path'?"),
            (json!({"delimter": ";"}), "unknown option 'delimter': did you mean 'delimiter'?"),
            (json!({"threads": "many"}), "option 'threads': invalid type"),
            (json!({"path": 1}), "option 'path': invalid type"),
            (json!([1]), "the config must be a mapping"),
        ] {
            let error = parse(config).unwrap_err().to_string();
            assert!(error.starts_with(words), "{error}");
        }
    }
}
