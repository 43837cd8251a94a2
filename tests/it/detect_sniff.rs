//! What is said about a sample: values, origins, warnings, ties.

use duckstream::{Auto, Delimiter, Header, Origin, QuoteChar, ReaderOptions, Sniffed, sniff};

fn look(text: &str) -> Sniffed {
    sniff(text.as_bytes(), true, &ReaderOptions::default())
}

/// Text, delimiter, quote, escape, header, lines above the table.
type Case = (&'static str, &'static str, Option<char>, Option<char>, bool, u64);

#[test]
fn what_is_found() {
    let cases: &[Case] = &[
        ("a,b\n1,2\n3,4\n", ",", Some('"'), None, true, 0),
        ("a;b\n1;2\n3;4\n", ";", Some('"'), None, true, 0),
        ("a\tb\n1\t2\n", "\t", Some('"'), None, true, 0),
        ("a|b|c\n1|2|3\n", "|", Some('"'), None, true, 0),
        ("1,2\n3,4\n5,6\n", ",", Some('"'), None, false, 0),
        ("x\n\na,b,c\n1,2,3\n3,4,5\n", ",", Some('"'), None, true, 2),
        ("a,b\n'1,5',2\n'3',4\n'',1\n", ",", Some('\''), None, true, 0),
        ("a,b\n\"x \\\"y\\\" z\",2\n\"p\\\",q\",4\n", ",", Some('"'), Some('\\'), true, 0),
        ("a,b\n1,2\n", ",", Some('"'), None, true, 0),
    ];
    for (text, delimiter, quote, escape, header, skip) in cases {
        let found = look(text);
        assert_eq!(
            (
                found.delimiter.found.as_str(),
                found.quote.found,
                found.escape.found,
                found.header.found,
                found.skip_rows.found
            ),
            (*delimiter, *quote, *escape, *header, *skip),
            "{text:?}\n{found}"
        );
    }
}

#[test]
fn defaults_stay_in_force_and_are_only_questioned() {
    let found = look("Report\n\na;b\n1,5;2\n3,25;4\n");
    assert_eq!((found.delimiter.value.as_str(), found.delimiter.origin), (",", Origin::Default));
    let warnings = found.warnings().join("\n");
    for option in ["--delimiter ';'", "--skip-rows 2", "--decimal-separator ','"] {
        assert!(warnings.contains(option), "{warnings}");
    }
    assert!(look("a,b\n1,2\n").warnings().is_empty(), "{:?}", look("a,b\n1,2\n").warnings());
}

#[test]
fn what_the_user_said_stays() {
    let options = ReaderOptions {
        delimiter: Auto::Value(Delimiter::from('|')),
        quote: Auto::Value(QuoteChar(None)),
        header: Header::Absent,
        ..ReaderOptions::default()
    };
    let found = sniff(b"a;b\n1;2\n", true, &options);
    assert_eq!((found.delimiter.value.as_str(), found.delimiter.origin), ("|", Origin::Given));
    assert_eq!((found.quote.value, found.quote.origin), (None, Origin::Given));
    assert_eq!((found.header.value, found.header.origin), (false, Origin::Given));
    assert_eq!(found.delimiter.found, ";");
    assert!(!found.warnings().iter().any(|warning| warning.contains("--delimiter")), "{:?}", found.warnings());
}

#[test]
fn auto_is_found_out() {
    let options = ReaderOptions { delimiter: Auto::Auto, header: Header::Auto, ..ReaderOptions::default() };
    let found = sniff(b"1;2;x\n3;4;y\n", true, &options);
    assert_eq!((found.delimiter.value.as_str(), found.delimiter.origin), (";", Origin::Detected));
    assert_eq!((found.header.value, found.header.origin), (false, Origin::Detected));
}

#[test]
fn a_quote_that_is_not_there_says_nothing() {
    for text in ["a,b\n1,2\n", "a,b\n5\" pipe,2\n6\" pipe,3\n", "x;y\nit's;2\nthat's;3\n"] {
        let found = look(text);
        assert_eq!(found.quote.found, Some('"'), "{text:?}");
        assert!(!found.warnings().iter().any(|warning| warning.contains("--quote")));
    }
}

#[test]
fn line_ends_are_counted_by_kind() {
    let ends = look("a,b\n1,2\r\n3,4\r5,6\r\r\n7,8").line_ends;
    assert_eq!((ends.lf, ends.crlf, ends.cr, ends.cr_cr_lf), (1, 1, 1, 1));
}

#[test]
fn ties_are_said() {
    let found = look("a;b|c\n1;2|3\n4;5|6\n");
    assert!(found.delimiter.tie, "{found}");
    assert!(found.ties()[0].starts_with("delimiter"), "{:?}", found.ties());
    assert!(found.warnings().iter().all(|warning| !warning.contains("--delimiter")));
}

#[test]
fn it_is_data_too() {
    let json = serde_json::to_value(look("a,b\n1,2\n")).unwrap();
    assert_eq!(json["delimiter"]["value"], ",");
    assert_eq!(json["delimiter"]["origin"], "default");
    assert_eq!(json["line_ends"]["lf"], 2);
    for part in ["delimiter", "quote", "header", "line_ends", "columns"] {
        assert!(look("a,b\n1,2\n").to_string().contains(part));
    }
}

#[test]
fn a_sample_may_end_anywhere() {
    let text = "id;name;note\n1;\"a;b\";x\n2;c;\"two\nlines\"\n3;d;y\n4;e;z\n";
    for end in 0..text.len() {
        let found = sniff(&text.as_bytes()[..end], false, &ReaderOptions::default());
        if end > 30 {
            assert_eq!(found.delimiter.found, ";", "{end}");
        }
    }
}
