//! SQL of sync.

use super::devices::Device;
use super::parked::Parked;
use super::take::{Known, Taken, Verdict};
use crate::platform::*;
use db::{Row, Sql, params};
use domain::time::Timestamp;

macro_rules! device_columns {
    () => {
        "id, account_id, name, app, first_seen_at, last_seen_at, highest, clock_ms, revoked_at, wiped_at"
    };
}

fn read_device(row: &Row) -> Result<Device, Fault> {
    Ok(Device {
        id: row.get(0)?,
        account: row.get(1)?,
        name: row.get(2)?,
        app: row.get(3)?,
        first_seen: Timestamp(row.get(4)?),
        last_seen: Timestamp(row.get(5)?),
        highest: row.get(6)?,
        clock_ms: row.get(7)?,
        revoked_at: row.get::<Option<i64>>(8)?.map(Timestamp),
        wiped_at: row.get::<Option<i64>>(9)?.map(Timestamp),
    })
}

/// A device; `locked`: nobody else's batch of it runs until the commit.
pub fn device(tx: &mut Tx, id: DeviceId, locked: bool) -> Result<Option<Device>, Fault> {
    let sql = Sql::new(concat!("select ", device_columns!(), " from device where id = ")).bind(id);
    let sql = match locked {
        true => sql.push(tx.backend().for_update()),
        false => sql,
    };
    tx.fetch(&sql)?.first().map(read_device).transpose()
}

/// Devices of an account, the one used last first.
pub fn devices_of(tx: &mut Tx, account: AccountId, limit: u32) -> Result<Vec<Device>, Fault> {
    let sql = concat!(
        "select ",
        device_columns!(),
        " from device where account_id = $1 order by last_seen_at desc, id limit $2"
    );
    let rows = tx.query(sql, &params![account, i64::from(limit)])?;
    rows.iter().map(read_device).collect()
}

pub fn insert_device(tx: &mut Tx, one: &Device) -> Result<(), Fault> {
    tx.execute(
        "insert into device (id, account_id, name, app, first_seen_at, last_seen_at, highest, clock_ms) values ($1, $2, $3, $4, $5, $6, $7, $8)",
        &params![
            one.id,
            one.account,
            one.name.as_str(),
            one.app.as_str(),
            one.first_seen.0,
            one.last_seen.0,
            one.highest,
            one.clock_ms
        ],
    )?;
    Ok(())
}

/// What changes with each contact.
pub fn update_device(tx: &mut Tx, one: &Device) -> Result<(), Fault> {
    tx.execute(
        "update device set name = $1, app = $2, last_seen_at = $3, highest = $4, clock_ms = $5 where id = $6",
        &params![
            one.name.as_str(),
            one.app.as_str(),
            one.last_seen.0,
            one.highest,
            one.clock_ms,
            one.id
        ],
    )?;
    Ok(())
}

pub fn revoke(ctx: &Ctx, tx: &mut Tx, id: DeviceId) -> Result<(), Fault> {
    let by = ctx.actor.key();
    tx.execute(
        "update device set revoked_at = $1, revoked_by = $2 where id = $3",
        &params![ctx.now.0, by, id],
    )?;
    Ok(())
}

pub fn wiped(ctx: &Ctx, tx: &mut Tx, id: DeviceId) -> Result<(), Fault> {
    tx.execute("update device set wiped_at = $1 where id = $2", &params![ctx.now.0, id])?;
    Ok(())
}

// ---------------------------------------------------------------- operations

/// What is known under an id; more than one where contents differ.
pub fn known(tx: &mut Tx, id: &str) -> Result<Vec<Known>, Fault> {
    let rows = tx.query(
        "select fingerprint, verdict, received_at, code, message, settled_at from operation where id = $1",
        &params![id],
    )?;
    let read = |row: &Row| {
        Ok(Known {
            fingerprint: row.get(0)?,
            verdict: Verdict::parse(row.text(1)?)?,
            received_at: Timestamp(row.get(2)?),
            code: row.get(3)?,
            message: row.get(4)?,
            settled: row.get::<Option<i64>>(5)?.is_some(),
        })
    };
    rows.iter().map(read).collect()
}

pub fn insert(tx: &mut Tx, one: &Taken) -> Result<(), Fault> {
    let [a1, a2, a3, a4, a5] = one.areas;
    tx.execute(
        "insert into operation (id, fingerprint, device_id, number, account_id, worker_id, kind, at, received_at, verdict, code, \
         message, area_id, a1, a2, a3, a4, a5, asked_sealed) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)",
        &params![
            one.id.as_str(),
            one.fingerprint.as_str(),
            one.device,
            one.number,
            one.account,
            one.worker,
            one.kind.as_str(),
            one.at.0,
            one.received_at.0,
            one.verdict.key(),
            one.code.clone(),
            one.message.clone(),
            one.areas.iter().flatten().next_back().copied(),
            a1,
            a2,
            a3,
            a4,
            a5,
            one.asked_sealed.clone()
        ],
    )?;
    Ok(())
}

// ---------------------------------------------------------------- what waits for somebody

const DEPTH_COLUMNS: [&str; 5] = ["o.a1 = ", "o.a2 = ", "o.a3 = ", "o.a4 = ", "o.a5 = "];

macro_rules! parked_columns {
    () => {
        "select o.id, o.fingerprint, o.account_id, o.worker_id, o.kind, o.at, o.received_at, o.verdict, o.code, o.message, \
         o.a1, o.a2, o.a3, o.a4, o.a5, o.asked_sealed, a.name, o.area_id from operation o join account a on a.id = o.account_id "
    };
}

fn read_parked(row: &Row) -> Result<Parked, Fault> {
    Ok(Parked {
        id: row.get(0)?,
        fingerprint: row.get(1)?,
        account: row.get(2)?,
        worker: row.get(3)?,
        kind: row.get(4)?,
        at: Timestamp(row.get(5)?),
        received_at: Timestamp(row.get(6)?),
        verdict: Verdict::parse(row.text(7)?)?,
        code: row.get(8)?,
        message: row.get(9)?,
        areas: [row.get(10)?, row.get(11)?, row.get(12)?, row.get(13)?, row.get(14)?],
        asked_sealed: row.get(15)?,
        name: row.get(16)?,
        area: row.get(17)?,
    })
}

/// What is not settled below an area (none: everywhere), the oldest first.
pub fn parked(
    tx: &mut Tx,
    below: Option<(AreaId, usize)>,
    after: Option<(i64, String)>,
    limit: u32,
) -> Result<Vec<Parked>, Fault> {
    let mut sql = Sql::new(concat!(
        parked_columns!(),
        "where o.verdict <> 'done' and o.settled_at is null"
    ));
    if let Some((area, depth)) = below {
        let column = DEPTH_COLUMNS.get(depth.saturating_sub(1)).copied().unwrap_or("o.a1 = ");
        sql = sql.push(" and ").push(column).bind(area);
    }
    if let Some((at, id)) = after {
        sql = sql
            .push(" and (o.received_at, o.id) > (")
            .bind(at)
            .push(", ")
            .bind(id)
            .push(")");
    }
    let sql = sql
        .push(" order by o.received_at, o.id limit ")
        .bind(i64::from(limit) + 1);
    tx.fetch(&sql)?.iter().map(read_parked).collect()
}

/// One that is not settled, held until the commit.
pub fn parked_one(tx: &mut Tx, id: &str, fingerprint: &str) -> Result<Option<Parked>, Fault> {
    let sql = Sql::new(concat!(
        parked_columns!(),
        "where o.verdict <> 'done' and o.settled_at is null and o.id = "
    ))
    .bind(id)
    .push(" and o.fingerprint = ")
    .bind(fingerprint);
    tx.fetch(&sql)?.first().map(read_parked).transpose()
}

/// Settled: what was asked goes. False when somebody else was first.
pub fn settle(ctx: &Ctx, tx: &mut Tx, one: &Parked, how: &str, name: &str) -> Result<bool, Fault> {
    let changed = tx.execute(
        "update operation set settled_at = $1, settled_by = $2, settled_name = $3, settled_how = $4, asked_sealed = null \
         where id = $5 and fingerprint = $6 and settled_at is null",
        &params![ctx.now.0, ctx.actor.key(), name, how, one.id.as_str(), one.fingerprint.as_str()],
    )?;
    Ok(changed == 1)
}
