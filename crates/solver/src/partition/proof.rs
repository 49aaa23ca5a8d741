//! Proofs that a zone's grids cannot all be in the band, each by a search that ends or gives up: nothing is claimed that was not exhausted.
//! For one band and zones without units above it.

use super::band::Limits;
use super::graph::Graph;
use std::collections::HashSet;

/// Units a proof is tried for.
pub(crate) const MOST: usize = 128;

/// What an exhaustive search came to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Search<T> {
    Found(T),
    Nothing,
    GaveUp,
}

/// Whether loads can be divided into heaps in the band, whoever is next to whom.
pub(crate) fn packs(graph: &Graph, limits: &Limits, budget: u64) -> Search<()> {
    let mut loads: Vec<i64> = graph.mass.iter().map(|m| m.loads[0]).filter(|&l| l > 0).collect();
    if loads.len() > MOST {
        return Search::GaveUp;
    }
    loads.sort_unstable_by_key(|&l| std::cmp::Reverse(l));
    let mut packing = Packing {
        loads,
        limits,
        budget,
        failed: HashSet::new(),
    };
    let all = mask_of(packing.loads.len());
    let sum = packing.loads.iter().sum();
    match packing.heaps(all, sum) {
        Some(true) => Search::Found(()),
        Some(false) => Search::Nothing,
        None => Search::GaveUp,
    }
}

struct Packing<'a> {
    /// Largest first.
    loads: Vec<i64>,
    limits: &'a Limits,
    budget: u64,
    failed: HashSet<u128>,
}

impl Packing<'_> {
    /// Whether what is left can be packed; `None` when the budget is used up.
    fn heaps(&mut self, left: u128, sum: i64) -> Option<bool> {
        if left == 0 {
            return Some(true);
        }
        if !self.limits.fits(&[sum, 0, 0]) || self.failed.contains(&left) {
            return Some(false);
        }
        let first = left.trailing_zeros() as usize;
        let rest = left & !(1 << first);
        let done = self.fill(rest, first + 1, self.loads[first], sum)?;
        if !done {
            self.failed.insert(left);
        }
        Some(done)
    }

    /// Fills the heap that holds `heap` so far from the units of `left` at `from` and after.
    fn fill(&mut self, left: u128, from: usize, heap: i64, sum: i64) -> Option<bool> {
        self.budget = self.budget.checked_sub(1)?;
        if heap >= self.limits.lo[0] && self.heaps(left, sum - heap)? {
            return Some(true);
        }
        let mut at = from;
        while at < self.loads.len() {
            let load = self.loads[at];
            if left >> at & 1 == 1 && heap + load <= self.limits.hi[0] {
                if self.fill(left & !(1 << at), at + 1, heap + load, sum)? {
                    return Some(true);
                }
                // An equal unit instead would fail the same way.
                while at + 1 < self.loads.len() && self.loads[at + 1] == load {
                    at += 1;
                }
            }
            at += 1;
        }
        Some(false)
    }
}

/// All divisions into connected grids in the band: the first found, or that there is none.
pub(crate) fn divides(graph: &Graph, limits: &Limits, budget: u64) -> Search<Vec<u32>> {
    let n = graph.len();
    if n > MOST {
        return Search::GaveUp;
    }
    let near = (0..n as u32)
        .map(|v| graph.near(v).iter().fold(0u128, |m, near| m | 1 << near.to))
        .collect();
    let loads = graph.mass.iter().map(|m| m.loads[0]).collect();
    let mut division = Division {
        near,
        loads,
        limits,
        budget,
        failed: HashSet::new(),
        grids: vec![],
    };
    match division.divide(mask_of(n)) {
        Some(true) => {
            let mut grid = vec![0; n];
            for (g, &mask) in division.grids.iter().enumerate() {
                bits(mask).for_each(|v| grid[v] = g as u32);
            }
            Search::Found(grid)
        }
        Some(false) => Search::Nothing,
        None => Search::GaveUp,
    }
}

struct Division<'a> {
    near: Vec<u128>,
    loads: Vec<i64>,
    limits: &'a Limits,
    budget: u64,
    failed: HashSet<u128>,
    grids: Vec<u128>,
}

impl Division<'_> {
    fn sum(&self, set: u128) -> i64 {
        bits(set).map(|v| self.loads[v]).sum()
    }

    fn around(&self, set: u128) -> u128 {
        bits(set).fold(0, |m, v| m | self.near[v])
    }

    /// What hangs together with the first unit of a set.
    fn component(&self, set: u128) -> u128 {
        let mut got = set & set.wrapping_neg();
        let mut edge = got;
        while edge != 0 {
            edge = self.around(edge) & set & !got;
            got |= edge;
        }
        got
    }

    fn components_fit(&self, mut set: u128) -> bool {
        while set != 0 {
            let part = self.component(set);
            let sum = self.sum(part);
            if !self.limits.fits(&[sum, 0, 0]) || self.failed.contains(&part) {
                return false;
            }
            set &= !part;
        }
        true
    }

    /// Divides every component of a set.
    fn divide(&mut self, mut set: u128) -> Option<bool> {
        while set != 0 {
            let part = self.component(set);
            if self.failed.contains(&part) {
                return Some(false);
            }
            let mark = self.grids.len();
            if !self.components_fit(part) || !self.part(part)? {
                self.grids.truncate(mark);
                self.failed.insert(part);
                return Some(false);
            }
            set &= !part;
        }
        Some(true)
    }

    /// One component: every grid its most cornered unit can be in.
    fn part(&mut self, part: u128) -> Option<bool> {
        let corner = bits(part).min_by_key(|&v| ((self.near[v] & part).count_ones(), -self.loads[v]))?;
        let load = self.loads[corner];
        if load > self.limits.hi[0] {
            return Some(false);
        }
        self.extend(part, 1 << corner, self.near[corner] & part & !(1 << corner), 0, load)
    }

    /// Grids that hold `grid`, may hold what is beside it, and not what is `barred`.
    fn extend(&mut self, part: u128, grid: u128, beside: u128, barred: u128, load: i64) -> Option<bool> {
        self.budget = self.budget.checked_sub(1)?;
        if load >= self.limits.lo[0] && self.components_fit(part & !grid) {
            let mark = self.grids.len();
            self.grids.push(grid);
            if self.divide(part & !grid)? {
                return Some(true);
            }
            self.grids.truncate(mark);
        }
        let (mut beside, mut barred) = (beside & !barred, barred);
        while beside != 0 {
            let v = beside.trailing_zeros() as usize;
            beside &= !(1 << v);
            let more = load + self.loads[v];
            if more <= self.limits.hi[0] {
                let next = (beside | self.near[v] & part) & !grid & !(1 << v);
                if self.extend(part, grid | 1 << v, next, barred, more)? {
                    return Some(true);
                }
            }
            barred |= 1 << v;
        }
        Some(false)
    }
}

fn mask_of(n: usize) -> u128 {
    if n == 128 { !0 } else { (1 << n) - 1 }
}

fn bits(mut mask: u128) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let v = mask.trailing_zeros() as usize;
        mask &= mask.wrapping_sub(1);
        (v < 128).then_some(v)
    })
}
