//! Parquet out and in again.

use std::fs;
use std::sync::Arc;

use arrow::array::*;
use arrow::compute::concat_batches;
use arrow::datatypes::*;
use arrow::error::ArrowError;
use duckstream::{
    ColumnOrder, ErrorKind, IfExists, Monitor, ParquetCompression, ParquetOptions, WriteSummary, open_parquet,
    write_parquet,
};

fn sample(rows: usize) -> RecordBatch {
    let fields = Fields::from(vec![Field::new("x", DataType::Int32, true), Field::new("y", DataType::Utf8, true)]);
    let x: ArrayRef = Arc::new(Int32Array::from_iter((0..rows as i32).map(|n| (n % 4 > 0).then_some(n))));
    let y: ArrayRef = Arc::new(StringArray::from_iter((0..rows).map(|n| (n % 3 > 0).then(|| format!("word {n}")))));
    let pair: ArrayRef = Arc::new(StructArray::new(fields, vec![x, Arc::clone(&y)], None));
    let list = (0..rows as i64).map(|n| (n % 5 > 0).then(|| vec![Some(n), None]));
    RecordBatch::try_from_iter_with_nullable([
        ("z", y, true),
        ("pair", pair, true),
        ("list", Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>(list)) as ArrayRef, true),
        ("d", Arc::new(Date32Array::from_iter_values(0..rows as i32)), true),
    ])
    .unwrap()
}

fn cut(batch: &RecordBatch, size: usize) -> impl RecordBatchReader + use<> {
    let schema = batch.schema();
    let parts: Vec<_> = (0..batch.num_rows())
        .step_by(size)
        .map(|from| Ok(batch.slice(from, size.min(batch.num_rows() - from))))
        .collect();
    RecordBatchIterator::new(parts, schema)
}

fn write(reader: impl RecordBatchReader, path: &std::path::Path, options: &ParquetOptions) -> WriteSummary {
    write_parquet(reader, path, options, &Monitor::default()).unwrap()
}

#[test]
fn rows_come_back_and_bytes_do_not_depend_on_threads_or_batches() {
    let folder = tempfile::tempdir().unwrap();
    let batch = sample(20_000);
    let mut first: Option<Vec<u8>> = None;
    for threads in [1, 2, 4, 9] {
        for size in [700, 20_000] {
            let path = folder.path().join("t.parquet");
            let options = ParquetOptions {
                threads,
                row_group_size: 7_000,
                column_order: ColumnOrder::Table,
                ..Default::default()
            };
            let summary = write(cut(&batch, size), &path, &options);
            let bytes = fs::read(&path).unwrap();
            assert_eq!((summary.rows, summary.bytes), (20_000, bytes.len() as u64));
            let read: Vec<_> = open_parquet(&path, 1_000).unwrap().collect::<Result<_, _>>().unwrap();
            assert_eq!(concat_batches(&read[0].schema(), &read).unwrap(), batch);
            assert_eq!(first.get_or_insert(bytes.clone()), &bytes, "{threads} threads, {size} rows");
        }
    }
}

#[test]
fn columns_are_sorted_and_tables_may_be_empty() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.parquet");
    for codec in ["snappy", "zstd", "gzip", "none"] {
        let options = ParquetOptions { compression: codec.parse().unwrap(), ..Default::default() };
        assert_eq!(write(cut(&sample(0), 1), &path, &options).rows, 0);
        let read = open_parquet(&path, 10).unwrap();
        let names: Vec<_> = read.schema().fields().iter().map(|field| field.name().clone()).collect();
        assert_eq!(names, ["d", "list", "pair", "z"]);
        assert_eq!(read.count(), 0);
    }
    assert!("brotli".parse::<ParquetCompression>().unwrap_err().contains("snappy"));
}

#[test]
fn an_error_of_the_source_leaves_no_trace() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.parquet");
    fs::write(&path, "old").unwrap();
    let batch = sample(5_000);
    let rows = [Ok(batch.clone()), Err(ArrowError::from(duckstream::Error::usage("from below")))];
    let reader = RecordBatchIterator::new(rows, batch.schema());
    let error = write_parquet(reader, &path, &ParquetOptions::default(), &Monitor::default()).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Usage { .. }), "{error}");
    assert_eq!(fs::read(&path).unwrap(), b"old");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    let skip = ParquetOptions { if_exists: IfExists::Skip, ..Default::default() };
    assert!(write(cut(&batch, 9), &path, &skip).skipped);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_a_write_error() {
    let error = write_parquet(cut(&sample(9), 9), "/dev/full", &Default::default(), &Monitor::default()).unwrap_err();
    let ErrorKind::Write { source, .. } = error.kind() else { panic!("{error}") };
    assert_eq!(source.kind(), std::io::ErrorKind::StorageFull);
}
