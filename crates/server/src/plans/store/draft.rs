//! SQL of drafts: plans, their grids and dwellings, what cannot be met, comments.

use crate::plans::figures::BlockFigures;
use crate::plans::{Comment, Origin, Phase, Plan, State};
use crate::platform::*;
use crate::territory::Area;
use db::{Row, Sql};
use domain::geo::LonLat;
use std::collections::HashMap;

macro_rules! columns {
    () => {
        "p.id, p.name, p.area_id, p.a1, p.a2, p.a3, p.a4, p.a5, p.state, p.origin, p.from_plan_id, p.options, p.phase, p.cancel_asked, \
         p.fault, p.base_version, p.note, p.created_by, p.created_at, p.changed_at"
    };
}

fn read(row: &Row) -> Result<Plan, Fault> {
    let unknown = |what: &'static str| Fault::internal(what);
    Ok(Plan {
        id: row.get(0)?,
        name: row.get(1)?,
        area: row.get(2)?,
        areas: [row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?, row.get(7)?],
        state: State::from_key(row.text(8)?).ok_or_else(|| unknown("an unknown state"))?,
        origin: Origin::from_key(row.text(9)?).ok_or_else(|| unknown("an unknown origin"))?,
        from: row.get(10)?,
        options: serde_json::from_str(row.text(11)?).map_err(Fault::internal)?,
        phase: Phase::from_key(row.text(12)?).ok_or_else(|| unknown("an unknown phase"))?,
        cancel_asked: row.get::<i64>(13)? == 1,
        fault: row.get(14)?,
        base_version: row.get(15)?,
        note: row.get(16)?,
        created_by: row.get(17)?,
        created_at: row.get(18)?,
        changed_at: row.get(19)?,
    })
}

pub fn insert(tx: &mut Tx, plan: &Plan) -> Result<(), Fault> {
    let options = serde_json::to_string(&plan.options).map_err(Fault::internal)?;
    tx.execute(
        "insert into plan(id, name, area_id, a1, a2, a3, a4, a5, state, origin, from_plan_id, options, phase, cancel_asked, fault,
             base_version, note, created_by, created_at, changed_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)",
        &[
            plan.id.into(),
            plan.name.as_str().into(),
            plan.area.into(),
            plan.areas[0].into(),
            plan.areas[1].into(),
            plan.areas[2].into(),
            plan.areas[3].into(),
            plan.areas[4].into(),
            plan.state.key().into(),
            plan.origin.key().into(),
            plan.from.into(),
            options.into(),
            plan.phase.key().into(),
            i64::from(plan.cancel_asked).into(),
            plan.fault.clone().into(),
            plan.base_version.into(),
            plan.note.as_str().into(),
            plan.created_by.as_str().into(),
            plan.created_at.into(),
            plan.changed_at.into(),
        ],
    )?;
    Ok(())
}

pub fn update(tx: &mut Tx, plan: &Plan) -> Result<(), Fault> {
    let options = serde_json::to_string(&plan.options).map_err(Fault::internal)?;
    tx.execute(
        "update plan set name = $1, state = $2, options = $3, phase = $4, cancel_asked = $5, fault = $6, note = $7, changed_at = $8,
             base_version = $9 where id = $10",
        &[
            plan.name.as_str().into(),
            plan.state.key().into(),
            options.into(),
            plan.phase.key().into(),
            i64::from(plan.cancel_asked).into(),
            plan.fault.clone().into(),
            plan.note.as_str().into(),
            plan.changed_at.into(),
            plan.base_version.into(),
            plan.id.into(),
        ],
    )?;
    Ok(())
}

pub fn find(tx: &mut Tx, id: PlanId) -> Result<Option<Plan>, Fault> {
    let sql = concat!("select ", columns!(), " from plan p where p.id = $1");
    tx.query_opt(sql, &[id.into()])?.as_ref().map(read).transpose()
}

pub fn page(
    tx: &mut Tx,
    scope: &Scope,
    area: Option<&Area>,
    dropped: bool,
    after: Option<PlanId>,
    limit: u32,
) -> Result<Vec<Plan>, Fault> {
    let sql = Sql::new(concat!("select ", columns!(), " from plan p where "));
    let mut sql = scope.area_predicate(sql, Permission::TerritoryManage, "p");
    if !dropped {
        sql = sql.push(" and p.state <> 'dropped'");
    }
    if let Some(area) = area {
        const COLUMNS: [&str; 5] = [
            " and p.a1 = ",
            " and p.a2 = ",
            " and p.a3 = ",
            " and p.a4 = ",
            " and p.a5 = ",
        ];
        sql = match COLUMNS.get(usize::from(area.depth).wrapping_sub(1)) {
            Some(column) => sql.push(column).bind(area.id),
            None => sql.push(" and 1 = 0"),
        };
    }
    if let Some(after) = after {
        sql = sql.push(" and p.id < ").bind(after);
    }
    let sql = sql.push(" order by p.id desc limit ").bind(i64::from(limit) + 1);
    tx.fetch(&sql)?.iter().map(read).collect()
}

/// A grid of a plan as kept.
#[derive(Debug, Clone, PartialEq)]
pub struct GridRow {
    pub no: u32,
    pub community: AreaId,
    pub name: String,
    pub code: String,
    /// The grid in force that it goes on as.
    pub kept_area: Option<AreaId>,
    pub locked: bool,
    pub dwellings: i64,
    pub households: i64,
    pub people: i64,
    pub enterprises: i64,
    /// Expected minutes of work a month.
    pub minutes: i64,
    pub in_band: bool,
    pub moi: f64,
    pub walk_m: f64,
    pub at: LonLat,
    /// Households that lie in another grid today.
    pub moved_households: i64,
    /// GeoJSON geometry as text.
    pub outline: Option<String>,
}

macro_rules! grid_columns {
    () => {
        "g.no, g.community_id, g.name, g.code, g.kept_area_id, g.locked, g.dwellings, g.households, g.people, g.enterprises, g.minutes, \
         g.in_band, g.moi, g.walk_m, g.lon, g.lat, g.moved_households, g.outline"
    };
}

fn read_grid(row: &Row) -> Result<GridRow, Fault> {
    Ok(GridRow {
        no: u32::try_from(row.get::<i64>(0)?).map_err(Fault::internal)?,
        community: row.get(1)?,
        name: row.get(2)?,
        code: row.get(3)?,
        kept_area: row.get(4)?,
        locked: row.get::<i64>(5)? == 1,
        dwellings: row.get(6)?,
        households: row.get(7)?,
        people: row.get(8)?,
        enterprises: row.get(9)?,
        minutes: row.get(10)?,
        in_band: row.get::<i64>(11)? == 1,
        moi: row.get(12)?,
        walk_m: row.get(13)?,
        at: LonLat {
            lon: row.get(14)?,
            lat: row.get(15)?,
        },
        moved_households: row.get(16)?,
        outline: row.get(17)?,
    })
}

/// Grids of a plan by number, one more than `limit` when there are more; of one community where said.
pub fn grids_page(
    tx: &mut Tx,
    plan: PlanId,
    community: Option<AreaId>,
    after: Option<u32>,
    limit: u32,
) -> Result<Vec<GridRow>, Fault> {
    let mut sql = Sql::new(concat!(
        "select ",
        grid_columns!(),
        " from plan_grid g where g.plan_id = "
    ))
    .bind(plan);
    if let Some(community) = community {
        sql = sql.push(" and g.community_id = ").bind(community);
    }
    if let Some(after) = after {
        sql = sql.push(" and g.no > ").bind(i64::from(after));
    }
    let sql = sql.push(" order by g.no limit ").bind(i64::from(limit) + 1);
    tx.fetch(&sql)?.iter().map(read_grid).collect()
}

/// All grids of a plan in one community; a community is bounded.
pub fn grids(tx: &mut Tx, plan: PlanId, community: AreaId) -> Result<Vec<GridRow>, Fault> {
    let sql = concat!(
        "select ",
        grid_columns!(),
        " from plan_grid g where g.plan_id = $1 and g.community_id = $2 order by g.no"
    );
    tx.query(sql, &[plan.into(), community.into()])?
        .iter()
        .map(read_grid)
        .collect()
}

/// Grids of a plan below an area, at most `limit`.
pub fn grids_below(tx: &mut Tx, plan: PlanId, area: &Area, limit: u32) -> Result<Vec<GridRow>, Fault> {
    const COLUMNS: [&str; 5] = ["c.a1 = ", "c.a2 = ", "c.a3 = ", "c.a4 = ", "c.a5 = "];
    let sql = Sql::new(concat!(
        "select ",
        grid_columns!(),
        " from plan_grid g join area c on c.id = g.community_id where g.plan_id = "
    ));
    let sql = sql.bind(plan).push(" and ");
    let sql = match COLUMNS.get(usize::from(area.depth).wrapping_sub(1)) {
        Some(column) => sql.push(column).bind(area.id),
        None => sql.push("1 = 0"),
    };
    let sql = sql.push(" order by g.no limit ").bind(i64::from(limit));
    tx.fetch(&sql)?.iter().map(read_grid).collect()
}

pub fn grid(tx: &mut Tx, plan: PlanId, no: u32) -> Result<Option<GridRow>, Fault> {
    let sql = concat!(
        "select ",
        grid_columns!(),
        " from plan_grid g where g.plan_id = $1 and g.no = $2"
    );
    tx.query_opt(sql, &[plan.into(), i64::from(no).into()])?
        .as_ref()
        .map(read_grid)
        .transpose()
}

pub fn name_grid(tx: &mut Tx, plan: PlanId, grid: &GridRow) -> Result<(), Fault> {
    tx.execute(
        "update plan_grid set name = $1, locked = $2 where plan_id = $3 and no = $4",
        &[
            grid.name.as_str().into(),
            i64::from(grid.locked).into(),
            plan.into(),
            i64::from(grid.no).into(),
        ],
    )?;
    Ok(())
}

/// The largest number of a plan; 0 without grids.
pub fn last_number(tx: &mut Tx, plan: PlanId) -> Result<u32, Fault> {
    let row = tx.query_one(
        "select coalesce(max(no), 0) from plan_grid where plan_id = $1",
        &[plan.into()],
    )?;
    u32::try_from(row.get::<i64>(0)?).map_err(Fault::internal)
}

/// The grid number of each dwelling of a community that is in one.
pub fn numbers(tx: &mut Tx, plan: PlanId, community: AreaId) -> Result<HashMap<DwellingId, u32>, Fault> {
    let sql = "select dwelling_id, no from plan_dwelling where plan_id = $1 and community_id = $2";
    let one = |row: &Row| Ok((row.get(0)?, u32::try_from(row.get::<i64>(1)?).map_err(Fault::internal)?));
    tx.query(sql, &[plan.into(), community.into()])?
        .iter()
        .map(one)
        .collect()
}

/// The grids of one community in place of what was there.
pub fn put_grids(tx: &mut Tx, plan: PlanId, community: AreaId, grids: &[GridRow]) -> Result<(), Fault> {
    tx.execute(
        "delete from plan_grid where plan_id = $1 and community_id = $2",
        &[plan.into(), community.into()],
    )?;
    let rows = grids.iter().map(|one| {
        [
            plan.into(),
            i64::from(one.no).into(),
            community.into(),
            one.name.as_str().into(),
            one.code.as_str().into(),
            one.kept_area.into(),
            i64::from(one.locked).into(),
            one.dwellings.into(),
            one.households.into(),
            one.people.into(),
            one.enterprises.into(),
            one.minutes.into(),
            i64::from(one.in_band).into(),
            one.moi.into(),
            one.walk_m.into(),
            one.at.lon.into(),
            one.at.lat.into(),
            one.moved_households.into(),
            one.outline.clone().into(),
        ]
    });
    tx.insert_rows(
        "insert into plan_grid(plan_id, no, community_id, name, code, kept_area_id, locked, dwellings, households, people, enterprises,
         minutes, in_band, moi, walk_m, lon, lat, moved_households, outline) values ",
        rows,
        "",
    )?;
    Ok(())
}

/// The grid of each dwelling of one community in place of what was there.
pub fn put_numbers(
    tx: &mut Tx,
    plan: PlanId,
    community: AreaId,
    numbers: impl Iterator<Item = (DwellingId, u32)>,
) -> Result<(), Fault> {
    tx.execute(
        "delete from plan_dwelling where plan_id = $1 and community_id = $2",
        &[plan.into(), community.into()],
    )?;
    change_numbers(tx, plan, community, numbers)
}

/// Another grid for these dwellings.
pub fn change_numbers(
    tx: &mut Tx,
    plan: PlanId,
    community: AreaId,
    numbers: impl Iterator<Item = (DwellingId, u32)>,
) -> Result<(), Fault> {
    let rows = numbers.map(|(id, no)| [plan.into(), community.into(), id.into(), i64::from(no).into()]);
    tx.insert_rows(
        "insert into plan_dwelling(plan_id, community_id, dwelling_id, no) values ",
        rows,
        " on conflict (plan_id, community_id, dwelling_id) do update set no = excluded.no",
    )?;
    Ok(())
}

pub fn put_block(tx: &mut Tx, plan: PlanId, community: AreaId, one: &BlockFigures) -> Result<(), Fault> {
    let row = [
        plan.into(),
        community.into(),
        one.dwellings.into(),
        one.unplaced.into(),
        one.grids.into(),
        one.in_band.into(),
        one.broken.into(),
        one.households.into(),
        one.least.into(),
        one.most.into(),
        one.squares.into(),
        one.cut.into(),
        one.moi_sum.into(),
        one.walk_sum.into(),
        one.minutes.into(),
        one.moved_households.into(),
    ];
    tx.execute(
        "delete from plan_block where plan_id = $1 and community_id = $2",
        &[plan.into(), community.into()],
    )?;
    tx.insert_rows(
        "insert into plan_block(plan_id, community_id, dwellings, unplaced, grids, in_band, broken, households, least, most, squares, cut,
         moi_sum, walk_sum, minutes, moved_households) values ",
        std::iter::once(row),
        "",
    )?;
    Ok(())
}

/// Reads back where the dwellings of a community lie, and keeps the counts: in exactly one grid of their own community, or astray (in a grid of
/// another community, in none that there is, or no longer a dwelling of this community).
pub fn prove(tx: &mut Tx, plan: PlanId, community: AreaId) -> Result<(), Fault> {
    let sql = "select count(*), coalesce(sum(case when d.id is null or g.no is null then 0 else 1 end), 0) from plan_dwelling p
         left join dwelling d on d.id = p.dwelling_id and d.community_id = p.community_id and d.valid_to is null
         left join plan_grid g on g.plan_id = p.plan_id and g.no = p.no and g.community_id = p.community_id
         where p.plan_id = $1 and p.community_id = $2";
    let row = tx.query_one(sql, &[plan.into(), community.into()])?;
    let (all, placed): (i64, i64) = (row.get(0)?, row.get(1)?);
    tx.execute(
        "update plan_block set placed = $1, strayed = $2 where plan_id = $3 and community_id = $4",
        &[placed.into(), (all - placed).into(), plan.into(), community.into()],
    )?;
    Ok(())
}

/// Figures of all communities of a plan together.
pub fn figures(tx: &mut Tx, plan: PlanId) -> Result<BlockFigures, Fault> {
    let sql = "select coalesce(sum(dwellings), 0), coalesce(sum(unplaced), 0), coalesce(sum(grids), 0), coalesce(sum(in_band), 0),
             coalesce(sum(broken), 0), coalesce(sum(households), 0), coalesce(min(case when grids > 0 then least end), 0),
             coalesce(max(most), 0), coalesce(sum(squares), 0.0), coalesce(sum(cut), 0.0), coalesce(sum(moi_sum), 0.0),
             coalesce(sum(walk_sum), 0.0), coalesce(sum(minutes), 0), coalesce(sum(moved_households), 0), coalesce(sum(placed), 0),
             coalesce(sum(strayed), 0)
         from plan_block where plan_id = $1";
    let row = tx.query_one(sql, &[plan.into()])?;
    Ok(BlockFigures {
        dwellings: row.get(0)?,
        unplaced: row.get(1)?,
        grids: row.get(2)?,
        in_band: row.get(3)?,
        broken: row.get(4)?,
        households: row.get(5)?,
        least: row.get(6)?,
        most: row.get(7)?,
        squares: row.get(8)?,
        cut: row.get(9)?,
        moi_sum: row.get(10)?,
        walk_sum: row.get(11)?,
        minutes: row.get(12)?,
        moved_households: row.get(13)?,
        placed: row.get(14)?,
        strayed: row.get(15)?,
    })
}

/// A piece of a community that cannot be divided within the band, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Zone {
    pub community: AreaId,
    /// A dwelling of it.
    pub dwelling: DwellingId,
    /// `sum`, `units`, `packing`, `contiguity` or `unproven`.
    pub verdict: String,
    pub dwellings: i64,
    pub households: i64,
    pub grids: i64,
    /// Grids out of band; dwellings that are above it on their own.
    pub broken: Vec<u32>,
    pub units: Vec<DwellingId>,
}

pub fn put_zones(tx: &mut Tx, plan: PlanId, community: AreaId, zones: &[Zone]) -> Result<(), Fault> {
    tx.execute(
        "delete from plan_zone where plan_id = $1 and community_id = $2",
        &[plan.into(), community.into()],
    )?;
    let mut rows = Vec::with_capacity(zones.len());
    for one in zones {
        rows.push([
            plan.into(),
            community.into(),
            one.dwelling.into(),
            one.verdict.as_str().into(),
            one.dwellings.into(),
            one.households.into(),
            one.grids.into(),
            serde_json::to_string(&one.broken).map_err(Fault::internal)?.into(),
            serde_json::to_string(&one.units).map_err(Fault::internal)?.into(),
        ]);
    }
    tx.insert_rows(
        "insert into plan_zone(plan_id, community_id, dwelling_id, verdict, dwellings, households, grids, broken, units) values ",
        rows,
        "",
    )?;
    Ok(())
}

/// What cannot be met, of one community where said, at most `limit`.
pub fn zones(tx: &mut Tx, plan: PlanId, community: Option<AreaId>, limit: u32) -> Result<Vec<Zone>, Fault> {
    let sql = "select community_id, dwelling_id, verdict, dwellings, households, grids, broken, units from plan_zone where plan_id = ";
    let mut sql = Sql::new(sql).bind(plan);
    if let Some(community) = community {
        sql = sql.push(" and community_id = ").bind(community);
    }
    let sql = sql
        .push(" order by community_id, dwelling_id limit ")
        .bind(i64::from(limit));
    let one = |row: &Row| {
        Ok(Zone {
            community: row.get(0)?,
            dwelling: row.get(1)?,
            verdict: row.get(2)?,
            dwellings: row.get(3)?,
            households: row.get(4)?,
            grids: row.get(5)?,
            broken: serde_json::from_str(row.text(6)?).map_err(Fault::internal)?,
            units: serde_json::from_str(row.text(7)?).map_err(Fault::internal)?,
        })
    };
    tx.fetch(&sql)?.iter().map(one).collect()
}

pub fn insert_comment(tx: &mut Tx, plan: PlanId, one: &Comment) -> Result<(), Fault> {
    tx.execute(
        "insert into plan_comment(id, plan_id, no, body, at, written_by) values ($1, $2, $3, $4, $5, $6)",
        &[
            one.id.into(),
            plan.into(),
            one.no.map(i64::from).into(),
            one.body.as_str().into(),
            one.at.into(),
            one.by.as_str().into(),
        ],
    )?;
    Ok(())
}

pub fn comments(tx: &mut Tx, plan: PlanId, after: Option<PlanCommentId>, limit: u32) -> Result<Vec<Comment>, Fault> {
    let mut sql = Sql::new("select id, no, body, at, written_by from plan_comment where plan_id = ").bind(plan);
    if let Some(after) = after {
        sql = sql.push(" and id > ").bind(after);
    }
    let sql = sql.push(" order by id limit ").bind(i64::from(limit) + 1);
    let one = |row: &Row| {
        let no: Option<i64> = row.get(1)?;
        Ok(Comment {
            id: row.get(0)?,
            no: no.map(u32::try_from).transpose().map_err(Fault::internal)?,
            body: row.get(2)?,
            at: row.get(3)?,
            by: row.get(4)?,
        })
    };
    tx.fetch(&sql)?.iter().map(one).collect()
}
