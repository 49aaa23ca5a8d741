//! From stretches of rims to polygons: corners that are the same place are made one, stretches joined end to end.

use super::plane::{Inside, Point, Polygon, Ring, cross, signed_area, sub};
use std::collections::HashMap;

/// Corners this near, in metres, are one.
const SAME: f64 = 0.01;

/// The polygons of every owner, from its directed stretches (the inside to the left).
pub(super) fn joined(rims: Vec<(u32, Point, Point)>, owners: usize) -> Vec<Vec<Polygon>> {
    let mut corners = Corners::default();
    let mut of: Vec<Vec<(u32, u32)>> = vec![Vec::new(); owners];
    for (owner, from, to) in rims {
        let (from, to) = (corners.of(from), corners.of(to));
        if from != to {
            of[owner as usize].push((from, to));
        }
    }
    of.into_iter()
        .map(|stretches| {
            let rings = traced(&stretches, |at| corners.places[at as usize]);
            nested(
                rings
                    .into_iter()
                    .map(|ring| ring.iter().map(|at| corners.places[*at as usize]).collect()),
            )
        })
        .collect()
}

/// Rings made of directed stretches between numbered corners, each closed by going back to its first corner (which is not said again). Stretches
/// there and back cancel. Where several ways go on, the one most to the left is taken, so that rings touch and do not cross.
pub fn traced<K: Copy + Ord + std::hash::Hash>(stretches: &[(K, K)], place: impl Fn(K) -> Point) -> Vec<Vec<K>> {
    let mut left: HashMap<(K, K), i32> = HashMap::with_capacity(stretches.len());
    for &(from, to) in stretches {
        match left.get_mut(&(to, from)) {
            Some(back) if *back > 0 => *back -= 1,
            _ => *left.entry((from, to)).or_default() += 1,
        }
    }
    let mut next: HashMap<K, Vec<K>> = HashMap::new();
    let mut order: Vec<(K, K)> = Vec::new();
    for ((from, to), times) in left {
        order.extend((0..times).map(|_| (from, to)));
    }
    order.sort_unstable();
    for (from, to) in &order {
        next.entry(*from).or_default().push(*to);
    }
    let mut rings = Vec::new();
    for (start, first) in order {
        if !take(&mut next, start, first) {
            continue;
        }
        let (mut ring, mut before, mut at) = (vec![start], start, first);
        while at != start {
            ring.push(at);
            let Some(ways) = next.get(&at).filter(|ways| !ways.is_empty()) else {
                break;
            };
            let came = sub(place(at), place(before));
            let turn = |to: &K| {
                let goes = sub(place(*to), place(at));
                cross(came, goes).atan2(came[0] * goes[0] + came[1] * goes[1])
            };
            let Some(on) = ways.iter().copied().max_by(|a, b| turn(a).total_cmp(&turn(b))) else {
                break;
            };
            take(&mut next, at, on);
            (before, at) = (at, on);
        }
        if at == start && ring.len() > 2 {
            rings.push(ring);
        }
    }
    rings
}

fn take<K: Copy + Ord + std::hash::Hash>(next: &mut HashMap<K, Vec<K>>, from: K, to: K) -> bool {
    let Some(ways) = next.get_mut(&from) else { return false };
    let Some(at) = ways.iter().position(|way| *way == to) else {
        return false;
    };
    ways.swap_remove(at);
    true
}

/// Rings put into polygons: a ring that goes round clockwise is a hole of the smallest one around it.
pub fn nested(rings: impl Iterator<Item = Ring>) -> Vec<Polygon> {
    let (mut outer, mut holes): (Vec<Polygon>, Vec<Ring>) = (Vec::new(), Vec::new());
    for ring in rings {
        match signed_area(&ring) {
            area if area > 0.0 => outer.push(vec![ring]),
            area if area < 0.0 => holes.push(ring),
            _ => {}
        }
    }
    outer.sort_by(|a, b| signed_area(&a[0]).total_cmp(&signed_area(&b[0])));
    for hole in holes {
        let around = outer.iter_mut().find(|polygon| {
            let inside = Inside::new(&[vec![polygon[0].clone()]]);
            signed_area(&polygon[0]) > -signed_area(&hole) && hole.iter().any(|p| inside.holds(*p))
        });
        if let Some(polygon) = around {
            polygon.push(hole);
        }
    }
    outer
}

/// Places with a number each; what lies within [`SAME`] of a place is that place.
#[derive(Default)]
struct Corners {
    places: Vec<Point>,
    by_square: HashMap<(i64, i64), Vec<u32>>,
}

impl Corners {
    fn of(&mut self, p: Point) -> u32 {
        let square = |value: f64| (value / SAME).floor() as i64;
        let (x, y) = (square(p[0]), square(p[1]));
        for i in x - 1..=x + 1 {
            for j in y - 1..=y + 1 {
                for at in self.by_square.get(&(i, j)).into_iter().flatten() {
                    let [dx, dy] = sub(self.places[*at as usize], p);
                    if dx.hypot(dy) <= SAME {
                        return *at;
                    }
                }
            }
        }
        let number = self.places.len() as u32;
        self.places.push(p);
        self.by_square.entry((x, y)).or_default().push(number);
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ground::{Dwelling, Input, area, build};

    #[test]
    fn the_cells_of_all_dwellings_are_the_whole_ground_once() {
        let at = |i: usize| [(i * 37 % 101) as f64, (i * 53 % 97) as f64];
        let ring = vec![
            [-10.0, -10.0],
            [60.0, -10.0],
            [60.0, 50.0],
            [110.0, 50.0],
            [110.0, 110.0],
            [-10.0, 110.0],
            [-10.0, -10.0],
        ];
        let hole = vec![[20.0, 60.0], [40.0, 60.0], [40.0, 80.0], [20.0, 80.0], [20.0, 60.0]];
        let input = Input {
            dwellings: (0..60)
                .map(|i| Dwelling {
                    row: i,
                    at: Some(at(i)),
                    ..Dwelling::default()
                })
                .collect(),
            communities: vec![crate::ground::Area {
                row: 1,
                polygons: vec![vec![ring, hole]],
            }],
            cells: true,
            ..Input::default()
        };
        let ground = build(&input).expect("a graph");
        let whole: f64 = ground.cells.iter().map(|cell| area(cell)).sum();
        let units: f64 = ground.units.iter().map(|unit| unit.area).sum();
        assert!((whole - units).abs() < 1.0, "{whole} {units}");
        for (unit, cell) in ground.units.iter().zip(&ground.cells) {
            assert!((unit.area - area(cell)).abs() < 0.5, "{unit:?}");
        }
        // All of them together: their common borders cancel, the rim and the hole are left.
        let key = |p: &Point| ((p[0] * 1e4).round() as i64, (p[1] * 1e4).round() as i64);
        let stretches: Vec<_> = ground
            .cells
            .iter()
            .flatten()
            .flatten()
            .flat_map(|ring| (0..ring.len()).map(move |i| (key(&ring[i]), key(&ring[(i + 1) % ring.len()]))))
            .filter(|(a, b)| a != b)
            .collect();
        let rings = traced(&stretches, |(x, y)| [x as f64, y as f64]);
        assert_eq!(rings.len(), 2);
    }
}
