//! `wangge import registers FILE`: people onto care registers, every line checked first; nobody is made who is not registered.

use super::{CliError, lists, serve};
use crate::exchange::care::{self, CareReport, Options};
use crate::platform::config::Config;
use crate::platform::{Ctx, Purpose, logs};
use std::path::PathBuf;

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
    let config = lists::settings(args.config.as_deref(), args.into.as_deref())?;
    logs::start("warn");
    let runtime = tokio::runtime::Runtime::new().map_err(CliError::new)?;
    let report = runtime.block_on(into_database(config, &args))?;
    print!("{}", told(&report));
    lists::end(&report.problems, report.more_problems, args.skip_bad && !args.dry_run)
}

async fn into_database(config: Config, args: &Registers) -> Result<CareReport, CliError> {
    let bytes = lists::read(&args.file)?;
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
    let text = format!(
        "读入 rows {}，列入 put on {}，已在册 already {}\n",
        report.rows, report.put_on, report.already
    );
    text + &lists::problems(&report.problems, report.more_problems)
}
