//! The SQL of a question about homes: which households it finds.

use crate::platform::*;
use crate::registry::homes::Home;
use db::Sql;
use domain::campaigns::{Homes, Person};
use domain::registry::identity::Sex;
use jiff::civil::Date;

const DEPTH_COLUMNS: [&str; 5] = ["h.a1 = ", "h.a2 = ", "h.a3 = ", "h.a4 = ", "h.a5 = "];

/// Where it is asked: an area with its depth (1 to 5), on a day.
#[derive(Debug, Clone, Copy)]
pub struct At {
    pub area: AreaId,
    pub depth: u8,
    pub on: Date,
}

/// How many households.
pub fn count(tx: &mut Tx, of: &Homes, at: At) -> Result<i64, Fault> {
    let sql = matching(Sql::new("select count(*) from household h where "), of, at)?;
    let rows = tx.fetch(&sql)?;
    Ok(rows.first().map(|row| row.get(0)).transpose()?.unwrap_or_default())
}

/// Households in order of id, after one; fewer than `limit` at the end.
pub fn after(tx: &mut Tx, of: &Homes, at: At, after: Option<HouseholdId>, limit: u32) -> Result<Vec<Home>, Fault> {
    let head = Sql::new("select h.id, h.area_id, h.a1, h.a2, h.a3, h.a4, h.a5 from household h where ");
    let mut sql = matching(head, of, at)?;
    if let Some(after) = after {
        sql = sql.push(" and h.id > ").bind(after);
    }
    let rows = tx.fetch(&sql.push(" order by h.id limit ").bind(limit))?;
    rows.iter().map(super::homes::read).collect()
}

fn matching(sql: Sql, of: &Homes, at: At) -> Result<Sql, Fault> {
    let column = DEPTH_COLUMNS.get(usize::from(at.depth).wrapping_sub(1));
    let column = column.ok_or_else(|| Fault::internal("an area without a depth"))?;
    let mut sql = sql.push(column).bind(at.area).push(" and h.valid_to is null");
    if let Some(floor) = of.floor_from {
        sql = sql.push(" and h.floor >= ").bind(i64::from(floor));
    }
    if let Some(lift) = of.lift {
        sql = sql.push(" and exists (select 1 from dwelling d where d.id = h.dwelling_id and d.lift = ");
        sql = sql.bind(i64::from(lift)).push(")");
    }
    if let Some(size) = of.size_from {
        sql = sql.push(" and h.residents >= ").bind(i64::from(size));
    }
    if let Some(size) = of.size_to {
        sql = sql.push(" and h.residents <= ").bind(i64::from(size));
    }
    for person in &of.with {
        sql = somebody(sql.push(" and exists ("), person, at.on);
    }
    for person in &of.without {
        sql = somebody(sql.push(" and not exists ("), person, at.on);
    }
    Ok(sql)
}

/// Dates are kept as ISO text, which compares as the days do.
fn somebody(sql: Sql, person: &Person, on: Date) -> Sql {
    let mut sql = sql.push("select 1 from resident p where p.household_id = h.id and p.valid_to is null");
    let (first, last) = person.born(on);
    if let Some(first) = first {
        sql = sql.push(" and p.born >= ").bind(first.to_string());
    }
    if let Some(last) = last {
        sql = sql.push(" and p.born <= ").bind(last.to_string());
    }
    if let Some(sex) = person.sex {
        let sex = match sex {
            Sex::Female => "female",
            Sex::Male => "male",
        };
        sql = sql.push(" and p.sex = ").bind(sex);
    }
    if let Some(register) = &person.register {
        sql = sql.push(" and exists (select 1 from care_entry c where c.resident_id = p.id and c.ended_day is null");
        sql = sql.push(" and c.register = ").bind(register.as_str()).push(")");
    }
    sql.push(")")
}
