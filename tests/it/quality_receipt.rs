//! Receipts: written, read back, and what `verify` finds when something has changed since.

use std::fs;
use std::path::{Path, PathBuf};

use arrow::array::RecordBatchReader;
use duckstream::{
    BatchSource, CancelToken, Checks, CsvInput, Database, HashTask, LoadMode, LoadOptions, OnError, ReaderOptions,
    Receipt, RejectTally, Result, RunKind, Source, VerifyFinding, VerifyStatus, new_run_id, verify,
};

use crate::engine_support::{execute, rows};

struct Text {
    input: CsvInput,
    schema: Option<arrow::datatypes::SchemaRef>,
}

impl BatchSource for Text {
    fn open(&mut self) -> Result<Box<dyn RecordBatchReader + Send>> {
        let reader = self.input.open()?;
        self.schema = Some(reader.schema());
        Ok(Box::new(reader))
    }

    fn restart(&mut self) -> Result<bool> {
        Ok(self.input.restart())
    }
}

struct Run {
    folder: tempfile::TempDir,
    receipt: PathBuf,
}

impl Run {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What does not hold.
    fn wrong(&self) -> Vec<VerifyFinding> {
        verify(&self.receipt).unwrap().into_iter().filter(|finding| finding.status != VerifyStatus::Holds).collect()
    }

    fn database(&self) -> Database {
        Database::open(self.path("x.duckdb")).unwrap()
    }

    /// Changes the receipt itself.
    fn edit(&self, from: &str, to: &str) {
        let text = fs::read_to_string(&self.receipt).unwrap();
        assert!(text.contains(from), "{text}");
        fs::write(&self.receipt, text.replacen(from, to, 1)).unwrap();
    }
}

/// Two files into a table, with blank lines, comments, a reject, a promotion, a check that rejects; and a file out of it.
fn run() -> Run {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("a.csv"), "\n# c\nid,v\n1,2\n\n3,4.5\n5\n# end\n").unwrap();
    fs::write(path("b.csv"), "id,v\n7,8\n9,10\n").unwrap();
    let options = ReaderOptions {
        on_error: OnError::Reject,
        batch_size: 1,
        comment: Some("#".to_owned()),
        ..ReaderOptions::default()
    };
    let mut receipt = Receipt::new(RunKind::Load, "run-1");
    let sources =
        vec![Source::Path(path("a.csv")), Source::Path(path("b.csv")), Source::reader("r", "id,v\n".as_bytes())];
    let hashes = HashTask::start(&sources, &CancelToken::new()).unwrap();
    let tally = std::sync::Arc::new(std::sync::Mutex::new(RejectTally::default()));
    let input = CsvInput::new(sources, options.clone()).unwrap().with_rejects(tally.clone());
    let mut text = Text { input, schema: None };
    let database = Database::open(path("x.duckdb")).unwrap();
    let table = "t".parse().unwrap();
    let checks = Checks::from_yaml("- {check: range, column: id, max: 8, severity: reject}").unwrap();
    let mut results = Vec::new();
    let load = LoadOptions { mode: LoadMode::Append, ..LoadOptions::default() };
    execute(&database, "CREATE TABLE t (id BIGINT, v DOUBLE); INSERT INTO t VALUES (0, 0)");
    let loaded = database.load(&mut text, &table, &load, &mut |connection, loaded| {
        results = checks.run(connection, &table, loaded, Some(&mut *tally.lock().unwrap()))?;
        Ok(())
    });
    let summary = text.input.summary();
    receipt.set_read(&options, &text.schema.unwrap(), &summary, text.input.promotions()).unwrap();
    receipt.set_loaded(database.path(), &table, &loaded.unwrap(), results);
    receipt.set_rejects(None, tally.lock().unwrap().clone());
    receipt.inputs = hashes.finish().unwrap();
    receipt.finish();
    receipt.insert_into(&database.connect().unwrap(), &"duckstream_receipts".parse().unwrap()).unwrap();
    let receipt_path = path("out/receipt.json");
    receipt.write(&receipt_path).unwrap();
    Run { folder, receipt: receipt_path }
}

fn read(path: &Path) -> serde_json::Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn a_receipt_tells_all() {
    let run = run();
    let json = read(&run.receipt);
    assert_eq!((&json["run_id"], &json["kind"], &json["version"]), (&"run-1".into(), &"load".into(), &"0.1.0".into()));
    let inputs = json["inputs"].as_array().unwrap();
    assert_eq!(inputs[0]["path"], run.path("a.csv").display().to_string());
    assert_eq!(inputs[1]["size"], 14);
    // sha256sum of the second file.
    assert_eq!(inputs[1]["sha256"], "628ffc5d1c865b5368659e41f0e383a63ed173d421f2f2c7b541e72be7c37d64");
    assert!(inputs[1]["modified"].as_str().unwrap().ends_with('Z'));
    assert_eq!((&inputs[2]["path"], &inputs[2]["sha256"]), (&"r".into(), &serde_json::Value::Null));
    let a = &json["files"][0]["identity"];
    let of = |name: &str| a[name].as_u64().unwrap();
    assert_eq!((of("header"), of("blank"), of("comments"), of("rejected"), of("loaded")), (1, 2, 2, 1, 2));
    assert_eq!((of("records_seen"), of("beyond_limit")), (8, 0));
    let total = &json["total"];
    assert_eq!((&total["header"], &total["loaded"], &total["rejected"]), (&3.into(), &4.into(), &1.into()));
    let promotion = &json["promotions"][0];
    assert_eq!(
        (&promotion["column"], &promotion["value"], &promotion["line"]),
        (&"v".into(), &"4.5".into(), &6.into())
    );
    assert_eq!(json["schema"][1], serde_json::json!({"name": "v", "data_type": "Float64", "by": "promoted"}));
    assert_eq!(json["dialect"]["comment"], serde_json::json!({"value": "#", "by": "given"}));
    assert_eq!(json["dialect"]["delimiter"], serde_json::json!({"value": ",", "by": "default"}));
    assert_eq!(json["dialect"]["encoding"]["by"], "detected");
    assert_eq!(json["options"]["on_error"], "reject");
    // One short row, and the one that the check took out.
    assert_eq!((&json["rejects"]["count"], &json["rejects"]["codes"]["check"]["count"]), (&2.into(), &1.into()));
    assert_eq!(json["checks"][0]["rejected"], 1);
    let target = &json["target"];
    assert_eq!((&target["rows_before"], &target["rows"], &target["rows_after"]), (&1.into(), &4.into(), &4.into()));
    let query =
        "SELECT run_id, year(finished_at) > 2000, receipt LIKE '{\"run_id\":\"run-1\"%' FROM duckstream_receipts";
    assert_eq!(rows(&run.database(), query), "(run-1, true, true)");
    assert_eq!(rows(&run.database(), "SELECT id FROM t ORDER BY id"), "(0);(1);(3);(7)");
}

#[test]
fn a_receipt_survives_the_round_trip() {
    let run = run();
    let text = fs::read_to_string(&run.receipt).unwrap();
    let receipt: Receipt = serde_json::from_str(&text).unwrap();
    assert_eq!(serde_json::to_string_pretty(&receipt).unwrap() + "\n", text);
}

#[test]
fn verify_finds_nothing_where_nothing_changed() {
    let run = run();
    let findings = verify(&run.receipt).unwrap();
    let unknown: Vec<_> = findings.iter().filter(|finding| finding.status == VerifyStatus::Unknown).collect();
    assert!(unknown.len() == 1 && unknown[0].subject == "input r", "{unknown:?}");
    assert_eq!(findings.iter().filter(|finding| finding.status == VerifyStatus::Differs).count(), 0, "{findings:#?}");
    assert!(findings.iter().any(|finding| finding.subject == "table \"t\"" && finding.message == "4 rows"));
}

#[test]
fn verify_finds_every_change() {
    type Change = fn(&Run);
    let cases: &[(&str, &str, Change)] = &[
        ("input", "its bytes changed: sha256 was", |run| {
            let mut bytes = fs::read(run.path("a.csv")).unwrap();
            bytes[10] ^= 1;
            fs::write(run.path("a.csv"), bytes).unwrap();
        }),
        ("input", "it had 14 bytes and has 15", |run| fs::write(run.path("b.csv"), "id,v\n7,8\n9,100\n").unwrap()),
        ("input", "it is gone", |run| fs::remove_file(run.path("b.csv")).unwrap()),
        ("table \"t\"", "it had 4 rows and has 3", |run| execute(&run.database(), "DELETE FROM t WHERE id = 0")),
        ("table \"t\"", "it is gone", |run| execute(&run.database(), "DROP TABLE t")),
        ("table \"t\"", "is gone", |run| fs::remove_file(run.path("x.duckdb")).unwrap()),
        ("rows of", "records_seen is 9, but header + skipped + blank", |run| {
            run.edit("\"records_seen\": 8", "\"records_seen\": 9");
        }),
        ("rows into \"t\"", "rows is 5, but inserted", |run| run.edit("\"rows\": 4", "\"rows\": 5")),
        ("rows into \"t\"", "rows_before + inserted", |run| run.edit("\"rows_after\": 4", "\"rows_after\": 5")),
    ];
    for (subject, message, change) in cases {
        let run = run();
        change(&run);
        let wrong = run.wrong();
        let found = wrong.iter().any(|finding| {
            finding.status == VerifyStatus::Differs
                && finding.subject.starts_with(subject)
                && finding.message.contains(message)
        });
        assert!(found, "{message}: {wrong:#?}");
    }
}

#[test]
fn verify_finds_a_changed_output() {
    let folder = tempfile::tempdir().unwrap();
    let (output, path) = (folder.path().join("out.csv"), folder.path().join("r.json"));
    fs::write(&output, "id\n1\n").unwrap();
    let mut receipt = Receipt::new(RunKind::Export, new_run_id());
    receipt.set_output(&output, 1).unwrap();
    receipt.write(&path).unwrap();
    assert!(verify(&path).unwrap().iter().all(|finding| finding.status == VerifyStatus::Holds));
    fs::write(&output, "id\n2\n").unwrap();
    let wrong: Vec<_> =
        verify(&path).unwrap().into_iter().filter(|finding| finding.status == VerifyStatus::Differs).collect();
    assert!(wrong.len() == 1 && wrong[0].subject.starts_with("output "), "{wrong:?}");
}

#[test]
fn what_is_no_receipt_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("r.json");
    assert!(verify(&path).unwrap_err().to_string().contains("there is no receipt"));
    fs::write(&path, "{}").unwrap();
    assert!(verify(&path).unwrap_err().to_string().contains("is not a receipt: missing field"));
}

#[test]
fn run_ids_differ() {
    let ids: std::collections::HashSet<String> = (0..1000).map(|_| new_run_id()).collect();
    assert_eq!(ids.len(), 1000);
}

#[test]
fn hashing_stops_when_it_is_told_to() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.csv");
    fs::write(&path, "x").unwrap();
    let cancel = CancelToken::new();
    cancel.cancel();
    let error = HashTask::start(&[Source::Path(path)], &cancel).unwrap().finish().unwrap_err();
    assert!(error.is_cancelled(), "{error}");
    let missing = [Source::Path(folder.path().join("none.csv"))];
    let inputs = HashTask::start(&missing, &CancelToken::new()).unwrap().finish().unwrap();
    assert_eq!(inputs[0].sha256, None, "what is not there has no hash");
}
