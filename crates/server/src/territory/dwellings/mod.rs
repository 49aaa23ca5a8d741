//! Dwellings 房屋: buildings and yards with their households, and who is next to whom: what plans of grids are made from.
//!
//! Entry points: [`import`] (communities of a file in place of what is known of them), [`block`] (one community whole, for plans), [`page`],
//! [`change`], [`put_link`]. [`maps`] makes the graph from buildings, roads, water and borders; [`graph`] reads one that somebody else made.
//! Must not know plans: those are above.

pub mod graph;
mod http;
mod import;
pub mod maps;
mod store;

pub use http::{DwellingView, known_communities, routes};
pub use import::{DwellingReport, Graph, NewDwelling, NewLink, RowNote, import};

use super::{Area, current};
use crate::platform::*;
use domain::geo::LonLat;
use serde_json::json;
use std::collections::HashMap;

/// Dwellings of one community at most: it is held in memory whole while it is planned.
pub const MOST_IN_COMMUNITY: usize = 20_000;
/// Households, people or enterprises of one dwelling at most.
pub const MOST_IN_DWELLING: i64 = 100_000;
/// Metres of border one link may have at most.
const MOST_METRES: f64 = 100_000.0;
/// Weight of one link at most.
const MOST_WEIGHT: f64 = 1_000.0;

/// A building or yard: a unit of plans.
#[derive(Debug, Clone, PartialEq)]
pub struct Dwelling {
    pub id: DwellingId,
    /// Its source's number.
    pub code: String,
    pub name: String,
    /// The lowest area it lies in: its grid, or its community.
    pub area: AreaId,
    pub community: AreaId,
    pub at: LonLat,
    /// GeoJSON geometries as text: the building, and the ground nearest to it. Only where asked for.
    pub outline: Option<String>,
    pub cell: Option<String>,
    /// Square metres.
    pub land_area: f64,
    pub floor_area: f64,
    pub households: i64,
    pub people: i64,
    pub enterprises: i64,
    /// Its households were shared out from a total.
    pub spread: bool,
    pub compound: Option<String>,
    pub village: Option<String>,
    pub street: Option<String>,
    /// Whether it has a lift; nobody knows where it is left out.
    pub lift: Option<bool>,
}

/// Two dwellings next to each other; `u` before `v`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Link {
    pub u: DwellingId,
    pub v: DwellingId,
    /// Metres of border.
    pub shared_m: f64,
    /// How much they belong together.
    pub weight: f64,
    /// A river or main road lies between.
    pub barrier: bool,
    /// A person said so; an import leaves it.
    pub by_hand: bool,
}

/// News: dwellings of these communities are other ones now, or lie elsewhere.
pub struct DwellingsChanged {
    pub communities: Vec<AreaId>,
}

/// One community: its dwellings in order of id, and who is next to whom.
#[derive(Debug, Clone, Default)]
pub struct Block {
    pub dwellings: Vec<Dwelling>,
    pub links: Vec<Link>,
}

/// What the dwellings of an area come to.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Total {
    pub dwellings: i64,
    pub households: i64,
    pub people: i64,
    pub enterprises: i64,
    pub without_grid: i64,
    pub spread: i64,
    pub links: i64,
    pub barriers: i64,
}

/// One community with all its dwellings; `shapes`: with outlines and cells.
pub fn block(tx: &mut Tx, community: AreaId, shapes: bool) -> Result<Block, Fault> {
    Ok(Block {
        dwellings: store::of_community(tx, community, shapes)?,
        links: store::links(tx, community)?,
    })
}

/// The communities below an area (or the area itself) that have dwellings, in order of id, with what they come to. At most
/// [`MOST_COMMUNITIES`].
pub fn communities(tx: &mut Tx, area: &Area) -> Result<Vec<(AreaId, Total)>, Fault> {
    store::communities(tx, area, MOST_COMMUNITIES)
}

/// What the dwellings of one grid come to.
#[derive(Debug, Clone, PartialEq)]
pub struct GridTotal {
    pub area: AreaId,
    pub dwellings: i64,
    pub households: i64,
    pub people: i64,
}

/// The grids of a community that have dwellings; those in no grid count under the community itself.
pub fn by_grid(tx: &mut Tx, community: AreaId) -> Result<Vec<GridTotal>, Fault> {
    store::by_grid(tx, community)
}

/// How many live in a dwelling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Living {
    pub dwelling: DwellingId,
    pub households: i64,
    pub people: i64,
}

/// Puts numbers that somebody counted in place of those known of these dwellings. Whoever does leaves the mark.
pub fn set_living(tx: &mut Tx, community: AreaId, living: &[Living]) -> Result<(), Fault> {
    for one in living {
        store::set_living(tx, community, one)?;
    }
    store::recount(tx, community)
}

/// Communities of one plan at most.
pub const MOST_COMMUNITIES: u32 = 10_000;

/// Counts a community again; whoever moves its dwellings to other areas calls it in the same transaction.
pub fn recount(tx: &mut Tx, community: AreaId) -> Result<(), Fault> {
    store::recount(tx, community)
}

/// Number of the last change of a community's dwellings and links.
pub fn last_change(tx: &mut Tx, community: AreaId) -> Result<i64, Fault> {
    store::change(tx, community)
}

/// A dwelling by its id, wherever it is.
pub fn find(tx: &mut Tx, id: DwellingId) -> Result<Option<Dwelling>, Fault> {
    store::one(tx, id)
}

/// Dwellings there are now, by their source's number, with the lowest area each lies in.
pub fn by_codes(tx: &mut Tx, codes: &[&str]) -> Result<HashMap<String, (DwellingId, AreaId)>, Fault> {
    let mut found = HashMap::new();
    for part in codes.chunks(500) {
        found.extend(store::now_by_codes(tx, part)?);
    }
    Ok(found)
}

/// The area if the caller plans there; absent otherwise.
pub fn planned_area(ctx: &Ctx, id: AreaId) -> Result<Area, Fault> {
    let map = current(&ctx.app);
    let area = map.area(id).filter(|area| plans_in(ctx, area));
    area.cloned().ok_or_else(Fault::not_found)
}

/// Depth of the areas no grid may reach beyond: the level above the pack's lowest.
pub fn community_depth(app: &App) -> Result<u8, Fault> {
    let levels = crate::policy::current(app)?.pack.levels.len();
    u8::try_from(levels.saturating_sub(1).max(1)).map_err(Fault::internal)
}

fn plans_in(ctx: &Ctx, area: &Area) -> bool {
    ctx.scope.covers(&area.chain, Permission::TerritoryManage)
}

/// Dwellings below an area in order of id, one more than `limit` when there are more.
pub fn page(tx: &mut Tx, area: &Area, after: Option<DwellingId>, limit: u32) -> Result<Vec<Dwelling>, Fault> {
    store::page(tx, area, after, limit)
}

/// A dwelling in an area the caller plans in; absent otherwise.
fn mine(ctx: &Ctx, tx: &mut Tx, id: DwellingId) -> Result<Dwelling, Fault> {
    let found = store::one(tx, id)?.ok_or_else(Fault::not_found)?;
    planned_area(ctx, found.community)?;
    Ok(found)
}

/// What is to change of a dwelling.
#[derive(Debug, Clone, Default)]
pub struct Change {
    pub name: Option<String>,
    pub households: Option<i64>,
    pub people: Option<i64>,
    pub enterprises: Option<i64>,
    /// The community it counts to; its links end.
    pub community: Option<AreaId>,
}

/// Changes a dwelling of the caller's areas. Households said by a person are no longer shared out.
pub fn change(ctx: &Ctx, tx: &mut Tx, id: DwellingId, change: Change) -> Result<Dwelling, Fault> {
    ctx.scope.require(Permission::TerritoryManage)?;
    let mut one = mine(ctx, tx, id)?;
    let before = one.community;
    for (field, value, place) in [
        ("households", change.households, &mut one.households),
        ("people", change.people, &mut one.people),
        ("enterprises", change.enterprises, &mut one.enterprises),
    ] {
        if let Some(value) = value {
            if !(0..=MOST_IN_DWELLING).contains(&value) {
                return Err(Fault::invalid(field, "dwelling_bad_number").with("most", MOST_IN_DWELLING));
            }
            *place = value;
        }
    }
    one.spread &= change.households.is_none();
    if let Some(name) = change.name {
        if name.trim().is_empty() || name.chars().count() > import::LONG {
            return Err(Fault::invalid("name", "dwelling_bad_name"));
        }
        one.name = name.trim().to_owned();
    }
    if let Some(to) = change.community.filter(|to| *to != before) {
        let map = current(&ctx.app);
        let wanted = map.area(to).filter(|area| plans_in(ctx, area));
        let known = map.area(before).map(|area| area.depth);
        let wanted = wanted.filter(|area| Some(area.depth) == known);
        one.community = wanted
            .ok_or_else(|| Fault::invalid("community_id", "dwelling_unknown_community"))?
            .id;
        one.area = import::lowest(ctx, &map, one.community, one.at);
        store::remove_links_of(tx, before, id)?;
    }
    store::update(tx, &one)?;
    store::recount(tx, before)?;
    if one.community != before {
        store::recount(tx, one.community)?;
        let communities = vec![before, one.community];
        news::tell(ctx, tx, &DwellingsChanged { communities })?;
    }
    let body = json!({
        "dwelling": id.to_string(), "community": one.community.to_string(), "households": one.households, "people": one.people,
        "enterprises": one.enterprises,
    });
    tx.record(ctx, Mark::new("dwelling.changed", Subject::Area(one.community), body))?;
    Ok(one)
}

/// Says that two dwellings of one community are next to each other.
pub fn put_link(ctx: &Ctx, tx: &mut Tx, link: Link) -> Result<(), Fault> {
    let community = both(ctx, tx, link.u, link.v)?;
    if !(0.0..=MOST_METRES).contains(&link.shared_m) || !(0.0..=MOST_WEIGHT).contains(&link.weight) {
        return Err(Fault::invalid("shared_m", "dwelling_bad_link"));
    }
    let (u, v) = (link.u.min(link.v), link.u.max(link.v));
    store::put_link(
        tx,
        community,
        &Link {
            u,
            v,
            by_hand: true,
            ..link
        },
    )?;
    store::recount(tx, community)?;
    marked_link(ctx, tx, "dwelling.linked", community, u, v)
}

/// Says that two dwellings are not next to each other.
pub fn remove_link(ctx: &Ctx, tx: &mut Tx, u: DwellingId, v: DwellingId) -> Result<(), Fault> {
    let community = both(ctx, tx, u, v)?;
    let (u, v) = (u.min(v), u.max(v));
    store::remove_link(tx, community, u, v)?;
    store::recount(tx, community)?;
    marked_link(ctx, tx, "dwelling.unlinked", community, u, v)
}

fn both(ctx: &Ctx, tx: &mut Tx, u: DwellingId, v: DwellingId) -> Result<AreaId, Fault> {
    ctx.scope.require(Permission::TerritoryManage)?;
    let (one, other) = (mine(ctx, tx, u)?, mine(ctx, tx, v)?);
    if u == v || one.community != other.community {
        return Err(Fault::invalid("v", "dwelling_link_apart"));
    }
    Ok(one.community)
}

fn marked_link(
    ctx: &Ctx,
    tx: &mut Tx,
    action: &'static str,
    community: AreaId,
    u: DwellingId,
    v: DwellingId,
) -> Result<(), Fault> {
    let body = json!({ "u": u.to_string(), "v": v.to_string() });
    tx.record(ctx, Mark::new(action, Subject::Area(community), body))?;
    Ok(())
}
