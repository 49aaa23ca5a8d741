//! SQL of dwellings.

use super::import::{Known, Placed};
use super::{Dwelling, GridTotal, Link, Living, Total};
use crate::platform::*;
use crate::territory::Area;
use db::{Row, Sql};
use domain::geo::LonLat;

macro_rules! columns {
    () => {
        "d.id, d.code, d.name, d.area_id, d.community_id, d.lon, d.lat, d.land_area, d.floor_area, d.households, d.people, d.enterprises, \
         d.households_source, d.compound, d.village, d.street, d.lift"
    };
}

fn read(row: &Row) -> Result<Dwelling, Fault> {
    Ok(Dwelling {
        id: row.get(0)?,
        code: row.get(1)?,
        name: row.get(2)?,
        area: row.get(3)?,
        community: row.get(4)?,
        at: LonLat {
            lon: row.get(5)?,
            lat: row.get(6)?,
        },
        land_area: row.get(7)?,
        floor_area: row.get(8)?,
        households: row.get(9)?,
        people: row.get(10)?,
        enterprises: row.get(11)?,
        spread: row.text(12)? == "spread",
        compound: row.get(13)?,
        village: row.get(14)?,
        street: row.get(15)?,
        lift: row.get::<Option<i64>>(16)?.map(|lift| lift != 0),
        outline: None,
        cell: None,
    })
}

/// Joins the community `c` and keeps those below an area.
fn below(sql: Sql, area: &Area) -> Sql {
    const COLUMNS: [&str; 5] = ["c.a1 = ", "c.a2 = ", "c.a3 = ", "c.a4 = ", "c.a5 = "];
    match COLUMNS.get(usize::from(area.depth).wrapping_sub(1)) {
        Some(column) => sql.push(column).bind(area.id),
        None => sql.push("1 = 0"),
    }
}

pub fn page(tx: &mut Tx, area: &Area, after: Option<DwellingId>, limit: u32) -> Result<Vec<Dwelling>, Fault> {
    let sql = Sql::new(concat!(
        "select ",
        columns!(),
        " from dwelling d join area c on c.id = d.community_id where d.valid_to is null and ("
    ));
    let mut sql = below(sql, area).push(" or d.area_id = ").bind(area.id).push(")");
    if let Some(after) = after {
        sql = sql.push(" and d.id > ").bind(after);
    }
    let sql = sql.push(" order by d.id limit ").bind(i64::from(limit) + 1);
    tx.fetch(&sql)?.iter().map(read).collect()
}

pub fn one(tx: &mut Tx, id: DwellingId) -> Result<Option<Dwelling>, Fault> {
    let sql = concat!(
        "select ",
        columns!(),
        " from dwelling d where d.id = $1 and d.valid_to is null"
    );
    tx.query_opt(sql, &[id.into()])?.as_ref().map(read).transpose()
}

pub fn of_community(tx: &mut Tx, community: AreaId, shapes: bool) -> Result<Vec<Dwelling>, Fault> {
    let plain = concat!(
        "select ",
        columns!(),
        " from dwelling d where d.community_id = $1 and d.valid_to is null order by d.id"
    );
    if !shapes {
        return tx.query(plain, &[community.into()])?.iter().map(read).collect();
    }
    let sql = concat!(
        "select ",
        columns!(),
        ", d.outline, d.cell from dwelling d where d.community_id = $1 and d.valid_to is null order by d.id"
    );
    let one = |row: &Row| {
        Ok(Dwelling {
            outline: row.get(17)?,
            cell: row.get(18)?,
            ..read(row)?
        })
    };
    tx.query(sql, &[community.into()])?.iter().map(one).collect()
}

pub fn links(tx: &mut Tx, community: AreaId) -> Result<Vec<Link>, Fault> {
    let sql =
        "select u, v, shared_m, weight, barrier, made_by from dwelling_link where community_id = $1 order by u, v";
    let one = |row: &Row| {
        Ok(Link {
            u: row.get(0)?,
            v: row.get(1)?,
            shared_m: row.get(2)?,
            weight: row.get(3)?,
            barrier: row.get::<i64>(4)? == 1,
            by_hand: row.text(5)? == "hand",
        })
    };
    tx.query(sql, &[community.into()])?.iter().map(one).collect()
}

fn read_total(row: &Row, from: usize) -> Result<Total, Fault> {
    Ok(Total {
        dwellings: row.get(from)?,
        households: row.get(from + 1)?,
        people: row.get(from + 2)?,
        enterprises: row.get(from + 3)?,
        without_grid: row.get(from + 4)?,
        spread: row.get(from + 5)?,
        links: row.get(from + 6)?,
        barriers: row.get(from + 7)?,
    })
}

pub fn communities(tx: &mut Tx, area: &Area, limit: u32) -> Result<Vec<(AreaId, Total)>, Fault> {
    let sql = Sql::new(
        "select t.community_id, t.dwellings, t.households, t.people, t.enterprises, t.without_grid, t.spread, t.links, t.barriers
         from dwelling_total t join area c on c.id = t.community_id where t.dwellings > 0 and ",
    );
    let sql = below(sql, area)
        .push(" order by t.community_id limit ")
        .bind(i64::from(limit));
    tx.fetch(&sql)?
        .iter()
        .map(|row| Ok((row.get(0)?, read_total(row, 1)?)))
        .collect()
}

pub fn recount(tx: &mut Tx, community: AreaId) -> Result<(), Fault> {
    let change = change(tx, community)? + 1;
    tx.execute(
        "delete from dwelling_total where community_id = $1",
        &[community.into()],
    )?;
    let head = "insert into dwelling_total(change, community_id, dwellings, households, people, enterprises, without_grid, spread, links,
         barriers) select cast(";
    let sql = Sql::new(head)
        .bind(change)
        .push(" as bigint), cast(")
        .bind(community)
        .push(" as text)")
        .push(
            ", count(*), coalesce(sum(households), 0), coalesce(sum(people), 0), coalesce(sum(enterprises), 0),
             coalesce(sum(case when area_id = community_id then 1 else 0 end), 0),
             coalesce(sum(case when households_source = 'spread' then 1 else 0 end), 0),
             (select count(*) from dwelling_link where community_id = ",
        )
        .bind(community)
        .push("), (select count(*) from dwelling_link where barrier = 1 and community_id = ")
        .bind(community)
        .push(") from dwelling where valid_to is null and community_id = ")
        .bind(community);
    tx.run(&sql)?;
    Ok(())
}

pub fn by_grid(tx: &mut Tx, community: AreaId) -> Result<Vec<GridTotal>, Fault> {
    let sql = "select area_id, count(*), coalesce(sum(households), 0), coalesce(sum(people), 0) from dwelling
         where community_id = $1 and valid_to is null group by area_id order by area_id";
    let one = |row: &Row| {
        Ok(GridTotal {
            area: row.get(0)?,
            dwellings: row.get(1)?,
            households: row.get(2)?,
            people: row.get(3)?,
        })
    };
    tx.query(sql, &[community.into()])?.iter().map(one).collect()
}

/// Number of the last change of a community's dwellings; 0 before the first.
pub fn change(tx: &mut Tx, community: AreaId) -> Result<i64, Fault> {
    let sql = "select change from dwelling_total where community_id = $1";
    tx.query_opt(sql, &[community.into()])?
        .map_or(Ok(0), |row| Ok(row.get(0)?))
}

pub fn set_living(tx: &mut Tx, community: AreaId, one: &Living) -> Result<(), Fault> {
    tx.defer(
        "update dwelling set households = $1, people = $2, households_source = 'given' where id = $3 and community_id = $4",
        &[
            one.households.into(),
            one.people.into(),
            one.dwelling.into(),
            community.into(),
        ],
    )?;
    Ok(())
}

pub fn update(tx: &mut Tx, one: &Dwelling) -> Result<(), Fault> {
    tx.execute(
        "update dwelling set name = $1, area_id = $2, community_id = $3, households = $4, people = $5, enterprises = $6,
             households_source = $7 where id = $8",
        &[
            one.name.as_str().into(),
            one.area.into(),
            one.community.into(),
            one.households.into(),
            one.people.into(),
            one.enterprises.into(),
            source(one.spread).into(),
            one.id.into(),
        ],
    )?;
    Ok(())
}

fn source(spread: bool) -> &'static str {
    if spread { "spread" } else { "given" }
}

pub fn put_link(tx: &mut Tx, community: AreaId, link: &Link) -> Result<(), Fault> {
    put_links(tx, community, std::iter::once(*link))
}

const LINK_HEAD: &str = "insert into dwelling_link(community_id, u, v, shared_m, weight, barrier, made_by) values ";
const LINK_TAIL: &str =
    " on conflict (community_id, u, v) do update set shared_m = excluded.shared_m, weight = excluded.weight,
     barrier = excluded.barrier, made_by = excluded.made_by";

/// Each pair once.
pub fn put_links(tx: &mut Tx, community: AreaId, links: impl Iterator<Item = Link>) -> Result<(), Fault> {
    let rows = links.map(|link| {
        [
            community.into(),
            link.u.into(),
            link.v.into(),
            link.shared_m.into(),
            link.weight.into(),
            i64::from(link.barrier).into(),
            if link.by_hand { "hand" } else { "ground" }.into(),
        ]
    });
    Ok(tx.insert_rows(LINK_HEAD, rows, LINK_TAIL)?)
}

pub fn remove_link(tx: &mut Tx, community: AreaId, u: DwellingId, v: DwellingId) -> Result<(), Fault> {
    tx.execute(
        "delete from dwelling_link where community_id = $1 and u = $2 and v = $3",
        &[community.into(), u.into(), v.into()],
    )?;
    Ok(())
}

pub fn remove_links_of(tx: &mut Tx, community: AreaId, id: DwellingId) -> Result<(), Fault> {
    tx.execute(
        "delete from dwelling_link where community_id = $1 and (u = $2 or v = $2)",
        &[community.into(), id.into()],
    )?;
    Ok(())
}

/// What is known of these codes, ended ones too.
pub fn by_codes(tx: &mut Tx, codes: &[String]) -> Result<Vec<(String, Known)>, Fault> {
    let sql = Sql::new("select code, id, community_id, area_id, lon, lat from dwelling where code in (");
    let rows = tx.fetch(&sql.list(codes.iter()).push(")"))?;
    let one = |row: &Row| {
        let known = Known {
            id: row.get(1)?,
            community: row.get(2)?,
            area: row.get(3)?,
            at: LonLat {
                lon: row.get(4)?,
                lat: row.get(5)?,
            },
        };
        Ok((row.get(0)?, known))
    };
    rows.iter().map(one).collect()
}

/// Those there are now, with the lowest area each lies in.
pub fn now_by_codes(tx: &mut Tx, codes: &[&str]) -> Result<Vec<(String, (DwellingId, AreaId))>, Fault> {
    if codes.is_empty() {
        return Ok(Vec::new());
    }
    let sql = Sql::new("select code, id, area_id from dwelling where valid_to is null and code in (");
    let rows = tx.fetch(&sql.list(codes.iter().copied()).push(")"))?;
    rows.iter()
        .map(|row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))))
        .collect()
}

/// Ends what a community has, and what was made from the ground; [`put_all`] brings back those of a file.
pub fn clear(tx: &mut Tx, community: AreaId, day: &str) -> Result<(), Fault> {
    tx.execute(
        "update dwelling set valid_to = $1 where community_id = $2 and valid_to is null",
        &[day.into(), community.into()],
    )?;
    tx.execute(
        "delete from dwelling_link where community_id = $1 and made_by = 'ground'",
        &[community.into()],
    )?;
    Ok(())
}

/// Links whose dwellings are no longer there.
pub fn clear_loose_links(tx: &mut Tx, community: AreaId) -> Result<(), Fault> {
    let sql = "delete from dwelling_link where community_id = $1 and (
         not exists (select 1 from dwelling d where d.id = dwelling_link.u and d.valid_to is null and d.community_id = dwelling_link.community_id)
         or not exists (select 1 from dwelling d where d.id = dwelling_link.v and d.valid_to is null and d.community_id = dwelling_link.community_id))";
    tx.execute(sql, &[community.into()])?;
    Ok(())
}

/// New ones, or in place of what was there under the same codes.
pub fn put_all(tx: &mut Tx, day: &str, all: &[Placed]) -> Result<(), Fault> {
    let text = |text: &Option<String>| -> db::Value { text.clone().into() };
    let rows = all.iter().map(|one| {
        let row = &one.row;
        [
            one.id.into(),
            row.code.as_str().into(),
            row.name.as_str().into(),
            one.area.into(),
            one.community.into(),
            row.at.lon.into(),
            row.at.lat.into(),
            text(&row.outline),
            text(&row.cell),
            row.land_area.into(),
            row.floor_area.into(),
            row.households.into(),
            row.people.into(),
            row.enterprises.into(),
            source(row.spread).into(),
            text(&row.compound),
            text(&row.village),
            text(&row.street),
            row.lift.map(i64::from).into(),
            day.into(),
        ]
    });
    tx.insert_rows(
        "insert into dwelling(id, code, name, area_id, community_id, lon, lat, outline, cell, land_area, floor_area, households, people,
         enterprises, households_source, compound, village, street, lift, valid_from) values ",
        rows,
        " on conflict (code) do update set name = excluded.name, area_id = excluded.area_id, community_id = excluded.community_id,
         lon = excluded.lon, lat = excluded.lat, outline = excluded.outline, cell = excluded.cell, land_area = excluded.land_area,
         floor_area = excluded.floor_area, households = excluded.households, people = excluded.people, enterprises = excluded.enterprises,
         households_source = excluded.households_source, compound = excluded.compound, village = excluded.village,
         street = excluded.street, lift = coalesce(excluded.lift, dwelling.lift), valid_to = null",
    )?;
    Ok(())
}
