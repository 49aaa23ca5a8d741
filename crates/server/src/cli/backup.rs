//! `wangge backup --out FILE` while the server runs, restored on trial before it counts, and `wangge restore FILE --into URL`, which verifies what it restored.

use super::{CliError, serve, verify};
use crate::migrations::MIGRATIONS;
use crate::operations;
use crate::platform::clock::Chance;
use crate::platform::config::Config;
use crate::platform::{disk, ledger, logs};
use db::{Db, Options};
use std::path::PathBuf;

/// What `wangge backup` takes.
#[derive(Debug, clap::Args)]
pub struct BackupArgs {
    /// 备份文件，不能已存在 · The backup file; must not exist yet
    #[arg(long)]
    pub out: PathBuf,
    /// 配置文件 · Settings file
    #[arg(long, env = "WANGGE_CONFIG")]
    pub config: Option<PathBuf>,
}

/// What `wangge restore` takes.
#[derive(Debug, clap::Args)]
pub struct RestoreArgs {
    /// 备份文件 · The backup file
    pub file: PathBuf,
    /// 空的目标库 · The empty database: `sqlite:PATH` or `postgres://..?schema=NAME`
    #[arg(long)]
    pub into: String,
    /// 配置文件（用其中的密钥核对签名）· Settings file; its key checks the signatures
    #[arg(long, env = "WANGGE_CONFIG")]
    pub config: Option<PathBuf>,
}

/// Backs the database up. It counts only once it was restored beside its place and read again whole.
pub fn backup(args: BackupArgs) -> Result<(), CliError> {
    let config = Config::load(args.config.as_deref()).map_err(CliError::new)?;
    logs::start("error");
    if let Some(file) = disk::database_file(&config).filter(|file| !file.exists()) {
        let shown = file.display();
        return Err(CliError(format!(
            "没有这个数据库：{shown} · there is no database {shown}"
        )));
    }
    let runtime = tokio::runtime::Runtime::new().map_err(CliError::new)?;
    runtime.block_on(async {
        let app = serve::open(config).await?;
        let made = operations::backup::make(&app, &args.out).await.map_err(CliError::new)?;
        println!(
            "✓ 已备份到 {0}：{1} 张表，{2} 行，{3} 字节 · backed up to {0}: {1} tables, {2} rows, {3} bytes",
            args.out.display(),
            made.tables,
            made.rows,
            made.bytes
        );
        println!(
            "✓ 已试恢复并核验：行数与校验和一致，存证 {0} 条完整{1} · restored on trial and verified: counts and checksums agree, {0} records of the ledger whole{2}",
            made.records,
            if made.sealed_opened { "，密封的信息能打开" } else { "" },
            if made.sealed_opened { ", a sealed field opens" } else { "" }
        );
        println!(
            "  照片（{}）和密钥文件（{}）不在备份内，须另行保存 · photos and the key file are not in it: keep copies of them",
            app.config().blobs,
            app.config().key_file.display()
        );
        Ok(())
    })
}

/// Restores into an empty database, compares counts and checksums, reads the ledger again, begins a new epoch.
pub fn restore(args: RestoreArgs) -> Result<(), CliError> {
    let mut config = Config::load(args.config.as_deref()).map_err(CliError::new)?;
    logs::start("error");
    config.database = args.into.clone();
    let runtime = tokio::runtime::Runtime::new().map_err(CliError::new)?;
    runtime.block_on(async {
        // Before anything is written: the key must be there and be the backup's.
        let origin = ledger::origin_of_backup(&args.file).await.map_err(CliError::new)?;
        if origin.is_some() {
            serve::keys_of(&config.key_file, origin.as_deref(), &Chance::of_the_machine())?;
        }
        let db = Db::open(&args.into, Options::default()).await.map_err(CliError::new)?;
        let report = db.restore_from(&args.file, MIGRATIONS).await.map_err(CliError::new)?;
        let rows: u64 = report.tables.iter().map(|table| table.rows).sum();
        println!(
            "✓ 已恢复 {0} 张表、{rows} 行，行数与校验和一致 · {0} tables, {rows} rows restored, counts and checksums agree",
            report.tables.len()
        );
        db.close().await;
        let app = serve::open(config).await?;
        verify::read_again(&app, Vec::new()).await?;
        let epoch = ledger::begin_epoch(app.db()).await.map_err(CliError::new)?;
        println!("✓ 新的纪元 {epoch} 开始 · epoch {epoch} begins: devices will offer again what this copy lacks");
        Ok(())
    })
}
