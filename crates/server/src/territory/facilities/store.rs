//! SQL of facilities.

use super::{Ask, Audience, Facility, Viewer};
use crate::platform::*;
use crate::territory::import::GeoJson;
use db::{Row, Sql, params};
use domain::geo::LonLat;

macro_rules! columns {
    () => {
        "f.id, f.code, f.name, f.kind, f.area_id, f.a1, f.a2, f.a3, f.a4, f.a5, f.lon, f.lat, f.outline, f.address, f.hours, f.phone, \
         f.audience, f.change, f.removed_at"
    };
}

fn read(row: &Row) -> Result<Facility, Fault> {
    let outline = match row.get::<Option<String>>(12)? {
        Some(text) => {
            let shape: GeoJson = serde_json::from_str(&text).map_err(Fault::internal)?;
            Some(shape.into_region())
        }
        None => None,
    };
    let audience = Audience::from_key(row.text(16)?).ok_or_else(|| Fault::internal("an unknown audience"))?;
    Ok(Facility {
        id: row.get(0)?,
        code: row.get(1)?,
        name: row.get(2)?,
        kind: row.get(3)?,
        area: row.get(4)?,
        areas: [row.get(5)?, row.get(6)?, row.get(7)?, row.get(8)?, row.get(9)?],
        at: LonLat {
            lon: row.get(10)?,
            lat: row.get(11)?,
        },
        outline,
        address: row.get(13)?,
        hours: row.get(14)?,
        phone: row.get(15)?,
        audience,
        change: row.get(17)?,
        removed: row.get::<Option<i64>>(18)?.is_some(),
    })
}

fn asked(sql: Sql, viewer: &Viewer, ask: &Ask) -> Sql {
    let mut sql = viewer.predicate(sql.push("f.removed_at is null and "));
    if !ask.boxes.is_empty() {
        sql = sql.push(" and (1 = 0");
        for [w, s, e, n] in &ask.boxes {
            sql = sql
                .push(" or (f.lon >= ")
                .bind(*w)
                .push(" and f.lon <= ")
                .bind(*e)
                .push(" and f.lat >= ")
                .bind(*s)
                .push(" and f.lat <= ")
                .bind(*n)
                .push(")");
        }
        sql = sql.push(")");
    }
    if let Some(kind) = &ask.kind {
        sql = sql.push(" and f.kind = ").bind(kind);
    }
    if let Some(code) = &ask.code {
        sql = sql.push(" and f.code = ").bind(code);
    }
    if let Some((depth, area)) = ask.area {
        const COLUMNS: [&str; 5] = [
            " and f.a1 = ",
            " and f.a2 = ",
            " and f.a3 = ",
            " and f.a4 = ",
            " and f.a5 = ",
        ];
        sql = match COLUMNS.get(usize::from(depth).wrapping_sub(1)) {
            Some(column) => sql.push(column).bind(area),
            None => sql.push(" and 1 = 0"),
        };
    }
    sql
}

pub fn page(tx: &mut Tx, viewer: &Viewer, ask: &Ask) -> Result<Vec<Facility>, Fault> {
    let sql = Sql::new(concat!("select ", columns!(), " from facility f where "));
    let mut sql = asked(sql, viewer, ask);
    if let Some(after) = ask.after {
        sql = sql.push(" and f.id > ").bind(after);
    }
    let sql = sql.push(" order by f.id limit ").bind(i64::from(ask.limit) + 1);
    tx.fetch(&sql)?.iter().map(read).collect()
}

pub fn count(tx: &mut Tx, viewer: &Viewer, ask: &Ask) -> Result<i64, Fault> {
    let sql = asked(Sql::new("select count(*) from facility f where "), viewer, ask);
    tx.fetch(&sql)?.first().map_or(Ok(0), |row| Ok(row.get(0)?))
}

pub fn one(tx: &mut Tx, viewer: &Viewer, id: FacilityId) -> Result<Option<Facility>, Fault> {
    let sql = Sql::new(concat!(
        "select ",
        columns!(),
        " from facility f where f.removed_at is null and f.id = "
    ));
    let sql = viewer.predicate(sql.bind(id).push(" and "));
    tx.fetch(&sql)?.first().map(read).transpose()
}

pub fn several(tx: &mut Tx, viewer: &Viewer, ids: &[FacilityId]) -> Result<Vec<Facility>, Fault> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let sql = Sql::new(concat!(
        "select ",
        columns!(),
        " from facility f where f.removed_at is null and f.id in ("
    ));
    let sql = viewer.predicate(sql.list(ids.iter().copied()).push(") and "));
    tx.fetch(&sql)?.iter().map(read).collect()
}

/// The id and the areas of each of these codes that is taken, removed ones too.
pub fn by_codes(tx: &mut Tx, codes: &[String]) -> Result<Vec<(String, FacilityId, [Option<AreaId>; 5])>, Fault> {
    let sql = Sql::new("select f.code, f.id, f.a1, f.a2, f.a3, f.a4, f.a5 from facility f where f.code in (");
    let rows = tx.fetch(&sql.list(codes.iter()).push(")"))?;
    let one = |row: &Row| {
        let areas = [row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?];
        Ok((row.get(0)?, row.get(1)?, areas))
    };
    rows.iter().map(one).collect()
}

pub fn last_change(tx: &mut Tx) -> Result<i64, Fault> {
    Ok(tx
        .query_one("select last from facility_change where id = 1", &[])?
        .get(0)?)
}

/// Takes the next number; whoever else wants one waits for this commit, so that numbers become visible in order.
pub fn next_change(tx: &mut Tx) -> Result<i64, Fault> {
    tx.execute("update facility_change set last = last + 1 where id = 1", &[])?;
    last_change(tx)
}

pub fn changed_since(tx: &mut Tx, (change, id): (i64, String), limit: u32) -> Result<Vec<Facility>, Fault> {
    let sql = Sql::new(concat!(
        "select ",
        columns!(),
        " from facility f where (f.change, f.id) > ("
    ));
    let sql = sql.bind(change).push(", ").bind(id);
    let sql = sql.push(") order by f.change, f.id limit ").bind(i64::from(limit));
    tx.fetch(&sql)?.iter().map(read).collect()
}

/// New ones, or in place of what was there under the same codes.
pub fn put_all(ctx: &Ctx, tx: &mut Tx, all: &[Facility]) -> Result<(), Fault> {
    let rows = all.iter().map(|one| row(ctx, one)).collect::<Result<Vec<_>, _>>()?;
    tx.insert_rows(
        "insert into facility (id, code, name, kind, area_id, a1, a2, a3, a4, a5, lon, lat, outline, address, hours, phone, audience, \
         changed_at, change) values ",
        rows,
        " on conflict (code) do update set name = excluded.name, kind = excluded.kind, area_id = excluded.area_id, a1 = excluded.a1, \
         a2 = excluded.a2, a3 = excluded.a3, a4 = excluded.a4, a5 = excluded.a5, lon = excluded.lon, lat = excluded.lat, \
         outline = excluded.outline, address = excluded.address, hours = excluded.hours, phone = excluded.phone, \
         audience = excluded.audience, changed_at = excluded.changed_at, change = excluded.change, removed_at = null",
    )?;
    Ok(())
}

fn row(ctx: &Ctx, one: &Facility) -> Result<[db::Value; 19], Fault> {
    let outline = one
        .outline
        .as_ref()
        .map(|region| serde_json::to_string(&GeoJson::of(region)));
    let outline = outline.transpose().map_err(Fault::internal)?;
    let [a1, a2, a3, a4, a5] = one.areas;
    Ok(params![
        one.id,
        &one.code,
        &one.name,
        &one.kind,
        one.area,
        a1,
        a2,
        a3,
        a4,
        a5,
        one.at.lon,
        one.at.lat,
        outline,
        &one.address,
        &one.hours,
        &one.phone,
        one.audience.key(),
        ctx.now.0,
        one.change
    ])
}

pub fn remove(ctx: &Ctx, tx: &mut Tx, id: FacilityId, change: i64) -> Result<(), Fault> {
    tx.execute(
        "update facility set removed_at = $1, changed_at = $2, change = $3 where id = $4 and removed_at is null",
        &params![ctx.now.0, ctx.now.0, change, id],
    )?;
    Ok(())
}

pub fn relocate(tx: &mut Tx, id: &str, area: AreaId, chain: &[Option<AreaId>; 5], change: i64) -> Result<(), Fault> {
    let [a1, a2, a3, a4, a5] = *chain;
    tx.execute(
        "update facility set area_id = $1, a1 = $2, a2 = $3, a3 = $4, a4 = $5, a5 = $6, change = $7 where id = $8",
        &params![area, a1, a2, a3, a4, a5, change, id],
    )?;
    Ok(())
}
