//! Makes the graph of dwellings from geometry: who is next to whom, over which length, across which barrier.
//!
//! Every community (a hard border) is divided among its dwellings: each gets the ground nearest to it (Voronoi cells of the few points that
//! stand for the building, [`outline::sites`]), cut along the community's border ([`cells`]). Two dwellings whose cells share a border are
//! neighbours, over its length. They are walkable neighbours when, somewhere along it, one can go from one to the other straight without
//! crossing a barrier; where a river bends so that no straight way is left although both stand on the same bank, [`around`] finds the way
//! along the bank; a bridge joins the two dwellings at its ends ([`bridges`]). So the dwellings of one bank hang together, and nothing but a
//! bridge joins two banks.
//!
//! Entry point: [`build`]. Metres on a plane; the same input gives the same bytes. What had to be mended or left out is in [`Ground::notes`].

mod around;
mod bridges;
mod cells;
mod groups;
mod outline;
mod plane;
mod rims;
mod shift;
mod spread;

pub use plane::{Point, Polygon, Ring, area, distance, perimeter, signed_area};
pub use rims::{nested, traced};
pub use shift::{Shift, systematic_shift};
pub use spread::spread;

use cells::{Cells, Mesh};
use plane::{Inside, Segments, bounds};
use std::collections::{BTreeMap, BTreeSet};

/// Dwellings of one input at most.
pub const MAX_DWELLINGS: usize = 1_000_000;
/// A dwelling this near outside its community, in metres, counts as inside: drawn borders are not better than that.
pub const SNAP: f64 = 30.0;
/// Without communities, the ground reaches this far around the outermost dwellings, in metres.
pub const RIM: f64 = 50.0;
/// A border shorter than this, in metres, is a corner: no neighbours, unless nothing else joins them.
pub const LEAST_SHARED: f64 = 0.05;
/// Nearest street within this many metres of a dwelling is its street.
pub const STREET_REACH: f64 = 60.0;
/// Weight of an edge within one compound or along one street; of any other; of one longer than [`FAR`] metres, or without a shared border.
pub const W_TOGETHER: f64 = 4.0;
pub const W_PLAIN: f64 = 1.0;
pub const W_FAR: f64 = 0.5;
pub const FAR: f64 = 150.0;
/// Digits kept of positions when looking for two dwellings at the same place: centimetres.
const SAME_PLACE: f64 = 100.0;

/// What a barrier is; a bridge leads over one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Water,
    Road,
    /// A border given as a line.
    Border,
}

/// A building or address. `row` is how the caller names it in messages.
#[derive(Debug, Clone, Default)]
pub struct Dwelling {
    pub row: usize,
    /// Where it is, if it has no outline; with one, the outline decides.
    pub at: Option<Point>,
    pub outline: Vec<Polygon>,
    /// Numbers the caller gave; dwellings with the same number are along one street, in one compound or village.
    pub street: Option<u32>,
    pub compound: Option<u32>,
}

/// A community: no edge leaves it. Or a compound.
#[derive(Debug, Clone, Default)]
pub struct Area {
    pub row: usize,
    pub polygons: Vec<Polygon>,
}

/// What cannot be crossed on foot.
#[derive(Debug, Clone)]
pub struct Barrier {
    pub row: usize,
    pub kind: Kind,
    pub lines: Vec<Vec<Point>>,
    pub polygons: Vec<Polygon>,
}

/// A way over (or under) the barriers of one kind.
#[derive(Debug, Clone)]
pub struct Bridge {
    pub row: usize,
    pub over: Kind,
    pub line: Vec<Point>,
}

/// A street's line; `street` is the same for all lines of one street.
#[derive(Debug, Clone)]
pub struct Street {
    pub street: u32,
    pub line: Vec<Point>,
}

/// All that the graph is made from. Only dwellings are needed.
#[derive(Debug, Clone, Default)]
pub struct Input {
    pub dwellings: Vec<Dwelling>,
    /// None at all: everything within [`RIM`] of the dwellings is one community.
    pub communities: Vec<Area>,
    pub barriers: Vec<Barrier>,
    pub bridges: Vec<Bridge>,
    pub streets: Vec<Street>,
    pub compounds: Vec<Area>,
    /// Whether the ground of each dwelling is wanted as a polygon.
    pub cells: bool,
}

/// A dwelling in the graph.
#[derive(Debug, Clone, PartialEq)]
pub struct Unit {
    /// Its place in [`Input::dwellings`].
    pub dwelling: usize,
    pub at: Point,
    /// Its community's place in [`Input::communities`] (0 without any).
    pub region: usize,
    /// Ground nearest to it within the community, square metres.
    pub area: f64,
    /// Metres of the community's border that its ground has.
    pub external: f64,
    pub street: Option<u32>,
    pub compound: Option<u32>,
}

/// Two neighbours, `u < v`, by their places in [`Ground::units`].
#[derive(Debug, Clone, PartialEq)]
pub struct Edge {
    pub u: usize,
    pub v: usize,
    /// Metres of border; 0 for a way over a bridge, or along a bank, between dwellings that have no border in common.
    pub shared: f64,
    pub w: f64,
    /// Not walkable: a river, main road or border lies between.
    pub barrier: bool,
}

impl Edge {
    fn without_border(u: usize, v: usize) -> Edge {
        Edge {
            u,
            v,
            shared: 0.0,
            w: W_FAR,
            barrier: false,
        }
    }
}

/// Which list a note speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    Dwellings,
    Communities,
    Barriers,
    Compounds,
}

/// Something of the input that was mended or left out. Distances in metres, rows as the caller named them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Trouble {
    /// Left out: a coordinate is not a number, or there is none.
    NoPosition,
    /// Left out (a dwelling: counts as a point): no outline with an area.
    NoArea,
    /// Taken apart where it crossed itself.
    Crossing,
    /// Left out: in no community; how far from the nearest.
    Outside { metres: f64 },
    /// Counts to the nearest community.
    JustOutside { metres: f64 },
    /// Counts to the first of two communities that overlap.
    InTwo { other: usize },
    /// At the place of another; set a step apart.
    SamePlace { other: usize },
    /// In the water; counts as on the nearest bank.
    InWater { metres: f64 },
}

impl Trouble {
    /// Whether it cost the row.
    pub fn refused(self, layer: Layer) -> bool {
        match self {
            Trouble::NoPosition | Trouble::Outside { .. } => true,
            Trouble::NoArea => layer != Layer::Dwellings,
            _ => false,
        }
    }
}

/// One trouble of one row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Note {
    pub layer: Layer,
    pub row: usize,
    pub trouble: Trouble,
}

/// The graph, and what was noted on the way.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ground {
    /// In the order of the dwellings.
    pub units: Vec<Unit>,
    /// By `u`, then `v`.
    pub edges: Vec<Edge>,
    pub notes: Vec<Note>,
    /// Where asked for: the ground of each unit. Neighbours have the very same corners along their border. Empty where rounding left no ring.
    pub cells: Vec<Vec<Polygon>>,
    /// Ways that only a bridge made, and that only a bend of the bank made.
    pub bridged: usize,
    pub rounded: usize,
}

/// Why there is no graph at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("more than {MAX_DWELLINGS} dwellings")]
    TooMany,
    #[error("no dwelling that can be used")]
    NoDwellings,
    #[error("no community that can be used")]
    NoCommunities,
}

/// Barriers, found by place; of each segment its kind.
type Barriers = Segments<Kind>;

/// A dwelling on its way into the graph.
struct Placed {
    dwelling: usize,
    /// The points that stand for it; the first is its place.
    sites: Vec<Point>,
    /// Its place, or the bank next to it: where its ways begin.
    foot: Point,
    region: usize,
}

/// Where a building with this outline stands: a point inside it. `None` for an outline without area.
pub fn place_of(outline: &[Polygon]) -> Option<Point> {
    let (parts, _) = finite(outline).then(|| outline::mend(outline))??;
    outline::sites(&parts).first().copied()
}

/// Whether a point lies in the polygons, holes left out.
pub fn holds(polygons: &[Polygon], p: Point) -> bool {
    Inside::new(polygons).holds(p)
}

/// Share of the points that lie in one of the areas; 1 without points.
pub fn share_inside(points: &[Point], areas: &[Area]) -> f64 {
    let inside: Vec<Inside> = areas.iter().map(|area| Inside::new(&area.polygons)).collect();
    let hits = points
        .iter()
        .filter(|p| inside.iter().any(|area| area.holds(**p)))
        .count();
    if points.is_empty() {
        1.0
    } else {
        hits as f64 / points.len() as f64
    }
}

/// The graph of an input.
pub fn build(input: &Input) -> Result<Ground, Refused> {
    if input.dwellings.len() > MAX_DWELLINGS {
        return Err(Refused::TooMany);
    }
    let mut notes = Vec::new();
    let mut communities = mended(&input.communities, Layer::Communities, &mut notes);
    let water = water(&input.barriers);
    let mut placed = place(&input.dwellings, &mut notes);
    if input.communities.is_empty() {
        let all = placed.iter().flat_map(|one| one.sites.iter().copied());
        communities.push(Some(vec![vec![outline::hull(all, RIM)]]));
    } else if communities.iter().all(Option::is_none) {
        return Err(Refused::NoCommunities);
    } else {
        placed = settle(placed, input, &communities, &mut notes);
    }
    if placed.is_empty() {
        return Err(Refused::NoDwellings);
    }
    ashore(&mut placed, input, &water, &mut notes);
    let gap = if input.communities.is_empty() { 3.0 * RIM } else { SNAP };
    let barriers = barriers_of(&input.barriers, &communities, gap, &mut notes);
    let mut ground = Ground::default();
    let mut by_region: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (unit, one) in placed.iter().enumerate() {
        by_region.entry(one.region).or_default().push(unit);
    }
    let mut units: Vec<Unit> = placed.iter().map(unit_of).collect();
    if input.cells {
        ground.cells = vec![Vec::new(); units.len()];
    }
    for (region, members) in &by_region {
        let polygons = communities[*region].as_deref().unwrap_or_default();
        let inside = Inside::new(polygons);
        set_apart(&mut placed, members, input, &inside, &barriers, &mut notes);
        community(&placed, members, polygons, &inside, &barriers, &mut units, &mut ground);
    }
    ground.edges.sort_by_key(|edge| (edge.u, edge.v));
    ground.bridged = bridges::join(&placed, &input.bridges, &barriers, &water, &mut ground.edges);
    groups::name(input, &mut units, &mut notes);
    groups::weigh(&placed, &units, &mut ground.edges);
    notes.sort_by_key(|note| (note.layer, note.row));
    ground.units = units;
    ground.notes = notes;
    Ok(ground)
}

fn unit_of(one: &Placed) -> Unit {
    Unit {
        dwelling: one.dwelling,
        at: one.sites[0],
        region: one.region,
        area: 0.0,
        external: 0.0,
        street: None,
        compound: None,
    }
}

fn finite(polygons: &[Polygon]) -> bool {
    polygons
        .iter()
        .flatten()
        .flatten()
        .flatten()
        .all(|value| value.is_finite())
}

/// The outlines of areas; none for those left out.
fn mended(areas: &[Area], layer: Layer, notes: &mut Vec<Note>) -> Vec<Option<Vec<Polygon>>> {
    let mut mend_one = |one: &Area| {
        let mut note = |trouble| {
            notes.push(Note {
                layer,
                row: one.row,
                trouble,
            })
        };
        if !finite(&one.polygons) {
            note(Trouble::NoPosition);
            return None;
        }
        let Some((polygons, how)) = outline::mend(&one.polygons) else {
            note(Trouble::NoArea);
            return None;
        };
        if how == outline::Mended::Uncrossed {
            note(Trouble::Crossing);
        }
        Some(polygons)
    };
    areas.iter().map(&mut mend_one).collect()
}

/// Where each dwelling stands; those without a position are noted and left out.
fn place(dwellings: &[Dwelling], notes: &mut Vec<Note>) -> Vec<Placed> {
    let mut placed = Vec::with_capacity(dwellings.len());
    for (dwelling, one) in dwellings.iter().enumerate() {
        let mut note = |trouble| {
            notes.push(Note {
                layer: Layer::Dwellings,
                row: one.row,
                trouble,
            });
        };
        let mut sites = Vec::new();
        if !one.outline.is_empty() && finite(&one.outline) {
            match outline::mend(&one.outline) {
                Some((parts, how)) => {
                    if how == outline::Mended::Uncrossed {
                        note(Trouble::Crossing);
                    }
                    sites = outline::sites(&parts);
                }
                None => {
                    note(Trouble::NoArea);
                    sites = one.outline.iter().flatten().flatten().take(1).copied().collect();
                }
            }
        }
        if sites.is_empty() {
            sites.extend(one.at.filter(|at| at[0].is_finite() && at[1].is_finite()));
        }
        let Some(foot) = sites.first().copied() else {
            note(Trouble::NoPosition);
            continue;
        };
        placed.push(Placed {
            dwelling,
            sites,
            foot,
            region: 0,
        });
    }
    placed
}

/// Each dwelling into its community: the one it stands in, or the nearest within [`SNAP`]; the others are noted and left out.
fn settle(
    placed: Vec<Placed>,
    input: &Input,
    communities: &[Option<Vec<Polygon>>],
    notes: &mut Vec<Note>,
) -> Vec<Placed> {
    let found: Vec<(usize, [f64; 4], Inside)> = communities
        .iter()
        .enumerate()
        .filter_map(|(at, polygons)| {
            let polygons = polygons.as_ref()?;
            Some((at, bounds(polygons.iter().flatten().flatten())?, Inside::new(polygons)))
        })
        .collect();
    let far = |p: Point, [w, s, e, n]: [f64; 4]| (w - p[0]).max(p[0] - e).max(s - p[1]).max(p[1] - n);
    let mut kept = Vec::with_capacity(placed.len());
    for mut one in placed {
        let mut note = |trouble| {
            notes.push(Note {
                layer: Layer::Dwellings,
                row: input.dwellings[one.dwelling].row,
                trouble,
            });
        };
        let at = one.sites[0];
        let mut around = found
            .iter()
            .filter(|(_, bounds, inside)| far(at, *bounds) <= 0.0 && inside.holds(at));
        if let Some((region, _, _)) = around.next() {
            if let Some((other, _, _)) = around.next() {
                note(Trouble::InTwo {
                    other: input.communities[*other].row,
                });
            }
            one.region = *region;
            kept.push(one);
            continue;
        }
        let mut nearest: Option<(f64, &usize, Point, &Inside)> = None;
        for (region, bounds, inside) in &found {
            if far(at, *bounds) >= nearest.map_or(f64::INFINITY, |best| best.0) {
                continue;
            }
            if let Some((border, metres)) = inside.border_next_to(at)
                && nearest.is_none_or(|best| metres < best.0)
            {
                nearest = Some((metres, region, border, inside));
            }
        }
        let Some((metres, region, border, inside)) = nearest else {
            continue;
        };
        match within(at, border, inside).filter(|_| metres <= SNAP) {
            Some(step_inside) => {
                note(Trouble::JustOutside { metres });
                one.sites = vec![step_inside];
                one.foot = step_inside;
                one.region = *region;
                kept.push(one);
            }
            None => note(Trouble::Outside { metres }),
        }
    }
    kept
}

/// A point inside, next to the place on the border where someone coming from `from` meets it.
fn within(from: Point, border: Point, inside: &Inside) -> Option<Point> {
    let ahead = (border[1] - from[1]).atan2(border[0] - from[0]);
    let turns = (0..16).map(|k| f64::from((k + 1) / 2) * if k % 2 == 0 { 0.4 } else { -0.4 });
    [0.5, 0.05].into_iter().find_map(|step: f64| {
        let point = |turn: f64| {
            [
                border[0] + step * (ahead + turn).cos(),
                border[1] + step * (ahead + turn).sin(),
            ]
        };
        turns.clone().map(point).find(|p| inside.holds(*p))
    })
}

type Waters = Vec<Inside>;

fn water(barriers: &[Barrier]) -> Waters {
    let wet = barriers.iter().filter(|barrier| barrier.kind == Kind::Water);
    let polygons = wet.flat_map(|barrier| &barrier.polygons);
    polygons
        .filter(|polygon| finite(std::slice::from_ref(*polygon)))
        .map(|polygon| Inside::new(std::slice::from_ref(polygon)))
        .collect()
}

/// Dwellings in the water stand on the bank.
fn ashore(placed: &mut [Placed], input: &Input, water: &Waters, notes: &mut Vec<Note>) {
    for one in placed {
        let Some(lake) = water.iter().find(|lake| lake.holds(one.foot)) else {
            continue;
        };
        let Some((bank, metres)) = lake.border_next_to(one.foot) else {
            continue;
        };
        let beyond = metres.max(1e-6);
        let step = |axis: usize| bank[axis] + (bank[axis] - one.foot[axis]) / beyond * 0.5;
        one.foot = [step(0), step(1)];
        one.sites.truncate(1);
        notes.push(Note {
            layer: Layer::Dwellings,
            row: input.dwellings[one.dwelling].row,
            trouble: Trouble::InWater { metres },
        });
    }
}

/// All barriers as segments; those that cannot be used are noted. A line that ends within `gap` metres of a border reaches it: main roads
/// end where the map was cut, and nobody walks round that end.
fn barriers_of(
    barriers: &[Barrier],
    communities: &[Option<Vec<Polygon>>],
    gap: f64,
    notes: &mut Vec<Note>,
) -> Barriers {
    let mut all = Vec::new();
    let key = |p: Point| (p[0].round() as i64, p[1].round() as i64);
    let mut met: BTreeMap<(i64, i64), u32> = BTreeMap::new();
    for line in barriers.iter().flat_map(|barrier| &barrier.lines) {
        line.iter().for_each(|p| *met.entry(key(*p)).or_default() += 1);
    }
    let rings = communities.iter().flatten().flatten().flatten();
    let border = Segments::new(
        rings
            .flat_map(|ring| plane::sides(ring))
            .map(|(a, b)| (a, b, ()))
            .collect(),
        40.0,
    );
    for barrier in barriers {
        let sound =
            finite(&barrier.polygons) && barrier.lines.iter().flatten().flatten().all(|value| value.is_finite());
        if !sound {
            notes.push(Note {
                layer: Layer::Barriers,
                row: barrier.row,
                trouble: Trouble::NoPosition,
            });
            continue;
        }
        for line in &barrier.lines {
            let mut piece = |a: Point, b: Point| {
                if a != b {
                    all.push((a, b, barrier.kind));
                }
            };
            line.windows(2).for_each(|ends| piece(ends[0], ends[1]));
            let ends = [(line.first(), line.get(1)), (line.last(), line.iter().nth_back(1))];
            for (end, before) in ends {
                let (Some(end), Some(before)) = (end, before) else {
                    continue;
                };
                if met.get(&key(*end)) != Some(&1) || end == before {
                    continue;
                }
                let beyond = plane::along(*before, *end, 1.0 + gap / distance(*before, *end));
                if let Some((at, _)) = border.crossings(*end, beyond).first() {
                    piece(*end, plane::along(*end, beyond, at + 1.0 / gap));
                }
            }
        }
        for ring in barrier.polygons.iter().flatten() {
            all.extend(plane::sides(ring).map(|(a, b)| (a, b, barrier.kind)));
        }
    }
    Segments::new(all, 40.0)
}

/// Two dwellings at one place are set a step apart, so that each has ground of its own.
fn set_apart(
    placed: &mut [Placed],
    members: &[usize],
    input: &Input,
    inside: &Inside,
    barriers: &Barriers,
    notes: &mut Vec<Note>,
) {
    let key = |p: Point| ((p[0] * SAME_PLACE).round() as i64, (p[1] * SAME_PLACE).round() as i64);
    let row = |one: &Placed| input.dwellings[one.dwelling].row;
    // Of each place taken: whose it is, and how many steps around it were tried.
    let mut taken: BTreeMap<(i64, i64), (usize, u32)> = BTreeMap::new();
    for member in members {
        let one = &mut placed[*member];
        let at = one.sites[0];
        if let Some((other, tried)) = taken.get(&key(at)).copied() {
            notes.push(Note {
                layer: Layer::Dwellings,
                row: row(one),
                trouble: Trouble::SamePlace { other },
            });
            let mut step = tried;
            let free = loop {
                step += 1;
                let (far, angle) = (0.25 * f64::from(step).sqrt(), 2.399_963 * f64::from(step));
                let next = [at[0] + far * angle.cos(), at[1] + far * angle.sin()];
                let fits = step > tried + 64 || (inside.holds(next) && !barriers.crossed_by(at, next));
                if fits && !taken.contains_key(&key(next)) {
                    break next;
                }
            };
            taken.insert(key(at), (other, step));
            if one.foot == at {
                one.foot = free;
            }
            one.sites[0] = free;
        }
        taken.insert(key(one.sites[0]), (row(one), 0));
    }
    let mut seen: BTreeSet<(i64, i64)> = taken.into_keys().collect();
    for member in members {
        let mut first = true;
        placed[*member]
            .sites
            .retain(|p| std::mem::take(&mut first) || seen.insert(key(*p)));
    }
}

/// The units and edges of one community.
fn community(
    placed: &[Placed],
    members: &[usize],
    polygons: &[Polygon],
    inside: &Inside,
    barriers: &Barriers,
    units: &mut [Unit],
    ground: &mut Ground,
) {
    let (mut sites, mut owner) = (Vec::new(), Vec::new());
    for (at, member) in members.iter().enumerate() {
        sites.extend_from_slice(&placed[*member].sites);
        owner.resize(sites.len(), at as u32);
    }
    // Near an origin of their own, so that digits are not spent on the way to the town.
    let origin = sites[0];
    let moved = |p: &Point| plane::sub(*p, origin);
    let mesh = Mesh::new(sites.iter().map(moved).collect());
    let local: Vec<Polygon> = polygons
        .iter()
        .map(|rings| rings.iter().map(|ring| ring.iter().map(moved).collect()).collect())
        .collect();
    let Cells {
        area,
        external,
        borders,
        rims,
    } = cells::cut(&mesh, &owner, members.len(), &local, !ground.cells.is_empty());
    if !ground.cells.is_empty() {
        for (member, cell) in members.iter().zip(rims::joined(rims, members.len())) {
            let back = |p: &Point| [p[0] + origin[0], p[1] + origin[1]];
            let ring = |ring: &plane::Ring| ring.iter().map(back).collect();
            ground.cells[*member] = cell.iter().map(|polygon| polygon.iter().map(ring).collect()).collect();
        }
    }
    for (at, member) in members.iter().enumerate() {
        units[*member].area = area[at].max(0.0);
        units[*member].external = external[at];
    }
    // A way between two dwellings leads from foot to site, to the other's site, to its foot.
    let mut stands = Vec::with_capacity(sites.len());
    for member in members {
        let one = &placed[*member];
        let site = |p: &Point| (!barriers.crossed_by(one.foot, *p)).then_some(*p);
        stands.push(Some(one.foot));
        stands.extend(one.sites[1..].iter().map(site));
    }
    let open = |a: u32, b: u32| {
        let ends = stands[a as usize].zip(stands[b as usize]);
        ends.is_some_and(|(a, b)| !barriers.crossed_by(a, b))
    };
    let mut pairs: Vec<(u32, u32, f64, bool)> = borders
        .into_iter()
        .map(|(a, b, metres)| (owner[a as usize], owner[b as usize], metres, open(a, b)))
        .collect();
    pairs.sort_by_key(|pair| (pair.0, pair.1));
    let mut merged: Vec<(u32, u32, f64, bool)> = Vec::new();
    for pair in pairs {
        match merged.last_mut() {
            Some(last) if (last.0, last.1) == (pair.0, pair.1) => {
                last.2 += pair.2;
                last.3 |= pair.3;
            }
            _ => merged.push(pair),
        }
    }
    let mut sets = Sets::new(members.len());
    let strong = |pair: &&(u32, u32, f64, bool)| pair.2 >= LEAST_SHARED;
    merged.iter().filter(strong).filter(|pair| pair.3).for_each(|pair| {
        sets.join(pair.0 as usize, pair.1 as usize);
    });
    merged.retain(|pair| strong(&pair) || (pair.3 && sets.join(pair.0 as usize, pair.1 as usize)));
    let mut edges: Vec<Edge> = merged
        .iter()
        .map(|(u, v, shared, open)| Edge {
            u: members[*u as usize],
            v: members[*v as usize],
            shared: *shared,
            w: 0.0,
            barrier: !open,
        })
        .collect();
    if (1..members.len()).any(|at| !sets.same(0, at)) {
        let feet: Vec<Point> = members.iter().map(|member| placed[*member].foot).collect();
        for (a, b) in around::ways(&feet, polygons, inside, barriers, &mut sets) {
            ground.rounded += 1;
            open_way(&mut edges, members[a], members[b]);
        }
    }
    ground.edges.append(&mut edges);
}

/// Makes a pair walkable: the edge there is, or one without a border.
fn open_way(edges: &mut Vec<Edge>, a: usize, b: usize) {
    let (u, v) = (a.min(b), a.max(b));
    match edges.iter_mut().find(|edge| (edge.u, edge.v) == (u, v)) {
        Some(edge) => edge.barrier = false,
        None => edges.push(Edge::without_border(u, v)),
    }
}

/// Which things hang together.
struct Sets(Vec<u32>);

impl Sets {
    pub fn new(count: usize) -> Sets {
        Sets((0..count as u32).collect())
    }

    pub fn root(&mut self, of: usize) -> usize {
        let mut at = of;
        while self.0[at] as usize != at {
            self.0[at] = self.0[self.0[at] as usize];
            at = self.0[at] as usize;
        }
        at
    }

    /// Whether they did not hang together before.
    pub fn join(&mut self, a: usize, b: usize) -> bool {
        let (a, b) = (self.root(a), self.root(b));
        self.0[a.max(b)] = a.min(b) as u32;
        a != b
    }

    pub fn same(&mut self, a: usize, b: usize) -> bool {
        self.root(a) == self.root(b)
    }
}
