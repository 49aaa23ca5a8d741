//! What a plan comes to, for a table beside other plans.

use crate::partition::{NONE, Rule, Town};
use std::f64::consts::PI;

/// Figures of a plan. Loads are on the first band of each grid's kind of place.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    pub grids: usize,
    /// Grids in a band.
    pub in_band: usize,
    pub least_load: f64,
    pub most_load: f64,
    /// Share of the grids within a tenth of the middle of their band.
    pub even: f64,
    /// Weight of the edges between grids that could be walked.
    pub cut: f64,
    /// Mean over the grids: moment of inertia of a disc of the same area over the grid's; 1 is round.
    pub compactness: f64,
    /// Mean way of a household to the middle of its grid, in metres.
    pub walk: f64,
}

#[derive(Clone, Copy, Default)]
struct Sums {
    load: f64,
    area: f64,
    x: f64,
    y: f64,
    walk_x: f64,
    walk_y: f64,
    inertia: f64,
}

/// Measures a plan; units in no grid are left out.
pub fn figures(town: &Town, rule: &Rule, grid: &[u32]) -> Figures {
    let k = grid
        .iter()
        .copied()
        .filter(|&g| g != NONE)
        .max()
        .map_or(0, |g| g as usize + 1);
    let mut sums = vec![Sums::default(); k];
    let mut first = vec![NONE; k];
    let units = || {
        grid.iter()
            .enumerate()
            .filter(|(_, g)| **g != NONE)
            .map(|(v, &g)| (v, g as usize))
    };
    let load = |v: usize| town.measures[rule.bands(town.region[v])[0].measure][v];
    let area = |v: usize| town.area[v].max(1e-9);
    for (v, g) in units() {
        let s = &mut sums[g];
        first[g] = first[g].min(v as u32);
        s.load += load(v);
        s.area += area(v);
        s.x += area(v) * town.x[v];
        s.y += area(v) * town.y[v];
        s.walk_x += load(v) * town.x[v];
        s.walk_y += load(v) * town.y[v];
    }
    let mut ways = 0.0;
    let mut walked = 0.0;
    for (v, g) in units() {
        let s = &mut sums[g];
        let about = (town.x[v] - s.x / s.area).powi(2) + (town.y[v] - s.y / s.area).powi(2);
        s.inertia += area(v) * about + area(v) * area(v) / (2.0 * PI);
        if s.load > 0.0 {
            ways += load(v) * (town.x[v] - s.walk_x / s.load).hypot(town.y[v] - s.walk_y / s.load);
            walked += load(v);
        }
    }
    let mut found = Figures {
        least_load: f64::INFINITY,
        ..Figures::default()
    };
    for (s, &first) in sums.iter().zip(&first).filter(|(_, first)| **first != NONE) {
        let bands = rule.bands(town.region[first as usize]);
        let middle = (bands[0].lo + bands[0].hi) / 2.0;
        found.grids += 1;
        found.least_load = found.least_load.min(s.load);
        found.most_load = found.most_load.max(s.load);
        found.even += f64::from((s.load - middle).abs() <= middle / 10.0);
        found.compactness += s.area * s.area / (2.0 * PI * s.inertia);
    }
    let cut = |e: &&crate::partition::Edge| town.open(e) && grid[e.u as usize] != grid[e.v as usize];
    found.cut = town.edges.iter().filter(cut).map(|e| f64::from(e.weight)).sum();
    found.walk = if walked > 0.0 { ways / walked } else { 0.0 };
    found.even /= found.grids.max(1) as f64;
    found.compactness /= found.grids.max(1) as f64;
    let breaches = super::breaches(town, rule, &Default::default(), grid);
    let broken = breaches
        .iter()
        .filter(|b| matches!(b, super::Breach::Band { .. }))
        .count();
    found.in_band = found.grids - broken;
    found
}
