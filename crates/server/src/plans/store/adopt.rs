//! SQL of adopting: what a plan says of dwellings, what lies in the areas it touches, what was moved.

use crate::platform::{AccountId, AdoptionId, AreaId, Ctx, DwellingId, Fault, PlanId, Tx};
use db::{Row, Sql, params};
use domain::time::Timestamp;
use serde_json::Value;

/// Areas or dwellings named in one statement.
const AT_ONCE: usize = 500;
/// Rows of one kind at most, of one adoption.
const MOST: i64 = 2_000_000;

/// A grid of a plan.
#[derive(Debug, Clone)]
pub struct GridRow {
    pub no: u32,
    pub community: AreaId,
    pub name: String,
    pub code: String,
    /// The grid in force that it continues.
    pub kept: Option<AreaId>,
    pub in_band: bool,
    pub outline: Option<String>,
}

/// The grids of a plan, by number.
pub fn grids(tx: &mut Tx, plan: PlanId) -> Result<Vec<GridRow>, Fault> {
    let rows = tx.query(
        "select no, community_id, name, code, kept_area_id, in_band, outline from plan_grid where plan_id = $1 order by no",
        &params![plan],
    )?;
    let one = |row: &Row| {
        Ok(GridRow {
            no: row.get(0)?,
            community: row.get(1)?,
            name: row.get::<Option<String>>(2)?.unwrap_or_default(),
            code: row.get::<Option<String>>(3)?.unwrap_or_default(),
            kept: row.get(4)?,
            in_band: row.get::<i64>(5)? == 1,
            outline: row.get(6)?,
        })
    };
    rows.iter().map(one).collect()
}

/// A dwelling with the grid it gets.
#[derive(Debug, Clone)]
pub struct DwellingRow {
    pub id: DwellingId,
    /// The lowest area it lies in now.
    pub area: AreaId,
    pub at: (f64, f64),
    pub households: i64,
    /// Of a plan: the number of its grid there.
    pub no: Option<u32>,
    /// Of an adoption: where it lay before, and where it was put.
    pub was: Option<AreaId>,
    pub moved_to: Option<AreaId>,
}

/// Dwellings in force of a community, each with its grid in a plan, where it has one.
pub fn dwellings(tx: &mut Tx, plan: PlanId, community: AreaId) -> Result<Vec<DwellingRow>, Fault> {
    let rows = tx.query(
        "select d.id, d.area_id, d.lon, d.lat, d.households, p.no from dwelling d \
         left join plan_dwelling p on p.plan_id = $1 and p.community_id = d.community_id and p.dwelling_id = d.id \
         where d.community_id = $2 and d.valid_to is null order by d.id limit $3",
        &params![plan, community, MOST],
    )?;
    let one = |row: &Row| {
        Ok(DwellingRow {
            id: row.get(0)?,
            area: row.get(1)?,
            at: (row.get(2)?, row.get(3)?),
            households: row.get(4)?,
            no: row.get(5)?,
            was: None,
            moved_to: None,
        })
    };
    rows.iter().map(one).collect()
}

/// Dwellings in force of a community, each with what an adoption did with it.
pub fn dwellings_moved(tx: &mut Tx, adoption: AdoptionId, community: AreaId) -> Result<Vec<DwellingRow>, Fault> {
    let rows = tx.query(
        "select d.id, d.area_id, d.lon, d.lat, d.households, i.from_area, i.to_area from dwelling d \
         left join adoption_item i on i.adoption_id = $1 and i.kind = 'household' and i.item_id = d.id \
         where d.community_id = $2 and d.valid_to is null order by d.id limit $3",
        &params![adoption, community, MOST],
    )?;
    let one = |row: &Row| {
        Ok(DwellingRow {
            id: row.get(0)?,
            area: row.get(1)?,
            at: (row.get(2)?, row.get(3)?),
            households: row.get(4)?,
            no: None,
            was: row.get(5)?,
            moved_to: row.get(6)?,
        })
    };
    rows.iter().map(one).collect()
}

/// How many dwellings a plan names.
pub fn dwelling_count(tx: &mut Tx, plan: PlanId) -> Result<i64, Fault> {
    let row = tx.query_one("select count(*) from plan_dwelling where plan_id = $1", &params![plan])?;
    Ok(row.get(0)?)
}

pub fn set_dwellings_area(tx: &mut Tx, dwellings: &[DwellingId], area: AreaId) -> Result<(), Fault> {
    for some in dwellings.chunks(AT_ONCE) {
        let sql = Sql::new("update dwelling set area_id = ").bind(area);
        let sql = sql.push(" where id in (").list(some.iter().copied()).push(")");
        tx.defer(sql.text(), sql.params())?;
    }
    Ok(())
}

/// Code and name of dwellings.
pub fn dwelling_labels(tx: &mut Tx, ids: &[String]) -> Result<Vec<(String, String)>, Fault> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let sql = Sql::new("select id, name, code from dwelling where id in (")
        .list(ids.iter().cloned())
        .push(")");
    let one = |row: &Row| {
        let (name, code): (String, String) = (row.get(1)?, row.get(2)?);
        Ok((row.get(0)?, if name.is_empty() { code } else { name }))
    };
    tx.fetch(&sql)?.iter().map(one).collect()
}

/// Something with a position that belongs to an area.
pub struct Located {
    pub id: String,
    pub label: String,
    pub area: AreaId,
    pub at: Option<(f64, f64)>,
}

fn located(tx: &mut Tx, select: &'static str, areas: &[AreaId]) -> Result<Vec<Located>, Fault> {
    let mut found = Vec::new();
    for some in areas.chunks(AT_ONCE) {
        for row in tx.fetch(&Sql::new(select).list(some.iter().copied()).push(")"))? {
            let (lon, lat): (Option<f64>, Option<f64>) = (row.get(3)?, row.get(4)?);
            found.push(Located {
                id: row.get(0)?,
                label: row.get(1)?,
                area: row.get(2)?,
                at: lon.zip(lat),
            });
        }
    }
    found.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(found)
}

/// Known addresses of these areas themselves.
pub fn addresses_in(tx: &mut Tx, areas: &[AreaId]) -> Result<Vec<Located>, Fault> {
    located(
        tx,
        "select id, text, area_id, lon, lat from address where area_id in (",
        areas,
    )
}

/// Facilities of these areas themselves.
pub fn facilities_in(tx: &mut Tx, areas: &[AreaId]) -> Result<Vec<Located>, Fault> {
    located(
        tx,
        "select id, name, area_id, lon, lat from facility where removed_at is null and area_id in (",
        areas,
    )
}

pub fn set_address_area(tx: &mut Tx, id: &str, area: AreaId) -> Result<(), Fault> {
    tx.execute("update address set area_id = $1 where id = $2", &params![area, id])?;
    Ok(())
}

/// An adoption.
#[derive(Debug, Clone)]
pub struct AdoptionRow {
    pub id: AdoptionId,
    pub plan: PlanId,
    pub area: AreaId,
    pub day: String,
    pub in_force_from: Option<String>,
    pub state: String,
    pub undo_until: Option<String>,
    pub undone_from: Option<String>,
    pub blocks: String,
    pub counts: String,
    pub digest_before: Option<String>,
    pub digest_after: Option<String>,
    pub created_at: Timestamp,
    pub created_by: AccountId,
    pub created_name: String,
    pub done_at: Option<Timestamp>,
    pub undone_at: Option<Timestamp>,
    pub undone_name: Option<String>,
}

const ADOPTION: &str = "a.id, a.plan_id, a.area_id, a.day, a.in_force_from, a.state, a.undo_until, a.undone_from, a.blocks, a.counts, \
     a.digest_before, a.digest_after, a.created_at, a.created_by, a.created_name, a.done_at, a.undone_at, a.undone_name";

fn read(row: &Row) -> Result<AdoptionRow, Fault> {
    let time = |at: usize| -> Result<Option<Timestamp>, Fault> { Ok(row.get::<Option<i64>>(at)?.map(Timestamp)) };
    Ok(AdoptionRow {
        id: row.get(0)?,
        plan: row.get(1)?,
        area: row.get(2)?,
        day: row.get(3)?,
        in_force_from: row.get(4)?,
        state: row.get(5)?,
        undo_until: row.get(6)?,
        undone_from: row.get(7)?,
        blocks: row.get(8)?,
        counts: row.get(9)?,
        digest_before: row.get(10)?,
        digest_after: row.get(11)?,
        created_at: Timestamp(row.get(12)?),
        created_by: row.get(13)?,
        created_name: row.get(14)?,
        done_at: time(15)?,
        undone_at: time(16)?,
        undone_name: row.get(17)?,
    })
}

pub fn adoption(tx: &mut Tx, id: AdoptionId) -> Result<Option<AdoptionRow>, Fault> {
    let row = tx.query_opt(
        &format!("select {ADOPTION} from adoption a where a.id = $1"),
        &params![id],
    )?;
    row.as_ref().map(read).transpose()
}

/// As [`adoption`], held against others until the commit.
pub fn adoption_locked(tx: &mut Tx, id: AdoptionId) -> Result<Option<AdoptionRow>, Fault> {
    let sql = Sql::new("select ")
        .push(ADOPTION)
        .push(" from adoption a where a.id = ")
        .bind(id);
    let sql = sql.push(tx.backend().for_update());
    tx.fetch(&sql)?.first().map(read).transpose()
}

/// Adoptions, the newest first.
pub fn adoptions(tx: &mut Tx, after: Option<(i64, String)>, limit: u32) -> Result<Vec<AdoptionRow>, Fault> {
    let mut sql = Sql::new("select ").push(ADOPTION).push(" from adoption a");
    if let Some((at, id)) = after {
        sql = sql
            .push(" where (a.created_at, a.id) < (")
            .bind(at)
            .push(", ")
            .bind(id)
            .push(")");
    }
    let sql = sql
        .push(" order by a.created_at desc, a.id desc limit ")
        .bind(i64::from(limit) + 1);
    tx.fetch(&sql)?.iter().map(read).collect()
}

/// Adoptions in one of these states.
pub fn adoptions_in(tx: &mut Tx, state: &str) -> Result<Vec<AdoptionRow>, Fault> {
    let rows = tx.query(
        &format!(
            "select {ADOPTION} from adoption a where a.state = $1 order by a.created_at desc, a.id desc limit 1000"
        ),
        &params![state],
    )?;
    rows.iter().map(read).collect()
}

pub fn insert(tx: &mut Tx, row: &AdoptionRow) -> Result<(), Fault> {
    tx.execute(
        "insert into adoption (id, plan_id, area_id, day, state, blocks, counts, created_at, created_by, created_name) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        &params![
            row.id,
            row.plan,
            row.area,
            &row.day,
            &row.state,
            &row.blocks,
            &row.counts,
            row.created_at.0,
            row.created_by,
            &row.created_name
        ],
    )?;
    Ok(())
}

pub fn update(tx: &mut Tx, row: &AdoptionRow) -> Result<(), Fault> {
    let time = |at: Option<Timestamp>| at.map(|at| at.0);
    tx.execute(
        "update adoption set in_force_from = $1, state = $2, undo_until = $3, undone_from = $4, blocks = $5, counts = $6, \
         digest_before = $7, digest_after = $8, done_at = $9, undone_at = $10, undone_name = $11 where id = $12",
        &params![
            row.in_force_from.clone(),
            &row.state,
            row.undo_until.clone(),
            row.undone_from.clone(),
            &row.blocks,
            &row.counts,
            row.digest_before.clone(),
            row.digest_after.clone(),
            time(row.done_at),
            time(row.undone_at),
            row.undone_name.clone(),
            row.id
        ],
    )?;
    Ok(())
}

/// One thing an adoption moved.
#[derive(Debug, Clone)]
pub struct ItemRow {
    pub id: String,
    pub from: Option<AreaId>,
    pub to: Option<AreaId>,
    pub detail: Value,
}

impl ItemRow {
    /// What it was called; dwellings are looked up instead.
    pub fn label(&self) -> String {
        self.detail["label"].as_str().unwrap_or_default().to_owned()
    }
}

fn read_item(row: &Row) -> Result<ItemRow, Fault> {
    let detail: Option<String> = row.get(3)?;
    Ok(ItemRow {
        id: row.get(0)?,
        from: row.get(1)?,
        to: row.get(2)?,
        detail: detail.map_or(Ok(Value::Null), |text| {
            serde_json::from_str(&text).map_err(Fault::internal)
        })?,
    })
}

pub fn insert_items(
    tx: &mut Tx,
    adoption: AdoptionId,
    kind: &str,
    items: impl IntoIterator<Item = ItemRow>,
) -> Result<(), Fault> {
    let values = |item: ItemRow| {
        let detail = (!item.detail.is_null()).then(|| item.detail.to_string());
        params![adoption, kind, item.id, item.from, item.to, detail]
    };
    tx.insert_rows(
        "insert into adoption_item (adoption_id, kind, item_id, from_area, to_area, detail) values ",
        items.into_iter().map(values),
        "",
    )?;
    Ok(())
}

/// Everything of a kind that an adoption moved, by id.
pub fn items(tx: &mut Tx, adoption: AdoptionId, kind: &str) -> Result<Vec<ItemRow>, Fault> {
    items_after(tx, adoption, kind, "", MOST)
}

/// As [`items`], after one.
pub fn items_after(
    tx: &mut Tx,
    adoption: AdoptionId,
    kind: &str,
    after: &str,
    limit: i64,
) -> Result<Vec<ItemRow>, Fault> {
    let rows = tx.query(
        "select item_id, from_area, to_area, detail from adoption_item where adoption_id = $1 and kind = $2 and item_id > $3 \
         order by item_id limit $4",
        &params![adoption, kind, after, limit],
    )?;
    rows.iter().map(read_item).collect()
}

/// The areas of a kind of item.
pub fn areas_of(tx: &mut Tx, adoption: AdoptionId, kind: &str) -> Result<Vec<AreaId>, Fault> {
    let areas = items(tx, adoption, kind)?;
    Ok(areas.iter().filter_map(|item| item.id.parse().ok()).collect())
}

/// A plan as far as adopting it goes.
#[derive(Debug, Clone)]
pub struct PlanRow {
    pub name: String,
    pub area: AreaId,
    pub state: String,
    /// `ready` only after the checker has passed it.
    pub phase: String,
    pub changed_at: Timestamp,
}

pub fn plan(tx: &mut Tx, id: PlanId) -> Result<Option<PlanRow>, Fault> {
    let row = tx.query_opt(
        "select name, area_id, state, phase, changed_at from plan where id = $1",
        &params![id],
    )?;
    let one = |row: Row| {
        Ok(PlanRow {
            name: row.get(0)?,
            area: row.get(1)?,
            state: row.get(2)?,
            phase: row.get(3)?,
            changed_at: Timestamp(row.get(4)?),
        })
    };
    row.map(one).transpose()
}

pub fn set_plan_state(ctx: &Ctx, tx: &mut Tx, id: PlanId, state: &str) -> Result<(), Fault> {
    tx.execute(
        "update plan set state = $1, changed_at = $2 where id = $3",
        &params![state, ctx.now.0, id],
    )?;
    Ok(())
}

/// The code a grid of a plan got when it came into force.
pub fn set_grid_code(tx: &mut Tx, plan: PlanId, no: u32, code: &str) -> Result<(), Fault> {
    tx.execute(
        "update plan_grid set code = $1 where plan_id = $2 and no = $3",
        &params![code, plan, i64::from(no)],
    )?;
    Ok(())
}
