//! `wangge import messages FILE` and `wangge import cases FILE`: lists of cases into the database, every row checked first.

use super::{CliError, serve};
use crate::cases::search;
use crate::demo;
use crate::exchange::import::{self, ImportReport, Options};
use crate::exchange::rows::RowProblem;
use crate::platform::config::Config;
use crate::platform::{Ctx, Fault, Lang, logs};
use crate::territory;
use indicatif::{ProgressBar, ProgressStyle};
use std::path::{Path, PathBuf};

/// Problems printed; the rest are counted.
const SHOWN: usize = 50;

/// A list and how to take it over.
#[derive(Debug, clap::Args)]
pub struct ListArgs {
    /// 文件 · CSV (UTF-8) or .xlsx
    file: PathBuf,
    /// 数据库 · Database, over the settings: `sqlite:PATH` or `postgres://..`
    #[arg(long, value_name = "URL")]
    into: Option<String>,
    /// 导入演示数据目录 · Into the data of `wangge demo` in this folder
    #[arg(long, value_name = "DIR", conflicts_with_all = ["into", "config"])]
    demo: Option<PathBuf>,
    /// 配置文件 · Settings file
    #[arg(long, env = "WANGGE_CONFIG")]
    config: Option<PathBuf>,
    /// 只检查，不写入 · Check every row, change nothing
    #[arg(long)]
    dry_run: bool,
    /// 没写区域的行归到此区域（编码）· Code of the area for rows that name none; the whole place if left out
    #[arg(long, value_name = "CODE")]
    area: Option<String>,
    /// 来源名称，同名同编号只导入一次 · Name of the list; the file's name if left out
    #[arg(long)]
    source: Option<String>,
    /// 跳过有问题的行 · Leave bad rows out and take the others
    #[arg(long)]
    skip_bad: bool,
}

/// Takes the list over.
pub fn run(args: ListArgs) -> Result<(), CliError> {
    let mut config = settings(args.config.as_deref(), args.into.as_deref())?;
    if let Some(data) = &args.demo {
        config.database = format!("sqlite:{}", data.join("wangge.db").display());
        config.key_file = data.join("wangge.key");
        config.demo = true;
    }
    logs::start("warn");
    let bytes = read(&args.file)?;
    let runtime = tokio::runtime::Runtime::new().map_err(CliError::new)?;
    let report = runtime.block_on(into_database(config, bytes, &args))?;
    print!("{}", told(&report));
    end(&report.problems, report.more_problems, args.skip_bad && !args.dry_run)
}

/// The settings, with the database that was named.
pub fn settings(file: Option<&Path>, into: Option<&str>) -> Result<Config, CliError> {
    let mut config = Config::load(file).map_err(CliError::new)?;
    if let Some(into) = into {
        config.database = into.to_owned();
    }
    Ok(config)
}

/// How a command ends that takes a list over: well, or with the number of what is wrong in it.
pub fn end(problems: &[RowProblem], more: usize, skipped: bool) -> Result<(), CliError> {
    if problems.is_empty() || skipped {
        return Ok(());
    }
    Err(CliError(format!(
        "{} 处问题，未写入任何内容 · problems found, nothing was changed: correct the rows, or leave them out with --skip-bad",
        problems.len() + more
    )))
}

/// What is wrong, a line each; of many the first.
pub fn problems(problems: &[RowProblem], more: usize) -> String {
    let mut out = String::new();
    for problem in problems.iter().take(SHOWN) {
        out += &format!(
            "第 {} 行 · row {}\t{}\t{}\t{}\n",
            problem.row, problem.row, problem.column, problem.code, problem.message
        );
    }
    let rest = problems.len().saturating_sub(SHOWN) + more;
    if rest > 0 {
        out += &format!("… 另有 {rest} 处 · {rest} more\n");
    }
    out
}

/// The file's bytes, as many as are read.
pub fn read(path: &Path) -> Result<Vec<u8>, CliError> {
    let unreadable = |error: std::io::Error| CliError(format!("{}: {error}", path.display()));
    let size = std::fs::metadata(path).map_err(unreadable)?.len();
    if size > crate::exchange::MAX_BYTES as u64 {
        return Err(CliError(format!(
            "{} has {size} bytes, at most {} are read",
            path.display(),
            crate::exchange::MAX_BYTES
        )));
    }
    std::fs::read(path).map_err(unreadable)
}

async fn into_database(config: Config, bytes: Vec<u8>, args: &ListArgs) -> Result<ImportReport, CliError> {
    let is_demo = config.demo;
    let app = serve::open(config).await?;
    if is_demo {
        demo::open_place(&app, None).await.map_err(CliError::new)?;
    }
    let ctx = Ctx::system(&app, "import");
    let area = match &args.area {
        None => None,
        Some(code) => {
            let found = territory::current(&app).by_code(code).map(|area| area.id);
            Some(found.ok_or_else(|| CliError(format!("没有编码为 {code} 的区域 · no area has this code")))?)
        }
    };
    let stem = || {
        args.file
            .file_stem()
            .map(|stem| stem.to_string_lossy().into_owned())
            .unwrap_or_default()
    };
    let options = Options {
        source: args.source.clone().unwrap_or_else(stem),
        area,
        dry_run: args.dry_run,
        skip_bad: args.skip_bad,
        max_rows: crate::exchange::MAX_ROWS,
    };
    let bar = ProgressBar::new(0)
        .with_style(ProgressStyle::with_template("{pos}/{len} {wide_bar} {eta}").expect("a fixed template"));
    let written = |done: usize, total: usize| {
        bar.set_length(total as u64);
        bar.set_position(done as u64);
    };
    let report = import::import(&ctx, bytes, options, written)
        .await
        .map_err(|fault| told_fault(&fault))?;
    bar.finish_and_clear();
    while report.changed && search::round(&app).await.map_err(CliError::new)? {}
    Ok(report)
}

fn told_fault(fault: &Fault) -> CliError {
    CliError(format!(
        "{} · {}",
        fault.view(Lang::Zh).message,
        fault.view(Lang::En).message
    ))
}

/// The report as lines.
pub fn told(report: &ImportReport) -> String {
    let mut out = problems(&report.problems, report.more_problems);
    if !report.ignored_columns.is_empty() {
        out += &format!("未导入的列 · columns left out: {}\n", report.ignored_columns.join("、"));
    }
    let verb = if report.changed {
        "已导入 · imported"
    } else {
        "将导入 · would import"
    };
    out += &format!(
        "{} 行 · rows, {} 可导入 · fine, {} 已存在 · already here, {verb} {}",
        report.rows, report.ok, report.already, report.added
    );
    if report.changed {
        out += &format!(
            "（已结案 · closed {}，已派遣 · with a unit {}，待查看 · to be looked at {}）",
            report.closed, report.assigned, report.to_look_at
        );
    }
    out + "\n"
}
