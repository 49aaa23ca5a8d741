//! Moves single units over borders while the plan gets cheaper. A move that would cut its old grid in two is not made.

use super::graph::{Graph, Mass};
use super::layout::Layout;
use super::price::Price;
use super::rng::Rng;
use std::collections::VecDeque;

/// A move must gain at least this much: no endless exchange of nearly equal ones.
const LEAST_GAIN: f64 = 1e-6;
/// Units looked at before a unit is taken to hold its grid together.
const LOOK: usize = 200;

/// Working memory of moves, kept from one zone to the next.
#[derive(Debug, Default)]
pub(crate) struct Mover {
    queue: VecDeque<u32>,
    queued: Vec<bool>,
    seen: Vec<u32>,
    stamp: u32,
    stack: Vec<u32>,
    beside: Vec<(u32, f64)>,
}

impl Mover {
    /// Until no move gains, or the budget of looks is used up. Returns looks made.
    pub fn run(&mut self, graph: &Graph, price: &Price, layout: &mut Layout, rng: &mut Rng, budget: u64) -> u64 {
        let n = graph.len();
        self.queued.clear();
        self.queued.resize(n, false);
        let mut edge: Vec<u32> = (0..n as u32)
            .filter(|&v| {
                graph
                    .near(v)
                    .iter()
                    .any(|near| layout.grid[near.to as usize] != layout.grid[v as usize])
            })
            .collect();
        rng.shuffle(&mut edge);
        for &v in &edge {
            self.queued[v as usize] = true;
        }
        self.queue.clear();
        self.queue.extend(edge);
        let mut cost: Vec<f64> = layout.mass.iter().map(|m| price.grid(m)).collect();
        let mut looks = 0;
        while let Some(v) = self.queue.pop_front() {
            self.queued[v as usize] = false;
            looks += 1;
            if looks > budget {
                break;
            }
            let Some((to, gain, new_from, new_to)) = self.best(graph, price, layout, &cost, v) else {
                continue;
            };
            let from = layout.grid[v as usize];
            if gain < LEAST_GAIN || !self.loose(graph, layout, v) {
                continue;
            }
            layout.grid[v as usize] = to;
            layout.mass[from as usize].sub(&graph.mass[v as usize]);
            layout.mass[to as usize].add(&graph.mass[v as usize]);
            cost[from as usize] = new_from;
            cost[to as usize] = new_to;
            for u in std::iter::once(v).chain(graph.near(v).iter().map(|near| near.to)) {
                if !self.queued[u as usize] {
                    self.queued[u as usize] = true;
                    self.queue.push_back(u);
                }
            }
        }
        looks
    }

    /// The neighbouring grid where `v` gains most: (grid, gain, cost of the old grid, cost of the new one).
    fn best(
        &mut self,
        graph: &Graph,
        price: &Price,
        layout: &Layout,
        cost: &[f64],
        v: u32,
    ) -> Option<(u32, f64, f64, f64)> {
        let from = layout.grid[v as usize];
        let mut stay = 0.0;
        self.beside.clear();
        for near in graph.near(v) {
            let g = layout.grid[near.to as usize];
            if g == from {
                stay += f64::from(near.cut);
            } else if let Some(entry) = self.beside.iter_mut().find(|(other, _)| *other == g) {
                entry.1 += f64::from(near.cut);
            } else {
                self.beside.push((g, f64::from(near.cut)));
            }
        }
        if self.beside.is_empty()
            || stay == 0.0 && graph.near(v).iter().all(|near| layout.grid[near.to as usize] != from)
        {
            return None;
        }
        let mass: &Mass = &graph.mass[v as usize];
        let new_from = price.grid(&layout.mass[from as usize].without(mass));
        let mut best: Option<(u32, f64, f64, f64)> = None;
        for &(g, cut) in &self.beside {
            let new_to = price.grid(&layout.mass[g as usize].with(mass));
            let pairs = |g: u32| {
                if graph.apart.is_empty() {
                    0.0
                } else {
                    price.together(foes(graph, layout, v, g))
                }
            };
            let gain = pairs(from) - pairs(g) + price.border(cut - stay) + cost[from as usize] + cost[g as usize]
                - new_from
                - new_to;
            if best.is_none_or(|b| gain > b.1) {
                best = Some((g, gain, new_from, new_to));
            }
        }
        best
    }

    /// Whether the grid of `v` hangs together without it (a "no" may be overcautious in large grids).
    pub fn loose(&mut self, graph: &Graph, layout: &Layout, v: u32) -> bool {
        if self.seen.len() < graph.len() {
            self.seen.resize(graph.len(), 0);
        }
        let own = layout.grid[v as usize];
        let mine = |u: u32| layout.grid[u as usize] == own;
        self.stamp += 2;
        let (wanted, done) = (self.stamp, self.stamp + 1);
        let mut missing = 0;
        let mut first = None;
        for near in graph.near(v) {
            if mine(near.to) {
                self.seen[near.to as usize] = wanted;
                missing += 1;
                first = Some(near.to);
            }
        }
        let Some(first) = first else { return false };
        if missing == 1 {
            return true;
        }
        self.seen[v as usize] = done;
        self.seen[first as usize] = done;
        missing -= 1;
        self.stack.clear();
        self.stack.push(first);
        let mut at = 0;
        // Breadth first: the other neighbours are nearly always two steps away.
        while at < self.stack.len() && at < LOOK {
            let u = self.stack[at];
            at += 1;
            for near in graph.near(u) {
                let mark = self.seen[near.to as usize];
                if mark == done || !mine(near.to) {
                    continue;
                }
                if mark == wanted {
                    missing -= 1;
                    if missing == 0 {
                        return true;
                    }
                }
                self.seen[near.to as usize] = done;
                self.stack.push(near.to);
            }
        }
        false
    }
}

/// Units in a grid that must not be with `v`.
fn foes(graph: &Graph, layout: &Layout, v: u32, g: u32) -> usize {
    let foe = |&(a, b): &(u32, u32)| match v {
        _ if v == a => layout.grid[b as usize] == g,
        _ if v == b => layout.grid[a as usize] == g,
        _ => false,
    };
    graph.apart.iter().filter(|&pair| foe(pair)).count()
}
