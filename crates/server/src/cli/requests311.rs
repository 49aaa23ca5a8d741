//! `wangge import requests311 FILE --data DIR`: another city's published service requests, into a place of their own in DIR.

use super::{CliError, lists, serve};
use crate::cases::search;
use crate::exchange::import::{ImportReport, Options, take_over};
use crate::exchange::requests311::{Source, furnish};
use crate::platform::config::Config;
use crate::platform::{App, AreaId, Ctx, Lang, UnitId, logs};
use crate::policy;
use crate::territory;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Instant;
use uuid::Uuid;

/// The list and where it goes.
#[derive(Debug, clap::Args)]
pub struct Requests311 {
    /// 工单文件；对照表和边界在同一目录，文件名前缀相同 · The list; look-ups and polygons lie beside it under the same first letters
    file: PathBuf,
    /// 数据目录：规则包、数据库、密钥、配置都在其中 · Folder of the new place: pack, database, key, settings
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// 工单时间所在时区 · Time zone of the list's times
    #[arg(long, default_value = "America/Los_Angeles", value_name = "ZONE")]
    zone: String,
    /// 只检查，不写入 · Check every row, change nothing
    #[arg(long)]
    dry_run: bool,
    /// 跳过有问题的行 · Leave bad rows out and take the others
    #[arg(long)]
    skip_bad: bool,
}

/// Takes the list over.
pub fn run(args: Requests311) -> Result<(), CliError> {
    logs::start("warn");
    let source = Source::read(&args.file, &args.zone).map_err(CliError::new)?;
    policy::read::read_pack(&source.pack()).map_err(|problems| CliError(format!("{problems:?}")))?;
    let begun = Instant::now();
    let report = if args.dry_run {
        dry(&source)
    } else {
        let runtime = tokio::runtime::Runtime::new().map_err(CliError::new)?;
        runtime.block_on(into_folder(&source, &args))?
    };
    print!("{}", lists::told(&report));
    if report.changed {
        let seconds = begun.elapsed().as_secs_f64();
        println!("{:.1} s, {:.0} 行/秒 rows/s", seconds, report.added as f64 / seconds);
        println!("wangge serve --config {}", args.data.join("wangge.toml").display());
    }
    lists::end(&report.problems, report.more_problems, args.skip_bad && !args.dry_run)
}

/// Every row against the look-ups, without a database: each area and unit of them counts as there.
pub fn dry(source: &Source) -> ImportReport {
    let nothing = Uuid::nil();
    let units: HashMap<String, UnitId> = source.agency_ids().map(|id| (id.to_owned(), UnitId(nothing))).collect();
    let (good, mut report) = source.rows(Lang::Zh, &units, |_| Some(AreaId(nothing)));
    report.ok = good.len();
    report.added = if report.problems.is_empty() { good.len() } else { 0 };
    report.dry_run = true;
    report
}

async fn into_folder(source: &Source, args: &Requests311) -> Result<ImportReport, CliError> {
    let config = settings(source, &args.data).map_err(|error| CliError(format!("{}: {error}", args.data.display())))?;
    let app = serve::open(config).await?;
    take(&app, source, args.skip_bad).await
}

/// Makes the place and takes the requests over.
pub async fn take(app: &App, source: &Source, skip_bad: bool) -> Result<ImportReport, CliError> {
    let ctx = Ctx::system(app, "import");
    let units = furnish(&ctx, source).await?;
    let map = territory::current(app);
    let (good, report) = source.rows(ctx.lang, &units, |code| map.by_code(code).map(|area| area.id));
    let options = Options {
        source: source.list(),
        area: None,
        dry_run: false,
        skip_bad,
        max_rows: usize::MAX,
    };
    let report = take_over(&ctx, good, report, options, |_, _| {}).await?;
    while report.changed && search::round(app).await? {}
    Ok(report)
}

/// Writes pack and settings into the folder.
fn settings(source: &Source, data: &Path) -> std::io::Result<Config> {
    let data = std::path::absolute(data)?;
    let pack = data.join("pack");
    std::fs::create_dir_all(&pack)?;
    for (name, text) in source.pack() {
        std::fs::write(pack.join(name), text)?;
    }
    let text = |path: PathBuf| path.display().to_string();
    let config = Config {
        database: format!("sqlite:{}", text(data.join("wangge.db"))),
        blobs: text(data.join("blobs")),
        key_file: data.join("wangge.key"),
        pack: Some(pack),
        ..Config::default()
    };
    let line = |key: &str, value: &str| format!("{key} = {}\n", serde_json::Value::from(value));
    let lines = line("database", &config.database)
        + &line("blobs", &config.blobs)
        + &line("key_file", &text(config.key_file.clone()))
        + &line("pack", &text(data.join("pack")));
    std::fs::write(data.join("wangge.toml"), lines)?;
    Ok(config)
}
