//! Migrations: numbered, forward only, each in its own transaction, remembered with a checksum.

use crate::ddl::translate;
use crate::sqlite::fold as fold_sqlite;
use crate::{Backend, Db, DbError, Options, Place, blocking, postgres, sqlite};
use rusqlite::Connection;
use sha2::{Digest, Sha256};
use std::sync::PoisonError;
use tokio_postgres::Client;

/// One step of the schema, written once for both databases.
///
/// Types are `integer` (64 bits), `real`, `text`, `blob`; tables end with `strict`. For PostgreSQL they become `bigint`, `double precision`,
/// `text collate "C"`, `bytea`, and the suffixes `strict` and `without rowid` go; nothing else is changed. A line `--@ sqlite` or
/// `--@ postgres` begins text for that database only, `--@ both` ends it. Refused: `autoincrement`, `deferrable`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Migration {
    /// Greater than the one before it.
    pub number: u32,
    pub name: &'static str,
    pub sql: &'static str,
}

/// What `migrate` did.
#[derive(Debug, Clone, PartialEq)]
pub struct MigrationReport {
    /// Numbers applied now, in order.
    pub applied: Vec<u32>,
    /// The newest number there is now; 0 for none.
    pub current: u32,
}

/// A step the database remembers.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Step {
    pub(crate) number: u32,
    pub(crate) name: String,
    pub(crate) checksum: String,
}

/// The table that remembers; `backup` knows it by name.
const CREATE: &str = "create table if not exists schema_migration (number integer primary key, name text not null, checksum text not null) strict";
const REMEMBERED: &str = "select number, name, checksum from schema_migration order by number";
const REMEMBER: &str = "insert into schema_migration (number, name, checksum) values ($1, $2, $3)";

impl Db {
    /// Brings the schema up to the list: runs what is missing, in order. Refuses a history this list does not continue:
    /// a step that was changed after it ran, one missing here (a newer program made this database), or one out of order.
    pub async fn migrate(&self, list: &[Migration]) -> Result<MigrationReport, DbError> {
        let (place, options, steps) = (self.0.place.clone(), self.0.options.clone(), list.to_vec());
        let report = blocking(move || match place {
            Place::Sqlite(path) => on_sqlite(&mut sqlite::connect(&path, false, &options)?, &steps),
            Place::Postgres(target) => postgres::runtime()?.block_on(on_postgres(&target, &options, &steps)),
        })
        .await?;
        *self.0.migrations.lock().unwrap_or_else(PoisonError::into_inner) = list.to_vec();
        Ok(report)
    }

    /// How many steps of the list are still to run; nothing is run. Refuses as [`Db::migrate`] does.
    pub async fn pending(&self, list: &[Migration]) -> Result<usize, DbError> {
        let (place, options) = (self.0.place.clone(), self.0.options.clone());
        let history = blocking(move || match place {
            Place::Sqlite(path) => sqlite_history(&sqlite::connect(&path, false, &options)?),
            Place::Postgres(target) => postgres::runtime()?
                .block_on(async { postgres_history(&postgres::connect(&target, &options).await?).await }),
        });
        Ok(missing(list, &history.await?)?.len())
    }
}

impl Migration {
    pub(crate) fn checksum(&self) -> String {
        let digest = Sha256::digest(self.sql.replace("\r\n", "\n").as_bytes());
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn failed(&self, error: impl std::fmt::Display) -> DbError {
        DbError::Migration(format!("step {} ({}): {error}", self.number, self.name))
    }
}

/// The steps still to run, or why this list does not continue that history.
pub(crate) fn missing<'l>(list: &'l [Migration], history: &[Step]) -> Result<&'l [Migration], DbError> {
    let refuse = |why: String| Err(DbError::Migration(why));
    if let Some(pair) = list.windows(2).find(|pair| pair[0].number >= pair[1].number) {
        return refuse(format!(
            "the program's steps {} and {} are not in order",
            pair[0].number, pair[1].number
        ));
    }
    for (index, step) in history.iter().enumerate() {
        let Some(known) = list.get(index) else {
            return refuse(format!(
                "the database has step {} ({}), which this program does not know: it was made by a newer one",
                step.number, step.name
            ));
        };
        if known.number != step.number {
            return refuse(format!(
                "the database has step {} ({}) where this program has step {} ({})",
                step.number, step.name, known.number, known.name
            ));
        }
        if known.checksum() != step.checksum {
            return refuse(format!(
                "step {} ({}) was changed after it ran here; make a new step instead",
                known.number, known.name
            ));
        }
    }
    Ok(&list[history.len()..])
}

fn report(list: &[Migration], applied: Vec<u32>) -> MigrationReport {
    MigrationReport {
        applied,
        current: list.last().map_or(0, |step| step.number),
    }
}

/// Runs the missing steps on a connection of their own; other processes wait at `begin immediate`.
pub(crate) fn on_sqlite(conn: &mut Connection, list: &[Migration]) -> Result<MigrationReport, DbError> {
    // Tables may be rebuilt within a step; references are checked as a whole at its end.
    conn.execute_batch("pragma foreign_keys = off")
        .map_err(|error| fold_sqlite(error, "pragma"))?;
    let mut applied = Vec::new();
    while let Some(step) = sqlite_step(conn, list)? {
        applied.push(step);
    }
    conn.execute_batch("pragma foreign_keys = on")
        .map_err(|error| fold_sqlite(error, "pragma"))?;
    Ok(report(list, applied))
}

fn sqlite_step(conn: &mut Connection, list: &[Migration]) -> Result<Option<u32>, DbError> {
    let tx = conn
        .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)
        .map_err(|error| fold_sqlite(error, "begin"))?;
    tx.execute_batch(CREATE).map_err(|error| fold_sqlite(error, CREATE))?;
    let Some(step) = missing(list, &sqlite_history(&tx)?)?.first() else {
        return tx.commit().map(|()| None).map_err(|error| fold_sqlite(error, "commit"));
    };
    let sql = translate(step.sql, Backend::Sqlite).map_err(|error| step.failed(error))?;
    tx.execute_batch(&sql)
        .map_err(|error| step.failed(fold_sqlite(error, &sql)))?;
    let broken = tx
        .prepare("pragma foreign_key_check")
        .and_then(|mut check| check.exists([]));
    if broken.map_err(|error| step.failed(error))? {
        return Err(step.failed("it would leave references to missing rows"));
    }
    tx.execute(REMEMBER, (step.number, step.name, step.checksum()))
        .map_err(|error| step.failed(error))?;
    tx.commit().map_err(|error| step.failed(error))?;
    Ok(Some(step.number))
}

/// The steps a SQLite file remembers; none if it has no history.
pub(crate) fn sqlite_history(conn: &Connection) -> Result<Vec<Step>, DbError> {
    let rows = sqlite::query(conn, REMEMBERED, &[])?;
    rows.iter()
        .map(|row| {
            Ok(Step {
                number: row.get(0)?,
                name: row.get(1)?,
                checksum: row.get(2)?,
            })
        })
        .collect()
}

/// Runs the missing steps on a connection of their own.
pub(crate) async fn on_postgres(
    target: &postgres::Target,
    options: &Options,
    list: &[Migration],
) -> Result<MigrationReport, DbError> {
    let client = postgres::connect(target, options).await?;
    run(&client, "set statement_timeout to 0; set lock_timeout to 0").await?;
    let mut applied = Vec::new();
    while let Some(step) = postgres_step(&client, target, list).await? {
        applied.push(step);
    }
    Ok(report(list, applied))
}

/// One step in its transaction; other processes wait at the lock. An error ends the connection, and with it the transaction.
async fn postgres_step(client: &Client, target: &postgres::Target, list: &[Migration]) -> Result<Option<u32>, DbError> {
    run(client, "begin").await?;
    let lock = format!("select pg_advisory_xact_lock(hashtext('{}'), -1)", target.schema);
    run(client, &lock).await?;
    run(client, &postgres_text(CREATE)?).await?;
    let Some(step) = missing(list, &postgres_history(client).await?)?.first() else {
        return run(client, "commit").await.map(|()| None);
    };
    let sql = translate(step.sql, Backend::Postgres).map_err(|error| step.failed(error))?;
    run(client, &sql).await.map_err(|error| step.failed(error))?;
    let remembered = client
        .execute(REMEMBER, &[&i64::from(step.number), &step.name, &step.checksum()])
        .await;
    remembered.map_err(|error| step.failed(postgres::fold(&error, REMEMBER)))?;
    run(client, "commit").await.map_err(|error| step.failed(error))?;
    Ok(Some(step.number))
}

/// The steps a PostgreSQL schema remembers.
pub(crate) async fn postgres_history(client: &Client) -> Result<Vec<Step>, DbError> {
    let fold = |error: tokio_postgres::Error| postgres::fold(&error, REMEMBERED);
    let rows = client.query(REMEMBERED, &[]).await.map_err(fold)?;
    let step = |row: &tokio_postgres::Row| {
        let number = u32::try_from(row.try_get::<_, i64>(0).map_err(fold)?)
            .map_err(|_| DbError::Migration("a number out of range".into()))?;
        Ok(Step {
            number,
            name: row.try_get(1).map_err(fold)?,
            checksum: row.try_get(2).map_err(fold)?,
        })
    };
    rows.iter().map(step).collect()
}

fn postgres_text(sql: &str) -> Result<String, DbError> {
    translate(sql, Backend::Postgres).map_err(DbError::Migration)
}

/// Runs statements without parameters.
pub(crate) async fn run(client: &Client, sql: &str) -> Result<(), DbError> {
    client
        .batch_execute(sql)
        .await
        .map_err(|error| postgres::fold(&error, sql))
}
