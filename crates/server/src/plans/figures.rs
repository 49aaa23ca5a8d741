//! What grids come to: load, shape, ways, expected minutes of work; and the same of a whole community.

use super::table::Table;
use domain::geo::LonLat;
use domain::policy::GridRules;
use solver::partition::NONE;
use std::collections::BTreeMap;
use std::f64::consts::PI;

/// Figures of one grid.
#[derive(Debug, Clone, PartialEq)]
pub struct GridFigures {
    pub dwellings: i64,
    pub households: i64,
    pub people: i64,
    pub enterprises: i64,
    pub minutes: i64,
    pub in_band: bool,
    pub pieces: usize,
    pub moi: f64,
    pub walk_m: f64,
    pub at: LonLat,
}

/// The dwellings of each grid by its number, places in the table; those in no grid are left out.
pub fn members(grid: &[u32]) -> BTreeMap<u32, Vec<u32>> {
    let mut all: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for (v, no) in (0u32..).zip(grid).filter(|(_, no)| **no != NONE) {
        all.entry(*no).or_default().push(v);
    }
    all
}

/// Figures of a grid of these dwellings, at least one.
pub fn of_grid(table: &Table, rules: &GridRules, members: &[u32]) -> GridFigures {
    let sum = |of: &dyn Fn(usize) -> f64| members.iter().map(|v| of(*v as usize)).sum::<f64>();
    let count = |of: fn(&crate::territory::dwellings::Dwelling) -> i64| -> i64 {
        members.iter().map(|v| of(&table.block.dwellings[*v as usize])).sum()
    };
    let (households, people, enterprises) = (
        count(|one| one.households),
        count(|one| one.people),
        count(|one| one.enterprises),
    );
    let area = sum(&|v| table.area(v));
    let middle = [
        sum(&|v| table.area(v) * table.at(v)[0]) / area,
        sum(&|v| table.area(v) * table.at(v)[1]) / area,
    ];
    let far = |v: usize, to: [f64; 2]| (table.at(v)[0] - to[0]).hypot(table.at(v)[1] - to[1]);
    let inertia = sum(&|v| table.area(v) * far(v, middle).powi(2) + table.area(v).powi(2) / (2.0 * PI));
    let weight = |v: usize| {
        if households > 0 {
            table.households(v) as f64
        } else {
            1.0
        }
    };
    let all = sum(&weight);
    let home = [
        sum(&|v| weight(v) * table.at(v)[0]) / all,
        sum(&|v| weight(v) * table.at(v)[1]) / all,
    ];
    let n = members.len() as f64;
    let lonlat = |v: u32| table.block.dwellings[v as usize].at;
    let minutes = f64::from(rules.minutes)
        + households as f64 * rules.minutes_household
        + enterprises as f64 * rules.minutes_enterprise;
    GridFigures {
        dwellings: members.len() as i64,
        households,
        people,
        enterprises,
        minutes: minutes.round() as i64,
        in_band: table.in_band(&table.loads(members)),
        pieces: table.pieces(members),
        moi: area * area / (2.0 * PI * inertia),
        walk_m: sum(&|v| weight(v) * far(v, home)) / all,
        at: LonLat {
            lon: members.iter().map(|v| lonlat(*v).lon).sum::<f64>() / n,
            lat: members.iter().map(|v| lonlat(*v).lat).sum::<f64>() / n,
        },
    }
}

/// What the grids of one community, or of several, come to.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct BlockFigures {
    pub dwellings: i64,
    pub unplaced: i64,
    /// Read back once stored: dwellings in exactly one grid, of their own community; places given to anything else.
    pub placed: i64,
    pub strayed: i64,
    pub grids: i64,
    pub in_band: i64,
    /// Grids in pieces.
    pub broken: i64,
    pub households: i64,
    pub least: i64,
    pub most: i64,
    /// Sum of the squares of the grids' households.
    pub squares: f64,
    /// Weight of the walkable links between grids.
    pub cut: f64,
    pub moi_sum: f64,
    /// Metres times households.
    pub walk_sum: f64,
    pub minutes: i64,
    pub moved_households: i64,
}

/// Of a whole community; `moved` households lie in another grid today.
pub fn of_block<'f>(
    table: &Table,
    grid: &[u32],
    grids: impl Iterator<Item = &'f GridFigures>,
    moved: i64,
) -> BlockFigures {
    let mut all = BlockFigures {
        dwellings: table.len() as i64,
        unplaced: grid.iter().filter(|no| **no == NONE).count() as i64,
        moved_households: moved,
        least: i64::MAX,
        ..BlockFigures::default()
    };
    for one in grids {
        all.grids += 1;
        all.in_band += i64::from(one.in_band);
        all.broken += i64::from(one.pieces > 1);
        all.households += one.households;
        all.least = all.least.min(one.households);
        all.most = all.most.max(one.households);
        all.squares += (one.households * one.households) as f64;
        all.moi_sum += one.moi;
        all.walk_sum += one.walk_m * one.households as f64;
        all.minutes += one.minutes;
    }
    if all.grids == 0 {
        all.least = 0;
    }
    let cut = table
        .edges
        .iter()
        .filter(|edge| !edge.barrier && grid[edge.u as usize] != grid[edge.v as usize]);
    all.cut = cut.map(|edge| f64::from(edge.weight)).sum();
    all
}
