//! The SQLite side of a backup: page copies, and a file's tables, columns and checksums.

use super::digest::TableDigest;
use super::{BackupReport, Carried, TableReport, compare, failed};
use crate::{DbError, Options, Row, sqlite};
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};
use std::path::{Path, PathBuf};

/// A backup file, to be read only.
pub(super) fn open(path: &Path) -> Result<Connection, DbError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(path, flags).map_err(|error| failed(format!("{}: {error}", path.display())))
}

/// A new file that is only filled and then read: no log, made durable at the end as a whole.
pub(super) fn create(path: &Path) -> Result<Connection, DbError> {
    sqlite::private(path)?;
    let conn = Connection::open(path).map_err(failed)?;
    conn.execute_batch("pragma journal_mode = off; pragma synchronous = off; pragma foreign_keys = off")
        .map_err(failed)?;
    Ok(conn)
}

/// Removes a file and what SQLite may have left beside it.
pub(super) fn remove(path: &Path) -> Result<(), DbError> {
    for ending in ["", "-wal", "-shm", "-journal"] {
        match std::fs::remove_file(PathBuf::from(format!("{}{ending}", path.display()))) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(failed(format!("{}: {error}", path.display())));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Copies one snapshot of a live file, with its checksums as they are at the source.
pub(super) fn copy_out(source: &Path, options: &Options, part: &Path) -> Result<Carried, DbError> {
    let source = sqlite::connect(source, false, options)?;
    // The transaction holds the snapshot for the checksums and for the copy.
    source.execute_batch("begin").map_err(failed)?;
    let tables = reports(&source)?;
    copy_pages(&source, &mut create(part)?)?;
    Ok(Carried {
        tables,
        left_out: Vec::new(),
    })
}

/// Copies a backup's pages into an empty live file and compares.
pub(super) fn copy_in(source: &Connection, target: &mut Connection) -> Result<Carried, DbError> {
    let there = reports(target)?;
    if let Some(full) = there.iter().find(|table| table.rows > 0) {
        return Err(failed(format!(
            "the database is not empty: {} has {} rows",
            full.name, full.rows
        )));
    }
    copy_pages(source, target)?;
    check(target)?;
    let tables = reports(source)?;
    compare(&tables, &reports(target)?)?;
    Ok(Carried {
        tables,
        left_out: Vec::new(),
    })
}

/// All pages in one step: the target's own waiting time applies if another connection holds it.
fn copy_pages(source: &Connection, target: &mut Connection) -> Result<(), DbError> {
    match Backup::new(source, target)
        .and_then(|backup| backup.step(-1))
        .map_err(failed)?
    {
        StepResult::Done => Ok(()),
        _ => Err(failed("another connection holds the file")),
    }
}

/// Reads a finished copy back: no damage, no loose references, equal to the source.
pub(super) fn verify(part: &Path, carried: Carried) -> Result<BackupReport, DbError> {
    let conn = Connection::open(part).map_err(failed)?;
    // One file, nothing beside it, readable from a read-only medium.
    conn.execute_batch("pragma journal_mode = delete").map_err(failed)?;
    check(&conn)?;
    compare(&carried.tables, &reports(&conn)?)?;
    let step = crate::migrate::sqlite_history(&conn)?
        .last()
        .map_or(0, |step| step.number);
    conn.close().map_err(|(_, error)| failed(error))?;
    let bytes = std::fs::metadata(part).map_err(failed)?.len();
    Ok(BackupReport {
        step,
        tables: carried.tables,
        left_out: carried.left_out,
        bytes,
    })
}

/// Damage within the file, or references to missing rows.
pub(super) fn check(conn: &Connection) -> Result<(), DbError> {
    let found: String = conn
        .query_row("pragma integrity_check(1)", [], |row| row.get(0))
        .map_err(failed)?;
    if found != "ok" {
        return Err(failed(format!("the file is damaged: {found}")));
    }
    let broken = conn
        .prepare("pragma foreign_key_check")
        .and_then(|mut check| check.exists([]))
        .map_err(failed)?;
    if broken {
        Err(failed("the file has references to missing rows"))
    } else {
        Ok(())
    }
}

/// The plain tables by name; not the history, not SQLite's own, not virtual tables and what belongs to them.
pub(super) fn tables(conn: &Connection) -> Result<Vec<String>, DbError> {
    let sql = "select name from pragma_table_list where schema = 'main' and type = 'table'
               and substr(name, 1, 7) <> 'sqlite_' and name <> 'schema_migration' order by name";
    texts(&sqlite::query(conn, sql, &[])?)
}

/// Virtual tables: each database builds its own.
pub(super) fn virtual_tables(conn: &Connection) -> Result<Vec<String>, DbError> {
    let sql = "select name from pragma_table_list where schema = 'main' and type = 'virtual' order by name";
    texts(&sqlite::query(conn, sql, &[])?)
}

/// The columns that hold data, by name.
pub(super) fn columns(conn: &Connection, table: &str) -> Result<Vec<String>, DbError> {
    texts(&sqlite::query(
        conn,
        "select name from pragma_table_xinfo($1) where hidden = 0 order by name",
        &[table.into()],
    )?)
}

fn texts(rows: &[Row]) -> Result<Vec<String>, DbError> {
    rows.iter().map(|row| row.get(0)).collect()
}

/// A quoted name: table and column names come from the schema, not from the program's text.
pub(super) fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// `select` of these columns of the whole table; the same text serves both databases.
pub(super) fn select(table: &str, columns: &[String]) -> String {
    let names: Vec<_> = columns.iter().map(|name| quote(name)).collect();
    format!("select {} from {}", names.join(", "), quote(table))
}

/// Rows and checksum of every table.
fn reports(conn: &Connection) -> Result<Vec<TableReport>, DbError> {
    tables(conn)?.iter().map(|table| report(conn, table)).collect()
}

fn report(conn: &Connection, table: &str) -> Result<TableReport, DbError> {
    let columns = columns(conn, table)?;
    let mut digest = TableDigest::new(table, &columns);
    each_row(conn, &select(table, &columns), |row| {
        digest.row((0..columns.len()).map(|index| row.get_ref_unwrap(index)));
        Ok(())
    })?;
    Ok(digest.report())
}

/// Streams a query's rows.
pub(super) fn each_row(
    conn: &Connection,
    sql: &str,
    mut f: impl FnMut(&rusqlite::Row<'_>) -> Result<(), DbError>,
) -> Result<(), DbError> {
    let mut statement = conn.prepare(sql).map_err(|error| sqlite::fold(error, sql))?;
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next().map_err(|error| sqlite::fold(error, sql))? {
        f(row)?;
    }
    Ok(())
}
