//! Arrow IPC out and in again.

use std::fs;
use std::sync::Arc;

use arrow::array::*;
use duckstream::{ColumnOrder, ErrorKind, IpcFormat, IpcOptions, Monitor, open_ipc, write_ipc};

fn sample() -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable([
        ("b", Arc::new(StringArray::from(vec![Some("x"), None, Some("")])) as ArrayRef, true),
        ("a", Arc::new(Float64Array::from(vec![1.5, -0.0, 3.0])), true),
    ])
    .unwrap()
}

#[test]
fn both_forms_come_back_as_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.arrow");
    let batch = sample();
    for format in [IpcFormat::File, IpcFormat::Stream] {
        let options = IpcOptions { format, column_order: ColumnOrder::Table, ..Default::default() };
        let reader = RecordBatchIterator::new([Ok(batch.clone()), Ok(batch.slice(1, 2))], batch.schema());
        let summary = write_ipc(reader, &path, &options, &Monitor::default()).unwrap();
        assert_eq!((summary.rows, summary.bytes), (5, fs::metadata(&path).unwrap().len()));
        let read: Vec<_> = open_ipc(&path).unwrap().collect::<Result<_, _>>().unwrap();
        assert_eq!(read, [batch.clone(), batch.slice(1, 2)]);
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn what_is_not_ipc_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.arrow");
    assert!(matches!(open_ipc(&path).err().unwrap().kind(), ErrorKind::Read { .. }));
    fs::write(&path, "a,b\n1,2\n").unwrap();
    assert!(matches!(open_ipc(&path).err().unwrap().kind(), ErrorKind::Arrow { .. }));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_a_write_error() {
    let batch = sample();
    let reader = RecordBatchIterator::new([Ok(batch.clone())], batch.schema());
    let error = write_ipc(reader, "/dev/full", &IpcOptions::default(), &Monitor::default()).unwrap_err();
    let ErrorKind::Write { source, .. } = error.kind() else { panic!("{error}") };
    assert_eq!(source.kind(), std::io::ErrorKind::StorageFull);
}
