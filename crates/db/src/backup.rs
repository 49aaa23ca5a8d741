//! Backup and restore, in one form for both databases: a SQLite file with the same migrations.
//!
//! Entry points: [`Db::backup_to`], [`Db::restore_from`]. It is also the way from a town's SQLite to a city's PostgreSQL and back.
//! Both work on one snapshot while writes go on, and neither is believed: the copy is read back, checked for damage and compared
//! with its source table by table (number of rows, checksum over their content). A backup appears under its name only when all that held.
//!
//! Must not: overwrite a file, restore over rows, or know a table.

mod digest;
mod file;
mod schema;

use crate::migrate::{Migration, missing};
use crate::{Db, DbError, Options, Place, Row, blocking, postgres, sqlite};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::PoisonError;

/// What a backup or a restore carried over, after it was found equal on both sides.
#[derive(Debug, Clone, PartialEq)]
pub struct BackupReport {
    /// Number of the newest migration in the copy.
    pub step: u32,
    pub tables: Vec<TableReport>,
    /// Tables of one database only (`--@ sqlite`, `--@ postgres`: search indexes and the like): to be built anew by who owns them.
    pub left_out: Vec<String>,
    /// Size of the backup file.
    pub bytes: u64,
}

/// One table of a copy.
#[derive(Debug, Clone, PartialEq)]
pub struct TableReport {
    pub name: String,
    pub rows: u64,
    /// Over the content of all rows in any order, the same on both databases; hexadecimal.
    pub checksum: String,
}

/// What was carried over, before it is compared.
struct Carried {
    tables: Vec<TableReport>,
    left_out: Vec<String>,
}

impl Db {
    /// Writes a verified backup of one snapshot to a new file. On PostgreSQL `migrate` must have been called on this `Db` before.
    pub async fn backup_to(&self, path: &Path) -> Result<BackupReport, DbError> {
        let (place, options, path) = (self.0.place.clone(), self.0.options.clone(), path.to_owned());
        let list = self.0.migrations.lock().unwrap_or_else(PoisonError::into_inner).clone();
        blocking(move || backup(&place, &options, &list, &path)).await
    }

    /// Fills an empty database from a backup, at the schema the backup has; `migrate` then brings it up to date.
    /// `list` is the program's migrations: the backup's history must be one it continues. Every table must be empty or missing.
    pub async fn restore_from(&self, path: &Path, list: &[Migration]) -> Result<BackupReport, DbError> {
        let (place, options, path, list) = (
            self.0.place.clone(),
            self.0.options.clone(),
            path.to_owned(),
            list.to_vec(),
        );
        blocking(move || restore(&place, &options, &list, &path)).await
    }
}

/// What a backup file says to one question; the file is not changed.
pub async fn ask_backup(path: &Path, sql: &'static str) -> Result<Vec<Row>, DbError> {
    let path = path.to_owned();
    blocking(move || sqlite::query(&file::open(&path)?, sql, &[])).await
}

fn failed(why: impl std::fmt::Display) -> DbError {
    DbError::Backup(why.to_string())
}

fn backup(place: &Place, options: &Options, list: &[Migration], path: &Path) -> Result<BackupReport, DbError> {
    if path.exists() {
        return Err(failed(format!("{} exists already", path.display())));
    }
    let part = PathBuf::from(format!("{}.part", path.display()));
    // Left by a backup that was interrupted.
    file::remove(&part)?;
    let carried = match place {
        Place::Sqlite(source) => file::copy_out(source, options, &part)?,
        Place::Postgres(target) => postgres::runtime()?.block_on(schema::copy_out(target, options, list, &part))?,
    };
    let report = file::verify(&part, carried)?;
    keep(&part, path)?;
    Ok(report)
}

/// Makes the file durable, then gives it its name, durably too.
fn keep(part: &Path, path: &Path) -> Result<(), DbError> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let kept = File::open(part)
        .and_then(|file| file.sync_all())
        .and_then(|()| std::fs::rename(part, path))
        .and_then(|()| File::open(folder)?.sync_all());
    kept.map_err(|error| failed(format!("{}: {error}", path.display())))
}

fn restore(place: &Place, options: &Options, list: &[Migration], path: &Path) -> Result<BackupReport, DbError> {
    let source = file::open(path)?;
    file::check(&source)?;
    let history =
        crate::migrate::sqlite_history(&source).map_err(|_| failed(format!("{} is not a backup", path.display())))?;
    let step = history.last().map_or(0, |step| step.number);
    let later = missing(list, &history)?;
    let steps = &list[..list.len() - later.len()];
    let carried = match place {
        Place::Sqlite(target) => file::copy_in(&source, &mut sqlite::connect(target, true, options)?)?,
        Place::Postgres(target) => postgres::runtime()?.block_on(schema::copy_in(&source, target, options, steps))?,
    };
    let bytes = std::fs::metadata(path).map_or(0, |meta| meta.len());
    Ok(BackupReport {
        step,
        tables: carried.tables,
        left_out: carried.left_out,
        bytes,
    })
}

/// The two sides must be equal, table by table.
fn compare(source: &[TableReport], copy: &[TableReport]) -> Result<(), DbError> {
    for (one, other) in source.iter().zip(copy) {
        if one != other {
            return Err(failed(format!(
                "table {} is not equal: {} rows at the source, {} in the copy",
                one.name, one.rows, other.rows
            )));
        }
    }
    if source.len() == copy.len() {
        Ok(())
    } else {
        Err(failed("the copy does not have the same tables"))
    }
}
