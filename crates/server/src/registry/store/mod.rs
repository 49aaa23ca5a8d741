//! The SQL of the registry: households, residents with their keys and fingerprints, residences, organisations.

pub mod buildings;
pub mod care;
pub mod counts;
pub mod follow;
pub mod homes;
pub mod intake;
pub mod matching;
pub mod merges;
pub mod packed;
pub mod pairing;

use super::place::Spot;
use crate::platform::*;
use db::{Row, Sql, params};
use domain::registry::household::{Ending, Life};
use domain::registry::kinship::Relation;
use domain::registry::residence::{Kind, Residence};
use domain::registry::room::Room;
use domain::time::Timestamp;
use jiff::civil::Date;

const DEPTH_COLUMNS: [&str; 5] = ["h.a1 = ", "h.a2 = ", "h.a3 = ", "h.a4 = ", "h.a5 = "];

fn day(text: &str) -> Result<Date, Fault> {
    text.parse().map_err(Fault::internal)
}

fn opt_day(text: Option<String>) -> Result<Option<Date>, Fault> {
    text.as_deref().map(day).transpose()
}

fn word<T>(found: Option<T>, what: &'static str) -> Result<T, Fault> {
    found.ok_or_else(|| Fault::internal(format!("an unknown {what} in the registry")))
}

/// A place out of twelve columns from `at` on: dwelling, area, a1 to a5, building, entrance, floor, room, place_key.
fn spot(row: &Row, at: usize) -> Result<Spot, Fault> {
    let floor: Option<i64> = row.get(at + 9)?;
    Ok(Spot {
        dwelling: row.get(at)?,
        area: row.get(at + 1)?,
        chain: [
            row.get(at + 2)?,
            row.get(at + 3)?,
            row.get(at + 4)?,
            row.get(at + 5)?,
            row.get(at + 6)?,
        ],
        room: Room {
            building: row.get(at + 7)?,
            entrance: row.get(at + 8)?,
            floor: floor.and_then(|floor| i16::try_from(floor).ok()),
            room: row.get(at + 10)?,
        },
        key: row.get(at + 11)?,
    })
}

// ---------------------------------------------------------------- households

/// A household as it is kept.
#[derive(Debug, Clone)]
pub struct HouseholdRow {
    pub id: HouseholdId,
    pub number: Option<String>,
    pub spot: Spot,
    /// Name of the dwelling, where it is known; told, not kept here.
    pub house: Option<String>,
    /// Residents who belong to it now.
    pub residents: i64,
    pub split_from: Option<HouseholdId>,
    pub life: Life,
    pub version: i64,
}

const HOUSEHOLD: &str =
    "h.id, h.number, h.residents, h.split_from, h.valid_from, h.valid_to, h.ended_how, h.row_version,
    h.dwelling_id, h.area_id, h.a1, h.a2, h.a3, h.a4, h.a5, h.building, h.entrance, h.floor, h.room, h.place_key,
    (select d.name from dwelling d where d.id = h.dwelling_id)";
const HOUSEHOLD_COLUMNS: usize = 21;

fn read_household(row: &Row) -> Result<HouseholdRow, Fault> {
    let how: Option<String> = row.get(6)?;
    let ended = match (opt_day(row.get(5)?)?, how) {
        (Some(on), Some(how)) => Some((on, word(Ending::from_key(&how), "ending")?)),
        _ => None,
    };
    Ok(HouseholdRow {
        id: row.get(0)?,
        number: row.get(1)?,
        residents: row.get(2)?,
        split_from: row.get(3)?,
        life: Life {
            from: day(row.text(4)?)?,
            ended,
        },
        version: row.get(7)?,
        spot: spot(row, 8)?,
        house: row.get(20)?,
    })
}

pub fn household(tx: &mut Tx, id: HouseholdId, locked: bool) -> Result<Option<HouseholdRow>, Fault> {
    let sql = Sql::new("select ")
        .push(HOUSEHOLD)
        .push(" from household h where h.id = ")
        .bind(id);
    let sql = match locked {
        true => sql.push(tx.backend().for_update()),
        false => sql,
    };
    tx.fetch(&sql)?.first().map(read_household).transpose()
}

/// Locks households to be written in one transaction, always in the same order: two moves in opposite directions wait for each other.
pub fn lock_households(tx: &mut Tx, mut ids: Vec<HouseholdId>) -> Result<(), Fault> {
    ids.sort_unstable();
    ids.dedup();
    for id in ids {
        household(tx, id, true)?;
    }
    Ok(())
}

pub fn insert_household(ctx: &Ctx, tx: &mut Tx, row: &HouseholdRow) -> Result<(), Fault> {
    let (at, [a1, a2, a3, a4, a5]) = (&row.spot, row.spot.chain);
    tx.execute(
        "insert into household (id, number, dwelling_id, area_id, a1, a2, a3, a4, a5, building, entrance, floor, room, place_key, residents,
             split_from, valid_from, row_version, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)",
        &params![
            row.id,
            row.number.clone(),
            at.dwelling,
            at.area,
            a1,
            a2,
            a3,
            a4,
            a5,
            at.room.building.clone(),
            at.room.entrance.clone(),
            at.room.floor,
            at.room.room.clone(),
            &at.key,
            row.residents,
            row.split_from,
            row.life.from.to_string(),
            row.version,
            ctx.now.0
        ],
    )?;
    Ok(())
}

/// Keeps what may change, but for the number of residents; the version goes on.
pub fn update_household(tx: &mut Tx, row: &mut HouseholdRow) -> Result<(), Fault> {
    row.version += 1;
    let (at, [a1, a2, a3, a4, a5]) = (&row.spot, row.spot.chain);
    let (to, how) = row.life.ended.map(|(on, how)| (on.to_string(), how.key())).unzip();
    tx.execute(
        "update household set number = $1, dwelling_id = $2, area_id = $3, a1 = $4, a2 = $5, a3 = $6, a4 = $7, a5 = $8, building = $9,
             entrance = $10, floor = $11, room = $12, place_key = $13, valid_to = $14, ended_how = $15, row_version = $16 where id = $17",
        &params![
            row.number.clone(),
            at.dwelling,
            at.area,
            a1,
            a2,
            a3,
            a4,
            a5,
            at.room.building.clone(),
            at.room.entrance.clone(),
            at.room.floor,
            at.room.room.clone(),
            &at.key,
            to,
            how,
            row.version,
            row.id
        ],
    )?;
    Ok(())
}

pub fn add_residents(tx: &mut Tx, id: HouseholdId, by: i64) -> Result<(), Fault> {
    tx.execute(
        "update household set residents = residents + $1 where id = $2",
        &params![by, id],
    )?;
    Ok(())
}

/// Households that live in an area itself, in the order of a walk, one more than `limit` when there are more; each with its householder and
/// their key, where there is one.
pub fn households_in(
    tx: &mut Tx,
    area: AreaId,
    after: Option<(String, HouseholdId)>,
    limit: u32,
) -> Result<Vec<(HouseholdRow, Option<(ResidentRow, Vec<u8>)>)>, Fault> {
    let sql = Sql::new("select ")
        .push(HOUSEHOLD)
        .push(", ")
        .push(RESIDENT)
        .push(", k.key_sealed");
    let mut sql = sql
        .push(
            " from household h left join resident r on r.household_id = h.id and r.relation = 'householder' and r.valid_to is null
              left join person_key k on k.subject_id = r.id where h.valid_to is null and h.area_id = ",
        )
        .bind(area);
    if let Some((key, id)) = after {
        sql = sql
            .push(" and (h.place_key, h.id) > (")
            .bind(key)
            .push(", ")
            .bind(id)
            .push(")");
    }
    let rows = tx.fetch(&sql.push(" order by h.place_key, h.id limit ").bind(limit + 1))?;
    rows.iter()
        .map(|row| {
            let key: Option<Vec<u8>> = row.get(HOUSEHOLD_COLUMNS + RESIDENT_COLUMNS)?;
            let householder = match key {
                Some(key) => Some((read_resident(row, HOUSEHOLD_COLUMNS)?, key)),
                None => None,
            };
            Ok((read_household(row)?, householder))
        })
        .collect()
}

// ---------------------------------------------------------------- residents

/// A resident as kept, sealed.
#[derive(Debug, Clone)]
pub struct ResidentRow {
    pub id: ResidentId,
    pub household: HouseholdId,
    pub relation: Relation,
    pub name_sealed: Option<Vec<u8>>,
    pub id_number_sealed: Option<Vec<u8>>,
    pub phones_sealed: Option<Vec<u8>>,
    pub id_number_index: Option<String>,
    pub born: Option<Date>,
    pub sex: Option<String>,
    pub from: Date,
    pub to: Option<Date>,
    pub how: Option<String>,
    pub version: i64,
    /// The record this one went into.
    pub merged_into: Option<ResidentId>,
}

impl ResidentRow {
    pub fn new(id: ResidentId, household: HouseholdId, relation: Relation, from: Date) -> ResidentRow {
        ResidentRow {
            id,
            household,
            relation,
            name_sealed: None,
            id_number_sealed: None,
            phones_sealed: None,
            id_number_index: None,
            born: None,
            sex: None,
            from,
            to: None,
            how: None,
            version: 1,
            merged_into: None,
        }
    }

    /// Which fields are known, for the ledger.
    pub fn filled(&self) -> Vec<&'static str> {
        let known = [
            ("name", self.name_sealed.is_some()),
            ("id_number", self.id_number_sealed.is_some()),
            ("phones", self.phones_sealed.is_some()),
        ];
        known
            .into_iter()
            .filter(|(_, known)| *known)
            .map(|(field, _)| field)
            .collect()
    }
}

const RESIDENT: &str =
    "r.id, r.household_id, r.relation, r.name_sealed, r.id_number_sealed, r.phones_sealed, r.id_number_index, r.born,
    r.sex, r.valid_from, r.valid_to, r.ended_how, r.row_version, r.merged_into";
const RESIDENT_COLUMNS: usize = 14;

fn read_resident(row: &Row, at: usize) -> Result<ResidentRow, Fault> {
    Ok(ResidentRow {
        id: row.get(at)?,
        household: row.get(at + 1)?,
        relation: word(Relation::from_key(row.text(at + 2)?), "relation")?,
        name_sealed: row.get(at + 3)?,
        id_number_sealed: row.get(at + 4)?,
        phones_sealed: row.get(at + 5)?,
        id_number_index: row.get(at + 6)?,
        born: opt_day(row.get(at + 7)?)?,
        sex: row.get(at + 8)?,
        from: day(row.text(at + 9)?)?,
        to: opt_day(row.get(at + 10)?)?,
        how: row.get(at + 11)?,
        version: row.get(at + 12)?,
        merged_into: row.get(at + 13)?,
    })
}

fn keyed(row: &Row) -> Result<(ResidentRow, Vec<u8>), Fault> {
    Ok((read_resident(row, 0)?, row.get(RESIDENT_COLUMNS)?))
}

fn select_resident() -> Sql {
    Sql::new("select ")
        .push(RESIDENT)
        .push(", k.key_sealed from resident r join person_key k on k.subject_id = r.id ")
}

/// Somebody with their key; none once erased.
pub fn resident(tx: &mut Tx, id: ResidentId) -> Result<Option<(ResidentRow, Vec<u8>)>, Fault> {
    let sql = select_resident().push("where r.id = ").bind(id);
    tx.fetch(&sql)?.first().map(keyed).transpose()
}

pub fn resident_exists(tx: &mut Tx, id: ResidentId) -> Result<bool, Fault> {
    Ok(tx
        .query_opt("select 1 from resident where id = $1", &params![id])?
        .is_some())
}

pub fn resident_of_number(tx: &mut Tx, index: &str) -> Result<Option<ResidentId>, Fault> {
    let row = tx.query_opt("select id from resident where id_number_index = $1", &params![index])?;
    Ok(row.map(|row| row.get(0)).transpose()?)
}

pub fn householder(tx: &mut Tx, household: HouseholdId) -> Result<Option<ResidentId>, Fault> {
    let row = tx.query_opt(
        "select id from resident where household_id = $1 and relation = 'householder' and valid_to is null",
        &params![household],
    )?;
    Ok(row.map(|row| row.get(0)).transpose()?)
}

/// Those who belong to a household now, in order of registration; a household holds a bounded number.
pub fn residents_of(tx: &mut Tx, household: HouseholdId) -> Result<Vec<ResidentRow>, Fault> {
    let rows = residents_with_keys(tx, household)?;
    Ok(rows.into_iter().map(|(row, _)| row).collect())
}

/// As [`residents_of`], with their keys.
pub fn residents_with_keys(tx: &mut Tx, household: HouseholdId) -> Result<Vec<(ResidentRow, Vec<u8>)>, Fault> {
    let sql = select_resident()
        .push("where r.valid_to is null and r.household_id = ")
        .bind(household);
    tx.fetch(&sql.push(" order by r.id"))?.iter().map(keyed).collect()
}

pub fn insert_resident(ctx: &Ctx, tx: &mut Tx, row: &ResidentRow) -> Result<(), Fault> {
    tx.execute(
        "insert into resident (id, household_id, relation, name_sealed, id_number_sealed, phones_sealed, id_number_index, born, sex, valid_from,
             row_version, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        &params![
            row.id,
            row.household,
            row.relation.key(),
            row.name_sealed.clone(),
            row.id_number_sealed.clone(),
            row.phones_sealed.clone(),
            row.id_number_index.clone(),
            row.born.map(|born| born.to_string()),
            row.sex.clone(),
            row.from.to_string(),
            row.version,
            ctx.now.0
        ],
    )?;
    Ok(())
}

/// Keeps what may change; the version goes on.
pub fn update_resident(tx: &mut Tx, row: &mut ResidentRow) -> Result<(), Fault> {
    row.version += 1;
    tx.execute(
        "update resident set household_id = $1, relation = $2, name_sealed = $3, id_number_sealed = $4, phones_sealed = $5,
             id_number_index = $6, born = $7, sex = $8, valid_from = $9, valid_to = $10, ended_how = $11, row_version = $12, merged_into = $13
         where id = $14",
        &params![
            row.household,
            row.relation.key(),
            row.name_sealed.clone(),
            row.id_number_sealed.clone(),
            row.phones_sealed.clone(),
            row.id_number_index.clone(),
            row.born.map(|born| born.to_string()),
            row.sex.clone(),
            row.from.to_string(),
            row.to.map(|to| to.to_string()),
            row.how.clone(),
            row.version,
            row.merged_into,
            row.id
        ],
    )?;
    Ok(())
}

pub fn insert_key(tx: &mut Tx, subject: &str, sealed: Vec<u8>) -> Result<(), Fault> {
    tx.execute(
        "insert into person_key (subject_id, key_sealed) values ($1, $2)",
        &params![subject, sealed],
    )?;
    Ok(())
}

pub fn key(tx: &mut Tx, subject: &str) -> Result<Option<Vec<u8>>, Fault> {
    let row = tx.query_opt(
        "select key_sealed from person_key where subject_id = $1",
        &params![subject],
    )?;
    Ok(row.map(|row| row.get(0)).transpose()?)
}

/// What somebody is found by, in place of what they were found by.
pub fn put_prints(tx: &mut Tx, id: ResidentId, prints: Vec<i64>) -> Result<(), Fault> {
    tx.execute("delete from resident_index where resident_id = $1", &params![id])?;
    let rows = prints.into_iter().map(|print| [print.into(), id.into()]);
    tx.insert_rows(
        "insert into resident_index (print_index, resident_id) values ",
        rows,
        "",
    )?;
    Ok(())
}

fn reach(ctx: &Ctx, sql: Sql, below: Option<(u8, AreaId)>) -> Sql {
    let sql = ctx
        .scope
        .area_predicate(sql.push(" and "), Permission::RegistryRead, "h");
    let column = below.and_then(|(depth, area)| Some((DEPTH_COLUMNS.get(usize::from(depth).checked_sub(1)?)?, area)));
    match column {
        Some((column, area)) => sql.push(" and ").push(column).bind(area),
        None => sql,
    }
}

/// Where the person of a found record lives: the record itself, or the one it went into.
const LIVES: &str =
    "join resident w on w.id = coalesce(r.merged_into, r.id) join household h on h.id = w.household_id ";

/// Who has a fingerprint, within what the caller may see; the record it was found by may have gone into another.
pub fn found_by_print(
    ctx: &Ctx,
    tx: &mut Tx,
    print: i64,
    below: Option<(u8, AreaId)>,
    limit: u32,
) -> Result<Vec<(ResidentRow, Vec<u8>)>, Fault> {
    let sql = select_resident()
        .push(LIVES)
        .push("join resident_index i on i.resident_id = r.id where w.valid_to is null and i.print_index = ")
        .bind(print);
    let sql = reach(ctx, sql, below)
        .push(" order by i.resident_id limit ")
        .bind(limit);
    tx.fetch(&sql)?.iter().map(keyed).collect()
}

/// As [`found_by_print`], by an identity number.
pub fn found_by_number(
    ctx: &Ctx,
    tx: &mut Tx,
    index: &str,
    below: Option<(u8, AreaId)>,
) -> Result<Vec<(ResidentRow, Vec<u8>)>, Fault> {
    let sql = select_resident()
        .push(LIVES)
        .push("where w.valid_to is null and r.id_number_index = ")
        .bind(index);
    tx.fetch(&reach(ctx, sql, below))?.iter().map(keyed).collect()
}

/// Nothing of somebody is left but that there was a record.
pub fn erase(tx: &mut Tx, id: ResidentId, now: Timestamp, today: &str) -> Result<(), Fault> {
    tx.execute("delete from person_key where subject_id = $1", &params![id])?;
    tx.execute("delete from resident_index where resident_id = $1", &params![id])?;
    tx.execute("delete from residence where resident_id = $1", &params![id])?;
    tx.execute("delete from care_entry where resident_id = $1", &params![id])?;
    tx.execute("delete from pairing where resident_id = $1", &params![id])?;
    tx.execute(
        "update resident set name_sealed = null, id_number_sealed = null, phones_sealed = null, id_number_index = null, born = null,
             sex = null, relation = 'not_related', valid_to = coalesce(valid_to, $1), ended_how = null, erased_at = $2,
             row_version = row_version + 1 where id = $3",
        &params![today, now.0, id],
    )?;
    Ok(())
}

// ---------------------------------------------------------------- residences

/// A residence with its row.
#[derive(Debug, Clone)]
pub struct ResidenceRow {
    pub id: ResidenceId,
    pub resident: ResidentId,
    pub residence: Residence<HouseholdId>,
}

/// All residences of these people, the oldest first.
pub fn residences(tx: &mut Tx, of: &[ResidentId]) -> Result<Vec<ResidenceRow>, Fault> {
    if of.is_empty() {
        return Ok(Vec::new());
    }
    let sql = Sql::new(
        "select id, resident_id, kind, household_id, valid_from, valid_to from residence where resident_id in (",
    )
    .list(of.iter().copied());
    let rows = tx.fetch(&sql.push(") order by valid_from, id"))?;
    rows.iter()
        .map(|row| {
            Ok(ResidenceRow {
                id: row.get(0)?,
                resident: row.get(1)?,
                residence: Residence {
                    kind: word(Kind::from_key(row.text(2)?), "kind of residence")?,
                    household: row.get(3)?,
                    from: day(row.text(4)?)?,
                    to: opt_day(row.get(5)?)?,
                },
            })
        })
        .collect()
}

pub fn insert_residence(
    tx: &mut Tx,
    id: ResidenceId,
    of: ResidentId,
    one: &Residence<HouseholdId>,
) -> Result<(), Fault> {
    tx.execute(
        "insert into residence (id, resident_id, household_id, kind, valid_from, valid_to) values ($1, $2, $3, $4, $5, $6)",
        &params![
            id,
            of,
            one.household,
            one.kind.key(),
            one.from.to_string(),
            one.to.map(|to| to.to_string())
        ],
    )?;
    Ok(())
}

pub fn end_residence(tx: &mut Tx, id: ResidenceId, to: Option<Date>) -> Result<(), Fault> {
    tx.execute(
        "update residence set valid_to = $1 where id = $2",
        &params![to.map(|to| to.to_string()), id],
    )?;
    Ok(())
}

/// Who belongs to a household in some way though their home is another.
pub fn bound_to(tx: &mut Tx, household: HouseholdId) -> Result<Vec<ResidentId>, Fault> {
    let rows = tx.query(
        "select distinct e.resident_id from residence e join resident r on r.id = e.resident_id
         where e.household_id = $1 and e.valid_to is null and r.household_id <> $1 order by e.resident_id",
        &params![household],
    )?;
    rows.iter().map(|row| Ok(row.get(0)?)).collect()
}

/// Nobody is registered or lives in a household after its last day.
pub fn end_residences_in(tx: &mut Tx, household: HouseholdId, on: Date) -> Result<(), Fault> {
    tx.execute(
        "update residence set valid_to = case when valid_from > $1 then valid_from else $1 end where household_id = $2 and valid_to is null",
        &params![on.to_string(), household],
    )?;
    Ok(())
}

// ---------------------------------------------------------------- organisations

/// An organisation as kept.
#[derive(Debug, Clone)]
pub struct OrganisationRow {
    pub id: OrganisationId,
    pub unified_code: Option<String>,
    pub name: String,
    pub kind: String,
    pub spot: Spot,
    pub contact_name_sealed: Option<Vec<u8>>,
    pub contact_phone_sealed: Option<Vec<u8>>,
    pub from: Date,
    pub to: Option<Date>,
    pub version: i64,
}

impl OrganisationRow {
    pub fn new(id: OrganisationId, spot: Spot, from: Date) -> OrganisationRow {
        OrganisationRow {
            id,
            unified_code: None,
            name: String::new(),
            kind: "other".to_owned(),
            spot,
            contact_name_sealed: None,
            contact_phone_sealed: None,
            from,
            to: None,
            version: 1,
        }
    }
}

const ORGANISATION: &str = "o.id, o.unified_code, o.name, o.kind, o.contact_name_sealed, o.contact_phone_sealed, o.valid_from, o.valid_to,
    o.row_version, o.dwelling_id, o.area_id, o.a1, o.a2, o.a3, o.a4, o.a5, o.building, o.entrance, o.floor, o.room, o.place_key";

fn read_organisation(row: &Row) -> Result<OrganisationRow, Fault> {
    Ok(OrganisationRow {
        id: row.get(0)?,
        unified_code: row.get(1)?,
        name: row.get(2)?,
        kind: row.get(3)?,
        contact_name_sealed: row.get(4)?,
        contact_phone_sealed: row.get(5)?,
        from: day(row.text(6)?)?,
        to: opt_day(row.get(7)?)?,
        version: row.get(8)?,
        spot: spot(row, 9)?,
    })
}

pub fn organisation(tx: &mut Tx, id: OrganisationId, locked: bool) -> Result<Option<OrganisationRow>, Fault> {
    let sql = Sql::new("select ")
        .push(ORGANISATION)
        .push(" from organisation o where o.id = ")
        .bind(id);
    let sql = match locked {
        true => sql.push(tx.backend().for_update()),
        false => sql,
    };
    tx.fetch(&sql)?.first().map(read_organisation).transpose()
}

pub fn organisation_of_code(tx: &mut Tx, code: &str) -> Result<Option<OrganisationId>, Fault> {
    let row = tx.query_opt("select id from organisation where unified_code = $1", &params![code])?;
    Ok(row.map(|row| row.get(0)).transpose()?)
}

/// Organisations in an area itself now, in the order of a walk, one more than `limit` when there are more.
pub fn organisations_in(
    tx: &mut Tx,
    area: AreaId,
    after: Option<(String, OrganisationId)>,
    limit: u32,
) -> Result<Vec<OrganisationRow>, Fault> {
    let sql = Sql::new("select ")
        .push(ORGANISATION)
        .push(" from organisation o where o.valid_to is null and o.area_id = ");
    let mut sql = sql.bind(area);
    if let Some((key, id)) = after {
        sql = sql
            .push(" and (o.place_key, o.id) > (")
            .bind(key)
            .push(", ")
            .bind(id)
            .push(")");
    }
    let rows = tx.fetch(&sql.push(" order by o.place_key, o.id limit ").bind(limit + 1))?;
    rows.iter().map(read_organisation).collect()
}

pub fn insert_organisation(ctx: &Ctx, tx: &mut Tx, row: &OrganisationRow) -> Result<(), Fault> {
    let (at, [a1, a2, a3, a4, a5]) = (&row.spot, row.spot.chain);
    tx.execute(
        "insert into organisation (id, unified_code, name, kind, dwelling_id, area_id, a1, a2, a3, a4, a5, building, entrance, floor, room,
             place_key, contact_name_sealed, contact_phone_sealed, valid_from, row_version, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)",
        &params![
            row.id,
            row.unified_code.clone(),
            &row.name,
            &row.kind,
            at.dwelling,
            at.area,
            a1,
            a2,
            a3,
            a4,
            a5,
            at.room.building.clone(),
            at.room.entrance.clone(),
            at.room.floor,
            at.room.room.clone(),
            &at.key,
            row.contact_name_sealed.clone(),
            row.contact_phone_sealed.clone(),
            row.from.to_string(),
            row.version,
            ctx.now.0
        ],
    )?;
    Ok(())
}

/// Keeps what may change; the version goes on.
pub fn update_organisation(tx: &mut Tx, row: &mut OrganisationRow) -> Result<(), Fault> {
    row.version += 1;
    let (at, [a1, a2, a3, a4, a5]) = (&row.spot, row.spot.chain);
    tx.execute(
        "update organisation set unified_code = $1, name = $2, kind = $3, dwelling_id = $4, area_id = $5, a1 = $6, a2 = $7, a3 = $8, a4 = $9,
             a5 = $10, building = $11, entrance = $12, floor = $13, room = $14, place_key = $15, contact_name_sealed = $16,
             contact_phone_sealed = $17, valid_to = $18, row_version = $19 where id = $20",
        &params![
            row.unified_code.clone(),
            &row.name,
            &row.kind,
            at.dwelling,
            at.area,
            a1,
            a2,
            a3,
            a4,
            a5,
            at.room.building.clone(),
            at.room.entrance.clone(),
            at.room.floor,
            at.room.room.clone(),
            &at.key,
            row.contact_name_sealed.clone(),
            row.contact_phone_sealed.clone(),
            row.to.map(|to| to.to_string()),
            row.version,
            row.id
        ],
    )?;
    Ok(())
}
