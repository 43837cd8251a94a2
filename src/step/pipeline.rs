//! [`Pipeline`]: a file that lists steps, run in its order.
//!
//! In: YAML (or JSON, which is YAML). Out: each step's result. Everything that can be seen in the file is checked
//! before the first step runs. Refused: steps of unknown types, repeated ids, unknown keys; each by its place.

use std::path::Path;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::error::{Error, ErrorKind, Location, Result};
use crate::options::nearest;
use crate::step::{Context, CsvStreamingExtractor, CsvStreamingWriter, ParquetStreamingWriter, SqlProcessor, Step};

/// The types of steps, by the names that pipeline files use.
const TYPES: &[(&str, &dyn Step)] = &[
    ("csv.extract", &CsvStreamingExtractor),
    ("sql", &SqlProcessor),
    ("csv.write", &CsvStreamingWriter),
    ("parquet.write", &ParquetStreamingWriter),
];

/// Steps in the order in which they run.
///
/// ```
/// use duckstream::{DefaultContext, Pipeline};
/// let folder = tempfile::tempdir().unwrap();
/// let at = |name: &str| folder.path().join(name).display().to_string();
/// std::fs::write(at("in.csv"), "b,a\n1,x\n2,y\n").unwrap();
/// let pipeline = Pipeline::parse("demo.yaml", &format!(
///     "
/// steps:
///   - id: people
///     type: csv.extract
///     config: {{ path: {input} }}
///   - id: few
///     type: sql
///     config: {{ query: SELECT * FROM people WHERE b > 1 }}
///   - id: out
///     type: csv.write
///     config: {{ path: {output} }}
///     inputs: {{ table: few }}
/// ", input = at("in.csv"), output = at("out.csv")))?;
/// pipeline.run(&DefaultContext::open(folder.path())?, &mut |_| {})?;
/// assert_eq!(std::fs::read_to_string(at("out.csv")).unwrap(), "a,b\ny,2\n");
/// # Ok::<(), duckstream::Error>(())
/// ```
pub struct Pipeline {
    name: String,
    steps: Vec<StepSpec>,
}

struct StepSpec {
    id: String,
    kind: &'static dyn Step,
    config: Value,
    inputs: Value,
}

/// A step that has run.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct StepRun {
    /// The step's id.
    pub id: String,
    /// What the step returned.
    pub result: Value,
    /// How long it took.
    #[serde(skip)]
    pub elapsed: Duration,
}

impl Pipeline {
    /// Reads a pipeline file.
    ///
    /// # Errors
    /// [`ErrorKind::Read`] if the file cannot be read, and those of [`parse`](Self::parse).
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        let name = path.as_ref().display().to_string();
        let text =
            std::fs::read_to_string(&path).map_err(|source| ErrorKind::Read { at: Location::new(&name), source })?;
        Self::parse(&name, &text)
    }

    /// Takes a pipeline from text: a list of steps, or a mapping with such a list as `steps`. `name` is for messages.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] for everything that is wrong with it, by file, step and key.
    pub fn parse(name: &str, text: &str) -> Result<Self> {
        let document: Value = serde_saphyr::from_str(text).map_err(|error| Error::usage(format!("{name}: {error}")))?;
        let list = match document {
            Value::Object(mut map) => {
                let steps = map.remove("steps").ok_or_else(|| Error::usage(format!("{name}: 'steps' is missing")))?;
                check_keys(name, &map, &["steps"])?;
                steps
            }
            list => list,
        };
        let Value::Array(list) = list else {
            return Err(Error::usage(format!("{name}: steps: must be a list of steps")));
        };
        if list.is_empty() {
            return Err(Error::usage(format!("{name}: steps: there are none")));
        }
        let mut steps: Vec<StepSpec> = Vec::new();
        for (index, step) in list.into_iter().enumerate() {
            let step = StepSpec::parse(name, index, step)?;
            if steps.iter().any(|other| other.id == step.id) {
                return Err(Error::usage(format!("{name}: steps.{}.id: another step has this id", step.id)));
            }
            steps.push(step);
        }
        Ok(Pipeline { name: name.to_owned(), steps })
    }

    /// The ids of the steps, in order.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.steps.iter().map(|step| step.id.as_str())
    }

    /// Runs the steps, each in its own transaction. `done` is told of each as it is complete. After an error, what
    /// earlier steps made stays.
    ///
    /// # Errors
    /// [`ErrorKind::Step`] of the first step that fails; [`ErrorKind::Cancelled`].
    pub fn run(&self, ctx: &dyn Context, done: &mut dyn FnMut(&StepRun)) -> Result<Vec<StepRun>> {
        let mut runs = Vec::with_capacity(self.steps.len());
        for step in &self.steps {
            let started = Instant::now();
            ctx.log_event(&step.id, "step.start", Map::from_iter([("pipeline".to_owned(), json!(self.name))]))?;
            let result = match step.kind.run(&step.id, step.config.clone(), step.inputs.clone(), ctx) {
                Ok(result) => result,
                Err(error) => {
                    let fields = Map::from_iter([("detail".to_owned(), json!({"error": error.to_string()}))]);
                    // The step's own error is the news, even if this cannot be written.
                    let event = if error.is_cancelled() { "cancelled" } else { "failed" };
                    let _ = ctx.log_event(&step.id, event, fields);
                    return Err(error);
                }
            };
            let run = StepRun { id: step.id.clone(), result, elapsed: started.elapsed() };
            done(&run);
            runs.push(run);
        }
        Ok(runs)
    }
}

impl StepSpec {
    fn parse(name: &str, index: usize, step: Value) -> Result<Self> {
        let nameless = format!("{name}: steps[{index}]");
        let Value::Object(mut step) = step else {
            return Err(Error::usage(format!("{nameless}: must be a mapping with id and type")));
        };
        let id = text(&mut step, "id").ok_or_else(|| Error::usage(format!("{nameless}.id: is required")))?;
        let at = format!("{name}: steps.{id}");
        let names: Vec<&str> = TYPES.iter().map(|(name, _)| *name).collect();
        let types = names.join(", ");
        let Some(given) = text(&mut step, "type") else {
            return Err(Error::usage(format!("{at}.type: is required: one of {types}")));
        };
        let Some((_, kind)) = TYPES.iter().find(|(name, _)| *name == given) else {
            let hint = match nearest(&given, &names) {
                Some(near) => format!("did you mean '{near}'?"),
                None => format!("there are: {types}"),
            };
            return Err(Error::usage(format!("{at}.type: unknown type '{given}': {hint}")));
        };
        let config = mapping(&at, "config", step.remove("config"))?;
        let inputs = mapping(&at, "inputs", step.remove("inputs"))?;
        check_keys(&at, &step, &["id", "type", "config", "inputs"])?;
        // Key by key, so that the message can give the key's place.
        for (key, value) in &config {
            let single = Value::Object(Map::from_iter([(key.clone(), value.clone())]));
            kind.check(&single).map_err(|error| Error::usage(format!("{at}.config.{key}: {error}")))?;
        }
        let (config, inputs) = (Value::Object(config), Value::Object(inputs));
        kind.check(&config).map_err(|error| Error::usage(format!("{at}.config: {error}")))?;
        Ok(StepSpec { id, kind: *kind, config, inputs })
    }
}

fn text(map: &mut Map<String, Value>, key: &str) -> Option<String> {
    match map.remove(key) {
        Some(Value::String(text)) if !text.is_empty() => Some(text),
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    }
}

fn mapping(at: &str, key: &str, value: Option<Value>) -> Result<Map<String, Value>> {
    match value {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(map)) => Ok(map),
        Some(_) => Err(Error::usage(format!("{at}.{key}: must be a mapping of names to values"))),
    }
}

/// Refuses what is left of a mapping after its known keys are taken.
fn check_keys(at: &str, rest: &Map<String, Value>, known: &[&str]) -> Result<()> {
    match rest.keys().next() {
        None => Ok(()),
        Some(key) => match nearest(key, known) {
            Some(near) => Err(Error::usage(format!("{at}.{key}: unknown key: did you mean '{near}'?"))),
            None => Err(Error::usage(format!("{at}.{key}: unknown key; known are: {}", known.join(", ")))),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_are_named_by_their_place() {
        let cases = [
            ("steps: 3", "p: steps: must be a list of steps"),
            ("{}", "p: 'steps' is missing"),
            ("[]", "p: steps: there are none"),
            ("{steps: [{id: a, type: sql}], step: 1}", "p.step: unknown key: did you mean 'steps'?"),
            ("[3]", "p: steps[0]: must be a mapping with id and type"),
            ("[{type: sql}]", "p: steps[0].id: is required"),
            ("[{id: a}]", "p: steps.a.type: is required: one of csv.extract, sql, csv.write, parquet.write"),
            ("[{id: a, type: csv.extrct}]", "p: steps.a.type: unknown type 'csv.extrct': did you mean 'csv.extract'?"),
            ("[{id: a, type: sql}, {id: a, type: sql}]", "p: steps.a.id: another step has this id"),
            ("[{id: a, type: sql, confg: {}}]", "p: steps.a.confg: unknown key: did you mean 'config'?"),
            (
                "[{id: a, type: csv.extract, config: {path: x, delimter: ;}}]",
                "p: steps.a.config.delimter: unknown option 'delimter': did you mean 'delimiter'?",
            ),
            (
                "[{id: a, type: csv.extract, config: {path: x, threads: many}}]",
                "p: steps.a.config.threads: option 'threads': invalid type",
            ),
        ];
        for (text, words) in cases {
            let error = Pipeline::parse("p", text).map(drop).unwrap_err().to_string();
            assert!(error.starts_with(words), "{text}: {error}");
        }
        assert!(Pipeline::parse("p", "steps: [").is_err());
    }
}
