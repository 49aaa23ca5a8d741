//! `wangge import registers FILE`: people onto care registers, every line checked first; nobody is made who is not registered.

use super::{CliError, serve};
use crate::exchange::care::{self, CareReport, Options};
use crate::platform::config::Config;
use crate::platform::{Ctx, Purpose, logs};
use std::path::PathBuf;

/// Problems printed; the rest are counted.
const SHOWN: usize = 50;

/// A list and how to take it over.
#[derive(Debug, clap::Args)]
pub struct Registers {
    /// 文件 · CSV (UTF-8) or .xlsx
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
    /// 没写名册的行归到此名册 · Register of lines that name none
    #[arg(long, value_name = "KEY")]
    register: Option<String>,
    /// 各列的字段，如 name,id_number,,from · Field of each column by its number
    #[arg(long)]
    columns: Option<String>,
    /// 跳过有问题的行 · Leave bad lines out and take the others
    #[arg(long)]
    skip_bad: bool,
}

pub fn run(args: Registers) -> Result<(), CliError> {
    let mut config = Config::load(args.config.as_deref()).map_err(CliError::new)?;
    if let Some(into) = &args.into {
        config.database.clone_from(into);
    }
    logs::start("warn");
    let runtime = tokio::runtime::Runtime::new().map_err(CliError::new)?;
    let report = runtime.block_on(into_database(config, &args))?;
    print!("{}", told(&report));
    if report.problems.is_empty() || (args.skip_bad && !args.dry_run) {
        return Ok(());
    }
    Err(CliError(format!(
        "{} 处问题，未写入任何内容 · problems found, nothing was changed",
        report.problems.len() + report.more_problems
    )))
}

async fn into_database(config: Config, args: &Registers) -> Result<CareReport, CliError> {
    let bytes = std::fs::read(&args.file).map_err(CliError::new)?;
    let app = serve::open(config).await?;
    let ctx = Ctx::system(&app, "import").for_purpose(Purpose::Registry);
    let options = Options {
        register: args.register.clone(),
        columns: args.columns.clone(),
        dry_run: args.dry_run,
        skip_bad: args.skip_bad,
    };
    let report = care::import(&ctx, bytes, options).await;
    report.map_err(|fault| CliError(fault.view(ctx.lang).message))
}

fn told(report: &CareReport) -> String {
    let mut text = format!(
        "读入 rows {}，列入 put on {}，已在册 already {}\n",
        report.rows, report.put_on, report.already
    );
    for one in report.problems.iter().take(SHOWN) {
        text += &format!(
            "第 {} 行 · row {}: {} {} [{}]\n",
            one.row, one.row, one.column, one.message, one.code
        );
    }
    text
}
