//! `wangge verify receipt FILE` (offline, needs no server and no database) and `wangge verify ledger` (reads everything again).

use super::{CliError, serve};
use crate::platform::config::Config;
use crate::platform::ledger::{self, PublicKey, Receipt, TreeHead};
use crate::platform::{Lang, logs};
use clap::Subcommand;
use indicatif::{ProgressBar, ProgressStyle};
use std::path::{Path, PathBuf};

/// What is to be verified.
#[derive(Debug, Subcommand)]
pub enum VerifyArgs {
    /// 离线核对回执文件 · Check a receipt file, offline
    Receipt(ReceiptArgs),
    /// 通读并核对整个存证 · Read the whole ledger again
    Ledger(LedgerArgs),
}

/// What `wangge verify receipt` takes.
#[derive(Debug, clap::Args)]
pub struct ReceiptArgs {
    /// 回执文件（JSON）· The receipt file
    file: PathBuf,
    /// 该地公布的公钥文件（64 位十六进制）· The place's published key, in a file
    #[arg(long)]
    public_key: Option<PathBuf>,
    /// 您当时提交的原话 · What you sent, to be compared
    #[arg(long)]
    text: Option<String>,
}

/// What `wangge verify ledger` takes.
#[derive(Debug, clap::Args)]
pub struct LedgerArgs {
    /// 配置文件 · Settings file
    #[arg(long, env = "WANGGE_CONFIG")]
    config: Option<PathBuf>,
    /// 别处保存的树头或回执（JSON），可多个 · Heads or receipts kept elsewhere; shows rewritten or cut history
    #[arg(long)]
    known: Vec<PathBuf>,
}

pub fn run(args: VerifyArgs) -> Result<(), CliError> {
    match args {
        VerifyArgs::Receipt(args) => receipt(&args),
        VerifyArgs::Ledger(args) => verify_ledger(&args),
    }
}

fn read(path: &Path) -> Result<String, CliError> {
    std::fs::read_to_string(path).map_err(|error| CliError(format!("{}: {error}", path.display())))
}

fn receipt(args: &ReceiptArgs) -> Result<(), CliError> {
    let receipt: Receipt = serde_json::from_str(&read(&args.file)?).map_err(|error| {
        CliError(format!(
            "这不是回执文件 · not a receipt file: {}: {error}",
            args.file.display()
        ))
    })?;
    let key = args.public_key.as_deref().map(read).transpose()?;
    let key = key
        .map(|text| {
            PublicKey::parse(&text)
                .ok_or_else(|| CliError("公钥文件不对 · not a public key (64 hexadecimal digits)".into()))
        })
        .transpose()?;
    let zh = receipt.verify(key.as_ref(), args.text.as_deref(), Lang::Zh);
    let en = receipt.verify(key.as_ref(), args.text.as_deref(), Lang::En);
    println!(
        "{} · {} · {}",
        receipt.jurisdiction, receipt.number, receipt.received_at
    );
    for (zh, en) in zh.checks.iter().zip(&en.checks) {
        println!("{} {} · {}", if zh.ok { "✓" } else { "✗" }, zh.text, en.text);
    }
    if key.is_none() {
        println!(
            "- 未与公布的公钥比对（--public-key）· not compared with a published key; the receipt names {}",
            receipt.public_key
        );
    }
    if zh.ok {
        Ok(())
    } else {
        Err(CliError("回执没有通过核对 · the receipt does not verify".into()))
    }
}

fn verify_ledger(args: &LedgerArgs) -> Result<(), CliError> {
    let config = Config::load(args.config.as_deref()).map_err(CliError::new)?;
    logs::start("error");
    let known = args
        .known
        .iter()
        .map(|path| known_head(path))
        .collect::<Result<Vec<_>, _>>()?;
    let runtime = tokio::runtime::Runtime::new().map_err(CliError::new)?;
    runtime.block_on(async {
        let app = serve::open(config).await?;
        let witnessed = !known.is_empty();
        read_again(&app, known).await?;
        Ok(crate::operations::ledger_verified(&app, witnessed).await?)
    })
}

/// Reads the ledger of an open program again, prints what is wrong; an error if anything is.
pub async fn read_again(app: &crate::platform::App, known: Vec<TreeHead>) -> Result<(), CliError> {
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("核对存证 · verifying {bar:40} {pos}/{len} {eta}") {
        bar.set_style(style);
    }
    let report = ledger::verify(app, known, |done, of| {
        bar.set_length(of);
        bar.set_position(done);
    })
    .await
    .map_err(CliError::new)?;
    bar.finish_and_clear();
    for finding in &report.findings {
        println!("✗ {}", finding.describe(Lang::Zh));
        println!("  {}", finding.describe(Lang::En));
    }
    if report.more > 0 {
        println!("✗ 另有 {} 处 · and {} more", report.more, report.more);
    }
    println!(
        "{} 条记录，{} 个签名树头，{} 份内容已按规定删除 · {} records, {} signed heads, {} payloads erased by rule",
        report.records, report.heads, report.erased, report.records, report.heads, report.erased
    );
    if report.ok() {
        println!("✓ 存证完整，未发现改动 · the ledger is whole, nothing was changed");
        return Ok(());
    }
    Err(CliError(
        "存证与记录不符，见上 · the ledger does not verify, see above".into(),
    ))
}

/// A head from a file: a head as `/portal/tree-head` gives it, or the head inside a receipt.
fn known_head(path: &Path) -> Result<TreeHead, CliError> {
    #[derive(serde::Deserialize)]
    #[serde(untagged)]
    enum Kept {
        Receipt { tree_head: TreeHead },
        Published { head: TreeHead },
        Head(TreeHead),
    }
    let kept = serde_json::from_str(&read(path)?).map_err(|error| {
        CliError(format!(
            "{}: 不是树头或回执 · neither a head nor a receipt: {error}",
            path.display()
        ))
    })?;
    Ok(match kept {
        Kept::Receipt { tree_head: head } | Kept::Published { head } | Kept::Head(head) => head,
    })
}
