//! SQL of policy: numbers of packs and calendars, imported years.

use crate::platform::{Ctx, Fault, Mark, Subject, Tx};
use std::collections::BTreeMap;

/// The number of the pack with this digest: the newest one's when nothing changed, else the next.
pub fn pack_version(ctx: &Ctx, tx: &mut Tx, key: &str, label: &str, digest: &str) -> Result<(i64, bool), Fault> {
    let newest = tx.query_opt(
        "select version, digest from pack_version order by version desc limit 1",
        &[],
    )?;
    let mut last = 0;
    if let Some(row) = newest {
        last = row.get::<i64>(0)?;
        if row.text(1)? == digest {
            return Ok((last, false));
        }
    }
    let number = last + 1;
    tx.execute(
        "insert into pack_version(version, digest, key, label, adopted_at) values ($1, $2, $3, $4, $5)",
        &[number.into(), digest.into(), key.into(), label.into(), ctx.now.0.into()],
    )?;
    let body = serde_json::json!({ "key": key, "version": label, "number": number, "digest": digest });
    tx.record(ctx, Mark::new("pack.adopted", Subject::Pack, body))?;
    Ok((number, true))
}

/// Years brought in by the administrator.
pub fn imported_years(tx: &mut Tx, base: &str) -> Result<BTreeMap<i16, String>, Fault> {
    let rows = tx.query(
        "select year, body from calendar_year where base = $1 order by year",
        &[base.into()],
    )?;
    let read = |row: &db::Row| -> Result<(i16, String), Fault> {
        Ok((i16::try_from(row.get::<i64>(0)?).map_err(Fault::internal)?, row.get(1)?))
    };
    rows.iter().map(read).collect()
}

pub fn put_year(ctx: &Ctx, tx: &mut Tx, base: &str, year: i16, text: &str, days: usize) -> Result<(), Fault> {
    tx.execute(
        "insert into calendar_year(base, year, body, imported_at) values ($1, $2, $3, $4)
         on conflict (base, year) do update set body = excluded.body, imported_at = excluded.imported_at",
        &[base.into(), i64::from(year).into(), text.into(), ctx.now.0.into()],
    )?;
    let body = serde_json::json!({ "base": base, "year": year, "days": days });
    tx.record(ctx, Mark::new("calendar.imported", Subject::Pack, body))?;
    Ok(())
}

/// One stored calendar version.
pub struct StoredCalendar {
    pub version: u32,
    pub digest: String,
    pub body: String,
}

/// All versions, oldest first.
pub fn calendar_versions(tx: &mut Tx, base: &str) -> Result<Vec<StoredCalendar>, Fault> {
    let sql = "select version, digest, body from calendar_version where base = $1 order by version";
    let rows = tx.query(sql, &[base.into()])?;
    let read = |row: &db::Row| -> Result<StoredCalendar, Fault> {
        Ok(StoredCalendar {
            version: u32::try_from(row.get::<i64>(0)?).map_err(Fault::internal)?,
            digest: row.get(1)?,
            body: row.get(2)?,
        })
    };
    rows.iter().map(read).collect()
}

pub fn add_calendar_version(
    ctx: &Ctx,
    tx: &mut Tx,
    base: &str,
    version: u32,
    digest: &str,
    body: &str,
) -> Result<(), Fault> {
    tx.execute(
        "insert into calendar_version(base, version, digest, body, adopted_at) values ($1, $2, $3, $4, $5)",
        &[
            base.into(),
            i64::from(version).into(),
            digest.into(),
            body.into(),
            ctx.now.0.into(),
        ],
    )?;
    let body = serde_json::json!({ "base": base, "version": version, "digest": digest });
    tx.record(ctx, Mark::new("calendar.adopted", Subject::Pack, body))?;
    Ok(())
}
