//! Draws and redraws grids over a graph of dwellings.
//!
//! A town ([`Town`]) falls into zones that no grid may leave; each is drawn on its own, from a seed of its own, so that a plan is the same for any
//! number of threads. In a zone: units that belong together are joined, random spanning trees are cut (`tree`, `split`), units moved over
//! borders (`moves`), neighbouring grids merged and cut anew (`recut`), what is still outside the band repaired by an exact search (`repair`), and
//! what cannot be repaired is proved impossible where that can be proved (`proof`).
//!
//! Constraints and objectives, one per file: size (`band`), cost of all others (`price`).

mod band;
mod coarsen;
mod flow;
mod graph;
mod keep;
mod layout;
mod moves;
mod outcome;
mod price;
mod proof;
mod recut;
mod redraw;
mod repair;
pub(crate) mod rng;
mod split;
mod town;
mod tree;
mod zone;
mod zones;

pub use band::{Band, MAX_BANDS, Rule};
pub use outcome::{Plan, Reason, Verdict, Zone};
pub use price::Goal;
pub use town::{Edge, NONE, Town, Wishes, weighted};

use band::Limits;
use coarsen::Coarse;
use graph::Graph;
use keep::keep;
use layout::Layout;
use rng::Rng;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use zone::{Bench, Finding, How};
use zones::Zones;

/// How much is tried: a budget of work, not of time, so that equal input gives equal plans.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Effort {
    /// Joined units per grid in the first drawing.
    pub parts: f64,
    /// Trees judged for each cut of the first drawing.
    pub trees: usize,
    /// Trees judged for each cut when a few grids are drawn anew.
    pub retrees: usize,
    /// Most grids drawn anew together.
    pub most: usize,
    /// Rounds of drawing anew around every grid, coarse.
    pub rounds: usize,
    /// The same on single units.
    pub fine_rounds: usize,
    /// Whole drawings compared.
    pub starts: usize,
    /// Rounds of repair around grids outside the band.
    pub repairs: usize,
    /// Steps each proof may take.
    pub proof: u64,
}

impl Effort {
    /// A first drawing with little search.
    pub const FAST: Effort = Effort {
        parts: 10.0,
        trees: 2,
        retrees: 1,
        most: 4,
        rounds: 1,
        fine_rounds: 0,
        starts: 1,
        repairs: 10,
        proof: 20_000,
    };

    /// A first drawing only.
    const LEAST: Effort = Effort {
        rounds: 0,
        repairs: 0,
        proof: 0,
        ..Effort::FAST
    };

    /// What a town of so many units is worth: small ones are searched longer, within about the same time.
    pub fn for_units(units: usize) -> Effort {
        Effort {
            parts: 16.0,
            retrees: 2,
            most: 6,
            rounds: (50_000 / units.max(1)).clamp(5, 10),
            fine_rounds: usize::from(units <= 20_000),
            repairs: 20,
            proof: 60_000,
            ..Effort::FAST
        }
    }
}

impl Default for Effort {
    fn default() -> Effort {
        Effort::for_units(10_000)
    }
}

/// How to draw.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    pub goal: Goal,
    pub seed: u64,
    /// 0 counts as 1.
    pub threads: usize,
    pub effort: Effort,
}

/// Called while drawing; from any of its threads.
#[derive(Clone, Copy)]
pub struct Watch<'a> {
    /// True ends the work early: the zone at hand stays as it is then, zones not drawn yet get their first drawing only.
    pub stop: &'a (dyn Fn() -> bool + Sync),
    /// Units drawn so far, units in all.
    pub progress: &'a (dyn Fn(usize, usize) + Sync),
}

impl Watch<'_> {
    /// Nobody watches.
    pub const NOBODY: Watch<'static> = Watch {
        stop: &|| false,
        progress: &|_, _| (),
    };
}

/// Draws a plan. `town` and `rule` must be sound (see [`crate::check::sound`]).
pub fn draw(town: &Town, rule: &Rule, wishes: &Wishes, options: &Options, watch: Watch) -> Plan {
    let zones = Zones::new(town, wishes);
    let how = How {
        goal: options.goal,
        effort: options.effort,
    };
    each_zone(
        town,
        rule,
        wishes,
        &zones,
        options,
        watch,
        0,
        |zone, graph, _, limits, bench| {
            let mut rng = Rng::new(options.seed, u64::from(zones.units(zone)[0]));
            let how = if (watch.stop)() {
                How {
                    effort: Effort::LEAST,
                    ..how
                }
            } else {
                how
            };
            let (layout, finding) = zone::draw(graph, limits, &how, &mut rng, bench);
            Drawn {
                layout,
                finding,
                names: vec![],
            }
        },
    )
}

/// Changes a plan so that its grids are in the band again and the fewest households change grid. `before` is the grid of each unit, [`NONE`] for
/// new ones; grids that are left keep their number.
pub fn redraw(town: &Town, rule: &Rule, wishes: &Wishes, before: &[u32], options: &Options, watch: Watch) -> Plan {
    let zones = Zones::new(town, wishes);
    let how = How {
        goal: options.goal,
        effort: options.effort,
    };
    let taken = before.iter().filter(|&&g| g != NONE).max().map_or(0, |&g| g + 1);
    let owner = owners(town, &zones, before);
    each_zone(
        town,
        rule,
        wishes,
        &zones,
        options,
        watch,
        taken,
        |zone, graph, of, limits, bench| {
            let mut rng = Rng::new(options.seed, u64::from(zones.units(zone)[0]));
            let mut names: Vec<u32> = vec![];
            let mut home = vec![NONE; graph.len()];
            let mut place: HashMap<u32, u32> = HashMap::new();
            for (i, &v) in zones.units(zone).iter().enumerate() {
                let g = before[v as usize];
                if g != NONE {
                    let name = *place.entry(g).or_insert_with(|| {
                        names.push(if owner.get(&g) == Some(&(zone as u32)) { g } else { NONE });
                        names.len() as u32 - 1
                    });
                    home[of.map_or(i, |of| of[i] as usize)] = name;
                }
            }
            let (layout, finding) = redraw::redraw(graph, limits, &how, &home, &mut rng, bench);
            Drawn { layout, finding, names }
        },
    )
}

/// The zone that keeps a grid's number: where most of its units are.
fn owners(town: &Town, zones: &Zones, before: &[u32]) -> HashMap<u32, u32> {
    let mut most: HashMap<u32, (usize, u32)> = HashMap::new();
    let mut here: HashMap<u32, usize> = HashMap::new();
    for zone in 0..zones.len() {
        here.clear();
        for &v in zones.units(zone) {
            if before[v as usize] != NONE {
                *here.entry(before[v as usize]).or_default() += 1;
            }
        }
        for (&g, &units) in &here {
            let best = most.entry(g).or_insert((0, 0));
            if units > best.0 {
                *best = (units, zone as u32);
            }
        }
    }
    debug_assert!(before.len() == town.len());
    most.into_iter().map(|(g, (_, zone))| (g, zone)).collect()
}

/// What a zone's task gives: the names of its first grids, if they have some already.
struct Drawn {
    layout: Layout,
    finding: Finding,
    names: Vec<u32>,
}

/// Does a task for each zone, the largest first, on all threads, and puts the plan together.
fn each_zone(
    town: &Town,
    rule: &Rule,
    wishes: &Wishes,
    zones: &Zones,
    options: &Options,
    watch: Watch,
    taken: u32,
    task: impl Fn(usize, &Graph, Option<&[u32]>, &Limits, &mut Bench) -> Drawn + Sync,
) -> Plan {
    let mut order: Vec<u32> = (0..zones.len() as u32).collect();
    order.sort_by_key(|&z| std::cmp::Reverse(zones.units(z as usize).len()));
    let next = AtomicUsize::new(0);
    let units_done = AtomicUsize::new(0);
    let done: Mutex<Vec<(u32, Drawn, Vec<u32>)>> = Mutex::new(vec![]);
    let work = || {
        let mut bench = Bench::new(watch.stop);
        let mut mine = vec![];
        while let Some(&zone) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
            let units = zones.units(zone as usize);
            let limits = Limits::new(rule.bands(town.region[units[0] as usize]));
            let mut graph = zones.graph(town, &limits, zone as usize);
            let kept = keep(&mut graph, zones, zone as usize, wishes, &limits);
            let drawn = match kept {
                None => task(zone as usize, &graph, None, &limits, &mut bench),
                Some(Coarse { graph: joined, of }) => {
                    let drawn = task(zone as usize, &joined, Some(&of), &limits, &mut bench);
                    Drawn {
                        layout: drawn.layout.refined(&graph, &of),
                        finding: drawn.finding.under_wishes(),
                        ..drawn
                    }
                }
            };
            let out = |g: &u32| {
                let m = &drawn.layout.mass[*g as usize];
                m.area > 0.0 && (m.over > 0 || limits.miss(&m.loads, 0) > 0.0)
            };
            let broken = (0..drawn.layout.mass.len() as u32).filter(out).collect();
            mine.push((zone, drawn, broken));
            let so_far = units_done.fetch_add(units.len(), Ordering::Relaxed) + units.len();
            (watch.progress)(so_far, town.len());
        }
        done.lock().unwrap_or_else(PoisonError::into_inner).append(&mut mine);
    };
    std::thread::scope(|scope| {
        for _ in 1..options.threads.max(1) {
            scope.spawn(work);
        }
        work();
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_unstable_by_key(|&(zone, ..)| zone);
    let mut plan = Plan {
        grid: if wishes.locked.is_empty() {
            vec![NONE; town.len()]
        } else {
            wishes.locked.to_vec()
        },
        zones: vec![],
        stopped: (watch.stop)(),
    };
    let mut next_name = wishes
        .locked
        .iter()
        .filter(|&&g| g != NONE)
        .max()
        .map_or(0, |&g| g + 1)
        .max(taken);
    for (zone, drawn, broken) in done {
        let units = zones.units(zone as usize);
        let Drawn {
            layout,
            finding,
            mut names,
        } = drawn;
        for (&v, &g) in units.iter().zip(&layout.grid) {
            if names.len() <= g as usize {
                names.resize(g as usize + 1, NONE);
            }
            if names[g as usize] == NONE {
                names[g as usize] = next_name;
                next_name += 1;
            }
            plan.grid[v as usize] = names[g as usize];
        }
        plan.zones.push(Zone {
            first_unit: units[0],
            units: units.len(),
            grids: layout.mass.iter().filter(|m| m.area > 0.0).count(),
            broken: broken.iter().map(|&g| names[g as usize]).collect(),
            verdict: verdict(town, rule, units, finding),
        });
    }
    plan
}

fn verdict(town: &Town, rule: &Rule, units: &[u32], finding: Finding) -> Verdict {
    let limits = Limits::new(rule.bands(town.region[units[0] as usize]));
    let over: Vec<u32> = units
        .iter()
        .copied()
        .filter(|&v| limits.loads(town, v as usize).1)
        .collect();
    match finding {
        Finding::Held if over.is_empty() => Verdict::Held,
        Finding::Held => Verdict::Impossible(Reason::Units(over)),
        Finding::Sum => Verdict::Impossible(Reason::Sum),
        Finding::Packing => Verdict::Impossible(Reason::Packing),
        Finding::Contiguity => Verdict::Impossible(Reason::Contiguity),
        Finding::Unproven => Verdict::Unproven,
    }
}
