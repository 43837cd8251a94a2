use std::collections::BTreeSet;
use std::fs;
use std::io::{Cursor, Read};
use std::sync::atomic::Ordering;

use duckstream::{
    Auto, DecidedBy, Encoding, EncodingErrors, ErrorKind, Location, ReaderOptions, Source, Transcoder, Unmappable,
    WriteBom,
};

use proptest::collection::vec;
use proptest::prelude::*;

use crate::util::{Cut, drain, fixture, fixtures, open, read_all};

fn given(label: &str) -> ReaderOptions {
    ReaderOptions { encoding: Auto::Value(label.to_owned()), ..ReaderOptions::default() }
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

/// The oracle for encodings of several bytes: label, bytes, text.
fn multi_byte() -> Vec<(String, Vec<u8>, String)> {
    let table = fs::read_to_string(fixture("encodings/multi_byte.tsv")).unwrap();
    let row = |line: &str| {
        let parts: Vec<_> = line.split('\t').collect();
        (parts[0].to_owned(), unhex(parts[1]), String::from_utf8(unhex(parts[2])).unwrap())
    };
    table.lines().map(row).collect()
}

/// The oracle for charsets: label, and the character of each byte.
fn single_byte() -> Vec<(String, Vec<Option<char>>)> {
    let table = fs::read_to_string(fixture("encodings/single_byte.tsv")).unwrap();
    let row = |line: &str| {
        let (label, codes) = line.split_once('\t').unwrap();
        let chars = codes.split(' ').map(|code| char::from_u32(u32::from_str_radix(code, 16).unwrap()).unwrap());
        (label.to_owned(), chars.map(|char| (char != '\u{fffd}').then_some(char)).collect())
    };
    table.lines().map(row).collect()
}

/// Where we knowingly differ from Python.
fn differs(label: &str, byte: u8, python: Option<char>, ours: Option<char>) -> bool {
    match (label, byte) {
        // Windows, and so the standard of the web, gives every byte a meaning: mostly a control character.
        ("windows-1255", 0xCA) => ours == Some('\u{5BA}'),
        (label, byte) if python.is_none() && (label.starts_with("windows-") || label.starts_with("cp86")) => {
            ours == Some(char::from(byte))
        }
        // ASCII stays ASCII: the percent sign is not the Arabic one.
        ("cp864", 0x25) => ours == Some('%'),
        // A letter of Belarusian, as the standard of the web has it.
        ("koi8-u", 0xAE) => ours == Some('ў'),
        ("koi8-u", 0xBE) => ours == Some('Ў'),
        _ => false,
    }
}

#[test]
fn every_encoding_is_in_an_oracle() {
    let mut covered: BTreeSet<String> = multi_byte().into_iter().map(|row| row.0).collect();
    covered.extend(single_byte().into_iter().map(|row| row.0));
    // cp1047, cp1141 and cp1148 are others with a few characters changed; iso-8859-8-i is iso-8859-8 for a browser
    // that orders the letters; x-user-defined is bytes in a private place.
    covered.extend(["cp1047", "cp1141", "cp1148", "iso-8859-8-i", "x-user-defined"].map(str::to_owned));
    let names: BTreeSet<String> = Encoding::names().into_iter().map(str::to_owned).collect();
    assert_eq!(names, covered);
}

#[test]
fn every_label_reads_in_pieces_of_any_size_and_cut_at_every_byte() {
    for (label, bytes, text) in multi_byte() {
        for limit in [1, 2, 3, 5, 1000] {
            let read = Cut { inner: Cursor::new(bytes.clone()), first: 0, limit };
            let (got, error) = read_all(Source::reader(&label, read), &given(&label));
            assert!(error.is_none() && got == text.as_bytes(), "{label} by {limit}: {error:?}");
        }
        for first in 1..bytes.len() {
            let read = Cut { inner: Cursor::new(bytes.clone()), first, limit: 1000 };
            let (got, error) = read_all(Source::reader(&label, read), &given(&label));
            assert!(error.is_none() && got == text.as_bytes(), "{label} cut at {first}: {error:?}");
        }
    }
}

#[test]
fn every_label_is_exact_where_a_buffer_ends() {
    // The buffers are multiples of 1 KiB: ASCII in front moves each byte of the text across their edges.
    for (label, bytes, text) in multi_byte() {
        let width = if label.starts_with("utf-16") {
            2
        } else if label.starts_with("utf-32") {
            4
        } else {
            1
        };
        let unit: Vec<u8> = match (width, label.ends_with("be")) {
            (2, true) => vec![0, b'x'],
            (2, false) => vec![b'x', 0],
            (4, true) => vec![0, 0, 0, b'x'],
            (4, false) => vec![b'x', 0, 0, 0],
            _ => vec![b'x'],
        };
        for back in 0..24 {
            let count = (65_536 / width) - back;
            let input = [unit.repeat(count), bytes.clone()].concat();
            let (got, error) = read_all(Source::reader(&label, Cursor::new(input)), &given(&label));
            let wanted = ["x".repeat(count), text.clone()].concat();
            assert!(error.is_none() && got == wanted.as_bytes(), "{label}, {back} units before the edge: {error:?}");
        }
    }
}

#[test]
fn every_label_writes_what_it_reads() {
    for (label, bytes, text) in multi_byte() {
        for piece in [1, 3, 1000] {
            let mut transcoder = Transcoder::new(&label, WriteBom::Never, Unmappable::Error).unwrap();
            let mut out = Vec::new();
            let chars: Vec<char> = text.chars().collect();
            for piece in chars.chunks(piece) {
                transcoder.encode(&piece.iter().collect::<String>(), &mut out).unwrap();
            }
            transcoder.finish(&mut out);
            let (back, error) = read_all(Source::reader(&label, Cursor::new(out.clone())), &given(&label));
            assert!(error.is_none() && back == text.as_bytes(), "{label}: {error:?}");
            assert_eq!(out, bytes, "{label} in pieces of {piece}");
        }
    }
}

#[test]
fn every_charset_reads_and_writes_each_of_its_bytes() {
    let mut differences = Vec::new();
    for (label, python) in single_byte() {
        for byte in 0..=255u8 {
            // A byte order mark cannot be made of one byte.
            let (got, error) = read_all(Source::reader(&label, Cursor::new(vec![byte])), &given(&label));
            let ours = error.is_none().then(|| std::str::from_utf8(&got).unwrap().chars().next().unwrap());
            if let Some(error) = error {
                let ErrorKind::Undecodable { bytes, .. } = error.kind() else { panic!("{label}: {error}") };
                assert_eq!(bytes, &[byte], "{label}");
            }
            let wanted = python[usize::from(byte)];
            if ours != wanted && !differs(&label, byte, wanted, ours) {
                differences.push(format!("{label} {byte:02X}: {wanted:?} in Python, {ours:?} here"));
            }
            if let Some(char) = ours {
                let mut transcoder = Transcoder::new(&label, WriteBom::Auto, Unmappable::Error).unwrap();
                let mut out = Vec::new();
                transcoder.encode(&char.to_string(), &mut out).unwrap();
                transcoder.finish(&mut out);
                // Where a charset has a character twice, either byte will do.
                let first = (0..=byte).find(|other| python[usize::from(*other)] == Some(char)).unwrap_or(byte);
                assert!(out == [byte] || out == [first], "{label} {byte:02X}: writes {out:02X?}");
            }
        }
    }
    assert!(differences.is_empty(), "{}\n{}", differences.len(), differences.join("\n"));
}

#[test]
fn labels_mean_what_python_and_the_web_mean_by_them() {
    for (label, name) in [
        ("UTF8", "utf-8"),
        ("utf_8", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("U16", "utf-16"),
        ("UTF-16LE", "utf-16-le"),
        ("utf_32_be", "utf-32-be"),
        ("latin-1", "iso-8859-1"),
        ("L1", "iso-8859-1"),
        ("ISO_8859-1", "iso-8859-1"),
        ("iso8859_15", "iso-8859-15"),
        ("cp1252", "windows-1252"),
        ("windows-1252", "windows-1252"),
        ("1252", "windows-1252"),
        ("us-ascii", "ascii"),
        ("IBM437", "cp437"),
        ("850", "cp850"),
        ("cp866", "ibm866"),
        ("IBM-1140", "cp1140"),
        ("cp037", "cp037"),
        ("ebcdic-cp-us", "cp037"),
        ("cp932", "shift_jis"),
        ("ms-kanji", "shift_jis"),
        ("windows-31j", "shift_jis"),
        ("shift-jis", "shift_jis"),
        ("euc_jp", "euc-jp"),
        ("gb2312", "gbk"),
        ("cp949", "euc-kr"),
        ("mac roman", "macintosh"),
        ("koi8_r", "koi8-r"),
    ] {
        assert_eq!(Encoding::for_label(label).unwrap().name(), name, "{label}");
    }
    for name in Encoding::names() {
        assert_eq!(Encoding::for_label(name).unwrap().name(), name);
    }
    for label in ["utf-9", "", "klingon", "hz", "iso-2022-kr", "cp99999"] {
        assert!(matches!(Encoding::for_label(label).unwrap_err().kind(), ErrorKind::Usage { .. }), "{label}");
    }
}

#[test]
fn latin_1_is_not_windows_1252() {
    let read = |label| read_all(Source::reader("x", Cursor::new(b"\x80\x9f\xa4".to_vec())), &given(label)).0;
    assert_eq!(read("latin-1"), "\u{80}\u{9f}¤".as_bytes());
    assert_eq!(read("cp1252"), "€Ÿ¤".as_bytes());
    assert_eq!(read("iso-8859-15"), "\u{80}\u{9f}€".as_bytes());
}

/// Malformed input: label, bytes, what is offending, line, byte, and the text with U+FFFD.
type Malformed = (&'static str, &'static [u8], &'static [u8], u64, u64, &'static str);

const MALFORMED: &[Malformed] = &[
    ("ascii", b"a\nb\x80c", b"\x80", 2, 3, "a\nb\u{fffd}c"),
    ("cp857", b"a\r\nb\x8d\xe7c", b"\xe7", 2, 6, "a\r\nbı\u{fffd}c"),
    ("shift_jis", b"a\r\rb\x81", b"\x81", 3, 4, "a\r\rb\u{fffd}"),
    ("euc-jp", b"\xa4\xa2\n\xa4!", b"\xa4", 2, 4, "あ\n\u{fffd}!"),
    ("gb18030", b"x\x81\x30\x81", b"\x81\x30\x81", 1, 1, "x\u{fffd}"),
    ("big5", b"\n\n\xa4", b"\xa4", 3, 2, "\n\n\u{fffd}"),
    ("euc-kr", b"ab\xff", b"\xff", 1, 2, "ab\u{fffd}"),
    ("utf-16-le", b"a\0\n\0\0\xdcb\0", b"\0\xdc", 2, 2, "a\n\u{fffd}b"),
    ("utf-16-le", b"a\0\0\xd8b\0", b"\0\xd8", 1, 1, "a\u{fffd}b"),
    ("utf-16-le", b"a\0\0\xd8\0\xd8\0\xdc", b"\0\xd8", 1, 1, "a\u{fffd}\u{10000}"),
    ("utf-16-be", b"\0a\0", b"\0", 1, 1, "a\u{fffd}"),
    ("utf-16-be", b"\0a\xd8\0", b"\xd8\0", 1, 1, "a\u{fffd}"),
    ("utf-32-le", b"a\0\0\0\0\0\x11\0", b"\0\0\x11\0", 1, 1, "a\u{fffd}"),
    ("utf-32-be", b"\0\0\0a\0\0\xd8\0\0\0\0b", b"\0\0\xd8\0", 1, 1, "a\u{fffd}b"),
    ("utf-32-be", b"\0\0\0a\0\0", b"\0\0", 1, 1, "a\u{fffd}"),
];

#[test]
fn malformed_bytes_are_an_error_or_replaced_or_marked() {
    for (label, input, offending, line, byte, replaced) in MALFORMED {
        for limit in [1, 2, 3, 1000] {
            let source = || Source::reader("in.csv", Cut { inner: Cursor::new(input.to_vec()), first: 0, limit });
            let options = |encoding_errors| ReaderOptions { encoding_errors, ..given(label) };

            let (text, error) = read_all(source(), &options(EncodingErrors::Error));
            let error = error.unwrap_or_else(|| panic!("{label}: no error"));
            let ErrorKind::Undecodable { at, bytes, encoding } = error.kind() else { panic!("{label}: {error}") };
            assert_eq!(*at, Location::new("in.csv").with_line(*line).with_byte(*byte), "{label} by {limit}");
            assert_eq!((&bytes[..], encoding.as_str()), (*offending, *label));
            assert_eq!(text, &replaced.as_bytes()[..*byte as usize], "{label}: the text before the error");

            let mut opened = open(source(), &options(EncodingErrors::Replace)).unwrap();
            let (text, error) = drain(&mut opened.text);
            assert!(error.is_none() && text == replaced.as_bytes(), "{label} by {limit}: {text:02x?}");
            let count = replaced.matches('\u{fffd}').count() as u64;
            assert_eq!(opened.replaced.load(Ordering::Relaxed), count, "{label}");

            let (text, error) = read_all(source(), &options(EncodingErrors::Reject));
            let marked: Vec<u8> = replaced.split('\u{fffd}').map(str::as_bytes).collect::<Vec<_>>().join(&0xff);
            assert!(error.is_none() && text == marked, "{label} by {limit}: {text:02x?}");
        }
    }
}

#[test]
fn utf_8_is_left_alone_unless_it_is_to_be_replaced() {
    let input = b"a\xffb\xe2\x82";
    let read = |encoding_errors| {
        let options = ReaderOptions { encoding_errors, ..given("utf-8") };
        let mut opened = open(Source::reader("x", Cut { inner: &input[..], first: 0, limit: 1 }), &options).unwrap();
        (drain(&mut opened.text).0, opened.replaced.load(Ordering::Relaxed))
    };
    assert_eq!(read(EncodingErrors::Error), (input.to_vec(), 0));
    assert_eq!(read(EncodingErrors::Reject), (input.to_vec(), 0));
    assert_eq!(read(EncodingErrors::Replace), ("a\u{fffd}b\u{fffd}".into(), 2));
}

#[test]
fn every_file_is_detected() {
    let mut seen = 0;
    for file in fixtures("encodings").iter().filter(|file| file.ends_with(".csv")) {
        let (codec, text) = file.split_once('.').unwrap();
        if matches!(codec, "expected" | "damaged") {
            continue;
        }
        let expected = fs::read(fixture("encodings").join(format!("expected.{text}"))).unwrap();
        let path = fixture("encodings").join(file);
        let by = match codec {
            "utf-8" => DecidedBy::ValidUtf8,
            "utf-8-sig" | "utf-16" | "utf-32" => DecidedBy::Bom,
            _ => DecidedBy::Detected,
        };
        let bytes = fs::read(&path).unwrap();
        for source in
            [Source::Path(path), Source::reader("stream", Cut { inner: Cursor::new(bytes), first: 0, limit: 3 })]
        {
            let mut opened = open(source, &ReaderOptions::default()).unwrap();
            let (got, error) = drain(&mut opened.text);
            assert!(error.is_none() && got == expected, "{file}: {:?} {error:?}", opened.encoding);
            assert_eq!(opened.encoding.decided_by, by, "{file}: {}", opened.encoding);
            if by == DecidedBy::Detected && !codec.starts_with("utf") {
                assert!(opened.encoding.evidence.contains("line 1 reads: "), "{file}: {}", opened.encoding);
            }
        }
        seen += 1;
    }
    assert_eq!(seen, 21);
}

#[test]
fn one_bad_byte_does_not_turn_utf_8_into_something_else() {
    let opened = open(Source::Path(fixture("encodings/damaged.east.csv")), &ReaderOptions::default()).unwrap();
    assert_eq!((opened.encoding.name.as_str(), opened.encoding.decided_by), ("utf-8", DecidedBy::Detected));
    assert!(opened.encoding.evidence.contains("except for 1 invalid sequences, the first of them A3"));
}

#[test]
fn a_mark_beats_the_label_and_is_never_part_of_the_text() {
    for (label, mark) in [
        ("utf-8", &b"\xef\xbb\xbf"[..]),
        ("utf-16-le", b"\xff\xfe"),
        ("utf-16-be", b"\xfe\xff"),
        ("utf-32-le", b"\xff\xfe\0\0"),
        ("utf-32-be", b"\0\0\xfe\xff"),
        ("gb18030", b"\x84\x31\x95\x33"),
    ] {
        let mut transcoder = Transcoder::new(label, WriteBom::Always, Unmappable::Error).unwrap();
        let mut bytes = Vec::new();
        transcoder.encode("é,x\n", &mut bytes).unwrap();
        transcoder.encode("1,2\n", &mut bytes).unwrap();
        transcoder.finish(&mut bytes);
        assert!(bytes.starts_with(mark), "{label}");
        for options in [ReaderOptions::default(), given("latin-1"), given(label)] {
            let read = Cut { inner: Cursor::new(bytes.clone()), first: 0, limit: 1 };
            let mut opened = open(Source::reader("x", read), &options).unwrap();
            assert_eq!((opened.encoding.name.as_str(), opened.encoding.decided_by), (label, DecidedBy::Bom));
            let mut text = String::new();
            opened.text.read_to_string(&mut text).unwrap();
            assert_eq!(text, "é,x\n1,2\n", "{label}");
        }
    }
}

#[test]
fn a_nul_behind_the_mark_of_utf_16_does_not_make_it_utf_32() {
    let input = b"\xff\xfe\0\0a\0,\0b\0\n\0";
    for options in [ReaderOptions::default(), given("utf-16"), given("latin-1")] {
        let (text, error) = read_all(Source::reader("x", &input[..]), &options);
        assert!(error.is_none() && text == b"\0a,b\n", "{text:02x?} {error:?}");
    }
}

#[test]
fn a_mark_is_written_where_it_is_wanted() {
    let first = |label, bom| {
        let mut transcoder = Transcoder::new(label, bom, Unmappable::Error).unwrap();
        let mut bytes = Vec::new();
        transcoder.encode("a", &mut bytes).unwrap();
        transcoder.encode("b", &mut bytes).unwrap();
        transcoder.finish(&mut bytes);
        bytes
    };
    assert_eq!(first("utf-8", WriteBom::Auto), b"ab");
    assert_eq!(first("utf-8-sig", WriteBom::Auto), b"\xef\xbb\xbfab");
    assert_eq!(first("utf-8", WriteBom::Always), b"\xef\xbb\xbfab");
    assert_eq!(first("utf-16", WriteBom::Auto), b"\xff\xfea\0b\0");
    assert_eq!(first("utf-16", WriteBom::Never), b"a\0b\0");
    assert_eq!(first("utf-32-be", WriteBom::Auto), b"\0\0\xfe\xff\0\0\0a\0\0\0b");
    assert_eq!(first("latin-1", WriteBom::Always), b"ab");
}

#[test]
fn characters_an_encoding_lacks_are_listed_replaced_or_escaped() {
    for (label, question) in
        [("latin-1", &b"?"[..]), ("cp1252", b"?"), ("cp437", b"?"), ("iso-2022-jp", b"?"), ("cp037", b"\x6f")]
    {
        let encode = |unmappable, text: &str| {
            let mut transcoder = Transcoder::new(label, WriteBom::Auto, unmappable).unwrap();
            let mut bytes = Vec::new();
            transcoder.encode(text, &mut bytes).map(|()| {
                transcoder.finish(&mut bytes);
                (bytes, transcoder.replaced())
            })
        };
        assert_eq!(encode(Unmappable::Replace, "😀").unwrap(), (question.to_vec(), 1), "{label}");
        let (escaped, count) = encode(Unmappable::Escape, "a😀").unwrap();
        let (text, _) = read_all(Source::reader("x", Cursor::new(escaped)), &given(label));
        assert_eq!((std::str::from_utf8(&text).unwrap(), count), ("a\\u{1F600}", 1), "{label}");

        let unmapped = encode(Unmappable::Error, &format!("ok\n😀{}", "ꙮ".repeat(30))).unwrap_err();
        assert_eq!((unmapped.count, unmapped.first.len(), unmapped.first[0]), (31, 20, (3, '😀')), "{label}");
        let error = unmapped.into_error(|at| Location::new("out.csv").with_record(2).with_column(format!("c{at}")));
        let message = error.to_string();
        assert!(message.starts_with("out.csv: record 2, column \"c3\": 31 characters that "), "{message}");
        let listed = "'😀' (U+1F600) at record 2, column \"c3\", 'ꙮ' (U+A66E) at record 2, column \"c7\"";
        assert!(message.contains(listed), "{message}");
        assert!(message.contains("--unmappable replace"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// What any encoding writes reads back the same, however it is cut on both ways.
    #[test]
    fn any_text_survives_any_encoding_and_any_cut(
        which in 0..1000usize,
        picks in vec(any::<prop::sample::Index>(), 0..60),
        wild in vec(any::<char>(), 0..40),
        pieces in 1..9usize,
        limit in 1..9usize,
        first in 0..9usize,
    ) {
        let names = Encoding::names();
        let label = names[which % names.len()];
        // Characters that the encoding has: by its own reading of all bytes, and whatever else it can write.
        let (own, _) = read_all(
            Source::reader("all", Cursor::new((0..=255u8).collect::<Vec<_>>())),
            &ReaderOptions { encoding_errors: EncodingErrors::Replace, ..given(label) },
        );
        let own: Vec<char> = String::from_utf8(own).unwrap().chars().filter(|char| *char != '\u{fffd}').collect();
        let mut chars: Vec<char> = wild;
        chars.extend(picks.iter().filter(|_| !own.is_empty()).map(|pick| *pick.get(&own)));
        // A mark at the start would be taken for one; escapes are what ISO-2022-JP is made of.
        chars.retain(|char| !matches!(char, '\u{feff}' | '\u{1b}' | '\u{e}' | '\u{f}'));
        chars.retain(|char| {
            let mut transcoder = Transcoder::new(label, WriteBom::Never, Unmappable::Error).unwrap();
            let mut bytes = Vec::new();
            let writes = transcoder.encode(&char.to_string(), &mut bytes).is_ok();
            transcoder.finish(&mut bytes);
            // Some encodings of the web fold variants of a character together when they write.
            let back = |bytes| read_all(Source::reader("one", Cursor::new(bytes)), &given(label)).0;
            writes && back([&b""[..], &bytes].concat()) == char.to_string().as_bytes()
        });
        let text: String = chars.iter().collect();
        let mut transcoder = Transcoder::new(label, WriteBom::Auto, Unmappable::Error).unwrap();
        let mut bytes = Vec::new();
        for piece in chars.chunks(pieces) {
            transcoder.encode(&piece.iter().collect::<String>(), &mut bytes).unwrap();
        }
        transcoder.finish(&mut bytes);
        let read = Cut { inner: Cursor::new(bytes.clone()), first, limit };
        let (back, error) = read_all(Source::reader(label, read), &given(label));
        // Bytes of a charset may look like the mark of another; then the mark wins, as it is documented to.
        let marked = [&b"\xef\xbb\xbf"[..], b"\xff\xfe", b"\xfe\xff", b"\x84\x31\x95\x33"];
        if !marked.iter().any(|mark| bytes.starts_with(mark)) || label.starts_with("utf") {
            prop_assert!(error.is_none(), "{label}: {error:?}");
            prop_assert_eq!(std::str::from_utf8(&back).unwrap(), text, "{}", label);
        }
    }
}
