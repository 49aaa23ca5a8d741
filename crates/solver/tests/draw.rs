//! Plans of random towns: always sound, never better claimed than proved.

use proptest::prelude::*;
use solver::check::{Breach, Proof, breaches, proved, sound};
use solver::partition::{Edge, NONE, Options, Plan, Reason, Rule, Town, Verdict, Watch, Wishes, draw, redraw};
use std::sync::atomic::{AtomicUsize, Ordering};

/// A made-up town that owns its lists.
#[derive(Clone, Debug)]
struct Made {
    x: Vec<f64>,
    y: Vec<f64>,
    load: Vec<f64>,
    region: Vec<u32>,
    area: Vec<f64>,
    edges: Vec<Edge>,
}

/// A small generator of its own for the tests.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        ((self.0 >> 33) as usize) % n
    }
}

/// A lattice with holes, islands, bridges, giant units, empty corners and two regions.
fn made(width: usize, height: usize, seed: u64, giants: usize, holes: usize) -> Made {
    let mut dice = Dice(seed);
    let n = width * height;
    let gone: Vec<bool> = (0..n).map(|_| dice.below(100) < holes).collect();
    let mut at = vec![NONE; n];
    let mut town = Made {
        x: vec![],
        y: vec![],
        load: vec![],
        region: vec![],
        area: vec![],
        edges: vec![],
    };
    for i in 0..n {
        if gone[i] {
            continue;
        }
        at[i] = town.x.len() as u32;
        let (x, y) = ((i % width) as f64, (i / width) as f64);
        town.x.push(x * 20.0 + dice.below(9) as f64);
        town.y.push(y * 20.0 + dice.below(9) as f64);
        let empty = x < 3.0 && y < 3.0;
        let giant = dice.below(100) < giants;
        town.load.push(if empty {
            0.0
        } else if giant {
            45.0 + dice.below(90) as f64
        } else {
            dice.below(12) as f64
        });
        town.region.push(u32::from(i % width >= width / 2 + dice.below(2)));
        town.area.push(300.0 + dice.below(100) as f64);
    }
    for i in 0..n {
        for j in [i + 1, i + width] {
            let right = j == i + 1 && j % width != 0 || j == i + width && j < n;
            if right && !gone[i] && !gone[j] && dice.below(100) >= 12 {
                let weight = [1.0, 4.0][dice.below(2)];
                town.edges.push(Edge {
                    u: at[i],
                    v: at[j],
                    length: 10.0,
                    weight,
                    barrier: dice.below(40) == 0,
                });
            }
        }
    }
    town
}

fn on<T>(made: &Made, f: impl FnOnce(&Town) -> T) -> T {
    let measures = [&made.load[..]];
    f(&Town {
        x: &made.x,
        y: &made.y,
        measures: &measures,
        region: &made.region,
        area: &made.area,
        edges: &made.edges,
    })
}

fn threads(threads: usize, seed: u64) -> Options {
    Options {
        threads,
        seed,
        ..Options::default()
    }
}

fn drawn(made: &Made, rule: &Rule, wishes: &Wishes, seed: u64) -> Plan {
    on(made, |town| draw(town, rule, wishes, &threads(1, seed), Watch::NOBODY))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, rng_seed: proptest::test_runner::RngSeed::Fixed(4), ..ProptestConfig::default() })]

    #[test]
    fn a_plan_breaks_nothing_but_the_band_and_says_where(
        width in 1usize..26, height in 1usize..22, seed in 0u64..1 << 40, giants in 0usize..12, holes in 0usize..35,
    ) {
        let made = made(width, height, seed, giants, holes);
        let rule = Rule::one(0, 40.0, 60.0);
        let none = Wishes::default();
        on(&made, |town| -> Result<(), TestCaseError> {
            prop_assert!(sound(town, &rule, &none, 10).is_empty());
            let plan = draw(town, &rule, &none, &threads(1, seed), Watch::NOBODY);
            prop_assert_eq!(&plan, &draw(town, &rule, &none, &threads(2, seed), Watch::NOBODY));
            let mut told: Vec<u32> = plan.zones.iter().flat_map(|z| z.broken.iter().copied()).collect();
            told.sort_unstable();
            let found: Vec<u32> = breaches(town, &rule, &none, &plan.grid)
                .into_iter()
                .map(|b| match b { Breach::Band { grid, .. } => grid, other => panic!("{other:?}") })
                .collect();
            prop_assert_eq!(told, found);
            prop_assert_eq!(plan.zones.iter().map(|z| z.units).sum::<usize>(), town.len());
            for zone in &plan.zones {
                prop_assert_ne!(proved(town, &rule, &none, &plan, zone), Proof::Refuted, "{:?}", zone);
            }
            Ok(())
        })?;
    }

    #[test]
    fn small_zones_are_drawn_or_proved_impossible_as_brute_force_says(seed in 0u64..1 << 40, width in 2usize..5, height in 2usize..4) {
        let mut made = made(width, height, seed, 0, 10);
        made.region.fill(0);
        let mut dice = Dice(seed ^ 77);
        made.load.iter_mut().for_each(|l| *l = dice.below(40) as f64);
        let rule = Rule::one(0, 40.0, 60.0);
        let plan = drawn(&made, &rule, &Wishes::default(), seed);
        for zone in &plan.zones {
            let possible = brute_force(&made, zone.first_unit, 40.0, 60.0);
            match &zone.verdict {
                Verdict::Held => prop_assert!(possible),
                Verdict::Impossible(_) => prop_assert!(!possible),
                Verdict::Unproven => prop_assert!(false, "small zones are decided"),
            }
        }
    }
}

/// Whether a zone can be divided into connected grids in the band: every way to give its units to grids.
fn brute_force(made: &Made, first: u32, lo: f64, hi: f64) -> bool {
    let mut zone = vec![first];
    let mut at = 0;
    while at < zone.len() {
        for e in made.edges.iter().filter(|e| !e.barrier) {
            for (a, b) in [(e.u, e.v), (e.v, e.u)] {
                if a == zone[at] && !zone.contains(&b) {
                    zone.push(b);
                }
            }
        }
        at += 1;
    }
    fn tried(made: &Made, zone: &[u32], grid: &mut Vec<usize>, lo: f64, hi: f64) -> bool {
        let k = grid.iter().max().map_or(0, |m| m + 1);
        if grid.len() == zone.len() {
            return (0..k).all(|g| {
                let members: Vec<u32> = zone
                    .iter()
                    .zip(&*grid)
                    .filter(|(_, h)| **h == g)
                    .map(|(v, _)| *v)
                    .collect();
                let sum: f64 = members.iter().map(|&v| made.load[v as usize]).sum();
                let mut got = vec![members[0]];
                for _ in 0..members.len() {
                    for e in made
                        .edges
                        .iter()
                        .filter(|e| !e.barrier && members.contains(&e.u) && members.contains(&e.v))
                    {
                        if got.contains(&e.u) != got.contains(&e.v) {
                            got.push(if got.contains(&e.u) { e.v } else { e.u });
                        }
                    }
                }
                sum >= lo && sum <= hi && got.len() == members.len()
            });
        }
        (0..=k).any(|g| {
            grid.push(g);
            let load: f64 = zone
                .iter()
                .zip(&*grid)
                .filter(|(_, h)| **h == g)
                .map(|(v, _)| made.load[*v as usize])
                .sum();
            let done = load <= hi && tried(made, zone, grid, lo, hi);
            grid.pop();
            done
        })
    }
    tried(made, &zone, &mut vec![], lo, hi)
}

/// A street of units with given loads.
fn street(loads: &[f64]) -> Made {
    let n = loads.len();
    Made {
        x: (0..n).map(|i| i as f64 * 10.0).collect(),
        y: vec![0.0; n],
        load: loads.to_vec(),
        region: vec![0; n],
        area: vec![100.0; n],
        edges: (1..n as u32)
            .map(|v| Edge {
                u: v - 1,
                v,
                length: 5.0,
                weight: 1.0,
                barrier: false,
            })
            .collect(),
    }
}

#[test]
fn what_is_impossible_is_said_with_its_reason() {
    let rule = Rule::one(0, 200.0, 300.0);
    let verdict = |loads: &[f64]| {
        let made = street(loads);
        let plan = drawn(&made, &rule, &Wishes::default(), 1);
        let proof = on(&made, |town| {
            proved(town, &rule, &Wishes::default(), &plan, &plan.zones[0])
        });
        assert_eq!(proof, Proof::Confirmed, "{:?}", plan.zones[0]);
        plan.zones[0].verdict.clone()
    };
    assert_eq!(verdict(&[100.0, 110.0, 100.0]), Verdict::Impossible(Reason::Sum));
    assert_eq!(
        verdict(&[100.0, 110.0, 412.0, 150.0, 100.0]),
        Verdict::Impossible(Reason::Units(vec![2]))
    );
    assert_eq!(
        verdict(&[160.0, 160.0, 160.0, 160.0]),
        Verdict::Impossible(Reason::Packing)
    );
    assert_eq!(verdict(&[100.0, 250.0, 110.0]), Verdict::Impossible(Reason::Contiguity));
    assert_eq!(verdict(&[110.0, 100.0, 90.0, 90.0, 60.0]), Verdict::Held);
}

#[test]
fn a_grid_may_hold_either_of_two_bands() {
    let mut made = street(&[100.0; 8]);
    made.load = vec![60.0; 8];
    let people = [260.0; 8];
    let measures = [&made.load[..], &people[..]];
    let town = Town {
        x: &made.x,
        y: &made.y,
        measures: &measures,
        region: &made.region,
        area: &made.area,
        edges: &made.edges,
    };
    let mut rule = Rule::one(0, 300.0, 500.0);
    rule.kinds[0].push(solver::partition::Band {
        measure: 1,
        lo: 1000.0,
        hi: 1100.0,
    });
    let plan = draw(&town, &rule, &Wishes::default(), &threads(1, 1), Watch::NOBODY);
    assert_eq!(breaches(&town, &rule, &Wishes::default(), &plan.grid), vec![]);
    assert_eq!(plan.zones[0].verdict, Verdict::Held);
}

#[test]
fn planted_breaches_are_found() {
    let made = made(20, 20, 9, 0, 0);
    let rule = Rule::one(0, 40.0, 60.0);
    let plan = drawn(&made, &rule, &Wishes::default(), 1);
    let check = |grid: &[u32], wishes: &Wishes| on(&made, |town| breaches(town, &rule, wishes, grid));
    let mut lost = plan.grid.clone();
    lost[7] = NONE;
    assert!(check(&lost, &Wishes::default()).contains(&Breach::Unassigned { unit: 7 }));
    let mut torn = plan.grid.clone();
    let (far, near) = (made.x.len() - 1, 0);
    torn[far] = torn[near];
    let torn = check(&torn, &Wishes::default());
    assert!(
        torn.iter()
            .any(|b| matches!(b, Breach::Crosses { .. } | Breach::Disconnected { .. })),
        "{torn:?}"
    );
    let join = [(0, far as u32)];
    let wishes = Wishes {
        join: &join,
        ..Wishes::default()
    };
    assert!(check(&plan.grid, &wishes).contains(&Breach::Join {
        one: 0,
        other: far as u32
    }));
    let part = made
        .edges
        .iter()
        .find(|e| plan.grid[e.u as usize] == plan.grid[e.v as usize])
        .map(|e| [(e.u, e.v)])
        .unwrap();
    let wishes = Wishes {
        part: &part,
        ..Wishes::default()
    };
    assert_eq!(
        check(&plan.grid, &wishes).last(),
        Some(&Breach::Part {
            one: part[0].0,
            other: part[0].1
        })
    );
    let locked: Vec<u32> = plan.grid.iter().map(|&g| if g == 0 { 5 } else { NONE }).collect();
    let wishes = Wishes {
        locked: &locked,
        ..Wishes::default()
    };
    assert!(
        check(&plan.grid, &wishes)
            .iter()
            .any(|b| matches!(b, Breach::Locked { .. }))
    );
}

#[test]
fn groups_locks_and_pairs_are_kept() {
    let made = made(24, 24, 5, 0, 5);
    let rule = Rule::one(0, 40.0, 60.0);
    let first = drawn(&made, &rule, &Wishes::default(), 1);
    let n = made.x.len();
    let group: Vec<u32> = (0..n)
        .map(|v| {
            if v % 7 == 0 {
                NONE
            } else {
                (made.x[v] / 60.0) as u32 * 100 + (made.y[v] / 40.0) as u32
            }
        })
        .collect();
    let locked: Vec<u32> = first.grid.iter().map(|&g| if g % 5 == 0 { g } else { NONE }).collect();
    let apart =
        |e: &&Edge| locked[e.u as usize] == NONE && locked[e.v as usize] == NONE && !e.barrier && e.weight == 1.0;
    let across = |e: &&Edge| {
        made.region[e.u as usize] == made.region[e.v as usize]
            && (group[e.u as usize] == NONE || group[e.u as usize] != group[e.v as usize])
    };
    let pairs: Vec<(u32, u32)> = made
        .edges
        .iter()
        .filter(apart)
        .filter(across)
        .map(|e| (e.u, e.v))
        .step_by(20)
        .collect();
    let (join, part) = pairs.split_at(pairs.len() / 2);
    for wishes in [
        Wishes {
            group: &group,
            ..Wishes::default()
        },
        Wishes {
            locked: &locked,
            ..Wishes::default()
        },
        Wishes {
            join,
            ..Wishes::default()
        },
        Wishes {
            part,
            ..Wishes::default()
        },
        Wishes {
            group: &group,
            locked: &locked,
            ..Wishes::default()
        },
    ] {
        let plan = drawn(&made, &rule, &wishes, 3);
        let broken = on(&made, |town| breaches(town, &rule, &wishes, &plan.grid));
        let other: Vec<&Breach> = broken.iter().filter(|b| !matches!(b, Breach::Band { .. })).collect();
        assert!(other.is_empty(), "{other:?}");
        let grids: usize = plan.zones.iter().map(|z| z.grids).sum();
        assert!(broken.len() * 2 < grids, "{} of {grids}", broken.len());
    }
}

#[test]
fn a_year_of_change_is_mended_with_few_moves() {
    let rule = Rule::one(0, 40.0, 60.0);
    let none = Wishes::default();
    for seed in 0..12 {
        let mut made = made(24, 20, seed, 0, 8);
        let before = drawn(&made, &rule, &none, seed);
        let same = on(&made, |town| {
            redraw(town, &rule, &none, &before.grid, &threads(1, 1), Watch::NOBODY)
        });
        assert_eq!(same.grid, before.grid, "what is in band stays");
        let mut dice = Dice(seed);
        for _ in 0..8 {
            let v = dice.below(made.load.len());
            made.load[v] = dice.below(30) as f64;
        }
        on(&made, |town| {
            let again = |n| redraw(town, &rule, &none, &before.grid, &threads(n, 1), Watch::NOBODY);
            let after = again(1);
            assert_eq!(after, again(2));
            let found = breaches(town, &rule, &none, &after.grid);
            assert!(found.iter().all(|b| matches!(b, Breach::Band { .. })), "{found:?}");
            let told: usize = after.zones.iter().map(|z| z.broken.len()).sum();
            assert_eq!(told, found.len());
            let fresh = draw(town, &rule, &none, &threads(1, seed), Watch::NOBODY);
            let possible: usize = fresh.zones.iter().map(|z| z.broken.len()).sum();
            assert!(
                told <= possible + 1,
                "{told} grids out of band, {possible} when drawn afresh"
            );
            let moved: f64 = (0..town.len())
                .filter(|&v| after.grid[v] != before.grid[v])
                .map(|v| made.load[v])
                .sum();
            assert!(moved <= 0.15 * made.load.iter().sum::<f64>(), "{moved} moved");
        });
    }
}

/// One zone is more than half a city's work: a stop is heard within it, and what there is then is a whole plan.
#[test]
fn a_stop_is_heard_inside_a_zone() {
    let mut made = made(60, 60, 5, 0, 4);
    made.region.fill(0);
    let rule = Rule::one(0, 40.0, 60.0);
    let none = Wishes::default();
    on(&made, |town| {
        let asked = AtomicUsize::new(0);
        let count = || asked.fetch_add(1, Ordering::Relaxed);
        let drawn = |most: usize| {
            asked.store(0, Ordering::Relaxed);
            let stop = || count() >= most;
            let watch = Watch {
                stop: &stop,
                ..Watch::NOBODY
            };
            let plan = draw(town, &rule, &none, &threads(1, 3), watch);
            (plan, asked.load(Ordering::Relaxed))
        };
        let (_, all) = drawn(usize::MAX);
        let (plan, few) = drawn(10);
        assert!(few < 40 && all > 10 * few, "asked {few} times of {all}");
        assert!(plan.stopped && plan.grid.iter().all(|&g| g != NONE));
        assert!(
            breaches(town, &rule, &none, &plan.grid)
                .iter()
                .all(|b| matches!(b, Breach::Band { .. }))
        );
        let asked_again = || count() >= 5;
        let watch = Watch {
            stop: &asked_again,
            ..Watch::NOBODY
        };
        asked.store(0, Ordering::Relaxed);
        let tight = Rule::one(0, 50.0, 56.0);
        let plan = redraw(town, &tight, &none, &plan.grid, &threads(1, 3), watch);
        assert!(plan.stopped && plan.grid.iter().all(|&g| g != NONE));
    });
}

/// A community of one grid that has become enough for two, and has no neighbour to pass anything to.
#[test]
fn a_grid_alone_is_parted_when_it_is_enough_for_two() {
    let mut made = made(8, 8, 9, 0, 0);
    made.region.fill(0);
    made.load.fill(10.0);
    let beside = |u: u32, v: u32| Edge {
        u,
        v,
        length: 10.0,
        weight: 1.0,
        barrier: false,
    };
    let across = (0..64).filter(|u| u % 8 < 7).map(|u| beside(u, u + 1));
    made.edges = across.chain((0..56).map(|u| beside(u, u + 8))).collect();
    let rule = Rule::one(0, 300.0, 500.0);
    let none = Wishes::default();
    on(&made, |town| {
        let before = vec![7; town.len()];
        let plan = redraw(town, &rule, &none, &before, &threads(1, 1), Watch::NOBODY);
        assert!(breaches(town, &rule, &none, &plan.grid).is_empty());
        assert_eq!(plan.zones[0].verdict, Verdict::Held);
        let moved = plan.grid.iter().filter(|&&g| g != 7).count();
        assert!((30..=34).contains(&moved), "{moved} of 64 units moved");
    });
}
