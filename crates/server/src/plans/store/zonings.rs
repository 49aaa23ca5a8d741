//! SQL of departments' own zonings.

use crate::platform::{AccountId, AreaId, DwellingId, Fault, PlanId, Tx, ZoningId};
use db::{Row, Sql, params};
use domain::time::Timestamp;

/// Dwellings read at most.
const MOST: i64 = 2_000_000;

/// A zoning, one version of it.
#[derive(Debug, Clone)]
pub struct ZoningRow {
    pub id: ZoningId,
    pub name: String,
    pub purpose: String,
    pub area: AreaId,
    pub version: i64,
    pub replaces: Option<ZoningId>,
    pub replaced_at: Option<Timestamp>,
    pub territory_version: i64,
    pub zones: i64,
    pub households: i64,
    pub created_at: Timestamp,
    pub created_by: AccountId,
    pub created_name: String,
}

const ZONING: &str = "z.id, z.name, z.purpose, z.area_id, z.version, z.replaces, z.replaced_at, z.territory_version, z.zones, \
     z.households, z.created_at, z.created_by, z.created_name";

fn read(row: &Row) -> Result<ZoningRow, Fault> {
    Ok(ZoningRow {
        id: row.get(0)?,
        name: row.get(1)?,
        purpose: row.get(2)?,
        area: row.get(3)?,
        version: row.get(4)?,
        replaces: row.get(5)?,
        replaced_at: row.get::<Option<i64>>(6)?.map(Timestamp),
        territory_version: row.get(7)?,
        zones: row.get(8)?,
        households: row.get(9)?,
        created_at: Timestamp(row.get(10)?),
        created_by: row.get(11)?,
        created_name: row.get(12)?,
    })
}

pub fn zoning(tx: &mut Tx, id: ZoningId) -> Result<Option<ZoningRow>, Fault> {
    let row = tx.query_opt(&format!("select {ZONING} from zoning z where z.id = $1"), &params![id])?;
    row.as_ref().map(read).transpose()
}

/// The version of a name in an area that nothing has replaced.
pub fn newest(tx: &mut Tx, area: AreaId, name: &str) -> Result<Option<ZoningRow>, Fault> {
    let row = tx.query_opt(
        &format!("select {ZONING} from zoning z where z.area_id = $1 and z.name = $2 and z.replaced_at is null order by z.version desc limit 1"),
        &params![area, name],
    )?;
    row.as_ref().map(read).transpose()
}

/// Zonings, the newest first; replaced ones too where `all`.
pub fn zonings(tx: &mut Tx, all: bool, after: Option<(i64, String)>, limit: u32) -> Result<Vec<ZoningRow>, Fault> {
    let mut sql = Sql::new("select ").push(ZONING).push(" from zoning z where 1 = 1");
    if !all {
        sql = sql.push(" and z.replaced_at is null");
    }
    if let Some((at, id)) = after {
        sql = sql
            .push(" and (z.created_at, z.id) < (")
            .bind(at)
            .push(", ")
            .bind(id)
            .push(")");
    }
    let sql = sql
        .push(" order by z.created_at desc, z.id desc limit ")
        .bind(i64::from(limit) + 1);
    tx.fetch(&sql)?.iter().map(read).collect()
}

pub fn insert(tx: &mut Tx, row: &ZoningRow) -> Result<(), Fault> {
    if let Some(old) = row.replaces {
        tx.execute(
            "update zoning set replaced_at = $1 where id = $2",
            &params![row.created_at.0, old],
        )?;
    }
    tx.execute(
        "insert into zoning (id, name, purpose, area_id, version, replaces, territory_version, zones, households, created_at, created_by, \
         created_name) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        &params![
            row.id,
            &row.name,
            &row.purpose,
            row.area,
            row.version,
            row.replaces,
            row.territory_version,
            row.zones,
            row.households,
            row.created_at.0,
            row.created_by,
            &row.created_name
        ],
    )?;
    Ok(())
}

/// One zone; 0 is no zone's number.
#[derive(Debug, Clone)]
pub struct ZoneRow {
    pub no: i64,
    pub code: String,
    pub name: String,
    pub unit: String,
    pub geojson: String,
    pub households: i64,
}

pub fn insert_zones(tx: &mut Tx, zoning: ZoningId, zones: &[ZoneRow]) -> Result<(), Fault> {
    let values = |zone: &ZoneRow| {
        params![
            zoning,
            zone.no,
            &zone.code,
            &zone.name,
            &zone.unit,
            &zone.geojson,
            zone.households
        ]
    };
    tx.insert_rows(
        "insert into zone (zoning_id, no, code, name, unit_name, geojson, households) values ",
        zones.iter().map(values),
        "",
    )?;
    Ok(())
}

/// The zones of a zoning, by number.
pub fn zones(tx: &mut Tx, zoning: ZoningId) -> Result<Vec<ZoneRow>, Fault> {
    let rows = tx.query(
        "select no, code, name, unit_name, geojson, households from zone where zoning_id = $1 order by no",
        &params![zoning],
    )?;
    let one = |row: &Row| {
        Ok(ZoneRow {
            no: row.get(0)?,
            code: row.get(1)?,
            name: row.get(2)?,
            unit: row.get(3)?,
            geojson: row.get(4)?,
            households: row.get(5)?,
        })
    };
    rows.iter().map(one).collect()
}

/// What of a grid lies in a zone; zone 0: in none.
#[derive(Debug, Clone, PartialEq)]
pub struct ShareRow {
    pub zone: i64,
    pub area: AreaId,
    pub dwellings: i64,
    pub households: i64,
}

pub fn insert_shares(tx: &mut Tx, zoning: ZoningId, shares: &[ShareRow]) -> Result<(), Fault> {
    let values = |share: &ShareRow| params![zoning, share.zone, share.area, share.dwellings, share.households];
    tx.insert_rows(
        "insert into zone_share (zoning_id, zone_no, area_id, dwellings, households) values ",
        shares.iter().map(values),
        "",
    )?;
    Ok(())
}

/// Shares in order of zone and area, after one.
pub fn shares(tx: &mut Tx, zoning: ZoningId, after: (i64, String), limit: i64) -> Result<Vec<ShareRow>, Fault> {
    let sql = Sql::new("select zone_no, area_id, dwellings, households from zone_share where zoning_id = ")
        .bind(zoning)
        .push(" and (zone_no, area_id) > (")
        .bind(after.0)
        .push(", ")
        .bind(after.1)
        .push(") order by zone_no, area_id limit ")
        .bind(limit);
    let one = |row: &Row| {
        Ok(ShareRow {
            zone: row.get(0)?,
            area: row.get(1)?,
            dwellings: row.get(2)?,
            households: row.get(3)?,
        })
    };
    tx.fetch(&sql)?.iter().map(one).collect()
}

/// Households of each of these grids, in all zones and none.
pub fn households_of(tx: &mut Tx, zoning: ZoningId, areas: &[AreaId]) -> Result<Vec<(AreaId, i64)>, Fault> {
    if areas.is_empty() {
        return Ok(Vec::new());
    }
    let sql = Sql::new("select area_id, cast(sum(households) as bigint) from zone_share where zoning_id = ")
        .bind(zoning)
        .push(" and area_id in (")
        .list(areas.iter().copied())
        .push(") group by area_id");
    tx.fetch(&sql)?
        .iter()
        .map(|row| Ok((row.get(0)?, row.get(1)?)))
        .collect()
}

/// A dwelling as zones are laid over it.
#[derive(Debug, Clone)]
pub struct Dwelling {
    pub id: DwellingId,
    pub area: AreaId,
    pub community: AreaId,
    pub at: (f64, f64),
    pub households: i64,
}

/// Dwellings in force at or below an area (its depth and id), by id.
pub fn dwellings(tx: &mut Tx, (depth, area): (u8, AreaId)) -> Result<Vec<Dwelling>, Fault> {
    const COLUMNS: [&str; 5] = ["a.a1 = ", "a.a2 = ", "a.a3 = ", "a.a4 = ", "a.a5 = "];
    let Some(column) = COLUMNS.get(usize::from(depth).wrapping_sub(1)) else {
        return Ok(Vec::new());
    };
    let sql = Sql::new(
        "select d.id, d.area_id, d.community_id, d.lon, d.lat, d.households from dwelling d join area a on a.id = d.community_id \
         where d.valid_to is null and ",
    )
    .push(column)
    .bind(area)
    .push(" order by d.id limit ")
    .bind(MOST);
    let one = |row: &Row| {
        Ok(Dwelling {
            id: row.get(0)?,
            area: row.get(1)?,
            community: row.get(2)?,
            at: (row.get(3)?, row.get(4)?),
            households: row.get(5)?,
        })
    };
    tx.fetch(&sql)?.iter().map(one).collect()
}

/// What became of a zone's ground in a community in a plan made from its zoning.
#[derive(Debug, Clone, PartialEq)]
pub struct VerdictRow {
    pub zoning: ZoningId,
    pub zone: i64,
    pub community: AreaId,
    pub households: i64,
    /// `followed`, `too_small`, `too_large` or `apart`.
    pub verdict: String,
    pub grid: Option<u32>,
}

pub fn insert_verdicts(tx: &mut Tx, plan: PlanId, rows: &[VerdictRow]) -> Result<(), Fault> {
    let values = |row: &VerdictRow| {
        params![
            plan,
            row.zoning,
            row.zone,
            row.community,
            row.households,
            &row.verdict,
            row.grid.map(i64::from)
        ]
    };
    tx.insert_rows(
        "insert into zone_verdict (plan_id, zoning_id, zone_no, community_id, households, verdict, grid_no) values ",
        rows.iter().map(values),
        "",
    )?;
    Ok(())
}

/// The verdicts of a plan in order of zone and community, after one.
pub fn verdicts(tx: &mut Tx, plan: PlanId, after: (i64, String), limit: i64) -> Result<Vec<VerdictRow>, Fault> {
    let sql = Sql::new(
        "select zoning_id, zone_no, community_id, households, verdict, grid_no from zone_verdict where plan_id = ",
    )
    .bind(plan)
    .push(" and (zone_no, community_id) > (")
    .bind(after.0)
    .push(", ")
    .bind(after.1)
    .push(") order by zone_no, community_id limit ")
    .bind(limit);
    let one = |row: &Row| {
        Ok(VerdictRow {
            zoning: row.get(0)?,
            zone: row.get(1)?,
            community: row.get(2)?,
            households: row.get(3)?,
            verdict: row.get(4)?,
            grid: row.get(5)?,
        })
    };
    tx.fetch(&sql)?.iter().map(one).collect()
}
