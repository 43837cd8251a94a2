//! The manifest of fixtures: a file that no test uses fails here.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::util::{fixture, fixtures};

/// The sources of all integration tests but this one, in one text.
fn tests() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    let sources = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let others = sources.filter(|path| !path.ends_with("fixtures_used.rs"));
    others.map(|path| fs::read_to_string(path).unwrap()).collect()
}

/// Whether a test that goes through its whole folder takes this file.
fn is_walked(folder: &str, name: &str, all: &BTreeSet<String>) -> bool {
    match folder {
        // A damaged file and the table it was.
        "damaged" => match name.strip_suffix(".expected.csv") {
            Some(stem) => all.contains(&format!("{stem}.csv")),
            None => name.strip_suffix(".csv").is_some_and(|stem| all.contains(&format!("{stem}.expected.csv"))),
        },
        // A text in one encoding (`cp1252.west.csv`) and the same in UTF-8 (`expected.west.csv`).
        "encodings" => match name.strip_suffix(".csv").and_then(|stem| stem.split_once('.')) {
            Some(("expected", text)) => {
                all.iter().any(|other| other.ends_with(&format!(".{text}.csv")) && !other.starts_with("expected."))
            }
            Some((_, text)) => all.contains(&format!("expected.{text}.csv")),
            None => false,
        },
        _ => false,
    }
}

#[test]
fn every_fixture_is_used() {
    let tests = tests();
    let mut unused = Vec::new();
    for entry in fs::read_dir(fixture("")).unwrap() {
        let entry = entry.unwrap();
        let folder = entry.file_name().into_string().unwrap();
        if !entry.file_type().unwrap().is_dir() {
            // The scripts that make the others, and nothing else.
            if !folder.ends_with(".py") {
                unused.push(folder);
            }
            continue;
        }
        let all: BTreeSet<String> = fixtures(&folder).into_iter().filter(|name| name != "__pycache__").collect();
        // The compressed ones are listed by name alone.
        let listed = |name: &str| folder == "compressed" && tests.contains(&format!("\"{name}\""));
        let named = |name: &str| listed(name) || tests.contains(&format!("{folder}/{name}\""));
        let free = all.iter().filter(|name| !is_walked(&folder, name, &all) && !named(name));
        unused.extend(free.map(|name| format!("{folder}/{name}")));
    }
    unused.retain(|name| name != "__pycache__");
    assert!(unused.is_empty(), "no test uses {unused:?}");
}
