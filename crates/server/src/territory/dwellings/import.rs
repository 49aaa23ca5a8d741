//! Bringing in a graph of dwellings: looked at whole and row by row first; then community by community, each replaced at once, a few thousand
//! dwellings to a transaction, so that others can write in between. The communities of the file are as the file says afterwards: the same code
//! is the same dwelling, what the file lacks of them ends. Links said by hand stay.

use super::{Link, MOST_IN_COMMUNITY, MOST_IN_DWELLING, store};
use crate::platform::*;
use crate::territory::import::RowProblem;
use crate::territory::{Map, current, nearest_metres};
use domain::geo::LonLat;
use serde::Serialize;
use serde_json::json;
use std::collections::{BTreeMap, HashMap, HashSet};
use utoipa::ToSchema;

/// Dwellings of one file at most.
pub const MAX_ROWS: usize = 1_000_000;
/// Longest code, name.
const SHORT: usize = 64;
pub(super) const LONG: usize = 120;
/// Codes looked up in one statement.
const AT_ONCE: usize = 500;
/// Problems told at most.
const MAX_PROBLEMS: usize = 100;
/// Dwellings written in one transaction, unless one community has more.
const BATCH: usize = 5_000;

/// A dwelling to be kept.
#[derive(Debug, Clone, PartialEq)]
pub struct NewDwelling {
    /// Row or feature of the file, from 1.
    pub row: usize,
    pub code: String,
    pub name: String,
    /// Code or name of its community.
    pub community: String,
    pub at: LonLat,
    pub outline: Option<String>,
    pub cell: Option<String>,
    pub land_area: f64,
    pub floor_area: f64,
    pub households: i64,
    pub people: i64,
    pub enterprises: i64,
    pub spread: bool,
    /// Whether it has a lift, where the source says so: what was known stays otherwise.
    pub lift: Option<bool>,
    pub compound: Option<String>,
    pub village: Option<String>,
    pub street: Option<String>,
}

/// Two neighbours by their places in the list of dwellings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NewLink {
    pub u: u32,
    pub v: u32,
    pub shared_m: f64,
    pub weight: f64,
    pub barrier: bool,
}

/// Dwellings and who is next to whom.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Graph {
    pub dwellings: Vec<NewDwelling>,
    pub links: Vec<NewLink>,
    /// What was assumed in making it, and what looks wrong; both languages.
    pub assumptions: Vec<String>,
    pub warnings: Vec<String>,
    /// Rows that were mended or left out on the way.
    pub notes: Vec<RowNote>,
    /// Rows read.
    pub rows: usize,
}

/// Rows of one kind of trouble.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct RowNote {
    pub code: String,
    /// In words, both languages.
    pub message: String,
    pub left_out: bool,
    pub count: usize,
    /// The first rows, by their layer.
    pub rows: Vec<String>,
}

/// What an import found or did.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
pub struct DwellingReport {
    pub rows: usize,
    /// Dwellings that are (or would be) new, replaced, at an end.
    pub created: usize,
    pub replaced: usize,
    pub ended: usize,
    pub communities: usize,
    pub households: i64,
    /// Dwellings whose households were shared out by floor area.
    pub spread: usize,
    /// Dwellings in no grid.
    pub without_grid: usize,
    pub links: usize,
    pub barriers: usize,
    pub assumptions: Vec<String>,
    pub warnings: Vec<String>,
    /// Rows mended or left out; they do not hold the others back.
    pub notes: Vec<RowNote>,
    /// Any problem here means that nothing was changed; the first hundred.
    pub problems: Vec<RowProblem>,
}

/// What is known of a code.
#[derive(Debug, Clone, Copy)]
pub struct Known {
    pub id: DwellingId,
    pub community: AreaId,
    /// The lowest area it lies in, or lay in when it ended.
    pub area: AreaId,
    pub at: LonLat,
}

/// Degrees within which a dwelling stands where it stood: a few centimetres, as files round them.
const SAME_PLACE: f64 = 5e-7;

impl Known {
    /// Its area, if it is still in force and the dwelling stands where it stood: a plan may have put it in another grid than the borders say.
    fn keeps(&self, map: &Map, community: AreaId, at: LonLat) -> Option<AreaId> {
        let there = (self.at.lon - at.lon).abs() < SAME_PLACE && (self.at.lat - at.lat).abs() < SAME_PLACE;
        let area = map.area(self.area).filter(|area| area.parent == Some(community));
        area.filter(|_| there).map(|area| area.id)
    }
}

/// A dwelling with its id and its areas.
#[derive(Debug, Clone)]
pub struct Placed {
    pub id: DwellingId,
    pub community: AreaId,
    pub area: AreaId,
    pub row: NewDwelling,
}

/// The lowest area of a place within its community: its grid, where the borders say so.
pub fn lowest(ctx: &Ctx, map: &Map, community: AreaId, at: LonLat) -> AreaId {
    let found = map.locate_under(community, at, nearest_metres(&ctx.app));
    found.map_or(community, |found| found.area)
}

/// Keeps these dwellings, or says what is wrong with them and changes nothing. The caller manages each of their communities.
pub async fn import(ctx: &Ctx, graph: Graph, dry_run: bool) -> Result<DwellingReport, Fault> {
    ctx.scope.require(Permission::TerritoryManage)?;
    if graph.dwellings.len() > MAX_ROWS {
        return Err(Fault::invalid("body", "dwelling_too_many_rows").with("most", MAX_ROWS));
    }
    let (mut report, batches, left) = ctx.app.read(ctx, move |ctx, tx| planned(ctx, tx, graph)).await?;
    if dry_run || !report.problems.is_empty() {
        return Ok(report);
    }
    let map = current(&ctx.app);
    let shaped = tokio::task::spawn_blocking(move || with_ground(&map, batches)).await;
    let (batches, outside) = shaped.map_err(Fault::internal)?;
    if outside > 0 {
        let count = [("count", outside.to_string())];
        report
            .warnings
            .push(i18n::sentence(ctx.lang, "dwelling_outside_border", &count));
    }
    let parts = batches.len();
    report.ended = 0;
    for (part, batch) in batches.into_iter().enumerate() {
        report.ended += ctx
            .app
            .write_long(ctx, move |ctx, tx| written(ctx, tx, batch, (part + 1, parts)))
            .await?;
    }
    if !left.is_empty() {
        ctx.app.write(ctx, move |ctx, tx| tidied(ctx, tx, &left)).await?;
    }
    Ok(report)
}

/// Communities some of whose dwellings came to another one.
fn tidied(ctx: &Ctx, tx: &mut Tx, left: &[AreaId]) -> Result<(), Fault> {
    for community in left {
        store::clear_loose_links(tx, *community)?;
        store::recount(tx, *community)?;
    }
    let communities: Vec<String> = left.iter().map(AreaId::to_string).collect();
    let body = json!({ "communities": communities });
    tx.record(ctx, Mark::new("dwellings.left", Subject::Territory, body))?;
    Ok(())
}

/// Communities of one transaction: their dwellings, and the links by id.
type Batch = Vec<(AreaId, Vec<Placed>, Vec<Link>)>;

fn planned(ctx: &Ctx, tx: &mut Tx, graph: Graph) -> Result<(DwellingReport, Vec<Batch>, Vec<AreaId>), Fault> {
    let map = current(&ctx.app);
    let mut there: HashMap<String, Known> = HashMap::new();
    let codes: Vec<String> = graph.dwellings.iter().map(|row| row.code.clone()).collect();
    for part in codes.chunks(AT_ONCE) {
        there.extend(store::by_codes(tx, part)?);
    }
    let mut report = DwellingReport {
        rows: graph.rows,
        assumptions: graph.assumptions,
        warnings: graph.warnings,
        notes: graph.notes,
        ..DwellingReport::default()
    };
    let problem = |report: &mut DwellingReport, row: usize, code: &'static str, found: String| {
        if report.problems.len() < MAX_PROBLEMS {
            report.problems.push(RowProblem {
                row,
                code: code.to_owned(),
                message: i18n::sentence(ctx.lang, code, &[("found", found)]),
            });
        }
    };
    let mut named: HashMap<String, Result<AreaId, &'static str>> = HashMap::new();
    let mut seen: HashSet<String> = HashSet::new();
    let mut placed: Vec<Option<Placed>> = Vec::with_capacity(graph.dwellings.len());
    for row in graph.dwellings {
        let community = match named.get(&row.community) {
            Some(found) => *found,
            None => {
                let found = community(ctx, &map, &row.community);
                named.insert(row.community.clone(), found);
                found
            }
        };
        let old = there.get(&row.code).copied();
        let checked = checked(&row).and(community).and_then(|community| {
            if !seen.insert(row.code.clone()) {
                return Err("import_duplicate_code");
            }
            let elsewhere = old.is_some_and(|old| !manages(ctx, &map, old.community));
            if elsewhere {
                Err("dwelling_elsewhere")
            } else {
                Ok(community)
            }
        });
        match checked {
            Ok(community) => {
                let kept = old.and_then(|old| old.keeps(&map, community, row.at));
                let area = kept.unwrap_or_else(|| lowest(ctx, &map, community, row.at));
                match old {
                    Some(_) => report.replaced += 1,
                    None => report.created += 1,
                }
                report.households += row.households;
                report.spread += usize::from(row.spread);
                report.without_grid += usize::from(area == community);
                let id = old.map_or_else(|| ctx.app.new_id(), |old| old.id);
                placed.push(Some(Placed {
                    id,
                    community,
                    area,
                    row,
                }));
            }
            Err(code) => {
                let found = if code == "dwelling_unknown_community" {
                    &row.community
                } else {
                    &row.code
                };
                problem(&mut report, row.row, code, found.clone());
                placed.push(None);
            }
        }
    }
    let mut blocks: BTreeMap<AreaId, (Vec<Placed>, Vec<Link>)> = BTreeMap::new();
    for link in &graph.links {
        let both = placed[link.u as usize].as_ref().zip(placed[link.v as usize].as_ref());
        // A border between communities is crossed by no grid.
        if let Some((u, v)) = both.filter(|(u, v)| u.community == v.community && u.id != v.id) {
            report.links += 1;
            report.barriers += usize::from(link.barrier);
            blocks.entry(u.community).or_default().1.push(Link {
                u: u.id.min(v.id),
                v: u.id.max(v.id),
                shared_m: link.shared_m,
                weight: link.weight,
                barrier: link.barrier,
                by_hand: false,
            });
        }
    }
    for one in placed.into_iter().flatten() {
        blocks.entry(one.community).or_default().0.push(one);
    }
    report.communities = blocks.len();
    for (community, (dwellings, _)) in &blocks {
        if dwellings.len() > MOST_IN_COMMUNITY {
            let name = map.full_name(*community);
            problem(&mut report, dwellings[0].row.row, "dwelling_community_full", name);
        }
    }
    // Those that come to another community end in the old one by themselves.
    let mut stay: HashMap<AreaId, usize> = HashMap::new();
    for known in there.values() {
        *stay.entry(known.community).or_default() += 1;
    }
    let mut ended = 0;
    for community in blocks.keys() {
        let known = store::communities(tx, map.area(*community).ok_or_else(Fault::not_found)?, 1)?;
        let here = known.first().map_or(0, |(_, total)| total.dwellings);
        let stay = stay.get(community).copied().unwrap_or(0);
        ended += usize::try_from(here).unwrap_or(0).saturating_sub(stay);
    }
    report.ended = ended;
    let mut left: Vec<AreaId> = there
        .values()
        .map(|known| known.community)
        .filter(|community| !blocks.contains_key(community))
        .collect();
    left.sort();
    left.dedup();
    Ok((report, batched(blocks), left))
}

/// Gives the dwellings of communities that came without ground (two tables) the ground nearest to each; and how many lie outside the border of
/// their community and get none.
fn with_ground(map: &Map, mut batches: Vec<Batch>) -> (Vec<Batch>, usize) {
    let mut outside = 0;
    for (community, dwellings, _) in batches.iter_mut().flatten() {
        if dwellings.iter().any(|one| one.row.cell.is_some()) {
            continue;
        }
        let positions: Vec<LonLat> = dwellings.iter().map(|one| one.row.at).collect();
        for (one, cell) in dwellings
            .iter_mut()
            .zip(super::maps::cells(&positions, map.region(*community)))
        {
            let Some((cell, area)) = cell else {
                outside += 1;
                continue;
            };
            one.row.cell = Some(cell);
            if one.row.land_area == 0.0 {
                one.row.land_area = area;
            }
        }
    }
    (batches, outside)
}

fn batched(blocks: BTreeMap<AreaId, (Vec<Placed>, Vec<Link>)>) -> Vec<Batch> {
    let (mut batches, mut size) = (Vec::<Batch>::new(), BATCH);
    for (community, (dwellings, links)) in blocks {
        if size + dwellings.len() > BATCH {
            batches.push(Vec::new());
            size = 0;
        }
        size += dwellings.len();
        if let Some(batch) = batches.last_mut() {
            batch.push((community, dwellings, links));
        }
    }
    batches
}

fn written(ctx: &Ctx, tx: &mut Tx, batch: Batch, (part, parts): (usize, usize)) -> Result<usize, Fault> {
    let day = ctx.now.date().to_string();
    let (mut count, mut households, mut ended) = (0, 0, 0usize);
    let communities: Vec<AreaId> = batch.iter().map(|(community, ..)| *community).collect();
    for (community, dwellings, mut links) in batch {
        let before = store::of_community(tx, community, false)?;
        let stay: HashSet<DwellingId> = dwellings.iter().map(|one| one.id).collect();
        ended += before.iter().filter(|one| !stay.contains(&one.id)).count();
        store::clear(tx, community, &day)?;
        count += dwellings.len();
        households += dwellings.iter().map(|one| one.row.households).sum::<i64>();
        store::put_all(tx, &day, &dwellings)?;
        store::clear_loose_links(tx, community)?;
        // What a person said of a pair stands.
        let by_hand: HashSet<(DwellingId, DwellingId)> = store::links(tx, community)?
            .iter()
            .map(|link| (link.u, link.v))
            .collect();
        links.sort_by_key(|link| (link.u, link.v));
        links.dedup_by_key(|link| (link.u, link.v));
        let new = links.into_iter().filter(|link| !by_hand.contains(&(link.u, link.v)));
        store::put_links(tx, community, new)?;
        store::recount(tx, community)?;
    }
    let changed = super::DwellingsChanged { communities };
    news::tell(ctx, tx, &changed)?;
    let body = json!({
        "part": part, "parts": parts, "communities": changed.communities, "dwellings": count, "households": households, "ended": ended,
    });
    tx.record(ctx, Mark::new("dwellings.imported", Subject::Territory, body))?;
    Ok(ended)
}

fn manages(ctx: &Ctx, map: &Map, area: AreaId) -> bool {
    map.ever(area)
        .is_some_and(|area| ctx.scope.covers(&area.chain, Permission::TerritoryManage))
}

/// The community that a text names, by its code or, where only one is called so, its name.
fn community(ctx: &Ctx, map: &Map, text: &str) -> Result<AreaId, &'static str> {
    let depth = super::community_depth(&ctx.app).map_err(|_| "dwelling_unknown_community")?;
    let mut by_name = map
        .areas()
        .iter()
        .filter(|area| area.depth == depth && area.name == text);
    let found = match map.by_code(text) {
        Some(area) => Some(area),
        None => by_name.next().filter(|_| by_name.next().is_none()),
    };
    let found = found
        .filter(|area| area.depth == depth)
        .ok_or("dwelling_unknown_community")?;
    if manages(ctx, map, found.id) {
        Ok(found.id)
    } else {
        Err("dwelling_elsewhere")
    }
}

fn checked(row: &NewDwelling) -> Result<(), &'static str> {
    let short = |text: &Option<String>| text.as_ref().is_none_or(|text| text.chars().count() <= LONG);
    if row.code.is_empty() || row.code.chars().count() > SHORT {
        return Err("dwelling_bad_code");
    }
    if row.name.chars().count() > LONG || !short(&row.compound) || !short(&row.village) || !short(&row.street) {
        return Err("dwelling_bad_name");
    }
    let bounded = |value: i64| (0..=MOST_IN_DWELLING).contains(&value);
    if !bounded(row.households) || !bounded(row.people) || !bounded(row.enterprises) {
        return Err("dwelling_bad_number");
    }
    if LonLat::new(row.at.lon, row.at.lat).is_err() {
        return Err("dwelling_no_position");
    }
    Ok(())
}
