//! `wangge import people FILE`: households and people into the database, every line checked first; a CSV is read line by line.

use super::{CliError, lists, serve};
use crate::exchange::people::{self, Options, PeopleReport};
use crate::platform::config::Config;
use crate::platform::{Ctx, Purpose, logs};
use crate::territory;
use std::path::PathBuf;
use std::time::Instant;

/// A list and how to take it over.
#[derive(Debug, clap::Args)]
pub struct People {
    /// 文件 · CSV (UTF-8, header in the first line) or .xlsx
    file: PathBuf,
    /// 数据库 · Database, over the settings: `sqlite:PATH` or `postgres://..`
    #[arg(long, value_name = "URL")]
    into: Option<String>,
    /// 配置文件 · Settings file
    #[arg(long, env = "WANGGE_CONFIG")]
    config: Option<PathBuf>,
    /// 只检查，不写入 · Check every line, change nothing
    #[arg(long)]
    dry_run: bool,
    /// 没写区域的行归到此区域（编码）· Code of the area for lines that name none
    #[arg(long, value_name = "CODE")]
    area: Option<String>,
    /// 各列的字段，如 name,id_number,,room · Field of each column by its number
    #[arg(long)]
    columns: Option<String>,
    /// 跳过有问题的行 · Leave bad lines out and take the others
    #[arg(long)]
    skip_bad: bool,
}

pub fn run(args: People) -> Result<(), CliError> {
    let config = lists::settings(args.config.as_deref(), args.into.as_deref())?;
    logs::start("warn");
    let runtime = tokio::runtime::Runtime::new().map_err(CliError::new)?;
    let begun = Instant::now();
    let report = runtime.block_on(into_database(config, &args))?;
    println!("用时 took {:.1} s", begun.elapsed().as_secs_f64());
    print!("{}", told(&report));
    lists::end(&report.problems, report.more_problems, args.skip_bad && !args.dry_run)
}

async fn into_database(config: Config, args: &People) -> Result<PeopleReport, CliError> {
    let app = serve::open(config).await?;
    let ctx = Ctx::system(&app, "import").for_purpose(Purpose::Registry);
    let area = match &args.area {
        None => None,
        Some(code) => {
            let found = territory::current(&app).by_code(code).map(|area| area.id);
            Some(found.ok_or_else(|| CliError(format!("没有编码为 {code} 的区域 · no area has this code")))?)
        }
    };
    let stem = args.file.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let options = Options {
        source: stem.unwrap_or_default().chars().take(60).collect(),
        area,
        columns: args.columns.clone(),
        dry_run: args.dry_run,
        skip_bad: args.skip_bad,
    };
    let is_sheet = args
        .file
        .extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("xlsx"));
    let report = if is_sheet {
        let bytes = lists::read(&args.file)?;
        people::import(&ctx, bytes, options).await
    } else {
        people::import_csv(&ctx, &args.file, options, |_| {}).await
    };
    report.map_err(|fault| CliError(fault.view(ctx.lang).message))
}

fn told(report: &PeopleReport) -> String {
    let text = format!(
        "读入 rows {}，户 households {}，人 people {}，已在册 already {}，待定 to decide {}\n",
        report.rows, report.households, report.residents, report.already, report.duplicates
    );
    text + &lists::problems(&report.problems, report.more_problems)
}
