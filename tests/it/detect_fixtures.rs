//! Every file of fixtures/damaged (made by fixtures/damage.py) becomes the undamaged table beside it, exactly.

use std::fs;
use std::path::Path;

use duckstream::{ReaderOptions, repair};

/// Files where no reading can be exact: what was lost cannot be told from the file.
const AMBIGUOUS: &[&str] = &["weather-broken_row_005"];

#[test]
fn damaged_files_become_the_tables_they_were() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/damaged");
    let mut names: Vec<String> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| name.strip_suffix(".expected.csv").map(str::to_owned))
        .collect();
    names.sort();
    assert!(names.len() >= 60, "{} fixtures", names.len());
    let mut wrong = Vec::new();
    for name in names {
        let input = fs::File::open(folder.join(format!("{name}.csv"))).unwrap();
        let expected = fs::read_to_string(folder.join(format!("{name}.expected.csv"))).unwrap();
        let mut table = repair(Box::new(input), &ReaderOptions::default()).unwrap();
        let found = std::io::read_to_string(&mut table).unwrap();
        if AMBIGUOUS.contains(&name.as_str()) {
            assert_eq!(found.lines().count(), expected.lines().count(), "{name}");
        } else if found != expected {
            let differs = found.lines().zip(expected.lines()).find(|(a, b)| a != b);
            wrong.push(format!("{name}: {differs:?}\n{}", table.report()));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
