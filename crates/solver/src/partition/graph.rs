//! The graph of one zone: units (or joined units) with their sums, and who is next to whom.

use super::band::{Loads, MAX_BANDS};
use std::f64::consts::PI;

/// What a set of units sums to; all that loads, compactness and walking need, so that sets are added and taken apart in constant time.
/// Positions are relative to the zone's centre.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Mass {
    pub loads: Loads,
    /// Units that are above the band on their own.
    pub over: u32,
    pub area: f64,
    ax: f64,
    ay: f64,
    aq: f64,
    walk: f64,
    wx: f64,
    wy: f64,
    wq: f64,
}

impl Mass {
    /// One unit; it is walked to as often as its load on the first band says.
    pub fn unit((loads, over): (Loads, bool), area: f64, x: f64, y: f64) -> Mass {
        let walk = loads[0] as f64 / 1000.0;
        let q = x * x + y * y;
        Mass {
            loads,
            over: u32::from(over),
            area,
            ax: area * x,
            ay: area * y,
            aq: area * q + area * area / (2.0 * PI),
            walk,
            wx: walk * x,
            wy: walk * y,
            wq: walk * q,
        }
    }

    pub fn add(&mut self, o: &Mass) {
        for b in 0..MAX_BANDS {
            self.loads[b] += o.loads[b];
        }
        self.over += o.over;
        self.area += o.area;
        self.ax += o.ax;
        self.ay += o.ay;
        self.aq += o.aq;
        self.walk += o.walk;
        self.wx += o.wx;
        self.wy += o.wy;
        self.wq += o.wq;
    }

    pub fn sub(&mut self, o: &Mass) {
        for b in 0..MAX_BANDS {
            self.loads[b] -= o.loads[b];
        }
        self.over -= o.over;
        self.area -= o.area;
        self.ax -= o.ax;
        self.ay -= o.ay;
        self.aq -= o.aq;
        self.walk -= o.walk;
        self.wx -= o.wx;
        self.wy -= o.wy;
        self.wq -= o.wq;
    }

    pub fn with(mut self, o: &Mass) -> Mass {
        self.add(o);
        self
    }

    pub fn without(mut self, o: &Mass) -> Mass {
        self.sub(o);
        self
    }

    /// Centre by area.
    pub fn centre(&self) -> [f64; 2] {
        [self.ax / self.area, self.ay / self.area]
    }

    /// Moment of inertia about the centre.
    pub fn inertia(&self) -> f64 {
        (self.aq - (self.ax * self.ax + self.ay * self.ay) / self.area).max(0.0)
    }

    /// Moment of the walked-to load about its own centre.
    pub fn walked(&self) -> (f64, f64) {
        if self.walk <= 0.0 {
            return (0.0, 0.0);
        }
        let about = self.wq - (self.wx * self.wx + self.wy * self.wy) / self.walk;
        (self.walk, about.max(0.0))
    }
}

/// A neighbour.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Near {
    pub to: u32,
    /// What a cut here costs.
    pub cut: f32,
    /// Logarithm of distance over belonging: small means "joined first" when a tree grows.
    pub far: f32,
}

/// Compressed adjacency; every edge stands at both ends.
#[derive(Clone, Debug, Default)]
pub(crate) struct Graph {
    pub mass: Vec<Mass>,
    pub start: Vec<u32>,
    pub near: Vec<Near>,
    /// Pairs that must not be in one grid.
    pub apart: Vec<(u32, u32)>,
}

/// One edge of a graph in the making.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Link {
    pub u: u32,
    pub v: u32,
    pub cut: f32,
}

impl Graph {
    /// Joins `links`; parallel ones are summed, loops left out.
    pub fn new(mass: Vec<Mass>, links: &[Link]) -> Graph {
        let n = mass.len();
        let mut start = vec![0u32; n + 2];
        for link in links {
            start[link.u as usize + 2] += 1;
            start[link.v as usize + 2] += 1;
        }
        for i in 2..n + 2 {
            start[i] += start[i - 1];
        }
        let mut near = vec![
            Near {
                to: 0,
                cut: 0.0,
                far: 0.0
            };
            start[n + 1] as usize
        ];
        for link in links {
            for (a, b) in [(link.u, link.v), (link.v, link.u)] {
                let at = &mut start[a as usize + 1];
                near[*at as usize] = Near {
                    to: b,
                    cut: link.cut,
                    far: 0.0,
                };
                *at += 1;
            }
        }
        start.pop();
        let mut graph = Graph {
            mass,
            start,
            near,
            apart: vec![],
        };
        graph.merge_parallel();
        graph.measure();
        graph
    }

    /// The graph of some of the units; `local` gives each its place among them, `u32::MAX` to all others.
    pub fn part(&self, nodes: &[u32], local: &[u32]) -> Graph {
        let mut part = Graph::default();
        part.mass.reserve(nodes.len());
        part.start.reserve(nodes.len() + 1);
        part.start.push(0);
        for &v in nodes {
            part.mass.push(self.mass[v as usize]);
            for near in self.near(v) {
                let to = local[near.to as usize];
                if to != u32::MAX {
                    part.near.push(Near { to, ..*near });
                }
            }
            part.start.push(part.near.len() as u32);
        }
        let places = self.apart.iter().map(|&(a, b)| (local[a as usize], local[b as usize]));
        part.apart = places.filter(|&(a, b)| a != u32::MAX && b != u32::MAX).collect();
        part
    }

    pub fn len(&self) -> usize {
        self.mass.len()
    }

    pub fn near(&self, v: u32) -> &[Near] {
        &self.near[self.start[v as usize] as usize..self.start[v as usize + 1] as usize]
    }

    /// Sum of all.
    pub fn total(&self) -> Mass {
        self.mass.iter().fold(Mass::default(), Mass::with)
    }

    /// Sum of what all cuts together would cost.
    pub fn weight(&self) -> f64 {
        self.near.iter().map(|n| f64::from(n.cut)).sum::<f64>() / 2.0
    }

    fn merge_parallel(&mut self) {
        let mut seen = vec![u32::MAX; self.len()];
        let mut out = 0usize;
        let mut begin = 0usize;
        for v in 0..self.len() {
            let end = self.start[v + 1] as usize;
            let first = out;
            for i in begin..end {
                let near = self.near[i];
                if near.to as usize == v {
                    continue;
                }
                let at = seen[near.to as usize] as usize;
                if at != u32::MAX as usize && at >= first && at < out && self.near[at].to == near.to {
                    self.near[at].cut += near.cut;
                } else {
                    seen[near.to as usize] = out as u32;
                    self.near[out] = near;
                    out += 1;
                }
            }
            begin = end;
            self.start[v + 1] = out as u32;
        }
        self.near.truncate(out);
    }

    fn measure(&mut self) {
        let centre: Vec<[f64; 2]> = self.mass.iter().map(Mass::centre).collect();
        for v in 0..self.len() {
            for i in self.start[v] as usize..self.start[v + 1] as usize {
                let [x, y] = centre[v];
                let [p, q] = centre[self.near[i].to as usize];
                let distance = (x - p).hypot(y - q).max(0.1) as f32;
                self.near[i].far = distance.ln() - 0.7 * self.near[i].cut.max(0.01).ln();
            }
        }
    }
}
