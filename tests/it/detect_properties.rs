//! Any clean table, written in any dialect, is found again; any bytes at all are read without a panic.

use std::io::{Cursor, Read};

use duckstream::{ReaderOptions, repair, sniff};
use proptest::prelude::*;

fn run(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    repair(Box::new(Cursor::new(text.to_vec())), &ReaderOptions::default()).unwrap().read_to_end(&mut out).unwrap();
    out
}

/// Writes rows in a dialect; only fields that need quotes get them, unless `all`.
fn write(rows: &[Vec<String>], delimiter: &str, quote: char, backslash: bool, all: bool, end: &str) -> String {
    let mut out = String::new();
    for row in rows {
        for (index, cell) in row.iter().enumerate() {
            if index > 0 {
                out.push_str(delimiter);
            }
            let needed = cell.contains(delimiter) || cell.contains(['\n', '\r', quote]) || all && !cell.is_empty();
            if !needed {
                out.push_str(cell);
                continue;
            }
            out.push(quote);
            for c in cell.chars() {
                if backslash && (c == quote || c == '\\') {
                    out.push('\\');
                } else if c == quote {
                    out.push(quote);
                }
                out.push(c);
            }
            out.push(quote);
        }
        out.push_str(end);
    }
    out
}

/// A table that a person could tell apart in any dialect: typed columns, and one of text with anything in it.
fn tables() -> impl Strategy<Value = Vec<Vec<String>>> {
    let cell = (
        "[1-9][0-9]{0,4}",
        "20[0-9]{2}-0[1-9]-1[0-9]",
        "[a-z]{2,8}( [a-z,;\"]{1,6}){0,3}[a-z]",
        "[0-9]{1,3}\\.[0-9]{2}",
    );
    prop::collection::vec(cell, 4..40).prop_map(|rows| {
        let header = ["id", "day", "remark", "price"].map(str::to_owned).to_vec();
        let rows = rows.into_iter().map(|(a, b, c, d)| vec![a, b, c, d]);
        std::iter::once(header).chain(rows).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_clean_table_is_found_again(
        rows in tables(),
        delimiter in prop::sample::select(vec![",", ";", "\t", "|", "||"]),
        quote in prop::sample::select(vec!['"', '\'']),
        backslash in any::<bool>(),
        all in any::<bool>(),
        end in prop::sample::select(vec!["\n", "\r\n", "\r"]),
    ) {
        // Apostrophes are told from text only where they quote something; and rare ones may well be text.
        let all = all || quote == '\'';
        let text = write(&rows, delimiter, quote, backslash, all, end);
        let canonical = write(&rows, ",", '"', false, false, "\n");
        prop_assert_eq!(String::from_utf8(run(text.as_bytes())).unwrap(), canonical);
        let found = sniff(text.as_bytes(), true, &ReaderOptions::default());
        if delimiter != "||" {
            prop_assert_eq!(&found.delimiter.found, delimiter);
        }
        prop_assert!(found.columns == 4 || delimiter == "||");
        prop_assert!(found.header.found);
    }

    #[test]
    fn what_was_repaired_needs_no_repair(text in "[a-c0-9,;\"'\\\\ \n\r]{0,200}") {
        let once = run(text.as_bytes());
        // Every row is as wide as the first.
        let mut reader = arrow_csv_widths(&once);
        reader.dedup();
        prop_assert!(reader.len() <= 1, "{:?} -> {:?}", text, String::from_utf8_lossy(&once));
    }

    #[test]
    fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        run(&bytes);
        sniff(&bytes, false, &ReaderOptions::default()).warnings();
    }

    #[test]
    fn any_punctuation_is_read(text in "[a1,;|:\t \"'\\\\\n\r#]{0,300}") {
        run(text.as_bytes());
        let _ = sniff(text.as_bytes(), true, &ReaderOptions::default()).to_string();
    }
}

/// The number of fields of each record of canonical CSV.
fn arrow_csv_widths(text: &[u8]) -> Vec<usize> {
    let mut widths = Vec::new();
    let (mut quoted, mut width) = (false, 1);
    for byte in text {
        match byte {
            b'"' => quoted = !quoted,
            b',' if !quoted => width += 1,
            b'\n' if !quoted => {
                widths.push(width);
                width = 1;
            }
            _ => {}
        }
    }
    widths
}
