//! SQL of divisions: days of areas, boundaries of before, successors.

use super::{AREA, read_area};
use crate::platform::{AreaId, Fault, Tx};
use crate::territory::import::GeoJson;
use crate::territory::map::{Area, Map};
use db::params;
use domain::geo::Region;
use std::collections::HashMap;

/// Of every area that ended, those that have its ground, most households first.
pub fn successors(tx: &mut Tx) -> Result<HashMap<AreaId, Vec<AreaId>>, Fault> {
    let sql = "select s.area_id, s.successor_id from area_successor s join area a on a.id = s.successor_id \
               order by s.area_id, s.households desc, a.code";
    let mut all: HashMap<AreaId, Vec<AreaId>> = HashMap::new();
    for row in tx.query(sql, &[])? {
        all.entry(row.get(0)?).or_default().push(row.get(1)?);
    }
    Ok(all)
}

/// Everything that was in force on a day (ISO date), with the boundaries of that day. A place has its first areas for all the days before
/// them: what happened then was brought in later and lies in them.
pub fn map_on(tx: &mut Tx, version: i64, day: &str) -> Result<Map, Fault> {
    let first: Option<String> = tx.query_one("select min(valid_from) from area", &[])?.get(0)?;
    let day = first.as_deref().map_or(day, |first| day.max(first));
    let areas: Vec<Area> = tx
        .query(
            &format!(
                "select {AREA} from area a where a.valid_from <= $1 and (a.valid_to is null or a.valid_to >= $1) \
                 and not exists (select 1 from area_gap g where g.area_id = a.id and g.gap_from <= $1 and g.gap_to >= $1) order by a.code"
            ),
            &params![day],
        )?
        .iter()
        .map(read_area)
        .collect::<Result<_, _>>()?;
    let past = tx.query(
        "select area_id, geojson from area_boundary_past where valid_from <= $1 and valid_to >= $1",
        &params![day],
    )?;
    let mut shapes: HashMap<AreaId, Option<String>> = HashMap::new();
    for row in past {
        shapes.insert(row.get(0)?, row.get(1)?);
    }
    for row in tx.query("select area_id, geojson from area_boundary", &[])? {
        let (area, shape): (AreaId, String) = (row.get(0)?, row.get(1)?);
        shapes.entry(area).or_insert(Some(shape));
    }
    let mut boundaries = Vec::new();
    for area in &areas {
        if let Some(Some(shape)) = shapes.get(&area.id) {
            boundaries.push((area.id, region(shape)?));
        }
    }
    Ok(Map::new(version, areas, boundaries))
}

fn region(text: &str) -> Result<Region, Fault> {
    let shape: GeoJson = serde_json::from_str(text).map_err(Fault::internal)?;
    Ok(shape.into_region())
}

/// The boundary as it is stored.
pub fn boundary(tx: &mut Tx, area: AreaId) -> Result<Option<String>, Fault> {
    let row = tx.query_opt("select geojson from area_boundary where area_id = $1", &params![area])?;
    Ok(row.map(|row| row.get(0)).transpose()?)
}

pub fn drop_boundary(tx: &mut Tx, area: AreaId) -> Result<(), Fault> {
    tx.execute("delete from area_boundary where area_id = $1", &params![area])?;
    Ok(())
}

/// The day after the last boundary of before, or the area's first day.
pub fn boundary_since(tx: &mut Tx, area: AreaId) -> Result<(Option<String>, String), Fault> {
    let row = tx.query_one(
        "select (select max(valid_to) from area_boundary_past where area_id = a.id), a.valid_from from area a where a.id = $1",
        &params![area],
    )?;
    Ok((row.get(0)?, row.get(1)?))
}

pub fn keep_boundary(tx: &mut Tx, area: AreaId, from: &str, to: &str, shape: Option<&str>) -> Result<(), Fault> {
    tx.execute(
        "insert into area_boundary_past (area_id, valid_from, valid_to, geojson) values ($1, $2, $3, $4)",
        &params![area, from, to, shape.map(str::to_owned)],
    )?;
    Ok(())
}

/// First day in force, and code, of what is to be made.
pub struct NewRow<'r> {
    pub id: AreaId,
    pub code: &'r str,
    pub name: &'r str,
    pub level: &'r str,
    pub parent: AreaId,
    pub depth: u8,
    pub chain: [Option<AreaId>; 5],
    pub from: &'r str,
    pub version: i64,
}

pub fn insert(tx: &mut Tx, new: &NewRow<'_>) -> Result<(), Fault> {
    let (pinyin, initials) = domain::text::pinyin_of(new.name);
    let [a1, a2, a3, a4, a5] = new.chain;
    tx.execute(
        "insert into area (id, code, name, placeholder, pinyin, initials, level, parent_id, depth, a1, a2, a3, a4, a5, valid_from, \
         made_in_version) values ($1, $2, $3, 0, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
        &params![
            new.id,
            new.code,
            new.name,
            pinyin,
            initials,
            new.level,
            new.parent,
            i64::from(new.depth),
            a1,
            a2,
            a3,
            a4,
            a5,
            new.from,
            new.version
        ],
    )?;
    Ok(())
}

/// In force again, after days on which it was not.
pub fn revive(tx: &mut Tx, area: AreaId, gap: Option<(&str, &str)>) -> Result<(), Fault> {
    tx.execute("update area set valid_to = null where id = $1", &params![area])?;
    if let Some((from, to)) = gap {
        tx.execute(
            "insert into area_gap (area_id, gap_from, gap_to) values ($1, $2, $3)",
            &params![area, from, to],
        )?;
    }
    Ok(())
}

pub fn add_successor(
    tx: &mut Tx,
    area: AreaId,
    successor: AreaId,
    day: &str,
    households: i64,
    adoption: &str,
) -> Result<(), Fault> {
    tx.execute(
        "insert into area_successor (area_id, successor_id, day, households, adoption_id) values ($1, $2, $3, $4, $5) \
         on conflict (area_id, successor_id) do update set day = excluded.day, households = excluded.households, \
         adoption_id = excluded.adoption_id",
        &params![area, successor, day, households, adoption],
    )?;
    Ok(())
}

pub fn drop_successors(tx: &mut Tx, adoption: &str) -> Result<(), Fault> {
    tx.execute("delete from area_successor where adoption_id = $1", &params![adoption])?;
    Ok(())
}

/// Codes below a prefix that any area has or had.
pub fn codes(tx: &mut Tx, prefix: &str) -> Result<Vec<String>, Fault> {
    let rows = tx.query(
        "select code from area where code like $1 order by code",
        &params![format!("{prefix}%")],
    )?;
    rows.iter().map(|row| Ok(row.get(0)?)).collect()
}
