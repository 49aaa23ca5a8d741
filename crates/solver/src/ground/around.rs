//! The way along the bank: joins dwellings that stand on the same side of every barrier although no straight way shows it.
//!
//! A mesh of the dwellings and of points on both sides of every barrier; its ways that cross nothing reach everything on one side. Dwellings
//! whose ways meet first are joined, shortest way first, until what hangs together in the mesh hangs together in the graph.

use super::cells::Mesh;
use super::plane::{Inside, Point, Polygon, Segments, along, bounds, distance, sides, sub};
use super::{Barriers, Sets};
use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

/// Metres between the points along a barrier, and of each to the barrier.
const STEP: f64 = 8.0;
const BESIDE: f64 = 0.5;
/// Points along the barriers of one community at most; beyond, they stand further apart.
const MAX_POINTS: f64 = 400_000.0;

/// Pairs of dwellings (by their place in `feet`) to be joined; `sets` says what hangs together before, and after.
pub(super) fn ways(
    feet: &[Point],
    polygons: &[Polygon],
    inside: &Inside,
    barriers: &Barriers,
    sets: &mut Sets,
) -> Vec<(usize, usize)> {
    let border = polygons
        .iter()
        .flatten()
        .flat_map(|ring| sides(ring))
        .map(|(a, b)| (a, b, ()));
    let border = Segments::new(border.collect(), 40.0);
    let (points, begins) = points(feet, polygons, inside, barriers);
    let origin = feet[0];
    let mesh = Mesh::new(points.iter().map(|p| sub(*p, origin)).collect());
    let free: Vec<bool> = mesh
        .edges
        .iter()
        .map(|edge| {
            let [a, b] = edge.ends.map(|end| points[end as usize]);
            !barriers.crossed_by(a, b) && !border.crossed_by(a, b)
        })
        .collect();
    let reached = reach(&mesh, &free, &begins);
    let mut meetings: Vec<(f64, u32, u32)> = Vec::new();
    for (edge, free) in mesh.edges.iter().zip(&free) {
        let [a, b] = edge.ends;
        let (Some((far_a, from_a)), Some((far_b, from_b))) = (reached[a as usize], reached[b as usize]) else {
            continue;
        };
        if *free && from_a != from_b {
            let length = far_a + far_b + distance(points[a as usize], points[b as usize]);
            meetings.push((length, from_a.min(from_b), from_a.max(from_b)));
        }
    }
    meetings.sort_by(|x, y| x.0.total_cmp(&y.0).then(x.1.cmp(&y.1)).then(x.2.cmp(&y.2)));
    let pairs = meetings.into_iter().map(|(_, a, b)| (a as usize, b as usize));
    pairs.filter(|(a, b)| sets.join(*a, *b)).collect()
}

/// The feet and the points beside the barriers, all different; and which point each foot is.
fn points(feet: &[Point], polygons: &[Polygon], inside: &Inside, barriers: &Barriers) -> (Vec<Point>, Vec<u32>) {
    let key = |p: Point| ((p[0] * 1000.0).round() as i64, (p[1] * 1000.0).round() as i64);
    let mut places = std::collections::BTreeMap::new();
    let (mut points, mut begins) = (Vec::new(), Vec::new());
    for foot in feet {
        let at = *places.entry(key(*foot)).or_insert_with(|| {
            points.push(*foot);
            points.len() as u32 - 1
        });
        begins.push(at);
    }
    let [w, s, e, n] = bounds(polygons.iter().flatten().flatten()).unwrap_or([0.0; 4]);
    let here =
        |a: Point, b: Point| a[0].max(b[0]) >= w && a[0].min(b[0]) <= e && a[1].max(b[1]) >= s && a[1].min(b[1]) <= n;
    let near: Vec<(Point, Point)> = barriers
        .all
        .iter()
        .map(|(a, b, _)| (*a, *b))
        .filter(|(a, b)| here(*a, *b))
        .collect();
    let length: f64 = near.iter().map(|(a, b)| distance(*a, *b)).sum();
    let step = STEP.max(2.0 * length / MAX_POINTS);
    let mut seen: BTreeSet<(i64, i64)> = places.into_keys().collect();
    for (a, b) in near {
        let long = distance(a, b);
        let count = (long / step).ceil().max(1.0);
        let side = [-(b[1] - a[1]) / long * BESIDE, (b[0] - a[0]) / long * BESIDE];
        for k in 0..=count as usize {
            // The first and last a little beyond the ends, so that the way leads round a corner and not through it.
            let on = along(a, b, k as f64 / count * (1.0 + 2.0 * BESIDE / long) - BESIDE / long);
            for p in [[on[0] + side[0], on[1] + side[1]], [on[0] - side[0], on[1] - side[1]]] {
                if inside.holds(p) && seen.insert(key(p)) {
                    points.push(p);
                }
            }
        }
    }
    (points, begins)
}

/// For every point of the mesh the dwelling nearest on foot, and how far it is.
fn reach(mesh: &Mesh, free: &[bool], begins: &[u32]) -> Vec<Option<(f64, u32)>> {
    let mut reached: Vec<Option<(f64, u32)>> = vec![None; mesh.sites.len()];
    // Positive numbers sort like their bits.
    let mut queue: BinaryHeap<Reverse<(u64, u32, u32)>> = BinaryHeap::new();
    for (dwelling, at) in begins.iter().enumerate() {
        queue.push(Reverse((0, dwelling as u32, *at)));
    }
    while let Some(Reverse((far, dwelling, at))) = queue.pop() {
        if reached[at as usize].is_some() {
            continue;
        }
        let far = f64::from_bits(far);
        reached[at as usize] = Some((far, dwelling));
        for (edge, next) in mesh.around(at) {
            if free[edge as usize] && reached[next as usize].is_none() {
                let step = distance(mesh.sites[at as usize], mesh.sites[next as usize]);
                queue.push(Reverse(((far + step).to_bits(), dwelling, next)));
            }
        }
    }
    reached
}
