//! Input that is damaged below the rows: cut short, or with bytes that are no characters.

use std::io::{Cursor, Write};

use duckstream::{Auto, Compression, Compressor, CsvReaderBuilder, Error, ErrorKind, Header, ReaderOptions};

fn packed(text: &str, format: Compression) -> Vec<u8> {
    let mut compressor = Compressor::new(Vec::new(), format, None).unwrap();
    compressor.write_all(text.as_bytes()).unwrap();
    compressor.finish().unwrap()
}

fn cut_short(text: &str, format: Compression) -> Vec<u8> {
    let mut packed = packed(text, format);
    packed.truncate(packed.len() * 2 / 3);
    packed
}

fn first_error(packed: Vec<u8>) -> String {
    let options = ReaderOptions { batch_size: 300, ..ReaderOptions::default() };
    match CsvReaderBuilder::new().with_options(options).build(Cursor::new(packed)) {
        Ok(mut reader) => reader.find_map(Result::err).unwrap().to_string(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn damaged_input_says_how_many_rows_came_before() {
    let text: String = (0..40_000u64).map(|n| format!("{n},{}\n", n.wrapping_mul(0x9E37_79B9_7F4A_7C15))).collect();
    for format in [Compression::Gzip, Compression::Zstd, Compression::Bz2, Compression::Xz] {
        for (batch_size, threads) in [(1000, 1), (1000, 3), (100_000, 2)] {
            let options = ReaderOptions { batch_size, threads, header: Header::Absent, ..ReaderOptions::default() };
            let packed = Cursor::new(cut_short(&text, format));
            let mut read = 0;
            let error = match CsvReaderBuilder::new().with_options(options).build(packed) {
                Ok(mut reader) => reader.find_map(|batch| match batch {
                    Ok(batch) => {
                        read += batch.num_rows() as u64;
                        None
                    }
                    Err(error) => Some(Error::arrow("reading", error)),
                }),
                Err(error) => Some(error),
            };
            let error = error.unwrap();
            let ErrorKind::Corrupt { rows, .. } = error.kind() else { panic!("{error}") };
            assert_eq!(*rows, Some(read), "{format} {batch_size} {threads}: {error}");
            // A block of bzip2 is larger than this text.
            assert_eq!(read > 10_000, format != Compression::Bz2, "{format}: {read} rows");
            assert!(error.to_string().contains(&format!(", after {read} rows: ")), "{error}");
        }
    }
}

#[test]
fn damage_is_blamed_before_the_row_that_it_spoiled() {
    // A row that does not fit, and then the input ends too soon.
    let spoiled: String = (0..2000).map(|n| if n == 9 { "9\n".to_owned() } else { format!("{n},{n}\n") }).collect();
    let error = first_error(cut_short(&spoiled, Compression::Gzip));
    assert!(error.contains("cut short"), "{error}");
    // The checksum at the very end is another's.
    let mut packed = packed(&spoiled, Compression::Gzip);
    let at = packed.len() - 6;
    packed[at] ^= 1;
    let error = first_error(packed);
    assert!(error.contains("gzip data is damaged"), "{error}");
    // Without damage the row is to blame.
    let error = first_error(self::packed(&spoiled, Compression::Gzip));
    assert!(error.contains("line 10"), "{error}");
}

#[test]
fn characters_that_are_none_are_named_with_their_column() {
    let message = |text: &[u8], encoding: &str| {
        let encoding = Auto::Value(encoding.to_owned());
        let options = ReaderOptions { encoding, ..ReaderOptions::default() };
        match CsvReaderBuilder::new().with_options(options).build(Cursor::new(text.to_vec())) {
            Ok(mut reader) => reader.find_map(Result::err).unwrap().to_string(),
            Err(error) => error.to_string(),
        }
    };
    let found = message(b"id,name\n1,a\n2,b\xa3c\n", "utf-8");
    for part in ["line 3", "\"name\"", "byte 12", "bytes A3, 3 bytes into the row"] {
        assert!(found.contains(part), "{part}: {found}");
    }
    let found = message(b"id,name\n1,a\n2,b\xff\n", "shift_jis");
    for part in ["line 3", "\"name\"", "byte 15", "bytes FF are not valid shift_jis"] {
        assert!(found.contains(part), "{part}: {found}");
    }
}
