//! The SQL of where households are.

use crate::platform::*;
use crate::registry::homes::{Address, Home};
use db::{Row, Sql, params};
use domain::geo::LonLat;
use domain::registry::room::Room;

pub(super) fn read(row: &Row) -> Result<Home, Fault> {
    Ok(Home {
        id: row.get(0)?,
        area: row.get(1)?,
        areas: [row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?],
    })
}

pub fn home(tx: &mut Tx, id: HouseholdId) -> Result<Option<Home>, Fault> {
    let row = tx.query_opt(
        "select id, area_id, a1, a2, a3, a4, a5 from household where id = $1 and valid_to is null",
        &params![id],
    )?;
    row.as_ref().map(read).transpose()
}

pub fn after(tx: &mut Tx, after: Option<HouseholdId>, limit: u32) -> Result<Vec<Home>, Fault> {
    let mut sql = Sql::new("select id, area_id, a1, a2, a3, a4, a5 from household where valid_to is null");
    if let Some(after) = after {
        sql = sql.push(" and id > ").bind(after);
    }
    let rows = tx.fetch(&sql.push(" order by id limit ").bind(limit))?;
    rows.iter().map(read).collect()
}

pub fn addresses(tx: &mut Tx, of: &[HouseholdId]) -> Result<Vec<Address>, Fault> {
    if of.is_empty() {
        return Ok(Vec::new());
    }
    let sql = Sql::new(
        "select h.id, h.area_id, h.a1, h.a2, h.a3, h.a4, h.a5, d.name, d.lon, d.lat, h.building, h.entrance, h.floor, h.room
         from household h left join dwelling d on d.id = h.dwelling_id where h.id in (",
    );
    let rows = tx.fetch(&sql.list(of.iter().copied()).push(")"))?;
    rows.iter()
        .map(|row| {
            let floor: Option<i64> = row.get(12)?;
            let room = Room {
                building: row.get(10)?,
                entrance: row.get(11)?,
                floor: floor.and_then(|floor| i16::try_from(floor).ok()),
                room: row.get(13)?,
            };
            let (lon, lat): (Option<f64>, Option<f64>) = (row.get(8)?, row.get(9)?);
            let dwelling: Option<String> = row.get(7)?;
            Ok(Address {
                home: read(row)?,
                address: format!("{} {}", dwelling.unwrap_or_default(), room.text())
                    .trim()
                    .to_owned(),
                at: lon.zip(lat).and_then(|(lon, lat)| LonLat::new(lon, lat).ok()),
            })
        })
        .collect()
}
