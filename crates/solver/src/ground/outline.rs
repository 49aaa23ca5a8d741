//! Outlines as they come: mended, and turned into the few points that stand for a building.

use super::plane::{
    Inside, Point, Polygon, Ring, Segments, area, bounds, crosses, distance, dot, meeting, perimeter, sides,
    signed_area, sub,
};

/// A ring may cross itself this often before it is given up as noise.
const MAX_SPLITS: usize = 200;
/// Outlines smaller than this, in square metres, have no inside to speak of.
const LEAST_AREA: f64 = 0.5;
/// Points that stand for one building at most.
const MAX_SITES: f64 = 48.0;

/// What mending an outline came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mended {
    /// Nothing but repeated points was dropped.
    Sound,
    /// It crossed itself and was taken apart at the crossings.
    Uncrossed,
}

/// Polygons without repeated points, without crossings, without loops and holes that have no area. `None` when nothing is left, or when it
/// crosses itself more often than a slip of the pen does.
pub(super) fn mend(polygons: &[Polygon]) -> Option<(Vec<Polygon>, Mended)> {
    let mut mended = Mended::Sound;
    let mut found: Vec<Polygon> = Vec::new();
    for polygon in polygons {
        let mut rings = polygon.iter();
        let Some(outer) = rings.next() else { continue };
        let loops = uncross(outer, &mut mended)?;
        let from = found.len();
        found.extend(loops.into_iter().map(|ring| vec![ring]));
        for hole in rings {
            for hole in uncross(hole, &mut mended)? {
                let start = hole[0];
                let around = |part: &&mut Polygon| Inside::new(std::slice::from_ref(*part)).holds(start);
                let parts = &mut found[from..];
                // A hole that begins on the outer ring itself belongs to the first.
                match parts.iter_mut().position(|part| around(&part)) {
                    Some(at) => parts[at].push(hole),
                    None => parts.first_mut()?.push(hole),
                }
            }
        }
    }
    (!found.is_empty()).then_some((found, mended))
}

/// The loops of a ring that crosses itself, largest first; a loop inside another is dropped.
fn uncross(ring: &[Point], mended: &mut Mended) -> Option<Vec<Ring>> {
    let mut open: Vec<Ring> = vec![simplified(ring)];
    let (mut done, mut splits) = (Vec::new(), 0);
    while let Some(ring) = open.pop() {
        let Some((i, j, at)) = first_crossing(&ring) else {
            done.push(ring);
            continue;
        };
        splits += 1;
        if splits > MAX_SPLITS {
            return None;
        }
        let mut outer = ring[..=i].to_vec();
        outer.push(at);
        outer.extend_from_slice(&ring[j + 1..]);
        let mut inner = vec![at];
        inner.extend_from_slice(&ring[i + 1..=j]);
        open.extend([simplified(&outer), simplified(&inner)]);
    }
    let size = |ring: &Ring| signed_area(ring).abs();
    let largest = done.iter().map(size).fold(0.0, f64::max);
    done.retain(|ring| size(ring) >= LEAST_AREA.max(largest / 1000.0));
    if splits > 0 {
        *mended = Mended::Uncrossed;
        done.sort_by(|a, b| size(b).total_cmp(&size(a)));
        let mut kept: Vec<Ring> = Vec::new();
        for ring in done {
            let middle = inner_point(&[vec![ring.clone()]]);
            if !kept
                .iter()
                .any(|outer| Inside::new(&[vec![outer.clone()]]).holds(middle))
            {
                kept.push(ring);
            }
        }
        return Some(kept);
    }
    Some(done)
}

fn simplified(ring: &[Point]) -> Ring {
    let mut ring = ring.to_vec();
    ring.dedup();
    while ring.len() > 1 && ring.first() == ring.last() {
        ring.pop();
    }
    ring
}

/// Two sides that cross and do not follow each other: the numbers of the points they begin at, and where.
fn first_crossing(ring: &[Point]) -> Option<(usize, usize, Point)> {
    let n = ring.len();
    let apart = |i: usize, j: usize| i + 1 < j && !(i == 0 && j == n - 1);
    let end = |i: usize| ring[(i + 1) % n];
    let place = |i: usize, j: usize| {
        let t = meeting(ring[i], end(i), ring[j], end(j));
        super::plane::along(ring[i], end(i), t)
    };
    if n <= 48 {
        let pairs = (0..n).flat_map(|i| (i + 2..n).map(move |j| (i, j)));
        let mut crossing = pairs.filter(|(i, j)| apart(*i, *j) && crosses(ring[*i], end(*i), ring[*j], end(*j)));
        return crossing.next().map(|(i, j)| (i, j, place(i, j)));
    }
    let wide = perimeter(&[vec![ring.to_vec()]]) / n as f64 * 2.0;
    let index = Segments::new((0..n).map(|i| (ring[i], end(i), ())).collect(), wide.max(0.1));
    (0..n).find_map(|i| {
        let met = index.crossings(ring[i], end(i));
        let j = met.into_iter().map(|(_, j)| j).filter(|j| apart(i, *j)).min()?;
        Some((i, j, place(i, j)))
    })
}

/// A point well inside: the middle of the widest stretch on one of three lines from west to east through the largest polygon.
fn inner_point(polygons: &[Polygon]) -> Point {
    let size = |polygon: &&Polygon| area(std::slice::from_ref(*polygon));
    let Some(largest) = polygons.iter().max_by(|a, b| size(a).total_cmp(&size(b))) else {
        return [0.0; 2];
    };
    let [_, south, _, north] = bounds(largest.iter().flatten()).unwrap_or([0.0; 4]);
    let mut best = (
        f64::NEG_INFINITY,
        largest
            .first()
            .and_then(|ring| ring.first())
            .copied()
            .unwrap_or_default(),
    );
    for share in [0.5, 0.27, 0.73] {
        let y = south + (north - south) * share;
        let all = largest.iter().flat_map(|ring| sides(ring));
        let mut xs: Vec<f64> = all
            .filter(|(a, b)| (a[1] > y) != (b[1] > y))
            .map(|(a, b)| a[0] + (b[0] - a[0]) * (y - a[1]) / (b[1] - a[1]))
            .collect();
        xs.sort_by(f64::total_cmp);
        for pair in xs.chunks_exact(2) {
            if pair[1] - pair[0] > best.0 * 1.01 {
                best = (pair[1] - pair[0], [(pair[0] + pair[1]) / 2.0, y]);
            }
        }
    }
    best.1
}

/// The points that stand for a building in the Voronoi diagram, the one nearest its middle first.
///
/// A lattice inside the outline, along its longest side, as fine as the building is narrow: one point for a house, a row of them for a slab, a
/// net for a mall. Points *on* the outline would be needed far more densely, and those of two row houses that share a wall would lie on one
/// line by turns, so that the cells interleave; points inside keep half a house's depth from the wall, which then falls between them.
pub(super) fn sites(parts: &[Polygon]) -> Vec<Point> {
    let mut found = Vec::new();
    let most = (MAX_SITES / parts.len().max(1) as f64).max(1.0);
    for part in parts {
        lattice(part, most, &mut found);
    }
    if found.is_empty() {
        return found;
    }
    let n = found.len() as f64;
    let middle = [
        found.iter().map(|p| p[0]).sum::<f64>() / n,
        found.iter().map(|p| p[1]).sum::<f64>() / n,
    ];
    let far = |at: &usize| distance(found[*at], middle);
    if let Some(nearest) = (0..found.len()).min_by(|a, b| far(a).total_cmp(&far(b))) {
        found.swap(0, nearest);
    }
    found
}

fn lattice(part: &Polygon, most: f64, found: &mut Vec<Point>) {
    let one = std::slice::from_ref(part);
    let longest = part
        .first()
        .and_then(|ring| sides(ring).max_by(|a, b| distance(a.0, a.1).total_cmp(&distance(b.0, b.1))));
    let Some((from, to)) = longest else { return };
    let way = sub(to, from);
    let length = distance(from, to);
    let (u, v) = ([way[0] / length, way[1] / length], [-way[1] / length, way[0] / length]);
    let turned: Vec<Point> = part[0].iter().map(|p| [dot(*p, u), dot(*p, v)]).collect();
    let [w, s, e, n] = bounds(turned.iter()).unwrap_or([0.0; 4]);
    let (long, wide) = (e - w, n - s);
    let size = area(one);
    // A block: as many squares as fit. Anything bent: finer, so that some fall into each arm.
    let step = if size > 0.8 * long * wide {
        wide.min(long).clamp(3.0, 15.0)
    } else {
        (2.0 * size / perimeter(one)).clamp(2.0, 12.0)
    };
    let step = step.max((long * wide / most).sqrt());
    let count = |side: f64| (side / step).round().max(1.0);
    let (columns, rows) = (count(long), count(wide));
    let inside = Inside::new(one);
    let before = found.len();
    for row in 0..rows as usize {
        for column in 0..columns as usize {
            let x = w + (column as f64 + 0.5) * long / columns;
            let y = s + (row as f64 + 0.5) * wide / rows;
            let p = [x * u[0] + y * v[0], x * u[1] + y * v[1]];
            if inside.holds(p) {
                found.push(p);
            }
        }
    }
    if found.len() == before {
        found.push(inner_point(one));
    }
}

/// The corners of the smallest convex ring around points, anticlockwise, after widening each point to an octagon of radius `wider`.
pub(super) fn hull(points: impl Iterator<Item = Point>, wider: f64) -> Ring {
    let around = |p: Point| {
        (0..8).map(move |k| {
            let angle = std::f64::consts::FRAC_PI_4 * f64::from(k);
            [p[0] + wider * angle.cos(), p[1] + wider * angle.sin()]
        })
    };
    convex(convex(points.collect()).into_iter().flat_map(around).collect())
}

fn convex(mut points: Vec<Point>) -> Ring {
    points.sort_by(|a, b| a[0].total_cmp(&b[0]).then(a[1].total_cmp(&b[1])));
    points.dedup();
    if points.len() < 3 {
        return points;
    }
    let half = |points: &mut dyn Iterator<Item = &Point>| {
        let mut chain: Ring = Vec::new();
        for p in points {
            while let [.., a, b] = chain[..]
                && super::plane::cross(sub(b, a), sub(*p, b)) <= 0.0
            {
                chain.pop();
            }
            chain.push(*p);
        }
        chain.pop();
        chain
    };
    let mut ring = half(&mut points.iter());
    ring.extend(half(&mut points.iter().rev()));
    ring
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rectangle(w: f64, s: f64, long: f64, wide: f64) -> Polygon {
        vec![vec![[w, s], [w + long, s], [w + long, s + wide], [w, s + wide], [w, s]]]
    }

    #[test]
    fn a_house_is_a_point_a_slab_a_row_a_bent_block_has_points_in_each_arm() {
        assert_eq!(sites(&[rectangle(0.0, 0.0, 10.0, 9.0)]).len(), 1);
        let slab = sites(&[rectangle(0.0, 0.0, 60.0, 12.0)]);
        assert_eq!(slab.len(), 5);
        assert_eq!(slab[0], [30.0, 6.0]);
        let bent = vec![vec![
            [0.0, 0.0],
            [60.0, 0.0],
            [60.0, 10.0],
            [10.0, 10.0],
            [10.0, 60.0],
            [0.0, 60.0],
        ]];
        let found = sites(&[bent]);
        assert!(found.iter().any(|p| p[0] > 50.0) && found.iter().any(|p| p[1] > 50.0));
        assert!(found.iter().all(|p| p[0] < 10.0 || p[1] < 10.0));
        assert!(sites(&[rectangle(0.0, 0.0, 900.0, 900.0)]).len() <= MAX_SITES as usize + 4);
    }

    #[test]
    fn a_bow_tie_comes_apart_and_a_curl_is_dropped() {
        let bow = vec![vec![[0.0, 0.0], [10.0, 10.0], [10.0, 0.0], [0.0, 10.0]]];
        let (parts, mended) = mend(&[bow]).unwrap();
        assert_eq!((parts.len(), mended), (2, Mended::Uncrossed));
        assert!((area(&parts) - 50.0).abs() < 1e-9);
        let curl = vec![vec![
            [0.0, 0.0],
            [60.0, 0.0],
            [60.0, 5.0],
            [50.0, 5.0],
            [50.0, -5.0],
            [70.0, -5.0],
            [70.0, 60.0],
            [0.0, 60.0],
        ]];
        let (parts, mended) = mend(&[curl]).unwrap();
        assert_eq!(mended, Mended::Uncrossed);
        assert!(area(&parts) > 4000.0);
        assert_eq!(mend(&[rectangle(0.0, 0.0, 4.0, 0.0)]), None);
        assert_eq!(mend(&[vec![]]), None);
        assert_eq!(mend(&[rectangle(0.0, 0.0, 4.0, 4.0)]).unwrap().1, Mended::Sound);
    }

    #[test]
    fn a_hull_goes_round_everything_with_room() {
        let ring = hull([[0.0, 0.0], [10.0, 0.0], [5.0, 5.0], [5.0, 1.0]].into_iter(), 50.0);
        let inside = Inside::new(&[vec![ring.clone()]]);
        assert!(inside.holds([-40.0, 0.0]) && inside.holds([5.0, 1.0]) && !inside.holds([0.0, -51.0]));
        assert!(signed_area(&ring) > 0.0);
        assert!(hull([[3.0, 3.0]].into_iter(), 50.0).len() == 8);
    }
}
