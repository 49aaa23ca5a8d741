//! Zones: what hangs together inside a region without crossing a barrier or a locked grid. No grid reaches outside its zone, so each is drawn on
//! its own.

use super::band::Limits;
use super::graph::{Graph, Link, Mass};
use super::town::{NONE, Town, Wishes};
use super::tree::find;

/// The zones of a town; units and edges by zone.
#[derive(Debug)]
pub(crate) struct Zones {
    /// Of each unit: its zone ([`NONE`] for locked ones).
    pub of: Vec<u32>,
    /// Of each unit: its place in its zone.
    pub place: Vec<u32>,
    unit_start: Vec<u32>,
    units: Vec<u32>,
    edge_start: Vec<u32>,
    edges: Vec<u32>,
}

impl Zones {
    pub fn new(town: &Town, wishes: &Wishes) -> Zones {
        let n = town.len();
        let free = |v: u32| wishes.locked.get(v as usize).is_none_or(|&g| g == NONE);
        let inside = |e: &super::Edge| e.u != e.v && town.open(e) && free(e.u) && free(e.v);
        let mut set: Vec<u32> = (0..n as u32).collect();
        for edge in town.edges.iter().filter(|e| inside(e)) {
            let (a, b) = (find(&mut set, edge.u), find(&mut set, edge.v));
            // The smaller number leads: zones are numbered by their first unit.
            set[a.max(b) as usize] = a.min(b);
        }
        let mut of = vec![NONE; n];
        let mut count = 0;
        for v in 0..n as u32 {
            if free(v) {
                let root = find(&mut set, v);
                if root == v {
                    of[v as usize] = count;
                    count += 1;
                } else {
                    of[v as usize] = of[root as usize];
                }
            }
        }
        let (unit_start, units) = by_key(count as usize, n, |v| of[v]);
        let mut place = set;
        for zone in 0..count as usize {
            for (i, &v) in units[unit_start[zone] as usize..unit_start[zone + 1] as usize]
                .iter()
                .enumerate()
            {
                place[v as usize] = i as u32;
            }
        }
        let zone_of_edge = |e: usize| {
            let edge = &town.edges[e];
            if inside(edge) { of[edge.u as usize] } else { NONE }
        };
        let (edge_start, edges) = by_key(count as usize, town.edges.len(), zone_of_edge);
        Zones {
            of,
            place,
            unit_start,
            units,
            edge_start,
            edges,
        }
    }

    pub fn len(&self) -> usize {
        self.unit_start.len() - 1
    }

    pub fn units(&self, zone: usize) -> &[u32] {
        &self.units[self.unit_start[zone] as usize..self.unit_start[zone + 1] as usize]
    }

    /// The graph of a zone; units have their place as number.
    pub fn graph(&self, town: &Town, limits: &Limits, zone: usize) -> Graph {
        let units = self.units(zone);
        let (mut cx, mut cy) = (0.0, 0.0);
        for &v in units {
            cx += town.x[v as usize] / units.len() as f64;
            cy += town.y[v as usize] / units.len() as f64;
        }
        let mass = units
            .iter()
            .map(|&v| {
                let v = v as usize;
                Mass::unit(
                    limits.loads(town, v),
                    town.area[v].max(1e-6),
                    town.x[v] - cx,
                    town.y[v] - cy,
                )
            })
            .collect();
        let links: Vec<Link> = self.edges[self.edge_start[zone] as usize..self.edge_start[zone + 1] as usize]
            .iter()
            .map(|&e| {
                let edge = &town.edges[e as usize];
                Link {
                    u: self.place[edge.u as usize],
                    v: self.place[edge.v as usize],
                    cut: edge.weight,
                }
            })
            .collect();
        Graph::new(mass, &links)
    }
}

/// Numbers `0..n` ordered by key (those with key [`NONE`] left out), and where each key begins.
fn by_key(keys: usize, n: usize, key: impl Fn(usize) -> u32) -> (Vec<u32>, Vec<u32>) {
    let mut start = vec![0u32; keys + 2];
    for i in 0..n {
        let k = key(i);
        if k != NONE {
            start[k as usize + 2] += 1;
        }
    }
    for k in 2..keys + 2 {
        start[k] += start[k - 1];
    }
    let mut list = vec![0; start[keys + 1] as usize];
    for i in 0..n {
        let k = key(i);
        if k != NONE {
            let at = &mut start[k as usize + 1];
            list[*at as usize] = i as u32;
            *at += 1;
        }
    }
    start.pop();
    (start, list)
}
