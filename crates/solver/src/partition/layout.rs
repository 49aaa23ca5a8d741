//! A plan of one zone in the making: who is in which grid, and what each grid sums to.

use super::graph::{Graph, Mass};
use super::price::Price;

/// Grids are numbered from 0; a number may be empty for a while.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layout {
    pub grid: Vec<u32>,
    pub mass: Vec<Mass>,
}

impl Layout {
    pub fn new(graph: &Graph, grid: Vec<u32>) -> Layout {
        let k = grid.iter().max().map_or(0, |&g| g as usize + 1);
        let mut mass = vec![Mass::default(); k];
        for (v, &g) in grid.iter().enumerate() {
            mass[g as usize].add(&graph.mass[v]);
        }
        Layout { grid, mass }
    }

    /// The same plan on the finer graph.
    pub fn refined(&self, fine: &Graph, of: &[u32]) -> Layout {
        Layout::new(fine, of.iter().map(|&c| self.grid[c as usize]).collect())
    }

    /// Units by grid.
    pub fn members(&self) -> Vec<Vec<u32>> {
        let mut members = vec![vec![]; self.mass.len()];
        for (v, &g) in self.grid.iter().enumerate() {
            members[g as usize].push(v as u32);
        }
        members
    }

    pub fn cost(&self, graph: &Graph, price: &Price) -> f64 {
        let mut cut = 0.0;
        for v in 0..graph.len() as u32 {
            for near in graph.near(v) {
                if self.grid[v as usize] != self.grid[near.to as usize] {
                    cut += f64::from(near.cut);
                }
            }
        }
        let together = graph
            .apart
            .iter()
            .filter(|&&(a, b)| self.grid[a as usize] == self.grid[b as usize])
            .count();
        price.together(together)
            + price.border(cut / 2.0)
            + self
                .mass
                .iter()
                .filter(|m| m.area > 0.0)
                .map(|m| price.grid(m))
                .sum::<f64>()
    }

    /// Distance outside the band, of all grids together.
    pub fn miss(&self, price: &Price) -> f64 {
        self.mass
            .iter()
            .filter(|m| m.area > 0.0)
            .map(|m| price.limits.miss(&m.loads, m.over))
            .sum()
    }

    /// Grids outside the band, but for those with a unit that is above it on its own.
    pub fn broken(&self, price: &Price) -> Vec<u32> {
        let out = |g: &u32| {
            let m = &self.mass[*g as usize];
            m.area > 0.0 && m.over != 1 && price.limits.miss(&m.loads, m.over) > 0.0
        };
        (0..self.mass.len() as u32).filter(out).collect()
    }
}
