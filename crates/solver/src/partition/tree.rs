//! Random spanning trees of a set of units, and what each of their edges would cut.
//!
//! A tree edge divides the set in two connected halves. One walk finds, for all edges together, the exact cut of the whole graph (by lowest
//! common ancestors: an edge of the graph is cut exactly by the tree edges between its two ends) and the sums of both halves.

use super::graph::{Graph, Mass};
use super::rng::Rng;

/// Working memory for pieces and their trees, kept from one to the next.
#[derive(Debug, Default)]
pub(crate) struct Piece {
    /// Units of the piece; local numbers are places in this list.
    pub nodes: Vec<u32>,
    pub mass: Vec<Mass>,
    pub total: Mass,
    start: Vec<u32>,
    near: Vec<(u32, f32)>,
    links: Vec<(u32, u32, f32)>,
    local: Vec<u32>,
    order: Vec<u64>,
    set: Vec<u32>,
    tree_start: Vec<u32>,
    tree: Vec<u32>,
    edges: Vec<(u32, u32)>,
    number: Vec<u32>,
    stack: Vec<(u32, u32)>,
    /// The tree of [`Piece::grow`]: local unit at each place of a walk from the root, and the place of its parent (always earlier).
    pub walk: Vec<u32>,
    pub parent: Vec<u32>,
    /// After [`Piece::sums`]: of each place, the units below it, what they sum to, what cutting them off costs.
    pub below: Vec<u32>,
    pub sum: Vec<Mass>,
    pub cut: Vec<f64>,
}

impl Piece {
    /// Takes the units of a piece; they must hang together.
    pub fn load(&mut self, graph: &Graph, nodes: &[u32]) {
        self.nodes.clear();
        self.nodes.extend_from_slice(nodes);
        if self.local.len() < graph.len() {
            self.local.resize(graph.len(), u32::MAX);
        }
        for (i, &v) in nodes.iter().enumerate() {
            self.local[v as usize] = i as u32;
        }
        self.start.clear();
        self.start.push(0);
        self.near.clear();
        self.links.clear();
        self.mass.clear();
        self.total = Mass::default();
        for (i, &v) in nodes.iter().enumerate() {
            self.mass.push(graph.mass[v as usize]);
            self.total.add(&graph.mass[v as usize]);
            for near in graph.near(v) {
                let j = self.local[near.to as usize];
                if j != u32::MAX {
                    self.near.push((j, near.cut));
                    if (i as u32) < j {
                        self.links.push((i as u32, j, near.far));
                    }
                }
            }
            self.start.push(self.near.len() as u32);
        }
        for &v in nodes {
            self.local[v as usize] = u32::MAX;
        }
    }

    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Grows a random tree in which near and related units tend to be joined first, and heavy ones last (the more, the larger `late`), as leaves.
    pub fn grow(&mut self, rng: &mut Rng, noise: f32, late: f32) {
        let n = self.len();
        self.order.clear();
        let late = late / self.mass.iter().map(|m| m.loads[0]).max().unwrap_or(1).max(1) as f32;
        for (i, &(u, v, far)) in self.links.iter().enumerate() {
            let mut key = far + noise * rng.unit() + 64.0;
            if late > 0.0 {
                key += late * self.mass[u as usize].loads[0].max(self.mass[v as usize].loads[0]) as f32;
            }
            self.order.push(u64::from(key.max(0.0).to_bits()) << 32 | i as u64);
        }
        self.order.sort_unstable();
        self.set.clear();
        self.set.extend(0..n as u32);
        self.edges.clear();
        self.tree_start.clear();
        self.tree_start.resize(n + 2, 0);
        for &entry in &self.order {
            let (u, v, _) = self.links[(entry & 0xffff_ffff) as usize];
            let (a, b) = (find(&mut self.set, u), find(&mut self.set, v));
            if a != b {
                self.set[a as usize] = b;
                self.edges.push((u, v));
                self.tree_start[u as usize + 2] += 1;
                self.tree_start[v as usize + 2] += 1;
                if self.edges.len() + 1 == n {
                    break;
                }
            }
        }
        for i in 2..n + 2 {
            self.tree_start[i] += self.tree_start[i - 1];
        }
        self.tree.clear();
        self.tree.resize(2 * self.edges.len(), 0);
        for &(u, v) in &self.edges {
            for (a, b) in [(u, v), (v, u)] {
                let at = &mut self.tree_start[a as usize + 1];
                self.tree[*at as usize] = b;
                *at += 1;
            }
        }
        self.walk_tree(rng.below(n) as u32);
    }

    fn walk_tree(&mut self, root: u32) {
        self.walk.clear();
        self.parent.clear();
        self.number.clear();
        self.number.resize(self.len(), u32::MAX);
        self.stack.clear();
        self.stack.push((root, 0));
        while let Some((v, parent)) = self.stack.pop() {
            let place = self.walk.len() as u32;
            self.number[v as usize] = place;
            self.walk.push(v);
            self.parent.push(parent);
            for i in self.tree_start[v as usize]..self.tree_start[v as usize + 1] {
                let to = self.tree[i as usize];
                if self.number[to as usize] == u32::MAX {
                    self.stack.push((to, place));
                }
            }
        }
    }

    /// For every tree edge: units, sums and exact cut of the half below it.
    pub fn sums(&mut self) {
        let n = self.walk.len();
        self.below.clear();
        self.below.resize(n, 1);
        self.sum.clear();
        self.sum.extend(self.walk.iter().map(|&v| self.mass[v as usize]));
        self.cut.clear();
        self.cut.resize(n, 0.0);
        self.set.clear();
        self.set.extend(0..n as u32);
        for i in (0..n as u32).rev() {
            let v = self.walk[i as usize] as usize;
            for at in self.start[v]..self.start[v + 1] {
                let (to, cut) = self.near[at as usize];
                self.cut[i as usize] += f64::from(cut);
                let j = self.number[to as usize];
                if j > i {
                    // Every ancestor of j after i is done and linked to its parent: the first one not done is the common ancestor.
                    self.cut[find(&mut self.set, j) as usize] -= 2.0 * f64::from(cut);
                }
            }
            self.set[i as usize] = self.parent[i as usize];
        }
        for i in (1..n).rev() {
            let parent = self.parent[i] as usize;
            self.below[parent] += self.below[i];
            self.cut[parent] += self.cut[i];
            let sum = self.sum[i];
            self.sum[parent].add(&sum);
        }
    }

    /// Units below a place of the walk (after [`Piece::sums`]).
    pub fn under(&self, place: usize) -> impl Iterator<Item = u32> + '_ {
        self.walk[place..place + self.below[place] as usize]
            .iter()
            .map(|&v| self.nodes[v as usize])
    }
}

/// Root of a set, with halving of the path.
pub(crate) fn find(set: &mut [u32], mut v: u32) -> u32 {
    while set[v as usize] != v {
        set[v as usize] = set[set[v as usize] as usize];
        v = set[v as usize];
    }
    v
}
