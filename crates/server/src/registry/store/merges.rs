//! The SQL of two records of one person made one.

use super::{ResidentRow, day, keyed, reach, select_resident};
use crate::platform::*;
use db::{Sql, params};
use domain::time::Timestamp;
use jiff::civil::Date;

/// The records that went into these people's, each with whose it went into.
pub fn merged_of(tx: &mut Tx, kept: &[ResidentId]) -> Result<Vec<(ResidentId, ResidentId)>, Fault> {
    if kept.is_empty() {
        return Ok(Vec::new());
    }
    let sql = Sql::new("select id, merged_into from resident where merged_into in (").list(kept.iter().copied());
    let rows = tx.fetch(&sql.push(") order by id"))?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// The record somebody's went into.
pub fn merged_into(tx: &mut Tx, id: ResidentId) -> Result<Option<ResidentId>, Fault> {
    let row = tx.query_opt("select merged_into from resident where id = $1", &params![id])?;
    Ok(row.map(|row| row.get(0)).transpose()?.flatten())
}

/// Records that went into one go with it into another, or back.
pub fn point(tx: &mut Tx, records: &[ResidentId], to: ResidentId) -> Result<(), Fault> {
    for id in records {
        tx.execute("update resident set merged_into = $1 where id = $2", &params![to, *id])?;
    }
    Ok(())
}

/// Before two records change their numbers: no two have one, not even in between.
pub fn free_number(tx: &mut Tx, id: ResidentId) -> Result<(), Fault> {
    tx.execute("update resident set id_number_index = null where id = $1", &params![id])?;
    Ok(())
}

pub fn delete_residences(tx: &mut Tx, of: ResidentId) -> Result<(), Fault> {
    tx.execute("delete from residence where resident_id = $1", &params![of])?;
    Ok(())
}

/// Somebody's time on a register, now or before.
pub struct Entry {
    pub id: CareEntryId,
    pub register: String,
    pub open: bool,
}

pub fn entries(tx: &mut Tx, of: ResidentId) -> Result<Vec<Entry>, Fault> {
    let rows = tx.query(
        "select id, register, case when ended_day is null then 1 else 0 end from care_entry where resident_id = $1 order by id",
        &params![of],
    )?;
    rows.iter()
        .map(|row| {
            Ok(Entry {
                id: row.get(0)?,
                register: row.get(1)?,
                open: row.get(2)?,
            })
        })
        .collect()
}

pub fn give_entry(tx: &mut Tx, id: CareEntryId, to: ResidentId) -> Result<(), Fault> {
    tx.execute("update care_entry set resident_id = $1 where id = $2", &params![to, id])?;
    Ok(())
}

/// Ends an entry on a day in some way, or lets it go on.
pub fn end_entry(tx: &mut Tx, id: CareEntryId, ended: Option<(Date, &'static str)>) -> Result<(), Fault> {
    let (on, how) = ended.map(|(on, how)| (on.to_string(), how)).unzip();
    tx.execute(
        "update care_entry set ended_day = $1, ended_how = $2 where id = $3",
        &params![on, how, id],
    )?;
    Ok(())
}

/// One merge as it is kept.
#[derive(Debug, Clone)]
pub struct MergeRow {
    pub id: MergeId,
    pub kept: ResidentId,
    pub other: ResidentId,
    pub before: Option<Vec<u8>>,
    /// Name of the account.
    pub by: String,
    pub at: Timestamp,
    pub undo_until: Date,
}

pub fn insert(
    ctx: &Ctx,
    tx: &mut Tx,
    id: MergeId,
    kept: ResidentId,
    other: ResidentId,
    before: Vec<u8>,
    until: Date,
) -> Result<(), Fault> {
    let account = ctx.account()?;
    tx.execute(
        "insert into resident_merge (id, kept_id, merged_id, before_sealed, merged_by, merged_at, undo_until) values ($1, $2, $3, $4, $5, $6, $7)",
        &params![id, kept, other, before, account, ctx.now.0, until.to_string()],
    )?;
    Ok(())
}

const MERGE: &str =
    "select m.id, m.kept_id, m.merged_id, m.before_sealed, a.name, m.merged_at, m.undo_until from resident_merge m
     join account a on a.id = m.merged_by where m.undone_at is null and ";

fn read(row: &db::Row) -> Result<MergeRow, Fault> {
    Ok(MergeRow {
        id: row.get(0)?,
        kept: row.get(1)?,
        other: row.get(2)?,
        before: row.get(3)?,
        by: row.get(4)?,
        at: Timestamp(row.get(5)?),
        undo_until: day(row.text(6)?)?,
    })
}

pub fn id_used(tx: &mut Tx, id: MergeId) -> Result<bool, Fault> {
    Ok(tx
        .query_opt("select 1 from resident_merge where id = $1", &params![id])?
        .is_some())
}

/// A merge that was not undone.
pub fn one(tx: &mut Tx, id: MergeId) -> Result<Option<MergeRow>, Fault> {
    let sql = Sql::new(MERGE).push("m.id = ").bind(id);
    tx.fetch(&sql)?.first().map(read).transpose()
}

/// The merges into somebody's record that were not undone, the newest first.
pub fn into(tx: &mut Tx, kept: ResidentId, limit: u32) -> Result<Vec<MergeRow>, Fault> {
    let sql = Sql::new(MERGE)
        .push("m.kept_id = ")
        .bind(kept)
        .push(" order by m.id desc limit ")
        .bind(limit);
    tx.fetch(&sql)?.iter().map(read).collect()
}

/// False when somebody else has undone it meanwhile.
pub fn undone(ctx: &Ctx, tx: &mut Tx, id: MergeId) -> Result<bool, Fault> {
    let account = ctx.account()?;
    let put = tx.execute(
        "update resident_merge set undone_by = $1, undone_at = $2, before_sealed = null where id = $3 and undone_at is null",
        &params![account, ctx.now.0, id],
    )?;
    Ok(put > 0)
}

/// Nothing is kept any more of how these two were.
pub fn forget(tx: &mut Tx, id: ResidentId) -> Result<(), Fault> {
    tx.execute(
        "update resident_merge set before_sealed = null where kept_id = $1 or merged_id = $1",
        &params![id],
    )?;
    Ok(())
}

/// Who of the caller's area has one of these fingerprints, but somebody.
pub fn alike(
    ctx: &Ctx,
    tx: &mut Tx,
    prints: &[i64],
    but: ResidentId,
    limit: u32,
) -> Result<Vec<(ResidentRow, Vec<u8>)>, Fault> {
    if prints.is_empty() {
        return Ok(Vec::new());
    }
    let sql = select_resident()
        .push("join household h on h.id = r.household_id where r.valid_to is null and r.id in (select i.resident_id from resident_index i where i.print_index in (")
        .list(prints.iter().copied())
        .push(")) and r.id <> ")
        .bind(but);
    let sql = reach(ctx, sql, None).push(" order by r.id limit ").bind(limit);
    tx.fetch(&sql)?.iter().map(keyed).collect()
}
