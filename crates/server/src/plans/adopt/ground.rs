//! The ground under a division: every dwelling with the grid it lies in and the grid it will lie in, who follows a grid that ends, and so
//! where anything that lies somewhere goes.
//!
//! Entry points: [`Ground::of_plan`], [`Ground::back`], [`Ground::goes`]. Reads only. Must not: know what follows; that is `followers`.

use super::Block;
use crate::plans::store::adopt as store;
use crate::platform::{AdoptionId, AreaId, Ctx, DwellingId, Fault, PlanId, Tx};
use crate::territory::Map;
use domain::territory::adopt::{Flows, SequenceFull, Uncoded, codes, successors};
use rstar::RTree;
use rstar::primitives::GeomWithData;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A grid (or community) things can go to: one in force, or one the plan makes.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    /// Present from the day the grid is there.
    pub area: Option<AreaId>,
    /// Its number in the plan; none for what the plan does not draw.
    pub no: Option<u32>,
    pub community: AreaId,
    pub code: String,
    pub name: String,
    /// GeoJSON of its outline in the plan, where it has one.
    pub outline: Option<String>,
    pub households: i64,
}

/// A dwelling that lies in another grid from the day on.
#[derive(Debug, Clone, PartialEq)]
pub struct Moving {
    pub dwelling: DwellingId,
    pub from: AreaId,
    /// Index in [`Ground::places`].
    pub to: usize,
    pub households: i64,
}

/// One dwelling as a point of the index: from, to.
type Spot = GeomWithData<[f64; 2], (AreaId, usize)>;

/// See the module.
pub struct Ground {
    pub places: Vec<Place>,
    /// Communities touched, with the grids in force below each.
    pub communities: BTreeMap<AreaId, Vec<AreaId>>,
    /// Grids that end, each with those that have its ground, most households first.
    pub ended: BTreeMap<AreaId, Vec<(usize, i64)>>,
    /// Grids that go on, by place.
    pub kept: BTreeMap<AreaId, usize>,
    pub moving: Vec<Moving>,
    pub blocks: Vec<Block>,
    parent: HashMap<AreaId, AreaId>,
    near: HashMap<AreaId, RTree<Spot>>,
}

/// Degrees of longitude made as long as those of latitude, roughly, for finding who is nearest.
fn plane(at: (f64, f64)) -> [f64; 2] {
    [at.0 * at.1.to_radians().cos(), at.1]
}

impl Ground {
    /// What a plan does to the territory `map`. What stands in the way is in [`Ground::blocks`].
    pub fn of_plan(ctx: &Ctx, tx: &mut Tx, map: &Map, plan: PlanId, new_buildings: bool) -> Result<Ground, Fault> {
        let mut blocks = Vec::new();
        let grids = store::grids(tx, plan)?;
        if grids.is_empty() {
            blocks.push(Block::new("plan_without_grids"));
        }
        let mut ground = Ground::empty();
        let mut place_of: HashMap<u32, usize> = HashMap::new();
        for grid in grids {
            place_of.insert(grid.no, ground.places.len());
            ground.communities.entry(grid.community).or_default();
            let kept = grid.kept.and_then(|id| map.area(id));
            if let Some(id) = grid
                .kept
                .filter(|_| kept.is_none_or(|area| area.parent != Some(grid.community)))
            {
                blocks.push(Block::new("plan_grid_gone").with("grid", &grid.name).with("id", id));
            }
            ground.places.push(Place {
                area: kept.map(|area| area.id),
                no: Some(grid.no),
                community: grid.community,
                code: kept.map_or(grid.code, |area| area.code.clone()),
                name: kept.map_or(grid.name, |area| area.name.clone()),
                outline: grid.outline,
                households: 0,
            });
        }
        ground.read_tree(map);
        for (at, place) in ground.places.iter().enumerate() {
            if let Some(area) = place.area
                && ground.kept.insert(area, at).is_some()
            {
                blocks.push(Block::new("plan_grid_twice").with("grid", &place.name));
            }
        }
        let communities: Vec<AreaId> = ground.communities.keys().copied().collect();
        let mut flows = Flows::new();
        let (mut missing, mut counted) = (0i64, 0i64);
        let mut middles: BTreeMap<usize, (f64, f64, f64)> = BTreeMap::new();
        for community in &communities {
            let mut spots = Vec::new();
            let mut late = Vec::new();
            for row in store::dwellings(tx, plan, *community)? {
                let Some(to) = row.no.and_then(|no| place_of.get(&no).copied()) else {
                    missing += 1;
                    late.push(row);
                    continue;
                };
                counted += 1;
                let sum = middles.entry(to).or_default();
                *sum = (sum.0 + row.at.0, sum.1 + row.at.1, sum.2 + 1.0);
                ground.take(&mut flows, &mut spots, &row, to);
            }
            ground.index(*community, spots, late, &mut flows);
        }
        if missing > 0 && !new_buildings {
            blocks.push(Block::new("plan_dwellings_missing").with("count", missing));
        }
        let gone = store::dwelling_count(tx, plan)? - counted;
        if gone > 0 {
            blocks.push(Block::new("plan_dwellings_gone").with("count", gone));
        }
        for grid in ground
            .in_force()
            .filter(|grid| !ground.kept.contains_key(grid))
            .collect::<Vec<_>>()
        {
            ground.ended.insert(grid, Vec::new());
        }
        ground.settle_heirs(map, &flows);
        let uncoded = middles
            .into_iter()
            .map(|(place, (lon, lat, n))| (place, (lon / n, lat / n)));
        ground.give_codes(ctx, tx, map, uncoded.collect(), &mut blocks)?;
        ground.blocks = blocks;
        Ok(ground)
    }

    /// The way back of an adoption: its grids end, those it ended are there again.
    pub fn back(tx: &mut Tx, map: &Map, adoption: AdoptionId) -> Result<Ground, Fault> {
        let mut ground = Ground::empty();
        let mut place_of: HashMap<AreaId, usize> = HashMap::new();
        let (made, kept, ended) = (
            store::areas_of(tx, adoption, "area_made")?,
            store::areas_of(tx, adoption, "area_kept")?,
            store::areas_of(tx, adoption, "area_ended")?,
        );
        let communities = made
            .iter()
            .chain(&kept)
            .chain(&ended)
            .filter_map(|id| map.ever(*id)?.parent);
        ground.communities = communities.map(|id| (id, Vec::new())).collect();
        ground.read_tree(map);
        let again = kept.iter().chain(&ended).filter_map(|id| map.ever(*id));
        let again = again.map(|area| (area, area.parent.unwrap_or(area.id)));
        let still = ground.communities.keys().filter_map(|id| map.area(*id));
        for (area, community) in again.chain(still.map(|area| (area, area.id))) {
            place_of.insert(area.id, ground.places.len());
            ground.places.push(Place {
                area: Some(area.id),
                no: None,
                community,
                code: area.code.clone(),
                name: area.name.clone(),
                outline: None,
                households: 0,
            });
        }
        for id in &kept {
            ground.kept.extend(place_of.get(id).map(|at| (*id, *at)));
        }
        for id in &made {
            ground.ended.insert(*id, Vec::new());
        }
        let mut flows = Flows::new();
        for community in ground.communities.keys().copied().collect::<Vec<_>>() {
            let (mut spots, mut late) = (Vec::new(), Vec::new());
            for row in store::dwellings_moved(tx, adoption, community)? {
                let was = row.was.filter(|_| row.moved_to == Some(row.area)).unwrap_or(row.area);
                match place_of.get(&was).copied() {
                    Some(to) => ground.take(&mut flows, &mut spots, &row, to),
                    None => late.push(row),
                }
            }
            ground.index(community, spots, late, &mut flows);
        }
        ground.settle_heirs(map, &flows);
        Ok(ground)
    }

    fn empty() -> Ground {
        Ground {
            places: Vec::new(),
            communities: BTreeMap::new(),
            ended: BTreeMap::new(),
            kept: BTreeMap::new(),
            moving: Vec::new(),
            blocks: Vec::new(),
            parent: HashMap::new(),
            near: HashMap::new(),
        }
    }

    fn read_tree(&mut self, map: &Map) {
        for (community, grids) in &mut self.communities {
            *grids = map.children(Some(*community)).map(|area| area.id).collect();
            self.parent.extend(grids.iter().map(|grid| (*grid, *community)));
        }
    }

    fn in_force(&self) -> impl Iterator<Item = AreaId> + '_ {
        self.communities.values().flatten().copied()
    }

    /// One dwelling goes to a place.
    fn take(&mut self, flows: &mut Flows, spots: &mut Vec<Spot>, row: &store::DwellingRow, to: usize) {
        self.places[to].households += row.households;
        *flows.entry((row.area.into(), to as u32)).or_default() += row.households;
        spots.push(Spot::new(plane(row.at), (row.area, to)));
        if self.places[to].area != Some(row.area) {
            self.moving.push(Moving {
                dwelling: row.id,
                from: row.area,
                to,
                households: row.households,
            });
        }
    }

    /// The index of a community's dwellings; those that came later go with the nearest.
    fn index(&mut self, community: AreaId, spots: Vec<Spot>, late: Vec<store::DwellingRow>, flows: &mut Flows) {
        let tree = RTree::bulk_load(spots);
        let mut added = Vec::new();
        for row in late {
            if let Some(to) = tree.nearest_neighbor(plane(row.at)).map(|near| near.data.1) {
                self.take(flows, &mut added, &row, to);
            }
        }
        let mut tree = tree;
        added.into_iter().for_each(|spot| tree.insert(spot));
        self.near.insert(community, tree);
    }

    /// Who has the ground of each grid that ends: by households; of one without dwellings, what lies nearest to its middle; else the first
    /// grid of its community.
    fn settle_heirs(&mut self, map: &Map, flows: &Flows) {
        let by_households = successors(flows);
        for (grid, heirs) in &mut self.ended {
            let found = by_households
                .get(&(*grid).into())
                .map(Vec::as_slice)
                .unwrap_or_default();
            *heirs = found
                .iter()
                .map(|(to, households)| (*to as usize, *households))
                .collect();
            if !heirs.is_empty() {
                continue;
            }
            let area = map.area(*grid);
            let community = area.and_then(|area| area.parent);
            let middle = area.and_then(|area| area.center);
            let near = community.and_then(|id| self.near.get(&id)).zip(middle);
            let near = near.and_then(|(tree, at)| tree.nearest_neighbor(plane((at.lon, at.lat))));
            let first = || self.places.iter().position(|place| Some(place.community) == community);
            heirs.extend(near.map(|spot| spot.data.1).or_else(first).map(|to| (to, 0)));
        }
    }

    /// Codes of the grids that are new: those the plan gives where they are free and fit, else the next free ones of the community.
    fn give_codes(
        &mut self,
        ctx: &Ctx,
        tx: &mut Tx,
        map: &Map,
        middles: BTreeMap<usize, (f64, f64)>,
        blocks: &mut Vec<Block>,
    ) -> Result<(), Fault> {
        for community in self.communities.keys().copied().collect::<Vec<_>>() {
            let Some(area) = map.area(community) else {
                blocks.push(Block::new("plan_community_gone").with("id", community));
                continue;
            };
            let Some((_, wanted_len)) = super::level_below(ctx, area.depth)?.filter(|(_, len)| *len > area.code.len())
            else {
                blocks.push(Block::new("plan_without_level").with("name", &area.name));
                continue;
            };
            let digits = wanted_len - area.code.len();
            let mut taken: BTreeSet<String> = crate::territory::division::codes(tx, &area.code)?.into_iter().collect();
            let mut uncoded = Vec::new();
            for (at, place) in self.places.iter().enumerate() {
                if place.area.is_some() || place.community != community {
                    continue;
                }
                let fits = place.code.len() == wanted_len && place.code.starts_with(&area.code);
                if fits && taken.insert(place.code.clone()) {
                    continue;
                }
                let (lon, lat) = middles.get(&at).copied().unwrap_or_default();
                uncoded.push(Uncoded {
                    no: at as u32,
                    lon,
                    lat,
                });
            }
            match codes(&area.code, digits, &taken, &uncoded) {
                Ok(given) => given
                    .into_iter()
                    .for_each(|(at, code)| self.places[at as usize].code = code),
                Err(SequenceFull { wanted, free }) => blocks.push(
                    Block::new("code_sequence_full")
                        .with("name", &area.name)
                        .with("wanted", wanted)
                        .with("free", free),
                ),
            }
        }
        Ok(())
    }

    /// The place with most of the households of a grid that ends.
    pub fn heir(&self, area: AreaId) -> Option<usize> {
        self.ended.get(&area)?.first().map(|(to, _)| *to)
    }

    /// Where something that lies in an area goes: with the nearest dwelling, where it has a position; else, out of a grid that ends, to the
    /// one with most of its households. None: it stays.
    pub fn goes(&self, area: AreaId, at: Option<(f64, f64)>) -> Option<usize> {
        let community = self.parent.get(&area).copied().unwrap_or(area);
        let near = self.near.get(&community).zip(at);
        let near = near
            .and_then(|(tree, at)| tree.nearest_neighbor(plane(at)))
            .map(|spot| spot.data);
        if self.ended.contains_key(&area) {
            return near.map(|(_, to)| to).or_else(|| self.heir(area));
        }
        // What stays in force keeps what its own households keep.
        near.filter(|(from, to)| *from == area && self.places[*to].area != Some(area))
            .map(|(_, to)| to)
    }

    /// Every area whose people and matters may be touched: the communities and the grids below them.
    pub fn touched(&self) -> Vec<AreaId> {
        let grids = self.in_force();
        self.communities.keys().copied().chain(grids).collect()
    }
}
