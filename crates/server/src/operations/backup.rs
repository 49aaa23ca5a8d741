//! Backups that count: each is restored into a scratch place beside it and read again whole before it gets its name.
//!
//! Entry point: [`make`]. What is under way is called `NAME.checking` and `NAME.scratch`: whoever is interrupted leaves nothing that bears
//! the name of a backup, and the next one clears it away.

use super::store;
use crate::cases;
use crate::migrations::MIGRATIONS;
use crate::platform::clock::{Chance, Clock};
use crate::platform::{App, Ctx, Fault, Lang, Mark, Subject, Tx, ledger};
use db::{BackupReport, Db, DbError, Options};
use domain::time::Timestamp;
use serde_json::json;
use std::fs::{DirBuilder, File};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

/// Why there is no backup.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The database, the file or the disk.
    #[error("{0}")]
    Db(#[from] DbError),
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("{said} ({0:?})", said = .0.view(Lang::Zh).message)]
    Fault(Fault),
    /// A file of that name is there already.
    #[error("{0} 已存在 · exists already")]
    Exists(String),
    /// The copy, restored, is not what it should be.
    #[error("备份没有通过核验，已删除：{0} · the backup did not pass and was removed: {0}")]
    NotWhole(String),
}

impl From<Fault> for BackupError {
    fn from(fault: Fault) -> BackupError {
        BackupError::Fault(fault)
    }
}

/// A backup that passed.
#[derive(Debug, Clone)]
pub struct Made {
    pub tables: usize,
    pub rows: u64,
    pub bytes: u64,
    /// Records of the ledger read again.
    pub records: u64,
    /// Whether a sealed field was opened; false where nothing is sealed yet.
    pub sealed_opened: bool,
}

/// One backup that was made before.
#[derive(Debug, Clone)]
pub struct Known {
    pub at: Timestamp,
    pub place: String,
    /// What was committed before this moment is in it.
    pub began: Timestamp,
}

/// The newest backup that passed; none if there is none.
pub async fn newest(app: &App) -> Result<Option<Known>, Fault> {
    app.read(&Ctx::system(app, "backup"), |_, tx| newest_in(tx)).await
}

/// As [`newest`], in a transaction.
pub fn newest_in(tx: &mut Tx) -> Result<Option<Known>, Fault> {
    store::newest_backup(tx)
}

/// Makes a backup of one moment while the server runs, restores it into a scratch place, reads it again, and only then gives it its name.
pub async fn make(app: &App, out: &Path) -> Result<Made, BackupError> {
    if out.exists() {
        return Err(BackupError::Exists(out.display().to_string()));
    }
    let (checking, scratch) = (beside(out, "checking"), beside(out, "scratch"));
    clear(&checking, &scratch)?;
    let began = app.now();
    let made = try_make(app, &checking, &scratch).await;
    let kept = match made {
        Ok((made, size)) => keep(&checking, out).map(|()| (made, size)),
        Err(error) => Err(error),
    };
    clear(&checking, &scratch)?;
    let (made, size) = kept?;
    let (place, bytes, rows) = (out.display().to_string(), made.bytes, made.rows);
    app.write(&Ctx::system(app, "backup"), move |ctx, tx| {
        store::insert_backup(ctx, tx, began, &place, bytes, rows, size)?;
        let body = json!({ "bytes": bytes, "rows": rows, "ledger_size": size });
        tx.record(ctx, Mark::new("backup.verified", Subject::System, body))
    })
    .await?;
    Ok(made)
}

async fn try_make(app: &App, checking: &Path, scratch: &Path) -> Result<(Made, u64), BackupError> {
    // A head that covers everything goes into the copy: what is restored can be held against it.
    let head = ledger::bring_up_to_date(app).await?;
    let report = app.db().backup_to(checking).await?;
    DirBuilder::new().mode(0o700).create(scratch)?;
    let url = format!("sqlite:{}", scratch.join("restored.db").display());
    let db = Db::open(&url, Options::default()).await?;
    let size = head.as_ref().map_or(0, |head| head.size);
    let checked = check(app, &db, checking, &report, head).await;
    db.close().await;
    checked.map(|made| (made, size))
}

/// Restores the copy and reads it as a server of this place would.
async fn check(
    app: &App,
    db: &Db,
    copy: &Path,
    report: &BackupReport,
    head: Option<ledger::TreeHead>,
) -> Result<Made, BackupError> {
    let restored = db.restore_from(copy, MIGRATIONS).await?;
    if restored.tables != report.tables {
        return Err(BackupError::NotWhole(
            "行数或校验和不一致 counts or checksums differ".into(),
        ));
    }
    let (config, keys) = (app.config().clone(), app.keys().clone());
    let there = App::new(db.clone(), config, Clock::Machine, Chance::of_the_machine(), keys);
    crate::register(&there);
    let ledger = ledger::verify(&there, head.into_iter().collect(), |_, _| {}).await?;
    if let Some(finding) = ledger.findings.first() {
        return Err(BackupError::NotWhole(finding.describe(Lang::Zh)));
    }
    let opened = there
        .read(&Ctx::system(&there, "backup"), cases::a_sealed_field_opens)
        .await;
    let sealed_opened = opened.map_err(|_| {
        BackupError::NotWhole("密钥打不开其中的个人信息 the key does not open what is sealed in it".into())
    })?;
    Ok(Made {
        tables: report.tables.len(),
        rows: report.tables.iter().map(|table| table.rows).sum(),
        bytes: report.bytes,
        records: ledger.records,
        sealed_opened,
    })
}

fn beside(out: &Path, ending: &str) -> PathBuf {
    let mut name = out.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    name.into()
}

/// Gives the copy its name, durably.
fn keep(checking: &Path, out: &Path) -> Result<(), BackupError> {
    std::fs::rename(checking, out)?;
    let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty());
    Ok(File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?)
}

/// Takes away what is under way, or was left by one that was interrupted.
fn clear(checking: &Path, scratch: &Path) -> std::io::Result<()> {
    for ending in ["", ".part", ".part-journal", ".part-wal", ".part-shm"] {
        let mut name = checking.as_os_str().to_owned();
        name.push(ending);
        absent(std::fs::remove_file(PathBuf::from(name)))?;
    }
    absent(std::fs::remove_dir_all(scratch))
}

fn absent(removed: std::io::Result<()>) -> std::io::Result<()> {
    match removed {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
