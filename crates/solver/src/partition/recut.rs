//! Takes a few neighbouring grids, draws them anew from other trees, and keeps what is cheaper.

use super::graph::Graph;
use super::layout::Layout;
use super::price::Price;
use super::rng::Rng;
use super::zone::{Bench, first};

/// Cuts compared where none can be all in the band.
const TRIES: usize = 20;

/// The layout with its units by grid, while grids are taken out and put back.
pub(crate) struct Recut<'a> {
    graph: &'a Graph,
    price: &'a Price,
    pub layout: Layout,
    members: Vec<Vec<u32>>,
    local: Vec<u32>,
}

impl<'a> Recut<'a> {
    pub fn new(graph: &'a Graph, price: &'a Price, layout: Layout) -> Recut<'a> {
        Recut {
            graph,
            price,
            members: layout.members(),
            local: vec![u32::MAX; graph.len()],
            layout,
        }
    }

    /// Tries once around every grid, in random order. Returns how often the plan got cheaper.
    pub fn round(&mut self, trees: usize, most: usize, rng: &mut Rng, bench: &mut Bench) -> usize {
        let mut order: Vec<u32> = (0..self.members.len() as u32).collect();
        rng.shuffle(&mut order);
        let mut gained = 0;
        for g in order {
            if (bench.stop)() {
                break;
            }
            if self.members[g as usize].is_empty() {
                continue;
            }
            let size = 2 + rng.below(most - 1);
            let grids = self.around(g, size, rng);
            if grids.len() > 1 && self.redraw(&grids, trees, rng, bench) {
                gained += 1;
            }
        }
        gained
    }

    /// A grid and random neighbours, each next to one of those before.
    fn around(&self, g: u32, size: usize, rng: &mut Rng) -> Vec<u32> {
        let mut grids = vec![g];
        let mut beside: Vec<u32> = vec![];
        while grids.len() < size {
            let last = grids[grids.len() - 1];
            for &v in &self.members[last as usize] {
                for near in self.graph.near(v) {
                    let other = self.layout.grid[near.to as usize];
                    if other != last && beside.last() != Some(&other) {
                        beside.push(other);
                    }
                }
            }
            beside.retain(|other| !grids.contains(other));
            if beside.is_empty() {
                break;
            }
            grids.push(beside[rng.below(beside.len())]);
        }
        grids
    }

    /// Draws some grids anew; keeps the new ones if they are cheaper.
    pub fn redraw(&mut self, grids: &[u32], trees: usize, rng: &mut Rng, bench: &mut Bench) -> bool {
        let nodes: Vec<u32> = grids
            .iter()
            .flat_map(|&g| self.members[g as usize].iter().copied())
            .collect();
        let (sub, before) = self.take_out(&nodes);
        let mut layout = first(&sub, self.price, trees, rng, bench);
        let looks = 20 * sub.len() as u64;
        bench.mover.run(&sub, self.price, &mut layout, rng, looks);
        if layout.cost(&sub, self.price) >= before - 1e-6 {
            return false;
        }
        self.put_back(grids, &nodes, &layout);
        true
    }

    /// Looks for a drawing of a grid and some neighbours that is all in the band, or at least cheaper. A grid without neighbours may still be
    /// enough for two.
    pub fn repair(&mut self, g: u32, size: usize, trees: usize, rng: &mut Rng, bench: &mut Bench) {
        if !self.layout.broken(self.price).contains(&g) {
            return;
        }
        let grids = self.around(g, size, rng);
        if !self.exact(&grids, trees, rng, bench) && grids.len() > 1 {
            self.redraw(&grids, 4, rng, bench);
        }
    }

    /// Cuts up to `trees` trees of some grids exactly. Keeps the first that is all in the band; where a unit is above it, the best of several.
    pub fn exact(&mut self, grids: &[u32], trees: usize, rng: &mut Rng, bench: &mut Bench) -> bool {
        let nodes: Vec<u32> = grids
            .iter()
            .flat_map(|&g| self.members[g as usize].iter().copied())
            .collect();
        bench.piece.load(self.graph, &nodes);
        let limits = &self.price.limits;
        if bench.piece.total.over == 0 && !limits.fits(&bench.piece.total.loads) {
            return false;
        }
        let (sub, _) = self.take_out(&nodes);
        let mut best: Option<(f64, Layout)> = None;
        let mut found = 0;
        for tree in 0..trees {
            bench.piece.grow(rng, 1.6 + (tree % 4) as f32, (tree % 3 * 4) as f32);
            for b in 0..limits.n {
                let Some(part) = bench.exact.cut(&bench.piece, limits, b, rng) else {
                    continue;
                };
                let mut grid = vec![0; nodes.len()];
                for (&v, &g) in bench.piece.walk.iter().zip(&part) {
                    grid[v as usize] = g;
                }
                let layout = Layout::new(&sub, grid);
                let miss = layout.miss(self.price);
                if layout.broken(self.price).is_empty() && best.as_ref().is_none_or(|(least, _)| miss < *least) {
                    best = Some((miss, layout));
                }
                found += 1;
            }
            if found >= TRIES || best.as_ref().is_some_and(|(miss, _)| *miss == 0.0) {
                break;
            }
        }
        let Some((_, layout)) = best else { return false };
        self.put_back(grids, &nodes, &layout);
        true
    }

    /// The graph of some units alone, and what their present grids cost in it.
    fn take_out(&mut self, nodes: &[u32]) -> (Graph, f64) {
        for (i, &v) in nodes.iter().enumerate() {
            self.local[v as usize] = i as u32;
        }
        let sub = self.graph.part(nodes, &self.local);
        for &v in nodes {
            self.local[v as usize] = u32::MAX;
        }
        let now = nodes.iter().map(|&v| self.layout.grid[v as usize]);
        let mut names: Vec<u32> = vec![];
        let grid = now
            .map(|g| match names.iter().position(|&name| name == g) {
                Some(i) => i as u32,
                None => {
                    names.push(g);
                    names.len() as u32 - 1
                }
            })
            .collect();
        let before = Layout::new(&sub, grid).cost(&sub, self.price);
        (sub, before)
    }

    /// Gives the units of `grids` the grids of a layout of theirs.
    fn put_back(&mut self, grids: &[u32], nodes: &[u32], layout: &Layout) {
        let mut names = grids.to_vec();
        for &g in grids {
            self.members[g as usize].clear();
            self.layout.mass[g as usize] = Default::default();
        }
        while names.len() < layout.mass.len() {
            names.push(self.members.len() as u32);
            self.members.push(vec![]);
            self.layout.mass.push(Default::default());
        }
        for (&v, &g) in nodes.iter().zip(&layout.grid) {
            let name = names[g as usize];
            self.layout.grid[v as usize] = name;
            self.members[name as usize].push(v);
        }
        for (g, mass) in layout.mass.iter().enumerate() {
            self.layout.mass[names[g] as usize] = *mass;
        }
    }
}
