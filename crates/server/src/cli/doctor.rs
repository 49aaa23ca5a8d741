//! `wangge doctor`: says what is unsafe, with what to do about it; fails when something is severe.

use super::{CliError, serve};
use crate::migrations::MIGRATIONS;
use crate::operations::doctor::{self, Finding, Severity};
use crate::platform::config::Config;
use crate::platform::{disk, logs};
use db::{Db, Options};
use std::path::PathBuf;

/// What `wangge doctor` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// 以 JSON 输出 · As JSON
    #[arg(long)]
    pub json: bool,
    /// 配置文件 · Settings file
    #[arg(long, env = "WANGGE_CONFIG")]
    pub config: Option<PathBuf>,
}

pub fn run(args: Args) -> Result<(), CliError> {
    let config = Config::load(args.config.as_deref()).map_err(CliError::new)?;
    logs::start("error");
    let runtime = tokio::runtime::Runtime::new().map_err(CliError::new)?;
    let mut found = doctor::settings(&config);
    found.extend(runtime.block_on(look_inside(config)));
    found.sort_by_key(|finding| finding.severity);
    if args.json {
        let views: Vec<_> = found.iter().map(Finding::view).collect();
        println!("{}", serde_json::to_string_pretty(&views).map_err(CliError::new)?);
    } else {
        print(&found);
    }
    if found.iter().any(|finding| finding.severity == Severity::Severe) {
        return Err(CliError("有严重问题，见上 · something severe, see above".into()));
    }
    Ok(())
}

/// What the database shows; where it cannot be opened, that is the finding.
async fn look_inside(config: Config) -> Vec<Finding> {
    match try_inside(config).await {
        Ok(found) => found,
        Err(error) => vec![Finding::cannot_open(error)],
    }
}

async fn try_inside(config: Config) -> Result<Vec<Finding>, CliError> {
    if let Some(file) = disk::database_file(&config).filter(|file| !file.exists()) {
        let shown = file.display();
        return Err(CliError(format!(
            "没有这个数据库：{shown} · there is no database {shown}"
        )));
    }
    // Looking must not bring the schema up.
    let db = Db::open(&config.database, Options::default())
        .await
        .map_err(CliError::new)?;
    let pending = db.pending(MIGRATIONS).await.map_err(CliError::new)?;
    db.close().await;
    if pending > 0 {
        return Ok(vec![Finding::migrations_pending(pending)]);
    }
    let app = serve::open(config).await?;
    Ok(doctor::running(&app).await?)
}

fn print(found: &[Finding]) {
    if found.is_empty() {
        println!("✓ 没有发现不安全的地方 · nothing unsafe was found");
    }
    for finding in found {
        let (sign, zh, en) = match finding.severity {
            Severity::Severe => ("✗", "严重", "severe"),
            Severity::Warning => ("!", "注意", "warning"),
            Severity::Note => ("-", "提示", "note"),
        };
        let view = finding.view();
        println!("{sign} {zh} {}：{}", view.code, view.zh);
        println!("    怎么办：{}", view.do_zh);
        println!("    {en}: {} {}", view.en, view.do_en);
    }
}
