//! The ground of the fictional place: an island cut into cells whose shared edges are the same line, so that nothing overlaps and
//! nothing is left out. Larger areas are unions of cells, traced along the edges that only one of their cells has.

use super::lot::Lot;
use domain::geo::{LonLat, Region, Side};
use std::collections::BTreeMap;

/// Cells from west to east and from south to north.
pub const COLUMNS: usize = 12;
pub const ROWS: usize = 8;

type Corner = (usize, usize);

/// The island.
#[derive(Debug, Clone)]
pub struct Island {
    seed: u64,
    center: LonLat,
    /// Half its extent in degrees.
    half: (f64, f64),
}

impl Island {
    pub fn new(seed: u64, center: LonLat) -> Island {
        Island {
            seed,
            center,
            half: (0.085, 0.052),
        }
    }

    /// A corner of cells: the square lattice bent into a rounded island, each corner moved a little.
    fn corner(&self, (i, j): Corner) -> LonLat {
        let (u, v) = (
            2.0 * i as f64 / COLUMNS as f64 - 1.0,
            2.0 * j as f64 / ROWS as f64 - 1.0,
        );
        let (x, y) = (u * (1.0 - v * v / 2.2).sqrt(), v * (1.0 - u * u / 2.2).sqrt());
        let coast = i == 0 || j == 0 || i == COLUMNS || j == ROWS;
        let reach = if coast { 0.26 } else { 0.2 };
        let mut lot = Lot::of(self.seed, &format!("corner {i} {j}"));
        let (dx, dy) = (
            lot.swing() * reach * 2.0 / COLUMNS as f64,
            lot.swing() * reach * 2.0 / ROWS as f64,
        );
        LonLat {
            lon: self.center.lon + (x + dx) * self.half.0,
            lat: self.center.lat + (y + dy) * self.half.1,
        }
    }

    /// The line from one corner to the next, without its last point; the same points in either direction.
    fn edge(&self, from: Corner, to: Corner) -> Vec<LonLat> {
        let (low, high) = if from < to { (from, to) } else { (to, from) };
        let coast =
            (low.0 == high.0 && (low.0 == 0 || low.0 == COLUMNS)) || (low.1 == high.1 && (low.1 == 0 || low.1 == ROWS));
        let (steps, reach) = if coast { (8, 0.16) } else { (4, 0.06) };
        let (a, b) = (self.corner(low), self.corner(high));
        let (dx, dy) = (b.lon - a.lon, b.lat - a.lat);
        let mut lot = Lot::of(self.seed, &format!("edge {low:?} {high:?}"));
        let mut line = vec![a];
        for step in 1..steps {
            let t = f64::from(step) / f64::from(steps);
            let side = lot.swing() * reach * (std::f64::consts::PI * t).sin();
            line.push(LonLat {
                lon: a.lon + dx * t - dy * side,
                lat: a.lat + dy * t + dx * side,
            });
        }
        line.push(b);
        if from > to {
            line.reverse();
        }
        line.pop();
        line
    }

    /// The outline of a set of neighbouring cells, anticlockwise.
    pub fn outline(&self, cells: &[(usize, usize)]) -> Region {
        let mut next: BTreeMap<Corner, Vec<Corner>> = BTreeMap::new();
        let mut sides: BTreeMap<(Corner, Corner), ()> = BTreeMap::new();
        for &(i, j) in cells {
            let around = [(i, j), (i + 1, j), (i + 1, j + 1), (i, j + 1)];
            for at in 0..around.len() {
                sides.insert((around[at], around[(at + 1) % around.len()]), ());
            }
        }
        for (from, to) in sides.keys().filter(|(from, to)| !sides.contains_key(&(*to, *from))) {
            next.entry(*from).or_default().push(*to);
        }
        let mut polygons = Vec::new();
        while let Some(start) = next.keys().next().copied() {
            let mut ring = Vec::new();
            let mut at = start;
            while let Some(onward) = next.get_mut(&at).and_then(Vec::pop) {
                if next.get(&at).is_some_and(Vec::is_empty) {
                    next.remove(&at);
                }
                ring.extend(self.edge(at, onward));
                at = onward;
            }
            if let Some(first) = ring.first().copied() {
                ring.push(first);
            }
            polygons.push(vec![ring]);
        }
        Region { polygons }
    }

    /// A point inside a cell: drawn from its box until it lies inside.
    pub fn point_in(&self, cell: (usize, usize), lot: &mut Lot) -> LonLat {
        const DRAWS: usize = 100;
        let ground = self.outline(&[cell]);
        let [west, south, east, north] = ground.bounds().unwrap_or_default();
        let draw = |_| LonLat {
            lon: west + (lot.swing() + 1.0) / 2.0 * (east - west),
            lat: south + (lot.swing() + 1.0) / 2.0 * (north - south),
        };
        let found = (0..DRAWS).map(draw).find(|at| ground.side(*at) == Side::Inside);
        found.or_else(|| ground.center()).unwrap_or(self.center)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_cover_the_island_without_overlap() {
        let island = Island::new(7, LonLat { lon: 122.9, lat: 29.9 });
        let all: Vec<(usize, usize)> = (0..COLUMNS).flat_map(|i| (0..ROWS).map(move |j| (i, j))).collect();
        let whole = island.outline(&all);
        assert_eq!(whole.polygons.len(), 1);
        let cells: Vec<Region> = all.iter().map(|cell| island.outline(&[*cell])).collect();
        let [west, south, east, north] = whole.bounds().expect("it has points");
        let mut lot = Lot::of(7, "points");
        for _ in 0..2_000 {
            let at = LonLat {
                lon: west + (lot.swing() + 1.0) / 2.0 * (east - west),
                lat: south + (lot.swing() + 1.0) / 2.0 * (north - south),
            };
            let inside = cells.iter().filter(|cell| cell.side(at) == Side::Inside).count();
            let expected = usize::from(whole.side(at) == Side::Inside);
            assert_eq!(inside, expected, "{at:?}");
        }
    }

    #[test]
    fn a_point_of_a_cell_lies_in_it() {
        let island = Island::new(7, LonLat { lon: 122.9, lat: 29.9 });
        let mut lot = Lot::of(7, "inside");
        for i in 0..COLUMNS {
            for j in 0..ROWS {
                assert_eq!(
                    island.outline(&[(i, j)]).side(island.point_in((i, j), &mut lot)),
                    Side::Inside,
                    "{i} {j}"
                );
            }
        }
    }
}
