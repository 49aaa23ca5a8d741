//! SQL of this part: the backups that passed, and what the examination counts.

use super::backup::Known;
use crate::platform::{Ctx, Fault, Tx};
use db::params;
use domain::time::{DAY_MS, HOUR_MS, Timestamp};

/// Writes down a backup that passed.
pub fn insert_backup(
    ctx: &Ctx,
    tx: &mut Tx,
    began: Timestamp,
    place: &str,
    bytes: u64,
    rows: u64,
    ledger_size: u64,
) -> Result<(), Fault> {
    let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    let id = hex::encode(ctx.app.chance().bytes::<16>());
    tx.execute(
        "insert into backup_made (id, at, place, bytes, row_count, ledger_size, began_at) values ($1, $2, $3, $4, $5, $6, $7)",
        &params![id, ctx.now.0, place, number(bytes), number(rows), number(ledger_size), began.0],
    )?;
    Ok(())
}

/// The newest one.
pub fn newest_backup(tx: &mut Tx) -> Result<Option<Known>, Fault> {
    let row = tx.query_opt(
        "select at, place, began_at from backup_made order by at desc, id limit 1",
        &params![],
    )?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Known {
        at: Timestamp(row.get(0)?),
        place: row.get(1)?,
        began: Timestamp(row.get(2)?),
    }))
}

/// Setting: when the ledger was last read through and found whole.
const VERIFIED: &str = "ledger.verified_at";
/// Setting: when it was last held against a head kept elsewhere.
const WITNESSED: &str = "ledger.witnessed_at";

/// Remembers that the ledger was found whole now.
pub fn remember_verified(ctx: &Ctx, tx: &mut Tx, witnessed: bool) -> Result<(), Fault> {
    let sql = "insert into setting (key, value) values ($1, $2) on conflict (key) do update set value = excluded.value";
    for key in [Some(VERIFIED), witnessed.then_some(WITNESSED)].into_iter().flatten() {
        tx.execute(sql, &params![key, ctx.now.0.to_string()])?;
    }
    Ok(())
}

/// When the ledger was last found whole; milliseconds.
#[derive(Debug, Clone, Copy)]
pub struct Verified {
    /// By itself, or with a backup.
    pub ledger: Option<i64>,
    /// Against a head from elsewhere.
    pub witness: Option<i64>,
}

pub fn verified(tx: &mut Tx) -> Result<Verified, Fault> {
    let mut setting = |key: &str| -> Result<Option<i64>, Fault> {
        let row = tx.query_opt("select value from setting where key = $1", &params![key])?;
        let text: Option<String> = row.map(|row| row.get(0)).transpose()?;
        Ok(text.and_then(|text| text.parse().ok()))
    };
    let (alone, witness) = (setting(VERIFIED)?, setting(WITNESSED)?);
    let backup = newest_backup(tx)?.map(|backup| backup.at.0);
    Ok(Verified {
        ledger: alone.max(backup),
        witness,
    })
}

/// What is counted for the examination.
#[derive(Debug, Clone, Copy)]
pub struct Counts {
    pub admins_without_totp: i64,
    pub first_passwords: i64,
    pub jobs_dead: i64,
    pub jobs_late: i64,
    pub outbox_failed: i64,
}

pub fn counts(tx: &mut Tx, now: Timestamp) -> Result<Counts, Fault> {
    let week_ago = now.0 - 7 * DAY_MS;
    let mut count = |sql: &str, since: i64| -> Result<i64, Fault> { Ok(tx.query_one(sql, &params![since])?.get(0)?) };
    Ok(Counts {
        admins_without_totp: count(
            "select count(distinct a.id) from account a join account_grant g on g.account_id = a.id
             where a.state = 'active' and a.totp_sealed is null and g.role in ('system_admin', 'security_admin', 'audit_admin')
               and (g.valid_to is null or g.valid_to > $1)",
            now.0,
        )?,
        first_passwords: count(
            "select count(*) from account where state = 'active' and must_change_password = 1 and created_at < $1",
            week_ago,
        )?,
        jobs_dead: count("select count(*) from job where state = 'dead' and finished_at >= $1", 0)?,
        jobs_late: count(
            "select count(*) from job where state in ('waiting', 'running') and run_at < $1",
            now.0 - HOUR_MS / 2,
        )?,
        outbox_failed: count(
            "select count(*) from outbox where state = 'failed' and finished_at >= $1",
            week_ago,
        )?,
    })
}

/// PostgreSQL's settings on which durability hangs, by name.
pub fn durability(tx: &mut Tx) -> Result<Vec<(String, String)>, Fault> {
    let sql = "select name::text, setting::text from pg_settings
               where name in ('fsync', 'full_page_writes', 'synchronous_commit') order by name";
    let rows = tx.query(sql, &params![])?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// PostgreSQL's clock; milliseconds.
pub fn database_time(tx: &mut Tx) -> Result<i64, Fault> {
    let sql = "select cast(extract(epoch from clock_timestamp()) * 1000 as bigint)";
    Ok(tx.query_one(sql, &params![])?.get(0)?)
}
