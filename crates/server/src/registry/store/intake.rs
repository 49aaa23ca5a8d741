//! The SQL of lists taken over: what is there already, much written at once, who waits for a decision.

use super::{HouseholdRow, day, word};
use crate::platform::*;
use crate::registry::intake::Duplicate;
use crate::registry::residents::Sealed;
use db::{Row, Sql, Value, params};
use domain::registry::kinship::Relation;
use domain::registry::residence::Kind;
use jiff::civil::Date;
use std::collections::{BTreeSet, HashMap};

/// Values of one statement's list.
const AT_ONCE: usize = 500;

/// A household that lives at a place.
#[derive(Debug, Clone)]
pub struct There {
    pub id: HouseholdId,
    pub number: Option<String>,
    pub residents: i64,
    pub householder: bool,
    pub from: Date,
}

/// The households that live at these places, by area and place.
pub fn there(tx: &mut Tx, places: Vec<(AreaId, String)>) -> Result<HashMap<(AreaId, String), Vec<There>>, Fault> {
    let mut by_area: HashMap<AreaId, BTreeSet<String>> = HashMap::new();
    for (area, key) in places {
        by_area.entry(area).or_default().insert(key);
    }
    let mut found: HashMap<(AreaId, String), Vec<There>> = HashMap::new();
    for (area, keys) in by_area {
        let keys: Vec<String> = keys.into_iter().collect();
        for part in keys.chunks(AT_ONCE) {
            let sql = Sql::new(
                "select h.place_key, h.id, h.number, h.residents, h.valid_from, r.id from household h
                 left join resident r on r.household_id = h.id and r.relation = 'householder' and r.valid_to is null
                 where h.valid_to is null and h.area_id = ",
            );
            let sql = sql.bind(area).push(" and h.place_key in (").list(part.iter()).push(")");
            for row in tx.fetch(&sql)? {
                let one = There {
                    id: row.get(1)?,
                    number: row.get(2)?,
                    residents: row.get(3)?,
                    from: day(row.text(4)?)?,
                    householder: row.get::<Option<ResidentId>>(5)?.is_some(),
                };
                found.entry((area, row.get(0)?)).or_default().push(one);
            }
        }
    }
    Ok(found)
}

/// Who has an identity number.
#[derive(Debug, Clone)]
pub struct Known {
    pub id: ResidentId,
    pub household: HouseholdId,
    pub left: bool,
}

pub fn known_numbers<'i>(tx: &mut Tx, indexes: impl Iterator<Item = &'i str>) -> Result<HashMap<String, Known>, Fault> {
    let indexes: Vec<&str> = indexes.collect();
    let mut found = HashMap::new();
    for part in indexes.chunks(AT_ONCE) {
        let sql = Sql::new(
            "select r.id_number_index, w.id, w.household_id, w.valid_to from resident r join resident w on w.id = coalesce(r.merged_into, r.id) where r.id_number_index in (",
        );
        for row in tx.fetch(&sql.list(part.iter().copied()).push(")"))? {
            let one = Known {
                id: row.get(1)?,
                household: row.get(2)?,
                left: row.get::<Option<String>>(3)?.is_some(),
            };
            found.insert(row.get(0)?, one);
        }
    }
    Ok(found)
}

pub fn insert_households(ctx: &Ctx, tx: &mut Tx, all: &[HouseholdRow]) -> Result<(), Fault> {
    let rows = all.iter().map(|row| -> [Value; 18] {
        let (at, [a1, a2, a3, a4, a5]) = (&row.spot, row.spot.chain);
        params![
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
            row.life.from.to_string(),
            row.version,
            ctx.now.0
        ]
    });
    tx.insert_rows(
        "insert into household (id, number, dwelling_id, area_id, a1, a2, a3, a4, a5, building, entrance, floor, room, place_key, residents,
             valid_from, row_version, created_at) values ",
        rows,
        "",
    )?;
    Ok(())
}

/// Somebody to be written, with how they belong to their household.
pub struct NewPerson {
    pub household: HouseholdId,
    pub relation: Relation,
    pub from: Date,
    pub kinds: Vec<Kind>,
    pub sealed: Sealed,
}

pub fn insert_people(ctx: &Ctx, tx: &mut Tx, all: impl Iterator<Item = NewPerson>) -> Result<(), Fault> {
    let (mut people, mut keys, mut prints, mut residences) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for one in all {
        let id = one.sealed.id;
        let row = one.sealed.row(one.household, one.relation, one.from);
        prints.extend(one.sealed.prints.into_iter().map(|print| (print, id)));
        keys.push([id.to_string().into(), one.sealed.key.into()]);
        for kind in one.kinds {
            let residence: ResidenceId = ctx.app.new_id();
            residences.push(params![residence, id, one.household, kind.key(), row.from.to_string()]);
        }
        people.push(params![
            row.id,
            row.household,
            row.relation.key(),
            row.name_sealed,
            row.id_number_sealed,
            row.phones_sealed,
            row.id_number_index,
            row.born.map(|born| born.to_string()),
            row.sex,
            row.from.to_string(),
            row.version,
            ctx.now.0
        ]);
    }
    tx.insert_rows(
        "insert into resident (id, household_id, relation, name_sealed, id_number_sealed, phones_sealed, id_number_index, born, sex, valid_from,
             row_version, created_at) values ",
        people,
        "",
    )?;
    tx.insert_rows("insert into person_key (subject_id, key_sealed) values ", keys, "")?;
    // In the order of the index: neighbours are written together.
    prints.sort_unstable();
    let prints = prints.into_iter().map(|(print, id)| [print.into(), id.into()]);
    tx.insert_rows(
        "insert into resident_index (print_index, resident_id) values ",
        prints,
        "",
    )?;
    tx.insert_rows(
        "insert into residence (id, resident_id, household_id, kind, valid_from) values ",
        residences,
        "",
    )?;
    Ok(())
}

pub fn insert_duplicates(ctx: &Ctx, tx: &mut Tx, all: Vec<Duplicate>) -> Result<(), Fault> {
    let rows = all.into_iter().map(|one| {
        params![
            one.id,
            one.source,
            one.row,
            one.resident,
            one.household,
            one.relation.key(),
            one.kind.key(),
            one.from.to_string(),
            one.area,
            ctx.now.0
        ]
    });
    tx.insert_rows(
        "insert into duplicate (id, source, list_row, resident_id, household_id, relation, kind, from_day, area_id, created_at) values ",
        rows,
        " on conflict (resident_id, household_id) where decided is null do nothing",
    )?;
    Ok(())
}

const DUPLICATE: &str =
    "select u.id, u.source, u.list_row, coalesce(r.merged_into, r.id), u.household_id, u.relation, u.kind, u.from_day, h.area_id from duplicate u
     join household h on h.id = u.household_id join resident r on r.id = u.resident_id where u.decided is null and ";

fn read(row: &Row) -> Result<Duplicate, Fault> {
    Ok(Duplicate {
        id: row.get(0)?,
        source: row.get(1)?,
        row: row.get(2)?,
        resident: row.get(3)?,
        household: row.get(4)?,
        relation: word(Relation::from_key(row.text(5)?), "relation")?,
        kind: word(Kind::from_key(row.text(6)?), "kind of residence")?,
        from: day(row.text(7)?)?,
        area: row.get(8)?,
    })
}

pub fn duplicates(tx: &mut Tx, area: AreaId, after: Option<DuplicateId>, limit: u32) -> Result<Vec<Duplicate>, Fault> {
    let mut sql = Sql::new(DUPLICATE).push("u.area_id = ").bind(area);
    if let Some(after) = after {
        sql = sql.push(" and u.id > ").bind(after);
    }
    let rows = tx.fetch(&sql.push(" order by u.id limit ").bind(i64::from(limit) + 1))?;
    rows.iter().map(read).collect()
}

pub fn duplicate(tx: &mut Tx, id: DuplicateId) -> Result<Option<Duplicate>, Fault> {
    let sql = Sql::new(DUPLICATE).push("u.id = ").bind(id);
    tx.fetch(&sql)?.first().map(read).transpose()
}

/// False when somebody else has decided meanwhile.
pub fn decide(ctx: &Ctx, tx: &mut Tx, id: DuplicateId, decided: &str) -> Result<bool, Fault> {
    let account = ctx.account()?;
    let put = tx.execute(
        "update duplicate set decided = $1, decided_by = $2, decided_at = $3 where id = $4 and decided is null",
        &params![decided, account, ctx.now.0, id],
    )?;
    Ok(put > 0)
}

/// The fields of a list's columns, as somebody said last for this header.
pub fn mapping(tx: &mut Tx, header: &str) -> Result<Option<String>, Fault> {
    let row = tx.query_opt(
        "select fields from list_mapping where header_hash = $1",
        &params![header],
    )?;
    Ok(row.map(|row| row.get(0)).transpose()?)
}

pub fn put_mapping(ctx: &Ctx, tx: &mut Tx, header: &str, fields: &str) -> Result<(), Fault> {
    let account = ctx.account()?;
    tx.execute(
        "insert into list_mapping (header_hash, fields, saved_by, saved_at) values ($1, $2, $3, $4)
         on conflict (header_hash) do update set fields = excluded.fields, saved_by = excluded.saved_by, saved_at = excluded.saved_at",
        &params![header, fields, account, ctx.now.0],
    )?;
    Ok(())
}
