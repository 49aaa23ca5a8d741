//! One community on the table: its dwellings as the solver takes them, and who can walk to whom.

use super::options::{KeepWhole, Options};
use crate::platform::DwellingId;
use crate::territory::dwellings::{Block, Dwelling};
use domain::geo::LonLat;
use solver::partition::{Edge, NONE, Rule, Town, Wishes};
use std::collections::HashMap;

/// Metres of a degree of latitude.
const METRES_PER_DEGREE: f64 = 111_195.0;
/// Square metres of a hectare.
const HECTARE: f64 = 10_000.0;

/// A community, ready to be divided. Places in its lists are the places of its dwellings.
#[derive(Debug)]
pub struct Table {
    pub block: Block,
    pub rule: Rule,
    x: Vec<f64>,
    y: Vec<f64>,
    /// Households, people, enterprises, weighted sum.
    pub measures: Vec<Vec<f64>>,
    region: Vec<u32>,
    area: Vec<f64>,
    group: Vec<u32>,
    pub edges: Vec<Edge>,
    pub place: HashMap<DwellingId, u32>,
    /// Of each dwelling those it can be walked to from.
    near: Vec<Vec<u32>>,
}

impl Table {
    pub fn new(block: Block, rural: bool, options: &Options) -> Table {
        let all = &block.dwellings;
        let n = all.len().max(1) as f64;
        let middle = LonLat {
            lon: all.iter().map(|one| one.at.lon).sum::<f64>() / n,
            lat: all.iter().map(|one| one.at.lat).sum::<f64>() / n,
        };
        let east = METRES_PER_DEGREE * middle.lat.to_radians().cos();
        let place: HashMap<DwellingId, u32> = (0..).zip(all).map(|(at, one)| (one.id, at)).collect();
        // A link may be older than a dwelling's last move.
        let edges: Vec<Edge> = block
            .links
            .iter()
            .filter_map(|link| {
                Some(Edge {
                    u: *place.get(&link.u)?,
                    v: *place.get(&link.v)?,
                    length: link.shared_m as f32,
                    weight: link.weight as f32,
                    barrier: link.barrier,
                })
            })
            .collect();
        let mut near = vec![Vec::new(); all.len()];
        for edge in edges.iter().filter(|edge| !edge.barrier) {
            near[edge.u as usize].push(edge.v);
            near[edge.v as usize].push(edge.u);
        }
        Table {
            rule: options.rule(rural),
            x: all.iter().map(|one| (one.at.lon - middle.lon) * east).collect(),
            y: all
                .iter()
                .map(|one| (one.at.lat - middle.lat) * METRES_PER_DEGREE)
                .collect(),
            measures: measures(all, options),
            region: vec![0; all.len()],
            area: all.iter().map(|one| one.land_area.max(1.0)).collect(),
            group: groups(all, options.keep_whole),
            edges,
            place,
            near,
            block,
        }
    }

    pub fn len(&self) -> usize {
        self.block.dwellings.len()
    }

    pub fn at(&self, v: usize) -> [f64; 2] {
        [self.x[v], self.y[v]]
    }

    pub fn area(&self, v: usize) -> f64 {
        self.area[v]
    }

    pub fn households(&self, v: usize) -> i64 {
        self.block.dwellings[v].households
    }

    /// With what the solver and its checker take; `locked` as in [`Wishes`], or empty.
    pub fn with_town<T>(&self, locked: &[u32], then: impl FnOnce(&Town, &Wishes) -> T) -> T {
        let measures: Vec<&[f64]> = self.measures.iter().map(Vec::as_slice).collect();
        let town = Town {
            x: &self.x,
            y: &self.y,
            measures: &measures,
            region: &self.region,
            area: &self.area,
            edges: &self.edges,
        };
        let wishes = Wishes {
            group: &self.group,
            locked,
            ..Wishes::default()
        };
        then(&town, &wishes)
    }

    /// In how many pieces these dwellings hang together on foot.
    pub fn pieces(&self, members: &[u32]) -> usize {
        let mut left: std::collections::HashSet<u32> = members.iter().copied().collect();
        let mut pieces = 0;
        for start in members {
            if !left.remove(start) {
                continue;
            }
            pieces += 1;
            let mut queue = vec![*start];
            while let Some(v) = queue.pop() {
                queue.extend(self.near[v as usize].iter().copied().filter(|next| left.remove(next)));
            }
        }
        pieces
    }

    /// All that hangs together on foot with one, itself too, over those that may be entered.
    pub fn reach(&self, first: u32, may: impl Fn(u32) -> bool) -> Vec<u32> {
        let mut seen = vec![false; self.len()];
        seen[first as usize] = true;
        let (mut found, mut at) = (vec![first], 0);
        while at < found.len() {
            for next in &self.near[found[at] as usize] {
                if !seen[*next as usize] && may(*next) {
                    seen[*next as usize] = true;
                    found.push(*next);
                }
            }
            at += 1;
        }
        found
    }

    /// What these dwellings come to, measure by measure.
    pub fn loads(&self, members: &[u32]) -> Vec<f64> {
        let sum = |values: &Vec<f64>| members.iter().map(|v| values[*v as usize]).sum();
        self.measures.iter().map(sum).collect()
    }

    /// Whether one of the bands holds.
    pub fn in_band(&self, loads: &[f64]) -> bool {
        let bands = self.rule.bands(0).iter();
        let mut bands = bands.map(|band| {
            (loads[band.measure] * 1e3).round() / 1e3 >= band.lo && (loads[band.measure] * 1e3).round() / 1e3 <= band.hi
        });
        bands.any(|holds| holds)
    }
}

fn measures(all: &[Dwelling], options: &Options) -> Vec<Vec<f64>> {
    let count = |of: fn(&Dwelling) -> i64| all.iter().map(|one| of(one) as f64).collect();
    let weighted = |one: &Dwelling| {
        options.weights.map_or(0.0, |w| {
            w.hectare * one.land_area / HECTARE
                + w.person * one.people as f64
                + w.household * one.households as f64
                + w.enterprise * one.enterprises as f64
        })
    };
    vec![
        count(|one| one.households),
        count(|one| one.people),
        count(|one| one.enterprises),
        all.iter().map(weighted).collect(),
    ]
}

fn groups(all: &[Dwelling], keep: KeepWhole) -> Vec<u32> {
    let mut numbers: HashMap<(bool, &str), u32> = HashMap::new();
    let mut group = |one: &'_ Dwelling| -> Option<(bool, String)> {
        let village = one.village.clone().map(|name| (true, name));
        let compound = one.compound.clone().map(|name| (false, name));
        match keep {
            KeepWhole::Both => village.or(compound),
            KeepWhole::Village => village,
            KeepWhole::Compound => compound,
            KeepWhole::None => None,
        }
    };
    let named: Vec<Option<(bool, String)>> = all.iter().map(&mut group).collect();
    named
        .iter()
        .map(|one| match one {
            None => NONE,
            Some((village, name)) => {
                let next = numbers.len() as u32;
                *numbers.entry((*village, name.as_str())).or_insert(next)
            }
        })
        .collect()
}
