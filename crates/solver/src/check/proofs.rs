//! Whether what a plan says about its zones is true, by searches of their own: slower and simpler than those that found it.

use crate::partition::{Band, NONE, Plan, Reason, Rule, Town, Verdict, Wishes, Zone};
use std::collections::HashSet;

/// What became of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    Confirmed,
    Refuted,
    /// The checker's own search reached its bound.
    TooLong,
}

/// Steps a search may take.
const STEPS: u64 = 20_000_000;

/// Judges what a plan says about one of its zones.
pub fn proved(town: &Town, rule: &Rule, wishes: &Wishes, plan: &Plan, zone: &Zone) -> Proof {
    let units = flood(town, wishes, zone.first_unit);
    let bands = rule.bands(town.region[zone.first_unit as usize]);
    let load = |v: u32, b: &Band| (town.measures[b.measure][v as usize] * 1e3).round() as i64;
    let limit = |b: &Band| ((b.lo * 1e3).round() as i64, (b.hi * 1e3).round() as i64);
    let over = |v: u32| bands.iter().all(|b| load(v, b) > limit(b).1);
    let broken = broken(town, bands, plan, &units);
    let claim = match &zone.verdict {
        Verdict::Held => broken.is_empty(),
        Verdict::Unproven => !broken.is_empty(),
        Verdict::Impossible(Reason::Units(list)) => {
            let explained = |g: &u32| list.iter().any(|&v| plan.grid[v as usize] == *g);
            !list.is_empty() && list.iter().all(|&v| units.contains(&v) && over(v)) && broken.iter().all(explained)
        }
        Verdict::Impossible(reason) => {
            let [band] = bands else { return Proof::Refuted };
            let (lo, hi) = limit(band);
            let loads: Vec<i64> = units.iter().map(|&v| load(v, band)).collect();
            let sum: i64 = loads.iter().sum();
            let result = match reason {
                Reason::Sum => Some((1..=sum / lo + 1).all(|k| sum < k * lo || sum > k * hi)),
                Reason::Packing => no_packing(loads, lo, hi),
                _ => no_division(&neighbours(town, &units), &loads, lo, hi),
            };
            match result {
                Some(claim) => claim,
                None => return Proof::TooLong,
            }
        }
    };
    let told: HashSet<u32> = zone.broken.iter().copied().collect();
    if claim && told == broken.into_iter().collect() {
        Proof::Confirmed
    } else {
        Proof::Refuted
    }
}

/// The zone around a unit.
fn flood(town: &Town, wishes: &Wishes, first: u32) -> Vec<u32> {
    let free = |v: u32| wishes.locked.get(v as usize).is_none_or(|&g| g == NONE);
    let mut inside = HashSet::from([first]);
    loop {
        let before = inside.len();
        for e in town.edges.iter().filter(|e| town.open(e) && free(e.u) && free(e.v)) {
            if inside.contains(&e.u) || inside.contains(&e.v) {
                inside.extend([e.u, e.v]);
            }
        }
        if inside.len() == before {
            break;
        }
    }
    let mut units: Vec<u32> = inside.into_iter().collect();
    units.sort_unstable();
    units
}

fn broken(town: &Town, bands: &[Band], plan: &Plan, units: &[u32]) -> Vec<u32> {
    let mut grids: Vec<u32> = units.iter().map(|&v| plan.grid[v as usize]).collect();
    grids.sort_unstable();
    grids.dedup();
    let outside = |g: &u32| {
        !bands.iter().any(|b| {
            let members = units.iter().filter(|&&v| plan.grid[v as usize] == *g);
            let sum: i64 = members
                .map(|&v| (town.measures[b.measure][v as usize] * 1e3).round() as i64)
                .sum();
            sum >= (b.lo * 1e3).round() as i64 && sum <= (b.hi * 1e3).round() as i64
        })
    };
    grids.retain(outside);
    grids
}

fn neighbours(town: &Town, units: &[u32]) -> Vec<Vec<usize>> {
    let mut near = vec![vec![]; units.len()];
    for e in town.edges.iter().filter(|e| town.open(e)) {
        if let (Ok(a), Ok(b)) = (units.binary_search(&e.u), units.binary_search(&e.v)) {
            near[a].push(b);
            near[b].push(a);
        }
    }
    near
}

/// Whether the loads cannot be put into any number of heaps that are all in the band.
fn no_packing(mut loads: Vec<i64>, lo: i64, hi: i64) -> Option<bool> {
    loads.retain(|&l| l > 0);
    loads.sort_unstable();
    loads.reverse();
    let sum: i64 = loads.iter().sum();
    let mut steps = STEPS;
    for k in (1..=sum / lo).filter(|k| k * hi >= sum) {
        let mut heaps = vec![0; k as usize];
        if put(&loads, &mut heaps, sum, lo, hi, &mut steps)? {
            return Some(false);
        }
    }
    Some(true)
}

/// Puts the first load into each heap it fits, then the rest.
fn put(loads: &[i64], heaps: &mut [i64], left: i64, lo: i64, hi: i64, steps: &mut u64) -> Option<bool> {
    *steps = steps.checked_sub(1)?;
    let lacking: i64 = heaps.iter().map(|&h| (lo - h).max(0)).sum();
    if lacking > left {
        return Some(false);
    }
    let Some((&load, rest)) = loads.split_first() else {
        return Some(true);
    };
    for i in 0..heaps.len() {
        if heaps[i] + load > hi || heaps[..i].contains(&heaps[i]) {
            continue;
        }
        heaps[i] += load;
        let done = put(rest, heaps, left - load, lo, hi, steps)?;
        heaps[i] -= load;
        if done {
            return Some(true);
        }
    }
    Some(false)
}

/// Whether no division into connected grids is all in the band.
fn no_division(near: &[Vec<usize>], loads: &[i64], lo: i64, hi: i64) -> Option<bool> {
    let mut search = Divide {
        near,
        loads,
        lo,
        hi,
        steps: STEPS,
        dead: HashSet::new(),
    };
    search.divide((0..loads.len()).collect()).map(|found| !found)
}

struct Divide<'a> {
    near: &'a [Vec<usize>],
    loads: &'a [i64],
    lo: i64,
    hi: i64,
    steps: u64,
    dead: HashSet<Vec<usize>>,
}

impl Divide<'_> {
    /// Whether the units of a list (in order) can be divided, piece by piece.
    fn divide(&mut self, units: Vec<usize>) -> Option<bool> {
        for piece in self.pieces(&units) {
            if self.dead.contains(&piece) {
                return Some(false);
            }
            let sum: i64 = piece.iter().map(|&v| self.loads[v]).sum();
            let fits = (1..=sum / self.lo).any(|k| sum <= k * self.hi);
            // Begin with a unit at the rim: few grids can hold it.
            let inner = |&&v: &&usize| self.near[v].iter().filter(|u| piece.contains(u)).count();
            let start = piece.iter().min_by_key(inner).copied();
            let Some(start) = start.filter(|_| fits) else {
                self.dead.insert(piece);
                return Some(false);
            };
            if !self.grow(&piece, vec![start], &[])? {
                self.dead.insert(piece);
                return Some(false);
            }
        }
        Some(true)
    }

    /// Every connected grid that holds `grid` and none of `never`; the rest of the piece is then divided.
    fn grow(&mut self, piece: &[usize], grid: Vec<usize>, never: &[usize]) -> Option<bool> {
        self.steps = self.steps.checked_sub(1)?;
        let sum: i64 = grid.iter().map(|&v| self.loads[v]).sum();
        if sum > self.hi {
            return Some(false);
        }
        if sum >= self.lo {
            let rest: Vec<usize> = piece.iter().copied().filter(|v| !grid.contains(v)).collect();
            if self.divide(rest)? {
                return Some(true);
            }
        }
        let mut never = never.to_vec();
        let mut beside: Vec<usize> = grid.iter().flat_map(|&v| self.near[v].iter().copied()).collect();
        beside.sort_unstable();
        beside.dedup();
        for v in beside {
            if !grid.contains(&v) && piece.contains(&v) && !never.contains(&v) {
                let larger = grid.iter().copied().chain([v]).collect();
                if self.grow(piece, larger, &never)? {
                    return Some(true);
                }
                never.push(v);
            }
        }
        Some(false)
    }

    fn pieces(&self, units: &[usize]) -> Vec<Vec<usize>> {
        let mut left: HashSet<usize> = units.iter().copied().collect();
        let mut pieces = vec![];
        for &start in units {
            if !left.remove(&start) {
                continue;
            }
            let (mut piece, mut at) = (vec![start], 0);
            while at < piece.len() {
                for &v in &self.near[piece[at]] {
                    if left.remove(&v) {
                        piece.push(v);
                    }
                }
                at += 1;
            }
            piece.sort_unstable();
            pieces.push(piece);
        }
        pieces
    }
}
