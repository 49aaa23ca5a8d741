//! Many grids become one (多网合一): a draft plan whose grids are the zones of a department where those can be grids, and today's elsewhere,
//! drawn anew into the band with the fewest households that change.
//!
//! Entry point: [`propose`]. A zone's ground in a community becomes a grid where it hangs together on foot and is within the band; of each
//! that does not, the reason is kept beside the plan. What was taken over is not locked: slivers between zones are too small to be grids, and
//! joining them to a neighbour moves the fewest households. Must not: decide for the planner; it is a draft like any other.

use super::store::{self, VerdictRow, ZoningRow};
use super::{dwellings_of, over, zones_of};
use crate::plans::draw::{self, Loaded};
use crate::plans::table::Table;
use crate::plans::{self, NewPlan, Options, Origin, Plan};
use crate::platform::{AreaId, Ctx, DwellingId, Fault, Mark, Subject, Tx};
use crate::territory::{self, dwellings};
use domain::geo::Region;
use serde_json::json;
use solver::partition::NONE;
use std::collections::{BTreeMap, HashMap};

/// Dwellings of one proposal at most; a larger area is proposed street by street.
const MAX_DWELLINGS: usize = 50_000;

/// What became of the zones, in order of zone and community.
pub struct Proposal {
    pub plan: Plan,
    pub verdicts: Vec<VerdictRow>,
}

/// Makes the draft and has the rest drawn.
pub fn propose(ctx: &Ctx, tx: &mut Tx, row: &ZoningRow, name: &str, options: Options) -> Result<Proposal, Fault> {
    let all = dwellings_of(ctx, tx, row.area)?;
    if all.len() > MAX_DWELLINGS {
        return Err(Fault::refused("zoning_too_large").with("most", MAX_DWELLINGS));
    }
    let regions: Vec<Region> = zones_of(tx, row.id)?.into_iter().map(|zone| zone.region).collect();
    let names: Vec<String> = store::zones(tx, row.id)?.into_iter().map(|zone| zone.name).collect();
    let over = over(&regions, &all);
    let zone_of: HashMap<DwellingId, usize> = all
        .iter()
        .zip(&over.zone_of)
        .filter_map(|(one, zone)| Some((one.id, (*zone)?)))
        .collect();
    let new = NewPlan {
        name: name.to_owned(),
        area: row.area,
        origin: Origin::Overlay,
        from: None,
        options,
        note: String::new(),
    };
    let plan = plans::insert(ctx, tx, new)?;
    let map = territory::current(&ctx.app);
    let area = map.area(row.area).ok_or_else(Fault::not_found)?.clone();
    let (mut verdicts, mut next) = (Vec::new(), 1u32);
    for (community, _) in dwellings::communities(tx, &area)? {
        let table = draw::table(ctx, &plan, community, dwellings::block(tx, community, true)?);
        let (grid, taken) = divide(&table, community, &zone_of, row, &mut next, &mut verdicts);
        let loaded = Loaded {
            community,
            grid,
            rows: BTreeMap::new(),
            table,
            next,
        };
        let mut made = draw::finish(&ctx.app, loaded, Vec::new(), true, None)?;
        for grid in &mut made.rows {
            if let Some(zone) = taken.get(&grid.no)
                && grid.kept_area.is_none()
            {
                grid.name.clone_from(&names[*zone]);
            }
        }
        draw::put(tx, plan.id, &made)?;
    }
    store::insert_verdicts(tx, plan.id, &verdicts)?;
    let followed = verdicts.iter().filter(|one| one.verdict == "followed").count();
    let body = json!({
        "zoning": row.id.to_string(), "plan": plan.id.to_string(), "followed": followed, "others": verdicts.len() - followed,
    });
    tx.record(ctx, Mark::new("zoning.proposed", Subject::Plan(plan.id), body))?;
    let plan = plans::ask_to_draw(ctx, tx, plan.id, Origin::Redraw)?;
    Ok(Proposal { plan, verdicts })
}

/// The grids a community begins with: zones that can be grids, then what is left of today's. The second: the zone of each grid taken over.
fn divide(
    table: &Table,
    community: AreaId,
    zone_of: &HashMap<DwellingId, usize>,
    row: &ZoningRow,
    next: &mut u32,
    verdicts: &mut Vec<VerdictRow>,
) -> (Vec<u32>, BTreeMap<u32, usize>) {
    let mut grid = vec![NONE; table.len()];
    let mut by_zone: BTreeMap<usize, Vec<u32>> = BTreeMap::new();
    for (at, one) in (0u32..).zip(&table.block.dwellings) {
        if let Some(zone) = zone_of.get(&one.id) {
            by_zone.entry(*zone).or_default().push(at);
        }
    }
    let mut taken = BTreeMap::new();
    for (zone, members) in by_zone {
        let verdict = judge(table, &members);
        let followed = verdict == "followed";
        if followed {
            members.iter().for_each(|at| grid[*at as usize] = *next);
            taken.insert(*next, zone);
        }
        verdicts.push(VerdictRow {
            zoning: row.id,
            zone: zone as i64 + 1,
            community,
            households: members.iter().map(|at| table.households(*at as usize)).sum(),
            verdict: verdict.to_owned(),
            grid: followed.then_some(*next),
        });
        *next += u32::from(followed);
    }
    let mut today: BTreeMap<AreaId, u32> = BTreeMap::new();
    for (at, one) in table.block.dwellings.iter().enumerate() {
        if grid[at] == NONE {
            grid[at] = *today.entry(one.area).or_insert_with(|| {
                *next += 1;
                *next - 1
            });
        }
    }
    (grid, taken)
}

/// Whether some dwellings can be one grid; else the reason.
fn judge(table: &Table, members: &[u32]) -> &'static str {
    let loads = table.loads(members);
    if !table.in_band(&loads) {
        let bands = table.rule.bands(0);
        let above = bands.iter().all(|band| loads[band.measure] > band.hi);
        return if above { "too_large" } else { "too_small" };
    }
    if table.pieces(members) > 1 { "apart" } else { "followed" }
}
