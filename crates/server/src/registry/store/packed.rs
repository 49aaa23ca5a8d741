//! The SQL of what a phone takes along of an area. The area is small: the joins begin there.

use super::{HOUSEHOLD, HOUSEHOLD_COLUMNS, HouseholdRow, RESIDENT, ResidentRow, keyed, read_household};
use crate::platform::*;
use db::{Sql, params};
use domain::geo::LonLat;

/// The households that live in an area itself, in the order of a walk, with where their dwelling is; one more than `limit` when there are more.
pub fn households(tx: &mut Tx, area: AreaId, limit: u32) -> Result<Vec<(HouseholdRow, Option<LonLat>)>, Fault> {
    let sql = Sql::new("select ")
        .push(HOUSEHOLD)
        .push(", w.lon, w.lat from household h left join dwelling w on w.id = h.dwelling_id where h.valid_to is null and h.area_id = ")
        .bind(area)
        .push(" order by h.place_key, h.id limit ")
        .bind(limit + 1);
    let rows = tx.fetch(&sql)?;
    rows.iter()
        .map(|row| {
            let (lon, lat): (Option<f64>, Option<f64>) = (row.get(HOUSEHOLD_COLUMNS)?, row.get(HOUSEHOLD_COLUMNS + 1)?);
            let at = lon.zip(lat).and_then(|(lon, lat)| LonLat::new(lon, lat).ok());
            Ok((read_household(row)?, at))
        })
        .collect()
}

/// The residents of an area itself with their keys, in order of household and registration.
pub fn residents(tx: &mut Tx, area: AreaId, limit: u32) -> Result<Vec<(ResidentRow, Vec<u8>)>, Fault> {
    let sql = Sql::new("select ")
        .push(RESIDENT)
        .push(
            ", k.key_sealed from household h cross join resident r cross join person_key k
             where r.household_id = h.id and k.subject_id = r.id and h.valid_to is null and r.valid_to is null and h.area_id = ",
        )
        .bind(area)
        .push(" order by r.household_id, r.id limit ")
        .bind(limit);
    tx.fetch(&sql)?.iter().map(keyed).collect()
}

/// The care registers the residents of an area itself are on.
pub fn registers(tx: &mut Tx, area: AreaId) -> Result<Vec<(ResidentId, String)>, Fault> {
    let rows = tx.query(
        "select r.id, e.register from household h cross join resident r cross join care_entry e
         where r.household_id = h.id and e.resident_id = r.id and e.ended_day is null and h.valid_to is null and r.valid_to is null
             and h.area_id = $1
         order by r.id, e.register",
        &params![area],
    )?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}
