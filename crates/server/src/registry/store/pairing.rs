//! The SQL of pairings.

use super::{day, opt_day};
use crate::platform::*;
use crate::registry::pairing::{MOST_OF_WORKER, Pairing};
use db::{Row, Sql, params};
use jiff::civil::Date;

type Chain = [Option<AreaId>; 5];

/// Pairings of one person shown at most.
const MOST_OF_RESIDENT: i64 = 100;

fn select() -> Sql {
    Sql::new(
        "select p.id, p.register, p.resident_id, p.worker_id, p.from_day, p.ended_day, p.ended_how, p.result_sealed from pairing p where ",
    )
}

fn read(row: &Row) -> Result<Pairing, Fault> {
    Ok(Pairing {
        id: row.get(0)?,
        register: row.get(1)?,
        resident: row.get(2)?,
        worker: row.get(3)?,
        from: day(row.text(4)?)?,
        ended: opt_day(row.get(5)?)?,
        how: row.get(6)?,
        result_sealed: row.get(7)?,
    })
}

/// False when somebody is paired with them already.
pub fn insert(
    tx: &mut Tx,
    id: PairingId,
    key: &str,
    who: ResidentId,
    worker: WorkerId,
    from: Date,
) -> Result<bool, Fault> {
    let put = tx.execute(
        "insert into pairing (id, register, resident_id, worker_id, from_day) values ($1, $2, $3, $4, $5)
         on conflict (register, resident_id) where ended_day is null do nothing",
        &params![id, key, who, worker, from.to_string()],
    )?;
    Ok(put > 0)
}

/// False when it had ended.
pub fn end(tx: &mut Tx, id: PairingId, on: Date, how: &str, result: Option<Vec<u8>>) -> Result<bool, Fault> {
    let ended = tx.execute(
        "update pairing set ended_day = $1, ended_how = $2, result_sealed = $3 where id = $4 and ended_day is null",
        &params![on.to_string(), how, result, id],
    )?;
    Ok(ended > 0)
}

/// Ends the pairing of somebody on a register, if there is one.
pub fn stop(tx: &mut Tx, key: &str, who: ResidentId, on: Date, how: &str) -> Result<bool, Fault> {
    let ended = tx.execute(
        "update pairing set ended_day = $1, ended_how = $2 where register = $3 and resident_id = $4 and ended_day is null",
        &params![on.to_string(), how, key, who],
    )?;
    Ok(ended > 0)
}

/// Those of somebody that go on.
pub fn open_of(tx: &mut Tx, who: ResidentId) -> Result<Vec<Pairing>, Fault> {
    let sql = select().push("p.ended_day is null and p.resident_id = ").bind(who);
    tx.fetch(&sql.push(" order by p.id"))?.iter().map(read).collect()
}

/// It is another record's now.
pub fn give(tx: &mut Tx, id: PairingId, to: ResidentId) -> Result<(), Fault> {
    tx.execute("update pairing set resident_id = $1 where id = $2", &params![to, id])?;
    Ok(())
}

/// One that ended with a merge goes on.
pub fn go_on(tx: &mut Tx, id: PairingId) -> Result<(), Fault> {
    tx.execute(
        "update pairing set ended_day = null, ended_how = null where id = $1 and ended_how = 'merged'",
        &params![id],
    )?;
    Ok(())
}

pub fn paired(tx: &mut Tx, key: &str, who: ResidentId) -> Result<bool, Fault> {
    let row = tx.query_opt(
        "select 1 from pairing where register = $1 and resident_id = $2 and ended_day is null",
        &params![key, who],
    )?;
    Ok(row.is_some())
}

pub fn one(tx: &mut Tx, id: PairingId) -> Result<Option<Pairing>, Fault> {
    let sql = select().push("p.id = ").bind(id);
    tx.fetch(&sql)?.first().map(read).transpose()
}

pub fn of_resident(tx: &mut Tx, who: ResidentId) -> Result<Vec<Pairing>, Fault> {
    let sql = select().push("p.resident_id = ").bind(who);
    let sql = sql
        .push(" order by p.from_day desc, p.id desc limit ")
        .bind(MOST_OF_RESIDENT);
    tx.fetch(&sql)?.iter().map(read).collect()
}

/// Whom a worker is paired with now.
pub fn of_worker(tx: &mut Tx, worker: WorkerId) -> Result<Vec<Pairing>, Fault> {
    let sql = select().push("p.ended_day is null and p.worker_id = ").bind(worker);
    let sql = sql.push(" order by p.id limit ").bind(MOST_OF_WORKER as i64);
    tx.fetch(&sql)?.iter().map(read).collect()
}

/// Some pairings of workers who work here no more, with the areas they are counted in.
pub fn of_gone_workers(tx: &mut Tx, limit: u32) -> Result<Vec<(Pairing, Chain)>, Fault> {
    let rows = tx.query(
        "select p.id, p.register, p.resident_id, p.worker_id, p.from_day, p.ended_day, p.ended_how, p.result_sealed,
             h.a1, h.a2, h.a3, h.a4, h.a5
         from worker w join pairing p on p.worker_id = w.id and p.ended_day is null
         join resident r on r.id = p.resident_id join household h on h.id = r.household_id
         where w.state <> 'active' order by p.id limit $1",
        &params![limit],
    )?;
    rows.iter()
        .map(|row| {
            let chain = [row.get(8)?, row.get(9)?, row.get(10)?, row.get(11)?, row.get(12)?];
            Ok((read(row)?, chain))
        })
        .collect()
}

/// Some that ended before a day.
pub fn ended_before(tx: &mut Tx, before: Date, limit: u32) -> Result<Vec<PairingId>, Fault> {
    let rows = tx.query(
        "select id from pairing where ended_day < $1 order by ended_day, id limit $2",
        &params![before.to_string(), limit],
    )?;
    rows.iter().map(|row| Ok(row.get(0)?)).collect()
}

pub fn delete(tx: &mut Tx, all: &[PairingId]) -> Result<(), Fault> {
    let sql = Sql::new("delete from pairing where id in (").list(all.iter().copied());
    tx.run(&sql.push(")"))?;
    Ok(())
}
