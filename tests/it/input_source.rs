use std::fs;
use std::io::{self, Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use duckstream::{CancelToken, Compression, ErrorKind, ReaderOptions, Replay, Source, open_input};

use crate::util::{Cut, drain, fixture, open, read_all};

fn expand(argument: &str) -> Vec<String> {
    let root = fixture("").display().to_string();
    Source::expand(argument).unwrap().iter().map(|source| source.to_string().replace(&root, "")).collect()
}

#[test]
fn arguments_expand_to_sources() {
    let at = |rest: &str| fixture(rest).to_string_lossy().into_owned();
    assert_eq!(expand("-"), ["-"]);
    assert_eq!(expand(&at("compressed/rows.csv")), ["compressed/rows.csv"]);
    assert_eq!(expand(&at("compressed/rows.csv.[bg]z*")), ["compressed/rows.csv.bz2", "compressed/rows.csv.gz"]);
    assert_eq!(expand(&at("*/rows.csv")), ["compressed/rows.csv"]);
    let several = at("compressed/several.zip");
    let member = |name: &str| format!("compressed/several.zip::{name}");
    assert_eq!(expand(&several), ["compressed/several.zip"]);
    assert_eq!(expand(&format!("{several}::b.csv")), [member("b.csv")]);
    assert_eq!(expand(&format!("{several}::[1].csv")), [member("[1].csv")]);
    assert_eq!(expand(&format!("{several}::*.csv")), ["[1].csv", "a.csv", "b.csv", "sub/c.csv"].map(member));
    assert_eq!(expand(&format!("{}::*", at("compressed/junk.zip"))), ["compressed/junk.zip::data/rows.csv"]);
    assert_eq!(expand(&format!("{}::data/*", at("compressed/j*.zip"))), ["compressed/junk.zip::data/rows.csv"]);
}

#[test]
fn what_is_not_there_is_said() {
    for argument in ["no/such.csv", "no/*.csv", "no.zip::x.csv", "no*.zip::*"] {
        let error = Source::expand(argument).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::NotFound { .. }), "{error}");
    }
    let member = format!("{}::none*", fixture("compressed/several.zip").display());
    assert!(matches!(Source::expand(&member).unwrap_err().kind(), ErrorKind::NotFound { .. }));
    let error = Source::expand(&fixture("compressed").to_string_lossy()).unwrap_err();
    assert!(error.to_string().contains("is a folder; name its files"), "{error}");
    let error = open(Source::Path("no/such.csv".into()), &ReaderOptions::default()).unwrap_err();
    assert_eq!(error.to_string(), "CSV file not found: no/such.csv");
    let missing = Source::Member { archive: fixture("compressed/several.zip"), name: "x".to_owned() };
    assert!(matches!(open(missing, &ReaderOptions::default()).unwrap_err().kind(), ErrorKind::NotFound { .. }));
    let label = ReaderOptions { encoding: "utf-9".parse().unwrap(), ..ReaderOptions::default() };
    assert!(open(Source::reader("x", io::empty()), &label).unwrap_err().to_string().contains("did you mean"));
}

#[test]
fn a_path_that_exists_is_never_a_glob() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["[a].csv", "a.csv", "a.zip::b.csv", ".hidden.csv"] {
        fs::write(folder.path().join(name), "x\n1\n").unwrap();
    }
    let at = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let one = |argument: &str| match &Source::expand(&at(argument)).unwrap()[..] {
        [Source::Path(path)] => path.file_name().unwrap().to_string_lossy().into_owned(),
        other => panic!("{argument}: {other:?}"),
    };
    assert_eq!(one("[a].csv"), "[a].csv");
    assert_eq!(one("a.zip::b.csv"), "a.zip::b.csv");
    // As in a shell: no hidden files, in order.
    let all: Vec<_> = Source::expand(&at("*.csv")).unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(all, ["[a].csv", "a.csv", "a.zip::b.csv"].map(at));
}

#[test]
fn members_read_and_say_where_they_are() {
    for source in Source::expand(&format!("{}::*.csv", fixture("compressed/several.zip").display())).unwrap() {
        let mut opened = open(source, &ReaderOptions::default()).unwrap();
        assert!(opened.at.to_string().contains("several.zip::"), "{}", opened.at);
        let (text, error) = drain(&mut opened.text);
        assert!(error.is_none() && text.starts_with(b"x\n") && text.len() == 4);
    }
}

#[test]
fn a_stream_can_start_over_within_the_cap() {
    for name in ["rows.csv", "rows.csv.gz", "multi.csv.xz"] {
        let rows = fs::read(fixture("compressed/rows.csv")).unwrap();
        let bytes = fs::read(fixture("compressed").join(name)).unwrap();
        let cap = bytes.len() as u64;
        let stream = || Source::reader(name, Cut { inner: Cursor::new(bytes.clone()), first: 0, limit: 100 });
        assert!(!stream().is_replayable());
        let mut replay = Replay::new(stream(), cap).unwrap();
        for taken in [0, 1, 700, usize::MAX, usize::MAX] {
            let mut opened = replay.open(&ReaderOptions::default(), &CancelToken::new()).unwrap();
            let mut text = Vec::new();
            opened.text.by_ref().take(taken as u64).read_to_end(&mut text).unwrap();
            assert!(rows.starts_with(&text) && text.len() == taken.min(rows.len()), "{name}");
        }
        let mut replay = Replay::new(stream(), cap - 1).unwrap();
        let (text, error) = drain(&mut replay.open(&ReaderOptions::default(), &CancelToken::new()).unwrap().text);
        assert!(error.is_none() && text == rows, "{name}: the first reading does not care about the cap");
        let error = replay.open(&ReaderOptions::default(), &CancelToken::new()).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Usage { .. }));
        assert!(error.to_string().contains("--types") && error.to_string().contains("--infer full"), "{error}");
    }
}

#[test]
fn files_and_members_start_over_without_a_cap() {
    let member = Source::Member { archive: fixture("compressed/rows.csv.zip"), name: "rows.csv".to_owned() };
    for source in [Source::Path(fixture("compressed/rows.csv.bz2")), member] {
        assert!(source.is_replayable());
        let mut replay = Replay::new(source, 0).unwrap();
        for _ in 0..2 {
            let mut opened = replay.open(&ReaderOptions::default(), &CancelToken::new()).unwrap();
            assert_eq!(drain(&mut opened.text).0, fs::read(fixture("compressed/rows.csv")).unwrap());
        }
    }
}

/// Endless zeros and ones, and a flag that says when the reader was dropped.
struct Endless(Arc<AtomicBool>);

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        buffer.fill(b'1');
        Ok(buffer.len())
    }
}

impl Drop for Endless {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// A gzip stream that never ends: stored blocks.
fn endless_gzip(dropped: &Arc<AtomicBool>) -> impl Read + Send + use<> {
    let head = b"\x1f\x8b\x08\0\0\0\0\0\0\xff".to_vec();
    let mut block = vec![0, 0xff, 0xff, 0, 0];
    block.extend(vec![b'1'; 65_535]);
    let blocks = Blocks { block, at: 0, _endless: Endless(Arc::clone(dropped)) };
    Cursor::new(head).chain(blocks)
}

struct Blocks {
    block: Vec<u8>,
    at: usize,
    _endless: Endless,
}

impl Read for Blocks {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = (&self.block[self.at..]).read(buffer)?;
        self.at = (self.at + length) % self.block.len();
        Ok(length)
    }
}

fn wait_for(flag: &AtomicBool) {
    let start = Instant::now();
    while !flag.load(Ordering::SeqCst) {
        assert!(start.elapsed() < Duration::from_secs(2), "the thread goes on");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn dropping_the_reader_ends_its_thread() {
    let dropped = Arc::new(AtomicBool::new(false));
    let mut opened = open(Source::reader("endless", endless_gzip(&dropped)), &ReaderOptions::default()).unwrap();
    assert_eq!(opened.compression, Compression::Gzip);
    opened.text.read_exact(&mut vec![0; 3_000_000]).unwrap();
    assert!(!dropped.load(Ordering::SeqCst));
    drop(opened);
    wait_for(&dropped);
}

#[test]
fn cancelling_ends_reading_and_its_thread() {
    let dropped = Arc::new(AtomicBool::new(false));
    let cancel = CancelToken::new();
    let source = Source::reader("endless", endless_gzip(&dropped));
    let mut opened = open_input(source, &ReaderOptions::default(), &cancel).unwrap();
    opened.text.read_exact(&mut [0; 1000]).unwrap();
    cancel.cancel();
    let (_, error) = drain(&mut opened.text);
    assert!(error.unwrap().is_cancelled());
    drop(opened);
    wait_for(&dropped);
    assert!(open_input(Source::Stdin, &ReaderOptions::default(), &cancel).unwrap_err().is_cancelled());
}

#[test]
fn an_error_of_the_reader_is_passed_on_with_its_place() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::new(io::ErrorKind::ConnectionReset, "line went dead"))
        }
    }
    for name in ["rows.csv", "rows.csv.zst", "rows.csv.bz2"] {
        let mut bytes = fs::read(fixture("compressed").join(name)).unwrap();
        bytes.truncate(bytes.len() / 2);
        let (_, error) =
            read_all(Source::reader("socket", Cursor::new(bytes).chain(Broken)), &ReaderOptions::default());
        assert_eq!(error.unwrap().to_string(), "socket: cannot read: line went dead", "{name}");
    }
}

#[cfg(unix)]
#[test]
fn a_named_pipe_is_a_stream() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pipe.csv.gz");
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    let bytes = fs::read(fixture("compressed/rows.csv.gz")).unwrap();
    let writer = std::thread::spawn({
        let path = path.clone();
        move || fs::write(path, bytes).unwrap()
    });
    let source = Source::Path(path);
    assert!(!source.is_replayable());
    let mut opened = open(source, &ReaderOptions::default()).unwrap();
    assert_eq!((opened.raw_total, opened.compression), (None, Compression::Gzip));
    assert_eq!(drain(&mut opened.text).0, fs::read(fixture("compressed/rows.csv")).unwrap());
    writer.join().unwrap();
}

#[cfg(unix)]
#[test]
fn a_stream_that_keeps_us_waiting_can_be_cancelled() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("slow.csv");
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    let (done, wait) = std::sync::mpsc::channel::<()>();
    let writer = std::thread::spawn({
        let path = path.clone();
        move || {
            let mut pipe = fs::OpenOptions::new().write(true).open(path).unwrap();
            io::Write::write_all(&mut pipe, &[b'x'; 100_000]).unwrap();
            // Keeps the pipe open, and says nothing.
            let _ = wait.recv();
        }
    });
    let cancel = CancelToken::new();
    let mut opened = open_input(Source::Path(path), &ReaderOptions::default(), &cancel).unwrap();
    opened.text.read_exact(&mut [0; 100_000]).unwrap();
    let canceller = std::thread::spawn({
        let cancel = cancel.clone();
        move || cancel.cancel()
    });
    let start = Instant::now();
    let (_, error) = drain(&mut opened.text);
    assert!(error.unwrap().is_cancelled());
    drop(opened);
    assert!(start.elapsed() < Duration::from_secs(1), "it waits for the writer");
    drop(done);
    writer.join().unwrap();
    canceller.join().unwrap();
}
