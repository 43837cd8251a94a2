//! Runs that end before their time. Loads read a stdin that stays open, exports a query without an end: neither can be
//! done before the blow falls.

use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::cli_support::{Cli, until};

/// A load that has read some rows and waits for more.
fn load(cli: &Cli, table: &str) -> (Child, impl Write) {
    let mut child = cli
        .command(&["load", "-", "--db", "f.duckdb", "--table", table, "-q"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // More than the pipe holds: when it is written, the program is reading.
    let rows: String = (0..200_000).map(|row| format!("{row},text {row}\n")).collect();
    stdin.write_all(b"n,t\n").unwrap();
    stdin.write_all(rows.as_bytes()).unwrap();
    (child, stdin)
}

/// An export that is writing.
fn export(cli: &Cli) -> Child {
    let endless = "SELECT range AS n, 'text' AS t FROM range(100000000000)";
    let child = cli
        .command(&["export", "--db", "f.duckdb", "--sql", endless, "out.csv", "-q"])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    until(|| cli.files().iter().any(|name| name.starts_with(".out.csv.")));
    child
}

fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").args([name, &child.id().to_string()]).status().unwrap().success());
}

fn prepared() -> Cli {
    let cli = Cli::new();
    cli.write("old.csv", "a\n1\n").write("out.csv", "old\n");
    cli.expect(0, &["load", "old.csv", "--db", "f.duckdb", "-q"]);
    cli
}

#[test]
fn a_killed_load_leaves_the_database_as_it_was() {
    let cli = prepared();
    let (mut child, stdin) = load(&cli, "t");
    child.kill().unwrap();
    child.wait().unwrap();
    drop(stdin);
    assert!(!cli.has_table("f.duckdb", "t"));
    assert_eq!(cli.expect(0, &["export", "--db", "f.duckdb", "old", "-", "-q"]).stdout, "a\n1\n");
    cli.expect(0, &["load", "old.csv", "--db", "f.duckdb#t", "-q"]);
}

#[test]
fn a_killed_export_leaves_the_old_file_and_the_next_one_sweeps() {
    let cli = prepared();
    let mut child = export(&cli);
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(cli.read("out.csv"), "old\n");
    cli.expect(0, &["export", "--db", "f.duckdb", "old", "out.csv", "-q"]);
    assert_eq!(cli.read("out.csv"), "a\n1\n");
    assert!(cli.files().iter().all(|name| !name.starts_with('.')), "{:?}", cli.files());
}

#[test]
fn a_cancelled_run_cleans_up_and_says_so() {
    for (name, code) in [("-INT", 130), ("-TERM", 143)] {
        let cli = prepared();
        let (mut child, stdin) = load(&cli, "t");
        signal(&child, name);
        let start = Instant::now();
        let status = child.wait().unwrap();
        assert!(start.elapsed() < Duration::from_secs(5));
        drop(stdin);
        let mut stderr = String::new();
        child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        assert_eq!((status.code(), stderr.as_str()), (Some(code), "cancelled; nothing of this run is left\n"));
        assert!(!cli.has_table("f.duckdb", "t"));

        let mut child = export(&cli);
        signal(&child, name);
        assert_eq!(child.wait().unwrap().code(), Some(code));
        assert_eq!(cli.read("out.csv"), "old\n");
        assert!(cli.files().iter().all(|name| !name.starts_with('.')), "{:?}", cli.files());
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let cli = prepared();
    let mut child = cli
        .command(&["export", "--db", "f.duckdb", "--sql", "FROM range(100000000000)", "-"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = [0; 10];
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut first).unwrap();
    drop(stdout);
    let output = child.wait_with_output().unwrap();
    assert_eq!(&first, b"range\n0\n1\n");
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
}
