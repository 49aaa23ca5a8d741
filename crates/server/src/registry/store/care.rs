//! The SQL of care registers.

use super::{HOUSEHOLD, HOUSEHOLD_COLUMNS, RESIDENT, RESIDENT_COLUMNS, day, opt_day, read_household, read_resident};
use super::{HouseholdRow, ResidentRow};
use crate::platform::*;
use crate::registry::Home;
use crate::registry::care::{InUse, OnRegister};
use crate::registry::counts::Care;
use db::{Row, Sql, params};
use jiff::civil::Date;
use std::collections::BTreeMap;

type Chain = [Option<AreaId>; 5];

fn chain(row: &Row, at: usize) -> Result<Chain, Fault> {
    Ok([
        row.get(at)?,
        row.get(at + 1)?,
        row.get(at + 2)?,
        row.get(at + 3)?,
        row.get(at + 4)?,
    ])
}

/// All that were ever put into use; a pack has a bounded number.
pub fn registers(tx: &mut Tx) -> Result<BTreeMap<String, InUse>, Fault> {
    let rows = tx.query(
        "select register, unit_id, confirmed, review, ends, closed_on from care_register",
        &[],
    )?;
    rows.iter()
        .map(|row| {
            let one = InUse {
                unit: row.get(1)?,
                confirmed: day(row.text(2)?)?,
                review: day(row.text(3)?)?,
                ends: day(row.text(4)?)?,
                closed: opt_day(row.get(5)?)?,
            };
            Ok((row.get(0)?, one))
        })
        .collect()
}

pub fn put_register(tx: &mut Tx, key: &str, one: &InUse) -> Result<(), Fault> {
    tx.execute(
        "insert into care_register (register, unit_id, confirmed, review, ends, closed_on) values ($1, $2, $3, $4, $5, null)
         on conflict (register) do update set unit_id = excluded.unit_id, confirmed = excluded.confirmed, review = excluded.review,
             ends = excluded.ends, closed_on = null",
        &params![
            key,
            one.unit,
            one.confirmed.to_string(),
            one.review.to_string(),
            one.ends.to_string()
        ],
    )?;
    Ok(())
}

pub fn close(tx: &mut Tx, key: &str, on: Date) -> Result<(), Fault> {
    tx.execute(
        "update care_register set closed_on = $1 where register = $2",
        &params![on.to_string(), key],
    )?;
    Ok(())
}

/// False when they are on it already.
pub fn put_on(
    tx: &mut Tx,
    id: CareEntryId,
    key: &str,
    who: ResidentId,
    source: &str,
    from: Date,
    basis: Option<&str>,
) -> Result<bool, Fault> {
    let put = tx.execute(
        "insert into care_entry (id, register, resident_id, source, from_day, basis) values ($1, $2, $3, $4, $5, $6)
         on conflict (register, resident_id) where ended_day is null do nothing",
        &params![id, key, who, source, from.to_string(), basis],
    )?;
    Ok(put > 0)
}

/// False when they are not on it.
pub fn take_off(tx: &mut Tx, key: &str, who: ResidentId, on: Date, how: &str) -> Result<bool, Fault> {
    let taken = tx.execute(
        "update care_entry set ended_day = $1, ended_how = $2 where register = $3 and resident_id = $4 and ended_day is null",
        &params![on.to_string(), how, key, who],
    )?;
    Ok(taken > 0)
}

/// The registers somebody is on.
pub fn on(tx: &mut Tx, who: ResidentId) -> Result<Vec<String>, Fault> {
    let rows = tx.query(
        "select register from care_entry where resident_id = $1 and ended_day is null order by register",
        &params![who],
    )?;
    rows.iter().map(|row| Ok(row.get(0)?)).collect()
}

/// The registers some people are on.
pub fn on_any(tx: &mut Tx, of: &[ResidentId]) -> Result<Vec<(ResidentId, String)>, Fault> {
    if of.is_empty() {
        return Ok(Vec::new());
    }
    let sql = Sql::new("select resident_id, register from care_entry where ended_day is null and resident_id in (");
    let rows = tx.fetch(&sql.list(of.iter().copied()).push(") order by resident_id, register"))?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// How somebody came onto a register.
#[derive(Debug, Clone)]
pub struct Put {
    pub from: Date,
    pub source: String,
    pub basis: Option<String>,
}

/// Those of an area itself on a register, with their keys and households, in order of id, one more than `limit` when there are more. The
/// area is small: the joins begin there.
pub fn people(
    tx: &mut Tx,
    key: &str,
    (area, unpaired): (AreaId, bool),
    after: Option<ResidentId>,
    limit: u32,
) -> Result<Vec<(ResidentRow, Vec<u8>, HouseholdRow, Put)>, Fault> {
    let sql = Sql::new("select ")
        .push(HOUSEHOLD)
        .push(", ")
        .push(RESIDENT)
        .push(", k.key_sealed, e.from_day, e.source, e.basis from household h cross join resident r cross join care_entry e cross join person_key k");
    let mut sql = sql
        .push(" where r.household_id = h.id and e.resident_id = r.id and k.subject_id = r.id and e.ended_day is null and h.area_id = ")
        .bind(area)
        .push(" and e.register = ")
        .bind(key);
    if unpaired {
        sql = sql.push(" and not exists (select 1 from pairing p where p.resident_id = r.id and p.register = e.register and p.ended_day is null)");
    }
    if let Some(after) = after {
        sql = sql.push(" and r.id > ").bind(after);
    }
    let rows = tx.fetch(&sql.push(" order by r.id limit ").bind(i64::from(limit) + 1))?;
    rows.iter()
        .map(|row| {
            let at = HOUSEHOLD_COLUMNS + RESIDENT_COLUMNS;
            Ok((
                read_resident(row, HOUSEHOLD_COLUMNS)?,
                row.get(at)?,
                read_household(row)?,
                Put {
                    from: day(row.text(at + 1)?)?,
                    source: row.get(at + 2)?,
                    basis: row.get(at + 3)?,
                },
            ))
        })
        .collect()
}

/// Some who are still on a register, with the areas they are counted in.
pub fn still_on(tx: &mut Tx, key: &str, limit: u32) -> Result<Vec<(ResidentId, Chain)>, Fault> {
    let rows = tx.query(
        "select e.resident_id, h.a1, h.a2, h.a3, h.a4, h.a5 from care_entry e join resident r on r.id = e.resident_id
         join household h on h.id = r.household_id where e.register = $1 and e.ended_day is null order by e.resident_id limit $2",
        &params![key, limit],
    )?;
    rows.iter().map(|row| Ok((row.get(0)?, chain(row, 1)?))).collect()
}

fn home(row: &Row, at: usize) -> Result<Home, Fault> {
    Ok(Home {
        id: row.get(at)?,
        area: row.get(at + 1)?,
        areas: chain(row, at + 2)?,
    })
}

pub fn on_register_after(
    tx: &mut Tx,
    key: &str,
    after: Option<ResidentId>,
    limit: u32,
) -> Result<Vec<OnRegister>, Fault> {
    let sql = Sql::new(
        "select e.resident_id, h.id, h.area_id, h.a1, h.a2, h.a3, h.a4, h.a5 from care_entry e join resident r on r.id = e.resident_id
         join household h on h.id = r.household_id where e.ended_day is null and e.register = ",
    );
    let mut sql = sql.bind(key);
    if let Some(after) = after {
        sql = sql.push(" and e.resident_id > ").bind(after);
    }
    let rows = tx.fetch(&sql.push(" order by e.resident_id limit ").bind(limit))?;
    rows.iter()
        .map(|row| {
            Ok(OnRegister {
                id: row.get(0)?,
                home: home(row, 1)?,
            })
        })
        .collect()
}

/// Where somebody who lives here does.
pub fn home_of(tx: &mut Tx, who: ResidentId) -> Result<Option<Home>, Fault> {
    let row = tx.query_opt(
        "select h.id, h.area_id, h.a1, h.a2, h.a3, h.a4, h.a5 from resident r join household h on h.id = r.household_id
         where r.id = $1 and r.valid_to is null",
        &params![who],
    )?;
    row.map(|row| home(&row, 0)).transpose()
}

/// The households some people live in.
pub fn households_of(tx: &mut Tx, of: &[ResidentId]) -> Result<Vec<(ResidentId, HouseholdId)>, Fault> {
    if of.is_empty() {
        return Ok(Vec::new());
    }
    let sql = Sql::new("select id, household_id from resident where id in (");
    let rows = tx.fetch(&sql.list(of.iter().copied()).push(")"))?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// How many are on which registers in the households whose column `by` is one of these ids, by the areas they are counted in.
pub fn living<T: Copy + Into<db::Value>>(
    tx: &mut Tx,
    by: &'static str,
    ids: &[T],
) -> Result<Vec<(Chain, String, Care)>, Fault> {
    let sql = Sql::new(
        "select h.a1, h.a2, h.a3, h.a4, h.a5, e.register, count(*), count(p.id) from household h join resident r on r.household_id = h.id
         join care_entry e on e.resident_id = r.id and e.ended_day is null
         left join pairing p on p.resident_id = e.resident_id and p.register = e.register and p.ended_day is null where h.valid_to is null and h.",
    )
    .push(by)
    .push(" in (")
    .list(ids.iter().copied());
    let rows = tx.fetch(&sql.push(") group by h.a1, h.a2, h.a3, h.a4, h.a5, e.register"))?;
    rows.iter()
        .map(|row| {
            let care = Care {
                people: row.get(6)?,
                paired: row.get(7)?,
            };
            Ok((chain(row, 0)?, row.get(5)?, care))
        })
        .collect()
}
