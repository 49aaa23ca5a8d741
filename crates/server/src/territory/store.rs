//! SQL of territory.

pub mod division;

use super::Address;
use super::import::GeoJson;
use super::map::{Area, Map};
use crate::platform::{AddressId, AreaId, Ctx, Fault, Tx};
use db::Row;
use domain::geo::{LonLat, Region};
use domain::territory::NewArea;

/// Everything in force, as one value.
pub fn map(tx: &mut Tx) -> Result<Map, Fault> {
    let version = version(tx)?;
    let in_force = areas(tx, "a.valid_to is null")?;
    let ended = areas(tx, "a.valid_to is not null")?;
    let mut boundaries = Vec::new();
    let sql =
        "select b.area_id, b.geojson from area_boundary b join area a on a.id = b.area_id where a.valid_to is null";
    for row in tx.query(sql, &[])? {
        let shape: GeoJson = serde_json::from_str(row.text(1)?).map_err(Fault::internal)?;
        boundaries.push((row.get::<AreaId>(0)?, shape.into_region()));
    }
    let heirs = division::successors(tx)?;
    Ok(Map::new(version, in_force, boundaries).with_ended(ended, heirs))
}

fn areas(tx: &mut Tx, which: &'static str) -> Result<Vec<Area>, Fault> {
    let sql = format!("select {AREA} from area a where {which} order by a.code");
    tx.query(&sql, &[])?.iter().map(read_area).collect()
}

/// The columns of [`read_area`].
const AREA: &str = "a.id, a.code, a.name, a.placeholder, a.pinyin, a.initials, a.level, a.kind, a.parent_id, a.depth, \
     a.a1, a.a2, a.a3, a.a4, a.a5, a.lon, a.lat";

fn read_area(row: &Row) -> Result<Area, Fault> {
    let center = match (row.get::<Option<f64>>(15)?, row.get::<Option<f64>>(16)?) {
        (Some(lon), Some(lat)) => Some(LonLat { lon, lat }),
        _ => None,
    };
    Ok(Area {
        id: row.get(0)?,
        code: row.get(1)?,
        name: row.get(2)?,
        placeholder: row.get::<i64>(3)? == 1,
        pinyin: row.get(4)?,
        initials: row.get(5)?,
        level: row.get(6)?,
        kind: row.get(7)?,
        parent: row.get(8)?,
        depth: u8::try_from(row.get::<i64>(9)?).map_err(Fault::internal)?,
        chain: [row.get(10)?, row.get(11)?, row.get(12)?, row.get(13)?, row.get(14)?],
        center,
        child_count: 0,
    })
}

/// The newest territory version; 0 before the first.
pub fn version(tx: &mut Tx) -> Result<i64, Fault> {
    let row = tx.query_one("select coalesce(max(version), 0) from territory_version", &[])?;
    Ok(row.get(0)?)
}

pub fn new_version(ctx: &Ctx, tx: &mut Tx, note: &str) -> Result<i64, Fault> {
    let version = version(tx)? + 1;
    tx.execute(
        "insert into territory_version(version, adopted_at, note) values ($1, $2, $3)",
        &[version.into(), ctx.now.0.into(), note.into()],
    )?;
    Ok(version)
}

/// One new area; `chain` as in [`Area`].
pub fn insert_area(
    ctx: &Ctx,
    tx: &mut Tx,
    id: AreaId,
    area: &NewArea,
    level: &str,
    parent: Option<AreaId>,
    chain: &[Option<AreaId>; 5],
    version: i64,
) -> Result<(), Fault> {
    let (pinyin, initials) = domain::text::pinyin_of(&area.name);
    tx.defer(
        "insert into area(id, code, name, placeholder, pinyin, initials, level, parent_id, depth, a1, a2, a3, a4, a5, valid_from,
                          made_in_version)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
        &[
            id.into(),
            area.code.as_str().into(),
            area.name.as_str().into(),
            i64::from(area.placeholder).into(),
            pinyin.into(),
            initials.into(),
            level.into(),
            parent.into(),
            i64::from(area.depth).into(),
            chain[0].into(),
            chain[1].into(),
            chain[2].into(),
            chain[3].into(),
            chain[4].into(),
            ctx.now.date().to_string().into(),
            version.into(),
        ],
    )?;
    Ok(())
}

pub fn rename(tx: &mut Tx, id: AreaId, name: &str) -> Result<(), Fault> {
    let (pinyin, initials) = domain::text::pinyin_of(name);
    tx.execute(
        "update area set name = $1, placeholder = 0, pinyin = $2, initials = $3 where id = $4",
        &[name.into(), pinyin.into(), initials.into(), id.into()],
    )?;
    Ok(())
}

pub fn set_kind(tx: &mut Tx, id: AreaId, kind: Option<&str>) -> Result<(), Fault> {
    tx.execute(
        "update area set kind = $1 where id = $2",
        &[kind.map(str::to_owned).into(), id.into()],
    )?;
    Ok(())
}

/// The day it came into force.
pub fn valid_from(tx: &mut Tx, id: AreaId) -> Result<String, Fault> {
    let row = tx.query_one("select valid_from from area where id = $1", &[id.into()])?;
    Ok(row.get(0)?)
}

/// Its last day in force.
pub fn end_area(tx: &mut Tx, id: AreaId, day: &str) -> Result<(), Fault> {
    tx.execute("update area set valid_to = $1 where id = $2", &[day.into(), id.into()])?;
    Ok(())
}

pub fn put_boundary(tx: &mut Tx, id: AreaId, geojson: &str, region: &Region) -> Result<(), Fault> {
    let [west, south, east, north] = region.bounds().unwrap_or_default();
    tx.execute(
        "insert into area_boundary(area_id, geojson, min_lon, min_lat, max_lon, max_lat) values ($1, $2, $3, $4, $5, $6)
         on conflict (area_id) do update set geojson = excluded.geojson, min_lon = excluded.min_lon, min_lat = excluded.min_lat,
             max_lon = excluded.max_lon, max_lat = excluded.max_lat",
        &[id.into(), geojson.into(), west.into(), south.into(), east.into(), north.into()],
    )?;
    if let Some(center) = region.center() {
        tx.execute(
            "update area set lon = $1, lat = $2 where id = $3",
            &[center.lon.into(), center.lat.into(), id.into()],
        )?;
    }
    Ok(())
}

pub fn put_address(ctx: &Ctx, tx: &mut Tx, address: &Address) -> Result<(), Fault> {
    let search = search_form(&address.text);
    let (_, initials) = domain::text::pinyin_of(&address.text);
    let (lon, lat) = (address.at.map(|at| at.lon), address.at.map(|at| at.lat));
    let changed = tx.execute(
        "update address set area_id = $1, lon = $2, lat = $3 where search = $4",
        &[address.area.into(), lon.into(), lat.into(), search.as_str().into()],
    )?;
    if changed == 0 {
        let id: AddressId = ctx.app.new_id();
        tx.execute(
            "insert into address(id, text, search, initials, area_id, lon, lat) values ($1, $2, $3, $4, $5, $6, $7)",
            &[
                id.into(),
                address.text.as_str().into(),
                search.into(),
                initials.into(),
                address.area.into(),
                lon.into(),
                lat.into(),
            ],
        )?;
    }
    Ok(())
}

fn search_form(text: &str) -> String {
    domain::text::normalise(text).replace(' ', "")
}

/// Shortest part of a text that is looked up as an address, and how many beginnings of it are tried (characters).
const ADDRESS_CHARS: std::ops::RangeInclusive<usize> = 4..=40;

/// The area of the longest known address that the text begins with or contains from some point on: tried from each of its first
/// positions, longest first.
pub fn address_area(tx: &mut Tx, text: &str) -> Result<Option<AreaId>, Fault> {
    let chars: Vec<char> = search_form(text).chars().take(*ADDRESS_CHARS.end()).collect();
    for len in ADDRESS_CHARS.rev().filter(|len| *len <= chars.len()) {
        let parts: Vec<String> = chars.windows(len).map(|part| part.iter().collect()).collect();
        let sql = db::Sql::new("select area_id from address where search in (")
            .list(parts)
            .push(") order by search limit 1");
        if let Some(row) = tx.fetch(&sql)?.first() {
            return Ok(Some(row.get(0)?));
        }
    }
    Ok(None)
}

/// Addresses in order of text.
pub fn every_address(tx: &mut Tx, limit: u32) -> Result<Vec<Address>, Fault> {
    let rows = tx.query(
        "select text, area_id, lon, lat from address order by search limit $1",
        &[i64::from(limit).into()],
    )?;
    rows.iter().map(read_address).collect()
}

fn read_address(row: &Row) -> Result<Address, Fault> {
    let at = match (row.get::<Option<f64>>(2)?, row.get::<Option<f64>>(3)?) {
        (Some(lon), Some(lat)) => Some(LonLat { lon, lat }),
        _ => None,
    };
    Ok(Address {
        text: row.get(0)?,
        area: row.get(1)?,
        at,
    })
}

/// Addresses that contain the text, or whose initials begin with it.
pub fn addresses(tx: &mut Tx, text: &str, limit: u32) -> Result<Vec<Address>, Fault> {
    let wanted = search_form(text);
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let escaped = wanted.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    let rows = tx.query(
        "select text, area_id, lon, lat from address where search like $1 escape '\\' or initials like $2 escape '\\'
         order by length(search), search limit $3",
        &[
            format!("%{escaped}%").into(),
            format!("{escaped}%").into(),
            i64::from(limit).into(),
        ],
    )?;
    rows.iter().map(read_address).collect()
}
