use std::fs;
use std::io::Write;
use std::sync::atomic::Ordering;

use duckstream::{Compression, Compressor, Error, ErrorKind, ReaderOptions, Source};

use crate::util::{Cut, fixture, fixtures, open, read_all};

/// What reading a fixture must come to.
enum Want {
    Rows,
    Nothing,
    /// Part of the rows, then an error of that format whose message has these words.
    Corrupt(&'static str, &'static str),
    Usage(&'static str),
}

use Want::{Corrupt, Nothing, Rows, Usage};

const CASES: &[(&str, Compression, Want)] = &[
    ("rows.csv", Compression::None, Rows),
    // Read
    ("rows.csv.gz", Compression::Gzip, Rows),
    ("rows.csv.bz2", Compression::Bz2, Rows),
    ("rows.csv.zst", Compression::Zstd, Rows),
    ("rows.csv.xz", Compression::Xz, Rows),
    ("rows.csv.zip", Compression::Zip, Rows),
    ("stored.csv.zip", Compression::Zip, Rows),
    ("bzip2.csv.zip", Compression::Zip, Rows),
    ("zstd.csv.zip", Compression::Zip, Rows),
    ("xz.csv.zip", Compression::Zip, Rows),
    ("zip64.csv.zip", Compression::Zip, Rows),
    ("descriptor.csv.zip", Compression::Zip, Rows),
    ("nested.zip", Compression::Zip, Rows),
    ("junk.zip", Compression::Zip, Rows),
    // The bytes decide, not the name
    ("unnamed_gz.csv", Compression::Gzip, Rows),
    ("unnamed_bz2.csv", Compression::Bz2, Rows),
    ("unnamed_zst.csv", Compression::Zstd, Rows),
    ("unnamed_xz.csv", Compression::Xz, Rows),
    ("unnamed_zip.csv", Compression::Zip, Rows),
    ("plain.csv.gz", Compression::None, Rows),
    ("plain.csv.bz2", Compression::None, Rows),
    ("plain.csv.zst", Compression::None, Rows),
    ("plain.csv.xz", Compression::None, Rows),
    // Several members, frames, streams
    ("multi.csv.gz", Compression::Gzip, Rows),
    ("multi.csv.bz2", Compression::Bz2, Rows),
    ("multi.csv.zst", Compression::Zstd, Rows),
    ("multi.csv.xz", Compression::Xz, Rows),
    ("bgzf.csv.gz", Compression::Gzip, Rows),
    ("skippable.csv.zst", Compression::Zstd, Rows),
    // Zeros behind the data
    ("padded.csv.gz", Compression::Gzip, Rows),
    ("padded.csv.bz2", Compression::Bz2, Rows),
    ("padded.csv.zst", Compression::Zstd, Rows),
    ("padded.csv.xz", Compression::Xz, Rows),
    // Something else behind the data
    ("trailing.csv.gz", Compression::Gzip, Corrupt("gzip", "is not gzip data; if it is no loss, keep the first 1")),
    ("trailing.csv.bz2", Compression::Bz2, Corrupt("bzip2", "is not bzip2 data")),
    ("trailing.csv.zst", Compression::Zstd, Corrupt("zstd", "is not zstd data")),
    ("trailing.csv.xz", Compression::Xz, Corrupt("xz", "is not xz data")),
    // Truncated
    ("truncated.csv.gz", Compression::Gzip, Corrupt("gzip", "ends before")),
    ("truncated.csv.bz2", Compression::Bz2, Corrupt("bzip2", "ends before")),
    ("truncated.csv.zst", Compression::Zstd, Corrupt("zstd", "ends before")),
    ("truncated.csv.xz", Compression::Xz, Corrupt("xz", "ends before")),
    ("truncated.csv.zip", Compression::Zip, Corrupt("zip", "")),
    ("second_truncated.csv.gz", Compression::Gzip, Corrupt("gzip", "ends before")),
    ("stub.csv.gz", Compression::Gzip, Corrupt("gzip", "not the beginning of gzip data")),
    ("stub.csv.bz2", Compression::Bz2, Corrupt("bzip2", "not the beginning")),
    ("stub.csv.zst", Compression::Zstd, Corrupt("zstd", "not the beginning")),
    ("stub.csv.xz", Compression::Xz, Corrupt("xz", "not the beginning")),
    // Damaged
    ("corrupt.csv.gz", Compression::Gzip, Corrupt("gzip", "")),
    ("corrupt.csv.bz2", Compression::Bz2, Corrupt("bzip2", "")),
    ("corrupt.csv.zst", Compression::Zstd, Corrupt("zstd", "")),
    ("corrupt.csv.xz", Compression::Xz, Corrupt("xz", "")),
    ("corrupt.csv.zip", Compression::Zip, Corrupt("zip", "")),
    ("checksum.csv.gz", Compression::Gzip, Corrupt("gzip", "check")),
    ("checksum.csv.zst", Compression::Zstd, Corrupt("zstd", "checksum")),
    ("checksum.csv.zip", Compression::Zip, Corrupt("zip", "checksum")),
    // Empty
    ("empty.csv.gz", Compression::Gzip, Nothing),
    ("empty.csv.bz2", Compression::Bz2, Nothing),
    ("empty.csv.zst", Compression::Zstd, Nothing),
    ("empty.csv.xz", Compression::Xz, Nothing),
    ("empty.csv.zip", Compression::Zip, Nothing),
    ("nothing.csv.gz", Compression::None, Nothing),
    ("nothing.csv.bz2", Compression::None, Nothing),
    ("nothing.csv.zst", Compression::None, Nothing),
    ("nothing.csv.xz", Compression::None, Nothing),
    ("nothing.csv.zip", Compression::None, Nothing),
    // Archives that need a person
    ("no_members.zip", Compression::Zip, Usage("has no data in it")),
    ("only_junk.zip", Compression::Zip, Usage("has no data in it")),
    ("several.zip", Compression::Zip, Usage("has 5 members; say which, for example")),
    ("encrypted.zip", Compression::Zip, Usage("rows.csv is encrypted")),
    ("lzma.csv.zip", Compression::Zip, Usage("zip method")),
    ("zip_in_zip.zip", Compression::Zip, Usage("archive within an archive")),
];

fn check(name: &str, want: &Want, got: (Vec<u8>, Option<Error>), size: u64) {
    let rows = fs::read(fixture("compressed/rows.csv")).unwrap();
    let (bytes, error) = got;
    match want {
        Rows => assert!(bytes == rows && error.is_none(), "{name}: {} bytes, {error:?}", bytes.len()),
        Nothing => assert!(bytes.is_empty() && error.is_none(), "{name}: {error:?}"),
        Corrupt(wanted, words) => {
            let error = error.unwrap_or_else(|| panic!("{name}: no error"));
            assert!(error.to_string().contains(words), "{name}: {error}");
            let ErrorKind::Corrupt { at, format, compressed_offset, .. } = error.kind() else {
                panic!("{name}: {error}")
            };
            assert!(at.source.ends_with(name), "{name}: {at}");
            assert_eq!(format, wanted, "{name}");
            assert!(*compressed_offset <= size, "{name}: {error}");
            // What is cut short is right as far as it goes; what is damaged may have gone wrong before that shows.
            assert!(rows.starts_with(&bytes) || !words.contains("ends"), "{name}: wrong bytes before the error");
        }
        Usage(words) => {
            let error = error.unwrap_or_else(|| panic!("{name}: no error"));
            assert!(matches!(error.kind(), ErrorKind::Usage { .. }), "{name}: {error:?}");
            assert!(error.to_string().contains(words), "{name}: {error}");
        }
    }
}

#[test]
fn every_fixture_reads_as_it_should() {
    let mut names: Vec<_> = CASES.iter().map(|case| case.0).collect();
    names.sort();
    assert_eq!(names, fixtures("compressed"), "cases and fixtures differ");
    for (name, format, want) in CASES {
        let path = fixture("compressed").join(name);
        let size = path.metadata().unwrap().len();
        let options = ReaderOptions::default();
        if let Ok(opened) = open(Source::Path(path.clone()), &options) {
            assert_eq!(opened.compression, *format, "{name}");
            assert!(opened.raw_total.unwrap() <= size, "{name}");
        }
        check(name, want, read_all(Source::Path(path.clone()), &options), size);
    }
}

#[test]
fn every_format_reads_from_a_stream_cut_anywhere() {
    for (name, format, want) in CASES {
        let bytes = fs::read(fixture("compressed").join(name)).unwrap();
        let size = bytes.len() as u64;
        for limit in [1, 7, 4096] {
            let read = Cut { inner: std::io::Cursor::new(bytes.clone()), first: 0, limit };
            let got = read_all(Source::reader(*name, read), &ReaderOptions::default());
            if *format == Compression::Zip && bytes.starts_with(b"PK") {
                let error = got.1.unwrap().to_string();
                assert!(error.contains("a zip archive cannot be read from a stream"), "{name}: {error}");
            } else {
                check(name, want, got, size);
            }
        }
    }
}

#[test]
fn every_byte_at_which_a_stream_can_end_is_an_error() {
    let rows = fs::read(fixture("compressed/rows.csv")).unwrap();
    for extension in ["gz", "bz2", "zst", "xz"] {
        let name = format!("rows.csv.{extension}");
        let bytes = fs::read(fixture("compressed").join(&name)).unwrap();
        for length in 1..bytes.len() {
            let head = std::io::Cursor::new(bytes[..length].to_vec());
            let (text, error) = read_all(Source::reader(&name, head), &ReaderOptions::default());
            let error = error.unwrap_or_else(|| panic!("{name} cut to {length} bytes: no error"));
            assert!(matches!(error.kind(), ErrorKind::Corrupt { .. }), "{name} cut to {length}: {error}");
            assert!(rows.starts_with(&text));
        }
    }
}

#[test]
fn a_given_compression_is_not_second_guessed() {
    let options = |compression| ReaderOptions { compression, ..ReaderOptions::default() };
    let packed = fixture("compressed/rows.csv.gz");
    let raw = fs::read(&packed).unwrap();
    let (bytes, error) = read_all(Source::Path(packed.clone()), &options(Compression::None));
    assert!(error.is_none() && bytes.starts_with(&raw[..2]) || bytes.len() >= raw.len());
    let (_, error) = read_all(Source::Path(packed.clone()), &options(Compression::Zstd));
    assert!(error.unwrap().to_string().contains("not the beginning of zstd data"));
    let (bytes, error) = read_all(Source::Path(packed), &options(Compression::Gzip));
    assert!(error.is_none() && bytes == fs::read(fixture("compressed/rows.csv")).unwrap());
}

#[test]
fn progress_counts_compressed_bytes_and_ends_at_their_total() {
    for (name, _, want) in CASES {
        if let Rows = want {
            let mut opened = open(Source::Path(fixture("compressed").join(name)), &ReaderOptions::default()).unwrap();
            std::io::copy(&mut opened.text, &mut std::io::sink()).unwrap();
            assert_eq!(Some(opened.raw_read.load(Ordering::Relaxed)), opened.raw_total, "{name}");
        }
    }
}

fn pack(format: Compression, level: Option<u32>, data: &[u8], piece: usize) -> Vec<u8> {
    let mut compressor = Compressor::new(Vec::new(), format, level).unwrap();
    for piece in data.chunks(piece) {
        compressor.write_all(piece).unwrap();
        compressor.flush().unwrap();
    }
    compressor.finish().unwrap()
}

/// Text of more than a few blocks that compresses, but not to nothing.
fn long_text() -> Vec<u8> {
    let mut state = 1u64;
    let mut text = Vec::new();
    while text.len() < 1_500_000 {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        text.extend_from_slice(format!("{},{}\n", text.len(), state >> 40).as_bytes());
    }
    text
}

#[test]
fn what_is_written_reads_back_and_does_not_depend_on_how_it_was_cut() {
    let text = long_text();
    for (format, level) in [
        (Compression::None, None),
        (Compression::Gzip, None),
        (Compression::Gzip, Some(1)),
        (Compression::Zstd, None),
        (Compression::Bz2, Some(1)),
        (Compression::Xz, Some(0)),
    ] {
        let packed = pack(format, level, &text, text.len());
        for piece in [1000, 131_072, 999_983] {
            assert!(packed == pack(format, level, &text, piece), "{format} in pieces of {piece}");
        }
        let (back, error) = read_all(Source::reader("packed", std::io::Cursor::new(packed)), &ReaderOptions::default());
        assert!(error.is_none() && back == text, "{format}: {error:?}");
        let (back, error) = read_all(
            Source::reader("none", std::io::Cursor::new(pack(format, level, b"", 1))),
            &ReaderOptions::default(),
        );
        assert!(error.is_none() && back.is_empty(), "{format}: {error:?}");
    }
}

#[test]
fn levels_that_a_format_lacks_are_refused() {
    for (format, level) in
        [(Compression::Gzip, 10), (Compression::Bz2, 0), (Compression::Zstd, 23), (Compression::Xz, 10)]
    {
        let error = Compressor::new(Vec::new(), format, Some(level)).err().unwrap();
        assert!(error.to_string().contains("has no compression level"), "{error}");
    }
    assert!(Compressor::new(Vec::new(), Compression::None, Some(1)).is_err());
    assert!(Compressor::new(Vec::new(), Compression::Zip, None).is_err());
}

#[test]
fn no_flipped_bit_passes_unnoticed() {
    let rows = fs::read(fixture("compressed/rows.csv")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for extension in ["gz", "bz2", "zst", "xz", "zip"] {
        let name = format!("rows.csv.{extension}");
        let path = folder.path().join(&name);
        let bytes = fs::read(fixture("compressed").join(&name)).unwrap();
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1 << (at % 8);
            fs::write(&path, damaged).unwrap();
            let (text, error) = read_all(Source::Path(path.clone()), &ReaderOptions::default());
            assert!(error.is_some() || text == rows, "{name}: byte {at} of {}", bytes.len());
        }
    }
}

#[test]
fn a_later_member_of_any_size_is_not_lost() {
    let text = long_text();
    for format in [Compression::Gzip, Compression::Zstd, Compression::Bz2, Compression::Xz] {
        // Members of 1 byte, of nothing, and longer than every buffer.
        let mut packed = Vec::new();
        for part in [&text[..1], &text[1..1], &text[1..700_001], &text[700_001..]] {
            packed.extend(pack(format, None, part, 65_536));
        }
        let (back, error) =
            read_all(Source::reader("members", std::io::Cursor::new(packed)), &ReaderOptions::default());
        assert!(error.is_none() && back == text, "{format}: {error:?}");
    }
}
