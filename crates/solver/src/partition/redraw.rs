//! Changes a plan with the least disturbance: what is still in the band stays, and the fewest households change grid.
//!
//! A grid above the band passes units over its borders to where there is room, one below takes some in, along the shortest chain of grids if its
//! neighbours have no room of their own; what a unit alone connects goes along with it. Several tries with some chance in the choice; the one with
//! the least out of band and then the least moved wins, and what it moved needlessly goes home again.

use super::band::Limits;
use super::flow::Flow;
use super::graph::{Graph, Mass};
use super::layout::Layout;
use super::price::Price;
use super::recut::Recut;
use super::rng::Rng;
use super::town::NONE;
use super::zone::{Bench, Finding, How, hopeless};

/// A household out of band weighs as much as so many that change grid.
const OUT: f64 = 12.0;
/// One more border to pass weighs as much as so many, and a grid with room for less than this part of the band's upper end has none: which
/// serves best differs from zone to zone, so each try draws its own.
const HOPS: [f64; 3] = [1.0, 2.5, 4.0];
const SLACK: [f64; 3] = [0.0, 0.02, 0.05];
/// Tries per zone: as many as fit into so many units looked at, within bounds.
const LOOKS: usize = 26_000;
const TRIES: std::ops::RangeInclusive<usize> = 4..=10;
/// Moved households beyond what is unavoidable that end the tries.
const GOOD: f64 = 1.03;
/// Steps per try, for each grid outside the band.
const STEPS: usize = 400;

/// Redraws a zone. `home` is the grid of each unit before, [`NONE`] for new ones.
pub(crate) fn redraw(
    graph: &Graph,
    limits: &Limits,
    how: &How,
    home: &[u32],
    rng: &mut Rng,
    bench: &mut Bench,
) -> (Layout, Finding) {
    let price = Price::new(graph, limits, how.goal);
    let start = adopt(graph, home);
    if start.broken(&price).is_empty() {
        return (start, Finding::Held);
    }
    let mut best: Option<(Score, Layout)> = None;
    let fresh = Passing::new(graph, limits, home, start.clone());
    let bound = fresh.bound();
    for _ in 0..(LOOKS / graph.len()).clamp(*TRIES.start(), *TRIES.end()) {
        if best
            .as_ref()
            .is_some_and(|(score, _)| (bench.stop)() || score.broken == 0 && score.burden <= GOOD * bound)
        {
            break;
        }
        let mut passing = fresh.clone();
        passing.hop = HOPS[rng.below(HOPS.len())];
        passing.slack = SLACK[rng.below(SLACK.len())] * limits.hi[0] as f64;
        passing.run(rng, bench);
        passing.go_home();
        let found = (Score::of(&passing.layout, graph, &price, home), passing.layout);
        if best.as_ref().is_none_or(|(score, _)| found.0 < *score) {
            best = Some(found);
        }
    }
    let (score, mut layout) = best.unwrap_or((Score::of(&start, graph, &price, home), start));
    if score.broken > 0 && (limits.fits(&graph.total().loads) || graph.total().over > 0) {
        let mended = renamed(&mend(graph, &price, layout.clone(), rng, bench), graph, home);
        let mut passing = Passing::new(graph, limits, home, mended);
        passing.go_home();
        if Score::of(&passing.layout, graph, &price, home) < score {
            layout = passing.layout;
        }
    }
    let finding = match layout.broken(&price).is_empty() {
        true => Finding::Held,
        false => hopeless(graph, limits, how.effort.proof).unwrap_or(Finding::Unproven),
    };
    (layout, finding)
}

/// What a redrawn zone is judged by, in this order.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
struct Score {
    broken: usize,
    /// Households that moved, and those out of band with their weight: where no plan is in the band, not many are moved to spare a few.
    burden: f64,
    price: f64,
}

impl Score {
    fn of(layout: &Layout, graph: &Graph, price: &Price, home: &[u32]) -> Score {
        let out: f64 = layout.mass.iter().map(|mass| out(&price.limits, mass).abs()).sum();
        Score {
            broken: layout.broken(price).len(),
            burden: moved(graph, &layout.grid, home) + OUT * out,
            price: layout.cost(graph, price),
        }
    }
}

fn moved(graph: &Graph, grid: &[u32], home: &[u32]) -> f64 {
    let away = |&v: &usize| home[v] != NONE && grid[v] != home[v];
    (0..grid.len())
        .filter(away)
        .map(|v| graph.mass[v].loads[0] as f64)
        .sum()
}

/// The plan as it was: the largest piece of each grid keeps its name, other pieces and new units join the grid beside them they belong to most, or
/// are a new grid where there is none.
fn adopt(graph: &Graph, home: &[u32]) -> Layout {
    let n = graph.len();
    let mut piece = vec![NONE; n];
    let mut pieces: Vec<(u32, i64, u32)> = vec![];
    for v in 0..n as u32 {
        if piece[v as usize] != NONE || home[v as usize] == NONE {
            continue;
        }
        let mut load = 0;
        let mut list = vec![v];
        piece[v as usize] = pieces.len() as u32;
        let mut at = 0;
        while at < list.len() {
            load += graph.mass[list[at] as usize].loads[0];
            for near in graph.near(list[at]) {
                if piece[near.to as usize] == NONE && home[near.to as usize] == home[v as usize] {
                    piece[near.to as usize] = pieces.len() as u32;
                    list.push(near.to);
                }
            }
            at += 1;
        }
        pieces.push((home[v as usize], load, list.len() as u32));
    }
    let most = pieces.iter().map(|p| p.0 + 1).max().unwrap_or(0);
    let mut main = vec![NONE; most as usize];
    for (i, p) in pieces.iter().enumerate() {
        let kept = &mut main[p.0 as usize];
        if *kept == NONE || (pieces[*kept as usize].1, pieces[*kept as usize].2) < (p.1, p.2) {
            *kept = i as u32;
        }
    }
    let mut grid: Vec<u32> = (0..n)
        .map(|v| {
            if home[v] != NONE && main[home[v] as usize] == piece[v] {
                home[v]
            } else {
                NONE
            }
        })
        .collect();
    let mut fresh = most;
    loop {
        let mut joined = false;
        for v in 0..n as u32 {
            if grid[v as usize] != NONE {
                continue;
            }
            let beside = graph.near(v).iter().filter(|near| grid[near.to as usize] != NONE);
            if let Some(near) = beside.max_by(|a, b| a.cut.total_cmp(&b.cut).then(b.far.total_cmp(&a.far))) {
                grid[v as usize] = grid[near.to as usize];
                joined = true;
            }
        }
        match grid.iter().position(|&g| g == NONE) {
            None => return Layout::new(graph, grid),
            Some(v) if !joined => {
                grid[v] = fresh;
                fresh += 1;
            }
            Some(_) => {}
        }
    }
}

/// Exact cuts around grids that passing did not bring into the band.
fn mend(graph: &Graph, price: &Price, layout: Layout, rng: &mut Rng, bench: &mut Bench) -> Layout {
    let mut recut = Recut::new(graph, price, layout);
    for round in 0..12 {
        let broken = recut.layout.broken(price);
        if broken.is_empty() {
            break;
        }
        for g in broken {
            if (bench.stop)() {
                return recut.layout;
            }
            recut.repair(g, 2 + round % 4, 20, rng, bench);
        }
    }
    recut.layout
}

/// Gives each grid the old name it shares most households with.
fn renamed(layout: &Layout, graph: &Graph, home: &[u32]) -> Layout {
    let mut shared: Vec<(u32, u32, i64)> = (0..graph.len())
        .filter(|&v| home[v] != NONE)
        .map(|v| (layout.grid[v], home[v], graph.mass[v].loads[0] + 1))
        .collect();
    shared.sort_unstable();
    shared.dedup_by(|next, kept| {
        let same = (next.0, next.1) == (kept.0, kept.1);
        if same {
            kept.2 += next.2;
        }
        same
    });
    shared.sort_by_key(|&(g, h, load)| (std::cmp::Reverse(load), g, h));
    let mut fresh = home.iter().filter(|&&h| h != NONE).max().map_or(0, |h| h + 1);
    let mut name = vec![NONE; layout.mass.len()];
    let mut used = vec![false; fresh as usize];
    for (g, h, _) in shared {
        if name[g as usize] == NONE && !used[h as usize] {
            name[g as usize] = h;
            used[h as usize] = true;
        }
    }
    let mut grid = layout.grid.clone();
    for g in &mut grid {
        if name[*g as usize] == NONE {
            name[*g as usize] = fresh;
            fresh += 1;
        }
        *g = name[*g as usize];
    }
    Layout::new(graph, grid)
}

/// Load above (positive) or below (negative) the band it is nearest to, on the first band's measure or the other's scaled to it.
fn out(limits: &Limits, mass: &Mass) -> f64 {
    if mass.area <= 0.0 {
        return 0.0;
    }
    let mut least = f64::INFINITY;
    for b in 0..limits.n {
        let scale = limits.hi[0] as f64 / limits.hi[b] as f64;
        let load = mass.loads[b];
        let out = if mass.over == 1 {
            (load - limits.hi[b]) as f64
        } else {
            ((load - limits.hi[b]).max(0) + (load - limits.lo[b]).min(0)) as f64
        };
        if (out * scale).abs() < least.abs() {
            least = out * scale;
        }
    }
    least
}

/// Units being passed on.
#[derive(Clone)]
struct Passing<'a> {
    graph: &'a Graph,
    limits: &'a Limits,
    home: &'a [u32],
    layout: Layout,
    members: Vec<Vec<u32>>,
    /// Grids beside each, as they were at the beginning.
    beside: Vec<Vec<u32>>,
    /// What one unit of cut weight counts in the choice.
    cut: f64,
    /// What one more border to pass counts, and room too small to be used, in this try.
    hop: f64,
    slack: f64,
    seen: Vec<u32>,
    /// Units that were asked for in the step `stamp`.
    asked: Vec<u32>,
    stamp: u32,
}

/// A set of units that may change grid, and what that gains.
struct Step {
    units: Vec<u32>,
    to: u32,
    gain: f64,
}

impl<'a> Passing<'a> {
    fn new(graph: &'a Graph, limits: &'a Limits, home: &'a [u32], layout: Layout) -> Passing<'a> {
        let mut beside = vec![vec![]; layout.mass.len()];
        for v in 0..graph.len() as u32 {
            for near in graph.near(v) {
                let (a, b) = (layout.grid[v as usize], layout.grid[near.to as usize]);
                if a != b && !beside[a as usize].contains(&b) {
                    beside[a as usize].push(b);
                }
            }
        }
        Passing {
            graph,
            limits,
            home,
            members: layout.members(),
            beside,
            cut: 2.5 * graph.len() as f64 / graph.weight().max(1e-9),
            hop: HOPS[0],
            slack: 0.0,
            layout,
            seen: vec![0; graph.len()],
            asked: vec![0; graph.len()],
            stamp: 0,
        }
    }

    /// Households that must change grid at least: what has to leave, or to come in.
    fn bound(&self) -> f64 {
        let all = || self.layout.mass.iter().map(|m| out(self.limits, m));
        let leave: f64 = all().map(|o| o.max(0.0)).sum();
        leave.max(all().map(|o| (-o).max(0.0)).sum())
    }

    fn broken(&self) -> Vec<u32> {
        (0..self.layout.mass.len() as u32)
            .filter(|&g| out(self.limits, &self.layout.mass[g as usize]) != 0.0)
            .collect()
    }

    /// Passes units on until all is in the band or nothing helps.
    fn run(&mut self, rng: &mut Rng, bench: &mut Bench) {
        let mut left = self.broken().len() * STEPS;
        let mut stuck: Vec<u32> = vec![];
        loop {
            let broken: Vec<u32> = self.broken().into_iter().filter(|g| !stuck.contains(g)).collect();
            if broken.is_empty() || left == 0 || (bench.stop)() {
                return;
            }
            left -= 1;
            let g = broken[rng.below(broken.len())];
            match self.best_step(g, rng, bench) {
                Some(step) => {
                    stuck.clear();
                    self.take(&step);
                }
                None => {
                    if self.dissolve(g) {
                        stuck.clear();
                    } else {
                        stuck.push(g);
                    }
                }
            }
        }
    }

    /// Borders that one household more (or fewer) has to pass from each grid, see [`Flow`].
    fn hops(&self, over: bool) -> Vec<f64> {
        let sign = if over { 1.0 } else { -1.0 };
        let k = self.layout.mass.len();
        let (mut excess, mut room) = (vec![0.0; k], vec![0.0; k]);
        for g in 0..k {
            let mass = &self.layout.mass[g];
            let out = out(self.limits, mass) * sign;
            let load = mass.loads[0] as f64;
            if mass.area <= 0.0 {
                continue;
            }
            excess[g] = out.max(0.0);
            let space = match over {
                true => self.limits.hi[0] as f64 - load,
                false => load - self.limits.lo[0] as f64,
            };
            if out < 0.0 || out == 0.0 && mass.over == 0 {
                room[g] = (space - self.slack).max(0.0);
            }
        }
        Flow::new(&self.beside, excess, room).prices()
    }

    /// The best exchange over a border of a grid outside the band.
    fn best_step(&mut self, g: u32, rng: &mut Rng, bench: &mut Bench) -> Option<Step> {
        let over = out(self.limits, &self.layout.mass[g as usize]) > 0.0;
        let hops = self.hops(over);
        let price = self.hop;
        let weigh = |out: f64, g: u32| {
            let hop = if (out > 0.0) == over {
                hops[g as usize].clamp(0.0, 9.0)
            } else {
                0.0
            };
            out.abs() * (OUT + price * hop)
        };
        let graph = self.graph;
        let mut best: Option<Step> = None;
        let mut tried: Vec<u32> = vec![];
        self.stamp += 1;
        let asked = self.stamp;
        for i in 0..self.members[g as usize].len() {
            let v = self.members[g as usize][i];
            tried.clear();
            // What would go along when this unit is given away; the same for every grid it may go to.
            let mut along: Option<Option<Vec<u32>>> = None;
            for near in graph.near(v) {
                let other = self.layout.grid[near.to as usize];
                if other == g {
                    continue;
                }
                // Giving: this unit to any grid beside it. Taking: that unit, once.
                let (unit, into) = if over { (v, other) } else { (near.to, g) };
                if over {
                    if tried.contains(&other) {
                        continue;
                    }
                    tried.push(other);
                } else {
                    if self.asked[unit as usize] == asked {
                        continue;
                    }
                    self.asked[unit as usize] = asked;
                    along = None;
                }
                let from = self.layout.grid[unit as usize];
                let chance = 0.9 + 0.2 * f64::from(rng.unit());
                // What hangs on it is looked for only where the unit alone would be the better step: that is rare, and the dear part.
                let better = |gain: Option<f64>, best: &Option<Step>| {
                    gain.filter(|gain| best.as_ref().is_none_or(|best| *gain > best.gain))
                };
                let Some(alone) = better(self.gain(&[unit], from, into, chance, weigh), &best) else {
                    continue;
                };
                let units = along.get_or_insert_with(|| match bench.mover.loose(graph, &self.layout, unit) {
                    true => Some(vec![unit]),
                    false => self.with_what_hangs_on_it(unit),
                });
                let Some(units) = units else { continue };
                let gain = match units.len() {
                    1 => Some(alone),
                    _ => better(self.gain(units, from, into, chance, weigh), &best),
                };
                if let Some(gain) = gain {
                    best = Some(Step {
                        units: units.clone(),
                        to: into,
                        gain,
                    });
                }
            }
        }
        best
    }

    /// What it is worth, by household, that these units change grid; nothing where it does not help.
    fn gain(&self, units: &[u32], from: u32, into: u32, chance: f64, weigh: impl Fn(f64, u32) -> f64) -> Option<f64> {
        let mut mass = Mass::default();
        let mut change = 0.0;
        for &u in units {
            mass.add(&self.graph.mass[u as usize]);
            let (load, home) = (self.graph.mass[u as usize].loads[0] as f64, self.home[u as usize]);
            if home != NONE {
                change += load * (f64::from(u8::from(home != into)) - f64::from(u8::from(home != from)));
            }
        }
        let (a, b) = (&self.layout.mass[from as usize], &self.layout.mass[into as usize]);
        let before = weigh(out(self.limits, a), from) + weigh(out(self.limits, b), into);
        let after = weigh(out(self.limits, &a.without(&mass)), from) + weigh(out(self.limits, &b.with(&mass)), into);
        let helps = before - after - change;
        // By household, so that no large unit is moved where a small one would do.
        (helps > 0.0).then(|| helps / mass.loads[0].max(500) as f64 * chance - self.border(units, from, into))
    }

    /// What the cut grows by: of two steps that help as much, the one that keeps to streets and villages is made.
    fn border(&self, units: &[u32], from: u32, into: u32) -> f64 {
        let mut grows = 0.0;
        for near in units.iter().flat_map(|&u| self.graph.near(u)) {
            let g = self.layout.grid[near.to as usize];
            if g == into {
                grows -= near.cut;
            } else if g == from && !units.contains(&near.to) {
                grows += near.cut;
            }
        }
        self.cut * f64::from(grows)
    }

    /// A unit and the smaller pieces its grid would fall into without it; nothing if that is most of the grid.
    fn with_what_hangs_on_it(&mut self, v: u32) -> Option<Vec<u32>> {
        let grid = self.layout.grid[v as usize];
        let whole = self.members[grid as usize].len();
        let begin = self.stamp + 1;
        let mut pieces: Vec<Vec<u32>> = vec![];
        self.stamp += 1;
        self.seen[v as usize] = self.stamp;
        for near in self.graph.near(v) {
            if self.layout.grid[near.to as usize] != grid || self.seen[near.to as usize] >= begin {
                continue;
            }
            self.stamp += 1;
            self.seen[near.to as usize] = self.stamp;
            let mut piece = vec![near.to];
            let mut at = 0;
            while at < piece.len() {
                for next in self.graph.near(piece[at]) {
                    if self.layout.grid[next.to as usize] == grid && self.seen[next.to as usize] < begin {
                        self.seen[next.to as usize] = self.stamp;
                        piece.push(next.to);
                    }
                }
                at += 1;
            }
            pieces.push(piece);
        }
        pieces.sort_by_key(Vec::len);
        pieces.pop()?;
        let units: Vec<u32> = std::iter::once(v).chain(pieces.into_iter().flatten()).collect();
        (2 * units.len() < whole).then_some(units)
    }

    fn take(&mut self, step: &Step) {
        for &u in &step.units {
            let from = self.layout.grid[u as usize];
            self.members[from as usize].retain(|&m| m != u);
            self.members[step.to as usize].push(u);
            self.layout.mass[from as usize].sub(&self.graph.mass[u as usize]);
            self.layout.mass[step.to as usize].add(&self.graph.mass[u as usize]);
            self.layout.grid[u as usize] = step.to;
        }
        for &u in &step.units {
            for near in self.graph.near(u) {
                let other = self.layout.grid[near.to as usize];
                if other != step.to && !self.beside[other as usize].contains(&step.to) {
                    self.beside[other as usize].push(step.to);
                    self.beside[step.to as usize].push(other);
                }
            }
        }
    }

    /// Gives all units of a grid below the band to its neighbours, if they stay in the band with them.
    fn dissolve(&mut self, g: u32) -> bool {
        if out(self.limits, &self.layout.mass[g as usize]) >= 0.0 || self.layout.mass[g as usize].over > 0 {
            return false;
        }
        let (before, mass, members) = (self.layout.grid.clone(), self.layout.mass.clone(), self.members.clone());
        while !self.members[g as usize].is_empty() {
            let mut best: Option<(f64, u32, u32)> = None;
            for &v in &self.members[g as usize] {
                for near in self.graph.near(v) {
                    let other = self.layout.grid[near.to as usize];
                    if other == g
                        || out(
                            self.limits,
                            &self.layout.mass[other as usize].with(&self.graph.mass[v as usize]),
                        ) > 0.0
                    {
                        continue;
                    }
                    let worth = f64::from(near.cut)
                        - self.layout.mass[other as usize].loads[0] as f64 / self.limits.hi[0] as f64;
                    if best.is_none_or(|b| worth > b.0) {
                        best = Some((worth, v, other));
                    }
                }
            }
            let Some((_, v, to)) = best else {
                (self.layout.grid, self.layout.mass, self.members) = (before, mass, members);
                return false;
            };
            self.take(&Step {
                units: vec![v],
                to,
                gain: 0.0,
            });
        }
        self.layout.mass[g as usize] = Mass::default();
        true
    }

    /// Sends home every unit that moved although its old and its new grid can both do without.
    fn go_home(&mut self) {
        let mut away: Vec<u32> = (0..self.graph.len() as u32)
            .filter(|&v| self.home[v as usize] != NONE && self.layout.grid[v as usize] != self.home[v as usize])
            .collect();
        away.sort_by_key(|&v| (std::cmp::Reverse(self.graph.mass[v as usize].loads[0]), v));
        for v in away {
            let (now, home) = (self.layout.grid[v as usize], self.home[v as usize]);
            if now == home
                || !self
                    .graph
                    .near(v)
                    .iter()
                    .any(|near| self.layout.grid[near.to as usize] == home)
            {
                continue;
            }
            let mass = &self.graph.mass[v as usize];
            let (from, to) = (&self.layout.mass[now as usize], &self.layout.mass[home as usize]);
            let worse = |after: f64, before: f64| after.abs() > before.abs();
            if worse(out(self.limits, &from.without(mass)), out(self.limits, from))
                || worse(out(self.limits, &to.with(mass)), out(self.limits, to))
            {
                continue;
            }
            if self.with_what_hangs_on_it(v).is_some_and(|units| units.len() == 1) {
                self.take(&Step {
                    units: vec![v],
                    to: home,
                    gain: 0.0,
                });
            }
        }
    }
}
