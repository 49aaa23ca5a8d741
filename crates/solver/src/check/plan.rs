//! What a plan breaks.

use crate::partition::{NONE, Rule, Town, Wishes};
use std::collections::HashMap;

/// One breach. Units are places in the town's lists, grids the plan's numbers.
#[derive(Clone, Debug, PartialEq)]
pub enum Breach {
    /// A unit in no grid.
    Unassigned { unit: u32 },
    /// A grid in two regions: a unit in each.
    Crosses { grid: u32, one: u32, other: u32 },
    /// A grid in pieces (or hanging together only over a barrier): a unit in each of two.
    Disconnected { grid: u32, one: u32, other: u32 },
    /// A grid outside every band of its kind of place: its load on each.
    Band { grid: u32, loads: Vec<f64> },
    /// A group that fits the band and is not in one grid: two neighbours of it in different ones.
    Group { group: u32, one: u32, other: u32 },
    /// A unit taken out of, or put into, a locked grid.
    Locked { unit: u32 },
    /// A pair that must be in one grid and is not.
    Join { one: u32, other: u32 },
    /// A pair that must not be in one grid and is.
    Part { one: u32, other: u32 },
}

/// Every breach of a plan. Input must be [`super::sound`] and `grid` as long as the town.
pub fn breaches(town: &Town, rule: &Rule, wishes: &Wishes, grid: &[u32]) -> Vec<Breach> {
    let mut found = vec![];
    for (v, &g) in grid.iter().enumerate() {
        if g == NONE {
            found.push(Breach::Unassigned { unit: v as u32 });
        }
    }
    let grids = Grids::new(grid);
    shape(town, grid, &grids, &mut found);
    size(town, rule, grid, &grids, &mut found);
    groups(town, rule, wishes, grid, &mut found);
    locks(wishes, grid, &mut found);
    let together = |&(a, b): &(u32, u32)| grid[a as usize] == grid[b as usize];
    let apart = wishes.join.iter().filter(|p| !together(p));
    found.extend(apart.map(|&(one, other)| Breach::Join { one, other }));
    let joined = wishes.part.iter().filter(|p| together(p));
    found.extend(joined.map(|&(one, other)| Breach::Part { one, other }));
    found
}

/// Grids in the order of their number, each with a unit of it.
struct Grids {
    number: Vec<u32>,
    first: Vec<u32>,
    /// Of each unit: the place of its grid in the lists above.
    of: Vec<u32>,
}

impl Grids {
    fn new(grid: &[u32]) -> Grids {
        let mut number: Vec<u32> = grid.iter().copied().filter(|&g| g != NONE).collect();
        number.sort_unstable();
        number.dedup();
        let place = |g: u32| number.binary_search(&g).map_or(NONE, |i| i as u32);
        // Plans are nearly always numbered without gaps: then a number is its place.
        let dense = number.last().is_some_and(|&last| last as usize + 1 == number.len());
        let of: Vec<u32> = grid.iter().map(|&g| if dense { g } else { place(g) }).collect();
        let mut first = vec![NONE; number.len()];
        for (v, &g) in of.iter().enumerate().rev() {
            if g != NONE {
                first[g as usize] = v as u32;
            }
        }
        Grids { number, first, of }
    }
}

/// Regions and hanging together.
fn shape(town: &Town, grid: &[u32], grids: &Grids, found: &mut Vec<Breach>) {
    let mut crosses = vec![NONE; grids.number.len()];
    let mut leader: Vec<u32> = (0..town.len() as u32).collect();
    fn lead(leader: &mut [u32], v: u32) -> u32 {
        let up = leader[v as usize];
        if up == v {
            return v;
        }
        let top = lead_far(leader, up);
        leader[v as usize] = top;
        top
    }
    fn lead_far(leader: &mut [u32], mut v: u32) -> u32 {
        while leader[v as usize] != v {
            v = leader[v as usize];
        }
        v
    }
    for edge in town.edges {
        let (u, v) = (edge.u as usize, edge.v as usize);
        let walkable = !edge.barrier && town.region[u] == town.region[v];
        if walkable && grid[u] == grid[v] {
            let (a, b) = (lead(&mut leader, edge.u), lead(&mut leader, edge.v));
            leader[a.max(b) as usize] = a.min(b);
        }
    }
    let mut pieces = vec![NONE; grids.number.len()];
    for v in 0..town.len() {
        let g = grids.of[v];
        if g == NONE {
            continue;
        }
        let first = grids.first[g as usize];
        if town.region[v] != town.region[first as usize] {
            crosses[g as usize] = crosses[g as usize].min(v as u32);
        } else if lead(&mut leader, v as u32) != lead(&mut leader, first) {
            pieces[g as usize] = pieces[g as usize].min(v as u32);
        }
    }
    for (g, &one) in grids.first.iter().enumerate() {
        if crosses[g] != NONE {
            found.push(Breach::Crosses {
                grid: grids.number[g],
                one,
                other: crosses[g],
            });
        }
        if pieces[g] != NONE {
            found.push(Breach::Disconnected {
                grid: grids.number[g],
                one,
                other: pieces[g],
            });
        }
    }
}

/// Sums in thousandths.
fn milli(v: f64) -> i64 {
    (v * 1e3).round() as i64
}

fn size(town: &Town, rule: &Rule, grid: &[u32], grids: &Grids, found: &mut Vec<Breach>) {
    let mut sums = vec![vec![0i64; grids.number.len()]; town.measures.len()];
    for (m, values) in town.measures.iter().enumerate() {
        for v in 0..grid.len() {
            if grids.of[v] != NONE {
                sums[m][grids.of[v] as usize] += milli(values[v]);
            }
        }
    }
    for (g, &first) in grids.first.iter().enumerate() {
        let bands = rule.bands(town.region[first as usize]);
        let held = bands
            .iter()
            .any(|b| (milli(b.lo)..=milli(b.hi)).contains(&sums[b.measure][g]));
        if !held {
            let loads = bands.iter().map(|b| sums[b.measure][g] as f64 / 1e3).collect();
            found.push(Breach::Band {
                grid: grids.number[g],
                loads,
            });
        }
    }
}

/// A group that fits the band is kept whole as far as its members are next to each other.
fn groups(town: &Town, rule: &Rule, wishes: &Wishes, grid: &[u32], found: &mut Vec<Breach>) {
    if wishes.group.is_empty() {
        return;
    }
    let free = |v: u32| wishes.locked.get(v as usize).is_none_or(|&l| l == NONE);
    let inner: Vec<_> = town
        .edges
        .iter()
        .filter(|e| {
            let (u, v) = (e.u as usize, e.v as usize);
            wishes.group[u] != NONE && wishes.group[u] == wishes.group[v] && town.open(e) && free(e.u) && free(e.v)
        })
        .collect();
    // The connected parts of each group, by walking.
    let mut near: HashMap<u32, Vec<u32>> = HashMap::new();
    for e in &inner {
        near.entry(e.u).or_default().push(e.v);
        near.entry(e.v).or_default().push(e.u);
    }
    let mut fits: HashMap<u32, bool> = HashMap::new();
    for &start in near.keys() {
        if fits.contains_key(&start) {
            continue;
        }
        let (mut part, mut at) = (vec![start], 0);
        let mut seen = std::collections::HashSet::from([start]);
        while at < part.len() {
            for &v in &near[&part[at]] {
                if seen.insert(v) {
                    part.push(v);
                }
            }
            at += 1;
        }
        let bands = rule.bands(town.region[start as usize]);
        let sum = |m: usize| part.iter().map(|&v| milli(town.measures[m][v as usize])).sum::<i64>();
        let whole = bands.iter().any(|b| sum(b.measure) <= milli(b.hi));
        fits.extend(part.iter().map(|&v| (v, whole)));
    }
    for e in inner {
        if fits[&e.u] && grid[e.u as usize] != grid[e.v as usize] {
            found.push(Breach::Group {
                group: wishes.group[e.u as usize],
                one: e.u,
                other: e.v,
            });
        }
    }
}

fn locks(wishes: &Wishes, grid: &[u32], found: &mut Vec<Breach>) {
    let locked: std::collections::HashSet<u32> = wishes.locked.iter().copied().filter(|&g| g != NONE).collect();
    for (v, (&now, &lock)) in grid.iter().zip(wishes.locked).enumerate() {
        let kept = if lock == NONE {
            !locked.contains(&now)
        } else {
            now == lock
        };
        if !kept {
            found.push(Breach::Locked { unit: v as u32 });
        }
    }
}
