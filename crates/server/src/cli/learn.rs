//! `wangge learn`: train a classifier from a spreadsheet, use it on one, measure it.
//!
//! Spreadsheets are CSV in UTF-8 (a byte order mark is tolerated) with a column `text` and, to learn, a column `category`;
//! other columns are ignored, and kept in what `predict` writes. Rows that cannot be used are named on standard error by
//! their row number (the header is row 1) and left out. Every error begins with a stable code. Nothing is written until
//! all is done; a file is then there whole or not at all.

use super::CliError;
use crate::platform::sheet::without_formula;
use ::learn::{MAX_LABEL_BYTES, Model, Options, Prediction, Report, evaluate, train};
use clap::Subcommand;
use csv::StringRecord;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Largest spreadsheet read, in bytes.
const MAX_INPUT_BYTES: u64 = 512 << 20;
/// Largest model file read, in bytes.
const MAX_MODEL_BYTES: u64 = 64 << 20;
/// Bad rows named one by one; the rest are counted.
const MAX_ROWS_NAMED: usize = 20;

/// What `wangge learn` takes.
#[derive(Debug, Subcommand)]
pub enum LearnArgs {
    /// 用已分类的来信训练 · Learn from messages with their categories (CSV: text, category)
    Train {
        /// CSV: text, category
        input: PathBuf,
        /// 模型文件 · Where the model goes
        #[arg(long, value_name = "MODEL")]
        out: PathBuf,
    },
    /// 给来信建议分类 · Suggest categories: adds the columns category, confidence, second
    Predict {
        model: PathBuf,
        /// CSV: text
        input: PathBuf,
        /// 结果 · Where the result goes (CSV)
        #[arg(long, value_name = "CSV")]
        out: PathBuf,
        /// 加上依据 · Also add the column reasons: the words that decided
        #[arg(long)]
        reasons: bool,
    },
    /// 交叉检验 · Measure: each message judged by a model that has not seen it
    Evaluate {
        /// CSV: text, category
        input: PathBuf,
        #[arg(long, default_value_t = 5)]
        folds: usize,
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// JSON instead of a table
        #[arg(long)]
        json: bool,
    },
}

/// Does one of them.
pub fn run(args: LearnArgs) -> Result<(), CliError> {
    match args {
        LearnArgs::Train { input, out } => {
            let samples = labelled(&input)?;
            let model =
                train(&borrowed(&samples), Options::default()).map_err(|error| refused("learn_cannot_train", error))?;
            let bytes = model.to_bytes();
            write_whole(&out, &bytes)?;
            println!(
                "学习了 {} 条，模型 {} 字节 · learned from {} messages:",
                samples.len(),
                bytes.len(),
                samples.len()
            );
            for (category, messages) in model.categories() {
                println!("{messages:>8}  {category}");
            }
            Ok(())
        }
        LearnArgs::Predict {
            model,
            input,
            out,
            reasons,
        } => predict(&model, &input, &out, reasons),
        LearnArgs::Evaluate {
            input,
            folds,
            seed,
            json,
        } => {
            let samples = labelled(&input)?;
            let report =
                evaluate(&borrowed(&samples), folds, seed).map_err(|error| refused("learn_cannot_evaluate", error))?;
            print!("{}", if json { as_json(&report) } else { as_table(&report) });
            Ok(())
        }
    }
}

fn refused(code: &str, why: impl std::fmt::Display) -> CliError {
    CliError(format!("{code}: {why}"))
}

fn predict(model: &Path, input: &Path, out: &Path, reasons: bool) -> Result<(), CliError> {
    if out == input {
        return Err(refused(
            "learn_same_file",
            "the result would overwrite the input: name another file",
        ));
    }
    let bytes = read(model, MAX_MODEL_BYTES)?;
    let loaded = Model::from_bytes(&bytes)
        .map_err(|error| refused("learn_bad_model", format!("{}: {error}", model.display())))?;
    let sheet = Sheet::read(input)?;
    let text = sheet.column("text")?;
    let added = ["category", "confidence", "second", "reasons"];
    let added = &added[..if reasons { 4 } else { 3 }];
    let mut writer = csv::Writer::from_writer(Vec::new());
    let header = sheet
        .header
        .iter()
        .map(str::to_string)
        .chain(added.iter().map(|name| sheet.free_name(name)));
    let written = |error: csv::Error| refused("learn_cannot_write", error);
    writer
        .write_record(header.map(|cell| without_formula(&cell)))
        .map_err(written)?;
    let mut bad = BadRows::default();
    for (number, row) in &sheet.rows {
        let cells = (0..sheet.header.len()).map(|i| row.get(i).unwrap_or("").to_string());
        let prediction = match usable(row, text) {
            Ok(text) => loaded.predict(text),
            Err(why) => {
                bad.push(*number, why);
                Prediction::default()
            }
        };
        let cells = cells.chain(suggestion(&prediction).into_iter().take(added.len()));
        writer
            .write_record(cells.map(|cell| without_formula(&cell)))
            .map_err(written)?;
    }
    bad.tell("kept without a suggestion");
    let bytes = writer
        .into_inner()
        .map_err(|error| refused("learn_cannot_write", error))?;
    write_whole(out, &bytes)?;
    println!(
        "已写 {} 行 · wrote {} rows to {}",
        sheet.rows.len(),
        sheet.rows.len(),
        out.display()
    );
    Ok(())
}

/// category, confidence, second, reasons; empty where there is nothing to say.
fn suggestion(prediction: &Prediction) -> Vec<String> {
    let label = |guess: &Option<::learn::Guess>| guess.as_ref().map_or(String::new(), |g| g.label.clone());
    let confidence = prediction
        .best
        .as_ref()
        .map_or(String::new(), |g| format!("{:.3}", g.confidence));
    let reasons: Vec<&str> = prediction.reasons.iter().map(|reason| reason.text.as_str()).collect();
    vec![
        label(&prediction.best),
        confidence,
        label(&prediction.second),
        reasons.join("；"),
    ]
}

/// A CSV file in memory: header, and rows with their row numbers.
struct Sheet {
    name: String,
    header: StringRecord,
    rows: Vec<(u64, StringRecord)>,
}

impl Sheet {
    fn read(path: &Path) -> Result<Self, CliError> {
        let bytes = read(path, MAX_INPUT_BYTES)?;
        let name = path.display().to_string();
        let text = std::str::from_utf8(&bytes).map_err(|_| {
            refused(
                "learn_not_utf8",
                format!("{name} is not UTF-8 text: in Excel save it as \"CSV UTF-8\""),
            )
        })?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
        let unreadable = |error: csv::Error| refused("learn_bad_csv", format!("{name}: {error}"));
        let header = reader.headers().map_err(unreadable)?.clone();
        let mut rows = vec![];
        for (index, row) in reader.records().enumerate() {
            rows.push((index as u64 + 2, row.map_err(unreadable)?));
        }
        Ok(Sheet { name, header, rows })
    }

    fn column(&self, name: &str) -> Result<usize, CliError> {
        self.header.iter().position(|cell| cell.trim() == name).ok_or_else(|| {
            let found = self.header.iter().collect::<Vec<_>>().join(", ");
            refused(
                "learn_no_column",
                format!("{} has no column {name}; it has: {found}", self.name),
            )
        })
    }

    /// The name itself, or `suggested_...` where the input has a column of that name.
    fn free_name(&self, name: &str) -> String {
        if self.column(name).is_ok() {
            format!("suggested_{name}")
        } else {
            name.to_string()
        }
    }
}

/// The text of a row, or why it cannot be used.
fn usable(row: &StringRecord, column: usize) -> Result<&str, &'static str> {
    match row.get(column) {
        None => Err("has too few columns"),
        Some(text) if !text.chars().any(char::is_alphanumeric) => Err("has no text"),
        Some(text) => Ok(text),
    }
}

#[derive(Default)]
struct BadRows {
    rows: Vec<(u64, &'static str)>,
}

impl BadRows {
    fn push(&mut self, row: u64, why: &'static str) {
        self.rows.push((row, why));
    }

    fn tell(&self, done: &str) {
        for (row, why) in self.rows.iter().take(MAX_ROWS_NAMED) {
            eprintln!("row {row} {why}: {done}");
        }
        if self.rows.len() > MAX_ROWS_NAMED {
            eprintln!("and {} more rows like these: {done}", self.rows.len() - MAX_ROWS_NAMED);
        }
    }
}

fn labelled(path: &Path) -> Result<Vec<(String, String)>, CliError> {
    let sheet = Sheet::read(path)?;
    let (text, category) = (sheet.column("text")?, sheet.column("category")?);
    let mut bad = BadRows::default();
    let mut out = vec![];
    for (number, row) in &sheet.rows {
        let label = row.get(category).unwrap_or("").trim();
        match usable(row, text) {
            Err(why) => bad.push(*number, why),
            Ok(_) if label.is_empty() => bad.push(*number, "has no category"),
            Ok(_) if label.len() > MAX_LABEL_BYTES => bad.push(*number, "has a category name that is too long"),
            Ok(text) => out.push((text.to_string(), label.to_string())),
        }
    }
    bad.tell("left out");
    if out.is_empty() {
        return Err(refused(
            "learn_no_rows",
            format!("{} has no row that can be used", sheet.name),
        ));
    }
    Ok(out)
}

fn borrowed(samples: &[(String, String)]) -> Vec<(&str, &str)> {
    samples
        .iter()
        .map(|(text, category)| (text.as_str(), category.as_str()))
        .collect()
}

fn read(path: &Path, most: u64) -> Result<Vec<u8>, CliError> {
    let unreadable = |error: std::io::Error| refused("learn_cannot_read", format!("{}: {error}", path.display()));
    let size = std::fs::metadata(path).map_err(unreadable)?.len();
    if size > most {
        return Err(refused(
            "learn_too_large",
            format!("{} has {size} bytes, at most {most} are read", path.display()),
        ));
    }
    std::fs::read(path).map_err(unreadable)
}

fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    super::replace_file(path, bytes)
        .map_err(|error| refused("learn_cannot_write", format!("{}: {error}", path.display())))
}

fn as_json(report: &Report) -> String {
    let class = |c: &::learn::ClassScore| {
        serde_json::json!({
            "category": c.label, "messages": c.support, "precision": c.precision, "recall": c.recall, "f1": c.f1,
        })
    };
    let bin = |b: &::learn::ReliabilityBin| {
        serde_json::json!({
            "from": b.from, "to": b.to, "messages": b.count,
            "mean_confidence": b.mean_confidence, "accuracy": b.accuracy,
        })
    };
    let json = serde_json::json!({
        "messages": report.samples, "duplicates": report.duplicates, "conflicting": report.conflicting,
        "folds": report.folds, "macro_f1": report.macro_f1, "accuracy": report.accuracy,
        "accuracy_surest_80": report.surest_80, "accuracy_surest_60": report.surest_60, "top_two": report.top_two,
        "calibration_error": report.calibration_error,
        "categories": report.classes.iter().map(class).collect::<Vec<_>>(),
        "confusion": report.confusion,
        "calibration": report.calibration.iter().map(bin).collect::<Vec<_>>(),
    });
    format!("{json:#}\n")
}

fn as_table(report: &Report) -> String {
    let mut out = String::new();
    let mut line = |text: std::fmt::Arguments| {
        out.write_fmt(text)
            .and_then(|()| out.write_char('\n'))
            .expect("a string takes any text");
    };
    let Report {
        samples,
        duplicates,
        conflicting,
        folds,
        ..
    } = report;
    line(format_args!(
        "{samples} messages in {folds} folds ({duplicates} equal ones dropped, {conflicting} of them with another category)"
    ));
    line(format_args!("macro-F1               {:.4}", report.macro_f1));
    line(format_args!("accuracy               {:.4}", report.accuracy));
    line(format_args!("accuracy, surest 80 %  {:.4}", report.surest_80));
    line(format_args!("accuracy, surest 60 %  {:.4}", report.surest_60));
    line(format_args!("right one in first two {:.4}", report.top_two));
    line(format_args!("calibration error      {:.4}", report.calibration_error));
    line(format_args!("\n precision  recall      F1  messages  category"));
    for (k, class) in report.classes.iter().enumerate() {
        let (precision, recall, f1) = (class.precision, class.recall, class.f1);
        line(format_args!(
            "    {precision:.4}  {recall:.4}  {f1:.4}  {:>8}  {}: {}",
            class.support,
            k + 1,
            class.label
        ));
    }
    line(format_args!(
        "\nconfusion: one row per right category, one column per suggested one"
    ));
    for (k, row) in report.confusion.iter().enumerate() {
        let cells: Vec<String> = row.iter().map(|count| format!("{count:>6}")).collect();
        line(format_args!("{:>4}:{}", k + 1, cells.join("")));
    }
    line(format_args!("\nconfidence    messages  mean confidence  accuracy"));
    for bin in &report.calibration {
        let (mean, accuracy) = (bin.mean_confidence, bin.accuracy);
        line(format_args!(
            "{:.1} to {:.1}  {:>10}           {mean:.4}    {accuracy:.4}",
            bin.from, bin.to, bin.count
        ));
    }
    out
}
