//! All or nothing: what is under the file's name, and what is left beside it.

use std::fs;
use std::io::Write;
use std::path::Path;

use duckstream::{ErrorKind, IfExists, Sink};

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_file_appears_only_when_finished() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/b/out.csv");
    let mut sink = Sink::create(&path, IfExists::Replace).unwrap().unwrap();
    sink.write_all(b"new").unwrap();
    let lying = names(path.parent().unwrap());
    assert_eq!(lying.len(), 1);
    assert!(lying[0].starts_with(&format!(".out.csv.{}-", std::process::id())) && lying[0].ends_with(".tmp"));
    assert_eq!(sink.finish().unwrap(), 3);
    assert_eq!(names(path.parent().unwrap()), ["out.csv"]);
    assert_eq!(fs::read(&path).unwrap(), b"new");
}

#[test]
fn a_dropped_sink_leaves_the_old_file_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.csv");
    fs::write(&path, "old").unwrap();
    let mut sink = Sink::create(&path, IfExists::Replace).unwrap().unwrap();
    sink.write_all(b"half").unwrap();
    drop(sink);
    assert_eq!(names(folder.path()), ["out.csv"]);
    assert_eq!(fs::read(&path).unwrap(), b"old");

    let panicked = std::panic::catch_unwind(|| {
        let _sink = Sink::create(&path, IfExists::Replace).unwrap().unwrap();
        panic!("on purpose");
    });
    assert!(panicked.is_err());
    assert_eq!(names(folder.path()), ["out.csv"]);
}

#[test]
fn what_exists_is_replaced_refused_or_skipped() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.csv");
    fs::write(&path, "old").unwrap();
    assert!(Sink::create(&path, IfExists::Skip).unwrap().is_none());
    let error = Sink::create(&path, IfExists::Error).err().unwrap();
    assert!(matches!(error.kind(), ErrorKind::Target { .. }), "{error}");
    assert!(error.to_string().contains("--if-exists replace"), "{error}");
    let error = Sink::create(folder.path(), IfExists::Replace).err().unwrap();
    assert!(matches!(error.kind(), ErrorKind::Target { .. }), "{error}");

    // It came to exist while we were writing.
    let late = folder.path().join("late.csv");
    let sink = Sink::create(&late, IfExists::Error).unwrap().unwrap();
    fs::write(&late, "theirs").unwrap();
    assert!(matches!(sink.finish().unwrap_err().kind(), ErrorKind::Target { .. }));
    assert_eq!(fs::read(&late).unwrap(), b"theirs");
    assert_eq!(names(folder.path()), ["late.csv", "out.csv"]);
}

#[test]
fn leftovers_of_the_dead_are_swept_and_the_living_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.csv");
    let stays = [".out.csv.backup.tmp", ".out.csv.1-short.tmp", ".other.csv.1-abcdef.tmp", ".out.csv.x-abcdef.tmp"];
    for name in stays.iter().chain(&[".out.csv.1-abcdef.tmp", ".out.csv.4000000-AbCd12.tmp"]) {
        fs::write(folder.path().join(name), "").unwrap();
    }
    let living = Sink::create(&path, IfExists::Replace).unwrap().unwrap();
    let mut expected: Vec<String> = stays.iter().map(|name| (*name).to_owned()).collect();
    expected.extend(names(folder.path()).into_iter().filter(|name| name.contains(&std::process::id().to_string())));
    expected.sort();
    assert_eq!(names(folder.path()), expected);

    let second = Sink::create(&path, IfExists::Replace).unwrap().unwrap();
    assert_eq!(names(folder.path()).len(), expected.len() + 1);
    second.finish().unwrap();
    living.finish().unwrap();
}

#[cfg(unix)]
#[test]
fn permissions_and_links_are_kept() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = tempfile::tempdir().unwrap();
    let (path, link) = (folder.path().join("out.csv"), folder.path().join("link.csv"));
    fs::write(&path, "old").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    symlink(&path, &link).unwrap();
    let mut sink = Sink::create(&link, IfExists::Replace).unwrap().unwrap();
    sink.write_all(b"new").unwrap();
    sink.finish().unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::read(&path).unwrap(), b"new");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
}

#[cfg(target_os = "linux")]
#[test]
fn devices_are_written_to_directly_and_a_full_disk_is_a_write_error() {
    Sink::create("/dev/null", IfExists::Error).unwrap().unwrap().finish().unwrap();
    let mut sink = Sink::create("/dev/full", IfExists::Replace).unwrap().unwrap();
    assert_eq!(sink.write_all(b"x").unwrap_err().kind(), std::io::ErrorKind::StorageFull);
}
