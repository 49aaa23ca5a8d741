//! `wangge pack check DIR`: every problem of a rule pack, with file and line.

use super::CliError;
use crate::platform::Lang;
use crate::policy::{self, read};
use std::path::PathBuf;

/// What `wangge pack` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// 检查规则包 · Check a pack: a folder, or the key of a shipped one
    Check {
        /// 规则包目录 · Folder of the pack
        folder: PathBuf,
        /// 英文说明 · Say it in English
        #[arg(long)]
        english: bool,
    },
}

pub fn run(args: Args) -> Result<(), CliError> {
    let Command::Check { folder, english } = args.command;
    let files = policy::named(&folder).map_err(CliError::new)?;
    let lang = if english { Lang::En } else { Lang::Zh };
    match read::read_pack(&files) {
        Ok(pack) => {
            let (categories, clocks, routes) = (pack.categories.len(), pack.clocks.len(), pack.routes.len());
            println!("{} {}：没有问题 · no problems", pack.key, pack.version);
            println!("分类 categories {categories} · 时限 clocks {clocks} · 派遣 routes {routes}");
            Ok(())
        }
        Err(problems) => {
            for problem in &problems {
                let file = folder.join(&problem.file);
                println!(
                    "{}:{}: {} [{}]",
                    file.display(),
                    problem.line,
                    problem.message(lang),
                    problem.code
                );
            }
            Err(CliError(format!("{} 个问题 · problems", problems.len())))
        }
    }
}
