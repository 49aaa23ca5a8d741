//! Joins what lies close together and belongs together, so that the first cuts are drawn between streets and compounds, not through them.

use super::band::{Limits, MAX_BANDS};
use super::graph::{Graph, Link, Mass};
use super::tree::find;

/// A smaller graph and, of each old unit, its new one.
pub(crate) struct Coarse {
    pub graph: Graph,
    pub of: Vec<u32>,
}

/// Joins units up to `1 / parts` of a grid in load, area and spread.
pub(crate) fn coarsen(graph: &Graph, limits: &Limits, parts: f64) -> Coarse {
    let total = graph.total();
    let k = limits.grids(&total.loads).k as f64;
    let n = graph.len();
    let most: Vec<i64> = (0..MAX_BANDS).map(|b| (limits.lo[b] as f64 / parts) as i64).collect();
    let area = total.area / k / parts;
    let spread = 2.5 * total.inertia() / total.area / k / parts;
    let mut order: Vec<(u32, u32, u32)> = vec![];
    for u in 0..n as u32 {
        for near in graph.near(u) {
            if u < near.to {
                order.push(((near.far + 64.0).max(0.0).to_bits(), u, near.to));
            }
        }
    }
    order.sort_unstable();
    let mut set: Vec<u32> = (0..n as u32).collect();
    let mut mass = graph.mass.clone();
    for (_, u, v) in order {
        let (a, b) = (find(&mut set, u), find(&mut set, v));
        if a == b {
            continue;
        }
        let joined = mass[a as usize].with(&mass[b as usize]);
        let small = (0..limits.n).all(|b| joined.loads[b] <= most[b]);
        let mut ends = |(p, q): (u32, u32)| (find(&mut set, p), find(&mut set, q));
        let apart = graph.apart.iter().any(|&pair| [(a, b), (b, a)].contains(&ends(pair)));
        let small = small && !apart;
        if small && joined.area <= area && joined.inertia() <= spread * joined.area {
            set[a as usize] = b;
            mass[b as usize] = joined;
        }
    }
    contract(graph, &mut set)
}

/// The graph of the sets of a union-find.
pub(crate) fn contract(graph: &Graph, set: &mut [u32]) -> Coarse {
    let n = graph.len();
    let mut of = vec![u32::MAX; n];
    let mut mass: Vec<Mass> = vec![];
    for v in 0..n as u32 {
        let root = find(set, v) as usize;
        if of[root] == u32::MAX {
            of[root] = mass.len() as u32;
            mass.push(Mass::default());
        }
        of[v as usize] = of[root];
        mass[of[root] as usize].add(&graph.mass[v as usize]);
    }
    let mut links = vec![];
    for v in 0..n as u32 {
        for near in graph.near(v) {
            let (a, b) = (of[v as usize], of[near.to as usize]);
            if v < near.to && a != b {
                links.push(Link {
                    u: a,
                    v: b,
                    cut: near.cut,
                });
            }
        }
    }
    let mut smaller = Graph::new(mass, &links);
    smaller.apart = graph
        .apart
        .iter()
        .map(|&(a, b)| (of[a as usize], of[b as usize]))
        .collect();
    Coarse { graph: smaller, of }
}
