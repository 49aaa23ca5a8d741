//! `wangge learn` through the binary: spreadsheets in, files and messages out.

use std::{fs, path::Path, process::Command};

/// (success, standard output, standard error)
fn wangge(folder: &Path, args: &[&str]) -> (bool, String, String) {
    let done = Command::new(env!("CARGO_BIN_EXE_wangge"))
        .current_dir(folder)
        .args(args)
        .output()
        .expect("it runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("it prints UTF-8");
    (done.status.success(), text(done.stdout), text(done.stderr))
}

/// A byte order mark, a column nobody needs, a line break inside a cell, and three rows that cannot be used.
fn write_messages(folder: &Path) {
    let mut csv = String::from("\u{feff}no,text,category\r\n");
    for place in 0..20 {
        csv += &format!("{place},\"第{place}号街，\n路灯不亮了\",照明\r\n{place},第{place}号小区停水两天,供水\r\n");
    }
    csv += "41,，。,供水\r\n42,停水,\r\n43\r\n";
    fs::write(folder.join("in.csv"), csv).unwrap();
}

#[test]
fn learn_then_suggest() {
    let folder = tempfile::tempdir().unwrap();
    write_messages(folder.path());
    let (done, out, err) = wangge(folder.path(), &["learn", "train", "in.csv", "--out", "model"]);
    assert!(done, "{err}");
    assert!(
        out.contains("learned from 40 messages") && out.contains("20  照明"),
        "{out}"
    );
    for named in [
        "row 42 has no text",
        "row 43 has no category",
        "row 44 has too few columns",
    ] {
        assert!(err.contains(named), "{err}");
    }
    let first = fs::read(folder.path().join("model")).unwrap();
    assert!(wangge(folder.path(), &["learn", "train", "in.csv", "--out", "model"]).0);
    assert_eq!(fs::read(folder.path().join("model")).unwrap(), first);

    let asked = "from,text,second\n=HYPERLINK(1),东街路灯又不亮了,x\n-5,！！,y\n";
    fs::write(folder.path().join("asked.csv"), asked).unwrap();
    let (done, _, err) = wangge(
        folder.path(),
        &[
            "learn",
            "predict",
            "model",
            "asked.csv",
            "--out",
            "out.csv",
            "--reasons",
        ],
    );
    assert!(
        done && err.contains("row 3 has no text: kept without a suggestion"),
        "{err}"
    );
    let out = fs::read_to_string(folder.path().join("out.csv")).unwrap();
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(
        lines[0],
        "from,text,second,category,confidence,suggested_second,reasons"
    );
    assert!(
        lines[1].starts_with("'=HYPERLINK(1),东街路灯又不亮了,x,照明,0."),
        "{out}"
    );
    assert!(lines[1].contains(",供水,") && lines[1].contains("路灯"), "{out}");
    assert_eq!(lines[2], "-5,！！,y,,,,");
    assert!(!folder.path().join("out.csv.part").exists());
}

#[test]
fn learn_measures() {
    let folder = tempfile::tempdir().unwrap();
    write_messages(folder.path());
    let (done, out, err) = wangge(folder.path(), &["learn", "evaluate", "in.csv", "--folds", "4"]);
    assert!(
        done && out.contains("40 messages in 4 folds") && out.contains("macro-F1"),
        "{out}{err}"
    );
    let (_, json, _) = wangge(
        folder.path(),
        &["learn", "evaluate", "in.csv", "--folds", "4", "--json"],
    );
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["messages"], 40);
    assert!(json["macro_f1"].as_f64().unwrap() > 0.95);
}

#[test]
fn learn_refuses_by_stable_code() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    write_messages(at);
    fs::write(at.join("gbk.csv"), b"text,category\n\xc2\xb7\xb5\xc6,a\n").unwrap();
    fs::write(at.join("other.csv"), "body,category\n停水,a\n").unwrap();
    fs::write(at.join("one.csv"), "text,category\n停水,a\n停电,a\n").unwrap();
    fs::write(at.join("empty.csv"), "text,category\n").unwrap();
    for (args, code) in [
        (&["train", "absent.csv", "--out", "m"][..], "learn_cannot_read"),
        (&["train", "gbk.csv", "--out", "m"], "learn_not_utf8"),
        (&["train", "other.csv", "--out", "m"], "learn_no_column"),
        (&["train", "empty.csv", "--out", "m"], "learn_no_rows"),
        (&["train", "one.csv", "--out", "m"], "learn_cannot_train"),
        (&["predict", "in.csv", "in.csv", "--out", "o.csv"], "learn_bad_model"),
        (&["predict", "m", "in.csv", "--out", "in.csv"], "learn_same_file"),
        (&["evaluate", "in.csv", "--folds", "1"], "learn_cannot_evaluate"),
    ] {
        let (done, _, err) = wangge(at, &[&["learn"], args].concat());
        assert!(!done && err.contains(code), "{args:?}: {err}");
    }
    assert!(!at.join("m").exists() && !at.join("o.csv").exists());
}
