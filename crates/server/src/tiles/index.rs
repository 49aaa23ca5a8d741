//! What lies where, in memory: areas and facilities, projected and cut ready, with the place each has in the tree, so that a scope is an
//! interval and a tile touches only what lies in it.
//!
//! Entry point: [`fresh`], the index as of this very moment: each call compares two numbers with the database, so that an edit shows in the
//! next tile, whichever process made it, and after a restart.

use super::mvt::{Geometry, Kind, Layer, Movable, Texts, Value};
use super::store;
use super::tile::{Box4, Outline, Point, Tile, meet, project};
use crate::platform::*;
use crate::territory::facilities::{self, Audience, Facility, Viewer};
use crate::territory::{self, Map};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

/// Size of a bucket of facilities: a tile of zoom 17, so that a tile of zoom 14 looks into few that lie beyond its edge.
const BUCKET_BITS: u32 = 13;
/// An outline over more buckets than this is kept apart.
const MAX_BUCKETS: i64 = 256;
/// From this zoom on facilities are drawn.
pub const FACILITIES_FROM: u8 = 13;
/// Zooms whose tiles hold the most facilities: these are drawn for them once and for all.
const READY: [u8; 2] = [13, 14];
/// What is said of each facility alone.
const OWN: [&str; 2] = ["code", "name"];
/// Facilities of one tile at most.
const MAX_SHAPES: usize = 20_000;
/// Areas narrower than this (units of the tile) are not drawn.
const LEAST_AREA: i32 = 12;
/// Facilities read in one statement.
const PAGE: u32 = 5_000;
/// Zooms up to which a simplified outline serves, and its tolerance in units of the world: half a pixel of a tile 512 wide.
const CLASSES: [(u8, i32); 3] = [(9, 4 << (18 - 9)), (11, 4 << (18 - 11)), (13, 4 << (18 - 13))];

/// Part of the tree: from and to, in the order of a walk from the top.
type Span = (u32, u32);

struct AreaShape {
    id: String,
    code: String,
    name: String,
    level: String,
    depth: u8,
    /// Its place in the walk.
    place: u32,
    center: Option<Point>,
    /// Simplified by [`CLASSES`], the full one last.
    outlines: Vec<Outline>,
}

struct FacilityShape {
    id: FacilityId,
    /// Its texts of [`OWN`].
    own: Texts,
    kind: Arc<str>,
    audience: Audience,
    place: u32,
    at: Point,
    outline: Option<Outline>,
    /// The outline as drawn at the zooms of [`READY`].
    ready: [Option<Movable>; READY.len()],
}

impl FacilityShape {
    fn bounds(&self) -> Box4 {
        let [x, y] = self.at;
        self.outline.as_ref().map_or([x, y, x, y], |outline| outline.bounds)
    }
}

/// The index.
#[derive(Default)]
pub struct Index {
    /// Territory version it was made from.
    territory: i64,
    /// Last change of facilities it holds: its number, and the id of the last one read of it.
    change: (i64, String),
    /// Where each area's subtree stands in the walk.
    spans: HashMap<AreaId, Span>,
    areas: Vec<AreaShape>,
    facilities: Vec<Option<FacilityShape>>,
    by_id: HashMap<FacilityId, u32>,
    /// With its box, so that a tile goes to the shapes it draws only.
    buckets: HashMap<(i32, i32), Vec<(u32, Box4)>>,
    large: Vec<u32>,
    /// Places in `facilities` to be used again.
    free: Vec<u32>,
    kinds: HashMap<String, Arc<str>>,
}

#[derive(Default)]
struct Holder {
    index: RwLock<Index>,
    /// One at a time brings it up to date.
    turn: tokio::sync::Mutex<()>,
}

/// Looks into the index as of now.
pub async fn fresh<T>(ctx: &Ctx, look: impl FnOnce(&Index) -> T) -> Result<T, Fault> {
    let holder = ctx.app.part::<Holder>();
    let now = versions(ctx).await?;
    for _ in 0..TRIES {
        {
            let index = holder.index.read().unwrap_or_else(PoisonError::into_inner);
            if index.is_of(now) {
                return Ok(look(&index));
            }
        }
        let _turn = holder.turn.lock().await;
        bring_up(ctx, &holder).await?;
    }
    Err(Fault::internal("the index of the map does not come up to date"))
}

/// Times the index is brought up to date for one tile; more than one only when the territory changes at that moment.
const TRIES: usize = 8;

/// Territory version and last change of facilities.
async fn versions(ctx: &Ctx) -> Result<(i64, i64), Fault> {
    ctx.app.read(ctx, |_, tx| store::versions(tx)).await
}

async fn bring_up(ctx: &Ctx, holder: &Arc<Holder>) -> Result<(), Fault> {
    let (version, change) = versions(ctx).await?;
    if holder
        .index
        .read()
        .unwrap_or_else(PoisonError::into_inner)
        .is_of((version, change))
    {
        return Ok(());
    }
    if territory::current(&ctx.app).version != version {
        territory::load(&ctx.app).await?;
    }
    let map = territory::current(&ctx.app);
    let rebuilt = {
        let index = holder.index.read().unwrap_or_else(PoisonError::into_inner);
        (index.territory != map.version).then(|| Index::of(&map))
    };
    if let Some(rebuilt) = rebuilt {
        // Facilities follow below; until then nobody is answered from it who asked for later.
        *holder.index.write().unwrap_or_else(PoisonError::into_inner) = rebuilt;
    }
    loop {
        let after = holder
            .index
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .change
            .clone();
        let page = ctx
            .app
            .read(ctx, move |_, tx| facilities::changed_since(tx, after, PAGE))
            .await?;
        let done = page.len() < PAGE as usize;
        let mut index = holder.index.write().unwrap_or_else(PoisonError::into_inner);
        for one in page {
            index.change = (one.change, one.id.to_string());
            index.put(one);
        }
        if done {
            // What follows has a higher number; within a number ids come in order, and a number is complete once it is seen.
            let number = change.max(index.change.0);
            index.change = (number, LAST_ID.to_owned());
            return Ok(());
        }
    }
}

/// After every id.
const LAST_ID: &str = "~";

impl Index {
    fn is_of(&self, (territory, change): (i64, i64)) -> bool {
        self.territory >= territory && self.change.0 >= change && (change == 0 || self.change.1 == LAST_ID)
    }

    fn of(map: &Map) -> Index {
        let mut index = Index {
            territory: map.version,
            ..Index::default()
        };
        let mut next = 0;
        index.walk(map, None, &mut next);
        for area in map.areas() {
            let Some(region) = map.region(area.id) else { continue };
            let full = Outline::of(region);
            let mut outlines: Vec<Outline> = CLASSES.iter().map(|(_, tolerance)| full.simpler(*tolerance)).collect();
            outlines.push(full);
            index.areas.push(AreaShape {
                id: area.id.to_string(),
                code: area.code.clone(),
                name: area.name.clone(),
                level: area.level.clone(),
                depth: area.depth,
                place: index.spans.get(&area.id).map_or(u32::MAX, |span| span.0),
                center: area.center.map(project),
                outlines,
            });
        }
        index
    }

    fn walk(&mut self, map: &Map, parent: Option<AreaId>, next: &mut u32) {
        for area in map.children(parent) {
            let from = *next;
            *next += 1;
            self.walk(map, Some(area.id), next);
            self.spans.insert(area.id, (from, *next));
        }
    }

    /// Adds a facility, or replaces or removes the one of its id.
    fn put(&mut self, one: Facility) {
        if let Some(at) = self.by_id.remove(&one.id) {
            self.take(at);
        }
        if one.removed {
            return;
        }
        // Of areas that have ended, the nearest one above that is in force stands for them.
        let spans = one.areas.iter().rev().flatten().filter_map(|area| self.spans.get(area));
        let place = spans.map(|span| span.0).next().unwrap_or(u32::MAX - 1);
        let kind = match self.kinds.get(&one.kind) {
            Some(known) => known.clone(),
            None => {
                let kind: Arc<str> = one.kind.as_str().into();
                self.kinds.insert(one.kind.clone(), kind.clone());
                kind
            }
        };
        let outline = one.outline.as_ref().map(Outline::of);
        let mut geometry = Geometry::default();
        let shape = FacilityShape {
            id: one.id,
            own: Texts::of(&[&one.code, &one.name]),
            kind,
            audience: one.audience,
            place,
            at: project(one.at),
            ready: READY.map(|zoom| outline.as_ref()?.ready(zoom, &mut geometry)),
            outline,
        };
        let at = self.free.pop().unwrap_or(self.facilities.len() as u32);
        let bounds = shape.bounds();
        match buckets(bounds) {
            Some(range) => range.for_each(|bucket| self.buckets.entry(bucket).or_default().push((at, bounds))),
            None => self.large.push(at),
        }
        self.by_id.insert(shape.id, at);
        match self.facilities.get_mut(at as usize) {
            Some(place) => *place = Some(shape),
            None => self.facilities.push(Some(shape)),
        }
    }

    fn take(&mut self, at: u32) {
        let Some(shape) = self.facilities.get_mut(at as usize).and_then(Option::take) else {
            return;
        };
        match buckets(shape.bounds()) {
            Some(range) => range.for_each(|bucket| {
                if let Some(list) = self.buckets.get_mut(&bucket) {
                    list.retain(|(one, _)| *one != at);
                }
            }),
            None => self.large.retain(|one| *one != at),
        }
        self.free.push(at);
    }

    /// The parts of the tree in which a viewer sees what is for an audience.
    fn spans_of(&self, viewer: &Viewer, audience: Audience) -> Vec<Span> {
        let reach = |area: Option<AreaId>| match area {
            None => Some((0, u32::MAX)),
            Some(area) => self.spans.get(&area).copied(),
        };
        viewer.reaches(audience).into_iter().filter_map(reach).collect()
    }

    /// Areas with their outlines (layer `areas`) and their names in their middle (layer `area_names`); with a viewer only those in scope.
    pub fn areas(&self, tile: Tile, viewer: Option<&Viewer>) -> Vec<u8> {
        let spans = viewer.map_or(vec![(0, u32::MAX)], |viewer| self.spans_of(viewer, Audience::Staff));
        let reach = tile.reach();
        let class = CLASSES
            .iter()
            .position(|(most, _)| tile.z <= *most)
            .unwrap_or(CLASSES.len());
        let (mut ground, mut names) = (Layer::new("areas"), Layer::new("area_names"));
        let mut geometry = Geometry::default();
        for area in self.areas.iter().filter(|area| holds(&spans, area.place)) {
            let Some(outline) = area.outlines.get(class) else {
                continue;
            };
            let [w, n, e, s] = outline.bounds;
            let ([left, top], [right, bottom]) = (tile.local([w, n]), tile.local([e, s]));
            let too_small = right - left < LEAST_AREA && bottom - top < LEAST_AREA;
            if too_small || !meet(outline.bounds, reach) || !ground.has_room() {
                continue;
            }
            let properties = [
                ("id", Value::Own(&area.id)),
                ("code", Value::Own(&area.code)),
                ("name", Value::Own(&area.name)),
                ("level", Value::Text(&area.level)),
                ("depth", Value::Whole(u64::from(area.depth))),
            ];
            tile.draw(outline, &mut geometry);
            ground.add(Kind::Polygon, &geometry, &properties);
            if let Some(at) = area.center.and_then(|at| tile.point(at)) {
                geometry.point(at);
                names.add(Kind::Point, &geometry, &properties);
            }
        }
        let mut out = Vec::new();
        ground.finish(&mut out);
        names.finish(&mut out);
        out
    }

    /// Facilities a viewer sees (layer `facilities`): outlines where known, else points.
    pub fn facilities(&self, tile: Tile, viewer: &Viewer) -> Vec<u8> {
        let mut out = Vec::new();
        if tile.z < FACILITIES_FROM {
            return out;
        }
        let seen = [Audience::Public, Audience::Partner, Audience::Staff].map(|one| self.spans_of(viewer, one));
        let reach = tile.reach();
        let ready = READY.iter().position(|zoom| *zoom == tile.z);
        let (mut layer, mut geometry, mut drawn) = (Layer::new("facilities"), Geometry::default(), 0);
        let mut draw = |at: u32| {
            let Some(Some(shape)) = self.facilities.get(at as usize) else {
                return;
            };
            if drawn == MAX_SHAPES || !holds(&seen[shape.audience as usize], shape.place) || !layer.has_room() {
                return;
            }
            let kind = match &shape.outline {
                Some(outline) if meet(outline.bounds, reach) => {
                    let ready = ready.and_then(|nth| shape.ready[nth].as_ref());
                    if !ready.is_some_and(|ready| tile.draw_ready(outline.bounds, ready, &mut geometry)) {
                        tile.draw(outline, &mut geometry);
                    }
                    Kind::Polygon
                }
                Some(_) => return,
                None => match tile.point(shape.at) {
                    Some(at) => {
                        geometry.point(at);
                        Kind::Point
                    }
                    None => return,
                },
            };
            let shared = [
                ("kind", Value::Text(&shape.kind)),
                ("audience", Value::Text(shape.audience.key())),
            ];
            layer.add_with(kind, &geometry, (&OWN, &shape.own), &shared);
            drawn += 1;
        };
        for at in &self.large {
            draw(*at);
        }
        let [west, north, east, south] = cells(reach);
        for x in west..=east {
            for y in north..=south {
                for (at, bounds) in self.buckets.get(&(x, y)).into_iter().flatten() {
                    // What lies in several buckets is drawn from the first of them that is looked into.
                    let [w, n, ..] = cells(*bounds);
                    if x == w.max(west) && y == n.max(north) && meet(*bounds, reach) {
                        draw(*at);
                    }
                }
            }
        }
        layer.finish(&mut out);
        out
    }
}

fn holds(spans: &[Span], place: u32) -> bool {
    spans.iter().any(|(from, to)| (*from..*to).contains(&place))
}

fn cells(bounds: Box4) -> [i32; 4] {
    bounds.map(|n| n >> BUCKET_BITS)
}

/// The buckets a box lies in; none when there are too many.
fn buckets(bounds: Box4) -> Option<impl Iterator<Item = (i32, i32)>> {
    let [w, n, e, s] = cells(bounds);
    let count = (i64::from(e) - i64::from(w) + 1) * (i64::from(s) - i64::from(n) + 1);
    (count <= MAX_BUCKETS).then(|| (w..=e).flat_map(move |x| (n..=s).map(move |y| (x, y))))
}
