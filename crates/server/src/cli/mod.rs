//! The command line: `wangge <command>`. Each command is a file here: `Args` (clap) and `run(args) -> Result<(), CliError>`.
//!
//! Entry point: [`main`]. Prints belong here and nowhere else.

use clap::{Parser, Subcommand};
use std::path::Path;
use std::process::ExitCode;

pub mod backup;
mod bench;
pub mod demo;
mod doctor;
mod dwellings;
mod import;
pub mod learn;
mod lists;
mod openapi;
mod pack;
mod people;
mod plan;
mod registers;
pub mod requests311;
pub mod serve;
pub mod verify;

/// A message for the person at the terminal: what happened, what is safe, what to do.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct CliError(pub String);

impl CliError {
    /// From anything that can be printed.
    pub fn new(message: impl std::fmt::Display) -> CliError {
        CliError(message.to_string())
    }
}

/// The sentence for the person, and behind it what a log would hold.
impl From<crate::platform::Fault> for CliError {
    fn from(fault: crate::platform::Fault) -> CliError {
        CliError(format!("{} ({fault:?})", fault.view(crate::platform::Lang::Zh).message))
    }
}

#[derive(Parser)]
#[command(name = "wangge", version, about = "网格化服务管理平台 · grid service platform")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// 启动服务 · Start the server
    Serve(serve::Args),
    /// 从已分类的来信学习，给新来信建议分类 · Learn to classify messages
    #[command(subcommand)]
    Learn(learn::LearnArgs),
    /// 试用：虚构的城市 · Try it: a fictional city
    Demo(demo::Args),
    /// 导入 · Bring in areas
    Import(import::Args),
    /// 规则包 · Rule packs
    Pack(pack::Args),
    /// 网格设计：由地物成图、划分、调整、核对 · Design grids: make the graph, draw, redraw, check
    #[command(subcommand)]
    Plan(plan::PlanArgs),
    /// 核对回执或整个存证 · Verify a receipt or the whole ledger
    #[command(subcommand)]
    Verify(verify::VerifyArgs),
    /// 在线备份 · Back up while the server runs
    Backup(backup::BackupArgs),
    /// 从备份恢复到空库并核验 · Restore a backup into an empty database and verify it
    Restore(backup::RestoreArgs),
    /// 体检：哪里不安全、怎么办 · What is unsafe here, and what to do
    Doctor(doctor::Args),
    /// 测量本机上的速度 · Measure the speed on this machine
    Bench(bench::Args),
    /// 打印接口描述 · Print the API description (OpenAPI)
    Openapi,
}

/// Runs the command given on the command line.
pub fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Serve(args) => serve::run(args),
        Command::Learn(args) => learn::run(args),
        Command::Demo(args) => demo::run(args),
        Command::Import(args) => import::run(args),
        Command::Pack(args) => pack::run(args),
        Command::Plan(args) => plan::run(args),
        Command::Verify(args) => verify::run(args),
        Command::Backup(args) => backup::backup(args),
        Command::Restore(args) => backup::restore(args),
        Command::Doctor(args) => doctor::run(args),
        Command::Bench(args) => bench::run(args),
        Command::Openapi => openapi::run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("wangge: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Writes a file beside it first, then in its place: an interrupted run leaves the old one as it was.
fn replace_file(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut beside = path.as_os_str().to_os_string();
    beside.push(".part");
    std::fs::write(&beside, bytes)?;
    std::fs::rename(&beside, path)
}
